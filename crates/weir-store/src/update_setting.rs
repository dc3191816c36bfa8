//! What administrators set of updates: maximum run time, severity of their own. And licences that wait for acceptance.

use weir_model::{
    ids::{RevisionId, UpdateId},
    update::Severity,
};

use crate::{
    Page, ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{cursor_number, page_rows},
    sql::statements,
};

/// Settings of an update.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UpdateSetting {
    /// How long it may take to install, in minutes.
    pub run_time_minutes: u32,
    /// An administrator chose that; else it is the default that held when the update arrived.
    pub run_time_set: bool,
    /// The severity that an administrator gave it.
    pub custom_severity: Option<Severity>,
}

impl Default for UpdateSetting {
    /// As for updates that arrived before run times were kept.
    fn default() -> Self {
        Self { run_time_minutes: 60, run_time_set: false, custom_severity: None }
    }
}

/// A licence that nobody accepted, and an update that has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AwaitedLicence {
    /// Number of the newest revision.
    pub revision_id: RevisionId,
    /// The update.
    pub update: UpdateId,
    /// Its title.
    pub title: String,
    /// The licence.
    pub eula_id: String,
}

statements! {
    SETTING_OF: "reading what is set of an update" =
        "SELECT run_time_minutes, run_time_set, custom_severity FROM updates WHERE update_id = ?1";
    SETTINGS_ALL: "listing what is set of updates" =
        "SELECT update_id, run_time_minutes, run_time_set, custom_severity FROM updates WHERE newest_revision_id IS NOT NULL
         ORDER BY update_no";
    SETTING_PUT: "storing what is set of an update" =
        "UPDATE updates SET run_time_minutes = ?2, run_time_set = ?3, custom_severity = ?4 WHERE update_id = ?1";
    RUN_TIME_DUE: "listing updates that wait for a run time" =
        "SELECT d.update_no, u.update_id, u.newest_revision_id FROM run_time_due d JOIN updates u ON u.update_no = d.update_no
         ORDER BY d.update_no LIMIT ?1";
    RUN_TIME_QUEUE: "asking for the default run time of an update" =
        "INSERT INTO run_time_due (update_no) SELECT update_no FROM updates WHERE update_id = ?1
         ON CONFLICT (update_no) DO NOTHING";
    RUN_TIME_GIVE: "giving an update its run time" =
        "UPDATE updates SET run_time_minutes = ?2 WHERE update_no = ?1 AND run_time_set = 0";
    RUN_TIME_DONE: "ending the wait for a run time" = "DELETE FROM run_time_due WHERE update_no = ?1";
    LICENCES_AWAITED: "listing licences that wait for acceptance" =
        "SELECT r.revision_id, u.update_id, r.title, r.eula_id
         FROM revision r JOIN updates u ON u.newest_revision_id = r.revision_id AND u.update_no = r.update_no
         WHERE r.eula_id IS NOT NULL AND r.revision_id < ?1 AND u.declined_at IS NULL AND r.expired = 0
             AND NOT EXISTS (SELECT 1 FROM updates a WHERE a.eula_id = r.eula_id AND a.eula_accepted_at IS NOT NULL)
         ORDER BY r.revision_id DESC LIMIT ?2";
}

fn setting(row: &Row<'_>, first: usize) -> Result<UpdateSetting, StoreError> {
    Ok(UpdateSetting {
        run_time_minutes: row.int(first)?,
        run_time_set: row.bool(first + 1)?,
        custom_severity: row.opt(first + 2, Row::coded)?,
    })
}

impl ReadTx<'_> {
    /// What is set of an update; default for one that is not known.
    pub fn update_setting(&self, update: UpdateId) -> Result<UpdateSetting, StoreError> {
        Ok(self.first(&SETTING_OF, args![update], |row| setting(row, 0))?.unwrap_or_default())
    }

    /// What is set of every update that has a revision.
    pub fn update_settings(&self) -> Result<Vec<(UpdateId, UpdateSetting)>, StoreError> {
        self.all(&SETTINGS_ALL, args![], |row| Ok((row.update_id(0)?, setting(row, 1)?)))
    }

    /// Updates that have arrived and have no run time yet: number, id, newest revision.
    pub fn run_time_due(&self, limit: u32) -> Result<Vec<(u32, UpdateId, Option<RevisionId>)>, StoreError> {
        self.all(&RUN_TIME_DUE, args![limit], |row| Ok((row.int(0)?, row.update_id(1)?, row.opt(2, Row::revision_id)?)))
    }

    /// Licences of live updates that nobody accepted, newest first.
    pub fn eula_awaited(&self, cursor: Option<&str>, limit: u32) -> Result<Page<AwaitedLicence>, StoreError> {
        let before: i32 = cursor_number(cursor, i32::MAX)?;
        let rows = self.all(&LICENCES_AWAITED, args![before, page_rows(limit)], |row| {
            Ok(AwaitedLicence {
                revision_id: row.revision_id(0)?,
                update: row.update_id(1)?,
                title: row.text(2)?,
                eula_id: row.text(3)?,
            })
        })?;
        Ok(Page::cut(rows, limit, |row| row.revision_id.to_string()))
    }
}

impl WriteTx<'_> {
    /// Sets what an administrator decided about an update. True if that changed something. A run time that is set no longer
    /// becomes what holds by default with the next [`WriteTx::run_time_give`].
    pub fn update_setting_put(&self, update: UpdateId, wanted: UpdateSetting) -> Result<bool, StoreError> {
        self.update_intern(update)?;
        let before = self.update_setting(update)?;
        if before == wanted {
            return Ok(false);
        }
        let values = args![update, wanted.run_time_minutes, wanted.run_time_set, wanted.custom_severity];
        self.run(&SETTING_PUT, values)?;
        if before.run_time_set && !wanted.run_time_set {
            self.run(&RUN_TIME_QUEUE, args![update])?;
        }
        Ok(true)
    }

    /// Gives an update that has arrived the run time that holds for it by default.
    pub fn run_time_give(&self, update: u32, minutes: u32) -> Result<(), StoreError> {
        self.run(&RUN_TIME_GIVE, args![update, minutes])?;
        self.run(&RUN_TIME_DONE, args![update])?;
        Ok(())
    }
}
