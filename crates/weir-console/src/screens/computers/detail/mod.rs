//! One computer: what it misses and why, what went wrong, where it is, what it told, what it is.

mod exposed;
mod failures;
mod machine;
mod places;
mod timeline;
mod updates;
mod why;

pub(super) use machine::zone;
pub(super) use places::{next as next_window, resulting};

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    computer::{ComputerDetail, ComputerUpdate},
    selection::LanguageQuery,
};

use super::{Part, at, called, freshness, state};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::computers as t,
    ui::{self, form::Errors, tabs::Tab},
};

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let computer = load(&cx, &id).await?;
    page(&cx, &computer, &Errors::default()).await
}

async fn load(cx: &Cx, id: &str) -> Result<ComputerDetail, Failure> {
    cx.api.get(&at(id), &LanguageQuery { language: cx.titles() }).await
}

async fn page(cx: &Cx, computer: &ComputerDetail, errors: &Errors) -> Result<Response, Failure> {
    let row = &computer.row;
    let part = match cx.address.value("tab") {
        None => updates::missing(cx, computer).await,
        Some("updates") => updates::all(cx, computer),
        Some("why") => Part::Page(why::show(cx, computer).await?),
        Some("errors") => Part::Page(failures::show(cx, computer).await),
        Some("exposure") => exposed::show(cx, computer).await?,
        Some("collections") => Part::Page(places::show(cx, computer).await?),
        Some("timeline") => timeline::show(cx, computer).await?,
        Some("machine") => Part::Page(machine::show(cx, computer, errors)),
        Some(_) => return Err(Failure::NotFound),
    };
    let body = match part {
        Part::Page(body) => body,
        Part::Csv(csv) => return Ok(csv),
    };
    let missing = (computer.needed.len() + computer.failed.len()) as u64;
    let with_errors = failing(computer).count() as u64
        + u64::from(row.freshness.as_ref().is_some_and(|known| known.scan_error.is_some()));
    Page::new(cx, called(&row.name, &row.id))
        .fact(t::col_state(cx), state(row).badge(cx))
        .fact(t::col_contact(cx), html! { (ui::ago(cx, row.last_contact)) " " (freshness(cx, row.freshness.as_ref())) })
        .fact(t::fact_window(cx), places::next(cx, computer.next_window.as_ref()))
        .tabs(vec![
            Tab::new(cx, "missing", true, t::tab_missing(cx)).number(missing),
            Tab::new(cx, "updates", false, t::tab_updates(cx)),
            Tab::new(cx, "why", false, t::tab_why(cx)),
            Tab::new(cx, "errors", false, t::errors(cx)).number(with_errors),
            Tab::new(cx, "exposure", false, t::tab_exposure(cx)),
            Tab::new(cx, "collections", false, t::tab_places(cx)).number(row.collections.len() as u64),
            Tab::new(cx, "timeline", false, t::tab_timeline(cx)),
            Tab::new(cx, "machine", false, t::tab_machine(cx)),
        ])
        .actions(acts(cx, computer))
        .body(body)
        .render()
        .await
}

/// Updates of which the last attempt left an error.
fn failing(computer: &ComputerDetail) -> impl Iterator<Item = &ComputerUpdate> {
    computer.failed.iter().chain(computer.needed.iter().filter(|update| update.error.is_some()))
}

fn acts(cx: &Cx, computer: &ComputerDetail) -> Markup {
    html! {
        form.inline method="post" action="/computers/change" data-dialog {
            input type="hidden" name="id" value=(computer.row.id);
            input type="hidden" name="from" value=(cx.address);
            @if cx.may(Role::SoftwareUpdateManager) {
                @for act in ["add", "move", "remove"] { button type="submit" name="act" value=(act) { (t::acts(cx, act)) } }
            }
            @if cx.may(Role::Operator) { button type="submit" name="act" value="delete" { (t::acts(cx, "delete")) } }
        }
    }
}
