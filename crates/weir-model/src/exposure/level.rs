//! Service levels: by when a vulnerability has to be fixed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::update::Severity;

/// Most days of a level.
const MOST_DAYS: u16 = 3_650;

/// Days within which exposed computers have to be fixed; none is no level.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Rated critical.
    pub critical: Option<u16>,
    /// Rated important (high).
    pub important: Option<u16>,
    /// Rated moderate (medium).
    pub moderate: Option<u16>,
    /// Rated low.
    pub low: Option<u16>,
    /// Neither rated nor scored.
    pub unrated: Option<u16>,
    /// Known to be exploited, whatever the rating; the earlier of both counts.
    pub exploited: Option<u16>,
    /// So many days before the end it is due soon.
    pub due_soon: u16,
}

impl Default for Levels {
    /// Proposals, not a standard. Critical and important are those of CISA's BOD 19-02 (15 and 30 days), exploited is that
    /// of BOD 22-01 (14 days); the others were chosen here.
    fn default() -> Self {
        Self {
            critical: Some(15),
            important: Some(30),
            moderate: Some(90),
            low: Some(180),
            unrated: Some(90),
            exploited: Some(14),
            due_soon: 3,
        }
    }
}

/// What levels cannot be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field} is {days} days; it must be 1 to {MOST_DAYS}")]
pub struct LevelError {
    /// Which one.
    pub field: &'static str,
    /// What it was to be.
    pub days: u16,
}

/// What starts a clock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Started {
    /// When the vulnerability was published.
    pub published: Option<Timestamp>,
    /// When an update that fixes it arrived here first.
    pub offered: Option<Timestamp>,
    /// Since when it is known to be exploited; none if it is not known to be.
    pub exploited: Option<Timestamp>,
}

/// How much time is left.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Timing {
    /// The time is over.
    Breached,
    /// It is over soon.
    DueSoon,
    /// There is time.
    Within,
}

/// A running clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock {
    /// Since when.
    pub started: Timestamp,
    /// Until when.
    pub due: Timestamp,
    /// How much is left.
    pub timing: Timing,
    /// The level of known exploitation made the end, not that of the rating.
    pub exploited: bool,
}

impl Levels {
    /// Checks what an administrator wants.
    pub fn check(&self) -> Result<(), LevelError> {
        let fields = [
            ("critical", self.critical),
            ("important", self.important),
            ("moderate", self.moderate),
            ("low", self.low),
            ("unrated", self.unrated),
            ("exploited", self.exploited),
            ("due_soon", Some(self.due_soon)),
        ];
        for (field, days) in fields {
            if let Some(days) = days.filter(|days| !(1..=MOST_DAYS).contains(days)) {
                return Err(LevelError { field, days });
            }
        }
        Ok(())
    }

    /// Days for a rating.
    pub fn days(&self, rating: Option<Severity>) -> Option<u16> {
        match rating {
            Some(Severity::Critical) => self.critical,
            Some(Severity::Important) => self.important,
            Some(Severity::Moderate) => self.moderate,
            Some(Severity::Low) => self.low,
            None => self.unrated,
        }
    }

    /// The clock of a vulnerability, the same for every computer: it starts at the later of publication and arrival of the
    /// first update here that fixes it. Nobody can install what is not here, and a computer that is enrolled again, or whose
    /// installation failed again, does not start anew. Known exploitation counts from when it became known, if that is
    /// later. None if no level holds, or neither time is known.
    pub fn clock(&self, rating: Option<Severity>, started: Started, now: Timestamp) -> Option<Clock> {
        let start = started.published.into_iter().chain(started.offered).max()?;
        let ends = |from: Timestamp, days: Option<u16>| from.checked_add(day(days?)).ok();
        let exploited = started.exploited.and_then(|since| ends(since.max(start), self.exploited));
        let rated = ends(start, self.days(rating));
        let due = rated.into_iter().chain(exploited).min()?;
        let soon = due.checked_sub(day(self.due_soon)).unwrap_or(due);
        let timing = match now {
            now if now > due => Timing::Breached,
            now if now >= soon => Timing::DueSoon,
            _ => Timing::Within,
        };
        Some(Clock { started: start, due, timing, exploited: rated != Some(due) })
    }
}

fn day(days: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}
