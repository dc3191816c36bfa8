//! From uploaded files to committed revisions: recognise, read, parse and derive on all processors, then one transaction.
//!
//! A package is all or nothing; a file stands alone. Nothing here is asynchronous: the caller gives it threads of its own.

mod document;
mod package;
mod recognise;

#[cfg(test)]
mod tests;

use std::io::{Read, Seek};

use weir_api::import::{ImportError, ImportResult};
use weir_model::ids::UpdateIdentity;
use weir_store::{
    StoreError, WriteTx,
    revision::{FileSource, Inserted, PackedRevision},
};

pub use recognise::Kind;

/// Errors that an answer gives.
const MOST_ERRORS: usize = 1_000;
/// Bytes of one document: the largest known has about 60 million.
const DOCUMENT_BYTES: u64 = 128 << 20;

/// A file to import.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// A file with the name that messages give it.
pub struct Input {
    /// As the sender named it.
    pub name: String,
    /// Its bytes.
    pub source: Box<dyn Source>,
}

/// Tells how far an import is; called from the threads that work.
pub type Report<'a> = &'a (dyn Fn(Step, u64, u64) + Sync);

/// What an import is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Reading and parsing documents.
    Parse,
    /// Writing the transaction.
    Store,
}

/// One revision on its way.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) packed: PackedRevision,
    pub(crate) identity: UpdateIdentity,
    /// Updates and revisions that it cannot do without, for `strict`.
    needs: document::Needs,
    pub(crate) sources: Vec<FileSource>,
    /// Keys of its files are only given on request.
    pub(crate) secured: bool,
}

/// One package, read as a whole.
#[derive(Debug)]
struct Package {
    name: String,
    revisions: Vec<(u64, Ready)>,
    sources: Vec<FileSource>,
}

/// Everything that was read and may be written.
#[derive(Debug, Default)]
pub struct Batch {
    packages: Vec<Package>,
    files: Vec<(String, Ready)>,
    /// What is known so far: skipped and rejected.
    pub result: ImportResult,
    /// A package was refused: nothing may be written.
    pub failed: bool,
}

impl Batch {
    /// Reads files.
    pub fn read(inputs: Vec<Input>, report: Report<'_>) -> std::io::Result<Self> {
        let mut batch = Self::default();
        let mut documents = Vec::new();
        for Input { name, mut source } in inputs {
            match recognise::kind(&mut source)? {
                Kind::Package => match package::read(&name, source, report) {
                    Ok(package) => batch.packages.push(package),
                    Err(refused) => {
                        batch.failed = true;
                        batch.result.rejected += refused.records.max(1);
                        batch.error(name, refused.record, refused.message);
                    }
                },
                Kind::Document => documents.push((name, source)),
                Kind::Other if recognise::claims_package(&name) => {
                    batch.failed = true;
                    batch.result.rejected += 1;
                    let message = "the file is no cabinet, so no wsusutil package: empty or damaged".to_owned();
                    batch.error(name, None, message);
                }
                Kind::Other => batch.result.skipped += 1,
            }
        }
        for (name, read) in document::read_all(documents, report)? {
            match read {
                Ok(ready) => batch.files.push((name, ready)),
                Err(message) => {
                    batch.result.rejected += 1;
                    batch.error(name, None, message);
                }
            }
        }
        Ok(batch)
    }

    fn error(&mut self, file: String, record: Option<u64>, message: String) {
        if self.result.errors.len() < MOST_ERRORS {
            self.result.errors.push(ImportError { file, record, message });
        }
    }

    /// Refuses packages with an update that needs what neither the package nor `known` has.
    pub fn require_resolved(&mut self, known: &dyn Catalogue) {
        let mut refused = Vec::new();
        for package in &self.packages {
            let inside = document::Inside::new(package.revisions.iter().map(|(_, ready)| ready.identity));
            for (record, ready) in &package.revisions {
                if let Some(lack) = ready.needs.first_lack(&inside, known) {
                    refused.push((package.name.clone(), *record, format!("{} needs {lack}", ready.identity)));
                }
            }
        }
        for (file, record, message) in refused {
            self.failed = true;
            self.error(file, Some(record), message);
        }
    }

    /// Drops everything that was read, since a package was refused: the import as a whole changes nothing.
    pub fn refuse_all(&mut self) {
        let packaged: usize = self.packages.drain(..).map(|package| package.revisions.len()).sum();
        self.result.rejected += (packaged + self.files.drain(..).len()) as u64;
    }

    /// Writes everything. An error of a package fails the transaction; a file that conflicts is rejected by itself.
    pub fn store(&mut self, tx: &WriteTx<'_>, report: Report<'_>) -> Result<(), StoreFailure> {
        let total = self.packages.iter().map(|package| package.revisions.len()).sum::<usize>() + self.files.len();
        let mut done = 0;
        for package in &self.packages {
            let records: std::collections::HashMap<UpdateIdentity, u64> =
                package.revisions.iter().map(|(record, ready)| (ready.identity, *record)).collect();
            let counts =
                tx.revision_import(package.revisions.iter().map(|(_, ready)| &ready.packed)).map_err(|source| {
                    let record = match &source {
                        StoreError::DifferentText(identity) => records.get(identity).copied(),
                        _ => None,
                    };
                    StoreFailure { file: package.name.as_str().into(), record, source }
                })?;
            self.result.added += counts.added;
            self.result.unchanged += counts.unchanged;
            let sources = package.revisions.iter().flat_map(|(_, ready)| &ready.sources).chain(&package.sources);
            let sources: Vec<FileSource> = sources.cloned().collect();
            let failed = |source| StoreFailure { file: package.name.as_str().into(), record: None, source };
            tx.file_source_add(&sources).map_err(failed)?;
            done += package.revisions.len();
            report(Step::Store, done as u64, total as u64);
        }
        let mut rejected = Vec::new();
        self.files.retain(|(name, ready)| {
            let outcome = tx.revision_insert(&ready.packed).and_then(|inserted| {
                tx.file_source_add(&ready.sources)?;
                Ok(inserted)
            });
            done += 1;
            report(Step::Store, done as u64, total as u64);
            match outcome {
                Ok(Inserted::Added(_)) => self.result.added += 1,
                Ok(Inserted::Unchanged(_)) => self.result.unchanged += 1,
                Err(error) => {
                    rejected.push((name.clone(), error));
                    return false;
                }
            }
            true
        });
        for (file, error) in rejected {
            match error {
                StoreError::DifferentText(_) => {
                    self.result.rejected += 1;
                    self.error(file, None, error.to_string());
                }
                source => return Err(StoreFailure { file: file.into(), record: None, source }),
            }
        }
        Ok(())
    }

    /// The revisions that are in the database after [`Batch::store`].
    pub fn identities(&self) -> impl Iterator<Item = UpdateIdentity> {
        let packaged =
            self.packages.iter().flat_map(|package| package.revisions.iter().map(|(_, ready)| ready.identity));
        packaged.chain(self.files.iter().map(|(_, ready)| ready.identity))
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.files.is_empty()
    }

    /// Notes that the transaction failed and nothing was written.
    pub fn fail(&mut self, file: String, record: Option<u64>, message: String) {
        self.failed = true;
        let offered = self.packages.iter().map(|package| package.revisions.len()).sum::<usize>() + self.files.len();
        self.result.added = 0;
        self.result.unchanged = 0;
        self.result.rejected += offered as u64;
        self.error(file, record, message);
    }
}

/// Why the transaction failed.
#[derive(Debug, thiserror::Error)]
#[error("{file}")]
pub struct StoreFailure {
    /// The file it happened with.
    pub file: Box<str>,
    /// The record of a package.
    pub record: Option<u64>,
    /// What happened.
    #[source]
    pub source: StoreError,
}

impl From<StoreError> for StoreFailure {
    fn from(source: StoreError) -> Self {
        Self { file: Box::default(), record: None, source }
    }
}

pub use document::Catalogue;
pub(crate) use document::{is_source, ready};
