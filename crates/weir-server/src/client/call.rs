//! One SOAP call: which operation, whose, and what to answer when it fails. Fault codes are chosen here and in
//! [`super::cookie::check`] only.

use std::{cell::RefCell, sync::Arc, time::Instant};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{catalogue::Scratch, fnv::Fnv, identity::Rule};
use weir_store::{StoreError, computer::Contact};
use weir_wire::{
    soap::{ErrorCode, Fault, Hints, Limits, Reason, SoapVersion},
    wusp::{self, Answer, Bounds, InvalidParameter, Operation, Request, Service},
};

use super::{
    cookie::{Anchors, Cookie, CookieFault, Expected, Kind, check},
    page::Page,
};
use crate::{
    front::follow::PATIENCE,
    ingest::{Admission, Chain, IngestError},
    live::{Computer, Published, ScopeOf},
    state::{AppState, Configuration, Connection, TargetingMode},
    telemetry::{self, meters, note},
};

/// How often the contact of a busy computer is stored, in seconds.
const CONTACT_INTERVAL: i64 = 600;
/// Entries of StartCategoryScan are fewer than this (MS-WUSP product behaviour note 52).
const CATEGORIES: usize = 200;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// Lends this thread's working memory of the catalogue engine.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(work)
}

/// Why a call is answered with a fault.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode) -> Self {
        Self { code, message: String::new() }
    }

    pub(super) fn parameter(path: &str) -> Self {
        Self { code: ErrorCode::InvalidParameters, message: path.to_owned() }
    }
}

impl From<CookieFault> for Refusal {
    fn from(fault: CookieFault) -> Self {
        Self::new(match fault {
            CookieFault::ConfigChanged => ErrorCode::ConfigChanged,
            CookieFault::CookieExpired => ErrorCode::CookieExpired,
            CookieFault::InvalidCookie => ErrorCode::InvalidCookie,
            CookieFault::ServerChanged => ErrorCode::ServerChanged,
        })
    }
}

impl From<InvalidParameter> for Refusal {
    fn from(invalid: InvalidParameter) -> Self {
        Self::parameter(invalid.path)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Parameter { path, .. } | Reason::Limit { path, .. } if !path.is_empty() => Self::parameter(&path),
            other => Self::parameter(&other.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_passing() {
            return Self::new(ErrorCode::ServerBusy);
        }
        tracing::error!(error = %Chain(&error), "a client's call failed");
        Self::new(ErrorCode::InternalServerError)
    }
}

impl From<IngestError> for Refusal {
    fn from(error: IngestError) -> Self {
        Self::new(match error {
            IngestError::Store(error) if error.is_passing() => ErrorCode::ServerBusy,
            IngestError::Store(_) => ErrorCode::InternalServerError,
            IngestError::Busy | IngestError::Gone | IngestError::Stopped | IngestError::TooManyNew => {
                ErrorCode::ServerBusy
            }
        })
    }
}

/// What a call is answered with.
pub(super) enum Reply {
    /// A whole envelope.
    Text(String),
    /// One that may hold large fragments.
    Page(Page),
}

/// What is known of a call before its operation.
pub(super) struct Call<'a> {
    pub(super) state: &'a Arc<AppState>,
    pub(super) connection: Connection,
    pub(super) configuration: Arc<Configuration>,
    pub(super) now: Timestamp,
    pub(super) version: SoapVersion,
    /// `Host` of the request, if it is one.
    pub(super) host: Option<&'a str>,
    pub(super) body: &'a [u8],
    pub(super) limits: &'a Limits,
}

/// A call whose cookie was checked and whose computer is known.
pub(super) struct Caller {
    pub(super) cookie: Cookie,
    pub(super) computer: Arc<Computer>,
    pub(super) published: Arc<Published>,
    pub(super) scope: Arc<ScopeOf>,
}

/// A call that is answered with a fault.
pub(super) struct Failed {
    pub(super) version: SoapVersion,
    pub(super) fault: Fault,
    /// The operation is none of this plane: it may be one of the server plane.
    pub(super) foreign: bool,
}

/// Answers a call, or refuses it with a fault.
pub(super) async fn answer(
    state: &Arc<AppState>,
    connection: Connection,
    service: Service,
    hints: Hints<'_>,
    host: Option<&str>,
    body: &[u8],
) -> Result<(SoapVersion, Operation, Reply), Failed> {
    let limits = &limits();
    let parsed = wusp::parse(service, hints, body, limits).map_err(|rejection| {
        tracing::debug!(peer = %connection.peer, reason = %rejection.reason, "a request was refused");
        let version = rejection.version;
        let foreign = matches!(rejection.reason, Reason::NotOffered(_) | Reason::UnknownOperation(_));
        Failed { version, fault: rejection.into_fault(Uuid::new_v4()), foreign }
    })?;
    let (version, operation) = (parsed.version, parsed.request.operation());
    note(|seen| seen.call(operation.name()));
    // what another front end said is committed: it is here after a look, or it never was said. Where no look came to its end, nothing is
    // known of that, and the computer asks again
    let is_late = behind(state, &parsed.request) && !state.following.catch_up(PATIENCE).await;
    let configuration = state.configuration.load();
    let call = Call { state, connection, configuration, now: state.clock.now(), version, host, body, limits };
    let answered = if is_late { Err(Refusal::new(ErrorCode::ServerBusy)) } else { call.run(parsed.request).await };
    match answered {
        Ok(reply) => Ok((version, operation, reply)),
        Err(Refusal { code, message }) => {
            let id = Uuid::new_v4();
            tracing::debug!(peer = %connection.peer, %operation, %code, message, %id, "a call was answered with a fault");
            meters().client_faults.of(code.name()).increment(1);
            let fault = Fault { code, message, method: operation.quoted_action(), id };
            Err(Failed { version, fault, foreign: false })
        }
    }
}

/// Whether a call knows of something that this front end does not: a key, a restore, a state of the catalogue or a configuration of
/// which another one told it.
fn behind(state: &AppState, request: &Request) -> bool {
    if !state.is_shared() {
        return false;
    }
    let last_change_ms = state.configuration.load().last_change_ms;
    let published = state.live.current().change();
    let is_ahead = |kind: Kind, sealed: &[u8]| match state.keys.open(kind, sealed) {
        None => state.keys.may_be_newer(sealed),
        Some(plain) if kind == Kind::Cookie => Cookie::decode(&plain).is_some_and(|cookie| {
            cookie.server != state.epoch()
                || cookie.anchors.newest() > Some(published)
                || cookie.last_change_ms > last_change_ms
        }),
        Some(_) => false,
    };
    let cookie = |sealed: Option<&[u8]>| sealed.is_some_and(|sealed| is_ahead(Kind::Cookie, sealed));
    match request {
        Request::GetAuthorizationCookie(_)
        | Request::GetConfig(_)
        | Request::StartCategoryScan(_)
        | Request::ReportEventBatch2(_) => false,
        Request::GetCookie(request) => {
            let mut authorizations = request.auth_cookies.iter().filter_map(|cookie| cookie.cookie_data.as_ref());
            authorizations.any(|sealed| is_ahead(Kind::Authorization, &sealed.0))
                || cookie(request.old_cookie.as_ref().and_then(wusp::Cookie::sealed))
                || request.last_change.is_some_and(|at| at.as_millisecond() > last_change_ms)
        }
        Request::GetExtendedUpdateInfo(request) => cookie(request.sealed()),
        Request::GetExtendedUpdateInfo2(request) => cookie(request.sealed()),
        Request::GetFileLocations(request) => cookie(request.sealed()),
        Request::RefreshCache(request) => cookie(request.sealed()),
        Request::RegisterComputer(request) => cookie(request.sealed()),
        Request::SyncPrinterCatalog(request) => cookie(request.sealed()),
        Request::SyncUpdates(request) => cookie(request.sealed()),
        Request::ReportEventBatch(request) => cookie(request.sealed()),
        Request::GetRequiredInventoryType(request) => cookie(request.sealed()),
        Request::ReportInventory(request) => cookie(request.sealed()),
    }
}

/// Whether a body is a call of a computer.
pub(super) fn is_of_computer(service: Service, hints: Hints<'_>, body: &[u8]) -> bool {
    wusp::parse(service, hints, body, &limits()).is_ok()
}

/// Bounds of the reader on this plane.
pub(super) fn limits() -> Limits {
    Limits { body: BODY_LIMIT, ..Limits::default() }
}

/// Bytes of a request.
pub(crate) const BODY_LIMIT: usize = 8 << 20;

/// A computer that knows of changes which the database does not have was served before the data were copied back from a
/// backup: revision ids given out since may mean other revisions now.
pub(super) fn not_ahead(anchors: &Anchors, published: &Published) -> Result<(), Refusal> {
    let ahead = anchors.newest() > Some(published.change());
    if ahead { Err(Refusal::new(ErrorCode::ServerChanged)) } else { Ok(()) }
}

impl Call<'_> {
    async fn run(&self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::GetAuthorizationCookie(request) => self.anonymous(|| self.get_authorization_cookie(&request)),
            Request::GetConfig(request) => self.anonymous(|| self.get_config(&request)),
            Request::GetCookie(request) => self.anonymous(|| self.get_cookie(&request)),
            Request::StartCategoryScan(request) => self.anonymous(|| self.start_category_scan(&request)),
            Request::GetExtendedUpdateInfo(request) => self.get_extended_update_info(request).await,
            Request::GetExtendedUpdateInfo2(request) => self.get_extended_update_info2(request).await,
            Request::GetFileLocations(request) => self.get_file_locations(request).await,
            Request::RefreshCache(request) => self.refresh_cache(&request).await,
            Request::RegisterComputer(request) => self.register_computer(&request).await,
            Request::SyncPrinterCatalog(request) => self.sync_printer_catalog(&request).await,
            Request::SyncUpdates(request) => self.sync_updates(&request).await,
            Request::ReportEventBatch(request) => self.report_event_batch(request).await,
            Request::GetRequiredInventoryType(request) => self.get_required_inventory_type(&request).await,
            Request::ReportInventory(request) => self.report_inventory(&request).await,
            // Off-spec: MS-WUSP 6.3 describes it without prose and without a cookie. Nothing is accepted from a caller
            // without a valid cookie.
            Request::ReportEventBatch2(_) => Err(Refusal::new(ErrorCode::InvalidCookie)),
        }
    }

    /// A call that needs no cookie: limited by address, and without any effect.
    fn anonymous(&self, answer: impl FnOnce() -> Result<Reply, Refusal>) -> Result<Reply, Refusal> {
        let burst = self.configuration.settings.anonymous_burst;
        if self.state.addresses.take(self.connection.limit_key(), burst, Instant::now()) {
            answer()
        } else {
            telemetry::refused(telemetry::Reason::Address);
            Err(Refusal::new(ErrorCode::ServerBusy))
        }
    }

    /// Opens and checks a cookie.
    pub(super) fn cookie(&self, sealed: Option<&[u8]>) -> Result<Cookie, Refusal> {
        let expected = Expected {
            server: self.state.epoch(),
            now_ms: self.now.as_millisecond(),
            last_change_ms: self.configuration.last_change_ms,
        };
        let cookie = check(sealed, &self.state.keys, &expected)?;
        not_ahead(&cookie.anchors, &self.state.live.current())?;
        Ok(cookie)
    }

    /// Checks the cookie and finds its computer, which is brought into the database if it is new or asks for other
    /// groups than before.
    pub(super) async fn caller(&self, sealed: Option<&[u8]>) -> Result<Caller, Refusal> {
        let cookie = self.cookie(sealed)?;
        note(|seen| seen.computer(&cookie.computer));
        let published = self.state.live.current();
        let mark = self.mark(&cookie, &published);
        let directory = &self.state.live.directory;
        let known = directory.find(&cookie.computer).filter(|known| known.applied == mark);
        let computer = if let Some(computer) = known {
            if computer.contact_due(self.now.as_second(), CONTACT_INTERVAL) {
                self.state.ingest.touch(computer.no, self.contact(&cookie));
            }
            computer
        } else {
            self.admit(&cookie, &published, mark).await?
        };
        let scope = published.scope(&computer.groups);
        Ok(Caller { cookie, computer, published, scope })
    }

    /// Brings a computer into the database and the directory, and finds it there with what the database knows of it.
    async fn admit(&self, cookie: &Cookie, published: &Published, mark: u64) -> Result<Arc<Computer>, Refusal> {
        let admission = Admission {
            contact: self.contact(cookie),
            groups: self.requested(cookie, published),
            applied: mark,
            new_per_hour: self.configuration.settings.new_computers_per_hour,
            identity: self.identity(),
        };
        self.state.ingest.admit(admission).await?;
        self.state.live.directory.find(&cookie.computer).ok_or(Refusal::new(ErrorCode::ServerBusy))
    }

    /// A computer that is not known to have registered may have done so at another front end a moment ago: then it is.
    pub(super) async fn look_again(&self, caller: &mut Caller) -> Result<(), Refusal> {
        if self.state.is_shared() {
            let mark = self.mark(&caller.cookie, &caller.published);
            caller.computer = self.admit(&caller.cookie, &caller.published, mark).await?;
            caller.scope = caller.published.scope(&caller.computer.groups);
        }
        Ok(())
    }

    /// Changes when what the computer asked for, or what that means, changes.
    fn mark(&self, cookie: &Cookie, published: &Published) -> u64 {
        let mut mark = Fnv::default();
        for group in &cookie.requested_groups {
            mark.bytes(group.as_bytes());
        }
        mark.bytes(cookie.dns_name.as_bytes());
        if self.configuration.settings.targeting == TargetingMode::Client {
            mark.bytes(&published.collections_mark.to_le_bytes());
        }
        // 0 is "never applied"
        mark.0 | 1
    }

    /// Collections that the computer gets because it asked for them (MS-WUSP 3.1.5.3). Names that do not exist are
    /// ignored; without any it is in Unassigned Computers.
    fn requested(&self, cookie: &Cookie, published: &Published) -> Vec<weir_model::ids::CollectionId> {
        match self.configuration.settings.targeting {
            TargetingMode::Client => {
                cookie.requested_groups.iter().filter_map(|name| published.collection_named(name)).collect()
            }
            TargetingMode::Server => Vec::new(),
        }
    }

    /// When something else that a computer shows counts as another machine's.
    pub(super) fn identity(&self) -> Rule {
        let lifetime = self.configuration.settings.cookie_lifetime;
        Rule::new(SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX))
    }

    /// Address of the call.
    pub(super) fn address(&self) -> String {
        self.connection.peer.ip().to_canonical().to_string()
    }

    fn contact(&self, cookie: &Cookie) -> Contact {
        let groups = cookie.requested_groups.join(";");
        Contact {
            id: cookie.computer.clone(),
            dns_name: cookie.dns_name.clone(),
            ip_address: Some(self.address()),
            plain_http: !self.connection.tls,
            requested_groups: (!groups.is_empty()).then_some(groups),
        }
    }

    /// Limits of the protocol, from the site's settings.
    pub(super) fn bounds(&self) -> Bounds {
        let settings = &self.configuration.settings;
        Bounds {
            installed_non_leaf: settings.installed_limit,
            other_cached: settings.cached_limit,
            extended_updates: settings.extended_limit as usize,
            requested_categories: CATEGORIES,
        }
    }

    /// An answer as one text.
    pub(super) fn text<A: Answer>(&self, answer: &A) -> Reply {
        let mut out = String::with_capacity(1_024);
        answer.write(&mut out, self.version);
        Reply::Text(out)
    }
}
