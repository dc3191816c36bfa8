//! Which events a server acknowledged, for whoever compares them with what the server keeps.

use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;
use weir_model::ids::{ComputerId, UpdateId};

use crate::{fleet::FleetComputer, state::State};

/// An event that the server said it has.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Acknowledged {
    /// Whose.
    pub computer: ComputerId,
    /// `EventInstanceID`.
    pub instance: Uuid,
    /// `EventID`.
    pub event: i16,
    /// The update; none for events about the computer, of which a server keeps the last of each `EventID`.
    pub update: Option<UpdateId>,
}

/// What a computer is about to report: what of it is gone afterwards was acknowledged.
#[derive(Debug)]
pub(super) struct Waiting<'s> {
    sink: Option<&'s UnboundedSender<Acknowledged>>,
    events: Vec<Acknowledged>,
}

impl<'s> Waiting<'s> {
    /// Remembers what waits, if somebody wants to hear of it.
    pub(super) fn of(computer: &FleetComputer, state: &State, sink: Option<&'s UnboundedSender<Acknowledged>>) -> Self {
        let mut events = Vec::new();
        if sink.is_some() {
            let id = ComputerId::from(computer.identity().client_id);
            events.extend(state.events.iter().map(|event| Acknowledged {
                computer: id.clone(),
                instance: event.instance,
                event: event.event,
                update: event.update.map(|update| update.update_id),
            }));
        }
        Self { sink, events }
    }

    /// Tells what was acknowledged, oldest first: a report takes events away from the front.
    pub(super) fn tell(self, left: usize) {
        let Some(sink) = self.sink else { return };
        let acknowledged = self.events.len().saturating_sub(left);
        for event in self.events.into_iter().take(acknowledged) {
            // nobody listens any more, who wanted to
            let _ = sink.send(event);
        }
    }
}
