//! Every answer is valid by the three published service descriptions, as an independent library reads them.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{ids::CollectionId, targeting::DeploymentAction};
use weir_testkit::{Payload, ScriptedDownstream, wsdl};
use weir_wire::{
    soap::SoapVersion,
    wsss::{
        AnchorText, ComputerLastRollupNumber, ComputerRollupInfo, Cookie, DownloadFiles, GetAuthConfig, GetConfigData,
        GetDeployments, GetOutOfSyncComputers, GetRelatedRevisionsForUpdates, GetRollupConfiguration, GetUpdateData,
        GetUpdateDecryptionData, Ping, RollupComputerStatus, RollupComputers, RollupDownstreamServers,
        ServerSyncFilter,
    },
};

use crate::{
    common::{Server, actor, id},
    support::{self, config, identity, tree, update},
};

/// A server with something of everything that can be told.
async fn told() -> (Server, Payload) {
    let server = support::start().await;
    let payload = Payload::random("one.cab", 100, 1);
    let licence = Payload::random("licence.rtf", 100, 2);
    server.import(&tree()).await;
    let with_licence = update(10, 1).file(&payload).eula(Uuid::from_u128(7), "en", None, &licence);
    server.import(&[with_licence, update(11, 1), update(12, 1).rules_of_size(3_000_000)]).await;
    let keys = |tx: &weir_store::WriteTx<'_>| {
        tx.file_key_put(payload.sha1(), b"a key")?;
        tx.update_accept_eula(id(10), &Uuid::from_u128(7).to_string())
    };
    server.state.store.write(&actor(), keys).expect("keys");
    server.deploy(id(10), CollectionId::ALL_COMPUTERS, DeploymentAction::Install).await;
    let dead = server.deploy(id(11), CollectionId::ALL_COMPUTERS, DeploymentAction::Optional).await;
    server.undeploy(dead).await;
    server.decline(id(11)).await;
    (server, payload)
}

/// Every operation of the service descriptions but those for drivers, which they lack, and two faults.
async fn call_all(downstream: &mut ScriptedDownstream, payload: &Payload) -> anyhow::Result<()> {
    downstream.call(&GetAuthConfig {}).await?;
    downstream.authorize().await?;
    let cookie = downstream.cookie.clone();
    let first =
        downstream.call(&GetConfigData { cookie: cookie.clone(), config_anchor: AnchorText::default() }).await?;
    let config_anchor = first.result.new_config_anchor;
    downstream.call(&GetConfigData { cookie: cookie.clone(), config_anchor }).await?;
    downstream.list(config()).await?;
    let list = downstream.list(ServerSyncFilter::default()).await?;
    assert_eq!(list.new_revisions.0.len(), 3);
    downstream.data(&[identity(10, 1), identity(11, 1)]).await?;
    downstream.data(&[identity(12, 1)]).await?;
    downstream.data(&[]).await?;
    let update_ids = Some(vec![identity(10, 1), identity(11, 1)]);
    downstream.call(&GetUpdateDecryptionData { cookie: cookie.clone(), update_ids }).await?;
    let deployment_anchor = AnchorText::default();
    let deployments = GetDeployments { cookie: cookie.clone(), deployment_anchor, sync_anchor: list.anchor };
    let decisions = downstream.call(&deployments).await?.result;
    let told = (decisions.deployments.0.len(), decisions.dead_deployments.0.len(), decisions.hidden_updates.0.len());
    assert_eq!((told, decisions.accepted_eulas.0.len()), ((1, 1, 1), 1));
    let file_digest_list = Some(vec![payload.sha1().into()]);
    downstream.call(&DownloadFiles { cookie: cookie.clone(), file_digest_list }).await?;
    downstream.call(&GetRelatedRevisionsForUpdates { cookie: cookie.clone(), update_ids: None }).await?;
    downstream.call(&Ping { ping_level: 1 }).await?;
    let constant = Some(Cookie::roll_up());
    downstream.call(&GetRollupConfiguration { cookie: constant.clone() }).await?;
    let client_time = Some(Timestamp::now());
    let downstream_servers = Some(Vec::new());
    downstream.call(&RollupDownstreamServers { cookie: constant.clone(), client_time, downstream_servers }).await?;
    let parent_server_id = Some(downstream.id);
    let parent = ComputerRollupInfo { computer_id: Some("a".into()), ..ComputerRollupInfo::default() };
    let computers = Some(vec![ComputerRollupInfo { parent_server_id: downstream.id, ..parent }]);
    downstream.call(&RollupComputers { cookie: constant.clone(), client_time, computers }).await?;
    let last_rollup_numbers = Some(vec![ComputerLastRollupNumber { computer_id: Some("a".into()), rollup_number: 1 }]);
    let out = GetOutOfSyncComputers { cookie: constant.clone(), parent_server_id, last_rollup_numbers };
    downstream.call(&out).await?;
    let computers = Some(Vec::new());
    downstream.call(&RollupComputerStatus { cookie: constant, client_time, parent_server_id, computers }).await?;
    assert!(downstream.call(&GetUpdateData { cookie: None, update_ids: None }).await.is_err());
    let file_digest_list = Some(vec![weir_wire::soap::Binary(vec![1; 20])]);
    assert!(downstream.call(&DownloadFiles { cookie, file_digest_list }).await.is_err());
    Ok(())
}

#[tokio::test]
async fn answers_are_valid_by_the_service_descriptions() {
    let (server, payload) = told().await;
    for (soap, xpress) in [(SoapVersion::V11, false), (SoapVersion::V12, true)] {
        let folder = tempfile::tempdir().expect("folder");
        let mut downstream =
            ScriptedDownstream { soap, xpress, ..ScriptedDownstream::of(&server.base).expect("address") };
        downstream.record_to = Some(folder.path().join("answers"));
        call_all(&mut downstream, &payload).await.expect("answered");
        wsdl::validate(&folder.path().join("answers"));
    }
}
