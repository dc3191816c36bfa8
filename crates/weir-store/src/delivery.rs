//! What subscriptions were told, and messages on their way. Each message is a row until it is delivered or given up, so
//! that none is lost when the server stops; one that was under way then is sent again.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    alert::{
        AlertSeverity,
        notice::{Rule, Seen},
        retry,
    },
    skew::SKEW,
};

use crate::{
    Page, ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{cursor_number, page_rows},
    sql::statements,
};

/// Where a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// It was tried long enough, or the receiver refused it for good.
    GivenUp,
    /// The subscription was switched off before.
    Dropped,
}

/// A message to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewDelivery {
    /// Its id, the same for each attempt.
    pub id: Uuid,
    /// For whom.
    pub subscription: Uuid,
    /// What it tells: `alert.opened`, `digest`, ...
    pub event: String,
    /// The alert that it is about, if it is about one.
    pub alert: Option<i64>,
    /// What is sent.
    pub payload: String,
}

/// A message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeliveryRow {
    /// Its place among all of them.
    pub no: i64,
    /// What was made.
    pub new: NewDelivery,
    /// Name of the subscription.
    pub subscription_name: String,
    /// Where it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// It is not tried before.
    pub next_at: Timestamp,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The beginning of what the receiver answered.
    pub answer: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attempt {
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// The beginning of what the receiver answered.
    pub answer: Option<String>,
}

statements! {
    TOLD_OPEN: "comparing open alerts with what was told" =
        "SELECT a.alert_no, a.kind, a.subject, a.severity, a.opened_at, a.closed_at, a.acknowledged_at, a.muted_until,
             n.told_at, n.closed_told
         FROM alert a LEFT JOIN alert_told n ON n.subscription_id = ?1 AND n.alert_no = a.alert_no
         WHERE a.closed_at IS NULL AND a.alert_no > ?2 AND a.severity >= ?3 AND a.acknowledged_at IS NULL
             AND (a.muted_until IS NULL OR a.muted_until <= ?4)
             AND (n.told_at IS NULL OR n.told_at <= ?5 OR n.told_at > ?8)
             AND (n.told_at IS NOT NULL OR a.opened_at >= ?6)
         ORDER BY a.alert_no LIMIT ?7";
    TOLD_CLOSED: "comparing closed alerts with what was told" =
        "SELECT a.alert_no, a.kind, a.subject, a.severity, a.opened_at, a.closed_at, a.acknowledged_at, a.muted_until,
             n.told_at, n.closed_told
         FROM alert_told n JOIN alert a ON a.alert_no = n.alert_no
         WHERE n.subscription_id = ?1 AND n.closed_told = 0 AND a.closed_at IS NOT NULL
         ORDER BY a.alert_no LIMIT ?2";
    TOLD_PUT: "noting what was told" =
        "INSERT INTO alert_told (subscription_id, alert_no, told_at, closed_told) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (subscription_id, alert_no) DO UPDATE SET told_at = excluded.told_at,
             closed_told = excluded.closed_told";
    TOLD_FORGET: "leaving out what closed before it was asked for" =
        "UPDATE alert_told SET closed_told = 1 WHERE subscription_id = ?1 AND closed_told = 0 AND alert_no IN
             (SELECT a.alert_no FROM alert a WHERE a.closed_at IS NOT NULL)";
    DELIVERY_CREATE: "making a delivery" =
        "INSERT INTO alert_delivery (delivery_id, subscription_id, event, alert_no, payload, state, attempts, created_at,
             next_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?6)";
    DELIVERY_RECENT: "reading when deliveries were made" =
        "SELECT created_at FROM alert_delivery WHERE subscription_id = ?1 AND created_at > ?2 ORDER BY created_at";
    DELIVERY_WAITING: "counting deliveries that wait" =
        "SELECT subscription_id, count(*) FROM alert_delivery WHERE state = 0 GROUP BY subscription_id";
    DELIVERY_DUE: "looking for deliveries that are due" =
        "SELECT d.delivery_no, d.subscription_id FROM alert_delivery d
         WHERE d.state = 0 AND (d.next_at <= ?1 OR d.next_at > ?3) AND (d.lease_until IS NULL OR d.lease_until <= ?1)
         ORDER BY d.next_at, d.delivery_no LIMIT ?2";
    DELIVERY_SHOW: "reading a delivery" =
        "SELECT d.delivery_no, d.delivery_id, d.subscription_id, d.event, d.alert_no, d.payload, d.state, d.attempts,
             d.created_at, d.next_at, d.ended_at, d.last_error, d.answer, s.name
         FROM alert_delivery d JOIN subscription s ON s.subscription_id = d.subscription_id
         WHERE d.delivery_no = ?1";
    DELIVERY_NEXT: "looking when a delivery is due" =
        "SELECT next_at FROM alert_delivery WHERE state = 0 ORDER BY next_at LIMIT 1";
    DELIVERY_LEASE: "taking a delivery" =
        "UPDATE alert_delivery SET lease_owner = ?2, lease_until = ?3, attempts = attempts + 1
         WHERE delivery_no = ?1 AND state = 0";
    DELIVERY_GIVE_BACK: "giving back deliveries of a process that is gone" =
        "UPDATE alert_delivery SET lease_owner = NULL, lease_until = NULL WHERE state = 0 AND lease_owner IS NOT NULL";
    DELIVERY_AGAIN: "putting a delivery off" =
        "UPDATE alert_delivery SET next_at = ?2, last_error = ?3, answer = ?4, lease_owner = NULL, lease_until = NULL
         WHERE delivery_no = ?1 AND state = 0";
    DELIVERY_END: "ending a delivery" =
        "UPDATE alert_delivery SET state = ?2, ended_at = ?3, last_error = ?4, answer = ?5, lease_owner = NULL,
             lease_until = NULL
         WHERE delivery_no = ?1 AND state = 0";
    DELIVERY_DROP: "dropping deliveries of a subscription" =
        "UPDATE alert_delivery SET state = 3, ended_at = ?2, lease_owner = NULL, lease_until = NULL
         WHERE subscription_id = ?1 AND state = 0";
    DELIVERY_PAGE: "listing deliveries" =
        "SELECT d.delivery_no, d.delivery_id, d.subscription_id, d.event, d.alert_no, d.payload, d.state, d.attempts,
             d.created_at, d.next_at, d.ended_at, d.last_error, d.answer, s.name
         FROM alert_delivery d JOIN subscription s ON s.subscription_id = d.subscription_id
         WHERE d.delivery_no < ?1 AND (d.subscription_id = ?2 OR ?2 IS NULL) AND (d.state = ?3 OR ?3 IS NULL)
         ORDER BY d.delivery_no DESC LIMIT ?4";
    DELIVERY_PRUNE: "deleting old deliveries" =
        "DELETE FROM alert_delivery WHERE delivery_no IN
             (SELECT d.delivery_no FROM alert_delivery d WHERE d.state > 0 AND d.ended_at < ?1
              ORDER BY d.state, d.next_at, d.delivery_no LIMIT ?2)";
}

/// Alerts that are compared at once. What is not among them comes with the next turn: those were told by then.
const MOST_COMPARED: u32 = 20_000;

fn seen(row: &Row<'_>) -> Result<Seen, StoreError> {
    Ok(Seen {
        no: row.int(0)?,
        kind: row.text(1)?,
        subject: row.text(2)?,
        severity: row.coded::<AlertSeverity>(3)?,
        opened_at: row.time(4)?,
        closed_at: row.opt_time(5)?,
        acknowledged: !row.is_null(6)?,
        muted_until: row.opt_time(7)?,
        told_at: row.opt_time(8)?,
        told_closed: row.opt(9, Row::bool)?.unwrap_or_default(),
    })
}

fn delivery(row: &Row<'_>) -> Result<DeliveryRow, StoreError> {
    Ok(DeliveryRow {
        no: row.int(0)?,
        new: NewDelivery {
            id: row.uuid(1)?,
            subscription: row.uuid(2)?,
            event: row.text(3)?,
            alert: row.opt_int(4)?,
            payload: row.text(5)?,
        },
        state: row.coded(6)?,
        attempts: row.int(7)?,
        created_at: row.time(8)?,
        next_at: row.time(9)?,
        ended_at: row.opt_time(10)?,
        last_error: row.opt_text(11)?,
        answer: row.opt_text(12)?,
        subscription_name: row.text(13)?,
    })
}

impl ReadTx<'_> {
    /// Alerts that there may be something to tell of: what [`weir_model::alert::notice::plan`] decides about. What it would
    /// leave alone for certain is left out.
    pub fn alert_news(&self, subscription: Uuid, rule: &Rule, now: Timestamp) -> Result<Vec<Seen>, StoreError> {
        let again = rule.repeat.and_then(|repeat| now.checked_sub(repeat).ok()).unwrap_or(Timestamp::MIN);
        // told by a clock that has been set back since; of what is never repeated nothing is told again
        let ahead = rule.repeat.and_then(|_| now.checked_add(SKEW).ok()).unwrap_or(Timestamp::MAX);
        let values = args![subscription, 0_i64, rule.least, now, again, rule.told_from(now), MOST_COMPARED, ahead];
        let mut found = self.all(&TOLD_OPEN, values, seen)?;
        if rule.on_close {
            found.extend(self.all(&TOLD_CLOSED, args![subscription, MOST_COMPARED], seen)?);
        }
        Ok(found)
    }

    /// When the messages of a subscription since then were made.
    pub fn delivery_recent(&self, subscription: Uuid, since: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        self.all(&DELIVERY_RECENT, args![subscription, since], |row| row.time(0))
    }

    /// How many messages wait, by subscription.
    pub fn delivery_waiting(&self) -> Result<Vec<(Uuid, u64)>, StoreError> {
        self.all(&DELIVERY_WAITING, args![], |row| Ok((row.uuid(0)?, row.int(1)?)))
    }

    /// When the next message is due.
    pub fn delivery_next(&self) -> Result<Option<Timestamp>, StoreError> {
        self.first(&DELIVERY_NEXT, args![], |row| row.time(0))
    }

    /// Messages that are due and that nobody works on, the most urgent first: number and subscription. One that was put off
    /// further than any may be was put off by a clock that has been set back since, and is due.
    pub fn delivery_due(&self, now: Timestamp, limit: u32) -> Result<Vec<(i64, Uuid)>, StoreError> {
        let ahead = now.checked_add(retry::FURTHEST.saturating_add(SKEW)).unwrap_or(Timestamp::MAX);
        self.all(&DELIVERY_DUE, args![now, limit, ahead], |row| Ok((row.int(0)?, row.uuid(1)?)))
    }

    /// One message.
    pub fn delivery_show(&self, no: i64) -> Result<Option<DeliveryRow>, StoreError> {
        self.first(&DELIVERY_SHOW, args![no], delivery)
    }

    /// Messages, newest first.
    pub fn delivery_page(
        &self,
        subscription: Option<Uuid>,
        state: Option<DeliveryState>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<DeliveryRow>, StoreError> {
        let before: i64 = cursor_number(cursor, i64::MAX)?;
        let rows = self.all(&DELIVERY_PAGE, args![before, subscription, state, page_rows(limit)], delivery)?;
        Ok(Page::cut(rows, limit, |row| row.no.to_string()))
    }
}

impl WriteTx<'_> {
    /// Makes a message; it is due at once.
    pub fn delivery_create(&self, new: &NewDelivery) -> Result<(), StoreError> {
        let values = args![new.id, new.subscription, &new.event, new.alert, &new.payload, self.actor().at];
        self.run(&DELIVERY_CREATE, values)?;
        Ok(())
    }

    /// Notes that a subscription was told of an alert.
    pub fn alert_told(&self, subscription: Uuid, alert: i64, closed: bool) -> Result<(), StoreError> {
        self.run(&TOLD_PUT, args![subscription, alert, self.actor().at, closed])?;
        Ok(())
    }

    /// What closed before a subscription asked for closings is not told.
    pub fn alert_told_forget(&self, subscription: Uuid) -> Result<(), StoreError> {
        self.run(&TOLD_FORGET, args![subscription])?;
        Ok(())
    }

    /// Takes a message to send it; counts the attempt. False if it is no longer waiting.
    pub fn delivery_take(&self, no: i64, owner: &str, until: Timestamp) -> Result<bool, StoreError> {
        Ok(self.run(&DELIVERY_LEASE, args![no, owner, until])? > 0)
    }

    /// Gives back what an earlier process of this folder was sending.
    pub fn delivery_give_back(&self) -> Result<u64, StoreError> {
        Ok(self.run(&DELIVERY_GIVE_BACK, args![])? as u64)
    }

    /// Puts a message off until then.
    pub fn delivery_again(&self, no: i64, at: Timestamp, attempt: &Attempt) -> Result<(), StoreError> {
        self.run(&DELIVERY_AGAIN, args![no, at, attempt.error.as_deref(), attempt.answer.as_deref()])?;
        Ok(())
    }

    /// Ends a message. False if it is no longer waiting.
    pub fn delivery_end(&self, no: i64, state: DeliveryState, attempt: &Attempt) -> Result<bool, StoreError> {
        let values = args![no, state, self.actor().at, attempt.error.as_deref(), attempt.answer.as_deref()];
        Ok(self.run(&DELIVERY_END, values)? > 0)
    }

    /// Drops what waits for the receiver of a subscription. Returns how many.
    pub fn delivery_drop(&self, subscription: Uuid) -> Result<u64, StoreError> {
        Ok(self.run(&DELIVERY_DROP, args![subscription, self.actor().at])? as u64)
    }

    /// Deletes messages that ended before a time, at most so many. Returns how many.
    pub fn delivery_prune(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        Ok(self.run(&DELIVERY_PRUNE, args![before, most])? as u64)
    }
}
