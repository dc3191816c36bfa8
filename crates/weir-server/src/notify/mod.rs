//! Who is told of alerts: e-mail and webhooks.
//!
//! * `turn` compares what alerts say with what each subscription was told ([`weir_model::alert::notice`]) and makes
//!   deliveries: rows that outlive the process.
//! * `deliver` sends what is due, `mail` and `webhook` speak to receivers, `text` puts a notice into words.
//! * `watch` opens and closes alerts about conditions: compliance below what a deployment asks for, silent sites, silent
//!   computers, disks.
//!
//! *Invariant:* a delivery is at least once: its row ends only after the receiver took it.

mod certificates;
mod deliver;
mod identity;
mod mail;
mod text;
mod turn;
mod watch;
mod webhook;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::task::JoinSet;
use uuid::Uuid;
use weir_api::{
    notice::{Notice, VERSION},
    subscription::SubscriptionTested,
};
use weir_store::{ReadTx, StoreError, subscription::SubscriptionRow};

use crate::{
    admin::{AdminError, App, Caller, chain},
    front,
    sync::outbound,
    telemetry::{self, Job},
};

pub(crate) use certificates::tell_of_certificates;
pub(crate) use mail::{Enclosure, Parcel, send as send_parcel};
pub(crate) use watch::{look, serve as watch, serve_here as watch_here};

/// The event of a notice that an alert opened.
const OPENED: &str = "alert.opened";
/// How often alerts are compared with what was told when nothing else wakes the job. Most writes do.
const TICK: Duration = Duration::from_secs(5);
/// The shortest time between two turns: writes come in bursts.
const REST: Duration = Duration::from_millis(200);
/// Receivers that are called at once; one never twice at once.
const AT_ONCE: usize = 8;

/// Deliveries that are looked at in one turn: above what subscriptions of a site can have waiting.
const MOST_DUE: u32 = 10_000;

/// How an attempt to reach a receiver ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// The receiver took it.
    pub(crate) delivered: bool,
    /// It would not help to try again.
    pub(crate) last: bool,
    /// The receiver does not want anything any more.
    pub(crate) gone: bool,
    /// Why it was not delivered.
    pub(crate) error: Option<String>,
    /// What helps.
    pub(crate) advice: Option<String>,
    /// The beginning of what the receiver answered.
    pub(crate) answer: Option<String>,
}

impl Outcome {
    fn delivered(answer: impl Into<String>) -> Self {
        Self { delivered: true, ..Self::default() }.answered(answer.into())
    }

    fn again(why: impl Into<String>) -> Self {
        Self { error: Some(why.into()), ..Self::default() }
    }

    fn refused(why: impl Into<String>) -> Self {
        Self { last: true, ..Self::again(why) }
    }

    fn advise(self, command: impl Into<String>) -> Self {
        Self { advice: Some(command.into()), ..self }
    }

    fn answered(self, answer: String) -> Self {
        let answer = weir_model::message::tidy(&answer, 1_000);
        Self { answer: Some(answer).filter(|answer| !answer.is_empty()), ..self }
    }
}

fn caller() -> Caller {
    Caller::system("notifications")
}

/// Tells subscribers; it ends when it is dropped, and what was under way then is sent again by the next process.
pub(crate) async fn serve(app: &App) {
    let given_back = app.write(&caller(), |tx| Ok(tx.delivery_give_back()?)).await;
    if let Err(error) = given_back {
        tracing::warn!(error = chain(&error), "deliveries of an earlier process are sent only when their leases end");
    }
    let owner = app.state.live.duties.owner();
    let mut sending: JoinSet<()> = JoinSet::new();
    let mut busy: HashMap<tokio::task::Id, Uuid> = HashMap::new();
    loop {
        let began = Instant::now();
        let step = telemetry::job(Job::Notification, step(app, &owner, &mut sending, &mut busy)).await;
        let wait = match step {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(error = chain(&error), "notifications wait; it is tried again");
                TICK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait.clamp(REST, TICK)) => {}
            () = app.shared().alerts.notified() => {}
            Some(ended) = sending.join_next_with_id(), if !sending.is_empty() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => {
                        tracing::error!(%error, "sending a notification ended unexpectedly; it is sent again");
                        error.id()
                    }
                };
                busy.remove(&id);
            }
        }
        tokio::time::sleep(REST.saturating_sub(began.elapsed())).await;
    }
}

/// One turn: makes what there is to tell, begins to send what is due. For how long there is nothing more to do.
async fn step(
    app: &App,
    owner: &str,
    sending: &mut JoinSet<()>,
    busy: &mut HashMap<tokio::task::Id, Uuid>,
) -> Result<Duration, AdminError> {
    let rest = turn::run(app).await?;
    let now = Timestamp::now();
    let due = app.read(move |tx| tx.delivery_due(now, MOST_DUE)).await?;
    for (no, subscription) in due {
        if busy.len() >= AT_ONCE {
            break;
        }
        if busy.values().any(|known| *known == subscription) {
            continue;
        }
        let (app, owner) = (app.clone(), owner.to_owned());
        let task = sending.spawn(front::carry(async move { deliver::send(&app, &owner, no).await }));
        busy.insert(task.id(), subscription);
    }
    let next = app.read(|tx| tx.delivery_next()).await?;
    let until = |at: Timestamp| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
    // what is due and waits for others to end is woken by their end
    let next = next.filter(|at| *at > now).map_or(TICK, until);
    Ok(rest.map_or(TICK, until).min(next))
}

/// How this server calls itself in notices.
pub(crate) async fn site_name(app: &App) -> Result<String, AdminError> {
    let host = outbound::host_name(app).await?;
    let named = app.read(named).await?;
    Ok(named.unwrap_or(host))
}

fn named(tx: &ReadTx<'_>) -> Result<Option<String>, StoreError> {
    let Some(here) = tx.sites_here()?.site else { return Ok(None) };
    Ok(tx.sites_show(here)?.map(|row| row.node.name))
}

/// Sends a message to the receiver of a subscription now, whatever its state.
pub(crate) async fn test(app: &App, row: SubscriptionRow) -> Result<SubscriptionTested, AdminError> {
    let began = Instant::now();
    let notice = Notice {
        version: VERSION,
        event: "test".to_owned(),
        delivery: Uuid::new_v4(),
        created_at: Timestamp::now(),
        site: site_name(app).await?,
        server_id: app.state.server.0,
        subscription: row.wanted.name.clone(),
        count: 0,
        severities: std::collections::BTreeMap::new(),
        kinds: std::collections::BTreeMap::new(),
        alerts: Vec::new(),
    };
    let payload = serde_json::to_string(&notice).map_err(|error| AdminError::Internal(error.to_string()))?;
    let outcome = deliver::attempt(app, &row, None, &notice, &payload).await?;
    let id = row.id;
    let noted = outcome.clone();
    app.write(&caller(), move |tx| {
        match noted.error {
            None => tx.subscription_good(id)?,
            Some(why) => {
                tx.subscription_bad(id, &why)?;
            }
        }
        Ok(())
    })
    .await?;
    Ok(SubscriptionTested {
        delivered: outcome.delivered,
        error: outcome.error,
        next_step: outcome.advice,
        answer: outcome.answer,
        seconds: (began.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0,
    })
}
