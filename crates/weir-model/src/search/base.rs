//! What documents say, of all updates.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    Entry, Files,
    dictionary::{Dictionary, Slots},
    words::{fold, words},
};
use crate::ids::{RevisionId, UpdateId, UpdateIdentity};

/// Levels of bundles in bundles that sizes are added up over.
const LEVELS: usize = 8;
/// Characters of a description that are searched.
const LONGEST: usize = 4_000;
/// Segments above which they are made one again.
const SEGMENTS: usize = 16;

/// A stored revision. Those that are not the newest of their update count, and their files are parts of bundles.
#[derive(Clone, Debug)]
pub struct Addition {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its number.
    pub revision_id: RevisionId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Its own files; none if it has no files.
    pub files: Option<Files>,
    /// What it says, if it is the newest of its update.
    pub newest: Option<Entry>,
}

/// The stored revisions of an update.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) count: u32,
    /// Arrival of the first.
    pub(super) first: Timestamp,
}

/// One update as documents have it, ready for comparison.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) entry: Entry,
    /// In lower case.
    pub(super) title: Box<str>,
    /// In lower case, equal ones shared.
    pub(super) description: Option<Arc<str>>,
    pub(super) cves: Box<[Box<str>]>,
    /// Place in the list of distinct lists of categories.
    pub(super) set: u32,
}

/// What documents say of all updates. A clone shares what it can; adding to it leaves the original as it was.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// By slot; none where a newer revision replaced it.
    pub(super) entries: Vec<Option<Arc<Prepared>>>,
    pub(super) slots: HashMap<UpdateId, u32>,
    pub(super) sets: Vec<Arc<[UpdateId]>>,
    set_places: HashMap<Arc<[UpdateId]>, u32>,
    descriptions: HashSet<Arc<str>>,
    dictionaries: Vec<Arc<Dictionary>>,
    own: HashMap<UpdateIdentity, Files>,
    members: HashMap<UpdateIdentity, Arc<[UpdateIdentity]>>,
    /// Files with those of members by slot; none without any.
    pub(super) files: Vec<Option<Files>>,
    pub(super) revisions: HashMap<UpdateId, Stored>,
    count: u64,
    last: RevisionId,
}

impl Base {
    /// Stored revisions.
    pub fn revisions(&self) -> u64 {
        self.count
    }

    /// The highest number of a revision.
    pub fn last(&self) -> RevisionId {
        self.last
    }

    /// Updates.
    pub fn updates(&self) -> usize {
        self.slots.len()
    }

    /// Whether so much was replaced that making it anew is worth it.
    pub fn is_sparse(&self) -> bool {
        self.entries.len() > 1_000 && self.entries.len() > 2 * self.slots.len()
    }

    /// The same with these revisions, whose numbers are above [`Base::last`], ascending.
    pub fn with(&self, additions: Vec<Addition>) -> Self {
        let mut next = self.clone();
        let first = next.entries.len();
        for addition in additions {
            next.add(addition);
        }
        let mut found: HashMap<String, Vec<u32>> = HashMap::new();
        let crowded = next.dictionaries.len() >= SEGMENTS;
        let from = if crowded { 0 } else { first };
        for (slot, entry) in next.entries.iter().enumerate().skip(from) {
            if let Some(entry) = entry {
                note_words(&entry.entry, slot as u32, &mut found);
            }
        }
        if crowded {
            next.dictionaries.clear();
        }
        if !found.is_empty() {
            next.dictionaries.push(Arc::new(Dictionary::new(found)));
        }
        // a member may have come after its bundle
        next.files = (0..next.entries.len()).map(|slot| next.files_with_members(slot)).collect();
        next
    }

    fn add(&mut self, addition: Addition) {
        let Addition { identity, revision_id, arrived_at, files, newest } = addition;
        let update = identity.update_id;
        self.count += 1;
        self.last = self.last.max(revision_id);
        let stored = self.revisions.entry(update).or_insert(Stored { count: 0, first: arrived_at });
        stored.count += 1;
        stored.first = stored.first.min(arrived_at);
        self.own.extend(files.map(|files| (identity, files)));
        let Some(mut entry) = newest else { return };
        if !entry.members.is_empty() {
            self.members.insert(identity, Arc::clone(&entry.members));
        }
        let set = match self.set_places.get(&entry.categories) {
            Some(set) => {
                entry.categories = self.sets.get(*set as usize).cloned().unwrap_or_default();
                *set
            }
            None => {
                let set = self.sets.len() as u32;
                self.sets.push(Arc::clone(&entry.categories));
                self.set_places.insert(Arc::clone(&entry.categories), set);
                set
            }
        };
        let description = entry.description.take().map(|text| {
            let lower: Arc<str> = text.chars().take(LONGEST).collect::<String>().to_lowercase().into();
            match self.descriptions.get(&lower) {
                Some(known) => Arc::clone(known),
                None => {
                    self.descriptions.insert(Arc::clone(&lower));
                    lower
                }
            }
        });
        let title = entry.title.to_lowercase().into_boxed_str();
        let mut cves = Vec::new();
        for text in [Some(&*title), description.as_deref()].into_iter().flatten() {
            note_cves(text, &mut cves);
        }
        let prepared = Arc::new(Prepared { entry, title, description, cves: cves.into(), set });
        let slot = self.entries.len() as u32;
        self.entries.push(Some(prepared));
        if let Some(before) = self.slots.insert(update, slot) {
            if let Some(entry) = self.entries.get_mut(before as usize) {
                *entry = None;
            }
        }
    }

    /// Files of an update with its members.
    fn files_with_members(&self, slot: usize) -> Option<Files> {
        let entry = &self.entries.get(slot)?.as_ref()?.entry;
        let own = self.own.get(&entry.identity).copied();
        if entry.members.is_empty() {
            return own;
        }
        let mut seen: HashSet<UpdateIdentity> = HashSet::from([entry.identity]);
        let mut total = own;
        let mut level: Vec<UpdateIdentity> = entry.members.to_vec();
        for _ in 0..LEVELS {
            let mut below = Vec::new();
            for member in level {
                if !seen.insert(member) {
                    continue;
                }
                if let Some(files) = self.own.get(&member) {
                    let sum: &mut Files = total.get_or_insert_default();
                    sum.bytes = sum.bytes.saturating_add(files.bytes);
                    sum.uup |= files.uup;
                }
                below.extend(self.members.get(&member).into_iter().flat_map(|members| members.iter().copied()));
            }
            if below.is_empty() {
                break;
            }
            level = below;
        }
        total
    }

    pub(super) fn find(&self, word: &str, any: &mut Slots, exact: &mut Slots) {
        for dictionary in &self.dictionaries {
            dictionary.find(word, any, exact);
        }
    }

    /// Bytes that the index takes, about.
    pub fn bytes(&self) -> usize {
        let entries: usize = self
            .entries
            .iter()
            .flatten()
            .map(|prepared| {
                let entry = &prepared.entry;
                let texts = entry.kb_articles.iter().chain(&entry.bulletins).map(|text| text.capacity() + 24);
                size_of::<Prepared>()
                    + entry.title.capacity()
                    + prepared.title.len()
                    + texts.sum::<usize>()
                    + entry.supersedes.len() * 16
                    + entry.members.len() * 20
                    + prepared.cves.iter().map(|cve| cve.len() + 16).sum::<usize>()
            })
            .sum();
        let descriptions: usize = self.descriptions.iter().map(|text| text.len() + 32).sum();
        let dictionaries: usize = self.dictionaries.iter().map(|dictionary| dictionary.bytes()).sum();
        let maps = self.slots.capacity() * 24
            + self.own.capacity() * 40
            + self.revisions.capacity() * 40
            + self.entries.capacity() * 8
            + self.files.capacity() * 24;
        entries + descriptions + dictionaries + maps
    }
}

/// Words of what text search looks at.
fn note_words(entry: &Entry, slot: u32, found: &mut HashMap<String, Vec<u32>>) {
    let mut note = |word: &str| match found.get_mut(word) {
        Some(slots) => slots.push(slot),
        None => {
            found.insert(word.to_owned(), vec![slot]);
        }
    };
    for text in std::iter::once(&entry.title).chain(&entry.bulletins) {
        words(&fold(text)).for_each(&mut note);
    }
    for article in &entry.kb_articles {
        let article = fold(article);
        note(&format!("kb{article}"));
        note(&article);
    }
}

/// `cve-2021-34527` and the like in a text of lower case.
fn note_cves(text: &str, cves: &mut Vec<Box<str>>) {
    for (at, _) in text.match_indices("cve-") {
        let rest = text.get(at + 4..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        let number = rest.get(..end).unwrap_or_default().trim_end_matches('-');
        let is_cve = number.split_once('-').is_some_and(|(year, number)| {
            year.len() == 4 && (4..=7).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let cve = format!("cve-{number}").into_boxed_str();
        if is_cve && !cves.contains(&cve) {
            cves.push(cve);
        }
    }
}
