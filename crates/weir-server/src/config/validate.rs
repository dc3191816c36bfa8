//! From inputs to settings.

use std::{
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use weir_model::enrolment::EnrolmentCode;

use super::{ConfigError, Enrol, Limits, Listen, Listeners, Log, Settings, TlsFiles, file::Fragment};

/// Checks the merged inputs.
pub(super) fn settings(inputs: Fragment) -> Result<Settings, ConfigError> {
    let data = absolute("data", &inputs.data.unwrap_or_else(|| PathBuf::from("weir-data")))?;
    let content = match inputs.content {
        Some(path) => absolute("content", &path)?,
        None => data.join("content"),
    };
    let reports = match inputs.reports.folder {
        Some(path) => absolute("reports.folder", &path)?,
        None => data.join("reports"),
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
    let tls = match (inputs.tls.certificate, inputs.tls.key) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        (Some(path), None) => {
            return Err(wrong("tls.key", "", format!("set, since tls.certificate is {}", path.display())));
        }
        (None, Some(path)) => {
            return Err(wrong("tls.certificate", "", format!("set, since tls.key is {}", path.display())));
        }
    };
    let tls_names = inputs.tls.names.unwrap_or_default();
    for name in &tls_names {
        let is_name = (1..=253).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-*:_".contains(&byte));
        if !is_name {
            return Err(wrong("tls.names", name, "host names or addresses"));
        }
    }
    let log = Log {
        filter: inputs.log.filter.unwrap_or_else(|| "info".to_owned()),
        json: match inputs.log.format.as_deref() {
            None | Some("text") => false,
            Some("json") => true,
            Some(other) => return Err(wrong("log.format", other, "text or json")),
        },
    };
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
        content,
        reports,
        self_update,
        listen,
        tls,
        tls_names,
        limits,
        log,
        downstream,
        upstream: inputs.upstream,
        enrol,
    })
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

fn wrong(key: &'static str, value: &str, wanted: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, value: value.to_owned(), wanted: wanted.into() }
}

/// The one listener that is always there.
const ADMIN: &str = "listen.admin";

fn absolute(key: &'static str, path: &Path) -> Result<PathBuf, ConfigError> {
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
