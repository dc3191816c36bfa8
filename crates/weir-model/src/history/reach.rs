//! When a share of the computers complied.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Day, Point, percent};

/// The shares that are asked for mostly, in percent.
pub const TARGETS: [u8; 3] = [50, 90, 95];

/// When the points of a series were taken.
#[derive(Clone, Debug)]
pub struct Instants<'z> {
    /// The zone of their days.
    pub zone: &'z TimeZone,
    /// Now: today's point is as of now, not as of its end.
    pub now: Timestamp,
}

impl Instants<'_> {
    /// A point says how it was at the end of its day, or now.
    pub fn of(&self, day: Day) -> Timestamp {
        day.end(self.zone).min(self.now)
    }
}

/// When the share was reached for the first time from the start on. It may have been lost since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// It was so at the start already, by a record from before it.
    AtStart,
    /// It was so when records began, which was after the start: somewhen between the two.
    BeforeRecords {
        /// The time of the first record.
        by: Timestamp,
    },
    /// Between two records.
    Between {
        /// Not yet then: the record before, or the start.
        after: Timestamp,
        /// Reached then.
        by: Timestamp,
        /// Between the two in proportion to the shares; none if the share at `after` is not known, because records began on
        /// the day of the start.
        estimate: Option<Timestamp>,
        /// Days without a record between the two.
        missing: u32,
    },
    /// Not yet, or never while there are records.
    Not {
        /// The highest share so far, in percent.
        best: f64,
        /// When that was.
        at: Timestamp,
    },
    /// There is no record from after the start with any computer in it.
    NoRecords,
}

impl Reach {
    /// How long it took as far as that is known: the estimate, else the latest it can have been.
    pub fn took(&self, start: Timestamp) -> Option<SignedDuration> {
        let at = match *self {
            Self::AtStart => start,
            Self::BeforeRecords { by } => by,
            Self::Between { by, estimate, .. } => estimate.unwrap_or(by),
            Self::Not { .. } | Self::NoRecords => return None,
        };
        Some(at.duration_since(start))
    }
}

/// Whether at least so many percent comply; without computers they do not.
pub fn reached(point: &Point, target: u8) -> bool {
    let total = point.counts.total();
    total > 0 && u128::from(point.counts.compliant()) * 100 >= u128::from(target) * u128::from(total)
}

/// When `target` percent complied for the first time from `start` on, unknown computers counted as not. The points are in
/// the order of their days; what lies after now is left out, and so are days without computers.
pub fn time_to(points: &[Point], start: Timestamp, target: u8, instants: &Instants<'_>) -> Reach {
    let today = Day::at(instants.now, instants.zone);
    let usable = || points.iter().filter(|point| point.day <= today && point.counts.total() > 0);
    let baseline = usable().rfind(|point| instants.of(point.day) <= start);
    if baseline.is_some_and(|point| reached(point, target)) && start <= instants.now {
        return Reach::AtStart;
    }
    let mut before = baseline;
    let mut best: Option<(f64, Timestamp)> = None;
    for point in usable().filter(|point| instants.of(point.day) > start) {
        let by = instants.of(point.day);
        if !reached(point, target) {
            let share = percent(&point.counts).unwrap_or_default();
            if best.is_none_or(|(highest, _)| share > highest) {
                best = Some((share, by));
            }
            before = Some(point);
            continue;
        }
        return match before {
            Some(before) => {
                let after = instants.of(before.day).max(start);
                let missing = (point.day.number() - before.day.number() - 1).max(0).unsigned_abs();
                Reach::Between { after, by, estimate: Some(estimate(before, point, target, after, by)), missing }
            }
            None if point.day == Day::at(start, instants.zone) => {
                Reach::Between { after: start, by, estimate: None, missing: 0 }
            }
            None => Reach::BeforeRecords { by },
        };
    }
    best.map_or(Reach::NoRecords, |(best, at)| Reach::Not { best, at })
}

/// On the line between two points.
fn estimate(before: &Point, point: &Point, target: u8, after: Timestamp, by: Timestamp) -> Timestamp {
    let (low, high) = (percent(&before.counts).unwrap_or_default(), percent(&point.counts).unwrap_or_default());
    let rise = high - low;
    let share = if rise > 0.0 { ((f64::from(target) - low) / rise).clamp(0.0, 1.0) } else { 1.0 };
    let span = by.duration_since(after).as_millis() as f64;
    let ahead = SignedDuration::from_millis((span * share).round() as i64);
    after.checked_add(ahead).unwrap_or(by).min(by)
}
