//! Answers between servers are valid by the published service descriptions, as an independent library reads them.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, RevisionNumber, UpdateId, UpdateIdentity},
    update::CategoryKind,
};
use weir_testkit::{Document, Payload, ScriptedDownstream, Upstream, upstream, wsdl};
use weir_wire::{soap::SoapVersion, wsss::*};

fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(number))
}

fn served() -> upstream::Served {
    let payload = Payload::random("a.cab", 1_000, 1);
    let mut served = upstream::Served::new().with([
        Document::category(id(2), 100, CategoryKind::Product).title("Product"),
        Document::software(id(10), 200).in_category(id(2)).file(&payload),
        Document::software(id(11), 200).in_category(id(2)),
    ]);
    served.deploy(ServerSyncDeployment {
        update_id: id(10),
        revision_number: RevisionNumber(200),
        action: SyncAction::Install.number(),
        admin_name: Some("someone".into()),
        deadline: Until(None),
        is_assigned: true,
        go_live_time: Timestamp::UNIX_EPOCH,
        deployment_guid: Uuid::from_u128(1),
        target_group_id: CollectionId::ALL_COMPUTERS,
        download_priority: 1,
    });
    served.hidden.insert(id(11));
    served.eulas.insert(Uuid::from_u128(5));
    served.changed_computers =
        vec![ChangedComputer { computer_id: Some("a".into()), change: ComputerChange::NewParent }];
    served.out_of_sync.insert("a".into());
    served
}

/// Calls every operation of the service descriptions, and one that is answered with a fault.
async fn call_all(downstream: &mut ScriptedDownstream) -> anyhow::Result<()> {
    downstream.authorize().await?;
    let cookie = downstream.cookie.clone();
    downstream.call(&GetConfigData { cookie: cookie.clone(), config_anchor: None.into() }).await?;
    let list = downstream.list(ServerSyncFilter::default()).await?;
    downstream.data(&list.new_revisions.0).await?;
    downstream.data(&[]).await?;
    let update_ids = Some(vec![UpdateIdentity::new(id(10), 200)]);
    downstream.call(&GetUpdateDecryptionData { cookie: cookie.clone(), update_ids }).await?;
    let deployment_anchor = AnchorText::default();
    downstream.call(&GetDeployments { cookie: cookie.clone(), deployment_anchor, sync_anchor: list.anchor }).await?;
    let file_digest_list = Some(vec![Payload::random("a.cab", 1_000, 1).sha1().into()]);
    downstream.call(&DownloadFiles { cookie: cookie.clone(), file_digest_list }).await?;
    downstream.call(&GetRelatedRevisionsForUpdates { cookie: cookie.clone(), update_ids: None }).await?;
    downstream.call(&Ping { ping_level: 1 }).await?;
    let constant = Some(Cookie::roll_up());
    downstream.call(&GetRollupConfiguration { cookie: constant.clone() }).await?;
    let client_time = Some(Timestamp::UNIX_EPOCH);
    let downstream_servers = Some(Vec::new());
    downstream.call(&RollupDownstreamServers { cookie: constant.clone(), client_time, downstream_servers }).await?;
    let computers = Some(vec![ComputerRollupInfo { computer_id: Some("a".into()), ..ComputerRollupInfo::default() }]);
    downstream.call(&RollupComputers { cookie: constant.clone(), client_time, computers }).await?;
    let parent_server_id = Some(Uuid::from_u128(7));
    let last_rollup_numbers = Some(vec![ComputerLastRollupNumber { computer_id: Some("a".into()), rollup_number: 1 }]);
    let asked = GetOutOfSyncComputers { cookie: constant.clone(), parent_server_id, last_rollup_numbers };
    assert_eq!(downstream.call(&asked).await?.result.0.len(), 1);
    let computers = Some(Vec::new());
    downstream.call(&RollupComputerStatus { cookie: constant, client_time, parent_server_id, computers }).await?;
    assert!(downstream.call(&GetUpdateData { cookie: None, update_ids: None }).await.is_err());
    Ok(())
}

#[tokio::test]
async fn answers_between_servers_are_valid() -> anyhow::Result<()> {
    for (blobs, soap) in
        [(upstream::Blobs::Text, SoapVersion::V11), (upstream::Blobs::CabinetFrom(0), SoapVersion::V12)]
    {
        let upstream = Upstream::start(upstream::Served { blobs, ..served() });
        let folder = tempfile::tempdir()?;
        let mut downstream = ScriptedDownstream { soap, ..ScriptedDownstream::of(&upstream.url())? };
        downstream.record_to = Some(folder.path().join("answers"));
        call_all(&mut downstream).await?;
        wsdl::validate(&folder.path().join("answers"));
    }
    Ok(())
}
