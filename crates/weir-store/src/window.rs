//! Maintenance windows of collections.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, DeploymentId},
    targeting::DeploymentOrigin,
    window::Window,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A stored window.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowRow {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Whose computers.
    pub collection: CollectionId,
    /// The window.
    pub window: Window,
    /// Who made it: an administrator here, or the parent.
    pub origin: DeploymentOrigin,
    /// Change number.
    pub change: ChangeNumber,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

statements! {
    WINDOW_LIST: "listing maintenance windows" =
        "SELECT window_id, collection_id, name, recurrence, minutes, kind, enabled, origin, change, changed_at, changed_by,
             created_at, created_by
         FROM maintenance_window ORDER BY collection_id, name_key";
    WINDOW_SHOW: "reading a maintenance window" =
        "SELECT window_id, collection_id, name, recurrence, minutes, kind, enabled, origin, change, changed_at, changed_by,
             created_at, created_by
         FROM maintenance_window WHERE window_id = ?1";
    WINDOW_FIND: "looking for a maintenance window of a collection" =
        "SELECT window_id, collection_id, name, recurrence, minutes, kind, enabled, origin, change, changed_at, changed_by,
             created_at, created_by
         FROM maintenance_window WHERE collection_id = ?1 AND name_key = ?2";
    WINDOW_PUT: "storing a maintenance window" =
        "INSERT INTO maintenance_window (window_id, collection_id, name, name_key, recurrence, minutes, kind, enabled, origin,
             change, changed_at, changed_by, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?11, ?12)
         ON CONFLICT (window_id) DO UPDATE SET collection_id = excluded.collection_id, name = excluded.name,
             name_key = excluded.name_key, recurrence = excluded.recurrence, minutes = excluded.minutes,
             kind = excluded.kind, enabled = excluded.enabled, origin = excluded.origin, change = excluded.change,
             changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    WINDOW_DELETE: "deleting a maintenance window" = "DELETE FROM maintenance_window WHERE window_id = ?1";
    LOCAL_DEPLOYMENTS: "listing deployments in local time" =
        "SELECT deployment_id FROM deployment WHERE local_time = 1";
    EXPANDED_FROM: "reading what a deployment was expanded from" =
        "SELECT expanded_from FROM deployment WHERE deployment_id = ?1";
}

fn window(row: &Row<'_>) -> Result<WindowRow, StoreError> {
    let recurrence = row.str(3)?;
    let damaged =
        |error: &dyn std::fmt::Display| StoreError::Corrupt { what: format!("a maintenance window: {error}") };
    let recurrence = recurrence.parse().map_err(|error| damaged(&error))?;
    let mut window =
        Window::new(row.str(2)?, recurrence, row.int(4)?, row.coded(5)?).map_err(|error| damaged(&error))?;
    window.enabled = row.bool(6)?;
    Ok(WindowRow {
        id: row.uuid(0)?,
        collection: row.collection_id(1)?,
        window,
        origin: row.coded(7)?,
        change: row.change(8)?,
        changed_at: row.time(9)?,
        changed_by: row.text(10)?,
        created_at: row.time(11)?,
        created_by: row.text(12)?,
    })
}

impl ReadTx<'_> {
    /// All windows, by collection and name.
    pub fn window_list(&self) -> Result<Vec<WindowRow>, StoreError> {
        self.all(&WINDOW_LIST, args![], window)
    }

    /// The window of that id.
    pub fn window_show(&self, id: Uuid) -> Result<Option<WindowRow>, StoreError> {
        self.first(&WINDOW_SHOW, args![id], window)
    }

    /// The window of that name of a collection, without regard to case.
    pub fn window_find(&self, collection: CollectionId, name: &str) -> Result<Option<WindowRow>, StoreError> {
        self.first(&WINDOW_FIND, args![collection, &weir_model::name::key(name)], window)
    }

    /// The deployments whose times are wall-clock times of each computer.
    pub fn deployments_in_local_time(&self) -> Result<HashSet<DeploymentId>, StoreError> {
        let ids = self.all(&LOCAL_DEPLOYMENTS, args![], |row| row.int(0).map(DeploymentId))?;
        Ok(ids.into_iter().collect())
    }

    /// The deployment of a group that this one of a member was expanded from.
    pub fn deployment_expanded_from(&self, id: DeploymentId) -> Result<Option<DeploymentId>, StoreError> {
        let from = self.first(&EXPANDED_FROM, args![id], |row| row.opt_int(0))?;
        Ok(from.flatten().map(DeploymentId))
    }
}

impl WriteTx<'_> {
    /// Stores a window under its id, in place of the one that had it. The caller has checked that the collection may have
    /// windows and has no other of that name.
    pub fn window_put(
        &self,
        id: Uuid,
        collection: CollectionId,
        window: &Window,
        origin: DeploymentOrigin,
    ) -> Result<(), StoreError> {
        let actor = self.actor();
        let key = weir_model::name::key(window.name());
        let recurrence = window.recurrence().to_string();
        let values = args![
            id,
            collection,
            window.name(),
            &key,
            &recurrence,
            u32::from(window.minutes()),
            window.kind,
            window.enabled,
            origin,
            self.change_next()?,
            actor.at,
            &actor.name,
        ];
        self.run(&WINDOW_PUT, values)?;
        Ok(())
    }

    /// Deletes a window. True if it was there.
    pub fn window_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&WINDOW_DELETE, args![id])? > 0)
    }
}
