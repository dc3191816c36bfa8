//! Sums of rows of bits, column by column, without looking at single bits: numbers are held vertically, the lowest bits of 64
//! counts in one word, and seven rows are added at once by full adders.

/// Rows that are added at once.
const TOGETHER: usize = 7;
/// Groups of seven until the small numbers (8 bits) must be folded into the large ones.
const FOLD_AFTER: u32 = 36;
/// Folds until the large numbers (16 bits) must be spilled.
const SPILL_AFTER: u32 = 260;

/// See above.
#[derive(Debug, Default)]
pub(super) struct Planes {
    small: Vec<[u64; 8]>,
    large: Vec<[u64; 16]>,
    waiting: Vec<Vec<u64>>,
    groups: u32,
    folds: u32,
    counts: Vec<u32>,
}

impl Planes {
    /// Adds rows of the same length.
    pub(super) fn add(&mut self, rows: &mut dyn Iterator<Item = &[u64]>) {
        loop {
            let mut group: [&[u64]; TOGETHER] = [&[]; TOGETHER];
            let filled = group.iter_mut().zip(&mut *rows).map(|(place, row)| *place = row).count();
            if filled == TOGETHER {
                self.add_group(group);
                continue;
            }
            // what does not fill a group waits for more, of other lengths perhaps
            for row in group.into_iter().take(filled) {
                self.waiting.push(row.to_vec());
                if self.waiting.len() == TOGETHER {
                    self.add_waiting();
                }
            }
            return;
        }
    }

    fn add_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        let length = waiting.iter().map(Vec::len).max().unwrap_or(0);
        waiting.resize(TOGETHER, Vec::new());
        for row in &mut waiting {
            row.resize(length, 0);
        }
        let mut rows = waiting.iter().map(Vec::as_slice);
        self.add_group(std::array::from_fn(|_| rows.next().unwrap_or_default()));
    }

    fn add_group(&mut self, rows: [&[u64]; TOGETHER]) {
        let [first, second, third, fourth, fifth, sixth, seventh] = rows;
        if self.small.len() < first.len() {
            self.small.resize(first.len(), [0; 8]);
        }
        let words = first.iter().zip(second).zip(third).zip(fourth).zip(fifth).zip(sixth).zip(seventh);
        for (planes, ((((((one, two), three), four), five), six), seven)) in self.small.iter_mut().zip(words) {
            let (sum_one, carry_one) = full(*one, *two, *three);
            let (sum_two, carry_two) = full(*four, *five, *six);
            let (ones, carry_three) = full(sum_one, sum_two, *seven);
            let (twos, fours) = full(carry_one, carry_two, carry_three);
            add(planes, [ones, twos, fours]);
        }
        self.groups += 1;
        if self.groups == FOLD_AFTER {
            self.fold();
        }
    }

    fn fold(&mut self) {
        if self.large.len() < self.small.len() {
            self.large.resize(self.small.len(), [0; 16]);
        }
        for (large, small) in self.large.iter_mut().zip(&mut self.small) {
            add(large, std::mem::take(small));
        }
        (self.groups, self.folds) = (0, self.folds + 1);
        if self.folds == SPILL_AFTER {
            self.spill();
        }
    }

    fn spill(&mut self) {
        if self.counts.len() < self.large.len() * 64 {
            self.counts.resize(self.large.len() * 64, 0);
        }
        for (counts, planes) in self.counts.chunks_exact_mut(64).zip(&mut self.large) {
            let planes = std::mem::take(planes);
            if planes == [0; 16] {
                continue;
            }
            for (place, count) in counts.iter_mut().enumerate() {
                let digit = |(plane, power): (&u64, u32)| ((plane >> place & 1) as u32) << power;
                *count += planes.iter().zip(0_u32..).map(digit).sum::<u32>();
            }
        }
        self.folds = 0;
    }

    /// How many rows have the bit of each column.
    pub(super) fn finish(mut self) -> Vec<u32> {
        if !self.waiting.is_empty() {
            self.add_waiting();
        }
        self.fold();
        self.spill();
        self.counts
    }
}

/// A full adder for each bit: sum and carry.
fn full(one: u64, two: u64, carry: u64) -> (u64, u64) {
    let half = one ^ two;
    (half ^ carry, one & two | half & carry)
}

/// Adds vertical numbers.
fn add<const N: usize, const M: usize>(planes: &mut [u64; N], digits: [u64; M]) {
    let mut carry = 0;
    let digits = digits.into_iter().chain(std::iter::repeat(0));
    for (plane, digit) in planes.iter_mut().zip(digits) {
        (*plane, carry) = full(*plane, digit, carry);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_counts_what_a_loop_counts(rows in proptest::collection::vec(proptest::collection::vec(any::<u64>(), 3), 0..600)) {
            let mut planes = Planes::default();
            let (first, rest) = rows.split_at(rows.len() / 3);
            planes.add(&mut first.iter().map(Vec::as_slice));
            planes.add(&mut rest.iter().map(Vec::as_slice));
            let counts = planes.finish();
            for column in 0..192 {
                let naive = rows.iter().filter(|row| row[column / 64] >> (column % 64) & 1 == 1).count() as u32;
                prop_assert_eq!(counts.get(column).copied().unwrap_or(0), naive);
            }
        }
    }

    #[test]
    fn sums_beyond_sixteen_bits_are_spilled_in_time() {
        let (row, mut planes) = ([u64::MAX, 1], Planes::default());
        planes.add(&mut std::iter::repeat_n(&row[..], 150_001));
        let counts = planes.finish();
        assert_eq!((counts[0], counts[64], counts[65]), (150_001, 150_001, 0));
    }
}
