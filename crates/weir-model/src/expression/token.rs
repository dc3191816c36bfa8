//! Words, texts and signs of an expression.

use super::parse::ParseError;

/// A token with the character it starts at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) position: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Close,
    /// Between the values of a list; elsewhere a comma is part of a word.
    Comma,
    Open,
    /// `=`, `!=`, `~`, `!~`, `<`, `<=`, `>`, `>=`.
    Sign(&'static str),
    /// In double quotes; `\"` and `\\` stand for a quote and a backslash.
    Text(String),
    /// Anything else without blanks.
    Word(String),
}

const SIGNS: [&str; 9] = ["!=", "!~", "<=", ">=", "==", "=", "~", "<", ">"];

/// Cuts an expression into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    let mut in_list = false;
    let mut position = 0;
    loop {
        let trimmed = rest.trim_start();
        position += count(rest, trimmed);
        rest = trimmed;
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (kind, tail) = if let Some(tail) = rest.strip_prefix('(') {
            in_list =
                matches!(tokens.last(), Some(Token { kind: Kind::Word(word), .. }) if word.eq_ignore_ascii_case("in"));
            (Kind::Open, tail)
        } else if let Some(tail) = rest.strip_prefix(')') {
            in_list = false;
            (Kind::Close, tail)
        } else if let Some(tail) = rest.strip_prefix(',').filter(|_| in_list) {
            (Kind::Comma, tail)
        } else if let Some((sign, tail)) = SIGNS.iter().find_map(|sign| Some((*sign, rest.strip_prefix(sign)?))) {
            (Kind::Sign(if sign == "==" { "=" } else { sign }), tail)
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (value, tail) = text_value(quoted).ok_or_else(|| ParseError::new(position, "a quote is not closed"))?;
            (Kind::Text(value), tail)
        } else {
            let ends = |c: char| c.is_whitespace() || "()=!~<>\"".contains(c) || (in_list && c == ',');
            let end = rest.find(ends).unwrap_or(rest.len());
            let (word, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if word.is_empty() {
                return Err(ParseError::new(position, format!("{first:?} does not belong here")));
            }
            (Kind::Word(word.to_owned()), tail)
        };
        tokens.push(Token { position, kind });
        position += count(rest, tail);
        rest = tail;
    }
}

/// Characters of `text` before `tail`, its end.
fn count(text: &str, tail: &str) -> usize {
    text.get(..text.len() - tail.len()).unwrap_or_default().chars().count()
}

fn text_value(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, quoted.get(at + 1..).unwrap_or_default())),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}
