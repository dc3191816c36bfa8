//! Wire formats, without any I/O of their own: SOAP, MS-WUSP and MS-WSUSSS messages, Xpress, cabinets, export packages.
//!
//! Everything here turns bytes into bounded, typed values and back. No decoder trusts a peer: sizes, depths and counts
//! are capped by a `Limits` struct of its format, document type declarations are refused, and no input panics.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod bundle;
pub mod cab;
pub mod package;
pub mod soap;
pub mod wsss;
pub mod wusp;
pub mod xpress;
