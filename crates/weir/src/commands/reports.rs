//! `weir reports`.

pub(crate) mod schedules;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::Value;
use weir_api::{
    List,
    report::{ROWS_HEADER, Report, ReportColumn, ReportResult, TOTAL_HEADER},
};
use weir_model::report::shown;

use self::schedules::SchedulesCommand;
use super::Nothing;
use crate::{
    Outcome,
    connection::{Connection, answer},
    print::{Page, Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ReportsCommand {
    /// List the reports that there are.
    #[command(after_help = "Examples:\n  weir reports list\n  weir reports list --group scan --json")]
    List {
        /// Only those of this group: compliance, management, states, scan, troubleshooting, further.
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Show what a report says, takes and gives.
    #[command(after_help = "Example:\n  weir reports show compliance-update-computers")]
    Show {
        /// Its id, or its number such as A8.
        report: String,
    },
    /// Run a report.
    #[command(after_help = "Examples:\n  weir reports run compliance-overall\n  \
                            weir reports run compliance-group-updates --param group=\"2026-11 Security\" --param collection=Servers\n  \
                            weir reports run clients-silent --param days=14 --format csv --output silent.csv\n  \
                            weir reports run enforcement --param deployment=12 --format html --output enforcement.html\n\n\
                            What a report takes: weir reports show ID. A table that is cut says so; ask for more with --limit.")]
    Run(RunArguments),
    /// Reports that are made by themselves: by e-mail, or to a folder of the server.
    #[command(subcommand)]
    Schedules(SchedulesCommand),
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum FormatArgument {
    /// For people, on this terminal.
    #[default]
    Table,
    /// Comma-separated values.
    Csv,
    /// A page to print.
    Html,
    /// JSON.
    Json,
    /// Aligned text.
    Txt,
}

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// Its id, or its number such as A8.
    report: String,
    /// What it is asked, once for each parameter.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Rows at most, 1 to 50000; 1000 by default.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    format: FormatArgument,
    /// Write it to this file. Without --format the end of its name says how: .csv, .html, .json, .txt.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(command: ReportsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ReportsCommand::List { group } => {
            let mut list: List<Report> = connection.read(&["reports"], &Nothing {}).await?;
            if let Some(group) = group {
                list.items.retain(|report| report.group.eq_ignore_ascii_case(&group));
            }
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|report| {
                    vec![report.number.clone(), report.id.clone(), report.group.clone(), report.title.clone()]
                });
                let empty = "No reports of this group. Next: weir reports list";
                page.table(&["No.", "Report", "Group", "Title"], rows.collect(), empty);
            })?;
            Ok(Outcome::Done)
        }
        ReportsCommand::Show { report } => {
            let report = find(connection, &report).await?;
            printer.show(&report, |page| show(page, &report))?;
            Ok(Outcome::Done)
        }
        ReportsCommand::Run(arguments) => run_one(arguments, connection, printer).await,
        ReportsCommand::Schedules(command) => schedules::run(command, connection, printer).await,
    }
}

/// The report of that id or number.
pub(crate) async fn find(connection: &Connection, wanted: &str) -> Result<Report> {
    let list: List<Report> = connection.read(&["reports"], &Nothing {}).await?;
    let wanted = wanted.trim();
    let found = list
        .items
        .into_iter()
        .find(|report| report.id.eq_ignore_ascii_case(wanted) || report.number.eq_ignore_ascii_case(wanted));
    match found {
        Some(report) => Ok(report),
        None => bail!("there is no report {wanted:?}\nnext: see what there is: weir reports list"),
    }
}

/// What `NAME=VALUE` says.
pub(crate) fn pairs(given: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => bail!("{text:?} is not NAME=VALUE; what a report takes: weir reports show ID"),
    };
    given.iter().map(pair).collect()
}

fn show(page: &mut Page, report: &Report) {
    page.line(format!("{} ({})", report.title, report.number));
    page.field("id", &report.id);
    page.field("group", &report.group);
    page.line(format!("\n{}\n", report.description));
    let parameters = report.parameters.iter().map(|parameter| {
        let mut takes = match (parameter.least, parameter.most) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            _ if parameter.choices.is_empty() => parameter.kind.clone(),
            _ => parameter.choices.join(", "),
        };
        if let Some(default) = &parameter.default {
            takes = format!("{takes}; default {default}");
        }
        let name = if parameter.required { format!("{} (required)", parameter.name) } else { parameter.name.clone() };
        vec![name, takes, parameter.description.clone()]
    });
    page.table(&["Parameter", "Takes", "Meaning"], parameters.collect(), "It takes no parameters.");
    page.line("");
    let columns = report.columns.iter().map(|column| {
        vec![column.id.clone(), column.title.clone(), column.unit.clone().unwrap_or_else(|| column.kind.clone())]
    });
    page.table(&["Column", "Heading", "Holds"], columns.collect(), "It has no columns.");
    for drill in &report.drill {
        let from: Vec<String> = drill.from.iter().map(|(name, column)| format!("{name} from {column}")).collect();
        page.line(format!("Detail: {} ({})", drill.report, from.join(", ")));
    }
}

impl FormatArgument {
    /// The word that REST takes; none for the table of a terminal.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Table => None,
            Self::Csv => Some("csv"),
            Self::Html => Some("html"),
            Self::Json => Some("json"),
            Self::Txt => Some("txt"),
        }
    }

    /// What the name of a file says.
    fn of(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?.to_ascii_lowercase();
        [Self::Csv, Self::Html, Self::Json, Self::Txt].into_iter().find(|format| format.word() == Some(&end))
    }
}

async fn run_one(arguments: RunArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let RunArguments { report, parameters, limit, format, output } = arguments;
    let by_name = output.as_deref().and_then(FormatArgument::of);
    let format = if format == FormatArgument::Table { by_name.unwrap_or_default() } else { format };
    // with a file the answer goes there, and what was done is told as JSON
    if let Some(word) = format.word().filter(|word| output.is_none() && *word != "json") {
        printer.not_json(&format!("--format {word}"))?;
    }
    let report = find(connection, &report).await?;
    let mut query = pairs(&parameters)?;
    query.extend(limit.map(|limit| ("limit".to_owned(), limit.to_string())));
    let path = ["reports", report.id.as_str()];
    if output.is_some() && format == FormatArgument::Table {
        bail!("a file needs a format: --format csv, html, json or txt, or a name that ends so");
    }
    let Some(word) = format.word() else {
        let result: ReportResult =
            answer(connection.send(connection.request(Method::GET, &path)?.query(&query)).await?).await?;
        printer.show(&result, |page| table(page, &result))?;
        return Ok(Outcome::Done);
    };
    query.push(("format".to_owned(), word.to_owned()));
    let response = connection.send(connection.request(Method::GET, &path)?.query(&query)).await?;
    let number = |name: &str| response.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let (rows, total) = (number(ROWS_HEADER), number(TOTAL_HEADER));
    let text = response.text().await.context("the answer of the server broke off")?;
    match output {
        None => Printer::raw(&text)?,
        Some(path) => {
            let mut file = std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            let rows = rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
            printer.done(&format!("wrote {}{rows}", path.display()))?;
        }
    }
    if let Some((rows, total)) = rows.zip(total).filter(|(rows, total)| rows < total) {
        // the file itself does not say so
        anstream::eprintln!("{rows} of {total} rows; ask for more with --limit");
    }
    Ok(Outcome::Done)
}

fn table(page: &mut Page, result: &ReportResult) {
    page.line(&result.title);
    for (name, value) in &result.parameters {
        page.field(name, value);
    }
    page.field("as of", time(result.as_of));
    if let Some(at) = result.rolled_up {
        page.field("servers below", format!("as they reported, the oldest at {}", time(at)));
    }
    for note in &result.notes {
        page.line(note);
    }
    page.line("");
    let header: Vec<&str> = result.columns.iter().map(|column| column.title.as_str()).collect();
    let rows = result.rows.iter().map(|row| {
        let cell = |column: &ReportColumn| row.get(&column.id).map(|value| cell(column, value)).unwrap_or_default();
        result.columns.iter().map(cell).collect()
    });
    page.table(&header, rows.collect(), &format!("No rows. What it says: weir reports show {}", result.report));
    if result.truncated {
        page.line(format!("... {} of {} rows: add --limit N", result.rows.len(), result.total));
    }
}

/// A cell for a person.
fn cell(column: &ReportColumn, value: &Value) -> String {
    match (column.kind.as_str(), value) {
        (_, Value::Null) => String::new(),
        ("time", Value::String(text)) => text.parse().map_or_else(|_| text.clone(), time),
        ("bytes", _) => value.as_u64().map(shown::bytes).unwrap_or_default(),
        ("duration", _) => value.as_i64().map(shown::span).unwrap_or_default(),
        ("state", Value::String(word)) => shown::state(word),
        ("percent", _) => value.as_f64().map(|share| format!("{share:.1}")).unwrap_or_default(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_names_and_values() {
        let given = |texts: &[&str]| pairs(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let read = given(&["collection=A=B", " days =3", "site="]).expect("pairs");
        let wanted = [("collection", "A=B"), ("days", "3"), ("site", "")];
        assert!(read.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(wanted));
        assert!(given(&["days"]).is_err() && given(&["=3"]).is_err());
    }

    #[test]
    fn cells_are_what_people_read() {
        let column =
            |kind: &str| ReportColumn { id: "x".to_owned(), title: "X".to_owned(), kind: kind.to_owned(), unit: None };
        let shown = |kind: &str, value: Value| cell(&column(kind), &value);
        assert_eq!(shown("duration", 90_000.into()), "25 h");
        assert_eq!(shown("state", "pending_restart".into()), "pending restart");
        assert_eq!(shown("duration", 259_200.into()), "3 d");
        assert_eq!(shown("percent", 33.3.into()), "33.3");
        assert_eq!(shown("count", 7.into()), "7");
        assert_eq!(shown("text", "a".into()), "a");
        assert_eq!(shown("time", Value::Null), "");
        assert_eq!(shown("bytes", 2_048.into()), "2.00 KiB");
    }

    #[test]
    fn the_name_of_a_file_says_its_format() {
        assert_eq!(FormatArgument::of(Path::new("a/b.CSV")), Some(FormatArgument::Csv));
        assert_eq!(FormatArgument::of(Path::new("b.pdf")), None);
    }
}
