//! `ApplicabilityRules/Metadata`: facts that rules without fields of their own refer to.

use uuid::Uuid;

use super::value::Version;
use crate::document::{
    DocumentError, Verbatim,
    source::{Ns, Sink, Source},
    value::{Value, find},
};

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

/// Reads the current element, a child of `Metadata`, and past its end. `driver` reads the metadata of a driver.
pub(in crate::document) fn metadata<'t, S: Sink<'t>>(
    source: &mut Source<'t, S>,
    driver: impl FnOnce(&mut Source<'t, S>) -> Result<(), DocumentError>,
) -> Result<Metadata, DocumentError> {
    let start = source.element_start();
    let (ns, name) = (source.ns(), source.local());
    let kind = match (ns, name) {
        (Ns::CBS, "CbsPackageApplicabilityMetadata") => {
            source.children(|_| Ok(()))?;
            MetadataKind::CbsPackage
        }
        (Ns::MSI, "MsiApplicationMetadata") => msi_application(source)?,
        (Ns::MSI, "MsiPatchMetadata") => msi_patch(source)?,
        (Ns::DRIVER, "WindowsDriverMetaData") => {
            driver(source)?;
            MetadataKind::WindowsDriver
        }
        _ => {
            source.children(|_| Ok(()))?;
            MetadataKind::Other
        }
    };
    let namespace = source.namespaces().name(ns).to_owned();
    Ok(Metadata { namespace, name: name.to_owned(), kind, source: Verbatim { start, end: source.position() } })
}

fn msi_application<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<MetadataKind, DocumentError> {
    let (mut product_code, mut version) = (None, None);
    source.children(|source| {
        if source.is(Ns::MSI, "ProductCode") {
            version = find(source.attributes(), "Version").and_then(Value::read);
            product_code = Uuid::read(&source.content()?);
        }
        Ok(())
    })?;
    Ok(MetadataKind::MsiApplication { product_code, version })
}

fn msi_patch<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<MetadataKind, DocumentError> {
    let mut fallback_patch_code = None;
    source.children(|source| {
        if source.is(Ns::MSI, "FallbackPatchCode") {
            fallback_patch_code = Uuid::read(&source.content()?);
        }
        Ok(())
    })?;
    Ok(MetadataKind::MsiPatch { fallback_patch_code })
}
