//! `weir sync`.

use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::sync::{
    RolledUp, SyncFault, SyncPhase, SyncRun, SyncStart, SyncStarted, SyncState, SyncStatus, SyncTrigger,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes, time, time_or},
    progress::Progress,
};

/// How often to ask how far a run is.
const POLL: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Synchronize now, whatever the schedule says.
    #[command(after_help = "Examples:\n  weir sync now\n  weir sync now --wait\n  weir sync now --wait --json\n\n\
                            If one is under way already, that one is followed. The first synchronization brings the list \
                            of products and classifications; choose among them, then synchronize again. With --wait the \
                            exit code is 1 unless it ended well; warnings leave it 0, and the result in JSON is \
                            done_with_warnings.")]
    Now(NowArguments),
    /// Show how synchronization stands: the run under way, the last one, the next one.
    #[command(after_help = "Examples:\n  weir sync status\n  weir sync status --json")]
    Status,
    /// List synchronizations, newest first.
    #[command(after_help = "Examples:\n  weir sync history\n  weir sync history --limit 10 --json")]
    History {
        #[command(flatten)]
        paging: Paging,
    },
    /// Tell the server above now what computers reported; by itself that happens every `rollup.minutes`.
    #[command(after_help = "Examples:\n  weir sync roll-up\n  weir sync roll-up --json")]
    RollUp,
    /// Stop the synchronization that is under way. What it fetched is kept; the next one goes on there.
    #[command(after_help = "Examples:\n  weir sync cancel")]
    Cancel,
}

#[derive(Args, Debug)]
pub(crate) struct NowArguments {
    /// Wait until it is over, and show how far it is.
    #[arg(long)]
    wait: bool,
    /// Compare everything with the source anew, instead of asking what changed.
    #[arg(long)]
    full: bool,
}

pub(crate) async fn run(command: SyncCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SyncCommand::Now(arguments) => now(arguments, connection, printer).await,
        SyncCommand::Status => {
            let status: SyncStatus = connection.read(&["sync"], &Nothing {}).await?;
            printer.show(&status, |page| show_status(page, &status))?;
            Ok(Outcome::Done)
        }
        SyncCommand::History { paging } => {
            let list = paging.read::<SyncRun>(connection, &["sync", "runs"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|run| {
                    vec![
                        time_or(run.started_at, "not begun"),
                        word(run).to_owned(),
                        trigger(run.trigger).to_owned(),
                        duration(run.seconds),
                        run.added.to_string(),
                        run.revised.to_string(),
                        run.expired.to_string(),
                        bytes(run.bytes),
                        run.error.as_ref().map_or_else(String::new, |error| error.message.clone()),
                    ]
                });
                let header = ["Started", "Result", "Why", "Took", "Added", "Revised", "Expired", "Received", "Error"];
                page.table(&header, rows.collect(), "No synchronization yet. Next: weir sync now");
                page.more(list.next.as_deref());
            })?;
            Ok(Outcome::Done)
        }
        SyncCommand::RollUp => {
            let told: RolledUp = connection.change(Method::POST, &["sync", "roll-up"], &Nothing {}).await?;
            printer.show(&told, |page| {
                page.line(if told.detailed {
                    format!(
                        "The server above was told of {} servers, {} computers and the status of {}.",
                        told.servers, told.computers, told.statuses
                    )
                } else {
                    format!("The server above was told of {} servers; it takes no computers.", told.servers)
                });
            })?;
            Ok(Outcome::Done)
        }
        SyncCommand::Cancel => {
            let run: SyncRun = connection.call_method(Method::DELETE, &["sync"]).await?;
            let is_over = run.ended_at.is_some();
            printer.show(&run, |page| {
                if is_over {
                    page.line(format!("{}; what was fetched is kept for the next one", sentence(&run)));
                } else {
                    page.line("It has been told to stop, and has not stopped yet. Next: weir sync status");
                }
            })?;
            Ok(if is_over { Outcome::Done } else { Outcome::Failed })
        }
    }
}

async fn now(arguments: NowArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let start = SyncStart { full: arguments.full };
    let SyncStarted { attached, run } = connection.change(Method::POST, &["sync"], &start).await?;
    if !arguments.wait {
        printer.show(&run, |page| {
            page.line(if attached { "A synchronization is under way already." } else { "Synchronization started." });
            page.line("Next: weir sync status, or weir sync now --wait");
        })?;
        return Ok(Outcome::Done);
    }
    if attached {
        anstream::eprintln!("a synchronization is under way already; this follows it");
    }
    let run = tokio::select! {
        run = follow(run, connection) => run?,
        _ = tokio::signal::ctrl_c() => {
            return Err(anyhow!(
                "interrupted: the synchronization goes on at the server (weir sync status; to stop it: weir sync cancel)"
            ));
        }
    };
    printer.show(&run, |page| show_run(page, &run))?;
    Ok(if run.state == SyncState::Done { Outcome::Done } else { Outcome::Failed })
}

/// Asks until the run is over.
pub(super) async fn follow(mut run: SyncRun, connection: &Connection) -> Result<SyncRun> {
    let mut progress: Option<Progress> = None;
    while run.ended_at.is_none() {
        if let Some(position) = &run.progress {
            let verb = phase(position.phase);
            progress = progress.filter(|progress| progress.verb() == verb);
            let total = position.total.max(position.done);
            progress.get_or_insert_with(|| Progress::of_documents(verb, total)).set(position.done, total);
        }
        tokio::time::sleep(POLL).await;
        run = connection.read(&["sync", "runs", &run.id.to_string()], &Nothing {}).await?;
    }
    Ok(run)
}

fn phase(phase: SyncPhase) -> &'static str {
    match phase {
        SyncPhase::Starting => "starting",
        SyncPhase::Authorizing => "authorizing",
        SyncPhase::Configuration => "asking for the configuration",
        SyncPhase::Categories => "categories",
        SyncPhase::Updates => "updates",
        SyncPhase::Members => "members of bundles",
        SyncPhase::Storing => "storing",
        SyncPhase::Deployments => "deployments",
        SyncPhase::Criteria => "criteria",
        SyncPhase::Publishing => "publishing",
        SyncPhase::RollUp => "reporting to the server above",
        SyncPhase::Announcing => "telling the servers below",
    }
}

fn trigger(trigger: SyncTrigger) -> &'static str {
    match trigger {
        SyncTrigger::Manual => "by hand",
        SyncTrigger::Parent => "parent",
        SyncTrigger::Resume => "resumed",
        SyncTrigger::Retry => "retry",
        SyncTrigger::Schedule => "schedule",
    }
}

fn word(run: &SyncRun) -> &str {
    match run.result.as_str() {
        "done_with_warnings" => "done, with warnings",
        result => result,
    }
}

/// Seconds as a person would say them.
pub(super) fn duration(seconds: f64) -> String {
    match seconds as u64 {
        0..60 => format!("{seconds:.1} s"),
        whole @ 60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

fn sentence(run: &SyncRun) -> String {
    let took = duration(run.seconds);
    match run.state {
        SyncState::Cancelled => format!("Cancelled after {took}"),
        SyncState::Done => format!("Synchronized in {took}"),
        SyncState::Failed => format!("Failed after {took}"),
        SyncState::Interrupted => format!("Interrupted after {took}"),
        SyncState::Running => format!("Under way for {took}"),
        SyncState::Waiting => "Waiting for its turn".to_owned(),
    }
}

fn show_run(page: &mut Page, run: &SyncRun) {
    page.line(format!(
        "{}: {} added, {} revised, {} expired, {} received",
        sentence(run),
        run.added,
        run.revised,
        run.expired,
        bytes(run.bytes)
    ));
    if run.skipped + run.declined > 0 {
        page.line(format!("Criteria: {} skipped, {} declined", run.skipped, run.declined));
    }
    for warning in &run.warnings {
        page.line(format!("warning: {warning}"));
    }
    if let Some(error) = &run.error {
        fault(page, error);
    }
    if let Some(next) = run.next_step.as_ref().filter(|_| run.error.is_none()) {
        page.line(format!("Next: {next}"));
    }
}

fn fault(page: &mut Page, error: &SyncFault) {
    page.line(format!("error: {}", error.message));
    page.line(&error.explanation);
    page.line(format!("Next: {}", error.next_step));
}

fn show_status(page: &mut Page, status: &SyncStatus) {
    page.field("source", &status.source);
    page.field("parent", status.parent.as_deref().unwrap_or_default());
    page.field("chosen", format!("{} products, {} classifications", status.products, status.classifications));
    if let Some(run) = &status.current {
        page.field("now", format!("{}, {}", sentence(run), trigger(run.trigger)));
        if let Some(at) = &run.progress {
            let percent = at.percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
            let left = at.seconds_left.map(|left| format!(", {} left", duration(left as f64))).unwrap_or_default();
            let of = if at.total > 0 { format!("{} of {}", at.done, at.total) } else { at.done.to_string() };
            page.field("phase", format!("{}: {of}{percent}, {}/s{left}", phase(at.phase), at.per_second));
            page.field("received", bytes(at.bytes));
        }
    }
    match &status.last {
        Some(run) => {
            page.field("last", format!("{} at {}", word(run), time_or(run.ended_at, "an unknown time")));
            show_run(page, run);
        }
        None => page.field("last", "never"),
    }
    page.field("last success", time_or(status.last_success, "never"));
    let follows = status.parent.as_ref().map(|parent| format!("whenever {parent} has synchronized"));
    page.field("schedule", status.schedule.clone().or(follows).unwrap_or_else(|| "off".to_owned()));
    if let Some(next) = &status.next {
        page.field("next", format!("{} ({})", time(next.at), trigger(next.trigger)));
    }
    let told = status.last.as_ref().is_some_and(|run| run.next_step == status.next_step);
    if let Some(next) = status.next_step.as_ref().filter(|_| !told) {
        page.line(format!("Next: {next}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_two_units() {
        assert_eq!(duration(1.25), "1.2 s");
        assert_eq!(duration(61.0), "1 min 1 s");
        assert_eq!(duration(7_260.0), "2 h 1 min");
    }
}
