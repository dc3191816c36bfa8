//! The software pass, and what all passes share (MS-WUSP 3.1.5.7; protocol dossier, section 6.2).

use std::collections::HashSet;

use super::{
    Entry, PageLimits, Related, Scope, Snapshot, SoftwareQuery, SyncPlan, Timed,
    sets::{Bits, Marks},
};
use crate::ids::{ChangeNumber, RevisionId};

/// Working memory of one request, reused from request to request by one thread at a time. Carries no state between them.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) cached: Bits,
    pub(super) needed: Bits,
    updates: Marks,
    pub(super) clauses: Marks,
    satisfied: Vec<u32>,
    unknown: HashSet<RevisionId>,
    changed: Vec<u32>,
}

/// What a pass compares with what the computer needs.
pub(super) struct Pass<'a> {
    pub(super) scope: &'a Scope,
    /// What the computer has; the parts are read one after the other.
    pub(super) cached: [&'a [RevisionId]; 2],
    pub(super) two_groups: bool,
    /// None if everything counts as changed.
    pub(super) anchor: Option<ChangeNumber>,
    pub(super) timed: Timed<'a>,
    pub(super) limits: PageLimits,
}

impl Snapshot {
    pub(super) fn software_pass(
        &self,
        scope: &Scope,
        query: &SoftwareQuery<'_>,
        limits: &PageLimits,
        scratch: &mut Scratch,
    ) -> SyncPlan {
        let pass = Pass {
            scope,
            cached: [query.installed, query.other],
            two_groups: query.two_groups,
            anchor: query.anchor.filter(|_| !query.everything_changed),
            timed: query.timed,
            limits: *limits,
        };
        self.satisfy(query.installed, scratch);
        self.read_cached(&pass, scratch);
        self.need_software(scope, query.filter, scratch);
        let mut plan = self.settle(&pass, scratch, |dense| self.entry(scope, query.timed.agenda, dense));
        plan.driver_sync_not_needed = !scope.any_driver(query.filter);
        plan
    }

    /// Marks the clauses that the installed revisions satisfy. Any revision of an update satisfies its clauses, also one
    /// that is no longer sent; else a new revision of a detectoid would throw all its dependants out of scope for a call.
    pub(super) fn satisfy(&self, installed: &[RevisionId], scratch: &mut Scratch) {
        scratch.updates.reset(self.updates.len());
        scratch.clauses.reset(self.clauses.len());
        scratch.satisfied.clear();
        for id in installed {
            let Some(revision) = self.dense(*id).and_then(|dense| self.revisions.get(dense as usize)) else { continue };
            if scratch.updates.insert(revision.update) {
                for clause in self.clauses_of.row(revision.update) {
                    if scratch.clauses.insert(*clause) {
                        scratch.satisfied.push(*clause);
                    }
                }
            }
        }
    }

    /// Whether every clause of a set is satisfied.
    pub(super) fn is_satisfied(&self, signature: u32, clauses: &Marks) -> bool {
        self.signatures.row(signature).iter().all(|clause| clauses.get(*clause))
    }

    pub(super) fn read_cached(&self, pass: &Pass<'_>, scratch: &mut Scratch) {
        scratch.cached.reset(self.revisions.len());
        for id in pass.cached.iter().copied().flatten() {
            if let Some(dense) = self.dense(*id) {
                scratch.cached.set(dense);
            }
        }
    }

    fn need_software(&self, scope: &Scope, filter: Option<&Related>, scratch: &mut Scratch) {
        scratch.needed.reset(self.revisions.len());
        let Scratch { needed, clauses, satisfied, .. } = scratch;
        let filed = satisfied.iter().flat_map(|clause| self.under.row(*clause));
        let met = filed.filter(|signature| self.is_satisfied(**signature, clauses));
        for dense in self.free.iter().chain(met).flat_map(|signature| self.software.row(*signature)) {
            if scope.software.get(*dense) && filter.is_none_or(|filter| filter.revisions.get(*dense)) {
                needed.set(*dense);
            }
        }
    }

    /// Compares what is needed with what is cached. Takes the cached set out of the scratch memory.
    pub(super) fn settle(
        &self,
        pass: &Pass<'_>,
        scratch: &mut Scratch,
        entry: impl Fn(u32) -> Option<Entry>,
    ) -> SyncPlan {
        let mut plan = SyncPlan { anchor: self.change, ..SyncPlan::default() };
        self.page(pass, scratch, &entry, &mut plan);
        plan.changed = self.changed_entries(pass, scratch, &entry);
        self.gone(pass, scratch, &mut plan);
        plan
    }

    fn page(&self, pass: &Pass<'_>, scratch: &Scratch, entry: &impl Fn(u32) -> Option<Entry>, plan: &mut SyncPlan) {
        let PageLimits { entries, bytes, fill } = pass.limits;
        let most = entries.max(1);
        let mut used = 0u64;
        for dense in scratch.needed.and_not(&scratch.cached) {
            let Some(revision) = self.revisions.get(dense as usize) else { continue };
            let size = u64::from(revision.core_len) + Entry::OVERHEAD;
            let fits = plan.new.is_empty() || bytes == 0 || used.saturating_add(size) <= bytes;
            if plan.new.len() < most && fits {
                if let Some(entry) = entry(dense) {
                    used = used.saturating_add(size);
                    plan.new.push(entry);
                }
                continue;
            }
            plan.truncated = true;
            // nothing more can fit, or nothing more may follow
            if plan.new.len() >= most || !fill || used.saturating_add(Entry::OVERHEAD) > bytes {
                break;
            }
        }
    }

    fn changed_entries(
        &self,
        pass: &Pass<'_>,
        scratch: &mut Scratch,
        entry: &impl Fn(u32) -> Option<Entry>,
    ) -> Vec<Entry> {
        let Scratch { needed, cached, changed, .. } = scratch;
        let Some(ChangeNumber(anchor)) = pass.anchor else {
            return needed.and(cached).filter_map(entry).collect();
        };
        let after = |log: &[(u64, u32)]| log.partition_point(|(changed, _)| *changed <= anchor);
        let revisions = self.changes.get(after(&self.changes)..).unwrap_or_default();
        let deployments = pass.scope.changes.get(after(&pass.scope.changes)..).unwrap_or_default();
        let timed = pass.timed.changes(pass.scope);
        let suffix = revisions.len() + deployments.len() + timed.len();
        if suffix == 0 {
            return Vec::new();
        }
        // an old anchor has much behind it: then what is cached is less to look at
        if suffix > pass.cached.iter().map(|part| part.len()).sum() {
            let changed =
                |dense: &u32| self.changed(pass.scope, *dense) > anchor || pass.timed.is_changed(pass.scope, *dense);
            return needed.and(cached).filter(changed).filter_map(entry).collect();
        }
        changed.clear();
        changed.extend(revisions.iter().chain(deployments).map(|(_, dense)| *dense).chain(timed));
        changed.retain(|dense| needed.get(*dense) && cached.get(*dense));
        changed.sort_unstable();
        changed.dedup();
        changed.iter().copied().filter_map(entry).collect()
    }

    fn gone(&self, pass: &Pass<'_>, scratch: &mut Scratch, plan: &mut SyncPlan) {
        scratch.unknown.clear();
        for id in pass.cached.iter().copied().flatten() {
            let in_scope = match self.dense(*id) {
                Some(dense) if scratch.needed.get(dense) || !scratch.cached.get(dense) => continue,
                Some(dense) => {
                    scratch.cached.unset(dense);
                    pass.scope.contains(dense)
                }
                None if !scratch.unknown.insert(*id) => continue,
                None => false,
            };
            if pass.two_groups && in_scope {
                plan.deployed_out_of_scope.push(*id);
            } else {
                plan.out_of_scope.push(*id);
            }
        }
    }
}
