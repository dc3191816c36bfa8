//! The client plane: what managed computers reach (MS-WUSP; design, section 3).
//!
//! [`ClientService`] answers one request at a time; listeners (TCP, TLS, graceful shutdown) are built around it in
//! [`crate::start`]. A SOAP request passes through `transport` (bytes), `call` (which operation, which fault),
//! and the file of its operation; a scan reads the live catalogue alone and touches the database only for fragments that
//! are not in the cache.
//!
//! *Invariant:* without a valid cookie nothing is written and nothing about a computer is told.

pub mod body;
mod call;
pub mod coding;
pub mod cookie;
mod devices;
mod extended;
mod handshake;
pub mod limit;
mod locations;
mod page;
pub mod path;
mod report;
mod scan;
mod self_update;
mod service;
mod transport;

pub use body::Body;
pub(crate) use call::BODY_LIMIT;
pub use service::{ClientService, ConnectionService};
pub(crate) use service::{hints, url, with_header};
pub(crate) use transport::{envelope, forget, read_body, size, status};
