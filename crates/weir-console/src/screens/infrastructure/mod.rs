//! Infrastructure: the tree of sites, synchronization, the way without a network, content, backups, downstream servers, health.

mod backups;
mod backups_act;
mod bundle;
mod content;
mod content_act;
mod content_job;
mod criteria;
mod downstream;
mod downstream_one;
mod export;
mod export_run;
mod health;
mod import;
mod import_run;
mod jobs;
mod parts;
mod signers;
mod site;
mod site_act;
mod site_new;
mod sites;
mod source;
mod sync;
mod sync_act;
mod sync_history;
#[cfg(test)]
mod tests;
mod upload;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use serde_json::Value;
use weir_api::{Problem, access::Role};

use crate::{
    Console,
    cx::Cx,
    failure::Failure,
    nav::Entry,
    texts::{common, infrastructure as t},
};

/// Its pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new().merge(trees()).merge(synchronization()).merge(transports()).merge(contents())
}

fn trees() -> Router<Console> {
    Router::new()
        .route("/infrastructure", get(sites::show))
        .route("/infrastructure/leave", get(site_act::leaving).post(site_act::leave))
        .route("/infrastructure/sites/new", get(site_new::form).post(site_new::create))
        .route("/infrastructure/sites/{id}", get(site::show))
        .route("/infrastructure/sites/{id}/enrolment", get(site_act::inviting).post(site_act::invite))
        .route("/infrastructure/sites/{id}/remove", get(site_act::removing).post(site_act::remove))
        .route("/infrastructure/downstream", get(downstream::show))
        .route("/infrastructure/downstream/allow", post(downstream::allow))
        .route("/infrastructure/downstream/change", post(downstream::change))
        .route("/infrastructure/downstream/{server}", get(downstream_one::show))
        .route("/infrastructure/health", get(health::show))
}

fn synchronization() -> Router<Console> {
    Router::new()
        .route("/infrastructure/synchronization", get(sync::show))
        .route("/infrastructure/synchronization/start", post(sync_act::start))
        .route("/infrastructure/synchronization/cancel", post(sync_act::cancel))
        .route("/infrastructure/synchronization/roll-up", post(sync_act::roll_up))
        .route("/infrastructure/synchronization/schedule", post(sync_act::schedule))
        .route("/infrastructure/synchronization/source", post(source::set))
        .route("/infrastructure/synchronization/runs/{id}", get(sync_history::one))
        .route("/infrastructure/synchronization/criteria/{name}", get(criteria::preview))
}

fn transports() -> Router<Console> {
    // what takes files takes them as large as REST does, which bounds them itself
    let uploads = Router::new()
        .route("/infrastructure/import/documents", post(upload::documents))
        .route("/infrastructure/import/content", post(upload::content))
        .route("/infrastructure/import/bundles", post(parts::offer))
        .route("/infrastructure/import/bundles/{id}/parts", post(parts::more))
        .route("/infrastructure/export/new", post(export::create))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/infrastructure/import", get(import::show))
        .route("/infrastructure/import/inventory", get(bundle::inventory))
        .route("/infrastructure/import/signers", post(signers::trust))
        .route("/infrastructure/import/signers/{key}/remove", get(signers::removing).post(signers::remove))
        .route("/infrastructure/import/bundles/{id}", get(bundle::show))
        .route("/infrastructure/import/bundles/{id}/{act}", get(bundle::confirm).post(bundle::act))
        .route("/infrastructure/import/{id}", get(import_run::show))
        .route("/infrastructure/export", get(export::show))
        .route("/infrastructure/export/arrived", post(export_run::arrived))
        .route("/infrastructure/export/{id}", get(export_run::show))
        .route("/infrastructure/export/{id}/end", get(export_run::confirm).post(export_run::end))
        .route("/infrastructure/export/{id}/files/{name}", get(export_run::file))
        .merge(uploads)
}

fn contents() -> Router<Console> {
    Router::new()
        .route("/infrastructure/content", get(content::show).post(content_act::start))
        .route("/infrastructure/content/jobs/{id}", get(content_job::show))
        .route("/infrastructure/content/jobs/{id}/cancel", post(content_job::cancel))
        .route("/infrastructure/backups", get(backups::show).post(backups_act::create))
        .route("/infrastructure/backups/schedule", post(backups_act::schedule))
        .route("/infrastructure/backups/stop", post(backups_act::stop))
}

/// What the rail lists of it.
pub(crate) fn entries(cx: &Cx) -> Vec<Entry> {
    vec![
        Entry::new("/infrastructure", t::sites(cx)),
        Entry::new("/infrastructure/synchronization", t::synchronization(cx)),
        Entry::new("/infrastructure/import", t::import(cx)),
        Entry::new("/infrastructure/export", t::export(cx)),
        Entry::new("/infrastructure/content", t::content(cx)),
        Entry::new("/infrastructure/backups", backups::name(cx)),
        Entry::new("/infrastructure/downstream", t::downstream(cx)),
        Entry::new("/infrastructure/health", t::health(cx)),
    ]
}

/// Whether the visitor may do what concerns the whole site: who is limited to collections may not, whatever the role.
pub(crate) fn may(cx: &Cx, role: Role) -> bool {
    cx.may(role) && cx.session.as_ref().is_none_or(|session| session.collections.is_empty())
}

/// Refuses, before anything that was sent is read, what the visitor may not do for the whole site. REST would refuse it after.
fn must(cx: &Cx, role: Role) -> Result<(), Failure> {
    if may(cx, role) {
        return Ok(());
    }
    Err(Failure::refused(Problem {
        status: 403,
        code: "forbidden".to_owned(),
        title: String::new(),
        detail: "this concerns the whole site and needs a stronger role, or one without a limit to collections"
            .to_owned(),
        next_step: None,
    }))
}

/// A form with more than a form of ours has.
fn too_much() -> Failure {
    Failure::refused(Problem {
        status: 413,
        code: "too_large".to_owned(),
        title: String::new(),
        detail: "the form has more fields, or a longer one, than this page sends".to_owned(),
        next_step: None,
    })
}

/// A span of time in its two largest units.
pub(crate) fn span(cx: &Cx, seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3600, seconds % 3600 / 60);
    match (days, hours, minutes) {
        (0, 0, 0) => t::seconds(cx, seconds),
        (0, 0, minutes) => common::minutes(cx, minutes),
        (0, hours, 0) => common::hours(cx, hours),
        (0, hours, minutes) => format!("{} {}", common::hours(cx, hours), common::minutes(cx, minutes)),
        (days, 0, _) => common::days(cx, days),
        (days, hours, _) => format!("{} {}", common::days(cx, days), common::hours(cx, hours)),
    }
}

/// The number of the request that REST made of an act because a second person has to approve it; none if the act was done.
fn waits(answer: &Value) -> Option<i64> {
    let waiting = answer.get("state")? == "waiting" && answer.get("requested_by").is_some();
    answer.get("id").filter(|_| waiting)?.as_i64()
}
