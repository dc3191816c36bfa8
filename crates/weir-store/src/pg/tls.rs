//! TLS to the database's server.

use std::{fmt::Display, path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};

use super::address::{Authorities, Trust};

/// The settings of TLS. The error says in words what is wrong.
pub(super) fn settings(trust: &Trust) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &trust.authorities {
        Some(Authorities::System) => {
            let system = rustls_platform_verifier::Verifier::new(Arc::clone(&provider));
            Arc::new(system.map_err(|error| format!("needs authorities of the system for TLS: {error}"))?)
        }
        Some(Authorities::File(path)) => {
            let (roots, given) = authorities(path)?;
            Arc::new(Checker { provider: Arc::clone(&provider), roots: Some(roots), given, names: trust.names })
        }
        None => Arc::new(Checker { provider: Arc::clone(&provider), roots: None, given: Vec::new(), names: false }),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("cannot be reached with TLS: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &trust.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, error))?;
            builder.with_client_auth_cert(chain, private).map_err(|error| unread(certificate, error))?
        }
    };
    // since PostgreSQL 17; earlier ones do not look at it
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}

fn unread(file: &Path, error: impl Display) -> String {
    format!("cannot be reached with TLS: {}: {error}", file.display())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unread(file, error))?;
    let found = read.collect::<Result<Vec<_>, _>>().map_err(|error| unread(file, error))?;
    if found.is_empty() { Err(unread(file, "it has no certificate")) } else { Ok(found) }
}

fn authorities(file: &Path) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), String> {
    let given = certificates(file)?;
    let mut roots = RootCertStore::empty();
    for certificate in &given {
        roots.add(certificate.clone()).map_err(|error| unread(file, error))?;
    }
    Ok((roots, given))
}

/// Looks at a server's certificate as libpq does: at nothing, at who vouches for it, or also at whom it is made out to.
#[derive(Debug)]
struct Checker {
    provider: Arc<CryptoProvider>,
    /// None: any certificate is taken.
    roots: Option<RootCertStore>,
    /// The authorities as they were given. A server that made its certificate itself is known by that certificate.
    given: Vec<CertificateDer<'static>>,
    names: bool,
}

impl ServerCertVerifier for Checker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if !self.given.iter().any(|given| given.as_ref() == end_entity.as_ref()) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        if self.names {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(authorities: Option<Authorities>) -> Trust {
        Trust { authorities, names: true, identity: None }
    }

    #[test]
    fn files_that_say_nothing_are_refused() {
        assert!(settings(&trust(None)).is_ok());
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("ca.pem");
        let given = || trust(Some(Authorities::File(file.clone())));
        assert!(settings(&given()).expect_err("is not there").contains("ca.pem"));
        std::fs::write(&file, "nothing").expect("writes");
        assert!(settings(&given()).expect_err("is empty").contains("no certificate"));
        let identity = Some((file.clone(), file.clone()));
        assert!(settings(&Trust { identity, ..trust(None) }).is_err());
    }
}
