//! What deployments that do not go out wait for, kept for as long as it is true.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use weir_model::{content::ContentPolicy, ids::ChangeNumber};
use weir_store::{ReadTx, StoreError, content_file::ContentTotals, content_need::Waiting};

use super::publish::Inner;

/// It is looked for again after this, whatever was written.
const AGE: Duration = Duration::from_secs(10);

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Found>>);

#[derive(Debug)]
struct Found {
    of: Of,
    read_at: Instant,
    waiting: Arc<Waiting>,
}

/// What it follows from.
#[derive(Debug, Eq, PartialEq)]
struct Of {
    change: ChangeNumber,
    policy: ContentPolicy,
    content: ContentTotals,
}

impl Inner {
    /// Deployments that do not go out with their action and whose content is not complete, with the number and the bytes of the
    /// files that each waits for. One question looks for them, others wait for it.
    pub fn waiting(&self, tx: &ReadTx<'_>) -> Result<Arc<Waiting>, StoreError> {
        let policy = crate::content::policy(tx)?;
        let of = Of { change: tx.catalogue_version()?, content: tx.content_file_totals()?, policy };
        let mut kept = self.waiting.0.lock();
        if let Some(found) = kept.as_ref().filter(|found| found.of == of && found.read_at.elapsed() < AGE) {
            return Ok(Arc::clone(&found.waiting));
        }
        let read_at = Instant::now();
        let waiting = Arc::new(tx.deployments_waiting_idle(&of.policy)?);
        *kept = Some(Found { of, read_at, waiting: Arc::clone(&waiting) });
        Ok(waiting)
    }
}
