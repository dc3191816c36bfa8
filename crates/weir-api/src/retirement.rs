//! Retiring computers that do not call any more.
//!
//! * `GET computers/retirement?silent_days=&duplicates=` answers [`RetirementPreview`], `POST computers/retirement`
//!   ([`RetirementRun`]) [`RetirementDone`].
//! * `GET computers/retired?cursor=&limit=` answers a [`crate::List`] of [`RetiredComputer`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Reference;

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
    /// Days without a call; null for duplicates.
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
    /// The number of computers that may go: what the preview counted. Needed where that is more than the site lets go at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<u64>,
}

/// Answer of `POST computers/retirement`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetirementDone {
    /// How many were retired.
    pub retired: u64,
    /// How many computers scan here now.
    pub computers: u64,
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
    /// `silent` or `duplicate`.
    pub reason: String,
    /// Collections that an administrator had put it into, and that it is put into when it calls again.
    pub collections: Vec<Reference>,
    /// When it was retired.
    pub retired: Timestamp,
    /// By whom.
    pub by: String,
}
