//! Why a handshake failed, in words that metrics can be counted by.

use std::io;

use rustls::{AlertDescription, Error, PeerIncompatible};

/// The handshake took too long.
pub(crate) const TIMEOUT: &str = "timeout";

/// Every reason of a failure.
pub(crate) const REASONS: [&str; 10] = [
    "alert",
    "algorithms",
    "certificate_refused",
    "client_certificate",
    "connection",
    "not_tls",
    "other",
    TIMEOUT,
    "untrusted",
    "version",
];

/// The reason of a failure: one of a few words, whatever the other side sent.
pub(crate) fn reason(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else { return "connection" };
    match error {
        Error::AlertReceived(alert) => match alert {
            AlertDescription::UnknownCA => "untrusted",
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate => "certificate_refused",
            AlertDescription::ProtocolVersion => "version",
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => "algorithms",
            _ => "alert",
        },
        Error::PeerIncompatible(what) => match what {
            PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled => "version",
            // old versions do not send it
            PeerIncompatible::SignatureAlgorithmsExtensionRequired => "version",
            _ => "algorithms",
        },
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => "not_tls",
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => "client_certificate",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_apart() {
        let of = |error: Error| reason(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(of(Error::AlertReceived(AlertDescription::UnknownCA)), "untrusted");
        assert_eq!(of(Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon)), "algorithms");
        assert_eq!(of(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered)), "version");
        assert_eq!(of(Error::NoCertificatesPresented), "client_certificate");
        assert_eq!(reason(&io::ErrorKind::UnexpectedEof.into()), "connection");
    }
}
