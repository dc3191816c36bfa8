//! Everything that computers listed, for other tools: as a Parquet file, and how such a file is used.

use axum::response::Response;
use http::HeaderMap;
use maud::{Markup, html};
use weir_api::report::Report;

use super::{
    ask::{self, Choices},
    show::definitions,
};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    relay,
    texts::reports as t,
    ui::{self, form::Errors},
};

/// The export takes what this report takes.
const LIKE: &str = "compliance-overall";
/// What it may be narrowed to.
const PARAMETERS: [&str; 3] = ["collection", "site", "group"];
/// The columns of the file.
const COLUMNS: [&str; 11] = [
    "computer_id",
    "computer_name",
    "site",
    "update_id",
    "article",
    "title",
    "state",
    "changed",
    "error",
    "reported",
    "as_of",
];

/// What there is, and how it is used.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Errors::default()).await
}

async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let like = match definitions(cx, LIKE).await {
        Ok((_, report)) => Some(report),
        Err(Failure::NotFound) => None,
        Err(failure) => return Err(failure),
    };
    let choices = match &like {
        Some(report) => Choices::load(cx, report).await,
        None => Choices::default(),
    };
    let body = html! {
        section.panel.stack {
            h2 { (t::parquet(cx)) }
            p { (t::parquet_help(cx)) }
            form.stack method="get" action="/reports/exports/compliance.parquet" {
                (errors.summary(cx))
                @if let Some(report) = &like { (fields(cx, report, &choices, errors)) }
                div.buttons { button.primary type="submit" { (t::make_file(cx)) } }
                p.quiet { (t::make_file_help(cx)) }
            }
        }
        section.panel.stack {
            h2 { (t::columns(cx)) }
            div.scroll {
                table {
                    caption.hide { (t::columns(cx)) }
                    thead { tr { th scope="col" { (t::column(cx)) } th scope="col" { (t::column_holds(cx)) } } }
                    tbody { @for column in COLUMNS { tr { th scope="row" { code { (column) } } td { (t::column_help(cx, column)) } } } }
                }
            }
        }
        section.panel.stack {
            h2 { (t::by_program(cx)) }
            p { (t::by_program_help(cx)) }
            (ui::command(cx, "weir compliance export compliance.parquet"))
            (ui::command(cx, "weir compliance export servers.parquet --collection Servers"))
            p { code { "GET /api/v1/compliance/export?format=parquet&collection=Servers" } }
        }
        section.panel.stack {
            h2 { (t::csv(cx)) }
            p { (t::csv_help(cx)) }
            (ui::command(cx, "duckdb -c \"COPY (FROM 'compliance.parquet') TO 'compliance.csv' (HEADER)\""))
            p { a href="/reports" { (t::csv_reports(cx)) } }
        }
    };
    Page::new(cx, t::exports(cx)).body(body).render().await
}

fn fields(cx: &Cx, report: &Report, choices: &Choices, errors: &Errors) -> Markup {
    html! {
        @for parameter in report.parameters.iter().filter(|parameter| PARAMETERS.contains(&parameter.name.as_str())) {
            (ask::field(cx, parameter, "", cx.address.value(&parameter.name).unwrap_or_default(), choices, errors))
        }
    }
}

/// The file, as REST writes it.
pub(super) async fn parquet(cx: Cx, headers: HeaderMap) -> Result<Response, Failure> {
    let mut address = Address::new("/compliance/export").with("format", "parquet");
    for name in PARAMETERS {
        if let Some(value) = cx.address.value(name) {
            address = address.with(name, value);
        }
    }
    match relay::down(&cx, &address, Some("compliance.parquet"), &headers).await {
        Ok(response) => Ok(response),
        Err(failure) => {
            let problem = failure.into_problem()?;
            page(&cx, &Errors::of(&problem, &["group", "collection", "site=server", "site"])).await
        }
    }
}
