//! The tree of servers, and batches of them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{ClientSummary, ServerEntry};
use crate::status::event_id;

/// Servers above one; trees that people build have three or four levels.
const MOST_ABOVE: usize = 64;

/// Where a server hangs in the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Directly below the receiver.
    Here,
    /// Below another server.
    Below(Uuid),
}

/// Why a server has no place.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParentError {
    /// Its parent, or one above that, is below itself.
    #[error("server {0} would be below itself")]
    Cycle(Uuid),
    /// More than 64 servers are above it.
    #[error("server {0} would hang more than {MOST_ABOVE} servers deep")]
    Deep(Uuid),
    /// It calls here, and says that it hangs below another server.
    #[error("server {server} reports here and names server {parent} as its parent")]
    Misplaced {
        /// Which.
        server: Uuid,
        /// What it says.
        parent: Uuid,
    },
    /// It has the receiver's own id.
    #[error("a server with the id of this one, {0}, reports: give one of the two another identity")]
    Ourselves(Uuid),
    /// Nobody told of its parent.
    #[error("server {server} reports to server {parent}, which is not known here")]
    Unknown {
        /// Which.
        server: Uuid,
        /// Its parent.
        parent: Uuid,
    },
}

/// Which server a `ParentServerId` means: the zero GUID and the receiver's own id are the receiver.
pub fn place(parent: Uuid, receiver: Uuid) -> Place {
    if parent.is_nil() || parent == receiver { Place::Here } else { Place::Below(parent) }
}

/// The servers above one, nearest first, in a tree that holds the place of each server.
///
/// # Errors
///
/// One of them is not in the tree, there are too many, or the way leads back.
pub fn ancestors(tree: &BTreeMap<Uuid, Place>, server: Uuid) -> Result<Vec<Uuid>, ParentError> {
    let mut above = Vec::new();
    let mut at = server;
    while let Some(Place::Below(parent)) = tree.get(&at).copied() {
        if parent == server || above.contains(&parent) {
            return Err(ParentError::Cycle(server));
        }
        if !tree.contains_key(&parent) {
            return Err(ParentError::Unknown { server: at, parent });
        }
        if above.len() == MOST_ABOVE {
            return Err(ParentError::Deep(server));
        }
        above.push(parent);
        at = parent;
    }
    Ok(above)
}

/// Puts servers into requests of at most `most` [`ClientSummary`] structures, counted over the request, and as many
/// servers, in their order. A server with more is repeated with a part of them each time (3.2.4.5, step 2.4).
pub fn server_batches(servers: Vec<ServerEntry>, most: u32) -> Vec<Vec<ServerEntry>> {
    let most = (most as usize).max(1);
    let mut batches: Vec<Vec<ServerEntry>> = Vec::new();
    let mut used = 0;
    for mut server in servers {
        let mut rest = std::mem::take(&mut server.clients);
        loop {
            let fits = batches.last().is_some_and(|batch| batch.len() < most);
            let room = most - used.min(most);
            if !fits || (room == 0 && !rest.is_empty()) {
                batches.push(Vec::new());
                used = 0;
            }
            let room = most - used;
            let later: Vec<ClientSummary> = rest.split_off(rest.len().min(room));
            used += rest.len();
            if let Some(batch) = batches.last_mut() {
                batch.push(ServerEntry { clients: rest, ..server.clone() });
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
    }
    batches
}

/// Whether an event tells that an installation succeeded (true) or failed (false); none for others.
pub fn installation(event: i32) -> Option<bool> {
    Some(match event {
        event_id::INSTALL_SUCCEEDED
        | event_id::SCHEDULED_SUCCEEDED
        | event_id::SHUTDOWN_SUCCEEDED
        | event_id::INSTALL_SUCCEEDED_REBOOT
        | event_id::SCHEDULED_SUCCEEDED_REBOOT
        | event_id::SHUTDOWN_SUCCEEDED_REBOOT => true,
        event_id::INSTALL_FAILED
        | event_id::SCHEDULED_FAILED
        | event_id::SHUTDOWN_FAILED
        | event_id::FAILED_AFTER_REBOOT => false,
        _ => return None,
    })
}
