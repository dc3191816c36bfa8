//! Who may do what: users, sessions, tokens, roles and scopes.
//!
//! `auth` proves who a request is from and puts the [`Caller`] into its extensions; [`rights`] looks up what the route needs in
//! [`table`] and refuses. What is limited to collections is limited by [`scope`], where the handlers read.
//!
//! *Invariant:* a route that is not in the table is refused. *Invariant:* of secrets only hashes are stored: SHA-256 of those
//! that are random, argon2id of passwords.

mod acts;
pub(super) mod approval;
mod asked;
mod caller;
pub(super) mod certificate;
mod deploying;
mod expected;
mod joins;
pub(super) mod mapping;
pub(super) mod oidc;
pub(super) mod password;
pub(super) mod rights;
pub(super) mod routes;
pub(super) mod scope;
mod seen;
pub(super) mod session;
pub(super) mod sign_in;
pub(super) mod table;
pub(super) mod token;
pub(super) mod user;
mod words;

pub use caller::Caller;
pub(super) use caller::Proof;
pub use table::{RULES, Rule};
