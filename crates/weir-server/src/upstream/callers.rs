//! From where servers call, to notice two that have one identity.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use uuid::Uuid;

/// A server that comes back to an address within this time was not moved in between.
const WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Servers that are remembered.
const MOST: usize = 10_000;

/// The last two addresses of each server that was authorized lately. Kept in memory: after a restart it begins anew.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<BTreeMap<Uuid, Calls>>);

#[derive(Debug)]
struct Calls {
    address: String,
    at: Timestamp,
    /// Another one, and when it was last called from.
    before: Option<(String, Timestamp)>,
}

impl Callers {
    /// Notes a call. If the server calls from two addresses in turn, the other one is returned: it called from this one,
    /// then from the other, and now from this one again, within an hour. A move from one to another is none.
    pub(super) fn note(&self, id: Uuid, address: &str, now: Timestamp) -> Option<String> {
        let mut all = self.0.lock();
        if let Some(calls) = all.get_mut(&id) {
            if calls.address == address {
                calls.at = now;
                return None;
            }
            let left = std::mem::replace(&mut calls.address, address.to_owned());
            let before = calls.before.replace((left.clone(), calls.at));
            calls.at = now;
            return before.filter(|(known, at)| known == address && now < *at + WITHIN).map(|_| left);
        }
        if all.len() >= MOST {
            all.retain(|_, calls| now < calls.at + WITHIN);
        }
        if all.len() < MOST {
            all.insert(id, Calls { address: address.to_owned(), at: now, before: None });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn minute(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    #[test]
    fn two_addresses_in_turn_are_noticed_and_a_move_is_not() {
        let callers = Callers::default();
        assert_eq!(callers.note(ID, "a", minute(0)), None);
        assert_eq!(callers.note(ID, "b", minute(10)), None);
        assert_eq!(callers.note(ID, "b", minute(20)), None);
        assert_eq!(callers.note(Uuid::from_u128(2), "a", minute(25)), None, "another server");
        assert_eq!(callers.note(ID, "a", minute(30)).as_deref(), Some("b"));
        assert_eq!(callers.note(ID, "b", minute(40)).as_deref(), Some("a"));
        // moved for good, and back another day
        assert_eq!(callers.note(ID, "c", minute(50)), None);
        assert_eq!(callers.note(ID, "b", minute(110)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let callers = Callers::default();
        for number in 0..MOST as u128 + 10 {
            callers.note(Uuid::from_u128(number), "a", minute(0));
        }
        assert_eq!(callers.0.lock().len(), MOST);
        callers.note(Uuid::from_u128(u128::MAX), "a", minute(61));
        assert_eq!(callers.0.lock().len(), 1);
    }
}
