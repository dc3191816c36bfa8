//! What a scan says about changes since the last one (checklist 26 to 28).

use jiff::Timestamp;
use weir_model::{
    ids::{CollectionId, UpdateIdentity},
    targeting::DeploymentAction,
    update::CategoryKind,
};
use weir_testkit::{Document, ScanOutcome};
use weir_wire::{soap::ErrorCode, wusp::Action};

use crate::{
    asking::Asker,
    common::{Server, actor, id},
    scan_delivery::deploy_until,
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn software(update: u128) -> Document {
    Document::software(id(update), 1)
}

fn bundle(update: u128, members: &[u128]) -> Document {
    members.iter().fold(software(update), |bundle, member| bundle.bundles([UpdateIdentity::new(id(*member), 1)]))
}

/// Nothing of note happened.
fn assert_quiet(outcome: &ScanOutcome) {
    let nothing = (0, Vec::new(), Vec::new());
    let seen = (outcome.new_updates().count(), outcome.changed.clone(), outcome.out_of_scope.clone());
    assert_eq!(seen, nothing, "(new, changed, out of scope)");
}

async fn approved_only(server: &Server, collection: CollectionId) {
    server.state.store.write(&actor(), |tx| tx.collection_set_approved_only(collection, true)).expect("approved only");
    server.publish().await;
}

#[tokio::test]
async fn c26_only_one_revision_of_an_update_is_sent() {
    let server = Server::start().await;
    server
        .import(&[
            Document::detectoid(id(1), 1),
            Document::software(id(10), 100),
            Document::software(id(10), 102),
            Document::software(id(10), 101),
            // it bundles an older revision of its member by name: there is one revision of that too
            Document::member(id(11), 1),
            Document::member(id(11), 2),
            bundle(12, &[11]),
        ])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    let answer = asker.software(&[], &[]).await;
    assert_eq!(answer.fresh(), [1, 10, 11, 12]);
    let identity = |update: u128| {
        let xml = answer.entry(update).xml.clone().expect("Core");
        let (_, rest) = xml.split_once("RevisionNumber=\"").expect("RevisionNumber");
        rest.split_once('"').expect("the end").0.to_owned()
    };
    assert_eq!(identity(10), "102");
    assert_eq!(identity(11), "2");
}

#[tokio::test]
async fn c26_a_new_revision_replaces_the_old_and_dependants_stay() {
    let server = Server::start().await;
    server
        .import(&[
            Document::detectoid(id(1), 1),
            software(10).requires(id(1)),
            bundle(11, &[12]).requires(id(1)),
            Document::member(id(12), 1).requires(id(1)),
        ])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    let (old_detectoid, old_software) = (asker.rid(1), asker.rid(10));
    let dependants = asker.rids(&[11, 12]);

    // the detectoid: everything that needs it stays for the computer that has the old revision installed
    server.import(&[Document::detectoid(id(1), 2).installed_if("<lar:False />")]).await;
    let mut parameters = asker.parameters(&[1], &[]);
    parameters.other_cached_update_ids = [vec![old_software], dependants.clone()].concat();
    let answer = asker.sync(parameters).await;
    assert_eq!(answer.info.out_of_scope_revision_ids, [old_detectoid]);
    assert_eq!(answer.hidden(), []);
    assert_eq!(answer.fresh(), [1]);
    assert_eq!(answer.changed(), []);
    assert!(!answer.entry(1).is_leaf);
    let new_detectoid = asker.rid(1);
    assert_ne!(new_detectoid, old_detectoid);
    assert!(asker.software(&[1], &[10, 11, 12]).await.is_quiet());

    // the software: old out, new in, in one answer
    server.import(&[Document::software(id(10), 2).requires(id(1))]).await;
    let answer = asker.software(&[1], &[10, 11, 12]).await;
    assert_eq!((answer.fresh(), answer.info.out_of_scope_revision_ids.as_slice()), (vec![10], &[old_software][..]));
    assert!(asker.software(&[1], &[10, 11, 12]).await.is_quiet());

    // an older revision that arrives late changes nothing
    server.import(&[Document::detectoid(id(20), 1), Document::software(id(10), 0).requires(id(1))]).await;
    assert_eq!(asker.software(&[1], &[10, 11, 12]).await.fresh(), [20]);
    assert!(asker.software(&[1], &[10, 11, 12, 20]).await.is_quiet());
    assert_eq!(asker.rids(&[11, 12]), dependants, "dependants were never sent again");
}

#[tokio::test]
async fn c26_a_deployment_follows_the_newest_revision() {
    let server = Server::start().await;
    server.import(&[software(10)]).await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    assert_eq!(asker.scan().await.offered, [UpdateIdentity::new(id(10), 1)]);
    server.import(&[Document::software(id(10), 7)]).await;
    let outcome = asker.scan().await;
    assert_eq!(outcome.offered, [UpdateIdentity::new(id(10), 7)]);
    assert_eq!(asker.cached(), [10]);
    assert_quiet(&asker.scan().await);
}

#[tokio::test]
async fn c27_a_decline_takes_exactly_that_update() {
    let server = Server::start().await;
    server
        .import(&[
            Document::detectoid(id(1), 1),
            bundle(10, &[11]).requires(id(1)),
            Document::member(id(11), 1),
            software(12).requires(id(1)).supersedes(id(10)),
            software(13),
        ])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    server.decline(id(10)).await;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.out_of_scope), [10]);
    assert_eq!((outcome.new_updates().count(), outcome.changed.len()), (0, 0));
    assert_quiet(&asker.scan().await);
    // taken back: it comes again, under its old number
    let rid = asker.rid(10);
    server.state.store.write(&actor(), |tx| tx.update_undecline(id(10))).expect("undecline");
    server.publish().await;
    let outcome = asker.scan().await;
    assert_eq!(outcome.new_updates().collect::<Vec<_>>(), [UpdateIdentity::new(id(10), 1)]);
    assert_eq!(asker.rid(10), rid);
}

#[tokio::test]
async fn c27_an_approval_taken_back_takes_what_only_it_needed() {
    let server = Server::start().await;
    server
        .import(&[
            Document::category(id(1), 1, CategoryKind::Product),
            Document::detectoid(id(2), 1),
            Document::detectoid(id(3), 1),
            bundle(10, &[11]).requires(id(2)).in_category(id(1)),
            Document::member(id(11), 1).requires(id(3)),
            software(20).requires(id(2)),
            software(30),
        ])
        .await;
    let thin = server.collection("Thin").await;
    approved_only(&server, thin).await;
    let first = server.deploy(id(10), thin, DeploymentAction::Install).await;
    server.deploy(id(20), thin, DeploymentAction::Install).await;
    let (mut full, mut thin_one) = (Asker::of(&server, 1).await, Asker::of(&server, 2).await);
    thin_one.software(&[], &[]).await;
    server.join(&thin_one.agent, thin).await;
    full.scan().await;
    thin_one.scan().await;
    assert_eq!(full.cached(), [1, 2, 3, 10, 11, 20, 30]);
    assert_eq!(thin_one.cached(), [1, 2, 3, 10, 11, 20]);

    server.undeploy(first).await;
    let outcome = thin_one.scan().await;
    assert_eq!(thin_one.named(&outcome.out_of_scope), [1, 3, 10, 11], "20 still needs 2");
    assert_eq!((outcome.new_updates().count(), outcome.changed.len()), (0, 0));
    assert_eq!(thin_one.cached(), [2, 20]);
    assert_quiet(&thin_one.scan().await);
    // where everything is sent for detection nothing leaves, and nothing was deployed to that computer
    assert_quiet(&full.scan().await);
}

#[tokio::test]
async fn c27_an_approval_taken_back_is_a_change_where_everything_is_sent() {
    let server = Server::start().await;
    server.import(&[software(10), software(20)]).await;
    let deployment = server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    assert_eq!(asker.action(10), Some(Action::Install));
    server.undeploy(deployment).await;
    let outcome = asker.scan().await;
    assert_eq!((asker.named(&outcome.changed), outcome.out_of_scope.len()), (vec![10], 0));
    assert_eq!(asker.action(10), Some(Action::PreDeploymentCheck));
    assert_quiet(&asker.scan().await);
}

#[tokio::test]
async fn c27_a_computer_that_changes_groups_loses_exactly_what_was_for_the_old_one() {
    let server = Server::start().await;
    server
        .import(&[
            Document::detectoid(id(1), 1),
            Document::detectoid(id(2), 1),
            Document::detectoid(id(3), 1),
            software(10).requires(id(1)).requires(id(2)),
            software(20).requires(id(1)).requires(id(3)),
            software(30).requires(id(1)),
        ])
        .await;
    let (first, second) = (server.collection("First").await, server.collection("Second").await);
    for collection in [first, second] {
        approved_only(&server, collection).await;
        server.deploy(id(30), collection, DeploymentAction::Install).await;
    }
    server.deploy(id(10), first, DeploymentAction::Install).await;
    server.deploy(id(20), second, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    server.join(&asker.agent, first).await;
    asker.scan().await;
    assert_eq!(asker.cached(), [1, 2, 10, 30]);

    server.leave(&asker.agent, first).await;
    server.join(&asker.agent, second).await;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.out_of_scope), [2, 10]);
    assert_eq!(asker.cached(), [1, 3, 20, 30]);
    let mut offered = outcome.offered;
    offered.sort();
    assert_eq!(offered, [UpdateIdentity::new(id(20), 1), UpdateIdentity::new(id(30), 1)]);
    assert_quiet(&asker.scan().await);
}

#[tokio::test]
async fn c28_a_move_that_decides_nothing_else_tells_nothing() {
    let server = Server::start().await;
    server
        .import(&[
            Document::detectoid(id(1), 1),
            software(10).requires(id(1)),
            software(11),
            software(12),
            software(13),
        ])
        .await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let (berlin, paris) = (server.collection("Berlin").await, server.collection("Paris").await);
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;

    // between collections to which nothing is deployed
    server.join(&asker.agent, berlin).await;
    assert_quiet(&asker.scan().await);
    server.leave(&asker.agent, berlin).await;
    server.join(&asker.agent, paris).await;
    assert_quiet(&asker.scan().await);

    // what else changed meanwhile is told, and nothing but that
    server.leave(&asker.agent, paris).await;
    server.deploy(id(11), ALL, DeploymentAction::Install).await;
    let outcome = asker.scan().await;
    assert_eq!((asker.named(&outcome.changed), asker.action(11)), (vec![11], Some(Action::Install)));
    assert_quiet(&asker.scan().await);

    // the first deployment to a collection of the computer is a change of one update, as any other
    server.join(&asker.agent, berlin).await;
    assert_quiet(&asker.scan().await);
    let first = server.deploy(id(12), berlin, DeploymentAction::Install).await;
    let outcome = asker.scan().await;
    assert_eq!((asker.named(&outcome.changed), asker.action(12)), (vec![12], Some(Action::Install)));

    // a deployment that loses on the computer's other branch decides nothing
    server.deploy(id(12), paris, DeploymentAction::Detect).await;
    assert_quiet(&asker.scan().await);
    server.join(&asker.agent, paris).await;
    assert_quiet(&asker.scan().await);
    assert_eq!(asker.action(12), Some(Action::Install));

    // there and back between two scans
    server.leave(&asker.agent, berlin).await;
    server.join(&asker.agent, berlin).await;
    assert_quiet(&asker.scan().await);
    // the last deployment to a collection goes, and the computer stays
    server.undeploy(first).await;
    let outcome = asker.scan().await;
    assert_eq!((asker.named(&outcome.changed), asker.action(12)), (vec![12], Some(Action::PreDeploymentCheck)));
    assert_quiet(&asker.scan().await);
}

#[tokio::test]
async fn c28_a_move_that_decides_something_else_is_never_missed() {
    let server = Server::start().await;
    server.import(&[Document::detectoid(id(1), 1), software(10).requires(id(1)), software(11), software(12)]).await;
    server.deploy(id(10), ALL, DeploymentAction::Optional).await;
    let (pilot, broad) = (server.collection("Pilot").await, server.collection("Broad").await);
    let ring = server.deploy(id(11), pilot, DeploymentAction::Install).await;
    server.deploy(id(11), broad, DeploymentAction::Optional).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    let moved = async |asker: &mut Asker, expected: Action| {
        let outcome = asker.scan().await;
        assert!(asker.named(&outcome.changed).contains(&11), "{:?}", asker.named(&outcome.changed));
        assert_eq!((asker.action(10), asker.action(11)), (Some(Action::OptionalInstall), Some(expected)));
        assert_quiet(&asker.scan().await);
    };
    server.join(&asker.agent, pilot).await;
    moved(&mut asker, Action::Install).await;
    server.join(&asker.agent, broad).await;
    assert_quiet(&asker.scan().await);
    server.leave(&asker.agent, pilot).await;
    moved(&mut asker, Action::OptionalInstall).await;
    server.leave(&asker.agent, broad).await;
    moved(&mut asker, Action::PreDeploymentCheck).await;

    // it leaves while its deployment is deleted, and comes while there is another one
    server.join(&asker.agent, pilot).await;
    moved(&mut asker, Action::Install).await;
    server.undeploy(ring).await;
    server.leave(&asker.agent, pilot).await;
    moved(&mut asker, Action::PreDeploymentCheck).await;
    server.deploy(id(11), pilot, DeploymentAction::Uninstall).await;
    server.join(&asker.agent, pilot).await;
    moved(&mut asker, Action::Uninstall).await;
    // what comes to a collection that it left is not for it
    server.leave(&asker.agent, pilot).await;
    server.deploy(id(12), pilot, DeploymentAction::Install).await;
    moved(&mut asker, Action::PreDeploymentCheck).await;
    assert_eq!(asker.action(12), Some(Action::PreDeploymentCheck));
}

#[tokio::test]
async fn c28_each_change_is_told_once() {
    let server = Server::start().await;
    server.import(&[Document::detectoid(id(1), 1), software(10), software(11), software(12)]).await;
    let mut asker = Asker::of(&server, 1).await;
    let mut bystander = Asker::of(&server, 2).await;
    asker.scan().await;
    bystander.scan().await;

    // an action
    let deployment = server.deploy(id(10), ALL, DeploymentAction::Detect).await;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.changed), [10]);
    assert_quiet(&asker.scan().await);
    let replace = async |deployment, action, deadline| {
        server.state.store.write(&actor(), |tx| tx.deployment_delete(deployment)).expect("deletion");
        deploy_until(&server, 10, ALL, action, deadline).await
    };
    let deployment = replace(deployment, DeploymentAction::Install, None).await;
    let outcome = asker.scan().await;
    assert_eq!((asker.named(&outcome.changed), asker.action(10)), (vec![10], Some(Action::Install)));
    assert_quiet(&asker.scan().await);

    // a deadline
    let deadline: Timestamp = "2031-02-03T04:05:06Z".parse().expect("time");
    replace(deployment, DeploymentAction::Install, Some(deadline)).await;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.changed), [10]);
    let cached = &asker.agent.state.cache[&asker.rid(10).0];
    assert_eq!(cached.deadline, Some(deadline));
    assert_quiet(&asker.scan().await);

    // IsLeaf: the new update comes, and what it names is no leaf any more
    server.import(&[software(13).requires(id(11)).requires(id(1))]).await;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.changed), [1, 11]);
    assert_eq!(outcome.new_updates().count(), 0, "11 is not installed");
    assert!(!asker.agent.state.cache[&asker.rid(11).0].is_leaf);
    assert_quiet(&asker.scan().await);
    asker.agent.computer.installed.insert(id(11));
    assert_eq!(asker.scan().await.new_updates().collect::<Vec<_>>(), [UpdateIdentity::new(id(13), 1)]);

    // the computer that was away meanwhile hears of each change once, as it is now
    let outcome = bystander.scan().await;
    assert_eq!(bystander.named(&outcome.changed), [1, 10, 11]);
    assert_eq!(bystander.action(10), Some(Action::Install));
    assert_quiet(&bystander.scan().await);
}

#[tokio::test]
async fn c28_changes_come_on_any_page_and_only_there() {
    let server = Server::start().await;
    server.import(&[software(10), software(11)]).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    server.set(|settings| settings.page_entries = 2);
    server.import(&[software(20), software(21), software(22), software(23), software(24)]).await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let mut cached = vec![10, 11];
    let mut changes = Vec::new();
    for pages in 0.. {
        let answer = asker.software(&[], &cached).await;
        cached.extend(answer.fresh());
        changes.extend(answer.changed());
        // a change while the pages are under way
        if pages == 0 {
            server.deploy(id(11), ALL, DeploymentAction::Install).await;
        }
        if !answer.info.truncated {
            assert_eq!(pages, 2);
            break;
        }
    }
    assert_eq!(changes, [10, 11]);
    assert!(asker.software(&[], &cached).await.is_quiet());
}

#[tokio::test]
async fn c28_a_renewed_cookie_keeps_the_anchor_and_a_lost_one_tells_everything_once() {
    let server = Server::start().await;
    server.import(&[Document::detectoid(id(1), 1), software(10).requires(id(1)), software(11)]).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    server.deploy(id(11), ALL, DeploymentAction::Install).await;
    // a setting that GetConfig shows makes the agent renew its cookie and hand the old one in
    server.set_configuration(|settings| settings.package_share = "\\\\here\\share".to_owned());
    let outcome = asker.scan().await;
    assert_eq!(outcome.recovered, [ErrorCode::ConfigChanged]);
    assert_eq!(asker.named(&outcome.changed), [11], "only what changed");

    asker.agent.state.cookie = None;
    let outcome = asker.scan().await;
    assert_eq!(asker.named(&outcome.changed), [1, 10, 11], "the server cannot know what the computer knows");
    assert_eq!((outcome.new_updates().count(), outcome.out_of_scope.len()), (0, 0));
    assert_quiet(&asker.scan().await);
}
