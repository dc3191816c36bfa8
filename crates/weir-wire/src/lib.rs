//! Wire formats, without any I/O of their own: SOAP and MS-WUSP messages, Xpress, cabinets, export packages.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod cab;
pub mod package;
pub mod xpress;
