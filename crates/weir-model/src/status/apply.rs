use jiff::Timestamp;

use super::{ComputerStatus, Event, State, UpdateNumber};
use crate::ids::{ChangeNumber, UpdateId};

/// What [`apply`] needs besides the events.
pub struct Context<'a> {
    /// Receipt of the batch.
    pub now: Timestamp,
    /// Software anchor of the cookie that came with the batch: the status anchor of a client status in it.
    pub anchor: Option<ChangeNumber>,
    /// Number of an update whose status is kept; none for unknown ones, categories and detectoids.
    pub number: &'a dyn Fn(UpdateId) -> Option<UpdateNumber>,
}

/// A changed update.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Change {
    /// Which.
    pub update: UpdateNumber,
    /// Listed state before, none if it was not listed.
    pub before: Option<State>,
    /// Listed state now, none if it is not listed any more.
    pub after: Option<State>,
}

/// What a batch changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Effects {
    /// Updates whose listed state differs from that before the batch, in the order of their numbers.
    pub changes: Vec<Change>,
    /// The status anchor moved, or the first client status came: states of unlisted updates may differ.
    pub anchor_changed: bool,
    /// Anything at all differs from before, so that the status must be stored.
    pub stored: bool,
}

/// Applies a batch in its order.
pub fn apply(status: &mut ComputerStatus, batch: &[Event], context: &Context<'_>) -> Effects {
    let _ = (status, batch, context);
    unimplemented!()
}
