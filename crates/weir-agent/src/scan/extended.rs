//! GetExtendedUpdateInfo: titles, files and where the files are.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::ids::{ContentDigest, RevisionId};
use weir_wire::{
    soap::ClientOnly,
    wusp::{ExtendedUpdateInfo, FragmentType, GetExtendedUpdateInfo},
};

use super::{Extended, ScanOutcome, spec::Attributes};
use crate::{
    assess::{Assessment, Standing},
    computer::Description,
    details::Details,
    state::State,
};

/// RevisionIDs of which extended information is wanted and was not asked for yet.
pub(super) fn wanted(state: &State, extended: Extended) -> Vec<i32> {
    let assessment = Assessment::new(&state.cache);
    let offered = assessment.offered();
    let mut positions = Vec::new();
    match extended {
        Extended::None => {}
        Extended::Offered => positions.extend(offered),
        Extended::Shown => {
            positions.extend(offered);
            let shown = state.cache.iter().enumerate().filter(|(at, (entry, own))| {
                entry.is_reported() && !own.hidden && assessment.standing(*at) != Standing::NotApplicable
            });
            positions.extend(shown.map(|(at, _)| at));
        }
    }
    let members: Vec<usize> = positions.iter().flat_map(|at| assessment.members(*at)).collect();
    positions.extend(members);
    positions.sort_unstable();
    positions.dedup();
    let unasked = positions.into_iter().filter(|at| state.cache.own().get(*at).is_some_and(|own| !own.asked));
    unasked.filter_map(|at| state.cache.entries().get(at)).map(|entry| entry.id).collect()
}

/// The request for some revisions, as native agents make it.
pub(super) fn request(
    state: &State,
    ids: &[i32],
    description: &Description,
    attributes: Attributes,
) -> GetExtendedUpdateInfo {
    let mut locales = vec![description.locale.clone()];
    let base = description.locale.split('-').next().unwrap_or("en");
    for more in [base, "en"] {
        if !locales.iter().any(|known| known.eq_ignore_ascii_case(more)) {
            locales.push(more.to_owned());
        }
    }
    GetExtendedUpdateInfo {
        cookie: state.cookie.clone(),
        revision_ids: ids.iter().map(|id| RevisionId(*id)).collect(),
        info_types: vec![FragmentType::Extended, FragmentType::LocalizedProperties],
        locales,
        device_attributes: ClientOnly(Some(attributes.device)),
        geo_id: Some("USA".to_owned()),
        caller_attributes: ClientOnly(Some(attributes.caller)),
    }
}

/// Remembers what came. A revision that the server would not tell of, of which only titles came, or whose fragments cannot be
/// read, has no details: which files it needs is not known, it cannot be downloaded, and the next scan asks again.
pub(super) fn apply(
    state: &mut State,
    asked: &[i32],
    info: ExtendedUpdateInfo,
    locale: &str,
    outcome: &mut ScanOutcome,
) {
    let mut told: BTreeMap<i32, Option<Details>> = BTreeMap::new();
    let mut with_files = BTreeSet::new();
    for update in info.updates {
        let (id, Some(fragment)) = (update.id.0, update.xml) else { continue };
        if !asked.contains(&id) {
            continue;
        }
        if !fragment.trim_start().starts_with("<LocalizedProperties") {
            with_files.insert(id);
        }
        let details = told.entry(id).or_insert_with(|| Some(Details::default()));
        let problem = details.as_mut().and_then(|details| details.add(&fragment, locale).err());
        if let Some(problem) = problem {
            *details = None;
            outcome.unreadable.push((id, problem.to_string()));
        }
    }
    for location in info.file_locations {
        let digest = location.file_digest.and_then(|digest| <[u8; 20]>::try_from(digest.0).ok());
        if let (Some(digest), Some(url)) = (digest, location.url) {
            outcome.locations.insert(ContentDigest(digest), url);
        }
    }
    for (id, details) in told.into_iter().filter(|(id, _)| with_files.contains(id)) {
        let (Some(details), Some(at)) = (details, state.cache.position(id)) else { continue };
        if let Some(entry) = state.cache.entries().get(at) {
            entry.update.learn(details);
        }
        if let Some(own) = state.cache.own_mut().get_mut(at) {
            own.asked = true;
        }
    }
}
