//! What a folder offers of its files, over an object store. All of it waits for the network.

use std::{
    fs::File,
    io::{Read, Seek as _},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::{Error, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, WriteMultipart, path::Path};
use weir_model::ids::ContentDigest;

use super::{MARKER, Objects, read::ObjectReader};
use crate::{
    StoreError,
    content::{
        ContentStore, Expected, Measured, Opened, Stored, Stray,
        local::QUARANTINE,
        put::{Sum, difference, failed},
    },
};

/// Bytes sent in one part: larger files in several, as many at once as [`PARALLEL`].
const PART: u64 = 8 << 20;
const PARALLEL: usize = 4;
/// Parts that a file is sent in at the most; stores take 10,000.
const MOST_PARTS: u64 = 9_000;
/// Larger objects are not copied by stores in one request (5 GB at S3): they are sent again.
const LARGEST_COPY: u64 = 4 << 30;

impl Objects {
    /// Opens a file for reading with its length; none if it is absent.
    pub(in crate::content) fn open_file(
        self: &Arc<Self>,
        digest: ContentDigest,
        extension: &str,
    ) -> Result<Option<Opened>, StoreError> {
        let key = self.key(digest, extension)?;
        let Some(meta) = self.wait(self.head(&key))? else { return self.wait(self.is_ours()).map(|()| None) };
        let size = meta.size;
        Ok(Some((Box::new(ObjectReader::new(Arc::clone(self), &meta)) as _, size)))
    }

    /// The length of a file; none if it is absent.
    pub(in crate::content) fn size(&self, digest: ContentDigest, extension: &str) -> Result<Option<u64>, StoreError> {
        self.wait(self.look(digest, extension))
    }

    /// Reads a file again; what is not as it must be is put aside.
    pub(in crate::content) fn verify(
        self: &Arc<Self>,
        digest: ContentDigest,
        extension: &str,
        expected: &Expected,
    ) -> Result<Stored, StoreError> {
        let key = self.key(digest, extension)?;
        let missing = || StoreError::Missing { kind: "content file", id: digest.to_hex() };
        let Some(meta) = self.wait(self.head(&key))? else {
            self.wait(self.is_ours())?;
            return Err(missing());
        };
        let found = self.sum(&meta)?.ok_or_else(missing)?.stored(true);
        let expected = Expected { digest: Some(digest), ..expected.clone() };
        let Some(difference) = difference(&expected, &found) else { return Ok(found) };
        let aside = format!("{QUARANTINE}/{digest}.{}", found.sha256);
        self.relocate(&meta, &self.named(&aside))?;
        let quarantined = PathBuf::from(format!("{}/{aside}", self.url));
        Err(StoreError::ContentMismatch { subject: digest.to_hex(), difference, quarantined })
    }

    /// Sends a file whose digests have matched, unless the same is there. True if it was; others go to quarantine.
    pub(in crate::content) fn take(
        self: &Arc<Self>,
        mut file: &File,
        stored: &Stored,
        extension: &str,
    ) -> Result<bool, StoreError> {
        self.ready()?;
        let key = self.key(stored.digest, extension)?;
        if self.wait(self.head(&key))?.is_some_and(|there| there.size == stored.size) {
            // it may have changed since it was verified: only the same bytes may stay
            let same = Expected { digest: Some(stored.digest), sha256: Some(stored.sha256), size: Some(stored.size) };
            match self.verify(stored.digest, extension, &same) {
                Ok(_) => return Ok(true),
                Err(StoreError::ContentMismatch { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let name = key.to_string();
        file.rewind().map_err(|source| failed("reading again for", FilePath::new(&name), source))?;
        self.send(&mut file, stored.size, &key)?;
        Ok(false)
    }

    /// Deletes a file. False if the store says that there was none; not every store does.
    pub(in crate::content) fn delete(&self, digest: ContentDigest, extension: &str) -> Result<bool, StoreError> {
        self.ready()?;
        self.remove(&self.key(digest, extension)?)
    }

    fn remove(&self, key: &Path) -> Result<bool, StoreError> {
        let deleted = match self.wait(self.store.delete(key)) {
            Ok(()) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        };
        self.seen(deleted, "deleting", key.as_ref())
    }

    /// Hands every object below the prefix to `each`, but for those put aside and the marker. In the order of names, a page of
    /// the listing in memory at a time.
    pub(in crate::content) fn walk(&self, each: &mut dyn FnMut(Stray)) -> Result<(), StoreError> {
        let aside = format!("{QUARANTINE}/");
        self.each(None, &mut |name, meta| {
            if name != MARKER && !name.starts_with(&aside) {
                each(Stray { path: PathBuf::from(name), size: meta.size, proper: proper(name) });
            }
            Ok(())
        })
    }

    /// Deletes what was put aside before a time. Answers how many, and their bytes.
    pub(in crate::content) fn quarantine_clean(&self, before: SystemTime) -> Result<(u64, u64), StoreError> {
        self.ready()?;
        let (mut files, mut bytes) = (0, 0);
        self.each(Some(QUARANTINE), &mut |_, meta| {
            if SystemTime::from(meta.last_modified) < before && self.remove(&meta.location)? {
                files += 1;
                bytes += meta.size;
            }
            Ok(())
        })?;
        Ok((files, bytes))
    }

    /// Hands every object of a folder, or all, to `each`, with its name below the prefix.
    fn each(
        &self,
        folder: Option<&str>,
        each: &mut dyn FnMut(&str, &ObjectMeta) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let below = self.named(folder.unwrap_or_default());
        let mut list = self.store.list((!below.is_root()).then_some(&below));
        loop {
            let next = self.wait(list.try_next());
            let Some(meta) = self.seen(next, "listing", below.as_ref())? else { return Ok(()) };
            let location: &str = meta.location.as_ref();
            if let Some(name) = location.strip_prefix(self.prefix.as_str()) {
                each(name, &meta)?;
            }
        }
    }

    /// Reads an object that [`Objects::walk`] found; none if it is gone or changes while it is read.
    pub(in crate::content) fn measure(self: &Arc<Self>, stray: &FilePath) -> Result<Option<Measured>, StoreError> {
        let Some(meta) = self.meta_of(stray)? else { return Ok(None) };
        let Some(sum) = self.sum(&meta)? else { return Ok(None) };
        let modified = SystemTime::from(meta.last_modified);
        let measured =
            Measured { path: stray.to_owned(), modified, tag: meta.e_tag.clone(), stored: sum.stored(false) };
        Ok(self.as_measured(&measured)?.map(|_| measured))
    }

    /// The object that was measured, if it is still the same.
    fn as_measured(&self, measured: &Measured) -> Result<Option<ObjectMeta>, StoreError> {
        let now = self.meta_of(&measured.path)?;
        Ok(now.filter(|now| {
            now.size == measured.stored.size
                && now.e_tag == measured.tag
                && SystemTime::from(now.last_modified) == measured.modified
        }))
    }

    fn meta_of(&self, stray: &FilePath) -> Result<Option<ObjectMeta>, StoreError> {
        // names of objects are text; what cannot be one is none
        let name = stray.to_str().and_then(|name| Path::parse(format!("{}{name}", self.prefix)).ok());
        name.map_or(Ok(None), |key| self.wait(self.head(&key)))
    }

    /// Moves a measured object to its place; if the same bytes are there already, they stay and the other copy goes. False if
    /// it changed since it was measured.
    pub(in crate::content) fn adopt(
        self: &Arc<Self>,
        measured: &Measured,
        extension: &str,
    ) -> Result<bool, StoreError> {
        let stored = &measured.stored;
        let to = self.key(stored.digest, extension)?;
        let Some(from) = self.as_measured(measured)? else { return Ok(false) };
        if from.location == to {
            return Ok(true);
        }
        if self.wait(self.head(&to))?.is_some_and(|there| there.size == stored.size) {
            let expected =
                Expected { digest: Some(stored.digest), sha256: Some(stored.sha256), size: Some(stored.size) };
            match self.verify(stored.digest, extension, &expected) {
                Ok(_) => return self.remove(&from.location).map(|_| true),
                Err(StoreError::ContentMismatch { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.relocate(&from, &to)?;
        Ok(true)
    }

    /// Digests and length of an object, read piece by piece; none if it is gone or becomes another while it is read.
    fn sum(self: &Arc<Self>, meta: &ObjectMeta) -> Result<Option<Sum>, StoreError> {
        let mut reader = ObjectReader::new(Arc::clone(self), meta);
        let mut sum = Sum::default();
        loop {
            let Some(piece) = reader.piece()? else { return Ok(None) };
            if piece.is_empty() {
                return Ok(Some(sum));
            }
            sum.add(&piece);
        }
    }

    /// Moves an object within the store. Another one at its new place is written over.
    fn relocate(self: &Arc<Self>, from: &ObjectMeta, to: &Path) -> Result<(), StoreError> {
        self.ready()?;
        if from.size <= LARGEST_COPY {
            let copied = match self.wait(self.store.copy(&from.location, to)) {
                // somebody else moved it
                Err(Error::NotFound { .. }) => return Ok(()),
                other => other,
            };
            self.seen(copied, "copying", from.location.as_ref())?;
        } else {
            self.send(&mut ObjectReader::new(Arc::clone(self), from), from.size, to)?;
        }
        self.remove(&from.location).map(drop)
    }

    /// Sends `size` bytes as one object, which appears when all of them are there.
    fn send(&self, source: &mut impl Read, size: u64, to: &Path) -> Result<(), StoreError> {
        let part = PART.max(size.div_ceil(MOST_PARTS));
        if size <= part {
            let bytes = read_part(source, part, to)?;
            let put = self.wait(self.store.put(to, bytes.into()));
            self.seen(put, "writing", to.as_ref())?;
        } else {
            let begun = self.wait(self.store.put_multipart(to));
            let chunk = usize::try_from(part).unwrap_or(usize::MAX);
            let mut upload = WriteMultipart::new_with_chunk_size(self.seen(begun, "writing", to.as_ref())?, chunk);
            if let Err(error) = self.send_parts(&mut upload, source, part, to) {
                // the parts are of no use; a store that cannot be reached forgets them by a rule of the bucket
                let _ = self.wait(upload.abort());
                return Err(error);
            }
            let finished = self.wait(upload.finish());
            self.seen(finished, "finishing", to.as_ref())?;
        }
        match self.wait(self.head(to))? {
            Some(there) if there.size == size => Ok(()),
            _ => Err(self.refused(format!("took {to} and does not have it whole"))),
        }
    }

    fn send_parts(
        &self,
        upload: &mut WriteMultipart,
        source: &mut impl Read,
        part: u64,
        to: &Path,
    ) -> Result<(), StoreError> {
        loop {
            let bytes = read_part(source, part, to)?;
            if bytes.is_empty() {
                // what fails from here on is said before the upload is finished
                let sent = self.wait(upload.wait_for_capacity(1));
                return self.seen(sent, "writing", to.as_ref());
            }
            let room = self.wait(upload.wait_for_capacity(PARALLEL));
            self.seen(room, "writing", to.as_ref())?;
            // parts are sent by tasks of the runtime
            let _inside = self.runtime.enter();
            upload.put(bytes);
        }
    }
}

/// The digest and extension of a name, if it is spelled as the store would have it.
fn proper(name: &str) -> Option<(ContentDigest, String)> {
    let (_, file) = name.split_once('/')?;
    let (hex, extension) = file.split_at_checked(40)?;
    let digest = ContentDigest::from_hex(hex).ok()?;
    let fits =
        extension == ContentStore::extension(extension) && ContentStore::relative_path(digest, extension) == name;
    fits.then(|| (digest, extension.to_owned()))
}

/// The next bytes, as many as a part has or as there are.
fn read_part(source: &mut impl Read, part: u64, to: &Path) -> Result<Bytes, StoreError> {
    let mut bytes = Vec::new();
    let read = source.take(part).read_to_end(&mut bytes);
    read.map_err(|error| failed("reading what is sent as", FilePath::new(&to.to_string()), error))?;
    Ok(bytes.into())
}
