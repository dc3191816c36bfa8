//! Maintenance windows and zones, as scans need them.
//!
//! *How a passed window reaches computers.* A published state holds the windows and zones of all collections; nothing is
//! published when one passes. Beside each scope whose deployments depend on the time ([`Snapshot::is_timed`]) there is an
//! [`Agenda`] per zone of its computers, made when the first of them scans, and again by the first scan after it ended to
//! hold. Making one reads the deployments of the scope from memory: no SQL, and no more than a few milliseconds for
//! thousands of them. Scopes without windows and local times have none, and their scans do not look for any.
//!
//! The cookie of a computer carries, with each anchor, the mark of the calendar and the instant that its deployments were
//! resolved for ([`crate::client::cookie::Anchor`]). Answers that began since then are changed updates. All of this follows
//! from windows, zones and the clock alone: it is the same after a restart and on another front end of the same database.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use parking_lot::RwLock;
use weir_model::{
    catalogue::{Agenda, Scope, Snapshot},
    ids::CollectionId,
    schedule::Zone,
    window::{Calendar, Window, ZoneFrom, ZonedCollection, zone_of},
};
use weir_store::{ReadTx, StoreError};

use crate::{admin::setting::Current, client_settings::Table};

/// Windows and zones of a site.
#[derive(Clone, Debug)]
pub struct Hours {
    windows: HashMap<CollectionId, Vec<Window>>,
    zoned: BTreeMap<CollectionId, ZonedCollection>,
    site: TimeZone,
    /// Of the site, where client settings say nothing.
    both: bool,
    lead: SignedDuration,
    clients: Arc<Table>,
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            windows: HashMap::new(),
            zoned: BTreeMap::new(),
            site: TimeZone::UTC,
            both: false,
            lead: SignedDuration::ZERO,
            clients: Arc::default(),
        }
    }
}

impl Hours {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let mut windows: HashMap<CollectionId, Vec<Window>> = HashMap::new();
        for row in tx.window_list()? {
            windows.entry(row.collection).or_default().push(row.window);
        }
        let mut zoned = BTreeMap::new();
        for row in tx.collection_list()? {
            if let Some(zone) = row.time_zone.and_then(|zone| zone.parse::<Zone>().ok()) {
                zoned.insert(row.id, ZonedCollection { name: row.name, zone });
            }
        }
        let settings = Current::read(tx)?;
        let (both, lead) = settings.windows();
        let clients = Arc::new(Table::read(tx)?);
        Ok(Self { windows, zoned, site: settings.zone(), both, lead, clients })
    }

    /// The windows that count for computers on these branches, in the zone of a computer of them: `own`, else that of its
    /// collections, else the site's. Client settings that somebody set (CS-2, CS-13) are stronger than the site's.
    pub fn calendar(&self, branches: &[Vec<CollectionId>], own: Option<&Zone>) -> Calendar {
        let mut collections: Vec<CollectionId> = branches.iter().flatten().copied().collect();
        collections.sort_unstable();
        collections.dedup();
        let (both, lead) = self.scanning(&collections);
        let windows = collections.iter().filter_map(|id| self.windows.get(id)).flatten();
        Calendar::new(windows, self.zone(branches, own).0, both, lead)
    }

    /// Whether there are any windows.
    pub fn has_windows(&self) -> bool {
        !self.windows.is_empty()
    }

    /// Whether windows of both kinds count for computers of these collections, and how long before a window what is held for
    /// it goes out: the interval of their scans.
    fn scanning(&self, collections: &[CollectionId]) -> (bool, SignedDuration) {
        let clients = self.clients.resultant(collections);
        let both = if clients.is_set("windows.all_deployments") { clients.all_deployment_windows() } else { self.both };
        let lead = if clients.is_set("scan.schedule") {
            SignedDuration::from_hours(clients.scan_interval_hours().into())
        } else {
            self.lead
        };
        (both, lead)
    }

    /// The zone of a computer, and where it is from.
    pub fn zone<'z>(&'z self, branches: &[Vec<CollectionId>], own: Option<&'z Zone>) -> (TimeZone, ZoneFrom<'z>) {
        let from = zone_of(own, branches, &self.zoned);
        let zone = match from {
            ZoneFrom::Computer(zone) | ZoneFrom::Collection(_, zone) => zone.time_zone().clone(),
            ZoneFrom::Site => self.site.clone(),
        };
        (zone, from)
    }
}

/// What of a scope depends on the time.
#[derive(Debug)]
pub(super) struct TimedScope {
    /// In the zone of computers that have none of their own.
    calendar: Calendar,
    /// By the computers' own zones; empty for none.
    agendas: RwLock<HashMap<String, Arc<Agenda>>>,
}

impl TimedScope {
    /// None if nothing does.
    pub(super) fn new(snapshot: &Snapshot, scope: &Scope, calendar: Calendar) -> Option<Self> {
        let timed = snapshot.is_timed(scope, calendar.is_open());
        timed.then(|| Self { calendar, agendas: RwLock::default() })
    }

    /// What holds now for computers with this zone of their own.
    pub(super) fn agenda(&self, snapshot: &Snapshot, scope: &Scope, own: Option<&Zone>, now: Timestamp) -> Arc<Agenda> {
        let key = own.map_or("", Zone::name);
        if let Some(agenda) = self.agendas.read().get(key).filter(|agenda| agenda.holds_at(now)) {
            return Arc::clone(agenda);
        }
        // others that need it wait for it: it is made once
        let mut agendas = self.agendas.write();
        if let Some(agenda) = agendas.get(key).filter(|agenda| agenda.holds_at(now)) {
            return Arc::clone(agenda);
        }
        let agenda = Arc::new(match own {
            Some(zone) => snapshot.agenda(scope, &self.calendar.in_zone(zone.time_zone().clone()), now),
            None => snapshot.agenda(scope, &self.calendar, now),
        });
        agendas.insert(key.to_owned(), Arc::clone(&agenda));
        agenda
    }
}
