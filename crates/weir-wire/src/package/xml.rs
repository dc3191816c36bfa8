//! `package.xml`, read and written. Its layout was measured on genuine packages: no namespace, one line.

use std::{borrow::Cow, collections::BTreeSet, fmt::Write as _};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
};
use uuid::Uuid;
use weir_model::ids::{ContentDigest, UpdateId, UpdateIdentity};

use super::{Language, Limits, Package, PackageError, PackageFile, PackageUpdate, ProtocolVersion};

const BOM: &str = "\u{feff}";
/// Deeper than any package.xml.
const MAX_DEPTH: usize = 32;

/// Reads `package.xml`, with or without a byte order mark.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Package, PackageError> {
    let text = std::str::from_utf8(bytes).map_err(|error| PackageError::Xml {
        position: error.valid_up_to() as u64,
        reason: "it is not UTF-8".into(),
    })?;
    Parser::new(text.strip_prefix(BOM).unwrap_or(text), limits).package()
}

/// Where in the document the parser is: the names of the open elements, outermost first.
type Path<'a> = &'a [&'a str];

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    limits: &'a Limits,
    languages: Vec<Language>,
    files: Vec<PackageFile>,
    updates: Vec<PackageUpdate>,
    seen: BTreeSet<UpdateIdentity>,
    head: Option<(Uuid, Timestamp, ProtocolVersion)>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: &'a Limits) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        Self {
            reader,
            limits,
            languages: Vec::new(),
            files: Vec::new(),
            updates: Vec::new(),
            seen: BTreeSet::new(),
            head: None,
        }
    }

    fn package(mut self) -> Result<Package, PackageError> {
        let mut path: Vec<Cow<'a, str>> = Vec::new();
        let mut closed = false;
        loop {
            match self.reader.read_event().map_err(|error| self.damaged(error.to_string()))? {
                Event::Start(element) => {
                    self.open(&path, &element, closed)?;
                    path.push(element.name().into_inner().to_owned().into());
                    if path.len() > MAX_DEPTH {
                        return Err(self.damaged("elements are nested too deeply".into()));
                    }
                }
                Event::Empty(element) => {
                    self.open(&path, &element, closed)?;
                    closed |= path.is_empty();
                }
                // The reader itself refuses an end tag that does not match.
                Event::End(_) => {
                    path.pop();
                    closed |= path.is_empty();
                }
                Event::DocType(_) => return Err(self.damaged("a document type definition is not allowed".into())),
                Event::Eof if !path.is_empty() || !closed => return Err(self.damaged("it ends too early".into())),
                Event::Eof => break,
                _ => {}
            }
        }
        let (server_id, created, protocol) = self.head.ok_or_else(|| self.damaged("it has no ExportPackage".into()))?;
        let Self { languages, files, updates, .. } = self;
        Ok(Package { server_id, created, protocol, languages, files, updates })
    }

    /// Takes what an element says. Elements at other places are passed over.
    fn open(&mut self, path: &[Cow<'a, str>], element: &BytesStart<'_>, closed: bool) -> Result<(), PackageError> {
        if closed {
            return Err(self.damaged("it has a second root element".into()));
        }
        let names: Vec<&str> = path.iter().map(AsRef::as_ref).chain([element.name().into_inner()]).collect();
        match names[..] {
            ["ExportPackage"] => self.root(element),
            [other] => Err(self.damaged(format!("its root is {other:?}, not ExportPackage"))),
            ["ExportPackage", "Languages", "Language"] => self.language(element),
            ["ExportPackage", "Files", "File"] => self.file(element),
            ["ExportPackage", "Updates", "Update"] => self.update(element),
            ["ExportPackage", "Updates", "Update", ref rest @ ..] => self.update_part(rest, element),
            _ => Ok(()),
        }
    }

    fn root(&mut self, element: &BytesStart<'_>) -> Result<(), PackageError> {
        let version = |what, found: String, wanted| Err(PackageError::Version { what, found, wanted });
        let format = self.required(element, "FormatVersion")?;
        if format != "1.0" {
            return version("FormatVersion", format, "1.0");
        }
        let text = self.required(element, "ProtocolVersion")?;
        let parts = text.split_once('.').map(|(major, minor)| (major.parse(), minor.parse()));
        let protocol = match parts {
            Some((Ok(major @ 1), Ok(minor))) => ProtocolVersion { major, minor },
            _ => return version("ProtocolVersion", text, "1.x"),
        };
        let server = self.required(element, "ServerID")?;
        let server =
            Uuid::try_parse(&server).map_err(|_| self.damaged(format!("ServerID {server:?} is not a GUID")))?;
        let created = self.required(element, "CreationTime")?;
        let created =
            instant(&created).ok_or_else(|| self.damaged(format!("CreationTime {created:?} is not a time")))?;
        self.head = Some((server, created, protocol));
        Ok(())
    }

    fn language(&mut self, element: &BytesStart<'_>) -> Result<(), PackageError> {
        let record = self.languages.len() as u64 + 1;
        let wrong = |reason: String| PackageError::Row { row: "Language", record, reason };
        if record > 1000 {
            return Err(PackageError::Limit { what: "languages", limit: 1000 });
        }
        let id = self.required(element, "Id")?;
        let language = Language {
            id: id.parse().map_err(|_| wrong(format!("Id {id:?} is not a number")))?,
            short_name: self.required(element, "ShortName")?,
            long_name: self.attribute(element, "LongName")?.unwrap_or_default(),
            enabled: match self.required(element, "Enabled")?.as_str() {
                "1" | "true" | "True" => true,
                "0" | "false" | "False" => false,
                other => return Err(wrong(format!("Enabled {other:?} is neither 0 nor 1"))),
            },
        };
        self.languages.push(language);
        Ok(())
    }

    fn file(&mut self, element: &BytesStart<'_>) -> Result<(), PackageError> {
        let record = self.files.len() as u64 + 1;
        let file = PackageFile {
            digest: self.digest(element).map_err(|reason| PackageError::Row { row: "File", record, reason })?,
            mu_url: self.attribute(element, "MUUrl")?.unwrap_or_default(),
            name: self.attribute(element, "Name")?.unwrap_or_default(),
        };
        self.files.push(file);
        Ok(())
    }

    fn update(&mut self, element: &BytesStart<'_>) -> Result<(), PackageError> {
        let record = self.updates.len() as u64 + 1;
        if record > self.limits.updates as u64 {
            return Err(PackageError::Limit { what: "revisions", limit: self.limits.updates as u64 });
        }
        let wrong = |reason| PackageError::Row { row: "Update", record, reason };
        let id = self.required(element, "UpdateId")?;
        let id: UpdateId = id.parse().map_err(|_| wrong(format!("UpdateId {id:?} is not a GUID")))?;
        // Decimal here, hexadecimal in metadata.txt.
        let revision = self.required(element, "RevisionNumber")?;
        let revision = revision
            .parse()
            .ok()
            .filter(|_| revision.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| wrong(format!("RevisionNumber {revision:?} of {id} is not a number")))?;
        let identity = UpdateIdentity::new(id, revision);
        if !self.seen.insert(identity) {
            return Err(PackageError::Duplicate { record, identity, member: "package.xml" });
        }
        self.updates.push(PackageUpdate { identity, files: vec![], categories: vec![], classifications: vec![] });
        Ok(())
    }

    fn update_part(&mut self, path: Path<'_>, element: &BytesStart<'_>) -> Result<(), PackageError> {
        let record = self.updates.len() as u64;
        match path {
            ["Files", "File"] => {
                let digest = self.digest(element);
                let Some(update) = self.updates.last_mut() else { return Ok(()) };
                let identity = update.identity;
                let wrong =
                    |reason| PackageError::Row { row: "Update", record, reason: format!("{identity}: {reason}") };
                update.files.push(digest.map_err(wrong)?);
            }
            // A cross-check only. One public exporter writes an object's name instead of the GUID, which says nothing.
            ["Categories", "Category"] | ["Classifications", "Classification"] => {
                let value: Option<UpdateId> = self.attribute(element, "Value")?.and_then(|value| value.parse().ok());
                let Some(update) = self.updates.last_mut() else { return Ok(()) };
                let list = if path.starts_with(&["Categories"]) {
                    &mut update.categories
                } else {
                    &mut update.classifications
                };
                list.extend(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn digest(&self, element: &BytesStart<'_>) -> Result<ContentDigest, String> {
        let digest = self.required(element, "Digest").map_err(|_| "it has no Digest".to_owned())?;
        ContentDigest::from_base64(&digest).map_err(|error| error.to_string())
    }

    fn required(&self, element: &BytesStart<'_>, name: &str) -> Result<String, PackageError> {
        let value = self.attribute(element, name)?;
        value.ok_or_else(|| self.damaged(format!("{} has no {name}", element.name().into_inner())))
    }

    fn attribute(&self, element: &BytesStart<'_>, name: &str) -> Result<Option<String>, PackageError> {
        let damaged = |error: String| self.damaged(format!("in {}: {error}", element.name().into_inner()));
        let attribute = element.try_get_attribute(name).map_err(|error| damaged(error.to_string()))?;
        let Some(attribute) = attribute else { return Ok(None) };
        let value = attribute
            .normalized_value_with(XmlVersion::Explicit1_0, 1, resolve_xml_entity)
            .map_err(|error| damaged(error.to_string()))?;
        Ok(Some(value.into_owned()))
    }

    fn damaged(&self, reason: String) -> PackageError {
        PackageError::Xml { position: self.reader.buffer_position(), reason }
    }
}

/// A time with offset, or without, which is then UTC.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Writes `package.xml` as a genuine server does.
pub(super) fn write(package: &Package) -> String {
    let mut out = String::with_capacity(4096 + package.files.len() * 200 + package.updates.len() * 140);
    out.push_str(BOM);
    out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    let created = package.created.strftime("%Y-%m-%dT%H:%M:%SZ");
    let ProtocolVersion { major, minor } = package.protocol;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<ExportPackage ServerID=\"{}\" CreationTime=\"{created}\" FormatVersion=\"1.0\" ProtocolVersion=\"{major}.{minor}\">",
        package.server_id
    );
    list(&mut out, "Languages", &package.languages, |out, language| {
        let _ = write!(out, "<Language Id=\"{}\" ShortName=\"", language.id);
        escape(out, &language.short_name);
        out.push_str("\" LongName=\"");
        escape(out, &language.long_name);
        let _ = write!(out, "\" Enabled=\"{}\" />", u8::from(language.enabled));
    });
    list(&mut out, "Files", &package.files, |out, file| {
        let _ = write!(out, "<File Digest=\"{}\" MUUrl=\"", file.digest.to_base64());
        escape(out, &file.mu_url);
        out.push_str("\" Name=\"");
        escape(out, &file.name);
        out.push_str("\" />");
    });
    list(&mut out, "Updates", &package.updates, |out, update| {
        let UpdateIdentity { update_id, revision } = update.identity;
        let _ = write!(out, "<Update UpdateId=\"{update_id}\" RevisionNumber=\"{revision}\">");
        list(out, "Files", &update.files, |out, digest| {
            let _ = write!(out, "<File Digest=\"{}\" />", digest.to_base64());
        });
        list(out, "Categories", &update.categories, |out, id| {
            let _ = write!(out, "<Category Value=\"{id}\" />");
        });
        list(out, "Classifications", &update.classifications, |out, id| {
            let _ = write!(out, "<Classification Value=\"{id}\" />");
        });
        out.push_str("</Update>");
    });
    out.push_str("</ExportPackage>");
    out
}

/// An element with a child per item; a single empty element without any.
fn list<T>(out: &mut String, name: &str, items: &[T], mut item: impl FnMut(&mut String, &T)) {
    if items.is_empty() {
        let _ = write!(out, "<{name} />");
        return;
    }
    let _ = write!(out, "<{name}>");
    for one in items {
        item(out, one);
    }
    let _ = write!(out, "</{name}>");
}

/// An attribute value between double quotes, as the .NET writer escapes it.
fn escape(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}
