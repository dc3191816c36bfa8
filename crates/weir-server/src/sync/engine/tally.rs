//! What went wrong with single items, counted so that it cannot go on for ever.

use parking_lot::Mutex;
use weir_model::ids::UpdateIdentity;

use super::{
    SyncError,
    outcome::{MOST_NAMED, Named, Outcome},
};

/// Batches that may fail one after another before the run asks whether the server is there.
const FAILURES_IN_A_ROW: u32 = 32;
/// How often it is asked that in a run that brings nothing.
const ROUNDS: u32 = 3;
/// Items that may be lost in a run.
const MOST_DROPPED: u64 = 1_000;
/// Items that may be lost in a run that brings nothing: a few can be bad by themselves, more are a bad server.
const LOST_ALONE: usize = 4;

/// What was asked for and not had.
#[derive(Debug)]
pub(super) struct Lost {
    /// The items.
    pub(super) items: Vec<Named>,
    /// Nothing else came, and they are too many to be bad by themselves.
    pub(super) alone: bool,
    /// Everything that is waited for is like them.
    pub(super) all: bool,
}

/// What went wrong in a run.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    in_a_row: u32,
    /// How often the server was asked whether it is there.
    rounds: u32,
    /// At least one revision came that can be used.
    brought: bool,
    /// Asked for and not had.
    lost: Vec<Named>,
    /// Nothing at all was had, while other calls were answered.
    all: bool,
    /// Members of bundles that no list named and that the server does not have.
    absent: Vec<UpdateIdentity>,
    dropped: u64,
    dropped_members: u64,
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

    /// The items that cannot be had, and how that is to be taken.
    pub(super) fn settle(&self) -> Lost {
        let mut counts = self.0.lock();
        let items = std::mem::take(&mut counts.lost);
        let alone = !counts.brought && items.len() > LOST_ALONE;
        Lost { items, alone, all: std::mem::take(&mut counts.all) }
    }

    /// Forgets the items that cannot be had, and that they are many.
    pub(super) fn forget(&self) {
        let mut counts = self.0.lock();
        counts.lost.clear();
        counts.absent.clear();
        (counts.in_a_row, counts.rounds, counts.all) = (0, 0, false);
    }

    /// A call that asked for items brought none of them. True when that happened so often that another call has to show
    /// whether the server is to blame or the items are.
    pub(super) fn missed(&self) -> bool {
        let mut counts = self.0.lock();
        counts.in_a_row += 1;
        counts.in_a_row >= FAILURES_IN_A_ROW
    }

    /// The other call was answered, so it is the items, and the run goes on. False if that happened a few times and nothing
    /// came at all: then it ends, and everything that is waited for counts as asked for in vain.
    pub(super) fn answered(&self) -> bool {
        let mut counts = self.0.lock();
        counts.in_a_row = 0;
        counts.rounds += 1;
        counts.all = !counts.brought && counts.rounds >= ROUNDS;
        !counts.all
    }

    /// A member of a bundle, which no list named, is not to be had. There may be any number of them.
    pub(super) fn absent(&self, revision: UpdateIdentity) {
        self.0.lock().absent.push(revision);
    }

    /// The members that are not to be had.
    pub(super) fn take_absent(&self) -> Vec<UpdateIdentity> {
        std::mem::take(&mut self.0.lock().absent)
    }

    /// A member is left out, which is worth a warning and never fails a run.
    pub(super) fn left_out(&self, revision: UpdateIdentity, reason: &str) {
        let mut counts = self.0.lock();
        counts.dropped_members += 1;
        if counts.problems.len() < MOST_NAMED {
            counts.problems.push(Named { revision, reason: reason.to_owned() });
        }
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

    /// An item is not waited for any longer. There may be any number of them: the upstream server removed them.
    pub(super) fn given_up(&self, revision: UpdateIdentity, reason: String) {
        let mut counts = self.0.lock();
        counts.dropped += 1;
        if counts.problems.len() < MOST_NAMED {
            tracing::warn!(%revision, reason, "a revision of the upstream server is given up");
            counts.problems.push(Named { revision, reason });
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
        outcome.dropped += counts.dropped + counts.dropped_members;
        let room = MOST_NAMED.saturating_sub(outcome.problems.len());
        outcome.problems.extend(counts.problems.iter().take(room).cloned());
    }
}
