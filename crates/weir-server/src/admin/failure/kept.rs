//! What computers said of installations that failed, in memory: questions about errors are mostly about the same computers.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use weir_model::status::{Entry, State};
use weir_store::{ReadTx, StoreError};

use crate::admin::tally::decode;

/// A computer by its row number, with its entries that are failed or have an error.
type Said = (u32, Arc<[Entry]>);

/// What was read, as far as it is still so.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The change of computers up to which it follows.
    feed: u64,
    /// By row number.
    entries: HashMap<u32, Arc<[Entry]>>,
}

impl Kept {
    /// Those of these computers, whose numbers ascend, that reported, each with its entries that are failed or have an error. One
    /// question reads, others wait for it.
    pub(crate) fn entries(&self, tx: &ReadTx<'_>, computers: &[u32]) -> Result<Vec<Said>, StoreError> {
        let feed = tx.feed_version()?;
        let mut known = self.0.lock();
        if known.entries.is_empty() {
            known.feed = feed;
        }
        if feed < known.feed {
            // this transaction is older than what is kept
            return read(tx, computers);
        }
        if feed > known.feed {
            for no in tx.feed_since(known.feed)? {
                known.entries.remove(&no);
            }
            known.feed = feed;
        }
        let missing: Vec<u32> = computers.iter().copied().filter(|no| !known.entries.contains_key(no)).collect();
        known.entries.extend(read(tx, &missing)?);
        let found = computers.iter().filter_map(|no| Some((*no, Arc::clone(known.entries.get(no)?))));
        Ok(found.collect())
    }
}

fn read(tx: &ReadTx<'_>, computers: &[u32]) -> Result<Vec<Said>, StoreError> {
    let mut found = Vec::with_capacity(computers.len());
    tx.feed_status_of(computers, &mut |no, status| {
        found.push((no, of_failures(decode(status).entries())));
        Ok(())
    })?;
    Ok(found)
}

fn of_failures(entries: &[Entry]) -> Arc<[Entry]> {
    entries.iter().copied().filter(|entry| entry.state == State::Failed || entry.error.is_some()).collect()
}
