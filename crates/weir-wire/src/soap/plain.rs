//! The fast half of the reader: plain tags, plain texts, lists of numbers, and elements skipped whole. Each does its work
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
}
