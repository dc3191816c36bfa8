//! Servers that mirror another: what they take over, and what they do not decide themselves.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, RevisionNumber, UpdateId},
    update::CategoryKind,
};
use weir_server::{Options, config};
use weir_testkit::{Document, engine, upstream::Upstream};
use weir_wire::wsss::{Operation, ServerSyncDeployment, ServerSyncTargetGroup};

use crate::{
    harness::{Server, id},
    sync::{synchronize, until},
};

const PRODUCT: u128 = 2;
const CLASSIFICATION: u128 = 3;

/// An update of the one product and the one classification.
fn update(number: u128, revision: u32, title: &str) -> Document {
    Document::software(id(number), revision).title(title).in_category(id(PRODUCT)).in_category(id(CLASSIFICATION))
}

/// A server without a source, with the product and the classification.
async fn top() -> Server {
    let top = Server::start().await;
    top.import_documents(&[
        Document::category(id(1), 1, CategoryKind::ProductFamily).title("Family"),
        Document::category(id(PRODUCT), 1, CategoryKind::Product).title("Product").in_category(id(1)),
        Document::category(id(CLASSIFICATION), 1, CategoryKind::UpdateClassification).title("Updates"),
    ])
    .await;
    top
}

/// A new server, enrolled below this one.
pub(crate) async fn child_of(top: &Server, name: &str) -> Server {
    top.post("sites", json!({ "name": name, "kind": "secondary" })).await.ok();
    let made = top.post(&format!("sites/{name}/enrolment"), json!({})).await.ok();
    let data = tempfile::tempdir().expect("folder");
    let free = Some("127.0.0.1:0".to_owned());
    let options = Options {
        data: Some(data.path().to_owned()),
        client_http: free.clone(),
        client_https: free.clone(),
        admin: free,
        enrol: Some(made["code"].as_str().expect("a code").to_owned()),
        database: engine::database(data.path()),
        ..Options::default()
    };
    let settings = config::load(&options, &|_| None).expect("settings");
    Server::start_with(data, settings).await
}

async fn rule(top: &Server, child: &Server, name: &str, action: &str, condition: Value) {
    top.post("criteria", json!({ "name": name, "action": action, "condition": condition })).await.ok();
    until(child, "criteria", "known below", |list| list["items"].to_string().contains(name)).await;
}

async fn declined(server: &Server, update: UpdateId) -> Value {
    server.get(&format!("updates/{update}")).await.ok()["declined"].clone()
}

fn done(run: &Value) {
    assert_eq!(run["result"], "done", "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_takes_declines_and_their_end_from_above_and_judges_nothing_itself() {
    let top = top().await;
    let child = child_of(&top, "OSLO").await;
    rule(&top, &child, "Previews", "decline", json!({ "preview": true })).await;
    rule(&top, &child, "Itanium", "skip", json!({ "architectures": ["ia64"] })).await;
    // what is imported is not judged: the top keeps what its rule would leave out
    top.import_documents(&[
        update(10, 1, "Cumulative Update Preview"),
        update(11, 1, "Update for Itanium-based Systems"),
        update(12, 1, "Update for x64-based Systems"),
    ])
    .await;
    top.post("criteria/Previews/apply", json!({})).await.ok();
    assert_eq!(declined(&top, id(10)).await, true);
    let deployment = json!({ "update": id(11), "collection": "All Computers", "action": "install" });
    top.post("deployments", deployment).await.ok();

    done(&synchronize(&child).await);
    for number in [11, 12] {
        assert_eq!(declined(&child, id(number)).await, false, "{number}");
    }
    let deployed = child.get("deployments").await.ok();
    assert!(deployed["items"].to_string().contains(&id(11).to_string()), "{deployed:#}");
    assert_eq!(declined(&child, id(10)).await, true);

    top.post(&format!("updates/{}/undecline", id(10)), json!({})).await.ok();
    done(&synchronize(&child).await);
    assert_eq!(declined(&child, id(10)).await, false, "the top decides");
    child.stop().await;
    top.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_child_gets_the_older_revision_that_is_deployed() {
    let top = top().await;
    let part = |revision| Document::member(id(20), revision).title("Part");
    let bundle = |revision| update(10, revision, "Update").bundles([part(revision).identity()]);
    top.import_documents(&[bundle(1), part(1), bundle(2), part(2)]).await;
    let deployed = |revision: u32| json!({ "update": format!("{}@{revision}", id(10)), "collection": "All Computers", "action": "install" });
    top.post("deployments", deployed(1)).await.ok();

    let child = child_of(&top, "OSLO").await;
    let run = synchronize(&child).await;
    done(&run);
    let list = child.get("deployments").await.ok();
    let rows: Vec<_> = list["items"].as_array().expect("rows").iter().map(|row| row["revision"].clone()).collect();
    assert_eq!(rows, [json!(1)], "{list:#}");
    let newest = child.get(&format!("updates/{}", id(10))).await.ok();
    assert_eq!((&newest["revision"], &newest["unresolved"]), (&json!(2), &json!(false)), "{newest:#}");
    done(&synchronize(&child).await);
    child.stop().await;
    top.stop().await;
}

#[tokio::test]
async fn deployments_that_wait_for_a_revision_are_told() {
    let mut served = crate::sync::served([update(10, 1, "Here")]);
    let everyone = CollectionId::ALL_COMPUTERS;
    served.deploy(deployment(1, 10, everyone));
    for number in 30..70 {
        served.deploy(deployment(number, number, everyone));
    }
    let upstream = Upstream::start(served);
    let server = crate::sync::below(&upstream).await;
    server.call(Method::PUT, "settings/sync.replica", Some(json!({ "value": true }))).await.ok();
    for run in [synchronize(&server).await, synchronize(&server).await] {
        assert_eq!(run["result"], "done_with_warnings", "{run:#}");
        let warnings = run["warnings"].to_string();
        assert!(warnings.contains("40 deployments wait for revisions"), "{warnings}");
        assert!(warnings.contains(&format!("{}@1", id(30))) && warnings.contains("see whether"), "{warnings}");
    }
    assert_eq!(server.get("deployments").await.ok()["items"].as_array().expect("rows").len(), 1);
    upstream.change(|served| (30..70).for_each(|number| served.add(&update(number, 1, "Late"))));
    done(&synchronize(&server).await);
    assert_eq!(server.get("deployments").await.ok()["items"].as_array().expect("rows").len(), 41);
    server.stop().await;
}

#[tokio::test]
async fn what_was_decided_here_is_given_up_knowingly_and_wholly() {
    let upstream = Upstream::start(crate::sync::served([
        update(10, 1, "Ten"),
        update(11, 1, "Eleven"),
        update(12, 1, "Twelve"),
        update(13, 1, "Previews Preview"),
    ]));
    upstream.change(|served| served.hidden.insert(id(12)));
    let server = crate::sync::below(&upstream).await;
    synchronize(&server).await;
    crate::sync::choose(&server).await;
    done(&synchronize(&server).await);
    for number in [11, 12] {
        server.post(&format!("updates/{}/decline", id(number)), json!({})).await.ok();
    }
    let rule = json!({ "name": "Previews", "action": "decline", "condition": { "preview": true } });
    server.post("criteria", rule).await.ok();
    server.post("criteria/Previews/apply", json!({})).await.ok();
    let install = json!({ "update": id(10), "collection": "All Computers", "action": "install" });
    server.post("deployments", install).await.ok();

    let set = |body: Value| server.call(Method::PUT, "settings/sync.replica", Some(body));
    let refused = set(json!({ "value": true })).await;
    assert_eq!(refused.refused(409), "loses");
    let detail = refused.body["detail"].as_str().expect("detail");
    assert!(detail.contains("1 deployment, 3 declined updates"), "{detail}");
    let next = refused.body["next_step"].as_str().expect("a step");
    assert!(next.contains("weir settings set sync.replica true --force"), "{next}");
    assert_eq!(server.get("settings/sync.replica").await.ok()["value"], false);
    server.post(&format!("updates/{}/undecline", id(11)), json!({})).await.ok();
    server.post(&format!("updates/{}/decline", id(11)), json!({})).await.ok();

    set(json!({ "value": true, "force": true })).await.ok();
    let run = synchronize(&server).await;
    done(&run);
    let notes = run["warnings"].to_string();
    assert!(notes.contains("1 deployments made here were removed"), "{notes}");
    assert!(notes.contains("2 declines made here were taken back"), "{notes}");
    for (number, is_declined) in [(10, false), (11, false), (12, true), (13, false)] {
        assert_eq!(declined(&server, id(number)).await, is_declined, "{number}");
    }
    assert_eq!(server.get("deployments").await.ok()["items"], json!([]));
    // a replica has nothing to lose
    set(json!({ "value": true })).await.ok();
    server.stop().await;
}

#[tokio::test]
async fn a_replica_of_nobody_decides_for_itself() {
    let upstream = Upstream::start(crate::sync::served([update(10, 1, "Ten Preview"), update(11, 1, "Eleven")]));
    let server = Server::start().await;
    let set = async |key: &str, value: Value| {
        server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await
    };
    set("sync.microsoft_url", json!(upstream.url())).await.ok();
    set("sync.replica", json!(true)).await.ok();
    for source in ["none", "microsoft"] {
        set("source", json!(source)).await.ok();
        let collection = json!({ "name": format!("Ring {source}") });
        server.post("collections", collection).await.ok();
    }
    synchronize(&server).await;
    crate::sync::choose(&server).await;
    let rule = json!({ "name": "Previews", "action": "decline", "condition": { "preview": true } });
    server.post("criteria", rule).await.ok();
    done(&synchronize(&server).await);
    assert_eq!(declined(&server, id(10)).await, true, "criteria hold");
    server.post(&format!("updates/{}/undecline", id(10)), json!({})).await.ok();
    server.post(&format!("updates/{}/decline", id(11)), json!({})).await.ok();
    assert!(!upstream.operations().contains(&Operation::GetDeployments), "nothing is mirrored");

    // another source makes it a replica
    assert_eq!(set("source", json!(upstream.url())).await.refused(409), "loses");
    server.post(&format!("updates/{}/undecline", id(11)), json!({})).await.ok();
    set("source", json!(upstream.url())).await.ok();
    let refused = server.post(&format!("updates/{}/decline", id(11)), json!({})).await;
    assert_eq!(refused.refused(409), "read_only");
    done(&synchronize(&server).await);
    assert!(upstream.operations().contains(&Operation::GetDeployments));
    server.stop().await;
}

/// How a WSUS server is left behind: below it as a replica at first, then on one's own.
#[tokio::test]
async fn a_replica_that_stops_mirroring_keeps_what_came_and_decides_for_itself() {
    let pilot = CollectionId(Uuid::from_u128(0x9107));
    let mut served = crate::sync::served([update(10, 1, "Ten"), update(11, 1, "Eleven")]);
    served.groups.push(ServerSyncTargetGroup {
        target_group_id: pilot,
        parent_group_id: CollectionId::ALL_COMPUTERS,
        name: Some("Pilot".to_owned()),
        is_builtin: false,
    });
    served.deploy(deployment(1, 10, pilot));
    served.hidden.insert(id(11));
    let upstream = Upstream::start(served);
    let server = crate::sync::below(&upstream).await;
    let mirror = async |on: bool| {
        server.call(Method::PUT, "settings/sync.replica", Some(json!({ "value": on }))).await.ok();
    };
    mirror(true).await;
    done(&synchronize(&server).await);
    let ring = json!({ "name": "Ring" });
    assert_eq!(server.post("collections", ring.clone()).await.refused(409), "read_only");

    mirror(false).await;
    crate::sync::choose(&server).await;
    upstream.change(|served| {
        served.undeploy(Uuid::from_u128(1));
        served.groups.retain(|group| group.target_group_id != pilot);
        served.hidden.clear();
    });
    done(&synchronize(&server).await);
    let deployed = server.get("deployments").await.ok();
    let rows = deployed["items"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[0]["collection"]["name"]), (1, &json!("Pilot")), "{deployed:#}");
    assert_eq!(declined(&server, id(11)).await, true);

    let number = rows[0]["id"].as_u64().expect("a number");
    server.post("collections", ring).await.ok();
    server.post(&format!("updates/{}/undecline", id(11)), json!({})).await.ok();
    let deadline = json!({ "deadline": "2099-01-01T00:00:00Z" });
    server.patch(&format!("deployments/{number}"), deadline).await.ok();
    server.delete(&format!("deployments/{number}")).await.ok();
    assert_eq!(server.get("deployments").await.ok()["items"], json!([]));
    server.stop().await;
}

fn deployment(guid: u128, update: u128, to: CollectionId) -> ServerSyncDeployment {
    ServerSyncDeployment {
        update_id: id(update),
        revision_number: RevisionNumber(1),
        action: 0,
        admin_name: None,
        deadline: None.into(),
        is_assigned: true,
        go_live_time: Timestamp::UNIX_EPOCH,
        deployment_guid: Uuid::from_u128(guid),
        target_group_id: to,
        download_priority: 2,
    }
}
