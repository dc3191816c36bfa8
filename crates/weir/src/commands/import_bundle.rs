//! Bundles among what `weir import` was given: found by their content, sent part by part in any order, then applied.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde::Deserialize;
use uuid::Uuid;
use weir_api::{
    List,
    bundle::{Bundle, BundleOffer, BundlePhase, BundleQuery, BundleState},
};
use weir_server::file;

use super::{Nothing, export::with};
use crate::{
    connection::{Connection, answer},
    fetch,
    progress::Progress,
    upload,
};

const POLL: Duration = Duration::from_millis(200);
/// Enough to tell what a file is.
const BEGINNING: u64 = 256;
/// Bytes of a manifest.
const LONGEST: u64 = 4 << 20;

/// Files of bundles.
#[derive(Debug, Default)]
pub(crate) struct Found {
    manifests: Vec<PathBuf>,
    parts: Vec<PathBuf>,
}

impl Found {
    /// Looks through files, and folders one level deep. True if a path that is a file is part of a bundle.
    pub(crate) fn look(&mut self, path: &Path) -> Result<bool> {
        if !path.is_dir() {
            return self.file(path);
        }
        let reading = || format!("cannot read the folder {}", path.display());
        let mut entries: Vec<PathBuf> = fs::read_dir(path)
            .with_context(reading)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .with_context(reading)?;
        entries.sort();
        let before = self.manifests.len() + self.parts.len();
        for entry in entries.iter().filter(|entry| entry.is_file()) {
            self.file(entry)?;
        }
        Ok(self.manifests.len() + self.parts.len() > before)
    }

    fn file(&mut self, path: &Path) -> Result<bool> {
        let start = upload::beginning(path, BEGINNING)?;
        // what is being fetched or written is not whole
        let unfinished = path.extension().is_some_and(|extension| extension == "partial");
        if unfinished {
            return Ok(start.starts_with(b"WEIRPART"));
        }
        if start.starts_with(b"WEIRPART") {
            self.parts.push(path.to_owned());
            return Ok(true);
        }
        let text = String::from_utf8_lossy(&start);
        if text.trim_start().starts_with('{') && text.contains("\"weir-bundle\"") {
            self.manifests.push(path.to_owned());
            return Ok(true);
        }
        Ok(start.starts_with(b"WEIRSIG"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.manifests.is_empty() && self.parts.is_empty()
    }
}

/// What a manifest says that is needed before the server checked it.
#[derive(Deserialize)]
struct Head {
    bundle: Uuid,
    sequence: u64,
}

/// Sends what was found and applies what is complete. Returns the bundles as they stand then.
pub(crate) async fn import(found: Found, force: bool, connection: &Connection) -> Result<Vec<Bundle>> {
    let mut manifests = Vec::new();
    for path in found.manifests {
        let bytes = upload::beginning(&path, LONGEST)?;
        let head: Head = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged: copy the bundle again", path.display()))?;
        manifests.push((head.sequence, head.bundle, path, bytes));
    }
    manifests.sort_by_key(|(sequence, bundle, ..)| (*sequence, *bundle));
    let mut outcome = Vec::new();
    let mut parts = found.parts;
    let manifest_count = manifests.len();
    for (_, _, path, bytes) in manifests {
        let signature_path = with(&path, ".sig");
        let signature = file::small(&signature_path).with_context(|| {
            format!("the signature of {} cannot be read: it is {}", path.display(), signature_path.display())
        })?;
        let offer =
            BundleOffer { manifest: BASE64_STANDARD.encode(bytes), signature: BASE64_STANDARD.encode(signature) };
        let request = connection.request(Method::POST, &["bundles"])?.query(&BundleQuery { force }).json(&offer);
        let mut bundle: Bundle = answer(connection.send(request).await?).await?;
        let wanted = bundle.clone();
        for part in wanted.parts.iter().filter(|part| !part.here) {
            let named = with(&path, &format!(".{:03}", part.number));
            // a damaged one may not look like a part any more: the server says what is wrong with it
            if named.is_file() {
                bundle = send(connection, &bundle, part.number, &named).await?;
            }
        }
        // what is left of these names was here already
        let prefix = with(&path, ".");
        parts.retain(|part| !is_part_of(part, &prefix));
        bundle = strays(&mut parts, bundle, connection).await?;
        outcome.push(finish(bundle, force, connection).await?);
    }
    if !parts.is_empty() {
        // further media of bundles whose manifest came before
        let known: List<Bundle> = connection.read(&["bundles"], &Nothing {}).await?;
        let mut receiving: Vec<Bundle> = known.items.into_iter().filter(|bundle| !bundle.missing.is_empty()).collect();
        receiving.sort_by_key(|bundle| bundle.sequence);
        for bundle in receiving {
            if outcome.iter().any(|done: &Bundle| done.id == bundle.id) {
                continue;
            }
            let before = parts.len();
            let bundle = strays(&mut parts, bundle, connection).await?;
            if parts.len() < before {
                outcome.push(finish(bundle, force, connection).await?);
            }
        }
        if outcome.is_empty() && manifest_count == 0 {
            bail!("these are parts of a bundle whose manifest is not here: import the medium with the manifest first");
        }
    }
    Ok(outcome)
}

/// Whether a path is named as the parts of a manifest are.
fn is_part_of(path: &Path, prefix: &Path) -> bool {
    path.as_os_str().to_string_lossy().starts_with(prefix.as_os_str().to_string_lossy().as_ref())
}

/// Sends parts that are recognised by number, size and digest, whatever they are called.
async fn strays(parts: &mut Vec<PathBuf>, mut bundle: Bundle, connection: &Connection) -> Result<Bundle> {
    let mut left = Vec::new();
    for path in std::mem::take(parts) {
        let head = upload::beginning(&path, 16)?;
        let number = head.get(12..16).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let size = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
        let wanted = bundle.parts.iter().find(|part| !part.here && Some(part.number) == number && part.size == size);
        match wanted.cloned() {
            Some(part) if fetch::digest(&path)? == part.sha256 => {
                bundle = send(connection, &bundle, part.number, &path).await?;
            }
            _ => left.push(path),
        }
    }
    *parts = left;
    Ok(bundle)
}

async fn send(connection: &Connection, bundle: &Bundle, number: u32, path: &Path) -> Result<Bundle> {
    let size = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    let mut progress = Progress::of_bytes("sending", size);
    progress.set(0, size);
    let request = connection
        .request(Method::PUT, &["bundles", &bundle.id.to_string(), "parts", &number.to_string()])?
        .body(fetch::body(path)?);
    let sent = connection.send(request).await.with_context(|| path.display().to_string())?;
    answer(sent).await
}

/// Applies a bundle that is complete, and waits for the outcome.
async fn finish(mut bundle: Bundle, force: bool, connection: &Connection) -> Result<Bundle> {
    if !bundle.missing.is_empty() || bundle.state == BundleState::Applied {
        return Ok(bundle);
    }
    let id = bundle.id.to_string();
    let request = connection.request(Method::POST, &["bundles", &id, "apply"])?.query(&BundleQuery { force });
    bundle = answer(connection.send(request).await?).await?;
    let mut progress: Option<Progress> = None;
    while bundle.state == BundleState::Applying {
        let (verb, bytes) = match bundle.phase {
            Some(BundlePhase::Content) => ("storing content", true),
            Some(BundlePhase::Documents) => ("storing documents", false),
            Some(BundlePhase::Publish) => ("publishing", false),
            Some(BundlePhase::Verify) | None => ("verifying", true),
        };
        progress = progress.filter(|progress| progress.verb() == verb);
        let fresh = || if bytes { Progress::of_bytes(verb, 0) } else { Progress::of_documents(verb, 0) };
        progress.get_or_insert_with(fresh).set(bundle.done, bundle.total);
        tokio::time::sleep(POLL).await;
        bundle = connection.read(&["bundles", &id], &Nothing {}).await?;
    }
    match (&bundle.state, &bundle.error) {
        (BundleState::Applied, _) => Ok(bundle),
        (BundleState::Committed, error) => Err(anyhow!(
            "the metadata of bundle {id} is applied, its content not: {}\nnext: import it again",
            error.as_deref().unwrap_or("it was interrupted")
        )),
        (_, error) => Err(anyhow!(
            "bundle {id} was not applied and nothing was changed: {}",
            error.as_deref().unwrap_or("it was interrupted")
        )),
    }
}
