//! Retiring computers that an administrator chose.

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::{Computer, ScriptedAgent};

use crate::harness::{Server, id};

/// A server with so many computers, and their ids.
async fn ready(computers: u64) -> (Server, Vec<ScriptedAgent>, Vec<String>) {
    let server = Server::start().await;
    server.import_documents(&[weir_testkit::Document::software(id(2), 1).title("Fix")]).await;
    let (mut agents, mut ids) = (Vec::new(), Vec::new());
    for number in 1..=computers {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        ids.push(agent.computer.client_id.to_lowercase());
        agents.push(agent);
    }
    (server, agents, ids)
}

fn results(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().expect("items").iter().map(|it| it["result"].as_str().expect("one")).collect()
}

#[tokio::test]
async fn chosen_computers_go_after_a_preview_and_come_back_by_themselves() {
    let (server, mut agents, ids) = ready(10).await;
    server.post("collections", json!({ "name": "Kept" })).await.ok();
    server.post("collections/Kept/members", json!({ "computers": [ids[0]] })).await.ok();
    let chosen = json!({ "ids": [ids[0], "no-such-computer", ids[0]] });
    let preview = server.post("computers/retirement/preview", chosen.clone()).await.ok();
    assert_eq!(
        (&preview["computers"], &preview["due"], &preview["failed"], &preview["needs_confirmation"]),
        (&json!(10), &json!(1), &json!(1), &json!(false))
    );
    assert_eq!(results(&preview), ["changed", "failed"], "each once");
    assert_eq!((&preview["items"][1]["code"], &preview["silent_days"]), (&json!("not_found"), &Value::Null));
    assert_eq!(preview["first"][0]["id"], json!(ids[0]));
    assert_eq!(server.get("computers/retired").await.ok()["items"], json!([]), "nobody went");

    let done = server.post("computers/retirement", chosen.clone()).await.ok();
    assert_eq!((&done["retired"], &done["computers"], &done["failed"]), (&json!(1), &json!(9), &json!(1)), "{done}");
    assert_eq!(server.get(&format!("computers/{}", ids[0])).await.refused(404), "not_found");
    let retired = server.get("computers/retired").await.ok();
    assert_eq!(
        (&retired["items"][0]["id"], &retired["items"][0]["reason"], &retired["items"][0]["collections"][0]["name"]),
        (&json!(ids[0]), &json!("chosen"), &json!("Kept"))
    );
    let audit = server.get("audit?limit=1").await.ok();
    assert_eq!(audit["items"][0]["action"], "computer.retire");
    assert!(audit["items"][0]["detail"].as_str().is_some_and(|text| text.contains(&ids[0])), "{audit}");

    // the same again changes nothing
    let again = server.post("computers/retirement", chosen).await.ok();
    assert_eq!(
        (&again["retired"], &again["unchanged"], &again["failed"]),
        (&json!(0), &json!(1), &json!(1)),
        "{again}"
    );
    assert_eq!(results(&again), ["unchanged", "failed"]);
    agents[0].scan().await.expect("scan");
    let back = server.get(&format!("computers/{}", ids[0])).await.ok();
    assert_eq!(back["collections"][0]["name"], "Kept");
    server.stop().await;
}

#[tokio::test]
async fn more_than_a_share_of_chosen_computers_wants_the_number() {
    let (server, _agents, ids) = ready(10).await;
    let three = json!({ "ids": ids[..3] });
    let preview = server.post("computers/retirement/preview", three.clone()).await.ok();
    assert_eq!(
        (&preview["due"], &preview["most"], &preview["needs_confirmation"]),
        (&json!(3), &json!(1), &json!(true))
    );
    let asks = server.post("computers/retirement", three).await;
    assert_eq!(asks.refused(409), "confirm");
    assert_eq!(server.get("computers/retired").await.ok()["items"], json!([]));
    let fewer = json!({ "ids": ids[..3], "confirm": 2 });
    assert_eq!(server.post("computers/retirement", fewer).await.refused(409), "confirm");
    let sure = json!({ "ids": ids[..3], "confirm": 3 });
    assert_eq!(server.post("computers/retirement", sure).await.ok()["retired"], 3);
    assert_eq!(server.get("compliance/summary").await.ok()["computers"], 7);
    for (body, code) in [
        (json!({ "ids": ids[3..4], "silent_days": 90 }), "ids"),
        (json!({ "ids": ids[3..4], "duplicates": true }), "ids"),
        (json!({ "ids": vec!["x"; 10_001] }), "ids"),
        (json!({ "ids": "x" }), "body"),
    ] {
        assert_eq!(server.post("computers/retirement", body.clone()).await.refused(400), code);
        assert_eq!(server.post("computers/retirement/preview", body).await.refused(400), code);
    }
    // without ids it is the preview of the rule, as by GET
    let rule = server.post("computers/retirement/preview", json!({ "silent_days": 90 })).await.ok();
    assert_eq!(rule, server.get("computers/retirement?silent_days=90").await.ok());
    // whoever may look may look; to retire takes an operator
    let token = json!({ "name": "looks", "role": "read_only_analyst", "collections": [] });
    let secret = server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
    let one = json!({ "ids": ids[3..4] });
    server.call_as(&secret, Method::POST, "computers/retirement/preview", Some(one.clone())).await.ok();
    let refused = server.call_as(&secret, Method::POST, "computers/retirement", Some(one)).await;
    assert_eq!(refused.refused(403), "forbidden");
    server.stop().await;
}
