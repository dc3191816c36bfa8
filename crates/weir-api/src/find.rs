//! `search`: one box for everything.
//!
//! * `GET search?q=&limit=` answers [`Found`]: the best of each kind.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Reference, update::UpdateKind};

/// Query parameters of `GET search`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FindQuery {
    /// What to look for, 1 to 256 characters: words of a title, an article such as `KB5034123`, a CVE, the name, address or id
    /// of a computer, a part of the name of a collection, group or deployment, or an id.
    pub q: String,
    /// At most this many of each kind, 1 to 50; default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What was found, by kind.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// Updates, most relevant first.
    pub updates: Vec<FoundUpdate>,
    /// How many there are.
    pub updates_total: u64,
    /// Computers: those that are called so before those that begin so before those that have it somewhere.
    pub computers: Vec<FoundComputer>,
    /// How many there are.
    pub computers_total: u64,
    /// Collections, by name.
    pub collections: Vec<Reference>,
    /// How many there are.
    pub collections_total: u64,
    /// Update groups, by name.
    pub groups: Vec<Reference>,
    /// How many there are.
    pub groups_total: u64,
    /// Deployments, newest first.
    pub deployments: Vec<FoundDeployment>,
    /// How many there are.
    pub deployments_total: u64,
}

/// An update that was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundUpdate {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: UpdateKind,
    /// Knowledge base articles, digits only.
    pub kb: Vec<String>,
    /// When its publisher made it.
    pub created_at: Option<Timestamp>,
}

/// A computer that was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundComputer {
    /// The id it gave itself.
    pub id: String,
    /// Its DNS name; empty until it registered.
    pub name: String,
    /// Address of its last contact.
    pub address: Option<String>,
    /// Its last contact.
    pub last_contact: Timestamp,
}

/// A deployment that was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundDeployment {
    /// Its number.
    pub id: i32,
    /// The title of what it deploys.
    pub title: String,
    /// Its name; null if it has none.
    pub name: Option<String>,
    /// To whom.
    pub collection: Reference,
}
