//! Who gets what: collections, deployments, and which deployment of an update wins for a computer (design: the nearest
//! active deployment of a branch hides those above it; among branches the strongest wins).

mod nesting;
mod precedence;
mod simulate;

pub use nesting::{Place, level, places};
pub use precedence::{Branch, BranchDeployment, Decision, MAX_DEPTH, Ruling, Tree, winner};
pub use simulate::{Outcome, Planned, Told, ruling, simulate};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ChangeNumber, CollectionId, DeploymentId, RevisionNumber, UpdateId};

/// What a deployment asks for. The order is that of precedence among branches, strongest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentAction {
    /// Not offered, whatever weaker deployments of other branches say; detection goes on.
    Block,
    /// Required installation.
    Install,
    /// Offered, not installed by itself.
    Optional,
    /// Required removal.
    Uninstall,
    /// Report only.
    Detect,
}

/// Who made a deployment.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentOrigin {
    /// An administrator of this site.
    Local,
    /// The parent site; read-only here.
    Parent,
    /// An automatic deployment rule.
    Rule,
}

/// How the times of a deployment are read, and what maintenance windows mean to it (features DEP-9, DEP-14).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Available time and deadline are wall-clock times, written as if in UTC, and read in each computer's zone.
    pub local_time: bool,
    /// Installs at its deadline, whatever the windows.
    pub outside_windows: bool,
    /// Goes out with its action only from shortly before a window until its end, for agents that install on a schedule
    /// of their own.
    pub hold_until_window: bool,
}

/// One deployment of one update, as the catalogue engine needs it. Deployments of groups reach the engine expanded,
/// one value per update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deployment {
    /// Its number, also the `Deployment/ID` on the wire.
    pub id: DeploymentId,
    /// What is deployed.
    pub update_id: UpdateId,
    /// Only this revision; none follows the newest.
    pub revision: Option<RevisionNumber>,
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// Its available time has come and its content and licence files are here and verified. An inactive deployment goes
    /// out as PreDeploymentCheck.
    pub active: bool,
    /// Offered from then on.
    pub available: Timestamp,
    /// Install or uninstall not later than this.
    pub deadline: Option<Timestamp>,
    /// How these times are read, and what maintenance windows mean to it.
    pub timing: Timing,
    /// How long an installation of the update may take, in minutes; of a bundle, its own value.
    pub run_minutes: u32,
    /// When it was made, changed, activated or deactivated, in the order of all changes.
    pub changed: ChangeNumber,
    /// The instant of the same.
    pub changed_at: Timestamp,
}

/// How a collection gets its members, which decides its place in the tree.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// Defined by a rule: always a branch directly below All Computers.
    Rule,
    /// A WSUS target group with a place in the tree.
    TargetGroup,
}

/// A collection, as targeting needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// None for All Computers only.
    pub parent: Option<CollectionId>,
    /// How it gets its members.
    pub kind: CollectionKind,
    /// Its computers are sent deployed updates only (for thin links).
    pub approved_only: bool,
}
