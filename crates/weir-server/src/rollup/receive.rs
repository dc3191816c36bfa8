//! What downstream servers report (MS-WSUSSS 3.1.4.13 to 3.1.4.17).

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use uuid::Uuid;
use weir_model::{
    fnv::Fnv,
    ids::ChangeNumber,
    rollup::{
        Activity, ClientSummary, Clock, ComputerChange, ComputerEntry, LastNumber, ParentError, Place,
        RollupConfiguration, ServerEntry, StatusEntry, place,
    },
    status::{ComputerStatus, State, SyncResult, Told},
};
use weir_store::{
    Actor, ReadTx, StoreError, WriteTx,
    computer::{StatusRow, THIS_SERVER},
    rollup::{KnownComputer, ServerReport},
};

use super::{
    DETAILED, Fault, Question, Reply,
    numbers::Numbers,
    tree::{Reporter, Servers, left_out},
    wire::{COMPUTERS_BATCH, OUT_OF_SYNC_BATCH, SERVERS_BATCH, STATUS_BATCH},
};
use crate::{admin::chain, state::AppState};

/// Requests with status that are worked on at once; more are told to come again.
const STATUS_AT_ONCE: usize = 2;
/// Computers deleted here are remembered for so long.
const DELETED_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Servers and computers that are kept, whatever downstream servers tell.
const MOST_SERVERS: usize = 20_000;
const MOST_COMPUTERS: u64 = 2_000_000;
/// Why servers that nobody at that address speaks for are refused.
const STRANGER: &str = "none of the servers at that address is among these servers or above them";
/// HRESULT of a failed synchronization of which nothing more is told (E_FAIL).
const FAILED: i32 = 0x8000_4005_u32.cast_signed();

/// What the receiving side keeps in memory. One per process.
#[derive(Debug)]
pub struct Receiving {
    status: Semaphore,
    /// Milliseconds added to the times of callers that are not known by their id.
    shift: Mutex<i64>,
}

impl Default for Receiving {
    fn default() -> Self {
        Self { status: Semaphore::new(STATUS_AT_ONCE), shift: Mutex::default() }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Internal(chain(&error))
    }
}

/// Takes a roll-up call of a downstream server that was admitted, as far as it speaks of itself and of what is below it.
/// What is acknowledged is durable; a call that faults changed nothing.
///
/// What else it says is left out, counted and logged rather than refused: the protocol's fault ends the sender's whole
/// roll-up (MS-WSUSSS 3.2.4.5), and a server whose former child moved goes on to list it, with its computers, for as long
/// as it remembers it.
pub async fn answer(state: &Arc<AppState>, caller: Reporter, question: Question) -> Result<Reply, Fault> {
    let permit = match &question {
        Question::Status { .. } if state.ingest.is_crowded() => return Ok(Reply::Status(false)),
        Question::Status { .. } => match state.rollups.status.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => return Ok(Reply::Status(false)),
        },
        _ => None,
    };
    let shared = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || {
        let work = Work { state: &shared, caller, now: Timestamp::now() };
        match question {
            Question::Configuration => work.configuration(),
            Question::Servers { client_time, servers } => work.servers(client_time, &servers),
            Question::Computers { client_time, computers } => work.computers(client_time, &computers),
            Question::OutOfSync { parent, numbers } => work.out_of_sync(parent, &numbers),
            Question::Status { client_time, parent, computers } => work.status(client_time, parent, &computers),
        }
    });
    let done = done.await.map_err(|error| Fault::Internal(format!("a roll-up ended: {error}")))?;
    drop(permit);
    done
}

/// One call.
struct Work<'s> {
    state: &'s AppState,
    caller: Reporter,
    now: Timestamp,
}

impl Work<'_> {
    fn actor(&self) -> Actor {
        let from = match &self.caller {
            Reporter::One(id) => Some(id.to_string()),
            Reporter::OneOf(_) => None,
        };
        Actor { from, ..Actor::system("roll-up", self.now) }
    }

    fn ours(&self) -> Uuid {
        self.state.server.0
    }

    fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.state.store.try_read(work)
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.state.store.try_write(&self.actor(), work)
    }

    fn configuration(&self) -> Result<Reply, Fault> {
        let (ours, epoch) = (self.ours(), self.state.epoch());
        let (kept, detailed) = self.read(|tx| Ok((tx.rollup_state()?.reset, detailed(tx)?)))?;
        // A server that was restored lacks what was reported after the backup.
        let reset = if let Some((reset, _)) = kept.filter(|(_, of)| *of == epoch) {
            reset
        } else {
            let fresh = Uuid::new_v4();
            self.write(|tx| Ok(tx.rollup_reset_put(fresh, epoch)?))?;
            fresh
        };
        Ok(Reply::Configuration(RollupConfiguration {
            detailed,
            reset,
            server: ours,
            servers_batch: SERVERS_BATCH,
            computers_batch: COMPUTERS_BATCH,
            out_of_sync_batch: OUT_OF_SYNC_BATCH,
            status_batch: STATUS_BATCH,
        }))
    }

    /// How the caller's times are read.
    fn clock(&self, servers: &Servers, client_time: Timestamp, caller: Option<Uuid>) -> Clock {
        let known = caller.and_then(|caller| servers.shift(caller));
        let before = known.map_or_else(|| *self.state.rollups.shift.lock(), |(_, shift)| shift);
        Clock::new(self.now, client_time, SignedDuration::from_millis(before))
    }

    fn keep_shift(&self, tx: &WriteTx<'_>, clock: &Clock, server: Option<(u32, i64)>) -> Result<(), StoreError> {
        let milliseconds = i64::try_from(clock.shift.as_millis()).unwrap_or_default();
        if let Some((no, _)) = server {
            return tx.rollup_server_shift(no, milliseconds);
        }
        *self.state.rollups.shift.lock() = milliseconds;
        Ok(())
    }

    fn servers(&self, client_time: Timestamp, entries: &[ServerEntry]) -> Result<Reply, Fault> {
        let ours = self.ours();
        self.write(|tx| {
            let mut known = Servers::read(tx)?;
            let Some(caller) = known.teller(&self.caller, entries, ours) else {
                return Err(Fault::Internal(STRANGER.to_owned()));
            };
            let refuse = |error: ParentError| Fault::Internal(error.to_string());
            let taken = known.taken(tx, ours, caller, entries, self.now)?.map_err(refuse)?;
            let clock = self.clock(&known, client_time, Some(caller));
            // children may come before their parents
            for entry in &taken {
                known.add(tx, entry)?;
            }
            if known.len() > MOST_SERVERS {
                return Err(Fault::Internal(format!("more than {MOST_SERVERS} servers would be kept")));
            }
            for entry in taken {
                let Some(no) = known.number(entry.id) else { continue };
                let parent_no = match place(entry.parent, ours) {
                    Place::Here => THIS_SERVER,
                    Place::Below(parent) => known.number(parent).unwrap_or(THIS_SERVER),
                };
                tx.rollup_server_put(&ServerReport {
                    no,
                    parent_no,
                    name: &entry.name,
                    version: &entry.version,
                    replica: entry.replica,
                    last_sync: clock.moment(entry.last_sync),
                    last_rollup: entry.last_rollup,
                    summary: &entry.summary,
                })?;
                known.told(entry.id);
                for client in &entry.clients {
                    take_client(tx, no, client, entry.last_rollup)?;
                }
            }
            self.keep_shift(tx, &clock, known.shift(caller))?;
            Ok(Reply::Servers)
        })
    }

    fn computers(&self, client_time: Timestamp, entries: &[ComputerEntry]) -> Result<Reply, Fault> {
        let (answers, moved) = self.write(|tx| {
            if !detailed(tx)? {
                return Err(not_detailed());
            }
            let servers = Servers::read(tx)?;
            let caller = servers.clock_of(&self.caller, entries.first().map(|entry| entry.parent));
            let clock = self.clock(&servers, client_time, caller);
            let mut left = 0;
            let mut answers = BTreeMap::new();
            let mut moved = Vec::new();
            for entry in entries {
                let parent = match place(entry.parent, self.ours()) {
                    Place::Below(parent) => servers.number(parent),
                    Place::Here => None,
                };
                let Some(server) = parent else {
                    let why =
                        format!("computer {} scans against server {}, which is not known here", entry.id, entry.parent);
                    return Err(Fault::Internal(why));
                };
                if !servers.is_of(&self.caller, entry.parent) {
                    left += 1;
                    continue;
                }
                let entry = ComputerEntry {
                    last_sync: clock.moment(entry.last_sync),
                    last_reboot: clock.moment(entry.last_reboot),
                    last_report: clock.moment(entry.last_report),
                    last_inventory: clock.moment(entry.last_inventory),
                    ..entry.clone()
                };
                let (change, was_here) = take_computer(tx, server, &entry)?;
                // one answer for each: if it came twice, what holds after the last
                match change {
                    Some(change) => answers.insert(entry.id.clone(), change),
                    None => answers.remove(&entry.id),
                };
                moved.extend(was_here.then(|| entry.id.clone()));
            }
            if tx.computer_count()? > MOST_COMPUTERS {
                return Err(Fault::Internal(format!("more than {MOST_COMPUTERS} computers would be kept")));
            }
            tx.rollup_deleted_prune(self.now - DELETED_KEPT)?;
            self.keep_shift(tx, &clock, caller.and_then(|caller| servers.shift(caller)))?;
            self.note_left("computers", left);
            Ok((answers, moved))
        })?;
        // It calls there now. If it calls here after all, it is admitted again.
        if !moved.is_empty() {
            tracing::info!(caller = ?self.caller, count = moved.len(), "computers of this server scan below it now");
            let directory = &self.state.live.directory;
            let _lock = directory.lock();
            for id in &moved {
                directory.remove(id);
            }
        }
        Ok(Reply::Computers(answers.into_iter().collect()))
    }

    fn out_of_sync(&self, parent: Uuid, numbers: &[LastNumber]) -> Result<Reply, Fault> {
        self.read(|tx| {
            if !detailed(tx)? {
                return Err(not_detailed());
            }
            let servers = Servers::read(tx)?;
            // of others, known or not, nothing is told
            let below = if servers.is_of(&self.caller, parent) { servers.below(parent) } else { BTreeSet::new() };
            let mut out = BTreeSet::new();
            for last in numbers {
                let known = tx.rollup_computer_find(&last.computer)?;
                if known.is_some_and(|known| below.contains(&known.site) && known.number != last.number) {
                    out.insert(last.computer.clone());
                }
            }
            Ok(Reply::OutOfSync(out.into_iter().collect()))
        })
    }

    fn status(&self, client_time: Timestamp, parent: Uuid, entries: &[StatusEntry]) -> Result<Reply, Fault> {
        let published = self.state.live.current();
        self.write(|tx| {
            if !detailed(tx)? {
                return Err(not_detailed());
            }
            let servers = Servers::read(tx)?;
            if !servers.is_of(&self.caller, parent) {
                let why = format!("server {parent} does not report from there, so it tells no status of computers");
                return Err(Fault::Internal(why));
            }
            let caller = servers.clock_of(&self.caller, Some(parent));
            let clock = self.clock(&servers, client_time, caller);
            let below = servers.below(parent);
            let mut left = 0;
            let mut numbers = Numbers::new(tx, &published);
            let mut anchors: BTreeMap<Option<Timestamp>, ChangeNumber> = BTreeMap::new();
            for entry in entries {
                // A computer that went elsewhere meanwhile is told of by its new server.
                let known = tx.rollup_computer_find(&entry.computer)?;
                let Some(known) = known.filter(|known| below.contains(&known.site)) else {
                    left += 1;
                    continue;
                };
                let effective = clock.moment(entry.effective);
                let anchor = match anchors.entry(effective) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(place) => {
                        *place.insert(effective.map_or(Ok(ChangeNumber(0)), |at| tx.rollup_change_at(at))?)
                    }
                };
                take_status(tx, &known, entry, &Reading { clock, effective, anchor }, &mut numbers)?;
            }
            self.keep_shift(tx, &clock, caller.and_then(|caller| servers.shift(caller)))?;
            self.note_left("status", left);
            Ok(Reply::Status(true))
        })
    }

    /// Counts and logs what a call says of computers that are not those of its sender.
    fn note_left(&self, what: &'static str, count: u64) {
        if count > 0 {
            left_out(what, "elsewhere", count);
            tracing::warn!(caller = ?self.caller, what, count, "a downstream server tells of computers that are not its own");
        }
    }
}

fn detailed(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    Ok(tx.setting_show(DETAILED)?.and_then(|row| row.value.as_bool()).unwrap_or(true))
}

fn not_detailed() -> Fault {
    Fault::Internal(format!("computers are not taken here: setting {DETAILED} is off"))
}

/// Counts of one kind of computers. Increments that came before under the same `LastRollupTime`, word for word, are a
/// repetition after a lost answer and not added again: a server never has the same kind twice in one roll-up.
fn take_client(
    tx: &WriteTx<'_>,
    server: u32,
    client: &ClientSummary,
    last_rollup: Option<Timestamp>,
) -> Result<(), StoreError> {
    let before = tx.rollup_client_find(server, &client.os)?.filter(|before| before.counted_at == last_rollup);
    let known = before.and_then(|before| before.repeated);
    let digest = (!client.activity.is_empty()).then(|| digest(&client.activity)).or_else(|| known.clone());
    let repeated = known.is_some() && known == digest;
    let no = tx.rollup_client_put(server, &client.os, client.count, last_rollup, digest.as_deref())?;
    if !repeated {
        for activity in &client.activity {
            tx.rollup_activity_add(no, activity)?;
        }
    }
    Ok(())
}

fn digest(activity: &[Activity]) -> Vec<u8> {
    let mut hash = Fnv::default();
    for activity in activity {
        hash.bytes(activity.update.update_id.0.as_bytes());
        hash.bytes(&activity.update.revision.0.to_le_bytes());
        hash.bytes(&activity.succeeded.to_le_bytes());
        hash.bytes(&activity.failed.to_le_bytes());
    }
    hash.0.to_le_bytes().to_vec()
}

/// One computer; what to answer about it, and whether it was one of this server until now.
fn take_computer(
    tx: &WriteTx<'_>,
    server: u32,
    entry: &ComputerEntry,
) -> Result<(Option<ComputerChange>, bool), StoreError> {
    let Some(known) = tx.rollup_computer_find(&entry.id)? else {
        if let Some(forgotten) = tx.rollup_deleted_find(&entry.id)? {
            if entry.last_sync <= forgotten.last_sync {
                return Ok((Some(ComputerChange::Deleted), false));
            }
            // It has synchronized since: it lives.
            tx.rollup_deleted_forget(&entry.id)?;
        }
        let no = tx.rollup_computer_add(&entry.id, server)?;
        tx.rollup_computer_put(no, server, entry, false)?;
        return Ok((describe(tx, no, entry)?, false));
    };
    let mut latest = known.last_sync;
    if known.site == THIS_SERVER {
        // Every call here counts for a computer of this server, not only its detections.
        latest = latest.max(Some(known.last_contact));
    }
    if latest > entry.last_sync {
        return Ok((None, false));
    }
    let moved = known.site != server;
    tx.rollup_computer_put(known.no, server, entry, moved)?;
    let wanted = describe(tx, known.no, entry)?;
    // Details that were asked for and never came are asked for again.
    Ok((wanted.filter(|_| moved || !known.described), known.site == THIS_SERVER))
}

fn describe(tx: &WriteTx<'_>, no: u32, entry: &ComputerEntry) -> Result<Option<ComputerChange>, StoreError> {
    match &entry.details {
        Some(details) => tx.rollup_computer_describe(no, &entry.id, details).map(|()| None),
        None => Ok(Some(ComputerChange::NewParent)),
    }
}

/// How the status of a computer is read.
struct Reading {
    clock: Clock,
    effective: Option<Timestamp>,
    anchor: ChangeNumber,
}

fn take_status(
    tx: &WriteTx<'_>,
    known: &KnownComputer,
    entry: &StatusEntry,
    reading: &Reading,
    numbers: &mut Numbers<'_, '_>,
) -> Result<(), StoreError> {
    if !entry.full && entry.number < known.number {
        // A repetition of one that others followed.
        return Ok(());
    }
    let row = tx.computer_status(known.no)?;
    let mut status = ComputerStatus::decode(&row.status).unwrap_or_default();
    let mut told = Vec::with_capacity(entry.states.len());
    for state in &entry.states {
        if let Some(update) = numbers.of(state.update)? {
            let changed = reading.clock.time(state.changed);
            told.push(Told { update, state: State::from_protocol_number(state.state), changed });
        }
    }
    status.merge(entry.full, told);
    let shown = tx.computer_show(known.no)?;
    let shown = shown.as_ref();
    let some = (!status.entries().is_empty()).then_some(reading.clock.now);
    status.reported = shown.and_then(|row| row.last_report_at).or(reading.effective).or(some);
    status.as_of = status.reported;
    status.anchor = reading.anchor;
    status.last_sync = shown.and_then(|row| {
        let hresult = if row.last_sync_succeeded? { 0 } else { FAILED };
        Some(SyncResult { at: row.last_sync_at?, hresult })
    });
    status.last_reboot = shown.and_then(|row| row.last_reboot_at);
    // What lies between this and the last one that came is missing: the next question for numbers shows it.
    let whole = entry.full || entry.number <= known.number.saturating_add(1);
    let number = if whole { entry.number } else { 0 };
    let stored = StatusRow { status: status.encode(), anchor: status.anchor, recent_events: Vec::new() };
    tx.rollup_status_put(known.no, number, reading.effective, &stored)
}
