//! The expression language: one way to say which updates, or which computers, are meant. Lists, saved searches, automatic
//! deployment rules, collections and REST share it.
//!
//! ```text
//! expression  = conjunction { "or" conjunction }
//! conjunction = factor { "and" factor }
//! factor      = "not" factor | "(" expression ")" | flag | field comparison
//! comparison  = ( "=" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">=" ) value
//!             | [ "not" ] "in" ( value | "(" value { "," value } ")" )
//!             | "is" [ "not" ] "empty"
//! value       = word | "\"" text "\""
//! ```
//!
//! The core is generic over a vocabulary: an enumeration of fields that implements [`Field`]. There are two,
//! [`updates::Field`] and [`computers::Field`]. What is known of one thing is given through [`Facts`].
//!
//! * What is not known compares as false: `build < 19041` does not hold for a computer that never registered, and neither
//!   does `build >= 19041`; `not build >= 19041` and `build is empty` do.
//! * `!=`, `!~` and `not in` are the negations of `=`, `~` and `in`: with a field of several values (products, articles) they hold
//!   if no value matches.
//! * Texts are compared without regard to case.
//! * Ages are read as people say them: `released < 30 days` is younger than 30 days, `released > 90 days` older.
//! * A day (`released = 2026-01-31`) is the whole day in UTC, and a version is compared in the parts that are given:
//!   `os_version = 10.0.19045` holds for all of 10.0.19045.*.
//!
//! *Invariant:* the text that [`Expression`] displays as parses to the same expression, and is within the bounds.

pub mod computers;
mod evaluate;
mod names;
mod parse;
mod print;
mod token;
pub mod updates;
mod value;
mod vocabulary;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use self::{
    evaluate::{Explanation, Facts, Reason},
    names::{NameError, Names, Resolved},
    parse::ParseError,
    value::{AddressRange, Age, AgeUnit, Reference, Text, Value, Version, VersionPrefix, When, Words},
    vocabulary::{Depends, Field, Kind, Source, Spec, Target, Unit},
};

/// Characters of an expression.
pub const LONGEST: usize = 4_096;
/// Nesting of parentheses and `not`.
pub const DEEPEST: usize = 32;
/// Terms of an expression; each value of a list counts.
pub const MOST: usize = 256;

/// An expression over updates.
pub type UpdateExpression = Expression<updates::Field>;
/// An expression over computers.
pub type ComputerExpression = Expression<computers::Field>;

/// A parsed expression within the bounds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Expression<F> {
    root: Node<F>,
}

/// A node of the tree. `All` holds no `All`, `Any` no `Any`, both hold at least two nodes, and `Not` holds one of them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Node<F> {
    /// Every part holds.
    All(Vec<Node<F>>),
    /// At least one part holds.
    Any(Vec<Node<F>>),
    /// The part does not hold.
    Not(Box<Node<F>>),
    /// A comparison.
    Term(Term<F>),
}

/// One comparison.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Term<F> {
    /// What is compared.
    pub field: F,
    /// The term holds if the test does not.
    pub negated: bool,
    /// With what.
    pub test: Test,
}

/// What a term asks of its field.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Test {
    /// Some value of the field is before or after this one. The value is a number, an instant, a version or an ordered word.
    Compare(Order, Value),
    /// Some value of the field contains this text.
    Contains(Text),
    /// The field has no value.
    Empty,
    /// The flag is set.
    Flag,
    /// Some value of the field is one of these; at least one.
    In(Vec<Value>),
}

/// How values are compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Order {
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
}

impl<F: Field> Expression<F> {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// All of these together, if that is within the bounds. None of an empty list, which would hold for everything.
    pub fn all_of(parts: impl IntoIterator<Item = Self>) -> Result<Option<Self>, ParseError> {
        let parts: Vec<Node<F>> = parts.into_iter().map(|part| part.root).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        Self::checked(all(parts)).map(Some)
    }

    /// The parts that must all hold, from left to right; itself if there is one only. What is known of a thing may be asked for part by
    /// part, the cheap ones first.
    pub fn conjuncts(&self) -> Vec<Self> {
        match &self.root {
            Node::All(parts) => parts.iter().map(|part| Self { root: part.clone() }).collect(),
            _ => vec![self.clone()],
        }
    }

    /// The tree.
    pub fn root(&self) -> &Node<F> {
        &self.root
    }

    /// Every term, from left to right.
    pub fn terms(&self) -> Vec<&Term<F>> {
        let mut terms = Vec::new();
        self.root.collect(&mut terms);
        terms
    }

    /// What the value depends on.
    pub fn depends(&self) -> Depends {
        let mut depends = Depends::default();
        for term in self.terms() {
            depends.add(term.field.spec().source);
            depends.time |= matches!(&term.test, Test::Compare(_, Value::Instant(When::Age(_))));
        }
        depends
    }

    /// Whether a field occurs.
    pub fn asks(&self, field: F) -> bool {
        self.terms().iter().any(|term| term.field == field)
    }

    /// The same with ages replaced by the instants that they mean now: for evaluation of many things at one moment.
    pub fn bind(&self, now: Timestamp) -> Self {
        Self { root: self.root.map(&mut |term| term.bind(now)) }
    }

    /// A tree that is within the bounds also when it is written out and read again.
    fn checked(root: Node<F>) -> Result<Self, ParseError> {
        let text = Self { root }.to_string();
        Self::parse(&text)
    }
}

impl<F: Field> Node<F> {
    fn collect<'a>(&'a self, terms: &mut Vec<&'a Term<F>>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(terms)),
            Self::Not(inner) => inner.collect(terms),
            Self::Term(term) => terms.push(term),
        }
    }

    fn map(&self, change: &mut impl FnMut(&Term<F>) -> Term<F>) -> Self {
        match self {
            Self::All(parts) => Self::All(parts.iter().map(|part| part.map(change)).collect()),
            Self::Any(parts) => Self::Any(parts.iter().map(|part| part.map(change)).collect()),
            Self::Not(inner) => Self::Not(Box::new(inner.map(change))),
            Self::Term(term) => Self::Term(change(term)),
        }
    }
}

impl<F: Field> Term<F> {
    fn bind(&self, now: Timestamp) -> Self {
        let test = match &self.test {
            Test::Compare(order, Value::Instant(When::Age(age))) => {
                Test::Compare(order.turned(), Value::Instant(When::At(age.before(now))))
            }
            other => other.clone(),
        };
        Self { field: self.field, negated: self.negated, test }
    }
}

impl Order {
    /// Whether `left` stands to `right` like this.
    pub fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }

    /// An age is less if the instant is greater.
    fn turned(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
        }
    }
}

/// A conjunction in its one form.
fn all<F>(parts: Vec<Node<F>>) -> Node<F> {
    let flat = parts.into_iter().flat_map(|part| match part {
        Node::All(inner) => inner,
        other => vec![other],
    });
    single(flat.collect(), Node::All)
}

/// A disjunction in its one form.
fn any<F>(parts: Vec<Node<F>>) -> Node<F> {
    let flat = parts.into_iter().flat_map(|part| match part {
        Node::Any(inner) => inner,
        other => vec![other],
    });
    single(flat.collect(), Node::Any)
}

/// A negation in its one form: terms are negated themselves, and two negations are none.
fn not<F>(node: Node<F>) -> Node<F> {
    match node {
        Node::Not(inner) => *inner,
        Node::Term(term) => Node::Term(Term { negated: !term.negated, ..term }),
        other => Node::Not(Box::new(other)),
    }
}

fn single<F>(mut parts: Vec<Node<F>>, several: fn(Vec<Node<F>>) -> Node<F>) -> Node<F> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            several(parts)
        }
        (_, None) => several(parts),
    }
}
