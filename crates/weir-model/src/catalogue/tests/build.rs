//! Small catalogues in few words, and a client that follows the protocol.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    catalogue::{
        CatalogueInput, Entry, PageLimits, Retired, RevisionFacts, Scope, Scratch, Snapshot, SoftwareQuery, SyncPlan,
    },
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    targeting::{Collection, CollectionKind, Deployment, DeploymentAction, Timing},
    update::{BundleClause, CategoryKind, DriverMetadata, PrerequisiteClause, Relationships, UpdateType},
};

pub(super) fn uid(number: u32) -> UpdateId {
    UpdateId(Uuid::from_u128(0x1000_0000_0000_0000 + u128::from(number)))
}

pub(super) fn group(number: u32) -> CollectionId {
    CollectionId(Uuid::from_u128(0x2000_0000_0000_0000 + u128::from(number)))
}

pub(super) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

pub(super) fn rids(ids: &[i32]) -> Vec<RevisionId> {
    ids.iter().copied().map(RevisionId).collect()
}

/// A revision. Its id is given by [`Build::add`] unless set.
pub(super) fn revision(update_type: UpdateType, update: u32, number: u32) -> RevisionFacts {
    RevisionFacts {
        id: RevisionId(0),
        identity: UpdateIdentity::new(uid(update), number),
        update_type,
        category: None,
        explicitly_deployable: false,
        expired: false,
        declined: false,
        relationships: Relationships::default(),
        drivers: Vec::new(),
        core_len: 1000,
        changed: ChangeNumber(1),
        changed_at: second(0),
    }
}

pub(super) fn software(update: u32) -> RevisionFacts {
    revision(UpdateType::Software, update, 1)
}

pub(super) fn detectoid(update: u32) -> RevisionFacts {
    revision(UpdateType::Detectoid, update, 1)
}

pub(super) fn category(update: u32, kind: CategoryKind) -> RevisionFacts {
    RevisionFacts { category: Some(kind), ..revision(UpdateType::Category, update, 1) }
}

pub(super) fn driver(update: u32, entries: Vec<DriverMetadata>) -> RevisionFacts {
    RevisionFacts { drivers: entries, ..revision(UpdateType::Driver, update, 1) }
}

impl RevisionFacts {
    pub(super) fn rev(mut self, number: u32) -> Self {
        self.identity.revision = RevisionNumber(number);
        self
    }

    pub(super) fn id(mut self, id: i32) -> Self {
        self.id = RevisionId(id);
        self
    }

    /// A bare prerequisite.
    pub(super) fn needs(self, update: u32) -> Self {
        self.clause(&[update], true, false)
    }

    pub(super) fn needs_one_of(self, updates: &[u32]) -> Self {
        self.clause(updates, false, false)
    }

    /// An IsCategory clause.
    pub(super) fn within(self, category: u32) -> Self {
        self.clause(&[category], false, true)
    }

    fn clause(mut self, updates: &[u32], bare: bool, is_category: bool) -> Self {
        let alternatives = updates.iter().copied().map(uid).collect();
        self.relationships.prerequisites.push(PrerequisiteClause { alternatives, is_category, bare });
        self
    }

    /// A bundle clause.
    pub(super) fn bundles(mut self, members: &[(u32, u32)]) -> Self {
        let alternatives = members.iter().map(|(update, number)| UpdateIdentity::new(uid(*update), *number)).collect();
        self.relationships.bundled.push(BundleClause { alternatives });
        self
    }

    pub(super) fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    pub(super) fn declined(mut self) -> Self {
        self.declined = true;
        self
    }

    pub(super) fn len(mut self, bytes: u32) -> Self {
        self.core_len = bytes;
        self
    }

    pub(super) fn at(mut self, change: u64) -> Self {
        self.changed = ChangeNumber(change);
        self
    }
}

pub(super) fn deployment(id: i32, update: u32, collection: CollectionId, action: DeploymentAction) -> Deployment {
    Deployment {
        id: DeploymentId(id),
        update_id: uid(update),
        revision: None,
        collection,
        action,
        active: true,
        available: second(0),
        deadline: None,
        timing: Timing::default(),
        run_minutes: 60,
        changed: ChangeNumber(1),
        changed_at: second(0),
    }
}

/// A catalogue under construction. Every change takes the next change number.
#[derive(Clone, Default)]
pub(super) struct Build {
    pub(super) input: CatalogueInput,
}

impl Build {
    pub(super) fn with(revisions: impl IntoIterator<Item = RevisionFacts>) -> Self {
        let mut this = Self::default();
        this.input.change = ChangeNumber(1);
        for revision in revisions {
            this.add(revision);
        }
        this
    }

    pub(super) fn change(&mut self) -> ChangeNumber {
        self.input.change.0 += 1;
        self.input.change
    }

    /// Adds a revision with the next id, without a change of its own.
    pub(super) fn add(&mut self, mut revision: RevisionFacts) -> RevisionId {
        if revision.id.0 == 0 {
            revision.id = RevisionId(self.input.revisions.iter().map(|it| it.id.0).max().unwrap_or(0) + 1);
        }
        let id = revision.id;
        self.input.revisions.push(revision);
        id
    }

    /// Adds a revision as a change.
    pub(super) fn publish(&mut self, revision: RevisionFacts) -> RevisionId {
        let change = self.change();
        self.add(revision.at(change.0))
    }

    /// Adds a deployment, or replaces the one with its id, as a change.
    pub(super) fn deploy(&mut self, mut deployment: Deployment) {
        deployment.changed = self.change();
        self.input.deployments.retain(|it| it.id != deployment.id);
        self.input.deployments.push(deployment);
    }

    pub(super) fn undeploy(&mut self, id: i32) {
        let changed = self.change();
        let at = self.input.deployments.iter().position(|it| it.id.0 == id).expect("deployed");
        let gone = self.input.deployments.remove(at);
        self.input.retired.push(Retired { update_id: gone.update_id, collection: Some(gone.collection), changed });
    }

    pub(super) fn decline(&mut self, update: u32, declined: bool) {
        let changed = self.change();
        for revision in self.input.revisions.iter_mut().filter(|it| it.identity.update_id == uid(update)) {
            revision.declined = declined;
        }
        self.input.retired.push(Retired { update_id: uid(update), collection: None, changed });
    }

    /// A target group.
    pub(super) fn collection(&mut self, number: u32, parent: Option<u32>, approved_only: bool) {
        let parent = Some(parent.map_or(CollectionId::ALL_COMPUTERS, group));
        let kind = CollectionKind::TargetGroup;
        self.input.collections.push(Collection { id: group(number), parent, kind, approved_only });
    }

    /// A collection defined by a rule.
    pub(super) fn rule_collection(&mut self, number: u32) {
        let kind = CollectionKind::Rule;
        self.input.collections.push(Collection { id: group(number), parent: None, kind, approved_only: false });
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot::compile(&self.input)
    }
}

/// What a client keeps of a revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Held {
    pub(super) entry: Entry,
    pub(super) installed: bool,
}

/// A client that follows the rules of the protocol dossier, section 9, for the software pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) cache: BTreeMap<RevisionId, Held>,
    pub(super) anchor: Option<ChangeNumber>,
    /// The updates whose rules hold on this computer; none for "all".
    pub(super) installed: Option<BTreeSet<UpdateId>>,
    pub(super) calls: usize,
}

impl Client {
    pub(super) fn lists(&self) -> (Vec<RevisionId>, Vec<RevisionId>) {
        let (mut installed, mut other) = (Vec::new(), Vec::new());
        for (id, held) in &self.cache {
            if held.installed && !held.entry.is_leaf { installed.push(*id) } else { other.push(*id) }
        }
        (installed, other)
    }

    pub(super) fn call(&mut self, snapshot: &Snapshot, scope: &Scope, limits: &PageLimits) -> SyncPlan {
        let (installed, other) = self.lists();
        let query =
            SoftwareQuery { installed: &installed, other: &other, anchor: self.anchor, ..SoftwareQuery::default() };
        let plan = snapshot.software(scope, &query, limits, &mut Scratch::default());
        self.calls += 1;
        for id in &plan.out_of_scope {
            assert!(self.cache.remove(id).is_some(), "{id} is out of scope but was not cached");
        }
        for entry in &plan.changed {
            let held = self.cache.get_mut(&entry.id).expect("a changed entry is cached");
            held.entry = entry.clone();
        }
        for entry in &plan.new {
            let update = snapshot.identity(entry.id).expect("present").update_id;
            let installed = self.installed.as_ref().is_none_or(|all| all.contains(&update));
            let held = Held { entry: entry.clone(), installed };
            assert!(self.cache.insert(entry.id, held).is_none(), "{} came twice", entry.id);
        }
        self.anchor = Some(plan.anchor);
        plan
    }

    /// Calls until nothing new can come.
    pub(super) fn scan(&mut self, snapshot: &Snapshot, scope: &Scope, limits: &PageLimits) -> Vec<SyncPlan> {
        let mut plans = Vec::new();
        loop {
            assert!(self.calls < 10_000, "the scan does not end");
            let plan = self.call(snapshot, scope, limits);
            let again = plan.truncated || plan.new.iter().any(|entry| !entry.is_leaf);
            plans.push(plan);
            if !again {
                return plans;
            }
        }
    }
}
