//! Why nothing is known of a computer.

use super::{Freshness, Verdict};

/// Why the state of a computer is unknown: the first that holds, since each explains those after it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum UnknownReason {
    /// It is asked about none of the updates: they are declined, replaced, or outside of its scope. No report would tell.
    NotAsked,
    /// It calls no more.
    Silent,
    /// Its last scan failed, and nothing that covers the updates came before.
    ScanFailed,
    /// It never reported in full.
    NeverReported,
    /// It calls, and reports no more.
    NotReporting,
    /// An update came after the scan that its last report follows; the next one tells.
    NewerThanLastReport,
}

impl UnknownReason {
    /// Every reason, in the order in which they are decided.
    pub const ALL: [Self; 6] = [
        Self::NotAsked,
        Self::Silent,
        Self::ScanFailed,
        Self::NeverReported,
        Self::NotReporting,
        Self::NewerThanLastReport,
    ];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Silent => "silent",
            Self::ScanFailed => "scan_failed",
            Self::NeverReported => "never_reported",
            Self::NotReporting => "not_reporting",
            Self::NewerThanLastReport => "newer_than_last_report",
        }
    }

    /// That of a computer whose state is unknown. `asked`: it is asked about something of what the question is about;
    /// `reported`: it sent a client status at some time.
    pub fn of(asked: bool, reported: bool, verdict: &Verdict) -> Self {
        match verdict.class {
            _ if !asked => Self::NotAsked,
            Freshness::Silent => Self::Silent,
            Freshness::ScanFailed => Self::ScanFailed,
            _ if !reported => Self::NeverReported,
            Freshness::NotReporting => Self::NotReporting,
            Freshness::NeverScanned | Freshness::NeverReported | Freshness::Current => Self::NewerThanLastReport,
        }
    }
}
