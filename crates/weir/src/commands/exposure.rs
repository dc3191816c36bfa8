//! `weir exposure`.

mod computers;
mod cves;
mod exceptions;
mod import;
mod levels;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use weir_api::exposure::{CollectionQuery, Document, ExposureState, LevelCounts, ServiceLevel, StateCounts, Summary};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ExposureCommand {
    /// Import documents about vulnerabilities: MSRC's CVRF (XML or JSON), CSAF 2.0, CISA's KEV catalogue.
    #[command(after_help = import::HELP)]
    Import(import::ImportArguments),
    /// List imported documents.
    #[command(after_help = "Examples:\n  weir exposure documents\n  weir exposure documents --all --json")]
    Documents {
        #[command(flatten)]
        paging: Paging,
    },
    /// Forget documents and what they said.
    #[command(after_help = "Example:\n  weir exposure forget 12")]
    Forget {
        /// Numbers of documents: weir exposure documents.
        #[arg(required = true, value_name = "NO")]
        documents: Vec<u32>,
    },
    /// Vulnerabilities, with computers counted.
    #[command(subcommand)]
    Cves(cves::CvesCommand),
    /// List computers by what they are exposed to; with --cve where each stands and why, with --computer all CVEs of one.
    #[command(after_help = computers::HELP)]
    Computers(computers::ComputersArguments),
    /// Show how exposed computers are.
    #[command(after_help = "Examples:\n  weir exposure summary\n  weir exposure summary --collection Servers --json")]
    Summary {
        /// Computers of this collection and of those below it.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
    /// Service levels: days within which computers have to be fixed.
    #[command(subcommand)]
    Levels(levels::LevelsCommand),
    /// Exceptions from service levels.
    #[command(subcommand)]
    Exceptions(exceptions::ExceptionsCommand),
}

/// What lists are narrowed to.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Narrowed {
    /// Only what is in this state.
    #[arg(long, value_enum)]
    state: Option<StateArgument>,
    /// Only exposures of this service level.
    #[arg(long, value_enum)]
    level: Option<LevelArgument>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateArgument {
    /// An update that fixes it is needed.
    Exposed,
    /// Nothing can be said.
    NoData,
    /// What fixes it is there.
    Fixed,
    /// It is not affected.
    NotAffected,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArgument {
    /// The time is over.
    Breached,
    /// It is over soon.
    DueSoon,
    /// There is time.
    Within,
    /// Somebody answers for it.
    Excepted,
    /// No level holds.
    None,
}

impl Narrowed {
    fn state(self) -> Option<ExposureState> {
        self.state.map(|state| match state {
            StateArgument::Exposed => ExposureState::Exposed,
            StateArgument::NoData => ExposureState::NoData,
            StateArgument::Fixed => ExposureState::Fixed,
            StateArgument::NotAffected => ExposureState::NotAffected,
        })
    }

    fn level(self) -> Option<ServiceLevel> {
        self.level.map(|level| match level {
            LevelArgument::Breached => ServiceLevel::Breached,
            LevelArgument::DueSoon => ServiceLevel::DueSoon,
            LevelArgument::Within => ServiceLevel::Within,
            LevelArgument::Excepted => ServiceLevel::Excepted,
            LevelArgument::None => ServiceLevel::None,
        })
    }
}

pub(crate) async fn run(command: ExposureCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ExposureCommand::Import(arguments) => return import::run(arguments, connection, printer).await,
        ExposureCommand::Cves(command) => cves::run(command, connection, printer).await?,
        ExposureCommand::Computers(arguments) => computers::run(arguments, connection, printer).await?,
        ExposureCommand::Levels(command) => levels::run(command, connection, printer).await?,
        ExposureCommand::Exceptions(command) => exceptions::run(command, connection, printer).await?,
        ExposureCommand::Documents { paging } => {
            let list = paging.read::<Document>(connection, &["exposure", "documents"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|it| {
                    vec![
                        it.no.to_string(),
                        it.kind.clone(),
                        it.id.clone(),
                        it.version.clone(),
                        time(it.current_at),
                        it.cves.to_string(),
                        it.title.clone(),
                    ]
                });
                let header = ["No", "Kind", "Id", "Version", "Released", "CVEs", "Title"];
                page.table(&header, rows.collect(), NO_DOCUMENTS);
                page.more(list.next.as_deref());
            })?;
        }
        ExposureCommand::Forget { documents } => {
            for no in &documents {
                connection.delete(&["exposure", "documents", &no.to_string()]).await?;
            }
            let numbers: Vec<String> = documents.iter().map(ToString::to_string).collect();
            printer.done(&format!("forgot {}", numbers.join(", ")))?;
        }
        ExposureCommand::Summary { collection } => {
            let query = CollectionQuery { collection };
            let summary: Summary = connection.read(&["exposure", "summary"], &query).await?;
            printer.show(&summary, |page| show(page, &summary))?;
        }
    }
    Ok(Outcome::Done)
}

/// What to do where there is nothing yet.
const NO_DOCUMENTS: &str = "No documents about vulnerabilities yet. Next: weir exposure import FILE";

fn show(page: &mut Page, summary: &Summary) {
    if summary.documents == 0 {
        page.line(NO_DOCUMENTS);
        return;
    }
    page.field("documents", summary.documents);
    page.field("CVEs", summary.cves);
    page.field(
        "exposed to",
        format!("{} CVEs, {} of them known to be exploited", summary.cves_exposed, summary.cves_exploited),
    );
    page.field("nothing known of", format!("{} CVEs", summary.cves_no_data));
    page.field("computers", summary.computers);
    page.field(
        "exposed",
        format!(
            "{} computers, {} with a breach of service levels",
            summary.computers_exposed, summary.computers_breached
        ),
    );
    page.field("never reported", format!("{} computers", summary.computers_silent));
    page.field("pairs", states(&summary.pairs));
    page.field("exposures", level_counts(&summary.levels));
    page.field("as of", time_or(summary.as_of, ""));
    if summary.rolled_up.is_some() {
        page.field("servers below", format!("as of {} or later", time_or(summary.rolled_up, "")));
    }
}

/// Counts by state in a line.
fn states(counts: &StateCounts) -> String {
    format!(
        "{} exposed, {} without data, {} fixed, {} not affected",
        counts.exposed, counts.no_data, counts.fixed, counts.not_affected
    )
}

/// Counts by service level in a line.
fn level_counts(counts: &LevelCounts) -> String {
    let all = [
        (counts.breached, "breached"),
        (counts.due_soon, "due soon"),
        (counts.within, "within"),
        (counts.excepted, "excepted"),
        (counts.none, "without a level"),
    ];
    let some: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if some.is_empty() { "none".to_owned() } else { some.join(", ") }
}

/// A state in a word.
fn state(state: ExposureState) -> &'static str {
    match state {
        ExposureState::Exposed => "exposed",
        ExposureState::NoData => "no data",
        ExposureState::Fixed => "fixed",
        ExposureState::NotAffected => "not affected",
    }
}

/// A service level in a word; nothing where there is no exposure.
fn level(level: Option<ServiceLevel>) -> &'static str {
    match level {
        Some(ServiceLevel::Breached) => "breached",
        Some(ServiceLevel::DueSoon) => "due soon",
        Some(ServiceLevel::Within) => "within",
        Some(ServiceLevel::Excepted) => "excepted",
        Some(ServiceLevel::None) => "no level",
        None => "",
    }
}
