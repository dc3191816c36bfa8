//! Servers that mirror another: what they take over, and what they do not decide themselves.

use serde_json::{Value, json};
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_server::{Options, config};
use weir_testkit::Document;

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
async fn child_of(top: &Server, name: &str) -> Server {
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
