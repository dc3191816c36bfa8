//! The order in which staged revisions become part of the catalogue: what others need comes first, so that its numbers are
//! lower, as those of a Windows server are.

use std::collections::HashMap;

use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    update::UpdateType,
};
use weir_store::staging::StagedHead;

/// The staged numbers in the order of promotion. Cycles are cut where they are met; what is not staged does not count.
pub(super) fn arrange(heads: &[StagedHead]) -> Vec<i64> {
    let mut by_update: HashMap<UpdateId, Vec<usize>> = HashMap::with_capacity(heads.len());
    let mut by_identity: HashMap<UpdateIdentity, usize> = HashMap::with_capacity(heads.len());
    for (index, head) in heads.iter().enumerate() {
        by_update.entry(head.identity.update_id).or_default().push(index);
        by_identity.insert(head.identity, index);
    }
    let revision = |index: &usize| heads.get(*index).map(|head| head.identity.revision);
    for revisions in by_update.values_mut() {
        revisions.sort_by_key(revision);
    }
    let mut roots: Vec<usize> = (0..heads.len()).collect();
    roots.sort_by_key(|index| heads.get(*index).map(|head| (rank(head.update_type), head.no)));

    let needs = |index: usize| -> Vec<usize> {
        let Some(head) = heads.get(index) else { return Vec::new() };
        let of = |update: &UpdateId| by_update.get(update).map(Vec::as_slice).unwrap_or_default();
        let older = of(&head.identity.update_id).iter().copied().take_while(|other| *other != index);
        let prerequisites = head.prerequisites.iter().flat_map(|update| of(update).iter().copied());
        let members = head.bundled.iter().filter_map(|member| by_identity.get(member).copied());
        older.chain(prerequisites).chain(members).collect()
    };
    let mut seen = vec![false; heads.len()];
    let mut order = Vec::with_capacity(heads.len());
    for root in roots {
        // depth first without recursion: chains may be long
        let mut open: Vec<(usize, std::vec::IntoIter<usize>)> = Vec::new();
        let mut entering = Some(root);
        loop {
            if let Some(index) = entering.take() {
                if let Some(seen @ false) = seen.get_mut(index) {
                    *seen = true;
                    open.push((index, needs(index).into_iter()));
                }
            }
            let Some((index, children)) = open.last_mut() else { break };
            entering = children.next();
            if entering.is_none() {
                order.extend(heads.get(*index).map(|head| head.no));
                open.pop();
            }
        }
    }
    order
}

fn rank(kind: UpdateType) -> u8 {
    match kind {
        UpdateType::Category => 0,
        UpdateType::Detectoid => 1,
        UpdateType::Driver | UpdateType::Software => 2,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn update(number: u128) -> UpdateId {
        UpdateId(Uuid::from_u128(number))
    }

    fn head(no: i64, id: (u128, u32), prerequisites: &[u128], bundled: &[(u128, u32)]) -> StagedHead {
        StagedHead {
            no,
            identity: UpdateIdentity::new(update(id.0), id.1),
            update_type: UpdateType::Software,
            category: None,
            prerequisites: prerequisites.iter().map(|id| update(*id)).collect(),
            bundled: bundled.iter().map(|(id, revision)| UpdateIdentity::new(update(*id), *revision)).collect(),
        }
    }

    #[test]
    fn what_others_need_comes_first() {
        let mut category = head(4, (40, 1), &[], &[]);
        category.update_type = UpdateType::Category;
        let heads = [
            head(1, (10, 1), &[40, 99], &[(20, 1), (30, 2)]),
            head(2, (20, 1), &[30], &[]),
            head(3, (30, 2), &[], &[]),
            category,
        ];
        assert_eq!(arrange(&heads), [4, 3, 2, 1]);
    }

    #[test]
    fn older_revisions_come_before_newer_ones_and_cycles_end() {
        let heads = [head(1, (10, 3), &[20], &[]), head(2, (10, 1), &[10], &[]), head(3, (20, 1), &[10], &[(20, 1)])];
        let order = arrange(&heads);
        assert_eq!(order.len(), 3);
        let place = |no| order.iter().position(|other| *other == no).expect("there");
        assert!(place(2) < place(1));
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let heads: Vec<StagedHead> =
            (0..50_000_u32).map(|n| head(i64::from(n), (u128::from(n), 1), &[u128::from(n) + 1], &[])).collect();
        let order = arrange(&heads);
        assert_eq!((order.len(), order.first(), order.last()), (50_000, Some(&49_999), Some(&0)));
    }
}
