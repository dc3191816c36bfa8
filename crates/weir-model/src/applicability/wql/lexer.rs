//! Words of a query.

use super::super::Gap;
use super::parser::unsupported;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A keyword or the name of a class or property.
    Word(String),
    /// A text in quotation marks, escapes resolved.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Real(f64),
    /// An operator or a mark.
    Mark(&'static str),
}

/// Cuts a query into words.
pub(super) fn tokens(query: &str) -> Result<Vec<Token>, Gap> {
    /// The longer ones first.
    const MARKS: [&str; 11] = ["<>", "!=", "<=", ">=", "<", ">", "=", "(", ")", ",", "*"];
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, behind) = if first == '\'' || first == '"' {
            text(rest, first)?
        } else if first.is_ascii_digit() || (first == '-' && rest.get(1..).is_some_and(starts_with_digit)) {
            number(rest)?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let (word, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
            (Token::Word(word.to_owned()), behind)
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark)).ok_or_else(|| unsupported(rest))?;
            (Token::Mark(mark), rest.strip_prefix(mark).unwrap_or_default())
        };
        tokens.push(token);
        rest = behind.trim_start();
    }
    Ok(tokens)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// A backslash stands before a backslash or a quotation mark.
fn text(from: &str, quote: char) -> Result<(Token, &str), Gap> {
    let mut text = String::new();
    let mut characters = from.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Ok((Token::Text(text), from.get(at + 1..).unwrap_or_default()));
        }
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some((_, escaped @ ('\\' | '\'' | '"'))) => text.push(escaped),
            _ => return Err(unsupported(from)),
        }
    }
    Err(unsupported(from))
}

fn number(from: &str) -> Result<(Token, &str), Gap> {
    let digits = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let length = from.bytes().take_while(digits).count();
    let (number, behind) = from.split_at_checked(length).unwrap_or((from, ""));
    // Hexadecimal numbers, exponents and the like.
    if behind.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
        return Err(unsupported(from));
    }
    let token = match number.parse() {
        Ok(whole) => Token::Integer(whole),
        Err(_) => Token::Real(number.parse().map_err(|_| unsupported(from))?),
    };
    Ok((token, behind))
}
