//! Content that is fetched into an object store, with a server that is killed on the way.

mod outages;

use std::{
    fs,
    time::{Duration, Instant},
};

use weir_testkit::{Document, Payload, S3, WeirProcess, http::Connection};

use super::{
    content::{PATIENCE, Source, until},
    id, json, run,
};

/// Status and body of what the server answers to a request for the file.
fn served(server: &WeirProcess, payload: &Payload) -> (u16, Vec<u8>) {
    let path = format!("/Content/{}", payload.content_path());
    run(async {
        let mut connection = Connection::to(&server.client_url()).expect("an address");
        let answer = connection.send("GET", &path, &[], b"").await.expect("an answer");
        (answer.status, answer.body)
    })
}

#[test]
fn a_download_into_the_store_goes_on_after_kills_and_is_published_whole() {
    let s3 = S3::start();
    let payload = Payload::random("file.cab", 4_000_000, 3);
    let source = Source::start(payload.bytes.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    s3.configure(&data, "");
    let mut server = WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), Some(&data), &[]).expect("a server");
    let xml = Document::software(id(1), 1).file(&payload).to_xml();
    let document = folder.path().join("document.xml");
    fs::write(&document, xml.replacen("<upd:File ", &format!("<upd:File OriginUri=\"{}\" ", source.url), 1))
        .expect("written");
    assert_eq!(json(&server, &["import", document.to_str().expect("UTF-8")])["added"], 1);
    let update = id(1).to_string();
    let create = ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
    let deployment = json(&server, &create)["id"].to_string();
    until(&server, &["content", "status"], |value| value["waiting_bytes_here"] == 2_000_000);

    // while it comes
    server.kill().expect("killed");
    s3.hold_writes();
    server.restart().expect("it starts again");
    // while it goes
    let deadline = Instant::now() + PATIENCE;
    while s3.held() == 0 {
        assert!(Instant::now() < deadline, "nothing is sent to the store: {}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(served(&server, &payload).0, 404, "what is not stored is not served");
    server.kill().expect("killed");
    assert_eq!(s3.object(&payload.content_path()), None);
    s3.pass();
    server.restart().expect("it starts again");
    until(&server, &["deployments", "show", &deployment], |value| value["state"] == "active");
    assert_eq!(source.asked(), [None, Some(2_000_000)], "what was here was not fetched again");
    assert!(s3.object(&payload.content_path()).is_some_and(|object| object == payload.bytes));
    let (status, body) = served(&server, &payload);
    assert!(status == 200 && body == payload.bytes, "{status}");
    assert_eq!(fs::read_dir(data.join("content/incoming")).expect("folder").count(), 0);
    let verified = json(&server, &["content", "verify"]);
    assert_eq!(verified["bad"], 0, "{verified}");
    assert!(!server.log().contains(weir_testkit::s3::SECRET), "a log tells no secret");
}
