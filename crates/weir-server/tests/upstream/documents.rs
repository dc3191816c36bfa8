//! Items 15 and 16.

use serde_json::json;
use weir_model::ids::ContentDigest;
use weir_store::revision::FileSource;
use weir_testkit::{Document, Payload};
use weir_wire::{
    soap::{Binary, ErrorCode},
    wsss::{GetUpdateData, GetUpdateDecryptionData, ServerSyncUpdateData},
};

use crate::{
    common::{Server, actor, id},
    support::{self, Downstream, identity, numbers, set, tree, update},
};

fn text_of(data: &ServerSyncUpdateData) -> String {
    data.clone().into_document(1 << 30).expect("a document")
}

fn identities(data: &[ServerSyncUpdateData]) -> Vec<(u128, u32)> {
    numbers(&data.iter().map(|data| data.id).collect::<Vec<_>>())
}

fn add_source(server: &Server, digest: ContentDigest, url: &str) {
    let source = FileSource { digest, url: url.to_owned(), origin: "package".to_owned() };
    server.state.store.write(&actor(), |tx| tx.file_source_add(&[source])).expect("source");
}

#[tokio::test]
async fn item_15_documents_are_the_stored_originals() {
    let server = support::start().await;
    let payload = Payload::random("one.cab", 100, 1);
    let licence = Payload::random("licence.rtf", 100, 2);
    let eula = uuid::Uuid::from_u128(77);
    let with_files = update(10, 1).file(&payload).eula(eula, "en", None, &licence).to_xml();
    let odd = update(11, 1).title("a & b \"c\" < d > 'e' \u{1F600}").to_xml().replace("><", ">\r\n\t<!-- x -->\r<");
    let odd = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{odd}\n");
    let shared = update(12, 1).file(&payload).to_xml();
    server.import_texts([with_files.clone(), odd.clone(), shared.clone()]).await;
    add_source(&server, payload.sha1(), "http://download.windowsupdate.com/c/one.cab");
    let mut downstream = Downstream::ready(&server).await;
    let asked = [identity(10, 1), identity(11, 1), identity(12, 1), identity(12, 1), identity(12, 9), identity(99, 1)];
    let data = downstream.documents(&asked).await;
    let raw = downstream.last.take().expect("an answer").text();
    assert_eq!(identities(&data.updates.0), [(10, 1), (11, 1), (12, 1), (12, 1)], "unknown ones are left out");
    let [first, second, third, _] = &data.updates.0[..] else { panic!("four") };
    assert_eq!(text_of(first), with_files);
    let declaration = odd.find("<upd:").expect("the root");
    assert_eq!(text_of(second), odd[declaration..], "to the last CR LF, without the declaration");
    assert_eq!(text_of(third), shared);
    assert!(data.updates.0.iter().all(|one| one.xml_update_blob_compressed.is_none()), "one form");
    assert_eq!(first.file_digest_list, [payload.sha1(), licence.sha1()].map(Binary::from));
    assert_eq!(second.file_digest_list, []);
    assert_eq!(raw.matches("<FileDigestList>").count(), 3, "none where there are no files");
    let urls = &data.file_urls.0;
    assert_eq!(urls.iter().filter_map(|row| row.file_digest.clone()).collect::<Vec<_>>(), first.file_digest_list);
    assert_eq!(urls[0].mu_url.as_deref(), Some("http://download.windowsupdate.com/c/one.cab"));
    assert_eq!((urls[1].mu_url.as_deref(), urls[1].decryption_key.clone()), (None, None));
    let bare = downstream.documents(&[identity(11, 1)]).await;
    assert_eq!((bare.updates.0.len(), bare.file_urls.0.len()), (1, 0));
    assert!(downstream.last.as_ref().expect("an answer").text().contains("fileUrls"), "always there");
    assert_eq!(downstream.documents(&[]).await.updates.0, []);
}

#[tokio::test]
async fn item_15_more_than_a_hundred_are_refused() {
    let server = support::start().await;
    server.import(&[update(10, 1)]).await;
    let mut downstream = Downstream::ready(&server).await;
    let ask = |cookie, count| GetUpdateData { cookie, update_ids: Some(vec![identity(10, 1); count]) };
    let cookie = downstream.cookie.clone();
    let refused = downstream.refused(&ask(cookie.clone(), 101)).await;
    assert_eq!(refused, (ErrorCode::InvalidParameters, "updateIds".to_owned()));
    let answered = downstream.call(&ask(cookie.clone(), 100)).await.expect("answered").result;
    assert_eq!(answered.updates.0.len(), 100, "repeats count and come back");
    let none = GetUpdateData { cookie, update_ids: None };
    assert_eq!(downstream.refused(&none).await, (ErrorCode::InvalidParameters, "updateIds".to_owned()));
}

#[tokio::test]
async fn item_15_answers_stay_below_two_million_bytes_and_always_bring_one() {
    let server = support::start().await;
    let large = |number: u128, size| update(number, 1).rules_of_size(size);
    let documents =
        [large(10, 700_000), large(11, 5_000_000), large(12, 700_000), large(13, 10_000), large(14, 700_000)];
    let texts: Vec<String> = documents.iter().map(Document::to_xml).collect();
    server.import(&documents).await;
    let mut downstream = Downstream::ready(&server).await;
    for xpress in [false, true] {
        if xpress {
            downstream.headers = vec![("Accept-Encoding", "xpress")];
        }
        let mut waiting: Vec<_> = (10..15).map(|number| identity(number, 1)).collect();
        let mut rounds = 0;
        while !waiting.is_empty() {
            rounds += 1;
            let data = downstream.documents(&waiting).await.updates.0;
            assert!(!data.is_empty(), "at least one");
            let answer = downstream.last.take().expect("an answer");
            assert!(answer.body.len() < 2_000_000 || data.len() == 1, "{} bytes, {}", answer.body.len(), data.len());
            assert_eq!(answer.header("content-encoding"), xpress.then_some("xpress"));
            for one in data {
                let number = (one.id.update_id.0.as_u128() ^ id(0).0.as_u128()) as usize - 10;
                assert!(text_of(&one) == texts[number], "document {number}");
                waiting.retain(|identity| *identity != one.id);
            }
        }
        assert!((3..=5).contains(&rounds), "{rounds}");
    }
}

#[tokio::test]
async fn documents_travel_in_cabinets_where_that_is_wanted() {
    let server = support::start().await;
    let documents = [update(10, 1), update(11, 1).rules_of_size(50_000)];
    server.import(&documents).await;
    set(&server, "downstream.compressed_blobs", json!(true));
    let mut downstream = Downstream::ready(&server).await;
    let data = downstream.documents(&[identity(10, 1), identity(11, 1)]).await.updates.0;
    let forms = data.iter().map(|one| (one.xml_update_blob.is_some(), one.xml_update_blob_compressed.is_some()));
    assert_eq!(forms.collect::<Vec<_>>(), [(true, false), (false, true)], "small ones as text");
    for (one, document) in data.iter().zip(&documents) {
        assert_eq!(text_of(one), document.to_xml());
    }
}

#[tokio::test]
async fn item_16_keys_are_given_for_the_asked_updates_alone() {
    let server = support::start().await;
    let (secret, plain, other) =
        (Payload::random("a.cab", 9, 1), Payload::random("b.cab", 9, 2), Payload::random("c.cab", 9, 3));
    server.import(&tree()).await;
    server.import(&[update(10, 1).file(&secret).file(&plain), update(11, 1).file(&other), update(12, 1)]).await;
    let keys = |tx: &weir_store::WriteTx<'_>| {
        tx.file_key_put(secret.sha1(), b"key of a")?;
        tx.file_key_put(other.sha1(), b"key of c")
    };
    server.state.store.write(&actor(), keys).expect("keys");
    let mut downstream = Downstream::ready(&server).await;
    let cookie = downstream.cookie.clone();
    let ask = |ids: Vec<_>| GetUpdateDecryptionData { cookie: cookie.clone(), update_ids: Some(ids) };
    let answer = downstream.call(&ask(vec![identity(10, 1), identity(12, 1), identity(99, 1)])).await;
    let updates = answer.expect("answered").result.updates.0;
    let [update] = &updates[..] else { panic!("{updates:?}") };
    assert_eq!(update.update_id, identity(10, 1));
    let [key] = &update.file_decryption_data.0[..] else { panic!("{update:?}") };
    assert_eq!(key.file_digest, Some(Binary::from(secret.sha1())));
    assert_eq!(key.decryption_key, Some(Binary(b"key of a".to_vec())));
    let refused = downstream.refused(&ask(vec![identity(10, 1); 101])).await;
    assert_eq!(refused, (ErrorCode::InvalidParameters, "updateIds".to_owned()));
}
