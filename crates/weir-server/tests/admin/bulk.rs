//! Changes of many things, each with what became of it.

use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

async fn ready(computers: u64) -> (Server, Vec<String>) {
    let server = Server::start().await;
    server.import_documents(&[1, 2, 3].map(|number| Document::software(id(number), 1).title("Fix"))).await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let mut ids = Vec::new();
    for number in 1..=computers {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        ids.push(agent.computer.client_id.to_lowercase());
    }
    (server, ids)
}

/// Of an answer: changed, unchanged, failed, and the results in their order.
fn brief(answer: &Value) -> (u64, u64, u64, Vec<&str>) {
    let number = |field: &str| answer[field].as_u64().expect("a number");
    let items = answer["items"].as_array().expect("items").iter();
    (
        number("changed"),
        number("unchanged"),
        number("failed"),
        items.map(|it| it["result"].as_str().expect("one")).collect(),
    )
}

async fn members(server: &Server) -> Value {
    server.get("collections/Ring").await.ok()["members"].clone()
}

#[tokio::test]
async fn computers_are_placed_and_forgotten_one_by_one() {
    let (server, ids) = ready(3).await;
    let place = |ids: &[&str], preview: bool| json!({ "ids": ids, "action": "add_to", "collection": "Ring", "preview": preview });
    let some = [ids[0].as_str(), "no-such-computer", ids[1].as_str(), ids[0].as_str()];
    let preview = server.post("computers-change", place(&some, true)).await.ok();
    assert_eq!(brief(&preview), (2, 0, 1, vec!["changed", "failed", "changed"]));
    assert_eq!((preview["matched"].clone(), preview["preview"].clone()), (json!(3), json!(true)));
    assert_eq!(members(&server).await, 0, "nothing was changed");
    let done = server.post("computers-change", place(&some, false)).await.ok();
    assert_eq!(brief(&done), (2, 0, 1, vec!["changed", "failed", "changed"]));
    assert_eq!(
        (done["items"][1]["code"].clone(), done["items"][1]["id"].clone()),
        (json!("not_found"), json!("no-such-computer"))
    );
    assert_eq!(members(&server).await, 2);
    let again = server.post("computers-change", place(&[&ids[0], &ids[2]], false)).await.ok();
    assert_eq!(brief(&again), (1, 1, 0, vec!["unchanged", "changed"]));

    let out =
        json!({ "filter": { "collection": "Ring", "text": ids[0] }, "action": "remove_from", "collection": "Ring" });
    assert_eq!(brief(&server.post("computers-change", out).await.ok()), (1, 0, 0, vec!["changed"]));
    assert_eq!(members(&server).await, 2);
    let all = json!({ "filter": {}, "action": "delete", "preview": true });
    assert_eq!(server.post("computers-change", all).await.ok()["changed"], 3);
    let one = json!({ "ids": [ids[0]], "action": "delete" });
    assert_eq!(server.post("computers-change", one).await.ok()["changed"], 1);
    assert_eq!(server.get(&format!("computers/{}", ids[0])).await.refused(404), "not_found");
    assert_eq!(server.get("computers").await.ok()["items"].as_array().expect("items").len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_makes_no_sense_changes_nothing() {
    let (server, ids) = ready(1).await;
    for (body, code) in [
        (json!({ "ids": [], "action": "delete" }), "ids"),
        (json!({ "ids": ids, "filter": {}, "action": "delete" }), "ids"),
        (json!({ "ids": ids, "action": "add_to" }), "collection"),
        (json!({ "ids": ids, "action": "delete", "collection": "Ring" }), "collection"),
        (json!({ "ids": ids, "action": "explode" }), "body"),
        (json!({ "filter": { "text": " " }, "action": "delete" }), "text"),
        (json!({ "ids": vec!["x"; 10_001], "action": "delete" }), "ids"),
    ] {
        assert_eq!(server.post("computers-change", body.clone()).await.refused(400), code);
    }
    let nowhere = json!({ "ids": ids, "action": "add_to", "collection": "Nowhere" });
    assert_eq!(server.post("computers-change", nowhere).await.refused(404), "not_found");
    let built_in = json!({ "ids": ids, "action": "add_to", "collection": "All Computers" });
    assert_eq!(server.post("computers-change", built_in).await.refused(409), "built_in");
    server.get(&format!("computers/{}", ids[0])).await.ok();
    server.stop().await;
}

#[tokio::test]
async fn deployments_are_switched_and_deleted_together() {
    let (server, _) = ready(0).await;
    let mut numbers = Vec::new();
    for number in 1..=3 {
        let body = json!({ "update": id(number), "collection": "Ring", "action": "detect" });
        numbers.push(server.post("deployments", body).await.ok()["id"].as_i64().expect("a number"));
    }
    let change = |ids: &[i64], action: &str| json!({ "ids": ids, "action": action });
    let off = server.post("deployments-change", change(&[numbers[0], 4_711, numbers[1]], "disable")).await.ok();
    assert_eq!(brief(&off), (2, 0, 1, vec!["changed", "failed", "changed"]));
    assert_eq!(server.get(&format!("deployments/{}", numbers[0])).await.ok()["enabled"], false);
    let again = server.post("deployments-change", change(&numbers, "disable")).await.ok();
    assert_eq!(brief(&again), (1, 2, 0, vec!["unchanged", "unchanged", "changed"]));
    assert_eq!(server.post("deployments-change", change(&numbers, "enable")).await.ok()["changed"], 3);
    let mut preview = change(&numbers, "delete");
    preview["preview"] = json!(true);
    assert_eq!(server.post("deployments-change", preview).await.ok()["changed"], 3);
    assert_eq!(server.get("deployments").await.ok()["items"].as_array().expect("items").len(), 3);
    assert_eq!(server.post("deployments-change", change(&numbers[..2], "delete")).await.ok()["changed"], 2);
    assert_eq!(server.get("deployments").await.ok()["items"].as_array().expect("items").len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn alerts_are_dealt_with_together() {
    let (server, _) = ready(0).await;
    for subject in ["a", "b"] {
        let insert = "INSERT INTO alert (kind, subject, severity, message, opened_at, raised_at, count)
                      VALUES ('sync.failed', ?1, 1, 'it failed', 1, 1, 1)";
        server.execute(insert, &[subject.into()]);
    }
    let alerts = server.get("alerts?state=open").await.ok();
    let ids: Vec<i64> = alerts["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|alert| alert["id"].as_i64().expect("a number"))
        .collect();
    let ids: Vec<i64> = ids.into_iter().chain([999_999]).collect();
    let known = server.post("alerts-change", json!({ "ids": ids, "action": "acknowledge", "note": "seen" })).await.ok();
    assert_eq!((known["changed"].as_u64(), known["failed"].as_u64()), (Some(ids.len() as u64 - 1), Some(1)));
    let again = server.post("alerts-change", json!({ "ids": ids, "action": "acknowledge" })).await.ok();
    assert_eq!(again["unchanged"].as_u64(), Some(ids.len() as u64 - 1));
    let mute = json!({ "ids": ids, "action": "mute", "until": "+4h" });
    assert_eq!(server.post("alerts-change", mute).await.ok()["failed"], 1);
    let wrong = [json!({ "ids": ids, "action": "mute" }), json!({ "ids": ids, "action": "close", "until": "+4h" })];
    for body in wrong {
        assert_eq!(server.post("alerts-change", body).await.refused(400), "until");
    }
    server.stop().await;
}
