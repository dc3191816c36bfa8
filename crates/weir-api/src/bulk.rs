//! Changes of many things at once, each with what became of it. (Of updates: [`crate::update_edit`].)
//!
//! * `POST computers-change` takes a [`ComputersChange`], `POST deployments-change` a [`DeploymentsChange`], `POST alerts-change`
//!   an [`AlertsChange`]; all answer [`Changed`].
//!
//! Things are changed in short transactions, some at a time. A request that is understood is answered with 200 whatever became
//! of the things: look at `failed`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{compliance::ComputerState, freshness::Freshness};

/// What is done with computers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputersAction {
    /// Put into a collection.
    AddTo,
    /// Forgotten; one that still scans here comes back.
    Delete,
    /// Taken out of a collection where an administrator put them into it.
    RemoveFrom,
}

/// Computers by what they are; what is absent does not matter.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ComputerSelection {
    /// In the collection of this name or id, or in one below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Reported by this downstream server, by name or GUID; `this` for those that scan here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Of this class of freshness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// Days without a call after which a computer is silent, 1 to 3650.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_days: Option<u32>,
    /// Part of the name, id or address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// For which this expression holds, as in `GET computers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// With this as the worst state of their updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ComputerState>,
}

/// Changes computers, named by `ids` or by a `filter`, one of them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputersChange {
    /// Their ids, at most 10,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Those that this holds for; refused if they are more than 10,000. An empty filter holds for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ComputerSelection>,
    /// What is done with them.
    pub action: ComputersAction,
    /// The collection, by name or id, where the action needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Change nothing, and say what would become of each.
    #[serde(default)]
    pub preview: bool,
}

/// What is done with deployments.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentsAction {
    /// Deleted.
    Delete,
    /// Switched off.
    Disable,
    /// Switched on.
    Enable,
}

/// Changes deployments.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentsChange {
    /// Their numbers, 1 to 10,000 of them.
    pub ids: Vec<i32>,
    /// What is done with them.
    pub action: DeploymentsAction,
    /// Change nothing, and say what would become of each.
    #[serde(default)]
    pub preview: bool,
}

/// What is done with alerts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertsAction {
    /// Known: not told again.
    Acknowledge,
    /// Closed, those that do not close by themselves.
    Close,
    /// Told to nobody for a while.
    Mute,
    /// Told again.
    Unmute,
}

/// Changes alerts.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertsChange {
    /// Their numbers, 1 to 10,000 of them.
    pub ids: Vec<i64>,
    /// What is done with them.
    pub action: AlertsAction,
    /// Until when they are muted: RFC 3339, or from now such as `+4h`; at most a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// At most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Change nothing, and say what would become of each.
    #[serde(default)]
    pub preview: bool,
}

/// What became of one thing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemResult {
    /// It is, or would be, other than before.
    Changed,
    /// It was refused, or failed; nothing of it was done.
    Failed,
    /// It was so already.
    Unchanged,
}

/// One thing of a change of many.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangedItem {
    /// Its id or number.
    pub id: String,
    /// What became of it.
    pub result: ItemResult,
    /// Why it failed, for programs, as in a problem.
    pub code: Option<String>,
    /// Why it failed.
    pub detail: Option<String>,
}

/// What became of many things.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// Things that were named or that the filter holds for, each once.
    pub matched: u64,
    /// Those that are, or would be, other than before.
    pub changed: u64,
    /// Those that were so already.
    pub unchanged: u64,
    /// Those that were refused.
    pub failed: u64,
    /// Nothing was changed.
    pub preview: bool,
    /// All of them, in the order in which they were named.
    pub items: Vec<ChangedItem>,
}
