//! Reading texts and fragments, whole or piece by piece.

use weir_model::ids::{ChangeNumber, ContentDigest, RevisionId};

use crate::{ReadTx, StoreError};

/// Sizes of a Core fragment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CoreInfo {
    /// Bytes before escaping.
    pub plain_len: u64,
    /// Bytes in wire form.
    pub escaped_len: u64,
    /// Pieces of the wire form, each at most [`PIECE`] bytes.
    pub pieces: u32,
    /// Rows of ready Xpress blocks; 0 for small fragments.
    pub block_rows: u32,
    /// Bytes of all ready blocks.
    pub blocks_len: u64,
}

/// The largest piece of a text, in plain bytes.
pub const PIECE: usize = 512 * 1024;

/// A licence fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EulaFragment {
    /// `@Language`.
    pub language: String,
    /// `@GeoId`.
    pub region: Option<String>,
    /// The fragment.
    pub xml: String,
}

impl ReadTx<'_> {
    /// The original document, byte for byte.
    pub fn document_text(&self, id: RevisionId) -> Result<Option<String>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Sizes of a Core fragment.
    pub fn core_info(&self, id: RevisionId) -> Result<Option<CoreInfo>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// A whole Core fragment in wire form. For large ones use [`ReadTx::core_piece`].
    pub fn core_escaped(&self, id: RevisionId) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Core fragments of many revisions in wire form, in the order asked; ids that are not stored are left out.
    pub fn core_escaped_many(&self, ids: &[RevisionId]) -> Result<Vec<(RevisionId, Vec<u8>)>, StoreError> {
        let _ = ids;
        unimplemented!()
    }

    /// Piece `piece` (from 0) of a Core fragment in wire form; none past the end. Pieces may cut a character in two.
    pub fn core_piece(&self, id: RevisionId, piece: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = (id, piece);
        unimplemented!()
    }

    /// Row `row` (from 0) of the ready Xpress blocks: (plain bytes, block data); none past the end.
    pub fn core_blocks(&self, id: RevisionId, row: u32) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
        let _ = (id, row);
        unimplemented!()
    }

    /// The Extended fragment.
    pub fn extended_fragment(&self, id: RevisionId) -> Result<Option<String>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// LocalizedProperties fragments in document order as (language, fragment).
    pub fn localized_fragments(&self, id: RevisionId) -> Result<Vec<(String, String)>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Eula fragments in document order.
    pub fn eula_fragments(&self, id: RevisionId) -> Result<Vec<EulaFragment>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Distinct files of many revisions (licence files included) as (digest, name): what GetExtendedUpdateInfo and
    /// GetFileLocations give locations of.
    pub fn files_of(&self, ids: &[RevisionId]) -> Result<Vec<(ContentDigest, String)>, StoreError> {
        let _ = ids;
        unimplemented!()
    }

    /// The name of a content file, by which its URL gets an extension; none if no revision has it.
    pub fn file_name(&self, digest: ContentDigest) -> Result<Option<String>, StoreError> {
        let _ = digest;
        unimplemented!()
    }

    /// The last change number given out: nothing in the catalogue has changed while this is the same.
    pub fn catalogue_version(&self) -> Result<ChangeNumber, StoreError> {
        unimplemented!()
    }
}
