//! When which computer is to be looked at because time passed.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

/// At most one moment for each computer.
#[derive(Debug, Default)]
pub(super) struct Due {
    order: BTreeSet<(Timestamp, u32)>,
    of: HashMap<u32, Timestamp>,
}

impl Due {
    /// Sets the moment of a computer, or takes it away.
    pub(super) fn set(&mut self, computer: u32, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.of.insert(computer, at),
            None => self.of.remove(&computer),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, computer));
        }
        if let Some(at) = at {
            self.order.insert((at, computer));
        }
    }

    /// The first moment of all.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes the computers whose moment has come, at most so many.
    pub(super) fn take(&mut self, now: Timestamp, most: usize) -> Vec<u32> {
        let mut taken = Vec::new();
        while taken.len() < most && self.order.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, computer)) = self.order.pop_first() {
                self.of.remove(&computer);
                taken.push(computer);
            }
        }
        taken
    }

    /// Forgets everything: no rule asks for ages any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_computer_has_one_moment_and_is_taken_when_it_comes() {
        let at = |second| Timestamp::from_second(second).expect("time");
        let mut due = Due::default();
        for (computer, second) in [(1, 30), (2, 10), (3, 20), (2, 40), (4, 10)] {
            due.set(computer, Some(at(second)));
        }
        due.set(4, None);
        due.set(9, None);
        assert_eq!(due.first(), Some(at(20)));
        assert_eq!(due.take(at(19), 10), [0_u32; 0]);
        assert_eq!(due.take(at(40), 2), [3, 1]);
        assert_eq!(due.take(at(40), 2), [2]);
        assert_eq!(due.first(), None);
        assert!(due.of.is_empty());
    }
}
