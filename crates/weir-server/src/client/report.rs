//! The reporting service (MS-WUSP 2.2.2.3, 6.3): events become durable before they are acknowledged.

use jiff::Timestamp;
use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    status::{Event, MiscData},
};
use weir_wire::wusp::{
    BasicData, GetRequiredInventoryType, GetRequiredInventoryTypeAnswer, ReportEventBatch, ReportEventBatchAnswer,
    ReportInventory, ReportInventoryAnswer, ReportingEvent,
};

use super::{
    call::{Call, Caller, Refusal, Reply},
    cookie::Cookie,
};
use crate::ingest::{Report, ReportedEvent};

impl Call<'_> {
    pub(super) async fn report_event_batch(&self, request: ReportEventBatch) -> Result<Reply, Refusal> {
        let caller = self.caller(request.sealed()).await?;
        self.note_other_names(&caller.cookie, &request.event_batch);
        let events: Vec<_> = request.event_batch.into_iter().filter_map(|event| reported(event, self.now)).collect();
        if !events.is_empty() {
            let Caller { cookie, computer, .. } = caller;
            let anchor = cookie.anchors.software.map(|anchor| anchor.change);
            let (address, identity) = (Some(self.address()), self.identity());
            let report = Report { no: computer.no, computer: cookie.computer, anchor, address, identity, events };
            let new = self.state.ingest.report(report, self.body.len()).await?;
            metrics::counter!("weir_client_events_total").increment(new as u64);
        }
        Ok(self.text(&ReportEventBatchAnswer { result: true }))
    }

    /// Events count for the computer of the cookie, whatever name they carry.
    fn note_other_names(&self, cookie: &Cookie, events: &[ReportingEvent]) {
        let name = |event: &ReportingEvent| {
            let sid = event.basic_data.as_ref()?.target_id.as_ref()?.sid.as_deref()?.trim();
            (!sid.is_empty() && !sid.eq_ignore_ascii_case(cookie.computer.as_str()))
                .then(|| sid.chars().take(64).collect())
        };
        let other: Option<String> = events.iter().find_map(name);
        if let Some(sid) = other {
            tracing::warn!(computer = %cookie.computer, sid, peer = %self.connection.peer, "events carry the id of another computer than their cookie's; they count for the cookie's");
        }
    }

    pub(super) async fn get_required_inventory_type(
        &self,
        request: &GetRequiredInventoryType,
    ) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        Ok(self.text(&GetRequiredInventoryTypeAnswer { result: 0 }))
    }

    pub(super) async fn report_inventory(&self, request: &ReportInventory) -> Result<Reply, Refusal> {
        // no inventory is ever asked for: what comes all the same is accepted and not kept
        self.caller(request.sealed()).await?;
        Ok(self.text(&ReportInventoryAnswer { result: true }))
    }
}

/// An event for status and log; None without basic data, which says nothing.
fn reported(wire: ReportingEvent, now: Timestamp) -> Option<ReportedEvent> {
    let basic = wire.basic_data?;
    let extended = wire.extended_data;
    let (strings, misc, device_id) = extended
        .map(|extended| (extended.replacement_strings, extended.misc_data, extended.device_id))
        .unwrap_or_default();
    let event = Event {
        instance_id: basic.event_instance_id,
        event_id: i32::from(basic.event_id),
        source_id: i32::from(basic.source_id),
        update: update(&basic),
        hresult: basic.win32_hresult,
        at: basic.time_at_target.unwrap_or(now),
        app_name: basic.app_name.unwrap_or_default(),
        replacement_strings: strings,
        misc: MiscData::parse(&misc),
    };
    Some(ReportedEvent { event, misc_data: misc, device_id: device_id.filter(|id| !id.is_empty()) })
}

/// The update an event is about; the zero GUID is none.
fn update(basic: &BasicData) -> Option<UpdateIdentity> {
    let named = basic.update_id.as_ref().filter(|named| !named.update_id.is_nil())?;
    let revision = u32::try_from(named.revision_number).unwrap_or(0);
    Some(UpdateIdentity::new(UpdateId(named.update_id), revision))
}
