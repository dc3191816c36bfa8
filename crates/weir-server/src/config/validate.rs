//! From inputs to settings.

use std::{
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{ConfigError, Limits, Listen, Listeners, Log, Settings, TlsFiles, file::Fragment};

/// Checks the merged inputs.
pub(super) fn settings(inputs: Fragment) -> Result<Settings, ConfigError> {
    let data = absolute("data", &inputs.data.unwrap_or_else(|| PathBuf::from("weir-data")))?;
    let content = match inputs.content {
        Some(path) => absolute("content", &path)?,
        None => data.join("content"),
    };
    let self_update = inputs.self_update.as_deref().map(|path| absolute("self_update", path)).transpose()?;
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let listen = Listeners {
        client_http: listener("listen.client_http", inputs.listen.client_http, any, 8530)?,
        client_https: listener("listen.client_https", inputs.listen.client_https, any, 8531)?,
        admin: listener("listen.admin", inputs.listen.admin, Ipv4Addr::LOCALHOST.into(), 8540)?,
    };
    if listen.admin == Listen::Off {
        return Err(wrong("listen.admin", "off", "an address: administration cannot be off"));
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
    Ok(Settings { data, content, self_update, listen, tls, tls_names, limits, log, upstream: inputs.upstream })
}

fn wrong(key: &'static str, value: &str, wanted: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, value: value.to_owned(), wanted: wanted.into() }
}

fn absolute(key: &'static str, path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(path)
        .map_err(|error| wrong(key, &path.display().to_string(), format!("a usable path ({error})")))
}

fn listener(key: &'static str, text: Option<String>, host: IpAddr, port: u16) -> Result<Listen, ConfigError> {
    let text = text.unwrap_or_else(|| port.to_string());
    Listen::parse(&text, host).ok_or_else(|| wrong(key, &text, "ADDRESS:PORT, PORT or off"))
}

fn number(key: &'static str, value: Option<u64>, default: u64, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(wrong(key, &value.to_string(), format!("{} to {}", range.start(), range.end())))
    }
}
