//! Finding things, and looking at them more closely.

use serde_json::{Value, json};
use weir_model::ids::UpdateIdentity;
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[field].as_str().expect("a text").to_owned()).collect()
}

async fn ready() -> (Server, Vec<ScriptedAgent>) {
    let server = Server::start().await;
    let part = UpdateIdentity::new(id(3), 1);
    server
        .import_documents(&[
            Document::software(id(1), 1).title("November rollup"),
            Document::software(id(2), 1).title("December rollup").supersedes(id(1)),
            Document::member(id(3), 1).title("Part"),
            Document::software(id(4), 1).title("Bundle").bundles([part]).requires(id(5)),
            Document::detectoid(id(5), 1).title("Fact"),
        ])
        .await;
    server.post("collections", json!({ "name": "December ring" })).await.ok();
    server.post("groups", json!({ "name": "December updates" })).await.ok();
    let body = json!({ "update": id(2), "collection": "December ring", "action": "detect" });
    server.post("deployments", body).await.ok();
    let mut agents = Vec::new();
    for number in 1..=3 {
        let mut computer = Computer::numbered(number);
        computer.dns_name = format!("pc-{number}.december.example");
        let mut agent = ScriptedAgent::new(server.client(), computer).expect("agent");
        agent.scan().await.expect("scan");
        agents.push(agent);
    }
    (server, agents)
}

#[tokio::test]
async fn one_box_finds_everything() {
    let (server, agents) = ready().await;
    let found = server.get("search?q=december").await.ok();
    assert_eq!(names(&found["updates"], "title"), ["December rollup"]);
    assert_eq!((found["computers_total"].clone(), found["collections_total"].clone()), (json!(3), json!(1)));
    assert_eq!(names(&found["groups"], "name"), ["December updates"]);
    assert_eq!(names(&found["deployments"], "title"), ["December rollup"], "by what it deploys, whatever its name is");
    let one = server.get("search?q=PC-2&limit=1").await.ok();
    assert_eq!(names(&one["computers"], "name"), ["pc-2.december.example"]);
    let by_id = server.get(&format!("search?q={}", agents[0].computer.client_id)).await.ok();
    assert_eq!(names(&by_id["computers"], "name"), ["pc-1.december.example"]);
    assert_eq!(server.get("search?q=127.0.0.1").await.ok()["computers_total"], 3);
    let nothing = server.get("search?q=%2B%2B").await.ok();
    assert_eq!((nothing["updates_total"].clone(), nothing["computers_total"].clone()), (json!(0), json!(0)));
    assert_eq!(server.get("search?q=CVE-2026-1234").await.ok()["updates"], json!([]));
    assert_eq!(server.get("search").await.refused(400), "query");
    assert_eq!(server.get("search?q=%20").await.refused(400), "text");
    assert_eq!(server.get("search?q=x&limit=51").await.refused(400), "limit");
    server.stop().await;
}

#[tokio::test]
async fn computers_are_narrowed_sorted_and_counted() {
    let (server, agents) = ready().await;
    let list = |query: &str| format!("computers?{query}");
    let by_name = server.get(&list("sort=name:desc&limit=2")).await.ok();
    assert_eq!(names(&by_name["items"], "name"), ["pc-3.december.example", "pc-2.december.example"]);
    let next = by_name["next"].as_str().expect("there is more");
    let rest = server.get(&list(&format!("sort=name:desc&limit=2&cursor={next}"))).await.ok();
    assert_eq!(names(&rest["items"], "name"), ["pc-1.december.example"]);
    assert_eq!(names(&server.get(&list("text=PC-3")).await.ok()["items"], "name"), ["pc-3.december.example"]);
    assert_eq!(server.get(&list("text=nobody")).await.ok()["items"], json!([]));
    // none reported yet
    assert_eq!(server.get(&list("state=unknown")).await.ok()["items"].as_array().expect("items").len(), 3);
    assert_eq!(server.get(&list("state=failed")).await.ok()["items"], json!([]));
    let counts = server.get("computers-counts?text=december").await.ok();
    assert_eq!((counts["computers"].clone(), counts["states"]["unknown"].clone()), (json!(3), json!(3)));
    assert_eq!(server.get(&list("sort=colour")).await.refused(400), "sort");
    assert_eq!(server.get(&list("text=%00")).await.refused(400), "text");
    drop(agents);
    server.stop().await;
}

/// Lists are answered from memory, one computer from what is stored of it.
#[tokio::test]
async fn a_row_of_the_list_is_the_computer_in_full() {
    let (server, mut agents) = ready().await;
    let member = json!({ "computers": [agents[1].computer.client_id] });
    server.post("collections/December%20ring/members", member).await.ok();
    for agent in agents.iter_mut().take(2) {
        agent.scan().await.expect("scan");
        agent.report_scan().await.expect("reported");
    }
    let update = Some(UpdateIdentity::new(id(2), 1));
    let failed = agents[1].event(182, update, 0x8024_0022_u32.cast_signed(), Vec::new(), Vec::new());
    agents[1].report(vec![failed]).await.expect("reported");
    let list = server.get("computers").await.ok();
    let items = list["items"].as_array().expect("items");
    assert_eq!(items.len(), 3);
    for item in items {
        let whole = server.get(&format!("computers/{}", item["id"].as_str().expect("an id"))).await.ok();
        for (field, value) in item.as_object().expect("fields") {
            assert_eq!(whole[field], *value, "{field} of {}", item["name"]);
        }
    }
    let names_of = |item: &Value| names(&item["collections"], "name");
    assert_eq!((&items[1]["counts"]["failed"], &items[1]["compliant"]), (&json!(1), &json!(false)));
    assert_eq!(
        (names_of(&items[0]), names_of(&items[1])),
        (vec!["Unassigned Computers".to_owned()], vec!["December ring".to_owned()])
    );
    let ring = server.get("computers?collection=December%20ring").await.ok();
    assert_eq!(ring["items"], json!([items[1]]));
    let counts = server.get("computers-counts?state=failed").await.ok();
    assert_eq!((&counts["computers"], &counts["states"]["failed"]), (&json!(1), &json!(1)));
    server.stop().await;
}

#[tokio::test]
async fn what_a_computer_told_is_in_its_timeline() {
    let (server, mut agents) = ready().await;
    let mut agent = agents.remove(0);
    agent.report_scan().await.expect("reported");
    let failed =
        agent.event(182, Some(UpdateIdentity::new(id(2), 1)), 0x8024_0022_u32.cast_signed(), Vec::new(), Vec::new());
    agent.report(vec![failed]).await.expect("reported");
    let path = format!("computers/{}/timeline", agent.computer.client_id);
    let timeline = server.get(&path).await.ok();
    let items = timeline["items"].as_array().expect("items");
    let failure = items.iter().find(|item| item["event"] == 182).expect("the failure");
    assert_eq!((&failure["state"], &failure["error"]), (&json!("failed"), &json!("0x80240022")));
    assert_eq!(failure["update"]["name"], "December rollup");
    let scan = items.iter().find(|item| item["event"] == 147 || item["event"] == 156).expect("a scan");
    assert_eq!((&scan["newest_only"], &scan["update"]), (&json!(true), &Value::Null));
    assert_eq!(server.get("computers/no-such-one/timeline").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn an_update_has_relations_and_a_document() {
    let (server, _) = ready().await;
    let graph = server.get(&format!("updates/{}/relations", id(1))).await.ok();
    assert_eq!(graph["relations"], json!([{ "kind": "supersedes", "from": id(2), "to": id(1) }]));
    assert_eq!(names(&graph["updates"], "title"), ["November rollup", "December rollup"]);
    let bundle = server.get(&format!("updates/{}/relations", id(4))).await.ok();
    let mut kinds = names(&bundle["relations"], "kind");
    kinds.sort();
    assert_eq!(kinds, ["bundles", "requires"]);
    let fact = server.get(&format!("updates/{}/relations?depth=1", id(5))).await.ok();
    assert_eq!(fact["relations"], json!([{ "kind": "requires", "from": id(4), "to": id(5) }]), "read backwards");
    let cut = server.get(&format!("updates/{}/relations?limit=1", id(4))).await.ok();
    assert_eq!((cut["truncated"].clone(), cut["updates"].as_array().expect("updates").len()), (json!(true), 1));
    assert_eq!(server.get(&format!("updates/{}/relations?depth=6", id(4))).await.refused(400), "depth");
    assert_eq!(server.get(&format!("updates/{}/relations", id(9))).await.refused(404), "not_found");

    let text = Document::software(id(1), 1).title("November rollup").to_xml();
    let url = server.admin(&format!("/api/v1/updates/{}@1/document", id(1)));
    let document = server.http.get(url).bearer_auth(&server.token).send().await.expect("an answer");
    assert_eq!(document.headers()["content-type"], "application/xml");
    assert!(document.headers()["content-disposition"].to_str().expect("text").starts_with("attachment; "));
    assert_eq!(document.headers()["content-security-policy"], "default-src 'none'; sandbox");
    assert_eq!(document.bytes().await.expect("a body"), text.as_bytes(), "byte for byte");
    assert_eq!(server.get(&format!("updates/{}@2/document", id(1))).await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn the_server_says_how_it_is() {
    let (server, _) = ready().await;
    let health = server.get("health-report").await.ok();
    assert_eq!(health["certificates"][0]["name"], "authority");
    assert!(health["certificates"][0]["days_left"].as_i64().is_some_and(|days| days > 3_000), "{health}");
    assert!(health["database"]["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{health}");
    assert_eq!(health["memory"]["computers"], 3);
    assert_eq!(names(&health["disks"], "name"), ["data", "content"]);
    assert!(health["endpoints"]["admin"].is_string());
    server.stop().await;
}
