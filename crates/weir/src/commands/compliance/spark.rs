//! A line of bars.

const BARS: [char; 8] =
    ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
/// A day without a value.
const GAP: char = '\u{b7}';

/// Shares in percent as bars from 0 to 100, one each, or the mean of several if there are more than `width`. What has no
/// value is a dot, and so is a mean of nothing.
pub(super) fn line(shares: &[Option<f64>], width: usize) -> String {
    let several = shares.len().div_ceil(width.max(1)).max(1);
    shares.chunks(several).map(bar).collect()
}

fn bar(shares: &[Option<f64>]) -> char {
    let known: Vec<f64> = shares.iter().flatten().copied().collect();
    if known.is_empty() {
        return GAP;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let at = (mean.clamp(0.0, 100.0) / 100.0 * (BARS.len() - 1) as f64).round() as usize;
    BARS.get(at).copied().unwrap_or(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_from_nothing_to_all_and_gaps_are_dots() {
        let shares = [Some(0.0), None, Some(50.0), Some(100.0), Some(200.0)];
        assert_eq!(line(&shares, 60), "\u{2581}\u{b7}\u{2585}\u{2588}\u{2588}");
        assert_eq!(line(&shares, 3), "\u{2581}\u{2586}\u{2588}");
        assert_eq!(line(&[], 60), "");
        assert_eq!(line(&[None; 731], 60).chars().count(), 57);
        assert!(line(&[Some(1.0); 731], 0).chars().count() == 1);
    }
}
