//! Answers GET and HEAD for verified files.

pub mod range;
