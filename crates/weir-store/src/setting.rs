//! Site settings: keys and JSON values.

use jiff::Timestamp;
use serde_json::Value;
use weir_model::ids::ChangeNumber;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A setting that was set; what has its default is not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingRow {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Change number.
    pub change: ChangeNumber,
    /// When.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

statements! {
    SETTING_LIST: "listing settings" = "SELECT key, value, change, changed_at, changed_by FROM setting ORDER BY key";
    SETTING_SHOW: "reading a setting" = "SELECT key, value, change, changed_at, changed_by FROM setting WHERE key = ?1";
    SETTING_PUT: "changing a setting" =
        "INSERT INTO setting (key, value, change, changed_at, changed_by) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, change = excluded.change,
             changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    SETTING_DELETE: "giving a setting its default" = "DELETE FROM setting WHERE key = ?1";
}

fn setting(row: &Row<'_>) -> Result<SettingRow, StoreError> {
    Ok(SettingRow {
        key: row.text(0)?,
        value: row.json(1)?,
        change: row.change(2)?,
        changed_at: row.time(3)?,
        changed_by: row.text(4)?,
    })
}

impl ReadTx<'_> {
    /// All settings that were set, by key.
    pub fn setting_list(&self) -> Result<Vec<SettingRow>, StoreError> {
        self.all(&SETTING_LIST, args![], setting)
    }

    /// One setting.
    pub fn setting_show(&self, key: &str) -> Result<Option<SettingRow>, StoreError> {
        self.first(&SETTING_SHOW, args![key], setting)
    }
}

impl WriteTx<'_> {
    /// Sets a setting and returns its value before.
    pub fn setting_put(&self, key: &str, value: &Value) -> Result<Option<Value>, StoreError> {
        let before = self.setting_show(key)?;
        if before.as_ref().is_none_or(|row| row.value != *value) {
            let actor = self.actor();
            self.run(&SETTING_PUT, args![key, &value.to_string(), self.change_next()?, actor.at, &actor.name])?;
        }
        Ok(before.map(|row| row.value))
    }

    /// Gives a setting its default again and returns its value before.
    pub fn setting_delete(&self, key: &str) -> Result<Option<Value>, StoreError> {
        let before = self.setting_show(key)?;
        if before.is_some() {
            self.change_next()?;
            self.run(&SETTING_DELETE, args![key])?;
        }
        Ok(before.map(|row| row.value))
    }
}
