//! Numbers for what travels in cookies or is kept beside what it was made from.

/// FNV-1a with an end mark after each part: the same on every run and machine. It tells different things apart by chance, not
/// against somebody who looks for two that are alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fnv(
    /// The number so far.
    pub u64,
);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes one part in.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // an end mark, so that two parts never read as one
        self.0 = (self.0 ^ 0x1ff).wrapping_mul(0x0100_0000_01b3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&str]) -> u64 {
        let mut hash = Fnv::default();
        for part in parts {
            hash.bytes(part.as_bytes());
        }
        hash.0
    }

    #[test]
    fn parts_are_told_apart_by_where_they_end() {
        let all = [of(&[]), of(&[""]), of(&["ab"]), of(&["a", "b"]), of(&["ab", ""]), of(&["", "ab"])];
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|other| other != one), "{all:x?}");
        }
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
    }
}
