//! Which Windows versions can use which certificates, given what is spoken here: TLS 1.2 with ECDHE and AES-GCM or ChaCha20, and
//! TLS 1.3. No CBC and no RSA key exchange.
//!
//! From Microsoft's lists of what its Schannel provider offers by default: `learn.microsoft.com/windows/win32/secauthn/`, pages
//! `tls-cipher-suites-in-windows-7`, `-8`, `-8-1`, `-10-v1607`, `-server-2022`, `tls-elliptic-curves-in-windows-10-1607-and-later` and
//! `protocols-in-tls-ssl--schannel-ssp-`; for Windows 7 and Server 2012 the support article of KB3140245. Up to Windows 8.1 the only
//! suites with ECDHE and AES-GCM are those with ECDSA (`TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256_P256`, ...).

use super::{Key, Minimum};

/// A family of Windows versions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Windows {
    /// Their names.
    pub name: &'static str,
    /// What turns TLS 1.2 on for its update agent, where it is off by default.
    pub preparation: Option<&'static str>,
    /// Speaks TLS 1.3.
    pub tls13: bool,
    /// Offers ECDHE with AES-GCM for RSA certificates.
    pub rsa: bool,
    /// The page of Microsoft's that says so.
    pub source: &'static str,
}

/// What turns TLS 1.2 on for WinHTTP.
const KB3140245: &str =
    "TLS 1.2 is off for its update agent until KB3140245 and its value DefaultSecureProtocols are there";

/// Every family, the oldest first.
pub const TABLE: [Windows; 5] = [
    Windows {
        name: "Windows 7, Server 2008 R2",
        preparation: Some(KB3140245),
        tls13: false,
        rsa: false,
        source: "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-7",
    },
    Windows {
        name: "Windows 8, Server 2012",
        preparation: Some(KB3140245),
        tls13: false,
        rsa: false,
        source: "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-8",
    },
    Windows {
        name: "Windows 8.1, Server 2012 R2",
        preparation: None,
        tls13: false,
        rsa: false,
        source: "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-8-1",
    },
    Windows {
        name: "Windows 10, Server 2016 and 2019",
        preparation: None,
        tls13: false,
        rsa: true,
        source: "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-10-v1607",
    },
    Windows {
        name: "Windows 11, Server 2022 and later",
        preparation: None,
        tls13: true,
        rsa: true,
        source: "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-server-2022",
    },
];

/// Whether computers of a family can use a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// They can.
    Yes,
    /// They can once something was done.
    Prepared(&'static str),
    /// They cannot, and why.
    No(&'static str),
}

impl Windows {
    /// Whether its computers can use a certificate with such a key.
    pub fn fit(&self, key: Key, minimum: Minimum) -> Fit {
        if minimum == Minimum::Tls13 && !self.tls13 {
            return Fit::No("it does not speak TLS 1.3, and tls.minimum is 1.3");
        }
        match key {
            Key::EcP521 => return Fit::No("P-521 is not among the curves that it offers by default"),
            Key::Ed25519 | Key::Other => return Fit::No("it cannot use this kind of key"),
            Key::Rsa(_) if !self.rsa => {
                return Fit::No("it offers RSA certificates no suite that is spoken here; an ECDSA certificate works");
            }
            Key::EcP256 | Key::EcP384 | Key::Rsa(_) => {}
        }
        self.preparation.map_or(Fit::Yes, Fit::Prepared)
    }
}
