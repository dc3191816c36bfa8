//! How computers stand with deployments.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use weir_api::{
    List, Reference,
    deployment_compliance::{
        DeploymentCompliance, DeploymentComplianceQuery, DeploymentFigures, DeploymentStanding,
        DeploymentStandingQuery, DeploymentStatus, Enforcement, EnforcementCount, StatusCounts,
    },
};
use weir_model::{
    compliance::{Members, Standing, deployment as standing, percent},
    freshness::Freshness,
    ids::{CollectionId, DeploymentId, UpdateId},
    rights::Scope,
    status::Counts,
};
use weir_store::{
    ReadTx,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, Rows},
};

use super::{
    AdminError, App,
    collection::Tree,
    deployment::{self, api_action},
    enforcement::{Enforced, Zones, parts},
    index::Index,
    list,
    look::{Look, Stands},
    servers::{self, Servers},
    standing::{hresult, told},
    tally::{self, Who},
};
use crate::live::Live;

/// Deployments of a page: each is counted over all members of its collection.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

/// Deployments with how their computers stand, oldest first.
pub(crate) async fn list(
    app: &App,
    scope: Scope,
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
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let around = Around::new(tx, &live, &index, &scope)?;
        let tree = &around.tree;
        let collection = query.collection.as_deref().map(|name| tree.find(name).map(|row| row.id)).transpose()?;
        let filter = DeploymentFilter { update: None, collection, rows: Rows::People };
        let page = deployment::seen_page(tx, tree, &filter, query.cursor.as_deref(), limit)?;
        // the index is let go between deployments: others change it and ask meanwhile
        let items = page.items.iter().map(|row| around.describe(row));
        let items = items.collect::<Result<_, AdminError>>()?;
        Ok(List { items, next: page.next })
    })
    .await
}

/// One deployment with how its computers stand.
pub(crate) async fn show(app: &App, scope: Scope, id: i32) -> Result<DeploymentCompliance, AdminError> {
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let around = Around::new(tx, &live, &index, &scope)?;
        let row = find(tx, &around.tree, id)?;
        around.describe(&row)
    })
    .await
}

/// The computers of a deployment, in the order in which they first came.
pub(crate) async fn computers(
    app: &App,
    scope: Scope,
    id: i32,
    query: DeploymentStandingQuery,
) -> Result<List<DeploymentStanding>, AdminError> {
    let limit = list::limit(query.limit)?;
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let around = Around::new(tx, &live, &index, &scope)?;
        let row = find(tx, &around.tree, id)?;
        let (updates, mut all) = around.each(&row, Timestamp::now())?;
        let published = live.current();
        all.retain(|(_, at)| {
            query.status.is_none_or(|status| status == api_status(at.status()))
                && query.enforcement.is_none_or(|enforcement| enforcement == api_enforcement(*at))
        });
        all.sort_unstable_by_key(|(standing, _)| standing.no);
        let page = list::page(all, |(standing, _)| standing.no.to_string(), query.cursor.as_deref(), limit)?;
        let servers = Servers::read(tx)?;
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
                last_contact: told.facts.last_contact,
                last_report: told.facts.last_report,
            });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

fn find(tx: &ReadTx<'_>, tree: &Tree, id: i32) -> Result<DeploymentRow, AdminError> {
    let row = tx.deployment_show(DeploymentId(id))?.filter(|row| tree.sees(row.collection));
    row.ok_or_else(|| AdminError::missing("deployment", id, "weir deployments list"))
}

/// What answers about deployments need, in one transaction.
pub(super) struct Around<'a> {
    tx: &'a ReadTx<'a>,
    live: &'a Live,
    index: &'a Index,
    tree: Tree,
    zones: Zones,
}

/// Where each computer is.
type Each = Vec<(Standing, standing::Enforcement)>;

/// How the computers of a deployment stand in numbers, and the share of compliant ones.
pub(super) type Figures = (DeploymentFigures, Option<f64>);

impl<'a> Around<'a> {
    /// For a principal: deployments and computers outside of its scope are not there.
    pub(super) fn new(tx: &'a ReadTx<'a>, live: &'a Live, index: &'a Index, scope: &Scope) -> Result<Self, AdminError> {
        Ok(Self { tx, live, index, tree: Tree::within(tx, scope)?, zones: Zones::default() })
    }

    /// The updates of a deployment, and where each member of the collection is.
    fn each(&self, row: &DeploymentRow, now: Timestamp) -> Result<(HashSet<UpdateId>, Each), AdminError> {
        let mut enforced = Enforced::new(self.live, self.index, row.action, &parts(self.tx, row)?, now);
        let who = Who::of(&self.tree, row.collection, None);
        let each = enforced.members(self.tx, &self.zones, &who)?;
        Ok((enforced.updates(), each))
    }

    /// How the computers of deployments of these updates stand, in numbers, and the shares of compliant ones: all in one look at the
    /// index. By the one states of computers they are counted without a look at each; only where these do not tell, each is looked
    /// at.
    pub(super) fn figures(
        &self,
        deployments: &[(&DeploymentRow, HashSet<UpdateId>)],
    ) -> Result<Vec<Figures>, AdminError> {
        let counted = self.stands(deployments)?;
        let figures =
            counted.into_iter().zip(deployments).map(|(stands, (row, updates))| -> Result<Figures, AdminError> {
                let statuses = |states: &Counts| standing::Terms::statuses(row.action, updates.len(), states);
                let Some(counts) = statuses(&stands.all.states) else {
                    let whole = self.describe(row)?;
                    return Ok((figures_of(&whole), whole.percent));
                };
                let computers = stands.all.computers();
                let figures = DeploymentFigures {
                    computers,
                    compliant: counts.compliant,
                    in_progress: counts.in_progress,
                    error: counts.error,
                    unknown: counts.unknown,
                    silent: stands.of_class(Freshness::Silent).computers(),
                    not_reporting: stands.of_class(Freshness::NotReporting).computers(),
                    compliant_current: stands.current(|some| statuses(some).map_or(0, |counts| counts.compliant)),
                };
                let is_asked = stands.all.not_asked < computers;
                Ok((figures, percent(counts.compliant, computers).filter(|_| is_asked)))
            });
        figures.collect()
    }

    fn stands(&self, deployments: &[(&DeploymentRow, HashSet<UpdateId>)]) -> Result<Vec<Stands>, AdminError> {
        let look = Look::new(self.tx, self.live)?;
        let questions: Vec<Option<&HashSet<UpdateId>>> = deployments.iter().map(|(_, updates)| Some(updates)).collect();
        // many go to the same few collections
        let mut members: HashMap<CollectionId, Members> = HashMap::new();
        let stands = look.sheets(&questions).into_iter().zip(deployments).map(|(sheet, (row, _))| {
            let meant = || look.members(&Who::of(&self.tree, row.collection, None));
            look.stands(&sheet, members.entry(row.collection).or_insert_with(meant))
        });
        Ok(stands.collect())
    }

    fn describe(&self, row: &DeploymentRow) -> Result<DeploymentCompliance, AdminError> {
        let now = Timestamp::now();
        let (updates, each) = self.each(row, now)?;
        let others = tally::not_current(self.tx, self.live)?;
        let mut counts: BTreeMap<standing::Enforcement, u64> = BTreeMap::new();
        let mut statuses = StatusCounts::default();
        let [mut silent, mut not_reporting, mut compliant_current, mut asked] = [0_u64; 4];
        let mut sites = BTreeSet::new();
        let mut last_site = None;
        for (standing, at) in &each {
            *counts.entry(*at).or_default() += 1;
            let class = others.get(&standing.no).map_or(Freshness::Current, |verdict| verdict.class);
            silent += u64::from(class == Freshness::Silent);
            not_reporting += u64::from(class == Freshness::NotReporting);
            asked += u64::from(standing.asked);
            // nearly all are of the same one
            if last_site != Some(standing.site) {
                last_site = Some(standing.site);
                sites.insert(standing.site);
            }
            let status = match at.status() {
                standing::DeploymentStatus::Compliant => {
                    compliant_current += u64::from(class == Freshness::Current);
                    &mut statuses.compliant
                }
                standing::DeploymentStatus::InProgress => &mut statuses.in_progress,
                standing::DeploymentStatus::Error => &mut statuses.error,
                standing::DeploymentStatus::Unknown => &mut statuses.unknown,
            };
            *status += 1;
        }
        let computers = each.len() as u64;
        let enforcement = standing::Enforcement::ALL.into_iter().filter_map(|at| {
            let computers = *counts.get(&at)?;
            Some(EnforcementCount { enforcement: api_enforcement(at), status: api_status(at.status()), computers })
        });
        let members = match row.deployed {
            Deployed::Update { .. } => 1,
            Deployed::Group(group) => {
                self.tx.update_group_show(group)?.map_or(updates.len(), |(_, members)| members.len()) as u64
            }
        };
        Ok(DeploymentCompliance {
            id: row.id.0,
            name: row.terms.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| list::short(&row.title)),
            collection: Reference { id: row.collection.0, name: row.collection_name.clone() },
            action: api_action(row.action),
            available: row.available_at,
            deadline: row.deadline_at,
            enabled: row.enabled,
            updates: members,
            computers,
            percent: percent(statuses.compliant, computers).filter(|_| asked > 0),
            statuses,
            enforcement: enforcement.collect(),
            silent,
            not_reporting,
            compliant_current,
            rolled_up: servers::oldest(self.tx, &sites)?,
            as_of: others.as_of,
        })
    }
}

fn figures_of(whole: &DeploymentCompliance) -> DeploymentFigures {
    let StatusCounts { compliant, in_progress, error, unknown } = whole.statuses;
    DeploymentFigures {
        computers: whole.computers,
        compliant,
        in_progress,
        error,
        unknown,
        silent: whole.silent,
        not_reporting: whole.not_reporting,
        compliant_current: whole.compliant_current,
    }
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
        standing::Enforcement::NothingToEnforce => Enforcement::NothingToEnforce,
        standing::Enforcement::PendingRestart => Enforcement::PendingRestart,
        standing::Enforcement::Downloaded => Enforcement::Downloaded,
        standing::Enforcement::PendingInstallation => Enforcement::PendingInstallation,
        standing::Enforcement::WaitingForWindow => Enforcement::WaitingForWindow,
        standing::Enforcement::WaitingForContent => Enforcement::WaitingForContent,
        standing::Enforcement::NotYetAvailable => Enforcement::NotYetAvailable,
        standing::Enforcement::Disabled => Enforcement::Disabled,
        standing::Enforcement::Overdue => Enforcement::Overdue,
        standing::Enforcement::Failed => Enforcement::Failed,
        standing::Enforcement::NotEvaluated => Enforcement::NotEvaluated,
        standing::Enforcement::NeverReported => Enforcement::NeverReported,
        standing::Enforcement::NotAsked => Enforcement::NotAsked,
    }
}
