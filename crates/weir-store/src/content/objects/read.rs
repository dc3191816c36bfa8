//! Reading an object from any place, piece by piece.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use bytes::{Buf as _, Bytes};
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore as _, path::Path};

use super::Objects;
use crate::StoreError;

/// Bytes asked for at once. Each request is repeated on its own if the store falters.
const PIECE: u64 = 8 << 20;

/// An object that is read. One that goes or becomes another meanwhile is an error (`NotFound`), never a mixture; a store that does not
/// do what it is asked is one with the [`StoreError`] within.
pub(super) struct ObjectReader {
    objects: Arc<Objects>,
    key: Path,
    size: u64,
    tag: Option<String>,
    at: u64,
    /// What was fetched and not read yet.
    here: Bytes,
}

impl ObjectReader {
    pub(super) fn new(objects: Arc<Objects>, meta: &ObjectMeta) -> Self {
        Self {
            objects,
            key: meta.location.clone(),
            size: meta.size,
            tag: meta.e_tag.clone(),
            at: 0,
            here: Bytes::new(),
        }
    }

    /// The next piece, empty at the end; none if the object is gone or another one.
    pub(super) fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.at >= self.size {
            return Ok(Some(Bytes::new()));
        }
        let range = self.at..self.size.min(self.at.saturating_add(PIECE));
        let wanted = range.end - range.start;
        let objects = &self.objects;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let read = objects.wait(async {
            let found = match objects.store.get_opts(&self.key, options).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            if found.meta.size != self.size || found.meta.e_tag != self.tag {
                return Ok(None);
            }
            found.bytes().await.map(Some)
        });
        let piece = objects.seen(read, "reading", self.key.as_ref())?.filter(|piece| piece.len() as u64 == wanted);
        if let Some(piece) = &piece {
            self.at += piece.len() as u64;
        }
        Ok(piece)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.here.is_empty() {
            let piece = self.piece().map_err(io::Error::other)?;
            let gone = || io::Error::new(io::ErrorKind::NotFound, format!("{} is not what it was", self.key));
            self.here = piece.ok_or_else(gone)?;
        }
        let count = space.len().min(self.here.len());
        self.here.copy_to_slice(&mut space[..count]);
        Ok(count)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // `at` is behind what was fetched
        let now = self.at - self.here.len() as u64;
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => now.checked_add_signed(offset),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        self.here = Bytes::new();
        Ok(self.at)
    }
}
