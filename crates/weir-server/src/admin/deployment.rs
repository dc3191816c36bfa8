//! Deployments: which update goes to which collection, and how that stands.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
};

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List, Reference,
    deployment::{
        Action, ContentProgress, Deployment, DeploymentChange, DeploymentCreate, DeploymentCreated, DeploymentQuery,
        DeploymentState,
    },
};
use weir_model::{
    content::{ContentPolicy, Holding},
    document::{Limits, UpdateDocument},
    ids::{DeploymentId, RevisionNumber, UpdateId, UpdateIdentity},
    targeting::{DeploymentAction, DeploymentOrigin},
    update::UpdateType,
};
use weir_store::{
    ReadTx, StoreError,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, NewDeployment},
    revision::RevisionRow,
};

use super::{AdminError, App, Caller, collection::Tree, content, list, update::Named, when};
use crate::{live::Live, sites};

/// Members of a bundle that are looked at for licences and removal.
const MOST_MEMBERS: usize = 20_000;

/// Tells how deployments stand, at one instant.
pub(crate) struct Describer {
    unresolved: HashSet<UpdateId>,
    policy: ContentPolicy,
    now: Timestamp,
}

impl Describer {
    pub(crate) fn new(tx: &ReadTx<'_>, live: &Live) -> Result<Self, StoreError> {
        let snapshot = &live.current().snapshot;
        let unresolved = snapshot.unresolved().into_iter().filter_map(|(id, _)| snapshot.identity(id));
        let unresolved = unresolved.map(|identity| identity.update_id).collect();
        Ok(Self { unresolved, policy: crate::content::policy(tx)?, now: Timestamp::now() })
    }

    /// A deployment as answers give it.
    pub(crate) fn describe(&self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<Deployment, StoreError> {
        let (update, revision) = match row.deployed {
            Deployed::Update { id, revision } => (id.0, revision),
            Deployed::Group(id) => (id, None),
        };
        let mut content = ContentProgress::default();
        let mut not_sent = None;
        if let Deployed::Update { id, revision } = row.deployed {
            content = progress(tx, id, revision, &self.policy)?;
            let stored = tx.update_show(id)?;
            not_sent = match stored {
                None => Some("the update is not in the catalogue"),
                Some(stored) if stored.declined => Some("the update is declined"),
                Some(stored) if stored.expired => Some("the update is expired"),
                Some(_) if self.unresolved.contains(&id) => Some("the update lacks something"),
                Some(_) => None,
            };
        }
        let (state, state_text) = self.state(row, not_sent, &content);
        Ok(Deployment {
            id: row.id.0,
            update: Reference { id: update, name: list::short(row.title.trim()) },
            revision: revision.map(|revision| revision.0),
            collection: Reference { id: row.collection.0, name: row.collection_name.clone() },
            action: api_action(row.action),
            available: row.available_at,
            deadline: row.deadline_at,
            state,
            state_text,
            content,
            origin: match row.origin {
                DeploymentOrigin::Local => "local",
                DeploymentOrigin::Parent => "parent",
                DeploymentOrigin::Rule => "rule",
            }
            .to_owned(),
            created_at: row.created_at,
        })
    }

    fn state(
        &self,
        row: &DeploymentRow,
        not_sent: Option<&str>,
        content: &ContentProgress,
    ) -> (DeploymentState, String) {
        if let Some(why) = not_sent {
            return (DeploymentState::NotSent, format!("not sent: {why}"));
        }
        if row.active {
            let text = match content.files_elsewhere {
                0 => "active".to_owned(),
                files => format!("active; computers fetch {files} of {} files elsewhere", content.files),
            };
            return (DeploymentState::Active, text);
        }
        if row.available_at > self.now {
            let at = row.available_at;
            return (DeploymentState::WaitingForAvailableTime, format!("waiting for its available time, {at}"));
        }
        if content.files_left_out > 0 && content.files_present == content.files {
            let text = "waiting for content: all its files are of languages that are not kept here, or hold differences only; \
                        weir languages list, weir settings show content.express";
            return (DeploymentState::WaitingForContent, text.to_owned());
        }
        let mut text = format!(
            "waiting for content ({} of {} files, {} of {} bytes here)",
            content.files_present, content.files, content.bytes_present, content.bytes
        );
        if content.without_source > 0 {
            let _ = write!(text, "; {} without a source: weir content add", content.without_source);
        }
        (DeploymentState::WaitingForContent, text)
    }
}

fn progress(
    tx: &ReadTx<'_>,
    id: UpdateId,
    revision: Option<RevisionNumber>,
    policy: &ContentPolicy,
) -> Result<ContentProgress, StoreError> {
    let mut content = ContentProgress::default();
    for file in tx.deployment_files(id, revision, policy)? {
        if !file.counts() {
            content.files_left_out += 1;
            continue;
        }
        content.files += 1;
        content.bytes += file.size;
        match file.holding {
            Holding::Here => {
                content.files_present += 1;
                content.bytes_present += file.size;
            }
            Holding::Elsewhere => content.files_elsewhere += 1,
            _ if !file.source && !policy.upstream_serves => content.without_source += 1,
            _ => {}
        }
    }
    Ok(content)
}

fn api_action(action: DeploymentAction) -> Action {
    match action {
        DeploymentAction::Block => Action::Block,
        DeploymentAction::Detect => Action::Detect,
        DeploymentAction::Install => Action::Install,
        DeploymentAction::Optional => Action::Optional,
        DeploymentAction::Uninstall => Action::Uninstall,
    }
}

fn model_action(action: Action) -> DeploymentAction {
    match action {
        Action::Block => DeploymentAction::Block,
        Action::Detect => DeploymentAction::Detect,
        Action::Install => DeploymentAction::Install,
        Action::Optional => DeploymentAction::Optional,
        Action::Uninstall => DeploymentAction::Uninstall,
    }
}

/// Deployments, oldest first.
pub(crate) async fn list(app: &App, query: DeploymentQuery) -> Result<List<Deployment>, AdminError> {
    let limit = list::limit(query.limit)?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let collection = match &query.collection {
            Some(name) => Some(Tree::read(tx)?.find(name)?.id),
            None => None,
        };
        let filter = DeploymentFilter { update: query.update.map(UpdateId), collection };
        let page = tx.deployment_list(&filter, query.cursor.as_deref(), limit)?;
        let describer = Describer::new(tx, &live)?;
        let items = page.items.iter().map(|row| describer.describe(tx, row)).collect::<Result<_, _>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One deployment.
pub(crate) async fn show(app: &App, id: i32) -> Result<Deployment, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = tx.deployment_show(DeploymentId(id))?.ok_or_else(|| missing(id))?;
        Ok(Describer::new(tx, &live)?.describe(tx, &row)?)
    })
    .await
}

fn missing(id: i32) -> AdminError {
    AdminError::missing("deployment", id, "weir deployments list")
}

/// Deletes a deployment: computers get the update as if it had never been.
pub(crate) async fn delete(app: &App, caller: &Caller, id: i32) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Deployments")?;
        let row = tx.deployment_show(DeploymentId(id))?.ok_or_else(|| missing(id))?;
        tx.deployment_delete(row.id)?;
        let before = json!({ "title": row.title, "collection": row.collection_name, "action": row.action });
        tx.audit("deployment.delete", &id.to_string(), Some(&before), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}

/// A deadline in the past means installation at the next contact, so only one before a stated time is a mistake.
fn check_times(action: Action, available: Option<Timestamp>, deadline: Option<Timestamp>) -> Result<(), AdminError> {
    let Some(deadline) = deadline else { return Ok(()) };
    if !matches!(action, Action::Install | Action::Uninstall) {
        return Err(AdminError::Invalid {
            code: "deadline",
            detail: "only install and uninstall can have a deadline".to_owned(),
            next_step: Some(
                "leave the deadline out (in a change: --deadline none), or use --action install".to_owned(),
            ),
        });
    }
    if available.is_some_and(|available| deadline < available) {
        return Err(AdminError::invalid("deadline", "the deadline lies before the available time"));
    }
    Ok(())
}

/// Changes what a deployment asks for, or when. Computers hear of it with their next scan.
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
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Deployments")?;
        let row = tx.deployment_show(DeploymentId(id))?.ok_or_else(|| missing(id))?;
        let action = change.action.unwrap_or(api_action(row.action));
        let deadline_at = if none { None } else { deadline.or(row.deadline_at) };
        let available_at = available.unwrap_or(row.available_at);
        check_times(action, Some(available_at).filter(|at| available.is_some() || *at > now), deadline_at)?;
        if let Deployed::Update { id, revision } = row.deployed
            && action != api_action(row.action)
        {
            let revision = deployable(tx, Named { id, revision })?;
            accept(tx, &Parts::read(tx, &revision, false)?, &revision, change.accept_eula)?;
        }
        if tx.deployment_change(row.id, model_action(action), available_at, deadline_at)? {
            let before = json!({
                "action": api_action(row.action), "available": row.available_at, "deadline": row.deadline_at,
            });
            let after = json!({ "action": action, "available": available_at, "deadline": deadline_at });
            tx.audit("deployment.change", &id.to_string(), Some(&before), Some(&after))?;
        }
        Ok(())
    })
    .await?;
    app.publish().await?;
    app.shared().wanted.notify_one();
    show(app, id).await
}

/// Makes a deployment. It goes out as soon as its time has come and its content is here.
pub(crate) async fn create(app: &App, caller: &Caller, new: DeploymentCreate) -> Result<DeploymentCreated, AdminError> {
    let now = Timestamp::now();
    let name = Named::parse(&new.update)?;
    let available = new.available.as_deref().map(|text| when::parse("available", text, now)).transpose()?;
    let deadline = new.deadline.as_deref().map(|text| when::parse("deadline", text, now)).transpose()?;
    let available_at = available.unwrap_or(now);
    check_times(new.action, available, deadline)?;
    let (live, files) = (app.state.live.clone(), app.state.content.clone());
    let made = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Deployments")?;
            let tree = Tree::read(tx)?;
            let collection = tree.find(&new.collection)?;
            let revision = deployable(tx, name)?;
            let parts = Parts::read(tx, &revision, new.action == Action::Uninstall)?;
            let preview = content::of_deployment(tx, &files, name.id, name.revision, new.action)?;
            if !new.force {
                content::problem(&preview)?;
            }
            accept(tx, &parts, &revision, new.accept_eula)?;
            let mut warnings = Vec::new();
            warnings.extend(preview.room.problem.map(|problem| format!("it waits for room: {problem}")));
            if new.action == Action::Uninstall && !parts.removable {
                warnings.push(format!(
                    "{} does not say that it can be removed; computers may fail to",
                    revision.title.trim()
                ));
            }
            let current = live.current();
            let unresolved = current.snapshot.unresolved();
            if unresolved.iter().any(|(id, _)| *id == revision.id) {
                warnings.push(format!(
                    "the update lacks something and is not sent until that arrives: weir updates show {}",
                    revision.identity.update_id
                ));
            }
            let id = tx.deployment_create(&NewDeployment {
                guid: uuid::Uuid::new_v4(),
                deployed: Deployed::Update { id: name.id, revision: name.revision },
                collection: collection.id,
                action: model_action(new.action),
                available_at,
                deadline_at: deadline,
                origin: DeploymentOrigin::Local,
                // the publish below decides
                active: false,
            })?;
            let after = json!({
                "update": new.update, "collection": collection.name, "action": new.action,
                "available": available_at, "deadline": deadline,
            });
            tx.audit("deployment.create", &id.to_string(), None, Some(&after))?;
            Ok(DeploymentCreated { id: id.0, warnings })
        })
        .await?;
    app.publish().await?;
    app.shared().wanted.notify_one();
    Ok(made)
}

/// What a new deployment is about, if it may be deployed to a collection that exists.
pub(crate) fn wanted(
    tx: &ReadTx<'_>,
    new: &DeploymentCreate,
) -> Result<(UpdateId, Option<RevisionNumber>), AdminError> {
    let name = Named::parse(&new.update)?;
    Tree::read(tx)?.find(&new.collection)?;
    deployable(tx, Named { id: name.id, revision: name.revision })?;
    Ok((name.id, name.revision))
}

/// The revision that a deployment is about, if it may be deployed.
fn deployable(tx: &ReadTx<'_>, name: Named) -> Result<RevisionRow, AdminError> {
    let rows = tx.revision_list_of(name.id)?;
    let found = match name.revision {
        Some(revision) => rows.into_iter().find(|row| row.identity.revision == revision),
        None => rows.into_iter().max_by_key(|row| row.identity.revision),
    };
    let row = found.ok_or_else(|| name.missing())?;
    let refuse = |code, detail: String, next: String| Err(AdminError::Conflict { code, detail, next_step: Some(next) });
    if !matches!(row.update_type, UpdateType::Software | UpdateType::Driver) {
        return refuse(
            "not_deployable",
            format!("{} is a {}", row.identity, super::index::kind_word(row.update_type)),
            "deploy software or drivers: weir updates list --filter \"type = software\"".to_owned(),
        );
    }
    if !row.explicitly_deployable {
        return refuse(
            "not_deployable",
            format!("{} cannot be deployed by itself: it is a part of others", row.identity),
            format!("deploy a bundle that has it: weir updates show {}", name.id),
        );
    }
    if tx.update_flags(name.id)?.declined.is_some() {
        return refuse(
            "declined",
            format!("{} is declined", row.identity),
            format!("weir updates undecline {}", name.id),
        );
    }
    if row.expired {
        return refuse(
            "expired",
            format!("{} is expired: its publisher withdrew it", row.identity),
            "deploy the update that replaces it".to_owned(),
        );
    }
    Ok(row)
}

/// What the update and, for a bundle, its members say.
struct Parts {
    /// Licences: the update that has one, and its id.
    eulas: Vec<(UpdateId, String)>,
    /// Some part says how to remove it; looked at for a removal only, since it takes reading the documents.
    removable: bool,
}

impl Parts {
    fn read(tx: &ReadTx<'_>, revision: &RevisionRow, removal: bool) -> Result<Self, AdminError> {
        let mut parts = Self { eulas: Vec::new(), removable: false };
        let mut seen = BTreeSet::from([revision.identity]);
        let mut waiting: Vec<UpdateIdentity> = vec![revision.identity];
        while let Some(identity) = waiting.pop() {
            // a member that is not in the catalogue has no licence to accept
            let Some(row) = tx.revision_find(identity)? else { continue };
            if let Some(eula) = &row.eula_id {
                parts.eulas.push((row.identity.update_id, eula.clone()));
            }
            if removal && !parts.removable {
                if let Some(text) = tx.document_text(row.id)? {
                    let document = UpdateDocument::parse(&text, &Limits::default());
                    parts.removable = document.is_ok_and(|document| document.properties.uninstallation.is_some());
                }
            }
            for clause in tx.revision_relationships(row.id)?.bundled {
                for member in clause.alternatives {
                    if seen.len() < MOST_MEMBERS && seen.insert(member) {
                        waiting.push(member);
                    }
                }
            }
        }
        Ok(parts)
    }
}

fn accept(tx: &weir_store::WriteTx<'_>, parts: &Parts, revision: &RevisionRow, accept: bool) -> Result<(), AdminError> {
    for (update, eula) in &parts.eulas {
        if tx.eula_is_accepted(eula)? {
            continue;
        }
        if !accept {
            return Err(AdminError::Conflict {
                code: "eula_not_accepted",
                detail: format!("the licence of {} is not accepted: {}", revision.title.trim(), eula),
                next_step: Some("read the licence, then repeat the command with --accept-eula".to_owned()),
            });
        }
        if tx.update_accept_eula(*update, eula)? {
            tx.audit("eula.accept", &update.to_string(), None, Some(&json!({ "eula": eula })))?;
        }
    }
    Ok(())
}
