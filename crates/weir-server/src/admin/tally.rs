//! Compliance, computed from what is offered and what was reported.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use weir_api::computer::StateCounts;
use weir_model::{
    compliance::{Members, Tally},
    ids::{ChangeNumber, CollectionId, UpdateId},
    status::{ComputerStatus, Counts, State, UpdateNumber},
};

use super::collection::Tree;
use crate::live::{Live, Published, View};

/// One update that computers with the same collections are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) update: UpdateId,
    pub(crate) number: UpdateNumber,
    pub(crate) entered: ChangeNumber,
}

/// What sets of collections share.
type List = Arc<[weir_model::compliance::Asked]>;

/// What each set of collections is asked about, kept while one question is answered.
pub(crate) struct Questions {
    live: Live,
    published: Arc<Published>,
    /// By the address of the list that they are from, which is kept for that: most sets of collections share one.
    asked: HashMap<usize, (List, Arc<[Asked]>)>,
}

impl Questions {
    pub(crate) fn new(live: &Live) -> Self {
        Self { live: live.clone(), published: live.current(), asked: HashMap::new() }
    }

    /// What a computer with these collections is asked about, by update number.
    pub(crate) fn of(&mut self, groups: &[CollectionId]) -> Arc<[Asked]> {
        let published = &self.published;
        let list = published.asked(&self.live.directory.group_set(groups));
        let (_, asked) = self.asked.entry(list.as_ptr() as usize).or_insert_with(|| {
            let named = |it: &weir_model::compliance::Asked| {
                let update = published.update_of(it.update)?;
                Some(Asked { update, number: it.update, entered: it.entered })
            };
            let asked = list.iter().filter_map(named).collect();
            (list, asked)
        });
        Arc::clone(asked)
    }

    /// The published state that the questions are from.
    pub(crate) fn published(&self) -> &Arc<Published> {
        &self.published
    }
}

/// A stored status; none is one that never reported.
pub(crate) fn decode(bytes: &[u8]) -> ComputerStatus {
    if bytes.is_empty() {
        return ComputerStatus::default();
    }
    ComputerStatus::decode(bytes).unwrap_or_else(|error| {
        tracing::warn!(%error, "a stored status cannot be read and counts as never reported");
        ComputerStatus::default()
    })
}

/// Which computers are counted: those of a collection, and of one server if one is named.
pub(crate) struct Who<'t> {
    tree: &'t Tree,
    within: CollectionId,
    site: Option<u32>,
}

impl<'t> Who<'t> {
    /// The computers of a collection, and of those below it.
    pub(crate) fn of(tree: &'t Tree, within: CollectionId, site: Option<u32>) -> Self {
        Self { tree, within, site }
    }

    fn is_everybody(&self) -> bool {
        self.within == CollectionId::ALL_COMPUTERS && self.site.is_none()
    }

    /// The same as the index looks for them.
    pub(crate) fn members(&self, view: &View<'_>) -> Members {
        view.members(self.site, &|groups| self.tree.holds_any(self.within, groups))
    }
}

/// How these computers stand with all that they are asked about, or with some updates.
pub(crate) fn count(view: &View<'_>, who: &Who<'_>, only: Option<&HashSet<UpdateId>>) -> Tally {
    if only.is_none() && who.is_everybody() {
        return view.everybody();
    }
    view.count(&who.members(view), only)
}

/// Counts as the API gives them.
pub(crate) fn shown(counts: &Counts) -> StateCounts {
    StateCounts {
        unknown: counts.unknown,
        not_applicable: counts.not_applicable,
        required: counts.required,
        downloaded: counts.downloaded,
        installed: counts.installed,
        failed: counts.failed,
        pending_restart: counts.pending_restart,
    }
}

/// Counts one more.
pub(crate) fn add(counts: &mut StateCounts, state: State) {
    let count = match state {
        State::Unknown => &mut counts.unknown,
        State::NotApplicable => &mut counts.not_applicable,
        State::Required => &mut counts.required,
        State::Downloaded => &mut counts.downloaded,
        State::Installed => &mut counts.installed,
        State::Failed => &mut counts.failed,
        State::PendingRestart => &mut counts.pending_restart,
    };
    *count += 1;
}

/// Needed, as design section 7 counts it; failed is apart.
pub(crate) fn needed(counts: &StateCounts) -> u64 {
    counts.required + counts.downloaded + counts.pending_restart
}

/// A share in percent with one decimal; 0 of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 1_000.0 / whole as f64).round() / 10.0 }
}
