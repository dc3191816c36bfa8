//! States of a scan, as far as reports carry them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A detection that a computer reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Detection {
    /// When, by the computer's clock, not later than its receipt.
    pub at: Timestamp,
    /// 0 for success (event 147), else the HRESULT of event 148.
    pub hresult: i32,
}

/// State of the last scan of a computer.
///
/// Configuration Manager's catalogue of scan states has seven: unknown, waiting for catalog location, running, completed,
/// pending retry, failed, completed with errors. An agent reports the end of a detection and nothing else (MS-WUSP 6.3: events
/// 147 and 148), so that waiting, running and pending retry cannot be known here: a computer in one of these has the state of
/// its last detection that ended, and is [`ScanState::Unknown`] before the first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// No detection was reported.
    Unknown,
    /// The last one succeeded.
    Completed,
    /// The last one was reported as failed with a code that is one of success: it ended, and something in it did not go well.
    CompletedWithErrors,
    /// The last one failed.
    Failed,
}

impl ScanState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Completed, Self::CompletedWithErrors, Self::Failed];

    /// The state after a detection. A code is one of failure if its highest bit is set (MS-ERREF 2.1).
    pub fn of(detection: Option<Detection>) -> Self {
        match detection {
            None => Self::Unknown,
            Some(Detection { hresult: 0, .. }) => Self::Completed,
            Some(Detection { hresult, .. }) if hresult > 0 => Self::CompletedWithErrors,
            Some(_) => Self::Failed,
        }
    }

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
        }
    }
}
