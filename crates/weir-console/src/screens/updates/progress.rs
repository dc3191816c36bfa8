//! How compliance went: the line of the last days, and when 50, 90 and 95 percent complied.

use jiff::{ToSpan as _, civil::Date};
use maud::{Markup, html};
use weir_api::{
    computer::StateCounts,
    history::{History, HistoryDay, HistoryQuery, Reached, ReachedHow, TimeTo, TimeToQuery, Trend, TrendQuery},
};

use crate::{
    address::path,
    cx::Cx,
    texts::{common, updates as t},
    ui::{self, chart},
};

/// Days of a line.
const DAYS: i64 = 90;

/// The line of the last days, with the states of the last record. Without a record it says when there will be one.
pub(super) async fn history(cx: &Cx, query: &HistoryQuery) -> Markup {
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let from = today.checked_sub((DAYS - 1).days()).ok();
    let asked = HistoryQuery { from, ..query.clone() };
    let history = cx.api.get::<History>("/compliance/history", &asked).await.ok();
    let days = history.map(|history| history.items).unwrap_or_default();
    if days.iter().all(|day| day.percent.is_none()) {
        return html! { section.panel { h2 { (t::trend(cx)) } p.quiet { (t::trend_empty(cx)) } } };
    }
    let last: Option<(Date, StateCounts)> = days.iter().rev().find_map(|day| Some((day.day, day.counts?)));
    html! {
        div.columns {
            section.panel { (line(cx, &days)) }
            @if let Some((day, counts)) = last {
                section.panel { (chart::states(cx, &t::recorded(cx, day), &counts, |state| {
                    Some(cx.address.first().with("state", state).to_string())
                })) }
            }
        }
    }
}

fn line(cx: &Cx, days: &[HistoryDay]) -> Markup {
    let names: Vec<String> = days.iter().map(|day| day.day.to_string()).collect();
    let values = days.iter().map(|day| day.percent).collect();
    chart::trend(cx, t::trend(cx), &names, &[chart::Series { label: t::compliant(cx).to_owned(), values }])
}

/// When 50, 90 and 95 percent complied; nothing where REST cannot tell.
pub(super) async fn time_to(cx: &Cx, query: &TimeToQuery) -> Markup {
    let Ok(answer) = cx.api.get::<TimeTo>("/compliance/time-to", query).await else { return Markup::default() };
    html! {
        section.panel {
            h2 { (t::time_to(cx)) }
            p.quiet { (t::start_kinds(cx, &ui::word(&answer.start_is))) " " (ui::time(cx, answer.start)) }
            div.scroll { table {
                caption.hide { (t::time_to(cx)) }
                thead { tr { th scope="col" { (t::share(cx)) } th scope="col" { (t::reached_at(cx)) } th.number scope="col" { (t::reached_after(cx)) } } }
                tbody {
                    @for one in &answer.reached {
                        tr {
                            th scope="row" { (ui::percent(cx, f64::from(one.percent))) }
                            td { (when(cx, one)) }
                            td.number { (after(cx, one)) }
                        }
                    }
                }
            } }
        }
    }
}

/// When a share was reached, and how sure that is.
fn when(cx: &Cx, one: &Reached) -> Markup {
    html! {
        @match (one.how, one.estimate.or(one.by)) {
            (ReachedHow::Between, Some(at)) => {
                (ui::time(cx, at))
                @if one.missing_days > 0 { " " span.quiet { (t::missing_days(cx, u64::from(one.missing_days))) } }
            },
            (how, _) => {
                span.quiet { (t::reached_how(cx, &ui::word(&how))) }
                @if let Some(best) = one.best { " " (t::best(cx, ui::percent(cx, best))) }
            },
        }
    }
}

fn after(cx: &Cx, one: &Reached) -> Markup {
    match one.hours {
        None => ui::none(cx),
        Some(hours) => html! { (span(cx, hours)) },
    }
}

/// Hours, or days where they are many.
fn span(cx: &Cx, hours: f64) -> String {
    let hours = hours.max(0.0);
    if hours < 48.0 { common::hours(cx, hours.round() as u64) } else { common::days(cx, (hours / 24.0).round() as u64) }
}

/// An update group ring by ring, from the day on which each got it.
pub(super) async fn rings(cx: &Cx, group: &str) -> Markup {
    let query = TrendQuery { group: Some(group.to_owned()), ..TrendQuery::default() };
    let Ok(trend) = cx.api.get::<Trend>("/compliance/trend", &query).await else { return Markup::default() };
    if trend.rings.is_empty() {
        return Markup::default();
    }
    let most = trend.rings.iter().map(|ring| ring.days.len()).max().unwrap_or_default();
    let names: Vec<String> = (0..most).map(|day| t::day(cx, day)).collect();
    let series: Vec<chart::Series> = trend
        .rings
        .iter()
        .map(|ring| chart::Series {
            label: ring.collection.name.clone(),
            values: (0..most).map(|day| ring.days.get(day).and_then(|day| day.percent)).collect(),
        })
        .filter(|line| line.values.iter().any(Option::is_some))
        .collect();
    html! {
        section.panel {
            @if !series.is_empty() { (chart::trend(cx, t::rings(cx), &names, &series)) } @else { h2 { (t::rings(cx)) } }
            div.scroll { table {
                caption.hide { (t::rings(cx)) }
                thead { tr {
                    th scope="col" { (t::collection(cx)) } th scope="col" { (t::available(cx)) } th.number scope="col" { (t::compliant(cx)) }
                    th.number scope="col" { "50 %" } th.number scope="col" { "90 %" } th.number scope="col" { "95 %" }
                } }
                tbody {
                    @for ring in &trend.rings {
                        tr {
                            th scope="row" {
                                a href=(path(&["computers", "collections", &ring.collection.name])) { (ring.collection.name) }
                                @if let Some(phase) = &ring.phase { span.quiet { " · " (phase) } }
                            }
                            td { (ui::time_or(cx, ring.start)) }
                            td.number { (ring.latest.as_ref().and_then(|day| day.percent).map_or_else(|| ui::none(cx), |percent| html! { (ui::percent(cx, percent)) })) }
                            @for share in [50, 90, 95] {
                                td.number { (ring.reached.iter().find(|one| one.percent == share).map_or_else(|| ui::none(cx), |one| after(cx, one))) }
                            }
                        }
                    }
                }
            } }
        }
    }
}
