//! The own account: who one is here, what one may do, the own password, the own sessions.

use axum::{Form, response::Response};
use http::header;
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List,
    access::{OpenSession, PasswordChange, Proof, Session, SessionQuery},
};

use super::sessions;
use crate::{
    address::local,
    cx::Cx,
    failure::{Failure, PASSWORD},
    layout::Page,
    screens::settings::{autocompleted, limit},
    texts::{accounts as t, common, settings as s},
    ui::{
        self,
        form::{Errors, Field},
    },
};

/// The page.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let list: Result<List<OpenSession>, Failure> = cx.api.get("/sessions", &SessionQuery::default()).await;
    let sessions = match &list {
        Ok(list) => sessions::own(&cx, &list.items),
        // a server without sessions
        Err(_) => Markup::default(),
    };
    let account = match &cx.session {
        Some(session) => account(&cx, session),
        None => html! { section.panel { p { (t::no_session(&cx)) } } },
    };
    let body = html! {
        (account)
        (sessions)
        section.panel {
            h2 { (s::places(&cx, "tokens")) }
            p { (s::sentences(&cx, "tokens")) }
            p { a.button href="/settings/tokens" { (s::places(&cx, "tokens")) } }
        }
    };
    Page::new(&cx, s::places(&cx, "access")).body(body).render().await
}

fn account(cx: &Cx, session: &Session) -> Markup {
    html! {
        section.panel {
            h2 { (session.display_name) }
            (ui::facts([
                (t::principal(cx).to_owned(), html! { code { (session.principal) } }),
                (t::role(cx).to_owned(), html! { (ui::role(cx, session.role)) div.quiet { (t::roles_may(cx, &ui::word(&session.role))) } }),
                (t::collections(cx).to_owned(), limit(cx, &session.collections, false)),
                (t::proof(cx).to_owned(), html! { (t::proofs(cx, &ui::word(&session.proof))) }),
                (t::ends(cx).to_owned(), ui::time_or(cx, session.expires_at)),
                (t::last_visit(cx).to_owned(), ui::time_or(cx, session.last_visit)),
            ]))
            @if may_change(session) { p { a.button href=(PASSWORD) { (t::password_change(cx)) } } }
            @else { p.quiet { (t::password_elsewhere(cx)) } }
        }
    }
}

/// Whether there may be a password to change: tokens have none. REST decides about the others.
fn may_change(session: &Session) -> bool {
    matches!(session.proof, Proof::Session | Proof::Certificate)
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    current: String,
    password: String,
    again: String,
    to: String,
}

/// The form of another password.
pub(super) async fn password(cx: Cx) -> Result<Response, Failure> {
    let to = cx.address.value("to").unwrap_or("/settings/access").to_owned();
    form(&cx, &to, &Errors::default()).await
}

async fn form(cx: &Cx, to: &str, errors: &Errors) -> Result<Response, Failure> {
    let must = cx.address.value("to").is_some();
    let to = local(Some(to));
    let body = html! {
        @if must { div.panel.warn { p { (t::password_must(cx)) } } }
        form.panel method="post" action=(PASSWORD) {
            (errors.summary(cx))
            input type="hidden" name="to" value=(to);
            (autocompleted(&Field::new("current", t::password_now(cx), errors).required().input("password", ""), "current-password"))
            (autocompleted(&Field::new("password", t::password_new(cx), errors).help(t::password_help(cx)).required().input("password", ""), "new-password"))
            (autocompleted(&Field::new("again", t::password_again(cx), errors).required().input("password", ""), "new-password"))
            p.quiet { (t::password_ends(cx)) }
            div.buttons { button.primary type="submit" { (t::password_change(cx)) } @if !must { a.plain.button href="/settings/access" { (common::cancel(cx)) } } }
        }
    };
    Page::new(cx, t::password_change(cx)).crumb(s::places(cx, "access"), "/settings/access").body(body).render().await
}

/// Changes it.
pub(super) async fn change(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    if sent.password != sent.again {
        return form(&cx, &sent.to, &Errors::default().field("again", t::password_differs(&cx))).await;
    }
    let change = PasswordChange { current: sent.current, password: sent.password };
    match cx.api.put_for("/session/password", &change).await {
        Ok(answer) => {
            let mut response = t::flash_password().to(local(Some(&sent.to)));
            // the session has another secret from now on
            for cookie in answer.headers().get_all(header::SET_COOKIE) {
                response.headers_mut().append(header::SET_COOKIE, cookie.clone());
            }
            Ok(response)
        }
        // one sentence is refused as somebody's lack of rights is: the password of now was another
        Err(Failure::Refused(problem)) if matches!(problem.status, 403 | 429) && problem.code != "cross_site" => {
            form(&cx, &sent.to, &Errors::default().field("current", problem.detail)).await
        }
        Err(failure) => {
            let problem = failure.into_problem()?;
            let errors = match problem.code.as_str() {
                "password" => Errors::default().field("password", problem.detail),
                _ => Errors::of(&problem, &[]),
            };
            form(&cx, &sent.to, &errors).await
        }
    }
}
