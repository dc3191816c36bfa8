//! A cut at every single request: a first synchronization and a later one, autonomous and as a replica.

use std::collections::BTreeSet;

use serde_json::json;
use weir_model::ids::UpdateIdentity;
use weir_server::sync::{
    engine::{self, Order, Outcome, SyncError},
    progress::Progress,
};
use weir_testkit::{
    cut::{CuttingProxy, Moment},
    upstream::Upstream,
};
use weir_wire::wsss::Operation;

use crate::{
    catalogue,
    state::{Rows, copy, difference, durable, exactly, folder, settled},
    support::{Downstream, batches, count},
};

/// A kind of synchronization: where it begins and where an uncut run ends.
struct Walk {
    upstream: Upstream,
    base: Downstream,
    end: Rows,
    requests: usize,
}

/// One call at a time, so that the rows of two runs have the same numbers.
fn order(downstream: &Downstream, url: &str) -> Order {
    Order { connections: 1, ..downstream.order(url) }
}

pub(crate) async fn run(downstream: &Downstream, url: &str) -> Result<Outcome, SyncError> {
    engine::synchronize(&downstream.app, &Downstream::caller(), &order(downstream, url), &Progress::new()).await
}

/// A run that must succeed without losing anything.
pub(crate) async fn whole(downstream: &Downstream, url: &str) {
    let outcome = run(downstream, url).await.expect("synchronizes");
    assert_eq!((outcome.dropped, outcome.problems.as_slice()), (0, &[][..]));
}

impl Walk {
    async fn prepare(is_replica: bool, is_first: bool) -> Self {
        let upstream = Upstream::start(catalogue::first());
        let mut base = Downstream::open(folder()).await;
        base.replica = is_replica;
        if !is_first {
            whole(&base, &upstream.url()).await;
            upstream.change(catalogue::change);
            upstream.clear_log();
        }
        let uncut = copy(&base).await;
        whole(&uncut, &upstream.url()).await;
        let end = settled(&uncut);
        let requests = upstream.log().len();
        assert_ne!(settled(&base), end, "something is to be done");
        assert!(requests >= 12, "{:?}", upstream.operations());
        Self { upstream, base, end, requests }
    }

    /// Walks over all requests with one kind of cut; gives how many runs ended with an error.
    async fn over(&self, moment: Moment) -> usize {
        let proxy = CuttingProxy::to(&self.upstream.url());
        let mut failed = 0;
        for request in 1.. {
            let place = format!("{moment:?} at request {request}");
            let downstream = copy(&self.base).await;
            let before = exactly(&downstream);
            proxy.cut(request, moment);
            let outcome = run(&downstream, &proxy.url()).await;
            if !proxy.has_cut() {
                outcome.unwrap_or_else(|error| panic!("nothing was cut at {place}: {error:?}"));
                assert!(request > self.requests, "all {} requests were cut, and no more than {request}", self.requests);
                assert_eq!(difference(&settled(&downstream), &self.end), None, "uncut");
                return failed;
            }
            if let Err(error) = outcome {
                failed += 1;
                clear(&error, &place, &proxy.url());
                Self::is_last_good(&before, &downstream, &place);
            } else {
                // all of the last answer was here before the cut
                assert_eq!(moment, Moment::AfterAnswer, "{place}: no answer, and no error");
            }
            self.completes(&downstream, &place).await;
        }
        failed
    }

    /// The catalogue that computers see is the one from before, to the last row and moment.
    fn is_last_good(before: &Rows, downstream: &Downstream, place: &str) {
        assert_eq!(difference(before, &exactly(downstream)), None, "{place}");
    }

    /// The next run comes to the same end, and fetches nothing that is here.
    async fn completes(&self, downstream: &Downstream, place: &str) {
        let durable = durable(downstream);
        self.upstream.clear_log();
        whole(downstream, &self.upstream.url()).await;
        let asked = batches(&self.upstream).concat();
        let once: BTreeSet<UpdateIdentity> = asked.iter().copied().collect();
        assert_eq!(asked.len(), once.len(), "{place}: something was asked for twice: {asked:?}");
        assert!(once.is_disjoint(&durable), "{place}: fetched though here: {:?}", once.intersection(&durable));
        assert_eq!(downstream.staged(), 0, "{place}");
        assert_eq!(difference(&settled(downstream), &self.end), None, "{place}");
        if !downstream.replica {
            assert_eq!(count(&self.upstream, Operation::GetDeployments), 0);
        }
    }
}

/// Says what, where, and what to do.
#[track_caller]
fn clear(error: &SyncError, place: &str, url: &str) {
    let (text, next) = (error.to_string(), error.next_step());
    assert_eq!(error.code(), "network", "{place}: {error:?}");
    assert!(error.is_transient(), "{place}");
    assert!(text.contains(url) && text.contains("cannot be reached or broke off ("), "{place}: {text}");
    assert!(next.contains("see whether the upstream server runs"), "{place}: {next}");
}

async fn walk(is_replica: bool, is_first: bool) {
    let walk = Walk::prepare(is_replica, is_first).await;
    for &moment in Moment::ALL {
        let failed = walk.over(moment).await;
        if moment != Moment::AfterAnswer {
            assert_eq!(failed, walk.requests, "{moment:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_synchronization_is_cut_everywhere() {
    walk(false, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_synchronization_is_cut_everywhere() {
    walk(false, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_synchronization_of_a_replica_is_cut_everywhere() {
    walk(true, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_synchronization_of_a_replica_is_cut_everywhere() {
    walk(true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_brings_nothing_changes_nothing() {
    for is_replica in [false, true] {
        let upstream = Upstream::start(catalogue::first());
        let mut downstream = Downstream::open(folder()).await;
        downstream.replica = is_replica;
        whole(&downstream, &upstream.url()).await;
        let before = exactly(&downstream);
        upstream.clear_log();
        whole(&downstream, &upstream.url()).await;
        assert_eq!(difference(&before, &exactly(&downstream)), None, "replica: {is_replica}");
        assert_eq!(count(&upstream, Operation::GetUpdateData), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_retries_a_cut_anywhere_is_not_noticed() {
    let walk = Walk::prepare(true, true).await;
    let uncut = copy(&walk.base).await;
    uncut.set("sync.retries", json!(1));
    whole(&uncut, &walk.upstream.url()).await;
    let end = settled(&uncut);
    let requests = 1..=walk.requests;
    let cuts = requests.map(|request| {
        let (walk, end) = (&walk, &end);
        async move {
            let moment = Moment::ALL[request % Moment::ALL.len()];
            let proxy = CuttingProxy::to(&walk.upstream.url());
            let downstream = copy(&walk.base).await;
            downstream.set("sync.retries", json!(1));
            proxy.cut(request, moment);
            whole(&downstream, &proxy.url()).await;
            assert!(proxy.has_cut());
            assert_eq!(difference(&settled(&downstream), end), None, "{moment:?} at {request}");
        }
    });
    // each waits for its second attempt, together they do not
    futures_util::future::join_all(cuts).await;
}
