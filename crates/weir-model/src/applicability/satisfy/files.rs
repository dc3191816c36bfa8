//! Changes for rules about files.

use jiff::{SignedDuration, Timestamp};

use super::{Solver, values};
use crate::{
    applicability::{
        Change, Facts, Gap,
        evaluate::{FileName, file_name, unsupported},
        facts::RegistryData,
    },
    document::rules::base::{BaseRule, FilePath, FileRoot},
};

/// Where files are put whose folder a registry value should name and does not.
const FOLDER: &str = r"C:\Program Files\Weir";

impl Solver<'_> {
    pub(super) fn file(&self, rule: &BaseRule, wanted: bool) -> Result<Vec<Change>, Gap> {
        let (BaseRule::FileCreated { file, .. }
        | BaseRule::FileExists { file, .. }
        | BaseRule::FileModified { file, .. }
        | BaseRule::FileSize { file, .. }
        | BaseRule::FileVersion { file, .. }) = rule
        else {
            return Err(unsupported("file"));
        };
        let mut changes = Vec::new();
        let path = match file_name(file, &self.state.computer, self.targets.last())? {
            FileName::At(path) => path,
            FileName::Nowhere if wanted => {
                changes.push(self.folder(file)?);
                // With the value there, the path is this one.
                let path = [FOLDER, "\\", file.path.trim_start_matches(['\\', '/'])].concat();
                let absolute = FilePath { root: FileRoot::Absolute, path };
                match file_name(&absolute, &self.state.computer, None)? {
                    FileName::At(path) => path,
                    FileName::Nowhere => return Err(unsupported("a path that is too long")),
                }
            }
            FileName::Nowhere => return Ok(changes),
        };
        // What is not known is overwritten.
        let mut found = self.state.computer.file(&path).unwrap_or(None).unwrap_or_default();
        let possible = match rule {
            BaseRule::FileExists { version, created, modified, size, language, .. } if wanted => {
                found.version = version.map(Some).or(found.version);
                found.language = language.map(Some).or(found.language);
                found.created = created.or(found.created);
                found.modified = modified.or(found.modified);
                found.size = size.or(found.size);
                true
            }
            BaseRule::FileCreated { comparison, created, .. } => {
                found.created = values::number(values::wanted(*comparison, wanted), *created, later, earlier);
                found.created.is_some()
            }
            BaseRule::FileModified { comparison, modified, .. } => {
                found.modified = values::number(values::wanted(*comparison, wanted), *modified, later, earlier);
                found.modified.is_some()
            }
            BaseRule::FileSize { comparison, size, .. } => {
                let comparison = values::wanted(*comparison, wanted);
                found.size = values::number(comparison, *size, |it| it.checked_add(1), |it| it.checked_sub(1));
                found.size.is_some()
            }
            BaseRule::FileVersion { comparison, version, .. } => {
                let version = values::version(values::wanted(*comparison, wanted), *version, 4);
                found.version = Some(version);
                version.is_some()
            }
            _ => false,
        };
        match possible {
            true => changes.push(Change::SetFile { path, file: found }),
            false if wanted => return Err(unsupported("a comparison that no value satisfies")),
            false => changes.push(Change::RemoveFile { path }),
        }
        Ok(changes)
    }

    /// Names the folder that a rule looks for in the registry.
    fn folder(&self, file: &FilePath) -> Result<Change, Gap> {
        match &file.root {
            FileRoot::Registry(value) => Ok(Change::SetValue {
                key: self.key(&value.key)?,
                name: value.name.clone(),
                data: RegistryData::Sz(FOLDER.into()),
            }),
            FileRoot::Absolute | FileRoot::Csidl(_) => Err(unsupported("a special folder that is not there")),
        }
    }
}

fn later(time: Timestamp) -> Option<Timestamp> {
    time.checked_add(SignedDuration::from_secs(1)).ok()
}

fn earlier(time: Timestamp) -> Option<Timestamp> {
    time.checked_sub(SignedDuration::from_secs(1)).ok()
}
