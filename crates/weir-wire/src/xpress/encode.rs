// Works on our own text only, never on what a peer sent, in the hottest loop of an answer. Every index is below the length
// that the line above it establishes.
#![expect(clippy::indexing_slicing, reason = "own input; positions stay below the lengths checked beside them")]

use super::{BLOCK_HEADER, MAX_BLOCK};

/// How far back a match may lie.
const WINDOW: usize = 8192;
const MIN_MATCH: usize = 3;
const MAX_HASH_BITS: u32 = 13;
/// Texts this short are stored raw: no match could pay for the flag word.
const TINY: usize = 8;

/// Compresses a text of any length into whole framed blocks appended to `out`, greedily with one probe.
///
/// An empty text gives no block. Blocks are as long as the protocol allows.
pub fn compress_into(out: &mut Vec<u8>, plain: &[u8]) {
    for block in plain.chunks(MAX_BLOCK) {
        block_into(out, block);
    }
}

/// [`compress_into`] a vector of its own.
pub fn compress_greedy(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() / 4 + BLOCK_HEADER);
    compress_into(&mut out, plain);
    out
}

/// The framed blocks of a text one by one, for bodies written as a stream.
pub fn blocks(plain: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    plain.chunks(MAX_BLOCK).map(|block| {
        let mut out = Vec::new();
        block_into(&mut out, block);
        out
    })
}

/// Appends one framed block of at most [`MAX_BLOCK`] bytes.
fn block_into(out: &mut Vec<u8>, plain: &[u8]) {
    let head = out.len();
    out.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let payload = head + BLOCK_HEADER;
    let size = encode_payload(out, plain).unwrap_or_else(|| {
        out.truncate(payload);
        out.extend_from_slice(plain);
        plain.len()
    });
    out[head + 4..payload].copy_from_slice(&(size as u32).to_le_bytes());
}

/// The payload being written: items go to `position`, their flags to `flags_at` once there are 32.
struct Payload<'a> {
    bytes: &'a mut [u8],
    position: usize,
    flags: u32,
    flag_count: u32,
    flags_at: usize,
    /// Where the shared length byte is whose high nibble is still free.
    half: Option<usize>,
}

impl Payload<'_> {
    #[inline]
    fn flush_flags(&mut self) {
        self.bytes[self.flags_at..self.flags_at + 4].copy_from_slice(&self.flags.to_le_bytes());
        self.flags = 0;
        self.flag_count = 0;
        self.flags_at = self.position;
        self.position += 4;
    }

    #[inline]
    fn byte(&mut self, value: usize) {
        self.bytes[self.position] = value as u8;
        self.position += 1;
    }

    #[inline]
    fn word(&mut self, value: usize) {
        self.bytes[self.position..self.position + 2].copy_from_slice(&(value as u16).to_le_bytes());
        self.position += 2;
    }

    #[inline]
    fn literals(&mut self, mut run: &[u8]) {
        while !run.is_empty() {
            let count = run.len().min(32 - self.flag_count as usize);
            let (now, later) = run.split_at(count);
            self.bytes[self.position..self.position + count].copy_from_slice(now);
            self.position += count;
            self.flags = self.flags.checked_shl(count as u32).unwrap_or(0);
            self.flag_count += count as u32;
            if self.flag_count == 32 {
                self.flush_flags();
            }
            run = later;
        }
    }

    #[inline]
    fn copy(&mut self, offset: usize, length: usize) {
        let length = length - MIN_MATCH;
        self.word((offset - 1) << 3 | length.min(7));
        if length >= 7 {
            self.long_length(length - 7);
        }
        self.flags = self.flags << 1 | 1;
        self.flag_count += 1;
        if self.flag_count == 32 {
            self.flush_flags();
        }
    }

    /// The part of a length beyond 10 (MS-WUSP 2.1.1.1.2): a nibble, then a byte, then a word that counts from 3 again.
    fn long_length(&mut self, length: usize) {
        let nibble = length.min(15);
        match self.half.take() {
            None => {
                self.half = Some(self.position);
                self.byte(nibble);
            }
            Some(shared) => self.bytes[shared] |= (nibble << 4) as u8,
        }
        if nibble == 15 {
            let length = length - 15;
            self.byte(length.min(255));
            if length >= 255 {
                self.word(length + 15 + 7);
            }
        }
    }

    /// Writes the end mark and gives the size.
    fn finish(mut self) -> usize {
        let unused = 32 - self.flag_count;
        self.flags = (u64::from(self.flags) << unused) as u32 | ((1_u64 << unused) - 1) as u32;
        let size = self.position;
        self.bytes[self.flags_at..self.flags_at + 4].copy_from_slice(&self.flags.to_le_bytes());
        size
    }
}

/// Appends the payload of MS-XCA 2.3.4; none, with garbage behind the old end, if it would not be smaller than the text.
fn encode_payload(out: &mut Vec<u8>, plain: &[u8]) -> Option<usize> {
    if plain.len() < TINY {
        return None;
    }
    let start = out.len();
    // All literals take a flag word per 32 bytes; matches only save.
    out.resize(start + plain.len() + plain.len() / 8 + 8, 0);
    let mut payload =
        Payload { bytes: &mut out[start..], position: 4, flags: 0, flag_count: 0, flags_at: 0, half: None };

    // Small texts get a small table: clearing it would cost more than compressing them.
    let bits = (usize::BITS - plain.len().leading_zeros()).clamp(8, MAX_HASH_BITS);
    let mut storage = [0_u16; 1 << MAX_HASH_BITS];
    let table = &mut storage[..1 << bits];
    find_matches(plain, table, 32 - bits, &mut payload);

    let size = payload.finish();
    out.truncate(start + size);
    (size < plain.len()).then_some(size)
}

/// The greedy parse. `table` maps a hash of four bytes to the last position that had it.
fn find_matches(plain: &[u8], table: &mut [u16], shift: u32, payload: &mut Payload<'_>) {
    let last = plain.len() - 4;
    let slot = |quad: u32| (quad.wrapping_mul(0x9e37_79b1) >> shift) as usize;
    let mut anchor = 0;
    let mut position = 1;
    table[slot(quad_at(plain, 0))] = 0;
    while position <= last {
        let quad = quad_at(plain, position);
        let entry = &mut table[slot(quad)];
        let candidate = usize::from(*entry);
        *entry = position as u16;
        let offset = position - candidate;
        if offset > WINDOW || quad_at(plain, candidate) != quad {
            // The longer nothing was found, the larger the steps: text that does not compress passes quickly.
            position += 1 + ((position - anchor) >> 6);
            continue;
        }
        let end = position + 4 + common_length(&plain[candidate + 4..], &plain[position + 4..]);
        // The match may have begun before the position where it was noticed.
        let (before, earlier) = (&plain[anchor..position], &plain[..candidate]);
        position -= before.iter().rev().zip(earlier.iter().rev()).take_while(|(a, b)| a == b).count();
        payload.literals(&plain[anchor..position]);
        payload.copy(offset, end - position);
        position = end;
        anchor = position;
        if position <= last {
            // One position inside the match keeps runs of similar markup linked.
            table[slot(quad_at(plain, position - 2))] = (position - 2) as u16;
        }
    }
    payload.literals(&plain[anchor..]);
}

#[inline]
fn quad_at(plain: &[u8], position: usize) -> u32 {
    let mut quad = [0; 4];
    quad.copy_from_slice(&plain[position..position + 4]);
    u32::from_le_bytes(quad)
}

/// Length of the common start; `later` is the shorter one.
#[inline]
fn common_length(earlier: &[u8], later: &[u8]) -> usize {
    let mut length = 0;
    for (one, other) in earlier.chunks_exact(8).zip(later.chunks_exact(8)) {
        let (mut a, mut b) = ([0; 8], [0; 8]);
        a.copy_from_slice(one);
        b.copy_from_slice(other);
        let difference = u64::from_le_bytes(a) ^ u64::from_le_bytes(b);
        if difference != 0 {
            return length + (difference.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + earlier[length..].iter().zip(&later[length..]).take_while(|(a, b)| a == b).count()
}
