//! Updates of a computer: what is missing, with the deployment that brings it, and all that it told of.

use std::collections::BTreeMap;

use maud::{Markup, html};
use weir_api::{
    computer::{ComputerDetail, ComputerUpdate},
    deployment::Deployment,
};

use super::super::{Part, at, rest};
use crate::{
    address::{Address, path},
    cx::Cx,
    texts::computers as t,
    ui::{
        self,
        badge::State,
        chart,
        grid::{Column, Grid},
    },
};

/// Deployments whose deadlines are asked for.
const MOST_DEPLOYMENTS: usize = 60;

/// Deployments by their numbers, as far as they were asked for.
type Deployments = BTreeMap<i32, Option<Deployment>>;

/// The sentence that decides: after what each collection says, before how the update is sent. All of them are one link away.
fn decisive(why: &str) -> &str {
    let mut lines = why.lines().rev();
    let last = lines.next().unwrap_or_default();
    lines.next().filter(|_| last.starts_with("Sent as ")).unwrap_or(last)
}

/// What it needs and what failed, with when it comes and why.
pub(super) async fn missing(cx: &Cx, computer: &ComputerDetail) -> Part {
    let rows: Vec<ComputerUpdate> = computer.failed.iter().chain(&computer.needed).cloned().collect();
    let deployments = deployments(cx, &rows).await;
    let id = computer.row.id.clone();
    let columns = vec![
        title(cx),
        Column::new("state", t::col_state(cx), |row: &ComputerUpdate| State::from(row.state).badge(cx))
            .text(|row| ui::word(&row.state))
            .narrow(),
        Column::new("deployment", t::col_deployment(cx), |row: &ComputerUpdate| deployment(cx, row, &deployments))
            .text(|row| row.deployment.map(|number| number.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("deadline", t::col_deadline(cx), |row: &ComputerUpdate| deadline(cx, row, &deployments))
            .text(|row| {
                found(row, &deployments).and_then(|it| it.deadline).map(|at| at.to_string()).unwrap_or_default()
            })
            .narrow(),
        error(cx),
        Column::new("why", t::col_why(cx), move |row: &ComputerUpdate| {
            let why = Address::new(at(&id)).with("tab", "why").with("update", row.id);
            html! { span lang="en" title=(row.why) { (decisive(&row.why)) } " " a href=(why) { (t::why_more(cx)) } }
        })
        .text(|row| row.why.clone()),
        since(cx),
    ];
    let empty = if computer.row.last_report.is_none() {
        ui::empty(t::missing_unknown(cx), Some((t::stale(cx), "/computers/stale")))
    } else {
        ui::empty(t::missing_none(cx), None)
    };
    let grid = Grid::new(cx, "missing", t::tab_missing(cx), columns, &rows).empty(empty);
    Part::of(cx, &grid, |grid| ui::live("missing-live", "compliance deployments", grid))
}

/// All of one state that is chosen, those that it needs first; of the others REST tells the numbers.
pub(super) fn all(cx: &Cx, computer: &ComputerDetail) -> Part {
    let wanted = cx.address.value("state").and_then(|word| State::ALL.into_iter().find(|state| state.key() == word));
    let rows: Vec<ComputerUpdate> = [&computer.failed, &computer.needed, &computer.installed]
        .into_iter()
        .flatten()
        .filter(|row| wanted.is_none_or(|state| State::from(row.state) == state))
        .cloned()
        .collect();
    let columns = vec![
        title(cx),
        Column::new("kb", t::col_kb(cx), |row: &ComputerUpdate| html! { @for kb in &row.kb { "KB" (kb) " " } })
            .text(|row| row.kb.iter().map(|kb| format!("KB{kb}")).collect::<Vec<_>>().join(" ")),
        Column::new("state", t::col_state(cx), |row: &ComputerUpdate| State::from(row.state).badge(cx))
            .text(|row| ui::word(&row.state))
            .narrow(),
        since(cx).narrow(),
        error(cx),
    ];
    let here = Address::new(at(&computer.row.id)).with("tab", "updates");
    let told = matches!(wanted, Some(State::NotApplicable | State::Unknown));
    let filters = html! {
        label for="f-state" { (t::col_state(cx)) }
        select #f-state name="state" data-submit {
            option value="" { (t::any_state(cx)) }
            @for each in State::ALL { option value=(each.key()) selected[wanted == Some(each)] { (each.label(cx)) } }
        }
    };
    let grid = Grid::new(cx, "updates", t::tab_updates(cx), columns, &rows)
        .filters(filters)
        .empty(html! { p { (if told { t::only_counted(cx) } else { t::no_updates(cx) }) } });
    Part::of(cx, &grid, |grid| {
        html! {
            section.panel {
                (chart::states(cx, t::updates_by_state(cx), &computer.row.counts, |state| Some(here.with("state", state).to_string())))
            }
            (ui::live("updates-live", "compliance", grid))
        }
    })
}

fn title(cx: &Cx) -> Column<'_, ComputerUpdate> {
    Column::new("title", t::col_update(cx), |row: &ComputerUpdate| {
        html! { a href=(path(&["updates", &row.id.to_string()])) { (named(row)) } }
    })
    .text(named)
    .wide()
    .narrow()
}

/// Its title; an update that the catalogue has no more is known by its id.
fn named(row: &ComputerUpdate) -> String {
    if row.title.is_empty() { row.id.to_string() } else { row.title.clone() }
}

fn since(cx: &Cx) -> Column<'_, ComputerUpdate> {
    Column::new("since", t::col_since(cx), |row: &ComputerUpdate| ui::time_or(cx, row.since))
        .text(|row| row.since.map(|at| at.to_string()).unwrap_or_default())
}

fn error(cx: &Cx) -> Column<'_, ComputerUpdate> {
    Column::new("error", t::col_error(cx), |row: &ComputerUpdate| super::super::code(cx, row.error.as_deref()))
        .text(|row| row.error.clone().unwrap_or_default())
}

/// The deployments that win for these updates.
async fn deployments(cx: &Cx, rows: &[ComputerUpdate]) -> Deployments {
    let mut numbers: Vec<i32> = rows.iter().filter_map(|row| row.deployment).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(MOST_DEPLOYMENTS);
    let questions = numbers.iter().map(|number| (path(&["deployments", &number.to_string()]), ())).collect();
    let answers = rest::each::<(), Deployment>(cx, questions).await;
    numbers.into_iter().zip(answers).collect()
}

fn found<'a>(row: &ComputerUpdate, deployments: &'a Deployments) -> Option<&'a Deployment> {
    deployments.get(&row.deployment?)?.as_ref()
}

fn deployment(cx: &Cx, row: &ComputerUpdate, deployments: &Deployments) -> Markup {
    let Some(number) = row.deployment else { return html! { span.quiet { (t::not_deployed(cx)) } } };
    let known = found(row, deployments);
    let name = known.map(|one| one.name.as_str()).filter(|name| !name.is_empty());
    html! {
        a href=(path(&["deployments", &number.to_string()])) { (name.map_or_else(|| format!("#{number}"), str::to_owned)) }
        @if let Some(known) = known { div.quiet { (known.collection.name) } }
    }
}

fn deadline(cx: &Cx, row: &ComputerUpdate, deployments: &Deployments) -> Markup {
    match (row.deployment, found(row, deployments)) {
        (None, _) => ui::none(cx),
        (Some(_), None) => html! { span.quiet { (t::see_deployment(cx)) } },
        (Some(_), Some(known)) => match known.deadline {
            None => html! { span.quiet { (t::no_deadline(cx)) } },
            Some(at) => html! { (ui::time(cx, at)) div.quiet { (ui::ago(cx, at)) } },
        },
    }
}
