//! One answer of a server: asks for what is still missing of a file, and takes what comes.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use weir_model::ids::ContentDigest;
use weir_store::{StoreError, content::Put};

use super::{pace::Pace, state::Downloads};
use crate::admin::{AdminError, blocking, chain};

/// Bytes written at once.
const WRITE: usize = 256 * 1024;
/// After so long without a byte what came is written.
const QUIET: Duration = Duration::from_millis(500);
/// A server that sends fewer bytes in so long a time is as good as silent.
const SLOWEST: (u64, Duration) = (16 * 1024, Duration::from_mins(1));
/// A server is not waited for longer, whatever it says.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadError {
    #[error("{url} answers {status}")]
    Answer { url: String, status: StatusCode },
    #[error("{url} has no room now")]
    Busy { url: String, wait: Duration },
    #[error("{url} sends more than the {size} bytes that the file has")]
    Longer { url: String, size: u64 },
    #[error("{url} cannot be read")]
    Transport { url: String, source: reqwest::Error },
    #[error("{url} ended after {got} of {size} bytes")]
    Short { url: String, got: u64, size: u64 },
    #[error("{url} sends too slowly: less than {} bytes in {} s", SLOWEST.0, SLOWEST.1.as_secs())]
    Slow { url: String },
    #[error("{url} sent another file: {difference}")]
    Mismatch { url: String, difference: String },
    #[error("no room is left for content")]
    Full,
    #[error("no source is known: weir content add PATH")]
    NoSource,
    #[error(transparent)]
    Here(#[from] AdminError),
}

impl DownloadError {
    /// The same request may succeed at once.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Transport { .. } | Self::Short { .. } | Self::Busy { .. } | Self::Slow { .. })
    }

    /// The server says that it does not have the file (now).
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Answer { status, .. } if matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE))
    }

    /// The server sent something that is not the file.
    pub(super) fn is_fraud(&self) -> bool {
        matches!(self, Self::Mismatch { .. } | Self::Longer { .. })
    }

    /// In words, with causes.
    pub(super) fn words(&self) -> String {
        chain(self)
    }
}

/// What is fetched, and whom to tell.
pub(super) struct Transfer<'t> {
    pub(super) client: &'t reqwest::Client,
    pub(super) url: &'t str,
    pub(super) digest: ContentDigest,
    pub(super) size: u64,
    pub(super) downloads: &'t Downloads,
    pub(super) pace: &'t Pace,
}

/// Blocking work on a file, with a full disk told apart.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, DownloadError> {
    blocking(move || Ok(work()?)).await.map_err(|error| match error {
        AdminError::Store(StoreError::DiskFull { .. }) => DownloadError::Full,
        error => DownloadError::Here(error),
    })
}

impl Transfer<'_> {
    /// Gives `put` back in any case but a failure of our own.
    pub(super) async fn run(&self, mut put: Put) -> Result<(Put, Result<(), DownloadError>), DownloadError> {
        let have = put.len();
        let mut request = self.client.get(self.url).header(header::ACCEPT_ENCODING, "identity");
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok((put, Err(self.transport(error)))),
        };
        let status = response.status();
        match status {
            StatusCode::PARTIAL_CONTENT if have > 0 && begins_at(response.headers(), have) => {}
            StatusCode::OK if have == 0 => {}
            // a server that does not resume sends everything again
            StatusCode::OK => put = restart(put).await?,
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
                // what is here does not fit to what the server has: the next request is for the whole file
                let url = self.url.to_owned();
                return Ok((restart(put).await?, Err(DownloadError::Short { url, got: have, size: self.size })));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let wait = retry_after(response.headers());
                return Ok((put, Err(DownloadError::Busy { url: self.url.to_owned(), wait })));
            }
            status => return Ok((put, Err(DownloadError::Answer { url: self.url.to_owned(), status }))),
        }
        if response.content_length().is_some_and(|length| put.len().saturating_add(length) > self.size) {
            return Ok((put, Err(self.longer())));
        }
        self.body(put, response).await
    }

    async fn body(
        &self,
        mut put: Put,
        response: reqwest::Response,
    ) -> Result<(Put, Result<(), DownloadError>), DownloadError> {
        let mut body = response.bytes_stream();
        let mut waiting: Vec<u8> = Vec::with_capacity(WRITE);
        let (mut window, mut in_window) = (Instant::now(), 0_u64);
        let ended = loop {
            let next = if let Ok(next) = tokio::time::timeout(QUIET, body.next()).await {
                next
            } else {
                // a slow server: what is here is kept if this is interrupted
                (put, waiting) = write(put, waiting).await?;
                body.next().await
            };
            let bytes = match next {
                None => break None,
                Some(Err(error)) => break Some(self.transport(error)),
                Some(Ok(bytes)) => bytes,
            };
            let got = put.len() + (waiting.len() + bytes.len()) as u64;
            if got > self.size {
                break Some(self.longer());
            }
            waiting.extend_from_slice(&bytes);
            self.downloads.received(self.digest, bytes.len() as u64, got);
            self.pace.take(bytes.len() as u64).await;
            if waiting.len() >= WRITE {
                (put, waiting) = write(put, waiting).await?;
            }
            in_window += bytes.len() as u64;
            if window.elapsed() >= SLOWEST.1 {
                if in_window < SLOWEST.0 && !self.pace.is_limited() {
                    break Some(DownloadError::Slow { url: self.url.to_owned() });
                }
                (window, in_window) = (Instant::now(), 0);
            }
        };
        (put, _) = write(put, waiting).await?;
        let got = put.len();
        let outcome = match ended {
            Some(error) => Err(error),
            None if got < self.size => Err(DownloadError::Short { url: self.url.to_owned(), got, size: self.size }),
            None => Ok(()),
        };
        Ok((put, outcome))
    }

    fn transport(&self, source: reqwest::Error) -> DownloadError {
        DownloadError::Transport { url: self.url.to_owned(), source: source.without_url() }
    }

    fn longer(&self) -> DownloadError {
        DownloadError::Longer { url: self.url.to_owned(), size: self.size }
    }
}

async fn write(mut put: Put, mut bytes: Vec<u8>) -> Result<(Put, Vec<u8>), DownloadError> {
    on_disk(move || {
        put.write(&bytes)?;
        bytes.clear();
        Ok((put, bytes))
    })
    .await
}

pub(super) async fn restart(mut put: Put) -> Result<Put, DownloadError> {
    on_disk(move || {
        put.restart()?;
        Ok(put)
    })
    .await
}

/// Whether an answer to a range begins where it should (`Content-Range: bytes 5-9/10`, RFC 9110 14.4).
fn begins_at(headers: &HeaderMap, have: u64) -> bool {
    let value = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = value.and_then(|value| value.trim().strip_prefix("bytes ")).and_then(|range| range.split('-').next());
    first.and_then(|first| first.trim().parse().ok()) == Some(have)
}

/// How long a server wants to be left alone (`Retry-After` in seconds, RFC 9110 10.2.3), within reason.
fn retry_after(headers: &HeaderMap) -> Duration {
    let value = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(value.unwrap_or(2)).clamp(Duration::from_secs(1), LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_answer_must_begin_where_the_first_ended() {
        let range = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_RANGE, value.parse().expect("header"));
            headers
        };
        assert!(begins_at(&range("bytes 5-9/10"), 5));
        assert!(!begins_at(&range("bytes 0-9/10"), 5));
        assert!(!begins_at(&range("items 5-9/10"), 5));
        assert!(!begins_at(&HeaderMap::new(), 5));
    }

    #[test]
    fn a_busy_server_is_left_alone_for_as_long_as_it_says() {
        let after = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().expect("header"));
            retry_after(&headers).as_secs()
        };
        assert_eq!((after("7"), after("0"), after("86400"), after("soon")), (7, 1, 30, 2));
        assert_eq!(retry_after(&HeaderMap::new()).as_secs(), 2);
    }
}
