//! GetDeployments (MS-WSUSSS 3.1.4.10): what replicas mirror.

use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::DeploymentAction,
};
use weir_store::{Actor, ReadTx, StoreError, listing::SharedDeployment};
use weir_wire::wsss::{
    Anchor, GetDeployments, GetDeploymentsAnswer, ServerSyncDeployment, ServerSyncDeploymentResult,
    ServerSyncTargetGroup, SyncAction, Until,
};

use super::{Call, Refusal, Reply, revisions::since};

/// What WSUS gives every deployment.
const PRIORITY: u8 = 1;

impl Call<'_> {
    pub(super) async fn get_deployments(&self, request: &GetDeployments) -> Result<Reply, Refusal> {
        let cookie = self.caller(request.sealed()).await?;
        let (from, to) = request.validate()?;
        let (result, until) = self.state.read(move |tx| decisions(tx, from, to)).await?;
        let no = cookie.holder.no;
        let actor = Actor::system("downstream servers", self.now);
        self.state.write(actor, move |tx| tx.downstream_deployments(no, until)).await?;
        Ok(self.text(&GetDeploymentsAnswer { result }))
    }
}

/// What changed in (from, to], and everything where the protocol wants all of it. The next anchor is `to`, not now: what
/// is decided in between would be lost.
fn decisions(
    tx: &ReadTx<'_>,
    from: Option<Anchor>,
    to: Anchor,
) -> Result<(ServerSyncDeploymentResult, ChangeNumber), StoreError> {
    // a number that was never given comes from another server, or from before the data were restored
    let until = since(to).change.min(tx.catalogue_version()?);
    let delta = tx.deployment_delta(from.map(since), until)?;
    let groups = tx.collection_list()?.into_iter().map(|row| ServerSyncTargetGroup {
        target_group_id: row.id,
        parent_group_id: match row.parent {
            _ if row.id == CollectionId::ALL_COMPUTERS => CollectionId(Uuid::nil()),
            // a collection by rule stands directly below the root
            None => CollectionId::ALL_COMPUTERS,
            Some(parent) => parent,
        },
        name: Some(row.name),
        is_builtin: row.built_in,
    });
    let result = ServerSyncDeploymentResult {
        anchor: to.into(),
        groups: groups.collect::<Vec<_>>().into(),
        deployments: delta.deployments.into_iter().map(deployment).collect::<Vec<_>>().into(),
        dead_deployments: delta.dead.into(),
        hidden_updates: tx.update_declined_list()?.into(),
        accepted_eulas: tx.eula_accepted_list()?.into(),
    };
    Ok((result, until))
}

fn deployment(row: SharedDeployment) -> ServerSyncDeployment {
    let (action, is_assigned) = match row.action {
        DeploymentAction::Install => (SyncAction::Install, true),
        DeploymentAction::Optional => (SyncAction::Install, false),
        DeploymentAction::Uninstall => (SyncAction::Uninstall, true),
        DeploymentAction::Detect => (SyncAction::Scan, false),
        DeploymentAction::Block => (SyncAction::Block, false),
    };
    ServerSyncDeployment {
        update_id: row.identity.update_id,
        revision_number: row.identity.revision,
        action: action.number(),
        admin_name: Some(row.created_by),
        deadline: Until(row.deadline_at),
        is_assigned,
        go_live_time: row.available_at,
        deployment_guid: row.guid,
        target_group_id: row.collection,
        download_priority: PRIORITY,
    }
}
