//! Item 17.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::CollectionId,
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::deployment::{Deployed, NewDeployment};
use weir_wire::{
    soap::ErrorCode,
    wsss::{AnchorText, GetDeployments, ServerSyncFilter},
};

use crate::{
    common::{Server, actor, id},
    support::{self, Downstream, tree, update},
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn new(guid: u128, number: u128, action: DeploymentAction) -> NewDeployment {
    NewDeployment {
        guid: Uuid::from_u128(guid),
        deployed: Deployed::Update { id: id(number), revision: None },
        collection: ALL,
        action,
        available_at: Timestamp::from_second(1_700_000_000).expect("in range"),
        deadline_at: None,
        origin: DeploymentOrigin::Local,
        active: true,
        terms: weir_model::deployment::Terms::default(),
    }
}

async fn anchor(downstream: &mut Downstream) -> String {
    downstream.list(ServerSyncFilter::default()).await.0
}

#[tokio::test]
async fn item_17_decisions_come_in_their_range() {
    let server = support::start().await;
    server.import(&tree()).await;
    server.import(&[update(10, 1), update(11, 1), update(12, 1), update(13, 1), update(14, 1)]).await;
    let ring = server.collection("Ring 1").await;
    let mut downstream = Downstream::ready(&server).await;
    let deadline = Timestamp::from_second(1_800_000_000).expect("in range");
    let install = NewDeployment { deadline_at: Some(deadline), ..new(1, 10, DeploymentAction::Install) };
    let install = server.deploy_as(install).await;
    let actions = [
        (2, 11, DeploymentAction::Optional),
        (3, 12, DeploymentAction::Uninstall),
        (4, 13, DeploymentAction::Detect),
        (5, 14, DeploymentAction::Block),
    ];
    for (guid, number, action) in actions {
        server.deploy_as(new(guid, number, action)).await;
    }
    server.decline(id(14)).await;
    let eula = Uuid::from_u128(0xE01A);
    let accept = |tx: &weir_store::WriteTx<'_>| tx.update_accept_eula(id(10), &eula.to_string());
    server.state.store.write(&actor(), accept).expect("accepted");
    let first = anchor(&mut downstream).await;
    let late = NewDeployment { collection: ring, ..new(6, 10, DeploymentAction::Install) };
    server.deploy_as(late).await;

    let data = downstream.decisions(None, &first).await;
    assert_eq!(data.anchor.text(), Some(first.as_str()), "the upper bound, not now");
    let groups: Vec<_> = data.groups.0.iter().map(|group| (group.name.as_deref(), group.is_builtin)).collect();
    let named = [(Some("All Computers"), true), (Some("Ring 1"), false), (Some("Unassigned Computers"), true)];
    assert!(named.iter().all(|group| groups.contains(group)) && groups.len() == 3, "{groups:?}");
    let parent = |id| data.groups.0.iter().find(|group| group.target_group_id == id).expect("listed").parent_group_id;
    assert_eq!((parent(ALL), parent(ring)), (CollectionId(Uuid::nil()), ALL));
    let told: Vec<_> = data
        .deployments
        .0
        .iter()
        .map(|one| (one.deployment_guid.as_u128(), one.action, one.is_assigned, one.deadline.0))
        .collect();
    let wanted = [
        (1, 0, true, Some(deadline)),
        (2, 0, false, None),
        (3, 1, true, None),
        (4, 2, false, None),
        (5, 3, false, None),
    ];
    assert_eq!(told, wanted, "what was decided after the anchor is left for the next call");
    assert_eq!(data.deployments.0[0].update_id, id(10));
    assert_eq!(data.deployments.0[0].revision_number.0, 1);
    assert_eq!(data.deployments.0[0].go_live_time.as_second(), 1_700_000_000);
    assert!((1..=3).contains(&data.deployments.0[0].download_priority));
    assert!(downstream.last.as_ref().expect("an answer").text().contains("9999-12-31T23:59:59.9999999"));
    assert_eq!(data.hidden_updates.0, [id(14)]);
    assert_eq!(data.accepted_eulas.0, [eula]);

    let second = anchor(&mut downstream).await;
    let data = downstream.decisions(Some(&first), &second).await;
    assert_eq!(data.deployments.0.iter().map(|one| one.deployment_guid.as_u128()).collect::<Vec<_>>(), [6]);
    assert_eq!(data.deployments.0[0].target_group_id, ring);
    assert_eq!((data.dead_deployments.0.len(), data.groups.0.len(), data.hidden_updates.0.len()), (0, 3, 1));

    server.undeploy(install).await;
    let undecline = |tx: &weir_store::WriteTx<'_>| tx.update_undecline(id(14));
    server.state.store.write(&actor(), undecline).expect("undeclined");
    let third = anchor(&mut downstream).await;
    let data = downstream.decisions(Some(&second), &third).await;
    assert_eq!((data.dead_deployments.0.clone(), data.deployments.0.len()), (vec![Uuid::from_u128(1)], 0));
    assert_eq!(data.hidden_updates.0, []);
    let fourth = anchor(&mut downstream).await;
    let empty = downstream.decisions(Some(&third), &fourth).await;
    assert_eq!((empty.deployments.0.len(), empty.dead_deployments.0.len()), (0, 0));
    for list in ["<Deployments />", "<DeadDeployments />", "<HiddenUpdates />"] {
        assert!(downstream.last.as_ref().expect("an answer").text().contains(list), "{list}");
    }
    assert_eq!(support::rows(&server)[0].is_replica, Some(true));
}

#[tokio::test]
async fn item_17_the_anchor_of_the_updates_is_mandatory() {
    let server = support::start().await;
    let mut downstream = Downstream::ready(&server).await;
    for (deployment, sync, blamed) in [
        ("", "", "syncAnchor"),
        ("", "x", "syncAnchor"),
        ("1,2026-10-04 16:33:26.671", "", "syncAnchor"),
        ("x", "1,2026-10-04 16:33:26.671", "deploymentAnchor"),
    ] {
        let ask = GetDeployments {
            cookie: downstream.cookie.clone(),
            deployment_anchor: AnchorText::new(deployment),
            sync_anchor: AnchorText::new(sync),
        };
        assert_eq!(downstream.refused(&ask).await, (ErrorCode::InvalidParameters, blamed.to_owned()));
    }
}

fn switch(server: &Server, deployment: weir_model::ids::DeploymentId, enabled: bool) {
    let switch = |tx: &weir_store::WriteTx<'_>| tx.deployment_set_enabled(deployment, enabled);
    server.state.store.write(&actor(), switch).expect("switched");
}

#[tokio::test]
async fn a_deployment_that_is_switched_off_is_dead_until_it_is_on_again() {
    let server = support::start().await;
    server.import(&tree()).await;
    server.import(&[update(10, 1)]).await;
    let deployment = server.deploy_as(new(1, 10, DeploymentAction::Install)).await;
    let mut downstream = Downstream::ready(&server).await;
    let first = anchor(&mut downstream).await;
    switch(&server, deployment, false);
    let off = anchor(&mut downstream).await;
    switch(&server, deployment, true);
    let on = anchor(&mut downstream).await;
    let guids = |data: &weir_wire::wsss::ServerSyncDeploymentResult| {
        (
            data.deployments.0.iter().map(|one| one.deployment_guid.as_u128()).collect::<Vec<_>>(),
            data.dead_deployments.0.len(),
        )
    };
    assert_eq!(guids(&downstream.decisions(Some(&first), &off).await), (vec![], 1));
    assert_eq!(guids(&downstream.decisions(Some(&off), &on).await), (vec![1], 0));
    assert_eq!(guids(&downstream.decisions(Some(&first), &on).await), (vec![1], 0), "never both");
}

#[tokio::test]
async fn a_deployment_follows_the_newest_revision_and_never_precedes_it() {
    let server = support::start().await;
    server.import(&tree()).await;
    server.import(&[update(10, 1)]).await;
    server.deploy_as(new(1, 10, DeploymentAction::Install)).await;
    let mut downstream = Downstream::ready(&server).await;
    let first = anchor(&mut downstream).await;
    server.import(&[update(10, 2)]).await;
    let revision = |data: weir_wire::wsss::ServerSyncDeploymentResult| {
        data.deployments.0.iter().map(|one| one.revision_number.0).collect::<Vec<_>>()
    };
    assert_eq!(revision(downstream.decisions(None, &first).await), [1], "revision 2 is not known at that anchor");
    let second = anchor(&mut downstream).await;
    assert_eq!(revision(downstream.decisions(Some(&first), &second).await), [2]);
    // pinned to a revision that is not here yet
    let pinned = Deployed::Update { id: id(10), revision: Some(weir_model::ids::RevisionNumber(3)) };
    let ring = server.collection("Ring 1").await;
    let new = NewDeployment { deployed: pinned, collection: ring, ..new(2, 10, DeploymentAction::Install) };
    server.deploy_as(new).await;
    let third = anchor(&mut downstream).await;
    assert_eq!(revision(downstream.decisions(Some(&second), &third).await), [0_u32; 0]);
    server.import(&[update(10, 3)]).await;
    let fourth = anchor(&mut downstream).await;
    assert_eq!(revision(downstream.decisions(Some(&third), &fourth).await), [3, 3]);
}

#[tokio::test]
async fn an_approval_during_a_call_is_in_this_answer_or_the_next() {
    let server = support::start().await;
    server.import(&tree()).await;
    let documents: Vec<_> = (0..20).map(|number| update(100 + number, 1)).collect();
    server.import(&documents).await;
    let mut downstream = Downstream::ready(&server).await;
    let (mut last, mut seen) = (None::<String>, Vec::new());
    for number in 0..20 {
        let to = anchor(&mut downstream).await;
        server.deploy_as(new(number, 100 + number, DeploymentAction::Install)).await;
        let data = downstream.decisions(last.as_deref(), &to).await;
        seen.extend(data.deployments.0.iter().map(|one| one.deployment_guid.as_u128()));
        last = data.anchor.into_text();
    }
    let to = anchor(&mut downstream).await;
    let data = downstream.decisions(last.as_deref(), &to).await;
    seen.extend(data.deployments.0.iter().map(|one| one.deployment_guid.as_u128()));
    assert_eq!(seen, (0..20).collect::<Vec<_>>(), "each once");
}
