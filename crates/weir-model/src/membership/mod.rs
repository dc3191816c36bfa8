//! Who is in which collection: direct members, rules, includes and excludes of other collections, limiting collections.
//!
//! A computer is a member of a collection that is defined by a rule if something puts it there (an administrator, the rule, or
//! an included collection), no excluded collection holds it, and the limiting collection does. Includes, excludes and limiting
//! collections may be target groups (with those nested below them) or collections by rule; a rule may name collections, too.
//! What a [`Plan`] decides of one computer depends on that computer alone.

mod explain;
mod order;
mod rule;
mod system;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use explain::{Explanation, Verdict};
pub use order::{Circle, Link, affected};
pub use rule::{RuleError, named_in};
pub use system::system_name;

use crate::{ids::CollectionId, targeting::MAX_DEPTH};

/// A collection that is not a target group, as an administrator defined it. `R` is its rule in whatever form the caller can
/// evaluate it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Definition<R> {
    /// Its id.
    pub id: CollectionId,
    /// Computers that it holds are members.
    pub rule: Option<R>,
    /// Collections that the rule names.
    pub named: Vec<CollectionId>,
    /// Members of these are members.
    pub includes: Vec<CollectionId>,
    /// Members of these are not members, whatever else says so.
    pub excludes: Vec<CollectionId>,
    /// Only members of this one are members; none is All Computers.
    pub limiting: Option<CollectionId>,
}

/// A target group, as far as membership is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: CollectionId,
    /// What it is nested in.
    pub parent: Option<CollectionId>,
}

/// What puts a computer into a collection. One membership may have several.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// An administrator put it there.
    Direct,
    /// The collection's rule.
    Rule,
    /// An included collection.
    Include,
}

/// What an administrator, or the computer by naming groups, decided for one computer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Assigned {
    /// Target groups that it is in.
    pub groups: Vec<CollectionId>,
    /// Collections by rule that it was put into directly.
    pub direct: Vec<CollectionId>,
}

/// Definitions, ready to be asked about computers.
#[derive(Clone, Debug)]
pub struct Plan<R> {
    /// Collections by rule, each after those that it depends on.
    nodes: Vec<Node<R>>,
    /// Positions in the facts' row of places: first the groups, then the nodes.
    places: BTreeMap<CollectionId, usize>,
    /// For each group, its place and those of the groups above it.
    paths: Vec<Vec<usize>>,
    circle: Option<Circle>,
}

#[derive(Clone, Debug)]
struct Node<R> {
    id: CollectionId,
    rule: Option<R>,
    includes: Vec<Place>,
    excludes: Vec<Place>,
    limiting: Place,
    /// It depends on itself: nobody is a member.
    broken: bool,
}

/// What a reference points to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// All Computers.
    Everyone,
    /// A collection that is not there.
    Nobody,
    /// A group or a node.
    At(usize),
}

/// Answers about one computer while a plan is evaluated. `inside` tells whether the computer is in a collection that the rule
/// names.
pub trait Judge<R> {
    /// Whether a rule holds.
    fn holds(&self, rule: &R, inside: &dyn Fn(CollectionId) -> bool) -> bool;
}

impl<R, F: Fn(&R, &dyn Fn(CollectionId) -> bool) -> bool> Judge<R> for F {
    fn holds(&self, rule: &R, inside: &dyn Fn(CollectionId) -> bool) -> bool {
        self(rule, inside)
    }
}

/// Where one computer is, while it is found out.
struct Inside<'p, R> {
    plan: &'p Plan<R>,
    at: Vec<bool>,
    assigned: bool,
}

impl<R> Inside<'_, R> {
    fn place(&self, place: Place) -> bool {
        match place {
            Place::Everyone => true,
            Place::Nobody => false,
            Place::At(at) => self.at.get(at).copied().unwrap_or_default(),
        }
    }

    fn collection(&self, id: CollectionId) -> bool {
        match id {
            CollectionId::ALL_COMPUTERS => true,
            CollectionId::UNASSIGNED_COMPUTERS => !self.assigned,
            id => self.plan.places.get(&id).is_some_and(|at| self.place(Place::At(*at))),
        }
    }
}

impl<R> Plan<R> {
    /// Takes definitions and target groups, in any order. Of several with one id the last counts. Collections that depend on
    /// themselves have no members; see [`Plan::circle`].
    pub fn new(definitions: Vec<Definition<R>>, groups: &[Group]) -> Self {
        let parents: BTreeMap<CollectionId, Option<CollectionId>> =
            groups.iter().map(|group| (group.id, group.parent)).collect();
        // Unassigned Computers is a place like a group, whether it was given or not
        let grouped: BTreeSet<CollectionId> =
            parents.keys().copied().chain([CollectionId::UNASSIGNED_COMPUTERS]).collect();
        let definitions: BTreeMap<CollectionId, Definition<R>> = definitions
            .into_iter()
            .filter(|definition| !grouped.contains(&definition.id))
            .map(|definition| (definition.id, definition))
            .collect();
        let arranged = order::arrange(&definitions);
        let mut places: BTreeMap<CollectionId, usize> = grouped.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        places.extend(arranged.order.iter().enumerate().map(|(at, id)| (*id, grouped.len() + at)));
        let paths = grouped.iter().map(|id| path(*id, &parents, &places)).collect();
        let place = |id: &CollectionId| match *id {
            CollectionId::ALL_COMPUTERS => Place::Everyone,
            id => places.get(&id).map_or(Place::Nobody, |at| Place::At(*at)),
        };
        let mut definitions = definitions;
        let nodes = arranged.order.iter().filter_map(|id| definitions.remove(id)).map(|definition| Node {
            includes: definition.includes.iter().map(place).collect(),
            excludes: definition.excludes.iter().map(place).collect(),
            limiting: definition.limiting.as_ref().map_or(Place::Everyone, place),
            broken: arranged.broken.contains(&definition.id),
            id: definition.id,
            rule: definition.rule,
        });
        let nodes = nodes.collect();
        Self { nodes, places, paths, circle: arranged.circle }
    }

    /// A circle among the definitions, if there is one.
    pub fn circle(&self) -> Option<&Circle> {
        self.circle.as_ref()
    }

    /// No collection is defined by a rule: there is nothing to evaluate.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The rules, each with its collection.
    pub fn rules(&self) -> impl Iterator<Item = (CollectionId, &R)> {
        self.nodes.iter().filter_map(|node| Some((node.id, node.rule.as_ref()?)))
    }

    /// The collections by rule, in an order in which each comes after those that it depends on.
    pub fn collections(&self) -> impl Iterator<Item = CollectionId> {
        self.nodes.iter().map(|node| node.id)
    }

    /// Whether a collection is one of those that this plan decides.
    pub fn decides(&self, id: CollectionId) -> bool {
        self.places.get(&id).is_some_and(|at| *at >= self.paths.len())
    }

    /// The collections by rule that hold a computer, with all that puts it into each; ascending.
    pub fn evaluate(&self, assigned: &Assigned, judge: &impl Judge<R>) -> Vec<(CollectionId, Source)> {
        let mut found = Vec::new();
        self.walk(assigned, judge, |node, sources| found.extend(sources.iter().map(|source| (node.id, *source))));
        found.sort_unstable();
        found
    }

    /// Where a computer is in the end; `member` hears of each collection that holds it.
    fn walk<'p>(
        &'p self,
        assigned: &Assigned,
        judge: &impl Judge<R>,
        mut member: impl FnMut(&'p Node<R>, &[Source]),
    ) -> Inside<'p, R> {
        let mut inside = self.groups(assigned);
        let first = self.paths.len();
        for (at, node) in self.nodes.iter().enumerate() {
            let sources = node.sources(assigned, judge, &inside);
            if !sources.is_empty() && node.lets(&inside) {
                member(node, &sources);
                if let Some(place) = inside.at.get_mut(first + at) {
                    *place = true;
                }
            }
        }
        inside
    }

    fn groups(&self, assigned: &Assigned) -> Inside<'_, R> {
        let mut inside = Inside { plan: self, at: vec![false; self.paths.len() + self.nodes.len()], assigned: false };
        let own = assigned.groups.iter().filter(|id| **id != CollectionId::UNASSIGNED_COMPUTERS);
        for path in own.filter_map(|id| self.paths.get(*self.places.get(id)?)) {
            inside.assigned = true;
            for at in path {
                if let Some(place) = inside.at.get_mut(*at) {
                    *place = true;
                }
            }
        }
        if let Some(place) = self.places.get(&CollectionId::UNASSIGNED_COMPUTERS).and_then(|at| inside.at.get_mut(*at))
        {
            *place = !inside.assigned;
        }
        inside
    }
}

impl<R> Node<R> {
    /// What puts a computer here.
    fn sources(&self, assigned: &Assigned, judge: &impl Judge<R>, inside: &Inside<'_, R>) -> Vec<Source> {
        let mut sources = Vec::new();
        if self.broken {
            return sources;
        }
        if assigned.direct.contains(&self.id) {
            sources.push(Source::Direct);
        }
        if self.rule.as_ref().is_some_and(|rule| judge.holds(rule, &|id| inside.collection(id))) {
            sources.push(Source::Rule);
        }
        if self.includes.iter().any(|place| inside.place(*place)) {
            sources.push(Source::Include);
        }
        sources
    }

    /// No exclude and no limit stands against it.
    fn lets(&self, inside: &Inside<'_, R>) -> bool {
        inside.place(self.limiting) && !self.excludes.iter().any(|place| inside.place(*place))
    }
}

/// A group's place and those above it, All Computers included, as far as precedence follows them. Loops are cut, and parents that are not there end the path.
fn path(
    group: CollectionId,
    parents: &BTreeMap<CollectionId, Option<CollectionId>>,
    places: &BTreeMap<CollectionId, usize>,
) -> Vec<usize> {
    let mut path = Vec::new();
    let mut next = Some(group);
    while let Some(at) = next.and_then(|id| places.get(&id)) {
        if path.contains(at) || path.len() > MAX_DEPTH {
            break;
        }
        path.push(*at);
        next = next.and_then(|id| parents.get(&id).copied().flatten());
    }
    path
}
