//! Exceptions from service levels.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::Cve;
use crate::ids::{CollectionId, ComputerId, UpdateId};

/// Years that an exception may last; then somebody has to decide again.
pub const LONGEST_YEARS: i64 = 2;
/// Characters of an owner.
const OWNER: usize = 200;
/// Characters of a reason.
const REASON: usize = 1_000;

/// What an exception is about.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// A vulnerability.
    Cve(Cve),
    /// Everything that this update would fix.
    Update(UpdateId),
}

/// Where an exception holds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// On computers of a collection and of those below it.
    Collection(CollectionId),
    /// On one computer.
    Computer(ComputerId),
}

/// Somebody answers for not fixing something for a while.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exception {
    /// What it is about.
    pub subject: Subject,
    /// Where it holds.
    pub place: Place,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// From when on it does not count any more.
    pub expires: Timestamp,
}

/// What keeps an exception from being made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExceptionError {
    /// It would be over at once.
    #[error("expires is {0}, which is not in the future")]
    Expired(Timestamp),
    /// It would last too long.
    #[error("expires is {0}; an exception lasts {LONGEST_YEARS} years at most")]
    Long(Timestamp),
    /// A text is empty or too long.
    #[error("{field} must have 1 to {most} characters and no control characters")]
    Text {
        /// Which one.
        field: &'static str,
        /// How long it may be.
        most: usize,
    },
}

impl Exception {
    /// Checks an exception that is to be made now.
    pub fn check(&self, now: Timestamp) -> Result<(), ExceptionError> {
        for (field, text, most) in [("owner", &self.owner, OWNER), ("reason", &self.reason, REASON)] {
            let fits = (1..=most).contains(&text.trim().chars().count());
            if !fits || text.chars().any(|c| c.is_control() && c != '\n') {
                return Err(ExceptionError::Text { field, most });
            }
        }
        if self.expires <= now {
            return Err(ExceptionError::Expired(self.expires));
        }
        let latest = now.to_zoned(TimeZone::UTC).checked_add(LONGEST_YEARS.years()).map(|zoned| zoned.timestamp());
        if latest.is_ok_and(|latest| self.expires > latest) {
            return Err(ExceptionError::Long(self.expires));
        }
        Ok(())
    }

    /// Whether it counts. It ends at the very moment that it names.
    pub fn counts(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}
