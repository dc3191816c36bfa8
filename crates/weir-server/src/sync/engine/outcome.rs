//! What a synchronization did.

use serde::{Deserialize, Serialize};
use weir_model::ids::UpdateIdentity;

/// Items named one by one in an outcome; the others are counted.
pub(super) const MOST_NAMED: usize = 100;

/// An item that was not taken, and why.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Which revision.
    pub revision: UpdateIdentity,
    /// Why, in words.
    pub reason: String,
}

/// The result of a synchronization.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Updates that are new here: revisions of updates of which none was stored.
    pub added: u64,
    /// New revisions of updates that were here.
    pub revised: u64,
    /// Updates whose newest revision is expired since this run, and was not before.
    pub expired: u64,
    /// Revisions left out by rules (`weir criteria`).
    pub skipped: u64,
    /// Updates declined by rules or, on a replica, by the parent.
    pub declined: u64,
    /// Declines taken back by the parent.
    pub undeclined: u64,
    /// Deployments of the parent stored or changed.
    pub deployments: u64,
    /// Deployments of the parent removed.
    pub retired: u64,
    /// Deployments held back until their revision, or their group, is here.
    pub held: u64,
    /// The revisions that they wait for, and that the parent did not send.
    pub waiting: Vec<UpdateIdentity>,
    /// Bytes received.
    pub bytes: u64,
    /// Calls answered.
    pub calls: u64,
    /// Items that could not be taken: counted all, named up to a limit.
    pub dropped: u64,
    /// The first of them.
    pub problems: Vec<Named>,
    /// Remarks for the administrator, such as that nothing is selected.
    pub notes: Vec<String>,
}
