//! Subscriptions to alerts, and their deliveries.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    subscription::{
        Channel as ApiChannel, Delivery, DeliveryQuery, Subscription, SubscriptionChange, SubscriptionCreate,
        SubscriptionCreated, SubscriptionTested,
    },
};
use weir_model::{
    alert::{address::EmailAddress, notice::FAILED},
    message::SUBSCRIPTION_CHANGED,
};
use weir_store::{
    ReadTx, WriteTx,
    alert::AlertSeverity,
    delivery::{DeliveryRow, DeliveryState},
    subscription::{Channel, Subscription as Wanted, SubscriptionRow},
};

use super::{AdminError, App, Caller, alert, list, new_secret};
use crate::notify;

/// Subscriptions that a site may have.
const MOST: usize = 200;
/// Receivers of one.
const MOST_ADDRESSES: usize = 50;
/// Kinds of one.
const MOST_KINDS: usize = 50;
/// Characters of a name.
const LONGEST_NAME: usize = 100;

/// Subscriptions, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Subscription>, AdminError> {
    let limit = list::limit(query.limit)?;
    let (rows, waiting) = app.read(|tx| Ok((tx.subscription_list()?, tx.delivery_waiting()?))).await?;
    let waiting: HashMap<Uuid, u64> = waiting.into_iter().collect();
    let all = rows.into_iter().map(|row| {
        let waiting = waiting.get(&row.id).copied().unwrap_or_default();
        shown(row, waiting)
    });
    list::page(all, |row| row.name.to_lowercase(), query.cursor.as_deref(), limit)
}

/// One subscription.
pub(crate) async fn show(app: &App, name: String) -> Result<Subscription, AdminError> {
    app.try_read(move |tx| described(tx, find(tx, &name)?)).await
}

/// Makes a subscription. It begins with alerts that open from now on.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    new: SubscriptionCreate,
) -> Result<SubscriptionCreated, AdminError> {
    let made = if new.url.is_some() && new.secret.is_none() { Some(new_secret()?) } else { None };
    let channel = match (&new.url, new.addresses.is_empty()) {
        (Some(_), true) => Channel::Webhook,
        (None, false) => Channel::Mail,
        _ => {
            return Err(AdminError::Invalid {
                code: "channel",
                detail: "a subscription has either addresses (e-mail) or a url (webhook)".to_owned(),
                next_step: Some("weir alerts subscriptions create --help".to_owned()),
            });
        }
    };
    if channel == Channel::Mail && (new.secret.is_some() || new.allow_http) {
        return Err(AdminError::invalid("channel", "secret and allow_http are for a url, not for addresses"));
    }
    let wanted = Wanted {
        name: name(&new.name)?,
        enabled: new.enabled,
        kinds: kinds(&new.kinds)?,
        least: new.severity.as_deref().map_or(Ok(AlertSeverity::Warning), alert::severity)?,
        channel,
        addresses: addresses(&new.addresses)?,
        url: new.url.as_deref().map(|text| url(text, new.allow_http)).transpose()?.unwrap_or_default(),
        allow_http: new.allow_http,
        secret: match (&new.secret, &made) {
            (Some(given), _) => secret(given)?,
            (None, Some(made)) => made.clone(),
            (None, None) => String::new(),
        },
        secret_before: None,
        repeat_minutes: within("repeat_minutes", new.repeat_minutes, 0, 10_080)?,
        on_close: new.on_close,
        group_seconds: within("group_seconds", new.group_seconds.unwrap_or(30), 0, 3_600)?,
        most_per_hour: within("most_per_hour", new.most_per_hour.unwrap_or(20), 1, 1_000)?,
    };
    let made_here = made.clone();
    let subscription = app
        .write(caller, move |tx| {
            free(tx, &wanted.name)?;
            if tx.subscription_list()?.len() >= MOST {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("there are {MOST} subscriptions already"),
                    next_step: Some("delete some: weir alerts subscriptions delete NAME".to_owned()),
                });
            }
            let id = Uuid::new_v4();
            tx.subscription_put(id, &wanted, tx.actor().at)?;
            tx.audit("subscription.create", &wanted.name, None, Some(&audited(&wanted)))?;
            say(tx, "made", &wanted.name)?;
            described(tx, find(tx, &id.to_string())?)
        })
        .await?;
    Ok(created(subscription, made_here))
}

/// Changes a subscription.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    named: String,
    change: SubscriptionChange,
) -> Result<SubscriptionCreated, AdminError> {
    if change.new_secret && change.secret.is_some() {
        return Err(AdminError::invalid("secret", "secret and new_secret exclude each other"));
    }
    let made = if change.new_secret { Some(new_secret()?) } else { None };
    let made_here = made.clone();
    let subscription = app
        .write(caller, move |tx| {
            let row = find(tx, &named)?;
            let wanted = changed(tx, &row, change, made)?;
            if wanted == row.wanted {
                return described(tx, row);
            }
            let now = tx.actor().at;
            // switched on again: what opened meanwhile is not told
            let since = if wanted.enabled && !row.wanted.enabled { now } else { row.since };
            if !wanted.enabled {
                tx.delivery_drop(row.id)?;
            }
            if wanted.on_close && !row.wanted.on_close {
                tx.alert_told_forget(row.id)?;
            }
            if wanted.name != row.wanted.name {
                tx.alert_close(FAILED, &row.wanted.name)?;
            }
            tx.subscription_put(row.id, &wanted, since)?;
            tx.audit("subscription.change", &wanted.name, Some(&audited(&row.wanted)), Some(&audited(&wanted)))?;
            say(tx, "changed", &wanted.name)?;
            described(tx, find(tx, &row.id.to_string())?)
        })
        .await?;
    Ok(created(subscription, made_here))
}

/// What a subscription is to be.
fn changed(
    tx: &ReadTx<'_>,
    row: &SubscriptionRow,
    change: SubscriptionChange,
    made: Option<String>,
) -> Result<Wanted, AdminError> {
    let mut wanted = row.wanted.clone();
    let webhook = wanted.channel == Channel::Webhook;
    let foreign = if webhook {
        change.addresses.is_some()
    } else {
        change.url.is_some() || change.allow_http.is_some() || change.secret.is_some() || made.is_some()
    };
    if foreign {
        return Err(AdminError::Invalid {
            code: "channel",
            detail: format!("{} is {}", wanted.name, if webhook { "a webhook" } else { "for e-mail" }),
            next_step: Some("make another subscription, and delete this one".to_owned()),
        });
    }
    if let Some(text) = change.name {
        let new = name(&text)?;
        if weir_model::name::key(&new) != weir_model::name::key(&wanted.name) {
            free(tx, &new)?;
        }
        wanted.name = new;
    }
    if let Some(given) = change.kinds {
        wanted.kinds = kinds(&given)?;
    }
    if let Some(text) = change.severity {
        wanted.least = alert::severity(&text)?;
    }
    if let Some(given) = change.addresses {
        wanted.addresses = addresses(&given)?;
        if wanted.addresses.is_empty() {
            return Err(AdminError::invalid(
                "addresses",
                "addresses is empty; a subscription for e-mail has one at least",
            ));
        }
    }
    if webhook {
        wanted.allow_http = change.allow_http.unwrap_or(wanted.allow_http);
        wanted.url = url(change.url.as_deref().unwrap_or(&wanted.url), wanted.allow_http)?;
    }
    let overlap = within("secret_overlap_hours", change.secret_overlap_hours.unwrap_or(24), 0, 720)?;
    let new = match (change.secret, made) {
        (Some(given), _) => Some(secret(&given)?),
        (None, made) => made,
    };
    if let Some(new) = new.filter(|new| *new != wanted.secret) {
        let until = Timestamp::now() + SignedDuration::from_hours(i64::from(overlap));
        let before = std::mem::replace(&mut wanted.secret, new);
        wanted.secret_before = (overlap > 0).then_some((before, until));
    }
    wanted.repeat_minutes =
        within("repeat_minutes", change.repeat_minutes.unwrap_or(wanted.repeat_minutes), 0, 10_080)?;
    wanted.on_close = change.on_close.unwrap_or(wanted.on_close);
    wanted.group_seconds = within("group_seconds", change.group_seconds.unwrap_or(wanted.group_seconds), 0, 3_600)?;
    wanted.most_per_hour = within("most_per_hour", change.most_per_hour.unwrap_or(wanted.most_per_hour), 1, 1_000)?;
    wanted.enabled = change.enabled.unwrap_or(wanted.enabled);
    Ok(wanted)
}

/// Deletes a subscription; what waits for its receiver goes with it.
pub(crate) async fn delete(app: &App, caller: &Caller, named: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        let row = find(tx, &named)?;
        tx.subscription_delete(row.id)?;
        tx.alert_close(FAILED, &row.wanted.name)?;
        tx.audit("subscription.delete", &row.wanted.name, Some(&audited(&row.wanted)), None)?;
        say(tx, "deleted", &row.wanted.name)
    })
    .await
}

/// Sends a message now, whether the subscription is on or not.
pub(crate) async fn test(app: &App, caller: &Caller, named: String) -> Result<SubscriptionTested, AdminError> {
    let row = app
        .write(caller, move |tx| {
            let row = find(tx, &named)?;
            tx.audit("subscription.test", &row.wanted.name, None, None)?;
            Ok(row)
        })
        .await?;
    notify::test(app, row).await
}

/// Deliveries, newest first.
pub(crate) async fn deliveries(app: &App, query: DeliveryQuery) -> Result<List<Delivery>, AdminError> {
    let limit = list::limit(query.limit)?;
    let state = match query.state.as_deref() {
        None => None,
        Some(word) => {
            Some(STATES.iter().find(|(known, _)| *known == word).map(|(_, state)| *state).ok_or_else(|| {
                AdminError::Invalid {
                    code: "state",
                    detail: format!("state is {word:?}"),
                    next_step: Some(format!("take one of {}", alert_words())),
                }
            })?)
        }
    };
    app.try_read(move |tx| {
        let of = query.subscription.as_deref().map(|name| find(tx, name)).transpose()?;
        let page = tx.delivery_page(of.map(|row| row.id), state, query.cursor.as_deref(), limit)?;
        Ok(List { items: page.items.into_iter().map(delivery).collect(), next: page.next })
    })
    .await
}

const STATES: [(&str, DeliveryState); 4] = [
    ("waiting", DeliveryState::Waiting),
    ("delivered", DeliveryState::Delivered),
    ("given_up", DeliveryState::GivenUp),
    ("dropped", DeliveryState::Dropped),
];

fn alert_words() -> String {
    super::message::words(STATES.iter().map(|(word, _)| *word))
}

fn say(tx: &WriteTx<'_>, did: &str, name: &str) -> Result<(), AdminError> {
    let parameters = [("actor", tx.actor().name.clone()), ("did", did.to_owned()), ("subscription", name.to_owned())];
    Ok(tx.status_message(&SUBSCRIPTION_CHANGED, &parameters, Some(("subscription", name)))?)
}

fn find(tx: &ReadTx<'_>, named: &str) -> Result<SubscriptionRow, AdminError> {
    let found = match tx.subscription_find(named)? {
        None => match named.parse() {
            Ok(id) => tx.subscription_show(id)?,
            Err(_) => None,
        },
        found => found,
    };
    found.ok_or_else(|| AdminError::missing("subscription", format!("{named:?}"), "weir alerts subscriptions list"))
}

fn free(tx: &ReadTx<'_>, name: &str) -> Result<(), AdminError> {
    if tx.subscription_find(name)?.is_none() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("a subscription named {name:?} exists already"),
        next_step: Some("change that one: weir alerts subscriptions change NAME".to_owned()),
    })
}

fn name(text: &str) -> Result<String, AdminError> {
    let trimmed = text.trim();
    let fits = (1..=LONGEST_NAME).contains(&trimmed.chars().count()) && weir_model::name::is_printable(trimmed);
    if fits && trimmed.parse::<Uuid>().is_err() {
        return Ok(trimmed.to_owned());
    }
    Err(AdminError::invalid("name", format!("name must be 1 to {LONGEST_NAME} characters in one line, and no GUID")))
}

fn kinds(given: &[String]) -> Result<Vec<String>, AdminError> {
    if given.len() > MOST_KINDS {
        return Err(AdminError::invalid("kinds", format!("kinds has more than {MOST_KINDS} entries")));
    }
    let mut found = Vec::new();
    for text in given {
        let kind = alert::kind(text)?.to_string();
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    Ok(found)
}

fn addresses(given: &[String]) -> Result<Vec<String>, AdminError> {
    if given.len() > MOST_ADDRESSES {
        return Err(AdminError::invalid("addresses", format!("addresses has more than {MOST_ADDRESSES} entries")));
    }
    let mut found: Vec<String> = Vec::new();
    for text in given {
        let address: EmailAddress = text.parse().map_err(|error: weir_model::alert::address::EmailError| {
            AdminError::invalid("addresses", format!("addresses: {error}"))
        })?;
        if found.iter().any(|known| known.eq_ignore_ascii_case(address.as_str())) {
            return Err(AdminError::invalid("addresses", format!("addresses has {address} twice")));
        }
        found.push(address.to_string());
    }
    Ok(found)
}

/// Where a webhook may go: administrators choose, and in clear only if they say so.
fn url(text: &str, allow_http: bool) -> Result<String, AdminError> {
    let wrong = |why: &str, next: &str| AdminError::Invalid {
        code: "url",
        detail: format!("url {why}"),
        next_step: Some(next.to_owned()),
    };
    let text = text.trim();
    let form = "give an address such as https://hooks.example.org/weir, of at most 2048 characters";
    if text.len() > 2_048 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(wrong("is too long, or has blanks in it", form));
    }
    let parsed = reqwest::Url::parse(text).map_err(|_| wrong("is no address", form))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(wrong("names a user or a password, which would be shown", form));
    }
    if parsed.host_str().is_none_or(str::is_empty) || parsed.fragment().is_some() {
        return Err(wrong("has no host, or a fragment", form));
    }
    match parsed.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if allow_http => Ok(text.to_owned()),
        "http" => Err(wrong("is plain http: what is sent there passes in clear", "give https, or add --allow-http")),
        _ => Err(wrong("is neither https nor http", form)),
    }
}

fn secret(text: &str) -> Result<String, AdminError> {
    if (16..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(AdminError::Invalid {
        code: "secret",
        detail: "secret must have 16 to 256 characters in one line".to_owned(),
        next_step: Some("leave it out, and one is made".to_owned()),
    })
}

fn within(field: &'static str, value: u32, least: u32, most: u32) -> Result<u32, AdminError> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(AdminError::invalid(field, format!("{field} is {value}; it must be {least} to {most}")))
}

/// What the audit log keeps: no secret.
fn audited(wanted: &Wanted) -> Value {
    json!({
        "name": wanted.name, "enabled": wanted.enabled, "kinds": wanted.kinds, "severity": wanted.least.word(),
        "addresses": wanted.addresses, "url": wanted.url, "allow_http": wanted.allow_http,
        "repeat_minutes": wanted.repeat_minutes, "on_close": wanted.on_close, "group_seconds": wanted.group_seconds,
        "most_per_hour": wanted.most_per_hour,
        "secret_before_until": wanted.secret_before.as_ref().map(|(_, until)| until.to_string()),
    })
}

fn created(subscription: Subscription, secret: Option<String>) -> SubscriptionCreated {
    let next_step = format!("try it: weir alerts subscriptions test {:?}", subscription.name);
    SubscriptionCreated { subscription, secret, next_step }
}

fn described(tx: &ReadTx<'_>, row: SubscriptionRow) -> Result<Subscription, AdminError> {
    let waiting = tx.delivery_waiting()?.into_iter().find(|(id, _)| *id == row.id).map_or(0, |(_, count)| count);
    Ok(shown(row, waiting))
}

fn shown(row: SubscriptionRow, waiting: u64) -> Subscription {
    let now = Timestamp::now();
    let Wanted { name, enabled, kinds, least, channel, addresses, url, allow_http, .. } = row.wanted;
    Subscription {
        id: row.id,
        name,
        enabled,
        disabled_because: row.disabled_because,
        channel: match channel {
            Channel::Mail => ApiChannel::Mail,
            Channel::Webhook => ApiChannel::Webhook,
        },
        kinds,
        severity: least.word().to_owned(),
        addresses,
        url: Some(url).filter(|url| !url.is_empty()),
        allow_http,
        secret_before_until: row.wanted.secret_before.map(|(_, until)| until).filter(|until| *until > now),
        repeat_minutes: row.wanted.repeat_minutes,
        on_close: row.wanted.on_close,
        group_seconds: row.wanted.group_seconds,
        most_per_hour: row.wanted.most_per_hour,
        last_success_at: row.state.succeeded_at,
        last_failure_at: row.state.failed_at,
        failures: row.state.failures,
        last_error: row.state.last_error,
        waiting,
        created_at: row.created_at,
        changed_at: row.changed_at,
        changed_by: row.changed_by,
    }
}

fn delivery(row: DeliveryRow) -> Delivery {
    let word = STATES.iter().find(|(_, state)| *state == row.state).map_or("waiting", |(word, _)| *word);
    Delivery {
        id: row.new.id,
        subscription: row.subscription_name,
        event: row.new.event,
        alert: row.new.alert,
        state: word.to_owned(),
        attempts: row.attempts,
        created_at: row.created_at,
        next_at: (row.state == DeliveryState::Waiting).then_some(row.next_at),
        ended_at: row.ended_at,
        last_error: row.last_error,
        answer: row.answer,
    }
}
