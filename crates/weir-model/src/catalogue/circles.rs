//! Revisions that can never be installed, since they need themselves in the end: prerequisites in a circle, bundles within
//! themselves, or both together.

use super::{
    graph::{BundleClause, Graph},
    query::Lack,
    sets::{Lists, NONE, at},
};
use crate::ids::UpdateId;

/// What is still open of everything that revisions need. Each thing is closed once, so that the work is linear.
struct Open {
    /// Per revision: its clause set, if it has clauses, and its bundle clauses.
    revisions: Vec<u32>,
    /// Per clause set: its clauses.
    signatures: Vec<u32>,
    clauses: Vec<bool>,
    bundle_clauses: Vec<bool>,
    updates: Vec<bool>,
}

impl Graph<'_> {
    /// Notes what no computer can ever install: what is left when everything that has all it needs was taken out, step by
    /// step. What is absent does not count here; neither does what an absent prerequisite keeps out already.
    pub(super) fn circles(&mut self, bundle_clauses: &[BundleClause]) {
        let naming = self.naming();
        let pairs = bundle_clauses.iter().zip(0_u32..);
        let pairs: Vec<_> =
            pairs.flat_map(|(clause, number)| clause.members.iter().map(move |member| (*member, number))).collect();
        let containing = Lists::from_pairs(self.facts.len(), &pairs);
        let mut open = self.open(bundle_clauses);
        let mut ready: Vec<u32> =
            (0..).zip(&open.revisions).filter(|(_, open)| **open == 0).map(|(it, _)| it).collect();
        while let Some(fact) = ready.pop() {
            for number in containing.row(fact) {
                if close(&mut open.bundle_clauses, *number)
                    && let Some(clause) = bundle_clauses.get(*number as usize)
                    && step(&mut open.revisions, clause.bundle)
                {
                    ready.push(clause.bundle);
                }
            }
            let update = at(&self.update, fact);
            if !close(&mut open.updates, update) {
                continue;
            }
            for clause in naming.clauses.row(update) {
                if !close(&mut open.clauses, *clause) {
                    continue;
                }
                for signature in naming.signatures.row(*clause) {
                    if step(&mut open.signatures, *signature) {
                        let all = naming.revisions.row(*signature).iter().copied();
                        ready.extend(all.filter(|fact| step(&mut open.revisions, *fact)));
                    }
                }
            }
        }
        let left: Vec<u32> = (0..).zip(&open.revisions).filter(|(_, open)| **open > 0).map(|(it, _)| it).collect();
        for fact in left {
            let lacks = self.circular(fact, &open);
            self.lacks.entry(fact).or_default().extend(lacks);
        }
    }

    fn open(&self, bundle_clauses: &[BundleClause]) -> Open {
        let needs = |signature: &u32| u32::from(*signature != NONE && !self.signatures.row(*signature).is_empty());
        let mut revisions: Vec<u32> = self.signature.iter().map(needs).collect();
        for clause in bundle_clauses.iter().filter(|clause| !clause.members.is_empty()) {
            if at(&self.signature, clause.bundle) != NONE
                && let Some(open) = revisions.get_mut(clause.bundle as usize)
            {
                *open += 1;
            }
        }
        let signatures = (0..self.signatures.len() as u32).map(|it| self.signatures.row(it).len() as u32).collect();
        Open {
            revisions,
            signatures,
            clauses: vec![false; self.clauses.len()],
            bundle_clauses: vec![false; bundle_clauses.len()],
            updates: vec![false; self.updates()],
        }
    }

    fn naming(&self) -> Naming {
        fn turned(lists: &Lists, rows: usize) -> Lists {
            let all = 0..lists.len() as u32;
            let pairs: Vec<_> = all.flat_map(|row| lists.row(row).iter().map(move |entry| (*entry, row))).collect();
            Lists::from_pairs(rows, &pairs)
        }
        let revisions: Vec<_> = self.signature.iter().copied().zip(0..).filter(|(it, _)| *it != NONE).collect();
        Naming {
            clauses: turned(&self.clauses, self.updates()),
            signatures: turned(&self.signatures, self.clauses.len()),
            revisions: Lists::from_pairs(self.signatures.len(), &revisions),
        }
    }

    /// The clauses of a revision none of whose alternatives can be installed before it.
    fn circular(&self, fact: u32, open: &Open) -> Vec<Lack> {
        let Some(facts) = self.facts.get(fact as usize) else { return Vec::new() };
        let number = |id: &UpdateId| self.index.get(id).copied();
        let done = |update: u32| open.updates.get(update as usize).copied().unwrap_or(false);
        let mut lacks = Vec::new();
        for clause in &facts.relationships.prerequisites {
            let mut known = clause.alternatives.iter().filter_map(number).peekable();
            if known.peek().is_some() && !known.any(done) {
                lacks.push(Lack::Circle(clause.alternatives.clone()));
            }
        }
        for clause in &facts.relationships.bundled {
            let present = |id: &&crate::ids::UpdateIdentity| {
                number(&id.update_id).is_some_and(|update| self.numbered(update, id.revision.0).is_some())
            };
            let mut updates: Vec<UpdateId> =
                clause.alternatives.iter().filter(present).map(|id| id.update_id).collect();
            updates.dedup();
            if !updates.is_empty() && !updates.iter().filter_map(number).any(done) {
                lacks.push(Lack::Circle(updates));
            }
        }
        if lacks.is_empty() {
            // another revision of a member can be installed, the one that is bundled cannot
            let members = facts.relationships.bundled.iter().flat_map(|clause| &clause.alternatives);
            lacks.push(Lack::Circle(members.map(|id| id.update_id).collect()));
        }
        lacks
    }
}

/// Who names what.
struct Naming {
    /// Per update the clauses that name it.
    clauses: Lists,
    /// Per clause the clause sets with it.
    signatures: Lists,
    /// Per clause set the revisions with it.
    revisions: Lists,
}

/// Closes one thing; false if it was closed before.
fn close(done: &mut [bool], index: u32) -> bool {
    done.get_mut(index as usize).is_some_and(|done| !std::mem::replace(done, true))
}

/// One thing less that something needs; true if that was the last.
fn step(open: &mut [u32], index: u32) -> bool {
    match open.get_mut(index as usize) {
        Some(open @ 1..) => {
            *open -= 1;
            *open == 0
        }
        _ => false,
    }
}
