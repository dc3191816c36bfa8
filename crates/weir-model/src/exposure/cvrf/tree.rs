//! A small part of an XML document as a tree.

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::ResolveResult,
};

use crate::exposure::{DocumentError, Fault, Limits, text::cut};

/// An element: names without prefixes, texts joined.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    /// The attribute of that name; empty if there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Children of that name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first descendant along a path.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        let mut here = self;
        for name in path {
            here = here.children.iter().find(|child| child.name == *name)?;
        }
        Some(here)
    }

    /// The text at a path; empty if there is none.
    pub(super) fn text(&self, path: &[&str]) -> &str {
        self.at(path).map(|found| found.text.trim()).unwrap_or_default()
    }

    /// Texts of children of that name.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.all(name).map(|child| child.text.trim().to_owned()).collect()
    }
}

/// Elements whose content nobody asks for: prose, which makes up most of a document.
const PROSE: [&str; 6] =
    ["Acknowledgments", "AffectedFiles", "DocumentNotes", "DocumentReferences", "Notes", "References"];
/// Attributes of one element.
const ATTRIBUTES: usize = 64;
/// Bytes of one text.
const TEXT: usize = 64 << 10;

/// Reads a document piece by piece: its root, then each child of it as a tree.
pub(super) struct Tree<'t, 'l> {
    reader: NsReader<&'t [u8]>,
    text: &'t str,
    limits: &'l Limits,
    elements: usize,
    /// The root was empty: there is nothing in it.
    empty: bool,
    root: String,
}

impl<'t, 'l> Tree<'t, 'l> {
    pub(super) fn new(text: &'t str, limits: &'l Limits) -> Self {
        let mut reader = NsReader::from_reader(text.as_bytes());
        reader.config_mut().check_end_names = true;
        Self { reader, text, limits, elements: 0, empty: false, root: String::new() }
    }

    fn line(&self) -> String {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX).min(self.text.len());
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        format!("line {}", before.split(|byte| *byte == b'\n').count())
    }

    fn syntax(&self, what: impl std::fmt::Display) -> DocumentError {
        DocumentError::new(Fault::Syntax(cut(&what.to_string(), 300)), self.line())
    }

    fn event(&mut self) -> Result<Event<'t>, DocumentError> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(DocumentError::new(Fault::Dtd, self.line())),
            Ok(event) => Ok(event),
            Err(error) => Err(self.syntax(error)),
        }
    }

    /// Reads up to the root element. Its namespace and local name.
    pub(super) fn root(&mut self) -> Result<(String, String), DocumentError> {
        loop {
            match self.event()? {
                event @ (Event::Start(_) | Event::Empty(_)) => {
                    self.empty = matches!(event, Event::Empty(_));
                    let (Event::Start(start) | Event::Empty(start)) = event else { continue };
                    let (namespace, local) = self.reader.resolver().resolve_element(start.name());
                    let namespace = match namespace {
                        ResolveResult::Bound(namespace) => cut(namespace.0, 200),
                        ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
                    };
                    self.root = cut(local.into_inner(), 200);
                    self.elements = 1;
                    return Ok((namespace, self.root.clone()));
                }
                Event::Eof => return Err(self.syntax("there is no root element")),
                Event::Text(text) if !text.trim().is_empty() => return Err(self.syntax("text before the root element")),
                _ => {}
            }
        }
    }

    /// The next child of the root; none at its end.
    pub(super) fn child(&mut self) -> Result<Option<Element>, DocumentError> {
        if self.empty {
            return Ok(None);
        }
        loop {
            match self.event()? {
                Event::Start(start) => {
                    let element = self.element(&start)?;
                    return self.inside(element).map(Some);
                }
                Event::Empty(start) => return self.element(&start).map(Some),
                Event::End(_) => {
                    self.empty = true;
                    return self.rest().map(|()| None);
                }
                Event::Eof => return Err(self.syntax(format!("the text ends inside of {}", self.root))),
                _ => {}
            }
        }
    }

    /// After the root there are blanks and comments only.
    fn rest(&mut self) -> Result<(), DocumentError> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.trim().is_empty() => {}
                _ => return Err(self.syntax("something follows the root element")),
            }
        }
    }

    fn element(&mut self, start: &BytesStart<'t>) -> Result<Element, DocumentError> {
        self.elements += 1;
        if self.elements > self.limits.values {
            return Err(DocumentError::limit("elements", self.limits.values, self.line()));
        }
        let mut element = Element { name: cut(start.local_name().into_inner(), 200), ..Element::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.syntax(error))?;
            if element.attributes.len() >= ATTRIBUTES {
                return Err(DocumentError::limit("attributes", ATTRIBUTES, self.line()));
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.syntax(error))?;
            element.attributes.push((cut(attribute.key.local_name().into_inner(), 200), cut(&value, 1_000)));
        }
        Ok(element)
    }

    /// Reads the content of an element that has begun, with a stack of its own.
    fn inside(&mut self, first: Element) -> Result<Element, DocumentError> {
        let mut open = vec![first];
        loop {
            let event = self.event()?;
            // prose is passed over, but checked and counted
            let prose = open.iter().any(|element| PROSE.contains(&element.name.as_str()));
            match event {
                Event::Start(start) => {
                    // the root is one level
                    if open.len() + 1 >= self.limits.depth {
                        let what = "elements inside each other";
                        return Err(DocumentError::limit(what, self.limits.depth, self.line()));
                    }
                    let element = self.element(&start)?;
                    open.push(element);
                }
                Event::Empty(start) => {
                    let element = self.element(&start)?;
                    if let Some(parent) = open.last_mut().filter(|_| !prose) {
                        parent.children.push(element);
                    }
                }
                Event::End(_) => {
                    let Some(done) = open.pop() else { return Err(self.syntax("an end without a beginning")) };
                    let Some(parent) = open.last_mut() else { return Ok(done) };
                    if !prose || PROSE.contains(&done.name.as_str()) {
                        parent.children.push(done);
                    }
                }
                Event::Text(text) => self.add(&mut open, prose, &text.xml10_content())?,
                Event::CData(text) => self.add(&mut open, prose, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(|error| self.syntax(error))?;
                    let name = reference.xml10_content();
                    match (character, quick_xml::escape::resolve_predefined_entity(&name)) {
                        (Some(character), _) => self.add(&mut open, prose, character.encode_utf8(&mut [0; 4]))?,
                        (None, Some(text)) => self.add(&mut open, prose, text)?,
                        (None, None) => return Err(self.syntax(format!("reference &{};", cut(&name, 80)))),
                    }
                }
                Event::Eof => {
                    let name = open.last().map(|element| element.name.clone()).unwrap_or_default();
                    return Err(self.syntax(format!("the text ends inside of {name}")));
                }
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {}
            }
        }
    }

    fn add(&self, open: &mut [Element], prose: bool, text: &str) -> Result<(), DocumentError> {
        let Some(element) = open.last_mut().filter(|_| !prose) else { return Ok(()) };
        if element.text.len() + text.len() > TEXT {
            return Err(DocumentError::limit("bytes in a text", TEXT, self.line()));
        }
        // blanks between elements are no text
        if !element.text.is_empty() || !text.trim().is_empty() {
            element.text.push_str(text);
        }
        Ok(())
    }
}
