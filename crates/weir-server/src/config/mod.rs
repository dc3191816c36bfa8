//! Process settings, in three stages: fragments as written (`weir.toml`, `WEIR_` environment, flags), inputs (merged, the
//! later over the earlier), and [`Settings`] (validated): all that the rest of the program sees.
//!
//! Only what belongs to the process is here: folders, listeners, TLS files, limits, logging. How the site behaves is in
//! the database ([`crate::admin::setting`]), never in both.

mod database;
mod environment;
mod error;
mod file;
mod listen;
mod validate;

#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use weir_model::{enrolment::EnrolmentCode, tls::Minimum};
use weir_store::{content::objects::Place, database::Url};

pub use database::Database;
pub use environment::{VARIABLES, Variable, check, is_service};
pub use error::ConfigError;
pub use listen::Listen;
pub(crate) use listen::reachable;

/// What was given on the command line. Absent values come from the environment, then from `weir.toml`, then from the
/// defaults.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Options {
    /// Data folder; `./weir-data` by default.
    pub data: Option<PathBuf>,
    /// Configuration file; `weir.toml` of the data folder by default, if it is there.
    pub config: Option<PathBuf>,
    /// Address of a database of PostgreSQL; the file `weir.db` of the data folder by default.
    pub database: Option<String>,
    /// Content folder, or the address of an object store; the folder `content` of the data folder by default.
    pub content: Option<String>,
    /// Client plane without TLS: `ADDRESS:PORT`, `PORT` or `off`; `0.0.0.0:8530` by default. Port 0 takes a free one.
    pub client_http: Option<String>,
    /// Client plane with TLS; `0.0.0.0:8531` by default.
    pub client_https: Option<String>,
    /// Admin plane, always with TLS; `127.0.0.1:8540` by default. It cannot be off.
    pub admin: Option<String>,
    /// Server plane on a listener of its own, with and without TLS; by default it is on the client listeners.
    pub server: Option<String>,
    /// Answers downstream servers, even before a site is enrolled.
    pub downstream: bool,
    /// Seeds the site setting `source` on the first start: `microsoft`, `none` or a URL.
    pub upstream: Option<String>,
    /// The parent that a code is of, to be sure.
    pub parent: Option<String>,
    /// The code to enrol with below a parent.
    pub enrol: Option<String>,
    /// Enrols although what was decided here is lost.
    pub force: bool,
    /// What to log, such as `info` or `weir_server=debug`.
    pub log: Option<String>,
    /// How to log: `text` or `json`.
    pub log_format: Option<String>,
}

impl std::fmt::Debug for Options {
    /// Without what may be secret: the code to enrol with, and the address of the database.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("data", &self.data).field("config", &self.config).finish_non_exhaustive()
    }
}

/// The settings of this process, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Data folder, absolute.
    pub data: PathBuf,
    /// The database of PostgreSQL that has the data; none: the file `weir.db` of the data folder.
    pub database: Option<Database>,
    /// Content folder; if whole files are in an object store, that of files which are being taken in.
    pub content: PathBuf,
    /// The object store that has the whole files.
    pub objects: Option<Place>,
    /// Folder that scheduled reports are written to, or below it.
    pub reports: PathBuf,
    /// Folder that backups are written to, or below it.
    pub backups: PathBuf,
    /// Folder that holds `wuident.cab` and what it names, served below `/SelfUpdate`; none answers 404 there.
    pub self_update: Option<PathBuf>,
    /// Listeners.
    pub listen: Listeners,
    /// The configuration file, whether it is there or not. It is looked at again for what is said of certificates.
    pub file: PathBuf,
    /// Certificate of the client and server listeners; none makes one that is signed by an authority of this data folder's own.
    pub tls: Option<TlsFiles>,
    /// Certificate that administrators see who come by a name; others, and without it all, see the own one.
    pub tls_admin: Option<TlsFiles>,
    /// Further names and addresses that the own certificate is for.
    pub tls_names: Vec<String>,
    /// The lowest version of TLS that is spoken.
    pub tls_minimum: Minimum,
    /// Authorities (PEM) that sign certificates of administrators; the admin listener asks for those then.
    pub client_ca: Option<PathBuf>,
    /// The provider of OpenID Connect at which administrators sign in.
    pub oidc: Option<Oidc>,
    /// Bounds of what comes from outside.
    pub limits: Limits,
    /// Logging.
    pub log: Log,
    /// Where traces go; none exports none.
    pub traces: Option<Traces>,
    /// Answers downstream servers, even before a site is enrolled.
    pub downstream: bool,
    /// Seeds the site setting `source` on the first start.
    pub upstream: Option<String>,
    /// How to enrol below a parent.
    pub enrol: Option<Enrol>,
}

impl Settings {
    /// The whole address of the database of PostgreSQL, with its password; none if the data folder has the database. Nothing shows
    /// or stores it.
    pub(crate) fn database_url(&self) -> Result<Option<Url>, ConfigError> {
        self.database.as_ref().map(Database::address).transpose()
    }

    /// How the store is opened.
    pub fn store(&self) -> Result<weir_store::Options, ConfigError> {
        let database = self.database_url()?.map(|url| url.expose().to_owned());
        Ok(weir_store::Options { database, ..weir_store::Options::default() })
    }
}

/// A provider of OpenID Connect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Oidc {
    /// Its issuer, as its own description has it.
    pub issuer: String,
    /// What it knows this server by.
    pub client_id: String,
    /// The file that holds the secret, if this server has one there.
    pub client_secret_file: Option<PathBuf>,
    /// Scopes that are asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that names the user.
    pub name_claim: String,
    /// The claim that lists the user's groups.
    pub groups_claim: String,
    /// Authorities (PEM) that are trusted in place of the system's.
    pub ca: Option<PathBuf>,
    /// Where browsers reach this server: `https://HOST:PORT`; where it listens if absent.
    pub url: Option<String>,
}

/// How to enrol below a parent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enrol {
    /// What the parent printed; none for a server that has enrolled already.
    pub code: Option<EnrolmentCode>,
    /// The address that the code, or the parent that it is enrolled below, must have, if one was given.
    pub parent: Option<String>,
    /// What was decided here may be lost.
    pub force: bool,
}

/// Where to listen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listeners {
    /// Client plane without TLS.
    pub client_http: Listen,
    /// Client plane with TLS.
    pub client_https: Listen,
    /// Admin plane with TLS.
    pub admin: Listen,
    /// Server plane, if it has a listener of its own.
    pub server: Option<SocketAddr>,
}

/// What the process settings say of certificates. It is read again while the server runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct TlsChoice {
    /// Certificate of the client and server listeners.
    pub(crate) client: Option<TlsFiles>,
    /// Certificate that administrators see who come by a name.
    pub(crate) admin: Option<TlsFiles>,
    /// Further names and addresses that the own certificate is for.
    pub(crate) names: Vec<String>,
    /// The lowest version of TLS that is spoken.
    pub(crate) minimum: Minimum,
}

impl From<&Settings> for TlsChoice {
    fn from(settings: &Settings) -> Self {
        Self {
            client: settings.tls.clone(),
            admin: settings.tls_admin.clone(),
            names: settings.tls_names.clone(),
            minimum: settings.tls_minimum,
        }
    }
}

/// An administrator's own certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// Bounds of connections and uploads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Open connections per listener; further ones wait.
    pub connections: usize,
    /// Bytes of the request line and headers.
    pub header_bytes: usize,
    /// Time for the request line and headers to arrive (against clients that trickle).
    pub header_time: Duration,
    /// A connection without a request is closed after this. At least 31 seconds: agents pause for 30 between calls of one
    /// scan (MS-WUSP clients reuse connections).
    pub idle_time: Duration,
    /// Time that requests under way get when the server stops.
    pub drain_time: Duration,
    /// Bytes of one upload of metadata.
    pub import_bytes: u64,
    /// Bytes of one upload of content.
    pub content_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            header_bytes: 64 << 10,
            header_time: Duration::from_secs(20),
            idle_time: Duration::from_mins(2),
            drain_time: Duration::from_secs(10),
            import_bytes: 8 << 30,
            content_bytes: 256 << 30,
        }
    }
}

/// Logging.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Log {
    /// Filter in the form of `tracing-subscriber`.
    pub filter: String,
    /// JSON lines instead of text.
    pub json: bool,
    /// Requests that take the server as long or longer are told of; none tells of none.
    pub slow: Option<Duration>,
}

/// Where traces go, and how many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Traces {
    /// The address that takes them: the collector's, with `/v1/traces` behind it.
    pub url: String,
    /// One of so many requests is traced. At least 1.
    pub one_in: u64,
}

/// Reads the process settings; `environment` looks up a variable, so that only the caller touches the process.
pub fn load(options: &Options, environment: &dyn Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
    let flags = file::Fragment::from(options);
    let variables = environment::read(environment)?;
    let mut head = file::Fragment::default();
    head.overlay(variables.clone());
    head.overlay(flags.clone());
    let data = head.data.clone().unwrap_or_else(|| PathBuf::from("weir-data"));
    let named = options.config.clone().or_else(|| environment("WEIR_CONFIG").map(PathBuf::from));
    let (path, mut inputs) = match named {
        Some(path) => {
            let inputs = file::read(&path)?;
            (path, inputs)
        }
        None => {
            let path = data.join("weir.toml");
            let inputs = file::read_if_there(&path)?;
            (path, inputs)
        }
    };
    inputs.overlay(variables);
    inputs.overlay(flags);
    validate::settings(inputs, &path, environment)
}

/// The settings that the text of a configuration file and the environment give.
pub(crate) fn text(
    path: &Path,
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let mut inputs = file::parse(path, text)?;
    inputs.overlay(environment::read(environment)?);
    validate::settings(inputs, path, environment)
}

/// Reads again what a configuration file and the variables say of certificates. Flags say nothing of them.
pub(crate) fn tls_again(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<TlsChoice, ConfigError> {
    let mut inputs = file::read_if_there(path)?;
    inputs.overlay(environment::read(environment)?);
    validate::tls(inputs.tls)
}
