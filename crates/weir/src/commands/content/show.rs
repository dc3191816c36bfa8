//! What `weir content` prints.

use weir_api::content::{
    ContentForecast, ContentJob, ContentJobState, ContentReason, ContentRoom, ContentRun, ContentStatus, ContentTask,
};

use crate::print::{Page, bytes, time, time_or};

/// How fetching stands.
pub(super) fn status(page: &mut Page, status: &ContentStatus) {
    let express = if status.express { ", express files too" } else { "" };
    let languages = match status.languages.as_slice() {
        [] => "all languages".to_owned(),
        some => some.join(", "),
    };
    page.field("mode", format!("{}{express}; {languages}", status.mode.word()));
    page.field("stored", format!("{} files, {}", status.files, bytes(status.bytes)));
    let quota = status.quota_bytes.map(|quota| format!(", quota {}", bytes(quota))).unwrap_or_default();
    page.field("room", format!("{} free, {} stay free{quota}", bytes(status.free_bytes), bytes(status.reserve_bytes)));
    page.field(
        "awaited",
        format!(
            "{} files, {} ({} of it here)",
            status.waiting_files,
            bytes(status.waiting_bytes),
            bytes(status.waiting_bytes_here)
        ),
    );
    for awaited in &status.awaited {
        page.field(reason(awaited.reason), format!("{} files, {}", awaited.files, bytes(awaited.bytes)));
    }
    if status.paused {
        page.line("Fetching is paused. Next: weir content resume");
    }
    if let Some(held) = &status.held {
        page.line(format!("{} files, {} wait: {}", held.files, bytes(held.bytes), held.reason));
    }
    if let Some(running) = &status.running {
        run(page, running);
    }
    if status.deployments_waiting > 0 {
        page.line(format!("{} deployments wait for content:", status.deployments_waiting));
        let rows = status.deployments.iter().map(|deployment| {
            vec![
                deployment.id.to_string(),
                deployment.files.to_string(),
                bytes(deployment.bytes),
                deployment.collection.clone(),
                deployment.title.clone(),
            ]
        });
        page.table(&["Deployment", "Files", "Bytes", "Collection", "Update"], rows.collect(), "");
    }
    if status.resting_files > 0 {
        page.line(format!("{} files could not be fetched and are tried again:", status.resting_files));
        let rows = status.resting.iter().map(|resting| {
            let until = time(resting.until);
            vec![until, resting.failures.to_string(), resting.name.clone(), resting.reason.clone()]
        });
        page.table(&["Again at", "Failures", "Name", "Why"], rows.collect(), "");
        page.line("At once: weir content repair. By hand: weir content add PATH");
    }
    if status.waiting_files == 0 && status.deployments_waiting == 0 {
        page.line("Nothing is awaited. Files are fetched once updates are deployed: weir deployments create");
    }
}

fn run(page: &mut Page, running: &ContentRun) {
    let left = running.seconds_left.map(|seconds| format!(", {} left", span(seconds))).unwrap_or_default();
    page.line(format!(
        "Fetching since {}: {} files done, {} failed, {} received, {}/s{left}",
        time(running.since),
        running.fetched,
        running.failed,
        bytes(running.bytes),
        bytes(running.bytes_per_second)
    ));
    let rows = running.files.iter().map(|file| {
        let percent = (file.got * 100).checked_div(file.size).unwrap_or(100);
        vec![format!("{percent} %"), bytes(file.size), file.host.clone(), file.name.clone()]
    });
    page.table(&["Done", "Size", "From", "Name"], rows.collect(), "");
}

/// A time span for people.
fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn reason(reason: ContentReason) -> &'static str {
    match reason {
        ContentReason::Deployment => "  for deployments",
        ContentReason::Everything => "  for everything",
        ContentReason::Licence => "  licence files",
        ContentReason::Request => "  for downstream servers",
    }
}

/// What modes would need.
pub(super) fn forecast(page: &mut Page, items: &[ContentForecast]) {
    let rows = items.iter().map(|item| {
        let room = &item.room;
        vec![
            format!("{}{}", item.mode.word(), if item.current { " (now)" } else { "" }),
            room.files.to_string(),
            bytes(room.bytes),
            bytes(room.bytes_here),
            bytes(room.bytes_to_fetch),
            bytes(room.free_after),
            item.without_source.to_string(),
            room.problem.clone().unwrap_or_default(),
        ]
    });
    let titles = ["Mode", "Files", "Bytes", "Here", "To fetch", "Free after", "No source", "Problem"];
    page.table(&titles, rows.collect(), "No updates. Next: weir import PATH, or weir sync now");
}

/// What a deployment would need.
pub(in crate::commands) fn room(page: &mut Page, room: &ContentRoom) {
    page.field("files", format!("{}, {}", room.files, bytes(room.bytes)));
    page.field("here", format!("{}, {}", room.files_here, bytes(room.bytes_here)));
    page.field("to fetch", bytes(room.bytes_to_fetch));
    page.field("pending", format!("{} for other things", bytes(room.bytes_pending)));
    page.field("free", format!("{} now, {} after", bytes(room.free_bytes), bytes(room.free_after)));
    if let Some(quota) = room.quota_bytes {
        page.field("quota", format!("{} of {} used after", bytes(room.used_after), bytes(quota)));
    }
}

/// Jobs on content.
pub(super) fn jobs(page: &mut Page, items: &[ContentJob]) {
    let rows = items.iter().map(|job| {
        let task = match job.task {
            ContentTask::Download => "fetch",
            ContentTask::Gc => "gc",
            ContentTask::Repair => "repair",
            ContentTask::Verify => "verify",
        };
        let state = match job.state {
            ContentJobState::Cancelled => "cancelled",
            ContentJobState::Done => "done",
            ContentJobState::Failed => "failed",
            ContentJobState::Running => "running",
            ContentJobState::Waiting => "waiting",
        };
        let progress = &job.progress;
        vec![
            job.id.to_string(),
            task.to_owned(),
            state.to_owned(),
            format!("{} of {}", progress.files, progress.files_total),
            bytes(progress.bytes),
            time(job.created_at),
            time_or(job.ended_at, ""),
            job.error.clone().unwrap_or_default(),
        ]
    });
    let titles = ["Id", "Work", "State", "Files", "Bytes", "Asked at", "Ended at", "Error"];
    page.table(&titles, rows.collect(), "No jobs yet. Next: weir content verify");
}
