//! The upstream role: what downstream servers reach (MS-WSUSSS; design, sections 3 and 12).
//!
//! The client listeners serve it beside the client plane while it is on ([`Upstream::switch`]); [`UpstreamService`] serves
//! it, and Content, on a listener of its own. Off, its paths are absent. A request passes through `service` (bytes),
//! `call` (which operation, which fault) and the file of its operation.
//!
//! *Invariant:* a server that nobody admitted gets nothing but its place in the list of those that wait.

mod admission;
mod authorize;
mod call;
mod callers;
mod configuration;
mod cookie;
mod data;
mod deployments;
mod files;
mod revisions;
mod service;

pub use admission::Upstream;
pub use cookie::cookies_again;
pub use service::{UpstreamConnection, UpstreamService};

pub(crate) use admission::{IDENTITY, Policy, WAITING, is_served};
pub(crate) use service::{report, report_limit, respond};

use call::{Call, Refusal, Reply};

/// The setting that says what happens to servers that are not known.
pub(crate) const POLICY: &str = "downstream.policy";
/// The setting that lets documents travel in cabinets.
pub(crate) const COMPRESSED_BLOBS: &str = "downstream.compressed_blobs";

/// Revisions in one GetUpdateData, as real servers say.
const UPDATES: usize = 100;
