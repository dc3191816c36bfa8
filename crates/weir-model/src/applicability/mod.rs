//! Whether a rule of an update holds on a computer.
//!
//! Rules are the typed trees of [`crate::document::rules`]; what they ask of a computer comes through one trait,
//! [`facts::Facts`]. An answer has three values: it holds, it does not, or it is not known, and then why ([`Truth`]).
//!
//! [`Applicability`] is what the three rules of an update make of it: installed, required, not applicable, or not known.
//! [`memory`] is a computer in memory, which [`Change`]s change; [`satisfy()`] finds those that make a rule hold.
//!
//! *Invariant:* what is not understood or was not collected is unknown, never true and never false.

mod change;
mod evaluate;
pub mod facts;
#[cfg(test)]
mod generate;
pub mod memory;
mod satisfy;
mod state;
mod truth;
pub mod wql;

pub use self::{
    change::Change,
    evaluate::{Context, evaluate},
    facts::{Fact, Facts, Gap, GapKind},
    satisfy::{refute, satisfy},
    state::{Applicability, State},
    truth::{Bounds, Gaps, Truth},
};
