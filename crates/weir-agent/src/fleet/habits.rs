//! How a computer and its user behave: failing installations, restarts, hours.

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::Offset};
use weir_model::ids::UpdateId;

use super::{
    dice::{Dice, Purpose},
    systems::Kind,
};

/// Why an installation fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The HRESULT that is reported.
    pub hresult: u32,
    /// Whether every later attempt on the same computer fails likewise.
    pub permanent: bool,
}

/// Causes with their weights. The codes are those that help desks see most: the installer's own failure, a damaged
/// component store, no room, a file in use, an installation that takes too long.
const CAUSES: &[(Failure, u32)] = &[
    (Failure { hresult: 0x8007_0643, permanent: true }, 24), // ERROR_INSTALL_FAILURE
    (Failure { hresult: 0x8007_0643, permanent: false }, 12), // the same, another installation was running
    (Failure { hresult: 0x800f_0922, permanent: true }, 14), // CBS_E_INSTALLERS_FAILED: reserved partition too small
    (Failure { hresult: 0x800f_0831, permanent: true }, 8),  // CBS_E_STORE_CORRUPTION: a package is missing
    (Failure { hresult: 0x8007_3712, permanent: true }, 7),  // ERROR_SXS_COMPONENT_STORE_CORRUPT
    (Failure { hresult: 0x8007_0070, permanent: false }, 12), // ERROR_DISK_FULL
    (Failure { hresult: 0x8007_0020, permanent: false }, 10), // ERROR_SHARING_VIOLATION
    (Failure { hresult: 0x8007_05b4, permanent: false }, 8), // ERROR_TIMEOUT
    (Failure { hresult: 0x8024_200b, permanent: false }, 5), // WU_E_UH_INSTALLERFAILURE
];

/// How a computer comes to restart after an installation that needs it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Restarts {
    /// When the installation asks for it.
    AtOnce,
    /// In the evening or, for servers, in the night.
    InTheEvening,
    /// On the evening of the third working day; the user says "later" until then.
    Postponed,
}

/// When a computer is on and can reach its server.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Hours {
    /// Always: servers, and desktops that nobody switches off.
    Always,
    /// On working days from morning to evening.
    Office,
    /// As office hours, but away on some days, and some evenings from home.
    Travelling,
}

/// What one computer does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habits {
    /// When it restarts.
    pub restarts: Restarts,
    /// When it is on.
    pub hours: Hours,
    /// Its clock, as hours east of UTC.
    pub zone: i8,
    /// Share of updates whose first installation fails here, 0 to 1.
    pub failure_rate: f64,
    seed: u64,
    number: u64,
}

impl Habits {
    /// The habits of computer `number`. `failure_rate` is the mean of the fleet.
    pub(crate) fn draw(seed: u64, number: u64, kind: Kind, failure_rate: f64) -> Self {
        let mut dice = Dice::new(seed, Purpose::Habits, number);
        // sites of one company: Europe, the Americas, Asia
        let zones: &[(i8, u32)] = &[(0, 18), (1, 42), (2, 8), (-5, 14), (-6, 6), (-3, 3), (8, 4), (9, 5)];
        let zone = dice.weighted(zones, |zone| zone.1).map_or(0, |zone| zone.0);
        let (always, at_once, evening) = match kind {
            Kind::Desktop => (0.25, 25, 50),
            Kind::Laptop => (0.0, 15, 45),
            Kind::Server => (1.0, 10, 90),
        };
        let hours = match (dice.chance(always), kind) {
            (true, _) => Hours::Always,
            (false, Kind::Laptop) => Hours::Travelling,
            (false, _) => Hours::Office,
        };
        let draw = dice.below(100);
        let restarts = match draw {
            _ if draw < at_once => Restarts::AtOnce,
            _ if draw < at_once + evening => Restarts::InTheEvening,
            _ => Restarts::Postponed,
        };
        // one computer in a hundred is broken and fails half of the time; the others share the rest
        let broken = dice.chance(0.01);
        let own = if broken { (failure_rate * 20.0).min(0.5) } else { failure_rate * 0.8 };
        Self { restarts, hours, zone, failure_rate: own.clamp(0.0, 1.0), seed, number }
    }

    /// Whether an installation fails: attempt 0 is the first. The answer is the same whenever it is asked.
    pub fn failure(&self, update: UpdateId, attempt: u32) -> Option<Failure> {
        let (high, low) = update.0.as_u64_pair();
        let mut dice = Dice::new(self.seed ^ high ^ low.rotate_left(32), Purpose::Install, self.number);
        if !dice.chance(self.failure_rate) {
            return None;
        }
        let cause = dice.weighted(CAUSES, |cause| cause.1)?.0;
        // what passes has passed after one to three attempts
        let lasts = 1 + dice.below(3);
        (cause.permanent || attempt < lasts).then_some(cause)
    }

    /// Whether the computer is on and can reach its server.
    pub fn is_present(&self, at: Timestamp) -> bool {
        let Ok(offset) = Offset::from_hours(self.zone) else { return true };
        let local = offset.to_datetime(at);
        let minute = u32::try_from(local.hour()).unwrap_or(0) * 60 + u32::try_from(local.minute()).unwrap_or(0);
        let working = !matches!(local.date().weekday(), Weekday::Saturday | Weekday::Sunday);
        let day = u64::from(local.date().day_of_year().unsigned_abs()) + 367 * u64::from(local.year().unsigned_abs());
        let mut dice = Dice::new(self.seed, Purpose::Presence, self.number.wrapping_mul(1_000_003).wrapping_add(day));
        // people come between 6:45 and 9:15 and go between 15:45 and 18:45
        let (start, end) = (405 + dice.below(150), 945 + dice.below(180));
        let away = dice.chance(0.15);
        let evening = dice.chance(0.2);
        match self.hours {
            Hours::Always => true,
            Hours::Office => working && (start..end).contains(&minute),
            Hours::Travelling => {
                working && !away && ((start..end).contains(&minute) || evening && (1_170..1_320).contains(&minute))
            }
        }
    }

    /// The first quarter of an hour from `at` on at which the computer is present; `at` itself if it is. At most three
    /// weeks ahead.
    pub fn present_from(&self, at: Timestamp) -> Timestamp {
        const STEP: SignedDuration = SignedDuration::from_mins(15);
        let mut at = at;
        for _ in 0..21 * 96 {
            if self.is_present(at) {
                return at;
            }
            at = at.saturating_add(STEP).unwrap_or(at);
        }
        at
    }

    /// When it restarts after an installation that ended at `at` and needs it.
    pub fn restart_after(&self, at: Timestamp) -> Timestamp {
        let days = match self.restarts {
            Restarts::AtOnce => return at,
            Restarts::InTheEvening => 0,
            Restarts::Postponed => 3,
        };
        let Ok(offset) = Offset::from_hours(self.zone) else { return at };
        let local = offset.to_datetime(at);
        let hour = if self.hours == Hours::Always { 22 } else { 17 };
        let evening = local.date().at(hour, 30, 0, 0);
        let today = offset.to_timestamp(evening).unwrap_or(at);
        let first = if today < at { today.saturating_add(DAY).unwrap_or(at) } else { today };
        let mut restart = first;
        let mut left = days;
        // bounded: no seven days without a working day
        for _ in 0..(days + 1) * 7 {
            let working = !matches!(offset.to_datetime(restart).date().weekday(), Weekday::Saturday | Weekday::Sunday);
            if self.hours == Hours::Always && days == 0 || working && left == 0 {
                return restart;
            }
            left -= i32::from(working && left > 0);
            restart = restart.saturating_add(DAY).unwrap_or(restart);
        }
        restart
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn habits(kind: Kind) -> impl Iterator<Item = Habits> {
        (0..2_000).map(move |number| Habits::draw(7, number, kind, 0.03))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn servers_are_always_present() {
        for habits in habits(Kind::Server) {
            assert!(habits.is_present(at("2026-11-29T03:00:00Z")));
            assert_eq!(habits.present_from(at("2026-11-29T03:00:00Z")), at("2026-11-29T03:00:00Z"));
        }
    }

    #[test]
    fn laptops_are_present_on_working_days_only() {
        let (mut noon, mut sunday, mut night) = (0, 0, 0);
        for habits in habits(Kind::Laptop).filter(|habits| habits.zone == 0) {
            noon += usize::from(habits.is_present(at("2026-11-25T12:00:00Z")));
            sunday += usize::from(habits.is_present(at("2026-11-29T12:00:00Z")));
            night += usize::from(habits.is_present(at("2026-11-25T03:00:00Z")));
            let next = habits.present_from(at("2026-11-28T12:00:00Z"));
            assert!(next > at("2026-11-30T06:00:00Z") && habits.is_present(next), "{next}");
        }
        assert!(noon > 200 && sunday == 0 && night == 0, "{noon} {sunday} {night}");
    }

    #[test]
    fn postponing_takes_three_working_days() {
        let user = Habits {
            restarts: Restarts::Postponed,
            hours: Hours::Office,
            zone: 0,
            ..habits(Kind::Desktop).next().expect("one")
        };
        // a Thursday morning: the evenings of Thursday, Friday and Monday are put off
        assert_eq!(user.restart_after(at("2026-11-26T09:00:00Z")), at("2026-12-01T17:30:00Z"));
        let user = Habits { restarts: Restarts::InTheEvening, ..user };
        assert_eq!(user.restart_after(at("2026-11-26T09:00:00Z")), at("2026-11-26T17:30:00Z"));
        assert_eq!(user.restart_after(at("2026-11-26T18:00:00Z")), at("2026-11-27T17:30:00Z"));
        let user = Habits { restarts: Restarts::AtOnce, ..user };
        assert_eq!(user.restart_after(at("2026-11-26T18:00:00Z")), at("2026-11-26T18:00:00Z"));
    }

    #[test]
    fn failures_are_as_rare_as_asked_and_some_pass() {
        let update = UpdateId(Uuid::from_u128(77));
        let first: Vec<_> = habits(Kind::Desktop).filter_map(|habits| habits.failure(update, 0)).collect();
        assert!((30..90).contains(&first.len()), "{} of 2000", first.len());
        let late: Vec<_> = habits(Kind::Desktop).filter_map(|habits| habits.failure(update, 3)).collect();
        assert!(!late.is_empty() && late.len() < first.len());
        assert!(late.iter().all(|failure| failure.permanent));
        let never = Habits::draw(7, 1, Kind::Desktop, 0.0);
        assert_eq!(never.failure(update, 0), None);
    }
}
