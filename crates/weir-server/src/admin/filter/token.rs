//! Words, texts and signs of a filter.

/// A token with the character it starts at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) position: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Close,
    Open,
    /// `=`, `!=`, `~`, `<`, `<=`, `>`, `>=`.
    Sign(&'static str),
    /// In double quotes; `\"` and `\\` stand for a quote and a backslash.
    Text(String),
    /// Anything else without blanks.
    Word(String),
}

#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) position: usize,
    pub(super) message: String,
}

const SIGNS: [&str; 8] = ["!=", "<=", ">=", "==", "=", "~", "<", ">"];

/// Cuts a filter into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Wrong> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let position = |rest: &str| text.chars().count() - rest.chars().count();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let at = position(rest);
        let (kind, tail) = if let Some(tail) = rest.strip_prefix('(') {
            (Kind::Open, tail)
        } else if let Some(tail) = rest.strip_prefix(')') {
            (Kind::Close, tail)
        } else if let Some((sign, tail)) = SIGNS.iter().find_map(|sign| Some((*sign, rest.strip_prefix(sign)?))) {
            (Kind::Sign(if sign == "==" { "=" } else { sign }), tail)
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (value, tail) = text_value(quoted)
                .ok_or_else(|| Wrong { position: at, message: "a quote is not closed".to_owned() })?;
            (Kind::Text(value), tail)
        } else {
            let ends = |c: char| c.is_whitespace() || "()=!~<>\"".contains(c);
            let end = rest.find(ends).unwrap_or(rest.len());
            let (word, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if word.is_empty() {
                return Err(Wrong { position: at, message: format!("{first:?} does not belong here") });
            }
            (Kind::Word(word.to_owned()), tail)
        };
        tokens.push(Token { position: at, kind });
        rest = tail;
    }
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
