//! `weir products`, `weir classifications`, `weir languages`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::{
    List,
    selection::{Category, Language, LanguageQuery, Selection, SelectionChange},
};

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer},
};

/// Which of the three lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Classifications,
    Languages,
    Products,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Classifications => "classifications",
            Self::Languages => "languages",
            Self::Products => "products",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum SelectionCommand {
    /// List what there is, with what is selected.
    List {
        /// Language of titles, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
    },
    /// Replace the selection.
    Set(Choice),
    /// Add to the selection.
    Add(Choice),
    /// Remove from the selection.
    Remove(Choice),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Choice {
    /// Everything there is now.
    #[arg(long)]
    all: bool,
    /// These: GUIDs of categories (a family or company stands for its products), codes of languages.
    #[arg(long, value_name = "ID", num_args = 1..)]
    id: Vec<String>,
}

pub(crate) async fn run(
    kind: Kind,
    command: SelectionCommand,
    connection: &Connection,
    printer: &Printer,
) -> Result<Outcome> {
    let (method, choice) = match command {
        SelectionCommand::List { language } => {
            list(kind, language, connection, printer).await?;
            return Ok(Outcome::Done);
        }
        SelectionCommand::Set(choice) => (Method::PUT, choice),
        SelectionCommand::Add(choice) => (Method::POST, choice),
        SelectionCommand::Remove(choice) => (Method::DELETE, choice),
    };
    let change = SelectionChange { all: choice.all, ids: choice.id };
    let selection: Selection = connection.change(method, &[kind.path()], &change).await?;
    printer.show(&selection, |page| page.line(format!("{} {} selected", selection.selected.len(), kind.path())))?;
    Ok(Outcome::Done)
}

async fn list(kind: Kind, language: Option<String>, connection: &Connection, printer: &Printer) -> Result<()> {
    if kind == Kind::Languages {
        let list: List<Language> = connection.read(&[kind.path()], &Nothing {}).await?;
        return printer.show(&list, |page| {
            let rows = list.items.iter().map(|language| {
                vec![mark(language.selected), language.id.clone(), language.lcid.to_string(), language.name.clone()]
            });
            page.table(&["", "Id", "Number", "Name"], rows.collect(), "No languages.");
        });
    }
    let list: List<Category> = connection.read(&[kind.path()], &LanguageQuery { language }).await?;
    printer.show(&list, |page: &mut Page| {
        let mut rows = Vec::new();
        for category in &list.items {
            tree(category, 0, &mut rows);
        }
        let empty = format!("No {} yet. Next: weir import PACKAGE.cab", kind.path());
        page.table(&["", "Id", "Title"], rows, &empty);
    })
}

fn tree(category: &Category, depth: usize, rows: &mut Vec<Vec<String>>) {
    let title = format!("{}{}", "  ".repeat(depth), category.title.trim());
    rows.push(vec![mark(category.selected), category.id.to_string(), title]);
    for child in &category.children {
        tree(child, depth + 1, rows);
    }
}

fn mark(selected: bool) -> String {
    if selected { "x".to_owned() } else { String::new() }
}
