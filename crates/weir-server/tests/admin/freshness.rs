//! Freshness, shared ids, rows left behind, and retiring computers.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

const UNREACHABLE: i32 = 0x8024_402c_u32.cast_signed();
const DAY: i64 = 86_400;

async fn set(server: &Server, key: &str, value: Value) {
    server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
}

fn days_ago(days: i64) -> i64 {
    (Timestamp::now() - SignedDuration::from_secs(days * DAY)).as_microsecond()
}

async fn ready() -> Server {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(2), 1).title("Fix")]).await;
    server
}

fn agent(server: &Server, computer: Computer) -> ScriptedAgent {
    ScriptedAgent::new(server.client(), computer).expect("agent")
}

/// A computer that scanned and reported.
async fn reported(server: &Server, number: u64) -> ScriptedAgent {
    let mut agent = agent(server, Computer::numbered(number));
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    agent
}

/// Changes columns of the row of an agent's computer.
fn change(server: &Server, agent: &ScriptedAgent, columns: &str) {
    let statement = format!("UPDATE computer SET {columns} WHERE computer_id = ?1");
    assert_eq!(server.execute(&statement, &[agent.computer.client_id.to_lowercase().into()]), 1);
}

/// Its last call was so many days ago.
fn silence(server: &Server, agent: &ScriptedAgent, days: i64) {
    let at = days_ago(days);
    change(server, agent, &format!("last_contact_at = {at}, last_report_at = {at}, first_contact_at = {at}"));
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().expect("id").to_owned()).collect()
}

#[tokio::test]
async fn every_class_is_counted_and_listed() {
    let server = ready().await;
    assert_eq!(server.get("compliance/freshness").await.ok()["computers"], 0);
    reported(&server, 1).await;
    let not_reporting = reported(&server, 2).await;
    change(&server, &not_reporting, &format!("last_report_at = {}", days_ago(31)));
    let silent = reported(&server, 3).await;
    silence(&server, &silent, 40);
    let mut failing = reported(&server, 4).await;
    let failed = failing.event(148, None, UNREACHABLE, Vec::new(), Vec::new());
    failing.report(vec![failed]).await.expect("reported");
    let mut detecting = agent(&server, Computer::numbered(5));
    detecting.scan().await.expect("scan");
    let ended = detecting.event(147, None, 0, Vec::new(), Vec::new());
    detecting.report(vec![ended]).await.expect("reported");
    let mut scanning = agent(&server, Computer::numbered(6));
    scanning.scan().await.expect("scan");

    let summary = server.get("compliance/freshness").await.ok();
    let classes = json!({
        "silent": 1, "scan_failed": 1, "never_scanned": 1, "never_reported": 1, "not_reporting": 1, "current": 1
    });
    assert_eq!((&summary["classes"], &summary["computers"]), (&classes, &json!(6)), "{summary}");
    assert_eq!((&summary["silent_days"], &summary["current_percent"]), (&json!(30), &json!(16.7)));
    let scans = json!({ "unknown": 1, "completed": 4, "completed_with_errors": 0, "failed": 1 });
    assert_eq!(summary["scans"], scans);
    assert_eq!(summary["errors"], json!([{ "code": "0x8024402c", "computers": 1 }]));

    // the list agrees with the counts, class by class
    for (class, count) in classes.as_object().expect("classes") {
        let list = server.get(&format!("computers?freshness={class}")).await.ok();
        let items = list["items"].as_array().expect("items");
        assert_eq!(json!(items.len()), *count, "{class}");
        assert!(items.iter().all(|item| item["freshness"]["class"] == class.as_str()), "{list}");
    }
    let failed = &server.get("computers?freshness=scan_failed").await.ok()["items"][0];
    assert_eq!(
        (&failed["freshness"]["scan"], &failed["freshness"]["scan_error"]),
        (&json!("failed"), &json!("0x8024402c"))
    );
    let path = format!("computers/{}", silent.computer.client_id.to_lowercase());
    assert_eq!(server.get(&path).await.ok()["freshness"]["class"], "silent");

    // another rule
    let patient = server.get("compliance/freshness?silent_days=60").await.ok();
    assert_eq!((&patient["classes"]["silent"], &patient["classes"]["current"]), (&json!(0), &json!(3)));
    set(&server, "computers.silent_days", json!(60)).await;
    assert_eq!(server.get("compliance/freshness").await.ok()["classes"], patient["classes"]);
    assert_eq!(ids(&server.get("computers?freshness=silent").await.ok()).len(), 0);
    assert_eq!(ids(&server.get("computers?freshness=silent&silent_days=30").await.ok()).len(), 1);
    for wrong in
        ["compliance/freshness?silent_days=0", "compliance/freshness?silent_days=3651", "computers?silent_days=0"]
    {
        assert_eq!(server.get(wrong).await.refused(400), "silent_days");
    }

    // a collection counts its own
    server.post("collections", json!({ "name": "Pilot" })).await.ok();
    let member = json!({ "computers": [silent.computer.client_id] });
    server.post("collections/Pilot/members", member).await.ok();
    let pilot = server.get("compliance/freshness?collection=pilot&silent_days=30").await.ok();
    assert_eq!((&pilot["computers"], &pilot["classes"]["silent"]), (&json!(1), &json!(1)), "{pilot}");
    assert_eq!(server.get("compliance/freshness?server=this").await.ok()["computers"], 6);
    assert_eq!(server.get("compliance/freshness?collection=none").await.refused(404), "not_found");
    server.stop().await;
}

/// Lets a day pass: whatever was seen of computers was seen a day earlier.
fn a_day_passes(server: &Server) {
    let day = DAY * 1_000_000;
    let prints = format!(
        "UPDATE computer_print SET first_seen_at = first_seen_at - {day}, last_seen_at = last_seen_at - {day}, returned_at = \
         returned_at - {day}"
    );
    server.execute(&prints, &[]);
    let computers = format!(
        "UPDATE computer SET first_contact_at = first_contact_at - {day}, last_contact_at = last_contact_at - {day}"
    );
    server.execute(&computers, &[]);
}

#[tokio::test]
async fn two_machines_with_one_id_are_found_and_repaired() {
    let server = ready().await;
    let first = Computer::new("6f9e2c1a-0000-4000-8000-00000000000a", "first.example.test");
    let second = Computer { dns_name: "second.example.test".to_owned(), ..first.clone() };
    let mut machines = [agent(&server, first), agent(&server, second)];
    let clones = async || server.get("computers/clones").await.ok()["items"].as_array().expect("items").clone();
    let alert = async || {
        server.post("alert-evaluation", json!({})).await.ok();
        server.get("alerts?kind=computers.cloned&state=open").await.ok()["items"].as_array().expect("items").clone()
    };
    // a machine that stays what it is is not remembered at all, however often it calls
    for _ in 0..3 {
        machines[0].scan().await.expect("scan");
        machines[0].report_scan().await.expect("reported");
    }
    let rows = || server.database().number("SELECT count(*) FROM computer_print", &[]);
    assert_eq!(rows(), 0);
    // first, second: a rename; first again: undone
    for machine in [1, 0] {
        a_day_passes(&server);
        machines[machine].scan().await.expect("scan");
        assert_eq!(clones().await, [] as [Value; 0]);
    }
    assert!(alert().await.is_empty());
    a_day_passes(&server);
    machines[1].scan().await.expect("scan");
    let [clone] = &clones().await[..] else { panic!("one id is shared") };
    assert_eq!((&clone["certainty"], &clone["evidence"]), (&json!("certain"), &json!(["names_take_turns"])), "{clone}");
    let mut names: Vec<_> =
        clone["prints"].as_array().expect("prints").iter().map(|print| print["name"].as_str().expect("name")).collect();
    names.sort_unstable();
    assert_eq!(names, ["first.example.test", "second.example.test"]);
    assert!(clone["prints"].as_array().expect("prints").iter().all(|print| print["address"] == "127.0.0.1"), "{clone}");
    let open = alert().await;
    assert!(open[0]["message"].as_str().expect("words").starts_with("1 id is shared"), "{open:?}");
    let no = open[0]["id"].clone();
    assert_eq!(server.post(&format!("alerts/{no}/close"), json!({})).await.status.as_u16(), 409, "it closes by itself");

    // the second machine is given an id of its own
    let id = clone["id"].as_str().expect("id").to_owned();
    let own = Computer { client_id: "6f9e2c1a-0000-4000-8000-00000000000b".to_owned(), ..machines[1].computer.clone() };
    agent(&server, own).scan().await.expect("scan");
    machines[0].scan().await.expect("scan");
    assert!(server.delete(&format!("computers/{id}/prints")).await.status.is_success());
    assert_eq!(clones().await, [] as [Value; 0]);
    assert!(alert().await.is_empty(), "and closed");
    let audit = server.get("audit?limit=1").await.ok();
    assert_eq!(audit["items"][0]["action"], "computer.prints.forget");
    assert_eq!(server.delete("computers/6f9e2c1a-0000-4000-8000-0000000000ff/prints").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_machine_that_was_installed_anew_is_listed_and_its_old_row_retired_by_rule() {
    let server = ready().await;
    let name = "anew.example.test";
    let mut old = agent(&server, Computer::new("6f9e2c1a-0000-4000-8000-000000000001", name));
    let mut new = agent(&server, Computer::new("6f9e2c1a-0000-4000-8000-000000000002", &name.to_uppercase()));
    for machine in [&mut old, &mut new] {
        machine.scan().await.expect("scan");
        machine.report_scan().await.expect("reported");
    }
    reported(&server, 7).await;
    let list = async || server.get("computers/duplicates").await.ok()["items"].as_array().expect("items").clone();
    let [both] = &list().await[..] else { panic!("one name") };
    let standing = |found: &Value| {
        found["computers"].as_array().expect("computers").iter().map(|it| it["standing"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((&both["name"], standing(both)), (&json!(name), vec![json!("newest"), json!("in_use")]));
    silence(&server, &old, 30);
    let found = &list().await[0];
    assert_eq!(standing(found), ["newest", "left_behind"]);
    assert_eq!(
        (&found["computers"][1]["likeness"], &found["computers"][1]["retires"]),
        (&json!("hardware"), &json!(true))
    );

    // flagged only, until the site says otherwise
    let preview = server.get("computers/retirement?duplicates=true").await.ok();
    assert_eq!(
        (&preview["due"], &preview["by_rule"], &preview["silent_days"]),
        (&json!(1), &json!(false), &Value::Null)
    );
    assert_eq!(preview["first"][0]["id"], json!(old.computer.client_id));
    assert_eq!(server.get("computers").await.ok()["items"].as_array().map(Vec::len), Some(3));
    set(&server, "computers.duplicates", json!("retire-older")).await;
    for _ in 0..500 {
        if list().await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(list().await.is_empty());
    let left = ids(&server.get("computers").await.ok());
    assert!(left.contains(&new.computer.client_id) && !left.contains(&old.computer.client_id), "{left:?}");
    let retired = server.get("computers/retired").await.ok();
    assert_eq!(
        (&retired["items"][0]["reason"], &retired["items"][0]["by"]),
        (&json!("duplicate"), &json!("system: retirement"))
    );
    server.stop().await;
}

#[tokio::test]
async fn more_than_a_share_is_retired_only_by_somebody_who_saw_the_number() {
    let server = ready().await;
    let mut agents = Vec::new();
    for number in 1..=10 {
        agents.push(reported(&server, number).await);
    }
    server.post("collections", json!({ "name": "Kept" })).await.ok();
    let first = agents[0].computer.client_id.clone();
    server.post("collections/Kept/members", json!({ "computers": [first] })).await.ok();
    for agent in &agents[..3] {
        silence(&server, agent, 100);
    }
    silence(&server, &agents[3], 50);

    let preview = server.get("computers/retirement?silent_days=90").await.ok();
    assert_eq!(
        (&preview["computers"], &preview["due"], &preview["percent"], &preview["most"], &preview["needs_confirmation"]),
        (&json!(10), &json!(3), &json!(30.0), &json!(1), &json!(true))
    );
    assert_eq!(preview["first"].as_array().map(Vec::len), Some(3));
    assert_eq!(server.get("computers/retirement").await.ok()["silent_days"], 90, "proposed");
    let run = async |body: Value| server.post("computers/retirement", body).await;
    assert_eq!(run(json!({})).await.refused(400), "silent_days", "no rule is set");
    assert_eq!(run(json!({ "silent_days": 13 })).await.refused(400), "silent_days");
    assert_eq!(run(json!({ "silent_days": 90, "duplicates": true })).await.refused(400), "duplicates");
    let asks = run(json!({ "silent_days": 90 })).await;
    assert_eq!(asks.refused(409), "confirm");
    assert!(asks.body["next_step"].as_str().is_some_and(|next| next.contains("--confirm 3")), "{}", asks.body);
    assert_eq!(run(json!({ "silent_days": 90, "confirm": 2 })).await.refused(409), "confirm", "fewer than there are");
    assert_eq!(server.get("computers/retired").await.ok()["items"], json!([]), "nobody went");

    // one that calls before it is retired stays
    agents[2].computer.dns_name = "back.example.test".to_owned();
    agents[2].state.cookie = None;
    agents[2].scan().await.expect("scan");
    let done = run(json!({ "silent_days": 90, "confirm": 3 })).await.ok();
    assert_eq!((&done["retired"], &done["computers"]), (&json!(2), &json!(8)));
    assert_eq!(server.get("compliance/summary").await.ok()["computers"], 8);
    let retired = server.get("computers/retired").await.ok();
    let of_first =
        retired["items"].as_array().expect("items").iter().find(|item| item["id"] == json!(first)).expect("there");
    assert_eq!((&of_first["collections"][0]["name"], &of_first["reason"]), (&json!("Kept"), &json!("silent")));
    let audit = server.get("audit?limit=1").await.ok();
    assert_eq!(audit["items"][0]["action"], "computer.retire");
    assert!(audit["items"][0]["detail"].as_str().is_some_and(|text| text.contains("\"computers\":2")), "{audit}");

    // the share of the week is used up: the rule asks, too
    silence(&server, &agents[3], 100);
    set(&server, "computers.retire_days", json!(90)).await;
    let alert = async || server.get("alerts?kind=computers.retirement&state=open").await.ok()["items"].clone();
    for _ in 0..500 {
        if alert().await != json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(alert().await[0]["message"].as_str().expect("words").starts_with("1 of 8 computers"), "{}", alert().await);
    assert_eq!(server.get("compliance/summary").await.ok()["computers"], 8);
    // until the site lets more go
    set(&server, "computers.retire_percent", json!(50)).await;
    for _ in 0..500 {
        if alert().await == json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(alert().await, json!([]));
    assert_eq!(server.get("compliance/summary").await.ok()["computers"], 7);

    // one that calls again is what it was, and not yet what it reported
    agents[0].scan().await.expect("scan");
    let shown = server.get(&format!("computers/{first}")).await.ok();
    assert_eq!(
        (&shown["collections"][0]["name"], &shown["freshness"]["class"]),
        (&json!("Kept"), &json!("never_scanned"))
    );
    let first_seen: Timestamp = shown["first_seen"].as_str().expect("time").parse().expect("time");
    assert!(Timestamp::now().duration_since(first_seen) > SignedDuration::from_hours(99 * 24), "seen long ago");
    agents[0].report_scan().await.expect("reported");
    assert_eq!(server.get(&format!("computers/{first}")).await.ok()["freshness"]["class"], "current");
    assert!(ids(&server.get("computers/retired").await.ok()).iter().all(|id| *id != first));
    let audit = server.get("audit?limit=10").await.ok();
    assert!(audit["items"].as_array().expect("items").iter().any(|row| row["action"] == "computer.restore"), "{audit}");
    server.stop().await;
}

#[tokio::test]
async fn a_rule_that_would_take_people_on_leave_is_refused() {
    let server = Server::start().await;
    for days in [1, 13] {
        let answer = server.call(Method::PUT, "settings/computers.retire_days", Some(json!({ "value": days }))).await;
        assert_eq!(answer.refused(400), "setting_value");
        assert!(answer.body["next_step"].as_str().is_some_and(|next| next.contains("90")), "{}", answer.body);
    }
    set(&server, "computers.retire_days", json!(14)).await;
    set(&server, "computers.retire_days", json!(0)).await;
    server.stop().await;
}
