use std::io::{Seek, Write};

use super::CabError;

/// Most plain bytes that one folder can hold: 65,535 blocks of 32 KiB.
pub const MAX_FOLDER: u64 = 65_535 * 32_768;

/// A member about to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberHead {
    /// Its name, ASCII or UTF-8, 1 to 255 bytes.
    pub name: String,
    /// MS-DOS date.
    pub date: u16,
    /// MS-DOS time.
    pub time: u16,
}

/// Writes one MSZIP folder as a stream; members come in the order given at the start.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the head. `reserve` zero bytes follow the header, as in packages made by wsusutil (6,144).
    pub fn new(sink: W, members: Vec<MemberHead>, reserve: u16) -> Result<Self, CabError> {
        let _ = (&sink, members, reserve);
        unimplemented!()
    }

    /// Appends to the current member.
    pub fn write(&mut self, data: &[u8]) -> Result<(), CabError> {
        let _ = (data, &mut self.sink);
        unimplemented!()
    }

    /// Ends the current member; the next one begins, in the middle of a block.
    pub fn end_member(&mut self) -> Result<(), CabError> {
        unimplemented!()
    }

    /// Writes the last block and the final sizes, and gives the sink back, positioned at the end.
    pub fn finish(self) -> Result<W, CabError> {
        unimplemented!()
    }
}

/// A whole MSZIP cabinet of small members in memory, without reserve.
pub fn write_mszip(members: &[(MemberHead, &[u8])]) -> Result<Vec<u8>, CabError> {
    let _ = members;
    unimplemented!()
}
