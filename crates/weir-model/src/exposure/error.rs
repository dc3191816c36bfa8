//! Bounds of documents, and why one is refused.

/// What a document may have at most. The largest genuine monthly document of MSRC that was seen has 3.2 MB, 424
/// vulnerabilities, 5,313 remediations and 66,922 elements; the KEV catalogue of 2025 has 1.3 MB and 1,404 entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Elements or JSON values inside each other.
    pub depth: usize,
    /// Elements of an XML document, values of a JSON document.
    pub values: usize,
    /// Vulnerabilities of an advisory, entries of a KEV catalogue.
    pub vulnerabilities: usize,
    /// Products of a document.
    pub products: usize,
    /// Remediations of a document.
    pub fixes: usize,
    /// Products that all vulnerabilities and remediations of a document name together.
    pub references: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            depth: 64,
            values: 2_000_000,
            vulnerabilities: 20_000,
            products: 50_000,
            fixes: 200_000,
            references: 1_000_000,
        }
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A document type declaration, which could make a small text large or fetch other files.
    #[error("a document type declaration is not taken")]
    Dtd,
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("the text is neither UTF-8 nor UTF-16 with a byte order mark")]
    Encoding,
    /// None of the forms that are read.
    #[error("this is neither a CVRF document (XML or JSON), nor a CSAF 2.0 document, nor a KEV catalogue: {0}")]
    Form(String),
    /// More than is taken.
    #[error("more than {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Something that every document has is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Not well-formed, or not of the type that the schema says.
    #[error("{0}")]
    Syntax(String),
    /// A value that its field cannot have.
    #[error("{value:?} is not {expected}")]
    Value {
        /// The value, cut to 80 characters.
        value: String,
        /// What would be.
        expected: &'static str,
    },
}

/// Why a document is refused, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct DocumentError {
    /// What is wrong.
    pub fault: Fault,
    /// Where: an XPath-like path (`cvrfdoc/Vulnerability[3]/CVE`), a path in JSON (`vulnerabilities[2].cve`), or a line.
    pub place: String,
}

impl DocumentError {
    pub(super) fn new(fault: Fault, place: impl Into<String>) -> Self {
        Self { fault, place: place.into() }
    }

    pub(super) fn value(value: &str, expected: &'static str, place: impl Into<String>) -> Self {
        Self::new(Fault::Value { value: super::text::cut(value, 80), expected }, place)
    }

    pub(super) fn limit(what: &'static str, limit: usize, place: impl Into<String>) -> Self {
        Self::new(Fault::Limit { what, limit }, place)
    }
}
