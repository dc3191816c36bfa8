//! Reproducible randomness (SplitMix64 by Steele, Lea and Flood). Not for secrets.

use uuid::Uuid;

/// What a generator is for. Each purpose has a generator of its own, so that adding one draw does not change the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Archetype = 1,
    Habits = 2,
    Identity = 3,
    Install = 4,
    Presence = 5,
    Variant = 6,
    Network = 7,
    Other = 8,
}

/// A generator: the same seed gives the same values on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The generator of one purpose of one thing.
    pub(crate) fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        // the two multipliers keep neighbours apart; the draw that is thrown away mixes them
        let start = seed
            ^ (purpose as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)
            ^ number.wrapping_add(1).wrapping_mul(0xa076_1d64_78bd_642f);
        let mut dice = Self(start);
        dice.bits();
        dice
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        // the shifted product is below `bound`
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u32
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in this share of cases.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.fraction() < share
    }

    /// One of `items`, each as often as its weight says; none if there are none.
    pub(crate) fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u32) -> Option<&'a T> {
        self.weighted_index(items, weight).and_then(|at| items.get(at))
    }

    /// The place of one of `items`, each as often as its weight says; none if there are none.
    pub(crate) fn weighted_index<T>(&mut self, items: &[T], weight: impl Fn(&T) -> u32) -> Option<usize> {
        let mut left = self.below(items.iter().map(&weight).sum());
        items.iter().position(|item| {
            let own = weight(item);
            let found = left < own;
            left = left.saturating_sub(own);
            found
        })
    }

    /// One of `items`; none if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(u32::try_from(items.len()).unwrap_or(u32::MAX)) as usize)
    }

    /// A version 4 GUID.
    pub(crate) fn guid(&mut self) -> Uuid {
        let (high, low) = (u128::from(self.bits()), u128::from(self.bits()));
        uuid::Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid()
    }
}

/// 128 bits that depend on every byte of a text (FNV-1a), marked as a version 8 GUID (RFC 9562: own content).
pub(crate) fn fold(start: u128, text: &str) -> u128 {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(start, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    hash & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let values = |seed, number| {
            let mut dice = Dice::new(seed, Purpose::Identity, number);
            (dice.bits(), dice.guid(), dice.below(9))
        };
        assert_eq!(values(1, 5), values(1, 5));
        assert_ne!(values(1, 5), values(2, 5));
        assert_ne!(values(1, 5), values(1, 6));
        assert_ne!(Dice::new(1, Purpose::Identity, 5).bits(), Dice::new(1, Purpose::Habits, 5).bits());
    }

    #[test]
    fn weights_are_kept() {
        let items = [("a", 1), ("b", 0), ("c", 9)];
        let mut counts = [0; 3];
        let mut dice = Dice::new(3, Purpose::Other, 0);
        for _ in 0..10_000 {
            let item = dice.weighted(&items, |item| item.1).expect("there are some");
            counts[items.iter().position(|other| other == item).expect("one of them")] += 1;
        }
        assert!((800..1_200).contains(&counts[0]), "{counts:?}");
        assert_eq!(counts[1], 0);
        assert_eq!(dice.weighted(&[] as &[u32], |weight| *weight), None);
        assert_eq!(dice.below(0), 0);
    }
}
