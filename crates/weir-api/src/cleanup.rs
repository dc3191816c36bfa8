//! `cleanup`: keeping the catalogue clean.
//!
//! * `GET cleanup` answers a [`Cleanup`]: the rules, and how the last run ended.
//! * `GET cleanup/preview` answers a [`CleanupPreview`]: what a run would do now, under the rules or under others.
//! * `POST cleanup/runs` starts a run and answers it, or the one that is under way; `GET cleanup/runs` answers a
//!   [`crate::List`] of [`CleanupRun`], newest first; `GET cleanup/runs/{id}` one of them; `DELETE` stops it.
//! * `GET cleanup/removed` answers a [`crate::List`] of [`RemovedRevision`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Reference;

/// The rules, as the settings `cleanup.*` say.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CleanupRules {
    /// When superseded updates are declined, feature updates aside: `off`, `immediately` or `months:N`.
    pub superseded: String,
    /// The same for superseded feature updates (classification Upgrades).
    pub superseded_features: String,
    /// A superseded update stays while what replaces it is not deployed where it is.
    pub keep_until_deployed: bool,
    /// A superseded update stays while it is made for a product that what replaces it is not made for.
    pub keep_narrower: bool,
    /// Days until a withdrawn update is removed that is neither deployed nor in a group; 0: never.
    pub expired_days: u32,
    /// Days until a declined update is removed; 0: never.
    pub declined_days: u32,
    /// Days until a revision is removed that a newer one took the place of; 0: never.
    pub obsolete_days: u32,
}

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CleanupState {
    /// Stopped by an administrator; what it did stays.
    Cancelled,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
    /// Under way.
    Running,
    /// Asked for and not begun.
    Waiting,
}

/// What a run did, as far as it is.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CleanupCounts {
    /// What it is doing: `planning`, `declining`, `removing`, `giving_back`, `done`.
    pub phase: String,
    /// Updates that it looked at.
    pub processed: u64,
    /// Updates to be declined in all.
    pub to_decline: u64,
    /// Updates declined.
    pub declined: u64,
    /// Revisions to be removed in all.
    pub to_remove: u64,
    /// Revisions removed.
    pub revisions: u64,
    /// Updates of which no revision is left.
    pub updates: u64,
    /// Bytes of texts removed.
    pub bytes: u64,
    /// Bytes given back to the disk.
    pub given_back: u64,
    /// Revisions that wait a day longer, because downstream servers may have been told of them.
    pub leaving: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CleanupRun {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub state: CleanupState,
    /// Who asked for it: an administrator, or the server itself.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it did.
    pub counts: CleanupCounts,
    /// Why it failed.
    pub error: Option<String>,
}

/// Answer of `GET cleanup`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cleanup {
    /// The rules.
    pub rules: CleanupRules,
    /// A site above decides what is declined.
    pub follows: bool,
    /// The run that is under way or waits.
    pub current: Option<CleanupRun>,
    /// The run that ended last.
    pub last: Option<CleanupRun>,
    /// Bytes of the database file that nothing uses.
    pub unused_bytes: u64,
    /// They can be given back while the server runs; else they are used again by what is stored next.
    pub can_give_back: bool,
    /// What to do next.
    pub next_step: Option<String>,
}

/// Query parameters of `GET cleanup/preview`. What is not given is as the settings say.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CleanupPreviewQuery {
    /// As if `cleanup.superseded` were this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<String>,
    /// As if `cleanup.superseded_features` were this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_features: Option<String>,
    /// As if `cleanup.keep_until_deployed` were this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until_deployed: Option<bool>,
    /// As if `cleanup.keep_narrower` were this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_narrower: Option<bool>,
    /// As if `cleanup.expired_days` were this, 0 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_days: Option<u32>,
    /// As if `cleanup.declined_days` were this, 0 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined_days: Option<u32>,
    /// As if `cleanup.obsolete_days` were this, 0 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obsolete_days: Option<u32>,
    /// Only these items: `decline`, `remove` or `keep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<CleanupAction>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CleanupAction {
    /// The update is declined.
    Decline,
    /// It stays, although a rule would take it.
    Keep,
    /// The revision is removed.
    Remove,
}

/// One item of a preview.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CleanupItem {
    /// What becomes of it.
    pub action: CleanupAction,
    /// The update.
    pub id: Uuid,
    /// The revision; null: the update as a whole.
    pub revision: Option<u32>,
    /// Its title.
    pub title: String,
    /// Why, in words.
    pub reason: String,
    /// The update that replaces it, needs it, or is its reason.
    pub other: Option<Reference>,
}

/// Answer of `GET cleanup/preview`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CleanupPreview {
    /// The rules it is made with.
    pub rules: CleanupRules,
    /// Updates that were looked at.
    pub processed: u64,
    /// Updates that would be declined.
    pub declines: u64,
    /// Updates of which no revision would be left.
    pub updates: u64,
    /// Revisions that would be removed.
    pub revisions: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// What stays although a rule would take it.
    pub kept: u64,
    /// What is declined, then what is removed, then what is kept (at most 10,000 of these).
    pub items: Vec<CleanupItem>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// A revision that was removed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemovedRevision {
    /// The update.
    pub id: Uuid,
    /// Its revision.
    pub revision: u32,
    /// Its title.
    pub title: String,
    /// When.
    pub removed_at: Timestamp,
}
