//! Reading the whole catalogue in a compact form, for exports: numbers instead of ids, so that a large catalogue takes
//! little memory.

use std::ops::ControlFlow;

use weir_model::{
    ids::{ChangeNumber, ContentDigest, RevisionId, RevisionNumber, UpdateId},
    update::{CategoryKind, UpdateType},
};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    sql::statements,
};

/// A revision, as far as an export needs it to find its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExportRevision {
    /// Its number.
    pub id: RevisionId,
    /// Number of its update.
    pub update_no: u32,
    /// Which revision of it.
    pub revision: RevisionNumber,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category: Option<CategoryKind>,
    /// Change number of its arrival.
    pub change: ChangeNumber,
}

/// That a revision names an update as prerequisite.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExportPrerequisite {
    /// The revision.
    pub id: RevisionId,
    /// It names it as a category that it belongs to.
    pub is_category: bool,
    /// Number of the update.
    pub update_no: u32,
}

/// That a revision bundles another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExportMember {
    /// The bundle.
    pub id: RevisionId,
    /// Number of the member's update.
    pub update_no: u32,
    /// Which revision of it.
    pub revision: RevisionNumber,
}

/// The catalogue as a graph.
#[derive(Clone, Debug, Default)]
pub struct ExportGraph {
    /// The last change number that is in it.
    pub change: ChangeNumber,
    /// Every revision, ascending.
    pub revisions: Vec<ExportRevision>,
    /// Prerequisites, ascending by revision, in the order of the documents.
    pub prerequisites: Vec<ExportPrerequisite>,
    /// Members of bundles, likewise.
    pub members: Vec<ExportMember>,
    /// Update ids, by number.
    pub updates: Vec<Option<UpdateId>>,
}

statements! {
    REVISIONS: "listing the whole catalogue" =
        "SELECT revision_id, update_no, revision, update_type, category_kind, change FROM revision ORDER BY revision_id";
    PREREQUISITES: "listing all prerequisites" =
        "SELECT revision_id, is_category, update_no FROM prerequisite ORDER BY revision_id, clause, position";
    MEMBERS: "listing all members of bundles" =
        "SELECT revision_id, update_no, revision FROM bundle ORDER BY revision_id, clause, position";
    LICENCES: "listing licence files" =
        "SELECT DISTINCT f.digest, CASE WHEN c.state = 0 THEN 1 ELSE 0 END
         FROM revision_file f LEFT JOIN content_file c ON c.digest = f.digest WHERE f.eula_language IS NOT NULL";
    FILES: "listing the files of a revision with their sources" =
        "SELECT f.digest, f.name, (SELECT s.url FROM file_source s WHERE s.digest = f.digest
             ORDER BY CASE s.origin WHEN 'package' THEN 0 WHEN 'document' THEN 1 ELSE 2 END, s.url LIMIT 1)
         FROM revision_file f WHERE f.revision_id = ?1 ORDER BY f.position";
}

impl ReadTx<'_> {
    /// The whole catalogue as a graph.
    pub fn export_graph(&self) -> Result<ExportGraph, StoreError> {
        let mut graph = ExportGraph { change: self.catalogue_version()?, ..ExportGraph::default() };
        graph.revisions = self.all(&REVISIONS, args![], |row| {
            Ok(ExportRevision {
                id: row.revision_id(0)?,
                update_no: row.int(1)?,
                revision: RevisionNumber(row.int(2)?),
                update_type: row.coded(3)?,
                category: row.opt(4, Row::coded)?,
                change: row.change(5)?,
            })
        })?;
        self.each(&PREREQUISITES, args![], |row| {
            if let Some(update_no) = row.opt_int(2)? {
                graph.prerequisites.push(ExportPrerequisite {
                    id: row.revision_id(0)?,
                    is_category: row.bool(1)?,
                    update_no,
                });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.each(&MEMBERS, args![], |row| {
            if let (Some(update_no), Some(revision)) = (row.opt_int(1)?, row.opt_int(2)?) {
                let revision = RevisionNumber(revision);
                graph.members.push(ExportMember { id: row.revision_id(0)?, update_no, revision });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (number, id) in self.update_numbers(0)? {
            graph.updates.resize(number as usize, None);
            graph.updates.push(Some(id));
        }
        Ok(graph)
    }

    /// Every licence file that a stored revision names, and whether it is here and verified.
    pub fn export_licences(&self) -> Result<Vec<(ContentDigest, bool)>, StoreError> {
        self.all(&LICENCES, args![], |row| Ok((row.digest(0)?, row.bool(1)?)))
    }

    /// Files of a revision, licence files included: digest, name, and where it is offered, preferring what a package said.
    pub fn export_files(&self, id: RevisionId) -> Result<Vec<(ContentDigest, String, Option<String>)>, StoreError> {
        self.all(&FILES, args![id], |row| Ok((row.digest(0)?, row.text(1)?, row.opt_text(2)?)))
    }
}
