//! When windows come in a month: a table of its days, or a list.

use axum::response::Response;
use jiff::{ToSpan as _, civil::Date};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    window::{CalendarQuery, WindowOccurrence},
};

use super::list;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::names,
    texts::{common, deployments as d, deployments_windows as t},
    ui::{
        self,
        form::Errors,
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Times that are looked at.
const MOST: usize = 10_000;
/// Times of a day that its cell names.
const NAMED: usize = 6;

/// The month, as the view of the address has it; or all windows.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let view = cx.address.value("view");
    let month = month(&cx);
    let csv = wants_csv(&cx.address);
    let (body, errors) = if view == Some("all") {
        match super::all(&cx, cx.address.value("collection")).await {
            Ok(rows) if csv => return Ok(list::grid(&cx, &rows).csv()),
            Ok(rows) => (ui::live("windows-live", "collections", list::grid(&cx, &rows).render()), Errors::default()),
            Err(failure) => (Markup::default(), Errors::of(&failure.into_problem()?, &["collection"])),
        }
    } else {
        match times(&cx, month).await {
            Ok(rows) if csv => return Ok(grid(&cx, &rows).csv()),
            Ok(rows) => {
                let content = html! {
                    (moves(&cx, month))
                    @if rows.len() >= MOST { div.panel.warn { p { (t::cut(&cx)) } } }
                    @if rows.is_empty() { (empty(&cx)) }
                    @else if view == Some("list") { (grid(&cx, &rows).render()) }
                    @else { (table(&cx, month, &rows)) }
                };
                (ui::live("windows-live", "collections", content), Errors::default())
            }
            Err(failure) => (moves(&cx, month), Errors::of(&failure.into_problem()?, &["collection", "month"])),
        }
    };
    let tab = |key: &str, label: &str| {
        let address = cx.address.first().without("view").without("sort").without("col");
        let address = if key.is_empty() { address } else { address.with("view", key) };
        Tab::link(label, address, view.unwrap_or_default() == key)
    };
    let may = cx.may(Role::SoftwareUpdateManager);
    let body = html! { (errors.summary(&cx)) (filters(&cx)) (body) };
    Page::new(&cx, d::windows(&cx))
        .tabs(vec![tab("", t::tab_month(&cx)), tab("list", t::tab_list(&cx)), tab("all", t::tab_all(&cx))])
        .actions(html! { @if may { a.button.primary href="/deployments/windows/new" { (t::new(&cx)) } } })
        .body(body)
        .render()
        .await
}

/// The first day of the month of the address; this month without one.
fn month(cx: &Cx) -> Date {
    let asked = cx.address.value("month").and_then(|month| format!("{month}-01").parse::<Date>().ok());
    let asked = asked.filter(|day| (1970..=9000).contains(&day.year()));
    asked.unwrap_or_else(|| cx.now.to_zoned(cx.zone.clone()).date()).first_of_month()
}

fn word(day: Date) -> String {
    day.strftime("%Y-%m").to_string()
}

async fn times(cx: &Cx, month: Date) -> Result<Vec<WindowOccurrence>, Failure> {
    let collection = cx.address.value("collection");
    cx.api
        .all(MOST, |cursor| {
            let collection = collection.map(str::to_owned);
            let query = CalendarQuery {
                month: Some(word(month)),
                collection,
                cursor,
                limit: Some(1000),
                ..CalendarQuery::default()
            };
            async move { cx.api.get::<List<WindowOccurrence>>("/windows-calendar", &query).await }
        })
        .await
}

fn filters(cx: &Cx) -> Markup {
    let view = cx.address.value("view");
    html! {
        form.filters.alone method="get" action=(cx.address.path()) role="search" {
            @if view != Some("all") {
                label { (t::month_label(cx)) " " input type="month" name="month" value=(word(month(cx))); }
            }
            label { (d::col_collection(cx)) " " input #f-collection type="text" name="collection" value=[cx.address.value("collection")] maxlength="256"; }
            @if let Some(view) = view { input type="hidden" name="view" value=(view); }
            button type="submit" { (common::show(cx)) }
        }
    }
}

/// The month by name, those beside it, and today's.
fn moves(cx: &Cx, month: Date) -> Markup {
    let to = |day: Option<Date>| day.map(|day| cx.address.first().with("month", word(day)));
    let before = to(month.checked_sub(1.month()).ok());
    let after = to(month.checked_add(1.month()).ok());
    let number = month.month().to_string();
    html! {
        div.months {
            @if let Some(before) = before { a.button.plain href=(before) rel="prev" { (t::month_before(cx)) } }
            h2 { (t::month(cx, &number)) " " (month.year()) }
            @if let Some(after) = after { a.button.plain href=(after) rel="next" { (t::month_after(cx)) } }
            a.button.plain href=(cx.address.first().without("month")) { (t::this_month(cx)) }
        }
    }
}

/// The day that a window begins, by the clocks of its zone.
fn day(row: &WindowOccurrence) -> Option<Date> {
    row.local_start.split_whitespace().next()?.parse().ok()
}

fn hour(row: &WindowOccurrence) -> &str {
    row.local_start.split_whitespace().nth(1).unwrap_or_default()
}

fn table(cx: &Cx, month: Date, rows: &[WindowOccurrence]) -> Markup {
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let lead = i64::from(month.weekday().to_monday_zero_offset());
    let first = month.checked_sub(lead.days()).unwrap_or(month);
    let weeks: Vec<Vec<Date>> = (0..6)
        .map(|week| (0..7).filter_map(|day| first.checked_add((week * 7 + day).days()).ok()).collect::<Vec<Date>>())
        .take_while(|week| week.first().is_some_and(|day| *day <= month.last_of_month()))
        .collect();
    let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    html! {
        table.calendar {
            caption.hide { (d::windows(cx)) " " (t::month(cx, &month.month().to_string())) " " (month.year()) }
            thead { tr { @for weekday in weekdays { th scope="col" { (d::weekday(cx, weekday)) } } } }
            tbody {
                @for week in &weeks {
                    tr {
                        @for date in week {
                            @let here: Vec<&WindowOccurrence> = rows.iter().filter(|row| day(row) == Some(*date)).collect();
                            td.other[date.month() != month.month()].today[*date == today].none[here.is_empty()] {
                                time.date datetime=(date) { (date.day()) }
                                @if !here.is_empty() {
                                    ul {
                                        @for row in here.iter().take(NAMED) { (occurrence(cx, row)) }
                                        @if here.len() > NAMED {
                                            li { a href=(cx.address.first().with("view", "list")) { (common::more(cx, (here.len() - NAMED) as u64)) } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        p.quiet { (t::clocks(cx)) }
    }
}

fn occurrence(cx: &Cx, row: &WindowOccurrence) -> Markup {
    let title =
        format!("{} · {} · {} · {}", row.window.name, row.collection.name, t::kind(cx, &ui::word(&row.kind)), row.zone);
    html! {
        li title=(title) {
            span.number { (hour(row)) } " "
            a href=(path(&["deployments", "windows", &row.window.id.to_string()])) { (row.window.name) }
            div.quiet { (row.collection.name) " · " (duration(cx, row.minutes)) }
        }
    }
}

/// How long a window lasts.
pub(super) fn duration(cx: &Cx, minutes: u32) -> String {
    if minutes.is_multiple_of(60) {
        common::hours(cx, u64::from(minutes / 60))
    } else {
        common::minutes(cx, minutes.into())
    }
}

fn empty(cx: &Cx) -> Markup {
    let new = cx.may(Role::SoftwareUpdateManager).then(|| (t::new(cx), "/deployments/windows/new"));
    html! { section.panel { (ui::empty(t::empty_month(cx), new)) } }
}

/// The times of a month as a list.
fn grid<'a>(cx: &'a Cx, rows: &'a [WindowOccurrence]) -> Grid<'a, WindowOccurrence> {
    let columns = vec![
        Column::new("start", t::col_start(cx), |row: &WindowOccurrence| {
            html! { (row.local_start) div.quiet { (ui::time(cx, row.starts_at)) } }
        })
        .text(|row| row.starts_at.to_string())
        .narrow(),
        Column::new("window", t::col_window(cx), |row: &WindowOccurrence| {
            html! { a href=(path(&["deployments", "windows", &row.window.id.to_string()])) { (row.window.name) } }
        })
        .text(|row| row.window.name.clone())
        .wide()
        .narrow(),
        Column::new("collection", d::col_collection(cx), |row: &WindowOccurrence| {
            names::collection_link(&row.collection)
        })
        .text(|row| row.collection.name.clone())
        .narrow(),
        Column::new("minutes", t::col_duration(cx), |row: &WindowOccurrence| html! { (duration(cx, row.minutes)) })
            .text(|row| row.minutes.to_string()),
        Column::new("end", t::col_end(cx), |row: &WindowOccurrence| ui::time(cx, row.ends_at))
            .text(|row| row.ends_at.to_string()),
        Column::new("zone", t::col_zone(cx), |row: &WindowOccurrence| html! { (row.zone) })
            .text(|row| row.zone.clone()),
        Column::new("kind", t::col_kind(cx), |row: &WindowOccurrence| html! { (t::kind(cx, &ui::word(&row.kind))) })
            .text(|row| ui::word(&row.kind)),
    ];
    Grid::new(cx, "window-times", t::tab_list(cx), columns, rows)
}
