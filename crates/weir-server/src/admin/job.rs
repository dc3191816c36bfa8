//! Long work of every kind in one list. It only shows what each part says of its own.

use jiff::Timestamp;
use weir_api::{
    List,
    backup::{BackupRun, BackupState},
    bundle::{Bundle, BundleState},
    cleanup::{CleanupRun, CleanupState},
    content::{ContentJob, ContentJobState, ContentTask},
    export::{Export, ExportFormat, ExportState},
    import::{Import, ImportState},
    job::{Job, JobKind, JobProgress, JobQuery, JobState},
    list::ListQuery,
    report::ReportSchedule,
    rule::{Rule, RuleRunState},
    sync::{SyncRun, SyncState},
};

use super::{AdminError, App, backup, cleanup, content, list, report, rule};
use crate::{
    bundle::receive,
    sync::{history, run},
};

/// Ended jobs of each kind that are shown.
const RECENT: u32 = 50;

/// What waits or runs, then what ended, newest first.
pub(crate) async fn list(app: &App, query: JobQuery) -> Result<List<Job>, AdminError> {
    let limit = list::limit(query.limit)? as usize;
    let recent = || ListQuery { cursor: None, limit: Some(RECENT) };
    let mut jobs = Vec::new();
    let runs = app.read(|tx| tx.job_list(history::KIND, RECENT)).await?;
    jobs.extend(runs.into_iter().map(|row| synchronization(run::shown(app, row))));
    jobs.extend(content::jobs(app).await?.items.into_iter().map(on_content));
    jobs.extend(backup::runs(app, recent()).await?.items.into_iter().map(backing_up));
    jobs.extend(cleanup::runs(app, recent()).await?.items.into_iter().map(cleaning));
    jobs.extend(super::import::all(app).await?.into_iter().map(import));
    jobs.extend(app.shared().exports.all().into_iter().map(export));
    jobs.extend(receive::list(app).await?.items.into_iter().filter_map(bundle));
    jobs.extend(report::schedule::list(app, all()).await?.items.into_iter().filter_map(scheduled));
    jobs.extend(rule::list(app, all()).await?.items.into_iter().filter_map(ran));
    jobs.extend(membership(app));
    jobs.retain(|job| query.kind.is_none_or(|kind| kind == job.kind));
    jobs.retain(|job| query.state.is_none_or(|state| state == job.state));
    jobs.sort_by(|a, b| {
        let key = |job: &Job| (job.ended_at.is_some() || !is_open(job.state), std::cmp::Reverse(at(job)));
        key(a).cmp(&key(b)).then_with(|| (a.kind, &a.id).cmp(&(b.kind, &b.id)))
    });
    jobs.truncate(limit);
    Ok(List { items: jobs, next: None })
}

fn all() -> ListQuery {
    ListQuery { cursor: None, limit: Some(list::LARGEST) }
}

fn is_open(state: JobState) -> bool {
    matches!(state, JobState::Running | JobState::Waiting)
}

/// When something last happened to it.
fn at(job: &Job) -> Option<Timestamp> {
    job.ended_at.or(job.started_at).or(job.asked_at)
}

fn progress(done: u64, total: u64) -> JobProgress {
    let percent = (total > 0).then(|| (u128::from(done.min(total)) * 100 / u128::from(total)) as u8);
    JobProgress { done, total, percent }
}

/// A job of which nothing but its kind is known yet.
fn blank(id: String, kind: JobKind, title: String, state: JobState) -> Job {
    Job {
        id,
        kind,
        title,
        state,
        asked_by: None,
        asked_at: None,
        started_at: None,
        ended_at: None,
        progress: None,
        result: None,
        error: None,
        link: None,
    }
}

fn synchronization(run: SyncRun) -> Job {
    let state = match run.state {
        SyncState::Cancelled => JobState::Cancelled,
        SyncState::Done => JobState::Done,
        SyncState::Failed | SyncState::Interrupted => JobState::Failed,
        SyncState::Running => JobState::Running,
        SyncState::Waiting => JobState::Waiting,
    };
    let title = if run.source.is_empty() {
        "Synchronization".to_owned()
    } else {
        format!("Synchronization with {}", run.source)
    };
    let result = format!("{}: {} new, {} revised, {} expired", run.result, run.added, run.revised, run.expired);
    Job {
        asked_by: Some(run.asked_by),
        asked_at: Some(run.asked_at),
        started_at: run.started_at,
        ended_at: run.ended_at,
        progress: run.progress.as_ref().filter(|_| is_open(state)).map(|it| progress(it.done, it.total)),
        result: run.ended_at.is_some().then_some(result),
        error: run.error.map(|error| error.message),
        link: Some(format!("/sync/runs/{}", run.id)),
        ..blank(run.id.to_string(), JobKind::Synchronization, title, state)
    }
}

fn on_content(job: ContentJob) -> Job {
    let (kind, title) = match job.task {
        ContentTask::Download => (JobKind::ContentDownload, "Fetching content"),
        ContentTask::Gc => (JobKind::ContentCollect, "Removing content that nothing refers to"),
        ContentTask::Repair => (JobKind::ContentRepair, "Repairing content"),
        ContentTask::Verify => (JobKind::ContentVerify, "Reading all content again"),
    };
    let state = match job.state {
        ContentJobState::Cancelled => JobState::Cancelled,
        ContentJobState::Done => JobState::Done,
        ContentJobState::Failed => JobState::Failed,
        ContentJobState::Running => JobState::Running,
        ContentJobState::Waiting => JobState::Waiting,
    };
    let result = format!("{} files", job.progress.files);
    Job {
        asked_by: Some(job.created_by),
        asked_at: Some(job.created_at),
        ended_at: job.ended_at,
        progress: Some(progress(job.progress.files, job.progress.files_total)),
        result: job.ended_at.is_some().then_some(result),
        error: job.error,
        link: Some(format!("/content/jobs/{}", job.id)),
        ..blank(job.id.to_string(), kind, title.to_owned(), state)
    }
}

fn backing_up(run: BackupRun) -> Job {
    let state = match run.state {
        BackupState::Cancelled => JobState::Cancelled,
        BackupState::Done => JobState::Done,
        BackupState::Failed => JobState::Failed,
        BackupState::Running => JobState::Running,
        BackupState::Waiting => JobState::Waiting,
    };
    Job {
        asked_by: Some(run.asked_by),
        asked_at: Some(run.asked_at),
        started_at: run.started_at,
        ended_at: run.ended_at,
        progress: is_open(state).then(|| progress(run.progress.bytes, run.progress.bytes_total)),
        result: run.backup.map(|backup| format!("{}, {} bytes", backup.name, backup.bytes)),
        error: run.error.map(|error| error.message),
        link: Some(format!("/backups/runs/{}", run.id)),
        ..blank(run.id.to_string(), JobKind::Backup, "Backup".to_owned(), state)
    }
}

fn cleaning(run: CleanupRun) -> Job {
    let state = match run.state {
        CleanupState::Cancelled => JobState::Cancelled,
        CleanupState::Done => JobState::Done,
        CleanupState::Failed => JobState::Failed,
        CleanupState::Running => JobState::Running,
        CleanupState::Waiting => JobState::Waiting,
    };
    let counts = run.counts;
    let result = format!("{} updates declined, {} revisions removed", counts.declined, counts.revisions);
    Job {
        asked_by: Some(run.asked_by),
        asked_at: Some(run.asked_at),
        started_at: run.started_at,
        ended_at: run.ended_at,
        progress: Some(progress(counts.declined + counts.revisions, counts.to_decline + counts.to_remove)),
        result: run.ended_at.is_some().then_some(result),
        error: run.error,
        link: Some(format!("/cleanup/runs/{}", run.id)),
        ..blank(run.id.to_string(), JobKind::Cleanup, "Clean-up".to_owned(), state)
    }
}

fn import(import: Import) -> Job {
    let state = match import.state {
        ImportState::Done => JobState::Done,
        ImportState::Failed => JobState::Failed,
        ImportState::Running => JobState::Running,
    };
    let result = import.result.as_ref().map(|result| {
        format!(
            "{} added, {} unchanged, {} rejected, {} skipped",
            result.added, result.unchanged, result.rejected, result.skipped
        )
    });
    let first = import.result.as_ref().and_then(|result| result.errors.first()).map(|error| error.message.clone());
    Job {
        started_at: Some(import.started_at),
        ended_at: import.finished_at,
        progress: is_open(state).then(|| progress(import.done, import.total)),
        result,
        error: first.filter(|_| state == JobState::Failed),
        link: Some(format!("/imports/{}", import.id)),
        ..blank(import.id.to_string(), JobKind::Import, "Import".to_owned(), state)
    }
}

fn export(export: Export) -> Job {
    let state = match export.state {
        ExportState::Done => JobState::Done,
        ExportState::Failed => JobState::Failed,
        ExportState::Running => JobState::Running,
    };
    let title = match export.format {
        ExportFormat::Bundle => "Export of a bundle",
        ExportFormat::Package => "Export of a package",
    };
    Job {
        started_at: Some(export.started_at),
        ended_at: export.finished_at,
        progress: is_open(state).then(|| progress(export.done, export.total)),
        result: export.result.map(|result| format!("{} revisions, {} files", result.revisions, result.files)),
        error: export.problem.map(|problem| problem.detail),
        link: Some(format!("/exports/{}", export.id)),
        ..blank(export.id.to_string(), JobKind::Export, title.to_owned(), state)
    }
}

/// A bundle that is applied, or was.
fn bundle(bundle: Bundle) -> Option<Job> {
    let state = match bundle.state {
        BundleState::Applied => JobState::Done,
        BundleState::Applying => JobState::Running,
        BundleState::Failed => JobState::Failed,
        // nobody works on these
        BundleState::Committed | BundleState::Receiving => return None,
    };
    Some(Job {
        asked_at: Some(bundle.received_at),
        progress: is_open(state).then(|| progress(bundle.done, bundle.total)),
        result: bundle.result.map(|result| format!("{} added, {} files", result.added, result.files_added)),
        error: bundle.error,
        link: Some(format!("/bundles/{}", bundle.id)),
        ..blank(
            bundle.id.to_string(),
            JobKind::Bundle,
            format!("Bundle {} of {}", bundle.sequence, bundle.issuer),
            state,
        )
    })
}

/// A report that is made by itself, if it is being made or was.
fn scheduled(schedule: ReportSchedule) -> Option<Job> {
    let last = schedule.last;
    let (state, ended_at) = match (&last, schedule.running) {
        (_, true) => (JobState::Running, None),
        (Some(last), false) => (if last.error.is_some() { JobState::Failed } else { JobState::Done }, Some(last.at)),
        (None, false) => return None,
    };
    let last = last.filter(|_| ended_at.is_some());
    let result = last.as_ref().and_then(|last| last.rows).map(|rows| format!("{rows} rows"));
    Some(Job {
        ended_at,
        result,
        error: last.and_then(|last| last.error),
        link: Some(format!("/report-schedules/{}", schedule.id)),
        ..blank(schedule.id.to_string(), JobKind::Report, format!("Report {}", schedule.name), state)
    })
}

/// The last run of a rule.
fn ran(rule: Rule) -> Option<Job> {
    let run = rule.last_run?;
    let state = match run.result {
        RuleRunState::Done | RuleRunState::Nothing => JobState::Done,
        RuleRunState::Failed => JobState::Failed,
        RuleRunState::Skipped => JobState::Cancelled,
    };
    Some(Job {
        asked_by: Some(run.by),
        started_at: Some(run.started_at),
        ended_at: Some(run.ended_at),
        result: Some(format!("{} updates matched, {} did not", run.matched, run.rejected)),
        error: run.error,
        link: Some(format!("/rule-runs/{}", run.no)),
        ..blank(run.no.to_string(), JobKind::Rule, format!("Rule {}", rule.name), state)
    })
}

/// Finding members, while it is under way.
fn membership(app: &App) -> Option<Job> {
    let found = app.state.live.membership.progress();
    if found.collections.is_empty() {
        return None;
    }
    let title = format!("Finding the members of {} collections", found.collections.len());
    let job = blank("membership".to_owned(), JobKind::Membership, title, JobState::Running);
    Some(Job { progress: Some(progress(found.done, found.total)), ..job })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_in_percent_where_the_end_is_known() {
        assert_eq!(progress(3, 0).percent, None);
        assert_eq!(progress(1, 3).percent, Some(33));
        assert_eq!(progress(9, 3).percent, Some(100));
        assert_eq!(progress(u64::MAX, u64::MAX).percent, Some(100));
    }
}
