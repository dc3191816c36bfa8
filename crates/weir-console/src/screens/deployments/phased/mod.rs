//! Phased deployments: an update group, ring by ring, each behind a gate.

mod act;
mod create;
mod detail;
mod edit;
mod form;
mod list;

use axum::{
    Router,
    routing::{get, post},
};
use maud::Markup;
use weir_api::phased::{PhaseStatus, Phased, PhasedStatus};

use crate::{
    Console,
    address::path,
    cx::Cx,
    texts::deployments_phased as t,
    ui::{
        self,
        badge::{Tone, badge},
    },
};

/// Its pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/deployments/phased", get(list::show))
        .route("/deployments/phased/new", get(create::show).post(create::make))
        .route("/deployments/phased/new/preview", post(create::preview))
        .route("/deployments/phased/{name}", get(detail::show))
        .route("/deployments/phased/{name}/edit", get(edit::show).post(edit::change))
        .route("/deployments/phased/{name}/delete", get(act::ask_delete).post(act::delete))
        .route("/deployments/phased/{name}/{act}", get(act::ask).post(act::act))
}

/// The page of one, by its id: names change.
fn address(one: &Phased) -> String {
    path(&["deployments", "phased", &one.id.to_string()])
}

/// Its resource in REST.
fn resource(name: &str) -> String {
    path(&["phased", name])
}

/// How one stands.
fn status(cx: &Cx, status: PhasedStatus) -> Markup {
    let tone = match status {
        PhasedStatus::Running => Tone::Busy,
        PhasedStatus::Paused | PhasedStatus::Above => Tone::Plain,
        PhasedStatus::Failed => Tone::Bad,
        PhasedStatus::Stopped => Tone::Warn,
        PhasedStatus::Completed => Tone::Good,
    };
    badge(tone, &t::status(cx, &ui::word(&status)))
}

/// How a phase stands.
fn phase_status(cx: &Cx, status: PhaseStatus) -> Markup {
    let tone = match status {
        PhaseStatus::Waiting => Tone::Plain,
        PhaseStatus::Active => Tone::Busy,
        PhaseStatus::Completed => Tone::Good,
    };
    badge(tone, &t::phase_status(cx, &ui::word(&status)))
}

/// The phase under way: the last one that started.
fn current(one: &Phased) -> Option<&weir_api::phased::Phase> {
    one.phases.iter().rev().find(|phase| phase.started_at.is_some())
}

/// Percent of its computers that succeeded, as its gate counts them, and percent that it waits for.
fn shares(phase: &weir_api::phased::Phase) -> (Option<f64>, Option<f64>) {
    let counts = phase.computers;
    let unknown = if phase.spec.ignore_unknown { counts.unknown } else { 0 };
    let whole = counts.targeted.saturating_sub(unknown);
    let share = |part: u32| f64::from(part) * 100.0 / f64::from(whole.max(1));
    let goal = match (phase.spec.success_percent, phase.spec.success_count) {
        (Some(percent), _) => f64::from(percent),
        // a collection that is smaller than what is asked for is done when all of it is
        (None, Some(count)) => share(count.min(counts.targeted)),
        (None, None) => 95.0,
    };
    let started = phase.started_at.is_some() && whole > 0;
    (started.then(|| share(counts.succeeded)), Some(goal.min(100.0)))
}
