//! Scans from end to end (checklist 55 to 57).

use jiff::Timestamp;
use weir_model::{
    ids::{CollectionId, UpdateIdentity},
    targeting::DeploymentAction,
    update::CategoryKind,
};
use weir_server::state::ClientSettings;
use weir_testkit::Document;
use weir_wire::{
    soap::ErrorCode,
    wusp::{Action, SyncUpdateParameters},
};

use crate::{
    asking::Asker,
    common::{Server, actor, id},
    driver::{device, driver_parameters},
    scan_delivery::deploy_until,
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

/// Category, detectoid, bundle and its two alternatives of the example.
const P: u128 = 1;
const D: u128 = 2;
const B: u128 = 10;
const C1: u128 = 11;
const C2: u128 = 12;

fn member(update: u128) -> UpdateIdentity {
    UpdateIdentity::new(id(update), 1)
}

fn example() -> Vec<Document> {
    vec![
        Document::category(id(P), 1, CategoryKind::Product),
        Document::detectoid(id(D), 1),
        Document::member(id(C1), 1).requires(id(D)),
        Document::member(id(C2), 1).requires(id(D)),
        Document::software(id(B), 1).requires(id(D)).in_category(id(P)).bundles([member(C1), member(C2)]),
        // nobody approves this, and nobody needs that
        Document::software(id(20), 1).requires(id(D)),
        Document::detectoid(id(21), 1),
    ]
}

#[tokio::test]
async fn c55_the_worked_example_approved_updates_only() {
    let server = Server::start().await;
    server.import(&example()).await;
    let thin = server.collection("Thin link").await;
    server.state.store.write(&actor(), |tx| tx.collection_set_approved_only(thin, true)).expect("approved only");
    let deployment = server.deploy(id(B), thin, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    server.join(&asker.agent, thin).await;

    let first = asker.software(&[], &[]).await;
    assert_eq!(first.fresh(), [P, D]);
    for update in [P, D] {
        let entry = first.entry(update);
        assert_eq!((first.action(update), entry.is_leaf), (Action::Evaluate, false), "{update}");
    }
    let second = asker.software(&[P, D], &[]).await;
    assert_eq!(second.fresh(), [B, C1, C2]);
    for (update, action) in [(B, Action::Install), (C1, Action::Bundle), (C2, Action::Bundle)] {
        assert_eq!((second.action(update), second.entry(update).is_leaf), (action, true), "{update}");
    }
    assert!(!second.info.truncated);
    for _ in 0..3 {
        let without = asker.software(&[P], &[D]).await;
        assert!(without.is_quiet(), "the detectoid is not installed: nothing, ever");
    }
    let parameters = driver_parameters(asker.parameters(&[P, D], &[]), vec![device(&["A"])]);
    let drivers = asker.sync(parameters).await;
    assert!(drivers.is_quiet());
    assert_eq!(drivers.info.driver_sync_not_needed.as_deref(), Some("true"));

    let deadline: Timestamp = "2031-02-03T04:05:06Z".parse().expect("time");
    server.state.store.write(&actor(), |tx| tx.deployment_delete(deployment)).expect("deletion");
    deploy_until(&server, B, thin, DeploymentAction::Install, Some(deadline)).await;
    let later = asker.software(&[P, D], &[B, C1, C2]).await;
    assert_eq!((later.changed(), later.fresh(), later.gone()), (vec![B], vec![], vec![]));
    assert_eq!(later.deployment(B).deadline, Some(deadline));
    assert!(asker.software(&[P, D], &[B, C1, C2]).await.is_quiet());

    server.decline(id(B)).await;
    let declined = asker.software(&[P, D], &[B, C1, C2]).await;
    assert_eq!((declined.gone(), declined.hidden()), (vec![P, D, B, C1, C2], vec![]));
    assert_eq!((declined.fresh(), declined.changed()), (vec![], vec![]));
    assert!(asker.software(&[], &[]).await.is_quiet());
}

#[tokio::test]
async fn c55_only_where_every_own_collection_has_it() {
    let server = Server::start().await;
    server.import(&example()).await;
    let (thin, wide) = (server.collection("Thin link").await, server.collection("Wide link").await);
    server.state.store.write(&actor(), |tx| tx.collection_set_approved_only(thin, true)).expect("approved only");
    server.publish().await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    assert_eq!(asker.cached(), [P, D, B, C1, C2, 20, 21], "everything is sent for detection");
    server.join(&asker.agent, thin).await;
    asker.scan().await;
    assert_eq!(asker.cached(), [], "nothing is deployed");
    server.join(&asker.agent, wide).await;
    asker.scan().await;
    assert_eq!(asker.cached(), [P, D, B, C1, C2, 20, 21]);
}

#[tokio::test]
async fn c55_a_block_takes_the_update_away() {
    let server = Server::start().await;
    server.import(&example()).await;
    let thin = server.collection("Thin link").await;
    server.state.store.write(&actor(), |tx| tx.collection_set_approved_only(thin, true)).expect("approved only");
    server.deploy(id(B), ALL, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    server.join(&asker.agent, thin).await;
    asker.scan().await;
    assert_eq!(asker.cached(), [P, D, B, C1, C2]);
    server.deploy(id(B), thin, DeploymentAction::Block).await;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.out_of_scope), [P, D, B, C1, C2]);
}

#[tokio::test]
async fn c56_a_client_goes_on_after_a_restart_between_pages() {
    let settings = || ClientSettings { page_entries: 5, ..ClientSettings::default() };
    let mut server = Server::start_with(settings()).await;
    let documents: Vec<_> = (10..22).map(|update| Document::software(id(update), 1)).collect();
    server.import(&documents).await;
    let mut asker = Asker::of(&server, 1).await;
    let mut cached = Vec::new();
    for expected in [(5, true), (5, true), (2, false)] {
        let answer = asker.software(&[], &cached).await;
        assert_eq!((answer.fresh().len(), answer.info.truncated), expected);
        assert_eq!((answer.gone(), answer.changed()), (vec![], vec![]), "what came before is still known");
        cached.extend(answer.fresh());
        server = server.restart(settings()).await;
        asker.agent.move_to(&server.base).expect("address");
    }
    cached.sort_unstable();
    assert_eq!(cached, (10..22).collect::<Vec<_>>(), "nothing twice and nothing lost");
    assert!(asker.software(&[], &cached).await.is_quiet(), "its cookie was good all the time");
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    server = server.restart(settings()).await;
    asker.agent.move_to(&server.base).expect("address");
    assert_eq!(asker.software(&[], &cached).await.changed(), [10], "changes are counted across restarts");
}

#[tokio::test]
async fn c57_a_computer_that_moves_to_another_server_converges() {
    let (here, there) = (Server::start().await, Server::start().await);
    here.import(&example()).await;
    here.deploy(id(B), ALL, DeploymentAction::Install).await;
    let mut asker = Asker::of(&here, 1).await;
    asker.scan().await;
    let before = asker.cached();

    // the other server has the same under other numbers, less one update, more another, and one in a newer revision
    let mut documents = example();
    documents.retain(|document| document.id() != id(20));
    documents.reverse();
    documents.insert(0, Document::software(id(30), 1));
    documents.push(Document::detectoid(id(21), 2));
    there.import(&documents).await;
    there.deploy(id(20 + 10), ALL, DeploymentAction::Install).await;
    asker.agent.move_to(&there.base).expect("address");
    let outcome = asker.scan().await;
    assert_eq!(outcome.recovered, [ErrorCode::InvalidCookie]);
    assert_eq!(before, [P, D, B, C1, C2, 20, 21]);
    assert_eq!(asker.cached(), [P, D, B, C1, C2, 21, 30]);
    assert_eq!(outcome.offered, [member(30)]);
    let came: Vec<u128> = outcome.new_updates().map(|it| crate::asking::number(it.update_id)).collect();
    for kept in [P, D, B] {
        assert!(!came.contains(&kept), "{kept} is kept under its new number: {came:?}");
    }

    // as if it had always been here
    let mut native = Asker::of(&there, 2).await;
    native.scan().await;
    assert_eq!(asker.agent.state.cache, native.agent.state.cache);
    let again = asker.scan().await;
    assert_eq!((again.recovered.len(), again.new_updates().count(), again.out_of_scope.len()), (0, 0, 0));
    assert_eq!(asker.action(B), Some(Action::PreDeploymentCheck), "that was deployed elsewhere only");

    // back again
    asker.agent.move_to(&here.base).expect("address");
    let outcome = asker.scan().await;
    assert_eq!(outcome.recovered, [ErrorCode::InvalidCookie]);
    assert_eq!(asker.cached(), before);
    assert_eq!(asker.action(B), Some(Action::Install));
    assert_eq!(outcome.offered, [member(B)]);
}

#[tokio::test]
async fn c57_foreign_cookies_are_refused_whatever_the_call() {
    let (here, there) = (Server::start().await, Server::start().await);
    let mut asker = Asker::of(&here, 1).await;
    asker.agent.move_to(&there.base).expect("address");
    let cookie = asker.agent.state.cookie.clone();
    let request = weir_wire::wusp::SyncUpdates { cookie, parameters: Some(SyncUpdateParameters::new()) };
    let error = asker.agent.call(&request).await.expect_err("a cookie of another server");
    assert_eq!(weir_testkit::agent::fault_code(&error), Some(ErrorCode::InvalidCookie));
    assert!(there.computer(&asker.agent).is_none(), "and nothing is stored");
}
