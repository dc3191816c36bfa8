//! Handshakes with this server's own listeners, as clients of several kinds make them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{
        CryptoProvider,
        aws_lc_rs::{self, cipher_suite, kx_group},
    },
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use weir_model::tls::Trust;

use crate::start::{facts, random};

/// A handshake that takes longer counts as failed; it is on this machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the handshakes with one listener gave.
#[derive(Debug, Default)]
pub(super) struct Probed {
    /// Why nobody can shake hands.
    pub(super) failure: Option<String>,
    /// What was shown.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) tls11: bool,
    pub(super) tls12: bool,
    pub(super) tls13: bool,
    /// A handshake with what Windows 8.1 offers succeeded.
    pub(super) old_windows: bool,
}

/// Tries a listener, by the name that clients use.
pub(super) async fn probe(listener: SocketAddr, host: &str) -> Probed {
    let mut probed = Probed::default();
    let Ok(name) = ServerName::try_from(host.to_owned()) else {
        probed.failure = Some(format!("{host} is no name that can be asked for"));
        return probed;
    };
    let modern = || Arc::new(aws_lc_rs::default_provider());
    let newest = shake(listener, &name, modern(), &[&rustls::version::TLS13]).await;
    let usual = shake(listener, &name, modern(), &[&rustls::version::TLS12]).await;
    probed.tls13 = newest.is_ok();
    probed.tls12 = usual.is_ok();
    match (newest, usual) {
        (Ok(chain), _) | (Err(_), Ok(chain)) => probed.chain = chain,
        (Err(error), Err(_)) => {
            probed.failure = Some(error);
            return probed;
        }
    }
    probed.old_windows = shake(listener, &name, Arc::new(old()), &[&rustls::version::TLS12]).await.is_ok();
    probed.tls11 = timeout(PATIENCE, speaks_tls11(listener)).await.is_ok_and(|answer| answer.unwrap_or_default());
    probed
}

/// What of the offer of Windows 8.1 and Server 2012 R2 is spoken here at all: of its suites with ECDHE and AES-GCM there are those
/// with ECDSA alone (see the table in the model).
fn old() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ],
        kx_groups: vec![kx_group::SECP256R1, kx_group::SECP384R1],
        ..aws_lc_rs::default_provider()
    }
}

/// Shakes hands once, and gives what was shown.
async fn shake(
    listener: SocketAddr,
    name: &ServerName<'static>,
    provider: Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Vec<CertificateDer<'static>>, String> {
    let seen = Arc::new(Looking { provider: Arc::clone(&provider), chain: Mutex::default() });
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Looking>::clone(&seen);
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let shaken = timeout(PATIENCE, async {
        let stream = TcpStream::connect(listener).await?;
        let mut stream = connector.connect(name.clone(), stream).await?;
        // nothing is asked: a goodbye is enough
        let _ = stream.shutdown().await;
        Ok::<(), io::Error>(())
    });
    match shaken.await {
        Err(_) => Err("the handshake took too long".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(())) => Ok(std::mem::take(&mut *seen.chain.lock())),
    }
}

/// Looks at what a server shows and believes it. Nothing is sent over such a connection.
#[derive(Debug)]
struct Looking {
    provider: Arc<CryptoProvider>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let shown = std::iter::once(end_entity).chain(intermediates);
        *self.chain.lock() = shown.map(|der| der.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a server answers a client that knows TLS 1.1 and nothing newer with its own greeting.
async fn speaks_tls11(listener: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(listener).await?;
    stream.write_all(&greeting()?).await?;
    let mut first = [0];
    // an alert (21) or nothing is a refusal, a handshake message (22) is not
    let read = stream.read(&mut first).await.unwrap_or_default();
    Ok(read == 1 && first == [22])
}

/// A ClientHello of TLS 1.1 (RFC 4346 7.4.1.2) with suites of that time.
fn greeting() -> io::Result<Vec<u8>> {
    const SUITES: [u8; 8] = [0xc0, 0x14, 0xc0, 0x0a, 0x00, 0x35, 0x00, 0x2f];
    let random: [u8; 32] = random().map_err(|error| io::Error::other(error.to_string()))?;
    // client_version, random, an empty session id
    let mut hello = vec![3, 2];
    hello.extend(random);
    hello.extend([0, 0, 8]);
    hello.extend(SUITES);
    // no compression; groups and point formats, since two suites are of elliptic curves (RFC 4492 5.1)
    hello.extend([1, 0, 0, 14, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0]);
    let length = u8::try_from(hello.len()).map_err(io::Error::other)?;
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    Ok(record)
}

/// What is known to trust.
pub(super) struct Known {
    /// Roots that were given for the check.
    pub(super) given: Option<Vec<CertificateDer<'static>>>,
    /// This server's own authority.
    pub(super) own: CertificateDer<'static>,
}

/// Says what a chain ends in. Times are left aside: they are judged by themselves.
pub(super) fn trust(chain: &[CertificateDer<'static>], known: &Known) -> Trust {
    let Some((leaf, others)) = chain.split_first() else { return Trust::Broken("nothing was shown".to_owned()) };
    if let Some(given) = &known.given {
        return if leads(leaf, others, given).is_ok() { Trust::Given } else { Trust::NotGiven };
    }
    if leads(leaf, others, std::slice::from_ref(&known.own)).is_ok() {
        return Trust::Own;
    }
    if is_of_system(leaf, others) {
        return Trust::System;
    }
    let last = chain.last().unwrap_or(leaf);
    let is_root =
        facts(std::slice::from_ref(last)).is_ok_and(|facts| facts.first().is_some_and(|facts| facts.self_issued));
    if !is_root {
        return Trust::Unknown;
    }
    match leads(leaf, others, std::slice::from_ref(last)) {
        Ok(()) => Trust::Shown,
        // a certificate that signed itself is its own root, though not one that may sign others
        Err(_) if others.is_empty() => Trust::Shown,
        Err(why) => Trust::Broken(why),
    }
}

/// Whether a chain leads to one of some roots, at a time when its first certificate is valid.
fn leads(
    leaf: &CertificateDer<'static>,
    others: &[CertificateDer<'static>],
    roots: &[CertificateDer<'static>],
) -> Result<(), String> {
    let provider = aws_lc_rs::default_provider();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let parsed = ParsedCertificate::try_from(leaf).map_err(|error| error.to_string())?;
    verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &store,
        others,
        within(leaf),
        provider.signature_verification_algorithms.all,
    )
    .map_err(|error| error.to_string())
}

/// A time within a certificate's life: now, if it is.
fn within(leaf: &CertificateDer<'static>) -> UnixTime {
    let now = UnixTime::now();
    let facts = facts(std::slice::from_ref(leaf)).unwrap_or_default();
    let Some(facts) = facts.first() else { return now };
    let second = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let second = second.min(facts.not_after.as_second() - 1).max(facts.not_before.as_second());
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(second).unwrap_or_default()))
}

/// Whether this server's system trusts a chain. Its roots are read anew.
fn is_of_system(leaf: &CertificateDer<'static>, others: &[CertificateDer<'static>]) -> bool {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let Ok(verifier) = rustls_platform_verifier::Verifier::new(provider) else { return false };
    let Some(name) = name_of(leaf) else { return false };
    verifier.verify_server_cert(leaf, others, &name, &[], within(leaf)).is_ok()
}

/// A name that a certificate is for, so that names are left aside.
fn name_of(leaf: &CertificateDer<'static>) -> Option<ServerName<'static>> {
    let facts = facts(std::slice::from_ref(leaf)).ok()?;
    let facts = facts.first()?;
    let name = facts.names.first().map(|name| name.replace('*', "any"));
    let name = name.or_else(|| facts.addresses.first().map(ToString::to_string))?;
    ServerName::try_from(name).ok()
}
