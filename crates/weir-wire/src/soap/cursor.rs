//! A bounded pull reader: children of the open element one after the other, with namespaces resolved.

use std::{borrow::Cow, ops::Range};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event, attributes::Attributes},
    name::QName,
};

use super::{
    Limits, Reason,
    namespace::{self, Binding, Namespace},
    scan,
};

/// What a reader fails with.
pub(crate) type Malformed = Reason;

/// An attribute of an element.
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Cow<'a, str>,
}

/// The reader. After [`Cursor::child`] returned a name, that element is open and must be read to its end by exactly one
/// of `child` (until it returns `None`), `text` or `skip`.
pub(crate) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// How far `text` is read.
    pub(super) position: usize,
    /// Names of the open elements, as written.
    open: Vec<&'a str>,
    pub(super) bindings: Vec<Binding>,
    /// The open element was written `<x/>`: its end comes without a token.
    pub(super) hollow: bool,
    nil: bool,
    /// Where the attributes of the element just opened are, from behind its name to the end of its tag.
    attributes: Range<usize>,
    elements: usize,
    pub(super) limits: &'a Limits,
    /// How many of the open elements do not belong to a parameter's path.
    path_from: usize,
    /// What children must be in to be known.
    pub(super) expected: Namespace,
    strict: bool,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of a document. A strict reader refuses what is unknown, missing or out of order.
    pub(crate) fn new(body: &'a [u8], limits: &'a Limits, strict: bool) -> Result<Self, Malformed> {
        if body.len() > limits.body {
            return Err(Reason::Limit { path: String::new(), what: "bytes in the body", limit: limits.body });
        }
        let text = std::str::from_utf8(body).map_err(|_| Reason::Encoding)?;
        let start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        let mut cursor = Self::at(text, start, limits);
        cursor.strict = strict;
        Ok(cursor)
    }

    /// Starts inside an element whose start tag was read before: `text` is its content and its end tag.
    pub(crate) fn inside(text: &'a str, name: &'a str, bindings: &[Binding], limits: &'a Limits) -> Self {
        let mut cursor = Self::at(text, 0, limits);
        cursor.open.push(name);
        cursor.bindings = bindings.iter().map(|binding| Binding { depth: 0, ..binding.clone() }).collect();
        cursor.expected = Namespace::Client;
        cursor
    }

    fn at(text: &'a str, position: usize, limits: &'a Limits) -> Self {
        Self {
            text,
            position,
            open: Vec::with_capacity(8),
            bindings: Vec::with_capacity(4),
            hollow: false,
            nil: false,
            attributes: 0..0,
            elements: 0,
            limits,
            path_from: 0,
            expected: Namespace::Other,
            strict: false,
        }
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Whether the element just opened says `xsi:nil="true"`.
    pub(crate) fn is_nil(&self) -> bool {
        self.nil
    }

    /// The attributes of the element just opened that are in no namespace, values normalised and unescaped.
    pub(crate) fn attribute_list(&self) -> Result<Vec<Attribute<'a>>, Malformed> {
        let mut list = Vec::new();
        for attribute in Attributes::new(self.slice(&self.attributes), 0) {
            let attribute = attribute.map_err(|_| self.broken())?;
            let QName(name) = attribute.key;
            if name == "xmlns" || name.contains(':') {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| self.broken())?;
            if value.len() > self.limits.text {
                return Err(self.too_many("bytes of text", self.limits.text));
            }
            if value.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
                return Err(self.wrong_child(name, "a control character"));
            }
            list.push(Attribute { name, value });
        }
        Ok(list)
    }

    /// From here on children must be in `namespace` to be known, and paths begin below the open element.
    pub(crate) fn expect(&mut self, namespace: Namespace) {
        self.expected = namespace;
        self.path_from = self.open.len();
    }

    /// The next child of the open element, or `None` at its end, which is thereby closed. The name of a child in a
    /// namespace other than the expected one is empty.
    pub(crate) fn child(&mut self) -> Result<Option<&'a str>, Malformed> {
        Ok(self.any_child()?.map(|(namespace, name)| {
            // A service's shared types are given in the reporting namespace by the text of MS-WUSP 2.2.3.
            if namespace == self.expected || namespace == Namespace::Reporting { name } else { "" }
        }))
    }

    /// As [`Cursor::child`], with the namespace.
    pub(crate) fn any_child(&mut self) -> Result<Option<(Namespace, &'a str)>, Malformed> {
        if self.hollow {
            self.close();
            return Ok(None);
        }
        loop {
            self.position += scan::blanks(self.rest());
            if self.plain_end() {
                self.close();
                return Ok(None);
            }
            if let Some((name, hollow)) = self.plain_start() {
                return self.enter(name, hollow).map(Some);
            }
            let before = self.position;
            match self.event()? {
                Event::Start(tag) => return self.start(before, &tag, false).map(Some),
                Event::Empty(tag) => return self.start(before, &tag, true).map(Some),
                Event::End(tag) => {
                    self.end(tag.name().0)?;
                    return Ok(None);
                }
                Event::Text(text) if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => {}
                Event::Comment(_) => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(self.wrong("text where elements belong"));
                }
                _ => return Err(self.broken()),
            }
        }
    }

    /// The text of the open element, which is thereby closed.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let mut all: Cow<'a, str> = Cow::Borrowed("");
        if self.hollow {
            self.close();
            return Ok(all);
        }
        if let Some(text) = self.plain_text() {
            self.close();
            return Ok(Cow::Borrowed(text));
        }
        if let Some(text) = self.escaped_text() {
            self.close();
            return Ok(Cow::Owned(text));
        }
        loop {
            match self.event()? {
                Event::End(tag) => {
                    // Checked while the element is open, so that the path names it.
                    if all.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
                        return Err(self.wrong("a control character"));
                    }
                    self.end(tag.name().0)?;
                    return Ok(all);
                }
                Event::Text(part) => append(&mut all, part.xml10_content()),
                Event::CData(part) => append(&mut all, part.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref() {
                        Ok(Some(c)) => c,
                        Ok(None) => match &*reference.into_inner() {
                            "amp" => '&',
                            "apos" => '\'',
                            "gt" => '>',
                            "lt" => '<',
                            "quot" => '"',
                            _ => return Err(self.broken()),
                        },
                        Err(_) => return Err(self.broken()),
                    };
                    all.to_mut().push(resolved);
                }
                Event::Comment(_) => {}
                Event::Start(_) | Event::Empty(_) => return Err(self.wrong("elements where text belongs")),
                _ => return Err(self.broken()),
            }
            if all.len() > self.limits.text {
                return Err(self.too_many("bytes of text", self.limits.text));
            }
        }
    }

    /// Skips the content of the open element, which is thereby closed.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let level = self.open.len();
        if self.hollow {
            self.close();
            return Ok(());
        }
        loop {
            self.position += memchr::memchr(b'<', self.rest()).unwrap_or(0);
            if self.plain_end() {
                self.close();
                if self.open.len() < level {
                    return Ok(());
                }
                continue;
            }
            if let Some((name, hollow)) = self.plain_start() {
                self.push(name)?;
                if hollow {
                    self.close();
                }
                continue;
            }
            let before = self.position;
            match self.event()? {
                Event::Start(tag) => {
                    let name = self.name(before, tag.name().0.len())?;
                    self.push(name)?;
                }
                Event::End(tag) => {
                    self.end(tag.name().0)?;
                    if self.open.len() < level {
                        return Ok(());
                    }
                }
                Event::DocType(_) | Event::PI(_) | Event::Decl(_) | Event::Eof => return Err(self.broken()),
                _ => {}
            }
        }
    }

    /// A part of the document.
    pub(crate) fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The namespace declarations in force, for reading a skipped element later.
    pub(crate) fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Whether the open element belongs to a parameter's path: neither the operation nor anything around it does.
    pub(crate) fn is_parameter(&self) -> bool {
        self.open.len() > self.path_from
    }

    /// Drops the open entry of a list from the path, before an error about the list.
    pub(crate) fn leave_item(&mut self) {
        self.open.pop();
    }

    /// The name of the open element, as written.
    pub(crate) fn open_name(&self) -> &'a str {
        self.open.last().copied().unwrap_or_default()
    }

    /// Refuses the value of the open element.
    pub(crate) fn wrong(&self, problem: &'static str) -> Malformed {
        Reason::Parameter { path: self.path(), problem }
    }

    /// Refuses the child `name` of the open element.
    pub(crate) fn wrong_child(&self, name: &str, problem: &'static str) -> Malformed {
        let mut path = self.path();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        Reason::Parameter { path, problem }
    }

    /// Refuses the open element because it holds too much.
    pub(crate) fn too_many(&self, what: &'static str, limit: usize) -> Malformed {
        Reason::Limit { path: self.path(), what, limit }
    }

    /// Refuses the document at the place reached.
    pub(crate) fn broken(&self) -> Malformed {
        Reason::Xml { position: self.position }
    }

    /// Reads to the end of the document, where only blanks and comments may be.
    pub(crate) fn finish(&mut self) -> Result<(), Malformed> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => {}
                Event::Comment(_) => {}
                _ => return Err(self.broken()),
            }
        }
    }

    /// The first element of the document.
    pub(crate) fn root(&mut self) -> Result<(Namespace, &'a str), Malformed> {
        let mut declared = false;
        loop {
            let before = self.position;
            match self.event()? {
                Event::Start(tag) => return self.start(before, &tag, false),
                Event::Empty(tag) => return self.start(before, &tag, true),
                Event::Decl(declaration) if !declared => {
                    declared = true;
                    if let Some(encoding) = declaration.encoding() {
                        let encoding = encoding.map_err(|_| self.broken())?;
                        if !encoding.eq_ignore_ascii_case("utf-8") && !encoding.eq_ignore_ascii_case("us-ascii") {
                            return Err(Reason::Encoding);
                        }
                    }
                }
                Event::Text(text) if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => {}
                Event::Comment(_) => {}
                _ => return Err(self.broken()),
            }
        }
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        // A place outside the text, which only a fault of a scanner could produce, reads as the end of the document.
        self.text.as_bytes().get(self.position..).unwrap_or_default()
    }

    /// The next token, whatever it is. Every call sets up the tokenizer anew: the plain tags and texts that nearly all
    /// of a message consists of never come here.
    fn event(&mut self) -> Result<Event<'a>, Malformed> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let mut reader = Reader::from_str(rest);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.check_comments = true;
        match reader.read_event() {
            Ok(Event::DocType(_)) => Err(Reason::DocumentType),
            Ok(Event::PI(_)) => Err(self.broken()),
            Ok(event) => {
                self.position += reader.buffer_position() as usize;
                Ok(event)
            }
            // A declaration that is cut off or malformed is refused for what it is.
            Err(_) if rest.starts_with("<!DOCTYPE") => Err(Reason::DocumentType),
            Err(_) => Err(self.broken()),
        }
    }

    fn name(&self, tag_at: usize, length: usize) -> Result<&'a str, Malformed> {
        self.text.get(tag_at + 1..tag_at + 1 + length).ok_or_else(|| self.broken())
    }

    fn push(&mut self, name: &'a str) -> Result<(), Malformed> {
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(self.too_many("elements", self.limits.elements));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.too_many("nested elements", self.limits.depth));
        }
        if name.is_empty() {
            return Err(self.broken());
        }
        self.open.push(name);
        Ok(())
    }

    fn start(&mut self, at: usize, tag: &BytesStart<'_>, hollow: bool) -> Result<(Namespace, &'a str), Malformed> {
        let name = self.name(at, tag.name().0.len())?;
        self.push(name)?;
        self.attributes(tag)?;
        // The tag ends with `>` or `/>`.
        self.attributes = at + 1 + name.len()..self.position - if hollow { 2 } else { 1 };
        self.entered(name, hollow)
    }

    /// Opens an element without attributes.
    fn enter(&mut self, name: &'a str, hollow: bool) -> Result<(Namespace, &'a str), Malformed> {
        self.push(name)?;
        self.nil = false;
        self.attributes = 0..0;
        self.entered(name, hollow)
    }

    fn entered(&mut self, name: &'a str, hollow: bool) -> Result<(Namespace, &'a str), Malformed> {
        self.hollow = hollow;
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let namespace = self.namespace(prefix).ok_or_else(|| self.broken())?;
        Ok((namespace, local))
    }

    /// Declarations first: they hold for the attributes before them too.
    fn attributes(&mut self, tag: &BytesStart<'_>) -> Result<(), Malformed> {
        let mut nil = None;
        for (index, attribute) in tag.attributes().enumerate() {
            if index >= self.limits.attributes {
                return Err(self.too_many("attributes", self.limits.attributes));
            }
            let attribute = attribute.map_err(|_| self.broken())?;
            let QName(key) = attribute.key;
            let prefix = if key == "xmlns" { Some("") } else { key.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                let uri = quick_xml::escape::unescape(&attribute.value).map_err(|_| self.broken())?;
                if self.bindings.len() >= self.limits.namespaces {
                    return Err(self.too_many("namespace declarations", self.limits.namespaces));
                }
                let namespace = Namespace::of(&uri);
                self.bindings.push(Binding { depth: self.open.len(), prefix: prefix.into(), namespace });
            } else if let Some((prefix, "nil")) = key.split_once(':') {
                let value = super::values::parse_bool(&attribute.value).unwrap_or(false);
                nil = Some((prefix.to_owned(), value));
            }
        }
        self.nil = nil.is_some_and(|(prefix, value)| value && self.namespace(&prefix) == Some(Namespace::Instance));
        Ok(())
    }

    pub(super) fn namespace(&self, prefix: &str) -> Option<Namespace> {
        namespace::resolve(&self.bindings, prefix)
    }

    fn end(&mut self, name: &str) -> Result<(), Malformed> {
        if self.open.last() != Some(&name) {
            return Err(self.broken());
        }
        self.close();
        Ok(())
    }

    pub(super) fn close(&mut self) {
        let depth = self.open.len();
        while self.bindings.last().is_some_and(|binding| binding.depth >= depth && depth > 0) {
            self.bindings.pop();
        }
        self.open.pop();
        self.hollow = false;
        self.nil = false;
    }

    /// Local names of the open elements below the operation, joined by dots.
    fn path(&self) -> String {
        let mut path = String::new();
        for name in self.open.iter().skip(self.path_from) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name.split_once(':').map_or(name, |(_, local)| local));
            // Paths go back to the peer: a hostile name must not make them long.
            if path.len() > 200 {
                let end = (0..=200).rev().find(|&at| path.is_char_boundary(at)).unwrap_or(0);
                path.truncate(end);
                break;
            }
        }
        path
    }
}

fn append<'a>(all: &mut Cow<'a, str>, part: Cow<'a, str>) {
    if all.is_empty() {
        *all = part;
    } else {
        all.to_mut().push_str(&part);
    }
}
