//! `phased`: phased deployments.
//!
//! * `GET phased` answers a [`crate::List`] of [`Phased`], `POST phased` takes [`PhasedCreate`] and answers [`Phased`] (201).
//! * `GET phased/{name}`, `PATCH phased/{name}` ([`PhasedChange`]) and `DELETE phased/{name}` for one.
//! * `POST phased/{name}/pause`, `resume`, `advance`, `approve` and `stop` take [`PhasedNote`] and answer [`Phased`].
//! * `GET phased/{name}/events` answers a [`crate::List`] of [`PhasedEvent`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Reference,
    deployment::{Action, DeploymentSettings},
};

/// One phase as it is written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// Its name; that of the collection by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name or id of the collection.
    pub collection: String,
    /// `install` (default) or `optional`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// It starts by hand.
    #[serde(default)]
    pub manual: bool,
    /// Else it starts so many days after the one before had its success; 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_days: Option<u16>,
    /// Its success: so many percent of its computers; 95 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_percent: Option<u8>,
    /// Or so many computers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_count: Option<u32>,
    /// Computers of which nothing is known are left out of the percentage; they count by default.
    #[serde(default)]
    pub ignore_unknown: bool,
    /// Everything stops if more percent of its computers fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failed_percent: Option<u8>,
    /// Or if more computers fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failed_count: Option<u32>,
    /// At least so many hours before the next phase starts.
    #[serde(default)]
    pub soak_hours: u32,
    /// Somebody has to approve it before the next phase starts.
    #[serde(default)]
    pub approval: bool,
    /// Days over which it becomes available, 0 to 30. Kept, and not applied yet: see the warning.
    #[serde(default)]
    pub spread_days: u8,
    /// Days from its start to its deadline: 0 is as soon as possible; 7 by default. Not for `optional`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_days: Option<u16>,
    /// A template of deployments, whose settings it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Its settings.
    #[serde(default)]
    pub settings: DeploymentSettings,
}

/// A new phased deployment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhasedCreate {
    /// Its name, unique without regard to case, at most 200 characters.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Name or id of the update group. Either this or `updates`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Ids of updates, of which a group with the name of the phased deployment is made.
    #[serde(default)]
    pub updates: Vec<Uuid>,
    /// The phases, 2 to 12. The first starts at once.
    pub phases: Vec<PhaseSpec>,
    /// Accepts the licences of the updates for this site.
    #[serde(default)]
    pub accept_eula: bool,
}

/// A change; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhasedChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All phases. Those that started must stay as they are, at their places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<Vec<PhaseSpec>>,
}

/// Why somebody does something.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhasedNote {
    /// What the history is to say, at most 256 characters.
    pub note: String,
}

/// How a phased deployment stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhasedStatus {
    /// Under way.
    Running,
    /// Somebody paused it.
    Paused,
    /// It stopped itself: too many failures.
    Failed,
    /// Somebody stopped it for good.
    Stopped,
    /// Every phase completed.
    Completed,
    /// The server above runs it; here it is only shown.
    Above,
}

/// How a phase stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStatus {
    /// It has not started.
    Waiting,
    /// It has started.
    Active,
    /// It is over.
    Completed,
}

/// Computers of a phase.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PhaseCounts {
    /// Members that are counted.
    pub targeted: u32,
    /// Compliant with every update of the group.
    pub succeeded: u32,
    /// Some update failed.
    pub failed: u32,
    /// Nothing is known of some update.
    pub unknown: u32,
}

/// A phase and how far it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Phase {
    /// Its number, from 1.
    pub number: u32,
    /// As it is written; the collection by name.
    pub spec: PhaseSpec,
    /// How it stands.
    pub status: PhaseStatus,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Since when it has its success.
    pub reached_at: Option<Timestamp>,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Its deployment.
    pub deployment: Option<i32>,
    /// Computers that were in the collection when it started.
    pub computers: PhaseCounts,
    /// Computers that joined later: they get the deployment and decide nothing.
    pub late: PhaseCounts,
    /// What the phase after it waits for, in words.
    pub gate: Option<String>,
}

/// A phased deployment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Phased {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The update group.
    pub group: Reference,
    /// How it stands.
    pub status: PhasedStatus,
    /// Its phases.
    pub phases: Vec<Phase>,
    /// When computers were looked at last.
    pub observed_at: Option<Timestamp>,
    /// What does not work as one might expect.
    pub warnings: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PhasedEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// `start`, `reached`, `lost`, `complete`, `error_stop`, `pause`, `resume`, `approve`, `stop` or `finish`.
    pub step: String,
    /// Number of the phase, from 1.
    pub phase: Option<u32>,
    /// Why.
    pub reason: String,
}
