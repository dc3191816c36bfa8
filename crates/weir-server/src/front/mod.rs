//! Several servers on one database: front ends.
//!
//! A front end holds nothing in memory that another one cannot read again from the database, and any of them may die at any moment.
//!
//! * [`follow`] looks at a handful of numbers of the database, at least once a second, and reads again what others changed: settings,
//!   the catalogue, computers, keys of cookies, definitions of collections.
//! * [`duty`] has work that one front end does at a time, such as a synchronization: whoever has a duty works on it, and another one
//!   takes it over when it dies.
//! * [`presence`] keeps the row that says that this front end is there, and looks who else is.
//!
//! A server on a database of its own is alone: it has every duty, and follows nobody.
//!
//! *Invariant:* in the name of a duty one front end writes at a time, whatever the clocks of others say.

pub(crate) mod duty;
pub(crate) mod follow;
pub(crate) mod presence;

pub(crate) use duty::{Duties, Duty, Held, carry, carry_blocking, keep};
pub(crate) use follow::Following;
