//! How much what is known of a computer can be trusted: does it call, does it scan, does it report.
//!
//! Compliance is what computers said last. [`judge`] says, of one computer, whether that is still worth anything, and if not,
//! what is to be done about it first. [`Tally`] adds computers up.
//!
//! What a computer's clock says does not count here, except to order its own detections: ages are ages of what *arrived*.
//! A computer whose clock stands still, or runs years ahead, is judged like any other.

mod scan;
#[cfg(test)]
mod tests;
mod unknown;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use scan::{Detection, ScanState};
pub use unknown::UnknownReason;

/// Days after which a computer counts as silent unless a site says otherwise.
pub const SILENT_DAYS: u32 = 30;
/// Bounds of that setting, in days.
pub const SILENT_RANGE: std::ops::RangeInclusive<u32> = 1..=3_650;

/// What is known of a computer, of its own row alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Facts {
    /// First valid cookie, by this server's clock.
    pub first_contact: Timestamp,
    /// Last call, by this server's clock (or by that of the server below that it scans against).
    pub last_contact: Timestamp,
    /// Last detection that it reported (events 147 and 148).
    pub detection: Option<Detection>,
    /// Receipt of its last full report (event 156).
    pub last_report: Option<Timestamp>,
}

/// How old something may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Without a call for longer, a computer is silent; without a full report, it does not report.
    pub silent: SignedDuration,
}

impl Rule {
    /// The rule with a number of days.
    pub fn days(days: u32) -> Self {
        Self { silent: SignedDuration::from_hours(24 * i64::from(days)) }
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self::days(SILENT_DAYS)
    }
}

/// What a computer's reports are worth. One class for each computer: the first that holds, in this order, since each makes
/// those after it meaningless or explains them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// No call for longer than the rule allows. Whatever else is known is as old as that.
    Silent,
    /// The last detection failed. What was reported before says how things were then.
    ScanFailed,
    /// It calls, and never told of a detection or of its updates.
    NeverScanned,
    /// It calls and detects, and never sent a full report.
    NeverReported,
    /// It calls, and its last full report is older than the rule allows.
    NotReporting,
    /// It calls, and its last full report is fresh.
    Current,
}

impl Freshness {
    /// Every class, in the order in which they are decided.
    pub const ALL: [Self; 6] =
        [Self::Silent, Self::ScanFailed, Self::NeverScanned, Self::NeverReported, Self::NotReporting, Self::Current];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::ScanFailed => "scan_failed",
            Self::NeverScanned => "never_scanned",
            Self::NeverReported => "never_reported",
            Self::NotReporting => "not_reporting",
            Self::Current => "current",
        }
    }

    /// It stopped calling or reporting: what it said last is too old to be believed.
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::Silent | Self::NotReporting)
    }

    /// The class of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }
}

/// What [`judge`] found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The class.
    pub class: Freshness,
    /// Since when: the last call, the failed detection, the last full report, or the first contact. Of a detection, by the
    /// computer's clock.
    pub since: Timestamp,
    /// HRESULT of the failed detection.
    pub error: Option<i32>,
    /// State of the last scan.
    pub scan: ScanState,
}

/// Judges one computer. A time after `now` counts as now: a server's clock that was set back makes nobody silent.
pub fn judge(facts: &Facts, rule: &Rule, now: Timestamp) -> Verdict {
    let is_old = |at: Timestamp| now.duration_since(at) > rule.silent;
    let scan = ScanState::of(facts.detection);
    let failed = facts.detection.filter(|_| scan == ScanState::Failed);
    let (class, since) = match (failed, facts.last_report) {
        _ if is_old(facts.last_contact) => (Freshness::Silent, facts.last_contact),
        (Some(detection), _) => (Freshness::ScanFailed, detection.at),
        // a full report follows a scan, even one that nothing told of
        (None, None) if facts.detection.is_none() => (Freshness::NeverScanned, facts.first_contact),
        (None, None) => (Freshness::NeverReported, facts.first_contact),
        (None, Some(report)) if is_old(report) => (Freshness::NotReporting, report),
        (None, Some(report)) => (Freshness::Current, report),
    };
    Verdict { class, since, error: failed.map(|detection| detection.hresult), scan }
}

/// Computers by class and by scan state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// In the order of [`Freshness::ALL`].
    classes: [u64; Freshness::ALL.len()],
    /// In the order of [`ScanState::ALL`].
    scans: [u64; ScanState::ALL.len()],
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, verdict: &Verdict) {
        for (class, count) in Freshness::ALL.into_iter().zip(&mut self.classes) {
            *count += u64::from(class == verdict.class);
        }
        for (scan, count) in ScanState::ALL.into_iter().zip(&mut self.scans) {
            *count += u64::from(scan == verdict.scan);
        }
    }

    /// Computers of a class.
    pub fn of(&self, class: Freshness) -> u64 {
        Freshness::ALL.into_iter().zip(self.classes).find(|(each, _)| *each == class).map_or(0, |(_, count)| count)
    }

    /// Computers whose last scan is in a state.
    pub fn scans(&self, state: ScanState) -> u64 {
        ScanState::ALL.into_iter().zip(self.scans).find(|(each, _)| *each == state).map_or(0, |(_, count)| count)
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.classes.iter().sum()
    }
}
