//! `searches`: saved searches over updates. `GET updates?saved=NAME` runs one.
//!
//! * `GET searches?cursor=&limit=` answers a [`crate::List`] of [`SavedSearch`], by name; `POST` takes a
//!   [`SavedSearchCreate`] and answers a [`SavedSearch`].
//! * `GET searches/{name}` answers a [`SavedSearch`], `PATCH` takes a [`SavedSearchChange`], `DELETE` removes it; `{name}`
//!   is its name or its id.
//! * `GET searches-fields` answers a [`crate::List`] of [`SearchField`]: what filters may ask.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A new saved search. A filter or a text must be given.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedSearchCreate {
    /// Its name, 1 to 256 characters, unique without regard to case.
    pub name: String,
    /// What it is for, at most 256 characters.
    #[serde(default)]
    pub description: String,
    /// As [`crate::update::UpdateQuery::filter`]. Names of products, classifications, vendors and groups are kept as ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// As [`crate::update::UpdateQuery::text`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// As [`crate::update::UpdateQuery::sort`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// A change of a saved search; what is absent stays, an empty text takes away.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SavedSearchChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Another filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Another text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Another order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// A saved search.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedSearch {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its filter, with names as they are now.
    pub filter: Option<String>,
    /// Its filter as it is kept: by ids.
    pub filter_by_id: Option<String>,
    /// Terms of the filter that compare the text of a name, and so follow names.
    pub by_text: Vec<String>,
    /// Words that it looks for.
    pub text: Option<String>,
    /// Its order.
    pub sort: Option<String>,
    /// It comes from the server above and cannot be changed here.
    pub from_parent: bool,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// Query parameters of `GET searches-fields`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchFieldQuery {
    /// `updates` (default) or `computers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// A field of filters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchField {
    /// How it is written.
    pub name: String,
    /// Other ways to write it.
    pub aliases: Vec<String>,
    /// What it is compared with, or the words that it takes.
    #[serde(rename = "type")]
    pub kind: String,
    /// The comparisons that it takes.
    pub operators: Vec<String>,
    /// A value.
    pub example: String,
    /// What it means.
    pub meaning: String,
}
