//! Why a document was refused.

/// A refused document: what is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("update document, byte {offset}, in {path}: {fault}")]
pub struct DocumentError {
    /// What is wrong.
    pub fault: Fault,
    /// The open elements, outermost first, as written: `/upd:Update/upd:Files/upd:File`; `/` outside the root.
    pub path: String,
    /// Offset in bytes of the offending markup, or of the element that lacks something.
    pub offset: usize,
}

/// What is wrong with a document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// An attribute occurs twice, counted by namespace and local name.
    #[error("attribute {0} occurs twice")]
    AttributeTwice(String),
    /// A control character, or a code point that XML does not allow.
    #[error("character U+{0:04X} is not allowed in XML")]
    Character(u32),
    /// A document type definition.
    #[error("document type definitions are refused")]
    Dtd,
    /// An element that may occur once occurs again.
    #[error("element {0} occurs twice")]
    ElementTwice(String),
    /// The texts or licence of one language occur twice.
    #[error("{element} for language {language:?} occurs twice")]
    LanguageTwice {
        /// `LocalizedProperties` or `EulaFile`.
        element: &'static str,
        /// The language, with the region of a licence.
        language: String,
    },
    /// A limit is exceeded.
    #[error("more than {limit} {what}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The most that is taken.
        limit: usize,
    },
    /// An attribute that must be there is absent.
    #[error("attribute {0} is missing")]
    MissingAttribute(&'static str),
    /// An element that must be there is absent.
    #[error("element {0} is missing")]
    MissingElement(&'static str),
    /// The root is not `Update` of the update namespace.
    #[error(
        "the root element is {{{namespace}}}{name}, not {{http://schemas.microsoft.com/msus/2002/12/Update}}Update"
    )]
    Root {
        /// Its namespace, empty if none.
        namespace: String,
        /// Its local name.
        name: String,
    },
    /// The text is not well-formed XML.
    #[error("not well-formed: {0}")]
    Syntax(String),
    /// A prefix that no declaration binds.
    #[error("prefix {0:?} is not declared")]
    UnboundPrefix(String),
    /// A value is not of its type.
    #[error("{what} {value:?} is not {expected}")]
    Value {
        /// The attribute or element.
        what: &'static str,
        /// Its value, cut to 80 characters.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
}
