//! Collections.

use super::*;
use crate::tests::summary;

fn rule(text: &str) -> Value {
    let mut one = collection(RING, "Ring 1", "rule", Some(UPDATE));
    one["rule"] = json!(text);
    one["includes"] = json!([{"id": UPDATE, "name": "Pilot"}]);
    one
}

fn outlook(coming: u64, going: u64) -> Value {
    json!({"collection": {"id": RING, "name": "Ring 1"}, "rule": null, "computers": 4321, "members": {"count": 70, "items": []},
        "coming": {"count": coming, "items": [{"id": ID, "name": HOSTILE, "sources": ["rule"]}]}, "going": {"count": going, "items": []},
        "others": [{"collection": {"id": UPDATE, "name": "Other"}, "coming": 3, "going": 4}],
        "deployments": [{"id": 7, "title": "November", "collection": {"id": RING, "name": "Ring 1"}, "action": "install"}]})
}

fn building() -> Stub {
    let fields = json!({"items": [
        {"name": "os", "aliases": [], "type": "text", "operators": ["=", "!=", "~", "!~", "in"], "example": "\"...\"", "meaning": "Its system."},
        {"name": "server", "aliases": [], "type": "yes or no", "operators": ["(alone)", "=", "!="], "example": "true", "meaning": "It serves."},
        {"name": "role", "aliases": [], "type": "workstation, domain_controller, server", "operators": ["=", "!=", "~", "!~", "in"], "example": "workstation", "meaning": "What it is."}],
        "next": null});
    stub("pc-1").with("GET /searches-fields", &fields).with("POST /collections/preview", &outlook(3, 2))
}

#[tokio::test]
async fn the_tree_has_counts_and_compliance() {
    let stub = stub("pc-1").with("GET /compliance/summary", &summary(0, 1, 8));
    let tree = page(&stub, "/computers/collections").await;
    holds(
        &tree,
        &["href=\"/computers/collections/Ring%201\"", "88.9\u{a0}%", "class=\"meter\"", "/computers/collections/new"],
    );
    let list = page(&stub, "/computers/collections?tab=list&text=ring").await;
    holds(&list, &["Ring 1", ">1 row</p>"]);
    let csv = stub
        .send(
            Request::get("/computers/collections?tab=list&format=csv&col=name&col=below").body(Body::empty()).unwrap(),
        )
        .await;
    assert!(text(csv).await.contains("Ring 1,9\r\n"));
}

#[tokio::test]
async fn a_server_without_collections_offers_the_first() {
    let alone = json!({"items": [collection(UPDATE, "All Computers", "target_group", None)], "next": null});
    holds(
        &page(&stub("x").with("GET /collections", &alone), "/computers/collections").await,
        &["A pilot of a few computers"],
    );
}

#[tokio::test]
async fn one_has_members_with_the_reason() {
    let mut member = row(HOSTILE);
    member
        .as_object_mut()
        .unwrap()
        .extend(json!({"sources": ["rule", "manual"], "why": "x"}).as_object().unwrap().clone());
    let stub = stub("x")
        .with("GET /collections/Ring%201", &rule("server"))
        .with(&format!("GET /collections/{RING}/members"), &json!({"items": [member], "next": null}));
    let page = page(&stub, "/computers/collections/Ring%201").await;
    holds(
        &page,
        &["Rule, Administrator", "&lt;script&gt;", "/computers/collections/Ring%201/edit", "collection=Ring+1"],
    );
    assert!(!page.contains("<script>"));
    assert!(!page.contains("stopped calling"), "nothing is known of its compliance: {page}");
    let known =
        self::page(&stub.clone().with("GET /compliance/summary", &summary(0, 1, 8)), "/computers/collections/Ring%201")
            .await;
    holds(
        &known,
        &[
            "88.9\u{a0}%",
            "Compliant with current reports: 5 of 8.",
            "href=\"/computers?f=collection%3ARing+1&amp;f=freshness%3Asilent\"",
            "href=\"/computers?f=collection%3ARing+1&amp;f=freshness%3Anot_reporting\"",
            "up to 3 hours old",
        ],
    );
    let (status, _) = stub.page("/computers/collections/Nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn windows_settings_and_trend_say_when_there_is_nothing() {
    let history = json!({"subject": {"kind": "collection", "id": RING, "collection": null, "name": "Ring 1", "gone_at": null, "first_day": null,
        "last_day": null, "days": 0, "bytes": 0}, "time_zone": "UTC", "kept_days": 400, "items": [], "next": null});
    let stub = stub("x")
        .with("GET /collections/Ring%201", &rule("server"))
        .with("GET /windows", &json!({"items": [], "next": null}))
        .with("GET /windows-next", &json!({"items": [], "next": null}))
        .with("GET /compliance/deployments", &json!({"items": [], "next": null}))
        .with(
            &format!("GET /collections/{RING}/client-settings"),
            &json!({"collections": [], "settings": [], "warnings": []}),
        )
        .with("GET /compliance/history", &history);
    let at = |tab: &str| format!("/computers/collections/Ring%201?tab={tab}");
    holds(
        &page(&stub, &at("windows")).await,
        &["It has no maintenance window", "/deployments/windows/new?collection=Ring+1"],
    );
    holds(&page(&stub, &at("settings")).await, &["built-in values hold"]);
    holds(&page(&stub, &at("trend")).await, &["Nothing was recorded"]);
    holds(&page(&stub, &at("deployments")).await, &["Nothing is deployed to it."]);
    holds(&page(&stub, &at("definition")).await, &["<code>server</code>", "Pilot"]);
}

#[tokio::test]
async fn a_rule_is_built_in_rows_and_previewed() {
    let stub = building();
    let form = "name=New&kind=rule&mode=rows&join=all&group=any&field=os&operator=contains&value=server+2022&field=role&operator=in&value=server";
    let more = text(stub.form("/computers/collections/new", &format!("{form}&act=row:0")).await).await;
    holds(
        &more,
        &[
            "os ~ &quot;server 2022&quot; or role in (server)",
            "list=\"words-role\"",
            "value=\"drop:0:2\"",
            "data-preview=\"/computers/collections/preview\"",
        ],
    );
    let body = stub.asked().into_iter().rev().find(|asked| asked.starts_with("POST /collections/preview")).unwrap();
    assert!(body.contains("os ~ \\\"server 2022\\\" or role in (server)"), "{body}");
    let typed = text(stub.form("/computers/collections/new", &format!("{form}&act=text")).await).await;
    holds(&typed, &["<textarea", "In rows", "value=\"rows\""]);
    let live = text(stub.form("/computers/collections/preview", &format!("id={RING}&{form}")).await).await;
    holds(&live, &["id=\"preview\"", "3 join", "2 leave", "November", "&lt;script&gt;"]);
    assert!(!live.contains("<script>alert"));
}

#[tokio::test]
async fn a_new_one_is_made_and_a_refusal_is_beside_its_field() {
    let made = building().with("POST /collections", &json!({"id": RING, "name": "Servers"}));
    let form = "name=Servers&kind=rule&mode=text&rule=server&approved_only=1&includes=Pilot&act=save";
    let response = made.form("/computers/collections/new", form).await;
    assert_eq!(response.headers()[header::LOCATION], "/computers/collections/Servers");
    let asked = made.asked().pop().unwrap();
    assert_eq!(
        asked,
        "POST /collections {\"name\":\"Servers\",\"approved_only\":true,\"kind\":\"rule\",\"rule\":\"server\",\"includes\":[\"Pilot\"]}"
    );
    let refused = building().refusing("POST /collections", 400, problem(400, "name", "\"Servers\" cannot be the name"));
    let page = text(refused.form("/computers/collections/new", form).await).await;
    holds(&page, &["e-name", "cannot be the name", "value=\"Servers\"", "checked"]);
    let lacking = "name=x&kind=rule&mode=rows&group=all&field=os&operator=equal&value=&act=save";
    let page = text(building().form("/computers/collections/new", lacking).await).await;
    holds(&page, &["Condition 1 lacks its value."]);
}

#[tokio::test]
async fn a_change_that_moves_computers_is_confirmed() {
    let stub = building()
        .with("GET /collections/Ring%201", &rule("workstation"))
        .with(&format!("PATCH /collections/{RING}"), &rule("server"));
    let edit = page(&stub, "/computers/collections/Ring%201/edit").await;
    holds(&edit, &["7 computers are members now", "Pilot"]);
    let form = "name=Ring+1&kind=rule&mode=rows&group=all&field=server&operator=yes&value=&includes=Pilot&act=save";
    let confirm = text(stub.form("/computers/collections/Ring%201/edit", form).await).await;
    holds(
        &confirm,
        &[
            "3 computers come, 2 leave Ring 1.",
            "name=\"field\" value=\"server\"",
            "name=\"sure\" value=\"1\"",
            "November",
        ],
    );
    assert!(stub.asked().iter().all(|asked| !asked.starts_with("PATCH")));
    let done = stub.form("/computers/collections/Ring%201/edit", &format!("{form}&sure=1")).await;
    assert_eq!(done.headers()[header::LOCATION], "/computers/collections/Ring%201");
    assert_eq!(stub.asked().pop().unwrap(), format!("PATCH /collections/{RING} {{\"rule\":\"server\"}}"));
}

#[tokio::test]
async fn deleting_names_what_is_in_the_way() {
    let refusal = problem(
        409,
        "in_use",
        "the collection \"Ring 1\" cannot be deleted while these use it: maintenance windows \"Night\"",
    );
    let stub = stub("x")
        .with("GET /collections/Ring%201", &rule("server"))
        .with("GET /deployments", &json!({"items": [], "next": null}))
        .with("GET /windows", &json!({"items": [], "next": null}))
        .refusing(&format!("DELETE /collections/{RING}"), 409, refusal);
    let ask = page(&stub, "/computers/collections/Ring%201/delete").await;
    holds(&ask, &["Type “Ring 1” to confirm", "7 computers leave it."]);
    let wrong = text(stub.form("/computers/collections/Ring%201/delete", "typed=Ring").await).await;
    assert!(
        wrong.contains("That is not what was asked for")
            && stub.asked().iter().all(|asked| !asked.starts_with("DELETE"))
    );
    let refused = text(stub.form("/computers/collections/Ring%201/delete", "typed=ring+1").await).await;
    holds(&refused, &["maintenance windows", "role=\"alert\""]);
    let analyst = stub.with("GET /session", &session("read_only_analyst"));
    assert!(!page(&analyst, "/computers/collections/Ring%201/delete").await.contains("name=\"typed\""));
    assert!(!page(&analyst, "/computers/collections/new").await.contains("name=\"act\""));
}
