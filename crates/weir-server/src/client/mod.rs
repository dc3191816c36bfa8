//! The client plane.

pub mod cookie;
pub mod limit;
