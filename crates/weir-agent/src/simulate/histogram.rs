//! Counts of values in buckets that grow with the value: quantiles of any number of samples in 16 kB.

/// Buckets for each power of two: a quantile is off by at most one part in this.
const SUB: u64 = 32;
/// Powers of two.
const POWERS: usize = 64;

/// A histogram of whole numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    max: u64,
}

/// The bucket of a value: exact below 64, then 32 for each power of two.
fn bucket(value: u64) -> usize {
    if value < 2 * SUB {
        return value as usize;
    }
    let power = u64::from(value.ilog2());
    let shift = power - u64::from(SUB.ilog2());
    (shift * SUB + (value >> shift)) as usize
}

/// The largest value of a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * SUB {
        return bucket;
    }
    let shift = bucket / SUB - 1;
    let start = bucket - shift * SUB;
    (start << shift) | ((1 << shift) - 1)
}

impl Histogram {
    /// Counts a value.
    pub(crate) fn add(&mut self, value: u64) {
        let at = bucket(value);
        if self.counts.len() <= at {
            self.counts.resize((at + 1).min(POWERS * SUB as usize), 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.count += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
    }

    /// Takes in what another counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The value below which this share of all lies; 0 without values.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return upper(at).min(self.max);
            }
        }
        self.max
    }

    /// The mean; 0 without values.
    pub(crate) fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// The largest value; 0 without values.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_close() {
        let mut histogram = Histogram::default();
        for value in 1..=100_000 {
            histogram.add(value);
        }
        for (share, exact) in [(0.5, 50_000.0), (0.95, 95_000.0), (0.99, 99_000.0)] {
            let error = histogram.quantile(share) as f64 / exact;
            assert!((0.97..1.04).contains(&error), "{share}: {error}");
        }
        assert_eq!((histogram.quantile(1.0), histogram.max()), (100_000, 100_000));
        assert!((histogram.mean() - 50_000.5).abs() < 1e-6);
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }

    proptest! {
        #[test]
        fn a_value_is_in_its_bucket(value in any::<u64>()) {
            let at = bucket(value);
            prop_assert!(at < POWERS * SUB as usize);
            prop_assert!(value <= upper(at).max(value) && upper(at) >= value);
            prop_assert!(at == 0 || upper(at - 1) < value);
        }

        #[test]
        fn merging_is_adding(first in prop::collection::vec(0_u64..1 << 40, 0..50), second in prop::collection::vec(0_u64..1 << 40, 0..50)) {
            let of = |values: &[u64]| {
                let mut histogram = Histogram::default();
                for value in values {
                    histogram.add(*value);
                }
                histogram
            };
            let mut merged = of(&first);
            merged.merge(&of(&second));
            let all = of(&[first, second].concat());
            prop_assert_eq!(merged.quantile(0.5), all.quantile(0.5));
            prop_assert_eq!((merged.max(), merged.sum), (all.max(), all.sum));
        }
    }
}
