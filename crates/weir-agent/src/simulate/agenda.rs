//! Who scans when: arrivals by their plan, and retries between them.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// A computer that is due.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Due {
    /// When.
    pub(super) at: Instant,
    /// Which one.
    pub(super) computer: u32,
    /// Attempts before this one.
    pub(super) attempt: u8,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// This computer.
    Due(Due),
    /// Nothing now; whoever is at work may bring something.
    Wait,
    /// Nothing any more.
    Done,
}

#[derive(Debug)]
struct Inner {
    /// Arrivals after the start, sorted, and how many are taken.
    arrivals: Vec<(Duration, u32)>,
    taken: usize,
    again: BinaryHeap<Reverse<Due>>,
    at_work: usize,
}

/// The agenda of a phase.
#[derive(Debug)]
pub(super) struct Agenda {
    start: Instant,
    inner: Mutex<Inner>,
    changed: Notify,
}

impl Agenda {
    /// Arrivals in real time after `start`, sorted by time.
    pub(super) fn new(start: Instant, arrivals: Vec<(Duration, u32)>) -> Self {
        let inner = Inner { arrivals, taken: 0, again: BinaryHeap::new(), at_work: 0 };
        Self { start, inner: Mutex::new(inner), changed: Notify::new() }
    }

    /// Takes the earliest; whoever takes one says [`Agenda::done`] or [`Agenda::again`] afterwards.
    pub(super) fn take(&self) -> Next {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = inner.arrivals.get(inner.taken).copied();
        let arrival = arrival.map(|(after, computer)| Due { at: self.start + after, computer, attempt: 0 });
        let again = inner.again.peek().map(|due| due.0);
        let due = match (arrival, again) {
            (Some(arrival), Some(again)) if again.at <= arrival.at => Some(again),
            (Some(arrival), _) => Some(arrival),
            (None, again) => again,
        };
        match due {
            Some(due) => {
                if again == Some(due) {
                    inner.again.pop();
                } else {
                    inner.taken += 1;
                }
                inner.at_work += 1;
                Next::Due(due)
            }
            None if inner.at_work > 0 => Next::Wait,
            None => Next::Done,
        }
    }

    /// What was taken is done.
    pub(super) fn done(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.at_work = inner.at_work.saturating_sub(1);
        drop(inner);
        self.changed.notify_waiters();
    }

    /// What was taken is to come again.
    pub(super) fn again(&self, due: Due) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.at_work = inner.at_work.saturating_sub(1);
        inner.again.push(Reverse(due));
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Waits until something changed, or a moment.
    pub(super) async fn changed(&self) {
        // a change between looking and waiting would be missed; the bound catches that
        let _ = tokio::time::timeout(Duration::from_millis(50), self.changed.notified()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_between_arrivals() {
        let start = Instant::now();
        let agenda = Agenda::new(start, vec![(Duration::ZERO, 1), (Duration::from_secs(10), 2)]);
        let Next::Due(first) = agenda.take() else { panic!("nothing is due") };
        assert_eq!((first.computer, first.attempt), (1, 0));
        agenda.again(Due { at: start + Duration::from_secs(5), attempt: 1, ..first });
        let order: Vec<_> = std::iter::from_fn(|| match agenda.take() {
            Next::Due(due) => Some((due.computer, due.attempt)),
            _ => None,
        })
        .collect();
        assert_eq!(order, [(1, 1), (2, 0)]);
        assert_eq!(agenda.take(), Next::Wait);
        agenda.done();
        agenda.done();
        assert_eq!(agenda.take(), Next::Done);
    }
}
