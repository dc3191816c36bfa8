//! `criteria`: rules by which a synchronization skips or declines updates.
//!
//! * `GET criteria` answers a [`crate::List`] of [`Criterion`]; `POST` takes a [`CriterionRule`] and answers a
//!   [`Criterion`].
//! * `GET criteria/{name}` answers a [`Criterion`], `PATCH` takes a [`CriterionChange`], `DELETE` removes the rule.
//! * `POST criteria-preview` takes a [`CriterionRule`] and answers a [`CriterionPreview`] without storing anything;
//!   `GET criteria/{name}/preview` does so for a stored rule.
//! * `POST criteria/{name}/apply` declines what the rule declines in the catalogue as it is: [`CriterionApplied`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What happens to updates that a rule matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriterionAction {
    /// They are not stored. When the rules change, the next synchronization brings those that none skips any more.
    Skip,
    /// They are stored and declined: listed, and sent to no computer.
    Decline,
}

/// What a rule asks for. All that is given must hold; of a list, one entry is enough.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CriterionCondition {
    /// The update is made for these architectures only: `x86`, `x64`, `arm`, `arm64`, `ia64`.
    pub architectures: Vec<String>,
    /// It is made for one of these editions: `azure`, `business`, `consumer`, `education`, `embedded`, `enterprise`,
    /// `home`, `iot`, `ltsc`, `n`, `pro`, `se`.
    pub editions: Vec<String>,
    /// Its title has one of these patterns, without regard to case: with `*` the whole title, else any part of it.
    pub titles: Vec<String>,
    /// It is a preview (true), or none (false).
    pub preview: Option<bool>,
    /// Its files are made for these languages only.
    pub languages: Vec<String>,
    /// Its files are made for other languages than these only.
    pub other_languages_than: Vec<String>,
    /// It was created at least so many days ago.
    pub older_than_days: Option<u32>,
    /// It has been superseded for at least so many days, counted from the creation of what supersedes it; 0 is at once.
    pub superseded_for_days: Option<u32>,
    /// It belongs to one of these products or to one below these families: GUIDs or titles.
    pub products: Vec<String>,
    /// It belongs to one of these classifications: GUIDs or titles.
    pub classifications: Vec<String>,
}

/// A new rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionRule {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What happens to updates that it matches.
    pub action: CriterionAction,
    /// What it asks for.
    pub condition: CriterionCondition,
    /// What it leaves alone: GUIDs of updates, articles such as `KB5001234`, patterns of titles.
    #[serde(default)]
    pub except: Vec<String>,
    /// False: it is kept and does nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A change of a rule; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CriterionChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<CriterionAction>,
    /// Another condition, in place of the whole one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<CriterionCondition>,
    /// Switches it on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// More exceptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_except: Vec<String>,
    /// Exceptions to take back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_except: Vec<String>,
}

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Criterion {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// The rule; products and classifications by GUID.
    pub rule: CriterionRule,
    /// What it asks for, in words.
    pub description: String,
    /// It comes from the server above and cannot be changed here.
    pub from_parent: bool,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// An update that a rule matches.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CriterionSample {
    /// The update.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// Why the rule matches it.
    pub reason: String,
}

/// What a rule would do to the catalogue as it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CriterionPreview {
    /// What the rule asks for, in words.
    pub description: String,
    /// Updates that rules look at: software and drivers that can be deployed and are not expired.
    pub looked_at: u64,
    /// Updates that the rule matches.
    pub matched: u64,
    /// Those among them that are declined already.
    pub declined: u64,
    /// Those among them whose decline an administrator took back: they stay.
    pub taken_back: u64,
    /// Files of the matched updates.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Bytes among them that are stored here.
    pub bytes_here: u64,
    /// The first of the matched updates.
    pub samples: Vec<CriterionSample>,
    /// What the figures leave out.
    pub note: String,
}

/// What a rule did to the catalogue.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CriterionApplied {
    /// Updates that it declined.
    pub declined: u64,
    /// Updates that were declined before.
    pub before: u64,
    /// Updates left alone because an administrator took their decline back.
    pub taken_back: u64,
}
