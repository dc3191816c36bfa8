//! `exposure/levels` and `exposure/exceptions`: by when exposed computers have to be fixed, and who answers for those that
//! are not.
//!
//! * `GET exposure/levels` answers [`Levels`], `PATCH` takes a [`LevelsChange`], `DELETE` goes back to the proposed ones.
//! * `GET exposure/exceptions` answers a [`crate::List`] of [`Exception`] ([`ExceptionQuery`]), `POST` takes an
//!   [`ExceptionCreate`], `DELETE exposure/exceptions/{id}` removes one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Reference;

/// Days of service levels; null is no level.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureLevels)]
pub struct Levels {
    /// Rated critical.
    pub critical: Option<u16>,
    /// Rated important.
    pub important: Option<u16>,
    /// Rated moderate.
    pub moderate: Option<u16>,
    /// Rated low.
    pub low: Option<u16>,
    /// Neither rated nor scored.
    pub unrated: Option<u16>,
    /// Known to be exploited.
    pub exploited: Option<u16>,
    /// So many days before the end it is due soon.
    pub due_soon: u16,
    /// They are the proposed ones: nobody set any.
    pub proposed: bool,
    /// When they were set.
    pub changed_at: Option<Timestamp>,
    /// By whom.
    pub changed_by: Option<String>,
}

/// A change of service levels: days from 1 to 3650, 0 for no level; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ExposureLevelsChange)]
pub struct LevelsChange {
    /// Rated critical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<u16>,
    /// Rated important.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub important: Option<u16>,
    /// Rated moderate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderate: Option<u16>,
    /// Rated low.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<u16>,
    /// Neither rated nor scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrated: Option<u16>,
    /// Known to be exploited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploited: Option<u16>,
    /// So many days before the end it is due soon, 1 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_soon: Option<u16>,
}

/// Query parameters of `GET exposure/exceptions`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExceptionQuery {
    /// Also those that are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A new exception: about a CVE or an update, on a collection or a computer.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ExposureExceptionCreate)]
pub struct ExceptionCreate {
    /// The CVE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cve: Option<String>,
    /// The update, by GUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<Uuid>,
    /// On computers of this collection and of those below it, by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// On this computer, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
    /// Who answers for it, 1 to 200 characters.
    pub owner: String,
    /// Why, 1 to 1000 characters.
    pub reason: String,
    /// From when on it does not count any more, at most two years from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An exception from service levels.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureException)]
pub struct Exception {
    /// Its id.
    pub id: Uuid,
    /// The CVE that it is about.
    pub cve: Option<String>,
    /// The update that it is about.
    pub update: Option<Reference>,
    /// The collection that it holds on.
    pub collection: Option<Reference>,
    /// The computer that it holds on.
    pub computer: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// From when on it does not count any more.
    pub expires_at: Timestamp,
    /// It is over.
    pub expired: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}
