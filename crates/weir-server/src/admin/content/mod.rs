//! Content files: listing, adding, how fetching stands, what it would need, long work on them.

mod awaited;
mod forecast;
mod jobs;
mod status;
mod store;

use std::collections::HashMap;

use weir_api::content::{ContentFile, ContentList, ContentQuery, ContentState};
use weir_model::ids::ContentDigest;
use weir_store::{ReadTx, StoreError, content_file, content_need::NeededFile};

use self::awaited::Awaited;
pub(crate) use self::{
    awaited::Kept as Awaiting,
    forecast::{Kept as Forecasts, forecast, of_files, problem},
    jobs::{cancel, job, jobs, start},
    status::status,
    store::{MISMATCH, add, note, store, take_in_place},
};
use super::{AdminError, App, list};
use crate::{content, jobs::downloads};

/// Errors that an answer gives.
pub(crate) const MOST_ERRORS: usize = 1_000;

/// Content files by digest.
pub(crate) async fn list(app: &App, query: ContentQuery) -> Result<ContentList, AdminError> {
    let limit = list::limit(query.limit)?;
    let awaited = Awaited::current(app).await?;
    app.try_read(move |tx| {
        let totals = tx.content_file_totals()?;
        let (missing, as_of) = (&awaited.value.files, awaited.as_of);
        let (waiting_files, waiting_bytes) = (missing.len() as u64, missing.iter().map(|file| file.size).sum());
        let describe = Describe::new(tx)?;
        let (items, next) = if query.state == Some(ContentState::Waiting) {
            let page = list::page(missing, |file| file.digest.to_hex(), query.cursor.as_deref(), limit)?;
            let items = page.items.into_iter().map(|file: &NeededFile| {
                Ok(ContentFile {
                    digest: file.digest,
                    sha256: file.sha256,
                    size: file.size,
                    state: ContentState::Waiting,
                    sources: describe.sources(tx, file.digest, &file.name)?,
                    error: describe.failure(file.digest),
                    name: file.name.clone(),
                })
            });
            (items.collect::<Result<Vec<_>, StoreError>>()?, page.next)
        } else {
            stored(tx, &query, limit, missing, &describe)?
        };
        Ok(ContentList { items, next, files: totals.files, bytes: totals.bytes, waiting_files, waiting_bytes, as_of })
    })
    .await
}

fn stored(
    tx: &ReadTx<'_>,
    query: &ContentQuery,
    limit: u32,
    missing: &[NeededFile],
    describe: &Describe,
) -> Result<(Vec<ContentFile>, Option<String>), AdminError> {
    let mut items = Vec::new();
    let mut cursor = query.cursor.clone();
    // pages of the store until enough rows are of the wanted state
    loop {
        let page = tx.content_file_list(cursor.as_deref(), limit - items.len() as u32)?;
        for row in page.items {
            let state = match row.state {
                content_file::ContentState::Verified => ContentState::Present,
                _ if missing.binary_search_by_key(&row.digest, |file| file.digest).is_ok() => ContentState::Waiting,
                _ => ContentState::Absent,
            };
            if query.state.is_some_and(|wanted| wanted != state) {
                continue;
            }
            let name = tx.file_name(row.digest)?.unwrap_or_default();
            items.push(ContentFile {
                digest: row.digest,
                sha256: Some(row.sha256),
                size: row.size,
                state,
                sources: describe.sources(tx, row.digest, &name)?,
                error: describe.failure(row.digest),
                name,
            });
        }
        cursor = page.next;
        if cursor.is_none() || items.len() >= limit as usize {
            return Ok((items, cursor));
        }
    }
}

/// What is told of files beside their rows.
struct Describe {
    failures: HashMap<ContentDigest, String>,
    /// The root of the upstream server's content.
    upstream: Option<String>,
}

impl Describe {
    fn new(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let mut failures: HashMap<ContentDigest, String> =
            tx.content_rest_list()?.into_iter().map(|rest| (rest.digest, rest.reason)).collect();
        for alert in tx.alert_list(false, 1_000)?.into_iter().filter(|alert| alert.kind == MISMATCH) {
            if let Ok(digest) = ContentDigest::from_hex(&alert.subject) {
                failures.insert(digest, alert.message);
            }
        }
        Ok(Self { failures, upstream: content::upstream::address(tx)? })
    }

    fn failure(&self, digest: ContentDigest) -> Option<String> {
        self.failures.get(&digest).cloned()
    }

    fn sources(&self, tx: &ReadTx<'_>, digest: ContentDigest, name: &str) -> Result<Vec<String>, StoreError> {
        let above = self.upstream.as_deref().map(|root| downloads::content_url(root, digest, name));
        Ok(above.into_iter().chain(tx.file_sources(digest)?.into_iter().map(|source| source.url)).collect())
    }
}
