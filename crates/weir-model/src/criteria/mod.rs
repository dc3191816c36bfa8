//! Criteria: rules by which a synchronization leaves updates out or declines them, and the choice of products.
//!
//! [`Facts`] is what is known of an update, a [`Rule`] says what it asks for and what then happens, and [`judge()`] gives the
//! [`Verdict`] of each update of a batch with the reason in words. [`expand()`] turns chosen companies and families into
//! the products below them as they are now.
//!
//! *Invariant:* what a kept update needs (its members and prerequisites) is kept.

mod expand;
mod facts;
mod judge;
mod pattern;
mod rule;

#[cfg(test)]
mod tests;

pub use self::{
    expand::{Branch, exclude, expand, least},
    facts::{Architecture, Edition, Facts, Superseder, architectures_in_title, editions_in_title, is_preview},
    judge::{Matched, Verdict, judge},
    pattern::Pattern,
    rule::{Action, Condition, Exception, Rule, RuleError, Superseded},
};
