//! Status that another server tells, and what to tell another server (MS-WSUSSS 3.1.4.17, 3.2.4.5).

use jiff::Timestamp;

use super::{ComputerStatus, Entry, State, UpdateNumber};

/// A state of an update as servers tell it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Told {
    /// Which update.
    pub update: UpdateNumber,
    /// Its state; unknown and not applicable both mean that it is not listed.
    pub state: State,
    /// Since when.
    pub changed: Timestamp,
}

impl ComputerStatus {
    /// Takes states over. With `full` they replace all there was; else each replaces its own unless what is known of it
    /// is newer. Of several of one update the last counts.
    pub fn merge(&mut self, full: bool, told: impl IntoIterator<Item = Told>) {
        if full {
            self.entries.clear();
        }
        for told in told {
            let changed = super::apply::whole_milliseconds(told.changed);
            let entry = Entry { update: told.update, state: told.state, changed, error: None };
            let listed = !matches!(told.state, State::Unknown | State::NotApplicable);
            match self.entries.binary_search_by_key(&told.update, |entry| entry.update) {
                Ok(index) if listed => {
                    if let Some(known) = self.entries.get_mut(index).filter(|known| known.changed <= changed) {
                        *known = entry;
                    }
                }
                Ok(index) => {
                    if self.entries.get(index).is_some_and(|known| known.changed <= changed) {
                        self.entries.remove(index);
                    }
                }
                Err(index) if listed => self.entries.insert(index, entry),
                Err(_) => {}
            }
        }
    }

    /// What to tell a server that has `before` (nothing yet: none) so that it has this status. What is not listed any
    /// more became not applicable when the computer last reported.
    pub fn told_since(&self, before: Option<&Self>) -> Vec<Told> {
        let old = before.map_or(&[][..], |before| &before.entries);
        let (mut old, mut new) = (old.iter().peekable(), self.entries.iter().peekable());
        let mut told = Vec::new();
        let gone_at = |entry: &Entry| self.as_of.or(self.reported).map_or(entry.changed, |at| at.max(entry.changed));
        loop {
            let first = old.peek().map(|entry| entry.update);
            let Some(update) = first.into_iter().chain(new.peek().map(|entry| entry.update)).min() else { break };
            let was = old.next_if(|entry| entry.update == update);
            match (was, new.next_if(|entry| entry.update == update)) {
                (Some(was), Some(is)) if was.state == is.state && was.changed == is.changed => {}
                (_, Some(is)) => told.push(Told { update, state: is.state, changed: is.changed }),
                (Some(was), None) => {
                    told.push(Told { update, state: State::NotApplicable, changed: gone_at(was) });
                }
                (None, None) => {}
            }
        }
        told
    }
}

impl State {
    /// The state of a number in roll-ups ([`State::protocol_number`]); unknown for others.
    pub fn from_protocol_number(number: u8) -> Self {
        Self::ALL.into_iter().find(|state| state.protocol_number() == number).unwrap_or(Self::Unknown)
    }
}
