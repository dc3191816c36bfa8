//! Certificates of administrators: who signed them.

use std::{fmt, path::Path, sync::Arc};

use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::tls;
use crate::{file, start::StartError};

/// Asks for certificates that an authority of this PEM file signed. Who has none is let in, and proves otherwise who it is; a
/// certificate of another authority ends the handshake.
pub(super) fn signed_by(authorities: &Path) -> Result<Arc<dyn ClientCertVerifier>, StartError> {
    let wrong = |error: &dyn fmt::Display| tls(authorities.display(), error);
    let pem = file::small(authorities).map_err(|error| wrong(&error))?;
    let mut roots = RootCertStore::empty();
    for der in CertificateDer::pem_slice_iter(&pem) {
        roots.add(der.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated();
    verifier.build().map_err(|error| wrong(&error))
}
