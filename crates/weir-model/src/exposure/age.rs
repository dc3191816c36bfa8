//! How long a vulnerability has been known, in the steps that lists and maps are narrowed by.

use jiff::Timestamp;

/// Time since a vulnerability was published, in whole days.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Age {
    /// At most 7 days.
    Week,
    /// At most 30 days.
    Month,
    /// At most 90 days.
    Quarter,
    /// At most 180 days.
    Half,
    /// At most 365 days.
    Year,
    /// More.
    Older,
    /// It has no date of publication.
    Unknown,
}

impl Age {
    /// The age at `now` of what was published then. What is dated ahead, by a clock that is, is young.
    pub fn of(published: Option<Timestamp>, now: Timestamp) -> Self {
        let Some(published) = published else { return Self::Unknown };
        match (now.as_second() - published.as_second()).div_euclid(86_400) {
            ..=7 => Self::Week,
            8..=30 => Self::Month,
            31..=90 => Self::Quarter,
            91..=180 => Self::Half,
            181..=365 => Self::Year,
            _ => Self::Older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_bounds_of_whole_days() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a time");
        let ages = [
            Some("2026-11-30T11:00:00Z"),
            Some("2026-11-23T12:00:00Z"),
            Some("2026-11-22T12:00:01Z"),
            Some("2026-11-22T11:00:00Z"),
            Some("2026-06-10T12:00:00Z"),
            Some("2020-01-01T00:00:00Z"),
            // a clock that is ahead
            Some("2026-12-01T00:00:00Z"),
            None,
        ]
        .map(|published| Age::of(published.map(|at| at.parse().expect("a time")), now));
        use Age::{Half, Month, Older, Unknown, Week};
        assert_eq!(ages, [Week, Week, Week, Month, Half, Older, Week, Unknown]);
    }
}
