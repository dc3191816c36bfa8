//! Sessions of the console that have not ended: the own ones, and for full administrators those of everybody.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List,
    access::{OpenSession, Role, SessionQuery},
};

use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::may,
    texts::{accounts as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The list.
pub(super) const HERE: &str = "/settings/sessions";

fn query(cx: &Cx) -> SessionQuery {
    let all = cx.address.value("tab") == Some("everybody") && may(cx, Role::FullAdministrator);
    SessionQuery { all: all.then_some(true), cursor: cx.address.value("cursor").map(str::to_owned), limit: None }
}

/// The page.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Errors::default()).await
}

async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| {
            let query = SessionQuery { cursor, limit: Some(1000), ..query(cx) };
            async move { cx.api.get::<List<OpenSession>>("/sessions", &query).await }
        });
        let list = List { items: rows.await?, next: None };
        return Ok(grid(cx, &list).csv());
    }
    let list: List<OpenSession> = cx.api.get("/sessions", &query(cx)).await?;
    let body = html! {
        (errors.summary(cx))
        p.lead { (t::sessions_lead(cx)) " " a href="/settings/site?text=sessions" { (t::sessions_settings(cx)) } }
        (ui::live("sessions-live", "settings", grid(cx, &list).render()))
    };
    let page = Page::new(cx, s::places(cx, "sessions")).body(body);
    let page = if may(cx, Role::FullAdministrator) {
        page.tabs(vec![
            Tab::new(cx, "own", true, t::sessions_own(cx)),
            Tab::new(cx, "everybody", false, t::sessions_everybody(cx)),
        ])
    } else {
        page
    };
    page.render().await
}

fn grid<'a>(cx: &'a Cx, list: &'a List<OpenSession>) -> Grid<'a, OpenSession> {
    let columns = vec![
        Column::new("principal", t::principal(cx), |one: &OpenSession| {
            html! { (one.principal) @if one.current { " " (badge(Tone::Good, t::session_this(cx))) } }
        })
        .text(|one| one.principal.clone())
        .narrow(),
        Column::new("used", t::used(cx), |one: &OpenSession| ui::ago(cx, one.used_at))
            .text(|one| one.used_at.to_string())
            .narrow(),
        Column::new("from", t::from(cx), |one: &OpenSession| {
            html! { @match &one.from { Some(from) => code { (from) }, None => (ui::none(cx)) } }
        })
        .text(|one| one.from.clone().unwrap_or_default())
        .narrow(),
        Column::new("began", t::began(cx), |one: &OpenSession| ui::time(cx, one.created_at))
            .text(|one| one.created_at.to_string()),
        Column::new("ends", t::ends(cx), |one: &OpenSession| ui::ago(cx, one.expires_at))
            .text(|one| one.expires_at.to_string()),
        Column::new("acts", t::acts(cx), |one: &OpenSession| act(cx, one)).narrow(),
    ];
    Grid::new(cx, "sessions", s::places(cx, "sessions"), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::sessions_empty(cx)) } })
}

fn act(cx: &Cx, one: &OpenSession) -> Markup {
    html! {
        // the one of this page ends by signing out
        @if !one.current {
            form.inline method="post" action=(path(&["settings", "sessions", &one.id.to_string(), "end"])) data-dialog {
                input type="hidden" name="whose" value=(one.principal);
                button type="submit" { (t::session_end(cx)) }
            }
        }
    }
}

/// The own sessions, as a part of another page.
pub(super) fn own(cx: &Cx, sessions: &[OpenSession]) -> Markup {
    html! {
        section.panel {
            h2 { (t::sessions_own(cx)) }
            div.scroll {
                table {
                    caption.hide { (t::sessions_own(cx)) }
                    thead { tr { @for head in [t::from(cx), t::used(cx), t::began(cx), t::ends(cx), t::acts(cx)] { th scope="col" { (head) } } } }
                    tbody {
                        @for one in sessions {
                            tr {
                                th scope="row" {
                                    (one.from.as_deref().unwrap_or(t::from_unknown(cx)))
                                    @if one.current { " " (badge(Tone::Good, t::session_this(cx))) }
                                }
                                td { (ui::ago(cx, one.used_at)) }
                                td { (ui::time(cx, one.created_at)) }
                                td { (ui::ago(cx, one.expires_at)) }
                                td { (act(cx, one)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    whose: String,
    sure: String,
}

/// Ends one, after asking.
pub(super) async fn end(cx: Cx, Path(id): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    if sent.sure == "1" {
        return match cx.api.delete::<()>(&path(&["sessions", &id])).await {
            Ok(()) => Ok(t::flash_session_ended(&sent.whose).to(HERE)),
            Err(failure) => {
                let errors = Errors::of(&failure.into_problem()?, &[]);
                page(&cx.at(crate::address::Address::new(HERE)), &errors).await
            }
        };
    }
    let confirm = Confirm::new(
        t::session_sentence(&cx, &sent.whose),
        t::session_undo(&cx),
        t::session_end(&cx),
        path(&["settings", "sessions", &id, "end"]),
        HERE,
    )
    .field("whose", &sent.whose)
    .field("sure", "1")
    .danger();
    Page::new(&cx, t::session_end(&cx)).crumb(s::places(&cx, "sessions"), HERE).body(confirm.render(&cx)).render().await
}
