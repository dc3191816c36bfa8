//! Synchronization against everything that can break: a cut at every single request, and an upstream server that goes
//! wrong at each step.

#[path = "../downstream/support.rs"]
#[expect(dead_code, reason = "the tests of the downstream role use the rest")]
mod support;

mod catalogue;
mod cuts;
mod faults;
mod state;
