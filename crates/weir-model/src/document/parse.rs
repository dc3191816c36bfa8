//! Reads a document into types, one function per part.

use std::collections::BTreeSet;

use super::{
    ApplicabilityRules, CategoryInformation, CoreFragment, DocumentError, EulaFile, Fault, File, HandlerData, Limits,
    LocalizedProperties, OtherDigest, UpdateDocument, Verbatim, driver, properties, rules,
    source::{Ns, Sink, Source},
    value::{find, read},
};
use crate::{
    ids::{RevisionNumber, UpdateIdentity},
    update::{BundleClause, CategoryKind, DriverMetadata, PrerequisiteClause, Relationships},
};

/// Reads a document while `sink` looks on.
pub(super) fn document<'t, S: Sink<'t>>(
    text: &'t str,
    limits: &Limits,
    sink: S,
) -> Result<(UpdateDocument, S), DocumentError> {
    let mut source = Source::new(text, limits, sink)?;
    source.root()?;
    let root = source.element_start();
    let mut parts = Parts::default();
    source.children(|source| if source.ns() == Ns::UPDATE { parts.read(source) } else { Ok(()) })?;
    let (Some(identity), Some((update_type, properties))) = (parts.identity, parts.properties) else {
        let missing = if parts.identity.is_none() { "UpdateIdentity" } else { "Properties" };
        return Err(DocumentError { fault: Fault::MissingElement(missing), path: "/Update".to_owned(), offset: root });
    };
    source.next()?;
    let (category, handler_data) = parts.handler.map_or((None, None), |(category, data)| (category, Some(data)));
    let document = UpdateDocument {
        identity,
        update_type,
        properties,
        localized: parts.localized.0,
        eulas: parts.localized.1,
        relationships: parts.relationships.unwrap_or_default(),
        rules: parts.rules.0,
        files: parts.files.unwrap_or_default(),
        category,
        drivers: parts.rules.1,
        handler_data,
    };
    Ok((document, source.into_sink()))
}

/// Reads a Core fragment.
pub(super) fn core(text: &str, limits: &Limits) -> Result<CoreFragment, DocumentError> {
    let mut source = Source::fragment(text, limits, ())?;
    let mut parts = Parts::default();
    source.children(|source| if source.ns() == Ns::UPDATE { parts.read(source) } else { Ok(()) })?;
    let (Some(identity), Some((update_type, properties))) = (parts.identity, parts.properties) else {
        let missing = if parts.identity.is_none() { "UpdateIdentity" } else { "Properties" };
        return Err(source.error(Fault::MissingElement(missing)));
    };
    Ok(CoreFragment {
        identity,
        update_type,
        explicitly_deployable: properties.explicitly_deployable,
        auto_select: properties.auto_select,
        os_upgrade: properties.os_upgrade,
        eula_id: properties.eula_id,
        relationships: parts.relationships.unwrap_or_default(),
        rules: parts.rules.0,
        drivers: parts.rules.1,
    })
}

/// The children of `Update`, as far as they were read.
#[derive(Default)]
struct Parts {
    seen: BTreeSet<&'static str>,
    identity: Option<UpdateIdentity>,
    properties: Option<(crate::update::UpdateType, super::Properties)>,
    localized: (Vec<LocalizedProperties>, Vec<EulaFile>),
    relationships: Option<Relationships>,
    rules: (ApplicabilityRules, Vec<DriverMetadata>),
    files: Option<Vec<File>>,
    handler: Option<(Option<CategoryInformation>, HandlerData)>,
}

impl Parts {
    fn read<'t, S: Sink<'t>>(&mut self, source: &mut Source<'t, S>) -> Result<(), DocumentError> {
        const KNOWN: [&str; 7] = [
            "UpdateIdentity",
            "Properties",
            "LocalizedPropertiesCollection",
            "Relationships",
            "ApplicabilityRules",
            "Files",
            "HandlerSpecificData",
        ];
        let Some(name) = KNOWN.into_iter().find(|name| *name == source.local()) else { return Ok(()) };
        if !self.seen.insert(name) {
            return Err(source.error(Fault::ElementTwice(name.to_owned())));
        }
        match name {
            "UpdateIdentity" => self.identity = Some(identity(source)?),
            "Properties" => self.properties = Some(properties::read(source)?),
            "LocalizedPropertiesCollection" => self.localized = localized(source)?,
            "Relationships" => self.relationships = Some(relationships(source)?),
            "ApplicabilityRules" => self.rules = applicability(source)?,
            "Files" => self.files = Some(files(source)?),
            _ => self.handler = Some(handler(source)?),
        }
        Ok(())
    }
}

/// `UpdateIdentity` with both halves.
fn identity<'t, S: Sink<'t>>(source: &Source<'t, S>) -> Result<UpdateIdentity, DocumentError> {
    let revision: u32 = source.required("RevisionNumber")?;
    if i32::try_from(revision).is_err() {
        let expected = "a revision number: at most 2147483647";
        return Err(source.error(Fault::Value { what: "RevisionNumber", value: revision.to_string(), expected }));
    }
    Ok(UpdateIdentity { update_id: source.required("UpdateID")?, revision: RevisionNumber(revision) })
}

fn localized<'t, S: Sink<'t>>(
    source: &mut Source<'t, S>,
) -> Result<(Vec<LocalizedProperties>, Vec<EulaFile>), DocumentError> {
    let (mut all, mut eulas) = (Vec::new(), Vec::new());
    let (mut languages, mut regions) = (BTreeSet::new(), BTreeSet::new());
    source.children(|source| {
        if source.is(Ns::UPDATE, "LocalizedProperties") {
            let texts = texts(source)?;
            if !languages.insert(texts.language.to_ascii_lowercase()) {
                let fault = Fault::LanguageTwice { element: "LocalizedProperties", language: texts.language };
                return Err(source.error(fault));
            }
            all.push(texts);
        } else if source.is(Ns::UPDATE, "EulaFile") {
            let eula = eula(source)?;
            let region = eula.geo_id.clone().unwrap_or_default();
            if !regions.insert((eula.language.to_ascii_lowercase(), region.to_ascii_lowercase())) {
                let language = [eula.language, region].join(" ");
                return Err(source.error(Fault::LanguageTwice { element: "EulaFile", language }));
            }
            eulas.push(eula);
        }
        Ok(())
    })?;
    Ok((all, eulas))
}

fn texts<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<LocalizedProperties, DocumentError> {
    let mut texts = LocalizedProperties::default();
    source.children(|source| {
        if source.ns() != Ns::UPDATE {
            return Ok(());
        }
        match source.local() {
            "Language" => source.content()?.trim().clone_into(&mut texts.language),
            "Title" => texts.title = source.content()?,
            "Description" => texts.description = Some(source.content()?),
            "UninstallNotes" => texts.uninstall_notes = Some(source.content()?),
            "SupportUrl" => texts.support_url = Some(source.content()?),
            "MoreInfoUrl" => texts.more_info_urls.push(source.content()?),
            _ => {}
        }
        Ok(())
    })?;
    if texts.language.is_empty() {
        return Err(source.error(Fault::MissingElement("Language")));
    }
    Ok(texts)
}

fn eula<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<EulaFile, DocumentError> {
    let text = |name: &str| find(source.attributes(), name).map(str::trim).filter(|text| !text.is_empty());
    let language = text("Language").ok_or_else(|| source.error(Fault::MissingAttribute("Language")))?.to_owned();
    let geo_id = text("GeoId").map(str::to_owned);
    Ok(EulaFile { language, geo_id, file: file(source)? })
}

fn relationships<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<Relationships, DocumentError> {
    let mut relationships = Relationships::default();
    source.children(|source| {
        if source.ns() != Ns::UPDATE {
            return Ok(());
        }
        match source.local() {
            "Prerequisites" => prerequisites(source, &mut relationships),
            "BundledUpdates" => bundled(source, &mut relationships),
            "SupersededUpdates" => source.children(|source| {
                if source.is(Ns::UPDATE, "UpdateIdentity") {
                    relationships.superseded.push(source.required("UpdateID")?);
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    })?;
    Ok(relationships)
}

fn prerequisites<'t, S: Sink<'t>>(
    source: &mut Source<'t, S>,
    relationships: &mut Relationships,
) -> Result<(), DocumentError> {
    source.children(|source| {
        let mut alternatives = Vec::new();
        let mut is_category = false;
        let bare = source.is(Ns::UPDATE, "UpdateIdentity");
        if bare {
            alternatives.push(source.required("UpdateID")?);
        } else if source.is(Ns::UPDATE, "AtLeastOne") {
            is_category = source.flag("IsCategory")?;
            source.children(|source| {
                if source.is(Ns::UPDATE, "UpdateIdentity") {
                    alternatives.push(source.required("UpdateID")?);
                }
                Ok(())
            })?;
        } else {
            return Ok(());
        }
        relationships.prerequisites.push(PrerequisiteClause { alternatives, is_category, bare });
        Ok(())
    })
}

fn bundled<'t, S: Sink<'t>>(
    source: &mut Source<'t, S>,
    relationships: &mut Relationships,
) -> Result<(), DocumentError> {
    source.children(|source| {
        let mut alternatives = Vec::new();
        if source.is(Ns::UPDATE, "UpdateIdentity") {
            alternatives.push(identity(source)?);
        } else if source.is(Ns::UPDATE, "AtLeastOne") {
            source.children(|source| {
                if source.is(Ns::UPDATE, "UpdateIdentity") {
                    alternatives.push(identity(source)?);
                }
                Ok(())
            })?;
        } else {
            return Ok(());
        }
        relationships.bundled.push(BundleClause { alternatives });
        Ok(())
    })
}

fn applicability<'t, S: Sink<'t>>(
    source: &mut Source<'t, S>,
) -> Result<(ApplicabilityRules, Vec<DriverMetadata>), DocumentError> {
    let start = source.element_start();
    let mut found = ApplicabilityRules::default();
    let mut drivers = Vec::new();
    source.children(|source| {
        if source.ns() != Ns::UPDATE {
            return Ok(());
        }
        let place = match source.local() {
            "IsInstalled" => &mut found.is_installed,
            "IsInstallable" => &mut found.is_installable,
            "IsSuperseded" => &mut found.is_superseded,
            "Metadata" => {
                return source.children(|source| {
                    let driver = |source: &mut Source<'t, S>| {
                        drivers.push(driver::metadata(source)?);
                        Ok(())
                    };
                    found.metadata.push(rules::metadata(source, driver)?);
                    Ok(())
                });
            }
            _ => return Ok(()),
        };
        if place.is_some() {
            return Err(source.error(Fault::ElementTwice(source.local().to_owned())));
        }
        *place = Some(rules::rule(source)?);
        Ok(())
    })?;
    found.source = Some(Verbatim { start, end: source.position() });
    Ok((found, drivers))
}

fn files<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<Vec<File>, DocumentError> {
    let mut files = Vec::new();
    source.children(|source| {
        if source.is(Ns::UPDATE, "File") {
            files.push(file(source)?);
        }
        Ok(())
    })?;
    Ok(files)
}

/// `File` and `EulaFile`.
fn file<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<File, DocumentError> {
    if let Some(algorithm) = find(source.attributes(), "DigestAlgorithm")
        && !algorithm.trim().eq_ignore_ascii_case("SHA1")
    {
        let fault = Fault::Value { what: "DigestAlgorithm", value: super::source::cut(algorithm), expected: "SHA1" };
        return Err(source.error(fault));
    }
    let mut file = File {
        digest: source.required("Digest")?,
        sha256: None,
        other_digests: Vec::new(),
        name: source.required("FileName")?,
        size: source.required("Size")?,
        modified: source.optional("Modified")?,
        patching_type: source.optional("PatchingType")?,
        origin: source.optional("OriginUri")?,
    };
    source.children(|source| {
        if !source.is(Ns::UPDATE, "AdditionalDigest") {
            return Ok(());
        }
        let algorithm: String = source.required("Algorithm")?;
        let value = source.content()?;
        if algorithm.trim().eq_ignore_ascii_case("SHA256") {
            file.sha256 = Some(read("AdditionalDigest", &value).map_err(|fault| source.error(fault))?);
        } else {
            file.other_digests.push(OtherDigest { algorithm, value });
        }
        Ok(())
    })?;
    Ok(file)
}

fn handler<'t, S: Sink<'t>>(
    source: &mut Source<'t, S>,
) -> Result<(Option<CategoryInformation>, HandlerData), DocumentError> {
    let start = source.element_start();
    let xsi_type = source.attributes().iter().find(|attribute| attribute.ns == Ns::XSI && attribute.local == "type");
    let type_name = xsi_type.map(|attribute| attribute.value.trim().to_owned()).unwrap_or_default();
    let type_namespace = match source.namespaces().bound(type_name.split_once(':').map_or("", |(prefix, _)| prefix)) {
        Ok(ns) => source.namespaces().name(ns).to_owned(),
        Err(fault) => return Err(source.error(fault)),
    };
    let mut category = None;
    source.children(|source| {
        if source.is(Ns::CATEGORY, "CategoryInformation") {
            if category.is_some() {
                return Err(source.error(Fault::ElementTwice("CategoryInformation".to_owned())));
            }
            category = Some(category_information(source)?);
        }
        Ok(())
    })?;
    let source = Verbatim { start, end: source.position() };
    Ok((category, HandlerData { type_name, type_namespace, source }))
}

fn category_information<'t, S: Sink<'t>>(source: &Source<'t, S>) -> Result<CategoryInformation, DocumentError> {
    let kind = match find(source.attributes(), "CategoryType").map(str::trim) {
        Some("Company") => Some(CategoryKind::Company),
        Some("Product") => Some(CategoryKind::Product),
        Some("ProductFamily") => Some(CategoryKind::ProductFamily),
        Some("UpdateClassification") => Some(CategoryKind::UpdateClassification),
        _ => None,
    };
    Ok(CategoryInformation {
        kind,
        prohibits_subcategories: source.optional("ProhibitsSubcategories")?,
        prohibits_updates: source.optional("ProhibitsUpdates")?,
        excluded_by_default: source.optional("ExcludedByDefault")?,
        display_order: source.optional("DisplayOrder")?,
    })
}
