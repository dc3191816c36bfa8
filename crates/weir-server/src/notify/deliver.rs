//! Sends one delivery, and notes what became of it.

use jiff::{SignedDuration, Timestamp};
use weir_api::notice::Notice;
use weir_model::{
    alert::{AlertSeverity, notice::FAILED, retry},
    message::{DELIVERY_FAILED, DELIVERY_GIVEN_UP, DELIVERY_RECOVERED, SUBSCRIPTION_GONE, tidy},
};
use weir_store::{
    StoreError, WriteTx,
    delivery::{Attempt, DeliveryState},
    subscription::{Channel, SubscriptionRow},
};

use super::{
    Outcome, caller,
    mail::{Letter, MailSettings},
    webhook::{self, Call},
};
use crate::{
    admin::{
        AdminError, App, chain,
        setting::{ALERT_RETRY, Current},
    },
    start::random,
};

/// The lease of a delivery outlives every attempt.
const LEASE: SignedDuration = SignedDuration::from_secs(180);
/// So many failures in a row open an alert: one may be a restart of the receiver.
const WORTH_TELLING: u32 = 3;

/// Takes a delivery, sends it, and stores the outcome.
pub(super) async fn send(app: &App, owner: &str, no: i64) {
    if let Err(error) = work(app, owner, no).await {
        // the row keeps its lease; it is sent again when that ends
        tracing::warn!(delivery = no, error = chain(&error), "a notification could not be handled");
    }
}

async fn work(app: &App, owner: &str, no: i64) -> Result<(), AdminError> {
    let (owner, caller) = (owner.to_owned(), caller());
    let taken = app.write(&caller, move |tx| {
        let Some(delivery) = tx.delivery_show(no)? else { return Ok(None) };
        let row = tx.subscription_show(delivery.new.subscription)?.filter(|row| row.wanted.enabled);
        let Some(row) = row else {
            tx.delivery_end(no, DeliveryState::Dropped, &Attempt::default())?;
            return Ok(None);
        };
        Ok(tx.delivery_take(no, &owner, tx.actor().at + LEASE)?.then_some((delivery, row)))
    });
    let Some((delivery, row)) = taken.await? else { return Ok(()) };
    let outcome = match serde_json::from_str::<Notice>(&delivery.new.payload) {
        Ok(notice) => attempt(app, &row, delivery.new.alert, &notice, &delivery.new.payload).await?,
        Err(error) => Outcome::refused(format!("the stored notice cannot be read: {error}")),
    };
    let chance = random::<8>().map(u64::from_le_bytes).unwrap_or_default();
    let (name, attempts) = (row.wanted.name.clone(), delivery.attempts + 1);
    match &outcome.error {
        None => {
            tracing::info!(subscription = name, event = delivery.new.event, attempts, "a notification was delivered");
        }
        Some(why) => tracing::warn!(subscription = name, attempts, error = why, "a notification was not delivered"),
    }
    let result = if outcome.delivered { "delivered" } else { "failed" };
    metrics::counter!("weir_notifications_total", "result" => result).increment(1);
    let created = delivery.created_at;
    app.write(&caller, move |tx| Ok(note(tx, &row, no, attempts, created, outcome, chance)?)).await
}

/// Sends a notice once.
pub(super) async fn attempt(
    app: &App,
    row: &SubscriptionRow,
    alert: Option<i64>,
    notice: &Notice,
    payload: &str,
) -> Result<Outcome, AdminError> {
    match row.wanted.channel {
        Channel::Mail => {
            let settings = app.read(MailSettings::read).await?;
            let letter = Letter {
                id: notice.delivery,
                subscription: row.id,
                to: &row.wanted.addresses,
                alert,
                notice,
                at: notice.created_at,
            };
            Ok(settings.send(&letter).await)
        }
        Channel::Webhook => {
            let now = Timestamp::now();
            let mut secrets = vec![row.wanted.secret.as_str()];
            secrets.extend(
                row.wanted.secret_before.as_ref().filter(|(_, until)| *until > now).map(|(secret, _)| secret.as_str()),
            );
            let call = Call { url: &row.wanted.url, event: &notice.event, id: notice.delivery, secrets, body: payload };
            Ok(webhook::send(app, &call).await)
        }
    }
}

/// Stores how an attempt ended.
fn note(
    tx: &WriteTx<'_>,
    row: &SubscriptionRow,
    no: i64,
    attempts: u32,
    created: Timestamp,
    outcome: Outcome,
    chance: u64,
) -> Result<(), StoreError> {
    let name = &row.wanted.name;
    let about = Some(("subscription", name.as_str()));
    let error = outcome.error.map(|why| match &outcome.advice {
        Some(advice) => tidy(&format!("{why}. Next: {advice}"), 1_000),
        None => tidy(&why, 1_000),
    });
    let attempt = Attempt { error, answer: outcome.answer };
    let Some(why) = attempt.error.clone() else {
        if tx.delivery_end(no, DeliveryState::Delivered, &attempt)? {
            // the state may have changed since the row was read
            let before = tx.subscription_show(row.id)?.map_or(0, |row| row.state.failures);
            tx.subscription_good(row.id)?;
            if before > 0 {
                tx.status_message(&DELIVERY_RECOVERED, &[("subscription", name.clone())], about)?;
            }
            tx.alert_close(FAILED, name)?;
        }
        return Ok(());
    };
    let parameters = [("subscription", name.clone()), ("attempts", attempts.to_string()), ("reason", why.clone())];
    let failures = tx.subscription_bad(row.id, &why)?;
    if outcome.gone {
        tx.delivery_end(no, DeliveryState::GivenUp, &attempt)?;
        tx.delivery_drop(row.id)?;
        tx.subscription_off(row.id, "the receiver answered 410 Gone")?;
        tx.status_message(&SUBSCRIPTION_GONE, &parameters, about)?;
        let message = format!(
            "the receiver of the subscription {name} answered that it is gone, and the subscription was switched off. \
             Delete it, or give it another address: weir alerts subscriptions change"
        );
        tx.alert_open(FAILED, name, AlertSeverity::Warning, &message)?;
        return Ok(());
    }
    let first = SignedDuration::from_secs(Current::read(tx)?.number(ALERT_RETRY) as i64);
    let next = retry::next(created, attempts, first, tx.actor().at, chance).filter(|_| !outcome.last);
    match next {
        Some(at) => {
            tx.delivery_again(no, at, &attempt)?;
            if failures == 1 {
                tx.status_message(&DELIVERY_FAILED, &parameters, about)?;
            }
        }
        None => {
            tx.delivery_end(no, DeliveryState::GivenUp, &attempt)?;
            tx.status_message(&DELIVERY_GIVEN_UP, &parameters, about)?;
        }
    }
    if next.is_none() || failures >= WORTH_TELLING {
        let message = format!(
            "notifications of the subscription {name} do not arrive: {why}. See weir alerts deliveries list; try it: weir \
             alerts subscriptions test"
        );
        tx.alert_open(FAILED, name, AlertSeverity::Warning, &message)?;
    }
    Ok(())
}
