//! What an object of each kind says. Fields are never renamed or dropped within a version; unknown ones are refused, since
//! they would be decisions that are not followed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use weir_model::{
    criteria::Rule,
    targeting::{CollectionKind, DeploymentAction},
};

/// [`super::Kind::Setting`], version 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its value.
    pub value: Value,
}

/// [`super::Kind::Selection`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Everything selected: GUIDs or short names of languages.
    pub values: Vec<String>,
}

/// [`super::Kind::Criterion`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// The rule, with its name.
    pub rule: Rule,
}

/// [`super::Kind::UpdateGroup`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroup {
    /// Its name.
    pub name: String,
    /// Ids of its updates, ascending.
    pub updates: Vec<Uuid>,
}

/// [`super::Kind::Collection`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// The collection it is nested in; none for All Computers.
    pub parent: Option<Uuid>,
    /// How it gets members.
    pub kind: CollectionKind,
    /// Its computers are sent deployed updates only.
    pub approved_only: bool,
    /// IANA zone of "client local time"; none inherits.
    pub time_zone: Option<String>,
}

/// [`super::Kind::Decline`], version 1: that it is there says all.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {}

/// [`super::Kind::EulaAcceptance`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EulaAcceptance {
    /// Id of the licence.
    pub eula_id: String,
}

/// [`super::Kind::Deployment`], version 1. What is deployed, and to whom, is in the object's id.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// By which every server knows it.
    pub guid: Uuid,
    /// Only this revision; none follows the newest.
    pub revision: Option<u32>,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline_at: Option<Timestamp>,
    /// It may be switched off.
    pub enabled: bool,
}
