//! GetDeployments (MS-WSUSSS 3.1.4.10), for replicas.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{CollectionId, RevisionNumber, UpdateId};

use super::{Anchor, AnchorText, Cookie, Present, Refusal, Until, authorization::sealed};
use crate::soap::{Item, nested, record};

record! {
    /// Asks for target groups, deployments, declined updates and accepted licences.
    pub struct GetDeployments {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The Anchor of before.
        deployment_anchor: AnchorText = "deploymentAnchor",
        /// The anchor of the latest GetRevisionIdList: nothing newer is returned.
        sync_anchor: AnchorText = "syncAnchor",
    }
}

impl GetDeployments {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns both anchors: from where (`None` is the beginning) to where.
    ///
    /// # Errors
    ///
    /// The anchor of the updates is absent, or one has another form.
    pub fn validate(&self) -> Result<(Option<Anchor>, Anchor), Refusal> {
        let wrong = |path| move |_| Refusal::parameter(path, "not an anchor of this server");
        let to = self.sync_anchor.anchor().map_err(wrong("syncAnchor"))?.ok_or(Refusal::missing("syncAnchor"))?;
        let from = self.deployment_anchor.anchor().map_err(wrong("deploymentAnchor"))?;
        Ok((from, to))
    }
}

record! {
    /// A target group.
    #[derive(Eq)]
    pub struct ServerSyncTargetGroup {
        /// The group.
        target_group_id: CollectionId = "TargetGroupID",
        /// The group above; zero for the root.
        parent_group_id: CollectionId = "ParentGroupId",
        /// Its name.
        name: Option<String> = "Name",
        /// Whether every server has it.
        is_builtin: bool = "IsBuiltin",
    }
}

impl Item for ServerSyncTargetGroup {
    const NAME: &'static str = "ServerSyncTargetGroup";
}

/// What a deployment between servers does.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SyncAction {
    /// 3: nothing, whatever else applies.
    Block,
    /// 0.
    Install,
    /// 2: report whether it applies.
    Scan,
    /// 1.
    Uninstall,
}

impl SyncAction {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Self::Install => 0,
            Self::Uninstall => 1,
            Self::Scan => 2,
            Self::Block => 3,
        }
    }

    /// The action of a number on the wire, if it is one.
    pub fn of(number: i32) -> Option<Self> {
        [Self::Install, Self::Uninstall, Self::Scan, Self::Block].into_iter().find(|action| action.number() == number)
    }
}

record! {
    /// A deployment.
    #[derive(Eq)]
    pub struct ServerSyncDeployment {
        /// The update.
        update_id: UpdateId = "UpdateId",
        /// Its revision.
        revision_number: RevisionNumber = "RevisionNumber",
        /// See [`SyncAction`].
        action: i32 = "Action",
        /// Who made it.
        admin_name: Option<String> = "AdminName",
        /// Until when; none if there is no deadline.
        deadline: Until = "Deadline",
        /// True: automatic. False: offered.
        is_assigned: bool = "IsAssigned",
        /// Not before.
        go_live_time: Timestamp = "GoLiveTime",
        /// The deployment.
        deployment_guid: Uuid = "DeploymentGuid",
        /// For which computers.
        target_group_id: CollectionId = "TargetGroupId",
        /// 1 low to 3 high.
        download_priority: u8 = "DownloadPriority",
    }
}

impl Item for ServerSyncDeployment {
    const NAME: &'static str = "ServerSyncDeployment";

    fn limit(cursor: &crate::soap::Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// What the administrators of a server decided.
    #[derive(Default)]
    pub struct ServerSyncDeploymentResult {
        /// To be given back next time.
        anchor: AnchorText = "Anchor",
        /// All.
        groups: Present<ServerSyncTargetGroup> = "Groups",
        /// Those made since the anchor.
        deployments: Present<ServerSyncDeployment> = "Deployments",
        /// Those deleted since the anchor.
        dead_deployments: Present<Uuid> = "DeadDeployments",
        /// All declined updates.
        hidden_updates: Present<UpdateId> = "HiddenUpdates",
        /// All accepted licences.
        accepted_eulas: Present<Uuid> = "AcceptedEulas",
    }
}

record! {
    /// Answer to GetDeployments.
    pub struct GetDeploymentsAnswer {
        /// The decisions.
        result: ServerSyncDeploymentResult = "GetDeploymentsResult",
    }
}

nested! { ServerSyncDeploymentResult, }
