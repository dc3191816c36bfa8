//! Addresses of databases: `postgres://user:password@host:port/name?sslmode=verify-full`, as libpq takes them.
//!
//! | Parameter | Meaning |
//! |---|---|
//! | `sslmode` | `disable`; `prefer` (the default: TLS if the server has it, its certificate is not checked); `require` (TLS; not checked unless `sslrootcert` is given, then as `verify-ca`); `verify-ca` (of an authority in `sslrootcert`); `verify-full` (and made out to the host). Without meaning for Unix sockets |
//! | `sslrootcert` | file (PEM) with the authorities that are trusted, or `system`: those of the system, for `verify-full`, which takes them also without this |
//! | `sslcert`, `sslkey` | files (PEM) with this side's certificate and key |
//! | `host` | in place of the host before the path: a name, an address, or the folder of a Unix socket (`/run/postgresql`) |
//! | `connect_timeout` | seconds; 10 |
//! | `keepalives_idle`, `keepalives_interval`, `keepalives_count`, `tcp_user_timeout` | 30, 10 and 3; 30: seconds, and probes |
//! | `target_session_attrs` | `any`, or `read-write`, which is what is meant where several hosts are named |
//!
//! And those that `tokio_postgres::Config` lists. Several hosts are tried in their order: `postgres://weir@one,two/weir`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

use crate::StoreError;

/// Where PostgreSQL has its socket on this system, for an address without a host.
const SOCKET: &str = "/var/run/postgresql";
/// Time to connect to one host.
const CONNECT: Duration = Duration::from_secs(10);
/// A connection that is silent so long is asked whether it lives, and how long sent data may stay unacknowledged.
const SILENT: Duration = Duration::from_secs(30);
/// Between two such questions.
const PROBE: Duration = Duration::from_secs(10);
/// So many of them may stay unanswered.
const PROBES: u32 = 3;
/// What the driver takes as silent, if nothing is said of it.
const DRIVER_SILENT: Duration = Duration::from_secs(2 * 60 * 60);

/// How the server's certificate is looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Trust {
    /// Authorities; none: any certificate is taken.
    pub(super) authorities: Option<Authorities>,
    /// The certificate must be made out to the host.
    pub(super) names: bool,
    /// This side's certificate and key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

/// Who may vouch for a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Authorities {
    /// Those in a file.
    File(PathBuf),
    /// Those that the system trusts.
    System,
}

/// A database, and how to reach it. It has the password: nothing prints it whole.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) trust: Trust,
    /// Where it is, without the password.
    pub(super) place: String,
}

impl Address {
    /// Reads an address. The error never has the password.
    pub(super) fn read(url: &str) -> Result<Self, StoreError> {
        read(url).map_err(|why| StoreError::DatabaseAddress { why })
    }
}

/// Whether this names a database of PostgreSQL.
fn is_address(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Where a database is, without the password; for an address that cannot be read, only that.
pub(crate) fn without_password(url: &str) -> String {
    match read(url) {
        Ok(address) => address.place,
        Err(_) => "postgres://(not an address)".to_owned(),
    }
}

fn read(url: &str) -> Result<Address, String> {
    if !is_address(url) {
        return Err("it begins with neither postgres:// nor postgresql://".to_owned());
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut root, mut certificate, mut key) = (None, None, None, None);
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("a parameter has no value")?;
        match name {
            "sslmode" => mode = Some(decode(value)?),
            "sslrootcert" => root = Some(decode(value)?),
            "sslcert" => certificate = Some(PathBuf::from(decode(value)?)),
            "sslkey" => key = Some(PathBuf::from(decode(value)?)),
            // the name of libpq
            "keepalives_count" => others.push(format!("keepalives_retries={value}")),
            _ => others.push(pair.to_owned()),
        }
    }
    let driver = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    let mut config: Config = driver.parse().map_err(|error| driver_words(&error))?;
    let is_split = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
    if base.matches('@').count() > 1 || config.get_hosts().iter().any(is_split) {
        // what follows the first one would be shown as the host
        return Err("an @ in a name or password is written %40".to_owned());
    }
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("sslcert and sslkey are given together, or neither is".to_owned()),
    };
    let (ssl, trust) = transport(mode.as_deref(), root, identity)?;
    config.ssl_mode(ssl);
    complete(&mut config);
    let place = place(&config);
    Ok(Address { config, trust, place })
}

/// What `sslmode` and `sslrootcert` mean together.
fn transport(
    mode: Option<&str>,
    root: Option<String>,
    identity: Option<(PathBuf, PathBuf)>,
) -> Result<(SslMode, Trust), String> {
    let given = match root.as_deref() {
        None | Some("") => None,
        Some("system") => Some(Authorities::System),
        Some(file) => Some(Authorities::File(file.into())),
    };
    let by_system = given == Some(Authorities::System);
    let (ssl, authorities, names) = match mode {
        None if by_system => (SslMode::Require, given, true),
        Some("disable") => (SslMode::Disable, None, false),
        Some("verify-full") => (SslMode::Require, given.or(Some(Authorities::System)), true),
        Some(weak) if by_system => {
            return Err(format!("sslmode={weak} is too weak for sslrootcert=system; give sslmode=verify-full"));
        }
        None | Some("prefer") => (SslMode::Prefer, given, false),
        Some("require") => (SslMode::Require, given, false),
        Some("verify-ca") if given.is_none() => {
            return Err("sslmode=verify-ca needs sslrootcert, the file with the authorities".to_owned());
        }
        Some("verify-ca") => (SslMode::Require, given, false),
        Some(other) => {
            return Err(format!("sslmode is {other:?}, and not disable, prefer, require, verify-ca or verify-full"));
        }
    };
    Ok((ssl, Trust { authorities, names, identity }))
}

/// What the address leaves open.
fn complete(config: &mut Config) {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host(if Path::new(SOCKET).is_dir() { SOCKET } else { "localhost" });
    }
    #[cfg(unix)]
    if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) && config.get_hostaddrs().is_empty() {
        // there is none on a Unix socket, whatever was asked for
        config.ssl_mode(SslMode::Disable);
    }
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        // of a server and its standby, the one that can be written to
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if config.get_application_name().is_none() {
        config.application_name("weir");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_keepalives_idle() == DRIVER_SILENT {
        config.keepalives_idle(SILENT);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(PROBE);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(PROBES);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENT);
    }
}

/// The database in words, without the password.
fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |at: usize| match ports.get(at).or(ports.first()) {
        None | Some(5432) => String::new(),
        Some(port) => format!(":{port}"),
    };
    let mut hosts = Vec::new();
    for (at, host) in config.get_hosts().iter().enumerate() {
        hosts.push(match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]{}", port(at)),
            Host::Tcp(name) => format!("{name}{}", port(at)),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}{}", folder.display(), port(at)),
        });
    }
    if hosts.is_empty() {
        hosts = config.get_hostaddrs().iter().enumerate().map(|(at, ip)| format!("{ip}{}", port(at))).collect();
    }
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{user}{}/{name}", hosts.join(","))
}

/// What the driver says of an address. It names parameters, never values.
fn driver_words(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Bytes written as `%2F`.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit(), digit());
        let (Some(high), Some(low)) = (high, low) else { return Err("a % is not followed by two digits".to_owned()) };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| "a parameter is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        read(url).unwrap_or_else(|why| panic!("{url}: {why}"))
    }

    fn refusal(url: &str) -> String {
        match read(url) {
            Ok(address) => panic!("{url}: {}", address.place),
            Err(why) => why,
        }
    }

    #[test]
    fn the_password_is_in_no_words() {
        for (url, place) in [
            ("postgres://weir:s3cret@db.example/weir", "postgres://weir@db.example/weir"),
            ("postgresql://weir:s3cret@db.example:5433/weir?sslmode=disable", "postgres://weir@db.example:5433/weir"),
            ("postgres://weir@one,two:6000/weir?password=s3cret", "postgres://weir@one,two:6000/weir"),
            ("postgres://weir:s3cret@[2001:db8::1]:5433/weir", "postgres://weir@[2001:db8::1]:5433/weir"),
            ("postgres:///weir?host=/tmp/s&user=weir&password=s3cret&port=6000", "postgres://weir@/tmp/s:6000/weir"),
            ("postgres://weir:s3%40cret@%2Ftmp%2Fs/weir", "postgres://weir@/tmp/s/weir"),
            ("postgres://weir:s3cret@h", "postgres://weir@h/weir"),
        ] {
            assert_eq!(address(url).place, place);
            assert_eq!(without_password(url), place);
            let options = crate::Options { database: Some(url.to_owned()), ..crate::Options::default() };
            let shown = format!("{options:?}");
            assert!(shown.contains(place) && !shown.contains("s3"), "{shown}");
        }
        for wrong in [
            "postgres://weir:s3cret@h:port/weir",
            "mysql://weir:s3cret@h/weir",
            "s3cret",
            "postgres://u:s3cret@[h",
            "postgres://u:p@s3cret@h/weir",
            "postgres://u:p@x/s3cret@h/weir",
            "postgres://u:s3cret",
        ] {
            assert!(!refusal(wrong).contains("s3cret") && !without_password(wrong).contains("s3cret"), "{wrong}");
        }
    }

    #[test]
    fn a_password_may_have_any_character() {
        assert_eq!(address("postgres://weir:a%40b%3Ac%2F@h/weir").config.get_password(), Some("a@b:c/".as_bytes()));
    }

    #[test]
    fn modes_of_tls_are_those_of_libpq() {
        let file = || Some(Authorities::File("/etc/ca.pem".into()));
        for (query, ssl, authorities, names) in [
            ("", SslMode::Prefer, None, false),
            ("?sslmode=prefer", SslMode::Prefer, None, false),
            ("?sslmode=disable", SslMode::Disable, None, false),
            ("?sslmode=require", SslMode::Require, None, false),
            ("?sslmode=require&sslrootcert=%2Fetc%2Fca.pem", SslMode::Require, file(), false),
            ("?sslrootcert=/etc/ca.pem&sslmode=verify-ca", SslMode::Require, file(), false),
            ("?sslmode=verify-full&sslrootcert=/etc/ca.pem", SslMode::Require, file(), true),
            ("?sslmode=verify-full", SslMode::Require, Some(Authorities::System), true),
            ("?sslrootcert=system", SslMode::Require, Some(Authorities::System), true),
        ] {
            let address = address(&format!("postgres://weir@h/weir{query}"));
            assert_eq!(address.config.get_ssl_mode(), ssl, "{query}");
            assert_eq!(address.trust, Trust { authorities, names, identity: None }, "{query}");
        }
        let identity = address("postgres://weir@h/weir?sslcert=/c.pem&sslkey=/k.pem").trust.identity;
        assert_eq!(identity, Some(("/c.pem".into(), "/k.pem".into())));
        for wrong in [
            "?sslmode=allow",
            "?sslmode=verify-ca",
            "?sslmode=require&sslrootcert=system",
            "?sslcert=/c.pem",
            "?sslmode",
            "?sslmode=%4",
            "?colour=red",
        ] {
            refusal(&format!("postgres://weir@h/weir{wrong}"));
        }
    }

    #[test]
    fn what_is_left_open_is_filled_in() {
        let plain = address("postgres://weir@h/weir").config;
        assert_eq!(plain.get_application_name(), Some("weir"));
        assert_eq!(plain.get_connect_timeout(), Some(&CONNECT));
        assert_eq!((plain.get_keepalives_idle(), plain.get_keepalives_interval()), (SILENT, Some(PROBE)));
        assert_eq!(plain.get_target_session_attrs(), TargetSessionAttrs::Any);
        let said = address("postgres://weir@h,i/weir?connect_timeout=3&application_name=a&keepalives_count=9").config;
        assert_eq!(
            (said.get_connect_timeout(), said.get_application_name()),
            (Some(&Duration::from_secs(3)), Some("a"))
        );
        assert_eq!(said.get_keepalives_retries(), Some(9));
        assert_eq!(said.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        let nowhere = address("postgres:///weir").config;
        assert_eq!(nowhere.get_hosts().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn there_is_no_tls_on_a_unix_socket() {
        let socket = address("postgres:///weir?host=/tmp/s&sslmode=require").config;
        assert_eq!(socket.get_ssl_mode(), SslMode::Disable);
    }
}
