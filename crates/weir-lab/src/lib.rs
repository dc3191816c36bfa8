//! Weir without Windows: a synthetic world of updates, and the lab that lets a whole hierarchy live in it.
//!
//! * [`world`] makes the documents and the files of a believable catalogue. It is pure: a function of its shape.
//! * [`lab`] starts an upstream server and a tree of sites as processes of their own, lets modelled computers scan, install
//!   and report, and tells the story as it goes.
//!
//! *Invariant:* the lab has no door of its own into a server. It uses what an administrator has (REST) and what a computer
//! has (MS-WUSP), so that what it shows is what the product does.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod lab;
pub mod world;
