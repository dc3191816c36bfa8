//! Taking content files in: what some update names is stored, the rest refused.

use std::sync::Arc;

use axum::extract::Multipart;
use jiff::Timestamp;
use serde_json::json;
use weir_api::content::{ContentAdded, ContentError};
use weir_model::ids::ContentDigest;
use weir_store::{
    Actor, StoreError,
    content::{Content as _, ContentStore, Expected, Put, Stored},
    content_file::{self, ContentFileRow},
};

use super::MOST_ERRORS;
use crate::{
    admin::{AdminError, App, Caller, app::blocking, chain, upload},
    front::presence,
};

/// Kind of the alert about a file that is not what it should be.
pub(crate) const MISMATCH: &str = "content.mismatch";

/// Takes uploaded files: what some update names is stored, the rest refused.
pub(crate) async fn add(app: &App, caller: &Caller, mut form: Multipart) -> Result<ContentAdded, AdminError> {
    if presence::keeps_files_apart(app).await? {
        return Err(AdminError::Conflict {
            code: "front_ends",
            detail: "there are several front ends, and a file that is taken in here would not be on the others"
                .to_owned(),
            next_step: Some("give all of them one object store: content in weir.toml, or --content".to_owned()),
        });
    }
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
    let put = if app.state.content.objects().is_some() { sent(put, &expected, &extension).await? } else { put };
    let _one_at_a_time = app.shared().content.lock().await;
    let stored_extension = extension.clone();
    let stored = blocking(move || Ok(put.finish(&expected, &stored_extension)?)).await?;
    note(app, caller, stored, extension).await
}

/// Sends a file to the object store: large ones take long, and others are not to wait for them.
async fn sent(mut put: Put, expected: &Expected, extension: &str) -> Result<Put, AdminError> {
    let (expected, extension) = (expected.clone(), extension.to_owned());
    blocking(move || {
        put.send(&expected, &extension)?;
        Ok(put)
    })
    .await
}

/// Notes a file that lies at its place without a row, if it is what it should be. False, and the file put aside, if it is
/// not.
pub(crate) async fn take_in_place(
    app: &App,
    caller: &Caller,
    expected: Expected,
    extension: String,
) -> Result<bool, AdminError> {
    let Some(digest) = expected.digest else { return Ok(false) };
    let _one_at_a_time = app.shared().content.lock().await;
    let (content, looked) = (app.state.content.clone(), extension.clone());
    let verified = blocking(move || match content.verify(digest, &looked, &expected) {
        Ok(stored) => Ok(Some(stored)),
        Err(StoreError::ContentMismatch { .. } | StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    });
    match verified.await? {
        Some(stored) => note(app, caller, stored, extension).await.map(|()| true),
        None => Ok(false),
    }
}

/// Notes that a file is here and verified. The caller holds the lock of content.
pub(crate) async fn note(app: &App, caller: &Caller, stored: Stored, extension: String) -> Result<(), AdminError> {
    let now = Timestamp::now();
    let (digest, kept) = (stored.digest, extension.clone());
    let noted = app.write(caller, move |tx| {
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
        tx.content_rest_clear(stored.digest)?;
        tx.content_request_clear(stored.digest)?;
        if new {
            tx.audit("content.add", &subject, None, Some(&json!({ "bytes": stored.size })))?;
        }
        Ok(())
    });
    noted.await?;
    if app.state.is_shared() { still_there(app, digest, kept).await } else { Ok(()) }
}

/// Another front end that removes what nobody needs may have removed the file as this one took it in: then nobody may say that it is here.
async fn still_there(app: &App, digest: ContentDigest, extension: String) -> Result<(), AdminError> {
    let state = Arc::clone(&app.state);
    let there = blocking(move || {
        if state.content.size(digest, &extension)?.is_some() {
            return Ok(true);
        }
        let actor = Actor::system("content", Timestamp::now());
        state.store.write(&actor, |tx| tx.content_file_set_state(digest, content_file::ContentState::Lost))?;
        Ok(false)
    });
    if there.await? {
        return Ok(());
    }
    Err(AdminError::Unavailable("the file was removed by another front end as it came; take it in again".to_owned()))
}
