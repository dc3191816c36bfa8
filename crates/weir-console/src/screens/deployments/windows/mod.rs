//! Maintenance windows of collections: when updates may install.

mod calendar;
mod detail;
mod form;
mod list;
mod remove;

use axum::{
    Router,
    routing::{get, post},
};
use weir_api::{
    List,
    window::{NextWindow, NextWindowQuery, Window, WindowQuery},
};

use crate::{Console, address::path, cx::Cx, failure::Failure};

/// Windows that are looked at.
const MOST: usize = 10_000;

/// Its pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/deployments/windows", get(calendar::show))
        .route("/deployments/windows/new", get(form::show_new).post(form::make))
        .route("/deployments/windows/preview", post(form::preview))
        .route("/deployments/windows/{id}", get(detail::show))
        .route("/deployments/windows/{id}/edit", get(form::show_edit).post(form::change))
        .route("/deployments/windows/{id}/delete", get(remove::ask).post(remove::delete))
}

/// The page of one, by its id.
fn address(one: &Window) -> String {
    path(&["deployments", "windows", &one.id.to_string()])
}

/// Its resource in REST.
fn resource(id: &str) -> String {
    path(&["windows", id])
}

/// Windows by collection and name, of one collection if that is given.
async fn all(cx: &Cx, collection: Option<&str>) -> Result<Vec<Window>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = WindowQuery { collection: collection.map(str::to_owned), cursor, limit: Some(1000) };
            async move { cx.api.get::<List<Window>>("/windows", &query).await }
        })
        .await
}

/// When the computers of a collection may install next.
async fn next(cx: &Cx, collection: &str) -> Option<NextWindow> {
    let query =
        NextWindowQuery { collection: Some(collection.to_owned()), limit: Some(1), ..NextWindowQuery::default() };
    cx.api.get::<List<NextWindow>>("/windows-next", &query).await.ok()?.items.into_iter().next()
}
