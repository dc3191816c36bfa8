//! `exports`: the catalogue on its way to a site without a network.
//!
//! * `POST exports?format=&content=&with=&part_bytes=` begins one and answers [`Export`] (202). For a bundle the body may
//!   hold what the receiver has: the manifest of an earlier bundle, or its inventory (`application/octet-stream`).
//! * `GET exports/{id}` answers [`Export`]. Its files appear one by one; parts of a bundle are made while earlier ones
//!   are fetched.
//! * `GET exports/{id}/files/{name}` answers the bytes, with ranges. `DELETE exports/{id}/files/{name}` (204) says that they
//!   have arrived: the server makes room for further parts.
//! * `DELETE exports/{id}` (204) ends it and forgets its files.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Problem;

/// What an export makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A Weir bundle: manifest, signature and parts.
    Bundle,
    /// A wsusutil package, one cabinet.
    Package,
}

/// Which content files a bundle holds. Licence files are always in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportContent {
    /// Everything that is here.
    All,
    /// What deployments for installation need.
    Deployed,
    /// None.
    #[default]
    None,
}

/// Query parameters of `POST exports`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// What to make.
    #[param(inline)]
    pub format: ExportFormat,
    /// Content of a bundle.
    #[serde(default)]
    #[param(inline)]
    pub content: ExportContent,
    /// Decisions in a bundle, separated by commas: `collections`, `declines`, `deployments` (with update groups and
    /// accepted licences), `selections`, `settings`, `criteria`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Largest part of a bundle in bytes; 1 GiB by default, at least 4 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_bytes: Option<u64>,
}

/// How far an export is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Everything is made.
    Done,
    /// It ended; `problem` says why.
    Failed,
    /// At work, or waiting for parts to be fetched.
    Running,
}

/// What an export is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportPhase {
    /// Writing update documents; counted in documents.
    Documents,
    /// Writing content files; counted in bytes.
    Files,
    /// Putting the catalogue into the order of its dependencies.
    Order,
    /// Waiting for parts to be fetched.
    Wait,
}

/// A file that can be fetched.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportFile {
    /// `package`, `manifest`, `signature`, or the number of a part from 1.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// What an export holds.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportResult {
    /// Revisions.
    pub revisions: u64,
    /// Bytes of their documents.
    pub document_bytes: u64,
    /// Of these revisions: those that need something the catalogue lacks.
    pub unresolved: u64,
    /// Some of them, at most 100.
    pub unresolved_ids: Vec<String>,
    /// A package: files listed with their source. A bundle: content files in it, licence files included.
    pub files: u64,
    /// Bytes of the files in a bundle.
    pub file_bytes: u64,
    /// A bundle: files that were wanted and are not here.
    pub files_missing: u64,
    /// A package: files left out of the list, since no source is known.
    pub files_without_source: u64,
    /// Decisions in a bundle.
    pub objects: u64,
    /// Id of a bundle.
    pub bundle: Option<Uuid>,
    /// Its place in the order of this server's bundles.
    pub sequence: Option<u64>,
    /// Fingerprint of the key that signed it.
    pub signer: Option<String>,
}

/// One export.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// Its id.
    pub id: Uuid,
    /// What it makes.
    pub format: ExportFormat,
    /// How far it is.
    pub state: ExportState,
    /// What it is doing, or did last.
    pub phase: ExportPhase,
    /// Through this phase.
    pub done: u64,
    /// In this phase; 0 while unknown.
    pub total: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Files that can be fetched, or were.
    pub files: Vec<ExportFile>,
    /// What it holds, once done.
    pub result: Option<ExportResult>,
    /// Why it failed.
    pub problem: Option<Problem>,
}
