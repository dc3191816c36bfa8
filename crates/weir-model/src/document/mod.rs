//! Update documents: the XML that states everything about one revision of an update, read into types, and the
//! fragments of it that computers are sent.
//!
//! [`UpdateDocument::parse`] reads what the server acts upon: identity, properties, relationships, files, applicability
//! rules. [`Fragments::derive`] makes the Core, Extended, LocalizedProperties and Eula fragments of MS-WUSP 3.1.1.1 as a
//! Windows server writes them, byte for byte. [`read`] does both in one pass. Neither builds a tree of the document: some
//! exceed 40 MB.
//!
//! The text itself stays the truth: rules, metadata and handler data carry the place where they stand in it
//! ([`Verbatim`]), so keep it with what was read from it.
//!
//! *Invariant:* documents come from outside. Size, depth and counts are bounded ([`Limits`]), a document type definition
//! is refused, and an error names the element and the byte.

mod body;
mod core;
mod driver;
mod error;
mod fragments;
mod parse;
mod parts;
mod properties;
pub mod rules;
mod source;
mod value;
mod write;

#[cfg(test)]
mod tests;

use crate::{
    ids::UpdateIdentity,
    update::{DriverMetadata, Relationships, UpdateType},
};

pub use self::{
    body::body,
    core::CoreFragment,
    error::{DocumentError, Fault},
    fragments::{EulaFragment, Fragments, LocalizedFragment},
    parts::{CategoryInformation, EulaFile, File, HandlerData, LocalizedProperties, OtherDigest, Verbatim},
    properties::{Behavior, Impact, Properties, PublicationState, RebootBehavior},
    rules::ApplicabilityRules,
    source::Limits,
    write::{escape_into, escaped_len},
};

/// One update document (`upd:Update`), read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpdateDocument {
    /// `UpdateIdentity`.
    pub identity: UpdateIdentity,
    /// `Properties/@UpdateType`.
    pub update_type: UpdateType,
    /// The rest of `Properties`.
    pub properties: Properties,
    /// `LocalizedPropertiesCollection/LocalizedProperties` in document order. Choose by language, never by position.
    pub localized: Vec<LocalizedProperties>,
    /// `LocalizedPropertiesCollection/EulaFile` in document order.
    pub eulas: Vec<EulaFile>,
    /// `Relationships`, empty if absent.
    pub relationships: Relationships,
    /// `ApplicabilityRules`, empty if absent.
    pub rules: ApplicabilityRules,
    /// `Files/File` in document order.
    pub files: Vec<File>,
    /// `HandlerSpecificData/CategoryInformation`, of categories.
    pub category: Option<CategoryInformation>,
    /// `ApplicabilityRules/Metadata/WindowsDriverMetaData` in document order, of drivers.
    pub drivers: Vec<DriverMetadata>,
    /// `HandlerSpecificData`.
    pub handler_data: Option<HandlerData>,
}

impl UpdateDocument {
    /// Reads a document. Elements are recognised by namespace, whatever the prefix; unknown ones are passed over.
    ///
    /// Refused are texts that are not well-formed XML, exceed the limits or hold a document type definition, and
    /// documents in which an identity, a type, a relationship, a digest, a size, a date, a flag or a driver's facts are
    /// missing or malformed. Rules that do not fit their schema are kept as [`rules::Expr::Unknown`] instead.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, DocumentError> {
        parse::document(text, limits, ()).map(|(document, ())| document)
    }

    /// The texts for a language, compared without regard to case: those of the language itself, else of the language
    /// without its region, else of the document's default language, else English, else the first.
    pub fn localized_for(&self, language: &str) -> Option<&LocalizedProperties> {
        let find = |wanted: &str| self.localized.iter().find(|texts| texts.language.eq_ignore_ascii_case(wanted));
        let base = language.split('-').next().unwrap_or(language);
        find(language)
            .or_else(|| find(base))
            .or_else(|| find(&self.properties.default_language))
            .or_else(|| find("en"))
            .or_else(|| self.localized.first())
    }
}

/// Reads a document and derives its fragments in one pass.
pub fn read(text: &str, limits: &Limits) -> Result<(UpdateDocument, Fragments), DocumentError> {
    let (document, deriver) = parse::document(text, limits, fragments::Deriver::new(text.len()))?;
    let fragments =
        deriver.finish().map_err(|fault| DocumentError { fault, path: "/".to_owned(), offset: text.len() })?;
    Ok((document, fragments))
}
