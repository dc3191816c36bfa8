//! Automatic deployment rules: which updates are deployed without anybody asking, when, and to whom.
//!
//! A [`Rule`] is what an administrator wrote. [`due()`] says whether it is to be evaluated now, [`decide()`] what an evaluation
//! comes to: the updates that match and those that do not, each with its reason, the group, and the deployments with
//! their times. Nothing is done here: the server stores a [`RunPlan`] as a whole or not at all.
//!
//! *Invariant:* times of deployments count from the scheduled start of the evaluation, never from its end, so that a late
//! or slow evaluation moves no deadline. *Invariant:* a plan with a [`RunPlan::problem`] changes nothing.

mod decide;
mod due;
mod interval;
mod judge;
mod template;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use decide::{
    Candidate, GroupPlan, MOST_MATCHES, Noted, PlannedDeployment, Problem, RunPlan, Terms, decide, free_name,
    group_name,
};
pub(crate) use due::last_missed;
pub use due::{Decision, Evaluations, MOST_A_DAY, Trigger, due, next_run};
pub use interval::{Interval, IntervalError};
pub use judge::Judge;
pub use template::{Template, template, templates};

use crate::{
    deployment::{Terms as DeploymentTerms, TermsError},
    ids::CollectionId,
    schedule::Recurrence,
    targeting::DeploymentAction,
};

/// Characters of a name: what is made of it has to fit into the names of groups and deployments.
pub const LONGEST_NAME: usize = 200;
/// Characters of a description (ADR-1).
pub const LONGEST_DESCRIPTION: usize = 256;
/// Characters of criteria.
pub const LONGEST_CRITERIA: usize = 4_096;
/// Deployments of one rule.
pub const MOST_DEPLOYMENTS: usize = 50;

/// When a rule is evaluated.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// When somebody says so only.
    #[default]
    Manual,
    /// After each synchronization that ended well.
    AfterSync,
    /// Again and again.
    Recurring(Recurrence),
}

/// Where the updates that match go.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GroupChoice {
    /// Into a new update group each time.
    New {
        /// Its name, with `{name}`, `{date}`, `{time}`, `{month}` and `{year}` replaced.
        pattern: String,
    },
    /// Into one update group: what matches takes the place of all its members. If nothing matches its members stay.
    Kept {
        /// Its name.
        name: String,
    },
}

impl Default for GroupChoice {
    fn default() -> Self {
        Self::New { pattern: "{name} {date}".to_owned() }
    }
}

/// What happens to updates with licence terms that nobody accepted: nobody is there to read them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Licences {
    /// They are left out.
    #[default]
    WithoutTerms,
    /// Their terms are accepted for this site, and they are deployed.
    AcceptAll,
}

/// One deployment that each evaluation makes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// To whom.
    pub collection: CollectionId,
    /// Install or optional.
    pub action: DeploymentAction,
    /// Available so long after the scheduled start of the evaluation.
    #[serde(default)]
    pub available: Interval,
    /// Installed at the latest so long after the scheduled start; none: no deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Interval>,
    /// Its settings; name, description and source are left out.
    #[serde(default)]
    pub terms: DeploymentTerms,
}

/// An automatic deployment rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// It is evaluated on its schedule.
    pub enabled: bool,
    /// Which updates: an expression of the filter language over updates, in which categories stand as GUIDs.
    pub criteria: String,
    /// When.
    #[serde(default)]
    pub schedule: Schedule,
    /// Into which group.
    #[serde(default)]
    pub group: GroupChoice,
    /// What is made of the group.
    #[serde(default)]
    pub deployments: Vec<Target>,
    /// Deployments are switched on; if not they are made, content is fetched, and somebody switches them on.
    pub enable_deployments: bool,
    /// Licence terms.
    #[serde(default)]
    pub licences: Licences,
    /// A failure opens an alert.
    pub alert_on_failure: bool,
}

/// Why a rule cannot be as it is written. Texts name the field.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// Action.
    #[error("action of deployment {0}: a rule deploys with install or optional")]
    Action(usize),
    /// Criteria.
    #[error("criteria must have 1 to {LONGEST_CRITERIA} characters")]
    Criteria,
    /// Deadline.
    #[error("deadline of deployment {0}: {1}")]
    Deadline(usize, &'static str),
    /// Description.
    #[error("description must have at most {LONGEST_DESCRIPTION} characters, and none that cannot be printed")]
    Description,
    /// A collection twice.
    #[error(
        "deployments: number {0} is to the same collection as one before; a group is deployed once to a collection"
    )]
    Duplicate(usize),
    /// The group.
    #[error("group: {0}")]
    Group(String),
    /// Name.
    #[error("name must have 1 to {LONGEST_NAME} characters, none of them a control character, and be no GUID")]
    Name,
    /// Its settings.
    #[error("deployment {0}: {1}")]
    Terms(usize, #[source] TermsError),
    /// Too many deployments.
    #[error("deployments: a rule has at most {MOST_DEPLOYMENTS}")]
    TooMany,
}

impl Rule {
    /// Whether it can be as it is. What it names (collections, categories) and its criteria are for the caller to check.
    pub fn check(&self) -> Result<(), RuleError> {
        check_name(&self.name)?;
        if self.description.chars().count() > LONGEST_DESCRIPTION
            || self.description.contains(|c: char| c.is_control() && c != '\n')
        {
            return Err(RuleError::Description);
        }
        if self.criteria.trim().is_empty() || self.criteria.chars().count() > LONGEST_CRITERIA {
            return Err(RuleError::Criteria);
        }
        self.group.check()?;
        if self.deployments.len() > MOST_DEPLOYMENTS {
            return Err(RuleError::TooMany);
        }
        for (at, target) in self.deployments.iter().enumerate() {
            target.check(at + 1)?;
            if self.deployments.iter().take(at).any(|before| before.collection == target.collection) {
                return Err(RuleError::Duplicate(at + 1));
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), RuleError> {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && name.trim() == name;
    // a name that reads as an id could not be told from one
    let clear = crate::name::is_printable(name) && uuid::Uuid::try_parse(name).is_err();
    if fits && clear && !matches!(name, "." | "..") { Ok(()) } else { Err(RuleError::Name) }
}

impl GroupChoice {
    /// The same with `{name}` of a kept group replaced: templates do not know the name of the rule.
    #[must_use]
    pub fn named(self, rule: &str) -> Self {
        match self {
            Self::Kept { name } => Self::Kept { name: name.replace("{name}", rule) },
            new @ Self::New { .. } => new,
        }
    }

    fn check(&self) -> Result<(), RuleError> {
        match self {
            Self::Kept { name } => check_name(name).map_err(|_| RuleError::Group(format!("{name:?} is no name"))),
            Self::New { pattern } => {
                let unknown = decide::unknown_placeholder(pattern);
                if let Some(unknown) = unknown {
                    return Err(RuleError::Group(format!(
                        "the pattern has {unknown:?}; known are {{name}}, {{date}}, {{time}}, {{month}} and {{year}}"
                    )));
                }
                check_name(pattern)
                    .map_err(|_| RuleError::Group(format!("{pattern:?} cannot be the pattern of a name")))
            }
        }
    }
}

impl Target {
    fn check(&self, number: usize) -> Result<(), RuleError> {
        match (self.action, self.deadline) {
            (DeploymentAction::Install, Some(deadline)) if deadline < self.available => {
                Err(RuleError::Deadline(number, "it lies before the available time"))
            }
            (DeploymentAction::Optional, Some(_)) => {
                Err(RuleError::Deadline(number, "only a required installation has one"))
            }
            (DeploymentAction::Install | DeploymentAction::Optional, deadline) => {
                let some = deadline.map(|deadline| deadline.after(jiff::Timestamp::UNIX_EPOCH));
                self.terms.check(self.action, some).map_err(|error| RuleError::Terms(number, error))
            }
            _ => Err(RuleError::Action(number)),
        }
    }
}
