//! What the operations of the admin plane share.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::Instant,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use weir_api::status::Endpoints;
use weir_store::{Actor, ReadTx, StoreError, WriteTx};

use super::{
    AdminError, Caller, Secrets,
    access::{oidc::Provider, password::Hasher, sign_in::Tries},
    changes::Changes,
    computer_facts,
    computer_roster::Roster,
    content, deployment, exposure, failure,
    idempotency::UnderWay,
    import::Imports,
    index::{Counted, Index},
    report::Reports,
    setting::Current,
    status, sync, warm,
};
use crate::{
    bundle::receive::Bundles,
    client::limit::AddressLimit,
    config::Settings,
    export::Exports,
    front,
    jobs::{Backups, Downloads, Phases, Rules},
    sites::Hub,
    start::Certificates,
    state::{AppState, Configuration},
    sync::runner::Runner,
    telemetry,
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
    /// One index is built at a time.
    pub(super) indexing: tokio::sync::Mutex<()>,
    /// The record of a day is taken once at a time.
    pub(super) recording: tokio::sync::Mutex<()>,
    /// A content file and its row change together: nothing may come in while it is checked or removed.
    pub(crate) content: tokio::sync::Mutex<()>,
    /// Failed attempts to sign in, by address.
    pub(super) failures: AddressLimit,
    /// Wrong passwords, by account.
    pub(super) tries: Tries,
    /// Hashes passwords, few at once.
    pub(super) hasher: Hasher,
    /// The provider of OpenID Connect.
    pub(super) provider: Provider,
    /// Tells the notifications that something was written.
    pub(crate) alerts: Notify,
    /// Makes backups.
    pub(crate) backups: Backups,
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
    /// What the listeners show.
    certificates: OnceLock<Arc<Certificates>>,
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
    /// Who follows what changes.
    pub(crate) changes: Changes,
    /// Requests with a key that are under way.
    pub(super) keys: UnderWay,
    /// What computers are called, for searches.
    pub(super) roster: Mutex<Option<Arc<Roster>>>,
    /// The turn to follow that.
    pub(super) roster_turn: Arc<tokio::sync::Mutex<()>>,
    /// The turn to read all of it anew, beside those who follow.
    pub(super) roster_renewal: Arc<tokio::sync::Mutex<()>>,
    /// What expressions ask of computers.
    pub(super) facts: computer_facts::Kept,
    /// What computers said of failures.
    pub(super) reported_failures: failure::Kept,
    /// What deployments are, for lists.
    pub(super) deployments: Mutex<Option<Arc<deployment::Roster>>>,
    /// What the status counts.
    pub(super) status: status::Kept,
    /// Which files are awaited.
    pub(super) awaited: content::Awaiting,
    /// What content would need.
    pub(super) forecasts: content::Forecasts,
    /// What was prepared for the console.
    pub(super) warm: warm::Kept,
    /// The product tree, for how synchronization stands.
    pub(super) branches: sync::Branches,
    /// Computers by freshness, as metrics tell it.
    pub(crate) counted_by_freshness: telemetry::Counted,
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
            indexing: tokio::sync::Mutex::default(),
            recording: tokio::sync::Mutex::default(),
            content: tokio::sync::Mutex::default(),
            failures: AddressLimit::default(),
            tries: Tries::default(),
            hasher: Hasher::default(),
            provider: Provider::default(),
            alerts: Notify::new(),
            backups: Backups::default(),
            wanted: Notify::new(),
            rollup: tokio::sync::Mutex::default(),
            rules: Rules::default(),
            phases: Phases::default(),
            reports: Reports::default(),
            runner: Runner::default(),
            sites: Hub::default(),
            certificates: OnceLock::new(),
            windows: Notify::new(),
            upkeep: Notify::new(),
            cleanup: Notify::new(),
            retirement: Notify::new(),
            downloads: Downloads::default(),
            followed: AtomicU64::new(0),
            changes: Changes::default(),
            keys: UnderWay::default(),
            roster: Mutex::default(),
            roster_turn: Arc::default(),
            roster_renewal: Arc::default(),
            facts: computer_facts::Kept::default(),
            reported_failures: failure::Kept::default(),
            deployments: Mutex::default(),
            status: status::Kept::default(),
            awaited: content::Awaiting::default(),
            forecasts: content::Forecasts::default(),
            warm: warm::Kept::default(),
            branches: sync::Branches::default(),
            counted_by_freshness: telemetry::Counted::default(),
        }))
    }

    pub(crate) fn shared(&self) -> &Inner {
        &self.0
    }

    /// What the tree of sites keeps in memory.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.sites
    }

    /// What the listeners show; none where there are no listeners.
    pub(crate) fn certificates(&self) -> Option<Arc<Certificates>> {
        self.0.certificates.get().cloned()
    }

    /// Says what the listeners show, once.
    pub(crate) fn set_certificates(&self, certificates: Arc<Certificates>) {
        if self.0.certificates.set(certificates).is_err() {
            tracing::error!("the certificates of the listeners were set before");
        }
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
        let actor = Actor {
            proof: caller.proof.words(),
            approved_by: caller.approved_by.clone(),
            ..Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now())
        };
        let expected = caller.expected.clone();
        let work = move |tx: &WriteTx<'_>| {
            front::keep(tx)?;
            if let Some(expected) = &expected {
                expected.check(tx)?;
            }
            work(tx)
        };
        let written = blocking(move || store.try_write(&actor, work)).await;
        if written.is_ok() {
            super::idempotency::wrote();
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
        self.publish_others().await
    }

    /// Brings what others committed, who did what there was to do in the database, to scans.
    pub(crate) async fn publish_others(&self) -> Result<(), AdminError> {
        let started = Instant::now();
        let published = self.state.live.republish().await;
        metrics::histogram!("weir_publish_seconds").record(started.elapsed().as_secs_f64());
        // another catalogue, or other deployments, may want other files
        self.shared().wanted.notify_one();
        self.shared().windows.notify_one();
        Index::refresh(self);
        deployment::Roster::refresh(self);
        status::refresh(self);
        published.map(drop).map_err(|error| {
            // the write itself is durable and reaches scans with the next publish
            AdminError::Unavailable(format!("the change is stored, but {}", super::chain(&error)))
        })
    }

    /// Brings the site settings to the client plane.
    pub(crate) async fn reload_settings(&self) -> Result<(), AdminError> {
        let (current, site) = self.read(|tx| Ok((Current::read(tx)?, tx.site()?))).await?;
        let mut settings = current.client(self.process.self_update.clone());
        if settings.https_required && self.endpoints.client_https.is_none() {
            tracing::error!(
                "clients.https is required, and no listener with TLS is on: computers are answered without it, since nothing else is there"
            );
            settings.https_required = false;
        }
        let changed = site.map_or(self.started_at, |site| site.config_changed_at);
        self.state.configuration.replace(Configuration { settings, last_change_ms: changed.as_millisecond() });
        Ok(())
    }
}

/// Runs blocking work on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
) -> Result<T, AdminError> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(front::carry_blocking(move || span.in_scope(work))).await {
        Ok(result) => result,
        Err(error) => Err(AdminError::Internal(format!("a unit of work ended: {error}"))),
    }
}
