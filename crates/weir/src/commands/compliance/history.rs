//! `weir compliance history|subjects|record|trend|time-to`.

use std::io::IsTerminal as _;

use anyhow::Result;
use clap::{Args, ValueEnum};
use jiff::{Timestamp, civil::Date};
use reqwest::Method;
use weir_api::history::{
    History, HistoryDay, HistoryKind, HistoryQuery, HistoryRecorded, HistorySubject, HistorySubjectQuery, Reached,
    ReachedHow, StartKind, TimeTo, TimeToQuery, Trend, TrendQuery,
};

use super::spark;
use crate::{
    commands::Paging,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

/// Days of one answer.
const PAGE: u32 = 1_000;
/// Characters of a line of bars.
const BARS: usize = 60;

#[derive(Args, Debug)]
pub(crate) struct HistoryArguments {
    /// Name or id of a collection; All Computers by default.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["server", "update"])]
    collection: Option<String>,
    /// The computers that this downstream server reports, by name or GUID; "this" for those that scan here.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["group", "update"])]
    server: Option<String>,
    /// Name or id of an update group, on all computers or those of --collection.
    #[arg(long, value_name = "NAME", conflicts_with = "update")]
    group: Option<String>,
    /// GUID of an update.
    #[arg(long, value_name = "ID")]
    update: Option<String>,
    /// First day; default 30 days in all.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// Last day; default today.
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<Date>,
    /// Print comma-separated values.
    #[arg(long)]
    csv: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TrendArguments {
    /// Name or id of a phased deployment: its phases are the rings.
    #[arg(long, value_name = "NAME", required_unless_present = "group", conflicts_with = "group")]
    phased: Option<String>,
    /// Name or id of an update group.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Collections, in the order of the rings; default all to which the group is deployed.
    #[arg(long, value_name = "NAME", requires = "group", value_delimiter = ',')]
    collections: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct TimeToArguments {
    /// Name or id of an update group.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["update", "server"])]
    group: Option<String>,
    /// Name or id of a collection: with --group its computers, alone it needs --since.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["update", "server"])]
    collection: Option<String>,
    /// GUID of an update: from when its publisher made it.
    #[arg(long, value_name = "ID", conflicts_with = "server")]
    update: Option<String>,
    /// The computers that this downstream server reports, by name or GUID; "this" for those that scan here.
    #[arg(long, value_name = "NAME", requires = "since")]
    server: Option<String>,
    /// Count from then on: RFC 3339, or how long ago such as 30d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

/// What history is of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// Collections.
    Collection,
    /// Update groups on all computers.
    Group,
    /// Update groups on the computers of a collection.
    GroupInCollection,
    /// Servers.
    Site,
    /// Updates.
    Update,
}

pub(super) async fn history(arguments: HistoryArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let HistoryArguments { collection, server, group, update, from, to, csv } = arguments;
    if csv {
        printer.not_json("--csv")?;
    }
    let query = HistoryQuery { collection, server, group, update, from, to, cursor: None, limit: Some(PAGE) };
    let mut whole: History = connection.read(&["compliance", "history"], &query).await?;
    while let Some(next) = whole.next.take() {
        let query = HistoryQuery { cursor: Some(next), ..query.clone() };
        let page: History = connection.read(&["compliance", "history"], &query).await?;
        whole.items.extend(page.items);
        whole.next = page.next;
    }
    printer.show(&whole, |page| if csv { comma_separated(page, &whole) } else { table(page, &whole) })
}

fn comma_separated(page: &mut Page, history: &History) {
    page.record([
        "day",
        "computers",
        "percent",
        "installed",
        "not_applicable",
        "required",
        "downloaded",
        "pending_restart",
        "failed",
        "unknown",
        "rolled_up",
    ]);
    for day in &history.items {
        let mut record = vec![day.day.to_string()];
        match &day.counts {
            None => record.resize(11, String::new()),
            Some(counts) => {
                record.push(day.computers.unwrap_or_default().to_string());
                record.push(day.percent.map(|percent| percent.to_string()).unwrap_or_default());
                let counts = [
                    counts.installed,
                    counts.not_applicable,
                    counts.required,
                    counts.downloaded,
                    counts.pending_restart,
                    counts.failed,
                    counts.unknown,
                ];
                record.extend(counts.map(|count| count.to_string()));
                record.push(day.rolled_up.map(|at| at.to_string()).unwrap_or_default());
            }
        }
        page.record(&record);
    }
}

fn table(page: &mut Page, history: &History) {
    let subject = &history.subject;
    page.field("of", format!("{}: {}", kind_words(subject.kind), subject.name));
    if let Some(gone) = subject.gone_at {
        page.field("gone", format!("since {}", time(gone)));
    }
    page.field("days", format!("in {}, {} are kept", history.time_zone, history.kept_days));
    let first = subject.first_day.map_or_else(|| "none yet".to_owned(), |day| day.to_string());
    page.field("first record", first);
    if history.items.iter().all(|day| day.counts.is_none()) {
        page.line(nothing(subject));
        return;
    }
    let shares: Vec<Option<f64>> = history.items.iter().map(|day| day.percent).collect();
    bars(page, "compliant", &shares);
    page.line("");
    let mut header =
        vec!["Day", "Computers", "%", "Installed", "Not applicable", "Needed", "Restart", "Failed", "Unknown"];
    // the age of what servers below told, where there are any
    let aged = history.items.iter().any(|day| day.rolled_up.is_some());
    if aged {
        header.push("Below as of");
    }
    page.table(&header, rows(&history.items, aged), "");
}

/// Why there is nothing to show, and what to do.
fn nothing(subject: &HistorySubject) -> String {
    if subject.days > 0 {
        return "No record of these days. Next: give other days with --from and --to".to_owned();
    }
    let next = "Next: weir compliance record takes today's, weir compliance subjects lists what is recorded";
    match subject.kind {
        HistoryKind::GroupInCollection => {
            format!("No record yet: it is taken where the group is deployed to the collection, or in a phase. {next}")
        }
        HistoryKind::Update => format!("No record yet: it is taken of updates that are deployed. {next}"),
        HistoryKind::Collection | HistoryKind::Group | HistoryKind::Site => format!("No record yet. {next}"),
    }
}

/// Days as lines; days without a record that follow each other are one.
fn rows(days: &[HistoryDay], aged: bool) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut rest = days;
    while let [first, after @ ..] = rest {
        if let Some(counts) = &first.counts {
            let mut row = vec![
                first.day.to_string(),
                first.computers.unwrap_or_default().to_string(),
                first.percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1}")),
                counts.installed.to_string(),
                counts.not_applicable.to_string(),
                (counts.required + counts.downloaded).to_string(),
                counts.pending_restart.to_string(),
                counts.failed.to_string(),
                counts.unknown.to_string(),
            ];
            if aged {
                row.push(time_or(first.rolled_up, ""));
            }
            rows.push(row);
            rest = after;
            continue;
        }
        let gap = rest.iter().take_while(|day| day.counts.is_none()).count();
        let last = rest.get(gap - 1).map_or(first.day, |day| day.day);
        let days = if gap == 1 { first.day.to_string() } else { format!("{} to {last}", first.day) };
        let mut row = vec![days, "no record".to_owned()];
        row.resize(9 + usize::from(aged), String::new());
        rows.push(row);
        rest = rest.get(gap..).unwrap_or_default();
    }
    rows
}

/// A line of bars, on a terminal.
fn bars(page: &mut Page, label: &str, shares: &[Option<f64>]) {
    if std::io::stdout().is_terminal() {
        page.field(label, spark::line(shares, BARS));
    }
}

pub(super) async fn subjects(
    kind: Option<Kind>,
    paging: Paging,
    connection: &Connection,
    printer: &Printer,
) -> Result<()> {
    let kind = kind.map(|kind| match kind {
        Kind::Collection => HistoryKind::Collection,
        Kind::Group => HistoryKind::Group,
        Kind::GroupInCollection => HistoryKind::GroupInCollection,
        Kind::Site => HistoryKind::Site,
        Kind::Update => HistoryKind::Update,
    });
    let query = HistorySubjectQuery { kind, cursor: None, limit: None };
    let list = paging.read::<HistorySubject>(connection, &["compliance", "history", "subjects"], &query).await?;
    printer.show(&list, |page| {
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let rows = list.items.iter().map(|subject| {
            vec![
                kind_words(subject.kind).to_owned(),
                subject.name.clone(),
                day(subject.first_day),
                day(subject.last_day),
                subject.days.to_string(),
                subject.bytes.to_string(),
                subject.gone_at.map(time).unwrap_or_default(),
            ]
        });
        let header = ["Of", "Name", "First day", "Last day", "Days", "Bytes", "Gone since"];
        page.table(&header, rows.collect(), "Nothing is recorded yet. Next: weir compliance record");
        page.more(list.next.as_deref());
    })
}

pub(super) async fn record(connection: &Connection, printer: &Printer) -> Result<()> {
    let recorded: HistoryRecorded = connection.call_method(Method::POST, &["compliance", "history", "record"]).await?;
    printer.show(&recorded, |page| {
        page.line(format!(
            "{}: looked at {} subjects, {} have another record than before",
            recorded.day, recorded.subjects, recorded.changed
        ));
        if recorded.left_out > 0 {
            page.line(format!("{} were left out: there are too many", recorded.left_out));
        }
    })
}

pub(super) async fn trend(arguments: TrendArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let TrendArguments { phased, group, collections } = arguments;
    let collections = (!collections.is_empty()).then(|| collections.join(","));
    let trend: Trend = connection.read(&["compliance", "trend"], &TrendQuery { phased, group, collections }).await?;
    printer.show(&trend, |page| {
        page.field("group", &trend.group.name);
        if let Some(phased) = &trend.phased {
            page.field("phased", &phased.name);
        }
        let name = |ring: &weir_api::history::TrendRing| match &ring.phase {
            Some(phase) => format!("{phase} ({})", ring.collection.name),
            None => ring.collection.name.clone(),
        };
        for ring in &trend.rings {
            let shares: Vec<Option<f64>> = ring.days.iter().map(|day| day.percent).collect();
            bars(page, &name(ring), &shares);
        }
        page.line("");
        let rows = trend.rings.iter().map(|ring| {
            let mut row = vec![
                name(ring),
                time_or(ring.start, "not deployed"),
                ring.latest.as_ref().map(|day| day.day.to_string()).unwrap_or_default(),
                ring.latest.as_ref().and_then(|day| day.computers).map(|count| count.to_string()).unwrap_or_default(),
                share(ring.latest.as_ref()),
            ];
            row.extend(ring.reached.iter().map(took));
            row.resize(8, String::new());
            row
        });
        let header = ["Ring", "Available", "Last record", "Computers", "% now", "to 50 %", "to 90 %", "to 95 %"];
        page.table(&header, rows.collect(), "No rings: it is not deployed. Next: weir deployments create --help");
    })
}

pub(super) async fn time_to(arguments: TimeToArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let TimeToArguments { group, collection, update, server, since } = arguments;
    let query = TimeToQuery { group, collection, update, server, since };
    let answer: TimeTo = connection.read(&["compliance", "time-to"], &query).await?;
    printer.show(&answer, |page| {
        page.field("of", format!("{}: {}", kind_words(answer.subject.kind), answer.subject.name));
        let what = match answer.start_is {
            StartKind::Available => "its earliest deployment is available",
            StartKind::Created => "the group was made; it is not deployed",
            StartKind::Given => "as given",
            StartKind::Published => "its publisher made it",
        };
        page.field("counts from", format!("{} ({what})", time(answer.start)));
        page.field("now", share(answer.latest.as_ref()));
        page.line("");
        let rows = answer
            .reached
            .iter()
            .map(|reached| vec![format!("{} %", reached.percent), took(reached), between(reached, answer.start)]);
        page.table(&["Share", "Took", "How that is known"], rows.collect(), "");
    })
}

fn share(day: Option<&HistoryDay>) -> String {
    day.and_then(|day| day.percent).map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1} %"))
}

/// How long it took, in the shortest words that are true.
fn took(reached: &Reached) -> String {
    let span = reached
        .hours
        .map(|hours| if hours < 48.0 { format!("{hours:.1} h") } else { format!("{:.1} days", hours / 24.0) });
    let span = span.unwrap_or_default();
    match (reached.how, reached.estimate) {
        (ReachedHow::AtStart, _) => "at the start".to_owned(),
        (ReachedHow::BeforeRecords, _) => format!("at most {span}"),
        (ReachedHow::Between, Some(_)) => span,
        (ReachedHow::Between, None) => format!("at most {span}"),
        (ReachedHow::NoRecords, _) => "no records".to_owned(),
        (ReachedHow::NotReached, _) => "not reached".to_owned(),
    }
}

fn between(reached: &Reached, start: Timestamp) -> String {
    let missing = match reached.missing_days {
        0 => String::new(),
        1 => ", with a day without a record in between".to_owned(),
        days => format!(", with {days} days without a record in between"),
    };
    match (reached.how, reached.after, reached.by) {
        (ReachedHow::AtStart, ..) => format!("it was so at {}", time(start)),
        (ReachedHow::BeforeRecords, _, by) => {
            format!("it was so when records began, at {}", time_or(by, "an unknown time"))
        }
        (ReachedHow::Between, after, by) => {
            format!("not yet at {}, reached by {}{missing}", time_or(after, "the start"), time_or(by, "now"))
        }
        (ReachedHow::NoRecords, ..) => "nothing was recorded since".to_owned(),
        (ReachedHow::NotReached, at, _) => match reached.best {
            Some(best) => format!("at most {best:.1} %, at {}", time_or(at, "an unknown time")),
            None => String::new(),
        },
    }
}

fn kind_words(kind: HistoryKind) -> &'static str {
    match kind {
        HistoryKind::Collection => "collection",
        HistoryKind::Group => "update group",
        HistoryKind::GroupInCollection => "group in collection",
        HistoryKind::Site => "server",
        HistoryKind::Update => "update",
    }
}

#[cfg(test)]
mod tests {
    use weir_api::computer::StateCounts;

    use super::*;

    fn day(text: &str, percent: Option<f64>) -> HistoryDay {
        HistoryDay {
            day: text.parse().expect("a date"),
            counts: percent.map(|_| StateCounts { installed: 1, ..StateCounts::default() }),
            computers: percent.map(|_| 1),
            percent,
            rolled_up: None,
        }
    }

    #[test]
    fn days_without_a_record_are_one_line() {
        let days = [
            day("2026-01-01", Some(1.0)),
            day("2026-01-02", None),
            day("2026-01-03", None),
            day("2026-01-04", Some(2.0)),
            day("2026-01-05", None),
        ];
        let lines: Vec<String> = rows(&days, false).into_iter().map(|row| row.join("|")).collect();
        assert_eq!(
            lines,
            [
                "2026-01-01|1|1.0|1|0|0|0|0|0",
                "2026-01-02 to 2026-01-03|no record|||||||",
                "2026-01-04|1|2.0|1|0|0|0|0|0",
                "2026-01-05|no record|||||||",
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        let reached = |how, hours, estimate| Reached {
            percent: 90,
            how,
            after: None,
            by: None,
            estimate,
            hours,
            missing_days: 0,
            best: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(took(&reached(ReachedHow::Between, Some(30.0), Some(now))), "30.0 h");
        assert_eq!(took(&reached(ReachedHow::Between, Some(60.0), None)), "at most 2.5 days");
        assert_eq!(took(&reached(ReachedHow::BeforeRecords, Some(60.0), None)), "at most 2.5 days");
        assert_eq!(took(&reached(ReachedHow::NotReached, None, None)), "not reached");
        assert_eq!(took(&reached(ReachedHow::NoRecords, None, None)), "no records");
    }
}
