//! The lines of a state file.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::ids::{ComputerId, UpdateId};
use weir_wire::{
    soap::Binary,
    wusp::{Action, Cookie},
};

use super::{Problem, Saved, VERSION};
use crate::{
    details::Details,
    library::Library,
    schedule::Memory,
    state::{Condition, Config, Deployed, Entry, Own, PendingEvent, State},
};

/// What the head says the file is.
pub(super) const FORMAT: &str = "weir-agent-state";

/// The part of the head that never changes.
#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) format: String,
    pub(super) version: u32,
}

/// The first line.
#[derive(Deserialize, Serialize)]
pub(super) struct Head<'a> {
    format: Cow<'a, str>,
    version: u32,
    client_id: Option<String>,
    server: Option<String>,
    config: Option<Config>,
    registered: bool,
    cookie: Option<SavedCookie>,
    stale: bool,
    unreadable: Vec<i32>,
    conditions: Vec<(UpdateId, Condition)>,
    events: Cow<'a, [PendingEvent]>,
    restart_at: Option<Timestamp>,
    scanned: Option<Timestamp>,
    memory: Cow<'a, Memory>,
    revisions: usize,
}

#[derive(Deserialize, Serialize)]
struct SavedCookie {
    expiration: Option<Timestamp>,
    data: String,
}

impl<'a> Head<'a> {
    pub(super) fn of(client_id: Option<&ComputerId>, state: &'a State, memory: &'a Memory) -> Self {
        let cookie = state.cookie.as_ref().and_then(|cookie| {
            Some(SavedCookie { expiration: cookie.expiration, data: BASE64.encode(cookie.sealed()?) })
        });
        Self {
            format: Cow::Borrowed(FORMAT),
            version: VERSION,
            client_id: client_id.map(ToString::to_string),
            server: state.server.as_deref().map(str::to_owned),
            config: state.config.clone(),
            registered: state.registered,
            cookie,
            stale: state.stale,
            unreadable: state.cache.unreadable().to_vec(),
            conditions: state.conditions.clone(),
            events: Cow::Borrowed(&state.events),
            restart_at: state.restart_at,
            scanned: state.scanned,
            memory: Cow::Borrowed(memory),
            revisions: state.cache.len(),
        }
    }

    pub(super) fn into_saved(self) -> Result<(Saved, usize), Problem> {
        let client_id = self.client_id.map(|text| text.parse()).transpose()?;
        let cookie = match self.cookie {
            None => None,
            Some(cookie) => Some(Cookie {
                expiration: cookie.expiration,
                encrypted_data: Some(Binary(BASE64.decode(cookie.data)?)),
            }),
        };
        let mut state = State {
            server: self.server.map(Into::into),
            config: self.config,
            registered: self.registered,
            cookie,
            stale: self.stale,
            events: self.events.into_owned(),
            restart_at: self.restart_at,
            scanned: self.scanned,
            ..State::default()
        };
        for (update, condition) in self.conditions {
            state.set_condition(update, Some(condition));
        }
        for id in self.unreadable {
            state.cache.insert_unreadable(id);
        }
        Ok((Saved { client_id, state, memory: self.memory.into_owned() }, self.revisions))
    }
}

/// One revision.
#[derive(Deserialize, Serialize)]
pub(super) struct Line<'a> {
    id: i32,
    leaf: bool,
    hidden: bool,
    deployment: SavedDeployment<'a>,
    core: Cow<'a, str>,
    details: Option<Cow<'a, Details>>,
}

#[derive(Deserialize, Serialize)]
struct SavedDeployment<'a> {
    id: i32,
    action: Cow<'a, str>,
    deadline: Option<Timestamp>,
    assigned: bool,
    priority: u8,
    hardware_ids: Cow<'a, [String]>,
}

impl<'a> Line<'a> {
    pub(super) fn of(entry: &'a Entry, own: Own) -> Self {
        let deployed = &entry.deployed;
        Self {
            id: entry.id,
            leaf: entry.is_leaf,
            hidden: own.hidden,
            deployment: SavedDeployment {
                id: deployed.id,
                action: Cow::Borrowed(deployed.action.name()),
                deadline: deployed.deadline,
                assigned: deployed.is_assigned,
                priority: deployed.priority,
                hardware_ids: Cow::Borrowed(&deployed.hardware_ids),
            },
            core: Cow::Borrowed(entry.update.text()),
            details: entry.update.details().filter(|_| own.asked).map(Cow::Borrowed),
        }
    }

    /// The entry, unless its fragment or its action means nothing to this program.
    pub(super) fn into_entry(self, library: &Library) -> Option<(Entry, Own)> {
        let saved = self.deployment;
        let action = Action::ALL.into_iter().find(|action| action.name() == saved.action)?;
        let deployed = library.deployed(Deployed {
            id: saved.id,
            action,
            deadline: saved.deadline,
            is_assigned: saved.assigned,
            priority: saved.priority,
            hardware_ids: saved.hardware_ids.into_owned(),
        });
        let update = library.update(&self.core).ok()?;
        let own = Own { hidden: self.hidden, asked: self.details.is_some(), ..Own::default() };
        if let Some(details) = self.details {
            update.learn(details.into_owned());
        }
        Some((Entry { id: self.id, is_leaf: self.leaf, deployed, update }, own))
    }
}

/// The last line.
#[derive(Deserialize, Serialize)]
pub(super) struct End {
    pub(super) end: usize,
}
