//! Request and response types of the REST interface, shared by the server and the command line. One file per resource.
//!
//! *Invariant:* nothing here decides anything. Types that are read from a peer refuse unknown fields, names are
//! snake_case, times are RFC 3339 in UTC, GUIDs are lower case, lists are `{items, next}` with `next` null at the end.
//!
//! All paths are below [`PREFIX`] on the admin listener; every request but `POST session` carries `Authorization: Bearer` with
//! the text of `admin.token` or the secret of an API token, or the cookie of a session, or comes with a client certificate.
//! Every refusal is a [`problem::Problem`].

pub mod access;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod backup;
pub mod bulk;
pub mod bundle;
pub mod cleanup;
pub mod client_settings;
pub mod collection;
pub mod compliance;
pub mod computer;
pub mod content;
pub mod criteria;
pub mod deployment;
pub mod deployment_compliance;
pub mod deployment_template;
pub mod downstream;
pub mod event;
pub mod export;
pub mod exposure;
pub mod exposure_level;
pub mod exposure_list;
pub mod failure;
pub mod find;
pub mod freshness;
pub mod health;
pub mod history;
pub mod import;
pub mod job;
pub mod list;
pub mod message;
pub mod notice;
pub mod phased;
pub mod policy;
pub mod problem;
pub mod report;
pub mod retirement;
pub mod rollup;
pub mod rule;
pub mod search;
pub mod selection;
pub mod setting;
pub mod simulation;
pub mod site;
pub mod status;
pub mod subscription;
pub mod sync;
pub mod tls;
pub mod token;
pub mod update;
pub mod update_edit;
pub mod update_graph;
pub mod update_group;
pub mod update_stop;
pub mod user;
pub mod window;

pub use list::{Created, List, Reference};
pub use problem::Problem;

/// Where all resources are found on the admin listener.
pub const PREFIX: &str = "/api/v1";
