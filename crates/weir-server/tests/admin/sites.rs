//! The tree of sites through REST.

use serde_json::{Value, json};
use weir_testkit::engine::Direct;

use super::harness::Server;

async fn add(server: &Server, name: &str, kind: &str, under: Option<&str>) -> super::harness::Answer {
    let mut body = json!({ "name": name, "kind": kind });
    if let Some(under) = under {
        body["under"] = json!(under);
    }
    server.post("sites", body).await
}

async fn kinds(server: &Server) -> Vec<(String, String)> {
    let list = server.get("sites").await.ok();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = list["items"].as_array().expect("rows").iter();
    rows.map(|row| (text(&row["name"]), text(&row["kind"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_site_below_decides_what_this_server_is() {
    let server = Server::start().await;
    let alone = server.get("sites").await.ok();
    assert_eq!(alone["items"].as_array().expect("rows").len(), 1);
    assert_eq!((&alone["items"][0]["kind"], &alone["items"][0]["here"]), (&json!("primary"), &json!(true)));
    assert_eq!(alone["items"][0]["configuration"], "configured");

    let added = add(&server, "OSLO", "secondary", None).await.ok();
    assert!(added["note"].as_str().expect("note").contains("stand-alone primary"), "{added}");
    assert_eq!(add(&server, "P", "primary", None).await.refused(409), "nesting");
    assert_eq!(add(&server, "oslo", "secondary", None).await.refused(409), "exists");
    assert_eq!(add(&server, "X", "secondary", Some("OSLO")).await.refused(409), "nesting");
    assert_eq!(add(&server, "X", "secondary", Some("nowhere")).await.refused(400), "under");
    assert_eq!(add(&server, "a b", "secondary", None).await.refused(400), "name");
    add(&server, "SPARE", "replica", None).await.ok();

    server.delete("sites/OSLO").await.ok();
    let added = add(&server, "CEN", "central", None).await.ok();
    assert_eq!(added["under"], Value::Null);
    // a second one would rename it, which is said with other words
    let again = add(&server, "TOP", "central", None).await;
    assert_eq!(again.refused(409), "second_top");
    assert!(again.body["next_step"].as_str().expect("advice").contains("--here"), "{}", again.body);
    server.post("sites", json!({ "name": "MID", "kind": "central", "here": true })).await.ok();
    server.post("sites", json!({ "name": "CEN", "kind": "central", "here": true })).await.ok();
    add(&server, "PRI", "primary", None).await.ok();
    add(&server, "SEC", "secondary", Some("PRI")).await.ok();
    let names: Vec<_> = kinds(&server).await.into_iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    assert_eq!(names, ["CEN central", "PRI primary", "SEC secondary", "SPARE replica"]);
    assert_eq!(server.delete("sites/PRI").await.refused(409), "in_use");
    assert_eq!(server.delete("sites/CEN").await.refused(409), "this_server");
    assert_eq!(server.delete("sites/nowhere").await.refused(404), "not_found");
    assert_eq!(server.call(http::Method::DELETE, "parent", None).await.refused(409), "no_parent");
    let audit = server.get("audit").await.ok().to_string();
    assert!(audit.contains("site.add") && audit.contains("site.remove"), "{audit}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_for_sites_directly_below() {
    let server = Server::start().await;
    add(&server, "PRI", "primary", None).await.ok();
    add(&server, "SEC", "secondary", Some("PRI")).await.ok();
    assert_eq!(server.post("sites/SEC/enrolment", json!({})).await.refused(409), "not_below");
    assert_eq!(server.post("sites/nowhere/enrolment", json!({})).await.refused(404), "not_found");
    let own = server.get("sites").await.ok()["items"][0]["name"].as_str().expect("name").to_owned();
    assert_eq!(server.post(&format!("sites/{own}/enrolment"), json!({})).await.refused(409), "this_server");
    for address in ["http://cen.example:8531", "https://", "cen.example", "https://cen.example/path"] {
        let refused = server.post("sites/PRI/enrolment", json!({ "addresses": [address] })).await;
        assert_eq!(refused.refused(400), "address", "{address}");
    }
    let code = server.post("sites/PRI/enrolment", json!({ "addresses": ["https://cen.example:8531/"] })).await.ok();
    assert_eq!(code["addresses"], json!(["https://cen.example:8531"]));
    assert_eq!(code["replaces"], false);
    let site = server.get("sites/PRI").await.ok();
    assert_eq!(site["configuration"], "invited");
    assert!(site["code_expires_at"].is_string());
    // only the hash of the secret is kept
    let text = code["code"].as_str().expect("code");
    let decoded = weir_model::enrolment::EnrolmentCode::decode(text).expect("a code");
    let data = server.stop().await;
    let hexadecimal = decoded.secret.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let database = Direct::of(data.path());
    for table in database.tables() {
        let rows = database.query(&format!("SELECT * FROM \"{table}\""), &[]);
        assert!(!rows.concat().iter().any(|value| value.contains(&hexadecimal)), "the secret is in {table}");
    }
    // nor is it left over in the file of the embedded database
    for name in ["weir.db", "weir.db-wal"] {
        let bytes = std::fs::read(data.path().join(name)).unwrap_or_default();
        assert!(!bytes.windows(32).any(|window| window == decoded.secret), "the secret is in {name}");
    }
}
