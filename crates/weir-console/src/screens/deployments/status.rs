//! How the computers of a deployment stand: by status, by how far they are, one by one.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    deployment_compliance::{DeploymentCompliance, DeploymentStanding, DeploymentStandingQuery, Enforcement},
};

use super::bar;
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    screens::current::Current,
    texts::deployments as t,
    ui::{
        self,
        badge::badge,
        chart,
        grid::{CSV_ROWS, Column, Grid},
    },
};

/// Rows of a page.
const ROWS: u32 = 100;
/// How far computers may be, in the order of the way.
pub(super) const WAY: [Enforcement; 15] = [
    Enforcement::Success,
    Enforcement::NotApplicable,
    Enforcement::NothingToEnforce,
    Enforcement::PendingRestart,
    Enforcement::Downloaded,
    Enforcement::PendingInstallation,
    Enforcement::WaitingForWindow,
    Enforcement::WaitingForContent,
    Enforcement::NotYetAvailable,
    Enforcement::Disabled,
    Enforcement::Overdue,
    Enforcement::Failed,
    Enforcement::NotEvaluated,
    Enforcement::NeverReported,
    Enforcement::NotAsked,
];

/// The computers that the tab shows.
pub(super) async fn list(cx: &Cx, id: i32) -> Result<List<DeploymentStanding>, Failure> {
    page(cx, id, query(cx)).await
}

/// The tab. `facts` stands beside the figures.
pub(super) fn show(
    cx: &Cx,
    standing: &DeploymentCompliance,
    list: &List<DeploymentStanding>,
    facts: &Markup,
) -> Markup {
    let grid = grid(cx, list).render();
    let parts = bar::parts(cx, &standing.into(), |status| Some(narrowed(cx).with("status", status).to_string()));
    let computers = cx.to("/computers").with("f", format!("collection:{}", standing.collection.name));
    html! {
        div.columns {
            (ui::live("standing", "compliance deployments", html! {
                section.panel {
                    @if standing.computers == 0 { p { (t::no_computers(cx)) } }
                    @else {
                        (chart::stacked(cx, t::tab_status(cx), &parts))
                        (way(cx, standing))
                        p.quiet { (t::as_of(cx)) " " (ui::ago(cx, standing.as_of)) ". " (t::updates_of(cx, standing.updates)) }
                        (Current::from(standing).show(cx, &computers))
                    }
                }
            }))
            section.panel { h2 { (t::facts(cx)) } (facts) }
        }
        (ui::live("standing-computers", "compliance deployments", grid))
    }
}

/// How far they are, as a table whose numbers lead to the computers.
fn way(cx: &Cx, standing: &DeploymentCompliance) -> Markup {
    html! {
        table.way-table {
            caption.hide { (t::enforcement_title(cx)) }
            thead { tr {
                th scope="col" { (t::enforcement_title(cx)) }
                th scope="col" { (t::col_status(cx)) }
                th.number scope="col" { (t::col_computers(cx)) }
            } }
            tbody {
                @for row in &standing.enforcement {
                    @let word = ui::word(&row.enforcement);
                    tr {
                        th scope="row" { (t::enforcement(cx, &word)) div.quiet { (t::enforcement_help(cx, &word)) } }
                        td { (badge(bar::tone(row.status), &t::status(cx, &ui::word(&row.status)))) }
                        td.number { a href=(narrowed(cx).with("enforcement", &word)) { (ui::number(cx, row.computers)) } }
                    }
                }
            }
        }
    }
}

/// The address of the tab without what narrows its list.
fn narrowed(cx: &Cx) -> Address {
    cx.address.first().without("status").without("enforcement")
}

fn query(cx: &Cx) -> DeploymentStandingQuery {
    let word = |name: &str| serde_json::Value::from(cx.address.value(name));
    DeploymentStandingQuery {
        status: serde_json::from_value(word("status")).ok(),
        enforcement: serde_json::from_value(word("enforcement")).ok(),
        cursor: cx.address.value("cursor").map(str::to_owned),
        limit: Some(ROWS),
    }
}

async fn page(cx: &Cx, id: i32, query: DeploymentStandingQuery) -> Result<List<DeploymentStanding>, Failure> {
    cx.api.get(&path(&["compliance", "deployments", &id.to_string(), "computers"]), &query).await
}

/// The computers as CSV.
pub(super) async fn csv(cx: &Cx, id: i32) -> Result<Response, Failure> {
    let asked = DeploymentStandingQuery { limit: Some(1000), cursor: None, ..query(cx) };
    let rows = cx.api.all(CSV_ROWS, |cursor| page(cx, id, DeploymentStandingQuery { cursor, ..asked.clone() }));
    let list = List { items: rows.await?, next: None };
    Ok(grid(cx, &list).csv())
}

fn grid<'a>(cx: &'a Cx, list: &'a List<DeploymentStanding>) -> Grid<'a, DeploymentStanding> {
    Grid::new(cx, "deployment-computers", t::computers(cx), columns(cx), &list.items)
        .next(list.next.as_deref())
        .filters(filters(cx))
        .empty(html! { p { (t::no_computers_there(cx)) } })
}

fn columns(cx: &Cx) -> Vec<Column<'_, DeploymentStanding>> {
    vec![
        Column::new("name", t::col_computer(cx), |one: &DeploymentStanding| {
            html! { a href=(path(&["computers", &one.id])) { (if one.name.is_empty() { &one.id } else { &one.name }) } }
        })
        .text(|one| one.name.clone())
        .wide()
        .narrow(),
        Column::new("status", t::col_status(cx), |one: &DeploymentStanding| {
            badge(bar::tone(one.status), &t::status(cx, &ui::word(&one.status)))
        })
        .text(|one| ui::word(&one.status))
        .narrow(),
        Column::new("enforcement", t::enforcement_title(cx), |one: &DeploymentStanding| {
            html! { (t::enforcement(cx, &ui::word(&one.enforcement))) }
        })
        .text(|one| ui::word(&one.enforcement))
        .narrow(),
        Column::new("error", t::col_error(cx), |one: &DeploymentStanding| {
            html! { @if let Some(error) = &one.error { a href=(path(&["computers", "errors", error])) { code { (error) } } } }
        })
        .text(|one| one.error.clone().unwrap_or_default()),
        Column::new("contact", t::col_contact(cx), |one: &DeploymentStanding| ui::ago(cx, one.last_contact))
            .text(|one| one.last_contact.to_string()),
        Column::new("report", t::col_report(cx), |one: &DeploymentStanding| {
            one.last_report.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
        })
        .text(|one| one.last_report.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("server", t::col_server(cx), |one: &DeploymentStanding| {
            html! { (one.server.as_ref().map_or("", |server| server.name.as_str())) }
        })
        .text(|one| one.server.as_ref().map(|server| server.name.clone()).unwrap_or_default())
        .hidden(),
        Column::new("id", t::col_id(cx), |one: &DeploymentStanding| html! { code { (one.id) } })
            .text(|one| one.id.clone())
            .hidden(),
    ]
}

fn filters(cx: &Cx) -> Markup {
    let chosen = |name: &str, value: &str| cx.address.value(name) == Some(value);
    html! {
        label { (t::col_status(cx)) " "
            select name="status" data-submit {
                option value="" { (t::any(cx)) }
                @for status in bar::STATUSES {
                    @let word = ui::word(&status);
                    option value=(word) selected[chosen("status", &word)] { (t::status(cx, &word)) }
                }
            }
        }
        label { (t::enforcement_title(cx)) " "
            select name="enforcement" data-submit {
                option value="" { (t::any(cx)) }
                @for enforcement in WAY {
                    @let word = ui::word(&enforcement);
                    option value=(word) selected[chosen("enforcement", &word)] { (t::enforcement(cx, &word)) }
                }
            }
        }
    }
}
