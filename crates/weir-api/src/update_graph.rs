//! How updates hang together, and the document that says so.
//!
//! * `GET updates/{id}/relations?depth=&limit=` answers an [`UpdateGraph`].
//! * `GET updates/{id}/document` answers the original document, byte for byte (`application/xml`).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::update::UpdateKind;

/// Query parameters of `GET updates/{id}/relations`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RelationsQuery {
    /// How many steps away from the update, 1 to 5; default 2. Categories and detectoids are not followed further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// At most this many updates, 1 to 500; default 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What one update says of another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// `from` is a bundle with `to` as a member.
    Bundles,
    /// `from` has `to` among the alternatives of a prerequisite.
    Requires,
    /// `from` replaces `to`.
    Supersedes,
}

/// An update among others.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RelatedUpdate {
    /// Its id.
    pub id: Uuid,
    /// Its title; empty if it is not in the catalogue.
    pub title: String,
    /// Its kind; null if it is not in the catalogue.
    #[serde(rename = "type")]
    pub kind: Option<UpdateKind>,
    /// Declined here.
    pub declined: bool,
    /// Withdrawn by its publisher.
    pub expired: bool,
    /// Steps from the update that was asked for.
    pub depth: u32,
}

/// A relation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
pub struct Relation {
    /// Which of them.
    pub kind: RelationKind,
    /// Whose document says so, in its newest revision.
    pub from: Uuid,
    /// Of what.
    pub to: Uuid,
}

/// An update with what it hangs together with.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateGraph {
    /// The update that was asked for.
    pub root: Uuid,
    /// It and the others, nearest first.
    pub updates: Vec<RelatedUpdate>,
    /// What is said of each other by those in `updates`.
    pub relations: Vec<Relation>,
    /// There are more than the limit; those that are farther away are left out.
    pub truncated: bool,
}
