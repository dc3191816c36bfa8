//! Long work on content, as jobs: starting, following, cancelling.

use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::{
    List,
    content::{CollectQuery, ContentJob, ContentJobProgress, ContentJobState, ContentTask},
};
use weir_store::job::{JobRow, JobState};

use crate::{
    admin::{AdminError, App, Caller},
    jobs::{downloads, upkeep},
};

/// Jobs of each kind in a list.
const RECENT: u32 = 20;
/// How often one who waits looks.
const LOOK: Duration = Duration::from_millis(100);

const TASKS: [(ContentTask, &str); 4] = [
    (ContentTask::Download, downloads::KIND),
    (ContentTask::Gc, upkeep::GC),
    (ContentTask::Repair, upkeep::REPAIR),
    (ContentTask::Verify, upkeep::VERIFY),
];

/// Starts a job, unless the same is under way: that one is answered then.
pub(crate) async fn start(
    app: &App,
    caller: &Caller,
    task: ContentTask,
    collect: CollectQuery,
    wait: bool,
) -> Result<ContentJob, AdminError> {
    let kind = TASKS.iter().find(|(known, _)| *known == task).map_or(upkeep::VERIFY, |(_, kind)| kind);
    let input = match task {
        ContentTask::Gc => json!({
            "dry_run": collect.dry_run, "undeployed": collect.undeployed, "min_age_hours": collect.min_age_hours,
        }),
        ContentTask::Download | ContentTask::Repair | ContentTask::Verify => json!({}),
    };
    let id = Uuid::new_v4();
    let id = app
        .write(caller, move |tx| {
            let open = |job: &JobRow| matches!(job.state, JobState::Waiting | JobState::Running) && job.input == input;
            if let Some(job) = tx.job_list(kind, RECENT)?.into_iter().find(open) {
                return Ok(job.id);
            }
            tx.job_create(id, kind, &input)?;
            tx.audit(kind, &id.to_string(), None, Some(&input))?;
            Ok(id)
        })
        .await?;
    app.shared().upkeep.notify_one();
    loop {
        let job = job(app, id).await?;
        if !wait || !matches!(job.state, ContentJobState::Waiting | ContentJobState::Running) {
            return Ok(job);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One job.
pub(crate) async fn job(app: &App, id: Uuid) -> Result<ContentJob, AdminError> {
    let row = app.read(move |tx| tx.job_show(id)).await?;
    row.as_ref().and_then(described).ok_or_else(|| missing(id))
}

/// The newest jobs of each kind, newest first.
pub(crate) async fn jobs(app: &App) -> Result<List<ContentJob>, AdminError> {
    let mut items = app
        .read(|tx| {
            let mut items = Vec::new();
            for (_, kind) in TASKS {
                items.extend(tx.job_list(kind, RECENT)?.iter().filter_map(described));
            }
            Ok(items)
        })
        .await?;
    items.sort_by_key(|job| (std::cmp::Reverse(job.created_at), job.id));
    Ok(List { items, next: None })
}

/// Cancels a job. What it has done stays.
pub(crate) async fn cancel(app: &App, caller: &Caller, id: Uuid) -> Result<ContentJob, AdminError> {
    let kind = app
        .write(caller, move |tx| {
            let row = tx.job_show(id)?.filter(|row| described(row).is_some()).ok_or_else(|| missing(id))?;
            if tx.job_cancel(id)? {
                tx.audit("content.cancel", &id.to_string(), None, Some(&json!({ "kind": row.kind })))?;
            }
            Ok(row.kind)
        })
        .await?;
    if kind == downloads::KIND {
        app.shared().downloads.interrupt();
    }
    job(app, id).await
}

fn missing(id: Uuid) -> AdminError {
    AdminError::NotFound {
        kind: "content job",
        id: id.to_string(),
        next_step: Some("`weir content jobs` lists them".to_owned()),
    }
}

/// A job as answers give it; none if it is of another part.
fn described(row: &JobRow) -> Option<ContentJob> {
    let task = TASKS.iter().find(|(_, kind)| *kind == row.kind)?.0;
    let result = row.result.as_ref();
    let told: Option<ContentJobProgress> = row.progress.as_ref().and_then(|progress| part(progress.get("progress")));
    Some(ContentJob {
        id: row.id,
        task,
        state: match row.state {
            JobState::Cancelled => ContentJobState::Cancelled,
            JobState::Done => ContentJobState::Done,
            JobState::Failed => ContentJobState::Failed,
            JobState::Running => ContentJobState::Running,
            JobState::Waiting => ContentJobState::Waiting,
        },
        progress: told.unwrap_or_else(|| downloaded(row)),
        created_at: row.created_at,
        created_by: row.created_by.clone(),
        ended_at: row.ended_at.filter(|at| *at > Timestamp::UNIX_EPOCH),
        verified: result.and_then(|result| part(result.get("verified"))),
        repaired: result.and_then(|result| part(result.get("repaired"))),
        collected: result.and_then(|result| part(result.get("collected"))),
        error: result.and_then(|result| part(result.get("error"))),
    })
}

/// Progress of a run of fetching, which counts in its own words.
fn downloaded(row: &JobRow) -> ContentJobProgress {
    let told = row.result.as_ref().or(row.progress.as_ref());
    let number = |key: &str| told.and_then(|told| told.get(key)?.as_u64()).unwrap_or_default();
    ContentJobProgress {
        files: number("fetched"),
        files_total: row.input.get("files").and_then(Value::as_u64).unwrap_or_default().max(number("files")),
        bytes: number("bytes"),
        bytes_total: 0,
    }
}

fn part<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    serde_json::from_value(value?.clone()).ok()
}
