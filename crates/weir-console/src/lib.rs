//! The console: pages over the REST interface, made on the server, complete without script.
//!
//! *Invariant:* the console knows the types of [`weir_api`] and nothing else of ours. It shows what REST answers and sends what
//! people fill in; it decides nothing, keeps nothing, and may do nothing that REST refuses the caller. [`router`] is given the
//! REST interface as a service and calls it in process with the extensions of the outer request, in which the layers outside
//! have put the caller. Authentication and the check of where a form comes from (`Sec-Fetch-Site`) are outside, too.
//!
//! # How to add a screen
//!
//! 1. **Where.** An area is a folder `screens/AREA` with `routes()` (a [`axum::Router`] over `Console`), `entries()` (the
//!    pages that the rail lists) and words in `texts/en/AREA.toml` and `texts/nl/AREA.toml`. Every path begins with the area:
//!    `/updates`, `/updates/groups/{name}`. An object has one address; filter, order, page and columns are in the query.
//! 2. **Words.** Every visible word is a text. `saved = "{n} of {total} saved"` becomes `texts::AREA::saved(cx, n, total)`;
//!    a table with `one` and `other` takes a count `n: u64` first; a table of words (`[severity]`) takes the value that REST
//!    gives; a table `[flash]` makes messages for the next page (`flash_saved(..).to(address)`). A missing text or argument
//!    does not compile, an unused one is a warning, and a test compares the languages. Shared words are in `texts::common`.
//!    What REST says in English (`detail`, `next_step`, titles of settings) is shown as it is, with `lang="en"`.
//! 3. **A page.** `async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure>`: take `cx::Cx` first (it is
//!    rejected unless somebody is signed in), ask `cx.api.get::<T>(&path(&["updates", &id]), &query).await?`, then
//!    `Page::new(&cx, title).crumb(..).facts(..).tabs(..).actions(..).body(..).render().await`. `?` makes the right page
//!    of every failure: 403, 404 and faults with their id. `tokio::join!` what does not depend on each other.
//! 4. **Lists.** `ui::grid::Grid` from `ui::grid::Column`s: `Column::new(key, label, cell)` with `.text(..)` for CSV,
//!    `.sort("field")` where REST can, `.narrow()` for what stays at 390 px, `.hidden()` for what is chosen only.
//!    Answer `grid.csv(&cx)` when `cx.address.value("format")` is `csv`. An empty list says what to do next (`.empty(..)`).
//! 5. **Acts.** A form posts to a console route, which calls REST and answers `t::flash_done(..).to(address)` (303). A
//!    refusal comes back beside its field: `match cx.api.post(..).await { Err(f) => f.into_problem()?` and make the form again
//!    with `ui::form::Errors`. An act on more than one object, or one that takes something away, goes through
//!    `ui::confirm::Confirm`: what will happen, to how many, how to undo it; dangerous ones have the name typed.
//!    Offer only what `cx.may(Role::..)` allows.
//! 6. **Figures.** `ui::chart` has bars of states, trends, steps, heat maps, sparks, graphs, trees and meters, each with a
//!    table. Put what changes by itself into `ui::live` with a fixed id and its topics; the module replaces it in place.
//! 7. **Times, numbers.** `ui::time(cx, at)`, `ui::ago(cx, at)`, `ui::number(cx, n)`, `ui::bytes(cx, n)`.
//! 8. **Looks.** No `style` attribute and no script in HTML: the content security policy forbids both, and a test looks for
//!    them. Use the classes of `assets/components.css`; a new one belongs there. State colours come from
//!    `ui::badge::State`, always with a word.
//! 9. **Tests.** `tests::Stub` answers REST paths with JSON: render the page, and look for what must be there.

mod address;
mod api;
mod assets;
mod cx;
mod failure;
mod flash;
mod layout;
mod nav;
mod relay;
mod screens;
#[cfg(test)]
mod tests;
mod texts;
mod ui;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, NestedPath, OriginalUri, State},
    response::Response,
    routing::get,
};
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use tower::ServiceExt as _;
use weir_api::Problem;

use crate::{api::Outer, assets::Assets, cx::Cx, failure::Failure, texts::Catalogue};

/// What the console is told at the start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Version of the program.
    pub version: &'static str,
    /// Languages by file: the tag (`de`, `pt-br`) and the text of `languages/TAG.toml`.
    pub languages: Vec<(String, String)>,
}

/// The content security policy of every page. The layers outside must not replace it.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Every page, its forms, and `/assets/`. `api` answers the paths below [`weir_api::PREFIX`], without authentication of its
/// own: it finds the caller in the extensions of the request.
///
/// The router has only a fallback, so that it sees requests before any route adds to them: hang it in with
/// `outer.fallback_service(weir_console::router(api, options))`.
pub fn router(api: Router, options: Options) -> Router {
    let console = Console(Arc::new(Shared {
        api,
        catalogue: Catalogue::new(&options.languages),
        assets: Assets::new(),
        version: options.version,
    }));
    let pages = screens::routes()
        .route("/assets/{name}", get(assets::serve))
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .with_state(console.clone());
    Router::new().fallback(enter).with_state(Gate { console, pages })
}

/// What all requests share. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Console(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    api: Router,
    catalogue: Catalogue,
    assets: Assets,
    version: &'static str,
}

impl Console {
    pub(crate) fn api(&self) -> Router {
        self.0.api.clone()
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.0.assets
    }

    pub(crate) fn version(&self) -> &'static str {
        self.0.version
    }
}

#[derive(Clone)]
struct Gate {
    console: Console,
    pages: Router,
}

/// Keeps what came with the request, lets the pages answer, and makes a page of a failure.
async fn enter(State(gate): State<Gate>, mut request: Request<Body>) -> Response {
    let mut extensions = request.extensions().clone();
    extensions.remove::<OriginalUri>();
    extensions.remove::<MatchedPath>();
    extensions.remove::<NestedPath>();
    let outer = Outer { extensions, headers: request.headers().clone() };
    request.extensions_mut().insert(outer.clone());
    let uri = request.uri().clone();
    let mut response = match gate.pages.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let failure = response.extensions_mut().remove::<Failure>();
    // a form that was larger than is read has an answer of the framework's
    let failure = failure.or_else(|| (response.status() == StatusCode::PAYLOAD_TOO_LARGE).then(too_large));
    if let Some(failure) = failure {
        let cx = Cx::anonymous(&gate.console, &uri, outer);
        response = failure::page(&cx, &failure).await;
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn too_large() -> Failure {
    Failure::refused(Problem {
        status: StatusCode::PAYLOAD_TOO_LARGE.as_u16(),
        code: "too_large".to_owned(),
        title: String::new(),
        detail: "what was sent is larger than this page takes".to_owned(),
        next_step: None,
    })
}

async fn nothing() -> Failure {
    Failure::NotFound
}
