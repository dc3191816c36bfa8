//! The admin plane and the start-up contract, through HTTP, on a server and a data folder of each test's own.

#[path = "admin/harness.rs"]
mod harness;

#[path = "admin/access.rs"]
mod access;
#[path = "admin/alerts.rs"]
mod alerts;
#[path = "admin/approvals.rs"]
mod approvals;
#[path = "admin/approvals_held.rs"]
mod approvals_held;
#[path = "admin/approvals_outdated.rs"]
mod approvals_outdated;
#[path = "admin/backups.rs"]
mod backups;
#[path = "admin/bulk.rs"]
mod bulk;
#[path = "admin/certificates.rs"]
mod certificates;
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
#[path = "admin/conventions.rs"]
mod conventions;
#[path = "admin/criteria.rs"]
mod criteria;
#[path = "admin/deployments.rs"]
mod deployments;
#[path = "admin/downstream.rs"]
mod downstream;
#[path = "admin/errors.rs"]
mod errors;
#[path = "admin/events.rs"]
mod events;
#[path = "admin/exports.rs"]
mod exports;
#[path = "admin/exposure.rs"]
mod exposure;
#[path = "admin/exposure_changes.rs"]
mod exposure_changes;
#[path = "admin/exposure_fetch.rs"]
mod exposure_fetch;
#[path = "admin/find.rs"]
mod find;
#[path = "admin/freshness.rs"]
mod freshness;
#[path = "admin/front_ends.rs"]
mod front_ends;
#[path = "admin/groups.rs"]
mod groups;
#[path = "admin/history.rs"]
mod history;
#[path = "admin/imports.rs"]
mod imports;
#[path = "admin/lists.rs"]
mod lists;
#[path = "admin/metrics.rs"]
mod metrics;
#[path = "admin/objects.rs"]
mod objects;
#[path = "admin/oidc.rs"]
mod oidc;
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
#[path = "admin/report_schedules.rs"]
mod report_schedules;
#[path = "admin/reports.rs"]
mod reports;
#[path = "admin/retirement.rs"]
mod retirement;
#[path = "admin/rights.rs"]
mod rights;
#[path = "admin/rollups.rs"]
mod rollups;
#[path = "admin/rules.rs"]
mod rules;
#[path = "admin/scans.rs"]
mod scans;
#[path = "admin/scopes.rs"]
mod scopes;
#[path = "admin/searches.rs"]
mod searches;
#[path = "admin/selection.rs"]
mod selection;
#[path = "admin/settings.rs"]
mod settings;
#[path = "admin/shares.rs"]
mod shares;
#[path = "admin/sites.rs"]
mod sites;
#[path = "admin/start.rs"]
mod start;
#[path = "admin/sync.rs"]
mod sync;
#[path = "admin/templates.rs"]
mod templates;
#[path = "admin/tls.rs"]
mod tls;
#[path = "admin/tls_checks.rs"]
mod tls_checks;
#[path = "admin/update_settings.rs"]
mod update_settings;
#[path = "admin/updates.rs"]
mod updates;
#[path = "admin/users.rs"]
mod users;
#[path = "admin/windows.rs"]
mod windows;
