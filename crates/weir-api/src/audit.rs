//! The audit log.
//!
//! * `GET audit` takes an [`AuditQuery`] and answers a [`crate::List`] of [`AuditRow`], newest first.
//! * `GET audit.csv` takes the same and answers the same as CSV, at most 100,000 rows; without `limit` all of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One write, as the append-only audit log keeps it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done, such as `deployment.create`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// The state before and after, as JSON text.
    pub detail: String,
    /// Address of the request; null: the server itself.
    #[serde(default)]
    pub from: Option<String>,
    /// How the actor proved who it is: `built-in`, `session`, `token NAME` or `certificate`.
    #[serde(default)]
    pub proof: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// Query of `GET audit`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Who, without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What was done, or what that begins with: `deployment.` means all acts on deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// To exactly what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// At this instant or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
