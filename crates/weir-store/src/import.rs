//! Storing revisions: packing their texts, and writing the rows.

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest as _, Sha256};
use weir_model::{
    document::body,
    ids::{ChangeNumber, RevisionId, Sha256Digest, UpdateId},
    update::UpdateType,
};

use crate::{
    StoreError, WriteTx,
    codec::{args, pack},
    content_need::is_language,
    criterion::architectures_code,
    fragment::{PIECE, TextKind},
    revision::{ImportCounts, Inserted, NewRevision},
    sql::statements,
};

statements! {
    REVISION_STORED: "looking for a stored revision" =
        "SELECT revision_id, text_hash FROM revision WHERE update_no = ?1 AND revision = ?2";
    REVISION_INSERT: "storing a revision" =
        "INSERT INTO revision (update_no, revision, update_type, category_kind, expired, explicitly_deployable, is_bundle,
             core_plain_len, core_escaped_len, core_pieces, core_block_rows, core_blocks_len, change, text_hash,
             created_at, arrived_at, arrived_by, severity, default_language, title, kb_articles, bulletins, eula_id, search,
             content_facts, compatible_protocol, architectures)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
             ?23, ?24, 1, ?25, ?26)
         RETURNING revision_id";
    NEWEST: "noting the newest revision" =
        "UPDATE updates SET newest_revision_id = ?2 WHERE update_no = ?1 AND (newest_revision_id IS NULL OR
             (SELECT r.revision FROM revision r WHERE r.revision_id = updates.newest_revision_id) < ?3)";
    TEXT_INSERT: "storing a text" =
        "INSERT INTO text_piece (revision_id, kind, part, piece, language, region, plain_len, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    BLOCKS_INSERT: "storing ready blocks" =
        "INSERT INTO core_block (revision_id, row, plain_len, data) VALUES (?1, ?2, ?3, ?4)";
    PREREQUISITE_INSERT: "storing a prerequisite" =
        "INSERT INTO prerequisite (revision_id, clause, position, is_category, bare, update_no)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    BUNDLE_INSERT: "storing a bundled update" =
        "INSERT INTO bundle (revision_id, clause, position, update_no, revision) VALUES (?1, ?2, ?3, ?4, ?5)";
    SUPERSEDED_INSERT: "storing a superseded update" =
        "INSERT INTO superseded (revision_id, position, update_no) VALUES (?1, ?2, ?3)";
    CATEGORY_INSERT: "storing the category of a revision" =
        "INSERT INTO revision_category (revision_id, update_no) VALUES (?1, ?2)";
    DRIVER_INSERT: "storing a driver" =
        "INSERT INTO driver (revision_id, position, hardware_id, facts) VALUES (?1, ?2, ?3, ?4)";
    LOCALIZED_INSERT: "storing a title" =
        "INSERT INTO localized (revision_id, position, language, title, description) VALUES (?1, ?2, ?3, ?4, ?5)";
    LANGUAGE_INSERT: "storing a language" = "INSERT INTO language (language) VALUES (?1) ON CONFLICT (language) DO NOTHING";
    FILE_INSERT: "storing a file of a revision" =
        "INSERT INTO revision_file (revision_id, position, digest, sha256, size, name, modified_at, eula_language,
             express)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
}

/// Wire ids of derived deployments are 0x4000_0000 + revision number, in 31 bits.
const LAST_ID: i32 = 0x3FFF_FFFF;

/// A [`NewRevision`] with its texts compressed, ready to be inserted. Making one is the expensive part and needs no
/// transaction, so it can be done on many threads beforehand.
#[derive(Clone, Debug)]
pub struct PackedRevision {
    /// The revision; its texts are emptied, its blocks kept.
    pub(crate) facts: NewRevision,
    pub(crate) title: String,
    pub(crate) search: String,
    /// SHA-256 of the document without its declaration and with every line end as LF.
    pub(crate) text_hash: Sha256Digest,
    pub(crate) core_escaped_len: usize,
    pub(crate) core_pieces: u32,
    pub(crate) texts: Vec<Piece>,
    pub(crate) drivers: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) kind: TextKind,
    /// Position in the revision's list of that kind.
    pub(crate) part: u32,
    pub(crate) number: u32,
    pub(crate) plain_len: usize,
    pub(crate) data: Vec<u8>,
}

impl PackedRevision {
    /// Compresses the texts.
    pub fn pack(revision: NewRevision) -> Result<Self, StoreError> {
        let mut facts = revision;
        let mut texts = Vec::with_capacity(3 + facts.localized_fragments.len());
        let text_hash = hash_with_lf(&facts.text);
        add_pieces(&mut texts, TextKind::Document, 0, &std::mem::take(&mut facts.text))?;
        let core = std::mem::take(&mut facts.core_escaped);
        let core_pieces = add_pieces(&mut texts, TextKind::Core, 0, &core)?;
        add_pieces(&mut texts, TextKind::Extended, 0, &std::mem::take(&mut facts.extended))?;
        for (part, (_, text)) in (0..).zip(&mut facts.localized_fragments) {
            add_pieces(&mut texts, TextKind::Localized, part, &std::mem::take(text))?;
        }
        for (part, (_, _, text)) in (0..).zip(&mut facts.eula_fragments) {
            add_pieces(&mut texts, TextKind::Eula, part, &std::mem::take(text))?;
        }
        let titled = |language: &str| facts.localized.iter().find(|text| text.language == language);
        let title = titled(&facts.default_language).or_else(|| titled("en")).or_else(|| facts.localized.first());
        let title = title.map_or_else(|| facts.identity.to_string(), |text| text.title.clone());
        let search = search_key(&facts, &title, titled("en").map(|text| text.title.as_str()));
        let drivers = facts.drivers.iter().map(serde_json::to_string).collect::<Result<_, _>>();
        let drivers = drivers.map_err(|error| StoreError::Corrupt { what: format!("facts of a driver: {error}") })?;
        Ok(Self { title, search, text_hash, core_escaped_len: core.len(), core_pieces, texts, drivers, facts })
    }

    /// Which revision.
    pub fn identity(&self) -> weir_model::ids::UpdateIdentity {
        self.facts.identity
    }

    /// Its type.
    pub fn update_type(&self) -> UpdateType {
        self.facts.update_type
    }

    /// What the document says; its texts and fragments are empty here, they are packed.
    pub fn facts(&self) -> &NewRevision {
        &self.facts
    }

    /// Title in the default language.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Bytes that it holds, about: for bounding how many are in flight.
    pub fn len(&self) -> usize {
        let blocks: usize = self.facts.core_blocks.iter().map(|row| row.data.len()).sum();
        self.texts.iter().map(|piece| piece.data.len()).sum::<usize>() + blocks + 1024
    }

    /// Never: a revision has a text.
    pub fn is_empty(&self) -> bool {
        false
    }
}

fn add_pieces(to: &mut Vec<Piece>, kind: TextKind, part: u32, text: &str) -> Result<u32, StoreError> {
    if text.is_empty() {
        to.push(Piece { kind, part, number: 0, plain_len: 0, data: pack(&[])? });
        return Ok(1);
    }
    let mut pieces = 0;
    for chunk in text.as_bytes().chunks(PIECE) {
        to.push(Piece { kind, part, number: pieces, plain_len: chunk.len(), data: pack(chunk)? });
        pieces += 1;
    }
    Ok(pieces)
}

/// Digest of a document in which CR LF and lone CR count as LF, and without its declaration: a copy that came over the
/// wire has lost both.
fn hash_with_lf(text: &str) -> Sha256Digest {
    hash_of_lines(body(text))
}

/// Whether a digest is that of a document. Digests of the first releases are of texts with their declarations.
pub(crate) fn is_hash_of(hash: Sha256Digest, text: &str) -> bool {
    hash == hash_with_lf(text) || hash == hash_of_lines(text)
}

fn hash_of_lines(text: &str) -> Sha256Digest {
    let mut hash = Sha256::new();
    let mut lines = text.split('\r');
    hash.update(lines.next().unwrap_or_default());
    for line in lines {
        hash.update(b"\n");
        hash.update(line.strip_prefix('\n').unwrap_or(line));
    }
    Sha256Digest(hash.finalize().into())
}

/// What is searched: titles, articles and bulletins in lower case.
fn search_key(facts: &NewRevision, title: &str, english: Option<&str>) -> String {
    let mut key = title.to_lowercase();
    for text in
        english.filter(|english| *english != title).into_iter().chain(facts.bulletins.iter().map(String::as_str))
    {
        key.push('\n');
        key.push_str(&text.to_lowercase());
    }
    for article in &facts.kb_articles {
        key.push_str("\nkb");
        key.push_str(article);
    }
    key
}

/// Stores revisions in one transaction, under one change number.
pub struct Import<'t> {
    tx: &'t WriteTx<'t>,
    change: Option<ChangeNumber>,
    counts: ImportCounts,
    numbers: HashMap<UpdateId, u32>,
    languages: HashSet<String>,
}

impl<'t> Import<'t> {
    pub(crate) fn new(tx: &'t WriteTx<'_>) -> Self {
        Self { tx, change: None, counts: ImportCounts::default(), numbers: HashMap::new(), languages: HashSet::new() }
    }

    /// What was stored so far.
    pub fn counts(&self) -> ImportCounts {
        self.counts
    }

    /// Stores a revision, or finds it stored with the same text. On an error let the transaction fail: rows of this
    /// revision may be written.
    pub fn revision(&mut self, revision: &PackedRevision) -> Result<Inserted, StoreError> {
        let identity = revision.facts.identity;
        let update_no = self.number(identity.update_id)?;
        let stored = self.tx.first(&REVISION_STORED, args![update_no, identity.revision], |row| {
            Ok((row.revision_id(0)?, row.sha256(1)?))
        })?;
        if let Some((id, hash)) = stored {
            // digests of the first releases are of texts with their declarations
            let is_same =
                || Ok(self.tx.document_text(id)?.is_some_and(|text| hash_with_lf(&text) == revision.text_hash));
            if hash != revision.text_hash && !is_same()? {
                return Err(StoreError::DifferentText(identity));
            }
            self.counts.unchanged += 1;
            return Ok(Inserted::Unchanged(id));
        }
        let id = self.insert_facts(update_no, revision)?;
        self.tx.send(&NEWEST, args![update_no, id, identity.revision])?;
        self.insert_texts(id, revision)?;
        self.insert_relationships(id, revision)?;
        self.insert_parts(id, revision)?;
        self.counts.added += 1;
        Ok(Inserted::Added(id))
    }

    fn change(&mut self) -> Result<ChangeNumber, StoreError> {
        match self.change {
            Some(change) => Ok(change),
            None => Ok(*self.change.insert(self.tx.change_next()?)),
        }
    }

    fn number(&mut self, update: UpdateId) -> Result<u32, StoreError> {
        if let Some(number) = self.numbers.get(&update) {
            return Ok(*number);
        }
        let number = self.tx.update_intern(update)?;
        self.numbers.insert(update, number);
        Ok(number)
    }

    fn insert_facts(&mut self, update_no: u32, revision: &PackedRevision) -> Result<RevisionId, StoreError> {
        let change = self.change()?;
        let facts = &revision.facts;
        let actor = self.tx.actor();
        let blocks_len: usize = facts.core_blocks.iter().map(|row| row.data.len()).sum();
        let (articles, bulletins) = (facts.kb_articles.join("\n"), facts.bulletins.join("\n"));
        let values = args![
            update_no,
            facts.identity.revision,
            facts.update_type,
            facts.category,
            facts.expired,
            facts.explicitly_deployable,
            !facts.relationships.bundled.is_empty(),
            facts.core_plain_len,
            revision.core_escaped_len,
            revision.core_pieces,
            facts.core_blocks.len(),
            blocks_len,
            change,
            revision.text_hash,
            facts.created_at,
            actor.at,
            &actor.name,
            facts.severity,
            &facts.default_language,
            &revision.title,
            &articles,
            &bulletins,
            facts.eula_id.as_deref(),
            &revision.search,
            facts.compatible_protocol.as_deref(),
            architectures_code(&facts.architectures),
        ];
        let id = self.tx.one(&REVISION_INSERT, values, |row| row.revision_id(0))?;
        if id.0 > LAST_ID { Err(StoreError::Exhausted("revision number")) } else { Ok(id) }
    }

    fn insert_texts(&self, id: RevisionId, revision: &PackedRevision) -> Result<(), StoreError> {
        let facts = &revision.facts;
        for piece in &revision.texts {
            let part = piece.part as usize;
            let (language, region) = match piece.kind {
                TextKind::Eula => {
                    let eula = facts.eula_fragments.get(part);
                    (eula.map(|(language, _, _)| language.as_str()), eula.and_then(|(_, region, _)| region.as_deref()))
                }
                TextKind::Localized => {
                    (facts.localized_fragments.get(part).map(|(language, _)| language.as_str()), None)
                }
                TextKind::Core | TextKind::Document | TextKind::Extended => (None, None),
            };
            let values =
                args![id, piece.kind, piece.part, piece.number, language, region, piece.plain_len, &piece.data];
            self.tx.send(&TEXT_INSERT, values)?;
        }
        for (row, blocks) in facts.core_blocks.iter().enumerate() {
            self.tx.send(&BLOCKS_INSERT, args![id, row, blocks.plain_len, &blocks.data])?;
        }
        Ok(())
    }

    fn insert_relationships(&mut self, id: RevisionId, revision: &PackedRevision) -> Result<(), StoreError> {
        let relationships = &revision.facts.relationships;
        let mut categories = BTreeSet::new();
        for (clause, of) in relationships.prerequisites.iter().enumerate() {
            if of.alternatives.is_empty() {
                // Never satisfied, so it must not be lost.
                let values = args![id, clause, 0_i64, of.is_category, of.bare, None::<i64>];
                self.tx.send(&PREREQUISITE_INSERT, values)?;
            }
            for (position, update) in of.alternatives.iter().enumerate() {
                let number = self.number(*update)?;
                self.tx.send(&PREREQUISITE_INSERT, args![id, clause, position, of.is_category, of.bare, number])?;
                if of.is_category {
                    categories.insert(number);
                }
            }
        }
        for number in categories {
            self.tx.send(&CATEGORY_INSERT, args![id, number])?;
        }
        for (clause, of) in relationships.bundled.iter().enumerate() {
            if of.alternatives.is_empty() {
                self.tx.send(&BUNDLE_INSERT, args![id, clause, 0_i64, None::<i64>, None::<i64>])?;
            }
            for (position, member) in of.alternatives.iter().enumerate() {
                let number = self.number(member.update_id)?;
                self.tx.send(&BUNDLE_INSERT, args![id, clause, position, number, member.revision])?;
            }
        }
        for (position, update) in relationships.superseded.iter().enumerate() {
            let number = self.number(*update)?;
            self.tx.send(&SUPERSEDED_INSERT, args![id, position, number])?;
        }
        Ok(())
    }

    fn insert_parts(&mut self, id: RevisionId, revision: &PackedRevision) -> Result<(), StoreError> {
        let facts = &revision.facts;
        for (position, (driver, json)) in facts.drivers.iter().zip(&revision.drivers).enumerate() {
            let hardware_id = driver.hardware_id.to_lowercase();
            self.tx.send(&DRIVER_INSERT, args![id, position, &hardware_id, json])?;
        }
        for (position, text) in facts.localized.iter().enumerate() {
            let values = args![id, position, &text.language, &text.title, text.description.as_deref()];
            self.tx.send(&LOCALIZED_INSERT, values)?;
            if !self.languages.contains(&text.language) && is_language(&text.language) {
                self.tx.send(&LANGUAGE_INSERT, args![&text.language])?;
                self.languages.insert(text.language.clone());
            }
        }
        for (position, file) in facts.files.iter().enumerate() {
            let values = args![
                id,
                position,
                file.digest,
                file.sha256,
                file.size,
                &file.name,
                file.modified_at,
                file.eula_language.as_deref(),
                file.express,
            ];
            self.tx.send(&FILE_INSERT, values)?;
        }
        for language in &facts.languages {
            self.tx.revision_language_add(id, language)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_count_as_lf() {
        assert_eq!(hash_with_lf("a\r\nb\rc\n"), hash_with_lf("a\nb\nc\n"));
        assert_eq!(hash_with_lf("\r\r\n\n"), hash_with_lf("\n\n\n"));
        assert_ne!(hash_with_lf("a\r\n\nb"), hash_with_lf("a\nb"));
        assert_ne!(hash_with_lf("a"), hash_with_lf("a\n"));
    }
}
