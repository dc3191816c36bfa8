//! In which order collections can be evaluated, and the circles that make it impossible.

use std::collections::{BTreeMap, BTreeSet};

use super::Definition;
use crate::ids::CollectionId;

/// How one collection depends on another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Link {
    /// It includes it.
    Includes,
    /// It excludes it.
    Excludes,
    /// It is limited by it.
    LimitedBy,
    /// Its rule names it.
    Names,
}

impl Link {
    /// In words, between two names.
    pub fn words(self) -> &'static str {
        match self {
            Self::Includes => "includes",
            Self::Excludes => "excludes",
            Self::LimitedBy => "is limited by",
            Self::Names => "has a rule that names",
        }
    }
}

/// Collections that depend on each other in a circle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Circle {
    /// Each depends on the next in the way given, the last on the first. Begins with the lowest id.
    pub path: Vec<(CollectionId, Link)>,
}

impl Circle {
    /// The circle in words; `name` gives the name of a collection.
    pub fn describe(&self, name: impl Fn(CollectionId) -> String) -> String {
        let next = self.path.iter().cycle().skip(1);
        let steps = self.path.iter().zip(next).enumerate().map(|(at, ((from, link), (to, _)))| {
            let from = if at == 0 { format!("{:?} ", name(*from)) } else { "which ".to_owned() };
            format!("{from}{} {:?}", link.words(), name(*to))
        });
        steps.collect::<Vec<_>>().join(", ")
    }
}

pub(super) struct Arranged {
    /// All definitions; each after those that it depends on, as far as there is no circle.
    pub(super) order: Vec<CollectionId>,
    /// On a circle, or dependent on one.
    pub(super) broken: BTreeSet<CollectionId>,
    pub(super) circle: Option<Circle>,
}

impl<R> Definition<R> {
    /// What it depends on.
    fn links(&self) -> impl Iterator<Item = (Link, CollectionId)> {
        let of = |link: Link| move |id: &CollectionId| (link, *id);
        let named = self.named.iter().map(of(Link::Names));
        self.includes
            .iter()
            .map(of(Link::Includes))
            .chain(self.excludes.iter().map(of(Link::Excludes)))
            .chain(self.limiting.iter().map(of(Link::LimitedBy)))
            .chain(named)
    }
}

/// The collections whose members may be others when `before` becomes `after`: those whose own definition is another one, and all
/// that depend on those.
pub fn affected<R: PartialEq>(
    before: &BTreeMap<CollectionId, Definition<R>>,
    after: &BTreeMap<CollectionId, Definition<R>>,
) -> BTreeSet<CollectionId> {
    let mut found: BTreeSet<CollectionId> =
        after.iter().filter(|(id, definition)| before.get(id) != Some(*definition)).map(|(id, _)| *id).collect();
    let gone = before.keys().filter(|id| !after.contains_key(id));
    let mut queue: Vec<CollectionId> = found.iter().chain(gone).copied().collect();
    while let Some(changed) = queue.pop() {
        for (id, definition) in after {
            if definition.links().any(|(_, to)| to == changed) && found.insert(*id) {
                queue.push(*id);
            }
        }
    }
    found
}

/// Arranges definitions: again and again those of which everything they depend on is arranged. What is left is on a circle or
/// depends on one.
pub(super) fn arrange<R>(definitions: &BTreeMap<CollectionId, Definition<R>>) -> Arranged {
    let mut waits: BTreeMap<CollectionId, usize> = BTreeMap::new();
    let mut waited_for: BTreeMap<CollectionId, Vec<CollectionId>> = BTreeMap::new();
    for (id, definition) in definitions {
        let on: BTreeSet<CollectionId> =
            definition.links().map(|(_, to)| to).filter(|to| definitions.contains_key(to)).collect();
        waits.insert(*id, on.len());
        for to in on {
            waited_for.entry(to).or_default().push(*id);
        }
    }
    let mut ready: BTreeSet<CollectionId> = waits.iter().filter(|(_, on)| **on == 0).map(|(id, _)| *id).collect();
    let mut order = Vec::with_capacity(definitions.len());
    while let Some(id) = ready.pop_first() {
        order.push(id);
        waits.remove(&id);
        for waiting in waited_for.get(&id).into_iter().flatten() {
            if let Some(on) = waits.get_mut(waiting) {
                *on -= 1;
                if *on == 0 {
                    ready.insert(*waiting);
                }
            }
        }
    }
    let broken: BTreeSet<CollectionId> = waits.into_keys().collect();
    let circle = circle(definitions, &broken);
    order.extend(&broken);
    Arranged { order, broken, circle }
}

/// Follows the first dependency within `left` from its first until one comes again: there is no way out of it.
fn circle<R>(definitions: &BTreeMap<CollectionId, Definition<R>>, left: &BTreeSet<CollectionId>) -> Option<Circle> {
    let mut path: Vec<(CollectionId, Link)> = Vec::new();
    let mut at = *left.first()?;
    loop {
        if let Some(begin) = path.iter().position(|(id, _)| *id == at) {
            let mut path = path.split_off(begin);
            let lowest = path.iter().enumerate().min_by_key(|(_, (id, _))| *id).map_or(0, |(place, _)| place);
            path.rotate_left(lowest);
            return Some(Circle { path });
        }
        let (link, next) = definitions.get(&at)?.links().find(|(_, to)| left.contains(to))?;
        path.push((at, link));
        at = next;
    }
}
