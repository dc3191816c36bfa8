//! `collections`: target groups.
//!
//! * `GET collections` answers a [`crate::List`] of [`Collection`]; `POST collections` takes [`CollectionCreate`] and
//!   answers [`CollectionCreated`] (201).
//! * `GET`, `PATCH` ([`CollectionChange`]) and `DELETE collections/{collection}`; `{collection}` is an id or a name.
//! * `GET collections/{collection}/members` answers a [`crate::List`] of [`crate::computer::ComputerRow`]; `POST` adds and
//!   `DELETE` removes the computers of [`MemberChange`] and both answer [`MembersChanged`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Reference;

/// A new collection.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionCreate {
    /// 1 to 256 characters, unique without regard to case.
    pub name: String,
    /// Name or id of the collection above it; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its computers are sent deployed updates only (for thin links).
    #[serde(default)]
    pub approved_only: bool,
}

/// Answer to [`CollectionCreate`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CollectionCreated {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// A change of a collection; absent fields stay.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionChange {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its computers are sent deployed updates only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_only: Option<bool>,
}

/// A collection.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Collection {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The one above it; null for All Computers.
    pub parent: Option<Reference>,
    /// Cannot be renamed or deleted.
    pub built_in: bool,
    /// Its computers are sent deployed updates only.
    pub approved_only: bool,
    /// Computers directly in it (All Computers: all of them).
    pub members: u64,
    /// Computers in it or in a collection below it.
    pub members_below: u64,
    /// Deployments to it.
    pub deployments: u64,
}

/// Which computers to add or remove.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// Computer ids, at most 10,000.
    pub computers: Vec<String>,
}

/// Answer to [`MemberChange`].
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MembersChanged {
    /// Computers whose membership changed.
    pub changed: u64,
    /// Computers that were as wanted already.
    pub unchanged: u64,
}
