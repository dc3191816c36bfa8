//! What one more deployment would change (design, section 6), at the moment at which its time has come. Pure; the work is per distinct set of collections and per
//! distinct list of deployments, never per computer.

use jiff::Timestamp;

use super::{Deployment, DeploymentAction, Ruling, Tree, precedence::winner_if};
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
    /// What they are told without it, at the moment at which its time has come.
    pub before: Told,
    /// What they would be told then.
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

/// When the new deployment's time has come: from then on it competes.
fn moment(new: &Planned<'_>, now: Timestamp) -> Timestamp {
    new.available_at.max(now)
}

/// Whether a deployment competes then: its time has come; its content is taken to be here.
fn competes(all: &[Planned<'_>], it: &Deployment, at: Timestamp) -> bool {
    all.iter().any(|one| std::ptr::eq(one.deployment, it) && one.available_at <= at)
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
    let at = moment(new, now);
    let decide = |all: &[Planned<'a>]| {
        let deployments: Vec<&'a Deployment> = all.iter().map(|it| it.deployment).collect();
        let won = winner_if(&branches, &deployments, &|it: &Deployment| competes(all, it, at));
        won.and_then(|won| all.iter().copied().find(|it| std::ptr::eq(it.deployment, won)))
    };
    let before = told(decide(existing).as_ref(), now);
    let all: Vec<Planned<'a>> = existing.iter().copied().chain([*new]).collect();
    let won = decide(&all);
    Outcome { before, after: told(won.as_ref(), now), winner: won.map(|it| it.deployment), reached }
}

/// The decision with the new deployment, step by step.
pub fn ruling(
    tree: &Tree,
    groups: &[CollectionId],
    existing: &[Planned<'_>],
    new: &Planned<'_>,
    now: Timestamp,
) -> Ruling {
    let all: Vec<Planned<'_>> = existing.iter().copied().chain([*new]).collect();
    let deployments: Vec<&Deployment> = all.iter().map(|it| it.deployment).collect();
    let at = moment(new, now);
    Ruling::new_if(tree.branches(groups), &deployments, &|it: &Deployment| competes(&all, it, at))
}
