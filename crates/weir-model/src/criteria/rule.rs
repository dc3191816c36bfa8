//! What a rule asks for and what then happens.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Pattern,
    facts::{Architecture, Edition, Facts, editions_in_title, is_preview},
};
use crate::ids::UpdateId;

/// What happens to an update that a rule matches.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is not stored. When the rules change, the next synchronization brings it unless one still skips it.
    Skip,
    /// It is stored and declined: it is listed, and no computer is sent it.
    Decline,
}

impl Action {
    /// `skip` or `decline`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Decline => "decline",
        }
    }
}

/// That an update is superseded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Superseded {
    /// For at least so many days, counted from the creation of the first update that supersedes it. 0: at once.
    #[serde(default)]
    pub days: u32,
}

/// What a rule asks for. All that is given must hold; of a list, one entry is enough unless said otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// It is made for these architectures only. An update of which none is known does not match.
    pub architectures: BTreeSet<Architecture>,
    /// It is made for one of these editions.
    pub editions: BTreeSet<Edition>,
    /// Its title has one of these patterns.
    pub titles: Vec<Pattern>,
    /// It is a preview (true) or none (false).
    pub preview: Option<bool>,
    /// Its files are made for these languages only. One that is neutral does not match. A language without a region
    /// stands for all its regions.
    pub languages: BTreeSet<String>,
    /// Its files are made for other languages than these only. One that is neutral does not match.
    pub other_languages_than: BTreeSet<String>,
    /// It was created at least so many days ago.
    pub older_than_days: Option<u32>,
    /// It is superseded.
    pub superseded: Option<Superseded>,
    /// It belongs to one of these products, or to one below these families.
    pub products: BTreeSet<UpdateId>,
    /// It belongs to one of these classifications.
    pub classifications: BTreeSet<UpdateId>,
}

/// Since when an update has been superseded.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Since {
    /// Since the first update that supersedes it was created.
    Known(Timestamp),
    /// Nothing that supersedes it says when it was created.
    Unknown,
}

/// An update that a rule leaves alone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Exception {
    /// Updates of a knowledge base article, digits only.
    Article(String),
    /// Updates whose title has the pattern.
    Title(Pattern),
    /// One update.
    Update(UpdateId),
}

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What happens to updates that it matches.
    pub action: Action,
    /// What it asks for.
    pub condition: Condition,
    /// What it leaves alone.
    #[serde(default)]
    pub except: Vec<Exception>,
    /// False: it is kept but does nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// Why something is no rule.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// Not an architecture.
    #[error("{0:?} is no architecture: x86, x64, arm, arm64, ia64")]
    Architecture(String),
    /// Days that no update reaches.
    #[error("{0} days are too many: at most {most}", most = DAYS)]
    Days(u32),
    /// Not an edition.
    #[error("{0:?} is no edition: {words}", words = Edition::words())]
    Edition(String),
    /// Too many entries.
    #[error("a rule has at most {most} {what}", most = ENTRIES)]
    Entries {
        /// Of what.
        what: &'static str,
    },
    /// Nothing is asked for.
    #[error("the rule asks for nothing and would match every update; give it a condition")]
    Empty,
    /// Not a name.
    #[error("{0:?} cannot name a rule: use 1 to 100 characters that can be printed")]
    Name(String),
    /// Not a pattern of titles.
    #[error("{0:?} is no pattern of titles: use 1 to 255 characters that can be printed, not only stars")]
    Pattern(String),
}

/// Days that a rule may count.
const DAYS: u32 = 36_500;
/// Entries of each list of a rule.
const ENTRIES: usize = 1_000;

impl Rule {
    /// Refuses what cannot be a rule.
    pub fn check(&self) -> Result<(), RuleError> {
        let name = self.name.trim();
        // as a part of an address they would mean another resource
        let relative = matches!(name, "." | "..");
        if relative || name.chars().count() > 100 || !crate::name::is_printable(name) || name != self.name {
            return Err(RuleError::Name(self.name.chars().take(120).collect()));
        }
        let Condition { titles, languages, other_languages_than, products, classifications, .. } = &self.condition;
        let lists = [
            ("titles", titles.len()),
            ("languages", languages.len() + other_languages_than.len()),
            ("products", products.len()),
            ("classifications", classifications.len()),
            ("exceptions", self.except.len()),
        ];
        if let Some((what, _)) = lists.into_iter().find(|(_, entries)| *entries > ENTRIES) {
            return Err(RuleError::Entries { what });
        }
        let days = [self.condition.older_than_days, self.condition.superseded.map(|superseded| superseded.days)];
        if let Some(days) = days.into_iter().flatten().find(|days| *days > DAYS) {
            return Err(RuleError::Days(days));
        }
        if self.condition == Condition::default() { Err(RuleError::Empty) } else { Ok(()) }
    }

    /// The rule in words: `Decline what is made for ia64, is superseded`. `title` names a category.
    pub fn describe(&self, title: &dyn Fn(&UpdateId) -> String) -> String {
        let mut parts = self.condition.parts(title);
        if !self.except.is_empty() {
            parts.push(format!("is not {}", joined(&self.except)));
        }
        let action = match self.action {
            Action::Decline => "Decline",
            Action::Skip => "Skip",
        };
        let off = if self.enabled { "" } else { " (switched off)" };
        format!("{action} what {}{off}", parts.join(", and "))
    }

    /// Why the rule matches an update, in words; none if it does not. `superseder` says since when it is superseded by an
    /// update that stays, if it is.
    pub(super) fn reason(&self, facts: &Facts, superseder: Option<Since>, now: Timestamp) -> Option<String> {
        if !self.enabled || self.except.iter().any(|exception| exception.covers(facts)) {
            return None;
        }
        self.condition.reason(facts, superseder, now)
    }
}

impl Exception {
    fn covers(&self, facts: &Facts) -> bool {
        match self {
            Self::Article(article) => facts.kb_articles.contains(article),
            Self::Title(pattern) => pattern.matches(&facts.title),
            Self::Update(update) => *update == facts.update,
        }
    }
}

impl FromStr for Exception {
    type Err = RuleError;

    /// A GUID, `KB` with digits, or a pattern of titles.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        if let Ok(update) = text.parse() {
            return Ok(Self::Update(update));
        }
        let digits = text.get(..2).filter(|kb| kb.eq_ignore_ascii_case("kb")).and_then(|_| text.get(2..));
        match digits {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Self::Article(digits.to_owned()))
            }
            _ => text.parse().map(Self::Title),
        }
    }
}

impl TryFrom<String> for Exception {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Exception> for String {
    fn from(exception: Exception) -> Self {
        exception.to_string()
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Article(article) => write!(f, "KB{article}"),
            Self::Title(pattern) => pattern.fmt(f),
            Self::Update(update) => update.fmt(f),
        }
    }
}

/// Joins words for a sentence.
fn joined<T: fmt::Display>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}

fn days(count: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

/// Whether `language` is `of`, or a region of it if that has none.
fn is_language(language: &str, of: &str) -> bool {
    let base = language.split('-').next().unwrap_or(language);
    language.eq_ignore_ascii_case(of) || (!of.contains('-') && base.eq_ignore_ascii_case(of))
}

impl Condition {
    fn parts(&self, title: &dyn Fn(&UpdateId) -> String) -> Vec<String> {
        let any = |words: String| words.replace(", ", " or ");
        let mut parts = Vec::new();
        let mut add = |is_given: bool, text: String| {
            if is_given {
                parts.push(text);
            }
        };
        add(!self.architectures.is_empty(), format!("is made for {} only", any(joined(&self.architectures))));
        add(!self.editions.is_empty(), format!("is made for the edition {}", any(joined(&self.editions))));
        let titles: Vec<String> = self.titles.iter().map(|pattern| format!("{:?}", pattern.as_str())).collect();
        add(!titles.is_empty(), format!("has a title like {}", titles.join(" or ")));
        add(self.preview == Some(true), "is a preview".to_owned());
        add(self.preview == Some(false), "is no preview".to_owned());
        add(!self.languages.is_empty(), format!("has files in {} only", any(joined(&self.languages))));
        let others = any(joined(&self.other_languages_than));
        add(!self.other_languages_than.is_empty(), format!("has files in other languages than {others} only"));
        let older = self.older_than_days.unwrap_or_default();
        add(self.older_than_days.is_some(), format!("is at least {older} days old"));
        match self.superseded {
            Some(Superseded { days: 0 }) => add(true, "is superseded".to_owned()),
            Some(Superseded { days }) => add(true, format!("has been superseded for at least {days} days")),
            None => {}
        }
        let names = |ids: &BTreeSet<UpdateId>| ids.iter().map(title).collect::<Vec<_>>().join(" or ");
        add(!self.products.is_empty(), format!("belongs to {}", names(&self.products)));
        add(!self.classifications.is_empty(), format!("is classified as {}", names(&self.classifications)));
        parts
    }

    fn reason(&self, facts: &Facts, superseder: Option<Since>, now: Timestamp) -> Option<String> {
        let mut reasons: Vec<String> = Vec::new();
        if !self.architectures.is_empty() {
            let fits = !facts.architectures.is_empty() && facts.architectures.is_subset(&self.architectures);
            fits.then(|| reasons.push(format!("it is made for {}", joined(&facts.architectures))))?;
        }
        if !self.editions.is_empty() {
            let editions = editions_in_title(&facts.title);
            let found = editions.intersection(&self.editions).next()?;
            reasons.push(format!("it is made for the edition {found}"));
        }
        if !self.titles.is_empty() {
            let pattern = self.titles.iter().find(|pattern| pattern.matches(&facts.title))?;
            reasons.push(format!("its title matches {:?}", pattern.as_str()));
        }
        if let Some(wanted) = self.preview {
            (is_preview(&facts.title) == wanted).then_some(())?;
            reasons.push(if wanted { "it is a preview" } else { "it is no preview" }.to_owned());
        }
        let is_of = |of: &BTreeSet<String>, language: &String| of.iter().any(|of| is_language(language, of));
        if !self.languages.is_empty() {
            let all = facts.languages.iter().all(|language| is_of(&self.languages, language));
            (all && !facts.languages.is_empty()).then_some(())?;
            reasons.push(format!("its files are in {}", joined(&facts.languages)));
        }
        if !self.other_languages_than.is_empty() {
            let none = !facts.languages.iter().any(|language| is_of(&self.other_languages_than, language));
            (none && !facts.languages.is_empty()).then_some(())?;
            reasons.push(format!("its files are in {}", joined(&facts.languages)));
        }
        if let Some(wanted) = self.older_than_days {
            let created = facts.created_at?;
            (now.duration_since(created) >= days(wanted)).then_some(())?;
            reasons.push(format!("it was created on {}", date(created)));
        }
        if let Some(Superseded { days: wanted }) = self.superseded {
            let since = superseder?;
            if wanted > 0 {
                let Since::Known(since) = since else { return None };
                (now.duration_since(since) >= days(wanted)).then_some(())?;
                reasons.push(format!("it has been superseded since {}", date(since)));
            } else {
                reasons.push("it is superseded".to_owned());
            }
        }
        let belongs = |to: &BTreeSet<UpdateId>| facts.categories.iter().any(|category| to.contains(category));
        if !self.products.is_empty() {
            belongs(&self.products).then(|| reasons.push("it belongs to a chosen product".to_owned()))?;
        }
        if !self.classifications.is_empty() {
            belongs(&self.classifications).then(|| reasons.push("it has a chosen classification".to_owned()))?;
        }
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}

fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
