//! A certificate authority of a test's own, and a server certificate for this machine that it signed.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tokio_rustls::{TlsAcceptor, rustls};

/// What a scripted server shows: valid for `localhost` and 127.0.0.1.
#[derive(Clone)]
pub struct Certificate {
    /// The authority, as PEM.
    pub authority: String,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// New ones.
    ///
    /// # Panics
    ///
    /// The cryptography library refuses, which it does not.
    pub fn new() -> Self {
        Self::made().unwrap_or_else(|error| panic!("no certificate: {error}"))
    }

    fn made() -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Scripted authority");
        let authority = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate()?;
        let leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let leaf = leaf.signed_by(&own, &issuer)?;
        let secret = PrivateKeyDer::try_from(own.serialize_der()).map_err(anyhow::Error::msg)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], secret)?;
        Ok(Self { authority: authority.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
