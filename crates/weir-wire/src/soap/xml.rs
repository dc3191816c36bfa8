//! Writing XML in the forms of the recorded server.

use super::Content;
use crate::wusp::Service;

/// The two dialects of the recorded server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// SimpleAuth, Reporting and all services between servers: XML declaration, prefix `soap`, `<X />`.
    Asmx,
    /// The client service: no XML declaration, prefix `s`, `<X/>`.
    Client,
}

impl Style {
    /// The dialect of a service.
    pub fn of(service: Service) -> Self {
        match service {
            Service::Client => Self::Client,
            Service::Reporting | Service::SimpleAuth => Self::Asmx,
        }
    }

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Asmx => "soap",
            Self::Client => "s",
        }
    }
}

impl From<Service> for Style {
    fn from(service: Service) -> Self {
        Self::of(service)
    }
}

/// Appends text with `&`, `<` and `>` escaped; quotation marks and apostrophes stay (OBS).
///
/// Characters that XML 1.0 cannot hold become U+FFFD, so that no stored text can spoil an answer.
pub fn escape_into(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(needs_care) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            // A raw carriage return would be read back as a line feed.
            Some('\r') => out.push_str("&#xD;"),
            _ => out.push('\u{FFFD}'),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Appends an attribute with a blank in front. Blanks other than spaces become references, since readers would make
/// spaces of them.
pub(crate) fn write_attribute(out: &mut String, name: &str, value: &str) {
    out.extend([" ", name, "=\""]);
    let mut rest = value;
    while let Some(at) = rest.find(['"', '\t', '\n']) {
        let (plain, tail) = rest.split_at(at);
        escape_into(out, plain);
        let mut chars = tail.chars();
        out.push_str(match chars.next() {
            Some('\t') => "&#x9;",
            Some('\n') => "&#xA;",
            _ => "&quot;",
        });
        rest = chars.as_str();
    }
    escape_into(out, rest);
    out.push('"');
}

fn needs_care(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Appends elements to a text.
pub(crate) struct Xml<'o> {
    pub(crate) out: &'o mut String,
    style: Style,
}

impl<'o> Xml<'o> {
    pub(crate) fn new(out: &'o mut String, style: Style) -> Self {
        Self { out, style }
    }

    /// `<name>` content `</name>`, or the empty form if nothing was written.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element_with(name, "", content);
    }

    /// As [`Xml::element`], with attributes that begin with a blank.
    pub(crate) fn element_with(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(attributes);
        let tag = self.out.len();
        self.out.push('>');
        let start = self.out.len();
        content(self);
        if self.out.len() == start {
            self.out.truncate(tag);
            self.out.push_str(self.empty_end());
        } else {
            self.close(name);
        }
    }

    /// `<name attributes>` content `</name>`.
    pub(crate) fn content<T: Content>(&mut self, name: &str, content: &T) {
        let mut attributes = String::new();
        content.attributes(&mut attributes);
        self.element_with(name, &attributes, |xml| content.put(xml));
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    pub(crate) fn empty(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(self.empty_end());
    }

    /// Markup or text that needs no escaping.
    pub(crate) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(crate) fn text(&mut self, text: &str) {
        escape_into(self.out, text);
    }

    fn empty_end(&self) -> &'static str {
        match self.style {
            Style::Asmx => " />",
            Style::Client => "/>",
        }
    }
}
