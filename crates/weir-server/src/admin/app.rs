//! What the operations of the admin plane share.

use std::{
    ops::Deref,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use weir_api::status::Endpoints;
use weir_store::{Actor, ReadTx, StoreError, WriteTx};

use super::{
    AdminError, Caller, Secrets, exposure,
    import::Imports,
    index::{Counted, Index},
    relations::Relations,
    report::Reports,
    setting::Current,
};
use crate::{
    bundle::receive::Bundles,
    client::limit::AddressLimit,
    config::Settings,
    export::Exports,
    jobs::{Downloads, Phases, Rules},
    sites::Hub,
    state::{AppState, Configuration},
    sync::runner::Runner,
};

/// What the start-up hands to the admin plane.
pub struct Parts {
    /// What the whole server shares.
    pub state: Arc<AppState>,
    /// Settings of the process.
    pub process: Arc<Settings>,
    /// The administrator's token.
    pub secrets: Secrets,
    /// Where the server listens.
    pub endpoints: Endpoints,
    /// When it started.
    pub started_at: Timestamp,
}

/// The admin plane's state. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What [`App`] shares.
pub(crate) struct Inner {
    parts: Parts,
    /// Imports of this process.
    pub(super) imports: Imports,
    /// Exports of this process.
    pub(crate) exports: Exports,
    /// Bundles that are applied.
    pub(crate) bundles: Bundles,
    /// The index of updates, for one state of the catalogue.
    pub(super) index: Mutex<Option<Arc<Index>>>,
    /// What computers say of updates, as it was counted last.
    pub(super) counted: Mutex<Option<Arc<Counted>>>,
    /// What is kept of exposure.
    pub(super) exposure: exposure::Cache,
    /// Relationships read backwards.
    pub(super) relations: Mutex<Option<Arc<Relations>>>,
    /// One index is built at a time.
    pub(super) indexing: tokio::sync::Mutex<()>,
    /// The record of a day is taken once at a time.
    pub(super) recording: tokio::sync::Mutex<()>,
    /// A content file and its row change together: nothing may come in while it is checked or removed.
    pub(crate) content: tokio::sync::Mutex<()>,
    /// Failed attempts to sign in, by address.
    pub(super) failures: AddressLimit,
    /// Tells the notifications that something was written.
    pub(crate) alerts: Notify,
    /// Tells the content job that something may be wanted.
    pub(crate) wanted: Notify,
    /// One roll-up is sent at a time.
    pub(crate) rollup: tokio::sync::Mutex<()>,
    /// Runs automatic deployment rules.
    pub(crate) rules: Rules,
    /// Moves phased deployments on.
    pub(crate) phases: Phases,
    /// Makes reports.
    pub(crate) reports: Reports,
    /// Synchronizes.
    pub(crate) runner: Runner,
    /// What the tree of sites keeps in memory.
    sites: Hub,
    /// Tells that windows, deployments or collections changed.
    pub(crate) windows: Notify,
    /// Tells of jobs on stored content.
    pub(crate) upkeep: Notify,
    /// Tells that there may be something to clean.
    pub(crate) cleanup: Notify,
    /// Tells that other computers may be due to be retired.
    pub(crate) retirement: Notify,
    /// What the content job is doing.
    pub(crate) downloads: Downloads,
    /// The change of computers that everybody who follows them has passed.
    pub(crate) followed: AtomicU64,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let exports = Exports::new(&parts.process.data);
        Self(Arc::new(Inner {
            parts,
            imports: Imports::default(),
            exports,
            bundles: Bundles::default(),
            index: Mutex::default(),
            counted: Mutex::default(),
            exposure: exposure::Cache::default(),
            relations: Mutex::default(),
            indexing: tokio::sync::Mutex::default(),
            recording: tokio::sync::Mutex::default(),
            content: tokio::sync::Mutex::default(),
            failures: AddressLimit::default(),
            alerts: Notify::new(),
            wanted: Notify::new(),
            rollup: tokio::sync::Mutex::default(),
            rules: Rules::default(),
            phases: Phases::default(),
            reports: Reports::default(),
            runner: Runner::default(),
            sites: Hub::default(),
            windows: Notify::new(),
            upkeep: Notify::new(),
            cleanup: Notify::new(),
            retirement: Notify::new(),
            downloads: Downloads::default(),
            followed: AtomicU64::new(0),
        }))
    }

    pub(crate) fn shared(&self) -> &Inner {
        &self.0
    }

    /// What the tree of sites keeps in memory.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.sites
    }

    /// Whether downstream servers are answered: on a listener of their own, or where computers are.
    pub(crate) fn serves_downstream(&self) -> bool {
        self.process.listen.server.is_some() || self.state.upstream.is_on()
    }

    /// Where the server listens now.
    pub(crate) fn endpoints(&self) -> Endpoints {
        let mut endpoints = self.endpoints.clone();
        if endpoints.server.is_none() && self.serves_downstream() {
            endpoints.server = endpoints.client_https.clone().or_else(|| endpoints.client_http.clone());
        }
        endpoints
    }

    /// Reads the database, off the asynchronous threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, AdminError> {
        self.try_read(|tx| Ok(work(tx)?)).await
    }

    /// The same for work that refuses for reasons of its own.
    pub(crate) async fn try_read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx<'_>) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let store = self.state.store.clone();
        blocking(move || store.try_read(work)).await
    }

    /// Writes the database in one transaction, off the asynchronous threads. It is durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let store = self.state.store.clone();
        let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
        let written = blocking(move || store.try_write(&actor, work)).await;
        if written.is_ok() {
            // the sites below may have to hear of it
            self.hub().nudge();
            // and it may have opened or closed an alert
            self.0.alerts.notify_one();
        }
        written
    }

    /// Brings what was committed to scans.
    pub(crate) async fn publish(&self) -> Result<(), AdminError> {
        super::run_time::assign(self).await?;
        let started = Instant::now();
        let published = self.state.live.republish().await;
        metrics::histogram!("weir_publish_seconds").record(started.elapsed().as_secs_f64());
        // another catalogue, or other deployments, may want other files
        self.shared().wanted.notify_one();
        self.shared().windows.notify_one();
        Index::refresh(self);
        published.map(drop).map_err(|error| {
            // the write itself is durable and reaches scans with the next publish
            AdminError::Unavailable(format!("the change is stored, but {}", super::chain(&error)))
        })
    }

    /// Brings the site settings to the client plane.
    pub(crate) async fn reload_settings(&self) -> Result<(), AdminError> {
        let (current, site) = self.read(|tx| Ok((Current::read(tx)?, tx.site()?))).await?;
        let settings = current.client(self.process.self_update.clone());
        let changed = site.map_or(self.started_at, |site| site.config_changed_at);
        self.state.configuration.replace(Configuration { settings, last_change_ms: changed.as_millisecond() });
        Ok(())
    }
}

/// Runs blocking work on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
) -> Result<T, AdminError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(AdminError::Internal(format!("a unit of work ended: {error}"))),
    }
}
