//! Byte scanners for the two parts of a scan request that are large: lists of numbers and the device list.
//!
//! Both work on bytes of a text that is known to be UTF-8, decide only what they are sure of, and leave everything odd
//! to the general reader.

use memchr::{memchr, memmem};

/// Reads a run of `<name>123</name>` with blanks between them, from `position` on, and calls `each` for every number.
///
/// Returns the position of the first byte that does not fit (which is the end tag of the list if all is plain). Stops
/// when `each` returns false.
pub(super) fn numbers(text: &[u8], position: usize, name: &[u8], each: impl FnMut(i32) -> bool) -> usize {
    // The usual name as a constant, so that comparing it costs a load and not a call.
    if name == b"int" { run(text, position, b"int", each) } else { run(text, position, name, each) }
}

#[expect(clippy::inline_always, reason = "the name must become a constant in the loop")]
#[inline(always)]
fn run(text: &[u8], mut position: usize, name: &[u8], mut each: impl FnMut(i32) -> bool) -> usize {
    loop {
        let Some(rest) = text.get(position..) else { return position };
        let Some((number, length)) = item(rest, name) else {
            let blanks = blanks(rest);
            if blanks == 0 {
                return position;
            }
            position += blanks;
            continue;
        };
        if !each(number) {
            return position;
        }
        position += length;
    }
}

/// One `<name>123</name>` at the start of `text`: the number and the length of the whole.
#[expect(clippy::inline_always, reason = "the name must become a constant in the loop")]
#[inline(always)]
fn item(text: &[u8], name: &[u8]) -> Option<(i32, usize)> {
    let rest = text.strip_prefix(b"<")?.strip_prefix(name)?.strip_prefix(b">")?;
    let mut number: i64 = 0;
    let mut count = 0;
    for &byte in rest.iter().take(11) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number * 10 + i64::from(digit);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let number = i32::try_from(number).ok()?;
    let rest = rest.get(count..)?.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")?;
    Some((number, text.len() - rest.len()))
}

/// How many blanks `text` begins with.
pub(super) fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// The name in the plain start tag (no attributes, not empty) at the start of `text`.
pub(super) fn plain_start(text: &[u8]) -> Option<&[u8]> {
    let window = text.get(..text.len().min(64))?;
    let inner = window.strip_prefix(b"<")?;
    let name = inner.get(..memchr(b'>', inner)?)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
    (name.first()?.is_ascii_alphabetic() && name.iter().all(plain)).then_some(name)
}

/// The position of the end tag of the element `name`, whose content begins at `position`, found without reading what is
/// between: only if no comment, CDATA section, processing instruction or element of the same name is in the way, and the
/// start and end tags in between are equally many.
pub(super) fn end_tag(text: &[u8], position: usize, name: &[u8]) -> Option<usize> {
    let content = text.get(position..)?;
    let mut wanted = Vec::with_capacity(name.len() + 2);
    wanted.extend_from_slice(b"</");
    wanted.extend_from_slice(name);
    let length = memmem::find(content, &wanted)?;
    let after = content.get(length + wanted.len()..)?;
    if after.first() != Some(&b'>') {
        return None;
    }
    let content = content.get(..length)?;
    let nested = memmem::find(content, wanted.get(2..)?).is_some();
    (!nested && balanced(content)).then_some(position + length)
}

/// Whether the tags in `content` are balanced in number. False if it holds `<!` or `<?`, or a `>` in text that makes
/// counting unsure.
fn balanced(content: &[u8]) -> bool {
    let mut tags = 0_usize;
    let mut ends = 0_usize;
    let mut hollow = 0_usize;
    let mut other = 0_usize;
    // Blocks of less than 256 pairs, so that the counters of the inner loop are bytes and the loop runs on vectors.
    for start in (0..content.len()).step_by(240) {
        let Some(block) = content.get(start..content.len().min(start + 241)) else { return false };
        let (mut t, mut e, mut h, mut o) = (0_u8, 0_u8, 0_u8, 0_u8);
        for (&first, &second) in block.iter().zip(block.iter().skip(1)) {
            let open = u8::from(first == b'<');
            t += open;
            e += open & u8::from(second == b'/');
            o += open & (u8::from(second == b'!') | u8::from(second == b'?'));
            h += u8::from(first == b'/') & u8::from(second == b'>');
        }
        tags += usize::from(t);
        ends += usize::from(e);
        hollow += usize::from(h);
        other += usize::from(o);
    }
    // A '<' in the very last place begins no tag.
    content.last() != Some(&b'<') && other == 0 && tags == 2 * ends + hollow
}
