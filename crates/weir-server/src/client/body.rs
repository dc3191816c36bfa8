//! The body of an answer: ready bytes, or pieces that are read while they are sent.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http_body::{Frame, SizeHint};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::admission::Permit;

/// Gives the pieces of a body one by one. `next` may block; it is called off the request path, and not before the
/// piece before it was taken, so that a slow reader holds one piece in memory and no thread.
pub trait Source: Send + 'static {
    /// The next piece, not empty; None at the end.
    fn next(&mut self) -> io::Result<Option<Bytes>>;

    /// The next piece if it can be had without blocking; None if that cannot be known.
    fn next_ready(&mut self) -> Option<io::Result<Option<Bytes>>> {
        None
    }

    /// Bytes that it keeps in memory until they are sent, about.
    fn held(&self) -> u64 {
        HELD
    }
}

/// Of a source that is read while it is sent: a piece on its way, and what makes the next one.
pub(crate) const HELD: u64 = 512 << 10;

type Reading = oneshot::Receiver<(Box<dyn Source>, io::Result<Option<Bytes>>)>;

/// Threads that read pieces. Few, whatever the number of answers: each thread of an allocator keeps memory of its own, and
/// hundreds of blocking threads with half a megabyte under way kept a gigabyte.
const READERS: usize = 8;

static POOL: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new().num_threads(READERS).thread_name(|number| format!("reader-{number}")).build();
    pool.inspect_err(|error| tracing::error!(%error, "the reader threads could not be started")).ok()
});

fn read(mut source: Box<dyn Source>) -> Reading {
    let (send, receive) = oneshot::channel();
    if let Some(pool) = &*POOL {
        pool.spawn_fifo(move || {
            let piece = source.next();
            // an answer that was given up needs no piece
            let _ = send.send((source, piece));
        });
    }
    receive
}

/// Bytes of a piece that comes from elsewhere, about.
const PIECE: u64 = 256 << 10;

enum Kind {
    Bytes(VecDeque<Bytes>),
    Idle(Box<dyn Source>),
    Reading(Reading),
    Pieces(BoxStream<'static, io::Result<Bytes>>),
    Done,
}

/// A body, of known length or not.
pub struct Body {
    kind: Kind,
    /// Bytes still to come, if that is known.
    remaining: Option<u64>,
    /// Bytes in memory until they are sent.
    held: u64,
    /// What the other side holds up until everything is sent.
    permit: Option<Arc<Permit>>,
}

/// Bytes on their way, which hold up what their body does: the body itself is gone when the last of them is to be written.
struct Kept {
    bytes: Bytes,
    _permit: Arc<Permit>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        let held = bytes.len() as u64;
        let kind = if bytes.is_empty() { Kind::Done } else { Kind::Bytes(VecDeque::from([bytes])) };
        Self { kind, remaining: Some(held), held, permit: None }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl Body {
    /// A body of exactly `length` bytes that are read while they are sent. If the source gives fewer or more, the
    /// connection is cut, so that the other side does not take a damaged answer for a whole one.
    pub fn streamed(length: u64, source: Box<dyn Source>) -> Self {
        let held = source.held().min(length);
        let kind = if length == 0 { Kind::Done } else { Kind::Idle(source) };
        Self { kind, remaining: Some(length), held, permit: None }
    }

    /// A body of exactly `length` bytes that come from elsewhere while they are sent; none is asked for before the one before
    /// it was taken. As [`Body::streamed`] otherwise.
    pub fn pieces(length: u64, pieces: BoxStream<'static, io::Result<Bytes>>) -> Self {
        let kind = if length == 0 { Kind::Done } else { Kind::Pieces(pieces) };
        Self { kind, remaining: Some(length), held: length.min(PIECE), permit: None }
    }

    /// A body whose length nobody knows before it was read: sent in chunks, so that one that is cut off is not taken for
    /// a whole one.
    pub fn unmeasured(source: Box<dyn Source>) -> Self {
        let held = source.held();
        Self { kind: Kind::Idle(source), remaining: None, held, permit: None }
    }

    /// Bytes that it keeps in memory until they are sent, about.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Keeps a permit until everything is sent, or the answer is given up.
    #[must_use]
    pub fn keep(mut self, permit: Permit) -> Self {
        if !matches!(self.kind, Kind::Done) {
            self.permit = Some(Arc::new(permit));
        }
        self
    }

    /// Bytes still to come; none if that is not known.
    pub fn len(&self) -> Option<u64> {
        self.remaining
    }

    /// Whether nothing comes any more.
    pub fn is_empty(&self) -> bool {
        self.remaining == Some(0)
    }

    fn take(&mut self, piece: io::Result<Option<Bytes>>) -> Option<io::Result<Frame<Bytes>>> {
        let cut = |what| Some(Err(io::Error::new(io::ErrorKind::InvalidData, what)));
        match piece {
            Ok(Some(piece)) => {
                if let Some(remaining) = self.remaining {
                    let Some(left) = remaining.checked_sub(piece.len() as u64) else {
                        return cut("the body is longer than announced");
                    };
                    self.remaining = Some(left);
                    if left == 0 {
                        self.kind = Kind::Done;
                    }
                }
                let piece = match &self.permit {
                    Some(permit) => Bytes::from_owner(Kept { bytes: piece, _permit: Arc::clone(permit) }),
                    None => piece,
                };
                Some(Ok(Frame::data(piece)))
            }
            Ok(None) if self.remaining.is_none_or(|left| left == 0) => {
                self.kind = Kind::Done;
                None
            }
            Ok(None) => cut("the body is shorter than announced"),
            Err(error) => {
                tracing::warn!(%error, "an answer was cut off: its source cannot be read");
                Some(Err(error))
            }
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            match std::mem::replace(&mut self.kind, Kind::Done) {
                Kind::Done => return Poll::Ready(None),
                Kind::Bytes(mut pieces) => {
                    let piece = pieces.pop_front();
                    self.kind = if pieces.is_empty() { Kind::Done } else { Kind::Bytes(pieces) };
                    return Poll::Ready(self.take(Ok(piece)));
                }
                Kind::Pieces(mut pieces) => match pieces.as_mut().poll_next(context) {
                    Poll::Pending => {
                        self.kind = Kind::Pieces(pieces);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(piece)) => {
                        self.kind = Kind::Pieces(pieces);
                        return Poll::Ready(self.take(piece.map(Some)));
                    }
                    Poll::Ready(None) => return Poll::Ready(self.take(Ok(None))),
                },
                Kind::Idle(mut source) => {
                    if let Some(piece) = source.next_ready() {
                        self.kind = Kind::Idle(source);
                        return Poll::Ready(self.take(piece));
                    }
                    self.kind = Kind::Reading(read(source));
                }
                Kind::Reading(mut reading) => match Pin::new(&mut reading).poll(context) {
                    Poll::Pending => {
                        self.kind = Kind::Reading(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok((source, piece))) => {
                        self.kind = Kind::Idle(source);
                        return Poll::Ready(self.take(piece));
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.kind, Kind::Done)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    struct Numbers(Vec<&'static [u8]>);

    impl Source for Numbers {
        fn next(&mut self) -> io::Result<Option<Bytes>> {
            Ok(if self.0.is_empty() { None } else { Some(Bytes::from_static(self.0.remove(0))) })
        }
    }

    async fn collect(body: Body) -> io::Result<Vec<u8>> {
        Ok(body.collect().await?.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn pieces_arrive_in_order() {
        let body = Body::streamed(5, Box::new(Numbers(vec![b"ab", b"c", b"de"])));
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(5));
        assert_eq!(collect(body).await.expect("whole"), b"abcde");
        assert_eq!(collect(Body::from(b"xyz".to_vec())).await.expect("whole"), b"xyz");
        assert_eq!(collect(Body::default()).await.expect("whole"), b"");
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_ends_with_its_source() {
        let body = Body::unmeasured(Box::new(Numbers(vec![b"ab", b"c"])));
        assert_eq!((body.len(), http_body::Body::size_hint(&body).exact()), (None, None));
        assert_eq!(collect(body).await.expect("whole"), b"abc");
    }

    #[tokio::test]
    async fn a_wrong_length_cuts_the_answer() {
        let from_elsewhere = |length| {
            let pieces = [b"ab".as_slice(), b"c", b"de"].map(|piece| Ok(Bytes::from_static(piece)));
            Body::pieces(length, Box::pin(futures_util::stream::iter(pieces)))
        };
        assert_eq!(collect(from_elsewhere(5)).await.expect("whole"), b"abcde");
        for length in [4, 6] {
            assert!(collect(from_elsewhere(length)).await.is_err(), "{length}");
            let body = Body::streamed(length, Box::new(Numbers(vec![b"ab", b"c", b"de"])));
            assert!(collect(body).await.is_err(), "{length}");
        }
    }
}
