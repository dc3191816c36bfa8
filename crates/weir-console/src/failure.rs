//! What goes wrong, and the page that says so.

use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use maud::html;
use uuid::Uuid;
use weir_api::Problem;

use crate::{
    address::{Address, path},
    cx::Cx,
    flash::see,
    layout::Page,
    texts::common as t,
};

/// Where somebody changes the own password.
pub(crate) const PASSWORD: &str = "/settings/access/password";

/// Why a page could not be made. As a response it is a mark that [`page`] is made of, since that takes the words of the visitor.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Nobody is signed in, or not any more.
    SignIn,
    /// There is no such page.
    NotFound,
    /// REST refused it.
    Refused(Box<Problem>),
    /// It is not done: the request of this number waits until a second person approves it.
    Waits(i64),
    /// A fault of our own, logged under this id.
    Internal(Uuid),
}

impl Failure {
    /// A refusal of REST.
    pub(crate) fn refused(problem: Problem) -> Self {
        match problem.status {
            401 => Self::SignIn,
            _ => Self::Refused(Box::new(problem)),
        }
    }

    /// A fault of our own about something.
    pub(crate) fn internal(subject: &str, error: &(impl Display + ?Sized)) -> Self {
        let id = Uuid::new_v4();
        tracing::error!(%id, subject, %error, "a page of the console could not be made");
        Self::Internal(id)
    }

    /// The problem of a form that can be sent again: a refusal of what was filled in. Other failures are errors as before.
    pub(crate) fn into_problem(self) -> Result<Problem, Self> {
        match self {
            Self::Refused(problem) if matches!(problem.status, 400 | 404 | 409 | 413 | 415 | 422) => Ok(*problem),
            other => Err(other),
        }
    }

    /// The HTTP status of its page.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused(problem) => StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_GATEWAY),
            Self::Waits(_) => StatusCode::ACCEPTED,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The page of a failure.
pub(crate) async fn page(cx: &Cx, failure: &Failure) -> Response {
    let status = failure.status();
    let (title, body) = match failure {
        Failure::SignIn => {
            let to = serde_urlencoded::to_string([("to", cx.address.to_string())]).unwrap_or_default();
            return see(format!("/sign-in?{to}"));
        }
        Failure::Waits(number) => {
            let request = path(&["settings", "approvals", &number.to_string()]);
            return t::flash_waits(number).to(request);
        }
        // nothing else is allowed before
        Failure::Refused(problem) if problem.code == "password_change" && cx.address.path() != PASSWORD => {
            return see(Address::new(PASSWORD).with("to", &cx.address));
        }
        Failure::NotFound => (
            t::not_found(cx).to_owned(),
            html! {
                p { (t::not_found_help(cx)) }
                p { a href="/" { (t::to_overview(cx)) } }
            },
        ),
        Failure::Refused(problem) => {
            let title = match problem.status {
                403 => t::forbidden(cx).to_owned(),
                404 => t::gone(cx).to_owned(),
                413 => t::too_large(cx).to_owned(),
                _ => problem.title.clone(),
            };
            (
                title,
                html! {
                    p lang="en" { (problem.detail) }
                    @if let Some(next) = &problem.next_step { p lang="en" { strong { (t::next_step(cx)) } " " (next) } }
                    @if problem.status == 403 { p { (t::forbidden_help(cx)) } }
                    p.quiet { (t::problem_code(cx, &problem.code)) }
                },
            )
        }
        Failure::Internal(id) => (
            t::internal(cx).to_owned(),
            html! {
                p { (t::internal_help(cx)) }
                p { (t::correlation(cx)) " " code { (id) } }
                p { a href=(cx.address) { (t::try_again(cx)) } }
            },
        ),
    };
    let page = Page::new(cx, title).body(html! { div.panel.failure role="alert" { (body) } });
    let mut response = page.render().await.unwrap_or_else(|_| status.into_response());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}
