//! Reading texts and fragments, whole or piece by piece.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use weir_model::ids::{ContentDigest, RevisionId};

use crate::{
    ReadTx, StoreError,
    codec::{Row, Value, args, text_from, unpack_into},
    db::LISTED,
    sql::{Statement, statements},
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
    PIECES_OF: "reading texts of several revisions" =
        "SELECT revision_id, part, plain_len, data, language, region FROM text_piece
         WHERE revision_id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32) AND kind = ?33
         ORDER BY revision_id, part, piece";
    PIECE_SHOW: "reading a piece of a text" =
        "SELECT plain_len, data FROM text_piece WHERE revision_id = ?1 AND kind = ?2 AND part = 0 AND piece = ?3";
    BLOCKS_SHOW: "reading ready blocks" = "SELECT plain_len, data FROM core_block WHERE revision_id = ?1 AND row = ?2";
    CORE_INFO: "reading the sizes of a fragment" =
        "SELECT core_plain_len, core_escaped_len, core_pieces, core_block_rows, core_blocks_len FROM revision
         WHERE revision_id = ?1";
    CORE_INFO_OF: "reading the sizes of several fragments" =
        "SELECT core_plain_len, core_escaped_len, core_pieces, core_block_rows, core_blocks_len, revision_id FROM revision
         WHERE revision_id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY revision_id";
    FILES_OF: "listing files" =
        "SELECT digest, name FROM revision_file
         WHERE revision_id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY revision_id, position";
    FILE_NAME: "reading the name of a file" =
        "SELECT name FROM revision_file WHERE digest = ?1 ORDER BY revision_id, position LIMIT 1";
}

/// One text of a kind: language, region, plain bytes.
type Part = (Option<String>, Option<String>, Vec<u8>);

fn core_info(row: &Row<'_>) -> Result<CoreInfo, StoreError> {
    Ok(CoreInfo {
        plain_len: row.int(0)?,
        escaped_len: row.int(1)?,
        pieces: row.int(2)?,
        block_rows: row.int(3)?,
        blocks_len: row.int(4)?,
    })
}

fn localized(parts: Vec<Part>) -> Result<Vec<(String, String)>, StoreError> {
    let parts = parts.into_iter();
    parts.map(|(language, _, xml)| Ok((language.unwrap_or_default(), text_from(xml, "a fragment")?))).collect()
}

fn eulas(parts: Vec<Part>) -> Result<Vec<EulaFragment>, StoreError> {
    parts
        .into_iter()
        .map(|(language, region, xml)| {
            let language = language.unwrap_or_default();
            Ok(EulaFragment { language, region, xml: text_from(xml, "a licence fragment")? })
        })
        .collect()
}

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
        self.first(&CORE_INFO, args![id], core_info)
    }

    /// Sizes of the Core fragments of many revisions; ids that are not stored are absent.
    pub fn core_infos(&self, ids: &[RevisionId]) -> Result<HashMap<RevisionId, CoreInfo>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        self.each_listed(&CORE_INFO_OF, ids, &[], |row| {
            found.insert(row.revision_id(5)?, core_info(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// A whole Core fragment in wire form. For large ones use [`ReadTx::core_piece`].
    pub fn core_escaped(&self, id: RevisionId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.parts(id, TextKind::Core)?.into_iter().next().map(|(_, _, bytes)| bytes))
    }

    /// Core fragments of many revisions in wire form, in the order asked, each once; ids that are not stored are left
    /// out.
    pub fn core_escaped_many(&self, ids: &[RevisionId]) -> Result<Vec<(RevisionId, Vec<u8>)>, StoreError> {
        let mut found = self.parts_of(ids, TextKind::Core)?;
        let bytes = |id: &RevisionId| Some((*id, found.remove(id)?.into_iter().next()?.2));
        Ok(ids.iter().filter_map(bytes).collect())
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

    /// The Extended fragments of many revisions; ids that are not stored are absent.
    pub fn extended_fragments(&self, ids: &[RevisionId]) -> Result<HashMap<RevisionId, String>, StoreError> {
        let parts = self.parts_of(ids, TextKind::Extended)?.into_iter();
        let text = |(id, parts): (RevisionId, Vec<Part>)| Some((id, parts.into_iter().next()?.2));
        parts.filter_map(text).map(|(id, bytes)| Ok((id, text_from(bytes, "a text")?))).collect()
    }

    /// LocalizedProperties fragments in document order as (language, fragment).
    pub fn localized_fragments(&self, id: RevisionId) -> Result<Vec<(String, String)>, StoreError> {
        localized(self.parts(id, TextKind::Localized)?)
    }

    /// The same of many revisions; those that have none are absent.
    pub fn localized_fragments_of(
        &self,
        ids: &[RevisionId],
    ) -> Result<HashMap<RevisionId, Vec<(String, String)>>, StoreError> {
        self.parts_of(ids, TextKind::Localized)?.into_iter().map(|(id, parts)| Ok((id, localized(parts)?))).collect()
    }

    /// Eula fragments in document order.
    pub fn eula_fragments(&self, id: RevisionId) -> Result<Vec<EulaFragment>, StoreError> {
        eulas(self.parts(id, TextKind::Eula)?)
    }

    /// The same of many revisions; those that have none are absent.
    pub fn eula_fragments_of(&self, ids: &[RevisionId]) -> Result<HashMap<RevisionId, Vec<EulaFragment>>, StoreError> {
        self.parts_of(ids, TextKind::Eula)?.into_iter().map(|(id, parts)| Ok((id, eulas(parts)?))).collect()
    }

    /// Distinct files of many revisions (licence files included) as (digest, name), by revision: what GetExtendedUpdateInfo and
    /// GetFileLocations give locations of.
    pub fn files_of(&self, ids: &[RevisionId]) -> Result<Vec<(ContentDigest, String)>, StoreError> {
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        self.each_listed(&FILES_OF, ids, &[], |row| {
            let digest = row.digest(0)?;
            if seen.insert(digest) {
                files.push((digest, row.text(1)?));
            }
            Ok(())
        })?;
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

    /// Texts of a kind of many revisions; those that have none are absent.
    fn parts_of(&self, ids: &[RevisionId], kind: TextKind) -> Result<HashMap<RevisionId, Vec<Part>>, StoreError> {
        let mut all: HashMap<RevisionId, Vec<Part>> = HashMap::with_capacity(ids.len());
        let mut last = None;
        self.each_listed(&PIECES_OF, ids, args![kind], |row| {
            let (id, part) = (row.revision_id(0)?, row.int::<u32>(1)?);
            let parts = all.entry(id).or_default();
            if last != Some((id, part)) {
                last = Some((id, part));
                parts.push((row.opt_text(4)?, row.opt_text(5)?, Vec::new()));
            }
            if let Some((_, _, plain)) = parts.last_mut() {
                unpack_into(plain, row.bytes(3)?, row.int::<u32>(2)? as usize)?;
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Hands the rows of a statement about [`LISTED`] revisions to `each`, for any number of them, each once and ascending. `more` is
    /// what it takes after them.
    fn each_listed(
        &self,
        statement: &'static Statement,
        ids: &[RevisionId],
        more: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        for some in ids.chunks(LISTED) {
            let Some(last) = some.last() else { continue };
            // a set takes a number twice
            let all = some.iter().chain(std::iter::repeat(last)).take(LISTED);
            let values: Vec<Value<'_>> = all.map(|id| Value::from(*id)).chain(more.iter().copied()).collect();
            self.each(statement, &values, |row| {
                each(row)?;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }
}
