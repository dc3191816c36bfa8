//! The index of one state of the catalogue.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Base, Category, Counts, Entry, Files, Flags, Group, Known, State,
    base::{Prepared, Stored},
    words::fold,
};
use crate::{
    expression::{Field as _, Names, UpdateExpression, updates::Field},
    ids::{RevisionId, UpdateId},
    update::CategoryKind,
};

/// Levels of categories; the bound only guards against damaged data.
const LEVELS: usize = 8;

/// What moves of updates, and what stands beside them.
#[derive(Clone, Debug, Default)]
pub struct Moving {
    /// Updates of which administrators set something.
    pub flags: Vec<(UpdateId, Flags)>,
    /// Updates with deployments of their own, with their number.
    pub deployments: Vec<(UpdateId, u32)>,
    /// Groups that are deployed.
    pub deployed_groups: HashSet<Uuid>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Members of groups.
    pub members: Vec<(Uuid, UpdateId)>,
    /// Newest revisions of categories.
    pub categories: Vec<Category>,
    /// Revisions that need what is not here.
    pub unresolved: HashSet<RevisionId>,
}

/// A distinct list of categories, with what is above them.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// Direct products, families and companies.
    pub(super) products: Vec<UpdateId>,
    /// Direct classifications.
    pub(super) classifications: Vec<UpdateId>,
    pub(super) product_ids: Vec<UpdateId>,
    /// Lower-case ids and titles of the products and of what is above them.
    pub(super) product_texts: Vec<String>,
    /// By which the first classification is sorted.
    pub(super) classification_key: String,
    pub(super) classification_ids: Vec<UpdateId>,
    pub(super) classification_texts: Vec<String>,
    pub(super) vendor_ids: Vec<UpdateId>,
    pub(super) vendor_texts: Vec<String>,
}

/// All updates in one state of the catalogue.
#[derive(Debug)]
pub struct Index {
    pub(super) base: Arc<Base>,
    pub(super) states: Vec<State>,
    pub(super) sets: Vec<Set>,
    pub(super) groups: Vec<Group>,
    categories: HashMap<UpdateId, Category>,
}

impl Index {
    /// Puts together what documents say and what moves.
    pub fn new(base: Arc<Base>, moving: Moving) -> Self {
        let categories: HashMap<UpdateId, Category> =
            moving.categories.into_iter().map(|category| (category.id, category)).collect();
        let sets = base.sets.iter().map(|ids| Set::new(ids, &categories)).collect();
        let mut states = vec![State::default(); base.entries.len()];
        let slot_of = |update: &UpdateId| base.slots.get(update).map(|slot| *slot as usize);
        for (update, flags) in &moving.flags {
            if let Some(state) = slot_of(update).and_then(|slot| states.get_mut(slot)) {
                state.flags = *flags;
            }
        }
        for (update, deployments) in &moving.deployments {
            if let Some(state) = slot_of(update).and_then(|slot| states.get_mut(slot)) {
                state.deployments = *deployments;
                state.deployed = *deployments > 0;
            }
        }
        let places: HashMap<Uuid, u32> =
            moving.groups.iter().enumerate().map(|(at, group)| (group.id, at as u32)).collect();
        for (group, update) in &moving.members {
            let state = slot_of(update).and_then(|slot| states.get_mut(slot));
            if let (Some(place), Some(state)) = (places.get(group), state) {
                state.groups = state.groups.iter().copied().chain([*place]).collect();
                state.deployed |= moving.deployed_groups.contains(group);
            }
        }
        let mut superseded = Vec::new();
        for (prepared, state) in base.entries.iter().zip(&mut states) {
            let Some(entry) = prepared.as_deref().map(|prepared| &prepared.entry) else { continue };
            state.unresolved = moving.unresolved.contains(&entry.revision_id);
            if !entry.expired && !state.flags.declined {
                superseded.extend(entry.supersedes.iter().filter_map(slot_of));
            }
        }
        for slot in superseded {
            if let Some(state) = states.get_mut(slot) {
                state.superseded = true;
            }
        }
        Self { base, states, sets, groups: moving.groups, categories }
    }

    /// What documents say.
    pub fn base(&self) -> &Arc<Base> {
        &self.base
    }

    /// The slot of an update.
    pub fn slot(&self, update: UpdateId) -> Option<u32> {
        self.base.slots.get(&update).copied()
    }

    /// What the newest revision of an update says. Its description is left out.
    pub fn entry(&self, slot: u32) -> Option<&Entry> {
        self.prepared(slot).map(|prepared| &prepared.entry)
    }

    /// What moves of an update.
    pub fn state(&self, slot: u32) -> Option<&State> {
        self.states.get(slot as usize)
    }

    /// Stored revisions of an update.
    pub fn revisions(&self, slot: u32) -> u64 {
        self.stored(slot).map_or(0, |stored| u64::from(stored.count))
    }

    /// When the first revision of an update arrived.
    pub fn first_arrival(&self, slot: u32) -> Option<Timestamp> {
        self.stored(slot).map(|stored| stored.first)
    }

    fn stored(&self, slot: u32) -> Option<Stored> {
        let update = self.entry(slot)?.identity.update_id;
        self.base.revisions.get(&update).copied()
    }

    /// Bytes of the files of an update and of its members; none if it has no files.
    pub fn size(&self, slot: u32) -> Option<u64> {
        self.files(slot).map(|files| files.bytes)
    }

    /// The files of an update and of its members; none if it has none.
    pub fn files(&self, slot: u32) -> Option<Files> {
        self.base.files.get(slot as usize).copied().flatten()
    }

    /// A category.
    pub fn category(&self, id: UpdateId) -> Option<&Category> {
        self.categories.get(&id)
    }

    /// Products, families and companies that an update names itself.
    pub fn products(&self, slot: u32) -> impl Iterator<Item = &Category> {
        self.set(slot).into_iter().flat_map(|set| &set.products).filter_map(|id| self.categories.get(id))
    }

    /// Classifications that an update names itself.
    pub fn classifications(&self, slot: u32) -> impl Iterator<Item = &Category> {
        self.set(slot).into_iter().flat_map(|set| &set.classifications).filter_map(|id| self.categories.get(id))
    }

    /// Groups that an update is in.
    pub fn groups(&self, slot: u32) -> impl Iterator<Item = &Group> {
        let places = self.states.get(slot as usize).into_iter().flat_map(|state| &state.groups);
        places.filter_map(|place| self.groups.get(*place as usize))
    }

    /// Every slot that has an update, newest arrival first.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.base.entries.iter().enumerate().rev().filter(|(_, entry)| entry.is_some()).map(|(slot, _)| slot as u32)
    }

    /// What expressions ask of an update. `counts` is what computers say of it; an expression that does not depend on status
    /// ([`crate::expression::Depends::status`]) does not look at it.
    pub fn facts(&self, slot: u32, counts: Option<Counts>) -> Option<Known<'_>> {
        let (prepared, state) = (self.prepared(slot)?, self.states.get(slot as usize)?);
        let set = self.sets.get(prepared.set as usize)?;
        Some(Known { index: self, slot, prepared, state, set, counts })
    }

    /// Every update that an expression holds for, newest arrival first.
    pub fn matching(
        &self,
        expression: &UpdateExpression,
        now: Timestamp,
        counts: &dyn Fn(UpdateId) -> Counts,
    ) -> Vec<u32> {
        let asks = expression.depends().status;
        let bound = expression.bind(now);
        let holds = |slot: &u32| {
            let counts = asks.then(|| self.entry(*slot).map(|entry| counts(entry.identity.update_id))).flatten();
            self.facts(*slot, counts).is_some_and(|facts| bound.accepts(&facts, now))
        };
        self.slots().filter(holds).collect()
    }

    pub(super) fn prepared(&self, slot: u32) -> Option<&Prepared> {
        self.base.entries.get(slot as usize)?.as_deref()
    }

    pub(super) fn set(&self, slot: u32) -> Option<&Set> {
        self.sets.get(self.prepared(slot)?.set as usize)
    }
}

impl Set {
    fn new(ids: &[UpdateId], categories: &HashMap<UpdateId, Category>) -> Self {
        let mut set = Self::default();
        for id in ids {
            let kind = categories.get(id).map(|category| category.kind);
            match kind {
                Some(CategoryKind::UpdateClassification) => {
                    if set.classifications.is_empty() {
                        set.classification_key =
                            categories.get(id).map(|category| fold(&category.title)).unwrap_or_default();
                    }
                    set.classifications.push(*id);
                }
                Some(_) => set.products.push(*id),
                None => {}
            }
            let mut next = Some(*id);
            for _ in 0..LEVELS {
                let Some(id) = next else { break };
                let category = categories.get(&id);
                let kind = category.map(|category| category.kind);
                let title = category.map(|category| category.title.to_lowercase());
                let is_classification = kind == Some(CategoryKind::UpdateClassification);
                let (ids, texts) = if is_classification {
                    (&mut set.classification_ids, &mut set.classification_texts)
                } else {
                    (&mut set.product_ids, &mut set.product_texts)
                };
                if !ids.contains(&id) {
                    ids.push(id);
                    texts.push(id.to_string());
                    texts.extend(title.clone());
                    if kind == Some(CategoryKind::Company) {
                        set.vendor_ids.push(id);
                        set.vendor_texts.push(id.to_string());
                        set.vendor_texts.extend(title);
                    }
                }
                next = category.and_then(|category| category.parent);
            }
        }
        set
    }
}

impl Names<Field> for Index {
    fn ids(&self, field: Field, folded: &str) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = match field {
            Field::Group => {
                self.groups.iter().filter(|group| group.name.to_lowercase() == folded).map(|group| group.id).collect()
            }
            _ => {
                let fits = self.categories.values().filter(|category| fits(field, category.kind));
                fits.filter(|category| category.title.to_lowercase() == folded).map(|category| category.id.0).collect()
            }
        };
        ids.sort_unstable();
        ids
    }

    fn name(&self, field: Field, id: Uuid) -> Option<String> {
        match field {
            Field::Group => self.groups.iter().find(|group| group.id == id).map(|group| group.name.clone()),
            _ => {
                let category = self.categories.get(&UpdateId(id)).filter(|category| fits(field, category.kind));
                category.map(|category| category.title.clone())
            }
        }
    }

    fn all(&self, field: Field) -> Vec<String> {
        match field {
            Field::Group => self.groups.iter().map(|group| group.name.clone()).collect(),
            _ => {
                let fits = self.categories.values().filter(|category| fits(field, category.kind));
                fits.map(|category| category.title.clone()).collect()
            }
        }
    }

    fn knows(&self, field: Field) -> bool {
        debug_assert!(!field.spec().name.is_empty());
        matches!(field, Field::Classification | Field::Group | Field::Product | Field::Vendor)
    }
}

/// Whether a field can name a category of this kind.
fn fits(field: Field, kind: CategoryKind) -> bool {
    match field {
        Field::Classification => kind == CategoryKind::UpdateClassification,
        Field::Product => kind != CategoryKind::UpdateClassification,
        Field::Vendor => kind == CategoryKind::Company,
        _ => false,
    }
}
