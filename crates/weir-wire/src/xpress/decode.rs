use super::{BLOCK_HEADER, MAX_BLOCK, XpressError};

/// Decodes a whole body. `limit` bounds the decoded bytes.
pub fn decompress(body: &[u8], limit: usize) -> Result<Vec<u8>, XpressError> {
    // The framing is cheap to walk and gives the size, so that nothing is decoded that the limit forbids.
    let mut total = 0_usize;
    for frame in Frames::new(body) {
        total = total.saturating_add(frame?.original);
        if total > limit {
            return Err(XpressError::Limit { limit });
        }
    }
    let mut out = Vec::new();
    for frame in Frames::new(body) {
        let frame = frame?;
        if frame.payload.len() == frame.original {
            out.extend_from_slice(frame.payload);
        } else {
            decode_block(frame.payload, frame.original, frame.index, &mut out)?;
        }
    }
    Ok(out)
}

/// Decodes one payload that is not stored raw and appends the text to `out`. On an error `out` may have grown by part of the
/// text.
pub fn decode_payload(payload: &[u8], original: usize, out: &mut Vec<u8>) -> Result<(), XpressError> {
    decode_block(payload, original, 0, out)
}

/// One block as framed.
pub(super) struct Frame<'a> {
    pub(super) index: usize,
    pub(super) original: usize,
    pub(super) payload: &'a [u8],
}

/// The blocks of a body, with checked sizes. Ends after the first error.
pub(super) struct Frames<'a> {
    rest: &'a [u8],
    index: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, index: 0 }
    }

    fn frame(&mut self) -> Result<Frame<'a>, XpressError> {
        let block = self.index;
        let rest = std::mem::take(&mut self.rest);
        let cut = |wanted, found| XpressError::Truncated { block, wanted, found };
        let (original, tail) = rest.split_first_chunk::<4>().ok_or_else(|| cut(BLOCK_HEADER, rest.len()))?;
        let (payload, tail) = tail.split_first_chunk::<4>().ok_or_else(|| cut(BLOCK_HEADER, rest.len()))?;
        let (original, payload) = (u32::from_le_bytes(*original), u32::from_le_bytes(*payload));
        // Both are signed in the specification; a negative one is far above the bound here.
        for size in [original, payload] {
            if size == 0 || size as usize > MAX_BLOCK {
                return Err(XpressError::Size { block, size });
            }
        }
        let (original, size) = (original as usize, payload as usize);
        let (payload, tail) = tail.split_at_checked(size).ok_or_else(|| cut(size, tail.len()))?;
        self.rest = tail;
        self.index += 1;
        Ok(Frame { index: block, original, payload })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, XpressError>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.frame())
    }
}

/// A cursor over a payload; every read past the end is the same error.
struct Input<'a> {
    bytes: &'a [u8],
    position: usize,
    end: XpressError,
}

impl<'a> Input<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], XpressError> {
        let rest = self.bytes.get(self.position..).and_then(|rest| rest.first_chunk::<N>());
        let taken = *rest.ok_or_else(|| self.end.clone())?;
        self.position += N;
        Ok(taken)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], XpressError> {
        let end = self.position + length;
        let slice = self.bytes.get(self.position..end).ok_or_else(|| self.end.clone())?;
        self.position = end;
        Ok(slice)
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.position
    }
}

/// MS-XCA 2.4.4. The text starts at the present end of `out`.
fn decode_block(payload: &[u8], original: usize, block: usize, out: &mut Vec<u8>) -> Result<(), XpressError> {
    let wrong_length = XpressError::Length { block, wanted: original };
    let mut input = Input { bytes: payload, position: 0, end: wrong_length.clone() };
    let start = out.len();
    let end = start + original;
    out.reserve(original);

    let mut flags = 0_u32;
    let mut flag_count = 0_u32;
    // Where the high nibble of a shared length byte waits for its use.
    let mut half: Option<u8> = None;

    while out.len() < end {
        if flag_count == 0 {
            flags = u32::from_le_bytes(input.take()?);
            flag_count = 32;
        }
        let literals = (flags.leading_zeros().min(flag_count) as usize).min(end - out.len());
        if literals > 0 {
            out.extend_from_slice(input.slice(literals)?);
            flags = flags.checked_shl(literals as u32).unwrap_or(0);
            flag_count -= literals as u32;
            continue;
        }
        flags <<= 1;
        flag_count -= 1;

        let [low, high] = input.take()?;
        let word = u16::from_le_bytes([low, high]);
        let offset = usize::from(word >> 3) + 1;
        let mut length = usize::from(word & 7);
        if length == 7 {
            length = match half.take() {
                None => {
                    let [shared] = input.take()?;
                    half = Some(shared >> 4);
                    usize::from(shared & 15)
                }
                Some(nibble) => usize::from(nibble),
            };
            if length == 15 {
                let [byte] = input.take()?;
                length = usize::from(byte);
                if length == 255 {
                    length = usize::from(u16::from_le_bytes(input.take()?));
                    // The 16-bit form holds the whole length less 3, and is used above 279 only. A zero would announce a
                    // 32-bit length (MS-XCA), which no block of 65,535 bytes needs.
                    length = length.checked_sub(15 + 7).ok_or(XpressError::Match { block })?;
                }
                length += 15;
            }
            length += 7;
        }
        length += 3;

        if offset > out.len() - start {
            return Err(XpressError::Match { block });
        }
        if length > end - out.len() {
            return Err(wrong_length);
        }
        copy_match(out, offset, length);
    }

    // What may be left is the flag word that holds nothing but the end mark.
    let rest = if flag_count == 0 { 4 } else { 0 };
    if input.left() == 0 || input.left() == rest { Ok(()) } else { Err(wrong_length) }
}

/// Repeats `length` bytes from `offset` back, which the caller has checked to lie in `out`. A match longer than its offset
/// repeats what it writes.
fn copy_match(out: &mut Vec<u8>, offset: usize, length: usize) {
    let from = out.len() - offset;
    let mut left = length;
    while left > 0 {
        // The bytes from `from` on repeat with period `offset`, so each turn can copy all there are by now.
        let available = (out.len() - from).min(left);
        out.extend_from_within(from..from + available);
        left -= available;
    }
}
