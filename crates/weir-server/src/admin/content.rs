//! Content files: adding, verifying, repairing, collecting.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use axum::extract::Multipart;
use jiff::Timestamp;
use serde_json::json;
use weir_api::content::{
    ContentAdded, ContentCollected, ContentError, ContentFile, ContentList, ContentQuery, ContentRepaired,
    ContentState, ContentVerified,
};
use weir_model::ids::ContentDigest;
use weir_store::{
    ReadTx, StoreError,
    alert::AlertSeverity,
    content::{Content as _, ContentStore, Expected, Put, Stored},
    content_file::{self, ContentFileRow},
};

use super::{AdminError, App, Caller, app::blocking, chain, list, upload};

/// Errors that an answer gives.
pub(crate) const MOST_ERRORS: usize = 1_000;
/// Kind of the alert about a file that is not what it should be.
pub(crate) const MISMATCH: &str = "content.mismatch";
/// Rows read at once.
const PAGE: u32 = 1_000;
/// How often a check that finds bad files brings them to scans.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Content files by digest.
pub(crate) async fn list(app: &App, query: ContentQuery) -> Result<ContentList, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let totals = tx.content_file_totals()?;
        let mut missing = tx.deployment_files_missing(&crate::content::policy(tx)?)?;
        missing.sort_by_key(|file| file.digest);
        let (waiting_files, waiting_bytes) = (missing.len() as u64, missing.iter().map(|file| file.size).sum());
        let (items, next) = if query.state == Some(ContentState::Waiting) {
            let page = list::page(missing, |file| file.digest.to_hex(), query.cursor.as_deref(), limit)?;
            let items = page.items.into_iter().map(|file| {
                let error = failure(tx, file.digest)?;
                Ok(ContentFile {
                    digest: file.digest,
                    sha256: file.sha256,
                    name: file.name,
                    size: file.size,
                    state: ContentState::Waiting,
                    sources: tx.file_sources(file.digest)?.into_iter().map(|source| source.url).collect(),
                    error,
                })
            });
            (items.collect::<Result<Vec<_>, StoreError>>()?, page.next)
        } else {
            let wanted: HashSet<ContentDigest> = missing.iter().map(|file| file.digest).collect();
            stored(tx, &query, limit, &wanted)?
        };
        Ok(ContentList { items, next, files: totals.files, bytes: totals.bytes, waiting_files, waiting_bytes })
    })
    .await
}

fn stored(
    tx: &ReadTx<'_>,
    query: &ContentQuery,
    limit: u32,
    wanted: &HashSet<ContentDigest>,
) -> Result<(Vec<ContentFile>, Option<String>), AdminError> {
    let mut items = Vec::new();
    let mut cursor = query.cursor.clone();
    // pages of the store until enough rows are of the wanted state
    loop {
        let page = tx.content_file_list(cursor.as_deref(), limit - items.len() as u32)?;
        for row in page.items {
            let state = match row.state {
                content_file::ContentState::Verified => ContentState::Present,
                _ if wanted.contains(&row.digest) => ContentState::Waiting,
                _ => ContentState::Absent,
            };
            if query.state.is_some_and(|wanted| wanted != state) {
                continue;
            }
            items.push(ContentFile {
                digest: row.digest,
                sha256: Some(row.sha256),
                name: tx.file_name(row.digest)?.unwrap_or_default(),
                size: row.size,
                state,
                sources: tx.file_sources(row.digest)?.into_iter().map(|source| source.url).collect(),
                error: failure(tx, row.digest)?,
            });
        }
        cursor = page.next;
        if cursor.is_none() || items.len() >= limit as usize {
            return Ok((items, cursor));
        }
    }
}

fn failure(tx: &ReadTx<'_>, digest: ContentDigest) -> Result<Option<String>, StoreError> {
    let subject = digest.to_hex();
    let alerts = tx.alert_list(false, 1_000)?;
    let about = |kind: &str| kind == MISMATCH || kind == crate::jobs::DOWNLOAD_FAILED;
    Ok(alerts.into_iter().find(|alert| about(&alert.kind) && alert.subject == subject).map(|alert| alert.message))
}

/// Takes uploaded files: what some update names is stored, the rest refused.
pub(crate) async fn add(app: &App, caller: &Caller, mut form: Multipart) -> Result<ContentAdded, AdminError> {
    let mut result = ContentAdded::default();
    let mut seen = 0;
    while let Some(mut part) = upload::next(&mut form, &mut seen).await? {
        let name = part.name.clone();
        let content = app.state.content.clone();
        let mut put = blocking(move || Ok(content.put()?)).await?;
        while let Some(bytes) = part.chunk().await? {
            put = blocking(move || {
                put.write(&bytes)?;
                Ok(put)
            })
            .await?;
        }
        match take(app, caller, put).await {
            Ok(true) => result.added += 1,
            Ok(false) => result.unchanged += 1,
            Err(error @ (AdminError::Invalid { .. } | AdminError::Store(StoreError::ContentMismatch { .. }))) => {
                result.rejected += 1;
                if result.errors.len() < MOST_ERRORS {
                    result.errors.push(ContentError { file: name, message: chain(&error) });
                }
            }
            Err(error) => return Err(error),
        }
    }
    if seen == 0 {
        return Err(AdminError::invalid("upload", "the upload has no file"));
    }
    if result.added > 0 {
        app.publish().await?;
    }
    Ok(result)
}

/// Finishes one upload. True if the file is new.
async fn take(app: &App, caller: &Caller, put: Put) -> Result<bool, AdminError> {
    let (digest, _) = put.digests();
    let (expected, name, row) = app
        .read(move |tx| Ok((tx.file_expected(digest)?, tx.file_name(digest)?, tx.content_file_show(digest)?)))
        .await?;
    let Some((sha256, size)) = expected else {
        return Err(AdminError::invalid("unknown_file", format!("no update names a file with the SHA-1 {digest}")));
    };
    let extension = ContentStore::extension(&name.unwrap_or_default());
    let known = row.is_some_and(|row| row.state == content_file::ContentState::Verified);
    let expected = Expected { digest: Some(digest), sha256, size: Some(size) };
    store(app, caller, put, expected, extension).await?;
    Ok(!known)
}

/// Puts a file that was taken in to its place, if it is what it should be, and notes that it is here and verified.
pub(crate) async fn store(
    app: &App,
    caller: &Caller,
    put: Put,
    expected: Expected,
    extension: String,
) -> Result<(), AdminError> {
    let _one_at_a_time = app.shared().content.lock().await;
    let stored_extension = extension.clone();
    let stored = blocking(move || Ok(put.finish(&expected, &stored_extension)?)).await?;
    note(app, caller, stored, extension).await
}

async fn note(app: &App, caller: &Caller, stored: Stored, extension: String) -> Result<(), AdminError> {
    let now = Timestamp::now();
    app.write(caller, move |tx| {
        let new = tx.content_file_put(&ContentFileRow {
            digest: stored.digest,
            sha256: stored.sha256,
            size: stored.size,
            extension,
            state: content_file::ContentState::Verified,
            verified_at: now,
        })?;
        let subject = stored.digest.to_hex();
        tx.alert_close(MISMATCH, &subject)?;
        tx.alert_close(crate::jobs::DOWNLOAD_FAILED, &subject)?;
        if new {
            tx.audit("content.add", &subject, None, Some(&json!({ "bytes": stored.size })))?;
        }
        Ok(())
    })
    .await
}

/// Reads every stored file again. What is not as it should be is put aside and not served any more, and what was deployed
/// with it waits for it again.
pub(crate) async fn verify(app: &App, caller: &Caller) -> Result<ContentVerified, AdminError> {
    let mut result = ContentVerified::default();
    let (mut told, mut told_at) = (0, None);
    let mut cursor: Option<String> = None;
    loop {
        let from = cursor.clone();
        let page = app.read(move |tx| tx.content_file_list(from.as_deref(), PAGE)).await?;
        for row in page.items {
            if row.state != content_file::ContentState::Verified {
                continue;
            }
            result.checked += 1;
            match check(app, caller, &row).await? {
                None => result.good += 1,
                Some(message) => {
                    result.bad += 1;
                    if result.errors.len() < MOST_ERRORS {
                        result.errors.push(ContentError { file: row.digest.to_hex(), message });
                    }
                }
            }
            // a run may take hours, and computers must not be sent for what is gone until it ends
            if result.bad > told && told_at.is_none_or(|at: Instant| at.elapsed() >= TELL_EVERY) {
                app.publish().await?;
                (told, told_at) = (result.bad, Some(Instant::now()));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if result.bad > told {
        app.publish().await?;
    }
    Ok(result)
}

/// Reads one file again; why it is bad, if it is.
async fn check(app: &App, caller: &Caller, row: &ContentFileRow) -> Result<Option<String>, AdminError> {
    let _one_at_a_time = app.shared().content.lock().await;
    let (content, read) = (app.state.content.clone(), row.clone());
    let verified = blocking(move || {
        if content.size(read.digest, &read.extension)?.is_none() {
            return Ok(Err((content_file::ContentState::Lost, "the file is gone".to_owned())));
        }
        let expected = Expected { digest: Some(read.digest), sha256: Some(read.sha256), size: Some(read.size) };
        match content.verify(read.digest, &read.extension, &expected) {
            Ok(stored) => Ok(Ok(stored)),
            Err(error @ StoreError::ContentMismatch { .. }) => {
                Ok(Err((content_file::ContentState::Quarantined, chain(&error))))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    match verified {
        Ok(stored) => {
            note(app, caller, stored, row.extension.clone()).await?;
            Ok(None)
        }
        Err((state, message)) => {
            let (digest, text) = (row.digest, message.clone());
            app.write(caller, move |tx| {
                tx.content_file_set_state(digest, state)?;
                tx.alert_open(MISMATCH, &digest.to_hex(), AlertSeverity::Critical, &text)?;
                Ok(())
            })
            .await?;
            Ok(Some(message))
        }
    }
}

/// Verifies, then has what deployments miss fetched again.
pub(crate) async fn repair(app: &App, caller: &Caller) -> Result<ContentRepaired, AdminError> {
    let verified = verify(app, caller).await?;
    let (queued, without_source) = app
        .read(|tx| {
            let (mut queued, mut without) = (0, 0);
            for file in tx.deployment_files_missing(&crate::content::policy(tx)?)? {
                if tx.file_sources(file.digest)?.is_empty() { without += 1 } else { queued += 1 }
            }
            Ok((queued, without))
        })
        .await?;
    app.shared().wanted.notify_one();
    Ok(ContentRepaired {
        checked: verified.checked,
        bad: verified.bad,
        queued,
        without_source,
        errors: verified.errors,
    })
}

fn unreferenced(tx: &ReadTx<'_>) -> Result<Vec<ContentFileRow>, StoreError> {
    let (mut over, mut cursor) = (Vec::new(), None);
    loop {
        let page = tx.content_file_list(cursor.as_deref(), PAGE)?;
        for row in page.items {
            if row.state == content_file::ContentState::Verified && tx.content_use(row.digest)?.is_over(false) {
                over.push(row);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(over);
        }
    }
}

/// Removes files that no stored revision names.
pub(crate) async fn collect(app: &App, caller: &Caller, dry_run: bool) -> Result<ContentCollected, AdminError> {
    let rows = app.read(unreferenced).await?;
    let mut result =
        ContentCollected { dry_run, files: rows.len() as u64, bytes: rows.iter().map(|row| row.size).sum() };
    if dry_run {
        return Ok(result);
    }
    (result.files, result.bytes) = (0, 0);
    for row in rows {
        let (digest, size) = (row.digest, row.size);
        let _one_at_a_time = app.shared().content.lock().await;
        // the row first: a file without a row is never served, a row without its file would be; an update that names the
        // file may have come since
        let deleted = app
            .write(caller, move |tx| {
                let deleted = tx.content_use(digest)?.is_over(false) && tx.content_file_delete(digest)?;
                if deleted {
                    tx.audit("content.delete", &digest.to_hex(), Some(&json!({ "bytes": size })), None)?;
                }
                Ok(deleted)
            })
            .await?;
        if deleted {
            let content = app.state.content.clone();
            blocking(move || Ok(content.delete(digest, &row.extension)?)).await?;
            result.files += 1;
            result.bytes += size;
        }
    }
    Ok(result)
}
