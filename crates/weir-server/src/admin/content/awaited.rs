//! Which files are awaited, and which deployments wait for some: what every screen about content begins with.

use std::{collections::BTreeMap, time::Duration};

use weir_model::content::{ContentPolicy, Holding};
use weir_store::{
    ReadTx, StoreError,
    content_need::{NeededFile, Waiting},
};

use crate::{
    admin::{
        AdminError, App,
        slow::{Found, Slow},
    },
    content,
    jobs::downloads::{self, Why},
};

/// Older than this nothing is told of it.
const OLDEST: Duration = Duration::from_secs(60);

/// It is kept for a policy.
pub(crate) type Kept = Slow<ContentPolicy, Awaited>;

/// What is awaited.
#[derive(Debug)]
pub(crate) struct Awaited {
    /// By digest, those included that nobody can be asked for.
    pub(super) files: Vec<NeededFile>,
    /// Of those that are to be fetched: how many and how many bytes, by the most urgent reason.
    pub(super) wanted: BTreeMap<Why, (u64, u64)>,
    /// By deployment: files and bytes.
    pub(super) deployments: Waiting,
}

impl Awaited {
    /// What is awaited now, or, where that takes long, was some seconds ago.
    pub(super) async fn current(app: &App) -> Result<Found<Self>, AdminError> {
        let policy = app.read(content::policy).await?;
        app.shared().awaited.current(app, policy, OLDEST, Self::read).await
    }

    fn read(tx: &ReadTx<'_>, policy: &ContentPolicy) -> Result<Self, StoreError> {
        let (found, _) = downloads::wanted(tx, policy)?;
        let mut wanted: BTreeMap<Why, (u64, u64)> = BTreeMap::new();
        for one in &found {
            let sum = wanted.entry(one.why).or_default();
            (sum.0, sum.1) = (sum.0 + 1, sum.1 + one.file.size);
        }
        let nowhere = tx.deployment_files_missing(policy)?.into_iter();
        let nowhere = nowhere.filter(|file| file.holding == Holding::Nowhere);
        let mut files: Vec<NeededFile> = found.into_iter().map(|wanted| wanted.file).chain(nowhere).collect();
        files.sort_by_key(|file| file.digest);
        Ok(Self { files, wanted, deployments: tx.deployments_waiting(policy)? })
    }

    /// How many files are to be fetched, and how many bytes.
    pub(super) fn total(&self) -> (u64, u64) {
        self.wanted.values().fold((0, 0), |(files, bytes), one| (files + one.0, bytes + one.1))
    }
}
