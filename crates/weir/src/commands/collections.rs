//! `weir collections`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::collection::{
    Collection, CollectionChange, CollectionCreate, CollectionCreated, CollectionKind, CollectionPreview,
    CollectionPreviewQuery, CollectionWhy, Member, MemberChange, MemberSource, MembersChanged, PreviewList, WhyQuery,
};

use super::{Nothing, Paging, names};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum CollectionsCommand {
    /// List collections with their numbers of computers.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one collection and its computers.
    Show {
        /// Name or id.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Create a collection: a target group, or with a rule, includes, excludes or a limit one that they define.
    #[command(after_help = "Examples:\n  weir collections create Pilot --parent 'All Computers'\n  \
                            weir collections create 'Servers 2019' --rule 'os ~ \"server 2019\" and ip in 10.0.0.0/8'\n  \
                            weir collections create 'Ring 1' --include Pilot 'Servers 2019' --exclude Legacy --limit Berlin\n  \
                            weir collections create Asleep --rule 'last_contact > 30 days'\n\n\
                            What a rule may ask of computers is listed in docs/administration.md. See what it would do with \
                            weir collections preview.")]
    Create(CreateArguments),
    /// Change a collection.
    #[command(
        alias = "set",
        after_help = "Examples:\n  weir collections change Pilot --rename 'Ring 0'\n  \
                      weir collections change 'Servers 2019' --rule 'server and build = 17763' --zone Europe/Amsterdam\n  \
                      weir collections change 'Ring 1' --no-exclude --no-limit"
    )]
    Change(ChangeArguments),
    /// Show who would be in a collection if it were defined like this, and what that would change. Nothing is changed.
    #[command(after_help = "Examples:\n  weir collections preview --rule 'os ~ \"server 2019\"'\n  \
                            weir collections preview 'Ring 1' --exclude Legacy Kiosks")]
    Preview(PreviewArguments),
    /// List the computers of a collection, with what puts each there.
    #[command(
        after_help = "Examples:\n  weir collections members 'Ring 1'\n  weir collections members 'Ring 1' --json"
    )]
    Members {
        /// Name or id.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show whether a computer is in a collection, and why.
    #[command(after_help = "Example:\n  weir collections why 'Ring 1' --computer 5f3a...")]
    Why {
        /// Name or id.
        name: String,
        /// Id of the computer.
        #[arg(long, value_name = "ID")]
        computer: String,
    },
    /// Delete a collection. Its computers stay.
    Delete {
        /// Name or id.
        name: String,
    },
    /// Put computers into a collection.
    #[command(after_help = "Example:\n  weir collections add Pilot --computer 5f3a... 77c0...")]
    Add(Members),
    /// Take computers out of a collection.
    Remove(Members),
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name, unique without regard to case.
    name: String,
    /// Name or id of the target group above it; All Computers by default.
    #[arg(long, value_name = "NAME")]
    parent: Option<String>,
    /// Send deployed updates only (for thin links); compliance of others is not known then.
    #[arg(long)]
    approved_only: bool,
    /// Computers for which this holds are members.
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Members of these collections are members.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    include: Vec<String>,
    /// Members of these collections are not, whatever else says so.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    exclude: Vec<String>,
    /// Only members of this collection are members.
    #[arg(long, value_name = "NAME")]
    limit: Option<String>,
    /// A collection without a rule that is no target group: computers are put into it with weir collections add.
    #[arg(long, conflicts_with = "parent")]
    direct: bool,
    /// IANA zone of "client local time" of its computers.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Name or id.
    name: String,
    /// Its new name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Whether to send deployed updates only.
    #[arg(long, value_name = "true|false")]
    approved_only: Option<bool>,
    #[command(flatten)]
    definition: Definition,
    /// IANA zone of "client local time" of its computers; "" takes it away.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What it is for; "" takes it away.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct PreviewArguments {
    /// Name or id of the collection whose definition is tried; without it, that of a new one.
    name: Option<String>,
    #[command(flatten)]
    definition: Definition,
    /// Computers that each list shows.
    #[arg(long, value_name = "N")]
    show: Option<u32>,
}

/// A definition; what is not given stays.
#[derive(Args, Debug)]
#[command(next_help_heading = "Members")]
pub(crate) struct Definition {
    /// Computers for which this holds are members.
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// No rule.
    #[arg(long, conflicts_with = "rule")]
    no_rule: bool,
    /// Members of these collections are members; replaces all it included.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    include: Vec<String>,
    /// Nothing is included.
    #[arg(long, conflicts_with = "include")]
    no_include: bool,
    /// Members of these collections are not, whatever else says so; replaces all it excluded.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    exclude: Vec<String>,
    /// Nothing is excluded.
    #[arg(long, conflicts_with = "exclude")]
    no_exclude: bool,
    /// Only members of this collection are members.
    #[arg(long, value_name = "NAME")]
    limit: Option<String>,
    /// All Computers is the limit.
    #[arg(long, conflicts_with = "limit")]
    no_limit: bool,
}

/// What of a definition was given, as REST takes it.
struct Given {
    rule: Option<String>,
    includes: Option<Vec<String>>,
    excludes: Option<Vec<String>>,
    limiting: Option<String>,
}

impl From<Definition> for Given {
    fn from(given: Definition) -> Self {
        let one = |value: Option<String>, none: bool| if none { Some(String::new()) } else { value };
        let several = |values: Vec<String>, none: bool| (none || !values.is_empty()).then_some(values);
        Self {
            rule: one(given.rule, given.no_rule),
            includes: several(given.include, given.no_include),
            excludes: several(given.exclude, given.no_exclude),
            limiting: one(given.limit, given.no_limit),
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Members {
    /// Name or id of the collection.
    name: String,
    /// Ids of computers, as `weir computers list` shows them.
    #[arg(long = "computer", value_name = "ID", required = true, num_args = 1..)]
    computers: Vec<String>,
}

pub(crate) async fn run(command: CollectionsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        CollectionsCommand::List { paging } => {
            let list = paging.read::<Collection>(connection, &["collections"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|collection| {
                    let place = match collection.kind {
                        Some(CollectionKind::Rule) => "(by rule)".to_owned(),
                        _ => collection.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default(),
                    };
                    vec![
                        collection.name.clone(),
                        place,
                        collection.members_below.to_string(),
                        collection.deployments.to_string(),
                        collection.id.to_string(),
                    ]
                });
                page.table(&["Name", "Below", "Computers", "Deployments", "Id"], rows.collect(), "No collections.");
                page.more(list.next.as_deref());
            })?;
        }
        CollectionsCommand::Show { name, paging } => show(&name, &paging, connection, printer).await?,
        CollectionsCommand::Create(arguments) => {
            let create = CollectionCreate {
                name: arguments.name,
                parent: arguments.parent,
                approved_only: arguments.approved_only,
                kind: arguments.direct.then_some(CollectionKind::Rule),
                rule: arguments.rule,
                includes: arguments.include,
                excludes: arguments.exclude,
                limiting: arguments.limit,
                time_zone: arguments.zone,
                description: arguments.description,
            };
            let created: CollectionCreated = connection.change(Method::POST, &["collections"], &create).await?;
            printer.show(&created, |page| page.line(format!("created {} ({})", created.name, created.id)))?;
        }
        CollectionsCommand::Change(arguments) => {
            let Given { rule, includes, excludes, limiting } = arguments.definition.into();
            let change = CollectionChange {
                name: arguments.rename,
                approved_only: arguments.approved_only,
                rule,
                includes,
                excludes,
                limiting,
                time_zone: arguments.zone,
                description: arguments.description,
            };
            let path = ["collections", arguments.name.as_str()];
            let changed: Collection = connection.change(Method::PATCH, &path, &change).await?;
            printer.show(&changed, |page| {
                page.line(format!("changed {}: {} computers", changed.name, changed.members));
                evaluating(page, &changed);
            })?;
        }
        CollectionsCommand::Preview(arguments) => preview(arguments, connection, printer).await?,
        CollectionsCommand::Members { name, paging } => {
            let list = paging.read::<Member>(connection, &["collections", &name, "members"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(member_row);
                let empty = format!("No computers in it. Next: weir collections show {name:?}");
                page.table(&["Id", "Name", "System", "By", "Last contact"], rows.collect(), &empty);
                page.more(list.next.as_deref());
            })?;
        }
        CollectionsCommand::Why { name, computer } => {
            let query = WhyQuery { computer };
            let why: CollectionWhy = connection.read(&["collections", &name, "why"], &query).await?;
            printer.show(&why, |page| why.why.lines().for_each(|line| page.line(line)))?;
        }
        CollectionsCommand::Delete { name } => {
            connection.delete(&["collections", &name]).await?;
            printer.done(&format!("deleted {name}"))?;
        }
        CollectionsCommand::Add(members) => change(Method::POST, members, connection, printer).await?,
        CollectionsCommand::Remove(members) => change(Method::DELETE, members, connection, printer).await?,
    }
    Ok(Outcome::Done)
}

fn source(source: MemberSource) -> &'static str {
    match source {
        MemberSource::BuiltIn => "built in",
        MemberSource::Include => "include",
        MemberSource::Manual => "direct",
        MemberSource::Nested => "below",
        MemberSource::Requested => "requested",
        MemberSource::Rule => "rule",
    }
}

fn sources(sources: &[MemberSource]) -> String {
    sources.iter().map(|one| source(*one)).collect::<Vec<_>>().join(", ")
}

fn member_row(member: &Member) -> Vec<String> {
    let computer = &member.computer;
    vec![
        computer.id.clone(),
        computer.name.clone(),
        computer.os.clone(),
        sources(&member.sources),
        time(computer.last_contact),
    ]
}

fn evaluating(page: &mut Page, collection: &Collection) {
    if let Some(evaluating) = collection.evaluating {
        page.line(format!(
            "members are being found: {} of {} computers looked at; deployments reach those it had before",
            evaluating.done, evaluating.total
        ));
    }
}

async fn show(name: &str, paging: &Paging, connection: &Connection, printer: &Printer) -> Result<()> {
    let collection: Collection = connection.read(&["collections", name], &Nothing {}).await?;
    let members = paging.read::<Member>(connection, &["collections", name, "members"], &Nothing {}).await?;
    let mut whole = serde_json::to_value(&collection)?;
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("computers".into(), serde_json::to_value(&members)?);
    }
    printer.show(&whole, |page| {
        page.field("name", &collection.name);
        page.field("id", collection.id);
        if let Some(description) = &collection.description {
            page.field("for", description);
        }
        if collection.kind == Some(CollectionKind::Rule) {
            page.field("rule", collection.rule.as_deref().unwrap_or("none"));
            page.field("includes", names(&collection.includes));
            page.field("excludes", names(&collection.excludes));
            let limit = collection.limiting.as_ref().map_or("All Computers", |limit| limit.name.as_str());
            page.field("limited to", limit);
            page.field("put there", format!("{} directly", collection.direct));
            page.field("computers", collection.members);
        } else {
            page.field("below", collection.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default());
            page.field("computers", format!("{}, {} with those below", collection.members, collection.members_below));
        }
        page.field("deployments", collection.deployments);
        page.field("sends", if collection.approved_only { "deployed updates only" } else { "every live update" });
        if let Some(zone) = &collection.time_zone {
            page.field("time zone", zone);
        }
        evaluating(page, &collection);
        let rows = members.items.iter().map(member_row);
        let empty = format!("No computers in it. Next: weir collections add {name:?} --computer ID");
        page.table(&["Id", "Name", "System", "By", "Last contact"], rows.collect(), &empty);
        page.more(members.next.as_deref());
    })
}

async fn preview(arguments: PreviewArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let Given { rule, includes, excludes, limiting } = arguments.definition.into();
    let query = CollectionPreviewQuery {
        collection: arguments.name,
        rule,
        includes,
        excludes,
        limiting,
        limit: arguments.show,
    };
    let preview: CollectionPreview = connection.change(Method::POST, &["collections", "preview"], &query).await?;
    printer.show(&preview, |page| {
        if let Some(rule) = &preview.rule {
            page.field("rule", rule);
        }
        page.field("looked at", format!("{} computers", preview.computers));
        page.field("members", preview.members.count);
        page.field("coming", preview.coming.count);
        page.field("going", preview.going.count);
        listed(page, "Members", &preview.members);
        if preview.collection.is_some() {
            listed(page, "Coming", &preview.coming);
            listed(page, "Going", &preview.going);
        }
        for other in &preview.others {
            page.line(format!("{}: {} would come, {} would go", other.collection.name, other.coming, other.going));
        }
        if !preview.deployments.is_empty() {
            page.line("\nDeployments to these collections:");
            let rows = preview.deployments.iter().map(|deployment| {
                vec![
                    deployment.id.to_string(),
                    serde_json::to_value(deployment.action)
                        .ok()
                        .and_then(|action| action.as_str().map(str::to_owned))
                        .unwrap_or_default(),
                    deployment.collection.name.clone(),
                    deployment.title.clone(),
                ]
            });
            page.table(&["Id", "Action", "Collection", "Title"], rows.collect(), "");
        }
    })
}

fn listed(page: &mut Page, title: &str, list: &PreviewList) {
    if list.items.is_empty() {
        return;
    }
    page.line(format!("\n{title}:"));
    let rows = list.items.iter().map(|one| vec![one.id.clone(), one.name.clone(), sources(&one.sources)]);
    page.table(&["Id", "Name", "By"], rows.collect(), "");
    let more = list.count.saturating_sub(list.items.len() as u64);
    if more > 0 {
        page.line(format!("and {more} more"));
    }
}

async fn change(method: Method, members: Members, connection: &Connection, printer: &Printer) -> Result<()> {
    let body = MemberChange { computers: members.computers };
    let path = ["collections", members.name.as_str(), "members"];
    let changed: MembersChanged = connection.change(method, &path, &body).await?;
    printer.show(&changed, |page| {
        page.line(format!("{} changed, {} were so already", changed.changed, changed.unchanged));
    })
}
