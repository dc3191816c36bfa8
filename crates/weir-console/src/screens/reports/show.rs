//! One report: what it is asked, and its answer.

use axum::{extract::Path, response::Response};
use http::HeaderMap;
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    report::{Report, ReportResult},
};

use super::{
    ask::{self, Choices},
    figure::figure,
    sheet::Sheet,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    relay,
    screens::infrastructure::{may, span},
    texts::reports as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
        grid::wants_csv,
        icon::Icon,
    },
};

/// Rows of a page, as people choose; the first is what REST takes by itself.
const ROWS: [&str; 3] = ["1000", "100", "5000"];
/// Formats of files.
const FORMATS: [&str; 4] = ["csv", "html", "json", "txt"];
/// Rows of a file, the most that REST makes.
const FILE_ROWS: &str = "50000";

/// All reports, and the one of this id.
pub(super) async fn definitions(cx: &Cx, id: &str) -> Result<(Vec<Report>, Report), Failure> {
    let list: List<Report> = cx.api.get("/reports", &()).await?;
    let found = list.items.iter().find(|report| report.id == id).cloned().ok_or(Failure::NotFound)?;
    Ok((list.items, found))
}

/// What the address asks a report.
fn asked(address: &Address, report: &Report) -> Vec<(String, String)> {
    let given = report.parameters.iter().filter_map(|parameter| {
        let value = address.value(&parameter.name)?.trim();
        (!value.is_empty()).then(|| (parameter.name.clone(), value.to_owned()))
    });
    given.collect()
}

/// The page. Without what must be given it asks for that, and nothing is computed.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let (all, report) = definitions(&cx, &id).await?;
    let asked = asked(&cx.address, &report);
    let complete = report
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .all(|parameter| asked.iter().any(|(name, _)| *name == parameter.name));
    let wants_csv = wants_csv(&cx.address);
    let told = async {
        let mut query = asked.clone();
        query.extend(cx.address.value("limit").map(|limit| ("limit".to_owned(), limit.to_owned())));
        if complete { Some(cx.api.get(&path(&["reports", &report.id]), &query).await) } else { None }
    };
    let choices = async { if wants_csv { Choices::default() } else { Choices::load(&cx, &report).await } };
    let (told, choices): (Option<Result<ReportResult, Failure>>, _) = tokio::join!(told, choices);
    let mut errors = Errors::default();
    let mut answer = None;
    match told {
        Some(Ok(result)) => answer = Some(result),
        Some(Err(failure)) => {
            let words = ask::words(&report, "");
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["limit"]).collect();
            errors = Errors::of(&failure.into_problem()?, &words);
        }
        None => {}
    }
    let sheet = answer.as_ref().map(|result| Sheet { cx: &cx, report: &report, all: &all, result });
    if let (true, Some(sheet)) = (wants_csv, sheet) {
        return Ok(sheet.grid().csv());
    }
    let proposals = if errors.is_empty() { Markup::default() } else { ask::proposals(&cx, &report, &asked).await };
    let body = html! {
        section.panel {
            p lang="en" { (report.description) }
            (form(&cx, &report, &asked, &choices, &errors, answer.is_none()))
        }
        (proposals)
        @if let (Some(sheet), Some(result)) = (sheet, &answer) {
            (notes(&cx, result))
            @if let Some(figure) = figure(sheet) { section.panel { (figure) } }
            (files(&cx, &report, &asked))
            (sheet.grid().render())
        }
    };
    let mut page = Page::new(&cx, &report.title).actions(actions(&cx, &report, &asked)).body(body);
    if let Some(result) = &answer {
        let rows = if result.truncated {
            html! { (badge(Tone::Warn, &t::rows_of(&cx, ui::number(&cx, result.rows.len() as u64), ui::number(&cx, result.total)))) }
        } else {
            html! { (ui::number(&cx, result.total)) }
        };
        page = page
            .fact(t::rows(&cx), rows)
            .fact(t::as_of(&cx), ui::time(&cx, result.as_of))
            .fact(t::server(&cx), html! { (result.server) });
    }
    page.render().await
}

fn form(
    cx: &Cx,
    report: &Report,
    asked: &[(String, String)],
    choices: &Choices,
    errors: &Errors,
    open: bool,
) -> Markup {
    let value = |name: &str| asked.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let chosen: Vec<String> =
        asked.iter().map(|(name, value)| format!("{}: {}", t::parameter(cx, name), choices.name(value))).collect();
    let limit = cx.address.value("limit").unwrap_or("1000");
    let limits: Vec<(String, String)> = ROWS
        .iter()
        .map(|rows| ((*rows).to_owned(), ui::number(cx, rows.parse().unwrap_or_default())))
        .chain((!ROWS.contains(&limit)).then(|| (limit.to_owned(), limit.to_owned())))
        .collect();
    let kept = cx.address.pairs().iter().filter(|(name, _)| name == "col");
    html! {
        details open[open] {
            summary { (t::parameters(cx)) @if !chosen.is_empty() { " " span.quiet { (chosen.join(" · ")) } } }
            form.stack method="get" action=(path(&["reports", &report.id])) {
                (errors.summary(cx))
                @for parameter in &report.parameters {
                    (ask::field(cx, parameter, "", value(&parameter.name), choices, errors))
                }
                (Field::new("limit", t::limit(cx), errors).help(t::limit_help(cx)).choice(&limits, limit))
                @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
                div.buttons { button.primary type="submit" { (t::run(cx)) } }
            }
        }
    }
}

/// What to know of the answer before it is believed.
fn notes(cx: &Cx, result: &ReportResult) -> Markup {
    let age = result.rolled_up.map(|at| {
        let seconds = result.as_of.as_second().saturating_sub(at.as_second()).max(0);
        (at, span(cx, seconds.unsigned_abs()))
    });
    html! {
        @if age.is_some() || !result.notes.is_empty() || result.truncated {
            div.panel.warn {
                @if result.truncated { p { (t::truncated(cx)) } }
                @if let Some((at, span)) = age { p { (t::rolled_up(cx, span)) " " (ui::time(cx, at)) } }
                @for note in &result.notes { p lang="en" { (note) } }
            }
        }
    }
}

fn with(address: Address, asked: &[(String, String)]) -> Address {
    asked.iter().fold(address, |address, (name, value)| address.with(name, value))
}

/// The answer as files of REST: every column, by its id.
fn files(cx: &Cx, report: &Report, asked: &[(String, String)]) -> Markup {
    let file = |format: &str| with(Address::new(path(&["reports", &report.id, "file"])), asked).with("format", format);
    html! {
        p.files {
            span.quiet { (t::files(cx)) }
            a.plain.button href=(file("csv")) download { (Icon::Download.show()) "CSV" }
            a.plain.button href=(file("json")) download { (Icon::Download.show()) "JSON" }
            a.plain.button href=(file("txt")) download { (Icon::Download.show()) (t::as_text(cx)) }
            a.plain.button href=(file("html")) target="_blank" { (t::print(cx)) }
            span.quiet { (t::files_help(cx)) }
        }
    }
}

fn actions(cx: &Cx, report: &Report, asked: &[(String, String)]) -> Markup {
    html! {
        @if may(cx, Role::SoftwareUpdateManager) {
            a.button href=(with(Address::new("/reports/schedules/new").with("report", &report.id), asked)) { (t::schedule_it(cx)) }
        }
    }
}

/// The answer as a file: made by REST, passed on as it is.
pub(super) async fn file(cx: Cx, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let (_, report) = definitions(&cx, &id).await?;
    let asked_for = cx.address.value("format").unwrap_or_default();
    let Some(format) = FORMATS.into_iter().find(|format| *format == asked_for) else { return Err(Failure::NotFound) };
    let address = with(Address::new(path(&["reports", &report.id])), &asked(&cx.address, &report));
    let address = address.with("format", format).with("limit", FILE_ROWS);
    // a page to print is looked at, everything else is kept
    let name = (format != "html").then(|| format!("{}.{format}", report.id));
    relay::down(&cx, &address, name.as_deref(), &headers).await
}
