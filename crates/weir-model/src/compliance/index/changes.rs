//! What changed of an index lately, so that sheets follow it without a look at every computer.

use std::collections::{HashSet, VecDeque};

use super::super::Asked;
use crate::status::UpdateNumber;

/// Changes of computers that are kept; a sheet that is further behind is counted anew.
const MOST: usize = 1 << 16;
/// Changes of what computers are asked about that are kept, for the same.
const MOST_ASKS: usize = 32;

/// A computer that changed: where it is kept, and the number of the set of collections and the server that it had before. None if
/// nobody was kept there.
pub(super) type Change = (u32, Option<(u32, u32)>);

/// How far somebody followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) struct Followed {
    computers: u64,
    asks: u64,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// All changes of computers that there were.
    count: u64,
    /// The last of them.
    computers: VecDeque<Change>,
    /// How often something else was asked.
    asked: u64,
    /// Of the last times, the updates about which not everybody was asked the same as before.
    asks: VecDeque<HashSet<UpdateNumber>>,
}

impl Changes {
    /// A computer is about to change.
    pub(super) fn note(&mut self, slot: u32, place: Option<(u32, u32)>) {
        if self.computers.len() == MOST {
            self.computers.pop_front();
        }
        self.computers.push_back((slot, place));
        self.count += 1;
    }

    /// A computer changes, and nobody notes how: all sheets are counted anew.
    pub(super) fn forget(&mut self) {
        self.computers.clear();
        self.count += 1;
    }

    /// Computers are asked about something else; these updates make the difference.
    pub(super) fn ask(&mut self, differing: HashSet<UpdateNumber>) {
        if self.asks.len() == MOST_ASKS {
            self.asks.pop_front();
        }
        self.asks.push_back(differing);
        self.asked += 1;
    }

    /// The present.
    pub(super) fn now(&self) -> Followed {
        Followed { computers: self.count, asks: self.asked }
    }

    /// The computers that changed since, oldest change first; none if that is not known any more, or if something else is asked
    /// about these updates, which ascend, than before. Without updates all are meant.
    pub(super) fn since(&self, then: Followed, only: Option<&[UpdateNumber]>) -> Option<impl Iterator<Item = Change>> {
        let kept = |all: u64, then: u64, kept: usize| {
            let behind = usize::try_from(all.checked_sub(then)?).ok()?;
            kept.checked_sub(behind)
        };
        let asks = kept(self.asked, then.asks, self.asks.len())?;
        let concerns = |differing: &HashSet<UpdateNumber>| match only {
            None => !differing.is_empty(),
            Some(only) => only.iter().any(|update| differing.contains(update)),
        };
        if self.asks.iter().skip(asks).any(concerns) {
            return None;
        }
        let computers = kept(self.count, then.computers, self.computers.len())?;
        Some(self.computers.iter().skip(computers).copied())
    }
}

/// Adds the updates that two lists do not have alike; both ascend.
pub(super) fn differing(one: &[Asked], other: &[Asked], found: &mut HashSet<UpdateNumber>) {
    if std::ptr::eq(one, other) {
        return;
    }
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        match (one.peek(), other.peek()) {
            (None, None) => return,
            (Some(mine), Some(theirs)) if mine.update == theirs.update => {
                if mine.entered != theirs.entered {
                    found.insert(mine.update);
                }
                one.next();
                other.next();
            }
            (Some(mine), theirs) if theirs.is_none_or(|theirs| mine.update < theirs.update) => {
                found.insert(mine.update);
                one.next();
            }
            (_, Some(theirs)) => {
                found.insert(theirs.update);
                other.next();
            }
            (Some(_), None) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ChangeNumber;

    fn asked(of: &[(u32, u64)]) -> Vec<Asked> {
        let one =
            |(update, entered): &(u32, u64)| Asked { update: UpdateNumber(*update), entered: ChangeNumber(*entered) };
        of.iter().map(one).collect()
    }

    #[test]
    fn lists_differ_where_one_lacks_an_update_or_it_entered_at_another_time() {
        let found = |one: &[(u32, u64)], other: &[(u32, u64)]| {
            let mut found = HashSet::new();
            differing(&asked(one), &asked(other), &mut found);
            let mut found: Vec<u32> = found.into_iter().map(|update| update.0).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(found(&[(1, 1), (2, 1), (4, 1)], &[(2, 1), (3, 1), (4, 2)]), [1, 3, 4]);
        assert_eq!(found(&[], &[(7, 1), (8, 1)]), [7, 8]);
        assert_eq!(found(&[(7, 1)], &[]), [7]);
        assert!(found(&[(7, 1)], &[(7, 1)]).is_empty());
    }

    #[test]
    fn what_is_not_kept_any_more_is_not_known() {
        let mut changes = Changes::default();
        let start = changes.now();
        let slots = |changes: &Changes, then: Followed| {
            changes.since(then, None).map(|since| since.map(|(slot, _)| slot).collect::<Vec<_>>())
        };
        assert_eq!(slots(&changes, start), Some(Vec::new()));
        changes.note(3, None);
        changes.note(4, Some((1, 1)));
        let later = changes.now();
        changes.note(5, None);
        assert_eq!((slots(&changes, start), slots(&changes, later)), (Some(vec![3, 4, 5]), Some(vec![5])));
        for slot in 0..MOST as u32 - 1 {
            changes.note(slot, None);
        }
        assert_eq!(slots(&changes, start), None);
        assert_eq!(slots(&changes, later).map(|slots| slots.len()), Some(MOST));
        changes.forget();
        assert_eq!(slots(&changes, later), None);
        assert_eq!(slots(&changes, changes.now()), Some(Vec::new()));
    }

    #[test]
    fn what_is_asked_about_other_updates_does_not_matter() {
        let mut changes = Changes::default();
        let start = changes.now();
        changes.ask([3, 9].map(UpdateNumber).into());
        let known = |changes: &Changes, only: Option<&[UpdateNumber]>| changes.since(start, only).is_some();
        assert!(known(&changes, Some(&[4, 5].map(UpdateNumber))) && !known(&changes, Some(&[5, 9].map(UpdateNumber))));
        assert!(!known(&changes, None));
        for _ in 0..MOST_ASKS {
            changes.ask(HashSet::new());
        }
        assert!(!known(&changes, Some(&[])), "what the first differed in is not known any more");
    }
}
