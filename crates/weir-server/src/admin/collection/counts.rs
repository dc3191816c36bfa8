//! How many computers are in collections: added up from the distinct sets of collections that computers have, which the index of
//! compliance counts. What it costs grows with these sets, not with computers, and not with collections times sets.

use std::collections::{BTreeSet, HashMap};

use weir_model::ids::CollectionId;

use super::Tree;

/// Members of a collection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Members {
    /// In the collection itself.
    pub(super) direct: u64,
    /// In it or in one below it.
    pub(super) below: u64,
}

/// Members of all collections that have some, as far as the tree shows them. `sizes`: distinct sets of collections, with how many
/// computers have each; one without any collection is in Unassigned Computers.
pub(super) fn count(
    tree: &Tree,
    sizes: impl IntoIterator<Item = (Box<[CollectionId]>, u64)>,
) -> HashMap<CollectionId, Members> {
    let mut members: HashMap<CollectionId, Members> = HashMap::new();
    let mut all = 0;
    for (set, computers) in sizes.into_iter().filter(|(set, _)| tree.sees_any(set)) {
        all += computers;
        for id in &set {
            members.entry(*id).or_default().direct += computers;
        }
        // each once, however many of the collections lie below it
        let above: BTreeSet<CollectionId> = set.iter().flat_map(|id| tree.path(*id)).collect();
        for id in above {
            members.entry(id).or_default().below += computers;
        }
    }
    members.insert(CollectionId::ALL_COMPUTERS, Members { direct: all, below: all });
    members
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;
    use weir_model::{ids::ChangeNumber, rights::Scope, targeting::CollectionKind};
    use weir_store::collection::CollectionRow;

    use super::*;

    const ALL: CollectionId = CollectionId::ALL_COMPUTERS;
    const UNASSIGNED: CollectionId = CollectionId::UNASSIGNED_COMPUTERS;

    fn group(number: u128) -> CollectionId {
        CollectionId(Uuid::from_u128(number))
    }

    fn tree(parents: &[(CollectionId, Option<CollectionId>)], scope: Scope) -> Tree {
        let row = |(id, parent): &(CollectionId, Option<CollectionId>)| CollectionRow {
            id: *id,
            name: id.to_string(),
            parent: *parent,
            kind: CollectionKind::TargetGroup,
            approved_only: false,
            time_zone: None,
            description: None,
            built_in: parent.is_none(),
            change: ChangeNumber(1),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: String::new(),
        };
        Tree { rows: parents.iter().map(row).collect(), parents: parents.iter().copied().collect(), scope }
    }

    #[test]
    fn computers_count_once_for_each_collection_above_them() {
        let [outer, inner, other, loops, again] = [1, 2, 3, 4, 5].map(group);
        let parents = [
            (ALL, None),
            (UNASSIGNED, Some(ALL)),
            (outer, Some(ALL)),
            (inner, Some(outer)),
            (other, Some(outer)),
            // damaged data must not stop the server
            (loops, Some(again)),
            (again, Some(loops)),
        ];
        let tree = tree(&parents, Scope::Everything);
        let sets: [(&[CollectionId], u64); 5] =
            [(&[UNASSIGNED], 7), (&[inner], 5), (&[inner, other], 3), (&[outer, inner], 2), (&[loops], 1)];
        let found = count(&tree, sets.map(|(set, computers)| (set.into(), computers)));
        for (id, direct, below) in [
            (ALL, 18, 18),
            (UNASSIGNED, 7, 7),
            (outer, 2, 10),
            (inner, 10, 10),
            (other, 3, 3),
            (loops, 1, 1),
            (again, 0, 1),
        ] {
            assert_eq!(found.get(&id), Some(&Members { direct, below }), "{id}");
            // as it is decided for one computer
            let holds = |(set, _): &&(&[CollectionId], u64)| tree.holds_any(id, set);
            assert_eq!(sets.iter().filter(holds).map(|(_, computers)| computers).sum::<u64>(), below, "{id}");
        }
        assert_eq!(count(&tree, []).get(&ALL), Some(&Members::default()));
    }

    #[test]
    fn computers_outside_the_scope_are_not_counted() {
        let [outer, inner, other] = [1, 2, 3].map(group);
        let parents =
            [(ALL, None), (UNASSIGNED, Some(ALL)), (outer, Some(ALL)), (inner, Some(outer)), (other, Some(ALL))];
        let sets: [(&[CollectionId], u64); 4] =
            [(&[UNASSIGNED], 7), (&[inner], 5), (&[inner, other], 3), (&[other], 2)];
        let counted = |scope: &[CollectionId]| {
            let tree = tree(&parents, Scope::Collections(scope.iter().copied().collect()));
            count(&tree, sets.map(|(set, computers)| (set.into(), computers)))
        };
        let found = counted(&[outer]);
        // a computer of two collections is seen by whom one of them is shown
        for (id, direct, below) in [(ALL, 8, 8), (outer, 0, 8), (inner, 8, 8), (other, 3, 3)] {
            assert_eq!(found.get(&id), Some(&Members { direct, below }), "{id}");
        }
        assert_eq!(found.get(&UNASSIGNED), None);
        assert_eq!(counted(&[UNASSIGNED]).get(&ALL), Some(&Members { direct: 7, below: 7 }));
        assert_eq!(counted(&[]), HashMap::from([(ALL, Members::default())]));
    }
}
