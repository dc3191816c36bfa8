//! `content`: the files of updates.
//!
//! * `GET content?state=&cursor=&limit=` answers [`ContentList`].
//! * `POST content` takes `multipart/form-data`, any number of parts named `file`, and answers [`ContentAdded`]. A file
//!   is stored when its digests are those of a file that an update names.
//! * `POST content/verify` reads everything again and answers [`ContentVerified`]; a bad file is quarantined.
//! * `POST content/repair` verifies, then fetches what is missing from its source, and answers [`ContentRepaired`].
//! * `POST content/gc?dry_run=` removes what no update names any more and answers [`ContentCollected`].

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weir_model::ids::{ContentDigest, Sha256Digest};

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

/// Answer of `POST content/verify`.
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

/// Answer of `POST content/repair`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentRepaired {
    /// Files read.
    pub checked: u64,
    /// Files found bad or gone.
    pub bad: u64,
    /// Files that will be fetched from their source in the background.
    pub queued: u64,
    /// Files that are wanted and have no source: add them with `weir content add`.
    pub without_source: u64,
    /// Why files were bad, at most the first 1000.
    pub errors: Vec<ContentError>,
}

/// Query parameters of `POST content/gc`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CollectQuery {
    /// Say what would be removed, and remove nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Answer of `POST content/gc`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentCollected {
    /// Whether nothing was removed on purpose.
    pub dry_run: bool,
    /// Files removed, or that would be.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
}
