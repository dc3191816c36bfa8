//! Transaction logs of Windows 8.1 and later.
//!
//! Followed here: M. Suhanov, *Windows registry file format specification*, "Format of transaction log files, new format".
//! The library reads these logs, too, but turns the seed of their hashes around and so refuses genuine ones (version 0.2.0).

use super::bytes::{place_at, u16_at, u32_at};

/// Bytes of the head, and what entries are multiples of.
pub(super) const SECTOR: usize = 512;
/// Bytes of an entry before its list of pages.
const ENTRY: usize = 40;
/// The seed of the hashes: 82EF4D887A4E55C5, the first four bytes as the high half (so do genuine logs).
const SEED: [u32; 2] = [0x7A4E_55C5, 0x82EF_4D88];

/// A log: entries of consecutive numbers.
pub(super) struct Log<'a> {
    /// The number of its first entry.
    pub(super) start: u32,
    /// The copy of the head of the hive.
    pub(super) head: &'a [u8],
    /// Its entries that are sound, up to the first that is not or does not follow.
    pub(super) entries: Vec<Entry<'a>>,
}

/// Changes that were written together.
pub(super) struct Entry<'a> {
    /// Bytes of hive bins that the hive has after it.
    pub(super) bins: u32,
    /// Where pages stand in the hive bins, and what they hold.
    pub(super) pages: Vec<(u32, &'a [u8])>,
}

/// Reads a log; none if it is damaged from the start or of another kind.
pub(super) fn read(log: &[u8]) -> Option<Log<'_>> {
    let head = log.get(..SECTOR)?;
    let start = u32_at(head, 4)?;
    let is_one = head.starts_with(b"regf") && u32_at(head, 28)? == 6 && u32_at(head, 8)? == start;
    if !is_one || u32_at(head, 508)? != sum(head) {
        return None;
    }
    let mut entries = Vec::new();
    let mut rest = log.get(SECTOR..)?;
    let mut sequence = start;
    // Entries of an earlier round may stand before or behind.
    while let Some((number, size)) = front(rest) {
        let (bytes, after) = rest.split_at_checked(size)?;
        if number == sequence {
            let Some(entry) = entry(bytes) else { break };
            entries.push(entry);
            sequence = sequence.wrapping_add(1);
        } else if !entries.is_empty() {
            break;
        }
        rest = after;
    }
    Some(Log { start, head, entries })
}

/// Number and size of the entry that bytes begin with.
fn front(bytes: &[u8]) -> Option<(u32, usize)> {
    let size = place_at(bytes, 4).filter(|size| *size >= SECTOR && size % SECTOR == 0 && *size <= bytes.len())?;
    bytes.starts_with(b"HvLE").then_some((u32_at(bytes, 12)?, size))
}

fn entry(bytes: &[u8]) -> Option<Entry<'_>> {
    let bins = u32_at(bytes, 16).filter(|bins| bins % 4096 == 0)?;
    let count = place_at(bytes, 20)?;
    let hash = |at| Some([u32_at(bytes, at)?, u32_at(bytes, at + 4)?]);
    if hash(24)? != marvin32(SEED, bytes.get(ENTRY..)?) || hash(32)? != marvin32(SEED, bytes.get(..32)?) {
        return None;
    }
    let mut at = ENTRY.checked_add(count.checked_mul(8)?)?;
    let mut pages = Vec::new();
    for reference in bytes.get(ENTRY..at)?.chunks(8) {
        let (offset, size) = (u32_at(reference, 0)?, place_at(reference, 4)?);
        let end = at.checked_add(size)?;
        pages.push((offset, bytes.get(at..end)?));
        at = end;
    }
    Some(Entry { bins, pages })
}

/// The sum of a head: what its first 508 bytes give with exclusive or. 0 and -1 are not used.
pub(super) fn sum(head: &[u8]) -> u32 {
    let sum = (0..508).step_by(4).fold(0, |sum, at| sum ^ u32_at(head, at).unwrap_or_default());
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// Marvin32, low half first.
pub(super) fn marvin32([mut low, mut high]: [u32; 2], data: &[u8]) -> [u32; 2] {
    let mut mix = |block: u32| {
        low = low.wrapping_add(block);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let (blocks, rest) = data.as_chunks::<4>();
    for block in blocks {
        mix(u32::from_le_bytes(*block));
    }
    // What is left, then a byte 0x80.
    mix(match rest {
        [] => 0x80,
        [one] => 0x8000 | u32::from(*one),
        [.., last] => {
            let two = u32::from(u16_at(rest, 0).unwrap_or_default());
            if rest.len() == 2 { 0x80_0000 | two } else { 0x8000_0000 | u32::from(*last) << 16 | two }
        }
    });
    mix(0);
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_published_vectors() {
        // Test vectors of .NET (MarvinTests).
        let hash = |data: &[u8]| {
            let [low, high] = marvin32([0x001B_DBCC, 0x004F_B61A], data);
            u64::from(high) << 32 | u64::from(low)
        };
        assert_eq!(hash(&[]), 0x30ED_35C1_00CD_3C7D);
        assert_eq!(hash(&[0xAF]), 0x48E7_3FC7_7D75_DDC1);
        assert_eq!(hash(&[0xE7, 0x0F]), 0xB5F6_E1FC_485D_BFF8);
        assert_eq!(hash(&[0x37, 0xF4, 0x95]), 0xF0B0_7C78_9B8C_F7E8);
        assert_eq!(hash(&[0x86, 0x42, 0xDC, 0x59]), 0x7008_F2E8_7E9C_F556);
        assert_eq!(hash(&[0x15, 0x3F, 0xB7, 0x98, 0x26]), 0xE6C0_8C6D_A2AF_A997);
    }
}
