//! `weir rules`.

mod show;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::{
    deployment::{Action, DeploymentSettings},
    rule::{
        Rule, RuleChange, RuleCreate, RuleDeployment, RuleLicences, RulePreview, RulePreviewQuery, RuleRun,
        RuleRunUpdate, RuleRunUpdatesQuery, RuleTemplate, RuleTemplateCreate,
    },
};

use self::show::{last, outcome, previewed, ran, schedule, show, word};
use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List rules: when they run next, and how they ran last.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one rule.
    Show {
        /// Its name.
        name: String,
    },
    /// Make a rule.
    #[command(
        after_help = "A deployment is COLLECTION,ACTION[,available=T][,deadline=T][,template=NAME][,local-time]\n\
                            [,outside-windows][,hold-until-window] with ACTION install, optional or as-template, and T a time after the scheduled start\n\
                            such as 0, 36h or 7d.\n\nExamples:\n  \
                            weir rules create Monthly --template patch-tuesday --deploy 'Pilot,install,deadline=3d' \
                            --deploy 'All Computers,install,available=7d,deadline=14d'\n  \
                            weir rules create Definitions --template antivirus --deploy 'All Computers,install,deadline=0' --run\n  \
                            weir rules create Servers --criteria 'product = \"Windows Server 2019\" and severity >= important and \
                            released < 1 month' --schedule 'monthly second tuesday +1 at 02:00' --deploy 'Servers,install,deadline=7d'\n\n\
                            See first what it would do: weir rules preview --criteria ..."
    )]
    Create(CreateArguments),
    /// Change a rule: what is not given stays.
    #[command(
        after_help = "Examples:\n  weir rules change Monthly --schedule 'monthly second tuesday +2 at 03:00'\n  \
                            weir rules change Monthly --add-deploy 'Laptops,optional'\n  \
                            weir rules change Monthly --remove-deploy Pilot"
    )]
    Change(ChangeArguments),
    /// Delete rules. Groups and deployments that they made stay.
    Delete {
        /// Names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Let rules run on their schedule.
    Enable {
        /// Names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Keep rules without letting them run by themselves.
    Disable {
        /// Names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show what a run would come to now. Nothing is changed.
    #[command(after_help = "Examples:\n  weir rules preview Monthly\n  \
                            weir rules preview --criteria 'classification = \"Security Updates\" and released < 1 month'")]
    Preview(PreviewArguments),
    /// Run a rule now, whether it is enabled or not.
    Run {
        /// Its name.
        name: String,
    },
    /// Runs of a rule, newest first.
    History {
        /// Its name.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// What a run said of every update, with the reason.
    #[command(after_help = "Examples:\n  weir rules run-show 17\n  weir rules run-show 17 --rejected --all")]
    RunShow(RunShowArguments),
    /// Templates: what a rule can begin with. With --save-from a rule becomes one.
    #[command(
        after_help = "Examples:\n  weir rules templates\n  weir rules templates --save-from Monthly --name Ours\n  \
                            weir rules templates --delete Ours"
    )]
    Templates(TemplateArguments),
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RuleArguments {
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Which updates, in the language of `weir updates list --filter`.
    #[arg(long, value_name = "EXPR")]
    criteria: Option<String>,
    /// `manual`, `after sync`, or such as `daily at 02:00`.
    #[arg(long, value_name = "WHEN")]
    schedule: Option<String>,
    /// A new group each run, of this name: {name}, {date}, {time}, {month} and {year} are replaced.
    #[arg(long, value_name = "PATTERN", conflicts_with = "keep_group")]
    new_group: Option<String>,
    /// One group, whose members each run replaces.
    #[arg(long, value_name = "NAME")]
    keep_group: Option<String>,
    /// Deployments are made switched on (true), or off.
    #[arg(long, value_name = "BOOL")]
    enable_deployments: Option<bool>,
    /// Updates with licence terms.
    #[arg(long, value_enum, value_name = "HOW")]
    licences: Option<LicencesArgument>,
    /// A failure opens an alert (true), or not.
    #[arg(long, value_name = "BOOL")]
    alert: Option<bool>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LicencesArgument {
    /// Leave out what has terms that nobody accepted.
    WithoutTerms,
    /// Accept all terms for this site.
    AcceptAll,
}

impl From<LicencesArgument> for RuleLicences {
    fn from(argument: LicencesArgument) -> Self {
        match argument {
            LicencesArgument::AcceptAll => Self::AcceptAll,
            LicencesArgument::WithoutTerms => Self::WithoutTerms,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// What to begin with: weir rules templates.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    #[command(flatten)]
    rule: RuleArguments,
    /// A deployment that each run makes; may be given several times.
    #[arg(long, value_name = "DEPLOYMENT")]
    deploy: Vec<String>,
    /// Do not let it run by itself.
    #[arg(long)]
    disabled: bool,
    /// Run it once now.
    #[arg(long)]
    run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name.
    name: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    rule: RuleArguments,
    /// All deployments, in place of those it had.
    #[arg(long, value_name = "DEPLOYMENT", conflicts_with_all = ["add_deploy", "remove_deploy"])]
    deploy: Vec<String>,
    /// One more deployment.
    #[arg(long, value_name = "DEPLOYMENT")]
    add_deploy: Vec<String>,
    /// No more a deployment to this collection.
    #[arg(long, value_name = "COLLECTION")]
    remove_deploy: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct PreviewArguments {
    /// Name of a rule.
    #[arg(required_unless_present_any = ["criteria", "template"], conflicts_with_all = ["criteria", "template"])]
    name: Option<String>,
    /// Criteria of a rule that is not there yet.
    #[arg(long, value_name = "EXPR")]
    criteria: Option<String>,
    /// A template.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// A deployment that it would make.
    #[arg(long, value_name = "DEPLOYMENT", conflicts_with = "name")]
    deploy: Vec<String>,
    /// Show at most so many updates.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Args, Debug)]
pub(crate) struct RunShowArguments {
    /// Number of the run: weir rules history NAME.
    no: i64,
    /// Only updates that matched.
    #[arg(long, conflicts_with = "rejected")]
    matched: bool,
    /// Only updates that did not.
    #[arg(long)]
    rejected: bool,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args, Debug)]
pub(crate) struct TemplateArguments {
    /// Save a template, made of this rule.
    #[arg(long, value_name = "RULE", requires = "name")]
    save_from: Option<String>,
    /// Name of the template to be saved.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Delete this saved template.
    #[arg(long, value_name = "NAME", conflicts_with = "save_from")]
    delete: Option<String>,
}

pub(crate) async fn run(command: RulesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        RulesCommand::List { paging } => {
            let list = paging.read::<Rule>(connection, &["rules"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|rule| {
                    vec![rule.name.clone(), schedule(rule), time_or(rule.next_run, "-"), last(rule.last_run.as_ref())]
                });
                let empty = "No rules: nothing is deployed by itself. Next: weir rules create --help";
                page.table(&["Name", "When", "Next", "Last run"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        RulesCommand::Show { name } => {
            let rule: Rule = connection.read(&["rules", &name], &Nothing {}).await?;
            printer.show(&rule, |page| show(page, &rule))?;
        }
        RulesCommand::Create(arguments) => return create(arguments, connection, printer).await,
        RulesCommand::Change(arguments) => {
            let rule = change(arguments, connection).await?;
            printer.show(&rule, |page| show(page, &rule))?;
        }
        RulesCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["rules", name]).await?;
            }
            printer.done(&format!("deleted {}; groups and deployments that they made stay", names.join(", ")))?;
        }
        RulesCommand::Enable { names } => switch(&names, true, connection, printer).await?,
        RulesCommand::Disable { names } => switch(&names, false, connection, printer).await?,
        RulesCommand::Preview(arguments) => {
            let query = RulePreviewQuery {
                rule: match arguments.name {
                    Some(_) => None,
                    None => Some(RuleCreate {
                        name: "preview".to_owned(),
                        criteria: arguments.criteria,
                        template: arguments.template,
                        deployments: deployments(&arguments.deploy)?,
                        ..RuleCreate::default()
                    }),
                },
                name: arguments.name,
                limit: Some(arguments.limit),
            };
            let preview: RulePreview = connection.change(Method::POST, &["rules", "preview"], &query).await?;
            printer.show(&preview, |page| previewed(page, &preview))?;
        }
        RulesCommand::Run { name } => {
            let run: RuleRun = connection.change(Method::POST, &["rules", &name, "run"], &Nothing {}).await?;
            printer.show(&run, |page| ran(page, &run))?;
            return Ok(outcome(&run));
        }
        RulesCommand::History { name, paging } => {
            let list = paging.read::<RuleRun>(connection, &["rules", &name, "runs"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|run| {
                    let made = run.group.as_ref().map(|group| group.name.clone());
                    vec![
                        run.no.to_string(),
                        time(run.base),
                        run.trigger.clone(),
                        word(run.result).to_owned(),
                        run.matched.to_string(),
                        made.or_else(|| run.error.clone()).unwrap_or_default(),
                    ]
                });
                let empty = "It has not run yet. Next: weir rules run NAME";
                page.table(&["Run", "Scheduled", "Why", "Result", "Matched", "Group or reason"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        RulesCommand::RunShow(arguments) => run_show(&arguments, connection, printer).await?,
        RulesCommand::Templates(arguments) => templates(arguments, connection, printer).await?,
    }
    Ok(Outcome::Done)
}

async fn create(arguments: CreateArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let given = arguments.rule;
    let new = RuleCreate {
        name: arguments.name,
        template: arguments.template,
        description: given.description,
        enabled: arguments.disabled.then_some(false),
        criteria: given.criteria,
        schedule: given.schedule,
        new_group: given.new_group,
        keep_group: given.keep_group,
        deployments: deployments(&arguments.deploy)?,
        enable_deployments: given.enable_deployments,
        licences: given.licences.map(Into::into),
        alert_on_failure: given.alert,
        run: arguments.run,
    };
    let rule: Rule = connection.change(Method::POST, &["rules"], &new).await?;
    printer.show(&rule, |page| {
        show(page, &rule);
        if rule.last_run.is_none() {
            page.line(format!(
                "Next: what it would do now: weir rules preview {0:?}; to do it: weir rules run {0:?}",
                rule.name
            ));
        }
    })?;
    Ok(rule.last_run.as_ref().map_or(Outcome::Done, outcome))
}

async fn change(arguments: ChangeArguments, connection: &Connection) -> Result<Rule> {
    let given = arguments.rule;
    let change = RuleChange {
        name: arguments.rename.clone(),
        description: given.description,
        enabled: None,
        criteria: given.criteria,
        schedule: given.schedule,
        new_group: given.new_group,
        keep_group: given.keep_group,
        deployments: if arguments.deploy.is_empty() { None } else { Some(deployments(&arguments.deploy)?) },
        enable_deployments: given.enable_deployments,
        licences: given.licences.map(Into::into),
        alert_on_failure: given.alert,
    };
    // parsed before anything is sent
    let added = deployments(&arguments.add_deploy)?;
    let mut rule: Rule = connection.change(Method::PATCH, &["rules", &arguments.name], &change).await?;
    let id = rule.id.to_string();
    for collection in &arguments.remove_deploy {
        rule = connection.call_method(Method::DELETE, &["rules", &id, "deployments", collection]).await?;
    }
    for deployment in added {
        rule = connection.change(Method::POST, &["rules", &id, "deployments"], &deployment).await?;
    }
    Ok(rule)
}

async fn switch(names: &[String], enabled: bool, connection: &Connection, printer: &Printer) -> Result<()> {
    for name in names {
        let change = RuleChange { enabled: Some(enabled), ..RuleChange::default() };
        let _: Rule = connection.change(Method::PATCH, &["rules", name], &change).await?;
    }
    printer.done(&format!("{} {}", if enabled { "enabled" } else { "disabled" }, names.join(", ")))
}

async fn run_show(arguments: &RunShowArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let no = arguments.no.to_string();
    let run: RuleRun = connection.read(&["rule-runs", &no], &Nothing {}).await?;
    let matched = if arguments.matched { Some(true) } else { arguments.rejected.then_some(false) };
    let query = RuleRunUpdatesQuery { matched, ..RuleRunUpdatesQuery::default() };
    let list = arguments.paging.read::<RuleRunUpdate>(connection, &["rule-runs", &no, "updates"], &query).await?;
    printer.show(&list, |page| {
        ran(page, &run);
        let rows = list.items.iter().map(|row| {
            let title = if row.title.is_empty() { row.id.to_string() } else { row.title.clone() };
            vec![if row.matched { "yes" } else { "no" }.to_owned(), title, row.reason.clone()]
        });
        let empty = if run.detailed { "No updates." } else { "What it said of each update is not kept any more." };
        page.table(&["Matched", "Title", "Why"], rows.collect(), empty);
        page.more(list.next.as_deref());
    })
}

async fn templates(arguments: TemplateArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    if let Some(name) = arguments.delete {
        connection.delete(&["rule-templates", &name]).await?;
        return printer.done(&format!("deleted {name}"));
    }
    if let (Some(rule), Some(name)) = (arguments.save_from, arguments.name) {
        let new = RuleTemplateCreate { name, rule };
        let made: RuleTemplate = connection.change(Method::POST, &["rule-templates"], &new).await?;
        return printer.show(&made, |page| page.line(format!("saved {}", made.name)));
    }
    let list: weir_api::List<RuleTemplate> = connection.read(&["rule-templates"], &Nothing {}).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|template| {
            vec![
                template.name.clone(),
                template.schedule.clone(),
                template.criteria_text.clone(),
                template.description.clone(),
            ]
        });
        page.table(&["Name", "When", "Criteria", "What for"], rows.collect(), "No templates.");
    })
}

/// `COLLECTION,ACTION[,available=T][,deadline=T][,FLAG...]`.
fn deployments(texts: &[String]) -> Result<Vec<RuleDeployment>> {
    texts.iter().map(|text| deployment(text)).collect()
}

fn deployment(text: &str) -> Result<RuleDeployment> {
    let mut parts = text.split(',').map(str::trim);
    let collection = parts.next().unwrap_or_default().to_owned();
    let action = match parts.next() {
        Some("install") => Some(Action::Install),
        Some("optional") => Some(Action::Optional),
        Some("as-template") => None,
        _ => bail!(
            "{text:?} is no deployment: write COLLECTION,install or COLLECTION,optional, then such as deadline=7d"
        ),
    };
    let mut made = RuleDeployment {
        collection,
        action,
        available: None,
        deadline: None,
        template: None,
        settings: DeploymentSettings::default(),
    };
    for part in parts {
        match part.split_once('=').map_or((part, None), |(name, value)| (name.trim(), Some(value.trim().to_owned()))) {
            ("available", Some(value)) => made.available = Some(value),
            ("deadline", Some(value)) => made.deadline = Some(value),
            ("template", Some(value)) => made.template = Some(value),
            ("local-time", None) => made.settings.local_time = Some(true),
            ("outside-windows", None) => made.settings.outside_windows = Some(true),
            ("hold-until-window", None) => made.settings.hold_until_window = Some(true),
            _ => bail!(
                "{part:?} in {text:?} is not understood: available=T, deadline=T, template=NAME, local-time, outside-windows, \
                 hold-until-window"
            ),
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployments_are_read() {
        let made = deployment("All Computers, install, available=1d,deadline=7d,hold-until-window").expect("reads");
        assert_eq!((made.collection.as_str(), made.action), ("All Computers", Some(Action::Install)));
        assert_eq!((made.available.as_deref(), made.deadline.as_deref()), (Some("1d"), Some("7d")));
        assert_eq!((made.settings.hold_until_window, made.settings.local_time), (Some(true), None));
        for wrong in
            ["", "Pilot", "Pilot,block", "Pilot,install,deadline", "Pilot,install,local-time=yes", "Pilot,install,x"]
        {
            assert!(deployment(wrong).is_err(), "{wrong}");
        }
    }
}
