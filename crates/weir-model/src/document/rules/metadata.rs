//! `ApplicabilityRules/Metadata`: facts that rules without fields of their own refer to.

use uuid::Uuid;

use crate::document::{Verbatim, rules::value::Version};

/// One child of `Metadata`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metadata {
    /// Namespace, empty if none.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// What it says.
    pub kind: MetadataKind,
    /// The whole element, which may be tens of megabytes.
    pub source: Verbatim,
}

/// What a child of `Metadata` says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MetadataKind {
    /// `cbsar:CbsPackageApplicabilityMetadata`: a package manifest; see the source text.
    CbsPackage,
    /// `msiar:MsiApplicationMetadata`.
    MsiApplication {
        /// `ProductCode`.
        product_code: Option<Uuid>,
        /// `ProductCode/@Version`.
        version: Option<Version>,
    },
    /// `msiar:MsiPatchMetadata`: a patch manifest; see the source text.
    MsiPatch {
        /// `FallbackPatchCode`.
        fallback_patch_code: Option<Uuid>,
    },
    /// Anything else; see the source text.
    Other,
    /// `drv:WindowsDriverMetaData`: the next of [`UpdateDocument::drivers`](crate::document::UpdateDocument::drivers).
    WindowsDriver,
}
