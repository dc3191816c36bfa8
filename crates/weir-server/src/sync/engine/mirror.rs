//! What the parent of a replica decided (MS-WSUSSS 3.2.4.11, GetDeployments): applied in the transaction that promotes, so
//! that nobody sees new revisions with old decisions.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::json;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, UpdateId, UpdateIdentity},
    targeting::{DeploymentAction, DeploymentOrigin, MAX_DEPTH, places},
};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    criterion::RULE,
    mirror::{MirroredDeployment, MirroredGroup, PARENT},
    staging::ListKind,
};
use weir_wire::wsss::{
    GetDeployments, ServerSyncDeployment, ServerSyncDeploymentResult, ServerSyncTargetGroup, SyncAction,
};

use super::{Outcome, SyncError};
use crate::{
    admin::{AdminError, App, Caller},
    sites,
    sync::{
        peer::Peer,
        progress::{Phase, Progress},
    },
};

/// Groups that a parent may have.
const MOST_GROUPS: usize = 10_000;

/// What the parent answered, to be applied in the transaction that stores the revisions it speaks of.
pub(super) struct Decisions {
    answer: ServerSyncDeploymentResult,
    whole: Whole,
}

/// Asks the parent for its decisions, as of the lists that are about to be promoted; none if no list has an anchor.
pub(super) async fn ask(app: &App, peer: &Peer, progress: &Progress) -> Result<Option<Decisions>, SyncError> {
    progress.begin(Phase::Deployments, 0);
    if peer.upstream().enrolled {
        // deployments come over the site link: with the revisions that are about to be stored, not some time later
        sites::catch_up(app).await;
    }
    let (source, lists) = app.read(|tx| Ok((tx.sync_source()?, tx.sync_lists()?))).await?;
    let Some(source) = source else { return Ok(None) };
    let under_way = |kind| lists.iter().find(|list| list.kind == kind).map(|list| list.anchor.clone());
    let updates = under_way(ListKind::Updates).or(source.update_anchor);
    let Some(sync_anchor) = updates.or_else(|| under_way(ListKind::Categories)).or(source.category_anchor) else {
        return Ok(None);
    };
    let whole = Whole {
        list: source.deployment_anchor.is_none(),
        // the site link brings deployments that this list lacks, such as those of update groups
        truth: !peer.upstream().enrolled,
    };
    let request = GetDeployments {
        cookie: None,
        deployment_anchor: source.deployment_anchor.into(),
        sync_anchor: Some(sync_anchor).into(),
    };
    let answer = peer.call(request).await?.result;
    if answer.groups.0.len() > MOST_GROUPS {
        return Err(SyncError::TooManyDropped {
            count: answer.groups.0.len() as u64,
            last: format!("a parent may have {MOST_GROUPS} target groups"),
        });
    }
    progress.expect(answer.deployments.0.len() as u64);
    progress.advance(answer.deployments.0.len() as u64);
    Ok(Some(Decisions { answer, whole }))
}

/// The revisions that deployments wait for.
pub(super) fn lacking(tx: &ReadTx<'_>) -> Result<Vec<UpdateIdentity>, StoreError> {
    let mut lacking = BTreeSet::new();
    for (guid, body) in tx.held_list()? {
        let Some(deployment) = from_json(guid, &body) else { continue };
        let revision = revision(&deployment);
        if tx.revision_find(revision)?.is_none() {
            lacking.insert(revision);
        }
    }
    Ok(lacking.into_iter().collect())
}

/// Looks again at what was held back, since more is here now, and tells what goes on waiting.
pub(super) async fn held(app: &App, caller: &Caller, outcome: &mut Outcome) -> Result<(), SyncError> {
    let read = |tx: &ReadTx<'_>| Ok(tx.held_list()?.len() as u64);
    if app.read(read).await? == 0 {
        return Ok(());
    }
    let apply = |tx: &WriteTx<'_>| {
        let held: Vec<_> = tx.held_list()?.iter().filter_map(|(guid, body)| from_json(*guid, body)).collect();
        let mut counted = Outcome::default();
        put(tx, &held, &mut counted)?;
        if counted.deployments > 0 {
            let counts = json!({ "deployments": counted.deployments, "held": counted.held });
            tx.audit("sync", "deployments", None, Some(&counts))?;
        }
        counted.waiting = lacking(tx)?;
        Ok(counted)
    };
    let counted = app.write(caller, apply).await?;
    outcome.deployments += counted.deployments;
    (outcome.held, outcome.waiting) = (counted.held, counted.waiting);
    Ok(())
}

/// Stores what can be stored, and holds the rest back.
fn put(tx: &WriteTx<'_>, deployments: &[MirroredDeployment], counted: &mut Outcome) -> Result<(), StoreError> {
    let linked = tx.sites_parent_deployments()?;
    for deployment in deployments {
        if is_ready(tx, deployment)? {
            tx.held_remove(deployment.guid)?;
            // the site link brought it with its name and settings, or the group that it follows from
            counted.deployments += u64::from(!linked && tx.deployment_mirror(deployment)?);
        } else {
            tx.held_put(deployment.guid, &to_json(deployment))?;
            counted.held += 1;
        }
    }
    Ok(())
}

/// What a list of deployments says by what it lacks.
#[derive(Clone, Copy)]
struct Whole {
    /// It is the first one: all that the parent has.
    list: bool,
    /// The parent has nothing else.
    truth: bool,
}

/// Applies them. The revisions that came with them are stored already.
pub(super) fn apply(tx: &WriteTx<'_>, decisions: Decisions) -> Result<Outcome, AdminError> {
    let Decisions { answer, whole } = decisions;
    let mut counted = Outcome::default();
    groups(tx, answer.groups.0, &mut counted)?;
    let linked = tx.sites_parent_deployments()?;
    for guid in answer.dead_deployments.0 {
        tx.held_remove(guid)?;
        counted.retired += u64::from(!linked && retire(tx, guid)?);
    }
    let listed: HashSet<Uuid> = answer.deployments.0.iter().map(|deployment| deployment.deployment_guid).collect();
    // what was held back is looked at again, unless the parent says something newer of it
    let mut held = Vec::new();
    for (guid, body) in tx.held_list()? {
        if listed.contains(&guid) || whole.list {
            tx.held_remove(guid)?;
        } else {
            held.extend(from_json(guid, &body));
        }
    }
    for deployment in answer.deployments.0 {
        match mirrored(&deployment) {
            Some(deployment) => held.push(deployment),
            None => counted.notes.push(format!(
                "the deployment {} of {} has the action {}, which is none of this protocol; it is left out",
                deployment.deployment_guid, deployment.update_id, deployment.action
            )),
        }
    }
    put(tx, &held, &mut counted)?;
    if whole.list && whole.truth {
        // what the parent had before and does not name is gone
        for (id, guid) in tx.deployments_of_origin(DeploymentOrigin::Parent)? {
            if !listed.contains(&guid) {
                tx.deployment_delete(id)?;
                counted.retired += 1;
            }
        }
    }
    own_deployments(tx, &mut counted)?;
    hidden(tx, answer.hidden_updates.0.into_iter().collect(), &mut counted)?;
    for eula in answer.accepted_eulas.0 {
        tx.eula_accept_everywhere(&eula.as_hyphenated().to_string())?;
    }
    let anchor = answer.anchor.into_text();
    tx.sync_deployment_anchor_set(anchor.as_deref())?;
    let changes = counted.deployments + counted.retired + counted.declined + counted.undeclined;
    if changes > 0 {
        let counts = json!({
            "deployments": counted.deployments, "retired": counted.retired, "held": counted.held,
            "declined": counted.declined, "undeclined": counted.undeclined,
        });
        tx.audit("sync", "deployments", None, Some(&counts))?;
    }
    Ok(counted)
}

fn groups(tx: &WriteTx<'_>, groups: Vec<ServerSyncTargetGroup>, counted: &mut Outcome) -> Result<(), AdminError> {
    let (groups, raised) = arranged(groups);
    let done = tx.groups_mirror(&groups)?;
    if raised > 0 {
        counted.notes.push(format!(
            "{raised} groups of the parent are nested deeper than {MAX_DEPTH} levels, and were put at level {MAX_DEPTH} here"
        ));
    }
    for name in done.adopted {
        counted.notes.push(format!("the collection {name:?} made here became the parent's group of that name"));
    }
    for (name, now) in done.renamed {
        counted
            .notes
            .push(format!("the collection {name:?} is called {now:?} now: the parent has a group of that name"));
    }
    if done.removed > 0 {
        counted.notes.push(format!("{} groups that the parent has no longer were removed", done.removed));
    }
    Ok(())
}

/// The groups with names that are valid here and parents that make a tree, and how many were too deep.
fn arranged(groups: Vec<ServerSyncTargetGroup>) -> (Vec<MirroredGroup>, usize) {
    let mut parents: BTreeMap<CollectionId, CollectionId> = BTreeMap::new();
    for group in &groups {
        parents.entry(group.target_group_id).or_insert(group.parent_group_id);
    }
    let places = places(&parents);
    let raised = places.values().filter(|place| place.raised).count();
    let mut names = BTreeSet::new();
    let mut arranged = Vec::with_capacity(groups.len());
    let mut seen = BTreeSet::new();
    for group in groups {
        let id = group.target_group_id;
        if !seen.insert(id) {
            continue;
        }
        let name: String =
            group.name.unwrap_or_default().trim().chars().filter(|c| !c.is_control()).take(200).collect();
        let mut name = if name.is_empty() { id.to_string() } else { name };
        if !names.insert(name.to_lowercase()) {
            // names are unique without regard to case here, which they need not be there
            name = format!("{name} ({id})");
            names.insert(name.to_lowercase());
        }
        let parent = places.get(&id).map_or(CollectionId::ALL_COMPUTERS, |place| place.parent);
        arranged.push(MirroredGroup { id, name, parent });
    }
    (arranged, raised)
}

fn mirrored(deployment: &ServerSyncDeployment) -> Option<MirroredDeployment> {
    let action = match (SyncAction::of(deployment.action)?, deployment.is_assigned) {
        (SyncAction::Block, _) => DeploymentAction::Block,
        (SyncAction::Install, true) => DeploymentAction::Install,
        (SyncAction::Install, false) => DeploymentAction::Optional,
        (SyncAction::Scan, _) => DeploymentAction::Detect,
        (SyncAction::Uninstall, _) => DeploymentAction::Uninstall,
    };
    Some(MirroredDeployment {
        guid: deployment.deployment_guid,
        update: deployment.update_id,
        revision: deployment.revision_number,
        collection: deployment.target_group_id,
        action,
        available_at: deployment.go_live_time,
        deadline_at: deployment.deadline.0,
    })
}

fn revision(deployment: &MirroredDeployment) -> UpdateIdentity {
    UpdateIdentity { update_id: deployment.update, revision: deployment.revision }
}

/// Revision and group are here.
fn is_ready(tx: &WriteTx<'_>, deployment: &MirroredDeployment) -> Result<bool, StoreError> {
    Ok(tx.revision_find(revision(deployment))?.is_some() && tx.collection_show(deployment.collection)?.is_some())
}

fn retire(tx: &WriteTx<'_>, guid: Uuid) -> Result<bool, StoreError> {
    let Some(id) = tx.deployment_by_guid(guid)? else { return Ok(false) };
    tx.deployment_delete(id)?;
    Ok(true)
}

/// A replica has the deployments of its parent and no others, and nobody could change its own any more.
fn own_deployments(tx: &WriteTx<'_>, counted: &mut Outcome) -> Result<(), AdminError> {
    let mut removed = 0_u64;
    for id in tx.deployments_made_here()? {
        let before = tx.deployment_show(id)?;
        tx.deployment_delete(id)?;
        let before = before.map(|row| json!({ "title": row.title, "collection": row.collection_name }));
        tx.audit("deployment.delete", &id.to_string(), before.as_ref(), None)?;
        removed += 1;
    }
    if removed > 0 {
        counted.retired += removed;
        counted.notes.push(format!("{removed} deployments made here were removed: a replica has those of its parent"));
    }
    Ok(())
}

/// The list is whole: what the parent declined is declined, and nothing else is, whoever declined it here when this was no
/// replica (server-server.md, section 10).
fn hidden(tx: &WriteTx<'_>, hidden: BTreeSet<UpdateId>, counted: &mut Outcome) -> Result<(), AdminError> {
    let mut made_here = 0_u64;
    for (update, by) in tx.declined_list()? {
        if hidden.contains(&update) || !tx.update_undecline(update)? {
            continue;
        }
        counted.undeclined += 1;
        made_here += u64::from(by != PARENT);
        // what a rule declined is counted alone: it may be thousands
        if by != PARENT && !by.starts_with(RULE) {
            tx.audit("update.undecline", &update.to_string(), Some(&json!({ "declined_by": by })), None)?;
        }
    }
    if made_here > 0 {
        counted
            .notes
            .push(format!("{made_here} declines made here were taken back: a replica has those of its parent"));
    }
    for update in hidden {
        counted.declined += u64::from(tx.update_decline_as_parent(update)?);
    }
    Ok(())
}

fn to_json(deployment: &MirroredDeployment) -> serde_json::Value {
    json!({
        "update": deployment.update, "revision": deployment.revision, "collection": deployment.collection,
        "action": deployment.action, "available_at": deployment.available_at, "deadline_at": deployment.deadline_at,
    })
}

fn from_json(guid: Uuid, body: &serde_json::Value) -> Option<MirroredDeployment> {
    fn field<T: serde::de::DeserializeOwned>(body: &serde_json::Value, name: &str) -> Option<T> {
        serde_json::from_value(body.get(name)?.clone()).ok()
    }
    Some(MirroredDeployment {
        guid,
        update: field(body, "update")?,
        revision: field(body, "revision")?,
        collection: field(body, "collection")?,
        action: field(body, "action")?,
        available_at: field(body, "available_at")?,
        deadline_at: field(body, "deadline_at")?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use weir_model::ids::RevisionNumber;

    use super::*;

    fn group(id: u128, parent: u128, name: &str) -> ServerSyncTargetGroup {
        ServerSyncTargetGroup {
            target_group_id: CollectionId(Uuid::from_u128(id)),
            parent_group_id: CollectionId(Uuid::from_u128(parent)),
            name: Some(name.to_owned()),
            is_builtin: false,
        }
    }

    #[test]
    fn groups_become_a_tree_with_names_of_their_own() {
        let root = CollectionId::ALL_COMPUTERS;
        let groups = vec![
            group(root.0.as_u128(), 0, "All Computers"),
            group(1, root.0.as_u128(), "Pilot"),
            group(2, 1, "pilot"),
            group(3, 4, "ring a"),
            group(4, 3, "ring b"),
            group(5, 99, ""),
            group(1, 0, "again"),
        ];
        let (arranged, raised) = arranged(groups);
        let parent = |id: u128| {
            let found = arranged.iter().find(|group| group.id.0.as_u128() == id).expect("there");
            found.parent.0.as_u128()
        };
        assert_eq!(arranged.len(), 6);
        assert_eq!((parent(1), parent(2)), (root.0.as_u128(), 1));
        assert_eq!((parent(3), parent(4), parent(5)), (root.0.as_u128(), root.0.as_u128(), root.0.as_u128()));
        let names: BTreeSet<String> = arranged.iter().map(|group| group.name.to_lowercase()).collect();
        assert_eq!((names.len(), raised), (arranged.len(), 0));
    }

    #[test]
    fn groups_that_are_too_deep_are_put_as_deep_as_may_be() {
        let root = CollectionId::ALL_COMPUTERS.0.as_u128();
        let chain = (1..=66).map(|id| group(id, if id == 1 { root } else { id - 1 }, &format!("Level {id}")));
        let (arranged, raised) = arranged(chain.collect());
        let parents: Vec<u128> = arranged.iter().map(|group| group.parent.0.as_u128()).collect();
        assert_eq!((raised, parents.get(62..)), (2, Some(&[62, 63, 63, 63][..])));
    }

    #[test]
    fn a_held_deployment_is_stored_and_read_back() {
        let deployment = MirroredDeployment {
            guid: Uuid::from_u128(7),
            update: UpdateId(Uuid::from_u128(1)),
            revision: RevisionNumber(3),
            collection: CollectionId::ALL_COMPUTERS,
            action: DeploymentAction::Optional,
            available_at: Timestamp::UNIX_EPOCH,
            deadline_at: None,
        };
        assert_eq!(from_json(deployment.guid, &to_json(&deployment)), Some(deployment));
    }
}
