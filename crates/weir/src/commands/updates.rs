//! `weir updates`.

mod edit;
mod licence;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::{
    selection::LanguageQuery,
    sync::SyncStarted,
    update::{UpdateDetail, UpdateKind, UpdateList, UpdateQuery, UpdateRow},
    update_edit::UpdatesFetch,
    update_stop::{StoppedUpdate, UpdateStop, UpdateStopRequest},
};

use self::{
    edit::{SetArguments, WhichArguments},
    licence::EulaCommand,
};
use super::{Nothing, Paging, kb, names};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum UpdatesCommand {
    /// List updates: a row per update, its newest revision.
    List(ListArguments),
    /// Show one update: what it is, needs, replaces, contains, and where it is deployed.
    Show {
        /// GUID, with @REVISION for another than the newest.
        id: String,
        /// Language of titles, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
    },
    /// Decline updates: they are not sent to computers any more.
    #[command(after_help = "Examples:\n  weir updates decline 5cc25303-143f-40f3-a2ff-803a1db69955\n  \
                            weir updates decline --superseded --older-than 90d --preview\n  \
                            weir updates decline --filter 'title ~ itanium'")]
    Decline(WhichArguments),
    /// Take declines back. What clean-up has removed since comes back with the next synchronization.
    #[command(after_help = "Examples:\n  weir updates undecline 5cc25303-143f-40f3-a2ff-803a1db69955\n  \
                            weir updates undecline --filter 'declined and title ~ \"server 2019\"' --preview")]
    Undecline(WhichArguments),
    /// Set the maximum run time and a severity of your own, of one or many updates.
    #[command(after_help = "Examples:\n  weir updates set 5cc25303-143f-40f3-a2ff-803a1db69955 --run-time 30\n  \
                            weir updates set --filter 'title ~ \"cumulative update\"' --run-time 90 --preview\n  \
                            weir updates set --filter 'kb = 5001234' --severity important\n  \
                            weir updates set 5cc25303-143f-40f3-a2ff-803a1db69955 --run-time default --severity none")]
    Set(SetArguments),
    /// Licences of updates: read, accept, see which wait.
    #[command(subcommand)]
    Eula(EulaCommand),
    /// Fetch updates from the upstream server, whatever is chosen and whatever criteria say, with all that they need.
    #[command(after_help = "Examples:\n  weir updates fetch 5cc25303-143f-40f3-a2ff-803a1db69955 --wait\n  \
                            weir updates fetch 5cc25303-143f-40f3-a2ff-803a1db69955@200\n\n\
                            Later synchronizations and criteria leave them alone. A document that you have: weir import FILE.")]
    Fetch {
        /// GUIDs, with @REVISION for another than the newest that the upstream server lists.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Wait until it is over.
        #[arg(long)]
        wait: bool,
    },
    /// Stop an update everywhere: from the next scan on no computer is offered it, whatever deploys it.
    #[command(after_help = "Examples:\n  weir updates stop 5c9f... --reason \"it breaks printing\"\n  \
                            weir updates stop 5c9f... --status\n  weir updates resume 5c9f...")]
    Stop {
        /// GUID.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "status")]
        reason: Option<String>,
        /// Only say how far computers have heard of it.
        #[arg(long, conflicts_with = "reason")]
        status: bool,
    },
    /// Take stops back.
    Resume {
        /// GUIDs.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// List stopped updates.
    Stops {
        #[command(flatten)]
        paging: Paging,
    },
}

#[derive(Args, Debug)]
#[command(
    after_help = "The filter joins terms with and, or, not and parentheses. A term is FIELD OP VALUE with one of \
                        = != ~ (contains) !~ < <= > >=, FIELD in (VALUE, ...), FIELD is empty, or a yes-or-no field alone. \
                        weir searches fields lists the fields with their meaning.\n\nExamples:\n  \
                        weir updates list --filter 'type = software and needed > 0'\n  \
                        weir updates list --filter 'title ~ \"server 2019\" and not declined' --all\n  \
                        weir updates list --filter 'released < 30 days and severity >= important' --sort needed\n  \
                        weir updates list --search 'cumulative 22h2'\n  \
                        weir updates list --saved \"Needed and not deployed\"\n  \
                        weir updates list --facets --limit 1 --json"
)]
pub(crate) struct ListArguments {
    /// Which updates.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Words, or beginnings of words, of title, articles and bulletins.
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// A saved search; --filter narrows it, --search and --sort replace its own.
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,
    /// Order: arrived, article, classification, compliant, custom_severity, deployments, failed, installed, needed,
    /// relevance, released, revised, severity, size, title or type; with :asc or :desc.
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
    /// Count what was found by kind, state, classification, product and more.
    #[arg(long)]
    facets: bool,
    /// Values of each property that are counted.
    #[arg(long, value_name = "N", requires = "facets")]
    facet_values: Option<u32>,
    /// Language of titles, such as de.
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl ListArguments {
    /// A saved search, as it is.
    pub(crate) fn saved(name: String, paging: Paging) -> Self {
        Self {
            filter: None,
            search: None,
            saved: Some(name),
            sort: None,
            facets: false,
            facet_values: None,
            language: None,
            paging,
        }
    }
}

pub(crate) async fn run(command: UpdatesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        UpdatesCommand::List(arguments) => list(arguments, connection, printer).await?,
        UpdatesCommand::Show { id, language } => {
            let query = LanguageQuery { language };
            let update: UpdateDetail = connection.read(&["updates", &id], &query).await?;
            printer.show(&update, |page| show(page, &update))?;
        }
        UpdatesCommand::Stop { id, reason, .. } => {
            let path = ["updates", id.as_str(), "stop"];
            let stop: UpdateStop = match reason {
                Some(reason) => connection.change(Method::PUT, &path, &UpdateStopRequest { reason }).await?,
                None => connection.read(&path, &Nothing {}).await?,
            };
            printer.show(&stop, |page| show_stop(page, &stop))?;
        }
        UpdatesCommand::Resume { ids } => {
            for id in &ids {
                connection.delete(&["updates", id, "stop"]).await?;
            }
            printer.done(&format!("resumed {}", ids.join(", ")))?;
        }
        UpdatesCommand::Stops { paging } => {
            let list = paging.read::<StoppedUpdate>(connection, &["update-stops"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let row = |it: &StoppedUpdate| {
                    vec![it.update.id.to_string(), time(it.stopped_at), it.reason.clone(), it.update.name.clone()]
                };
                let empty = "No update is stopped.";
                page.table(&["Update", "Since", "Why", "Title"], list.items.iter().map(row).collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        UpdatesCommand::Decline(which) => which.change(true, connection, printer).await?,
        UpdatesCommand::Undecline(which) => which.change(false, connection, printer).await?,
        UpdatesCommand::Set(arguments) => arguments.change(connection, printer).await?,
        UpdatesCommand::Eula(command) => licence::run(command, connection, printer).await?,
        UpdatesCommand::Fetch { ids, wait } => return fetch(ids, wait, connection, printer).await,
    }
    Ok(Outcome::Done)
}

fn show_stop(page: &mut Page, it: &UpdateStop) {
    page.field("update", format!("{} {}", it.stop.update.id, it.stop.update.name.trim()));
    page.field("stopped", format!("{} by {}: {}", time(it.stop.stopped_at), it.stop.stopped_by, it.stop.reason));
    page.field("deployments", format!("{} hold it back", it.deployments));
    page.field("computers", format!("{} would be offered it, {} have installed it", it.computers, it.installed));
    page.field("heard", format!("{} scanned since, {} did not yet", it.heard, it.not_yet_heard));
    if it.at_risk > 0 {
        page.line(format!("{} of those that did not hear need it and may still install it", it.at_risk));
    }
}

/// Lists updates.
pub(crate) async fn list(arguments: ListArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let paging = arguments.paging;
    let mut query = UpdateQuery {
        filter: arguments.filter,
        text: arguments.search,
        saved: arguments.saved,
        sort: arguments.sort,
        facets: arguments.facets,
        facet_values: arguments.facet_values,
        language: arguments.language,
        cursor: paging.cursor.clone(),
        limit: None,
    };
    let mut all: Option<UpdateList> = None;
    let list = loop {
        let have = all.as_ref().map_or(0, |list| list.items.len());
        query.limit = Some(paging.room(have) as u32);
        let page: UpdateList = connection.read(&["updates"], &query).await?;
        query.cursor.clone_from(&page.next);
        // facets and totals are the same on every page
        query.facets = false;
        let list = match all.take() {
            Some(mut list) => {
                list.items.extend(page.items);
                list.next = page.next;
                list
            }
            None => page,
        };
        if list.next.is_none() || paging.room(list.items.len()) == 0 {
            break list;
        }
        all = Some(list);
    };
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|update| {
            vec![
                update.id.to_string(),
                update.revision.to_string(),
                kind(update.kind).to_owned(),
                flags(update),
                update.needed.to_string(),
                update.title.trim().to_owned(),
            ]
        });
        let narrowed = query.filter.is_some() || query.text.is_some() || query.saved.is_some();
        let empty = if narrowed {
            "No update fits. Next: widen the filter or the search; weir updates list shows what there is"
        } else {
            "No such updates. They come with weir sync now, once products and classifications are chosen (weir products \
             list), or with weir import PATH"
        };
        page.table(&["Id", "Rev", "Type", "State", "Needed", "Title"], rows.collect(), empty);
        page.more(list.next.as_deref());
        page.line(format!("{} updates, {} revisions", list.updates, list.total));
        for (facet, counts) in list.facets.iter().flatten().filter(|(_, counts)| !counts.is_empty()) {
            page.line(format!("\nby {facet}:"));
            for (value, count) in counts {
                page.line(format!("  {count:>8}  {value}"));
            }
        }
        for counted in list.counts.iter().flatten().filter(|counted| !counted.values.is_empty()) {
            page.line(format!("\nupdates by {}:", counted.field));
            for value in &counted.values {
                page.line(format!("  {:>8}  {}", value.updates, value.name));
            }
            if counted.more > 0 {
                page.line(format!("            and {} more", counted.more));
            }
        }
    })
}

async fn fetch(ids: Vec<String>, wait: bool, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let asked = UpdatesFetch { updates: ids };
    let SyncStarted { mut run, .. } = connection.change(Method::POST, &["updates-fetch"], &asked).await?;
    if wait {
        run = super::sync::follow(run, connection).await?;
    }
    printer.show(&run, |page| {
        if run.ended_at.is_none() {
            page.line("The updates are being fetched. Next: weir sync status");
        } else {
            page.line(format!("{}: {} updates added, {} revised", run.result, run.added, run.revised));
        }
        for warning in &run.warnings {
            page.line(warning);
        }
    })?;
    match &run.error {
        Some(fault) => Err(anyhow!("{}; next: {}", fault.message, fault.next_step)),
        None => Ok(if run.warnings.is_empty() { Outcome::Done } else { Outcome::Partly }),
    }
}

fn kind(kind: UpdateKind) -> &'static str {
    match kind {
        UpdateKind::Category => "category",
        UpdateKind::Detectoid => "detectoid",
        UpdateKind::Driver => "driver",
        UpdateKind::Software => "software",
    }
}

fn flags(update: &UpdateRow) -> String {
    let flags = [
        (update.declined, "declined"),
        (update.expired, "expired"),
        (update.superseded, "superseded"),
        (update.unresolved, "unresolved"),
        (update.deployments > 0, "deployed"),
    ];
    flags.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

fn show(page: &mut Page, update: &UpdateDetail) {
    let row = &update.row;
    page.line(row.title.trim());
    if let Some(description) = &update.description {
        page.line(description.trim());
    }
    page.line("");
    page.field("id", format!("{}@{}", row.id, row.revision));
    page.field("type", kind(row.kind));
    page.field("state", flags(row));
    page.field(
        "classification",
        row.classification.as_ref().map(|reference| reference.name.clone()).unwrap_or_default(),
    );
    page.field("products", names(&row.products));
    page.field("articles", kb(&row.kb));
    page.field("severity", row.severity.clone().unwrap_or_default());
    page.field("own severity", row.custom_severity.clone().unwrap_or_default());
    let set = if update.run_time_set { "" } else { " (default)" };
    page.field("maximum run time", format!("{} minutes{set}", row.max_run_time_minutes));
    if update.metadata_only {
        page.field("metadata only", "it names no file to install: it is reported on and cannot be deployed");
    }
    page.field("created", time_or(row.created_at, ""));
    page.field("computers", format!("{} need it, {} have it, {} failed", row.needed, row.installed, row.failed));
    if let Some(eula) = &update.eula {
        let accepted =
            if eula.accepted { "accepted" } else { "not accepted: weir updates eula show, weir updates eula accept" };
        page.field("licence", accepted);
    }
    for lack in &update.lacks {
        page.field("lacks", &lack.message);
    }
    for clause in &update.prerequisites {
        page.field("needs", clause.iter().map(|one| names(std::slice::from_ref(one))).collect::<Vec<_>>().join(" or "));
    }
    for clause in &update.bundles {
        let members =
            clause.iter().map(|one| format!("{}@{} {}", one.id, one.revision, one.name.trim()).trim_end().to_owned());
        page.field("bundles", members.collect::<Vec<_>>().join(" or "));
    }
    page.field("supersedes", names(&update.supersedes));
    page.field("superseded by", names(&update.superseded_by));
    for file in &update.files {
        let state = if file.present { "here" } else { "absent" };
        page.field("file", format!("{} {} {} ({state})", file.digest, bytes(file.size), file.name));
    }
    for deployment in &update.deployed {
        page.field(
            "deployment",
            format!("{} to {}: {}", deployment.id, deployment.collection.name, deployment.state_text),
        );
    }
    if row.unresolved {
        page.line("It is offered to nobody until what it lacks is here. Next: weir import PATH, or weir sync now");
    } else if row.deployable && update.deployed.is_empty() && !row.declined {
        page.line(format!("Next: weir deployments create --update {} --collection NAME --action install", row.id));
    }
}
