//! Expressions: what parses is within the bounds, and its canonical text parses to the same.

use weir_model::expression::{Expression, Field, computers, updates};

fn check<F: Field>(text: &str) -> bool {
    let Ok(expression) = Expression::<F>::parse(text) else { return false };
    let canonical = expression.to_string();
    assert_eq!(Expression::parse(&canonical).as_ref(), Ok(&expression), "{canonical}");
    let bound = expression.bind(jiff::Timestamp::UNIX_EPOCH);
    assert!(!bound.depends().time, "{canonical}");
    true
}

pub(super) fn run(data: &[u8]) -> bool {
    let text = &*String::from_utf8_lossy(data);
    let of_updates = check::<updates::Field>(text);
    check::<computers::Field>(text) || of_updates
}
