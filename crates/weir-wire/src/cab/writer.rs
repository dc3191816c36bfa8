use std::io::{Cursor, Seek, SeekFrom, Write};

use flate2::{Compress, Compression, FlushCompress, Status};

use super::{BLOCK, CabError, FLAG_RESERVE, MSZIP, MSZIP_SIGNATURE, NAME_IS_UTF8, checksum::block_checksum};

/// Most plain bytes that one folder can hold: 65,535 blocks of 32 KiB.
pub const MAX_FOLDER: u64 = 65_535 * BLOCK as u64;

/// Longest MSZIP block: 32 KiB and 12 bytes (MS-MCI 2.1.1).
const MAX_MSZIP_BLOCK: usize = BLOCK + 12;
const ARCHIVE: u16 = 0x20;
const HEADER: u64 = 36;
const FOLDER: u64 = 8;
const MEMBER: u64 = 16;

/// A member about to be written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MemberHead {
    /// Its name, ASCII or UTF-8, 1 to 255 bytes.
    pub name: String,
    /// MS-DOS date.
    pub date: u16,
    /// MS-DOS time.
    pub time: u16,
}

/// Writes one MSZIP folder as a stream; members come in the order given at the start.
pub struct Writer<W> {
    sink: W,
    /// Where the cabinet starts in the sink.
    base: u64,
    members: Vec<MemberHead>,
    /// Plain position where each begun member starts.
    starts: Vec<u64>,
    members_at: u64,
    data_at: u64,
    folder_at: u64,
    plain_total: u64,
    packed_total: u64,
    blocks: u16,
    block: Vec<u8>,
    /// The block before, from which the next may copy.
    history: Vec<u8>,
    compress: Compress,
    packed: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the head. `reserve` zero bytes follow the header, as in packages made by wsusutil (6,144).
    pub fn new(mut sink: W, members: Vec<MemberHead>, reserve: u16) -> Result<Self, CabError> {
        if members.is_empty() || members.len() > usize::from(u16::MAX) {
            return Err(CabError::Write(format!("{} members, allowed are 1 to 65535", members.len())));
        }
        for MemberHead { name, .. } in &members {
            if !(1..=255).contains(&name.len()) || name.contains('\0') {
                return Err(CabError::Write(format!("{name:?} is not a name of 1 to 255 bytes")));
            }
        }
        let base = sink.stream_position().map_err(CabError::Io)?;
        let folder_at = HEADER + if reserve == 0 { 0 } else { 4 + u64::from(reserve) };
        let members_at = folder_at + FOLDER;
        let data_at = members_at + members.iter().map(|member| MEMBER + member.name.len() as u64 + 1).sum::<u64>();
        let mut writer = Self {
            sink,
            base,
            members,
            starts: vec![0],
            members_at,
            data_at,
            folder_at,
            plain_total: 0,
            packed_total: 0,
            blocks: 0,
            block: Vec::with_capacity(BLOCK),
            history: Vec::with_capacity(BLOCK),
            compress: Compress::new(Compression::default(), false),
            packed: vec![0; BLOCK + 1024],
        };
        writer.head(reserve)?;
        Ok(writer)
    }

    /// Appends to the current member.
    pub fn write(&mut self, mut data: &[u8]) -> Result<(), CabError> {
        if self.starts.len() > self.members.len() {
            return Err(CabError::Write("all members are ended".into()));
        }
        let total = self.plain_total + data.len() as u64;
        if total > MAX_FOLDER {
            return Err(CabError::Write(format!("{total} plain bytes exceed the {MAX_FOLDER} that fit")));
        }
        self.plain_total = total;
        while !data.is_empty() {
            let (now, later) = data.split_at(data.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            data = later;
            if self.block.len() == BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the current member; the next one begins, usually in the middle of a block.
    pub fn end_member(&mut self) -> Result<(), CabError> {
        if self.starts.len() > self.members.len() {
            return Err(CabError::Write("all members are ended".into()));
        }
        self.starts.push(self.plain_total);
        Ok(())
    }

    /// Writes the last block and the final sizes, and gives the sink back, positioned at the end.
    pub fn finish(mut self) -> Result<W, CabError> {
        if self.starts.len() <= self.members.len() {
            return Err(CabError::Write(format!(
                "{} of {} members are ended",
                self.starts.len() - 1,
                self.members.len()
            )));
        }
        if !self.block.is_empty() {
            self.flush()?;
        }
        let reserve = self.folder_at.saturating_sub(HEADER + 4) as u16;
        self.sink.seek(SeekFrom::Start(self.base)).map_err(CabError::Io)?;
        self.head(reserve)?;
        self.sink.seek(SeekFrom::Start(self.base + self.data_at + self.packed_total)).map_err(CabError::Io)?;
        self.sink.flush().map_err(CabError::Io)?;
        Ok(self.sink)
    }

    /// Header, folder and member entries with what is known by now.
    fn head(&mut self, reserve: u16) -> Result<(), CabError> {
        let mut head = Vec::new();
        let word = |head: &mut Vec<u8>, value: u16| head.extend_from_slice(&value.to_le_bytes());
        let long = |head: &mut Vec<u8>, value: u64| head.extend_from_slice(&(value as u32).to_le_bytes());
        head.extend_from_slice(b"MSCF\0\0\0\0");
        long(&mut head, self.data_at + self.packed_total);
        long(&mut head, 0);
        long(&mut head, self.members_at);
        long(&mut head, 0);
        head.extend_from_slice(&[3, 1]);
        word(&mut head, 1);
        word(&mut head, self.members.len() as u16);
        word(&mut head, if reserve == 0 { 0 } else { FLAG_RESERVE });
        long(&mut head, 0);
        if reserve != 0 {
            word(&mut head, reserve);
            word(&mut head, 0);
            head.resize(head.len() + usize::from(reserve), 0);
        }
        long(&mut head, self.data_at);
        word(&mut head, self.blocks);
        word(&mut head, MSZIP);
        for (index, member) in self.members.iter().enumerate() {
            let start = self.starts.get(index).copied().unwrap_or(self.plain_total);
            let end = self.starts.get(index + 1).copied().unwrap_or(self.plain_total);
            long(&mut head, end - start);
            long(&mut head, start);
            word(&mut head, 0);
            word(&mut head, member.date);
            word(&mut head, member.time);
            word(&mut head, if member.name.is_ascii() { ARCHIVE } else { ARCHIVE | NAME_IS_UTF8 });
            head.extend_from_slice(member.name.as_bytes());
            head.push(0);
        }
        self.sink.write_all(&head).map_err(CabError::Io)
    }

    /// Packs and writes the collected block.
    fn flush(&mut self) -> Result<(), CabError> {
        let length = self.pack()?;
        let data = self.packed.get(..length).unwrap_or_default();
        let mut head = [0; 8];
        let sizes = [(length as u16).to_le_bytes(), (self.block.len() as u16).to_le_bytes()].concat();
        let (sum_field, size_fields) = head.split_at_mut(4);
        size_fields.copy_from_slice(&sizes);
        sum_field.copy_from_slice(&block_checksum(data, &sizes).to_le_bytes());
        self.sink.write_all(&head).map_err(CabError::Io)?;
        self.sink.write_all(data).map_err(CabError::Io)?;
        self.packed_total += (head.len() + length) as u64;
        // At most 65,535 blocks, since `write` refuses more bytes than these hold.
        self.blocks += 1;
        std::mem::swap(&mut self.history, &mut self.block);
        self.block.clear();
        Ok(())
    }

    /// Deflates the block with the one before as dictionary and gives the packed length.
    fn pack(&mut self) -> Result<usize, CabError> {
        let failed = |error: flate2::CompressError| CabError::Write(error.to_string());
        self.compress.reset();
        if !self.history.is_empty() {
            self.compress.set_dictionary(&self.history).map_err(failed)?;
        }
        let (signature, deflated) = self.packed.split_at_mut(MSZIP_SIGNATURE.len());
        signature.copy_from_slice(&MSZIP_SIGNATURE);
        let status = self.compress.compress(&self.block, deflated, FlushCompress::Finish).map_err(failed)?;
        let length = MSZIP_SIGNATURE.len() + self.compress.total_out() as usize;
        if status == Status::StreamEnd && length <= MAX_MSZIP_BLOCK {
            return Ok(length);
        }
        // What does not compress goes as one stored block of deflate (RFC 1951 3.2.4), which always fits.
        let size = self.block.len() as u16;
        let mut stored = MSZIP_SIGNATURE.to_vec();
        stored.push(1);
        stored.extend_from_slice(&size.to_le_bytes());
        stored.extend_from_slice(&(!size).to_le_bytes());
        stored.extend_from_slice(&self.block);
        let length = stored.len();
        stored.resize(self.packed.len(), 0);
        self.packed = stored;
        Ok(length)
    }
}

impl<W> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("members", &self.members)
            .field("plain_total", &self.plain_total)
            .finish_non_exhaustive()
    }
}

/// A whole MSZIP cabinet of small members in memory, without reserve.
pub fn write_mszip(members: &[(MemberHead, &[u8])]) -> Result<Vec<u8>, CabError> {
    let heads = members.iter().map(|(head, _)| head.clone()).collect();
    let mut writer = Writer::new(Cursor::new(Vec::new()), heads, 0)?;
    for (_, data) in members {
        writer.write(data)?;
        writer.end_member()?;
    }
    Ok(writer.finish()?.into_inner())
}
