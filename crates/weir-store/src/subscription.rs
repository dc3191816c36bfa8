//! Subscriptions: who is told of alerts, and how that goes. They belong to this site and do not travel.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::alert::AlertSeverity;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// How messages reach whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Channel {
    /// To addresses, through the mail server of the settings.
    Mail,
    /// To a URL, signed.
    Webhook,
}

/// What an administrator decides about a subscription.
#[derive(Clone, Eq, PartialEq)]
pub struct Subscription {
    /// Its name, unique without regard to case.
    pub name: String,
    /// False: nobody is told.
    pub enabled: bool,
    /// Prefixes of kinds; none is all.
    pub kinds: Vec<String>,
    /// The mildest severity.
    pub least: AlertSeverity,
    /// E-mail or webhook.
    pub channel: Channel,
    /// Receivers of e-mail.
    pub addresses: Vec<String>,
    /// Where a webhook goes; empty for e-mail.
    pub url: String,
    /// The URL may be plain HTTP.
    pub allow_http: bool,
    /// Signs webhooks.
    pub secret: String,
    /// Signs webhooks beside it, until then.
    pub secret_before: Option<(String, Timestamp)>,
    /// How often an open alert is told again, in minutes; 0 is never.
    pub repeat_minutes: u32,
    /// Tell that alerts closed.
    pub on_close: bool,
    /// How long news rest, in seconds.
    pub group_seconds: u32,
    /// Messages within any hour.
    pub most_per_hour: u32,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // secrets stay out of every log, and a URL may hold one
        f.debug_struct("Subscription").field("name", &self.name).field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// How the deliveries of a subscription go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChannelState {
    /// When one was delivered last.
    pub succeeded_at: Option<Timestamp>,
    /// When an attempt failed last.
    pub failed_at: Option<Timestamp>,
    /// Failed attempts since the last success.
    pub failures: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
}

/// A stored subscription.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubscriptionRow {
    /// Its id.
    pub id: Uuid,
    /// What was decided.
    pub wanted: Subscription,
    /// Alerts that opened before are not told.
    pub since: Timestamp,
    /// Why the server switched it off, if it did.
    pub disabled_because: Option<String>,
    /// How it goes.
    pub state: ChannelState,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

statements! {
    SUBSCRIPTION_LIST: "listing subscriptions" =
        "SELECT subscription_id, name, enabled, kinds, least, channel, addresses, url, allow_http, secret, secret_before,
             secret_until, repeat_minutes, on_close, group_seconds, most_per_hour, since, disabled_because, succeeded_at,
             failed_at, failures, last_error, created_at, created_by, changed_at, changed_by
         FROM subscription ORDER BY name_key";
    SUBSCRIPTION_SHOW: "reading a subscription" =
        "SELECT subscription_id, name, enabled, kinds, least, channel, addresses, url, allow_http, secret, secret_before,
             secret_until, repeat_minutes, on_close, group_seconds, most_per_hour, since, disabled_because, succeeded_at,
             failed_at, failures, last_error, created_at, created_by, changed_at, changed_by
         FROM subscription WHERE subscription_id = ?1";
    SUBSCRIPTION_FIND: "looking for a subscription" =
        "SELECT subscription_id, name, enabled, kinds, least, channel, addresses, url, allow_http, secret, secret_before,
             secret_until, repeat_minutes, on_close, group_seconds, most_per_hour, since, disabled_because, succeeded_at,
             failed_at, failures, last_error, created_at, created_by, changed_at, changed_by
         FROM subscription WHERE name_key = ?1";
    SUBSCRIPTION_PUT: "storing a subscription" =
        "INSERT INTO subscription (subscription_id, name, name_key, enabled, kinds, least, channel, addresses, url,
             allow_http, secret, secret_before, secret_until, repeat_minutes, on_close, group_seconds, most_per_hour,
             since, created_at, created_by, changed_at, changed_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?19, ?20)
         ON CONFLICT (subscription_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             enabled = excluded.enabled, kinds = excluded.kinds, least = excluded.least, channel = excluded.channel,
             addresses = excluded.addresses, url = excluded.url, allow_http = excluded.allow_http,
             secret = excluded.secret, secret_before = excluded.secret_before, secret_until = excluded.secret_until,
             repeat_minutes = excluded.repeat_minutes, on_close = excluded.on_close,
             group_seconds = excluded.group_seconds, most_per_hour = excluded.most_per_hour, since = excluded.since,
             disabled_because = NULL, changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    SUBSCRIPTION_DELETE: "deleting a subscription" = "DELETE FROM subscription WHERE subscription_id = ?1";
    SUBSCRIPTION_GOOD: "noting a delivery" =
        "UPDATE subscription SET succeeded_at = ?2, failures = 0, last_error = NULL WHERE subscription_id = ?1";
    SUBSCRIPTION_BAD: "noting a delivery that failed" =
        "UPDATE subscription SET failed_at = ?2, failures = failures + 1, last_error = ?3 WHERE subscription_id = ?1
         RETURNING failures";
    SUBSCRIPTION_OFF: "switching a subscription off" =
        "UPDATE subscription SET enabled = 0, disabled_because = ?2, changed_at = ?3, changed_by = ?4
         WHERE subscription_id = ?1";
}

fn subscription(row: &Row<'_>) -> Result<SubscriptionRow, StoreError> {
    let before = row.text(10)?;
    Ok(SubscriptionRow {
        id: row.uuid(0)?,
        wanted: Subscription {
            name: row.text(1)?,
            enabled: row.bool(2)?,
            kinds: row.lines(3)?,
            least: row.coded(4)?,
            channel: row.coded(5)?,
            addresses: row.lines(6)?,
            url: row.text(7)?,
            allow_http: row.bool(8)?,
            secret: row.text(9)?,
            secret_before: row.opt_time(11)?.filter(|_| !before.is_empty()).map(|until| (before, until)),
            repeat_minutes: row.int(12)?,
            on_close: row.bool(13)?,
            group_seconds: row.int(14)?,
            most_per_hour: row.int(15)?,
        },
        since: row.time(16)?,
        disabled_because: row.opt_text(17)?,
        state: ChannelState {
            succeeded_at: row.opt_time(18)?,
            failed_at: row.opt_time(19)?,
            failures: row.int(20)?,
            last_error: row.opt_text(21)?,
        },
        created_at: row.time(22)?,
        created_by: row.text(23)?,
        changed_at: row.time(24)?,
        changed_by: row.text(25)?,
    })
}

impl ReadTx<'_> {
    /// Subscriptions, by name.
    pub fn subscription_list(&self) -> Result<Vec<SubscriptionRow>, StoreError> {
        self.all(&SUBSCRIPTION_LIST, args![], subscription)
    }

    /// One subscription.
    pub fn subscription_show(&self, id: Uuid) -> Result<Option<SubscriptionRow>, StoreError> {
        self.first(&SUBSCRIPTION_SHOW, args![id], subscription)
    }

    /// The subscription of that name, without regard to case.
    pub fn subscription_find(&self, name: &str) -> Result<Option<SubscriptionRow>, StoreError> {
        self.first(&SUBSCRIPTION_FIND, args![&weir_model::name::key(name)], subscription)
    }
}

impl WriteTx<'_> {
    /// Stores a subscription. Alerts that opened before `since` are not told.
    pub fn subscription_put(&self, id: Uuid, wanted: &Subscription, since: Timestamp) -> Result<(), StoreError> {
        let actor = self.actor();
        let (before, until) = match &wanted.secret_before {
            Some((secret, until)) => (secret.as_str(), Some(*until)),
            None => ("", None),
        };
        let (kinds, addresses) = (wanted.kinds.join("\n"), wanted.addresses.join("\n"));
        let name_key = weir_model::name::key(&wanted.name);
        let values = args![
            id,
            &wanted.name,
            &name_key,
            wanted.enabled,
            &kinds,
            wanted.least,
            wanted.channel,
            &addresses,
            &wanted.url,
            wanted.allow_http,
            &wanted.secret,
            before,
            until,
            wanted.repeat_minutes,
            wanted.on_close,
            wanted.group_seconds,
            wanted.most_per_hour,
            since,
            actor.at,
            &actor.name,
        ];
        self.run(&SUBSCRIPTION_PUT, values)?;
        Ok(())
    }

    /// Deletes a subscription, with what waits for its receiver.
    pub fn subscription_delete(&self, id: Uuid) -> Result<(), StoreError> {
        self.run(&SUBSCRIPTION_DELETE, args![id])?;
        Ok(())
    }

    /// Notes that a receiver was reached.
    pub fn subscription_good(&self, id: Uuid) -> Result<(), StoreError> {
        self.run(&SUBSCRIPTION_GOOD, args![id, self.actor().at])?;
        Ok(())
    }

    /// Notes that a receiver was not reached. How often in a row; 0 if the subscription is gone.
    pub fn subscription_bad(&self, id: Uuid, why: &str) -> Result<u32, StoreError> {
        let failures = self.first(&SUBSCRIPTION_BAD, args![id, self.actor().at, why], |row| row.int(0))?;
        Ok(failures.unwrap_or_default())
    }

    /// The server switches a subscription off.
    pub fn subscription_off(&self, id: Uuid, why: &str) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&SUBSCRIPTION_OFF, args![id, why, actor.at, &actor.name])?;
        Ok(())
    }
}
