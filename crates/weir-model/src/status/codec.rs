//! The stored form of a computer's status, one small blob per computer:
//!
//! version; flags; the times that are there; anchor; the distinct times of change, ascending; a set of update numbers per listed
//! state; for each time of change but the most frequent the set of entries that have it; the errors.
//!
//! The flags say, since 0.5.0, whether errors follow, so that nobody has to read the whole to learn that there are none.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    ComputerStatus, Entry, State, SyncResult, UpdateNumber,
    bits::{Input, unzigzag, write_set, write_varint, zigzag},
};
use crate::ids::ChangeNumber;

const VERSION: u8 = 1;
/// States with a set, in their order in the stored form.
const LISTED: [State; 5] = [State::Installed, State::Required, State::Downloaded, State::Failed, State::PendingRestart];
const REPORTED: u8 = 1;
const AS_OF: u8 = 2;
const LAST_SYNC: u8 = 4;
const LAST_REBOOT: u8 = 8;
/// The next flag means something: older versions knew neither.
const TELLS_ERRORS: u8 = 16;
const ERRORS: u8 = 32;

/// The listed states of a computer without their times and errors: what counting needs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListedStates {
    /// The status anchor; none if the computer never sent a client status.
    pub anchor: Option<ChangeNumber>,
    /// Updates that are installed, ascending.
    pub installed: Vec<UpdateNumber>,
    /// Updates in another listed state, in no order.
    pub others: Vec<(UpdateNumber, State)>,
    /// An entry has the error of a failure, be it over or not.
    pub errors: bool,
}

impl ListedStates {
    /// Reads them from [`ComputerStatus::encode`]d bytes without making an entry of each; no bytes are a computer that never
    /// reported. Fails where [`ComputerStatus::decode`] fails, save for damage to what is passed over.
    pub fn decode(bytes: &[u8]) -> Result<Self, StatusDecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut input = Input::new(bytes);
        let version = input.byte()?;
        if version != VERSION {
            return Err(StatusDecodeError::Version(version));
        }
        let flags = input.byte()?;
        for flag in [REPORTED, AS_OF, LAST_SYNC, LAST_REBOOT] {
            if flags & flag != 0 {
                input.varint()?;
            }
        }
        if flags & LAST_SYNC != 0 {
            input.bytes::<4>()?;
        }
        let anchor = ChangeNumber(input.varint()?);
        let times = input.count(8)?;
        for _ in 0..times {
            input.varint()?;
        }
        let mut states = Self { anchor: (flags & REPORTED != 0).then_some(anchor), ..Self::default() };
        for state in LISTED {
            let listed = input.set()?.into_iter().map(UpdateNumber);
            match state {
                State::Installed => states.installed = listed.collect(),
                _ => states.others.extend(listed.map(|update| (update, state))),
            }
        }
        let mut others: Vec<UpdateNumber> = states.others.iter().map(|(update, _)| *update).collect();
        others.sort_unstable();
        let twice = others.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
        if twice || others.iter().any(|update| states.installed.binary_search(update).is_ok()) {
            return Err(StatusDecodeError::Damaged("an update has two states"));
        }
        states.errors = if flags & TELLS_ERRORS != 0 { flags & ERRORS != 0 } else { errors_follow(&mut input, times)? };
        Ok(states)
    }
}

/// Whether there are errors behind the sets of so many times of change.
fn errors_follow(input: &mut Input<'_>, times: usize) -> Result<bool, StatusDecodeError> {
    if times > 0 {
        input.varint()?;
    }
    for _ in 1..times {
        input.set()?;
    }
    Ok(!input.set()?.is_empty())
}

impl From<&ComputerStatus> for ListedStates {
    fn from(status: &ComputerStatus) -> Self {
        let mut states = Self { anchor: status.reported.map(|_| status.anchor), ..Self::default() };
        for entry in &status.entries {
            states.errors |= entry.error.is_some();
            match entry.state {
                State::Installed => states.installed.push(entry.update),
                state => states.others.push((entry.update, state)),
            }
        }
        states
    }
}

/// Why stored status bytes cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatusDecodeError {
    /// Damaged.
    #[error("the stored status is damaged: {0}; the next full report of the computer replaces it")]
    Damaged(&'static str),
    /// Written by a newer version.
    #[error("the stored status has version {0}, which this version of Weir cannot read")]
    Version(u8),
}

impl ComputerStatus {
    /// Compact bytes: about 1 kB for 1,500 entries. Times are kept in whole milliseconds.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, 0];
        let mut flags = TELLS_ERRORS;
        if self.entries.iter().any(|entry| entry.error.is_some()) {
            flags |= ERRORS;
        }
        let instants = [
            (REPORTED, self.reported),
            (AS_OF, self.as_of),
            (LAST_SYNC, self.last_sync.map(|sync| sync.at)),
            (LAST_REBOOT, self.last_reboot),
        ];
        for (flag, instant) in instants {
            if let Some(instant) = instant {
                flags |= flag;
                write_varint(&mut out, zigzag(instant.as_millisecond()));
            }
        }
        if let Some(field) = out.get_mut(1) {
            *field = flags;
        }
        if let Some(sync) = self.last_sync {
            out.extend_from_slice(&sync.hresult.to_le_bytes());
        }
        write_varint(&mut out, self.anchor.0);

        let mut by_time: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (position, entry) in (0_u32..).zip(&self.entries) {
            by_time.entry(entry.changed.as_millisecond()).or_default().push(position);
        }
        write_varint(&mut out, by_time.len() as u64);
        let mut earlier = 0;
        for &time in by_time.keys() {
            write_varint(&mut out, zigzag(time.wrapping_sub(earlier)));
            earlier = time;
        }
        for state in LISTED {
            let of_state = self.entries.iter().filter(|entry| entry.state == state);
            write_set(&mut out, &of_state.map(|entry| entry.update.0).collect::<Vec<_>>());
        }
        if !by_time.is_empty() {
            let sizes = (0_u64..).zip(by_time.values()).map(|(index, set)| (set.len(), index));
            let usual = sizes.max().map_or(0, |(_, index)| index);
            write_varint(&mut out, usual);
            for (_, set) in (0_u64..).zip(by_time.values()).filter(|(index, _)| *index != usual) {
                write_set(&mut out, set);
            }
        }
        let errors = (0_u32..).zip(&self.entries).filter_map(|(position, entry)| Some((position, entry.error?)));
        let (positions, errors): (Vec<u32>, Vec<i32>) = errors.unzip();
        write_set(&mut out, &positions);
        for error in errors {
            out.extend_from_slice(&error.to_le_bytes());
        }
        out
    }

    /// Reads [`Self::encode`]d bytes of this or an earlier version.
    pub fn decode(bytes: &[u8]) -> Result<Self, StatusDecodeError> {
        let mut input = Input::new(bytes);
        let version = input.byte()?;
        if version != VERSION {
            return Err(StatusDecodeError::Version(version));
        }
        let flags = input.byte()?;
        let mut when =
            |flag: u8| (flags & flag != 0).then(|| input.varint().and_then(|raw| instant(unzigzag(raw)))).transpose();
        let (reported, as_of) = (when(REPORTED)?, when(AS_OF)?);
        let (last_sync, last_reboot) = (when(LAST_SYNC)?, when(LAST_REBOOT)?);
        let last_sync = match last_sync {
            Some(at) => Some(SyncResult { at, hresult: i32::from_le_bytes(input.bytes()?) }),
            None => None,
        };
        let anchor = ChangeNumber(input.varint()?);

        let mut times = Vec::new();
        let mut time = 0_i64;
        for _ in 0..input.count(8)? {
            time = time.wrapping_add(unzigzag(input.varint()?));
            times.push(instant(time)?);
        }
        let mut listed = Vec::new();
        for state in LISTED {
            listed.extend(input.set()?.into_iter().map(|number| (UpdateNumber(number), state)));
        }
        listed.sort_by_key(|(update, _)| *update);
        if listed.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
            return Err(StatusDecodeError::Damaged("an update has two states"));
        }
        let mut entries = entries(&mut input, listed, &times)?;
        let positions = input.set()?;
        if flags & TELLS_ERRORS != 0 && (flags & ERRORS != 0) == positions.is_empty() {
            return Err(StatusDecodeError::Damaged("it is wrong about its errors"));
        }
        for position in positions {
            let error = i32::from_le_bytes(input.bytes()?);
            let entry =
                entries.get_mut(position as usize).ok_or(StatusDecodeError::Damaged("an error has no entry"))?;
            entry.error = Some(error);
        }
        if !input.is_empty() {
            return Err(StatusDecodeError::Damaged("it goes on after its end"));
        }
        Ok(Self { entries, reported, as_of, anchor, last_sync, last_reboot })
    }
}

/// Joins updates with their times of change.
fn entries(
    input: &mut Input<'_>,
    listed: Vec<(UpdateNumber, State)>,
    times: &[Timestamp],
) -> Result<Vec<Entry>, StatusDecodeError> {
    if times.is_empty() {
        let consistent = listed.is_empty();
        return if consistent { Ok(Vec::new()) } else { Err(StatusDecodeError::Damaged("it has no times")) };
    }
    let usual = usize::try_from(input.varint()?).unwrap_or(usize::MAX);
    let changed = *times.get(usual).ok_or(StatusDecodeError::Damaged("a time is missing"))?;
    let entry = |(update, state)| Entry { update, state, changed, error: None };
    let mut entries: Vec<Entry> = listed.into_iter().map(entry).collect();
    for (_, &changed) in times.iter().enumerate().filter(|(index, _)| *index != usual) {
        for position in input.set()? {
            let entry = entries.get_mut(position as usize).ok_or(StatusDecodeError::Damaged("a time has no entry"))?;
            entry.changed = changed;
        }
    }
    Ok(entries)
}

fn instant(milliseconds: i64) -> Result<Timestamp, StatusDecodeError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StatusDecodeError::Damaged("a time is impossible"))
}
