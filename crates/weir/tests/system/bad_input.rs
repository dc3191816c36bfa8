//! Hostile and broken input at the public doors: refused in time, nothing stored, the server still answers.

use std::fs;

use serde_json::Value;
use weir_testkit::{Document, WeirProcess, http::Connection};

use super::{genuine_package, id, json, run, server, write_documents};

fn total(server: &WeirProcess) -> Value {
    json(server, &["updates", "list", "--limit", "1"])["total"].clone()
}

#[test]
fn a_damaged_package_imports_nothing_and_names_the_record() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let genuine = fs::read(genuine_package()).expect("the package");
    let import = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        server.json_with_code(&["import", path.to_str().expect("UTF-8")]).expect("an answer")
    };
    let (code, answer) = import("truncated.cab", &genuine[..genuine.len() / 2]);
    assert_eq!(code, 1, "{answer}");
    let mut flipped = genuine.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let (code, answer) = import("flipped-bit.cab", &flipped);
    assert_eq!(code, 1, "{answer}");
    assert_eq!(answer["added"], 0, "{answer}");
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    assert_eq!(total(&server), 0);
    json(&server, &["import", &genuine_package()]);
}

#[test]
fn in_a_folder_each_document_stands_alone() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let good = Document::detectoid(id(1), 1).title("Good");
    write_documents(folder.path(), [&good]);
    let document = |id_number: u128| Document::detectoid(id(id_number), 1).to_xml();
    fs::write(folder.path().join("bad-guid.xml"), document(2).replace(&id(2).to_string(), "no-guid")).expect("a file");
    fs::write(folder.path().join("dtd.xml"), format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", document(3)))
        .expect("a file");
    fs::write(folder.path().join("cut.xml"), &document(4)[..300]).expect("a file");
    fs::write(folder.path().join("note.txt"), "not metadata").expect("a file");
    let (code, answer) = server.json_with_code(&["import", folder.path().to_str().expect("UTF-8")]).expect("an answer");
    assert_eq!(code, 3, "{answer}");
    assert_eq!((answer["added"].as_u64(), answer["rejected"].as_u64()), (Some(1), Some(3)), "{answer}");
    assert_eq!(answer["skipped"], 1, "{answer}");
    let mut files: Vec<&str> =
        answer["errors"].as_array().expect("errors").iter().filter_map(|error| error["file"].as_str()).collect();
    files.sort_unstable();
    assert_eq!(files, ["bad-guid.xml", "cut.xml", "dtd.xml"]);
    assert_eq!(total(&server), 1);
}

#[test]
fn an_empty_folder_and_links_that_lead_nowhere_are_said() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let (code, said) = server.json_with_code(&["import", path]).expect("an answer");
    assert_eq!(code, 1, "{said}");
    assert!(said.to_string().contains("there is no file in"), "{said}");
    write_documents(folder.path(), [&Document::detectoid(id(1), 1).title("Good")]);
    std::os::unix::fs::symlink("nowhere", folder.path().join("link.xml")).expect("a link");
    let (code, answer) = server.json_with_code(&["import", path]).expect("an answer");
    assert_eq!(code, 3, "{answer}");
    assert_eq!((&answer["added"], &answer["rejected"]), (&1.into(), &1.into()), "{answer}");
    assert_eq!(answer["errors"][0]["file"], "link.xml", "{answer}");
}

#[test]
fn what_cannot_be_installed_is_said_and_titles_are_cut_in_lists() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let long = "x".repeat(200_000);
    write_documents(
        folder.path(),
        [&Document::software(id(1), 1).requires(id(1)), &Document::software(id(2), 1).title(&long).supersedes(id(3))],
    );
    let imported = json(&server, &["import", folder.path().to_str().expect("UTF-8")]);
    assert_eq!(imported["unresolved"], 1, "{imported}");
    let show = server.weir(&["updates", "show", &id(1).to_string()]).expect("it runs");
    let shown = String::from_utf8_lossy(&show.stdout);
    assert!(shown.contains("needs itself in the end"), "{shown}");
    assert!(!shown.contains("deployments create"), "{shown}");
    let list = json(&server, &["updates", "list"]);
    let titles = list["items"].as_array().expect("rows").iter().filter_map(|row| row["title"].as_str());
    assert_eq!(titles.map(|title| title.chars().count()).max(), Some(1_001));
    let show = server.weir(&["updates", "show", &id(2).to_string()]).expect("it runs");
    let shown = String::from_utf8_lossy(&show.stdout);
    assert!(shown.contains(&long), "whole where one is shown");
    assert!(shown.contains(&format!("supersedes       {}", id(3))), "{}", &shown[shown.len() - 400..]);
}

#[test]
fn exports_are_checked_before_the_work() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    write_documents(&folder.path().join("in"), [&Document::detectoid(id(1), 1)]);
    json(&server, &["import", folder.path().join("in").to_str().expect("UTF-8")]);
    let target = folder.path().join("out");
    let target = target.to_str().expect("UTF-8");
    let empty = folder.path().join("empty");
    fs::write(&empty, b"").expect("a file");
    for (since, words) in [("/dev/null", "no regular file"), (empty.to_str().expect("UTF-8"), "is empty")] {
        let (code, said) = server.json_with_code(&["export", target, "--since", since]).expect("an answer");
        assert!(code == 1 && said.to_string().contains(words), "{since}: {said}");
    }
    let nowhere = folder.path().join("absent/x.cab");
    let (code, said) = server.json_with_code(&["export", nowhere.to_str().expect("UTF-8")]).expect("an answer");
    assert!(code == 1 && said.to_string().contains("cannot write"), "{said}");
    assert_eq!(fs::read_dir(target).expect("a folder").count(), 0, "nothing is left behind");
}

#[test]
fn planes_do_not_share_routes_and_paths_do_not_escape() {
    let server = server();
    run(async {
        let mut connection = Connection::to(&server.client_url()).expect("an address");
        for path in [
            "/api/v1/status",
            "/metrics",
            "/Content/../admin.token",
            "/Content/%2e%2e/admin.token",
            "/Content/AA/..%2f..%2fadmin.token",
            "/SelfUpdate/../admin.token",
            "/Content/9D/A9993E364706816ABA3E25717850C26C9CD0D89D.exe",
            "/",
        ] {
            let answer = connection.send("GET", path, &[], b"").await.expect("an answer");
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
            let token = server.token().expect("a token");
            assert!(!answer.text().contains(&token), "{path} gave the token away");
        }
    });
}

#[test]
fn hostile_soap_is_refused_and_the_server_goes_on() {
    let server = server();
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let envelope = |body: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body></s:Envelope>"
        )
    };
    let client = "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService";
    let bodies = [
        String::new(),
        "not xml".to_owned(),
        envelope(&deep),
        envelope(&format!("<Nonsense xmlns=\"{client}\"/>")),
        envelope(&format!("<SyncUpdates xmlns=\"{client}\"/>"))[..150].to_owned(),
        format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", envelope("&a;")),
        envelope(&format!(
            "<SyncUpdates xmlns=\"{client}\"><cookie><EncryptedData>QUJD</EncryptedData></cookie><parameters>\
             <ExpressQuery>maybe</ExpressQuery></parameters></SyncUpdates>"
        )),
    ];
    run(async {
        for body in &bodies {
            let mut connection = Connection::to(&server.client_url()).expect("an address");
            let headers = [("Content-Type", "text/xml; charset=utf-8")];
            let path = "/ClientWebService/Client.asmx";
            let answer = connection.send("POST", path, &headers, body.as_bytes()).await.expect("an answer");
            let start: String = body.chars().take(60).collect();
            assert!(answer.status == 500 || (400..500).contains(&answer.status), "{start}: {}", answer.status);
            if answer.status == 500 {
                assert!(answer.text().contains("<s:Fault>"), "{start}: {}", answer.text());
            }
        }
    });
    assert_eq!(json(&server, &["computers", "list"])["items"], Value::Array(Vec::new()));
}
