//! The stored form: version; number of points; day of the first; then a record for each change.
//!
//! A record begins with a byte. 0: so many further days as the number after it says, each the next day with the same counts.
//! Otherwise the low seven bits are the states whose count changed (bit = [`State::protocol_number`]), each followed by its
//! difference; with the high bit there are days without a point before this one, as many as the number before the
//! differences says. Numbers have seven bits a byte, lowest first; differences of either sign are 0, -1, 1, -2, ...

use super::{Day, LONGEST_DAYS, Point, Series};
use crate::status::{Counts, State};

const VERSION: u8 = 1;
const RUN: u8 = 0;
const GAP: u8 = 0x80;

/// Why stored bytes of a series cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HistoryDecodeError {
    /// Damaged.
    #[error("a stored history is damaged: {0}")]
    Damaged(&'static str),
    /// Written by a newer version.
    #[error("a stored history has version {0}, which this version of Weir cannot read")]
    Version(u8),
}

impl Series {
    /// Compact bytes: 2 for a run of equal days, else 1 to 3 for each state that changed and 1 for the day.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let points = self.points();
        write(&mut out, points.len() as u64);
        let Some(first) = points.first() else { return out };
        write(&mut out, u64::from(first.day.number().unsigned_abs()));
        let mut before = Point { day: first.day, counts: Counts::default() };
        let mut run = 0_u64;
        for (index, point) in points.iter().enumerate() {
            let missing = if index == 0 { 0 } else { point.day.number() - before.day.number() - 1 };
            if index > 0 && missing == 0 && point.counts == before.counts {
                run += 1;
            } else {
                write_run(&mut out, &mut run);
                write_point(&mut out, missing.unsigned_abs(), &before.counts, &point.counts);
            }
            before = *point;
        }
        write_run(&mut out, &mut run);
        out
    }

    /// Reads [`Self::encode`]d bytes of this or an earlier version. What is read spans at most [`LONGEST_DAYS`], so that a
    /// few damaged bytes cannot ask for much memory.
    pub fn decode(bytes: &[u8]) -> Result<Self, HistoryDecodeError> {
        let (version, rest) = bytes.split_first().ok_or(CUT)?;
        if *version != VERSION {
            return Err(HistoryDecodeError::Version(*version));
        }
        let mut input = Input(rest);
        let count = input.number()?;
        if count > u64::from(LONGEST_DAYS) {
            return Err(HistoryDecodeError::Damaged("it has too many days"));
        }
        if count == 0 {
            return if input.0.is_empty() { Ok(Self::default()) } else { Err(AFTER) };
        }
        let first = Day::from_number(input.number()?.cast_signed()).ok_or(DAY)?;
        let mut points: Vec<Point> = Vec::with_capacity(count as usize);
        while (points.len() as u64) < count {
            let head = input.byte()?;
            let last = points.last().copied();
            if head == RUN
                && let Some(last) = last
            {
                let days = input.number()?;
                if days == 0 || days > count - points.len() as u64 {
                    return Err(HistoryDecodeError::Damaged("a run is impossible"));
                }
                for ahead in 1..=days {
                    points.push(Point { day: next(first, last.day, ahead)?, counts: last.counts });
                }
                continue;
            }
            let missing = if head & GAP == 0 { 0 } else { input.number()? };
            let day = match last {
                None if missing == 0 => first,
                None => return Err(HistoryDecodeError::Damaged("it begins with a gap")),
                Some(last) => next(first, last.day, missing.saturating_add(1))?,
            };
            let mut counts = last.map(|last| last.counts).unwrap_or_default();
            for state in State::ALL {
                if head >> state.protocol_number() & 1 == 1 {
                    let count = counts_mut(&mut counts, state);
                    *count = input.changed(*count)?;
                }
            }
            points.push(Point { day, counts });
        }
        if !input.0.is_empty() {
            return Err(AFTER);
        }
        Ok(Self::from_points(points))
    }
}

fn write_run(out: &mut Vec<u8>, run: &mut u64) {
    if *run > 0 {
        out.push(RUN);
        write(out, std::mem::take(run));
    }
}

fn write_point(out: &mut Vec<u8>, missing: u32, before: &Counts, counts: &Counts) {
    let changed = State::ALL.into_iter().filter(|state| before.of(*state) != counts.of(*state));
    let mut head = changed.clone().fold(0, |head, state| head | 1 << state.protocol_number());
    if missing > 0 {
        head |= GAP;
    }
    if head == RUN {
        // the first point of all, without a computer: 0 is a run only after another point
        out.push(head);
        return;
    }
    out.push(head);
    if missing > 0 {
        write(out, missing.into());
    }
    for state in changed {
        let difference = counts.of(state).wrapping_sub(before.of(state)).cast_signed();
        write(out, (difference << 1 ^ difference >> 63).cast_unsigned());
    }
}

/// Seven bits a byte, lowest first, the high bit on all but the last.
fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn counts_mut(counts: &mut Counts, state: State) -> &mut u64 {
    match state {
        State::Unknown => &mut counts.unknown,
        State::NotApplicable => &mut counts.not_applicable,
        State::Required => &mut counts.required,
        State::Downloaded => &mut counts.downloaded,
        State::Installed => &mut counts.installed,
        State::Failed => &mut counts.failed,
        State::PendingRestart => &mut counts.pending_restart,
    }
}

/// So many days after `last`, within the bound of a series that begins with `first`.
fn next(first: Day, last: Day, ahead: u64) -> Result<Day, HistoryDecodeError> {
    let number = i64::try_from(ahead).ok().and_then(|ahead| i64::from(last.number()).checked_add(ahead)).ok_or(DAY)?;
    let day = Day::from_number(number).ok_or(DAY)?;
    let spans = i64::from(day.number()) - i64::from(first.number());
    if spans < i64::from(LONGEST_DAYS) { Ok(day) } else { Err(DAY) }
}

struct Input<'a>(&'a [u8]);

const CUT: HistoryDecodeError = HistoryDecodeError::Damaged("it ends too early");
const AFTER: HistoryDecodeError = HistoryDecodeError::Damaged("it goes on after its end");
const DAY: HistoryDecodeError = HistoryDecodeError::Damaged("a day is impossible");

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, HistoryDecodeError> {
        let (byte, rest) = self.0.split_first().ok_or(CUT)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, HistoryDecodeError> {
        let mut value = 0_u64;
        // differences of 32-bit counts take 33 bits
        for shift in (0..42).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(HistoryDecodeError::Damaged("a number is too long"))
    }

    /// A count with its difference.
    fn changed(&mut self, count: u64) -> Result<u64, HistoryDecodeError> {
        let raw = self.number()?;
        let difference = (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed();
        let changed = count.checked_add_signed(difference).filter(|count| u32::try_from(*count).is_ok());
        changed.ok_or(HistoryDecodeError::Damaged("a count is impossible"))
    }
}
