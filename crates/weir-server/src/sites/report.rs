//! What this update point says of itself, and how it reaches the top: each server tells its parent of itself and of
//! those below it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::{
    site::{Point, PointProgress, PointSync, SyncState},
    sync::{SyncPhase, SyncRun, SyncState as RunState},
};

use super::{
    access, addresses, cascade,
    follow::{Link, LinkError},
    link::{PointReport, StatusPost},
    tree,
};
use crate::{
    admin::{AdminError, App, setting},
    sync::{outbound, run},
};

/// Messages to the parent are at least so far apart, whatever happens.
const THROTTLE: Duration = Duration::from_millis(500);
/// Without any change the parent hears of this server so often.
const AT_LEAST: Duration = Duration::from_secs(60);
/// While a run is under way its progress is looked at so often.
const WHILE_RUNNING: Duration = Duration::from_secs(2);

/// This server's update point.
pub(super) async fn own(app: &App) -> Result<Point, AdminError> {
    let (current, last) = run::recent(app).await?;
    let host = outbound::host_name(app).await?;
    let shared = app.clone();
    app.read(move |tx| {
        let here = tx.sites_here()?;
        let parent = tx.sites_parent()?;
        let busy = cascade::replicas_busy(&shared, tx)?;
        let mut sync = sync(current.as_ref(), last.as_ref(), busy);
        if let (None, Some(trouble)) = (&sync.error, shared.hub().trouble()) {
            sync.explanation = Some(
                "the parent cannot be followed now; it is tried again by itself, and what was decided before stays"
                    .to_owned(),
            );
            sync.error = Some(trouble);
        }
        let published = shared.state.live.current();
        Ok(Point {
            server_id: shared.state.server.0,
            host,
            clients: addresses::client_addresses(&shared, tx)?.iter().map(ToString::to_string).collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: shared.started_at,
            source: match &parent {
                Some(_) => "parent".to_owned(),
                None => setting::Current::read(tx)?.text(setting::SOURCE),
            },
            catalogue_version: match &parent {
                Some(parent) => parent.done_version,
                None => here.catalogue_version,
            },
            catalogue_at: match &parent {
                Some(parent) => parent.done_at,
                None => here.catalogue_at,
            },
            configured: parent.as_ref().is_none_or(|parent| parent.feed_at.is_some()),
            drift: parent.as_ref().and_then(|_| shared.hub().drift().kinds),
            sync,
            revisions: published.snapshot.len() as u64,
            computers: tx.computer_count()?,
            alerts: tx.alert_counts(Timestamp::now())?.iter().map(|row| row.open).sum(),
        })
    })
    .await
}

/// A run in the words of the site system's messages.
fn sync(current: Option<&SyncRun>, last: Option<&SyncRun>, replicas_busy: bool) -> PointSync {
    let succeeded_at = last.filter(|run| run.state == RunState::Done).and_then(|run| run.ended_at);
    let fault = last.and_then(|run| run.error.as_ref());
    let mut sync = PointSync {
        state: SyncState::Never,
        at: None,
        phase: None,
        percent: None,
        progress: None,
        error: fault.map(|fault| fault.message.clone()),
        explanation: fault.map(|fault| format!("{} {}", fault.explanation, fault.next_step)),
        warnings: last.filter(|run| run.state == RunState::Done).map_or(0, |run| run.warnings.len() as u64),
        succeeded_at,
    };
    if let Some(run) = current {
        let progress = run.progress.as_ref();
        sync.at = run.started_at.or(Some(run.asked_at));
        sync.percent = progress.and_then(|progress| progress.percent).map(f64::from);
        sync.progress = progress.map(|progress| PointProgress {
            done: progress.done,
            total: progress.total,
            per_second: progress.per_second,
            seconds_left: progress.seconds_left,
        });
        let phase = progress.map(|progress| progress.phase);
        sync.phase = phase.and_then(|phase| serde_json::to_value(phase).ok()?.as_str().map(str::to_owned));
        sync.state = match phase {
            None | Some(SyncPhase::Starting | SyncPhase::Authorizing) => SyncState::Started,
            Some(SyncPhase::Configuration | SyncPhase::Categories | SyncPhase::Updates | SyncPhase::Members) => {
                SyncState::Metadata
            }
            Some(_) => SyncState::Storing,
        };
        return sync;
    }
    if let Some(run) = last {
        sync.at = run.ended_at;
        sync.state = match run.state {
            RunState::Cancelled => SyncState::Cancelled,
            RunState::Failed | RunState::Interrupted => SyncState::Failed,
            RunState::Done if replicas_busy => SyncState::Replicas,
            RunState::Done => SyncState::Done,
            RunState::Running | RunState::Waiting => SyncState::Started,
        };
    }
    sync
}

/// Tells the parent, for as long as there is one.
pub(super) async fn run(app: App) {
    let mut told: BTreeMap<Uuid, Point> = BTreeMap::new();
    let mut link = None;
    let mut last = Instant::now();
    loop {
        let mut changes = app.hub().status_changes();
        changes.mark_unchanged();
        let full = last.elapsed() >= AT_LEAST || told.is_empty();
        match tell(&app, &mut link, &mut told, full).await {
            Ok(true) => last = Instant::now(),
            Ok(false) => {}
            Err(error) => {
                // whoever follows the parent says what is wrong
                tracing::debug!(%error, "the parent could not be told");
                told.clear();
                link = None;
            }
        }
        tokio::time::sleep(THROTTLE).await;
        let running = told
            .values()
            .any(|point| matches!(point.sync.state, SyncState::Started | SyncState::Metadata | SyncState::Storing));
        let wait = if running || link.is_none() { WHILE_RUNNING } else { AT_LEAST / 4 };
        tokio::select! {
            _ = changes.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends what is news, or everything. False if there was nothing to send.
async fn tell(
    app: &App,
    link: &mut Option<Link>,
    told: &mut BTreeMap<Uuid, Point>,
    full: bool,
) -> Result<bool, LinkError> {
    let Some(parent) = access::parent(app).await? else {
        *link = None;
        told.clear();
        return Ok(false);
    };
    let own = own(app).await?;
    let now = Timestamp::now();
    let (here, below) = app
        .read(|tx| {
            let here = tx.sites_here()?.site;
            let tree = tree::read(tx)?;
            let mut points = tree::points(tx)?;
            points.retain(|site, _| here.is_some_and(|here| *site != here && tree.is_within(*site, here)));
            Ok((here, points))
        })
        .await?;
    let Some(here) = here else { return Ok(false) };
    let mut points: Vec<PointReport> = vec![PointReport { site: here, at: now, point: own }];
    points.extend(below.into_iter().map(|(site, (point, at))| PointReport { site, at, point }));
    points.retain(|report| full || told.get(&report.site) != Some(&report.point));
    if points.is_empty() {
        return Ok(false);
    }
    let link = match link {
        Some(link) => link,
        None => link.insert(Link::open(app, &parent).await?),
    };
    let post = StatusPost { instance: app.hub().instance(), version: env!("CARGO_PKG_VERSION").to_owned(), points };
    let () = link.call(|client, base| client.post(format!("{base}/status")).json(&post)).await?;
    told.extend(post.points.into_iter().map(|report| (report.site, report.point)));
    Ok(true)
}
