//! Sets of client settings, and the collections that they are deployed to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::DeploymentOrigin,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// What a set is, as far as it travels.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientSettings {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name, unique without regard to case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// 1 is the strongest; 0 is the default set's.
    pub priority: u32,
    /// Values in their text form, by key.
    pub settings: BTreeMap<String, String>,
    /// What it is deployed to.
    pub collections: BTreeSet<CollectionId>,
}

/// A stored set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientSettingsRow {
    /// What it is.
    pub set: ClientSettings,
    /// Who made it: an administrator here, or the parent.
    pub origin: DeploymentOrigin,
    /// Change number of the set itself.
    pub change: ChangeNumber,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

statements! {
    CLIENT_SETTINGS_LIST: "listing client settings" =
        "SELECT set_id, name, description, priority, settings, origin, change, changed_at, changed_by
         FROM client_settings ORDER BY priority, set_id";
    CLIENT_SETTINGS_SHOW: "reading client settings" =
        "SELECT set_id, name, description, priority, settings, origin, change, changed_at, changed_by
         FROM client_settings WHERE set_id = ?1";
    CLIENT_SETTINGS_FIND: "looking for client settings by name" =
        "SELECT set_id FROM client_settings WHERE name_key = ?1";
    CLIENT_SETTINGS_PUT: "storing client settings" =
        "INSERT INTO client_settings (set_id, name, name_key, description, priority, settings, origin, change, changed_at,
             changed_by, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, ?10)
         ON CONFLICT (set_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             description = excluded.description, priority = excluded.priority, settings = excluded.settings,
             origin = excluded.origin, change = excluded.change, changed_at = excluded.changed_at,
             changed_by = excluded.changed_by";
    CLIENT_SETTINGS_PRIORITY: "moving client settings" =
        "UPDATE client_settings SET priority = ?2, change = ?3 WHERE set_id = ?1 AND priority <> ?2";
    CLIENT_SETTINGS_DELETE: "deleting client settings" = "DELETE FROM client_settings WHERE set_id = ?1";
    CLIENT_SETTINGS_COLLECTIONS: "listing the collections of client settings" =
        "SELECT collection_id FROM client_settings_collection WHERE set_id = ?1 ORDER BY collection_id";
    CLIENT_SETTINGS_ASSIGN: "deploying client settings" =
        "INSERT INTO client_settings_collection (set_id, collection_id) VALUES (?1, ?2)
         ON CONFLICT (set_id, collection_id) DO NOTHING";
    CLIENT_SETTINGS_UNASSIGN: "taking client settings back" =
        "DELETE FROM client_settings_collection WHERE set_id = ?1 AND collection_id = ?2";
}

fn client_settings(row: &Row<'_>) -> Result<ClientSettingsRow, StoreError> {
    let settings = serde_json::from_value(row.json(4)?);
    Ok(ClientSettingsRow {
        set: ClientSettings {
            id: row.uuid(0)?,
            name: row.text(1)?,
            description: row.text(2)?,
            priority: row.int(3)?,
            settings: settings
                .map_err(|error| StoreError::Corrupt { what: format!("a set of client settings: {error}") })?,
            collections: BTreeSet::new(),
        },
        origin: row.coded(5)?,
        change: row.change(6)?,
        changed_at: row.time(7)?,
        changed_by: row.text(8)?,
    })
}

impl ReadTx<'_> {
    /// All sets, by priority; the default set, if it was changed, is the first.
    pub fn client_settings_list(&self) -> Result<Vec<ClientSettingsRow>, StoreError> {
        let mut rows = self.all(&CLIENT_SETTINGS_LIST, args![], client_settings)?;
        for row in &mut rows {
            row.set.collections = self.client_settings_collections(row.set.id)?;
        }
        Ok(rows)
    }

    /// The set of that id.
    pub fn client_settings_show(&self, id: Uuid) -> Result<Option<ClientSettingsRow>, StoreError> {
        let Some(mut row) = self.first(&CLIENT_SETTINGS_SHOW, args![id], client_settings)? else { return Ok(None) };
        row.set.collections = self.client_settings_collections(id)?;
        Ok(Some(row))
    }

    /// The set of that name, compared without regard to case and to blanks around it.
    pub fn client_settings_find(&self, name: &str) -> Result<Option<ClientSettingsRow>, StoreError> {
        let id = self.first(&CLIENT_SETTINGS_FIND, args![&weir_model::name::key(name)], |row| row.uuid(0))?;
        id.map_or(Ok(None), |id| self.client_settings_show(id))
    }

    fn client_settings_collections(&self, id: Uuid) -> Result<BTreeSet<CollectionId>, StoreError> {
        let collections = self.all(&CLIENT_SETTINGS_COLLECTIONS, args![id], |row| row.collection_id(0))?;
        Ok(collections.into_iter().collect())
    }
}

impl WriteTx<'_> {
    /// Makes or changes a set so that it is exactly this. True if that changed something. The caller has checked its values
    /// and that no other has the name, and the collections are there.
    pub fn client_settings_put(&self, wanted: &ClientSettings, origin: DeploymentOrigin) -> Result<bool, StoreError> {
        let before = self.client_settings_show(wanted.id)?;
        if before.as_ref().is_some_and(|row| row.set == *wanted && row.origin == origin) {
            return Ok(false);
        }
        let text = serde_json::to_string(&wanted.settings);
        let text = text.map_err(|error| StoreError::Corrupt { what: format!("a set of client settings: {error}") })?;
        let (actor, key) = (self.actor(), weir_model::name::key(&wanted.name));
        let change = self.change_next()?;
        self.run(
            &CLIENT_SETTINGS_PUT,
            args![
                wanted.id,
                &wanted.name,
                &key,
                &wanted.description,
                wanted.priority,
                &text,
                origin,
                change,
                actor.at,
                &actor.name
            ],
        )?;
        let present = before.map(|row| row.set.collections).unwrap_or_default();
        for collection in wanted.collections.difference(&present) {
            self.run(&CLIENT_SETTINGS_ASSIGN, args![wanted.id, *collection])?;
        }
        for collection in present.difference(&wanted.collections) {
            self.run(&CLIENT_SETTINGS_UNASSIGN, args![wanted.id, *collection])?;
        }
        Ok(true)
    }

    /// Gives a set another priority. The caller keeps them apart.
    pub fn client_settings_move(&self, id: Uuid, priority: u32) -> Result<bool, StoreError> {
        if self.client_settings_show(id)?.is_none_or(|row| row.set.priority == priority) {
            return Ok(false);
        }
        Ok(self.run(&CLIENT_SETTINGS_PRIORITY, args![id, priority, self.change_next()?])? > 0)
    }

    /// Deletes a set. True if it was there.
    pub fn client_settings_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&CLIENT_SETTINGS_DELETE, args![id])? > 0)
    }
}
