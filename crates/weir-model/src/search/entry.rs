//! What the index knows of one update.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    expression::Words,
    ids::{RevisionId, UpdateId, UpdateIdentity},
    update::{CategoryKind, Severity, UpdateType},
};

/// What the newest revision of an update says. Lists that many updates have in common are shared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Number of the revision.
    pub revision_id: RevisionId,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category_kind: Option<CategoryKind>,
    /// Title in the default language, trimmed.
    pub title: String,
    /// Description in the default language.
    pub description: Option<Arc<str>>,
    /// Categories that it says it belongs to.
    pub categories: Arc<[UpdateId]>,
    /// Articles, digits only.
    pub kb_articles: Vec<String>,
    /// Bulletins.
    pub bulletins: Vec<String>,
    /// MSRC severity.
    pub severity: Option<Severity>,
    /// When the publisher made it.
    pub created_at: Option<Timestamp>,
    /// When this revision arrived.
    pub arrived_at: Timestamp,
    /// It is expired.
    pub expired: bool,
    /// It can be deployed.
    pub explicitly_deployable: bool,
    /// It has bundled updates.
    pub is_bundle: bool,
    /// It has licence terms.
    pub has_eula: bool,
    /// What it is made for ([`crate::expression::updates::architectures`]); empty if it does not say.
    pub architectures: Words,
    /// Short names of the languages of its texts and files, lower case.
    pub languages: Arc<[Arc<str>]>,
    /// Updates that it replaces.
    pub supersedes: Arc<[UpdateId]>,
    /// Revisions that it bundles.
    pub members: Arc<[UpdateIdentity]>,
}

/// The files of a revision, licence files aside.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Files {
    /// Their bytes; those that hold differences only are left out.
    pub bytes: u64,
    /// They are of the Unified Update Platform: one holds its aggregated metadata.
    pub uup: bool,
}

/// A category: a company, family, product or classification.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Category {
    /// Its id.
    pub id: UpdateId,
    /// What kind of node.
    pub kind: CategoryKind,
    /// The node above it.
    pub parent: Option<UpdateId>,
    /// Its title.
    pub title: String,
}

/// An update group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// What administrators set of an update, where that differs from nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags {
    /// It is declined.
    pub declined: bool,
    /// Its licence terms are accepted.
    pub eula_accepted: bool,
    /// Severity that an administrator gave it.
    pub custom_severity: Option<Severity>,
    /// Longest time that installing it may take.
    pub run_time_minutes: u32,
}

impl Default for Flags {
    fn default() -> Self {
        Self { declined: false, eula_accepted: false, custom_severity: None, run_time_minutes: 60 }
    }
}

/// What moves of an update.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// What administrators set.
    pub flags: Flags,
    /// It needs what is not in the catalogue.
    pub unresolved: bool,
    /// Another update, neither declined nor expired, replaces it.
    pub superseded: bool,
    /// Deployments of the update itself.
    pub deployments: u32,
    /// It, or a group that it is in, is deployed.
    pub deployed: bool,
    /// Its groups, as places in the index's list.
    pub groups: Box<[u32]>,
}

/// Computers by what they say of an update.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Required, downloaded or waiting for a restart.
    pub needed: u64,
    /// They have it.
    pub installed: u64,
    /// It failed.
    pub failed: u64,
    /// It does not apply.
    pub not_applicable: u64,
    /// They did not tell yet.
    pub unknown: u64,
}

impl Counts {
    /// Compliant computers (installed or not applicable) in percent of all, rounded down; none without computers.
    pub fn percent(&self) -> Option<u64> {
        let all = self.needed + self.installed + self.failed + self.not_applicable + self.unknown;
        ((self.installed + self.not_applicable) * 100).checked_div(all)
    }
}
