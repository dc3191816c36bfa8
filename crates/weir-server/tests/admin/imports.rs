//! Imports: packages whole or not at all, files one by one.

use serde_json::{Value, json};
use weir_testkit::{Document, shared};

use crate::harness::{Server, id};

/// The files of the recorded documents and fragments.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(shared("captures/updates"))
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.is_file())
        .map(|path| {
            (path.file_name().expect("name").to_string_lossy().into_owned(), std::fs::read(path).expect("read"))
        })
        .collect();
    files.sort();
    files
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn counts(import: &Value) -> [u64; 5] {
    ["added", "unchanged", "rejected", "skipped", "unresolved"]
        .map(|name| import["result"][name].as_u64().expect("count"))
}

#[tokio::test]
async fn the_genuine_package_and_the_recorded_documents() {
    let server = Server::start().await;
    let package = std::fs::read(shared("data/wsusutil-export-2020-04.cab")).expect("package");
    let import = server.import(&[("export.cab", &package)]).await;
    assert_eq!(import["state"], "done", "{import}");
    assert_eq!(counts(&import), [3_690, 0, 0, 0, 0], "{import}");
    let listed = server.get("updates?facets=true&limit=1").await.ok();
    assert_eq!(listed["total"], 3_690);
    assert_eq!(listed["updates"], 3_633);
    assert_eq!(listed["facets"]["kind"], json!({ "category": 399, "detectoid": 3_291, "driver": 0, "software": 0 }));
    assert_eq!(listed["items"].as_array().expect("items").len(), 1);

    let again = server.import(&[("export.cab", &package)]).await;
    assert_eq!(counts(&again), [0, 3_690, 0, 0, 0]);

    let files = recorded();
    let import = server.import(&borrowed(&files)).await;
    assert_eq!(import["state"], "done");
    let [added, unchanged, rejected, skipped, unresolved] = counts(&import);
    assert_eq!((added, unchanged, rejected, unresolved), (3, 2, 0, 3), "{import}");
    assert_eq!(skipped as usize, files.len() - 5);
    for prefix in ["a2fef9b0", "266f6222", "ccb78947"] {
        let filter = format!("updates?filter=id%20~%20{prefix}");
        let row = server.get(&filter).await.ok()["items"][0].clone();
        assert_eq!(row["unresolved"], true, "{row}");
        let shown = server.get(&format!("updates/{}", row["id"].as_str().expect("id"))).await.ok();
        let lacks = shown["lacks"].as_array().expect("lacks");
        assert!(!lacks.is_empty() && lacks[0]["message"].as_str().is_some_and(|text| !text.is_empty()), "{shown}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_damaged_package_changes_nothing_and_names_the_record() {
    let server = Server::start().await;
    let package = std::fs::read(shared("data/wsusutil-export-2020-04.cab")).expect("package");
    let cut = &package[..package.len() / 2];
    let mut longer = package.clone();
    longer.extend_from_slice(b"more");
    let mut flipped = package.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x40;
    for (name, bytes) in [
        ("cut.cab", cut),
        ("longer.cab", &longer),
        ("flipped.cab", &flipped),
        ("headless.CAB", &package[1..]),
        ("empty.cab", b""),
        ("a.xml.gz", b"\x1f\x8b\x08\0"),
    ] {
        let import = server.import(&[(name, bytes)]).await;
        assert_eq!(import["state"], "failed", "{name}: {import}");
        assert_eq!(import["result"]["added"], 0);
        assert_eq!(import["result"]["errors"][0]["file"], name);
        assert_ne!(import["result"]["errors"][0]["message"], "");
    }
    assert_eq!(server.get("updates").await.ok()["total"], 0);
    server.stop().await;
}

#[tokio::test]
async fn in_a_folder_each_file_stands_alone() {
    let server = Server::start().await;
    let good = Document::software(id(1), 1).title("Good").to_xml();
    let same_id = Document::software(id(1), 1).title("Other text").to_xml();
    let broken = good.replace("</upd:Update>", "");
    let dtd = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{good}");
    let import = server
        .import(&[
            ("good.xml", good.as_bytes()),
            ("good-again.xml", good.as_bytes()),
            ("other.xml", same_id.as_bytes()),
            ("broken.xml", broken.as_bytes()),
            ("dtd.xml", dtd.as_bytes()),
            ("read.me", b"hello"),
        ])
        .await;
    assert_eq!(import["state"], "done");
    assert_eq!(counts(&import), [1, 1, 3, 1, 0], "{import}");
    let files: Vec<_> =
        import["result"]["errors"].as_array().expect("errors").iter().map(|error| error["file"].clone()).collect();
    for file in ["other.xml", "broken.xml", "dtd.xml"] {
        assert!(files.contains(&json!(file)), "{files:?}");
    }
    assert_eq!(server.get(&format!("updates/{}", id(1))).await.ok()["title"], "Good");
    server.stop().await;
}

#[tokio::test]
async fn an_import_can_be_followed_and_is_refused_beside_an_upstream() {
    let server = Server::start().await;
    let document = Document::detectoid(id(2), 1).title("Fact").to_xml();
    let started = server.upload("imports", &[("a.xml", document.as_bytes())]).await;
    assert_eq!(started.status, 202);
    let number = started.body["id"].as_u64().expect("id");
    let mut import = started.ok();
    for _ in 0..500 {
        if import["state"] != "running" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        import = server.get(&format!("imports/{number}")).await.ok();
    }
    assert_eq!(import["state"], "done", "{import}");
    assert_eq!(counts(&import), [1, 0, 0, 0, 0]);
    assert_eq!(server.get("imports/99").await.refused(404), "not_found");
    assert_eq!(server.upload("imports", &[]).await.refused(400), "upload");
    assert_eq!(server.post("imports", json!({})).await.status, 400);

    let source = json!({ "value": "http://upstream.example:8530" });
    server.call(reqwest::Method::PUT, "settings/source", Some(source)).await.ok();
    assert_eq!(server.upload("imports", &[("a.xml", document.as_bytes())]).await.refused(409), "has_upstream");
    let forced = server.upload("imports?force=true&wait=true", &[("a.xml", document.as_bytes())]).await.ok();
    assert_eq!(counts(&forced), [0, 1, 0, 0, 0]);
    server.stop().await;
}

#[tokio::test]
async fn strict_refuses_a_package_that_lacks_something() {
    let server = Server::start().await;
    let complete = std::fs::read(shared("data/wsusutil-export-2020-04.cab")).expect("package");
    let lacking = package(&[
        Document::detectoid(id(3), 1).title("Needs what nobody has").requires(id(99)),
        Document::detectoid(id(4), 1).title("Needs nothing"),
    ]);
    let refused = server.upload("imports?wait=true&strict=true", &[("lacking.cab", &lacking)]).await.ok();
    assert_eq!(refused["state"], "failed", "{refused}");
    assert_eq!(refused["result"]["errors"][0]["record"], 1);
    assert!(refused["result"]["errors"][0]["message"].as_str().expect("text").contains(&id(99).to_string()));
    assert_eq!(server.get("updates").await.ok()["total"], 0);
    let kept = server.import(&[("lacking.cab", &lacking)]).await;
    assert_eq!(counts(&kept), [2, 0, 0, 0, 1], "{kept}");
    let strict = server.upload("imports?wait=true&strict=true", &[("export.cab", &complete)]).await.ok();
    assert_eq!(strict["state"], "done", "{}", strict["result"]["errors"]);
    server.stop().await;
}

#[tokio::test]
async fn another_text_of_a_stored_revision_fails_the_whole_package() {
    let server = Server::start().await;
    server.import_documents(&[Document::detectoid(id(5), 1).title("First text")]).await;
    let package =
        package(&[Document::detectoid(id(6), 1).title("New"), Document::detectoid(id(5), 1).title("Second text")]);
    let import = server.import(&[("p.cab", &package)]).await;
    assert_eq!(import["state"], "failed");
    assert_eq!(counts(&import), [0, 0, 2, 0, 0], "{import}");
    assert_eq!(import["result"]["errors"][0]["record"], 2);
    assert_eq!(server.get("updates").await.ok()["total"], 1);
    server.stop().await;
}

/// A package of these documents.
fn package(documents: &[Document]) -> Vec<u8> {
    use weir_wire::package::{LANGUAGES, Language, Package, PackageUpdate, ProtocolVersion, Writer};
    let texts: Vec<_> = documents.iter().map(|document| (document.identity(), document.to_xml())).collect();
    let package = Package {
        server_id: uuid::Uuid::from_u128(7),
        created: jiff::Timestamp::UNIX_EPOCH,
        protocol: ProtocolVersion { major: 1, minor: 20 },
        languages: LANGUAGES
            .iter()
            .map(|(id, short, long)| Language {
                id: *id,
                short_name: (*short).to_owned(),
                long_name: (*long).to_owned(),
                enabled: *id == 0,
            })
            .collect(),
        files: Vec::new(),
        updates: texts
            .iter()
            .map(|(identity, _)| PackageUpdate {
                identity: *identity,
                files: Vec::new(),
                categories: Vec::new(),
                classifications: Vec::new(),
            })
            .collect(),
    };
    let bytes = texts.iter().map(|(_, text)| text.len() as u64).sum();
    let mut writer = Writer::create(std::io::Cursor::new(Vec::new()), &package, bytes).expect("begun");
    for (identity, text) in &texts {
        writer.record(*identity, text).expect("record");
    }
    writer.finish().expect("finished").into_inner()
}
