//! Records: each with its length before it. What the simple kinds hold.

use uuid::Uuid;
use weir_model::ids::{ContentDigest, UpdateId, UpdateIdentity};

use super::BundleError;

/// Bytes of a record's length.
const LENGTH: usize = 4;

/// Appends a record. Its length must fit 32 bits, which every caller's does.
pub fn write_record(to: &mut Vec<u8>, payload: &[u8]) {
    to.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    to.extend_from_slice(payload);
}

/// Cuts a stream into records. Give it the stream piece by piece.
#[derive(Debug)]
pub struct Records {
    buffer: Vec<u8>,
    start: usize,
    longest: usize,
    count: u64,
}

impl Records {
    /// Records of at most so many bytes.
    pub fn new(longest: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, longest, count: 0 }
    }

    /// The next piece of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next record, if the whole of it is here.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>, BundleError> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > self.longest {
            return Err(self.damaged(format!("it has {length} bytes, allowed are {}", self.longest)));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let from = self.start + LENGTH;
        self.start = from + length;
        self.count += 1;
        Ok(self.buffer.get(from..self.start))
    }

    /// Records so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// At the end of the stream no part of a record may be left.
    pub fn end(&self) -> Result<(), BundleError> {
        if self.start == self.buffer.len() { Ok(()) } else { Err(self.damaged("the section ends inside it")) }
    }

    fn damaged(&self, reason: impl Into<String>) -> BundleError {
        BundleError::Record { record: self.count + 1, reason: reason.into() }
    }
}

/// A record of `documents`: 16 bytes GUID (in the order of its text), 4 bytes revision number, the document in UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Document<'r> {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// The document, byte for byte.
    pub text: &'r str,
}

impl<'r> Document<'r> {
    /// Most bytes of a record: the largest known document has about 60 million.
    pub const LONGEST: usize = (128 << 20) + 20;

    /// Appends the record.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&((20 + self.text.len()) as u32).to_le_bytes());
        to.extend_from_slice(self.identity.update_id.0.as_bytes());
        to.extend_from_slice(&self.identity.revision.0.to_le_bytes());
        to.extend_from_slice(self.text.as_bytes());
    }

    /// Reads a record.
    pub fn read(record: &'r [u8]) -> Option<Self> {
        let (identity, text) = read_identity(record)?;
        Some(Self { identity, text: std::str::from_utf8(text).ok()? })
    }
}

/// A GUID and a revision number, and what follows them.
pub(super) fn read_identity(bytes: &[u8]) -> Option<(UpdateIdentity, &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let (revision, rest) = rest.split_first_chunk::<4>()?;
    let id = UpdateId(Uuid::from_bytes(*id));
    Some((UpdateIdentity::new(id, u32::from_le_bytes(*revision)), rest))
}

/// A record of `sources`: 20 bytes SHA-1, the URL in UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Source<'r> {
    /// The file.
    pub digest: ContentDigest,
    /// Where it is offered.
    pub url: &'r str,
}

impl<'r> Source<'r> {
    /// Most bytes of a record.
    pub const LONGEST: usize = 20 + 2_048;

    /// Appends the record.
    pub fn write(&self, to: &mut Vec<u8>) {
        write_record(to, &[&self.digest.0[..], self.url.as_bytes()].concat());
    }

    /// Reads a record.
    pub fn read(record: &'r [u8]) -> Option<Self> {
        let (digest, url) = record.split_first_chunk::<20>()?;
        Some(Self { digest: ContentDigest(*digest), url: std::str::from_utf8(url).ok()? })
    }
}
