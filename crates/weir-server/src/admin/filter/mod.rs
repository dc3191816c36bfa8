//! The filter of update lists: a small typed expression, described for its users at
//! [`weir_api::update::UpdateQuery::filter`].
//!
//! ```text
//! expression = conjunction { "or" conjunction }
//! conjunction = factor { "and" factor }
//! factor = "not" factor | "(" expression ")" | flag | field operator value
//! operator = "=" | "!=" | "~" | "<" | "<=" | ">" | ">="
//! ```

mod parse;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::AdminError;
use parse::Parser;

/// Characters of a filter.
const LONGEST: usize = 4_096;

/// A parsed filter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Flag(Flag),
    Not(Box<Filter>),
    Number(NumberField, Order, u64),
    Or(Vec<Filter>),
    Text(TextField, Match, String),
}

/// Yes-or-no fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flag {
    Bundle,
    Declined,
    Deployed,
    Expired,
    Unresolved,
}

/// Fields with numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NumberField {
    Failed,
    Installed,
    Needed,
    Revision,
}

/// Fields with texts; `type` and `severity` take the words that lists show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TextField {
    Classification,
    Id,
    Kb,
    Product,
    Severity,
    Title,
    Type,
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
}

/// How texts are compared; always without regard to case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Match {
    Contains,
    Equal,
    NotEqual,
}

/// What a filter asks of one update.
pub(crate) trait Facts {
    /// A yes-or-no field.
    fn flag(&self, flag: Flag) -> bool;
    /// A number.
    fn number(&self, field: NumberField) -> u64;
    /// Hands every value of a field to `each` (lower case), until it returns true; true if it did.
    fn any_text(&self, field: TextField, each: &mut dyn FnMut(&str) -> bool) -> bool;
}

impl Filter {
    /// Reads a filter.
    pub(crate) fn parse(text: &str) -> Result<Self, AdminError> {
        if text.chars().count() > LONGEST {
            return Err(AdminError::invalid("filter", format!("the filter is longer than {LONGEST} characters")));
        }
        Parser::new(text).and_then(Parser::whole).map_err(|error| AdminError::Invalid {
            code: "filter",
            detail: format!("the filter is wrong at character {}: {}", error.position + 1, error.message),
            next_step: Some(
                "write terms such as: type = software and needed > 0 and title ~ \"server 2019\"".to_owned(),
            ),
        })
    }

    /// Whether an update passes.
    pub(crate) fn accepts(&self, facts: &dyn Facts) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.accepts(facts)),
            Self::Flag(flag) => facts.flag(*flag),
            Self::Not(inner) => !inner.accepts(facts),
            Self::Number(field, order, number) => order.holds(facts.number(*field), *number),
            Self::Or(parts) => parts.iter().any(|part| part.accepts(facts)),
            Self::Text(field, how, wanted) => match how {
                Match::Contains => facts.any_text(*field, &mut |value| value.contains(wanted.as_str())),
                Match::Equal => facts.any_text(*field, &mut |value| value == wanted),
                Match::NotEqual => !facts.any_text(*field, &mut |value| value == wanted),
            },
        }
    }
}

impl Order {
    fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::NotEqual => left != right,
        }
    }
}

/// A field by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Flag(Flag),
    Number(NumberField),
    Text(TextField),
}

const FIELDS: [(&str, Field); 16] = [
    ("classification", Field::Text(TextField::Classification)),
    ("declined", Field::Flag(Flag::Declined)),
    ("deployed", Field::Flag(Flag::Deployed)),
    ("expired", Field::Flag(Flag::Expired)),
    ("failed", Field::Number(NumberField::Failed)),
    ("id", Field::Text(TextField::Id)),
    ("installed", Field::Number(NumberField::Installed)),
    ("is_bundle", Field::Flag(Flag::Bundle)),
    ("kb", Field::Text(TextField::Kb)),
    ("needed", Field::Number(NumberField::Needed)),
    ("product", Field::Text(TextField::Product)),
    ("revision", Field::Number(NumberField::Revision)),
    ("severity", Field::Text(TextField::Severity)),
    ("title", Field::Text(TextField::Title)),
    ("type", Field::Text(TextField::Type)),
    ("unresolved", Field::Flag(Flag::Unresolved)),
];

/// The words that a field takes, if it does not take any text.
fn words(field: TextField) -> Option<BTreeSet<&'static str>> {
    match field {
        TextField::Severity => Some(BTreeSet::from(["critical", "important", "low", "moderate", "none"])),
        TextField::Type => Some(BTreeSet::from(["category", "detectoid", "driver", "software"])),
        _ => None,
    }
}
