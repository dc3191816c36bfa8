//! Who may do what: sessions, sign-in links.
//!
//! * `POST session` takes a [`SessionCreate`] and answers a [`Session`] (201) with the session cookie; `GET session` answers the
//!   [`Session`] or token that the request came with; `DELETE session` ends it (204). `PUT session/password` takes a
//!   [`PasswordChange`] (204).
//! * `GET sessions` takes a [`SessionQuery`] and answers a [`crate::List`] of [`OpenSession`]; `DELETE sessions/{id}` ends one
//!   (204).
//! * `POST sign-in-links` answers a [`SignInLink`] (201): a link that signs the built-in administrator in, once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use weir_model::rights;

use crate::Reference;

/// What somebody may do, by the roles of the field.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, changes nothing.
    ReadOnlyAnalyst,
    /// Also runs synchronization, jobs and client actions; changes no deployment.
    Operator,
    /// Also deploys: updates, groups, collections, deployments, rules, windows, exceptions.
    SoftwareUpdateManager,
    /// Everything, with settings, sites, users and tokens.
    FullAdministrator,
}

impl From<rights::Role> for Role {
    fn from(role: rights::Role) -> Self {
        match role {
            rights::Role::ReadOnlyAnalyst => Self::ReadOnlyAnalyst,
            rights::Role::Operator => Self::Operator,
            rights::Role::SoftwareUpdateManager => Self::SoftwareUpdateManager,
            rights::Role::FullAdministrator => Self::FullAdministrator,
        }
    }
}

impl From<Role> for rights::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::ReadOnlyAnalyst => Self::ReadOnlyAnalyst,
            Role::Operator => Self::Operator,
            Role::SoftwareUpdateManager => Self::SoftwareUpdateManager,
            Role::FullAdministrator => Self::FullAdministrator,
        }
    }
}

/// How a request proved who it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// `admin.token` of the data folder.
    BuiltIn,
    /// A session of the console.
    Session,
    /// An API token.
    Token,
    /// A client certificate.
    Certificate,
}

/// Who a request comes from, and what that principal may do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The principal's name, as the audit log has it.
    pub principal: String,
    /// What to call the principal.
    pub display_name: String,
    /// What it may do.
    pub role: Role,
    /// The collections to which that is limited, with those below them; empty: not limited.
    pub collections: Vec<Reference>,
    /// How the request proved it.
    pub proof: Proof,
    /// When that ends; null: it does not.
    pub expires_at: Option<Timestamp>,
    /// When the principal's session before this one began; null: there was none.
    pub last_visit: Option<Timestamp>,
}

/// Signs a local user in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionCreate {
    /// The user's name; case does not matter.
    pub name: String,
    /// The password.
    pub password: String,
}

/// How people can sign in at this server.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignInMethods {
    /// Name and password of a local user.
    pub password: bool,
    /// The provider of OpenID Connect, as people know it; null: there is none.
    pub oidc: Option<String>,
}

/// A link that signs the built-in administrator in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignInLink {
    /// Open it in a browser.
    pub url: String,
    /// It works once, and not after this.
    pub expires_at: Timestamp,
}

/// Changes the own password. All other sessions of the user end.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password of now.
    pub current: String,
    /// The new one: 12 characters at least, not the name.
    pub password: String,
}

/// Query of `GET sessions`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionQuery {
    /// Those of all users; needs a full administrator. Default: the own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A session that has not ended.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenSession {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub principal: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
    /// It ends at this instant at the latest.
    pub expires_at: Timestamp,
    /// Address from which it began.
    pub from: Option<String>,
    /// Whether it is the one of this request.
    pub current: bool,
}
