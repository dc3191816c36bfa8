//! The conformance checklist of the client-server protocol, item by item, through the public door: every test starts a
//! client plane on a listener of its own and speaks HTTP with it. A test is named after the number of its item.
//!
//! | Items | Here | What more proves them |
//! | --- | --- | --- |
//! | 1 to 3 | [`transport`] | `weir_wire::soap` (every form alone), `client::path` |
//! | 4, 16, 17, 31 | [`faults`] | `weir_wire::wusp` (faults, hostile input), the fuzz targets |
//! | 5, 6, 30 | [`codings`] | `weir_wire::xpress` (vectors, each length by hand, lying sizes) |
//! | 7 to 9 | [`content`] | `content::range` (ranges and preconditions), `client::path` |
//! | 10, 11, 15 | [`handshake`] | |
//! | 12 to 14 | [`cookies`] | `client::cookie` (layout, order of the checks) |
//! | 18 to 20, 22, 23, 25, 29, 32, 33 | [`scan_delivery`] | `weir_model::catalogue` |
//! | 21, 26 to 28 | [`scan_changes`], [`scan_delivery`] | `weir_model::catalogue` |
//! | 24, 34 | [`scan_paging`] | `weir_model::catalogue` |
//! | 35 to 39, 42 | [`driver`] | `weir_model::catalogue` (a naive reading of every level) |
//! | 40, 41 | [`category`] | `weir_model::catalogue` |
//! | 43 to 49 | [`extended`] | 44: `weir_model` (every recorded pair, and each rule of the derivation alone) |
//! | 50 to 54 | [`reports`] | `weir_model::status`; 50: `crates/weir/tests/system/crash.rs` (killed servers) |
//! | 50 to 54, bad input | [`bad_reports`] | `weir_model::status::bad_input` |
//! | 55 to 57 | [`scan_story`] | `weir_model::catalogue` (55) |
//!
//! [`hostile`] is what means harm.

#[path = "../common/mod.rs"]
mod common;

mod asking;
mod bad_reports;
mod category;
mod clock;
mod codings;
mod content;
mod cookies;
mod driver;
mod extended;
mod faults;
mod handshake;
mod hostile;
mod reports;
mod scan_changes;
mod scan_delivery;
mod scan_paging;
mod scan_story;
mod support;
mod transport;
mod whole;
