//! What administrators decided, as objects that travel: over the site link to children, and inside Weir bundles.
//!
//! An [`Object`] is `{kind, version, id, change, deleted, body}`. Each kind has a typed, versioned body (see [`body`]); its
//! `id` means the same on every server. [`export_since`] reads what changed after a number of the one global order of
//! changes, deletions included; [`apply()`] writes objects into this site's rows, in the order in which they depend on each
//! other, each validated as if an administrator had sent it.
//!
//! *Invariant:* applying is idempotent, and an object that is not understood or not allowed is reported and never fatal: a
//! newer server may send kinds and versions that an older one does not know.

mod apply;
pub mod body;
mod digest;
mod export;
mod key;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use apply::apply;
pub use digest::{Digests, KindDigest, differing, differs, digests, present};
pub use export::{Page, export_since};

/// Objects on a page of [`export_since`], about: a page ends with a whole change number.
pub const PAGE: u32 = 1_000;

/// Settings that the top of a hierarchy decides for all its sites. Everything else belongs to each site.
pub const TOP_SETTINGS: &[&str] = &[
    "cookie.minutes",
    "events.days",
    "page.bytes",
    "page.entries",
    "page.filling",
    "registration.required",
    "scan.cached_ids",
    "scan.extended_updates",
    "scan.installed_ids",
    "scan.interval",
    "targeting",
    "updates.run_time_feature",
    "updates.run_time_other",
    "updates.run_time_windows",
    "windows.both_kinds",
];

/// A kind of object. In the order in which they are applied; deletions are applied in the opposite order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A setting of [`TOP_SETTINGS`]; `id` is its key.
    Setting,
    /// What to synchronize; `id` is `classifications`, `languages` or `products`.
    Selection,
    /// A rule of what to skip or to decline; `id` is its GUID.
    Criterion,
    /// An update group with its members; `id` is its GUID.
    UpdateGroup,
    /// A collection without its members; `id` is its GUID.
    Collection,
    /// A maintenance window of a collection; `id` is its GUID.
    MaintenanceWindow,
    /// A set of client settings with the collections that it is deployed to; `id` is its GUID.
    ClientSettings,
    /// A saved search; `id` is its GUID.
    SavedSearch,
    /// A declined update; `id` is the update's GUID, deleted means that the decline was taken back.
    Decline,
    /// An accepted licence; `id` is the update's GUID.
    EulaAcceptance,
    /// A stopped update; `id` is the update's GUID, deleted means that it was resumed.
    UpdateStop,
    /// A template of deployments; `id` is its GUID.
    DeploymentTemplate,
    /// An automatic deployment rule, which only the top runs; `id` is its GUID.
    Rule,
    /// A phased deployment, which only the top runs; `id` is its GUID.
    Phased,
    /// What is set of an update, run time and severity; `id` is the update's GUID, deleted means that nothing is.
    UpdateSetting,
    /// A deployment; `id` is `update:GUID/GUID` or `group:GUID/GUID`, the second GUID being the collection's.
    Deployment,
}

impl Kind {
    /// Every kind, in the order in which they are applied.
    pub const ALL: [Self; 16] = [
        Self::Setting,
        Self::Selection,
        Self::Criterion,
        Self::UpdateGroup,
        Self::Collection,
        Self::MaintenanceWindow,
        Self::ClientSettings,
        Self::SavedSearch,
        Self::Decline,
        Self::EulaAcceptance,
        Self::UpdateStop,
        Self::DeploymentTemplate,
        Self::Rule,
        Self::Phased,
        Self::UpdateSetting,
        Self::Deployment,
    ];

    /// Its name in objects.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSettings => "client_settings",
            Self::Collection => "collection",
            Self::Criterion => "criterion",
            Self::Decline => "decline",
            Self::Deployment => "deployment",
            Self::DeploymentTemplate => "deployment_template",
            Self::EulaAcceptance => "eula_acceptance",
            Self::MaintenanceWindow => "maintenance_window",
            Self::Phased => "phased_deployment",
            Self::Rule => "rule",
            Self::SavedSearch => "saved_search",
            Self::Selection => "selection",
            Self::Setting => "setting",
            Self::UpdateGroup => "update_group",
            Self::UpdateStop => "update_stop",
            Self::UpdateSetting => "update_setting",
        }
    }

    /// The version of its body that is written here, and the newest that is read.
    pub fn version(self) -> u32 {
        match self {
            // 2: definitions by rule; settings and names; descriptions. What has none of these is written as version 1, which
            // says all of it.
            Self::Collection | Self::Deployment | Self::UpdateGroup => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no [`Kind`] here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no kind of object {0:?}")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == text);
        known.ok_or_else(|| UnknownKind(text.chars().take(80).collect()))
    }
}

/// One decision on its way. `kind` is text, so that an object of an unknown kind can be read and reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Name of its [`Kind`].
    pub kind: String,
    /// Version of its body.
    pub version: u32,
    /// Which one; the same on every server.
    pub id: String,
    /// Number of its last change in the sender's order.
    pub change: u64,
    /// It is gone; there is no body then.
    #[serde(default)]
    pub deleted: bool,
    /// What it says, typed per kind and version (see [`body`]).
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
}

/// Where objects come from, which decides what they may replace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A bundle, brought to a site that decides for itself: what was made here stays, and the object is refused.
    Bundle,
    /// The parent of a replica: its word replaces what is here.
    Parent,
}

/// What became of objects.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Applied {
    /// Objects that changed something.
    pub applied: u64,
    /// Objects that were so already.
    pub unchanged: u64,
    /// Kinds and versions that are not known here, with the number of their objects.
    pub unknown_kinds: Vec<Unknown>,
    /// Objects that were not applied.
    pub refused: Vec<Refused>,
}

impl Applied {
    /// Adds the outcome of further objects.
    pub fn add(&mut self, other: Self) {
        self.applied += other.applied;
        self.unchanged += other.unchanged;
        for unknown in other.unknown_kinds {
            self.unknown(&unknown.kind, unknown.version, unknown.objects);
        }
        self.refused.extend(other.refused);
    }

    fn unknown(&mut self, kind: &str, version: u32, objects: u64) {
        let same = |known: &&mut Unknown| known.kind == kind && known.version == version;
        match self.unknown_kinds.iter_mut().find(same) {
            Some(known) => known.objects += objects,
            None => self.unknown_kinds.push(Unknown { kind: kind.chars().take(80).collect(), version, objects }),
        }
    }
}

/// Objects that this version does not understand.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Unknown {
    /// Their kind.
    pub kind: String,
    /// Version of their body.
    pub version: u32,
    /// How many there were.
    pub objects: u64,
}

/// An object that was not applied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Refused {
    /// Its kind.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Why, and what to do.
    pub reason: String,
}
