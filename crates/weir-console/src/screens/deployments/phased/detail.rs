//! One phased deployment: its steps, their gates, and what happened.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    history::{ReachedHow, Trend, TrendQuery},
    list::ListQuery,
    phased::{Phase, PhaseStatus, Phased, PhasedEvent, PhasedStatus},
};

use super::{address, current, phase_status, resource, shares, status};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::names,
    texts::{deployments as d, deployments_phased as t},
    ui::{
        self,
        chart::{self, Series, Step},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one: Phased = cx.api.get(&resource(&name), &()).await?;
    let tab = cx.address.value("tab");
    if wants_csv(&cx.address) && tab == Some("events") {
        let rows = cx.api.all(CSV_ROWS, |cursor| events(&cx, &name, cursor, 1000)).await?;
        return Ok(events_grid(&cx, &one, &List { items: rows, next: None }).csv());
    }
    let body = match tab {
        None => progress(&cx, &one),
        Some("trend") => trend(&cx, &one).await?,
        Some("events") => {
            let list = events(&cx, &name, cx.address.value("cursor").map(str::to_owned), 100).await?;
            ui::live("phased-events-live", "rules", events_grid(&cx, &one, &list).render())
        }
        Some(_) => return Err(Failure::NotFound),
    };
    let at = current(&one);
    let done = one.phases.iter().filter(|phase| phase.status == PhaseStatus::Completed).count();
    Page::new(&cx, &one.name)
        .crumb(d::phased(&cx), "/deployments/phased")
        .fact(d::col_state(&cx), status(&cx, one.status))
        .fact(
            t::col_phase(&cx),
            html! {
                @if let Some(phase) = at { (phase.number) " / " (one.phases.len()) } @else { (ui::none(&cx)) }
                span.quiet { " · " (t::completed(&cx, done as u64)) }
            },
        )
        .fact(
            t::col_succeeded(&cx),
            at.and_then(|phase| shares(phase).0)
                .map_or_else(|| ui::none(&cx), |percent| html! { (ui::percent(&cx, percent)) }),
        )
        .tabs(vec![
            Tab::new(&cx, "progress", true, t::tab_progress(&cx)),
            Tab::new(&cx, "trend", false, t::tab_trend(&cx)),
            Tab::new(&cx, "events", false, t::tab_events(&cx)),
        ])
        .actions(acts(&cx, &one))
        .body(body)
        .render()
        .await
}

/// What can be done with it as it stands.
fn acts(cx: &Cx, one: &Phased) -> Markup {
    let to = |act: &str| format!("{}/{act}", address(one));
    let running = one.status == PhasedStatus::Running;
    let held = matches!(one.status, PhasedStatus::Paused | PhasedStatus::Failed);
    let over = matches!(one.status, PhasedStatus::Stopped | PhasedStatus::Completed);
    let last = one.phases.last().is_some_and(|phase| phase.started_at.is_some());
    let asks = current(one).is_some_and(|phase| phase.spec.approval && phase.approved_by.is_none());
    html! {
        @if names::may_everywhere(cx) {
            @if running && asks { a.button.primary href=(to("approve")) { (t::acts(cx, "approve")) } }
            @if held { a.button.primary href=(to("resume")) { (t::acts(cx, "resume")) } }
            @if running && !last { a.button href=(to("advance")) { (t::acts(cx, "advance")) } }
            @if running { a.button href=(to("pause")) { (t::acts(cx, "pause")) } }
            @if running {
                form.inline method="post" action=(to("refresh")) { button type="submit" { (t::acts(cx, "refresh")) } }
            }
            @if !over && one.status != PhasedStatus::Above { a.button href=(to("edit")) { (d::edit(cx)) } a.button href=(to("stop")) { (t::acts(cx, "stop")) } }
            @if over || one.status == PhasedStatus::Above { a.button href=(to("delete")) { (d::acts(cx, "delete")) } }
        }
    }
}

fn progress(cx: &Cx, one: &Phased) -> Markup {
    let at = current(one).map(|phase| phase.number);
    let steps: Vec<Step> = one
        .phases
        .iter()
        .map(|phase| {
            let (percent, goal) = shares(phase);
            let note = match phase.started_at {
                Some(_) => t::step_note(cx, phase.computers.targeted.into(), &phase.spec.collection),
                None => phase.spec.collection.clone(),
            };
            let current = at == Some(phase.number) && phase.status == PhaseStatus::Active;
            Step { label: label(phase), note, percent, goal, current }
        })
        .collect();
    html! {
        (names::warnings(&one.warnings))
        (ui::live("phased-progress", "rules deployments", html! {
            section.panel {
                @if !one.description.is_empty() { p.description { (one.description) } }
                (chart::steps(cx, t::steps(cx), &steps))
                p.quiet {
                    @match one.observed_at { Some(at) => { (t::observed(cx)) " " (ui::ago(cx, at)) }, None => (t::observed_never(cx)) }
                    " · " (d::update_group(cx)) " " (names::group_link(&one.group))
                    " · " (d::col_created(cx)) " " (ui::time(cx, one.created_at)) " " (one.created_by)
                }
            }
            @for phase in &one.phases { (panel(cx, phase)) }
        }))
    }
}

fn label(phase: &Phase) -> String {
    format!("{} · {}", phase.number, phase.spec.name.as_deref().unwrap_or(&phase.spec.collection))
}

fn panel(cx: &Cx, phase: &Phase) -> Markup {
    let counts = phase.computers;
    html! {
        section.panel {
            h2 { (label(phase)) " " (phase_status(cx, phase.status)) }
            @if let Some(gate) = &phase.gate { p { strong { (t::gate(cx)) } " " span lang="en" { (gate) } } }
            (ui::facts([
                (d::col_collection(cx).to_owned(), html! { (phase.spec.collection) }),
                (t::starts(cx).to_owned(), html! { (start(cx, phase)) }),
                (t::success(cx).to_owned(), html! { (success(cx, phase)) }),
                (t::error_limit(cx).to_owned(), html! { (limit(cx, phase)) }),
                (d::col_deadline(cx).to_owned(), html! { (deadline(cx, phase)) }),
                (d::col_computers(cx).to_owned(), html! {
                    (t::counts(cx, counts.targeted.into(), ui::number(cx, counts.succeeded.into()), ui::number(cx, counts.failed.into()), ui::number(cx, counts.unknown.into())))
                    @if phase.late.targeted > 0 { div.quiet { (t::late(cx, phase.late.targeted.into())) } }
                }),
                (t::started(cx).to_owned(), ui::time_or(cx, phase.started_at)),
                (t::reached(cx).to_owned(), ui::time_or(cx, phase.reached_at)),
                (t::ended(cx).to_owned(), ui::time_or(cx, phase.completed_at)),
            ]))
            p {
                @if let Some(id) = phase.deployment { a href=(names::address(id)) { (d::explain_other(cx, id)) } }
                @if let Some(by) = &phase.approved_by { " · " (t::approved_by(cx, by)) }
            }
        }
    }
}

/// When a phase starts, in words.
pub(super) fn start(cx: &Cx, phase: &Phase) -> String {
    match (phase.number, phase.spec.manual, phase.spec.after_days.unwrap_or(1)) {
        (1, ..) => t::start_first(cx).to_owned(),
        (_, true, _) => t::start_manual(cx).to_owned(),
        (_, false, days) => t::start_after(cx, u64::from(days)),
    }
}

fn success(cx: &Cx, phase: &Phase) -> String {
    let spec = &phase.spec;
    let mut words = match (spec.success_percent, spec.success_count) {
        (_, Some(count)) => t::of_computers(cx, count.into()),
        (percent, None) => format!("{}\u{a0}%", percent.unwrap_or(95)),
    };
    if spec.ignore_unknown {
        words.push_str(", ");
        words.push_str(t::unknown_ignored(cx));
    }
    if spec.soak_hours > 0 {
        words.push_str(", ");
        words.push_str(&t::soaks(cx, spec.soak_hours.into()));
    }
    if spec.approval {
        words.push_str(", ");
        words.push_str(t::needs_approval(cx));
    }
    words
}

fn limit(cx: &Cx, phase: &Phase) -> String {
    match (phase.spec.max_failed_percent, phase.spec.max_failed_count) {
        (Some(percent), _) => t::more_than(cx, format!("{percent}\u{a0}%")),
        (None, Some(count)) => t::more_than(cx, t::of_computers(cx, count.into())),
        (None, None) => d::none(cx).to_owned(),
    }
}

fn deadline(cx: &Cx, phase: &Phase) -> String {
    match phase.spec.deadline_days {
        None => d::none(cx).to_owned(),
        Some(0) => d::when(cx, "soon"),
        Some(days) => t::deadline_days(cx, u64::from(days)),
    }
}

/// The update group ring by ring, from the start of each.
async fn trend(cx: &Cx, one: &Phased) -> Result<Markup, Failure> {
    let query = TrendQuery { phased: Some(one.id.to_string()), ..TrendQuery::default() };
    let trend: Trend = match cx.api.get("/compliance/trend", &query).await {
        Ok(trend) => trend,
        Err(failure) => {
            let problem = failure.into_problem()?;
            return Ok(html! { section.panel { p { (d::history_none(cx)) } p.quiet lang="en" { (problem.detail) } } });
        }
    };
    let longest = trend.rings.iter().map(|ring| ring.days.len()).max().unwrap_or_default();
    let days: Vec<String> = (0..longest).map(|day| t::day(cx, day)).collect();
    let name = |ring: &weir_api::history::TrendRing| ring.phase.clone().unwrap_or_else(|| ring.collection.name.clone());
    let series: Vec<Series> = trend
        .rings
        .iter()
        .filter(|ring| !ring.days.is_empty())
        .map(|ring| Series { label: name(ring), values: ring.days.iter().map(|day| day.percent).collect() })
        .collect();
    Ok(html! {
        section.panel {
            @if series.is_empty() { p { (d::history_none(cx)) } }
            @else { (chart::trend(cx, t::trend_title(cx), &days, &series)) p.quiet { (d::history_zone(cx, &trend.time_zone)) } }
        }
        section.panel {
            h2 { (d::reached_title(cx)) }
            div.scroll {
                table {
                    caption.hide { (d::reached_title(cx)) }
                    thead { tr { th scope="col" { (t::col_phase(cx)) } th scope="col" { (t::started(cx)) } @for percent in [50, 90, 95] { th.number scope="col" { (percent) "\u{a0}%" } } } }
                    tbody {
                        @for ring in &trend.rings {
                            tr {
                                th scope="row" { (name(ring)) @if name(ring) != ring.collection.name { div.quiet { (ring.collection.name) } } }
                                td { (ui::time_or(cx, ring.start)) }
                                @for percent in [50, 90, 95] {
                                    td.number {
                                        @match ring.reached.iter().find(|row| row.percent == percent) {
                                            Some(row) if row.how == ReachedHow::Between => @if let Some(hours) = row.hours { (d::hours(cx, ui::decimal(cx, hours))) },
                                            Some(row) => span.quiet { (d::reached_how(cx, &ui::word(&row.how))) },
                                            None => (ui::none(cx)),
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

async fn events(cx: &Cx, name: &str, cursor: Option<String>, limit: u32) -> Result<List<PhasedEvent>, Failure> {
    cx.api.get(&path(&["phased", name, "events"]), &ListQuery { cursor, limit: Some(limit) }).await
}

fn events_grid<'a>(cx: &'a Cx, one: &'a Phased, list: &'a List<PhasedEvent>) -> Grid<'a, PhasedEvent> {
    let phase = |event: &PhasedEvent| {
        let found = event.phase.and_then(|number| one.phases.iter().find(|phase| phase.number == number));
        found.map(label).unwrap_or_default()
    };
    let columns = vec![
        Column::new("at", d::col_at(cx), |event: &PhasedEvent| ui::time(cx, event.at))
            .text(|event| event.at.to_string())
            .narrow(),
        Column::new("step", d::col_done(cx), |event: &PhasedEvent| html! { (t::event(cx, &event.step)) })
            .text(|event| event.step.clone())
            .narrow(),
        Column::new("phase", t::col_phase(cx), move |event: &PhasedEvent| html! { (phase(event)) }).text(phase),
        Column::new("reason", d::col_why(cx), |event: &PhasedEvent| html! { span lang="en" { (event.reason) } })
            .text(|event| event.reason.clone())
            .wide()
            .narrow(),
        Column::new("by", d::col_by(cx), |event: &PhasedEvent| html! { (event.by) }).text(|event| event.by.clone()),
    ];
    Grid::new(cx, "phased-events", t::tab_events(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::events_none(cx)) } })
}
