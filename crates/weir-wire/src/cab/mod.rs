//! Cabinets: reader for stored, MSZIP and LZX folders, writer for MSZIP (Microsoft Cabinet Format, MS-CAB; MSZIP, MS-MCI;
//! LZX, MS-PATCH and the cabinet SDK).
//!
//! Nothing here trusts a size or an offset of the file: all are checked against the file's length, the limits, or both.

mod error;
mod reader;
mod writer;

pub use error::CabError;
pub use reader::{Limits, Member, MemberReader, Reader};
pub use writer::{MAX_FOLDER, MemberHead, Writer, write_mszip};
