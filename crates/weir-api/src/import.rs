//! `imports`: update metadata from a wsusutil package or from files.
//!
//! `POST imports?strict=&force=&wait=` takes `multipart/form-data`: any number of parts named `file`, each with a
//! `filename` (a path relative to what the administrator named, used in messages only). What a part is, is recognised by
//! its content: a cabinet (`MSCF`) is a package and all or nothing, anything else is read as one update document that
//! stands alone; what is no update document (a fragment, a read-me) is skipped and counted.
//!
//! The answer comes when the upload is complete: 202 with an [`Import`] in state `running`, to be followed with
//! `GET imports/{id}`; with `wait=true` it comes when the import is over, as 200.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Query parameters of `POST imports`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// Refuse a package with an update whose prerequisites or members are neither in it nor in the catalogue.
    #[serde(default)]
    pub strict: bool,
    /// Import although this server synchronizes from an upstream.
    #[serde(default)]
    pub force: bool,
    /// Answer only when the import is over.
    #[serde(default)]
    pub wait: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// At work.
    Running,
    /// Over; in a folder some files may have been rejected.
    Done,
    /// Over, and nothing was changed.
    Failed,
}

/// What an import is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportPhase {
    /// Reading the package or the files.
    Read,
    /// Parsing documents and deriving their fragments.
    Parse,
    /// Writing the transaction.
    Store,
    /// Publishing to scans.
    Publish,
}

/// One import.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Its number.
    pub id: u64,
    /// How far it is.
    pub state: ImportState,
    /// What it is doing, or did last.
    pub phase: ImportPhase,
    /// Documents through this phase.
    pub done: u64,
    /// Documents in this phase; 0 while unknown.
    pub total: u64,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// The outcome, once over.
    pub result: Option<ImportResult>,
}

/// The outcome of an import, in revisions.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportResult {
    /// New revisions.
    pub added: u64,
    /// Revisions that were here already with the same text.
    pub unchanged: u64,
    /// Documents that were refused; [`ImportResult::errors`] says why. A refused package counts all its records.
    pub rejected: u64,
    /// Files that are no update documents.
    pub skipped: u64,
    /// Of the added and unchanged: those kept but not offered, because something they need is unknown.
    pub unresolved: u64,
    /// Why something was refused, at most the first 1000.
    pub errors: Vec<ImportError>,
}

/// Why a document was refused.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportError {
    /// The file name of its part.
    pub file: String,
    /// Which record of a package's documents, or which row of its description, from 1; null for a file and for what
    /// concerns the whole package.
    pub record: Option<u64>,
    /// What is wrong with it.
    pub message: String,
}
