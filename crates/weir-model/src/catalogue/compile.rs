//! Compiling a snapshot.

use super::{
    CatalogueInput, Snapshot,
    deployed::Deployed,
    drivers::DriverIndex,
    graph::{Graph, is_deliverable},
    sets::{Bits, IdTable, Lists, NONE, at},
};
use crate::{
    ids::{RevisionId, RevisionNumber},
    update::{CategoryKind, UpdateType},
};
use jiff::Timestamp;

/// What a request needs to know of one revision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revision {
    pub(super) id: RevisionId,
    pub(super) update: u32,
    pub(super) number: RevisionNumber,
    pub(super) signature: u32,
    pub(super) core_len: u32,
    pub(super) update_type: UpdateType,
    pub(super) flags: Flags,
    /// When IsLeaf or membership of a bundle changed, 0 if never.
    pub(super) changed: u64,
    /// When it could first be in a scope.
    pub(super) entered: u64,
    pub(super) changed_at: Timestamp,
}

/// The yes-or-no facts of a revision.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) is_leaf: bool,
    pub(super) is_member: bool,
    pub(super) expired: bool,
    pub(super) declined: bool,
    pub(super) unresolved: bool,
    pub(super) explicitly_deployable: bool,
    /// Neither it nor its update is declined, and it is resolved: it may be sent.
    pub(super) sendable: bool,
}

/// What a request needs to know of one update. Revisions are dense indexes, `NONE` if there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) id: crate::ids::UpdateId,
    pub(super) newest: u32,
    /// The revision that scopes start from: newest, sendable, not expired.
    pub(super) root: u32,
    /// The revision that stands in for the update where a prerequisite names it: also an expired category or
    /// detectoid.
    pub(super) prerequisite: u32,
    /// If it is a category.
    pub(super) category: Option<CategoryKind>,
    pub(super) is_category: bool,
}

impl Snapshot {
    pub(super) fn build(input: &CatalogueInput) -> Self {
        let graph = Graph::new(&input.revisions);
        // non-leaf before leaf, then by id: the order of pages
        let mut order: Vec<u32> = (0..graph.facts.len() as u32).collect();
        let id = |fact: u32| graph.facts.get(fact as usize).map_or(0, |it| it.id.0);
        order.sort_unstable_by_key(|fact| (graph.is_leaf(*fact), id(*fact)));
        let mut dense = vec![NONE; order.len()];
        for (place, fact) in order.iter().enumerate() {
            if let Some(dense) = dense.get_mut(*fact as usize) {
                *dense = place as u32;
            }
        }
        let newest = graph.newest();
        let revisions = compile_revisions(&graph, &order, &newest);
        let highest = revisions.iter().map(|it| it.id.0).max().unwrap_or(0);
        let mut ids = IdTable::new(revisions.len(), highest);
        for (place, revision) in revisions.iter().enumerate() {
            ids.put(revision.id, place as u32);
        }
        let updates = compile_updates(&graph, &dense, &newest, &revisions);
        let to_dense = |pairs: &[(u32, u32)]| -> Vec<(u32, u32)> {
            let mut pairs: Vec<_> = pairs.iter().map(|(left, right)| (*left, at(&dense, *right))).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        };
        let members: Vec<_> =
            to_dense(&graph.members).into_iter().map(|(bundle, member)| (at(&dense, bundle), member)).collect();
        let deployed = Deployed::new(input, &graph, &dense, &revisions);

        // what any scope can hold; the rest needs no place in the signatures
        let mut candidates = Bits::new(revisions.len());
        let starts = updates.iter().flat_map(|it| [it.root, it.prerequisite]);
        for revision in starts.chain(members.iter().map(|(_, member)| *member)).chain(deployed.pinned()) {
            if revisions.get(revision as usize).is_some_and(|it| it.flags.sendable) {
                candidates.set(revision);
            }
        }
        let clauses_of = invert(&graph.clauses, updates.len());
        let (free, under) = index_signatures(&graph.signatures, graph.clauses.len());
        let software: Vec<_> = candidates
            .iter()
            .filter_map(|it| Some((revisions.get(it as usize)?, it)))
            .filter(|(revision, _)| revision.update_type != UpdateType::Driver)
            .map(|(revision, it)| (revision.signature, it))
            .collect();
        let mut by_update: Vec<_> = (0..revisions.len() as u32).collect();
        by_update.sort_unstable_by_key(|it| revisions.get(*it as usize).map(|it| (it.update, it.number)));
        let by_update: Vec<_> =
            by_update.into_iter().filter_map(|it| Some((revisions.get(it as usize)?.update, it))).collect();
        let mut changes: Vec<_> = revisions.iter().zip(0..).map(|(it, dense)| (it.changed, dense)).collect();
        changes.retain(|(changed, _)| *changed != 0);
        changes.sort_unstable();
        let mut lacks: Vec<_> = graph.lacks.iter().map(|(fact, lacks)| (at(&dense, *fact), lacks.clone())).collect();
        lacks.sort_unstable_by_key(|(place, _)| revisions.get(*place as usize).map(|it| it.id));
        Self {
            change: input.change,
            members: Lists::from_pairs(revisions.len(), &members),
            in_category: Lists::from_pairs(updates.len(), &to_dense(&graph.in_category)),
            software: Lists::from_pairs(graph.signatures.len(), &software),
            revisions_of: Lists::from_pairs(updates.len(), &by_update),
            drivers: DriverIndex::new(&graph, &dense, &candidates),
            clauses_of,
            free,
            under,
            changes,
            lacks,
            deployed,
            ids,
            updates,
            revisions,
            clauses: graph.clauses,
            signatures: graph.signatures,
            index: graph.index,
        }
    }
}

fn compile_revisions(graph: &Graph<'_>, order: &[u32], newest: &[u32]) -> Vec<Revision> {
    let revision = |fact: &u32| {
        let facts = graph.facts.get(*fact as usize)?;
        let update = at(&graph.update, *fact);
        let update_declined = graph.facts.get(at(newest, update) as usize).is_some_and(|it| it.declined);
        let unresolved = graph.lacks.contains_key(fact);
        let flags = Flags {
            is_leaf: graph.is_leaf(*fact),
            is_member: graph.is_member(*fact),
            expired: facts.expired,
            declined: facts.declined,
            unresolved,
            explicitly_deployable: facts.explicitly_deployable,
            sendable: !unresolved && !facts.declined && !update_declined,
        };
        Some(Revision {
            id: facts.id,
            update,
            number: facts.identity.revision,
            signature: at(&graph.signature, *fact),
            core_len: facts.core_len,
            update_type: facts.update_type,
            flags,
            changed: graph.changed(*fact),
            entered: graph.entered.get(*fact as usize).copied().unwrap_or(0),
            changed_at: facts.changed_at,
        })
    };
    order.iter().filter_map(revision).collect()
}

fn compile_updates(graph: &Graph<'_>, dense: &[u32], newest: &[u32], revisions: &[Revision]) -> Vec<Update> {
    let mut updates: Vec<Option<Update>> = vec![None; graph.updates()];
    for (id, number) in &graph.index {
        let fact = at(newest, *number);
        let place = at(dense, fact);
        let (Some(facts), Some(revision)) = (graph.facts.get(fact as usize), revisions.get(place as usize)) else {
            continue;
        };
        let sent = if revision.flags.sendable { place } else { NONE };
        let stays = !revision.flags.expired || !is_deliverable(revision.update_type);
        if let Some(update) = updates.get_mut(*number as usize) {
            *update = Some(Update {
                id: *id,
                newest: place,
                root: if revision.flags.expired { NONE } else { sent },
                prerequisite: if stays { sent } else { NONE },
                category: facts.category,
                is_category: revision.update_type == UpdateType::Category,
            });
        }
    }
    updates.into_iter().flatten().collect()
}

/// Per update the clauses that name it.
fn invert(clauses: &Lists, updates: usize) -> Lists {
    let numbers = 0..clauses.len() as u32;
    let pairs: Vec<_> =
        numbers.flat_map(|clause| clauses.row(clause).iter().map(move |update| (*update, clause))).collect();
    Lists::from_pairs(updates, &pairs)
}

/// The signatures without clauses, and for each clause the signatures filed under it: each under the one of its clauses
/// that the fewest signatures have, so that a request meets few which it cannot satisfy.
fn index_signatures(signatures: &Lists, clauses: usize) -> (Vec<u32>, Lists) {
    let all = 0..signatures.len() as u32;
    let mut uses = vec![0u32; clauses];
    for clause in all.clone().flat_map(|signature| signatures.row(signature)) {
        if let Some(uses) = uses.get_mut(*clause as usize) {
            *uses += 1;
        }
    }
    let mut free = Vec::new();
    let mut pairs = Vec::new();
    for signature in all {
        match signatures.row(signature).iter().min_by_key(|clause| at(&uses, **clause)) {
            Some(rarest) => pairs.push((*rarest, signature)),
            None => free.push(signature),
        }
    }
    (free, Lists::from_pairs(clauses, &pairs))
}
