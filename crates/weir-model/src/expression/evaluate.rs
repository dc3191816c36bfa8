//! What an expression says of one thing, and why.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;

use super::{
    Expression, Field, Node, Reference, Term, Test, Text, Value, Version, When, Words,
    vocabulary::{Kind, Unit},
};

/// Values that an explanation shows of one field.
const SHOWN: usize = 5;

/// What is known of one thing. Each method is only asked for fields of its type ([`super::Kind`], in the table of the
/// vocabulary); it answers with nothing (false, none, no call of `each`) for what is not known.
///
/// | Type | Method |
/// |---|---|
/// | `Flag` | [`flag`](Facts::flag) |
/// | `Number` | [`number`](Facts::number), in bytes, minutes or things |
/// | `Instant` | [`instant`](Facts::instant) |
/// | `Version` | [`version`](Facts::version) |
/// | `Address` | [`any_address`](Facts::any_address) |
/// | `Words` | [`words`](Facts::words): `Words::of(field.spec().kind, "x64")` |
/// | `Text`, `Article` | [`any_text`](Facts::any_text): lower case; articles without `KB` |
/// | `Reference` | [`any_text`](Facts::any_text): names *and* hyphenated ids; [`is`](Facts::is) may be answered faster |
pub trait Facts<F> {
    /// A yes-or-no field.
    fn flag(&self, field: F) -> bool;
    /// A number.
    fn number(&self, field: F) -> Option<u64>;
    /// A moment.
    fn instant(&self, field: F) -> Option<Timestamp>;
    /// Hands every value of a field to `each` in lower case, until it returns true; true if it did.
    fn any_text(&self, field: F, each: &mut dyn FnMut(&str) -> bool) -> bool;
    /// The words that it has; none if nothing is known.
    fn words(&self, field: F) -> Words;

    /// A version.
    fn version(&self, field: F) -> Option<Version> {
        let _ = field;
        None
    }

    /// Hands every address to `each`, until it returns true; true if it did.
    fn any_address(&self, field: F, each: &mut dyn FnMut(IpAddr) -> bool) -> bool {
        let _ = (field, each);
        false
    }

    /// Whether one of the things that a field names is this one. What is above it counts where the field says so.
    fn is(&self, field: F, thing: &Reference) -> bool {
        match thing {
            Reference::Id(id) => {
                let mut buffer = uuid::Uuid::encode_buffer();
                let id: &str = id.hyphenated().encode_lower(&mut buffer);
                self.any_text(field, &mut |text| text == id)
            }
            Reference::Name(name) => self.any_text(field, &mut |text| text == name.folded()),
        }
    }
}

/// Why an expression holds or does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// It holds.
    pub holds: bool,
    /// The terms that decided, from left to right: of a conjunction that fails the first part that does, of a disjunction
    /// that fails all parts; the other way round if it holds.
    pub reasons: Vec<Reason>,
}

/// A term that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The term as it is written.
    pub term: String,
    /// It holds.
    pub holds: bool,
    /// What the field is, such as `needed is 3`.
    pub value: String,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, reason) in self.reasons.iter().enumerate() {
            write!(f, "{}{reason}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.term, if self.holds { "holds" } else { "does not hold" }, self.value)
    }
}

impl<F: Field> Expression<F> {
    /// Whether it holds for a thing at this moment. For many things [`Expression::bind`] it first.
    pub fn accepts(&self, facts: &dyn Facts<F>, now: Timestamp) -> bool {
        self.root.holds(facts, now)
    }

    /// Why it holds or does not.
    pub fn explain(&self, facts: &dyn Facts<F>, now: Timestamp) -> Explanation {
        let mut reasons = Vec::new();
        let holds = self.root.explain(facts, now, &mut reasons);
        Explanation { holds, reasons }
    }

    /// The next moment after `now` at which time alone may change the value; none if it cannot.
    pub fn next_change(&self, facts: &dyn Facts<F>, now: Timestamp) -> Option<Timestamp> {
        let turns = self.terms().into_iter().filter_map(|term| match &term.test {
            Test::Compare(_, Value::Instant(When::Age(age))) => age.turns(facts.instant(term.field)?, now),
            _ => None,
        });
        turns.filter(|at| *at > now).min()
    }
}

impl<F: Field> Node<F> {
    fn holds(&self, facts: &dyn Facts<F>, now: Timestamp) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facts, now)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts, now)),
            Self::Not(inner) => !inner.holds(facts, now),
            Self::Term(term) => term.holds(facts, now),
        }
    }

    fn explain(&self, facts: &dyn Facts<F>, now: Timestamp, reasons: &mut Vec<Reason>) -> bool {
        // the part that decides for all is the first with this value
        let decide = |parts: &[Self], decisive: bool, reasons: &mut Vec<Reason>| {
            let before = reasons.len();
            for part in parts {
                let from = reasons.len();
                if part.explain(facts, now, reasons) == decisive {
                    reasons.drain(before..from);
                    return decisive;
                }
            }
            !decisive
        };
        match self {
            Self::All(parts) => decide(parts, false, reasons),
            Self::Any(parts) => decide(parts, true, reasons),
            Self::Not(inner) => !inner.explain(facts, now, reasons),
            Self::Term(term) => {
                let holds = term.holds(facts, now);
                reasons.push(Reason { term: term.to_string(), holds, value: describe(facts, term.field) });
                holds
            }
        }
    }
}

impl<F: Field> Term<F> {
    /// Whether the term holds.
    pub fn holds(&self, facts: &dyn Facts<F>, now: Timestamp) -> bool {
        let kind = self.field.spec().kind;
        let holds = match &self.test {
            Test::Compare(order, value) => self.compares(kind, *order, value, facts, now),
            Test::Contains(text) => self.contains(kind, text, facts),
            Test::Empty => !has_value(facts, self.field),
            Test::Flag => facts.flag(self.field),
            Test::In(values) => values.iter().any(|value| self.equals(value, facts, now)),
        };
        holds != self.negated
    }

    fn compares(&self, kind: Kind, order: super::Order, value: &Value, facts: &dyn Facts<F>, now: Timestamp) -> bool {
        let is = std::cmp::Ordering::Equal;
        match value {
            Value::Instant(when) => facts.instant(self.field).is_some_and(|instant| {
                let stands = when.compare(instant, now);
                // an older instant is a greater age
                let stands = if matches!(when, When::Age(_)) { stands.reverse() } else { stands };
                order.holds(stands, is)
            }),
            Value::Number(number) => facts.number(self.field).is_some_and(|known| order.holds(known, *number)),
            Value::Version(version) => {
                facts.version(self.field).is_some_and(|known| order.holds(version.compare(known), is))
            }
            Value::Word(place) if matches!(kind, Kind::Words { ordered: true, .. }) => {
                facts.words(self.field).places().any(|known| order.holds(known, *place))
            }
            _ => false,
        }
    }

    fn contains(&self, kind: Kind, text: &Text, facts: &dyn Facts<F>) -> bool {
        match kind {
            Kind::Words { words, .. } => facts
                .words(self.field)
                .places()
                .filter_map(|place| words.get(usize::from(place)))
                .any(|word| word.contains(text.folded())),
            _ => facts.any_text(self.field, &mut |value| value.contains(text.folded())),
        }
    }

    fn equals(&self, value: &Value, facts: &dyn Facts<F>, now: Timestamp) -> bool {
        match value {
            Value::Address(range) => facts.any_address(self.field, &mut |address| range.contains(address)),
            Value::Instant(when) => facts.instant(self.field).is_some_and(|instant| when.compare(instant, now).is_eq()),
            Value::Number(number) => facts.number(self.field) == Some(*number),
            Value::Reference(thing) => facts.is(self.field, thing),
            Value::Text(text) => facts.any_text(self.field, &mut |value| value == text.folded()),
            Value::Version(version) => facts.version(self.field).is_some_and(|known| version.compare(known).is_eq()),
            Value::Word(place) => facts.words(self.field).0 & Words::at(*place).0 != 0,
        }
    }
}

fn has_value<F: Field>(facts: &dyn Facts<F>, field: F) -> bool {
    match field.spec().kind {
        Kind::Address => facts.any_address(field, &mut |_| true),
        Kind::Article | Kind::Reference(_) | Kind::Text => facts.any_text(field, &mut |text| !text.is_empty()),
        Kind::Flag => facts.flag(field),
        Kind::Instant => facts.instant(field).is_some(),
        Kind::Number(_) => facts.number(field).is_some(),
        Kind::Version => facts.version(field).is_some(),
        // "none" says that there is none
        kind @ Kind::Words { .. } => facts.words(field).0 & !Words::of(kind, "none").0 != 0,
    }
}

/// A field and what it is, in words.
fn describe<F: Field>(facts: &dyn Facts<F>, field: F) -> String {
    let spec = field.spec();
    let mut values = Vec::new();
    let mut more = false;
    let mut add = |text: String| {
        more = values.len() >= SHOWN;
        if !more {
            values.push(text);
        }
        more
    };
    match spec.kind {
        Kind::Address => {
            facts.any_address(field, &mut |address| add(address.to_string()));
        }
        Kind::Article | Kind::Reference(_) | Kind::Text => {
            facts.any_text(field, &mut |text| add(format!("{:?}", cut(text))));
        }
        Kind::Flag => {
            add(if facts.flag(field) { "true" } else { "false" }.to_owned());
        }
        Kind::Instant => {
            facts.instant(field).map(|at| add(at.to_string()));
        }
        Kind::Number(unit) => {
            let word = match unit {
                Unit::Bytes => " bytes",
                Unit::Minutes => " minutes",
                Unit::Plain => "",
            };
            facts.number(field).map(|number| add(format!("{number}{word}")));
        }
        Kind::Version => {
            facts.version(field).map(|version| add(version.to_string()));
        }
        Kind::Words { words, .. } => {
            for place in facts.words(field).places() {
                words.get(usize::from(place)).map(|word| add((*word).to_owned()));
            }
        }
    }
    let tail = if more { ", ..." } else { "" };
    if values.is_empty() {
        format!("{} is empty", spec.name)
    } else {
        format!("{} is {}{tail}", spec.name, values.join(", "))
    }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('\u{2026}');
    }
    cut
}
