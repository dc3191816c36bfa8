//! Alerts: rows that open and close, and what administrators do about them.

use jiff::Timestamp;
pub use weir_model::alert::AlertSeverity;
use weir_model::{
    alert,
    message::{ALERT_CLOSED, ALERT_OPENED_CRITICAL, ALERT_OPENED_INFORMATION, ALERT_OPENED_WARNING},
};

use crate::{
    Page, ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{cursor_number, page_rows},
    sql::statements,
};

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
    /// Who closed it; none if it closed by itself.
    pub closed_by: Option<String>,
    /// When an administrator said that it is known, and who.
    pub acknowledged: Option<(Timestamp, String)>,
    /// Until when nobody is told of it, and who said so.
    pub muted: Option<(Timestamp, String)>,
    /// What the administrator who did something about it last noted.
    pub note: Option<String>,
}

/// A moment in the life of an alert.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AlertMoment {
    /// It opened.
    Opened,
    /// Its severity changed.
    Changed,
    /// An administrator knows of it.
    Acknowledged,
    /// Nobody is told of it for a while.
    Muted,
    /// People are told of it again.
    Unmuted,
    /// It closed.
    Closed,
}

/// An entry in the history of an alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlertEventRow {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: AlertMoment,
    /// Who.
    pub actor: String,
    /// Why, in words.
    pub note: Option<String>,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AlertFilter {
    /// Open ones (true), closed ones (false), or both.
    pub open: Option<bool>,
    /// Of a kind, or below it.
    pub kind: Option<String>,
    /// At least so bad.
    pub least: Option<AlertSeverity>,
    /// Opened since.
    pub since: Option<Timestamp>,
}

/// How many alerts of a kind and severity are open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlertCountRow {
    /// The kind.
    pub kind: String,
    /// How bad.
    pub severity: AlertSeverity,
    /// So many are open.
    pub open: u64,
    /// So many of them are acknowledged.
    pub acknowledged: u64,
    /// So many of them are muted now.
    pub muted: u64,
}

statements! {
    ALERT_LIST_OPEN: "listing open alerts" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at, closed_by,
             acknowledged_at, acknowledged_by, muted_until, muted_by, note FROM alert
         WHERE closed_at IS NULL ORDER BY alert_no DESC LIMIT ?1";
    ALERT_LIST: "listing alerts" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at, closed_by,
             acknowledged_at, acknowledged_by, muted_until, muted_by, note FROM alert
         ORDER BY alert_no DESC LIMIT ?1";
    ALERT_PAGE_OPEN: "listing open alerts by page" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at, closed_by,
             acknowledged_at, acknowledged_by, muted_until, muted_by, note FROM alert
         WHERE closed_at IS NULL AND alert_no < ?1
             AND (CAST(?2 AS TEXT) IS NULL OR kind = ?2 OR substr(kind, 1, length(?2) + 1) = ?2 || '.')
             AND severity >= ?3 AND opened_at >= ?4
         ORDER BY alert_no DESC LIMIT ?5";
    ALERT_PAGE_CLOSED: "listing closed alerts by page" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at, closed_by,
             acknowledged_at, acknowledged_by, muted_until, muted_by, note FROM alert
         WHERE closed_at IS NOT NULL AND alert_no < ?1
             AND (CAST(?2 AS TEXT) IS NULL OR kind = ?2 OR substr(kind, 1, length(?2) + 1) = ?2 || '.')
             AND severity >= ?3 AND opened_at >= ?4
         ORDER BY alert_no DESC LIMIT ?5";
    ALERT_SHOW: "reading an alert" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at, closed_by,
             acknowledged_at, acknowledged_by, muted_until, muted_by, note FROM alert WHERE alert_no = ?1";
    ALERT_OPEN_OF: "looking for the open alert of a subject" =
        "SELECT alert_no, kind, subject, severity, message, opened_at, raised_at, count, closed_at, closed_by,
             acknowledged_at, acknowledged_by, muted_until, muted_by, note FROM alert
         WHERE kind = ?1 AND subject = ?2 AND closed_at IS NULL";
    ALERT_SUBJECTS: "listing open alerts of a kind" =
        "SELECT subject FROM alert WHERE kind = ?1 AND closed_at IS NULL ORDER BY subject";
    ALERT_COUNTS: "counting open alerts" =
        "SELECT kind, severity, count(*), count(acknowledged_at),
             coalesce(sum(CASE WHEN muted_until > ?1 THEN 1 ELSE 0 END), 0)
         FROM alert WHERE closed_at IS NULL GROUP BY kind, severity ORDER BY kind, severity";
    ALERT_EVENTS: "reading the history of an alert" =
        "SELECT at, what, actor, note FROM alert_event WHERE alert_no = ?1 ORDER BY event_no LIMIT ?2";
    ALERT_MUTED_BEFORE: "looking whether a subject is muted" =
        "SELECT muted_until, muted_by FROM alert WHERE kind = ?1 AND subject = ?2 AND muted_until > ?3
         ORDER BY alert_no DESC LIMIT 1";
    ALERT_OPEN: "opening an alert" =
        "INSERT INTO alert (kind, subject, severity, message, opened_at, raised_at, count, muted_until, muted_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6, ?7) RETURNING alert_no";
    ALERT_RAISE: "raising an alert again" =
        "UPDATE alert SET severity = ?2, message = ?3, raised_at = ?4, count = count + 1 WHERE alert_no = ?1";
    ALERT_CLOSE: "closing an alert" =
        "UPDATE alert SET closed_at = ?2, closed_by = ?3 WHERE alert_no = ?1 AND closed_at IS NULL";
    ALERT_ACKNOWLEDGE: "acknowledging an alert" =
        "UPDATE alert SET acknowledged_at = ?2, acknowledged_by = ?3, note = ?4 WHERE alert_no = ?1";
    ALERT_MUTE: "muting an alert" =
        "UPDATE alert SET muted_until = ?2, muted_by = ?3, note = coalesce(?4, note) WHERE alert_no = ?1";
    ALERT_EVENT_INSERT: "writing the history of an alert" =
        "INSERT INTO alert_event (alert_no, at, what, actor, note) VALUES (?1, ?2, ?3, ?4, ?5)";
    ALERT_PRUNE: "deleting old alerts" =
        "DELETE FROM alert WHERE alert_no IN
             (SELECT a.alert_no FROM alert a WHERE a.closed_at < ?1 ORDER BY a.closed_at, a.alert_no LIMIT ?2)";
}

/// Entries of the history of an alert that are shown.
const MOST_EVENTS: u32 = 1_000;

pub(crate) fn alert(row: &Row<'_>) -> Result<AlertRow, StoreError> {
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
        closed_by: row.opt_text(9)?,
        acknowledged: row.opt_time(10)?.zip(row.opt_text(11)?),
        muted: row.opt_time(12)?.zip(row.opt_text(13)?),
        note: row.opt_text(14)?,
    })
}

impl ReadTx<'_> {
    /// Open alerts, newest first; with `closed`, closed ones too.
    pub fn alert_list(&self, closed: bool, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        self.all(if closed { &ALERT_LIST } else { &ALERT_LIST_OPEN }, args![limit], alert)
    }

    /// Alerts by page: open ones, newest first, then closed ones, newest first.
    pub fn alert_page(
        &self,
        filter: &AlertFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<AlertRow>, StoreError> {
        // the letter says which part of the list the cursor is in
        let (part, number) = match cursor {
            None => ('o', None),
            Some(text) => match text.split_at_checked(1) {
                Some(("o", number)) => ('o', Some(number)),
                Some(("c", number)) => ('c', Some(number)),
                _ => return Err(StoreError::Cursor(text.chars().take(80).collect())),
            },
        };
        let before: i64 = cursor_number(number, i64::MAX)?;
        let part_of = |statement, before: i64, room: i64| {
            let values = args![
                before,
                filter.kind.as_deref(),
                filter.least.unwrap_or(AlertSeverity::Information),
                filter.since.unwrap_or(Timestamp::MIN),
                room,
            ];
            self.all(statement, values, alert)
        };
        let rows = page_rows(limit);
        let mut found = Vec::new();
        if part == 'o' && filter.open != Some(false) {
            found = part_of(&ALERT_PAGE_OPEN, before, rows)?;
        }
        if filter.open != Some(true) && (found.len() as i64) < rows {
            let before = if part == 'c' { before } else { i64::MAX };
            found.extend(part_of(&ALERT_PAGE_CLOSED, before, rows - found.len() as i64)?);
        }
        Ok(Page::cut(found, limit, |row| format!("{}{}", if row.closed_at.is_some() { 'c' } else { 'o' }, row.no)))
    }

    /// One alert.
    pub fn alert_show(&self, no: i64) -> Result<Option<AlertRow>, StoreError> {
        self.first(&ALERT_SHOW, args![no], alert)
    }

    /// The open alert of this kind and subject.
    pub fn alert_open_of(&self, kind: &str, subject: &str) -> Result<Option<AlertRow>, StoreError> {
        self.first(&ALERT_OPEN_OF, args![kind, subject], alert)
    }

    /// Subjects of the open alerts of a kind.
    pub fn alert_subjects(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        self.all(&ALERT_SUBJECTS, args![kind], |row| row.text(0))
    }

    /// How many are open, by kind and severity.
    pub fn alert_counts(&self, now: Timestamp) -> Result<Vec<AlertCountRow>, StoreError> {
        self.all(&ALERT_COUNTS, args![now], |row| {
            Ok(AlertCountRow {
                kind: row.text(0)?,
                severity: row.coded(1)?,
                open: row.int(2)?,
                acknowledged: row.int(3)?,
                muted: row.int(4)?,
            })
        })
    }

    /// The history of an alert, oldest first.
    pub fn alert_events(&self, no: i64) -> Result<Vec<AlertEventRow>, StoreError> {
        self.all(&ALERT_EVENTS, args![no, MOST_EVENTS], |row| {
            Ok(AlertEventRow { at: row.time(0)?, what: row.coded(1)?, actor: row.text(2)?, note: row.opt_text(3)? })
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
        let now = self.actor().at;
        if let Some(open) = self.alert_open_of(kind, subject)? {
            self.run(&ALERT_RAISE, args![open.no, severity, message, now])?;
            if open.severity != severity {
                let note = format!("{} to {}", open.severity.word(), severity.word());
                self.alert_event(open.no, AlertMoment::Changed, Some(&note))?;
            }
            return Ok(false);
        }
        // what an administrator muted stays so when it comes and goes
        let muted = self
            .first(&ALERT_MUTED_BEFORE, args![kind, subject, now], |row| Ok(row.opt_time(0)?.zip(row.opt_text(1)?)))?;
        let (until, by) = muted.flatten().unzip();
        let values = args![kind, subject, severity, message, now, until, by.as_deref()];
        let no: i64 = self.one(&ALERT_OPEN, values, |row| row.int(0))?;
        self.alert_event(no, AlertMoment::Opened, None)?;
        let meaning = match severity {
            AlertSeverity::Information => &ALERT_OPENED_INFORMATION,
            AlertSeverity::Warning => &ALERT_OPENED_WARNING,
            AlertSeverity::Critical => &ALERT_OPENED_CRITICAL,
        };
        let parameters = [("kind", kind.to_owned()), ("subject", subject.to_owned()), ("message", message.to_owned())];
        self.status_message_of(alert::component(kind), meaning, &parameters, Some(("alert", &no.to_string())))?;
        Ok(true)
    }

    /// Closes the open alert of this kind and subject. True if there was one.
    pub fn alert_close(&self, kind: &str, subject: &str) -> Result<bool, StoreError> {
        let Some(open) = self.alert_open_of(kind, subject)? else { return Ok(false) };
        self.alert_end(&open, None, None)?;
        Ok(true)
    }

    /// Closes an alert by hand. True if it was open.
    pub fn alert_close_by_hand(&self, no: i64, note: Option<&str>) -> Result<bool, StoreError> {
        let Some(open) = self.alert_show(no)?.filter(|row| row.closed_at.is_none()) else { return Ok(false) };
        self.alert_end(&open, Some(&self.actor().name), note)?;
        Ok(true)
    }

    fn alert_end(&self, open: &AlertRow, by: Option<&str>, note: Option<&str>) -> Result<(), StoreError> {
        self.run(&ALERT_CLOSE, args![open.no, self.actor().at, by])?;
        self.alert_event(open.no, AlertMoment::Closed, note)?;
        let parameters = [("kind", open.kind.clone()), ("subject", open.subject.clone())];
        let about = open.no.to_string();
        self.status_message_of(alert::component(&open.kind), &ALERT_CLOSED, &parameters, Some(("alert", &about)))
    }

    /// Notes that the actor knows of an alert.
    pub fn alert_acknowledge(&self, no: i64, note: Option<&str>) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&ALERT_ACKNOWLEDGE, args![no, actor.at, &actor.name, note])?;
        self.alert_event(no, AlertMoment::Acknowledged, note)
    }

    /// Nobody is told of an alert until then; none ends that.
    pub fn alert_mute(&self, no: i64, until: Option<Timestamp>, note: Option<&str>) -> Result<(), StoreError> {
        let by = until.map(|_| self.actor().name.as_str());
        self.run(&ALERT_MUTE, args![no, until, by, note])?;
        let what = if until.is_some() { AlertMoment::Muted } else { AlertMoment::Unmuted };
        self.alert_event(no, what, note)
    }

    fn alert_event(&self, no: i64, what: AlertMoment, note: Option<&str>) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&ALERT_EVENT_INSERT, args![no, actor.at, what, &actor.name, note])?;
        Ok(())
    }

    /// Deletes alerts that closed before a time, with their history; at most so many. Returns how many.
    pub fn alert_prune(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        Ok(self.run(&ALERT_PRUNE, args![before, most])? as u64)
    }
}
