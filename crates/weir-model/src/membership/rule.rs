//! What a rule of a collection may say beside what any expression over computers may.

use std::collections::BTreeSet;

use crate::{
    expression::{ComputerExpression, Reference, Test, Value, computers::Field},
    ids::CollectionId,
};

/// A rule that no collection can have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// A collection or a site by part of its name, or by having any: then the rule would depend on all of them.
    #[error("a rule compares {field} with = or in and whole names, unlike {term}")]
    NotSingle {
        /// The field.
        field: &'static str,
        /// The term.
        term: String,
    },
    /// A name that was not replaced by an id.
    #[error("{field} is not given by its id in {term}")]
    NotById {
        /// The field.
        field: &'static str,
        /// The term.
        term: String,
    },
}

/// The collections that a rule names, if the rule is one that a collection can have. Names were replaced by ids.
pub fn named_in(rule: &ComputerExpression) -> Result<BTreeSet<CollectionId>, RuleError> {
    let mut named = BTreeSet::new();
    for term in rule.terms() {
        let field = match term.field {
            Field::Collection => "collection",
            Field::Site => "site",
            _ => continue,
        };
        let Test::In(values) = &term.test else {
            return Err(RuleError::NotSingle { field, term: term.to_string() });
        };
        for value in values {
            match value {
                Value::Reference(Reference::Id(id)) if term.field == Field::Collection => {
                    named.insert(CollectionId(*id));
                }
                Value::Reference(Reference::Id(_)) => {}
                _ => return Err(RuleError::NotById { field, term: term.to_string() }),
            }
        }
    }
    Ok(named)
}
