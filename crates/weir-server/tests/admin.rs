//! The admin plane and the start-up contract, through HTTP, on a server and a data folder of each test's own.

#[path = "admin/harness.rs"]
mod harness;

#[path = "admin/access.rs"]
mod access;
#[path = "admin/collections.rs"]
mod collections;
#[path = "admin/content.rs"]
mod content;
#[path = "admin/content_kept.rs"]
mod content_kept;
#[path = "admin/content_upstream.rs"]
mod content_upstream;
#[path = "admin/criteria.rs"]
mod criteria;
#[path = "admin/deployments.rs"]
mod deployments;
#[path = "admin/downstream.rs"]
mod downstream;
#[path = "admin/exports.rs"]
mod exports;
#[path = "admin/imports.rs"]
mod imports;
#[path = "admin/openapi.rs"]
mod openapi;
#[path = "admin/planes.rs"]
mod planes;
#[path = "admin/publisher.rs"]
mod publisher;
#[path = "admin/replicas.rs"]
mod replicas;
#[path = "admin/rollups.rs"]
mod rollups;
#[path = "admin/scans.rs"]
mod scans;
#[path = "admin/selection.rs"]
mod selection;
#[path = "admin/settings.rs"]
mod settings;
#[path = "admin/sites.rs"]
mod sites;
#[path = "admin/start.rs"]
mod start;
#[path = "admin/sync.rs"]
mod sync;
#[path = "admin/updates.rs"]
mod updates;
