//! Computers that do not call, or do not report: who they are, the rule that retires them, and those that are retired.

pub(super) mod retirement;

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    computer::ComputerRow,
    freshness::{Freshness, FreshnessCounts, FreshnessQuery, FreshnessSummary},
    list::ListQuery,
    retirement::RetiredComputer,
};

use super::{CLASSES, Part, collection_links, freshness_tone, list, names, rest::ComputersQuery};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::computers as t,
    ui::{
        self,
        chart::{self, Part as Piece},
        form::Errors,
        grid::{Column, Grid},
        tabs::Tab,
    },
};

/// The page.
const HERE: &str = "/computers/stale";
/// Codes of failed scans that are shown.
const CODES: usize = 5;

/// Computers of a class.
pub(super) fn count(counts: &FreshnessCounts, class: Freshness) -> u64 {
    match class {
        Freshness::Silent => counts.silent,
        Freshness::ScanFailed => counts.scan_failed,
        Freshness::NeverScanned => counts.never_scanned,
        Freshness::NeverReported => counts.never_reported,
        Freshness::NotReporting => counts.not_reporting,
        Freshness::Current => counts.current,
    }
}

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Errors::default()).await
}

async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let query = FreshnessQuery { server: cx.server(), ..FreshnessQuery::default() };
    let tab = cx.address.value("tab").unwrap_or("silent");
    let class = CLASSES.into_iter().find(|class| *class != Freshness::Current && ui::word(class) == tab);
    let part = async {
        Ok::<_, Failure>(match (tab, class) {
            (_, Some(class)) => Shown::Class(class, of_class(cx, class).await?),
            ("retirement", _) => Shown::Part(Part::Page(retirement::show(cx, errors).await?)),
            ("retired", _) => Shown::Part(retired(cx).await?),
            _ => return Err(Failure::NotFound),
        })
    };
    let (summary, part) = tokio::join!(cx.api.get::<FreshnessSummary>("/compliance/freshness", &query), part);
    let summary = summary?;
    let part = match part? {
        Shown::Class(class, list) => class_part(cx, class, &list, &summary),
        Shown::Part(part) => part,
    };
    let body = match part {
        Part::Csv(csv) => return Ok(csv),
        Part::Page(body) => body,
    };
    let mut tabs: Vec<Tab> = CLASSES
        .into_iter()
        .filter(|class| *class != Freshness::Current)
        .map(|class| {
            let word = ui::word(&class);
            Tab::new(cx, &word, class == Freshness::Silent, t::freshness(cx, &word))
                .number(count(&summary.classes, class))
        })
        .collect();
    tabs.push(Tab::new(cx, "retirement", false, t::tab_retirement(cx)));
    tabs.push(Tab::new(cx, "retired", false, t::tab_retired(cx)));
    Page::new(cx, t::stale(cx))
        .fact(t::title(cx), html! { (ui::number(cx, summary.computers)) })
        .fact(t::coverage(cx), html! { (ui::percent(cx, summary.current_percent)) })
        .fact(t::silent_after(cx), html! { (crate::texts::common::days(cx, u64::from(summary.silent_days))) })
        .tabs(tabs)
        .body(body)
        .render()
        .await
}

/// What a tab shows.
enum Shown {
    /// Computers of a class, with the figures of all classes.
    Class(Freshness, List<ComputerRow>),
    /// Something else.
    Part(Part),
}

async fn of_class(cx: &Cx, class: Freshness) -> Result<List<ComputerRow>, Failure> {
    let word = ui::word(&class);
    super::listed(cx, |cursor, limit| {
        let query = ComputersQuery {
            freshness: Some(word.clone()),
            server: cx.server(),
            sort: cx.address.value("sort").map(str::to_owned),
            cursor,
            limit,
            ..ComputersQuery::default()
        };
        async move { cx.api.get::<List<ComputerRow>>("/computers", &query).await }
    })
    .await
}

fn class_part(cx: &Cx, class: Freshness, list: &List<ComputerRow>, summary: &FreshnessSummary) -> Part {
    let word = ui::word(&class);
    let grid = Grid::new(cx, "stale", t::freshness(cx, &word), list::columns(cx, |row| row), &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::stale_none(cx), None));
    let grid = list::selected(cx, grid, |row| row.id.clone());
    Part::of(cx, &grid, |grid| {
        html! {
            section.panel { (bar(cx, summary)) (codes(cx, class, summary)) }
            p { (t::freshness_then(cx, &word)) " " a href=(Address::new("/computers").with("f", format!("freshness:{word}"))) { (t::stale_in_list(cx)) } }
            (grid)
        }
    })
}

/// All computers by class.
fn bar(cx: &Cx, summary: &FreshnessSummary) -> Markup {
    let pieces: Vec<Piece> = CLASSES
        .into_iter()
        .rev()
        .map(|class| {
            let word = ui::word(&class);
            let here = if class == Freshness::Current {
                Address::new("/computers").with("f", "freshness:current")
            } else {
                Address::new(HERE).with("tab", &word)
            };
            Piece {
                class: format!("tone-{}", freshness_tone(class).class()),
                label: t::freshness(cx, &word),
                count: count(&summary.classes, class),
                link: Some(here.to_string()),
            }
        })
        .collect();
    chart::stacked(cx, t::stale_bar(cx), &pieces)
}

/// Why scans failed, where that is the question.
fn codes(cx: &Cx, class: Freshness, summary: &FreshnessSummary) -> Markup {
    html! {
        @if class == Freshness::ScanFailed && !summary.errors.is_empty() {
            h3 { (t::failed_scans(cx)) }
            ul {
                @for error in summary.errors.iter().take(CODES) {
                    li { a href=(path(&["computers", "errors", &error.code])) { code { (error.code) } } " " span.number { (ui::number(cx, error.computers)) } }
                }
            }
        }
    }
}

async fn retired(cx: &Cx) -> Result<Part, Failure> {
    let list = super::listed(cx, |cursor, limit| async move {
        cx.api.get::<List<RetiredComputer>>("/computers/retired", &ListQuery { cursor, limit }).await
    })
    .await?;
    let columns = vec![
        Column::new(
            "name",
            t::col_name(cx),
            |row: &RetiredComputer| html! { (super::called(&row.name, &row.id)) div.quiet { code { (row.id) } } },
        )
        .text(|row| row.name.clone())
        .wide()
        .narrow(),
        Column::new("retired", t::col_retired(cx), |row: &RetiredComputer| ui::time(cx, row.retired))
            .text(|row| row.retired.to_string())
            .narrow(),
        Column::new(
            "reason",
            t::col_reason(cx),
            |row: &RetiredComputer| html! { (t::retired_because(cx, &row.reason)) },
        )
        .text(|row| row.reason.clone())
        .narrow(),
        Column::new("by", t::col_by(cx), |row: &RetiredComputer| html! { (row.by) }).text(|row| row.by.clone()),
        Column::new("contact", t::col_contact(cx), |row: &RetiredComputer| ui::time(cx, row.last_contact))
            .text(|row| row.last_contact.to_string())
            .narrow(),
        Column::new("report", t::col_report(cx), |row: &RetiredComputer| ui::time_or(cx, row.last_report))
            .text(|row| row.last_report.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("collections", t::collections(cx), |row: &RetiredComputer| collection_links(cx, &row.collections))
            .text(|row| names(&row.collections)),
        Column::new("first", t::col_first(cx), |row: &RetiredComputer| ui::time(cx, row.first_seen))
            .text(|row| row.first_seen.to_string())
            .hidden(),
        Column::new("id", t::col_id(cx), |row: &RetiredComputer| html! { code { (row.id) } })
            .text(|row| row.id.clone())
            .hidden(),
    ];
    let grid = Grid::new(cx, "retired", t::tab_retired(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::retired_none(cx), Some((t::tab_retirement(cx), "/computers/stale?tab=retirement"))));
    Ok(Part::of(cx, &grid, |grid| {
        html! { p { (t::retired_about(cx)) } (grid) }
    }))
}
