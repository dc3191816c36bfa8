//! `compliance`: who needs what, always computed from intent and reports.
//!
//! * `GET compliance/summary?collection=&server=&group=&current=` answers [`Summary`].
//! * `GET compliance/updates?collection=&server=&group=&current=&language=&cursor=&limit=` answers a [`crate::List`] of
//!   [`UpdateCompliance`], most needed first.
//! * `GET compliance/computers?update=&state=&collection=&server=&group=&current=&cursor=&limit=` answers a [`crate::List`] of
//!   [`ComputerStanding`]: who is in which state, and why nothing is known.
//! * `GET compliance/servers?collection=&group=&current=` answers a [`crate::List`] of [`ServerSummary`]: the same by server of the
//!   tree.
//!
//! A share is one of all members everywhere. A computer that is asked about none of the updates in question is unknown; a share is
//! null if nobody is asked, or if there are no members.
//!
//! * Of deployments: [`crate::deployment_compliance`].
//! * How fresh that is: `GET compliance/freshness` ([`crate::freshness`]).
//! * What one computer needs: `GET computers/{id}`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Reference, computer::StateCounts};

/// Query parameters of `GET compliance/summary`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SummaryQuery {
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Only the updates of this update group, by name or id, deployed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Count computers that stopped calling or reporting as unknown, whatever they said last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
}

/// Query parameters of `GET compliance/updates`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UpdateComplianceQuery {
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Only the updates of this update group, by name or id, deployed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Count computers that stopped calling or reporting as unknown, whatever they said last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
    /// Short name of the language of titles; English by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `GET compliance/summary`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Members of the collection and of those below it.
    pub computers: u64,
    /// Of these, with every update installed or not applicable.
    pub compliant: u64,
    /// `compliant` in percent of `computers`, one decimal; null without computers, or if nobody is asked about any of the updates.
    pub percent: Option<f64>,
    /// Computers by state: `required` if an update is needed, `failed` if one failed, `unknown` before the first report.
    pub counts: StateCounts,
    /// Of the unknown ones, asked about none of the updates in question.
    pub not_asked: u64,
    /// Computers that stopped calling: what they said last counts all the same, unless only current ones were asked for.
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

/// One update over the computers of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateCompliance {
    /// The update.
    pub id: Uuid,
    /// Its newest revision.
    pub revision: u32,
    /// Its title.
    pub title: String,
    /// Knowledge base articles.
    pub kb: Vec<String>,
    /// All members by state; those that are not asked about it are unknown.
    pub counts: StateCounts,
    /// Of the unknown ones, not asked about it.
    pub not_asked: u64,
    /// Installed and not applicable, in percent of all members, one decimal.
    pub percent: Option<f64>,
    /// When the oldest roll-up arrived, of the servers below whose computers are counted; null if there are none.
    pub rolled_up: Option<Timestamp>,
}

/// A state, as lists are narrowed to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerState {
    /// Not known.
    Unknown,
    /// Not needed.
    NotApplicable,
    /// Needed, not installed.
    Required,
    /// Needed and downloaded.
    Downloaded,
    /// Installed.
    Installed,
    /// The last attempt failed.
    Failed,
    /// Installed, effective after a restart.
    PendingRestart,
}

/// Query parameters of `GET compliance/computers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ComputerStandingQuery {
    /// With their state of this update; otherwise each has the worst of all its states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// Only computers in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ComputerState>,
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The worst state of the updates of this update group, by name or id. Not together with `update`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Count computers that stopped calling or reporting as unknown, whatever they said last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Why nothing is known of a computer: the first that holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    /// It is asked about none of the updates.
    NotAsked,
    /// It stopped calling.
    Silent,
    /// Its last scan failed.
    ScanFailed,
    /// It never reported in full.
    NeverReported,
    /// It calls, and stopped reporting.
    NotReporting,
    /// An update came after the scan that its last report follows.
    NewerThanLastReport,
}

/// One computer in one state.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerStanding {
    /// What it calls itself.
    pub id: String,
    /// Its DNS name.
    pub name: String,
    /// The downstream server that it scans against; null for this one.
    pub server: Option<Reference>,
    /// Its state: of the update, or the worst.
    pub state: ComputerState,
    /// Why its state is unknown; null if it is known.
    pub reason: Option<UnknownReason>,
    /// Of an update: since when it has that state, by the computer's clock; null if it does not list the update.
    pub since: Option<Timestamp>,
    /// Of an update: what the last failure said, as an HRESULT. With the reason `scan_failed`: what the scan said.
    pub error: Option<String>,
    /// Its last call.
    pub last_contact: Timestamp,
    /// Its last status report.
    pub last_report: Option<Timestamp>,
}

/// Query parameters of `GET compliance/servers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ServerSummaryQuery {
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only the updates of this update group, by name or id, deployed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Count computers that stopped calling or reporting as unknown, whatever they said last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
}

/// How the computers of one server of the tree stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServerSummary {
    /// The downstream server; null for this one.
    pub server: Option<Reference>,
    /// The server below this one by which its reports come; null for this one and for those directly below.
    pub through: Option<Reference>,
    /// What they come to.
    #[serde(flatten)]
    pub summary: Summary,
    /// When its last roll-up arrived: what is told of its computers is not newer. Null for this server, whose computers report here.
    pub rolled_up_at: Option<Timestamp>,
    /// Seconds since then.
    pub age_seconds: Option<u64>,
}
