//! One synchronization: what is new is fetched, staged durably, and becomes part of the catalogue in one transaction.
//!
//! * `filter` says what is asked for, `fetch` brings it batch by batch into the staging (`item` reads one answer), `keys`
//!   asks for keys of encrypted files.
//! * `promote` makes what is staged part of the catalogue, in the order that `arrange` gives.
//! * `mirror` applies what the parent of a replica decided.
//!
//! *Invariant:* scans see nothing of a run before its promotion. *Invariant:* anchors are never ahead of data.

mod arrange;
mod error;
mod fetch;
mod filter;
mod item;
mod keys;
mod mirror;
mod named;
mod order;
mod outcome;
mod promote;
mod run;
mod tally;

pub use error::SyncError;
pub use named::Wanted;
pub use order::Order;
pub use outcome::{Named, Outcome};

use self::run::Run;
use super::{
    peer::{Peer, Upstream},
    progress::{Phase, Progress},
};
use crate::admin::{App, Caller};

/// Times that a run begins again because the server says that it changed.
const RESTARTS: u32 = 2;

/// Brings the catalogue up to date with the upstream server. What scans see changes with the caller's publish afterwards.
///
/// A run that fails or is cancelled leaves the catalogue as it was; what it fetched is kept, and the next run goes on
/// there.
pub async fn synchronize(app: &App, caller: &Caller, order: &Order, progress: &Progress) -> Result<Outcome, SyncError> {
    let upstream = order.upstream.as_ref().ok_or(SyncError::NoSource)?;
    let mut restarts = 0;
    loop {
        match once(app, caller, order, upstream, progress).await {
            Err(error) if error.is_server_changed() && restarts < RESTARTS => {
                restarts += 1;
                tracing::warn!("the upstream server says that it changed; its anchors are forgotten");
                app.write(caller, |tx| Ok(tx.sync_anchors_forget()?)).await?;
            }
            ended => return ended,
        }
    }
}

async fn once(
    app: &App,
    caller: &Caller,
    order: &Order,
    upstream: &Upstream,
    progress: &Progress,
) -> Result<Outcome, SyncError> {
    progress.begin(Phase::Authorise, 0);
    let peer = Peer::connect(app, upstream, progress).await?;
    let run = Run::new(app, caller, order, &peer, progress);
    let mut outcome = run.work().await?;
    outcome.calls = peer.calls();
    outcome.bytes = progress.position().bytes;
    Ok(outcome)
}
