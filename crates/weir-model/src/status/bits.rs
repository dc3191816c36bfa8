//! Primitives of the stored form: variable-length integers and ascending sets of numbers.

use super::StatusDecodeError;

/// Seven bits a byte, lowest first, the high bit on all but the last.
pub(super) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Numbers of either sign: 0, -1, 1, -2, ...
pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// An ascending set: count, then the gaps in a Rice code (a quotient in unary and `k` low bits), which comes within a few percent of
/// the least space that any code takes for a set of this density.
pub(super) fn write_set(out: &mut Vec<u8>, set: &[u32]) {
    write_varint(out, set.len() as u64);
    let Some(&last) = set.last() else { return };
    let gaps = || {
        set.iter().scan(0_u32, |next, &number| {
            let gap = number.wrapping_sub(*next);
            *next = number.wrapping_add(1);
            Some(gap)
        })
    };
    let size = |k: u32| gaps().map(|gap| u64::from(gap >> k) + 1 + u64::from(k)).sum::<u64>();
    // The best k lies near the logarithm of the mean gap.
    let mean = last as usize / set.len();
    let guess = mean.checked_ilog2().unwrap_or(0);
    let near = guess.saturating_sub(2)..=(guess + 1).min(31);
    let k = near.min_by_key(|&k| size(k)).unwrap_or(guess);
    out.push(k as u8);
    let (mut byte, mut used) = (0_u8, 0_u32);
    let mut bit = |set: bool| {
        byte |= u8::from(set) << used;
        used += 1;
        if used == 8 {
            out.push(std::mem::take(&mut byte));
            used = 0;
        }
    };
    for gap in gaps() {
        (0..gap >> k).for_each(|_| bit(true));
        bit(false);
        (0..k).for_each(|place| bit(gap >> place & 1 == 1));
    }
    if used > 0 {
        out.push(byte);
    }
}

/// Stored bytes being read.
pub(super) struct Input<'a>(&'a [u8]);

const CUT: StatusDecodeError = StatusDecodeError::Damaged("it ends too early");

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, StatusDecodeError> {
        let (byte, rest) = self.0.split_first().ok_or(CUT)?;
        self.0 = rest;
        Ok(*byte)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StatusDecodeError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn varint(&mut self) -> Result<u64, StatusDecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(StatusDecodeError::Damaged("a number is too long"))
    }

    /// A count of things that take at least `bits` bits each of what is left, which bounds what a lie can cost.
    pub(super) fn count(&mut self, bits: usize) -> Result<usize, StatusDecodeError> {
        let count = self.varint()?;
        let most = self.0.len() * 8 / bits;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= most)
            .ok_or(StatusDecodeError::Damaged("a count is impossible"))
    }

    pub(super) fn set(&mut self) -> Result<Vec<u32>, StatusDecodeError> {
        let impossible = StatusDecodeError::Damaged("a set is impossible");
        let count = self.count(1)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let k = u32::from(self.byte()?);
        if k > 31 || count > self.0.len() * 8 {
            return Err(impossible);
        }
        let mut bits = Bits::new(self.0);
        let mut numbers = Vec::with_capacity(count);
        let mut next = 0_u64;
        for _ in 0..count {
            let quotient = bits.unary().ok_or(CUT)?;
            let gap = quotient << k | bits.low(k).ok_or(CUT)?;
            let number =
                next.checked_add(gap).and_then(|number| u32::try_from(number).ok()).ok_or(impossible.clone())?;
            numbers.push(number);
            next = u64::from(number) + 1;
        }
        self.0 = self.0.get(bits.bytes()..).ok_or(CUT)?;
        Ok(numbers)
    }
}

/// Bits of bytes, lowest first, up to eight bytes at a time.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Bytes that are in the buffer or were.
    taken: usize,
    buffer: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0, buffer: 0, held: 0 }
    }

    fn fill(&mut self) {
        while self.held <= 56 {
            let Some(byte) = self.bytes.get(self.taken) else { return };
            self.buffer |= u64::from(*byte) << self.held;
            self.held += 8;
            self.taken += 1;
        }
    }

    fn skip(&mut self, count: u32) {
        self.buffer = self.buffer.checked_shr(count).unwrap_or(0);
        self.held -= count;
    }

    /// The ones before the next zero, which is skipped; none if there is no zero.
    fn unary(&mut self) -> Option<u64> {
        let mut ones = 0;
        loop {
            self.fill();
            let more = self.buffer.trailing_ones().min(self.held);
            ones += u64::from(more);
            if more < self.held {
                self.skip(more + 1);
                return Some(ones);
            }
            if self.held == 0 {
                return None;
            }
            self.skip(more);
        }
    }

    /// A number of `count` bits, 31 at most; none if there are fewer.
    fn low(&mut self, count: u32) -> Option<u64> {
        if self.held < count {
            self.fill();
        }
        if self.held < count {
            return None;
        }
        let number = self.buffer & ((1 << count) - 1);
        self.skip(count);
        Some(number)
    }

    /// Bytes of which a bit was read.
    fn bytes(&self) -> usize {
        self.taken - self.held as usize / 8
    }
}
