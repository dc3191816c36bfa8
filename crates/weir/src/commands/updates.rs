//! `weir updates`.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use weir_api::{
    selection::LanguageQuery,
    update::{UpdateDetail, UpdateKind, UpdateList, UpdateQuery, UpdateRow},
};

use super::{Nothing, Paging, kb, names};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes, time_or},
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
    Decline {
        /// GUIDs.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Take declines back.
    Undecline {
        /// GUIDs.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

#[derive(Args, Debug)]
#[command(
    after_help = "The filter joins terms with and, or, not and parentheses. A term is FIELD OP VALUE with one of \
                        = != ~ (contains) < <= > >=, or a yes-or-no field alone. Fields: type (category, detectoid, \
                        driver, software), classification, product, title, id, kb, severity, needed, installed, failed, \
                        revision; declined, expired, unresolved, deployed, is_bundle.\n\nExamples:\n  \
                        weir updates list --filter 'type = software and needed > 0'\n  \
                        weir updates list --filter 'title ~ \"server 2019\" and not declined' --all\n  \
                        weir updates list --facets --limit 1 --json"
)]
pub(crate) struct ListArguments {
    /// Which updates.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Count what the filter leaves by kind, state, classification and product.
    #[arg(long)]
    facets: bool,
    /// Language of titles, such as de.
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub(crate) async fn run(command: UpdatesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        UpdatesCommand::List(arguments) => list(arguments, connection, printer).await?,
        UpdatesCommand::Show { id, language } => {
            let query = LanguageQuery { language };
            let update: UpdateDetail = connection.read(&["updates", &id], &query).await?;
            printer.show(&update, |page| show(page, &update))?;
        }
        UpdatesCommand::Decline { ids } => change("decline", "declined", &ids, connection, printer).await?,
        UpdatesCommand::Undecline { ids } => {
            change("undecline", "no longer declined", &ids, connection, printer).await?;
        }
    }
    Ok(Outcome::Done)
}

async fn list(arguments: ListArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let paging = arguments.paging;
    let mut query = UpdateQuery {
        filter: arguments.filter,
        facets: arguments.facets,
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
        let empty = "No such updates. They come with weir sync now, once products and classifications are chosen (weir products \
                     list), or with weir import PATH";
        page.table(&["Id", "Rev", "Type", "State", "Needed", "Title"], rows.collect(), empty);
        page.more(list.next.as_deref());
        page.line(format!("{} updates, {} revisions", list.updates, list.total));
        for (facet, counts) in list.facets.iter().flatten().filter(|(_, counts)| !counts.is_empty()) {
            page.line(format!("\nby {facet}:"));
            for (value, count) in counts {
                page.line(format!("  {count:>8}  {value}"));
            }
        }
    })
}

async fn change(operation: &str, done: &str, ids: &[String], connection: &Connection, printer: &Printer) -> Result<()> {
    let mut items: Vec<UpdateDetail> = Vec::new();
    for id in ids {
        items.push(connection.call(&["updates", id, operation], &Nothing {}).await?);
    }
    printer.show(&json!({ "items": items, "next": null }), |page| {
        for update in &items {
            page.line(format!("{done}: {} {}", update.row.id, update.row.title.trim()));
        }
    })
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
    page.field("created", time_or(row.created_at, ""));
    page.field("computers", format!("{} need it, {} have it, {} failed", row.needed, row.installed, row.failed));
    if let Some(eula) = &update.eula {
        let accepted = if eula.accepted { "accepted" } else { "not accepted: deploy with --accept-eula" };
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
