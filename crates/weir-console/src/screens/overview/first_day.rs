//! The first day: the way from an empty server to a patched computer, with the one button that does the next.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    access::Role,
    status::Status,
    sync::{SyncStart, SyncStarted, SyncStatus},
};

use crate::{
    cx::Cx,
    failure::Failure,
    texts::{overview as t, top},
    ui::{self, icon::Icon},
};

/// The steps: this update point, what REST says, settings. The connected and the disconnected way stand beside each other.
pub(super) fn steps(cx: &Cx, status: &Status, sync: &SyncStatus) -> Markup {
    let next = status.steps.iter().find(|step| !step.done).map(|step| step.name.as_str());
    let address = status.endpoints.client_https.as_ref().or(status.endpoints.client_http.as_ref());
    html! {
        section.panel.first-day {
            @if status.counts.revisions > 0 { h2 { (t::first_day(cx)) } }
            p { (t::first_day_help(cx)) }
            ol.way {
                li.done {
                    h3 { (Icon::Check.show()) (t::step_here(cx)) }
                    p { (t::step_here_help(cx)) @if let Some(address) = address { " " code { (address) } } }
                    p { a href="/settings" { (t::step_settings(cx)) } }
                }
                @for step in &status.steps {
                    @let now = next == Some(step.name.as_str());
                    li.done[step.done].next[now] aria-current=[now.then_some("step")] {
                        h3 {
                            @if step.done { (Icon::Check.show()) span.hide { (t::step_done(cx)) ": " } }
                            (t::step_titles(cx, &step.name))
                        }
                        p { (t::step_helps(cx, &step.name)) }
                        @if now { (act(cx, &step.name, sync)) (ui::command(cx, &step.command)) }
                    }
                }
            }
        }
    }
}

fn act(cx: &Cx, step: &str, sync: &SyncStatus) -> Markup {
    if let Some(run) = &sync.current {
        let progress = run.progress.as_ref();
        let phase = progress.map_or_else(String::new, |progress| top::sync_phase(cx, &ui::word(&progress.phase)));
        let (done, total) = progress.map_or((0, 0), |progress| (progress.done, progress.total));
        return ui::progress(cx, &phase, done, total);
    }
    let page = match step {
        "select" => "/settings/products",
        "computers" => "/settings/policy",
        "collection" => "/computers/collections/new",
        "deploy" => "/updates?view=needed",
        "content" => "/infrastructure/content",
        _ => {
            return html! {
                div.two {
                    div {
                        h4 { (t::connected(cx)) }
                        p { (t::connected_help(cx)) }
                        @if sync.source == "none" {
                            p { a.button.primary href="/infrastructure/synchronization?tab=settings" { (t::choose_source(cx)) } }
                        } @else if cx.may(Role::Operator) {
                            form method="post" action="/first-day/synchronize" {
                                button.primary type="submit" { (t::synchronize_now(cx)) }
                            }
                        }
                    }
                    div {
                        h4 { (t::disconnected(cx)) }
                        p { (t::disconnected_help(cx)) }
                        p { a.button.primary[step == "import"] href="/infrastructure/import" { (t::import(cx)) } }
                    }
                }
            };
        }
    };
    html! { p { a.button.primary href=(page) { (t::step_buttons(cx, step)) } } }
}

/// Starts the first synchronization.
pub(super) async fn synchronize(cx: Cx) -> Result<Response, Failure> {
    let started: SyncStarted = cx.api.post("/sync", &SyncStart::default()).await?;
    Ok(t::flash_synchronizing(started.run.source).to("/"))
}
