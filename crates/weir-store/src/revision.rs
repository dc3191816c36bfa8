//! Storing revisions, and reading what is known of one.

use jiff::Timestamp;
use weir_model::{
    ids::{ChangeNumber, ContentDigest, RevisionId, Sha256Digest, UpdateId, UpdateIdentity},
    update::{CategoryKind, DriverMetadata, Relationships, Severity, UpdateType},
};

use crate::{ReadTx, StoreError, WriteTx};

/// A revision as the import hands it over: what the document says, and the fragments derived from it.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// The document exactly as it came.
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
    /// Prerequisites, bundled and superseded updates.
    pub relationships: Relationships,
    /// Hardware ids of a driver.
    pub drivers: Vec<DriverMetadata>,
    /// Title and description by language.
    pub localized: Vec<LocalizedText>,
    /// Its files, licence files included.
    pub files: Vec<RevisionFile>,
    /// The Core fragment in wire form (escaped).
    pub core_escaped: String,
    /// The Core fragment's length before escaping, in bytes.
    pub core_plain_len: u64,
    /// Ready-compressed pieces of `core_escaped`, if it is large; empty otherwise.
    pub core_blocks: Vec<CoreBlocks>,
    /// The Extended fragment.
    pub extended: String,
    /// LocalizedProperties fragments as (language, fragment).
    pub localized_fragments: Vec<(String, String)>,
    /// Eula fragments as (language, region, fragment).
    pub eula_fragments: Vec<(String, Option<String>, String)>,
}

/// Title and description in one language.
#[derive(Clone, Debug, Eq, PartialEq)]
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
#[derive(Clone, Debug, Eq, PartialEq)]
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
}

/// A [`NewRevision`] with its texts compressed, ready to be inserted. Making one is the expensive part and needs no
/// transaction, so it can be done on many threads beforehand.
#[derive(Clone, Debug)]
pub struct PackedRevision {}

impl PackedRevision {
    /// Compresses the texts.
    pub fn pack(revision: NewRevision) -> Result<Self, StoreError> {
        let _ = revision;
        unimplemented!()
    }
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

impl ReadTx<'_> {
    /// The revision of that identity.
    pub fn revision_find(&self, identity: UpdateIdentity) -> Result<Option<RevisionRow>, StoreError> {
        let _ = identity;
        unimplemented!()
    }

    /// The revision of that number.
    pub fn revision_show(&self, id: RevisionId) -> Result<Option<RevisionRow>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// All stored revisions of an update, oldest number first.
    pub fn revision_list_of(&self, update: UpdateId) -> Result<Vec<RevisionRow>, StoreError> {
        let _ = update;
        unimplemented!()
    }

    /// Titles and descriptions of a revision, in document order.
    pub fn revision_localized(&self, id: RevisionId) -> Result<Vec<LocalizedText>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Files of a revision, in document order.
    pub fn revision_files(&self, id: RevisionId) -> Result<Vec<RevisionFile>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Relationships of a revision.
    pub fn revision_relationships(&self, id: RevisionId) -> Result<Relationships, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Ids of the categories (products and classifications) that a revision says it belongs to.
    pub fn revision_categories(&self, id: RevisionId) -> Result<Vec<UpdateId>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// The number by which an update id is known in compact forms such as computer status; none if it was never named.
    pub fn update_no(&self, update: UpdateId) -> Result<Option<u32>, StoreError> {
        let _ = update;
        unimplemented!()
    }

    /// Every update id ever named with its number, from `after` (exclusive) on, ascending by number.
    pub fn update_numbers(&self, after: u32) -> Result<Vec<(u32, UpdateId)>, StoreError> {
        let _ = after;
        unimplemented!()
    }

    /// Known sources of a content file.
    pub fn file_sources(&self, digest: ContentDigest) -> Result<Vec<FileSource>, StoreError> {
        let _ = digest;
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Stores a revision, or finds it stored with the same text. [`StoreError::DifferentText`] if the texts differ: the
    /// caller lets the whole transaction fail.
    pub fn revision_insert(&self, revision: &PackedRevision) -> Result<Inserted, StoreError> {
        let _ = revision;
        unimplemented!()
    }

    /// Stores many revisions under one change number.
    pub fn revision_import<'r>(
        &self,
        revisions: impl IntoIterator<Item = &'r PackedRevision>,
    ) -> Result<ImportCounts, StoreError> {
        let _ = revisions.into_iter();
        unimplemented!()
    }

    /// Forgets a revision. Its number is never given again.
    pub fn revision_delete(&self, id: RevisionId) -> Result<(), StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Notes where files can be fetched; what is known already stays.
    pub fn file_source_add(&self, sources: &[FileSource]) -> Result<(), StoreError> {
        let _ = sources;
        unimplemented!()
    }

    /// The number of an update id, given now if it has none. Numbers are never reused.
    pub fn update_intern(&self, update: UpdateId) -> Result<u32, StoreError> {
        let _ = update;
        unimplemented!()
    }
}
