//! The relationships of all revisions, resolved to numbers: first step of compiling a snapshot.
//!
//! Here revisions are still in the order of the input ("facts"); updates have their final dense index.

use std::collections::HashSet;

use super::{
    RevisionFacts,
    query::Lack,
    sets::{FoldMap, IdTable, Lists, NONE, at},
};
use crate::{ids::UpdateId, update::UpdateType};

/// How many rounds the time of entry follows nested bundles; deeper ones get the time of their own arrival.
const NESTING: usize = 16;

/// What is known of a revision's relationships.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    /// The accepted revisions.
    pub(super) facts: Vec<&'a RevisionFacts>,
    /// Their updates.
    pub(super) update: Vec<u32>,
    /// All updates with a revision.
    pub(super) index: FoldMap<UpdateId, u32>,
    /// Distinct clauses: the known updates of each, ascending.
    pub(super) clauses: Lists,
    /// Distinct clause sets: clauses, ascending.
    pub(super) signatures: Lists,
    /// The clause set of each revision.
    pub(super) signature: Vec<u32>,
    /// (update of a category, revision) of every IsCategory clause.
    pub(super) in_category: Vec<(u32, u32)>,
    /// (bundle, member) for every present member.
    pub(super) members: Vec<(u32, u32)>,
    /// Per update: the earliest change at which a prerequisite clause named it, 0 if none does.
    pub(super) named_at: Vec<u64>,
    /// Per update: the earliest change at which a bundle named a revision of it, 0 if none does.
    pub(super) member_at: Vec<u64>,
    /// Per revision: when the last thing it needs to be resolved had arrived.
    pub(super) entered: Vec<u64>,
    /// Unresolved revisions and what they lack.
    pub(super) lacks: FoldMap<u32, Vec<Lack>>,
    /// Per update its revisions, ascending by number.
    by_number: Lists,
}

/// A bundle clause: who has it, which clause of the document it is, and its present alternatives.
#[derive(Debug)]
pub(super) struct BundleClause {
    pub(super) bundle: u32,
    position: usize,
    pub(super) members: Vec<u32>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(revisions: &'a [RevisionFacts]) -> Self {
        let mut graph = Self::default();
        graph.accept(revisions);
        graph.prerequisites();
        let clauses = graph.bundles();
        graph.circles(&clauses);
        graph.unresolved_bundles(&clauses);
        graph.entered(&clauses);
        graph
    }

    pub(super) fn updates(&self) -> usize {
        self.index.len()
    }

    fn accept(&mut self, revisions: &'a [RevisionFacts]) {
        let highest = revisions.iter().map(|it| it.id.0).max().unwrap_or(0);
        let mut ids = IdTable::new(revisions.len(), highest);
        self.index.reserve(revisions.len());
        let mut found = Vec::with_capacity(revisions.len());
        for (fact, place) in revisions.iter().zip(0..) {
            if fact.id.0 <= 0 || ids.get(fact.id).is_some() {
                continue;
            }
            ids.put(fact.id, place);
            let next = self.index.len() as u32;
            let update = *self.index.entry(fact.identity.update_id).or_insert(next);
            found.push((update, fact.identity.revision.0, place));
        }
        // the first of each identity
        found.sort_unstable();
        found.dedup_by_key(|(update, number, _)| (*update, *number));
        found.sort_unstable_by_key(|(.., place)| *place);
        let kept = found.iter().filter_map(|(update, _, place)| Some((*update, revisions.get(*place as usize)?)));
        (self.update, self.facts) = kept.unzip();
        let mut pairs: Vec<_> =
            found.iter().zip(0..).map(|((update, number, _), fact)| (*update, *number, fact)).collect();
        pairs.sort_unstable();
        let pairs: Vec<_> = pairs.into_iter().map(|(update, _, fact)| (update, fact)).collect();
        self.by_number = Lists::from_pairs(self.index.len(), &pairs);
        self.named_at = vec![0; self.index.len()];
        self.member_at = vec![0; self.index.len()];
    }

    /// Interns clauses and clause sets. A revision with a clause that has no known alternative is unresolved and gets no
    /// clause set.
    fn prerequisites(&mut self) {
        let first_seen = self.first_seen();
        let mut clause_index: FoldMap<Box<[u32]>, u32> = FoldMap::default();
        let mut signature_index: FoldMap<Box<[u32]>, u32> = FoldMap::default();
        let mut known = Vec::new();
        let mut set = Vec::new();
        for (number, fact) in self.facts.iter().enumerate() {
            set.clear();
            let mut entered = fact.changed.0;
            let mut lacks = Vec::new();
            for clause in &fact.relationships.prerequisites {
                known.clear();
                known.extend(clause.alternatives.iter().filter_map(|id| self.index.get(id).copied()));
                known.sort_unstable();
                known.dedup();
                if known.is_empty() {
                    lacks.push(match clause.alternatives.as_slice() {
                        [only] if clause.bare => Lack::Prerequisite(*only),
                        alternatives => Lack::PrerequisiteClause(alternatives.to_vec()),
                    });
                    continue;
                }
                for update in &known {
                    lower(&mut self.named_at, *update, fact.changed.0);
                    if clause.is_category {
                        self.in_category.push((*update, number as u32));
                    }
                }
                let arrived = known.iter().filter_map(|update| first_seen.get(*update as usize)).min();
                entered = entered.max(arrived.copied().unwrap_or(0));
                set.push(intern(&mut clause_index, &mut self.clauses, &known));
            }
            set.sort_unstable();
            set.dedup();
            self.entered.push(entered);
            if lacks.is_empty() {
                self.signature.push(intern(&mut signature_index, &mut self.signatures, &set));
            } else {
                self.signature.push(NONE);
                self.lacks.insert(number as u32, lacks);
            }
        }
        self.clauses.shrink();
        self.signatures.shrink();
    }

    /// Per update, when its first present revision arrived.
    fn first_seen(&self) -> Vec<u64> {
        let mut first = vec![u64::MAX; self.index.len()];
        for (fact, update) in self.facts.iter().zip(&self.update) {
            if let Some(first) = first.get_mut(*update as usize) {
                *first = fact.changed.0.min(*first);
            }
        }
        first
    }

    fn bundles(&mut self) -> Vec<BundleClause> {
        let mut clauses = Vec::new();
        for (bundle, fact) in self.facts.iter().enumerate() {
            for (position, clause) in fact.relationships.bundled.iter().enumerate() {
                let mut members = Vec::with_capacity(clause.alternatives.len());
                for identity in &clause.alternatives {
                    let Some(update) = self.index.get(&identity.update_id).copied() else { continue };
                    lower(&mut self.member_at, update, fact.changed.0);
                    members.extend(self.numbered(update, identity.revision.0));
                }
                members.sort_unstable();
                members.dedup();
                self.members.extend(members.iter().map(|member| (bundle as u32, *member)));
                clauses.push(BundleClause { bundle: bundle as u32, position, members });
            }
        }
        clauses
    }

    /// A bundle clause without a resolved alternative makes its bundle unresolved, which may take the last alternative from
    /// clauses further up.
    fn unresolved_bundles(&mut self, clauses: &[BundleClause]) {
        let pairs = clauses.iter().enumerate();
        let pairs: Vec<_> =
            pairs.flat_map(|(number, it)| it.members.iter().map(move |member| (*member, number as u32))).collect();
        let clauses_with = Lists::from_pairs(self.facts.len(), &pairs);
        let mut left: Vec<_> = clauses.iter().map(|clause| clause.members.len()).collect();
        let mut gone: Vec<u32> = self.lacks.keys().copied().collect();
        let mut out: HashSet<u32> = gone.iter().copied().collect();
        let mut dead = vec![false; clauses.len()];
        let kill = |number: usize, gone: &mut Vec<u32>, out: &mut HashSet<u32>, dead: &mut Vec<bool>| {
            if let (Some(clause), Some(dead)) = (clauses.get(number), dead.get_mut(number)) {
                *dead = true;
                if out.insert(clause.bundle) {
                    gone.push(clause.bundle);
                }
            }
        };
        for (number, clause) in clauses.iter().enumerate() {
            if clause.members.is_empty() {
                kill(number, &mut gone, &mut out, &mut dead);
            }
        }
        while let Some(member) = gone.pop() {
            for number in clauses_with.row(member) {
                let Some(left) = left.get_mut(*number as usize) else { continue };
                *left -= 1;
                if *left == 0 {
                    kill(*number as usize, &mut gone, &mut out, &mut dead);
                }
            }
        }
        for (clause, dead) in clauses.iter().zip(dead) {
            let document = self.facts.get(clause.bundle as usize).map(|fact| &fact.relationships.bundled);
            if let Some(source) = document.and_then(|all| all.get(clause.position))
                && dead
            {
                let lack = Lack::BundleClause(source.alternatives.clone());
                self.lacks.entry(clause.bundle).or_default().push(lack);
            }
        }
    }

    /// A bundle can be sent once each clause has an alternative that can.
    fn entered(&mut self, clauses: &[BundleClause]) {
        for _ in 0..NESTING {
            let mut changed = false;
            for clause in clauses {
                let time = |member: &u32| self.entered.get(*member as usize).copied();
                let resolved = clause.members.iter().filter(|member| !self.lacks.contains_key(*member));
                let Some(ready) = resolved.filter_map(time).min() else { continue };
                if let Some(entered) = self.entered.get_mut(clause.bundle as usize)
                    && *entered < ready
                {
                    *entered = ready;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
    }

    /// Per update, its newest revision.
    pub(super) fn newest(&self) -> Vec<u32> {
        (0..self.updates() as u32).map(|update| self.by_number.row(update).last().copied().unwrap_or(NONE)).collect()
    }

    pub(super) fn is_leaf(&self, fact: u32) -> bool {
        self.time(&self.named_at, fact) == 0
    }

    /// A member of a bundle. Categories and detectoids never are, whatever documents say.
    pub(super) fn is_member(&self, fact: u32) -> bool {
        self.time(&self.member_at, fact) != 0
            && self.facts.get(fact as usize).is_some_and(|fact| is_deliverable(fact.update_type))
    }

    /// When IsLeaf or membership of a bundle changed after the revision had arrived; 0 if neither did.
    pub(super) fn changed(&self, fact: u32) -> u64 {
        let arrived = self.facts.get(fact as usize).map_or(0, |fact| fact.changed.0);
        let named = self.time(&self.named_at, fact);
        let member = if self.is_member(fact) { self.time(&self.member_at, fact) } else { 0 };
        [named, member].into_iter().filter(|time| *time > arrived).max().unwrap_or(0)
    }

    fn time(&self, of_update: &[u64], fact: u32) -> u64 {
        of_update.get(at(&self.update, fact) as usize).copied().unwrap_or(0)
    }

    /// The revision of that number.
    pub(super) fn numbered(&self, update: u32, revision: u32) -> Option<u32> {
        let all = self.by_number.row(update);
        let number = |fact: &u32| self.facts.get(*fact as usize).map(|it| it.identity.revision.0);
        let place = all.binary_search_by_key(&Some(revision), number).ok()?;
        all.get(place).copied()
    }
}

/// Software and drivers can be deployed and are members of bundles; categories and detectoids are always Evaluate.
pub(super) fn is_deliverable(update_type: UpdateType) -> bool {
    matches!(update_type, UpdateType::Driver | UpdateType::Software)
}

fn intern(index: &mut FoldMap<Box<[u32]>, u32>, lists: &mut Lists, row: &[u32]) -> u32 {
    if let Some(known) = index.get(row) {
        return *known;
    }
    let number = lists.push(row);
    index.insert(row.into(), number);
    number
}

/// Keeps the smallest time above 0; a time of 0 counts as 1, since 0 means never.
fn lower(times: &mut [u64], index: u32, time: u64) {
    if let Some(place) = times.get_mut(index as usize) {
        let time = time.max(1);
        *place = if *place == 0 { time } else { time.min(*place) };
    }
}
