//! Deployments: what is refused, and how they stand.

use serde_json::{Value, json};
use uuid::Uuid;
use weir_model::ids::UpdateIdentity;
use weir_testkit::{Computer, Document, Payload, ScriptedAgent};

use crate::harness::{Server, id};

const EULA: Uuid = Uuid::from_u128(0xe01a);

fn licence() -> Payload {
    Payload::new("licence.txt", *b"You may.")
}

async fn with_updates() -> Server {
    let server = Server::start().await;
    let member = UpdateIdentity::new(id(3), 1);
    server
        .import_documents(&[
            Document::detectoid(id(1), 1).title("Fact"),
            Document::software(id(2), 1).title("Plain").requires(id(1)),
            Document::member(id(3), 1).title("Part").file(&Payload::new("part.cab", *b"part")),
            Document::software(id(4), 1).title("Bundle").bundles([member]),
            Document::software(id(5), 1).title("Licensed").eula(EULA, "en", None, &licence()),
            Document::software(id(6), 1).title("Withdrawn").expired(),
            Document::software(id(7), 1).title("Lacking").requires(id(99)),
        ])
        .await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    server
}

fn deploy(update: u128, action: &str) -> Value {
    json!({ "update": id(update), "collection": "Ring", "action": action })
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[tokio::test]
async fn what_cannot_be_deployed_is_refused_with_the_next_step() {
    let server = with_updates().await;
    for (body, status, code) in [
        (deploy(404, "install"), 404, "not_found"),
        (with(deploy(2, "install"), "update", json!(format!("{}@7", id(2)))), 404, "not_found"),
        (with(deploy(2, "install"), "collection", json!("Nowhere")), 404, "not_found"),
        (deploy(1, "install"), 409, "not_deployable"),
        (deploy(3, "install"), 409, "not_deployable"),
        (deploy(6, "install"), 409, "expired"),
        (deploy(2, "explode"), 400, "body"),
        (with(deploy(2, "install"), "available", json!("soon")), 400, "time"),
        (with(deploy(2, "optional"), "deadline", json!("+3d")), 400, "deadline"),
        (with(with(deploy(2, "install"), "available", json!("+2d")), "deadline", json!("+1d")), 400, "deadline"),
    ] {
        let answer = server.post("deployments", body.clone()).await;
        assert_eq!(answer.refused(status), code, "{body}");
    }
    server.post(&format!("updates/{}/decline", id(2)), json!({})).await.ok();
    assert_eq!(server.post("deployments", deploy(2, "install")).await.refused(409), "declined");
    assert_eq!(server.get("deployments").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_licence_is_accepted_once_and_by_name() {
    let server = with_updates().await;
    let refused = server.post("deployments", deploy(5, "install")).await;
    assert_eq!(refused.refused(409), "eula_not_accepted");
    assert!(refused.body["next_step"].as_str().expect("advice").contains("--accept-eula"));
    let body = with(deploy(5, "install"), "accept_eula", json!(true));
    let made = server.post("deployments", body).await.ok();
    assert_eq!(server.get(&format!("updates/{}", id(5))).await.ok()["eula"], json!({ "id": EULA, "accepted": true }));
    // the licence file is content, too
    let shown = server.get(&format!("deployments/{}", made["id"])).await.ok();
    assert_eq!(shown["state"], "waiting_for_content");
    assert_eq!(shown["content"]["files"], 1);
    let other = with(deploy(5, "detect"), "collection", json!("All Computers"));
    assert_eq!(server.post("deployments", other).await.status, 201);
    server.stop().await;
}

#[tokio::test]
async fn deployments_say_what_they_wait_for_until_it_is_here() {
    let server = with_updates().await;
    let made = server.post("deployments", with(deploy(4, "install"), "deadline", json!("+3d4h"))).await;
    assert_eq!(made.status, 201);
    let path = format!("deployments/{}", made.body["id"]);
    let shown = server.get(&path).await.ok();
    assert_eq!(shown["state"], "waiting_for_content");
    assert_eq!(
        shown["state_text"],
        "waiting for content (0 of 1 files, 0 of 4 bytes here); 1 without a source: weir content add"
    );
    assert_eq!(
        shown["content"],
        json!({ "files": 1, "files_present": 0, "bytes": 4, "bytes_present": 0, "without_source": 1, "files_elsewhere": 0, "files_left_out": 0 })
    );
    assert_eq!((&shown["origin"], &shown["collection"]["name"]), (&json!("local"), &json!("Ring")));
    let times = ["available", "deadline"]
        .map(|key| shown[key].as_str().expect("time").parse::<jiff::Timestamp>().expect("RFC 3339"));
    assert_eq!(times[1].as_second() - times[0].as_second(), 76 * 3_600);

    assert_eq!(server.post("deployments", deploy(4, "install")).await.refused(409), "exists");
    server.upload("content", &[("part.cab", b"part")]).await.ok();
    assert_eq!(server.get(&path).await.ok()["state_text"], "active");

    let later = server.post("deployments", with(deploy(2, "install"), "available", json!("+1d"))).await.ok();
    let later = server.get(&format!("deployments/{}", later["id"])).await.ok();
    assert_eq!(later["state"], "waiting_for_available_time");
    let removal =
        server.post("deployments", with(deploy(2, "uninstall"), "collection", json!("All Computers"))).await.ok();
    assert_eq!(removal["warnings"].as_array().expect("warnings").len(), 1, "{removal}");
    let lacking = server.post("deployments", deploy(7, "install")).await.ok();
    assert_eq!(lacking["warnings"].as_array().expect("warnings").len(), 1);
    assert_eq!(server.get(&format!("deployments/{}", lacking["id"])).await.ok()["state"], "not_sent");

    let of_update = server.get(&format!("deployments?update={}", id(2))).await.ok();
    assert_eq!(of_update["items"].as_array().expect("items").len(), 2);
    assert_eq!(server.get("deployments?collection=ring").await.ok()["items"].as_array().expect("items").len(), 3);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.get(&path).await.refused(404), "not_found");
    assert_eq!(server.delete("collections/Ring").await.refused(409), "in_use");
    server.stop().await;
}

#[tokio::test]
async fn an_available_time_that_comes_activates_by_itself() {
    let server = with_updates().await;
    let made = server.post("deployments", with(deploy(2, "install"), "available", json!("+1s"))).await.ok();
    let path = format!("deployments/{}", made["id"]);
    assert_eq!(server.get(&path).await.ok()["state"], "waiting_for_available_time");
    for _ in 0..100 {
        if server.get(&path).await.ok()["state"] == "active" {
            server.stop().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("still {}", server.get(&path).await.ok());
}

#[tokio::test]
async fn a_deployment_is_changed_in_place() {
    let server = with_updates().await;
    let made = server.post("deployments", with(deploy(2, "install"), "deadline", json!("+9d"))).await.ok();
    let path = format!("deployments/{}", made["id"]);
    let before = server.get(&path).await.ok();
    assert_eq!(before["state"], "active");

    let sooner = server.patch(&path, json!({ "deadline": "2020-01-01T00:00:00Z" })).await.ok();
    assert_eq!(sooner["deadline"], "2020-01-01T00:00:00Z", "installed at the next contact");
    assert_eq!((&sooner["action"], &sooner["available"]), (&json!("install"), &before["available"]));
    let later = server.patch(&path, json!({ "available": "+2d", "deadline": "+3d" })).await.ok();
    assert_eq!(later["state"], "waiting_for_available_time");
    let wrong = server.patch(&path, json!({ "deadline": "+1d" })).await;
    assert_eq!(wrong.refused(400), "deadline", "it lies before the available time");
    let wrong = server.patch(&path, json!({ "action": "optional", "deadline": "+9d" })).await;
    assert_eq!(wrong.refused(400), "deadline", "an optional deployment has none");
    let now = json!({ "action": "optional", "available": "+0s", "deadline": "none" });
    let optional = server.patch(&path, now).await.ok();
    let state = ["action", "deadline", "state"].map(|key| optional[key].clone());
    assert_eq!(state, [json!("optional"), Value::Null, json!("active")]);
    assert_eq!(optional["id"], made["id"]);

    let log = server.get("audit").await.ok();
    let entry = |entry: &&Value| entry["action"] == "deployment.change";
    assert_eq!(log["items"].as_array().expect("items").iter().filter(entry).count(), 3, "{log}");
    assert_eq!(server.patch("deployments/404", json!({})).await.refused(404), "not_found");

    let licensed = server.post("deployments", with(deploy(5, "detect"), "accept_eula", json!(true))).await.ok();
    assert_eq!(
        server.patch(&format!("deployments/{}", licensed["id"]), json!({ "action": "install" })).await.status,
        200
    );
    server.stop().await;
}

/// What was required is taken back at once: the deadline, and what counts from it, do not stand in the way.
#[tokio::test]
async fn an_installation_is_softened_whatever_was_said_of_it() {
    let server = with_updates().await;
    let settings = json!({
        "outside_windows": true, "grace": true, "alert_below_percent": 90, "alert_minutes_after_deadline": 5,
        "notifications": "none", "fallback": true,
    });
    for action in ["detect", "block", "optional"] {
        let required = with(with(deploy(2, "install"), "deadline", json!("+9d")), "settings", settings.clone());
        let made = server.post("deployments", required).await.ok();
        let path = format!("deployments/{}", made["id"]);
        let shown = server.patch(&path, json!({ "action": action })).await.ok();
        assert_eq!((&shown["action"], &shown["deadline"]), (&json!(action), &Value::Null), "{shown}");
        let of = |key: &str| shown["settings"][key].clone();
        assert_eq!([of("outside_windows"), of("grace"), of("fallback")], [json!(false), json!(false), json!(true)]);
        assert_eq!(of("alert_below_percent"), Value::Null, "{shown}");
        let notifications = if action == "optional" { "all" } else { "none" };
        assert_eq!(of("notifications"), notifications);
        // what is asked for now has to go with it
        let wrong = server.patch(&path, json!({ "settings": { "grace": true } })).await;
        assert_eq!(wrong.refused(400), "grace");
        assert_eq!(server.delete(&path).await.status, 204);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_deadline_in_the_past_is_taken() {
    let server = with_updates().await;
    let past = with(deploy(2, "install"), "deadline", json!("2020-01-01T00:00:00Z"));
    let made = server.post("deployments", past).await.ok();
    let shown = server.get(&format!("deployments/{}", made["id"])).await.ok();
    assert_eq!((&shown["state"], &shown["deadline"]), (&json!("active"), &json!("2020-01-01T00:00:00Z")));
    server.stop().await;
}

#[tokio::test]
async fn what_waits_does_not_stand_in_the_way_of_what_is_active() {
    let server = with_updates().await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let computer = agent.computer.client_id.clone();
    server.post("collections/Ring/members", json!({ "computers": [computer] })).await.ok();
    let everywhere = |body: Value| with(body, "collection", json!("All Computers"));
    let optional = server.post("deployments", everywhere(deploy(2, "optional"))).await.ok();
    let later = with(deploy(2, "install"), "available", json!("+7d"));

    let told = server.post("deployments/simulation", later.clone()).await.ok();
    assert_eq!((&told["changes"], &told["answers"][0]["action"]), (&json!(1), &json!("install")), "{told:#}");
    assert!(told["answers"][0]["from"].is_string(), "{told:#}");
    let install = server.post("deployments", later).await.ok();
    let path = format!("deployments/explanation?update={}&computer={computer}", id(2));
    let explained = server.get(&path).await.ok();
    assert_eq!((&explained["sent"], &explained["deployment"]), (&json!("optional"), &optional["id"]), "{explained:#}");
    let why = explained["why"].as_str().expect("text");
    let waits = format!("Deployment {} is waiting for its available time", install["id"]);
    assert!(why.contains("does not count until it is active") && why.contains(&waits), "{why}");

    // from now on it counts; a block of next week does not, though it is nearer
    server.patch(&format!("deployments/{}", install["id"]), json!({ "available": "+0s" })).await.ok();
    server.upload("content", &[("part.cab", b"part")]).await.ok();
    server.post("deployments", with(deploy(4, "block"), "available", json!("+7d"))).await.ok();
    server.post("deployments", everywhere(deploy(4, "install"))).await.ok();
    for number in [2, 4] {
        let path = format!("deployments/explanation?update={}&computer={computer}", id(number));
        let explained = server.get(&path).await.ok();
        assert_eq!(explained["sent"], "install", "{explained:#}");
    }
    server.stop().await;
}
