//! Reports (checklist 50 to 54): stored before the answer, once, for the computer of the cookie.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::status::{ComputerStatus, State, UpdateNumber};
use weir_testkit::{Document, ScriptedAgent};
use weir_wire::wusp::{
    BasicData, ComputerTargetIdentifier, ExtendedData, ReportEventBatch, ReportingEvent, UpdateRevisionIdentifier,
};

use crate::common::{Server, id};

fn event(event_id: i16, update: Option<u128>, misc: &[&str]) -> ReportingEvent {
    ReportingEvent {
        basic_data: Some(BasicData {
            target_id: Some(ComputerTargetIdentifier { sid: Some("someone-else".to_owned()) }),
            sequence_number: 0,
            time_at_target: Some(Timestamp::now()),
            event_instance_id: Uuid::new_v4(),
            namespace_id: 1,
            event_id,
            source_id: 101,
            update_id: Some(UpdateRevisionIdentifier {
                update_id: update.map_or(Uuid::nil(), |number| id(number).0),
                revision_number: i32::from(update.is_some()),
            }),
            win32_hresult: if event_id == 182 { -2_145_124_329 } else { 0 },
            app_name: None,
        }),
        extended_data: Some(ExtendedData {
            replacement_strings: Vec::new(),
            misc_data: misc.iter().map(|&text| text.to_owned()).collect(),
            computer_brand: None,
            computer_model: None,
            bios_revision: None,
            processor_architecture: Some("Amd64Compatible".to_owned()),
            os_version: None,
            os_locale_id: 1_033,
            device_id: None,
        }),
        private_data: None,
    }
}

async fn report(agent: &mut ScriptedAgent, events: &[ReportingEvent]) {
    let request = ReportEventBatch {
        cookie: agent.state.cookie.clone(),
        client_time: Some(Timestamp::now()),
        event_batch: events.to_vec(),
    };
    assert!(agent.call(&request).await.expect("stored").result);
}

fn status(server: &Server, agent: &ScriptedAgent) -> ComputerStatus {
    let no = server.computer(agent).expect("row").no;
    let row = server.state.store.read(|tx| tx.computer_status(no)).expect("status");
    ComputerStatus::decode(&row.status).expect("decodes")
}

fn state(server: &Server, agent: &ScriptedAgent, update: u128) -> Option<State> {
    let number = server.state.store.read(|tx| tx.update_no(id(update))).expect("read").expect("known");
    status(server, agent).entry(UpdateNumber(number)).map(|entry| entry.state)
}

async fn ready() -> (Server, ScriptedAgent) {
    let server = Server::start().await;
    let documents: Vec<_> = (1..=3).map(|number| Document::software(id(number), 1).title("Update")).collect();
    server.import(&documents).await;
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    (server, agent)
}

#[tokio::test]
async fn checklist_50_51_and_54_a_client_status_counts_once_for_the_cookies_computer() {
    let (server, mut agent) = ready().await;
    let needed = format!("U={};{}", id(1).to_string().to_uppercase(), id(3).to_string().to_uppercase());
    let installed = format!("V={}", id(2).to_string().to_uppercase());
    let batch = [event(147, None, &[]), event(156, None, &[&needed, &installed, "WUfBOn=0"])];
    report(&mut agent, &batch).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Required));
    assert_eq!(state(&server, &agent, 2), Some(State::Installed));
    assert_eq!(state(&server, &agent, 3), Some(State::Required));
    let row = server.computer(&agent).expect("row");
    assert_eq!(row.last_sync_succeeded, Some(true));
    let reported = row.last_report_at.expect("reported");

    report(&mut agent, &batch).await;
    assert_eq!(server.computer(&agent).expect("row").last_report_at, Some(reported), "a repeat counts once");
    report(&mut agent, &[event(156, None, &[&installed])]).await;
    assert_eq!(state(&server, &agent, 1), None, "unlisted updates leave the set");
    assert_eq!(server.state.live.directory.len(), 1, "the name in an event makes no computer");
}

#[tokio::test]
async fn checklist_52_a_failure_is_seen_at_once_and_logged_once() {
    let (server, mut agent) = ready().await;
    report(&mut agent, &[event(156, None, &[&format!("U={}", id(1))])]).await;
    let failure = event(182, Some(1), &[]);
    report(&mut agent, &[failure.clone(), failure.clone()]).await;
    report(&mut agent, &[failure]).await;
    assert_eq!(state(&server, &agent, 1), Some(State::Failed));
    let no = server.computer(&agent).expect("row").no;
    let log = server.state.store.read(|tx| tx.event_list(no, None, 100)).expect("log").items;
    let failures: Vec<_> = log.iter().filter(|row| row.event_id == 182).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].hresult, -2_145_124_329);

    let member = event(182, Some(2), &[&format!("M={};1", id(1))]);
    report(&mut agent, &[member]).await;
    assert_eq!(state(&server, &agent, 2), None, "a member's failure is detail");
}

#[tokio::test]
async fn checklist_53_unknown_events_and_updates_are_tolerated() {
    let (server, mut agent) = ready().await;
    let batch = [event(999, Some(77), &["odd", "=", "x=y=z"]), event(148, None, &[]), event(162, Some(1), &[])];
    report(&mut agent, &batch).await;
    report(&mut agent, &[]).await;
    assert_eq!(server.computer(&agent).expect("row").last_sync_succeeded, Some(false));
}

#[tokio::test]
async fn reports_need_a_cookie() {
    let (server, mut agent) = ready().await;
    agent.state.cookie = None;
    let request = ReportEventBatch { cookie: None, client_time: None, event_batch: vec![event(147, None, &[])] };
    let refused = agent.call(&request).await.expect_err("refused");
    assert_eq!(weir_testkit::agent::fault_code(&refused), Some(weir_wire::soap::ErrorCode::InvalidCookie));
    assert_eq!(server.computer(&agent).expect("row").last_sync_at, None);
}

#[tokio::test]
async fn many_computers_report_at_once() {
    let (server, _) = ready().await;
    let mut tasks = Vec::new();
    for number in 100..164 {
        let mut agent = server.agent(number);
        tasks.push(tokio::spawn(async move {
            agent.scan().await.expect("scan");
            report(&mut agent, &[event(156, None, &[&format!("U={}", id(1))])]).await;
            agent
        }));
    }
    for task in tasks {
        let agent = task.await.expect("agent");
        assert_eq!(state(&server, &agent, 1), Some(State::Required));
    }
}
