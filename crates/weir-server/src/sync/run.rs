//! The runner: one synchronization at a time, started by hand, by the schedule, by a retry or by the parent.

use weir_api::sync::{SyncRun, SyncStarted, SyncTrigger};

use crate::admin::{AdminError, App, Caller};

/// What the runner remembers between calls. One per process.
#[derive(Debug, Default)]
pub struct Runner {}

/// Asks for a run. If one is under way an administrator gets that one; after a [`SyncTrigger::Parent`] another run follows
/// it, because the parent may have got something since it began.
pub async fn request(
    _app: &App,
    _caller: &Caller,
    _trigger: SyncTrigger,
    _full: bool,
) -> Result<SyncStarted, AdminError> {
    unimplemented!()
}

/// The run that is under way or waits, and the one that ended last.
pub async fn recent(_app: &App) -> Result<(Option<SyncRun>, Option<SyncRun>), AdminError> {
    unimplemented!()
}
