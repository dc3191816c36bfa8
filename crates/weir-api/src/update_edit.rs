//! Changing many updates, licences, and fetching updates by name.
//!
//! * `POST updates-change` takes an [`UpdatesChange`] and answers [`UpdatesChanged`].
//! * `GET updates/{id}/eula?language=` answers a [`Licence`]; `POST updates/{id}/eula` accepts it and answers it.
//! * `GET updates-licences` answers a [`crate::List`] of [`AwaitedLicence`].
//! * `POST updates-fetch` takes an [`UpdatesFetch`] and answers [`crate::sync::SyncStarted`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Reference;

/// Which updates are changed, and how. Either `ids`, or a `filter`, or all updates of `superseded_for_days`; what is given
/// beside ids or a filter narrows them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatesChange {
    /// GUIDs, at most 10,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// A filter as in `GET updates`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Only those that something has superseded for so many days, 0 to 3650, by the creation of what does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_for_days: Option<u32>,
    /// Decline them (true), or take declines back (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<bool>,
    /// Maximum run time in minutes, 5 to 9999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_time_minutes: Option<u32>,
    /// The maximum run time is again what holds by default.
    #[serde(default)]
    pub default_run_time: bool,
    /// Severity of the administrator's own: `critical`, `important`, `moderate`, `low` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_severity: Option<String>,
    /// Change nothing, and say what would be changed.
    #[serde(default)]
    pub preview: bool,
}

/// Answer of `POST updates-change`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdatesChanged {
    /// Updates that were asked for, without what is left out.
    pub matched: u64,
    /// Those among them that are, or would be, other than before.
    pub changed: u64,
    /// Categories and detectoids that the filter holds for and that are not declined: others need them.
    pub left_out: u64,
    /// Nothing was changed.
    pub preview: bool,
    /// The first of those that are changed, at most 20.
    pub samples: Vec<Reference>,
}

/// The licence of an update.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Licence {
    /// The update.
    pub update: Reference,
    /// Id of the licence; updates share licences.
    pub eula: String,
    /// It is accepted, for every update that has it.
    pub accepted: bool,
    /// By whom, for this update.
    pub accepted_by: Option<String>,
    /// Languages that it is there in.
    pub languages: Vec<String>,
    /// The language of `text`.
    pub language: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// The text, if its file is here; control words of RTF are left in.
    pub text: Option<String>,
    /// What to do next.
    pub next_step: Option<String>,
}

/// A licence that nobody accepted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AwaitedLicence {
    /// An update that has it.
    pub update: Reference,
    /// Its id.
    pub eula: String,
}

/// Updates to be fetched from the upstream server whatever is chosen there.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatesFetch {
    /// GUID, or GUID@REVISION; 1 to 100 of them.
    pub updates: Vec<String>,
}
