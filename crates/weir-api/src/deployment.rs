//! `deployments`: which update goes to which collection.
//!
//! * `GET deployments?update=&collection=&cursor=&limit=` answers a [`crate::List`] of [`Deployment`].
//! * `POST deployments` takes [`DeploymentCreate`] and answers [`DeploymentCreated`] (201).
//! * `POST deployments/preview` takes the same and answers [`DeploymentPreview`]; nothing is deployed.
//! * `GET deployments/{id}` answers [`Deployment`], `PATCH deployments/{id}` takes [`DeploymentChange`] and answers
//!   [`Deployment`], `DELETE deployments/{id}` 204.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Reference, content::ContentRoom};

/// What a deployment asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Not offered, whatever weaker deployments say; detection goes on.
    Block,
    /// Report only.
    Detect,
    /// Required installation.
    Install,
    /// Offered, not installed by itself.
    Optional,
    /// Required removal.
    Uninstall,
}

/// A new deployment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentCreate {
    /// The update as GUID, or as GUID@revision for only that revision; without it follows the newest.
    pub update: String,
    /// Name or id of the collection.
    pub collection: String,
    /// What for.
    pub action: Action,
    /// From when: RFC 3339, or from now such as `+3d4h` (weeks `w`, days `d`, hours `h`, minutes `m`, seconds `s`); now by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// Until when at the latest, in the same forms; none by default. For install and uninstall only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Accepts the licence of the update, and of its members, for this site.
    #[serde(default)]
    pub accept_eula: bool,
    /// Deploys even if there is no room for the content.
    #[serde(default)]
    pub force: bool,
}

/// Answer of `POST deployments/preview`: what a deployment would need.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentPreview {
    /// The room that its content needs.
    pub room: ContentRoom,
    /// Files that computers fetch from Microsoft or from the upstream server.
    pub files_elsewhere: u64,
    /// Files that are not kept here, because they are of other languages or hold differences only.
    pub files_left_out: u64,
    /// Missing files that no source is known for.
    pub without_source: u64,
}

/// Answer to [`DeploymentCreate`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentCreated {
    /// Its number.
    pub id: i32,
    /// What will not work as one might expect.
    pub warnings: Vec<String>,
}

/// A change of a deployment; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentChange {
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// From when, in the forms of [`DeploymentCreate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// Until when at the latest, in the same forms; `none` takes the deadline away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Accepts the licence of the update, and of its members, for this site.
    #[serde(default)]
    pub accept_eula: bool,
}

/// Query parameters of `GET deployments`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeploymentQuery {
    /// Only deployments of this update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Uuid>,
    /// Only deployments to the collection of this name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How a deployment stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// Goes out with its action.
    Active,
    /// Its update is declined, expired or unresolved: not sent.
    NotSent,
    /// Goes out for detection only, until its available time.
    WaitingForAvailableTime,
    /// Goes out for detection only, until all files are here and verified.
    WaitingForContent,
}

/// A deployment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    /// Its number.
    pub id: i32,
    /// What is deployed.
    pub update: Reference,
    /// Only this revision; null follows the newest.
    pub revision: Option<u32>,
    /// To whom.
    pub collection: Reference,
    /// What for.
    pub action: Action,
    /// From when.
    pub available: Timestamp,
    /// Until when at the latest.
    pub deadline: Option<Timestamp>,
    /// How it stands.
    pub state: DeploymentState,
    /// The same in words: `active`, `waiting for content (2 of 5 files, 10485760 of 52428800 bytes here)`, ...
    pub state_text: String,
    /// Its files, with those of the members of a bundle and the licence file.
    pub content: ContentProgress,
    /// `local`, `parent` or `rule`.
    pub origin: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How much of the content of a deployment is here and verified.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentProgress {
    /// Files it needs.
    pub files: u64,
    /// Of these, here.
    pub files_present: u64,
    /// Bytes it needs.
    pub bytes: u64,
    /// Of these, here.
    pub bytes_present: u64,
    /// Missing files that no source is known for: add them with `weir content add`.
    pub without_source: u64,
    /// Of the files it needs, those that computers fetch from Microsoft or from the upstream server.
    #[serde(default)]
    pub files_elsewhere: u64,
    /// Files that are not kept here, because they are of other languages or hold differences only; not counted above.
    #[serde(default)]
    pub files_left_out: u64,
}
