//! Which content a site keeps, how it comes, and what room it has.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;
use weir_store::{Actor, Store, StoreError};
use weir_testkit::{Document, Payload};

use crate::{
    harness::{self, Server, id},
    publisher::{Manner, Publisher},
};

fn payload(seed: u64) -> Payload {
    Payload::random(&format!("file{seed}.cab"), 200_000, seed)
}

async fn import(server: &Server, xml: &str) {
    let import = server.import(&[("a.xml", xml.as_bytes())]).await;
    assert_eq!(import["result"]["added"], 1, "{import}");
}

async fn deploy(server: &Server, number: u128) -> String {
    let made = server.post("deployments", deployment(number)).await.ok();
    format!("deployments/{}", made["id"])
}

fn deployment(number: u128) -> Value {
    json!({ "update": id(number), "collection": "All Computers", "action": "install" })
}

async fn set(server: &Server, key: &str, value: Value) {
    let path = format!("settings/{key}");
    server.call(reqwest::Method::PUT, &path, Some(json!({ "value": value }))).await.ok();
}

async fn until(server: &Server, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..1_200 {
        last = server.get(path).await.ok();
        if ready(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays {last}");
}

async fn until_active(server: &Server, deployment: &str) {
    until(server, deployment, |value| value["state"] == "active").await;
}

fn stored(server: &Server, payload: &Payload) -> std::path::PathBuf {
    server.data.path().join("content").join(payload.content_path())
}

#[tokio::test]
async fn licence_files_are_fetched_without_a_deployment_and_with_content_left_at_microsoft() {
    let publisher = Publisher::start().await;
    let server = Server::start().await;
    set(&server, "content.mode", json!("microsoft")).await;
    let terms = Payload::new("terms.txt", "do what you like");
    let document = Document::software(id(1), 1).file(&payload(1)).eula(Uuid::from_u128(9), "en", None, &terms);
    import(&server, &publisher.document(&document)).await;
    until(&server, "content", |value| value["files"] == 1).await;
    assert_eq!(std::fs::read(stored(&server, &terms)).expect("the licence file"), terms.bytes);
    assert_eq!(publisher.log().len(), 1, "the file of the update stays where it is");
    server.stop().await;
}

#[tokio::test]
async fn immediately_keeps_every_live_update_and_nothing_that_is_declined() {
    let publisher = Publisher::start().await;
    let server = Server::start().await;
    for number in [1, 2] {
        import(&server, &publisher.document(&Document::software(id(number), 1).file(&payload(number as u64)))).await;
    }
    server.post(&format!("updates/{}/decline", id(2)), json!({})).await.ok();
    let forecast = server.get("content/forecast").await.ok();
    let modes = forecast["items"].as_array().expect("modes");
    let of = |mode: &str| &modes.iter().find(|item| item["mode"] == mode).expect("the mode")["room"]["bytes_to_fetch"];
    assert_eq!((of("on_approval"), of("immediately"), of("microsoft")), (&json!(0), &json!(200_000), &json!(0)));
    assert_eq!(publisher.log(), []);
    set(&server, "content.mode", json!("immediately")).await;
    until(&server, "content", |value| value["files"] == 1).await;
    let status = until(&server, "content/status", |value| value["running"].is_null()).await;
    assert_eq!((&status["waiting_files"], &status["files"]), (&json!(0), &json!(1)), "{status}");
    assert_eq!(std::fs::read(stored(&server, &payload(1))).expect("fetched"), payload(1).bytes);
    server.stop().await;
}

#[tokio::test]
async fn left_with_microsoft_a_deployment_is_active_without_local_files() {
    let publisher = Publisher::start().await;
    let server = Server::start().await;
    set(&server, "content.mode", json!("microsoft")).await;
    import(&server, &publisher.document(&Document::software(id(1), 1).file(&payload(1)))).await;
    server.import_documents(&[Document::software(id(2), 1).file(&payload(2))]).await;
    let (with, without) = (deploy(&server, 1).await, deploy(&server, 2).await);
    let active = server.get(&with).await.ok();
    assert_eq!((&active["state"], &active["content"]["files_elsewhere"]), (&json!("active"), &json!(1)), "{active}");
    let waiting = server.get(&without).await.ok();
    assert_eq!((&waiting["state"], &waiting["content"]["without_source"]), (&json!("waiting_for_content"), &json!(1)));
    let text = waiting["state_text"].as_str().expect("text");
    assert!(text.contains("1 without a source"), "{text}");
    assert_eq!(publisher.log(), []);

    set(&server, "content.mode", json!("on_approval")).await;
    until_active(&server, &with).await;
    until(&server, "content", |value| value["files"] == 1).await;
    assert_eq!(publisher.log().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn files_of_other_languages_and_express_files_are_left_out() {
    let publisher = Publisher::start().await;
    let server = Server::start().await;
    let german = Document::software(id(1), 1).property_child("Language", "de").file(&payload(1));
    let express = Document::software(id(2), 1).file(&payload(2)).file(&payload(3));
    let express = publisher.document(&express).replacen(
        &format!("Digest=\"{}\"", payload(3).sha1().to_base64()),
        &format!("PatchingType=\"Express\" Digest=\"{}\"", payload(3).sha1().to_base64()),
        1,
    );
    // a title in each language, since only languages that exist can be chosen
    let german = german.localized("de", "Titel", None).localized("en", "Title", None);
    import(&server, &publisher.document(&german)).await;
    import(&server, &express).await;
    server.call(reqwest::Method::PUT, "languages", Some(json!({ "ids": ["en"] }))).await.ok();
    let (german, express) = (deploy(&server, 1).await, deploy(&server, 2).await);
    until_active(&server, &express).await;
    let shown = server.get(&express).await.ok();
    assert_eq!((&shown["content"]["files"], &shown["content"]["files_left_out"]), (&json!(1), &json!(1)), "{shown}");
    let shown = server.get(&german).await.ok();
    assert_eq!(shown["state"], "waiting_for_content");
    assert!(shown["state_text"].as_str().expect("text").contains("languages"), "{shown}");
    assert_eq!(publisher.log().len(), 1);

    server.call(reqwest::Method::POST, "languages", Some(json!({ "ids": ["de"] }))).await.ok();
    until_active(&server, &german).await;
    set(&server, "content.express", json!(true)).await;
    until(&server, "content", |value| value["files"] == 3).await;
    server.stop().await;
}

#[tokio::test]
async fn a_deployment_beyond_the_quota_is_refused_or_waits_for_room() {
    let publisher = Publisher::start().await;
    let server = Server::start().await;
    set(&server, "content.quota_gib", json!(1)).await;
    let xml = publisher.document(&Document::software(id(1), 1).file(&payload(1)));
    let size = 2_u64 << 30;
    import(&server, &xml.replacen(" Size=\"200000\"", &format!(" Size=\"{size}\""), 1)).await;
    let preview = server.post("deployments/preview", deployment(1)).await.ok();
    assert_eq!((&preview["room"]["files"], &preview["room"]["bytes_to_fetch"]), (&json!(1), &json!(size)));
    assert!(preview["room"]["problem"].as_str().expect("a problem").contains("content.quota_gib"), "{preview}");
    let refused = server.post("deployments", deployment(1)).await;
    assert_eq!(refused.refused(409), "no_room");
    assert!(refused.body["next_step"].as_str().expect("advice").contains("--force"));
    let forced = [("force".to_owned(), json!(true))];
    let body = deployment(1).as_object().expect("an object").clone().into_iter().chain(forced).collect::<Value>();
    let made = server.post("deployments", body).await.ok();
    assert!(made["warnings"][0].as_str().expect("a warning").contains("waits for room"), "{made}");
    let status = until(&server, "content/status", |value| !value["held"].is_null()).await;
    assert_eq!((&status["held"]["files"], &status["held"]["bytes"]), (&json!(1), &json!(size)));
    let room = |value: &Value, open: bool| {
        let alerts = value["items"].as_array().expect("alerts");
        alerts.iter().any(|alert| alert["key"] == "content.no_room:content" && alert["closed_at"].is_null() == open)
    };
    until(&server, "alerts", |value| room(value, true)).await;
    assert_eq!(publisher.log(), [], "nothing is begun that has no room");
    set(&server, "content.quota_gib", json!(0)).await;
    until(&server, "alerts", |value| room(value, false)).await;
    assert!(!publisher.log().is_empty(), "there is room now");
    server.stop().await;
}

/// A folder on a disk of its own, if this user may make one.
struct Disk<'d>(&'d Path);

impl<'d> Disk<'d> {
    fn mount(folder: &'d Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("makes the folder");
        let disk = Self(folder);
        let made = disk.run(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        if made {
            return Some(disk);
        }
        std::mem::forget(disk);
        None
    }

    fn resize(&self, size: &str) {
        assert!(self.run(&["-o", &format!("remount,size={size}")]));
    }

    fn run(&self, arguments: &[&str]) -> bool {
        Command::new("mount").args(arguments).arg(self.0).output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // nobody is left to tell; the folder goes with the machine at the latest
        let _ = Command::new("umount").arg(self.0).output();
    }
}

#[tokio::test]
async fn a_full_disk_pauses_fetching_until_there_is_room() {
    let publisher = Publisher::start().await;
    let data = tempfile::tempdir().expect("folder");
    let folder = data.path().join("content");
    // whoever may not mount a disk tries the same with a limit that no disk keeps to
    let disk = Disk::mount(&folder, "1m");
    let server = Server::start_in(data).await;
    set(&server, "content.reserve_gib", if disk.is_some() { json!(0) } else { json!(1 << 20) }).await;
    let large = Payload::random("large.cab", 3_000_000, 5);
    import(&server, &publisher.document(&Document::software(id(1), 1).file(&large))).await;
    let forced = [("force".to_owned(), json!(true))];
    let body = deployment(1).as_object().expect("an object").clone().into_iter().chain(forced).collect::<Value>();
    let made = server.post("deployments", body).await.ok();
    let path = format!("deployments/{}", made["id"]);
    let status = until(&server, "content/status", |value| !value["held"].is_null()).await;
    assert!(status["held"]["reason"].as_str().expect("a reason").contains("disk"), "{status}");
    assert_eq!(server.get(&path).await.ok()["state"], "waiting_for_content");
    match &disk {
        Some(disk) => disk.resize("16m"),
        None => set(&server, "content.reserve_gib", json!(0)).await,
    }
    set(&server, "content.concurrency", json!(2)).await;
    until_active(&server, &path).await;
    let data = server.stop().await;
    assert_eq!(std::fs::read(folder.join(large.content_path())).expect("stored"), large.bytes);
    drop(disk);
    drop(data);
}

#[tokio::test]
async fn a_file_goes_on_where_it_was_after_a_pause_and_after_a_restart() {
    let publisher = Publisher::start().await;
    publisher.behave(Manner::Hanging);
    let server = Server::start().await;
    import(&server, &publisher.document(&Document::software(id(1), 1).file(&payload(1)))).await;
    let deployment = deploy(&server, 1).await;
    let here = |value: &Value, bytes: u64| value["waiting_bytes_here"] == json!(bytes);
    let status = until(&server, "content/status", |value| here(value, 100_000)).await;
    assert_eq!(status["running"]["files"][0]["got"], 100_000, "{status}");
    set(&server, "content.download", json!(false)).await;
    let status = until(&server, "content/status", |value| value["running"].is_null()).await;
    assert_eq!((&status["paused"], &status["waiting_files"]), (&json!(true), &json!(1)));
    assert_eq!(status["waiting_bytes_here"], 100_000, "{status}");
    let asked = publisher.log().len();
    set(&server, "content.download", json!(true)).await;
    until(&server, "content/status", |value| here(value, 150_000)).await;
    assert_eq!(publisher.log()[asked].1.as_deref(), Some("bytes=100000-"));

    let data = server.stop().await;
    publisher.behave(Manner::Good);
    let server = Server::start_in(data).await;
    until_active(&server, &deployment).await;
    assert_eq!(publisher.log().last().expect("asked").1.as_deref(), Some("bytes=150000-"));
    assert_eq!(std::fs::read(stored(&server, &payload(1))).expect("fetched"), payload(1).bytes);
    server.stop().await;
}

#[tokio::test]
async fn a_damaged_piece_of_an_earlier_attempt_does_not_count_against_the_source() {
    let publisher = Publisher::start().await;
    let data = tempfile::tempdir().expect("folder");
    let incoming = data.path().join("content/incoming");
    std::fs::create_dir_all(&incoming).expect("makes it");
    let piece = incoming.join(format!("{}.part", payload(1).sha1().to_hex()));
    std::fs::write(&piece, vec![0; 150_000]).expect("as a loss of power would leave it");
    let server = Server::start_in(data).await;
    import(&server, &publisher.document(&Document::software(id(1), 1).file(&payload(1)))).await;
    let deployment = deploy(&server, 1).await;
    until_active(&server, &deployment).await;
    let ranges: Vec<_> = publisher.log().into_iter().map(|(_, range)| range).collect();
    assert_eq!(ranges, [Some("bytes=150000-".to_owned()), None]);
    assert_eq!(server.get("alerts").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_source_that_sends_the_wrong_bytes_or_never_ends_is_not_believed() {
    for manner in [Manner::Wrong, Manner::Endless] {
        let publisher = Publisher::start().await;
        publisher.behave(manner);
        let server = Server::start().await;
        import(&server, &publisher.document(&Document::software(id(1), 1).file(&payload(1)))).await;
        let deployment = deploy(&server, 1).await;
        let alerts = until(&server, "alerts", |value| value["items"][0].is_object()).await;
        assert!(alerts["items"][0]["key"].as_str().expect("key").starts_with("content.mismatch:"), "{alerts}");
        let status = until(&server, "content/status", |value| value["resting_files"] == 1).await;
        assert!(status["resting"][0]["reason"].is_string(), "{status}");
        assert_eq!(server.get(&deployment).await.ok()["state"], "waiting_for_content");
        assert_eq!(server.get("content").await.ok()["files"], 0);
        let url = format!("{}/Content/{}", server.client(), payload(1).content_path());
        assert_eq!(reqwest::get(url).await.expect("answer").status(), 404, "{manner:?}");

        publisher.behave(Manner::Good);
        let job = server.post("content/repair?wait=true", json!({})).await.ok();
        assert_eq!(job["repaired"]["queued"], 1, "{job}");
        until_active(&server, &deployment).await;
        assert_ne!(server.get("alerts").await.ok()["items"][0]["closed_at"], Value::Null);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_source_without_the_file_is_tried_again_later_and_that_is_told() {
    let publisher = Publisher::start().await;
    publisher.behave(Manner::Status(404));
    let server = Server::start().await;
    import(&server, &publisher.document(&Document::software(id(1), 1).file(&payload(1)))).await;
    let deployment = deploy(&server, 1).await;
    let status = until(&server, "content/status", |value| value["resting_files"] == 1).await;
    let resting = &status["resting"][0];
    assert_eq!((&resting["failures"], &resting["name"]), (&json!(1), &json!("file1.cab")));
    assert!(resting["reason"].as_str().expect("a reason").contains("404"), "{resting}");
    assert_eq!(status["deployments"][0]["files"], 1);
    let list = server.get("content?state=waiting").await.ok();
    assert!(list["items"][0]["error"].as_str().expect("why").contains("404"), "{list}");
    // a restart does not forget that it rests
    let server = Server::start_in(server.stop().await).await;
    assert_eq!(server.get("content/status").await.ok()["resting_files"], 1);
    publisher.behave(Manner::Good);
    server.post("content/repair?wait=true", json!({})).await.ok();
    until_active(&server, &deployment).await;
    assert_eq!(server.get("content/status").await.ok()["resting_files"], 0);
    server.stop().await;
}

#[tokio::test]
async fn what_nobody_needs_is_removed_and_nothing_else() {
    let server = Server::start().await;
    let terms = Payload::new("terms.txt", "do what you like");
    server
        .import_documents(&[
            Document::software(id(1), 1).file(&payload(1)),
            Document::software(id(2), 1).file(&payload(2)),
            Document::software(id(3), 1).file(&payload(3)).eula(Uuid::from_u128(9), "en", None, &terms),
            Document::member(id(5), 1).file(&payload(5)),
            Document::software(id(4), 1).bundles([weir_model::ids::UpdateIdentity::new(id(5), 1)]),
        ])
        .await;
    for file in [&payload(1), &payload(2), &payload(3), &payload(5), &terms] {
        assert_eq!(server.upload("content", &[("x", &file.bytes)]).await.ok()["added"], 1);
    }
    let deployment = deploy(&server, 1).await;
    until_active(&server, &deployment).await;
    for number in [2, 4] {
        server.post(&format!("updates/{}/decline", id(number)), json!({})).await.ok();
    }
    let gc = async |query: &str| server.post(&format!("content/gc?wait=true{query}"), json!({})).await.ok();
    let young = gc("").await;
    let young = &young["collected"];
    assert_eq!((&young["files"], &young["young"]), (&json!(0), &json!(2)), "{young}");
    let dry = gc("&min_age_hours=0&dry_run=true").await;
    assert_eq!(dry["collected"]["files"], 2, "the declined update and the member of the declined bundle: {dry}");
    assert_eq!(gc("&min_age_hours=0").await["collected"]["bytes"], 400_000);
    assert!(!stored(&server, &payload(2)).exists() && !stored(&server, &payload(5)).exists());
    assert_eq!(gc("&min_age_hours=0&undeployed=true").await["collected"]["files"], 1, "that of the third");
    assert!(stored(&server, &payload(1)).exists(), "deployed");
    assert!(stored(&server, &terms).exists(), "a licence of a live update");
    assert_eq!(server.get(&deployment).await.ok()["state"], "active");
    let jobs = server.get("content/jobs").await.ok();
    let of_gc = jobs["items"].as_array().expect("jobs").iter().filter(|job| job["task"] == "gc").count();
    assert_eq!(of_gc, 4);
    server.stop().await;
}

/// Export-format, checklist 19 and 22: names of other spelling are normalised, and it does not matter whether the files or
/// the metadata come first.
#[tokio::test]
async fn x19_a_copied_content_tree_is_taken_in_whatever_its_names() {
    let server = Server::start().await;
    let content = server.data.path().join("content");
    let place = |path: &str, payload: &Payload| {
        let path = content.join(path);
        std::fs::create_dir_all(path.parent().expect("below")).expect("makes it");
        std::fs::write(path, &payload.bytes).expect("writes it");
    };
    // the last byte of this one's digest has a leading zero: its folder has two digits
    let zero =
        (0..10_000).map(|seed| Payload::random("zero.cab", 1_000, seed)).find(|payload| payload.sha1().0[19] < 16);
    let zero = zero.expect("some have");
    assert!(zero.content_path().starts_with('0'));
    place(&format!("WsusContent/{}", zero.content_path()), &zero);
    let hex = payload(2).sha1().to_hex();
    place(&format!("{}/{}.CAB", &hex[38..], hex.to_ascii_lowercase()), &payload(2));
    place("kb5031234.cab", &payload(3));
    place("notes.txt", &Payload::new("notes.txt", "nobody names this"));
    server
        .import_documents(&[
            Document::software(id(1), 1).file(&zero),
            Document::software(id(2), 1).file(&payload(2)),
            Document::software(id(3), 1).file(&payload(3)),
        ])
        .await;
    let deployments = [deploy(&server, 1).await, deploy(&server, 2).await, deploy(&server, 3).await];
    let job = server.post("content/repair?wait=true", json!({})).await.ok();
    let repaired = &job["repaired"];
    assert_eq!((&repaired["adopted"], &repaired["unknown"]), (&json!(3), &json!(1)), "{job}");
    for deployment in &deployments {
        until_active(&server, deployment).await;
    }
    for payload in [&zero, &payload(2), &payload(3)] {
        let url = format!("{}/Content/{}", server.client(), payload.content_path());
        assert_eq!(reqwest::get(url).await.expect("answer").bytes().await.expect("bytes"), payload.bytes);
    }
    let again = server.post("content/repair?wait=true", json!({})).await.ok();
    assert_eq!((&again["repaired"]["adopted"], &again["repaired"]["unknown"]), (&json!(0), &json!(1)));
    assert_eq!(server.get("content").await.ok()["files"], 3);
    server.stop().await;
}

#[tokio::test]
async fn work_on_content_is_cancelled_and_unknown_work_is_not_found() {
    let server = Server::start().await;
    let missing = server.get(&format!("content/jobs/{}", Uuid::from_u128(1))).await;
    assert_eq!(missing.refused(404), "not_found");
    let job = server.post("content/verify?wait=true", json!({})).await.ok();
    assert_eq!((&job["state"], &job["verified"]["checked"]), (&json!("done"), &json!(0)));
    // what has ended stays as it ended
    let cancelled = server.delete(&format!("content/jobs/{}", job["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(cancelled["state"], "done");
    server.stop().await;
}

#[tokio::test]
async fn work_that_a_crash_cut_goes_on_where_it_was() {
    let server = Server::start().await;
    let payloads: Vec<Payload> = (1..=3).map(payload).collect();
    let documents: Vec<Document> =
        (1..=3).zip(&payloads).map(|(number, payload)| Document::software(id(number), 1).file(payload)).collect();
    server.import_documents(&documents).await;
    for payload in &payloads {
        server.upload("content", &[("x", &payload.bytes)]).await.ok();
    }
    let data = server.stop().await;
    let job = Uuid::from_u128(5);
    let first = payloads.iter().map(Payload::sha1).min().expect("some").to_hex();
    {
        // as a process leaves it that was killed after the first file
        let store = loop {
            match Store::open(data.path(), &harness::store(data.path())) {
                Ok(store) => break store,
                // the server's threads end one after the other
                Err(StoreError::Locked(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
        };
        let now = jiff::Timestamp::now();
        let begun = store.write(&Actor::principal("administrator", None, now), |tx| {
            tx.job_create(job, "content.verify", &json!({}))?;
            let until = now + jiff::SignedDuration::from_hours(1);
            tx.job_take("content.verify", "a process that is gone", until)?;
            let verified = json!({ "checked": 1, "good": 1, "bad": 0, "errors": [] });
            let kept = json!({ "cursor": first, "verified": verified, "progress": { "files": 1 } });
            tx.job_renew(job, "a process that is gone", until, &kept)
        });
        assert!(begun.expect("writes"));
    }
    let server = Server::start_in(data).await;
    let ended = |value: &Value| !value["ended_at"].is_null();
    let job = until(&server, &format!("content/jobs/{job}"), ended).await;
    assert_eq!((&job["state"], &job["verified"]["checked"]), (&json!("done"), &json!(3)), "{job}");
    server.stop().await;
}
