//! `content`: the files of updates.
//!
//! * `GET content?state=&cursor=&limit=` answers [`ContentList`].
//! * `POST content` takes `multipart/form-data`, any number of parts named `file`, and answers [`ContentAdded`]. A file
//!   is stored when its digests are those of a file that an update names.
//! * `GET content/status` answers [`ContentStatus`]: what is awaited, what is on its way, what rests and why.
//! * `GET content/forecast` answers a [`crate::List`] of [`ContentForecast`]: what each mode would need.
//! * `POST content/verify?wait=` reads everything again, `POST content/repair?wait=` also takes in what lies in the content
//!   folder under other names and has what is missing fetched, `POST content/gc?dry_run=&undeployed=&min_age_hours=&wait=`
//!   removes what nobody needs. Each answers a [`ContentJob`], which `GET content/jobs/{id}` follows and
//!   `DELETE content/jobs/{id}` cancels; `GET content/jobs` lists the newest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use weir_model::{
    content::ContentMode,
    ids::{ContentDigest, Sha256Digest},
};

/// Whether a file is here.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentState {
    /// It was here and is not any more: gone, or put aside because it changed.
    Absent,
    /// Here, its digests verified.
    Present,
    /// Not here, and a deployment waits for it.
    Waiting,
}

/// Query parameters of `GET content`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ContentQuery {
    /// Only files in this state; without it those that are or were here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ContentState>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentFile {
    /// SHA-1, upper-case hexadecimal: its name in the protocols.
    #[schema(value_type = String)]
    pub digest: ContentDigest,
    /// SHA-256, upper-case hexadecimal, where documents give it.
    #[schema(value_type = Option<String>)]
    pub sha256: Option<Sha256Digest>,
    /// File name of the metadata.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Whether it is here.
    pub state: ContentState,
    /// Where it can be fetched from.
    pub sources: Vec<String>,
    /// Why the last attempt to fetch it failed.
    pub error: Option<String>,
}

/// Answer of `GET content`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentList {
    /// One page of files, by digest.
    pub items: Vec<ContentFile>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
    /// Files stored and verified.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// Files that deployments wait for.
    pub waiting_files: u64,
    /// Their size together, in bytes.
    pub waiting_bytes: u64,
    /// When it was found out which files are awaited, if not for this answer: some seconds before where there are many, a minute at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// Why a file was refused or failed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentError {
    /// The file name of its part, or its digest.
    pub file: String,
    /// What is wrong with it.
    pub message: String,
}

/// Answer of `POST content`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentAdded {
    /// Files stored.
    pub added: u64,
    /// Files that were here already.
    pub unchanged: u64,
    /// Files refused.
    pub rejected: u64,
    /// Why, at most the first 1000.
    pub errors: Vec<ContentError>,
}

/// What verifying found.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentVerified {
    /// Files read.
    pub checked: u64,
    /// Files that are what they should be.
    pub good: u64,
    /// Files quarantined or gone; the errors say which.
    pub bad: u64,
    /// Why, at most the first 1000.
    pub errors: Vec<ContentError>,
}

/// What repairing did.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentRepaired {
    /// Files read.
    pub checked: u64,
    /// Files found bad or gone.
    pub bad: u64,
    /// Files that lay in the content folder unknown or under another name, and are in their place now.
    #[serde(default)]
    pub adopted: u64,
    /// Files in the content folder that no update names; they stay.
    #[serde(default)]
    pub unknown: u64,
    /// Their size together, in bytes.
    #[serde(default)]
    pub unknown_bytes: u64,
    /// Files that will be fetched from their source in the background.
    pub queued: u64,
    /// Files that are wanted and have no source: add them with `weir content add`.
    pub without_source: u64,
    /// Why files were bad, at most the first 1000.
    pub errors: Vec<ContentError>,
}

/// Query parameters of `POST content/verify` and `POST content/repair`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WaitQuery {
    /// Answer when it is done, not when it has begun.
    #[serde(default)]
    pub wait: bool,
}

/// Query parameters of `POST content/gc`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CollectQuery {
    /// Say what would be removed, and remove nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Remove files of live updates, too, that no deployment needs.
    #[serde(default)]
    pub undeployed: bool,
    /// Keep what came within so many hours; 24 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age_hours: Option<u32>,
    /// Answer when it is done, not when it has begun.
    #[serde(default)]
    pub wait: bool,
}

/// What collecting removed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentCollected {
    /// Whether nothing was removed on purpose.
    pub dry_run: bool,
    /// Files removed, or that would be.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// Files that nobody needs and that came too short a time ago.
    #[serde(default)]
    pub young: u64,
    /// Files removed that had been put aside for more than 30 days.
    #[serde(default)]
    pub quarantined: u64,
    /// Their size together, in bytes.
    #[serde(default)]
    pub quarantined_bytes: u64,
}

/// Long work on content.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentTask {
    /// Fetching files.
    Download,
    /// Removing what nobody needs.
    Gc,
    /// Verifying, taking in what lies around, fetching again.
    Repair,
    /// Reading every file again.
    Verify,
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentJobState {
    /// Someone stopped it.
    Cancelled,
    /// It ended well.
    Done,
    /// It ended badly, or did not do everything.
    Failed,
    /// It is being worked on.
    Running,
    /// It waits for its turn.
    Waiting,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentJobProgress {
    /// Files done.
    pub files: u64,
    /// Of so many.
    pub files_total: u64,
    /// Bytes done.
    pub bytes: u64,
    /// Of so many.
    pub bytes_total: u64,
}

/// A job on content.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentJob {
    /// Its id.
    pub id: Uuid,
    /// What it does.
    pub task: ContentTask,
    /// Where it is.
    pub state: ContentJobState,
    /// How far it is.
    pub progress: ContentJobProgress,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What verifying found.
    pub verified: Option<ContentVerified>,
    /// What repairing did.
    pub repaired: Option<ContentRepaired>,
    /// What collecting removed.
    pub collected: Option<ContentCollected>,
    /// Why it ended badly.
    pub error: Option<String>,
}

/// What a file is awaited for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentReason {
    /// A deployment needs it.
    Deployment,
    /// Files of every live update are kept.
    Everything,
    /// Licence terms, which computers need to scan.
    Licence,
    /// A downstream server asked for it.
    Request,
}

/// Files that are awaited for one reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentAwaited {
    /// The most urgent one, if there are several.
    pub reason: ContentReason,
    /// How many.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
}

/// A file on its way.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentTransfer {
    /// SHA-1, upper-case hexadecimal.
    #[schema(value_type = String)]
    pub digest: ContentDigest,
    /// File name of the metadata.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Bytes that are here.
    pub got: u64,
    /// Where it comes from.
    pub host: String,
}

/// Fetching, while it goes on.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentRun {
    /// Its job.
    pub job: Uuid,
    /// Since when.
    pub since: Timestamp,
    /// Files fetched by it.
    pub fetched: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Bytes that came over the wire.
    pub bytes: u64,
    /// How fast, lately.
    pub bytes_per_second: u64,
    /// How long the rest will take at that rate; null while that is unknown.
    pub seconds_left: Option<u64>,
    /// Files on their way.
    pub files: Vec<ContentTransfer>,
}

/// Why files wait that could be fetched.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentHeld {
    /// In words.
    pub reason: String,
    /// How many.
    pub files: u64,
    /// Their bytes that are still to come.
    pub bytes: u64,
}

/// A file that is tried again later.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentResting {
    /// SHA-1, upper-case hexadecimal.
    #[schema(value_type = String)]
    pub digest: ContentDigest,
    /// File name of the metadata.
    pub name: String,
    /// Failures in a row.
    pub failures: u32,
    /// When it is tried again.
    pub until: Timestamp,
    /// Why the last attempt failed.
    pub reason: String,
}

/// A deployment that waits for content.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentDeployment {
    /// Its number.
    pub id: i32,
    /// Title of its update.
    pub title: String,
    /// Name of its collection.
    pub collection: String,
    /// Files that it waits for.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
}

/// Answer of `GET content/status`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentStatus {
    /// Which files are fetched (`content.mode`).
    #[schema(value_type = String)]
    pub mode: ContentMode,
    /// Fetching is paused (`content.download` is false).
    pub paused: bool,
    /// Express files are kept.
    pub express: bool,
    /// Languages whose files are kept; empty is all of them.
    pub languages: Vec<String>,
    /// The upstream server has the files of its updates.
    pub upstream_serves: bool,
    /// Files stored and verified.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// Files that are awaited.
    pub waiting_files: u64,
    /// Their size together, in bytes.
    pub waiting_bytes: u64,
    /// Bytes of these that are here already.
    pub waiting_bytes_here: u64,
    /// What is awaited, by reason.
    pub awaited: Vec<ContentAwaited>,
    /// Fetching, if it goes on.
    pub running: Option<ContentRun>,
    /// Why files wait that could be fetched.
    pub held: Option<ContentHeld>,
    /// Files that are tried again later.
    pub resting_files: u64,
    /// The first 100 of them, by time.
    pub resting: Vec<ContentResting>,
    /// Deployments that wait for content.
    pub deployments_waiting: u64,
    /// The first 100 of them.
    pub deployments: Vec<ContentDeployment>,
    /// Bytes that the disk of the content folder has left.
    pub free_bytes: u64,
    /// Bytes that stay free (`content.reserve_gib`).
    pub reserve_bytes: u64,
    /// Bytes that content may take (`content.quota_gib`).
    pub quota_bytes: Option<u64>,
    /// When it was found out what is awaited, if not for this answer: some seconds before where there are many files, a minute at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// What keeping content would need in one mode.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentForecast {
    /// Which.
    #[schema(value_type = String)]
    pub mode: ContentMode,
    /// It is the one that holds.
    pub current: bool,
    /// The room it needs.
    pub room: ContentRoom,
    /// Missing files for which no source is known.
    pub without_source: u64,
    /// Files that computers fetch elsewhere.
    pub elsewhere: u64,
    /// Files of other languages than the chosen ones, or express files, that are not kept.
    pub left_out: u64,
    /// When the files were counted, if not for this answer: a quarter of an hour before at most, where there are many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// What some content needs, and whether there is room for it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentRoom {
    /// Files.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// Of these, here.
    pub files_here: u64,
    /// Of these, here.
    pub bytes_here: u64,
    /// Bytes to be fetched.
    pub bytes_to_fetch: u64,
    /// Bytes that are to be fetched for something else anyway.
    pub bytes_pending: u64,
    /// Bytes that the disk has left now.
    pub free_bytes: u64,
    /// Bytes that it has left when all of this is here.
    pub free_after: u64,
    /// Bytes of content when all of this is here.
    pub used_after: u64,
    /// Bytes that content may take (`content.quota_gib`).
    pub quota_bytes: Option<u64>,
    /// What keeps it from being stored, in words; null if nothing does.
    pub problem: Option<String>,
}
