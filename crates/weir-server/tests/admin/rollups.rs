//! What the administrators of a server see of the computers of the servers below it: real servers, real
//! synchronizations.

use reqwest::Method;
use serde_json::{Value, json};
use weir_server::Options;
use weir_testkit::{Computer, Document, ScriptedAgent, engine};

use crate::harness::{Server, id, settings};

/// A server that others may synchronize from.
async fn open_to_all() -> Server {
    let data = tempfile::tempdir().expect("folder");
    let free = Some("127.0.0.1:0".to_owned());
    let options = Options {
        data: Some(data.path().to_owned()),
        client_http: free.clone(),
        client_https: free.clone(),
        admin: free,
        downstream: true,
        database: engine::database(data.path()),
        ..Options::default()
    };
    let settings = weir_server::config::load(&options, &|_| None).expect("settings");
    let server = Server::start_with(data, settings).await;
    set(&server, "downstream.policy", json!("open")).await;
    server
}

async fn set(server: &Server, key: &str, value: Value) {
    server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
}

/// A replica of another server.
async fn below(upper: &Server, name: &str, downstream: bool) -> Server {
    let server = if downstream {
        open_to_all().await
    } else {
        let data = tempfile::tempdir().expect("folder");
        let settings = settings(data.path());
        Server::start_with(data, settings).await
    };
    set(&server, "source", json!(upper.client())).await;
    set(&server, "sync.replica", json!(true)).await;
    set(&server, "server.name", json!(name)).await;
    server
}

/// Synchronizes and waits for the end.
async fn synchronize(server: &Server) {
    let started = server.call(Method::POST, "sync", Some(json!({}))).await.ok();
    let run = format!("sync/runs/{}", started["run"]["id"].as_str().unwrap_or_else(|| panic!("{started}")));
    loop {
        let run = server.get(&run).await.ok();
        match run["state"].as_str() {
            Some("waiting" | "running") => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Some("done") => {
                assert_eq!(run["warnings"], json!([]), "{run}");
                return;
            }
            _ => panic!("{run}"),
        }
    }
}

async fn items(server: &Server, path: &str) -> Vec<Value> {
    let list = server.get(path).await.ok();
    list["items"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_top_of_a_tree_shows_the_computers_of_all_its_servers() {
    let top = open_to_all().await;
    top.import_documents(&[
        Document::detectoid(id(1), 1).title("Fact"),
        Document::software(id(2), 1).localized("en", "Fix", None).requires(id(1)),
    ])
    .await;
    let middle = below(&top, "middle.example.org", true).await;
    synchronize(&middle).await;
    let leaf = below(&middle, "leaf.example.org", false).await;
    synchronize(&leaf).await;
    for (server, number) in [(&top, 1), (&middle, 2), (&leaf, 3)] {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        agent.report_scan().await.expect("reported");
    }
    synchronize(&leaf).await;
    synchronize(&middle).await;

    let computers = items(&top, "computers").await;
    let servers: Vec<&Value> = computers.iter().map(|computer| &computer["server"]["name"]).collect();
    assert_eq!(computers.len(), 3, "{computers:?}");
    assert!(servers.contains(&&Value::Null), "its own");
    assert!(
        servers.contains(&&json!("middle.example.org")) && servers.contains(&&json!("leaf.example.org")),
        "{servers:?}"
    );
    assert!(computers.iter().all(|computer| computer["counts"]["required"] == 1), "{computers:?}");
    assert_eq!(items(&top, "computers?server=leaf.example.org").await.len(), 1);
    assert_eq!(items(&top, "computers?server=this").await.len(), 1);
    assert_eq!(top.get("computers?server=nobody").await.refused(404), "not_found");
    let summary = |path: &'static str| async { top.get(path).await.ok()["computers"].clone() };
    assert_eq!(summary("compliance/summary").await, 3);
    assert_eq!(summary("compliance/summary?server=middle.example.org").await, 1);
    // what comes from below says how old it is, what is of this server alone does not
    let rolled_up = |path: &'static str| async { top.get(path).await.ok()["rolled_up"].clone() };
    for path in ["compliance/summary", "compliance/freshness", "compliance/summary?server=leaf.example.org"] {
        assert!(rolled_up(path).await.is_string(), "{path}");
    }
    for path in ["compliance/summary?server=this", "compliance/freshness?server=this"] {
        assert_eq!(rolled_up(path).await, Value::Null, "{path}");
    }
    assert!(rolled_up("exposure/summary").await.is_string());
    top.post("compliance/history/record", json!({})).await.ok();
    let today = async |of: &str| items(&top, &format!("compliance/history{of}")).await.pop().expect("today");
    assert!(today("").await["rolled_up"].is_string());
    assert!(today("?server=leaf.example.org").await["rolled_up"].is_string());
    assert_eq!(today("?server=this").await["rolled_up"], Value::Null);
    assert_eq!(top.post("compliance/history/record", json!({})).await.ok()["changed"], 0);
    assert!(items(&top, "compliance/updates").await.iter().all(|update| update["rolled_up"].is_string()));
    let needed = items(&top, "compliance/updates").await;
    assert_eq!(needed[0]["counts"]["required"], 3, "{needed:?}");

    let middle_shown = top.get("downstream/middle.example.org").await.ok();
    assert_eq!(middle_shown["below"], json!(["leaf.example.org"]), "{middle_shown}");
    assert_eq!(middle_shown["replica"], true);
    let figures = &middle_shown["report"]["figures"];
    assert_eq!(
        (&figures["computers"], &figures["computers_needing"], &figures["needed_by_computers"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&figures["updates"], &figures["not_approved"]), (&json!(1), &json!(1)));
    let leaf_shown = top.get("downstream/leaf.example.org").await.ok();
    assert_eq!(
        (&leaf_shown["admission"], &leaf_shown["reported_by"]),
        (&json!("reported"), &json!("middle.example.org"))
    );
    assert_eq!(leaf_shown["report"]["systems"][0]["computers"], 1);

    // a server that enrolled as a site is known by that name, by its own and by its GUID
    top.post("sites", json!({ "name": "MID", "kind": "secondary" })).await.ok();
    let enrol = "INSERT INTO site_enrolment (site_id, server_id, fingerprint, version, enrolled_at, last_contact_at)
         SELECT (SELECT site_id FROM site_node WHERE name = 'MID'), server_id, ?1, '0', 0, 0
         FROM downstream_server WHERE name = 'middle.example.org'";
    assert_eq!(top.execute(enrol, &[vec![0_u8; 32].into()]), 1);
    for name in ["MID", "mid", "middle.example.org"] {
        let summary = top.get(&format!("compliance/summary?server={name}")).await.ok();
        assert_eq!(summary["computers"], 1, "{name}");
        let rows = top.get(&format!("reports/scan-sites?site={name}")).await.ok()["rows"].clone();
        assert_eq!(rows[0]["site"], "MID", "{name}");
    }
    let servers = items(&top, "compliance/servers").await;
    assert!(servers.iter().any(|row| row["server"]["name"] == "MID"), "{servers:?}");
    let computers = items(&top, "computers?server=MID").await;
    assert_eq!(computers[0]["server"]["name"], "MID");
    assert_eq!(top.get("compliance/history?server=MID").await.ok()["subject"]["name"], "MID");
    let by_site = items(&top, "compliance/computers?server=MID").await;
    assert_eq!(by_site[0]["server"]["name"], "MID");
    top.execute("DELETE FROM site_enrolment", &[]);

    // a computer that still scans below comes back with its next scan, not before
    let gone = items(&top, "computers?server=leaf.example.org").await.remove(0);
    let gone = gone["id"].as_str().expect("id").to_owned();
    top.delete(&format!("computers/{gone}")).await;
    synchronize(&leaf).await;
    synchronize(&middle).await;
    assert_eq!(items(&top, "computers").await.len(), 2);
    let mut agent = ScriptedAgent::new(leaf.client(), Computer::numbered(3)).expect("agent");
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    synchronize(&leaf).await;
    synchronize(&middle).await;
    assert_eq!(items(&top, "computers?server=leaf.example.org").await.len(), 1);

    // a server that is removed takes along what it reported
    top.delete("downstream/middle.example.org").await;
    assert_eq!(items(&top, "computers").await.len(), 1);
}
