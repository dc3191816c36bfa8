//! What it would cost to read a hive.
//!
//! The library reads a hive in time and memory that grow with what it claims, not with its size: small hives can name the
//! same large cell a million times. This walk adds up the bytes that would be read, and gives up at a bound.
//!
//! Offsets after the description of the format by M. Suhanov, *Windows registry file format specification*, "Format of
//! primary files".

use super::bytes::{place_at, u16_at, u32_at};

/// Where the hive bins begin.
const BINS: usize = 4096;
/// Bytes of the head of a hive bin.
const BIN_HEAD: usize = 32;
/// Data longer than this are kept in segments of as many bytes.
const SEGMENT: usize = 16_344;
/// An offset that leads nowhere.
const NOWHERE: u32 = u32::MAX;

/// Times that each byte may be read. Genuine hives need 3 to 6: lists of subkeys are checked, and security descriptors are
/// shared by many keys.
const TIMES: usize = 64;
/// What even the smallest hive may cost, in bytes.
const FREE: usize = 16 * 1024 * 1024;

/// Whether a hive costs no more to read than genuine ones of its size.
pub(super) fn is_bearable(hive: &[u8]) -> bool {
    cost(hive, hive.len().saturating_mul(TIMES).saturating_add(FREE)).is_some()
}

/// Bytes that reading a hive would read; none if more than `most`.
pub(super) fn cost(hive: &[u8], most: usize) -> Option<usize> {
    // What follows the hive bins is left over from a larger hive.
    let bins = place_at(hive, 40).unwrap_or_default();
    let hive = hive.get(..BINS.saturating_add(bins)).unwrap_or(hive);
    let mut walk = Walk { hive, spent: 0, most };
    let mut at = BINS;
    while let (Some(b"hbin"), Some(size)) = (hive.get(at..at + 4), place_at(hive, at + 8)) {
        let end = at.checked_add(size).filter(|end| size > BIN_HEAD && *end <= hive.len());
        let Some(end) = end else { break };
        let mut cell = at + BIN_HEAD;
        while cell < end {
            let Some(length) = walk.length(cell) else { break };
            // What was deleted is not read; lengths of what is there are negative.
            if u32_at(hive, cell).is_some_and(|length| length.cast_signed() < 0) {
                walk.cell(cell, length)?;
            }
            cell += length;
        }
        at = end;
    }
    Some(walk.spent)
}

struct Walk<'a> {
    hive: &'a [u8],
    spent: usize,
    most: usize,
}

impl Walk<'_> {
    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.spent = self.spent.checked_add(bytes).filter(|spent| *spent <= self.most)?;
        Some(())
    }

    /// The length of a cell; none if there can be none.
    fn length(&self, cell: usize) -> Option<usize> {
        let length = usize::try_from(u32_at(self.hive, cell)?.cast_signed().unsigned_abs()).ok()?;
        (length >= 8 && length <= self.hive.len()).then_some(length)
    }

    /// Where the cell is that an offset names, and its length.
    fn named(&self, at: usize) -> Option<(usize, usize)> {
        let offset = u32_at(self.hive, at).filter(|offset| *offset != NOWHERE)?;
        let cell = BINS.checked_add(usize::try_from(offset).ok()?)?;
        Some((cell, self.length(cell)?))
    }

    /// Pays for a cell that an offset names.
    fn pay(&mut self, at: usize) -> Option<()> {
        let bytes = self.named(at).map_or(0, |(_, length)| length);
        self.spend(bytes)
    }

    /// Pays for what is read because of a cell. None if it is too much.
    fn cell(&mut self, cell: usize, length: usize) -> Option<()> {
        self.spend(16)?;
        let data = cell + 4;
        match self.hive.get(data..data + 2) {
            Some(b"nk") if length >= 80 => self.key(data),
            _ => Some(()),
        }
    }

    fn key(&mut self, key: usize) -> Option<()> {
        // Subkeys, values, security, class.
        for field in [28, 40, 44, 48] {
            self.pay(key + field)?;
        }
        if let Some((list, length)) = self.named(key + 28) {
            self.subkeys(list + 4, length, true)?;
        }
        let count = place_at(self.hive, key + 36).unwrap_or_default();
        let Some((list, length)) = self.named(key + 40) else { return Some(()) };
        for entry in 0..count.min(length / 4) {
            self.value(list + 4 + entry * 4)?;
        }
        Some(())
    }

    fn subkeys(&mut self, list: usize, length: usize, may_divide: bool) -> Option<()> {
        let width = match self.hive.get(list..list + 2) {
            Some(b"lf" | b"lh") => 8,
            Some(b"li" | b"ri") => 4,
            _ => return Some(()),
        };
        let divides = self.hive.get(list..list + 2) == Some(b"ri");
        let count = usize::from(u16_at(self.hive, list + 2).unwrap_or_default());
        for entry in 0..count.min(length / width) {
            let at = list + 4 + entry * width;
            let Some((below, length)) = self.named(at) else { continue };
            if divides {
                self.spend(length)?;
                if may_divide {
                    self.subkeys(below + 4, length, false)?;
                }
            } else {
                // Once for its hash, once for the order, once for itself.
                self.spend(length.saturating_mul(3).saturating_add(48))?;
            }
        }
        Some(())
    }

    fn value(&mut self, at: usize) -> Option<()> {
        let Some((value, length)) = self.named(at) else { return self.spend(16) };
        self.spend(length.saturating_add(16))?;
        let size = u32_at(self.hive, value + 8).unwrap_or_default();
        if size & 0x8000_0000 != 0 {
            return Some(());
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.pay(value + 12)?;
        if size > SEGMENT {
            // Each segment is a cell of its own; what is claimed is what is copied.
            self.spend(size)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_hive_cost_nothing() {
        assert_eq!(cost(&[], 10), Some(0));
        assert_eq!(cost(&vec![0xFF; 10_000], 10), Some(0));
        let mut bins = vec![0; 8192];
        bins[4096..4100].copy_from_slice(b"hbin");
        assert_eq!(cost(&bins, 10), Some(0));
    }
}
