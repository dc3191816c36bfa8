//! Which slots have which words.

use std::collections::HashMap;

/// Slots as bits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Slots(Vec<u64>);

impl Slots {
    pub(super) fn new(slots: usize) -> Self {
        Self(vec![0; slots.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, slot: u32) {
        if let Some(bits) = self.0.get_mut(slot as usize / 64) {
            *bits |= 1 << (slot % 64);
        }
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|bits| bits & (1 << (slot % 64)) != 0)
    }

    pub(super) fn keep(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(bits, other)| *bits &= other);
    }

    /// The slots, descending.
    pub(super) fn descending(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().rev().flat_map(|(at, bits)| {
            let mut rest = *bits;
            std::iter::from_fn(move || {
                let bit = rest.checked_ilog2()?;
                rest &= !(1 << bit);
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// The words of a segment in order, with the slots that have them. Texts and numbers stand in one buffer each, since there are
/// hundreds of thousands of them.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    letters: String,
    /// End of each word in `letters`, and of its slots in `slots`.
    ends: Vec<(u32, u32)>,
    slots: Vec<u32>,
}

impl Dictionary {
    /// Of words with the slots that have them; a slot may come twice in a row.
    pub(super) fn new(found: HashMap<String, Vec<u32>>) -> Self {
        let mut sorted: Vec<(String, Vec<u32>)> = found.into_iter().collect();
        sorted.sort_unstable();
        let mut dictionary = Self::default();
        for (word, mut slots) in sorted {
            slots.dedup();
            dictionary.letters.push_str(&word);
            dictionary.slots.append(&mut slots);
            dictionary.ends.push((dictionary.letters.len() as u32, dictionary.slots.len() as u32));
        }
        dictionary
    }

    /// Notes the slots whose words begin with this one in `any`, and those that have it as a whole in `exact`.
    pub(super) fn find(&self, word: &str, any: &mut Slots, exact: &mut Slots) {
        let from = self.first_not_before(word);
        for at in from..self.ends.len() {
            let Some(found) = self.word(at).filter(|found| found.starts_with(word)) else { return };
            let whole = found.len() == word.len();
            for slot in self.slots_of(at) {
                any.insert(*slot);
                if whole {
                    exact.insert(*slot);
                }
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.letters.capacity() + self.ends.capacity() * 8 + self.slots.capacity() * 4
    }

    fn first_not_before(&self, word: &str) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.word(middle).is_some_and(|found| found < word) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn start(&self, at: usize) -> (u32, u32) {
        at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default()
    }

    fn word(&self, at: usize) -> Option<&str> {
        let end = self.ends.get(at)?;
        self.letters.get(self.start(at).0 as usize..end.0 as usize)
    }

    fn slots_of(&self, at: usize) -> &[u32] {
        let Some(end) = self.ends.get(at) else { return &[] };
        self.slots.get(self.start(at).1 as usize..end.1 as usize).unwrap_or_default()
    }
}
