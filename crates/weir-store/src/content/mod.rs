//! The content store: files of updates, addressed by SHA-1, in folders `<HH>/<SHA1>.ext` where `HH` is the last byte of
//! the digest in hexadecimal (the layout of content URLs, MS-WUSP 2.2.2.5).
//!
//! Whole files are in a local folder, or in an object store ([`objects`]) under the same names; what is being taken in is in a
//! local folder in any case, so that it can be compared with its digest, and gone on with, before anything is published.
//!
//! A file appears at its place only whole, durable and with matching digests; what does not match goes to `quarantine`.
//! *Invariant:* nothing outside this module writes below the folder.

mod local;
pub mod objects;
mod put;
mod stray;

use std::io::{Read, Seek};

use weir_model::ids::{ContentDigest, Sha256Digest};

pub use local::ContentStore;
pub use put::Put;
pub(crate) use put::sync_folder;
pub use stray::{Measured, Stray};

use crate::StoreError;

/// What a content file must be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Expected {
    /// Its SHA-1; none takes the file as what it turns out to be.
    pub digest: Option<ContentDigest>,
    /// Its SHA-256, if known.
    pub sha256: Option<Sha256Digest>,
    /// Its length in bytes, if known.
    pub size: Option<u64>,
}

/// A file that is in the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// Its length in bytes.
    pub size: u64,
    /// It was there before.
    pub already_there: bool,
}

/// A readable content file.
pub trait ContentRead: Read + Seek + Send {}
impl<T: Read + Seek + Send> ContentRead for T {}

/// A content file opened for reading, with its length in bytes.
pub type Opened = (Box<dyn ContentRead>, u64);

/// Where content files live. Narrow on purpose: a folder and an object store offer the same. Calls may wait for a network.
pub trait Content: Send + Sync {
    /// Begins to take a file.
    fn put(&self) -> Result<Put, StoreError>;
    /// Opens a file for reading with its length; none if it is absent.
    fn open(&self, digest: ContentDigest, extension: &str) -> Result<Option<Opened>, StoreError>;
    /// The length of a file; none if it is absent.
    fn size(&self, digest: ContentDigest, extension: &str) -> Result<Option<u64>, StoreError>;
    /// Reads a whole file again and compares it with what it must be (its SHA-1 in any case). A mismatch puts it aside:
    /// [`StoreError::ContentMismatch`]; an absent file is [`StoreError::Missing`].
    fn verify(&self, digest: ContentDigest, extension: &str, expected: &Expected) -> Result<Stored, StoreError>;
    /// Deletes a file. True if there was one.
    fn delete(&self, digest: ContentDigest, extension: &str) -> Result<bool, StoreError>;
    /// Every stored file as (digest, extension, bytes), by digest.
    fn list(&self) -> Result<Vec<(ContentDigest, String, u64)>, StoreError>;
}
