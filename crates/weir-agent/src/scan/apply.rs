//! What an answer to SyncUpdates does to the cache (MS-WUSP 3.2.5.7).

use std::sync::Arc;

use weir_wire::wusp::{SyncInfo, UpdateInfo};

use super::ScanOutcome;
use crate::{
    computer::Computer,
    failure::{Code, Problem},
    library::Library,
    state::{Deployed, Entry, Own, State},
};

/// How many revisions that cannot be read are told of.
const TOLD: usize = 20;

/// An answer to SyncUpdates that makes no sense.
pub(super) fn nonsense(why: &str) -> Problem {
    Problem::new(Code::INVALID_ANSWER, format!("the answer to SyncUpdates makes no sense: {why}"))
}

/// Removes what is out of scope, hides what is outside the filter, applies what changed, adds what is new, and keeps the new
/// cookie. As native agents do, it refuses an answer in which an entry has no Deployment, whole.
pub(super) fn apply<C: Computer + ?Sized>(
    state: &mut State,
    library: &Library,
    computer: &C,
    info: SyncInfo,
    outcome: &mut ScanOutcome,
) -> Result<(), Problem> {
    let complete = info.new_updates.iter().chain(&info.changed_updates).all(|update| update.deployment.is_some());
    if !complete {
        return Err(nonsense("an entry without Deployment"));
    }
    let gone: Vec<i32> = info.out_of_scope_revision_ids.iter().map(|id| id.0).collect();
    outcome.out_of_scope += state.cache.remove(&gone);
    for id in &info.deployed_out_of_scope_revision_ids {
        if let Some(at) = state.cache.position(id.0)
            && let Some(own) = state.cache.own_mut().get_mut(at)
        {
            own.hidden = true;
            outcome.deployed_out_of_scope += 1;
        }
    }
    for update in info.changed_updates {
        let (id, is_leaf) = (update.id.0, update.is_leaf);
        if let Some(deployed) = deployed(library, update)
            && state.cache.change(id, deployed, is_leaf)
        {
            outcome.changed += 1;
        }
    }
    for mut update in info.new_updates {
        let (id, is_leaf) = (update.id.0, update.is_leaf);
        let Some(text) = update.xml.take() else { return Err(nonsense("a new entry without Xml")) };
        let Some(deployed) = deployed(library, update) else { continue };
        outcome.new += 1;
        match library.update(&text) {
            Ok(update) => {
                let own = Own { verdict: computer.evaluate(&update), ..Own::default() };
                state.cache.insert(Entry { id, is_leaf, deployed, update }, own);
            }
            Err(error) => {
                state.cache.insert_unreadable(id);
                if outcome.unreadable.len() < TOLD {
                    outcome.unreadable.push((id, error.to_string()));
                }
            }
        }
    }
    if let Some(cookie) = info.new_cookie.filter(|cookie| cookie.sealed().is_some()) {
        state.cookie = Some(cookie);
    }
    if let Some(not_needed) = info.driver_sync_not_needed {
        outcome.driver_sync_needed = !not_needed.eq_ignore_ascii_case("true");
    }
    Ok(())
}

fn deployed(library: &Library, update: UpdateInfo) -> Option<Arc<Deployed>> {
    update.deployment.map(|deployment| library.deployed(deployment.into()))
}
