//! Synchronization: how it stands, when it runs by itself, where it comes from.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    access::Role,
    sync::{Schedule, SyncProgress, SyncRun, SyncState, SyncStatus},
};

use super::{criteria, may, source, span, sync_history};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{infrastructure as t, top},
    ui::{
        self,
        badge::{Tone, badge},
        form::Errors,
        grid::wants_csv,
        schedule,
        tabs::Tab,
    },
};

/// Where the page is.
pub(super) const HERE: &str = "/infrastructure/synchronization";
/// When it may run by itself.
const REPEATS: [&str; 7] = ["off", "hours", "days", "weeks", "month_day", "month_weekday", "text"];
/// What a run goes through, in order. Some sources leave some out.
const PHASES: [&str; 12] = [
    "starting",
    "authorizing",
    "configuration",
    "categories",
    "updates",
    "members",
    "storing",
    "deployments",
    "criteria",
    "publishing",
    "roll_up",
    "announcing",
];

/// The page, with the tab of the address; or the CSV of the history.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        return match cx.address.value("tab") {
            Some("criteria") => criteria::csv(&cx).await,
            _ => sync_history::csv(&cx).await,
        };
    }
    page(&cx, Form::None).await
}

/// A form of the page that was sent and refused.
pub(super) enum Form<'a> {
    /// None was.
    None,
    /// The schedule.
    Schedule(&'a schedule::Schedule, &'a Errors),
    /// The source.
    Source(&'a source::Sent, &'a Errors),
    /// An act.
    Act(&'a Errors),
}

/// Makes the page, with a form that was refused as it was filled in.
pub(super) async fn page(cx: &Cx, form: Form<'_>) -> Result<Response, Failure> {
    let status: SyncStatus = cx.api.get("/sync", &()).await?;
    let tab = match &form {
        Form::Schedule(..) | Form::Source(..) => Some("settings"),
        Form::Act(_) => None,
        Form::None => cx.address.value("tab"),
    };
    let body = match tab {
        None => {
            let none = Errors::default();
            let errors = if let Form::Act(errors) = form { errors } else { &none };
            html! { (errors.summary(cx)) (ui::live("sync-now", "synchronization", now(cx, &status))) }
        }
        Some("settings") => settings(cx, &status, &form).await?,
        Some("history") => sync_history::list(cx).await?,
        Some("criteria") => criteria::list(cx).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let source = match &status.parent {
        Some(parent) => t::parent_source(cx, parent),
        None => source::name(cx, &status.source),
    };
    let success = status.last_success.map_or_else(|| html! { (t::never(cx)) }, |at| ui::ago(cx, at));
    let next = status.next.as_ref().map_or_else(|| ui::none(cx), |next| ui::ago(cx, next.at));
    let tabs = ["settings", "history", "criteria"].map(|tab| (tab, t::sync_tabs(cx, tab)));
    let mut row = vec![Tab::link(t::sync_tabs(cx, "now"), cx.to(HERE), tab.is_none())];
    row.extend(tabs.into_iter().map(|(key, label)| Tab::link(label, cx.to(HERE).with("tab", key), tab == Some(key))));
    Page::new(cx, t::synchronization(cx))
        .fact(t::source(cx), html! { (source) })
        .fact(t::last_success(cx), success)
        .fact(t::next_run(cx), next)
        .tabs(row)
        .actions(acts(cx, &status))
        .body(body)
        .render()
        .await
}

fn runs(status: &SyncStatus) -> bool {
    let current = status.current.as_ref();
    current.is_some_and(|run| matches!(run.state, SyncState::Running | SyncState::Waiting))
}

fn acts(cx: &Cx, status: &SyncStatus) -> Markup {
    html! {
        @if may(cx, Role::Operator) {
            @if runs(status) {
                form.inline method="post" action={ (HERE) "/cancel" } { button type="submit" { (t::sync_cancel(cx)) } }
            } @else if status.source != "none" || status.parent.is_some() {
                form.inline method="post" action={ (HERE) "/start" } {
                    button.primary type="submit" { (t::sync_now(cx)) }
                    button type="submit" name="full" value="1" title=(t::sync_full_help(cx)) { (t::sync_full(cx)) }
                }
            }
            @if status.parent.is_some() {
                form.inline method="post" action={ (HERE) "/roll-up" } { button type="submit" { (t::roll_up_now(cx)) } }
            }
        }
    }
}

/// The run under way, or how the last one ended and what to do.
fn now(cx: &Cx, status: &SyncStatus) -> Markup {
    let last = status.last.as_ref();
    let next = status.next_step.as_deref();
    let next = last.map_or(next, |run| sync_history::unsaid(run, next));
    html! {
        @if let Some(run) = &status.current { (current(cx, run)) }
        @else if status.source == "none" && status.parent.is_none() {
            (ui::empty(t::no_source(cx), Some((t::choose_source(cx), "/infrastructure/synchronization?tab=settings"))))
            p { a href="/infrastructure/import" { (t::without_network(cx)) } }
        }
        @if let Some(run) = last {
            (fault(cx, run))
            section.panel {
                h2 { (t::last_run(cx)) }
                (sync_history::facts(cx, run))
                p { a href=(path(&["infrastructure", "synchronization", "runs", &run.id.to_string()])) { (t::whole_run(cx)) } }
            }
        } @else if status.current.is_none() && status.source != "none" {
            (ui::empty(t::never_ran(cx), None))
        }
        @if let Some(next) = next { div.panel.warn { p lang="en" { (next) } } }
        section.panel {
            h2 { (t::chosen(cx)) }
            p { (t::chosen_products(cx, status.products)) " · " (t::chosen_classifications(cx, status.classifications)) }
            p { a href="/settings/products" { (t::choose_products(cx)) } }
        }
    }
}

/// Why a run failed: what that means and what to do first, the whole error after it.
pub(super) fn fault(cx: &Cx, run: &SyncRun) -> Markup {
    html! {
        @if let Some(fault) = &run.error {
            div.panel.failure role="alert" {
                h2 { (t::sync_failed(cx)) }
                p lang="en" { (fault.explanation) }
                p lang="en" { strong { (crate::texts::common::next_step(cx)) } " " (fault.next_step) }
                details {
                    summary { (t::whole_error(cx)) }
                    p lang="en" { code { (fault.message) } }
                    p.quiet { (crate::texts::common::problem_code(cx, &fault.code)) }
                }
            }
        }
    }
}

fn current(cx: &Cx, run: &SyncRun) -> Markup {
    html! {
        section.panel.stack {
            h2 { (t::under_way(cx)) }
            @match &run.progress {
                Some(progress) => (phases(cx, progress)),
                None => (ui::progress(cx, &top::job_states(cx, &run.result), 0, 0)),
            }
            p.quiet {
                (t::triggers(cx, &ui::word(&run.trigger))) ", " (run.asked_by) " · " (ui::ago(cx, run.asked_at))
                @if run.full { " · " (t::sync_full(cx)) }
            }
        }
    }
}

fn phases(cx: &Cx, progress: &SyncProgress) -> Markup {
    let phase = ui::word(&progress.phase);
    html! {
        (ui::progress(cx, &top::sync_phase(cx, &phase), progress.done, progress.total))
        p {
            @if progress.per_second > 0 { (t::per_second(cx, progress.per_second)) " · " }
            @if let Some(left) = progress.seconds_left { (t::time_left(cx, span(cx, left))) " · " }
            (t::received(cx, ui::bytes(cx, progress.bytes)))
        }
        ol.phases {
            @for each in PHASES { li aria-current=[(each == phase).then_some("step")] { (top::sync_phase(cx, each)) } }
        }
    }
}

async fn settings(cx: &Cx, status: &SyncStatus, form: &Form<'_>) -> Result<Markup, Failure> {
    let stored: Schedule = cx.api.get("/sync/schedule", &()).await?;
    let may_set = may(cx, Role::FullAdministrator) && status.parent.is_none();
    let none = Errors::default();
    let (filled, schedule_errors) = match form {
        Form::Schedule(filled, errors) => ((*filled).clone(), *errors),
        _ => (schedule::Schedule::read(&stored.text), &none),
    };
    let read = source::Sent::read(&status.source);
    let (source, source_errors) = match form {
        Form::Source(sent, errors) => (*sent, *errors),
        _ => (&read, &none),
    };
    Ok(html! {
        section.panel {
            h2 { (t::source(cx)) }
            @if may_set { (source::form(cx, source, source_errors)) }
            @else {
                p { (source::name(cx, &status.source)) }
                @if let Some(parent) = &status.parent { p.quiet { (t::decided_above(cx, parent)) } }
            }
        }
        div.columns {
            section.panel {
                h2 { (t::schedule(cx)) }
                p { span lang="en" { (stored.description) } }
                @if may_set {
                    form method="post" action={ (HERE) "/schedule" } {
                        (schedule_errors.summary(cx))
                        (filled.fields(cx, schedule_errors, &REPEATS, true))
                        div.buttons { button.primary type="submit" { (t::save(cx)) } }
                    }
                } @else if let Some(parent) = &status.parent { p.quiet { (t::decided_above(cx, parent)) } }
            }
            section.panel {
                h2 { (t::next_runs(cx)) }
                @if stored.next.is_empty() { p.quiet { (t::not_by_itself(cx)) } }
                ol { @for at in &stored.next { li { (ui::time(cx, *at)) } } }
                p.quiet { (t::schedule_zone(cx, &stored.zone)) }
            }
        }
    })
}

/// The mark of how a run stands.
pub(super) fn result(cx: &Cx, run: &SyncRun) -> Markup {
    let tone = match run.result.as_str() {
        "done" => Tone::Good,
        "done_with_warnings" | "interrupted" => Tone::Warn,
        "failed" => Tone::Bad,
        "running" | "waiting" => Tone::Busy,
        _ => Tone::Plain,
    };
    badge(tone, &top::job_states(cx, &run.result))
}
