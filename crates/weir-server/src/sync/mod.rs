//! Synchronization from an upstream server (MS-WSUSSS): what this server does as a downstream server.
//!
//! * [`outbound`] makes the HTTP clients: proxy, own trust, timeouts.
//! * [`peer`] is an authorised session with an upstream server.
//! * [`engine`] brings the catalogue up to date over a session.
//! * [`progress`] tells how far a run is and carries its cancellation.

pub mod engine;
pub mod outbound;
pub mod peer;
pub mod progress;
