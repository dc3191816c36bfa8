//! Every environment variable, in one list.

use weir_model::nearest::nearest;

use super::{ConfigError, file::Fragment};

/// A variable that overrides `weir.toml`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets, as a key of `weir.toml`; empty for what is no key of it.
    pub key: &'static str,
}

/// All of them.
pub const VARIABLES: [Variable; 51] = [
    Variable { name: "WEIR_DATA", key: "data" },
    Variable { name: "WEIR_CONFIG", key: "" },
    Variable { name: "WEIR_DATABASE", key: "database.url" },
    Variable { name: "WEIR_DATABASE_PASSWORD_FILE", key: "database.password_file" },
    Variable { name: "WEIR_CONTENT", key: "content" },
    Variable { name: "WEIR_OBJECT_STORE_SERVE", key: "object_store.serve" },
    Variable { name: "WEIR_OBJECT_STORE_SIGNED_SECONDS", key: "object_store.signed_seconds" },
    Variable { name: "WEIR_OBJECT_STORE_ENDPOINT", key: "object_store.endpoint" },
    Variable { name: "WEIR_OBJECT_STORE_REGION", key: "object_store.region" },
    Variable { name: "WEIR_OBJECT_STORE_ALLOW_HTTP", key: "object_store.allow_http" },
    Variable { name: "WEIR_OBJECT_STORE_CREDENTIALS_FILE", key: "object_store.credentials_file" },
    Variable { name: "WEIR_OBJECT_STORE_CA", key: "object_store.ca" },
    Variable { name: "WEIR_OBJECT_STORE_STAGING", key: "object_store.staging" },
    Variable { name: "WEIR_SELF_UPDATE", key: "self_update" },
    Variable { name: "WEIR_REPORTS", key: "reports.folder" },
    Variable { name: "WEIR_BACKUPS", key: "backup.folder" },
    Variable { name: "WEIR_CLIENT_HTTP", key: "listen.client_http" },
    Variable { name: "WEIR_CLIENT_HTTPS", key: "listen.client_https" },
    Variable { name: "WEIR_ADMIN", key: "listen.admin" },
    Variable { name: "WEIR_SERVER", key: "listen.server" },
    Variable { name: "WEIR_DOWNSTREAM", key: "downstream.enabled" },
    Variable { name: "WEIR_PARENT", key: "" },
    Variable { name: "WEIR_ENROL", key: "" },
    Variable { name: "WEIR_TLS_CERTIFICATE", key: "tls.certificate" },
    Variable { name: "WEIR_TLS_KEY", key: "tls.key" },
    Variable { name: "WEIR_UPSTREAM", key: "" },
    Variable { name: "WEIR_LOG", key: "log.filter" },
    Variable { name: "WEIR_LOG_FORMAT", key: "log.format" },
    Variable { name: "WEIR_CONNECTIONS", key: "limits.connections" },
    Variable { name: "WEIR_HEADER_BYTES", key: "limits.header_bytes" },
    Variable { name: "WEIR_HEADER_SECONDS", key: "limits.header_seconds" },
    Variable { name: "WEIR_IDLE_SECONDS", key: "limits.idle_seconds" },
    Variable { name: "WEIR_DRAIN_SECONDS", key: "limits.drain_seconds" },
    Variable { name: "WEIR_IMPORT_BYTES", key: "limits.import_bytes" },
    Variable { name: "WEIR_CONTENT_BYTES", key: "limits.content_bytes" },
    Variable { name: "WEIR_TLS_NAMES", key: "tls.names" },
    Variable { name: "WEIR_TLS_ADMIN_CERTIFICATE", key: "tls.admin_certificate" },
    Variable { name: "WEIR_TLS_ADMIN_KEY", key: "tls.admin_key" },
    Variable { name: "WEIR_TLS_MINIMUM", key: "tls.minimum" },
    Variable { name: "WEIR_ADMIN_CLIENT_CA", key: "admin.client_ca" },
    Variable { name: "WEIR_OIDC_ISSUER", key: "oidc.issuer" },
    Variable { name: "WEIR_OIDC_CLIENT_ID", key: "oidc.client_id" },
    Variable { name: "WEIR_OIDC_CLIENT_SECRET_FILE", key: "oidc.client_secret_file" },
    Variable { name: "WEIR_OIDC_SCOPES", key: "oidc.scopes" },
    Variable { name: "WEIR_OIDC_NAME_CLAIM", key: "oidc.name_claim" },
    Variable { name: "WEIR_OIDC_GROUPS_CLAIM", key: "oidc.groups_claim" },
    Variable { name: "WEIR_OIDC_CA", key: "oidc.ca" },
    Variable { name: "WEIR_OIDC_URL", key: "oidc.url" },
    Variable { name: "WEIR_LOG_SLOW_MS", key: "log.slow_ms" },
    Variable { name: "WEIR_TELEMETRY_OTLP", key: "telemetry.otlp" },
    Variable { name: "WEIR_TELEMETRY_ONE_IN", key: "telemetry.one_in" },
];

/// Reads the variables.
pub(super) fn read(environment: &dyn Fn(&str) -> Option<String>) -> Result<Fragment, ConfigError> {
    let mut fragment = Fragment::default();
    let text = |name: &str| environment(name).filter(|value| !value.is_empty());
    let number = |name: &str, key: &'static str| match text(name) {
        Some(value) => match value.parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ConfigError::Value { key, value, wanted: "a whole number".to_owned() }),
        },
        None => Ok(None),
    };
    fragment.data = text("WEIR_DATA").map(Into::into);
    fragment.database.url = text("WEIR_DATABASE");
    fragment.database.password_file = text("WEIR_DATABASE_PASSWORD_FILE").map(Into::into);
    fragment.content = text("WEIR_CONTENT").map(Into::into);
    fragment.self_update = text("WEIR_SELF_UPDATE").map(Into::into);
    fragment.reports.folder = text("WEIR_REPORTS").map(Into::into);
    fragment.backup.folder = text("WEIR_BACKUPS").map(Into::into);
    fragment.upstream = text("WEIR_UPSTREAM");
    fragment.parent = text("WEIR_PARENT");
    fragment.enrol = text("WEIR_ENROL");
    let flag = |name: &str, key: &'static str| match text(name) {
        None => Ok(None),
        Some(value) => match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Some(true)),
            "false" | "no" | "off" | "0" => Ok(Some(false)),
            _ => Err(ConfigError::Value { key, value, wanted: "true or false".to_owned() }),
        },
    };
    fragment.downstream.enabled = flag("WEIR_DOWNSTREAM", "downstream.enabled")?;
    fragment.object_store.serve = text("WEIR_OBJECT_STORE_SERVE");
    fragment.object_store.signed_seconds = number("WEIR_OBJECT_STORE_SIGNED_SECONDS", "object_store.signed_seconds")?;
    fragment.object_store.endpoint = text("WEIR_OBJECT_STORE_ENDPOINT");
    fragment.object_store.region = text("WEIR_OBJECT_STORE_REGION");
    fragment.object_store.allow_http = flag("WEIR_OBJECT_STORE_ALLOW_HTTP", "object_store.allow_http")?;
    fragment.object_store.credentials_file = text("WEIR_OBJECT_STORE_CREDENTIALS_FILE").map(Into::into);
    fragment.object_store.ca = text("WEIR_OBJECT_STORE_CA").map(Into::into);
    fragment.object_store.staging = text("WEIR_OBJECT_STORE_STAGING").map(Into::into);
    fragment.listen.server = text("WEIR_SERVER");
    fragment.listen.client_http = text("WEIR_CLIENT_HTTP");
    fragment.listen.client_https = text("WEIR_CLIENT_HTTPS");
    fragment.listen.admin = text("WEIR_ADMIN");
    fragment.tls.certificate = text("WEIR_TLS_CERTIFICATE").map(Into::into);
    fragment.tls.key = text("WEIR_TLS_KEY").map(Into::into);
    fragment.tls.admin_certificate = text("WEIR_TLS_ADMIN_CERTIFICATE").map(Into::into);
    fragment.tls.admin_key = text("WEIR_TLS_ADMIN_KEY").map(Into::into);
    fragment.tls.minimum = text("WEIR_TLS_MINIMUM");
    let list = |name: &str| text(name).map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    fragment.tls.names = list("WEIR_TLS_NAMES");
    fragment.admin.client_ca = text("WEIR_ADMIN_CLIENT_CA").map(Into::into);
    fragment.oidc.issuer = text("WEIR_OIDC_ISSUER");
    fragment.oidc.client_id = text("WEIR_OIDC_CLIENT_ID");
    fragment.oidc.client_secret_file = text("WEIR_OIDC_CLIENT_SECRET_FILE").map(Into::into);
    fragment.oidc.scopes = list("WEIR_OIDC_SCOPES");
    fragment.oidc.name_claim = text("WEIR_OIDC_NAME_CLAIM");
    fragment.oidc.groups_claim = text("WEIR_OIDC_GROUPS_CLAIM");
    fragment.oidc.ca = text("WEIR_OIDC_CA").map(Into::into);
    fragment.oidc.url = text("WEIR_OIDC_URL");
    fragment.log.filter = text("WEIR_LOG");
    fragment.log.format = text("WEIR_LOG_FORMAT");
    fragment.log.slow_ms = number("WEIR_LOG_SLOW_MS", "log.slow_ms")?;
    fragment.telemetry.otlp = text("WEIR_TELEMETRY_OTLP");
    fragment.telemetry.one_in = number("WEIR_TELEMETRY_ONE_IN", "telemetry.one_in")?;
    fragment.limits.connections = number("WEIR_CONNECTIONS", "limits.connections")?;
    fragment.limits.header_bytes = number("WEIR_HEADER_BYTES", "limits.header_bytes")?;
    fragment.limits.header_seconds = number("WEIR_HEADER_SECONDS", "limits.header_seconds")?;
    fragment.limits.idle_seconds = number("WEIR_IDLE_SECONDS", "limits.idle_seconds")?;
    fragment.limits.drain_seconds = number("WEIR_DRAIN_SECONDS", "limits.drain_seconds")?;
    fragment.limits.import_bytes = number("WEIR_IMPORT_BYTES", "limits.import_bytes")?;
    fragment.limits.content_bytes = number("WEIR_CONTENT_BYTES", "limits.content_bytes")?;
    Ok(fragment)
}

/// Refuses variables of ours that mean nothing (those of container platforms aside), given the names of all variables of the process. `WEIR_URL` and
/// `WEIR_TOKEN` and `WEIR_CA` belong to the command line, `WEIR_SHARED` and those that begin with `WEIR_TEST_` to the tests.
pub fn check<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
    let other = ["WEIR_URL", "WEIR_TOKEN", "WEIR_CA", "WEIR_SHARED", "WEIR_TEST_ENGINE", "WEIR_TEST_POSTGRES"];
    let known = |name: &str| VARIABLES.iter().any(|variable| variable.name == name) || other.contains(&name);
    match names.into_iter().find(|name| name.starts_with("WEIR_") && !known(name) && !is_service(name)) {
        Some(name) => Err(ConfigError::UnknownVariable {
            name: name.to_owned(),
            nearest: nearest(name, VARIABLES.iter().map(|variable| variable.name)),
        }),
        None => Ok(()),
    }
}

/// Whether a container platform sets a variable of this name for a service called `weir`: Kubernetes and Docker links give
/// `WEIR_SERVICE_HOST`, `WEIR_SERVICE_PORT`, `WEIR_SERVICE_PORT_NAME`, `WEIR_PORT` and
/// `WEIR_PORT_8530_TCP[_PROTO|_PORT|_ADDR]`.
pub fn is_service(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("WEIR_") else { return false };
    if matches!(rest, "SERVICE_HOST" | "SERVICE_PORT" | "PORT") {
        return true;
    }
    if let Some(named) = rest.strip_prefix("SERVICE_PORT_") {
        return !named.is_empty();
    }
    let Some((port, rest)) = rest.strip_prefix("PORT_").and_then(|rest| rest.split_once('_')) else { return false };
    let (protocol, part) = rest.split_once('_').map_or((rest, None), |(protocol, part)| (protocol, Some(part)));
    port.parse::<u16>().is_ok()
        && matches!(protocol, "TCP" | "UDP" | "SCTP")
        && part.is_none_or(|part| matches!(part, "PROTO" | "PORT" | "ADDR"))
}
