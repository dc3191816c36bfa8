//! Scopes by name. That a scope is kept is the work of [`Tree`], through which every handler finds collections and asks which
//! computers they hold.

use std::collections::BTreeSet;

use weir_api::Reference;
use weir_model::{ids::CollectionId, rights::Scope};
use weir_store::{ReadTx, StoreError};

use crate::admin::{AdminError, collection::Tree};

/// The scope that a list of names means: none is everything.
pub(crate) fn named(tree: &Tree, names: &[String]) -> Result<Scope, AdminError> {
    if names.is_empty() {
        return Ok(Scope::Everything);
    }
    let ids: Result<BTreeSet<CollectionId>, AdminError> = names.iter().map(|name| Ok(tree.find(name)?.id)).collect();
    Ok(Scope::Collections(ids?))
}

/// The collections of a scope by name, and whether it is limited at all.
pub(crate) fn shown(tree: &Tree, scope: &Scope) -> (Vec<Reference>, bool) {
    match scope {
        Scope::Everything => (Vec::new(), false),
        Scope::Collections(ids) => (ids.iter().map(|id| tree.reference(*id)).collect(), true),
    }
}

/// Whether one scope lies within another.
pub(crate) fn covers(tx: &ReadTx<'_>, outer: &Scope, inner: &Scope) -> Result<bool, StoreError> {
    if !outer.is_limited() {
        return Ok(true);
    }
    let tree = Tree::read(tx)?;
    Ok(outer.covers(inner, |inner, outer| tree.lies_within(inner, outer)))
}
