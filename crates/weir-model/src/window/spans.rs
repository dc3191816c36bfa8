//! The union of windows, in order.

use jiff::{SignedDuration, Timestamp};

use super::{Calendar, Span, Window, plus};
use crate::schedule::Pattern;

/// The union is followed for this long at most where windows go on without end.
const ENDLESS: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The occurrences of all windows, by their beginning.
pub(super) struct Occurrences<'c> {
    calendar: &'c Calendar,
    /// The next beginning of each window.
    next: Vec<(Option<Timestamp>, &'c Window)>,
}

impl<'c> Occurrences<'c> {
    /// Those that end after `from`.
    pub(super) fn new(calendar: &'c Calendar, from: Timestamp) -> Self {
        let first =
            |window: &'c Window| (window.recurrence.next_after(plus(from, -window.duration()), &calendar.zone), window);
        Self { calendar, next: calendar.windows.iter().map(first).collect() }
    }

    pub(super) fn peek(&self) -> Option<Timestamp> {
        self.next.iter().filter_map(|(start, _)| *start).min()
    }
}

impl Iterator for Occurrences<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let zone = &self.calendar.zone;
        let begun = self.next.iter_mut().filter(|(start, _)| start.is_some());
        let (slot, window) = begun.min_by_key(|(start, _)| *start)?;
        let start = (*slot)?;
        *slot = window.recurrence.next_after(start, zone);
        Some(Span { start, end: plus(start, window.duration()) })
    }
}

impl Calendar {
    /// The windows as stretches of time in which updates may install: those that end after `from` and begin before
    /// `until`, at most `most`. Overlapping and touching windows are one. One that never ends is cut after some weeks.
    pub fn spans(&self, from: Timestamp, until: Timestamp, most: usize) -> Vec<Span> {
        let mut occurrences = Occurrences::new(self, from).peekable();
        let mut spans = Vec::new();
        while spans.len() < most
            && let Some(mut span) = occurrences.next_if(|span| span.start < until)
        {
            while span.duration() < ENDLESS
                && let Some(more) = occurrences.next_if(|more| more.start <= span.end)
            {
                span.end = span.end.max(more.end);
            }
            spans.push(span);
        }
        spans
    }

    /// The window that is open now, or the next one; none if there is never one again.
    pub fn next_span(&self, now: Timestamp) -> Option<Span> {
        self.spans(now, Timestamp::MAX, 1).into_iter().next()
    }

    /// Whether no union of the windows can be as long as `needed`, as can be told without looking at the calendar. Within a
    /// stretch that is fully covered and just as long, each window occurs at most so often as its recurrence allows
    /// (a day more or less for changes of the clocks); if all of those together are shorter, there is no such stretch.
    pub(super) fn too_short(&self, needed: SignedDuration) -> bool {
        let share = |window: &Window| {
            let reach = (needed + window.duration()).as_hours().max(0) + 1;
            let times = match window.recurrence.pattern() {
                Pattern::Hours { every } => reach / i64::from(*every).max(1) + 1,
                Pattern::Days { every } => (reach + 24) / (24 * i64::from(*every).max(1)) + 1,
                Pattern::Weeks { every, days } => {
                    let weeks = (reach + 24) / (168 * i64::from(*every).max(1)) + 1;
                    weeks * (days.len() as i64).max(1)
                }
                // February has 28 days, and an offset moves each month's day alike
                Pattern::MonthDay { every, .. } | Pattern::MonthWeekday { every, .. } => {
                    (reach + 24) / (28 * 24 * i64::from(*every).max(1)) + 1
                }
            };
            i64::from(window.minutes).saturating_mul(times)
        };
        let minutes = self.windows.iter().map(share).fold(0, i64::saturating_add);
        SignedDuration::from_mins(minutes.min(i64::from(u32::MAX))) < needed
    }

    /// About how many occurrences there are in a day, rounded up.
    pub(super) fn per_day(&self) -> i64 {
        let hours = |window: &Window| match window.recurrence.pattern() {
            Pattern::Hours { every } => 24 / i64::from(*every).max(1) + 1,
            _ => 1,
        };
        self.windows.iter().map(hours).fold(0, i64::saturating_add).max(1)
    }
}
