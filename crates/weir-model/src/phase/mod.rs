//! Phased deployments: the same updates to one collection after another, each phase only once the one before went well.
//!
//! A [`Plan`] is what an administrator wrote, [`State`] how far it is. [`advance()`] looks at what computers reported
//! ([`Observation`]) and says what happens next, each step with its reason; [`command()`] is the same for what people ask
//! for. The server does the steps: a phase that starts is a deployment of the update group to the phase's collection.
//!
//! Whom a phase counts: the members of its collection when it started (its *founders*) that are members still. A computer
//! that joins later gets the deployment and is counted apart ([`Observation::late`]): it neither completes a phase nor
//! keeps it open nor opens it again. Success is compliance with every update of the group: installed or not applicable.
//! A founder of which nothing is known counts in full, as in compliance, unless the phase says otherwise
//! ([`Phase::count_unknown`]).
//!
//! *Invariant:* no phase starts before the gate of the one before it holds, unless somebody advances by hand. *Invariant:*
//! an error limit that is passed wins over everything else of the same moment. *Invariant:* phases start in their order and
//! none is skipped; what started or completed never becomes undone.

mod advance;
mod command;
mod slice;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use advance::{Gate, advance, gate};
pub use command::{Command, Refusal, command};
pub use slice::slice;

use crate::{deployment::Terms as DeploymentTerms, ids::CollectionId, targeting::DeploymentAction};

/// Characters of the name of a phased deployment.
pub const LONGEST_NAME: usize = 200;
/// Phases of one (PHA-1: two, and up to ten more).
pub const MOST_PHASES: usize = 12;
/// The longest gradual availability in days (PHA-4).
pub const LONGEST_SPREAD: u8 = 30;
/// The longest of all other spans in days.
pub const LONGEST_DAYS: u16 = 365;

/// A number of computers, or a share of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Amount {
    /// Of those that count, in percent.
    Percent(u8),
    /// So many.
    Count(u32),
}

/// How a phase starts once the gate of the one before it holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Start {
    /// By itself, so many days after the one before it had its success, if it has it still.
    Automatic {
        /// Days, 0 to [`LONGEST_DAYS`].
        after_days: u16,
    },
    /// When somebody advances.
    Manual,
}

/// Until when the computers of a phase have to install.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deadline {
    /// As soon as the update is available to them.
    AsSoonAsPossible,
    /// So many days after it is available to them.
    Days(u16),
}

/// One phase.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name, unique within the phased deployment without regard to case.
    pub name: String,
    /// To whom.
    pub collection: CollectionId,
    /// Install or optional.
    pub action: DeploymentAction,
    /// How it starts; of the first phase this says nothing.
    pub start: Start,
    /// What makes it a success.
    pub success: Amount,
    /// Founders of which nothing is known count among all; false leaves them out of the share.
    pub count_unknown: bool,
    /// Failed founders above which everything stops; none: failures stop nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_limit: Option<Amount>,
    /// At least so many hours from its start to the start of the next.
    #[serde(default)]
    pub soak_hours: u32,
    /// Somebody has to approve it before the next may start.
    #[serde(default)]
    pub approval: bool,
    /// Days over which it becomes available to its computers; 0: to all at once.
    #[serde(default)]
    pub spread_days: u8,
    /// Until when.
    pub deadline: Deadline,
    /// Its settings; name, description and source are left out.
    #[serde(default)]
    pub terms: DeploymentTerms,
}

/// What an administrator wrote.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The phases, 2 to [`MOST_PHASES`], in their order.
    pub phases: Vec<Phase>,
}

/// Somebody's word that a phase went well.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub note: String,
}

/// How far a phase is.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Progress {
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Since when it has its success without a break.
    pub reached_at: Option<Timestamp>,
    /// When it completed: it had its success and soaked, and the next one started, or there is none.
    pub completed_at: Option<Timestamp>,
    /// Somebody approved it.
    pub approval: Option<Approval>,
    /// Somebody resumed in spite of so many failures: more are needed to stop again.
    pub accepted_failures: u32,
    /// Its deployment was on when everything was held, and was switched off for that: resuming switches it on again.
    pub switched_off: bool,
}

/// How a phased deployment stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Under way.
    #[default]
    Running,
    /// Somebody paused it: deployments of phases that are not complete are switched off.
    Paused,
    /// It paused itself: too many failures.
    Failed,
    /// Somebody stopped it for good.
    Stopped,
    /// Every phase completed.
    Completed,
}

/// How far everything is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// How it stands.
    pub status: Status,
    /// One of each phase.
    pub phases: Vec<Progress>,
}

/// Computers by how they stand with the updates of the group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Members that are counted.
    pub targeted: u32,
    /// Compliant with every update.
    pub succeeded: u32,
    /// Some update failed.
    pub failed: u32,
    /// Nothing is known of some update, and none failed.
    pub unknown: u32,
}

/// What computers of a phase reported.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Its founders.
    pub founders: Counts,
    /// Those that joined later.
    pub late: Counts,
}

/// What happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// This phase starts: make its deployment, or switch it on, and note its founders.
    Start {
        /// Which phase.
        phase: usize,
    },
    /// It has its success.
    Reached {
        /// Which phase.
        phase: usize,
    },
    /// It lost it again.
    Lost {
        /// Which phase.
        phase: usize,
    },
    /// It is over.
    Complete {
        /// Which phase.
        phase: usize,
    },
    /// Too many failures: switch the deployments of phases that are not complete off.
    ErrorStop {
        /// Which phase.
        phase: usize,
    },
    /// Somebody paused: the same.
    Pause,
    /// Somebody resumed: switch them on again.
    Resume,
    /// Somebody approved.
    Approve {
        /// Which phase.
        phase: usize,
    },
    /// Somebody stopped it for good.
    Stop,
    /// Every phase completed.
    Finish,
}

/// A step with its reason, as the history keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// What.
    pub step: Step,
    /// Why, in a sentence.
    pub reason: String,
}

/// Why a plan cannot be as it is written. Texts name the field.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A phase.
    #[error("phase {0}: {1}")]
    Phase(usize, String),
    /// A change of what cannot change any more.
    #[error("phase {0} has started: what has started cannot be changed, moved or left out")]
    Active(usize),
    /// Description.
    #[error("description must have at most 256 characters")]
    Description,
    /// Name.
    #[error("name must have 1 to {LONGEST_NAME} characters, none of them a control character, and be no GUID")]
    Name,
    /// Number of phases.
    #[error("phases: give 2 to {MOST_PHASES}")]
    Phases,
}

impl Plan {
    /// Whether it can be as it is. That the collections exist is for the caller to check.
    pub fn check(&self) -> Result<(), PlanError> {
        if !is_name(&self.name) {
            return Err(PlanError::Name);
        }
        if self.description.chars().count() > 256 {
            return Err(PlanError::Description);
        }
        if !(2..=MOST_PHASES).contains(&self.phases.len()) {
            return Err(PlanError::Phases);
        }
        for (at, phase) in self.phases.iter().enumerate() {
            let wrong = |text: &str| Err(PlanError::Phase(at + 1, text.to_owned()));
            let before = || self.phases.iter().take(at);
            if !is_name(&phase.name) {
                return wrong("name must have 1 to 200 characters, none of them a control character, and be no GUID");
            }
            if before().any(|other| other.name.to_lowercase() == phase.name.to_lowercase()) {
                return wrong("another phase has its name");
            }
            if before().any(|other| other.collection == phase.collection) {
                return wrong("another phase has its collection; a group is deployed once to a collection");
            }
            if !matches!(phase.action, DeploymentAction::Install | DeploymentAction::Optional) {
                return wrong("action must be install or optional");
            }
            if let Some(text) = phase.problem() {
                return wrong(text);
            }
            let deadline = (phase.action == DeploymentAction::Install).then_some(Timestamp::UNIX_EPOCH);
            if let Err(error) = phase.terms.check(phase.action, deadline) {
                return wrong(&error.to_string());
            }
        }
        Ok(())
    }

    /// Whether `self` may take the place of `before`: phases that started stay as they are, at their places.
    pub fn check_change(&self, before: &Self, state: &State) -> Result<(), PlanError> {
        self.check()?;
        for (at, (phase, progress)) in before.phases.iter().zip(&state.phases).enumerate() {
            if progress.started_at.is_some() && self.phases.get(at) != Some(phase) {
                return Err(PlanError::Active(at + 1));
            }
        }
        Ok(())
    }
}

impl Phase {
    fn problem(&self) -> Option<&'static str> {
        match self.success {
            Amount::Percent(percent) if !(1..=100).contains(&percent) => {
                return Some("success must be 1 to 100 percent");
            }
            Amount::Count(0) => return Some("success must be at least 1 computer"),
            _ => {}
        }
        match self.error_limit {
            Some(Amount::Percent(percent)) if percent >= 100 => return Some("error_limit must be below 100 percent"),
            _ => {}
        }
        if matches!(self.start, Start::Automatic { after_days } if after_days > LONGEST_DAYS) {
            return Some("start: at most 365 days");
        }
        if matches!(self.deadline, Deadline::Days(days) if days > LONGEST_DAYS) {
            return Some("deadline: at most 365 days");
        }
        if self.action == DeploymentAction::Optional && self.deadline != Deadline::AsSoonAsPossible {
            return Some("deadline: only a required installation has one");
        }
        if self.soak_hours > u32::from(LONGEST_DAYS) * 24 {
            return Some("soak_hours: at most 8760");
        }
        if self.spread_days > LONGEST_SPREAD {
            return Some("spread_days: at most 30");
        }
        None
    }
}

fn is_name(name: &str) -> bool {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && name.trim() == name;
    let clear = crate::name::is_printable(name) && uuid::Uuid::try_parse(name).is_err();
    fits && clear && !matches!(name, "." | "..")
}

impl State {
    /// Nothing has started.
    pub fn new(phases: usize) -> Self {
        Self { status: Status::Running, phases: vec![Progress::default(); phases] }
    }

    /// The same for a plan whose phases that have not started are others.
    #[must_use]
    pub fn resized(mut self, phases: usize) -> Self {
        self.phases.resize(phases, Progress::default());
        self
    }

    /// The last phase that started.
    pub fn current(&self) -> Option<usize> {
        self.phases.iter().rposition(|phase| phase.started_at.is_some())
    }

    /// Whether anything can still happen.
    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Stopped | Status::Completed)
    }

    /// Whether it waits for somebody to resume it.
    pub fn is_held(&self) -> bool {
        matches!(self.status, Status::Paused | Status::Failed)
    }
}

impl Counts {
    /// The computers that a share is of.
    fn whole(&self, count_unknown: bool) -> u32 {
        if count_unknown { self.targeted } else { self.targeted.saturating_sub(self.unknown) }
    }
}
