//! What an object of each kind says. Fields are never renamed or dropped within a version; unknown ones are refused, since
//! they would be decisions that are not followed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use weir_model::{
    criteria::Rule,
    deployment::{Template, Terms},
    targeting::{CollectionKind, DeploymentAction},
    update::Severity,
    window::WindowKind,
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

/// [`super::Kind::SavedSearch`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSearch {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Filter in its canonical text, by ids.
    pub filter: Option<String>,
    /// Words that are looked for.
    pub text: Option<String>,
    /// By what it is sorted.
    pub sort: Option<String>,
}

/// [`super::Kind::UpdateGroup`], version 1 and 2.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroup {
    /// Its name.
    pub name: String,
    /// From version 2 on: what people should know of it. Without that it is written as version 1.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Ids of its updates, ascending.
    pub updates: Vec<Uuid>,
}

/// [`super::Kind::Collection`], version 1 and 2.
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
    /// From version 2 on: what version 1 does not say. There is no version 2 without it, and no version 1 with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<CollectionMore>,
}

/// What [`Collection`] says from version 2 on. Who is a member is found by each site for its own computers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionMore {
    /// What it is for.
    pub description: Option<String>,
    /// An expression over computers, with ids in the place of names.
    pub rule: Option<String>,
    /// Included collections, ascending.
    pub includes: Vec<Uuid>,
    /// Excluded collections, ascending.
    pub excludes: Vec<Uuid>,
    /// The limiting collection; none is All Computers.
    pub limiting: Option<Uuid>,
}

/// [`super::Kind::MaintenanceWindow`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// Whose computers: a collection.
    pub collection: Uuid,
    /// Its name, unique in its collection.
    pub name: String,
    /// Text form of the schedule, with its first day; without a zone it is read in the zone of each computer.
    pub recurrence: String,
    /// How long it lasts.
    pub minutes: u32,
    /// What may run in it.
    pub kind: WindowKind,
    /// It counts.
    pub enabled: bool,
}

/// [`super::Kind::ClientSettings`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// 1 is the strongest; 0 is the default set's.
    pub priority: u32,
    /// Values in their text form, by key.
    pub settings: std::collections::BTreeMap<String, String>,
    /// What it is deployed to, ascending.
    pub collections: Vec<Uuid>,
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

/// [`super::Kind::UpdateStop`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateStop {
    /// Why.
    pub reason: String,
}

/// [`super::Kind::DeploymentTemplate`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentTemplate {
    /// Its name.
    pub name: String,
    /// What it says.
    pub template: Template,
}

/// [`super::Kind::UpdateSetting`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateSetting {
    /// How long it may take to install, in minutes, if an administrator chose that.
    pub run_time_minutes: Option<u32>,
    /// The severity that an administrator gave it.
    pub custom_severity: Option<Severity>,
}

/// [`super::Kind::Deployment`], version 1 and 2. What is deployed, and to whom, is in the object's id.
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
    /// From version 2 on: its name, its settings. None are those by default: then it is written as version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
}

/// [`super::Kind::Rule`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentRule {
    /// The rule, with its name.
    pub rule: weir_model::rule::Rule,
}

/// [`super::Kind::Phased`], version 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phased {
    /// What was written.
    pub plan: weir_model::phase::Plan,
    /// The update group.
    pub group: Uuid,
}
