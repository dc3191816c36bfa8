//! Xpress, the content coding of answers to the Windows Update Agent (MS-WUSP 2.1.1; the payload is the plain LZ77 of
//! MS-XCA 2.3 and 2.4).
//!
//! A body is a sequence of blocks `u32le original size, u32le payload size, payload`. Blocks do not depend on each other, so
//! ready ones can be stored and concatenated. A payload as long as the original is the original, stored raw.

/// Largest original and payload size of one block (MS-WUSP 2.1.1).
pub const MAX_BLOCK: usize = 65_535;

/// Why a body cannot be decoded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum XpressError {
    /// The body ends inside a block.
    #[error("Xpress block {block} is cut off: {wanted} bytes are announced, {found} are there; ask for the body again")]
    Truncated {
        /// Index of the block, from 0.
        block: usize,
        /// Bytes announced.
        wanted: usize,
        /// Bytes found.
        found: usize,
    },
    /// A size field is 0 or above [`MAX_BLOCK`].
    #[error("Xpress block {block} has the size {size}, allowed are 1 to 65535")]
    Size {
        /// Index of the block, from 0.
        block: usize,
        /// The size.
        size: u32,
    },
    /// A match reaches back before the start of its block, or a length field is impossible.
    #[error("Xpress block {block} holds an impossible match")]
    Match {
        /// Index of the block, from 0.
        block: usize,
    },
    /// The payload gives more or fewer bytes than the block announces.
    #[error("Xpress block {block} announces {wanted} bytes and yields {found}")]
    Length {
        /// Index of the block, from 0.
        block: usize,
        /// Bytes announced.
        wanted: usize,
        /// Bytes decoded; for too long ones those decoded so far.
        found: usize,
    },
    /// The decoded body would be longer than the caller allows.
    #[error("the decoded Xpress body exceeds the limit of {limit} bytes")]
    Limit {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Ready blocks of one text. Several can be written one after the other into one body.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Blocks {
    bytes: Vec<u8>,
    plain_len: usize,
}

impl Blocks {
    /// Compresses `plain` into blocks of its own.
    pub fn compress(plain: &[u8]) -> Self {
        let _ = plain;
        unimplemented!()
    }

    /// Takes stored blocks, checking their framing but not their payloads.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, XpressError> {
        let _ = bytes;
        unimplemented!()
    }

    /// The framed blocks, as they go into a body.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Length of the text in bytes.
    pub fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// Appends the blocks of another text.
    pub fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.plain_len += other.plain_len;
    }
}

/// Compresses a text of any length into whole framed blocks appended to `out`, greedily with one probe.
pub fn compress_into(out: &mut Vec<u8>, plain: &[u8]) {
    let _ = (out, plain);
    unimplemented!()
}

/// [`compress_into`] a vector of its own.
pub fn compress_greedy(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress_into(&mut out, plain);
    out
}

/// Decodes a whole body. `limit` bounds the decoded bytes.
pub fn decompress(body: &[u8], limit: usize) -> Result<Vec<u8>, XpressError> {
    let _ = (body, limit);
    unimplemented!()
}

/// The framed blocks of a text one by one, for bodies written as a stream.
pub fn blocks(plain: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    plain.chunks(MAX_BLOCK).map(compress_greedy)
}
