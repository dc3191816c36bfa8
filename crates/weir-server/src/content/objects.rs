//! Content files whose bytes are in an object store: passed through, or fetched from there at signed addresses.
//!
//! *Invariant:* no credential of the store leaves this process; a signed address goes to who asked for the file, and into no
//! log.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use http::{HeaderMap, Method, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use moka::{notification::RemovalCause, sync::Cache};
use weir_model::ids::ContentDigest;
use weir_store::{
    StoreError,
    content::objects::{Objects, Pieces, Trouble},
    content_file::{ContentFileRow, ContentState},
};

use super::{Facts, Plan, empty, file::Part, planned, set};
use crate::{
    client::Body,
    ingest::Chain,
    state::{AppState, blocking},
    telemetry::{self, Cache as Kind},
};

/// How long a request waits for the first byte of the store.
const PATIENCE: Duration = Duration::from_secs(20);
/// When agents that found the store out of reach are to ask again, in seconds.
const AGAIN: &str = "30";
/// How long the start of a server waits for the store.
const AT_START: Duration = Duration::from_secs(10);
/// How often the store is looked at, and how often while it is out of reach.
const LOOK: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A store that did nothing for so long is not waited for: whoever waits keeps a place that others need.
const GIVEN_UP: SignedDuration = SignedDuration::from_secs(30);
/// Signed addresses that are kept.
const MOST_SIGNED: u64 = 10_000;
/// For so long each: making one may take a request to the provider, and one is worth no more than the credentials that signed it. Those
/// of machines are good for five minutes more at the least, since the library renews them then.
const KEPT_SIGNED: Duration = Duration::from_mins(1);

/// Signed addresses that are given out again.
pub(crate) struct Signed(Cache<(ContentDigest, String, bool), Arc<str>>);

impl Default for Signed {
    fn default() -> Self {
        let told = |_: Arc<(ContentDigest, String, bool)>, _: Arc<str>, why: RemovalCause| {
            if why.was_evicted() {
                telemetry::evicted(Kind::Signed);
            }
        };
        let cache = Cache::builder().max_capacity(MOST_SIGNED).time_to_live(KEPT_SIGNED).eviction_listener(told);
        Self(cache.build())
    }
}

impl Signed {
    /// Addresses that are kept.
    pub(crate) fn entries(&self) -> u64 {
        self.0.entry_count()
    }
}

/// Looks whether the store answers and is this site's. Tells the log when that changes.
async fn claim(state: &AppState) {
    let Some(objects) = state.content.objects().cloned() else { return };
    let before = objects.trouble();
    let (owner, asked) = (state.server.0.to_string(), Arc::clone(&objects));
    let claimed = blocking(move || asked.claim(&owner)).await;
    match (claimed, before) {
        (Err(error), None) => {
            tracing::error!(store = objects.url(), error = %Chain(&error), "the object store cannot be used");
        }
        (Ok(()), Some(_)) => tracing::info!(store = objects.url(), "the object store can be used again"),
        _ => {}
    }
}

/// The first look: it does not keep the server from starting.
pub(crate) async fn begin(state: &AppState) {
    if tokio::time::timeout(AT_START, claim(state)).await.is_err() {
        tracing::error!("the object store does not answer; scans are served without it, and it is looked for again");
    }
}

/// Looks again and again; it ends when it is dropped.
pub(crate) async fn watch(state: &AppState) {
    let Some(objects) = state.content.objects() else { return future::pending().await };
    loop {
        tokio::time::sleep(if objects.trouble().is_some() { LOOK_AGAIN } else { LOOK }).await;
        claim(state).await;
    }
}

/// Why the object store cannot be used, with its address.
pub(crate) fn trouble(state: &AppState) -> Option<(String, Trouble)> {
    let objects = state.content.objects()?;
    Some((objects.url().to_owned(), objects.trouble()?))
}

/// Whether requests are not to wait for the store any more.
fn is_given_up(trouble: Option<&Trouble>, now: Timestamp) -> bool {
    trouble.is_some_and(|trouble| now.duration_since(trouble.since) >= GIVEN_UP)
}

/// Answers a request for the content file of that digest: 404 unless it is here and verified, 503 while the store is out of
/// reach. `redirect` is how long the address is good for that is answered in place of the file.
pub(super) async fn answer(
    state: &AppState,
    objects: &Arc<Objects>,
    digest: ContentDigest,
    method: &Method,
    headers: &HeaderMap,
    redirect: Option<Duration>,
) -> Response<Body> {
    let row = match state.read(move |tx| tx.content_file_show(digest)).await {
        Ok(row) => row.filter(|row| row.state == ContentState::Verified),
        Err(error) => return unavailable(digest, &error),
    };
    let Some(row) = row else { return empty(StatusCode::NOT_FOUND) };
    if let Some(life) = redirect {
        return redirected(state, objects, &row, method, life).await;
    }
    let facts = Facts { tag: format!("\"{digest}\""), modified: row.verified_at, size: row.size };
    let Plan { mut response, length, parts } = planned(method, headers, &facts);
    if !response.status().is_success() || row.size == 0 {
        return response;
    }
    if is_given_up(objects.trouble().as_ref(), Timestamp::now()) {
        return come_again();
    }
    match in_time(objects, body(objects, &row, length, parts)).await {
        Ok(Some(body)) => {
            *response.body_mut() = body;
            response
        }
        Ok(None) => empty(StatusCode::NOT_FOUND),
        Err(error) => unavailable(digest, &error),
    }
}

/// The body of an answer, which may be to HEAD; none if the file is not here.
async fn body(
    objects: &Arc<Objects>,
    row: &ContentFileRow,
    length: u64,
    parts: Vec<Part>,
) -> Result<Option<Body>, StoreError> {
    if parts.is_empty() {
        let size = objects.look(row.digest, &row.extension).await?;
        return Ok(size.filter(|size| *size == row.size).map(|_| Body::default()));
    }
    Ok(open(objects, row, parts).await?.map(|pieces| Body::pieces(length, pieces)))
}

async fn in_time<T>(objects: &Objects, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| {
        Err(StoreError::ObjectsRefused { place: objects.url().to_owned(), why: "does not answer".to_owned() })
    })
}

/// The bytes of an answer; the first that are of the file are asked for before anything is said.
async fn open(objects: &Arc<Objects>, row: &ContentFileRow, parts: Vec<Part>) -> Result<Option<Pieces>, StoreError> {
    let mut waiting = VecDeque::from(parts);
    let mut ready: Vec<io::Result<Bytes>> = Vec::new();
    let mut first: Pieces = stream::empty().boxed();
    while let Some(part) = waiting.pop_front() {
        match part {
            Part::Bytes(bytes) => ready.push(Ok(bytes)),
            Part::File(range) => {
                let found = objects.stream(row.digest, &row.extension, row.size, range).await?;
                let Some(pieces) = found else { return Ok(None) };
                first = pieces;
                break;
            }
        }
    }
    let (objects, row) = (Arc::clone(objects), row.clone());
    let rest = stream::iter(waiting).then(move |part| later(Arc::clone(&objects), row.clone(), part)).try_flatten();
    Ok(Some(stream::iter(ready).chain(first).chain(rest).boxed()))
}

async fn later(objects: Arc<Objects>, row: ContentFileRow, part: Part) -> io::Result<Pieces> {
    match part {
        Part::Bytes(bytes) => Ok(stream::once(future::ready(Ok(bytes))).boxed()),
        Part::File(range) => {
            let found = objects.stream(row.digest, &row.extension, row.size, range).await.map_err(io::Error::other)?;
            found.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Sends a computer to the store itself, which it may reach although this server does not. Addresses are signed for one method: HEAD
/// has one of its own, so that both answers are the store's.
async fn redirected(
    state: &AppState,
    objects: &Arc<Objects>,
    row: &ContentFileRow,
    method: &Method,
    life: Duration,
) -> Response<Body> {
    // what another one than it was has, or has not, says nothing about the file; that it is so was logged when it was seen
    if objects.usable().is_err() {
        return come_again();
    }
    let key = (row.digest, row.extension.clone(), method == Method::HEAD);
    let known = state.signed.0.get(&key);
    telemetry::looked_up_one(Kind::Signed, known.is_some());
    let url = if let Some(url) = known {
        url
    } else {
        match in_time(objects, objects.signed(row.digest, &row.extension, method.clone(), life)).await {
            Ok(url) => {
                let url: Arc<str> = url.into();
                state.signed.0.insert(key, Arc::clone(&url));
                url
            }
            Err(error) => return unavailable(row.digest, &error),
        }
    };
    let mut response = empty(StatusCode::FOUND);
    set(&mut response, header::LOCATION, url.to_string());
    set(&mut response, header::CACHE_CONTROL, "no-store".to_owned());
    response
}

fn unavailable(digest: ContentDigest, error: &StoreError) -> Response<Body> {
    tracing::warn!(%digest, error = %Chain(error), "a content file cannot be read");
    come_again()
}

fn come_again() -> Response<Body> {
    let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
    set(&mut response, header::RETRY_AFTER, AGAIN.to_owned());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_silent_for_long_is_not_waited_for() {
        let since: Timestamp = "2026-11-30T02:00:00Z".parse().expect("a time");
        let trouble = Trouble { since, message: "refused".to_owned() };
        let given_up = |seconds| is_given_up(Some(&trouble), since + SignedDuration::from_secs(seconds));
        assert!(!is_given_up(None, since));
        assert_eq!([given_up(0), given_up(29), given_up(30), given_up(3_600)], [false, false, true, true]);
        assert!(!given_up(-60), "a clock that was set back");
    }

    /// The promise: an address that a computer gets lasts nearly as long as was set, and longer than the credentials of a machine
    /// that are about to be renewed.
    #[test]
    fn signed_addresses_are_given_out_for_a_minute() {
        let policy = Signed::default().0.policy();
        assert_eq!(policy.time_to_live(), Some(Duration::from_secs(60)));
        assert_eq!(policy.max_capacity(), Some(MOST_SIGNED));
    }
}
