//! Automatic deployment rules: what is found on a schedule, and deployed.

mod act;
mod criteria;
mod detail;
mod form;
mod list;
mod preview;
mod runs;
mod targets;
mod templates;

use axum::{
    Router,
    routing::{get, post},
};
use maud::Markup;
use weir_api::rule::{Rule, RuleRunState};

use crate::{
    Console,
    address::path,
    cx::Cx,
    texts::deployments_rules as t,
    ui::{
        self,
        badge::{Tone, badge},
    },
};

/// Its pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/deployments/rules", get(list::show))
        .route("/deployments/rules/new", get(form::show_new).post(form::make))
        .route("/deployments/rules/preview", post(form::preview))
        .route("/deployments/rules/templates", get(templates::list))
        .route("/deployments/rules/templates/{name}/delete", get(templates::ask_delete).post(templates::delete))
        .route("/deployments/rules/{name}", get(detail::show))
        .route("/deployments/rules/{name}/edit", get(form::show_edit).post(form::change))
        .route("/deployments/rules/{name}/run", get(act::ask_run).post(act::run))
        .route("/deployments/rules/{name}/switch", post(act::switch))
        .route("/deployments/rules/{name}/delete", get(act::ask_delete).post(act::delete))
        .route("/deployments/rules/{name}/template", post(act::keep_template))
        .route("/deployments/rules/{name}/deployments", post(targets::add))
        .route("/deployments/rules/{name}/deployments/remove", post(targets::remove))
        .route("/deployments/rules/{name}/runs/{no}", get(runs::show))
}

/// The page of one, by its id: names change.
fn address(one: &Rule) -> String {
    path(&["deployments", "rules", &one.id.to_string()])
}

/// Its resource in REST.
fn resource(name: &str) -> String {
    path(&["rules", name])
}

/// How a run ended.
fn result(cx: &Cx, result: RuleRunState) -> Markup {
    let tone = match result {
        RuleRunState::Done => Tone::Good,
        RuleRunState::Nothing => Tone::Plain,
        RuleRunState::Failed => Tone::Bad,
        RuleRunState::Skipped => Tone::Warn,
    };
    badge(tone, &t::result(cx, &ui::word(&result)))
}

/// A schedule as people read it.
fn schedule(cx: &Cx, text: &str) -> String {
    match text {
        "manual" => crate::texts::schedule::kinds(cx, "manual"),
        "after sync" => crate::texts::schedule::kinds(cx, "after_sync"),
        other => other.to_owned(),
    }
}
