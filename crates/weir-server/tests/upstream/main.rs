//! The conformance checklist of the server-server protocol for the upstream role, item by item, through the public door:
//! every test starts a server on a listener of its own and speaks HTTP with it. A test is named after the number of its
//! item.
//!
//! | Items | Here | What more proves them |
//! | --- | --- | --- |
//! | 1, 2, 7 | [`transport`] | `client::path`, `weir_wire::soap` |
//! | 3 to 6 | [`authorization`] | `upstream::cookie` (every flipped bit, every cut), `upstream::admission` |
//! | 8 | [`configuration`] | |
//! | 9 to 14 | [`lists`] | `weir_model::listing` (a naive reading of the rules) |
//! | 15, 16 | [`documents`] | `weir_wire::wsss` |
//! | 17 | [`deployments`] | |
//! | 18, 19 | [`files`] | `content::range`, `client::path` |
//! | 20 | [`rollups`] (who may), [`claims`] (of whom) | `weir_model::rollup`, `tests/rollup` (what is taken) |
//!
//! [`recorded`] sends what a probe sent to a real server; [`validated`] has our answers read by an independent library.

#[path = "../common/mod.rs"]
mod common;

mod authorization;
mod claims;
mod configuration;
mod deployments;
mod documents;
mod files;
mod lists;
mod recorded;
mod rollups;
mod support;
mod transport;
mod validated;
