//! Client settings: sets, priorities, and what holds for a computer.

use serde_json::{Value, json};

use crate::harness::Server;

async fn make(server: &Server, name: &str, body: Value) -> Value {
    let mut whole = json!({ "name": name });
    whole.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
    server.post("client-settings", whole).await.ok()
}

async fn collection(server: &Server, name: &str, parent: Option<&str>) {
    server.post("collections", json!({ "name": name, "parent": parent })).await.ok();
}

/// Names with their priorities.
async fn order(server: &Server) -> Vec<(String, Value)> {
    let list = server.get("client-settings").await.ok();
    let items = list["items"].as_array().expect("items").clone();
    items.into_iter().map(|set| (set["name"].as_str().expect("name").to_owned(), set["priority"].clone())).collect()
}

async fn in_collection(server: &Server, name: &str, key: &str) -> Value {
    let resultant = server.get(&format!("collections/{name}/client-settings")).await.ok();
    let settings = resultant["settings"].as_array().expect("settings").clone();
    settings.into_iter().find(|setting| setting["key"] == key).expect("the setting")
}

#[tokio::test]
async fn the_default_set_is_there_and_holds_for_every_computer() {
    let server = Server::start().await;
    let list = server.get("client-settings").await.ok();
    assert_eq!(list["items"].as_array().expect("items").len(), 1, "{list}");
    assert_eq!(list["items"][0]["name"], "Default");
    assert_eq!(list["items"][0]["changed_at"], Value::Null);
    let change = json!({ "set": { "scan.schedule": "every 6 hours", "restart.minutes": 60, "scan.user_proxy": true } });
    let changed = server.patch("client-settings/default", change).await.ok();
    let schedule = changed["settings"]["scan.schedule"].as_str().expect("a schedule");
    assert!(schedule.starts_with("every 6 hours at 00:00 from "), "it got a start: {schedule}");
    assert_eq!(
        (&changed["settings"]["restart.minutes"], &changed["settings"]["scan.user_proxy"]),
        (&json!(60), &json!(true))
    );
    let warned: Vec<&str> =
        changed["warnings"].as_array().expect("warnings").iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(warned, ["scan.schedule", "scan.user_proxy", "restart.reminder_minutes"]);
    let found = in_collection(&server, "All%20Computers", "restart.minutes").await;
    assert_eq!((&found["value"], &found["origin"]), (&json!(60), &json!("default_set")));
    let unset = server.patch("client-settings/Default", json!({ "unset": ["restart.minutes"] })).await.ok();
    assert_eq!(unset["settings"]["restart.minutes"], Value::Null);
    let found = in_collection(&server, "All%20Computers", "restart.minutes").await;
    assert_eq!((&found["value"], &found["origin"]), (&json!(90), &json!("built_in")));
    for body in [json!({ "name": "Mine" }), json!({ "priority": 1 })] {
        assert_eq!(server.patch("client-settings/Default", body).await.refused(409), "built_in");
    }
    assert_eq!(server.delete("client-settings/Default").await.refused(409), "built_in");
    let pilot = json!({ "collections": ["All Computers"] });
    assert_eq!(server.post("client-settings/Default/collections", pilot).await.refused(409), "built_in");
    server.stop().await;
}

#[tokio::test]
async fn priorities_make_room_and_the_strongest_wins() {
    let server = Server::start().await;
    collection(&server, "Outer", None).await;
    collection(&server, "Inner", Some("Outer")).await;
    for name in ["A", "B", "C"] {
        make(&server, name, json!({ "settings": { "restart.minutes": "100" }, "collections": ["Outer"] })).await;
    }
    let first = make(
        &server,
        "First",
        json!({
            "priority": 1, "settings": { "restart.minutes": 30 }, "collections": ["inner"], "description": "Strict"
        }),
    )
    .await;
    assert_eq!((&first["priority"], &first["collections"][0]["name"]), (&json!(1), &json!("Inner")));
    let named = |names: &[&str]| -> Vec<(String, Value)> {
        let numbers = [Value::Null].into_iter().chain((1..).map(|number| json!(number)));
        names.iter().map(|name| (*name).to_owned()).zip(numbers).collect()
    };
    assert_eq!(order(&server).await, named(&["Default", "First", "A", "B", "C"]));
    let inner = in_collection(&server, "Inner", "restart.minutes").await;
    assert_eq!((&inner["value"], &inner["set"]["name"], &inner["priority"]), (&json!(30), &json!("First"), &json!(1)));
    assert_eq!(inner["collections"][0]["name"], "Inner");
    let beat: Vec<&str> =
        inner["beat"].as_array().expect("beat").iter().filter_map(|one| one["set"].as_str()).collect();
    assert_eq!(beat, ["A", "B", "C"]);
    assert_eq!(in_collection(&server, "Outer", "restart.minutes").await["set"]["name"], "A");

    server.patch("client-settings/c", json!({ "priority": 1 })).await.ok();
    assert_eq!(order(&server).await, named(&["Default", "C", "First", "A", "B"]));
    server.patch("client-settings/C", json!({ "priority": 900 })).await.ok();
    assert_eq!(order(&server).await, named(&["Default", "First", "A", "B", "C"]));
    server.delete("client-settings/A").await;
    assert_eq!(order(&server).await, named(&["Default", "First", "B", "C"]));
    let body = json!({ "collections": ["Inner"] });
    let taken =
        server.call(reqwest::Method::DELETE, "client-settings/First/collections", Some(body.clone())).await.ok();
    assert_eq!(taken["collections"], json!([]));
    let again = server.call(reqwest::Method::DELETE, "client-settings/First/collections", Some(body)).await;
    assert_eq!(again.refused(404), "not_found");
    assert_eq!(in_collection(&server, "Inner", "restart.minutes").await["set"]["name"], "B");
    // a collection that client settings are deployed to stays
    let body = json!({ "collections": ["Inner"] });
    server.post("client-settings/B/collections", body.clone()).await.ok();
    let refused = server.delete("collections/Inner").await;
    assert_eq!(refused.refused(409), "in_use");
    assert_eq!(refused.body["next_step"], "weir client-settings unassign \"B\" --collection \"Inner\"");
    server.call(reqwest::Method::DELETE, "client-settings/B/collections", Some(body)).await.ok();
    assert_eq!(server.delete("collections/Inner").await.status, 204);
    assert_eq!(server.get("client-settings/B").await.ok()["collections"][0]["name"], "Outer");

    let page = server.get("client-settings?limit=2").await.ok();
    assert_eq!(page["items"].as_array().expect("items").len(), 2);
    let next = page["next"].as_str().expect("more");
    let rest = server.get(&format!("client-settings?limit=2&cursor={next}")).await.ok();
    assert_eq!((rest["items"][0]["name"].as_str(), &rest["next"]), (Some("B"), &Value::Null));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nothing_is_half_applied() {
    let server = Server::start().await;
    make(&server, "Laptops", json!({})).await;
    let long = "x".repeat(257);
    let cases = [
        (json!({ "name": "laptops" }), 409, "exists"),
        (json!({ "name": "DEFAULT" }), 409, "exists"),
        (json!({ "name": " " }), 400, "name"),
        (json!({ "name": long }), 400, "name"),
        (json!({ "name": "New", "description": "x".repeat(1_025) }), 400, "description"),
        (json!({ "name": "New", "priority": 0 }), 400, "priority"),
        (json!({ "name": "New", "priority": 1_001 }), 400, "priority"),
        (json!({ "name": "New", "settings": { "scan.shedule": "daily at 02:00" } }), 400, "client_setting"),
        (json!({ "name": "New", "settings": { "scan.schedule": "now and then" } }), 400, "client_setting_value"),
        (json!({ "name": "New", "settings": { "restart.minutes": 20_161 } }), 400, "client_setting_value"),
        (json!({ "name": "New", "settings": { "restart.minutes": [] } }), 400, "client_setting_value"),
        (
            json!({ "name": "New", "settings": { "deadline.install_others_within": "24 hours" } }),
            400,
            "client_setting_value",
        ),
        (
            json!({ "name": "New", "settings": { "restart.minutes": 10, "restart.countdown_minutes": 11 } }),
            400,
            "client_settings",
        ),
        (json!({ "name": "New", "collections": ["Nowhere"] }), 404, "not_found"),
        (json!({ "name": "New", "collections": ["All Computers", "all computers"] }), 400, "collections"),
        (json!({ "name": "New", "colour": "red" }), 400, "body"),
    ];
    for (body, status, code) in cases {
        assert_eq!(server.post("client-settings", body.clone()).await.refused(status), code, "{body}");
    }
    let typed = json!({ "name": "New", "settings": { "scan.shedule": "x" } });
    let refused = server.post("client-settings", typed).await;
    assert!(
        refused.body["detail"].as_str().expect("detail").contains("did you mean scan.schedule?"),
        "{}",
        refused.body
    );
    let both = json!({ "set": { "restart.minutes": 5 }, "unset": ["restart.minutes"] });
    assert_eq!(server.patch("client-settings/Laptops", both).await.refused(400), "unset");
    let half = json!({ "set": { "restart.minutes": 5, "restart.force": "maybe" } });
    assert_eq!(server.patch("client-settings/Laptops", half).await.refused(400), "client_setting_value");
    assert_eq!(
        server.patch("client-settings/Laptops", json!({ "unset": ["restart.force"] })).await.refused(404),
        "not_found"
    );
    assert_eq!(server.get("client-settings/Laptops").await.ok()["settings"], json!({}));
    assert_eq!(server.get("client-settings/Nobody").await.refused(404), "not_found");
    assert_eq!(server.get("computers/nobody/client-settings").await.refused(404), "not_found");
    assert_eq!(order(&server).await.len(), 2, "nothing was made");
    let audit = server.get("audit").await.ok();
    let actions: Vec<&str> =
        audit["items"].as_array().expect("items").iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(actions.iter().filter(|action| action.starts_with("client_settings.")).count(), 1, "{actions:?}");

    let known = server.get("client-setting-definitions?limit=1000").await.ok();
    let scan = known["items"].as_array().expect("items").iter().find(|one| one["key"] == "scan.schedule").cloned();
    let scan = scan.expect("a setting");
    assert_eq!((&scan["id"], &scan["mark"]), (&json!("CS-2"), &json!("core")));
    assert_eq!(scan["honoured"][0], "policy: DetectionFrequencyEnabled, DetectionFrequency");
    server.stop().await;
}
