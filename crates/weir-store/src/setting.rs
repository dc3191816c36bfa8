//! Site settings: keys and JSON values.

use jiff::Timestamp;
use serde_json::Value;
use weir_model::ids::ChangeNumber;

use crate::{ReadTx, StoreError, WriteTx};

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

impl ReadTx<'_> {
    /// All settings that were set, by key.
    pub fn setting_list(&self) -> Result<Vec<SettingRow>, StoreError> {
        unimplemented!()
    }

    /// One setting.
    pub fn setting_show(&self, key: &str) -> Result<Option<SettingRow>, StoreError> {
        let _ = key;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Sets a setting and returns its value before.
    pub fn setting_put(&self, key: &str, value: &Value) -> Result<Option<Value>, StoreError> {
        let _ = (key, value);
        unimplemented!()
    }

    /// Gives a setting its default again and returns its value before.
    pub fn setting_delete(&self, key: &str) -> Result<Option<Value>, StoreError> {
        let _ = key;
        unimplemented!()
    }
}
