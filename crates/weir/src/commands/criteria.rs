//! `weir criteria`.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::criteria::{
    Criterion, CriterionAction, CriterionApplied, CriterionChange, CriterionCondition, CriterionPreview, CriterionRule,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes},
};

#[derive(Debug, Subcommand)]
pub(crate) enum CriteriaCommand {
    /// List rules.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Add a rule. It holds for what is synchronized from now on.
    #[command(after_help = "Examples:\n  weir criteria add Itanium --action skip --architecture ia64\n  \
                            weir criteria add Previews --action decline --preview true --dry-run\n  \
                            weir criteria add Superseded --action decline --superseded-for-days 30 --except KB5001234\n  \
                            weir criteria add \"Other languages\" --action decline --other-languages-than en de\n  \
                            weir criteria add Beta --action decline --title '*beta*' --classification \"Feature Packs\"\n\n\
                            All conditions given must hold; of several values of one condition, one is enough. See what a \
                            rule would do with --dry-run; let it act on what is here with weir criteria apply NAME.")]
    Add(AddArguments),
    /// Change a rule: conditions given replace all conditions it had.
    #[command(after_help = "Examples:\n  weir criteria change Previews --disable\n  \
                            weir criteria change Superseded --superseded-for-days 60\n  \
                            weir criteria change Superseded --add-except KB5001234")]
    Change(ChangeArguments),
    /// Remove rules. What they declined stays declined.
    #[command(after_help = "Examples:\n  weir criteria remove Previews")]
    Remove {
        /// Names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show what a rule would do to the catalogue as it is.
    #[command(after_help = "Examples:\n  weir criteria preview Previews\n  weir criteria preview Previews --json")]
    Preview {
        /// Its name.
        name: String,
    },
    /// Decline what a rule declines in the catalogue as it is.
    #[command(after_help = "Examples:\n  weir criteria apply Previews")]
    Apply {
        /// Its name.
        name: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ActionArgument {
    /// Do not store such updates.
    Skip,
    /// Store them declined: listed, and sent to no computer.
    Decline,
}

impl From<ActionArgument> for CriterionAction {
    fn from(action: ActionArgument) -> Self {
        match action {
            ActionArgument::Decline => Self::Decline,
            ActionArgument::Skip => Self::Skip,
        }
    }
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct Conditions {
    /// Made for these architectures only: x86, x64, arm, arm64, ia64.
    #[arg(long, value_name = "ARCH", num_args = 1..)]
    architecture: Vec<String>,
    /// Made for an edition: azure, business, consumer, education, embedded, enterprise, home, iot, ltsc, n, pro, se.
    #[arg(long, value_name = "EDITION", num_args = 1..)]
    edition: Vec<String>,
    /// A title: with * a pattern of the whole, else any part of it. Case does not matter.
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    title: Vec<String>,
    /// Previews (true), or all but previews (false).
    #[arg(long, value_name = "BOOL")]
    preview: Option<bool>,
    /// Files in these languages only.
    #[arg(long, value_name = "CODE", num_args = 1..)]
    languages: Vec<String>,
    /// Files in other languages than these only.
    #[arg(long, value_name = "CODE", num_args = 1..)]
    other_languages_than: Vec<String>,
    /// Created at least so many days ago.
    #[arg(long, value_name = "DAYS")]
    older_than_days: Option<u32>,
    /// Superseded.
    #[arg(long, conflicts_with = "superseded_for_days")]
    superseded: bool,
    /// Superseded for so many days, counted from the creation of what supersedes it.
    #[arg(long, value_name = "DAYS")]
    superseded_for_days: Option<u32>,
    /// Of these products or families: GUIDs or titles.
    #[arg(long, value_name = "PRODUCT", num_args = 1..)]
    product: Vec<String>,
    /// Of these classifications: GUIDs or titles.
    #[arg(long, value_name = "CLASS", num_args = 1..)]
    classification: Vec<String>,
}

impl From<Conditions> for CriterionCondition {
    fn from(given: Conditions) -> Self {
        Self {
            architectures: given.architecture,
            editions: given.edition,
            titles: given.title,
            preview: given.preview,
            languages: given.languages,
            other_languages_than: given.other_languages_than,
            older_than_days: given.older_than_days,
            superseded_for_days: given.superseded_for_days.or(given.superseded.then_some(0)),
            products: given.product,
            classifications: given.classification,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    /// Its name.
    name: String,
    /// What happens to updates that it matches.
    #[arg(long, value_enum)]
    action: ActionArgument,
    #[command(flatten)]
    conditions: Conditions,
    /// Leave these alone: GUIDs of updates, articles such as KB5001234, patterns of titles.
    #[arg(long, value_name = "WHAT", num_args = 1..)]
    except: Vec<String>,
    /// Keep it without letting it act.
    #[arg(long)]
    disabled: bool,
    /// Show what it would do, and add nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name.
    name: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// What happens to updates that it matches.
    #[arg(long, value_enum)]
    action: Option<ActionArgument>,
    /// Let it act.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Keep it without letting it act.
    #[arg(long)]
    disable: bool,
    #[command(flatten)]
    conditions: Conditions,
    /// Leave these alone, too.
    #[arg(long, value_name = "WHAT", num_args = 1..)]
    add_except: Vec<String>,
    /// Leave these alone no longer.
    #[arg(long, value_name = "WHAT", num_args = 1..)]
    remove_except: Vec<String>,
}

pub(crate) async fn run(command: CriteriaCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        CriteriaCommand::List { paging } => {
            let list = paging.read::<Criterion>(connection, &["criteria"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| vec![row.rule.name.clone(), row.description.clone()]);
                let empty = "No rules: everything of the chosen products and classifications is kept. \
                             Next: weir criteria add NAME --action decline --superseded --dry-run";
                page.table(&["Name", "What it does"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        CriteriaCommand::Add(arguments) => {
            let rule = CriterionRule {
                name: arguments.name,
                action: arguments.action.into(),
                condition: arguments.conditions.into(),
                except: arguments.except,
                enabled: !arguments.disabled,
            };
            if arguments.dry_run {
                let preview = connection.change(Method::POST, &["criteria-preview"], &rule).await?;
                printer.show(&preview, |page| show(page, &preview))?;
                return Ok(Outcome::Done);
            }
            let added: Criterion = connection.change(Method::POST, &["criteria"], &rule).await?;
            printer.show(&added, |page| {
                page.line(format!("{}.", added.description));
                page.line(match added.rule.action {
                    CriterionAction::Decline => {
                        format!("Next: what it would do now: weir criteria preview {0:?}; to do it: weir criteria apply {0:?}", added.rule.name)
                    }
                    CriterionAction::Skip => "It holds from the next synchronization on; what is here stays.".to_owned(),
                });
            })?;
        }
        CriteriaCommand::Change(arguments) => {
            let condition = CriterionCondition::from(arguments.conditions);
            let change = CriterionChange {
                name: arguments.rename,
                action: arguments.action.map(Into::into),
                condition: (condition != CriterionCondition::default()).then_some(condition),
                enabled: (arguments.enable || arguments.disable).then_some(arguments.enable),
                add_except: arguments.add_except,
                remove_except: arguments.remove_except,
            };
            let path = ["criteria", arguments.name.as_str()];
            let changed: Criterion = connection.change(Method::PATCH, &path, &change).await?;
            printer.show(&changed, |page| page.line(format!("{}: {}.", changed.rule.name, changed.description)))?;
        }
        CriteriaCommand::Remove { names } => {
            for name in &names {
                connection.delete(&["criteria", name]).await?;
            }
            printer.done(&format!("removed {}; what it declined stays declined", names.join(", ")))?;
        }
        CriteriaCommand::Preview { name } => {
            let preview = connection.read(&["criteria", &name, "preview"], &Nothing {}).await?;
            printer.show(&preview, |page| show(page, &preview))?;
        }
        CriteriaCommand::Apply { name } => {
            let applied: CriterionApplied = connection.call_method(Method::POST, &["criteria", &name, "apply"]).await?;
            printer.show(&applied, |page| {
                page.line(format!("{} declined, {} were declined before", applied.declined, applied.before));
                if applied.taken_back > 0 {
                    page.line(format!("{} left alone: an administrator took their decline back", applied.taken_back));
                }
            })?;
        }
    }
    Ok(Outcome::Done)
}

fn show(page: &mut Page, preview: &CriterionPreview) {
    page.line(format!("{}.", preview.description));
    page.field("matches", format!("{} of {} updates", preview.matched, preview.looked_at));
    page.field("declined already", preview.declined);
    page.field("taken back", preview.taken_back);
    let content =
        format!("{} files, {}, {} of it here", preview.files, bytes(preview.bytes), bytes(preview.bytes_here));
    page.field("content", content);
    page.line(&preview.note);
    let rows = preview.samples.iter().map(|row| vec![row.title.clone(), row.reason.clone()]);
    page.table(&["Title", "Why"], rows.collect(), "No update here matches.");
    if preview.matched > preview.samples.len() as u64 {
        page.line(format!("... and {} more", preview.matched - preview.samples.len() as u64));
    }
}
