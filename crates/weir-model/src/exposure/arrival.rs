//! What becomes of a document that arrives.

use jiff::{SignedDuration, Timestamp};

use super::{Document, DocumentError, Revision};

/// No document about vulnerabilities is older: the first CVE ids are of 1999.
const EARLIEST: Timestamp = Timestamp::constant(631_152_000, 0);
/// So far may a release lie ahead of its receipt: clocks differ, and a date without a zone is read as UTC.
const AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// What is stored under the id of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// Which state of it.
    pub revision: Revision,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
}

/// What becomes of a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// There was none of this id.
    Added,
    /// A newer state is here already: nothing changes.
    Older,
    /// It replaces an older state, or one of the same revision with other bytes.
    Replaced,
    /// This very file is here already: nothing changes.
    Unchanged,
}

/// Decides. An older revision never replaces a newer one, and the same file twice is the same as once.
pub fn arrival(stored: Option<&Stored>, revision: &Revision, digest: &[u8; 32]) -> Arrival {
    let Some(stored) = stored else { return Arrival::Added };
    match revision.compare(&stored.revision) {
        _ if stored.digest == *digest => Arrival::Unchanged,
        std::cmp::Ordering::Less => Arrival::Older,
        std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => Arrival::Replaced,
    }
}

/// Refuses a document whose release cannot have been then. One that is dated far ahead would stand in the way of every genuine
/// one that follows.
pub fn dated(document: &Document, received: Timestamp) -> Result<(), DocumentError> {
    let latest = received.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let current = (Some(document.revision.at), "the date of the current release");
    for (at, place) in [current, (document.released, "the date of the first release")] {
        if let Some(at) = at.filter(|at| !(EARLIEST..=latest).contains(at)) {
            return Err(DocumentError::value(&at.to_string(), "a date from 1990 until two days from now", place));
        }
    }
    Ok(())
}
