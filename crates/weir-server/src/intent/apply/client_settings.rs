//! Writing sets of client settings.

use std::collections::BTreeSet;

use uuid::Uuid;
use weir_model::{
    client_settings::{self, DEFAULT_SET_ID},
    ids::CollectionId,
    targeting::DeploymentOrigin,
};
use weir_store::client_settings::ClientSettings;

use super::{Done, Outcome, Work, chain, free_name, same_name};
use crate::intent::{Origin, body};

impl Work<'_> {
    pub(super) fn client_settings(&self, id: Uuid, body: body::ClientSettings) -> Done {
        let is_default = id == DEFAULT_SET_ID;
        let collections: BTreeSet<CollectionId> = body.collections.iter().copied().map(CollectionId).collect();
        let wanted = ClientSettings {
            id,
            name: body.name,
            description: body.description,
            priority: body.priority,
            settings: body.settings,
            collections,
        };
        if let Some(reason) = unfit_settings(&wanted, is_default) {
            return Ok(Outcome::Refused(reason));
        }
        for collection in &wanted.collections {
            if self.tx.collection_show(*collection)?.is_none() {
                let reason = format!("a collection that it is deployed to, {}, is not here", collection.0);
                return Ok(Outcome::Refused(reason));
            }
        }
        if let Some(other) = self.tx.client_settings_find(&wanted.name)?.filter(|other| other.set.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a set of client settings", &wanted.name))),
                Origin::Parent => {
                    let taken = |name: &str| Ok(self.tx.client_settings_find(name)?.is_some());
                    let renamed = ClientSettings { name: free_name(&other.set.name, taken)?, ..other.set };
                    self.tx.client_settings_put(&renamed, other.origin)?;
                }
            }
        }
        let changed = self.tx.client_settings_put(&wanted, DeploymentOrigin::Parent)?;
        // a set of this site's own makes room; those from above are all on their way to their places
        let list = self.tx.client_settings_list()?;
        let last = list.iter().map(|row| row.set.priority).max().unwrap_or_default();
        let in_the_way = list.iter().filter(|row| {
            !is_default
                && row.set.id != id
                && row.set.priority == wanted.priority
                && row.origin != DeploymentOrigin::Parent
        });
        for (row, number) in in_the_way.zip(1..) {
            self.tx.client_settings_move(row.set.id, last + number)?;
        }
        Ok(Outcome::changed(changed))
    }
}

/// Why a set cannot be applied, as far as that does not depend on what is here.
fn unfit_settings(wanted: &ClientSettings, is_default: bool) -> Option<String> {
    if client_settings::checked_name(&wanted.name).as_deref() != Some(wanted.name.as_str()) {
        return Some(format!("{:?} cannot name a set of client settings", wanted.name));
    }
    if !client_settings::checked_description(&wanted.description) {
        return Some("its description is too long".to_owned());
    }
    let most = client_settings::MOST_SETS as u32 + 1;
    if is_default != (wanted.priority == 0) || wanted.priority > most || (is_default && !wanted.collections.is_empty())
    {
        return Some(format!("{} is no priority of it", wanted.priority));
    }
    for (key, text) in &wanted.settings {
        let read = match client_settings::definition(key) {
            Ok(definition) if definition.key == key => definition.read(text).map_err(|error| chain(&error)),
            Ok(_) => Err(format!("{key:?} is not written as the setting is")),
            Err(error) => Err(chain(&error)),
        };
        if let Err(reason) = read {
            return Some(reason);
        }
    }
    client_settings::refusal(&crate::client_settings::typed(wanted).settings)
}
