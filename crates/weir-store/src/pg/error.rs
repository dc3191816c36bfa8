//! What PostgreSQL's answers mean to callers.

use std::{error::Error as _, io};

use tokio_postgres::{
    Error,
    error::{DbError, Severity},
};

use crate::{StoreError, db::rule};

/// Kinds of answers that callers tell apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Busy,
    Damaged,
    DiskFailed,
    DiskFull,
    Lost,
    Other,
    Rule,
}

/// The kind of a code of the SQL standard or of PostgreSQL (its appendix A).
fn kind(code: &str) -> Kind {
    match code {
        // serialization failure, deadlock, lock not available, statement cancelled, object in use, out of memory or locks
        "40001" | "40P01" | "55P03" | "57014" | "55006" | "53000" | "53200" => Kind::Busy,
        // the server or this session was ended, or it takes no more; only a standby answers
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "53300" | "25006" => Kind::Lost,
        "53100" => Kind::DiskFull,
        "58000" | "58030" | "58P01" | "58P02" | "F0000" | "F0001" => Kind::DiskFailed,
        "XX001" | "XX002" => Kind::Damaged,
        // a trigger refused
        "P0001" => Kind::Rule,
        code if code.starts_with("23") => Kind::Rule,
        code if code.starts_with("08") => Kind::Lost,
        _ => Kind::Other,
    }
}

/// Sorts an answer of the engine into the kinds that callers tell apart.
pub(super) fn failed(place: &str, action: &'static str, error: Error) -> StoreError {
    let Some(answer) = error.as_db_error() else {
        return if is_lost(&error) {
            StoreError::Unreachable { action, place: place.to_owned(), source: error.into() }
        } else {
            StoreError::Query { action, source: error.into() }
        };
    };
    match kind(answer.code().code()) {
        Kind::Busy => StoreError::Busy { action },
        Kind::Damaged => StoreError::Corrupt { what: answer.message().to_owned() },
        Kind::DiskFailed => StoreError::DiskFailed { action, source: error.into() },
        Kind::DiskFull => StoreError::DiskFull { action },
        Kind::Rule => StoreError::Constraint { action, rule: broken(answer) },
        Kind::Other if !ends_session(answer) && !is_outdated(answer) => {
            StoreError::Query { action, source: error.into() }
        }
        Kind::Lost | Kind::Other => StoreError::Unreachable { action, place: place.to_owned(), source: error.into() },
    }
}

/// The connection is gone, or of no use any more.
pub(super) fn is_lost(error: &Error) -> bool {
    match error.as_db_error() {
        Some(answer) => kind(answer.code().code()) == Kind::Lost || ends_session(answer) || is_outdated(answer),
        None => {
            let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
            error.is_closed() || cause.is_some_and(broke_off)
        }
    }
}

/// After this nothing is known of what the connection has in store for the next statement.
pub(super) fn is_unusable(error: &Error) -> bool {
    error.as_db_error().is_none() || is_lost(error)
}

/// The way to the server failed, and not the form of what came.
fn broke_off(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

fn ends_session(answer: &DbError) -> bool {
    matches!(answer.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// What the connection has prepared is of no use any more: a column has another type since another server brought the schema up to date,
/// or something between here and the server gave the connection another session. A new connection prepares anew.
fn is_outdated(answer: &DbError) -> bool {
    outdated(answer.code().code(), answer.routine())
}

fn outdated(code: &str, routine: Option<&str>) -> bool {
    // no such prepared statement; "cached plan must not change result type", whose code says less than who says it
    code == "26000" || code == "0A000" && routine == Some("RevalidateCachedQuery")
}

/// A broken rule in words. What was to be stored is left out: it may be a secret.
fn broken(answer: &DbError) -> String {
    let table = answer.table().unwrap_or_default();
    let known = match answer.code().code() {
        "23503" => "FOREIGN KEY".to_owned(),
        "23505" => format!("{table}.{} {}", columns(answer.detail()), answer.constraint().unwrap_or_default()),
        // what a trigger refuses, it says in words
        _ => answer.message().to_owned(),
    };
    rule(&known).unwrap_or_else(|| answer.message().to_owned())
}

/// The columns in `Key (kind, subject)=(1, x) already exists.`, in whatever language the server speaks.
fn columns(detail: Option<&str>) -> &str {
    let detail = detail.unwrap_or_default();
    let end = detail.find(")=(").unwrap_or_default();
    detail.get(..end).and_then(|before| before.split_once('(')).map_or("", |(_, columns)| columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted() {
        for (codes, wanted) in [
            ("40001 40P01 55P03 57014", Kind::Busy),
            ("57P01 57P02 57P03 53300 08006 08001 08P01 25006 25P03", Kind::Lost),
            ("53100", Kind::DiskFull),
            ("58030 58P01 F0000", Kind::DiskFailed),
            ("XX001 XX002", Kind::Damaged),
            ("23505 23503 23514 23502 23000 P0001", Kind::Rule),
            ("42601 42P18 22P02 25P02 XX000 0A000 28P01 3D000", Kind::Other),
        ] {
            for code in codes.split(' ') {
                assert_eq!(kind(code), wanted, "{code}");
            }
        }
    }

    #[test]
    fn what_was_prepared_may_be_of_no_use_any_more() {
        assert!(outdated("26000", Some("FetchPreparedStatement")) && outdated("0A000", Some("RevalidateCachedQuery")));
        assert!(
            !outdated("0A000", Some("transformLockingClause")) && !outdated("0A000", None) && !outdated("42601", None)
        );
    }

    #[test]
    fn columns_are_read_from_details() {
        assert_eq!(columns(Some("Key (kind, subject)=(1, a)=(b) already exists.")), "kind, subject");
        assert_eq!(columns(Some("Schlüssel »(name_key)=(ä)« existiert bereits.")), "name_key");
        assert_eq!(columns(Some("Failing row contains (1, 2).")), "");
        assert_eq!(columns(None), "");
    }

    #[test]
    fn rules_have_the_words_of_the_embedded_database() {
        for (given, wanted) in [
            ("alert.kind, subject alert_open", "one open alert"),
            ("collection.name_key collection_name_key_key", "names of collections"),
            ("deployment.update_no, collection_id deployment_own_by_update", "one deployment per update and"),
            ("deployment.group_id, collection_id deployment_by_group", "one deployment per update group"),
            ("site.one site_pkey", "a site has one identity"),
            ("FOREIGN KEY", "it refers to something"),
            ("the audit log is append only", "append only"),
        ] {
            assert!(rule(given).is_some_and(|words| words.contains(wanted)), "{given}");
        }
        assert_eq!(rule("another"), None);
    }
}
