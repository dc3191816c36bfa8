//! Names and ids. What is saved matches by id: names in another language, or names that change, would otherwise make a
//! rule match nothing without a word.

use std::fmt;

use uuid::Uuid;

use super::{
    Expression, Field, ParseError, Reference, Term, Test, Text, Value,
    vocabulary::{Kind, Target},
};
use crate::nearest::nearest;

/// Ids named in an error.
const NAMED: usize = 5;

/// Where names are looked up: products, classifications, groups, collections, sites.
pub trait Names<F> {
    /// The ids of what the field can name and has this name, in lower case.
    fn ids(&self, field: F, folded: &str) -> Vec<Uuid>;
    /// The name of an id.
    fn name(&self, field: F, id: Uuid) -> Option<String>;
    /// Every name that the field can take; to propose one.
    fn all(&self, field: F) -> Vec<String>;
    /// Whether names of this field are replaced. Fields that the implementation knows nothing of stay as they are.
    fn knows(&self, field: F) -> bool;
}

/// An expression that matches by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolved<F> {
    /// It.
    pub expression: Expression<F>,
    /// Terms that still compare the text of a name (`product ~ "server"`), as they are written: they follow names.
    pub by_text: Vec<String>,
}

/// A name that stands for no id, or for several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NameError {
    /// Several things have the name.
    Ambiguous {
        /// The field.
        field: &'static str,
        /// The name.
        name: String,
        /// What it may be.
        ids: Vec<Uuid>,
    },
    /// With ids for names, the expression is beyond the bounds.
    TooLong(ParseError),
    /// Nothing has the name.
    Unknown {
        /// The field.
        field: &'static str,
        /// The name.
        name: String,
        /// A name like it.
        nearest: Option<String>,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous { field, name, ids } => {
                let shown: Vec<String> = ids.iter().take(NAMED).map(Uuid::to_string).collect();
                write!(f, "{} things are called {name:?}; give the id for {field}: {}", ids.len(), shown.join(", "))
            }
            Self::TooLong(error) => write!(f, "with ids in the place of names: {error}"),
            Self::Unknown { field, name, nearest } => {
                write!(f, "there is no {field} {name:?}")?;
                match nearest {
                    Some(near) => write!(f, "; did you mean {near:?}?"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for NameError {}

impl<F: Field> Expression<F> {
    /// The same with ids in the place of names. Every name that stands for no id or for several is reported.
    pub fn resolve(&self, names: &dyn Names<F>) -> Result<Resolved<F>, Vec<NameError>> {
        let (mut errors, mut by_text) = (Vec::new(), Vec::new());
        let root = self.root.map(&mut |term| {
            if !names_things(term.field) || !names.knows(term.field) {
                return term.clone();
            }
            if let Test::Contains(_) = &term.test {
                by_text.push(term.to_string());
            }
            replace(
                term,
                |text| match names.ids(term.field, text.folded()).as_slice() {
                    [id] => Reference::Id(*id),
                    found => {
                        errors.push(wrong(term.field, text, found, names));
                        Reference::Name(text.clone())
                    }
                },
                Reference::Id,
            )
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        let expression = Self::checked(root).map_err(|error| vec![NameError::TooLong(error)])?;
        Ok(Resolved { expression, by_text })
    }

    /// The same with names in the place of ids, for people; an id without a name of its own stays.
    pub fn with_names(&self, names: &dyn Names<F>) -> Self {
        let root = self.root.map(&mut |term| {
            if !names_things(term.field) || !names.knows(term.field) {
                return term.clone();
            }
            replace(
                term,
                |text| Reference::Name(text.clone()),
                |id| {
                    let name = names.name(term.field, id).map(|name| Text::new(&name));
                    let own =
                        name.filter(|name| names.ids(term.field, name.folded()) == [id] && !name.folded().is_empty());
                    own.map_or(Reference::Id(id), Reference::Name)
                },
            )
        });
        Self { root }
    }
}

fn names_things<F: Field>(field: F) -> bool {
    field.spec().kind == Kind::Reference(Target::Name)
}

fn wrong<F: Field>(field: F, text: &Text, found: &[Uuid], names: &dyn Names<F>) -> NameError {
    let (field_name, name) = (field.spec().name, text.shown().to_owned());
    if found.is_empty() {
        let all = names.all(field);
        NameError::Unknown { field: field_name, nearest: nearest(&name, all.iter().map(String::as_str)), name }
    } else {
        NameError::Ambiguous { field: field_name, name, ids: found.to_vec() }
    }
}

fn replace<F: Field>(
    term: &Term<F>,
    mut name: impl FnMut(&Text) -> Reference,
    mut id: impl FnMut(Uuid) -> Reference,
) -> Term<F> {
    let test = match &term.test {
        Test::In(values) => {
            let mut replaced: Vec<Value> = Vec::with_capacity(values.len());
            for value in values {
                let value = match value {
                    Value::Reference(Reference::Name(text)) => Value::Reference(name(text)),
                    Value::Reference(Reference::Id(found)) => Value::Reference(id(*found)),
                    other => other.clone(),
                };
                // two names may be one thing
                if !replaced.contains(&value) {
                    replaced.push(value);
                }
            }
            Test::In(replaced)
        }
        other => other.clone(),
    };
    Term { field: term.field, negated: term.negated, test }
}
