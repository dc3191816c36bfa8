//! Replicas mirror what their parent decided; others never ask.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_model::{
    criteria::Rule,
    ids::{CollectionId, RevisionNumber},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    collection::NewCollection,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, NewDeployment},
};
use weir_testkit::{
    Document, Payload,
    engine::Direct,
    upstream::{At, Trouble, Upstream},
};
use weir_wire::wsss::{Operation, ServerSyncDeployment, ServerSyncTargetGroup};

use super::support::*;

const PILOT: u128 = 0x9107;

fn group(id: u128, parent: CollectionId, name: &str) -> ServerSyncTargetGroup {
    ServerSyncTargetGroup {
        target_group_id: CollectionId(Uuid::from_u128(id)),
        parent_group_id: parent,
        name: Some(name.to_owned()),
        is_builtin: false,
    }
}

fn deployment(guid: u128, update: u128, revision: u32, to: CollectionId, action: i32) -> ServerSyncDeployment {
    ServerSyncDeployment {
        update_id: id(update),
        revision_number: RevisionNumber(revision),
        action,
        admin_name: Some("PARENT\\admin".to_owned()),
        deadline: None.into(),
        is_assigned: true,
        go_live_time: Timestamp::UNIX_EPOCH,
        deployment_guid: Uuid::from_u128(guid),
        target_group_id: to,
        download_priority: 2,
    }
}

fn pilot() -> CollectionId {
    CollectionId(Uuid::from_u128(PILOT))
}

async fn replica() -> Downstream {
    let mut downstream = Downstream::new().await;
    downstream.replica = true;
    downstream
}

fn deployments(downstream: &Downstream) -> Vec<DeploymentRow> {
    downstream.read(|tx| Ok(tx.deployment_list(&DeploymentFilter::default(), None, 100)?.items))
}

fn declined(downstream: &Downstream, update: u128) -> Option<String> {
    downstream.read(|tx| tx.update_flags(id(update))).declined.map(|(by, _)| by)
}

#[tokio::test]
async fn item_29_an_autonomous_server_never_asks_for_deployments() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    downstream.sync(&upstream).await;
    assert_eq!(count(&upstream, Operation::GetDeployments), 0);
}

#[tokio::test]
async fn item_29_a_replica_takes_everything_and_mirrors_its_parent() {
    let other = Document::software(id(11), 1);
    let mut served = served([software(10, 1), software(12, 1), other]);
    served.groups.push(group(PILOT, CollectionId::ALL_COMPUTERS, "Pilot"));
    served.groups.push(group(PILOT + 1, pilot(), "Ring 2"));
    served.deploy(deployment(1, 10, 1, pilot(), 0));
    served.deploy(deployment(2, 12, 1, CollectionId::ALL_COMPUTERS, 3));
    served.hidden.insert(id(11));
    let upstream = Upstream::start(served);
    let downstream = replica().await;
    let outcome = downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream), "products that are chosen do not matter");
    assert!(filters(&upstream).iter().all(|filter| filter.categories.is_none() && filter.classifications.is_none()));
    assert_eq!((outcome.deployments, outcome.declined, outcome.held), (2, 1, 0));
    let ring = downstream.read(|tx| tx.collection_find("ring 2")).expect("mirrored");
    assert_eq!((ring.parent, ring.kind), (Some(pilot()), CollectionKind::TargetGroup));
    let rows = deployments(&downstream);
    let seen: Vec<_> = rows.iter().map(|row| (row.guid.as_u128(), row.action, row.collection, row.origin)).collect();
    assert_eq!(
        seen,
        [
            (1, DeploymentAction::Install, pilot(), DeploymentOrigin::Parent),
            (2, DeploymentAction::Block, CollectionId::ALL_COMPUTERS, DeploymentOrigin::Parent),
        ]
    );
    assert_eq!(declined(&downstream, 11).as_deref(), Some("parent"));

    // changes: a deployment goes, one changes, a decline is taken back, a group goes with what is deployed to it
    upstream.clear_log();
    upstream.change(|served| {
        served.undeploy(Uuid::from_u128(2));
        served.deploy(deployment(3, 12, 1, CollectionId(Uuid::from_u128(PILOT + 1)), 0));
        served.hidden.clear();
        served.hidden.insert(id(12));
    });
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.deployments, outcome.retired, outcome.declined, outcome.undeclined), (1, 1, 1, 1));
    assert_eq!(declined(&downstream, 11), None);
    assert_eq!(deployments(&downstream).iter().map(|row| row.guid.as_u128()).collect::<Vec<_>>(), [1, 3]);
    let asked = upstream.log().into_iter().find(|received| received.operation() == Some(Operation::GetDeployments));
    assert!(asked.expect("asked").body.contains("<deploymentAnchor>"));
    upstream.change(|served| {
        served.groups.retain(|group| group.name.as_deref() != Some("Ring 2"));
        served.undeploy(Uuid::from_u128(3));
    });
    downstream.sync(&upstream).await;
    assert!(downstream.read(|tx| tx.collection_find("ring 2")).is_none());
    assert_eq!(deployments(&downstream).len(), 1);
}

#[tokio::test]
async fn revisions_and_what_the_parent_decided_about_them_appear_together() {
    let mut served = served([software(10, 1), software(11, 1)]);
    served.deploy(deployment(1, 10, 1, CollectionId::ALL_COMPUTERS, 0));
    served.hidden.insert(id(11));
    let upstream = Upstream::start(served);
    let downstream = replica().await;
    upstream.trouble(At::Every(Operation::GetDeployments), Trouble::Close);
    downstream.try_sync(&upstream.url()).await.expect_err("cut");
    assert!(downstream.stored().is_empty(), "no revision without the decisions about it");
    assert!(downstream.staged() > 0, "and none is fetched again");
    upstream.calm();
    upstream.clear_log();
    downstream.sync(&upstream).await;
    assert_eq!(count(&upstream, Operation::GetUpdateData), 0);
    assert_eq!(downstream.stored(), all_of(&upstream));
    assert_eq!((deployments(&downstream).len(), declined(&downstream, 11).as_deref()), (1, Some("parent")));
    let database = Direct::of(downstream.data.path());
    let change = |of: &str| database.number(of, &[]);
    let stored = change("SELECT max(at) FROM audit WHERE action = 'sync' AND subject = 'catalogue'");
    let decided = change("SELECT max(at) FROM audit WHERE action = 'sync' AND subject = 'deployments'");
    assert_eq!(stored, decided, "in one transaction");
}

#[tokio::test]
async fn several_deployments_of_one_update_to_one_group_are_kept() {
    let mut served = served([software(10, 1), software(10, 2)]);
    served.lists_old_revisions = true;
    served.deploy(deployment(1, 10, 1, CollectionId::ALL_COMPUTERS, 0));
    served.deploy(deployment(2, 10, 2, CollectionId::ALL_COMPUTERS, 2));
    let upstream = Upstream::start(served);
    let downstream = replica().await;
    downstream.sync(&upstream).await;
    assert_eq!(deployments(&downstream).len(), 2);
    downstream.app.state.live.republish().await.expect("publishes");
}

#[tokio::test]
async fn a_deployment_waits_for_its_revision() {
    let mut served = served([software(10, 1)]);
    served.deploy(deployment(1, 30, 1, CollectionId::ALL_COMPUTERS, 0));
    let upstream = Upstream::start(served);
    let downstream = replica().await;
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.deployments, outcome.held), (0, 1));
    assert!(deployments(&downstream).is_empty());
    // the delta of the next answer is empty, and the deployment is not lost
    upstream.change(|served| served.add(&software(30, 1)));
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.deployments, outcome.held), (1, 0));
    assert_eq!(deployments(&downstream)[0].guid.as_u128(), 1);
}

#[tokio::test]
async fn licences_that_the_parent_accepted_are_accepted() {
    let eula = Uuid::from_u128(0xe01a);
    let licence = Payload::new("eula.txt", "the terms");
    let mut served = served([software(10, 1).eula(eula, "en", None, &licence)]);
    served.eulas.insert(eula);
    let upstream = Upstream::start(served);
    let downstream = replica().await;
    downstream.sync(&upstream).await;
    let flags = downstream.read(|tx| tx.update_flags(id(10)));
    assert!(flags.eula_accepted.is_some());
}

#[tokio::test]
async fn a_collection_in_the_way_of_a_name_becomes_the_parents() {
    let mut served = served([software(10, 1)]);
    served.groups.push(group(PILOT, CollectionId::ALL_COMPUTERS, "Pilot"));
    let upstream = Upstream::start(served);
    let downstream = replica().await;
    let made_here = CollectionId(Uuid::from_u128(77));
    downstream.write(|tx| {
        tx.collection_create(&NewCollection {
            id: made_here,
            name: "PILOT".to_owned(),
            parent: None,
            kind: CollectionKind::TargetGroup,
        })
    });
    let outcome = downstream.sync(&upstream).await;
    let row = downstream.read(|tx| tx.collection_find("pilot")).expect("there");
    assert_eq!((row.id, row.name.as_str()), (pilot(), "Pilot"));
    assert!(downstream.read(|tx| tx.collection_show(made_here)).is_none());
    assert!(outcome.notes.iter().any(|note| note.contains("PILOT")), "{:?}", outcome.notes);
    // the parent's groups exchange their names
    upstream.change(|served| {
        served.groups.push(group(PILOT + 1, CollectionId::ALL_COMPUTERS, "Ring"));
    });
    downstream.sync(&upstream).await;
    upstream.change(|served| {
        for group in &mut served.groups {
            let other = match group.name.as_deref() {
                Some("Pilot") => "Ring",
                Some("Ring") => "Pilot",
                _ => continue,
            };
            group.name = Some(other.to_owned());
        }
    });
    downstream.sync(&upstream).await;
    assert_eq!(downstream.read(|tx| tx.collection_find("ring")).expect("there").id, pilot());
}

#[tokio::test]
async fn deployments_made_before_give_way_to_those_of_the_parent() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let mut downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    downstream.write(|tx| {
        tx.deployment_create(&NewDeployment {
            deployed: Deployed::Update { id: id(10), revision: None },
            collection: CollectionId::ALL_COMPUTERS,
            action: DeploymentAction::Install,
            available_at: Timestamp::UNIX_EPOCH,
            deadline_at: None,
            origin: DeploymentOrigin::Local,
            active: false,
            guid: Uuid::from_u128(99),
            terms: weir_model::deployment::Terms::default(),
        })
    });
    downstream.replica = true;
    let outcome = downstream.sync(&upstream).await;
    assert!(deployments(&downstream).is_empty());
    assert!(outcome.notes.iter().any(|note| note.contains("were removed")), "{:?}", outcome.notes);
}

#[tokio::test]
async fn what_rules_did_before_it_was_a_replica_is_taken_back() {
    let upstream = Upstream::start(served([software(10, 1), software(11, 1), software(12, 1)]));
    upstream.change(|served| served.hidden.insert(id(12)));
    let mut downstream = Downstream::new().await;
    downstream.write(|tx| tx.criterion_put(Uuid::from_u128(1), &unwanted(), DeploymentOrigin::Local));
    downstream.sync(&upstream).await;
    assert_eq!(downstream.read(|tx| tx.skipped_count()), 1);
    downstream.write(|tx| {
        tx.update_decline_by_rule(id(10), "unwanted")?;
        tx.update_decline_by_rule(id(12), "unwanted")
    });
    downstream.replica = true;
    let outcome = downstream.sync(&upstream).await;
    assert_eq!(downstream.stored(), all_of(&upstream), "what the rule left out is here");
    assert_eq!(downstream.read(|tx| tx.skipped_count()), 0);
    assert_eq!((outcome.skipped, outcome.undeclined, declined(&downstream, 10)), (0, 1, None));
    assert!(declined(&downstream, 12).is_some(), "the parent declined it");
}

/// A rule that leaves out update 11.
fn unwanted() -> Rule {
    let rule = json!({ "name": "unwanted", "action": "skip", "condition": { "titles": ["Update 11"] } });
    serde_json::from_value(rule).expect("a rule")
}
