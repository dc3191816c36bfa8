//! The client side of Weir.
//!
//! An agent that scans, downloads, installs as far as its computer can, and reports as the Windows Update Agent does;
//! sources of facts about computers; modelled computers and fleets of them.
//!
//! [`computer::Computer`] is what the agent knows of the computer it runs on, [`library::Library`] what agents of one
//! process share.
//!
//! *Invariant:* nothing here knows the server's insides; everything goes over the protocol (MS-WUSP).

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod address;
pub mod agent;
pub mod assess;
pub mod computer;
pub mod deploy;
pub mod details;
pub mod download;
pub mod events;
pub mod exchange;
pub mod facts;
pub mod failure;
pub mod fleet;
pub mod http;
pub mod library;
pub mod link;
pub mod scan;
pub mod schedule;
pub mod session;
pub mod simulate;
pub mod source;
pub mod state;
pub mod store;
pub mod talk;
pub mod tls;
pub mod trouble;
pub mod world;
