//! The writer: takes what waits, commits it together, and answers.

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use weir_model::{exposure::Build, identity::Rule, ids::ComputerId};
use weir_store::{
    Actor, Store, StoreError, WriteTx,
    collection::MemberSource,
    computer::{Contact, ContactTimes, DirectoryRow, Registration, THIS_SERVER},
};

use super::{Admission, IngestError, Item, Report, identity, report};
use crate::{
    client::limit::HourLimit,
    live::{Live, membership::Compiled},
    telemetry::meters,
};

/// Entries committed together at most.
const GROUP: usize = 512;

/// Something to make durable.
pub(super) enum Work {
    Admit(Admission),
    Built { no: u32, id: ComputerId, build: Build },
    Flush,
    Register { no: u32, id: ComputerId, registration: Box<Registration>, identity: Rule },
    Report(Box<Report>),
    Touch { no: u32, contact: Contact },
}

/// What became of it.
pub(super) enum Outcome {
    Done,
    Reported(usize),
}

/// What the directory must learn once the transaction is durable.
enum Learn {
    Nothing,
    Computer {
        row: DirectoryRow,
        applied: Option<u64>,
    },
    /// Forgotten meanwhile: the next call admits it again.
    Gone {
        no: u32,
        id: ComputerId,
    },
    Refused(IngestError),
}

pub(super) struct Writer {
    store: Store,
    live: Live,
    new_computers: HourLimit,
}

impl Writer {
    pub(super) fn new(store: Store, live: Live, new_computers: HourLimit) -> Self {
        Self { store, live, new_computers }
    }

    /// Runs until every entrance is closed and the queue is empty.
    pub(super) fn run(self, mut waiting: mpsc::Receiver<Item>) {
        let mut group = Vec::with_capacity(GROUP);
        while let Some(first) = waiting.blocking_recv() {
            group.push(first);
            while group.len() < GROUP {
                match waiting.try_recv() {
                    Ok(item) => group.push(item),
                    Err(_) => break,
                }
            }
            self.commit(std::mem::take(&mut group));
        }
    }

    fn commit(&self, group: Vec<Item>) {
        let (meters, begun) = (meters(), Instant::now());
        meters.group_entries.record(group.len() as f64);
        let works: Vec<&Work> = group.iter().map(|item| &item.work).collect();
        let results = match self.transaction(&works) {
            // the connection was lost, and is made again for the next transaction; all of this may be done twice
            Err(IngestError::Store(error)) if error.is_passing() && !matches!(*error, StoreError::Busy { .. }) => {
                self.transaction(&works)
            }
            done => done,
        };
        let results = results.unwrap_or_else(|error| self.halved(&works, &error));
        meters.ingest_commit.record(begun.elapsed().as_secs_f64());
        for (item, result) in group.into_iter().zip(results) {
            let waited = begun.saturating_duration_since(item.queued);
            meters.ingest_wait.record(waited.as_secs_f64());
            // what passes is said once for all of them
            if let Err(error @ IngestError::Store(cause)) = &result
                && !cause.is_passing()
            {
                tracing::error!(error = %Chain(error), "what a computer said could not be stored");
            }
            if let Some(reply) = item.reply {
                // a caller that went away does not want its answer
                let _ = reply.send((waited, result));
            }
        }
    }

    /// What becomes of those whose transaction failed. If one of them is to blame, it is found by halves, and the others are stored. A
    /// database that is out of reach or has no time is nobody's fault: none is tried again, and computers come again by themselves.
    fn halved(&self, works: &[&Work], error: &IngestError) -> Vec<Result<Outcome, IngestError>> {
        let passing = matches!(error, IngestError::Store(cause) if cause.is_passing());
        if passing {
            tracing::error!(error = %Chain(error), entries = works.len(), "what computers said could not be stored");
        }
        if passing || works.len() <= 1 {
            return works.iter().map(|_| Err(error.clone())).collect();
        }
        let (first, second) = works.split_at(works.len() / 2);
        let each = |half| self.transaction(half).unwrap_or_else(|error| self.halved(half, &error));
        [first, second].into_iter().flat_map(each).collect()
    }

    fn transaction(&self, works: &[&Work]) -> Result<Vec<Result<Outcome, IngestError>>, IngestError> {
        let now = Timestamp::now();
        let actor = Actor::system("client plane", now);
        let attempt = || {
            // held until the directory knows what the transaction did
            let _lock = self.live.directory.lock();
            let done = self.store.write(&actor, |tx| {
                let compiled = self.live.membership.compiled(tx)?;
                let before = tx.computer_directory_version()?;
                let done = works.iter().map(|work| self.apply(tx, &compiled, work, now));
                Ok((done.collect::<Result<Vec<_>, _>>()?, before, tx.computer_directory_version()?))
            });
            done.map(|(done, before, after): (Vec<(Outcome, Learn)>, _, _)| {
                let learned: Vec<_> =
                    done.into_iter().map(|(outcome, learn)| self.learn(learn, now).map(|()| outcome)).collect();
                self.live.directory.advance(before, after);
                learned
            })
        };
        let Ok(result) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt)) else {
            tracing::error!("storing what computers said failed unexpectedly");
            return Err(IngestError::Stopped);
        };
        result.map_err(|error| IngestError::Store(Arc::new(error)))
    }

    fn apply(
        &self,
        tx: &WriteTx<'_>,
        compiled: &Compiled,
        work: &Work,
        now: Timestamp,
    ) -> Result<(Outcome, Learn), StoreError> {
        match work {
            Work::Admit(admission) => Ok((Outcome::Done, self.admit(tx, compiled, admission, now)?)),
            Work::Built { no, id, build } => {
                // numbers are never given again, but the computer may be gone, and another be the one of that id
                if tx.computer_find(id)?.is_some_and(|row| row.no == *no) {
                    tx.computer_exact_build_put(*no, *build)?;
                }
                Ok((Outcome::Done, Learn::Nothing))
            }
            Work::Flush => Ok((Outcome::Done, Learn::Nothing)),
            Work::Register { no, id, registration, identity } => {
                let Some(known) = tx.computer_show(*no)? else {
                    return Ok((Outcome::Done, Learn::Gone { no: *no, id: id.clone() }));
                };
                identity::sheet(tx, &known, registration, identity, now)?;
                tx.computer_register(*no, registration)?;
                self.decide(tx, compiled, *no, now)?;
                let row = directory_row(tx, *no, id.clone(), true)?;
                Ok((Outcome::Done, Learn::Computer { row, applied: None }))
            }
            Work::Report(report) => {
                let published = self.live.current();
                let number = |update| published.status_number(update);
                let Some(stored) = report::store(tx, report, &number, now)? else {
                    return Ok((Outcome::Done, Learn::Gone { no: report.no, id: report.computer.clone() }));
                };
                // what it reported, and when it called, scanned and reported
                let looked_at = compiled.depends.status || compiled.depends.contact;
                let learn = self.follow(tx, compiled, report.no, stored.came, looked_at && stored.new > 0, now)?;
                Ok((Outcome::Reported(stored.new), learn))
            }
            Work::Touch { no, contact } => {
                // a computer that was deleted meanwhile does not come back by a late note of its call
                let Some(known) = tx.computer_show(*no)?.filter(|row| row.id == contact.id) else {
                    return Ok((Outcome::Done, Learn::Gone { no: *no, id: contact.id.clone() }));
                };
                let came = known.site != THIS_SERVER;
                tx.computer_contact(contact)?;
                let times = ContactTimes { last_contact_at: Some(now), ..ContactTimes::default() };
                tx.computer_touch(*no, &times)?;
                let described =
                    (&known.dns_name, &known.requested_groups) != (&contact.dns_name, &contact.requested_groups);
                let looked_at = compiled.depends.contact || (compiled.depends.inventory && described);
                Ok((Outcome::Done, self.follow(tx, compiled, *no, came, looked_at, now)?))
            }
        }
    }

    /// Finds the collections of a computer anew, if any are defined by rules. True if they are others than before.
    fn decide(&self, tx: &WriteTx<'_>, compiled: &Compiled, no: u32, now: Timestamp) -> Result<bool, StoreError> {
        if compiled.plan().is_empty() { Ok(false) } else { self.live.membership.decide(tx, compiled, no, now) }
    }

    /// The same for a computer that is known, where rules look at what it told or it `came` from elsewhere.
    fn follow(
        &self,
        tx: &WriteTx<'_>,
        compiled: &Compiled,
        no: u32,
        came: bool,
        looked_at: bool,
        now: Timestamp,
    ) -> Result<Learn, StoreError> {
        let moved = if looked_at || came { self.decide(tx, compiled, no, now)? } else { false };
        if !moved && !came {
            return Ok(Learn::Nothing);
        }
        let Some(row) = tx.computer_show(no)? else { return Ok(Learn::Nothing) };
        let registered = row.registration.is_some();
        Ok(Learn::Computer { row: directory_row(tx, no, row.id, registered)?, applied: None })
    }

    fn admit(
        &self,
        tx: &WriteTx<'_>,
        compiled: &Compiled,
        admission: &Admission,
        now: Timestamp,
    ) -> Result<Learn, StoreError> {
        let id = &admission.contact.id;
        let known = tx.computer_find(id)?;
        // one that was retired is not new
        let retired = if known.is_none() { tx.computer_retired_find(id)? } else { None };
        if known.is_none() && retired.is_none() && !self.new_computers.take(admission.new_per_hour, Instant::now()) {
            tracing::warn!(limit = admission.new_per_hour, "a new computer was refused: too many within an hour");
            return Ok(Learn::Refused(IngestError::TooManyNew));
        }
        if let Some(last) = tx.computer_last_call(id)? {
            identity::name(tx, &last, &admission.contact, &admission.identity, now)?;
        }
        let (no, _) = tx.computer_contact(&admission.contact)?;
        if let Some(retired) = &retired {
            let collections = tx.computer_restore(no, retired)?;
            let had = json!({ "retired_at": retired.retired_at, "collections": retired.collections.len() });
            tx.audit("computer.restore", id.as_str(), Some(&had), Some(&json!({ "collections": collections })))?;
            tracing::info!(computer = no, "a retired computer called again and is what it was");
        }
        tx.computer_set_groups(no, MemberSource::Requested, &admission.groups)?;
        self.decide(tx, compiled, no, now)?;
        let registered = known.is_some_and(|row| row.registration.is_some());
        let row = directory_row(tx, no, admission.contact.id.clone(), registered)?;
        Ok(Learn::Computer { row, applied: Some(admission.applied) })
    }

    fn learn(&self, learn: Learn, now: Timestamp) -> Result<(), IngestError> {
        match learn {
            Learn::Nothing => Ok(()),
            Learn::Gone { no, id } => {
                let directory = &self.live.directory;
                if directory.find(&id).is_some_and(|known| known.no == no) {
                    directory.remove(&id);
                }
                Err(IngestError::Gone)
            }
            Learn::Refused(error) => Err(error),
            Learn::Computer { row, applied } => {
                let directory = &self.live.directory;
                let applied = applied.or_else(|| directory.find(&row.id).map(|known| known.applied)).unwrap_or(0);
                directory.put_row(&row, applied, now.as_second());
                Ok(())
            }
        }
    }
}

/// What the directory is told of a computer. Its zone goes with it: no reload brings it when the version moves on.
fn directory_row(tx: &WriteTx<'_>, no: u32, id: ComputerId, registered: bool) -> Result<DirectoryRow, StoreError> {
    let (time_zone, groups) = (tx.computer_time_zone(no)?, tx.computer_collections(no)?);
    Ok(DirectoryRow { no, id, registered, site: THIS_SERVER, time_zone, groups })
}

/// An error with its causes, for the log.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}
