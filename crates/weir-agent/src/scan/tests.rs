//! Scans against a server that is a value: recovery, limits, and that every scan ends.

use std::{borrow::Cow, collections::BTreeMap};

use proptest::prelude::*;
use uuid::Uuid;
use weir_model::{
    applicability::{Facts, facts::System},
    ids::{DeploymentId, RevisionId, UpdateIdentity},
};
use weir_wire::{
    soap::Binary,
    wusp::{
        Action, AuthPlugInInfo, AuthorizationCookie, Config, ConfigurationProperty, Cookie, Deployment,
        ExtendedUpdateInfo, GetAuthorizationCookieAnswer, GetConfigAnswer, GetCookieAnswer,
        GetExtendedUpdateInfoAnswer, RefreshCacheAnswer, RefreshCacheResult, RegisterComputerAnswer,
        StartCategoryScanAnswer, SyncInfo, SyncUpdates, SyncUpdatesAnswer, UpdateData, UpdateInfo,
        client::ReceivedFault,
    },
};

use super::*;
use crate::{
    computer::{Description, Installable, Installed},
    library::{Holds, Update, Verdict},
};

/// A computer on which everything that its ids name is installed and the rest can be installed.
struct Pc {
    description: Description,
    system: System,
    installed: fn(UpdateIdentity) -> bool,
}

impl Facts for Pc {
    fn system(&self) -> &System {
        &self.system
    }
}

impl Computer for Pc {
    fn description(&self) -> Cow<'_, Description> {
        Cow::Borrowed(&self.description)
    }

    fn facts(&self) -> &dyn Facts {
        self
    }

    fn evaluate(&self, update: &Update) -> Verdict {
        let installed = if (self.installed)(update.identity()) { Holds::Yes } else { Holds::No };
        Verdict { installed: Some(installed), installable: Some(Holds::Yes) }
    }

    fn install(&mut self, _: &Installable<'_>) -> Installed {
        Installed::Cannot
    }

    fn uninstall(&mut self, _: &Installable<'_>) -> Installed {
        Installed::Cannot
    }

    fn restart(&mut self) -> bool {
        false
    }
}

fn pc(installed: fn(UpdateIdentity) -> bool) -> Pc {
    let id = "e1da06a3-5601-43c9-bac3-52d5db701494".parse().expect("an id");
    Pc {
        description: Description::new(id, "pc.example.test", [10, 0, 26_200, 1]),
        system: System::default(),
        installed,
    }
}

/// Everything but what is numbered 1000 and above is installed.
fn below_1000(identity: UpdateIdentity) -> bool {
    identity.update_id.0.as_u128() < 1000
}

struct Revision {
    number: u128,
    needs: Option<u128>,
    leaf: bool,
    action: Action,
}

/// A server: pages, gating by prerequisites, cookies of one kind.
struct Server {
    /// Added to every RevisionID: another number is another server.
    base: i32,
    page: usize,
    revisions: Vec<Revision>,
    calls: Vec<Operation>,
    always_truncated: bool,
    installed_named: usize,
    /// Of updates it tells the titles and nothing else.
    only_titles: bool,
}

impl Server {
    /// One category, `detectoids` below it, and one update for each.
    fn new(detectoids: u128) -> Self {
        let mut revisions = vec![Revision { number: 1, needs: None, leaf: false, action: Action::Evaluate }];
        for number in 2..2 + detectoids {
            revisions.push(Revision { number, needs: Some(1), leaf: false, action: Action::Evaluate });
            revisions.push(Revision {
                number: number + 1000,
                needs: Some(number),
                leaf: true,
                action: Action::Install,
            });
        }
        Self {
            base: 100,
            page: 30,
            revisions,
            calls: Vec::new(),
            always_truncated: false,
            installed_named: 0,
            only_titles: false,
        }
    }

    fn id(&self, number: u128) -> i32 {
        self.base + number as i32
    }

    fn cookie(&self) -> Cookie {
        Cookie { expiration: None, encrypted_data: Some(Binary(self.base.to_le_bytes().to_vec())) }
    }

    fn answer(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.calls.push(request.operation());
        assert!(self.calls.len() <= 5_000, "the scan does not end: {:?}", &self.calls[..20]);
        let foreign = |cookie: &Option<Cookie>| cookie.as_ref() != Some(&self.cookie());
        let cookie = match request {
            Request::SyncUpdates(request) => Some(&request.cookie),
            Request::RegisterComputer(request) => Some(&request.cookie),
            Request::RefreshCache(request) => Some(&request.cookie),
            Request::GetExtendedUpdateInfo(request) => Some(&request.cookie),
            _ => None,
        };
        if cookie.is_some_and(foreign) {
            return Err(fault(request.operation(), "InvalidCookie"));
        }
        Ok(match request {
            Request::GetConfig(_) => GetConfigAnswer { result: Some(config()) }.into(),
            Request::GetAuthorizationCookie(_) => GetAuthorizationCookieAnswer {
                result: Some(AuthorizationCookie {
                    plug_in_id: Some("SimpleTargeting".into()),
                    cookie_data: Some(Binary(vec![7])),
                }),
            }
            .into(),
            Request::GetCookie(_) => GetCookieAnswer { result: Some(self.cookie()) }.into(),
            Request::RegisterComputer(_) => RegisterComputerAnswer {}.into(),
            Request::StartCategoryScan(request) => StartCategoryScanAnswer {
                preferred_category_ids: request.requested_categories.iter().map(|wanted| wanted.category_id).collect(),
                requested_category_ids_in_error: Vec::new(),
            }
            .into(),
            Request::RefreshCache(request) => RefreshCacheAnswer {
                result: request
                    .global_ids
                    .iter()
                    .filter_map(|identity| {
                        let revision = self.revisions.iter().find(|known| guid(known.number) == identity.update_id)?;
                        Some(RefreshCacheResult {
                            revision_id: RevisionId(self.id(revision.number)),
                            global_id: Some(identity.clone()),
                            is_leaf: revision.leaf,
                            deployment: Some(deployment(revision.action)),
                        })
                    })
                    .collect(),
            }
            .into(),
            Request::SyncUpdates(request) => SyncUpdatesAnswer { result: Some(self.sync(request)) }.into(),
            Request::GetExtendedUpdateInfo(request) => {
                let text = |id: &RevisionId| UpdateData {
                    id: *id,
                    xml: Some(format!(
                        "<LocalizedProperties><Language>en</Language><Title>Update {id}</Title></LocalizedProperties>"
                    )),
                };
                let extended = |id: &RevisionId| UpdateData {
                    id: *id,
                    xml: Some("<ExtendedProperties DefaultPropertiesLanguage=\"en\" />".to_owned()),
                };
                let ids = request.revision_ids.iter();
                let extended = ids.clone().map(extended).filter(|_| !self.only_titles);
                let result = ExtendedUpdateInfo {
                    updates: extended.chain(ids.map(text)).collect(),
                    file_locations: Vec::new(),
                    out_of_scope_revision_ids: Vec::new(),
                };
                GetExtendedUpdateInfoAnswer { result: Some(result) }.into()
            }
            other => panic!("{} was not expected", other.operation()),
        })
    }

    fn sync(&mut self, request: &SyncUpdates) -> SyncInfo {
        let parameters = request.parameters.as_ref().expect("parameters");
        let mut info = SyncInfo {
            new_updates: Vec::new(),
            out_of_scope_revision_ids: Vec::new(),
            changed_updates: Vec::new(),
            truncated: false,
            new_cookie: Some(self.cookie()),
            deployed_out_of_scope_revision_ids: Vec::new(),
            driver_sync_not_needed: Some("true".into()),
        };
        if parameters.skip_software_sync {
            return info;
        }
        self.installed_named = self.installed_named.max(parameters.installed_non_leaf_update_ids.len());
        let installed: Vec<i32> = parameters.installed_non_leaf_update_ids.iter().map(|id| id.0).collect();
        let cached: Vec<i32> =
            installed.iter().copied().chain(parameters.other_cached_update_ids.iter().map(|id| id.0)).collect();
        let needed: Vec<&Revision> = self
            .revisions
            .iter()
            .filter(|revision| revision.needs.is_none_or(|needs| installed.contains(&self.id(needs))))
            .collect();
        let new: Vec<&&Revision> =
            needed.iter().filter(|revision| !cached.contains(&self.id(revision.number))).collect();
        info.truncated = self.always_truncated || new.len() > self.page;
        info.new_updates = new.into_iter().take(self.page).map(|revision| self.info(revision)).collect();
        let in_scope = |id: &&i32| needed.iter().any(|revision| self.id(revision.number) == **id);
        info.out_of_scope_revision_ids = cached.iter().filter(|id| !in_scope(id)).map(|id| RevisionId(*id)).collect();
        info
    }

    fn info(&self, revision: &Revision) -> UpdateInfo {
        let kind = if revision.leaf { "Software\" ExplicitlyDeployable=\"true" } else { "Detectoid" };
        let needs = revision.needs.map_or(String::new(), |needs| {
            format!(
                "<Relationships><Prerequisites><UpdateIdentity UpdateID=\"{}\" /></Prerequisites></Relationships>",
                guid(needs)
            )
        });
        let core = format!(
            "<UpdateIdentity UpdateID=\"{}\" RevisionNumber=\"1\" /><Properties UpdateType=\"{kind}\" />{needs}",
            guid(revision.number)
        );
        UpdateInfo {
            id: RevisionId(self.id(revision.number)),
            deployment: Some(deployment(revision.action)),
            is_leaf: revision.leaf,
            xml: Some(core),
        }
    }
}

fn guid(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(number))
}

fn deployment(action: Action) -> Deployment {
    Deployment::new(DeploymentId(1), action, true, jiff::civil::date(2026, 5, 1))
}

fn config() -> Config {
    Config {
        last_change: "2026-05-01T00:00:00Z".parse().expect("a time"),
        is_registration_required: true,
        auth_info: vec![AuthPlugInInfo {
            plug_in_id: Some("SimpleTargeting".into()),
            service_url: Some("SimpleAuthWebService/SimpleAuth.asmx".into()),
            parameter: None,
        }],
        allowed_event_ids: Vec::new(),
        properties: vec![
            ConfigurationProperty::new("MaxExtendedUpdatesPerRequest", "7"),
            ConfigurationProperty::new("ProtocolVersion", "3.2"),
        ],
    }
}

fn fault(operation: Operation, code: &str) -> Failure {
    let fault = ReceivedFault {
        class: "Client".into(),
        text: "Fault occurred".into(),
        error_code: Some(code.into()),
        ..ReceivedFault::default()
    };
    Failure::Fault(operation, Box::new(fault))
}

/// What a scan may be made to meet at some calls.
type Trouble = BTreeMap<usize, Box<dyn Fn(&mut Server, Operation) -> Option<Failure>>>;

fn now() -> Timestamp {
    "2026-05-01T12:00:00Z".parse().expect("a time")
}

/// Scans until the end; gives what came of it.
fn scan(
    server: &mut Server,
    state: &mut State,
    library: &Library,
    pc: &Pc,
    options: Options,
    trouble: &Trouble,
) -> (ScanOutcome, Result<(), Problem>) {
    let mut scan = Scan::begin(Arc::new(options), state, pc);
    let mut call = 0;
    let result = loop {
        let request = match scan.next(state, pc, now()) {
            Ok(Some(request)) => request,
            Ok(None) => break Ok(()),
            Err(problem) => break Err(problem),
        };
        call += 1;
        let failure = trouble.get(&call).and_then(|trouble| trouble(server, request.operation()));
        let answer = match failure {
            Some(failure) => {
                server.calls.push(request.operation());
                Err(failure)
            }
            None => server.answer(&request),
        };
        let step = match answer {
            Ok(answer) => scan.answered(state, library, pc, answer),
            Err(failure) => scan.failed(state, request.operation(), failure),
        };
        if let Err(problem) = step {
            break Err(problem);
        }
    };
    (scan.finish(state, library), result)
}

/// RevisionIDs in the cache, as the numbers of the catalogue.
fn known(server: &Server, state: &State) -> Vec<i32> {
    state.cache.entries().iter().map(|entry| entry.id - server.base).collect()
}

fn whole(server: &Server) -> Vec<i32> {
    let mut numbers: Vec<i32> = server.revisions.iter().map(|revision| revision.number as i32).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_first_scan_goes_in_the_native_order() {
    use Operation::*;
    let (mut server, mut state, library) = (Server::new(2), State::default(), Library::new());
    let options = Options { categories: vec![guid(1)], ..Options::default() };
    let pc = pc(below_1000);
    let (outcome, result) = scan(&mut server, &mut state, &library, &pc, options.clone(), &Trouble::new());
    assert_eq!(result, Ok(()));
    let order = [
        GetConfig,
        GetAuthorizationCookie,
        GetCookie,
        RegisterComputer,
        StartCategoryScan,
        SyncUpdates,
        SyncUpdates,
        SyncUpdates,
        SyncUpdates,
        GetExtendedUpdateInfo,
    ];
    assert_eq!(server.calls, order);
    assert_eq!((outcome.trips, outcome.new, outcome.filter), (3, 5, vec![guid(1)]));
    assert_eq!(known(&server, &state), whole(&server));
    let offered = crate::assess::Assessment::new(&state.cache).offered();
    assert_eq!(offered.len(), 2);
    let titles: Vec<_> =
        offered.iter().map(|at| state.cache.entries()[*at].update.details().expect("told").title.clone()).collect();
    assert_eq!(titles, ["Update 1102", "Update 1103"]);
    // the second scan has nothing to ask for: one trip, one driver pass
    server.calls.clear();
    let (outcome, result) = scan(&mut server, &mut state, &library, &pc, Options::default(), &Trouble::new());
    assert_eq!((result, server.calls.as_slice()), (Ok(()), [SyncUpdates, SyncUpdates].as_slice()));
    assert_eq!((outcome.new, outcome.out_of_scope), (0, 0));
}

#[test]
fn what_is_no_longer_met_leaves() {
    let (mut server, mut state, library) = (Server::new(3), State::default(), Library::new());
    scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &Trouble::new()).1.expect("scanned");
    let (outcome, result) = scan(
        &mut server,
        &mut state,
        &library,
        &pc(|id| below_1000(id) && id.update_id != guid(3)),
        Options::default(),
        &Trouble::new(),
    );
    assert_eq!((result, outcome.out_of_scope), (Ok(()), 1));
    assert!(!known(&server, &state).contains(&1003));
}

#[test]
fn titles_are_asked_for_in_batches_of_what_the_server_takes() {
    let (mut server, mut state, library) = (Server::new(20), State::default(), Library::new());
    scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &Trouble::new()).1.expect("scanned");
    assert_eq!(server.calls.iter().filter(|call| **call == Operation::GetExtendedUpdateInfo).count(), 3, "20 by 7");
}

#[test]
fn an_update_of_which_only_the_title_is_known_is_asked_for_again() {
    let (mut server, mut state, library) = (Server::new(2), State::default(), Library::new());
    let details = |state: &State| {
        let offered = crate::assess::Assessment::new(&state.cache).offered();
        offered.into_iter().filter(|at| state.cache.entries()[*at].update.details().is_some()).count()
    };
    server.only_titles = true;
    scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &Trouble::new()).1.expect("scanned");
    assert_eq!(details(&state), 0, "whether it needs files is not known");
    server.only_titles = false;
    scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &Trouble::new()).1.expect("scanned");
    assert_eq!(details(&state), 2);
}

#[test]
fn of_too_many_installed_those_come_first_on_which_most_depends() {
    let (mut server, mut state, library) = (Server::new(300), State::default(), Library::new());
    let options = Options { installed_limit: 100, extended: Extended::None, ..Options::default() };
    let (outcome, result) = scan(&mut server, &mut state, &library, &pc(below_1000), options, &Trouble::new());
    result.expect("scanned");
    assert_eq!((server.installed_named, outcome.unnamed > 0), (100, true));
    // the category is kept whatever else: everything depends on it
    let known = known(&server, &state);
    assert_eq!(known.iter().filter(|number| **number < 1000).count(), 301);
    assert_eq!(known.iter().filter(|number| **number > 1000).count(), 99, "one for each detectoid that is named");
}

#[test]
fn another_server_is_learned_through_refresh_cache() {
    let (mut server, mut state, library) = (Server::new(4), State::default(), Library::new());
    let pc = pc(below_1000);
    state.move_to(&"http://one".into());
    scan(&mut server, &mut state, &library, &pc, Options::default(), &Trouble::new()).1.expect("scanned");
    let mut other = Server { base: 9000, ..Server::new(3) };
    state.move_to(&"http://two".into());
    let (outcome, result) = scan(&mut other, &mut state, &library, &pc, Options::default(), &Trouble::new());
    result.expect("scanned");
    assert!(outcome.refreshed);
    assert!(other.calls.contains(&Operation::RefreshCache));
    assert_eq!(known(&other, &state), whole(&other));
    assert_eq!(outcome.new, 0, "everything was known already");
}

#[test]
fn every_fault_is_recovered_from_as_the_protocol_says() {
    use Operation::*;
    let handshake = [GetConfig, GetAuthorizationCookie, GetCookie];
    for (code, follows) in [
        ("InvalidCookie", [&handshake[..], &[RegisterComputer, RefreshCache, SyncUpdates]].concat()),
        ("ServerChanged", [&handshake[..], &[RegisterComputer, RefreshCache, SyncUpdates]].concat()),
        ("ConfigChanged", [&handshake[..], &[SyncUpdates]].concat()),
        ("CookieExpired", vec![GetAuthorizationCookie, GetCookie, SyncUpdates]),
        ("RegistrationRequired", vec![RegisterComputer, SyncUpdates]),
        ("InvalidAuthorizationCookie", vec![GetAuthorizationCookie, GetCookie, SyncUpdates]),
    ] {
        let (mut server, mut state, library) = (Server::new(3), State::default(), Library::new());
        let pc = pc(below_1000);
        scan(&mut server, &mut state, &library, &pc, Options::default(), &Trouble::new()).1.expect("scanned");
        server.calls.clear();
        let mut trouble = Trouble::new();
        trouble.insert(1, Box::new(move |_, operation| Some(fault(operation, code))));
        let (outcome, result) = scan(&mut server, &mut state, &library, &pc, Options::default(), &trouble);
        assert_eq!(result, Ok(()), "{code}");
        assert_eq!(server.calls[1..=follows.len()], follows, "{code}");
        assert_eq!(outcome.recovered.iter().map(|code| code.name()).collect::<Vec<_>>(), [code]);
        assert_eq!(known(&server, &state), whole(&server), "{code}");
    }
}

#[test]
fn everything_else_ends_the_scan_with_its_code() {
    let operation = Operation::SyncUpdates;
    for (failure, code) in [
        (fault(operation, "InvalidParameters"), 0x8024_4007),
        (fault(operation, "InternalServerError"), 0x8024_4007),
        (fault(operation, "ServerBusy"), 0x8024_F004),
        (fault(operation, "FileLocationChanged"), 0x8024_4007),
        (fault(operation, "NeverHeardOf"), 0x8024_4007),
        (Failure::Status { operation, status: 400 }, 0x8024_4016),
        (Failure::Status { operation, status: 401 }, 0x8024_4017),
        (Failure::Status { operation, status: 403 }, 0x8024_4018),
        (Failure::Status { operation, status: 404 }, 0x8024_4019),
        (Failure::Status { operation, status: 405 }, 0x8024_401A),
        (Failure::Status { operation, status: 407 }, 0x8024_401B),
        (Failure::Status { operation, status: 408 }, 0x8024_401C),
        (Failure::Status { operation, status: 409 }, 0x8024_401D),
        (Failure::Status { operation, status: 410 }, 0x8024_401E),
        (Failure::Status { operation, status: 418 }, 0x8024_402B),
        (Failure::Status { operation, status: 500 }, 0x8024_401F),
        (Failure::Status { operation, status: 501 }, 0x8024_4020),
        (Failure::Status { operation, status: 502 }, 0x8024_4021),
        (Failure::Status { operation, status: 503 }, 0x8024_4022),
        (Failure::Status { operation, status: 504 }, 0x8024_4023),
        (Failure::Status { operation, status: 505 }, 0x8024_4024),
        (Failure::malformed(operation, "garbage"), 0x8024_400A),
        (Failure::Cut("reset".into()), 0x8007_2EFE),
        (Failure::Timeout(1), 0x8007_2EE2),
    ] {
        let (mut server, mut state, library) = (Server::new(40), State::default(), Library::new());
        let mut trouble = Trouble::new();
        let shown = failure.to_string();
        trouble.insert(7, Box::new(move |_, _| Some(failure.clone())));
        let (outcome, result) = scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &trouble);
        assert_eq!(result.map_err(|problem| problem.code), Err(Code(code)), "{shown}");
        // what came is kept, and the next scan goes on from there
        assert!(outcome.new > 0 && state.cache.len() == outcome.new && state.cookie.is_some(), "{shown}");
        let (second, result) =
            scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &Trouble::new());
        assert_eq!(result, Ok(()), "{shown}");
        assert_eq!(outcome.new + second.new, whole(&server).len(), "{shown}");
    }
}

#[test]
fn a_scan_without_an_end_is_given_up_after_200_trips() {
    let (mut server, mut state, library) = (Server::new(2), State::default(), Library::new());
    server.always_truncated = true;
    let (outcome, result) =
        scan(&mut server, &mut state, &library, &pc(below_1000), Options::default(), &Trouble::new());
    assert_eq!(result.map_err(|problem| problem.code), Err(Code::TOO_MANY_TRIPS));
    assert_eq!((outcome.trips, server.calls.len()), (200, 204));
    assert_eq!(known(&server, &state), whole(&server), "its cache is kept");
}

#[test]
fn answers_that_make_no_sense_are_refused_whole() {
    let mut without = Server::new(1).info(&Revision { number: 1, needs: None, leaf: true, action: Action::Install });
    without.deployment = None;
    let mut bare = Server::new(1).info(&Revision { number: 2, needs: None, leaf: true, action: Action::Install });
    bare.xml = None;
    for new in [without, bare] {
        let (mut state, library, pc) = (State::default(), Library::new(), pc(below_1000));
        let mut info = Server::new(1)
            .sync(&SyncUpdates { cookie: None, parameters: Some(weir_wire::wusp::SyncUpdateParameters::new()) });
        info.new_updates = vec![new];
        let mut outcome = ScanOutcome::default();
        let result = apply::apply(&mut state, &library, &pc, info, &mut outcome);
        assert_eq!(result.map_err(|problem| problem.code), Err(Code::INVALID_ANSWER));
        assert!(state.cache.is_empty() && state.cookie.is_none());
    }
}

#[test]
fn what_cannot_be_read_is_told_to_be_here_and_counted() {
    let (mut state, library, pc) = (State::default(), Library::new(), pc(below_1000));
    let server = Server::new(1);
    let mut new = server.info(&Revision { number: 1, needs: None, leaf: false, action: Action::Install });
    new.xml = Some("<UpdateIdentity".into());
    let mut info = Server::new(0)
        .sync(&SyncUpdates { cookie: None, parameters: Some(weir_wire::wusp::SyncUpdateParameters::new()) });
    info.new_updates = vec![new];
    let mut outcome = ScanOutcome::default();
    apply::apply(&mut state, &library, &pc, info, &mut outcome).expect("taken");
    assert_eq!(outcome.unreadable.len(), 1);
    let attributes = spec::attributes(&pc.description, &Options::default(), None);
    let (request, _) = lists::software(&state, &[], 400, attributes);
    assert_eq!(request.parameters.expect("parameters").other_cached_update_ids, [RevisionId(101)]);
    state.cache.remove(&[101]);
    assert!(state.cache.unreadable().is_empty());
}

/// Something that goes wrong.
fn trouble() -> impl Strategy<Value = Option<Failure>> {
    let operation = Operation::SyncUpdates;
    let codes = [
        "InvalidCookie",
        "ServerChanged",
        "ConfigChanged",
        "CookieExpired",
        "RegistrationRequired",
        "RegistrationNotRequired",
        "InvalidAuthorizationCookie",
        "InvalidParameters",
        "ServerBusy",
        "InternalServerError",
        "FileLocationChanged",
    ];
    prop_oneof![
        6 => Just(None),
        5 => proptest::sample::select(codes.to_vec()).prop_map(move |code| Some(fault(operation, code))),
        1 => (400_u16..600).prop_map(move |status| Some(Failure::Status { operation, status })),
        1 => Just(Some(Failure::Cut("reset".into()))),
    ]
}

proptest! {
    /// Whatever faults come in whatever order, also for ever: a scan ends, well or with a problem, within its bound of
    /// calls; and one without further trouble then brings the whole catalogue.
    #[test]
    fn every_scan_ends(sequence in proptest::collection::vec(trouble(), 0..40), for_ever in any::<bool>(), replaced in any::<bool>()) {
        let (mut server, mut state, library) = (Server::new(12), State::default(), Library::new());
        let pc = pc(below_1000);
        server.page = 5;
        let mut all = Trouble::new();
        for (at, failure) in sequence.iter().enumerate() {
            let failure = failure.clone();
            let mut place = at + 1;
            while place < 4_000 {
                let failure = failure.clone();
                all.insert(place, Box::new(move |_, _| failure.clone()));
                if !for_ever { break; }
                place += sequence.len();
            }
        }
        let (outcome, result) = scan(&mut server, &mut state, &library, &pc, Options::default(), &all);
        // a recovery costs its fault and at most five calls; each trip, the driver pass and each batch one
        let bound = 6 * (usize::from(crate::session::RECOVERIES) + 2) + TRIPS as usize + 1 + 25;
        prop_assert!(server.calls.len() <= bound, "{} calls", server.calls.len());
        prop_assert!(outcome.trips <= TRIPS);
        if result.is_ok() {
            prop_assert_eq!(known(&server, &state), whole(&server));
        }
        if replaced {
            server.base += 5_000;
        }
        let (_, result) = scan(&mut server, &mut state, &library, &pc, Options::default(), &Trouble::new());
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(known(&server, &state), whole(&server));
    }
}
