//! How compliance went: a point for each day and subject, kept small, and what follows from such points.
//!
//! A [`Series`] holds the [`Point`]s of one subject (a collection, a site, an update group, a group in a collection, an
//! update) in the order of their days. [`Series::record`] puts the counts of a day in; what is recorded last of a day
//! counts, so that the series ends with today so far. [`Series::encode`] makes a few bytes of each day. [`time_to`] says when a
//! share of computers complied, and says so only as far as the points bear it.
//!
//! Days are those of one time zone, which the caller chooses; a day without a point is a gap (the server was off) and stays one.
//!
//! *Invariant:* what was recorded is read again, day by day, unless it is older than what is kept. *Invariant:* recording
//! the same twice is recording it once.

mod codec;
mod reach;
mod series;
mod subject;
#[cfg(test)]
mod tests;

pub use codec::HistoryDecodeError;
pub use reach::{Instants, Reach, TARGETS, reached, time_to};
pub use series::{Day, LONGEST_DAYS, Point, Recorded, Series, percent};
pub use subject::{Subject, SubjectError};

/// Days that are kept unless a setting says otherwise: two years, leap day and today included.
pub const KEPT_DAYS: u32 = 731;

/// The first day that is kept.
pub fn first_kept(today: Day, days: u32) -> Day {
    today.minus(days.saturating_sub(1))
}
