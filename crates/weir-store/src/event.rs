//! Reported events.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{RevisionNumber, UpdateIdentity};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Value, args, row},
    page::{Page, cursor_number, page_rows},
    sql::statements,
};

/// An event as a computer reported it (MS-WUSP 2.2.3.2.15), or as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventRow {
    /// `EventInstanceID`.
    pub instance_id: Uuid,
    /// Row number of the computer.
    pub computer: u32,
    /// `UpdateID`; none for the zero GUID.
    pub update: Option<UpdateIdentity>,
    /// `EventID`.
    pub event_id: i32,
    /// `SourceID`.
    pub source_id: i32,
    /// `TimeAtTarget`.
    pub at_target: Timestamp,
    /// When it arrived.
    pub received_at: Timestamp,
    /// `Win32HResult`.
    pub hresult: i32,
    /// Everything else worth keeping, as JSON (strings, tags).
    pub detail: Option<String>,
}

statements! {
    EVENT_LIST: "listing events" =
        "SELECT event_no, instance_id, update_id, revision, event_id, source_id, at_target, received_at, hresult, detail
         FROM event WHERE computer_no = ?1 AND event_no < ?2 ORDER BY event_no DESC LIMIT ?3";
    EVENT_LATEST: "listing the latest events of a computer" =
        "SELECT instance_id, event_id, source_id, at_target, received_at, hresult, detail FROM computer_event
         WHERE computer_no = ?1 ORDER BY event_id";
    EVENT_OWNER: "looking whose an event is" = "SELECT computer_no FROM event WHERE instance_id = ?1";
    EVENT_COUNT: "counting events" = "SELECT count(*) FROM event";
    EVENT_INSERT: "storing an event" =
        "INSERT INTO event (instance_id, computer_no, update_id, revision, event_id, source_id, at_target, received_at,
             hresult, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (instance_id) DO NOTHING";
    EVENT_LATEST_PUT: "storing the latest event" =
        "INSERT INTO computer_event (computer_no, event_id, instance_id, source_id, at_target, received_at, hresult, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (computer_no, event_id) DO UPDATE SET instance_id = excluded.instance_id,
             source_id = excluded.source_id, at_target = excluded.at_target, received_at = excluded.received_at,
             hresult = excluded.hresult, detail = excluded.detail
         WHERE excluded.at_target >= computer_event.at_target AND excluded.instance_id <> computer_event.instance_id";
    EVENT_PRUNE: "deleting old events" =
        "DELETE FROM event WHERE event_no IN
             (SELECT event_no FROM event WHERE received_at < ?1 ORDER BY received_at, event_no LIMIT ?2)";
}

impl ReadTx<'_> {
    /// Events of a computer that name an update, newest arrival first.
    pub fn event_list(&self, computer: u32, cursor: Option<&str>, limit: u32) -> Result<Page<EventRow>, StoreError> {
        let before = cursor_number(cursor, i64::MAX)?;
        let items = self.all(&EVENT_LIST, args![computer, before, page_rows(limit)], |row| {
            let event = EventRow {
                instance_id: row.uuid(1)?,
                computer,
                update: Some(UpdateIdentity { update_id: row.update_id(2)?, revision: RevisionNumber(row.int(3)?) }),
                event_id: row.int(4)?,
                source_id: row.int(5)?,
                at_target: row.time(6)?,
                received_at: row.time(7)?,
                hresult: row.int(8)?,
                detail: row.opt_text(9)?,
            };
            Ok((row.int::<i64>(0)?, event))
        })?;
        let page = Page::cut(items, limit, |(no, _)| no.to_string());
        Ok(Page { items: page.items.into_iter().map(|(_, event)| event).collect(), next: page.next })
    }

    /// Row number of the computer under which an event with an update is stored.
    pub fn event_owner(&self, instance: Uuid) -> Result<Option<u32>, StoreError> {
        self.first(&EVENT_OWNER, args![instance], |row| row.int(0))
    }

    /// The latest event of every event id without an update, by event id.
    pub fn event_latest(&self, computer: u32) -> Result<Vec<EventRow>, StoreError> {
        self.all(&EVENT_LATEST, args![computer], |row| {
            Ok(EventRow {
                instance_id: row.uuid(0)?,
                computer,
                update: None,
                event_id: row.int(1)?,
                source_id: row.int(2)?,
                at_target: row.time(3)?,
                received_at: row.time(4)?,
                hresult: row.int(5)?,
                detail: row.opt_text(6)?,
            })
        })
    }

    /// How many events with an update are kept.
    pub fn event_count(&self) -> Result<u64, StoreError> {
        self.one(&EVENT_COUNT, args![], |row| row.int(0))
    }
}

fn about_update(event: &EventRow, update: UpdateIdentity) -> [Value<'_>; 10] {
    row![
        event.instance_id,
        event.computer,
        update.update_id,
        update.revision,
        event.event_id,
        event.source_id,
        event.at_target,
        event.received_at,
        event.hresult,
        event.detail.as_deref(),
    ]
}

fn about_computer(event: &EventRow) -> [Value<'_>; 8] {
    row![
        event.computer,
        event.event_id,
        event.instance_id,
        event.source_id,
        event.at_target,
        event.received_at,
        event.hresult,
        event.detail.as_deref(),
    ]
}

impl WriteTx<'_> {
    /// Stores an event: with an update once per instance id; without one the latest by `at_target` per computer and
    /// event id. True if it was new.
    pub fn event_insert(&self, event: &EventRow) -> Result<bool, StoreError> {
        let changed = match event.update {
            Some(update) => self.run(&EVENT_INSERT, &about_update(event, update))?,
            None => self.run(&EVENT_LATEST_PUT, &about_computer(event))?,
        };
        Ok(changed > 0)
    }

    /// Stores events as [`WriteTx::event_insert`] does, in their order, and says of each whether it was new. Of those without an
    /// update that is not asked: they count as known.
    pub fn event_insert_all(&self, events: &[EventRow]) -> Result<Vec<bool>, StoreError> {
        let about: Vec<_> = events.iter().filter_map(|event| Some(about_update(event, event.update?))).collect();
        let mut changed = if about.is_empty() { Vec::new() } else { self.run_each(&EVENT_INSERT, &about)? }.into_iter();
        let mut new = Vec::with_capacity(events.len());
        for event in events {
            if event.update.is_some() {
                new.push(changed.next().is_some_and(|rows| rows > 0));
            } else {
                self.send(&EVENT_LATEST_PUT, &about_computer(event))?;
                new.push(false);
            }
        }
        Ok(new)
    }

    /// Deletes at most `limit` events with an update that arrived before `before`, oldest first. Returns how many.
    pub fn event_prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.run(&EVENT_PRUNE, args![before, limit])? as u64)
    }
}
