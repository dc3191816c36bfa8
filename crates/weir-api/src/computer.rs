//! `computers`: who scans here.
//!
//! * `GET computers?text=&filter=&state=&collection=&server=&freshness=&silent_days=&transport=&sort=&cursor=&limit=` answers a
//!   [`crate::List`] of [`ComputerRow`]; `GET computers-counts` takes the same filters and answers [`ComputerCounts`].
//! * `GET computers/{id}/timeline?cursor=&limit=` answers [`ComputerTimeline`].
//! * `GET computers/{id}?language=` answers [`ComputerDetail`], `PATCH computers/{id}` ([`ComputerChange`])
//!   [`ComputerChanged`], `DELETE computers/{id}` 204.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    Reference,
    compliance::ComputerState,
    freshness::{ComputerFreshness, Freshness},
    window::NextWindow,
};

/// Query parameters of `GET computers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ComputerQuery {
    /// Only computers in the collection of this name or id, or in one below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Only computers of this class of freshness, as it was a few seconds ago at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// Days without a call after which a computer is silent, 1 to 3650; the setting computers.silent_days by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_days: Option<u32>,
    /// Only computers that scan at this server and whose last call came so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Part of the name, id or address, without regard to case; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Only computers for which this expression holds, in the language of the rules of collections (`GET searches-fields`), of at most
    /// 4,096 characters and 256 terms; those that scan at another server are left out. What they reported counts at once, their
    /// addresses and the times of their calls within a minute. Example: `os ~ "server 2019" and last_contact < 7 days and needed > 0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Only computers whose updates have this as their worst state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ComputerState>,
    /// Order: `name`, `address`, `first_seen`, `last_contact` or `last_report`, with `:asc` or `:desc`; texts ascend by default,
    /// times descend. Without: the order in which they first came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How a call comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// State of an update on a computer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateState {
    /// Needed, its files are on the computer.
    Downloaded,
    /// The last attempt failed.
    Failed,
    /// There.
    Installed,
    /// Does not apply.
    NotApplicable,
    /// Installed; the computer must restart.
    PendingRestart,
    /// Needed.
    Required,
    /// Not evaluated yet.
    Unknown,
}

/// Updates of a computer by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StateCounts {
    /// Not evaluated yet.
    pub unknown: u64,
    /// Do not apply.
    pub not_applicable: u64,
    /// Needed.
    pub required: u64,
    /// Needed, files are on the computer.
    pub downloaded: u64,
    /// There.
    pub installed: u64,
    /// The last attempt failed.
    pub failed: u64,
    /// Installed; the computer must restart.
    pub pending_restart: u64,
}

/// One computer in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerRow {
    /// The id it gave itself.
    pub id: String,
    /// Its DNS name; empty until it registered.
    pub name: String,
    /// Address of its last contact.
    pub address: Option<String>,
    /// Operating system with version: the exact build where the computer tells it with its scans.
    pub os: String,
    /// Processor architecture, such as `AMD64`.
    pub architecture: String,
    /// Maker and model.
    pub model: String,
    /// The downstream server that reports it; null if it scans here.
    #[serde(default)]
    pub server: Option<Reference>,
    /// Its collections, All Computers aside.
    pub collections: Vec<Reference>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Its last contact, to within minutes.
    pub last_contact: Timestamp,
    /// Its last scan that it reported.
    pub last_sync: Option<Timestamp>,
    /// Its last report.
    pub last_report: Option<Timestamp>,
    /// What its reports are worth.
    #[serde(default)]
    pub freshness: Option<ComputerFreshness>,
    /// Its last contact was over plain HTTP.
    pub plain_http: bool,
    /// Its updates by state.
    pub counts: StateCounts,
    /// Installed or not applicable, everything; false while unknown.
    pub compliant: bool,
}

/// One computer in full.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerDetail {
    /// As in lists.
    #[serde(flatten)]
    pub row: ComputerRow,
    /// Groups that it asked to be in.
    pub requested_groups: Vec<String>,
    /// When updates may install next.
    #[serde(default)]
    pub next_window: Option<NextWindow>,
    /// IANA zone that an administrator gave it; null takes that of its collections, then the site's.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Updates that it needs.
    pub needed: Vec<ComputerUpdate>,
    /// Updates that failed.
    pub failed: Vec<ComputerUpdate>,
    /// Updates that it has.
    pub installed: Vec<ComputerUpdate>,
}

/// One update on one computer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerUpdate {
    /// The update.
    pub id: Uuid,
    /// Its newest revision.
    pub revision: u32,
    /// Its title.
    pub title: String,
    /// Knowledge base articles.
    pub kb: Vec<String>,
    /// Its state on this computer.
    pub state: UpdateState,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The last error, as `0x80070005`.
    pub error: Option<String>,
    /// What that error means; null without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_meaning: Option<String>,
    /// The deployment that wins for this computer; null: offered for detection only.
    pub deployment: Option<i32>,
    /// Why it was offered, in words.
    pub why: String,
}

/// A change of a computer; absent fields stay.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputerChange {
    /// IANA zone of its local time, such as `Europe/Amsterdam`; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Answer to [`ComputerChange`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerChanged {
    /// Its id.
    pub id: String,
    /// Its zone.
    pub time_zone: Option<String>,
}

/// How many computers a filter leaves. Cursor, limit and sort do not matter.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerCounts {
    /// Computers.
    pub computers: u64,
    /// Of these, with every update installed or not applicable.
    pub compliant: u64,
    /// Computers by the worst state of their updates.
    pub states: StateCounts,
}

/// What a computer told, newest first.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerTimeline {
    /// What happened, as far as it is kept (setting `events.days`), by when it arrived.
    pub items: Vec<TimelineEntry>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// Something that happened on a computer or with it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// When, by the clock of the computer.
    pub at: Timestamp,
    /// When it was reported.
    pub received_at: Timestamp,
    /// The number of the event (MS-WUSP 6.3).
    pub event: i32,
    /// The event in words.
    pub text: String,
    /// What it was about.
    pub update: Option<Reference>,
    /// The revision of that.
    pub revision: Option<u32>,
    /// The state that the event put the update into; null if it changes none.
    pub state: Option<UpdateState>,
    /// Its error, as `0x80070005`.
    pub error: Option<String>,
    /// What that error means.
    pub error_meaning: Option<String>,
    /// Only the newest of its kind is kept.
    pub newest_only: bool,
}
