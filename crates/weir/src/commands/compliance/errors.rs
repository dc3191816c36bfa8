//! `weir compliance errors|explain-error`.

use anyhow::Result;
use clap::{Args, ValueEnum};
use weir_api::failure::{ErrorDetail, ErrorGroup, ErrorQuery, ErrorsBy, ErrorsQuery};
use weir_model::report::csv;

use super::standing;
use crate::{
    commands::Paging,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

/// What to group by.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum By {
    /// The code.
    #[default]
    Code,
    /// The collection.
    Collection,
    /// Name and build of the operating system.
    Os,
    /// The server that computers scan against.
    Site,
    /// The update.
    Update,
}

#[derive(Args, Debug)]
pub(crate) struct ErrorsArguments {
    /// What to group by.
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Mark what began then or later: RFC 3339, or how long ago such as 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what is new since then.
    #[arg(long, requires = "since")]
    only_new: bool,
    #[command(flatten)]
    whose: Whose,
    /// Print comma-separated values.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    /// The code: 0x80240022, 80240022, -2145124318, 2149842978, 1603, WU_E_ALL_UPDATES_FAILED, or InvalidCookie.
    #[arg(allow_negative_numbers = true)]
    code: String,
    /// Mark what began then or later: RFC 3339, or how long ago such as 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Args, Debug)]
struct Whose {
    /// Name or id of a collection; All Computers by default.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; "this" for those that scan here.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
}

const NOTHING: &str = "No errors. Next: weir compliance summary";

pub(super) async fn errors(arguments: ErrorsArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let ErrorsArguments { by, since, only_new, whose, csv, paging } = arguments;
    if csv {
        printer.not_json("--csv")?;
    }
    let since_given = since.is_some();
    let by = match by {
        By::Code => ErrorsBy::Code,
        By::Collection => ErrorsBy::Collection,
        By::Os => ErrorsBy::Os,
        By::Site => ErrorsBy::Site,
        By::Update => ErrorsBy::Update,
    };
    let query = ErrorsQuery {
        by,
        since,
        only_new,
        collection: whose.collection,
        server: whose.server,
        cursor: None,
        limit: None,
    };
    let list = paging.read::<ErrorGroup>(connection, &["compliance", "errors"], &query).await?;
    printer.show(&list, |page| {
        if csv {
            comma_separated(page, &list.items);
            return;
        }
        groups(page, by, &list.items, since_given, if only_new { "Nothing new." } else { NOTHING });
        page.more(list.next.as_deref());
        standing::aged(page, 0, 0, list.items.iter().filter_map(|group| group.rolled_up).min());
        if by == ErrorsBy::Code && list.items.iter().any(|group| group.code.is_some()) {
            page.line("\nWhat to do about one: weir compliance explain-error CODE");
        }
    })
}

fn groups(page: &mut Page, by: ErrorsBy, groups: &[ErrorGroup], since: bool, empty: &str) {
    let first = match by {
        ErrorsBy::Code => "Code",
        ErrorsBy::Collection => "Collection",
        ErrorsBy::Os => "System",
        ErrorsBy::Site => "Server",
        ErrorsBy::Update => "Update",
    };
    let mut header = vec![first, "Computers", "Failed", "Scans", "First", "Last"];
    if since {
        header.push("New");
    }
    header.push(if by == ErrorsBy::Code { "Meaning" } else { "Codes" });
    let rows = groups.iter().map(|group| {
        let mut row = vec![
            group.label.clone(),
            group.computers.to_string(),
            group.failing.to_string(),
            group.scans.to_string(),
            time_or(group.first_at, ""),
            time(group.last_at),
        ];
        if since {
            row.push(match group.new {
                Some(true) => "yes".to_owned(),
                Some(false) => format!("{} computers", group.new_computers),
                None => String::new(),
            });
        }
        row.push(if by == ErrorsBy::Code {
            let meaning = group.meaning.clone().unwrap_or_default();
            group.name.as_ref().map_or_else(|| meaning.clone(), |name| format!("{name}: {meaning}"))
        } else {
            codes(group)
        });
        row
    });
    page.table(&header, rows.collect(), empty);
}

fn codes(group: &ErrorGroup) -> String {
    let count =
        |it: &weir_api::failure::ErrorCount| format!("{} ({})", it.code.as_deref().unwrap_or("no code"), it.computers);
    group.codes.iter().map(count).collect::<Vec<_>>().join(", ")
}

fn comma_separated(page: &mut Page, groups: &[ErrorGroup]) {
    page.record(["group", "name", "computers", "failed", "scans", "first", "last", "new", "new_computers", "codes"]);
    for group in groups {
        page.record([
            csv::defused(&group.label),
            csv::defused(group.name.as_deref().unwrap_or_default()),
            group.computers.to_string(),
            group.failing.to_string(),
            group.scans.to_string(),
            group.first_at.map(|at| at.to_string()).unwrap_or_default(),
            group.last_at.to_string(),
            group.new.map(|new| new.to_string()).unwrap_or_default(),
            group.new_computers.to_string(),
            csv::defused(&codes(group)),
        ]);
    }
}

pub(super) async fn explain(arguments: ExplainArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let ExplainArguments { code, since, whose } = arguments;
    let since_given = since.is_some();
    let query = ErrorQuery { since, collection: whose.collection, server: whose.server };
    let detail: ErrorDetail = connection.read(&["compliance", "errors", &code], &query).await?;
    printer.show(&detail, |page| {
        let told = &detail.explanation;
        let decimal = told.decimal.map(|decimal| format!(" ({decimal})")).unwrap_or_default();
        page.field("code", format!("{}{decimal}", told.code));
        if let Some(code) = &told.looked_up_as {
            page.field("looked up as", code);
        }
        page.field("name", told.name.clone().filter(|name| *name != told.code).unwrap_or_default());
        page.field("meaning", &told.meaning);
        page.field("likely cause", told.cause.clone().unwrap_or_default());
        page.field("next step", told.next_step.clone().unwrap_or_default());
        if let Some(layout) = told.layout.as_ref().filter(|_| told.known) {
            page.field("layout", &layout.sentence);
        }
        page.field("source", told.source.clone().unwrap_or_default());
        page.line("");
        if told.layout.is_none() {
            page.line("A server answers with it; computers report a number instead: weir compliance errors");
            return;
        }
        let Some(occurs) = &detail.occurs else {
            page.line("No computer reports it now.");
            return;
        };
        let of = |count: u64| if count == 1 { "1 computer".to_owned() } else { format!("{count} computers") };
        page.field(
            "occurs on",
            format!(
                "{}: {} with a failed update, {} with a failed scan",
                of(occurs.computers),
                occurs.failing,
                occurs.scans
            ),
        );
        page.field("first", time_or(occurs.first_at, "not known: only scans failed"));
        page.field("last", time(occurs.last_at));
        if since_given {
            page.field("new", format!("{} since then", of(occurs.new_computers)));
        }
        for (title, by, list) in [
            ("By update:", ErrorsBy::Update, &detail.updates),
            ("By system:", ErrorsBy::Os, &detail.systems),
            ("By server:", ErrorsBy::Site, &detail.sites),
        ] {
            page.line(format!("\n{title}"));
            groups(page, by, list, since_given, "");
        }
    })
}
