//! When all computers were heard of, and which of their reports are not current, so that answers about compliance can say so.
//!
//! Whether a computer calls is not numbered as a change, and so is no part of the index. It is found in one pass over a few columns of
//! each row. Of many computers what was read is kept, and read anew off the path of requests: every few seconds while somebody asks,
//! and from time to time while nobody does, so that the first question after a pause does not wait for it. Answers say of when it is.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use weir_model::{
    compliance::{Members, Placed},
    freshness::{Freshness, Rule, Verdict, judge},
};
use weir_store::{ReadTx, StoreError, freshness::HeardRow};

use super::{View, publish::Inner};

/// How long what was found serves. With [`RESTED`], a computer that calls again is shown as silent for no longer than both.
const KEPT: Duration = Duration::from_secs(3);
/// Fewer computers than these are read for each question, in some milliseconds.
const MANY: usize = 10_000;
/// What was read of many is read anew after this while somebody asks.
const ANEW: Duration = Duration::from_secs(5);
/// If nobody asked for so long, it is read less often.
const IDLE: Duration = Duration::from_mins(1);
/// The same while nobody asks.
const RESTING: Duration = Duration::from_secs(30);
/// Older than this it serves nobody: reading it failed, or takes long.
const RESTED: Duration = Duration::from_secs(60);

/// Computers that are not [`Freshness::Current`], by row number.
#[derive(Debug)]
pub struct NotCurrent {
    /// When it was read when computers were heard of.
    pub as_of: Timestamp,
    computers: HashMap<u32, Verdict>,
}

impl Deref for NotCurrent {
    type Target = HashMap<u32, Verdict>;

    fn deref(&self) -> &Self::Target {
        &self.computers
    }
}

/// When all computers were heard of, at one moment.
#[derive(Debug)]
pub struct Heard {
    /// That moment.
    pub as_of: Timestamp,
    /// All computers, ascending by row number.
    pub rows: Vec<HeardRow>,
    read_at: Instant,
}

impl Heard {
    fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let (as_of, read_at) = (Timestamp::now(), Instant::now());
        let mut rows = Vec::new();
        tx.computer_heard_each(|row| rows.push(row))?;
        Ok(Self { as_of, rows, read_at })
    }

    /// Whether it is still to be answered from.
    fn serves(&self) -> bool {
        self.read_at.elapsed() < RESTED
    }

    /// Those of them that are members, in their order. One that came or went since is not among them.
    pub fn placed(&self, view: &View<'_>, members: &Members) -> Vec<Placed> {
        let numbers: Vec<u32> = self.rows.iter().map(|row| row.no).collect();
        view.members_of(members, &numbers)
    }

    /// What [`Heard::placed`] found, each with when it was heard of.
    pub fn matched<'h>(&'h self, placed: &'h [Placed]) -> impl Iterator<Item = (&'h HeardRow, &'h Placed)> {
        let mut rows = self.rows.iter();
        placed.iter().filter_map(move |placed| rows.find(|row| row.no == placed.no).map(|row| (row, placed)))
    }
}

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    found: Mutex<Option<Found>>,
    heard: Mutex<Known>,
}

#[derive(Debug)]
struct Found {
    at: Instant,
    days: u32,
    computers: Arc<NotCurrent>,
}

#[derive(Debug, Default)]
struct Known {
    /// None of few computers.
    heard: Option<Arc<Heard>>,
    asked_at: Option<Instant>,
}

impl Inner {
    /// When all computers were heard of: as it is, or of many as it was some seconds ago.
    pub fn heard(&self, tx: &ReadTx<'_>) -> Result<Arc<Heard>, StoreError> {
        let mut known = self.freshness.heard.lock();
        known.asked_at = Some(Instant::now());
        if let Some(heard) = known.heard.as_ref().filter(|heard| heard.serves()) {
            return Ok(Arc::clone(heard));
        }
        let heard = Arc::new(Heard::read(tx)?);
        known.heard = (heard.rows.len() >= MANY).then(|| Arc::clone(&heard));
        Ok(heard)
    }

    /// Reads it again before it is too old, so that no question waits for it. Of a few computers nothing is kept.
    pub(super) fn renew_heard(&self) -> Result<(), StoreError> {
        {
            let known = self.freshness.heard.lock();
            let rests = known.asked_at.is_none_or(|at| at.elapsed() >= IDLE);
            let after = if rests { RESTING } else { ANEW };
            let many = self.directory.len() >= MANY;
            if known.heard.as_ref().map_or(!many, |heard| heard.read_at.elapsed() < after) {
                return Ok(());
            }
        }
        // questions are answered from what is known meanwhile
        let heard = self.store.read(Heard::read)?;
        self.freshness.heard.lock().heard = (heard.rows.len() >= MANY).then(|| Arc::new(heard));
        Ok(())
    }

    /// Computers whose reports are not current, if one is silent after so many days.
    pub fn not_current(&self, tx: &ReadTx<'_>, days: u32) -> Result<Arc<NotCurrent>, StoreError> {
        let mut kept = self.freshness.found.lock();
        if let Some(found) = kept.as_ref().filter(|found| found.days == days && found.at.elapsed() < KEPT) {
            return Ok(Arc::clone(&found.computers));
        }
        let heard = self.heard(tx)?;
        let (rule, now) = (Rule::days(days), Timestamp::now());
        let verdicts = heard.rows.iter().map(|row| (row.no, judge(&row.facts, &rule, now)));
        let computers = verdicts.filter(|(_, verdict)| verdict.class != Freshness::Current).collect();
        let computers = Arc::new(NotCurrent { as_of: heard.as_of, computers });
        *kept = Some(Found { at: Instant::now(), days, computers: Arc::clone(&computers) });
        Ok(computers)
    }
}

#[cfg(test)]
mod tests {
    use weir_model::{freshness::Facts, ids::CollectionId};

    use super::*;

    #[test]
    fn each_that_is_a_member_has_its_row() {
        let at = Timestamp::UNIX_EPOCH;
        let row = |no: u32| HeardRow {
            no,
            site: 1,
            plain_http: no.is_multiple_of(2),
            facts: Facts { first_contact: at, last_contact: at, detection: None, last_report: None },
        };
        let heard = Heard { as_of: at, rows: [2, 3, 5, 8].map(row).into(), read_at: Instant::now() };
        let placed = |no: u32| Placed { no, site: 1, collections: [CollectionId::ALL_COMPUTERS].into() };
        let members = [3, 8].map(placed);
        let found: Vec<_> = heard.matched(&members).map(|(row, placed)| (row.no, placed.no)).collect();
        assert_eq!(found, [(3, 3), (8, 8)]);
        assert_eq!(heard.matched(&[]).count(), 0);
    }
}
