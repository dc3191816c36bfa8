//! `weir reports schedules`.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::report::{ReportSchedule, ReportScheduleChange, ReportScheduleCreate};

use super::{find, pairs};
use crate::{
    Outcome,
    commands::{Nothing, Paging},
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

const FORMS: &str = "Examples:\n  weir reports schedules create \"Weekly compliance\" --report compliance-overall \
                     --schedule 'weekly monday at 06:00' --to ops@example.org\n  \
                     weir reports schedules create \"Silent clients\" --report clients-silent --param days=14 \
                     --schedule 'daily at 05:30' --format csv --folder daily --keep 60\n\n\
                     Forms of schedules:\n  every N hours|days|weeks|months, daily, weekly [DAYS], monthly \
                     DAY|NTH WEEKDAY [+-N]\n  then at HH:MM, and if wanted from YYYY-MM-DD and a time zone\n\n\
                     E-mail needs a mail server: weir settings set mail.host SERVER, and mail.from. Folders lie below \
                     reports.folder of the server's weir.toml (reports in its data folder). Without --to and --folder files \
                     go into that folder itself.";

#[derive(Debug, Subcommand)]
pub(crate) enum SchedulesCommand {
    /// List reports that are made by themselves, and how that goes.
    #[command(after_help = "Example:\n  weir reports schedules list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a schedule.
    #[command(after_help = "Example:\n  weir reports schedules show \"Weekly compliance\"")]
    Show {
        /// Its name or id.
        name: String,
    },
    /// Have a report made by itself.
    #[command(after_help = FORMS)]
    Create(CreateArguments),
    /// Change a schedule; what is not given stays.
    #[command(
        after_help = "Examples:\n  weir reports schedules change \"Weekly compliance\" --schedule 'weekly friday at 06:00'\n  \
                            weir reports schedules change \"Weekly compliance\" --to a@example.org b@example.org\n  \
                            weir reports schedules change \"Silent clients\" --disable"
    )]
    Change(ChangeArguments),
    /// Delete schedules. Files that they wrote stay.
    #[command(after_help = "Example:\n  weir reports schedules delete \"Silent clients\"")]
    Delete {
        /// Names or ids.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Make and deliver the report of a schedule now, and say how that went.
    #[command(after_help = "Example:\n  weir reports schedules run \"Weekly compliance\"")]
    Run {
        /// Its name or id.
        name: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FileFormat {
    /// Comma-separated values.
    Csv,
    /// A page to print.
    Html,
    /// JSON.
    Json,
    /// Aligned text.
    Txt,
}

impl FileFormat {
    fn word(self) -> String {
        let word = match self {
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Json => "json",
            Self::Txt => "txt",
        };
        word.to_owned()
    }
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// Id or number of the report.
    #[arg(long, value_name = "ID")]
    report: String,
    /// What the report is asked, once for each parameter.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// When, such as 'weekly monday at 06:00'.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: String,
    /// How it is written; html by default.
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Rows at most, 1 to 50000, which is the default.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Send it by e-mail to these addresses.
    #[arg(long = "to", value_name = "ADDRESS", num_args = 1..)]
    addresses: Vec<String>,
    /// Write it to this folder of the server, below its folder of reports.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<String>,
    /// Files that stay in the folder; 30 by default.
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Keep it without making reports.
    #[arg(long)]
    disabled: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name or id.
    name: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Another report; what it is asked is to be given, too.
    #[arg(long, value_name = "ID")]
    report: Option<String>,
    /// What the report is asked, in place of everything before.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Another time.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// Another format.
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Other rows at most.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Other receivers, in place of all.
    #[arg(long = "to", value_name = "ADDRESS", num_args = 1.., conflicts_with = "no_mail")]
    addresses: Vec<String>,
    /// Send it to nobody any more.
    #[arg(long)]
    no_mail: bool,
    /// Another folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_folder")]
    folder: Option<String>,
    /// Write no file any more.
    #[arg(long)]
    no_folder: bool,
    /// Other files that stay.
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Make reports.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Make none for now.
    #[arg(long)]
    disable: bool,
}

const PATH: &str = "report-schedules";

pub(crate) async fn run(command: SchedulesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SchedulesCommand::List { paging } => {
            let list = paging.read::<ReportSchedule>(connection, &[PATH], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    vec![
                        row.name.clone(),
                        row.report.clone(),
                        row.schedule.clone(),
                        whereto(row),
                        if row.enabled { time_or(row.next, "never") } else { "disabled".to_owned() },
                        outcome(row),
                    ]
                });
                let empty = "No reports are made by themselves yet. Next: weir reports schedules create NAME --report ID \
                             --schedule 'weekly monday at 06:00'";
                page.table(&["Name", "Report", "When", "To", "Next", "Last"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        SchedulesCommand::Show { name } => {
            let row: ReportSchedule = connection.read(&[PATH, &name], &Nothing {}).await?;
            printer.show(&row, |page| show(page, &row))?;
        }
        SchedulesCommand::Create(arguments) => {
            let report = find(connection, &arguments.report).await?;
            let new = ReportScheduleCreate {
                name: arguments.name,
                report: report.id,
                parameters: pairs(&arguments.parameters)?.into_iter().collect(),
                schedule: arguments.schedule,
                format: arguments.format.map(FileFormat::word),
                limit: arguments.limit,
                addresses: arguments.addresses,
                folder: arguments.folder,
                keep: arguments.keep,
                enabled: Some(!arguments.disabled),
            };
            let row: ReportSchedule = connection.change(Method::POST, &[PATH], &new).await?;
            printer.show(&row, |page| {
                show(page, &row);
                page.line(format!("\nNext: try it with weir reports schedules run {:?}", row.name));
            })?;
        }
        SchedulesCommand::Change(arguments) => {
            let report = match &arguments.report {
                Some(report) => Some(find(connection, report).await?.id),
                None => None,
            };
            let parameters: BTreeMap<String, String> = pairs(&arguments.parameters)?.into_iter().collect();
            let change = ReportScheduleChange {
                name: arguments.rename,
                report,
                parameters: (!parameters.is_empty()).then_some(parameters),
                schedule: arguments.schedule,
                format: arguments.format.map(FileFormat::word),
                limit: arguments.limit,
                addresses: (arguments.no_mail || !arguments.addresses.is_empty()).then_some(arguments.addresses),
                folder: arguments.folder,
                no_folder: arguments.no_folder,
                keep: arguments.keep,
                enabled: (arguments.enable || arguments.disable).then_some(arguments.enable),
            };
            let row: ReportSchedule = connection.change(Method::PATCH, &[PATH, &arguments.name], &change).await?;
            printer.show(&row, |page| show(page, &row))?;
        }
        SchedulesCommand::Delete { names } => {
            for name in &names {
                connection.delete(&[PATH, name]).await?;
            }
            printer.done(&format!("deleted {}", names.join(", ")))?;
        }
        SchedulesCommand::Run { name } => {
            let row: ReportSchedule = connection.call_method(Method::POST, &[PATH, &name, "run"]).await?;
            printer.show(&row, |page| show(page, &row))?;
            if row.last.as_ref().is_some_and(|last| last.error.is_some()) {
                return Ok(Outcome::Failed);
            }
        }
    }
    Ok(Outcome::Done)
}

fn whereto(row: &ReportSchedule) -> String {
    let mut to = row.addresses.clone();
    to.extend(row.path.clone());
    to.join(", ")
}

fn outcome(row: &ReportSchedule) -> String {
    match &row.last {
        _ if row.running => "under way".to_owned(),
        None => "not made yet".to_owned(),
        Some(last) => match (&last.error, last.rows.zip(last.total)) {
            (Some(error), _) => format!("{}: failed: {error}", time(last.at)),
            (None, Some((rows, total))) if rows < total => format!("{}: {rows} of {total} rows", time(last.at)),
            (None, Some((rows, _))) => format!("{}: {rows} rows", time(last.at)),
            (None, None) => time(last.at),
        },
    }
}

fn show(page: &mut Page, row: &ReportSchedule) {
    page.field("name", &row.name);
    page.field("report", &row.report);
    for (name, value) in &row.parameters {
        page.field(name, value);
    }
    page.field("when", format!("{} ({})", row.description, row.schedule));
    page.field("format", format!("{}, at most {} rows", row.format, row.limit));
    page.field("e-mail to", row.addresses.join(", "));
    page.field("folder", row.path.clone().unwrap_or_default());
    if row.path.is_some() {
        page.field("files kept", row.keep);
    }
    page.field("next", if row.enabled { time_or(row.next, "never") } else { "disabled".to_owned() });
    page.field("last", outcome(row));
    if let Some(file) = row.last.as_ref().and_then(|last| last.file.as_ref()) {
        page.field("file", file);
    }
}
