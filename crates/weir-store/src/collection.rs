//! Collections (target groups included) and who belongs to them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::CollectionKind,
};

use crate::{ReadTx, StoreError, WriteTx};

/// A collection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CollectionRow {
    /// Its id.
    pub id: CollectionId,
    /// Its name, unique without regard to case.
    pub name: String,
    /// The collection it is nested in; none for All Computers.
    pub parent: Option<CollectionId>,
    /// How it gets members.
    pub kind: CollectionKind,
    /// Its computers are sent deployed updates only.
    pub approved_only: bool,
    /// IANA zone of "client local time"; none inherits.
    pub time_zone: Option<String>,
    /// It is All Computers or Unassigned Computers.
    pub built_in: bool,
    /// Computers with a membership row (built-in collections have none).
    pub members: u64,
    /// Change number of its last change.
    pub change: ChangeNumber,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A collection to be made. The id comes from the caller's generator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewCollection {
    /// Its id.
    pub id: CollectionId,
    /// Its name, 1 to 255 characters after trimming.
    pub name: String,
    /// Where to nest it; All Computers if none.
    pub parent: Option<CollectionId>,
    /// How it gets members.
    pub kind: CollectionKind,
}

/// Why a computer is a member.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberSource {
    /// An administrator put it there.
    Manual,
    /// It asked to be there (client-side targeting).
    Requested,
    /// The collection's rule.
    Rule,
    /// Another collection is included.
    Include,
}

impl ReadTx<'_> {
    /// All collections, by name.
    pub fn collection_list(&self) -> Result<Vec<CollectionRow>, StoreError> {
        unimplemented!()
    }

    /// One collection.
    pub fn collection_show(&self, id: CollectionId) -> Result<Option<CollectionRow>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// The collection of that name, compared without regard to case.
    pub fn collection_find(&self, name: &str) -> Result<Option<CollectionRow>, StoreError> {
        let _ = name;
        unimplemented!()
    }

    /// Row numbers of the members of a collection, ascending. Built-in collections have no membership rows; for
    /// Unassigned Computers these are the computers without any, for All Computers everyone.
    pub fn collection_members(&self, id: CollectionId) -> Result<Vec<u32>, StoreError> {
        let _ = id;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Makes a collection.
    pub fn collection_create(&self, new: &NewCollection) -> Result<CollectionRow, StoreError> {
        let _ = new;
        unimplemented!()
    }

    /// Sets "approved only".
    pub fn collection_set_approved_only(&self, id: CollectionId, approved_only: bool) -> Result<(), StoreError> {
        let _ = (id, approved_only);
        unimplemented!()
    }

    /// Deletes a collection that has no deployments and no collections below it. Its memberships go with it.
    pub fn collection_delete(&self, id: CollectionId) -> Result<(), StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Makes a computer (by row number) a member. True if it was not one from this source.
    pub fn collection_add(&self, id: CollectionId, computer: u32, source: MemberSource) -> Result<bool, StoreError> {
        let _ = (id, computer, source);
        unimplemented!()
    }

    /// Takes a membership back. True if there was one from this source.
    pub fn collection_remove(&self, id: CollectionId, computer: u32, source: MemberSource) -> Result<bool, StoreError> {
        let _ = (id, computer, source);
        unimplemented!()
    }

    /// Makes the memberships of a computer from one source exactly these. True if something changed.
    pub fn computer_set_groups(
        &self,
        computer: u32,
        source: MemberSource,
        groups: &[CollectionId],
    ) -> Result<bool, StoreError> {
        let _ = (computer, source, groups);
        unimplemented!()
    }
}
