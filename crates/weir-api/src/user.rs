//! Users, their certificates, and what groups of an identity provider may do.
//!
//! * `GET users` answers a [`crate::List`] of [`User`], `POST` takes a [`UserCreate`] and answers a [`UserCreated`] (201).
//! * `GET users/{name}` answers a [`User`], `PATCH` takes a [`UserChange`] and answers the [`User`], `DELETE` removes it (204).
//! * `PUT users/{name}/password` takes a [`PasswordReset`] and answers a [`PasswordWasReset`].
//! * `GET users/{name}/certificates` answers a [`crate::List`] of [`UserCertificate`], `POST` takes a [`CertificateAdd`] (201),
//!   `DELETE users/{name}/certificates/{fingerprint}` forgets one (204).
//! * `GET group-mappings` answers a [`crate::List`] of [`GroupMapping`], `PUT group-mappings/{group}` takes a [`Granted`] and
//!   answers the [`GroupMapping`], `DELETE` forgets it (204).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Reference, access::Role};

/// A user.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What to call it.
    pub display_name: String,
    /// What it may do.
    pub role: Role,
    /// The collections to which that is limited, with those below them; see `limited`.
    pub collections: Vec<Reference>,
    /// Whether it is limited to `collections`, also if there is none of them any more.
    pub limited: bool,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Whether it is the administrator that every server has.
    pub built_in: bool,
    /// Whether it has a password.
    pub password: bool,
    /// Whether it has to choose another password before anything else.
    pub must_change_password: bool,
    /// The provider of OpenID Connect that it comes from; its role and collections follow its groups there.
    pub issuer: Option<String>,
    /// Who it is there.
    pub subject: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When a session of it last began.
    pub signed_in_at: Option<Timestamp>,
}

/// A new user.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCreate {
    /// 1 to 100 characters without blanks around them, unique without regard to case.
    pub name: String,
    /// What to call it; default the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Names or ids of the collections to which that is limited; none: not limited.
    #[serde(default)]
    pub collections: Vec<String>,
    /// Its first password, which it has to change; default one that the answer tells, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Answer to the creation of a user.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserCreated {
    /// The user.
    pub user: User,
    /// The password that was made for it; null: the one of the request.
    pub password: Option<String>,
}

/// A change of a user; what is absent stays. Another role, other collections and disabling end or renew its sessions.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another name to call it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Other collections; an empty list takes the limit away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<Vec<String>>,
    /// Whether it may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Gives a user another password, which it has to change when it signs in. Its sessions end.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// The password; default one that the answer tells, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Answer to a [`PasswordReset`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PasswordWasReset {
    /// The password that was made; null: the one of the request.
    pub password: Option<String>,
}

/// A certificate by which a user is known.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserCertificate {
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: String,
    /// Its subject.
    pub subject: String,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// Registers a certificate of a user.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateAdd {
    /// The certificate, PEM, without its key.
    pub pem: String,
}

/// A role in collections.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// The role.
    pub role: Role,
    /// Names or ids of the collections to which it is limited; none: not limited.
    #[serde(default)]
    pub collections: Vec<String>,
}

/// What members of a group may do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupMapping {
    /// The group, exactly as the provider names it.
    pub group: String,
    /// What its members may do.
    pub role: Role,
    /// The collections to which that is limited, with those below them; see `limited`.
    pub collections: Vec<Reference>,
    /// Whether it is limited to `collections`, also if there is none of them any more.
    pub limited: bool,
    /// When that was decided.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}
