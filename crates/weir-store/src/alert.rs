//! Alerts: rows that open and close.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

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

statements! {
    ALERT_LIST_OPEN: "listing open alerts" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at FROM alert
         WHERE closed_at IS NULL ORDER BY alert_no DESC LIMIT ?1";
    ALERT_LIST: "listing alerts" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at FROM alert
         ORDER BY alert_no DESC LIMIT ?1";
    ALERT_OPEN: "opening an alert" =
        "INSERT INTO alert (kind, subject, severity, message, opened_at, raised_at, count) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)
         ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO UPDATE SET severity = excluded.severity,
             message = excluded.message, raised_at = excluded.raised_at, count = alert.count + 1
         RETURNING count";
    ALERT_CLOSE: "closing an alert" =
        "UPDATE alert SET closed_at = ?3 WHERE kind = ?1 AND subject = ?2 AND closed_at IS NULL";
}

impl ReadTx<'_> {
    /// Open alerts, newest first; with `closed`, closed ones too.
    pub fn alert_list(&self, closed: bool, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        let statement = if closed { &ALERT_LIST } else { &ALERT_LIST_OPEN };
        self.all(statement, args![limit], |row| {
            Ok(AlertRow {
                no: row.int(0)?,
                kind: row.text(1)?,
                subject: row.text(2)?,
                severity: row.coded(3)?,
                message: row.text(4)?,
                opened_at: row.time(5)?,
                raised_at: row.time(6)?,
                count: row.int(7)?,
                closed_at: row.opt_time(8)?,
            })
        })
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
        let values = args![kind, subject, severity, message, self.actor().at];
        Ok(self.one(&ALERT_OPEN, values, |row| row.int::<u64>(0))? == 1)
    }

    /// Closes the open alert of this kind and subject. True if there was one.
    pub fn alert_close(&self, kind: &str, subject: &str) -> Result<bool, StoreError> {
        Ok(self.run(&ALERT_CLOSE, args![kind, subject, self.actor().at])? > 0)
    }
}
