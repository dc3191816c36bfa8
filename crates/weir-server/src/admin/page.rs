//! What is answered before there is a session: the sign-in link, and the way to a provider of OpenID Connect and back.

use super::{
    AdminError, App,
    access::oidc::{self, Callback, SignInError},
    auth,
    extract::Query,
};
use crate::state::Connection;
use axum::{
    Extension,
    extract::State,
    response::{AppendHeaders, Html, IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

const STYLE: &str = include_str!("style.css");

/// The style sheet of the pages.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Query of the sign-in link.
#[derive(Debug, Deserialize)]
pub(super) struct SignIn {
    #[serde(default)]
    code: String,
}

/// Uses the one-time code of a sign-in link and begins a session.
pub(super) async fn sign_in(
    app: &App,
    method: &Method,
    uri: &Uri,
    connection: Option<Connection>,
) -> Result<Response, AdminError> {
    let from = connection.map(|connection| connection.peer.ip().to_canonical().to_string());
    if *method == Method::HEAD {
        // programs that look at links before people open them must not use the code up
        return Ok(StatusCode::OK.into_response());
    }
    let query = axum::extract::Query::<SignIn>::try_from_uri(uri);
    let code = query.map(|query| query.0.code).unwrap_or_default();
    if let Some(cookie) = auth::code_use(app, &code, from, Timestamp::now()).await? {
        return Ok(([(header::SET_COOKIE, cookie)], signed_in()).into_response());
    }
    metrics::counter!("weir_admin_refused_total").increment(1);
    if connection.is_some_and(|connection| auth::attempts_spent(app, &connection)) {
        return Err(AdminError::TooMany);
    }
    let page = frame(
        "Not signed in",
        &html! {
            h1 { "This link does not work (any more)" }
            p { "A sign-in link works once, and for " (auth::SIGN_IN_CODE.as_hours()) " hours. For a new one, on the server:" }
            pre { "weir admin sign-in" }
            p { a href="/sign-in" { "Sign in with a name and a password" } }
        },
    );
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

/// A page instead of a redirect: browsers do not send a strict cookie with a request that another program's link, or the page of
/// a provider, began. From here they go on to the console.
fn signed_in() -> Html<String> {
    let onward = html! { meta http-equiv="refresh" content="0; url=/"; };
    framed("Weir", &onward, &html! { h1 { "Signed in" } p { a href="/" { "Go on" } } })
}

/// Sends a browser to the provider of OpenID Connect.
pub(super) async fn oidc(State(app): State<App>) -> Response {
    match oidc::begin(&app).await {
        Ok((url, cookie)) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, url)], [(header::SET_COOKIE, cookie)]).into_response()
        }
        Err(error) => not_signed_in(error),
    }
}

/// Takes a browser back from there.
pub(super) async fn oidc_callback(
    State(app): State<App>,
    connection: Option<Extension<Connection>>,
    headers: HeaderMap,
    Query(callback): Query<Callback>,
) -> Response {
    let connection = connection.map(|connection| connection.0);
    let from = connection.map(|connection| connection.peer.ip().to_canonical().to_string());
    match oidc::finish(&app, &headers, callback, from).await {
        Ok(cookie) => {
            let cookies = AppendHeaders([(header::SET_COOKIE, cookie), (header::SET_COOKIE, oidc::no_cookie())]);
            (cookies, signed_in()).into_response()
        }
        Err(_) if connection.is_some_and(|connection| auth::attempts_spent(&app, &connection)) => {
            AdminError::TooMany.into_response()
        }
        Err(error) => not_signed_in(error),
    }
}

fn not_signed_in(error: SignInError) -> Response {
    let status = match &error {
        SignInError::Off => StatusCode::NOT_FOUND,
        SignInError::Attempt => StatusCode::BAD_REQUEST,
        SignInError::Refused(_) | SignInError::Unmapped { .. } | SignInError::Disabled(_) => StatusCode::FORBIDDEN,
        SignInError::Broken(_) => StatusCode::BAD_GATEWAY,
        SignInError::Server(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    tracing::warn!(error = super::chain(&error), "nobody was signed in by OpenID Connect");
    let words = match &error {
        SignInError::Broken(_) => "The provider does not work with this server; its log says why.".to_owned(),
        SignInError::Server(_) => "The server failed; its log says why.".to_owned(),
        error => error.to_string(),
    };
    let page = frame(
        "Not signed in",
        &html! { h1 { "Not signed in" } p { (words) } p { a href="/sign-in/oidc" { "Try again" } } },
    );
    (status, page).into_response()
}

fn frame(title: &str, content: &Markup) -> Html<String> {
    framed(title, &Markup::default(), content)
}

fn framed(title: &str, head: &Markup, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                (head)
                link rel="stylesheet" href="/style.css";
            }
            body { main { (content) } }
        }
    };
    Html(page.into_string())
}
