//! Every registered statement is one of both engines.

use std::collections::BTreeSet;

use weir_testkit::{engine::Direct, postgres::Database};

use crate::sql;

#[test]
fn every_statement_prepares_on_postgres() {
    let database = Database::fresh();
    let direct = Direct::at(database.url());
    let mut wrong = Vec::new();
    for statement in sql::all() {
        let text = statement.for_postgres().replace('?', "$");
        if let Err(error) = direct.try_batch(&format!("PREPARE one AS {text}; DEALLOCATE one")) {
            wrong.push(format!("{}: {error:#}\n{text}", statement.action));
        }
    }
    assert!(wrong.is_empty(), "{} statements:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The text for PostgreSQL is given the same values.
#[test]
fn both_texts_of_a_statement_have_the_same_placeholders() {
    let placeholders = |text: &str| -> BTreeSet<u32> {
        let numbers = text.split('?').skip(1).map(|rest| rest.split(|end: char| !end.is_ascii_digit()).next());
        numbers.filter_map(|number| number?.parse().ok()).collect()
    };
    for statement in sql::all() {
        let (text, twin) = (placeholders(statement.text), placeholders(statement.for_postgres()));
        assert_eq!(text, twin, "{}", statement.action);
        assert_eq!(text.last().map_or(0, |last| *last as usize), text.len(), "{} leaves one out", statement.action);
    }
}
