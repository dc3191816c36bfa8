//! What GetExtendedUpdateInfo tells of a revision: its title and its files.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use serde::{Deserialize, Serialize};
use weir_model::ids::{ContentDigest, Sha256Digest};

/// How deep fragments are read.
const DEPTH: usize = 64;
/// How many files one update may have.
const FILES: usize = 100_000;

/// A file of an update (`Files/File`).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NeededFile {
    /// `@Digest`, SHA-1.
    pub digest: ContentDigest,
    /// `AdditionalDigest` of SHA-256, if stated.
    pub sha256: Option<Sha256Digest>,
    /// `@FileName`.
    pub name: String,
    /// `@Size` in bytes.
    pub size: u64,
}

/// Title and files of a revision.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// `Title` in the language asked for, else in English; empty if nobody told.
    pub title: String,
    /// `KBArticleID`.
    pub kb: Option<String>,
    /// `InstallationBehavior/@RebootBehavior`, as written.
    pub reboot: Option<String>,
    /// `InstallationBehavior/@Impact`, as written.
    pub impact: Option<String>,
    /// Its files.
    pub files: Vec<NeededFile>,
}

/// Why a fragment cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a fragment cannot be read: {0}")]
pub struct FragmentError(String);

impl Details {
    /// Adds what an Extended or LocalizedProperties fragment says. Of several languages that of `locale` wins, then that
    /// without its region, then English.
    ///
    /// # Errors
    ///
    /// The fragment is not well-formed, or a file lacks its digest, name or size.
    pub fn add(&mut self, fragment: &str, locale: &str) -> Result<(), FragmentError> {
        let mut language = String::new();
        let mut title = String::new();
        let mut files: Vec<NeededFile> = Vec::new();
        walk(fragment, |path, element, text| {
            match path {
                ["Files", "File"] => files.push(file(element)?),
                ["Files", "File", "AdditionalDigest"] => {
                    if attribute(element, "Algorithm").is_some_and(|name| name.eq_ignore_ascii_case("SHA256"))
                        && let Some(file) = files.last_mut()
                    {
                        file.sha256 = Some(Sha256Digest::from_base64(text).map_err(wrong)?);
                    }
                }
                ["ExtendedProperties", "KBArticleID"] => self.kb = Some(text.trim().to_owned()),
                ["ExtendedProperties", "InstallationBehavior"] => {
                    self.reboot = attribute(element, "RebootBehavior");
                    self.impact = attribute(element, "Impact");
                }
                ["LocalizedProperties", "Language"] => text.trim().clone_into(&mut language),
                ["LocalizedProperties", "Title"] => text.trim().clone_into(&mut title),
                _ => {}
            }
            if files.len() > FILES { Err(FragmentError("too many files".to_owned())) } else { Ok(()) }
        })?;
        if !files.is_empty() {
            self.files = files;
        }
        let exact = language.eq_ignore_ascii_case(locale) || locale.split('-').next() == Some(&*language);
        if !title.is_empty() && (self.title.is_empty() || exact) {
            self.title = title;
        }
        Ok(())
    }

    /// Whether it is an update of the servicing stack, which is installed before others (features CLI-2). Publishers say so
    /// in the title only.
    pub fn is_servicing_stack(&self) -> bool {
        self.title.to_ascii_lowercase().contains("servicing stack")
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

fn wrong(error: impl std::fmt::Display) -> FragmentError {
    FragmentError(error.to_string())
}

fn file(element: &BytesStart<'_>) -> Result<NeededFile, FragmentError> {
    let needed = |name: &str| attribute(element, name).ok_or_else(|| FragmentError(format!("a File without {name}")));
    Ok(NeededFile {
        digest: ContentDigest::from_base64(&needed("Digest")?).map_err(wrong)?,
        sha256: None,
        name: needed("FileName")?,
        size: needed("Size")?.trim().parse().map_err(|_| FragmentError("a File whose Size is no number".to_owned()))?,
    })
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    Some(attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok()?.into_owned())
}

/// Calls `visit` with the path, the start tag and the text directly after it, for each element.
fn walk(
    fragment: &str,
    mut visit: impl FnMut(&[&str], &BytesStart<'_>, &str) -> Result<(), FragmentError>,
) -> Result<(), FragmentError> {
    let mut reader = Reader::from_str(fragment);
    let mut path: Vec<String> = Vec::new();
    let mut open: Option<(BytesStart<'_>, String)> = None;
    loop {
        let event = reader.read_event().map_err(wrong)?;
        match (&mut open, &event) {
            (Some((_, text)), Event::Text(more)) => {
                text.push_str(&more.xml10_content());
                continue;
            }
            (Some((_, text)), Event::GeneralRef(reference)) => {
                text.push_str(&resolve(reference)?);
                continue;
            }
            _ => {}
        }
        if let Some((element, text)) = open.take() {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            visit(&names, &element, &text)?;
        }
        match event {
            Event::Start(element) if path.len() < DEPTH => {
                path.push(element.name().into_inner().to_owned());
                open = Some((element, String::new()));
            }
            Event::Start(_) => return Err(FragmentError("too deep".to_owned())),
            Event::Empty(element) => {
                path.push(element.name().into_inner().to_owned());
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                visit(&names, &element, "")?;
                path.pop();
            }
            Event::End(_) => drop(path.pop()),
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err(FragmentError(format!("it ends inside {}", path.join("/")))),
            Event::DocType(_) => return Err(FragmentError("a document type declaration".to_owned())),
            _ => {}
        }
    }
}

/// What a reference stands for.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, FragmentError> {
    if let Some(character) = reference.resolve_char_ref().map_err(wrong)? {
        return Ok(character.to_string());
    }
    let name = reference.xml10_content();
    let known = quick_xml::escape::resolve_predefined_entity(&name);
    known.map(str::to_owned).ok_or_else(|| FragmentError(format!("an unknown reference &{name};")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_files_are_read() {
        let mut details = Details::default();
        details
            .add(
                "<ExtendedProperties DefaultPropertiesLanguage=\"en\"><InstallationBehavior Impact=\"Minor\" \
                 RebootBehavior=\"CanRequestReboot\" /><KBArticleID>5001</KBArticleID></ExtendedProperties><Files><File \
                 Digest=\"hlQslyYcRtWzeaQ+yJX5fq9Am6I=\" FileName=\"a &amp; b.cab\" Size=\"12\"><AdditionalDigest \
                 Algorithm=\"SHA256\">Amt0qymy5KsROiwIXm4QIIV75Ju4r+Cl28Pg8gaLXUA=</AdditionalDigest></File></Files>",
                "de-DE",
            )
            .expect("readable");
        let texts = |language: &str, title: &str| {
            format!("<LocalizedProperties><Language>{language}</Language><Title>{title}</Title></LocalizedProperties>")
        };
        details.add(&texts("en", "Servicing Stack &amp; more"), "de-DE").expect("readable");
        assert_eq!(details.title, "Servicing Stack & more");
        assert!(details.is_servicing_stack());
        details.add(&texts("de", "Wartung"), "de-DE").expect("readable");
        details.add(&texts("fr", "Entretien"), "de-DE").expect("readable");
        assert_eq!(details.title, "Wartung");
        assert_eq!((details.kb.as_deref(), details.reboot.as_deref()), (Some("5001"), Some("CanRequestReboot")));
        assert_eq!(details.files.len(), 1);
        assert_eq!((details.files[0].name.as_str(), details.files[0].size), ("a & b.cab", 12));
        assert!(details.files[0].sha256.is_some());
    }

    #[test]
    fn broken_fragments_are_refused() {
        for wrong in [
            "<Files><File Digest=\"x\" FileName=\"a\" Size=\"1\" /></Files>",
            "<Files><File Digest=\"hlQslyYcRtWzeaQ+yJX5fq9Am6I=\" FileName=\"a\" Size=\"-1\" /></Files>",
            "<Files><File FileName=\"a\" Size=\"1\" /></Files>",
            "<LocalizedProperties><Title>a",
            "<LocalizedProperties><Title>&nothing;</Title></LocalizedProperties>",
            "<!DOCTYPE a><a/>",
        ] {
            assert!(Details::default().add(wrong, "en").is_err(), "{wrong}");
        }
        assert!(Details::default().add(&"<a>".repeat(1000), "en").is_err());
    }
}
