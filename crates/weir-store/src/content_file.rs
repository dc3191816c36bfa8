//! What the database knows of content files.

use jiff::Timestamp;
use weir_model::ids::{ContentDigest, Sha256Digest};

use crate::{Page, ReadTx, StoreError, WriteTx};

/// Whether a content file is fit to be served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContentState {
    /// It is here and its digests matched.
    Verified,
    /// It was here and did not match; it was put aside.
    Quarantined,
    /// It should be here and is not.
    Lost,
}

/// A content file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentFileRow {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Extension of its stored name, with the dot, lower case; may be empty.
    pub extension: String,
    /// Whether it is fit.
    pub state: ContentState,
    /// When its digests were last compared.
    pub verified_at: Timestamp,
}

/// Counts and bytes of content.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ContentTotals {
    /// Verified files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files put aside.
    pub quarantined: u64,
    /// Files that should be here.
    pub lost: u64,
}

impl ReadTx<'_> {
    /// One content file.
    pub fn content_file_show(&self, digest: ContentDigest) -> Result<Option<ContentFileRow>, StoreError> {
        let _ = digest;
        unimplemented!()
    }

    /// Content files, by digest.
    pub fn content_file_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<ContentFileRow>, StoreError> {
        let _ = (cursor, limit);
        unimplemented!()
    }

    /// Counts and bytes.
    pub fn content_file_totals(&self) -> Result<ContentTotals, StoreError> {
        unimplemented!()
    }

    /// Verified files that no stored revision names.
    pub fn content_file_unreferenced(&self) -> Result<Vec<ContentFileRow>, StoreError> {
        unimplemented!()
    }

    /// Some stored revision names a file of this digest: its SHA-256 if documents give one, and its size.
    pub fn file_expected(&self, digest: ContentDigest) -> Result<Option<(Option<Sha256Digest>, u64)>, StoreError> {
        let _ = digest;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Notes a content file that is here and verified. True if that is new.
    pub fn content_file_put(&self, row: &ContentFileRow) -> Result<bool, StoreError> {
        let _ = row;
        unimplemented!()
    }

    /// Changes the state of a content file.
    pub fn content_file_set_state(&self, digest: ContentDigest, state: ContentState) -> Result<(), StoreError> {
        let _ = (digest, state);
        unimplemented!()
    }

    /// Forgets a content file.
    pub fn content_file_delete(&self, digest: ContentDigest) -> Result<(), StoreError> {
        let _ = digest;
        unimplemented!()
    }
}
