//! Making a bundle.

use std::{collections::HashSet, io::Read as _};

use jiff::Timestamp;
use serde::Serialize as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use weir_api::export::{ExportContent, ExportFile, ExportPhase, ExportResult};
use weir_model::{
    ids::{ChangeNumber, ContentDigest, RevisionId, UpdateIdentity},
    targeting::DeploymentAction,
};
use weir_store::{
    Actor, ReadTx, Store,
    content::{Content as _, ContentStore},
    content_file::{ContentFileRow, ContentState},
    deployment::{Deployed, DeploymentFilter},
};
use weir_wire::bundle::{Counts, Document, FileHead, Issuer, Manifest, Source, section, write_record};

use super::{base::Has, key, parts::Parts};
use crate::{
    admin::AdminError,
    export::{Stopped, Work, order::order, package::hex},
    intent::{self, Kind, Object},
};

/// Documents read in one transaction.
const TOGETHER: usize = 256;
const PAGE: u32 = 1_000;
const PIECE: usize = 256 << 10;

/// What a bundle is to hold.
pub(crate) struct Wanted {
    /// What the receiver has.
    pub(crate) has: Has,
    /// Which content.
    pub(crate) content: ExportContent,
    /// Which decisions.
    pub(crate) kinds: Vec<Kind>,
    /// Largest part in bytes.
    pub(crate) part_bytes: u64,
}

/// What is in it, found out in one transaction.
struct Plan {
    change: ChangeNumber,
    revisions: Vec<(RevisionId, UpdateIdentity)>,
    /// All revisions have so many.
    licences: Vec<ContentDigest>,
    files: Vec<ContentDigest>,
    missing: u64,
    objects: Vec<Object>,
}

/// Makes the bundle. Blocks.
pub(crate) fn make(
    store: &Store,
    content: &ContentStore,
    server: Uuid,
    actor: &Actor,
    work: &Work,
    wanted: &Wanted,
) -> Result<ExportResult, Stopped> {
    let key = key::own(store, actor)?;
    let plan = store.try_read(|tx| plan(tx, wanted))?;
    let mut parts = Parts::new(work, wanted.part_bytes);
    let mut result = ExportResult {
        revisions: plan.revisions.len() as u64,
        files_missing: plan.missing,
        objects: plan.objects.len() as u64,
        ..ExportResult::default()
    };
    result.document_bytes = documents(store, work, &mut parts, &plan.revisions)?;
    sources(store, &mut parts, &plan.revisions)?;
    decisions(&mut parts, &wanted.kinds, &plan.objects)?;
    let mut issued = Vec::with_capacity(plan.licences.len() + plan.files.len());
    let total = store.try_read(|tx| {
        let mut total = 0;
        for digest in plan.licences.iter().chain(&plan.files) {
            total += tx.content_file_show(*digest)?.map_or(0, |row| row.size);
        }
        Ok::<_, Stopped>(total)
    })?;
    for (kind, digests, compress) in [(section::LICENCES, &plan.licences, true), (section::FILES, &plan.files, false)] {
        parts.section(kind, compress)?;
        for digest in digests {
            let row = store.read(|tx| tx.content_file_show(*digest))?;
            let Some(row) = row.filter(|row| row.state == ContentState::Verified) else {
                result.files_missing += 1;
                continue;
            };
            file(content, &mut parts, &row)?;
            result.files += 1;
            result.file_bytes += row.size;
            issued.push(*digest);
            work.progress(ExportPhase::Files, result.file_bytes, total);
        }
    }
    let (sections, made) = parts.finish()?;
    let id = Uuid::new_v4();
    let (base, base_bundle, change) = (wanted.has.base(), wanted.has.bundle(), plan.change);
    let sequence = store.write(actor, |tx| {
        let sequence = tx.bundle_issue(id, base_bundle, change, &issued)?;
        let facts = serde_json::json!({ "sequence": sequence, "revisions": result.revisions, "files": result.files });
        tx.audit("bundle.issue", &id.to_string(), None, Some(&facts))?;
        Ok(sequence)
    })?;
    let counts = Counts {
        revisions: result.revisions,
        files: result.files,
        file_bytes: result.file_bytes,
        files_missing: result.files_missing,
        objects: result.objects,
    };
    let issuer = Issuer { server, software: concat!("weir ", env!("CARGO_PKG_VERSION")).to_owned() };
    let manifest = Manifest::new(id, issuer, sequence, whole(actor.at), base, change.0, counts, sections, made);
    let manifest = manifest.to_bytes().map_err(super::parts::failed)?;
    let signature = key::sign(&key, &manifest)?.to_bytes();
    for (name, bytes) in [("signature", &signature), ("manifest", &manifest)] {
        std::fs::write(work.path(name), bytes).map_err(Stopped::Io)?;
        let sha256 = hex(&Sha256::digest(bytes));
        work.offer(ExportFile { name: name.to_owned(), size: bytes.len() as u64, sha256 });
    }
    result.bundle = Some(id);
    result.sequence = Some(sequence);
    result.signer = Some(key::shown(key::fingerprint(&key.public)));
    Ok(result)
}

/// To the second: more says nothing to anybody.
fn whole(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

fn plan(tx: &ReadTx<'_>, wanted: &Wanted) -> Result<Plan, Stopped> {
    let graph = tx.export_graph()?;
    let mut revisions = Vec::new();
    for row in order(&graph).into_iter().filter_map(|at| graph.revisions.get(at)) {
        let Some(update_id) = graph.updates.get(row.update_no as usize).copied().flatten() else { continue };
        let identity = UpdateIdentity { update_id, revision: row.revision };
        if !wanted.has.revision(identity, row.change) {
            revisions.push((row.id, identity));
        }
    }
    let mut plan = Plan {
        change: graph.change,
        revisions,
        licences: Vec::new(),
        files: Vec::new(),
        missing: 0,
        objects: Vec::new(),
    };
    drop(graph);
    let mut seen = HashSet::new();
    for (digest, here) in tx.export_licences()? {
        if seen.insert(digest) && !wanted.has.file(digest) {
            if here { plan.licences.push(digest) } else { plan.missing += 1 }
        }
    }
    let mut add = |digest, here| {
        if seen.insert(digest) && !wanted.has.file(digest) {
            if here { plan.files.push(digest) } else { plan.missing += 1 }
        }
    };
    match wanted.content {
        ExportContent::None => {}
        ExportContent::Deployed => deployed(tx, &mut add)?,
        ExportContent::All => all_content(tx, &mut add)?,
    }
    // by digest, so that the same choice gives the same parts
    plan.licences.sort_unstable();
    plan.files.sort_unstable();
    let mut since = wanted.has.decided().0;
    while !wanted.kinds.is_empty() {
        let page = intent::export_since(tx, &wanted.kinds, since)?;
        plan.objects.extend(page.objects);
        since = page.upto;
        if !page.more {
            break;
        }
    }
    Ok(plan)
}

fn all_content(tx: &ReadTx<'_>, add: &mut dyn FnMut(ContentDigest, bool)) -> Result<(), Stopped> {
    let mut cursor: Option<String> = None;
    loop {
        let page = tx.content_file_list(cursor.as_deref(), PAGE)?;
        for row in page.items.iter().filter(|row| row.state == ContentState::Verified) {
            add(row.digest, true);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Files of what deployments install.
fn deployed(tx: &ReadTx<'_>, add: &mut dyn FnMut(ContentDigest, bool)) -> Result<(), Stopped> {
    let policy = crate::content::policy(tx)?;
    let mut cursor: Option<String> = None;
    loop {
        let page = tx.deployment_list(&DeploymentFilter::default(), cursor.as_deref(), PAGE)?;
        for row in page.items {
            if !row.enabled || !matches!(row.action, DeploymentAction::Install | DeploymentAction::Optional) {
                continue;
            }
            let updates = match row.deployed {
                Deployed::Update { id, revision } => vec![(id, revision)],
                Deployed::Group(group) => {
                    let members = tx.update_group_show(group)?.map(|(_, members)| members).unwrap_or_default();
                    members.into_iter().map(|id| (id, None)).collect()
                }
            };
            for (id, revision) in updates {
                for file in tx.deployment_files(id, revision, &policy)?.iter().filter(|file| file.counts()) {
                    add(file.digest, file.is_here());
                }
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

fn documents(
    store: &Store,
    work: &Work,
    parts: &mut Parts<'_>,
    revisions: &[(RevisionId, UpdateIdentity)],
) -> Result<u64, Stopped> {
    parts.section(section::DOCUMENTS, true)?;
    let (mut done, mut bytes, mut record) = (0, 0, Vec::new());
    for group in revisions.chunks(TOGETHER) {
        store.try_read(|tx| {
            for (id, identity) in group {
                let Some(text) = tx.document_text(*id)? else {
                    return Err(Stopped::Failed(AdminError::Conflict {
                        code: "changed",
                        detail: format!("the catalogue lost {identity} while it was exported"),
                        next_step: Some("export again".to_owned()),
                    }));
                };
                record.clear();
                Document { identity: *identity, text: &text }.write(&mut record);
                parts.write(&record)?;
                parts.counted();
                bytes += text.len() as u64;
                done += 1;
            }
            Ok(())
        })?;
        work.progress(ExportPhase::Documents, done, revisions.len() as u64);
    }
    Ok(bytes)
}

/// Where the files of the revisions are offered, as far as their documents do not say it.
fn sources(store: &Store, parts: &mut Parts<'_>, revisions: &[(RevisionId, UpdateIdentity)]) -> Result<(), Stopped> {
    parts.section(section::SOURCES, true)?;
    let (mut seen, mut record) = (HashSet::new(), Vec::new());
    for group in revisions.chunks(TOGETHER) {
        store.try_read(|tx| {
            for (id, _) in group {
                for (digest, _, _) in tx.export_files(*id)? {
                    if !seen.insert(digest) {
                        continue;
                    }
                    for source in tx.file_sources(digest)?.into_iter().filter(|source| source.origin == "package") {
                        record.clear();
                        Source { digest, url: &source.url }.write(&mut record);
                        parts.write(&record)?;
                        parts.counted();
                    }
                }
            }
            Ok::<(), Stopped>(())
        })?;
    }
    Ok(())
}

fn decisions(parts: &mut Parts<'_>, kinds: &[Kind], objects: &[Object]) -> Result<(), Stopped> {
    for kind in kinds {
        parts.section(&format!("{}{kind}", section::INTENT), true)?;
        for object in objects.iter().filter(|object| object.kind == kind.name()) {
            let mut json = Vec::new();
            object
                .serialize(&mut serde_json::Serializer::new(&mut json))
                .map_err(|error| Stopped::Failed(AdminError::Internal(error.to_string())))?;
            let mut record = Vec::with_capacity(json.len() + 4);
            write_record(&mut record, &json);
            parts.write(&record)?;
            parts.counted();
        }
    }
    Ok(())
}

/// One content file, compared with its digest while it is read: what changed on disk must not be signed.
fn file(content: &ContentStore, parts: &mut Parts<'_>, row: &ContentFileRow) -> Result<(), Stopped> {
    let damaged = || {
        Stopped::Failed(AdminError::Conflict {
            code: "content_damaged",
            detail: format!("the content file {} is gone or not what it should be", row.digest),
            next_step: Some("weir content repair, then export again".to_owned()),
        })
    };
    let (mut source, size) = content.open(row.digest, &row.extension)?.ok_or_else(damaged)?;
    if size != row.size {
        return Err(damaged());
    }
    let mut head = Vec::new();
    let (digest, sha256) = (row.digest, row.sha256);
    FileHead { digest, sha256, size, extension: row.extension.clone() }.write(&mut head);
    parts.write(&head)?;
    let (mut hash, mut left, mut buffer) = (Sha256::new(), size, vec![0; PIECE]);
    while left > 0 {
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(PIECE));
        let space = buffer.get_mut(..wanted).unwrap_or_default();
        let read = source.read(space).map_err(Stopped::Io)?;
        if read == 0 {
            return Err(damaged());
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        hash.update(bytes);
        parts.write(bytes)?;
        left -= read as u64;
    }
    if hash.finalize().as_slice() != sha256.0 {
        return Err(damaged());
    }
    parts.counted();
    Ok(())
}
