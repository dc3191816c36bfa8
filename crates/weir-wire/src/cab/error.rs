use std::io;

/// Why a cabinet cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CabError {
    /// A checksum does not match.
    #[error("data block {block} of the cabinet has a wrong checksum; the file is damaged, copy it again")]
    Checksum {
        /// Index of the block in its folder, from 0.
        block: u32,
    },
    /// A block does not decompress to the announced size.
    #[error("data block {block} of the cabinet is damaged: {reason}")]
    Data {
        /// Index of the block in its folder, from 0.
        block: u32,
        /// What is wrong.
        reason: String,
    },
    /// The source failed.
    #[error("cannot read or write the cabinet")]
    Io(#[source] io::Error),
    /// The header's own size and the length of the file differ.
    #[error(
        "the cabinet announces {announced} bytes and the file has {actual}: it was cut off or changed by a text-mode copy; \
         copy it again as binary"
    )]
    Length {
        /// Bytes announced by the header.
        announced: u64,
        /// Length of the file.
        actual: u64,
    },
    /// A bound set by the caller is exceeded.
    #[error("the cabinet exceeds the limit of {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A header, folder or file entry is impossible.
    #[error("the cabinet is damaged: {0}")]
    Malformed(String),
    /// No such member.
    #[error("the cabinet has no member {0:?}")]
    NoMember(String),
    /// Not a cabinet.
    #[error("not a cabinet: the file does not start with MSCF")]
    NotCabinet,
    /// A form of cabinet that is not read here.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The writer was used out of order or its members do not fit.
    #[error("cannot write the cabinet: {0}")]
    Write(String),
}

impl CabError {
    /// The file is shorter than its own structures say.
    pub(super) fn end() -> Self {
        Self::Malformed("it ends inside a header or data block".into())
    }

    /// Turns the end of the source into damage of the cabinet.
    pub(super) fn end_of_file(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::end() } else { Self::Io(error) }
    }
}

impl From<CabError> for io::Error {
    fn from(error: CabError) -> Self {
        match error {
            CabError::Io(inner) => inner,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}
