//! What a deployment would do, and why a computer is offered what it is offered.
//!
//! * `POST deployments/simulation` takes [`crate::deployment::DeploymentCreate`] and answers [`Simulation`]; nothing is made.
//! * `GET deployments/explanation?update=&computer=` answers [`Explanation`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Reference, content::ContentRoom, deployment::Action};

/// What a deployment would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Simulation {
    /// Updates that it would deploy.
    pub updates: u64,
    /// Of these, those that would not be sent, with the reason.
    pub not_sent: Vec<SimulatedReason>,
    /// Computers that it is for: the collection's, with those below it.
    pub computers: u64,
    /// Distinct sets of collections that all known computers are in: what was looked at.
    pub sets: u64,
    /// Computers for which at least one answer becomes another.
    pub changes: u64,
    /// Answers (a computer and an update) by what computers of the collection would be told, and when, most frequent first.
    pub answers: Vec<SimulatedAnswer>,
    /// Existing deployments that would win over the new one, with the number of answers, most frequent first.
    pub overruled_by: Vec<SimulatedRival>,
    /// How it is decided in each branch of collections that has computers, most computers first; at most 50, for the first
    /// update.
    pub branches: Vec<SimulatedBranch>,
    /// The first computers whose answers become others; at most 20.
    pub sample: Vec<SimulatedComputer>,
    /// Room and bytes for the content here.
    pub room: ContentRoom,
    /// Computers of the collection that need at least one of the updates, as far as they reported.
    pub needing: u64,
    /// Bytes that these would fetch at most: for each of them the files of what it needs. Agents fetch fewer where they know
    /// more.
    pub bytes_for_computers: u64,
    /// What will not work as one might expect.
    pub warnings: Vec<String>,
}

/// Why some are not sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedReason {
    /// Why.
    pub reason: String,
    /// How many updates.
    pub updates: u64,
}

/// What computers would be told.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedAnswer {
    /// The action that would win.
    pub action: Action,
    /// From when; null is at once.
    pub from: Option<Timestamp>,
    /// Until when at the latest.
    pub deadline: Option<Timestamp>,
    /// Why: `at once`, `waits for its available time`, `waits for content`, `the update is stopped`, ...
    pub reason: String,
    /// It is the new deployment that wins.
    pub new: bool,
    /// Answers: computers times updates.
    pub answers: u64,
    /// Of these, those that are another answer than now.
    pub changed: u64,
}

/// A deployment that would win over the new one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedRival {
    /// Its number.
    pub deployment: i32,
    /// What it asks for.
    pub action: Action,
    /// Its collection.
    pub collection: Reference,
    /// Answers that it decides.
    pub answers: u64,
}

/// How it is decided for the computers of one set of collections.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedBranch {
    /// Their collections.
    pub collections: Vec<Reference>,
    /// How many they are.
    pub computers: u64,
    /// The new deployment wins.
    pub new: bool,
    /// The decision in words.
    pub why: String,
}

/// A computer whose answers become others.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedComputer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many answers become others.
    pub changes: u64,
}

/// Query parameters of `GET deployments/explanation`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExplanationQuery {
    /// The update.
    pub update: Uuid,
    /// The computer, by its id.
    pub computer: String,
}

/// Why a computer is offered an update, or is not.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The computer's id.
    pub computer: String,
    /// The update.
    pub update: Reference,
    /// What it is sent: `install`, `optional`, `uninstall`, `detect`, or `nothing`.
    pub sent: String,
    /// The deployment that decides; null if there is none.
    pub deployment: Option<i32>,
    /// The deployment of a group that this one follows from.
    pub group_deployment: Option<i32>,
    /// Until when at the latest.
    pub deadline: Option<Timestamp>,
    /// How the computer stands with the update.
    pub state: crate::computer::UpdateState,
    /// The decision in words, a sentence a line.
    pub why: String,
}
