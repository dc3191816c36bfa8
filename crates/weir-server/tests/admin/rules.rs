//! Automatic deployment rules and phased deployments, through REST.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use weir_model::update::CategoryKind;
use weir_testkit::{Computer, Document, ScriptedAgent, agent::Condition};

use crate::{
    harness::{Server, id},
    sync::until,
};

const FAMILY: u128 = 1;
const PRODUCT: u128 = 2;
const SECURITY: u128 = 3;
const TOOLS: u128 = 4;

fn update(number: u128, class: u128, title: &str) -> Document {
    Document::software(id(number), 1).title(title).in_category(id(PRODUCT)).in_category(id(class))
}

/// A server with a small catalogue: two security updates, one of which the other replaces, and a tool.
async fn server() -> Server {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::category(id(FAMILY), 1, CategoryKind::ProductFamily).title("Windows"),
            Document::category(id(PRODUCT), 1, CategoryKind::Product).title("Windows 11").in_category(id(FAMILY)),
            Document::category(id(SECURITY), 1, CategoryKind::UpdateClassification).title("Security Updates"),
            Document::category(id(TOOLS), 1, CategoryKind::UpdateClassification).title("Tools"),
            update(10, SECURITY, "Old cumulative update"),
            update(11, SECURITY, "New cumulative update").supersedes(id(10)),
            update(12, TOOLS, "A tool"),
        ])
        .await;
    server
}

fn rule(name: &str) -> Value {
    json!({
        "name": name,
        "criteria": "classification = \"Security Updates\" and not superseded",
        "deployments": [
            { "collection": "All Computers", "action": "install", "available": "0", "deadline": "7d" },
            { "collection": "Unassigned Computers", "action": "optional", "available": "5d" },
        ],
    })
}

fn texts<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    list["items"].as_array().expect("items").iter().filter_map(|row| row[field].as_str()).collect()
}

#[tokio::test]
async fn rules_are_kept_by_id_and_refused_in_words() {
    let server = server().await;
    assert_eq!(server.get("rules").await.ok(), json!({ "items": [], "next": null }));
    let made = server.post("rules", rule("Monthly")).await.ok();
    assert_eq!(made["criteria"], format!("classification = {} and not superseded", id(SECURITY)));
    assert_eq!(made["criteria_text"], "classification = \"Security Updates\" and not superseded");
    assert_eq!(made["schedule"], "manual");
    assert_eq!(made["new_group"], "{name} {date}");
    assert_eq!(made["deployments"][0]["deadline"], "7d");
    assert_eq!(made["last_run"], Value::Null);
    assert_eq!(server.post("rules", rule("MONTHLY")).await.refused(409), "exists");
    for (field, value, code) in [
        ("name", json!(""), "name"),
        ("name", json!("n".repeat(201)), "name"),
        ("description", json!("d".repeat(257)), "description"),
        ("description", json!("d\u{1b}[2J"), "description"),
        ("name", json!("\u{200b}"), "name"),
        ("criteria", json!("titel ~ x"), "criteria"),
        ("criteria", json!("classification = \"No such thing\""), "criteria"),
        ("schedule", json!("at noon"), "schedule"),
        ("new_group", json!("{day}"), "group"),
        ("colour", json!("red"), "body"),
        ("template", json!("nothing"), "not_found"),
        ("deployments", json!([{ "collection": "Nowhere", "action": "install" }]), "not_found"),
        ("deployments", json!([{ "collection": "All Computers", "action": "block" }]), "action"),
        (
            "deployments",
            json!([{ "collection": "All Computers", "action": "install", "deadline": "soon" }]),
            "deadline",
        ),
        ("deployments", json!([{ "collection": "All Computers", "action": "optional", "deadline": "1d" }]), "deadline"),
    ] {
        let mut new = rule("Other");
        new[field] = value.clone();
        let answer = server.post("rules", new).await;
        assert!(answer.status.is_client_error(), "{field} {value}: {}", answer.body);
        assert_eq!(answer.body["code"], code, "{field} {value}: {}", answer.body);
    }
    assert_eq!(texts(&server.get("rules").await.ok(), "name"), ["Monthly"]);

    let change =
        json!({ "name": "Every month", "schedule": "monthly second tuesday +1 at 02:00 UTC", "enabled": false });
    let changed = server.patch("rules/monthly", change).await.ok();
    assert_eq!((&changed["id"], &changed["schedule"]), (&made["id"], &json!("monthly second tuesday +1 at 02:00 UTC")));
    assert_eq!(changed["next_run"], Value::Null, "it is switched off");
    let on = server.patch("rules/Every%20month", json!({ "enabled": true })).await.ok();
    assert!(on["next_run"].is_string());
    let two = server.patch("rules/Every%20month", json!({ "new_group": "A", "keep_group": "B" })).await;
    assert_eq!(two.refused(400), "group");
    let more = json!({ "collection": "All Computers", "action": "install" });
    assert_eq!(server.post("rules/Every%20month/deployments", more).await.refused(400), "deployments");
    let less = server.delete("rules/Every%20month/deployments/Unassigned%20Computers").await.ok();
    assert_eq!(less["deployments"].as_array().map(Vec::len), Some(1));

    let templates = server.get("rule-templates").await.ok();
    assert_eq!(texts(&templates, "name"), ["patch-tuesday", "office-365-client", "antivirus"]);
    server.post("rule-templates", json!({ "name": "Ours", "rule": "Every month" })).await.ok();
    let of = json!({ "name": "Third", "template": "ours" });
    assert_eq!(server.post("rules", of).await.ok()["criteria"], made["criteria"]);
    server.delete("rule-templates/ours").await;

    // a deployment may take its settings from a template of deployments; what does not go together is refused
    let of = json!({ "action": "install", "deadline": "+3d", "settings": { "grace": true } });
    server.call(Method::PUT, "deployment-templates/Careful", Some(of)).await.ok();
    let more = json!({ "collection": "Unassigned Computers", "template": "Careful" });
    let shown = server.post("rules/Third/deployments", more).await.ok();
    let made = &shown["deployments"][0];
    assert_eq!((&made["deadline"], &made["settings"]["grace"]), (&json!("3d"), &json!(true)), "{shown:#}");
    let wrong = json!({ "collection": "All Computers", "action": "install", "settings": { "grace": true } });
    assert_eq!(server.post("rules/Third/deployments", wrong).await.refused(400), "grace");
    assert_eq!(server.delete("rule-templates/antivirus").await.refused(409), "built_in");
    assert!(server.delete("rules/Every%20month").await.status.is_success());
    assert_eq!(server.get("rules/Every%20month").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_run_makes_a_group_and_deployments_and_says_why() {
    let server = server().await;
    let preview = server.post("rules/preview", json!({ "rule": rule("Monthly") })).await.ok();
    assert_eq!((&preview["looked_at"], &preview["matched"]), (&json!(3), &json!(1)), "{preview:#}");
    assert_eq!(preview["updates"][0]["reason"], "classification = \"Security Updates\" and not superseded");
    let reasons: Vec<&str> =
        preview["rejected"].as_array().expect("reasons").iter().filter_map(|row| row["reason"].as_str()).collect();
    assert_eq!(reasons, ["not so: classification = \"Security Updates\"", "not so: not superseded"]);
    assert_eq!(server.get("deployments").await.ok()["items"], json!([]), "a preview changes nothing");
    assert_eq!(server.get("rules").await.ok()["items"], json!([]));

    server.post("rules", rule("Monthly")).await.ok();
    let run = server.post("rules/Monthly/run", json!({})).await.ok();
    assert_eq!((&run["result"], &run["matched"], &run["rejected"]), (&json!("done"), &json!(1), &json!(2)), "{run:#}");
    let base: Timestamp = run["base"].as_str().expect("a time").parse().expect("a time");
    let deployments = server.get("deployments").await.ok();
    assert_eq!(deployments["items"].as_array().map(Vec::len), Some(2), "{deployments:#}");
    let first = &deployments["items"][0];
    assert_eq!((&first["origin"], &first["action"]), (&json!("rule"), &json!("install")));
    let deadline: Timestamp = first["deadline"].as_str().expect("a deadline").parse().expect("a time");
    assert_eq!(deadline.duration_since(base).as_hours(), 7 * 24);
    let available: Timestamp = deployments["items"][1]["available"].as_str().expect("a time").parse().expect("a time");
    assert_eq!(available.duration_since(base).as_hours(), 5 * 24);

    // what it said of each update, in pages
    let path = format!("rule-runs/{}/updates", run["no"]);
    let page = server.get(&format!("{path}?limit=2")).await.ok();
    let rest = server.get(&format!("{path}?limit=2&cursor={}", page["next"].as_str().expect("more"))).await.ok();
    assert_eq!([texts(&page, "title"), texts(&rest, "title")].concat().len(), 3);
    assert_eq!(
        (&page["items"][0]["matched"], &page["items"][0]["title"]),
        (&json!(true), &json!("New cumulative update"))
    );
    assert_eq!(texts(&server.get(&format!("{path}?matched=false")).await.ok(), "title").len(), 2);

    // again: another group with a name of its own
    let again = server.post("rules/Monthly/run", json!({})).await.ok();
    assert_eq!(again["group"]["name"], format!("{} (2)", run["group"]["name"].as_str().expect("a name")));
    let history = server.get("rules/Monthly/runs").await.ok();
    assert_eq!(history["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.get("rules/Monthly").await.ok()["last_run"]["no"], again["no"]);
    server.stop().await;
}

#[tokio::test]
async fn a_kept_group_is_replaced_and_never_emptied() {
    let server = server().await;
    let mut new = rule("Definitions");
    new["keep_group"] = json!("Our definitions");
    new["enable_deployments"] = json!(false);
    new["run"] = json!(true);
    let made = server.post("rules", new).await.ok();
    assert_eq!(made["last_run"]["result"], "done", "{made:#}");
    let group = made["last_run"]["group"]["id"].clone();
    let kept = server.delete(&format!("groups/{}", group.as_str().expect("an id"))).await;
    assert_eq!(kept.refused(409), "in_use");
    let deployments = server.get("deployments").await.ok();
    assert_eq!(deployments["items"].as_array().map(Vec::len), Some(2));

    // the same group and the same deployments, whose times stay while the members do
    let same = server.post("rules/Definitions/run", json!({})).await.ok();
    assert_eq!((&same["group"]["id"], &same["deployments"]), (&group, &made["last_run"]["deployments"]));
    let after = server.get("deployments").await.ok();
    assert_eq!(after["items"][0]["deadline"], deployments["items"][0]["deadline"]);

    // a newer update takes the place of the member, and the times follow
    server.import_documents(&[update(13, SECURITY, "Newest").supersedes(id(11))]).await;
    server.post("rules/Definitions/run", json!({})).await.ok();
    let members = server.get(&format!("groups/{}/members", group.as_str().expect("an id"))).await.ok();
    assert_eq!(texts(&members, "title"), ["Newest"], "{members:#}");
    assert_ne!(server.get("deployments").await.ok()["items"][0]["deadline"], deployments["items"][0]["deadline"]);

    // nothing matches: the members stay
    server.patch("rules/Definitions", json!({ "criteria": "title ~ nothing" })).await.ok();
    let nothing = server.post("rules/Definitions/run", json!({})).await.ok();
    assert_eq!((&nothing["result"], &nothing["group"]), (&json!("nothing"), &Value::Null));
    let members = server.get(&format!("groups/{}/members", group.as_str().expect("an id"))).await.ok();
    assert_eq!(texts(&members, "title"), ["Newest"]);
    server.stop().await;
}

#[tokio::test]
async fn an_import_makes_a_rule_due_and_a_failure_opens_an_alert() {
    let server = server().await;
    let mut new = rule("After each sync");
    new["schedule"] = json!("after sync");
    server.post("rules", new).await.ok();
    server.import_documents(&[update(14, SECURITY, "Another")]).await;
    let runs = until(&server, "rules/After%20each%20sync/runs", "run", |list| {
        list["items"].as_array().is_some_and(|items| !items.is_empty())
    })
    .await;
    assert_eq!(
        (&runs["items"][0]["trigger"], &runs["items"][0]["result"]),
        (&json!("synchronization"), &json!("done"))
    );
    assert_eq!(runs["items"][0]["matched"], 2);

    // a collection that a rule deploys to is not deleted
    server.post("collections", json!({ "name": "Pilot" })).await.ok();
    let pilot = json!({ "name": "To pilot", "criteria": "title = Many",
        "deployments": [{ "collection": "Pilot", "action": "install" }] });
    server.post("rules", pilot).await.ok();
    let refused = server.delete("collections/Pilot").await;
    assert_eq!(refused.refused(409), "in_use");
    assert_eq!(refused.body["next_step"], "weir rules change \"To pilot\" --remove-deploy \"Pilot\"");
    // too many matches fail the run, which changes nothing
    let many: Vec<Document> = (1_000..2_001).map(|number| update(number, TOOLS, "Many")).collect();
    server.import_documents(&many).await;
    let failed = server.post("rules/To%20pilot/run", json!({})).await.ok();
    assert_eq!(failed["result"], "failed", "{failed:#}");
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("1001")), "{failed:#}");
    assert!(failed["next_step"].is_string());
    let groups = server.get("groups").await.ok();
    assert!(!texts(&groups, "name").iter().any(|name| name.starts_with("To pilot")), "nothing was changed: {groups:#}");
    let open = server.get("alerts?state=open").await.ok();
    assert!(texts(&open, "kind").contains(&"rule.failed"), "{open:#}");
    // nothing would close it under another name, so renaming does
    server.patch("rules/To%20pilot", json!({ "name": "To nobody" })).await.ok();
    assert!(!texts(&server.get("alerts?state=open").await.ok(), "kind").contains(&"rule.failed"));
    assert_eq!(server.post("rules/To%20nobody/run", json!({})).await.ok()["result"], "failed");
    server.patch("rules/To%20nobody", json!({ "criteria": "title = Another" })).await.ok();
    assert_eq!(server.post("rules/To%20nobody/run", json!({})).await.ok()["result"], "done");
    assert!(!texts(&server.get("alerts?state=open").await.ok(), "kind").contains(&"rule.failed"));
    server.stop().await;
}

/// A computer that scanned and is in a collection.
async fn member(server: &Server, number: u64, collection: &str) -> ScriptedAgent {
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
    agent.scan().await.expect("scan");
    let change = json!({ "computers": [agent.computer.client_id] });
    server.post(&format!("collections/{collection}/members"), change).await.ok();
    agent.scan().await.expect("scan");
    agent
}

#[tokio::test]
async fn a_rollout_waits_for_its_gate() {
    let server = server().await;
    for name in ["Pilot", "Production"] {
        server.post("collections", json!({ "name": name })).await.ok();
    }
    let mut new = rule("Monthly");
    new["deployments"] = json!([]);
    new["run"] = json!(true);
    let group = server.post("rules", new).await.ok()["last_run"]["group"]["name"].clone();
    let mut computer = member(&server, 1, "Pilot").await;
    let phased = json!({
        "name": "November", "group": group,
        "phases": [
            { "collection": "Pilot", "success_percent": 100, "max_failed_count": 0, "deadline_days": 0, "approval": true },
            { "collection": "Production", "after_days": 0 },
        ],
    });
    let one = json!({ "name": "One", "group": group, "phases": [{ "collection": "Pilot" }] });
    assert_eq!(server.post("phased", one).await.refused(400), "phases");
    let twice =
        json!({ "name": "Two", "group": group, "phases": [{ "collection": "Pilot" }, { "collection": "Pilot" }] });
    assert_eq!(server.post("phased", twice).await.refused(400), "phase");
    let made = server.post("phased", phased.clone()).await.ok();
    assert_eq!((&made["status"], &made["phases"][0]["status"]), (&json!("running"), &json!("active")), "{made:#}");
    assert_eq!(made["phases"][1]["status"], "waiting");
    assert_eq!(server.post("phased", phased).await.refused(409), "exists");

    // nothing is known of its one computer yet
    let seen = server.post("phased/November/refresh", json!({})).await.ok();
    assert_eq!(seen["phases"][0]["computers"], json!({ "targeted": 1, "succeeded": 0, "failed": 0, "unknown": 1 }));
    assert_eq!(seen["phases"][0]["gate"], "0 of 1 computers succeeded, 100 % wanted");
    assert_eq!(server.post("phased/November/resume", json!({})).await.refused(409), "not_held");

    // what it needs stays
    let used = server.delete("collections/Production").await;
    assert_eq!(used.refused(409), "in_use");
    assert_eq!(used.body["next_step"], "weir phased stop \"November\"");
    let of = format!("groups/{}?force=true", made["group"]["id"].as_str().expect("an id"));
    assert_eq!(server.delete(&of).await.refused(409), "in_use");

    // resuming switches on what pausing switched off, and nothing that somebody else did
    let of = format!("deployments/{}", made["phases"][0]["deployment"]);
    for on in [false, true] {
        server.patch(&of, json!({ "enabled": on })).await.ok();
        server.post("phased/November/pause", json!({})).await.ok();
        assert_eq!(server.get(&of).await.ok()["enabled"], false);
        server.post("phased/November/resume", json!({})).await.ok();
        assert_eq!(server.get(&of).await.ok()["enabled"], on);
    }

    // it fails: everything stops
    computer.state.conditions.insert(id(11), Condition::Failed);
    computer.report_scan().await.expect("reported");
    let failed = server.post("phased/November/refresh", json!({})).await.ok();
    assert_eq!(failed["status"], "failed", "{failed:#}");
    assert!(texts(&server.get("alerts").await.ok(), "kind").contains(&"phased.failed"));
    assert_eq!(server.post("phased/November/advance", json!({})).await.refused(409), "held");
    let resumed = server.post("phased/November/resume", json!({ "note": "known fault" })).await.ok();
    assert_eq!(resumed["status"], "running");

    // it succeeds: the phase waits for approval, and then the next one starts
    computer.state.conditions.clear();
    computer.computer.installed.insert(id(11));
    computer.scan().await.expect("scan");
    computer.report_scan().await.expect("reported");
    let good = server.post("phased/November/refresh", json!({})).await.ok();
    assert_eq!(good["phases"][0]["gate"], "1 of 1 computers succeeded, 100 % wanted, and nobody approved it yet");
    server.post("phased/November/approve", json!({ "note": "help desk is quiet" })).await.ok();
    let done = server.post("phased/November/refresh", json!({})).await.ok();
    assert_eq!((&done["phases"][0]["status"], &done["phases"][1]["status"]), (&json!("completed"), &json!("active")));
    let change = json!({ "phases": [{ "collection": "Production" }, { "collection": "Pilot" }] });
    assert_eq!(server.patch("phased/November", change).await.refused(409), "active");

    // who joins the first collection now is counted apart
    member(&server, 2, "Pilot").await;
    let late = server.post("phased/November/refresh", json!({})).await.ok();
    assert_eq!(
        (&late["phases"][0]["late"]["targeted"], &late["phases"][0]["status"]),
        (&json!(1), &json!("completed"))
    );

    let events = server.get("phased/November/events").await.ok();
    let mut steps = texts(&events, "step");
    steps.reverse();
    let wanted = ["start", "pause", "resume", "pause", "resume", "error_stop", "resume", "reached"];
    assert_eq!(steps[..8], wanted, "{events:#}");
    assert!(texts(&events, "reason").iter().any(|reason| reason.contains("approved by")), "{events:#}");
    assert_eq!(server.delete("phased/November").await.refused(409), "running");
    server.post("phased/November/stop", json!({})).await.ok();
    assert!(server.delete("phased/November").await.status.is_success());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_shows_what_the_top_decides_and_does_nothing_itself() {
    let top = server().await;
    let child = crate::replicas::child_of(&top, "OSLO").await;
    for name in ["Pilot", "Production"] {
        top.post("collections", json!({ "name": name })).await.ok();
    }
    let mut new = rule("Monthly");
    new["schedule"] = json!("daily at 02:00");
    new["run"] = json!(true);
    let group = top.post("rules", new).await.ok()["last_run"]["group"]["name"].clone();
    let phases = json!([{ "collection": "Pilot" }, { "collection": "Production" }]);
    top.post("phased", json!({ "name": "Rollout", "group": group, "phases": phases })).await.ok();

    let rules = until(&child, "rules", "known below", |list| list["items"].to_string().contains("Monthly")).await;
    let below = &rules["items"][0];
    assert_eq!(
        (&below["from_parent"], &below["next_run"], &below["last_run"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    let phased = until(&child, "phased", "known below", |list| list["items"].to_string().contains("Rollout")).await;
    assert_eq!(
        (&phased["items"][0]["status"], &phased["items"][0]["phases"][0]["status"]),
        (&json!("above"), &json!("waiting"))
    );
    for (path, body) in [
        ("rules", rule("Own")),
        ("rules/Monthly/run", json!({})),
        ("phased/Rollout/pause", json!({})),
        ("phased/Rollout/refresh", json!({})),
    ] {
        assert_eq!(child.post(path, body).await.status.as_u16(), 409, "{path}");
    }
    assert_eq!(child.delete("rules/Monthly").await.status.as_u16(), 409);
    // what they made came as group and deployments
    until(&child, "deployments", "deployed below", |list| list["items"].as_array().map(Vec::len) == Some(3)).await;
    assert!(top.delete("rules/Monthly").await.status.is_success());
    until(&child, "rules", "gone below", |list| list["items"] == json!([])).await;
    // out of the tree it may tidy up what came from there
    assert!(child.delete("parent").await.status.is_success());
    assert!(child.delete("phased/Rollout").await.status.is_success());
    child.stop().await;
    top.stop().await;
}
