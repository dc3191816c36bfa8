//! `ApplicabilityRules/Metadata`: facts that rules without fields of their own refer to.

use uuid::Uuid;

use super::{
    patch::{self, MsiPatch},
    value::Version,
};
use crate::document::{
    DocumentError, Verbatim,
    source::{Attribute, Ns, Sink, Source},
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
    /// `cbsar:CbsPackageApplicabilityMetadata`: a package manifest; see the source text for the rest of it.
    CbsPackage {
        /// The package, as packages are named: name, public key token, architecture, culture and version of
        /// `assembly/assemblyIdentity`, joined by `~`; a neutral culture is empty. None if it is not stated whole.
        identity: Option<String>,
    },
    /// `msiar:MsiApplicationMetadata`.
    MsiApplication {
        /// `ProductCode`.
        product_code: Option<Uuid>,
        /// `ProductCode/@Version`.
        version: Option<Version>,
        /// `ProductCode/@UseRecacheReinstall`, as written.
        recache: Option<String>,
    },
    /// `msiar:MsiPatchMetadata`.
    MsiPatch {
        /// `MsiPatch`; none if absent or malformed.
        patch: Option<Box<MsiPatch>>,
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
        (Ns::CBS, "CbsPackageApplicabilityMetadata") => cbs_package(source)?,
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

/// What a package manifest begins with (component based servicing, assembly manifests of version 3).
const ASSEMBLY: &str = "urn:schemas-microsoft-com:asm.";

fn cbs_package<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<MetadataKind, DocumentError> {
    let mut identity = None;
    source.children(|source| {
        if source.local() != "assembly" || !source.namespaces().name(source.ns()).starts_with(ASSEMBLY) {
            return Ok(());
        }
        source.children(|source| {
            if identity.is_none() && source.local() == "assemblyIdentity" {
                identity = package_identity(source.attributes());
            }
            Ok(())
        })
    })?;
    Ok(MetadataKind::CbsPackage { identity })
}

fn package_identity(attributes: &[Attribute<'_>]) -> Option<String> {
    let culture = find(attributes, "language").unwrap_or_default();
    let culture = if culture.eq_ignore_ascii_case("neutral") { "" } else { culture };
    let parts = [
        find(attributes, "name")?,
        find(attributes, "publicKeyToken")?,
        find(attributes, "processorArchitecture")?,
        culture,
        find(attributes, "version")?,
    ];
    Some(parts.join("~"))
}

fn msi_application<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<MetadataKind, DocumentError> {
    let (mut product_code, mut version, mut recache) = (None, None, None);
    source.children(|source| {
        if source.is(Ns::MSI, "ProductCode") {
            version = find(source.attributes(), "Version").and_then(Value::read);
            recache = find(source.attributes(), "UseRecacheReinstall").map(str::to_owned);
            product_code = Uuid::read(&source.content()?);
        }
        Ok(())
    })?;
    Ok(MetadataKind::MsiApplication { product_code, version, recache })
}

fn msi_patch<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<MetadataKind, DocumentError> {
    let (mut patch, mut fallback_patch_code) = (None, None);
    source.children(|source| {
        if source.is(Ns::MSI, "FallbackPatchCode") {
            fallback_patch_code = Uuid::read(&source.content()?);
        } else if source.local() == "MsiPatch" {
            patch = patch::read(source)?.map(Box::new);
        }
        Ok(())
    })?;
    Ok(MetadataKind::MsiPatch { patch, fallback_patch_code })
}
