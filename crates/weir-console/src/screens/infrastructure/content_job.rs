//! One job on content: how far it is, and what it found or did.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    content::{ContentError, ContentJob, ContentJobState},
};

use super::may;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{infrastructure as t, infrastructure_files as f, top},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid},
    },
};

/// The tab of jobs.
const TAB: &str = "/infrastructure/content?tab=jobs";

fn state(cx: &Cx, job: &ContentJob) -> Markup {
    let tone = match job.state {
        ContentJobState::Done => Tone::Good,
        ContentJobState::Failed => Tone::Bad,
        ContentJobState::Running | ContentJobState::Waiting => Tone::Busy,
        ContentJobState::Cancelled => Tone::Plain,
    };
    badge(tone, &top::job_states(cx, &ui::word(&job.state)))
}

fn open(job: &ContentJob) -> bool {
    matches!(job.state, ContentJobState::Running | ContentJobState::Waiting)
}

/// The grid of jobs.
pub(super) fn grid<'a>(cx: &'a Cx, jobs: &'a [ContentJob]) -> Grid<'a, ContentJob> {
    let columns = vec![
        Column::new("task", t::job(cx), |job: &ContentJob| {
            html! { a href=(path(&["infrastructure", "content", "jobs", &job.id.to_string()])) { (top::content_task(cx, &ui::word(&job.task))) } }
        })
        .text(|job| ui::word(&job.task))
        .wide()
        .narrow(),
        Column::new("state", t::state(cx), |job: &ContentJob| state(cx, job)).text(|job| ui::word(&job.state)).narrow(),
        Column::new("progress", f::progress(cx), |job: &ContentJob| {
            html! { @if open(job) { (ui::progress(cx, "", job.progress.files, job.progress.files_total)) } @else { (f::files_count(cx, job.progress.files)) } }
        })
        .text(|job| job.progress.files.to_string())
        .narrow(),
        Column::new("bytes", t::size(cx), |job: &ContentJob| html! { (ui::bytes(cx, job.progress.bytes)) })
            .text(|job| job.progress.bytes.to_string())
            .numeric(),
        Column::new("asked", f::asked_at(cx), |job: &ContentJob| ui::time(cx, job.created_at)).text(|job| job.created_at.to_string()),
        Column::new("ended", t::ended(cx), |job: &ContentJob| ui::time_or(cx, job.ended_at))
            .text(|job| job.ended_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("by", t::asked_by(cx), |job: &ContentJob| html! { (job.created_by) }).text(|job| job.created_by.clone()),
    ];
    Grid::new(cx, "content-jobs", f::content_tabs(cx, "jobs"), columns, jobs).empty(html! { p { (f::no_jobs(cx)) } })
}

/// The page.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let job: ContentJob = cx.api.get(&path(&["content", "jobs", &id]), &()).await?;
    let body = html! {
        @if open(&job) {
            section.panel { (ui::progress(&cx, &top::content_task(&cx, &ui::word(&job.task)), job.progress.files, job.progress.files_total)) }
        }
        @if let Some(error) = &job.error { div.panel.failure role="alert" { p lang="en" { (error) } } }
        (outcome(&cx, &job))
    };
    let actions = html! {
        @if open(&job) && may(&cx, Role::Operator) {
            form.inline method="post" action=(path(&["infrastructure", "content", "jobs", &id, "cancel"])) {
                button type="submit" { (f::job_cancel(&cx)) }
            }
        }
    };
    Page::new(&cx, top::content_task(&cx, &ui::word(&job.task)))
        .crumb(t::content(&cx), TAB)
        .fact(t::state(&cx), state(&cx, &job))
        .fact(t::asked_by(&cx), html! { (job.created_by) " " (ui::ago(&cx, job.created_at)) })
        .fact(t::ended(&cx), ui::time_or(&cx, job.ended_at))
        .actions(actions)
        .body(ui::live("content-job", "content jobs", body))
        .render()
        .await
}

fn outcome(cx: &Cx, job: &ContentJob) -> Markup {
    let number = |label: &str, number: u64| (label.to_owned(), html! { (ui::number(cx, number)) });
    html! {
        @if let Some(found) = &job.verified {
            section.panel { (ui::facts([
                number(f::checked(cx), found.checked), number(f::good(cx), found.good), number(f::bad(cx), found.bad),
            ])) }
            (errors(cx, &found.errors))
        }
        @if let Some(done) = &job.repaired {
            section.panel {
                (ui::facts([
                    number(f::checked(cx), done.checked), number(f::bad(cx), done.bad), number(f::adopted(cx), done.adopted),
                    number(f::queued(cx), done.queued), number(f::no_source_known(cx), done.without_source),
                    (f::unknown_files(cx).to_owned(), html! { (ui::number(cx, done.unknown)) " · " (ui::bytes(cx, done.unknown_bytes)) }),
                ]))
                @if done.without_source > 0 { p { (f::missing_by_hand(cx)) " " a href="/infrastructure/import" { (f::content_by_hand(cx)) } } }
            }
            (errors(cx, &done.errors))
        }
        @if let Some(done) = &job.collected {
            section.panel {
                @if done.dry_run { p { (badge(Tone::Plain, f::dry_run(cx))) } }
                (ui::facts([
                    (f::removed(cx).to_owned(), html! { (f::files_count(cx, done.files)) " · " (ui::bytes(cx, done.bytes)) }),
                    number(f::too_young(cx), done.young),
                    (f::from_quarantine(cx).to_owned(), html! { (f::files_count(cx, done.quarantined)) " · " (ui::bytes(cx, done.quarantined_bytes)) }),
                ]))
            }
        }
    }
}

fn errors(cx: &Cx, errors: &[ContentError]) -> Markup {
    html! {
        @if !errors.is_empty() {
            (ui::panel(f::what_was_bad(cx), &html! {
                ul.error-list { @for error in errors { li { code { (error.file) } " " span lang="en" { (error.message) } } } }
            }))
        }
    }
}

/// Stops a job; what it did stays.
pub(super) async fn cancel(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let _: ContentJob = cx.api.delete(&path(&["content", "jobs", &id])).await?;
    Ok(f::flash_job_cancelled().to(path(&["infrastructure", "content", "jobs", &id])))
}
