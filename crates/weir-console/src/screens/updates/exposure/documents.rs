//! Documents about vulnerabilities: CVRF, CSAF, the KEV catalogue. Sent up, fetched by the server, deleted.

use axum::{Form, body::Body, extract::Path, response::Response};
use http::{HeaderValue, Method, Request, header};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List, Problem,
    access::Role,
    exposure::{Document, Fetch, Imported, ImportedFile, Outcome},
    list::ListQuery,
};

use super::tabs;
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    relay,
    screens::updates::{may_here, refused},
    texts::exposure as t,
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// What the form of an address sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    url: String,
    allow_http: Option<String>,
}

/// The list with both forms, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| page(&cx, cursor, 1000)).await?;
        return Ok(grid(&cx, &rows).csv());
    }
    whole(&cx, &Wanted::default(), None, &Errors::default()).await
}

async fn page(cx: &Cx, cursor: Option<String>, limit: u32) -> Result<List<Document>, Failure> {
    cx.api.get("/exposure/documents", &ListQuery { cursor, limit: Some(limit) }).await
}

async fn whole(cx: &Cx, wanted: &Wanted, imported: Option<&Imported>, errors: &Errors) -> Result<Response, Failure> {
    let cursor = cx.address.value("cursor").map(str::to_owned);
    let later = cursor.is_some();
    let list = page(cx, cursor, 100).await?;
    let table = grid(cx, &list.items).next(list.next.as_deref()).render();
    let body = html! {
        (errors.summary(cx))
        @if let Some(imported) = imported { (results(cx, imported)) }
        @if !later && may_here(cx, Role::Operator) {
            div.two { div { (upload(cx, errors)) } div { (fetching(cx, wanted, errors)) } }
        }
        (ui::live("documents-live", "exposure", table))
    };
    Page::new(cx, t::documents(cx))
        .crumb(t::title(cx), cx.to("/updates/exposure"))
        .tabs(tabs(cx))
        .body(body)
        .render()
        .await
}

fn upload(cx: &Cx, errors: &Errors) -> Markup {
    let field = Field::new("file", t::upload_files(cx), errors).help(t::upload_help(cx)).required().files(".json,.xml");
    html! {
        h2 { (t::upload(cx)) }
        form method="post" action="/updates/exposure/documents/import" enctype="multipart/form-data" {
            (field)
            div.buttons { button.primary type="submit" { (t::upload_go(cx)) } }
        }
    }
}

fn fetching(cx: &Cx, wanted: &Wanted, errors: &Errors) -> Markup {
    html! {
        h2 { (t::fetch(cx)) }
        form method="post" action="/updates/exposure/documents/fetch" {
            (Field::new("url", t::fetch_url(cx), errors).help(t::fetch_help(cx)).required().input("url", &wanted.url))
            (Field::new("allow_http", t::allow_http(cx), errors).help(t::allow_http_help(cx)).switch(wanted.allow_http.is_some()))
            div.buttons { button type="submit" { (t::fetch_go(cx)) } }
        }
    }
}

/// What became of each file.
fn results(cx: &Cx, imported: &Imported) -> Markup {
    let columns = vec![
        Column::new("file", t::file(cx), |row: &ImportedFile| html! { (row.file) }).wide().narrow(),
        Column::new("outcome", t::outcome(cx), |row: &ImportedFile| {
            let tone = match row.outcome {
                Outcome::Added | Outcome::Replaced => Tone::Good,
                Outcome::Older | Outcome::Unchanged => Tone::Plain,
                Outcome::Rejected => Tone::Bad,
            };
            badge(tone, &t::outcomes(cx, &ui::word(&row.outcome)))
        })
        .narrow(),
        Column::new("document", t::document(cx), |row: &ImportedFile| {
            html! { @if let Some(document) = &row.document { (document.title) div.quiet { (t::cves_named(cx, document.cves)) } } }
        })
        .narrow(),
        Column::new("message", t::message(cx), |row: &ImportedFile| {
            html! { span lang="en" { (row.message.as_deref().unwrap_or_default()) } }
        })
        .wide()
        .narrow(),
    ];
    let taken = imported.files.iter().filter(|file| file.outcome != Outcome::Rejected).count() as u64;
    html! {
        section.panel role="status" {
            h2 { (t::imported(cx, taken, imported.files.len())) }
            (Grid::new(cx, "imported", t::imported(cx, taken, imported.files.len()), columns, &imported.files).render())
        }
    }
}

fn grid<'a>(cx: &'a Cx, rows: &'a [Document]) -> Grid<'a, Document> {
    let columns = vec![
        Column::new("title", t::document(cx), |row: &Document| {
            html! { (row.title) div.quiet { code { (row.id) } " " (row.issuer) } }
        })
        .text(|row| row.title.clone())
        .wide()
        .narrow(),
        Column::new("kind", t::kind(cx), |row: &Document| html! { (row.kind.to_uppercase()) })
            .text(|row| row.kind.clone())
            .narrow(),
        Column::new("version", t::version(cx), |row: &Document| html! { (row.version) }).text(|row| row.version.clone()),
        Column::new("current", t::current(cx), |row: &Document| ui::time(cx, row.current_at))
            .text(|row| row.current_at.to_string())
            .narrow(),
        Column::number(cx, "cves", t::cves(cx), |row: &Document| row.cves).narrow(),
        Column::number(cx, "skipped", t::skipped(cx), |row: &Document| row.skipped).hidden(),
        Column::new("source", t::source(cx), |row: &Document| html! { (row.source) }).text(|row| row.source.clone()).hidden(),
        Column::new("imported", t::imported_at(cx), |row: &Document| ui::ago(cx, row.imported_at))
            .text(|row| row.imported_at.to_string()),
        Column::new("by", t::created_by(cx), |row: &Document| html! { (row.imported_by) })
            .text(|row| row.imported_by.clone()),
        Column::new("acts", t::acts(cx), |row: &Document| {
            html! {
                @if may_here(cx, Role::Operator) {
                    form.inline method="post" action=(deletion(row)) data-dialog { button type="submit" { (t::delete(cx)) } }
                }
            }
        })
        .narrow(),
    ];
    Grid::new(cx, "documents", t::documents(cx), columns, rows).empty(html! { p { (t::documents_empty(cx)) } })
}

fn deletion(row: &Document) -> String {
    path(&["updates", "exposure", "documents", &row.no.to_string(), "delete"])
}

/// Hands the files to REST as they come.
pub(super) async fn import(cx: Cx, request: Request<Body>) -> Result<Response, Failure> {
    let plain = HeaderValue::from_static("application/octet-stream");
    let media = request.headers().get(header::CONTENT_TYPE).cloned().unwrap_or(plain);
    let address = Address::new("/exposure/imports");
    match relay::up::<Imported>(&cx, Method::POST, &address, &media, request.into_body()).await {
        Ok(imported) => whole(&here(&cx), &Wanted::default(), Some(&imported), &Errors::default()).await,
        Err(failure) => {
            let errors = refused(&failure.into_problem()?, &["file=upload", "file=too_large"]);
            whole(&here(&cx), &Wanted::default(), None, &errors).await
        }
    }
}

/// Lets the server fetch a document.
pub(super) async fn fetch(cx: Cx, Form(wanted): Form<Wanted>) -> Result<Response, Failure> {
    let asked = Fetch { url: wanted.url.trim().to_owned(), allow_http: wanted.allow_http.is_some() };
    match cx.api.post::<Imported>("/exposure/fetches", &asked).await {
        Ok(imported) => whole(&here(&cx), &Wanted::default(), Some(&imported), &Errors::default()).await,
        Err(failure) => {
            let errors = refused(&unreachable_too(failure)?, &["url", "url=upstream"]);
            whole(&here(&cx), &wanted, None, &errors).await
        }
    }
}

/// Also that the other server failed is said beside the form.
fn unreachable_too(failure: Failure) -> Result<Problem, Failure> {
    match failure {
        Failure::Refused(problem) if problem.status == 502 => Ok(*problem),
        other => other.into_problem(),
    }
}

/// Links of the list lead to the list, not to the form that was sent.
fn here(cx: &Cx) -> Cx {
    cx.at(Address::new("/updates/exposure/documents"))
}

#[derive(Deserialize)]
pub(super) struct Sent {
    sure: Option<String>,
}

/// Asks for confirmation, or deletes.
pub(super) async fn delete(cx: Cx, Path(no): Path<u32>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let back = "/updates/exposure/documents";
    let mut errors = Errors::default();
    if sent.sure.is_some() {
        match cx.api.delete::<()>(&path(&["exposure", "documents", &no.to_string()])).await {
            Ok(()) => return Ok(t::flash_document_deleted().to(back)),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    let all = cx.api.all(CSV_ROWS, |cursor| page(&cx, cursor, 1000)).await?;
    let row = all.into_iter().find(|row| row.no == no).ok_or(Failure::NotFound)?;
    let details = html! { (errors.summary(&cx)) p { (t::document_source(&cx, &row.source)) } };
    let sentence = t::document_delete_sentence(&cx, row.cves, &row.title);
    let confirm = Confirm::new(sentence, t::document_delete_undo(&cx), t::delete(&cx), deletion(&row), back);
    let confirm = confirm.details(details).field("sure", "1").danger();
    Page::new(&cx, t::delete(&cx)).crumb(t::documents(&cx), back).body(confirm.render(&cx)).render().await
}
