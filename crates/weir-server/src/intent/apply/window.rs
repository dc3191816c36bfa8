//! Writing maintenance windows.

use uuid::Uuid;
use weir_model::{ids::CollectionId, targeting::DeploymentOrigin, window::Window};
use weir_store::StoreError;

use super::{Done, Outcome, Work, free_name, same_name};
use crate::intent::{Origin, body};

impl Work<'_> {
    pub(super) fn window(&self, id: Uuid, body: &body::MaintenanceWindow) -> Done {
        let collection = CollectionId(body.collection);
        match self.tx.collection_show(collection)? {
            None => return Ok(Outcome::Refused(format!("its collection, {}, is not here", collection.0))),
            Some(row) if row.built_in => {
                return Ok(Outcome::Refused("built-in collections have no maintenance windows".to_owned()));
            }
            Some(_) => {}
        }
        let recurrence = match body.recurrence.parse() {
            Ok(recurrence) => recurrence,
            Err(error) => return Ok(Outcome::Refused(format!("its schedule is not understood: {error}"))),
        };
        let mut wanted = match Window::new(&body.name, recurrence, body.minutes, body.kind) {
            Ok(window) => window,
            Err(error) => return Ok(Outcome::Refused(error.to_string())),
        };
        wanted.enabled = body.enabled;
        let known = self.tx.window_show(id)?;
        if known.is_some_and(|row| {
            row.window == wanted && row.collection == collection && row.origin == DeploymentOrigin::Parent
        }) {
            return Ok(Outcome::Same);
        }
        if let Some(other) = self.tx.window_find(collection, wanted.name())?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a maintenance window", wanted.name()))),
                Origin::Parent => {
                    let free = free_name(wanted.name(), |name| Ok(self.tx.window_find(collection, name)?.is_some()))?;
                    let renamed = other.window.renamed(&free);
                    let renamed = renamed.map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
                    self.tx.window_put(other.id, collection, &renamed, other.origin)?;
                }
            }
        }
        self.tx.window_put(id, collection, &wanted, DeploymentOrigin::Parent)?;
        Ok(Outcome::Changed)
    }
}
