//! From inputs to settings.

use std::{
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use weir_model::{enrolment::EnrolmentCode, tls::Minimum};
use weir_store::content::objects::{Address, Place};

use super::{
    ConfigError, Enrol, Limits, Listen, Listeners, Log, Oidc, Settings, TlsChoice, TlsFiles, Traces, database,
    file::{Fragment, ObjectStoreFragment, OidcFragment, TelemetryFragment, TlsFragment},
};

/// Checks the merged inputs; `path` is the file that some are from, `environment` looks up a variable.
pub(super) fn settings(
    inputs: Fragment,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let data = absolute("data", &inputs.data.unwrap_or_else(|| PathBuf::from("weir-data")))?;
    let database = database::read(inputs.database, environment)?;
    let (content, objects) = content(inputs.content, inputs.object_store, &data)?;
    let reports = match inputs.reports.folder {
        Some(path) => absolute("reports.folder", &path)?,
        None => data.join("reports"),
    };
    let backups = match inputs.backup.folder {
        Some(path) => absolute("backup.folder", &path)?,
        None => data.join("backups"),
    };
    let self_update = inputs.self_update.as_deref().map(|path| absolute("self_update", path)).transpose()?;
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let listen = Listeners {
        client_http: listener("listen.client_http", inputs.listen.client_http, any, 8530)?,
        client_https: listener("listen.client_https", inputs.listen.client_https, any, 8531)?,
        admin: listener(ADMIN, inputs.listen.admin, Ipv4Addr::LOCALHOST.into(), 8540)?,
        server: match inputs.listen.server {
            None => None,
            Some(text) => match Listen::parse(&text, any) {
                Some(Listen::At(address)) => Some(address),
                Some(Listen::Off) => None,
                None => return Err(wrong("listen.server", &text, "ADDRESS:PORT, PORT or off")),
            },
        },
    };
    if listen.admin == Listen::Off {
        return Err(wrong(ADMIN, "off", "ADDRESS:PORT or PORT: administration cannot be off"));
    }
    let TlsChoice { client, admin, names, minimum } = tls(inputs.tls)?;
    let log = Log {
        filter: inputs.log.filter.unwrap_or_else(|| "info".to_owned()),
        json: match inputs.log.format.as_deref() {
            None | Some("text") => false,
            Some("json") => true,
            Some(other) => return Err(wrong("log.format", other, "text or json")),
        },
        slow: match number("log.slow_ms", inputs.log.slow_ms, SLOW_MS, 0..=3_600_000)? {
            0 => None,
            milliseconds => Some(Duration::from_millis(milliseconds)),
        },
    };
    let traces = traces(inputs.telemetry)?;
    let given = inputs.limits;
    let default = Limits::default();
    let seconds = |key, value: Option<u64>, default: Duration, range| {
        number(key, value, default.as_secs(), range).map(Duration::from_secs)
    };
    let limits = Limits {
        connections: number("limits.connections", given.connections, default.connections as u64, 16..=1_000_000)?
            as usize,
        header_bytes: number("limits.header_bytes", given.header_bytes, default.header_bytes as u64, 8_192..=1 << 20)?
            as usize,
        header_time: seconds("limits.header_seconds", given.header_seconds, default.header_time, 1..=300)?,
        idle_time: seconds("limits.idle_seconds", given.idle_seconds, default.idle_time, 31..=3_600)?,
        drain_time: seconds("limits.drain_seconds", given.drain_seconds, default.drain_time, 0..=600)?,
        import_bytes: number("limits.import_bytes", given.import_bytes, default.import_bytes, 1 << 20..=1 << 40)?,
        content_bytes: number("limits.content_bytes", given.content_bytes, default.content_bytes, 1 << 20..=1 << 44)?,
    };
    if let Some(source) = &inputs.upstream {
        if crate::admin::setting::parse_source(source).is_none() {
            return Err(wrong("upstream", source, crate::admin::setting::SOURCE_VALUES));
        }
    }
    let client_ca = inputs.admin.client_ca.as_deref().map(|path| absolute("admin.client_ca", path)).transpose()?;
    let oidc = oidc(inputs.oidc)?;
    let enrol = enrol(inputs.enrol, inputs.parent, inputs.force.unwrap_or_default())?;
    if enrol.is_some() && inputs.upstream.is_some() {
        return Err(wrong(
            "upstream",
            inputs.upstream.as_deref().unwrap_or_default(),
            "absent: the parent is the source",
        ));
    }
    let downstream = inputs.downstream.enabled.unwrap_or_default() || listen.server.is_some();
    Ok(Settings {
        data,
        database,
        content,
        objects,
        reports,
        backups,
        self_update,
        listen,
        file: absolute("config", path)?,
        tls: client,
        tls_admin: admin,
        tls_names: names,
        tls_minimum: minimum,
        client_ca,
        oidc,
        limits,
        log,
        traces,
        downstream,
        upstream: inputs.upstream,
        enrol,
    })
}

/// The collector of traces; none if nothing is said of one.
fn traces(given: TelemetryFragment) -> Result<Option<Traces>, ConfigError> {
    let one_in = number("telemetry.one_in", given.one_in, ONE_IN, 1..=1_000_000_000)?;
    let Some(base) = given.otlp else { return Ok(None) };
    let url = base.parse::<http::Uri>().ok().filter(|url| url.host().is_some_and(|host| !host.is_empty()));
    // it is logged, so it holds no password
    let is_address = url.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.query().is_none())
        && !base.contains('@');
    if !is_address {
        return Err(wrong("telemetry.otlp", &base, "the address of a collector, as http://HOST:4318"));
    }
    // as the specification of the protocol has it for an address of all signals
    Ok(Some(Traces { url: format!("{}/v1/traces", base.trim_end_matches('/')), one_in }))
}

/// Whether it is an address such as `s3://BUCKET` and no path.
pub(super) fn is_address(content: &Path) -> bool {
    content.to_str().is_some_and(|text| text.contains("://"))
}

/// The content folder, and the object store if whole files are there.
fn content(
    given: Option<PathBuf>,
    objects: ObjectStoreFragment,
    data: &Path,
) -> Result<(PathBuf, Option<Place>), ConfigError> {
    let Some(path) = given else { return Ok((data.join("content"), None)) };
    if !is_address(&path) {
        return Ok((absolute("content", &path)?, None));
    }
    let text = path.display().to_string();
    if let Some(folder) = text.strip_prefix("file://") {
        // file:///srv/content: nothing stands between the slashes
        if !folder.starts_with('/') {
            return Err(wrong("content", &text, "file:///FOLDER, with the whole path of a folder of this machine"));
        }
        return Ok((absolute("content", Path::new(folder))?, None));
    }
    let wanted =
        "a folder, or s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX of letters, digits, -, _ and .";
    let address = Address::parse(&text).ok_or_else(|| wrong("content", &text, wanted))?;
    let allow_http = objects.allow_http.unwrap_or_default();
    if let Some(endpoint) = &objects.endpoint {
        let url = endpoint.parse::<http::Uri>().ok().filter(|url| url.host().is_some_and(|host| !host.is_empty()));
        // what the store answers is shown and logged with its address, so it holds no secret
        let url = url.filter(|url| url.query().is_none() && !endpoint.contains('@'));
        match url.as_ref().and_then(http::Uri::scheme_str) {
            Some("https") => {}
            Some("http") if allow_http => {}
            _ => {
                let wanted = "https://HOST, or http://HOST with object_store.allow_http, without user and password";
                return Err(wrong("object_store.endpoint", endpoint, wanted));
            }
        }
    }
    let life = number("object_store.signed_seconds", objects.signed_seconds, SIGNED, 300..=7 * 24 * 3_600)?;
    let redirect = match objects.serve.as_deref() {
        None | Some("proxy") => None,
        Some("redirect") => Some(Duration::from_secs(life)),
        Some(other) => return Err(wrong("object_store.serve", other, "proxy or redirect")),
    };
    let file = |key, path: Option<PathBuf>| path.as_deref().map(|path| absolute(key, path)).transpose();
    let place = Place {
        address,
        endpoint: objects.endpoint,
        region: objects.region,
        allow_http,
        credentials: file("object_store.credentials_file", objects.credentials_file)?,
        authorities: file("object_store.ca", objects.ca)?,
        redirect,
    };
    let staging = file("object_store.staging", objects.staging)?.unwrap_or_else(|| data.join("content"));
    Ok((staging, Some(place)))
}

/// What is said of certificates.
pub(super) fn tls(inputs: TlsFragment) -> Result<TlsChoice, ConfigError> {
    let client = pair(["tls.certificate", "tls.key"], inputs.certificate, inputs.key)?;
    let admin = pair(["tls.admin_certificate", "tls.admin_key"], inputs.admin_certificate, inputs.admin_key)?;
    let names = inputs.names.unwrap_or_default();
    for name in &names {
        let is_name = (1..=253).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-*:_".contains(&byte));
        if !is_name {
            return Err(wrong("tls.names", name, "host names or addresses"));
        }
    }
    let minimum = match inputs.minimum.as_deref() {
        None => Minimum::default(),
        Some(text) => Minimum::read(text)
            .ok_or_else(|| wrong("tls.minimum", text, "1.2 or 1.3; older versions are not spoken"))?,
    };
    Ok(TlsChoice { client, admin, names, minimum })
}

fn pair(
    [certificate_key, key_key]: [&'static str; 2],
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<TlsFiles>, ConfigError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(path), None) => Err(wrong(key_key, "", format!("set, since {certificate_key} is {}", path.display()))),
        (None, Some(path)) => Err(wrong(certificate_key, "", format!("set, since {key_key} is {}", path.display()))),
    }
}

/// A provider of OpenID Connect; none if nothing is said of one.
fn oidc(given: OidcFragment) -> Result<Option<Oidc>, ConfigError> {
    let OidcFragment { issuer, client_id, client_secret_file, scopes, name_claim, groups_claim, ca, url } = given;
    let (issuer, client_id) = match (issuer, client_id) {
        (Some(issuer), Some(client_id)) => (issuer, client_id),
        (None, None) if client_secret_file.is_none() && ca.is_none() && url.is_none() => return Ok(None),
        (None, _) => return Err(wrong("oidc.issuer", "", "set: the issuer of the provider, as https://HOST/PATH")),
        (Some(_), None) => return Err(wrong("oidc.client_id", "", "set: what the provider knows this server by")),
    };
    let address = |key, text: &str| {
        let read = text.parse::<http::Uri>().ok().filter(|url| url.host().is_some_and(|host| !host.is_empty()));
        match read.as_ref().and_then(http::Uri::scheme_str) {
            Some("https") => Ok(()),
            _ => Err(wrong(key, text, "an https address: who listens in could sign in as anybody")),
        }
    };
    address("oidc.issuer", &issuer)?;
    if let Some(url) = &url {
        address("oidc.url", url)?;
    }
    let scopes = scopes.unwrap_or_else(|| vec!["profile".to_owned()]);
    if let Some(scope) =
        scopes.iter().find(|scope| scope.is_empty() || !scope.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Err(wrong("oidc.scopes", scope, "words without blanks"));
    }
    Ok(Some(Oidc {
        issuer,
        client_id,
        client_secret_file: client_secret_file
            .as_deref()
            .map(|path| absolute("oidc.client_secret_file", path))
            .transpose()?,
        scopes,
        name_claim: name_claim.unwrap_or_else(|| "preferred_username".to_owned()),
        groups_claim: groups_claim.unwrap_or_else(|| "groups".to_owned()),
        ca: ca.as_deref().map(|path| absolute("oidc.ca", path)).transpose()?,
        url: url.map(|url| url.trim_end_matches('/').to_owned()),
    }))
}

/// The code, and the address that it must agree with.
fn enrol(code: Option<String>, parent: Option<String>, force: bool) -> Result<Option<Enrol>, ConfigError> {
    if code.is_none() && parent.is_none() {
        return Ok(None);
    }
    // the code itself is a secret, also in messages
    let code = code.map(|code| EnrolmentCode::decode(&code)).transpose();
    let code = code.map_err(|error| wrong("enrol", "...", format!("a code: {error}")))?;
    let parent = parent.map(|text| text.trim().trim_end_matches('/').to_owned());
    if let Some(parent) = &parent {
        let url = parent.parse::<http::Uri>().ok().filter(|url| url.host().is_some_and(|host| !host.is_empty()));
        match url.as_ref().and_then(http::Uri::scheme_str) {
            Some("https") => {}
            Some("http") => {
                return Err(wrong("parent", parent, "an https address: a code is never sent over plain HTTP"));
            }
            _ => return Err(wrong("parent", parent, "https://HOST:PORT")),
        }
    }
    Ok(Some(Enrol { code, parent, force }))
}

pub(super) fn wrong(key: &'static str, value: &str, wanted: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, value: value.to_owned(), wanted: wanted.into() }
}

/// From so many milliseconds on a request is slow: a person would notice.
const SLOW_MS: u64 = 2_000;
/// One of so many requests is traced.
const ONE_IN: u64 = 100;
/// Seconds that a signed address is good for, unless others are set: what a slow line needs for the largest of files.
const SIGNED: u64 = 24 * 3_600;

/// The one listener that is always there.
const ADMIN: &str = "listen.admin";

pub(super) fn absolute(key: &'static str, path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(path)
        .map_err(|error| wrong(key, &path.display().to_string(), format!("a usable path ({error})")))
}

fn listener(key: &'static str, text: Option<String>, host: IpAddr, port: u16) -> Result<Listen, ConfigError> {
    let text = text.unwrap_or_else(|| port.to_string());
    let wanted = if key == ADMIN { "ADDRESS:PORT or PORT" } else { "ADDRESS:PORT, PORT or off" };
    Listen::parse(&text, host).ok_or_else(|| wrong(key, &text, wanted))
}

fn number(key: &'static str, value: Option<u64>, default: u64, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(wrong(key, &value.to_string(), format!("{} to {}", range.start(), range.end())))
    }
}
