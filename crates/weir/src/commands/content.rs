//! `weir content`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use reqwest::Method;
use serde::Serialize;
use weir_api::content::{
    CollectQuery, ContentAdded, ContentCollected, ContentError, ContentList, ContentRepaired, ContentState,
    ContentVerified,
};

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
    /// Show which files are here and which are awaited.
    Status {
        /// Only files in this state.
        #[arg(long)]
        state: Option<State>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read every stored file again and compare its digests.
    Verify,
    /// Verify, then fetch what is missing from where it came from.
    Repair,
    /// Remove files that no update names any more.
    Gc {
        /// Only say what would be removed.
        #[arg(long)]
        dry_run: bool,
    },
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
        ContentCommand::Status { state, paging } => {
            status(state, &paging, connection, printer).await?;
            Ok(Outcome::Done)
        }
        ContentCommand::Verify => {
            let result: ContentVerified = connection.call(&["content", "verify"], &Nothing {}).await?;
            printer.show(&result, |page| {
                page.line(format!("{} files read, {} good, {} bad", result.checked, result.good, result.bad));
                errors(page, &result.errors);
                if result.bad > 0 {
                    page.line("Next: weir content repair");
                }
            })?;
            Ok(if result.bad == 0 { Outcome::Done } else { Outcome::Partly })
        }
        ContentCommand::Repair => {
            let result: ContentRepaired = connection.call(&["content", "repair"], &Nothing {}).await?;
            printer.show(&result, |page| {
                page.line(format!(
                    "{} files read, {} bad, {} will be fetched, {} have no source",
                    result.checked, result.bad, result.queued, result.without_source
                ));
                errors(page, &result.errors);
                if result.without_source > 0 {
                    page.line("Next: weir content status --state waiting, then weir content add PATH");
                }
            })?;
            Ok(if result.without_source == 0 { Outcome::Done } else { Outcome::Partly })
        }
        ContentCommand::Gc { dry_run } => {
            let result: ContentCollected = connection.call(&["content", "gc"], &CollectQuery { dry_run }).await?;
            printer.show(&result, |page| {
                let verb = if result.dry_run { "would be removed" } else { "removed" };
                page.line(format!("{} files, {} {verb}", result.files, bytes(result.bytes)));
            })?;
            Ok(Outcome::Done)
        }
    }
}

async fn add(paths: &[PathBuf], connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let mut parts = Vec::new();
    for path in paths {
        parts.extend(upload::find(path)?);
    }
    let mut sum = ContentAdded::default();
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

async fn status(state: Option<State>, paging: &Paging, connection: &Connection, printer: &Printer) -> Result<()> {
    let state = state.map(|state| match state {
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
