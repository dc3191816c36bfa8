//! Reads ranges of a file in large pieces, into buffers that are used again.

use std::{collections::VecDeque, fs::File, io, ops::Range};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::client::body::Source;

/// Bytes read and sent at once.
const PIECE: usize = 256 * 1024;
/// Buffers kept for the next answers.
const KEPT: usize = 64;

static BUFFERS: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// A buffer of [`PIECE`] bytes that goes back when the last user of its bytes is done.
struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
}

impl Buffer {
    fn take() -> Self {
        let bytes = BUFFERS.lock().pop().unwrap_or_else(|| vec![0; PIECE].into_boxed_slice());
        Self { bytes, filled: 0 }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = BUFFERS.lock();
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// A part of an answer.
pub(super) enum Part {
    Bytes(Bytes),
    File(Range<u64>),
}

impl Part {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => range.end - range.start,
        }
    }
}

/// Gives parts one after the other.
pub(super) struct Ranges {
    file: File,
    parts: VecDeque<Part>,
}

impl Ranges {
    pub(super) fn new(file: File, parts: Vec<Part>) -> Self {
        Self { file, parts: parts.into() }
    }
}

impl Source for Ranges {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let range = match self.parts.front_mut() {
                None => return Ok(None),
                Some(Part::File(range)) if !range.is_empty() => range,
                _ => match self.parts.pop_front() {
                    Some(Part::Bytes(bytes)) => return Ok(Some(bytes)),
                    _ => continue,
                },
            };
            let mut buffer = Buffer::take();
            let wanted = PIECE.min(usize::try_from(range.end - range.start).unwrap_or(PIECE));
            let space = buffer.bytes.get_mut(..wanted).ok_or(io::ErrorKind::InvalidInput)?;
            let read = read_at(&self.file, space, range.start)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer.filled = read;
            range.start += read as u64;
            return Ok(Some(Bytes::from_owner(buffer)));
        }
    }
}

/// Reads bytes at a place of a file.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, space: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, space, offset)
}

/// Reads bytes at a place of a file.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, space: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, space, offset)
}
