//! Synchronization from an upstream server (MS-WSUSSS): what this server does as a downstream server.
//!
//! * [`outbound`] makes the HTTP clients: proxy, own trust, timeouts.
//! * [`peer`] is an authorised session with an upstream server.
//! * [`engine`] brings the catalogue up to date over a session.
//! * [`progress`] tells how far a run is and carries its cancellation.
//! * [`criteria`] judges what was brought before it goes into the catalogue.
//! * [`run`] runs: one at a time, by hand, schedule, retry or parent; [`runner`] is what it remembers.

pub mod criteria;
mod due;
pub mod engine;
pub(crate) mod history;
pub mod outbound;
pub mod peer;
pub mod progress;
pub mod run;
pub mod runner;
mod steps;
