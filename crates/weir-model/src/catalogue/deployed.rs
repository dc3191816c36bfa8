//! The deployments of a snapshot, and which of them a set of collections gets.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    CatalogueInput,
    compile::Revision,
    graph::Graph,
    sets::{NONE, at},
};
use crate::{
    ids::{ChangeNumber, CollectionId},
    targeting::{Deployment, Tree, winner},
};

/// A deployment of a present update.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) number: u32,
    pub(super) update: u32,
    /// The revision it names; none if it follows the newest.
    pub(super) pinned: Option<u32>,
    pub(super) deployment: Deployment,
}

/// All deployments, and changes that left none behind, by collection.
#[derive(Debug, Default)]
pub(super) struct Deployed {
    pub(super) tree: Tree,
    placed: Vec<Placed>,
    by_collection: HashMap<CollectionId, Vec<u32>>,
    /// Updates and changes, by the collection concerned.
    retired: HashMap<CollectionId, Vec<(u32, ChangeNumber)>>,
    /// The same for changes that concern every computer.
    everywhere: BTreeMap<u32, ChangeNumber>,
    /// Collections, All Computers aside, with a deployment that may change which updates their computers report on: some
    /// deployment of the same update names a revision, or the update is a member of a bundle.
    apart: HashSet<CollectionId>,
}

/// What the deployments mean for one update and one set of collections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Target<'a> {
    /// The one that wins.
    pub(super) winner: Option<&'a Placed>,
    /// The latest change to any deployment on the computers' branches; precedence may have shifted by it.
    pub(super) changed: ChangeNumber,
}

impl Deployed {
    /// Deployments of unknown updates or revisions say nothing, and those of a revision that must not be sent neither.
    pub(super) fn new(input: &CatalogueInput, graph: &Graph<'_>, dense: &[u32], revisions: &[Revision]) -> Self {
        let mut this = Self { tree: Tree::new(&input.collections), ..Self::default() };
        for deployment in &input.deployments {
            let Some(update) = graph.index.get(&deployment.update_id).copied() else { continue };
            let named = deployment.revision.map(|number| graph.numbered(update, number.0));
            let pinned = named.map(|fact| fact.map_or(NONE, |fact| at(dense, fact)));
            let sendable = |it: &u32| revisions.get(*it as usize).is_some_and(|it| it.flags.sendable);
            if !pinned.as_ref().is_none_or(sendable) {
                continue;
            }
            let number = this.placed.len() as u32;
            this.by_collection.entry(deployment.collection).or_default().push(number);
            this.placed.push(Placed { number, update, pinned, deployment: deployment.clone() });
        }
        for retired in &input.retired {
            let Some(update) = graph.index.get(&retired.update_id).copied() else { continue };
            if let Some(collection) = retired.collection {
                this.retired.entry(collection).or_default().push((update, retired.changed));
            } else {
                let latest = this.everywhere.entry(update).or_default();
                *latest = retired.changed.max(*latest);
            }
        }
        let members = revisions.iter().filter(|it| it.flags.is_member).map(|it| it.update);
        let named = this.placed.iter().filter(|it| it.pinned.is_some()).map(|it| it.update);
        let updates: HashSet<u32> = members.chain(named).collect();
        let apart = this.placed.iter().filter(|it| updates.contains(&it.update)).map(|it| it.deployment.collection);
        this.apart = apart.filter(|collection| *collection != CollectionId::ALL_COMPUTERS).collect();
        this
    }

    /// Whether computers in these collections report on the same updates as those in none.
    pub(super) fn reports_as_all(&self, groups: &[CollectionId]) -> bool {
        let apart = |branch: &Vec<CollectionId>| branch.iter().any(|collection| self.apart.contains(collection));
        !self.tree.approved_only(groups) && (self.apart.is_empty() || !self.tree.branches(groups).iter().any(apart))
    }

    /// Whether something is deployed to this very collection.
    pub(super) fn is_deployed_to(&self, collection: CollectionId) -> bool {
        self.by_collection.contains_key(&collection)
    }

    pub(super) fn pinned(&self) -> impl Iterator<Item = u32> + '_ {
        self.placed.iter().map(|it| it.pinned.unwrap_or(NONE))
    }

    pub(super) fn get(&self, number: u32) -> Option<&Placed> {
        self.placed.get(number as usize)
    }

    /// Every update that a deployment or a retired one on these branches concerns, by update.
    pub(super) fn targets(&self, branches: &[Vec<CollectionId>]) -> BTreeMap<u32, Target<'_>> {
        let collections: BTreeSet<_> = branches.iter().flatten().copied().collect();
        let mut found: Vec<_> = collections.iter().filter_map(|it| self.by_collection.get(it)).flatten().collect();
        found.sort_unstable_by_key(|number| self.get(**number).map(|it| (it.update, it.deployment.id)));
        let found: Vec<&Placed> = found.into_iter().filter_map(|number| self.get(*number)).collect();
        let mut targets = BTreeMap::new();
        let mut choice = Vec::new();
        for same in found.chunk_by(|left, right| left.update == right.update) {
            let Some(first) = same.first() else { continue };
            choice.clear();
            choice.extend(same.iter().map(|it| &it.deployment));
            let won = winner(branches, &choice).map(|it| it.id);
            let target = Target {
                winner: same.iter().copied().find(|it| Some(it.deployment.id) == won),
                changed: choice.iter().map(|it| it.changed).max().unwrap_or_default(),
            };
            targets.insert(first.update, target);
        }
        let here = collections.iter().filter_map(|it| self.retired.get(it)).flatten();
        for (update, changed) in here.map(|(update, changed)| (update, changed)).chain(&self.everywhere) {
            let target = targets.entry(*update).or_default();
            target.changed = target.changed.max(*changed);
        }
        targets
    }

    /// All deployments of one update on these branches.
    pub(super) fn of_update(&self, update: u32, branches: &[Vec<CollectionId>]) -> Vec<&Deployment> {
        let collections: BTreeSet<_> = branches.iter().flatten().collect();
        let here = self.placed.iter().filter(|it| it.update == update);
        here.map(|it| &it.deployment).filter(|it| collections.contains(&it.collection)).collect()
    }

    /// The latest change that concerned an update on every computer, 0 if there was none.
    pub(super) fn retired_everywhere(&self, update: u32) -> ChangeNumber {
        self.everywhere.get(&update).copied().unwrap_or_default()
    }
}
