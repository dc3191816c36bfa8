//! Update groups. [`create_in`] and [`members_change_in`] work inside a transaction of the caller's, who publishes when it
//! is committed.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    update_group::{
        GroupDeleteQuery, GroupMembersChanged, MembersChange, UpdateGroup, UpdateGroupChange, UpdateGroupCreate,
        UpdateGroupCreated, UpdateGroupMember,
    },
};
use weir_model::{
    deployment::{LONGEST_TEXT, MOST_UPDATES, UPGRADES},
    ids::UpdateId,
    rights::Scope,
    rule::GroupChoice,
    search::{Entry, State},
    update::UpdateType,
};
use weir_store::{ReadTx, StoreError, WriteTx, update_group::UpdateGroupRow};

use super::{
    AdminError, App, Caller,
    collection::Tree,
    deployment,
    index::{Counted, kind_word},
    list, search, tally,
    update::Named,
    update_list,
};
use crate::sites;

/// Groups that a site may have.
const MOST_GROUPS: usize = 10_000;
/// Updates that a group may have which is not deployed.
const MOST_MEMBERS: usize = 100_000;
/// Characters of a name.
const LONGEST_NAME: usize = 255;
/// GUIDs of one request.
const MOST_NAMED: usize = 10_000;

/// The group of that name or id.
pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<UpdateGroupRow, AdminError> {
    let id = match tx.update_group_find(name)? {
        Some(id) => Some(id),
        None => name.trim().parse::<Uuid>().ok(),
    };
    let row = match id {
        Some(id) => tx.update_group_row(id)?,
        None => None,
    };
    row.ok_or_else(|| AdminError::missing("update group", format!("{name:?}"), "weir groups list"))
}

/// The deployments of a group that lie within the scope of a tree.
pub(super) fn deployments(tx: &ReadTx<'_>, tree: &Tree, group: Uuid) -> Result<Vec<i32>, StoreError> {
    let mut deployments = Vec::new();
    for id in tx.deployments_of_group(group)? {
        if !tree.is_limited() || tx.deployment_show(id)?.is_some_and(|row| tree.sees(row.collection)) {
            deployments.push(id.0);
        }
    }
    Ok(deployments)
}

/// A group, with those of its deployments that lie within the scope of a tree.
pub(super) fn shown(tx: &ReadTx<'_>, tree: &Tree, row: UpdateGroupRow) -> Result<UpdateGroup, StoreError> {
    let deployments = deployments(tx, tree, row.id)?;
    Ok(UpdateGroup {
        deployments,
        id: row.id,
        name: row.name,
        description: row.description,
        members: row.members,
        created_at: row.created_at,
        created_by: row.created_by,
    })
}

/// One group.
pub(crate) async fn show(app: &App, scope: Scope, name: String) -> Result<UpdateGroup, AdminError> {
    app.try_read(move |tx| {
        let row = find(tx, &name)?;
        Ok(shown(tx, &Tree::within(tx, &scope)?, row)?)
    })
    .await
}

/// Members of a group by id, with how computers stand with them.
pub(crate) async fn members(
    app: &App,
    scope: Scope,
    name: String,
    query: ListQuery,
) -> Result<List<UpdateGroupMember>, AdminError> {
    let limit = list::limit(query.limit)?;
    let counted = Counted::within(app, scope).await?;
    app.try_read(move |tx| {
        let row = find(tx, &name)?;
        let page = tx.update_group_members(row.id, query.cursor.as_deref(), limit)?;
        let policy = crate::content::policy(tx)?;
        let mut items = Vec::with_capacity(page.items.len());
        for member in page.items {
            let files = tx.deployment_files(member.update, None, &policy)?;
            let counts = counted.of(member.update);
            items.push(UpdateGroupMember {
                id: member.update.0,
                revision: member.newest.map(|(_, identity)| identity.revision.0),
                title: list::short(&member.title),
                declined: member.declined,
                expired: member.expired,
                stopped: member.stopped,
                bytes: files.iter().filter(|file| file.counts()).map(|file| file.size).sum(),
                needed: tally::needed(&counts),
                installed: counts.installed,
                failed: counts.failed,
            });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// A group to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewGroup {
    /// Its name.
    pub(crate) name: String,
    /// What people should know of it.
    pub(crate) description: String,
    /// Its members.
    pub(crate) updates: Vec<UpdateId>,
}

/// Makes a group. Members are checked as by [`members_change_in`].
pub(crate) fn create_in(tx: &WriteTx<'_>, new: &NewGroup) -> Result<Uuid, AdminError> {
    let name = checked_name(&new.name)?;
    free(tx, name, None)?;
    if tx.update_group_list()?.len() >= MOST_GROUPS {
        return Err(AdminError::Conflict {
            code: "too_many",
            detail: format!("there are {MOST_GROUPS} update groups already"),
            next_step: Some("delete some: weir groups delete NAME".to_owned()),
        });
    }
    check_members(tx, &new.updates)?;
    let id = Uuid::new_v4();
    tx.update_group_put(id, name, &new.updates)?;
    tx.update_group_describe(id, checked_description(&new.description)?)?;
    let after = json!({ "name": name, "description": new.description.trim(), "updates": new.updates });
    tx.audit("group.create", &id.to_string(), None, Some(&after))?;
    Ok(id)
}

/// What became of a change of members.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Changed {
    /// Updates that were added.
    pub(crate) added: u64,
    /// Updates that were removed.
    pub(crate) removed: u64,
}

/// Adds updates to a group and removes others. Where the group is deployed, what is added is deployed, which takes its
/// licence (`accept_eula`), and what is removed is offered no longer. An update in both lists is added.
pub(crate) fn members_change_in(
    tx: &WriteTx<'_>,
    group: Uuid,
    add: &[UpdateId],
    remove: &[UpdateId],
    accept_eula: bool,
) -> Result<Changed, AdminError> {
    let (name, before) =
        tx.update_group_show(group)?.ok_or_else(|| AdminError::missing("update group", group, "weir groups list"))?;
    let before: BTreeSet<UpdateId> = before.into_iter().collect();
    let mut after: BTreeSet<UpdateId> = before.difference(&remove.iter().copied().collect()).copied().collect();
    after.extend(add);
    let added: Vec<UpdateId> = after.difference(&before).copied().collect();
    let removed: Vec<UpdateId> = before.difference(&after).copied().collect();
    check_members(tx, &added)?;
    let deployments = tx.deployments_of_group(group)?;
    let deployed = !deployments.is_empty();
    if deployed {
        deployment::check_size(&name, after.len())?;
        let mut newest = Vec::with_capacity(added.len());
        for update in &added {
            // what its publisher withdrew, or what is declined, gets into no deployment
            newest.push(deployment::deployable(tx, Named { id: *update, revision: None })?.identity);
        }
        let mut installed = false;
        for id in deployments {
            installed |= tx.deployment_show(id)?.is_some_and(|row| deployment::installs(row.action));
        }
        if installed {
            deployment::refuse_metadata_only_members(tx, &name, newest)?;
        }
    } else if after.len() > MOST_MEMBERS {
        return Err(AdminError::Conflict {
            code: "too_many_updates",
            detail: format!("the group {name:?} would have {} updates; it can have {MOST_MEMBERS}", after.len()),
            next_step: Some(format!("a group that is to be deployed has at most {MOST_UPDATES}")),
        });
    }
    let wanted: Vec<UpdateId> = after.into_iter().collect();
    if tx.update_group_put(group, &name, &wanted)? {
        let change = json!({ "name": name, "added": added, "removed": removed });
        tx.audit("group.members", &group.to_string(), None, Some(&change))?;
    }
    if deployed {
        deployment::accept_all(tx, &tx.update_group_licences(group)?, accept_eula)?;
    }
    Ok(Changed { added: added.len() as u64, removed: removed.len() as u64 })
}

/// Refuses what would leave a phased deployment that is not over without its group, or, unless `force`, a rule without the
/// group that it keeps: it makes that anew.
fn refuse_used(tx: &ReadTx<'_>, row: &UpdateGroupRow, force: bool) -> Result<(), AdminError> {
    for phased in tx.phased_list()?.into_iter().filter(|phased| phased.group == row.id) {
        if tx.phased_state(phased.id)?.is_some_and(|stored| !stored.state.is_over()) {
            let name = &phased.plan.name;
            return Err(AdminError::Conflict {
                code: "in_use",
                detail: format!("the phased deployment {name:?} deploys the group {:?} and is not over", row.name),
                next_step: Some(format!("stop it first: weir phased stop {name:?}; --force does not do that")),
            });
        }
    }
    if force {
        return Ok(());
    }
    for rule in tx.rule_list()? {
        let keeps = matches!(rule.rule.group, GroupChoice::Kept { .. });
        if keeps && tx.rule_state(rule.id)?.is_some_and(|state| state.group == Some(row.id)) {
            let name = &rule.rule.name;
            return Err(AdminError::Conflict {
                code: "in_use",
                detail: format!("the rule {name:?} keeps the group {:?}", row.name),
                next_step: Some(format!(
                    "delete the rule first (weir rules delete {name:?}), or delete the group and its deployments with \
                     --force: the rule makes it anew when it runs next"
                )),
            });
        }
    }
    Ok(())
}

/// Deletes a group, with its deployments if `force`; else a deployed group is refused.
pub(crate) fn delete_in(tx: &WriteTx<'_>, row: &UpdateGroupRow, force: bool) -> Result<(), AdminError> {
    refuse_used(tx, row, force)?;
    let deployments = tx.deployments_of_group(row.id)?;
    if !deployments.is_empty() && !force {
        let numbers: Vec<String> = deployments.iter().map(ToString::to_string).collect();
        return Err(AdminError::Conflict {
            code: "deployed",
            detail: format!("the group {:?} is deployed by deployment {}", row.name, numbers.join(", ")),
            next_step: Some(format!(
                "delete these first (weir deployments delete {}), or delete everything with --force",
                numbers.join(" ")
            )),
        });
    }
    for id in deployments {
        if let Some(deployment) = tx.deployment_show(id)? {
            deployment::delete_in(tx, &deployment)?;
        }
    }
    tx.update_group_delete(row.id)?;
    tx.audit("group.delete", &row.id.to_string(), Some(&json!({ "name": row.name, "members": row.members })), None)?;
    Ok(())
}

fn checked_name(name: &str) -> Result<&str, AdminError> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && weir_model::name::is_printable(name);
    if fits && !matches!(name, "." | "..") && name.parse::<Uuid>().is_err() {
        return Ok(name);
    }
    Err(AdminError::Invalid {
        code: "name",
        detail: format!("{name:?} cannot name an update group"),
        next_step: Some(format!("give 1 to {LONGEST_NAME} characters that can be printed, no GUID, and not . or ..")),
    })
}

fn checked_description(text: &str) -> Result<&str, AdminError> {
    let text = text.trim();
    if text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    Err(AdminError::Invalid {
        code: "description",
        detail: format!("the description has more than {LONGEST_TEXT} characters, or some that cannot be printed"),
        next_step: Some("shorten it".to_owned()),
    })
}

fn free(tx: &ReadTx<'_>, name: &str, own: Option<Uuid>) -> Result<(), AdminError> {
    match tx.update_group_find(name)?.filter(|id| Some(*id) != own) {
        None => Ok(()),
        Some(_) => Err(AdminError::Conflict {
            code: "exists",
            detail: format!("an update group named {name:?} exists already"),
            next_step: Some("change that one: weir groups change NAME, weir groups add NAME".to_owned()),
        }),
    }
}

/// Refuses what cannot be in a group, naming it.
fn check_members(tx: &ReadTx<'_>, updates: &[UpdateId]) -> Result<(), AdminError> {
    let refuse = |detail: String, next: &str| {
        Err(AdminError::Conflict { code: "not_for_groups", detail, next_step: Some(next.to_owned()) })
    };
    for update in updates {
        let newest = tx.revision_list_of(*update)?.into_iter().max_by_key(|row| row.identity.revision);
        let Some(row) = newest else {
            return Err(AdminError::missing("update", update, "weir updates list"));
        };
        let named = format!("{update} ({})", list::short(row.title.trim()));
        if !matches!(row.update_type, UpdateType::Software | UpdateType::Driver) {
            return refuse(
                format!("{named} is a {}", kind_word(row.update_type)),
                "add software or drivers: weir updates list --filter \"type = software\"",
            );
        }
        if !row.explicitly_deployable {
            return refuse(format!("{named} is a part of other updates"), "add the bundle that has it");
        }
        if tx.revision_categories(row.id)?.contains(&UPGRADES) {
            return refuse(
                format!("{named} is a feature update, which no group can have"),
                "deploy it by itself: weir deployments create --update ID",
            );
        }
    }
    Ok(())
}

/// What can be deployed in a group: no categories, parts of others, feature updates, nor what is declined or expired.
fn fits(entry: &Entry, state: &State) -> bool {
    entry.explicitly_deployable
        && !state.flags.declined
        && !entry.expired
        && matches!(entry.update_type, UpdateType::Software | UpdateType::Driver)
        && !entry.categories.contains(&UPGRADES)
}

/// The updates that a request names, with those that its filter leaves. `adding` leaves out what could not be added.
pub(crate) async fn meant(app: &App, change: &MembersChange, adding: bool) -> Result<Vec<UpdateId>, AdminError> {
    if change.updates.len() > MOST_NAMED {
        return Err(AdminError::invalid("updates", format!("name at most {MOST_NAMED} updates at once")));
    }
    let mut updates: BTreeSet<UpdateId> = change.updates.iter().copied().map(UpdateId).collect();
    let saved = match (&change.filter, &change.saved) {
        (Some(_), Some(_)) => {
            return Err(AdminError::invalid("saved", "give either a filter or a saved search"));
        }
        (_, None) => None,
        (None, Some(name)) => Some(saved_filter(app, name.clone()).await?),
    };
    if let Some(filter) = change.filter.as_deref().or(saved.as_deref()) {
        let filter = update_list::expression(filter)?;
        updates.extend(update_list::matching(app, &filter, move |entry, state| !adding || fits(entry, state)).await?);
    }
    Ok(updates.into_iter().collect())
}

/// The filter of a saved search that consists of a filter.
async fn saved_filter(app: &App, name: String) -> Result<String, AdminError> {
    let saved = app.try_read(move |tx| search::find(tx, &name)).await?.search;
    match (saved.filter, saved.text) {
        (Some(filter), None) => Ok(filter),
        _ => Err(AdminError::Invalid {
            code: "saved",
            detail: format!("the saved search {:?} looks for words; only filters can fill a group", saved.name),
            next_step: Some(format!("give its filter, if it has one: weir searches show {:?}", saved.name)),
        }),
    }
}

/// Makes a group.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    new: UpdateGroupCreate,
) -> Result<UpdateGroupCreated, AdminError> {
    let updates = meant(app, &new.members, true).await?;
    let group = NewGroup { name: new.name, description: new.description.unwrap_or_default(), updates };
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Update groups")?;
        let id = create_in(tx, &group)?;
        let name = group.name.trim().to_owned();
        Ok(UpdateGroupCreated { id, name, members: group.updates.len() as u64 })
    })
    .await
}

/// Changes name or description of a group.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: UpdateGroupChange,
) -> Result<UpdateGroup, AdminError> {
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Update groups")?;
        let row = find(tx, &name)?;
        let new_name = change.name.as_deref().map(checked_name).transpose()?.unwrap_or(&row.name);
        let description = change.description.as_deref().map(checked_description).transpose()?;
        let description = description.unwrap_or(&row.description);
        free(tx, new_name, Some(row.id))?;
        let members = tx.update_group_show(row.id)?.map(|(_, members)| members).unwrap_or_default();
        let renamed = tx.update_group_put(row.id, new_name, &members)?;
        if tx.update_group_describe(row.id, description)? || renamed {
            let before = json!({ "name": row.name, "description": row.description });
            let after = json!({ "name": new_name, "description": description });
            tx.audit("group.change", &row.id.to_string(), Some(&before), Some(&after))?;
        }
        let row = find(tx, &row.id.to_string())?;
        Ok(shown(tx, &Tree::within(tx, &scope)?, row)?)
    })
    .await
}

/// Deletes a group.
pub(crate) async fn delete(
    app: &App,
    caller: &Caller,
    name: String,
    query: GroupDeleteQuery,
) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Update groups")?;
        let row = find(tx, &name)?;
        delete_in(tx, &row, query.force)
    })
    .await?;
    app.publish().await
}

/// Adds updates to a group, or removes them.
pub(crate) async fn members_change(
    app: &App,
    caller: &Caller,
    name: String,
    change: MembersChange,
    add: bool,
) -> Result<GroupMembersChanged, AdminError> {
    if change.updates.is_empty() && change.filter.is_none() && change.saved.is_none() {
        return Err(AdminError::Invalid {
            code: "updates",
            detail: "no update is named".to_owned(),
            next_step: Some("give ids of updates, --filter EXPR or --saved NAME".to_owned()),
        });
    }
    let updates = meant(app, &change, add).await?;
    let done = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Update groups")?;
            let row = find(tx, &name)?;
            let (added, removed): (&[UpdateId], &[UpdateId]) = if add { (&updates, &[]) } else { (&[], &updates) };
            let before = tx.update_group_show(row.id)?.map(|(_, members)| members).unwrap_or_default();
            let done = members_change_in(tx, row.id, added, removed, change.accept_eula)?;
            let changed = done.added + done.removed;
            let unchanged = if add {
                (updates.len() as u64).saturating_sub(changed)
            } else {
                // a filter finds updates of which nobody said that they are in the group
                let named: BTreeSet<UpdateId> = change.updates.iter().copied().map(UpdateId).collect();
                named.iter().filter(|update| !before.contains(update)).count() as u64
            };
            let row = find(tx, &row.id.to_string())?;
            Ok(GroupMembersChanged { changed, unchanged, members: row.members, deployments: row.deployments })
        })
        .await?;
    if done.deployments > 0 && done.changed > 0 {
        app.publish().await?;
        app.shared().wanted.notify_one();
    }
    Ok(done)
}
