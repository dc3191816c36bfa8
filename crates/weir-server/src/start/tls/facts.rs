//! What certificates say of themselves.

use std::net::IpAddr;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use weir_model::tls::{CertificateFacts, Key, Signature};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{DistributionPointName, GeneralName, ParsedExtension},
    public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};

/// Places, names and certificates of a chain that are looked at; a peer may send more.
const MOST: usize = 200;
/// Characters of a name.
const LONGEST: usize = 300;
/// OCSP (RFC 5280 4.2.2.1).
const OCSP: &str = "1.3.6.1.5.5.7.48.1";

/// Reads a chain in the order in which it is shown.
pub(crate) fn facts(chain: &[CertificateDer<'_>]) -> Result<Vec<CertificateFacts>, String> {
    let parsed = chain.iter().take(MOST).map(|der| {
        let parsed = x509_parser::parse_x509_certificate(der).map(|(_, certificate)| (certificate, der));
        parsed.map_err(|error| format!("a certificate cannot be read: {error}"))
    });
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    let mut facts = Vec::with_capacity(parsed.len());
    for (number, (certificate, der)) in parsed.iter().enumerate() {
        let next = parsed.get(number + 1);
        let mut one = read(certificate, der)?;
        one.issued_by_next = next.map(|(next, _)| next.subject().as_raw() == certificate.issuer().as_raw());
        facts.push(one);
    }
    Ok(facts)
}

fn read(certificate: &X509Certificate<'_>, der: &[u8]) -> Result<CertificateFacts, String> {
    let at = |second: i64| Timestamp::from_second(second).map_err(|error| format!("a time of a certificate: {error}"));
    let validity = certificate.validity();
    let mut facts = CertificateFacts {
        subject: text(&certificate.subject().to_string()),
        issuer: text(&certificate.issuer().to_string()),
        self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        issued_by_next: None,
        names: Vec::new(),
        addresses: Vec::new(),
        not_before: at(validity.not_before.timestamp())?,
        not_after: at(validity.not_after.timestamp())?,
        key: key(certificate.public_key()),
        signature: signature(&certificate.signature_algorithm.algorithm.to_id_string()),
        authority: false,
        for_servers: true,
        revocation: Vec::new(),
        fingerprint: super::authority::hex(&Sha256::digest(der)),
    };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                for name in names.general_names.iter().take(MOST) {
                    match name {
                        GeneralName::DNSName(name) => facts.names.push(text(name).to_ascii_lowercase()),
                        GeneralName::IPAddress(bytes) => facts.addresses.extend(address(bytes)),
                        _ => {}
                    }
                }
            }
            ParsedExtension::BasicConstraints(constraints) => facts.authority = constraints.ca,
            ParsedExtension::ExtendedKeyUsage(usage) => facts.for_servers = usage.any || usage.server_auth,
            ParsedExtension::CRLDistributionPoints(points) => {
                for point in points.points.iter().take(MOST) {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                        facts.revocation.extend(names.iter().take(MOST).filter_map(url));
                    }
                }
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let ocsp = access.accessdescs.iter().filter(|one| one.access_method.to_id_string() == OCSP);
                facts.revocation.extend(ocsp.take(MOST).filter_map(|one| url(&one.access_location)));
            }
            _ => {}
        }
    }
    Ok(facts)
}

fn text(text: &str) -> String {
    weir_model::message::tidy(text, LONGEST)
}

fn url(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::URI(uri) = name { Some(text(uri)) } else { None }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> Key {
    match info.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => match info.parsed() {
            Ok(PublicKey::RSA(key)) => Key::Rsa(u32::try_from(key.key_size()).unwrap_or(u32::MAX)),
            _ => Key::Other,
        },
        // the curve is an object identifier (RFC 5480 2.1.1)
        "1.2.840.10045.2.1" => match info.algorithm.parameters.as_ref().map(|curve| curve.data) {
            Some([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]) => Key::EcP256,
            Some([0x2b, 0x81, 0x04, 0x00, 0x22]) => Key::EcP384,
            Some([0x2b, 0x81, 0x04, 0x00, 0x23]) => Key::EcP521,
            _ => Key::Other,
        },
        "1.3.101.112" => Key::Ed25519,
        _ => Key::Other,
    }
}

/// By RFC 8017 A.2.4, RFC 5758 3.2 and RFC 8410 3.
fn signature(algorithm: &str) -> Signature {
    match algorithm {
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.3.14.3.2.29" => Signature::Weak,
        "1.2.840.113549.1.1.10" => Signature::Pss,
        "1.2.840.113549.1.1.11"
        | "1.2.840.113549.1.1.12"
        | "1.2.840.113549.1.1.13"
        | "1.2.840.10045.4.3.2"
        | "1.2.840.10045.4.3.3"
        | "1.2.840.10045.4.3.4" => Signature::Sha2,
        "1.3.101.112" => Signature::Ed25519,
        _ => Signature::Other,
    }
}
