//! The XML of a document as a stream of elements with resolved namespaces.
//!
//! quick-xml cuts the text into markup and checks that tags match; what it leaves open is done here: names, attributes,
//! references, namespaces, limits, and everything else that makes a text well-formed. Line breaks and tabs in attribute
//! values are kept as they are (XML 1.0 3.3.3 would make blanks of them), because what is sent to computers must say the
//! same as the document.

mod attributes;
pub(super) mod names;
mod text;

use std::borrow::Cow;

use quick_xml::{Reader, events::Event};

use self::names::Namespaces;
pub(super) use self::{attributes::Attribute, names::Ns};
use super::{DocumentError, Fault};

/// What a document may have at most.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of text. The largest genuine documents have about 50 MB.
    pub bytes: usize,
    /// Elements inside each other.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Namespace declarations in force at one place, and distinct namespaces in all. Genuine documents have about 15; each
    /// declaration is compared with all of them, so this bounds the time as well.
    pub namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 256, elements: 8_000_000, attributes: 256, namespaces: 128 }
    }
}

/// A start tag, as a sink sees it.
pub(super) struct Start<'a, 't> {
    /// Open elements, this one included.
    pub(super) depth: usize,
    /// Namespace.
    pub(super) ns: Ns,
    /// Local name.
    pub(super) local: &'t str,
    /// Attributes without namespace declarations, in document order.
    pub(super) attributes: &'a [Attribute<'t>],
    /// Names of the namespaces.
    pub(super) namespaces: &'a Namespaces<'t>,
}

/// Sees everything that is read, before the reader does.
pub(super) trait Sink<'t> {
    /// An element begins.
    fn start(&mut self, start: &Start<'_, 't>) -> Result<(), Fault>;
    /// Text of the innermost element; several pieces in a row are one text.
    fn text(&mut self, text: &str);
    /// The innermost element, of this name, ends; `depth` counts it.
    fn end(&mut self, depth: usize, ns: Ns, local: &'t str) -> Result<(), Fault>;
}

impl<'t> Sink<'t> for () {
    fn start(&mut self, _: &Start<'_, 't>) -> Result<(), Fault> {
        Ok(())
    }
    fn text(&mut self, _: &str) {}
    fn end(&mut self, _: usize, _: Ns, _: &'t str) -> Result<(), Fault> {
        Ok(())
    }
}

/// What was read.
pub(super) enum Node<'t> {
    /// An element begins; its name and attributes are those of the [`Source`] until the next call.
    Start,
    /// Text of the innermost element, references resolved. Text of blanks alone is left out (unless
    /// `xml:space="preserve"`), and so are comments and processing instructions.
    Text(Cow<'t, str>),
    /// The innermost element has ended.
    End,
    /// The text has ended, after its root element.
    Eof,
}

/// An element that has begun and not ended.
struct Open<'t> {
    qualified: &'t str,
    local: &'t str,
    ns: Ns,
    /// Declarations in force outside of it.
    bindings: usize,
    /// Text of blanks alone counts.
    preserve: bool,
    start: usize,
}

/// What a text is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// A document: one root element, names are resolved by their declarations.
    Document,
    /// A fragment: several elements side by side, names as MS-WUSP 3.1.1.1 leaves them.
    Fragment,
}

/// Reads a document piece by piece.
pub(super) struct Source<'t, S> {
    text: &'t str,
    form: Form,
    reader: Reader<&'t [u8]>,
    /// Length of a byte order mark, which offsets of the reader do not count.
    skipped: usize,
    limits: Limits,
    sink: S,
    namespaces: Namespaces<'t>,
    open: Vec<Open<'t>>,
    attributes: Vec<Attribute<'t>>,
    elements: usize,
    /// Where the markup begins that was read last.
    at: usize,
    /// An empty-element tag was read, its end was not yet told.
    end_pending: bool,
    root_seen: bool,
}

impl<'t, S: Sink<'t>> Source<'t, S> {
    /// Begins to read a document. Characters that XML forbids are looked for in the whole text at once.
    pub(super) fn new(text: &'t str, limits: &Limits, sink: S) -> Result<Self, DocumentError> {
        Self::begin(text, limits, sink, Form::Document)
    }

    /// Begins to read a fragment. Its elements are the children of the place where the reader stands.
    pub(super) fn fragment(text: &'t str, limits: &Limits, sink: S) -> Result<Self, DocumentError> {
        Self::begin(text, limits, sink, Form::Fragment)
    }

    fn begin(text: &'t str, limits: &Limits, sink: S, form: Form) -> Result<Self, DocumentError> {
        let error = |fault, offset| DocumentError { fault, path: "/".to_owned(), offset };
        if text.len() > limits.bytes {
            return Err(error(Fault::Limit { what: "bytes", limit: limits.bytes }, limits.bytes));
        }
        if let Some((offset, character)) = text::forbidden(text) {
            return Err(error(Fault::Character(character), offset));
        }
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::from_reader(body.as_bytes());
        reader.config_mut().check_comments = true;
        reader.config_mut().check_end_names = true;
        Ok(Self {
            text,
            form,
            reader,
            skipped: text.len() - body.len(),
            limits: limits.clone(),
            sink,
            namespaces: Namespaces::new(limits.namespaces),
            open: Vec::new(),
            attributes: Vec::new(),
            elements: 0,
            at: 0,
            end_pending: false,
            root_seen: false,
        })
    }

    /// The sink, when reading is over.
    pub(super) fn into_sink(self) -> S {
        self.sink
    }

    /// Reads up to the root element, which must be `Update`.
    pub(super) fn root(&mut self) -> Result<(), DocumentError> {
        if !matches!(self.next()?, Node::Start) {
            return Err(self.error(Fault::MissingElement("Update")));
        }
        if self.is(Ns::UPDATE, "Update") {
            return Ok(());
        }
        let fault = Fault::Root { namespace: cut(self.namespaces.name(self.ns())), name: cut(self.local()) };
        Err(self.error(fault))
    }

    /// Reads on.
    pub(super) fn next(&mut self) -> Result<Node<'t>, DocumentError> {
        if self.end_pending {
            self.end_pending = false;
            return self.close_element();
        }
        let mut run: Option<Cow<'t, str>> = None;
        loop {
            let from = self.position();
            self.at = from;
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.syntax_at(error.to_string())),
            };
            let to = self.position();
            match event {
                Event::Start(tag) => {
                    let length = tag.name().as_ref().len();
                    self.start(from, to, length, false)?;
                    return Ok(Node::Start);
                }
                Event::Empty(tag) => {
                    let length = tag.name().as_ref().len();
                    self.start(from, to, length, true)?;
                    self.end_pending = true;
                    return Ok(Node::Start);
                }
                Event::End(_) => return self.close_element(),
                Event::Text(_) => {
                    let raw = self.slice(from, to);
                    text::check(raw).map_err(|fault| self.error(fault))?;
                    run = Some(match run {
                        None => Cow::Borrowed(raw),
                        Some(before) => Cow::Owned(before.into_owned() + raw),
                    });
                }
                Event::GeneralRef(_) => {
                    let raw = self.slice(from, to);
                    let name = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
                    let character = text::reference(name).map_err(|fault| self.error(fault))?;
                    let mut joined = run.map_or_else(String::new, Cow::into_owned);
                    joined.push(character);
                    run = Some(Cow::Owned(joined));
                }
                Event::CData(_) => {
                    let raw = self.slice(from, to);
                    let inner = raw.get(9..raw.len().saturating_sub(3)).unwrap_or_default();
                    if self.open.is_empty() {
                        return Err(self.syntax("text outside the root element"));
                    }
                    if !inner.is_empty() {
                        self.sink.text(inner);
                        return Ok(Node::Text(Cow::Borrowed(inner)));
                    }
                }
                Event::Comment(_) => {}
                Event::PI(instruction) => {
                    let target = instruction.target();
                    if target.eq_ignore_ascii_case("xml") || !names::is_name(target) {
                        return Err(self.syntax("processing instruction without a name, or named xml"));
                    }
                }
                Event::Decl(declaration) => {
                    if from != self.skipped {
                        return Err(self.syntax("XML declaration inside the text"));
                    }
                    match declaration.version() {
                        Ok(version) if version == "1.0" => {}
                        Ok(version) => {
                            return Err(self.syntax_at(format!("XML version {:?} instead of 1.0", cut(&version))));
                        }
                        Err(error) => return Err(self.syntax_at(error.to_string())),
                    }
                }
                Event::DocType(_) => return Err(self.error(Fault::Dtd)),
                Event::Eof => {
                    if let Some(open) = self.open.last() {
                        let message = format!("the text ends inside element {}", cut(open.qualified));
                        return Err(self.syntax_at(message));
                    }
                    if !self.root_seen && self.form == Form::Document {
                        return Err(self.error(Fault::MissingElement("Update")));
                    }
                    return Ok(Node::Eof);
                }
            }
            // A text goes up to the next markup; references do not interrupt it.
            if matches!(self.text.as_bytes().get(to), None | Some(b'<'))
                && let Some(text) = run.take()
                && self.counts(&text)?
            {
                self.sink.text(&text);
                return Ok(Node::Text(text));
            }
        }
    }

    /// Whether a text is to be told: not if it is of blanks alone.
    fn counts(&self, text: &str) -> Result<bool, DocumentError> {
        let blank = text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        match self.open.last() {
            Some(open) => Ok(!blank || open.preserve),
            None if blank => Ok(false),
            None => Err(self.syntax("text outside the root element")),
        }
    }

    fn start(&mut self, from: usize, to: usize, name_length: usize, empty: bool) -> Result<(), DocumentError> {
        if self.open.is_empty() && self.root_seen && self.form == Form::Document {
            return Err(self.syntax("a second root element"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.error(Fault::Limit { what: "elements inside each other", limit: self.limits.depth }));
        }
        if self.elements >= self.limits.elements {
            return Err(self.error(Fault::Limit { what: "elements", limit: self.limits.elements }));
        }
        self.root_seen = true;
        self.elements += 1;
        let tag = self.slice(from + 1, to - if empty { 2 } else { 1 });
        let (qualified, rest) = tag.split_at_checked(name_length).unwrap_or((tag, ""));
        let bindings = self.namespaces.mark();
        let preserve = self.open.last().is_some_and(|open| open.preserve);
        // Part of the path already, so that errors of its attributes name it.
        self.open.push(Open { qualified, local: qualified, ns: Ns::NONE, bindings, preserve, start: from });
        let space = attributes::read(rest, self.limits.attributes, &mut self.namespaces, &mut self.attributes)
            .map_err(|fault| self.error(fault))?;
        let resolved = match self.form {
            Form::Document => self.namespaces.element(qualified),
            Form::Fragment => self.namespaces.fragment_element(qualified),
        };
        let (ns, local) = resolved.map_err(|fault| self.error(fault))?;
        if let Some(open) = self.open.last_mut() {
            open.local = local;
            open.ns = ns;
            open.preserve = space.unwrap_or(preserve);
        }
        let start =
            Start { depth: self.open.len(), ns, local, attributes: &self.attributes, namespaces: &self.namespaces };
        self.sink.start(&start).map_err(|fault| self.error(fault))
    }

    fn close_element(&mut self) -> Result<Node<'t>, DocumentError> {
        if let Some(open) = self.open.last() {
            let (ns, local) = (open.ns, open.local);
            if let Err(fault) = self.sink.end(self.open.len(), ns, local) {
                return Err(self.error(fault));
            }
            self.namespaces.release(open.bindings);
            self.open.pop();
        }
        Ok(Node::End)
    }

    /// Hands each child element to `each`, which may read it or leave it, and ends after the end of the current element.
    pub(super) fn children(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), DocumentError>,
    ) -> Result<(), DocumentError> {
        let depth = self.open.len();
        loop {
            match self.next()? {
                Node::Start => {
                    each(self)?;
                    self.leave(depth)?;
                }
                Node::Text(_) => {}
                Node::End | Node::Eof => return Ok(()),
            }
        }
    }

    /// Reads until no more than `depth` elements are open.
    pub(super) fn leave(&mut self, depth: usize) -> Result<(), DocumentError> {
        while self.open.len() > depth {
            self.next()?;
        }
        Ok(())
    }

    /// The text of the current element, without that of elements inside, and reads past its end.
    pub(super) fn content(&mut self) -> Result<String, DocumentError> {
        let depth = self.open.len();
        let mut content = String::new();
        loop {
            match self.next()? {
                Node::Start => self.leave(depth)?,
                Node::Text(text) => content.push_str(&text),
                Node::End | Node::Eof => return Ok(content),
            }
        }
    }

    /// Whether the current element has this name.
    pub(super) fn is(&self, ns: Ns, local: &str) -> bool {
        self.ns() == ns && self.local() == local
    }

    /// Namespace of the innermost open element.
    pub(super) fn ns(&self) -> Ns {
        self.open.last().map_or(Ns::NONE, |open| open.ns)
    }

    /// Local name of the innermost open element.
    pub(super) fn local(&self) -> &'t str {
        self.open.last().map_or("", |open| open.local)
    }

    /// Attributes of the element that began last, without namespace declarations.
    pub(super) fn attributes(&self) -> &[Attribute<'t>] {
        &self.attributes
    }

    /// The same, taken out.
    pub(super) fn take_attributes(&mut self) -> Vec<Attribute<'t>> {
        std::mem::take(&mut self.attributes)
    }

    /// Names of namespaces.
    pub(super) fn namespaces(&self) -> &Namespaces<'t> {
        &self.namespaces
    }

    /// Where the innermost open element begins.
    pub(super) fn element_start(&self) -> usize {
        self.open.last().map_or(0, |open| open.start)
    }

    /// Where reading goes on.
    pub(super) fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX).saturating_add(self.skipped)
    }

    fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// An error at the markup that was read last.
    pub(super) fn error(&self, fault: Fault) -> DocumentError {
        DocumentError { fault, path: self.path(), offset: self.at }
    }

    fn syntax(&self, message: &str) -> DocumentError {
        self.error(Fault::Syntax(message.to_owned()))
    }

    /// An error of the tokenizer, which knows the place better if it names one.
    fn syntax_at(&self, message: String) -> DocumentError {
        let told = usize::try_from(self.reader.error_position()).unwrap_or(0);
        let offset = if told == 0 { self.at } else { told.saturating_add(self.skipped) };
        DocumentError { fault: Fault::Syntax(cut(&message)), path: self.path(), offset }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            path.push('/');
            path.push_str(&cut(open.qualified));
        }
        if path.is_empty() { "/".to_owned() } else { path }
    }
}

/// At most 80 characters, for messages.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
