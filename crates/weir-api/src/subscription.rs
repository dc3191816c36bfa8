//! Subscriptions: who is told of alerts.
//!
//! * `GET subscriptions` answers a [`crate::List`] of [`Subscription`]; `POST` takes a [`SubscriptionCreate`] and answers a
//!   [`SubscriptionCreated`] (201).
//! * `GET subscriptions/{name}` answers a [`Subscription`], `PATCH` takes a [`SubscriptionChange`] and answers a
//!   [`SubscriptionCreated`], `DELETE` removes it; `{name}` is a name or an id.
//! * `POST subscriptions/{name}/test` sends a message now and answers [`SubscriptionTested`].
//! * `GET deliveries` takes a [`DeliveryQuery`] and answers a [`crate::List`] of [`Delivery`], newest first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How messages reach whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// To addresses, through the mail server of the settings `mail.*`.
    Mail,
    /// To a URL, as signed JSON.
    Webhook,
}

/// A new subscription.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionCreate {
    /// 1 to 100 characters, unique without regard to case.
    pub name: String,
    /// Kinds of alerts, or what they begin with: `content` means `content.mismatch`, too. None is all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The mildest severity: `information`, `warning` (the default), `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Receivers of e-mail, 1 to 50; not together with `url`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Where a webhook goes; not together with `addresses`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The URL may be `http`: the alert and its signature then pass in clear.
    #[serde(default)]
    pub allow_http: bool,
    /// Signs webhooks, 16 to 256 characters; one is made if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// How often an open alert that nobody acknowledged is told again, in minutes, 0 to 10,080; 0 (the default) is never.
    #[serde(default)]
    pub repeat_minutes: u32,
    /// Tell that alerts closed, too.
    #[serde(default)]
    pub on_close: bool,
    /// How long news rest so that they are told together, in seconds, 0 to 3,600; default 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_seconds: Option<u32>,
    /// Messages within any hour, 1 to 1,000; default 20. What is beyond comes in one digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_per_hour: Option<u32>,
    /// False: nobody is told.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A change of a subscription; what is absent stays. E-mail stays e-mail and a webhook stays one.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SubscriptionChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other kinds, in place of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Another mildest severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Other receivers, in place of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// Another URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The URL may be `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_http: Option<bool>,
    /// Another secret. The one before signs beside it for `secret_overlap_hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Makes another secret, which the answer shows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub new_secret: bool,
    /// How long the secret before stays valid, 0 to 720; default 24.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_overlap_hours: Option<u32>,
    /// How often an open alert is told again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_minutes: Option<u32>,
    /// Tell that alerts closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_close: Option<bool>,
    /// How long news rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_seconds: Option<u32>,
    /// Messages within any hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_per_hour: Option<u32>,
    /// Switches it on or off. Off drops what waits; on begins with alerts that open from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A subscription. Secrets are never shown.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether somebody is told.
    pub enabled: bool,
    /// Why the server switched it off, if it did.
    pub disabled_because: Option<String>,
    /// E-mail or webhook.
    pub channel: Channel,
    /// Kinds; none is all.
    pub kinds: Vec<String>,
    /// The mildest severity.
    pub severity: String,
    /// Receivers of e-mail.
    pub addresses: Vec<String>,
    /// Where a webhook goes.
    pub url: Option<String>,
    /// The URL may be `http`.
    pub allow_http: bool,
    /// The secret before the present one signs, too, until then.
    pub secret_before_until: Option<Timestamp>,
    /// How often an open alert is told again, in minutes; 0 is never.
    pub repeat_minutes: u32,
    /// Tell that alerts closed.
    pub on_close: bool,
    /// How long news rest, in seconds.
    pub group_seconds: u32,
    /// Messages within any hour.
    pub most_per_hour: u32,
    /// When a message was delivered last.
    pub last_success_at: Option<Timestamp>,
    /// When an attempt failed last.
    pub last_failure_at: Option<Timestamp>,
    /// Failed attempts since the last success.
    pub failures: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// Messages that wait.
    pub waiting: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// A subscription that was made or changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubscriptionCreated {
    /// The subscription.
    #[serde(flatten)]
    pub subscription: Subscription,
    /// The secret that was made here, shown this once; absent if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What to do next.
    pub next_step: String,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubscriptionTested {
    /// The receiver took it.
    pub delivered: bool,
    /// Why not.
    pub error: Option<String>,
    /// What helps.
    pub next_step: Option<String>,
    /// What the receiver answered, at most 1,000 characters.
    pub answer: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// Of this subscription: a name or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// `waiting`, `delivered`, `given_up`, `dropped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A message on its way, or that arrived.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its id: `Weir-Delivery` of a webhook, part of the `Message-ID` of an e-mail.
    pub id: Uuid,
    /// The subscription.
    pub subscription: String,
    /// `alert.opened`, `alert.repeated`, `alert.closed` or `alert.digest`.
    pub event: String,
    /// The alert, if it is about one.
    pub alert: Option<i64>,
    /// `waiting`, `delivered`, `given_up`, `dropped`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is tried next, while it waits.
    pub next_at: Option<Timestamp>,
    /// When that ended.
    pub ended_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// What the receiver answered, at most 1,000 characters.
    pub answer: Option<String>,
}
