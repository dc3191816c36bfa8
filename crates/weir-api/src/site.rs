//! `sites`: the tree of sites and the state of every update point in it.
//!
//! * `GET sites` answers a [`crate::List`] of [`Site`], top down; `POST sites` takes [`SiteCreate`] and answers
//!   [`SiteCreated`] (201).
//! * `GET` and `DELETE sites/{site}`; `{site}` is an id or a name.
//! * `POST sites/{site}/enrolment` takes [`EnrolmentRequest`] and answers [`EnrolmentCode`] (201).
//! * `DELETE parent` takes [`LeaveQuery`], takes this server out of the tree above it and answers [`Left`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
pub use weir_model::site::SiteKind;

use crate::Reference;

/// A new site.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteCreate {
    /// 1 to 64 letters, digits and `.`, `_`, `-`; unique without regard to case.
    pub name: String,
    /// `central`, `primary`, `secondary`, or `replica` for a further update point of the site it stands below.
    #[schema(value_type = String)]
    pub kind: SiteKind,
    /// Name or id of the site above; this server by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
    /// This server itself is the site: gives the top its name and kind. Always so for a central site.
    #[serde(default)]
    pub here: bool,
}

/// Answer to [`SiteCreate`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteCreated {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: SiteKind,
    /// The site above; null for this server at the top.
    pub under: Option<Reference>,
    /// What this made of this server, if anything, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What to do next.
    pub next_step: String,
}

/// How to make an enrolment code.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// Where the new server reaches this one, `https://host:port`, in place of the addresses that this server knows of.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// A code to enrol with. It is a secret, works once, and is not shown again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentCode {
    /// The site.
    pub site: Reference,
    /// For `weir serve --enrol CODE`.
    pub code: String,
    /// The addresses in it.
    pub addresses: Vec<String>,
    /// SHA-256 of the certificate in it, in hexadecimal.
    pub fingerprint: String,
    /// Not accepted from here on.
    pub expires_at: Timestamp,
    /// What to run on the new server.
    pub command: String,
    /// The site has a server already, which is shut out as soon as another one enrols.
    pub replaces: bool,
}

/// How far the configuration of an update point is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigurationState {
    /// Defined; no server has enrolled.
    Defined,
    /// A code for it waits to be used.
    Invited,
    /// Its server enrolled, and has not taken over what is configured above yet.
    Pending,
    /// Its server has the configuration of the sites above.
    Configured,
    /// The site above refuses its server.
    Refused,
    /// It stands further above the server that answers, or beside it, and that one is not told of it.
    Unknown,
}

/// Phases of a synchronization (the site system's messages 6701 to 6706).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PointSyncState)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Never ran.
    #[default]
    Never,
    /// Started (6701).
    Started,
    /// Fetches metadata (6704).
    Metadata,
    /// Stores what it fetched (6705).
    Storing,
    /// Waits for the further update points of the site (6706).
    Replicas,
    /// Ended well (6702).
    Done,
    /// Ended badly (6703).
    Failed,
    /// Stopped by an administrator.
    Cancelled,
}

/// How fast a phase goes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PointProgress {
    /// Entries of the phase that are done.
    pub done: u64,
    /// Entries of the phase, as far as they are known; 0: not known.
    pub total: u64,
    /// Entries per second, over the phase.
    pub per_second: u64,
    /// Seconds until the phase is done at that rate, if the total is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// The last or current synchronization of an update point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PointSync {
    /// Where it is.
    pub state: SyncState,
    /// When it came there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it does, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// How far the phase is, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// The entries of the phase, their rate, and the time that is left at it; null when nothing runs, and from a server of
    /// an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<PointProgress>,
    /// The last error in full, until a synchronization ends well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the error means and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Warnings of the last one, if it ended well.
    #[serde(default)]
    pub warnings: u64,
    /// When one last ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Timestamp>,
}

/// What an update point says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// Identity of the server.
    pub server_id: Uuid,
    /// Name of the machine.
    pub host: String,
    /// Where computers reach it, the address to use first; none from a server of an earlier version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<String>,
    /// Version of this program.
    pub version: String,
    /// When the process started.
    pub started_at: Timestamp,
    /// Where updates come from: `microsoft`, `none`, a URL, or `parent`.
    pub source: String,
    /// Version of the catalogue that it has completely: a number that the top gives with each success; 0 for none.
    pub catalogue_version: u64,
    /// Since when it has that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_at: Option<Timestamp>,
    /// It has the configuration of the sites above.
    pub configured: bool,
    /// The kinds of decisions in which it differs from the site above, such as `collection`; none if it is in step. Null at
    /// the top, and where one of the two is of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Vec<String>>,
    /// Its synchronization.
    pub sync: PointSync,
    /// Revisions that it holds.
    pub revisions: u64,
    /// Computers that scan there.
    pub computers: u64,
    /// Open alerts.
    pub alerts: u64,
}

/// A site, or a further update point of one, with its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Site {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: SiteKind,
    /// The site above; null at the top.
    pub under: Option<Reference>,
    /// How many sites stand above it.
    pub depth: u32,
    /// It is the server that answers.
    pub here: bool,
    /// How far its configuration is.
    pub configuration: ConfigurationState,
    /// Until when its open code may be used.
    pub code_expires_at: Option<Timestamp>,
    /// When its server enrolled, if this server enrolled it.
    pub enrolled_at: Option<Timestamp>,
    /// It holds a connection to the server that answers; null if it stands not directly below that.
    pub connected: Option<bool>,
    /// When it was last heard of.
    pub last_contact: Option<Timestamp>,
    /// What it said then; null before it said anything.
    pub point: Option<Point>,
    /// It does not have the version of the catalogue that the server that answers offers.
    pub behind: bool,
    /// For how long it has been behind, in seconds; 0 if it is not.
    pub lag_seconds: u64,
}

/// How to leave.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LeaveQuery {
    /// Although servers are enrolled below this one: the tree below is forgotten, too, and its servers are shut out until
    /// they enrol again.
    #[serde(default)]
    pub force: bool,
}

/// Answer to `DELETE parent`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Left {
    /// Name of the site that was above.
    pub parent: String,
    /// What this server is now, in one sentence.
    pub note: String,
}
