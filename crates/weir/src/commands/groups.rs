//! `weir groups`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use uuid::Uuid;
use weir_api::update_group::{
    GroupDeleteQuery, GroupMembersChanged, ListedUpdateGroup, MembersChange, UpdateGroup, UpdateGroupChange,
    UpdateGroupCreate, UpdateGroupCreated, UpdateGroupList, UpdateGroupMember, UpdateGroupQuery,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::{Connection, answer},
    print::{Page, Printer, bytes, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum GroupsCommand {
    /// List update groups.
    #[command(
        after_help = "Examples:\n  weir groups list --compliance\n  weir groups list security --deployed true --sort members"
    )]
    List {
        /// Part of the name or description.
        #[arg(value_name = "TEXT")]
        text: Option<String>,
        /// Only those that are deployed (true) or not (false).
        #[arg(long, value_name = "BOOL")]
        deployed: Option<bool>,
        /// Order: created, deployments, members or name, with :asc or :desc.
        #[arg(long, value_name = "FIELD")]
        sort: Option<String>,
        /// Say of each how computers stand with its updates.
        #[arg(long)]
        compliance: bool,
        /// Count only computers that this downstream server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME", requires = "compliance")]
        server: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one group with its updates.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Make a group.
    #[command(after_help = "Examples:\n  weir groups create \"2026-11\"\n  \
                            weir groups create \"2026-11\" --filter 'classification = \"Security Updates\" and title ~ 2026-11'\n  \
                            weir deployments create --group \"2026-11\" --collection Pilot --action install --deadline +7d")]
    Create {
        /// Its name.
        name: String,
        /// What people should know of it.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        #[command(flatten)]
        members: Members,
    },
    /// Change name or description of a group.
    Change {
        /// Its name.
        name: String,
        /// Another name.
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// Another description.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Add updates to a group. Where it is deployed, they are deployed.
    #[command(after_help = "Examples:\n  weir groups add \"2026-11\" 5c9f... 7d20...\n  \
                            weir groups add \"2026-11\" --filter 'kb = 5031364'\n  \
                            weir groups add \"2026-11\" --saved \"Needed and not deployed\"")]
    Add {
        /// Its name.
        name: String,
        #[command(flatten)]
        members: Members,
    },
    /// Take updates out of a group. Where it is deployed, they are offered no longer by it.
    #[command(after_help = "Examples:\n  weir groups remove \"2026-11\" 5c9f...\n  \
                            weir groups remove \"2026-11\" --filter 'expired or declined'")]
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        members: Members,
    },
    /// Delete groups.
    Delete {
        /// Their names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Delete their deployments, too; without it a deployed group stays.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Members {
    /// GUIDs of updates.
    #[arg(value_name = "ID")]
    updates: Vec<Uuid>,
    /// And all that this filter leaves (see weir updates list --help).
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// And all that this saved search finds, in the place of a filter.
    #[arg(long, value_name = "NAME", conflicts_with = "filter")]
    saved: Option<String>,
    /// Accept the licences of what is added to a deployed group.
    #[arg(long)]
    accept_eula: bool,
}

impl From<Members> for MembersChange {
    fn from(given: Members) -> Self {
        Self { updates: given.updates, filter: given.filter, saved: given.saved, accept_eula: given.accept_eula }
    }
}

pub(crate) async fn run(command: GroupsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        GroupsCommand::List { text, deployed, sort, compliance, server, paging } => {
            let narrowed = text.is_some() || deployed.is_some();
            let query = UpdateGroupQuery { text, deployed, sort, compliance, server, ..UpdateGroupQuery::default() };
            let list: UpdateGroupList = paging
                .whole(connection, &["groups"], &query, |list: &mut UpdateGroupList| (&mut list.items, &mut list.next))
                .await?;
            printer.show(&list, |page| self::list(page, &list, compliance, narrowed))?;
        }
        GroupsCommand::Show { name, paging } => {
            let group: UpdateGroup = connection.read(&["groups", &name], &Nothing {}).await?;
            let members =
                paging.read::<UpdateGroupMember>(connection, &["groups", &name, "members"], &Nothing {}).await?;
            let value = serde_json::json!({ "group": group, "members": members });
            printer.show(&value, |page| {
                show(page, &group);
                let header = ["Update", "State", "Size", "Needed", "Installed", "Failed", "Title"];
                let empty = "No updates. Next: weir groups add NAME ID..., or --filter EXPR";
                page.table(&header, members.items.iter().map(member).collect(), empty);
                page.more(members.next.as_deref());
            })?;
        }
        GroupsCommand::Create { name, description, members } => {
            let create = UpdateGroupCreate { name, description, members: members.into() };
            let created: UpdateGroupCreated = connection.change(Method::POST, &["groups"], &create).await?;
            printer.show(&created, |page| {
                page.line(format!("group {:?} made with {} updates", created.name, created.members));
                let next = if created.members == 0 { "weir groups add" } else { "weir deployments create --group" };
                page.line(format!("Next: {next} {:?}", created.name));
            })?;
        }
        GroupsCommand::Change { name, rename, description } => {
            let change = UpdateGroupChange { name: rename, description };
            let changed: UpdateGroup = connection.change(Method::PATCH, &["groups", &name], &change).await?;
            printer.show(&changed, |page| show(page, &changed))?;
        }
        GroupsCommand::Add { name, members } => {
            members_change(Method::POST, &name, members, connection, printer).await?;
        }
        GroupsCommand::Remove { name, members } => {
            members_change(Method::DELETE, &name, members, connection, printer).await?;
        }
        GroupsCommand::Delete { names, force } => {
            for name in &names {
                let request = connection.request(Method::DELETE, &["groups", name])?;
                connection.send(request.query(&GroupDeleteQuery { force })).await?;
            }
            printer.done(&format!("deleted group {}", names.join(", ")))?;
        }
    }
    Ok(Outcome::Done)
}

fn list(page: &mut Page, list: &UpdateGroupList, compliance: bool, narrowed: bool) {
    let row = |listed: &ListedUpdateGroup| {
        let group = &listed.group;
        let mut row = vec![
            group.name.clone(),
            group.members.to_string(),
            group.deployments.len().to_string(),
            time(group.created_at),
        ];
        if compliance {
            let of = listed.compliance.as_ref();
            let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
            row.extend([
                of.and_then(|of| of.percent).map(|percent| format!("{percent:.1} %")).unwrap_or_default(),
                count(of.map(|of| of.computers)),
                count(of.map(|of| of.counts.failed)),
                count(of.map(|of| of.counts.unknown)),
            ]);
        }
        row.push(group.description.clone());
        row
    };
    let mut header = vec!["Name", "Updates", "Deployments", "Made"];
    if compliance {
        header.extend(["Compliant", "Computers", "Failed", "Unknown"]);
    }
    header.push("Description");
    let empty = if narrowed {
        "No update group is so."
    } else {
        "No update groups. Next: weir groups create NAME --filter EXPR"
    };
    page.table(&header, list.items.iter().map(row).collect(), empty);
    if list.total > list.items.len() as u64 {
        page.line(format!("{} of {} update groups", list.items.len(), list.total));
    }
    page.more(list.next.as_deref());
}

async fn members_change(
    method: Method,
    name: &str,
    members: Members,
    connection: &Connection,
    printer: &Printer,
) -> Result<()> {
    let adding = method == Method::POST;
    let request = connection.request(method, &["groups", name, "members"])?.json(&MembersChange::from(members));
    let changed: GroupMembersChanged = answer(connection.send(request).await?).await?;
    printer.show(&changed, |page| {
        let word = if adding { "added to" } else { "removed from" };
        let rest = match changed.unchanged {
            0 => String::new(),
            count if adding => format!(", {count} as before"),
            count => format!(", {count} were not in it"),
        };
        page.line(format!("{} {word} {name:?}{rest}; it has {} now", changed.changed, changed.members));
        if changed.deployments > 0 {
            page.line(format!("{} deployments follow it", changed.deployments));
        }
    })
}

fn member(member: &UpdateGroupMember) -> Vec<String> {
    let flags = [
        (member.revision.is_none(), "not in the catalogue"),
        (member.declined, "declined"),
        (member.expired, "expired"),
        (member.stopped, "stopped"),
    ];
    let state: Vec<&str> = flags.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect();
    vec![
        member.id.to_string(),
        state.join(", "),
        bytes(member.bytes),
        member.needed.to_string(),
        member.installed.to_string(),
        member.failed.to_string(),
        member.title.clone(),
    ]
}

fn show(page: &mut Page, group: &UpdateGroup) {
    page.field("group", &group.name);
    if !group.description.is_empty() {
        page.field("description", &group.description);
    }
    page.field("updates", group.members);
    let deployments: Vec<String> = group.deployments.iter().map(ToString::to_string).collect();
    page.field("deployments", if deployments.is_empty() { "none".to_owned() } else { deployments.join(", ") });
    page.field("made", format!("{} by {}", time(group.created_at), group.created_by));
}
