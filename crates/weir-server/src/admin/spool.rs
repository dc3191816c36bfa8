//! Uploads that are read later: small files in memory, the others one after the other in one file that vanishes by itself,
//! so that an upload of any number of files takes one file descriptor.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{content::read_at, import::Source};

/// Files up to this size stay in memory.
const IN_MEMORY: usize = 256 << 10;
/// Bytes of files that stay in memory together; further ones go to disk whatever their size.
const IN_MEMORY_TOGETHER: usize = 64 << 20;

/// The files of one upload.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    disk: Option<Arc<File>>,
    written: u64,
    /// Bytes that may still stay in memory.
    room: usize,
}

/// A file under way. One at a time.
#[derive(Debug, Default)]
pub(super) struct Kept {
    memory: Vec<u8>,
    /// Where it begins on disk, if it is there.
    disk: Option<u64>,
}

impl Spool {
    /// Nothing yet; what does not stay in memory goes into this folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), disk: None, written: 0, room: IN_MEMORY_TOGETHER }
    }

    /// Whether so many further bytes of a file stay in memory; if not, taking them waits for the disk.
    pub(super) fn stays(&self, kept: &Kept, bytes: usize) -> bool {
        let size = kept.memory.len() + bytes;
        kept.disk.is_none() && size <= IN_MEMORY.min(self.room)
    }

    /// Takes the next bytes of a file.
    pub(super) fn take(&mut self, kept: &mut Kept, bytes: &[u8]) -> io::Result<()> {
        if self.stays(kept, bytes.len()) {
            kept.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let disk = match &self.disk {
            Some(disk) => Arc::clone(disk),
            None => Arc::clone(self.disk.insert(Arc::new(tempfile::tempfile_in(&self.folder)?))),
        };
        kept.disk.get_or_insert(self.written);
        for bytes in [std::mem::take(&mut kept.memory).as_slice(), bytes] {
            (&*disk).write_all(bytes)?;
            self.written += bytes.len() as u64;
        }
        Ok(())
    }

    /// A whole file, to be read when the upload is over.
    pub(super) fn finish(&mut self, kept: Kept) -> Box<dyn Source> {
        if let (Some(from), Some(disk)) = (kept.disk, &self.disk) {
            Box::new(Section { file: Arc::clone(disk), range: from..self.written, position: 0 })
        } else {
            self.room = self.room.saturating_sub(kept.memory.len());
            Box::new(Cursor::new(kept.memory))
        }
    }
}

/// A part of a file, read as if it were a file.
struct Section {
    file: Arc<File>,
    range: Range<u64>,
    /// From the beginning of the part.
    position: u64,
}

impl Section {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl Read for Section {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(self.position)).unwrap_or(usize::MAX);
        let most = left.min(space.len());
        let read = read_at(&self.file, space.get_mut(..most).unwrap_or_default(), self.range.start + self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(spool: &mut Spool, pieces: &[&[u8]]) -> Box<dyn Source> {
        let mut kept = Kept::default();
        for piece in pieces {
            spool.take(&mut kept, piece).expect("kept");
        }
        spool.finish(kept)
    }

    fn text(source: &mut dyn Source) -> Vec<u8> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).expect("read");
        bytes
    }

    #[test]
    fn files_come_back_whole_from_memory_and_from_disk() {
        let folder = tempfile::tempdir().expect("folder");
        let mut spool = Spool::new(folder.path());
        let large = vec![7; IN_MEMORY];
        let mut small = keep(&mut spool, &[b"ab", b"c"]);
        let mut first = keep(&mut spool, &[b"first", &large, b"end"]);
        let mut second = keep(&mut spool, &[&large, b"second"]);
        let mut nothing = keep(&mut spool, &[]);
        assert_eq!(text(&mut second), [&large[..], b"second"].concat());
        assert_eq!(text(&mut first), [&b"first"[..], &large, b"end"].concat());
        assert_eq!(text(&mut small), b"abc");
        assert_eq!(text(&mut nothing), b"");
        first.seek(SeekFrom::End(-3)).expect("sought");
        assert_eq!(text(&mut first), b"end");
        first.seek(SeekFrom::Start(2)).expect("sought");
        assert_eq!(&text(&mut first)[..3], b"rst");
        assert!(first.seek(SeekFrom::Current(i64::MIN)).is_err());
        let past = first.seek(SeekFrom::End(5)).expect("sought");
        assert_eq!((past, text(&mut first)), (IN_MEMORY as u64 + 13, Vec::new()));
    }

    #[test]
    fn any_number_of_files_takes_one_descriptor() {
        let folder = tempfile::tempdir().expect("folder");
        let mut spool = Spool { room: 10, ..Spool::new(folder.path()) };
        let mut files: Vec<_> = (0..5_000_u32).map(|n| keep(&mut spool, &[&n.to_le_bytes()])).collect();
        let disk = spool.disk.expect("what has no room in memory is on disk");
        // the spool's own, and one for each file that is not in memory
        assert_eq!(Arc::strong_count(&disk), 1 + files.len() - 2);
        for (n, file) in (0_u32..).zip(&mut files) {
            assert_eq!(text(file), n.to_le_bytes());
        }
    }
}
