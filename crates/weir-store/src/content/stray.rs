//! Files below the content folder that somebody else put there, or under names of another spelling: finding and adopting
//! them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use weir_model::ids::ContentDigest;

use super::{
    Content as _, ContentStore, Expected, Stored,
    local::{INCOMING, QUARANTINE, entries},
    put::{Sum, failed, sync_folder},
};
use crate::StoreError;

/// Folders inside folders that are looked into: `WsusContent` copied into the content folder has two.
const DEEPEST: usize = 4;

/// A file below the content folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Stray {
    /// Where, relative to the content folder.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// The digest and extension of its name, if it is at the place and spelled as the store would have it.
    pub proper: Option<(ContentDigest, String)>,
}

/// What a file below the content folder turned out to be.
#[derive(Clone, Debug)]
pub struct Measured {
    pub(super) path: PathBuf,
    pub(super) modified: SystemTime,
    /// What an object store calls this very version.
    pub(super) tag: Option<String>,
    /// Its digests and size.
    pub stored: Stored,
}

impl ContentStore {
    /// Hands every file below the folder (or in the object store) to `each`, properly placed ones too; not what is being taken in or was put
    /// aside, no links, nothing deeper than a copied `WsusContent` would be. In no order.
    pub fn walk(&self, each: &mut dyn FnMut(Stray)) -> Result<(), StoreError> {
        if let Some(objects) = self.objects() {
            return objects.walk(each);
        }
        let mut folders = vec![(PathBuf::new(), 0)];
        while let Some((below, depth)) = folders.pop() {
            for path in entries(&self.folder().join(&below))? {
                let Some(name) = path.file_name() else { continue };
                let relative = below.join(name);
                // gone in the meantime: nothing to tell
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                if metadata.is_dir() {
                    let ours = depth == 0 && (name == INCOMING || name == QUARANTINE);
                    if !ours && depth < DEEPEST {
                        folders.push((relative, depth + 1));
                    }
                } else if metadata.is_file() {
                    let proper = self.proper(&path);
                    each(Stray { path: relative, size: metadata.len(), proper });
                }
            }
        }
        Ok(())
    }

    fn proper(&self, path: &Path) -> Option<(ContentDigest, String)> {
        let (hex, extension) = path.file_name()?.to_str()?.split_at_checked(40)?;
        let digest = ContentDigest::from_hex(hex).ok()?;
        let fits = self.path(digest, extension).ok().as_deref() == Some(path);
        fits.then(|| (digest, extension.to_owned()))
    }

    /// Reads a file that [`ContentStore::walk`] found; none if it is gone or changes while it is read.
    pub fn measure(&self, stray: &Path) -> Result<Option<Measured>, StoreError> {
        if let Some(objects) = self.objects() {
            return objects.measure(stray);
        }
        let path = self.folder().join(stray);
        let looked = |path: &Path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
        let Some(before) = looked(&path) else { return Ok(None) };
        let modified = before.modified().map_err(|source| failed("looking at", &path, source))?;
        let mut file = File::open(&path).map_err(|source| failed("opening", &path, source))?;
        let mut sum = Sum::default();
        sum.add_all(&mut file, &path)?;
        let measured = Measured { path: stray.to_owned(), modified, tag: None, stored: sum.stored(false) };
        Ok(self.is_as_measured(&measured).then_some(measured))
    }

    fn is_as_measured(&self, measured: &Measured) -> bool {
        let now = fs::symlink_metadata(self.folder().join(&measured.path));
        now.is_ok_and(|now| {
            now.is_file()
                && now.len() == measured.stored.size
                && now.modified().is_ok_and(|modified| modified == measured.modified)
        })
    }

    /// Moves a measured file to its place; if the same bytes are there already, they stay and the other copy goes. False if
    /// the file changed since it was measured: nothing was moved then.
    pub fn adopt(&self, measured: &Measured, extension: &str) -> Result<bool, StoreError> {
        if let Some(objects) = self.objects() {
            return objects.adopt(measured, extension);
        }
        let (from, stored) = (self.folder().join(&measured.path), &measured.stored);
        let to = self.path(stored.digest, extension)?;
        if !self.is_as_measured(measured) {
            return Ok(false);
        }
        if from == to {
            return Ok(true);
        }
        // a disk that does not tell letters apart has the same file under both names
        let same_file = from.to_string_lossy().eq_ignore_ascii_case(&to.to_string_lossy()) && to.exists();
        if !same_file && self.size(stored.digest, extension)? == Some(stored.size) {
            let expected =
                Expected { digest: Some(stored.digest), sha256: Some(stored.sha256), size: Some(stored.size) };
            match self.verify(stored.digest, extension, &expected) {
                Ok(_) => {
                    fs::remove_file(&from).map_err(|source| failed("deleting", &from, source))?;
                    return Ok(true);
                }
                Err(StoreError::ContentMismatch { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let folder = to.parent().unwrap_or(self.folder());
        fs::create_dir_all(folder).map_err(|source| failed("creating", folder, source))?;
        let durable = File::open(&from).and_then(|file| file.sync_all());
        durable.map_err(|source| failed("making durable", &from, source))?;
        fs::rename(&from, &to).map_err(|source| failed("moving into place", &to, source))?;
        for folder in [folder, self.folder()] {
            sync_folder(folder).map_err(|source| failed("making durable", folder, source))?;
        }
        Ok(true)
    }
}
