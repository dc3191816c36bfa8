//! The downstream role against a scripted upstream server: the checklist of the protocol (items 21 to 30 and 32), and what
//! goes wrong.

mod batches;
mod faults;
mod lists;
mod outbound;
mod recorded;
mod replica;
mod resume;
mod sessions;
mod slow;
mod support;
mod vanished;
