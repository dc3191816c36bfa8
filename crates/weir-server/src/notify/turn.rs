//! Makes deliveries of what subscriptions were not told yet.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_api::notice::{MOST_LISTED, Notice, NoticeAlert, VERSION};
use weir_model::alert::notice::{self, Item, Message, Plan, Rule, What};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    alert::AlertRow,
    delivery::NewDelivery,
    subscription::{Subscription, SubscriptionRow},
};

use super::caller;
use crate::admin::{AdminError, App};

/// The messages to make, by subscription, and when there may be more.
type Plans = (Vec<(SubscriptionRow, Vec<Message>)>, Option<Timestamp>);

/// One turn. When the next one is due, if that is known.
pub(super) async fn run(app: &App) -> Result<Option<Timestamp>, AdminError> {
    let now = Timestamp::now();
    let (plans, wait) = app.read(move |tx| planned(tx, now)).await?;
    if plans.is_empty() {
        return Ok(wait);
    }
    let site = super::site_name(app).await?;
    for (row, messages) in plans {
        let (site, server) = (site.clone(), app.state.server.0);
        app.write(&caller(), move |tx| Ok(make(tx, &row, messages, &site, server)?)).await?;
    }
    Ok(wait)
}

/// What is to be told now.
fn planned(tx: &ReadTx<'_>, now: Timestamp) -> Result<Plans, StoreError> {
    let (mut plans, mut wait) = (Vec::new(), None::<Timestamp>);
    let subscriptions = tx.subscription_list()?;
    if subscriptions.iter().all(|row| !row.wanted.enabled) {
        return Ok((plans, wait));
    }
    let waiting: HashMap<Uuid, u64> = tx.delivery_waiting()?.into_iter().collect();
    let hour_ago = now - SignedDuration::from_hours(1);
    for row in subscriptions.into_iter().filter(|row| row.wanted.enabled) {
        let rule = rule(&row.wanted, row.since);
        let seen = tx.alert_news(row.id, &rule, now)?;
        if seen.is_empty() {
            continue;
        }
        let recent = tx.delivery_recent(row.id, hour_ago)?;
        let queued = waiting.get(&row.id).copied().unwrap_or_default() as usize;
        match notice::plan(&rule, &seen, &recent, queued, now) {
            Plan::Nothing => {}
            Plan::Wait(until) => wait = Some(wait.map_or(until, |wait| wait.min(until))),
            Plan::Tell(messages) => plans.push((row, messages)),
        }
    }
    Ok((plans, wait))
}

/// What a subscription asks for, for the decision.
fn rule(wanted: &Subscription, since: Timestamp) -> Rule {
    let minutes = i64::from(wanted.repeat_minutes);
    Rule {
        name: wanted.name.clone(),
        // what is stored was checked
        kinds: wanted.kinds.iter().filter_map(|kind| kind.parse().ok()).collect(),
        least: wanted.least,
        since,
        repeat: (minutes > 0).then(|| SignedDuration::from_mins(minutes)),
        on_close: wanted.on_close,
        group: SignedDuration::from_secs(i64::from(wanted.group_seconds)),
        most_per_hour: wanted.most_per_hour,
    }
}

/// Makes the deliveries and notes what they tell, in one transaction.
fn make(
    tx: &WriteTx<'_>,
    row: &SubscriptionRow,
    messages: Vec<Message>,
    site: &str,
    server: Uuid,
) -> Result<(), StoreError> {
    // it may have been changed or deleted meanwhile
    let Some(present) = tx.subscription_show(row.id)?.filter(|present| present.wanted.enabled) else { return Ok(()) };
    for message in messages {
        let items = match message {
            Message::One(item) => vec![item],
            Message::Digest(items) => items,
        };
        let mut alerts: Vec<(AlertRow, What)> = Vec::with_capacity(items.len());
        for (no, what) in items {
            if let Some(alert) = tx.alert_show(no)? {
                tx.alert_told(present.id, no, what == What::Closed)?;
                alerts.push((alert, what));
            }
        }
        let Some((first, what)) = alerts.first() else { continue };
        let one: Option<Item> = (alerts.len() == 1).then_some((first.no, *what));
        let id = Uuid::new_v4();
        let event = one.map_or_else(|| "alert.digest".to_owned(), |(_, what)| format!("alert.{}", what.word()));
        let notice = written(&alerts, &event, id, &present.wanted.name, site, server, tx.actor().at);
        let payload = serde_json::to_string(&notice)
            .map_err(|error| StoreError::Corrupt { what: format!("a notice: {error}") })?;
        let new = NewDelivery { id, subscription: present.id, event, alert: one.map(|(no, _)| no), payload };
        tx.delivery_create(&new)?;
    }
    Ok(())
}

fn written(
    alerts: &[(AlertRow, What)],
    event: &str,
    id: Uuid,
    subscription: &str,
    site: &str,
    server: Uuid,
    now: Timestamp,
) -> Notice {
    let (mut severities, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    for (alert, _) in alerts {
        *severities.entry(alert.severity.word().to_owned()).or_default() += 1;
        *kinds.entry(alert.kind.clone()).or_default() += 1;
    }
    let listed = alerts.iter().take(MOST_LISTED).map(|(alert, what)| NoticeAlert {
        id: alert.no,
        what: what.word().to_owned(),
        kind: alert.kind.clone(),
        subject: alert.subject.clone(),
        severity: alert.severity.word().to_owned(),
        message: alert.message.clone(),
        opened_at: alert.opened_at,
        closed_at: alert.closed_at,
        raised: alert.count,
    });
    Notice {
        version: VERSION,
        event: event.to_owned(),
        delivery: id,
        created_at: now,
        site: site.to_owned(),
        server_id: server,
        subscription: subscription.to_owned(),
        count: alerts.len() as u64,
        severities,
        kinds,
        alerts: listed.collect(),
    }
}
