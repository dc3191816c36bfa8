//! The authority of a data folder's own, and the certificates that it signs.

use std::{collections::BTreeSet, fmt, fs, net::IpAddr, path::Path};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::{machine_name, random, tls};
use crate::start::{StartError, folder};

/// How long an authority lives. Clients that trust it need a new one afterwards, so it is long.
const AUTHORITY_DAYS: i64 = 3_650;
/// An authority with less time left is replaced on start.
const AUTHORITY_RENEW_DAYS: i64 = 90;
/// How long a leaf lives; browsers refuse more than 398 days.
const LEAF_DAYS: i64 = 397;
/// A leaf is made anew when it is so old.
pub(super) const LEAF_RENEW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Certificates are valid from this long before they are made, for clients whose clocks are behind.
const BACKDATE_DAYS: i64 = 2;

pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    pub(super) fn open(folder: &Path, now: Timestamp) -> Result<Self, StartError> {
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

    pub(super) fn leaf(&self, names: &[String], now: Timestamp) -> Result<CertifiedKey, StartError> {
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

/// When the first certificate of a file ends.
fn ends(pem: &str, path: &Path) -> Result<Timestamp, StartError> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| tls(path.display(), error))?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| tls(path.display(), error))?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).map_err(|error| tls(path.display(), error))
}

/// The names of the own leaf: this machine, loopback, and what is added.
pub(super) fn leaf_names<'a>(added: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    machine_name()
        .into_iter()
        .chain(["localhost", "127.0.0.1", "::1"].map(str::to_owned))
        .chain(added.into_iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()))
        .filter(|name| !name.is_empty() && seen.insert(name.clone()))
        .collect()
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

/// Lower-case digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}
