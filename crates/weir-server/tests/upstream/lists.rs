//! Items 9 to 14.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use weir_testkit::Document;
use weir_wire::{
    soap::ErrorCode,
    wsss::{AnchorText, GetRevisionIdList, LanguageAndDelta, ServerSyncFilter},
};

use crate::{
    common::id,
    support::{
        self, DETECTOID, Downstream, FAMILY, OTHER_PRODUCT, PRODUCT, SECURITY, TOOLS, after, config, entries, filter,
        identity, numbers, tree, update,
    },
};

const BOTH: [&[(u128, bool)]; 2] = [&[(PRODUCT, true)], &[(SECURITY, true)]];

#[tokio::test]
async fn item_9_anchors_are_taken_in_every_form_but_garbage() {
    let server = support::start().await;
    server.import(&tree()).await;
    server.import(&[update(10, 1)]).await;
    let mut downstream = Downstream::ready(&server).await;
    let [categories, classifications] = BOTH;
    let all = || filter(categories, classifications);
    let (own, found) = downstream.list(all()).await;
    assert_eq!(numbers(&found), [(10, 1)], "absent");
    assert_eq!(numbers(&downstream.list(after("", all())).await.1), [(10, 1)], "empty");
    assert_eq!(numbers(&downstream.list(after(&own, all())).await.1), [], "own");
    assert!(downstream.last.as_ref().expect("an answer").text().contains("<NewRevisions />"));
    let [number, time] = own.split(',').collect::<Vec<_>>()[..] else { panic!("{own}") };
    assert!(number.parse::<u64>().is_ok() && time.len() == "2026-10-04 16:33:26.671".len(), "{own}");
    // of another server: its number was never given here, so its time counts
    assert_eq!(numbers(&downstream.list(after("943800,2026-01-04 16:33:26.671", all())).await.1), [(10, 1)]);
    assert_eq!(numbers(&downstream.list(after("943800,2126-01-04 16:33:26.671", all())).await.1), []);
    for garbage in ["x", "1", "1,", ",2026-10-04 16:33:26", "-1,2026-10-04 16:33:26", "1,2026-13-04 16:33:26", "1,x"] {
        let ask = GetRevisionIdList { cookie: downstream.cookie.clone(), filter: Some(after(garbage, all())) };
        let refused = downstream.refused(&ask).await;
        assert_eq!(refused, (ErrorCode::InvalidParameters, "filter".to_owned()), "{garbage}");
    }
    let none = GetRevisionIdList { cookie: downstream.cookie.clone(), filter: None };
    assert_eq!(downstream.refused(&none).await, (ErrorCode::InvalidParameters, "filter".to_owned()));
}

#[tokio::test]
async fn item_10_what_is_committed_during_a_call_is_in_this_answer_or_the_next() {
    const COUNT: u128 = 60;
    let server = Arc::new(support::start().await);
    server.import(&tree()).await;
    let done = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (server, done) = (Arc::clone(&server), Arc::clone(&done));
        async move {
            for number in 0..COUNT {
                server.import(&[update(100 + number, 1)]).await;
            }
            done.store(true, Ordering::Release);
        }
    });
    let mut downstream = Downstream::ready(&server).await;
    let [categories, classifications] = BOTH;
    let (mut anchor, mut seen) = (String::new(), Vec::new());
    loop {
        let last = done.load(Ordering::Acquire);
        let (next, found) = downstream.list(after(&anchor, filter(categories, classifications))).await;
        seen.extend(found);
        anchor = next;
        if last {
            break;
        }
    }
    writing.await.expect("written");
    let wanted: Vec<_> = (0..COUNT).map(|number| (100 + number, 1)).collect();
    assert_eq!(numbers(&seen), wanted, "each once, none lost");
}

#[tokio::test]
async fn item_11_categories_and_updates_are_listed_apart() {
    let server = support::start().await;
    server.import(&tree()).await;
    let driver = Document::driver(id(11), 1)
        .driver_metadata(weir_model::update::DriverMetadata {
            hardware_id: "PCI\\VEN_1".to_owned(),
            ..Default::default()
        })
        .in_category(id(PRODUCT))
        .in_category(id(SECURITY));
    server.import(&[update(10, 1), driver]).await;
    let mut downstream = Downstream::ready(&server).await;
    let of_tree = [FAMILY, PRODUCT, OTHER_PRODUCT, SECURITY, TOOLS, DETECTOID].map(|number| (number, 1));
    let (anchor, found) = downstream.list(config()).await;
    assert_eq!(numbers(&found), of_tree);
    let filtered = ServerSyncFilter { categories: Some(entries(&[(PRODUCT, false)])), ..config() };
    assert_eq!(numbers(&downstream.list(filtered).await.1), of_tree, "the lists do not matter");
    assert_eq!(numbers(&downstream.list(ServerSyncFilter::default()).await.1), [(10, 1), (11, 1)]);
    server.import(&[Document::detectoid(id(DETECTOID), 2)]).await;
    assert_eq!(numbers(&downstream.list(after(&anchor, config())).await.1), [(DETECTOID, 2)]);
}

#[tokio::test]
async fn item_12_a_filter_needs_both_lists() {
    let server = support::start().await;
    server.import(&tree()).await;
    let tool = Document::software(id(11), 1).in_category(id(PRODUCT)).in_category(id(TOOLS));
    let elsewhere = Document::software(id(12), 1).in_category(id(OTHER_PRODUCT)).in_category(id(SECURITY));
    server.import(&[update(10, 1), tool, elsewhere]).await;
    let mut downstream = Downstream::ready(&server).await;
    let only_categories =
        ServerSyncFilter { categories: Some(entries(&[(PRODUCT, false)])), ..ServerSyncFilter::default() };
    let only_classifications =
        ServerSyncFilter { classifications: Some(entries(&[(SECURITY, false)])), ..ServerSyncFilter::default() };
    for half in [
        only_categories,
        only_classifications,
        filter(&[(PRODUCT, false)], &[]),
        filter(&[], &[(SECURITY, false)]),
        filter(&[(99, false)], &[(SECURITY, false)]),
    ] {
        assert_eq!(downstream.list(half.clone()).await.1, [], "{half:?}");
    }
    let everything = [(10, 1), (11, 1), (12, 1)];
    assert_eq!(numbers(&downstream.list(ServerSyncFilter::default()).await.1), everything, "both absent");
    assert_eq!(numbers(&downstream.list(filter(&[], &[])).await.1), everything, "both empty");
    let and = downstream.list(filter(&[(PRODUCT, false)], &[(SECURITY, false)])).await.1;
    assert_eq!(numbers(&and), [(10, 1)]);
    let or = filter(&[(PRODUCT, false), (OTHER_PRODUCT, false)], &[(SECURITY, false), (TOOLS, false)]);
    assert_eq!(numbers(&downstream.list(or).await.1), everything);
    let family = downstream.list(filter(&[(FAMILY, false)], &[(SECURITY, false)])).await.1;
    assert_eq!(numbers(&family), [(10, 1)], "a family is its products");
    // Get63LanguageOnly may be absent
    let cookie = downstream.cookie.clone().expect("a cookie");
    let sealed = weir_wire::wsss::client::write(
        &GetRevisionIdList { cookie: Some(cookie), filter: Some(ServerSyncFilter::default()) },
        weir_wire::soap::SoapVersion::V11,
    );
    let without = sealed.replace("<Get63LanguageOnly>false</Get63LanguageOnly>", "");
    assert_ne!(without, sealed);
    let headers = [("Content-Type", "text/xml; charset=utf-8")];
    let answer = server.send("POST", weir_wire::wsss::Service::ServerSync.path(), &headers, &without).await;
    assert_eq!((answer.status, answer.text().matches("<UpdateIdentity>").count()), (200, 3));
}

#[tokio::test]
async fn item_13_without_delta_everything_is_listed_again() {
    let server = support::start().await;
    server.import(&tree()).await;
    let elsewhere = Document::software(id(12), 1).in_category(id(OTHER_PRODUCT)).in_category(id(SECURITY));
    server.import(&[update(10, 1), elsewhere]).await;
    let mut downstream = Downstream::ready(&server).await;
    let (anchor, found) = downstream.list(filter(&[(PRODUCT, false)], &[(SECURITY, false)])).await;
    assert_eq!(numbers(&found), [(10, 1)]);
    let mut then = async |categories: &[(u128, bool)], classifications: &[(u128, bool)]| {
        numbers(&downstream.list(after(&anchor, filter(categories, classifications))).await.1)
    };
    assert_eq!(then(&[(PRODUCT, true)], &[(SECURITY, true)]).await, []);
    assert_eq!(then(&[(PRODUCT, false)], &[(SECURITY, true)]).await, [(10, 1)]);
    // a product is added, and the anchor kept
    assert_eq!(then(&[(PRODUCT, true), (OTHER_PRODUCT, false)], &[(SECURITY, true)]).await, [(12, 1)]);
    server.import(&[update(10, 2)]).await;
    assert_eq!(then(&[(PRODUCT, true), (OTHER_PRODUCT, true)], &[(SECURITY, true)]).await, [(10, 2)]);
}

#[tokio::test]
async fn item_14_members_come_at_every_depth_expired_ones_too_and_none_that_is_too_new() {
    let server = support::start().await;
    server.import(&tree()).await;
    let too_new = |number| Document::member(id(number), 1).property("CompatibleProtocolVersion", "1.20");
    server
        .import(&[
            update(10, 1).bundles([identity(20, 1)]).bundles([identity(30, 1), identity(31, 1)]),
            Document::member(id(20), 1).bundles([identity(21, 1)]),
            Document::member(id(21), 1).bundles([identity(22, 1)]),
            Document::member(id(22), 1),
            Document::member(id(22), 2),
            Document::member(id(30), 1),
            too_new(31),
            update(40, 2).expired(),
            update(40, 1),
            update(41, 1).property("CompatibleProtocolVersion", "1.20"),
        ])
        .await;
    let mut downstream = Downstream::ready(&server).await;
    let of = filter(&[(PRODUCT, false)], &[(SECURITY, false)]);
    let all = [(10, 1), (20, 1), (21, 1), (22, 1), (30, 1), (31, 1), (40, 2), (41, 1)];
    let (anchor, found) = downstream.list(of.clone()).await;
    assert_eq!(numbers(&found), all);
    assert_eq!(downstream.list(after(&anchor, filter(BOTH[0], BOTH[1]))).await.1, []);
    downstream.enter("1.8").await.expect("a cookie");
    let older = [(10, 1), (20, 1), (21, 1), (22, 1), (30, 1), (40, 2)];
    assert_eq!(numbers(&downstream.list(of).await.1), older);
}

#[tokio::test]
async fn languages_filter_updates_whose_files_are_made_for_some() {
    let server = support::start().await;
    server.import(&tree()).await;
    let speaks = |number, languages: &[&str]| {
        languages.iter().fold(update(number, 1), |update, language| update.property_child("Language", language))
    };
    server.import(&[speaks(10, &[]), speaks(11, &["en"]), speaks(12, &["de", "fr"]), speaks(13, &["all"])]).await;
    let mut downstream = Downstream::ready(&server).await;
    let with = |languages: &[(i32, bool)]| ServerSyncFilter {
        languages: Some(languages.iter().map(|(id, delta)| LanguageAndDelta { id: *id, delta: *delta }).collect()),
        ..filter(&[(PRODUCT, true)], &[(SECURITY, true)])
    };
    let (anchor, found) = downstream.list(with(&[(1033, false)])).await;
    assert_eq!(numbers(&found), [(10, 1), (11, 1), (13, 1)]);
    assert_eq!(numbers(&downstream.list(with(&[(1030, false)])).await.1), [(10, 1), (13, 1)]);
    assert_eq!(numbers(&downstream.list(with(&[(0, false)])).await.1), [(10, 1), (11, 1), (12, 1), (13, 1)]);
    // a language is added, and the anchor kept
    let more = after(&anchor, with(&[(1033, true), (1036, false)]));
    assert_eq!(numbers(&downstream.list(more).await.1), [(12, 1)]);
}

#[tokio::test]
async fn how_far_a_server_is_is_kept() {
    let server = support::start().await;
    server.import(&tree()).await;
    let mut downstream = Downstream::ready(&server).await;
    downstream.list(config()).await;
    assert_eq!(support::rows(&server)[0].last_sync_at, None, "categories alone are no synchronization");
    let (anchor, _) = downstream.list(ServerSyncFilter::default()).await;
    let row = &support::rows(&server)[0];
    let change = AnchorText::new(anchor).anchor().expect("an anchor").expect("one").number;
    assert_eq!(row.sync_change.map(|change| change.0 as i64), Some(change));
    assert!(row.last_sync_at.is_some());
    server.import(&[update(10, 1), update(11, 1)]).await;
    let behind = server.state.store.read(|tx| tx.revision_count_after(row.sync_change.expect("a change")));
    assert_eq!(behind.expect("a count"), 2);
}

#[tokio::test]
async fn a_long_list_is_written_while_it_is_sent() {
    let server = support::start().await;
    // an exact multiple of what is written at once, and one more
    let documents: Vec<_> = (0..4_000).map(|number| Document::detectoid(id(1_000 + number), 1)).collect();
    server.import(&documents).await;
    let mut downstream = Downstream::ready(&server).await;
    let all: Vec<_> = (0..4_000).map(|number| (1_000 + number, 1)).collect();
    for headers in [vec![], vec![("Accept-Encoding", "xpress")]] {
        downstream.headers = headers;
        assert_eq!(numbers(&downstream.list(config()).await.1), all);
        assert_eq!(downstream.last.as_ref().expect("an answer").header("content-length"), None);
    }
    server.import(&[Document::detectoid(id(9_000), 1)]).await;
    assert_eq!(downstream.list(config()).await.1.len(), 4_001);
}
