//! The settings of outgoing connections, and the client that follows from them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use weir_store::{ReadTx, StoreError};

use super::{
    ClientTerms, Identity, OutboundError, Purpose, Trust,
    chain::{Explaining, Pinned, Refusing},
};
use crate::{
    admin::setting::{self, Current},
    file,
};

/// A connection that is not made after this long counts as failed.
const CONNECT: Duration = Duration::from_secs(20);
/// Certificates that a file of roots may hold.
const MOST_ROOTS: usize = 10_000;

/// What the site settings say about outgoing connections.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Terms {
    proxy: Option<Proxy>,
    proxy_sync: bool,
    proxy_content: bool,
    proxy_alerts: bool,
    alerts_ca_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    /// A body without a byte for so long counts as broken.
    stall: Duration,
    name: String,
}

#[derive(Clone, Eq, PartialEq)]
pub(super) struct Proxy {
    pub(super) url: String,
    user: String,
    password: String,
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // the password of the proxy stays out of every log
        f.debug_struct("Terms").field("proxy", &self.proxy.as_ref().map(|proxy| &proxy.url)).finish_non_exhaustive()
    }
}

impl Terms {
    /// Reads the site settings.
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let current = Current::read(tx)?;
        let text = |key: &str| Some(current.text(key)).filter(|text| !text.is_empty());
        Ok(Self {
            proxy: text(setting::PROXY_URL).map(|url| Proxy {
                url,
                user: current.text(setting::PROXY_USER),
                password: current.text(setting::PROXY_PASSWORD),
            }),
            proxy_sync: current.flag(setting::PROXY_SYNC),
            proxy_content: current.flag(setting::PROXY_CONTENT),
            proxy_alerts: current.flag(setting::ALERT_PROXY),
            alerts_ca_file: text(setting::ALERT_CA_FILE).map(PathBuf::from),
            ca_file: text(setting::SYNC_CA_FILE).map(PathBuf::from),
            stall: Duration::from_secs(current.number(setting::SYNC_TIMEOUT)),
            name: current.text(setting::SERVER_NAME),
        })
    }

    /// The client for these terms.
    pub(super) fn client(&self, terms: &ClientTerms) -> Result<reqwest::Client, OutboundError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Weir/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(self.stall)
            .http1_only()
            .redirect(match terms.purpose {
                Purpose::Content => reqwest::redirect::Policy::limited(5),
                // a call that changes its address is no call of this protocol
                Purpose::Alert | Purpose::Link | Purpose::Sync => reqwest::redirect::Policy::none(),
            })
            .use_preconfigured_tls(self.tls(terms)?);
        builder = match self.proxy_of(terms.purpose) {
            Some(proxy) => {
                let mut through = reqwest::Proxy::all(&proxy.url).map_err(OutboundError::Proxy)?;
                if !proxy.user.is_empty() {
                    through = through.basic_auth(&proxy.user, &proxy.password);
                }
                builder.proxy(through)
            }
            // the site's settings say it all: no variable of the environment decides where metadata comes from
            None => builder.no_proxy(),
        };
        builder.build().map_err(OutboundError::Client)
    }

    /// The proxy for a purpose.
    pub(super) fn proxy_of(&self, purpose: Purpose) -> Option<&Proxy> {
        let wanted = match purpose {
            Purpose::Alert => self.proxy_alerts,
            Purpose::Content => self.proxy_content,
            Purpose::Link | Purpose::Sync => self.proxy_sync,
        };
        self.proxy.as_ref().filter(|_| wanted)
    }

    fn tls(&self, terms: &ClientTerms) -> Result<ClientConfig, OutboundError> {
        let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
        let wrong = |error: rustls::Error| OutboundError::Tls(error.to_string());
        let verifier: Arc<dyn ServerCertVerifier> = match &terms.trust {
            Trust::Authority(pem) => {
                let roots = certificates(pem.as_bytes()).map_err(OutboundError::Tls)?;
                Arc::new(Explaining::new(only(roots, &provider).map_err(OutboundError::Tls)?))
            }
            Trust::Fingerprint(sha256) => Arc::new(Pinned::new(*sha256, &provider)),
            Trust::System => Arc::new(Explaining::new(self.system(terms.purpose, &provider)?)),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(wrong)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &terms.identity {
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(wrong)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&terms.alpn);
        Ok(config)
    }

    /// The system's roots and those of `sync.ca_file`, for webhooks those of `alerts.ca_file`.
    fn system(
        &self,
        purpose: Purpose,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, OutboundError> {
        let (key, file) = match purpose {
            Purpose::Alert => (setting::ALERT_CA_FILE, &self.alerts_ca_file),
            _ => (setting::SYNC_CA_FILE, &self.ca_file),
        };
        let roots = match file {
            Some(path) => {
                roots(path).map_err(|why| OutboundError::CaFile { key, path: path.display().to_string(), why })?
            }
            None => Vec::new(),
        };
        match rustls_platform_verifier::Verifier::new_with_extra_roots(roots.clone(), Arc::clone(provider)) {
            Ok(verifier) => Ok(Arc::new(verifier)),
            // a machine without any root of its own: HTTPS needs sync.ca_file then, plain HTTP does not
            Err(_) if roots.is_empty() => Ok(Arc::new(Refusing::new(provider))),
            Err(error) => Err(OutboundError::Tls(error.to_string())),
        }
    }

    /// `server.name`, else the system's name.
    pub(crate) fn host_name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let system = fs::read_to_string("/proc/sys/kernel/hostname")
            .or_else(|_| fs::read_to_string("/etc/hostname"))
            .ok()
            .or_else(|| std::env::var("COMPUTERNAME").ok())
            .unwrap_or_default();
        dns_name(&system)
    }
}

/// The valid part of a name; `weir` if there is none.
fn dns_name(text: &str) -> String {
    let labels = text.trim().split('.').filter_map(|label| {
        let label: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(63).collect();
        let label = label.trim_matches('-').to_ascii_lowercase();
        (!label.is_empty()).then_some(label)
    });
    let mut name = labels.collect::<Vec<_>>().join(".");
    name.truncate(253);
    if name.is_empty() { "weir".to_owned() } else { name }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        if found.len() >= MOST_ROOTS {
            return Err(format!("more than {MOST_ROOTS} certificates"));
        }
        found.push(certificate.map_err(|error| format!("it is no PEM file of certificates ({error})"))?);
    }
    if found.is_empty() {
        return Err("it holds no certificate (PEM, \"BEGIN CERTIFICATE\")".to_owned());
    }
    Ok(found)
}

/// The certificates of a file of roots, each of them usable. Blocks.
pub(super) fn roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = file::small(path).map_err(|error| error.to_string())?;
    let roots = certificates(&bytes)?;
    // each root by itself: the system's verifier says nothing about which one is wrong
    only(roots.clone(), &Arc::new(aws_lc_rs::default_provider()))?;
    Ok(roots)
}

fn only(
    roots: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut store = RootCertStore::empty();
    for (number, root) in (1..).zip(roots) {
        store.add(root).map_err(|error| format!("certificate {number} of it is unusable ({error})"))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(provider)).build();
    verifier.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_becomes_a_valid_dns_name() {
        assert_eq!(dns_name("Server01.Example.com\n"), "server01.example.com");
        assert_eq!(dns_name("my_server"), "my-server");
        assert_eq!(dns_name("-a-.-.b"), "a.b");
        assert_eq!(dns_name(""), "weir");
        assert_eq!(dns_name("ümlaut"), "mlaut");
    }

    #[test]
    fn files_without_certificates_are_refused() {
        assert!(certificates(b"").is_err());
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err());
    }
}
