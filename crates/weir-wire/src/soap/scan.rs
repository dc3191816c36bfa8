//! Byte scanners for the two parts of a scan request that are large: lists of numbers and the device list.
//!
//! Both work on bytes of a text that is known to be UTF-8, decide only what they are sure of, and leave everything odd
//! to the general reader.

use memchr::memmem;

/// Reads a run of `<name>123</name>` with blanks between them at the start of `text`, and calls `each` for every number.
///
/// Returns how many bytes fit; the next is that of the list's end tag if all is plain. Stops when `each` returns false.
pub(super) fn numbers(text: &[u8], name: &[u8], each: impl FnMut(i32) -> bool) -> usize {
    // The usual name as a constant, so that comparing it costs a load and not a call.
    if name == b"int" { run(text, b"int", each) } else { run(text, name, each) }
}

#[expect(clippy::inline_always, reason = "the name must become a constant in the loop")]
#[inline(always)]
fn run(text: &[u8], name: &[u8], mut each: impl FnMut(i32) -> bool) -> usize {
    let mut rest = text;
    loop {
        if let Some((number, tail)) = item(rest, name) {
            if !each(number) {
                break;
            }
            rest = tail;
        } else {
            let (_, tail) = rest.split_at(blanks(rest));
            if tail.len() == rest.len() {
                break;
            }
            rest = tail;
        }
    }
    text.len() - rest.len()
}

/// One `<name>123</name>` at the start of `text`: the number and what follows.
#[expect(clippy::inline_always, reason = "the name must become a constant in the loop")]
#[inline(always)]
fn item<'t>(text: &'t [u8], name: &[u8]) -> Option<(i32, &'t [u8])> {
    let rest = text.strip_prefix(b"<")?.strip_prefix(name)?.strip_prefix(b">")?;
    let (number, rest) = digits(rest)?;
    let rest = rest.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")?;
    Some((number, rest))
}

/// One to seven digits at the start of `text`, eight of its bytes at a time. Longer numbers are rare and left to the
/// general reader.
#[expect(clippy::inline_always, reason = "part of the loop over a list")]
#[inline(always)]
fn digits(text: &[u8]) -> Option<(i32, &[u8])> {
    let chunk = u64::from_le_bytes(*text.first_chunk::<8>()?);
    // A digit's byte becomes 0 to 9; anything else has a high half, or gets one when 6 is added. Carries spoil only
    // bytes behind the first that is no digit.
    let value = chunk ^ 0x3030_3030_3030_3030;
    let other = (value | value.wrapping_add(0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0;
    let count = (other.trailing_zeros() / 8) as usize;
    if count == 0 || count > 7 {
        return None;
    }
    // Right-aligned, with zeros in front; then pairs, fours and all eight are joined.
    let value = value << (64 - 8 * count);
    let value = (value.wrapping_mul(10) + (value >> 8)) & 0x00FF_00FF_00FF_00FF;
    let value = (value.wrapping_mul(100) + (value >> 16)) & 0x0000_FFFF_0000_FFFF;
    let value = (value.wrapping_mul(10_000) + (value >> 32)) & 0xFFFF_FFFF;
    Some((value as i32, text.get(count..)?))
}

/// How many blanks `text` begins with.
pub(super) fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// The name in a plain start tag (no attributes, no blanks) at the start of `text`, and whether it is `<x/>`.
pub(super) fn plain_start(text: &[u8]) -> Option<(&[u8], bool)> {
    let inner = text.strip_prefix(b"<")?;
    if !inner.first()?.is_ascii_alphabetic() {
        return None;
    }
    let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
    let length = inner.iter().take_while(plain).count();
    let (name, rest) = inner.split_at_checked(length)?;
    match rest {
        [b'>', ..] => Some((name, false)),
        [b'/', b'>', ..] => Some((name, true)),
        _ => None,
    }
}

/// The length of the content, at the start of `text`, of the element `name`, found without reading it: only if no
/// comment, CDATA section, processing instruction or element of the same name is in the way, and the start and end tags
/// in it are equally many.
pub(super) fn end_tag(text: &[u8], name: &[u8]) -> Option<usize> {
    let mut wanted = Vec::with_capacity(name.len() + 2);
    wanted.extend_from_slice(b"</");
    wanted.extend_from_slice(name);
    let length = memmem::find(text, &wanted)?;
    let (content, rest) = text.split_at_checked(length)?;
    if rest.get(wanted.len()) != Some(&b'>') {
        return None;
    }
    // An element of the same name inside would end before this one: its start makes the count uneven.
    balanced(content).then_some(length)
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
