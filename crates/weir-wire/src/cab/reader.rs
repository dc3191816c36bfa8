use std::io::{self, Read, Seek};

use super::CabError;

/// Bounds of what a reader accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Members in all folders.
    pub members: usize,
    /// Plain bytes of one folder, and thus of one member.
    pub folder_bytes: u64,
}

impl Default for Limits {
    /// 65,535 members, 2 GiB a folder: what the format itself allows.
    fn default() -> Self {
        Self { members: 65_535, folder_bytes: 1 << 31 }
    }
}

/// One file in a cabinet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Name as stored, UTF-8 if the entry says so, else read as Latin-1.
    pub name: String,
    /// Plain size in bytes.
    pub size: u32,
    /// Attribute bits (0x20 archive, 0x80 name is UTF-8).
    pub attributes: u16,
    /// MS-DOS date.
    pub date: u16,
    /// MS-DOS time.
    pub time: u16,
    pub(super) folder: u16,
    pub(super) offset: u32,
}

/// An open cabinet.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    members: Vec<Member>,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads and checks header, folders and member entries.
    pub fn open(source: R, limits: &Limits) -> Result<Self, CabError> {
        let _ = (source, limits);
        unimplemented!()
    }

    /// All members in the order of the file.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Starts to read a member, found by name without regard to (ASCII) case.
    pub fn member(&mut self, name: &str) -> Result<MemberReader<'_, R>, CabError> {
        let _ = (name, &mut self.source);
        unimplemented!()
    }

    /// Reads a member whole, if it is no longer than `limit` bytes.
    pub fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, CabError> {
        let _ = (name, limit);
        unimplemented!()
    }
}

/// A member being read as a stream. Errors that come through [`Read`] wrap a [`CabError`].
#[derive(Debug)]
pub struct MemberReader<'a, R> {
    source: &'a mut R,
}

impl<R: Read + Seek> Read for MemberReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let _ = (buffer, &mut self.source);
        unimplemented!()
    }
}
