//! Connections of a bad network: cut, slow, or silent. Injected on this side, from a seed.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use crate::fleet::{Dice, Purpose};

/// What happens to a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// Nothing.
    Well,
    /// It ends after so many bytes were read.
    CutReading(u64),
    /// It ends after so many bytes were written.
    CutWriting(u64),
    /// Pieces of at most a kilobyte, with pauses between.
    Slow,
    /// After so many bytes nothing comes any more.
    Silent(u64),
}

/// Pause of a slow connection between two pieces.
const PAUSE: Duration = Duration::from_millis(3);
/// Largest piece of a slow connection.
const PIECE: usize = 4_096;

impl Fate {
    /// One connection in five has a fate: nearly half of those are cut, as many are slow, a few fall silent.
    fn draw(dice: &mut Dice) -> Self {
        // early as often as late: scans of little and of much meet it
        let after = 1 << dice.below(18);
        match dice.below(100) {
            0..6 => Self::CutReading(after),
            6..9 => Self::CutWriting(after / 4),
            9..18 => Self::Slow,
            18..20 => Self::Silent(after),
            _ => Self::Well,
        }
    }
}

/// The troubles of a network: each connection has a fate of its own, drawn from a seed in the order in which they are made.
#[derive(Clone, Debug)]
pub struct Trouble {
    seed: u64,
    made: Arc<AtomicU64>,
}

impl Trouble {
    /// The troubles of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, made: Arc::default() }
    }

    /// Gives the next connection its fate.
    pub(crate) fn wrap<S>(&self, inner: S) -> Troubled<S> {
        Troubled::new(inner, self.seed, self.made.fetch_add(1, Ordering::Relaxed))
    }
}

/// A connection with a fate.
#[derive(Debug)]
pub(crate) struct Troubled<S> {
    inner: S,
    fate: Fate,
    read: u64,
    written: u64,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S> Troubled<S> {
    /// Connection `number` of a seed.
    fn new(inner: S, seed: u64, number: u64) -> Self {
        let fate = Fate::draw(&mut Dice::new(seed, Purpose::Network, number));
        Self { inner, fate, read: 0, written: 0, pause: None }
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "cut by the simulated network")
}

impl<S: AsyncRead + Unpin> AsyncRead for Troubled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let room = match this.fate {
            Fate::CutReading(after) | Fate::Silent(after) => usize::try_from(after - this.read).unwrap_or(PIECE),
            Fate::Slow => PIECE,
            Fate::Well | Fate::CutWriting(_) => return Pin::new(&mut this.inner).poll_read(context, buffer),
        };
        match this.fate {
            Fate::CutReading(_) if room == 0 => return Poll::Ready(Err(cut())),
            // never woken: whoever waits gives up by the clock
            Fate::Silent(_) if room == 0 => return Poll::Pending,
            _ => {}
        }
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        // a piece of its own, so that the end comes at its byte
        let mut bytes = [0; PIECE];
        let length = room.min(PIECE).min(buffer.remaining());
        let mut piece = ReadBuf::new(bytes.get_mut(..length).unwrap_or_default());
        ready!(Pin::new(&mut this.inner).poll_read(context, &mut piece))?;
        buffer.put_slice(piece.filled());
        this.read += piece.filled().len() as u64;
        if this.fate == Fate::Slow {
            this.pause = Some(Box::pin(sleep_until(Instant::now() + PAUSE)));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Troubled<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let room = match this.fate {
            Fate::CutWriting(after) if this.written >= after => return Poll::Ready(Err(cut())),
            Fate::CutWriting(after) => usize::try_from(after - this.written).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let bytes = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        let written = ready!(Pin::new(&mut this.inner).poll_write(context, bytes))?;
        this.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn with(fate: Fate) -> (Troubled<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1 << 16);
        (Troubled { inner: near, fate, read: 0, written: 0, pause: None }, far)
    }

    #[tokio::test]
    async fn a_connection_is_cut_where_its_fate_says() {
        let (mut near, mut far) = with(Fate::CutReading(10));
        far.write_all(&[1; 10]).await.expect("room");
        let mut bytes = [0; 10];
        near.read_exact(&mut bytes).await.expect("before the cut");
        assert_eq!(near.read(&mut bytes).await.expect_err("cut").kind(), io::ErrorKind::ConnectionReset);
        let (mut near, _far) = with(Fate::CutWriting(0));
        assert!(near.write(&[1]).await.is_err());
    }

    #[tokio::test]
    async fn a_slow_connection_brings_everything() {
        let (mut near, mut far) = with(Fate::Slow);
        far.write_all(&[7; 12_000]).await.expect("room");
        drop(far);
        let mut bytes = Vec::new();
        near.read_to_end(&mut bytes).await.expect("all");
        assert_eq!(bytes, [7; 12_000]);
    }

    #[test]
    fn one_connection_in_five_is_in_trouble() {
        let well = (0..10_000).filter(|number| Troubled::new((), 1, *number).fate == Fate::Well).count();
        assert!((7_800..8_200).contains(&well), "{well}");
    }
}
