//! Certificates and handshakes, as far as they matter for a client.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;

use super::Minimum;

/// The key of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// ECDSA on P-256.
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// ECDSA on P-521.
    EcP521,
    /// Ed25519.
    Ed25519,
    /// RSA with so many bits.
    Rsa(u32),
    /// Another one.
    Other,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("ECDSA P-256"),
            Self::EcP384 => f.write_str("ECDSA P-384"),
            Self::EcP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Other => f.write_str("another kind of key"),
        }
    }
}

/// How a certificate is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signature {
    /// Ed25519.
    Ed25519,
    /// Another way.
    Other,
    /// RSA with the padding PSS.
    Pss,
    /// ECDSA or RSA over SHA-256, SHA-384 or SHA-512.
    Sha2,
    /// Over MD5 or SHA-1.
    Weak,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::Other => "another kind of signature",
            Self::Pss => "RSA-PSS",
            Self::Sha2 => "SHA-2",
            Self::Weak => "SHA-1 or MD5",
        })
    }
}

/// A certificate as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFacts {
    /// Whose it is, as text.
    pub subject: String,
    /// Who signed it, as text.
    pub issuer: String,
    /// It names itself as its issuer: a root, or a certificate that nobody else signed.
    pub self_issued: bool,
    /// Whether its issuer is whom the certificate behind it is of; none for the last one.
    pub issued_by_next: Option<bool>,
    /// DNS names that it is for, lower case; the first label may be `*`.
    pub names: Vec<String>,
    /// Addresses that it is for.
    pub addresses: Vec<IpAddr>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Its key.
    pub key: Key,
    /// How it is signed.
    pub signature: Signature,
    /// It may sign others.
    pub authority: bool,
    /// It may be shown by servers.
    pub for_servers: bool,
    /// Where lists of what was revoked, or answers about it, are found.
    pub revocation: Vec<String>,
    /// SHA-256 of the whole, lower-case digits.
    pub fingerprint: String,
}

impl CertificateFacts {
    /// Whether it is for a host, as RFC 9525 compares: `*` stands for one whole label.
    pub fn covers(&self, host: &str) -> bool {
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(rest) => host.split_once('.').is_some_and(|(first, behind)| !first.is_empty() && behind == rest),
            None => *name == host,
        })
    }
}

/// What the chain that a server shows ends in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// It cannot be followed: a signature is wrong, or a certificate may not sign. In words why.
    Broken(String),
    /// The root that was given for the check.
    Given,
    /// Not in the root that was given: a certificate between is missing, or it is another root.
    NotGiven,
    /// This server's own authority.
    Own,
    /// A root that the server shows itself, which is known to nobody by that.
    Shown,
    /// A root that the system of this server knows.
    System,
    /// Not in what is known here; whom the last certificate names as its issuer is not shown.
    Unknown,
}

/// What was seen of one address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// The host of the address that was tried.
    pub host: String,
    /// Hosts, with TLS, that policy names to computers.
    pub policy_hosts: Vec<String>,
    /// No listener of this server has the port: something in front of it may.
    pub foreign_port: bool,
    /// For computers; else for administrators or servers.
    pub for_computers: bool,
    /// Why nobody could shake hands.
    pub failure: Option<String>,
    /// What was shown, in the order in which it was.
    pub chain: Vec<CertificateFacts>,
    /// TLS 1.2 was agreed on.
    pub tls12: bool,
    /// TLS 1.3 was agreed on.
    pub tls13: bool,
    /// TLS 1.1 was agreed on.
    pub tls11: bool,
    /// A handshake with what Windows 8.1 offers succeeded.
    pub old_windows: bool,
    /// The lowest version that is set.
    pub minimum: Minimum,
    /// What the chain ends in.
    pub trust: Trust,
    /// By the clock of the server.
    pub now: Timestamp,
}
