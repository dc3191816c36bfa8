//! A subset of WQL, the query language of WMI (`WmiQuery`, MS-WUSP product behavior note 42).
//!
//! `SELECT` of a list or `*`, `FROM` one class, and optionally `WHERE` with `=`, `<>`, `!=`, `<`, `>`, `<=`, `>=`, `LIKE`,
//! `IS [NOT] NULL`, `AND`, `OR`, `NOT` and parentheses over properties and literals: texts in either quotation marks,
//! numbers, `TRUE` and `FALSE`. Everything else, such as `ASSOCIATORS OF`, `ISA` or a property of an embedded object, is
//! not answered ([`GapKind::Unsupported`](super::GapKind)). (Windows documentation: WQL (SQL for WMI), WHERE clause, LIKE
//! operator.)

mod compare;
mod lexer;
mod like;
mod parser;
#[cfg(test)]
mod tests;

pub use self::parser::{Comparison, Condition, Literal, MAX_NESTING, Query, parse};
use super::{
    Facts, Gap, GapKind, Truth,
    facts::{WmiInstance, WmiValue},
};

/// The namespace of a rule that states none: the default of Windows for scripts.
pub const DEFAULT_NAMESPACE: &str = "root\\cimv2";

/// Whether a query gives at least one row. A class that does not exist has no instances. `steps` is taken down by what the
/// evaluation costs; an answer that needs more is unknown.
pub fn evaluate(namespace: &str, query: &str, facts: &dyn Facts, steps: &mut usize) -> Truth {
    let query = match parse(query) {
        Ok(query) => query,
        Err(gap) => return Truth::gap(gap),
    };
    let namespace = namespace.replace('/', "\\");
    let instances = match facts.wmi(&namespace, &query.class) {
        Ok(Some(instances)) => instances,
        Ok(None) => return Truth::False,
        Err(gap) => return Truth::gap(gap),
    };
    let mut answer = Truth::False;
    for instance in instances.iter() {
        let row = match &query.condition {
            None => Truth::True,
            Some(condition) => holds(condition, false, &query.class, instance, steps),
        };
        answer = answer.or(row);
        if answer.is_true() {
            break;
        }
    }
    answer
}

/// Whether a condition holds for an instance, or its contrary. Its depth is bounded by the parser.
fn holds(condition: &Condition, negate: bool, class: &str, instance: &WmiInstance, steps: &mut usize) -> Truth {
    if *steps == 0 {
        return Truth::gap(super::evaluate::too_much("WmiQuery"));
    }
    *steps -= 1;
    let leaf = |property: &str, answer: &dyn Fn(&WmiValue) -> Result<bool, Gap>| -> Truth {
        let found = instance.iter().find(|(name, _)| name.eq_ignore_ascii_case(property));
        match found {
            Some((_, value)) => Truth::from(answer(value)),
            None => Truth::gap(Gap::new(GapKind::NotCollected, format!("WMI {class}.{property}"))),
        }
    };
    match condition {
        // De Morgan: the contrary of an And is the Or of the contraries.
        Condition::And(parts) | Condition::Or(parts) => {
            let all = matches!(condition, Condition::And(_)) != negate;
            let mut answer = Truth::from(all);
            for part in parts {
                let this = holds(part, negate, class, instance, steps);
                answer = if all { answer.and(this) } else { answer.or(this) };
                if answer.known() == Some(!all) {
                    break;
                }
            }
            answer
        }
        Condition::Not(inside) => holds(inside, !negate, class, instance, steps),
        Condition::IsNull { property } => leaf(property, &|value| Ok((*value == WmiValue::Null) != negate)),
        Condition::Compare { property, comparison, literal } => leaf(property, &|value| {
            // Nothing is equal to NULL. Whether something is unequal to it is not documented.
            match (value, negate || *comparison == Comparison::Unequal) {
                (WmiValue::Null, false) => Ok(false),
                (WmiValue::Null, true) => Err(null(class, property)),
                _ => Ok(compare::compare(value, *comparison, literal)? != negate),
            }
        }),
        Condition::Like { property, pattern } => {
            let mut left = *steps;
            let found = instance.iter().find(|(name, _)| name.eq_ignore_ascii_case(property)).map(|(_, value)| value);
            let answer = match found {
                Some(WmiValue::Text(text)) => match like::matches(pattern, text, &mut left) {
                    Some(matches) => Truth::from(matches != negate),
                    None => Truth::gap(super::evaluate::too_much("WmiQuery")),
                },
                Some(WmiValue::Null) if !negate => Truth::False,
                Some(WmiValue::Null) => Truth::gap(null(class, property)),
                Some(_) => Truth::gap(Gap::new(GapKind::Unsupported, "LIKE of something that is no text")),
                None => leaf(property, &|_| Ok(false)),
            };
            *steps = left;
            answer
        }
    }
}

fn null(class: &str, property: &str) -> Gap {
    Gap::new(GapKind::Unsupported, format!("WMI {class}.{property}, compared with NULL"))
}
