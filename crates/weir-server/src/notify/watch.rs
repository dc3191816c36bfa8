//! Alerts about conditions, looked at again and again: each look opens what holds and closes what does not.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;
use weir_model::alert::{AlertSeverity, compliance::Threshold};
use weir_store::{ReadTx, StoreError, watch::WatchedDeployment};

use super::{caller, identity};
use crate::admin::{
    AdminError, App, chain,
    setting::{ALERT_COMPLIANCE, ALERT_COMPUTERS, ALERT_DISK, ALERT_SITES, Current},
    share_compliant,
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
/// A disk is nearly full.
const DISK: &str = "disk.low";

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
        if let Err(error) = look(app, count).await {
            tracing::warn!(error = chain(&error), "conditions of alerts could not be looked at; it is tried again");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks once; `count` looks at compliance, too.
pub(crate) async fn look(app: &App, count: bool) -> Result<(), AdminError> {
    let now = Timestamp::now();
    let disks = disks(app).await?;
    let (sites, computers) = app.read(move |tx| Ok((silent_sites(tx, now)?, silent_computers(tx, now)?))).await?;
    let cloned = app.read(move |tx| identity::cloned(tx, now)).await?;
    settle(app, DISK, disks).await?;
    settle(app, identity::CLONED, cloned).await?;
    settle(app, SILENT_SITE, sites).await?;
    settle(app, SILENT_COMPUTERS, computers).await?;
    if count {
        let live = app.state.live.clone();
        let low = app
            .try_read(move |tx| {
                let due = due(tx, now)?;
                if due.is_empty() {
                    return Ok(Holds::new());
                }
                let asked: Vec<_> = due.iter().map(|(row, _, updates)| (row.collection, updates.clone())).collect();
                let shares = share_compliant(tx, &live, &asked)?;
                Ok(low(&due, &shares))
            })
            .await?;
        settle(app, LOW, low).await?;
    }
    Ok(())
}

/// Opens what holds and closes what does not. Nothing is written if nothing changed.
async fn settle(app: &App, kind: &'static str, holds: Holds) -> Result<(), AdminError> {
    let open = app.read(move |tx| {
        let subjects = tx.alert_subjects(kind)?;
        let rows = subjects.into_iter().map(|subject| tx.alert_open_of(kind, &subject));
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

type Due = (WatchedDeployment, Threshold, Vec<weir_model::ids::UpdateId>);

/// Deployments whose compliance is looked at now, with their updates.
fn due(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let rows = tx.deployment_watched(now)?;
    let mut due: Vec<Due> = Vec::new();
    for row in rows {
        let threshold = threshold(&row.settings);
        let Some(threshold) = threshold.filter(|it| it.is_watched(row.deadline_at, row.local_time, now)) else {
            continue;
        };
        let updates = row.update.into_iter().collect();
        due.push((row, threshold, updates));
    }
    if due.iter().any(|(_, _, updates)| updates.is_empty()) {
        for (group, update) in tx.deployment_watched_members()? {
            if let Some((_, _, updates)) = due.iter_mut().find(|(row, ..)| row.id == group && row.update.is_none()) {
                updates.push(update);
            }
        }
    }
    due.retain(|(_, _, updates)| !updates.is_empty());
    Ok(due)
}

/// What the settings of a deployment ask for ([`weir_model::deployment::Settings`] as it is stored). Whatever else there is
/// does not matter.
fn threshold(settings: &Value) -> Option<Threshold> {
    let alert = settings.get("alert")?;
    let number = |name: &str| alert.get(name).and_then(Value::as_u64);
    Threshold::read(number("below_percent"), number("minutes_after_deadline"))
}

/// Those of them with too few compliant computers; `shares`: computers and compliant ones.
fn low(due: &[Due], shares: &[(u64, u64)]) -> Holds {
    let low = due.iter().zip(shares).filter(|((_, threshold, _), (all, good))| threshold.is_low(*good, *all));
    low.map(|((row, threshold, _), (all, good))| {
        let percent = crate::admin::tally::percent(*good, *all);
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
