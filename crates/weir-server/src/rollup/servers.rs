//! Telling of servers: this one and those below it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::rollup::{
    Activity, ClientSummary, OsFingerprint, RollupConfiguration, ServerEntry, ServerSummary, installation,
    server_batches,
};
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, rollup::EventCount};

use super::{
    Question,
    figures::Figures,
    send::{SendError, Sending},
    wire::Calls,
};
use crate::sites;

/// Version that this server gives: one to four numbers.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    version.split(['-', '+']).next().unwrap_or(version).to_owned()
}

/// The installations that a count of events tells of.
pub(super) fn installations(count: EventCount) -> Option<(OsFingerprint, Activity)> {
    let succeeded = installation(count.event_id)?;
    let (succeeded, failed) = if succeeded { (count.count, 0) } else { (0, count.count) };
    Some((count.os, Activity { update: count.update, succeeded, failed }))
}

/// What is told, and which rows hold the increments of each kind of computers.
struct Told {
    servers: Vec<ServerEntry>,
    rows: HashMap<(Uuid, OsFingerprint), u32>,
    frozen_at: Option<Timestamp>,
}

/// Tells of this server and of all below it. Increments are cleared with each answer. Returns how many servers.
pub(super) async fn tell<P: Calls>(
    sending: &Sending<'_, P>,
    configuration: &RollupConfiguration,
    name: &str,
    started: Timestamp,
) -> Result<u64, SendError> {
    let own = ServerEntry {
        id: sending.state.server.0,
        name: name.to_owned(),
        last_sync: Some(started),
        parent: Uuid::nil(),
        version: version(),
        replica: false,
        last_rollup: None,
        summary: ServerSummary::default(),
        clients: Vec::new(),
    };
    let told = sending.read(move |tx| Told::read(tx, own)).await?;
    let count = told.servers.len() as u64;
    let rows = told.rows;
    for servers in server_batches(told.servers, configuration.servers_batch) {
        let told: Vec<u32> = servers
            .iter()
            .flat_map(|server| server.clients.iter().map(|client| (server.id, client)))
            .filter(|(_, client)| !client.activity.is_empty())
            .filter_map(|(server, client)| rows.get(&(server, client.os.clone())).copied())
            .collect();
        sending.ask(&Question::Servers { client_time: Timestamp::now(), servers }).await?;
        if !told.is_empty() {
            sending.write(move |tx| tx.rollup_activity_sent(&told)).await?;
        }
    }
    let at = told.frozen_at.unwrap_or_else(Timestamp::now);
    sending.write(move |tx| tx.rollup_told(at)).await?;
    Ok(count)
}

impl Told {
    fn read(tx: &ReadTx<'_>, own: ServerEntry) -> Result<Self, StoreError> {
        let state = tx.rollup_state()?;
        let mut activity: HashMap<u32, Vec<Activity>> = HashMap::new();
        for row in tx.rollup_activity_sending()? {
            activity.entry(row.client).or_default().push(row.activity);
        }
        let mut rows = HashMap::new();
        let mut clients = |no: u32, id: Uuid| -> Result<Vec<ClientSummary>, StoreError> {
            let kinds = tx.rollup_clients(no)?.into_iter().map(|kind| {
                rows.insert((id, kind.os.clone()), kind.no);
                let activity = activity.remove(&kind.no).unwrap_or_default();
                ClientSummary { os: kind.os, count: kind.computers, activity }
            });
            // A kind that no computer has any more is told only if something is left to tell.
            Ok(kinds.filter(|kind| kind.count > 0 || !kind.activity.is_empty()).collect())
        };
        // Figures were kept by whoever prepared this, whatever happened since.
        let figures: Figures =
            tx.rollup_figures_kept()?.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default();
        let own_id = own.id;
        let mut servers = vec![ServerEntry {
            replica: sites::is_replica(tx)?,
            last_rollup: state.sending_at,
            summary: figures.summary,
            clients: clients(THIS_SERVER, own_id)?,
            ..own
        }];
        let below = tx.rollup_servers()?;
        let ids: BTreeMap<u32, Uuid> = below.iter().map(|row| (row.no, row.id)).collect();
        let mut waiting: Vec<_> = below.into_iter().filter(|row| row.id != own_id).collect();
        let mut placed = vec![THIS_SERVER];
        let mut next = 0;
        // Parents before children (3.2.4.5, step 2.2). What hangs on nothing hangs here.
        while let Some(parent) = placed.get(next).copied() {
            let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|row| {
                row.parent_no == parent || (parent == THIS_SERVER && !ids.contains_key(&row.parent_no))
            });
            waiting = later;
            for row in now {
                placed.push(row.no);
                servers.push(ServerEntry {
                    id: row.id,
                    name: row.name,
                    last_sync: row.last_sync,
                    parent: ids.get(&row.parent_no).copied().unwrap_or(own_id),
                    version: row.version.unwrap_or_default(),
                    replica: row.replica.unwrap_or_default(),
                    last_rollup: row.sending.or(row.last_rollup),
                    summary: row.summary,
                    clients: clients(row.no, row.id)?,
                });
            }
            next += 1;
        }
        Ok(Self { servers, rows, frozen_at: state.sending_at })
    }
}
