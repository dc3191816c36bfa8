//! The lists of RevisionIDs in SyncUpdates.

use std::collections::HashMap;

use weir_model::{
    ids::{RevisionId, UpdateId},
    update::UpdateType,
};
use weir_wire::{
    soap::ClientOnly,
    wusp::{CategoryIdentifier, ComputerSpec, ProductsParameters, SyncUpdateParameters, SyncUpdates, SystemSpec},
};

use super::spec::{self, Attributes};
use crate::{assess::Assessment, computer::Computer, library::Holds, state::State};

/// A request of the software loop, and how many installed revisions are not named in it as installed.
pub(super) fn software(
    state: &State,
    filter: &[UpdateId],
    limit: usize,
    attributes: Attributes,
) -> (SyncUpdates, usize) {
    let lists = Lists::of(state, limit);
    let mut parameters = parameters(filter, attributes);
    parameters.installed_non_leaf_update_ids = lists.installed;
    parameters.other_cached_update_ids = lists.other;
    let request = SyncUpdates { cookie: state.cookie.clone(), parameters: Some(parameters) };
    (request, lists.unnamed)
}

/// The request of the driver pass: the devices, the installed revisions and the drivers that are here.
pub(super) fn drivers<C: Computer + ?Sized>(
    state: &State,
    filter: &[UpdateId],
    limit: usize,
    attributes: Attributes,
    computer: &C,
) -> SyncUpdates {
    let lists = Lists::of(state, limit);
    let facts = computer.facts();
    let mut parameters = parameters(filter, attributes);
    parameters.installed_non_leaf_update_ids = lists.installed;
    parameters.cached_driver_ids = lists.drivers;
    parameters.skip_software_sync = true;
    // devices that were not collected are none: no driver is offered for them, which is the safe side
    let devices = facts.devices().map(|devices| devices.iter().filter_map(spec::device).collect()).unwrap_or_default();
    parameters.system_spec = Some(devices).filter(|devices: &Vec<_>| !devices.is_empty()).map(SystemSpec::new);
    let ids = facts.computer_hardware_ids().map(|ids| ids.into_owned()).unwrap_or_default();
    parameters.computer_spec = Some(ComputerSpec { hardware_ids: ids });
    parameters.feature_score_matching_key = spec::feature_score_key(facts.system());
    SyncUpdates { cookie: state.cookie.clone(), parameters: Some(parameters) }
}

fn parameters(filter: &[UpdateId], attributes: Attributes) -> SyncUpdateParameters {
    let mut parameters = SyncUpdateParameters::new();
    parameters.filter_category_ids = filter.iter().map(|id| CategoryIdentifier { id: *id }).collect();
    parameters.products_parameters = ClientOnly(Some(ProductsParameters {
        sync_current_version_only: false,
        device_attributes: attributes.device,
        caller_attributes: attributes.caller,
        products: String::new(),
    }));
    parameters
}

/// What is here, in three lists.
struct Lists {
    installed: Vec<RevisionId>,
    other: Vec<RevisionId>,
    drivers: Vec<RevisionId>,
    unnamed: usize,
}

impl Lists {
    /// Sorts the cache into lists. Of more installed revisions than `limit` those come first whose absence would cost most:
    /// a revision on which many cached ones depend keeps them in scope, while one that nothing depends on yet opens new
    /// layers at best. Equal ones go in the order of categories, detectoids, software, then of RevisionIDs, so that every
    /// call of a scan names the same. The others are told to be here, but not that they are installed.
    fn of(state: &State, limit: usize) -> Self {
        let assessment = Assessment::new(&state.cache);
        let mut lists = Self { installed: Vec::new(), other: Vec::new(), drivers: Vec::new(), unnamed: 0 };
        for (at, entry) in state.cache.entries().iter().enumerate() {
            let id = RevisionId(entry.id);
            if entry.is_driver() {
                lists.drivers.push(id);
            } else if !entry.is_leaf && assessment.installed(at) == Holds::Yes {
                lists.installed.push(id);
            } else {
                lists.other.push(id);
            }
        }
        if lists.installed.len() > limit {
            lists.unnamed = lists.installed.len() - limit;
            lists.prefer(state, limit);
        }
        lists.other.extend(state.cache.unreadable().iter().map(|id| RevisionId(*id)));
        lists
    }

    fn prefer(&mut self, state: &State, limit: usize) {
        let mut dependants: HashMap<UpdateId, u32> = HashMap::new();
        for entry in state.cache.entries() {
            for clause in &entry.update.core().relationships.prerequisites {
                for alternative in &clause.alternatives {
                    *dependants.entry(*alternative).or_default() += 1;
                }
            }
        }
        let rank = |id: &RevisionId| {
            let entry = state.cache.position(id.0).and_then(|at| state.cache.entries().get(at));
            let count = entry.and_then(|entry| dependants.get(&entry.identity().update_id)).copied().unwrap_or(0);
            let kind = entry.map_or(3, |entry| match entry.update.core().update_type {
                UpdateType::Category => 0,
                UpdateType::Detectoid => 1,
                UpdateType::Driver | UpdateType::Software => 2,
            });
            (std::cmp::Reverse(count), kind, id.0)
        };
        self.installed.sort_by_cached_key(rank);
        let rest = self.installed.split_off(limit);
        self.installed.sort_unstable();
        self.other.extend(rest);
        self.other.sort_unstable();
    }
}
