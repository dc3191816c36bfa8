//! The five tiles. Each says one thing and leads to it.

use maud::{Markup, html};
use weir_api::{compliance::Summary, exposure, freshness::FreshnessSummary, sync::SyncStatus};

use crate::{
    cx::Cx,
    screens::current::Current,
    texts::{overview as t, top},
    ui::{
        self,
        badge::{Tone, badge},
        chart,
    },
};

/// Percent of computers from which coverage and compliance count as good.
const GOAL: f64 = 95.0;

/// All five.
pub(super) fn tiles(
    cx: &Cx,
    summary: &Summary,
    freshness: FreshnessSummary,
    exposure: &exposure::Summary,
    sync: &SyncStatus,
) -> Markup {
    let silent = freshness.computers.saturating_sub(freshness.classes.current);
    let breached = exposure.levels.breached;
    let current = Current::from(summary);
    html! {
        ul.tiles {
            (tile(cx.to("/computers/stale").to_string(), t::coverage(cx), &ui::percent(cx, freshness.current_percent), &html! {
                (chart::meter(cx, t::coverage(cx), freshness.current_percent, Some(GOAL)))
                p { @if silent == 0 { (t::coverage_all(cx)) } @else { (t::coverage_missing(cx, silent)) } }
                // the tile is one link
                (current.silence(cx, None))
            }))
            (tile(cx.to("/computers").to_string(), t::compliant(cx), &ui::percent(cx, summary.percent), &html! {
                (chart::meter(cx, t::compliant(cx), summary.percent, Some(GOAL)))
                p { (t::compliant_of(cx, summary.computers, ui::number(cx, summary.compliant))) }
                (current.worth(cx))
            }))
            (tile(cx.to("/updates/exposure").with("level", "breached").to_string(), t::breaches(cx), &ui::number(cx, breached), &html! {
                @if exposure.documents == 0 { p { (t::breaches_unknown(cx)) } }
                @else if breached == 0 { p { (badge(Tone::Good, t::breaches_none(cx))) } }
                @else { p { (badge(Tone::Bad, &t::breaches_computers(cx, exposure.computers_breached))) } }
                @if exposure.levels.due_soon > 0 { p { (t::due_soon(cx, exposure.levels.due_soon)) } }
            }))
            (tile(cx.to("/computers/errors").to_string(), t::failing(cx), &ui::number(cx, summary.counts.failed), &html! {
                @if summary.counts.failed == 0 { p { (badge(Tone::Good, t::failing_none(cx))) } }
                @else { p { (badge(Tone::Bad, &t::failing_computers(cx, summary.counts.failed))) } }
                @if summary.counts.pending_restart > 0 { p { (t::restarts(cx, summary.counts.pending_restart)) } }
            }))
            (synchronization(cx, sync))
        }
    }
}

fn tile(address: String, title: &str, figure: &str, content: &Markup) -> Markup {
    html! {
        li.tile {
            h2 { a href=(address) { (title) } }
            p.figure { (figure) }
            (content)
        }
    }
}

fn synchronization(cx: &Cx, sync: &SyncStatus) -> Markup {
    let figure = match sync.last_success {
        Some(at) => ui::ago(cx, at).into_string(),
        None => t::never(cx).to_owned(),
    };
    let failed = sync.last.as_ref().and_then(|run| run.error.as_ref());
    html! {
        li.tile {
            h2 { a href=(cx.to("/infrastructure/synchronization")) { (t::synchronization(cx)) } }
            p.figure.words {
                @if sync.last_success.is_some() { (maud::PreEscaped(figure)) } @else { (figure) }
            }
            @if let Some(run) = &sync.current {
                @let progress = run.progress.as_ref();
                (ui::progress(cx, &progress.map_or_else(String::new, |progress| top::sync_phase(cx, &ui::word(&progress.phase))),
                    progress.map_or(0, |progress| progress.done), progress.map_or(0, |progress| progress.total)))
            } @else if let Some(error) = failed {
                p { (badge(Tone::Bad, t::sync_failed(cx))) }
                p lang="en" { (error.next_step) }
            } @else if let Some(run) = &sync.last {
                p { (t::sync_brought(cx, run.added, ui::number(cx, run.revised))) }
            }
            @if let Some(next) = &sync.next { p.quiet { (t::sync_next(cx)) " " (ui::ago(cx, next.at)) } }
        }
    }
}
