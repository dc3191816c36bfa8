//! Documents about vulnerabilities, service levels, exceptions.

use std::ops::ControlFlow;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    exposure::{
        Advisory, Build, Builder, Content, Cve, Document, DocumentKind, Exception, Known, KnownExploited, Levels,
        OsBuild, Place, Revision, Stored, Subject, Vulnerability,
    },
    ids::{CollectionId, Sha256Digest, UpdateId},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A stored document, without what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentRow {
    /// This server's own number of it, never given again.
    pub no: u32,
    /// What kind.
    pub kind: DocumentKind,
    /// Who made it; empty if its kind does not tell.
    pub issuer: String,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its revision, and the digest of its bytes.
    pub stored: Stored,
    /// When it was released first.
    pub released_at: Option<Timestamp>,
    /// Vulnerabilities that it names.
    pub entries: u64,
    /// Vulnerabilities that were left out because they have no CVE id.
    pub skipped: u64,
    /// Where it came from: the name of a file, or an address.
    pub source: String,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: String,
}

/// Stored service levels.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LevelsRow {
    /// The days.
    pub levels: Levels,
    /// When they were set.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// A stored exception.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExceptionRow {
    /// Its id.
    pub id: Uuid,
    /// The exception.
    pub exception: Exception,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

statements! {
    DOCUMENT_LIST: "listing exposure documents" =
        "SELECT document_no, kind, issuer, id, title, version, current_at, released_at, digest, entries, skipped, source,
             imported_at, imported_by
         FROM exposure_document ORDER BY current_at DESC, document_no DESC";
    DOCUMENT_FIND: "looking for an exposure document" =
        "SELECT document_no, kind, issuer, id, title, version, current_at, released_at, digest, entries, skipped, source,
             imported_at, imported_by
         FROM exposure_document WHERE kind = ?1 AND issuer = ?2 AND id = ?3";
    DOCUMENT_SHOW: "reading an exposure document" =
        "SELECT document_no, kind, issuer, id, title, version, current_at, released_at, digest, entries, skipped, source,
             imported_at, imported_by
         FROM exposure_document WHERE document_no = ?1";
    DOCUMENT_PUT: "storing an exposure document" =
        "INSERT INTO exposure_document (kind, issuer, id, title, version, current_at, released_at, digest, products, entries,
             skipped, source, imported_at, imported_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (kind, issuer, id) DO UPDATE SET title = excluded.title, version = excluded.version,
             current_at = excluded.current_at, released_at = excluded.released_at, digest = excluded.digest,
             products = excluded.products, entries = excluded.entries, skipped = excluded.skipped,
             source = excluded.source, imported_at = excluded.imported_at, imported_by = excluded.imported_by
         RETURNING document_no";
    DOCUMENT_DELETE: "deleting an exposure document" = "DELETE FROM exposure_document WHERE document_no = ?1";
    ENTRY_PUT: "storing what a document says of a CVE" =
        "INSERT INTO exposure_entry (document_no, cve, said) VALUES (?1, ?2, ?3)";
    ENTRY_CLEAR: "forgetting what a document said" = "DELETE FROM exposure_entry WHERE document_no = ?1";
    LOAD_DOCUMENTS: "loading exposure documents" =
        "SELECT document_no, kind, current_at, products FROM exposure_document ORDER BY document_no";
    LOAD_ENTRIES: "loading what a document says" =
        "SELECT said FROM exposure_entry WHERE document_no = ?1 ORDER BY cve";
    EXPOSURE_VERSION: "looking for changes of exposure documents" = "SELECT value FROM counter WHERE name = 'exposure'";
    BUILDS: "loading the builds of all computers" =
        "SELECT computer_no, os_major_version, os_minor_version, os_build_number, exact_build FROM computer
         WHERE registered_at IS NOT NULL OR exact_build IS NOT NULL ORDER BY computer_no";
    EXACT_BUILD_PUT: "storing the exact build of a computer" =
        "UPDATE computer SET exact_build = ?2 WHERE computer_no = ?1 AND exact_build IS DISTINCT FROM ?2";
    BUILDS_OF: "reading the builds of some computers" =
        "SELECT computer_no, os_major_version, os_minor_version, os_build_number, exact_build FROM computer
         WHERE (registered_at IS NOT NULL OR exact_build IS NOT NULL) AND computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ORDER BY computer_no";
    LEVELS_SHOW: "reading service levels" =
        "SELECT levels, changed_at, changed_by FROM exposure_levels WHERE only_row = 1";
    LEVELS_PUT: "storing service levels" =
        "INSERT INTO exposure_levels (only_row, levels, changed_at, changed_by) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (only_row) DO UPDATE SET levels = excluded.levels, changed_at = excluded.changed_at,
             changed_by = excluded.changed_by";
    LEVELS_CLEAR: "going back to the proposed service levels" = "DELETE FROM exposure_levels WHERE only_row = 1";
    EXCEPTION_LIST: "listing exceptions from service levels" =
        "SELECT exception_id, cve, update_id, collection_id, computer_id, owner, reason, expires_at, created_at, created_by
         FROM exposure_exception ORDER BY expires_at, exception_id";
    EXCEPTION_SHOW: "reading an exception from service levels" =
        "SELECT exception_id, cve, update_id, collection_id, computer_id, owner, reason, expires_at, created_at, created_by
         FROM exposure_exception WHERE exception_id = ?1";
    EXCEPTION_PUT: "storing an exception from service levels" =
        "INSERT INTO exposure_exception (exception_id, cve, update_id, collection_id, computer_id, owner, reason, expires_at,
             created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    EXCEPTION_DELETE: "removing an exception from service levels" =
        "DELETE FROM exposure_exception WHERE exception_id = ?1";
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what: format!("what is stored about exposure: {error}") }
}

/// The exact build of the last scan, else the release that was registered.
fn build(row: &Row<'_>) -> Result<OsBuild, StoreError> {
    if let Some(Build([major, minor, build, revision])) = row.opt_text(4)?.and_then(|text| text.parse().ok()) {
        return Ok(OsBuild { release: [major, minor, build], revision: Some(revision) });
    }
    let number = |column| Ok::<u32, StoreError>(row.int::<i64>(column)?.clamp(0, u32::MAX.into()) as u32);
    Ok(OsBuild { release: [number(1)?, number(2)?, number(3)?], revision: None })
}

fn document(row: &Row<'_>) -> Result<DocumentRow, StoreError> {
    let revision = Revision { version: row.text(5)?, at: row.time(6)? };
    Ok(DocumentRow {
        no: row.int(0)?,
        kind: row.coded(1)?,
        issuer: row.text(2)?,
        id: row.text(3)?,
        title: row.text(4)?,
        stored: Stored { revision, digest: row.sha256(8)?.0 },
        released_at: row.opt_time(7)?,
        entries: row.int(9)?,
        skipped: row.int(10)?,
        source: row.text(11)?,
        imported_at: row.time(12)?,
        imported_by: row.text(13)?,
    })
}

fn exception(row: &Row<'_>) -> Result<ExceptionRow, StoreError> {
    let cve = row.opt_text(1)?.map(|cve| cve.parse::<Cve>()).transpose().map_err(damaged)?;
    let update: Option<UpdateId> = row.opt(2, Row::update_id)?;
    let collection: Option<CollectionId> = row.opt(3, Row::collection_id)?;
    let computer = row.opt_text(4)?.map(|id| id.parse()).transpose().map_err(damaged)?;
    let subject = cve.map(Subject::Cve).or(update.map(Subject::Update));
    let place = collection.map(Place::Collection).or(computer.map(Place::Computer));
    Ok(ExceptionRow {
        id: row.uuid(0)?,
        exception: Exception {
            subject: subject.ok_or_else(|| damaged("an exception about nothing"))?,
            place: place.ok_or_else(|| damaged("an exception that holds nowhere"))?,
            owner: row.text(5)?,
            reason: row.text(6)?,
            expires: row.time(7)?,
        },
        created_at: row.time(8)?,
        created_by: row.text(9)?,
    })
}

impl ReadTx<'_> {
    /// All documents, the one that was released last first.
    pub fn exposure_documents(&self) -> Result<Vec<DocumentRow>, StoreError> {
        self.all(&DOCUMENT_LIST, args![], document)
    }

    /// The document of that kind, issuer and id.
    pub fn exposure_document_find(
        &self,
        kind: DocumentKind,
        issuer: &str,
        id: &str,
    ) -> Result<Option<DocumentRow>, StoreError> {
        self.first(&DOCUMENT_FIND, args![kind, issuer, id], document)
    }

    /// The document of that number.
    pub fn exposure_document_show(&self, no: u32) -> Result<Option<DocumentRow>, StoreError> {
        self.first(&DOCUMENT_SHOW, args![no], document)
    }

    /// Moves whenever a document comes, changes or goes.
    pub fn exposure_version(&self) -> Result<u64, StoreError> {
        self.one(&EXPOSURE_VERSION, args![], |row| row.int(0))
    }

    /// What all documents say together.
    pub fn exposure_known(&self) -> Result<Known, StoreError> {
        let documents = self.all(&LOAD_DOCUMENTS, args![], |row| {
            let products: Vec<String> = serde_json::from_str(row.str(3)?).map_err(damaged)?;
            Ok((row.int::<u32>(0)?, row.coded::<DocumentKind>(1)?, row.time(2)?, products))
        })?;
        let mut builder = Builder::default();
        for (no, kind, at, products) in documents {
            if kind == DocumentKind::Kev {
                builder.known_exploited(self.said::<KnownExploited>(no)?);
            } else {
                let vulnerabilities = self.said::<Vulnerability>(no)?;
                builder.advisory(no, at, &Advisory { products, vulnerabilities });
            }
        }
        Ok(builder.finish())
    }

    fn said<T: serde::de::DeserializeOwned>(&self, no: u32) -> Result<Vec<T>, StoreError> {
        self.all(&LOAD_ENTRIES, args![no], |row| serde_json::from_str(row.str(0)?).map_err(damaged))
    }

    /// Hands the build of every computer that told one to `each`, ascending by row number: the exact one of its last scan, else
    /// the release that it registered.
    pub fn computer_builds_each(&self, each: &mut dyn FnMut(u32, OsBuild)) -> Result<(), StoreError> {
        self.each(&BUILDS, args![], |row| {
            each(row.int(0)?, build(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The same of those of these computers that registered. Numbers and answers ascend.
    pub fn computer_builds_of(&self, computers: &[u32], each: &mut dyn FnMut(u32, OsBuild)) -> Result<(), StoreError> {
        self.each_of(&BUILDS_OF, computers, |row| {
            each(row.int(0)?, build(row)?);
            Ok(())
        })
    }

    /// Service levels; none if they are the proposed ones.
    pub fn exposure_levels(&self) -> Result<Option<LevelsRow>, StoreError> {
        self.first(&LEVELS_SHOW, args![], |row| {
            let levels = serde_json::from_str(row.str(0)?).map_err(damaged)?;
            Ok(LevelsRow { levels, changed_at: row.time(1)?, changed_by: row.text(2)? })
        })
    }

    /// All exceptions, also those that are over, by their end.
    pub fn exposure_exceptions(&self) -> Result<Vec<ExceptionRow>, StoreError> {
        self.all(&EXCEPTION_LIST, args![], exception)
    }

    /// One exception.
    pub fn exposure_exception_show(&self, id: Uuid) -> Result<Option<ExceptionRow>, StoreError> {
        self.first(&EXCEPTION_SHOW, args![id], exception)
    }
}

impl WriteTx<'_> {
    /// Stores the exact build that a computer told. True if it is another one than before.
    pub fn computer_exact_build_put(&self, no: u32, build: Build) -> Result<bool, StoreError> {
        Ok(self.run(&EXACT_BUILD_PUT, args![no, &build.to_string()])? > 0)
    }

    /// Stores a document in place of the state of it that was here. The caller has asked [`weir_model::exposure::arrival`].
    /// Returns its number.
    pub fn exposure_document_put(
        &self,
        document: &Document,
        digest: Sha256Digest,
        source: &str,
    ) -> Result<u32, StoreError> {
        let actor = self.actor();
        let products = match &document.content {
            Content::Advisory(advisory) => serde_json::to_string(&advisory.products).map_err(damaged)?,
            Content::KnownExploited(_) => "[]".to_owned(),
        };
        let values = args![
            document.kind,
            &document.issuer,
            &document.id,
            &document.title,
            &document.revision.version,
            document.revision.at,
            document.released,
            digest,
            &products,
            document.content.len(),
            document.skipped,
            source,
            actor.at,
            &actor.name,
        ];
        let no: u32 = self.one(&DOCUMENT_PUT, values, |row| row.int(0))?;
        self.run(&ENTRY_CLEAR, args![no])?;
        let put = |cve: &Cve, said: Result<String, serde_json::Error>| {
            self.send(&ENTRY_PUT, args![no, cve.as_str(), &said.map_err(damaged)?])
        };
        match &document.content {
            Content::Advisory(advisory) => {
                let mut all = advisory.vulnerabilities.iter();
                all.try_for_each(|it| put(&it.cve, serde_json::to_string(it)))?;
            }
            Content::KnownExploited(entries) => {
                entries.iter().try_for_each(|it| put(&it.cve, serde_json::to_string(it)))?;
            }
        }
        Ok(no)
    }

    /// Forgets a document and what it said. True if it was there.
    pub fn exposure_document_delete(&self, no: u32) -> Result<bool, StoreError> {
        Ok(self.run(&DOCUMENT_DELETE, args![no])? > 0)
    }

    /// Sets service levels that the caller has checked; none goes back to the proposed ones.
    pub fn exposure_levels_put(&self, levels: Option<&Levels>) -> Result<(), StoreError> {
        let actor = self.actor();
        match levels {
            None => self.run(&LEVELS_CLEAR, args![])?,
            Some(levels) => {
                let text = serde_json::to_string(levels).map_err(damaged)?;
                self.run(&LEVELS_PUT, args![&text, actor.at, &actor.name])?
            }
        };
        Ok(())
    }

    /// Stores an exception that the caller has checked.
    pub fn exposure_exception_put(&self, id: Uuid, exception: &Exception) -> Result<(), StoreError> {
        let actor = self.actor();
        let (cve, update) = match &exception.subject {
            Subject::Cve(cve) => (Some(cve.as_str()), None),
            Subject::Update(update) => (None, Some(*update)),
        };
        let (collection, computer) = match &exception.place {
            Place::Collection(collection) => (Some(*collection), None),
            Place::Computer(computer) => (None, Some(computer.as_str())),
        };
        let values = args![
            id,
            cve,
            update,
            collection,
            computer,
            &exception.owner,
            &exception.reason,
            exception.expires,
            actor.at,
            &actor.name,
        ];
        self.run(&EXCEPTION_PUT, values)?;
        Ok(())
    }

    /// Removes an exception. True if it was there.
    pub fn exposure_exception_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&EXCEPTION_DELETE, args![id])? > 0)
    }
}
