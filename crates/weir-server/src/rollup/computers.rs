//! Telling of computers and of the status of updates on them.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, ComputerId, UpdateId},
    rollup::{
        ComputerChange, ComputerDetails, ComputerEntry, LastNumber, OsFingerprint, RollupConfiguration, StatusEntry,
        SyncOutcome, UpdateStatus, effective_for,
    },
    status::ComputerStatus,
};
use weir_store::{
    ReadTx, StoreError,
    computer::{ComputerRow, Registration, THIS_SERVER},
    rollup::{SentStatus, TODO_DETAILS, TODO_ROW, TODO_STATUS, Telling},
};

use super::{
    Question, Reply,
    send::{BUSY_TRIES, RollupOutcome, SendError, Sending},
    wire::Calls,
};
use crate::admin::tally;

/// States in one request: about 3 MB, below what a WSUS takes.
const STATES: usize = 12_000;
/// Computers whose status is looked at at once.
const LOOK: u32 = 500;

/// Tells of the computers that are owed; a second time of those whose details are wanted.
pub(super) async fn tell<P: Calls>(
    sending: &Sending<'_, P>,
    configuration: &RollupConfiguration,
    outcome: &mut RollupOutcome,
) -> Result<(), SendError> {
    for _ in 0..2 {
        let mut wanted = false;
        let mut after = 0;
        loop {
            let (server, limit) = (sending.state.server.0, configuration.computers_batch);
            let (owed, computers) = sending
                .read(move |tx| {
                    let owed = tx.rollup_sent_rows(after, limit)?;
                    let entries = owed.iter().map(|telling| entry(tx, telling, server));
                    let entries = entries.collect::<Result<Vec<_>, _>>()?;
                    Ok((owed, entries.into_iter().flatten().collect::<Vec<_>>()))
                })
                .await?;
            let Some(last) = owed.last() else { break };
            after = last.no;
            if !computers.is_empty() {
                outcome.computers += computers.len() as u64;
                let question = Question::Computers { client_time: Timestamp::now(), computers };
                let Reply::Computers(changes) = sending.ask(&question).await? else {
                    return Err(SendError::surprise("RollupComputers"));
                };
                wanted |= changes.iter().any(|(_, change)| *change == ComputerChange::NewParent);
                outcome.deleted += settle(sending, owed, changes).await?;
            }
        }
        if !wanted {
            break;
        }
    }
    Ok(())
}

/// Notes what an answer means. Returns how many computers were deleted here because they were deleted above.
///
/// A computer of a server below goes, and that server is told when it reports the computer the next time. A computer
/// that scans here is not deleted by another server: it is told of again, in full, once it is heard of.
async fn settle<P: Calls>(
    sending: &Sending<'_, P>,
    told: Vec<Telling>,
    changes: Vec<(ComputerId, ComputerChange)>,
) -> Result<u64, SendError> {
    sending
        .write(move |tx| {
            for telling in &told {
                tx.rollup_sent_done(telling.no, telling.mark, TODO_ROW | TODO_DETAILS)?;
            }
            let mut deleted = 0;
            for (id, change) in changes {
                match (change, tx.rollup_computer_find(&id)?) {
                    (ComputerChange::NewParent, Some(_)) => tx.rollup_sent_again(&id)?,
                    (ComputerChange::Deleted, Some(known)) if known.site == THIS_SERVER => {
                        tx.rollup_sent_withhold(known.no)?;
                    }
                    (ComputerChange::Deleted, Some(known)) => {
                        tx.rollup_deleted_put(&id, known.last_sync)?;
                        tx.computer_delete(known.no)?;
                        deleted += 1;
                    }
                    (_, None) => {}
                }
            }
            Ok(deleted)
        })
        .await
}

/// What is told of a computer; none if it is gone, or its server is.
fn entry(tx: &ReadTx<'_>, telling: &Telling, own: Uuid) -> Result<Option<ComputerEntry>, StoreError> {
    let parent = if telling.site == THIS_SERVER { Some(own) } else { telling.server };
    let (Some(row), Some(parent)) = (tx.computer_show(telling.no)?, parent) else { return Ok(None) };
    let details = if telling.todo & TODO_DETAILS == 0 {
        None
    } else if telling.site == THIS_SERVER {
        let groups: BTreeSet<_> = tx.computer_collections(row.no)?.into_iter().collect();
        Some(own_details(&row, groups))
    } else {
        telling.details.clone()
    };
    Ok(Some(ComputerEntry {
        id: row.id,
        last_sync: row.last_sync_at,
        outcome: match row.last_sync_succeeded {
            None => SyncOutcome::Unknown,
            Some(true) => SyncOutcome::Succeeded,
            Some(false) => SyncOutcome::Failed,
        },
        last_reboot: row.last_reboot_at,
        last_report: row.last_report_at,
        last_inventory: telling.last_inventory,
        parent,
        details,
    }))
}

fn own_details(row: &ComputerRow, mut groups: BTreeSet<CollectionId>) -> ComputerDetails {
    if groups.is_empty() {
        groups.insert(CollectionId::UNASSIGNED_COMPUTERS);
    }
    let requested = row.requested_groups.as_deref().unwrap_or_default().split(';').map(str::trim);
    let known = row.registration.clone().unwrap_or_default();
    ComputerDetails {
        groups: groups.into_iter().collect(),
        requested_groups: requested.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        ip_address: row.ip_address.clone().unwrap_or_default(),
        name: row.dns_name.clone(),
        os: fingerprint(&known),
        os_family: "Windows".to_owned(),
        client_version: format!(
            "{}.{}.{}.{}",
            known.client_version_major_number,
            known.client_version_minor_number,
            known.client_version_build_number,
            known.client_version_qfe_number
        ),
        os_description: known.os_description.unwrap_or_default(),
        make: known.computer_manufacturer.unwrap_or_default(),
        model: known.computer_model.unwrap_or_default(),
        bios_version: known.bios_version.unwrap_or_default(),
        bios_name: known.bios_name.unwrap_or_default(),
        bios_release_date: known.bios_release_date,
    }
}

fn fingerprint(known: &Registration) -> OsFingerprint {
    OsFingerprint {
        os_major_version: known.os_major_version,
        os_minor_version: known.os_minor_version,
        os_build_number: known.os_build_number,
        os_service_pack_major_number: known.os_service_pack_major_number.into(),
        os_service_pack_minor_number: known.os_service_pack_minor_number.into(),
        os_locale: known.os_locale.clone().unwrap_or_default(),
        suite_mask: known.suite_mask,
        old_product_type: known.old_product_type,
        new_product_type: known.new_product_type,
        system_metrics: known.system_metrics,
        processor_architecture: known.processor_architecture.clone().unwrap_or_default(),
    }
}

/// Tells the status that is owed: whole where the upstream has none or another one than was told, else what changed.
pub(super) async fn tell_status<P: Calls>(
    sending: &Sending<'_, P>,
    configuration: &RollupConfiguration,
    outcome: &mut RollupOutcome,
) -> Result<(), SendError> {
    if sending.read(|tx| tx.rollup_owed()).await?.statuses == 0 {
        return Ok(());
    }
    compare(sending, configuration).await?;
    let names: HashMap<u32, UpdateId> = sending.read(|tx| tx.update_numbers(0)).await?.into_iter().collect();
    let synced = sending.read(|tx| tx.rollup_syncs()).await?;
    let mut after = 0;
    loop {
        let limit = configuration.status_batch.min(LOOK);
        let owed = sending.read(move |tx| tx.rollup_sent_statuses(after, limit)).await?;
        if owed.is_empty() {
            return Ok(());
        }
        let (mut told, mut same) = (Vec::new(), Vec::new());
        let mut states = 0;
        for owed in owed {
            let prepared = Prepared::new(owed, &names, &synced);
            let size = prepared.entry.as_ref().map_or(0, |entry| entry.states.len());
            if !told.is_empty() && states + size > STATES {
                break;
            }
            after = prepared.owed.no;
            states += size;
            if prepared.entry.is_some() { told.push(prepared) } else { same.push(prepared) }
        }
        let computers: Vec<StatusEntry> = told.iter().filter_map(|prepared| prepared.entry.clone()).collect();
        if !computers.is_empty() {
            outcome.statuses += computers.len() as u64;
            patiently(sending, computers).await?;
        }
        sending
            .write(move |tx| {
                for Prepared { owed, effective, entry, .. } in &told {
                    let number = entry.as_ref().map_or(owed.number, |entry| entry.number);
                    tx.rollup_sent_status_done(owed.no, owed.mark, number, &owed.status, *effective)?;
                }
                for Prepared { owed, .. } in &same {
                    tx.rollup_sent_done(owed.no, owed.mark, TODO_STATUS)?;
                }
                Ok(())
            })
            .await?;
    }
}

/// Asks of which computers the upstream has another status than was told.
async fn compare<P: Calls>(sending: &Sending<'_, P>, configuration: &RollupConfiguration) -> Result<(), SendError> {
    let mut after = 0;
    loop {
        let limit = configuration.out_of_sync_batch;
        let page = sending.read(move |tx| tx.rollup_sent_numbers(after, limit)).await?;
        let Some((last, _, _)) = page.last() else { return Ok(()) };
        after = *last;
        let numbers = page.into_iter().map(|(_, computer, number)| LastNumber { computer, number }).collect();
        let question = Question::OutOfSync { parent: sending.state.server.0, numbers };
        let Reply::OutOfSync(ids) = sending.ask(&question).await? else {
            return Err(SendError::surprise("GetOutOfSyncComputers"));
        };
        if !ids.is_empty() {
            sending.write(move |tx| ids.iter().try_for_each(|id| tx.rollup_sent_full(id))).await?;
        }
    }
}

/// Sends status until the upstream takes it.
async fn patiently<P: Calls>(sending: &Sending<'_, P>, computers: Vec<StatusEntry>) -> Result<(), SendError> {
    let parent = sending.state.server.0;
    let mut question = Question::Status { client_time: Timestamp::now(), parent, computers };
    for turn in 1..=BUSY_TRIES {
        match sending.ask(&question).await? {
            Reply::Status(true) => return Ok(()),
            Reply::Status(false) if turn < BUSY_TRIES => sending.peer.pause().await,
            Reply::Status(false) => {}
            _ => return Err(SendError::surprise("RollupComputerStatus")),
        }
        if let Question::Status { client_time, .. } = &mut question {
            *client_time = Timestamp::now();
        }
    }
    Err(SendError::Busy { tries: BUSY_TRIES })
}

/// The status of a computer, ready to be told.
struct Prepared {
    owed: SentStatus,
    effective: Option<Timestamp>,
    /// None if there is nothing to tell.
    entry: Option<StatusEntry>,
}

impl Prepared {
    fn new(owed: SentStatus, names: &HashMap<u32, UpdateId>, synced: &[(Timestamp, ChangeNumber)]) -> Self {
        let now = tally::decode(&owed.status);
        let anchor = (owed.site == THIS_SERVER && now.reported.is_some()).then_some(now.anchor);
        let effective = effective_for(synced, anchor, owed.effective);
        // What cannot be read any more is told in full.
        let told = owed.told.as_deref().and_then(|bytes| ComputerStatus::decode(bytes).ok());
        let states: Vec<UpdateStatus> = now
            .told_since(told.as_ref())
            .into_iter()
            .filter_map(|told| {
                let update = names.get(&told.update.0).copied()?;
                Some(UpdateStatus { update, state: told.state.protocol_number(), changed: told.changed })
            })
            .collect();
        let silent = match told {
            Some(_) => states.is_empty() && effective == owed.told_effective,
            None => now.reported.is_none() && states.is_empty(),
        };
        let entry = (!silent).then(|| StatusEntry {
            instance: Uuid::new_v4(),
            computer: owed.id.clone(),
            effective,
            number: owed.number.saturating_add(1),
            full: told.is_none(),
            states,
        });
        Self { owed, effective, entry }
    }
}
