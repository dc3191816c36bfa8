//! `weir computers clones` and `duplicates`.

use anyhow::Result;
use clap::Args;
use weir_api::freshness::{
    CloneCertainty, CloneEvidence, ClonedComputer, DuplicateLikeness, DuplicateName, DuplicateStanding,
};

use super::super::{Nothing, Paging};
use crate::{
    connection::Connection,
    print::{Printer, time},
};

/// What gives a machine an id of its own. Printed, never run.
const NEW_ID: &str = include_str!("new_id.ps1");

#[derive(Debug, Args)]
pub(crate) struct Clones {
    /// Print a PowerShell script that gives a machine an id of its own. It is to be run on the machines that share one.
    #[arg(long, conflicts_with = "forget")]
    script: bool,
    /// Forget what this computer was seen as, once its copies have ids of their own. It is compared anew.
    #[arg(long, value_name = "ID")]
    forget: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn clones(arguments: Clones, connection: &Connection, printer: &Printer) -> Result<()> {
    if arguments.script {
        return printer.show(&serde_json::json!({ "script": NEW_ID }), |page| page.line(NEW_ID));
    }
    if let Some(id) = arguments.forget {
        connection.delete(&["computers", &id, "prints"]).await?;
        return printer.done(&format!("{id} is compared anew"));
    }
    let list = arguments.paging.read::<ClonedComputer>(connection, &["computers", "clones"], &Nothing {}).await?;
    printer.show(&list, |page| {
        if list.items.is_empty() {
            page.line("No id is shared by several machines, as far as can be seen.");
        }
        for (index, clone) in list.items.iter().enumerate() {
            if index > 0 {
                page.line("");
            }
            let evidence: Vec<&str> = clone.evidence.iter().copied().map(evidence).collect();
            page.field("id", &clone.id);
            page.field("certainty", certainty(clone.certainty));
            page.field("why", evidence.join("; "));
            page.field("since", time(clone.since));
            page.field("last seen so", time(clone.last));
            let rows = clone.prints.iter().filter(|print| !print.name.is_empty() || !print.hardware.is_empty());
            let rows = rows.map(|print| {
                let what = if print.name.is_empty() {
                    format!("{} ({})", print.hardware, print.system)
                } else {
                    print.name.clone()
                };
                vec![
                    what,
                    print.address.clone().unwrap_or_default(),
                    time(print.first_seen),
                    time(print.last_seen),
                    print.returns.to_string(),
                ]
            });
            let header = ["Seen as", "Address", "First seen", "Last seen", "Returns"];
            page.table(&header, rows.collect(), "Nothing but its reports tells them apart.");
        }
        if !list.items.is_empty() {
            page.line("\nNext: weir computers clones --script > new-id.ps1, and run that on the machines.");
        }
        page.more(list.next.as_deref());
    })
}

fn certainty(certainty: CloneCertainty) -> &'static str {
    match certainty {
        CloneCertainty::Suspected => "suspected",
        CloneCertainty::Certain => "certain",
    }
}

fn evidence(evidence: CloneEvidence) -> &'static str {
    match evidence {
        CloneEvidence::NamesTakeTurns => "names take turns",
        CloneEvidence::ManyNames => "many names within a month",
        CloneEvidence::SheetsTakeTurns => "hardware takes turns under one name",
        CloneEvidence::AnchorsStepBack => "reports go back to older states of the catalogue",
    }
}

pub(super) async fn duplicates(paging: Paging, connection: &Connection, printer: &Printer) -> Result<()> {
    let list = paging.read::<DuplicateName>(connection, &["computers", "duplicates"], &Nothing {}).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().flat_map(|found| {
            found.computers.iter().map(|computer| {
                vec![
                    found.name.clone(),
                    computer.id.clone(),
                    match (computer.standing, computer.retires) {
                        (DuplicateStanding::Newest, _) => "newest",
                        (DuplicateStanding::InUse, _) => "in use",
                        (DuplicateStanding::LeftBehind, true) => "left behind",
                        (DuplicateStanding::LeftBehind, false) => "left behind, by other hardware",
                    }
                    .to_owned(),
                    match computer.likeness {
                        DuplicateLikeness::Hardware => "same",
                        DuplicateLikeness::Name => "other or unknown",
                    }
                    .to_owned(),
                    time(computer.first_seen),
                    time(computer.last_contact),
                    computer.address.clone().unwrap_or_default(),
                ]
            })
        });
        let header = ["Name", "Id", "Standing", "Hardware", "First seen", "Last contact", "Address"];
        page.table(&header, rows.collect(), "No name is had by several computers.");
        if list.items.iter().any(|found| found.computers.iter().any(|computer| computer.retires)) {
            page.line("\nNext: weir computers retire --duplicates --dry-run");
        }
        page.more(list.next.as_deref());
    })
}

#[cfg(test)]
mod tests {
    use super::NEW_ID;

    #[test]
    fn the_script_does_what_it_says_and_starts_the_service_again() {
        let line = |text: &str| NEW_ID.lines().position(|line| line.trim_start().starts_with(text)).expect(text);
        let (stop, clear, start) = (line("Stop-Service"), line("Remove-ItemProperty"), line("Start-Service"));
        assert!(stop < clear && clear < start && line("finally") < start);
        assert!(start < line("& \"$env:SystemRoot\\System32\\wuauclt.exe\" /resetauthorization /detectnow"));
        for value in ["'SusClientId'", "'SusClientIdValidation'", "'PingID'"] {
            assert!(NEW_ID.contains(value), "{value}");
        }
        assert!(NEW_ID.is_ascii(), "it is copied through terminals and files of any encoding");
    }
}
