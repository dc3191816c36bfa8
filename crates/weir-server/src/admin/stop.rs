//! The emergency stop of an update: from the next scan on no computer is offered it, whatever deploys it.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List,
    list::ListQuery,
    update_stop::{StoppedUpdate, UpdateStop, UpdateStopRequest},
};
use weir_model::{
    deployment::LONGEST_TEXT,
    ids::{CollectionId, UpdateId},
    targeting::{Deployment, DeploymentAction, Tree as Branches, winner},
};
use weir_store::{
    ReadTx,
    computer::THIS_SERVER,
    deployment::{DeploymentFilter, Rows},
    update_stop::UpdateStopRow,
};

use super::{AdminError, App, Caller, index::Index, list, update::Named};
use crate::{live::Live, sites};

/// Rows read at once.
const PAGE: u32 = 1_000;
/// Updates that are stopped at once.
const MOST: usize = 1_000;

/// Stops an update.
pub(crate) async fn put(
    app: &App,
    caller: &Caller,
    name: Named,
    request: UpdateStopRequest,
) -> Result<UpdateStop, AdminError> {
    let id = whole(name)?;
    let reason = request.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > LONGEST_TEXT || reason.chars().any(char::is_control) {
        return Err(AdminError::Invalid {
            code: "reason",
            detail: format!("the reason is empty, longer than {LONGEST_TEXT} characters, or cannot be printed"),
            next_step: Some("say in one line why: --reason \"it breaks printing\"".to_owned()),
        });
    }
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Stops of updates")?;
        let newest = tx.revision_list_of(id)?.into_iter().max_by_key(|row| row.identity.revision);
        let row = newest.ok_or_else(|| name.missing())?;
        if !row.explicitly_deployable {
            return Err(AdminError::Conflict {
                code: "not_deployable",
                detail: format!("{} is not deployed by itself, so stopping it stops nothing", row.identity),
                next_step: Some(format!("stop the updates that have it: weir updates show {id}")),
            });
        }
        if tx.update_stop_list()?.len() >= MOST {
            return Err(AdminError::Conflict {
                code: "too_many",
                detail: format!("{MOST} updates are stopped already"),
                next_step: Some("decline what is not to come back: weir updates decline ID".to_owned()),
            });
        }
        if tx.update_stop_put(id, &reason)? {
            tx.audit("update.stop", &id.to_string(), None, Some(&json!({ "reason": reason })))?;
        }
        Ok(())
    })
    .await?;
    app.publish().await?;
    show(app, name).await
}

/// Takes a stop back.
pub(crate) async fn delete(app: &App, caller: &Caller, name: Named) -> Result<(), AdminError> {
    let id = whole(name)?;
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Stops of updates")?;
        let stop = tx.update_stop_show(id)?.ok_or_else(|| missing(id))?;
        tx.update_stop_remove(id)?;
        tx.audit("update.resume", &id.to_string(), Some(&json!({ "reason": stop.reason })), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}

/// Stopped updates, by id.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<StoppedUpdate>, AdminError> {
    let limit = list::limit(query.limit)?;
    let index = Index::current(app).await?;
    let rows = app.read(|tx| tx.update_stop_list()).await?;
    let rows = rows.into_iter().map(|row| shown(&index, row));
    list::page(rows, |row| row.update.id.to_string(), query.cursor.as_deref(), limit)
}

/// A stop, and who has heard of it.
pub(crate) async fn show(app: &App, name: Named) -> Result<UpdateStop, AdminError> {
    let id = whole(name)?;
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = tx.update_stop_show(id)?.ok_or_else(|| missing(id))?;
        heard(tx, &live, &index, row)
    })
    .await
}

fn whole(name: Named) -> Result<UpdateId, AdminError> {
    if name.revision.is_none() {
        return Ok(name.id);
    }
    Err(AdminError::Invalid {
        code: "revision",
        detail: "an update is stopped as a whole, not one revision of it".to_owned(),
        next_step: Some(format!("name it as {}", name.id)),
    })
}

fn missing(id: UpdateId) -> AdminError {
    AdminError::NotFound {
        kind: "stop of update",
        id: id.to_string(),
        next_step: Some("weir updates stop ID --reason TEXT; what is stopped: weir updates stops".to_owned()),
    }
}

fn shown(index: &Index, row: UpdateStopRow) -> StoppedUpdate {
    StoppedUpdate {
        update: index.reference(row.update),
        reason: row.reason,
        stopped_at: row.stopped_at,
        stopped_by: row.stopped_by,
    }
}

/// Counts the computers that the update would be offered to, per set of collections, and asks the index what each said last.
fn heard(tx: &ReadTx<'_>, live: &Live, index: &Index, row: UpdateStopRow) -> Result<UpdateStop, AdminError> {
    let targeting = tx.catalogue_targeting()?;
    let tree = Branches::new(&targeting.collections);
    // nothing of a stopped update is active; without the stop it would be what has become available
    let now = Timestamp::now();
    let mut of: Vec<Deployment> = targeting.deployments.into_iter().filter(|it| it.update_id == row.update).collect();
    for deployment in &mut of {
        deployment.active = deployment.available <= now;
    }
    let of: Vec<&Deployment> = of.iter().collect();
    let offered = |groups: &[CollectionId]| {
        let won = winner(&tree.branches(groups), &of);
        won.is_some_and(|won| !matches!(won.action, DeploymentAction::Block | DeploymentAction::Detect))
    };
    let filter = DeploymentFilter { update: Some(row.update), rows: Rows::Computers, ..DeploymentFilter::default() };
    let deployments = tx.deployment_list(&filter, None, PAGE)?.items.iter().filter(|it| it.enabled).count() as u64;
    let mut found = UpdateStop {
        deployments,
        computers: 0,
        installed: 0,
        heard: 0,
        not_yet_heard: 0,
        at_risk: 0,
        stop: shown(index, row.clone()),
    };
    let mut hear = |heard: bool, needed: bool| {
        if heard {
            found.heard += 1;
        } else {
            found.not_yet_heard += 1;
            found.at_risk += u64::from(needed);
        }
    };
    let (mut computers, mut installed) = (0, 0);
    // computers of servers below scan in another order of changes; of these the time of the scan says it
    let mut below: BTreeMap<u32, bool> = BTreeMap::new();
    {
        let view = live.compliance(tx)?;
        let members = view.members(None, &offered);
        view.survey(&members, Some(&HashSet::from([row.update])), &mut |computer| {
            computers += 1;
            installed += computer.counts.installed;
            let needed = computer.counts.needed() > 0;
            if computer.site == THIS_SERVER {
                hear(computer.anchor.unwrap_or_default() >= row.began, needed);
            } else {
                below.insert(computer.no, needed);
            }
        });
    }
    let numbers: Vec<u32> = below.keys().copied().collect();
    tx.report_computers_of(&numbers, false, &mut |computer, _| {
        let needed = below.remove(&computer.no).unwrap_or_default();
        hear(computer.last_sync_at.is_some_and(|at| at >= row.stopped_at), needed);
        Ok(())
    })?;
    // the index may know of one that this transaction does not
    for needed in below.into_values() {
        hear(false, needed);
    }
    (found.computers, found.installed) = (computers, installed);
    Ok(found)
}
