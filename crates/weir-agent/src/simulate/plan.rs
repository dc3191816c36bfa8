//! When which computer scans. Pure.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::Scenario;
use crate::fleet::{Dice, Fleet, Purpose};

/// Hours between scans of native agents, before jitter (MS-WUSP product behaviour notes 60, 61).
const INTERVAL: f64 = 22.0;
/// A Wednesday at midnight: modelled days are working days.
const MIDNIGHT: &str = "2026-11-04T00:00:00Z";

/// The arrivals of a scenario, in modelled time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Plan {
    /// After the start, sorted: when, who.
    pub(super) arrivals: Vec<(Duration, u32)>,
    /// Computers that are not on that day.
    pub(super) absent: u32,
}

/// When the modelled day begins.
pub(super) fn start() -> Timestamp {
    MIDNIGHT.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The plan of a scenario.
pub(super) fn plan(scenario: Scenario, fleet: &Arc<Fleet>, seed: u64) -> Plan {
    let count = u32::try_from(fleet.size()).unwrap_or(u32::MAX);
    let mut plan = Plan { arrivals: Vec::with_capacity(count as usize), absent: 0 };
    for computer in 0..count {
        let mut dice = Dice::new(seed, Purpose::Other, u64::from(computer));
        let at = match scenario {
            // each scans once, 22 hours times 0.8 to 1.0 after its last scan, or when it is on again
            Scenario::Steady => {
                let due = dice.fraction() * INTERVAL * 0.2_f64.mul_add(dice.fraction(), 0.8) * 3_600.0;
                let habits = fleet.computer(u64::from(computer)).habits();
                let due = start().saturating_add(SignedDuration::from_secs(due as i64)).unwrap_or_else(|_| start());
                let present = habits.present_from(due);
                let after = present.duration_since(start());
                if after >= SignedDuration::from_hours(24) {
                    plan.absent += 1;
                    continue;
                }
                // a second of its own, since presence is known to a quarter of an hour
                Duration::from_secs(u64::try_from(after.as_secs()).unwrap_or(0))
                    + Duration::from_secs_f64(dice.fraction() * 900.0)
            }
            // most come in the first hour
            Scenario::PatchTuesday => Duration::from_secs_f64(dice.fraction().min(dice.fraction()) * 7_200.0),
            // policy reaches everybody within 90 minutes and a random offset of 30
            Scenario::Moved => Duration::from_secs_f64((dice.fraction() * 90.0 + dice.fraction() * 30.0) * 60.0),
            Scenario::FirstScan => Duration::from_secs_f64(dice.fraction() * 60.0),
            Scenario::Flaky => Duration::from_secs_f64(dice.fraction() * 10.0),
        };
        plan.arrivals.push((at, computer));
    }
    plan.arrivals.sort_unstable();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Profile;

    fn of(scenario: Scenario) -> Plan {
        plan(scenario, &Fleet::new(1, 2_000, Profile::default()), 1)
    }

    #[test]
    fn everybody_comes_in_time() {
        for (scenario, most) in [(Scenario::PatchTuesday, 7_200), (Scenario::Moved, 7_200), (Scenario::FirstScan, 60)] {
            let plan = of(scenario);
            assert_eq!((plan.arrivals.len(), plan.absent), (2_000, 0));
            let last = plan.arrivals.last().expect("one").0;
            assert!(last <= Duration::from_secs(most) && last > Duration::from_secs(most * 3 / 4), "{last:?}");
            assert!(plan.arrivals.is_sorted());
        }
    }

    #[test]
    fn a_steady_day_has_its_rush_and_its_absentees() {
        let plan = of(Scenario::Steady);
        assert_eq!(plan.arrivals.len() as u32 + plan.absent, 2_000);
        assert!((50..700).contains(&plan.absent), "{} absent", plan.absent);
        let within = |from: u64, to: u64| {
            plan.arrivals.iter().filter(|(at, _)| (from * 3_600..to * 3_600).contains(&at.as_secs())).count()
        };
        // offices of three continents: the European morning is the busiest
        assert!(within(5, 9) > 2 * within(0, 4), "{} {}", within(5, 9), within(0, 4));
        assert_eq!(plan, of(Scenario::Steady));
    }
}
