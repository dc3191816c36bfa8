//! `weir.toml`, as written.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use weir_model::nearest::nearest;

use super::{ConfigError, Options};

/// Settings as one source gives them; everything may be absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fragment {
    pub(super) data: Option<PathBuf>,
    pub(super) database: DatabaseFragment,
    pub(super) content: Option<PathBuf>,
    pub(super) object_store: ObjectStoreFragment,
    pub(super) self_update: Option<PathBuf>,
    pub(super) listen: ListenFragment,
    pub(super) tls: TlsFragment,
    pub(super) limits: LimitsFragment,
    pub(super) log: LogFragment,
    pub(super) downstream: DownstreamFragment,
    pub(super) reports: ReportsFragment,
    pub(super) backup: BackupFragment,
    pub(super) admin: AdminFragment,
    pub(super) oidc: OidcFragment,
    pub(super) telemetry: TelemetryFragment,
    #[serde(skip)]
    pub(super) upstream: Option<String>,
    #[serde(skip)]
    pub(super) parent: Option<String>,
    #[serde(skip)]
    pub(super) enrol: Option<String>,
    #[serde(skip)]
    pub(super) force: Option<bool>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DatabaseFragment {
    pub(super) url: Option<String>,
    pub(super) password_file: Option<PathBuf>,
}

impl std::fmt::Debug for DatabaseFragment {
    /// Without the address, which may have a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseFragment").field("password_file", &self.password_file).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ObjectStoreFragment {
    pub(super) serve: Option<String>,
    pub(super) signed_seconds: Option<u64>,
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) allow_http: Option<bool>,
    pub(super) credentials_file: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
    pub(super) staging: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReportsFragment {
    pub(super) folder: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BackupFragment {
    pub(super) folder: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminFragment {
    pub(super) client_ca: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OidcFragment {
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) name_claim: Option<String>,
    pub(super) groups_claim: Option<String>,
    pub(super) ca: Option<PathBuf>,
    pub(super) url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DownstreamFragment {
    pub(super) enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListenFragment {
    pub(super) client_http: Option<String>,
    pub(super) client_https: Option<String>,
    pub(super) admin: Option<String>,
    pub(super) server: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsFragment {
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) admin_certificate: Option<PathBuf>,
    pub(super) admin_key: Option<PathBuf>,
    pub(super) names: Option<Vec<String>>,
    pub(super) minimum: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsFragment {
    pub(super) connections: Option<u64>,
    pub(super) header_bytes: Option<u64>,
    pub(super) header_seconds: Option<u64>,
    pub(super) idle_seconds: Option<u64>,
    pub(super) drain_seconds: Option<u64>,
    pub(super) import_bytes: Option<u64>,
    pub(super) content_bytes: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LogFragment {
    pub(super) filter: Option<String>,
    pub(super) format: Option<String>,
    pub(super) slow_ms: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TelemetryFragment {
    pub(super) otlp: Option<String>,
    pub(super) one_in: Option<u64>,
}

/// Every key of the file. A test keeps it in step with [`Fragment`].
pub(super) const KEYS: [&str; 47] = [
    "data",
    "database.url",
    "database.password_file",
    "content",
    "object_store.serve",
    "object_store.signed_seconds",
    "object_store.endpoint",
    "object_store.region",
    "object_store.allow_http",
    "object_store.credentials_file",
    "object_store.ca",
    "object_store.staging",
    "self_update",
    "listen.client_http",
    "listen.client_https",
    "listen.admin",
    "listen.server",
    "downstream.enabled",
    "reports.folder",
    "backup.folder",
    "admin.client_ca",
    "oidc.issuer",
    "oidc.client_id",
    "oidc.client_secret_file",
    "oidc.scopes",
    "oidc.name_claim",
    "oidc.groups_claim",
    "oidc.ca",
    "oidc.url",
    "tls.certificate",
    "tls.key",
    "tls.admin_certificate",
    "tls.admin_key",
    "tls.names",
    "tls.minimum",
    "limits.connections",
    "limits.header_bytes",
    "limits.header_seconds",
    "limits.idle_seconds",
    "limits.drain_seconds",
    "limits.import_bytes",
    "limits.content_bytes",
    "log.filter",
    "log.format",
    "log.slow_ms",
    "telemetry.otlp",
    "telemetry.one_in",
];

impl Fragment {
    /// Takes over what `other` gives.
    pub(super) fn overlay(&mut self, other: Self) {
        fn over<T>(mine: &mut Option<T>, theirs: Option<T>) {
            if theirs.is_some() {
                *mine = theirs;
            }
        }
        over(&mut self.data, other.data);
        over(&mut self.database.url, other.database.url);
        over(&mut self.database.password_file, other.database.password_file);
        over(&mut self.content, other.content);
        over(&mut self.object_store.serve, other.object_store.serve);
        over(&mut self.object_store.signed_seconds, other.object_store.signed_seconds);
        over(&mut self.object_store.endpoint, other.object_store.endpoint);
        over(&mut self.object_store.region, other.object_store.region);
        over(&mut self.object_store.allow_http, other.object_store.allow_http);
        over(&mut self.object_store.credentials_file, other.object_store.credentials_file);
        over(&mut self.object_store.ca, other.object_store.ca);
        over(&mut self.object_store.staging, other.object_store.staging);
        over(&mut self.self_update, other.self_update);
        over(&mut self.upstream, other.upstream);
        over(&mut self.parent, other.parent);
        over(&mut self.enrol, other.enrol);
        over(&mut self.force, other.force);
        over(&mut self.downstream.enabled, other.downstream.enabled);
        over(&mut self.listen.client_http, other.listen.client_http);
        over(&mut self.listen.client_https, other.listen.client_https);
        over(&mut self.listen.admin, other.listen.admin);
        over(&mut self.listen.server, other.listen.server);
        over(&mut self.reports.folder, other.reports.folder);
        over(&mut self.backup.folder, other.backup.folder);
        over(&mut self.admin.client_ca, other.admin.client_ca);
        over(&mut self.oidc.issuer, other.oidc.issuer);
        over(&mut self.oidc.client_id, other.oidc.client_id);
        over(&mut self.oidc.client_secret_file, other.oidc.client_secret_file);
        over(&mut self.oidc.scopes, other.oidc.scopes);
        over(&mut self.oidc.name_claim, other.oidc.name_claim);
        over(&mut self.oidc.groups_claim, other.oidc.groups_claim);
        over(&mut self.oidc.ca, other.oidc.ca);
        over(&mut self.oidc.url, other.oidc.url);
        over(&mut self.tls.certificate, other.tls.certificate);
        over(&mut self.tls.key, other.tls.key);
        over(&mut self.tls.admin_certificate, other.tls.admin_certificate);
        over(&mut self.tls.admin_key, other.tls.admin_key);
        over(&mut self.tls.names, other.tls.names);
        over(&mut self.tls.minimum, other.tls.minimum);
        over(&mut self.log.filter, other.log.filter);
        over(&mut self.log.format, other.log.format);
        over(&mut self.log.slow_ms, other.log.slow_ms);
        over(&mut self.telemetry.otlp, other.telemetry.otlp);
        over(&mut self.telemetry.one_in, other.telemetry.one_in);
        over(&mut self.limits.connections, other.limits.connections);
        over(&mut self.limits.header_bytes, other.limits.header_bytes);
        over(&mut self.limits.header_seconds, other.limits.header_seconds);
        over(&mut self.limits.idle_seconds, other.limits.idle_seconds);
        over(&mut self.limits.drain_seconds, other.limits.drain_seconds);
        over(&mut self.limits.import_bytes, other.limits.import_bytes);
        over(&mut self.limits.content_bytes, other.limits.content_bytes);
    }
}

impl From<&Options> for Fragment {
    fn from(options: &Options) -> Self {
        Self {
            data: options.data.clone(),
            database: DatabaseFragment { url: options.database.clone(), password_file: None },
            content: options.content.clone().map(PathBuf::from),
            object_store: ObjectStoreFragment::default(),
            self_update: None,
            listen: ListenFragment {
                client_http: options.client_http.clone(),
                client_https: options.client_https.clone(),
                admin: options.admin.clone(),
                server: options.server.clone(),
            },
            tls: TlsFragment::default(),
            limits: LimitsFragment::default(),
            log: LogFragment { filter: options.log.clone(), format: options.log_format.clone(), slow_ms: None },
            downstream: DownstreamFragment { enabled: options.downstream.then_some(true) },
            reports: ReportsFragment::default(),
            backup: BackupFragment::default(),
            admin: AdminFragment::default(),
            oidc: OidcFragment::default(),
            telemetry: TelemetryFragment::default(),
            upstream: options.upstream.clone(),
            parent: options.parent.clone(),
            enrol: options.enrol.clone(),
            force: options.force.then_some(true),
        }
    }
}

/// Reads a file that must be there.
pub(super) fn read(path: &Path) -> Result<Fragment, ConfigError> {
    let text = crate::file::small_text(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

/// Reads a file; its absence is an empty one.
pub(super) fn read_if_there(path: &Path) -> Result<Fragment, ConfigError> {
    match crate::file::small_text(path) {
        Ok(text) => parse(path, &text),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Fragment::default()),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

/// Reads the text of a file.
pub(super) fn parse(path: &Path, text: &str) -> Result<Fragment, ConfigError> {
    unknown_key(path, text)?;
    let mut fragment: Fragment = toml::from_str(text).map_err(|error| syntax(path, text, &error))?;
    // relative paths are relative to the file that names them
    let base = path.parent().unwrap_or(Path::new(""));
    let Fragment { data, database, content, object_store, self_update, tls, reports, backup, admin, oidc, .. } =
        &mut fragment;
    let objects = [&mut object_store.credentials_file, &mut object_store.ca, &mut object_store.staging];
    // an address is none of a file
    let content = content.as_mut().filter(|content| !super::validate::is_address(content));
    let certificates = [&mut tls.certificate, &mut tls.key, &mut tls.admin_certificate, &mut tls.admin_key];
    let identity = [&mut admin.client_ca, &mut oidc.client_secret_file, &mut oidc.ca, &mut database.password_file];
    let folders = [data, self_update, &mut reports.folder, &mut backup.folder];
    let paths = folders.into_iter().chain(objects).chain(certificates).chain(identity);
    for value in paths.flatten().chain(content) {
        *value = base.join(&*value);
    }
    Ok(fragment)
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let (line, column) = place(text, error.span().map_or(0, |span| span.start));
    ConfigError::Syntax { path: path.to_owned(), line, column, message: error.message().to_owned() }
}

/// Finds the first key that means nothing, before any value is looked at.
fn unknown_key(path: &Path, text: &str) -> Result<(), ConfigError> {
    let table = toml::de::DeTable::parse(text).map_err(|error| syntax(path, text, &error))?;
    fn walk(table: &toml::de::DeTable<'_>, prefix: &str, found: &mut Vec<(usize, String)>) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            let inside = format!("{name}.");
            let is_table = KEYS.iter().any(|known| known.starts_with(&inside));
            match value.get_ref() {
                toml::de::DeValue::Table(inner) if is_table => walk(inner, &inside, found),
                _ if is_table || KEYS.contains(&name.as_str()) => {}
                _ => found.push((key.span().start, name)),
            }
        }
    }
    let mut found = Vec::new();
    walk(table.get_ref(), "", &mut found);
    let Some((start, key)) = found.into_iter().min() else { return Ok(()) };
    let (line, column) = place(text, start);
    Err(ConfigError::UnknownKey { path: path.to_owned(), line, column, nearest: nearest(&key, KEYS), key })
}

/// Line and column of a byte, from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
