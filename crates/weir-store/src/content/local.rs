//! Content files in a local folder, and which of two places whole files have.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use weir_model::ids::ContentDigest;

use super::{
    Content, Expected, Opened, Put, Stored,
    objects::Objects,
    put::{Sum, difference, failed},
};
use crate::StoreError;

/// What is being taken in.
pub(super) const INCOMING: &str = "incoming";
/// Files that are not what they claim to be.
pub(super) const QUARANTINE: &str = "quarantine";
/// End of the names of files that can be gone on with.
const PARTIAL: &str = ".part";
const LONGEST_EXTENSION: usize = 10;

/// Content files: in a local folder, or in an object store with a local folder for what is being taken in.
#[derive(Clone, Debug)]
pub struct ContentStore {
    folder: PathBuf,
    /// Where whole files are.
    place: Place,
}

/// Where whole files are.
#[derive(Clone, Debug)]
enum Place {
    /// In the folder.
    Folder,
    /// In an object store.
    Objects(Arc<Objects>),
}

impl ContentStore {
    /// Opens the folder, creating it and its sub-folders `incoming` and `quarantine` if absent, and clears what an
    /// interrupted process left in `incoming`, but for files that can be gone on with ([`ContentStore::partial`]). The
    /// caller holds the lock of the data folder.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let store = Self::look_at(folder);
        for folder in [store.incoming(), store.quarantine()] {
            fs::create_dir_all(&folder).map_err(|source| failed("creating", &folder, source))?;
        }
        for entry in entries(&store.incoming())? {
            if partial_digest(&entry).is_some() {
                continue;
            }
            fs::remove_file(&entry).map_err(|source| failed("clearing away", &entry, source))?;
        }
        Ok(store)
    }

    /// The folder for those who only look, whoever uses it: nothing is created or cleared.
    pub fn look_at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), place: Place::Folder }
    }

    /// The same, with whole files in an object store.
    #[must_use]
    pub fn with_objects(self, objects: Arc<Objects>) -> Self {
        Self { place: Place::Objects(objects), ..self }
    }

    /// The object store that has the whole files; none if the folder does.
    pub fn objects(&self) -> Option<&Arc<Objects>> {
        match &self.place {
            Place::Folder => None,
            Place::Objects(objects) => Some(objects),
        }
    }

    /// The folder: of all files, or of those that are being taken in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file, relative to the folder: `<HH>/<SHA1><extension>`.
    pub fn relative_path(digest: ContentDigest, extension: &str) -> String {
        let hex = digest.to_hex();
        format!("{}/{hex}{extension}", &hex[hex.len() - 2..])
    }

    /// The extension of a file name as content paths have it: with the dot, lower case, ASCII letters and digits only,
    /// at most 10 of them; empty otherwise.
    pub fn extension(file_name: &str) -> String {
        let Some((_, last)) = file_name.rsplit_once('.') else { return String::new() };
        let fits = (1..=LONGEST_EXTENSION).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits { format!(".{}", last.to_ascii_lowercase()) } else { String::new() }
    }

    /// Opens a file of the folder as such (for zero-copy serving) with its length; none if it is absent. Of an object store
    /// there is [`Objects::stream`] in its place.
    pub fn open_file(&self, digest: ContentDigest, extension: &str) -> Result<Option<(File, u64)>, StoreError> {
        let path = self.path(digest, extension)?;
        let open = || {
            let file = File::open(&path)?;
            let len = file.metadata()?.len();
            Ok::<_, std::io::Error>((file, len))
        };
        match open() {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("opening", &path, source)),
        }
    }

    /// Takes a file of that digest, going on where an earlier attempt ended. One at a time for a digest.
    pub fn partial(&self, digest: ContentDigest) -> Result<Put, StoreError> {
        Put::resume(self, self.partial_path(digest))
    }

    /// Files that earlier attempts left, by digest, with their bytes and the time of the last one.
    pub fn partials(&self) -> Result<Vec<(ContentDigest, u64, SystemTime)>, StoreError> {
        let mut found = Vec::new();
        for path in entries(&self.incoming())? {
            let Some(digest) = partial_digest(&path) else { continue };
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(source) => return Err(failed("looking at", &path, source)),
            };
            let modified = metadata.modified().map_err(|source| failed("looking at", &path, source))?;
            found.push((digest, metadata.len(), modified));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Bytes that earlier attempts at a file left.
    pub fn partial_len(&self, digest: ContentDigest) -> u64 {
        fs::metadata(self.partial_path(digest)).map_or(0, |metadata| metadata.len())
    }

    /// Deletes what earlier attempts at a file left. True if there was something.
    pub fn partial_delete(&self, digest: ContentDigest) -> Result<bool, StoreError> {
        remove(&self.partial_path(digest))
    }

    /// Deletes files that were put aside before a time. Answers how many, and their bytes.
    pub fn quarantine_clean(&self, before: SystemTime) -> Result<(u64, u64), StoreError> {
        // what never came in is put aside in the folder in any case
        let (mut files, mut bytes) = match &self.place {
            Place::Folder => (0, 0),
            Place::Objects(objects) => objects.quarantine_clean(before)?,
        };
        for path in entries(&self.quarantine())? {
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let old = metadata.modified().is_ok_and(|modified| modified < before);
            if old && metadata.is_file() && remove(&path)? {
                files += 1;
                bytes += metadata.len();
            }
        }
        Ok((files, bytes))
    }

    /// Bytes that this process may still write to the disk that holds the folder.
    pub fn free(&self) -> Result<u64, StoreError> {
        fs4::available_space(&self.folder).map_err(|source| failed("looking at the disk of", &self.folder, source))
    }

    fn partial_path(&self, digest: ContentDigest) -> PathBuf {
        self.incoming().join(format!("{}{PARTIAL}", digest.to_hex()))
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.folder.join(INCOMING)
    }

    pub(super) fn quarantine(&self) -> PathBuf {
        self.folder.join(QUARANTINE)
    }

    /// The place of a file. Extensions that [`ContentStore::extension`] would not give are refused, so that no name from
    /// outside becomes part of a path.
    pub(super) fn path(&self, digest: ContentDigest, extension: &str) -> Result<PathBuf, StoreError> {
        if extension != Self::extension(extension) {
            return Err(StoreError::Missing { kind: "content extension", id: extension.chars().take(20).collect() });
        }
        Ok(self.folder.join(Self::relative_path(digest, extension)))
    }
}

impl Content for ContentStore {
    fn put(&self) -> Result<Put, StoreError> {
        Put::begin(self)
    }

    fn open(&self, digest: ContentDigest, extension: &str) -> Result<Option<Opened>, StoreError> {
        if let Place::Objects(objects) = &self.place {
            return objects.open_file(digest, extension);
        }
        let found = self.open_file(digest, extension)?;
        Ok(found.map(|(file, len)| (Box::new(file) as _, len)))
    }

    fn size(&self, digest: ContentDigest, extension: &str) -> Result<Option<u64>, StoreError> {
        if let Place::Objects(objects) = &self.place {
            return objects.size(digest, extension);
        }
        let path = self.path(digest, extension)?;
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("looking at", &path, source)),
        }
    }

    fn verify(&self, digest: ContentDigest, extension: &str, expected: &Expected) -> Result<Stored, StoreError> {
        if let Place::Objects(objects) = &self.place {
            return objects.verify(digest, extension, expected);
        }
        let path = self.path(digest, extension)?;
        let (mut file, _) = self
            .open_file(digest, extension)?
            .ok_or_else(|| StoreError::Missing { kind: "content file", id: digest.to_hex() })?;
        let mut sum = Sum::default();
        sum.add_all(&mut file, &path)?;
        let found = sum.stored(true);
        let expected = Expected { digest: Some(digest), ..expected.clone() };
        let Some(difference) = difference(&expected, &found) else { return Ok(found) };
        let quarantined = self.quarantine().join(format!("{}.{}", digest, found.sha256));
        fs::rename(&path, &quarantined).map_err(|source| failed("putting aside", &path, source))?;
        Err(StoreError::ContentMismatch { subject: digest.to_hex(), difference, quarantined })
    }

    fn delete(&self, digest: ContentDigest, extension: &str) -> Result<bool, StoreError> {
        if let Place::Objects(objects) = &self.place {
            return objects.delete(digest, extension);
        }
        remove(&self.path(digest, extension)?)
    }

    fn list(&self) -> Result<Vec<(ContentDigest, String, u64)>, StoreError> {
        let mut found = Vec::new();
        if let Place::Objects(objects) = &self.place {
            objects.walk(&mut |stray| {
                found.extend(stray.proper.map(|(digest, extension)| (digest, extension, stray.size)));
            })?;
            found.sort_unstable();
            return Ok(found);
        }
        for folder in entries(&self.folder)? {
            let name = folder.file_name().unwrap_or_default();
            if name == INCOMING || name == QUARANTINE || !folder.is_dir() {
                continue;
            }
            for path in entries(&folder)? {
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
                let Some((hex, extension)) = name.split_at_checked(40) else { continue };
                // Files that somebody else put there are none of ours.
                let Ok(digest) = ContentDigest::from_hex(hex) else { continue };
                if self.path(digest, extension).ok().as_deref() != Some(&path) {
                    continue;
                }
                let metadata = fs::metadata(&path).map_err(|source| failed("looking at", &path, source))?;
                found.push((digest, extension.to_owned(), metadata.len()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

fn partial_digest(path: &Path) -> Option<ContentDigest> {
    ContentDigest::from_hex(path.file_name()?.to_str()?.strip_suffix(PARTIAL)?).ok()
}

fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed("deleting", path, source)),
    }
}

pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let fail = |source| failed("listing", folder, source);
    fs::read_dir(folder).map_err(fail)?.map(|entry| entry.map(|entry| entry.path()).map_err(fail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_plain() {
        for (name, extension) in [
            ("Setup.EXE", ".exe"),
            ("a.b.cab", ".cab"),
            ("none", ""),
            ("dot.", ""),
            ("evil./../x", ""),
            ("evil.a/b", ""),
            ("long.abcdefghijk", ""),
            (".msu", ".msu"),
        ] {
            assert_eq!(ContentStore::extension(name), extension, "{name}");
        }
    }

    #[test]
    fn the_folder_is_the_last_byte() {
        let digest = ContentDigest([0xAB; 20]);
        assert_eq!(ContentStore::relative_path(digest, ".cab"), format!("AB/{}.cab", "AB".repeat(20)));
    }
}
