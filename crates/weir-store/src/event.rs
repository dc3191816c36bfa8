//! Reported events.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::UpdateIdentity;

use crate::{Page, ReadTx, StoreError, WriteTx};

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

impl ReadTx<'_> {
    /// Events of a computer, newest arrival first.
    pub fn event_list(&self, computer: u32, cursor: Option<&str>, limit: u32) -> Result<Page<EventRow>, StoreError> {
        let _ = (computer, cursor, limit);
        unimplemented!()
    }

    /// How many events with an update are kept.
    pub fn event_count(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Stores an event: with an update once per instance id; without one the latest per computer and event id. True if
    /// it was new.
    pub fn event_insert(&self, event: &EventRow) -> Result<bool, StoreError> {
        let _ = event;
        unimplemented!()
    }

    /// Deletes at most `limit` events with an update that arrived before `before`, oldest first. Returns how many.
    pub fn event_prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let _ = (before, limit);
        unimplemented!()
    }
}
