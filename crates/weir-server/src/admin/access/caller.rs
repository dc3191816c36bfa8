//! Who made a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;
use uuid::Uuid;
use weir_api::access::Proof as ApiProof;
use weir_model::rights::{Grant, Role, Scope};
use weir_store::user::UserRow;

use super::expected::Expected;
use crate::admin::AdminError;

/// How a request proved who it is from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Proof {
    /// It is not a request: the server itself acts.
    Server,
    /// `admin.token` of the data folder.
    BuiltIn,
    /// A session of the console, by its id.
    Session(Uuid),
    /// An API token, by its name.
    Token(String),
    /// A client certificate.
    Certificate,
}

impl Proof {
    /// As the audit log has it.
    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Self::Server => None,
            Self::BuiltIn => Some("built-in".to_owned()),
            Self::Session(_) => Some("session".to_owned()),
            Self::Token(name) => Some(format!("token {name}")),
            Self::Certificate => Some("certificate".to_owned()),
        }
    }

    /// As REST has it.
    pub(crate) fn shown(&self) -> ApiProof {
        match self {
            Self::Server | Self::BuiltIn => ApiProof::BuiltIn,
            Self::Session(_) => ApiProof::Session,
            Self::Token(_) => ApiProof::Token,
            Self::Certificate => ApiProof::Certificate,
        }
    }
}

/// Who made a request, and what that principal may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The principal.
    pub name: String,
    /// Address of the request.
    pub from: Option<String>,
    /// What to call the principal.
    pub display_name: String,
    /// What it may do, and where.
    pub grant: Grant,
    /// The user's number; none for the server itself.
    pub user: Option<u32>,
    /// How that was proven.
    pub(crate) proof: Proof,
    /// When the proof ends.
    pub(crate) expires_at: Option<Timestamp>,
    /// When the principal's session before this one began.
    pub(crate) last_visit: Option<Timestamp>,
    /// It has to choose another password before anything else.
    pub(crate) must_change: bool,
    /// Who approved the request, where a second person had to.
    pub(crate) approved_by: Option<String>,
    /// Who made the sign-in link by which its session began.
    pub(crate) link_by: Option<u32>,
    /// What the first of its writes is held to, where the request was approved.
    pub(crate) expected: Option<Arc<Expected>>,
}

impl Caller {
    /// A part of the server itself, which may everything.
    pub fn system(part: &str) -> Self {
        Self {
            name: format!("system: {part}"),
            from: None,
            display_name: String::new(),
            grant: Grant { role: Role::FullAdministrator, scope: Scope::Everything },
            user: None,
            proof: Proof::Server,
            expires_at: None,
            last_visit: None,
            must_change: false,
            approved_by: None,
            link_by: None,
            expected: None,
        }
    }

    /// The server, acting on what this principal asked for before.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::system("") }
    }

    /// A user.
    pub(crate) fn user(row: &UserRow, proof: Proof, from: Option<String>) -> Self {
        Self {
            name: row.user.name.clone(),
            from,
            display_name: row.user.display_name.clone(),
            grant: row.user.grant.clone(),
            user: Some(row.no),
            proof,
            expires_at: None,
            last_visit: row.signed_in_at,
            must_change: row.user.must_change,
            approved_by: None,
            link_by: None,
            expected: None,
        }
    }

    /// Refuses a program with a token: what lets people in outlives the token, and could be used in its place.
    pub(crate) fn check_person(&self) -> Result<(), AdminError> {
        if !matches!(self.proof, Proof::Token(_)) {
            return Ok(());
        }
        Err(AdminError::Forbidden {
            code: "forbidden",
            detail: "a token lets nobody in: this needs a session, or admin.token".to_owned(),
            next_step: Some("sign in to the console, or use the command line on the server itself".to_owned()),
        })
    }

    /// Which computers it sees and acts on.
    pub(crate) fn scope(&self) -> &Scope {
        &self.grant.scope
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AdminError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| AdminError::Internal("a route of the admin plane is not protected".to_owned()))
    }
}
