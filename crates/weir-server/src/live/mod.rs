//! The catalogue as scans see it, and the computers as the server knows them.
//!
//! [`Live::republish`] brings everything committed to scans: it activates and deactivates deployments, loads what
//! changed, compiles a snapshot off the request path and swaps it in. Requests under way finish with the old one.
//!
//! *Invariant:* a request reads one [`Published`] from beginning to end.

mod compliance;
mod directory;
mod fragments;
mod freshness;
mod hours;
pub mod membership;
#[cfg(test)]
mod properties;
mod publish;
mod published;
mod reconcile;
mod timer;
mod waiting;

pub use compliance::View;
pub use directory::{Computer, Directory, GroupSet};
pub use fragments::{Fragment, Fragments, GIANT};
pub use freshness::{Heard, NotCurrent};
pub use hours::Hours;
pub use publish::{Live, PublishError};
pub use published::{Published, ScopeOf};
pub use reconcile::{Activation, Due, decide};
