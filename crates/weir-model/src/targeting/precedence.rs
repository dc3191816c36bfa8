//! Which deployment of an update wins, and why (design, section 6).

use crate::{
    catalogue::Standing,
    ids::{CollectionId, DeploymentId, UpdateId},
    targeting::DeploymentAction,
};

/// One branch: the way from a collection of the computer up to All Computers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Branch {
    /// Its collections, the computer's own first, All Computers last.
    pub path: Vec<CollectionId>,
    /// The nearest deployment, if the branch has one: its collection, number and action.
    pub nearest: Option<BranchDeployment>,
    /// The deployments it hides, nearest first.
    pub hidden: Vec<BranchDeployment>,
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
    /// Whether its time has come and its content is here.
    pub active: bool,
}

/// What decided between the winner and the strongest other branch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// No branch has a deployment.
    None,
    /// All branches agree on one deployment, or only one has any.
    Only,
    /// A stronger action.
    Action,
    /// A deadline over none.
    Deadline,
    /// The earlier deadline.
    EarlierDeadline,
    /// The newer of two that are otherwise equal.
    Newest,
}

/// Why an update is offered as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The update.
    pub update_id: UpdateId,
    /// What is sent.
    pub standing: Standing,
    /// The winner.
    pub winner: Option<BranchDeployment>,
    /// What decided.
    pub decision: Decision,
    /// All branches, by the collection they start with.
    pub branches: Vec<Branch>,
}

impl Explanation {
    /// The explanation in words, one sentence a line; `name` gives the name of a collection.
    pub fn describe(&self, _name: impl Fn(CollectionId) -> String) -> String {
        unimplemented!()
    }
}
