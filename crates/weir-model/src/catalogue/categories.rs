//! Category scans (MS-WUSP 3.1.5.6; protocol dossier, sections 3.5 and 6.4).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CategoryRelationship, CategoryScan, CategoryScanError, Snapshot,
    sets::{Bits, NONE},
};
use crate::{
    ids::UpdateId,
    update::{CategoryKind, UpdateType},
};

/// The smallest number of requested categories that is refused (MS-WUSP product behaviour note 52).
const TOO_MANY: usize = 200;

/// The revisions a category scan is about (MS-WUSP 3.1.5.7, FilterCategoryIds). Made by [`Snapshot::related`]; the
/// caller keeps it per snapshot and set of categories.
#[derive(Debug)]
pub struct Related {
    pub(super) revisions: Bits,
}

impl Related {
    /// How many revisions the filter lets through, whatever the scope.
    pub fn len(&self) -> usize {
        self.revisions.count()
    }

    /// Whether it lets nothing through: none of the categories is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Snapshot {
    /// StartCategoryScan (MS-WUSP 3.1.5.6).
    pub fn category_scan(&self, requested: &[CategoryRelationship]) -> Result<CategoryScan, CategoryScanError> {
        if requested.is_empty() {
            return Err(CategoryScanError::Missing);
        }
        if requested.len() >= TOO_MANY {
            return Err(CategoryScanError::TooMany(requested.len()));
        }
        let mut scan = CategoryScan::default();
        // groups in the order of their first entry
        let mut groups: Vec<(i32, Vec<UpdateId>)> = Vec::new();
        let mut place = BTreeMap::new();
        for CategoryRelationship { group, category } in requested {
            let place = *place.entry(*group).or_insert(groups.len());
            if place == groups.len() {
                groups.push((*group, Vec::new()));
            }
            let Some((_, members)) = groups.get_mut(place) else { continue };
            if !members.contains(category) {
                members.push(*category);
            }
            if !self.is_category(*category) && !scan.in_error.contains(category) {
                scan.in_error.push(*category);
            }
        }
        for (_, members) in groups {
            if members.iter().any(|id| scan.in_error.contains(id)) {
                continue;
            }
            let (classifications, products): (Vec<UpdateId>, Vec<UpdateId>) =
                members.into_iter().partition(|id| self.kind(*id) == Some(CategoryKind::UpdateClassification));
            match (products.as_slice(), classifications.as_slice()) {
                ([product], [] | [_]) if self.kind(*product).is_some() => {
                    if !scan.preferred.contains(product) {
                        scan.preferred.push(*product);
                    }
                }
                _ => {
                    scan.preferred.clear();
                    break;
                }
            }
        }
        Ok(scan)
    }

    fn is_category(&self, id: UpdateId) -> bool {
        let update = self.index.get(&id).and_then(|update| self.updates.get(*update as usize));
        update.is_some_and(|update| update.is_category)
    }

    fn kind(&self, id: UpdateId) -> Option<CategoryKind> {
        self.updates.get(*self.index.get(&id)? as usize)?.category
    }

    pub(super) fn related_revisions(&self, categories: &[UpdateId]) -> Related {
        let mut reach = Reach {
            snapshot: self,
            revisions: Bits::new(self.revisions.len()),
            updates: Bits::new(self.updates.len()),
            left: Vec::new(),
        };
        // the categories, those below them, and what is in any of these
        let mut above: BTreeSet<u32> = BTreeSet::new();
        let mut left: Vec<u32> = Vec::new();
        for id in categories.iter().filter(|id| self.is_category(**id)) {
            if let Some(update) = self.index.get(id).copied()
                && above.insert(update)
            {
                left.push(update);
            }
        }
        while let Some(category) = left.pop() {
            reach.update(category);
            for revision in self.in_category.row(category) {
                reach.revision(*revision);
                let below = self.revisions.get(*revision as usize);
                if let Some(below) = below.filter(|it| it.update_type == UpdateType::Category)
                    && above.insert(below.update)
                {
                    left.push(below.update);
                }
            }
        }
        reach.dependencies();
        Related { revisions: reach.revisions }
    }
}

/// Everything that can be reached over dependencies. It is met with a scope afterwards, which decides about revisions:
/// here a dependency brings all revisions of its update.
struct Reach<'a> {
    snapshot: &'a Snapshot,
    revisions: Bits,
    updates: Bits,
    left: Vec<u32>,
}

impl Reach<'_> {
    fn revision(&mut self, revision: u32) {
        if self.revisions.insert(revision) {
            self.left.push(revision);
        }
    }

    fn update(&mut self, update: u32) {
        if self.updates.insert(update) {
            for revision in self.snapshot.revisions_of.row(update) {
                self.revision(*revision);
            }
        }
    }

    fn dependencies(&mut self) {
        let mut signatures = Bits::new(self.snapshot.signatures.len());
        while let Some(revision) = self.left.pop() {
            let signature = self.snapshot.revisions.get(revision as usize).map_or(NONE, |it| it.signature);
            if signatures.insert(signature) {
                for clause in self.snapshot.signatures.row(signature) {
                    for update in self.snapshot.clauses.row(*clause) {
                        self.update(*update);
                    }
                }
            }
            for member in self.snapshot.members.row(revision) {
                if let Some(member) = self.snapshot.revisions.get(*member as usize) {
                    self.update(member.update);
                }
            }
        }
    }
}
