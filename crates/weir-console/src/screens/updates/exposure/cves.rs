//! Exposure at a glance, and the list of vulnerabilities.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    exposure::{CollectionQuery, Cve, CveList, CveQuery, ExposureState, Summary},
};

use super::{
    heat, tabs,
    words::{LEVELS, SEVERITIES, STATES, choice, chosen, marks, options},
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::may_here,
    texts::{common, exposure as t},
    ui::{
        self,
        badge::{Tone, badge, severity},
        form::Errors,
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// Rows of a page.
const ROWS: u32 = 100;

/// What narrows the list.
const NARROWING: [&str; 8] = ["text", "severity", "exploited", "state", "level", "kb", "kev_only", "age"];

/// The page, or the list as CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let asked = query(&cx);
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| {
            let query = CveQuery { cursor, limit: Some(1000), ..asked.clone() };
            let api = &cx.api;
            async move { api.get::<List<Cve>>("/exposure/cves", &query).await }
        });
        return Ok(grid(&cx, &rows.await?).csv());
    }
    let cursor = cx.address.value("cursor").map(str::to_owned);
    let page = CveQuery { cursor, limit: Some(ROWS), ..asked };
    // pages that follow are the list only
    let later = page.cursor.is_some();
    let above = async { if later { Markup::default() } else { above(&cx).await } };
    let (list, above) = tokio::join!(cx.api.get::<CveList>("/exposure/cves", &page), above);
    let (list, errors) = match list {
        Ok(list) => (list, Errors::default()),
        // a filter that cannot be read is said above, and the page stays
        Err(failure) => {
            let fields = ["text", "severity", "kb", "collection", "sort", "cursor"];
            (CveList::default(), Errors::of(&failure.into_problem()?, &fields))
        }
    };
    let table = grid(&cx, &list.items).next(list.next.as_deref()).total(list.total).render();
    let body = html! {
        (errors.summary(&cx))
        (above)
        (ui::live("cves-live", "exposure compliance", table))
    };
    let actions = html! {
        @if may_here(&cx, Role::Operator) { a.button href="/updates/exposure/documents" { (t::documents_add(&cx)) } }
    };
    Page::new(&cx, t::title(&cx)).tabs(tabs(&cx)).actions(actions).body(body).render().await
}

fn query(cx: &Cx) -> CveQuery {
    let value = |name: &str| cx.address.value(name).map(str::to_owned);
    CveQuery {
        text: value("text").map(|text| text.chars().take(256).collect()),
        severity: value("severity"),
        exploited: chosen_flag(cx, "exploited"),
        state: chosen(cx, "state"),
        level: chosen(cx, "level"),
        kb: value("kb"),
        kev_only: (cx.address.value("kev_only") == Some("1")).then_some(true),
        age: chosen(cx, "age"),
        collection: value("collection"),
        sort: value("sort"),
        ..CveQuery::default()
    }
}

fn chosen_flag(cx: &Cx, name: &str) -> Option<bool> {
    cx.address.value(name).and_then(|value| value.parse().ok())
}

/// Tiles and map, of the collection of the address.
async fn above(cx: &Cx) -> Markup {
    let collection = cx.address.value("collection").map(str::to_owned);
    let summary = CollectionQuery { collection: collection.clone() };
    // what is counted over all of them, and no more of the list than it must
    let exposed = CveQuery {
        state: Some(ExposureState::Exposed),
        collection,
        facets: true,
        limit: Some(1),
        ..CveQuery::default()
    };
    let (summary, exposed) = tokio::join!(
        cx.api.get::<Summary>("/exposure/summary", &summary),
        cx.api.get::<CveList>("/exposure/cves", &exposed)
    );
    let Ok(summary) = summary else { return Markup::default() };
    let exposed = exposed.unwrap_or_default();
    let counts = exposed.counts.unwrap_or_default();
    html! {
        (ui::live("exposure-tiles", "exposure compliance", html! {
            (tiles(cx, &summary, exposed.totals.kev))
            @if let Some(at) = summary.as_of { p.quiet { (t::as_of(cx)) " " (ui::time(cx, at)) } }
        }))
        @if !counts.is_empty() {
            (ui::live("exposure-heat", "exposure compliance", html! { section.panel { (heat::map(cx, &counts)) } }))
        }
    }
}

/// `kev` is how many of those that computers are exposed to are in the KEV catalogue.
fn tiles(cx: &Cx, summary: &Summary, kev: u64) -> Markup {
    let list = cx.to("/updates/exposure");
    let list = cx.address.value("collection").map_or(list.clone(), |collection| list.with("collection", collection));
    let (levels, unknown) = (&summary.levels, summary.documents == 0);
    html! {
        ul.tiles {
            (tile(&list.with("level", "breached"), t::breaches(cx), &ui::number(cx, levels.breached), &html! {
                @if unknown { p { (t::no_documents(cx)) } }
                @else if levels.breached == 0 { p { (badge(Tone::Good, t::breaches_none(cx))) } }
                @else { p { (badge(Tone::Bad, &t::on_computers(cx, summary.computers_breached))) } }
            }))
            (tile(&list.with("level", "due_soon"), t::due_soon(cx), &ui::number(cx, levels.due_soon), &html! {
                p { (t::within(cx, levels.within)) }
                @if levels.excepted > 0 { p { (t::excepted(cx, levels.excepted)) } }
            }))
            (tile(&list.with("exploited", "true").with("state", "exposed"), t::exploited_tile(cx), &ui::number(cx, summary.cves_exploited), &html! {
                @if kev > 0 { p { (badge(Tone::Bad, &t::in_kev(cx, kev))) } }
                @else if summary.cves_exploited == 0 && !unknown { p { (badge(Tone::Good, t::exploited_none(cx))) } }
            }))
            (tile(&cx.to("/updates/exposure/computers").with("state", "exposed"), t::computers_exposed(cx), &ui::number(cx, summary.computers_exposed), &html! {
                p { (t::of_computers(cx, summary.computers)) }
                p { (t::exposed_to(cx, summary.cves_exposed)) }
            }))
            (tile(&list.with("state", "no_data"), t::no_data(cx), &ui::number(cx, summary.cves_no_data), &html! {
                p { (t::no_data_of(cx, summary.cves)) }
                @if summary.computers_silent > 0 { p { (badge(Tone::Warn, &t::silent(cx, summary.computers_silent))) } }
            }))
        }
    }
}

fn tile(address: &Address, title: &str, figure: &str, content: &Markup) -> Markup {
    html! {
        li.tile {
            h2 { a href=(address) { (title) } }
            p.figure { (figure) }
            (content)
        }
    }
}

fn grid<'a>(cx: &'a Cx, rows: &'a [Cve]) -> Grid<'a, Cve> {
    let at = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let columns = vec![
        Column::new("cve", t::cve(cx), |row: &Cve| {
            html! { a href=(path(&["updates", "exposure", &row.cve])) { (row.cve) } (marks(cx, row)) }
        })
        .text(|row| row.cve.clone())
        .sort("cve")
        .narrow(),
        Column::new("title", t::cve_title(cx), |row: &Cve| html! { (row.title) })
            .text(|row| row.title.clone())
            .sort("title")
            .wide()
            .narrow(),
        Column::new("severity", t::severity(cx), |row: &Cve| severity(cx, row.severity.as_deref()))
            .text(|row| row.severity.clone().unwrap_or_default())
            .sort("severity")
            .narrow(),
        Column::new("score", t::score(cx), |row: &Cve| {
            row.score.map_or_else(|| ui::none(cx), |score| html! { (ui::decimal(cx, score)) })
        })
        .text(|row| row.score.map(|score| score.to_string()).unwrap_or_default())
        .sort("score"),
        Column::number(cx, "exposed", t::exposed(cx), |row: &Cve| row.computers.exposed).sort("exposed").narrow(),
        Column::number(cx, "breached", t::breached(cx), |row: &Cve| row.levels.breached).sort("breached").narrow(),
        Column::number(cx, "due_soon", t::due_soon(cx), |row: &Cve| row.levels.due_soon).sort("due_soon"),
        Column::number(cx, "excepted", t::excepted_head(cx), |row: &Cve| row.levels.excepted).sort("excepted").hidden(),
        Column::number(cx, "no_data", t::no_data(cx), |row: &Cve| row.computers.no_data).sort("no_data"),
        Column::number(cx, "fixed", t::fixed(cx), |row: &Cve| row.computers.fixed).sort("fixed"),
        Column::new("due", t::due(cx), |row: &Cve| row.due_at.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at)))
            .text(move |row| at(row.due_at))
            .sort("due"),
        Column::new("kev", t::kev_added(cx), |row: &Cve| {
            html! { @if let Some(kev) = &row.kev { (kev.added) } }
        })
        .text(|row| row.kev.as_ref().map(|kev| kev.added.to_string()).unwrap_or_default())
        .hidden(),
        Column::new("published", t::published(cx), |row: &Cve| ui::time_or(cx, row.published_at))
            .text(move |row| at(row.published_at))
            .sort("published"),
        Column::new("revised", t::revised(cx), |row: &Cve| ui::time_or(cx, row.revised_at))
            .text(move |row| at(row.revised_at))
            .sort("revised")
            .hidden(),
    ];
    let narrowed = NARROWING.into_iter().any(|name| cx.address.value(name).is_some());
    let empty = if narrowed {
        ui::empty(t::empty_narrowed(cx), Some((t::empty_widen(cx), "/updates/exposure")))
    } else {
        ui::empty(t::empty(cx), Some((t::documents_add(cx), "/updates/exposure/documents")))
    };
    Grid::new(cx, "cves", t::cves(cx), columns, rows).filters(filters(cx)).empty(empty)
}

fn filters(cx: &Cx) -> Markup {
    let severities: Vec<(String, String)> =
        SEVERITIES.into_iter().map(|word| (word.to_owned(), common::severity(cx, word))).collect();
    let flags: Vec<(String, String)> =
        ["true", "false"].into_iter().map(|word| (word.to_owned(), t::exploited_choice(cx, word))).collect();
    let ages = options(&heat::AGES, |word| t::age(cx, word));
    let more = ["kb", "collection", "kev_only", "age"].into_iter().any(|name| cx.address.value(name).is_some());
    html! {
        label.hide for="text" { (t::filter_text(cx)) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(t::filter_text(cx)) maxlength="256";
        (choice(cx, "severity", t::severity(cx), t::any_severity(cx), &severities))
        (choice(cx, "state", t::state_head(cx), t::any_state(cx), &options(&STATES, |word| t::state(cx, word))))
        (choice(cx, "level", t::level_head(cx), t::any_level(cx), &options(&LEVELS, |word| t::level(cx, word))))
        (choice(cx, "exploited", t::exploited(cx), t::any_exploited(cx), &flags))
        details.advanced open[more] {
            summary { (t::filter_more(cx)) }
            div.inline {
                (choice(cx, "age", t::age_head(cx), t::any_age(cx), &ages))
                label { (t::filter_kb(cx)) " " input type="text" name="kb" value=[cx.address.value("kb")] placeholder="KB5034123" size="12"; }
                label { (t::filter_collection(cx)) " " input type="text" name="collection" value=[cx.address.value("collection")] size="24"; }
                label.check { input type="checkbox" name="kev_only" value="1" checked[cx.address.value("kev_only") == Some("1")]; (t::filter_kev_only(cx)) }
            }
        }
    }
}
