//! Collections: the tree, one in full, making, changing and deleting them.

mod builder;
mod delete;
mod edit;
mod form;
mod parse;
mod preview;
mod rule;
mod show;
mod tree;

use axum::{Router, routing::get};

use crate::Console;

/// Its pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/computers/collections", get(tree::show))
        .route("/computers/collections/new", get(edit::new).post(edit::create))
        .route("/computers/collections/preview", axum::routing::post(preview::show))
        .route("/computers/collections/{name}", get(show::show))
        .route("/computers/collections/{name}/edit", get(edit::edit).post(edit::change))
        .route("/computers/collections/{name}/delete", get(delete::ask).post(delete::delete))
}
