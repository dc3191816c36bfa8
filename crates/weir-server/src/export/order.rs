//! The order of a catalogue in which each revision comes after what it needs. Pure.

use std::collections::HashMap;

use weir_model::ids::RevisionNumber;
use weir_store::export::ExportGraph;

/// Positions in `graph.revisions`: prerequisites before what names them, members before their bundles
/// (export-format.md 2.2). A catalogue that came in such an order keeps it; what goes in circles keeps the order of its
/// arrival.
pub(crate) fn order(graph: &ExportGraph) -> Vec<usize> {
    Sorter::new(graph).run()
}

/// Where the entries of one revision begin in a list that ascends by revision.
fn starts<T>(revisions: usize, list: &[T], position: impl Fn(&T) -> Option<usize>) -> Vec<usize> {
    let mut starts = vec![0; revisions + 1];
    for entry in list {
        if let Some(count) = position(entry).and_then(|position| starts.get_mut(position + 1)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

/// What is needed next.
enum Need {
    /// That is there, or nowhere.
    Met,
    /// All was named.
    NoMore,
    /// The revision at this position.
    Now(usize),
}

struct Sorter<'g> {
    graph: &'g ExportGraph,
    prerequisites: Vec<usize>,
    members: Vec<usize>,
    /// The first revision of each update, by arrival.
    first: HashMap<u32, usize>,
    exact: HashMap<(u32, RevisionNumber), usize>,
    /// Visited.
    mark: Vec<bool>,
    /// Updates of which some revision is done.
    done: std::collections::HashSet<u32>,
    order: Vec<usize>,
}

impl<'g> Sorter<'g> {
    fn new(graph: &'g ExportGraph) -> Self {
        let place: HashMap<_, _> = graph.revisions.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
        let count = graph.revisions.len();
        let mut first = HashMap::new();
        let mut exact = HashMap::with_capacity(count);
        for (at, row) in graph.revisions.iter().enumerate() {
            first.entry(row.update_no).or_insert(at);
            exact.insert((row.update_no, row.revision), at);
        }
        Self {
            prerequisites: starts(count, &graph.prerequisites, |entry| place.get(&entry.id).copied()),
            members: starts(count, &graph.members, |entry| place.get(&entry.id).copied()),
            graph,
            first,
            exact,
            mark: vec![false; count],
            done: std::collections::HashSet::new(),
            order: Vec::with_capacity(count),
        }
    }

    fn run(mut self) -> Vec<usize> {
        for start in 0..self.graph.revisions.len() {
            self.visit(start);
        }
        self.order
    }

    /// Depth first with a stack of its own: chains may be as long as the catalogue.
    fn visit(&mut self, start: usize) {
        if !self.enter(start) {
            return;
        }
        let mut stack = vec![(start, 0)];
        while let Some((at, next)) = stack.pop() {
            match self.need(at, next) {
                Need::Now(needed) => {
                    stack.push((at, next + 1));
                    if self.enter(needed) {
                        stack.push((needed, 0));
                    }
                }
                Need::Met => stack.push((at, next + 1)),
                Need::NoMore => {
                    self.done.extend(self.graph.revisions.get(at).map(|row| row.update_no));
                    self.order.push(at);
                }
            }
        }
    }

    /// True if it was not visited.
    fn enter(&mut self, at: usize) -> bool {
        match self.mark.get_mut(at) {
            Some(mark @ false) => {
                *mark = true;
                true
            }
            _ => false,
        }
    }

    /// What a revision needs at a position of its lists.
    fn need(&self, at: usize, position: usize) -> Need {
        let bounds = |starts: &[usize]| match (starts.get(at), starts.get(at + 1)) {
            (Some(from), Some(to)) => *from..*to,
            _ => 0..0,
        };
        let (prerequisites, members) = (bounds(&self.prerequisites), bounds(&self.members));
        let before = prerequisites.len();
        let (first, rest) = (self.graph.prerequisites.get(prerequisites), self.graph.members.get(members));
        let (first, rest) = (first.unwrap_or_default(), rest.unwrap_or_default());
        let needed = match (first.get(position), position.checked_sub(before).and_then(|at| rest.get(at))) {
            // any revision of it will do
            (Some(entry), _) if self.done.contains(&entry.update_no) => return Need::Met,
            (Some(entry), _) => self.first.get(&entry.update_no),
            (None, Some(entry)) => self.exact.get(&(entry.update_no, entry.revision)),
            (None, None) => return Need::NoMore,
        };
        needed.map_or(Need::Met, |at| Need::Now(*at))
    }
}

#[cfg(test)]
mod tests {
    use weir_model::{
        ids::{ChangeNumber, RevisionId},
        update::UpdateType,
    };
    use weir_store::export::{ExportMember, ExportPrerequisite, ExportRevision};

    use super::*;

    /// Revisions as (update, prerequisites, members); each is revision 1.
    fn graph(rows: &[(u32, &[u32], &[u32])]) -> ExportGraph {
        let mut graph = ExportGraph::default();
        for (at, (update_no, prerequisites, members)) in rows.iter().enumerate() {
            let id = RevisionId(at as i32 * 10 + 5);
            graph.revisions.push(ExportRevision {
                id,
                update_no: *update_no,
                revision: RevisionNumber(1),
                update_type: UpdateType::Software,
                category: None,
                change: ChangeNumber(1),
            });
            let named = prerequisites.iter().map(|update_no| ExportPrerequisite {
                id,
                is_category: false,
                update_no: *update_no,
            });
            graph.prerequisites.extend(named);
            let revision = RevisionNumber(1);
            graph.members.extend(members.iter().map(|update_no| ExportMember { id, update_no: *update_no, revision }));
        }
        graph
    }

    #[test]
    fn what_is_in_order_stays() {
        let graph = graph(&[(1, &[], &[]), (2, &[1], &[]), (3, &[], &[]), (4, &[3, 99], &[2])]);
        assert_eq!(order(&graph), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_needed_comes_first() {
        let graph = graph(&[(1, &[2], &[]), (2, &[], &[4]), (3, &[], &[]), (4, &[], &[])]);
        assert_eq!(order(&graph), [3, 1, 0, 2]);
    }

    #[test]
    fn circles_end() {
        let graph = graph(&[(1, &[2], &[]), (2, &[1], &[]), (3, &[3], &[3])]);
        assert_eq!(order(&graph), [1, 0, 2]);
    }

    #[test]
    fn long_chains_need_no_deep_stack() {
        let needs: Vec<[u32; 1]> = (1..=200_000).map(|number| [number]).collect();
        let rows: Vec<(u32, &[u32], &[u32])> =
            needs.iter().enumerate().map(|(at, needed)| (at as u32, &needed[..], &[][..])).collect();
        assert_eq!(order(&graph(&rows)), (0..200_000).rev().collect::<Vec<_>>());
    }

    #[test]
    fn of_several_revisions_any_satisfies_a_prerequisite() {
        let mut graph = graph(&[(1, &[], &[]), (2, &[1], &[]), (1, &[], &[])]);
        graph.revisions[2].revision = RevisionNumber(2);
        assert_eq!(order(&graph), [0, 1, 2]);
    }
}
