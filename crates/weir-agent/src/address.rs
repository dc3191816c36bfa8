//! Where a server or a file is: `http` and `https` addresses.

use std::fmt;

/// An address, split.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Host name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
}

/// Why a text is no address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no address of a server: {why}; it looks like http://updates.example.com:8530")]
pub struct AddressError {
    text: String,
    why: &'static str,
}

impl Address {
    /// Reads an address. User names are refused, fragments dropped.
    ///
    /// # Errors
    ///
    /// It is none, or of another scheme.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = |why| AddressError { text: text.chars().take(200).collect(), why };
        let scheme = |name: &str| {
            let (head, rest) = text.trim().split_once("://")?;
            head.eq_ignore_ascii_case(name).then_some(rest)
        };
        let (tls, rest) = match (scheme("http"), scheme("https")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(wrong("it begins with neither http:// nor https://")),
        };
        if rest.chars().any(|character| character.is_control() || character == ' ' || !character.is_ascii()) {
            return Err(wrong("it holds characters that addresses must not have"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if authority.contains('@') {
            return Err(wrong("it holds a user name"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or_else(|| wrong("a bracket is missing"))?;
                (host, rest.strip_prefix(':'))
            }
            None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let port = match port {
            Some(text) => text.parse().map_err(|_| wrong("its port is no number up to 65535"))?,
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
        };
        Ok(Self { tls, host: host.to_ascii_lowercase(), port, path })
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Scheme, host and port: what a server is known by.
    pub fn server(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.server(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split_and_written_again() {
        for (text, written) in [
            ("http://updates:8530", "http://updates:8530/"),
            ("HTTPS://Updates.example.com/a/b?c#d", "https://updates.example.com/a/b?c"),
            ("http://[::1]:80/x", "http://[::1]/x"),
            ("http://[::1]", "http://[::1]/"),
            ("http://h?x", "http://h/?x"),
        ] {
            assert_eq!(Address::parse(text).expect(text).to_string(), written);
        }
        for wrong in [
            "",
            "updates",
            "ftp://h",
            "http://",
            "http://h:99999",
            "http://u@h",
            "http://[::1",
            "http://h/ä",
            "http://h/a b",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
