//! What every part of the server shares.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use uuid::Uuid;
use weir_model::ids::Sha256Digest;
use weir_store::{Actor, ReadTx, Store, StoreError, WriteTx, content::ContentStore, job::JobRow, site::SealingKey};

use crate::{
    admission::Admission,
    client::{
        cookie::{KeyRing, SealError},
        limit::{AddressLimit, HourLimit},
    },
    front::{self, Following},
    ingest::{Chain, Ingest},
    live::{Live, PublishError},
    telemetry,
    upstream::Upstream,
};

/// Cookie keys older than this stop sealing; a new one takes over when the server starts or a day passes.
const KEY_SEALS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often the age of the keys is looked at.
const KEY_CHECK: Duration = Duration::from_hours(24);
/// Cookie keys older than this are forgotten: a computer that was away for longer refreshes its cache.
const KEY_OPENS: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Answers with large fragments that are sent at once; each holds one piece in memory.
const GIANTS_IN_FLIGHT: usize = 128;

/// Everything the parts of the server share. One value per process.
pub struct AppState {
    /// The database.
    pub store: Store,
    /// Files of updates.
    pub content: ContentStore,
    /// This site.
    pub server: ServerIdentity,
    /// What cookies are of.
    epoch: ArcSwap<Uuid>,
    /// Seals cookies.
    pub keys: KeyRing,
    /// What time it is for computers.
    pub clock: Clock,
    /// Settings that the client plane reads.
    pub configuration: SettingsCell,
    /// The catalogue as scans see it, and the computers.
    pub live: Live,
    /// Makes reports, registrations and contacts durable.
    pub ingest: Ingest,
    /// What the receiving side of roll-ups keeps in memory.
    pub rollups: crate::rollup::Receiving,
    /// Addresses in the object store that were signed.
    pub(crate) signed: crate::content::Signed,
    /// Calls without a cookie.
    pub addresses: AddressLimit,
    /// Requests for files.
    pub files: AddressLimit,
    /// Answers with large fragments under way.
    pub giants: Arc<Semaphore>,
    /// What is carried out at once, and what waits.
    pub admission: Admission,
    /// The server plane: whether it is on, and what it keeps.
    pub upstream: Upstream,
    /// What others write in the database is followed.
    pub(crate) following: Following,
    content_port: AtomicU16,
    content_tls: AtomicBool,
}

/// Why the server's state could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database.
    #[error("the site's identity, keys or computers cannot be read or stored")]
    Store(#[source] StoreError),
    /// Keys.
    #[error("the cookie keys cannot be used")]
    Keys(#[source] SealError),
    /// The first publish.
    #[error("the catalogue cannot be published")]
    Publish(#[source] PublishError),
}

impl AppState {
    /// Gives a new site its identity, loads keys and computers, publishes the catalogue, and starts the writer thread of
    /// [`Ingest`] and the activation timer of [`Live`]. Must run inside a Tokio runtime.
    ///
    /// `settings` are the site's; the caller replaces them in [`AppState::configuration`] when they change.
    ///
    /// Nobody else may write the database; see [`AppState::among`].
    pub async fn open(store: Store, content: ContentStore, settings: ClientSettings) -> Result<Arc<Self>, StateError> {
        let live = Live::new(store.clone());
        Self::with(store, content, settings, live).await
    }

    /// The same for one of the front ends that may share the database. It has no duties before `front::presence` is begun.
    pub(crate) async fn among(
        store: Store,
        content: ContentStore,
        settings: ClientSettings,
    ) -> Result<Arc<Self>, StateError> {
        let live = Live::among(store.clone());
        Self::with(store, content, settings, live).await
    }

    async fn with(
        store: Store,
        content: ContentStore,
        settings: ClientSettings,
        live: Live,
    ) -> Result<Arc<Self>, StateError> {
        store.observe(Arc::new(telemetry::Units));
        let setup = store.clone();
        let setup = blocking(move || Ok((ensure_site(&setup)?, rotate_keys(&setup)?)));
        let ((server, last_change, epoch), keys) = setup.await.map_err(StateError::Store)?;
        let keys = KeyRing::new(keys).map_err(StateError::Keys)?;
        let ingest = Ingest::start(store.clone(), live.clone(), HourLimit::default());
        let configuration = Configuration { settings, last_change_ms: last_change.as_millisecond() };
        let state = Arc::new(Self {
            store,
            content,
            signed: crate::content::Signed::default(),
            server,
            epoch: ArcSwap::from_pointee(epoch),
            keys,
            clock: Clock::default(),
            configuration: SettingsCell::new(configuration),
            live,
            ingest,
            rollups: crate::rollup::Receiving::default(),
            addresses: AddressLimit::default(),
            files: AddressLimit::default(),
            giants: Arc::new(Semaphore::new(GIANTS_IN_FLIGHT)),
            admission: Admission::here(),
            upstream: Upstream::default(),
            following: Following::default(),
            content_port: AtomicU16::new(0),
            content_tls: AtomicBool::new(false),
        });
        state.live.open().await.map_err(StateError::Publish)?;
        tokio::spawn(keep_keys(Arc::downgrade(&state)));
        Ok(state)
    }

    /// Runs a unit of reading off the request path.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        blocking(move || store.read(work)).await
    }

    /// Runs a unit of writing off the request path; durable when this returns. Follow it with
    /// `state.live.republish().await` if scans must see it.
    pub async fn write<T: Send + 'static>(
        &self,
        actor: Actor,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        let work = move |tx: &WriteTx<'_>| {
            front::keep(tx)?;
            work(tx)
        };
        let written = blocking(move || store.write(&actor, work)).await;
        if written.is_ok() {
            crate::admin::idempotency::wrote();
        }
        written
    }

    /// What cookies are of: the site, or the restore that its data came from.
    pub fn epoch(&self) -> Uuid {
        **self.epoch.load()
    }

    /// Reads again what cookies are of: another front end may have been the first to start on what was restored.
    pub(crate) async fn reload_epoch(&self) -> Result<(), StoreError> {
        let restores = self.read(|tx| tx.job_list(crate::backup::RESTORE, 1)).await?;
        let epoch = epoch(self.server.0, &restores);
        if *self.epoch.swap(Arc::new(epoch)) != epoch {
            tracing::warn!(
                "another front end says that the data were restored: computers and servers are told that it changed"
            );
        }
        Ok(())
    }

    /// Whether other front ends write the database, too.
    pub(crate) fn is_shared(&self) -> bool {
        !self.live.duties.is_alone()
    }

    /// Reads the keys of cookies again: another front end may have made one.
    pub(crate) async fn reload_keys(&self) -> Result<(), StoreError> {
        let keys = self.read(|tx| {
            let keys = tx.keys_list()?;
            Ok(keys.into_iter().map(|key| (key.id, key.secret.to_vec())).collect::<Keys>())
        });
        let keys = keys.await?;
        self.keys.replace(keys).map_err(|error| StoreError::Corrupt { what: error.to_string() })
    }

    /// Answers with large fragments that are being sent.
    pub fn giants_taken(&self) -> usize {
        GIANTS_IN_FLIGHT.saturating_sub(self.giants.available_permits())
    }

    /// The port of the plain client listener, for content URLs.
    pub fn content_port(&self) -> u16 {
        self.content_port.load(Ordering::Relaxed)
    }

    /// Says which port the plain client listener got.
    pub fn set_content_port(&self, port: u16) {
        self.content_port.store(port, Ordering::Relaxed);
    }

    /// Whether content is only there with TLS, for content URLs.
    pub fn content_tls(&self) -> bool {
        self.content_tls.load(Ordering::Relaxed)
    }

    /// Says that there is no plain client listener, and the port is that of the one with TLS.
    pub fn set_content_tls(&self, tls: bool) {
        self.content_tls.store(tls, Ordering::Relaxed);
    }
}

/// Runs blocking work on a thread for it. A panic of the work goes on in the caller.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(front::carry_blocking(move || span.in_scope(work))).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::Busy { action: "the server is stopping" }),
        },
    }
}

/// What cookies are of: the last restore, or the site if there was none.
fn epoch(site: Uuid, restores: &[JobRow]) -> Uuid {
    restores.first().map_or(site, |row| row.id)
}

fn ensure_site(store: &Store) -> Result<(ServerIdentity, Timestamp, Uuid), StoreError> {
    let now = Timestamp::now();
    let (site, restore) = store.read(|tx| Ok((tx.site()?, tx.job_list(crate::backup::RESTORE, 1)?)))?;
    if let Some(site) = site {
        let epoch = epoch(site.server_id, &restore);
        return Ok((ServerIdentity(site.server_id), site.config_changed_at, epoch));
    }
    // another front end may start on the same empty database
    let site = store.write(&Actor::system("start", now), |tx| {
        if let Some(site) = tx.site()? {
            return Ok(site);
        }
        tx.site_create(Uuid::new_v4())?;
        tx.site_config_changed()?;
        tx.site()?.ok_or_else(|| StoreError::Corrupt { what: "the site has no identity".to_owned() })
    })?;
    Ok((ServerIdentity(site.server_id), site.config_changed_at, site.server_id))
}

type Keys = Vec<(u32, Vec<u8>)>;

/// Makes a key if none is young enough, retires and forgets old ones, and returns those that open.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method is not general over the transaction's lifetime"
)]
fn rotate_keys(store: &Store) -> Result<Keys, StoreError> {
    let now = Timestamp::now();
    let keys = store.read(|tx| tx.keys_list())?;
    let age = |key: &SealingKey| now.duration_since(key.created_at);
    let young = keys.iter().any(|key| key.retired_at.is_none() && age(key) < KEY_SEALS);
    if !young {
        let fresh = KeyRing::generate().map_err(|_| StoreError::Exhausted("randomness of the system"))?;
        store.write(&Actor::system("cookie keys", now), |tx| {
            // another front end may have made one meanwhile
            let newest = |keys: &[SealingKey]| keys.first().map(|key| key.id);
            if newest(&tx.keys_list()?) != newest(&keys) {
                return Ok(0);
            }
            for key in &keys {
                if age(key) >= KEY_OPENS {
                    tx.keys_delete(key.id)?;
                } else if key.retired_at.is_none() {
                    tx.keys_retire(key.id)?;
                }
            }
            tx.keys_insert(fresh)
        })?;
    }
    let keys = store.read(|tx| tx.keys_list())?;
    Ok(keys.into_iter().map(|key| (key.id, key.secret.to_vec())).collect())
}

/// Looks once a day whether it is time for another key, for as long as the state lives.
async fn keep_keys(state: Weak<AppState>) {
    loop {
        tokio::time::sleep(KEY_CHECK).await;
        let Some(state) = state.upgrade() else { return };
        let store = state.store.clone();
        let rotated = blocking(move || rotate_keys(&store)).await.map_err(StateError::Store);
        let replaced = rotated.and_then(|keys| state.keys.replace(keys).map_err(StateError::Keys));
        if let Err(error) = replaced {
            tracing::error!(error = %Chain(&error), "cookie keys could not be rotated; the old ones go on");
        }
    }
}

/// Who decides about the target groups of a computer (MS-WUSP 3.1.5.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetingMode {
    /// The computer names its groups; groups that exist are joined, else Unassigned Computers.
    Client,
    /// The administrator assigns; what the computer names is ignored.
    #[default]
    Server,
}

/// The site settings that the client plane reads, as one immutable value. The administrator's side makes a new one
/// after each change of the database's settings and swaps it in with [`SettingsCell::replace`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientSettings {
    /// Who assigns target groups.
    pub targeting: TargetingMode,
    /// New entries per SyncUpdates answer (WSUS: 30). At least 1.
    pub page_entries: u32,
    /// Bytes of escaped Core text per SyncUpdates answer; 0 is no limit. One entry is always sent.
    pub page_bytes: u64,
    /// Entries that do not fit a page are skipped and later ones tried, instead of ending the page.
    pub page_filling: bool,
    /// Raw entries of InstalledNonLeafUpdateIDs above which a scan faults (WSUS: 400).
    pub installed_limit: usize,
    /// Raw entries of OtherCachedUpdateIDs and of CachedDriverIDs above which a scan faults.
    pub cached_limit: usize,
    /// MaxExtendedUpdatesPerRequest of GetConfig (MS-WUSP 2.2.2.2.1).
    pub extended_limit: u32,
    /// IsRegistrationRequired of GetConfig.
    pub registration_required: bool,
    /// PackageServerShare of GetConfig, a UNC path.
    pub package_share: String,
    /// Where content is fetched from: `http://host:port`, without a slash at the end. None: the host that the request
    /// names, with the content port.
    pub content_base: Option<String>,
    /// Files of updates, licence files aside, are not here: computers are told the addresses recorded for them.
    pub content_elsewhere: bool,
    /// How long a cookie lives from GetCookie on; NewCookies do not prolong it.
    pub cookie_lifetime: Duration,
    /// Folder that holds `wuident.cab` and what it names; None answers 404 below `/SelfUpdate`.
    pub self_update: Option<PathBuf>,
    /// Computers never seen before that may appear within an hour.
    pub new_computers_per_hour: u32,
    /// Calls without a cookie that one address may make at once; a quarter of that comes back each second.
    pub anonymous_burst: u32,
    /// Computers that come without TLS get files, and no answer to anything else.
    pub https_required: bool,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            targeting: TargetingMode::default(),
            page_entries: 100,
            page_bytes: 5 << 20,
            page_filling: true,
            installed_limit: 4_000,
            cached_limit: 22_000,
            extended_limit: 50,
            registration_required: true,
            package_share: String::new(),
            content_base: None,
            content_elsewhere: false,
            cookie_lifetime: Duration::from_hours(1),
            self_update: None,
            new_computers_per_hour: 100_000,
            anonymous_burst: 20_000,
            https_required: false,
        }
    }
}

/// [`ClientSettings`] with the time of the last change that clients can see in GetConfig.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Configuration {
    /// The settings.
    pub settings: ClientSettings,
    /// `LastChange` of GetConfig in milliseconds since 1970. Kept in the database by the administrator's side and moved
    /// whenever `extended_limit`, `registration_required` or `package_share` changes; a cookie made before is answered
    /// with ConfigChanged.
    pub last_change_ms: i64,
}

/// The time by which calls of computers are answered: the system's, unless a test moved it on.
#[derive(Debug, Default)]
pub struct Clock(AtomicI64);

impl Clock {
    /// Now.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        match self.0.load(Ordering::Relaxed) {
            0 => now,
            ahead => now.checked_add(SignedDuration::from_millis(ahead)).unwrap_or(now),
        }
    }

    /// Moves it on, from where it is.
    pub fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Holds the current [`Configuration`]; readers take a snapshot.
#[derive(Debug)]
pub struct SettingsCell(ArcSwap<Configuration>);

impl SettingsCell {
    /// Starts with this configuration.
    pub fn new(configuration: Configuration) -> Self {
        Self(ArcSwap::from_pointee(configuration))
    }

    /// The current configuration.
    pub fn load(&self) -> Arc<Configuration> {
        self.0.load_full()
    }

    /// Swaps in another one; calls under way finish with the old.
    pub fn replace(&self, configuration: Configuration) {
        self.0.store(Arc::new(configuration));
    }
}

/// What a listener knows about a connection; the listener puts it into the extensions of each request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Connection {
    /// The other side.
    pub peer: SocketAddr,
    /// Came in over TLS.
    pub tls: bool,
    /// SHA-256 of the certificate that the other side showed and has the key of; only on connections of the site link.
    /// Nothing is believed of it but that it is the same each time.
    pub certificate: Option<Sha256Digest>,
}

impl Connection {
    /// The address that limits are counted by: an IPv6 address by its /64 network, an IPv4 address as it is.
    pub fn limit_key(&self) -> IpAddr {
        match self.peer.ip().to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

/// Who this server is. The id is renewed after a restore from a backup, so that computers refresh their revision ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerIdentity(pub Uuid);
