//! Failures of computers, put into groups: by code, by update, by operating system, by server or collection.
//!
//! An [`Occurrence`] is one failure that a computer's status holds now: an installation that failed, or the last detection
//! if it failed. [`Groups`] takes them up computer by computer, so that each computer counts once in each group.
//!
//! What is known of time: a status holds since when an update is in its state, so the first of an installation's failures is
//! known as long as it lasts. Of detections only the last result is known, so nothing is said of when they began to fail.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What failed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum FailureKind {
    /// A scan.
    Detection,
    /// An installation; the update is in the state failed.
    Installation,
    /// An installation failed, and the update is needed (again): its last error is kept.
    Earlier,
}

/// A failure of a computer, as member of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Occurrence<K> {
    /// The group.
    pub key: K,
    /// What failed.
    pub kind: FailureKind,
    /// The code; none if the computer told none.
    pub code: Option<u32>,
    /// Since when the update is in its state, or when the detection was, by the computer's clock.
    pub at: Timestamp,
}

/// Failures that have a key in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group<K> {
    /// What they have in common.
    pub key: K,
    /// Computers with any of these failures.
    pub computers: u64,
    /// Computers of these with an update in the state failed.
    pub installations: u64,
    /// Computers of these whose last detection failed.
    pub detections: u64,
    /// Computers whose first failure here is not before the time that is asked for; detections aside. 0 without such a time.
    pub new_computers: u64,
    /// When the first of the failures that last began, detections aside.
    pub first_at: Option<Timestamp>,
    /// The latest failure.
    pub last_at: Timestamp,
    /// Whether all of it is not before the time that is asked for; none without such a time, and if only detections failed.
    pub is_new: Option<bool>,
    /// Computers by code, most first; at most [`MOST_CODES`].
    pub codes: Vec<(Option<u32>, u64)>,
}

/// Codes that are told of a group.
pub const MOST_CODES: usize = 5;

#[derive(Default)]
struct Sum {
    computers: u64,
    installations: u64,
    detections: u64,
    new_computers: u64,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    codes: BTreeMap<Option<u32>, u64>,
}

/// Groups in the making.
pub struct Groups<K> {
    since: Option<Timestamp>,
    sums: BTreeMap<K, Sum>,
}

impl<K: Clone + Ord> Groups<K> {
    /// None yet. `since`: what began then or later is new.
    pub fn new(since: Option<Timestamp>) -> Self {
        Self { since, sums: BTreeMap::new() }
    }

    /// Takes up all failures of one computer.
    pub fn add_computer(&mut self, mut failures: Vec<Occurrence<K>>) {
        failures.sort_by(|one, other| one.key.cmp(&other.key).then_with(|| one.code.cmp(&other.code)));
        for of_key in failures.chunk_by(|one, other| one.key == other.key) {
            let Some(any) = of_key.first() else { continue };
            let sum = self.sums.entry(any.key.clone()).or_default();
            let holds = |kind| of_key.iter().any(|failure| failure.kind == kind);
            sum.computers += 1;
            sum.installations += u64::from(holds(FailureKind::Installation));
            sum.detections += u64::from(holds(FailureKind::Detection));
            let dated = of_key.iter().filter(|failure| failure.kind != FailureKind::Detection);
            let first = dated.map(|failure| failure.at).min();
            sum.first_at = sum.first_at.into_iter().chain(first).min();
            sum.last_at = of_key.iter().map(|failure| failure.at).chain(sum.last_at).max();
            sum.new_computers += u64::from(self.since.zip(first).is_some_and(|(since, first)| first >= since));
            for of_code in of_key.chunk_by(|one, other| one.code == other.code) {
                if let Some(failure) = of_code.first() {
                    *sum.codes.entry(failure.code).or_default() += 1;
                }
            }
        }
    }

    /// The groups, those of most computers first.
    pub fn finish(self) -> Vec<Group<K>> {
        let since = self.since;
        let group = |(key, sum): (K, Sum)| {
            let mut codes: Vec<_> = sum.codes.into_iter().collect();
            codes.sort_by_key(|(code, computers)| (std::cmp::Reverse(*computers), *code));
            codes.truncate(MOST_CODES);
            Some(Group {
                key,
                computers: sum.computers,
                installations: sum.installations,
                detections: sum.detections,
                new_computers: sum.new_computers,
                first_at: sum.first_at,
                last_at: sum.last_at?,
                is_new: since.zip(sum.first_at).map(|(since, first)| first >= since),
                codes,
            })
        };
        let mut groups: Vec<Group<K>> = self.sums.into_iter().filter_map(group).collect();
        groups.sort_by(|one, other| other.computers.cmp(&one.computers).then_with(|| one.key.cmp(&other.key)));
        groups
    }
}
