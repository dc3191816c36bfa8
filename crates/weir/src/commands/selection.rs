//! `weir products`, `weir classifications`, `weir languages`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::{
    List,
    selection::{
        Category, Language, LanguageQuery, Selection, SelectionChange, SelectionHow, SelectionOf, SelectionPreview,
        SelectionPreviewQuery,
    },
};

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes},
};

/// Titles that a preview shows.
const UNKNOWN: usize = 10;

/// Which of the lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Classifications,
    FileLanguages,
    Languages,
    Products,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Classifications => "classifications",
            Self::FileLanguages => "file-languages",
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

/// A change of products or classifications.
#[derive(Args, Debug)]
pub(crate) struct Choice {
    #[command(flatten)]
    what: What,
    /// Show what it would mean for the catalogue as it is, and change nothing.
    #[arg(long)]
    preview: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Everything there is now.
    #[arg(long)]
    all: bool,
    /// These: GUIDs of categories. A family or company stands for the products below it, those to come included.
    #[arg(long, value_name = "ID", num_args = 1..)]
    id: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LanguagesCommand {
    /// List what there is, with what is selected for metadata and for files.
    List,
    /// Replace the selection.
    #[command(after_help = "Examples:\n  weir languages set --id en de\n  weir languages set --files --id en\n  \
                            weir languages set --files --same\n\n\
                            Files made for no language are always kept. Without a choice of their own, files are kept in \
                            the languages of the metadata; without any, in all.")]
    Set(LanguageChoice),
    /// Add to the selection.
    Add(LanguageChoice),
    /// Remove from the selection.
    Remove(LanguageChoice),
}

/// A change of languages.
#[derive(Args, Debug)]
pub(crate) struct LanguageChoice {
    #[command(flatten)]
    what: WhatLanguages,
    /// Of the files that are kept, instead of the metadata.
    #[arg(long)]
    files: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct WhatLanguages {
    /// Every language.
    #[arg(long)]
    all: bool,
    /// These: codes such as en or pt-br.
    #[arg(long, value_name = "CODE", num_args = 1..)]
    id: Vec<String>,
    /// With --files: the same as the metadata.
    #[arg(long, requires = "files")]
    same: bool,
}

pub(crate) async fn run(
    kind: Kind,
    command: SelectionCommand,
    connection: &Connection,
    printer: &Printer,
) -> Result<Outcome> {
    let (method, how, choice) = match command {
        SelectionCommand::List { language } => {
            list(kind, language, connection, printer).await?;
            return Ok(Outcome::Done);
        }
        SelectionCommand::Set(choice) => (Method::PUT, SelectionHow::Set, choice),
        SelectionCommand::Add(choice) => (Method::POST, SelectionHow::Add, choice),
        SelectionCommand::Remove(choice) => (Method::DELETE, SelectionHow::Remove, choice),
    };
    let change = SelectionChange { all: choice.what.all, ids: choice.what.id };
    if choice.preview {
        let of = if kind == Kind::Products { SelectionOf::Products } else { SelectionOf::Classifications };
        let query = SelectionPreviewQuery { of, how, change };
        let preview: SelectionPreview = connection.change(Method::POST, &["selection-preview"], &query).await?;
        printer.show(&preview, |page| show_preview(page, kind, &preview))?;
        return Ok(Outcome::Done);
    }
    let selection: Selection = connection.change(method, &[kind.path()], &change).await?;
    printer.show(&selection, |page| {
        page.line(format!("{} {} selected", selection.covers, kind.path()));
        for note in &selection.notes {
            page.line(note);
        }
    })?;
    Ok(Outcome::Done)
}

fn show_preview(page: &mut Page, kind: Kind, preview: &SelectionPreview) {
    page.field(kind.path(), format!("{}, now {}", preview.covers, preview.covers_before));
    page.field("updates here", format!("{}, now {}", preview.updates, preview.updates_before));
    let content =
        format!("{} files, {}, {} of it here", preview.files, bytes(preview.bytes), bytes(preview.bytes_here));
    page.field("content", content);
    for note in &preview.notes {
        page.line(note);
    }
    for title in preview.unknown.iter().take(UNKNOWN) {
        page.line(format!("  {title}"));
    }
    if preview.unknown.len() > UNKNOWN {
        page.line(format!("  ... and {} more", preview.unknown.len() - UNKNOWN));
    }
}

/// Runs a command about languages.
pub(crate) async fn languages(
    command: LanguagesCommand,
    connection: &Connection,
    printer: &Printer,
) -> Result<Outcome> {
    let (method, choice) = match command {
        LanguagesCommand::List => {
            list(Kind::Languages, None, connection, printer).await?;
            return Ok(Outcome::Done);
        }
        LanguagesCommand::Set(choice) => (Method::PUT, choice),
        LanguagesCommand::Add(choice) => (Method::POST, choice),
        LanguagesCommand::Remove(choice) => (Method::DELETE, choice),
    };
    let kind = if choice.files { Kind::FileLanguages } else { Kind::Languages };
    let change = SelectionChange { all: choice.what.all, ids: choice.what.id };
    let selection: Selection = connection.change(method, &[kind.path()], &change).await?;
    printer.show(&selection, |page| {
        page.line(match (kind, selection.selected.len()) {
            (Kind::FileLanguages, 0) => "files are kept in the languages of the metadata".to_owned(),
            (Kind::FileLanguages, count) => format!("files are kept in {count} languages"),
            (_, 0) => "no languages selected: metadata comes in all".to_owned(),
            (_, count) => format!("{count} languages selected"),
        });
    })?;
    Ok(Outcome::Done)
}

async fn list(kind: Kind, language: Option<String>, connection: &Connection, printer: &Printer) -> Result<()> {
    if kind == Kind::Languages {
        let list: List<Language> = connection.read(&[kind.path()], &Nothing {}).await?;
        return printer.show(&list, |page| {
            let rows = list.items.iter().map(|language| {
                vec![
                    mark(language.selected),
                    mark(language.files),
                    language.id.clone(),
                    language.lcid.to_string(),
                    language.name.clone(),
                ]
            });
            page.table(&["Metadata", "Files", "Id", "Number", "Name"], rows.collect(), "No languages.");
        });
    }
    let list: List<Category> = connection.read(&[kind.path()], &LanguageQuery { language }).await?;
    printer.show(&list, |page: &mut Page| {
        let mut rows = Vec::new();
        for category in &list.items {
            tree(category, 0, &mut rows);
        }
        let empty = format!(
            "No {} yet. Next: weir settings set source URL, weir sync now; or weir import PACKAGE.cab",
            kind.path()
        );
        page.table(&["", "Id", "Title"], rows, &empty);
    })
}

fn tree(category: &Category, depth: usize, rows: &mut Vec<Vec<String>>) {
    let title = format!("{}{}", "  ".repeat(depth), category.title.trim());
    // chosen as a whole: what comes below it later is covered
    let mark = if category.chosen && !(category.holds_updates && category.children.is_empty()) {
        "X".to_owned()
    } else {
        mark(category.selected)
    };
    rows.push(vec![mark, category.id.to_string(), title]);
    for child in &category.children {
        tree(child, depth + 1, rows);
    }
}

fn mark(selected: bool) -> String {
    if selected { "x".to_owned() } else { String::new() }
}
