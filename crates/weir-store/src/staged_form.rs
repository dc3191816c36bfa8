//! The stored form of a revision that waits for promotion: facts as packed JSON, texts as one run of framed pieces, and
//! the ids that it refers to.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_model::{
    ids::{Sha256Digest, UpdateId, UpdateIdentity},
    update::Relationships,
};

use crate::{
    StoreError,
    codec::{Coded as _, Value, pack, unpack_into},
    fragment::TextKind,
    import::{PackedRevision, Piece},
    revision::{CoreBlocks, NewRevision},
};

/// A staged revision as its columns have it.
pub(crate) struct Form {
    pub(crate) needs: Vec<u8>,
    pub(crate) facts: Vec<u8>,
    pub(crate) facts_len: usize,
    pub(crate) texts: Vec<u8>,
}

#[derive(Serialize)]
struct FactsOut<'p> {
    revision: &'p NewRevision,
    title: &'p str,
    search: &'p str,
    text_hash: Sha256Digest,
    core_escaped_len: usize,
    core_pieces: u32,
    drivers: &'p [String],
}

#[derive(Deserialize)]
struct FactsIn {
    revision: NewRevision,
    title: String,
    search: String,
    text_hash: Sha256Digest,
    core_escaped_len: usize,
    core_pieces: u32,
    drivers: Vec<String>,
}

/// What a staged revision refers to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Needs {
    /// Updates of its prerequisites.
    pub(crate) prerequisites: Vec<UpdateId>,
    /// Its bundled revisions.
    pub(crate) bundled: Vec<UpdateIdentity>,
}

fn damaged(why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what: format!("a staged revision: {why}") }
}

impl Form {
    pub(crate) fn new(packed: &PackedRevision) -> Result<Self, StoreError> {
        let facts = FactsOut {
            revision: &packed.facts,
            title: &packed.title,
            search: &packed.search,
            text_hash: packed.text_hash,
            core_escaped_len: packed.core_escaped_len,
            core_pieces: packed.core_pieces,
            drivers: &packed.drivers,
        };
        let json = serde_json::to_vec(&facts).map_err(damaged)?;
        let mut texts = Vec::with_capacity(packed.len());
        number(&mut texts, packed.texts.len());
        for piece in &packed.texts {
            texts.push(code(piece.kind));
            number(&mut texts, piece.part as usize);
            number(&mut texts, piece.number as usize);
            number(&mut texts, piece.plain_len);
            framed(&mut texts, &piece.data);
        }
        number(&mut texts, packed.facts.core_blocks.len());
        for blocks in &packed.facts.core_blocks {
            number(&mut texts, blocks.plain_len as usize);
            framed(&mut texts, &blocks.data);
        }
        let needs = Needs::of(&packed.facts.relationships).write();
        Ok(Self { needs, facts_len: json.len(), facts: pack(&json)?, texts })
    }
}

fn code(kind: TextKind) -> u8 {
    match Value::from(kind) {
        // the codes of texts are small
        Value::Int(code) => code as u8,
        _ => 0,
    }
}

fn number(to: &mut Vec<u8>, number: usize) {
    // lengths and counts of one document: far below 2^32
    to.extend_from_slice(&(number as u32).to_le_bytes());
}

fn framed(to: &mut Vec<u8>, bytes: &[u8]) {
    number(to, bytes.len());
    to.extend_from_slice(bytes);
}

/// The revision behind the columns. Without `texts` only its facts can be used.
pub(crate) fn read(facts: &[u8], facts_len: usize, texts: Option<&[u8]>) -> Result<PackedRevision, StoreError> {
    let mut json = Vec::new();
    unpack_into(&mut json, facts, facts_len)?;
    let facts: FactsIn = serde_json::from_slice(&json).map_err(damaged)?;
    let mut packed = PackedRevision {
        facts: facts.revision,
        title: facts.title,
        search: facts.search,
        text_hash: facts.text_hash,
        core_escaped_len: facts.core_escaped_len,
        core_pieces: facts.core_pieces,
        texts: Vec::new(),
        drivers: facts.drivers,
    };
    if let Some(texts) = texts {
        let mut rest = Reader(texts);
        for _ in 0..rest.number()? {
            let code = i64::from(rest.take(1)?.first().copied().unwrap_or_default());
            let kind = TextKind::CODES.iter().find(|(_, known)| *known == code).map(|(kind, _)| *kind);
            packed.texts.push(Piece {
                kind: kind.ok_or_else(|| damaged("unknown kind of text"))?,
                part: rest.number()?,
                number: rest.number()?,
                plain_len: rest.number()? as usize,
                data: rest.framed()?.to_vec(),
            });
        }
        for _ in 0..rest.number()? {
            packed.facts.core_blocks.push(CoreBlocks { plain_len: rest.number()?, data: rest.framed()?.to_vec() });
        }
    }
    Ok(packed)
}

impl Needs {
    fn of(relationships: &Relationships) -> Self {
        Self {
            prerequisites: relationships.prerequisites.iter().flat_map(|of| of.alternatives.iter().copied()).collect(),
            bundled: relationships.bundled.iter().flat_map(|of| of.alternatives.iter().copied()).collect(),
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 16 * self.prerequisites.len() + 20 * self.bundled.len());
        number(&mut out, self.prerequisites.len());
        for update in &self.prerequisites {
            out.extend_from_slice(update.0.as_bytes());
        }
        number(&mut out, self.bundled.len());
        for member in &self.bundled {
            out.extend_from_slice(member.update_id.0.as_bytes());
            number(&mut out, member.revision.0 as usize);
        }
        out
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut rest = Reader(bytes);
        let mut needs = Self::default();
        for _ in 0..rest.number()? {
            needs.prerequisites.push(rest.update()?);
        }
        for _ in 0..rest.number()? {
            let update = rest.update()?;
            needs.bundled.push(UpdateIdentity::new(update, rest.number()?));
        }
        Ok(needs)
    }
}

/// Reads what [`Form`] wrote; a length that is not there is damage.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, bytes: usize) -> Result<&'b [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| damaged("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        let bytes = self.take(4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(damaged)
    }

    fn framed(&mut self) -> Result<&'b [u8], StoreError> {
        let length = self.number()?;
        self.take(length as usize)
    }

    fn update(&mut self) -> Result<UpdateId, StoreError> {
        let bytes = self.take(16)?;
        bytes.try_into().map(|bytes| UpdateId(Uuid::from_bytes(bytes))).map_err(damaged)
    }
}
