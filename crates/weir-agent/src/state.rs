//! What an agent keeps between scans, small: a simulated fleet holds 150,000 of these.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    update::UpdateType,
};
use weir_wire::wusp::{Action, Cookie, Deployment};

use crate::library::{Library, Update, Verdict};

/// What the server told with GetConfig, as far as the agent acts on it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `LastChange`, which GetCookie repeats.
    pub last_change: Timestamp,
    /// Whether RegisterComputer is wanted.
    pub registration_required: bool,
    /// Where GetAuthorizationCookie goes, relative to the server.
    pub service_url: Box<str>,
    /// `MaxExtendedUpdatesPerRequest`.
    pub max_extended: u16,
    /// `ProtocolVersion` of the server.
    pub protocol: (u16, u16),
}

/// What the server wants done with a revision (MS-WUSP 2.2.2.2.4, Deployment).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Deployed {
    /// The deployment's number.
    pub id: i32,
    /// What to do.
    pub action: Action,
    /// Until when.
    pub deadline: Option<Timestamp>,
    /// True: by itself. False: offered.
    pub is_assigned: bool,
    /// 1 low to 3 high, 2 if not stated.
    pub priority: u8,
    /// For drivers: the hardware ids for which it is the best.
    pub hardware_ids: Vec<String>,
}

impl From<Deployment> for Deployed {
    fn from(deployment: Deployment) -> Self {
        Self {
            id: deployment.id.0,
            action: deployment.action,
            deadline: deployment.deadline,
            is_assigned: deployment.is_assigned,
            priority: deployment.download_priority.and_then(|priority| u8::try_from(priority).ok()).unwrap_or(2),
            hardware_ids: deployment.hardware_ids,
        }
    }
}

/// A revision in the cache, as the server delivered it: the same for computers that are offered the same.
#[derive(Clone, Debug)]
pub struct Entry {
    /// RevisionID, the server's number.
    pub id: i32,
    /// Whether nothing depends on it.
    pub is_leaf: bool,
    /// What to do with it.
    pub deployed: Arc<Deployed>,
    /// The update.
    pub update: Arc<Update>,
}

impl Entry {
    /// Which revision it is.
    pub fn identity(&self) -> UpdateIdentity {
        self.update.identity()
    }

    /// Whether it is a driver.
    pub fn is_driver(&self) -> bool {
        self.update.core().update_type == UpdateType::Driver
    }

    /// Whether servers want to hear of it: a deployable leaf that is no category and no detectoid (MS-WUSP 6.3 as
    /// observed).
    pub fn is_reported(&self) -> bool {
        let core = self.update.core();
        self.is_leaf
            && core.explicitly_deployable
            && matches!(core.update_type, UpdateType::Software | UpdateType::Driver)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.is_leaf == other.is_leaf
            && (Arc::ptr_eq(&self.update, &other.update) || self.identity() == other.identity())
            && (Arc::ptr_eq(&self.deployed, &other.deployed) || self.deployed == other.deployed)
    }
}

/// What one computer makes of an entry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Own {
    /// What its rules say.
    pub verdict: Verdict,
    /// Out of the filter of the last scan (DeployedOutOfScopeRevisionIds): kept, and not offered or reported.
    pub hidden: bool,
    /// Extended information of it was asked for.
    pub asked: bool,
}

/// Entries in the order of their RevisionIDs, with where each update is. Shared between computers.
#[derive(Debug, Default)]
pub(crate) struct Revisions {
    entries: Vec<Entry>,
    positions: OnceLock<HashMap<UpdateId, usize>>,
}

impl Revisions {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self { entries, positions: OnceLock::new() }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where an update is, its highest revision.
    pub(crate) fn position(&self, update: UpdateId) -> Option<usize> {
        let positions = self.positions.get_or_init(|| {
            let mut positions: HashMap<UpdateId, usize> = HashMap::with_capacity(self.entries.len());
            for (at, entry) in self.entries.iter().enumerate() {
                let identity = entry.identity();
                let known = positions.get(&identity.update_id).and_then(|other| self.entries.get(*other));
                if known.is_none_or(|known| known.identity().revision < identity.revision) {
                    positions.insert(identity.update_id, at);
                }
            }
            positions
        });
        positions.get(&update).copied()
    }

    fn edit(&mut self) -> &mut Vec<Entry> {
        self.positions = OnceLock::new();
        &mut self.entries
    }
}

impl Clone for Revisions {
    fn clone(&self) -> Self {
        Self::new(self.entries.clone())
    }
}

/// The revisions that a server delivered, by RevisionID. The part that equal computers have in common is shared.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    revisions: Arc<Revisions>,
    own: Vec<Own>,
    /// RevisionIDs whose fragments cannot be read: the server is told that they are here, or it would send them for ever.
    unreadable: Vec<i32>,
}

impl Cache {
    /// How many revisions there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// All of them in the order of their RevisionIDs, with what this computer makes of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Entry, &Own)> {
        self.entries().iter().zip(&self.own)
    }

    /// The entries alone.
    pub fn entries(&self) -> &[Entry] {
        self.revisions.entries()
    }

    /// Where an update is, its highest revision.
    pub fn update(&self, update: UpdateId) -> Option<usize> {
        self.revisions.position(update)
    }

    /// What this computer makes of them, in the same order.
    pub fn own(&self) -> &[Own] {
        &self.own
    }

    /// The same, to be changed.
    pub fn own_mut(&mut self) -> &mut [Own] {
        &mut self.own
    }

    /// Revisions that cannot be read.
    pub fn unreadable(&self) -> &[i32] {
        &self.unreadable
    }

    /// Where a RevisionID is.
    pub fn position(&self, id: i32) -> Option<usize> {
        self.entries().binary_search_by_key(&id, |entry| entry.id).ok()
    }

    /// Adds an entry or puts it in the place of the one with its RevisionID.
    pub fn insert(&mut self, entry: Entry, own: Own) {
        self.unreadable.retain(|id| *id != entry.id);
        let entries = Arc::make_mut(&mut self.revisions).edit();
        match entries.binary_search_by_key(&entry.id, |known| known.id) {
            Ok(at) => {
                if let (Some(place), Some(mine)) = (entries.get_mut(at), self.own.get_mut(at)) {
                    (*place, *mine) = (entry, own);
                }
            }
            Err(at) => {
                entries.insert(at, entry);
                self.own.insert(at.min(self.own.len()), own);
            }
        }
    }

    /// Remembers a RevisionID whose fragment cannot be read.
    pub fn insert_unreadable(&mut self, id: i32) {
        if !self.unreadable.contains(&id) {
            self.unreadable.push(id);
        }
    }

    /// Forgets these RevisionIDs; those that are not here do not matter. Gives how many were.
    pub fn remove(&mut self, ids: &[i32]) -> usize {
        if ids.is_empty() {
            return 0;
        }
        let mut gone = ids.to_vec();
        gone.sort_unstable();
        let is_gone = |id: &i32| gone.binary_search(id).is_ok();
        self.unreadable.retain(|id| !is_gone(id));
        if !self.entries().iter().any(|entry| is_gone(&entry.id)) {
            return 0;
        }
        let before = self.len();
        let (entries, own) = self.iter().filter(|(entry, _)| !is_gone(&entry.id)).map(|(e, o)| (e.clone(), *o)).unzip();
        (self.revisions, self.own) = (Arc::new(Revisions::new(entries)), own);
        before - self.len()
    }

    /// Changes the deployment and IsLeaf of an entry, if it is here.
    pub fn change(&mut self, id: i32, deployed: Arc<Deployed>, is_leaf: bool) -> bool {
        let Some(at) = self.position(id) else { return false };
        let same = self.entries().get(at).is_some_and(|known| known.is_leaf == is_leaf && known.deployed == deployed);
        if !same && let Some(entry) = Arc::make_mut(&mut self.revisions).edit().get_mut(at) {
            (entry.deployed, entry.is_leaf) = (deployed, is_leaf);
        }
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives up what growing left over, and shares the entries with agents that have the same.
    pub fn settle(&mut self, library: &Library) {
        self.own.shrink_to_fit();
        self.unreadable.shrink_to_fit();
        self.revisions = library.share(&self.revisions);
    }

    /// Evaluates all entries.
    pub fn evaluate(&mut self, mut verdict: impl FnMut(&Update) -> Verdict) {
        for (entry, own) in self.revisions.entries().iter().zip(&mut self.own) {
            own.verdict = verdict(&entry.update);
        }
    }
}

/// What happened to an update here, beyond what its rules say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Its files are here.
    Downloaded,
    /// The last attempt to install it failed with this HRESULT.
    Failed(i32),
    /// It is installed and waits for a restart.
    PendingRestart,
}

/// An event that the server has not acknowledged yet. What all events of a computer have in common is added when it is
/// sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PendingEvent {
    /// `EventInstanceID`: made once, so that an event that is sent twice counts once.
    pub instance: Uuid,
    /// When.
    pub at: Timestamp,
    /// `EventID`.
    pub event: i16,
    /// The update; none for events about the computer.
    pub update: Option<UpdateIdentity>,
    /// `Win32HResult`.
    pub result: i32,
    /// `ReplacementStrings`.
    pub strings: Vec<String>,
    /// `MiscData`.
    pub misc: Vec<String>,
}

/// Everything that an agent remembers.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The server that config, cookie and cache are from.
    pub server: Option<Arc<str>>,
    /// Its configuration.
    pub config: Option<Config>,
    /// Whether that server knows the computer's description.
    pub registered: bool,
    /// The cookie.
    pub cookie: Option<Cookie>,
    /// RevisionIDs must be asked for anew before the next scan: they are another server's.
    pub stale: bool,
    /// The revisions that are known.
    pub cache: Cache,
    /// What happened to updates, sorted by update.
    pub conditions: Vec<(UpdateId, Condition)>,
    /// Events to be reported, oldest first.
    pub events: Vec<PendingEvent>,
    /// When the computer is to be restarted for what was installed.
    pub restart_at: Option<Timestamp>,
    /// When an online scan ended well the last time.
    pub scanned: Option<Timestamp>,
}

impl State {
    /// The condition of an update.
    pub fn condition(&self, update: UpdateId) -> Option<Condition> {
        let at = self.conditions.binary_search_by_key(&update, |(known, _)| *known).ok()?;
        self.conditions.get(at).map(|(_, condition)| *condition)
    }

    /// Sets or, with none, forgets the condition of an update.
    pub fn set_condition(&mut self, update: UpdateId, condition: Option<Condition>) {
        match (self.conditions.binary_search_by_key(&update, |(known, _)| *known), condition) {
            (Ok(at), Some(condition)) => {
                if let Some(place) = self.conditions.get_mut(at) {
                    place.1 = condition;
                }
            }
            (Ok(at), None) => drop(self.conditions.remove(at)),
            (Err(at), Some(condition)) => self.conditions.insert(at, (update, condition)),
            (Err(_), None) => {}
        }
    }

    /// Points the agent to a server. If it is another one than before, cookie, configuration and registration are worth
    /// nothing, and the RevisionIDs of the cache are asked for anew (MS-WUSP 3.2.5.8).
    pub fn move_to(&mut self, server: &Arc<str>) {
        if self.server.as_ref() != Some(server) {
            self.server = Some(Arc::clone(server));
            self.forget_server();
        }
    }

    /// What InvalidCookie and ServerChanged mean: nothing of the server holds any more.
    pub fn forget_server(&mut self) {
        self.config = None;
        self.cookie = None;
        self.registered = false;
        // what could not be read may be readable as that server has it
        self.cache.unreadable.clear();
        self.stale = !self.cache.is_empty();
    }
}
