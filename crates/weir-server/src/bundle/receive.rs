//! Taking a bundle in: manifest and signature first, then parts as they arrive.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use tempfile::NamedTempFile;
use uuid::Uuid;
use weir_api::{
    List,
    bundle::{Bundle, BundleOffer, BundlePart, BundlePhase, BundleState},
};
use weir_model::ids::Sha256Digest;
use weir_store::{
    ReadTx, StoreError,
    bundle::{self, PartState, ReceivedBundle},
};
use weir_wire::bundle::{Base, Manifest, Signature};

use super::{
    key::{fingerprint, holds, shown},
    parts::Hashed,
};
use crate::admin::{AdminError, App, Caller, blocking, chain};

/// Folder of parts that arrived, in the data folder.
const FOLDER: &str = "bundles";
/// Bytes that are written at once.
const CHUNK: usize = 1 << 20;

/// What bundles are doing in this process.
#[derive(Debug, Default)]
pub(crate) struct Bundles {
    pub(super) running: Mutex<HashMap<Uuid, Running>>,
    /// One bundle is applied at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// How far the application of a bundle is.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) at_work: bool,
    pub(super) phase: BundlePhase,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) error: Option<String>,
}

/// The folder of a bundle's parts.
pub(super) fn folder(app: &App, id: Uuid) -> PathBuf {
    app.process.data.join(FOLDER).join(id.to_string())
}

pub(super) fn part_path(app: &App, id: Uuid, number: u32) -> PathBuf {
    folder(app, id).join(number.to_string())
}

/// A stored manifest: it was checked when it came.
pub(super) fn manifest(row: &ReceivedBundle) -> Result<Manifest, AdminError> {
    Manifest::parse(row.manifest.as_bytes())
        .map_err(|error| AdminError::Internal(format!("the manifest of bundle {}: {}", row.id, chain(&error))))
}

fn altered(detail: String) -> AdminError {
    AdminError::Invalid {
        code: "bundle_altered",
        detail,
        next_step: Some("copy the bundle again; if that does not help, have it made again".to_owned()),
    }
}

/// Checks a manifest and its signature, and remembers it.
pub(crate) async fn offer(app: &App, caller: &Caller, force: bool, offer: BundleOffer) -> Result<Bundle, AdminError> {
    let decode = |what: &str, text: &str| {
        BASE64_STANDARD.decode(text).map_err(|_| AdminError::invalid("body", format!("the {what} is not base64")))
    };
    let (bytes, signature) = (decode("manifest", &offer.manifest)?, decode("signature", &offer.signature)?);
    let signature = Signature::parse(&signature).map_err(|error| altered(chain(&error)))?;
    if !holds(&signature, &bytes) {
        return Err(altered("the signature is not that of this manifest: one of the two was altered".to_owned()));
    }
    let signer = fingerprint(&signature.key);
    let own = app.state.server.0;
    let manifest = Manifest::parse(&bytes).map_err(|error| altered(chain(&error)))?;
    let text = String::from_utf8(bytes).map_err(|_| altered("the manifest is not UTF-8".to_owned()))?;
    let id = manifest.bundle;
    app.write(caller, move |tx| {
        trusted(tx, signer)?;
        if let Some(known) = tx.bundle_received_show(id)? {
            if known.manifest != text {
                return Err(altered(format!("another bundle with the id {id} came before")));
            }
            return Ok(());
        }
        crate::admin::import_allowed(tx, force)?;
        in_order(tx, &manifest, signer, own, force)?;
        tx.bundle_receive(id, signer, manifest.sequence, &text)?;
        let facts = serde_json::json!({ "signer": shown(signer), "sequence": manifest.sequence });
        tx.audit("bundle.receive", &id.to_string(), None, Some(&facts))?;
        Ok(())
    })
    .await?;
    show(app, id).await
}

/// Refuses what another than a trusted signer, or this site itself, has signed.
pub(super) fn trusted(tx: &ReadTx<'_>, signer: Sha256Digest) -> Result<(), AdminError> {
    let ours = || Ok::<_, StoreError>(tx.bundle_key()?.is_some_and(|key| fingerprint(&key.public) == signer));
    if tx.bundle_trust_show(signer)?.is_some() || ours()? { Ok(()) } else { Err(untrusted(&shown(signer))) }
}

fn untrusted(fingerprint: &str) -> AdminError {
    AdminError::Conflict {
        code: "untrusted_signer",
        detail: format!("the bundle is signed by {fingerprint}, whom this site does not trust"),
        next_step: Some(format!(
            "ask the sending site for its fingerprint (weir bundle key); if it is this one: weir bundle trust add {fingerprint}"
        )),
    }
}

/// Refuses a bundle that is older than what was applied, or builds on what is not here.
pub(super) fn in_order(
    tx: &ReadTx<'_>,
    manifest: &Manifest,
    signer: Sha256Digest,
    own: Uuid,
    force: bool,
) -> Result<(), AdminError> {
    if force {
        return Ok(());
    }
    if let Some(last) = tx.bundle_received_last(signer)?.filter(|last| *last >= manifest.sequence) {
        return Err(AdminError::Conflict {
            code: "bundle_older",
            detail: format!(
                "the bundle is number {} of its sender, and number {last} was applied before: it would bring older \
                 decisions back",
                manifest.sequence
            ),
            next_step: Some("import the newest bundle; --force takes this one all the same".to_owned()),
        });
    }
    let lacking = match manifest.base {
        None => None,
        Some(Base::Bundle { id, sequence }) => {
            let here = tx.bundle_received_show(id)?.is_some_and(|base| base.state != bundle::BundleState::Receiving);
            (!here).then(|| format!("it builds on bundle {id}, number {sequence}, which was not applied here"))
        }
        Some(Base::Inventory { server, .. }) => {
            (server != own).then(|| format!("it was made for the server {server}, and this one is {own}"))
        }
    };
    match lacking {
        None => Ok(()),
        Some(detail) => Err(AdminError::Conflict {
            code: "base_missing",
            detail,
            next_step: Some(
                "import what it builds on first, or a full bundle; --force takes this one all the same".to_owned(),
            ),
        }),
    }
}

/// Bundles that came here, newest first.
pub(crate) async fn list(app: &App) -> Result<List<Bundle>, AdminError> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "a method is not general over the transaction's lifetime"
    )]
    let (running, rows) = (at_work(app), app.read(|tx| tx.bundle_received_list()).await?);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let running = running.get(&row.id).cloned();
        items.push(describe(app, row, running).await?);
    }
    items.sort_by_key(|bundle| (std::cmp::Reverse(bundle.received_at), bundle.id));
    Ok(List { items, next: None })
}

pub(super) async fn find(app: &App, id: Uuid) -> Result<ReceivedBundle, AdminError> {
    let row = app.read(move |tx| tx.bundle_received_show(id)).await?;
    row.ok_or_else(|| AdminError::missing("bundle", id, "weir bundle list"))
}

/// One bundle.
pub(crate) async fn show(app: &App, id: Uuid) -> Result<Bundle, AdminError> {
    let running = at_work(app).remove(&id);
    let row = find(app, id).await?;
    describe(app, row, running).await
}

/// What bundles are being applied. It is looked at before the rows are read: what was not at work then has a row that says how it
/// ended.
fn at_work(app: &App) -> HashMap<Uuid, Running> {
    app.shared().bundles.running.lock().clone()
}

async fn describe(app: &App, row: ReceivedBundle, running: Option<Running>) -> Result<Bundle, AdminError> {
    let manifest = manifest(&row)?;
    let (id, signer) = (row.id, row.signer);
    let (parts, trusted) = app.read(move |tx| Ok((tx.bundle_parts(id)?, tx.bundle_trust_show(signer)?))).await?;
    let here = taken(app, id, parts).await?;
    let at_work = running.as_ref().is_some_and(|running| running.at_work);
    let error = running.as_ref().and_then(|running| running.error.clone());
    let state = match row.state {
        bundle::BundleState::Applied => BundleState::Applied,
        _ if at_work => BundleState::Applying,
        bundle::BundleState::Committed => BundleState::Committed,
        bundle::BundleState::Receiving if error.is_some() => BundleState::Failed,
        bundle::BundleState::Receiving => BundleState::Receiving,
    };
    let bytes = manifest.size();
    let all_here = row.state == bundle::BundleState::Applied;
    let parts: Vec<BundlePart> = (1..)
        .zip(manifest.parts)
        .map(|(number, part)| BundlePart {
            number,
            size: part.size,
            sha256: part.sha256,
            here: all_here || here.contains(&number),
        })
        .collect();
    let result = row.result.map(serde_json::from_value).transpose();
    Ok(Bundle {
        id: row.id,
        issuer: manifest.issuer.server,
        signer_name: trusted.map(|signer| signer.name).unwrap_or_default(),
        signer: shown(row.signer),
        sequence: row.sequence,
        created_at: manifest.created_at,
        received_at: row.received_at,
        state,
        phase: running.as_ref().filter(|running| running.at_work).map(|running| running.phase),
        done: running.as_ref().map_or(0, |running| running.done),
        total: running.as_ref().map_or(0, |running| running.total),
        revisions: manifest.counts.revisions,
        bytes,
        missing: parts.iter().filter(|part| !part.here).map(|part| part.number).collect(),
        parts,
        error,
        result: result.map_err(|error| AdminError::Internal(format!("what became of a bundle: {error}")))?,
    })
}

/// Which of the parts that came need not come again. The file of a part is where it was taken in: of several front ends, only those
/// that this one took are here.
async fn taken(app: &App, id: Uuid, parts: Vec<(u32, PartState)>) -> Result<BTreeSet<u32>, AdminError> {
    if !app.state.is_shared() {
        return Ok(parts.into_iter().map(|(number, _)| number).collect());
    }
    let parts: Vec<(u32, PartState, PathBuf)> =
        parts.into_iter().map(|(number, state)| (number, state, part_path(app, id, number))).collect();
    blocking(move || {
        let here = parts.into_iter().filter(|(_, state, path)| *state == PartState::Used || path.is_file());
        Ok(here.map(|(number, ..)| number).collect())
    })
    .await
}

/// Forgets a bundle of which nothing was applied, with its parts.
pub(crate) async fn forget(app: &App, caller: &Caller, id: Uuid) -> Result<(), AdminError> {
    find(app, id).await?;
    // not while it is applied
    let _turn = app.shared().bundles.turn.lock().await;
    app.write(caller, move |tx| {
        if !tx.bundle_forget(id)? {
            return Err(AdminError::Conflict {
                code: "bundle_applied",
                detail: "the bundle was applied, and is remembered so that no older one replaces it".to_owned(),
                next_step: None,
            });
        }
        tx.audit("bundle.forget", &id.to_string(), None, None)?;
        Ok(())
    })
    .await?;
    app.shared().bundles.running.lock().remove(&id);
    remove(&folder(app, id));
    Ok(())
}

/// Removes the parts of a bundle.
pub(super) fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %folder.display(), %error, "parts of a bundle could not be removed");
    }
}

/// Takes one part in. It is kept when its length and digest are those of the manifest.
pub(crate) async fn part(
    app: &App,
    caller: &Caller,
    id: Uuid,
    number: u32,
    body: axum::body::Body,
) -> Result<Bundle, AdminError> {
    let row = find(app, id).await?;
    let manifest = manifest(&row)?;
    let index = (number as usize).checked_sub(1);
    let wanted = index.and_then(|index| manifest.parts.get(index)).cloned().ok_or_else(|| AdminError::NotFound {
        kind: "part",
        id: number.to_string(),
        next_step: Some(format!("the bundle has {} parts, from 1", manifest.parts.len())),
    })?;
    let known = app.read(move |tx| tx.bundle_parts(id)).await?;
    let known = taken(app, id, known).await?;
    if row.state == bundle::BundleState::Applied || known.contains(&number) {
        return show(app, id).await;
    }
    let folder = folder(app, id);
    let path = part_path(app, id, number);
    let mut sink = blocking(move || {
        std::fs::create_dir_all(&folder).map_err(|error| disk(&error))?;
        Ok(Hashed::new(NamedTempFile::new_in(&folder).map_err(|error| disk(&error))?))
    })
    .await?;
    let mut stream = body.into_data_stream();
    let (mut size, mut gathered) = (0, bytes::BytesMut::new());
    loop {
        let next = stream.next().await.transpose();
        let next = next.map_err(|error| AdminError::Invalid {
            code: "upload",
            detail: format!("the upload broke off: {error}"),
            next_step: Some("send it again".to_owned()),
        })?;
        let ended = next.is_none();
        if let Some(bytes) = next {
            size += bytes.len() as u64;
            if size > wanted.size {
                return Err(damaged(number, &format!("it is longer than its {} bytes", wanted.size)));
            }
            gathered.extend_from_slice(&bytes);
        }
        if ended || gathered.len() >= CHUNK {
            let bytes = gathered.split().freeze();
            sink = blocking(move || {
                sink.write_all(&bytes).map_err(|error| disk(&error))?;
                Ok(sink)
            })
            .await?;
        }
        if ended {
            break;
        }
    }
    if size != wanted.size {
        return Err(damaged(number, &format!("it has {size} bytes instead of {}", wanted.size)));
    }
    blocking(move || {
        let (file, sha256) = sink.finish();
        if sha256 != wanted.sha256 {
            return Err(damaged(number, "its digest is not that of the manifest"));
        }
        file.as_file().sync_all().map_err(|error| disk(&error))?;
        let folder = path.parent().map(Path::to_owned);
        file.persist(&path).map_err(|error| disk(&error.error))?;
        // the row below says that it is there: the name must be as durable
        #[cfg(unix)]
        for folder in folder.iter().flat_map(|folder| [Some(folder.as_path()), folder.parent()]).flatten() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| disk(&error))?;
        }
        #[cfg(not(unix))]
        drop(folder);
        Ok(())
    })
    .await?;
    app.write(caller, move |tx| {
        // it may have been applied or forgotten meanwhile
        if tx.bundle_received_show(id)?.is_some_and(|row| row.state == bundle::BundleState::Receiving) {
            tx.bundle_part_put(id, number, PartState::Here)?;
        }
        Ok(())
    })
    .await?;
    show(app, id).await
}

fn damaged(number: u32, why: &str) -> AdminError {
    altered(format!("part {number} was altered: {why}"))
}

fn disk(error: &std::io::Error) -> AdminError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            AdminError::Store(StoreError::DiskFull { action: "taking in a part of a bundle" })
        }
        _ => AdminError::Internal(format!("taking in a part of a bundle: {error}")),
    }
}
