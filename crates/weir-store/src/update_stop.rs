//! Updates that are stopped: offered to nobody, whatever deploys them.

use jiff::Timestamp;
use weir_model::ids::{ChangeNumber, UpdateId};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A stopped update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpdateStopRow {
    /// The update.
    pub update: UpdateId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub stopped_at: Timestamp,
    /// By whom.
    pub stopped_by: String,
    /// The change that stopped it: scans that end at this anchor or a later one have heard of it.
    pub began: ChangeNumber,
}

statements! {
    STOP_LIST: "listing stopped updates" =
        "SELECT u.update_id, s.reason, s.stopped_at, s.stopped_by, s.began FROM update_stop s JOIN updates u ON u.update_no = s.update_no
         ORDER BY s.change, s.update_no";
    STOP_SHOW: "looking whether an update is stopped" =
        "SELECT u.update_id, s.reason, s.stopped_at, s.stopped_by, s.began FROM updates u JOIN update_stop s ON s.update_no = u.update_no
         WHERE u.update_id = ?1";
    STOP_PUT: "stopping an update" =
        "INSERT INTO update_stop (update_no, reason, began, change, stopped_at, stopped_by) VALUES (?1, ?2, ?3, ?3, ?4, ?5)
         ON CONFLICT (update_no) DO UPDATE SET reason = excluded.reason, change = excluded.change";
    STOP_DELETE: "resuming an update" = "DELETE FROM update_stop WHERE update_no = ?1";
    STOP_DEPLOYMENTS: "telling deployments of an update that it is stopped or resumed" =
        "UPDATE deployment SET active = 0, change = ?2, changed_at = ?3, changed_by = ?4
         WHERE update_no = ?1 AND enabled = 1";
}

fn stop(row: &Row<'_>) -> Result<UpdateStopRow, StoreError> {
    Ok(UpdateStopRow {
        update: row.update_id(0)?,
        reason: row.text(1)?,
        stopped_at: row.time(2)?,
        stopped_by: row.text(3)?,
        began: row.change(4)?,
    })
}

impl ReadTx<'_> {
    /// All stopped updates, oldest first.
    pub fn update_stop_list(&self) -> Result<Vec<UpdateStopRow>, StoreError> {
        self.all(&STOP_LIST, args![], stop)
    }

    /// Why and since when an update is stopped; none if it is not.
    pub fn update_stop_show(&self, update: UpdateId) -> Result<Option<UpdateStopRow>, StoreError> {
        self.first(&STOP_SHOW, args![update], stop)
    }
}

impl WriteTx<'_> {
    /// Stops an update, or gives its stop another reason. True if that changed something. Its deployments go out as
    /// inactive at once; a new one does, too.
    pub fn update_stop_put(&self, update: UpdateId, reason: &str) -> Result<bool, StoreError> {
        let before = self.update_stop_show(update)?;
        if before.as_ref().is_some_and(|row| row.reason == reason) {
            return Ok(false);
        }
        let (actor, update_no, change) = (self.actor(), self.update_intern(update)?, self.change_next()?);
        self.run(&STOP_PUT, args![update_no, reason, change, actor.at, &actor.name])?;
        if before.is_none() {
            self.run(&STOP_DEPLOYMENTS, args![update_no, change, actor.at, &actor.name])?;
        }
        Ok(true)
    }

    /// Takes a stop back. True if it was stopped. The next publish activates what is due.
    pub fn update_stop_remove(&self, update: UpdateId) -> Result<bool, StoreError> {
        let Some(update_no) = self.update_no(update)? else { return Ok(false) };
        let stopped = self.run(&STOP_DELETE, args![update_no])? > 0;
        if stopped {
            let actor = self.actor();
            self.run(&STOP_DEPLOYMENTS, args![update_no, self.change_next()?, actor.at, &actor.name])?;
        }
        Ok(stopped)
    }
}
