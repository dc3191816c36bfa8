//! Packages of `wsusutil export`: the whole catalogue of a WSUS server in a cabinet with two members, `package.xml` and
//! `metadata.txt`. There is no published specification; the rules were measured on genuine packages.
//!
//! Reading: [`Reader::open`] checks the frame and `package.xml`, [`Reader::records`] then yields one document after the other, so
//! that a full catalogue never is in memory. A package is fully checked when the records were read to the end.

mod error;
mod reader;
mod records;
#[cfg(test)]
mod tests;
mod types;
mod writer;
mod xml;

pub use error::PackageError;
pub use reader::{Limits, Reader};
pub use records::{Record, Records};
pub use types::{LANGUAGES, Language, Package, PackageFile, PackageUpdate, ProtocolVersion};
pub use writer::{Writer, metadata_size};
