//! What went wrong with single items, counted so that it cannot go on for ever.

use parking_lot::Mutex;
use weir_model::ids::UpdateIdentity;

use super::{
    SyncError,
    outcome::{MOST_NAMED, Named, Outcome},
};
use crate::sync::peer::PeerError;

/// Batches that may fail one after another before the run gives up.
const FAILURES_IN_A_ROW: u32 = 32;
/// Items that may be lost in a run.
const MOST_DROPPED: u64 = 1_000;
/// Items that may be lost in a run that brings nothing: a few can be bad by themselves, more are a bad server.
const LOST_ALONE: usize = 4;

/// What went wrong in a run.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    in_a_row: u32,
    /// At least one revision came that can be used.
    brought: bool,
    /// Asked for and not had.
    lost: Vec<Named>,
    dropped: u64,
    problems: Vec<Named>,
}

impl Tally {
    /// A batch was answered; `usable`: with revisions that can be used.
    pub(super) fn succeeded(&self, usable: bool) {
        let mut counts = self.0.lock();
        counts.in_a_row = 0;
        counts.brought |= usable;
    }

    /// An item was asked for and cannot be had in this run.
    pub(super) fn lost(&self, revision: UpdateIdentity, reason: String) -> Result<(), SyncError> {
        let mut counts = self.0.lock();
        if counts.lost.len() as u64 >= MOST_DROPPED {
            return Err(SyncError::TooManyDropped { count: MOST_DROPPED + 1, last: reason });
        }
        counts.lost.push(Named { revision, reason });
        Ok(())
    }

    /// The items that cannot be had. An error if nothing else came: then they are not to blame, and nothing is held
    /// against them.
    pub(super) fn settle(&self) -> Result<Vec<Named>, SyncError> {
        let mut counts = self.0.lock();
        let lost = std::mem::take(&mut counts.lost);
        match lost.last() {
            Some(last) if !counts.brought && lost.len() > LOST_ALONE => {
                Err(SyncError::NothingUsable { count: lost.len(), last: last.reason.clone() })
            }
            _ => Ok(lost),
        }
    }

    /// A batch failed in a way that may be the fault of one item. Gives the error back when that happened too often.
    pub(super) fn failed(&self, error: PeerError) -> Result<PeerError, SyncError> {
        let mut counts = self.0.lock();
        counts.in_a_row += 1;
        if counts.in_a_row < FAILURES_IN_A_ROW { Ok(error) } else { Err(error.into()) }
    }

    /// A batch brought nothing of what was asked, without a fault.
    pub(super) fn nothing(&self) -> Result<(), SyncError> {
        let mut counts = self.0.lock();
        counts.in_a_row += 1;
        if counts.in_a_row < FAILURES_IN_A_ROW { Ok(()) } else { Err(SyncError::NothingSent) }
    }

    /// An item is not taken.
    pub(super) fn dropped(&self, revision: UpdateIdentity, reason: String) -> Result<(), SyncError> {
        tracing::warn!(%revision, reason, "a revision of the upstream server is left out");
        let mut counts = self.0.lock();
        counts.dropped += 1;
        if counts.problems.len() < MOST_NAMED {
            counts.problems.push(Named { revision, reason: reason.clone() });
        }
        if counts.dropped <= MOST_DROPPED {
            Ok(())
        } else {
            Err(SyncError::TooManyDropped { count: counts.dropped, last: reason })
        }
    }

    /// An item came that nobody asked for; it is not looked at.
    pub(super) fn unasked(&self, revision: UpdateIdentity) {
        let mut counts = self.0.lock();
        if counts.problems.len() < MOST_NAMED {
            counts.problems.push(Named { revision, reason: "the upstream server sent it unasked".to_owned() });
        }
    }

    /// Puts what went wrong into the outcome.
    pub(super) fn report(&self, outcome: &mut Outcome) {
        let counts = self.0.lock();
        outcome.dropped += counts.dropped;
        let room = MOST_NAMED.saturating_sub(outcome.problems.len());
        outcome.problems.extend(counts.problems.iter().take(room).cloned());
    }
}
