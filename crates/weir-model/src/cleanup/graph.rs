//! What is stored, ready to be walked.

use std::collections::{BTreeMap, BTreeSet};

use super::{Deployed, Flags, Input, Revision};
use crate::{ids::RevisionNumber, update::UpdateType};

/// The stored revisions by what refers to them. Places are positions in `input.revisions`.
pub(super) struct Graph<'i> {
    pub(super) input: &'i Input,
    /// Place of each exact revision.
    exact: BTreeMap<(u32, RevisionNumber), usize>,
    /// Places of the updates that a newest revision says it replaces, read backwards: who replaces an update.
    superseders: BTreeMap<u32, Vec<u32>>,
    deployments: BTreeMap<u32, Vec<&'i Deployed>>,
}

impl<'i> Graph<'i> {
    pub(super) fn new(input: &'i Input) -> Self {
        let exact: BTreeMap<_, _> =
            input.revisions.iter().enumerate().map(|(place, it)| ((it.update, it.number), place)).collect();
        let mut graph = Self { input, exact, superseders: BTreeMap::new(), deployments: BTreeMap::new() };
        let mut superseders: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for revision in &input.revisions {
            if graph.is_newest(revision) {
                for target in revision.supersedes.iter().filter(|target| **target != revision.update) {
                    superseders.entry(*target).or_default().push(revision.update);
                }
            }
        }
        for list in superseders.values_mut() {
            list.sort_unstable();
            list.dedup();
        }
        graph.superseders = superseders;
        for deployment in &input.deployments {
            graph.deployments.entry(deployment.update).or_default().push(deployment);
        }
        graph
    }

    pub(super) fn revision(&self, place: usize) -> Option<&'i Revision> {
        self.input.revisions.get(place)
    }

    pub(super) fn exact(&self, update: u32, number: RevisionNumber) -> Option<usize> {
        self.exact.get(&(update, number)).copied()
    }

    /// Places of all revisions of an update, oldest first.
    pub(super) fn of(&self, update: u32) -> impl DoubleEndedIterator<Item = usize> {
        let range = (update, RevisionNumber(0))..=(update, RevisionNumber(u32::MAX));
        self.exact.range(range).map(|(_, place)| *place)
    }

    pub(super) fn newest_place(&self, update: u32) -> Option<usize> {
        self.of(update).next_back()
    }

    pub(super) fn newest(&self, update: u32) -> Option<&'i Revision> {
        self.newest_place(update).and_then(|place| self.revision(place))
    }

    pub(super) fn is_newest(&self, revision: &Revision) -> bool {
        self.newest(revision.update).is_some_and(|newest| newest.number == revision.number)
    }

    pub(super) fn flags(&self, update: u32) -> Flags {
        self.input.flags.get(&update).copied().unwrap_or_default()
    }

    pub(super) fn deployments(&self, update: u32) -> &[&'i Deployed] {
        self.deployments.get(&update).map_or(&[], Vec::as_slice)
    }

    /// Updates whose newest revision says that it replaces this one.
    pub(super) fn superseders(&self, update: u32) -> &[u32] {
        self.superseders.get(&update).map_or(&[], Vec::as_slice)
    }

    /// Its newest revision is here, not withdrawn, and the update is not declined.
    pub(super) fn is_live(&self, update: u32) -> bool {
        self.newest(update).is_some_and(|newest| !newest.expired) && self.flags(update).declined_at.is_none()
    }

    /// Whether an update is software or a driver: what is cleaned up. Categories and detectoids are few, and others are
    /// judged by them.
    pub(super) fn is_payload(revision: &Revision) -> bool {
        matches!(revision.update_type, UpdateType::Software | UpdateType::Driver)
    }

    /// Every update that has a revision, ascending, with its newest.
    pub(super) fn updates(&self) -> impl Iterator<Item = &'i Revision> {
        let mut last = None;
        // exact is ordered by update, then by number: from behind, the first of each is its newest
        let newest = self.exact.iter().rev().filter_map(move |((update, _), place)| {
            (last.replace(*update) != Some(*update)).then(|| self.revision(*place)).flatten()
        });
        newest.collect::<Vec<_>>().into_iter().rev()
    }

    /// For each update that takes part in supersedence, a number of the circle that it is in: two updates with the same
    /// number replace each other, directly or through others.
    pub(super) fn circles(&self) -> BTreeMap<u32, u32> {
        Circles::find(self)
    }

    /// What a revision needs as long as it stays: prerequisites by their newest revision, members by the exact one, the
    /// newest of its own update.
    pub(super) fn needs(&self, revision: &Revision) -> Vec<usize> {
        let prerequisites = revision.prerequisites.iter().filter_map(|update| self.newest_place(*update));
        let members = revision.members.iter().filter_map(|(update, number)| self.exact(*update, *number));
        prerequisites.chain(members).chain(self.newest_place(revision.update)).collect()
    }
}

/// Strongly connected parts of "is replaced by" (Tarjan, with a stack of its own).
#[derive(Default)]
struct Circles {
    index: BTreeMap<u32, u32>,
    low: BTreeMap<u32, u32>,
    on_stack: BTreeSet<u32>,
    stack: Vec<u32>,
    circle: BTreeMap<u32, u32>,
}

impl Circles {
    fn find(graph: &Graph<'_>) -> BTreeMap<u32, u32> {
        let mut circles = Self::default();
        for update in graph.superseders.keys() {
            circles.visit(graph, *update);
        }
        circles.circle
    }

    fn enter(&mut self, update: u32) {
        let index = self.index.len() as u32;
        self.index.insert(update, index);
        self.low.insert(update, index);
        self.stack.push(update);
        self.on_stack.insert(update);
    }

    fn lower(&mut self, update: u32, to: Option<u32>) {
        if let (Some(low), Some(to)) = (self.low.get_mut(&update), to) {
            *low = (*low).min(to);
        }
    }

    fn visit(&mut self, graph: &Graph<'_>, root: u32) {
        if self.index.contains_key(&root) {
            return;
        }
        self.enter(root);
        let mut walk: Vec<(u32, usize)> = vec![(root, 0)];
        while let Some((update, next)) = walk.last().copied() {
            if let Some(above) = graph.superseders(update).get(next).copied() {
                if let Some(top) = walk.last_mut() {
                    top.1 += 1;
                }
                if !self.index.contains_key(&above) {
                    self.enter(above);
                    walk.push((above, 0));
                } else if self.on_stack.contains(&above) {
                    let index = self.index.get(&above).copied();
                    self.lower(update, index);
                }
                continue;
            }
            walk.pop();
            let low = self.low.get(&update).copied();
            if let Some((caller, _)) = walk.last().copied() {
                self.lower(caller, low);
            }
            if low == self.index.get(&update).copied() {
                while let Some(member) = self.stack.pop() {
                    self.on_stack.remove(&member);
                    self.circle.insert(member, update);
                    if member == update {
                        break;
                    }
                }
            }
        }
    }
}
