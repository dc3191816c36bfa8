//! The conformance checklist of the client-server protocol, item by item, through the public door: every test starts a
//! client plane on a listener of its own and speaks HTTP with it. A test is named after the numbers of its items.

#[path = "../common/mod.rs"]
mod common;

mod asking;
mod category;
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
