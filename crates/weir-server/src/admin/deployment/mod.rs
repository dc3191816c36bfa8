//! Deployments: which update or group goes to which collection, and how that stands.
//!
//! [`create::create_in`] makes one inside a transaction of the caller's, for rules and phased deployments; [`create()`] is the
//! request. `listing` lists them, `describe` says how they stand, `simulate` what one would do, `explain` why a computer gets what it
//! gets.

pub(crate) mod create;
mod describe;
mod explain;
mod listing;
mod metadata_only;
mod parts;
mod roster;
mod settings;
mod simulate;
mod templates;

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List,
    deployment::{Action, Deployment, DeploymentChange},
    list::ListQuery,
};
use weir_model::{
    deployment::{check_change, check_times},
    ids::DeploymentId,
    rights::Scope,
    targeting::DeploymentAction,
};
use weir_store::{
    Page, ReadTx, StoreError, WriteTx,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, Rows},
};

use self::parts::{Parts, accept, refuse_accepting};
pub(crate) use self::{
    create::{check_size, create, preview},
    describe::Describer,
    explain::explain,
    listing::list,
    metadata_only::{installs, is_metadata_only, refuse_metadata_only, refuse_metadata_only_members},
    parts::{accept_all, deployable},
    roster::Roster,
    settings::{changed as settings_changed, list as settings_list, shown as settings_shown},
    simulate::simulate,
    templates::{
        delete as template_delete, find as template_find, for_collection as templates_for,
        keep_by_id as templates_by_id, list as template_list, put as template_put, show as template_show,
    },
};
use super::{AdminError, App, Caller, collection::Tree, list as lists, update::Named, when};
use crate::sites;

/// The action in REST.
pub(crate) fn api_action(action: DeploymentAction) -> Action {
    match action {
        DeploymentAction::Block => Action::Block,
        DeploymentAction::Detect => Action::Detect,
        DeploymentAction::Install => Action::Install,
        DeploymentAction::Optional => Action::Optional,
        DeploymentAction::Uninstall => Action::Uninstall,
    }
}

/// And back.
pub(crate) fn model_action(action: Action) -> DeploymentAction {
    match action {
        Action::Block => DeploymentAction::Block,
        Action::Detect => DeploymentAction::Detect,
        Action::Install => DeploymentAction::Install,
        Action::Optional => DeploymentAction::Optional,
        Action::Uninstall => DeploymentAction::Uninstall,
    }
}

/// A page of deployments that lie within the scope of a tree, by number.
pub(crate) fn seen_page(
    tx: &ReadTx<'_>,
    tree: &Tree,
    filter: &DeploymentFilter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<DeploymentRow>, StoreError> {
    if !tree.is_limited() {
        return tx.deployment_list(filter, cursor, limit);
    }
    // one more than the page has tells whether there is more
    let (mut items, mut at): (Vec<DeploymentRow>, _) = (Vec::new(), cursor.map(str::to_owned));
    loop {
        let page = tx.deployment_list(filter, at.as_deref(), lists::LARGEST)?;
        items.extend(page.items.into_iter().filter(|row| tree.sees(row.collection)));
        at = page.next;
        let more = items.len() > limit as usize;
        if more || at.is_none() {
            items.truncate(limit as usize);
            let next = items.last().filter(|_| more).map(|row| row.id.to_string());
            return Ok(Page { items, next });
        }
    }
}

/// One deployment.
pub(crate) async fn show(app: &App, scope: Scope, id: i32) -> Result<Deployment, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = seen(tx, &scope, id)?;
        Ok(Describer::new(tx, &live)?.describe_whole(tx, &row)?)
    })
    .await
}

/// What follows from the deployment of a group, one for each of its updates.
pub(crate) async fn members(
    app: &App,
    scope: Scope,
    id: i32,
    query: ListQuery,
) -> Result<List<Deployment>, AdminError> {
    let limit = lists::limit(query.limit)?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = seen(tx, &scope, id)?;
        let filter = DeploymentFilter { rows: Rows::Members(row.id), ..DeploymentFilter::default() };
        let page = tx.deployment_list(&filter, query.cursor.as_deref(), limit)?;
        let describer = Describer::new(tx, &live)?;
        let items = page.items.iter().map(|row| describer.describe(tx, row)).collect::<Result<_, _>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

fn missing(id: i32) -> AdminError {
    AdminError::missing("deployment", id, "weir deployments list")
}

/// The deployment of that number, if it lies within a scope.
fn seen(tx: &ReadTx<'_>, scope: &Scope, id: i32) -> Result<DeploymentRow, AdminError> {
    let tree = Tree::within(tx, scope)?;
    let row = tx.deployment_show(DeploymentId(id))?.filter(|row| tree.sees(row.collection));
    row.ok_or_else(|| missing(id))
}

/// The same, if people may change it.
pub(super) fn own(tx: &ReadTx<'_>, scope: &Scope, id: i32) -> Result<DeploymentRow, AdminError> {
    let row = seen(tx, scope, id)?;
    match row.expanded_from {
        None => Ok(row),
        Some(group) => Err(AdminError::Conflict {
            code: "expanded",
            detail: format!("deployment {id} follows from deployment {group} of an update group"),
            next_step: Some(format!(
                "change that one (weir deployments change {group}), or take the update out of the group (weir groups remove)"
            )),
        }),
    }
}

/// Deletes a deployment: computers get the update as if it had never been.
pub(crate) async fn delete(app: &App, caller: &Caller, id: i32) -> Result<(), AdminError> {
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Deployments")?;
        let row = own(tx, &scope, id)?;
        delete_in(tx, &row)
    })
    .await?;
    app.publish().await
}

/// Deletes a deployment in a transaction of the caller's.
pub(crate) fn delete_in(tx: &WriteTx<'_>, row: &DeploymentRow) -> Result<(), AdminError> {
    tx.deployment_delete(row.id)?;
    let before = json!({
        "title": row.title, "name": row.terms.name, "collection": row.collection_name, "action": row.action,
    });
    tx.audit("deployment.delete", &row.id.to_string(), Some(&before), None)?;
    Ok(())
}

/// Switches a deployment on or off in a transaction of the caller's. True if that changed something.
pub(crate) fn enable_in(tx: &WriteTx<'_>, row: &DeploymentRow, enabled: bool) -> Result<bool, AdminError> {
    let changed = tx.deployment_set_enabled(row.id, enabled)?;
    if changed {
        let (before, after) = (json!({ "enabled": row.enabled }), json!({ "enabled": enabled }));
        tx.audit("deployment.enable", &row.id.to_string(), Some(&before), Some(&after))?;
    }
    Ok(changed)
}

/// Changes a deployment. Computers hear of it with their next scan.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    id: i32,
    change: DeploymentChange,
) -> Result<Deployment, AdminError> {
    let now = Timestamp::now();
    let time = |field, text: &Option<String>| text.as_deref().map(|text| when::parse(field, text, now)).transpose();
    let available = time("available", &change.available)?;
    let none = change.deadline.as_deref().is_some_and(|text| text.trim().eq_ignore_ascii_case("none"));
    let deadline = if none { None } else { time("deadline", &change.deadline)? };
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Deployments")?;
        let row = own(tx, &scope, id)?;
        let action = change.action.map_or(row.action, model_action);
        check_change(row.action, action)?;
        // what was said for the action before goes on as far as it goes with this one
        let (before, kept) = if action == row.action {
            (row.terms.clone(), row.deadline_at)
        } else {
            row.terms.fitting(action, row.deadline_at)
        };
        let deadline_at = if none { None } else { deadline.or(kept) };
        let available_at = available.unwrap_or(row.available_at);
        check_times(action, Some(available_at).filter(|at| available.is_some() || *at > now), deadline_at)?;
        let mut terms = settings::changed(&before, &change.settings)?;
        if let Some(name) = &change.name {
            terms.name = Some(create::name(tx, Some(name), Some(row.id))?);
        }
        if let Some(description) = &change.description {
            description.trim().clone_into(&mut terms.description);
        }
        terms.check(action, deadline_at)?;
        // to take back is possible whatever became of the update
        if action != row.action && !matches!(action, DeploymentAction::Block | DeploymentAction::Detect) {
            match row.deployed {
                Deployed::Update { id, revision } => {
                    let revision = deployable(tx, Named { id, revision })?;
                    refuse_metadata_only(tx, &revision, action)?;
                    let found = Parts::read(tx, &revision, false)?;
                    if change.accept_eula {
                        refuse_accepting(tx, &scope, found.eulas.iter().map(|(_, eula)| eula))?;
                    }
                    accept(tx, &found, &revision, change.accept_eula)?;
                }
                Deployed::Group(group) => {
                    if installs(action) {
                        let name = tx.update_group_row(group)?.map(|row| row.name).unwrap_or_default();
                        let members = create::members(tx, group)?;
                        let newest = members.iter().filter_map(|member| member.newest.map(|(_, identity)| identity));
                        refuse_metadata_only_members(tx, &name, newest)?;
                    }
                    let licences = tx.update_group_licences(group)?;
                    if change.accept_eula {
                        refuse_accepting(tx, &scope, licences.iter().map(|(_, eula, _)| eula))?;
                    }
                    accept_all(tx, &licences, change.accept_eula)?;
                }
            }
        }
        if tx.deployment_change(row.id, action, available_at, deadline_at)? {
            let before = json!({
                "action": api_action(row.action), "available": row.available_at, "deadline": row.deadline_at,
            });
            let after = json!({ "action": api_action(action), "available": available_at, "deadline": deadline_at });
            tx.audit("deployment.change", &id.to_string(), Some(&before), Some(&after))?;
        }
        if tx.deployment_terms_put(row.id, &terms)? {
            tx.audit("deployment.settings", &id.to_string(), Some(&json!(row.terms)), Some(&json!(terms)))?;
        }
        if let Some(enabled) = change.enabled {
            enable_in(tx, &row, enabled)?;
        }
        Ok(())
    })
    .await?;
    app.publish().await?;
    app.shared().wanted.notify_one();
    show(app, caller.scope().clone(), id).await
}
