//! Alerts about conditions, looked at again and again: each look opens what holds and closes what does not.
//!
//! Some hold of one server alone, such as a full disk. Where there are several on one database each looks after its own, which are
//! named by it; one of them looks at what holds of the site, and closes what a server that is gone left open.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;
use weir_model::alert::{AlertSeverity, compliance::Threshold};
use weir_store::{ReadTx, StoreError, deployment::DeploymentRow, watch::WatchedDeployment};

use super::{caller, certificates, identity};
use crate::{
    admin::{
        AdminError, App, Index, chain,
        setting::{ALERT_COMPLIANCE, ALERT_COMPUTERS, ALERT_DISK, ALERT_SITES, BACKUP_ALERT, Current},
        shares,
    },
    front::presence,
    jobs::backup::{OVERDUE, SUBJECT, too_old},
    telemetry::{self, Job},
};

/// How often cheap conditions are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// Names of computers in an alert.
const NAMES: u32 = 5;
const GIB: u64 = 1 << 30;

/// Compliance is too low some time after a deadline.
const LOW: &str = "compliance.low";
/// A site below was not heard of.
const SILENT_SITE: &str = "site.silent";
/// Computers were not heard of.
const SILENT_COMPUTERS: &str = "computers.silent";
/// Requests are refused again and again.
const REFUSED: &str = "load.refused";
/// The object store that has the content cannot be used.
const UNREACHABLE: &str = "content.unreachable";
/// A disk is nearly full.
const DISK: &str = "disk.low";
/// Front ends do not have in common what they must.
const DIFFERS: &str = "front_end.differs";
/// Kinds that hold of one server alone.
const HERE: [&str; 6] =
    [DISK, REFUSED, UNREACHABLE, certificates::EXPIRING, certificates::EXPOSED, certificates::RELOAD];

/// What holds now, of one kind: severity and words, by subject.
pub(super) type Holds = BTreeMap<String, (AlertSeverity, String)>;

/// Looks again and again; it ends when it is dropped.
pub(crate) async fn serve(app: &App) {
    let mut counted: Option<Instant> = None;
    loop {
        let minutes = app.read(|tx| Ok(Current::read(tx)?.number(ALERT_COMPLIANCE))).await.unwrap_or(15);
        let count = counted.is_none_or(|at| at.elapsed() >= Duration::from_mins(minutes));
        if count {
            counted = Some(Instant::now());
        }
        let look = async {
            // where there are several, each of them looks after its own
            if !app.state.is_shared() {
                look_here(app).await?;
            }
            look_everywhere(app, count).await
        };
        if let Err(error) = telemetry::job(Job::Watch, look).await {
            tracing::warn!(error = chain(&error), "conditions of alerts could not be looked at; it is tried again");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The same for what holds of this server, where there are several on one database.
pub(crate) async fn serve_here(app: &App) {
    if !app.state.is_shared() {
        return std::future::pending().await;
    }
    loop {
        if let Err(error) = telemetry::job(Job::Watch, look_here(app)).await {
            tracing::warn!(
                error = chain(&error),
                "conditions of this server could not be looked at; it is tried again"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks once; `count` looks at compliance, too.
pub(crate) async fn look(app: &App, count: bool) -> Result<(), AdminError> {
    look_here(app).await?;
    look_everywhere(app, count).await
}

/// What holds of this server alone.
async fn look_here(app: &App) -> Result<(), AdminError> {
    let disks = disks(app).await?;
    settle_here(app, DISK, disks).await?;
    settle_here(app, REFUSED, refused(app)).await?;
    settle_here(app, UNREACHABLE, object_store(app)).await?;
    certificates::tell_of_certificates(app).await
}

/// What holds of the site.
async fn look_everywhere(app: &App, count: bool) -> Result<(), AdminError> {
    let now = Timestamp::now();
    let (sites, computers) = app.read(move |tx| Ok((silent_sites(tx, now)?, silent_computers(tx, now)?))).await?;
    let cloned = app.read(move |tx| identity::cloned(tx, now)).await?;
    let backups = app.read(move |tx| backups(tx, now)).await?;
    settle(app, identity::CLONED, cloned).await?;
    settle(app, OVERDUE, backups).await?;
    settle(app, SILENT_SITE, sites).await?;
    settle(app, SILENT_COMPUTERS, computers).await?;
    certificates::tell_of_transport(app).await?;
    front_ends(app).await?;
    if count {
        let due = app.read(move |tx| due(tx, now)).await?;
        let low = if due.is_empty() {
            Holds::new()
        } else {
            let (live, index) = (app.state.live.clone(), Index::current(app).await?);
            let rows: Vec<DeploymentRow> = due.iter().map(|(_, _, row)| row.clone()).collect();
            low(&due, &app.try_read(move |tx| Ok(shares(tx, &live, &index, &rows)?)).await?)
        };
        settle(app, LOW, low).await?;
    }
    Ok(())
}

/// Says what is wrong with the front ends together, and ends what those that are gone said of themselves.
async fn front_ends(app: &App) -> Result<(), AdminError> {
    let rows = presence::list(app).await?;
    let holds = presence::troubles(&rows).into_iter().map(|trouble| {
        let message = format!("{}. Next: {}", trouble.detail, trouble.next_step);
        (trouble.code.to_owned(), (AlertSeverity::Critical, message))
    });
    settle(app, DIFFERS, holds.collect()).await?;
    if rows.len() < 2 {
        return Ok(());
    }
    let there: Arc<[String]> = rows.into_iter().map(|row| own(&row.front.name)).collect();
    for kind in HERE {
        let there = Arc::clone(&there);
        let is_gone = move |subject: &str| !there.iter().any(|name| subject.starts_with(&**name));
        settle_those(app, kind, is_gone, Holds::new()).await?;
    }
    Ok(())
}

/// How what a front end says of itself begins.
fn own(name: &str) -> String {
    format!("{name}: ")
}

/// Opens what holds and closes what does not. Nothing is written if nothing changed.
pub(super) async fn settle(app: &App, kind: &'static str, holds: Holds) -> Result<(), AdminError> {
    settle_those(app, kind, |_| true, holds).await
}

/// The same for what holds of this server alone.
pub(super) async fn settle_here(app: &App, kind: &'static str, holds: Holds) -> Result<(), AdminError> {
    if app.state.live.duties.front_ends() < 2 {
        return settle(app, kind, holds).await;
    }
    let own = own(&presence::name(&app.endpoints));
    let named = holds
        .into_iter()
        .map(|(subject, (severity, message))| (format!("{own}{subject}"), (severity, format!("{own}{message}"))));
    let holds: Holds = named.collect();
    settle_those(app, kind, move |subject| subject.starts_with(&own), holds).await
}

/// The same for subjects that are `meant`.
async fn settle_those(
    app: &App,
    kind: &'static str,
    meant: impl Fn(&str) -> bool + Send + 'static,
    holds: Holds,
) -> Result<(), AdminError> {
    let open = app.read(move |tx| {
        let subjects = tx.alert_subjects(kind)?;
        let rows = subjects.into_iter().filter(|it| meant(it)).map(|subject| tx.alert_open_of(kind, &subject));
        Ok(rows.collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect::<Vec<_>>())
    });
    let open = open.await?;
    let ended: Vec<String> =
        open.iter().filter(|row| !holds.contains_key(&row.subject)).map(|row| row.subject.clone()).collect();
    // what says the same is left alone
    let news: Vec<(String, AlertSeverity, String)> = holds
        .into_iter()
        .filter(|(subject, (severity, message))| {
            let known = open.iter().find(|row| row.subject == *subject);
            known.is_none_or(|row| row.severity != *severity || row.message != *message)
        })
        .map(|(subject, (severity, message))| (subject, severity, message))
        .collect();
    if ended.is_empty() && news.is_empty() {
        return Ok(());
    }
    app.write(&caller(), move |tx| {
        for subject in &ended {
            tx.alert_close(kind, subject)?;
        }
        for (subject, severity, message) in &news {
            tx.alert_open(kind, subject, *severity, message)?;
        }
        Ok(())
    })
    .await
}

type Due = (WatchedDeployment, Threshold, DeploymentRow);

/// Deployments whose compliance is looked at now.
fn due(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let rows = tx.deployment_watched(now)?;
    let mut due: Vec<Due> = Vec::new();
    for row in rows {
        let threshold = threshold(&row.settings);
        let Some(threshold) = threshold.filter(|it| it.is_watched(row.deadline_at, row.local_time, now)) else {
            continue;
        };
        if let Some(deployment) = tx.deployment_show(row.id)? {
            due.push((row, threshold, deployment));
        }
    }
    Ok(due)
}

/// What the settings of a deployment ask for ([`weir_model::deployment::Settings`] as it is stored). Whatever else there is
/// does not matter.
fn threshold(settings: &Value) -> Option<Threshold> {
    let alert = settings.get("alert")?;
    let number = |name: &str| alert.get(name).and_then(Value::as_u64);
    Threshold::read(number("below_percent"), number("minutes_after_deadline"))
}

/// Those of them with too few compliant computers; `shares`: compliant computers and all, if there is anything to comply with.
fn low(due: &[Due], shares: &[Option<(u64, u64)>]) -> Holds {
    let known = due.iter().zip(shares).filter_map(|(due, share)| Some((due, (*share)?)));
    let low = known.filter(|((_, threshold, _), (good, all))| threshold.is_low(*good, *all));
    low.map(|((row, threshold, _), (good, all))| {
        let percent = crate::admin::tally::percent(good, all);
        let message = format!(
            "{good} of {all} computers ({percent} %) comply with the deployment {} of {:?} to {}, which asks for {} % at \
             its deadline {}. See weir deployments show {}",
            row.id.0,
            weir_model::message::tidy(&row.title, 120),
            row.collection_name,
            threshold.below_percent,
            row.deadline_at,
            row.id.0
        );
        (row.id.0.to_string(), (AlertSeverity::Warning, message))
    })
    .collect()
}

/// Sites directly below that were not heard of.
fn silent_sites(tx: &ReadTx<'_>, now: Timestamp) -> Result<Holds, StoreError> {
    let minutes = Current::read(tx)?.number(ALERT_SITES);
    if minutes == 0 {
        return Ok(Holds::new());
    }
    let names: BTreeMap<_, _> = tx.sites_list()?.into_iter().map(|row| (row.node.id, row.node.name)).collect();
    let longest = SignedDuration::from_mins(minutes as i64);
    let silent = tx.sites_enrolments()?.into_iter().filter(|row| now.duration_since(row.last_contact_at) > longest);
    Ok(silent
        .filter_map(|row| {
            let name = names.get(&row.site)?.clone();
            let message = format!(
                "the site {name} was last heard of at {}. Is its server running, and does it reach this one? weir sites \
                 show {name}",
                row.last_contact_at.round(jiff::Unit::Second).unwrap_or(row.last_contact_at)
            );
            Some((name, (AlertSeverity::Warning, message)))
        })
        .collect())
}

/// Backups that are scheduled and were not made.
fn backups(tx: &ReadTx<'_>, now: Timestamp) -> Result<Holds, StoreError> {
    if too_old(tx, now)?.is_none() {
        return Ok(Holds::new());
    }
    // the words do not change with every hour
    let hours = Current::read(tx)?.number(BACKUP_ALERT);
    let message = format!(
        "backups are scheduled, and there was no good one for {hours} hours (backup.alert_hours). See weir backup status; by hand: \
         weir backup create"
    );
    Ok([(SUBJECT.to_owned(), (AlertSeverity::Critical, message))].into())
}

/// Computers that were not heard of, in one alert.
fn silent_computers(tx: &ReadTx<'_>, now: Timestamp) -> Result<Holds, StoreError> {
    let days = Current::read(tx)?.number(ALERT_COMPUTERS);
    if days == 0 {
        return Ok(Holds::new());
    }
    let before = now - SignedDuration::from_hours(24 * days as i64);
    let (count, names) = tx.computer_silent(before, NAMES)?;
    if count == 0 {
        return Ok(Holds::new());
    }
    let more = if count > names.len() as u64 { ", ..." } else { "" };
    let message = format!(
        "{} not heard of for {days} days: {}{more}. See weir computers list --freshness silent",
        if count == 1 { "1 computer was".to_owned() } else { format!("{count} computers were") },
        names.join(", ")
    );
    Ok([("computers".to_owned(), (AlertSeverity::Warning, message))].into())
}

/// Requests that were refused for some time. The words are the same as long as that goes on.
fn refused(app: &App) -> Holds {
    if app.state.admission.refusals().minutes.is_none() {
        return Holds::new();
    }
    let message = "requests have been refused for more than ten minutes since there is too much to do; who was refused comes \
                   again, but late. Give the server more processors or memory, or put sites below it; weir_admission_ in \
                   /metrics says what is short";
    [("requests".to_owned(), (AlertSeverity::Warning, message.to_owned()))].into()
}

/// The object store that has the content, if it cannot be used.
fn object_store(app: &App) -> Holds {
    let Some((store, trouble)) = crate::content::objects::trouble(&app.state) else { return Holds::new() };
    // what it answered changes from one request to the next, the alert does not
    let message = format!(
        "the object store {store} cannot be used since {}: scans are answered, files are not. See why: GET \
         /api/v1/health-report",
        trouble.since.round(jiff::Unit::Second).unwrap_or(trouble.since)
    );
    Holds::from([(store, (AlertSeverity::Critical, message))])
}

/// Disks of the database and of content with too little room.
async fn disks(app: &App) -> Result<Holds, AdminError> {
    let least = app.read(|tx| Ok(Current::read(tx)?.number(ALERT_DISK))).await?.saturating_mul(GIB);
    if least == 0 {
        return Ok(Holds::new());
    }
    let (store, content) = (app.state.store.clone(), app.state.content.clone());
    let looked = tokio::task::spawn_blocking(move || (store.disk_free().ok(), content.free().ok())).await;
    let (data, content) = looked.map_err(|error| AdminError::Internal(error.to_string()))?;
    let folders = [("database", data, "the data folder"), ("content", content, "content")];
    Ok(folders
        .into_iter()
        .filter_map(|(subject, free, what)| {
            let free = free.filter(|free| *free < least)?;
            let severity = if free < least / 4 { AlertSeverity::Critical } else { AlertSeverity::Warning };
            // in steps, so that the words do not change with every file
            let message = format!(
                "the disk of {what} has less than {} MiB left (alerts.disk_free_gib is {}). Make room: weir content gc",
                (free / (64 << 20) + 1) * 64,
                least / GIB
            );
            Some((subject.to_owned(), (severity, message)))
        })
        .collect())
}
