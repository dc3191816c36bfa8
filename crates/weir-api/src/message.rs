//! Status messages: what happened at this site.
//!
//! * `GET messages` takes a [`StatusMessageQuery`] and answers a [`crate::List`] of [`StatusMessage`], newest first.
//! * `GET message-meanings` answers a [`crate::List`] of [`StatusMessageMeaning`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusMessage {
    /// Its place among all of them.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `information`, `warning` or `error`.
    pub severity: String,
    /// Which part of the server: `synchronization`, `content`, ...
    pub component: String,
    /// The number of its meaning, which stays the same in all versions.
    pub code: u32,
    /// In words.
    pub text: String,
    /// What stands in the words, by name.
    pub parameters: BTreeMap<String, String>,
    /// What it is about, if it is about one thing.
    pub about: Option<About>,
}

/// What a message is about.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// What kind of thing: `run`, `alert`, `site`, `setting`, ...
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// Which messages to list.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatusMessageQuery {
    /// Of this part of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// At least so bad: `information`, `warning`, `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Not older: RFC 3339, or so long ago, such as `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// With this in the text, without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With this meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a number means.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusMessageMeaning {
    /// The number.
    pub code: u32,
    /// Who says it.
    pub component: String,
    /// How bad it is.
    pub severity: String,
    /// What is said; `{name}` stands for a parameter.
    pub text: String,
    /// The number of about the same message in Configuration Manager.
    pub similar_to: Option<u32>,
}
