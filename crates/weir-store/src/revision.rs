//! Storing revisions, and reading what is known of one.

use std::{collections::BTreeSet, ops::ControlFlow};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::{
    criteria::Architecture,
    ids::{ChangeNumber, ContentDigest, RevisionId, RevisionNumber, Sha256Digest, UpdateId, UpdateIdentity},
    update::{BundleClause, CategoryKind, DriverMetadata, PrerequisiteClause, Relationships, Severity, UpdateType},
};

pub use crate::import::{Import, PackedRevision};
use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, row},
    sql::statements,
};

/// A revision as the import hands it over: what the document says, and the fragments derived from it.
///
/// The serialized form is that of staged revisions: without texts and blocks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewRevision {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// The document exactly as it came.
    #[serde(skip)]
    pub text: String,
    /// `Properties/@UpdateType`.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category: Option<CategoryKind>,
    /// `Properties/@PublicationState` is Expired.
    pub expired: bool,
    /// `Properties/@ExplicitlyDeployable`.
    pub explicitly_deployable: bool,
    /// `Properties/@DefaultPropertiesLanguage`, lower case.
    pub default_language: String,
    /// `Properties/@CreationDate`.
    pub created_at: Option<Timestamp>,
    /// `Properties/@MsrcSeverity`.
    pub severity: Option<Severity>,
    /// `KBArticleID`, digits only.
    pub kb_articles: Vec<String>,
    /// `SecurityBulletinID`.
    pub bulletins: Vec<String>,
    /// `Properties/@EulaID`.
    pub eula_id: Option<String>,
    /// `Properties/@CompatibleProtocolVersion`, as written.
    pub compatible_protocol: Option<String>,
    /// Prerequisites, bundled and superseded updates.
    pub relationships: Relationships,
    /// Hardware ids of a driver.
    pub drivers: Vec<DriverMetadata>,
    /// Title and description by language.
    pub localized: Vec<LocalizedText>,
    /// Short names, lower case, of the languages that its files are made for; none is neutral.
    pub languages: Vec<String>,
    /// What its own rules ask of the processor; none if they say nothing.
    pub architectures: BTreeSet<Architecture>,
    /// Its files, licence files included.
    pub files: Vec<RevisionFile>,
    /// The Core fragment in wire form (escaped).
    #[serde(skip)]
    pub core_escaped: String,
    /// The Core fragment's length before escaping, in bytes.
    pub core_plain_len: u64,
    /// Ready-compressed pieces of `core_escaped`, if it is large; empty otherwise.
    #[serde(skip)]
    pub core_blocks: Vec<CoreBlocks>,
    /// The Extended fragment.
    #[serde(skip)]
    pub extended: String,
    /// LocalizedProperties fragments as (language, fragment).
    pub localized_fragments: Vec<(String, String)>,
    /// Eula fragments as (language, region, fragment).
    pub eula_fragments: Vec<(String, Option<String>, String)>,
}

/// Title and description in one language.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LocalizedText {
    /// Short name, lower case.
    pub language: String,
    /// Title, as in the document.
    pub title: String,
    /// Description, as in the document.
    pub description: Option<String>,
}

/// A bounded run of ready Xpress blocks of a Core fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CoreBlocks {
    /// Bytes of the escaped fragment that these blocks give.
    pub plain_len: u32,
    /// The blocks, in the form in which they go onto the wire.
    pub data: Vec<u8>,
}

/// A file of a revision.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RevisionFile {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256, if the document has it.
    pub sha256: Option<Sha256Digest>,
    /// Its length in bytes.
    pub size: u64,
    /// `@FileName`.
    pub name: String,
    /// `@Modified`.
    pub modified_at: Option<Timestamp>,
    /// Language of a licence file; none for files of the update itself.
    pub eula_language: Option<String>,
    /// It holds differences only (`@PatchingType` is Express).
    pub express: bool,
}

/// What became of a revision that was offered to the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inserted {
    /// It is new and has this number.
    Added(RevisionId),
    /// It was there with the same text (line ends compared as LF).
    Unchanged(RevisionId),
}

/// Counts of an import.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ImportCounts {
    /// Revisions that are new.
    pub added: u64,
    /// Revisions that were there with the same text.
    pub unchanged: u64,
}

/// What is known of a revision.
#[derive(Clone, Debug)]
pub struct RevisionRow {
    /// Its number.
    pub id: RevisionId,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category: Option<CategoryKind>,
    /// Title in the default language.
    pub title: String,
    /// Default language.
    pub default_language: String,
    /// It is expired.
    pub expired: bool,
    /// It can be deployed.
    pub explicitly_deployable: bool,
    /// It has bundled updates.
    pub is_bundle: bool,
    /// It is the newest revision of its update.
    pub is_newest: bool,
    /// When the publisher made it.
    pub created_at: Option<Timestamp>,
    /// When it arrived here.
    pub arrived_at: Timestamp,
    /// Who brought it.
    pub arrived_by: String,
    /// MSRC severity.
    pub severity: Option<Severity>,
    /// Knowledge-base articles.
    pub kb_articles: Vec<String>,
    /// Security bulletins.
    pub bulletins: Vec<String>,
    /// Its licence.
    pub eula_id: Option<String>,
    /// Change number of its arrival.
    pub change: ChangeNumber,
}

/// Where a content file can be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileSource {
    /// The file.
    pub digest: ContentDigest,
    /// Where.
    pub url: String,
    /// Who said so: `package`, `upstream`.
    pub origin: String,
}

/// Bytes of an address that is kept: it is part of a key, which has room for some more than that, and longer ones are in no use.
pub const LONGEST_ADDRESS: usize = 2_000;

/// Whether an address can be kept.
pub(crate) fn is_address(digest: ContentDigest, url: &str) -> bool {
    let fits = url.len() <= LONGEST_ADDRESS;
    if !fits {
        tracing::warn!(file = %digest.to_hex(), bytes = url.len(), "an address of a file is too long, and is left out");
    }
    fits
}

statements! {
    REVISION_FIND: "looking for a revision" =
        "SELECT r.revision_id, u.update_id, r.revision, r.update_type, r.category_kind, r.title, r.default_language,
             r.expired, r.explicitly_deployable, r.is_bundle, u.newest_revision_id, r.created_at, r.arrived_at,
             r.arrived_by, r.severity, r.kb_articles, r.bulletins, r.eula_id, r.change
         FROM updates u JOIN revision r ON r.update_no = u.update_no WHERE u.update_id = ?1 AND r.revision = ?2";
    REVISION_SHOW: "reading a revision" =
        "SELECT r.revision_id, u.update_id, r.revision, r.update_type, r.category_kind, r.title, r.default_language,
             r.expired, r.explicitly_deployable, r.is_bundle, u.newest_revision_id, r.created_at, r.arrived_at,
             r.arrived_by, r.severity, r.kb_articles, r.bulletins, r.eula_id, r.change
         FROM revision r JOIN updates u ON u.update_no = r.update_no WHERE r.revision_id = ?1";
    REVISION_LIST_OF: "listing the revisions of an update" =
        "SELECT r.revision_id, u.update_id, r.revision, r.update_type, r.category_kind, r.title, r.default_language,
             r.expired, r.explicitly_deployable, r.is_bundle, u.newest_revision_id, r.created_at, r.arrived_at,
             r.arrived_by, r.severity, r.kb_articles, r.bulletins, r.eula_id, r.change
         FROM updates u JOIN revision r ON r.update_no = u.update_no WHERE u.update_id = ?1 ORDER BY r.revision";
    LOCALIZED: "reading titles" =
        "SELECT language, title, description FROM localized WHERE revision_id = ?1 ORDER BY position";
    FILES: "listing the files of a revision" =
        "SELECT digest, sha256, size, name, modified_at, eula_language, express FROM revision_file WHERE revision_id = ?1
         ORDER BY position";
    FILE_LANGUAGES: "reading the languages of a revision" =
        "SELECT language FROM revision_language WHERE revision_id = ?1 ORDER BY language";
    PREREQUISITES: "reading prerequisites" =
        "SELECT p.clause, p.is_category, p.bare, u.update_id FROM prerequisite p
             LEFT JOIN updates u ON u.update_no = p.update_no
         WHERE p.revision_id = ?1 ORDER BY p.clause, p.position";
    BUNDLED: "reading bundled updates" =
        "SELECT b.clause, u.update_id, b.revision FROM bundle b LEFT JOIN updates u ON u.update_no = b.update_no
         WHERE b.revision_id = ?1 ORDER BY b.clause, b.position";
    SUPERSEDED: "reading superseded updates" =
        "SELECT u.update_id FROM superseded s JOIN updates u ON u.update_no = s.update_no
         WHERE s.revision_id = ?1 ORDER BY s.position";
    SUPERSEDED_BY: "looking for what replaces an update" =
        "SELECT DISTINCT s.revision_id FROM updates u JOIN superseded s ON s.update_no = u.update_no
         WHERE u.update_id = ?1 ORDER BY s.revision_id";
    CATEGORIES: "listing the categories of a revision" =
        "SELECT u.update_id FROM revision_category c JOIN updates u ON u.update_no = c.update_no
         WHERE c.revision_id = ?1 ORDER BY u.update_id";
    UPDATE_NO: "looking up an update" = "SELECT update_no FROM updates WHERE update_id = ?1";
    UPDATE_NUMBERS: "listing updates by number" =
        "SELECT update_no, update_id FROM updates WHERE update_no > ?1 ORDER BY update_no";
    SOURCES: "listing the sources of a file" =
        "SELECT url, origin FROM file_source WHERE digest = ?1 ORDER BY url";
    SOURCE_ADD: "noting a source of a file" =
        "INSERT INTO file_source (digest, url, origin) VALUES (?1, ?2, ?3) ON CONFLICT (digest, url) DO NOTHING";
    REVISION_DELETE: "deleting a revision" = "DELETE FROM revision WHERE revision_id = ?1";
    NEWEST_AGAIN: "finding the newest revision that is left" =
        "UPDATE updates SET newest_revision_id =
             (SELECT r.revision_id FROM revision r WHERE r.update_no = updates.update_no ORDER BY r.revision DESC LIMIT 1)
         WHERE update_id = ?1";
    UPDATE_INTERN: "giving an update its number" = "INSERT INTO updates (update_id) VALUES (?1) RETURNING update_no";
}

fn revision(row: &Row<'_>) -> Result<RevisionRow, StoreError> {
    let id = row.revision_id(0)?;
    Ok(RevisionRow {
        id,
        identity: UpdateIdentity { update_id: row.update_id(1)?, revision: RevisionNumber(row.int(2)?) },
        update_type: row.coded(3)?,
        category: row.opt(4, Row::coded)?,
        title: row.text(5)?,
        default_language: row.text(6)?,
        expired: row.bool(7)?,
        explicitly_deployable: row.bool(8)?,
        is_bundle: row.bool(9)?,
        is_newest: row.opt(10, Row::revision_id)? == Some(id),
        created_at: row.opt_time(11)?,
        arrived_at: row.time(12)?,
        arrived_by: row.text(13)?,
        severity: row.opt(14, Row::coded)?,
        kb_articles: row.lines(15)?,
        bulletins: row.lines(16)?,
        eula_id: row.opt_text(17)?,
        change: row.change(18)?,
    })
}

impl ReadTx<'_> {
    /// The revision of that identity.
    pub fn revision_find(&self, identity: UpdateIdentity) -> Result<Option<RevisionRow>, StoreError> {
        self.first(&REVISION_FIND, args![identity.update_id, identity.revision], revision)
    }

    /// The revision of that number.
    pub fn revision_show(&self, id: RevisionId) -> Result<Option<RevisionRow>, StoreError> {
        self.first(&REVISION_SHOW, args![id], revision)
    }

    /// All stored revisions of an update, oldest number first.
    pub fn revision_list_of(&self, update: UpdateId) -> Result<Vec<RevisionRow>, StoreError> {
        self.all(&REVISION_LIST_OF, args![update], revision)
    }

    /// Titles and descriptions of a revision, in document order.
    pub fn revision_localized(&self, id: RevisionId) -> Result<Vec<LocalizedText>, StoreError> {
        self.all(&LOCALIZED, args![id], |row| {
            Ok(LocalizedText { language: row.text(0)?, title: row.text(1)?, description: row.opt_text(2)? })
        })
    }

    /// Files of a revision, in document order.
    pub fn revision_files(&self, id: RevisionId) -> Result<Vec<RevisionFile>, StoreError> {
        self.all(&FILES, args![id], |row| {
            Ok(RevisionFile {
                digest: row.digest(0)?,
                sha256: row.opt(1, Row::sha256)?,
                size: row.int(2)?,
                name: row.text(3)?,
                modified_at: row.opt_time(4)?,
                eula_language: row.opt_text(5)?,
                express: row.bool(6)?,
            })
        })
    }

    /// Short names of the languages that the files of a revision are made for, ascending; none is neutral.
    pub fn revision_languages(&self, id: RevisionId) -> Result<Vec<String>, StoreError> {
        self.all(&FILE_LANGUAGES, args![id], |row| row.text(0))
    }

    /// Relationships of a revision.
    pub fn revision_relationships(&self, id: RevisionId) -> Result<Relationships, StoreError> {
        let mut relationships = Relationships::default();
        self.each(&PREREQUISITES, args![id], |row| {
            let named = row.opt(3, Row::update_id)?;
            add_prerequisite(&mut relationships, row.int(0)?, row.bool(1)?, row.bool(2)?, named);
            Ok(ControlFlow::Continue(()))
        })?;
        self.each(&BUNDLED, args![id], |row| {
            let named = row.opt(1, Row::update_id)?.zip(row.opt_int(2)?);
            add_bundled(&mut relationships, row.int(0)?, named);
            Ok(ControlFlow::Continue(()))
        })?;
        relationships.superseded = self.all(&SUPERSEDED, args![id], |row| row.update_id(0))?;
        Ok(relationships)
    }

    /// Revisions that say they replace an update, ascending.
    pub fn revision_superseding(&self, update: UpdateId) -> Result<Vec<RevisionId>, StoreError> {
        self.all(&SUPERSEDED_BY, args![update], |row| row.revision_id(0))
    }

    /// Ids of the categories (products, classifications, for a category its parent) that a revision says it belongs to.
    pub fn revision_categories(&self, id: RevisionId) -> Result<Vec<UpdateId>, StoreError> {
        self.all(&CATEGORIES, args![id], |row| row.update_id(0))
    }

    /// The number by which an update id is known in compact forms such as computer status; none if no document and no
    /// administrator ever named it.
    pub fn update_no(&self, update: UpdateId) -> Result<Option<u32>, StoreError> {
        self.first(&UPDATE_NO, args![update], |row| row.int(0))
    }

    /// Every update id ever named with its number, from `after` (exclusive) on, ascending by number.
    pub fn update_numbers(&self, after: u32) -> Result<Vec<(u32, UpdateId)>, StoreError> {
        self.all(&UPDATE_NUMBERS, args![after], |row| Ok((row.int(0)?, row.update_id(1)?)))
    }

    /// Known sources of a content file.
    pub fn file_sources(&self, digest: ContentDigest) -> Result<Vec<FileSource>, StoreError> {
        self.all(&SOURCES, args![digest], |row| Ok(FileSource { digest, url: row.text(0)?, origin: row.text(1)? }))
    }
}

impl WriteTx<'_> {
    /// Begins to store revisions under one change number.
    pub fn import(&self) -> Import<'_> {
        Import::new(self)
    }

    /// Stores a revision, or finds it stored with the same text. [`StoreError::DifferentText`] if the texts differ: the
    /// caller lets the whole transaction fail.
    pub fn revision_insert(&self, revision: &PackedRevision) -> Result<Inserted, StoreError> {
        self.import().revision(revision)
    }

    /// Stores many revisions under one change number. The first one that is stored with another text fails all.
    pub fn revision_import<'r>(
        &self,
        revisions: impl IntoIterator<Item = &'r PackedRevision>,
    ) -> Result<ImportCounts, StoreError> {
        let mut import = self.import();
        for revision in revisions {
            import.revision(revision)?;
        }
        Ok(import.counts())
    }

    /// Forgets a revision. Its number is never given again.
    pub fn revision_delete(&self, id: RevisionId) -> Result<(), StoreError> {
        let row = self
            .revision_show(id)?
            .ok_or_else(|| StoreError::Missing { kind: "revision number", id: id.to_string() })?;
        self.change_next()?;
        self.run(&REVISION_DELETE, args![id])?;
        self.run(&NEWEST_AGAIN, args![row.identity.update_id])?;
        Ok(())
    }

    /// Notes where files can be fetched; what is known already stays, and addresses that are [too long](LONGEST_ADDRESS) are left out.
    pub fn file_source_add(&self, sources: &[FileSource]) -> Result<(), StoreError> {
        let kept = sources.iter().filter(|source| is_address(source.digest, &source.url));
        let rows = kept.map(|source| row![source.digest, &source.url, &source.origin]);
        self.run_many(&SOURCE_ADD, rows).map(drop)
    }

    /// The number of an update id, given now if it has none. Numbers are never reused.
    pub fn update_intern(&self, update: UpdateId) -> Result<u32, StoreError> {
        match self.update_no(update)? {
            Some(number) => Ok(number),
            None => self.one(&UPDATE_INTERN, args![update], |row| row.int(0)),
        }
    }
}

/// Adds a row of the prerequisites, which come ordered by clause. A clause without alternatives is one row without one.
pub(crate) fn add_prerequisite(
    to: &mut Relationships,
    clause: usize,
    is_category: bool,
    bare: bool,
    alternative: Option<UpdateId>,
) {
    if to.prerequisites.len() <= clause {
        to.prerequisites.push(PrerequisiteClause { alternatives: Vec::new(), is_category, bare });
    }
    if let Some(last) = to.prerequisites.last_mut() {
        last.alternatives.extend(alternative);
    }
}

/// Adds a row of the bundled updates, which come ordered by clause.
pub(crate) fn add_bundled(to: &mut Relationships, clause: usize, alternative: Option<(UpdateId, u32)>) {
    if to.bundled.len() <= clause {
        to.bundled.push(BundleClause::default());
    }
    if let Some(last) = to.bundled.last_mut() {
        last.alternatives.extend(alternative.map(|(update_id, revision)| UpdateIdentity::new(update_id, revision)));
    }
}
