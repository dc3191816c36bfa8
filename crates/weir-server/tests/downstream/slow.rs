//! Upstream servers that answer slowly, or with more than there can be.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};

use serde_json::json;
use weir_server::sync::{
    peer::{Peer, PeerError, Upstream as Source},
    progress::Progress,
};
use weir_testkit::upstream::{At, Trouble, Upstream};
use weir_wire::wsss::Operation;

use super::support::*;

/// Longer than anything here takes: a call that hangs fails the test.
const PATIENCE: Duration = Duration::from_secs(120);

/// Answers every request with a byte now and then, until the other side goes away.
fn dribbling() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut request = [0; 8_192];
                let _ = stream.read(&mut request);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n";
                let mut sent = stream.write_all(head.as_bytes());
                while sent.is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                    sent = stream.write_all(b" ").and_then(|()| stream.flush());
                }
            });
        }
    });
    url
}

async fn connect(downstream: &Downstream, url: &str, progress: &Progress) -> Result<Peer, PeerError> {
    let source = Source::at(url).expect("an address");
    let connecting = Peer::connect(&downstream.app, &source, progress);
    tokio::time::timeout(PATIENCE, connecting).await.expect("it does not wait for ever")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_dribbles_is_cut_off() {
    let downstream = Downstream::new().await;
    downstream.set("sync.timeout_seconds", json!(1));
    let error = connect(&downstream, &dribbling(), &Progress::new()).await.expect_err("too slow");
    assert_eq!(error.code(), "too_long", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_ends_while_its_answer_dribbles() {
    let downstream = Downstream::new().await;
    downstream.set("sync.timeout_seconds", json!(3_600));
    let (progress, url) = (Progress::new(), dribbling());
    let cancel = progress.clone();
    let cancelled = async {
        let mut moved = progress.watch();
        // something of the answer is here
        while progress.position().bytes == 0 {
            moved.changed().await.expect("it goes on");
        }
        cancel.cancel();
    };
    let (error, ()) = tokio::join!(connect(&downstream, &url, &progress), cancelled);
    assert_eq!(error.expect_err("cancelled").code(), "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_small_call_a_small_answer_is_taken() {
    let upstream = Upstream::start(served([]));
    let downstream = Downstream::new().await;
    for operation in [Operation::GetAuthConfig, Operation::GetAuthorizationCookie, Operation::GetCookie] {
        upstream.calm();
        upstream.trouble(At::Every(operation), Trouble::Endless);
        let progress = Progress::new();
        let error = connect(&downstream, &upstream.url(), &progress).await.expect_err("endless");
        assert_eq!(error.code(), "too_large", "{operation}: {error}");
        assert!(error.to_string().contains("larger than 1048576 bytes"), "{error}");
        assert!(progress.position().bytes <= 2 << 20, "{operation}: {} bytes were taken", progress.position().bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_fits_into_the_memory_for_answers() {
    let upstream = Upstream::start(served([]));
    upstream.trouble(At::Every(Operation::GetRevisionIdList), Trouble::Endless);
    let downstream = Downstream::new().await;
    downstream.set("sync.memory_mib", json!(16));
    let error = downstream.try_sync(&upstream.url()).await.expect_err("endless");
    assert_eq!(error.code(), "too_large", "{error}");
    assert!(error.to_string().contains("larger than 16777216 bytes"), "{error}");
    assert!(error.next_step().contains("sync.memory_mib"), "{}", error.next_step());
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let upstream = Upstream::start(served([]));
    let downstream = Downstream::new().await;
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    downstream.set("proxy.url", json!(format!("http://{gone}")));
    let error = connect(&downstream, &upstream.url(), &Progress::new()).await.expect_err("no proxy");
    assert_eq!((error.code(), error.is_transient()), ("proxy", true), "{error}");
    assert!(error.to_string().contains(&format!("through the proxy http://{gone}")), "{error}");
    assert!(error.next_step().contains("proxy.url"), "{}", error.next_step());
    downstream.set("proxy.sync", json!(false));
    connect(&downstream, &upstream.url(), &Progress::new()).await.expect("goes without it");
}
