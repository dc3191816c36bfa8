//! The servers below, as everybody calls them: by the name of the site that a server enrolled as, else by its own name, else by its
//! GUID. Which of them is meant by a name says [`super::rollup::site`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use weir_api::Reference;
use weir_model::ids::CollectionId;
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER};

use super::{collection::Tree, tally::Who};
use crate::{live::Live, sites};

/// What all servers below are called, by number.
#[derive(Debug)]
pub(crate) struct Servers(BTreeMap<u32, Reference>);

impl Servers {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let sites = sites::servers(tx)?;
        let named = tx.rollup_server_numbers()?.into_iter().map(|(no, id, name, _)| {
            let site = sites.get(&id).map(|(_, site)| site.clone());
            let name = site.or_else(|| Some(name).filter(|name| !name.is_empty())).unwrap_or_else(|| id.to_string());
            (no, Reference { id, name })
        });
        Ok(Self(named.collect()))
    }

    /// One of them; none for this server, and for one that is gone.
    pub(crate) fn get(&self, no: u32) -> Option<&Reference> {
        self.0.get(&no)
    }

    /// All of them, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Reference)> {
        self.0.iter().map(|(no, server)| (*no, server))
    }
}

/// When the oldest roll-up of these servers arrived: what is told of their computers is not newer. None if this server is the only one.
pub(crate) fn oldest(tx: &ReadTx<'_>, servers: &BTreeSet<u32>) -> Result<Option<Timestamp>, StoreError> {
    if servers.iter().all(|no| *no == THIS_SERVER) {
        return Ok(None);
    }
    let rolled = tx.rollup_servers()?;
    Ok(rolled.iter().filter(|row| servers.contains(&row.no)).map(|row| row.received_at).min())
}

/// The same of the servers whose computers are in a collection, or in one below it.
pub(crate) fn oldest_within(
    tx: &ReadTx<'_>,
    live: &Live,
    tree: &Tree,
    within: CollectionId,
    site: Option<u32>,
) -> Result<Option<Timestamp>, StoreError> {
    let servers = {
        let view = live.compliance(tx)?;
        view.sites(&Who::of(tree, within, site).members(&view))
    };
    oldest(tx, &servers)
}
