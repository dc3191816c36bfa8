//! One batch of events into the database: status, log, and what it says of the computer itself.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use weir_model::{
    identity::Rule,
    ids::{ChangeNumber, ComputerId, UpdateId},
    status::{self, ComputerStatus, Context, Event, UpdateNumber, event_id},
};
use weir_store::{
    StoreError, WriteTx,
    computer::{ContactTimes, StatusRow, THIS_SERVER},
    event::EventRow,
};

use super::identity;

/// Ids of events without an update that are remembered for each computer, newest last.
const RECENT: usize = 64;
/// Bytes of an event's detail that are kept.
const DETAIL: usize = 16 * 1024;

/// An event as it came, with what only the log keeps.
#[derive(Clone, Debug)]
pub struct ReportedEvent {
    /// What status depends on.
    pub event: Event,
    /// `MiscData`, as it came.
    pub misc_data: Vec<String>,
    /// `DeviceID` of driver events.
    pub device_id: Option<String>,
}

/// A batch of events of one computer.
#[derive(Clone, Debug)]
pub struct Report {
    /// Row number of the computer of the cookie.
    pub no: u32,
    /// Its id.
    pub computer: ComputerId,
    /// Software anchor of the cookie.
    pub anchor: Option<ChangeNumber>,
    /// Address of the call.
    pub address: Option<String>,
    /// When an older anchor counts as another machine's.
    pub identity: Rule,
    /// The events, in the order of the batch.
    pub events: Vec<ReportedEvent>,
}

/// What became of a batch.
pub(super) struct Stored {
    /// How many of its events were new.
    pub(super) new: usize,
    /// The computer scanned elsewhere before.
    pub(super) came: bool,
}

/// Stores what is new in a batch; none if the computer is not there any more. A server that has the database is asked twice, whatever
/// the batch has, and a third time if the computer has other events with the ids of some.
pub(super) fn store(
    tx: &WriteTx<'_>,
    report: &Report,
    number: &dyn Fn(UpdateId) -> Option<UpdateNumber>,
    now: Timestamp,
) -> Result<Option<Stored>, StoreError> {
    // deleted or retired meanwhile: its events are not for whoever comes next
    let Some((site, row)) = tx.computer_reported(report.no)? else { return Ok(None) };
    let mut recent = Recent::read(&row.recent_events);
    let log_row = |reported| log_row(instance_id(report.no, reported), report.no, reported, now);
    let about_updates: Vec<EventRow> =
        report.events.iter().filter(|reported| reported.event.update.is_some()).map(log_row).collect();
    let mut inserted = tx.event_insert_all(&about_updates)?.into_iter();
    let mut fresh = Vec::with_capacity(report.events.len());
    let mut others = Vec::new();
    for reported in &report.events {
        let event = &reported.event;
        let id = instance_id(report.no, reported);
        let new = if event.update.is_some() {
            // an image may carry events that wait to be sent: every copy tells of them, and each has them
            inserted.next().unwrap_or_default() || (tx.event_owner(id)? != Some(report.no) && recent.insert(id))
        } else {
            let new = recent.insert(id);
            // the status is all that a client status says: the log does not repeat it
            if new && event.event_id != event_id::CLIENT_STATUS {
                others.push(log_row(reported));
            }
            new
        };
        if new {
            fresh.push(event.clone());
        }
    }
    if fresh.is_empty() {
        return Ok(Some(Stored { new: 0, came: false }));
    }
    tx.event_insert_all(&others)?;
    let mut status = decode(&row.status, report.no);
    let before = (status.last_sync, status.reported, status.last_reboot);
    let scanned = status.anchor;
    let context = Context { now, anchor: report.anchor, number };
    let count = fresh.len();
    let is_twin = |event: &Event| status::is_empty_twin(&status, event, now);
    // in a batch that has a full one of its own, the last of both counts
    let has_full = fresh.iter().any(|event| event.event_id == event_id::CLIENT_STATUS && !is_twin(event));
    fresh.retain(|event| has_full || !is_twin(event));
    status::apply(&mut status, &fresh, &context);
    let after = StatusRow { status: status.encode(), anchor: status.anchor, recent_events: recent.write() };
    tx.computer_status_put(report.no, &after)?;

    let mut times = ContactTimes { last_contact_at: Some(now), ..ContactTimes::default() };
    if status.last_sync != before.0 {
        let result = |sync: status::SyncResult| {
            let succeeded = sync.hresult == 0;
            (sync.at, succeeded, (!succeeded).then_some(sync.hresult))
        };
        times.last_sync = status.last_sync.map(result);
    }
    if status.reported != before.1 {
        times.last_report_at = status.reported;
    }
    if status.last_reboot != before.2 {
        times.last_reboot_at = status.last_reboot;
    }
    tx.computer_touch(report.no, &times)?;
    // a full report that took the place of one which had seen more of the catalogue
    if times.last_report_at.is_some() && status.anchor < scanned {
        identity::stepped_back(tx, report.no, report.address.as_deref(), &report.identity, now)?;
    }
    Ok(Some(Stored { new: count, came: site != THIS_SERVER }))
}

/// `EventInstanceID`; for the zero GUID, which identifies nothing, one that is made of what the event says, so that it still
/// counts once and others with a zero GUID count too.
fn instance_id(no: u32, reported: &ReportedEvent) -> Uuid {
    let event = &reported.event;
    if !event.instance_id.is_nil() {
        return event.instance_id;
    }
    let mut hash = Sha256::new();
    hash.update(no.to_le_bytes());
    hash.update(event.event_id.to_le_bytes());
    hash.update(event.at.as_nanosecond().to_le_bytes());
    hash.update(event.hresult.to_le_bytes());
    if let Some(update) = event.update {
        hash.update(update.update_id.0.as_bytes());
        hash.update(update.revision.0.to_le_bytes());
    }
    for text in event.replacement_strings.iter().chain(&reported.misc_data) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    // version 8: made in a way of one's own (RFC 9562, 5.8)
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn decode(bytes: &[u8], no: u32) -> ComputerStatus {
    if bytes.is_empty() {
        return ComputerStatus::default();
    }
    ComputerStatus::decode(bytes).unwrap_or_else(|error| {
        tracing::warn!(computer = no, %error, "a stored status is dropped");
        ComputerStatus::default()
    })
}

fn log_row(id: Uuid, no: u32, reported: &ReportedEvent, now: Timestamp) -> EventRow {
    let event = &reported.event;
    let mut detail = serde_json::Map::new();
    if !event.app_name.is_empty() {
        detail.insert("app_name".into(), json!(event.app_name));
    }
    if !event.replacement_strings.is_empty() {
        detail.insert("strings".into(), json!(event.replacement_strings));
    }
    if !reported.misc_data.is_empty() {
        detail.insert("misc".into(), json!(reported.misc_data));
    }
    if let Some(device) = &reported.device_id {
        detail.insert("device_id".into(), json!(device));
    }
    let text = (!detail.is_empty()).then(|| serde_json::Value::Object(detail).to_string());
    EventRow {
        instance_id: id,
        computer: no,
        update: event.update,
        event_id: event.event_id,
        source_id: event.source_id,
        at_target: event.at,
        received_at: now,
        hresult: event.hresult,
        detail: text.map(|text| if text.len() > DETAIL { json!({ "cut": text.len() }).to_string() } else { text }),
    }
}

/// Ids of recent events, oldest first.
struct Recent(VecDeque<Uuid>);

impl Recent {
    fn read(bytes: &[u8]) -> Self {
        Self(bytes.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).collect())
    }

    /// False if the event is known.
    fn insert(&mut self, id: Uuid) -> bool {
        if self.0.contains(&id) {
            return false;
        }
        if self.0.len() >= RECENT {
            self.0.pop_front();
        }
        self.0.push_back(id);
        true
    }

    fn write(&self) -> Vec<u8> {
        self.0.iter().flat_map(|id| *id.as_bytes()).collect()
    }
}
