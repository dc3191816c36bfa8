//! Exceptions from service levels, and withdrawing one.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List,
    access::Role,
    exposure_level::{Exception, ExceptionQuery},
};

use super::tabs;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::exposure as t,
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
        grid::{Column, Grid, wants_csv},
    },
};

/// Exceptions that are read; a site has fewer that count.
const MOST: usize = 20_000;

/// All of them, those that are over only if asked for.
pub(super) async fn load(cx: &Cx, expired: bool) -> Result<Vec<Exception>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = ExceptionQuery { expired: Some(expired), cursor, limit: Some(1000) };
            async move { cx.api.get::<List<Exception>>("/exposure/exceptions", &query).await }
        })
        .await
}

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let rows = load(&cx, cx.address.value("expired") == Some("1")).await?;
    let grid = grid(&cx, &rows).filters(html! {
        label.check { input type="checkbox" name="expired" value="1" checked[cx.address.value("expired") == Some("1")]; (t::with_expired(&cx)) }
    });
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = ui::live("exceptions-live", "exposure", grid.render());
    drop(grid);
    let acts = html! {
        @if cx.may(Role::SoftwareUpdateManager) { a.button.primary href="/updates/exposure/exceptions/new" { (t::exception_new(&cx)) } }
    };
    Page::new(&cx, t::exceptions(&cx))
        .crumb(t::title(&cx), cx.to("/updates/exposure"))
        .tabs(tabs(&cx))
        .actions(acts)
        .body(body)
        .render()
        .await
}

/// Exceptions as a grid.
pub(super) fn grid<'a>(cx: &'a Cx, rows: &'a [Exception]) -> Grid<'a, Exception> {
    let columns = vec![
        Column::new("subject", t::exception_of(cx), |row: &Exception| subject(row))
            .text(|row| {
                row.cve.clone().or_else(|| row.update.as_ref().map(|update| update.name.clone())).unwrap_or_default()
            })
            .narrow(),
        Column::new("place", t::exception_on(cx), |row: &Exception| place(row))
            .text(|row| {
                row.computer.clone().or_else(|| row.collection.as_ref().map(|it| it.name.clone())).unwrap_or_default()
            })
            .narrow(),
        Column::new("owner", t::owner(cx), |row: &Exception| html! { (row.owner) })
            .text(|row| row.owner.clone())
            .narrow(),
        Column::new("reason", t::reason_head(cx), |row: &Exception| html! { (row.reason) })
            .text(|row| row.reason.clone())
            .wide(),
        Column::new("expires", t::expires(cx), |row: &Exception| {
            html! { (ui::ago(cx, row.expires_at)) @if row.expired { " " (badge(Tone::Plain, t::expired(cx))) } }
        })
        .text(|row| row.expires_at.to_string())
        .narrow(),
        Column::new("created", t::created(cx), |row: &Exception| ui::time(cx, row.created_at))
            .text(|row| row.created_at.to_string())
            .hidden(),
        Column::new("by", t::created_by(cx), |row: &Exception| html! { (row.created_by) })
            .text(|row| row.created_by.clone()),
        Column::new("acts", t::acts(cx), |row: &Exception| {
            html! {
                @if !row.expired && cx.may(Role::SoftwareUpdateManager) {
                    form.inline method="post" action=(withdrawal(row)) data-dialog {
                        input type="hidden" name="from" value=(cx.address);
                        button type="submit" { (t::withdraw(cx)) }
                    }
                }
            }
        })
        .narrow(),
    ];
    let may = cx.may(Role::SoftwareUpdateManager);
    let next = may.then(|| (t::exception_new(cx), "/updates/exposure/exceptions/new"));
    Grid::new(cx, "exceptions", t::exceptions(cx), columns, rows).empty(ui::empty(t::exceptions_empty(cx), next))
}

fn withdrawal(row: &Exception) -> String {
    path(&["updates", "exposure", "exceptions", &row.id.to_string(), "withdraw"])
}

/// What an exception is about.
fn subject(row: &Exception) -> Markup {
    html! {
        @if let Some(cve) = &row.cve { a href=(path(&["updates", "exposure", cve])) { (cve) } }
        @if let Some(update) = &row.update { a href=(path(&["updates", &update.id.to_string()])) { (update.name) } }
    }
}

/// Where an exception holds.
fn place(row: &Exception) -> Markup {
    html! {
        @if let Some(collection) = &row.collection { a href=(path(&["computers", "collections", &collection.name])) { (collection.name) } }
        @if let Some(computer) = &row.computer { a href=(path(&["computers", computer])) { (computer) } }
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    sure: Option<String>,
    from: Option<String>,
}

/// Asks for confirmation, or withdraws.
pub(super) async fn withdraw(cx: Cx, Path(id): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let from = match sent.from {
        Some(from) => crate::address::local(Some(&from)),
        None => "/updates/exposure/exceptions".to_owned(),
    };
    let mut errors = Errors::default();
    if sent.sure.is_some() {
        match cx.api.delete::<()>(&path(&["exposure", "exceptions", &id])).await {
            Ok(()) => return Ok(t::flash_withdrawn().to(&from)),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    let all = load(&cx, true).await?;
    let row = all.into_iter().find(|row| row.id.to_string() == id).ok_or(Failure::NotFound)?;
    let details = html! {
        (errors.summary(&cx))
        (ui::facts([
            (t::exception_of(&cx).to_owned(), subject(&row)),
            (t::exception_on(&cx).to_owned(), place(&row)),
            (t::owner(&cx).to_owned(), html! { (row.owner) }),
            (t::reason_head(&cx).to_owned(), html! { (row.reason) }),
            (t::expires(&cx).to_owned(), ui::time(&cx, row.expires_at)),
        ]))
    };
    let confirm =
        Confirm::new(t::withdraw_sentence(&cx), t::withdraw_undo(&cx), t::withdraw(&cx), withdrawal(&row), &from)
            .details(details)
            .field("from", &from)
            .field("sure", "1");
    Page::new(&cx, t::withdraw(&cx)).body(confirm.render(&cx)).render().await
}
