//! Vulnerabilities, as one computer has them.

use axum::http::StatusCode;
use maud::{Markup, html};
use weir_api::{
    List,
    computer::ComputerDetail,
    exposure::{ComputerCve, ComputerCveQuery, ExposureState, ServiceLevel},
};

use super::super::Part;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::computers as t,
    ui::{
        self,
        badge::{Tone, badge, severity},
        grid::{Column, Grid},
    },
};

const STATES: [ExposureState; 4] =
    [ExposureState::Exposed, ExposureState::NoData, ExposureState::Fixed, ExposureState::NotAffected];

/// Those of the state of the address, at first those that it is exposed to.
pub(super) async fn show(cx: &Cx, computer: &ComputerDetail) -> Result<Part, Failure> {
    let wanted = cx.address.value("state").unwrap_or("exposed");
    let state = STATES.into_iter().find(|state| ui::word(state) == wanted);
    let here = path(&["exposure", "computers", &computer.row.id]);
    let sort = cx.address.value("sort").map(str::to_owned);
    let list = super::super::listed(cx, |cursor, limit| {
        let (query, here) = (
            ComputerCveQuery { state, sort: sort.clone(), cursor, limit, ..ComputerCveQuery::default() },
            here.as_str(),
        );
        async move { cx.api.get::<List<ComputerCve>>(here, &query).await.or_else(absent) }
    })
    .await?;
    let filters = html! {
        label for="f-state" { (t::col_state(cx)) }
        select #f-state name="state" data-submit {
            option value="any" selected[state.is_none()] { (t::any_state(cx)) }
            @for each in STATES { option value=(ui::word(&each)) selected[state == Some(each)] { (t::exposure(cx, &ui::word(&each))) } }
        }
    };
    let grid = Grid::new(cx, "exposure", t::tab_exposure(cx), columns(cx), &list.items)
        .next(list.next.as_deref())
        .filters(filters)
        .empty(ui::empty(t::exposure_none(cx), Some((t::exposure_documents(cx), "/updates/exposure"))));
    Ok(Part::of(cx, &grid, |grid| ui::live("exposure-live", "exposure compliance", grid)))
}

/// Of a computer that no document is about REST knows nothing.
fn absent(failure: Failure) -> Result<List<ComputerCve>, Failure> {
    if failure.status() == StatusCode::NOT_FOUND { Ok(List { items: Vec::new(), next: None }) } else { Err(failure) }
}

fn columns(cx: &Cx) -> Vec<Column<'_, ComputerCve>> {
    vec![
        Column::new("cve", t::col_cve(cx), |row: &ComputerCve| {
            html! { a href=(path(&["updates", "exposure", &row.cve])) { (row.cve) } div.quiet { (row.title) } }
        })
        .text(|row| row.cve.clone())
        .wide()
        .narrow(),
        Column::new("state", t::col_state(cx), |row: &ComputerCve| exposure(cx, row.standing.state))
            .text(|row| ui::word(&row.standing.state))
            .narrow(),
        Column::new("severity", t::col_severity(cx), |row: &ComputerCve| {
            html! {
                (severity(cx, row.severity.as_deref()))
                @if row.exploited { " " (badge(Tone::Bad, t::exploited(cx))) }
            }
        })
        .text(|row| row.severity.clone().unwrap_or_default())
        .narrow(),
        Column::new("level", t::col_level(cx), |row: &ComputerCve| level(cx, row.standing.level))
            .text(|row| row.standing.level.map(|level| ui::word(&level)).unwrap_or_default())
            .narrow(),
        Column::new("due", t::col_due(cx), |row: &ComputerCve| ui::time_or(cx, row.standing.due_at))
            .text(|row| row.standing.due_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("why", t::col_why(cx), |row: &ComputerCve| {
            html! {
                span lang="en" { (row.standing.text) }
                @if let Some(update) = &row.standing.update { div { a href=(path(&["updates", &update.id.to_string()])) { (update.name) } } }
            }
        })
        .text(|row| row.standing.text.clone()),
    ]
}

fn exposure(cx: &Cx, state: ExposureState) -> Markup {
    let tone = match state {
        ExposureState::Exposed => Tone::Bad,
        ExposureState::Fixed => Tone::Good,
        ExposureState::NoData | ExposureState::NotAffected => Tone::Plain,
    };
    badge(tone, &t::exposure(cx, &ui::word(&state)))
}

fn level(cx: &Cx, level: Option<ServiceLevel>) -> Markup {
    let Some(level) = level else { return ui::none(cx) };
    let tone = match level {
        ServiceLevel::Breached => Tone::Bad,
        ServiceLevel::DueSoon => Tone::Warn,
        ServiceLevel::Within => Tone::Good,
        ServiceLevel::Excepted | ServiceLevel::None => Tone::Plain,
    };
    badge(tone, &t::level(cx, &ui::word(&level)))
}
