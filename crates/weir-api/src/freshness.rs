//! Freshness of what computers reported, and computers that are not what their ids say.
//!
//! * `GET compliance/freshness?collection=&server=&silent_days=` answers [`FreshnessSummary`].
//! * `GET computers/clones?cursor=&limit=` answers a [`crate::List`] of [`ClonedComputer`], `DELETE computers/{id}/prints` 204.
//! * `GET computers/duplicates?cursor=&limit=` answers a [`crate::List`] of [`DuplicateName`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Query parameters of `GET compliance/freshness`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FreshnessQuery {
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Days without a call after which a computer is silent, 1 to 3650; the setting computers.silent_days by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_days: Option<u32>,
}

/// What a computer's reports are worth: the first that holds, in this order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// No call for too long.
    Silent,
    /// The last scan failed.
    ScanFailed,
    /// It calls, and never told of a scan.
    NeverScanned,
    /// It scans, and never sent a full report.
    NeverReported,
    /// Its last full report is too old.
    NotReporting,
    /// It calls and reports.
    Current,
}

/// State of a computer's last scan, as far as reports carry it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// None was reported.
    Unknown,
    /// It succeeded.
    Completed,
    /// It ended, and something in it did not go well.
    CompletedWithErrors,
    /// It failed.
    Failed,
}

/// What one computer's reports are worth.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerFreshness {
    /// The class.
    pub class: Freshness,
    /// Since when: its last call, the failed scan, its last full report, or its first call.
    pub since: Timestamp,
    /// State of its last scan.
    pub scan: ScanState,
    /// Code of the scan that failed, as `0x8024402c`.
    pub scan_error: Option<String>,
}

/// Computers by class.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FreshnessCounts {
    /// No call for too long.
    pub silent: u64,
    /// The last scan failed.
    pub scan_failed: u64,
    /// They call, and never told of a scan.
    pub never_scanned: u64,
    /// They scan, and never sent a full report.
    pub never_reported: u64,
    /// Their last full report is too old.
    pub not_reporting: u64,
    /// They call and report.
    pub current: u64,
}

/// Computers by the state of their last scan.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScanCounts {
    /// None was reported.
    pub unknown: u64,
    /// It succeeded.
    pub completed: u64,
    /// It ended, and something in it did not go well.
    pub completed_with_errors: u64,
    /// It failed.
    pub failed: u64,
}

/// Computers whose last scan failed with one code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScanError {
    /// The code, as `0x8024402c`.
    pub code: String,
    /// How many.
    pub computers: u64,
}

/// Answer of `GET compliance/freshness`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FreshnessSummary {
    /// Members of the collection and of those below it.
    pub computers: u64,
    /// Days that were asked for.
    pub silent_days: u32,
    /// Computers by class; their sum is `computers`.
    pub classes: FreshnessCounts,
    /// `current` in percent of `computers`, one decimal; null without computers.
    pub current_percent: Option<f64>,
    /// Computers by the state of their last scan; their sum is `computers`.
    pub scans: ScanCounts,
    /// Codes of failed scans, the most frequent first; 50 at most.
    pub errors: Vec<ScanError>,
    /// When the oldest roll-up arrived, of the servers below whose computers are counted; null if there are none.
    pub rolled_up: Option<Timestamp>,
    /// When computers were counted: now, or of many a few seconds ago.
    pub as_of: Timestamp,
}

/// How sure it is that several machines share an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloneCertainty {
    /// It could be something else.
    Suspected,
    /// Different names take turns.
    Certain,
}

/// Why an id counts as shared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloneEvidence {
    /// Names take turns.
    NamesTakeTurns,
    /// Many names within a month.
    ManyNames,
    /// Hardware sheets take turns.
    SheetsTakeTurns,
    /// Reports go back to older states of the catalogue again and again.
    AnchorsStepBack,
}

/// What an id was seen as.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClonePrint {
    /// DNS name; empty for a hardware sheet.
    pub name: String,
    /// Maker, model, processor and BIOS; empty for a name.
    pub hardware: String,
    /// Version of the operating system; empty for a name.
    pub system: String,
    /// Address of the last call that showed it.
    pub address: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen before it changed; the one that is shown now is seen until the last contact.
    pub last_seen: Timestamp,
    /// How often it came back after another.
    pub returns: u32,
}

/// An id that several machines share.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClonedComputer {
    /// The id.
    pub id: String,
    /// The name that was seen last.
    pub name: String,
    /// How sure it is.
    pub certainty: CloneCertainty,
    /// Why, the strongest first.
    pub evidence: Vec<CloneEvidence>,
    /// When the second machine was first seen.
    pub since: Timestamp,
    /// When it was last seen to be so.
    pub last: Timestamp,
    /// What was seen.
    pub prints: Vec<ClonePrint>,
}

/// How alike a row is to the newest of its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateLikeness {
    /// The same hardware.
    Hardware,
    /// The same name only.
    Name,
}

/// What a row is among those of its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateStanding {
    /// It called last.
    Newest,
    /// It called while the newest was known, or within a week.
    InUse,
    /// It stopped calling before the newest began.
    LeftBehind,
}

/// One of several computers with one name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DuplicateComputer {
    /// Its id.
    pub id: String,
    /// Address of its last contact.
    pub address: Option<String>,
    /// How alike it is to the newest.
    pub likeness: DuplicateLikeness,
    /// What it is.
    pub standing: DuplicateStanding,
    /// Whether `computers.duplicates retire-older` retires it.
    pub retires: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Its last contact.
    pub last_contact: Timestamp,
}

/// Computers with one name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DuplicateName {
    /// The name, in lower case.
    pub name: String,
    /// The computers, the one that called last first.
    pub computers: Vec<DuplicateComputer>,
}
