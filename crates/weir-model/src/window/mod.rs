//! Maintenance windows (features MW-1 to MW-9): when computers may install, and what goes out to them because of it.
//!
//! A [`Window`] recurs ([`Recurrence`]) at a time of day, in a zone of its own or in that of each computer, and lasts for
//! an elapsed time. A [`Calendar`] is the windows that count for a computer, in its zone: overlapping and touching ones
//! are one [`Span`]. [`Calendar::resolve`] turns the times of a deployment into what the protocol carries.
//!
//! *Daylight saving.* A window that would begin in a gap of the clocks begins at the end of the gap, in a fold at the first
//! of the two times; each occurrence is there once. The duration is time that elapses: a window over a change of the clocks
//! ends at another time of day than usual. Each occurrence takes the offset of its own day, never that of the first one
//! (MW-9).

mod resolve;
mod spans;
#[cfg(test)]
mod tests;

pub use resolve::{Ask, LOOK_AHEAD, Reason, Resolved, SLACK};

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    fnv::Fnv,
    ids::CollectionId,
    schedule::{Recurrence, Zone},
};

/// What may run in a window.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// Every deployment.
    #[default]
    AllDeployments,
    /// Updates only. Where a computer has such a window, updates keep to those (MW-3).
    SoftwareUpdates,
    /// Task sequences only; never counts for updates.
    TaskSequences,
}

impl WindowKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AllDeployments, Self::SoftwareUpdates, Self::TaskSequences];

    /// Its name, as serialized.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllDeployments => "all_deployments",
            Self::SoftwareUpdates => "software_updates",
            Self::TaskSequences => "task_sequences",
        }
    }
}

/// Why there is no such window.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// The name.
    #[error("the name of a window has 1 to {} characters, none of them a control character", Window::NAME)]
    Name,
    /// The duration.
    #[error("a window of {0} minutes is not possible: it lasts from 5 minutes to 24 hours")]
    Duration(u32),
}

/// A maintenance window of a collection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Window {
    name: String,
    recurrence: Recurrence,
    minutes: u16,
    /// What may run in it.
    pub kind: WindowKind,
    /// It counts.
    pub enabled: bool,
}

impl Window {
    /// Characters of a name at most.
    pub const NAME: usize = 255;
    /// Minutes it may last. A whole day counts: the documents of the product say both "less than" and "at most" 24 hours
    /// and show an example of 24.
    pub const MINUTES: std::ops::RangeInclusive<u32> = 5..=1_440;

    /// An enabled window. The recurrence holds the first day and the time of day; one without a zone is read in the zone
    /// of each computer.
    pub fn new(name: &str, recurrence: Recurrence, minutes: u32, kind: WindowKind) -> Result<Self, WindowError> {
        let name = name.trim();
        if name.chars().count() > Self::NAME || !crate::name::is_printable(name) {
            return Err(WindowError::Name);
        }
        if !Self::MINUTES.contains(&minutes) {
            return Err(WindowError::Duration(minutes));
        }
        Ok(Self { name: name.to_owned(), recurrence, minutes: minutes as u16, kind, enabled: true })
    }

    /// The same under another name.
    pub fn renamed(&self, name: &str) -> Result<Self, WindowError> {
        let renamed = Self::new(name, self.recurrence.clone(), self.minutes.into(), self.kind)?;
        Ok(Self { enabled: self.enabled, ..renamed })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it begins.
    pub fn recurrence(&self) -> &Recurrence {
        &self.recurrence
    }

    /// It begins at a time of day of each computer.
    pub fn is_local(&self) -> bool {
        self.recurrence.zone().is_none()
    }

    /// How long it lasts, in minutes.
    pub fn minutes(&self) -> u16 {
        self.minutes
    }

    /// How long it lasts.
    pub fn duration(&self) -> SignedDuration {
        SignedDuration::from_mins(self.minutes.into())
    }

    /// Its occurrences that end after `from` and begin before `until`, at most `most` of them. `zone` is that of the
    /// computers.
    pub fn occurrences(&self, zone: &TimeZone, from: Timestamp, until: Timestamp, most: usize) -> Vec<Span> {
        let first = self.recurrence.next_after(plus(from, -self.duration()), zone);
        let starts = std::iter::successors(first, |last| self.recurrence.next_after(*last, zone));
        let spans = starts.map(|start| Span { start, end: plus(start, self.duration()) });
        spans.take_while(|span| span.start < until).take(most).collect()
    }
}

/// A stretch of time. Its end does not belong to it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// Its beginning.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

impl Span {
    /// How long it is.
    pub fn duration(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }
}

/// The windows that count for updates on a computer, in its zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    windows: Vec<Window>,
    zone: TimeZone,
    lead: SignedDuration,
}

impl Calendar {
    /// From all windows of all collections of a computer (MW-2). Disabled ones and those for task sequences do not count;
    /// where there is one for software updates, those for all deployments do not count either (MW-3) unless `both` (CS-13).
    /// `lead`: how long before a window a deployment that is held for it goes out, the interval between scans.
    pub fn new<'w>(
        windows: impl IntoIterator<Item = &'w Window>,
        zone: TimeZone,
        both: bool,
        lead: SignedDuration,
    ) -> Self {
        let counts = |window: &&Window| window.enabled && window.kind != WindowKind::TaskSequences;
        let mut windows: Vec<Window> = windows.into_iter().filter(counts).cloned().collect();
        if !both && windows.iter().any(|window| window.kind == WindowKind::SoftwareUpdates) {
            windows.retain(|window| window.kind == WindowKind::SoftwareUpdates);
        }
        Self { windows, zone, lead: lead.max(SignedDuration::ZERO) }
    }

    /// No windows, in this zone.
    pub fn open(zone: TimeZone) -> Self {
        Self { windows: Vec::new(), zone, lead: SignedDuration::ZERO }
    }

    /// The same in another zone.
    #[must_use]
    pub fn in_zone(&self, zone: TimeZone) -> Self {
        Self { windows: self.windows.clone(), zone, lead: self.lead }
    }

    /// Whether no window counts, so that updates install at any time.
    pub fn is_open(&self) -> bool {
        self.windows.is_empty()
    }

    /// The windows that count.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// A number that is another one for other windows or another zone, never 0, and the same on every machine.
    pub fn mark(&self) -> u64 {
        let mut mark = Fnv::default();
        mark.bytes(self.zone.iana_name().unwrap_or_default().as_bytes());
        mark.bytes(&self.lead.as_secs().to_le_bytes());
        let mut windows: Vec<_> = self.windows.iter().map(|it| (it.recurrence.to_string(), it.minutes)).collect();
        windows.sort();
        for (recurrence, minutes) in windows {
            mark.bytes(recurrence.as_bytes());
            mark.bytes(&minutes.to_le_bytes());
        }
        mark.0 | 1
    }

    /// The longest of the windows, alone.
    pub fn longest(&self) -> Option<SignedDuration> {
        self.windows.iter().map(Window::duration).max()
    }
}

/// The zone of a computer, and where it is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ZoneFrom<'z> {
    /// Its own.
    Computer(&'z Zone),
    /// That of this collection.
    Collection(CollectionId, &'z Zone),
    /// The site's.
    Site,
}

/// A collection that has a zone.
#[derive(Clone, Debug)]
pub struct ZonedCollection {
    /// Its name, which decides between branches.
    pub name: String,
    /// Its zone.
    pub zone: Zone,
}

/// The zone of a computer: its own, else that of its collections, else the site's. On a branch, from a collection of the
/// computer up, the nearest collection with a zone hides those above it, as with deployments. Several branches may name
/// different zones: then the collection whose name comes first wins, without regard to case (the order in which
/// collections are listed, which an administrator can see and change).
pub fn zone_of<'z>(
    own: Option<&'z Zone>,
    branches: &[Vec<CollectionId>],
    zoned: &'z BTreeMap<CollectionId, ZonedCollection>,
) -> ZoneFrom<'z> {
    if let Some(own) = own {
        return ZoneFrom::Computer(own);
    }
    let nearest = branches.iter().filter_map(|path| path.iter().find_map(|id| Some((*id, zoned.get(id)?))));
    let first = nearest.max_by_key(|(id, it)| Reverse((it.name.to_lowercase(), *id)));
    first.map_or(ZoneFrom::Site, |(id, it)| ZoneFrom::Collection(id, &it.zone))
}

/// A time moved, kept within the calendar.
fn plus(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}
