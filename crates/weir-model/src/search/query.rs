//! Questions to the index.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{
    Counts, Cursor, CursorError, Facet, FacetValues, Index,
    cursor::Key,
    dictionary::Slots,
    facets,
    words::{fold, words},
};
use crate::{expression::UpdateExpression, ids::UpdateId};

/// Words of a text search that are looked at.
const WORDS: usize = 32;

/// Rows that are kept while a page is looked for, in pages.
const KEPT_PAGES: usize = 4;

/// By what a list is sorted. Equal rows: newest arrival first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Sort {
    /// Arrival of the newest revision.
    #[default]
    Arrived,
    /// Number of the first article.
    Article,
    /// Title of the classification.
    Classification,
    /// Computers that are compliant, in percent.
    Compliant,
    /// Severity that an administrator gave.
    CustomSeverity,
    /// Number of deployments.
    Deployments,
    /// Computers on which it failed.
    Failed,
    /// Computers that have it.
    Installed,
    /// Computers that need it.
    Needed,
    /// How well the text fits.
    Relevance,
    /// When it was released.
    Released,
    /// When its newest revision arrived here.
    Revised,
    /// MSRC severity.
    Severity,
    /// Bytes of content.
    Size,
    /// Title.
    Title,
    /// Type.
    Type,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Query<'q> {
    /// Only updates that it holds for.
    pub expression: Option<&'q UpdateExpression>,
    /// Only updates that have all these words, or begin of words, in title, articles and bulletins; or the id.
    pub text: Option<&'q str>,
    /// By what rows are sorted; none is relevance with a text and arrival without.
    pub sort: Option<Sort>,
    /// Direction; none is the one people expect: texts ascending, everything else descending.
    pub descending: Option<bool>,
    /// Rows behind this one.
    pub after: Option<&'q Cursor>,
    /// Rows of a page.
    pub limit: usize,
    /// Facets to count, with the number of values of each.
    pub facets: Option<(&'q [Facet], usize)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Slots of the page.
    pub rows: Vec<u32>,
    /// Updates that were found.
    pub updates: u64,
    /// Their stored revisions.
    pub revisions: u64,
    /// Every slot that was found, newest arrival first.
    pub found: Vec<u32>,
    /// Counts of the values.
    pub facets: Vec<FacetValues>,
    /// The page that follows.
    pub next: Option<Cursor>,
}

impl Sort {
    /// Every one, by name.
    pub const ALL: [Self; 16] = [
        Self::Arrived,
        Self::Article,
        Self::Classification,
        Self::Compliant,
        Self::CustomSeverity,
        Self::Deployments,
        Self::Failed,
        Self::Installed,
        Self::Needed,
        Self::Relevance,
        Self::Released,
        Self::Revised,
        Self::Severity,
        Self::Size,
        Self::Title,
        Self::Type,
    ];

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Article => "article",
            Self::Classification => "classification",
            Self::Compliant => "compliant",
            Self::CustomSeverity => "custom_severity",
            Self::Deployments => "deployments",
            Self::Failed => "failed",
            Self::Installed => "installed",
            Self::Needed => "needed",
            Self::Relevance => "relevance",
            Self::Released => "released",
            Self::Revised => "revised",
            Self::Severity => "severity",
            Self::Size => "size",
            Self::Title => "title",
            Self::Type => "type",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }

    /// Whether what computers say is compared.
    pub fn asks_status(self) -> bool {
        matches!(self, Self::Compliant | Self::Failed | Self::Installed | Self::Needed)
    }

    #[cfg(test)]
    pub(super) fn descends_for_tests(self) -> bool {
        self.descends()
    }

    fn descends(self) -> bool {
        !matches!(self, Self::Article | Self::Classification | Self::Title | Self::Type)
    }
}

impl Query<'_> {
    /// Whether the answer depends on what computers say; else counts need not be known.
    pub fn asks_status(&self) -> bool {
        self.expression.is_some_and(|expression| expression.depends().status)
            || self.sort.is_some_and(Sort::asks_status)
    }

    fn order(&self) -> (Sort, bool) {
        let sort = self.sort.unwrap_or(if self.text.is_some() { Sort::Relevance } else { Sort::Arrived });
        (sort, self.descending.unwrap_or(sort.descends()))
    }
}

/// The words of a text search, with the slots that have them.
struct Search {
    phrase: String,
    id: Option<u32>,
    all: Slots,
    exact: Vec<Slots>,
}

impl Index {
    /// Answers a question. `counts` is what computers say of an update.
    pub fn search(
        &self,
        query: &Query<'_>,
        now: Timestamp,
        counts: &dyn Fn(UpdateId) -> Counts,
    ) -> Result<Results, CursorError> {
        let (sort, descending) = query.order();
        if query.after.is_some_and(|cursor| (cursor.sort, cursor.descending) != (sort, descending)) {
            return Err(CursorError);
        }
        // a text without a word is in no update
        let search = query.text.filter(|text| !text.trim().is_empty()).map(|text| self.words_of(&fold(text)));
        let found = self.found(query, search.as_ref(), now, counts);
        let mut results = Results { updates: found.len() as u64, ..Results::default() };
        results.revisions = found.iter().map(|slot| self.revisions(*slot)).sum();
        if let Some((facets, most)) = query.facets {
            results.facets = facets::count(self, &found, facets, most);
        }
        let key = |slot: u32| self.key(slot, sort, search.as_ref(), counts);
        let behind = |one: &(Key<'_>, u32), other: &(Key<'_>, u32)| {
            one.0.compare(&other.0, descending).then_with(|| self.newer(one.1, other.1))
        };
        if sort == Sort::Arrived {
            // the order of slots
            let numbered = |slot: &u32| self.entry(*slot).map(|entry| entry.revision_id).unwrap_or_default();
            let after = |slot: &u32| match query.after {
                None => true,
                Some(cursor) if descending => numbered(slot) < cursor.revision,
                Some(cursor) => numbered(slot) > cursor.revision,
            };
            let ordered: &mut dyn Iterator<Item = u32> =
                if descending { &mut found.iter().copied() } else { &mut found.iter().rev().copied() };
            results.rows = ordered.filter(after).take(query.limit.saturating_add(1)).collect();
        } else {
            let wanted = query.limit.saturating_add(1);
            let mut rows: Vec<(Key<'_>, u32)> = Vec::new();
            // the last row that can still be on the page; most rows are behind it and are looked at once
            let mut last: Option<(Key<'_>, u32)> = None;
            for slot in &found {
                let row = (key(*slot), *slot);
                if last.as_ref().is_some_and(|last| behind(&row, last) == Ordering::Greater) {
                    continue;
                }
                if let Some(cursor) = query.after {
                    let number = self.entry(*slot).map(|entry| entry.revision_id).unwrap_or_default();
                    let order = row.0.compare(&cursor.key, descending).then_with(|| cursor.revision.cmp(&number));
                    if order != Ordering::Greater {
                        continue;
                    }
                }
                rows.push(row);
                if rows.len() >= wanted.saturating_mul(KEPT_PAGES) {
                    rows.select_nth_unstable_by(wanted - 1, behind);
                    rows.truncate(wanted);
                    last = rows.last().cloned();
                }
            }
            rows.sort_unstable_by(behind);
            rows.truncate(wanted);
            results.rows = rows.into_iter().map(|(_, slot)| slot).collect();
        }
        if results.rows.len() > query.limit {
            results.rows.truncate(query.limit);
            results.next = results.rows.last().and_then(|slot| {
                let key = if sort == Sort::Arrived { Key::Missing } else { key(*slot).owned() };
                Some(Cursor { sort, descending, key, revision: self.entry(*slot)?.revision_id })
            });
        }
        results.found = found;
        Ok(results)
    }

    fn newer(&self, one: u32, other: u32) -> Ordering {
        let number = |slot: u32| self.entry(slot).map(|entry| entry.revision_id);
        number(other).cmp(&number(one))
    }

    fn found(
        &self,
        query: &Query<'_>,
        search: Option<&Search>,
        now: Timestamp,
        counts: &dyn Fn(UpdateId) -> Counts,
    ) -> Vec<u32> {
        let asks = query.expression.is_some_and(|expression| expression.depends().status);
        let bound = query.expression.map(|expression| expression.bind(now));
        let holds = |slot: &u32| {
            let Some(bound) = &bound else { return true };
            let counts = asks.then(|| self.entry(*slot).map(|entry| counts(entry.identity.update_id))).flatten();
            self.facts(*slot, counts).is_some_and(|facts| bound.accepts(&facts, now))
        };
        match search {
            Some(Search { id: Some(slot), .. }) => [*slot].into_iter().filter(holds).collect(),
            // words may be of what was replaced
            Some(search) => {
                search.all.descending().filter(|slot| self.prepared(*slot).is_some()).filter(holds).collect()
            }
            None => self.slots().filter(holds).collect(),
        }
    }

    fn words_of(&self, text: &str) -> Search {
        let slots = self.base.entries.len();
        let id = text.trim().parse().ok().and_then(|id| self.slot(id));
        let mut search = Search { phrase: text.trim().to_owned(), id, all: Slots::default(), exact: Vec::new() };
        for word in words(text).take(WORDS) {
            let (mut any, mut exact) = (Slots::new(slots), Slots::new(slots));
            self.base.find(word, &mut any, &mut exact);
            if search.exact.is_empty() {
                search.all = any;
            } else {
                search.all.keep(&any);
            }
            search.exact.push(exact);
        }
        search
    }

    /// How well an update fits a text: whole words count double, and the text as it stands in the title once more for each.
    fn score(&self, slot: u32, search: &Search) -> i64 {
        let words = search.exact.len() as i64;
        let exact = search.exact.iter().filter(|exact| exact.contains(slot)).count() as i64;
        let phrase = self.prepared(slot).is_some_and(|prepared| prepared.title.contains(&search.phrase));
        words + exact + if phrase { words } else { 0 }
    }

    fn key(&self, slot: u32, sort: Sort, search: Option<&Search>, counts: &dyn Fn(UpdateId) -> Counts) -> Key<'_> {
        let (Some(prepared), Some(state)) = (self.prepared(slot), self.state(slot)) else { return Key::Missing };
        let entry = &prepared.entry;
        let counts = || counts(entry.identity.update_id);
        let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
        let instant = |at: Timestamp| Key::Number(at.as_microsecond());
        match sort {
            Sort::Arrived => Key::Number(i64::from(entry.revision_id.0)),
            Sort::Article => {
                let articles = entry.kb_articles.iter().filter_map(|article| article.parse().ok());
                articles.min().map_or(Key::Missing, number)
            }
            Sort::Classification => self.set(slot).map_or(Key::Missing, |set| Key::text(&set.classification_key)),
            Sort::Compliant => counts().percent().map_or(Key::Missing, number),
            Sort::CustomSeverity => {
                state.flags.custom_severity.map_or(Key::Missing, |severity| Key::Number(severity as i64))
            }
            Sort::Deployments => number(u64::from(state.deployments)),
            Sort::Failed => number(counts().failed),
            Sort::Installed => number(counts().installed),
            Sort::Needed => number(counts().needed),
            Sort::Relevance => search.map_or(Key::Missing, |search| Key::Number(self.score(slot, search))),
            Sort::Released => entry.created_at.map_or(Key::Missing, instant),
            Sort::Revised => instant(entry.arrived_at),
            Sort::Severity => entry.severity.map_or(Key::Missing, |severity| Key::Number(severity as i64)),
            Sort::Size => self.size(slot).map_or(Key::Missing, number),
            Sort::Title => Key::text(&prepared.title),
            Sort::Type => Key::Number(entry.update_type as i64),
        }
    }
}
