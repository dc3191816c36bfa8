//! How compliance went: day by day, and when 50, 90 and 95 percent complied.

use jiff::ToSpan as _;
use maud::{Markup, html};
use weir_api::{
    deployment::Deployment,
    history::{History, HistoryQuery, Reached, ReachedHow, TimeTo, TimeToQuery},
};

use crate::{
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{self, chart, chart::Series},
};

/// Days to choose from.
const DAYS: [u32; 3] = [30, 90, 365];

/// The tab.
pub(super) async fn show(cx: &Cx, one: &Deployment) -> Result<Markup, Failure> {
    let wanted = cx.address.value("days").and_then(|days| days.parse().ok());
    let days = wanted.filter(|days| DAYS.contains(days)).unwrap_or(90);
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let from = today.checked_sub(i64::from(days - 1).days()).ok();
    let group = one.group.as_ref().map(|group| group.id.to_string());
    // of an update a record is kept over all computers only
    let collection = group.as_ref().map(|_| one.collection.id.to_string());
    let update = one.update.as_ref().map(|update| update.id.to_string());
    let query = HistoryQuery {
        group: group.clone(),
        collection: collection.clone(),
        update: update.clone(),
        from,
        limit: Some(1000),
        ..HistoryQuery::default()
    };
    let reached = TimeToQuery { group, collection, update, ..TimeToQuery::default() };
    let (history, reached) = tokio::join!(
        cx.api.get::<History>("/compliance/history", &query),
        cx.api.get::<TimeTo>("/compliance/time-to", &reached),
    );
    let history = match history {
        Ok(history) => history,
        Err(failure) => {
            let problem = failure.into_problem()?;
            return Ok(html! { section.panel { p { (t::history_none(cx)) } p.quiet lang="en" { (problem.detail) } } });
        }
    };
    let choice = html! {
        p.choice {
            @for each in DAYS {
                a.button.plain href=(cx.address.with("days", each)) aria-current=[(each == days).then_some("true")] { (t::last_days(cx, u64::from(each))) }
            }
        }
    };
    let recorded = history.items.iter().any(|day| day.percent.is_some());
    let names: Vec<String> = history.items.iter().map(|day| day.day.to_string()).collect();
    let line =
        Series { label: t::compliant(cx).to_owned(), values: history.items.iter().map(|day| day.percent).collect() };
    Ok(html! {
        section.panel {
            (choice)
            @if recorded { (chart::trend(cx, t::history_title(cx), &names, &[line])) } @else { p { (t::history_none(cx)) } }
            p.quiet {
                @if one.group.is_some() { (t::history_of_group(cx, &one.collection.name)) } @else { (t::history_of_update(cx)) }
                " " (t::history_zone(cx, &history.time_zone))
            }
        }
        @if let Ok(reached) = reached { (ui::panel(t::reached_title(cx), &table(cx, &reached))) }
    })
}

fn table(cx: &Cx, time: &TimeTo) -> Markup {
    html! {
        p { (t::reached_from(cx, &ui::word(&time.start_is))) " " (ui::time(cx, time.start)) }
        table {
            caption.hide { (t::reached_title(cx)) }
            thead { tr { @for head in [t::col_share(cx), t::col_reached(cx), t::col_took(cx)] { th scope="col" { (head) } } } }
            tbody {
                @for row in &time.reached {
                    tr {
                        th scope="row" { (row.percent) "\u{a0}%" }
                        td { (how(cx, row)) }
                        td.number { @if let Some(hours) = row.hours { (t::hours(cx, ui::decimal(cx, hours))) } @else { (ui::none(cx)) } }
                    }
                }
            }
        }
    }
}

fn how(cx: &Cx, row: &Reached) -> Markup {
    let word = t::reached_how(cx, &ui::word(&row.how));
    html! {
        @match (row.how, row.estimate.or(row.by)) {
            (ReachedHow::Between, Some(at)) => (ui::time(cx, at)),
            (ReachedHow::NotReached, _) => {
                (word)
                @if let Some(best) = row.best { " · " (t::reached_best(cx, ui::percent(cx, best))) }
            },
            _ => (word),
        }
        @if row.missing_days > 0 { div.quiet { (t::reached_missing(cx, u64::from(row.missing_days))) } }
    }
}
