//! The driver index of a snapshot.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    graph::Graph,
    sets::{Bits, at},
};
use crate::update::{DriverMetadata, UpdateType};

/// The setup class of printers, by name and by GUID.
const PRINTER: [&str; 2] = ["printer", "4d36e979-e325-11ce-bfc1-08002be10318"];
/// The setup class of extension drivers.
const EXTENSION: [&str; 2] = ["extension", "e2f84ce7-8efa-411c-aa69-97454ca4cb57"];

/// The feature score of a driver that states none for the computer's operating system, and the worst.
pub(crate) const WORST_FEATURE: u8 = 255;

/// One hardware id of one driver revision.
#[derive(Debug)]
pub(crate) struct DriverEntry {
    pub(super) revision: u32,
    pub(super) date_ms: i64,
    pub(super) version: u64,
    /// Competes with extension drivers, not with base drivers.
    pub(super) is_extension: bool,
    feature_scores: Box<[(Box<str>, u8)]>,
    /// The computers it is made for; none if for all.
    computers: Option<Box<[Uuid]>>,
}

/// Who made a driver, in lower case.
#[derive(Debug)]
pub(crate) struct Maker {
    manufacturer: Box<str>,
    /// The provider, then the compatible ones.
    providers: Box<[Box<str>]>,
}

/// All drivers that a scope can hold.
#[derive(Debug, Default)]
pub(super) struct DriverIndex {
    entries: Vec<DriverEntry>,
    /// By hardware id in lower case.
    by_hardware: HashMap<Box<str>, Vec<u32>>,
    makers: HashMap<u32, Vec<Maker>>,
    /// Revisions with an entry of class Printer, ascending.
    pub(super) printers: Vec<u32>,
}

impl DriverIndex {
    pub(super) fn new(graph: &Graph<'_>, dense: &[u32], candidates: &Bits) -> Self {
        let mut this = Self::default();
        for (facts, number) in graph.facts.iter().zip(0..) {
            let revision = at(dense, number);
            if facts.update_type != UpdateType::Driver || !candidates.get(revision) {
                continue;
            }
            for driver in &facts.drivers {
                let entry = this.entries.len() as u32;
                this.by_hardware.entry(fold(&driver.hardware_id)).or_default().push(entry);
                this.entries.push(DriverEntry::new(revision, driver));
                this.makers.entry(revision).or_default().push(Maker::new(driver));
            }
            if facts.drivers.iter().any(|driver| is_printer(&driver.class)) {
                this.printers.push(revision);
            }
        }
        this.printers.sort_unstable();
        this
    }

    /// The entries for a hardware id.
    pub(super) fn with_hardware(&self, folded: &str) -> impl Iterator<Item = &DriverEntry> {
        self.by_hardware.get(folded).into_iter().flatten().filter_map(|entry| self.entries.get(*entry as usize))
    }

    /// Whether an entry of the revision has this manufacturer, and this provider as its own or as a compatible one.
    pub(super) fn is_made_by(&self, revision: u32, manufacturer: &str, provider: &str) -> bool {
        self.makers.get(&revision).into_iter().flatten().any(|maker| maker.is(manufacturer, provider))
    }
}

impl DriverEntry {
    pub(crate) fn new(revision: u32, driver: &DriverMetadata) -> Self {
        let scores = driver.feature_scores.iter().map(|(system, score)| (fold(system), *score));
        Self {
            revision,
            date_ms: driver.driver_date_ms,
            version: driver.driver_version,
            is_extension: is_of_class(&driver.class, EXTENSION),
            feature_scores: scores.collect(),
            computers: computers(&driver.target_computer_ids, &driver.distribution_computer_ids),
        }
    }

    /// The place of its computers among those of the request, `usize::MAX` if it is for all; none if it is for others.
    pub(crate) fn computer_place(&self, requested: &[Uuid]) -> Option<usize> {
        match &self.computers {
            None => Some(usize::MAX),
            Some(made_for) => requested.iter().position(|id| made_for.contains(id)),
        }
    }

    /// Its score for the operating system of the request, 0 is best.
    pub(crate) fn feature(&self, key: Option<&str>) -> u8 {
        let matching = self.feature_scores.iter().filter(|(system, _)| Some(&**system) == key);
        matching.map(|(_, score)| *score).min().unwrap_or(WORST_FEATURE)
    }
}

impl Maker {
    pub(crate) fn new(driver: &DriverMetadata) -> Self {
        let providers = std::iter::once(&driver.provider).chain(&driver.compatible_providers);
        Self { manufacturer: fold(&driver.manufacturer), providers: providers.map(|it| fold(it)).collect() }
    }

    /// Whether the driver is of this manufacturer, and of this provider or compatible with it.
    pub(crate) fn is(&self, manufacturer: &str, provider: &str) -> bool {
        self.manufacturer == fold(manufacturer) && self.providers.contains(&fold(provider))
    }
}

/// The computers that a driver is made for: those of its INF, those of its distribution, or what is in both.
fn computers(target: &[Uuid], distribution: &[Uuid]) -> Option<Box<[Uuid]>> {
    match (target, distribution) {
        ([], []) => None,
        (ids, []) | ([], ids) => Some(ids.into()),
        (target, distribution) => Some(target.iter().filter(|id| distribution.contains(id)).copied().collect()),
    }
}

/// Text as it is compared.
pub(crate) fn fold(text: &str) -> Box<str> {
    text.to_lowercase().into_boxed_str()
}

pub(crate) fn is_printer(class: &str) -> bool {
    is_of_class(class, PRINTER)
}

fn is_of_class(class: &str, names: [&str; 2]) -> bool {
    let class = class.trim().trim_start_matches('{').trim_end_matches('}');
    names.iter().any(|name| class.eq_ignore_ascii_case(name))
}
