//! What a webhook is sent: [`Notice`], version 1 of its schema. New versions only add fields.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of the schema.
pub const VERSION: u32 = 1;
/// Alerts that a digest lists; it counts all.
pub const MOST_LISTED: usize = 100;

/// The body of a webhook. A receiver should ignore fields that it does not know.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The version of this schema: 1.
    pub version: u32,
    /// `alert.opened`, `alert.repeated`, `alert.closed`, `alert.digest` or `test`; also the header `Weir-Event`.
    pub event: String,
    /// Its id, the same for each attempt; also the header `Weir-Delivery`.
    pub delivery: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// The site: its name, else the name of the server.
    pub site: String,
    /// The identity of the server.
    pub server_id: Uuid,
    /// Name of the subscription.
    pub subscription: String,
    /// How many alerts it is about.
    pub count: u64,
    /// By severity: how many.
    pub severities: std::collections::BTreeMap<String, u64>,
    /// By kind: how many.
    pub kinds: std::collections::BTreeMap<String, u64>,
    /// The alerts, the worst first; at most 100.
    pub alerts: Vec<NoticeAlert>,
}

/// An alert in a [`Notice`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NoticeAlert {
    /// Its number at this server.
    pub id: i64,
    /// `opened`, `repeated` or `closed`.
    pub what: String,
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
    /// When it closed; null while open.
    pub closed_at: Option<Timestamp>,
    /// How often it was raised.
    pub raised: u64,
}
