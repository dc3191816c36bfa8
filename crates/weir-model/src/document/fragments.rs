//! Fragments: the parts of an update document that computers are sent (MS-WUSP 3.1.1.1, metadata table).
//!
//! Everything stays in document order except the parts themselves and the attributes of Core's `Properties`. Namespace
//! declarations and prefixes go, elements of three namespaces get a prefix of their own, comments and blanks between
//! elements go, an element without content is written `<X />`.
//!
//! Off-spec, all recorded from a Windows server: Extended's `Properties` is called `ExtendedProperties`; two flags are
//! left out when false; Core's `Properties` has no children; namespaces outside update documents stay, as `xmlns` of
//! their topmost element.

use std::{collections::BTreeSet, ops::Range};

use super::{
    DocumentError, Fault, Limits,
    source::{Attribute, Ns, Sink, Source, Start},
    value::find,
    write,
};

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
    pub fn derive_within(text: &str, limits: &Limits) -> Result<Self, DocumentError> {
        let mut source = Source::new(text, limits, Deriver::new(text.len()))?;
        source.root()?;
        source.leave(0)?;
        source.next()?;
        let error = source.error(Fault::MissingElement("Update"));
        source.into_sink().finish().map_err(|fault| DocumentError { fault, path: "/".to_owned(), ..error })
    }
}

/// Attributes of `Properties` that Core has, in this order.
const CORE_ATTRIBUTES: [&str; 5] =
    ["UpdateType", "ExplicitlyDeployable", "AutoSelectOnWebSites", "OSUpgrade", "EulaID"];

/// Attributes of `Properties` that Extended does not have.
const NOT_EXTENDED: [&str; 11] = [
    "UpdateType",
    "ExplicitlyDeployable",
    "AutoSelectOnWebSites",
    "EulaID",
    "PublicationState",
    "PublisherID",
    "CreationDate",
    "IsPublic",
    "LegacyName",
    "DetectoidType",
    "OSUpgrade",
];

/// Flags that are left out when false.
const FALSE_BY_DEFAULT: [&str; 3] = ["AutoSelectOnWebSites", "ExplicitlyDeployable", "PerUser"];

/// A child of `Update` that goes into a fragment. The order is that within the fragments.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Part {
    Identity,
    Properties,
    Relationships,
    Rules,
    Files,
    Handler,
    Collection,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Identity,
        Self::Properties,
        Self::Relationships,
        Self::Rules,
        Self::Files,
        Self::Handler,
        Self::Collection,
    ];

    fn element(self) -> &'static str {
        match self {
            Self::Identity => "UpdateIdentity",
            Self::Properties => "Properties",
            Self::Relationships => "Relationships",
            Self::Rules => "ApplicabilityRules",
            Self::Files => "Files",
            Self::Handler => "HandlerSpecificData",
            Self::Collection => "LocalizedPropertiesCollection",
        }
    }
}

/// Where what is read goes to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Target {
    Core,
    Eula,
    Extended,
    Localized,
    #[default]
    Nowhere,
}

/// One fragment being written.
#[derive(Default)]
struct Out {
    text: String,
    /// A start tag lacks its end, because it is not known yet whether the element has content.
    tag_open: bool,
    /// Parts in the order they were written.
    parts: Vec<(Part, Range<usize>)>,
}

/// Derives fragments from what passes by.
#[derive(Default)]
pub(super) struct Deriver {
    core: Out,
    extended: Out,
    other: Out,
    localized: Vec<LocalizedFragment>,
    eulas: Vec<EulaFragment>,
    target: Target,
    part: Option<Part>,
    seen: Vec<Part>,
    /// Where the current part begins in its fragment.
    part_start: usize,
    /// `xmlns` in force where the writer stands, one per open element of the fragment.
    defaults: Vec<Ns>,
    /// Language of the texts being written, while inside `Language`, and then.
    language: String,
    in_language: bool,
    languages: BTreeSet<String>,
    regions: BTreeSet<(String, String)>,
}

impl Deriver {
    /// Expects a document of this many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let mut deriver = Self::default();
        deriver.core.text.reserve(bytes / 2);
        deriver
    }

    /// The fragments, when the document was read to its end.
    pub(super) fn finish(self) -> Result<Fragments, Fault> {
        for part in [Part::Identity, Part::Properties] {
            if !self.seen.contains(&part) {
                return Err(Fault::MissingElement(part.element()));
            }
        }
        Ok(Fragments {
            core: self.core.assembled(),
            extended: self.extended.assembled(),
            localized: self.localized,
            eulas: self.eulas,
        })
    }

    /// A child of `Update` begins.
    fn part(&mut self, start: &Start<'_, '_>) -> Result<(), Fault> {
        let known = Part::ALL.into_iter().find(|part| start.ns == Ns::UPDATE && start.local == part.element());
        self.part = known;
        let Some(part) = known else { return Ok(()) };
        if self.seen.contains(&part) {
            return Err(Fault::ElementTwice(part.element().to_owned()));
        }
        self.seen.push(part);
        self.target = match part {
            Part::Identity | Part::Relationships | Part::Rules => Target::Core,
            Part::Properties | Part::Files | Part::Handler => Target::Extended,
            Part::Collection => Target::Nowhere,
        };
        if part == Part::Properties {
            let from = self.core.text.len();
            self.core.text.push_str("<Properties");
            for name in CORE_ATTRIBUTES {
                match find(start.attributes, name) {
                    Some(value) if !left_out(name, value) => write::attribute(&mut self.core.text, name, value),
                    _ => {}
                }
            }
            self.core.text.push_str(" />");
            self.core.parts.push((part, from..self.core.text.len()));
        }
        if let Some(out) = self.out() {
            self.part_start = out.text.len();
        }
        Ok(())
    }

    fn out(&mut self) -> Option<&mut Out> {
        match self.target {
            Target::Core => Some(&mut self.core),
            Target::Extended => Some(&mut self.extended),
            Target::Eula | Target::Localized => Some(&mut self.other),
            Target::Nowhere => None,
        }
    }

    /// A text or licence has ended.
    fn collected(&mut self) -> Result<(), Fault> {
        let xml = std::mem::take(&mut self.other.text);
        if self.target == Target::Localized {
            let language = self.language.trim().to_owned();
            if language.is_empty() {
                return Err(Fault::MissingElement("Language"));
            }
            if !self.languages.insert(language.to_ascii_lowercase()) {
                return Err(Fault::LanguageTwice { element: "LocalizedProperties", language });
            }
            self.localized.push(LocalizedFragment { language, xml });
        } else if let Some(eula) = self.eulas.last_mut() {
            eula.xml = xml;
        }
        self.target = Target::Nowhere;
        Ok(())
    }

    /// A child of `LocalizedPropertiesCollection` begins.
    fn collect(&mut self, start: &Start<'_, '_>) -> Result<(), Fault> {
        match start.local {
            "LocalizedProperties" => {
                self.target = Target::Localized;
                self.language.clear();
            }
            "EulaFile" => {
                self.target = Target::Eula;
                let text = |name| find(start.attributes, name).map(str::trim).filter(|text| !text.is_empty());
                let language = text("Language").ok_or(Fault::MissingAttribute("Language"))?.to_owned();
                let geo_id = text("GeoId").map(str::to_owned);
                let region = geo_id.clone().unwrap_or_default();
                if !self.regions.insert((language.to_ascii_lowercase(), region.to_ascii_lowercase())) {
                    let language = [language, region].join(" ");
                    return Err(Fault::LanguageTwice { element: "EulaFile", language });
                }
                self.eulas.push(EulaFragment { language, geo_id, xml: String::new() });
            }
            _ => {}
        }
        Ok(())
    }
}

impl<'t> Sink<'t> for Deriver {
    fn start(&mut self, start: &Start<'_, 't>) -> Result<(), Fault> {
        let upd = start.ns == Ns::UPDATE;
        match start.depth {
            1 => return Ok(()),
            2 => self.part(start)?,
            3 if upd && self.part == Some(Part::Collection) => self.collect(start)?,
            4 if upd && self.target == Target::Localized => self.in_language = start.local == "Language",
            _ => {}
        }
        let extended_properties = start.depth == 2 && self.part == Some(Part::Properties);
        let outer = self.defaults.last().copied().unwrap_or(Ns::NONE);
        let default = if start.namespaces.is_msus(start.ns) { outer } else { start.ns };
        let Some(out) = self.out() else { return Ok(()) };
        out.end_tag();
        out.text.push('<');
        out.text.push_str(prefix(start.ns));
        out.text.push_str(if extended_properties { "ExtendedProperties" } else { start.local });
        if default != outer {
            write::attribute(&mut out.text, "xmlns", start.namespaces.name(default));
        }
        for (index, attribute) in start.attributes.iter().enumerate() {
            let omitted = if extended_properties {
                attribute.ns == Ns::NONE
                    && (NOT_EXTENDED.contains(&attribute.local) || left_out(attribute.local, &attribute.value))
            } else {
                attribute.ns != Ns::NONE && shadowed(start.attributes, index, attribute)
            };
            if !omitted {
                let write = if attribute.plain { write::plain_attribute } else { write::attribute };
                write(&mut out.text, attribute.local, &attribute.value);
            }
        }
        out.tag_open = true;
        self.defaults.push(default);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.in_language {
            self.language.push_str(text);
        }
        if let Some(out) = self.out() {
            out.end_tag();
            write::text(&mut out.text, text);
        }
    }

    fn end(&mut self, depth: usize, ns: Ns, local: &'t str) -> Result<(), Fault> {
        if self.target == Target::Nowhere {
            if depth == 2 {
                self.part = None;
            }
            return Ok(());
        }
        let extended_properties = depth == 2 && self.part == Some(Part::Properties);
        if let Some(out) = self.out() {
            if out.tag_open {
                out.text.push_str(" />");
                out.tag_open = false;
            } else {
                out.text.push_str("</");
                out.text.push_str(prefix(ns));
                out.text.push_str(if extended_properties { "ExtendedProperties" } else { local });
                out.text.push('>');
            }
        }
        self.defaults.pop();
        match depth {
            2 => {
                let from = self.part_start;
                if let (Some(part), Some(out)) = (self.part.take(), self.out()) {
                    out.parts.push((part, from..out.text.len()));
                }
                self.target = Target::Nowhere;
            }
            3 if self.part == Some(Part::Collection) => self.collected()?,
            4 => self.in_language = false,
            _ => {}
        }
        Ok(())
    }
}

impl Out {
    fn end_tag(&mut self) {
        if self.tag_open {
            self.text.push('>');
            self.tag_open = false;
        }
    }

    /// The text with its parts in the order of the specification.
    fn assembled(self) -> String {
        if self.parts.is_sorted_by_key(|&(part, _)| part) {
            return self.text;
        }
        let mut parts = self.parts;
        parts.sort_by_key(|&(part, _)| part);
        parts.into_iter().filter_map(|(_, range)| self.text.get(range)).collect()
    }
}

/// What stands before the local name (MS-WUSP 3.1.1.1).
fn prefix(ns: Ns) -> &'static str {
    match ns {
        Ns::BASE => "b.",
        Ns::MSI => "m.",
        Ns::DRIVER => "d.",
        _ => "",
    }
}

fn left_out(name: &str, value: &str) -> bool {
    value == "false" && FALSE_BY_DEFAULT.contains(&name)
}

/// Whether an attribute that loses its prefix would take the name of another one: `type` beside `xsi:type`.
fn shadowed(attributes: &[Attribute<'_>], index: usize, attribute: &Attribute<'_>) -> bool {
    let same = |other: &Attribute<'_>| other.local == attribute.local;
    attributes.iter().take(index).any(same)
        || attributes.iter().skip(index + 1).any(|other| other.ns == Ns::NONE && same(other))
}
