//! `weir searches`.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::{
    List,
    search::{SavedSearch, SavedSearchChange, SavedSearchCreate, SearchField, SearchFieldQuery},
};

use super::{Nothing, Paging, updates};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer},
};

#[derive(Debug, Subcommand)]
pub(crate) enum SearchesCommand {
    /// List saved searches.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a saved search.
    Show {
        /// Its name or id.
        name: String,
    },
    /// Save a search over updates. Products, classifications, vendors and groups are kept by id.
    #[command(
        after_help = "Examples:\n  weir searches create Needed --filter 'needed > 0 and not deployed' --sort needed\n  \
                            weir searches create Fresh --filter 'released < 7 days and product = \"Windows 11\"'\n  \
                            weir searches create Stacks --text 'servicing stack'"
    )]
    Create(CreateArguments),
    /// Change a saved search. An empty text takes away.
    #[command(after_help = "Examples:\n  weir searches change Needed --filter 'needed > 10'\n  \
                            weir searches change Needed --name Wanted --sort ''")]
    Change(ChangeArguments),
    /// Delete saved searches.
    Delete {
        /// Names or ids.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// List what a saved search finds.
    #[command(after_help = "Examples:\n  weir searches run Needed\n  weir searches run Needed --all --json")]
    Run {
        /// Its name or id.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// List the fields of filters.
    Fields {
        /// Of what.
        #[arg(long, value_enum, default_value_t = Subject::Updates)]
        of: Subject,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Subject {
    /// Fields of updates.
    Updates,
    /// Fields of computers.
    Computers,
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Which updates; as in weir updates list.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Words to look for.
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// Order; as in weir updates list.
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name or id.
    search: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another description.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Another filter.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Other words.
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// Another order.
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
}

pub(crate) async fn run(command: SearchesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SearchesCommand::List { paging } => {
            let list: List<SavedSearch> = paging.read(connection, &["searches"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|search| {
                    vec![search.name.clone(), says(search), search.description.clone(), from(search).to_owned()]
                });
                let empty = "No saved searches. Next: weir searches create NAME --filter EXPR";
                page.table(&["Name", "Finds", "Description", "From"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        SearchesCommand::Show { name } => {
            let search: SavedSearch = connection.read(&["searches", &name], &Nothing {}).await?;
            printer.show(&search, |page| show(page, &search))?;
        }
        SearchesCommand::Create(arguments) => {
            let CreateArguments { name, description, filter, text, sort } = arguments;
            let new = SavedSearchCreate { name, description, filter, text, sort };
            let search: SavedSearch = connection.change(Method::POST, &["searches"], &new).await?;
            printer.show(&search, |page| {
                show(page, &search);
                page.line(format!("Next: weir searches run {:?}", search.name));
            })?;
        }
        SearchesCommand::Change(arguments) => {
            let ChangeArguments { search, name, description, filter, text, sort } = arguments;
            let change = SavedSearchChange { name, description, filter, text, sort };
            let search: SavedSearch = connection.change(Method::PATCH, &["searches", &search], &change).await?;
            printer.show(&search, |page| show(page, &search))?;
        }
        SearchesCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["searches", name]).await?;
            }
            printer.done(&format!("deleted {}", names.join(", ")))?;
        }
        SearchesCommand::Run { name, paging } => {
            updates::list(updates::ListArguments::saved(name, paging), connection, printer).await?;
        }
        SearchesCommand::Fields { of } => {
            let of = match of {
                Subject::Updates => "updates",
                Subject::Computers => "computers",
            };
            let query = SearchFieldQuery { of: Some(of.to_owned()) };
            let list: List<SearchField> = connection.read(&["searches-fields"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|field| {
                    vec![field.name.clone(), field.kind.clone(), field.operators.join(" "), field.meaning.clone()]
                });
                page.table(&["Field", "Type", "Comparisons", "Meaning"], rows.collect(), "There are no fields.");
            })?;
        }
    }
    Ok(Outcome::Done)
}

fn says(search: &SavedSearch) -> String {
    let text = search.text.as_ref().map(|text| format!("{text:?}"));
    [search.filter.clone(), text].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn from(search: &SavedSearch) -> &'static str {
    if search.from_parent { "parent" } else { "here" }
}

fn show(page: &mut Page, search: &SavedSearch) {
    page.line(&search.name);
    if !search.description.is_empty() {
        page.line(&search.description);
    }
    page.line("");
    page.field("id", search.id.to_string());
    page.field("filter", search.filter.clone().unwrap_or_default());
    page.field("text", search.text.clone().unwrap_or_default());
    page.field("sort", search.sort.clone().unwrap_or_default());
    page.field("from", from(search));
    page.field("changed", format!("{} by {}", search.changed_at, search.changed_by));
    for term in &search.by_text {
        page.field("follows names", term);
    }
}
