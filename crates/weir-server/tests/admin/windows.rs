//! Maintenance windows through REST, and on the wire of the same server.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

async fn ready() -> (Server, ScriptedAgent) {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(2), 1).title("Fix")]).await;
    for (name, parent) in [("Servers", None), ("Web", Some("Servers")), ("Clients", None)] {
        server.post("collections", json!({ "name": name, "parent": parent })).await.ok();
    }
    server
        .call(reqwest::Method::PUT, "settings/site.time_zone", Some(json!({ "value": "Europe/Amsterdam" })))
        .await
        .ok();
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let members = json!({ "computers": [agent.computer.client_id] });
    server.post("collections/Web/members", members).await.ok();
    (server, agent)
}

fn window(name: &str, collection: &str, schedule: &str) -> Value {
    json!({ "name": name, "collection": collection, "schedule": schedule })
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().expect("RFC 3339")
}

#[tokio::test]
async fn a_window_has_the_defaults_of_the_field_and_is_changed_and_deleted_by_name() {
    let (server, _) = ready().await;
    let made = server.post("windows", json!({ "name": "Nights", "collection": "servers" })).await;
    assert_eq!(made.status, 201);
    let made = made.body;
    let schedule = made["schedule"].as_str().expect("a schedule");
    assert!(schedule.starts_with("weekly ") && schedule.contains(" at 01:00 from 2"), "{schedule}");
    assert_eq!(
        (&made["minutes"], &made["local"], &made["kind"], &made["enabled"], &made["warnings"]),
        (&json!(180), &json!(true), &json!("all_deployments"), &json!(true), &json!([]))
    );
    assert_eq!(made["collection"]["name"], "Servers");
    assert!(time(&made["next"]) > Timestamp::now() - jiff::SignedDuration::from_hours(3));

    let body = window("Patch Saturday", "Servers", "monthly second tuesday +4 at 22:00 from 2026-12-01");
    let body = with(with(body, "minutes", json!(240)), "kind", json!("software_updates"));
    server.post("windows", body).await.ok();
    let listed = server.get("windows?collection=Servers").await.ok();
    let names: Vec<&str> =
        listed["items"].as_array().expect("items").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["Nights", "Patch Saturday"]);
    let page = server.get("windows?limit=1").await.ok();
    let rest = server.get(&format!("windows?limit=1&cursor={}", page["next"].as_str().expect("more"))).await.ok();
    assert_eq!((&page["items"][0]["name"], &rest["items"][0]["name"]), (&json!("Nights"), &json!("Patch Saturday")));
    assert_eq!(rest["next"], Value::Null);

    let changed = server.patch("windows/patch%20saturday", json!({ "minutes": 300, "local": false })).await.ok();
    assert_eq!((&changed["minutes"], &changed["zone"]), (&json!(300), &json!("UTC")));
    assert_eq!(changed["schedule"], "monthly second tuesday +4 at 22:00 from 2026-12-01 UTC");
    let changed =
        server.patch("windows/Patch%20Saturday", json!({ "schedule": "weekly saturday at 23:00" })).await.ok();
    assert_eq!(changed["schedule"], "weekly saturday at 23:00 from 2026-12-01 UTC", "what the text does not say stays");
    let changed = server.patch("windows/Patch%20Saturday", json!({ "local": true })).await.ok();
    assert_eq!((&changed["local"], &changed["zone"]), (&json!(true), &Value::Null));
    server.post("windows", window("Nights", "Clients", "daily at 02:00")).await.ok();
    assert_eq!(server.get("windows/Nights").await.refused(409), "ambiguous");
    assert_eq!(
        server.get("windows/Nights?collection=Clients").await.ok()["description"].as_str().map(|it| it.len() > 5),
        Some(true)
    );
    let refused = server.delete("collections/Clients").await;
    assert_eq!(refused.refused(409), "in_use");
    assert_eq!(refused.body["next_step"], "weir windows delete \"Nights\" --collection \"Clients\"");
    assert_eq!(server.delete("windows/Nights?collection=Clients").await.status, 204);
    assert_eq!(server.delete("windows/Nights").await.status, 204);
    assert_eq!(server.delete("windows/Nights").await.refused(404), "not_found");
    let audit = server.get("audit?limit=20").await.ok().to_string();
    for action in ["window.create", "window.change", "window.delete"] {
        assert!(audit.contains(action), "{action}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_window_is_refused_and_says_which_field() {
    let (server, _) = ready().await;
    server.post("windows", window("Taken", "Servers", "daily at 02:00")).await.ok();
    let good = window("Good", "Servers", "daily at 02:00");
    for (body, status, code) in [
        (with(good.clone(), "name", json!("")), 400, "name"),
        (with(good.clone(), "name", json!("x".repeat(256))), 400, "name"),
        (with(good.clone(), "name", json!("TAKEN")), 409, "exists"),
        (with(good.clone(), "collection", json!("Nowhere")), 404, "not_found"),
        (with(good.clone(), "collection", json!("All Computers")), 400, "collection"),
        (with(good.clone(), "collection", json!("Unassigned Computers")), 400, "collection"),
        (with(good.clone(), "minutes", json!(4)), 400, "minutes"),
        (with(good.clone(), "minutes", json!(1_441)), 400, "minutes"),
        (with(good.clone(), "schedule", json!("sometimes")), 400, "schedule"),
        (with(with(good.clone(), "schedule", json!("daily at 02:00 UTC")), "local", json!(true)), 400, "local"),
        (
            with(
                with(good.clone(), "schedule", json!("daily at 02:00 from 2026-12-01")),
                "first_day",
                json!("2026-12-02"),
            ),
            400,
            "first_day",
        ),
        (with(good.clone(), "kind", json!("games")), 400, "body"),
        (with(good.clone(), "colour", json!("red")), 400, "body"),
    ] {
        assert_eq!(server.post("windows", body.clone()).await.refused(status), code, "{body}");
    }
    assert_eq!(server.patch("windows/Taken", json!({ "minutes": 2 })).await.refused(400), "minutes");
    assert_eq!(server.get("windows-calendar?month=2026-13").await.refused(400), "month");
    assert_eq!(server.get("windows-next?collection=Servers&computer=x").await.refused(400), "computer");
    assert_eq!(server.get("windows?limit=0").await.refused(400), "limit");
    assert_eq!(server.get("windows").await.ok()["items"].as_array().map(Vec::len), Some(1));
    server.stop().await;
}

#[tokio::test]
async fn the_next_window_is_that_of_all_collections_in_the_computers_zone() {
    let (server, agent) = ready().await;
    let computer = &agent.computer.client_id;
    let next = server.get(&format!("windows-next?computer={computer}")).await.ok();
    assert_eq!((&next["items"][0]["unrestricted"], &next["items"][0]["starts_at"]), (&json!(true), &Value::Null));
    // a window of the collection above counts, and the two join
    server.post("windows", with(window("First", "Servers", "daily at 06:00"), "minutes", json!(60))).await.ok();
    server.post("windows", with(window("Second", "Web", "daily at 06:30"), "minutes", json!(60))).await.ok();
    let next = server.get(&format!("windows-next?computer={computer}")).await.ok();
    let next = &next["items"][0];
    assert_eq!(
        (&next["minutes"], &next["zone"], &next["zone_from"]),
        (&json!(90), &json!("Europe/Amsterdam"), &json!("site"))
    );
    assert!(next["local_start"].as_str().is_some_and(|text| text.ends_with(" 06:00")), "{next}");
    let detail = server.get(&format!("computers/{computer}")).await.ok();
    assert_eq!(&detail["next_window"], next);
    let all = server.get("windows-next").await.ok();
    let minutes: Vec<&Value> = all["items"].as_array().expect("items").iter().map(|it| &it["minutes"]).collect();
    assert_eq!(minutes, [&json!(60), &json!(90)]);

    let calendar = server.get("windows-calendar?month=2027-03&collection=Servers&limit=1000").await.ok();
    let items = calendar["items"].as_array().expect("items");
    assert_eq!(items.len(), 31);
    // the clocks change on the 28th: the window stays at six
    assert!(items.iter().all(|it| it["local_start"].as_str().is_some_and(|text| text.ends_with(" 06:00"))));
    assert_eq!(
        (time(&items[0]["starts_at"]), time(&items[30]["starts_at"])),
        ("2027-03-01T05:00:00Z".parse().expect("a time"), "2027-03-31T04:00:00Z".parse().expect("a time"),)
    );
    server.stop().await;
}

/// Waits until the alert of that key is open, or is not.
async fn alert(server: &Server, kind: &str, open: bool) -> Option<String> {
    for _ in 0..600 {
        let alerts = server.get("alerts").await.ok();
        let found = alerts["items"]
            .as_array()
            .expect("items")
            .iter()
            .find(|it| it["key"].as_str().is_some_and(|key| key.starts_with(kind)) && it["closed_at"].is_null());
        if found.is_some() == open {
            return found.map(|it| it["message"].as_str().expect("a message").to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the alert {kind} did not become {open}");
}

#[tokio::test]
async fn a_required_update_gets_a_deadline_inside_the_window_or_an_alert_says_why_not() {
    let (server, mut agent) = ready().await;
    server
        .post("deployments", json!({ "update": id(2), "collection": "Web", "action": "install", "deadline": "+1h" }))
        .await
        .ok();
    agent.scan().await.expect("scan");
    let told = |agent: &ScriptedAgent| {
        let cached = agent.state.cache.values().find(|it| it.identity.update_id == id(2)).expect("sent");
        (cached.action, cached.deadline)
    };
    let plain = told(&agent).1.expect("a deadline");

    // too short for the default run time of an hour
    let made =
        server.post("windows", with(window("Lunch", "Servers", "daily at 12:00"), "minutes", json!(45))).await.ok();
    let warnings = made["warnings"].to_string();
    assert!(warnings.contains("None of the 1 required") && warnings.contains("Restarts do not fit"), "{warnings}");
    agent.scan().await.expect("scan");
    assert_eq!(told(&agent), (weir_wire::wusp::Action::PreDeploymentCheck, None));
    let message = alert(&server, "window.never", true).await.expect("open");
    assert!(
        message.contains("1 computer in Web") && message.contains("60 minutes") && message.contains("has 45"),
        "{message}"
    );
    let explanation = format!("deployments/explanation?update={}&computer={}", id(2), agent.computer.client_id);
    let explained = server.get(&explanation).await.ok();
    assert_eq!((&explained["sent"], &explained["deadline"]), (&json!("detect"), &Value::Null), "{explained:#}");
    let why = explained["why"].as_str().expect("text");
    assert!(why.contains("no maintenance window is long enough"), "{why}");
    assert!(why.contains("with action PreDeploymentCheck") && !why.contains("with action Install"), "{why}");

    let changed = server.patch("windows/Lunch", json!({ "minutes": 240 })).await.ok();
    assert_eq!(changed["warnings"], json!([]));
    agent.scan().await.expect("scan");
    let (action, deadline) = told(&agent);
    let deadline = deadline.expect("a deadline");
    assert_eq!(action, weir_wire::wusp::Action::Install);
    assert!(deadline >= plain);
    let explained = server.get(&explanation).await.ok();
    assert_eq!(
        (&explained["sent"], time(&explained["deadline"]).as_second()),
        (&json!("install"), deadline.as_second()),
        "{explained:#}"
    );
    let calendar = |month: &str| format!("windows-calendar?month={month}&collection=Servers&limit=1000");
    let mut inside = false;
    for at in [deadline, plain] {
        let listed = server.get(&calendar(&at.strftime("%Y-%m").to_string())).await.ok();
        inside |= listed["items"].as_array().expect("items").iter().any(|it| {
            time(&it["starts_at"]) <= deadline && deadline + jiff::SignedDuration::from_hours(1) <= time(&it["ends_at"])
        });
    }
    assert!(inside, "{deadline}");
    assert_eq!(alert(&server, "window.never", false).await, None);
    server.delete("windows/Lunch").await;
    agent.scan().await.expect("scan");
    assert_eq!(told(&agent).1, Some(plain));
    server.stop().await;
}

/// How many windows count on a computer.
async fn counting(server: &Server, computer: &str) -> usize {
    let next = server.get(&format!("windows-next?computer={computer}")).await.ok();
    next["items"][0]["windows"].as_array().expect("windows").len()
}

#[tokio::test]
async fn client_settings_say_which_windows_count_and_the_site_where_they_do_not() {
    let (server, agent) = ready().await;
    let computer = agent.computer.client_id.clone();
    server.post("windows", window("All", "Servers", "daily at 06:00")).await.ok();
    let updates = with(window("Updates", "Web", "daily at 12:00"), "kind", json!("software_updates"));
    server.post("windows", updates).await.ok();
    assert_eq!(counting(&server, &computer).await, 1);
    let both = |value: bool| json!({ "set": { "windows.all_deployments": value } });
    server.patch("client-settings/Default", both(true)).await.ok();
    assert_eq!(counting(&server, &computer).await, 2);
    let strict =
        json!({ "name": "Strict", "settings": { "windows.all_deployments": false }, "collections": ["Servers"] });
    server.post("client-settings", strict).await.ok();
    assert_eq!(counting(&server, &computer).await, 1, "the set of the collection above is stronger");
    server.delete("client-settings/Strict").await;
    server.patch("client-settings/Default", both(false)).await.ok();
    let site = json!({ "value": true });
    server.call(reqwest::Method::PUT, "settings/windows.both_kinds", Some(site)).await.ok();
    assert_eq!(counting(&server, &computer).await, 1, "what is set is stronger than the site");
    server.patch("client-settings/Default", json!({ "unset": ["windows.all_deployments"] })).await.ok();
    assert_eq!(counting(&server, &computer).await, 2);
    // the restart of the default set must fit into the shortest window
    let changed = server.patch("client-settings/Default", json!({ "set": { "restart.minutes": 180 } })).await.ok();
    assert!(changed["warnings"].to_string().contains("the shortest maintenance window has 180 minutes"), "{changed}");
    let made = with(window("Evening", "Web", "daily at 20:00"), "minutes", json!(120));
    let made = server.post("windows", made).await.ok();
    assert!(made["warnings"].to_string().contains("computers wait 180 minutes"), "{made}");
    server.stop().await;
}
