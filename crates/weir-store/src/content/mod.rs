//! The content store: files of updates, addressed by SHA-1, in folders `content/<HH>/<SHA1>.ext` where `HH` is the last
//! byte of the digest in hexadecimal (the layout of content URLs, MS-WUSP 2.2.2.5).

use std::{
    fs::File,
    io::{Read, Seek},
    path::{Path, PathBuf},
};

use weir_model::ids::{ContentDigest, Sha256Digest};

use crate::StoreError;

/// What a content file must be.
#[derive(Clone, Debug, Eq, PartialEq)]
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

/// Where content files live. Narrow on purpose: an object store must be able to offer the same.
pub trait Content: Send + Sync {
    /// Begins to take a file.
    fn put(&self) -> Result<Put, StoreError>;
    /// Opens a file for reading with its length; none if it is absent.
    fn open(&self, digest: ContentDigest, extension: &str) -> Result<Option<(Box<dyn ContentRead>, u64)>, StoreError>;
    /// The length of a file; none if it is absent.
    fn size(&self, digest: ContentDigest, extension: &str) -> Result<Option<u64>, StoreError>;
    /// Reads a whole file again and compares it with what it must be; a mismatch puts it aside.
    fn verify(&self, digest: ContentDigest, extension: &str, expected: &Expected) -> Result<Stored, StoreError>;
    /// Deletes a file. True if there was one.
    fn delete(&self, digest: ContentDigest, extension: &str) -> Result<bool, StoreError>;
    /// Every stored file as (digest, extension, bytes).
    fn list(&self) -> Result<Vec<(ContentDigest, String, u64)>, StoreError>;
}

/// Content files in a local folder.
#[derive(Clone, Debug)]
pub struct ContentStore {
    folder: PathBuf,
}

/// A file on its way into the store. Dropped before [`Put::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Put {}

impl ContentStore {
    /// Opens the folder, creating it and its sub-folders `incoming` and `quarantine` if absent, and clears what an
    /// interrupted process left in `incoming`.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let _ = folder;
        unimplemented!()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file, relative to the folder: `<HH>/<SHA1><extension>`.
    pub fn relative_path(digest: ContentDigest, extension: &str) -> String {
        let _ = (digest, extension);
        unimplemented!()
    }

    /// The extension of a file name as content paths have it: with the dot, lower case, letters and digits only, at
    /// most 10 of them; empty otherwise.
    pub fn extension(file_name: &str) -> String {
        let _ = file_name;
        unimplemented!()
    }

    /// Opens a file as such (for zero-copy serving); none if it is absent.
    pub fn open_file(&self, digest: ContentDigest, extension: &str) -> Result<Option<(File, u64)>, StoreError> {
        let _ = (digest, extension);
        unimplemented!()
    }
}

impl Put {
    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let _ = bytes;
        unimplemented!()
    }

    /// Bytes taken so far.
    pub fn len(&self) -> u64 {
        unimplemented!()
    }

    /// Nothing was taken so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Digests of what was taken so far.
    pub fn digests(&self) -> (ContentDigest, Sha256Digest) {
        unimplemented!()
    }

    /// Compares digests and size, makes the bytes durable and moves the file to its place; if one is there already, it
    /// stays. On a difference the bytes go to quarantine: [`StoreError::ContentMismatch`].
    pub fn finish(self, expected: &Expected, extension: &str) -> Result<Stored, StoreError> {
        let _ = (expected, extension);
        unimplemented!()
    }
}

impl Content for ContentStore {
    fn put(&self) -> Result<Put, StoreError> {
        unimplemented!()
    }

    fn open(&self, digest: ContentDigest, extension: &str) -> Result<Option<(Box<dyn ContentRead>, u64)>, StoreError> {
        let _ = (digest, extension);
        unimplemented!()
    }

    fn size(&self, digest: ContentDigest, extension: &str) -> Result<Option<u64>, StoreError> {
        let _ = (digest, extension);
        unimplemented!()
    }

    fn verify(&self, digest: ContentDigest, extension: &str, expected: &Expected) -> Result<Stored, StoreError> {
        let _ = (digest, extension, expected);
        unimplemented!()
    }

    fn delete(&self, digest: ContentDigest, extension: &str) -> Result<bool, StoreError> {
        let _ = (digest, extension);
        unimplemented!()
    }

    fn list(&self) -> Result<Vec<(ContentDigest, String, u64)>, StoreError> {
        unimplemented!()
    }
}
