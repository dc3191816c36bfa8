//! The update point: the client plane that Windows Update Agents scan against, the admin plane, and the jobs between.
//!
//! * [`state`] is what all parts share: the store, the content store, the live catalogue, keys and settings.
//! * [`live`] compiles the catalogue into the snapshot that scans read, and swaps it.
//! * [`admission`] lets in what can be carried out, and keeps storms out.
//! * [`client`] answers the client plane (SOAP, content, self-update); it never runs SQL on the scan path.
//! * [`client_settings`] says what holds of client settings for any set of collections.
//! * `front` lets several servers share one database: it follows what others write, and says who does what.
//! * [`ingest`] makes status reports durable before they are acknowledged.
//! * [`content`] answers ranges of verified files.
//! * [`upstream`] answers downstream servers (MS-WSUSSS).
//! * [`telemetry`] has the metrics, follows requests through the log, and exports traces.
//! * [`admin`], [`import`], [`start`], [`config`] and [`jobs`] are the administrators' side, start-up and background work.
//! * [`backup`] makes, verifies and restores backups; [`doctor`] looks for damage; [`transfer`] moves a site to PostgreSQL.
//! * [`decoders`] lets fuzz targets in.
//! * [`mod@file`] reads files that administrators name.
//!
//! *Invariant:* no SQL here (it is in `weir-store`), no decisions that belong to `weir-model`, and no route of one plane
//! on another plane's listener.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod admin;
pub mod admission;
pub mod backup;
pub(crate) mod bundle;
pub mod client;
pub mod client_settings;
pub mod config;
pub mod content;
pub(crate) mod database;
pub mod decoders;
pub mod doctor;
pub(crate) mod export;
pub mod file;
pub(crate) mod front;
pub mod import;
pub mod ingest;
pub mod intent;
pub mod jobs;
pub mod live;
pub(crate) mod notify;
pub mod rollup;
pub mod sites;
pub mod start;
pub mod state;
pub mod sync;
pub mod telemetry;
pub mod transfer;
pub mod upstream;

pub use config::Options;
pub use start::{StartError, run};
