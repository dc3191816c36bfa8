//! The admin plane: REST below `/api/v1`, sign-in, the status page, health and metrics.
//!
//! A handler (in [`routes`]) extracts, calls one function of the resource's file here, and converts; the functions take
//! [`App`] and, if they write, the [`Caller`].
//!
//! *Invariant:* every route but `/healthz`, `/readyz`, `/sign-in` and the refusals needs the administrator's token or a
//! session; a session only reads. *Invariant:* every write names its caller, is audited in its own transaction, and
//! returns when scans see it.

mod alert;
mod app;
mod audit;
mod auth;
mod collection;
mod compliance;
mod computer;
pub(crate) mod content;
mod content_routes;
mod criteria;
mod deployment;
mod downstream;
mod downstream_routes;
mod error;
mod export;
mod export_routes;
mod extract;
mod filter;
mod headers;
mod health;
mod import;
mod index;
mod list;
mod page;
mod relations;
mod rollup;
mod routes;
mod selection;
mod selection_routes;
pub(crate) mod setting;
mod sites;
mod spool;
mod status;
mod sync;
mod sync_routes;
pub(crate) mod tally;
mod update;
mod upload;
mod when;

pub use app::{App, Parts};
pub use auth::{Caller, Secrets};
pub use error::AdminError;
pub use health::install_metrics;
pub use routes::{openapi, router};

pub(crate) use app::blocking;
pub(crate) use auth::{ADMINISTRATOR, hash as secret_hash, secret as new_secret, sign_in_link};
pub(crate) use content::store as store_content;
pub(crate) use error::chain;
pub(crate) use extract::{Body, Query};
pub(crate) use import::allowed as import_allowed;
