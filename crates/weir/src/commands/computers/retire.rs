//! `weir computers retire` and `retired`.

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use weir_api::{
    bulk::{ChangedItem, ItemResult},
    retirement::{RetiredComputer, RetirementDone, RetirementPreview, RetirementQuery, RetirementRun},
};

use super::super::{Nothing, Paging, names};
use crate::{
    connection::Connection,
    print::{Page, Printer, time},
};

#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// Ids of chosen computers, however lately they called.
    #[arg(value_name = "ID", conflicts_with_all = ["silent_days", "duplicates"])]
    ids: Vec<String>,
    /// Those that did not call for so many days, 14 at least; the setting computers.retire_days if absent.
    #[arg(long, value_name = "N", conflicts_with = "duplicates")]
    silent_days: Option<u32>,
    /// Those that machines left behind when they were installed anew and got another id.
    #[arg(long)]
    duplicates: bool,
    /// Only count and name them. Nothing is changed.
    #[arg(long, conflicts_with = "confirm")]
    dry_run: bool,
    /// Retire although they are more than may go at once (computers.retire_percent): the number that --dry-run counted.
    #[arg(long, value_name = "COUNT")]
    confirm: Option<u64>,
}

pub(super) async fn retire(arguments: Retire, connection: &Connection, printer: &Printer) -> Result<()> {
    let Retire { ids, silent_days, duplicates, dry_run, confirm } = arguments;
    let path = ["computers", "retirement"];
    if dry_run {
        let chosen = !ids.is_empty();
        let preview: RetirementPreview = if chosen {
            let run = RetirementRun { ids, ..RetirementRun::default() };
            connection.change(Method::POST, &["computers", "retirement", "preview"], &run).await?
        } else {
            connection.read(&path, &RetirementQuery { silent_days, duplicates }).await?
        };
        return printer.show(&preview, |page| {
            let what = match preview.silent_days {
                _ if chosen => "were chosen".to_owned(),
                None => "go on under another id".to_owned(),
                Some(days) => format!("did not call for {days} days"),
            };
            page.line(format!(
                "{} of {} computers ({:.1} %) {what} and would be retired.",
                preview.due, preview.computers, preview.percent
            ));
            refused(page, preview.unchanged, &preview.items);
            let rows = preview
                .first
                .iter()
                .map(|computer| vec![computer.id.clone(), computer.name.clone(), time(computer.last_contact)]);
            page.table(&["Id", "Name", "Last contact"], rows.collect(), "");
            if preview.due > preview.first.len() as u64 {
                page.line(format!("... and {} more", preview.due - preview.first.len() as u64));
            }
            if preview.needs_confirmation {
                page.line(format!(
                    "\nThat is more than the {} that may go now without being confirmed: add --confirm {}.",
                    preview.most, preview.due
                ));
            }
            if !chosen && !preview.by_rule && preview.due > 0 {
                let setting = match preview.silent_days {
                    Some(days) => format!("computers.retire_days {days}"),
                    None => "computers.duplicates retire-older".to_owned(),
                };
                page.line(format!("To have it done by itself: weir settings set {setting}"));
            }
        });
    }
    let run = RetirementRun { silent_days, duplicates, ids, confirm };
    let done: RetirementDone = connection.change(Method::POST, &path, &run).await?;
    printer.show(&done, |page| {
        page.line(match done.retired {
            0 => "No computer was due.".to_owned(),
            1 => "1 computer was retired.".to_owned(),
            count => format!("{count} computers were retired."),
        });
        refused(page, done.unchanged, &done.items);
        page.line(format!("Computers that scan here: {}. One that calls again comes back.", done.computers));
    })
}

/// What is said of chosen computers that are not retired, or were.
fn refused(page: &mut Page, unchanged: u64, items: &[ChangedItem]) {
    if unchanged > 0 {
        page.line(format!("{unchanged} were retired already."));
    }
    for item in items.iter().filter(|item| item.result == ItemResult::Failed) {
        page.line(format!("{}: {}", item.id, item.detail.as_deref().unwrap_or_default()));
    }
}

pub(super) async fn retired(paging: Paging, connection: &Connection, printer: &Printer) -> Result<()> {
    let list = paging.read::<RetiredComputer>(connection, &["computers", "retired"], &Nothing {}).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|computer| {
            vec![
                computer.id.clone(),
                computer.name.clone(),
                computer.reason.clone(),
                time(computer.last_contact),
                time(computer.retired),
                computer.by.clone(),
                names(&computer.collections),
            ]
        });
        let header = ["Id", "Name", "Why", "Last contact", "Retired", "By", "Put into"];
        let empty = "No computer was retired yet. Who would be: weir computers retire --silent-days 90 --dry-run";
        page.table(&header, rows.collect(), empty);
        page.more(list.next.as_deref());
    })
}
