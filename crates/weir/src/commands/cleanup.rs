//! `weir cleanup`.

use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::cleanup::{
    Cleanup, CleanupAction, CleanupCounts, CleanupPreview, CleanupPreviewQuery, CleanupRules, CleanupRun, CleanupState,
    RemovedRevision,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes, time, time_or},
};

/// How often to ask how far a run is.
const POLL: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(crate) enum CleanupCommand {
    /// Show the rules, the run under way and the last one.
    #[command(after_help = "Examples:\n  weir cleanup show\n  weir cleanup show --json")]
    Show,
    /// Show what a run would do now, and change nothing.
    #[command(after_help = "Examples:\n  weir cleanup preview\n  weir cleanup preview --superseded months:3\n  \
                            weir cleanup preview --superseded immediately --only keep --all\n  \
                            weir cleanup preview --declined-days 7 --json\n\n\
                            Options that look like rules show what would happen under them; set them with weir settings set \
                            cleanup.superseded months:3.")]
    Preview(PreviewArguments),
    /// Clean up now. It also happens by itself, after each synchronization and every quarter of an hour.
    #[command(after_help = "Examples:\n  weir cleanup run\n  weir cleanup run --wait --json")]
    Run {
        /// Wait until it is over.
        #[arg(long)]
        wait: bool,
    },
    /// List runs, newest first.
    #[command(after_help = "Examples:\n  weir cleanup history\n  weir cleanup history --limit 10 --json")]
    History {
        #[command(flatten)]
        paging: Paging,
    },
    /// List revisions that were removed.
    #[command(after_help = "Examples:\n  weir cleanup removed --all")]
    Removed {
        #[command(flatten)]
        paging: Paging,
    },
    /// Stop the run that is under way. What it did stays.
    #[command(after_help = "Examples:\n  weir cleanup cancel")]
    Cancel,
}

#[derive(Args, Debug)]
pub(crate) struct PreviewArguments {
    /// When superseded updates are declined: off, immediately, months:N.
    #[arg(long, value_name = "WHEN")]
    superseded: Option<String>,
    /// When superseded feature updates are declined: off, immediately, months:N.
    #[arg(long, value_name = "WHEN")]
    superseded_features: Option<String>,
    /// Keep what is deployed where its replacement is not.
    #[arg(long, value_name = "BOOL")]
    keep_until_deployed: Option<bool>,
    /// Keep what is made for a product that its replacement is not made for.
    #[arg(long, value_name = "BOOL")]
    keep_narrower: Option<bool>,
    /// Days until withdrawn updates are removed.
    #[arg(long, value_name = "DAYS")]
    expired_days: Option<u32>,
    /// Days until declined updates are removed.
    #[arg(long, value_name = "DAYS")]
    declined_days: Option<u32>,
    /// Days until old revisions are removed.
    #[arg(long, value_name = "DAYS")]
    obsolete_days: Option<u32>,
    /// Only these.
    #[arg(long, value_enum)]
    only: Option<Only>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Only {
    /// What is declined.
    Decline,
    /// What stays although a rule would take it.
    Keep,
    /// What is removed.
    Remove,
}

pub(crate) async fn run(command: CleanupCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        CleanupCommand::Show => {
            let cleanup: Cleanup = connection.read(&["cleanup"], &Nothing {}).await?;
            printer.show(&cleanup, |page| show(page, &cleanup))?;
        }
        CleanupCommand::Preview(arguments) => preview(arguments, connection, printer).await?,
        CleanupCommand::Run { wait } => {
            let mut run: CleanupRun = connection.call_method(Method::POST, &["cleanup", "runs"]).await?;
            while wait && run.ended_at.is_none() {
                tokio::time::sleep(POLL).await;
                run = connection.read(&["cleanup", "runs", &run.id.to_string()], &Nothing {}).await?;
            }
            printer.show(&run, |page| {
                page.line(format!("{}: {}", word(run.state), told(&run.counts)));
                if run.ended_at.is_none() {
                    page.line("Next: weir cleanup show tells how far it is");
                }
            })?;
            if let Some(error) = run.error {
                return Err(anyhow!("clean-up failed: {error}"));
            }
        }
        CleanupCommand::History { paging } => {
            let list = paging.read::<CleanupRun>(connection, &["cleanup", "runs"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|run| {
                    vec![
                        time_or(run.started_at, "not begun"),
                        word(run.state).to_owned(),
                        run.asked_by.clone(),
                        run.counts.processed.to_string(),
                        run.counts.declined.to_string(),
                        run.counts.updates.to_string(),
                        run.counts.revisions.to_string(),
                        bytes(run.counts.bytes),
                        run.error.clone().unwrap_or_default(),
                    ]
                });
                let head = [
                    "Started",
                    "State",
                    "By",
                    "Processed",
                    "Declined",
                    "Updates removed",
                    "Revisions",
                    "Bytes",
                    "Error",
                ];
                page.table(&head, rows.collect(), "Nothing was cleaned up yet. Next: weir cleanup preview");
                page.more(list.next.as_deref());
            })?;
        }
        CleanupCommand::Removed { paging } => {
            let list = paging.read::<RemovedRevision>(connection, &["cleanup", "removed"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list
                    .items
                    .iter()
                    .map(|row| vec![format!("{}@{}", row.id, row.revision), time(row.removed_at), row.title.clone()]);
                page.table(&["Revision", "Removed", "Title"], rows.collect(), "Nothing was removed.");
                page.more(list.next.as_deref());
            })?;
        }
        CleanupCommand::Cancel => {
            let cleanup: Cleanup = connection.read(&["cleanup"], &Nothing {}).await?;
            let Some(run) = cleanup.current else {
                return Err(anyhow!("no clean-up is under way; see the last ones: weir cleanup history"));
            };
            let id = run.id.to_string();
            let run: CleanupRun = connection.call_method(Method::DELETE, &["cleanup", "runs", &id]).await?;
            printer.show(&run, |page| page.line(format!("{}: {}", word(run.state), told(&run.counts))))?;
        }
    }
    Ok(Outcome::Done)
}

async fn preview(arguments: PreviewArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let paging = arguments.paging;
    let mut query = CleanupPreviewQuery {
        superseded: arguments.superseded,
        superseded_features: arguments.superseded_features,
        keep_until_deployed: arguments.keep_until_deployed,
        keep_narrower: arguments.keep_narrower,
        expired_days: arguments.expired_days,
        declined_days: arguments.declined_days,
        obsolete_days: arguments.obsolete_days,
        action: arguments.only.map(|only| match only {
            Only::Decline => CleanupAction::Decline,
            Only::Keep => CleanupAction::Keep,
            Only::Remove => CleanupAction::Remove,
        }),
        cursor: paging.cursor.clone(),
        limit: None,
    };
    let mut whole: Option<CleanupPreview> = None;
    let preview = loop {
        let have = whole.as_ref().map_or(0, |whole| whole.items.len());
        query.limit = Some(paging.room(have) as u32);
        let mut page: CleanupPreview = connection.read(&["cleanup", "preview"], &query).await?;
        query.cursor.clone_from(&page.next);
        if let Some(mut before) = whole.take() {
            before.items.append(&mut page.items);
            page.items = before.items;
        }
        if page.next.is_none() || paging.room(page.items.len()) == 0 {
            break page;
        }
        whole = Some(page);
    };
    printer.show(&preview, |page| {
        rules(page, &preview.rules);
        page.field("looked at", format!("{} updates", preview.processed));
        page.field("would decline", format!("{} updates", preview.declines));
        page.field(
            "would remove",
            format!("{} updates, {} revisions, {}", preview.updates, preview.revisions, bytes(preview.bytes)),
        );
        page.field("would keep", format!("{} that a rule would take otherwise", preview.kept));
        page.line("");
        let rows = preview.items.iter().map(|item| {
            let action = match item.action {
                CleanupAction::Decline => "decline",
                CleanupAction::Keep => "keep",
                CleanupAction::Remove => "remove",
            };
            let name = item.revision.map_or_else(|| item.id.to_string(), |revision| format!("{}@{revision}", item.id));
            let other = item.other.as_ref().map(|other| super::names(std::slice::from_ref(other))).unwrap_or_default();
            vec![action.to_owned(), name, item.title.clone(), item.reason.clone(), other]
        });
        page.table(&["Action", "Update", "Title", "Why", "Other update"], rows.collect(), "There is nothing to do.");
        page.more(preview.next.as_deref());
    })
}

fn rules(page: &mut Page, rules: &CleanupRules) {
    let days = |days: u32| if days == 0 { "never".to_owned() } else { format!("after {days} days") };
    page.field("superseded", format!("{} (feature updates: {})", rules.superseded, rules.superseded_features));
    let mut kept = Vec::new();
    if rules.keep_until_deployed {
        kept.push("while its replacement is not deployed where it is");
    }
    if rules.keep_narrower {
        kept.push("while it is made for a product that its replacement is not made for");
    }
    page.field("kept", kept.join("; "));
    page.field("withdrawn", format!("removed {}", days(rules.expired_days)));
    page.field("declined", format!("removed {}", days(rules.declined_days)));
    page.field("old revisions", format!("removed {}", days(rules.obsolete_days)));
}

fn show(page: &mut Page, cleanup: &Cleanup) {
    rules(page, &cleanup.rules);
    if cleanup.follows {
        page.field("declines", "decided at the site above");
    }
    let unused = if cleanup.can_give_back { "" } else { ", used again by what is stored next" };
    page.field("unused space", format!("{}{unused}", bytes(cleanup.unused_bytes)));
    if let Some(run) = &cleanup.current {
        page.field("under way", format!("{} ({})", told(&run.counts), run.counts.phase));
    }
    match &cleanup.last {
        Some(run) => {
            let at = time_or(run.ended_at, "");
            page.field("last run", format!("{} {at}: {}", word(run.state), told(&run.counts)));
            page.field("error", run.error.clone().unwrap_or_default());
        }
        None => page.field("last run", "none yet"),
    }
    if let Some(next) = &cleanup.next_step {
        page.line(format!("Next: {next}"));
    }
}

fn word(state: CleanupState) -> &'static str {
    match state {
        CleanupState::Cancelled => "stopped",
        CleanupState::Done => "done",
        CleanupState::Failed => "failed",
        CleanupState::Running => "running",
        CleanupState::Waiting => "waiting",
    }
}

fn told(counts: &CleanupCounts) -> String {
    let mut text = format!(
        "processed {} updates, declined {}, removed {} updates ({} revisions, {})",
        counts.processed,
        counts.declined,
        counts.updates,
        counts.revisions,
        bytes(counts.bytes)
    );
    if counts.leaving > 0 {
        text += &format!(", {} revisions wait a day for downstream servers", counts.leaving);
    }
    text
}
