//! Servers without listeners, and calls between them as envelopes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, ComputerId, UpdateId},
    rollup::{ComputerDetails, ComputerEntry, OsFingerprint, ServerEntry, ServerSummary, SyncOutcome},
    status::{ComputerStatus, State, Told, UpdateNumber},
};
use weir_server::{
    rollup::{self, Calls, Fault, Question, Reply, Reporter, RollupOutcome, SendError},
    state::{AppState, ClientSettings},
    sync::peer::Authorised,
};
use weir_store::{
    Options, ReadTx, Store, StoreError, WriteTx,
    computer::{Contact, ContactTimes, Registration, StatusRow},
    content::ContentStore,
    downstream::{Admission, DownstreamContact},
};
use weir_testkit::engine;
use weir_wire::{
    soap::{Hints, Limits, SoapVersion},
    wsss::{self, Service},
};

use crate::common;

/// A server.
pub(crate) struct Site {
    pub(crate) state: Arc<AppState>,
    pub(crate) name: String,
    folder: TempDir,
}

/// A time in whole milliseconds, so long ago.
pub(crate) fn ago(seconds: i64) -> Timestamp {
    let now = Timestamp::now().as_millisecond();
    Timestamp::from_millisecond(now - seconds * 1_000).expect("a time")
}

pub(crate) fn computer(number: u32) -> ComputerId {
    format!("computer-{number}").parse().expect("an id")
}

impl Site {
    pub(crate) async fn open(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = Options { database: engine::database(folder.path()), ..Options::default() };
        let store = Store::open(folder.path(), &options).expect("a store");
        let content = ContentStore::open(&folder.path().join("content")).expect("a content store");
        let state = AppState::open(store, content, ClientSettings::default()).await.expect("state");
        Self { state, name: name.to_owned(), folder }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.state.server.0
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
        self.state.store.write(&common::actor(), work).expect("writes")
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.state.store.read(work).expect("reads")
    }

    /// Lets a server report here, as if it had been authorized. Returns its number.
    pub(crate) fn admit(&self, server: Uuid, name: &str) -> u32 {
        let contact = DownstreamContact { id: server, name, address: "127.0.0.1", is_weir: true };
        self.write(|tx| {
            let no = match tx.downstream_find(server)? {
                Some(row) => row.no,
                None => tx.downstream_add(&contact, Admission::Allowed)?,
            };
            tx.downstream_authorized(no)?;
            Ok(no)
        })
    }

    /// Makes what was heard of servers below so many hours older.
    pub(crate) fn age(&self, hours: i64) {
        let by = [(hours * 3_600_000_000).into()];
        let database = engine::Direct::of(self.folder.path());
        database.execute("UPDATE downstream_server SET authorized_at = authorized_at - ?1", &by);
        database.execute("UPDATE rollup_server SET received_at = received_at - ?1", &by);
    }

    /// A computer that scans here.
    pub(crate) fn calls(&self, number: u32) -> u32 {
        let contact = Contact {
            id: computer(number),
            dns_name: format!("pc{number}.{}", self.name),
            ip_address: Some(format!("10.0.0.{}", number % 250)),
            plain_http: false,
            requested_groups: None,
        };
        self.write(|tx| Ok(tx.computer_contact(&contact)?.0))
    }

    pub(crate) fn registers(&self, no: u32, build: i32) {
        let registration = Registration {
            dns_name: String::new(),
            os_major_version: 10,
            os_build_number: build,
            os_locale: Some("de-DE".into()),
            processor_architecture: Some("AMD64".into()),
            os_description: Some("Windows 11".into()),
            client_version_major_number: 10,
            client_version_build_number: 26_100,
            ..Registration::default()
        };
        self.write(|tx| tx.computer_register(no, &registration));
    }

    /// The computer synchronized and reported the states of these updates, all since `at`.
    pub(crate) fn reports(&self, no: u32, at: Timestamp, states: &[(UpdateId, State)]) {
        self.write(|tx| {
            let row = tx.computer_status(no)?;
            let mut status = ComputerStatus::decode(&row.status).unwrap_or_default();
            let old = status.clone();
            let mut told = Vec::new();
            for (update, state) in states {
                let update = UpdateNumber(tx.update_intern(*update)?);
                // a state that stays keeps its time
                let kept = old.entry(update).filter(|entry| entry.state == *state).map(|entry| entry.changed);
                told.push(Told { update, state: *state, changed: kept.unwrap_or(at) });
            }
            status.merge(true, told);
            status.reported = Some(at);
            status.as_of = Some(at);
            status.anchor = tx.catalogue_version()?;
            let row = StatusRow { status: status.encode(), anchor: status.anchor, recent_events: Vec::new() };
            tx.computer_status_put(no, &row)?;
            let times =
                ContactTimes { last_sync: Some((at, true, None)), last_report_at: Some(at), ..ContactTimes::default() };
            tx.computer_touch(no, &times)
        });
    }

    /// What is known of all computers, by id; times in whole milliseconds.
    pub(crate) fn view(&self) -> BTreeMap<String, View> {
        let own = self.id();
        self.read(|tx| {
            let servers: BTreeMap<u32, Uuid> =
                tx.rollup_server_numbers()?.into_iter().map(|(no, id, _, _)| (no, id)).collect();
            let updates: BTreeMap<u32, UpdateId> = tx.update_numbers(0)?.into_iter().collect();
            let mut views = BTreeMap::new();
            for member in tx.computer_directory()? {
                let row = tx.computer_show(member.no)?.expect("listed");
                let status = ComputerStatus::decode(&tx.computer_status(member.no)?.status).unwrap_or_default();
                let states =
                    status.entries().iter().map(|entry| (updates[&entry.update.0], (entry.state, entry.changed)));
                let registration = row.registration.clone().unwrap_or_default();
                views.insert(
                    row.id.to_string(),
                    View {
                        server: servers.get(&row.site).copied().unwrap_or(own),
                        name: row.dns_name.clone(),
                        build: registration.os_build_number,
                        last_sync: row.last_sync_at,
                        last_report: row.last_report_at,
                        groups: member.groups.clone(),
                        states: states.collect(),
                    },
                );
            }
            Ok(views)
        })
    }

    /// Rolls up to another server.
    pub(crate) async fn rolls_up(&self, link: &Link) -> Result<RollupOutcome, SendError> {
        rollup::send_to(&self.state, link, &self.name, ago(1)).await
    }
}

/// What a server knows of a computer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct View {
    pub(crate) server: Uuid,
    pub(crate) name: String,
    pub(crate) build: i32,
    pub(crate) last_sync: Option<Timestamp>,
    pub(crate) last_report: Option<Timestamp>,
    pub(crate) groups: Vec<CollectionId>,
    pub(crate) states: BTreeMap<UpdateId, (State, Timestamp)>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It succeeds.
    Answered,
    /// It is carried out, but its answer is lost.
    Lost,
    /// It does not arrive.
    Refused,
    /// It is status, and the server is busy.
    Busy,
}

/// The way to a server above.
pub(crate) struct Link {
    upper: Arc<AppState>,
    caller: Uuid,
    /// Fates of the next calls; later ones are answered.
    pub(crate) fates: Mutex<VecDeque<Fate>>,
    /// What was asked, as it arrived.
    pub(crate) asked: Mutex<Vec<Question>>,
    /// The texts of the requests.
    pub(crate) texts: Mutex<Vec<String>>,
    pub(crate) pauses: Mutex<u32>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) String);

impl Link {
    pub(crate) fn new(upper: &Site, lower: &Site) -> Self {
        upper.admit(lower.id(), &lower.name);
        Self {
            upper: Arc::clone(&upper.state),
            caller: lower.id(),
            fates: Mutex::default(),
            asked: Mutex::default(),
            texts: Mutex::default(),
            pauses: Mutex::default(),
        }
    }

    pub(crate) fn fate(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.fates.lock().expect("lock") = fates.into_iter().collect();
    }

    /// What was asked since the last look.
    pub(crate) fn take(&self) -> Vec<Question> {
        self.texts.lock().expect("lock").clear();
        std::mem::take(&mut *self.asked.lock().expect("lock"))
    }
}

impl Calls for Link {
    type Error = Broken;

    async fn call<C>(&self, call: C) -> Result<C::Answer, Broken>
    where
        C: Authorised,
        C::Answer: Send + 'static,
    {
        let text = wsss::client::write(&call, SoapVersion::V11);
        let parsed = wsss::parse(Service::Reporting, Hints::default(), text.as_bytes(), &limits());
        let parsed = parsed.map_err(|rejection| Broken(format!("{rejection:?}")))?;
        let question = Question::read(&parsed.request).ok_or(Broken("no roll-up".into()))?;
        let question = question.map_err(|refusal| Broken(refusal.to_string()))?;
        self.asked.lock().expect("lock").push(question.clone());
        self.texts.lock().expect("lock").push(text);
        let fate = self.fates.lock().expect("lock").pop_front().unwrap_or(Fate::Answered);
        let busy = fate == Fate::Busy && matches!(question, Question::Status { .. });
        let reply = match fate {
            Fate::Refused => return Err(Broken("the call did not arrive".into())),
            _ if busy => Reply::Status(false),
            _ => rollup::answer(&self.upper, Reporter::One(self.caller), question)
                .await
                .map_err(|fault| Broken(fault.to_string()))?,
        };
        if fate == Fate::Lost {
            return Err(Broken("the answer was lost".into()));
        }
        let mut answer = String::new();
        reply.write(&mut answer, SoapVersion::V11);
        wsss::client::read::<C>(answer.as_bytes(), &limits()).map_err(|error| Broken(format!("{error:?}")))
    }

    async fn pause(&self) {
        *self.pauses.lock().expect("lock") += 1;
    }
}

fn limits() -> Limits {
    wsss::client::answer_limits(64 << 20)
}

/// A call that somebody makes by hand.
pub(crate) async fn ask(upper: &Site, caller: Option<Uuid>, question: Question) -> Result<Reply, Fault> {
    let caller = caller.map_or_else(|| Reporter::OneOf(BTreeSet::new()), Reporter::One);
    rollup::answer(&upper.state, caller, question).await
}

pub(crate) fn server(id: Uuid, parent: Uuid, last_rollup: Timestamp) -> ServerEntry {
    ServerEntry {
        id,
        name: "below.example".into(),
        last_sync: Some(last_rollup),
        parent,
        version: "10.0.26100.1".into(),
        replica: true,
        last_rollup: Some(last_rollup),
        summary: ServerSummary { updates: 7, ..ServerSummary::default() },
        clients: Vec::new(),
    }
}

pub(crate) fn entry(number: u32, parent: Uuid, last_sync: Timestamp) -> ComputerEntry {
    ComputerEntry {
        id: computer(number),
        last_sync: Some(last_sync),
        outcome: SyncOutcome::Succeeded,
        last_reboot: None,
        last_report: Some(last_sync),
        last_inventory: None,
        parent,
        details: None,
    }
}

pub(crate) fn details(name: &str) -> ComputerDetails {
    ComputerDetails {
        name: name.to_owned(),
        os: OsFingerprint { os_major_version: 10, os_build_number: 26_100, ..OsFingerprint::default() },
        ..ComputerDetails::default()
    }
}

pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Makes the change number of a site move.
pub(crate) fn change(site: &Site) -> ChangeNumber {
    site.write(|tx| tx.change_next())
}
