//! Clean-up: what is superseded, withdrawn, declined or obsolete, what a run would do with it, runs.

mod act;
mod history;
mod preview;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    cleanup::{Cleanup, CleanupRules, CleanupRun, CleanupState},
};

use crate::{
    Console,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{cleanup as t, common, top},
    ui::{
        self,
        badge::{Tone, badge},
        grid::wants_csv,
        tabs::Tab,
    },
};

use super::may_here;

/// Where the rules are set.
const SETTINGS: &str = "/settings/site?text=cleanup";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/updates/cleanup", get(show))
        .route("/updates/cleanup/run", post(act::run))
        .route("/updates/cleanup/runs/{id}/stop", post(act::stop))
}

/// The page, with the tab of the address.
async fn show(cx: Cx) -> Result<Response, Failure> {
    let tab = cx.address.value("tab");
    if wants_csv(&cx.address) {
        return match tab {
            None => preview::csv(&cx).await,
            Some("runs") => history::runs_csv(&cx).await,
            Some("removed") => history::removed_csv(&cx).await,
            Some(_) => Err(Failure::NotFound),
        };
    }
    let cleanup: Cleanup = cx.api.get("/cleanup", &()).await?;
    let body = match tab {
        None => preview::show(&cx, &cleanup).await?,
        Some("runs") => history::runs(&cx).await?,
        Some("removed") => history::removed(&cx).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let tabs = vec![
        Tab::new(&cx, "preview", true, t::preview(&cx)),
        Tab::new(&cx, "runs", false, t::runs(&cx)),
        Tab::new(&cx, "removed", false, t::removed(&cx)),
    ];
    let acts = html! {
        @if may_here(&cx, Role::Operator) && cleanup.current.is_none() {
            form.inline method="post" action="/updates/cleanup/run" data-dialog { button.primary type="submit" { (t::run_now(&cx)) } }
        }
        a.button href=(SETTINGS) { (t::settings(&cx)) }
    };
    let last = cleanup.last.as_ref().and_then(|run| run.ended_at);
    Page::new(&cx, t::title(&cx))
        .fact(t::last_run(&cx), last.map_or_else(|| html! { (t::never(&cx)) }, |at| ui::ago(&cx, at)))
        .fact(t::unused(&cx), html! { (ui::bytes(&cx, cleanup.unused_bytes)) })
        .tabs(tabs)
        .actions(acts)
        .body(html! { (ui::live("cleanup-state", "jobs updates settings", standing(&cx, &cleanup))) (body) })
        .render()
        .await
}

/// The run that is under way, how the last one ended, what should be known.
fn standing(cx: &Cx, cleanup: &Cleanup) -> Markup {
    html! {
        @if cleanup.follows { div.panel.warn { p { (t::follows(cx)) } } }
        @if let Some(run) = &cleanup.current { (current(cx, run)) }
        @else if let Some(run) = &cleanup.last {
            @if run.state == CleanupState::Failed {
                div.panel.warn { p { strong { (t::last_failed(cx)) } } p lang="en" { (run.error.as_deref().unwrap_or_default()) } }
            }
        }
        @if cleanup.unused_bytes > 0 {
            p.quiet { @if cleanup.can_give_back { (t::given_back_by_itself(cx)) } @else { (t::used_again(cx)) } }
        }
        @if let Some(next) = &cleanup.next_step { p.quiet lang="en" { (next) } }
    }
}

fn current(cx: &Cx, run: &CleanupRun) -> Markup {
    let counts = &run.counts;
    let (done, total) = (counts.declined + counts.revisions, counts.to_decline + counts.to_remove);
    html! {
        section.panel {
            h2 { (t::running(cx)) " " (state(cx, run.state)) }
            (ui::progress(cx, &t::phase(cx, &counts.phase), done, total))
            p { (t::did(cx, counts.declined, ui::number(cx, counts.revisions), ui::bytes(cx, counts.bytes))) }
            p.quiet { (run.asked_by) " · " (ui::time(cx, run.asked_at)) }
            @if may_here(cx, Role::Operator) {
                form.inline method="post" action=(crate::address::path(&["updates", "cleanup", "runs", &run.id.to_string(), "stop"])) {
                    button type="submit" { (t::stop(cx)) }
                }
                " " span.quiet { (t::stop_help(cx)) }
            }
        }
    }
}

/// The badge of a run.
fn state(cx: &Cx, state: CleanupState) -> Markup {
    let tone = match state {
        CleanupState::Running | CleanupState::Waiting => Tone::Busy,
        CleanupState::Done => Tone::Good,
        CleanupState::Failed => Tone::Bad,
        CleanupState::Cancelled => Tone::Warn,
    };
    badge(tone, &top::job_states(cx, &ui::word(&state)))
}

/// Rules in words.
fn rules(cx: &Cx, rules: &CleanupRules) -> Markup {
    let after =
        |days: u32| if days == 0 { t::never(cx).to_owned() } else { t::after(cx, common::days(cx, u64::from(days))) };
    let yes = |on: bool| if on { t::yes(cx) } else { t::no(cx) }.to_owned();
    ui::facts(
        [
            (t::superseded(cx), wait(cx, &rules.superseded)),
            (t::superseded_features(cx), wait(cx, &rules.superseded_features)),
            (t::keep_until_deployed(cx), yes(rules.keep_until_deployed)),
            (t::keep_narrower(cx), yes(rules.keep_narrower)),
            (t::expired_days(cx), after(rules.expired_days)),
            (t::declined_days(cx), after(rules.declined_days)),
            (t::obsolete_days(cx), after(rules.obsolete_days)),
        ]
        .map(|(label, value)| (label.to_owned(), html! { (value) })),
    )
}

/// When superseded updates are declined: `off`, `immediately` or `months:N`.
fn wait(cx: &Cx, wait: &str) -> String {
    match wait.strip_prefix("months:").and_then(|months| months.parse::<u64>().ok()) {
        Some(months) => t::months(cx, months),
        None => t::waits(cx, wait),
    }
}
