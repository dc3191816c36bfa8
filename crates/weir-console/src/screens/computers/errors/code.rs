//! One error code: what it means, why it mostly happens, what to do, where it occurs and on which computers.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    collection::{CollectionPreview, CollectionPreviewQuery, PreviewComputer},
    compliance::{ComputerStanding, ComputerStandingQuery, ComputerState},
    failure::{ErrorDetail, ErrorExplanation, ErrorGroup, ErrorQuery, ErrorsBy},
};

use super::{
    super::{Part, called, link},
    label,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::computers as t,
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid},
        tabs::Tab,
    },
};

/// Computers with failed scans that are listed, as many as REST names.
const MOST: u32 = 1_000;

/// The page, with the tab of the address.
pub(in super::super) async fn show(cx: Cx, Path(code): Path<String>) -> Result<Response, Failure> {
    let query =
        ErrorQuery { since: cx.address.value("since").map(str::to_owned), collection: None, server: cx.server() };
    let detail: ErrorDetail = cx.api.get(&path(&["compliance", "errors", &code]), &query).await?;
    let explanation = &detail.explanation;
    let part = match cx.address.value("tab") {
        None => Part::Page(meaning(&cx, &detail)),
        Some("computers") => computers(&cx, &detail).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let body = match part {
        Part::Csv(csv) => return Ok(csv),
        Part::Page(body) => body,
    };
    let title = explanation
        .name
        .as_ref()
        .map_or_else(|| explanation.code.clone(), |name| format!("{} · {name}", explanation.code));
    let (count, last) =
        (detail.occurs.as_ref().map_or(0, |group| group.computers), detail.occurs.as_ref().map(|group| group.last_at));
    Page::new(&cx, title)
        .crumb(t::errors(&cx), cx.to("/computers/errors"))
        .fact(t::title(&cx), html! { (ui::number(&cx, count)) })
        .fact(t::col_scans(&cx), html! { (ui::number(&cx, detail.occurs.as_ref().map_or(0, |group| group.scans))) })
        .fact(t::col_last_error(&cx), last.map_or_else(|| ui::none(&cx), |at| ui::ago(&cx, at)))
        .tabs(vec![
            Tab::new(&cx, "meaning", true, t::tab_meaning(&cx)),
            Tab::new(&cx, "computers", false, t::title(&cx)).number(count),
        ])
        .body(body)
        .render()
        .await
}

/// What is known of a code, in the words of REST.
pub(in super::super) fn explained(cx: &Cx, explanation: &ErrorExplanation) -> Markup {
    html! {
        p lang="en" { (explanation.meaning) }
        @if let Some(cause) = &explanation.cause { h3 { (t::error_cause(cx)) } p lang="en" { (cause) } }
        @if let Some(next) = &explanation.next_step { h3 { (t::error_next(cx)) } p lang="en" { (next) } }
        @if !explanation.known { p { (badge(Tone::Plain, t::error_unknown(cx))) } }
    }
}

fn meaning(cx: &Cx, detail: &ErrorDetail) -> Markup {
    let explanation = &detail.explanation;
    let layout = &explanation.layout;
    let text = |text: Option<&String>| text.map_or_else(|| ui::none(cx), |text| html! { span lang="en" { (text) } });
    html! {
        div.columns {
            section.panel { h2 { (t::tab_meaning(cx)) } (explained(cx, explanation)) }
            section.panel {
                h2 { (t::error_code(cx)) }
                (ui::facts([
                    (t::error_hexadecimal(cx).to_owned(), html! { code { (explanation.code) } }),
                    (t::error_decimal(cx).to_owned(), explanation.decimal.map_or_else(|| ui::none(cx), |decimal| html! { code { (decimal) } })),
                    (t::error_name(cx).to_owned(), text(explanation.name.as_ref())),
                    (t::error_layout(cx).to_owned(), text(layout.as_ref().map(|layout| &layout.sentence))),
                    (t::error_looked_up(cx).to_owned(), text(explanation.looked_up_as.as_ref())),
                    (t::error_source(cx).to_owned(), text(explanation.source.as_ref())),
                ]))
            }
        }
        @if detail.occurs.is_none() { section.panel { p { (t::error_nowhere(cx)) } } }
        @for (by, groups, title) in [
            (ErrorsBy::Update, &detail.updates, t::errors_by(cx, "update")),
            (ErrorsBy::Os, &detail.systems, t::errors_by(cx, "os")),
            (ErrorsBy::Site, &detail.sites, t::errors_by(cx, "site")),
        ] {
            @if !groups.is_empty() { section.panel { h2 { (title) } (occurrences(cx, by, groups, &title)) } }
        }
    }
}

fn occurrences(cx: &Cx, by: ErrorsBy, groups: &[ErrorGroup], title: &str) -> Markup {
    html! {
        table {
            caption.hide { (title) }
            thead { tr { th scope="col" { (title) } th.number scope="col" { (t::title(cx)) } th scope="col" { (t::col_first_error(cx)) } th scope="col" { (t::col_last_error(cx)) } } }
            tbody {
                @for group in groups {
                    tr {
                        th scope="row" { (label(cx, by, group)) }
                        td.number { (ui::number(cx, group.computers)) }
                        td { (ui::time_or(cx, group.first_at)) }
                        td { (ui::ago(cx, group.last_at)) }
                    }
                }
            }
        }
    }
}

/// A computer with the code.
struct Row {
    id: String,
    name: String,
    standing: Option<ComputerStanding>,
}

/// Those on which an update failed with the code, or whose scan did. REST knows them by update and by scan, not by code alone.
async fn computers(cx: &Cx, detail: &ErrorDetail) -> Result<Part, Failure> {
    let code = &detail.explanation.code;
    let scans = detail.occurs.as_ref().is_some_and(|group| group.scans > 0);
    let updates: Vec<(String, &str)> = detail
        .updates
        .iter()
        .filter_map(|group| Some((group.about.as_ref()?.id.to_string(), group.label.as_str())))
        .collect();
    let first = updates.first().map(|(id, _)| id.as_str());
    let wanted = cx.address.value("of").or(first).filter(|of| *of != "scans");
    let (rows, next) = match wanted {
        Some(update) => failing(cx, code, update).await?,
        None if scans => (scanning(cx, code).await?, None),
        None => (Vec::new(), None),
    };
    let here = Address::new(cx.address.path()).with("tab", "computers");
    let filters = html! {
        label for="f-of" { (t::error_of(cx)) }
        select #f-of name="of" data-submit {
            @for (id, label) in &updates { option value=(id) selected[wanted == Some(id)] { (label) } }
            @if scans { option value="scans" selected[wanted.is_none()] { (t::failed_scans(cx)) } }
        }
    };
    let grid = Grid::new(cx, "error-computers", t::title(cx), columns(cx), &rows)
        .next(next.as_deref())
        .filters(filters)
        .empty(if next.is_some() {
            html! { p { (t::error_further(cx)) } }
        } else {
            ui::empty(t::error_nobody(cx), Some((t::tab_meaning(cx), here.path())))
        });
    Ok(Part::of(cx, &grid, |grid| {
        html! {
            (grid)
            @if let (true, Some(next)) = (rows.is_empty(), next.as_deref()) { p { a.button href=(cx.address.with("cursor", next)) { (t::error_on(cx)) } } }
        }
    }))
}

/// Computers on which the update failed with this code, of a page of those on which it failed.
async fn failing(cx: &Cx, code: &str, update: &str) -> Result<(Vec<Row>, Option<String>), Failure> {
    let list = super::super::listed(cx, |cursor, _| {
        let query = ComputerStandingQuery {
            update: Some(update.to_owned()),
            server: cx.server(),
            cursor,
            limit: Some(1000),
            state: Some(ComputerState::Failed),
            ..ComputerStandingQuery::default()
        };
        async move { cx.api.get::<List<ComputerStanding>>("/compliance/computers", &query).await }
    })
    .await?;
    let rows = list.items.into_iter().filter(|one| one.error.as_deref() == Some(code)).map(|one| Row {
        id: one.id.clone(),
        name: one.name.clone(),
        standing: Some(one),
    });
    Ok((rows.collect(), list.next))
}

/// Computers of this site whose last scan failed with this code.
async fn scanning(cx: &Cx, code: &str) -> Result<Vec<Row>, Failure> {
    let rule = Some(format!("scan_error = \"{code}\""));
    let query = CollectionPreviewQuery { rule, limit: Some(MOST), ..CollectionPreviewQuery::default() };
    let found: CollectionPreview = cx.api.post("/collections/preview", &query).await?;
    let row = |one: PreviewComputer| Row { id: one.id, name: one.name, standing: None };
    Ok(found.members.items.into_iter().map(row).collect())
}

fn columns(cx: &Cx) -> Vec<Column<'_, Row>> {
    vec![
        Column::new("name", t::col_name(cx), |row: &Row| link(&row.name, &row.id))
            .text(|row| called(&row.name, &row.id).to_owned())
            .wide()
            .narrow(),
        Column::new("since", t::col_since(cx), |row: &Row| {
            ui::time_or(cx, row.standing.as_ref().and_then(|standing| standing.since))
        })
        .text(|row| row.standing.as_ref().and_then(|one| one.since).map(|at| at.to_string()).unwrap_or_default())
        .narrow(),
        Column::new("contact", t::col_contact(cx), |row: &Row| {
            row.standing.as_ref().map_or_else(|| ui::none(cx), |standing| ui::ago(cx, standing.last_contact))
        })
        .text(|row| row.standing.as_ref().map(|one| one.last_contact.to_string()).unwrap_or_default()),
        Column::new("site", t::col_site(cx), |row: &Row| {
            let server =
                row.standing.as_ref().map(|standing| standing.server.as_ref().map(|server| server.name.as_str()));
            html! { @if let Some(server) = server { (server.unwrap_or(t::this_server(cx))) } }
        }),
    ]
}
