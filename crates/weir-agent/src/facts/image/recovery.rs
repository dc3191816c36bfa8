//! Brings a hive up to date that was not written to its end.
//!
//! Windows writes changes to a transaction log first and to the hive later; a computer that was cut off, or an image of a
//! running one, has both. Followed here: M. Suhanov, *Windows registry file format specification*, "Format of transaction
//! log files", "Dirty state of a hive" and "Multiple transaction log files".

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use regf::{BaseBlock, transaction_log::OldFormatLog};

use super::{
    bytes::{place_at, u32_at},
    hive::LARGEST,
    log::{self, Log},
};

/// Bytes of the head of a hive.
const HEAD: usize = 4096;

/// What was done to a hive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Recovery {
    /// It was complete.
    Clean,
    /// So many changes of its logs were applied.
    Applied(usize),
    /// It was not complete, and no log fits.
    Incomplete,
}

/// Applies what the logs hold, if the hive is not complete. The logs are those that exist, in any order.
pub(super) fn recover(hive: &mut Vec<u8>, logs: &[Vec<u8>]) -> Recovery {
    let Some(state) = State::of(hive) else { return Recovery::Clean };
    if !state.is_dirty() {
        return Recovery::Clean;
    }
    let new: Vec<Log<'_>> = logs.iter().filter_map(|log| log::read(log)).collect();
    let old = logs.iter().filter_map(|log| {
        // Of a log that is damaged from the start nothing is applied.
        let parse = AssertUnwindSafe(|| OldFormatLog::parse(Cursor::new(log.as_slice())));
        Some((catch_unwind(parse).ok()?.ok()?, log.get(..log::SECTOR)?))
    });
    let applied = if new.is_empty() { apply_old(hive, state, old.collect()) } else { apply_new(hive, state, new) };
    match applied {
        0 => Recovery::Incomplete,
        applied => {
            finish(hive);
            Recovery::Applied(applied)
        }
    }
}

#[derive(Clone, Copy)]
struct State {
    primary: u32,
    secondary: u32,
    written: u64,
    is_valid: bool,
}

impl State {
    fn of(hive: &[u8]) -> Option<Self> {
        let head = BaseBlock::parse(hive.get(..HEAD)?).ok()?;
        Some(Self {
            primary: head.primary_sequence,
            secondary: head.secondary_sequence,
            written: head.last_written,
            is_valid: head.checksum_valid,
        })
    }

    fn is_dirty(self) -> bool {
        !self.is_valid || self.primary != self.secondary
    }
}

/// Applies logs of Windows 8.1 and later; answers how many entries.
fn apply_new(hive: &mut Vec<u8>, state: State, mut logs: Vec<Log<'_>>) -> usize {
    // The log with the earlier entries comes first.
    logs.sort_by_key(|log| log.start);
    if !state.is_valid {
        // Only the log with the latest entries, whose copy of the head replaces the one that is damaged.
        let Some(log) = logs.pop() else { return 0 };
        restore_head(hive, log.head);
        logs = vec![log];
    }
    let mut next = None;
    let mut applied = 0;
    for log in &logs {
        let fits = match next {
            Some(next) => log.start == next,
            None => !state.is_valid || log.start >= state.secondary,
        };
        if !fits {
            continue;
        }
        let mut number = log.start;
        for entry in &log.entries {
            if !write(hive, entry.bins, entry.pages.iter().copied()) {
                return applied;
            }
            applied += 1;
            number = number.wrapping_add(1);
            next = Some(number);
        }
    }
    applied
}

/// Applies a log of Windows 8 and earlier; answers how many pages.
fn apply_old(hive: &mut Vec<u8>, state: State, logs: Vec<(OldFormatLog, &[u8])>) -> usize {
    for (log, head) in logs {
        if state.is_valid && !log.can_apply_to(state.written) {
            continue;
        }
        if !state.is_valid {
            restore_head(hive, head);
        }
        let pages = log.dirty_pages.iter().map(|page| (page.offset, page.data.as_slice()));
        if write(hive, log.base_block.hive_bins_data_size, pages) {
            return log.dirty_pages.len();
        }
    }
    0
}

/// Writes pages over a hive that has so many bytes of bins. False if it would become too large.
fn write<'a>(hive: &mut Vec<u8>, bins: u32, pages: impl Iterator<Item = (u32, &'a [u8])>) -> bool {
    let Some(length) = usize::try_from(bins).ok().and_then(|bins| bins.checked_add(HEAD)) else { return false };
    if length as u64 > LARGEST {
        return false;
    }
    if hive.len() < length {
        hive.resize(length, 0);
    }
    for (offset, page) in pages {
        let start = HEAD.saturating_add(offset as usize);
        let Some(target) = hive.get_mut(start..start.saturating_add(page.len())) else { return false };
        target.copy_from_slice(page);
    }
    set(hive, 40, bins);
    true
}

/// Takes over the copy of the head from a log. Type 0 is a hive.
fn restore_head(hive: &mut [u8], head: &[u8]) {
    if let Some(place) = hive.get_mut(..head.len()) {
        place.copy_from_slice(head);
    }
    set(hive, 28, 0);
}

/// Says in the head that the hive is complete.
fn finish(hive: &mut [u8]) {
    let sequence = u32_at(hive, 4).unwrap_or_default();
    set(hive, 8, sequence);
    let sum = log::sum(hive);
    set(hive, 508, sum);
    debug_assert!(place_at(hive, 40).is_some_and(|bins| hive.len() >= HEAD + bins));
}

fn set(hive: &mut [u8], at: usize, number: u32) {
    if let Some(place) = hive.get_mut(at..at + 4) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}
