//! What is wrong in the database.

use std::ops::ControlFlow;

use weir_store::{
    ReadTx, StoreError,
    backup::{Inspection, newest_schema},
    inspect::Suspects,
};

use super::{
    COUNTER_BEHIND, Code, DANGLING_ROWS, DATABASE_DAMAGED, DATABASE_ELSEWHERE, DATABASE_UNREADABLE, Finding,
    LOG_NOT_READ, Look, MISSING_REFERENCE, REVISION_TEXT, SCHEMA_NEWER, SCHEMA_OLDER, STATUS_UNREADABLE,
};
use crate::admin::chain;

/// What helps against most damage.
const RESTORE: &str = "restore the last sound backup: weir backup verify FOLDER, then weir restore FOLDER --replace";
/// Findings of the engine that are named.
const LINES: u32 = 20;

impl Look<'_, '_> {
    pub(super) fn database(&mut self, inspection: &Inspection) {
        let log = self.settings.data.join("weir.db-wal");
        if inspection.is_without_log() && std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            self.add(Finding::new(
                LOG_NOT_READ,
                vec!["weir.db-wal".to_owned()],
                "the log beside the database could not be read, since nothing can be written here: what was stored last is not seen",
                "look again where the folder can be written, for example at a copy of it",
            ));
        }
        let version = inspection.schema_version();
        self.diagnosis.schema_version = version.as_ref().ok().copied().flatten();
        let current = self.schema(version);
        self.structure(inspection);
        self.dangling(inspection);
        if current {
            self.contradictions(inspection);
        }
    }

    /// Whether the schema is that of this program.
    fn schema(&mut self, version: Result<Option<u32>, StoreError>) -> bool {
        let known = newest_schema();
        match version {
            Ok(Some(version)) if version == known => true,
            Ok(Some(version)) if version < known => {
                let detail = format!(
                    "the database has version {version} of the schema, and this program {known}: the next start brings it up to date. \
                     Texts, status and references were not compared"
                );
                self.add(Finding::new(SCHEMA_OLDER, Vec::new(), detail, "weir backup create, then weir serve").of(1));
                false
            }
            Ok(Some(version)) => {
                let detail = format!(
                    "the database has version {version} of the schema, made by a later Weir; this program knows {known}. Texts, status \
                     and references were not compared"
                );
                self.add(Finding::new(SCHEMA_NEWER, Vec::new(), detail, "look with the version that made it").of(1));
                false
            }
            Ok(None) => {
                let detail =
                    "the database is none of Weir, or no server has used it yet: it has no history of its schema";
                self.add(Finding::new(DATABASE_UNREADABLE, Vec::new(), detail, RESTORE).of(1));
                false
            }
            Err(error) => {
                let detail = format!("the version of the schema cannot be read: {}", chain(&error));
                self.add(Finding::new(DATABASE_DAMAGED, Vec::new(), detail, RESTORE).of(1));
                false
            }
        }
    }

    fn structure(&mut self, inspection: &Inspection) {
        (self.watch)("structure of the database", 0, 0);
        if let Some(place) = inspection.server() {
            self.add(Finding::new(
                DATABASE_ELSEWHERE,
                vec![place.to_owned()],
                "the files of the database are on its server and were not looked at; what that knows of damage, and all that is stored, was",
                "now and then, on that server: pg_amcheck --heapallindexed --database NAME; and have checksums of pages (pg_checksums)",
            ));
        }
        let lines = inspection.damage(true, LINES).unwrap_or_else(|error| vec![chain(&error)]);
        if !lines.is_empty() {
            let detail = "the structure of the database is damaged: what is on these pages is lost or wrong, and the damage may grow";
            let next_step = format!("stop the server, look after the disk, then {RESTORE}");
            self.add(Finding::new(DATABASE_DAMAGED, lines, detail, next_step));
        }
    }

    fn dangling(&mut self, inspection: &Inspection) {
        (self.watch)("references between rows", 0, 0);
        match inspection.dangling() {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => {
                let count = rows.iter().map(|(_, _, count)| count).sum();
                let named =
                    rows.iter().map(|(table, above, count)| format!("{count} of {table} without {above}")).collect();
                let detail =
                    "rows refer to what is not there, such as memberships and status of computers that do not exist";
                self.add(Finding::new(DANGLING_ROWS, named, detail, RESTORE).of(count));
            }
            Err(error) => self.unread("references between rows", &error),
        }
    }

    fn contradictions(&mut self, inspection: &Inspection) {
        let mut looked = (0, 0);
        let texts = {
            let watch = &mut *self.watch;
            inspection.read(|tx| {
                tx.inspect_texts(&mut |count| {
                    looked.0 = count;
                    watch("texts of revisions", count, 0);
                    ControlFlow::Continue(())
                })
            })
        };
        let status = {
            let watch = &mut *self.watch;
            inspection.read(|tx| {
                tx.inspect_status(&mut |count| {
                    looked.1 = count;
                    if count.is_multiple_of(1_000) {
                        watch("status of computers", count, 0);
                    }
                    ControlFlow::Continue(())
                })
            })
        };
        (self.diagnosis.revisions, self.diagnosis.computers) = looked;
        self.suspects(
            REVISION_TEXT,
            texts,
            "texts of revisions are not the ones that were stored: computers may be sent something else than their publisher wrote",
            "restore the last sound backup; or import the same revisions anew after they were removed: weir sync now --full",
        );
        self.suspects(
            STATUS_UNREADABLE,
            status,
            "the status of these computers cannot be read: they count as unknown",
            "the next full report of each computer replaces it; it comes by itself within a day or two",
        );
        let references = inspection.read(|tx: &ReadTx<'_>| tx.inspect_references());
        self.suspects(
            MISSING_REFERENCE,
            references,
            "something names updates or revisions that are not there",
            RESTORE,
        );
        match inspection.read(|tx: &ReadTx<'_>| tx.inspect_counter()) {
            Ok((counter, largest)) if counter < largest => {
                let detail = format!(
                    "the counter of changes stands at {counter}, and something carries the number {largest}: computers would not be told of \
                     what changes next"
                );
                self.add(Finding::new(COUNTER_BEHIND, Vec::new(), detail, RESTORE).of(1));
            }
            Ok(_) => {}
            Err(error) => self.unread("the counter of changes", &error),
        }
    }

    fn suspects(&mut self, code: Code, found: Result<Suspects, StoreError>, detail: &str, next_step: &str) {
        match found {
            Ok(found) if found.count == 0 => {}
            Ok(found) => self.add(Finding::new(code, found.named, detail, next_step).of(found.count)),
            Err(error) => self.unread(code.code, &error),
        }
    }

    /// What could not even be looked at.
    fn unread(&mut self, what: &str, error: &StoreError) {
        let detail = format!("{what} could not be looked at: {}", chain(error));
        self.add(Finding::new(DATABASE_DAMAGED, Vec::new(), detail, RESTORE).of(1));
    }
}
