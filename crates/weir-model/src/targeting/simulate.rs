//! What one more deployment would change (design, section 6). Pure; the work is per distinct set of collections and per
//! distinct list of deployments, never per computer.

use jiff::Timestamp;

use super::{Deployment, DeploymentAction, Ruling, Tree, winner};
use crate::ids::CollectionId;

/// What computers are told once everything that is awaited is there.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Told {
    /// The action; blocking is told as detection, and so is nothing at all.
    pub action: DeploymentAction,
    /// From when, if that lies ahead.
    pub from: Option<Timestamp>,
    /// Until when at the latest.
    pub deadline: Option<Timestamp>,
}

/// A deployment with the time from which on it is offered.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// From when.
    pub available_at: Timestamp,
}

/// What is decided for the computers of one set of collections.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// What they are told now.
    pub before: Told,
    /// What they would be told.
    pub after: Told,
    /// What would win.
    pub winner: Option<&'a Deployment>,
    /// The new deployment lies on one of their branches.
    pub reached: bool,
}

impl Outcome<'_> {
    /// They would be told something else.
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }
}

/// What computers are told of what wins.
fn told(won: Option<&Planned<'_>>, now: Timestamp) -> Told {
    let detect = Told { action: DeploymentAction::Detect, from: None, deadline: None };
    let Some(won) = won else { return detect };
    match won.deployment.action {
        DeploymentAction::Block | DeploymentAction::Detect => detect,
        action => {
            Told { action, from: Some(won.available_at).filter(|at| *at > now), deadline: won.deployment.deadline }
        }
    }
}

/// What a new deployment would change for computers in these collections, given all deployments of the same update.
pub fn simulate<'a>(
    tree: &Tree,
    groups: &[CollectionId],
    existing: &[Planned<'a>],
    new: &Planned<'a>,
    now: Timestamp,
) -> Outcome<'a> {
    let branches = tree.branches(groups);
    let reached = branches.iter().flatten().any(|collection| *collection == new.deployment.collection);
    let mut all: Vec<&Deployment> = existing.iter().map(|it| it.deployment).collect();
    let find = |won: Option<&Deployment>| {
        won.and_then(|won| existing.iter().chain([new]).find(|it| std::ptr::eq(it.deployment, won)))
    };
    let before = told(find(winner(&branches, &all)), now);
    all.push(new.deployment);
    let won = find(winner(&branches, &all));
    Outcome { before, after: told(won, now), winner: won.map(|it| it.deployment), reached }
}

/// The decision with the new deployment, step by step.
pub fn ruling(tree: &Tree, groups: &[CollectionId], existing: &[Planned<'_>], new: &Planned<'_>) -> Ruling {
    let all: Vec<&Deployment> = existing.iter().chain([new]).map(|it| it.deployment).collect();
    Ruling::new(tree.branches(groups), &all)
}
