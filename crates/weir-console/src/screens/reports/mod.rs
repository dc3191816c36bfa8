//! Reports: named questions, their answers, what makes them by itself, and everything for other tools.

mod ask;
mod exports;
mod figure;
mod filled;
mod list;
mod schedule;
mod schedules;
mod sheet;
mod show;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{Console, cx::Cx, nav::Entry, texts::reports as t};

/// Its pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/reports", get(list::show))
        .route("/reports/schedules", get(schedules::show))
        .route("/reports/schedules/change", post(schedules::change))
        .route("/reports/schedules/new", get(schedule::new).post(schedule::create))
        .route("/reports/schedules/{id}", get(schedule::show).post(schedule::change))
        .route("/reports/schedules/{id}/run", post(schedule::run))
        .route("/reports/exports", get(exports::show))
        .route("/reports/exports/compliance.parquet", get(exports::parquet))
        .route("/reports/{id}", get(show::show))
        .route("/reports/{id}/file", get(show::file))
}

/// What the rail lists of it.
pub(crate) fn entries(cx: &Cx) -> Vec<Entry> {
    vec![
        Entry::new("/reports", t::all_reports(cx)),
        Entry::new("/reports/schedules", t::schedules(cx)),
        Entry::new("/reports/exports", t::exports(cx)),
    ]
}
