use std::io;

/// Why a bundle cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A frame does not unpack to what it announces.
    #[error("frame {frame} of part {part} is damaged: {reason}")]
    Frame {
        /// Which part, from 1.
        part: u32,
        /// Which frame of it, from 1.
        frame: u64,
        /// What is wrong.
        reason: String,
    },
    /// The source or sink failed.
    #[error("cannot read or write the bundle")]
    Io(#[source] io::Error),
    /// A bound is exceeded.
    #[error("the bundle exceeds the limit of {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The manifest is not one.
    #[error("the manifest is damaged: {0}")]
    Manifest(String),
    /// A part is not one, or another one.
    #[error("part {part} is damaged: {reason}")]
    Part {
        /// Which part was expected, from 1.
        part: u32,
        /// What is wrong.
        reason: String,
    },
    /// A record is broken.
    #[error("record {record} of a section is damaged: {reason}")]
    Record {
        /// Which record, from 1.
        record: u64,
        /// What is wrong.
        reason: String,
    },
    /// The signature file is not one.
    #[error("the signature file is damaged: {0}")]
    Signature(&'static str),
    /// A format that is not read here.
    #[error("the bundle has format {found}; this version reads {wanted}: use a newer Weir")]
    Version {
        /// As written.
        found: String,
        /// What is read.
        wanted: u32,
    },
}
