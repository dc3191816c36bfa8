//! One report that is made by itself: making it, changing it, how it went last.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    report::{Report, ReportSchedule},
};

use super::{
    ask::{self, Choices},
    filled::{Filled, PARAMETER},
    schedules::{goes, last},
    show::definitions,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::infrastructure::may,
    texts::reports as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field, group},
        schedule,
    },
};

/// What may be asked of a report, and where it goes: the words that a refusal may name.
const WORDS: [&str; 6] = ["addresses", "folder", "keep", "limit", "format", "name"];

/// The form of a new one: first the report, then the rest.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let Some(id) = cx.address.value("report").map(str::to_owned) else { return choose(&cx).await };
    let (_, report) = definitions(&cx, &id).await?;
    fresh(&cx, &report, &Filled::fresh(&cx.address, &report), &Errors::default()).await
}

async fn choose(cx: &Cx) -> Result<Response, Failure> {
    let list: List<Report> = cx.api.get("/reports", &()).await?;
    let options: Vec<(String, String)> =
        list.items.into_iter().map(|report| (report.id, format!("{} {}", report.number, report.title))).collect();
    let none = Errors::default();
    let body = html! {
        form.panel method="get" action="/reports/schedules/new" {
            (Field::new("report", t::report(cx), &none).help(t::report_help(cx)).required().choice(&options, ""))
            div.buttons { button.primary type="submit" { (t::go_on(cx)) } a.plain.button href="/reports/schedules" { (crate::texts::common::cancel(cx)) } }
        }
    };
    Page::new(cx, t::schedule_new(cx)).crumb(t::schedules(cx), "/reports/schedules").body(body).render().await
}

async fn fresh(cx: &Cx, report: &Report, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let choices = Choices::load(cx, report).await;
    let action = Address::new("/reports/schedules/new").with("report", &report.id).to_string();
    let body = html! { section.panel { (form(cx, report, filled, &choices, errors, &action)) } };
    Page::new(cx, t::schedule_new(cx))
        .crumb(t::schedules(cx), "/reports/schedules")
        .fact(t::report(cx), html! { a href=(path(&["reports", &report.id])) lang="en" { (report.title) } })
        .body(body)
        .render()
        .await
}

/// Makes it, or says beside the fields why not.
pub(super) async fn create(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let id = cx.address.value("report").unwrap_or_default().to_owned();
    let (_, report) = definitions(&cx, &id).await?;
    let filled = Filled::sent(&pairs);
    let create = match filled.create(&report.id) {
        Ok(create) => create,
        Err(field) => return fresh(&cx, &report, &filled, &no_number(&cx, field)).await,
    };
    match cx.api.post::<ReportSchedule>("/report-schedules", &create).await {
        Ok(made) => Ok(t::flash_schedule_made(&made.name).to(path(&["reports", "schedules", &made.id.to_string()]))),
        Err(failure) => fresh(&cx, &report, &filled, &refused(&report, failure)?).await,
    }
}

fn no_number(cx: &Cx, field: &str) -> Errors {
    Errors::default().field(field, t::no_number(cx))
}

fn refused(report: &Report, failure: Failure) -> Result<Errors, Failure> {
    let problem = failure.into_problem()?;
    let words = ask::words(report, PARAMETER);
    let words: Vec<&str> = match problem.code.as_str() {
        // a name that is taken is a name, whatever else the sentence says
        "exists" | "name" => return Ok(Errors::default().field("name", problem.detail)),
        "parameter" | "not_found" => words.iter().map(String::as_str).collect(),
        _ => WORDS.into_iter().chain([schedule::NAMED]).collect(),
    };
    Ok(Errors::of(&problem, &words))
}

/// One schedule: how it went, and the form that changes it.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let row: ReportSchedule = cx.api.get(&path(&["report-schedules", &id]), &()).await?;
    page(&cx, &row, None, &Errors::default()).await
}

async fn page(cx: &Cx, row: &ReportSchedule, filled: Option<&Filled>, errors: &Errors) -> Result<Response, Failure> {
    let own = path(&["reports", "schedules", &row.id.to_string()]);
    let report = match definitions(cx, &row.report).await {
        Ok((_, report)) => Some(report),
        // a report that a newer version had
        Err(Failure::NotFound) => None,
        Err(failure) => return Err(failure),
    };
    let change = match &report {
        Some(report) if may(cx, Role::SoftwareUpdateManager) => {
            let choices = Choices::load(cx, report).await;
            let stored = Filled::stored(row);
            let form = form(cx, report, filled.unwrap_or(&stored), &choices, errors, &own);
            Some(ui::panel(t::change(cx), &form))
        }
        _ => None,
    };
    let body = html! {
        (ui::live("schedule-live", "reports jobs", outcome(cx, row, report.as_ref())))
        @if let Some(change) = change { (change) }
    };
    Page::new(cx, &row.name)
        .crumb(t::schedules(cx), "/reports/schedules")
        .fact(t::when(cx), html! { span lang="en" { (row.description) } })
        .fact(t::next(cx), row.next.map_or_else(|| badge(Tone::Plain, t::switched_off(cx)), |at| ui::ago(cx, at)))
        .fact(t::last(cx), last(cx, row))
        .actions(actions(cx, row))
        .body(body)
        .render()
        .await
}

fn actions(cx: &Cx, row: &ReportSchedule) -> Markup {
    let own = path(&["reports", "schedules", &row.id.to_string()]);
    html! {
        @if may(cx, Role::Operator) {
            form.inline method="post" action=(path(&["reports", "schedules", &row.id.to_string(), "run"])) {
                button.primary type="submit" disabled[row.running] { (t::run_now(cx)) }
            }
        }
        @if may(cx, Role::SoftwareUpdateManager) {
            form.inline method="post" action="/reports/schedules/change" data-dialog {
                input type="hidden" name="ids" value=(row.id);
                input type="hidden" name="from" value=(own);
                button type="submit" name="act" value=(if row.enabled { "disable" } else { "enable" }) {
                    (t::acts(cx, if row.enabled { "disable" } else { "enable" }))
                }
                button type="submit" name="act" value="delete" { (t::acts(cx, "delete")) }
            }
        }
    }
}

fn outcome(cx: &Cx, row: &ReportSchedule, report: Option<&Report>) -> Markup {
    let run = row.last.as_ref();
    let asked = row
        .parameters
        .iter()
        .fold(Address::new(path(&["reports", &row.report])), |address, (name, value)| address.with(name, value));
    let title = report.map_or(row.report.as_str(), |report| report.title.as_str());
    html! {
        @if let Some(error) = run.and_then(|run| run.error.as_ref()) {
            div.panel.failure role="alert" {
                p { strong { (t::failed_so(cx)) } }
                p lang="en" { (error) }
                p { (t::failed_next(cx, u64::from(row.failures))) }
            }
        }
        section.panel {
            h2 { (t::how_it_goes(cx)) }
            (ui::facts([
                (t::report(cx).to_owned(), html! { a href=(asked) lang="en" { (title) } }),
                (t::last(cx).to_owned(), last(cx, row)),
                (t::rows(cx).to_owned(), match run.and_then(|run| Some((run.rows?, run.total?))) {
                    Some((rows, total)) if rows < total => badge(Tone::Warn, &t::rows_of(cx, ui::number(cx, rows), ui::number(cx, total))),
                    Some((rows, _)) => html! { (ui::number(cx, rows)) },
                    None => ui::none(cx),
                }),
                (t::file(cx).to_owned(), match run.and_then(|run| run.file.as_ref()) {
                    Some(file) => html! { code { (file) } },
                    None => ui::none(cx),
                }),
                (t::folder(cx).to_owned(), match &row.path {
                    Some(folder) => html! { code { (folder) } " " (t::kept(cx, u64::from(row.keep))) },
                    None => ui::none(cx),
                }),
                (t::addresses(cx).to_owned(), if row.addresses.is_empty() { ui::none(cx) } else { html! { (row.addresses.join(", ")) } }),
                (t::goes(cx).to_owned(), html! { (goes(cx, row)) " · " (row.format) }),
                (t::made_by(cx).to_owned(), html! { (row.created_by) " " (ui::time(cx, row.created_at)) }),
                (t::changed_by(cx).to_owned(), html! { (row.changed_by) " " (ui::time(cx, row.changed_at)) }),
            ]))
        }
    }
}

fn form(cx: &Cx, report: &Report, filled: &Filled, choices: &Choices, errors: &Errors, action: &str) -> Markup {
    let formats = ["html", "csv", "json", "txt"].map(|format| (format.to_owned(), t::formats(cx, format)));
    let asked = html! {
        @for parameter in &report.parameters {
            @let value = filled.parameters.get(&parameter.name).map_or("", String::as_str);
            (ask::field(cx, parameter, PARAMETER, value, choices, errors))
        }
    };
    let goes = html! {
        (Field::new("addresses", t::addresses(cx), errors).help(t::addresses_help(cx)).lines(&filled.addresses, 3))
        (Field::new("to_folder", t::to_folder(cx), errors).switch(filled.to_folder))
        (Field::new("folder", t::folder(cx), errors).help(t::folder_help(cx)).input("text", &filled.folder))
        (Field::new("keep", t::keep(cx), errors).help(t::keep_help(cx)).unit(t::keep_unit(cx)).input("number", &filled.keep))
        (Field::new("format", t::format(cx), errors).choice(&formats, &filled.format))
        (Field::new("limit", t::limit(cx), errors).help(t::schedule_limit_help(cx)).input("number", &filled.limit))
    };
    html! {
        (errors.summary(cx))
        form method="post" action=(action) {
            (Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &filled.name))
            @if !report.parameters.is_empty() { (group(t::parameters(cx), &asked)) }
            (filled.schedule.fields(cx, errors, &schedule::BY_CLOCK, true))
            (group(t::goes(cx), &goes))
            (Field::new("enabled", t::enabled(cx), errors).help(t::enabled_help(cx)).switch(filled.enabled))
            div.buttons { button.primary type="submit" { (t::save(cx)) } }
        }
    }
}

/// Changes it, or says beside the fields why not.
pub(super) async fn change(
    cx: Cx,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let address = path(&["report-schedules", &id]);
    let row: ReportSchedule = cx.api.get(&address, &()).await?;
    let filled = Filled::sent(&pairs);
    let change = match filled.change() {
        Ok(change) => change,
        Err(field) => return page(&cx, &row, Some(&filled), &no_number(&cx, field)).await,
    };
    match cx.api.patch::<ReportSchedule>(&address, &change).await {
        Ok(changed) => {
            Ok(t::flash_schedule_changed(&changed.name).to(path(&["reports", "schedules", &changed.id.to_string()])))
        }
        Err(failure) => {
            let (_, report) = definitions(&cx, &row.report).await?;
            page(&cx, &row, Some(&filled), &refused(&report, failure)?).await
        }
    }
}

/// Makes the report now, and shows how that went.
pub(super) async fn run(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let own = path(&["reports", "schedules", &id]);
    match cx.api.post::<ReportSchedule>(&path(&["report-schedules", &id, "run"]), &()).await {
        Ok(row) => {
            let failed = row.last.as_ref().is_some_and(|run| run.error.is_some());
            Ok(if failed { t::flash_ran_badly(&row.name) } else { t::flash_ran(&row.name) }.to(own))
        }
        Err(failure) => {
            let problem = failure.into_problem()?;
            let row: ReportSchedule = cx.api.get(&path(&["report-schedules", &id]), &()).await?;
            page(&cx, &row, None, &Errors::of(&problem, &[])).await
        }
    }
}
