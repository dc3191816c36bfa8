use weir_model::ids::UpdateIdentity;

use crate::cab::CabError;

/// Why a package cannot be read or written. Records are counted from 1, in the order of the member they are in.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The cabinet around it.
    #[error("the package's cabinet cannot be read or written")]
    Cabinet(#[from] CabError),
    /// `package.xml` and `metadata.txt` do not name the same revisions.
    #[error("{identity} is only in {member} of the package; export it again")]
    Difference {
        /// The first such revision.
        identity: UpdateIdentity,
        /// The member that has it.
        member: &'static str,
    },
    /// One revision is there twice.
    #[error("record {record} of {member} repeats {identity}; export the package again")]
    Duplicate {
        /// Which record, from 1.
        record: u64,
        /// The revision.
        identity: UpdateIdentity,
        /// The member that has it twice.
        member: &'static str,
    },
    /// The document of a record is no valid update document.
    #[error("record {record} of metadata.txt, {identity}, is not a valid update document")]
    Document {
        /// Which record, from 1.
        record: u64,
        /// The revision.
        identity: UpdateIdentity,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The framing of `metadata.txt` is broken.
    #[error("record {record} of metadata.txt{} is damaged: {reason}", identity.map(|id| format!(", {id},")).unwrap_or_default())]
    Frame {
        /// Which record, from 1.
        record: u64,
        /// The revision, if the header could be read.
        identity: Option<UpdateIdentity>,
        /// What is wrong.
        reason: String,
    },
    /// Gzip, whose inner layout is documented nowhere.
    #[error(
        "the package is in the gzip form (.xml.gz){}, a layout that is not supported; export it again with a name ending in .cab",
        root.as_ref().map(|name| format!(" with the root element {name}")).unwrap_or_default()
    )]
    Gzip {
        /// Name of the root element inside, if one was found.
        root: Option<String>,
    },
    /// The identity inside a document is not that of its record.
    #[error("record {record} of metadata.txt is headed {identity} and its document says {inner}")]
    Identity {
        /// Which record, from 1.
        record: u64,
        /// Identity in the record's header.
        identity: UpdateIdentity,
        /// Identity in the document.
        inner: UpdateIdentity,
    },
    /// A bound is exceeded.
    #[error("the package exceeds the limit of {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A file or update row of `package.xml` is wrong.
    #[error("package.xml: {row} {record} is wrong: {reason}")]
    Row {
        /// `File`, `Language` or `Update`.
        row: &'static str,
        /// Which row of its kind, from 1.
        record: u64,
        /// What is wrong.
        reason: String,
    },
    /// Metadata beyond what a cabinet holds.
    #[error(
        "the catalogue takes {bytes} bytes, a cabinet holds {limit}: decline and purge what is not needed, or write a Weir bundle"
    )]
    TooLarge {
        /// Plain bytes needed.
        bytes: u64,
        /// Plain bytes that fit.
        limit: u64,
    },
    /// A version that is not read here.
    #[error("the package has {what} {found:?}; only {wanted} is supported")]
    Version {
        /// `FormatVersion` or `ProtocolVersion`.
        what: &'static str,
        /// As written.
        found: String,
        /// What is supported.
        wanted: &'static str,
    },
    /// The writer was given records that are not those announced.
    #[error("cannot write the package: {0}")]
    Write(String),
    /// `package.xml` is no well-formed package description.
    #[error("package.xml is damaged at byte {position}: {reason}")]
    Xml {
        /// Byte offset in the member.
        position: u64,
        /// What is wrong.
        reason: String,
    },
}
