//! The admin plane: REST below `/api/v1`, sign-in, the status page, health and metrics.
//!
//! A handler (in [`routes`]) extracts, calls one function of the resource's file here, and converts; the functions take
//! [`App`] and, if they write, the [`Caller`].
//!
//! *Invariant:* every route but `/healthz`, `/readyz`, `/sign-in` and the refusals needs the administrator's token or a
//! session; a session only reads. *Invariant:* every write names its caller, is audited in its own transaction, and
//! returns when scans see it.

mod alert;
mod alert_routes;
mod app;
mod audit;
mod auth;
mod cleanup;
mod cleanup_routes;
mod client_settings;
mod client_settings_routes;
pub(crate) mod collection;
mod collection_routes;
mod compliance;
mod compliance_routes;
mod computer;
pub(crate) mod content;
mod content_routes;
mod counts;
mod criteria;
pub(crate) mod deployment;
mod deployment_compliance;
mod deployment_routes;
mod downstream;
mod downstream_routes;
mod error;
mod export;
mod export_routes;
mod exposure;
mod exposure_routes;
mod extract;
mod failure;
mod failure_routes;
mod freshness;
mod freshness_routes;
pub(crate) mod group;
mod headers;
mod health;
pub(crate) mod history;
mod history_routes;
pub(crate) mod identity;
mod import;
mod index;
mod json;
mod list;
mod message;
mod page;
pub(crate) mod phased;
mod phased_routes;
mod policy;
mod policy_routes;
mod relations;
pub(crate) mod report;
mod report_routes;
pub(crate) mod retirement;
mod rollup;
mod routes;
pub(crate) mod rule;
mod rule_routes;
pub(crate) mod run_time;
pub(crate) mod search;
mod search_routes;
mod selection;
mod selection_routes;
pub(crate) mod setting;
mod sites;
mod spool;
mod standing;
mod status;
mod stop;
mod subscription;
mod sync;
mod sync_routes;
pub(crate) mod tally;
mod update;
mod update_bulk;
mod update_list;
mod update_routes;
mod upload;
mod when;
mod window;
mod window_fit;
mod window_routes;

pub use app::{App, Parts};
pub use auth::{Caller, Secrets};
pub use error::AdminError;
pub use health::install_metrics;
pub use routes::{openapi, router};

pub(crate) use app::blocking;
pub(crate) use auth::{ADMINISTRATOR, hash as secret_hash, secret as new_secret, sign_in_link};
pub(crate) use compliance::share_compliant;
pub(crate) use content::store as store_content;
pub(crate) use error::chain;
pub(crate) use extract::{Body, Query};
pub(crate) use import::allowed as import_allowed;
