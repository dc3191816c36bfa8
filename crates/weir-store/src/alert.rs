//! Alerts: rows that open and close.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ReadTx, StoreError, WriteTx};

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertSeverity {
    /// Worth knowing.
    Information,
    /// Will become a problem.
    Warning,
    /// Is a problem.
    Critical,
}

/// An alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlertRow {
    /// Its number.
    pub no: i64,
    /// What kind, for example `content.mismatch`.
    pub kind: String,
    /// About what.
    pub subject: String,
    /// How bad.
    pub severity: AlertSeverity,
    /// In words, with the next step.
    pub message: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it was last raised again.
    pub raised_at: Timestamp,
    /// How often it was raised.
    pub count: u64,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
}

impl ReadTx<'_> {
    /// Open alerts, newest first; with `closed`, closed ones too.
    pub fn alert_list(&self, closed: bool, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        let _ = (closed, limit);
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Opens an alert, or counts it if one of this kind and subject is open. True if it opened.
    pub fn alert_open(
        &self,
        kind: &str,
        subject: &str,
        severity: AlertSeverity,
        message: &str,
    ) -> Result<bool, StoreError> {
        let _ = (kind, subject, severity, message);
        unimplemented!()
    }

    /// Closes the open alert of this kind and subject. True if there was one.
    pub fn alert_close(&self, kind: &str, subject: &str) -> Result<bool, StoreError> {
        let _ = (kind, subject);
        unimplemented!()
    }
}
