//! Whom the agent trusts with TLS.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file holds no certificates.
    #[error("it holds no certificate in PEM form")]
    Empty,
    /// A certificate is damaged.
    #[error("it holds a certificate that cannot be read: {0}")]
    Damaged(String),
    /// The system's own roots cannot be used.
    #[error("the system's certificates cannot be used")]
    System(#[source] rustls::Error),
}

/// Exactly the authorities of a PEM file or, without one, those of the system.
///
/// # Errors
///
/// There are none, or they cannot be read.
pub fn trust(pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, TrustError> {
    let builder = ClientConfig::builder();
    let config = match pem {
        None => builder.with_platform_verifier().map_err(TrustError::System)?.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| TrustError::Damaged(error.to_string()))?;
                roots.add(certificate).map_err(|error| TrustError::Damaged(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(TrustError::Empty);
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}
