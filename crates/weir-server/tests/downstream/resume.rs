//! Cuts at every request: the next run loses nothing and fetches nothing twice.

use weir_testkit::{
    cut::{CuttingProxy, Moment},
    upstream::Upstream,
};

use super::support::*;

#[tokio::test]
async fn item_28_cut_at_any_request_the_next_run_loses_no_update() {
    let bundle = software(10, 1).bundles([identity(20, 1)]);
    let member = weir_testkit::Document::member(id(20), 1);
    let others = (0..6).map(|number| software(100 + number, 1));
    let mut plain = served(others.chain([bundle, member]));
    plain.lists_members = false;
    plain.config.max_number_of_updates_per_request = 3;
    let upstream = Upstream::start(plain.clone());
    // the same server at another address: what the cut run still had under way when it ended cannot reach its log late
    let resumed = Upstream::start(plain);
    let reference = {
        let downstream = Downstream::new().await;
        let proxy = CuttingProxy::to(&upstream.url());
        downstream.try_sync(&proxy.url()).await.expect("synchronizes");
        proxy.requests()
    };
    assert!(reference > 10);
    for moment in Moment::ALL {
        for request in 1..=reference {
            let downstream = Downstream::new().await;
            let proxy = CuttingProxy::to(&upstream.url());
            proxy.cut(request, *moment);
            let first = downstream.try_sync(&proxy.url()).await;
            if first.is_err() {
                assert!(downstream.stored().is_empty(), "{moment:?} at {request}");
            }
            let staged = downstream.staged();
            resumed.clear_log();
            let outcome = downstream.try_sync(&resumed.url()).await;
            let outcome = outcome.unwrap_or_else(|error| panic!("{moment:?} at {request}: {error:?}"));
            assert_eq!(outcome.dropped, 0);
            assert_eq!(downstream.stored(), all_of(&upstream), "{moment:?} at {request}");
            let asked: usize = batches(&resumed).iter().map(Vec::len).sum();
            if first.is_err() {
                assert_eq!(asked as u64 + staged, 14, "{moment:?} at {request}: nothing is fetched twice");
            }
        }
    }
}

#[tokio::test]
async fn what_was_staged_survives_the_process() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    let proxy = CuttingProxy::to(&upstream.url());
    // the list of updates is cut: categories are staged, nothing is stored
    proxy.cut(7, Moment::BeforeAnswer);
    downstream.try_sync(&proxy.url()).await.expect_err("cut");
    assert_eq!((downstream.staged(), downstream.stored().len()), (6, 0));
    let Downstream { app, data, .. } = downstream;
    let weak = std::sync::Arc::downgrade(&app.state);
    drop(app);
    while weak.upgrade().is_some() || weir_store::Store::lock(data.path()).is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let downstream = Downstream::open(data).await;
    upstream.clear_log();
    downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
    assert_eq!(batches(&upstream), [vec![identity(10, 1)]]);
}
