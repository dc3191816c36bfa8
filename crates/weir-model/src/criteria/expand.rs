//! Which products a choice of products, families and companies covers.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ids::UpdateId, update::CategoryKind};

/// A node of the product tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Branch {
    /// Its update id.
    pub id: UpdateId,
    /// What kind of node.
    pub kind: CategoryKind,
    /// The node above it.
    pub parent: Option<UpdateId>,
}

/// Levels of the product tree, with room to spare; a cycle in it ends here.
const DEPTH: usize = 8;

/// The products and classifications that a choice stands for: those chosen themselves, and every product below a chosen
/// family or company as the tree is now. So a choice of a family covers products that come later. A chosen id that the
/// tree does not know stands for itself.
pub fn expand(selected: &BTreeSet<UpdateId>, tree: &[Branch]) -> BTreeSet<UpdateId> {
    let parents: BTreeMap<UpdateId, Option<UpdateId>> = tree.iter().map(|node| (node.id, node.parent)).collect();
    let chosen = |id: UpdateId| {
        let path = std::iter::successors(Some(id), |id| parents.get(id).copied().flatten());
        path.take(DEPTH).any(|id| selected.contains(&id))
    };
    let leaf = |kind| matches!(kind, CategoryKind::Product | CategoryKind::UpdateClassification);
    let below = tree.iter().filter(|node| leaf(node.kind) && chosen(node.id)).map(|node| node.id);
    let unknown = selected.iter().copied().filter(|id| !parents.contains_key(id));
    below.chain(unknown).collect()
}
