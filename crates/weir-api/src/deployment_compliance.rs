//! `compliance/deployments`: how computers stand with what was deployed to them.
//!
//! * `GET compliance/deployments?collection=&cursor=&limit=` answers a [`crate::List`] of [`DeploymentCompliance`], oldest first.
//! * `GET compliance/deployments/{id}` answers [`DeploymentCompliance`].
//! * `GET compliance/deployments/{id}/computers?status=&enforcement=&cursor=&limit=` answers a [`crate::List`] of
//!   [`DeploymentStanding`].
//!
//! Statuses are those of a deployment's compliance; enforcement says as much of the way there as reports carry. An agent does not
//! report that it downloads or installs at this moment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Reference, deployment::Action};

/// How a computer stands with a deployment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentStatus {
    /// It has what was asked for, or needs none of it.
    Compliant,
    /// Not there yet.
    InProgress,
    /// The last attempt failed.
    Error,
    /// It never reported, or not since some of the updates came.
    Unknown,
}

/// What is known of the way there, in the words of the reports `enforcement` and those that go into its detail.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Done.
    Success,
    /// None of the updates applies.
    NotApplicable,
    /// The deployment detects or blocks: there is nothing to be done, whatever the state.
    NothingToEnforce,
    /// Done, effective after a restart.
    PendingRestart,
    /// Downloaded, not installed.
    Downloaded,
    /// To be done, and it may begin: the deadline or a user decides when.
    PendingInstallation,
    /// To be done, and it may begin when the next maintenance window does.
    WaitingForWindow,
    /// To be done, and not offered: files are missing at the server.
    WaitingForContent,
    /// To be done, and not offered: the available time lies ahead.
    NotYetAvailable,
    /// To be done, and not offered: the deployment is switched off.
    Disabled,
    /// Still to be done after the deadline.
    Overdue,
    /// The last attempt failed.
    Failed,
    /// It reports, and could not evaluate all of it yet.
    NotEvaluated,
    /// It never reported.
    NeverReported,
    /// It is asked about none of the updates: they are declined or replaced, or outside of its scope.
    NotAsked,
}

/// Query parameters of `GET compliance/deployments`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeploymentComplianceQuery {
    /// Only deployments to the collection of this name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 200; default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Query parameters of `GET compliance/deployments/{id}/computers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeploymentStandingQuery {
    /// Only computers with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<DeploymentStatus>,
    /// Only computers that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub enforcement: Option<Enforcement>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Computers by status.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusCounts {
    /// Compliant.
    pub compliant: u64,
    /// In progress.
    pub in_progress: u64,
    /// Error.
    pub error: u64,
    /// Unknown.
    pub unknown: u64,
}

/// How the computers of a deployment stand, in numbers: what lists of deployments say of each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentFigures {
    /// Members of the collection and of those below it.
    pub computers: u64,
    /// Compliant.
    pub compliant: u64,
    /// In progress.
    pub in_progress: u64,
    /// Error.
    pub error: u64,
    /// Unknown.
    pub unknown: u64,
    /// Computers that stopped calling: what they said last counts all the same.
    pub silent: u64,
    /// Computers that call, and stopped reporting in full.
    pub not_reporting: u64,
    /// Of the compliant ones, those whose reports are current (`compliance/freshness`).
    pub compliant_current: u64,
}

/// Computers that are at one point of the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnforcementCount {
    /// Where.
    pub enforcement: Enforcement,
    /// The status that this is.
    pub status: DeploymentStatus,
    /// How many.
    pub computers: u64,
}

/// How a deployment stands over the members of its collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentCompliance {
    /// Its number.
    pub id: i32,
    /// Its name, else the title of the update or the name of the group.
    pub name: String,
    /// To whom.
    pub collection: Reference,
    /// What for.
    pub action: Action,
    /// From when.
    pub available: Timestamp,
    /// Until when at the latest.
    pub deadline: Option<Timestamp>,
    /// It is switched on.
    pub enabled: bool,
    /// Updates that it deploys.
    pub updates: u64,
    /// Members of the collection and of those below it. Some may be offered something else by a deployment that is nearer.
    pub computers: u64,
    /// Compliant ones in percent, one decimal; null without computers, or if nobody is asked about any of the updates.
    pub percent: Option<f64>,
    /// Computers by status.
    pub statuses: StatusCounts,
    /// The same in detail; points at which no computer is are left out.
    pub enforcement: Vec<EnforcementCount>,
    /// Computers that stopped calling: what they said last counts all the same.
    pub silent: u64,
    /// Computers that call, and stopped reporting in full.
    pub not_reporting: u64,
    /// Of the compliant ones, those whose reports are current (`compliance/freshness`).
    pub compliant_current: u64,
    /// When the oldest roll-up arrived, of the servers below whose computers are counted; null if there are none.
    pub rolled_up: Option<Timestamp>,
    /// Of when this is: when it was read who called. That may be some seconds ago where there are many computers, a minute at most; all
    /// else is as it is now.
    pub as_of: Timestamp,
}

/// How one computer stands with a deployment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentStanding {
    /// What it calls itself.
    pub id: String,
    /// Its DNS name.
    pub name: String,
    /// The downstream server that it scans against; null for this one.
    pub server: Option<Reference>,
    /// Its status.
    pub status: DeploymentStatus,
    /// Where it is.
    pub enforcement: Enforcement,
    /// The last error of an update of the deployment, as an HRESULT.
    pub error: Option<String>,
    /// Its last call.
    pub last_contact: Timestamp,
    /// Its last status report.
    pub last_report: Option<Timestamp>,
}
