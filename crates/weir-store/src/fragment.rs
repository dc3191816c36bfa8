//! Reading texts and fragments, whole or piece by piece.

use std::{collections::HashSet, ops::ControlFlow};

use weir_model::ids::{ContentDigest, RevisionId};

use crate::{
    ReadTx, StoreError,
    codec::{args, text_from, unpack_into},
    sql::statements,
};

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
pub const PIECE: usize = 256 * 1024;

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

/// What a text of a revision is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TextKind {
    Core,
    Document,
    Eula,
    Extended,
    Localized,
}

statements! {
    PIECES: "reading a text" =
        "SELECT part, plain_len, data, language, region FROM text_piece WHERE revision_id = ?1 AND kind = ?2
         ORDER BY part, piece";
    PIECE_SHOW: "reading a piece of a text" =
        "SELECT plain_len, data FROM text_piece WHERE revision_id = ?1 AND kind = ?2 AND part = 0 AND piece = ?3";
    BLOCKS_SHOW: "reading ready blocks" = "SELECT plain_len, data FROM core_block WHERE revision_id = ?1 AND row = ?2";
    CORE_INFO: "reading the sizes of a fragment" =
        "SELECT core_plain_len, core_escaped_len, core_pieces, core_block_rows, core_blocks_len FROM revision
         WHERE revision_id = ?1";
    FILES_OF: "listing files" =
        "SELECT digest, name FROM revision_file WHERE revision_id = ?1 ORDER BY position";
    FILE_NAME: "reading the name of a file" =
        "SELECT name FROM revision_file WHERE digest = ?1 ORDER BY revision_id, position LIMIT 1";
}

/// One text of a kind: language, region, plain bytes.
type Part = (Option<String>, Option<String>, Vec<u8>);

impl ReadTx<'_> {
    /// The original document, byte for byte.
    pub fn document_text(&self, id: RevisionId) -> Result<Option<String>, StoreError> {
        self.first_part(id, TextKind::Document)
    }

    /// Piece `piece` (from 0) of the original document; none past the end. Pieces may cut a character in two.
    pub fn document_piece(&self, id: RevisionId, piece: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.piece(id, TextKind::Document, piece)
    }

    /// Sizes of a Core fragment.
    pub fn core_info(&self, id: RevisionId) -> Result<Option<CoreInfo>, StoreError> {
        self.first(&CORE_INFO, args![id], |row| {
            Ok(CoreInfo {
                plain_len: row.int(0)?,
                escaped_len: row.int(1)?,
                pieces: row.int(2)?,
                block_rows: row.int(3)?,
                blocks_len: row.int(4)?,
            })
        })
    }

    /// A whole Core fragment in wire form. For large ones use [`ReadTx::core_piece`].
    pub fn core_escaped(&self, id: RevisionId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.parts(id, TextKind::Core)?.into_iter().next().map(|(_, _, bytes)| bytes))
    }

    /// Core fragments of many revisions in wire form, in the order asked; ids that are not stored are left out.
    pub fn core_escaped_many(&self, ids: &[RevisionId]) -> Result<Vec<(RevisionId, Vec<u8>)>, StoreError> {
        let found = ids.iter().map(|id| Ok(self.core_escaped(*id)?.map(|bytes| (*id, bytes))));
        found.filter_map(Result::transpose).collect()
    }

    /// Piece `piece` (from 0) of a Core fragment in wire form; none past the end. Pieces may cut a character in two.
    pub fn core_piece(&self, id: RevisionId, piece: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.piece(id, TextKind::Core, piece)
    }

    /// Row `row` (from 0) of the ready Xpress blocks: (plain bytes, block data); none past the end.
    pub fn core_blocks(&self, id: RevisionId, row: u32) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
        self.first(&BLOCKS_SHOW, args![id, row], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))
    }

    /// The Extended fragment.
    pub fn extended_fragment(&self, id: RevisionId) -> Result<Option<String>, StoreError> {
        self.first_part(id, TextKind::Extended)
    }

    /// LocalizedProperties fragments in document order as (language, fragment).
    pub fn localized_fragments(&self, id: RevisionId) -> Result<Vec<(String, String)>, StoreError> {
        let parts = self.parts(id, TextKind::Localized)?.into_iter();
        parts.map(|(language, _, xml)| Ok((language.unwrap_or_default(), text_from(xml, "a fragment")?))).collect()
    }

    /// Eula fragments in document order.
    pub fn eula_fragments(&self, id: RevisionId) -> Result<Vec<EulaFragment>, StoreError> {
        let parts = self.parts(id, TextKind::Eula)?.into_iter();
        parts
            .map(|(language, region, xml)| {
                let language = language.unwrap_or_default();
                Ok(EulaFragment { language, region, xml: text_from(xml, "a licence fragment")? })
            })
            .collect()
    }

    /// Distinct files of many revisions (licence files included) as (digest, name): what GetExtendedUpdateInfo and
    /// GetFileLocations give locations of.
    pub fn files_of(&self, ids: &[RevisionId]) -> Result<Vec<(ContentDigest, String)>, StoreError> {
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for id in ids {
            let of_one = self.all(&FILES_OF, args![*id], |row| Ok((row.digest(0)?, row.text(1)?)))?;
            files.extend(of_one.into_iter().filter(|(digest, _)| seen.insert(*digest)));
        }
        Ok(files)
    }

    /// The name of a content file, by which its URL gets an extension; none if no revision has it.
    pub fn file_name(&self, digest: ContentDigest) -> Result<Option<String>, StoreError> {
        self.first(&FILE_NAME, args![digest], |row| row.text(0))
    }

    fn piece(&self, id: RevisionId, kind: TextKind, piece: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.first(&PIECE_SHOW, args![id, kind, piece], |row| {
            let mut plain = Vec::new();
            unpack_into(&mut plain, row.bytes(1)?, row.int::<u32>(0)? as usize)?;
            Ok(plain)
        })
    }

    fn first_part(&self, id: RevisionId, kind: TextKind) -> Result<Option<String>, StoreError> {
        let part = self.parts(id, kind)?.into_iter().next();
        part.map(|(_, _, bytes)| text_from(bytes, "a text")).transpose()
    }

    fn parts(&self, id: RevisionId, kind: TextKind) -> Result<Vec<Part>, StoreError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut last = None;
        self.each(&PIECES, args![id, kind], |row| {
            let part: u32 = row.int(0)?;
            if last != Some(part) {
                last = Some(part);
                parts.push((row.opt_text(3)?, row.opt_text(4)?, Vec::new()));
            }
            if let Some((_, _, plain)) = parts.last_mut() {
                unpack_into(plain, row.bytes(2)?, row.int::<u32>(1)? as usize)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(parts)
    }
}
