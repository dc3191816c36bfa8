//! Exposure: vulnerabilities, the computers that are exposed to them, service levels, exceptions, documents.

mod computers;
mod cve;
mod cves;
mod documents;
mod except;
mod exceptions;
mod heat;
mod levels;
mod words;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{Console, cx::Cx, texts::exposure as t, ui::tabs::Tab};

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/updates/exposure", get(cves::show))
        .route("/updates/exposure/computers", get(computers::show))
        .route("/updates/exposure/exceptions", get(exceptions::show))
        .route("/updates/exposure/exceptions/new", get(except::blank).post(except::create))
        .route("/updates/exposure/exceptions/new/preview", post(except::preview))
        .route("/updates/exposure/exceptions/{id}/withdraw", post(exceptions::withdraw))
        .route("/updates/exposure/levels", get(levels::show).post(levels::change))
        .route("/updates/exposure/levels/proposed", post(levels::propose))
        .route("/updates/exposure/documents", get(documents::show))
        .route("/updates/exposure/documents/import", post(documents::import))
        .route("/updates/exposure/documents/fetch", post(documents::fetch))
        .route("/updates/exposure/documents/{no}/delete", post(documents::delete))
        .route("/updates/exposure/{cve}", get(cve::show))
}

/// The pages of this part, as tabs.
fn tabs(cx: &Cx) -> Vec<Tab> {
    let pages = [
        ("/updates/exposure", t::cves(cx)),
        ("/updates/exposure/computers", t::computers(cx)),
        ("/updates/exposure/exceptions", t::exceptions(cx)),
        ("/updates/exposure/levels", t::levels(cx)),
        ("/updates/exposure/documents", t::documents(cx)),
    ];
    pages.into_iter().map(|(page, label)| Tab::link(label, cx.to(page), cx.address.path() == page)).collect()
}
