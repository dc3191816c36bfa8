//! The server's clock is moved on and set back again: what computers hold stays good, or is told once to be renewed.

use jiff::SignedDuration;
use weir_model::{ids::CollectionId, targeting::DeploymentAction, update::CategoryKind};
use weir_testkit::Document;
use weir_wire::soap::ErrorCode;

use crate::{
    common::{Server, id},
    support::ready,
};

/// A year ahead and back again: a cookie that expired is renewed by the agent itself, one that seems to come from the future is
/// taken, nothing is sent twice and nothing is left out.
#[tokio::test]
async fn a_clock_that_jumps_costs_a_cookie_and_nothing_else() {
    let server = Server::start().await;
    server
        .import(&[
            Document::category(id(1), 1, CategoryKind::Product).title("Product"),
            Document::software(id(2), 1).title("Update").in_category(id(1)),
        ])
        .await;
    server.deploy(id(2), CollectionId::ALL_COMPUTERS, DeploymentAction::Optional).await;
    let (mut agent, _) = ready(&server).await;
    let first = agent.scan().await.expect("a scan");
    let before = first.offered.clone();
    assert!(!before.is_empty(), "{first:?}");

    let year = SignedDuration::from_hours(24 * 365);
    server.state.clock.advance(year);
    let ahead = agent.scan().await.expect("a scan a year later");
    assert_eq!(ahead.recovered, [ErrorCode::CookieExpired]);
    assert_eq!((ahead.new_updates().count(), ahead.offered), (0, before.clone()), "nothing is sent twice");
    agent.report_scan().await.expect("a report a year later");

    server.state.clock.advance(-year);
    let back = agent.scan().await.expect("a scan with a cookie of the year ahead");
    assert_eq!((back.new_updates().count(), back.offered), (0, before.clone()));
    agent.report_scan().await.expect("a report");
    assert!(server.computer(&agent).is_some_and(|row| row.last_report_at.is_some()), "what is reported is kept");

    // and a decision that is made now reaches it
    server.import(&[Document::software(id(3), 1).title("Later").in_category(id(1))]).await;
    server.deploy(id(3), CollectionId::ALL_COMPUTERS, DeploymentAction::Optional).await;
    let later = agent.scan().await.expect("a scan");
    assert!(later.offered.len() > before.len(), "{later:?}");
}
