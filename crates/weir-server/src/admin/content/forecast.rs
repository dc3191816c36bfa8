//! What content would need: of a mode, and of a deployment before it is made.

use std::{collections::HashSet, time::Duration};

use weir_api::{
    List,
    content::{ContentForecast, ContentRoom},
    deployment::DeploymentPreview,
};
use weir_model::{
    content::{ContentMode, ContentPolicy, Holding},
    ids::ContentDigest,
};
use weir_store::{
    ReadTx, StoreError,
    content::ContentStore,
    content_need::{NeededBy, NeededFile},
};

use crate::{
    admin::{AdminError, App, slow::Slow},
    content::{self, Lack, Space},
    jobs::downloads,
};

/// Older than this nothing is told of it.
const OLDEST: Duration = Duration::from_mins(15);

/// What each mode would need, kept for a policy.
pub(crate) type Kept = Slow<ContentPolicy, Vec<(ContentMode, Sum)>>;

/// What each mode would need with everything else as it is now, or, where that takes long to find out, was a while ago.
pub(crate) async fn forecast(app: &App) -> Result<List<ContentForecast>, AdminError> {
    let store = app.state.content.clone();
    let (policy, space) = app.read(move |tx| Ok((content::policy(tx)?, Space::read(tx, &store)?))).await?;
    let found = app.shared().forecasts.current(app, policy.clone(), OLDEST, sums).await?;
    let of_mode = |(mode, sum): &(ContentMode, Sum)| ContentForecast {
        mode: *mode,
        current: *mode == policy.mode,
        room: sum.room(&space, 0),
        without_source: sum.without_source,
        elsewhere: sum.elsewhere,
        left_out: sum.left_out,
        as_of: found.as_of,
    };
    Ok(List { items: found.value.iter().map(of_mode).collect(), next: None })
}

fn sums(tx: &ReadTx<'_>, policy: &ContentPolicy) -> Result<Vec<(ContentMode, Sum)>, StoreError> {
    let modes = [ContentMode::OnApproval, ContentMode::Immediately, ContentMode::Microsoft];
    modes.into_iter().map(|mode| Ok((mode, of_mode(tx, policy, mode)?))).collect()
}

fn of_mode(tx: &ReadTx<'_>, policy: &ContentPolicy, mode: ContentMode) -> Result<Sum, StoreError> {
    let would = ContentPolicy { mode, ..policy.clone() };
    let mut files = tx.content_licences(&would)?;
    files.extend(tx.content_needed(NeededBy::Deployments, &would)?);
    if mode == ContentMode::Immediately {
        files.extend(tx.content_needed(NeededBy::Live, &would)?);
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.digest));
    Ok(Sum::of(&files, &would))
}

/// What a deployment of these files would need.
pub(crate) fn of_files(
    tx: &ReadTx<'_>,
    store: &ContentStore,
    files: &[NeededFile],
) -> Result<DeploymentPreview, StoreError> {
    let (policy, space) = (content::policy(tx)?, Space::read(tx, store)?);
    let own: HashSet<ContentDigest> = files.iter().map(|file| file.digest).collect();
    let (pending, _) = downloads::wanted(tx, &policy)?;
    let pending =
        pending.iter().filter(|wanted| !own.contains(&wanted.file.digest)).map(|wanted| wanted.file.size).sum();
    let sum = Sum::of(files, &policy);
    Ok(DeploymentPreview {
        room: sum.room(&space, pending),
        files_elsewhere: sum.elsewhere,
        files_left_out: sum.left_out,
        without_source: sum.without_source,
    })
}

/// Refuses a deployment whose content has no room.
pub(crate) fn problem(preview: &DeploymentPreview) -> Result<(), AdminError> {
    let Some(problem) = &preview.room.problem else { return Ok(()) };
    Err(AdminError::Conflict {
        code: "no_room",
        detail: format!("{} bytes of content have to be fetched, and {problem}", preview.room.bytes_to_fetch),
        next_step: Some("make room, or repeat with --force: the deployment then waits for it".to_owned()),
    })
}

/// What files come to.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    files: u64,
    bytes: u64,
    files_here: u64,
    bytes_here: u64,
    to_fetch: u64,
    elsewhere: u64,
    left_out: u64,
    without_source: u64,
}

impl Sum {
    fn of(files: &[NeededFile], policy: &ContentPolicy) -> Self {
        let mut sum = Self::default();
        for file in files {
            if file.holding == Holding::LeftOut {
                sum.left_out += 1;
                continue;
            }
            sum.files += 1;
            sum.bytes += file.size;
            match file.holding {
                Holding::Here => {
                    sum.files_here += 1;
                    sum.bytes_here += file.size;
                }
                Holding::Elsewhere => sum.elsewhere += 1,
                Holding::Wanted => sum.to_fetch += file.size,
                Holding::LeftOut | Holding::Nowhere => {}
            }
            let sought = matches!(file.holding, Holding::Wanted | Holding::Nowhere);
            if sought && !file.source && !policy.upstream_serves {
                sum.without_source += 1;
            }
        }
        sum
    }

    fn room(&self, space: &Space, pending: u64) -> ContentRoom {
        let more = self.to_fetch.saturating_add(pending);
        // what waits for room anyway does not keep a deployment from being made that needs none
        let lack = (self.to_fetch > 0).then(|| space.lacks(more, space.staying(more))).flatten();
        ContentRoom {
            files: self.files,
            bytes: self.bytes,
            files_here: self.files_here,
            bytes_here: self.bytes_here,
            bytes_to_fetch: self.to_fetch,
            bytes_pending: pending,
            free_bytes: space.free,
            free_after: space.free_after(space.staying(more)),
            used_after: space.used.saturating_add(more),
            quota_bytes: space.quota,
            problem: lack.map(Lack::words),
        }
    }
}
