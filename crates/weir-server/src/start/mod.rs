//! From process settings to a listening server, and back down again (design, section 3).

mod descriptors;
mod error;
mod folder;
pub mod listen;
mod plane;
mod tls;
mod watch;

use std::{future::Future, io::Write as _, net::SocketAddr, path::Path, pin::pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{runtime::Handle, sync::watch as signal, task::JoinHandle};
use weir_api::{
    access::SignInLink,
    status::{ENDPOINTS_FILE, Endpoints, TOKEN_FILE},
};
use weir_model::{ids::Sha256Digest, message::SERVER_STARTED};
use weir_store::{
    Actor, Store, StoreError,
    content::{ContentStore, objects::Objects},
};

pub use error::StartError;
pub(crate) use folder::{create as create_folder, write as write_private};
pub(crate) use listen::{Plane, Timed};
pub(crate) use tls::{
    ADMIN, CLIENT, Certificates, HANDSHAKE_FAILURES, LINK_PROTOCOL, Looked, OWN, Pin, Standing, facts,
    install_provider, machine_name, random, suites,
};

use self::{
    folder::RemovedOnDrop,
    listen::{Bound, Link, Terms, Tls},
    plane::AdminPlane,
};
use crate::{
    admin::{self, App, Caller, Parts, Secrets},
    backup::BackupError,
    client::ClientService,
    config::{self, Listen, Options, Settings, TlsChoice},
    content, front,
    sites::{self, LinkPlane, Parent},
    state::{AppState, ClientSettings},
    telemetry,
    upstream::UpstreamService,
};

/// Settings of a server, for programs that need some of them before [`run`], such as logging.
pub fn settings(options: &Options) -> Result<Settings, StartError> {
    let names: Vec<String> = variable_names().collect();
    config::check(names.iter().map(String::as_str))?;
    Ok(config::load(options, &|name| std::env::var(name).ok())?)
}

fn variable_names() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

/// Runs a server until `shutdown` is ready, then lets requests under way finish. Prints the sign-in link on standard output
/// once it listens.
pub async fn run(options: Options, shutdown: impl Future<Output = ()> + Send) -> Result<(), StartError> {
    serve(settings(&options)?, shutdown).await
}

/// [`run`] with settings that were read before.
pub async fn serve(settings: Settings, shutdown: impl Future<Output = ()> + Send) -> Result<(), StartError> {
    let started_at = Timestamp::now();
    install_provider();
    telemetry::install();
    telemetry::set_threshold(settings.log.slow);
    descriptors::raise(settings.limits.connections);
    let service = variable_names().filter(|name| config::is_service(name)).count();
    if service > 0 {
        tracing::info!(
            variables = service,
            "what a container platform sets for a service named weir (WEIR_SERVICE_HOST, WEIR_PORT, ...) is no setting"
        );
    }
    let data = settings.data.clone();
    folder::create(&data)?;
    folder::whole(&settings)?;
    let store = open_store(&settings).await?;
    if let Some(database) = &settings.database {
        tracing::info!(place = database.place(), "the database is on a server of PostgreSQL");
    }
    front::presence::tell_of_newer(&store).await?;
    restored(&store, &data, started_at).await?;
    // what a killed server left behind would name a server that is not there
    drop(RemovedOnDrop(data.join(ENDPOINTS_FILE)));
    folder::create(&data.join("incoming"))?;
    let files = open_content(&settings)?;
    seed(&store, &settings, started_at).await?;
    let secrets = Secrets { token: token(&store, &data, started_at).await? };
    let certificates = Arc::new(certificates(&store, &settings, started_at).await?);

    // bound before the catalogue is compiled, so that a taken address is said at once
    let bound = Listeners::bind(&settings)?;
    let state = AppState::among(store, files, ClientSettings::default())
        .await
        .map_err(|error| StartError::Publish(admin::chain(&error)))?;
    content::objects::begin(&state).await;
    if let Some(client) = bound.client_http.as_ref().or(bound.client_https.as_ref()) {
        state.set_content_port(client.address.port());
        state.set_content_tls(bound.client_http.is_none());
    }
    let endpoints = bound.endpoints();
    let process = Arc::new(settings);
    let app = App::new(Parts { state: Arc::clone(&state), process, secrets, endpoints, started_at });
    app.reload_settings().await.map_err(|error| StartError::Publish(admin::chain(&error)))?;
    let caller = Caller::system("start");
    let started = app.write(&caller, |tx| {
        Ok(tx.status_message(&SERVER_STARTED, &[("version", env!("CARGO_PKG_VERSION").to_owned())], None)?)
    });
    if let Err(error) = started.await {
        tracing::warn!(error = admin::chain(&error), "the start could not be noted among the status messages");
    }
    app.hub().set_pin(certificates.pin()?);
    app.set_certificates(Arc::clone(&certificates));
    if let Some(how) = &app.process.enrol {
        sites::join(&app, how).await.map_err(|error| StartError::Enrol(Box::new(error)))?;
    }
    sites::open(&app).await.map_err(|error| StartError::Publish(admin::chain(&error)))?;
    let link = match admin::sign_in_link(&app, &caller, started_at).await {
        Ok(link) => link.url,
        Err(admin::AdminError::Store(error @ StoreError::DiskFull { .. })) => {
            tracing::error!(
                error = admin::chain(&error),
                "the disk is full: what is here is served, and nothing can be stored; free some space"
            );
            "(none: the disk is full; then weir admin sign-in)".to_owned()
        }
        Err(error) => return Err(StartError::Publish(admin::chain(&error))),
    };

    let ((stopping, stop), (drained, end)) = (signal::channel(false), signal::channel(false));
    app.shared().changes.until(stop.clone());
    // who else is there is known before anything is done that one does at a time
    let presence = front::presence::begin(&app, &stop).await?;
    // from the first call of a computer to the last
    let following = front::follow::start(&app, &end);
    let tasks = bound.serve(&app, &certificates, &stop)?;
    let client_is_own = certificates.client_is_own();
    let mut jobs = crate::jobs::start(&app, &stop);
    jobs.extend(sites::start(&app, &stop));
    jobs.extend(presence);
    let file = data.join(ENDPOINTS_FILE);
    let endpoints = app.endpoints();
    if let Err(error) = write_endpoints(&file, &endpoints) {
        // computers are served all the same; WEIR_URL finds it
        tracing::error!(
            error = admin::chain(&error),
            "the addresses of this server cannot be written; is the disk full?"
        );
    }
    let removed = RemovedOnDrop(file);
    let parent = sites::parent(&app).await.map_err(|error| StartError::Publish(admin::chain(&error)))?;
    announce(&endpoints, &link, &data, client_is_own, parent.as_ref());

    let leaving = async {
        // a job that panicked has logged why
        futures_util::future::join_all(jobs).await;
        front::presence::leave(&state).await;
    };
    let stopped_early = wait(shutdown, tasks, &stopping, leaving).await;
    drop(removed);
    let _ = drained.send(true);
    futures_util::future::join_all(following).await;
    // reports that were taken are on disk before the process ends
    if let Err(error) = state.ingest.flush().await {
        tracing::warn!(%error, "the last reports may not be stored");
    }
    tracing::info!("stopped");
    stopped_early.map_or(Ok(()), |name| Err(StartError::Task(name)))
}

/// Makes a link that signs the built-in administrator in, in the data folder itself: no server may hold it. It works once one runs.
/// Nothing else is changed.
pub async fn reset(settings: &Settings) -> Result<SignInLink, StartError> {
    let now = Timestamp::now();
    let named = settings.clone();
    // what is named wrongly does not become a new site
    off_thread(move || match &named.database {
        Some(_) => crate::database::inspect(&named).map(drop).map_err(|error| match error {
            BackupError::Config(error) => StartError::Config(error),
            BackupError::Store(error) => StartError::Store(error),
            error => StartError::Publish(admin::chain(&error)),
        }),
        None => {
            let path = named.data.join(weir_store::DATABASE);
            let there = std::fs::metadata(&path).map(drop);
            there.map_err(|source| StartError::File { action: "reading", path, source })
        }
    })
    .await?;
    folder::whole(settings)?;
    let store = open_store(settings).await?;
    let code = admin::new_secret().map_err(|_| StartError::Random)?;
    let (hash, expires_at) = (admin::secret_hash(&code), now + admin::SIGN_IN_CODE);
    off_thread(move || {
        store.write(&Actor::system("reset", now), |tx| {
            tx.sign_in_code_create(hash, admin::ADMINISTRATOR, expires_at, None)?;
            tx.audit("sign_in_link.create", admin::ADMINISTRATOR, None, None)
        })?;
        Ok(())
    })
    .await?;
    let admin = match settings.listen.admin {
        Listen::At(address) => format!("https://{}", reachable(address)),
        Listen::Off => String::new(),
    };
    Ok(SignInLink { url: format!("{admin}/sign-in?code={code}"), expires_at })
}

/// Says where the server listens.
pub(crate) fn write_endpoints(file: &Path, endpoints: &Endpoints) -> Result<(), StartError> {
    let text = serde_json::to_vec_pretty(endpoints).map_err(|error| StartError::Publish(error.to_string()))?;
    folder::write(file, &text)
}

/// Waits for the shutdown, or for a listener that ends by itself, then stops them all, and does `leaving` meanwhile: others need not wait
/// for the last request. The name of the latter.
async fn wait(
    shutdown: impl Future<Output = ()>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    stopping: &signal::Sender<bool>,
    leaving: impl Future<Output = ()>,
) -> Option<&'static str> {
    let (names, tasks): (Vec<_>, Vec<_>) = tasks.into_iter().unzip();
    let mut shutdown = pin!(shutdown);
    let mut running = futures_util::future::select_all(tasks);
    let (ended, rest) = tokio::select! {
        () = &mut shutdown => (None, running.into_inner()),
        (_, index, rest) = &mut running => (names.get(index).copied(), rest),
    };
    tracing::info!("stopping: requests under way are finished");
    // nobody listens any more if every task has ended
    let _ = stopping.send(true);
    let drained = async {
        for task in rest {
            if task.await.is_err() {
                tracing::error!("a listener ended unexpectedly");
            }
        }
    };
    tokio::join!(drained, leaving);
    ended
}

/// The content folder, and what is behind it.
fn open_content(settings: &Settings) -> Result<ContentStore, StartError> {
    let folder = ContentStore::open(&settings.content)?;
    Ok(match &settings.objects {
        None => folder,
        Some(place) => folder.with_objects(Arc::new(Objects::open(place, Handle::current(), Timestamp::now)?)),
    })
}

/// Another process may hold the folder for a moment, when one server takes over from another.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

async fn open_store(settings: &Settings) -> Result<Store, StartError> {
    let begun = std::time::Instant::now();
    loop {
        let (folder, options) = (settings.data.clone(), settings.store()?);
        let opened = off_thread(move || Ok(Store::open(&folder, &options)?)).await;
        match opened {
            Err(StartError::Store(StoreError::Locked(_))) if begun.elapsed() < LOCK_PATIENCE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            opened => return opened,
        }
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StartError::Task("start-up"))?
}

/// Takes over data that a restore put here.
async fn restored(store: &Store, data: &Path, now: Timestamp) -> Result<(), StartError> {
    let (store, data) = (store.clone(), data.to_owned());
    off_thread(move || Ok(crate::backup::take_over(&store, &data, now)?)).await
}

/// Reads or makes the certificates that listeners show.
async fn certificates(store: &Store, settings: &Settings, now: Timestamp) -> Result<Certificates, StartError> {
    let (store, folder, file) = (store.clone(), settings.data.join("tls"), settings.file.clone());
    let (choice, addresses) = (TlsChoice::from(settings), listener_addresses(settings));
    off_thread(move || {
        let name = store.read(|tx| Ok(admin::setting::Current::read(tx)?.text(admin::setting::SERVER_NAME)))?;
        Certificates::open(&folder, choice, file, addresses, &name, now)
    })
    .await
}

/// Addresses that listeners are bound to alone: those that computers may be told.
fn listener_addresses(settings: &Settings) -> Vec<String> {
    let listen = &settings.listen;
    let planes = [listen.client_https, listen.admin, listen.server.map_or(Listen::Off, Listen::At)];
    let bound = planes.into_iter().filter_map(|plane| match plane {
        Listen::At(address) if !address.ip().is_unspecified() => Some(address.ip().to_string()),
        Listen::At(_) | Listen::Off => None,
    });
    bound.collect()
}

/// Brings site settings of the command line into a new site; later starts leave the site's own alone.
async fn seed(store: &Store, settings: &Settings, now: Timestamp) -> Result<(), StartError> {
    let Some(source) = settings.upstream.as_deref().and_then(admin::setting::parse_source) else { return Ok(()) };
    let store = store.clone();
    off_thread(move || {
        if store.read(|tx| Ok(tx.site()?.is_none()))? {
            let value = serde_json::Value::String(source);
            store.write(&Actor::system("start", now), |tx| {
                // another front end may have begun the site meanwhile
                if tx.site()?.is_some() {
                    return Ok(());
                }
                tx.setting_put(admin::setting::SOURCE, &value)?;
                tx.audit("setting.set", admin::setting::SOURCE, None, Some(&value))
            })?;
        }
        Ok(())
    })
    .await
}

/// What the token of a data folder is called: each front end of a database has one of its own.
fn token_name(store: &Store, data: &Path) -> String {
    if !store.is_shared() {
        return admin::ADMINISTRATOR.to_owned();
    }
    let place = format!("{}\n{}", machine_name().unwrap_or_default(), data.display());
    let digest: String = admin::secret_hash(&place).to_string().chars().take(12).collect();
    format!("{}-{digest}", admin::ADMINISTRATOR)
}

/// The administrator's token: the one of the file if it is the one of the database, else a new one.
async fn token(store: &Store, data: &Path, now: Timestamp) -> Result<Sha256Digest, StartError> {
    let (store, path, name) = (store.clone(), data.join(TOKEN_FILE), token_name(store, data));
    off_thread(move || {
        let kept = crate::file::small_text(&path).unwrap_or_default();
        let hash = admin::secret_hash(kept.trim());
        // the secret of an API token in this file would make it more than it is
        let is_ours = store.read(|tx| tx.token_find(hash, now))?.is_some_and(|token| token.owner.is_none());
        if !kept.trim().is_empty() && is_ours {
            // it may have been copied with another mode; else it stays as it is, even on a full disk
            folder::keep_private(&path)?;
            return Ok(hash);
        }
        let token = admin::new_secret().map_err(|_| StartError::Random)?;
        let hash = admin::secret_hash(&token);
        // the file first: a token that nobody knows is of no use, one that is not in the database is replaced
        folder::write(&path, format!("{token}\n").as_bytes())?;
        store.write(&Actor::system("start", now), |tx| {
            tx.token_put(&name, hash, admin::ADMINISTRATOR, None, None)?;
            tx.audit("token.create", &name, None, None)
        })?;
        Ok(hash)
    })
    .await
}

struct Listeners {
    client_http: Option<Bound>,
    client_https: Option<Bound>,
    admin: Option<Bound>,
    server: Option<Bound>,
}

impl Listeners {
    fn bind(settings: &Settings) -> Result<Self, StartError> {
        let bind = |name, flag, listen| match listen {
            Listen::At(address) => listen::bind(name, flag, address).map(Some),
            Listen::Off => Ok(None),
        };
        Ok(Self {
            client_http: bind("client plane", "--client-http", settings.listen.client_http)?,
            client_https: bind("client plane, TLS", "--client-https", settings.listen.client_https)?,
            admin: bind("admin plane", "--admin", settings.listen.admin)?,
            server: bind("server plane", "--server", settings.listen.server.map_or(Listen::Off, Listen::At))?,
        })
    }

    fn endpoints(&self) -> Endpoints {
        let url = |scheme: &str, bound: &Option<Bound>| {
            bound.as_ref().map(|bound| format!("{scheme}://{}", reachable(bound.address)))
        };
        Endpoints {
            pid: std::process::id(),
            client_http: url("http", &self.client_http),
            client_https: url("https", &self.client_https),
            // without a listener of its own it is where the client plane is, as soon as it is on
            server: url("https", &self.server),
            admin: url("https", &self.admin),
        }
    }

    fn serve(
        self,
        app: &App,
        certificates: &Certificates,
        stop: &signal::Receiver<bool>,
    ) -> Result<Vec<(&'static str, JoinHandle<()>)>, StartError> {
        let limits = app.process.limits;
        let pressure = Some(app.state.admission.pressure());
        let client = ClientService::new(Arc::clone(&app.state));
        let mut tasks = Vec::new();
        let link = Link { config: certificates.link()?, plane: LinkPlane::new(app, stop) };
        let mut shared = Some(link);
        if let Some(bound) = self.server {
            // the server plane is nowhere else then
            let terms = Terms {
                tls: Some(Tls { config: certificates.client()?, link: shared.take() }),
                plain_too: true,
                limits,
                pressure: pressure.clone(),
            };
            let plane = UpstreamService::new(Arc::clone(&app.state));
            tasks.push(("server plane", tokio::spawn(listen::serve(bound, plane, terms, stop.clone()))));
        }
        if let Some(bound) = self.client_http {
            let terms = Terms { pressure: pressure.clone(), ..Terms::plain(limits) };
            tasks.push(("client plane", tokio::spawn(listen::serve(bound, client.clone(), terms, stop.clone()))));
        }
        if let Some(bound) = self.client_https {
            let tls = Tls { config: certificates.client()?, link: shared };
            let terms = Terms { tls: Some(tls), plain_too: false, limits, pressure };
            tasks.push(("client plane, TLS", tokio::spawn(listen::serve(bound, client, terms, stop.clone()))));
        }
        if let Some(bound) = self.admin {
            let config = certificates.admin(app.process.client_ca.as_deref())?;
            let tls = Tls { config, link: None };
            let terms = Terms { tls: Some(tls), plain_too: false, limits, pressure: None };
            let plane = AdminPlane::new(admin::router(app.clone()));
            tasks.push(("admin plane", tokio::spawn(listen::serve(bound, plane, terms, stop.clone()))));
        }
        Ok(tasks)
    }
}

fn reachable(address: SocketAddr) -> SocketAddr {
    config::reachable(address)
}

/// Tells an administrator what to do now. Nobody may be there to read it: a closed terminal, or a file on a full disk, is no
/// reason to end.
fn announce(endpoints: &Endpoints, link: &str, data: &Path, client_is_own: bool, parent: Option<&Parent>) {
    let block = announcement(endpoints, link, data, client_is_own, parent);
    let mut output = std::io::stdout().lock();
    if let Err(error) = output.write_all(block.as_bytes()).and_then(|()| output.flush()) {
        tracing::warn!(%error, "the addresses cannot be printed; they are in endpoints.json, and `weir admin sign-in` makes a link");
    }
    tracing::info!(
        client_http = endpoints.client_http,
        client_https = endpoints.client_https,
        admin = endpoints.admin,
        "listening"
    );
}

/// The short block of [`announce`]. The link is a secret, so it goes to standard output only, not to the log.
fn announcement(
    endpoints: &Endpoints,
    link: &str,
    data: &Path,
    client_is_own: bool,
    parent: Option<&Parent>,
) -> String {
    let of = |address: &Option<String>| address.clone().unwrap_or_else(|| "off".to_owned());
    let mut lines = vec![
        String::new(),
        format!("Weir {} is running.", env!("CARGO_PKG_VERSION")),
        String::new(),
        format!("  Sign in       {link}"),
        "                (works once, for 24 hours; a new one: weir admin sign-in)".to_owned(),
        format!("  Computers     {}", of(&endpoints.client_http)),
        format!("                {}", of(&endpoints.client_https)),
    ];
    if client_is_own {
        let authority = data.join(weir_api::status::CA_FILE);
        lines.push(format!("                (their certificate is signed by {})", authority.display()));
    }
    if let Some(server) = &endpoints.server {
        lines.push(format!("  Servers       {server}"));
    }
    if let Some(parent) = parent {
        lines.push(format!("  Parent site   {} at {}", parent.name, parent.url()));
    }
    lines.push(format!("  Data folder   {}", data.display()));
    lines.push(String::new());
    lines.push(String::new());
    lines.join("\n")
}
