//! The text of `.reg` files: characters, lines, quotes, bytes in hexadecimal.

use std::borrow::Cow;

use super::super::registry::{LONGEST_DATA, from_utf16};

/// The text of a file, whatever it is written in.
pub(super) fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => from_utf16(rest).map(Cow::Owned),
        [0xFE, 0xFF, rest @ ..] => {
            let (pairs, odd) = rest.as_chunks::<2>();
            let little: Vec<u8> = pairs.iter().flat_map(|[high, low]| [*low, *high]).collect();
            if odd.is_empty() { from_utf16(&little).map(Cow::Owned) } else { None }
        }
        // without a mark, as some tools write it
        [first, 0, ..] if *first != 0 => from_utf16(bytes).map(Cow::Owned),
        [0xEF, 0xBB, 0xBF, rest @ ..] => Some(narrow(rest)),
        bytes => Some(narrow(bytes)),
    }
}

fn narrow(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Lines, one after the other.
pub(super) struct Lines<'t> {
    lines: std::str::Lines<'t>,
    number: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { lines: text.lines(), number: 0 }
    }

    /// The number of the line that was read last.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    fn next(&mut self) -> Option<&'t str> {
        self.number += 1;
        self.lines.next()
    }

    /// The next line that is not blank.
    pub(super) fn next_filled(&mut self) -> Option<&'t str> {
        loop {
            let line = self.next()?;
            if !line.trim().is_empty() {
                return Some(line);
            }
        }
    }

    /// Text in quotes, and what follows it. A text may go on in the next line, since an export breaks it there.
    pub(super) fn unquote(&mut self, line: &str) -> Option<(String, String)> {
        let mut text = String::new();
        let mut rest = line.strip_prefix('"')?.to_owned();
        loop {
            let mut characters = rest.char_indices();
            while let Some((at, character)) = characters.next() {
                match character {
                    '"' => {
                        let after = rest.get(at + 1..).unwrap_or_default().to_owned();
                        return Some((text, after)).filter(|(text, _)| !text.contains('\0'));
                    }
                    '\\' => text.push(characters.next().map(|(_, escaped)| escaped)?),
                    other => text.push(other),
                }
                if text.len() > LONGEST_DATA {
                    return None;
                }
            }
            text.push_str("\r\n");
            self.next()?.clone_into(&mut rest);
        }
    }
}

/// Text with quotes around it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Bytes with commas between; a backslash at the end of a line goes on in the next one.
pub(super) fn hex(first: &str, lines: &mut Lines<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut line = first;
    loop {
        let content = line.split(';').next().unwrap_or_default().trim();
        let (content, goes_on) = match content.strip_suffix('\\') {
            Some(content) => (content.trim_end(), true),
            None => (content, false),
        };
        let mut parts = content.split(',').map(str::trim).peekable();
        while let Some(part) = parts.next() {
            // a comma at the end of a line that goes on, or nothing at all
            if part.is_empty() && parts.peek().is_none() && (goes_on || content.is_empty()) {
                break;
            }
            let fits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            bytes.push(if fits { u8::from_str_radix(part, 16).ok()? } else { return None });
        }
        if bytes.len() > LONGEST_DATA {
            return None;
        }
        if !goes_on {
            return Some(bytes);
        }
        line = lines.next()?;
    }
}
