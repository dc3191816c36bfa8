//! `GET audit`: a [`crate::List`] of [`AuditRow`], newest first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// The request, as JSON text or words.
    pub detail: String,
}
