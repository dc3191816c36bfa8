//! Reports that cannot be right, through the door they come by: `docs/reporting-rules.md` says in words what is tested here and,
//! of single computers, in `weir_model::status`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    ids::UpdateIdentity,
    status::{ComputerStatus, State, UpdateNumber},
};
use weir_testkit::{Computer, Document, Random, ScriptedAgent};
use weir_wire::{
    soap::ErrorCode,
    wusp::{ReportEventBatch, ReportingEvent},
};

use crate::{
    common::{Server, actor, id},
    support::{code, stored},
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

fn ago(seconds: i64) -> Timestamp {
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("time");
    now - SignedDuration::from_secs(seconds)
}

fn event(event_id: i16, update: Option<u128>, misc: &[&str], at: Timestamp) -> ReportingEvent {
    let update = update.map(|number| UpdateIdentity::new(id(number), 1));
    let result = if matches!(event_id, 182 | 148) { FAILURE } else { 0 };
    let misc = misc.iter().map(|&text| text.to_owned()).collect();
    weir_testkit::agent::event(&Computer::numbered(1).client_id, at, event_id, update, result, Vec::new(), misc)
}

/// A client status with one list.
fn status_of(tag: &str, updates: &[u128], at: Timestamp) -> ReportingEvent {
    let ids: Vec<String> = updates.iter().map(|number| id(*number).to_string().to_uppercase()).collect();
    event(156, None, &[&format!("{tag}={}", ids.join(";"))], at)
}

fn batch(agent: &ScriptedAgent, events: Vec<ReportingEvent>) -> ReportEventBatch {
    ReportEventBatch { cookie: agent.state.cookie.clone(), client_time: Some(Timestamp::now()), event_batch: events }
}

async fn report(agent: &mut ScriptedAgent, events: Vec<ReportingEvent>) {
    let request = batch(agent, events);
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

fn logged(server: &Server, agent: &ScriptedAgent) -> usize {
    let no = server.computer(agent).expect("row").no;
    let page = server.state.store.read(|tx| tx.event_list(no, None, 100_000)).expect("log");
    page.items.len()
}

/// The same computer on another connection, with the same cookie.
fn twin(server: &Server, agent: &ScriptedAgent) -> ScriptedAgent {
    let mut twin = server.agent_of(agent.computer.clone());
    twin.state = agent.state.clone();
    twin
}

/// Three connections of one computer send what happened, cut into batches of any size and in any order, each batch twice:
/// every event is there once, and the states are those that the times of the events make.
#[tokio::test]
async fn batches_of_one_computer_interleave_from_several_connections() {
    let (server, agent) = scanned().await;
    let mut random = Random::new(7);
    let steps: [(i16, State); 4] =
        [(182, State::Failed), (183, State::Installed), (184, State::PendingRestart), (222, State::Required)];
    let mut expected = BTreeMap::new();
    let mut events: Vec<ReportingEvent> = (0..600_i64)
        .map(|index| {
            let update = random.below(9) as u128 + 1;
            let (event_id, state) = *random.pick(&steps);
            expected.insert(update, state);
            event(event_id, Some(update), &[], ago(1_000 - index))
        })
        .collect();
    random.shuffle(&mut events);
    let mut batches = Vec::new();
    while !events.is_empty() {
        let size = (random.below(25) + 1).min(events.len());
        batches.push(events.split_off(events.len() - size));
    }
    let mut tasks = Vec::new();
    for connection in 0..3 {
        let mut twin = twin(&server, &agent);
        // each batch on two of the three connections, in another order on each
        let mut own: Vec<_> =
            batches.iter().enumerate().filter(|(index, _)| index % 3 != connection).map(|(_, it)| it.clone()).collect();
        if connection == 1 {
            own.reverse();
        }
        tasks.push(tokio::spawn(async move {
            for events in own {
                report(&mut twin, events).await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("reported");
    }
    assert_eq!(logged(&server, &agent), 600, "each event once");
    for (update, expected) in expected {
        assert_eq!(state(&server, &agent, update), Some(expected), "{update}");
    }
}

/// Two connections bring two full reports at once: the newer by its own time counts, whichever comes first.
#[tokio::test]
async fn of_full_reports_on_two_connections_the_newer_counts() {
    let (server, agent) = scanned().await;
    for round in 0..20_i64 {
        let (older, newer) = (ago(500 - round * 10), ago(499 - round * 10));
        let mut tasks = Vec::new();
        for event in [status_of("U", &[1, 2], older), status_of("V", &[2, 3], newer)] {
            let mut twin = twin(&server, &agent);
            tasks.push(tokio::spawn(async move { report(&mut twin, vec![event]).await }));
        }
        for task in tasks {
            task.await.expect("reported");
        }
        let states = [1, 2, 3].map(|update| state(&server, &agent, update));
        assert_eq!(states, [None, Some(State::Installed), Some(State::Installed)], "round {round}");
        assert_eq!(status(&server, &agent).as_of, Some(newer));
    }
}

/// An empty full report that comes alone, at the time of a full one, wipes nothing; a later one does.
#[tokio::test]
async fn an_empty_report_does_not_replace_a_full_one_of_its_time() {
    let (server, mut agent) = scanned().await;
    let at = ago(60);
    report(&mut agent, vec![event(156, None, &["U="], at), status_of("U", &[1], at)]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Required));
    report(&mut agent, vec![event(156, None, &["U="], at)]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Required));
    report(&mut agent, vec![event(156, None, &["U="], ago(30))]).await;
    assert_eq!(state(&server, &agent, 1), None);
}

/// An empty batch is answered and changes nothing.
#[tokio::test]
async fn an_empty_batch_is_nothing() {
    let (server, mut agent) = scanned().await;
    let before = stored(&server);
    report(&mut agent, Vec::new()).await;
    assert_eq!(stored(&server), before);
}

/// The zero GUID identifies no event: each counts, of every computer, and a repetition does not.
#[tokio::test]
async fn events_without_an_id_count_once_each() {
    let (server, mut agent) = scanned().await;
    let mut other = server.agent(2);
    other.scan().await.expect("scan");
    let nameless = |mut event: ReportingEvent| {
        event.basic_data.as_mut().expect("data").event_instance_id = Uuid::nil();
        event
    };
    let events = vec![
        nameless(event(182, Some(1), &[], ago(60))),
        nameless(event(182, Some(2), &[], ago(60))),
        nameless(event(183, Some(1), &[], ago(50))),
        nameless(event(147, None, &[], ago(40))),
        nameless(status_of("U", &[3], ago(30))),
    ];
    report(&mut agent, events.clone()).await;
    report(&mut other, vec![nameless(event(182, Some(1), &[], ago(60)))]).await;
    assert_eq!((logged(&server, &agent), logged(&server, &other)), (3, 1));
    assert_eq!(state(&server, &agent, 3), Some(State::Required));
    assert_eq!(state(&server, &other, 1), Some(State::Failed));
    let before = stored(&server);
    report(&mut agent, events).await;
    assert_eq!(stored(&server), before, "a repetition");
    report(&mut agent, vec![nameless(status_of("V", &[3], ago(20)))]).await;
    assert_eq!(state(&server, &agent, 3), Some(State::Installed), "a later one without an id is another one");
}

/// Copies of an image that carries events which wait to be sent: each copy has what they tell, and the log has each once.
#[tokio::test]
async fn the_same_event_of_two_computers_counts_for_both() {
    let (server, mut agent) = scanned().await;
    let mut copy = server.agent(2);
    copy.scan().await.expect("scan");
    let waiting = vec![event(183, Some(1), &[], ago(60)), event(182, Some(2), &[], ago(50))];
    report(&mut agent, waiting.clone()).await;
    report(&mut copy, waiting.clone()).await;
    for computer in [&agent, &copy] {
        assert_eq!(state(&server, computer, 1), Some(State::Installed));
        assert_eq!(state(&server, computer, 2), Some(State::Failed));
    }
    assert_eq!((logged(&server, &agent), logged(&server, &copy)), (2, 0));
    let before = stored(&server);
    report(&mut copy, waiting).await;
    assert_eq!(stored(&server), before, "a repetition");
}

/// A computer that is deleted while its report is on the way is told to come again, and is then new.
#[tokio::test]
async fn a_computer_that_was_forgotten_while_it_reports_comes_again() {
    let (server, mut agent) = scanned().await;
    let no = server.computer(&agent).expect("row").no;
    // as a retirement does, before the directory has heard of it
    server.state.store.write(&actor(), |tx| tx.computer_delete(no)).expect("deleted");
    let request = batch(&agent, vec![status_of("U", &[1], ago(5)), event(182, Some(2), &[], ago(4))]);
    assert_eq!(code(&mut agent, &request).await, Some(ErrorCode::ServerBusy));
    assert!(server.computer(&agent).is_none(), "nothing of it is stored for nobody");
    assert!(agent.call(&request).await.expect("stored").result);
    let row = server.computer(&agent).expect("row");
    assert_ne!(row.no, no);
    assert_eq!(state(&server, &agent, 2), Some(State::Failed));
    assert_eq!(state(&server, &agent, 1), Some(State::Required));
}

/// A retired computer that calls comes back with what it had, even if no more new computers may appear.
#[tokio::test]
async fn a_retired_computer_is_not_a_new_one() {
    let (server, mut agent) = scanned().await;
    let pilot = server.collection("Pilot").await;
    server.join(&agent, pilot).await;
    report(&mut agent, vec![status_of("V", &[1], ago(5))]).await;
    let row = server.computer(&agent).expect("row");
    let later = Timestamp::now() + SignedDuration::from_secs(1);
    let retire =
        |tx: &weir_store::WriteTx<'_>| tx.computer_retire(row.no, later, weir_model::retirement::Reason::Silent);
    assert!(server.state.store.write(&actor(), retire).expect("retired").is_some());
    server.publish().await;
    assert_eq!(server.state.live.directory.len(), 0);
    server.set(|settings| settings.new_computers_per_hour = 0);
    agent.scan().await.expect("it may come back");
    let back = server.computer(&agent).expect("row");
    assert_eq!(back.first_contact_at, row.first_contact_at);
    let groups = server.state.store.read(|tx| tx.computer_collections(back.no)).expect("groups");
    assert_eq!(groups, [pilot]);
    assert_eq!(status(&server, &agent), ComputerStatus::default(), "what it reported must be reported anew");
    let mut stranger = server.agent(99);
    assert!(stranger.scan().await.is_err(), "others may not appear");
}

/// Re-imaged with the same id: the agent has nothing of before, and its first full report takes the place of all.
#[tokio::test]
async fn a_machine_that_was_installed_anew_under_its_id_is_the_same_computer() {
    let (server, mut agent) = scanned().await;
    report(&mut agent, vec![status_of("V", &[1, 2, 3], ago(60)), event(182, Some(4), &[], ago(50))]).await;
    let before = server.computer(&agent).expect("row");
    let mut anew = server.agent_of(Computer { os_build: 26_300, ..agent.computer.clone() });
    anew.scan().await.expect("a full scan");
    report(&mut anew, vec![status_of("U", &[1], ago(5))]).await;
    let after = server.computer(&anew).expect("row");
    assert_eq!((after.no, after.first_contact_at), (before.no, before.first_contact_at));
    assert_eq!(after.registration.expect("registered").os_build_number, 26_300);
    let states = [1, 2, 3, 4].map(|update| state(&server, &anew, update));
    assert_eq!(states, [Some(State::Required), None, None, None]);
    let memory = server.state.store.read(|tx| tx.computer_prints(after.no)).expect("prints");
    assert!(memory.judge(Timestamp::now()).is_none(), "one change is no clone");
    assert_eq!(memory.sightings().len(), 2, "the sheets of before and after");
}

/// A renamed computer keeps its row and status.
#[tokio::test]
async fn a_renamed_computer_is_the_same_computer() {
    let (server, mut agent) = scanned().await;
    report(&mut agent, vec![status_of("V", &[1], ago(60))]).await;
    let before = server.computer(&agent).expect("row");
    agent.computer.dns_name = "renamed.example.test".to_owned();
    // its cookie still has the name of before
    report(&mut agent, vec![event(147, None, &[], ago(50))]).await;
    assert_eq!(server.computer(&agent).expect("row").dns_name, before.dns_name);
    agent.state.cookie = None;
    agent.scan().await.expect("scan");
    let after = server.computer(&agent).expect("row");
    assert_eq!((after.no, after.dns_name.as_str()), (before.no, "renamed.example.test"));
    assert_eq!(state(&server, &agent, 1), Some(State::Installed));
    let memory = server.state.store.read(|tx| tx.computer_prints(after.no)).expect("prints");
    assert_eq!((memory.sightings().len(), memory.judge(Timestamp::now())), (2, None));
}

/// What is not known when it is reported is unknown when it becomes known, until the next full report.
#[tokio::test]
async fn an_update_that_comes_after_the_report_is_unknown() {
    let (server, mut agent) = scanned().await;
    report(&mut agent, vec![status_of("V", &[1, 50], ago(60)), event(182, Some(50), &[], ago(50))]).await;
    assert_eq!(status(&server, &agent).entries().len(), 1);
    server.import(&[Document::software(id(50), 1).title("Late")]).await;
    let scope = |status: &ComputerStatus| {
        let published = server.state.live.current();
        let groups = server.state.live.directory.find(&agent_id()).expect("known").groups.clone();
        let scope = published.scope(&groups);
        let offers = published.snapshot.offers(&scope.scope);
        let offer = offers.into_iter().find(|offer| offer.identity.update_id == id(50)).expect("in scope");
        status.state_of(number(&server, 50), Some(offer.entered))
    };
    assert_eq!(scope(&status(&server, &agent)), State::Unknown);
    agent.scan().await.expect("scan");
    report(&mut agent, vec![status_of("V", &[1, 50], ago(5))]).await;
    assert_eq!(scope(&status(&server, &agent)), State::Installed);
}

fn agent_id() -> weir_model::ids::ComputerId {
    Computer::numbered(1).client_id.parse().expect("a computer id")
}

/// A declined update is offered to nobody and known by nobody's status; what is reported of it is dropped, and it is unknown
/// when it is taken back, until the next full report.
#[tokio::test]
async fn a_declined_update_that_is_installed_is_nobodys() {
    let (server, mut agent) = scanned().await;
    report(&mut agent, vec![status_of("V", &[1, 2], ago(60))]).await;
    server.decline(id(2)).await;
    report(&mut agent, vec![status_of("V", &[1, 2], ago(50)), event(183, Some(2), &[], ago(40))]).await;
    let kept = state(&server, &agent, 2);
    server.state.store.write(&actor(), |tx| tx.update_undecline(id(2))).expect("taken back");
    server.publish().await;
    // whatever was kept is what the computer said
    assert!(kept.is_none_or(|state| state == State::Installed), "{kept:?}");
    report(&mut agent, vec![status_of("V", &[1, 2], ago(5))]).await;
    assert_eq!(state(&server, &agent, 2), Some(State::Installed));
}

/// Times that no client can have had count as of the receipt; later ones, too.
#[tokio::test]
async fn times_out_of_the_world_count_as_of_the_receipt() {
    let (server, mut agent) = scanned().await;
    let times = ["0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "9999-12-30T00:00:00Z"];
    for (round, at) in times.into_iter().enumerate() {
        let at: Timestamp = at.parse().expect("time");
        let before = Timestamp::now();
        let tag = if round % 2 == 0 { "U" } else { "V" };
        report(&mut agent, vec![status_of(tag, &[1], at), event(147, None, &[], at), event(202, None, &[], at)]).await;
        let expected = if round % 2 == 0 { State::Required } else { State::Installed };
        assert_eq!(state(&server, &agent, 1), Some(expected), "{at}");
        let row = server.computer(&agent).expect("row");
        let slack = SignedDuration::from_secs(1);
        for kept in [row.last_sync_at, row.last_report_at, row.last_reboot_at] {
            let kept = kept.expect("noted");
            assert!(kept >= before - slack && kept <= Timestamp::now(), "{at}: {kept}");
        }
    }
}

/// Thousands of events in one batch are stored, and more than the protocol's reader takes are refused as a whole.
#[tokio::test]
async fn a_batch_of_thousands_is_stored_and_one_beyond_the_bound_is_not() {
    let (server, mut agent) = scanned().await;
    let step = |index: usize| {
        event(if index.is_multiple_of(2) { 182 } else { 183 }, Some(1 + index as u128 % 9), &[], ago(10))
    };
    report(&mut agent, (0..4_000).map(step).collect()).await;
    assert_eq!(logged(&server, &agent), 4_000);
    let beyond = weir_wire::soap::Limits::default().list + 1;
    let bare = |index: usize| {
        let mut event = step(index);
        (event.extended_data, event.private_data) = (None, None);
        event
    };
    let request = batch(&agent, (0..beyond).map(bare).collect());
    assert_eq!(code(&mut agent, &request).await, Some(ErrorCode::InvalidParameters));
    assert_eq!(logged(&server, &agent), 4_000, "nothing of it");
}

/// One machine on two addresses or with an older cookie is no clone by that; machines whose reports step back again and again
/// are suspected.
#[tokio::test]
async fn reports_that_step_back_are_remembered() {
    let (server, mut agent) = scanned().await;
    let older = agent.state.clone();
    server.import(&[Document::software(id(20), 1).title("News")]).await;
    agent.scan().await.expect("scan");
    report(&mut agent, vec![status_of("V", &[1], ago(60))]).await;
    let no = server.computer(&agent).expect("row").no;
    let memory = || server.state.store.read(|tx| tx.computer_prints(no)).expect("prints");
    assert!(memory().sightings().is_empty());
    // a copy that has not scanned since
    let mut copy = twin(&server, &agent);
    copy.state = older;
    report(&mut copy, vec![status_of("U", &[1], ago(30))]).await;
    assert_eq!(memory().sightings().iter().map(|seen| seen.returns).collect::<Vec<_>>(), [1]);
    assert!(memory().judge(Timestamp::now()).is_none(), "once is no suspicion");
}
