//! Requests that wait, or waited, for a second person: what each would do, deciding about it, what became of it.

use axum::{
    Form, Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use weir_api::{
    List,
    access::{Proof, Role},
    approval::{Approval, ApprovalQuery, ApprovalState},
};

use super::{given, listing, may};
use crate::{
    Console,
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{approvals as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The list.
const HERE: &str = "/settings/approvals";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(list))
        .route("/settings/approvals/{id}", get(show))
        .route("/settings/approvals/{id}/{act}", post(decide))
}

/// Where a request is.
fn address(id: i64) -> String {
    path(&["settings", "approvals", &id.to_string()])
}

fn query(cx: &Cx) -> ApprovalQuery {
    let waiting = cx.address.value("tab").is_none();
    ApprovalQuery {
        waiting: waiting.then_some(true),
        cursor: cx.address.value("cursor").map(str::to_owned),
        limit: None,
    }
}

async fn list(cx: Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| {
            let (cx, query) = (&cx, ApprovalQuery { cursor, limit: Some(1000), ..query(&cx) });
            async move { cx.api.get::<List<Approval>>("/approvals", &query).await }
        });
        let list = List { items: rows.await?, next: None };
        return Ok(grid(&cx, &list).csv());
    }
    let list: List<Approval> = cx.api.get("/approvals", &query(&cx)).await?;
    let body = html! {
        p.lead { (t::lead(&cx)) " " a href={ (Address::new("/settings/site").with("text", "approval")) } { (t::which(&cx)) } }
        (ui::live("approvals-live", "settings", grid(&cx, &list).render()))
    };
    Page::new(&cx, s::places(&cx, "approvals"))
        .tabs(vec![Tab::new(&cx, "waiting", true, t::waiting(&cx)), Tab::new(&cx, "all", false, t::all(&cx))])
        .body(body)
        .render()
        .await
}

fn grid<'a>(cx: &'a Cx, list: &'a List<Approval>) -> Grid<'a, Approval> {
    let columns = vec![
        Column::new("id", t::number(cx), |one: &Approval| html! { a href=(address(one.id)) { (one.id) } })
            .text(|one| one.id.to_string())
            .narrow(),
        Column::new(
            "subject",
            t::subject(cx),
            |one: &Approval| html! { a href=(address(one.id)) lang="en" { (one.subject) } },
        )
        .text(|one| one.subject.clone())
        .wide()
        .narrow(),
        Column::new("state", t::state(cx), |one: &Approval| state(cx, one)).text(|one| ui::word(&one.state)).narrow(),
        Column::new("by", t::asked_by(cx), |one: &Approval| html! { (one.requested_by) })
            .text(|one| one.requested_by.clone())
            .narrow(),
        Column::new("created", t::asked_at(cx), |one: &Approval| ui::ago(cx, one.created_at))
            .text(|one| one.created_at.to_string()),
        Column::new("expires", t::expires(cx), |one: &Approval| {
            if one.state == ApprovalState::Waiting { ui::ago(cx, one.expires_at) } else { ui::none(cx) }
        })
        .text(|one| one.expires_at.to_string()),
        Column::new("decided", t::decided(cx), |one: &Approval| {
            html! { @if let Some(by) = &one.decided_by { (by) " " (ui::time_or(cx, one.decided_at)) } }
        })
        .text(|one| one.decided_by.clone().unwrap_or_default()),
        Column::new("kind", t::kind(cx), |one: &Approval| html! { (t::kinds(cx, &one.kind)) })
            .text(|one| one.kind.clone())
            .hidden(),
    ];
    let waiting = cx.address.value("tab").is_none();
    Grid::new(cx, "approvals", s::places(cx, "approvals"), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { @if waiting { (t::empty_waiting(cx)) } @else { (t::empty(cx)) } } })
}

fn state(cx: &Cx, one: &Approval) -> Markup {
    let tone = match one.state {
        ApprovalState::Waiting => Tone::Warn,
        ApprovalState::Done => Tone::Good,
        ApprovalState::Failed => Tone::Bad,
        ApprovalState::Expired | ApprovalState::Rejected => Tone::Plain,
    };
    badge(tone, &t::states(cx, &ui::word(&one.state)))
}

async fn show(cx: Cx, Path(id): Path<i64>) -> Result<Response, Failure> {
    match cx.api.get::<Approval>(&format!("/approvals/{id}"), &()).await {
        Ok(one) => page(&cx, &one, "", &Errors::default()).await,
        // who is limited to collections may ask and not see the list of requests
        Err(Failure::Refused(problem)) if problem.status == 403 && problem.code == "forbidden" => {
            let body = html! {
                div.panel { p { (t::waits_unseen(&cx, id)) } p { a href="/" { (crate::texts::common::to_overview(&cx)) } } }
            };
            Page::new(&cx, t::title(&cx, id)).body(body).render().await
        }
        Err(failure) => Err(failure),
    }
}

/// Whether the visitor may decide: a person, not who asked, who may do such things.
fn decides(cx: &Cx, one: &Approval) -> bool {
    let person = cx.session.as_ref().is_none_or(|session| session.proof != Proof::Token);
    one.state == ApprovalState::Waiting && person && !own(cx, one) && may(cx, Role::SoftwareUpdateManager)
}

fn own(cx: &Cx, one: &Approval) -> bool {
    cx.session.as_ref().is_some_and(|session| session.principal.to_lowercase() == one.requested_by.to_lowercase())
}

async fn page(cx: &Cx, one: &Approval, note: &str, errors: &Errors) -> Result<Response, Failure> {
    let here = address(one.id);
    let body = html! {
        section.panel {
            h2 { (t::would(cx)) }
            p.sentence lang="en" { (one.subject) }
            (ui::facts([
                (t::kind(cx).to_owned(), html! { (t::kinds(cx, &one.kind)) }),
                (t::asked_by(cx).to_owned(), html! { (one.requested_by) @if let Some(from) = &one.requested_from { " · " code { (from) } } }),
                (t::asked_at(cx).to_owned(), ui::time(cx, one.created_at)),
                (t::expires(cx).to_owned(), ui::time(cx, one.expires_at)),
                (t::request(cx).to_owned(), html! { code { (one.method) " " (one.path) } }),
            ]))
            @if let Some(body) = &one.body { (listing(cx, &pretty(body))) }
        }
        @if decides(cx, one) {
            form.panel method="post" action={ (here) "/approve" } {
                h2 { (t::decide(cx)) }
                (errors.summary(cx))
                p { (t::decide_help(cx, &one.requested_by)) }
                (Field::new("note", t::note(cx), errors).help(t::note_help(cx)).lines(note, 2))
                div.buttons {
                    button.primary type="submit" { (t::approve(cx)) }
                    button type="submit" formaction={ (here) "/reject" } { (t::reject(cx)) }
                }
            }
        } @else if one.state == ApprovalState::Waiting {
            section.panel {
                (errors.summary(cx))
                p { @if own(cx, one) { (t::own(cx)) } @else { (t::not_yours(cx)) } }
            }
        } @else { (outcome(cx, one)) }
    };
    Page::new(cx, t::title(cx, one.id))
        .crumb(s::places(cx, "approvals"), HERE)
        .fact(t::state(cx), state(cx, one))
        .fact(t::asked_by(cx), html! { (one.requested_by) })
        .fact(t::asked_at(cx), ui::ago(cx, one.created_at))
        .body(body)
        .render()
        .await
}

fn outcome(cx: &Cx, one: &Approval) -> Markup {
    html! {
        section.panel {
            h2 { (t::became(cx)) }
            (ui::facts([
                (t::decided(cx).to_owned(), html! { (one.decided_by.as_deref().unwrap_or_default()) " " (ui::time_or(cx, one.decided_at)) }),
                (t::note(cx).to_owned(), html! { (one.note.as_deref().unwrap_or_default()) }),
                (t::status(cx).to_owned(), html! { @match one.status { Some(status) => (status), None => (ui::none(cx)) } }),
            ]))
            @if one.state == ApprovalState::Done && one.status.is_none() { p { (t::no_answer(cx)) } }
            @if let Some(answer) = one.answer.as_ref().filter(|answer| !answer.is_empty()) {
                details open[one.state == ApprovalState::Failed] { summary { (t::answer(cx)) } (listing(cx, &pretty(answer))) }
            }
        }
    }
}

/// JSON over several lines; other texts as they are.
fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    note: String,
    sure: String,
}

/// Approves, after a last question, or rejects.
async fn decide(cx: Cx, Path((id, act)): Path<(i64, String)>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    if !matches!(act.as_str(), "approve" | "reject") {
        return Err(Failure::NotFound);
    }
    if act == "approve" && sent.sure != "1" {
        let one: Approval = cx.api.get(&format!("/approvals/{id}"), &()).await?;
        let here = address(id);
        let details = html! { p lang="en" { strong { (one.subject) } } p { code { (one.method) " " (one.path) } } };
        let confirm = Confirm::new(
            t::approve_sentence(&cx, &one.requested_by),
            t::approve_undo(&cx),
            t::approve(&cx),
            format!("{here}/approve"),
            &here,
        )
        .details(details)
        .field("note", &sent.note)
        .field("sure", "1");
        return Page::new(&cx, t::approve(&cx))
            .crumb(s::places(&cx, "approvals"), HERE)
            .crumb(t::title(&cx, id), here)
            .body(confirm.render(&cx))
            .render()
            .await;
    }
    let decision = json!({ "note": given(&sent.note) });
    match cx.api.post::<Approval>(&format!("/approvals/{id}/{act}"), &decision).await {
        Ok(one) => Ok(match one.state {
            ApprovalState::Done => t::flash_done(id),
            ApprovalState::Failed => t::flash_failed(id),
            _ => t::flash_rejected(id),
        }
        .to(address(id))),
        // an own request, or one that somebody else may decide about
        Err(Failure::Refused(problem)) if problem.status == 403 && problem.code != "password_change" => {
            let one: Approval = cx.api.get(&format!("/approvals/{id}"), &()).await?;
            page(&cx, &one, &sent.note, &Errors::of(&problem, &[])).await
        }
        Err(failure) => {
            let problem = failure.into_problem()?;
            let one: Approval = cx.api.get(&format!("/approvals/{id}"), &()).await?;
            page(&cx, &one, &sent.note, &Errors::of(&problem, &["note"])).await
        }
    }
}
