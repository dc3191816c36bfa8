//! `weir windows`.

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use reqwest::Method;
use weir_api::window::{
    CalendarQuery, NextWindow, NextWindowQuery, Window, WindowChange, WindowChanged, WindowCreate, WindowKind,
    WindowNamed, WindowOccurrence, WindowQuery,
};

use super::Paging;
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time_or},
};

const FORMS: &str = "Examples:\n  weir windows create \"Servers Saturday\" --collection Servers \
                     --schedule 'monthly second tuesday +4 at 22:00' --duration 4h --local --for updates\n  \
                     weir windows create Nights --collection Clients --schedule 'weekly mon,wed at 01:00'\n  \
                     weir windows create Amsterdam --collection Stores --schedule 'daily at 23:00 Europe/Amsterdam'\n\n\
                     Forms of schedules:\n  every N hours|days|weeks|months, daily, weekly [DAYS], monthly \
                     DAY|NTH WEEKDAY [+-N]\n  then at HH:MM, and if wanted from YYYY-MM-DD and a time zone\n\n\
                     Without --schedule a window is weekly on today's weekday at 01:00, for three hours. Windows of all \
                     collections of a computer count; those that overlap or touch are one. What a computer may do when: \
                     weir windows next --computer ID.";

#[derive(Debug, Subcommand)]
pub(crate) enum WindowsCommand {
    /// List maintenance windows.
    #[command(after_help = "Examples:\n  weir windows list\n  weir windows list --collection Servers --json")]
    List {
        /// Only those of this collection.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one maintenance window.
    #[command(after_help = "Example:\n  weir windows show \"Servers Saturday\"")]
    Show(Named),
    /// Create a maintenance window for the computers of a collection.
    #[command(after_help = FORMS)]
    Create(CreateArguments),
    /// Change a maintenance window; what is not given stays.
    #[command(after_help = "Examples:\n  weir windows change \"Servers Saturday\" --duration 6h\n  \
                            weir windows change Nights --schedule 'daily at 02:00'\n  weir windows change Nights --disable")]
    Change(ChangeArguments),
    /// Delete maintenance windows. Without any, computers install at the deadlines of their deployments.
    #[command(after_help = "Example:\n  weir windows delete \"Servers Saturday\"")]
    Delete {
        /// Names or ids.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Their collection, where several have a window of that name.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
    /// Show when updates may install next, in each collection with windows.
    #[command(after_help = "Examples:\n  weir windows next\n  weir windows next --collection Servers\n  \
                            weir windows next --computer 3b241101-e2bb-4255-8caf-4136c566a962")]
    Next {
        /// On this computer: windows of all its collections, in its time zone.
        #[arg(long, value_name = "ID", conflicts_with = "collection")]
        computer: Option<String>,
        /// On computers of this collection.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show when maintenance windows come in a month.
    #[command(
        after_help = "Examples:\n  weir windows calendar\n  weir windows calendar --month 2026-12 --collection Servers"
    )]
    Calendar {
        /// Which month; this one by default.
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<String>,
        /// Only windows of this collection.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Name or id.
    name: String,
    /// Its collection, where several have a window of that name.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ForArgument {
    /// Every deployment.
    All,
    /// Updates only. Where a computer has such a window, updates keep to those.
    Updates,
    /// Task sequences only; never counts for updates.
    TaskSequences,
}

impl From<ForArgument> for WindowKind {
    fn from(kind: ForArgument) -> Self {
        match kind {
            ForArgument::All => Self::AllDeployments,
            ForArgument::Updates => Self::SoftwareUpdates,
            ForArgument::TaskSequences => Self::TaskSequences,
        }
    }
}

/// Where and when, as both creating and changing take it.
#[derive(Args, Debug)]
pub(crate) struct Times {
    /// When it begins, such as 'monthly second tuesday +4 at 22:00'.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// The first day that counts; today by default.
    #[arg(long, value_name = "YYYY-MM-DD")]
    first_day: Option<Date>,
    /// How long it lasts: 5m to 24h; 3h by default.
    #[arg(long, value_name = "TIME", value_parser = minutes)]
    duration: Option<u32>,
    /// A time of day of each computer (the default, unless the schedule names a zone).
    #[arg(long, conflicts_with = "utc")]
    local: bool,
    /// A time of day in UTC.
    #[arg(long)]
    utc: bool,
    /// What may run in it.
    #[arg(long = "for", value_enum, value_name = "WHAT")]
    kind: Option<ForArgument>,
}

impl Times {
    fn local(&self) -> Option<bool> {
        (self.local || self.utc).then_some(self.local)
    }
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name, unique in its collection without regard to case.
    name: String,
    /// Name or id of the collection whose computers it is for.
    #[arg(long, value_name = "NAME")]
    collection: String,
    #[command(flatten)]
    times: Times,
    /// Keep it without letting it count.
    #[arg(long)]
    disabled: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    #[command(flatten)]
    named: Named,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    times: Times,
    /// Let it count.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Keep it without letting it count.
    #[arg(long)]
    disable: bool,
}

/// Minutes of a text such as `4h`, `90m` or `1h30m`.
fn minutes(text: &str) -> Result<u32> {
    let wrong = || anyhow!("use hours and minutes such as 4h, 90m or 1h30m");
    let (hours, rest) = match text.split_once('h') {
        Some((hours, rest)) => (hours.parse::<u32>().map_err(|_| wrong())?, rest),
        None => (0, text),
    };
    let minutes = match rest.strip_suffix('m') {
        Some(minutes) => minutes.parse::<u32>().map_err(|_| wrong())?,
        None if rest.is_empty() && text.contains('h') => 0,
        None => return Err(wrong()),
    };
    let total = hours.checked_mul(60).and_then(|hours| hours.checked_add(minutes));
    total.filter(|total| (5..=1_440).contains(total)).ok_or_else(|| anyhow!("a window lasts from 5m to 24h"))
}

pub(crate) async fn run(command: WindowsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        WindowsCommand::List { collection, paging } => {
            let query = WindowQuery { collection, ..WindowQuery::default() };
            let list = paging.read::<Window>(connection, &["windows"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    vec![
                        row.collection.name.clone(),
                        row.name.clone(),
                        row.schedule.clone(),
                        duration(row.minutes),
                        purpose(row.kind).to_owned(),
                        if row.enabled { time_or(row.next, "never") } else { "disabled".to_owned() },
                    ]
                });
                let empty = "No maintenance windows: computers install at the deadlines of their deployments. \
                             Next: weir windows create NAME --collection NAME";
                page.table(&["Collection", "Name", "Begins", "Lasts", "For", "Next"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        WindowsCommand::Show(named) => {
            let window = find(connection, &named).await?;
            printer.show(&window, |page| show(page, &window))?;
        }
        WindowsCommand::Create(arguments) => {
            let local = arguments.times.local();
            let new = WindowCreate {
                name: arguments.name,
                collection: arguments.collection,
                schedule: arguments.times.schedule,
                first_day: arguments.times.first_day,
                minutes: arguments.times.duration,
                local,
                kind: arguments.times.kind.map(Into::into).unwrap_or_default(),
                enabled: Some(!arguments.disabled),
            };
            let made: WindowChanged = connection.change(Method::POST, &["windows"], &new).await?;
            printer.show(&made, |page| changed(page, &made))?;
        }
        WindowsCommand::Change(arguments) => {
            let found = find(connection, &arguments.named).await?;
            let local = arguments.times.local();
            let change = WindowChange {
                name: arguments.rename,
                schedule: arguments.times.schedule,
                first_day: arguments.times.first_day,
                minutes: arguments.times.duration,
                local,
                kind: arguments.times.kind.map(Into::into),
                enabled: (arguments.enable || arguments.disable).then_some(arguments.enable),
            };
            let path = ["windows", &found.id.to_string()];
            let made: WindowChanged = connection.change(Method::PATCH, &path, &change).await?;
            printer.show(&made, |page| changed(page, &made))?;
        }
        WindowsCommand::Delete { names, collection } => {
            for name in &names {
                let named = Named { name: name.clone(), collection: collection.clone() };
                let found = find(connection, &named).await?;
                connection.delete(&["windows", &found.id.to_string()]).await?;
            }
            printer.done(&format!("deleted {}", names.join(", ")))?;
        }
        WindowsCommand::Next { computer, collection, paging } => {
            let query = NextWindowQuery { computer, collection, ..NextWindowQuery::default() };
            let list = paging.read::<NextWindow>(connection, &["windows-next"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    let collection = row.collection.as_ref().map(|it| it.name.clone());
                    vec![
                        collection.or_else(|| row.computer.clone()).unwrap_or_default(),
                        begins(row),
                        row.minutes.map(duration).unwrap_or_default(),
                        format!("{} ({})", row.zone, row.zone_from),
                        row.windows.join(", "),
                    ]
                });
                let header =
                    if list.items.iter().any(|row| row.computer.is_some()) { "Computer" } else { "Collection" };
                let empty = "No collection has maintenance windows. Next: weir windows create NAME --collection NAME";
                page.table(&[header, "Begins", "Lasts", "Time zone", "Windows"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        WindowsCommand::Calendar { month, collection, paging } => {
            let query = CalendarQuery { month, collection, ..CalendarQuery::default() };
            let list = paging.read::<WindowOccurrence>(connection, &["windows-calendar"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    vec![
                        row.local_start.clone(),
                        duration(row.minutes),
                        row.collection.name.clone(),
                        row.window.name.clone(),
                        purpose(row.kind).to_owned(),
                        row.zone.clone(),
                    ]
                });
                let empty = "No maintenance window comes in that month. Next: weir windows list";
                page.table(&["Begins", "Lasts", "Collection", "Window", "For", "Time zone"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
    }
    Ok(Outcome::Done)
}

async fn find(connection: &Connection, named: &Named) -> Result<Window> {
    let query = WindowNamed { collection: named.collection.clone() };
    connection.read(&["windows", &named.name], &query).await
}

fn show(page: &mut Page, window: &Window) {
    page.field("window", &window.name);
    page.field("id", window.id);
    page.field("collection", &window.collection.name);
    page.field("begins", format!("{}.", window.description));
    page.field("schedule", &window.schedule);
    page.field("time zone", window.zone.as_deref().unwrap_or("that of each computer"));
    page.field("lasts", duration(window.minutes));
    page.field("for", purpose(window.kind));
    page.field("next", if window.enabled { time_or(window.next, "never") } else { "disabled".to_owned() });
    if window.from_parent {
        page.field("made", "at the server above");
    }
    page.field("changed by", &window.changed_by);
}

fn changed(page: &mut Page, made: &WindowChanged) {
    let window = &made.window;
    page.line(format!(
        "{}: {}, for {} ({}), computers in {}.",
        window.name,
        window.description,
        duration(window.minutes),
        purpose(window.kind),
        window.collection.name
    ));
    for warning in &made.warnings {
        page.line(format!("warning: {warning}"));
    }
    page.line("Computers hear of it with their next scan.");
}

fn begins(row: &NextWindow) -> String {
    match &row.local_start {
        _ if row.unrestricted => "at any time: no windows".to_owned(),
        Some(start) if row.open => format!("{start} (open now)"),
        Some(start) => start.clone(),
        None => "never".to_owned(),
    }
}

/// A duration as it is given.
fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

fn purpose(kind: WindowKind) -> &'static str {
    match kind {
        WindowKind::AllDeployments => "all deployments",
        WindowKind::SoftwareUpdates => "updates",
        WindowKind::TaskSequences => "task sequences",
    }
}

/// The next window of a computer in a line; nothing if it has none.
pub(super) fn line(next: Option<&NextWindow>) -> String {
    match next {
        None => String::new(),
        Some(next) if next.unrestricted => "none; updates install at their deadlines".to_owned(),
        Some(next) => {
            let lasts = next.minutes.map(|minutes| format!(" for {}", duration(minutes))).unwrap_or_default();
            format!("{}{lasts}, {} ({})", begins(next), next.zone, next.zone_from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, read) in [("4h", 240), ("90m", 90), ("1h30m", 90), ("5m", 5), ("24h", 1_440)] {
            assert_eq!(minutes(text).expect(text), read);
        }
        for wrong in ["", "4", "h", "m", "4m", "25h", "1h1h", "1m1h", "-1h", "1.5h", "99999999999h"] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
        for (minutes, text) in [(5, "5m"), (60, "1h"), (90, "1h30m"), (1_440, "24h")] {
            assert_eq!(duration(minutes), text);
        }
    }
}
