//! Builds the tree of a rule, without recursion.

use std::borrow::Cow;

use super::{
    Rule,
    base::{self, LoopLogic},
    cbs::CbsRule,
    driver::DriverRule,
    logic::{Expr, ProductReleaseVersion, Unknown},
    msi,
    value::Scalar,
};
use crate::document::{
    DocumentError, Verbatim,
    source::{Attribute, Node, Ns, Sink, Source, cut},
    value::{Value, find},
};

/// Why a rule does not fit its schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Misfit(String);

impl Misfit {
    pub(super) fn new(what: &str, value: &str) -> Self {
        Self(format!("{what} {:?}", cut(value)))
    }

    fn missing(what: &str) -> Self {
        Self(format!("{what} is missing"))
    }
}

/// The attributes of a rule.
pub(super) struct Attributes<'a>(&'a [Attribute<'a>]);

impl Attributes<'_> {
    pub(super) fn optional<T: Value>(&self, name: &str) -> Result<Option<T>, Misfit> {
        find(self.0, name).map(|text| T::read(text).ok_or_else(|| Misfit::new(name, text))).transpose()
    }

    pub(super) fn required<T: Value>(&self, name: &str) -> Result<T, Misfit> {
        self.optional(name)?.ok_or_else(|| Misfit::missing(name))
    }

    /// A flag, false if absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Misfit> {
        Ok(self.optional(name)?.unwrap_or(false))
    }

    pub(super) fn guid(&self, name: &str) -> Result<uuid::Uuid, Misfit> {
        self.required(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Misfit> {
        self.required(name)
    }
}

/// An element of a rule that has begun and not ended.
struct Frame<'t> {
    ns: Ns,
    name: &'t str,
    attributes: Vec<Attribute<'t>>,
    children: Vec<Expr>,
    /// Child elements that hold a text, with it.
    leaves: Vec<(String, String)>,
    text: String,
}

/// Reads the current element, one of the three rules, and past its end.
pub(in crate::document) fn rule<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<Rule, DocumentError> {
    let start = source.element_start();
    let mut roots = Vec::new();
    let mut frames: Vec<Frame<'t>> = Vec::new();
    loop {
        match source.next()? {
            Node::Start => frames.push(Frame {
                ns: source.ns(),
                name: source.local(),
                attributes: source.take_attributes(),
                children: Vec::new(),
                leaves: Vec::new(),
                text: String::new(),
            }),
            Node::Text(text) => {
                if let Some(frame) = frames.last_mut() {
                    frame.text.push_str(&text);
                }
            }
            Node::End | Node::Eof => {
                let Some(frame) = frames.pop() else {
                    return Ok(Rule { roots, source: Verbatim { start, end: source.position() } });
                };
                match frames.last_mut() {
                    Some(outer) if frame.is_leaf_of(outer) => outer.leaves.push((frame.name.to_owned(), frame.text)),
                    Some(outer) => outer.children.push(frame.expr(|ns| source.namespaces().name(ns).to_owned())),
                    None => roots.push(frame.expr(|ns| source.namespaces().name(ns).to_owned())),
                }
            }
        }
    }
}

impl Frame<'_> {
    /// `Component`, `Feature` and `Product` are no rules but parts of one.
    fn is_leaf_of(&self, outer: &Frame<'_>) -> bool {
        self.ns == Ns::MSI
            && outer.ns == Ns::MSI
            && outer.name.ends_with("InstalledForProduct")
            && matches!(self.name, "Component" | "Feature" | "Product")
    }

    fn expr(mut self, namespace: impl Fn(Ns) -> String) -> Expr {
        let attributes = Attributes(&self.attributes);
        let read = match (self.ns, self.name) {
            (Ns::LOGIC, "And") => Ok(Expr::And(std::mem::take(&mut self.children))),
            (Ns::LOGIC, "Or") => Ok(Expr::Or(std::mem::take(&mut self.children))),
            (Ns::LOGIC, "Not") => only(&mut self.children).map(|child| Expr::Not(Box::new(child))),
            (Ns::LOGIC, "True") => Ok(Expr::True),
            (Ns::LOGIC, "False") => Ok(Expr::False),
            (Ns::BASE, "RegKeyLoop") => loop_over(&attributes, &mut self.children),
            (Ns::BASE, name) => match base::read::rule(name, &attributes) {
                Some(read) => read.map(|rule| Expr::Base(Box::new(rule))),
                None => return self.unknown(namespace, None),
            },
            (Ns::MSI, name) => match msi::read(name, &attributes, &self.leaves) {
                Some(read) => read.map(|rule| Expr::Msi(Box::new(rule))),
                None => return self.unknown(namespace, None),
            },
            (Ns::CBS, name) => match CbsRule::read(name, &attributes) {
                Some(read) => read.map(|rule| Expr::Cbs(Box::new(rule))),
                None => return self.unknown(namespace, None),
            },
            (Ns::DRIVER, name) => match DriverRule::read(name) {
                Some(rule) => Ok(Expr::Driver(rule)),
                None => return self.unknown(namespace, None),
            },
            (Ns::UPDATE, "ProductReleaseVersion") => release(&attributes),
            _ => return self.unknown(namespace, None),
        };
        match read {
            Ok(expr) if self.children.is_empty() => expr,
            Ok(_) => self.unknown(namespace, Some(Misfit("expressions inside".to_owned()))),
            Err(misfit) => self.unknown(namespace, Some(misfit)),
        }
    }

    fn unknown(self, namespace: impl Fn(Ns) -> String, misfit: Option<Misfit>) -> Expr {
        let owned = |attribute: Attribute<'_>| (attribute.local.to_owned(), Cow::into_owned(attribute.value));
        Expr::Unknown(Box::new(Unknown {
            namespace: namespace(self.ns),
            name: self.name.to_owned(),
            attributes: self.attributes.into_iter().map(owned).collect(),
            children: self.children,
            misfit: misfit.map(|misfit| misfit.0),
        }))
    }
}

/// Takes the child of an element that must have exactly one.
fn only(children: &mut Vec<Expr>) -> Result<Expr, Misfit> {
    match (children.len(), children.pop()) {
        (1, Some(child)) => Ok(child),
        (count, last) => {
            children.extend(last);
            Err(Misfit(format!("{count} expressions inside instead of one")))
        }
    }
}

fn loop_over(attributes: &Attributes<'_>, children: &mut Vec<Expr>) -> Result<Expr, Misfit> {
    let key = base::read::key(attributes)?;
    let true_if = attributes.required::<LoopLogic>("TrueIf")?;
    let body = only(children)?;
    Ok(Expr::Base(Box::new(base::BaseRule::RegKeyLoop { key, true_if, body })))
}

fn release(attributes: &Attributes<'_>) -> Result<Expr, Misfit> {
    Ok(Expr::ProductReleaseVersion(Box::new(ProductReleaseVersion {
        name: attributes.text("Name")?,
        version: attributes.text("Version")?,
        comparison: attributes.optional("Comparison")?.unwrap_or(Scalar::EqualTo),
    })))
}
