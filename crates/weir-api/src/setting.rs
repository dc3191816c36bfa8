//! `settings`: how this site behaves. Process settings (folders, listeners, limits) are not here but in `weir.toml`.
//!
//! `GET settings` answers a [`crate::List`] of [`Setting`], `GET settings/{key}` a [`Setting`]; `PUT settings/{key}` takes
//! [`SettingChange`] and answers [`SettingChanged`].

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A setting with its meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Setting {
    /// Its name, such as `downstream.policy`.
    pub key: String,
    /// What holds now.
    pub value: Value,
    /// What holds when nobody sets it.
    pub default: Value,
    /// Which values there are, in words: `server or client`, `1 to 1000`, ...
    pub values: String,
    /// What it does.
    pub description: String,
}

/// A new value: JSON of the setting's type, or its text form as typed on a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingChange {
    /// The value.
    pub value: Value,
    /// Changes it even if that gives up what was decided here; without it the answer says what that is. A server that
    /// becomes a replica (`source`, `sync.replica`) has no deployments and declines of its own; one that requires TLS
    /// (`clients.https`) does not answer computers that still come without it.
    #[serde(default)]
    pub force: bool,
}

/// Answer to [`SettingChange`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SettingChanged {
    /// Its name.
    pub key: String,
    /// What holds now.
    pub value: Value,
}
