//! The disk of a Windows that is not running: a folder that is the root of its mounted system volume.
//!
//! Registry and files are read when rules ask; what is small is collected when the image is opened. What exists only while
//! Windows runs (volatile keys, devices, most of WMI) is not collected, and what users have neither.
//!
//! *Invariant:* a hive that does not fit together, a link out of the image or a file that is cut off is a gap.

mod bytes;
mod cost;
mod folders;
mod hive;
mod installer;
mod language;
mod licences;
mod log;
mod packages;
mod pe;
mod recovery;
mod registry;
mod system;
mod tree;

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    applicability::{
        Fact, Facts, Gap, GapKind,
        facts::{FileFacts, KeyPath, LicenseValue, MsiProduct, PackageState, RegistryData, System, WmiInstance},
    },
    document::rules,
    ids::UpdateId,
};

pub use self::hive::{HiveError, walk_hive};
pub use self::pe::{FileVersion, PeError, file_version};
use self::{
    registry::Registry,
    tree::{Tree, TreeError},
};
use super::{
    file::{Coverage, Data, Document, FORMAT, FactsFile, FactsFileError, Section, Table, gap, stored},
    names::{check_key_path, file_path},
};

/// Most keys that one export of the registry has.
const MOST_KEYS: usize = 500_000;

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// What was collected contradicts itself.
    #[error("what the image says does not fit together")]
    Facts(#[from] FactsFileError),
    /// It is no Windows volume.
    #[error(
        "{} has no Windows\\System32\\config; give the folder that the system volume of Windows is mounted on",
        .0.display()
    )]
    NoWindows(PathBuf),
    /// A part of the registry that was asked for cannot be exported.
    #[error("cannot export {path}: {reason}")]
    Registry {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// The folder cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Facts from a disk.
#[derive(Debug)]
pub struct OfflineImage {
    tree: Tree,
    registry: Registry,
    collected: FactsFile,
}

impl OfflineImage {
    /// Opens an image below a folder. What of it cannot be read is told by [`Self::warnings`].
    pub fn open(root: &Path) -> Result<Self, ImageError> {
        let mut tree = Tree::new(root).map_err(|error| match error {
            TreeError::Read { path, source } => ImageError::Unreadable { path, source },
            _ => ImageError::NoWindows(root.to_owned()),
        })?;
        match tree.host(r"Windows\System32\config") {
            Ok(Some(path)) if path.is_dir() => {}
            _ => return Err(ImageError::NoWindows(root.to_owned())),
        }
        let mut document = Document { weir_facts: FORMAT, ..Document::default() };
        document.source = Some(format!("image {}", root.display()));
        let registry = Registry::open(&tree, &mut document.warnings);
        // The drive that it was, not the one that it is on now.
        if let Ok(Some(path)) = registry.text(system::CURRENT_VERSION, "SystemRoot") {
            tree.set_drive(path.chars().next().filter(char::is_ascii_alphabetic).unwrap_or('C'));
        }
        system::system(&registry, &mut document);
        system::describe(&registry, &mut document);
        for (what, collected) in [
            ("special folders and variables", folders::collect(&registry, &mut document)),
            ("packages", packages::collect(&registry, &mut document)),
            ("Windows Installer", installer::collect(&registry, &mut document)),
            ("licences", licences::collect(&registry, &mut document)),
        ] {
            if let Err(gap) = collected {
                document.warnings.push(format!("{what}: {gap}"));
            }
        }
        system::wmi(&mut document);
        Ok(Self { tree, registry, collected: FactsFile::new(document)? })
    }

    /// What could not be read.
    pub fn warnings(&self) -> &[String] {
        &self.collected.document().warnings
    }

    /// What was collected, as a facts file: everything but registry and files.
    pub fn document(&self) -> &Document {
        self.collected.document()
    }

    /// A facts file with parts of the registry: all keys from these paths down.
    pub fn export(&self, paths: &[String]) -> Result<Document, ImageError> {
        let mut document = self.document().clone();
        if paths.is_empty() {
            return Ok(document);
        }
        let mut entries = Table::default();
        for path in paths {
            let wrong = |reason: String| ImageError::Registry { path: path.clone(), reason };
            check_key_path(path).map_err(wrong)?;
            let mut todo = vec![path.clone()];
            while let Some(key) = todo.pop() {
                let unread = |gap: Gap| wrong(gap.to_string());
                let Some(values) = self.registry.values(&key).map_err(unread)? else { continue };
                if entries.len() >= MOST_KEYS {
                    return Err(wrong(format!("there are more than {MOST_KEYS} keys; choose smaller parts")));
                }
                let mut table = Table::default();
                for (name, data) in values {
                    table.insert(name, Some(Data::from(data))).map_err(wrong)?;
                }
                for name in self.registry.subkeys(&key).map_err(unread)?.unwrap_or_default() {
                    todo.push(format!(r"{key}\{name}"));
                }
                // Parts may overlap.
                if entries.find(&key).is_none() {
                    entries.insert(key, Some(table)).map_err(wrong)?;
                }
            }
        }
        let complete = Coverage::below(paths.iter().cloned())
            .map_err(|reason| ImageError::Registry { path: paths.join(", "), reason })?;
        document.registry = Some(Section { complete, entries });
        Ok(document)
    }

    fn path_of(&self, key: KeyPath<'_>) -> Fact<String> {
        stored(key, self.system())
    }
}

impl Facts for OfflineImage {
    fn system(&self) -> &System {
        self.collected.system()
    }

    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        self.registry.key(&self.path_of(key)?)
    }

    fn registry_value(&self, key: KeyPath<'_>, name: &str) -> Fact<Option<RegistryData<'_>>> {
        self.registry.value(&self.path_of(key)?, name)
    }

    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        self.registry.subkeys(&self.path_of(key)?)
    }

    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        let normal = file_path(path).ok_or_else(|| gap(GapKind::Unsupported, path))?;
        if !self.tree.has(&normal) {
            return Err(gap(GapKind::NotCollected, &normal));
        }
        let unreadable = |why: &str| gap(GapKind::Unreadable, &format!("{normal}: {why}"));
        let below = normal.get(3..).unwrap_or_default();
        let Some(host) = self.tree.host(below).map_err(|error| unreadable(&error.to_string()))? else {
            return Ok(None);
        };
        let about = fs::symlink_metadata(&host).map_err(|error| unreadable(&error.to_string()))?;
        let modified = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        // Nor when it was created: a mount or a copy tells when that was made.
        let mut facts = FileFacts { modified, ..FileFacts::default() };
        if about.is_file() {
            facts.size = Some(about.len());
            // What cannot be read is not told; that the file is there is.
            let version = tree::open(&host).ok().and_then(|mut file| file_version(&mut file).ok());
            facts.version = version.map(|version| version.map(|version| version.version));
            facts.language = version.map(|version| version.map(|version| version.language));
        }
        Ok(Some(facts))
    }

    fn special_folder(&self, csidl: i32) -> Fact<Option<Cow<'_, str>>> {
        self.collected.special_folder(csidl)
    }

    fn variable(&self, name: &str) -> Fact<Option<Cow<'_, str>>> {
        self.collected.variable(name)
    }

    fn msi_product(&self, code: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        self.collected.msi_product(code)
    }

    fn package(&self, identity: &str) -> Fact<Option<PackageState>> {
        self.collected.package(identity)
    }

    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        self.collected.packages()
    }

    fn wmi(&self, namespace: &str, class: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        self.collected.wmi(namespace, class)
    }

    fn license(&self, name: &str) -> Fact<Option<LicenseValue>> {
        self.collected.license(name)
    }

    fn product_release(&self, name: &str) -> Fact<Option<rules::Version>> {
        self.collected.product_release(name)
    }

    fn installed_once(&self, update: UpdateId) -> Fact<bool> {
        self.collected.installed_once(update)
    }
}
