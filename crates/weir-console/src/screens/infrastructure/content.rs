//! Content: how much there is and how much room, what is on its way, what is missing, and the work that looks after it.

use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use weir_api::{
    List,
    content::{
        ContentFile, ContentForecast, ContentJob, ContentList, ContentQuery, ContentResting, ContentState,
        ContentStatus,
    },
};

use super::{content_act, content_job, span};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{infrastructure as t, infrastructure_files as f},
    ui::{
        self,
        badge::{Tone, badge},
        chart::{self, Amount, Piece},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Rows of a page.
const ROWS: u32 = 100;

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let tab = cx.address.value("tab");
    if wants_csv(&cx.address) {
        return csv(&cx, tab).await;
    }
    let forecast = async { if tab.is_none() { forecast(&cx).await } else { Ok(Vec::new()) } };
    let (status, forecast) = tokio::join!(cx.api.get::<ContentStatus>("/content/status", &()), forecast);
    let status = status?;
    let body = match tab {
        None => overview(&cx, &status, &forecast?),
        Some("files") => files(&cx).await?,
        Some("queue") => ui::live("content-queue", "content", queue(&cx, &status)),
        Some("jobs") => jobs(&cx).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    Page::new(&cx, t::content(&cx))
        .fact(t::stored_here(&cx), html! { (f::files_count(&cx, status.files)) " · " (ui::bytes(&cx, status.bytes)) })
        .fact(
            f::awaited(&cx),
            html! { (f::files_count(&cx, status.waiting_files)) " · " (ui::bytes(&cx, status.waiting_bytes)) },
        )
        .fact(f::free(&cx), html! { (ui::bytes(&cx, status.free_bytes)) })
        .tabs(vec![
            Tab::new(&cx, "room", true, f::content_tabs(&cx, "room")),
            Tab::new(&cx, "files", false, f::content_tabs(&cx, "files")),
            Tab::new(&cx, "queue", false, f::content_tabs(&cx, "queue")).number(status.waiting_files),
            Tab::new(&cx, "jobs", false, f::content_tabs(&cx, "jobs")),
        ])
        .actions(html! { a.button href="/settings" { (f::content_settings(&cx)) } })
        .body(body)
        .render()
        .await
}

async fn csv(cx: &Cx, tab: Option<&str>) -> Result<Response, Failure> {
    match tab {
        Some("queue") => {
            let status: ContentStatus = cx.api.get("/content/status", &()).await?;
            Ok(resting_grid(cx, &status.resting).csv())
        }
        Some("jobs") => {
            let list: List<ContentJob> = cx.api.get("/content/jobs", &()).await?;
            Ok(content_job::grid(cx, &list.items).csv())
        }
        _ => {
            let rows = cx
                .api
                .all(CSV_ROWS, |cursor| {
                    let query = ContentQuery { state: state(cx), cursor, limit: Some(1000) };
                    async move {
                        let list: ContentList = cx.api.get("/content", &query).await?;
                        Ok(List { items: list.items, next: list.next })
                    }
                })
                .await?;
            Ok(file_grid(cx, &rows).csv())
        }
    }
}

/// What each mode would take.
async fn forecast(cx: &Cx) -> Result<Vec<ContentForecast>, Failure> {
    match cx.api.get::<List<ContentForecast>>("/content/forecast", &()).await {
        Ok(list) => Ok(list.items),
        // who may not see the whole site sees what is here all the same
        Err(Failure::Refused(problem)) if problem.status == 403 => Ok(Vec::new()),
        Err(failure) => Err(failure),
    }
}

/// The room there is, what takes it, and what each mode would take.
fn overview(cx: &Cx, status: &ContentStatus, forecast: &[ContentForecast]) -> Markup {
    let mode = ui::word(&status.mode);
    let live = html! {
        (warnings(cx, status))
        div.columns {
            div {
                section.panel { (room(cx, status)) }
                @if !forecast.is_empty() { (forecasts(cx, forecast)) }
            }
            section.panel {
                h2 { (f::kept_here(cx)) }
                (ui::facts([
                    (f::mode(cx).to_owned(), html! { (f::modes(cx, &mode)) }),
                    (f::express(cx).to_owned(), html! { (if status.express { t::yes(cx) } else { t::no(cx) }) }),
                    (f::languages(cx).to_owned(), html! { @if status.languages.is_empty() { (f::all_languages(cx)) } @else { (status.languages.join(", ")) } }),
                    (f::upstream_serves(cx).to_owned(), html! { (if status.upstream_serves { t::yes(cx) } else { t::no(cx) }) }),
                    (f::reserve(cx).to_owned(), html! { (ui::bytes(cx, status.reserve_bytes)) }),
                    (f::quota(cx).to_owned(), status.quota_bytes.map_or_else(|| ui::none(cx), |bytes| html! { (ui::bytes(cx, bytes)) })),
                ]))
                p { a href="/settings/products" { (f::choose_languages(cx)) } }
            }
        }
        @if !status.awaited.is_empty() {
            (ui::panel(f::awaited_for(cx), &html! {
                div.scroll { table {
                    thead { tr { th scope="col" { (t::why(cx)) } th.number scope="col" { (f::files_label(cx)) } th.number scope="col" { (t::size(cx)) } } }
                    tbody { @for one in &status.awaited {
                        tr { th scope="row" { (f::reasons(cx, &ui::word(&one.reason))) } td.number { (ui::number(cx, one.files)) } td.number { (ui::bytes(cx, one.bytes)) } }
                    } }
                } }
            }))
        }
    };
    ui::live("content-room", "content settings", live)
}

/// Of when something is, if that is not now.
fn of(cx: &Cx, at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { p.quiet { (t::as_of(cx)) " " (ui::ago(cx, at)) } } }
}

fn warnings(cx: &Cx, status: &ContentStatus) -> Markup {
    html! {
        (of(cx, status.as_of))
        @if status.paused { div.panel.warn { p { strong { (f::paused(cx)) } } p { (f::paused_help(cx)) } } }
        @if let Some(held) = &status.held {
            div.panel.warn {
                p { strong { (f::held(cx, held.files)) } " " (ui::bytes(cx, held.bytes)) }
                p lang="en" { (held.reason) }
            }
        }
    }
}

/// The disk: what content takes, what is still to come, what has to stay free, what is left.
fn room(cx: &Cx, status: &ContentStatus) -> Markup {
    let coming = status.waiting_bytes.saturating_sub(status.waiting_bytes_here);
    let reserve = status.reserve_bytes.min(status.free_bytes);
    let free = status.free_bytes.saturating_sub(reserve);
    let bar = |label: &str, pieces: Vec<Piece>| Amount { label: label.to_owned(), link: None, pieces };
    let mut bars = vec![
        bar(
            f::on_disk(cx),
            vec![
                Piece::new("tone-good", t::stored_here(cx), status.bytes),
                Piece::new("tone-plain", f::free(cx), free),
                Piece::new("tone-warn", f::reserve(cx), reserve),
            ],
        ),
        bar(
            f::with_what_comes(cx),
            vec![
                Piece::new("tone-good", t::stored_here(cx), status.bytes),
                Piece::new("tone-busy", f::to_come(cx), coming),
            ],
        ),
    ];
    if let Some(quota) = status.quota_bytes {
        bars.push(bar(f::quota(cx), vec![Piece::new("tone-warn", f::quota(cx), quota)]));
    }
    chart::amounts(cx, f::disk(cx), &bars, |bytes| ui::bytes(cx, bytes))
}

/// What each way of keeping files would take, and what keeps it from being done.
fn forecasts(cx: &Cx, forecast: &[ContentForecast]) -> Markup {
    let bars: Vec<Amount> = forecast
        .iter()
        .map(|one| {
            let mode = f::modes(cx, &ui::word(&one.mode));
            Amount {
                label: if one.current { format!("{mode} ({})", f::holds_now(cx)) } else { mode },
                link: None,
                pieces: vec![
                    Piece::new("tone-good", t::stored_here(cx), one.room.bytes_here),
                    Piece::new("tone-busy", f::to_fetch(cx), one.room.bytes_to_fetch),
                ],
            }
        })
        .collect();
    html! {
        section.panel {
            (chart::amounts(cx, f::forecast(cx), &bars, |bytes| ui::bytes(cx, bytes)))
            (of(cx, forecast.iter().find_map(|one| one.as_of)))
            div.scroll { table {
                caption.hide { (f::forecast(cx)) }
                thead { tr {
                    th scope="col" { (f::mode(cx)) } th.number scope="col" { (f::files_label(cx)) } th.number scope="col" { (f::to_fetch(cx)) }
                    th.number scope="col" { (f::free_after(cx)) } th.number scope="col" { (f::no_source_known(cx)) }
                } }
                tbody {
                    @for one in forecast {
                        tr {
                            th scope="row" {
                                (f::modes(cx, &ui::word(&one.mode))) @if one.current { " " (badge(Tone::Good, f::holds_now(cx))) }
                                @if let Some(problem) = &one.room.problem { div lang="en" { (badge(Tone::Bad, problem)) } }
                            }
                            td.number { (ui::number(cx, one.room.files)) }
                            td.number { (ui::bytes(cx, one.room.bytes_to_fetch)) }
                            td.number { (ui::bytes(cx, one.room.free_after)) }
                            td.number { (ui::number(cx, one.without_source)) }
                        }
                    }
                }
            } }
        }
    }
}

fn state(cx: &Cx) -> Option<ContentState> {
    match cx.address.value("state") {
        Some("present") => Some(ContentState::Present),
        Some("absent") => Some(ContentState::Absent),
        Some("waiting") => Some(ContentState::Waiting),
        _ => None,
    }
}

async fn files(cx: &Cx) -> Result<Markup, Failure> {
    let query =
        ContentQuery { state: state(cx), cursor: cx.address.value("cursor").map(str::to_owned), limit: Some(ROWS) };
    let list: ContentList = cx.api.get("/content", &query).await?;
    let chosen = cx.address.value("state").unwrap_or_default();
    let filters = html! {
        label { (t::state(cx)) " "
            select name="state" data-submit {
                @for each in ["", "present", "waiting", "absent"] { option value=(each) selected[each == chosen] { (f::file_filters(cx, each)) } }
            }
        }
    };
    let empty = match query.state {
        Some(ContentState::Waiting) => ui::empty(f::nothing_missing(cx), None),
        Some(ContentState::Absent) => ui::empty(f::nothing_lost(cx), None),
        _ => ui::empty(f::no_content(cx), Some((f::content_by_hand(cx), "/infrastructure/import"))),
    };
    let grid = file_grid(cx, &list.items).next(list.next.as_deref()).filters(filters).empty(empty);
    Ok(html! {
        @if query.state == Some(ContentState::Waiting) && list.items.iter().any(|file| file.sources.is_empty()) {
            div.panel.warn { p { (f::missing_by_hand(cx)) } p { a href="/infrastructure/import" { (f::content_by_hand(cx)) } } }
        }
        (of(cx, list.as_of))
        (ui::live("content-files", "content", grid.render()))
    })
}

fn file_grid<'a>(cx: &'a Cx, files: &'a [ContentFile]) -> Grid<'a, ContentFile> {
    let columns = vec![
        Column::new("name", f::file(cx), |file: &ContentFile| html! { (file.name) div.quiet { code { (file.digest) } } })
            .text(|file| file.name.clone())
            .wide()
            .narrow(),
        Column::new("state", t::state(cx), |file: &ContentFile| {
            let tone = match file.state {
                ContentState::Present => Tone::Good,
                ContentState::Waiting => Tone::Busy,
                ContentState::Absent => Tone::Bad,
            };
            html! {
                (badge(tone, &f::file_states(cx, &ui::word(&file.state))))
                @if file.state != ContentState::Present && file.sources.is_empty() { " " (badge(Tone::Bad, f::no_source_known(cx))) }
                @if let Some(error) = &file.error { div.quiet lang="en" { (error) } }
            }
        })
        .text(|file| ui::word(&file.state))
        .narrow(),
        Column::new("size", t::size(cx), |file: &ContentFile| html! { (ui::bytes(cx, file.size)) })
            .text(|file| file.size.to_string())
            .numeric()
            .narrow(),
        Column::new("sources", f::sources(cx), |file: &ContentFile| html! { @for source in &file.sources { code { (source) } br; } })
            .text(|file| file.sources.join(" "))
            .hidden(),
        Column::new("error", f::error(cx), |file: &ContentFile| html! { span lang="en" { (file.error.as_deref().unwrap_or_default()) } })
            .text(|file| file.error.clone().unwrap_or_default())
            .hidden(),
        Column::new("digest", "SHA-1", |file: &ContentFile| html! { code { (file.digest) } })
            .text(|file| file.digest.to_string())
            .hidden(),
        Column::new("sha256", "SHA-256", |file: &ContentFile| html! {
            code { @if let Some(digest) = &file.sha256 { (digest) } }
        })
        .text(|file| file.sha256.as_ref().map(ToString::to_string).unwrap_or_default())
        .hidden(),
    ];
    Grid::new(cx, "content", f::content_tabs(cx, "files"), columns, files)
}

/// What is on its way, what rests, and which deployments wait for it.
fn queue(cx: &Cx, status: &ContentStatus) -> Markup {
    html! {
        (warnings(cx, status))
        @match &status.running {
            Some(run) => section.panel.stack {
                h2 { (f::fetching(cx)) }
                p {
                    (f::rate(cx, ui::bytes(cx, run.bytes_per_second))) " · " (f::fetched(cx, run.fetched))
                    @if run.failed > 0 { " · " (badge(Tone::Warn, &f::attempts_failed(cx, run.failed))) }
                    @if let Some(left) = run.seconds_left { " · " (t::time_left(cx, span(cx, left))) }
                }
                @for file in &run.files {
                    div.progress {
                        span { (file.name) " " span.quiet { (file.host) } }
                        progress max=(file.size.max(1)) value=(file.got.min(file.size)) aria-label=(file.name) {}
                        span.number { (ui::bytes(cx, file.got)) " / " (ui::bytes(cx, file.size)) }
                    }
                }
            },
            None if status.waiting_files == 0 => { (ui::empty(f::queue_empty(cx), None)) },
            None => section.panel { p { (f::queue_rests(cx, status.waiting_files)) } p { a href="/infrastructure/content?tab=files&state=waiting" { (f::see_missing(cx)) } } },
        }
        @if !status.deployments.is_empty() {
            (ui::panel(&f::deployments_wait(cx, status.deployments_waiting), &html! {
                div.scroll { table {
                    thead { tr { th scope="col" { (f::deployment(cx)) } th scope="col" { (f::collection(cx)) } th.number scope="col" { (f::files_label(cx)) } th.number scope="col" { (t::size(cx)) } } }
                    tbody { @for one in &status.deployments {
                        tr {
                            th scope="row" { a href=(path(&["deployments", &one.id.to_string()])) { (one.title) } }
                            td { (one.collection) } td.number { (ui::number(cx, one.files)) } td.number { (ui::bytes(cx, one.bytes)) }
                        }
                    } }
                } }
            }))
        }
        @if status.resting_files > 0 {
            h2 { (f::resting(cx, status.resting_files)) }
            (resting_grid(cx, &status.resting).render())
        }
    }
}

fn resting_grid<'a>(cx: &'a Cx, files: &'a [ContentResting]) -> Grid<'a, ContentResting> {
    let columns = vec![
        Column::new(
            "name",
            f::file(cx),
            |file: &ContentResting| html! { (file.name) div.quiet { code { (file.digest) } } },
        )
        .text(|file| file.name.clone())
        .wide()
        .narrow(),
        Column::new("until", f::tried_again(cx), |file: &ContentResting| ui::ago(cx, file.until))
            .text(|file| file.until.to_string())
            .narrow(),
        Column::number(cx, "failures", f::failures(cx), |file: &ContentResting| u64::from(file.failures)).narrow(),
        Column::new("why", t::why(cx), |file: &ContentResting| html! { span lang="en" { (file.reason) } })
            .text(|file| file.reason.clone()),
    ];
    Grid::new(cx, "resting", f::content_tabs(cx, "queue"), columns, files)
}

/// The work that looks after content: what was done, and the forms that start some.
async fn jobs(cx: &Cx) -> Result<Markup, Failure> {
    let list: List<ContentJob> = cx.api.get("/content/jobs", &()).await?;
    Ok(html! {
        (content_act::forms(cx))
        (ui::live("content-jobs-live", "content jobs", content_job::grid(cx, &list.items).render()))
    })
}
