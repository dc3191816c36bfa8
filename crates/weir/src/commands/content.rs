//! `weir content`.

mod show;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde::Serialize;
use uuid::Uuid;
use weir_api::{
    List,
    content::{
        CollectQuery, ContentAdded, ContentError, ContentForecast, ContentJob, ContentJobState, ContentList,
        ContentState, ContentStatus, WaitQuery,
    },
    setting::{SettingChange, SettingChanged},
};

pub(super) use show::room;

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::{Connection, answer},
    print::{self, Page, Printer, bytes},
    progress::Progress,
    upload::{self, Part},
};

/// Files and bytes of one request: what a broken connection costs at most.
const BATCH: (usize, u64) = (500, 1 << 30);
/// How often to ask how far long work is.
const POLL: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(crate) enum ContentCommand {
    /// Add files, recognised by their digests: single files, or folders such as WsusContent.
    #[command(
        after_help = "Examples:\n  weir content add /media/usb/WsusContent\n  weir content add kb5031234.cab\n\n\
                            Import the metadata first: a file that no update names is rejected (exit code 3 if some \
                            were)."
    )]
    Add {
        /// Files or folders.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Show how fetching content stands: what is awaited, under way, at rest; with --state the files themselves.
    #[command(after_help = "Examples:\n  weir content status\n  weir content status --state waiting")]
    Status {
        /// List the files in this state.
        #[arg(long)]
        state: Option<State>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show what each content.mode would need, and whether there is room for it.
    #[command(after_help = "Example:\n  weir content forecast\n\nSet the mode: weir settings set content.mode \
                            immediately")]
    Forecast,
    /// Fetch nothing until `resume`; what is on its way goes on later where it was.
    Pause,
    /// Fetch content (again).
    Resume,
    /// Read every stored file again and compare its digests.
    #[command(after_help = "Exit code 3 if some were bad; weir content repair fetches them again.")]
    Verify {
        #[command(flatten)]
        background: Background,
    },
    /// Verify, take in what lies in the content folder under other names, and fetch what is missing.
    #[command(
        after_help = "Copy a WsusContent tree into the content folder and run this: files that updates name are \
                            moved to their places, whatever their names. Exit code 3 if files are missing for which no \
                            source is known."
    )]
    Repair {
        #[command(flatten)]
        background: Background,
    },
    /// Remove files that nobody needs: of updates that are declined, expired, replaced or gone.
    #[command(after_help = "Never removed: what a deployment needs, licence files of live updates, what a downstream \
                            server asked for, and what came within the last 24 hours (--min-age-hours).\n\n\
                            Examples:\n  weir content gc --dry-run\n  weir content gc --undeployed")]
    Gc {
        /// Only say what would be removed.
        #[arg(long)]
        dry_run: bool,
        /// Remove files of live updates, too, that no deployment needs.
        #[arg(long)]
        undeployed: bool,
        /// Keep what came within so many hours.
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        min_age_hours: u32,
        #[command(flatten)]
        background: Background,
    },
    /// List long work on content: fetching, verifying, repairing, removing.
    Jobs,
    /// Cancel long work on content; what it has done stays.
    #[command(after_help = "Example:\n  weir content jobs\n  weir content cancel 5c9f...")]
    Cancel {
        /// Its id.
        #[arg(value_name = "ID")]
        id: Uuid,
    },
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Background {
    /// Start it and do not wait for its end; weir content jobs shows how far it is.
    #[arg(long)]
    background: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Not here, and no deployment needs it.
    Absent,
    /// Here, its digests verified.
    Present,
    /// Not here, and a deployment waits for it.
    Waiting,
}

#[derive(Serialize)]
struct StateQuery {
    state: Option<ContentState>,
    cursor: Option<String>,
    limit: u64,
}

pub(crate) async fn run(command: ContentCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ContentCommand::Add { paths } => add(&paths, connection, printer).await,
        ContentCommand::Status { state: Some(state), paging } => {
            files(state, &paging, connection, printer).await?;
            Ok(Outcome::Done)
        }
        ContentCommand::Status { state: None, .. } => {
            let status: ContentStatus = connection.read(&["content", "status"], &Nothing {}).await?;
            printer.show(&status, |page| show::status(page, &status))?;
            Ok(Outcome::Done)
        }
        ContentCommand::Forecast => {
            let list: List<ContentForecast> = connection.read(&["content", "forecast"], &Nothing {}).await?;
            printer.show(&list, |page| show::forecast(page, &list.items))?;
            Ok(Outcome::Done)
        }
        ContentCommand::Pause => fetch(false, connection, printer).await,
        ContentCommand::Resume => fetch(true, connection, printer).await,
        ContentCommand::Verify { background } => {
            let job = start("verify", &WaitQuery::default(), background, connection, printer).await?;
            let Some(job) = job else { return Ok(Outcome::Done) };
            let result = job.verified.clone().unwrap_or_default();
            finish(&job, &result, printer, |page| {
                page.line(format!("{} files read, {} good, {} bad", result.checked, result.good, result.bad));
                errors(page, &result.errors);
                if result.bad > 0 {
                    page.line("Next: weir content repair");
                }
            })?;
            Ok(outcome(&job, result.bad == 0))
        }
        ContentCommand::Repair { background } => {
            let job = start("repair", &WaitQuery::default(), background, connection, printer).await?;
            let Some(job) = job else { return Ok(Outcome::Done) };
            let result = job.repaired.clone().unwrap_or_default();
            finish(&job, &result, printer, |page| {
                page.line(format!(
                    "{} files read, {} bad, {} taken in, {} will be fetched, {} have no source",
                    result.checked, result.bad, result.adopted, result.queued, result.without_source
                ));
                if result.unknown > 0 {
                    page.line(format!(
                        "{} files in the content folder ({}) are of no update; they stay",
                        result.unknown,
                        bytes(result.unknown_bytes)
                    ));
                }
                errors(page, &result.errors);
                if result.without_source > 0 {
                    page.line("Next: weir content status --state waiting, then weir content add PATH");
                }
            })?;
            Ok(outcome(&job, result.without_source == 0))
        }
        ContentCommand::Gc { dry_run, undeployed, min_age_hours, background } => {
            let query = CollectQuery { dry_run, undeployed, min_age_hours: Some(min_age_hours), wait: false };
            let job = start("gc", &query, background, connection, printer).await?;
            let Some(job) = job else { return Ok(Outcome::Done) };
            let result = job.collected.clone().unwrap_or_default();
            finish(&job, &result, printer, |page| {
                let verb = if result.dry_run { "would be removed" } else { "removed" };
                page.line(format!("{} files, {} {verb}", result.files, bytes(result.bytes)));
                if result.quarantined > 0 {
                    let freed = bytes(result.quarantined_bytes);
                    page.line(format!(
                        "{} files, {freed} removed that had been put aside for 30 days",
                        result.quarantined
                    ));
                }
                if result.young > 0 {
                    page.line(format!("{} more came too short a time ago: --min-age-hours 0", result.young));
                }
            })?;
            Ok(outcome(&job, true))
        }
        ContentCommand::Jobs => {
            let list: List<ContentJob> = connection.read(&["content", "jobs"], &Nothing {}).await?;
            printer.show(&list, |page| show::jobs(page, &list.items))?;
            Ok(Outcome::Done)
        }
        ContentCommand::Cancel { id } => {
            let path = ["content", "jobs", &id.to_string()];
            let job: ContentJob = connection.change(Method::DELETE, &path, &Nothing {}).await?;
            printer.show(&job, |page| show::jobs(page, std::slice::from_ref(&job)))?;
            Ok(Outcome::Done)
        }
    }
}

/// Switches fetching on or off.
async fn fetch(on: bool, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let path = ["settings", "content.download"];
    let change = SettingChange { value: on.into(), force: false };
    let changed: SettingChanged = connection.change(Method::PUT, &path, &change).await?;
    printer.show(&changed, |page| {
        page.line(if on { "content is fetched" } else { "fetching content is paused; weir content resume goes on" });
    })?;
    Ok(Outcome::Done)
}

/// Starts long work and follows it to its end; none if it goes on in the background.
async fn start<Q: Serialize>(
    task: &str,
    query: &Q,
    background: Background,
    connection: &Connection,
    printer: &Printer,
) -> Result<Option<ContentJob>> {
    let request = connection.request(Method::POST, &["content", task])?.query(query);
    let mut job: ContentJob = answer(connection.send(request).await?).await?;
    if background.background {
        printer.show(&job, |page| show::jobs(page, std::slice::from_ref(&job)))?;
        return Ok(None);
    }
    let mut progress: Option<Progress> = None;
    while matches!(job.state, ContentJobState::Running | ContentJobState::Waiting) {
        let (done, total) = (job.progress.bytes, job.progress.bytes_total);
        progress.get_or_insert_with(|| Progress::of_bytes("reading", total)).set(done, total);
        tokio::time::sleep(POLL).await;
        job = connection.read(&["content", "jobs", &job.id.to_string()], &Nothing {}).await?;
    }
    Ok(Some(job))
}

/// Prints the result of long work, or why there is none.
fn finish<T: Serialize>(job: &ContentJob, result: &T, printer: &Printer, page: impl FnOnce(&mut Page)) -> Result<()> {
    match (&job.error, job.state) {
        (Some(error), _) => anyhow::bail!("{error}"),
        (None, ContentJobState::Cancelled) => anyhow::bail!("it was cancelled"),
        _ => printer.show(result, page),
    }
}

fn outcome(job: &ContentJob, good: bool) -> Outcome {
    if good && job.state == ContentJobState::Done { Outcome::Done } else { Outcome::Partly }
}

async fn add(paths: &[PathBuf], connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let mut parts = Vec::new();
    let mut sum = ContentAdded::default();
    for path in paths {
        let found = upload::find(path)?;
        parts.extend(found.parts);
        sum.rejected += found.unreadable.len() as u64;
        sum.errors.extend(found.unreadable.into_iter().map(|(file, message)| ContentError { file, message }));
    }
    let batches = batches(parts);
    let count = batches.len();
    for (index, batch) in batches.into_iter().enumerate() {
        if count > 1 && !print::wants_bar() {
            anstream::eprintln!("sending batch {} of {count}", index + 1);
        }
        let progress = Progress::of_bytes("sending", batch.iter().map(|part| part.size).sum());
        let request = upload::attach(connection.request(Method::POST, &["content"])?, batch, progress);
        let added: ContentAdded = answer(connection.send(request).await?).await?;
        sum.added += added.added;
        sum.unchanged += added.unchanged;
        sum.rejected += added.rejected;
        sum.errors.extend(added.errors);
    }
    printer.show(&sum, |page| {
        page.line(format!("{} added, {} unchanged, {} rejected", sum.added, sum.unchanged, sum.rejected));
        errors(page, &sum.errors);
    })?;
    Ok(if sum.rejected == 0 { Outcome::Done } else { Outcome::Partly })
}

fn batches(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut batches: Vec<Vec<Part>> = Vec::new();
    let mut size = 0;
    for part in parts {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH.0 && size + part.size <= BATCH.1 => {
                size += part.size;
                batch.push(part);
            }
            _ => {
                size = part.size;
                batches.push(vec![part]);
            }
        }
    }
    batches
}

async fn files(state: State, paging: &Paging, connection: &Connection, printer: &Printer) -> Result<()> {
    let state = Some(match state {
        State::Absent => ContentState::Absent,
        State::Present => ContentState::Present,
        State::Waiting => ContentState::Waiting,
    });
    let mut list = ContentList { next: paging.cursor.clone(), ..ContentList::default() };
    let mut items = Vec::new();
    loop {
        let query = StateQuery { state, cursor: list.next.clone(), limit: paging.room(items.len()) };
        list = connection.read(&["content"], &query).await?;
        items.append(&mut list.items);
        if list.next.is_none() || paging.room(items.len()) == 0 {
            break;
        }
    }
    list.items = items;
    printer.show(&list, |page| {
        page.field("stored", format!("{} files, {}", list.files, bytes(list.bytes)));
        page.field("awaited", format!("{} files, {}", list.waiting_files, bytes(list.waiting_bytes)));
        let rows = list.items.iter().map(|file| {
            let note = match (&file.error, file.sources.len()) {
                (Some(error), _) => error.clone(),
                (None, 0) if file.state == ContentState::Waiting => "no source known: weir content add PATH".to_owned(),
                _ => String::new(),
            };
            let state = match file.state {
                ContentState::Absent => "absent",
                ContentState::Present => "present",
                ContentState::Waiting => "waiting",
            };
            vec![state.to_owned(), bytes(file.size), file.digest.to_string(), file.name.clone(), note]
        });
        let empty = "No such files. Files come with metadata that names them: weir import PATH";
        page.table(&["State", "Size", "SHA-1", "Name", "Note"], rows.collect(), empty);
        page.more(list.next.as_deref());
    })
}

fn errors(page: &mut Page, errors: &[ContentError]) {
    for error in errors {
        page.line(format!("  {}: {}", error.file, error.message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_by_files_and_bytes() {
        let part = |size| Part { path: PathBuf::new(), name: String::new(), size };
        let sizes = |parts| batches(parts).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![part(1); 1001]), [500, 500, 1]);
        assert_eq!(sizes(vec![part(BATCH.1 + 5), part(BATCH.1 / 2), part(BATCH.1 / 2), part(1)]), [1, 2, 1]);
        assert!(batches(Vec::new()).is_empty());
    }
}
