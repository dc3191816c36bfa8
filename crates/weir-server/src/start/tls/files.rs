//! An administrator's own certificate: two files that others renew while the server runs.
//!
//! Only contents count, not times, sizes or names: so it does not matter whether a tool writes in place, renames, or swaps a link to
//! another folder, and a file that was merely touched is not read into use again.

use std::{fs, path::Path, sync::Arc};

use jiff::Timestamp;
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

use super::protocol::Shown;
use crate::{config::TlsFiles, file};

/// SHA-256 of both contents.
pub(super) type Digest = [u8; 32];

/// Two files, and what is known of them.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) files: TlsFiles,
    /// What is shown; none if nothing of these files is.
    pub(super) loaded: Option<Digest>,
    /// When that was read.
    pub(super) at: Timestamp,
    /// Why what is in them now cannot be shown.
    pub(super) failed: Option<Failed>,
    /// Everybody on this machine can read the key.
    pub(super) exposed: bool,
}

/// What is in two files that cannot be used.
#[derive(Debug)]
pub(super) struct Failed {
    digest: Digest,
    pub(super) why: String,
    /// It was seen twice: it is no file that is just being written.
    pub(super) lasting: bool,
}

/// What came of looking at files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// Another certificate is shown.
    Changed,
    /// They cannot be used, which was not known.
    Fails,
    /// They can be used again, and are what is shown.
    Recovered,
    /// As before.
    Same,
}

/// The contents of two files.
struct Contents {
    certificate: Result<Vec<u8>, String>,
    key: Result<Vec<u8>, String>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Self {
        let read = |path: &Path| file::small(path).map_err(|error| format!("{}: {error}", path.display()));
        Self { certificate: read(&files.certificate), key: read(&files.key) }
    }

    fn digest(&self) -> Digest {
        let mut digest = Sha256::new();
        for content in [&self.certificate, &self.key] {
            match content {
                Ok(bytes) => digest.update(Sha256::digest(bytes)),
                Err(error) => digest.update(error),
            }
        }
        digest.finalize().into()
    }

    fn certified(&self, files: &TlsFiles) -> Result<CertifiedKey, String> {
        let certificate = self.certificate.as_ref().map_err(Clone::clone)?;
        let key = self.key.as_ref().map_err(Clone::clone)?;
        let chain = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("{}: {error}", files.certificate.display()))?;
        if chain.is_empty() {
            return Err(format!(
                "{}: it holds no certificate (PEM, \"BEGIN CERTIFICATE\")",
                files.certificate.display()
            ));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("{}: {}", files.key.display(), no_key(key, &error)))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("{} is not the key of {}", files.key.display(), files.certificate.display())
            }
            error => format!("{} with {}: {error}", files.certificate.display(), files.key.display()),
        })
    }
}

fn no_key(bytes: &[u8], error: &rustls_pki_types::pem::Error) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("ENCRYPTED") {
        return "the key is encrypted; give it without a passphrase, readable by the server alone".to_owned();
    }
    match error {
        rustls_pki_types::pem::Error::NoItemsFound => {
            "it holds no private key (PEM: PKCS #8, PKCS #1 or SEC 1)".to_owned()
        }
        error => error.to_string(),
    }
}

/// Reads files that must be usable.
pub(super) fn open(files: &TlsFiles, now: Timestamp) -> Result<(Watched, CertifiedKey), String> {
    let contents = Contents::read(files);
    let certified = contents.certified(files)?;
    let loaded = Some(contents.digest());
    let exposed = is_exposed(&files.key);
    Ok((Watched { files: files.clone(), loaded, at: now, failed: None, exposed }, certified))
}

impl Watched {
    /// Files that were not looked at yet.
    pub(super) fn new(files: TlsFiles, now: Timestamp) -> Self {
        Self { files, loaded: None, at: now, failed: None, exposed: false }
    }

    /// Looks at the files, and shows what is in them if it is new and good. What is bad is reported once it was seen twice, since
    /// it may be half written, and at once if it is `urgent`.
    pub(super) fn look(&mut self, shown: &Shown, now: Timestamp, urgent: bool) -> Look {
        let contents = Contents::read(&self.files);
        let digest = contents.digest();
        self.exposed = is_exposed(&self.files.key);
        if self.loaded == Some(digest) {
            let failed = self.failed.take();
            return if failed.is_some_and(|failed| failed.lasting) { Look::Recovered } else { Look::Same };
        }
        if let Some(failed) = self.failed.as_mut().filter(|failed| failed.digest == digest) {
            if failed.lasting {
                return Look::Same;
            }
            failed.lasting = true;
            return Look::Fails;
        }
        let usable = contents.certified(&self.files).and_then(|key| still_valid(&key, now).map(|()| key));
        match usable {
            Ok(key) => {
                shown.0.store(Arc::new(key));
                (self.loaded, self.at, self.failed) = (Some(digest), now, None);
                Look::Changed
            }
            Err(why) => {
                let was_lasting = self.failed.as_ref().is_some_and(|failed| failed.lasting);
                self.failed = Some(Failed { digest, why, lasting: urgent || was_lasting });
                if urgent || was_lasting { Look::Fails } else { Look::Same }
            }
        }
    }
}

/// A certificate that has ended takes the place of none.
fn still_valid(key: &CertifiedKey, now: Timestamp) -> Result<(), String> {
    let facts = super::facts::facts(key.cert.get(..1).unwrap_or_default())?;
    match facts.first() {
        Some(leaf) if leaf.not_after <= now => {
            Err(format!("the certificate ended on {}; the one before goes on", leaf.not_after))
        }
        _ => Ok(()),
    }
}

/// Whether everybody on this machine can read a file.
#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_path: &Path) -> bool {
    false
}
