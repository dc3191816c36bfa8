//! Fragments: the parts of an update document that computers are sent (MS-WUSP 3.1.1.1, metadata table).

use super::{DocumentError, Limits};

/// The fragments of one document. Each is a sequence of elements, not a document.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fragments {
    /// Core: identity, type, relationships, rules; sent in SyncUpdates.
    pub core: String,
    /// Extended: remaining properties, files, handler data.
    pub extended: String,
    /// LocalizedProperties, one per language, in document order.
    pub localized: Vec<LocalizedFragment>,
    /// Eula, one per language and region, in document order.
    pub eulas: Vec<EulaFragment>,
}

/// The texts of one language.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LocalizedFragment {
    /// The language as written, without surrounding blanks.
    pub language: String,
    /// The fragment.
    pub xml: String,
}

/// The licence of one language and region.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EulaFragment {
    /// The language as written.
    pub language: String,
    /// The region as written; none for the rest of the world.
    pub geo_id: Option<String>,
    /// The fragment.
    pub xml: String,
}

impl Fragments {
    /// Derives the fragments of a document within the default limits. Only what the fragments need is checked: use
    /// [`read`](super::read) for documents that were not read before.
    pub fn derive(text: &str) -> Result<Self, DocumentError> {
        Self::derive_within(text, &Limits::default())
    }

    /// Derives the fragments of a document within limits.
    pub fn derive_within(_text: &str, _limits: &Limits) -> Result<Self, DocumentError> {
        unimplemented!()
    }
}
