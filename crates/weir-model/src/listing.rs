//! Which revisions a downstream server is told of (MS-WSUSSS 3.1.4.6, GetRevisionIdList).
//!
//! A [`Listing`] is a compact view of every stored revision; [`Listing::list`] answers one [`Filter`] from it. Updates and
//! categories go by the store's update numbers inside, since they are compared far more often than written.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    ids::{ChangeNumber, RevisionNumber, UpdateId, UpdateIdentity},
    update::UpdateType,
};

/// A version of the server protocol, major and minor, which compare as numbers: 1.20 is above 1.8.
pub type Protocol = (u16, u16);

/// What a listing needs of a revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedRevision {
    /// The number of its update.
    pub update: u32,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// When it arrived, by the global order.
    pub change: ChangeNumber,
    /// When it arrived, by the clock.
    pub arrived_at: Timestamp,
    /// CompatibleProtocolVersion: servers that speak less do not get it.
    pub protocol: Option<Protocol>,
    /// Languages that its files are made for, as bits of [`Languages`]; none is neutral.
    pub languages: u64,
    /// Update numbers of the categories it says it belongs to (of a category: its parent).
    pub categories: Vec<u32>,
    /// Update numbers of classifications that it names without saying that they are categories. They count if it says of
    /// none that it is one.
    pub classifications: Vec<u32>,
    /// What it bundles, every alternative: update number and exact revision.
    pub members: Vec<(u32, RevisionNumber)>,
}

/// Names of languages by bit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Languages(Vec<String>);

/// The bit of all languages that found no place of their own.
const OTHER: u32 = 63;

impl Languages {
    /// The bit of a language, in a mask, giving it one if it has none. Neutral ones (`all`) have none.
    pub fn intern(&mut self, language: &str) -> u64 {
        if matches!(language, "all" | "neutrallanguage" | "") {
            return 0;
        }
        if let Some(mask) = self.find(language) {
            return mask;
        }
        let bit = (self.0.len() as u32).min(OTHER);
        if bit < OTHER {
            self.0.push(language.to_owned());
        }
        1 << bit
    }

    fn find(&self, language: &str) -> Option<u64> {
        self.0.iter().position(|known| known == language).map(|bit| 1 << bit)
    }
}

/// From where on changes are wanted: a position in the global order, and a time. What comes after either counts as changed,
/// so that an anchor of another server, or one from before the data were restored, loses nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Since {
    /// After this change.
    pub change: ChangeNumber,
    /// After this instant.
    pub at: Timestamp,
}

impl Since {
    /// Whether something that changed then is after this.
    pub fn before(&self, change: ChangeNumber, at: Timestamp) -> bool {
        change > self.change || at > self.at
    }
}

/// An entry of a filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wanted<T> {
    /// What.
    pub id: T,
    /// Only what changed; else everything, although an anchor is given.
    pub delta: bool,
}

/// What a downstream server asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// None: from the beginning.
    pub since: Option<Since>,
    /// What it speaks.
    pub protocol: Protocol,
    /// Categories, classifications and detectoids instead of software and drivers; the lists do not matter then.
    pub config: bool,
    /// Products, families or companies.
    pub categories: Vec<Wanted<UpdateId>>,
    /// Classifications.
    pub classifications: Vec<Wanted<UpdateId>>,
    /// Short names of languages in lower case, `all` for all of them; empty: no filter.
    pub languages: Vec<Wanted<String>>,
}

/// How a revision stands in an answer.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Reach {
    #[default]
    No,
    /// It belongs to what is asked for; the server has it.
    Known,
    /// It is listed.
    Due,
}

/// How an update matches an entry of the filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Match {
    /// It matches through an entry that wants everything.
    full: bool,
}

/// Every stored revision, ready to be listed.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    rows: Vec<ListedRevision>,
    languages: Languages,
    /// Update numbers by id, of updates that have a revision.
    numbers: HashMap<UpdateId, u32>,
    /// Row of each exact revision.
    exact: HashMap<(u32, RevisionNumber), u32>,
    /// Row of the highest revision of each update.
    newest: HashMap<u32, u32>,
    /// Categories by the category that they say they belong to.
    children: HashMap<u32, Vec<u32>>,
    /// Update numbers of classifications.
    classifications: Vec<u32>,
}

impl Listing {
    /// Takes rows in any order, each revision once. `classifications` are the update numbers of the categories that are
    /// classifications.
    pub fn new(rows: Vec<ListedRevision>, languages: Languages, mut classifications: Vec<u32>) -> Self {
        classifications.sort_unstable();
        classifications.dedup();
        let mut listing = Self { languages, classifications, ..Self::default() };
        for (index, row) in (0..).zip(&rows) {
            listing.numbers.insert(row.identity.update_id, row.update);
            listing.exact.insert((row.update, row.identity.revision), index);
            let newest = listing.newest.entry(row.update).or_insert(index);
            let highest = rows.get(*newest as usize).map(|other| other.identity.revision);
            if highest < Some(row.identity.revision) {
                *newest = index;
            }
        }
        for (update, index) in &listing.newest {
            let row = rows.get(*index as usize).filter(|row| row.update_type == UpdateType::Category);
            for parent in row.into_iter().flat_map(|row| &row.categories) {
                listing.children.entry(*parent).or_default().push(*update);
            }
        }
        listing.rows = rows;
        listing
    }

    /// Identities of the revisions that the filter asks for, in the order of the rows.
    pub fn list(&self, filter: &Filter) -> Vec<UpdateIdentity> {
        let reach = if filter.config { self.config(filter) } else { self.updates(filter) };
        let due = self.rows.iter().zip(reach).filter(|(_, reach)| *reach == Reach::Due);
        due.map(|(row, _)| row.identity).collect()
    }

    fn is_newest(&self, index: u32, row: &ListedRevision) -> bool {
        self.newest.get(&row.update) == Some(&index)
    }

    fn config(&self, filter: &Filter) -> Vec<Reach> {
        let rows = (0..).zip(&self.rows);
        rows.map(|(index, row)| {
            let kind = matches!(row.update_type, UpdateType::Category | UpdateType::Detectoid);
            let wanted = kind && self.is_newest(index, row) && filter.speaks(row) && filter.changed(row);
            if wanted { Reach::Due } else { Reach::No }
        })
        .collect()
    }

    fn updates(&self, filter: &Filter) -> Vec<Reach> {
        let mut reach = vec![Reach::No; self.rows.len()];
        // one list without the other matches nothing
        if filter.categories.is_empty() != filter.classifications.is_empty() {
            return reach;
        }
        let categories = self.expand(&filter.categories);
        let classifications = self.expand(&filter.classifications);
        let languages = Spoken::new(&self.languages, &filter.languages);
        let mut walk = Vec::new();
        for (index, row) in (0..).zip(&self.rows) {
            let kind = matches!(row.update_type, UpdateType::Software | UpdateType::Driver);
            if !kind || !self.is_newest(index, row) || !filter.speaks(row) {
                continue;
            }
            let language = languages.matches(row.languages);
            let found = match (filter.categories.is_empty(), language) {
                (_, None) => None,
                (true, language) => language,
                (false, Some(language)) => hits(&row.categories, &categories).and_then(|category| {
                    let classification = hits(self.classifications_of(row), &classifications)?;
                    Some(Match { full: language.full || category.full || classification.full })
                }),
            };
            if let Some(found) = found {
                let due = found.full || filter.changed(row);
                walk.push((index, if due { Reach::Due } else { Reach::Known }));
            }
        }
        self.close(filter, walk, &mut reach);
        reach
    }

    /// Walks from the matching revisions to everything that they bundle, at every depth. A member is due if it is new, or
    /// if it is reached through something due: the server may never have been told of it.
    fn close(&self, filter: &Filter, mut walk: Vec<(u32, Reach)>, reach: &mut [Reach]) {
        while let Some((index, as_what)) = walk.pop() {
            let Some(place) = reach.get_mut(index as usize) else { continue };
            if *place >= as_what {
                continue;
            }
            *place = as_what;
            let Some(row) = self.rows.get(index as usize) else { continue };
            for member in &row.members {
                let found = self.exact.get(member).and_then(|index| Some((*index, self.rows.get(*index as usize)?)));
                let Some((index, member)) = found.filter(|(_, member)| filter.speaks(member)) else { continue };
                let due = as_what == Reach::Due || filter.changed(member);
                walk.push((index, if due { Reach::Due } else { Reach::Known }));
            }
        }
    }

    /// The classifications of a revision: those it says it belongs to, else those it names otherwise.
    fn classifications_of<'r>(&self, row: &'r ListedRevision) -> &'r [u32] {
        let says = row.categories.iter().any(|category| self.classifications.binary_search(category).is_ok());
        if says { &row.categories } else { &row.classifications }
    }

    /// The entries by number, with everything below them: choosing a family chooses its products.
    fn expand(&self, wanted: &[Wanted<UpdateId>]) -> HashMap<u32, Match> {
        let mut found: HashMap<u32, Match> = HashMap::new();
        let mut walk: Vec<(u32, bool)> = Vec::new();
        for entry in wanted {
            walk.extend(self.numbers.get(&entry.id).map(|number| (*number, !entry.delta)));
        }
        while let Some((number, full)) = walk.pop() {
            let known = found.get(&number).copied();
            if known.is_some_and(|known| known.full || !full) {
                continue;
            }
            found.insert(number, Match { full });
            walk.extend(self.children.get(&number).into_iter().flatten().map(|child| (*child, full)));
        }
        found
    }
}

impl Filter {
    fn speaks(&self, row: &ListedRevision) -> bool {
        row.protocol.is_none_or(|needed| needed <= self.protocol)
    }

    fn changed(&self, row: &ListedRevision) -> bool {
        self.since.is_none_or(|since| since.before(row.change, row.arrived_at))
    }
}

/// The best match among these: through an entry that wants everything if there is one.
fn hits(of: &[u32], wanted: &HashMap<u32, Match>) -> Option<Match> {
    let mut found = None;
    for hit in of.iter().filter_map(|number| wanted.get(number)) {
        if hit.full {
            return Some(*hit);
        }
        found = Some(*hit);
    }
    found
}

/// The filter of languages.
struct Spoken {
    any: bool,
    delta: u64,
    full: u64,
    all: Option<Match>,
}

impl Spoken {
    fn new(languages: &Languages, wanted: &[Wanted<String>]) -> Self {
        let mut spoken = Self { any: wanted.is_empty(), delta: 0, full: 0, all: None };
        for entry in wanted {
            if entry.id == "all" {
                let full = !entry.delta || spoken.all.is_some_and(|all| all.full);
                spoken.all = Some(Match { full });
            }
            let bit = languages.find(&entry.id).unwrap_or_default();
            *(if entry.delta { &mut spoken.delta } else { &mut spoken.full }) |= bit;
        }
        spoken
    }

    /// Language-neutral updates match always, through no entry.
    fn matches(&self, languages: u64) -> Option<Match> {
        if self.any || languages == 0 {
            return Some(Match { full: false });
        }
        let full = self.full & languages != 0 || self.all.is_some_and(|all| all.full);
        (full || self.delta & languages != 0 || self.all.is_some()).then_some(Match { full })
    }
}

#[cfg(test)]
mod tests;
