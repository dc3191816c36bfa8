//! Fetching what is pending: batches, several at once, staged as they come.

use std::collections::VecDeque;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::{Mutex, mpsc};
use weir_model::ids::UpdateIdentity;
use weir_store::{
    Actor, Store, StoreError,
    staging::{ListKind, Pending},
};
use weir_wire::wsss::{AnchorText, GetConfigData, GetUpdateData};

use super::{
    SyncError,
    item::Brought,
    outcome::Named,
    tally::{Lost, Tally},
};
use crate::{
    admin::{AdminError, App, Caller},
    front,
    sync::{
        peer::{Peer, PeerError, Room, Rooms},
        progress::Progress,
    },
};

/// Pending rows read at once.
const AHEAD: u32 = 2_000;
/// Revisions, and bytes of them, that are staged in one transaction.
const GROUP: usize = 2_000;
const GROUP_BYTES: usize = 16 << 20;
/// Runs that try to fetch a revision. With retries after an hour that is most of a working day.
const ATTEMPTS: u32 = 5;

/// What fetching needs.
#[derive(Clone, Copy)]
pub(super) struct Fetch<'r> {
    pub(super) app: &'r App,
    pub(super) caller: &'r Caller,
    pub(super) peer: &'r Peer,
    pub(super) progress: &'r Progress,
    pub(super) tally: &'r Tally,
    /// Revisions that one call may name.
    pub(super) batch: usize,
    /// Calls at once.
    pub(super) connections: usize,
    /// Bytes of answers in memory, about.
    pub(super) memory: usize,
}

/// Revisions on their way into the staging.
struct Parcel {
    brought: Brought,
    /// Its memory is given back when it is staged.
    room: Room,
}

impl Fetch<'_> {
    /// Fetches everything of one kind that is pending, until nothing is left that was not tried. What earlier runs could not
    /// have comes last.
    pub(super) async fn all(&self, kind: ListKind) -> Result<(), SyncError> {
        for tried in [false, true] {
            self.queue(kind, tried, 0).await?;
        }
        Ok(())
    }

    /// Fetches what was noted after this place in the queue, as far as no run has tried it.
    pub(super) async fn later(&self, kind: ListKind, after: i64) -> Result<(), SyncError> {
        self.queue(kind, false, after).await
    }

    async fn queue(&self, kind: ListKind, tried: bool, mut after: i64) -> Result<(), SyncError> {
        loop {
            let feed = Mutex::new(Feed { kind, after, tried, ahead: VecDeque::new(), ended: false });
            self.pass(kind, &feed).await?;
            let reached = feed.into_inner().after;
            if reached == after {
                return Ok(());
            }
            after = reached;
        }
    }

    /// Fetches exactly these, which are not pending: what of them cannot be had is waited for by no list.
    pub(super) async fn these(&self, revisions: Vec<UpdateIdentity>) -> Result<(), SyncError> {
        let kind = ListKind::Members;
        let feed = Feed { kind, after: 0, tried: false, ahead: revisions.into(), ended: true };
        self.pass(kind, &Mutex::new(feed)).await
    }

    async fn pass(&self, kind: ListKind, feed: &Mutex<Feed>) -> Result<(), SyncError> {
        let (parcels, waiting) = mpsc::channel(self.connections);
        let actor = Actor::principal(&self.caller.name, self.caller.from.as_deref(), jiff::Timestamp::now());
        let (store, progress) = (self.app.state.store.clone(), self.progress.clone());
        let writer =
            tokio::task::spawn_blocking(front::carry_blocking(move || stage_all(&store, &actor, waiting, &progress)));
        let rooms = Rooms::new(self.memory, self.connections);
        let mut workers: FuturesUnordered<_> =
            (0..self.connections).map(|_| self.work(kind, feed, &rooms, parcels.clone())).collect();
        drop(parcels);
        let mut outcome = Ok(());
        while let Some(ended) = workers.next().await {
            if ended.is_err() {
                outcome = ended;
                break;
            }
        }
        // what was fetched before the error is staged all the same
        drop(workers);
        let staged = writer.await.map_err(|error| AdminError::Internal(format!("staging ended: {error}")))?;
        // the writer's error is the cause when workers find it gone
        staged.map_err(AdminError::Store)?;
        outcome
    }

    async fn work(
        &self,
        kind: ListKind,
        feed: &Mutex<Feed>,
        rooms: &Rooms,
        parcels: mpsc::Sender<Parcel>,
    ) -> Result<(), SyncError> {
        loop {
            self.progress.check()?;
            let batch = feed.lock().await.next(self.app, self.batch).await?;
            if batch.is_empty() {
                return Ok(());
            }
            self.batch(kind, batch, rooms, &parcels).await?;
        }
    }

    /// One batch: what an answer lacks is asked for again, and a batch that faults is halved until the culprit is alone.
    async fn batch(
        &self,
        kind: ListKind,
        batch: Vec<UpdateIdentity>,
        rooms: &Rooms,
        parcels: &mpsc::Sender<Parcel>,
    ) -> Result<(), SyncError> {
        // no list named them: that the server does not have them is no fault of it, however many they are
        let unlisted = kind == ListKind::Members;
        let mut open = vec![batch];
        while let Some(asked) = open.pop() {
            self.progress.check()?;
            let mut room = rooms.room();
            let request = GetUpdateData { cookie: None, update_ids: Some(asked.clone()) };
            let (reason, absent) = match self.peer.call_in(request, &mut room).await {
                Ok(answer) => {
                    let brought = self.read(&asked, answer.result).await?;
                    let (answered, missing) = (brought.answered(), brought.missing(&asked));
                    let usable = !brought.revisions.is_empty();
                    self.hand_over(Parcel { brought, room }, parcels).await?;
                    if answered > 0 {
                        self.tally.succeeded(usable);
                        if !missing.is_empty() {
                            open.push(missing);
                        }
                        continue;
                    }
                    if !unlisted {
                        self.control(SyncError::NothingSent).await?;
                    }
                    ("the upstream server lists it and does not send it".to_owned(), unlisted)
                }
                // how a Windows server answers a batch with a revision that it does not have (dossier, section 7)
                Err(error) if unlisted && error.is_refusal() => (crate::admin::chain(&error), true),
                Err(error) if error.may_be_an_item() => {
                    let reason = crate::admin::chain(&error);
                    self.control(error.into()).await?;
                    (reason, false)
                }
                Err(error) => return Err(error.into()),
            };
            match asked.as_slice() {
                [] => {}
                [only] if absent => {
                    self.progress.advance(1);
                    self.tally.absent(*only);
                }
                [only] => {
                    self.progress.advance(1);
                    self.tally.lost(*only, reason)?;
                }
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    open.push(second.to_vec());
                    open.push(first.to_vec());
                }
            }
        }
        Ok(())
    }

    async fn read(
        &self,
        asked: &[UpdateIdentity],
        answer: weir_wire::wsss::ServerUpdateData,
    ) -> Result<Brought, SyncError> {
        let asked = asked.to_vec();
        let brought = tokio::task::spawn_blocking(move || Brought::read(&asked, answer)).await;
        Ok(brought.map_err(|error| AdminError::Internal(format!("reading documents ended: {error}")))?)
    }

    async fn hand_over(&self, parcel: Parcel, parcels: &mpsc::Sender<Parcel>) -> Result<(), SyncError> {
        for (identity, reason) in &parcel.brought.refused {
            self.tally.lost(*identity, reason.clone())?;
        }
        for identity in &parcel.brought.unasked {
            self.tally.unasked(*identity);
        }
        let gone = |_| AdminError::Internal("staging ended early".to_owned());
        Ok(parcels.send(parcel).await.map_err(gone)?)
    }

    /// A call brought nothing, for this reason. After many of them in a row a call that asks for no revision shows who is to
    /// blame: a server that is not there ends the run and nothing is held against the revisions.
    async fn control(&self, error: SyncError) -> Result<(), SyncError> {
        if !self.tally.missed() {
            return Ok(());
        }
        let request = GetConfigData { cookie: None, config_anchor: AnchorText::default() };
        match self.peer.call(request).await {
            Ok(_) if self.tally.answered() => Ok(()),
            Err(PeerError::Cancelled(cancelled)) => Err(cancelled.into()),
            _ => Err(error),
        }
    }

    /// Revisions that cannot be had are asked for again by later runs, [`ATTEMPTS`] in all, then they are waited for no
    /// longer; in one transaction, so that a run that fails here counts none of them. `ended` is how fetching ended.
    ///
    /// A run that brought nothing else is a failure until the last of them is given up. Then it is not certain that they
    /// were to blame: the next run compares whole lists, and what the upstream server still has comes back.
    pub(super) async fn settle(&self, ended: Result<(), SyncError>) -> Result<(), SyncError> {
        self.settle_absent().await?;
        let Lost { items, alone, all } = self.tally.settle();
        let count = match &ended {
            Ok(()) | Err(SyncError::TooManyDropped { .. }) => true,
            Err(_) => all,
        };
        if !count || (items.is_empty() && !all) {
            return ended;
        }
        let why = ended.as_ref().err().map(|error| crate::admin::chain(error)).unwrap_or_default();
        let write = move |tx: &weir_store::WriteTx<'_>| {
            let mut given_up = Vec::new();
            let mut left = Vec::new();
            if all {
                for revision in tx.pending_failed_all(&why, ATTEMPTS)? {
                    given_up.push(Named { revision, reason: why.clone() });
                }
            } else {
                for named in items {
                    let over = tx.pending_failed(named.revision, &named.reason, ATTEMPTS)?;
                    if over { given_up.push(named) } else { left.push(named) }
                }
            }
            if (alone || all) && !given_up.is_empty() {
                tx.sync_anchors_forget()?;
            }
            let waiting = if all { tx.pending_count_all()? } else { left.len() as u64 };
            Ok((given_up, left, waiting))
        };
        let (given_up, left, waiting) = self.app.write(self.caller, write).await?;
        let last = left.last().map(|named| named.reason.clone());
        let until = format!(
            "given up after {ATTEMPTS} runs; it comes back when the upstream server lists it again, or with weir sync now --full"
        );
        for Named { revision, reason } in given_up {
            self.tally.given_up(revision, format!("{reason}; {until}"));
        }
        match ended {
            Err(error @ SyncError::TooManyDropped { .. }) => return Err(error),
            Err(error) if waiting > 0 => return Err(error),
            // all were given up
            Err(_) => return Ok(()),
            Ok(()) => {}
        }
        if let Some(last) = last.filter(|_| alone) {
            return Err(SyncError::NothingUsable { count: left.len(), last });
        }
        for Named { revision, reason } in left {
            self.tally.dropped(revision, format!("{reason}; the next run asks again"))?;
        }
        Ok(())
    }

    /// Members of bundles that the server does not have: the bundles stay unresolved, as they are there. Asked for again by
    /// later runs, a few times; a list names them when they arrive at the server.
    async fn settle_absent(&self) -> Result<(), SyncError> {
        let absent = self.tally.take_absent();
        if absent.is_empty() {
            return Ok(());
        }
        let reason = "a bundle names it as a member, and the upstream server does not have it";
        let noted = absent.clone();
        let write = move |tx: &weir_store::WriteTx<'_>| {
            noted.into_iter().try_for_each(|member| Ok(tx.pending_failed(member, reason, ATTEMPTS).map(drop)?))
        };
        self.app.write(self.caller, write).await?;
        for member in absent {
            self.tally.left_out(member, reason);
        }
        Ok(())
    }
}

/// Reads pending rows ahead and deals them out.
struct Feed {
    kind: ListKind,
    /// The last row read.
    after: i64,
    /// Of those that an earlier run could not fetch.
    tried: bool,
    ahead: VecDeque<UpdateIdentity>,
    ended: bool,
}

impl Feed {
    async fn next(&mut self, app: &App, most: usize) -> Result<Vec<UpdateIdentity>, AdminError> {
        if self.ahead.is_empty() && !self.ended {
            let (kind, after, tried) = (self.kind, self.after, self.tried);
            let rows: Vec<Pending> = app.read(move |tx| tx.pending_list(kind, after, tried, AHEAD)).await?;
            self.ended = rows.len() < AHEAD as usize;
            self.after = rows.last().map_or(after, |row| row.no);
            self.ahead.extend(rows.into_iter().map(|row| row.identity));
        }
        let take = most.min(self.ahead.len());
        Ok(self.ahead.drain(..take).collect())
    }
}

/// Stages what comes, in groups: everything that waits goes into one transaction. Blocks until the senders are gone.
fn stage_all(
    store: &Store,
    actor: &Actor,
    mut parcels: mpsc::Receiver<Parcel>,
    progress: &Progress,
) -> Result<(), StoreError> {
    while let Some(first) = parcels.blocking_recv() {
        let mut group = vec![first];
        let (mut count, mut bytes) = size(&group);
        while count < GROUP && bytes < GROUP_BYTES {
            let Ok(next) = parcels.try_recv() else { break };
            group.push(next);
            (count, bytes) = size(&group);
        }
        let members = store.write(actor, |tx| {
            front::keep(tx)?;
            let mut members = 0;
            for Parcel { brought, .. } in &group {
                for (revision, secured) in &brought.revisions {
                    members += tx.staged_add(revision, *secured)?.unwrap_or_default();
                }
                for (digest, url) in &brought.sources {
                    tx.staged_source_add(*digest, url)?;
                }
            }
            Ok(members)
        })?;
        let answered: usize = group.iter().map(|parcel| parcel.brought.answered()).sum();
        drop(group.into_iter().map(|parcel| parcel.room).collect::<Vec<_>>());
        progress.advance(answered as u64);
        if progress.position().phase == crate::sync::progress::Phase::Closure {
            progress.expect(members);
        }
    }
    Ok(())
}

fn size(group: &[Parcel]) -> (usize, usize) {
    let revisions = || group.iter().flat_map(|parcel| &parcel.brought.revisions);
    (revisions().count(), revisions().map(|(revision, _)| revision.len()).sum())
}
