//! Reporting roll-ups (MS-WSUSSS 3.1.1): what servers below report, and what this server told the one above.

mod computer;
mod sent;
mod server;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;
use weir_model::ids::ChangeNumber;

use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

#[cfg(test)]
pub(crate) use computer::STATEMENTS as COMPUTER_STATEMENTS;
pub use computer::{Forgotten, KnownComputer};
#[cfg(test)]
pub(crate) use sent::STATEMENTS as SENT_STATEMENTS;
pub use sent::{Owed, SentStatus, TODO_DETAILS, TODO_ROW, TODO_STATUS, Telling};
#[cfg(test)]
pub(crate) use server::STATEMENTS as SERVER_STATEMENTS;
pub use server::{ActivityRow, EventCount, RolledClient, RolledServer, ServerReport};

/// Where the roll-ups stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RollupState {
    /// `RollupResetGuid` for the servers below, and the server id it was made for.
    pub reset: Option<(Uuid, Uuid)>,
    /// Who is told, and its `RollupResetGuid`.
    pub upstream: Option<(Uuid, Uuid)>,
    /// Moves with everything that is to be told of a computer.
    pub marks: u64,
    /// The last event whose installation is counted.
    pub event_no: i64,
    /// `LastRollupTime` of the increments that are on their way.
    pub sending_at: Option<Timestamp>,
    /// Last time that servers were told in full.
    pub last_rollup_at: Option<Timestamp>,
}

statements! {
    STATE: "reading where roll-ups stand" =
        "SELECT reset_id, reset_for, upstream_id, upstream_reset, marks, event_no, sending_at, last_rollup_at
         FROM rollup_state WHERE one = 1";
    RESET: "renewing the mark of this server's data" =
        "UPDATE rollup_state SET reset_id = ?1, reset_for = ?2 WHERE one = 1";
    UPSTREAM: "noting whom roll-ups go to" =
        "UPDATE rollup_state SET upstream_id = ?1, upstream_reset = ?2, marks = marks + 1 WHERE one = 1";
    ALL_AGAIN: "owing the server above everything" =
        "INSERT INTO rollup_sent (computer_no, todo, mark)
         SELECT c.computer_no, 7, (SELECT s.marks FROM rollup_state s WHERE s.one = 1) FROM computer c WHERE c.computer_no > ?1
         ON CONFLICT (computer_no) DO UPDATE SET todo = 7, mark = excluded.mark, withheld = 0, status = NULL,
             effective_at = NULL";
    STARTED: "freezing what is sent" = "UPDATE rollup_state SET sending_at = ?1 WHERE one = 1";
    EVENTS: "noting which events are counted" = "UPDATE rollup_state SET event_no = ?1 WHERE one = 1";
    TOLD: "noting a roll-up" = "UPDATE rollup_state SET sending_at = NULL, last_rollup_at = ?1 WHERE one = 1";
    FIGURES: "reading kept figures" =
        "SELECT figures FROM rollup_state WHERE one = 1 AND figures_change = ?1 AND figures_marks = ?2";
    FIGURES_KEPT: "reading the last figures" = "SELECT figures FROM rollup_state WHERE one = 1 AND figures IS NOT NULL";
    FIGURES_PUT: "keeping figures" =
        "UPDATE rollup_state SET figures = ?1, figures_change = ?2, figures_marks = ?3 WHERE one = 1";
    SYNCS: "listing own synchronizations" = "SELECT at, change FROM rollup_sync WHERE at > ?1 ORDER BY at";
    SYNC_NOTE: "noting a synchronization" =
        "INSERT INTO rollup_sync (at, change) VALUES (?1, ?2) ON CONFLICT (at) DO UPDATE SET change = excluded.change";
    SYNC_PRUNE: "forgetting old synchronizations" = "DELETE FROM rollup_sync WHERE at < ?1";
    CHANGE_REVISION: "looking for a revision by its change" =
        "SELECT change, arrived_at FROM revision WHERE change >= ?1 ORDER BY change, revision_id LIMIT 1";
    CHANGE_DEPLOYMENT: "looking for a deployment by its change" =
        "SELECT change, changed_at FROM deployment WHERE change >= ?1 ORDER BY change, deployment_id LIMIT 1";
}

impl ReadTx<'_> {
    /// Where the roll-ups stand.
    pub fn rollup_state(&self) -> Result<RollupState, StoreError> {
        self.one(&STATE, args![], |row| {
            let pair = |a, b| -> Result<Option<(Uuid, Uuid)>, StoreError> {
                let first = row.opt(a, crate::codec::Row::uuid)?;
                Ok(first.zip(row.opt(b, crate::codec::Row::uuid)?))
            };
            Ok(RollupState {
                reset: pair(0, 1)?,
                upstream: pair(2, 3)?,
                marks: row.int(4)?,
                event_no: row.int(5)?,
                sending_at: row.opt_time(6)?,
                last_rollup_at: row.opt_time(7)?,
            })
        })
    }

    /// The figures that were kept for this state of catalogue and computers.
    pub fn rollup_figures(&self, change: ChangeNumber, marks: u64) -> Result<Option<Value>, StoreError> {
        self.first(&FIGURES, args![change, marks], |row| row.json(0))
    }

    /// The figures that were kept last.
    pub fn rollup_figures_kept(&self) -> Result<Option<Value>, StoreError> {
        self.first(&FIGURES_KEPT, args![], |row| row.json(0))
    }

    /// Own synchronizations that are remembered, oldest first, with the last change that was here afterwards.
    pub fn rollup_syncs(&self) -> Result<Vec<(Timestamp, ChangeNumber)>, StoreError> {
        self.all(&SYNCS, args![0_i64], |row| Ok((row.time(0)?, row.change(1)?)))
    }

    /// The last change that was here at an instant: what a server that asked then was given.
    pub fn rollup_change_at(&self, at: Timestamp) -> Result<ChangeNumber, StoreError> {
        let mut last = self.catalogue_version()?;
        for statement in [&CHANGE_REVISION, &CHANGE_DEPLOYMENT] {
            // Changes rise with time, so the first that came later is found by halving.
            let (mut low, mut high) = (0, last.0 + 1);
            while low < high {
                let middle = low + (high - low) / 2;
                let found = self.first(statement, args![middle], |row| Ok((row.int::<u64>(0)?, row.time(1)?)))?;
                match found {
                    Some((change, time)) if time <= at => low = change + 1,
                    // nothing between the middle and this one
                    Some(_) | None => high = middle,
                }
            }
            last = last.min(ChangeNumber(self.change_from(statement, low)?.map_or(last.0, |change| change - 1)));
        }
        Ok(last)
    }

    fn change_from(&self, statement: &'static crate::sql::Statement, low: u64) -> Result<Option<u64>, StoreError> {
        self.first(statement, args![low], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Sets the mark by which servers below know that this server's data was replaced.
    pub fn rollup_reset_put(&self, reset: Uuid, server: Uuid) -> Result<(), StoreError> {
        self.run(&RESET, args![reset, server])?;
        Ok(())
    }

    /// Notes whom roll-ups go to from now on, and that it knows nothing: everything is owed to it.
    pub fn rollup_upstream_put(&self, upstream: Uuid, reset: Uuid) -> Result<(), StoreError> {
        self.run(&UPSTREAM, args![upstream, reset])?;
        self.run(&ALL_AGAIN, args![0_u32])?;
        Ok(())
    }

    /// Notes that what was frozen is all told, and when it was frozen.
    pub fn rollup_told(&self, at: Timestamp) -> Result<(), StoreError> {
        self.run(&TOLD, args![at])?;
        Ok(())
    }

    /// Keeps figures for a state of catalogue and computers.
    pub fn rollup_figures_put(&self, figures: &Value, change: ChangeNumber, marks: u64) -> Result<(), StoreError> {
        self.run(&FIGURES_PUT, args![&figures.to_string(), change, marks])?;
        Ok(())
    }

    /// Notes that this server began to synchronize at `at`, with the last change that was here afterwards, and forgets
    /// what lies before `keep`.
    pub fn rollup_sync_note(&self, at: Timestamp, change: ChangeNumber, keep: Timestamp) -> Result<(), StoreError> {
        self.run(&SYNC_NOTE, args![at, change])?;
        self.run(&SYNC_PRUNE, args![keep])?;
        Ok(())
    }
}
