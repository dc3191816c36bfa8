//! `events`: what changes, while somebody looks.
//!
//! * `GET events?topics=a,b` answers a stream of server-sent events (`text/event-stream`): `event: change` with a [`Change`] as
//!   JSON in `data`, at most one each second, and a comment every 15 seconds. It ends when the server stops, or when the session
//!   or token that opened it does not hold any more.
//! * `GET event-topics` answers a [`crate::List`] of [`EventTopic`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Query parameters of `GET events`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Names of topics, separated by commas; absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<String>,
}

/// What changed since the event before. There may be one without a visible change; none is left out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The topics, by name.
    pub topics: Vec<String>,
    /// When that was found.
    pub at: Timestamp,
}

/// A topic.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventTopic {
    /// Its name.
    pub name: String,
    /// What an event with it says.
    pub meaning: String,
}
