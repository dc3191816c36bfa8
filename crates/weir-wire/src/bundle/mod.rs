//! Weir bundles: a signed manifest and numbered parts that carry a catalogue, content and decisions to a site without a
//! network. The format is described in `docs/bundle-format.md`.
//!
//! * [`Manifest`] says who made the bundle, what it builds on, which parts there are and what is in them.
//! * [`Signature`] is over the exact bytes of the manifest; making and checking one is the caller's, with [`signed`] as
//!   message.
//! * A part is a sequence of frames ([`PartWriter`], [`PartReader`]); the frames of one section, in the order of the parts,
//!   are one stream of bytes.
//! * [`Records`] and [`Files`] cut such a stream into records, [`Document`], [`Source`] and [`FileHead`] are what they hold.

mod error;
mod files;
mod manifest;
mod part;
mod records;
mod signature;
#[cfg(test)]
mod tests;

pub use error::BundleError;
pub use files::{FileEvent, FileHead, Files};
pub use manifest::{Base, Counts, Issuer, MOST_PARTS, Manifest, Part, SMALLEST_PART, Section, section};
pub use part::{FRAME, Frame, PartReader, PartWriter};
pub use records::{Document, Records, Source, write_record};
pub use signature::{Signature, signed};
