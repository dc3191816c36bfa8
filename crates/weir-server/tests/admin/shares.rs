//! One share, one enforcement, one age: every answer about compliance says the same of the same computers at the same moment.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_model::ids::UpdateId;
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

const PARTLY: i32 = 0x0024_0003;
const UNREACHABLE: i32 = 0x8024_402c_u32.cast_signed();

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().expect("items").clone()
}

async fn rows(server: &Server, query: &str) -> Vec<Value> {
    server.get(&format!("reports/{query}")).await.ok()["rows"].as_array().expect("rows").clone()
}

/// A server with three updates and computers that scanned.
async fn ready(computers: u64) -> (Server, Vec<ScriptedAgent>) {
    let server = Server::start().await;
    let documents: Vec<_> = (1..=3).map(|number| Document::software(id(number), 1).title("Fix")).collect();
    server.import_documents(&documents).await;
    let mut agents = Vec::new();
    for number in 1..=computers {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        agents.push(agent);
    }
    (server, agents)
}

/// A client status with these lists: letters of MS-WUSP 2.2.2.3.1 with updates.
async fn says(agent: &mut ScriptedAgent, lists: &[(&str, &[u128])]) {
    let list = |(tag, updates): &(&str, &[u128])| {
        let updates: Vec<String> = updates.iter().map(|number| id(*number).to_string()).collect();
        format!("{tag}={}", updates.join(";"))
    };
    let status = agent.event(156, None, 0, Vec::new(), lists.iter().map(list).collect());
    agent.report(vec![status]).await.expect("reported");
}

/// Two of four computers are in a collection that is asked about nothing but what is deployed; all of them need nothing. The group
/// Year of the first update is a yardstick and not deployed.
async fn thin() -> Server {
    let (server, mut agents) = ready(4).await;
    server.post("collections", json!({ "name": "Thin", "approved_only": true })).await.ok();
    let some: Vec<_> = agents[..2].iter().map(|agent| agent.computer.client_id.clone()).collect();
    server.post("collections/Thin/members", json!({ "computers": some })).await.ok();
    server.post("groups", json!({ "name": "Year", "members": { "updates": [id(1)] } })).await.ok();
    for agent in &mut agents {
        agent.scan().await.expect("scan");
        says(agent, &[("V", &[3])]).await;
    }
    server
}

fn entry<'l>(list: &'l [Value], key: &str, wanted: &Value) -> &'l Value {
    list.iter().find(|row| row[key] == *wanted).unwrap_or_else(|| panic!("{wanted} in {list:?}"))
}

#[tokio::test]
async fn one_update_has_one_share_everywhere() {
    let server = thin().await;
    let update = json!(id(1));
    let half = json!(50.0);
    let summary = server.get("compliance/summary?group=Year").await.ok();
    assert_eq!((&summary["percent"], &summary["not_asked"], &summary["compliant"]), (&half, &json!(2), &json!(2)));
    assert_eq!((&summary["counts"]["unknown"], &summary["counts"]["not_applicable"]), (&json!(2), &json!(2)));
    let updates = items(&server.get("compliance/updates").await.ok());
    let listed = entry(&updates, "id", &update);
    assert_eq!((&listed["percent"], &listed["not_asked"], &listed["counts"]), (&half, &json!(2), &summary["counts"]));
    let a1 = rows(&server, "compliance-overall").await;
    assert_eq!((&a1[0]["percent"], &a1[0]["not_asked"], &a1[0]["unknown"]), (&half, &json!(2), &json!(2)));
    let a2 = rows(&server, &format!("compliance-update?update={}", id(1))).await;
    assert_eq!(entry(&a2, "collection_name", &json!("All Computers"))["percent"], half);
    assert_eq!(entry(&a2, "collection_name", &json!("Thin"))["percent"], Value::Null, "nobody is asked there");
    let a3 = rows(&server, "compliance-group-updates?group=Year").await;
    assert_eq!((&a3[0]["percent"], &a3[0]["unknown"]), (&half, &json!(2)));
    let a4 = rows(&server, "compliance-vendor-month").await;
    assert_eq!(entry(&a4, "update", &update)["percent"], half);
    let a6 = rows(&server, &format!("compliance-update-states?update={}", id(1))).await;
    assert_eq!(entry(&a6, "state", &json!("not_applicable"))["percent"], half);
    server.post("compliance/history/record", json!({})).await.ok();
    let days = items(&server.get("compliance/history?group=Year").await.ok());
    assert_eq!(days.last().expect("today")["percent"], half);

    // where nobody is asked there is no share, and everybody says why
    let none = server.get("compliance/summary?group=Year&collection=Thin").await.ok();
    assert_eq!((&none["percent"], &none["compliant"], &none["computers"]), (&Value::Null, &json!(0), &json!(2)));
    for query in ["group=Year".to_owned(), format!("update={}", id(1))] {
        let list = items(&server.get(&format!("compliance/computers?{query}&state=unknown")).await.ok());
        let reasons: Vec<_> = list.iter().map(|row| row["reason"].as_str()).collect();
        assert_eq!(reasons, [Some("not_asked"); 2], "{query}");
    }
    for query in
        ["compliance-group-computers?group=Year".to_owned(), format!("compliance-update-computers?update={}", id(1))]
    {
        let list = rows(&server, &format!("{query}&state=unknown")).await;
        assert_eq!(
            list.iter().map(|row| row["reason"].as_str()).collect::<Vec<_>>(),
            [Some("not_asked"); 2],
            "{query}"
        );
    }
    // of everything each is asked about its own
    let everything = server.get("compliance/summary?collection=Thin").await.ok();
    assert_eq!((&everything["percent"], &everything["not_asked"]), (&json!(100.0), &json!(0)));
    let nobody = server.post("collections", json!({ "name": "Empty" })).await;
    nobody.ok();
    assert_eq!(server.get("compliance/summary?collection=Empty").await.ok()["percent"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn a_group_whose_updates_are_declined_has_no_share() {
    let (server, mut agents) = ready(3).await;
    server.post("groups", json!({ "name": "Old", "members": { "updates": [id(1), id(2)] } })).await.ok();
    let body = json!({ "group": "Old", "collection": "All Computers", "action": "install", "deadline": "+1h" });
    let deployment = server.post("deployments", body).await.ok()["id"].clone();
    for agent in &mut agents {
        agent.scan().await.expect("scan");
        says(agent, &[("V", &[3])]).await;
    }
    let before = server.get(&format!("compliance/deployments/{deployment}")).await.ok();
    assert_eq!(before["percent"], 100.0, "{before}");
    for update in [1, 2] {
        server.post(&format!("updates/{}/decline", id(update)), json!({})).await.ok();
    }
    let summary = server.get("compliance/summary?group=Old").await.ok();
    assert_eq!(
        (&summary["percent"], &summary["compliant"], &summary["not_asked"]),
        (&Value::Null, &json!(0), &json!(3))
    );
    assert_eq!(rows(&server, "compliance-overall?group=Old").await[0]["percent"], Value::Null);
    let a3 = rows(&server, "compliance-group-updates?group=Old").await;
    assert!(a3.len() == 2 && a3.iter().all(|row| row["percent"].is_null()), "{a3:?}");
    let after = server.get(&format!("compliance/deployments/{deployment}")).await.ok();
    assert_eq!((&after["percent"], &after["statuses"]["unknown"]), (&Value::Null, &json!(3)), "{after}");
    assert_eq!(after["enforcement"][0]["enforcement"], "not_asked");
    // nobody falls short of what nobody is asked about
    let change = "UPDATE deployment SET settings = ?1, deadline_at = ?2 WHERE deployment_id = ?3";
    let settings = json!({ "alert": { "below_percent": 90, "minutes_after_deadline": 0 } }).to_string();
    let past = (Timestamp::now() - SignedDuration::from_hours(2)).as_microsecond();
    server.execute(change, &[settings.into(), past.into(), deployment.as_i64().expect("id").into()]);
    server.post("alert-evaluation", json!({})).await.ok();
    assert_eq!(server.get("alerts?kind=compliance&state=open").await.ok()["items"], json!([]));
    server.stop().await;
}

/// Computers by where they are with a deployment: as its view says it, which the reports must say, too.
async fn enforcement(server: &Server, deployment: &Value) -> BTreeMap<String, u64> {
    let shown = server.get(&format!("compliance/deployments/{deployment}")).await.ok();
    let word = |row: &Value, key: &str| row[key].as_str().expect("a word").to_owned();
    let count = |row: &Value| row["computers"].as_u64().expect("a number");
    let view: BTreeMap<String, u64> = shown["enforcement"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (word(row, "enforcement"), count(row)))
        .collect();
    let report = rows(server, &format!("enforcement?deployment={deployment}")).await;
    let found = report.iter().map(|row| (word(row, "state"), count(row))).filter(|(_, count)| *count > 0);
    assert_eq!(found.collect::<BTreeMap<_, _>>(), view, "C1 and the view");
    for (state, computers) in &view {
        let who = rows(server, &format!("enforcement-computers?deployment={deployment}&state={state}")).await;
        assert_eq!(who.len() as u64, *computers, "C6, {state}");
        let path = format!("compliance/deployments/{deployment}/computers?enforcement={state}");
        assert_eq!(items(&server.get(&path).await.ok()).len() as u64, *computers, "{state}");
    }
    for (status, computers) in shown["statuses"].as_object().expect("statuses") {
        let who = rows(server, &format!("deployment-computers?deployment={deployment}&state={status}")).await;
        assert_eq!(json!(who.len()), *computers, "C4, {status}");
    }
    view
}

fn told<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect()
}

/// One computer for each state of the first update, and one that never reported, in the collection Ring.
async fn in_every_state() -> Server {
    let (server, mut agents) = ready(7).await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let all: Vec<_> = agents.iter().map(|agent| agent.computer.client_id.clone()).collect();
    server.post("collections/Ring/members", json!({ "computers": all })).await.ok();
    for (agent, tag) in agents.iter_mut().zip(["U", "h", "W", "V", "g", ""]) {
        agent.scan().await.expect("scan");
        // of the last the update is not listed: it does not apply
        let lists: &[(&str, &[u128])] = if tag.is_empty() { &[("V", &[2])] } else { &[(tag, &[1])] };
        says(agent, lists).await;
    }
    server
}

async fn deploy(server: &Server, update: UpdateId, action: &str, more: Value) -> Value {
    let mut body = json!({ "update": update, "collection": "Ring", "action": action });
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    server.post("deployments", body).await.ok()["id"].clone()
}

#[tokio::test]
async fn installations_are_told_in_one_vocabulary() {
    let server = in_every_state().await;
    let deployment = deploy(&server, id(1), "install", json!({ "deadline": "+3d" })).await;
    let open = |word: &'static str, downloaded: &'static str| {
        let mut counts = told([("pending_restart", 1), ("success", 1), ("failed", 1), ("not_applicable", 1)]);
        counts.insert("never_reported".to_owned(), 1);
        *counts.entry(word.to_owned()).or_default() += 1;
        *counts.entry(downloaded.to_owned()).or_default() += 1;
        counts
    };
    assert_eq!(enforcement(&server, &deployment).await, open("pending_installation", "downloaded"));
    server.patch(&format!("deployments/{deployment}"), json!({ "enabled": false })).await.ok();
    assert_eq!(enforcement(&server, &deployment).await, open("disabled", "disabled"));
    server.patch(&format!("deployments/{deployment}"), json!({ "enabled": true })).await.ok();
    let number = deployment.as_i64().expect("a number");
    let past = (Timestamp::now() - SignedDuration::from_hours(2)).as_microsecond();
    let change = "UPDATE deployment SET deadline_at = ?1 WHERE deployment_id = ?2";
    server.execute(change, &[past.into(), number.into()]);
    assert_eq!(enforcement(&server, &deployment).await, open("overdue", "overdue"));
    // the deadline has passed, and the window lies ahead
    let window = json!({
        "name": "Far", "collection": "Ring", "schedule": "monthly 28 at 03:00 from 2100-01-01",
    });
    server.post("windows", window).await.ok();
    assert_eq!(enforcement(&server, &deployment).await, open("waiting_for_window", "downloaded"));
    server.stop().await;
}

#[tokio::test]
async fn removals_detections_and_blocks_are_judged_by_what_they_ask_for() {
    let server = in_every_state().await;
    let removal = deploy(&server, id(1), "uninstall", json!({ "deadline": "+3d" })).await;
    // needed, downloaded and not applicable: the update is not there
    let expected = told([
        ("success", 2),
        ("not_applicable", 1),
        ("pending_restart", 1),
        ("pending_installation", 1),
        ("failed", 1),
        ("never_reported", 1),
    ]);
    assert_eq!(enforcement(&server, &removal).await, expected);
    let shown = server.get(&format!("compliance/deployments/{removal}")).await.ok();
    assert_eq!(shown["statuses"], json!({ "compliant": 3, "in_progress": 2, "error": 1, "unknown": 1 }));
    let ask = json!({ "alert": { "below_percent": 50, "minutes_after_deadline": 0 } }).to_string();
    let past = (Timestamp::now() - SignedDuration::from_hours(2)).as_microsecond();
    let watch = |deployment: &Value| {
        let change = "UPDATE deployment SET settings = ?1, deadline_at = ?2 WHERE deployment_id = ?3";
        let number = deployment.as_i64().expect("a number");
        server.execute(change, &[ask.as_str().into(), past.into(), number.into()]);
    };
    watch(&removal);
    server.post("alert-evaluation", json!({})).await.ok();
    let low = items(&server.get("alerts?kind=compliance&state=open").await.ok());
    assert!(low[0]["message"].as_str().expect("words").contains("3 of 7 computers"), "{low:?}");
    server.delete(&format!("deployments/{removal}")).await;

    for action in ["detect", "block"] {
        let deployment = deploy(&server, id(1), action, json!({})).await;
        let expected = told([("nothing_to_enforce", 5), ("not_applicable", 1), ("never_reported", 1)]);
        assert_eq!(enforcement(&server, &deployment).await, expected, "{action}");
        watch(&deployment);
        server.post("alert-evaluation", json!({})).await.ok();
        assert_eq!(server.get("alerts?kind=compliance&state=open").await.ok()["items"], json!([]), "{action}");
        server.delete(&format!("deployments/{deployment}")).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn computers_that_stopped_are_shown_as_such() {
    let (server, mut agents) = ready(4).await;
    for agent in &mut agents[..3] {
        says(agent, &[("V", &[1, 2, 3])]).await;
    }
    let old = (Timestamp::now() - SignedDuration::from_hours(24 * 40)).as_microsecond();
    let set = |agent: &ScriptedAgent, columns: &str| {
        let change = format!("UPDATE computer SET {columns} WHERE computer_id = ?1");
        assert_eq!(server.execute(&change, &[agent.computer.client_id.to_lowercase().into()]), 1);
    };
    set(&agents[0], &format!("last_contact_at = {old}, last_report_at = {old}, first_contact_at = {old}"));
    set(&agents[1], &format!("last_report_at = {old}"));
    let failed = agents[3].event(148, None, UNREACHABLE, Vec::new(), Vec::new());
    agents[3].report(vec![failed]).await.expect("reported");

    let body = json!({ "update": id(1), "collection": "All Computers", "action": "install" });
    let deployment = server.post("deployments", body).await.ok()["id"].clone();
    let told = |answer: &Value| {
        ["silent", "not_reporting", "compliant_current"].map(|key| answer[key].as_u64().expect("a number"))
    };
    let summary = server.get("compliance/summary").await.ok();
    assert_eq!(told(&summary), [1, 1, 1], "{summary}");
    assert_eq!((&summary["compliant"], &summary["percent"]), (&json!(3), &json!(75.0)), "they count as they said");
    let current = server.get("compliance/summary?current=true").await.ok();
    assert_eq!((&current["compliant"], &current["percent"]), (&json!(1), &json!(25.0)));
    assert_eq!((&current["counts"]["unknown"], &current["computers"]), (&json!(3), &json!(4)));
    let updates = items(&server.get("compliance/updates?current=true").await.ok());
    assert!(updates.iter().all(|row| row["percent"] == 25.0 && row["counts"]["unknown"] == 3), "{updates:?}");
    let servers = items(&server.get("compliance/servers").await.ok());
    assert_eq!(told(&servers[0]), [1, 1, 1]);
    assert_eq!(told(&server.get(&format!("compliance/deployments/{deployment}")).await.ok()), [1, 1, 1]);
    let list = items(&server.get("compliance/computers?current=true").await.ok());
    let seen: Vec<_> = list.iter().map(|row| (row["state"].as_str(), row["reason"].as_str())).collect();
    let unknown = Some("unknown");
    assert_eq!(
        seen,
        [
            (unknown, Some("silent")),
            (unknown, Some("not_reporting")),
            (Some("installed"), None),
            (unknown, Some("scan_failed"))
        ]
    );
    assert_eq!(list[3]["error"], "0x8024402c", "{list:?}");

    server.post("groups", json!({ "name": "All", "members": { "updates": [id(1), id(2)] } })).await.ok();
    let a1 = rows(&server, "compliance-overall?group=All").await;
    assert_eq!(told(&a1[0]), [1, 1, 1]);
    // A9 and freshness look at the same computers with the same rule
    let health = rows(&server, "compliance-health").await;
    let fresh = server.get("compliance/freshness").await.ok();
    for (class, count) in fresh["classes"].as_object().expect("classes") {
        assert_eq!(entry(&health, "item", &json!(class))["computers"], *count, "{class}");
    }
    assert_eq!(entry(&health, "item", &json!("compliant, current"))["computers"], 1);
    let setting = json!({ "value": 60 });
    server.call(reqwest::Method::PUT, "settings/computers.silent_days", Some(setting)).await.ok();
    let health = rows(&server, "compliance-health").await;
    assert_eq!(entry(&health, "item", &json!("silent"))["computers"], 0, "by the setting");
    let strict = rows(&server, "compliance-health?days=30").await;
    assert_eq!(entry(&strict, "item", &json!("silent"))["computers"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_scan_with_errors_is_no_failed_scan_anywhere() {
    let (server, mut agents) = ready(2).await;
    for agent in &mut agents {
        says(agent, &[("V", &[3])]).await;
    }
    for (agent, code) in agents.iter_mut().zip([PARTLY, UNREACHABLE]) {
        let event = agent.event(148, None, code, Vec::new(), Vec::new());
        agent.report(vec![event]).await.expect("reported");
    }
    let scans = server.get("compliance/freshness").await.ok()["scans"].clone();
    assert_eq!(scans, json!({ "unknown": 0, "completed": 0, "completed_with_errors": 1, "failed": 1 }));
    for report in ["scan-sites".to_owned(), "scan-collections?collection=Unassigned%20Computers".to_owned()] {
        for row in rows(&server, &report).await {
            assert_eq!(row["computers"], scans[row["state"].as_str().expect("a word")], "{report}");
        }
    }
    for state in ["completed_with_errors", "failed"] {
        let who = rows(&server, &format!("scan-site-computers?site=this&state={state}")).await;
        assert_eq!(who.len(), 1, "{state}");
    }
    let errors = rows(&server, "scan-errors").await;
    assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!("0x8024402c")));
    assert_eq!(rows(&server, "scan-error-computers?code=0x00240003").await.len(), 0);
    let groups = items(&server.get("compliance/errors").await.ok());
    assert_eq!((groups.len(), &groups[0]["label"]), (1, &json!("0x8024402c")), "{groups:?}");
    let health = rows(&server, "compliance-health").await;
    assert_eq!(entry(&health, "item", &json!("scan_failed"))["computers"], 1);
    assert_eq!(entry(&health, "item", &json!("current"))["computers"], 1);
    server.stop().await;
}
