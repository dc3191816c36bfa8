//! Which requests are carried out now, which wait and which are refused: protection against storms.
//!
//! A [`Gate`] stands before each thing of which there is only so much: before the work of each [`Class`] of requests, before the
//! memory for requests, and before the memory for answers. Who must wait does so in the queue of its [`Network`], and the networks
//! take turns, so that one that sends a thousand requests delays its own and not those of others. What cannot be served in time
//! is refused at once, and always out of the longest queue. How much there is of everything follows from the machine ([`Plan`]):
//! nothing is to be tuned.
//!
//! *Invariant:* pure. Moments are milliseconds of whatever clock the caller has, and chance is a parameter.

mod class;
mod connections;
mod gate;
mod machine;
mod network;
mod pace;
mod plan;
mod retry;
mod spell;

pub use class::Class;
pub use connections::Connections;
pub use gate::{Bounds, Gate, Grant, Offer, Ticket};
pub use machine::{Machine, memory};
pub use network::Network;
pub use pace::{Demand, Pace, Verdict, due};
pub use plan::Plan;
pub use retry::retry_after;
pub use spell::Spell;
