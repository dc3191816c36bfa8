//! `weir backup`.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use reqwest::Method;
use weir_api::{
    Problem,
    backup::{Backup, BackupCreate, BackupFailure, BackupPhase, BackupProgress, BackupRun, BackupState, BackupStatus},
};
use weir_model::report::file::Folder;
use weir_server::{
    Options,
    backup::{self, BackupError, Verified},
    start,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::{Connection, Refused, is_not_running},
    print::{Page, Printer, bytes, time, time_or},
    progress::Progress,
};

/// How often to ask how far a run is.
const POLL: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Make a backup now: the server that runs does, without interrupting anything; else it is made of the folder itself.
    #[command(after_help = "Examples:\n  weir backup create\n  weir backup create --content\n  \
                            weir backup create --folder before-upgrade --json\n  weir backup create --background\n  \
                            weir backup create --data /var/lib/weir --config /etc/weir/weir.toml\n\n\
                            It is written below the folder that the process settings allow (backup.folder in weir.toml, by \
                            default the folder backups in the data folder), and holds every key of the server.")]
    Create(CreateArguments),
    /// List backups, newest first.
    #[command(after_help = "Examples:\n  weir backup list\n  weir backup list --json")]
    List {
        #[command(flatten)]
        paging: Paging,
        /// Configuration file, where no server runs [default: weir.toml of the data folder].
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Show the schedule, the run under way, the last good and the last failed backup.
    #[command(after_help = "Examples:\n  weir backup status\n  weir settings set backup.schedule 'daily at 02:00'")]
    Status,
    /// List runs, newest first.
    #[command(after_help = "Examples:\n  weir backup runs --limit 10")]
    Runs {
        #[command(flatten)]
        paging: Paging,
    },
    /// Stop the run that is under way. What it wrote is removed.
    #[command(after_help = "Examples:\n  weir backup cancel")]
    Cancel,
    /// Compare every file of a backup with its digest, and check its database. Needs no server, and writes nothing.
    #[command(after_help = "Examples:\n  weir backup verify /srv/weir-backups/weir-20261130T020000Z")]
    Verify {
        /// The folder of the backup.
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// A folder below the folder of backups [default: the setting backup.folder].
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
    /// With content files. Without it and --no-content: as the setting backup.content says. Their list is always in it.
    #[arg(long, conflicts_with = "no_content")]
    content: bool,
    /// Without content files.
    #[arg(long)]
    no_content: bool,
    /// Do not wait until it is made.
    #[arg(long)]
    background: bool,
    /// Configuration file, where no server runs [default: weir.toml of the data folder].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the database, where no server runs, if it is on a server of PostgreSQL [default: database.url of the configuration
    /// file].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl CreateArguments {
    fn content(&self) -> Option<bool> {
        (self.content || self.no_content).then_some(self.content)
    }
}

pub(crate) async fn run(data: Option<PathBuf>, command: BackupCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        BackupCommand::Create(arguments) => {
            let outcome = create(data.as_deref(), &arguments, printer).await;
            match outcome {
                Err(error) if is_not_running(&error, data.as_deref()) => create_here(data, &arguments, printer),
                outcome => outcome,
            }
        }
        BackupCommand::List { paging, config } => {
            let outcome = list(data.as_deref(), &paging, printer).await;
            match outcome {
                Err(error) if is_not_running(&error, data.as_deref()) => list_here(data, config, printer),
                outcome => outcome,
            }
        }
        BackupCommand::Status => status(data.as_deref(), printer).await,
        BackupCommand::Runs { paging } => runs(data.as_deref(), &paging, printer).await,
        BackupCommand::Cancel => cancel(data.as_deref(), printer).await,
        BackupCommand::Verify { backup } => verify(&backup, printer),
    }
}

/// Asks the server for a backup, and follows it.
async fn create(data: Option<&Path>, arguments: &CreateArguments, printer: &Printer) -> Result<Outcome> {
    let connection = Connection::open(data)?;
    let wanted = BackupCreate { folder: arguments.folder.clone(), content: arguments.content() };
    let run: BackupRun = connection.change(Method::POST, &["backups"], &wanted).await?;
    if arguments.background {
        printer.show(&run, |page| page.line("asked for: weir backup status tells how far it is"))?;
        return Ok(Outcome::Done);
    }
    let id = run.id.to_string();
    let run = tokio::select! {
        run = follow(&connection, run) => run?,
        _ = tokio::signal::ctrl_c() => {
            connection.delete(&["backups", "runs", &id]).await?;
            return Err(refused(&BackupError::Cancelled.failure()));
        }
    };
    match (run.backup, run.error) {
        (Some(backup), _) => made(&backup, printer),
        (None, Some(error)) => Err(refused(&error)),
        (None, None) => Err(anyhow!("the backup was stopped; nothing of it is there")),
    }
}

async fn follow(connection: &Connection, mut run: BackupRun) -> Result<BackupRun> {
    let mut bar = Bar::default();
    while run.ended_at.is_none() {
        bar.show(run.progress);
        tokio::time::sleep(POLL).await;
        run = connection.read(&["backups", "runs", &run.id.to_string()], &Nothing {}).await?;
    }
    Ok(run)
}

/// Makes a backup of a folder that no server uses.
fn create_here(data: Option<PathBuf>, arguments: &CreateArguments, printer: &Printer) -> Result<Outcome> {
    let (config, database) = (arguments.config.clone(), arguments.database.clone());
    let settings = start::settings(&Options { data, config, database, ..Options::default() })?;
    let folder = arguments.folder.as_deref().map(str::parse::<Folder>).transpose().map_err(|_| {
        anyhow!("--folder takes at most five names with / between, below the folder of backups, and no others")
    })?;
    let made_of = with_progress(|watch| {
        backup::make_here(&settings, folder.as_ref(), arguments.content(), Timestamp::now(), watch)
    });
    made(&made_of.map_err(|error| refused(&error.failure()))?, printer)
}

/// Does work on this thread that tells how far it is, and that may wait for a network; within a runtime, on which Ctrl-C is heard: it
/// ends the work cleanly.
pub(super) fn with_progress<T>(
    work: impl FnOnce(&mut backup::Watch<'_>) -> Result<T, BackupError>,
) -> Result<T, BackupError> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let listening = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let mut bar = Bar::default();
    let done = tokio::task::block_in_place(|| {
        work(&mut |told| {
            bar.show(told);
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    });
    listening.abort();
    done
}

/// How far the work is, phase by phase.
#[derive(Default)]
struct Bar(Option<(BackupPhase, Progress)>);

impl Bar {
    fn show(&mut self, told: BackupProgress) {
        if self.0.as_ref().is_none_or(|(phase, _)| *phase != told.phase) {
            // the last one disappears before the next one is there
            self.0 = None;
            self.0 = Some((told.phase, Progress::of_bytes(verb(told.phase), told.bytes_total)));
        }
        if let Some((_, progress)) = &mut self.0
            && told.bytes_total > 0
        {
            progress.set(told.bytes, told.bytes_total);
        }
    }
}

fn verb(phase: BackupPhase) -> &'static str {
    match phase {
        BackupPhase::Preparing => "preparing",
        BackupPhase::Database => "copying the database",
        BackupPhase::Checking => "checking the database",
        BackupPhase::Files => "copying files",
        BackupPhase::Digests => "comparing digests",
    }
}

/// A failure as the server would tell it.
pub(super) fn refused(error: &BackupFailure) -> anyhow::Error {
    Refused(Problem {
        status: 0,
        code: error.code.clone(),
        title: "Refused".to_owned(),
        detail: error.message.clone(),
        next_step: error.next_step.clone(),
    })
    .into()
}

fn made(backup: &Backup, printer: &Printer) -> Result<Outcome> {
    printer.show(backup, |page| {
        page.line(format!("{}: {}", backup.path, bytes(backup.bytes)));
        facts(page, backup);
        page.line("It holds every key of this server: keep it where only administrators can read it.");
    })?;
    Ok(if backup.content.left_out > 0 { Outcome::Partly } else { Outcome::Done })
}

fn facts(page: &mut Page, backup: &Backup) {
    let content = &backup.content;
    let what = if content.included { "with their bytes" } else { "their list alone" };
    page.field("content", format!("{} files, {}: {what}", content.files, bytes(content.bytes)));
    if content.left_out > 0 {
        page.line(format!(
            "warning: {} content files are not in it, being gone or damaged: weir content repair",
            content.left_out
        ));
    }
    page.field("version", format!("{}, schema {}", backup.version, backup.schema_version));
    for path in &backup.elsewhere {
        page.field("not in it", path);
    }
}

async fn list(data: Option<&Path>, paging: &Paging, printer: &Printer) -> Result<Outcome> {
    let connection = Connection::open(data)?;
    let list = paging.read::<Backup>(&connection, &["backups"], &Nothing {}).await?;
    printer.show(&list, |page| {
        table(page, &list.items);
        page.more(list.next.as_deref());
    })?;
    Ok(Outcome::Done)
}

fn list_here(data: Option<PathBuf>, config: Option<PathBuf>, printer: &Printer) -> Result<Outcome> {
    let settings = start::settings(&Options { data, config, ..Options::default() })?;
    let items = backup::list(&settings.backups).map_err(|error| refused(&error.failure()))?;
    let list = weir_api::List { items, next: None };
    printer.show(&list, |page| table(page, &list.items))?;
    Ok(Outcome::Done)
}

fn table(page: &mut Page, backups: &[Backup]) {
    let rows = backups.iter().map(|backup| {
        vec![
            time(backup.made_at),
            backup.path.clone(),
            bytes(backup.bytes),
            if backup.content.included { "yes" } else { "list" }.to_owned(),
            backup.asked_by.clone(),
            backup.version.clone(),
        ]
    });
    let head = ["Made", "Folder", "Size", "Content", "Asked by", "Version"];
    page.table(&head, rows.collect(), "There is no backup. Next: weir backup create");
}

async fn status(data: Option<&Path>, printer: &Printer) -> Result<Outcome> {
    let connection = Connection::open(data)?;
    let status: BackupStatus = connection.read(&["backups", "status"], &Nothing {}).await?;
    printer.show(&status, |page| {
        page.field("folder", &status.folder);
        page.field("schedule", &status.schedule);
        page.field("next", time_or(status.next_at, ""));
        page.field("kept", format!("{} scheduled ones", status.keep));
        page.field("content", if status.content { "yes" } else { "list alone" });
        if let Some(run) = &status.current {
            let BackupProgress { phase, bytes: done, bytes_total } = run.progress;
            page.field("under way", format!("{}, {} of {}", verb(phase), bytes(done), bytes(bytes_total)));
        }
        match status.last_good.as_ref().and_then(|run| Some((run.ended_at?, run.backup.as_ref()?))) {
            Some((at, backup)) => page.field("last good", format!("{}: {}", time(at), backup.path)),
            None => page.field("last good", "none yet"),
        }
        if let Some((run, error)) = status.last_failed.as_ref().and_then(|run| Some((run, run.error.as_ref()?))) {
            page.field("last failed", format!("{}: {}", time_or(run.ended_at, ""), error.message));
        }
        if let Some(next) = &status.next_step {
            page.line(format!("Next: {next}"));
        }
    })?;
    Ok(Outcome::Done)
}

async fn runs(data: Option<&Path>, paging: &Paging, printer: &Printer) -> Result<Outcome> {
    let connection = Connection::open(data)?;
    let list = paging.read::<BackupRun>(&connection, &["backups", "runs"], &Nothing {}).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|run| {
            let outcome = match (&run.backup, &run.error) {
                (Some(backup), _) => backup.path.clone(),
                (None, Some(error)) => error.message.clone(),
                (None, None) => String::new(),
            };
            vec![time_or(run.started_at, "not begun"), word(run.state).to_owned(), run.asked_by.clone(), outcome]
        });
        page.table(
            &["Started", "State", "Asked by", "Outcome"],
            rows.collect(),
            "None was asked for. Next: weir backup create",
        );
        page.more(list.next.as_deref());
    })?;
    Ok(Outcome::Done)
}

fn word(state: BackupState) -> &'static str {
    match state {
        BackupState::Cancelled => "stopped",
        BackupState::Done => "done",
        BackupState::Failed => "failed",
        BackupState::Running => "running",
        BackupState::Waiting => "waiting",
    }
}

async fn cancel(data: Option<&Path>, printer: &Printer) -> Result<Outcome> {
    let connection = Connection::open(data)?;
    let status: BackupStatus = connection.read(&["backups", "status"], &Nothing {}).await?;
    let Some(run) = status.current else {
        return Err(anyhow!("no backup is under way"));
    };
    let id = run.id.to_string();
    let run: BackupRun = connection.call_method(Method::DELETE, &["backups", "runs", &id]).await?;
    printer.show(&run, |page| page.line("stopped; what it wrote is removed"))?;
    Ok(Outcome::Done)
}

fn verify(path: &Path, printer: &Printer) -> Result<Outcome> {
    let verified = with_progress(|watch| backup::verify(path, watch)).map_err(|error| refused(&error.failure()))?;
    let Verified { backup, files, restorable } = &verified;
    printer.show(&verified, |page| {
        page.line(format!(
            "{}: sound; {files} files, {}, made at {}",
            backup.path,
            bytes(backup.bytes),
            time(backup.made_at)
        ));
        facts(page, backup);
        if !restorable {
            page.line("warning: a later Weir made it, and this one cannot restore it");
        }
    })?;
    Ok(if *restorable { Outcome::Done } else { Outcome::Partly })
}
