//! The fast half of the reader: plain tags, plain and escaped texts, lists of numbers, and elements skipped whole. Each does its work
//! completely or not at all; what is odd is left to the tokenizer.

use std::ops::Range;

use super::{Cursor, Malformed, Namespace, scan};

impl<'a> Cursor<'a> {
    /// Skips the content of the open element without reading it, as far as that is safe. Returns where its content is:
    /// from behind the start tag to behind the end tag, in bytes of the body.
    pub(crate) fn skip_fast(&mut self) -> Result<Range<usize>, Malformed> {
        let start = self.position;
        let name = self.open_name();
        let length = if self.hollow { None } else { scan::end_tag(self.rest(), name.as_bytes()) };
        match length {
            Some(length) => {
                self.position += length + name.len() + 3;
                self.close();
            }
            None => self.skip()?,
        }
        Ok(start..self.position)
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.rest().len()
    }

    /// Reads numbers from the children of the open element, as long as they are plainly written.
    pub(crate) fn plain_numbers(&mut self, mut each: impl FnMut(i32) -> bool) {
        if self.hollow {
            return;
        }
        self.position += scan::blanks(self.rest());
        let Some((name, false)) = scan::plain_start(self.rest()) else { return };
        let Ok(name) = std::str::from_utf8(name) else { return };
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let namespace = self.namespace(prefix);
        if local != "int" || !(namespace == Some(self.expected) || namespace == Some(Namespace::Reporting)) {
            return;
        }
        self.position += scan::numbers(self.rest(), name.as_bytes(), &mut each);
    }

    /// Reads the end tag of the open element, if it is what comes next and has no blanks in it.
    pub(super) fn plain_end(&mut self) -> bool {
        let name = self.open_name();
        let tag = self.rest().strip_prefix(b"</").and_then(|rest| rest.strip_prefix(name.as_bytes()));
        if tag.and_then(|rest| rest.first()) != Some(&b'>') {
            return false;
        }
        self.position += name.len() + 3;
        true
    }

    /// Reads a start tag without attributes, if it is what comes next: its name, and whether it is `<x/>`.
    pub(super) fn plain_start(&mut self) -> Option<(&'a str, bool)> {
        let (name, hollow) = scan::plain_start(self.rest())?;
        let start = self.position + 1;
        let end = start + name.len();
        self.position = end + 1 + usize::from(hollow);
        Some((self.text.get(start..end)?, hollow))
    }

    /// Reads the text of the open element and its end tag, if they are plain.
    pub(super) fn plain_text(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let length = memchr::memchr(b'<', rest)?;
        let odd = |byte: &u8| *byte == b'&' || (*byte < b' ' && !matches!(byte, b'\t' | b'\n'));
        if length > self.limits.text || rest.get(..length)?.iter().any(odd) {
            return None;
        }
        let start = self.position;
        self.position += length;
        if self.plain_end() {
            self.text.get(start..start + length)
        } else {
            self.position = start;
            None
        }
    }

    /// Reads the text of the open element and its end tag, if there is nothing else in it than text and references: the
    /// documents of updates are such texts, with a reference in every few bytes.
    pub(super) fn escaped_text(&mut self) -> Option<String> {
        let rest = self.rest();
        let length = memchr::memchr(b'<', rest)?;
        let start = self.position;
        let text = self.text.get(start..start + length)?;
        // References become shorter, never longer.
        if length > self.limits.text.saturating_mul(5) {
            return None;
        }
        let plain = unescape(text)?;
        if plain.len() > self.limits.text {
            return None;
        }
        self.position += length;
        if self.plain_end() {
            Some(plain)
        } else {
            self.position = start;
            None
        }
    }
}

/// Resolves references and normalises line ends (XML 1.0 section 2.11) in one pass. `None` if there is a reference that
/// is not known here, or a character that does not belong.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'&', b'\r', rest.as_bytes()) {
        let (plain, tail) = rest.split_at_checked(at)?;
        out.push_str(plain);
        if let Some(after) = tail.strip_prefix('\r') {
            out.push('\n');
            rest = after.strip_prefix('\n').unwrap_or(after);
            continue;
        }
        let (c, after) = reference(tail)?;
        out.push(c);
        rest = after;
    }
    out.push_str(rest);
    let odd = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    (!out.bytes().any(odd)).then_some(out)
}

/// The character of a reference at the start of a text, and what follows it.
fn reference(text: &str) -> Option<(char, &str)> {
    const NAMED: [(&str, char); 6] =
        [("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&amp;", '&'), ("&#xD;", '\r'), ("&apos;", '\'')];
    if let Some(found) = NAMED.iter().find_map(|(name, c)| Some((*c, text.strip_prefix(*name)?))) {
        return Some(found);
    }
    let (number, after) = text.strip_prefix("&#")?.split_once(';')?;
    let code = match number.strip_prefix('x') {
        Some(hex) if !hex.starts_with('+') => u32::from_str_radix(hex, 16).ok()?,
        None if !number.starts_with('+') => number.parse().ok()?,
        _ => return None,
    };
    // Zero is left to the general reader, which refuses it.
    char::from_u32(code).filter(|&c| c != '\0').map(|c| (c, after))
}
