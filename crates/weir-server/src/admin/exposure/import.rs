//! Taking documents: uploads, and what is stored of them.

use axum::extract::Multipart;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use weir_api::{
    List,
    exposure::{Document as Shown, Imported, ImportedFile, Outcome},
    list::ListQuery,
};
use weir_model::{
    exposure::{Arrival, Document, Limits, Stored, arrival, dated, read},
    ids::Sha256Digest,
};
use weir_store::exposure::DocumentRow;

use super::super::{AdminError, App, Caller, app::blocking, list, upload};

/// Files of one upload.
const MOST_FILES: usize = 20_000;
/// Characters kept of where a document came from.
const SOURCE: usize = 1_000;

/// Bytes that a document may have.
pub(super) fn most_bytes() -> usize {
    Limits::default().bytes
}

/// Documents, the one that was released last first.
pub(crate) async fn documents(app: &App, query: ListQuery) -> Result<List<Shown>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let rows = tx.exposure_documents()?.into_iter().map(shown);
        list::page(rows, |row| row.no.to_string(), query.cursor.as_deref(), limit)
    })
    .await
}

/// Forgets a document and what it said.
pub(crate) async fn delete(app: &App, caller: &Caller, no: u32) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        let row = tx.exposure_document_show(no)?;
        let row = row.ok_or_else(|| AdminError::missing("document", no, "weir exposure documents"))?;
        tx.exposure_document_delete(no)?;
        let before = json!({ "kind": row.kind.word(), "id": row.id, "version": row.stored.revision.version });
        tx.audit("exposure.document.delete", &no.to_string(), Some(&before), None)?;
        Ok(())
    })
    .await
}

/// Takes an upload: one file after the other, each for itself, so that a bad one costs nothing but itself. One file is in
/// memory at a time.
pub(crate) async fn upload(app: &App, caller: &Caller, mut form: Multipart) -> Result<Imported, AdminError> {
    let mut imported = Imported::default();
    let mut seen = 0;
    while let Some(mut part) = upload::next(&mut form, &mut seen).await? {
        if seen > MOST_FILES {
            return Err(AdminError::TooLarge(format!(
                "more than {MOST_FILES} files in one upload; send several uploads"
            )));
        }
        let name = part.name.clone();
        let (mut bytes, mut large) = (Vec::new(), false);
        while let Some(chunk) = part.chunk().await? {
            // the rest is read, so that the next file can be
            large |= bytes.len() + chunk.len() > most_bytes();
            if !large {
                bytes.extend_from_slice(&chunk);
            }
        }
        imported.files.push(if large { too_large(name) } else { take(app, caller, name, bytes).await? });
    }
    if imported.files.is_empty() {
        return Err(AdminError::invalid("upload", "the upload has no file"));
    }
    Ok(imported)
}

fn too_large(file: String) -> ImportedFile {
    let message = format!("the file has more than {} bytes", most_bytes());
    ImportedFile { file, outcome: Outcome::Rejected, document: None, message: Some(message) }
}

/// Reads a file and stores it, if it is newer than what is here.
pub(super) async fn take(app: &App, caller: &Caller, file: String, bytes: Vec<u8>) -> Result<ImportedFile, AdminError> {
    let parsed = blocking(move || {
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let document = read(&bytes, &Limits::default());
        Ok((document.and_then(|document| dated(&document, Timestamp::now()).map(|()| document)), digest))
    })
    .await?;
    let (document, digest) = match parsed {
        (Ok(document), digest) => (document, digest),
        (Err(error), _) => {
            let message = Some(error.to_string());
            return Ok(ImportedFile { file, outcome: Outcome::Rejected, document: None, message });
        }
    };
    let source: String = file.chars().take(SOURCE).collect();
    let (outcome, row) = app.write(caller, move |tx| store(tx, &document, digest, &source)).await?;
    let skipped = (row.skipped > 0).then(|| format!("{} vulnerabilities without a CVE id were left out", row.skipped));
    let message = match outcome {
        Outcome::Older => Some(format!(
            "version {} of {} is here already (document {} of weir exposure documents). If it is not genuine: weir exposure \
             forget {}",
            row.stored.revision.version, row.stored.revision.at, row.no, row.no
        )),
        _ => skipped,
    };
    tracing::info!(
        document = row.id,
        kind = row.kind.word(),
        outcome = ?outcome,
        "a document about vulnerabilities was imported"
    );
    Ok(ImportedFile { file, outcome, document: Some(shown(row)), message })
}

fn store(
    tx: &weir_store::WriteTx<'_>,
    document: &Document,
    digest: [u8; 32],
    source: &str,
) -> Result<(Outcome, DocumentRow), AdminError> {
    let known = tx.exposure_document_find(document.kind, &document.issuer, &document.id)?;
    let stored: Option<&Stored> = known.as_ref().map(|row| &row.stored);
    let outcome = match arrival(stored, &document.revision, &digest) {
        Arrival::Added => Outcome::Added,
        Arrival::Older => Outcome::Older,
        Arrival::Replaced => Outcome::Replaced,
        Arrival::Unchanged => Outcome::Unchanged,
    };
    let unchanged = matches!(outcome, Outcome::Older | Outcome::Unchanged);
    if let Some(row) = known.filter(|_| unchanged) {
        return Ok((outcome, row));
    }
    let no = tx.exposure_document_put(document, Sha256Digest(digest), source)?;
    let after = json!({
        "kind": document.kind.word(), "id": document.id, "version": document.revision.version,
        "current_at": document.revision.at, "cves": document.content.len(),
    });
    tx.audit("exposure.import", &no.to_string(), None, Some(&after))?;
    let row = tx.exposure_document_show(no)?;
    let row = row.ok_or_else(|| AdminError::Internal("a document vanished while it was stored".to_owned()))?;
    Ok((outcome, row))
}

/// A document in the form of the interface.
pub(super) fn shown(row: DocumentRow) -> Shown {
    Shown {
        no: row.no,
        kind: row.kind.word().to_owned(),
        id: row.id,
        issuer: row.issuer,
        title: row.title,
        version: row.stored.revision.version,
        current_at: row.stored.revision.at,
        released_at: row.released_at,
        cves: row.entries,
        skipped: row.skipped,
        source: row.source,
        imported_at: row.imported_at,
        imported_by: row.imported_by,
    }
}
