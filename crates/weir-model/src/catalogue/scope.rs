//! What the computers of one set of collections are sent (design, section 6; MS-WUSP 3.1.5.7).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Agenda, Decided, Entry, Related, Snapshot, WireAction, WireDeployment,
    compile::Revision,
    deployed::{Placed, Target},
    graph::is_deliverable,
    sets::{Bits, NONE, at},
};
use crate::{
    ids::{ChangeNumber, CollectionId, RevisionId},
    targeting::DeploymentAction,
    update::UpdateType,
    window::Resolved,
};

/// What the computers of one set of collections are sent. Made by [`Snapshot::scope`]; valid with that snapshot only.
#[derive(Debug)]
pub struct Scope {
    /// Everything but drivers.
    pub(super) software: Bits,
    pub(super) drivers: Bits,
    has_drivers: bool,
    pub(super) approved_only: bool,
    /// The revisions whose deployment somebody made or took away, ascending.
    marks: Vec<Mark>,
    /// The same by time of change.
    pub(super) changes: Vec<(u64, u32)>,
    decided: Decided,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    revision: u32,
    /// The winning deployment, `NONE` if there is none.
    placed: u32,
    changed: u64,
}

impl Scope {
    /// How many revisions it holds, drivers included.
    pub fn len(&self) -> usize {
        self.software.count() + self.drivers.count()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its computers are sent deployed updates only.
    pub fn is_approved_only(&self) -> bool {
        self.approved_only
    }

    /// What decides about its deployments: to be carried by the computer, and compared with that of another scope, of this snapshot or
    /// of a later one.
    pub fn decided(&self) -> Decided {
        self.decided
    }

    /// Whether it holds a driver that the filter lets through. If not, a driver pass answers nothing but out-of-scope ids, and
    /// the caller need not read SystemSpec.
    pub fn any_driver(&self, filter: Option<&Related>) -> bool {
        self.has_drivers && filter.is_none_or(|filter| self.drivers.and(&filter.revisions).next().is_some())
    }

    pub(super) fn contains(&self, revision: u32) -> bool {
        self.software.get(revision) || self.drivers.get(revision)
    }

    /// The revisions that somebody deployed.
    pub(super) fn deployed(&self) -> impl Iterator<Item = u32> {
        self.marks.iter().filter(|mark| mark.placed != NONE).map(|mark| mark.revision)
    }

    /// Whether somebody deployed this revision.
    pub(super) fn is_deployed(&self, revision: u32) -> bool {
        self.mark(revision).is_some_and(|mark| mark.placed != NONE)
    }

    /// The revisions that somebody deployed, with their deployments.
    pub(super) fn placed<'s>(&'s self, snapshot: &'s Snapshot) -> impl Iterator<Item = (u32, &'s Placed)> {
        self.marks.iter().filter_map(|mark| Some((mark.revision, snapshot.deployed.get(mark.placed)?)))
    }

    fn mark(&self, revision: u32) -> Option<&Mark> {
        let found = self.marks.binary_search_by_key(&revision, |mark| mark.revision).ok()?;
        self.marks.get(found)
    }
}

impl Snapshot {
    pub(super) fn compile_scope(&self, groups: &[CollectionId]) -> Scope {
        let approved_only = self.deployed.tree.approved_only(groups);
        let branches = self.deployed.tree.branches(groups);
        let targets = self.deployed.targets(&branches);
        let winners = targets.values().filter_map(|target| target.winner).map(|won| &won.deployment);
        let decided = Decided::new(&self.deployed, &branches, winners, approved_only);
        // deployed updates only: a block takes the update out of the deployed ones
        let counts = |it: &Placed| !approved_only || it.deployment.action != DeploymentAction::Block;
        let pinned = |target: &Target<'_>| target.winner.filter(|it| counts(it))?.pinned;
        let pins: BTreeMap<u32, u32> = targets
            .iter()
            .filter_map(|(update, target)| Some((*update, pinned(target)?)))
            .filter(|(update, _)| self.is_alive(*update))
            .collect();
        let mut closure = Closure::new(self, &pins);
        if approved_only {
            for (update, target) in &targets {
                if target.winner.is_some_and(counts) {
                    closure.add(closure.root(*update));
                }
            }
        } else {
            for update in 0..self.updates.len() as u32 {
                closure.add(closure.root(update));
            }
        }
        closure.finish(&targets, approved_only, decided)
    }

    /// The newest revision is neither declined nor expired.
    pub(super) fn is_alive(&self, update: u32) -> bool {
        let newest = self.updates.get(update as usize).and_then(|it| self.revisions.get(it.newest as usize));
        newest.is_some_and(|it| !it.flags.declined && !it.flags.expired)
    }

    /// The entry of a revision in a scope, without hardware ids.
    pub(super) fn entry(&self, scope: &Scope, agenda: Option<&Agenda>, dense: u32) -> Option<Entry> {
        let revision = self.revisions.get(dense as usize)?;
        let deployment = match self.deployment(scope, dense, revision) {
            Some(placed) => explicit(placed, agenda.and_then(|agenda| agenda.answer(dense))),
            None => WireDeployment {
                id: WireDeployment::IMPLIED.wrapping_add(revision.id.0),
                action: implied(scope.approved_only, revision),
                deadline: None,
                is_assigned: true,
                changed_at: revision.changed_at,
                hardware_ids: Vec::new(),
            },
        };
        let Revision { id, core_len, .. } = *revision;
        Some(Entry { id, deployment, is_leaf: revision.flags.is_leaf, core_len })
    }

    /// The deployment that somebody made and that decides about the entry.
    fn deployment(&self, scope: &Scope, dense: u32, revision: &Revision) -> Option<&Placed> {
        if !is_deliverable(revision.update_type) {
            return None;
        }
        let placed = self.deployed.get(scope.mark(dense)?.placed)?;
        // a blocked update may still be there as a dependency
        let removed = scope.approved_only && placed.deployment.action == DeploymentAction::Block;
        (!removed).then_some(placed)
    }

    pub(super) fn deployed_action(&self, scope: &Scope, dense: u32) -> Option<DeploymentAction> {
        self.deployed.get(scope.mark(dense)?.placed).map(|it| it.deployment.action)
    }

    pub(super) fn wire_action(&self, scope: &Scope, dense: u32) -> Option<WireAction> {
        let revision = self.revisions.get(dense as usize)?;
        let deployment = self.deployment(scope, dense, revision);
        Some(deployment.map_or_else(|| implied(scope.approved_only, revision), action_of))
    }

    /// When the deployment or IsLeaf of a revision last changed for the computers of a scope.
    pub(super) fn changed(&self, scope: &Scope, dense: u32) -> u64 {
        let own = self.revisions.get(dense as usize).map_or(0, |it| it.changed);
        own.max(scope.mark(dense).map_or(0, |mark| mark.changed))
    }

    pub(super) fn entered_at(&self, scope: &Scope, dense: u32) -> ChangeNumber {
        let Some(revision) = self.revisions.get(dense as usize) else { return ChangeNumber(0) };
        let everywhere = self.deployed.retired_everywhere(revision.update).0;
        let mark = scope.mark(dense);
        let pinned = mark.and_then(|it| self.deployed.get(it.placed)).is_some_and(|it| it.pinned.is_some());
        let deployed = if scope.approved_only || pinned { mark.map_or(0, |mark| mark.changed) } else { 0 };
        ChangeNumber(revision.entered.max(everywhere).max(deployed))
    }

    /// The dense index of a revision.
    pub(super) fn dense(&self, id: RevisionId) -> Option<u32> {
        self.ids.get(id)
    }
}

fn action_of(placed: &Placed) -> WireAction {
    match placed.deployment.action {
        _ if !placed.deployment.active => WireAction::PreDeploymentCheck,
        DeploymentAction::Install => WireAction::Install,
        DeploymentAction::Optional => WireAction::OptionalInstall,
        DeploymentAction::Uninstall => WireAction::Uninstall,
        DeploymentAction::Block | DeploymentAction::Detect => WireAction::PreDeploymentCheck,
    }
}

/// A deployment as it goes out; `timed`: what the time of day makes of it.
fn explicit(placed: &Placed, timed: Option<&Resolved>) -> WireDeployment {
    let deployment = &placed.deployment;
    let (action, deadline) = match timed {
        Some(timed) => (timed.action, timed.deadline),
        None => (action_of(placed), deployment.deadline),
    };
    WireDeployment {
        id: deployment.id.0,
        action,
        deadline: deadline.filter(|_| action != WireAction::PreDeploymentCheck),
        is_assigned: action != WireAction::OptionalInstall,
        changed_at: deployment.changed_at.max(timed.and_then(|it| it.since).unwrap_or(Timestamp::MIN)),
        hardware_ids: Vec::new(),
    }
}

/// The action of what nobody deployed.
fn implied(approved_only: bool, revision: &Revision) -> WireAction {
    if !is_deliverable(revision.update_type) {
        WireAction::Evaluate
    } else if revision.flags.is_member {
        WireAction::Bundle
    } else if approved_only {
        WireAction::Evaluate
    } else {
        WireAction::PreDeploymentCheck
    }
}

/// The transitive closure over prerequisites and bundles. Clauses are followed once each, however many revisions share them.
struct Closure<'a> {
    snapshot: &'a Snapshot,
    pins: &'a BTreeMap<u32, u32>,
    seen: Bits,
    signatures: Bits,
    clauses: Bits,
    left: Vec<u32>,
}

impl<'a> Closure<'a> {
    fn new(snapshot: &'a Snapshot, pins: &'a BTreeMap<u32, u32>) -> Self {
        Self {
            snapshot,
            pins,
            seen: Bits::new(snapshot.revisions.len()),
            signatures: Bits::new(snapshot.signatures.len()),
            clauses: Bits::new(snapshot.clauses.len()),
            left: Vec::new(),
        }
    }

    /// The revision of an update to start from.
    fn root(&self, update: u32) -> u32 {
        self.pin(update).unwrap_or_else(|| self.snapshot.updates.get(update as usize).map_or(NONE, |it| it.root))
    }

    fn pin(&self, update: u32) -> Option<u32> {
        if self.pins.is_empty() { None } else { self.pins.get(&update).copied() }
    }

    /// Takes in a revision and all that it leads to.
    fn add(&mut self, revision: u32) {
        self.take(revision);
        while let Some(revision) = self.left.pop() {
            let signature = self.snapshot.revisions.get(revision as usize).map_or(NONE, |it| it.signature);
            if self.signatures.insert(signature) {
                for clause in self.snapshot.signatures.row(signature) {
                    if self.clauses.insert(*clause) {
                        self.alternatives(*clause);
                    }
                }
            }
            for member in self.snapshot.members.row(revision) {
                self.take(*member);
            }
        }
    }

    fn alternatives(&mut self, clause: u32) {
        for update in self.snapshot.clauses.row(clause) {
            let live = self.snapshot.updates.get(*update as usize).map_or(NONE, |it| it.prerequisite);
            self.take(self.pin(*update).unwrap_or(live));
        }
    }

    fn take(&mut self, revision: u32) {
        let sendable = self.snapshot.revisions.get(revision as usize).is_some_and(|it| it.flags.sendable);
        if sendable && self.seen.insert(revision) {
            self.left.push(revision);
        }
    }

    /// One revision per update, the pinned or the highest, and their deployments.
    fn finish(self, targets: &BTreeMap<u32, Target<'_>>, approved_only: bool, decided: Decided) -> Scope {
        let snapshot = self.snapshot;
        let mut best = vec![NONE; snapshot.updates.len()];
        for dense in self.seen.iter() {
            let Some(revision) = snapshot.revisions.get(dense as usize) else { continue };
            let old = snapshot.revisions.get(at(&best, revision.update) as usize);
            let better = match self.pin(revision.update) {
                Some(pin) => pin == dense,
                None => old.is_none_or(|old| old.number < revision.number),
            };
            if let Some(place) = best.get_mut(revision.update as usize)
                && better
            {
                *place = dense;
            }
        }
        let mut scope = Scope {
            software: Bits::new(snapshot.revisions.len()),
            drivers: Bits::new(snapshot.revisions.len()),
            has_drivers: false,
            approved_only,
            marks: Vec::new(),
            changes: Vec::new(),
            decided,
        };
        for dense in best.iter().copied() {
            match snapshot.revisions.get(dense as usize).map(|it| it.update_type) {
                Some(UpdateType::Driver) => {
                    scope.drivers.set(dense);
                    scope.has_drivers = true;
                }
                Some(_) => scope.software.set(dense),
                None => {}
            }
        }
        for (update, target) in targets {
            let revision = at(&best, *update);
            let deliverable = |it: &Revision| is_deliverable(it.update_type);
            if snapshot.revisions.get(revision as usize).is_some_and(deliverable) {
                let placed = target.winner.map_or(NONE, |it| it.number);
                scope.marks.push(Mark { revision, placed, changed: target.changed.0 });
            }
        }
        scope.marks.sort_unstable_by_key(|mark| mark.revision);
        scope.changes = scope.marks.iter().map(|mark| (mark.changed, mark.revision)).collect();
        scope.changes.sort_unstable();
        scope
    }
}
