//! How fetching content stands.

use std::collections::BTreeMap;

use weir_api::content::{
    ContentAwaited, ContentDeployment, ContentHeld, ContentReason, ContentResting, ContentRun, ContentStatus,
    ContentTransfer,
};
use weir_store::{ReadTx, StoreError};

use crate::{
    admin::{
        AdminError, App,
        setting::{CONTENT_DOWNLOAD, Current},
    },
    content::{self, Space},
    jobs::downloads::{self, Held, Running, Why},
};

/// Rows of each list in the answer.
const MOST: usize = 100;

/// How fetching content stands.
pub(crate) async fn status(app: &App) -> Result<ContentStatus, AdminError> {
    let store = app.state.content.clone();
    let status = app.read(move |tx| read(tx, &store)).await?;
    let downloads = &app.shared().downloads;
    let running = downloads.running().map(|running| run(running, status.waiting_bytes - status.waiting_bytes_here));
    Ok(ContentStatus { running, held: downloads.held().map(held), ..status })
}

fn read(tx: &ReadTx<'_>, store: &weir_store::content::ContentStore) -> Result<ContentStatus, StoreError> {
    let policy = content::policy(tx)?;
    let (wanted, _) = downloads::wanted(tx, &policy)?;
    let (mut awaited, mut here) = (BTreeMap::<Why, (u64, u64)>::new(), 0);
    for one in &wanted {
        let sum = awaited.entry(one.why).or_default();
        (sum.0, sum.1) = (sum.0 + 1, sum.1 + one.file.size);
    }
    for (digest, bytes, _) in store.partials()? {
        let of = wanted.iter().find(|wanted| wanted.file.digest == digest);
        here += of.map_or(0, |wanted| bytes.min(wanted.file.size));
    }
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
    let waiting = tx.deployments_waiting(&policy)?;
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
        waiting_files: wanted.len() as u64,
        waiting_bytes: wanted.iter().map(|wanted| wanted.file.size).sum(),
        waiting_bytes_here: here,
        awaited: awaited
            .into_iter()
            .map(|(why, (files, bytes))| ContentAwaited { reason: reason(why), files, bytes })
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
