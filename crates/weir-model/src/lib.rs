//! Weir's domain, without any I/O.
//!
//! This crate holds the identifiers, the update documents with the fragments derived from them, the compiled
//! catalogue that answers scans, targeting (which deployment of an update a computer gets), and the status machine
//! that turns reported events into compliance. Everything is a function from values to values.
//!
//! *Invariant:* nothing here reads a clock, draws random numbers, or touches files, SQL or HTTP. `now` is a parameter.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod admission;
pub mod alert;
pub mod applicability;
pub mod backup;
pub mod catalogue;
pub mod cleanup;
pub mod client_settings;
pub mod compliance;
pub mod content;
pub mod criteria;
pub mod deployment;
pub mod document;
pub mod enrolment;
pub mod error_code;
pub mod exposure;
pub mod expression;
pub mod failure;
pub mod fnv;
pub mod freshness;
pub mod history;
pub mod identity;
pub mod ids;
pub mod listing;
pub mod membership;
pub mod message;
pub mod name;
pub mod nearest;
pub mod password;
pub mod phase;
pub mod policy;
pub mod report;
pub mod retirement;
pub mod rights;
pub mod rollup;
pub mod rule;
pub mod run_time;
pub mod schedule;
pub mod search;
pub mod site;
pub mod skew;
pub mod status;
pub mod targeting;
pub mod tls;
pub mod topic;
pub mod update;
pub mod window;
