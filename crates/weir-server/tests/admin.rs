//! The admin plane and the start-up contract, through HTTP, on a server and a data folder of each test's own.

#[path = "admin/harness.rs"]
mod harness;

#[path = "admin/access.rs"]
mod access;
#[path = "admin/alerts.rs"]
mod alerts;
#[path = "admin/cleanup.rs"]
mod cleanup;
#[path = "admin/client_settings.rs"]
mod client_settings;
#[path = "admin/collection_rules.rs"]
mod collection_rules;
#[path = "admin/collections.rs"]
mod collections;
#[path = "admin/compliance.rs"]
mod compliance;
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
#[path = "admin/errors.rs"]
mod errors;
#[path = "admin/exports.rs"]
mod exports;
#[path = "admin/exposure.rs"]
mod exposure;
#[path = "admin/freshness.rs"]
mod freshness;
#[path = "admin/groups.rs"]
mod groups;
#[path = "admin/history.rs"]
mod history;
#[path = "admin/imports.rs"]
mod imports;
#[path = "admin/openapi.rs"]
mod openapi;
#[path = "admin/planes.rs"]
mod planes;
#[path = "admin/policy.rs"]
mod policy;
#[path = "admin/publisher.rs"]
mod publisher;
#[path = "admin/replicas.rs"]
mod replicas;
#[path = "admin/reports.rs"]
mod reports;
#[path = "admin/rollups.rs"]
mod rollups;
#[path = "admin/rules.rs"]
mod rules;
#[path = "admin/scans.rs"]
mod scans;
#[path = "admin/searches.rs"]
mod searches;
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
#[path = "admin/templates.rs"]
mod templates;
#[path = "admin/update_settings.rs"]
mod update_settings;
#[path = "admin/updates.rs"]
mod updates;
#[path = "admin/windows.rs"]
mod windows;
