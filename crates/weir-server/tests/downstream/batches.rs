//! Batches of documents: limits, short answers, culprits, forms of documents.

use std::io::Cursor;

use weir_server::import::{Batch, Input};
use weir_testkit::{
    Document, Payload,
    upstream::{At, Blobs, Trouble, Upstream},
};
use weir_wire::wsss::Operation;

use super::support::*;

fn many(count: u128) -> Vec<Document> {
    (0..count).map(|number| software(100 + number, 1)).collect()
}

#[tokio::test]
async fn item_24_batches_keep_to_the_announced_maximum() {
    let mut served = served(many(50));
    served.config.max_number_of_updates_per_request = 7;
    let upstream = Upstream::start(served);
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
    let sizes: Vec<usize> = batches(&upstream).iter().map(Vec::len).collect();
    assert!(sizes.iter().all(|size| (1..=7).contains(size)), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 56, "nothing is asked twice");
}

#[tokio::test]
async fn item_24_what_a_short_answer_lacks_is_asked_for_again() {
    let mut served = served(many(40));
    served.answer_bytes = 9_000;
    let upstream = Upstream::start(served);
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
    assert!(batches(&upstream).len() > 5, "answers were short");
}

#[tokio::test]
async fn item_24_a_batch_that_faults_is_halved_and_the_culprit_named() {
    let mut served = served(many(40));
    served.strict_ids = true;
    // listed, and gone when it is asked for
    let upstream = Upstream::start(served);
    let lost = identity(117, 1);
    let vanish = Trouble::Change(Box::new(move |served| {
        served.revisions.remove(&lost);
    }));
    upstream.trouble(At::Operation(Operation::GetUpdateData, 2), vanish);
    let downstream = Downstream::new().await;
    let outcome = downstream.try_sync(&upstream.url()).await.expect("synchronizes");
    assert_eq!(downstream.stored(), all_of(&upstream));
    let named: Vec<_> = outcome.problems.iter().map(|problem| problem.revision).collect();
    assert_eq!((outcome.dropped, named), (1, vec![lost]));
    assert!(batches(&upstream).len() < 20, "halving needs few calls");
    // it is asked for again a few times, then no longer
    for run in 2..=5 {
        let outcome = downstream.try_sync(&upstream.url()).await.expect("synchronizes");
        assert_eq!(outcome.dropped, 1, "run {run}");
    }
    upstream.clear_log();
    downstream.sync(&upstream).await;
    assert_eq!(count(&upstream, Operation::GetUpdateData), 0);
}

#[tokio::test]
async fn item_24_an_upstream_that_sends_nothing_of_what_it_lists_ends_the_run() {
    let upstream = Upstream::start(served(many(200)));
    let empty = "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
                 <GetUpdateDataResponse xmlns=\"http://www.microsoft.com/SoftwareDistribution\"><GetUpdateDataResult>\
                 <updates /><fileUrls /></GetUpdateDataResult></GetUpdateDataResponse></soap:Body></soap:Envelope>";
    upstream.trouble(At::Every(Operation::GetUpdateData), Trouble::Answer(empty.to_owned()));
    let downstream = Downstream::new().await;
    let error = downstream.try_sync(&upstream.url()).await.expect_err("fails");
    assert_eq!(error.code(), "nothing_sent");
    assert!(downstream.stored().is_empty());
    assert!(batches(&upstream).len() < 100);
    // the next run completes
    upstream.calm();
    downstream.try_sync(&upstream.url()).await.expect("synchronizes");
    assert_eq!(downstream.stored(), all_of(&upstream));
}

#[tokio::test]
async fn members_that_the_upstream_does_not_have_are_left_out_however_many_they_are() {
    // a bundle that is unresolved there names many that exist nowhere, and one that is there and in no list
    let unknown: Vec<_> = (0..80).map(|number| identity(500 + number, 1)).collect();
    let there = Document::member(id(400), 1).title("Member");
    let bundle = |number| software(number, 1).bundles(unknown.iter().copied().chain([identity(400, 1)]));
    // both kinds of servers: one leaves out what it does not have, the other answers the whole batch with a fault
    for strict in [false, true] {
        let mut served = served([bundle(10), there.clone(), software(11, 1)]);
        served.strict_ids = strict;
        let upstream = Upstream::start(served);
        let downstream = Downstream::new().await;
        let outcome = downstream.try_sync(&upstream.url()).await.expect("synchronizes");
        assert_eq!(downstream.stored(), all_of(&upstream), "strict: {strict}");
        assert_eq!(outcome.dropped, unknown.len() as u64);
        assert!(outcome.problems[0].reason.contains("does not have it"), "{}", outcome.problems[0].reason);
        // the warning goes on for a few runs, then nobody asks any more
        for _ in 2..=5 {
            downstream.try_sync(&upstream.url()).await.expect("synchronizes");
        }
        upstream.clear_log();
        downstream.sync(&upstream).await;
        assert_eq!(count(&upstream, Operation::GetUpdateData), 0);
    }
}

#[tokio::test]
async fn item_25_text_and_cabinets_give_the_same_documents() {
    let documents = || {
        let mut documents = many(10);
        documents.push(software(300, 1).rules_of_size(200_000).title("\u{dc}n\u{ef}code \u{1f600}"));
        documents
    };
    let as_text = Upstream::start(served(documents()));
    let mut packed = served(documents());
    packed.blobs = Blobs::CabinetFrom(0);
    let as_cabinets = Upstream::start(packed);
    let (one, two) = (Downstream::new().await, Downstream::new().await);
    one.sync(&as_text).await;
    two.sync(&as_cabinets).await;
    assert_eq!(one.stored(), two.stored());
    for identity in one.stored() {
        assert_eq!(one.text(identity), two.text(identity));
        assert_eq!(one.text(identity), as_text.change(|served| served.revisions[&identity].text.clone()));
    }
}

/// An answer with one item of this content.
fn answer(number: u128, item: &str) -> Trouble {
    Trouble::Answer(format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><GetUpdateDataResponse \
         xmlns=\"http://www.microsoft.com/SoftwareDistribution\"><GetUpdateDataResult><updates><ServerSyncUpdateData><Id>\
         <UpdateID>{}</UpdateID><RevisionNumber>1</RevisionNumber></Id>{item}</ServerSyncUpdateData></updates><fileUrls \
         /></GetUpdateDataResult></GetUpdateDataResponse></soap:Body></soap:Envelope>",
        id(number)
    ))
}

#[tokio::test]
async fn item_25_what_is_no_document_is_named_and_never_stored() {
    let escaped = |document: &Document| document.to_xml().replace('&', "&amp;").replace('<', "&lt;");
    let cases = [
        ("<XmlUpdateBlobCompressed>TVNDRgAA</XmlUpdateBlobCompressed>".to_owned(), "cabinet"),
        (String::new(), "without a document"),
        ("<XmlUpdateBlob>&lt;Update</XmlUpdateBlob>".to_owned(), "cannot be used"),
        ("<XmlUpdateBlob>&lt;!DOCTYPE x&gt;&lt;x/&gt;</XmlUpdateBlob>".to_owned(), "cannot be used"),
        (format!("<XmlUpdateBlob>{}</XmlUpdateBlob>", escaped(&software(11, 1))), "is that of"),
    ];
    for (item, words) in cases {
        let upstream = Upstream::start(served([software(10, 1)]));
        upstream.trouble(At::Operation(Operation::GetUpdateData, 2), answer(10, &item));
        let downstream = Downstream::new().await;
        let outcome = downstream.try_sync(&upstream.url()).await.expect("synchronizes");
        assert_eq!(outcome.dropped, 1, "{words}");
        assert_eq!(outcome.problems[0].revision, identity(10, 1));
        assert!(outcome.problems[0].reason.contains(words), "{}", outcome.problems[0].reason);
        assert_eq!(downstream.stored().len(), 6);
    }
}

#[tokio::test]
async fn another_text_of_a_stored_revision_is_named_and_not_stored() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    // staged by a run that was cut, and stored with another text before the next one
    let document = software(11, 1).property_child("SecuredFragment", "FileDecryption");
    upstream.change(|served| served.add(&document));
    upstream.trouble(At::Operation(Operation::GetUpdateDecryptionData, 1), Trouble::Close);
    downstream.try_sync(&upstream.url()).await.expect_err("cut");
    assert_eq!(downstream.staged(), 1);
    let text = software(11, 1).title("As it is here").to_xml();
    let input = Input { name: "other".to_owned(), source: Box::new(Cursor::new(text.clone().into_bytes())) };
    let mut batch = Batch::read(vec![input], &|_, _, _| ()).expect("reads");
    downstream.write(|tx| batch.store(tx, &|_, _, _| ()).map_err(|failure| failure.source));
    let outcome = downstream.try_sync(&upstream.url()).await.expect("synchronizes");
    assert_eq!(outcome.problems.iter().map(|problem| problem.revision).collect::<Vec<_>>(), [identity(11, 1)]);
    assert!(outcome.problems[0].reason.contains("different text"), "{}", outcome.problems[0].reason);
    assert_eq!(downstream.text(identity(11, 1)), text, "what is stored stays");
}

#[tokio::test]
async fn addresses_of_files_and_keys_become_known() {
    let payload = Payload::new("secret.cab", b"encrypted bytes".to_vec());
    let document = software(10, 1).file(&payload).property_child("SecuredFragment", "FileDecryption");
    let upstream = Upstream::start(served([document]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    let sources = downstream.read(|tx| tx.file_sources(payload.sha1()));
    assert!(sources.iter().any(|source| source.origin == "upstream"), "{sources:?}");
    assert_eq!(count(&upstream, Operation::GetUpdateDecryptionData), 1);
    // a server that does not offer keys is not asked
    upstream.change(|served| served.config.max_updates_per_decryption_request = 0);
    upstream.change(|served| served.add(&software(10, 2).property_child("SecuredFragment", "FileDecryption")));
    downstream.sync(&upstream).await;
    assert_eq!(count(&upstream, Operation::GetUpdateDecryptionData), 1);
}
