//! A computer that reports one installation after the other, whatever happens to its server, and what must be stored of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use uuid::Uuid;
use weir_model::ids::{ComputerId, UpdateId, UpdateIdentity};
use weir_store::Store;
use weir_testkit::{ScriptedAgent, WeirProcess};
use weir_wire::wusp::ReportingEvent;

use super::{Shelf, agent, computer, json};

/// Events of a batch: an installation as agents tell it.
const BATCH: [i16; 4] = [167, 162, 181, 183];

/// What one computer told.
pub(super) struct Reporter {
    pub(super) agent: ScriptedAgent,
    /// Updates that it has not told about; the last comes first.
    left: Vec<UpdateId>,
    /// Its next batch, sent again until it is answered, as agents do.
    under_way: Option<(UpdateId, Vec<ReportingEvent>)>,
    /// Answered with true.
    answered: BTreeMap<UpdateId, Vec<Uuid>>,
    /// Sent, perhaps not answered.
    sent: BTreeMap<UpdateId, Vec<Uuid>>,
}

impl Reporter {
    /// A computer that the server knows: it has scanned and said so.
    pub(super) async fn known(server: &WeirProcess, number: u64, shelf: &Shelf, updates: &[UpdateId]) -> Self {
        let mut agent = agent(server, computer(number, shelf));
        agent.scan().await.expect("a scan");
        agent.report_scan().await.expect("a report");
        let left = updates.to_vec();
        Self { agent, left, under_way: None, answered: BTreeMap::new(), sent: BTreeMap::new() }
    }

    /// Reports what is under way, else the next installation. False if nothing is left; what fails is under way still.
    pub(super) async fn report(&mut self) -> Result<bool> {
        let (update, events) = if let Some(batch) = self.under_way.take() {
            batch
        } else {
            let Some(update) = self.left.pop() else { return Ok(false) };
            let identity = UpdateIdentity::new(update, 1);
            let event = |id| self.agent.event(id, Some(identity), 0, vec!["An update".into()], Vec::new());
            (update, BATCH.map(event).to_vec())
        };
        let ids: Vec<Uuid> =
            events.iter().filter_map(|event| event.basic_data.as_ref().map(|data| data.event_instance_id)).collect();
        self.sent.insert(update, ids.clone());
        if let Err(error) = self.agent.report(events.clone()).await {
            self.under_way = Some((update, events));
            return Err(error);
        }
        self.answered.insert(update, ids);
        Ok(true)
    }

    /// Reports installations until the server does not answer any more, or none is left; `answered` is called after each.
    pub(super) async fn report_until_cut(&mut self, answered: impl Fn()) {
        while matches!(self.report().await, Ok(true)) {
            answered();
        }
    }

    /// Sends again what was not answered; the server must take it.
    pub(super) async fn settle(&mut self) {
        if self.under_way.is_some() {
            self.report().await.expect("a report that is sent again");
        }
    }

    /// How many reports were answered.
    pub(super) fn answered(&self) -> usize {
        self.answered.len()
    }

    /// Updates about which a report was answered.
    pub(super) fn told(&self) -> BTreeSet<UpdateId> {
        self.answered.keys().copied().collect()
    }

    /// The status tells of every answered report, and of nothing that was not sent.
    pub(super) fn check_status(&self, server: &WeirProcess, when: &str) {
        self.check_status_since(server, &self.told(), when);
    }

    /// The same where only what was answered up to a moment must be there.
    pub(super) fn check_status_since(&self, server: &WeirProcess, told: &BTreeSet<UpdateId>, when: &str) {
        let shown = json(server, &["computers", "show", &self.agent.computer.client_id]);
        let installed: BTreeSet<UpdateId> = shown["installed"]
            .as_array()
            .expect("updates")
            .iter()
            .map(|one| one["id"].as_str().expect("an id").parse().expect("a GUID"))
            .collect();
        let name = &self.agent.computer.dns_name;
        for update in told {
            assert!(installed.contains(update), "{name}: {update} was answered and is not installed, {when}");
        }
        for update in &installed {
            assert!(self.sent.contains_key(update), "{name}: {update} was never told, {when}");
        }
        assert_eq!(shown["counts"]["installed"], installed.len(), "{shown}");
    }

    /// Each event of an answered report is stored once, and no other; of a report there are all events or none.
    pub(super) fn check_events(&self, store: &Store) {
        let stored = self.stored(store);
        let answered: BTreeSet<Uuid> = self.answered.values().flatten().copied().collect();
        assert_eq!(stored, answered, "each event once, none lost");
    }

    /// The stored events; those of a report are all there or none.
    pub(super) fn stored(&self, store: &Store) -> BTreeSet<Uuid> {
        let id: ComputerId = self.agent.computer.client_id.parse().expect("an id");
        let rows = store.read(|tx| {
            let no = tx.computer_find(&id)?.expect("the computer").no;
            let (mut rows, mut next) = (Vec::new(), None);
            loop {
                let page = tx.event_list(no, next.as_deref(), 500)?;
                rows.extend(page.items);
                next = page.next;
                if next.is_none() {
                    return Ok(rows);
                }
            }
        });
        let rows: Vec<Uuid> = rows.expect("events").into_iter().map(|row| row.instance_id).collect();
        let ids: BTreeSet<Uuid> = rows.iter().copied().collect();
        assert_eq!(rows.len(), ids.len(), "an event twice");
        for (update, batch) in &self.sent {
            let there = batch.iter().filter(|id| ids.contains(id)).count();
            assert!(there == 0 || there == BATCH.len(), "{there} of {} events about {update}", BATCH.len());
        }
        ids
    }
}
