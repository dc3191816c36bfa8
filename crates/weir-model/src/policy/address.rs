//! The address at which computers reach an update server.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// `http://HOST:PORT` or `https://HOST:PORT`, as the policy "Specify intranet Microsoft update service location" takes it.
/// Hosts are kept in lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    tls: bool,
    host: String,
    port: u16,
}

/// Why a text is no such address. Each says what is wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// Not a host name.
    #[error("its host is no name or address")]
    Host,
    /// A path, a query, or a slash at the end.
    #[error("something follows the port; an agent adds its own paths, so that it must end there")]
    Path,
    /// No port.
    #[error("it names no port; agents would take 80 or 443, where no update server is by default")]
    NoPort,
    /// Not a port.
    #[error("its port is not from 1 to 65535")]
    Port,
    /// Neither.
    #[error("it begins neither with http:// nor with https://")]
    Scheme,
    /// A name and a password.
    #[error("it names a user")]
    User,
}

impl Address {
    /// An address.
    pub fn new(tls: bool, host: &str, port: u16) -> Result<Self, AddressError> {
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(AddressError::Host);
        }
        if port == 0 {
            return Err(AddressError::Port);
        }
        Ok(Self { tls, host, port })
    }

    /// Whether it is an https address.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Its host, an address of version 6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether only the machine itself reaches it.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || self.host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The same host, by name or by its first label: `wsus` and `wsus.example.org` may be one machine.
    pub fn may_be_same_host(&self, other: &Self) -> bool {
        let short = |host: &str| host.split('.').next().unwrap_or_default().to_owned();
        let named = |host: &str| host.parse::<Ipv4Addr>().is_err() && !host.contains(':');
        self.host == other.host
            || (named(&self.host)
                && named(&other.host)
                && short(&self.host) == short(&other.host)
                && self.host.contains('.') != other.host.contains('.'))
    }
}

fn is_host(host: &str) -> bool {
    if host.contains(':') {
        return host.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let after = |scheme: &str| match text.split_at_checked(scheme.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(scheme) => Some(rest),
            _ => None,
        };
        let (tls, rest) = match (after("https://"), after("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(AddressError::Scheme),
        };
        let end = rest.find(['/', '\\', '?', '#']);
        let authority = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        if authority.contains('@') {
            return Err(AddressError::User);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(AddressError::Host)?;
                if !host.contains(':') {
                    return Err(AddressError::Host);
                }
                match (rest, rest.strip_prefix(':')) {
                    ("", _) => (host, None),
                    (_, Some(port)) => (host, Some(port)),
                    _ => return Err(AddressError::Host),
                }
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        // an address of version 6 without brackets has a colon in its port
        let port = match port {
            Some(port) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().map_err(|_| AddressError::Port)?
            }
            Some(_) => return Err(AddressError::Port),
            None => {
                Self::new(tls, host, 1)?;
                return Err(AddressError::NoPort);
            }
        };
        let address = Self::new(tls, host, port)?;
        if end.is_some() { Err(AddressError::Path) } else { Ok(address) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn addresses_are_read_and_what_is_wrong_is_named() {
        for (text, shown) in [
            ("http://wsus:8530", "http://wsus:8530"),
            ("HTTPS://WSUS.Example.ORG:8531", "https://wsus.example.org:8531"),
            ("http://10.0.0.1:80", "http://10.0.0.1:80"),
            ("https://[FE80::1]:8531", "https://[fe80::1]:8531"),
            ("http://under_score:8530", "http://under_score:8530"),
        ] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), shown);
        }
        for (text, why) in [
            ("wsus:8530", AddressError::Scheme),
            ("ftp://wsus:8530", AddressError::Scheme),
            ("", AddressError::Scheme),
            ("http://wsus", AddressError::NoPort),
            ("http://[::1]", AddressError::NoPort),
            ("http://wsus/", AddressError::NoPort),
            ("http://wsus:0", AddressError::Port),
            ("http://wsus:65536", AddressError::Port),
            ("http://wsus:", AddressError::Port),
            ("http://::1:80", AddressError::Host),
            ("http://wsus:8530/", AddressError::Path),
            ("http://wsus:8530/Content", AddressError::Path),
            ("http://wsus:8530?x", AddressError::Path),
            ("http://user:secret@wsus:8530", AddressError::User),
            ("http://:8530", AddressError::Host),
            ("http://a b:8530", AddressError::Host),
            ("http://-a:8530", AddressError::Host),
            ("http://[a]:8530", AddressError::Host),
            ("http://a..b:8530", AddressError::Host),
        ] {
            assert_eq!(text.parse::<Address>(), Err(why), "{text}");
        }
    }

    #[test]
    fn one_machine_is_known_by_its_short_name() {
        let address = |text: &str| text.parse::<Address>().expect(text);
        let full = address("https://wsus.example.org:8531");
        assert!(full.may_be_same_host(&address("http://wsus:8530")));
        assert!(full.may_be_same_host(&address("http://WSUS.example.org:8530")));
        assert!(!full.may_be_same_host(&address("http://wsus.example.net:8530")));
        assert!(!address("http://10.0.0.1:1").may_be_same_host(&address("http://10.0.0.2:1")));
        assert!(address("http://127.0.0.2:1").is_loopback() && address("http://[::1]:1").is_loopback());
        assert!(address("http://localhost:1").is_loopback() && !full.is_loopback());
    }
}
