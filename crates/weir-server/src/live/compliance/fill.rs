//! Fills the index from the database, on two threads: one reads rows, one puts them in, and whichever is ahead decodes what was read.

use std::{
    iter::Peekable,
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread,
    vec::IntoIter,
};

use weir_model::{
    compliance::{Asked, Computer, Index},
    ids::CollectionId,
    status::ListedStates,
};
use weir_store::{ReadTx, StoreError, computer::DirectoryRow};

use super::{Arc, listed, placed};

/// Computers that are handed over at once.
const BATCH: usize = 256;
/// Batches that wait to be put in: some hundred kilobytes each.
const AHEAD: usize = 4;

/// What is known of a computer's report.
enum Report {
    /// It never reported.
    Never,
    /// As it is stored.
    Stored(Vec<u8>),
    /// Decoded.
    Listed(ListedStates),
}

impl Report {
    fn read(self, no: u32) -> ListedStates {
        match self {
            Self::Never => ListedStates::default(),
            Self::Stored(bytes) => listed(no, &bytes),
            Self::Listed(listed) => listed,
        }
    }
}

type Batch = Vec<(DirectoryRow, Report)>;

/// An index of all computers that the transaction sees; `ask` tells what those of some collections are asked about.
pub(super) fn filled(
    tx: &ReadTx<'_>,
    mut ask: impl FnMut(&[CollectionId]) -> Arc<[Asked]> + Send,
) -> Result<Index, StoreError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Batch>(AHEAD);
        let filling = scope.spawn(move || {
            let mut index = Index::default();
            for (row, report) in receiver.into_iter().flatten() {
                let (no, site, groups) = (row.no, row.site, placed(row.groups));
                index.fill(Computer { no, site, groups: &groups, listed: &report.read(no) }, &mut ask);
            }
            index.ask(&mut ask);
            index
        });
        // the other thread ends when the sender is gone, whatever came of reading
        let done =
            Reader { rows: tx.computer_directory()?.into_iter().peekable(), batch: Batch::new(), sender }.read(tx);
        let index = filling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        done.map(|()| index)
    })
}

struct Reader {
    rows: Peekable<IntoIter<DirectoryRow>>,
    batch: Batch,
    sender: SyncSender<Batch>,
}

impl Reader {
    fn read(mut self, tx: &ReadTx<'_>) -> Result<(), StoreError> {
        tx.feed_status_each(&mut |no, status| {
            while let Some(row) = self.rows.next_if(|row| row.no <= no) {
                let report = if row.no == no { Report::Stored(status.to_vec()) } else { Report::Never };
                self.add(row, report);
            }
        })?;
        while let Some(row) = self.rows.next() {
            self.add(row, Report::Never);
        }
        self.hand_over();
        Ok(())
    }

    fn add(&mut self, row: DirectoryRow, report: Report) {
        self.batch.push((row, report));
        if self.batch.len() >= BATCH {
            self.hand_over();
        }
    }

    /// Hands the batch over. If the other thread is busy, the batch is decoded here meanwhile.
    fn hand_over(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Batch::with_capacity(BATCH));
        if let Err(TrySendError::Full(batch)) = self.sender.try_send(batch) {
            let decoded = batch.into_iter().map(|(row, report)| {
                let listed = report.read(row.no);
                (row, Report::Listed(listed))
            });
            // fails only if the other thread panicked, which joining it tells
            let _ = self.sender.send(decoded.collect());
        }
    }
}
