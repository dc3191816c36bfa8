//! Texts of statements as PostgreSQL takes them.

use std::borrow::Cow;

/// Writes placeholders `?1` as `$1`. What stands in quotes or in a comment stays as it is, and so does a `?` without a number.
pub(super) fn placeholders(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut written = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match byte {
            b'\'' => at = after_quote(bytes, at, escapes(bytes, at)),
            b'"' => at = after_quote(bytes, at, false),
            b'-' if next == Some(&b'-') => at = after_line(bytes, at),
            b'/' if next == Some(&b'*') => at = after_comment(bytes, at),
            b'?' if next.is_some_and(u8::is_ascii_digit) => {
                written.push_str(&text[kept..at]);
                written.push('$');
                at += 1;
                kept = at;
            }
            _ => at += 1,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    written.push_str(&text[kept..]);
    Cow::Owned(written)
}

/// Whether a quote opens a text in which a backslash escapes: `E'...'`.
fn escapes(bytes: &[u8], quote: usize) -> bool {
    let before = |back: usize| quote.checked_sub(back).and_then(|at| bytes.get(at));
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    before(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'e')) && !before(2).is_some_and(in_word)
}

/// The place after what the quote at `open` opens. A doubled quote ends a text and begins the next one, which comes to the same.
fn after_quote(bytes: &[u8], open: usize, escapes: bool) -> usize {
    let quote = bytes[open];
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte == quote {
            break;
        }
        if escapes && *byte == b'\\' {
            at += 1;
        }
    }
    at.min(bytes.len())
}

fn after_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length)
}

/// The place after a comment, which may have others inside.
fn after_comment(bytes: &[u8], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_usize);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth = depth.saturating_sub(1);
                at += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// Whether a statement changes nothing.
pub(super) fn is_reading(text: &str) -> bool {
    let text = text.trim_start();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    begins("SELECT")
        || begins("VALUES")
        || begins("WITH") && !["INSERT INTO", "UPDATE ", "DELETE FROM"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_rewritten_outside_of_quotes() {
        for (given, wanted) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT ?1, ?23 WHERE a = ?2", "SELECT $1, $23 WHERE a = $2"),
            ("SELECT '?1', ?1", "SELECT '?1', $1"),
            ("SELECT 'it''s ?1' || ?1", "SELECT 'it''s ?1' || $1"),
            ("SELECT \"a?1\"\"?2\", ?3", "SELECT \"a?1\"\"?2\", $3"),
            ("SELECT ?1 -- and ?2\n, ?3", "SELECT $1 -- and ?2\n, $3"),
            ("SELECT ?1 /* ?2 /* ?3 */ ' ?4 */ , ?5", "SELECT $1 /* ?2 /* ?3 */ ' ?4 */ , $5"),
            ("SELECT E'\\'?1' || ?1", "SELECT E'\\'?1' || $1"),
            // a backslash is a letter in an ordinary text
            ("SELECT 'a\\' || ?1 || 'b'", "SELECT 'a\\' || $1 || 'b'"),
            ("SELECT name'?1', ?1", "SELECT name'?1', $1"),
            ("SELECT a ? 'key', ?1", "SELECT a ? 'key', $1"),
            ("SELECT 'Zürich ?1', ?1 || 'Ä'", "SELECT 'Zürich ?1', $1 || 'Ä'"),
            ("SELECT ?1, 'open ?2", "SELECT $1, 'open ?2"),
            ("SELECT a -1 - ?1 / ?2 * 3", "SELECT a -1 - $1 / $2 * 3"),
        ] {
            assert_eq!(placeholders(given), wanted);
        }
    }

    #[test]
    fn every_statement_keeps_no_placeholder_of_the_other_kind() {
        for statement in crate::sql::all() {
            let text = placeholders(statement.for_postgres());
            let left = text.as_bytes().windows(2).any(|pair| pair[0] == b'?' && pair[1].is_ascii_digit());
            assert!(!left, "{}: {text}", statement.action);
        }
    }

    #[test]
    fn statements_that_write_are_told_from_those_that_read() {
        for reading in ["SELECT 1", "  select 1", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)"] {
            assert!(is_reading(reading), "{reading}");
        }
        for writing in [
            "INSERT INTO a (b) VALUES (?1) RETURNING b",
            "UPDATE a SET b = 1",
            "DELETE FROM a",
            "WITH a AS (SELECT 1) INSERT INTO b (c) SELECT * FROM a",
            "WITH a AS (DELETE FROM b RETURNING c) SELECT * FROM a",
        ] {
            assert!(!is_reading(writing), "{writing}");
        }
    }
}
