//! Exposure follows what changes of computers: what was judged before is judged again only where it has to be.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_testkit::{Computer, ScriptedAgent};

use crate::{
    exposure::{computer, file, ready},
    harness::{Server, id},
};

/// Why each computer of a list stands where it does, by its id.
async fn reasons(server: &Server, query: &str) -> BTreeMap<String, String> {
    let listed = server.get(&format!("exposure/cves/CVE-2031-10001/computers?{query}")).await.ok();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let items = listed["items"].as_array().expect("items");
    items.iter().map(|it| (text(&it["id"]), text(&it["reason"]))).collect()
}

fn told(of: &[(&ScriptedAgent, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(agent, reason)| (agent.computer.client_id.clone(), (*reason).to_owned())).collect()
}

#[tokio::test]
async fn what_changes_of_computers_is_followed() {
    let server = ready().await;
    server.upload("exposure/imports", &[("month.xml", &file("msrc-form.xml"))]).await.ok();
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    assert!(reasons(&server, "").await.is_empty());
    let one = computer(&server, 1, 97_001, &[], &[2, 3, 4, 5]).await;
    let mut two = computer(&server, 2, 97_001, &[], &[3, 5]).await;
    assert_eq!(reasons(&server, "").await, told(&[(&one, "release_affected"), (&two, "needed")]));
    // one that says what another says, and a report
    let three = computer(&server, 3, 97_001, &[], &[3, 5]).await;
    two.computer.installed.insert(id(2));
    two.report_scan().await.expect("reported");
    let of_three = [(&one, "release_affected"), (&two, "installed"), (&three, "needed")];
    assert_eq!(reasons(&server, "").await, told(&of_three));
    // another release of Windows registers; its status stays what it is
    let mut upgraded = Computer::numbered(1);
    upgraded.os_build = 96_000;
    let mut upgraded = ScriptedAgent::new(server.client(), upgraded).expect("agent");
    upgraded.scan().await.expect("scan");
    let of_three = [(&one, "release_not_listed"), (&two, "installed"), (&three, "needed")];
    assert_eq!(reasons(&server, "").await, told(&of_three));
    // other collections
    assert!(reasons(&server, "collection=Ring").await.is_empty());
    let ring = json!({ "computers": [three.computer.client_id] });
    server.post("collections/Ring/members", ring).await.ok();
    assert_eq!(reasons(&server, "collection=Ring").await, told(&[(&three, "needed")]));
    let excepted = async || {
        let cve = server.get("exposure/cves/CVE-2031-10001").await.ok();
        (cve["levels"]["excepted"].clone(), cve["computers"]["exposed"].clone())
    };
    assert_eq!(excepted().await, (json!(0), json!(1)));
    let exception = json!({
        "cve": "CVE-2031-10001", "collection": "Ring", "owner": "A. Person", "reason": "It is switched off",
        "expires_at": Timestamp::now() + SignedDuration::from_hours(24),
    });
    assert_eq!(server.post("exposure/exceptions", exception).await.status, 201);
    assert_eq!(excepted().await, (json!(1), json!(1)));
    // a computer that comes into the collection has the exception, and one that came elsewhere has not
    let four = computer(&server, 4, 97_001, &[], &[3, 5]).await;
    assert_eq!(excepted().await, (json!(1), json!(2)));
    let ring = json!({ "computers": [four.computer.client_id] });
    server.post("collections/Ring/members", ring).await.ok();
    assert_eq!(excepted().await, (json!(2), json!(2)));
    // computers that leave
    assert_eq!(server.delete(&format!("computers/{}", two.computer.client_id)).await.status, 204);
    let left = told(&[(&one, "release_not_listed"), (&three, "needed"), (&four, "needed")]);
    assert_eq!(reasons(&server, "").await, left);
    // another state of the catalogue, and a server that reads everything anew, say the same
    server.post("collections", json!({ "name": "Another" })).await.ok();
    assert_eq!(reasons(&server, "").await, left);
    let server = Server::start_in(server.stop().await).await;
    assert_eq!(reasons(&server, "").await, left);
    server.stop().await;
}
