//! Clock and chance, as the agent is given them.

use jiff::Timestamp;
use uuid::Uuid;

/// Where the agent takes the time and ids from. Simulations have their own.
pub trait World: Send + Sync {
    /// The computer's clock.
    fn now(&self) -> Timestamp;

    /// An id for an event, different from all others.
    fn event_id(&self) -> Uuid;
}

/// The system's clock and random ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemWorld;

impl World for SystemWorld {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn event_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}
