//! Deployments that ask for an alert when too few computers are compliant some time after the deadline (features.md,
//! DEP-18).

use jiff::{SignedDuration, Timestamp};

/// A deployment is watched so long after it became due: compliance of what was deployed long ago says little about it.
pub const WATCHED: SignedDuration = SignedDuration::from_hours(60 * 24);
/// The westernmost zone is so far behind UTC. A deadline in local time has passed everywhere after that.
const LAST_ZONE: SignedDuration = SignedDuration::from_hours(12);
/// Offsets beyond this are mistakes: a year.
pub const LONGEST_OFFSET: u64 = 366 * 24 * 60;

/// What a deployment asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Threshold {
    /// Below so many percent, 1 to 100.
    pub below_percent: u8,
    /// So many minutes after the deadline.
    pub offset_minutes: u64,
}

impl Threshold {
    /// From what the settings of a deployment hold; none if they ask for no alert or for one that cannot be.
    pub fn read(below_percent: Option<u64>, offset_minutes: Option<u64>) -> Option<Self> {
        let below_percent = u8::try_from(below_percent?).ok().filter(|percent| (1..=100).contains(percent))?;
        Some(Self { below_percent, offset_minutes: offset_minutes.unwrap_or_default().min(LONGEST_OFFSET) })
    }

    /// When compliance is looked at first. A deadline in local time is a wall-clock time as if in UTC.
    pub fn due(&self, deadline: Timestamp, local_time: bool) -> Option<Timestamp> {
        let minutes = i64::try_from(self.offset_minutes).ok()?;
        let zones = if local_time { LAST_ZONE } else { SignedDuration::ZERO };
        deadline.checked_add(SignedDuration::from_mins(minutes).checked_add(zones)?).ok()
    }

    /// Whether compliance is looked at now.
    pub fn is_watched(&self, deadline: Timestamp, local_time: bool, now: Timestamp) -> bool {
        self.due(deadline, local_time).is_some_and(|due| due <= now && now.duration_since(due) <= WATCHED)
    }

    /// Whether so few of so many are compliant that the alert is open. Nothing is too few of nothing.
    pub fn is_low(&self, compliant: u64, computers: u64) -> bool {
        computers > 0 && u128::from(compliant) * 100 < u128::from(computers) * u128::from(self.below_percent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("in range")
    }

    #[test]
    fn settings_that_ask_for_nothing_or_nonsense_are_none() {
        assert_eq!(Threshold::read(None, Some(60)), None);
        assert_eq!(Threshold::read(Some(0), None), None);
        assert_eq!(Threshold::read(Some(101), None), None);
        assert_eq!(Threshold::read(Some(90), None), Some(Threshold { below_percent: 90, offset_minutes: 0 }));
    }

    #[test]
    fn it_is_due_after_deadline_and_offset_in_every_zone() {
        let threshold = Threshold { below_percent: 90, offset_minutes: 60 };
        assert_eq!(threshold.due(at(0), false), Some(at(3_600)));
        assert_eq!(threshold.due(at(0), true), Some(at(13 * 3_600)));
        assert!(!threshold.is_watched(at(0), false, at(3_599)) && threshold.is_watched(at(0), false, at(3_600)));
        let last = 3_600 + 60 * 86_400;
        assert!(threshold.is_watched(at(0), false, at(last)) && !threshold.is_watched(at(0), false, at(last + 1)));
    }

    #[test]
    fn below_is_strictly_below() {
        let threshold = Threshold { below_percent: 95, offset_minutes: 0 };
        assert!(threshold.is_low(94, 100) && !threshold.is_low(95, 100));
        assert!(threshold.is_low(949, 1_000) && !threshold.is_low(950, 1_000));
        assert!(!threshold.is_low(0, 0) && threshold.is_low(0, 1));
        assert!(!Threshold { below_percent: 100, offset_minutes: 0 }.is_low(7, 7));
    }

    proptest! {
        #[test]
        fn more_compliant_computers_never_open_it(
            below in 1_u8..=100, computers in 1_u64..1_000_000, part in 0_u64..1_000_000
        ) {
            let threshold = Threshold { below_percent: below, offset_minutes: 0 };
            let compliant = part % (computers + 1);
            if !threshold.is_low(compliant, computers) {
                prop_assert!(!threshold.is_low((compliant + 1).min(computers), computers));
            }
        }
    }
}
