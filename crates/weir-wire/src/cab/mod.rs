//! Cabinets: reader for stored, MSZIP and LZX folders, writer for MSZIP (MS-CAB; MSZIP is MS-MCI, LZX is the variant of the
//! cabinet SDK).
//!
//! Nothing here trusts a size or an offset of the file: all are checked against the file's length, the limits, or both. Parts of a
//! set that spans several cabinets are refused.

mod checksum;
mod error;
mod folder;
mod head;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use error::CabError;
pub use head::{Limits, Member};
pub use reader::{MemberReader, Reader};
pub use writer::{MAX_FOLDER, MemberHead, Writer, write_mszip};

/// Plain bytes of every data block but the last of its folder.
const BLOCK: usize = 32_768;
/// What compression may add to a block (MS-CAB 2.4: `cbData`).
const BLOCK_GROWTH: usize = 6_144;
/// `CFFOLDER.typeCompress`, low four bits.
const STORED: u16 = 0;
const MSZIP: u16 = 1;
const QUANTUM: u16 = 2;
const LZX: u16 = 3;
/// `CFHEADER.flags`.
const FLAG_PREVIOUS: u16 = 1;
const FLAG_NEXT: u16 = 2;
const FLAG_RESERVE: u16 = 4;
/// `CFFILE.attribs`: the name is UTF-8.
const NAME_IS_UTF8: u16 = 0x80;
/// What every MSZIP block starts with.
const MSZIP_SIGNATURE: [u8; 2] = *b"CK";
