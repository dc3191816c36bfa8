//! Reporting roll-ups, both ways, over the real messages.

#[path = "rollup/claims.rs"]
mod claims;
mod common;
#[path = "rollup/converge.rs"]
mod converge;
#[path = "rollup/receive.rs"]
mod receive;
#[path = "rollup/send.rs"]
mod send;
#[path = "rollup/site.rs"]
mod site;
#[path = "rollup/tree.rs"]
mod tree;
