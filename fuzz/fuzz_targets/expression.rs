//! Expressions: what parses is within the bounds, and its canonical text parses to the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::expression::{Expression, Field, computers, updates};

fn check<F: Field>(text: &str) {
    if let Ok(expression) = Expression::<F>::parse(text) {
        let canonical = expression.to_string();
        assert_eq!(Expression::parse(&canonical).as_ref(), Ok(&expression), "{canonical}");
        let bound = expression.bind(jiff::Timestamp::UNIX_EPOCH);
        assert!(!bound.depends().time, "{canonical}");
    }
}

fuzz_target!(|text: &str| {
    check::<updates::Field>(text);
    check::<computers::Field>(text);
});
