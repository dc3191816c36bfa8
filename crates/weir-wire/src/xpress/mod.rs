//! Xpress, the content coding of answers to the Windows Update Agent (MS-WUSP 2.1.1; the payload is the plain LZ77 of
//! MS-XCA 2.3 and 2.4).
//!
//! A body is a sequence of blocks `u32le original size, u32le payload size, payload`. Blocks do not depend on each other, so
//! ready ones can be stored and concatenated. A payload as long as the original is the original, stored raw.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::{decode_payload, decompress};
pub use encode::{blocks, compress_greedy, compress_into};

/// Largest original and payload size of one block (MS-WUSP 2.1.1).
pub const MAX_BLOCK: usize = 65_535;

/// Bytes in front of each payload.
pub const BLOCK_HEADER: usize = 8;

/// Why a body cannot be decoded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum XpressError {
    /// The decoded body would be longer than the caller allows.
    #[error("the decoded Xpress body exceeds the limit of {limit} bytes")]
    Limit {
        /// The limit in bytes.
        limit: usize,
    },
    /// Sizes and payload contradict each other.
    #[error("Xpress block {block} announces {wanted} bytes and its payload does not end there; ask for the body again")]
    Length {
        /// Index of the block, from 0.
        block: usize,
        /// Bytes announced.
        wanted: usize,
    },
    /// A match reaches back before the start of its block, or a length field is impossible.
    #[error("Xpress block {block} holds an impossible match; ask for the body again")]
    Match {
        /// Index of the block, from 0.
        block: usize,
    },
    /// A size field is 0 or above [`MAX_BLOCK`].
    #[error("Xpress block {block} has the impossible size {size}; ask for the body again")]
    Size {
        /// Index of the block, from 0.
        block: usize,
        /// The size.
        size: u32,
    },
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
        let mut bytes = compress_greedy(plain);
        bytes.shrink_to_fit();
        Self { bytes, plain_len: plain.len() }
    }

    /// Takes stored blocks, checking their framing but not their payloads.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, XpressError> {
        let mut plain_len = 0_usize;
        for block in decode::Frames::new(&bytes) {
            plain_len = plain_len.saturating_add(block?.original);
        }
        Ok(Self { bytes, plain_len })
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
        self.plain_len = self.plain_len.saturating_add(other.plain_len);
    }
}
