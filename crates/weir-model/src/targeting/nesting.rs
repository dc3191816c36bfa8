//! Where target groups hang, so that none is deeper than everything that decides follows the tree.

use std::collections::BTreeMap;

use super::MAX_DEPTH;
use crate::ids::CollectionId;

/// Where a group is put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// What it is put into.
    pub parent: CollectionId,
    /// So many levels below All Computers, 1 to [`MAX_DEPTH`].
    pub level: usize,
    /// It would be deeper, and is put as deep as groups may be instead, below those that are above it.
    pub raised: bool,
}

/// How many levels below All Computers a collection is; parents that are not there end the way. `parents` may be damaged: loops
/// end.
pub fn level(parents: impl Fn(CollectionId) -> Option<CollectionId>, of: CollectionId) -> usize {
    let (mut at, mut level) = (of, 0);
    // one more than is allowed is all that anybody asks for
    while at != CollectionId::ALL_COMPUTERS && level <= MAX_DEPTH {
        level += 1;
        match parents(at) {
            Some(next) => at = next,
            None => break,
        }
    }
    level
}

/// Where groups of another server are put, by the parents that it names. What has no parent among them is put into All
/// Computers, and so is what is nested in itself.
pub fn places(parents: &BTreeMap<CollectionId, CollectionId>) -> BTreeMap<CollectionId, Place> {
    let root = CollectionId::ALL_COMPUTERS;
    let above = |id: &CollectionId| {
        let named = parents.get(id).copied().filter(|parent| parents.contains_key(parent));
        named.filter(|parent| *parent != CollectionId::UNASSIGNED_COMPUTERS).unwrap_or(root)
    };
    // while a way is followed, what is on it has no place: a circle comes back to it
    let mut places: BTreeMap<CollectionId, Option<Place>> = BTreeMap::new();
    for start in parents.keys().filter(|id| **id != root) {
        let (mut at, mut way) = (*start, Vec::new());
        while at != root && !places.contains_key(&at) {
            places.insert(at, None);
            way.push(at);
            at = above(&at);
        }
        let mut over = match places.get(&at) {
            Some(known) => known.map(|place| (at, place.level, place.parent)),
            None => Some((root, 0, root)),
        };
        for id in way.into_iter().rev() {
            let place = match over {
                Some((over, level, _)) if level < MAX_DEPTH => {
                    Some(Place { parent: over, level: level + 1, raised: false })
                }
                Some((_, level, beside)) => Some(Place { parent: beside, level, raised: true }),
                None => None,
            };
            over = place.map(|place| (id, place.level, place.parent));
            places.insert(id, place);
        }
    }
    let circle = Place { parent: root, level: 1, raised: false };
    places.into_iter().map(|(id, place)| (id, place.unwrap_or(circle))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};
    use uuid::Uuid;

    use super::*;

    const ROOT: CollectionId = CollectionId::ALL_COMPUTERS;

    fn group(number: u128) -> CollectionId {
        if number == 0 { ROOT } else { CollectionId(Uuid::from_u128(0x7000 + number)) }
    }

    fn chain(length: u128) -> BTreeMap<CollectionId, CollectionId> {
        (1..=length).map(|number| (group(number), group(number - 1))).collect()
    }

    #[test]
    fn levels_are_counted_from_all_computers() {
        let chain = chain(70);
        let level = |number| level(|id| chain.get(&id).copied(), group(number));
        assert_eq!([0, 1, 2, 64, 65, 66, 70].map(level), [0, 1, 2, 64, 65, 65, 65]);
        // one that is nested in itself
        assert_eq!(super::level(Some, group(1)), MAX_DEPTH + 1);
        assert_eq!(super::level(|_| None, group(1)), 1);
    }

    #[test]
    fn what_is_too_deep_is_put_as_deep_as_may_be() {
        let places = places(&chain(70));
        let of = |number| places[&group(number)];
        for (number, level) in (1..=64).zip(1_usize..) {
            assert_eq!(of(number), Place { parent: group(number - 1), level, raised: false });
        }
        for number in 65..=70 {
            assert_eq!(of(number), Place { parent: group(63), level: MAX_DEPTH, raised: true }, "{number}");
        }
    }

    #[test]
    fn what_has_no_parent_goes_to_all_computers() {
        let unassigned = CollectionId::UNASSIGNED_COMPUTERS;
        let parents = BTreeMap::from([
            (ROOT, CollectionId(Uuid::nil())),
            (unassigned, ROOT),
            (group(1), group(9)),
            (group(2), unassigned),
            (group(3), group(4)),
            (group(4), group(3)),
            (group(5), group(1)),
        ]);
        let places = places(&parents);
        let parent = |number| places[&group(number)].parent;
        assert_eq!([1, 2, 3, 4, 5].map(parent), [ROOT, ROOT, ROOT, ROOT, group(1)]);
        assert!(!places.contains_key(&ROOT));
    }

    proptest! {
        /// Whatever another server says, the groups are a tree, and none is too deep.
        #[test]
        fn groups_make_a_tree(parents in btree_map(0_u32..90, 0_u32..100, 0..90)) {
            let parents: BTreeMap<CollectionId, CollectionId> =
                parents.into_iter().map(|(id, parent)| (group(id.into()), group(parent.into()))).collect();
            let places = places(&parents);
            for (id, place) in &places {
                let counted = level(|id| places.get(&id).map(|place| place.parent), *id);
                prop_assert_eq!(counted, place.level);
                prop_assert!((1..=MAX_DEPTH).contains(&place.level));
            }
            prop_assert_eq!(places.len(), parents.keys().filter(|id| **id != ROOT).count());
        }
    }
}
