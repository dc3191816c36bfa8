//! Content files that are damaged on the disk, and come again from their source.

use std::{
    fs::{self, File},
    path::Path,
};

use weir_model::update::CategoryKind;
use weir_testkit::{Document, Payload, Upstream, WeirProcess, http::Connection, upstream::Served};

use super::{
    super::{content::until, id, json, run, server},
    sound,
};

/// What is done to a file, in words.
type Damage = (&'static str, fn(&Path));

/// What may become of a file.
const DAMAGES: [Damage; 3] = [
    ("it was cut off", |file| {
        let file = File::options().write(true).open(file).expect("the file");
        file.set_len(100_000).expect("cut off");
    }),
    ("a byte is another one", |file| {
        let mut bytes = fs::read(file).expect("the file");
        bytes[200_000] ^= 1;
        fs::write(file, bytes).expect("written");
    }),
    ("it is gone", |file| fs::remove_file(file).expect("removed")),
];

/// Status of an answer to a computer that asks for the file.
fn status(server: &WeirProcess, payload: &Payload) -> (u16, bool) {
    let path = format!("/Content/{}", payload.content_path());
    run(async {
        let mut connection = Connection::to(&server.client_url()).expect("an address");
        let answer = connection.send("GET", &path, &[], b"").await.expect("an answer");
        (answer.status, answer.body == payload.bytes)
    })
}

/// The promise: a file that has not its size any more is not served, one that has other bytes is not served once it was looked at; and
/// whatever became of it, it comes again from its source and is served as it was.
#[test]
fn a_damaged_content_file_comes_again_from_its_source() {
    let payload = Payload::random("file.cab", 400_000, 6);
    let update = Document::software(id(4), 1).title("Fix").in_category(id(2)).in_category(id(3)).file(&payload);
    let upstream = Upstream::start(Served::new().with([
        Document::category(id(1), 1, CategoryKind::Company).title("Company"),
        Document::category(id(2), 1, CategoryKind::Product).title("Product").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Security"),
        update,
    ]));
    let server = server();
    json(&server, &["settings", "set", "source", &upstream.url()]);
    json(&server, &["sync", "now", "--wait"]);
    for selection in ["products", "classifications"] {
        json(&server, &[selection, "set", "--all"]);
    }
    json(&server, &["sync", "now", "--wait"]);
    let update = id(4).to_string();
    let create = ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
    let deployment = json(&server, &create)["id"].to_string();
    let whole = || until(&server, &["deployments", "show", &deployment], |value| value["state"] == "active");
    whole();
    assert_eq!(status(&server, &payload), (200, true));

    let stored = server.data().join("content").join(payload.content_path());
    for (what, damage) in DAMAGES {
        damage(&stored);
        if fs::metadata(&stored).map_or(0, |file| file.len()) != payload.bytes.len() as u64 {
            assert_eq!(status(&server, &payload).0, 404, "{what}");
        }
        let (code, checked) = server.json_with_code(&["content", "verify"]).expect("it answers");
        assert!(code != 0 && checked["bad"] == 1, "{what}: {checked}");
        // the source has it: it may be here again already
        let (code, same) = status(&server, &payload);
        assert!(code == 404 || (code == 200 && same), "{what}: other bytes were served");
        let (_, repaired) = server.json_with_code(&["content", "repair"]).expect("it answers");
        whole();
        assert_eq!(status(&server, &payload), (200, true), "{what}: {repaired}");
        let open = json(&server, &["alerts", "list", "--state", "open", "--kind", "content"]);
        assert_eq!(open["items"].as_array().map(Vec::len), Some(0), "{what}: {open}");
    }
    sound(server.data(), "with all files");
}
