//! What is said when the certificate of another server is not trusted.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

/// Host of Microsoft's own upstream server.
const MICROSOFT: &str = "sws.update.microsoft.com";
/// SHA-1 of the root that the chain of Microsoft's own upstream server ends in, and that usual stores lack.
const MICROSOFT_ROOT: &str = "8F43288AD272F3103B6FB1428485EA3014C0BCFE";

/// The chain that a server showed ends in nothing that is trusted here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the certificate chain of {server} ends in {root}, which is not trusted here: check that this is the right root, put \
     it as PEM into a file and name the file with the setting sync.ca_file"
)]
pub struct UntrustedChain {
    /// The server.
    pub server: String,
    /// The missing root in words, with its fingerprint or name.
    pub root: String,
}

impl UntrustedChain {
    fn new(server: &ServerName<'_>, shown: &[&CertificateDer<'_>]) -> Self {
        let server = server.to_str().into_owned();
        let last = shown.last().map_or_else(|| "nothing".to_owned(), |last| describe(last));
        let root = if server.eq_ignore_ascii_case(MICROSOFT) {
            format!(
                "a Microsoft root that usual systems lack (\"Microsoft Root Certificate Authority 2011\", SHA-1 \
                 {MICROSOFT_ROOT}; the server showed {last})"
            )
        } else {
            last
        };
        Self { server, root }
    }
}

/// The reason of a failed request, if it was the trust in the server's certificate.
pub fn untrusted(error: &(dyn std::error::Error + 'static)) -> Option<UntrustedChain> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<UntrustedChain>() {
            return Some(found.clone());
        }
        if let Some(TlsError::InvalidCertificate(CertificateError::Other(other))) = error.downcast_ref::<TlsError>() {
            if let Some(found) = other.0.downcast_ref::<UntrustedChain>() {
                return Some(found.clone());
            }
        }
        // an input/output error hides what it wraps from source()
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// A certificate in words: its own fingerprints if it is a root, else the name of the root that signed it.
fn describe(der: &CertificateDer<'_>) -> String {
    let sha1 = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
    let sha256 = hex(&Sha256::digest(der));
    match x509_parser::parse_x509_certificate(der) {
        Ok((_, certificate)) if certificate.issuer() == certificate.subject() => {
            format!("the root {:?} (SHA-1 {sha1}, SHA-256 {sha256})", plain(&certificate.subject().to_string()))
        }
        Ok((_, certificate)) => format!(
            "the root {:?} (not shown by the server; the last certificate it showed, {:?}, has SHA-1 {sha1}, SHA-256 \
             {sha256})",
            plain(&certificate.issuer().to_string()),
            plain(&certificate.subject().to_string())
        ),
        Err(_) => format!("a certificate that cannot be read (SHA-1 {sha1}, SHA-256 {sha256})"),
    }
}

/// A name from a certificate, short enough and without control characters.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16).unwrap_or('?'));
    bytes.iter().flat_map(digits).map(|digit| digit.to_ascii_uppercase()).collect()
}

/// Verifies as another verifier does, and explains an unknown root.
#[derive(Debug)]
pub(super) struct Explaining(Arc<dyn ServerCertVerifier>);

impl Explaining {
    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>) -> Self {
        Self(inner)
    }
}

fn explained(error: UntrustedChain) -> TlsError {
    TlsError::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map_err(|error| {
            if error != TlsError::InvalidCertificate(CertificateError::UnknownIssuer) {
                return error;
            }
            let shown: Vec<&CertificateDer<'_>> = std::iter::once(end_entity).chain(intermediates).collect();
            explained(UntrustedChain::new(server_name, &shown))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// How the two verifiers below check signatures: by the provider, whoever is trusted.
macro_rules! signatures_of_provider {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, TlsError> {
            verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, TlsError> {
            verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}

/// Trusts whoever shows a certificate of one fingerprint.
#[derive(Debug)]
pub(super) struct Pinned {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    pub(super) fn new(sha256: [u8; 32], provider: &Arc<CryptoProvider>) -> Self {
        Self { sha256, provider: Arc::clone(provider) }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let is_it = |der: &CertificateDer<'_>| Sha256::digest(der).as_slice() == self.sha256;
        if is_it(end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        // an authority that was merely shown proves nothing: it has to have signed what the server proves to have
        let authority = intermediates.iter().find(|der| is_it(der)).ok_or_else(|| {
            let shown: Vec<&CertificateDer<'_>> = std::iter::once(end_entity).chain(intermediates).collect();
            explained(UntrustedChain::new(server_name, &shown))
        })?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    signatures_of_provider!();
}

/// Trusts nobody: there is no root at all.
#[derive(Debug)]
pub(super) struct Refusing {
    provider: Arc<CryptoProvider>,
}

impl Refusing {
    pub(super) fn new(provider: &Arc<CryptoProvider>) -> Self {
        Self { provider: Arc::clone(provider) }
    }
}

impl ServerCertVerifier for Refusing {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    signatures_of_provider!();
}
