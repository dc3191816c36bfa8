//! Servers that are removed from the tree.

use std::sync::Arc;

use jiff::Timestamp;
use weir_store::{Actor, StoreError};

use crate::state::{AppState, blocking};

/// Computers deleted in one transaction, so that nobody waits long for the writer.
const AT_ONCE: u32 = 1_000;

/// Forgets the computers of a downstream server, and the servers that only its roll-ups told of with theirs. The server's
/// own row stays: the caller removes it afterwards. A computer that scans elsewhere by then is not touched. Returns how
/// many computers went.
pub async fn forget(state: &Arc<AppState>, actor: &Actor, server: u32) -> Result<u64, StoreError> {
    let (state, mut actor) = (Arc::clone(state), actor.clone());
    blocking(move || {
        let rows = state.store.read(|tx| tx.rollup_server_numbers())?;
        let reported = state.store.read(|tx| tx.downstream_list())?;
        let only_reported = |no: u32| {
            reported.iter().any(|row| row.no == no && row.admission == weir_store::downstream::Admission::Reported)
        };
        // Those below it, each after its parent.
        let mut whole = vec![server];
        let mut next = 0;
        while let Some(at) = whole.get(next).copied() {
            let below = rows.iter().filter(|(no, _, _, parent)| *parent == at && *no != at && only_reported(*no));
            let fresh: Vec<u32> = below.map(|row| row.0).filter(|no| !whole.contains(no)).collect();
            whole.extend(fresh);
            next += 1;
        }
        let mut gone = 0;
        for no in whole.into_iter().rev() {
            loop {
                actor.at = Timestamp::now();
                let deleted = state.store.write(&actor, |tx| tx.rollup_computers_delete(no, AT_ONCE))?;
                gone += deleted;
                if deleted == 0 {
                    break;
                }
            }
            if no != server {
                state.store.write(&actor, |tx| tx.downstream_remove(no))?;
            }
        }
        Ok(gone)
    })
    .await
}
