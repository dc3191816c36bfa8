//! Certificates of the listeners.
//!
//! An authority of this data folder's own (`tls/ca.pem`, `tls/ca.key`) is made on the first start and kept; it signs a
//! leaf that is made anew on each start, every month, and when its names change. Both are ECDSA P-256: agents of Windows 8.1 and
//! Server 2012 R2 fail the handshake with an RSA leaf under rustls, which has no RSA key exchange and no CBC suites. Certificates of
//! an administrator's own come from files, which are looked at again and again.
//!
//! *Invariant:* a listener always shows a certificate with its key. What cannot be used never takes the place of what can.

mod authority;
mod clients;
mod facts;
mod files;
mod handshake;
mod protocol;

#[cfg(test)]
mod tests;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use parking_lot::Mutex;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use weir_model::tls::{CertificateFacts, Minimum};

use self::{
    authority::{Authority, LEAF_RENEW, leaf_names},
    files::{Look, Watched},
    protocol::{ByName, Shown},
};
pub(crate) use self::{
    facts::facts,
    handshake::{REASONS as HANDSHAKE_FAILURES, TIMEOUT, reason},
    protocol::{LINK_PROTOCOL, suites},
};
use super::StartError;
use crate::{
    config::{self, TlsChoice, TlsFiles},
    file,
};

/// What computers and servers are shown.
pub(crate) const CLIENT: &str = "client";
/// What administrators are shown.
pub(crate) const ADMIN: &str = "admin";
/// What is made here.
pub(crate) const OWN: &str = "own";
/// The configuration file, as the subject of a failure.
const SETTINGS: &str = "settings";

/// Makes rustls use aws-lc-rs, once per process. Two providers in a build without this make rustls panic.
pub(crate) fn install_provider() {
    // an error means that this or another part of the process installed one before
    let _ = aws_lc_rs::default_provider().install_default();
}

/// The certificates of one process.
#[derive(Debug)]
pub(crate) struct Certificates {
    authority: Authority,
    /// The leaf that the authority signed.
    own: Arc<Shown>,
    /// What computers and servers are shown: the own leaf, or what files hold.
    client: Arc<Shown>,
    /// What administrators are shown who come by a name.
    admin: Arc<Shown>,
    /// The configuration file.
    settings: PathBuf,
    /// Addresses of listeners, which the own leaf is for.
    addresses: Vec<String>,
    minimum: Minimum,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What the settings say, as of the last good reading.
    choice: TlsChoice,
    /// The digest of the configuration file that this is from; none if there is none.
    read: Option<files::Digest>,
    /// The digest that was seen once, and is not read yet.
    half_read: Option<Half>,
    /// Why it cannot be read now, and its digest then.
    unread: Option<(Option<files::Digest>, String)>,
    /// Names of the own leaf, and when it was made.
    names: Vec<String>,
    made: Timestamp,
    /// Why the own leaf could not be made anew.
    unmade: Option<String>,
    client: Option<Watched>,
    admin: Option<Watched>,
}

/// The digest of a configuration file, none if there is no such file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Half(Option<files::Digest>);

/// What came of looking at everything that certificates are made of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Looked {
    /// What is shown anew: `client`, `admin`, `own`.
    pub(crate) changed: Vec<&'static str>,
    /// What failed and did not before: the same, or `settings`.
    pub(crate) failed: Vec<&'static str>,
    /// Something failed that did not before, or works again.
    pub(crate) turned: bool,
}

/// A certificate that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// [`CLIENT`], [`ADMIN`] or [`OWN`].
    pub(crate) plane: &'static str,
    /// The files that it is from; none for the own one.
    pub(crate) files: Option<TlsFiles>,
    /// What it says, leaf first.
    pub(crate) chain: Vec<CertificateFacts>,
    /// When it was made or read.
    pub(crate) since: Timestamp,
    /// Everybody on this machine can read its key.
    pub(crate) exposed: bool,
}

impl Certificates {
    /// Reads or makes the authority below `folder` and a leaf. `settings` is the configuration file that `choice` is from,
    /// `addresses` are those of listeners, `server_name` is what the site is called.
    pub(crate) fn open(
        folder: &Path,
        choice: TlsChoice,
        settings: PathBuf,
        addresses: Vec<String>,
        server_name: &str,
        now: Timestamp,
    ) -> Result<Self, StartError> {
        let authority = Authority::open(folder, now)?;
        let names = names(&choice, &addresses, server_name);
        let own = Arc::new(Shown(ArcSwap::from_pointee(authority.leaf(&names, now)?)));
        let open = |files: Option<&TlsFiles>| match files {
            None => Ok((None, Arc::new(Shown(ArcSwap::new(own.0.load_full()))))),
            Some(files) => {
                let (watched, key) = files::open(files, now).map_err(|error| tls("the certificate", error))?;
                Ok::<_, StartError>((Some(watched), Arc::new(Shown(ArcSwap::from_pointee(key)))))
            }
        };
        let (client_files, client) = open(choice.client.as_ref())?;
        let (admin_files, admin) = open(choice.admin.as_ref())?;
        let minimum = choice.minimum;
        let read = digest_of(&settings).unwrap_or_default();
        let state = State {
            choice,
            read,
            half_read: None,
            unread: None,
            names,
            made: now,
            unmade: None,
            client: client_files,
            admin: admin_files,
        };
        Ok(Self { authority, own, client, admin, settings, addresses, minimum, state: Mutex::new(state) })
    }

    /// Looks at the configuration file, the names and the files, and shows what is new. What fails is reported once it lasts,
    /// and at once if it is `urgent`. Blocks.
    pub(crate) fn look(
        &self,
        server_name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
        now: Timestamp,
        urgent: bool,
    ) -> Looked {
        let mut state = self.state.lock();
        let state = &mut *state;
        let mut looked = Looked { turned: self.read_again(state, environment, urgent), ..Looked::default() };
        if looked.turned && state.unread.is_some() {
            looked.failed.push(SETTINGS);
        }
        self.renew(state, server_name, now, &mut looked);
        let planes = [
            (CLIENT, &state.choice.client, &mut state.client, &self.client),
            (ADMIN, &state.choice.admin, &mut state.admin, &self.admin),
        ];
        for (plane, chosen, watched, shown) in planes {
            let Some(files) = chosen else {
                let own = self.own.0.load_full();
                looked.turned |= watched.take().is_some_and(|watched| watched.failed.is_some());
                if !Arc::ptr_eq(&shown.0.load_full(), &own) {
                    shown.0.store(own);
                    looked.changed.push(plane);
                }
                continue;
            };
            if watched.as_ref().is_none_or(|watched| watched.files != *files) {
                *watched = Some(Watched::new(files.clone(), now));
            }
            let Some(watched) = watched else { continue };
            let look = watched.look(shown, now, urgent);
            match look {
                Look::Changed => {
                    tracing::info!(plane, certificate = %files.certificate.display(), "a new certificate is shown");
                    looked.changed.push(plane);
                    looked.turned = true;
                }
                Look::Fails => {
                    let why = watched.failed.as_ref().map(|failed| failed.why.as_str()).unwrap_or_default();
                    tracing::warn!(plane, why, "a new certificate cannot be used; the one before goes on");
                    looked.failed.push(plane);
                    looked.turned = true;
                }
                Look::Recovered => looked.turned = true,
                Look::Same => {}
            }
        }
        looked
    }

    /// Reads the configuration file again if it is another, and was so twice: half of a file may be a good one that says
    /// less. True if that failed, or works again.
    fn read_again(&self, state: &mut State, environment: &dyn Fn(&str) -> Option<String>, urgent: bool) -> bool {
        let digest = match digest_of(&self.settings) {
            Ok(digest) => digest,
            Err(why) => return said(state, None, why),
        };
        if digest == state.read {
            state.half_read = None;
            return state.unread.take().is_some();
        }
        if !urgent && state.half_read != Some(Half(digest)) {
            state.half_read = Some(Half(digest));
            return false;
        }
        if state.unread.as_ref().is_some_and(|(known, _)| *known == digest) {
            return false;
        }
        if digest.is_none() {
            let why = format!("{} is gone; what it said of certificates goes on", self.settings.display());
            return said(state, digest, why);
        }
        match config::tls_again(&self.settings, environment) {
            Ok(choice) => {
                if choice.minimum != self.minimum {
                    tracing::warn!("tls.minimum changes when the server is started the next time");
                }
                (state.choice, state.read) = (choice, digest);
                state.unread.take().is_some()
            }
            Err(error) => said(state, digest, error.to_string()),
        }
    }

    /// Makes the own leaf anew if it is old or is for other names.
    fn renew(&self, state: &mut State, server_name: &str, now: Timestamp, looked: &mut Looked) {
        let names = names(&state.choice, &self.addresses, server_name);
        if names == state.names && now.duration_since(state.made).abs() < LEAF_RENEW {
            return;
        }
        match self.authority.leaf(&names, now) {
            Ok(leaf) => {
                self.own.0.store(Arc::new(leaf));
                (state.names, state.made) = (names, now);
                looked.changed.push(OWN);
                looked.turned |= state.unmade.take().is_some();
            }
            Err(error) => {
                let why = error.to_string();
                if state.unmade.as_ref() != Some(&why) {
                    tracing::error!(why, "the certificate could not be renewed; it is tried again");
                    state.unmade = Some(why);
                    looked.failed.push(OWN);
                    looked.turned = true;
                }
            }
        }
    }

    /// What cannot be used now, and why.
    pub(crate) fn failures(&self) -> Vec<(&'static str, String)> {
        let state = self.state.lock();
        let files = [(CLIENT, &state.client), (ADMIN, &state.admin)].map(|(plane, watched)| {
            let failed = watched.as_ref()?.failed.as_ref().filter(|failed| failed.lasting)?;
            Some((plane, failed.why.clone()))
        });
        let settings = state.unread.as_ref().map(|(_, why)| (SETTINGS, why.clone()));
        let own = state.unmade.as_ref().map(|why| (OWN, why.clone()));
        files.into_iter().chain([settings, own]).flatten().collect()
    }

    /// What is shown: of a plane without files of its own the own certificate, which is listed once more by itself.
    pub(crate) fn standing(&self) -> Result<Vec<Standing>, String> {
        let state = self.state.lock();
        let own = (OWN, &None, &self.own);
        let all = [(CLIENT, &state.client, &self.client), (ADMIN, &state.admin, &self.admin), own];
        let standing = all.into_iter().map(|(plane, watched, shown)| {
            Ok(Standing {
                plane,
                files: watched.as_ref().map(|watched| watched.files.clone()),
                chain: facts(&shown.0.load().cert)?,
                since: watched.as_ref().map_or(state.made, |watched| watched.at),
                exposed: watched.as_ref().is_some_and(|watched| watched.exposed),
            })
        });
        standing.collect()
    }

    /// The own authority.
    pub(crate) fn authority(&self) -> Result<CertificateFacts, String> {
        let der = self.authority_der().map_err(|error| error.to_string())?;
        facts(&[der])?.into_iter().next().ok_or_else(|| "tls/ca.pem holds no certificate".to_owned())
    }

    /// The certificate of the own authority.
    pub(crate) fn authority_der(&self) -> Result<CertificateDer<'static>, StartError> {
        CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).map_err(|error| tls("tls/ca.pem", error))
    }

    /// The lowest version of TLS that is spoken.
    pub(crate) fn minimum(&self) -> Minimum {
        self.minimum
    }

    /// For the admin plane: those who come by an address or `localhost`, such as the command line of this machine, are shown the
    /// own certificate, so that they trust exactly `tls/ca.pem`. With `authorities` (PEM) they are asked for certificates that one of
    /// these signed; who has none is let in, and proves otherwise who it is.
    pub(crate) fn admin(&self, authorities: Option<&Path>) -> Result<Arc<ServerConfig>, StartError> {
        let shown = ByName { own: Arc::clone(&self.own), named: Arc::clone(&self.admin) };
        let clients = authorities.map_or_else(|| Ok(protocol::nobody()), clients::signed_by)?;
        protocol::server(Arc::new(shown), self.minimum, clients)
    }

    /// For the client and server planes.
    pub(crate) fn client(&self) -> Result<Arc<ServerConfig>, StartError> {
        let shown: Arc<Shown> = Arc::clone(&self.client);
        protocol::server(shown, self.minimum, protocol::nobody())
    }

    /// For connections of the site link on the client and server listeners.
    pub(crate) fn link(&self) -> Result<Arc<ServerConfig>, StartError> {
        let shown: Arc<Shown> = Arc::clone(&self.client);
        protocol::link(shown)
    }

    /// What a server that enrols here recognises this one by. It changes with the certificate.
    pub(crate) fn pin(&self) -> Result<Pin, StartError> {
        let digest = |der: &[u8]| <[u8; 32]>::from(Sha256::digest(der));
        if self.client_is_own() {
            return Ok(Pin { fingerprint: digest(&self.authority_der()?), authority: None });
        }
        let shown = self.client.0.load();
        let leaf = shown.cert.first().ok_or_else(|| tls("the certificate", "it is not there"))?;
        // the authority signs for other servers, too: it is only trusted together with the name
        let authority = (shown.cert.len() > 1).then(|| shown.cert.last()).flatten();
        Ok(Pin { fingerprint: digest(leaf), authority: authority.map(|der| pem(der)) })
    }

    /// Whether the client plane shows the own certificate, which computers must be told to trust.
    pub(crate) fn client_is_own(&self) -> bool {
        Arc::ptr_eq(&self.client.0.load_full(), &self.own.0.load_full())
    }
}

/// Notes why the configuration file cannot be read. True if that is news.
fn said(state: &mut State, digest: Option<files::Digest>, why: String) -> bool {
    let news = state.unread.as_ref().is_none_or(|(_, known)| *known != why);
    if news {
        tracing::warn!(why, "what is said of certificates cannot be read; what was said before goes on");
    }
    state.unread = Some((digest, why));
    news
}

/// The digest of a file; none if there is no such file.
fn digest_of(path: &Path) -> Result<Option<files::Digest>, String> {
    match file::small(path) {
        Ok(bytes) => Ok(Some(Sha256::digest(&bytes).into())),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Names of the own leaf.
fn names(choice: &TlsChoice, addresses: &[String], server_name: &str) -> Vec<String> {
    let added = choice.names.iter().chain(addresses).map(String::as_str);
    leaf_names(added.chain([server_name]))
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

/// What this machine is called.
pub(crate) fn machine_name() -> Option<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    let host = host.trim().to_ascii_lowercase();
    let is_name = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    is_name.then_some(host)
}

/// Random bytes for keys, codes and tokens.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    ::aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StartError::Random)?;
    Ok(bytes)
}

fn tls(subject: impl fmt::Display, reason: impl fmt::Display) -> StartError {
    StartError::Tls { subject: subject.to_string(), reason: reason.to_string() }
}
