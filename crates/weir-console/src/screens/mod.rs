//! The screens, a folder for each area, and those of the top bar.

pub(crate) mod access;
pub(crate) mod alerts;
pub(crate) mod computers;
pub(crate) mod current;
pub(crate) mod deployments;
pub(crate) mod help;
pub(crate) mod infrastructure;
pub(crate) mod jobs;
pub(crate) mod overview;
pub(crate) mod reports;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod updates;

use axum::Router;

use crate::Console;

/// Every page and every form.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .merge(access::routes())
        .merge(alerts::routes())
        .merge(help::routes())
        .merge(jobs::routes())
        .merge(search::routes())
        .merge(overview::routes())
        .merge(updates::routes())
        .merge(deployments::routes())
        .merge(computers::routes())
        .merge(reports::routes())
        .merge(infrastructure::routes())
        .merge(settings::routes())
}
