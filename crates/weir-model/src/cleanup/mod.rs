//! Keeping the catalogue clean: which updates are declined because newer ones replace them, and which revisions need not be
//! kept any longer (features, section 7).
//!
//! [`plan`] looks at everything that is stored and says what is to be declined, what is to be removed, and what stays
//! although a rule would take it. A dry run shows this plan; a run carries it out.
//!
//! *Invariant:* nothing is removed that a live update, a deployment, an update group, or anything else that stays refers to,
//! directly or through others. *Invariant:* carrying a plan out in parts, with a new plan after each, ends where carrying
//! it out at once does, and then there is nothing left to do.

mod graph;
mod purge;
mod rule;
mod supersede;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    ids::{CollectionId, RevisionId, RevisionNumber},
    update::UpdateType,
};

use self::graph::Graph;
pub use self::rule::{MOST_DAYS, MOST_MONTHS, Rules, Wait, WaitError};

/// Entries of [`Plan::keep`]; what is kept beyond them is counted.
pub const MOST_KEPT: usize = 10_000;

/// A stored revision. Updates go by the store's numbers, which are compared far more often than written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revision {
    /// Its number.
    pub id: RevisionId,
    /// The number of its update.
    pub update: u32,
    /// Which revision of it.
    pub number: RevisionNumber,
    /// Its type.
    pub update_type: UpdateType,
    /// Its publisher withdrew it.
    pub expired: bool,
    /// It can be deployed by itself.
    pub deployable: bool,
    /// When its publisher made it.
    pub created_at: Option<Timestamp>,
    /// When it came here.
    pub arrived_at: Timestamp,
    /// Updates that its prerequisites name, every alternative, categories included.
    pub prerequisites: Vec<u32>,
    /// What it bundles, every alternative.
    pub members: Vec<(u32, RevisionNumber)>,
    /// Updates that it replaces.
    pub supersedes: Vec<u32>,
    /// Its products and its classification.
    pub categories: Vec<u32>,
}

/// What is known of an update beside its revisions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// It is declined, since then.
    pub declined_at: Option<Timestamp>,
    /// A decline of it was taken back, or it was fetched by name: no rule declines it.
    pub protected: bool,
    /// The update for whose sake an earlier run declined it.
    pub declined_for: Option<u32>,
    /// It was a member of a bundle that was removed.
    pub former_member: bool,
}

/// A deployment of one update.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deployed {
    /// The update.
    pub update: u32,
    /// Only this revision; none follows the newest.
    pub revision: Option<RevisionNumber>,
    /// To whom.
    pub collection: CollectionId,
    /// It is switched on and installs, or offers to install.
    pub installs: bool,
}

/// Everything a plan depends on, beside rules and time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    /// Every stored revision.
    pub revisions: Vec<Revision>,
    /// What is known of updates; absent is [`Flags::default`].
    pub flags: BTreeMap<u32, Flags>,
    /// Deployments, those that are switched off included.
    pub deployments: Vec<Deployed>,
    /// Members of update groups.
    pub grouped: BTreeSet<u32>,
    /// The collection that each is nested in.
    pub parents: BTreeMap<CollectionId, CollectionId>,
    /// Classifications. Every other category is a product, or stands above products.
    pub classifications: BTreeSet<u32>,
    /// Those of feature updates among them.
    pub feature_classifications: BTreeSet<u32>,
    /// Revisions that something refers to which is not stored yet, such as a bundle on its way in.
    pub expected: Vec<(u32, RevisionNumber)>,
    /// Declines are decided at a site above.
    pub follows: bool,
}

/// What to do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// Updates that were looked at: those that can be deployed and are neither declined nor expired.
    pub processed: u64,
    /// Updates to be declined, ascending.
    pub decline: Vec<Decline>,
    /// Revisions to be removed; of an update the oldest first, so that a run that is broken off leaves the newest.
    pub purge: Vec<Purge>,
    /// What stays although a rule would take it, at most [`MOST_KEPT`] of them.
    pub keep: Vec<Keep>,
    /// How many stay so.
    pub kept: u64,
}

/// An update to be declined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decline {
    /// Which.
    pub update: u32,
    /// What replaces it: of several the one that was there first.
    pub by: u32,
    /// When that was made.
    pub since: Timestamp,
    /// It is a feature update.
    pub feature: bool,
}

/// A revision to be removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Purge {
    /// Which.
    pub id: RevisionId,
    /// Its update.
    pub update: u32,
    /// Which revision of it.
    pub number: RevisionNumber,
    /// Why.
    pub why: Why,
}

/// Why a revision need not be kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Why {
    /// Its update was declined then.
    Declined(Timestamp),
    /// Its publisher withdrew the update; that came then.
    Expired(Timestamp),
    /// A newer revision came then.
    Obsolete(Timestamp),
    /// It was a member of bundles that are gone, or go now.
    Orphan,
}

/// Something that stays although a rule would take it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keep {
    /// The update.
    pub update: u32,
    /// The revision that would be removed; none: the update that would be declined.
    pub revision: Option<RevisionId>,
    /// Why it stays.
    pub why: Kept,
}

/// Why something stays.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kept {
    /// It is replaced by this one, and the time to wait ends then.
    Until(u32, Timestamp),
    /// Of the collections that it is deployed to, so many have no deployment of what replaces it; one of them.
    NotDeployed(u64, CollectionId),
    /// It is made for so many products that what replaces it is not made for; one of them.
    Narrower(u64, u32),
    /// A deployment names one revision of it.
    Pinned(RevisionNumber),
    /// A decline of it was taken back.
    Protected,
    /// It and this one replace each other.
    Circle(u32),
    /// This update, which stays, needs it: as a prerequisite or as a member.
    NeededBy(u32),
    /// It is deployed: withdrawn updates stay until they are not.
    Deployed,
    /// It is in an update group.
    Grouped,
    /// Something on its way into the catalogue needs it.
    Expected,
    /// It is the reason why this update is declined, or one on the way from that to the reason.
    Reason(u32),
}

/// What is to be done under these rules at this instant.
pub fn plan(input: &Input, rules: &Rules, now: Timestamp) -> Plan {
    let graph = Graph::new(input);
    let mut plan = Plan::default();
    let links = supersede::plan(&graph, rules, now, &mut plan);
    purge::plan(&graph, rules, now, &links, &mut plan);
    plan
}

impl Plan {
    /// There is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.decline.is_empty() && self.purge.is_empty()
    }

    fn keep(&mut self, update: u32, revision: Option<RevisionId>, why: Kept) {
        self.kept += 1;
        if self.keep.len() < MOST_KEPT {
            self.keep.push(Keep { update, revision, why });
        }
    }
}
