//! What becomes of a document that arrives.

use super::Revision;

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
