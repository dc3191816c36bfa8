//! `compliance`: who needs what, always computed from intent and reports.
//!
//! * `GET compliance/summary?collection=&server=&group=` answers [`Summary`].
//! * `GET compliance/updates?collection=&server=&group=&language=&cursor=&limit=` answers a [`crate::List`] of [`UpdateCompliance`], most
//!   needed first.
//! * What one computer needs: `GET computers/{id}`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::computer::StateCounts;

/// Query parameters of `GET compliance/summary`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SummaryQuery {
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Only the updates of this update group, by name or id, deployed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Query parameters of `GET compliance/updates`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UpdateComplianceQuery {
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Only the updates of this update group, by name or id, deployed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Short name of the language of titles; English by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `GET compliance/summary`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Members of the collection and of those below it.
    pub computers: u64,
    /// Of these, with every update installed or not applicable.
    pub compliant: u64,
    /// `compliant` in percent of `computers`, one decimal; 0 without computers.
    pub percent: f64,
    /// Computers by state: `required` if an update is needed, `failed` if one failed, `unknown` before the first report.
    pub counts: StateCounts,
    /// When this was computed.
    pub as_of: Timestamp,
}

/// One update over the computers of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateCompliance {
    /// The update.
    pub id: Uuid,
    /// Its newest revision.
    pub revision: u32,
    /// Its title.
    pub title: String,
    /// Knowledge base articles.
    pub kb: Vec<String>,
    /// Computers by state.
    pub counts: StateCounts,
    /// Installed and not applicable, in percent of all members, one decimal.
    pub percent: f64,
}
