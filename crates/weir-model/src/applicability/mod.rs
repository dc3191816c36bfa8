//! Whether a rule of an update holds on a computer.
//!
//! Rules are the typed trees of [`crate::document::rules`]; what they ask of a computer comes through one trait,
//! [`facts::Facts`]. An answer has three values: it holds, it does not, or it is not known, and then why ([`Truth`]).
//!
//! [`memory`] is a computer in memory, which [`Change`]s change.
//!
//! *Invariant:* what is not understood or was not collected is unknown, never true and never false.

mod change;
pub mod facts;
pub mod memory;
mod truth;

pub use self::{
    change::Change,
    facts::{Fact, Facts, Gap, GapKind},
    truth::{Bounds, Gaps, Truth},
};
