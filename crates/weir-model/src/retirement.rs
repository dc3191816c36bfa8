//! Retiring computers that do not call any more.
//!
//! A retired computer is counted nowhere. Retiring by rule is the kind of convenience that empties a site when something else
//! is wrong (a server that nobody reached for a quarter, a database that came back from an old backup), so that a run never
//! takes more than a share of the site unless somebody says that it may.

use std::ops::RangeInclusive;

/// Days of silence after which computers may be retired. Shorter ones would take computers of people on leave.
pub const DAYS: RangeInclusive<u32> = 14..=3_650;
/// Days that are proposed.
pub const PROPOSED_DAYS: u32 = 90;
/// The largest share of a site that a run takes without being told to, in percent, unless a site says otherwise.
pub const MOST_PERCENT: u32 = 10;

/// Why a computer was retired.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// It did not call for long enough.
    Silent,
    /// The same machine goes on under another id.
    Duplicate,
    /// An administrator named it.
    Chosen,
}

impl Reason {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Duplicate => "duplicate",
            Self::Chosen => "chosen",
        }
    }
}

/// What to do with the computers that are due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// There are none.
    Nothing,
    /// Retire them.
    Retire,
    /// Retire nobody: they are more than `most`. Somebody must confirm the number.
    Ask {
        /// How many may go without being asked for.
        most: u64,
    },
}

/// Days over which the share counts: a site that is cut off loses its computers one after the other, as each of them has been
/// silent for long enough, and a share of every run would be all of them before the week is over.
pub const WITHIN_DAYS: u32 = 7;

/// How many may go without being asked for, where `computers` are there and `recent` went within [`WITHIN_DAYS`]: a share of
/// all of these, and one at least, so that a small site is not stuck.
pub fn most(computers: u64, recent: u64, percent: u32) -> u64 {
    let all = computers.saturating_add(recent);
    (all.saturating_mul(u64::from(percent)) / 100).max(1).saturating_sub(recent)
}

/// Decides about `due` of `computers`, where `recent` went lately. `confirmed` is the number that somebody saw and agreed to:
/// more than that were not agreed to.
pub fn decide(computers: u64, due: u64, recent: u64, percent: u32, confirmed: Option<u64>) -> Decision {
    let most = most(computers, recent, percent);
    match confirmed {
        _ if due == 0 => Decision::Nothing,
        Some(seen) if due <= seen => Decision::Retire,
        _ if due <= most => Decision::Retire,
        _ => Decision::Ask { most },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_goes_by_itself_and_more_wants_a_word() {
        assert_eq!(decide(1_000, 0, 0, 10, None), Decision::Nothing);
        assert_eq!(decide(1_000, 100, 0, 10, None), Decision::Retire);
        assert_eq!(decide(1_000, 101, 0, 10, None), Decision::Ask { most: 100 });
        assert_eq!(decide(1_000, 101, 0, 10, Some(101)), Decision::Retire);
        assert_eq!(decide(1_000, 102, 0, 10, Some(101)), Decision::Ask { most: 100 }, "more than was agreed to");
        assert_eq!(decide(1_000, 5, 0, 10, Some(0)), Decision::Retire, "needs no agreement");
        assert_eq!(decide(1_000, 1_000, 0, 10, None), Decision::Ask { most: 100 }, "never everyone");
    }

    #[test]
    fn a_small_site_is_not_stuck_and_not_emptied() {
        assert_eq!(decide(5, 1, 0, 10, None), Decision::Retire);
        assert_eq!(decide(5, 2, 0, 10, None), Decision::Ask { most: 1 });
        assert_eq!(decide(5, 1, 0, 0, None), Decision::Retire);
    }

    #[test]
    fn a_site_that_is_cut_off_keeps_its_computers() {
        // a thousand computers were heard of last within a day, and hour by hour forty more have been silent for long enough
        let (mut computers, mut recent, mut due) = (1_000, 0, 0);
        for _ in 0..25 {
            due += 40.min(computers - due);
            if decide(computers, due, recent, 10, None) == Decision::Retire {
                (computers, recent, due) = (computers - due, recent + due, 0);
            }
        }
        assert!(recent <= 100, "{recent} went within a day");
        assert_eq!(decide(computers, due, recent, 10, None), Decision::Ask { most: 20 });
    }

    proptest! {
        #[test]
        fn nobody_goes_unasked_beyond_the_share(
            computers in 0..1_000_000_u64,
            due in 0..1_000_000_u64,
            recent in 0..100_000_u64,
            percent in 0..=100_u32,
            confirmed in proptest::option::of(0..1_000_000_u64),
        ) {
            if decide(computers, due, recent, percent, confirmed) == Decision::Retire {
                prop_assert!(due <= most(computers, recent, percent) || confirmed.is_some_and(|seen| due <= seen));
            }
            prop_assert_eq!(decide(computers, due, recent, percent, confirmed) == Decision::Nothing, due == 0);
        }
    }
}
