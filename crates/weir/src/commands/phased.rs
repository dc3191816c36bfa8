//! `weir phased`.

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use uuid::Uuid;
use weir_api::{
    deployment::{Action, DeploymentSettings},
    phased::{
        Phase, PhaseSpec, PhaseStatus, Phased, PhasedChange, PhasedCreate, PhasedEvent, PhasedNote, PhasedStatus,
    },
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum PhasedCommand {
    /// List phased deployments.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one: its phases, their computers, and what the next one waits for.
    Show {
        /// Its name.
        name: String,
    },
    /// Deploy updates to one collection after another.
    #[command(
        after_help = "A phase is COLLECTION[,KEY=VALUE...][,FLAG...]. Keys: name, action (install, optional), after-days (1),\n\
                            success (95% or a number of computers), max-failed (5% or a number), soak-hours, deadline-days\n\
                            (7; 0: as soon as possible), spread-days (stored only, not applied yet), template. Flags: manual, approval, ignore-unknown, local-time,\n\
                            outside-windows, hold-until-window.\n\nExamples:\n  \
                            weir phased create November --group 'Monthly 2026-11' --phase 'Pilot,success=90%,max-failed=5%' \
                            --phase 'All Computers,after-days=3'\n  \
                            weir phased create Fix --update 5c9f... --phase 'Pilot,deadline-days=0,approval' --phase 'Servers,manual'"
    )]
    Create(CreateArguments),
    /// Change it: phases that have not started can be others.
    Change(ChangeArguments),
    /// Pause: the deployments of phases that are not complete are switched off.
    Pause(NoteArguments),
    /// Go on; failures so far are accepted.
    Resume(NoteArguments),
    /// Start the next phase now, whatever its gate says.
    Advance(NoteArguments),
    /// Approve the current phase.
    Approve(NoteArguments),
    /// End it for good. Deployments stay as they are.
    Stop(NoteArguments),
    /// Look at computers now instead of within five minutes.
    Refresh {
        /// Its name.
        name: String,
    },
    /// What happened: when, who, why.
    History {
        /// Its name.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Delete phased deployments that are over. Their groups and deployments stay.
    Delete {
        /// Names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// The update group.
    #[arg(long, value_name = "NAME", required_unless_present = "update", conflicts_with = "update")]
    group: Option<String>,
    /// Updates, of which a group is made.
    #[arg(long, value_name = "ID", num_args = 1..)]
    update: Vec<Uuid>,
    /// A phase; give at least two, in their order.
    #[arg(long, value_name = "PHASE", required = true)]
    phase: Vec<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Accept the licences of the updates for this site.
    #[arg(long)]
    accept_eula: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name.
    name: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Another description.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// All phases; those that started have to stay as they are.
    #[arg(long, value_name = "PHASE")]
    phase: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct NoteArguments {
    /// Its name.
    name: String,
    /// Why; the history keeps it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

pub(crate) async fn run(command: PhasedCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let phased: Phased = match command {
        PhasedCommand::List { paging } => {
            let list = paging.read::<Phased>(connection, &["phased"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    let place = row.phases.iter().rfind(|phase| phase.status != PhaseStatus::Waiting);
                    let place = place.map_or_else(String::new, |phase| {
                        format!(
                            "{} of {}: {}",
                            phase.number,
                            row.phases.len(),
                            phase.spec.name.as_deref().unwrap_or_default()
                        )
                    });
                    vec![row.name.clone(), word(row.status).to_owned(), place, row.group.name.clone()]
                });
                let empty = "No phased deployments. Next: weir phased create --help";
                page.table(&["Name", "Status", "Phase", "Group"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
            return Ok(Outcome::Done);
        }
        PhasedCommand::History { name, paging } => {
            let list = paging.read::<PhasedEvent>(connection, &["phased", &name, "events"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|event| {
                    let phase = event.phase.map_or_else(String::new, |phase| phase.to_string());
                    vec![time(event.at), event.step.clone(), phase, event.by.clone(), event.reason.clone()]
                });
                page.table(&["When", "What", "Phase", "Who", "Why"], rows.collect(), "Nothing has happened yet.");
                page.more(list.next.as_deref());
            })?;
            return Ok(Outcome::Done);
        }
        PhasedCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["phased", name]).await?;
            }
            printer.done(&format!("deleted {}; groups and deployments stay", names.join(", ")))?;
            return Ok(Outcome::Done);
        }
        PhasedCommand::Show { name } => connection.read(&["phased", &name], &Nothing {}).await?,
        PhasedCommand::Create(arguments) => {
            let new = PhasedCreate {
                name: arguments.name,
                description: arguments.description,
                group: arguments.group,
                updates: arguments.update,
                phases: phases(&arguments.phase)?,
                accept_eula: arguments.accept_eula,
            };
            connection.change(Method::POST, &["phased"], &new).await?
        }
        PhasedCommand::Change(arguments) => {
            let change = PhasedChange {
                name: arguments.rename,
                description: arguments.description,
                phases: if arguments.phase.is_empty() { None } else { Some(phases(&arguments.phase)?) },
            };
            connection.change(Method::PATCH, &["phased", &arguments.name], &change).await?
        }
        PhasedCommand::Pause(arguments) => ask(connection, arguments, "pause").await?,
        PhasedCommand::Resume(arguments) => ask(connection, arguments, "resume").await?,
        PhasedCommand::Advance(arguments) => ask(connection, arguments, "advance").await?,
        PhasedCommand::Approve(arguments) => ask(connection, arguments, "approve").await?,
        PhasedCommand::Stop(arguments) => ask(connection, arguments, "stop").await?,
        PhasedCommand::Refresh { name } => connection.call_method(Method::POST, &["phased", &name, "refresh"]).await?,
    };
    printer.show(&phased, |page| show(page, &phased))?;
    Ok(Outcome::Done)
}

async fn ask(connection: &Connection, arguments: NoteArguments, what: &str) -> Result<Phased> {
    let note = PhasedNote { note: arguments.note };
    connection.change(Method::POST, &["phased", &arguments.name, what], &note).await
}

fn phases(texts: &[String]) -> Result<Vec<PhaseSpec>> {
    texts.iter().map(|text| phase(text)).collect()
}

fn phase(text: &str) -> Result<PhaseSpec> {
    let mut parts = text.split(',').map(str::trim);
    let mut made = PhaseSpec {
        name: None,
        collection: parts.next().unwrap_or_default().to_owned(),
        action: None,
        manual: false,
        after_days: None,
        success_percent: None,
        success_count: None,
        ignore_unknown: false,
        max_failed_percent: None,
        max_failed_count: None,
        soak_hours: 0,
        approval: false,
        spread_days: 0,
        deadline_days: None,
        template: None,
        settings: DeploymentSettings::default(),
    };
    for part in parts {
        let wrong = || format!("{part:?} in {text:?} is not understood: see weir phased create --help");
        match part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("template", value)) => made.template = Some(value.to_owned()),
            Some(("name", value)) => made.name = Some(value.to_owned()),
            Some(("action", "install")) => made.action = Some(Action::Install),
            Some(("action", "optional")) => made.action = Some(Action::Optional),
            Some(("after-days", value)) => made.after_days = Some(value.parse().with_context(wrong)?),
            Some(("soak-hours", value)) => made.soak_hours = value.parse().with_context(wrong)?,
            Some(("deadline-days", value)) => made.deadline_days = Some(value.parse().with_context(wrong)?),
            Some(("spread-days", value)) => made.spread_days = value.parse().with_context(wrong)?,
            Some(("success", value)) => match value.strip_suffix('%') {
                Some(percent) => made.success_percent = Some(percent.trim().parse().with_context(wrong)?),
                None => made.success_count = Some(value.parse().with_context(wrong)?),
            },
            Some(("max-failed", value)) => match value.strip_suffix('%') {
                Some(percent) => made.max_failed_percent = Some(percent.trim().parse().with_context(wrong)?),
                None => made.max_failed_count = Some(value.parse().with_context(wrong)?),
            },
            None => match part {
                "manual" => made.manual = true,
                "approval" => made.approval = true,
                "ignore-unknown" => made.ignore_unknown = true,
                "local-time" => made.settings.local_time = Some(true),
                "outside-windows" => made.settings.outside_windows = Some(true),
                "hold-until-window" => made.settings.hold_until_window = Some(true),
                _ => bail!(wrong()),
            },
            Some(_) => bail!(wrong()),
        }
    }
    Ok(made)
}

fn word(status: PhasedStatus) -> &'static str {
    match status {
        PhasedStatus::Above => "run at the top",
        PhasedStatus::Completed => "completed",
        PhasedStatus::Failed => "stopped by errors",
        PhasedStatus::Paused => "paused",
        PhasedStatus::Running => "running",
        PhasedStatus::Stopped => "stopped",
    }
}

fn show(page: &mut Page, phased: &Phased) {
    page.line(format!("{}: {}", phased.name, word(phased.status)));
    page.field("description", &phased.description);
    page.field("group", &phased.group.name);
    page.field("looked at", time_or(phased.observed_at, "not yet"));
    let rows = phased.phases.iter().map(|phase| {
        let counts = phase.computers;
        let late = if phase.late.targeted > 0 { format!(" (+{} later)", phase.late.targeted) } else { String::new() };
        let status = match phase.status {
            PhaseStatus::Active => "active",
            PhaseStatus::Completed => "completed",
            PhaseStatus::Waiting => "waiting",
        };
        vec![
            phase.number.to_string(),
            phase.spec.name.clone().unwrap_or_default(),
            phase.spec.collection.clone(),
            status.to_owned(),
            time_or(phase.started_at, "-"),
            format!("{}{late}", counts.targeted),
            counts.succeeded.to_string(),
            counts.failed.to_string(),
            counts.unknown.to_string(),
        ]
    });
    let header = ["", "Phase", "Collection", "Status", "Started", "Computers", "Good", "Failed", "Unknown"];
    page.table(&header, rows.collect(), "No phases.");
    for Phase { number, gate, .. } in &phased.phases {
        if let Some(gate) = gate {
            page.line(format!("phase {number}: {gate}"));
        }
    }
    for warning in &phased.warnings {
        page.line(format!("warning: {warning}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_read() {
        let made = phase("Pilot, success=90%, max-failed=3, soak-hours=24, approval, deadline-days=0").expect("reads");
        assert_eq!(
            (made.collection.as_str(), made.success_percent, made.max_failed_count),
            ("Pilot", Some(90), Some(3))
        );
        assert_eq!((made.soak_hours, made.approval, made.deadline_days), (24, true, Some(0)));
        let hand = phase("All Computers,manual,success=12,max-failed=5%,action=optional").expect("reads");
        assert_eq!((hand.manual, hand.success_count, hand.max_failed_percent), (true, Some(12), Some(5)));
        for wrong in ["Pilot,success=many", "Pilot,soon", "Pilot,action=block", "Pilot,after-days=-1"] {
            assert!(phase(wrong).is_err(), "{wrong}");
        }
    }
}
