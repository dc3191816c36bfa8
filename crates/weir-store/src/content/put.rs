//! Taking a file in: hashed while it is written, at its place only when it is whole.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, Write},
    path::{Path, PathBuf},
};

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tempfile::NamedTempFile;
use weir_model::ids::{ContentDigest, Sha256Digest};

use super::{Content as _, ContentStore, Expected, Stored};
use crate::StoreError;

/// Bytes of a file read at once.
const BUFFER: usize = 256 * 1024;

/// A file on its way into the store. Dropped before [`Put::finish`], it leaves nothing, unless it is one that can be
/// resumed ([`ContentStore::partial`]): that one stays and is gone on with.
#[derive(Debug)]
pub struct Put {
    store: ContentStore,
    file: Incoming,
    sum: Sum,
    /// It is in the object store already, with no lock held.
    sent: bool,
}

/// Where the bytes of a file on its way are.
#[derive(Debug)]
enum Incoming {
    /// Gone with its owner.
    Temporary(NamedTempFile),
    /// Kept for another attempt, under a name of its digest.
    Partial(File, PathBuf),
}

impl Incoming {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(file) => file.path(),
            Self::Partial(_, path) => path,
        }
    }

    fn file(&self) -> &File {
        match self {
            Self::Temporary(file) => file.as_file(),
            Self::Partial(file, _) => file,
        }
    }

    /// Forgets the bytes; a temporary file goes by itself.
    fn remove(self) -> Result<(), StoreError> {
        match self {
            Self::Temporary(_) => Ok(()),
            Self::Partial(_, path) => fs::remove_file(&path).map_err(|source| failed("deleting", &path, source)),
        }
    }

    fn persist(self, to: &Path) -> io::Result<()> {
        match self {
            Self::Temporary(file) => file.persist(to).map(drop).map_err(|error| error.error),
            Self::Partial(_, path) => fs::rename(path, to),
        }
    }
}

/// Digests and length of bytes seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    sha1: Sha1,
    sha256: Sha256,
    len: u64,
}

impl Sum {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// Adds all that `file`, which is at `path`, still has.
    pub(super) fn add_all(&mut self, file: &mut impl Read, path: &Path) -> Result<(), StoreError> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = file.read(&mut buffer).map_err(|source| failed("reading", path, source))?;
            if read == 0 {
                return Ok(());
            }
            self.add(&buffer[..read]);
        }
    }

    pub(super) fn stored(self, already_there: bool) -> Stored {
        Stored {
            digest: ContentDigest(self.sha1.finalize().into()),
            sha256: Sha256Digest(self.sha256.finalize().into()),
            size: self.len,
            already_there,
        }
    }
}

impl Put {
    pub(super) fn begin(store: &ContentStore) -> Result<Self, StoreError> {
        let folder = store.incoming();
        let file = NamedTempFile::new_in(&folder).map_err(|source| failed("creating a file in", &folder, source))?;
        Ok(Self { store: store.clone(), file: Incoming::Temporary(file), sum: Sum::default(), sent: false })
    }

    /// Goes on with what an earlier attempt left at `path`, which is read again for its digests.
    pub(super) fn resume(store: &ContentStore, path: PathBuf) -> Result<Self, StoreError> {
        let open = File::options().create(true).read(true).write(true).truncate(false).open(&path);
        let mut file = open.map_err(|source| failed("opening", &path, source))?;
        let mut sum = Sum::default();
        sum.add_all(&mut file, &path)?;
        Ok(Self { store: store.clone(), file: Incoming::Partial(file, path), sum, sent: false })
    }

    /// Forgets what was taken so far.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        let mut file = self.file.file();
        let emptied = file.set_len(0).and_then(|()| file.rewind());
        emptied.map_err(|source| failed("emptying", self.file.path(), source))?;
        (self.sum, self.sent) = (Sum::default(), false);
        Ok(())
    }

    /// What keeps the bytes taken so far from being what they must be, in words; none if nothing does.
    pub fn difference(&self, expected: &Expected) -> Option<String> {
        difference(expected, &self.sum.clone().stored(false))
    }

    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut file = self.file.file();
        file.write_all(bytes).map_err(|source| failed("writing", self.file.path(), source))?;
        self.sum.add(bytes);
        Ok(())
    }

    /// Bytes taken so far.
    pub fn len(&self) -> u64 {
        self.sum.len
    }

    /// Nothing was taken so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Digests of what was taken so far.
    pub fn digests(&self) -> (ContentDigest, Sha256Digest) {
        let stored = self.sum.clone().stored(false);
        (stored.digest, stored.sha256)
    }

    /// Sends the file to the object store, if whole files are there and it is what it must be; otherwise nothing happens. That
    /// takes as long as the network does: it is for before the lock is taken under which [`Put::finish`] runs.
    pub fn send(&mut self, expected: &Expected, extension: &str) -> Result<(), StoreError> {
        let Some(objects) = self.store.objects() else { return Ok(()) };
        let stored = self.sum.clone().stored(false);
        if difference(expected, &stored).is_none() {
            objects.take(self.file.file(), &stored, extension)?;
            self.sent = true;
        }
        Ok(())
    }

    /// Compares digests and size, makes the bytes durable and moves the file to its place; if the same bytes are
    /// there already, they stay, and others go to quarantine. On a difference these bytes do: [`StoreError::ContentMismatch`].
    pub fn finish(self, expected: &Expected, extension: &str) -> Result<Stored, StoreError> {
        let Self { store, file, sum, sent } = self;
        let mut stored = sum.stored(false);
        if let Some(difference) = difference(expected, &stored) {
            let subject = expected.digest.unwrap_or(stored.digest).to_hex();
            let quarantined = store.quarantine().join(format!("{}.{}", subject, stored.sha256));
            file.persist(&quarantined).map_err(|source| failed("putting aside", &quarantined, source))?;
            return Err(StoreError::ContentMismatch { subject, difference, quarantined });
        }
        if let Some(objects) = store.objects() {
            // what was sent may have been collected before the lock was taken
            let there = sent && objects.size(stored.digest, extension)? == Some(stored.size);
            if !there {
                stored.already_there = objects.take(file.file(), &stored, extension)?;
            }
            file.remove()?;
            return Ok(stored);
        }
        let path = store.path(stored.digest, extension)?;
        if fs::metadata(&path).is_ok_and(|there| there.len() == stored.size) {
            // it may have changed on disk since it was verified: only the same bytes may stay
            let same = Expected { digest: Some(stored.digest), sha256: Some(stored.sha256), size: Some(stored.size) };
            match store.verify(stored.digest, extension, &same) {
                Ok(_) => {
                    stored.already_there = true;
                    file.remove()?;
                    return Ok(stored);
                }
                Err(StoreError::ContentMismatch { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let folder = path.parent().unwrap_or(store.folder());
        fs::create_dir_all(folder).map_err(|source| failed("creating", folder, source))?;
        file.file().sync_all().map_err(|source| failed("making durable", file.path(), source))?;
        file.persist(&path).map_err(|source| failed("moving into place", &path, source))?;
        // The name is durable once the folders that lead to it are.
        for folder in [folder, store.folder()] {
            sync_folder(folder).map_err(|source| failed("making durable", folder, source))?;
        }
        Ok(stored)
    }
}

#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows makes names durable with their files and cannot open folders as files.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// What is wrong with a file, in words; none if nothing is.
pub(super) fn difference(expected: &Expected, found: &Stored) -> Option<String> {
    if let Some(size) = expected.size.filter(|size| *size != found.size) {
        return Some(format!("it has {} bytes instead of {size}", found.size));
    }
    if let Some(digest) = expected.digest.filter(|digest| *digest != found.digest) {
        return Some(format!("its SHA-1 is {} instead of {digest}", found.digest));
    }
    let sha256 = expected.sha256.filter(|sha256| *sha256 != found.sha256)?;
    Some(format!("its SHA-256 is {} instead of {sha256}", found.sha256))
}

pub(super) fn failed(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::DiskFull { action },
        _ => StoreError::Content { action, path: PathBuf::from(path), source },
    }
}
