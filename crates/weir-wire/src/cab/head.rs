use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use super::{BLOCK, CabError, FLAG_NEXT, FLAG_PREVIOUS, FLAG_RESERVE, NAME_IS_UTF8};

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
    pub(super) folder: usize,
    pub(super) offset: u64,
}

/// Where the data blocks of a folder are and what they are packed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folder {
    pub(super) data_at: u64,
    pub(super) blocks: u32,
    pub(super) compression: u16,
    /// Bytes reserved in every block header.
    pub(super) block_reserve: usize,
}

/// Everything in front of the data blocks.
pub(super) struct Head {
    pub(super) folders: Vec<Folder>,
    pub(super) members: Vec<Member>,
}

/// Reads header, folders and member entries (MS-CAB 2.1 to 2.3).
pub(super) fn read_head<R: Read + Seek>(source: &mut R, limits: &Limits) -> Result<Head, CabError> {
    let length = source.seek(SeekFrom::End(0)).map_err(CabError::Io)?;
    source.seek(SeekFrom::Start(0)).map_err(CabError::Io)?;
    let mut input = Fields { source: BufReader::new(&mut *source) };

    if input.bytes::<4>().ok() != Some(*b"MSCF") {
        return Err(CabError::NotCabinet);
    }
    input.skip(4)?;
    // Before anything else: a cabinet that went through a text-mode copy has lost bytes everywhere.
    let announced = u64::from(input.u32()?);
    if announced != length {
        return Err(CabError::Length { announced, actual: length });
    }
    input.skip(4)?;
    let members_at = u64::from(input.u32()?);
    input.skip(4)?;
    let [minor, major] = input.bytes()?;
    if major != 1 {
        return Err(CabError::Unsupported(format!("version {major}.{minor} of the cabinet format")));
    }
    let folder_count = input.u16()?;
    let member_count = usize::from(input.u16()?);
    let flags = input.u16()?;
    input.skip(4)?;
    if flags & (FLAG_PREVIOUS | FLAG_NEXT) != 0 {
        return Err(CabError::Unsupported("a cabinet that is part of a set".into()));
    }
    if member_count > limits.members {
        return Err(CabError::Limit { what: "members", limit: limits.members as u64 });
    }
    let (mut folder_reserve, mut block_reserve) = (0, 0);
    if flags & FLAG_RESERVE != 0 {
        let header_reserve = u64::from(input.u16()?);
        let [folder, block] = input.bytes()?;
        (folder_reserve, block_reserve) = (u64::from(folder), usize::from(block));
        input.skip(header_reserve)?;
    }

    let mut folders = Vec::new();
    for _ in 0..folder_count {
        let data_at = u64::from(input.u32()?);
        let blocks = u32::from(input.u16()?);
        let compression = input.u16()?;
        input.skip(folder_reserve)?;
        if data_at > length {
            return Err(CabError::Malformed("a folder lies behind the end of the file".into()));
        }
        folders.push(Folder { data_at, blocks, compression, block_reserve });
    }

    input.source.seek(SeekFrom::Start(members_at)).map_err(CabError::Io)?;
    let mut members = Vec::new();
    for _ in 0..member_count {
        let member = read_member(&mut input)?;
        let folder = folders
            .get(member.folder)
            .ok_or_else(|| CabError::Malformed(format!("{:?} is in a folder that does not exist", member.name)))?;
        let end = member.offset + u64::from(member.size);
        if end > limits.folder_bytes {
            return Err(CabError::Limit { what: "plain bytes in a folder", limit: limits.folder_bytes });
        }
        if end > u64::from(folder.blocks) * BLOCK as u64 {
            return Err(CabError::Malformed(format!("{:?} ends behind the end of its folder", member.name)));
        }
        members.push(member);
    }
    Ok(Head { folders, members })
}

fn read_member<R: BufRead>(input: &mut Fields<R>) -> Result<Member, CabError> {
    let size = input.u32()?;
    let offset = u64::from(input.u32()?);
    let folder = input.u16()?;
    let (date, time, attributes) = (input.u16()?, input.u16()?, input.u16()?);
    // 0xfffd to 0xffff: continued from or to another cabinet
    if folder >= 0xfffd {
        return Err(CabError::Unsupported("a file that spans several cabinets".into()));
    }
    let name = input.name()?;
    let name = if attributes & NAME_IS_UTF8 == 0 {
        name.into_iter().map(char::from).collect()
    } else {
        String::from_utf8(name).map_err(|_| CabError::Malformed("the name of a file is not UTF-8".into()))?
    };
    Ok(Member { name, size, attributes, date, time, folder: usize::from(folder), offset })
}

/// Little-endian fields of a source; its end is damage, not an I/O error.
struct Fields<R> {
    source: R,
}

impl<R: BufRead> Fields<R> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], CabError> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(CabError::end_of_file)?;
        Ok(bytes)
    }

    fn u16(&mut self) -> Result<u16, CabError> {
        self.bytes().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, CabError> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn skip(&mut self, count: u64) -> Result<(), CabError> {
        let skipped =
            std::io::copy(&mut self.source.by_ref().take(count), &mut std::io::sink()).map_err(CabError::Io)?;
        if skipped == count { Ok(()) } else { Err(CabError::end()) }
    }

    /// A name with its final zero, at most 256 bytes together.
    fn name(&mut self) -> Result<Vec<u8>, CabError> {
        let mut name = Vec::new();
        self.source.by_ref().take(256).read_until(0, &mut name).map_err(CabError::Io)?;
        match name.pop() {
            Some(0) if !name.is_empty() => Ok(name),
            Some(_) => Err(CabError::Malformed("the name of a file is empty or longer than 255 bytes".into())),
            None => Err(CabError::end()),
        }
    }
}
