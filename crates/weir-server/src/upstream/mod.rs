//! The upstream role: what downstream servers reach (MS-WSUSSS; design, sections 3 and 12).
//!
//! The client listeners serve it beside the client plane while it is on ([`Upstream::switch`]); [`UpstreamService`] serves
//! it, and Content, on a listener of its own. Off, its paths are absent.
//!
//! *Invariant:* a server that nobody admitted gets nothing but its place in the list of those that wait.

mod admission;
mod service;

pub use admission::Upstream;
pub use service::{UpstreamConnection, UpstreamService};
