//! Counts of values over what was found.

use std::collections::HashMap;

use super::{Entry, Index, State};
use crate::{
    expression::{Field as _, Kind, Words, updates, updates::Field},
    ids::UpdateId,
};

/// A property whose values are counted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Facet {
    /// Processor architecture.
    Architecture,
    /// Classification.
    Classification,
    /// Severity that an administrator gave.
    CustomSeverity,
    /// Declined.
    Declined,
    /// Deployed.
    Deployed,
    /// Expired.
    Expired,
    /// Update group.
    Group,
    /// Language.
    Language,
    /// Product.
    Product,
    /// MSRC severity.
    Severity,
    /// Superseded.
    Superseded,
    /// Type.
    Type,
    /// Unresolved.
    Unresolved,
}

/// A facet with the values that updates have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FacetValues {
    /// Which.
    pub facet: Facet,
    /// The most frequent values, most frequent first; words keep their order.
    pub values: Vec<FacetValue>,
    /// Values beyond these.
    pub more: u64,
}

/// A value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FacetValue {
    /// As a filter has it: a word, an id or a text.
    pub value: String,
    /// As people read it.
    pub name: String,
    /// Updates that have it.
    pub updates: u64,
}

impl Facet {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::Type,
        Self::Classification,
        Self::Product,
        Self::Severity,
        Self::CustomSeverity,
        Self::Architecture,
        Self::Language,
        Self::Group,
        Self::Declined,
        Self::Deployed,
        Self::Expired,
        Self::Superseded,
        Self::Unresolved,
    ];

    /// The field that filters by it.
    pub fn field(self) -> Field {
        match self {
            Self::Architecture => Field::Architecture,
            Self::Classification => Field::Classification,
            Self::CustomSeverity => Field::CustomSeverity,
            Self::Declined => Field::Declined,
            Self::Deployed => Field::Deployed,
            Self::Expired => Field::Expired,
            Self::Group => Field::Group,
            Self::Language => Field::Language,
            Self::Product => Field::Product,
            Self::Severity => Field::Severity,
            Self::Superseded => Field::Superseded,
            Self::Type => Field::Type,
            Self::Unresolved => Field::Unresolved,
        }
    }
}

/// Stored revisions of what was found, by properties of the newest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RevisionCounts {
    /// By type, in the order of [`crate::update::UpdateType`].
    pub types: [u64; 4],
    /// Of declined updates.
    pub declined: u64,
    /// Of updates with deployments.
    pub deployed: u64,
    /// Of expired updates.
    pub expired: u64,
    /// Of unresolved updates.
    pub unresolved: u64,
    /// By classification.
    pub classifications: HashMap<UpdateId, u64>,
    /// By product, family or company that the updates name themselves.
    pub products: HashMap<UpdateId, u64>,
}

impl Index {
    /// Counts stored revisions of these updates.
    pub fn count_revisions(&self, found: &[u32]) -> RevisionCounts {
        let mut counts = RevisionCounts::default();
        let mut by_set = vec![0_u64; self.sets.len()];
        for slot in found {
            let (Some(prepared), Some(state)) = (self.prepared(*slot), self.state(*slot)) else { continue };
            let revisions = self.revisions(*slot);
            let entry = &prepared.entry;
            if let Some(count) = counts.types.get_mut(entry.update_type as usize) {
                *count += revisions;
            }
            let flags = [
                (state.flags.declined, &mut counts.declined),
                (state.deployed, &mut counts.deployed),
                (entry.expired, &mut counts.expired),
                (state.unresolved, &mut counts.unresolved),
            ];
            for (_, count) in flags.into_iter().filter(|(holds, _)| *holds) {
                *count += revisions;
            }
            if let Some(count) = by_set.get_mut(prepared.set as usize) {
                *count += revisions;
            }
        }
        for (set, count) in self.sets.iter().zip(by_set).filter(|(_, count)| *count > 0) {
            set.classifications.iter().for_each(|id| *counts.classifications.entry(*id).or_default() += count);
            set.products.iter().for_each(|id| *counts.products.entry(*id).or_default() += count);
        }
        counts
    }
}

/// Counts of one pass over everything found.
struct Counted<'i> {
    words: HashMap<Facet, [u64; 32]>,
    flags: HashMap<Facet, u64>,
    /// By place in the index's list of distinct category lists.
    sets: Vec<u64>,
    languages: HashMap<&'i str, u64>,
    groups: Vec<u64>,
}

/// Counts the values of these facets, of each at most so many.
pub(super) fn count(index: &Index, found: &[u32], facets: &[Facet], most: usize) -> Vec<FacetValues> {
    let mut counted = Counted {
        words: HashMap::new(),
        flags: HashMap::new(),
        sets: vec![0; index.sets.len()],
        languages: HashMap::new(),
        groups: vec![0; index.groups.len()],
    };
    let word_facets: Vec<Facet> = facets.iter().copied().filter(|facet| words_of(*facet).is_some()).collect();
    let flag_facets: Vec<Facet> = facets.iter().copied().filter(|facet| flag(*facet)).collect();
    let mut by_word = vec![[0_u64; 32]; word_facets.len()];
    let mut by_flag = vec![0_u64; flag_facets.len()];
    let languages = facets.contains(&Facet::Language);
    for slot in found {
        let (Some(prepared), Some(state)) = (index.prepared(*slot), index.state(*slot)) else { continue };
        let entry = &prepared.entry;
        for (facet, counts) in word_facets.iter().zip(&mut by_word) {
            for place in has_words(*facet, entry, state).places() {
                if let Some(count) = counts.get_mut(usize::from(place)) {
                    *count += 1;
                }
            }
        }
        for (facet, count) in flag_facets.iter().zip(&mut by_flag) {
            *count += u64::from(has_flag(*facet, entry, state));
        }
        if let Some(count) = counted.sets.get_mut(prepared.set as usize) {
            *count += 1;
        }
        if languages {
            for language in entry.languages.iter() {
                *counted.languages.entry(language).or_default() += 1;
            }
        }
        for place in &state.groups {
            if let Some(count) = counted.groups.get_mut(*place as usize) {
                *count += 1;
            }
        }
    }
    counted.words.extend(word_facets.into_iter().zip(by_word));
    counted.flags.extend(flag_facets.into_iter().zip(by_flag));
    facets.iter().map(|facet| counted.values(index, *facet, found.len() as u64, most)).collect()
}

impl Counted<'_> {
    fn values(&self, index: &Index, facet: Facet, all: u64, most: usize) -> FacetValues {
        let plain = |value: &str, updates: u64| FacetValue { value: value.to_owned(), name: value.to_owned(), updates };
        let mut values: Vec<FacetValue> = match facet {
            Facet::Classification | Facet::Product => {
                let mut by_id: HashMap<UpdateId, u64> = HashMap::new();
                for (set, count) in index.sets.iter().zip(&self.sets).filter(|(_, count)| **count > 0) {
                    let ids = if facet == Facet::Product { &set.products } else { &set.classifications };
                    for id in ids {
                        *by_id.entry(*id).or_default() += count;
                    }
                }
                let named = |(id, updates): (UpdateId, u64)| {
                    let name = index.category(id).map(|category| category.title.clone()).unwrap_or_default();
                    FacetValue { value: id.to_string(), name, updates }
                };
                by_id.into_iter().map(named).collect()
            }
            Facet::Group => {
                let counted = index.groups.iter().zip(&self.groups).filter(|(_, count)| **count > 0);
                let named = counted.map(|(group, updates)| FacetValue {
                    value: group.id.to_string(),
                    name: group.name.clone(),
                    updates: *updates,
                });
                named.collect()
            }
            Facet::Language => self.languages.iter().map(|(language, count)| plain(language, *count)).collect(),
            _ => {
                if let (Some(words), Some(counts)) = (words_of(facet), self.words.get(&facet)) {
                    let counted = words.iter().zip(counts).filter(|(_, count)| **count > 0);
                    counted.map(|(word, count)| plain(word, *count)).collect()
                } else {
                    let set = self.flags.get(&facet).copied().unwrap_or_default();
                    let both = [("true", set), ("false", all - set)];
                    both.into_iter().filter(|(_, count)| *count > 0).map(|(word, count)| plain(word, count)).collect()
                }
            }
        };
        if words_of(facet).is_none() && !flag(facet) {
            values.sort_unstable_by(|one, other| {
                other
                    .updates
                    .cmp(&one.updates)
                    .then_with(|| one.name.cmp(&other.name))
                    .then_with(|| one.value.cmp(&other.value))
            });
        }
        let more = values.len().saturating_sub(most) as u64;
        values.truncate(most);
        FacetValues { facet, values, more }
    }
}

fn words_of(facet: Facet) -> Option<&'static [&'static str]> {
    match facet.field().spec().kind {
        Kind::Words { words, .. } => Some(words),
        _ => None,
    }
}

fn flag(facet: Facet) -> bool {
    facet.field().spec().kind == Kind::Flag
}

fn has_words(facet: Facet, entry: &Entry, state: &State) -> Words {
    match facet {
        Facet::Architecture => entry.architectures,
        Facet::CustomSeverity => updates::severity(state.flags.custom_severity),
        Facet::Severity => updates::severity(entry.severity),
        Facet::Type => updates::update_type(entry.update_type),
        _ => Words::default(),
    }
}

fn has_flag(facet: Facet, entry: &Entry, state: &State) -> bool {
    match facet {
        Facet::Declined => state.flags.declined,
        Facet::Deployed => state.deployed,
        Facet::Expired => entry.expired,
        Facet::Superseded => state.superseded,
        Facet::Unresolved => state.unresolved,
        _ => false,
    }
}
