//! Clocks that were wrong: what a server noted while its clock stood a year ahead is read by one whose clock is right.
//!
//! Computers that hold cookies of such a time are in the server's conformance tests (`clock`); decisions about schedules are tested
//! as values. Backups are among them, so the database is the embedded one.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_model::{ids::ComputerId, update::CategoryKind};
use weir_store::{Actor, alert::AlertSeverity, computer::ContactTimes, content_request::ContentRest};
use weir_testkit::{Computer, Document, Payload, Receiver, ScriptedAgent, Upstream, upstream::Served};

use super::{
    content::{PATIENCE, until},
    id, json, run, sqlite_server as server, store,
};

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("{value} is no time")).parse().expect("a time")
}

/// The promise: nothing waits for the time at which a clock stood that was ahead: not schedules, not files that rest, not what
/// subscribers are to be told; and computers are heard as before.
#[test]
fn what_a_clock_that_was_ahead_noted_holds_nothing_up() {
    let receiver = Receiver::plain();
    let payload = Payload::random("file.cab", 50_000, 4);
    let upstream = Upstream::start(Served::new().with([
        Document::category(id(1), 1, CategoryKind::Company).title("Company"),
        Document::category(id(2), 1, CategoryKind::Product).title("Product").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Security"),
        Document::software(id(4), 1).title("Fix").in_category(id(2)).in_category(id(3)).file(&payload),
    ]));
    let mut server = server();
    json(&server, &["settings", "set", "source", &upstream.url()]);
    json(&server, &["sync", "now", "--wait"]);
    for selection in ["products", "classifications"] {
        json(&server, &[selection, "set", "--all"]);
    }
    json(&server, &["sync", "now", "--wait"]);
    json(&server, &["content", "pause"]);
    let update = id(4).to_string();
    let create = ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
    let deployment = json(&server, &create)["id"].to_string();
    json(&server, &["settings", "set", "sync.schedule", "every 6 hours"]);
    json(&server, &["settings", "set", "backup.schedule", "daily at 02:00 UTC"]);
    let subscribe = ["alerts", "subscriptions", "create", "Operators", "--allow-http", "--group-seconds", "0"];
    json(&server, &[&subscribe[..], &["--url", &receiver.url()]].concat());
    let mut agent = ScriptedAgent::new(&server.client_url(), Computer::numbered(1)).expect("an agent");
    run(agent.scan()).expect("a scan");
    run(agent.report_scan()).expect("a report");
    assert!(server.stop().expect("it stops"), "{}", server.log());

    let ahead = Timestamp::now() + SignedDuration::from_hours(24 * 365);
    let computer: ComputerId = agent.computer.client_id.parse().expect("an id");
    {
        let store = store(server.data());
        let noted = store.write(&Actor::system("test", ahead), |tx| {
            for key in ["sync.schedule", "backup.schedule"] {
                let row = tx.setting_show(key)?.expect("it was set");
                // the same value would be left alone, with its time
                tx.setting_put(key, &Value::from("off"))?;
                tx.setting_put(key, &row.value)?;
            }
            for row in tx.subscription_list()? {
                tx.subscription_put(row.id, &row.wanted, ahead)?;
            }
            tx.alert_open("content.mismatch", "a file", AlertSeverity::Critical, "noted by a clock that was ahead")?;
            let reason = "noted by a clock that was ahead".to_owned();
            tx.content_rest_put(&ContentRest { digest: payload.sha1(), failures: 1, until: ahead, reason })?;
            let no = tx.computer_find(&computer)?.expect("the computer").no;
            tx.computer_touch(no, &ContactTimes { last_contact_at: Some(ahead), ..ContactTimes::default() })
        });
        noted.expect("noted");
    }
    server.restart().unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()));

    let now = Timestamp::now();
    let next = json(&server, &["sync", "status"])["next"]["at"].clone();
    assert!(time(&next) <= now + SignedDuration::from_hours(25), "the next synchronization: {next}");
    let made = |status: &Value| status["last_good"].is_object() && status["current"].is_null();
    let status = server.wait_for(&["backup", "status"], made).expect("one backup, since nobody knows of any");
    assert!(time(&status["next_at"]) <= now + SignedDuration::from_hours(48), "{status}");
    json(&server, &["content", "resume"]);
    until(&server, &["deployments", "show", &deployment], |value| value["state"] == "active");
    let deadline = Instant::now() + PATIENCE;
    while !receiver.calls().iter().any(|call| call.body.contains("noted by a clock that was ahead")) {
        assert!(Instant::now() < deadline, "nobody was told: {:?}\n{}", receiver.calls(), server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    agent.move_to(&server.client_url()).expect("an address");
    let scan = run(agent.scan()).expect("a scan");
    assert_eq!(scan.recovered, [], "its cookie is good");
    run(agent.report_scan()).expect("a report");
    let heard = |list: &Value| time(&list["items"][0]["last_contact"]) < ahead - SignedDuration::from_hours(24);
    server.wait_for(&["computers", "list"], heard).expect("it is heard now");
}
