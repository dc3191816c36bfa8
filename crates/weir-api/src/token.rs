//! API tokens: how programs prove who they act for.
//!
//! * `GET tokens` answers a [`crate::List`] of [`Token`]: the own ones, and those of everybody for a full administrator.
//! * `POST tokens` takes a [`TokenCreate`] and answers a [`TokenCreated`] (201): the only time that the secret is shown.
//! * `DELETE tokens/{name}` revokes one (204).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Reference, access::Role};

/// A token. It may no more than its owner may at the time.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its name, unique without regard to case.
    pub name: String,
    /// Whose it is.
    pub principal: String,
    /// What it may do at most.
    pub role: Role,
    /// The collections to which that is limited, with those below them; see `limited`.
    pub collections: Vec<Reference>,
    /// Whether it is limited to `collections`, also if there is none of them any more.
    pub limited: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not accepted after this; null: until it is revoked.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to ten minutes; null: never.
    pub used_at: Option<Timestamp>,
}

/// A new token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenCreate {
    /// 1 to 100 characters, unique without regard to case.
    pub name: String,
    /// What it may do; no more than who makes it.
    pub role: Role,
    /// Names or ids of the collections to which that is limited; none: as far as who makes it.
    #[serde(default)]
    pub collections: Vec<String>,
    /// Days until it expires, 1 to 730; default 90.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// It does not expire; only full administrators may say so.
    #[serde(default)]
    pub never_expires: bool,
}

/// Answer to the creation of a token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenCreated {
    /// The token.
    pub token: Token,
    /// Its secret, for `Authorization: Bearer`. It is not stored and never shown again.
    pub secret: String,
}
