//! How computers stand with deployments.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use weir_api::{
    List, Reference,
    deployment_compliance::{
        DeploymentCompliance, DeploymentComplianceQuery, DeploymentStanding, DeploymentStandingQuery, DeploymentStatus,
        Enforcement, EnforcementCount, StatusCounts,
    },
};
use weir_model::{
    compliance::{Standing, deployment as standing},
    ids::{DeploymentId, UpdateId},
    targeting::DeploymentAction,
};
use weir_store::{
    ReadTx,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, Rows},
};

use super::{
    AdminError, App,
    collection::Tree,
    deployment::api_action,
    list,
    standing::{hresult, references, told},
    tally::{self, Who},
};
use crate::live::View;

/// Deployments of a page: each is counted over all members of its collection.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

/// Deployments with how their computers stand, oldest first.
pub(crate) async fn list(
    app: &App,
    query: DeploymentComplianceQuery,
) -> Result<List<DeploymentCompliance>, AdminError> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(AdminError::Invalid {
            code: "limit",
            detail: format!("limit is {limit}; it must be 1 to {LONGEST_PAGE}"),
            next_step: None,
        });
    }
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let collection = query.collection.as_deref().map(|name| tree.find(name).map(|row| row.id)).transpose()?;
        let filter = DeploymentFilter { update: None, collection, rows: Rows::People };
        let page = tx.deployment_list(&filter, query.cursor.as_deref(), limit)?;
        // the index is let go between deployments: others change it and ask meanwhile
        let items = page.items.iter().map(|row| describe(tx, &tree, &live.compliance(tx)?, row));
        let items = items.collect::<Result<_, AdminError>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One deployment with how its computers stand.
pub(crate) async fn show(app: &App, id: i32) -> Result<DeploymentCompliance, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = find(tx, id)?;
        describe(tx, &Tree::read(tx)?, &live.compliance(tx)?, &row)
    })
    .await
}

/// The computers of a deployment, in the order in which they first came.
pub(crate) async fn computers(
    app: &App,
    id: i32,
    query: DeploymentStandingQuery,
) -> Result<List<DeploymentStanding>, AdminError> {
    let limit = list::limit(query.limit)?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = find(tx, id)?;
        let (tree, updates) = (Tree::read(tx)?, updates(tx, &row)?);
        let (published, mut all) = {
            let view = live.compliance(tx)?;
            (view.published().clone(), each(&view, &tree, &row, &updates, Timestamp::now()))
        };
        all.retain(|(_, at)| {
            query.status.is_none_or(|status| status == api_status(at.status()))
                && query.enforcement.is_none_or(|enforcement| enforcement == api_enforcement(*at))
        });
        all.sort_unstable_by_key(|(standing, _)| standing.no);
        let page = list::page(all, |(standing, _)| standing.no.to_string(), query.cursor.as_deref(), limit)?;
        let servers = references(&tx.rollup_servers()?);
        let numbers: HashSet<_> = updates.iter().filter_map(|update| published.status_number(*update)).collect();
        let mut items = Vec::with_capacity(page.items.len());
        for (standing, at) in page.items {
            let Some(told) = told(tx, &servers, &standing)? else { continue };
            let error = match at {
                standing::Enforcement::Failed => {
                    let status = tally::decode(&tx.computer_status(standing.no)?.status);
                    let failed = status.entries().iter().filter(|entry| numbers.contains(&entry.update));
                    failed.filter_map(|entry| Some((entry.changed, entry.error?))).max().map(|(_, error)| error)
                }
                _ => None,
            };
            items.push(DeploymentStanding {
                id: told.id,
                name: told.name,
                server: told.server,
                status: api_status(at.status()),
                enforcement: api_enforcement(at),
                error: error.map(hresult),
                last_contact: told.last_contact,
                last_report: told.last_report,
            });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

fn find(tx: &ReadTx<'_>, id: i32) -> Result<DeploymentRow, AdminError> {
    tx.deployment_show(DeploymentId(id))?.ok_or_else(|| AdminError::missing("deployment", id, "weir deployments list"))
}

/// What a deployment deploys.
pub(crate) fn updates(tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<HashSet<UpdateId>, AdminError> {
    Ok(match row.deployed {
        Deployed::Update { id, .. } => HashSet::from([id]),
        Deployed::Group(group) => {
            let members = tx.update_group_show(group)?.map(|(_, members)| members).unwrap_or_default();
            members.into_iter().collect()
        }
    })
}

/// How each member of the collection stands.
fn each(
    view: &View<'_>,
    tree: &Tree,
    row: &DeploymentRow,
    updates: &HashSet<UpdateId>,
    now: Timestamp,
) -> Vec<(Standing, standing::Enforcement)> {
    let terms = standing::Terms { action: row.action, available: row.available_at, deadline: row.deadline_at };
    let members = Who::of(tree, row.collection, None).members(view);
    if row.action == DeploymentAction::Uninstall {
        // installed is what is left to do: the worst state does not tell
        let counted = view.counts_each(&members, updates);
        return counted.into_iter().map(|(it, counts)| (it, terms.enforcement(it.reported, &counts, now))).collect();
    }
    let standings = view.standings(&members, Some(updates));
    standings.into_iter().map(|it| (it, terms.enforcement_of(it.reported, it.state, now))).collect()
}

fn describe(
    tx: &ReadTx<'_>,
    tree: &Tree,
    view: &View<'_>,
    row: &DeploymentRow,
) -> Result<DeploymentCompliance, AdminError> {
    let (updates, now) = (updates(tx, row)?, Timestamp::now());
    let mut counts: BTreeMap<standing::Enforcement, u64> = BTreeMap::new();
    let mut statuses = StatusCounts::default();
    let mut computers = 0;
    for (_, at) in each(view, tree, row, &updates, now) {
        *counts.entry(at).or_default() += 1;
        computers += 1;
        let status = match at.status() {
            standing::DeploymentStatus::Compliant => &mut statuses.compliant,
            standing::DeploymentStatus::InProgress => &mut statuses.in_progress,
            standing::DeploymentStatus::Error => &mut statuses.error,
            standing::DeploymentStatus::Unknown => &mut statuses.unknown,
        };
        *status += 1;
    }
    let enforcement = standing::Enforcement::ALL.into_iter().filter_map(|at| {
        let computers = *counts.get(&at)?;
        Some(EnforcementCount { enforcement: api_enforcement(at), status: api_status(at.status()), computers })
    });
    Ok(DeploymentCompliance {
        id: row.id.0,
        name: row.terms.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| list::short(&row.title)),
        collection: Reference { id: row.collection.0, name: row.collection_name.clone() },
        action: api_action(row.action),
        available: row.available_at,
        deadline: row.deadline_at,
        enabled: row.enabled,
        updates: updates.len() as u64,
        computers,
        percent: tally::percent(statuses.compliant, computers),
        statuses,
        enforcement: enforcement.collect(),
        as_of: now,
    })
}

fn api_status(status: standing::DeploymentStatus) -> DeploymentStatus {
    match status {
        standing::DeploymentStatus::Compliant => DeploymentStatus::Compliant,
        standing::DeploymentStatus::InProgress => DeploymentStatus::InProgress,
        standing::DeploymentStatus::Error => DeploymentStatus::Error,
        standing::DeploymentStatus::Unknown => DeploymentStatus::Unknown,
    }
}

fn api_enforcement(enforcement: standing::Enforcement) -> Enforcement {
    match enforcement {
        standing::Enforcement::Success => Enforcement::Success,
        standing::Enforcement::NotApplicable => Enforcement::NotApplicable,
        standing::Enforcement::NotYetAvailable => Enforcement::NotYetAvailable,
        standing::Enforcement::Waiting => Enforcement::Waiting,
        standing::Enforcement::Downloaded => Enforcement::Downloaded,
        standing::Enforcement::PendingRestart => Enforcement::PendingRestart,
        standing::Enforcement::Overdue => Enforcement::Overdue,
        standing::Enforcement::Failed => Enforcement::Failed,
        standing::Enforcement::NotEvaluated => Enforcement::NotEvaluated,
        standing::Enforcement::NeverReported => Enforcement::NeverReported,
    }
}
