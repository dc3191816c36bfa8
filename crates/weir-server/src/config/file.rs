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
    pub(super) content: Option<PathBuf>,
    pub(super) self_update: Option<PathBuf>,
    pub(super) listen: ListenFragment,
    pub(super) tls: TlsFragment,
    pub(super) limits: LimitsFragment,
    pub(super) log: LogFragment,
    pub(super) downstream: DownstreamFragment,
    pub(super) reports: ReportsFragment,
    #[serde(skip)]
    pub(super) upstream: Option<String>,
    #[serde(skip)]
    pub(super) parent: Option<String>,
    #[serde(skip)]
    pub(super) enrol: Option<String>,
    #[serde(skip)]
    pub(super) force: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReportsFragment {
    pub(super) folder: Option<PathBuf>,
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
    pub(super) names: Option<Vec<String>>,
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
}

/// Every key of the file. A test keeps it in step with [`Fragment`].
pub(super) const KEYS: [&str; 21] = [
    "data",
    "content",
    "self_update",
    "listen.client_http",
    "listen.client_https",
    "listen.admin",
    "listen.server",
    "downstream.enabled",
    "reports.folder",
    "tls.certificate",
    "tls.key",
    "tls.names",
    "limits.connections",
    "limits.header_bytes",
    "limits.header_seconds",
    "limits.idle_seconds",
    "limits.drain_seconds",
    "limits.import_bytes",
    "limits.content_bytes",
    "log.filter",
    "log.format",
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
        over(&mut self.content, other.content);
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
        over(&mut self.tls.certificate, other.tls.certificate);
        over(&mut self.tls.key, other.tls.key);
        over(&mut self.tls.names, other.tls.names);
        over(&mut self.log.filter, other.log.filter);
        over(&mut self.log.format, other.log.format);
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
            content: None,
            self_update: None,
            listen: ListenFragment {
                client_http: options.client_http.clone(),
                client_https: options.client_https.clone(),
                admin: options.admin.clone(),
                server: options.server.clone(),
            },
            tls: TlsFragment::default(),
            limits: LimitsFragment::default(),
            log: LogFragment { filter: options.log.clone(), format: options.log_format.clone() },
            downstream: DownstreamFragment { enabled: options.downstream.then_some(true) },
            reports: ReportsFragment::default(),
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
    let Fragment { data, content, self_update, tls, reports, .. } = &mut fragment;
    let paths = [data, content, self_update, &mut tls.certificate, &mut tls.key, &mut reports.folder];
    for value in paths.into_iter().flatten() {
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
