//! Downstream servers.

use serde_json::{Value, json};

use crate::harness::Server;

const ID: &str = "6f1c2f6e-3f0b-4d3a-9b1e-0d2f6a1c5e12";

async fn post(server: &Server, path: &str) -> crate::harness::Answer {
    server.post(path, json!({})).await
}

#[tokio::test]
async fn servers_are_allowed_before_they_come_refused_and_removed() {
    let server = Server::start().await;
    let list = || async { server.get("downstream").await.ok()["items"].as_array().expect("items").clone() };
    assert_eq!(list().await, Vec::<Value>::new());
    let allowed = post(&server, &format!("downstream/{}/allow", ID.to_uppercase())).await.ok();
    assert_eq!(
        (&allowed["id"], &allowed["admission"], &allowed["served"]),
        (&json!(ID), &json!("allowed"), &json!(true))
    );
    assert_eq!(
        (&allowed["last_sync"], &allowed["behind"], &allowed["computers"]),
        (&json!(null), &json!(null), &json!(0))
    );
    assert_eq!(list().await, [allowed]);
    let refused = post(&server, &format!("downstream/{ID}/refuse")).await.ok();
    assert_eq!((&refused["admission"], &refused["served"]), (&json!("refused"), &json!(false)));
    // once is enough
    post(&server, &format!("downstream/{ID}/refuse")).await.ok();
    assert_eq!(post(&server, "downstream/branch.example.org/allow").await.refused(404), "not_found");
    assert_eq!(server.delete("downstream/branch.example.org").await.refused(404), "not_found");
    server.delete(&format!("downstream/{ID}")).await.ok();
    assert_eq!(list().await, Vec::<Value>::new());
    let audit = server.get("audit").await.ok();
    let actions: Vec<_> = audit["items"].as_array().expect("items").iter().map(|row| row["action"].clone()).collect();
    let wanted = ["downstream.remove", "downstream.refuse", "downstream.allow"];
    assert_eq!(actions.iter().filter(|action| action.to_string().contains("downstream")).collect::<Vec<_>>(), wanted);
    server.stop().await;
}
