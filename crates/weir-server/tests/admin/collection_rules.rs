//! Collections that rules, other collections and limits define.

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

fn workstation(number: u64) -> Computer {
    Computer::numbered(number)
}

fn server_2019(number: u64) -> Computer {
    let mut computer = Computer::numbered(number);
    "Windows Server Datacenter".clone_into(&mut computer.os_description);
    computer.os_build = 17_763;
    computer.product_type = 3;
    computer
}

async fn scanned(server: &Server, computer: Computer) -> ScriptedAgent {
    let mut agent = ScriptedAgent::new(server.client(), computer).expect("agent");
    agent.scan().await.expect("scan");
    agent
}

async fn create(server: &Server, body: Value) {
    let answer = server.post("collections", body.clone()).await;
    assert_eq!(answer.status, 201, "{body}: {}", answer.body);
}

/// Ids of the members with what puts them there.
async fn members(server: &Server, name: &str) -> Vec<(String, Value)> {
    let list = server.get(&format!("collections/{name}/members")).await.ok();
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| (item["id"].as_str().expect("id").to_owned(), item["sources"].clone())).collect()
}

fn at(agent: &ScriptedAgent, sources: &[&str]) -> (String, Value) {
    (agent.computer.client_id.clone(), json!(sources))
}

#[tokio::test]
async fn a_computer_that_registers_gets_what_its_collection_gets_and_loses_it_when_it_changes() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(2), 1).title("Fix")]).await;
    create(&server, json!({ "name": "Servers", "rule": "os ~ \"server 2019\" and ip in 127.0.0.0/8" })).await;
    let deploy = json!({ "update": id(2), "collection": "Servers", "action": "install" });
    server.post("deployments", deploy).await.ok();

    let mut pc = ScriptedAgent::new(server.client(), workstation(1)).expect("agent");
    assert_eq!(pc.scan().await.expect("scan").offered, []);
    // the first scan of a computer comes after its registration
    let mut machine = ScriptedAgent::new(server.client(), server_2019(2)).expect("agent");
    assert_eq!(machine.scan().await.expect("scan").offered.len(), 1);
    assert_eq!(members(&server, "Servers").await, [at(&machine, &["rule"])]);
    let shown = server.get(&format!("computers/{}", machine.computer.client_id)).await.ok();
    let collections: Vec<_> = shown["collections"].as_array().expect("list").iter().map(|it| &it["name"]).collect();
    assert!(
        collections.contains(&&json!("Servers")) && collections.contains(&&json!("Unassigned Computers")),
        "{shown}"
    );

    // it becomes a workstation: it registers anew and keeps its cache
    machine.computer.product_type = 1;
    machine.computer.os_build = 19_045;
    machine.state.registered = false;
    machine.state.cookie = None;
    machine.handshake().await.expect("registers");
    assert_eq!(members(&server, "Servers").await, []);
    assert_eq!(machine.scan().await.expect("scan").offered, []);

    // and one that was there all the time comes in with another rule
    let change = json!({ "rule": "workstation and build >= 26000" });
    let changed = server.patch("collections/Servers", change).await.ok();
    assert_eq!((&changed["members"], &changed["evaluating"]), (&json!(1), &Value::Null));
    assert_eq!(pc.scan().await.expect("scan").offered.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn includes_excludes_and_limits_count_and_are_told() {
    let server = Server::start().await;
    let (a, b, c) = (
        scanned(&server, server_2019(1)).await,
        scanned(&server, server_2019(2)).await,
        scanned(&server, workstation(3)).await,
    );
    create(&server, json!({ "name": "Outer" })).await;
    create(&server, json!({ "name": "Inner", "parent": "Outer" })).await;
    create(&server, json!({ "name": "Legacy", "kind": "rule" })).await;
    create(
        &server,
        json!({ "name": "Ring 1", "rule": "server", "includes": ["Outer"], "excludes": ["Legacy"],
            "description": "first of all", "time_zone": "europe/amsterdam" }),
    )
    .await;
    let body = |agent: &ScriptedAgent| json!({ "computers": [agent.computer.client_id] });
    assert_eq!(members(&server, "Ring%201").await, [at(&a, &["rule"]), at(&b, &["rule"])]);
    // what is put into a group below an included one is a member as soon as the answer is there
    server.post("collections/Inner/members", body(&c)).await.ok();
    server.post("collections/Inner/members", body(&a)).await.ok();
    let all = [at(&a, &["rule", "include"]), at(&b, &["rule"]), at(&c, &["include"])];
    assert_eq!(members(&server, "Ring%201").await, all);
    server.post("collections/Legacy/members", body(&a)).await.ok();
    assert_eq!(members(&server, "Legacy").await, [at(&a, &["manual"])]);
    assert_eq!(members(&server, "Ring%201").await, all[1..]);
    server.post("collections/Ring%201/members", body(&a)).await.ok();
    assert_eq!(members(&server, "Ring%201").await, all[1..], "an exclude wins");

    let shown = server.get("collections/Ring%201").await.ok();
    assert_eq!((&shown["kind"], &shown["rule"], &shown["direct"]), (&json!("rule"), &json!("server"), &json!(1)));
    assert_eq!((&shown["includes"][0]["name"], &shown["excludes"][0]["name"]), (&json!("Outer"), &json!("Legacy")));
    assert_eq!((&shown["time_zone"], &shown["description"]), (&json!("Europe/Amsterdam"), &json!("first of all")));
    assert_eq!(shown["parent"]["name"], "All Computers");
    let why = |agent: &ScriptedAgent| format!("collections/Ring%201/why?computer={}", agent.computer.client_id);
    let told = server.get(&why(&a)).await.ok();
    assert_eq!((&told["member"], &told["verdict"]), (&json!(false), &json!("excluded")));
    assert_eq!(told["rule"]["holds"], true);
    assert!(told["rule"]["reasons"][0].as_str().expect("text").contains("server"), "{told}");
    assert!(told["why"].as_str().expect("text").contains("It is in \"Legacy\", which is excluded."), "{told}");
    let told = server.get(&why(&c)).await.ok();
    assert_eq!(
        (&told["verdict"], &told["rule"]["holds"], &told["sources"]),
        (&json!("member"), &json!(false), &json!(["include"]))
    );
    let told = server.get(&format!("collections/Outer/why?computer={}", a.computer.client_id)).await.ok();
    assert_eq!((&told["member"], &told["sources"]), (&json!(true), &json!(["nested"])));

    server.patch("collections/Ring%201", json!({ "limiting": "Unassigned Computers" })).await.ok();
    assert_eq!(members(&server, "Ring%201").await, all[1..2], "only it is in no target group");
    assert_eq!(server.get(&why(&c)).await.ok()["verdict"], "outside_limit");
    // names follow renames
    server.patch("collections/Legacy", json!({ "name": "Old things" })).await.ok();
    server
        .patch("collections/Ring%201", json!({ "limiting": "", "rule": "collection = \"old things\" or server" }))
        .await
        .ok();
    server.patch("collections/Old%20things", json!({ "name": "Older things" })).await.ok();
    let shown = server.get("collections/Ring%201").await.ok();
    assert_eq!((&shown["excludes"][0]["name"], &shown["limiting"]), (&json!("Older things"), &Value::Null));
    assert_eq!(shown["rule"], "collection = \"Older things\" or server");
    server.call(Method::DELETE, "collections/Older%20things/members", Some(body(&a))).await.ok();
    let back = [at(&a, &["manual", "rule", "include"]), all[1].clone(), all[2].clone()];
    assert_eq!(members(&server, "Ring%201").await, back, "what was put there counts again");
    server.stop().await;
}

#[tokio::test]
async fn a_preview_counts_and_changes_nothing() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(2), 1).title("Fix")]).await;
    let (a, b) = (scanned(&server, server_2019(1)).await, scanned(&server, workstation(2)).await);
    create(&server, json!({ "name": "Servers", "rule": "server" })).await;
    create(&server, json!({ "name": "Both", "includes": ["Servers"] })).await;
    server.post("deployments", json!({ "update": id(2), "collection": "Both", "action": "optional" })).await.ok();
    let new = server.post("collections/preview", json!({ "rule": "build > 1", "limit": 1 })).await.ok();
    assert_eq!((&new["computers"], &new["members"]["count"], &new["collection"]), (&json!(2), &json!(2), &Value::Null));
    assert_eq!(new["members"]["items"].as_array().map(Vec::len), Some(1), "as many as were asked for");
    assert_eq!((&new["coming"]["count"], &new["deployments"]), (&json!(2), &json!([])));

    let query = json!({ "collection": "servers", "rule": "workstation" });
    let tried = server.post("collections/preview", query).await.ok();
    assert_eq!((&tried["rule"], &tried["members"]["count"]), (&json!("workstation"), &json!(1)));
    assert_eq!(tried["coming"]["items"][0]["id"], json!(b.computer.client_id));
    assert_eq!(tried["going"]["items"][0]["id"], json!(a.computer.client_id));
    let other = &tried["others"][0];
    assert_eq!(
        (&other["collection"]["name"], &other["coming"], &other["going"]),
        (&json!("Both"), &json!(1), &json!(1))
    );
    let reached = &tried["deployments"][0];
    assert_eq!((&reached["title"], &reached["action"]), (&json!("Fix"), &json!("optional")));
    assert_eq!(members(&server, "Servers").await, [at(&a, &["rule"])], "nothing is changed");
    assert_eq!(server.get("collections/Servers").await.ok()["rule"], "server");
    let refused = server.post("collections/preview", json!({ "rule": "nonsense" })).await;
    assert_eq!(refused.refused(400), "rule");
    assert_eq!(
        server.post("collections/preview", json!({ "collection": "Both", "limit": 0 })).await.refused(400),
        "limit"
    );
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nothing_is_half_applied() {
    let server = Server::start().await;
    create(&server, json!({ "name": "Group" })).await;
    create(&server, json!({ "name": "A", "rule": "server" })).await;
    create(&server, json!({ "name": "B", "includes": ["A"] })).await;
    create(&server, json!({ "name": "C", "rule": "collection = B", "limiting": "Group" })).await;
    let many: Vec<String> = (0..501).map(|number| format!("x{number}")).collect();
    let long = "x".repeat(1_001);
    for (body, status, code) in [
        (json!({ "rule": "serwer" }), 400, "rule"),
        (json!({ "rule": "os ~" }), 400, "rule"),
        (json!({ "rule": "collection = Nowhere" }), 400, "rule"),
        (json!({ "rule": "collection ~ A" }), 400, "rule"),
        (json!({ "rule": "collection is not empty" }), 400, "rule"),
        (json!({ "rule": format!("collection = {}", id(9)) }), 400, "rule"),
        (json!({ "rule": "site = Nowhere" }), 400, "rule"),
        (json!({ "rule": "server and ".repeat(500) }), 400, "rule"),
        (json!({ "includes": ["Nowhere"] }), 400, "includes"),
        (json!({ "includes": ["A", "a"] }), 400, "includes"),
        (json!({ "includes": many }), 400, "includes"),
        (json!({ "excludes": ["All Computers"] }), 400, "excludes"),
        (json!({ "includes": ["A"], "excludes": ["A"] }), 400, "excludes"),
        (json!({ "limiting": "Nowhere" }), 400, "limiting"),
        (json!({ "rule": "server", "parent": "Group" }), 409, "parent"),
        (json!({ "parent": "A" }), 409, "parent"),
        (json!({ "kind": "target_group", "rule": "server" }), 409, "kind"),
        (json!({ "kind": "folder" }), 400, "body"),
        (json!({ "time_zone": "Europe/Atlantis" }), 400, "time_zone"),
        (json!({ "time_zone": "localtime" }), 400, "time_zone"),
        (json!({ "description": long }), 400, "description"),
        (json!({ "members": [] }), 400, "body"),
    ] {
        let mut body = body;
        body["name"] = json!("New");
        assert_eq!(server.post("collections", body.clone()).await.refused(status), code, "{body}");
    }
    for name in ["\u{200b}", "\u{202e}\u{feff}"] {
        assert_eq!(server.post("collections", json!({ "name": name })).await.refused(400), "name", "{name:?}");
    }
    let list = server.get("collections").await.ok();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(6), "{list}");

    let circle = server.patch("collections/A", json!({ "name": "First", "excludes": ["C"] })).await;
    assert_eq!(circle.refused(409), "circle");
    let detail = circle.body["detail"].as_str().expect("text");
    for part in ["\"A\"", "excludes", "\"C\"", "has a rule that names \"B\"", "includes \"A\""] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(server.get("collections/A").await.ok()["excludes"], json!([]), "and it has its name");
    let itself = server.patch("collections/A", json!({ "limiting": "A" })).await;
    assert_eq!(itself.refused(409), "circle");
    assert_eq!(server.patch("collections/Group", json!({ "rule": "server" })).await.refused(409), "kind");
    let built_in = server.patch("collections/All%20Computers", json!({ "includes": ["A"] })).await;
    assert_eq!(built_in.refused(409), "kind");
    assert_eq!(server.post("collections/preview", json!({ "collection": "Group" })).await.refused(409), "collection");
    for (name, by) in [("A", "included by \"B\""), ("B", "named in the rule of \"C\""), ("Group", "limits \"C\"")] {
        let refused = server.delete(&format!("collections/{name}")).await;
        assert_eq!(refused.refused(409), "in_use");
        assert!(refused.body["detail"].as_str().expect("text").contains(by), "{}", refused.body);
    }
    for name in ["C", "B", "A", "Group"] {
        assert_eq!(server.delete(&format!("collections/{name}")).await.status, 204, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn approved_only_holds_for_computers_that_rules_put_there() {
    let server = Server::start().await;
    server
        .import_documents(&[Document::software(id(2), 1).title("Deployed"), Document::software(id(3), 1).title("Not")])
        .await;
    create(&server, json!({ "name": "Thin", "rule": "server", "approved_only": true })).await;
    server.post("deployments", json!({ "update": id(2), "collection": "Thin", "action": "install" })).await.ok();
    let thin = scanned(&server, server_2019(1)).await;
    let wide = scanned(&server, workstation(2)).await;
    assert_eq!((thin.state.cache.len(), wide.state.cache.len()), (1, 2));
    // a second collection of its own that does not say so lets everything through
    create(&server, json!({ "name": "Wide", "rule": "build > 1" })).await;
    let mut thin = thin;
    thin.scan().await.expect("scan");
    assert_eq!(thin.state.cache.len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn rules_follow_what_computers_report_and_what_is_declined() {
    let server = Server::start().await;
    server
        .import_documents(&[Document::software(id(2), 1).title("Fix").property_child("KBArticleID", "5005112")])
        .await;
    create(&server, json!({ "name": "Needy", "rule": "needed > 0" })).await;
    create(&server, json!({ "name": "Article", "rule": "needs = KB5005112 and never_reported = false" })).await;
    create(&server, json!({ "name": "Silent", "rule": "never_reported" })).await;
    create(&server, json!({ "name": "Fine", "rule": "needed = 0" })).await;
    let mut agent = scanned(&server, workstation(1)).await;
    assert_eq!(members(&server, "Silent").await, [at(&agent, &["rule"])]);
    assert_eq!(members(&server, "Needy").await, []);
    agent.report_scan().await.expect("reported");
    for (name, count) in [("Needy", 1), ("Article", 1), ("Silent", 0), ("Fine", 0)] {
        assert_eq!(members(&server, name).await.len(), count, "{name}");
    }
    // what nobody is asked about any more is not needed
    server.post(&format!("updates/{}/decline", id(2)), json!({})).await.ok();
    server.post("collections", json!({ "name": "Nothing" })).await.ok();
    for (name, count) in [("Needy", 0), ("Article", 0), ("Fine", 1)] {
        assert_eq!(members(&server, name).await.len(), count, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn zones_of_computers_and_collections_are_checked_and_kept() {
    let server = Server::start().await;
    let agent = scanned(&server, workstation(1)).await;
    let path = format!("computers/{}", agent.computer.client_id);
    create(&server, json!({ "name": "Dutch", "rule": "zone = Europe/Amsterdam" })).await;
    let set = server.patch(&path, json!({ "time_zone": "europe/AMSTERDAM" })).await.ok();
    assert_eq!(set["time_zone"], "Europe/Amsterdam");
    assert_eq!(server.get(&path).await.ok()["time_zone"], "Europe/Amsterdam");
    assert_eq!(members(&server, "Dutch").await.len(), 1);
    assert_eq!(server.patch(&path, json!({ "time_zone": "Mars" })).await.refused(400), "time_zone");
    assert_eq!(server.patch(&path, json!({ "zone": "UTC" })).await.refused(400), "body");
    assert_eq!(server.patch("computers/nobody", json!({ "time_zone": "UTC" })).await.refused(404), "not_found");
    assert_eq!(server.patch(&path, json!({ "time_zone": "" })).await.ok()["time_zone"], Value::Null);
    assert_eq!(members(&server, "Dutch").await, []);
    let built_in = json!({ "time_zone": "America/New_York", "description": "everyone" });
    let all = server.patch("collections/All%20Computers", built_in).await.ok();
    assert_eq!((&all["time_zone"], &all["description"]), (&json!("America/New_York"), &json!("everyone")));
    server.stop().await;
}

#[tokio::test]
async fn a_computer_does_not_ask_its_way_into_a_collection_by_rule() {
    let server = Server::start().await;
    server.call(Method::PUT, "settings/targeting", Some(json!({ "value": "client" }))).await.ok();
    create(&server, json!({ "name": "Guarded", "rule": "server" })).await;
    create(&server, json!({ "name": "Open" })).await;
    let mut computer = workstation(1);
    computer.target_group = Some("Guarded;Open".to_owned());
    let agent = scanned(&server, computer).await;
    assert_eq!(members(&server, "Guarded").await, []);
    assert_eq!(members(&server, "Open").await, [at(&agent, &["requested"])]);
    server.stop().await;
}
