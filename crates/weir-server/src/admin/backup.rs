//! Backups for administrators: which there are, asking for one, following it, how they stand.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    backup::{Backup, BackupCreate, BackupRun, BackupState, BackupStatus},
    health::BackupHealth,
    list::ListQuery,
};
use weir_model::report::{file::Folder, schedule::Decision};
use weir_store::{
    ReadTx, StoreError,
    job::{JobRow, JobState},
};

use super::{
    AdminError, App, Caller, blocking, list,
    setting::{BACKUP_CONTENT, BACKUP_FOLDER, BACKUP_KEEP, BACKUP_SCHEDULE, Current},
};
use crate::{
    backup,
    jobs::backup::{Input, KIND, Outcome, plan, too_old},
};

/// A row as a run.
pub(crate) fn run(row: JobRow) -> BackupRun {
    let outcome = Outcome::of(&row);
    let progress = row.progress.clone().and_then(|told| serde_json::from_value(told).ok()).unwrap_or_default();
    BackupRun {
        id: row.id,
        state: match row.state {
            JobState::Cancelled => BackupState::Cancelled,
            JobState::Done => BackupState::Done,
            JobState::Failed => BackupState::Failed,
            JobState::Running => BackupState::Running,
            JobState::Waiting => BackupState::Waiting,
        },
        scheduled: Input::of(&row).base.is_some(),
        asked_by: row.created_by,
        asked_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        progress,
        backup: outcome.backup,
        error: outcome.error,
    }
}

/// Backups in the folder of this server, newest first.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Backup>, AdminError> {
    let limit = list::limit(query.limit)?;
    let root = app.process.backups.clone();
    let found = blocking(move || Ok(backup::list(&root))).await?;
    let found = found.map_err(|error| AdminError::Unavailable(super::chain(&error)))?;
    list::page(found, |backup| backup.path.clone(), query.cursor.as_deref(), limit)
}

/// Asks for a backup, or gives the run that is under way.
pub(crate) async fn create(app: &App, caller: &Caller, wanted: BackupCreate) -> Result<BackupRun, AdminError> {
    if let Some(folder) = &wanted.folder
        && folder.parse::<Folder>().is_err()
    {
        return Err(AdminError::Invalid {
            code: "folder",
            detail: format!("{folder:?} is no folder below the folder of backups"),
            next_step: Some(
                "give at most five names with / between, of letters, digits, spaces, '.', '-' and '_', not beginning or ending \
                 with a dot or a space"
                    .to_owned(),
            ),
        });
    }
    let id = app
        .write(caller, move |tx| {
            if let Some(open) = open(tx)? {
                return Ok(open.id);
            }
            let current = Current::read(tx)?;
            let input = Input {
                folder: wanted.folder.unwrap_or_else(|| current.text(BACKUP_FOLDER)),
                content: wanted.content.unwrap_or_else(|| current.flag(BACKUP_CONTENT)),
                base: None,
            };
            let id = Uuid::new_v4();
            tx.job_create(id, KIND, &json!(input))?;
            tx.audit("backup.create", &id.to_string(), None, Some(&json!(input)))?;
            Ok(id)
        })
        .await?;
    app.shared().backups.nudged.notify_one();
    one(app, id).await
}

/// The run that is under way or waits.
fn open(tx: &ReadTx<'_>) -> Result<Option<JobRow>, StoreError> {
    let running = tx.job_last_of(KIND, JobState::Running)?;
    Ok(running.or(tx.job_last_of(KIND, JobState::Waiting)?))
}

fn missing(id: Uuid) -> AdminError {
    AdminError::missing("run of a backup", id, "weir backup runs")
}

/// One run.
pub(crate) async fn one(app: &App, id: Uuid) -> Result<BackupRun, AdminError> {
    let row = app.read(move |tx| tx.job_show(id)).await?.filter(|row| row.kind == KIND);
    row.map(run).ok_or_else(|| missing(id))
}

/// Stops a run; what it wrote is removed.
pub(crate) async fn cancel(app: &App, caller: &Caller, id: Uuid) -> Result<BackupRun, AdminError> {
    app.write(caller, move |tx| {
        tx.job_show(id)?.filter(|row| row.kind == KIND).ok_or_else(|| missing(id))?;
        if tx.job_cancel(id)? {
            tx.audit("backup.cancel", &id.to_string(), None, None)?;
        }
        Ok(())
    })
    .await?;
    one(app, id).await
}

/// Runs, newest first.
pub(crate) async fn runs(app: &App, query: ListQuery) -> Result<List<BackupRun>, AdminError> {
    let limit = list::limit(query.limit)?;
    let page = app.read(move |tx| tx.job_page(KIND, query.cursor.as_deref(), limit)).await?;
    Ok(List { items: page.items.into_iter().map(run).collect(), next: page.next })
}

/// When the next one is due.
fn next(decision: &Decision, now: Timestamp) -> Option<Timestamp> {
    match decision {
        Decision::Run { .. } => Some(now),
        Decision::Wait { until } => *until,
    }
}

/// How backups stand.
pub(crate) async fn status(app: &App) -> Result<BackupStatus, AdminError> {
    let (now, folder) = (Timestamp::now(), app.process.backups.display().to_string());
    app.read(move |tx| {
        let current = Current::read(tx)?;
        let plan = plan(tx, now)?;
        let next_step = if plan.scheduled {
            None
        } else {
            Some("backups are not made by themselves: weir settings set backup.schedule \"daily at 02:00\"".to_owned())
        };
        Ok(BackupStatus {
            folder,
            schedule: current.text(BACKUP_SCHEDULE),
            next_at: next(&plan.decision, now),
            keep: u32::try_from(current.number(BACKUP_KEEP)).unwrap_or(u32::MAX),
            content: current.flag(BACKUP_CONTENT),
            current: open(tx)?.map(run),
            last_good: tx.job_last_of(KIND, JobState::Done)?.map(run),
            last_failed: tx.job_last_of(KIND, JobState::Failed)?.map(run),
            next_step,
        })
    })
    .await
}

/// What the health report says of backups, and for how many hours there was none if that is too long.
pub(crate) fn health(tx: &ReadTx<'_>, now: Timestamp) -> Result<(BackupHealth, Option<u64>), StoreError> {
    let plan = plan(tx, now)?;
    let good = tx.job_last_of(KIND, JobState::Done)?;
    let failed = tx.job_last_of(KIND, JobState::Failed)?;
    let failed = failed.filter(|failed| good.as_ref().is_none_or(|good| good.no < failed.no));
    let health = BackupHealth {
        scheduled: plan.scheduled,
        last_good_at: good.and_then(|row| row.ended_at),
        last_failed_at: failed.as_ref().and_then(|row| row.ended_at),
        error: failed.and_then(|row| Outcome::of(&row).error).map(|error| error.message),
        next_at: next(&plan.decision, now),
    };
    Ok((health, too_old(tx, now)?))
}
