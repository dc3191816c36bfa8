//! The tree of collections, as somebody sees it.

use std::collections::HashMap;

use weir_api::Reference;
use weir_model::{
    ids::{CollectionId, ComputerId},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError, collection::CollectionRow, computer::DirectoryRow};

use crate::admin::AdminError;

/// What answers call a collection that they do not name.
pub(crate) const OUTSIDE: &str = "a collection outside the limit";

/// All collections with their places, as a principal sees them: through the tree of a limited principal, collections outside its
/// scope are not found, and no collection holds a computer outside it.
pub(crate) struct Tree {
    pub(crate) rows: Vec<CollectionRow>,
    pub(super) parents: HashMap<CollectionId, Option<CollectionId>>,
    pub(super) scope: Scope,
}

impl Tree {
    /// The tree of who is not limited.
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        Self::within(tx, &Scope::Everything)
    }

    /// The tree of a principal.
    pub(crate) fn within(tx: &ReadTx<'_>, scope: &Scope) -> Result<Self, StoreError> {
        let rows = tx.collection_list()?;
        let parents = rows.iter().map(|row| (row.id, row.parent)).collect();
        Ok(Self { rows, parents, scope: scope.clone() })
    }

    /// Whether something is left out.
    pub(crate) fn is_limited(&self) -> bool {
        self.scope.is_limited()
    }

    /// Whether a collection lies within the scope.
    pub(crate) fn sees(&self, id: CollectionId) -> bool {
        self.scope.contains(id, |inner, outer| self.lies_within(inner, outer))
    }

    /// Whether a computer with these collections lies within the scope.
    pub(crate) fn sees_any(&self, groups: &[CollectionId]) -> bool {
        let Scope::Collections(own) = &self.scope else { return true };
        own.iter().any(|outer| match *outer {
            CollectionId::ALL_COMPUTERS => true,
            CollectionId::UNASSIGNED_COMPUTERS if groups.is_empty() => true,
            outer => groups.iter().any(|group| self.is_within(*group, outer)),
        })
    }

    /// Refuses a computer outside the scope, as if it were not there.
    pub(crate) fn check_computer(&self, id: &ComputerId, groups: &[CollectionId]) -> Result<(), AdminError> {
        if self.sees_any(groups) { Ok(()) } else { Err(AdminError::missing("computer", id, "weir computers list")) }
    }

    /// Refuses to act on a collection outside the scope. To act on All Computers takes them in the scope; to ask about them does
    /// not, and is told of those within.
    pub(crate) fn check_target(&self, id: CollectionId) -> Result<(), AdminError> {
        if self.sees(id) {
            return Ok(());
        }
        Err(AdminError::Forbidden {
            code: "forbidden",
            detail: format!("the principal is limited to collections, and {:?} is not one of them", self.name(id)),
            next_step: Some("choose one of: weir collections list".to_owned()),
        })
    }

    /// Whether an answer names a collection: one of the scope, or All Computers, which everybody knows.
    pub(crate) fn may_name(&self, id: CollectionId) -> bool {
        id == CollectionId::ALL_COMPUTERS || self.sees(id)
    }

    /// The name of a collection in a sentence, if an answer names it.
    pub(crate) fn shown_name(&self, id: CollectionId) -> String {
        if self.may_name(id) { self.name(id) } else { OUTSIDE.to_owned() }
    }

    pub(crate) fn name(&self, id: CollectionId) -> String {
        self.rows.iter().find(|row| row.id == id).map_or_else(|| id.to_string(), |row| row.name.clone())
    }

    pub(crate) fn reference(&self, id: CollectionId) -> Reference {
        Reference { id: id.0, name: self.name(id) }
    }

    /// The collection of that id or name. One outside the scope is not there; All Computers is, and holds those within.
    pub(crate) fn find(&self, text: &str) -> Result<&CollectionRow, AdminError> {
        let text = text.trim();
        let id: Option<CollectionId> = text.parse().ok();
        let key = weir_model::name::key(text);
        self.rows
            .iter()
            .find(|row| Some(row.id) == id)
            .or_else(|| self.rows.iter().find(|row| weir_model::name::key(&row.name) == key))
            .filter(|row| row.id == CollectionId::ALL_COMPUTERS || self.sees(row.id))
            .ok_or_else(|| AdminError::missing("collection", format!("{text:?}"), "weir collections list"))
    }

    /// A collection and those above it.
    pub(crate) fn path(&self, from: CollectionId) -> impl Iterator<Item = CollectionId> {
        // parents form a tree; the bound only guards against damaged data
        let path = std::iter::successors(Some(from), move |id| self.parents.get(id).copied().flatten());
        path.take(self.rows.len() + 1)
    }

    /// Whether `inner` is `outer` or below it.
    pub(crate) fn is_within(&self, inner: CollectionId, outer: CollectionId) -> bool {
        self.path(inner).any(|id| id == outer)
    }

    /// The same, where everything lies below All Computers.
    pub(crate) fn lies_within(&self, inner: CollectionId, outer: CollectionId) -> bool {
        outer == CollectionId::ALL_COMPUTERS || self.is_within(inner, outer)
    }

    /// Whether a computer is in a collection or in one below it, and within the scope.
    pub(crate) fn holds(&self, collection: CollectionId, computer: &DirectoryRow) -> bool {
        if !self.sees_any(&computer.groups) {
            return false;
        }
        if collection == CollectionId::ALL_COMPUTERS {
            return true;
        }
        if computer.groups.is_empty() {
            return collection == CollectionId::UNASSIGNED_COMPUTERS;
        }
        self.holds_any(collection, &computer.groups)
    }

    /// Whether one of these collections is that one or below it, and one lies within the scope.
    pub(crate) fn holds_any(&self, collection: CollectionId, groups: &[CollectionId]) -> bool {
        if !self.sees_any(groups) {
            return false;
        }
        collection == CollectionId::ALL_COMPUTERS || groups.iter().any(|group| self.is_within(*group, collection))
    }
}
