//! Status reports (checklist 50 to 54): stored before the answer, once, for the computer of the cookie.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    ids::UpdateIdentity,
    status::{ComputerStatus, State, UpdateNumber},
};
use weir_server::state::ClientSettings;
use weir_store::event::EventRow;
use weir_testkit::{Computer, Document, ScriptedAgent};
use weir_wire::{
    soap::ErrorCode,
    wusp::{ComputerTargetIdentifier, PrivateData, ReportEventBatch, ReportEventBatch2, ReportingEvent},
};

use crate::{
    common::{Server, id},
    support::{NS_R, REPORTING, code, cookie_xml, message, stored},
};

const FAILURE: i32 = -2_145_124_329;

/// A server with updates 1 to 9, and a computer that has scanned.
async fn scanned() -> (Server, ScriptedAgent) {
    let server = Server::start().await;
    let documents: Vec<_> = (1..=9).map(|number| Document::software(id(number), 1).title("Update")).collect();
    server.import(&documents).await;
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    (server, agent)
}

/// An instant some seconds before now, in whole milliseconds as the status keeps them.
fn ago(seconds: i64) -> Timestamp {
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("time");
    now - SignedDuration::from_secs(seconds)
}

/// An event of the computer that [`scanned`] gives.
fn event(event_id: i16, update: Option<u128>, misc: &[&str], at: Timestamp) -> ReportingEvent {
    let update = update.map(|number| UpdateIdentity::new(id(number), 1));
    let result = if matches!(event_id, 182 | 148) { FAILURE } else { 0 };
    let misc = misc.iter().map(|&text| text.to_owned()).collect();
    weir_testkit::agent::event(&Computer::numbered(1).client_id, at, event_id, update, result, Vec::new(), misc)
}

fn upper(numbers: &[u128]) -> String {
    numbers.iter().map(|number| id(*number).to_string().to_uppercase()).collect::<Vec<_>>().join(";")
}

async fn report(agent: &mut ScriptedAgent, events: Vec<ReportingEvent>) {
    let cookie = agent.state.cookie.clone();
    let request = ReportEventBatch { cookie, client_time: Some(Timestamp::now()), event_batch: events };
    assert!(agent.call(&request).await.expect("stored").result);
}

fn status(server: &Server, agent: &ScriptedAgent) -> ComputerStatus {
    let no = server.computer(agent).expect("row").no;
    let row = server.state.store.read(|tx| tx.computer_status(no)).expect("status");
    if row.status.is_empty() {
        ComputerStatus::default()
    } else {
        ComputerStatus::decode(&row.status).expect("decodes")
    }
}

fn number(server: &Server, update: u128) -> UpdateNumber {
    UpdateNumber(server.state.store.read(|tx| tx.update_no(id(update))).expect("read").expect("known"))
}

fn state(server: &Server, agent: &ScriptedAgent, update: u128) -> Option<State> {
    status(server, agent).entry(number(server, update)).map(|entry| entry.state)
}

fn log(server: &Server, agent: &ScriptedAgent) -> Vec<EventRow> {
    let no = server.computer(agent).expect("row").no;
    server.state.store.read(|tx| tx.event_list(no, None, 1_000)).expect("log").items
}

fn latest(server: &Server, agent: &ScriptedAgent) -> Vec<EventRow> {
    let no = server.computer(agent).expect("row").no;
    server.state.store.read(|tx| tx.event_latest(no)).expect("events")
}

/// Checklist 50: a batch in the native shape, spelled by hand, is stored and answered true; it is there after a
/// restart. (A killed server: `crates/weir/tests/system/crash.rs`.)
#[tokio::test]
async fn c50_a_native_batch_is_stored_before_the_answer() {
    let (server, agent) = scanned().await;
    let cookie = agent.state.cookie.clone().expect("cookie");
    let sid = agent.computer.client_id.to_uppercase();
    let event = |event_id: i32, update: String, hresult: i64, misc: &str| {
        format!(
            "<ReportingEvent><BasicData><TargetID><Sid>{sid}</Sid></TargetID><SequenceNumber>0</SequenceNumber>\
             <TimeAtTarget>2026-10-04T10:32:02.123</TimeAtTarget><EventInstanceID>{}</EventInstanceID>\
             <NamespaceID>1</NamespaceID><EventID>{event_id}</EventID><SourceID>101</SourceID><UpdateID>{update}</UpdateID>\
             <Win32HResult>{hresult}</Win32HResult><AppName>UpdateOrchestrator</AppName></BasicData><ExtendedData>\
             <ReplacementStrings/><MiscData>{misc}</MiscData><ComputerBrand>Example</ComputerBrand>\
             <ComputerModel>Test</ComputerModel><BiosRevision>unknown</BiosRevision>\
             <ProcessorArchitecture>Amd64Compatible</ProcessorArchitecture><OSVersion><Major>10</Major><Minor>0</Minor>\
             <Build>26200</Build><Revision>8037</Revision><ServicePackMajor>0</ServicePackMajor>\
             <ServicePackMinor>0</ServicePackMinor></OSVersion><OSLocaleID>1033</OSLocaleID></ExtendedData>\
             <PrivateData><ComputerDnsName></ComputerDnsName><UserAccountName></UserAccountName></PrivateData>\
             </ReportingEvent>",
            Uuid::new_v4()
        )
    };
    let none = "<UpdateID>00000000-0000-0000-0000-000000000000</UpdateID><RevisionNumber>0</RevisionNumber>".to_owned();
    let first = format!("<UpdateID>{}</UpdateID><RevisionNumber>1</RevisionNumber>", id(1));
    let batch = [
        event(147, none.clone(), 0, "<string>D=2</string>"),
        event(156, none, 0, &format!("<string>U={}</string><string>V={}</string>", upper(&[1, 3]), upper(&[2]))),
        event(182, first, FAILURE.into(), "<string>Q=2</string>"),
    ]
    .concat();
    let payload = format!(
        "{}<clientTime>2026-10-04T10:32:03.5Z</clientTime><eventBatch>{batch}</eventBatch>",
        cookie_xml(&cookie)
    );
    let body = message(NS_R, "ReportEventBatch", &payload);
    let answer = server.send("POST", REPORTING, &[("Accept-Encoding", "xpress")], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("private, max-age=0"));
    assert!(answer.text().contains("<ReportEventBatchResult>true</ReportEventBatchResult>"), "{}", answer.text());
    let server = server.restart(ClientSettings::default()).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Failed));
    assert_eq!(state(&server, &agent, 2), Some(State::Installed));
    assert_eq!(state(&server, &agent, 3), Some(State::Required));
    let row = server.computer(&agent).expect("row");
    assert_eq!(row.last_sync_succeeded, Some(true));
    assert_eq!(row.last_sync_at, Some("2026-10-04T10:32:02.123Z".parse().expect("time")));
    let [failure] = &log(&server, &agent)[..] else { panic!("one event names an update") };
    assert_eq!((failure.event_id, failure.hresult, failure.source_id), (182, FAILURE, 101));
    assert_eq!(failure.at_target, "2026-10-04T10:32:02.123Z".parse().expect("time"));
    assert!(failure.detail.as_deref().is_some_and(|text| text.contains("UpdateOrchestrator") && text.contains("Q=2")));
}

/// Checklist 50: the same EventInstanceID counts once: within a batch, over batches, and for events with and without an
/// update.
#[tokio::test]
async fn c50_an_event_counts_once() {
    let (server, mut agent) = scanned().await;
    let batch = vec![
        event(147, None, &[], ago(30)),
        event(156, None, &[&format!("U={}", upper(&[1]))], ago(30)),
        event(182, Some(1), &[], ago(20)),
    ];
    let doubled: Vec<_> = batch.iter().chain(&batch).cloned().collect();
    report(&mut agent, doubled).await;
    let (events, status_before) = (log(&server, &agent), status(&server, &agent));
    assert_eq!(events.len(), 1);
    let everything = stored(&server);
    report(&mut agent, batch.clone()).await;
    assert_eq!(stored(&server), everything, "a repeated batch changes nothing at all");

    // a repeated failure does not undo what came after it
    report(&mut agent, vec![event(183, Some(1), &[], ago(10))]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Installed));
    report(&mut agent, batch).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Installed));
    assert_eq!(log(&server, &agent).len(), 2);
    assert_eq!(status(&server, &agent).as_of, status_before.as_of);
}

/// Checklist 51: the lists of a client status and the states they mean; what is not listed any more is removed.
#[tokio::test]
async fn c51_the_lists_of_a_client_status() {
    let (server, mut agent) = scanned().await;
    assert_eq!(status(&server, &agent).reported, None, "unknown until the first");
    let lists = [format!("U={}", upper(&[1, 2])), format!("V={}", upper(&[3])), format!("W={}", upper(&[4]))];
    let more = [format!("g={}", upper(&[5])), format!("h={}", upper(&[6]))];
    let misc: Vec<&str> =
        lists.iter().chain(&more).map(String::as_str).chain(["WUfBOn=0", "cc=1", "AppName=x"]).collect();
    report(&mut agent, vec![event(156, None, &misc, ago(60))]).await;
    let expected = [
        (1, Some(State::Required)),
        (2, Some(State::Required)),
        (3, Some(State::Installed)),
        (4, Some(State::PendingRestart)),
        (5, Some(State::Failed)),
        (6, Some(State::Downloaded)),
        (7, None),
    ];
    for (update, expected) in expected {
        assert_eq!(state(&server, &agent, update), expected, "{update}");
    }
    let first = status(&server, &agent);
    assert!(server.computer(&agent).expect("row").last_report_at.is_some());

    // unlisted updates leave; unchanged ones keep their time, changed ones get a new one
    let misc = [format!("U={}", upper(&[1])), format!("V={}", upper(&[2, 3]))];
    let later = ago(30);
    report(&mut agent, vec![event(156, None, &[&misc[0], &misc[1]], later)]).await;
    let second = status(&server, &agent);
    assert_eq!(second.entries().len(), 3);
    let changed = |status: &ComputerStatus, update| status.entry(number(&server, update)).expect("listed").changed;
    assert_eq!(changed(&second, 1), changed(&first, 1), "unchanged");
    assert_eq!(changed(&second, 3), changed(&first, 3), "unchanged");
    assert_eq!(changed(&second, 2), later, "installed since");
    // not listed and delivered by the last scan: not applicable
    let anchor = second.anchor;
    assert_eq!(second.state_of(number(&server, 7), Some(anchor)), State::NotApplicable);
    assert_eq!(second.state_of(number(&server, 7), None), State::Unknown);

    // no keys at all: an empty set
    report(&mut agent, vec![event(156, None, &["WUfBOn=0"], ago(20))]).await;
    assert_eq!(status(&server, &agent).entries(), []);
}

/// Checklist 51: `WUfBOn=0` is no `W`, a small `u` is no `U`, a bare `V=` is an empty list, and the last tag letter of
/// a longer name is nothing.
#[tokio::test]
async fn c51_tags_are_whole_and_case_sensitive() {
    let (server, mut agent) = scanned().await;
    let first = upper(&[1]);
    for misc in [
        format!("WUfBOn={first}"),
        format!("u={first}"),
        format!("v={first}"),
        format!("w={first}"),
        format!("G={first}"),
        format!("H={first}"),
        format!("UU={first}"),
        format!(" U={first}"),
        format!("X=U={first}"),
        "V=".to_owned(),
        "U".to_owned(),
        "U=not-a-guid;;;".to_owned(),
    ] {
        report(&mut agent, vec![event(156, None, &[&misc], ago(0))]).await;
        assert_eq!(status(&server, &agent).entries(), [], "{misc}");
    }
    let misc = format!("U=rubbish;{first};;{{x}}");
    report(&mut agent, vec![event(156, None, &[&misc], ago(0))]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Required), "the good one counts");
}

/// Checklist 51: of two client statuses at one time the last counts, an older one does not overwrite; as recorded, with a
/// failed detection of another service beside a successful one.
#[tokio::test]
async fn c51_two_at_one_time() {
    let (server, mut agent) = scanned().await;
    let at = ago(60);
    let full = format!("U={}", upper(&[1, 2]));
    let mut other = event(148, None, &[], at);
    other.basic_data.as_mut().expect("data").win32_hresult = 0x8024_0438_u32.cast_signed();
    let batch = vec![
        event(147, None, &[], at),
        event(156, None, &["WUfBOn=0"], at),
        other,
        event(147, None, &[], at),
        event(156, None, &[&full], at),
    ];
    report(&mut agent, batch).await;
    assert_eq!(status(&server, &agent).entries().len(), 2, "the last of the two");
    assert_eq!(server.computer(&agent).expect("row").last_sync_succeeded, Some(true));
    let changed = status(&server, &agent).entries()[0].changed;
    report(&mut agent, vec![event(156, None, &["V="], at - SignedDuration::from_secs(1))]).await;
    assert_eq!(status(&server, &agent).entries().len(), 2, "an older one is nothing");
    let reversed = vec![event(156, None, &[&full], at), event(156, None, &["WUfBOn=0"], at)];
    report(&mut agent, reversed).await;
    assert_eq!(status(&server, &agent).entries(), [], "the last of the two, in any order");
    assert_eq!(changed, at);
}

/// Checklist 52: a failure is seen at once with its code, a later status says installed, a member's failure is detail.
#[tokio::test]
async fn c52_a_failure_is_seen_at_once() {
    let (server, mut agent) = scanned().await;
    let needed = format!("U={}", upper(&[1, 2]));
    report(&mut agent, vec![event(156, None, &[&needed], ago(100))]).await;
    let steps = [161, 162, 167, 181, 201];
    for event_id in steps {
        report(&mut agent, vec![event(event_id, Some(1), &["Q=2"], ago(90))]).await;
        assert_eq!(state(&server, &agent, 1), Some(State::Required), "{event_id} changes nothing");
    }
    let of_member = format!("M={};1", upper(&[1]));
    let at = ago(80);
    report(&mut agent, vec![event(182, Some(2), &["Q=1", &of_member], at), event(182, Some(1), &["Q=2"], at)]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Failed));
    assert_eq!(state(&server, &agent, 2), Some(State::Required), "a member's failure changes only the log");
    let failed = *status(&server, &agent).entry(number(&server, 1)).expect("listed");
    assert_eq!((failed.error, failed.changed), (Some(FAILURE), at));
    let failures: Vec<_> = log(&server, &agent).into_iter().filter(|row| row.event_id == 182).collect();
    assert_eq!(failures.len(), 2);
    assert!(failures.iter().all(|row| row.hresult == FAILURE));

    let installed = [format!("V={}", upper(&[1])), format!("U={}", upper(&[2]))];
    report(&mut agent, vec![event(156, None, &[&installed[0], &installed[1]], ago(70))]).await;
    let entry = *status(&server, &agent).entry(number(&server, 1)).expect("listed");
    assert_eq!((entry.state, entry.error), (State::Installed, None));
}

/// Checklist 53: 147 and 148 set time and result of the last synchronization, 202 the last restart.
#[tokio::test]
async fn c53_detections_set_the_last_synchronization() {
    let (server, mut agent) = scanned().await;
    let row = |server: &Server, agent: &ScriptedAgent| {
        let row = server.computer(agent).expect("row");
        (row.last_sync_at, row.last_sync_succeeded, row.last_sync_error, row.last_reboot_at)
    };
    assert_eq!(row(&server, &agent), (None, None, None, None));
    let times = [ago(50), ago(40), ago(30)];
    report(&mut agent, vec![event(147, None, &["D=3"], times[0])]).await;
    assert_eq!(row(&server, &agent), (Some(times[0]), Some(true), None, None));
    report(&mut agent, vec![event(148, None, &[], times[1])]).await;
    assert_eq!(row(&server, &agent), (Some(times[1]), Some(false), Some(FAILURE), None));
    report(&mut agent, vec![event(147, None, &[], times[0])]).await;
    assert_eq!(row(&server, &agent), (Some(times[1]), Some(false), Some(FAILURE), None), "an older one is nothing");
    report(&mut agent, vec![event(147, None, &[], times[2]), event(202, None, &[], times[2])]).await;
    assert_eq!(row(&server, &agent), (Some(times[2]), Some(true), None, Some(times[2])));
    let kinds: Vec<_> = latest(&server, &agent).iter().map(|row| row.event_id).collect();
    assert_eq!(kinds, [147, 148, 202], "the latest of each kind is kept");
}

/// Checklist 53: unknown events, unknown updates, odd texts and absent parts are tolerated and stored.
#[tokio::test]
async fn c53_what_is_not_known_is_tolerated() {
    let (server, mut agent) = scanned().await;
    let mut bare = event(183, Some(1), &[], ago(9));
    (bare.extended_data, bare.private_data) = (None, None);
    let mut timeless = event(147, None, &[], ago(8));
    timeless.basic_data.as_mut().expect("data").time_at_target = None;
    let mut empty = event(147, None, &[], ago(7));
    empty.basic_data = None;
    let mut odd = event(999, Some(77), &["odd", "=", "x=y=z", "ü=漢字", "é;=;"], ago(6));
    odd.extended_data.as_mut().expect("data").processor_architecture = Some("Quantum".to_owned());
    odd.extended_data.as_mut().expect("data").replacement_strings = vec!["<script>".to_owned(), String::new()];
    odd.private_data = Some(PrivateData { computer_dns_name: Some("other.test".to_owned()), user_account_name: None });
    let negative = event(i16::MIN, None, &[], ago(5));
    let far = event(156, None, &[&format!("U={}", upper(&[5]))], Timestamp::MAX);
    report(&mut agent, vec![bare, timeless, empty, odd, negative, far]).await;
    let logged: Vec<_> =
        log(&server, &agent).iter().map(|row| (row.event_id, row.update.map(|it| it.update_id))).collect();
    assert_eq!(logged, [(999, Some(id(77))), (183, Some(id(1)))]);
    assert!(
        log(&server, &agent)[0]
            .detail
            .as_deref()
            .is_some_and(|text| text.contains("漢字") && text.contains("<script>"))
    );
    assert_eq!(state(&server, &agent, 5), Some(State::Required), "a clock that runs ahead counts as now");
    report(&mut agent, vec![event(156, None, &[], Timestamp::now())]).await;
    assert_eq!(status(&server, &agent).entries(), [], "and does not freeze the status");
    assert_eq!(server.state.live.directory.len(), 1);
}

/// Checklist 53: lists of 300 ids, of which 290 are unknown here.
#[tokio::test]
async fn c53_lists_of_three_hundred() {
    let (server, mut agent) = scanned().await;
    let lists: Vec<String> = ["U", "V", "W", "g", "h"]
        .iter()
        .enumerate()
        .map(|(index, tag)| {
            let offset = index as u128 * 1_000;
            let numbers: Vec<u128> = (1_000..1_299).map(|number| number + offset).chain([index as u128 + 1]).collect();
            format!("{tag}={}", upper(&numbers))
        })
        .collect();
    let misc: Vec<&str> = lists.iter().map(String::as_str).collect();
    report(&mut agent, vec![event(156, None, &misc, ago(1))]).await;
    let states: Vec<_> = (1..=6).map(|update| state(&server, &agent, update)).collect();
    assert_eq!(
        states,
        [
            Some(State::Required),
            Some(State::Installed),
            Some(State::PendingRestart),
            Some(State::Failed),
            Some(State::Downloaded),
            None
        ]
    );
    assert_eq!(status(&server, &agent).entries().len(), 5);
    // and a batch of 300 events
    let batch = (0..300).map(|_| event(167, Some(1), &[], ago(1))).collect();
    report(&mut agent, batch).await;
    assert_eq!(log(&server, &agent).len(), 300);
}

/// Checklist 54: events count for the computer of the cookie, whatever name they carry.
#[tokio::test]
async fn c54_the_cookies_computer_counts() {
    let (server, mut agent) = scanned().await;
    let mut other = server.agent(2);
    other.scan().await.expect("scan");
    let mut foreign = event(156, None, &[&format!("U={}", upper(&[1]))], ago(5));
    let mut absent = event(147, None, &[], ago(5));
    let named = |sid: &str| Some(ComputerTargetIdentifier { sid: Some(sid.to_owned()) });
    foreign.basic_data.as_mut().expect("data").target_id = named(&other.computer.client_id);
    absent.basic_data.as_mut().expect("data").target_id = None;
    let mut stranger = event(183, Some(2), &[], ago(4));
    stranger.basic_data.as_mut().expect("data").target_id = named("nobody & <nothing>");
    report(&mut agent, vec![foreign, absent, stranger]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Required));
    assert_eq!(state(&server, &agent, 2), Some(State::Installed));
    assert_eq!(server.computer(&agent).expect("row").last_sync_succeeded, Some(true));
    assert_eq!(status(&server, &other), ComputerStatus::default());
    assert_eq!(server.computer(&other).expect("row").last_sync_at, None);
    assert_eq!(server.state.live.directory.len(), 2, "a name makes no computer");
}

/// Checklist 54, and the call of the description that has a name for a cookie: nobody reports without one.
#[tokio::test]
async fn c54_a_name_is_no_cookie() {
    let (server, mut agent) = scanned().await;
    let batch = vec![event(156, None, &[&format!("U={}", upper(&[1]))], ago(5))];
    let before = stored(&server);
    let without = ReportEventBatch { cookie: None, client_time: None, event_batch: batch.clone() };
    assert_eq!(code(&mut agent, &without).await, Some(ErrorCode::InvalidCookie));
    let computer_id = Some(agent.computer.client_id.clone());
    let by_name = ReportEventBatch2 { computer_id, client_time: None, event_batch: batch };
    assert_eq!(code(&mut agent, &by_name).await, Some(ErrorCode::InvalidCookie));
    assert_eq!(stored(&server), before);
}

/// Checklist 50: many computers report at once, and each report is its computer's own.
#[tokio::test]
async fn c50_many_computers_report_at_once() {
    let (server, _) = scanned().await;
    let mut tasks = Vec::new();
    for number in 100..164 {
        let mut agent = server.agent(number);
        tasks.push(tokio::spawn(async move {
            agent.scan().await.expect("scan");
            let needed = u128::from(number % 9 + 1);
            report(&mut agent, vec![event(156, None, &[&format!("U={}", upper(&[needed]))], ago(0))]).await;
            (agent, needed)
        }));
    }
    for task in tasks {
        let (agent, needed) = task.await.expect("agent");
        assert_eq!(state(&server, &agent, needed), Some(State::Required));
        assert_eq!(status(&server, &agent).entries().len(), 1);
    }
}
