//! What all lists share.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One page of a list.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The entries of this page, in the order of the resource.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// Query parameters of a list.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Names another object in an answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// Its id.
    pub id: Uuid,
    /// Its name or title, in the language asked for where it has several.
    pub name: String,
}

/// Answer to a creation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Created<I> {
    /// The id that the new object got.
    pub id: I,
}
