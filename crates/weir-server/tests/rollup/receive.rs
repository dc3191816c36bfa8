//! The receiving side (checklist of the server-to-server protocol, item 20).

use uuid::Uuid;
use weir_model::{
    ids::UpdateIdentity,
    rollup::{Activity, ClientSummary, ComputerChange, LastNumber, OsFingerprint, StatusEntry, UpdateStatus},
    status::State,
};
use weir_server::rollup::{Fault, Question, Reply};
use weir_store::downstream::Admission;
use weir_wire::wsss::{Request, RollupComputers, RollupDownstreamServers};

use crate::{
    common::id,
    site::{HOUR, Site, ago, ask, computer, details, entry, server},
};

const BELOW: Uuid = Uuid::from_u128(0xb1);

async fn upper() -> Site {
    let site = Site::open("top.example").await;
    site.admit(BELOW, "below.example");
    site
}

fn servers(servers: Vec<weir_model::rollup::ServerEntry>) -> Question {
    Question::Servers { client_time: ago(0), servers }
}

fn computers(computers: Vec<weir_model::rollup::ComputerEntry>) -> Question {
    Question::Computers { client_time: ago(0), computers }
}

fn status(number: i32, full: bool, states: &[(u128, State, i64)]) -> Question {
    let states = states.iter().map(|(update, state, seconds)| UpdateStatus {
        update: id(*update),
        state: state.protocol_number(),
        changed: ago(*seconds),
    });
    let entry = StatusEntry {
        instance: Uuid::new_v4(),
        computer: computer(1),
        effective: Some(ago(100)),
        number,
        full,
        states: states.collect(),
    };
    Question::Status { client_time: ago(0), parent: BELOW, computers: vec![entry] }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_that_of_the_protocol_and_its_reset_guid_stays() {
    let site = upper().await;
    let Reply::Configuration(first) = ask(&site, None, Question::Configuration).await.expect("answers") else {
        panic!()
    };
    assert!(first.detailed);
    assert_eq!(first.server, site.id());
    assert_eq!(
        (first.servers_batch, first.computers_batch, first.out_of_sync_batch, first.status_batch),
        (5_000, 1_500, 20_000, 500)
    );
    let Reply::Configuration(again) = ask(&site, None, Question::Configuration).await.expect("answers") else {
        panic!()
    };
    assert_eq!(first, again);
    // A database that was restored serves under another id: what was reported after the backup is lost.
    site.write(|tx| tx.rollup_reset_put(first.reset, Uuid::from_u128(99)));
    let Reply::Configuration(other) = ask(&site, None, Question::Configuration).await.expect("answers") else {
        panic!()
    };
    assert_ne!(first.reset, other.reset);
}

#[test]
fn item_20_an_oversize_batch_faults() {
    let info = weir_wire::wsss::ComputerRollupInfo { computer_id: Some("a".into()), ..Default::default() };
    let request = |count| {
        let computers = Some(vec![info.clone(); count]);
        Request::RollupComputers(RollupComputers { cookie: None, client_time: Some(ago(0)), computers })
    };
    assert!(matches!(Question::read(&request(1_500)), Some(Ok(_))));
    let refused = Question::read(&request(1_501)).expect("a roll-up").expect_err("too many");
    assert_eq!(refused.path, "computers");
    let absent = RollupDownstreamServers { cookie: None, client_time: Some(ago(0)), downstream_servers: None };
    let refused = Question::read(&absent.into()).expect("a roll-up").expect_err("no list");
    assert_eq!(refused.path, "downstreamServers");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_an_unknown_parent_faults_and_nothing_of_the_request_stays() {
    let site = upper().await;
    let stranger = Uuid::from_u128(0x5);
    let request = servers(vec![server(BELOW, Uuid::nil(), ago(5)), server(Uuid::from_u128(7), stranger, ago(5))]);
    let fault = ask(&site, Some(BELOW), request).await.expect_err("unknown parent");
    assert!(matches!(&fault, Fault::Internal(why) if why.contains(&stranger.to_string())), "{fault}");
    assert!(site.read(|tx| tx.rollup_servers()).is_empty());

    let request = servers(vec![server(BELOW, Uuid::nil(), ago(5))]);
    ask(&site, Some(BELOW), request).await.expect("taken");
    let fault = ask(&site, Some(BELOW), computers(vec![entry(1, BELOW, ago(5)), entry(2, stranger, ago(5))])).await;
    assert!(matches!(&fault, Err(Fault::Internal(why)) if why.contains(&stranger.to_string())), "{fault:?}");
    assert_eq!(site.read(|tx| tx.computer_count()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_come_in_any_order_and_the_receiver_is_meant_by_zero_or_its_id() {
    let site = upper().await;
    let [grandchild, child] = [2, 3].map(Uuid::from_u128);
    let request = servers(vec![
        server(grandchild, child, ago(5)),
        server(child, BELOW, ago(5)),
        server(BELOW, Uuid::nil(), ago(5)),
    ]);
    assert_eq!(ask(&site, Some(BELOW), request).await, Ok(Reply::Servers));
    let rows = site.read(|tx| tx.rollup_servers());
    let number = |id| rows.iter().find(|row| row.id == id).expect("stored").no;
    let parent = |id| rows.iter().find(|row| row.id == id).expect("stored").parent_no;
    assert_eq!((parent(BELOW), parent(child), parent(grandchild)), (1, number(BELOW), number(child)));
    let reported = site.read(|tx| tx.downstream_find(grandchild)).expect("a row");
    assert_eq!(reported.admission, Admission::Reported, "it may not synchronize because another named it");
    let direct = site.read(|tx| tx.downstream_find(BELOW)).expect("a row");
    assert_eq!(direct.software_version.as_deref(), Some("10.0.26100.1"));
    assert_eq!(direct.is_replica, Some(true));
    let again = servers(vec![server(BELOW, site.id(), ago(4))]);
    assert_eq!(ask(&site, Some(BELOW), again).await, Ok(Reply::Servers));
    assert_eq!(site.read(|tx| tx.rollup_servers())[0].parent_no, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_our_id_and_one_below_itself_fault() {
    let site = upper().await;
    let fault = ask(&site, Some(BELOW), servers(vec![server(site.id(), Uuid::nil(), ago(5))])).await;
    assert!(matches!(&fault, Err(Fault::Internal(why)) if why.contains("identity")), "{fault:?}");
    let [a, b] = [2, 3].map(Uuid::from_u128);
    let fault = ask(&site, Some(BELOW), servers(vec![server(a, b, ago(5)), server(b, a, ago(5))])).await;
    assert!(matches!(&fault, Err(Fault::Internal(why)) if why.contains("below itself")), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_a_stale_last_rollup_time_is_ignored_and_an_equal_one_is_not() {
    let site = upper().await;
    let mut entry = server(BELOW, Uuid::nil(), ago(100));
    ask(&site, Some(BELOW), servers(vec![entry.clone()])).await.expect("taken");
    let mut stale = server(BELOW, Uuid::nil(), ago(200));
    stale.summary.updates = 1;
    ask(&site, Some(BELOW), servers(vec![stale])).await.expect("answered");
    assert_eq!(site.read(|tx| tx.rollup_servers())[0].summary.updates, 7);
    entry.summary.updates = 8;
    ask(&site, Some(BELOW), servers(vec![entry])).await.expect("taken");
    assert_eq!(site.read(|tx| tx.rollup_servers())[0].summary.updates, 8, "a split comes with equal times");
}

fn client(build: i32, count: i32, succeeded: i32, failed: i32) -> ClientSummary {
    ClientSummary {
        os: OsFingerprint { os_build_number: build, ..OsFingerprint::default() },
        count,
        activity: vec![Activity { update: UpdateIdentity::new(id(1), 200), succeeded, failed }],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_counts_add_up_over_splits_and_roll_ups() {
    let site = upper().await;
    let first = ago(100);
    let told = |at, clients| {
        let mut entry = server(BELOW, Uuid::nil(), at);
        entry.clients = clients;
        servers(vec![entry])
    };
    ask(&site, Some(BELOW), told(first, vec![client(1, 5, 2, 0)])).await.expect("taken");
    ask(&site, Some(BELOW), told(first, vec![client(2, 6, 3, 1)])).await.expect("taken");
    let no = site.read(|tx| tx.downstream_find(BELOW)).expect("known").no;
    assert_eq!(site.read(|tx| tx.rollup_activity_total(no)), (5, 1));
    let counts = |site: &Site| -> Vec<i32> {
        site.read(|tx| tx.rollup_clients(no)).iter().map(|client| client.computers).collect()
    };
    assert_eq!(counts(&site), [5, 6], "both parts of one roll-up");
    // word for word again: its answer was lost
    ask(&site, Some(BELOW), told(first, vec![client(2, 6, 3, 1)])).await.expect("taken");
    assert_eq!(site.read(|tx| tx.rollup_activity_total(no)), (5, 1));
    ask(&site, Some(BELOW), told(ago(50), vec![client(2, 9, 3, 1)])).await.expect("taken");
    assert_eq!(site.read(|tx| tx.rollup_activity_total(no)), (8, 2), "increments of another roll-up, though equal");
    assert_eq!(counts(&site), [0, 9], "a kind that is not told any more has no computers");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_a_stale_last_sync_time_is_ignored() {
    let site = upper().await;
    let mut fresh = entry(1, BELOW, ago(100));
    fresh.details = Some(details("fresh.example"));
    ask(&site, Some(BELOW), computers(vec![fresh])).await.expect("taken");
    let mut stale = entry(1, BELOW, ago(200));
    stale.details = Some(details("stale.example"));
    let reply = ask(&site, Some(BELOW), computers(vec![stale])).await;
    assert_eq!(reply, Ok(Reply::Computers(vec![])));
    assert_eq!(site.view()["computer-1"].name, "fresh.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_a_new_computer_without_details_has_a_new_parent_and_never_both_answers() {
    let site = upper().await;
    let other = Uuid::from_u128(0xb2);
    site.admit(other, "other.example");
    let new = (computer(1), ComputerChange::NewParent);
    let twice = computers(vec![entry(1, BELOW, ago(100)), entry(1, BELOW, ago(100))]);
    assert_eq!(ask(&site, Some(BELOW), twice).await, Ok(Reply::Computers(vec![new.clone()])));
    let mut told = entry(1, BELOW, ago(100));
    told.details = Some(details("one.example"));
    assert_eq!(ask(&site, Some(BELOW), computers(vec![told])).await, Ok(Reply::Computers(vec![])));
    let known = computers(vec![entry(1, BELOW, ago(90))]);
    assert_eq!(ask(&site, Some(BELOW), known).await, Ok(Reply::Computers(vec![])), "its details are known");
    let moved = computers(vec![entry(1, other, ago(80))]);
    assert_eq!(ask(&site, Some(other), moved).await, Ok(Reply::Computers(vec![new])));
    assert_eq!(site.view()["computer-1"].server, other);
    assert_eq!(site.view()["computer-1"].name, "one.example", "until its new server describes it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_deleted_here_is_deleted_below_until_it_is_heard_of_again() {
    let site = upper().await;
    let seen = ago(100);
    ask(&site, Some(BELOW), computers(vec![entry(1, BELOW, seen)])).await.expect("taken");
    site.write(|tx| {
        let known = tx.rollup_computer_find(&computer(1))?.expect("known");
        tx.rollup_deleted_put(&computer(1), known.last_sync)?;
        tx.computer_delete(known.no)
    });
    let deleted = (computer(1), ComputerChange::Deleted);
    let reply = ask(&site, Some(BELOW), computers(vec![entry(1, BELOW, seen)])).await;
    assert_eq!(reply, Ok(Reply::Computers(vec![deleted])));
    assert!(site.view().is_empty());
    let alive = ask(&site, Some(BELOW), computers(vec![entry(1, BELOW, ago(10))])).await;
    assert_eq!(alive, Ok(Reply::Computers(vec![(computer(1), ComputerChange::NewParent)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_a_full_status_replaces_and_changes_merge_by_time() {
    let site = upper().await;
    let mut one = entry(1, BELOW, ago(100));
    one.details = Some(details("one.example"));
    ask(&site, Some(BELOW), computers(vec![one])).await.expect("taken");
    let states = |site: &Site| {
        let states = site.view().remove("computer-1").expect("known").states;
        states.into_iter().map(|(update, (state, _))| (update, state)).collect::<Vec<_>>()
    };
    let full = status(1, true, &[(1, State::Required, 90), (2, State::Installed, 90), (3, State::NotApplicable, 90)]);
    assert_eq!(ask(&site, Some(BELOW), full).await, Ok(Reply::Status(true)));
    assert_eq!(states(&site), [(id(1), State::Required), (id(2), State::Installed)]);
    let delta = status(2, false, &[(1, State::Failed, 50), (2, State::Required, 95), (4, State::PendingRestart, 50)]);
    ask(&site, Some(BELOW), delta).await.expect("taken");
    let merged = [(id(1), State::Failed), (id(2), State::Installed), (id(4), State::PendingRestart)];
    assert_eq!(states(&site), merged, "an older state changes nothing");
    ask(&site, Some(BELOW), status(3, true, &[(5, State::Downloaded, 99)])).await.expect("taken");
    assert_eq!(states(&site), [(id(5), State::Downloaded)]);

    let numbers = |number| {
        let numbers =
            vec![LastNumber { computer: computer(1), number }, LastNumber { computer: computer(2), number: 9 }];
        Question::OutOfSync { parent: BELOW, numbers }
    };
    assert_eq!(ask(&site, Some(BELOW), numbers(3)).await, Ok(Reply::OutOfSync(vec![])));
    assert_eq!(ask(&site, Some(BELOW), numbers(2)).await, Ok(Reply::OutOfSync(vec![computer(1)])));
    let stranger = Question::OutOfSync { parent: Uuid::from_u128(5), numbers: vec![] };
    assert_eq!(ask(&site, None, stranger).await, Ok(Reply::OutOfSync(vec![])));
    // one of the changes never came
    ask(&site, Some(BELOW), status(5, false, &[])).await.expect("taken");
    assert_eq!(ask(&site, Some(BELOW), numbers(5)).await, Ok(Reply::OutOfSync(vec![computer(1)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_without_detail_the_steps_for_computers_fault() {
    let site = upper().await;
    site.write(|tx| tx.setting_put("rollup.detailed", &serde_json::Value::Bool(false)).map(drop));
    let Reply::Configuration(told) = ask(&site, None, Question::Configuration).await.expect("answers") else {
        panic!()
    };
    assert!(!told.detailed);
    assert_eq!(ask(&site, Some(BELOW), servers(vec![server(BELOW, Uuid::nil(), ago(5))])).await, Ok(Reply::Servers));
    let out_of_sync = Question::OutOfSync { parent: BELOW, numbers: vec![] };
    for question in [computers(vec![]), out_of_sync, status(1, true, &[])] {
        let fault = ask(&site, Some(BELOW), question).await;
        assert!(matches!(&fault, Err(Fault::Internal(why)) if why.contains("rollup.detailed")), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_a_clock_that_differs_are_corrected_the_same_each_time() {
    let site = upper().await;
    // the server below lives an hour ago
    let first = Question::Computers { client_time: ago(0) - HOUR, computers: vec![entry(1, BELOW, ago(100) - HOUR)] };
    ask(&site, Some(BELOW), first).await.expect("taken");
    let stored = site.view()["computer-1"].last_sync.expect("a time");
    assert!((stored.duration_since(ago(100))).abs() < jiff::SignedDuration::from_secs(30), "{stored}");
    // its next request is a little faster, and must not look older
    let mut told = entry(1, BELOW, ago(100) - HOUR);
    told.details = Some(details("one.example"));
    told.last_sync = Some(stored - HOUR - jiff::SignedDuration::from_millis(0));
    let again = Question::Computers { client_time: ago(-2) - HOUR, computers: vec![told] };
    assert_eq!(ask(&site, Some(BELOW), again).await, Ok(Reply::Computers(vec![])));
    let view = site.view().remove("computer-1").expect("known");
    assert_eq!(view.name, "one.example");
}
