//! The text form, the serialized form, and the words of a recurrence.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::{Nth, Pattern, Recurrence, Weekday, Zone};

/// Why a text is no schedule. Each names the word that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// A word where another belongs.
    #[error("{word:?} does not belong here: {expected} was expected{}", after(before))]
    Word {
        /// The word.
        word: String,
        /// What stands before it.
        before: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// The text ends too early.
    #[error("the schedule ends too early: {expected} was expected{}", after(before))]
    End {
        /// What was read.
        before: String,
        /// What could follow.
        expected: &'static str,
    },
    /// A number outside its range.
    #[error("{what} {value} is not from {least} to {most}")]
    Range {
        /// Of what.
        what: &'static str,
        /// What was given.
        value: i64,
        /// The smallest that is taken.
        least: i64,
        /// The largest that is taken.
        most: i64,
    },
    /// Not a zone.
    #[error("{0:?} is no time zone; use an IANA name such as Europe/Amsterdam or UTC")]
    Zone(String),
    /// Longer than any schedule.
    #[error("a schedule has at most {LONGEST} characters")]
    Long,
}

fn after(before: &str) -> String {
    if before.is_empty() { String::new() } else { format!(" after {before:?}") }
}

/// Characters that a text may have.
const LONGEST: usize = 500;

/// The serialized form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(flatten)]
    pattern: RawPattern,
    at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Zone>,
}

#[derive(Serialize, Deserialize)]
struct RawPattern {
    pattern: Pattern,
}

impl TryFrom<Raw> for Recurrence {
    type Error = ScheduleError;

    fn try_from(raw: Raw) -> Result<Self, ScheduleError> {
        let _ = raw;
        unimplemented!()
    }
}

impl From<Recurrence> for Raw {
    fn from(recurrence: Recurrence) -> Self {
        let Recurrence { pattern, at, start, zone } = recurrence;
        Self { pattern: RawPattern { pattern }, at, start, zone }
    }
}

impl FromStr for Recurrence {
    type Err = ScheduleError;

    fn from_str(_text: &str) -> Result<Self, ScheduleError> {
        unimplemented!()
    }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!()
    }
}

impl Recurrence {
    /// The recurrence in a sentence, such as `On the day after the second Tuesday of every month at 02:00,
    /// Europe/Amsterdam time`.
    pub fn describe(&self) -> String {
        unimplemented!()
    }
}

#[expect(unused, reason = "used by the parser")]
fn keep(_: BTreeSet<Weekday>, _: Nth) {}
