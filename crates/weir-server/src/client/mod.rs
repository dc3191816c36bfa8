//! The client plane.

pub mod body;
pub mod cookie;
pub mod limit;
