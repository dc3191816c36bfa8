//! `rules`: automatic deployment rules.
//!
//! * `GET rules` answers a [`crate::List`] of [`Rule`], `POST rules` takes [`RuleCreate`] and answers [`Rule`] (201).
//! * `GET rules/{name}`, `PATCH rules/{name}` ([`RuleChange`]) and `DELETE rules/{name}` for one.
//! * `POST rules/{name}/deployments` takes [`RuleDeployment`], `DELETE rules/{name}/deployments/{collection}` takes one away.
//! * `POST rules/{name}/run` evaluates it now and answers [`RuleRun`]; `GET rules/{name}/runs` lists its runs.
//! * `POST rules/preview` takes [`RulePreviewQuery`] and answers [`RulePreview`]; nothing is changed.
//! * `GET rule-runs/{no}` answers [`RuleRun`], `GET rule-runs/{no}/updates` a [`crate::List`] of [`RuleRunUpdate`].
//! * `GET rule-templates`, `POST rule-templates` ([`RuleTemplateCreate`]), `DELETE rule-templates/{name}`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    Reference,
    deployment::{Action, DeploymentSettings},
};

/// What happens to updates with licence terms that nobody accepted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleLicences {
    /// They are left out.
    #[default]
    WithoutTerms,
    /// Their terms are accepted for this site, and they are deployed.
    AcceptAll,
}

/// One deployment that each run makes of its group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDeployment {
    /// Name or id of the collection.
    pub collection: String,
    /// `install` or `optional`; needed unless the template says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Available so long after the scheduled start of the run, such as `0`, `36h`, `7d`, `1w2d`; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// Installed at the latest so long after the scheduled start; none by default. `0` is as soon as possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// A template of deployments, which says what is not said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Its settings.
    #[serde(default)]
    pub settings: DeploymentSettings,
}

/// A new rule. What is absent comes from the template, else is the default.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleCreate {
    /// Its name, unique without regard to case, at most 200 characters.
    pub name: String,
    /// What to begin with: a name of `GET rule-templates`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What it is for, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// It is evaluated on its schedule; true by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Which updates: an expression as in `GET updates?filter=`. Names of products and classifications become ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria: Option<String>,
    /// `manual` (default), `after sync`, or a recurrence such as `monthly second tuesday +1 at 02:00 Europe/Amsterdam`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// A new group each run, of this name with `{name}`, `{date}`, `{time}`, `{month}`, `{year}` replaced; `{name} {date}` by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_group: Option<String>,
    /// One group of this name, whose members each run replaces. Not with `new_group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_group: Option<String>,
    /// Deployments that each run makes.
    #[serde(default)]
    pub deployments: Vec<RuleDeployment>,
    /// Deployments are switched on; true by default. If not they are made, and content is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_deployments: Option<bool>,
    /// Licence terms; `without_terms` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licences: Option<RuleLicences>,
    /// A failure opens an alert; true by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_on_failure: Option<bool>,
    /// Runs it once now.
    #[serde(default)]
    pub run: bool,
}

/// A change of a rule; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuleChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Switches it on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Other criteria.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<String>,
    /// Another schedule. Starts before the change are not made up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// A new group each run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_group: Option<String>,
    /// One group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_group: Option<String>,
    /// All deployments, in place of those it had. What earlier runs made stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Vec<RuleDeployment>>,
    /// Deployments are switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_deployments: Option<bool>,
    /// Licence terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licences: Option<RuleLicences>,
    /// A failure opens an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_on_failure: Option<bool>,
}

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// It is evaluated on its schedule.
    pub enabled: bool,
    /// Which updates, with ids for products and classifications: what is stored.
    pub criteria: String,
    /// The same with names, for people.
    pub criteria_text: String,
    /// When: `manual`, `after sync` or a recurrence.
    pub schedule: String,
    /// When its schedule says so next.
    pub next_run: Option<Timestamp>,
    /// A new group each run: its pattern.
    pub new_group: Option<String>,
    /// The one group.
    pub keep_group: Option<String>,
    /// Deployments that each run makes; collections by name.
    pub deployments: Vec<RuleDeployment>,
    /// Deployments are switched on.
    pub enable_deployments: bool,
    /// Licence terms.
    pub licences: RuleLicences,
    /// A failure opens an alert.
    pub alert_on_failure: bool,
    /// It comes from the server above, which runs it; here it is only shown.
    pub from_parent: bool,
    /// Its last run.
    pub last_run: Option<RuleRun>,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleRunState {
    /// A group was made or filled.
    Done,
    /// No update matched: nothing was changed.
    Nothing,
    /// Nothing was changed.
    Failed,
    /// It was due and was not run.
    Skipped,
}

/// A run of a rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleRun {
    /// Its number.
    pub no: i64,
    /// `manual`, `schedule` or `synchronization`.
    pub trigger: String,
    /// Its scheduled start, from which the times of its deployments count.
    pub base: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// How it ended.
    pub result: RuleRunState,
    /// Updates that matched.
    pub matched: u64,
    /// Updates that did not.
    pub rejected: u64,
    /// The group that it made or filled.
    pub group: Option<Reference>,
    /// Numbers of the deployments that it made or changed.
    pub deployments: Vec<i32>,
    /// Updates whose licence terms it accepted.
    pub accepted_terms: u64,
    /// What did not work as one might expect.
    pub warnings: Vec<String>,
    /// Why it failed or was skipped.
    pub error: Option<String>,
    /// What to do.
    pub next_step: Option<String>,
    /// What it said of each update is kept still.
    pub detailed: bool,
}

/// What a run said of an update.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleRunUpdate {
    /// The update.
    pub id: Uuid,
    /// Its title now; empty if it is gone.
    pub title: String,
    /// It matched.
    pub matched: bool,
    /// Why, or why not.
    pub reason: String,
}

/// Query parameters of `GET rule-runs/{no}/updates`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RuleRunUpdatesQuery {
    /// Only updates that matched (true), or only the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<bool>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What to preview: a stored rule, or one that is not stored (then as in [`RuleCreate`]).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulePreviewQuery {
    /// Name or id of a stored rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A rule that is not stored; its name need not be free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleCreate>,
    /// At most this many updates of those that match, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A reason for which updates are left out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleRejection {
    /// Why.
    pub reason: String,
    /// How many.
    pub updates: u64,
}

/// A deployment that a run would make.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RulePlannedDeployment {
    /// To whom.
    pub collection: Reference,
    /// What for.
    pub action: Action,
    /// From when.
    pub available: Timestamp,
    /// Until when at the latest.
    pub deadline: Option<Timestamp>,
    /// Switched on.
    pub enabled: bool,
}

/// What a run would come to now. Nothing was changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RulePreview {
    /// The criteria with names.
    pub criteria_text: String,
    /// Updates that rules look at: software and drivers of the catalogue.
    pub looked_at: u64,
    /// Updates that match.
    pub matched: u64,
    /// The first of them, with reasons.
    pub updates: Vec<RuleRunUpdate>,
    /// Why the others do not, most frequent first.
    pub rejected: Vec<RuleRejection>,
    /// Files of those that match.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes among them that are stored here.
    pub bytes_here: u64,
    /// Updates whose licence terms would be accepted.
    pub accepts_terms: u64,
    /// The group that would be made or filled.
    pub group: Option<String>,
    /// Deployments that would be made or changed.
    pub deployments: Vec<RulePlannedDeployment>,
    /// Why the run would fail.
    pub problem: Option<String>,
}

/// Something to begin a rule with.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleTemplate {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// It came with the program.
    pub built_in: bool,
    /// Which updates.
    pub criteria: String,
    /// The same with names.
    pub criteria_text: String,
    /// When.
    pub schedule: String,
    /// A new group each run: its pattern.
    pub new_group: Option<String>,
    /// The one group.
    pub keep_group: Option<String>,
    /// Deadline of its deployments.
    pub deadline: Option<String>,
    /// Licence terms.
    pub licences: RuleLicences,
}

/// A template to be saved.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTemplateCreate {
    /// Its name, unique without regard to case.
    pub name: String,
    /// The rule that it is made of; its name and deployments are left out.
    pub rule: String,
}
