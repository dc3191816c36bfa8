//! Exports and bundles through REST: what is fetched, refused and remembered.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Method, header};
use serde_json::{Value, json};
use weir_testkit::{Document, shared};
use weir_wire::package::{Limits, Reader};

use crate::harness::{Answer, Server, id};

impl Server {
    /// Begins an export and waits until it is done.
    async fn export(&self, query: &str) -> Value {
        let export = self.call(Method::POST, &format!("exports?{query}"), None).await.ok();
        let path = format!("exports/{}", export["id"].as_str().expect("id"));
        for _ in 0..3_000 {
            let export = self.get(&path).await.ok();
            if export["state"] != "running" {
                return export;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the export does not end");
    }

    async fn bytes(&self, path: &str, range: Option<&str>) -> (u16, Vec<u8>) {
        let mut request = self.http.get(self.admin(&format!("/api/v1/{path}"))).bearer_auth(&self.token);
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let response = request.send().await.expect("answer");
        (response.status().as_u16(), response.bytes().await.expect("bytes").to_vec())
    }

    async fn offer(&self, manifest: &[u8], signature: &[u8]) -> Answer {
        let encode = |bytes| BASE64_STANDARD.encode(bytes);
        self.post("bundles", json!({ "manifest": encode(manifest), "signature": encode(signature) })).await
    }

    async fn send_part(&self, bundle: &str, number: u32, bytes: Vec<u8>) -> (u16, Value) {
        let url = self.admin(&format!("/api/v1/bundles/{bundle}/parts/{number}"));
        let response = self.http.put(url).bearer_auth(&self.token).body(bytes).send().await.expect("answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    async fn trust_from(&self, sender: &Server) {
        let key = sender.get("bundles/key").await.ok();
        self.post("bundles/trust", json!({ "key": key["public"], "name": "Sender" })).await.ok();
    }
}

#[tokio::test]
async fn a_package_is_fetched_in_pieces_and_forgotten() {
    let server = Server::start().await;
    server
        .import_documents(&[Document::detectoid(id(1), 1).title("A"), Document::detectoid(id(2), 1).title("B")])
        .await;
    let export = server.export("format=package").await;
    assert_eq!(export["state"], "done", "{export}");
    assert_eq!(export["result"]["revisions"], 2);
    let path = format!("exports/{}", export["id"].as_str().expect("id"));
    let file = format!("{path}/files/package");
    let (status, whole) = server.bytes(&file, None).await;
    assert_eq!((status, whole.len() as u64), (200, export["files"][0]["size"].as_u64().expect("size")));
    let (status, rest) = server.bytes(&file, Some("bytes=100-")).await;
    assert_eq!((status, &rest[..]), (206, &whole[100..]));
    assert_eq!(server.bytes(&format!("{path}/files/..%2F..%2Fadmin.token"), None).await.0, 404);
    assert_eq!(server.delete(&file).await.status, 204);
    assert_eq!(server.bytes(&file, None).await.0, 404);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.get(&path).await.refused(404), "not_found");
    let left = std::fs::read_dir(server.data.path().join("outgoing")).expect("folder").count();
    assert_eq!(left, 0, "nothing stays behind");
    // what came as a package goes out as one
    let again = server.import(&[("p.cab", &whole)]).await;
    assert_eq!((&again["result"]["unchanged"], &again["state"]), (&json!(2), &json!("done")), "{again}");
    server.stop().await;
}

#[tokio::test]
async fn declarations_stay_out_of_packages_and_make_no_other_document() {
    let plain = Document::detectoid(id(1), 1).title("A").to_xml();
    let declared = format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{plain}");
    let sender = Server::start().await;
    let import = sender.import(&[("a.xml", declared.as_bytes())]).await;
    assert_eq!(import["result"]["added"], 1, "{import}");
    let export = sender.export("format=package").await;
    let path = format!("exports/{}/files/package", export["id"].as_str().expect("id"));
    let package = sender.bytes(&path, None).await.1;
    let mut reader = Reader::open(std::io::Cursor::new(&package), &Limits::default()).expect("a package");
    let records: Vec<_> = reader.records().expect("records").map(|record| record.expect("a record").text).collect();
    assert_eq!(records, std::slice::from_ref(&plain));
    assert_eq!(export["result"]["document_bytes"], plain.len(), "{export}");
    // by both ways to the same document, in both orders
    let receiver = Server::start().await;
    receiver.import(&[("p.cab", &package)]).await;
    for (server, file, bytes) in [
        (&sender, "p.cab", &package[..]),
        (&receiver, "a.xml", declared.as_bytes()),
        (&sender, "a.xml", plain.as_bytes()),
    ] {
        let again = server.import(&[(file, bytes)]).await;
        assert_eq!((&again["result"]["unchanged"], &again["state"]), (&json!(1), &json!("done")), "{again}");
    }
    sender.stop().await;
    receiver.stop().await;
}

#[tokio::test]
async fn what_cannot_be_exported_is_said() {
    let server = Server::start().await;
    for (query, code) in [
        ("format=zip", "query"),
        ("format=package&content=all", "query"),
        ("format=bundle&with=approvals", "with"),
        ("format=bundle&part_bytes=1000", "part_size"),
    ] {
        assert_eq!(server.call(Method::POST, &format!("exports?{query}"), None).await.refused(400), code, "{query}");
    }
    let url = server.admin("/api/v1/exports?format=bundle");
    let answer =
        server.http.post(url).bearer_auth(&server.token).body("{\"nonsense\": 1}").send().await.expect("answer");
    assert_eq!(answer.status(), 400);
    server.stop().await;
}

#[tokio::test]
async fn an_export_that_is_ended_leaves_nothing() {
    let server = Server::start().await;
    // so many parts that it waits for them to be fetched
    let documents: Vec<Document> =
        (0..40).map(|n| Document::software(id(n), 1).title(&format!("{n}")).rules_of_size(400_000)).collect();
    server.import_documents(&documents).await;
    let payload = weir_testkit::Payload::random("x.cab", 20 << 20, 1);
    server.import_documents(&[Document::software(id(900), 1).title("Large").file(&payload)]).await;
    server.upload("content", &[("x.cab", &payload.bytes)]).await.ok();
    let export = server.call(Method::POST, "exports?format=bundle&content=all&part_bytes=4194304", None).await.ok();
    let path = format!("exports/{}", export["id"].as_str().expect("id"));
    let waiting = loop {
        let export = server.get(&path).await.ok();
        if export["phase"] == "wait" || export["state"] != "running" {
            break export;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(waiting["phase"], "wait", "{waiting}");
    assert_eq!(waiting["files"].as_array().map(Vec::len), Some(3), "two wait and one is offered: {waiting}");
    assert_eq!(server.delete(&path).await.status, 204);
    let folder = server.data.path().join("outgoing");
    for _ in 0..1_000 {
        if std::fs::read_dir(&folder).expect("folder").count() == 0 {
            server.stop().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("files of an export that was ended are still there");
}

/// Manifest, signature and parts of a bundle.
async fn bundle(server: &Server, query: &str) -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let export = server.export(&format!("format=bundle&{query}")).await;
    assert_eq!(export["state"], "done", "{export}");
    let path = format!("exports/{}", export["id"].as_str().expect("id"));
    let (mut parts, mut named) = (Vec::new(), std::collections::BTreeMap::new());
    for file in export["files"].as_array().expect("files") {
        let name = file["name"].as_str().expect("name");
        let (status, bytes) = server.bytes(&format!("{path}/files/{name}"), None).await;
        assert_eq!(status, 200);
        match name {
            "manifest" | "signature" => drop(named.insert(name.to_owned(), bytes)),
            _ => parts.push(bytes),
        }
    }
    (named.remove("manifest").expect("manifest"), named.remove("signature").expect("signature"), parts)
}

#[tokio::test]
async fn a_bundle_is_checked_before_anything_of_it_is_kept() {
    let (sender, receiver) = (Server::start().await, Server::start().await);
    sender.import_documents(&[Document::detectoid(id(1), 1).title("A")]).await;
    let (manifest, signature, parts) = bundle(&sender, "").await;
    assert_eq!(receiver.offer(&manifest, &signature).await.refused(409), "untrusted_signer");
    receiver.trust_from(&sender).await;
    for at in [0, manifest.len() / 2, manifest.len() - 1] {
        let mut changed = manifest.clone();
        changed[at] ^= 1;
        assert_eq!(receiver.offer(&changed, &signature).await.refused(400), "bundle_altered");
    }
    for at in 0..signature.len() {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        assert_eq!(receiver.offer(&manifest, &changed).await.refused(400), "bundle_altered", "byte {at}");
    }
    assert_eq!(receiver.get("bundles").await.ok()["items"], json!([]), "nothing of it is remembered");

    let offered = receiver.offer(&manifest, &signature).await.ok();
    let bundle = offered["id"].as_str().expect("id").to_owned();
    assert_eq!((&offered["missing"], &offered["state"]), (&json!([1]), &json!("receiving")));
    let apply = format!("bundles/{bundle}/apply");
    assert_eq!(receiver.call(Method::POST, &apply, None).await.refused(409), "bundle_incomplete");
    let part = &parts[0];
    for wrong in [&part[..part.len() - 1], &[&part[..], b"x"].concat(), &[&part[..part.len() - 1], b"x"].concat()] {
        let (status, problem) = receiver.send_part(&bundle, 1, wrong.to_vec()).await;
        assert_eq!((status, &problem["code"]), (400, &json!("bundle_altered")), "{problem}");
    }
    for number in [0, 2] {
        assert_eq!(receiver.send_part(&bundle, number, part.clone()).await.0, 404);
    }
    assert_eq!(receiver.get(&format!("bundles/{bundle}")).await.ok()["missing"], json!([1]));
    assert_eq!(receiver.delete(&format!("bundles/{bundle}")).await.status, 204);
    assert_eq!(receiver.send_part(&bundle, 1, part.clone()).await.0, 404);

    // a part that changes on the receiver's disk is asked for again
    receiver.offer(&manifest, &signature).await.ok();
    assert_eq!(receiver.send_part(&bundle, 1, part.clone()).await.0, 200);
    let stored = receiver.data.path().join("bundles").join(&bundle).join("1");
    let mut bytes = std::fs::read(&stored).expect("a part");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&stored, bytes).expect("altered");
    let failed = applied(&receiver, &bundle).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert_eq!(receiver.get("updates").await.ok()["total"], 0);
    let mut again = failed;
    for _ in 0..500 {
        if again["missing"] == json!([1]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        again = receiver.get(&format!("bundles/{bundle}")).await.ok();
    }
    assert_eq!(again["missing"], json!([1]), "{again}");
    assert_eq!(receiver.send_part(&bundle, 1, part.clone()).await.0, 200);
    let done = applied(&receiver, &bundle).await;
    assert_eq!((&done["state"], &done["result"]["added"]), (&json!("applied"), &json!(1)), "{done}");
    assert!(!receiver.data.path().join("bundles").join(&bundle).exists(), "its parts are used up");
    assert_eq!(receiver.delete(&format!("bundles/{bundle}")).await.refused(409), "bundle_applied");
    let audit = receiver.get("audit").await.ok();
    let actions: Vec<&str> =
        audit["items"].as_array().expect("items").iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["bundle.trust", "bundle.receive", "bundle.commit", "bundle.apply"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
    sender.stop().await;
    receiver.stop().await;
}

/// Applies a bundle and waits for the outcome.
async fn applied(server: &Server, bundle: &str) -> Value {
    let mut state = server.call(Method::POST, &format!("bundles/{bundle}/apply"), None).await.ok();
    for _ in 0..3_000 {
        if state["state"] != "applying" && state["state"] != "committed" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        state = server.get(&format!("bundles/{bundle}")).await.ok();
    }
    state
}

#[tokio::test]
async fn a_bundle_with_a_broken_document_changes_nothing() {
    // another text of a revision that the receiver has
    let (sender, receiver) = (Server::start().await, Server::start().await);
    sender
        .import_documents(&[Document::detectoid(id(1), 1).title("New"), Document::detectoid(id(2), 1).title("Theirs")])
        .await;
    receiver.import_documents(&[Document::detectoid(id(2), 1).title("Ours")]).await;
    receiver.trust_from(&sender).await;
    let (manifest, signature, parts) = bundle(&sender, "").await;
    let offered = receiver.offer(&manifest, &signature).await.ok();
    let bundle = offered["id"].as_str().expect("id").to_owned();
    receiver.send_part(&bundle, 1, parts[0].clone()).await;
    let failed = applied(&receiver, &bundle).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["error"].as_str().is_some_and(|text| text.contains(&id(2).to_string())), "{failed}");
    assert_eq!(receiver.get("updates").await.ok()["total"], 1);
    sender.stop().await;
    receiver.stop().await;
}

#[tokio::test]
async fn checklist_11_imports_are_refused_below_a_parent_and_beside_an_upstream() {
    let server = Server::start().await;
    let document = Document::detectoid(id(1), 1).title("A").to_xml();
    let set = |key: &'static str, value: Value| {
        let body = json!({ "value": value });
        server.call(Method::PUT, if key == "source" { "settings/source" } else { "settings/sync.replica" }, Some(body))
    };
    set("source", json!("http://upstream.example:8530")).await.ok();
    assert_eq!(server.upload("imports", &[("a.xml", document.as_bytes())]).await.refused(409), "has_upstream");
    set("sync.replica", json!(true)).await.ok();
    let refused = server.upload("imports?force=true", &[("a.xml", document.as_bytes())]).await;
    assert_eq!(refused.refused(409), "is_replica", "not even by force");
    server.stop().await;
}

#[tokio::test]
async fn checklist_13_the_gzip_form_is_refused_with_advice() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("export.xml");
    std::fs::write(&path, "<?xml version=\"1.0\"?><ExportedThings/>").expect("file");
    assert!(std::process::Command::new("gzip").arg(&path).status().expect("gzip").success());
    let gzip = std::fs::read(folder.path().join("export.xml.gz")).expect("file");
    let import = server.import(&[("export.xml.gz", &gzip)]).await;
    let message = import["result"]["errors"][0]["message"].as_str().expect("message");
    assert!(message.contains("ExportedThings") && message.contains(".cab"), "{message}");
    assert_eq!(server.get("updates").await.ok()["total"], 0);
    server.stop().await;
}

#[tokio::test]
async fn checklist_12_an_import_gives_new_change_numbers() {
    let server = Server::start().await;
    let package = std::fs::read(shared("data/wsusutil-export-2020-04.cab")).expect("package");
    server.import(&[("export.cab", &package)]).await;
    let manifest = bundle(&server, "").await.0;
    let before: Value = serde_json::from_slice(&manifest).expect("JSON");
    server.import_documents(&[Document::detectoid(id(1), 1).title("A")]).await;
    let url = server.admin("/api/v1/exports?format=bundle");
    let export = server.http.post(url).bearer_auth(&server.token).body(manifest).send().await.expect("answer");
    let export: Value = export.json().await.expect("JSON");
    let path = format!("exports/{}", export["id"].as_str().expect("id"));
    let mut state = export;
    while state["state"] == "running" {
        state = server.get(&path).await.ok();
    }
    assert_eq!(state["result"]["revisions"], 1, "only what came after {}: {state}", before["change"]);
    server.stop().await;
}
