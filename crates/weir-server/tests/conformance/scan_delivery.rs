//! What a software pass delivers, and in what form (checklist 18 to 23, 25, 29, 32, 33).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use weir_model::{
    ids::{CollectionId, RevisionId, UpdateIdentity},
    targeting::{DeploymentAction, DeploymentOrigin},
    update::CategoryKind,
};
use weir_store::deployment::{Deployed, NewDeployment};
use weir_testkit::{Computer, Document};
use weir_wire::wusp::{Action, SyncUpdateParameters};

use crate::{
    asking::Asker,
    common::{Server, id},
    driver::{device, driver_parameters, metadata},
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn member(update: u128) -> UpdateIdentity {
    UpdateIdentity::new(id(update), 1)
}

fn software(update: u128) -> Document {
    Document::software(id(update), 1)
}

fn detectoid(update: u128) -> Document {
    Document::detectoid(id(update), 1)
}

fn category(update: u128, kind: CategoryKind) -> Document {
    Document::category(id(update), 1, kind)
}

#[tokio::test]
async fn c18_the_first_call_brings_what_has_no_prerequisites() {
    let server = Server::start().await;
    server
        .import(&[
            category(1, CategoryKind::Company),
            category(2, CategoryKind::ProductFamily).in_category(id(1)),
            category(3, CategoryKind::Product).in_category(id(2)),
            category(4, CategoryKind::UpdateClassification),
            detectoid(5),
            detectoid(6).requires(id(5)),
            software(10),
            software(11).requires(id(6)),
            software(12).in_category(id(3)),
            software(13).bundles([member(14)]).bundles([member(15)]),
            Document::member(id(14), 1).requires(id(5)),
            Document::member(id(15), 1),
            Document::driver(id(16), 1).driver_metadata(metadata("A")),
            // not in the scope: declined, expired, and two that lack something
            software(17),
            software(18).expired(),
            software(19).requires(id(99)),
            software(20).bundles([member(98)]),
            // expired detectoids stay for what needs them
            detectoid(21).expired(),
            software(22).requires(id(21)),
        ])
        .await;
    server.decline(id(17)).await;
    let mut asker = Asker::of(&server, 1).await;
    let answer = asker.software(&[], &[]).await;
    assert_eq!(answer.fresh(), [1, 4, 5, 10, 13, 15, 21]);
    assert!(!answer.info.truncated);
    let outcome = asker.scan().await;
    assert_eq!(asker.cached(), [1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 21, 22], "stage by stage, the whole scope");
    assert_eq!(outcome.pages[0].len(), 7);
}

#[tokio::test]
async fn c19_prerequisites_gate() {
    let server = Server::start().await;
    server
        .import(&[
            detectoid(1),
            detectoid(2),
            detectoid(3),
            category(4, CategoryKind::Product),
            software(10).requires(id(1)).requires(id(2)),
            software(11).requires_any([id(1), id(2)]),
            software(12).requires_any([id(1), id(2)]).requires_any([id(3)]),
            software(13).in_category(id(4)),
            software(14).requires(id(1)).in_category(id(4)),
            // an alternative that nobody knows takes nothing away from the other
            software(15).requires_any([id(1), id(99)]),
            // software can be a prerequisite too
            software(16).requires(id(10)),
        ])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    asker.agent.computer.installed.insert(id(10));
    asker.scan().await;
    let table: [(&[u128], &[u128]); 9] = [
        (&[], &[]),
        (&[1], &[11, 15]),
        (&[2], &[11]),
        (&[3], &[]),
        (&[1, 2], &[10, 11, 15]),
        (&[1, 3], &[11, 12, 15]),
        (&[4], &[13]),
        (&[1, 4], &[11, 13, 14, 15]),
        (&[10], &[16]),
    ];
    for (installed, expected) in table {
        // what is only cached never meets a prerequisite
        let other: Vec<u128> = (1..=4).filter(|update| !installed.contains(update)).collect();
        assert_eq!(asker.software(installed, &other).await.fresh(), expected, "{installed:?} are installed");
    }
    assert_eq!(asker.software(&[1, 2], &[3, 4, 10]).await.fresh(), [11, 15], "10 is cached, so 16 stays closed");
}

#[tokio::test]
async fn c20_categories_and_detectoids_come_as_evaluate_and_drivers_never() {
    let server = Server::start().await;
    server
        .import(&[
            category(1, CategoryKind::Product).title("Only of a driver"),
            category(2, CategoryKind::Product).title("Of nothing"),
            detectoid(3).title("Only of a driver"),
            detectoid(4).title("Of nothing"),
            detectoid(5),
            Document::driver(id(10), 1).driver_metadata(metadata("A")).requires(id(3)).in_category(id(1)),
            Document::driver(id(11), 1).driver_metadata(metadata("B")),
            software(12).requires(id(5)),
        ])
        .await;
    server.deploy(id(11), ALL, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    let answer = asker.software(&[], &[]).await;
    assert_eq!(answer.fresh(), [1, 2, 3, 4, 5]);
    for update in 1..=5 {
        assert_eq!(answer.action(update), Action::Evaluate, "{update}");
    }
    assert_eq!(asker.software(&[1, 3, 5], &[2, 4]).await.fresh(), [12]);
    // and the driver pass brings nothing else
    let parameters = driver_parameters(asker.parameters(&[1, 3, 5], &[]), vec![device(&["A"]), device(&["B"])]);
    assert_eq!(asker.sync(parameters).await.fresh(), [10, 11]);
}

#[tokio::test]
async fn c21_only_targets_of_prerequisites_are_no_leaves() {
    let server = Server::start().await;
    server
        .import(&[
            category(1, CategoryKind::Company),
            category(2, CategoryKind::Product).in_category(id(1)),
            detectoid(3),
            detectoid(4),
            detectoid(5),
            software(10).requires(id(3)).in_category(id(2)).supersedes(id(14)),
            software(11).requires_any([id(3), id(4)]),
            Document::member(id(12), 1),
            software(13).bundles([member(12)]),
            software(14),
            software(15),
            software(16).requires(id(15)),
        ])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    asker.agent.computer.installed.insert(id(15));
    asker.scan().await;
    let is_leaf = |leaf: bool| -> BTreeSet<u128> {
        let cache = asker.agent.state.cache.values().filter(|cached| cached.is_leaf == leaf);
        cache.map(|cached| crate::asking::number(cached.identity.update_id)).collect()
    };
    assert_eq!(is_leaf(false), [1, 2, 3, 4, 15].into());
    assert_eq!(is_leaf(true), [5, 10, 11, 12, 13, 14, 16].into(), "members and superseded ones are leaves");
}

#[tokio::test]
async fn c22_bundles_bring_every_member_of_every_alternative() {
    let server = Server::start().await;
    server
        .import(&[
            detectoid(1),
            software(10).requires(id(1)).bundles([member(11), member(12)]).bundles([member(13)]),
            Document::member(id(11), 1).requires(id(1)),
            Document::member(id(12), 1).requires(id(1)),
            // a bundle within the bundle
            Document::member(id(13), 1).requires(id(1)).bundles([member(14), member(15)]),
            Document::member(id(14), 1).requires(id(1)),
            Document::member(id(15), 1),
            software(20).requires(id(1)).bundles([member(21)]),
            Document::member(id(21), 1).requires(id(1)),
        ])
        .await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    let first = asker.software(&[], &[]).await;
    assert_eq!(first.fresh(), [1, 15]);
    assert_eq!(first.action(15), Action::Bundle);
    let answer = asker.software(&[1], &[15]).await;
    assert_eq!(answer.fresh(), [10, 11, 12, 13, 14, 20, 21]);
    assert_eq!(answer.action(10), Action::Install);
    assert_eq!(answer.action(20), Action::PreDeploymentCheck, "nobody deployed it");
    for update in [11, 12, 13, 14, 21] {
        assert_eq!(answer.action(update), Action::Bundle, "{update}");
    }
}

/// The names of the elements of each UpdateInfo, and their texts.
fn update_infos(answer: &str) -> Vec<Vec<(String, String)>> {
    let mut found = Vec::new();
    for part in answer.split("<UpdateInfo>").skip(1) {
        let (part, _) = part.split_once("</UpdateInfo>").expect("the end of UpdateInfo");
        let starts = part.split('<').filter(|tag| !tag.is_empty() && !tag.starts_with('/'));
        let element = |tag: &str| {
            let (name, text) = tag.split_once('>').expect("a whole tag");
            (name.to_owned(), text.to_owned())
        };
        found.push(starts.map(element).collect());
    }
    found
}

fn text<'a>(update: &'a [(String, String)], name: &str) -> &'a str {
    &update.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[tokio::test]
async fn c23_every_entry_has_a_deployment_in_order() {
    let server = Server::start().await;
    server.import(&[detectoid(1), software(10), software(11), software(12).requires(id(1))]).await;
    let deadline: Timestamp = "2031-02-03T04:05:06Z".parse().expect("time");
    deploy_until(&server, 10, ALL, DeploymentAction::Install, Some(deadline)).await;
    let optional = server.deploy(id(11), ALL, DeploymentAction::Optional).await;
    let mut asker = Asker::of(&server, 1).await;
    let today = Timestamp::now();
    let new = asker.text(&server, SyncUpdateParameters::new()).await;
    asker.software(&[], &[]).await;
    // a change, something new, something gone and something hidden in one answer
    server.deploy(id(12), ALL, DeploymentAction::Install).await;
    server.undeploy(optional).await;
    let mut parameters = asker.parameters(&[1], &[10, 11]);
    parameters.other_cached_update_ids.push(RevisionId(1_000_000));
    let changed = asker.text(&server, parameters).await;

    let (new, changed) = (update_infos(&new), update_infos(&changed));
    assert_eq!((new.len(), changed.len()), (3, 2));
    let plain = ["ID", "Deployment", "ID", "Action", "IsAssigned", "LastChangeTime", "AutoSelect", "AutoDownload"];
    for update in new.iter().chain(&changed) {
        let mut expected: Vec<&str> = plain.to_vec();
        expected.extend(["SupersedenceBehavior", "IsLeaf"]);
        let names: Vec<&str> = update.iter().map(|(name, _)| name.as_str()).collect();
        if names.contains(&"Deadline") {
            expected.insert(4, "Deadline");
            assert_eq!(text(update, "Deadline"), "2031-02-03T04:05:06Z");
        }
        if names.contains(&"Xml") {
            expected.push("Xml");
        }
        assert_eq!(names, expected);
        let date = text(update, "LastChangeTime");
        let (earliest, latest) = (today.to_string(), Timestamp::now().to_string());
        assert!(*date >= earliest[..10] && *date <= latest[..10] && date.len() == 10, "{date} is no date of today");
        assert_eq!(["AutoSelect", "AutoDownload", "SupersedenceBehavior"].map(|name| text(update, name)), ["0"; 3]);
    }
    assert_eq!(new.iter().filter(|update| update.iter().any(|(name, _)| name == "Deadline")).count(), 1);
    let ids: BTreeSet<&str> = new.iter().map(|update| update[2].1.as_str()).collect();
    assert_eq!(ids.len(), 3, "each deployment has an id of its own: {ids:?}");
}

#[tokio::test]
async fn c23_the_answer_is_in_the_order_of_the_schema() {
    let server = Server::start().await;
    server
        .import(&[detectoid(1), detectoid(2), software(10), software(11).requires(id(2)), software(12).requires(id(1))])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    asker.software(&[1, 2], &[10]).await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    // 12 is new, 10 changed, 11 is gated, the last is unknown
    let mut parameters = asker.parameters(&[1], &[10, 11, 2]);
    parameters.other_cached_update_ids.push(RevisionId(1_000_000));
    let answer = asker.text(&server, parameters).await;
    let names = [
        "<NewUpdates><UpdateInfo>",
        "<OutOfScopeRevisionIDs><int>1000000</int></OutOfScopeRevisionIDs>",
        "<ChangedUpdates><UpdateInfo>",
        "<Truncated>false</Truncated>",
        "<NewCookie><Expiration>",
        "<DeployedOutOfScopeRevisionIds><int>",
        "<DriverSyncNotNeeded>true</DriverSyncNotNeeded></SyncUpdatesResult>",
    ];
    let mut from = 0;
    for name in names {
        let place = answer[from..].find(name).unwrap_or_else(|| panic!("{name} is not in its place: {answer}"));
        from += place + name.len();
    }
}

#[tokio::test]
async fn c25_the_same_request_gets_the_same_answer() {
    let server = Server::start().await;
    server.import(&[detectoid(1), software(10), software(11).requires(id(1)), software(12)]).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    server.deploy(id(12), ALL, DeploymentAction::Install).await;
    server.decline(id(10)).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = asker.text(&server, asker.parameters(&[1], &[10, 12])).await;
        // only the cookie is sealed anew
        let (before, rest) = answer.split_once("<EncryptedData>").expect("a cookie");
        let (sealed, after) = rest.split_once("</EncryptedData>").expect("the end of the cookie");
        answers.push((format!("{before}{after}"), sealed.to_owned()));
    }
    assert_eq!(answers[0].0, answers[1].0);
    assert_eq!(answers[0].0, answers[2].0);
    assert_eq!(update_infos(&answers[0].0).len(), 2, "11 is new and 12 changed each time");
    assert_ne!(answers[0].1, answers[1].1);
}

#[tokio::test]
async fn c29_unknown_ids_are_out_of_scope() {
    let server = Server::start().await;
    server.import(&[detectoid(1), software(10).requires(id(1))]).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    for two_groups in [None, Some(false), Some(true)] {
        let mut parameters = asker.parameters(&[1], &[]);
        parameters.need_two_group_out_of_scope_updates = two_groups;
        // twice the same, in both lists, and numbers that no server would give
        parameters.installed_non_leaf_update_ids.extend([700_000, 700_001, 700_000].map(RevisionId));
        parameters.other_cached_update_ids.extend([700_002, 700_001, 0, -5, i32::MAX].map(RevisionId));
        let answer = asker.sync(parameters).await;
        let mut gone: Vec<i32> = answer.info.out_of_scope_revision_ids.iter().map(|rid| rid.0).collect();
        gone.sort_unstable();
        assert_eq!(gone, [-5, 0, 700_000, 700_001, 700_002, i32::MAX], "{two_groups:?}");
        assert_eq!(answer.hidden(), []);
        assert_eq!(answer.fresh(), [10], "what is known counts all the same");
    }
    let mut parameters = driver_parameters(asker.parameters(&[1], &[]), vec![device(&["A"])]);
    parameters.cached_driver_ids = vec![RevisionId(700_003)];
    assert_eq!(asker.sync(parameters).await.info.out_of_scope_revision_ids, [RevisionId(700_003)]);
}

/// A deployment from now on with a deadline.
pub(crate) async fn deploy_until(
    server: &Server,
    update: u128,
    collection: CollectionId,
    action: DeploymentAction,
    deadline_at: Option<Timestamp>,
) -> weir_model::ids::DeploymentId {
    let new = NewDeployment {
        guid: uuid::Uuid::new_v4(),
        deployed: Deployed::Update { id: id(update), revision: None },
        collection,
        action,
        available_at: Timestamp::now() - SignedDuration::from_secs(1),
        deadline_at,
        origin: DeploymentOrigin::Local,
        active: false,
        terms: weir_model::deployment::Terms::default(),
    };
    server.deploy_as(new).await
}

#[tokio::test]
async fn c32_actions_and_deadlines_pass_through() {
    let server = Server::start().await;
    server.import(&[software(10), software(11), software(12), software(13), software(14), software(15)]).await;
    let past: Timestamp = "2020-01-01T00:00:00Z".parse().expect("time");
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    let outer = server.collection("Outer").await;
    let inner = server.nested("Inner", Some(outer)).await;
    server.join(&asker.agent, inner).await;
    server.deploy(id(10), outer, DeploymentAction::Install).await;
    server.deploy(id(10), inner, DeploymentAction::Block).await;
    server.deploy(id(11), ALL, DeploymentAction::Uninstall).await;
    server.deploy(id(12), outer, DeploymentAction::Optional).await;
    deploy_until(&server, 13, inner, DeploymentAction::Install, Some(past)).await;
    server.deploy(id(14), ALL, DeploymentAction::Detect).await;
    server.deploy(id(15), outer, DeploymentAction::Install).await;

    let answer = asker.software(&[], &[]).await;
    let seen = |update| {
        let deployment = answer.deployment(update);
        (deployment.action, deployment.is_assigned, deployment.deadline)
    };
    assert_eq!(seen(10), (Action::PreDeploymentCheck, true, None), "the block hides the inherited installation");
    assert_eq!(seen(11), (Action::Uninstall, true, None));
    assert_eq!(seen(12), (Action::OptionalInstall, false, None));
    assert_eq!(seen(13), (Action::Install, true, Some(past)));
    assert_eq!(seen(14), (Action::PreDeploymentCheck, true, None));
    assert_eq!(seen(15), (Action::Install, true, None));
    // another computer of the outer collection is not concerned by the block
    let mut other = Asker::of(&server, 2).await;
    other.software(&[], &[]).await;
    server.join(&other.agent, outer).await;
    let answer = other.software(&[], &[]).await;
    assert_eq!(answer.action(10), Action::Install);
    assert_eq!(answer.action(13), Action::PreDeploymentCheck, "that is deployed further down");
}

#[tokio::test]
async fn c33_fields_wait_for_their_version() {
    let server = Server::start().await;
    server
        .import(&[
            category(1, CategoryKind::Product),
            category(2, CategoryKind::Product),
            detectoid(3),
            software(10).requires(id(3)),
            Document::driver(id(11), 1).driver_metadata(metadata("PCI\\A")),
        ])
        .await;
    // versions compare as numbers, not as decimals
    let versions = [("1.0", 0), ("1.6", 6), ("1.7", 7), ("1.8", 8), ("1.10", 10), ("2.0", 20), ("2.90", 90)];
    for (protocol, level) in versions {
        let mut asker = Asker::speaking(&server, level, protocol).await;
        asker.software(&[], &[]).await;
        asker.software(&[3], &[1, 2]).await;
        let scan = asker.text(&server, SyncUpdateParameters::new()).await;
        let drivers = driver_parameters(SyncUpdateParameters::new(), vec![device(&["pci\\a"])]);
        let drivers = asker.text(&server, drivers).await;
        assert_eq!((update_infos(&scan).len(), update_infos(&drivers).len()), (3, 1), "{protocol}");

        assert_eq!(drivers.contains("<HardwareIds><string>pci\\a</string></HardwareIds>"), level >= 6, "{protocol}");
        for answer in [&scan, &drivers] {
            for name in ["AutoSelect", "AutoDownload", "SupersedenceBehavior"] {
                assert_eq!(answer.contains(&format!("<{name}>0</{name}>")), level >= 8, "{protocol}: {name}");
            }
            assert_eq!(answer.contains("<DriverSyncNotNeeded>false</DriverSyncNotNeeded>"), level >= 7, "{protocol}");
        }

        let filtered = asker.filtered(&[1], &[], &[]);
        let expected: &[u128] = if level >= 7 { &[1] } else { &[1, 2, 3] };
        assert_eq!(asker.sync(filtered).await.fresh(), expected, "{protocol}: the filter");
        // 10 is gated, but in scope
        let answer = asker.software(&[], &[1, 2, 3, 10]).await;
        let lists = if level >= 7 { (vec![], vec![10]) } else { (vec![10], vec![]) };
        assert_eq!((answer.gone(), answer.hidden()), lists, "{protocol}: the two lists");
    }
    // a computer may come back with a newer agent
    let mut computer = Computer::numbered(0);
    computer.protocol_version = "2.90".to_owned();
    let asker = Asker::playing(&server, computer).await;
    assert!(asker.text(&server, SyncUpdateParameters::new()).await.contains("<AutoSelect>0</AutoSelect>"));
}
