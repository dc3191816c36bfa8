//! When those that were refused should come again.

/// Seconds that are asked for at least, and of the shortest time at most.
const LEAST: u64 = 5;
const MOST: u64 = 120;

/// Seconds for `Retry-After`: from the time that what waits now takes (in milliseconds), to three times as much, so that those
/// who are refused together do not come together again. `chance` is from 0 up to 1.
pub fn retry_after(wait: u64, chance: f64) -> u64 {
    let least = wait.div_ceil(1_000).clamp(LEAST, MOST);
    least + (chance.clamp(0.0, 1.0) * (2 * least) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spread_and_bounded() {
        let cases = [
            (0, 0.0, 5),
            (0, 0.5, 10),
            (0, 1.0, 15),
            (20_000, 0.0, 20),
            (20_000, 1.0, 60),
            (u64::MAX, 1.0, 360),
            (20_001, -1.0, 21),
            (20_001, f64::NAN, 21),
        ];
        for (wait, chance, seconds) in cases {
            assert_eq!(retry_after(wait, chance), seconds, "{wait} {chance}");
        }
    }
}
