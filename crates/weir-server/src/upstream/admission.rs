//! Whether the server plane is on, and who may use it.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;
use weir_model::{ids::ChangeNumber, listing::Listing};
use weir_store::{
    Actor, ReadTx, StoreError, WriteTx,
    alert::AlertSeverity,
    downstream::{Admission, DownstreamContact, DownstreamRow},
};

use super::{POLICY, callers::Callers};
use crate::{
    admin::setting::Current,
    client::limit::{AddressLimit, HourLimit},
    rollup::Reporter,
    sites,
    state::{AppState, Connection},
};

/// Alert: a server waits to be allowed.
pub(crate) const WAITING: &str = "downstream.waiting";
/// Alert: a server changed its name, or calls from two addresses in turn: two may have one identity.
pub(crate) const IDENTITY: &str = "downstream.identity";

/// Calls without a cookie that one address may make at once; a quarter of that comes back each second.
const BURST: u32 = 120;
/// Servers never seen before that are noted within an hour.
const NEW_PER_HOUR: u32 = 500;
/// Undecided servers that are kept while they are refused.
const WAIT_MOST: u32 = 200;
/// The same of one address.
const WAIT_MOST_HERE: usize = 10;
/// Undecided servers that are kept while all are served.
const OPEN_MOST: u32 = 10_000;
/// How often the contact of a server that is refused is noted.
const CONTACT: SignedDuration = SignedDuration::from_mins(1);
/// How long an authorization lets roll-ups in from its address.
const AUTHORIZED: SignedDuration = weir_model::rollup::SETTLED;
/// Answers that are put together at once: each holds some megabytes.
const ANSWERS: usize = 16;

/// What the server plane keeps in memory. One per process.
#[derive(Debug)]
pub struct Upstream {
    on: AtomicBool,
    /// Told when a downstream server asked for files.
    pub(crate) requested: Notify,
    /// Calls without a cookie.
    pub(super) addresses: AddressLimit,
    /// Servers never seen before.
    new: HourLimit,
    /// From where servers were authorized.
    callers: Callers,
    /// Answers that are being put together.
    pub(super) answers: Semaphore,
    /// The revisions, as they were at a change.
    pub(super) listing: tokio::sync::Mutex<Option<(ChangeNumber, std::sync::Arc<Listing>)>>,
    /// The last moment in an anchor of a configuration.
    fresh: Mutex<Timestamp>,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            on: AtomicBool::new(false),
            requested: Notify::new(),
            addresses: AddressLimit::default(),
            new: HourLimit::default(),
            callers: Callers::default(),
            answers: Semaphore::new(ANSWERS),
            listing: tokio::sync::Mutex::default(),
            fresh: Mutex::new(Timestamp::UNIX_EPOCH),
        }
    }
}

impl Upstream {
    /// Whether the server plane is served.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Serves the server plane from now on, or no longer: at the start by the process settings, later when the first site
    /// is enrolled.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// A call without a cookie; false when the address made too many.
    pub(super) fn take(&self, connection: Connection) -> bool {
        self.addresses.take(connection.limit_key(), BURST, std::time::Instant::now())
    }

    /// A moment of whole milliseconds not before `now` that was not given before.
    pub(super) fn fresh(&self, now: Timestamp) -> Timestamp {
        let mut last = self.fresh.lock();
        let step = SignedDuration::from_millis(1);
        *last = ceil(now).max(last.checked_add(step).unwrap_or(*last));
        *last
    }
}

/// The moment, in whole milliseconds not before it: what was stored until now is not after it.
pub(super) fn ceil(now: Timestamp) -> Timestamp {
    let millis = now.as_microsecond().div_euclid(1_000) + i64::from(now.as_microsecond().rem_euclid(1_000) > 0);
    Timestamp::from_millisecond(millis).unwrap_or(now)
}

/// `downstream.policy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Policy {
    /// Unknown servers are listed, and refused until somebody allows them.
    Ask,
    /// Unknown servers are refused.
    List,
    /// Unknown servers are served.
    Open,
}

impl Policy {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        Ok(match Current::read(tx)?.text(POLICY).as_str() {
            "open" => Self::Open,
            "list" => Self::List,
            _ => Self::Ask,
        })
    }
}

/// Whether a known server is served: as somebody decided, else as the policy says. One that enrolled as a site always is.
pub(crate) fn is_served(admission: Admission, policy: Policy, enrolled: bool) -> bool {
    enrolled || admission == Admission::Allowed || (admission == Admission::Waiting && policy == Policy::Open)
}

/// What becomes of a server that asks for authorization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    /// It is served, under this number.
    Served(u32),
    /// It is not, and should be told this.
    Denied(&'static str),
    /// There are too many of its kind.
    Busy,
}

const UNKNOWN: &str = "accountGuid: this server is not known here; its administrator's upstream server has to allow it: \
                       weir downstream allow";
const UNDECIDED: &str = "accountGuid: this server waits to be allowed by the upstream server's administrator: \
                         weir downstream allow";
const REFUSED: &str = "accountGuid: this server was refused by the upstream server's administrator";
const UNPROVEN: &str = "accountGuid: this server is enrolled as a site, and calls over its site link";

/// Whether a server is one that enrolled as a site. It has to prove that by its certificate: anybody can learn a GUID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Enrolment {
    /// It is none, as far as is known.
    None,
    /// It is, and has the key.
    Proven,
    /// A site enrolled with this GUID, and the caller does not have its key.
    Unproven,
}

impl Enrolment {
    fn read(tx: &ReadTx<'_>, server: Uuid, connection: Connection) -> Result<Self, StoreError> {
        Ok(match sites::enrolled(tx, server)? {
            None => Self::None,
            Some(row) if connection.certificate == Some(row.fingerprint) => Self::Proven,
            Some(_) => Self::Unproven,
        })
    }
}

/// Decides about a server that asks for authorization, and notes it.
pub(super) async fn authorize(
    state: &AppState,
    connection: Connection,
    contact: DownstreamContact<'_>,
    software: Option<String>,
    now: Timestamp,
) -> Result<Decision, StoreError> {
    let (id, name, address, is_weir) =
        (contact.id, contact.name.to_owned(), contact.address.to_owned(), contact.is_weir);
    let at = address.clone();
    let known = state
        .read(move |tx| {
            let (row, policy) = (tx.downstream_find(id)?, Policy::read(tx)?);
            let room = row.is_some() || room(tx, policy, &at)?;
            Ok((row, policy, room, Enrolment::read(tx, id, connection)?))
        })
        .await?;
    let (row, policy, room, enrolment) = known;
    if enrolment == Enrolment::Unproven {
        tracing::info!(peer = %connection.peer, server = %id, "a server that is no enrolled site gave the GUID of one");
        return Ok(Decision::Denied(UNPROVEN));
    }
    let enrolled = enrolment == Enrolment::Proven;
    // what is refused again and again costs no write
    let quiet = |row: &DownstreamRow| row.name == name && row.address == address && now < row.last_contact_at + CONTACT;
    let denied = |admission| if admission == Admission::Refused { REFUSED } else { UNDECIDED };
    match &row {
        Some(row) if !is_served(row.admission, policy, enrolled) && quiet(row) => {
            return Ok(Decision::Denied(denied(row.admission)));
        }
        None if policy == Policy::List && !enrolled => return Ok(Decision::Denied(UNKNOWN)),
        // where there is no room nothing is counted either, so that one address cannot use up what others need
        None if !enrolled && (!room || !state.upstream.new.take(NEW_PER_HOUR, std::time::Instant::now())) => {
            return Ok(Decision::Busy);
        }
        _ => {}
    }
    // two enrolled servers of one identity are told apart by their processes
    let other = if enrolled { None } else { state.upstream.callers.note(id, &address, now) };
    let work = move |tx: &WriteTx<'_>| {
        let contact = DownstreamContact { id, name: &name, address: &address, is_weir };
        let row = match tx.downstream_find(id)? {
            Some(row) => {
                tx.downstream_contact(row.no, &contact)?;
                watch_identity(tx, &row, &contact, other.as_deref())?;
                if row.admission == Admission::Reported {
                    // known from another server's report alone until now
                    tx.downstream_admit(row.no, Admission::Waiting)?;
                    wait(tx, &contact, is_served(Admission::Waiting, policy, enrolled))?;
                }
                row
            }
            None => match add(tx, &contact, policy, enrolled)? {
                Some(row) => row,
                None => return Ok(Decision::Busy),
            },
        };
        let admission = if row.admission == Admission::Reported { Admission::Waiting } else { row.admission };
        if !is_served(admission, policy, enrolled) {
            return Ok(Decision::Denied(denied(admission)));
        }
        tx.downstream_authorized(row.no)?;
        if software.is_some() {
            tx.downstream_described(row.no, software.as_deref(), None)?;
        }
        Ok(Decision::Served(row.no))
    };
    state.write(Actor::system("downstream servers", now), work).await
}

/// Whether another server that nobody decided about may be noted.
fn room(tx: &ReadTx<'_>, policy: Policy, address: &str) -> Result<bool, StoreError> {
    let most = if policy == Policy::Open { OPEN_MOST } else { WAIT_MOST };
    if tx.downstream_count(Admission::Waiting)? >= most {
        return Ok(false);
    }
    if policy == Policy::Open {
        return Ok(true);
    }
    let rows = tx.downstream_list()?;
    let here = rows.iter().filter(|row| row.admission == Admission::Waiting && row.address == address);
    Ok(here.count() < WAIT_MOST_HERE)
}

/// Notes a server that was never seen before, if there is room.
fn add(
    tx: &WriteTx<'_>,
    contact: &DownstreamContact<'_>,
    policy: Policy,
    enrolled: bool,
) -> Result<Option<DownstreamRow>, StoreError> {
    let admission = if enrolled { Admission::Allowed } else { Admission::Waiting };
    if !enrolled && !room(tx, policy, contact.address)? {
        return Ok(None);
    }
    let no = tx.downstream_add(contact, admission)?;
    wait(tx, contact, is_served(admission, policy, enrolled))?;
    tx.downstream_show(no)
}

/// Tells the administrator that a server waits.
fn wait(tx: &WriteTx<'_>, contact: &DownstreamContact<'_>, served: bool) -> Result<(), StoreError> {
    if served {
        return Ok(());
    }
    let message = format!(
        "server {} at {} wants to synchronize from here: weir downstream allow {} (or refuse)",
        contact.name, contact.address, contact.id
    );
    tx.alert_open(WAITING, &contact.id.to_string(), AlertSeverity::Warning, &message)?;
    Ok(())
}

/// A name that changes, or two addresses that call in turn, may mean that two servers have one identity, as copies of a
/// machine have: each would be told what the other has got.
fn watch_identity(
    tx: &WriteTx<'_>,
    row: &DownstreamRow,
    contact: &DownstreamContact<'_>,
    other_address: Option<&str>,
) -> Result<(), StoreError> {
    // one that was allowed before it came has no name yet
    if row.name.is_empty() || row.name.eq_ignore_ascii_case(contact.name) {
        if let Some(other) = other_address {
            let message = format!(
                "server {} ({}) calls from {} and {other} in turn; if these are two servers, copies of one machine, one of \
                 them needs an identity of its own, else allow it again: weir downstream allow {}",
                row.id, contact.name, contact.address, row.id
            );
            tx.alert_open(IDENTITY, &row.id.to_string(), AlertSeverity::Warning, &message)?;
        }
        return Ok(());
    }
    let message = format!(
        "server {} called itself {} at {} and now {} at {}; if these are two servers, one of them needs an identity of its \
         own, else allow it again: weir downstream allow {}",
        row.id, row.name, row.address, contact.name, contact.address, row.id
    );
    tx.alert_open(IDENTITY, &row.id.to_string(), AlertSeverity::Warning, &message)?;
    Ok(())
}

/// The server that a cookie names, if it is served.
pub(super) async fn served(state: &AppState, connection: Connection, no: u32, id: Uuid) -> Result<bool, StoreError> {
    state
        .read(move |tx| {
            let Some(row) = tx.downstream_show(no)?.filter(|row| row.id == id) else { return Ok(false) };
            Ok(match Enrolment::read(tx, id, connection)? {
                Enrolment::None => is_served(row.admission, Policy::read(tx)?, false),
                Enrolment::Proven => true,
                Enrolment::Unproven => false,
            })
        })
        .await
}

/// Who makes a roll-up call, which carries no identity: a server that proved itself by its certificate, or whoever was
/// authorized from this address within the last 24 hours. One that enrolled as a site can prove itself, so its address
/// alone does not speak for it.
pub(super) async fn reporter(
    state: &AppState,
    connection: Connection,
    now: Timestamp,
) -> Result<Option<Reporter>, StoreError> {
    let address = address(connection.peer.ip());
    state
        .read(move |tx| {
            if let Some(certificate) = connection.certificate
                && let Some(site) = tx.sites_enrolment_of_certificate(certificate)?
            {
                return Ok(Some(Reporter::One(site.server_id)));
            }
            let policy = Policy::read(tx)?;
            let mut found = BTreeSet::new();
            for row in tx.downstream_list()? {
                let recent = row.authorized_at.is_some_and(|at| now < at + AUTHORIZED);
                if recent
                    && row.address == address
                    && is_served(row.admission, policy, false)
                    && sites::enrolled(tx, row.id)?.is_none()
                {
                    found.insert(row.id);
                }
            }
            Ok(match found.first().copied() {
                Some(id) if found.len() == 1 => Some(Reporter::One(id)),
                Some(_) => Some(Reporter::OneOf(found)),
                None => None,
            })
        })
        .await
}

/// An address as it is stored.
pub(super) fn address(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_decides_only_what_nobody_decided() {
        for policy in [Policy::Ask, Policy::List, Policy::Open] {
            assert!(is_served(Admission::Allowed, policy, false));
            assert!(!is_served(Admission::Refused, policy, false));
            assert!(is_served(Admission::Waiting, policy, true));
            assert_eq!(is_served(Admission::Waiting, policy, false), policy == Policy::Open);
        }
    }

    #[tokio::test]
    async fn copies_of_one_machine_raise_an_alert_and_a_move_does_not() {
        let data = tempfile::tempdir().expect("folder");
        let database = weir_testkit::engine::database(data.path());
        let options = weir_store::Options { database, ..weir_store::Options::default() };
        let store = weir_store::Store::open(data.path(), &options).expect("store");
        let content = weir_store::content::ContentStore::open(&data.path().join("content")).expect("content");
        let state = AppState::open(store, content, crate::state::ClientSettings::default()).await.expect("state");
        let now = Timestamp::now();
        let peer = std::net::SocketAddr::from(([10, 0, 0, 1], 1));
        let connection = Connection { peer, tls: false, certificate: None };
        let call = async |address: &str, minute: i64| {
            let contact = DownstreamContact { id: Uuid::from_u128(7), name: "branch", address, is_weir: false };
            let at = now + SignedDuration::from_mins(minute);
            authorize(&state, connection, contact, None, at).await.expect("decided");
            let alerts = state.store.read(|tx| tx.alert_list(false, 10)).expect("alerts");
            alerts.into_iter().filter(|alert| alert.kind == IDENTITY).map(|alert| alert.message).collect::<Vec<_>>()
        };
        assert_eq!(call("10.0.0.1", 0).await, [""; 0]);
        assert_eq!(call("10.0.0.2", 10).await, [""; 0], "it may have moved");
        let alerts = call("10.0.0.1", 20).await;
        assert!(matches!(&alerts[..], [one] if one.contains("10.0.0.1 and 10.0.0.2 in turn")), "{alerts:?}");
    }

    #[test]
    fn moments_in_anchors_are_not_before_what_was_stored() {
        let at = |micros| Timestamp::from_microsecond(micros).expect("in range");
        assert_eq!(ceil(at(1_000)), at(1_000));
        assert_eq!(ceil(at(1_001)), at(2_000));
        assert_eq!(ceil(at(-1)), at(0));
        let upstream = Upstream::default();
        assert_eq!(upstream.fresh(at(1_001)), at(2_000));
        assert_eq!(upstream.fresh(at(1_001)), at(3_000));
        assert_eq!(upstream.fresh(at(9_000)), at(9_000));
    }
}
