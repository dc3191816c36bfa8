//! How fetching content stands.

use weir_api::content::{
    ContentAwaited, ContentDeployment, ContentHeld, ContentReason, ContentResting, ContentRun, ContentStatus,
    ContentTransfer,
};
use weir_model::content::Holding;
use weir_store::{ReadTx, StoreError};

use super::awaited::Awaited;
use crate::{
    admin::{
        AdminError, App,
        setting::{CONTENT_DOWNLOAD, Current},
        slow::Found,
    },
    content::{self, Space},
    jobs::downloads::{Held, Running, Why},
};

/// Rows of each list in the answer.
const MOST: usize = 100;

/// How fetching content stands.
pub(crate) async fn status(app: &App) -> Result<ContentStatus, AdminError> {
    let store = app.state.content.clone();
    let awaited = Awaited::current(app).await?;
    let status = app.read(move |tx| read(tx, &store, &awaited)).await?;
    let downloads = &app.shared().downloads;
    let running = downloads.running().map(|running| run(running, status.waiting_bytes - status.waiting_bytes_here));
    Ok(ContentStatus { running, held: downloads.held().map(held), ..status })
}

fn read(
    tx: &ReadTx<'_>,
    store: &weir_store::content::ContentStore,
    awaited: &Found<Awaited>,
) -> Result<ContentStatus, StoreError> {
    let policy = content::policy(tx)?;
    let (as_of, awaited) = (awaited.as_of, &awaited.value);
    let mut here = 0;
    for (digest, bytes, _) in store.partials()? {
        let at = awaited.files.binary_search_by_key(&digest, |file| file.digest).ok();
        let wanted = at.and_then(|at| awaited.files.get(at)).filter(|file| file.holding == Holding::Wanted);
        here += wanted.map_or(0, |file| bytes.min(file.size));
    }
    let (waiting_files, waiting_bytes) = awaited.total();
    let mut rests = tx.content_rest_list()?;
    rests.sort_by_key(|rest| (rest.until, rest.digest));
    let mut resting = Vec::new();
    for rest in rests.iter().take(MOST) {
        resting.push(ContentResting {
            digest: rest.digest,
            name: tx.file_name(rest.digest)?.unwrap_or_default(),
            failures: rest.failures,
            until: rest.until,
            reason: rest.reason.clone(),
        });
    }
    let waiting = &awaited.deployments;
    let mut deployments = Vec::new();
    for (id, (files, bytes)) in waiting.iter().take(MOST) {
        let Some(row) = tx.deployment_show(*id)? else { continue };
        deployments.push(ContentDeployment {
            id: id.0,
            title: row.title,
            collection: row.collection_name,
            files: *files,
            bytes: *bytes,
        });
    }
    let space = Space::read(tx, store)?;
    let totals = tx.content_file_totals()?;
    Ok(ContentStatus {
        mode: policy.mode,
        paused: !Current::read(tx)?.flag(CONTENT_DOWNLOAD),
        express: policy.express,
        languages: policy.languages.into_iter().collect(),
        upstream_serves: policy.upstream_serves,
        files: totals.files,
        bytes: totals.bytes,
        waiting_files,
        waiting_bytes,
        waiting_bytes_here: here,
        awaited: awaited
            .wanted
            .iter()
            .map(|(why, (files, bytes))| ContentAwaited { reason: reason(*why), files: *files, bytes: *bytes })
            .collect(),
        running: None,
        held: None,
        resting_files: rests.len() as u64,
        resting,
        deployments_waiting: waiting.len() as u64,
        deployments,
        free_bytes: space.free,
        reserve_bytes: space.reserve,
        quota_bytes: space.quota,
        as_of,
    })
}

fn reason(why: Why) -> ContentReason {
    match why {
        Why::Deployment => ContentReason::Deployment,
        Why::Everything => ContentReason::Everything,
        Why::Licence => ContentReason::Licence,
        Why::Request => ContentReason::Request,
    }
}

fn held(held: Held) -> ContentHeld {
    ContentHeld { reason: held.reason, files: held.files, bytes: held.bytes }
}

fn run(running: Running, left: u64) -> ContentRun {
    ContentRun {
        job: running.job,
        since: running.since,
        fetched: running.fetched,
        failed: running.failed,
        bytes: running.bytes,
        bytes_per_second: running.rate,
        seconds_left: left.checked_div(running.rate),
        files: running
            .active
            .into_iter()
            .map(|(digest, active)| ContentTransfer {
                digest,
                name: active.name,
                size: active.size,
                got: active.got,
                host: active.host,
            })
            .collect(),
    }
}
