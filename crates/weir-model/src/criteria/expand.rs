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
    let above = Above::new(tree);
    let chosen = |id: UpdateId| above.path(id).any(|id| selected.contains(&id));
    let below = tree.iter().filter(|node| is_leaf(node.kind) && chosen(node.id)).map(|node| node.id);
    let unknown = selected.iter().copied().filter(|id| !above.0.contains_key(id));
    below.chain(unknown).collect()
}

/// The same choice without what a chosen family or company covers anyway.
pub fn least(selected: &BTreeSet<UpdateId>, tree: &[Branch]) -> BTreeSet<UpdateId> {
    let above = Above::new(tree);
    let covered = |id: UpdateId| above.path(id).skip(1).any(|id| selected.contains(&id));
    selected.iter().copied().filter(|id| !covered(*id)).collect()
}

/// The choice without `asked` and everything below them. A chosen family or company above one of them gives way to the
/// products below it as they are now; those that gave way are returned beside the choice.
pub fn exclude(
    selected: &BTreeSet<UpdateId>,
    asked: &BTreeSet<UpdateId>,
    tree: &[Branch],
) -> (BTreeSet<UpdateId>, BTreeSet<UpdateId>) {
    let above = Above::new(tree);
    let is_out = |id: UpdateId| above.path(id).any(|id| asked.contains(&id));
    let dissolved: BTreeSet<UpdateId> = asked
        .iter()
        .flat_map(|id| above.path(*id).skip(1))
        .filter(|id| selected.contains(id) && !is_out(*id))
        .collect();
    let kept = selected.iter().copied().filter(|id| !is_out(*id) && !dissolved.contains(id));
    let instead = expand(&dissolved, tree).into_iter().filter(|id| !is_out(*id));
    (kept.chain(instead).collect(), dissolved)
}

fn is_leaf(kind: CategoryKind) -> bool {
    matches!(kind, CategoryKind::Product | CategoryKind::UpdateClassification)
}

/// The node above each node.
struct Above(BTreeMap<UpdateId, Option<UpdateId>>);

impl Above {
    fn new(tree: &[Branch]) -> Self {
        Self(tree.iter().map(|node| (node.id, node.parent)).collect())
    }

    /// A node and those above it, itself first.
    fn path(&self, id: UpdateId) -> impl Iterator<Item = UpdateId> {
        std::iter::successors(Some(id), |id| self.0.get(id).copied().flatten()).take(DEPTH)
    }
}
