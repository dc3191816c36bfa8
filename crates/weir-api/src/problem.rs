//! Refusals, as RFC 9457 problem details (`application/problem+json`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The HTTP status again.
    pub status: u16,
    /// Short and stable, for programs: `not_found`, `eula_not_accepted`, `unknown_setting`, ...
    pub code: String,
    /// The kind of problem in a few words, the same for every problem of this code.
    pub title: String,
    /// What was wrong with this request, naming its subject.
    pub detail: String,
    /// What to do next, often a command; null if there is nothing to advise.
    #[serde(default)]
    pub next_step: Option<String>,
}
