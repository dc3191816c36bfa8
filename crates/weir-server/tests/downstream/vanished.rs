//! Revisions that the upstream server listed and has no longer when they are asked for.

use weir_testkit::{
    Document,
    upstream::{At, Trouble, Upstream},
};
use weir_wire::wsss::Operation;

use super::support::*;

/// More than may fail one after another before a run asks whether the server is there.
const MANY: u128 = 40;

fn many(count: u128) -> Vec<Document> {
    (0..count).map(|number| software(100 + number, 1)).collect()
}

/// A downstream server that noted the list and was cut before it had the updates, which are gone since.
async fn cut(upstream: &Upstream, count: u128, strict: bool) -> Downstream {
    upstream.change(|served| served.strict_ids = strict);
    let downstream = Downstream::new().await;
    upstream.trouble(At::Operation(Operation::GetUpdateData, 2), Trouble::Close);
    downstream.try_sync(&upstream.url()).await.expect_err("cut");
    upstream.calm();
    upstream.change(|served| {
        for number in 0..count {
            served.revisions.remove(&identity(100 + number, 1));
        }
    });
    downstream
}

#[tokio::test]
async fn revisions_that_vanished_are_given_up_after_five_runs_and_come_back_when_they_are_listed_again() {
    // few enough to be told one by one, and too many for that
    for (gone, strict, code) in [
        (MANY, false, "nothing_usable"),
        (MANY, true, "nothing_usable"),
        (5 * MANY, false, "nothing_sent"),
        (5 * MANY, true, "fault"),
    ] {
        let upstream = Upstream::start(served(many(gone)));
        let downstream = cut(&upstream, gone, strict).await;
        for run in 1..5 {
            let error = downstream.try_sync(&upstream.url()).await.expect_err("nothing else comes");
            assert_eq!(error.code(), code, "run {run}");
            assert!(downstream.stored().is_empty());
        }
        let outcome = downstream.try_sync(&upstream.url()).await.expect("the rest is complete");
        assert_eq!(u128::from(outcome.dropped), gone, "{:?}", outcome.problems);
        let told = &outcome.problems[0].reason;
        assert!(told.contains("given up after 5 runs") && told.contains("--full"), "{told}");
        assert_eq!(downstream.stored(), all_of(&upstream), "what was fetched before the cut is stored");
        upstream.clear_log();
        downstream.sync(&upstream).await;
        assert_eq!(count(&upstream, Operation::GetUpdateData), 0, "nobody waits for them");

        upstream.change(|served| served.add(&software(100, 1)));
        downstream.sync(&upstream).await;
        assert_eq!(downstream.stored(), all_of(&upstream));
        assert!(downstream.stored().contains(&identity(100, 1)));
    }
}

#[tokio::test]
async fn runs_that_bring_something_else_succeed_meanwhile() {
    for strict in [false, true] {
        let upstream = Upstream::start(served(many(MANY)));
        let downstream = cut(&upstream, MANY, strict).await;
        for run in 1..=5 {
            upstream.change(|served| served.add(&software(500 + run, 1)));
            let outcome = downstream.try_sync(&upstream.url()).await.expect("something came");
            assert_eq!(u128::from(outcome.dropped), MANY, "run {run}");
            let given_up = outcome.problems.iter().filter(|problem| problem.reason.contains("given up")).count();
            assert_eq!(given_up > 0, run == 5, "{:?}", outcome.problems);
            assert_eq!(downstream.stored(), all_of(&upstream));
        }
        downstream.sync(&upstream).await;
    }
}

#[tokio::test]
async fn a_server_that_sends_nothing_for_a_while_loses_nothing_for_good() {
    let upstream = Upstream::start(served(many(MANY)));
    let downstream = Downstream::new().await;
    upstream.trouble(At::Every(Operation::GetUpdateData), Trouble::Fault("InternalServerError".to_owned()));
    for _ in 0..12 {
        // it fails until it gives up, and begins anew
        let _ = downstream.try_sync(&upstream.url()).await;
        assert!(downstream.stored().is_empty());
    }
    // nor does one that does not answer count against what it has
    upstream.calm();
    upstream.trouble(At::Every(Operation::GetConfigData), Trouble::Close);
    for _ in 0..6 {
        downstream.try_sync(&upstream.url()).await.expect_err("fails");
    }
    upstream.calm();
    // lists are compared as a whole after something was given up
    downstream.sync(&upstream).await;
    downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
}
