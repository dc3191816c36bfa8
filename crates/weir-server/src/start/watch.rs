//! A connection that is closed when the other side trickles headers, or reads answers not at all or too slowly.
//!
//! The HTTP library has one timer for "no request yet" and "request not complete", which must be long, because agents
//! pause between calls. So the time of incomplete headers is watched here, below it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use weir_model::admission::{Demand, Pace, Verdict};

use crate::admission::Pressure;

use crate::telemetry::Observation;

/// Whether a request of the connection is being answered: from complete headers to the end of the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    open: AtomicBool,
    begun: AtomicU64,
}

impl Exchange {
    /// Headers are complete.
    pub(super) fn begin(&self) {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        self.0.open.store(true, Ordering::Release);
    }

    /// Wraps the answer's body, whose end is the end of the exchange.
    pub(super) fn until_sent<B>(&self, body: B, seen: Arc<Observation>) -> Sent<B> {
        Sent { body, seen, _end: End(self.clone()) }
    }

    fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Acquire)
    }

    fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct End(Exchange);

impl Drop for End {
    fn drop(&mut self) {
        self.0.0.open.store(false, Ordering::Release);
    }
}

/// A body that ends its exchange when it is dropped.
#[derive(Debug)]
pub(super) struct Sent<B> {
    body: B,
    seen: Arc<Observation>,
    _end: End,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Sent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.seen.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request whose pieces must not be too far apart in time.
#[derive(Debug)]
pub struct Timed<B> {
    body: B,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    seen: Arc<Observation>,
}

impl<B> Timed<B> {
    pub(super) fn new(body: B, patience: Duration, seen: Arc<Observation>) -> Self {
        Self { body, patience, timer: None, seen }
    }
}

impl<B> Body for Timed<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.timer = None;
            if let Some(Ok(frame)) = &frame {
                this.seen.received(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = this.patience;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(timed_out("the body of a request stalled").into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How long a connection may dawdle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first byte of a request to the end of its headers.
    pub(super) header: Duration,
    /// Without the other side taking enough of an answer ([`Demand`]).
    pub(super) write: Duration,
}

/// The watched connection.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    exchange: Exchange,
    patience: Patience,
    /// Requests begun when the header timer was armed.
    begun: u64,
    header: Option<Pin<Box<Sleep>>>,
    /// Since the other side was waited for the first time: when it is looked at again, and how fast it is.
    write: Option<Pin<Box<Sleep>>>,
    pace: Pace,
    opened: Instant,
    /// Whether others wait for what slow readers hold; where it is not known, nobody does.
    pressure: Option<Pressure>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, exchange: Exchange, patience: Patience, pressure: Option<Pressure>) -> Self {
        let (pace, opened) = (Pace::default(), Instant::now());
        Self { stream, exchange, patience, begun: 0, header: None, write: None, pace, opened, pressure }
    }

    /// Whether the other side is to be given up, which takes nothing now. If it is not, the task is woken in time to ask again.
    fn stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let pressed = self.pressure.as_ref().is_some_and(Pressure::is_on);
        let demand = Demand::new(millis(self.patience.write), pressed);
        loop {
            let Verdict::Wait(rest) = self.pace.waits(demand, millis(self.opened.elapsed())) else {
                metrics::counter!("weir_admission_slow_readers_total").increment(1);
                return true;
            };
            let at = Instant::now() + Duration::from_millis(rest.max(1));
            let timer = self.write.get_or_insert_with(|| Box::pin(sleep_until(at)));
            timer.as_mut().reset(at);
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
        }
    }

    /// The other side took bytes. Nothing is counted before it was waited for.
    fn took(&mut self, bytes: usize) {
        if self.write.is_some() {
            self.pace.took(bytes as u64, millis(self.opened.elapsed()));
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if this.exchange.is_open() {
            this.header = None;
            return read;
        }
        if this.begun != this.exchange.begun() {
            // a whole exchange passed without a read in between
            this.begun = this.exchange.begun();
            this.header = None;
        }
        let got = buffer.filled().len() > before;
        if got && this.header.is_none() {
            this.header = Some(Box::pin(sleep_until(Instant::now() + this.patience.header)));
        }
        if let Some(timer) = &mut this.header {
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(timed_out("the headers of a request did not arrive in time")));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Pending if this.stalled(cx) => Poll::Ready(Err(timed_out("the answer was not taken in time"))),
            Poll::Pending => Poll::Pending,
            ready @ Poll::Ready(_) => {
                if let Poll::Ready(Ok(bytes)) = &ready {
                    this.took(*bytes);
                }
                ready
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Pending if this.stalled(cx) => Poll::Ready(Err(timed_out("the answer was not taken in time"))),
            Poll::Pending => Poll::Pending,
            ready @ Poll::Ready(_) => {
                this.took(0);
                ready
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_shutdown(cx) {
            // TLS says goodbye, and the other side may not take even that
            Poll::Pending if this.stalled(cx) => Poll::Ready(Err(timed_out("the end was not taken in time"))),
            other => other,
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write_vectored(cx, slices) {
            Poll::Pending if this.stalled(cx) => Poll::Ready(Err(timed_out("the answer was not taken in time"))),
            Poll::Pending => Poll::Pending,
            ready @ Poll::Ready(_) => {
                if let Poll::Ready(Ok(bytes)) = &ready {
                    this.took(*bytes);
                }
                ready
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const HANG: Duration = Duration::from_secs(120);

    fn watched<S>(stream: S) -> Watched<S> {
        let patience = Patience { header: HANG, write: Duration::from_secs(1) };
        Watched::new(stream, Exchange::default(), patience, None)
    }

    #[tokio::test]
    async fn who_takes_bytes_too_slowly_is_cut_off_as_who_takes_none() {
        for bytes in [0, 2] {
            let (near, mut far) = tokio::io::duplex(16);
            let mut near = watched(near);
            let slow = tokio::spawn(async move {
                let mut some = [0; 2];
                // ends when the other side is gone
                while bytes == 0 || far.read_exact(&mut some[..bytes]).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
            let sent =
                tokio::time::timeout(HANG, near.write_all(&vec![1; 1 << 20])).await.expect("it is not waited for");
            assert_eq!(sent.expect_err("cut off").kind(), io::ErrorKind::TimedOut, "{bytes} bytes at a time");
            slow.abort();
        }
    }

    #[tokio::test]
    async fn who_takes_everything_gets_everything() {
        let (near, mut far) = tokio::io::duplex(1 << 10);
        let mut near = watched(near);
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            far.read_to_end(&mut all).await.map(|_| all.len())
        });
        near.write_all(&vec![1; 1 << 20]).await.expect("taken");
        near.shutdown().await.expect("ended");
        drop(near);
        assert_eq!(reader.await.expect("no panic").expect("read"), 1 << 20);
    }
}
