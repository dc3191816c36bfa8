//! `client-settings`: what the site tells the agents of its computers.
//!
//! * `GET client-settings` answers a [`crate::List`] of [`ClientSettingsSet`], the default set first, then by priority;
//!   `POST` takes a [`ClientSettingsCreate`] and answers a [`ClientSettingsSet`] (201).
//! * `GET client-settings/{set}` answers a [`ClientSettingsSet`], `PATCH` takes a [`ClientSettingsChange`], `DELETE` removes
//!   the set; `{set}` is an id or a name.
//! * `POST` and `DELETE client-settings/{set}/collections` take a [`ClientSettingsCollections`] and deploy the set, or take
//!   it back.
//! * `GET client-setting-definitions` answers a [`crate::List`] of [`ClientSettingDefinition`].
//! * `GET computers/{id}/client-settings` and `GET collections/{collection}/client-settings` answer
//!   [`ResultantClientSettings`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Reference;

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientSettingDefinition {
    /// Its name, such as `scan.schedule`.
    pub key: String,
    /// Its number in the inventory of features, such as `CS-2`.
    pub id: String,
    /// Which values it takes, in words.
    pub values: String,
    /// Its value if nobody sets it.
    pub default: Value,
    /// What it does.
    pub meaning: String,
    /// `core`, `expected` or `beyond`.
    pub mark: String,
    /// Who acts upon it: `policy: NAMES OF REGISTRY VALUES`, `server: HOW` or `stored: WHY`.
    pub honoured: Vec<String>,
}

/// Something that is allowed and probably not meant.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientSettingWarning {
    /// The setting.
    pub key: String,
    /// What becomes of it.
    pub message: String,
}

/// A set of settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientSettingsSet {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// It is the one that holds for every computer.
    pub default: bool,
    /// 1 is the strongest; null for the default set, which is weaker than all others.
    pub priority: Option<u32>,
    /// What it sets, by key.
    pub settings: BTreeMap<String, Value>,
    /// What it is deployed to; none for the default set.
    pub collections: Vec<Reference>,
    /// It comes from the server above and cannot be changed here.
    pub from_parent: bool,
    /// When it was changed last; null if it never was.
    pub changed_at: Option<Timestamp>,
    /// By whom.
    pub changed_by: Option<String>,
    /// What of it is probably not meant.
    pub warnings: Vec<ClientSettingWarning>,
}

/// A new set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSettingsCreate {
    /// 1 to 256 characters, unique without regard to case.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its priority; the sets from there on become weaker. Without it the new one is the weakest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// What it sets, by key: JSON of the setting's type, or its text form.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    /// Names or ids of the collections that it is deployed to.
    #[serde(default)]
    pub collections: Vec<String>,
}

/// A change of a set; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettingsChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Another priority; the others make room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Settings to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// Settings that it leaves to weaker sets again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
}

/// Where to deploy a set, or from where to take it back.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSettingsCollections {
    /// Names or ids.
    pub collections: Vec<String>,
}

/// A value that another was stronger than.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BeatenClientSetting {
    /// Name of the set.
    pub set: String,
    /// Its priority; null for the default set.
    pub priority: Option<u32>,
    /// Its value.
    pub value: Value,
}

/// What holds of one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResultantClientSetting {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Where that comes from: `built_in`, `default_set` or `custom_set`.
    pub origin: String,
    /// The set that it comes from.
    pub set: Option<Reference>,
    /// The priority of that set.
    pub priority: Option<u32>,
    /// The collections by which the set reaches the computer.
    pub collections: Vec<Reference>,
    /// What it beat, the strongest first.
    pub beat: Vec<BeatenClientSetting>,
}

/// What holds for a computer, or for a computer that is in one collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResultantClientSettings {
    /// Its collections, with those above them.
    pub collections: Vec<Reference>,
    /// Every setting.
    pub settings: Vec<ResultantClientSetting>,
    /// What of them is probably not meant.
    pub warnings: Vec<ClientSettingWarning>,
}
