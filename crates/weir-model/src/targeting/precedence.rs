//! Which deployment of an update wins, and why (design, section 6). *Off-spec:* only deployments that are active compete; in
//! the design one that waits hides what is active above it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;

use super::{Collection, CollectionKind, Deployment, DeploymentAction};
use crate::ids::{ChangeNumber, CollectionId, DeploymentId};

/// So many levels of target groups nest below All Computers: everything that decides follows the tree so far, and nothing is
/// put deeper. What is deeper all the same, as older versions let it be, counts as if it were directly above these.
pub const MAX_DEPTH: usize = 64;

/// The collections, as precedence sees them.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    collections: BTreeMap<CollectionId, Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    parent: Option<CollectionId>,
    kind: CollectionKind,
    approved_only: bool,
}

impl Tree {
    /// Takes the collections in any order. Loops are cut and parents that do not exist count as All Computers.
    pub fn new(collections: &[Collection]) -> Self {
        let node = |it: &Collection| Node { parent: it.parent, kind: it.kind, approved_only: it.approved_only };
        Self { collections: collections.iter().map(|it| (it.id, node(it))).collect() }
    }

    /// The branches of a computer that is in these collections: each from one of them up to All Computers, which is
    /// always its last. A collection above another one of the computer starts no branch of its own, since it lies
    /// on that one's. Sorted by their first collection.
    pub fn branches(&self, groups: &[CollectionId]) -> Vec<Vec<CollectionId>> {
        let own: BTreeSet<_> = groups.iter().copied().chain([CollectionId::ALL_COMPUTERS]).collect();
        let paths: Vec<_> = own.iter().map(|group| self.path(*group)).collect();
        let above: BTreeSet<_> = paths.iter().flat_map(|path| path.iter().skip(1).copied()).collect();
        paths.into_iter().filter(|path| path.first().is_some_and(|first| !above.contains(first))).collect()
    }

    fn path(&self, group: CollectionId) -> Vec<CollectionId> {
        let mut path = vec![group];
        let mut at = group;
        while at != CollectionId::ALL_COMPUTERS && path.len() < MAX_DEPTH {
            let next = match self.collections.get(&at) {
                Some(Node { kind: CollectionKind::TargetGroup, parent: Some(parent), .. }) => *parent,
                _ => break,
            };
            if path.contains(&next) || !self.collections.contains_key(&next) {
                break;
            }
            path.push(next);
            at = next;
        }
        if path.last() != Some(&CollectionId::ALL_COMPUTERS) {
            path.push(CollectionId::ALL_COMPUTERS);
        }
        path
    }

    /// Whether computers in these collections are sent deployed updates only: every collection of their own, All Computers
    /// aside, must say so. Unassigned Computers counts if it is the only one: a computer that rules put into collections is
    /// in it because no target group has it.
    pub fn approved_only(&self, groups: &[CollectionId]) -> bool {
        let own = groups.iter().filter(|group| **group != CollectionId::ALL_COMPUTERS);
        let others = own.clone().any(|group| *group != CollectionId::UNASSIGNED_COMPUTERS);
        let mut own = own.filter(|group| !others || **group != CollectionId::UNASSIGNED_COMPUTERS).peekable();
        own.peek().is_some() && own.all(|group| self.collections.get(group).is_some_and(|node| node.approved_only))
    }
}

/// What precedence among branches compares, smaller is stronger: action, a deadline over none, the earlier deadline, the newest.
/// The id makes it total.
type Strength = (DeploymentAction, bool, Option<Timestamp>, Reverse<ChangeNumber>, Reverse<DeploymentId>);

fn strength(deployment: &Deployment) -> Strength {
    let Deployment { action, deadline, changed, id, .. } = deployment;
    (*action, deadline.is_none(), *deadline, Reverse(*changed), Reverse(*id))
}

/// The deployments that compete on these branches: those that are active. Those that wait decide only where no active one
/// applies at all, so that what waits is detected meanwhile.
fn competing<'a>(
    branches: &[Vec<CollectionId>],
    deployments: &[&'a Deployment],
    active: &impl Fn(&Deployment) -> bool,
) -> Vec<&'a Deployment> {
    let applies = |it: &&Deployment| branches.iter().any(|path| path.contains(&it.collection));
    let (acting, waiting): (Vec<&'a Deployment>, Vec<&'a Deployment>) =
        deployments.iter().copied().filter(applies).partition(|&it| active(it));
    if acting.is_empty() { waiting } else { acting }
}

/// The nearest deployment on a branch; the strongest, if its collection has several.
fn nearest<'a>(path: &[CollectionId], competing: &[&'a Deployment]) -> Option<&'a Deployment> {
    path.iter().find_map(|collection| {
        let here = competing.iter().copied().filter(|it| it.collection == *collection);
        here.min_by_key(|it| strength(it))
    })
}

/// The deployment that wins on these branches, from all deployments of one update.
pub fn winner<'a>(branches: &[Vec<CollectionId>], deployments: &[&'a Deployment]) -> Option<&'a Deployment> {
    winner_if(branches, deployments, &|it: &Deployment| it.active)
}

/// The same with another idea of what is active.
pub(super) fn winner_if<'a>(
    branches: &[Vec<CollectionId>],
    deployments: &[&'a Deployment],
    active: &impl Fn(&Deployment) -> bool,
) -> Option<&'a Deployment> {
    let competing = competing(branches, deployments, active);
    branches.iter().filter_map(|path| nearest(path, &competing)).min_by_key(|it| strength(it))
}

/// One branch of an explanation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Branch {
    /// Its collections, the computer's own first, All Computers last.
    pub path: Vec<CollectionId>,
    /// The nearest of the deployments that compete, if the branch has one.
    pub nearest: Option<BranchDeployment>,
    /// The competing deployments it hides, nearest first.
    pub hidden: Vec<BranchDeployment>,
    /// The deployments that do not compete until they are active, nearest first.
    pub waiting: Vec<BranchDeployment>,
}

/// A deployment as an explanation names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BranchDeployment {
    /// The deployment.
    pub id: DeploymentId,
    /// Where it was made.
    pub collection: CollectionId,
    /// What it asks for.
    pub action: DeploymentAction,
    /// Its deadline.
    pub deadline: Option<Timestamp>,
    /// Its time has come and its content is here.
    pub active: bool,
}

impl From<&Deployment> for BranchDeployment {
    fn from(it: &Deployment) -> Self {
        Self { id: it.id, collection: it.collection, action: it.action, deadline: it.deadline, active: it.active }
    }
}

/// What decided between the winner and the strongest other branch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// No branch has a deployment.
    NoDeployment,
    /// All branches that have a deployment have the same one.
    Unopposed,
    /// A stronger action.
    Action,
    /// A deadline over none.
    Deadline,
    /// The earlier deadline.
    EarlierDeadline,
    /// The newer of two that are otherwise equal.
    Newest,
}

/// Which deployment won and what it won against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ruling {
    /// The winner.
    pub winner: Option<BranchDeployment>,
    /// What decided.
    pub decision: Decision,
    /// All branches, by the collection they start with.
    pub branches: Vec<Branch>,
}

impl Ruling {
    /// Follows [`winner`] and writes down every step.
    pub fn new(branches: Vec<Vec<CollectionId>>, deployments: &[&Deployment]) -> Self {
        Self::new_if(branches, deployments, &|it: &Deployment| it.active)
    }

    /// The same with another idea of what is active.
    pub(super) fn new_if(
        branches: Vec<Vec<CollectionId>>,
        deployments: &[&Deployment],
        active: &impl Fn(&Deployment) -> bool,
    ) -> Self {
        let won = winner_if(&branches, deployments, active);
        let competing = competing(&branches, deployments, active);
        let rival = branches
            .iter()
            .filter_map(|path| nearest(path, &competing))
            .filter(|it| Some(it.id) != won.map(|won| won.id))
            .min_by_key(|it| strength(it));
        let decision = match (won, rival) {
            (None, _) => Decision::NoDeployment,
            (Some(_), None) => Decision::Unopposed,
            (Some(won), Some(rival)) if won.action != rival.action => Decision::Action,
            (Some(won), Some(rival)) if won.deadline.is_some() != rival.deadline.is_some() => Decision::Deadline,
            (Some(won), Some(rival)) if won.deadline != rival.deadline => Decision::EarlierDeadline,
            (Some(_), Some(_)) => Decision::Newest,
        };
        let branches = branches.into_iter().map(|path| Branch::new(path, deployments, &competing)).collect();
        Self { winner: won.map(Into::into), decision, branches }
    }

    /// The ruling in words, one sentence a line; `name` gives the name of a collection.
    pub fn describe(&self, name: impl Fn(CollectionId) -> String) -> String {
        let mut lines = Vec::new();
        for branch in &self.branches {
            let path: Vec<_> = branch.path.iter().map(|id| name(*id)).collect();
            let path = path.join(" > ");
            let waiting: Vec<_> = branch.waiting.iter().map(|it| it.describe(&name)).collect();
            let waits = match waiting.as_slice() {
                [] => String::new(),
                [only] => format!(" {only} does not count until it is active."),
                several => format!(" {} do not count until they are active.", several.join(", ")),
            };
            let Some(nearest) = &branch.nearest else {
                let which = if waiting.is_empty() { "" } else { " that is active" };
                lines.push(format!("Branch {path}: no deployment{which}.{waits}"));
                continue;
            };
            let hidden: Vec<_> = branch.hidden.iter().map(|it| it.describe(&name)).collect();
            let hides = if hidden.is_empty() { String::new() } else { format!(" and hides {}", hidden.join(", ")) };
            lines.push(format!("Branch {path}: {} is the nearest{hides}.{waits}", nearest.describe(&name)));
        }
        lines.push(match (&self.winner, self.decision) {
            (None, _) | (_, Decision::NoDeployment) => "No deployment reaches these computers.".to_owned(),
            (Some(won), Decision::Unopposed) => format!("{} wins: nothing stands against it.", won.describe(&name)),
            (Some(won), Decision::Action) => {
                let order = "block, install, optional, uninstall, detect";
                format!("{} wins: the strongest action among the branches ({order}).", won.describe(&name))
            }
            (Some(won), Decision::Deadline) => format!("{} wins: a deadline over none.", won.describe(&name)),
            (Some(won), Decision::EarlierDeadline) => format!("{} wins: the earlier deadline.", won.describe(&name)),
            (Some(won), Decision::Newest) => format!("{} wins: the newest of equals.", won.describe(&name)),
        });
        lines.join("\n")
    }
}

impl Branch {
    fn new(path: Vec<CollectionId>, deployments: &[&Deployment], competing: &[&Deployment]) -> Self {
        let near = nearest(&path, competing);
        let (mut hidden, mut waiting): (Vec<&Deployment>, Vec<&Deployment>) = (Vec::new(), Vec::new());
        for collection in &path {
            let mut here: Vec<&Deployment> =
                deployments.iter().copied().filter(|it| it.collection == *collection).collect();
            here.sort_by_key(|it| strength(it));
            for it in here.into_iter().filter(|it| Some(it.id) != near.map(|near| near.id)) {
                if competing.iter().any(|other| other.id == it.id) { hidden.push(it) } else { waiting.push(it) }
            }
        }
        let named =
            |these: Vec<&Deployment>| these.into_iter().map(BranchDeployment::from).collect::<Vec<BranchDeployment>>();
        Self { path, nearest: near.map(Into::into), hidden: named(hidden), waiting: named(waiting) }
    }
}

impl BranchDeployment {
    fn describe(&self, name: impl Fn(CollectionId) -> String) -> String {
        let action = match self.action {
            DeploymentAction::Block => "block",
            DeploymentAction::Install => "install",
            DeploymentAction::Optional => "optional",
            DeploymentAction::Uninstall => "uninstall",
            DeploymentAction::Detect => "detect",
        };
        let deadline = self.deadline.map(|deadline| format!(", deadline {deadline}")).unwrap_or_default();
        let waits = if self.active { "" } else { ", not active yet" };
        format!("deployment {} ({action} in {}{deadline}{waits})", self.id, name(self.collection))
    }
}
