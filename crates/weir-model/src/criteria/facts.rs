//! What rules look at.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RuleError;
use crate::{
    document::{
        ApplicabilityRules,
        rules::{Expr, base::BaseRule},
    },
    ids::UpdateId,
};

/// A processor architecture.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// 32-bit Arm.
    Arm,
    /// 64-bit Arm.
    Arm64,
    /// Itanium.
    Ia64,
    /// 64-bit Intel and AMD.
    X64,
    /// 32-bit Intel and AMD.
    X86,
}

/// Every architecture, with its word and what titles call it, in lower case.
const ARCHITECTURES: [(Architecture, &str, &[&str]); 5] = [
    (Architecture::Arm, "arm", &["arm", "arm-based", "arm32"]),
    (Architecture::Arm64, "arm64", &["arm64", "arm64-based"]),
    (Architecture::Ia64, "ia64", &["ia64", "ia64-based", "itanium", "itanium-based"]),
    (Architecture::X64, "x64", &["x64", "x64-based", "amd64", "amd64-based", "64-bit"]),
    (Architecture::X86, "x86", &["x86", "x86-based", "32-bit"]),
];

impl Architecture {
    /// `arm`, `arm64`, `ia64`, `x64` or `x86`.
    pub fn word(self) -> &'static str {
        ARCHITECTURES.iter().find(|(architecture, ..)| *architecture == self).map_or("", |(_, word, _)| word)
    }

    /// `Processor/@Architecture` of applicability rules: 0 x86, 5 Arm, 6 Itanium, 9 x64, 12 Arm64 (the values of
    /// SYSTEM_INFO.wProcessorArchitecture).
    fn of_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::X86),
            5 => Some(Self::Arm),
            6 => Some(Self::Ia64),
            9 => Some(Self::X64),
            12 => Some(Self::Arm64),
            _ => None,
        }
    }

    /// The architectures that an update's own rules ask for: those of `Processor` in IsInstallable, else in IsInstalled,
    /// where nothing negates them.
    pub fn of_rules(rules: &ApplicabilityRules) -> BTreeSet<Self> {
        for rule in [&rules.is_installable, &rules.is_installed].into_iter().flatten() {
            let found = rule.expr().map(processors).unwrap_or_default();
            if !found.is_empty() {
                return found;
            }
        }
        BTreeSet::new()
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Architecture {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wanted = text.trim().to_lowercase();
        ARCHITECTURES
            .iter()
            .find(|(_, word, names)| *word == wanted || names.contains(&wanted.as_str()))
            .map(|(architecture, ..)| *architecture)
            .ok_or_else(|| RuleError::Architecture(text.chars().take(80).collect()))
    }
}

/// Architectures of an expression: of a conjunction those that any part asks for, of an alternative those of all parts if
/// each asks for one.
fn processors(expr: &Expr) -> BTreeSet<Architecture> {
    match expr {
        Expr::Base(rule) => match rule.as_ref() {
            BaseRule::Processor { architecture, .. } => Architecture::of_number(*architecture).into_iter().collect(),
            _ => BTreeSet::new(),
        },
        Expr::And(parts) => parts.iter().map(processors).find(|found| !found.is_empty()).unwrap_or_default(),
        Expr::Or(parts) => {
            let found: Vec<_> = parts.iter().map(processors).collect();
            if found.iter().any(BTreeSet::is_empty) { BTreeSet::new() } else { found.into_iter().flatten().collect() }
        }
        _ => BTreeSet::new(),
    }
}

/// An edition of Windows or of Windows Server, as titles name it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    /// Azure Edition.
    Azure,
    /// Business editions.
    Business,
    /// Consumer editions.
    Consumer,
    /// Education.
    Education,
    /// Embedded.
    Embedded,
    /// Enterprise.
    Enterprise,
    /// Home.
    Home,
    /// Internet of Things.
    Iot,
    /// Long-term servicing.
    Ltsc,
    /// N, without media functions, and KN.
    N,
    /// Pro and Professional.
    Pro,
    /// SE.
    Se,
}

/// Every edition with its word and what titles call it, in lower case.
const EDITIONS: [(Edition, &str, &[&str]); 12] = [
    (Edition::Azure, "azure", &["azure edition"]),
    (Edition::Business, "business", &["business edition", "business editions"]),
    (Edition::Consumer, "consumer", &["consumer edition", "consumer editions"]),
    (Edition::Education, "education", &["education"]),
    (Edition::Embedded, "embedded", &["embedded"]),
    (Edition::Enterprise, "enterprise", &["enterprise"]),
    (Edition::Home, "home", &["home"]),
    (Edition::Iot, "iot", &["iot"]),
    (Edition::Ltsc, "ltsc", &["ltsc", "ltsb"]),
    (Edition::N, "n", &["n", "kn", "pro n", "home n"]),
    (Edition::Pro, "pro", &["pro", "professional"]),
    (Edition::Se, "se", &["se"]),
];

impl Edition {
    /// The word of a rule.
    pub fn word(self) -> &'static str {
        EDITIONS.iter().find(|(edition, ..)| *edition == self).map_or("", |(_, word, _)| word)
    }

    /// All words, for messages.
    pub fn words() -> String {
        EDITIONS.iter().map(|(_, word, _)| *word).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Edition {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wanted = text.trim().to_lowercase();
        EDITIONS
            .iter()
            .find(|(_, word, names)| *word == wanted || names.contains(&wanted.as_str()))
            .map(|(edition, ..)| *edition)
            .ok_or_else(|| RuleError::Edition(text.chars().take(80).collect()))
    }
}

/// An update that supersedes another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Superseder {
    /// Which.
    pub update: UpdateId,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// It is expired, or an administrator declined it: what it supersedes is still needed.
    pub withdrawn: bool,
}

/// What is known of an update: its newest revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// Which update.
    pub update: UpdateId,
    /// Rules apply to it: software or a driver that can be deployed itself and is not expired. Members of bundles share
    /// the fate of the bundles.
    pub judged: bool,
    /// It is in the catalogue already, so it is not skipped: news of it must arrive.
    pub stored: bool,
    /// Its title in its own default language.
    pub title: String,
    /// Knowledge base articles, digits only.
    pub kb_articles: Vec<String>,
    /// Its products and its classification.
    pub categories: Vec<UpdateId>,
    /// What it is made for, as far as that is known: what its title says, else what its rules ask for.
    pub architectures: BTreeSet<Architecture>,
    /// Languages that its files are made for; none if they are neutral.
    pub languages: Vec<String>,
    /// `CreationDate`.
    pub created_at: Option<Timestamp>,
    /// What supersedes it.
    pub superseded_by: Vec<Superseder>,
    /// Members of the bundle.
    pub members: Vec<UpdateId>,
    /// Updates that its prerequisites name.
    pub prerequisites: Vec<UpdateId>,
}

/// The architectures that a title names.
pub fn architectures_in_title(title: &str) -> BTreeSet<Architecture> {
    let title = title.to_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| has_words(&title, name));
    ARCHITECTURES.iter().filter(|(_, _, names)| named(names)).map(|(architecture, ..)| *architecture).collect()
}

/// The editions that a title names.
pub fn editions_in_title(title: &str) -> BTreeSet<Edition> {
    let title = title.to_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| has_words(&title, name));
    EDITIONS.iter().filter(|(_, _, names)| named(names)).map(|(edition, ..)| *edition).collect()
}

/// Whether a title says that the update is a preview.
pub fn is_preview(title: &str) -> bool {
    has_words(&title.to_lowercase(), "preview")
}

/// Whether a text in lower case has `words` with no letter, digit or hyphen on either side. So `arm` is not in `arm64`,
/// nor `x64` in `x64-based`.
fn has_words(text: &str, words: &str) -> bool {
    let inside = |character: Option<char>| character.is_some_and(|found| found.is_alphanumeric() || found == '-');
    text.match_indices(words).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        !inside(before) && !inside(after)
    })
}
