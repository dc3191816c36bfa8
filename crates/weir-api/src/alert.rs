//! Alerts.
//!
//! * `GET alerts` takes an [`AlertQuery`] and answers a [`crate::List`] of [`Alert`], open ones first.
//! * `GET alert-counts` answers [`AlertCounts`].
//! * `GET alerts/{id}` answers an [`AlertDetail`].
//! * `POST alerts/{id}/acknowledge` and `alerts/{id}/close` take an [`AlertNote`], `POST alerts/{id}/mute` takes an
//!   [`AlertMute`]; `POST alerts/{id}/unmute` takes an [`AlertNote`]. All answer an [`Alert`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that an administrator should see to. Most close by themselves.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// Kind and subject, such as `content.mismatch:86542C97261C46D5B379A43EC895F97EAF409BA2`.
    pub key: String,
    /// What kind, such as `content.mismatch`.
    pub kind: String,
    /// About what.
    pub subject: String,
    /// `information`, `warning` or `critical`.
    pub severity: String,
    /// What is wrong and what to do.
    pub message: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it was raised last.
    pub raised_at: Timestamp,
    /// How often it was raised.
    pub count: u64,
    /// When it closed; null while open.
    pub closed_at: Option<Timestamp>,
    /// Who closed it; null if it closed by itself.
    pub closed_by: Option<String>,
    /// When an administrator said that it is known.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// Nobody is told of it until then.
    pub muted_until: Option<Timestamp>,
    /// What the last administrator noted.
    pub note: Option<String>,
    /// It may be closed by hand; others close by themselves.
    pub closes_by_hand: bool,
}

/// An alert with its history.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertDetail {
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// What became of it, oldest first.
    pub history: Vec<AlertEvent>,
}

/// A moment in the life of an alert.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// When.
    pub at: Timestamp,
    /// `opened`, `changed` (its severity), `acknowledged`, `muted`, `unmuted`, `closed`.
    pub what: String,
    /// Who.
    pub actor: String,
    /// Why.
    pub note: Option<String>,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AlertQuery {
    /// `open`, `closed`, or `all` (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Of this kind, or below it: `content` means `content.mismatch`, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At least so bad: `information`, `warning`, `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Opened since: RFC 3339, or so long ago, such as `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Words of an administrator.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertNote {
    /// At most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How long nobody is told of an alert.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertMute {
    /// RFC 3339, or from now such as `+4h`; at most a year.
    pub until: String,
    /// At most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How many alerts are open.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertCounts {
    /// Open.
    pub open: u64,
    /// Open and critical.
    pub critical: u64,
    /// Open and a warning.
    pub warning: u64,
    /// Open and worth knowing.
    pub information: u64,
    /// Open and acknowledged.
    pub acknowledged: u64,
    /// Open and muted now.
    pub muted: u64,
    /// By kind.
    pub kinds: Vec<AlertKindCount>,
}

/// How many alerts of a kind are open.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertKindCount {
    /// The kind.
    pub kind: String,
    /// How many.
    pub open: u64,
}
