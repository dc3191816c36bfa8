//! Long work of every kind: what runs, what waits, what ended.

use axum::{Router, response::Response, routing::get};
use maud::{Markup, html};
use serde_json::Value;
use weir_api::{
    List,
    job::{Job, JobKind, JobQuery, JobState},
};

use crate::{
    Console,
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, top as t},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid, wants_csv},
    },
};

/// Pages.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/jobs", get(show))
}

/// Jobs that are shown at most.
const MOST: u32 = 500;
const KINDS: [JobKind; 13] = [
    JobKind::Backup,
    JobKind::Synchronization,
    JobKind::ContentDownload,
    JobKind::ContentVerify,
    JobKind::ContentRepair,
    JobKind::ContentCollect,
    JobKind::Cleanup,
    JobKind::Rule,
    JobKind::Membership,
    JobKind::Report,
    JobKind::Import,
    JobKind::Export,
    JobKind::Bundle,
];
const STATES: [JobState; 5] =
    [JobState::Running, JobState::Waiting, JobState::Done, JobState::Failed, JobState::Cancelled];

async fn show(cx: Cx) -> Result<Response, Failure> {
    let word = |name: &str| cx.address.value(name).map(Value::from);
    // what is no kind or state is as if it were not there
    let kind = word("of").and_then(|word| serde_json::from_value(word).ok());
    let state = word("state").and_then(|word| serde_json::from_value(word).ok());
    let query = JobQuery { kind, state, limit: Some(MOST) };
    let jobs = cx.api.get::<List<Job>>("/jobs", &query).await?.items;
    let empty = if kind.is_none() && state.is_none() {
        html! { p { (t::jobs_empty(&cx)) } }
    } else {
        ui::empty(t::jobs_none(&cx), Some((t::jobs_all(&cx), "/jobs")))
    };
    let grid = grid(&cx, "jobs", t::jobs(&cx), &jobs).filters(filters(&cx, kind, state)).empty(empty);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = ui::live("jobs-live", "jobs synchronization content", grid.render());
    drop(grid);
    let running = jobs.iter().filter(|job| is_open(job)).count() as u64;
    let failed = jobs.iter().filter(|job| job.state == JobState::Failed).count() as u64;
    Page::new(&cx, t::jobs(&cx))
        .fact(t::jobs_running(&cx), html! { (ui::number(&cx, running)) })
        .fact(t::jobs_failed(&cx), html! { (ui::number(&cx, failed)) })
        .body(body)
        .render()
        .await
}

fn filters(cx: &Cx, kind: Option<JobKind>, state: Option<JobState>) -> Markup {
    html! {
        label.hide for="job-of" { (t::job(cx)) }
        select #job-of name="of" {
            option value="" { (t::jobs_all(cx)) }
            @for each in KINDS { option value=(ui::word(&each)) selected[kind == Some(each)] { (t::job_kinds(cx, &ui::word(&each))) } }
        }
        label.hide for="job-state" { (t::job_state(cx)) }
        select #job-state name="state" {
            option value="" { (t::job_states_all(cx)) }
            @for each in STATES { option value=(ui::word(&each)) selected[state == Some(each)] { (t::job_states(cx, &ui::word(&each))) } }
        }
    }
}

fn is_open(job: &Job) -> bool {
    matches!(job.state, JobState::Running | JobState::Waiting)
}

/// Jobs as a list of this id and caption.
pub(crate) fn grid<'a>(cx: &'a Cx, id: &'static str, caption: &str, jobs: &'a [Job]) -> Grid<'a, Job> {
    let columns = vec![
        Column::new("what", t::job(cx), |job: &Job| what(cx, job)).text(|job| job.title.clone()).wide().narrow(),
        Column::new("state", t::job_state(cx), |job: &Job| {
            let progress = job.progress.filter(|_| is_open(job));
            html! {
                (mark(cx, job.state))
                @if let Some(progress) = progress { (ui::progress(cx, "", progress.done, progress.total)) }
            }
        })
        .text(|job| ui::word(&job.state))
        .narrow(),
        Column::new("result", t::job_result(cx), |job: &Job| html! { span lang="en" { (outcome(job)) } })
            .text(|job| outcome(job).to_owned()),
        Column::new("began", t::job_began(cx), |job: &Job| ui::time_or(cx, job.started_at.or(job.asked_at)))
            .text(|job| job.started_at.or(job.asked_at).map(|at| at.to_string()).unwrap_or_default()),
        Column::new("ended", t::job_ended(cx), |job: &Job| ui::time_or(cx, job.ended_at))
            .text(|job| job.ended_at.map(|at| at.to_string()).unwrap_or_default())
            .narrow(),
        Column::new(
            "by",
            t::job_by(cx),
            |job: &Job| html! { (job.asked_by.as_deref().unwrap_or_else(|| common::none(cx))) },
        )
        .text(|job| job.asked_by.clone().unwrap_or_default()),
    ];
    Grid::new(cx, id, caption, columns, jobs)
}

/// How it ended, or why it failed.
fn outcome(job: &Job) -> &str {
    job.error.as_deref().or(job.result.as_deref()).unwrap_or_default()
}

/// What a job does, leading to its page, and what it is about where the kind does not say it.
fn what(cx: &Cx, job: &Job) -> Markup {
    let about = matches!(
        job.kind,
        JobKind::Bundle | JobKind::Membership | JobKind::Report | JobKind::Rule | JobKind::Synchronization
    );
    html! {
        a href=(page_of(job)) { (t::job_kinds(cx, &ui::word(&job.kind))) }
        @if about { div.quiet lang="en" { (job.title) } }
    }
}

/// Where a job is looked at.
fn page_of(job: &Job) -> String {
    let id = job.id.as_str();
    match job.kind {
        JobKind::Backup => "/infrastructure/backups?tab=runs".to_owned(),
        JobKind::Bundle => path(&["infrastructure", "import", "bundles", id]),
        JobKind::Cleanup => "/updates/cleanup?tab=runs".to_owned(),
        JobKind::ContentCollect | JobKind::ContentDownload | JobKind::ContentRepair | JobKind::ContentVerify => {
            path(&["infrastructure", "content", "jobs", id])
        }
        JobKind::Export => path(&["infrastructure", "export", id]),
        JobKind::Import => path(&["infrastructure", "import", id]),
        JobKind::Membership => "/computers/collections".to_owned(),
        JobKind::Report => path(&["reports", "schedules", id]),
        // a run is found below its rule, of which only the name is told
        JobKind::Rule => "/deployments/rules".to_owned(),
        JobKind::Synchronization => path(&["infrastructure", "synchronization", "runs", id]),
    }
}

fn mark(cx: &Cx, state: JobState) -> Markup {
    let tone = match state {
        JobState::Running | JobState::Waiting => Tone::Busy,
        JobState::Done => Tone::Good,
        JobState::Failed => Tone::Bad,
        JobState::Cancelled => Tone::Plain,
    };
    badge(tone, &t::job_states(cx, &ui::word(&state)))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::tests::Stub;

    const HOSTILE: &str = "<script>alert(1)</script>";

    fn stub() -> Stub {
        let job = |id: &str, kind: &str, state: &str| {
            json!({"id": id, "kind": kind, "title": HOSTILE, "state": state, "asked_by": HOSTILE, "asked_at": "2026-11-30T09:00:00Z",
                "started_at": null, "ended_at": null, "progress": {"done": 3, "total": 9, "percent": 33}, "result": HOSTILE,
                "error": null, "link": null})
        };
        let kinds =
            ["bundle", "cleanup", "content_collect", "content_download", "content_repair", "content_verify", "export"];
        let others = ["backup", "import", "membership", "report", "rule", "synchronization"];
        let jobs: Vec<_> = kinds.into_iter().chain(others).map(|kind| job("a/b", kind, "running")).collect();
        Stub::new().with("GET /jobs", &json!({"items": jobs, "next": null}))
    }

    #[tokio::test]
    async fn jobs_of_every_kind_lead_to_their_pages() {
        let stub = stub();
        let (status, page) = stub.page("/jobs?of=export&state=running").await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for part in [
            "href=\"/infrastructure/import/bundles/a%2Fb\"",
            "href=\"/infrastructure/content/jobs/a%2Fb\"",
            "href=\"/infrastructure/synchronization/runs/a%2Fb\"",
            "href=\"/reports/schedules/a%2Fb\"",
            "href=\"/infrastructure/backups?tab=runs\"",
            "<option value=\"export\" selected>",
            "<option value=\"running\" selected>",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("<script>alert"), "{page}");
        let asked = stub.asked().into_iter().find(|line| line.starts_with("GET /jobs")).unwrap();
        assert!(
            asked.contains("kind=export") && asked.contains("state=running") && asked.contains("limit=500"),
            "{asked}"
        );
    }

    #[tokio::test]
    async fn what_is_no_kind_of_job_is_left_out() {
        let stub = stub();
        let (status, page) = stub.page("/jobs?of=nonsense&state=").await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let asked = stub.asked().into_iter().find(|line| line.starts_with("GET /jobs")).unwrap();
        assert!(!asked.contains("kind") && !asked.contains("state"), "{asked}");
        let (_, csv) = stub.page("/jobs?format=csv").await;
        assert!(csv.starts_with('\u{feff}') && csv.contains("running"), "{csv}");
    }
}
