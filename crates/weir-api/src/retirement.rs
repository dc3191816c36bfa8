//! Retiring computers that do not call any more, or that somebody chose.
//!
//! * `GET computers/retirement?silent_days=&duplicates=` answers [`RetirementPreview`], `POST computers/retirement`
//!   ([`RetirementRun`]) [`RetirementDone`].
//! * `POST computers/retirement/preview` takes a [`RetirementRun`], with ids of chosen computers as well, and answers
//!   [`RetirementPreview`]; nothing is changed.
//! * `GET computers/retired?cursor=&limit=` answers a [`crate::List`] of [`RetiredComputer`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Reference, bulk::ChangedItem};

/// Query parameters of `GET computers/retirement`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RetirementQuery {
    /// Days without a call, 14 to 3650; the setting computers.retire_days by default, or 90 while that is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_days: Option<u32>,
    /// Instead: rows that machines left behind when they were installed anew.
    #[serde(default)]
    pub duplicates: bool,
}

/// A computer that would be retired.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetiringComputer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its last contact.
    pub last_contact: Timestamp,
}

/// Answer of `GET computers/retirement`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetirementPreview {
    /// Days without a call; null for duplicates and for chosen computers.
    pub silent_days: Option<u32>,
    /// Computers that scan here.
    pub computers: u64,
    /// Of these, how many would be retired.
    pub due: u64,
    /// That share in percent, one decimal.
    pub percent: f64,
    /// How many were retired within the last seven days and have not called again.
    pub recent: u64,
    /// How many more may be retired without being confirmed: computers.retire_percent of all within seven days, one at least.
    pub most: u64,
    /// `due` is more than `most`: a run wants `confirm`.
    pub needs_confirmation: bool,
    /// Whether a rule does this by itself: computers.retire_days, or computers.duplicates.
    pub by_rule: bool,
    /// The first of them, 20 at most.
    pub first: Vec<RetiringComputer>,
    /// Chosen computers that were retired already.
    #[serde(default)]
    pub unchanged: u64,
    /// Chosen computers that cannot be retired: they are not there, or scan at another server.
    #[serde(default)]
    pub failed: u64,
    /// What would become of each chosen computer, in the order in which they were named; empty if none were.
    #[serde(default)]
    pub items: Vec<ChangedItem>,
    /// When it was read who called and what computers are called, if not for this answer: some seconds before where there are many
    /// computers, a minute at most. Whom a run retires is looked for anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// Body of `POST computers/retirement`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetirementRun {
    /// Days without a call, 14 to 3650; the setting computers.retire_days if absent, which must not be off then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_days: Option<u32>,
    /// Instead: rows that machines left behind when they were installed anew.
    #[serde(default)]
    pub duplicates: bool,
    /// Instead: the ids of chosen computers, at most 10,000, however lately they called. One that calls again is what it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// The number of computers that may go: what the preview counted. Needed where that is more than the site lets go at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<u64>,
}

/// Answer of `POST computers/retirement`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetirementDone {
    /// How many were retired.
    pub retired: u64,
    /// How many computers scan here now.
    pub computers: u64,
    /// Chosen computers that were retired already.
    #[serde(default)]
    pub unchanged: u64,
    /// Chosen computers that were not retired: they are not there, scan at another server, or called meanwhile.
    #[serde(default)]
    pub failed: u64,
    /// What became of each chosen computer, in the order in which they were named; empty if none were.
    #[serde(default)]
    pub items: Vec<ChangedItem>,
}

/// A retired computer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetiredComputer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Its last contact.
    pub last_contact: Timestamp,
    /// Its last report.
    pub last_report: Option<Timestamp>,
    /// `silent`, `duplicate` or `chosen`.
    pub reason: String,
    /// Collections that an administrator had put it into, and that it is put into when it calls again.
    pub collections: Vec<Reference>,
    /// When it was retired.
    pub retired: Timestamp,
    /// By whom.
    pub by: String,
}
