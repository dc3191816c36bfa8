//! Comparisons of values and literals.

use std::cmp::Ordering;

use super::{
    super::{Gap, GapKind},
    Comparison, Literal, WmiValue,
};

/// Compares. Texts are compared without regard to case; numbers in quotation marks, and numbers that WMI gives as texts
/// (all of 64 bits), count as numbers where the other side is one.
pub(super) fn compare(value: &WmiValue, comparison: Comparison, literal: &Literal) -> Result<bool, Gap> {
    let order = match (value, literal) {
        (WmiValue::Boolean(found), literal) => {
            let stated = boolean(literal).ok_or_else(incomparable)?;
            return match comparison {
                Comparison::Equal => Ok(*found == stated),
                Comparison::Unequal => Ok(*found != stated),
                _ => Err(incomparable()),
            };
        }
        (WmiValue::Text(found), Literal::Text(stated)) => found.to_lowercase().cmp(&stated.to_lowercase()),
        (WmiValue::Text(found), Literal::Boolean(stated)) => {
            let found = boolean(&Literal::Text(found.clone())).ok_or_else(incomparable)?;
            return compare(&WmiValue::Boolean(found), comparison, &Literal::Boolean(*stated));
        }
        (WmiValue::Null, _) => return Err(incomparable()),
        (value, literal) => {
            let found = match value {
                WmiValue::Integer(number) => Number::Whole((*number).into()),
                WmiValue::Real(number) => Number::Real(*number),
                WmiValue::Text(text) => number(text).ok_or_else(incomparable)?,
                _ => return Err(incomparable()),
            };
            let stated = match literal {
                Literal::Boolean(flag) => Number::Whole((*flag).into()),
                Literal::Integer(number) => Number::Whole(*number),
                Literal::Real(number) => Number::Real(*number),
                Literal::Text(text) => number(text).ok_or_else(incomparable)?,
            };
            found.order(stated).ok_or_else(incomparable)?
        }
    };
    Ok(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Unequal => order.is_ne(),
    })
}

#[derive(Clone, Copy)]
enum Number {
    Real(f64),
    Whole(i128),
}

impl Number {
    fn order(self, other: Self) -> Option<Ordering> {
        let real = |number| match number {
            Self::Real(real) => real,
            Self::Whole(whole) => whole as f64,
        };
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => real(a).partial_cmp(&real(b)),
        }
    }
}

fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    text.parse().map(Number::Whole).ok().or_else(|| text.parse().map(Number::Real).ok()).filter(|_| plain)
}

fn boolean(literal: &Literal) -> Option<bool> {
    match literal {
        Literal::Boolean(flag) => Some(*flag),
        Literal::Integer(0) => Some(false),
        Literal::Integer(1) => Some(true),
        Literal::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Literal::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn incomparable() -> Gap {
    Gap::new(GapKind::Unsupported, "WQL comparison of different types")
}
