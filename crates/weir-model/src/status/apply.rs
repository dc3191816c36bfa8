use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{ComputerStatus, Entry, Event, State, SyncResult, UpdateNumber, event_id};
use crate::ids::{ChangeNumber, UpdateId};

/// A caller of the agent wanted another service than ours and did not reach it.
const OTHER_SERVICE_UNREACHABLE: i32 = 0x8024_0438_u32.cast_signed();

/// Seconds since 1970 of the beginning of 2005. No client of this protocol is older (WSUS 2.0 was released in June of that
/// year), so that a time before says nothing but that a clock, or the field, was not set.
const FIRST_CLIENT: i64 = 1_104_537_600;
/// A client status that is older than the last one by more is no straggler of the same scan on another connection.
const SET_BACK: SignedDuration = SignedDuration::from_hours(24);

/// The lists of a client status. Should an update be in several, the later of these counts.
const LISTS: [(&str, State); 5] = [
    ("U", State::Required),
    ("V", State::Installed),
    ("h", State::Downloaded),
    ("g", State::Failed),
    ("W", State::PendingRestart),
];

/// What [`apply`] needs besides the events.
pub struct Context<'a> {
    /// Receipt of the batch.
    pub now: Timestamp,
    /// Software anchor of the cookie that came with the batch: the status anchor of a client status in it.
    pub anchor: Option<ChangeNumber>,
    /// Number of an update whose status is kept; none for unknown ones, categories and detectoids.
    pub number: &'a dyn Fn(UpdateId) -> Option<UpdateNumber>,
}

/// A changed update.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Change {
    /// Which.
    pub update: UpdateNumber,
    /// Listed state before, none if it was not listed.
    pub before: Option<State>,
    /// Listed state now, none if it is not listed any more.
    pub after: Option<State>,
}

/// What a batch changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Effects {
    /// Updates whose listed state differs from that before the batch, in the order of their numbers.
    pub changes: Vec<Change>,
    /// The status anchor moved, or the first client status came: states of unlisted updates may differ.
    pub anchor_changed: bool,
    /// Anything at all differs from before, so that the status must be stored.
    pub stored: bool,
}

/// Applies a batch in its order (MS-WSUSSS 3.1.1; the rules in detail were observed on real servers and agents).
///
/// Every event counts with its `TimeAtTarget`, in whole milliseconds and not later than `now`: a clock that once ran ahead
/// must not freeze the status. A time before 2005 is none and counts as `now`. An event that is older than what it would
/// overwrite changes nothing; of two at one time the later in the batch counts. Applying a batch again changes nothing but the
/// time of receipt.
///
/// One client status that is older than the last all the same counts, as of `now`: one that follows a later scan, as the
/// anchor of its cookie shows, and is a day or more older by its clock. The clock of its computer was set back, and would
/// otherwise keep the status as it is until it has caught up.
pub fn apply(status: &mut ComputerStatus, batch: &[Event], context: &Context<'_>) -> Effects {
    let before = status.clone();
    let of_kind = |event_id| batch.iter().enumerate().filter(move |(_, event)| event.event_id == event_id);
    // Real batches hold an empty client status beside the full one, at the same time. Only the last counts, and the others must
    // not cost unchanged states their time of change.
    let last_at: BTreeMap<Timestamp, usize> =
        of_kind(event_id::CLIENT_STATUS).map(|(index, event)| (time_of(event, context.now), index)).collect();
    let success = of_kind(event_id::DETECTION_SUCCEEDED).map(|(_, event)| event.at).max();
    for (index, event) in batch.iter().enumerate() {
        let at = time_of(event, context.now);
        match event.event_id {
            event_id::CLIENT_STATUS => {
                if last_at.get(&at) == Some(&index) {
                    let is_set_back = before.clock_was_set_back(at, context);
                    let at = if is_set_back { whole_milliseconds(context.now) } else { at };
                    status.replace(event, at, context);
                }
            }
            event_id::DETECTION_SUCCEEDED => status.synchronized(SyncResult { at, hresult: 0 }),
            event_id::DETECTION_FAILED if !is_excused(event, success) => {
                // A failure without a code must not look like a success.
                let hresult = event.error().unwrap_or(0x8000_4005_u32.cast_signed());
                status.synchronized(SyncResult { at, hresult });
            }
            event_id::REBOOT_COMPLETED => status.last_reboot = status.last_reboot.max(Some(at)),
            _ => status.step(event, at, context),
        }
    }
    Effects {
        changes: changes(&before.entries, &status.entries),
        anchor_changed: before.anchor != status.anchor || before.reported.is_none() && status.reported.is_some(),
        stored: before != *status,
    }
}

/// The state that an event puts an update into at once. Download events, the start of an installation and 201 (pending) change
/// nothing; the next client status corrects all.
pub fn state_after(event_id: i32) -> Option<State> {
    Some(match event_id {
        event_id::INSTALL_FAILED
        | event_id::SCHEDULED_FAILED
        | event_id::SHUTDOWN_FAILED
        | event_id::FAILED_AFTER_REBOOT
        | event_id::UNINSTALL_FAILED => State::Failed,
        event_id::INSTALL_SUCCEEDED | event_id::SCHEDULED_SUCCEEDED | event_id::SHUTDOWN_SUCCEEDED => State::Installed,
        event_id::INSTALL_SUCCEEDED_REBOOT
        | event_id::SCHEDULED_SUCCEEDED_REBOOT
        | event_id::SHUTDOWN_SUCCEEDED_REBOOT => State::PendingRestart,
        event_id::UNINSTALL_SUCCEEDED => State::Required,
        _ => return None,
    })
}

/// An empty client status of the very time of the one that a status has, which lists updates. Agents send an empty one beside the
/// full one; in one batch the last of them counts ([`apply`]), but one that arrives later says nothing new and must not wipe
/// what the full one said. It is for the caller to leave it out, who knows which events came before: here a batch that is
/// applied again has to change nothing.
pub fn is_empty_twin(status: &ComputerStatus, event: &Event, now: Timestamp) -> bool {
    let lists = || LISTS.iter().any(|(tag, _)| event.misc.updates(tag).next().is_some());
    event.event_id == event_id::CLIENT_STATUS
        && !status.entries.is_empty()
        && status.as_of == Some(time_of(event, now))
        && !lists()
}

fn time_of(event: &Event, now: Timestamp) -> Timestamp {
    let said = Some(event.at).filter(|at| at.as_second() >= FIRST_CLIENT);
    whole_milliseconds(said.map_or(now, |at| at.min(now)))
}

/// The encoded form holds milliseconds.
pub(super) fn whole_milliseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}

/// A detection failed, and another one of the same batch tells how the synchronization with this server went: `success` is the
/// latest that succeeded.
fn is_excused(failure: &Event, success: Option<Timestamp>) -> bool {
    success.is_some_and(|success| success >= failure.at || failure.error() == Some(OTHER_SERVICE_UNREACHABLE))
}

impl ComputerStatus {
    /// A client status (event 156) replaces the set.
    fn replace(&mut self, event: &Event, at: Timestamp, context: &Context<'_>) {
        if self.as_of.is_some_and(|as_of| as_of > at) {
            return;
        }
        let mut listed: Vec<(UpdateNumber, State)> = Vec::new();
        for (tag, state) in LISTS {
            let numbers = event.misc.updates(tag).filter_map(context.number);
            listed.extend(numbers.map(|number| (number, state)));
        }
        listed.sort_by_key(|(number, _)| *number);

        let mut old = std::mem::take(&mut self.entries).into_iter().peekable();
        let mut listed = listed.into_iter().peekable();
        // What came later than this status, such as a failed installation, stays.
        let is_newer = |entry: &Entry| entry.changed > at;
        while let Some((update, state)) = listed.next() {
            if listed.peek().is_some_and(|(next, _)| *next == update) {
                continue;
            }
            while let Some(unlisted) = old.next_if(|entry| entry.update < update) {
                self.entries.extend(Some(unlisted).filter(is_newer));
            }
            self.entries.push(match old.next_if(|entry| entry.update == update) {
                Some(entry) if is_newer(&entry) => entry,
                Some(entry) => entry.turned(state, at),
                None => Entry { update, state, changed: at, error: None },
            });
        }
        self.entries.extend(old.filter(is_newer));
        self.as_of = Some(at);
        self.reported = Some(whole_milliseconds(context.now));
        self.anchor = context.anchor.unwrap_or(self.anchor);
    }

    /// A client status of that time follows a later scan than this status does, and claims to be a day or more older.
    fn clock_was_set_back(&self, at: Timestamp, context: &Context<'_>) -> bool {
        let is_older = self.as_of.is_some_and(|as_of| as_of.duration_since(at) >= SET_BACK);
        is_older && context.anchor.is_some_and(|anchor| anchor > self.anchor)
    }

    /// An event about one update.
    fn step(&mut self, event: &Event, at: Timestamp, context: &Context<'_>) {
        let Some(state) = state_after(event.event_id).filter(|_| !event.is_of_member()) else { return };
        let Some(update) = event.update.and_then(|identity| (context.number)(identity.update_id)) else { return };
        if self.as_of.is_some_and(|as_of| as_of > at) {
            return;
        }
        let error = event.error().filter(|_| state == State::Failed);
        match self.entries.binary_search_by_key(&update, |entry| entry.update) {
            Err(index) => self.entries.insert(index, Entry { update, state, changed: at, error }),
            Ok(index) => {
                if let Some(entry) = self.entries.get_mut(index).filter(|entry| entry.changed <= at) {
                    // Unlike in a client status, the time moves even if the state stays: this was seen to happen then, and
                    // nothing older may undo it.
                    *entry = Entry { changed: at, ..entry.turned(state, at) };
                    entry.error = error.or(entry.error);
                }
            }
        }
    }

    /// The newest result counts; of two at one time the success.
    fn synchronized(&mut self, result: SyncResult) {
        let rank = |result: SyncResult| (result.at, result.hresult == 0);
        if self.last_sync.is_none_or(|last| rank(last) <= rank(result)) {
            self.last_sync = Some(result);
        }
    }
}

impl Entry {
    /// The entry in a state, with its old time if that is the state it has.
    fn turned(self, state: State, at: Timestamp) -> Self {
        let changed = if self.state == state { self.changed } else { at };
        let error = self.error.filter(|_| state != State::Installed);
        Self { state, changed, error, ..self }
    }
}

/// Differences of two ordered lists.
fn changes(before: &[Entry], after: &[Entry]) -> Vec<Change> {
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let first = before.peek().map(|entry| entry.update);
        let Some(update) = first.into_iter().chain(after.peek().map(|entry| entry.update)).min() else { break };
        let state = |entry: &Entry| entry.state;
        let old = before.next_if(|entry| entry.update == update).map(state);
        let new = after.next_if(|entry| entry.update == update).map(state);
        if old != new {
            changes.push(Change { update, before: old, after: new });
        }
    }
    changes
}
