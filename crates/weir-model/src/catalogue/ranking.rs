//! The driver pass and the printer catalogue (MS-WUSP 3.1.5.7 and 3.1.5.12; protocol dossier, section 6.3).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use super::{
    Device, DriverQuery, InstalledDriver, PageLimits, PrinterQuery, Scope, Scratch, Snapshot, SyncPlan,
    drivers::{DriverEntry, WORST_FEATURE, fold, is_printer},
    software::Pass,
};
use crate::ids::RevisionId;

/// How well a driver serves a device; smaller is better, compared from left to right.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Rank {
    /// The place of the computer id that it was made for; `usize::MAX` for all computers.
    pub(crate) computer: usize,
    /// The feature score, 0 is best.
    pub(crate) feature: u8,
    /// The place of the hardware id among those of the device.
    pub(crate) hardware: usize,
    /// The date.
    pub(crate) date: Reverse<i64>,
    /// The version.
    pub(crate) version: Reverse<u64>,
}

/// A candidate: its rank, then the newest publication first among equals.
type Candidate = (Rank, Reverse<RevisionId>, u32);

impl Snapshot {
    pub(super) fn driver_pass(
        &self,
        scope: &Scope,
        query: &DriverQuery<'_>,
        limits: &PageLimits,
        scratch: &mut Scratch,
    ) -> SyncPlan {
        let pass = Pass {
            scope,
            cached: [query.cached, &[]],
            two_groups: query.two_groups,
            anchor: query.anchor.filter(|_| !query.everything_changed),
            timed: query.timed,
            limits: *limits,
        };
        let any_driver = scope.any_driver(query.filter);
        let mut best: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        scratch.needed.reset(self.revisions.len());
        if any_driver && !query.devices.is_empty() {
            self.satisfy(query.installed, scratch);
            let key = query.feature_key.map(fold);
            for device in query.devices {
                self.best_for(device, scope, query, key.as_deref(), scratch, &mut best);
            }
            for revision in best.keys() {
                scratch.needed.set(*revision);
            }
        }
        self.read_cached(&pass, scratch);
        let mut plan = self.settle(&pass, scratch, |dense| {
            let mut entry = self.entry(scope, query.timed.agenda, dense)?;
            entry.deployment.hardware_ids = best.get(&dense).cloned().unwrap_or_default();
            Some(entry)
        });
        plan.driver_sync_not_needed = !any_driver;
        plan
    }

    /// Adds the drivers that a device should have: the best base driver, and the best extension drivers.
    ///
    /// Extension drivers compete per update: documents do not state the ExtensionId that an entry belongs to, and hiding
    /// one extension behind another loses more than offering both, which the agent ranks itself.
    fn best_for(
        &self,
        device: &Device,
        scope: &Scope,
        query: &DriverQuery<'_>,
        key: Option<&str>,
        scratch: &Scratch,
        best: &mut BTreeMap<u32, Vec<String>>,
    ) {
        let mut places: HashMap<Box<str>, usize> = HashMap::new();
        let ids: Vec<&String> = device.hardware_ids.iter().chain(&device.compatible_ids).collect();
        let mut base: Option<Candidate> = None;
        let mut extensions: BTreeMap<u32, Candidate> = BTreeMap::new();
        for (place, id) in ids.iter().enumerate() {
            let folded = fold(id);
            if places.contains_key(&folded) {
                continue;
            }
            for entry in self.drivers.with_hardware(&folded) {
                let Some(revision) = self.revisions.get(entry.revision as usize) else { continue };
                let Some(rank) = rank(entry, place, query, key) else { continue };
                if !scope.drivers.get(entry.revision)
                    || query.filter.is_some_and(|filter| !filter.revisions.get(entry.revision))
                    || !self.is_satisfied(revision.signature, &scratch.clauses)
                {
                    continue;
                }
                let candidate = (rank, Reverse(revision.id), entry.revision);
                if entry.is_extension {
                    let best = extensions.entry(revision.update).or_insert(candidate);
                    *best = candidate.min(*best);
                } else {
                    base = Some(base.map_or(candidate, |best| candidate.min(best)));
                }
            }
            places.insert(folded, place);
        }
        let base = base.filter(|(rank, _, revision)| self.improves(*rank, *revision, device, &places, query));
        let extensions = extensions.into_values().filter(|(rank, ..)| !is_installed_extension(rank, device));
        for (rank, _, revision) in base.into_iter().chain(extensions) {
            let Some(id) = ids.get(rank.hardware) else { continue };
            let listed = best.entry(revision).or_default();
            if !listed.iter().any(|it| fold(it) == fold(id)) {
                listed.push((*id).clone());
            }
        }
    }

    /// Better than the installed driver and, for a printer, of the same maker.
    fn improves(
        &self,
        rank: Rank,
        revision: u32,
        device: &Device,
        places: &HashMap<Box<str>, usize>,
        query: &DriverQuery<'_>,
    ) -> bool {
        let Some(installed) = &device.installed else { return true };
        let Some(installed_rank) = installed_rank(installed, places, query) else { return true };
        rank < installed_rank
            && (!is_printer(&installed.class)
                || self.drivers.is_made_by(revision, &installed.manufacturer, &installed.provider))
    }

    pub(super) fn printer_pass(
        &self,
        scope: &Scope,
        query: &PrinterQuery<'_>,
        limits: &PageLimits,
        scratch: &mut Scratch,
    ) -> SyncPlan {
        let pass = Pass {
            scope,
            cached: [query.cached, &[]],
            two_groups: false,
            anchor: query.anchor.filter(|_| !query.everything_changed),
            timed: query.timed,
            limits: *limits,
        };
        self.satisfy(query.installed, scratch);
        scratch.needed.reset(self.revisions.len());
        for dense in &self.drivers.printers {
            let signature = self.revisions.get(*dense as usize).map(|it| it.signature);
            if scope.drivers.get(*dense) && signature.is_some_and(|it| self.is_satisfied(it, &scratch.clauses)) {
                scratch.needed.set(*dense);
            }
        }
        self.read_cached(&pass, scratch);
        let mut plan = self.settle(&pass, scratch, |dense| self.entry(scope, query.timed.agenda, dense));
        plan.driver_sync_not_needed = !scope.any_driver(None);
        plan
    }
}

fn rank(entry: &DriverEntry, hardware: usize, query: &DriverQuery<'_>, key: Option<&str>) -> Option<Rank> {
    Some(Rank {
        computer: entry.computer_place(query.computer_ids)?,
        feature: entry.feature(key),
        hardware,
        date: Reverse(entry.date_ms),
        version: Reverse(entry.version),
    })
}

/// The rank of what is installed; none if nothing is. A rank of -1 with a MatchingID is a driver of unknown rank (recorded
/// for printers): bits 16 to 23 of -1 are the worst feature score, as they should be.
fn installed_rank(
    installed: &InstalledDriver,
    places: &HashMap<Box<str>, usize>,
    query: &DriverQuery<'_>,
) -> Option<Rank> {
    let matching = installed.matching_id.as_deref().map(str::trim).filter(|id| !id.is_empty())?;
    let computer = installed.matching_computer_id.and_then(|id| query.computer_ids.iter().position(|it| *it == id));
    Some(Rank {
        computer: computer.unwrap_or(usize::MAX),
        feature: ((installed.rank >> 16) & i32::from(WORST_FEATURE)) as u8,
        hardware: places.get(&fold(matching)).copied().unwrap_or(usize::MAX),
        date: Reverse(installed.date_ms),
        version: Reverse(installed.version),
    })
}

/// The device has an extension of this very date and version.
fn is_installed_extension(rank: &Rank, device: &Device) -> bool {
    device.extensions.iter().any(|it| rank.date == Reverse(it.date_ms) && rank.version == Reverse(it.version))
}
