//! `deployments`: which update goes to which collection.
//!
//! * `GET deployments?update=&group=&collection=&action=&enabled=&stage=&origin=&text=&deadline_before=&deadline_after=&sort=&compliance=`
//!   `&cursor=&limit=` answers [`DeploymentList`].
//! * `POST deployments` takes [`DeploymentCreate`] and answers [`DeploymentCreated`] (201).
//! * `POST deployments/preview` takes the same and answers [`DeploymentPreview`]; nothing is deployed.
//! * `GET deployments/{id}` answers [`Deployment`], `PATCH deployments/{id}` takes [`DeploymentChange`] and answers
//!   [`Deployment`], `DELETE deployments/{id}` 204.
//! * `GET deployments/{id}/members` answers a [`crate::List`] of [`Deployment`]: what follows from the deployment of a group,
//!   one for each of its updates.
//! * `GET deployment-settings` answers a [`crate::List`] of [`DeploymentSettingInfo`]: every setting, and who follows it.
//! * `POST deployments/simulation` and `GET deployments/explanation` are in [`crate::simulation`].
//! * Templates are in [`crate::deployment_template`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use weir_model::deployment::{DetailLevel, Honoured, Notifications};

use crate::{Reference, content::ContentRoom, deployment_compliance::DeploymentFigures};

/// What a deployment asks for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Not offered, whatever weaker deployments say; detection goes on.
    Block,
    /// Report only.
    Detect,
    /// Required installation.
    #[default]
    Install,
    /// Offered, not installed by itself.
    Optional,
    /// Required removal.
    Uninstall,
}

/// Settings of a deployment. In requests what is absent is the default (a new deployment) or stays (a change); answers
/// have all of them. Who follows each: `GET deployment-settings`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentSettings {
    /// Available time and deadline are read as wall-clock times in each computer's zone (given as if in UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_time: Option<bool>,
    /// The deadline counts outside maintenance windows, too. Required deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_windows: Option<bool>,
    /// Held back until shortly before a maintenance window. Required deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until_window: Option<bool>,
    /// Restart outside maintenance windows after the deadline. Required deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_outside_windows: Option<bool>,
    /// Servers are not restarted. Required deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress_restart_servers: Option<bool>,
    /// Workstations are not restarted. Required deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress_restart_workstations: Option<bool>,
    /// Enforcement waits for the grace period. Needs a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<bool>,
    /// What users see: `all`, `restarts` or `none`; optional deployments cannot have `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub notifications: Option<Notifications>,
    /// Which state messages are wanted: `all`, `success_and_error` or `error_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail: Option<DetailLevel>,
    /// Files come over metered connections after the deadline. Required deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<bool>,
    /// Files that are not here come from Microsoft Update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<bool>,
    /// Files come before they are wanted. Optional deployments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_download: Option<bool>,
    /// Sleeping computers are woken at the deadline. Needs a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_on_lan: Option<bool>,
    /// Embedded devices write through their filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_write_filter: Option<bool>,
    /// Computers scan right after the restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate_after_restart: Option<bool>,
    /// Warn if so few percent of the computers comply, 1 to 100; 0 takes the warning away. Needs a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_below_percent: Option<u8>,
    /// The warning comes so many minutes after the deadline, at most a year; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_minutes_after_deadline: Option<u32>,
}

/// What is known of a setting.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentSettingInfo {
    /// Its name in requests and answers; `alert` is `alert_below_percent` and `alert_minutes_after_deadline`.
    pub name: String,
    /// What it is by default.
    pub default: String,
    /// What it does.
    pub meaning: String,
    /// Who follows it: `server`, `agent` (every update agent, since MS-WUSP carries it), or `stored` (nobody yet).
    #[schema(value_type = String)]
    pub honoured: Honoured,
    /// What that means in practice, or what to do instead.
    pub note: String,
}

/// A new deployment.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentCreate {
    /// The update as GUID, or as GUID@revision for only that revision; without it follows the newest. Either this or
    /// `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// Name or id of an update group. What is added to it later is deployed, too; what is taken out is offered no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Name or id of the collection. May be left to the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// What for. May be left to the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Its name, at most 256 characters, unique without regard to case; `Microsoft Software Updates - DATE TIME` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What people should know of it, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Name of a template: what is not given here comes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How it is done.
    #[serde(default)]
    pub settings: DeploymentSettings,
    /// False makes it switched off: its content is fetched when it is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
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
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Switches it on or off. Switched off, computers are offered what they would be without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Settings that change.
    #[serde(default)]
    pub settings: DeploymentSettings,
}

/// What a deployment is doing. Each is in one of these.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentStage {
    /// It goes out, and its deadline, if it has one, lies ahead.
    Active,
    /// It waits for its available time, or for its files.
    Waiting,
    /// It goes out, and its deadline is over for every computer.
    Expired,
    /// It is switched off.
    Disabled,
    /// Its update is declined, expired, stopped or unresolved: not sent. Or its group is empty.
    NotSent,
}

/// Query parameters of `GET deployments`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeploymentQuery {
    /// Only deployments of this update, by itself or in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Uuid>,
    /// Only deployments of the update group of this name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only deployments to the collection of this name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only deployments with this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub action: Option<Action>,
    /// Only deployments that are switched on (true) or off (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Only deployments that are doing this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub stage: Option<DeploymentStage>,
    /// Only deployments of this origin: `local`, `parent` or `rule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Part of the name, of the title of the update, or of the name of the group or the collection, without regard to case; at most
    /// 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Only deployments with a deadline before this: RFC 3339, or from now such as `+7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_before: Option<String>,
    /// Only deployments with a deadline at this time or later, in the same forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_after: Option<String>,
    /// Order: `action`, `available`, `collection`, `created`, `deadline`, `id`, `name` or `stage`, with `:asc` or `:desc`; times
    /// descend by default, everything else ascends, and what has no deadline comes last. Without: by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Say of each how its computers stand. At most 200 entries are given then.
    #[serde(default)]
    pub compliance: bool,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `GET deployments`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentList {
    /// The entries of this page, in the order asked for.
    pub items: Vec<ListedDeployment>,
    /// Deployments that the filters leave.
    pub total: u64,
    /// Deployments that the filters other than `stage` leave, by what they are doing.
    pub stages: StageCounts,
    /// Collections that these deployments, those on other pages included, go to; the one that got something first comes first, and
    /// there are 20 at most.
    #[serde(default)]
    pub collections: Vec<Reference>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// Deployments by what they are doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageCounts {
    /// They go out.
    pub active: u64,
    /// They wait.
    pub waiting: u64,
    /// Their deadlines are over.
    pub expired: u64,
    /// They are switched off.
    pub disabled: u64,
    /// They are sent to nobody.
    pub not_sent: u64,
}

/// A deployment in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedDeployment {
    /// The deployment.
    #[serde(flatten)]
    pub deployment: Deployment,
    /// What it is doing.
    pub stage: DeploymentStage,
    /// Its computers by status; null unless asked for.
    #[serde(default)]
    pub compliance: Option<DeploymentFigures>,
    /// Compliant computers in percent, one decimal; null unless asked for, without computers, and if nobody is asked about any of
    /// the updates.
    #[serde(default)]
    pub percent: Option<f64>,
}

/// How a deployment stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// Goes out with its action; of a group, as far as it can.
    Active,
    /// Switched off: computers get what they would without it.
    Disabled,
    /// Its update is declined, expired, stopped or unresolved: not sent.
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
    /// Its name; empty if an older version made it.
    pub name: String,
    /// What people should know of it.
    pub description: String,
    /// The update that is deployed; null for a group.
    pub update: Option<Reference>,
    /// The update group that is deployed; null for an update.
    pub group: Option<Reference>,
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
    /// Its files, with those of the members of a bundle and the licence file. For a group those of all its updates, each file
    /// once; in lists, of a group, only what is missing.
    pub content: ContentProgress,
    /// How the updates of a group stand; null for an update.
    pub members: Option<MemberStates>,
    /// It is switched on.
    pub enabled: bool,
    /// How it is done.
    pub settings: DeploymentSettings,
    /// `local`, `parent` or `rule`.
    pub origin: String,
    /// The rule or phased deployment that made it.
    pub source: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// How the updates of a deployed group stand.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemberStates {
    /// Updates in the group.
    pub updates: u64,
    /// Of these, those that go out with the action.
    pub active: u64,
    /// Of these, those whose available time has not come.
    pub waiting_for_available_time: u64,
    /// Of these, those whose files are not all here.
    pub waiting_for_content: u64,
    /// Of these, those that are not sent.
    pub not_sent: u64,
    /// Why not, most frequent first.
    pub reasons: Vec<NotSent>,
}

/// Why updates are not sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NotSent {
    /// Why.
    pub reason: String,
    /// How many.
    pub updates: u64,
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
