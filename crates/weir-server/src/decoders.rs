//! How bytes and texts of peers are read where that is no part of any interface, for the fuzz targets and their replay (`fuzz/`).
//! Nothing that serves calls anything here: each function calls what serves, and says what came of it.
//!
//! *Invariant:* no function here decides or changes anything.

use std::{collections::BTreeMap, path::Path};

use rustls_pki_types::CertificateDer;
use weir_model::tls::CertificateFacts;

use crate::{
    bundle::{self, base::Has},
    config::{self, ConfigError, Settings},
    start,
};

pub use crate::{admin::decoders::*, sites::link_again, upstream::cookies_again};

/// The text of a `weir.toml` in a folder, with values of environment variables over it.
///
/// # Errors
///
/// What the command line would say of it.
pub fn process_settings(text: &str, variables: &BTreeMap<String, String>) -> Result<Settings, ConfigError> {
    config::text(Path::new("/weir/weir.toml"), text, &|name| variables.get(name).cloned())
}

/// What is said of a chain of certificates.
///
/// # Errors
///
/// One of them cannot be read, in words.
pub fn certificates(chain: &[&[u8]]) -> Result<Vec<CertificateFacts>, String> {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    start::facts(&chain)
}

/// Revisions and files that an inventory lists; none if it is refused.
pub fn inventory(bytes: &[u8]) -> Option<(usize, usize)> {
    match bundle::inventory::read(bytes).ok()? {
        Has::Listed { revisions, files, .. } => Some((revisions.len(), files.len())),
        Has::Issued { .. } | Has::Nothing => None,
    }
}
