//! One synchronization: what is new is fetched, staged durably, and becomes part of the catalogue in one transaction.

mod error;
mod order;
mod outcome;

pub use error::SyncError;
pub use order::Order;
pub use outcome::{Named, Outcome};

use super::progress::Progress;
use crate::admin::{App, Caller};

/// Brings the catalogue up to date with the upstream server. What scans see changes with the caller's
/// [`App::publish`] afterwards.
///
/// A run that fails or is cancelled leaves the catalogue as it was; what it fetched is kept, and the next run goes on
/// there.
pub async fn synchronize(app: &App, caller: &Caller, order: &Order, progress: &Progress) -> Result<Outcome, SyncError> {
    let _ = (app, caller, order, progress);
    unimplemented!()
}
