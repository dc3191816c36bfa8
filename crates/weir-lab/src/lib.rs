//! Weir without Windows: a synthetic world of updates.
//!
//! [`world`] makes the documents and the files of a believable catalogue. It is pure: a function of its shape.

pub mod world;
