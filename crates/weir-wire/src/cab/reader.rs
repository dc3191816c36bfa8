use std::{
    collections::BTreeMap,
    io::{self, Read, Seek},
};

use super::{
    CabError, Limits, Member,
    folder::FolderReader,
    head::{Folder, Head, read_head},
};

/// An open cabinet.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    folders: Vec<Folder>,
    members: Vec<Member>,
    /// Lower-case name to index; of equal names the first counts.
    names: BTreeMap<String, usize>,
    /// The folder read last and how far, so that members read in their order cost one pass.
    current: Option<(usize, FolderReader)>,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads and checks header, folders and member entries.
    pub fn open(mut source: R, limits: &Limits) -> Result<Self, CabError> {
        let Head { folders, members } = read_head(&mut source, limits)?;
        let mut names = BTreeMap::new();
        for (index, member) in members.iter().enumerate() {
            names.entry(member.name.to_ascii_lowercase()).or_insert(index);
        }
        Ok(Self { source, folders, members, names, current: None })
    }

    /// All members in the order of the file.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Starts to read a member, found by name without regard to (ASCII) case.
    pub fn member(&mut self, name: &str) -> Result<MemberReader<'_, R>, CabError> {
        let missing = || CabError::NoMember(name.to_owned());
        let index = *self.names.get(&name.to_ascii_lowercase()).ok_or_else(missing)?;
        self.member_at(index)
    }

    /// Starts to read the member at a position of [`Self::members`].
    pub fn member_at(&mut self, index: usize) -> Result<MemberReader<'_, R>, CabError> {
        let missing = || CabError::NoMember(format!("number {index}"));
        let (folder, offset, size) =
            self.members.get(index).map(|member| (member.folder, member.offset, member.size)).ok_or_else(missing)?;
        let reader = match self.current.take() {
            Some((open, reader)) if open == folder && reader.start() <= offset => reader,
            _ => FolderReader::new(*self.folders.get(folder).ok_or_else(missing)?)?,
        };
        let (_, reader) = self.current.insert((folder, reader));
        Ok(MemberReader { source: &mut self.source, reader, position: offset, end: offset + u64::from(size) })
    }

    /// Reads a member whole, if it is no longer than `limit` bytes.
    pub fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, CabError> {
        let mut member = self.member(name)?;
        if member.remaining() > limit {
            return Err(CabError::Limit { what: "bytes in one file", limit });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = member.chunk()? {
            bytes.extend_from_slice(chunk);
        }
        Ok(bytes)
    }
}

/// A member being read as a stream, by [`Read`] (whose errors wrap a [`CabError`]) or by chunks.
#[derive(Debug)]
pub struct MemberReader<'a, R> {
    source: &'a mut R,
    reader: &'a mut FolderReader,
    position: u64,
    end: u64,
}

impl<R: Read + Seek> MemberReader<'_, R> {
    /// Plain bytes still to come.
    pub fn remaining(&self) -> u64 {
        self.end - self.position
    }

    /// The next plain bytes, at most 32 KiB and without copying; none at the end.
    pub fn chunk(&mut self) -> Result<Option<&[u8]>, CabError> {
        let remaining = self.remaining();
        if remaining == 0 {
            return Ok(None);
        }
        let bytes = self.reader.from(self.source, self.position)?;
        let bytes = bytes.get(..remaining.min(bytes.len() as u64) as usize).unwrap_or_default();
        self.position += bytes.len() as u64;
        Ok(Some(bytes))
    }
}

impl<R: Read + Seek> Read for MemberReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let remaining = self.remaining();
        if remaining == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let bytes = self.reader.from(self.source, self.position)?;
        let count = remaining.min(bytes.len().min(buffer.len()) as u64) as usize;
        for (to, from) in buffer.iter_mut().zip(bytes.iter().take(count)) {
            *to = *from;
        }
        self.position += count as u64;
        Ok(count)
    }
}
