//! An upstream server that goes wrong at each step: a clear error, the catalogue stays, and the next run completes.

use std::time::{Duration, Instant};

use serde_json::json;
use weir_server::sync::{engine, progress::Progress};
use weir_testkit::upstream::{At, Trouble, Upstream};
use weir_wire::wsss::Operation;

use super::support::*;

type Make = fn() -> Trouble;

fn troubles() -> Vec<(&'static str, Make)> {
    vec![
        ("close", || Trouble::Close),
        ("endless", || Trouble::Endless),
        ("fault", || Trouble::Fault("InternalServerError".to_owned())),
        ("unknown fault", || Trouble::Fault("Nonsense".to_owned())),
        ("garbage", || Trouble::Garbage),
        ("404", || Trouble::Status(404)),
        ("503", || Trouble::Status(503)),
        ("truncated", || Trouble::Truncated),
    ]
}

#[tokio::test]
async fn whatever_goes_wrong_at_whichever_request_the_catalogue_stays_and_the_next_run_completes() {
    let documents = || [software(10, 1).bundles([identity(20, 1)]), weir_testkit::Document::member(id(20), 1)];
    let mut plain = served(documents());
    plain.lists_members = false;
    let upstream = Upstream::start(plain.clone());
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    let requests = upstream.log().len();
    assert!(requests >= 9, "{:?}", upstream.operations());
    let mut codes = std::collections::BTreeSet::new();
    for (name, trouble) in troubles() {
        for request in 1..=requests {
            let upstream = Upstream::start(plain.clone());
            upstream.trouble(At::Request(request), trouble());
            let downstream = Downstream::new().await;
            downstream.set("sync.answer_mib", json!(4));
            match downstream.try_sync(&upstream.url()).await {
                // a batch that fails as a whole is asked for in halves
                Ok(_) => {}
                Err(error) => {
                    codes.insert(error.code());
                    assert!(!error.next_step().is_empty() && !error.to_string().is_empty());
                    assert!(downstream.stored().is_empty(), "{name} at {request}: nothing half is shown");
                }
            }
            upstream.calm();
            downstream.sync(&upstream).await;
            assert_eq!(downstream.stored(), all_of(&upstream), "{name} at {request}");
            assert_eq!(downstream.staged(), 0);
        }
    }
    for code in ["bad_answer", "fault", "http_status", "network", "too_large"] {
        assert!(codes.contains(code), "{code} in {codes:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let upstream = Upstream::start(served([]));
    let downstream = Downstream::new().await;
    downstream.set("sync.timeout_seconds", json!(1));
    upstream.trouble(At::Operation(Operation::GetConfigData, 1), Trouble::Hang);
    let error = downstream.try_sync(&upstream.url()).await.expect_err("fails");
    assert_eq!((error.code(), error.is_transient()), ("network", true));
    downstream.sync(&upstream).await;
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    downstream.set("sync.retries", json!(2));
    for request in [1, 4, 6, 9] {
        upstream.trouble(At::Request(request), Trouble::Close);
    }
    upstream.trouble(At::Request(8), Trouble::Status(503));
    downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
}

#[tokio::test]
async fn a_cancelled_run_ends_at_once_and_is_gone_on_with() {
    let upstream = Upstream::start(served((0..30).map(|number| software(100 + number, 1))));
    upstream.change(|served| served.config.max_number_of_updates_per_request = 5);
    upstream.trouble(At::Operation(Operation::GetUpdateData, 4), Trouble::Hang);
    let downstream = Downstream::new().await;
    let progress = Progress::new();
    let order = downstream.order(&upstream.url());
    let caller = Downstream::caller();
    let run = engine::synchronize(&downstream.app, &caller, &order, &progress);
    let cancel = async {
        while count(&upstream, Operation::GetUpdateData) < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        progress.cancel();
        Instant::now()
    };
    let (ended, cancelled) = tokio::join!(run, cancel);
    assert_eq!(ended.expect_err("cancelled").code(), "cancelled");
    assert!(cancelled.elapsed() < Duration::from_secs(30), "it did not wait for the answer");
    assert!(downstream.stored().is_empty());
    let staged = downstream.staged();
    assert!(staged > 0, "what was fetched is kept");
    upstream.clear_log();
    downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
    let asked: usize = batches(&upstream).iter().map(Vec::len).sum();
    assert_eq!(asked as u64, 36 - staged, "only the rest was fetched");
}

#[tokio::test]
async fn an_address_where_nothing_listens_and_no_source_are_said_so() {
    let downstream = Downstream::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address");
    let error = downstream.try_sync(&format!("http://{free}")).await.expect_err("fails");
    assert_eq!((error.code(), error.is_transient()), ("network", true));
    let mut order = downstream.order("http://127.0.0.1:1");
    order.upstream = None;
    let ended = engine::synchronize(&downstream.app, &Downstream::caller(), &order, &Progress::new()).await;
    assert_eq!(ended.expect_err("no source").code(), "no_source");
}
