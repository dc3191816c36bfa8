//! Acts that a second person approves.
//!
//! A request that needs one is answered with an [`Approval`] (202) instead of being done.
//!
//! * `GET approvals` takes an [`ApprovalQuery`] and answers a [`crate::List`] of [`Approval`], newest first.
//! * `GET approvals/{id}` answers an [`Approval`].
//! * `POST approvals/{id}/approve` and `reject` take an [`ApprovalDecision`] and answer the [`Approval`]. An approved request is
//!   done at once, as its requester.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How far a request is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided yet.
    Waiting,
    /// Nobody decided in time.
    Expired,
    /// Approved, and done.
    Done,
    /// Rejected.
    Rejected,
    /// Approved, but it could not be done; see `answer`.
    Failed,
}

/// A request that waits, or waited, for a second person.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Its number.
    pub id: i64,
    /// How far it is.
    pub state: ApprovalState,
    /// Why it needs a second person: a value of the setting `approval.required`, or `approval`: it changes such a setting.
    pub kind: String,
    /// What it would do.
    pub subject: String,
    /// HTTP method.
    pub method: String,
    /// Path and query below the prefix.
    pub path: String,
    /// JSON body, as text; secrets do not occur in such requests.
    pub body: Option<String>,
    /// Who asked.
    pub requested_by: String,
    /// From where.
    pub requested_from: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// It cannot be approved after this.
    pub expires_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What was said about it.
    pub note: Option<String>,
    /// HTTP status of the answer to the request, once approved.
    pub status: Option<u16>,
    /// The answer, as text.
    pub answer: Option<String>,
}

/// Query of `GET approvals`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ApprovalQuery {
    /// Only those that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<bool>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Approves or rejects.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDecision {
    /// Why; at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
