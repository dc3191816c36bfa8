//! `weir exposure cves`.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use weir_api::exposure::{CollectionQuery, CveAge, CveDetail, CveList, CveQuery, Remedy};

use super::{NO_DOCUMENTS, Narrowed, level_counts, states};
use crate::{
    commands::{Paging, names},
    connection::Connection,
    print::{Page, Printer, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum CvesCommand {
    /// List vulnerabilities: those with breaches of service levels first.
    #[command(
        after_help = "Examples:\n  weir exposure cves list\n  weir exposure cves list --state exposed --exploited true\n  \
                            weir exposure cves list --level breached --collection Servers --sort due\n  \
                            weir exposure cves list --kb KB5034123 --json"
    )]
    List(ListArguments),
    /// Show one vulnerability: what fixes it, and why computers are where they are.
    #[command(after_help = "Example:\n  weir exposure cves show CVE-2024-21302 --collection Servers")]
    Show {
        /// Its id.
        cve: String,
        /// Count computers of this collection and of those below it.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Part of the id or title.
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Rated so by the vendor: critical, important, moderate, low or unrated.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Known to be exploited (true) or not (false).
    #[arg(long, value_name = "BOOL")]
    exploited: Option<bool>,
    /// In the KEV catalogue (true) or not (false).
    #[arg(long, value_name = "BOOL")]
    kev: Option<bool>,
    /// Published so long ago.
    #[arg(long, value_enum)]
    age: Option<AgeArgument>,
    /// Published at this time or later: RFC 3339, or how long ago (30d).
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    published_after: Option<String>,
    /// Published before this.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    published_before: Option<String>,
    #[command(flatten)]
    narrowed: Narrowed,
    /// Only what this article fixes.
    #[arg(long, value_name = "KB")]
    kb: Option<String>,
    /// Also those that only the KEV catalogue names.
    #[arg(long)]
    kev_only: bool,
    /// Count computers of this collection and of those below it.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// Order: breached, cve, due, due_soon, excepted, exposed, fixed, no_data, published, revised, score, severity or title, with :asc
    /// or :desc.
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Time since publication.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AgeArgument {
    /// At most 7 days.
    Week,
    /// At most 30 days.
    Month,
    /// At most 90 days.
    Quarter,
    /// At most 180 days.
    Half,
    /// At most 365 days.
    Year,
    /// More.
    Older,
    /// No date of publication.
    Unknown,
}

impl From<AgeArgument> for CveAge {
    fn from(age: AgeArgument) -> Self {
        match age {
            AgeArgument::Week => Self::Week,
            AgeArgument::Month => Self::Month,
            AgeArgument::Quarter => Self::Quarter,
            AgeArgument::Half => Self::Half,
            AgeArgument::Year => Self::Year,
            AgeArgument::Older => Self::Older,
            AgeArgument::Unknown => Self::Unknown,
        }
    }
}

pub(super) async fn run(command: CvesCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    match command {
        CvesCommand::List(arguments) => {
            let query = CveQuery {
                text: arguments.text,
                severity: arguments.severity,
                exploited: arguments.exploited,
                kev: arguments.kev,
                age: arguments.age.map(Into::into),
                published_after: arguments.published_after,
                published_before: arguments.published_before,
                state: arguments.narrowed.state(),
                level: arguments.narrowed.level(),
                kb: arguments.kb,
                kev_only: arguments.kev_only.then_some(true),
                collection: arguments.collection,
                sort: arguments.sort,
                ..CveQuery::default()
            };
            let is_whole = query == CveQuery { sort: query.sort.clone(), ..CveQuery::default() };
            let path = ["exposure", "cves"];
            let list: CveList = arguments
                .paging
                .whole(connection, &path, &query, |list: &mut CveList| (&mut list.items, &mut list.next))
                .await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|it| {
                    vec![
                        it.cve.clone(),
                        it.severity.clone().unwrap_or_default(),
                        it.score.map(|score| format!("{score:.1}")).unwrap_or_default(),
                        if it.exploited { "yes" } else { "" }.to_owned(),
                        it.computers.exposed.to_string(),
                        it.levels.breached.to_string(),
                        it.computers.no_data.to_string(),
                        time_or(it.due_at, ""),
                        it.title.clone(),
                    ]
                });
                let header = ["CVE", "Severity", "CVSS", "Exploited", "Exposed", "Breached", "No data", "Due", "Title"];
                let empty = if is_whole { NO_DOCUMENTS } else { "No vulnerability is so." };
                page.table(&header, rows.collect(), empty);
                let totals = &list.totals;
                if list.total > 0 {
                    page.line(format!(
                        "{} vulnerabilities: {} with exposed computers, {} with breaches, {} exploited, {} in the KEV catalogue",
                        list.total, totals.exposed, totals.breached, totals.exploited, totals.kev
                    ));
                }
                page.more(list.next.as_deref());
            })
        }
        CvesCommand::Show { cve, collection } => {
            let query = CollectionQuery { collection };
            let detail: CveDetail = connection.read(&["exposure", "cves", &cve], &query).await?;
            printer.show(&detail, |page| show(page, &detail))
        }
    }
}

fn show(page: &mut Page, detail: &CveDetail) {
    let it = &detail.cve;
    page.field("CVE", &it.cve);
    page.field("title", &it.title);
    page.field("severity", it.severity.as_deref().unwrap_or("not rated"));
    if let Some(score) = it.score {
        page.field("CVSS", format!("{score:.1} {}", it.vector.as_deref().unwrap_or_default()));
    }
    page.field("exploited", if it.exploited { "yes" } else { "not known" });
    if let Some(kev) = &it.kev {
        let due = kev.due.map(|due| format!(", due {due}")).unwrap_or_default();
        let ransomware = if kev.ransomware { ", used by ransomware" } else { "" };
        page.field("KEV", format!("since {}{due}{ransomware}", kev.added));
    }
    page.field("published", time_or(it.published_at, ""));
    page.field("revised", time_or(it.revised_at, ""));
    let documents: Vec<String> = detail.documents.iter().map(|it| format!("{} ({})", it.id, it.version)).collect();
    page.field("documents", documents.join(", "));
    page.field("computers", states(&it.computers));
    page.field("exposures", level_counts(&it.levels));
    page.field("due", time_or(it.due_at, ""));
    let rows = detail.problems.iter().map(|problem| {
        let fixes: Vec<String> = problem.remedies.iter().map(remedy).collect();
        vec![problem.products.join(", "), if fixes.is_empty() { "not known".to_owned() } else { fixes.join("; or ") }]
    });
    page.line("");
    page.table(&["Products", "Fixed by"], rows.collect(), "The documents name no products.");
    let rows = detail
        .reasons
        .iter()
        .map(|it| vec![super::state(it.state).to_owned(), it.computers.to_string(), it.text.clone()]);
    page.line("");
    page.table(&["State", "Computers", "Because"], rows.collect(), "No computers yet.");
}

fn remedy(remedy: &Remedy) -> String {
    let name = remedy.kb.as_deref().or(remedy.name.as_deref()).unwrap_or("an update without a name");
    let build = remedy.build.as_deref().map(|build| format!(", build {build}")).unwrap_or_default();
    let updates = match remedy.updates.as_slice() {
        [] if remedy.kb.is_some() => " (not in the catalogue)".to_owned(),
        [] => String::new(),
        updates => format!(" ({})", names(updates)),
    };
    format!("{name}{build}{updates}")
}
