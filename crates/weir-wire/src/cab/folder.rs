use std::{
    io::{Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
};

use flate2::{Decompress, FlushDecompress, Status};
use lzxd::{Lzxd, WindowSize};

use super::{
    BLOCK, BLOCK_GROWTH, CabError, LZX, MSZIP, MSZIP_SIGNATURE, QUANTUM, STORED, checksum::block_checksum, head::Folder,
};

/// Decompresses the blocks of one folder, one after the other.
pub(super) struct FolderReader {
    folder: Folder,
    codec: Codec,
    /// Blocks read so far.
    read: u32,
    /// Where the next block header is.
    next_at: u64,
    /// The current block, plain, and its position in the folder.
    plain: Vec<u8>,
    plain_at: u64,
    packed: Vec<u8>,
}

enum Codec {
    Lzx(Box<Lzxd>),
    /// The state and the last 32 KiB, from which the next block may copy.
    MsZip(Box<Decompress>, Vec<u8>),
    Stored,
    /// After an error nothing more can be read.
    Failed,
}

impl FolderReader {
    pub(super) fn new(folder: Folder) -> Result<Self, CabError> {
        let codec = match folder.compression & 0x000f {
            STORED => Codec::Stored,
            MSZIP => Codec::MsZip(Box::new(Decompress::new(false)), Vec::new()),
            LZX => Codec::Lzx(Box::new(Lzxd::new(window(folder.compression)?))),
            QUANTUM => return Err(CabError::Unsupported("Quantum compression".into())),
            other => return Err(CabError::Unsupported(format!("compression {other}"))),
        };
        Ok(Self { folder, codec, read: 0, next_at: folder.data_at, plain: Vec::new(), plain_at: 0, packed: Vec::new() })
    }

    /// Plain position of the first byte that can still be given.
    pub(super) fn start(&self) -> u64 {
        self.plain_at
    }

    /// The plain bytes from `position` to the end of the block that holds it. `position` must not lie before [`Self::start`].
    pub(super) fn from<R: Read + Seek>(&mut self, source: &mut R, position: u64) -> Result<&[u8], CabError> {
        while position >= self.plain_at + self.plain.len() as u64 {
            if self.read == self.folder.blocks {
                return Err(CabError::Malformed("a folder holds less than its files need".into()));
            }
            if let Err(error) = self.next_block(source) {
                self.codec = Codec::Failed;
                return Err(error);
            }
        }
        Ok(self.plain.get((position - self.plain_at) as usize..).unwrap_or_default())
    }

    fn next_block<R: Read + Seek>(&mut self, source: &mut R) -> Result<(), CabError> {
        let block = self.read;
        let damaged = |reason: &str| CabError::Data { block, reason: reason.into() };

        source.seek(SeekFrom::Start(self.next_at)).map_err(CabError::Io)?;
        let mut head = [0; 8];
        source.read_exact(&mut head).map_err(CabError::end_of_file)?;
        let [c0, c1, c2, c3, p0, p1, u0, u1] = head;
        let (sum, packed, plain) = (
            u32::from_le_bytes([c0, c1, c2, c3]),
            usize::from(u16::from_le_bytes([p0, p1])),
            u16::from_le_bytes([u0, u1]),
        );
        let plain = usize::from(plain);
        if plain > BLOCK || packed > BLOCK + BLOCK_GROWTH {
            return Err(damaged("its sizes are impossible"));
        }
        if plain == 0 || packed == 0 {
            return Err(damaged("it is empty, as in a cabinet that is part of a set"));
        }
        // Every block but the last is full: offsets into the folder and the LZX frames depend on it.
        if plain < BLOCK && self.read + 1 < self.folder.blocks {
            return Err(damaged("it is short and not the last"));
        }

        self.packed.resize(self.folder.block_reserve + packed, 0);
        source.read_exact(&mut self.packed).map_err(CabError::end_of_file)?;
        let data = self.packed.get(self.folder.block_reserve..).unwrap_or_default();
        if sum != 0 && sum != block_checksum(data, &[p0, p1, u0, u1]) {
            return Err(CabError::Checksum { block });
        }

        self.plain_at += self.plain.len() as u64;
        self.plain.clear();
        self.codec.unpack(data, plain, &mut self.plain).map_err(|reason| CabError::Data { block, reason })?;
        self.read += 1;
        self.next_at += (8 + self.packed.len()) as u64;
        Ok(())
    }
}

/// Window of an LZX folder: 2^15 to 2^21 bytes, in bits 8 to 12.
fn window(compression: u16) -> Result<WindowSize, CabError> {
    Ok(match compression >> 8 & 0x1f {
        15 => WindowSize::KB32,
        16 => WindowSize::KB64,
        17 => WindowSize::KB128,
        18 => WindowSize::KB256,
        19 => WindowSize::KB512,
        20 => WindowSize::MB1,
        21 => WindowSize::MB2,
        other => return Err(CabError::Unsupported(format!("LZX with a window of 2^{other} bytes"))),
    })
}

impl Codec {
    /// Unpacks one block of exactly `length` plain bytes into the empty `plain`.
    fn unpack(&mut self, data: &[u8], length: usize, plain: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Stored => {
                if data.len() != length {
                    return Err(format!("{} stored bytes are announced as {length}", data.len()));
                }
                plain.extend_from_slice(data);
                Ok(())
            }
            Self::MsZip(state, history) => {
                let deflated = data.strip_prefix(&MSZIP_SIGNATURE).ok_or("it does not start with CK")?;
                inflate(state, history, deflated, length, plain)
            }
            Self::Lzx(state) => {
                // The decoder has assertions and, in builds with overflow checks, arithmetic that hostile data can trip;
                // it is never used again after that.
                let result = catch_unwind(AssertUnwindSafe(|| match state.decompress_next(data, length) {
                    Ok(bytes) => {
                        plain.extend_from_slice(bytes);
                        Ok(())
                    }
                    Err(error) => Err(error.to_string()),
                }));
                result.map_err(|_| "its LZX data is impossible".to_owned())??;
                if plain.len() == length { Ok(()) } else { Err(format!("it yields {} bytes of {length}", plain.len())) }
            }
            Self::Failed => Err("an earlier block is damaged".into()),
        }
    }
}

/// One MSZIP block: a whole deflate stream that may refer back to the 32 KiB before it.
fn inflate(
    state: &mut Decompress,
    history: &mut Vec<u8>,
    deflated: &[u8],
    length: usize,
    plain: &mut Vec<u8>,
) -> Result<(), String> {
    state.reset(false);
    if !history.is_empty() {
        state.set_dictionary(history).map_err(|error| error.to_string())?;
    }
    // One byte more than announced, so that a longer stream is noticed.
    plain.reserve_exact(BLOCK + 1);
    plain.resize(length + 1, 0);
    let status = state.decompress(deflated, plain, FlushDecompress::Finish).map_err(|error| error.to_string())?;
    let yielded = state.total_out();
    plain.truncate(length);
    if status != Status::StreamEnd || yielded != length as u64 {
        return Err(format!("it yields {yielded} bytes of {length}"));
    }
    history.extend_from_slice(plain);
    history.drain(..history.len().saturating_sub(BLOCK));
    Ok(())
}

impl std::fmt::Debug for FolderReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderReader").field("folder", &self.folder).field("read", &self.read).finish_non_exhaustive()
    }
}
