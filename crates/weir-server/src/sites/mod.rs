//! The tree of sites: which servers stand above and below this one, and what passes between them.
//!
//! * [`parent`] says how the server above is reached and trusted; [`is_replica`] whether administrators may change here
//!   what the top decides, and [`refuse_below`] refuses it in words.
//! * [`announce`] tells the servers below that there is something to synchronize.
//!
//! *Invariant:* nothing of the site link exists on a connection that did not negotiate it and show a certificate.

mod access;

use uuid::Uuid;
use weir_store::{ReadTx, StoreError, sites::SiteEnrolmentRow};

pub use access::{Parent, REPLICA, is_replica, parent, refuse_below};

use crate::admin::{AdminError, App};

/// The site that a downstream server of this identity enrolled as: it is admitted whatever `downstream.policy` says.
pub fn enrolled(tx: &ReadTx<'_>, server: Uuid) -> Result<Option<SiteEnrolmentRow>, StoreError> {
    tx.sites_enrolment_of_server(server)
}

/// Tells the servers below that the catalogue is complete again after a run, and notes which version a parent's run
/// has brought. To be called after each run that ended well.
pub async fn announce(_app: &App) -> Result<(), AdminError> {
    unimplemented!()
}
