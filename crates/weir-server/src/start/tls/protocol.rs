//! How TLS is spoken: the versions, who must show a certificate, and what is shown.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme, SupportedCipherSuite,
    SupportedProtocolVersion,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{
        ClientHello, ResolvesServerCert, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use weir_model::tls::Minimum;

use super::tls;
use crate::start::StartError;

/// The application protocol (ALPN) of the site link.
pub(crate) const LINK_PROTOCOL: &[u8] = b"weir-link/1";

/// The certificate that a listener shows; it can be replaced while the listener runs.
pub(super) struct Shown(pub(super) ArcSwap<CertifiedKey>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Shows one certificate to those who come by a name, and the own one to those who come by an address or `localhost`, as the
/// command line of this machine does.
#[derive(Debug)]
pub(super) struct ByName {
    pub(super) own: Arc<Shown>,
    pub(super) named: Arc<Shown>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // an address is never sent as a name (RFC 6066 3)
        let named = hello.server_name().is_some_and(|name| !name.eq_ignore_ascii_case("localhost"));
        let shown = if named { &self.named } else { &self.own };
        Some(shown.0.load_full())
    }
}

/// Versions that are spoken.
fn versions(minimum: Minimum) -> &'static [&'static SupportedProtocolVersion] {
    const ALL: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
    const NEWEST: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
    match minimum {
        Minimum::Tls12 => ALL,
        Minimum::Tls13 => NEWEST,
    }
}

/// Cipher suites that are spoken, by their names.
pub(crate) fn suites(minimum: Minimum) -> Vec<String> {
    let provider = aws_lc_rs::default_provider();
    let spoken = provider.cipher_suites.iter().filter(|suite| match minimum {
        Minimum::Tls12 => true,
        Minimum::Tls13 => matches!(suite, SupportedCipherSuite::Tls13(_)),
    });
    spoken.map(|suite| format!("{:?}", suite.suite())).collect()
}

/// Whom a listener asks for a certificate: nobody.
pub(super) fn nobody() -> Arc<dyn ClientCertVerifier> {
    WebPkiClientVerifier::no_client_auth()
}

/// How the listeners of all planes speak TLS: what they show, and whom they ask for a certificate.
pub(super) fn server(
    shown: Arc<dyn ResolvesServerCert>,
    minimum: Minimum,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<Arc<ServerConfig>, StartError> {
    let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(minimum))
        .map_err(|error| tls("the TLS settings", error))?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// How the site link speaks TLS: whoever comes must show a certificate and have its key. Any certificate will do here; who
/// shows it is decided by its fingerprint.
pub(super) fn link(shown: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, StartError> {
    let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| tls("the TLS settings of the site link", error))?
        .with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![LINK_PROTOCOL.to_vec()];
    // each connection proves anew that the other side has the key
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Demands a certificate and the proof of its key, and believes nothing that it says.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // its form, so that the key in it can be used
        rustls::server::ParsedCertificate::try_from(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
