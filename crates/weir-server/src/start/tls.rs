//! Certificates of the listeners.
//!
//! An authority of this data folder's own (`tls/ca.pem`, `tls/ca.key`) is made on the first start and kept; it signs a
//! leaf that is made anew on each start and every month. Both are ECDSA P-256: agents of Windows 8.1 and Server 2012 R2
//! fail the handshake with an RSA leaf under rustls, which has no RSA key exchange and no CBC suites.

use std::{collections::BTreeSet, fmt, fs, net::IpAddr, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{
        ClientHello, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};
use sha2::Digest as _;

use super::{StartError, folder};
use crate::{config::TlsFiles, file};

/// How long an authority lives. Clients that trust it need a new one afterwards, so it is long.
const AUTHORITY_DAYS: i64 = 3_650;
/// An authority with less time left is replaced on start.
const AUTHORITY_RENEW_DAYS: i64 = 90;
/// How long a leaf lives; browsers refuse more than 398 days.
const LEAF_DAYS: i64 = 397;
/// Certificates are valid from this long before they are made, for clients whose clocks are behind.
const BACKDATE_DAYS: i64 = 2;

/// The application protocol (ALPN) of the site link.
pub(crate) const LINK_PROTOCOL: &[u8] = b"weir-link/1";

/// Makes rustls use aws-lc-rs, once per process. Two providers in a build without this make rustls panic.
pub(crate) fn install_provider() {
    // an error means that this or another part of the process installed one before
    let _ = aws_lc_rs::default_provider().install_default();
}

/// The certificate that a listener shows; it can be replaced while the listener runs.
pub(crate) struct Shown(ArcSwap<CertifiedKey>);

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

/// The certificates of one process.
#[derive(Debug)]
pub(crate) struct Certificates {
    authority: Authority,
    names: Vec<String>,
    own: Arc<Shown>,
    client: Arc<Shown>,
    client_is_own: bool,
}

impl Certificates {
    /// Reads or makes the authority below `folder` and a leaf for `names`; the client plane shows `files` if given.
    pub(crate) fn open(
        folder: &Path,
        files: Option<&TlsFiles>,
        names: &[String],
        now: Timestamp,
    ) -> Result<Self, StartError> {
        let authority = Authority::open(folder, now)?;
        let names = leaf_names(names);
        let own = Arc::new(Shown(ArcSwap::from_pointee(authority.leaf(&names, now)?)));
        let client = match files {
            Some(files) => Arc::new(Shown(ArcSwap::from_pointee(read_files(files)?))),
            None => own.clone(),
        };
        Ok(Self { authority, names, own, client, client_is_own: files.is_none() })
    }

    /// Makes a new leaf, long before the one shown ends.
    pub(crate) fn renew(&self, now: Timestamp) -> Result<(), StartError> {
        self.own.0.store(Arc::new(self.authority.leaf(&self.names, now)?));
        Ok(())
    }

    /// For the admin plane: always the own certificate, so that the command line trusts exactly `tls/ca.pem`.
    pub(crate) fn admin(&self) -> Result<Arc<ServerConfig>, StartError> {
        server(self.own.clone())
    }

    /// For the client plane.
    pub(crate) fn client(&self) -> Result<Arc<ServerConfig>, StartError> {
        server(self.client.clone())
    }

    /// For connections of the site link on the client and server listeners: like those, but the other side must show a
    /// certificate and have its key. Any certificate will do here; who shows it is decided by its fingerprint.
    pub(crate) fn link(&self) -> Result<Arc<ServerConfig>, StartError> {
        let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| tls("the TLS settings of the site link", error))?
            .with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
            .with_cert_resolver(self.client.clone());
        config.alpn_protocols = vec![LINK_PROTOCOL.to_vec()];
        // each connection proves anew that the other side has the key
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// What a server that enrols here recognises this one by.
    pub(crate) fn pin(&self) -> Result<Pin, StartError> {
        let digest = |der: &[u8]| <[u8; 32]>::from(sha2::Sha256::digest(der));
        if self.client_is_own {
            let der = CertificateDer::from_pem_slice(self.authority.pem.as_bytes())
                .map_err(|error| tls("tls/ca.pem", error))?;
            return Ok(Pin { fingerprint: digest(&der), authority: None });
        }
        let shown = self.client.0.load();
        let leaf = shown.cert.first().ok_or_else(|| tls("the certificate", "it is not there"))?;
        // the authority signs for other servers, too: it is only trusted together with the name
        let authority = (shown.cert.len() > 1).then(|| shown.cert.last()).flatten();
        Ok(Pin { fingerprint: digest(leaf), authority: authority.map(|der| pem(der)) })
    }

    /// Whether the client plane shows the own certificate, which computers must be told to trust.
    pub(crate) fn client_is_own(&self) -> bool {
        self.client_is_own
    }
}

/// What a server is recognised by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pin {
    /// SHA-256 of a certificate that it shows: of its own authority, or of the very certificate.
    pub(crate) fingerprint: [u8; 32],
    /// The authority (PEM) that later certificates will be signed by, where the fingerprint is of a certificate that ends
    /// before the link does. They must be for the server's name, too.
    pub(crate) authority: Option<String>,
}

fn pem(der: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
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

fn server(shown: Arc<Shown>) -> Result<Arc<ServerConfig>, StartError> {
    let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| tls("the TLS settings", error))?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    fn open(folder: &Path, now: Timestamp) -> Result<Self, StartError> {
        folder::create(folder)?;
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        let read = |path: &Path| match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StartError::File { action: "reading", path: path.to_owned(), source }),
        };
        let (pem, key_pem) = match (read(&certificate)?, read(&key)?) {
            (Some(pem), Some(key_pem)) if ends(&pem, &certificate)? > now + days(AUTHORITY_RENEW_DAYS) => {
                (pem, key_pem)
            }
            (Some(_), Some(_)) => {
                tracing::warn!(
                    "the certificate authority of the data folder is about to end and was replaced; clients that trust tls/ca.pem need the new one"
                );
                Self::create(&certificate, &key, now)?
            }
            _ => Self::create(&certificate, &key, now)?,
        };
        let pair = KeyPair::from_pem(&key_pem).map_err(|error| tls(key.display(), error))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, pair).map_err(|error| tls(certificate.display(), error))?;
        Ok(Self { pem, issuer })
    }

    fn create(certificate: &Path, key: &Path, now: Timestamp) -> Result<(String, String), StartError> {
        let made = |error| tls("a new certificate authority", error);
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(made)?;
        params.distinguished_name.push(DnType::OrganizationName, "Weir");
        // two authorities of one machine must not have one name
        params.distinguished_name.push(DnType::CommonName, format!("Weir authority {}", hex(&random::<4>()?)));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        validity(&mut params, now, AUTHORITY_DAYS)?;
        let pem = params.self_signed(&pair).map_err(made)?.pem();
        let key_pem = pair.serialize_pem();
        // the key first: a certificate without its key would be taken for a whole pair by nobody
        folder::write(key, key_pem.as_bytes())?;
        folder::write(certificate, pem.as_bytes())?;
        Ok((pem, key_pem))
    }

    fn leaf(&self, names: &[String], now: Timestamp) -> Result<CertifiedKey, StartError> {
        let made = |error| tls("a new certificate", error);
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(made)?;
        let common = names.first().map_or("weir", String::as_str);
        // X.520 allows 64 characters
        params.distinguished_name.push(DnType::CommonName, common.chars().take(64).collect::<String>());
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into().map_err(made)?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params, now, LEAF_DAYS)?;
        let leaf = params.signed_by(&pair, &self.issuer).map_err(made)?;
        let authority =
            CertificateDer::from_pem_slice(self.pem.as_bytes()).map_err(|error| tls("tls/ca.pem", error))?;
        let key = PrivateKeyDer::try_from(pair.serialize_der()).map_err(|error| tls("a new key", error))?;
        CertifiedKey::from_der(vec![leaf.der().clone(), authority], key, &aws_lc_rs::default_provider())
            .map_err(|error| tls("a new certificate", error))
    }
}

fn read_files(files: &TlsFiles) -> Result<CertifiedKey, StartError> {
    let read = |path: &Path| file::small(path).map_err(|error| tls(path.display(), error));
    let chain = CertificateDer::pem_slice_iter(&read(&files.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| tls(files.certificate.display(), error))?;
    if chain.is_empty() {
        return Err(tls(files.certificate.display(), "it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|error| tls(files.key.display(), error))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|error| tls(format!("{} with {}", files.certificate.display(), files.key.display()), error))
}

/// When the first certificate of a file ends.
fn ends(pem: &str, path: &Path) -> Result<Timestamp, StartError> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| tls(path.display(), error))?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| tls(path.display(), error))?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).map_err(|error| tls(path.display(), error))
}

/// The names of the own leaf: this machine, loopback, and what the settings add.
fn leaf_names(added: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    machine_name()
        .into_iter()
        .chain(["localhost", "127.0.0.1", "::1"].map(str::to_owned))
        .chain(added.iter().cloned())
        .filter(|name| seen.insert(name.clone()))
        .collect()
}

/// What this machine is called.
pub(crate) fn machine_name() -> Option<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    let host = host.trim().to_ascii_lowercase();
    let is_name = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    is_name.then_some(host)
}

fn validity(params: &mut CertificateParams, now: Timestamp, length: i64) -> Result<(), StartError> {
    let date = |at: Timestamp| -> Date { at.to_zoned(TimeZone::UTC).date() };
    let (from, to) = (date(now - days(BACKDATE_DAYS)), date(now + days(length)));
    let convert = |date: Date| {
        Ok::<_, StartError>(rcgen::date_time_ymd(
            date.year().into(),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
        ))
    };
    params.not_before = convert(from)?;
    params.not_after = convert(to)?;
    let mut serial = random::<16>()?;
    // positive and not zero, RFC 5280 4.1.2.2
    serial[0] = (serial[0] & 0x7f) | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(())
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// Random bytes for keys, codes and tokens.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    ::aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StartError::Random)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}

fn tls(subject: impl fmt::Display, reason: impl fmt::Display) -> StartError {
    StartError::Tls { subject: subject.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("timestamp")
    }

    #[test]
    fn the_authority_is_kept_and_replaced_shortly_before_it_ends() {
        install_provider();
        let data = tempfile::tempdir().expect("folder");
        let folder = data.path().join("tls");
        let open = |now: &str| {
            Certificates::open(&folder, None, &["wsus.example".to_owned()], at(now)).expect("opened");
            fs::read_to_string(folder.join("ca.pem")).expect("ca.pem")
        };
        let first = open("2026-01-01T00:00:00Z");
        assert_eq!(open("2035-06-01T00:00:00Z"), first);
        assert_ne!(open("2035-12-01T00:00:00Z"), first);
    }

    #[test]
    fn the_leaf_is_ecdsa_p256_and_names_this_machine() {
        install_provider();
        let data = tempfile::tempdir().expect("folder");
        let certificates = Certificates::open(
            &data.path().join("tls"),
            None,
            &["wsus.example".to_owned()],
            at("2026-01-01T00:00:00Z"),
        )
        .expect("opened");
        let shown = certificates.own.0.load_full();
        let (_, leaf) = x509_parser::parse_x509_certificate(&shown.cert[0]).expect("certificate");
        let text = format!("{:?}", leaf.subject_alternative_name().expect("extension").expect("names").value);
        assert!(text.contains("localhost") && text.contains("wsus.example"), "{text}");
        assert_eq!(leaf.public_key().algorithm.algorithm.to_id_string(), "1.2.840.10045.2.1");
        assert_eq!(shown.cert.len(), 2);
    }

    #[test]
    fn a_key_without_its_certificate_is_said() {
        install_provider();
        let data = tempfile::tempdir().expect("folder");
        let path = data.path().join("chain.pem");
        fs::write(&path, "nothing").expect("written");
        let files = TlsFiles { certificate: path.clone(), key: path };
        let error = Certificates::open(&data.path().join("tls"), Some(&files), &[], at("2026-01-01T00:00:00Z"))
            .expect_err("no certificate");
        assert!(error.to_string().contains("it holds no certificate"), "{error}");
    }
}
