//! Deployments: the list, one in full, making and changing them, templates, stops; phased rollouts, automatic rules,
//! maintenance windows.

mod audit;
mod bar;
mod bulk;
mod choose;
mod detail;
mod edit;
mod explain;
mod fields;
mod filled;
mod history;
mod list;
mod names;
mod new;
mod phased;
mod preview;
mod rules;
mod status;
mod stops;
mod templates;
mod terms;
#[cfg(test)]
mod tests;
mod waits;
mod when;
mod windows;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{Console, cx::Cx, nav::Entry, texts::deployments as t};

/// Its pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/deployments", get(list::show))
        .route("/deployments/change", post(bulk::change))
        .route("/deployments/new", get(new::show).post(new::make))
        .route("/deployments/new/preview", post(new::preview))
        .route("/deployments/new/group", post(new::gather))
        .route("/deployments/{id}", get(detail::show))
        .route("/deployments/{id}/edit", get(edit::show).post(edit::change))
        .route("/deployments/templates", get(templates::list))
        .route("/deployments/templates/new", get(templates::new).post(templates::make))
        .route("/deployments/templates/{name}", get(templates::show).post(templates::change))
        .route("/deployments/templates/{name}/delete", get(templates::ask_delete).post(templates::delete))
        .route("/deployments/stops", get(stops::list))
        .route("/deployments/stops/new", get(stops::new).post(stops::stop))
        .route("/deployments/stops/{id}", get(stops::show))
        .route("/deployments/stops/{id}/resume", get(stops::ask_resume).post(stops::resume))
        .merge(phased::routes())
        .merge(rules::routes())
        .merge(windows::routes())
}

/// What the rail lists of it.
pub(crate) fn entries(cx: &Cx) -> Vec<Entry> {
    let all = [
        ("/deployments", t::all_deployments(cx), false),
        ("/deployments/phased", t::phased(cx), true),
        ("/deployments/rules", t::rules(cx), true),
        ("/deployments/windows", t::windows(cx), false),
        ("/deployments/templates", t::templates(cx), true),
        ("/deployments/stops", t::stops(cx), false),
    ];
    // whoever is limited to collections does not see what is about the whole site
    let shown = all.into_iter().filter(|(.., whole)| !whole || names::everywhere(cx));
    shown.map(|(path, label, _)| Entry::new(path, label)).collect()
}
