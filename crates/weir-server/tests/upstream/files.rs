//! Items 18 and 19, and the calls for drivers.

use uuid::Uuid;
use weir_model::ids::UpdateIdentity;
use weir_store::content::{Content as _, Expected};
use weir_testkit::Payload;
use weir_wire::{
    soap::{Binary, ErrorCode},
    wsss::{
        DownloadFiles, GetDriverIdList, GetDriverSetData, GetRelatedRevisionsForUpdates, IdAndDelta, Ping,
        ServerSyncDriverFilter, split_digests,
    },
};

use crate::{
    common::id,
    support::{self, Downstream, tree, update},
};

#[tokio::test]
async fn item_18_files_that_are_known_are_queued_and_others_named() {
    let server = support::start().await;
    let known: Vec<_> = (0..3).map(|seed| Payload::random("one.cab", 100, seed)).collect();
    server.import(&tree()).await;
    server.import(&[known.iter().fold(update(10, 1), |update, file| update.file(file))]).await;
    let mut downstream = Downstream::ready(&server).await;
    let cookie = downstream.cookie.clone();
    let ask = |list: Vec<Binary>| DownloadFiles { cookie: cookie.clone(), file_digest_list: Some(list) };
    let known: Vec<_> = known.iter().map(|file| Binary::from(file.sha1())).collect();
    let unknown = [Binary(vec![7; 20]), Binary(vec![8; 20])];
    let list = || server.state.store.read(|tx| tx.content_request_list()).expect("requests");
    for wrong in [vec![], vec![known[0].clone(); 101]] {
        let refused = downstream.refused(&ask(wrong)).await;
        assert_eq!(refused, (ErrorCode::InvalidParameters, "fileDigestList".to_owned()));
    }
    let absent = DownloadFiles { cookie: cookie.clone(), file_digest_list: None };
    assert_eq!(downstream.refused(&absent).await, (ErrorCode::InvalidParameters, "fileDigestList".to_owned()));
    assert_eq!(list(), []);
    downstream.call(&ask(known[..1].to_vec())).await.expect("answered");
    assert_eq!(list().len(), 1);
    let mixed = vec![unknown[0].clone(), known[1].clone(), unknown[1].clone()];
    let (code, message) = downstream.refused(&ask(mixed)).await;
    assert_eq!((code, message.matches('|').count()), (ErrorCode::FileDigestsMissing, 1));
    let missing = split_digests(&message);
    assert_eq!(missing.iter().map(|digest| Binary::from(*digest)).collect::<Vec<_>>(), unknown);
    assert_eq!(list().len(), 2, "the known one is queued all the same");
    assert!(list().iter().all(|request| request.requested_by == downstream.id.to_string()));
    let (code, _) = downstream.refused(&ask(vec![Binary(vec![1; 3])])).await;
    assert_eq!(code, ErrorCode::FileDigestsMissing, "no digest at all");
}

#[tokio::test]
async fn item_19_content_answers_by_digest_and_folder() {
    let server = support::start().await;
    let payload = Payload::random("update.exe", 10_000, 1);
    server.import(&[update(10, 1).file(&payload)]).await;
    server.add_content(&payload).await;
    let hex = payload.sha1().to_hex().to_uppercase();
    let folder = &hex[38..];
    for path in [
        format!("/Content/{folder}/{hex}.exe"),
        format!("/content/{}/{}.EXE", folder.to_lowercase(), hex.to_lowercase()),
        format!("//Content//{folder}//{hex}.exe"),
    ] {
        let answer = server.send("GET", &path, &[], "").await;
        assert_eq!((answer.status, answer.body == payload.bytes), (200, true), "{path}");
        let part = server.send("GET", &path, &[("Range", "bytes=100-199")], "").await;
        assert_eq!((part.status, &part.body[..]), (206, &payload.bytes[100..200]), "{path}");
    }
    let other = if folder == "00" { "01" } else { "00" };
    assert_eq!(server.send("GET", &format!("/Content/{other}/{hex}.exe"), &[], "").await.status, 404);
    // bytes that are not those of the name are never served
    let file = walk(&server.folder().join("content"), &hex.to_lowercase());
    let mut bytes = std::fs::read(&file).expect("the file");
    bytes[5] ^= 1;
    std::fs::write(&file, bytes).expect("damaged");
    let expected = Expected { digest: Some(payload.sha1()), sha256: Some(payload.sha256()), size: None };
    let verified = server.state.content.verify(payload.sha1(), ".exe", &expected);
    verified.expect_err("the damage is found");
}

fn walk(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.file_name().is_some_and(|file| file.to_string_lossy().to_lowercase().starts_with(name)) {
                return path;
            }
        }
    }
    panic!("no file {name}")
}

#[tokio::test]
async fn drivers_are_exchanged_as_ordinary_updates() {
    let server = support::start().await;
    let mut downstream = Downstream::ready(&server).await;
    let cookie = downstream.cookie.clone();
    let ask = |computers: Vec<IdAndDelta>| GetDriverIdList {
        cookie: cookie.clone(),
        filter: Some(ServerSyncDriverFilter { computer_ids: computers, ..Default::default() }),
    };
    let nothing = downstream.call(&ask(Vec::new())).await.expect("answered").result;
    assert_eq!((nothing.new_revisions.0.len(), nothing.new_driver_sets.0.len()), (0, 0));
    let computers = vec![IdAndDelta { id: id(1), delta: false }];
    assert_eq!(downstream.refused(&ask(computers)).await, (ErrorCode::InvalidParameters, "filter".to_owned()));
    let sets = |list| GetDriverSetData { cookie: cookie.clone(), driver_sets: Some(list) };
    assert_eq!(downstream.call(&sets(Vec::new())).await.expect("answered").result.driver_sets.0, []);
    assert_eq!(downstream.refused(&sets(vec![Uuid::from_u128(1)])).await.0, ErrorCode::TooManyIds);
    let related = GetRelatedRevisionsForUpdates { cookie: cookie.clone(), update_ids: None };
    let related: Vec<UpdateIdentity> = downstream.call(&related).await.expect("answered").result.0;
    assert_eq!(related, []);
}

#[tokio::test]
async fn ping_tells_that_the_service_is_there_and_nothing_else() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let pong = downstream.call(&Ping { ping_level: 1 }).await.expect("answered").result;
    assert!(pong.success_flag && pong.services_machine.is_none() && pong.database_info.is_none());
}
