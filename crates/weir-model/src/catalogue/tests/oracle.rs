//! The catalogue rules once more, as plain sets and loops straight from the protocol dossier (section 6) and the design
//! (section 6). Slow and simple on purpose; shares no code with the engine.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalogue::{CatalogueInput, Entry, PageLimits, Retired, RevisionFacts, SyncPlan, WireAction, WireDeployment},
    ids::{ChangeNumber, CollectionId, RevisionId, UpdateId},
    targeting::{CollectionKind, Deployment, DeploymentAction},
    update::UpdateType,
};

pub(super) struct Oracle<'a> {
    input: &'a CatalogueInput,
    facts: BTreeMap<RevisionId, &'a RevisionFacts>,
    unresolved: BTreeSet<RevisionId>,
}

/// A software request, by value.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    pub(super) installed: Vec<RevisionId>,
    pub(super) other: Vec<RevisionId>,
    pub(super) filter: Option<Vec<UpdateId>>,
    pub(super) two_groups: bool,
    pub(super) anchor: Option<ChangeNumber>,
    pub(super) everything_changed: bool,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(input: &'a CatalogueInput) -> Self {
        let facts = input.revisions.iter().map(|it| (it.id, it)).collect();
        let mut this = Self { input, facts, unresolved: BTreeSet::new() };
        this.unresolved = this.never_installed();
        loop {
            let more: Vec<_> = this.facts.values().filter(|it| this.lacks_something(it)).map(|it| it.id).collect();
            let before = this.unresolved.len();
            this.unresolved.extend(more);
            if this.unresolved.len() == before {
                return this;
            }
        }
    }

    pub(super) fn unresolved(&self) -> &BTreeSet<RevisionId> {
        &self.unresolved
    }

    fn lacks_something(&self, facts: &RevisionFacts) -> bool {
        let known = |update: &UpdateId| !self.revisions_of(*update).is_empty();
        let whole = |it: &&&RevisionFacts| !self.unresolved.contains(&it.id);
        facts.relationships.prerequisites.iter().any(|clause| !clause.alternatives.iter().any(known))
            || facts.relationships.bundled.iter().any(|clause| {
                let present = |wanted| self.facts.values().find(move |it| it.identity == wanted);
                clause.alternatives.iter().filter_map(|wanted| present(*wanted)).filter(whole).count() == 0
            })
    }

    /// What no order of installing ever reaches; what lacks a prerequisite is kept out for that reason.
    fn never_installed(&self) -> BTreeSet<RevisionId> {
        let mut possible: BTreeSet<RevisionId> = BTreeSet::new();
        loop {
            let reachable = |facts: &&&RevisionFacts| {
                let is_possible = |it: &&RevisionFacts| possible.contains(&it.id);
                let prerequisites = || {
                    facts.relationships.prerequisites.iter().map(|clause| {
                        let all: Vec<_> = clause.alternatives.iter().flat_map(|it| self.revisions_of(*it)).collect();
                        (all.is_empty(), all.iter().any(is_possible))
                    })
                };
                let lacking = prerequisites().any(|(absent, _)| absent);
                let bundles = facts.relationships.bundled.iter().all(|clause| {
                    let present = |wanted| self.facts.values().find(move |it| it.identity == wanted).copied();
                    let all: Vec<_> = clause.alternatives.iter().filter_map(|wanted| present(*wanted)).collect();
                    all.is_empty() || all.iter().any(is_possible)
                });
                lacking || (prerequisites().all(|(_, possible)| possible) && bundles)
            };
            let more: Vec<RevisionId> = self.facts.values().filter(reachable).map(|it| it.id).collect();
            let before = possible.len();
            possible.extend(more);
            if possible.len() == before {
                return self.facts.keys().copied().filter(|id| !possible.contains(id)).collect();
            }
        }
    }

    fn revisions_of(&self, update: UpdateId) -> Vec<&'a RevisionFacts> {
        let mut all: Vec<_> = self.facts.values().copied().filter(|it| it.identity.update_id == update).collect();
        all.sort_by_key(|it| it.identity.revision);
        all
    }

    fn newest(&self, update: UpdateId) -> Option<&'a RevisionFacts> {
        self.revisions_of(update).last().copied()
    }

    fn may_be_sent(&self, facts: &RevisionFacts) -> bool {
        let update_declined = self.newest(facts.identity.update_id).is_some_and(|it| it.declined);
        !facts.declined && !update_declined && !self.unresolved.contains(&facts.id)
    }

    pub(super) fn updates(&self) -> BTreeSet<UpdateId> {
        self.facts.values().map(|it| it.identity.update_id).collect()
    }

    // --- targeting ---

    fn up(&self, group: CollectionId) -> Vec<CollectionId> {
        let mut way = vec![group];
        loop {
            let last = *way.last().expect("starts with one");
            if last == CollectionId::ALL_COMPUTERS {
                return way;
            }
            let collection = self.input.collections.iter().find(|it| it.id == last);
            let next = match collection {
                Some(it) if it.kind == CollectionKind::TargetGroup => it.parent,
                _ => None,
            };
            let exists = |id: &CollectionId| self.input.collections.iter().any(|it| it.id == *id);
            way.push(next.filter(exists).unwrap_or(CollectionId::ALL_COMPUTERS));
        }
    }

    fn branches(&self, groups: &[CollectionId]) -> Vec<Vec<CollectionId>> {
        let mut own = groups.to_vec();
        own.push(CollectionId::ALL_COMPUTERS);
        let ways: Vec<_> = own.iter().map(|group| self.up(*group)).collect();
        let ends_inside = |way: &Vec<CollectionId>| ways.iter().any(|other| other[1..].contains(&way[0]));
        ways.iter().filter(|way| !ends_inside(way)).cloned().collect()
    }

    fn deployments_of(&self, update: UpdateId) -> Vec<&'a Deployment> {
        let valid = |it: &&Deployment| match it.revision {
            None => true,
            Some(number) => {
                let named = self.revisions_of(update).into_iter().find(|it| it.identity.revision == number);
                named.is_some_and(|named| self.may_be_sent(named))
            }
        };
        self.input.deployments.iter().filter(|it| it.update_id == update).filter(valid).collect()
    }

    fn stronger(left: &Deployment, right: &Deployment) -> bool {
        let level = |it: &Deployment| match it.action {
            DeploymentAction::Block => 0,
            DeploymentAction::Install => 1,
            DeploymentAction::Optional => 2,
            DeploymentAction::Uninstall => 3,
            DeploymentAction::Detect => 4,
        };
        if level(left) != level(right) {
            return level(left) < level(right);
        }
        match (left.deadline, right.deadline) {
            (Some(_), None) => return true,
            (None, Some(_)) => return false,
            (Some(a), Some(b)) if a != b => return a < b,
            _ => {}
        }
        if left.changed != right.changed {
            return left.changed > right.changed;
        }
        left.id > right.id
    }

    pub(super) fn effective(&self, groups: &[CollectionId], update: UpdateId) -> Option<&'a Deployment> {
        self.best_of(groups, update, true).or_else(|| self.best_of(groups, update, false))
    }

    /// What wins among those that are active, or among those that are not.
    fn best_of(&self, groups: &[CollectionId], update: UpdateId, active: bool) -> Option<&'a Deployment> {
        let all: Vec<&'a Deployment> =
            self.deployments_of(update).into_iter().filter(|it| it.active == active).collect();
        let mut won: Option<&'a Deployment> = None;
        for branch in self.branches(groups) {
            for collection in branch {
                let mut best: Option<&'a Deployment> = None;
                for it in all.iter().copied().filter(|it| it.collection == collection) {
                    if best.is_none_or(|best| Self::stronger(it, best)) {
                        best = Some(it);
                    }
                }
                if let Some(best) = best {
                    if won.is_none_or(|won| Self::stronger(best, won)) {
                        won = Some(best);
                    }
                    break;
                }
            }
        }
        won
    }

    fn approved_only(&self, groups: &[CollectionId]) -> bool {
        let own: Vec<_> = groups.iter().filter(|it| **it != CollectionId::ALL_COMPUTERS).collect();
        let says = |id: &CollectionId| self.input.collections.iter().any(|it| it.id == *id && it.approved_only);
        !own.is_empty() && own.iter().all(|id| says(id))
    }

    // --- scope ---

    fn alive(&self, update: UpdateId) -> Option<&'a RevisionFacts> {
        self.newest(update).filter(|it| !it.declined && !it.expired)
    }

    fn pin(&self, groups: &[CollectionId], update: UpdateId) -> Option<&'a RevisionFacts> {
        self.alive(update)?;
        let deployment = self.effective(groups, update)?;
        if self.approved_only(groups) && deployment.action == DeploymentAction::Block {
            return None;
        }
        let number = deployment.revision?;
        self.revisions_of(update).into_iter().find(|it| it.identity.revision == number)
    }

    pub(super) fn scope(&self, groups: &[CollectionId]) -> BTreeSet<RevisionId> {
        let mut found: BTreeMap<RevisionId, &RevisionFacts> = BTreeMap::new();
        let mut todo: Vec<&RevisionFacts> = Vec::new();
        for update in self.updates() {
            let deployed = self.effective(groups, update).is_some_and(|it| it.action != DeploymentAction::Block);
            if deployed || !self.approved_only(groups) {
                todo.extend(self.pin(groups, update).or_else(|| self.alive(update)));
            }
        }
        while let Some(revision) = todo.pop() {
            if !self.may_be_sent(revision) || found.insert(revision.id, revision).is_some() {
                continue;
            }
            for update in revision.relationships.prerequisites.iter().flat_map(|it| &it.alternatives) {
                let stays = |it: &&RevisionFacts| {
                    !it.expired || matches!(it.update_type, UpdateType::Category | UpdateType::Detectoid)
                };
                todo.extend(self.pin(groups, *update).or_else(|| self.newest(*update).filter(stays)));
            }
            for member in revision.relationships.bundled.iter().flat_map(|it| &it.alternatives) {
                todo.extend(self.facts.values().find(|it| it.identity == *member));
            }
        }
        let mut scope = BTreeSet::new();
        for update in self.updates() {
            let here: Vec<_> = found.values().filter(|it| it.identity.update_id == update).collect();
            let pinned = self.pin(groups, update).map(|it| it.id);
            let highest = here.iter().max_by_key(|it| it.identity.revision).map(|it| it.id);
            scope.extend(here.iter().map(|it| it.id).find(|id| Some(*id) == pinned).or(highest));
        }
        scope
    }

    fn is_leaf(&self, update: UpdateId) -> bool {
        self.named_at(update).is_none()
    }

    /// The first change at which a prerequisite clause named the update.
    fn named_at(&self, update: UpdateId) -> Option<u64> {
        let names = |it: &&&RevisionFacts| {
            it.relationships.prerequisites.iter().any(|clause| clause.alternatives.contains(&update))
        };
        self.facts.values().filter(names).map(|it| it.changed.0).min()
    }

    fn member_at(&self, update: UpdateId) -> Option<u64> {
        let names = |it: &&&RevisionFacts| {
            it.relationships.bundled.iter().any(|it| it.alternatives.iter().any(|it| it.update_id == update))
        };
        self.facts.values().filter(names).map(|it| it.changed.0).min()
    }

    fn is_plain(facts: &RevisionFacts) -> bool {
        matches!(facts.update_type, UpdateType::Category | UpdateType::Detectoid)
    }

    pub(super) fn entry(&self, groups: &[CollectionId], id: RevisionId) -> Entry {
        let facts = self.facts[&id];
        let update = facts.identity.update_id;
        let approved = self.approved_only(groups);
        let explicit = self
            .effective(groups, update)
            .filter(|it| !Self::is_plain(facts) && (!approved || it.action != DeploymentAction::Block));
        let implied = if Self::is_plain(facts) {
            WireAction::Evaluate
        } else if self.member_at(update).is_some() {
            WireAction::Bundle
        } else if approved {
            WireAction::Evaluate
        } else {
            WireAction::PreDeploymentCheck
        };
        let action = match explicit {
            None => implied,
            Some(it) if !it.active => WireAction::PreDeploymentCheck,
            Some(it) => match it.action {
                DeploymentAction::Install => WireAction::Install,
                DeploymentAction::Optional => WireAction::OptionalInstall,
                DeploymentAction::Uninstall => WireAction::Uninstall,
                DeploymentAction::Block | DeploymentAction::Detect => WireAction::PreDeploymentCheck,
            },
        };
        let acts = matches!(action, WireAction::Install | WireAction::OptionalInstall | WireAction::Uninstall);
        let deployment = WireDeployment {
            id: explicit.map_or(0x4000_0000 + id.0, |it| it.id.0),
            action,
            deadline: explicit.and_then(|it| it.deadline).filter(|_| acts),
            is_assigned: action != WireAction::OptionalInstall,
            changed_at: explicit.map_or(facts.changed_at, |it| it.changed_at),
            hardware_ids: Vec::new(),
        };
        Entry { id, deployment, is_leaf: self.is_leaf(update), core_len: facts.core_len }
    }

    /// When the deployment or IsLeaf last changed, 0 if never.
    fn changed(&self, groups: &[CollectionId], id: RevisionId) -> u64 {
        let facts = self.facts[&id];
        let update = facts.identity.update_id;
        let mut times: Vec<u64> = self.named_at(update).into_iter().collect();
        if !Self::is_plain(facts) {
            times.extend(self.member_at(update));
        }
        times.retain(|time| *time > facts.changed.0);
        if !Self::is_plain(facts) {
            let here: BTreeSet<_> = self.branches(groups).into_iter().flatten().collect();
            let all = self.deployments_of(update).into_iter();
            times.extend(all.filter(|it| here.contains(&it.collection)).map(|it| it.changed.0));
            let concerns = |it: &&Retired| it.update_id == update && it.collection.is_none_or(|it| here.contains(&it));
            times.extend(self.input.retired.iter().filter(concerns).map(|it| it.changed.0));
        }
        times.into_iter().max().unwrap_or(0)
    }

    // --- requests ---

    fn satisfied(&self, facts: &RevisionFacts, installed: &[RevisionId]) -> bool {
        let have: BTreeSet<_> =
            installed.iter().filter_map(|id| self.facts.get(id)).map(|it| it.identity.update_id).collect();
        let clauses = &facts.relationships.prerequisites;
        clauses.iter().all(|clause| clause.alternatives.iter().any(|it| have.contains(it)))
    }

    pub(super) fn related(&self, filter: &[UpdateId]) -> BTreeSet<RevisionId> {
        let is_category = |id: &UpdateId| self.newest(*id).is_some_and(|it| it.update_type == UpdateType::Category);
        let mut categories: BTreeSet<_> = filter.iter().copied().filter(is_category).collect();
        let is_in = |facts: &RevisionFacts, categories: &BTreeSet<UpdateId>| {
            let clauses = facts.relationships.prerequisites.iter().filter(|clause| clause.is_category);
            clauses.flat_map(|clause| &clause.alternatives).any(|it| categories.contains(it))
        };
        loop {
            let below = self.facts.values().filter(|it| it.update_type == UpdateType::Category);
            let below: Vec<_> = below.filter(|it| is_in(it, &categories)).map(|it| it.identity.update_id).collect();
            let before = categories.len();
            categories.extend(below);
            if categories.len() == before {
                break;
            }
        }
        let mut related: BTreeSet<RevisionId> = BTreeSet::new();
        let seeds = self.facts.values().filter(|it| is_in(it, &categories)).copied();
        let mut todo: Vec<_> = seeds.chain(categories.iter().flat_map(|it| self.revisions_of(*it))).collect();
        while let Some(facts) = todo.pop() {
            // what is unresolved is in no scope and brings no prerequisites
            if related.insert(facts.id) {
                let whole = facts.relationships.prerequisites.iter();
                if !whole.clone().any(|it| it.alternatives.iter().all(|it| self.newest(*it).is_none())) {
                    todo.extend(whole.flat_map(|it| &it.alternatives).flat_map(|it| self.revisions_of(*it)));
                }
                let present =
                    |it: &&crate::ids::UpdateIdentity| self.facts.values().any(|facts| facts.identity == **it);
                let members = facts.relationships.bundled.iter().flat_map(|it| &it.alternatives).filter(present);
                todo.extend(members.flat_map(|it| self.revisions_of(it.update_id)));
            }
        }
        related
    }

    pub(super) fn software(&self, groups: &[CollectionId], ask: &Ask, limits: &PageLimits) -> SyncPlan {
        let scope = self.scope(groups);
        let related = ask.filter.as_ref().map(|filter| self.related(filter));
        let filtered = |id: &RevisionId| related.as_ref().is_none_or(|related| related.contains(id));
        let is_driver = |id: &RevisionId| self.facts[id].update_type == UpdateType::Driver;
        let candidates: Vec<_> = scope.iter().filter(|id| !is_driver(id) && filtered(id)).collect();
        let needed: BTreeSet<RevisionId> =
            candidates.into_iter().filter(|id| self.satisfied(self.facts[*id], &ask.installed)).copied().collect();
        let mut cached: Vec<RevisionId> = Vec::new();
        for id in ask.installed.iter().chain(&ask.other) {
            if !cached.contains(id) {
                cached.push(*id);
            }
        }
        let mut plan = SyncPlan { anchor: self.input.change, ..SyncPlan::default() };
        let order = |id: &RevisionId| (self.is_leaf(self.facts[id].identity.update_id), *id);
        let mut new: Vec<_> = needed.iter().copied().filter(|id| !cached.contains(id)).collect();
        new.sort_by_key(order);
        let mut used = 0;
        for id in &new {
            let size = u64::from(self.facts[id].core_len) + 512;
            let first = plan.new.is_empty();
            if plan.new.len() == limits.entries.max(1) {
                break;
            }
            if first || limits.bytes == 0 || used + size <= limits.bytes {
                plan.new.push(self.entry(groups, *id));
                used += size;
            } else if !limits.fill {
                break;
            }
        }
        plan.truncated = plan.new.len() < new.len();
        let all = ask.everything_changed || ask.anchor.is_none();
        let anchor = ask.anchor.map_or(0, |it| it.0);
        let mut changed: Vec<_> = needed.iter().copied().filter(|id| cached.contains(id)).collect();
        changed.retain(|id| all || self.changed(groups, *id) > anchor);
        changed.sort_by_key(order);
        plan.changed = changed.into_iter().map(|id| self.entry(groups, id)).collect();
        for id in cached.into_iter().filter(|id| !needed.contains(id)) {
            let list = if ask.two_groups && scope.contains(&id) {
                &mut plan.deployed_out_of_scope
            } else {
                &mut plan.out_of_scope
            };
            list.push(id);
        }
        plan.driver_sync_not_needed = !scope.iter().any(|id| is_driver(id) && filtered(id));
        plan
    }
}
