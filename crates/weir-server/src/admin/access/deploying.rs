//! What is deployed where, and what rules and phased deployments will deploy there without anybody asking again.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, UpdateId},
    targeting::DeploymentAction,
};
use weir_store::{ReadTx, StoreError, deployment::DeploymentFilter, phased::PhasedRow, rule::RuleRow};

use crate::admin::list;

/// Whether a deployment gives something to computers, or takes something from them.
pub(super) fn gives(action: DeploymentAction) -> bool {
    matches!(action, DeploymentAction::Install | DeploymentAction::Optional | DeploymentAction::Uninstall)
}

/// Whether a deployment keeps back what others give: without it these reach its computers.
pub(super) fn keeps_back(action: DeploymentAction) -> bool {
    !gives(action)
}

/// What deploys by itself.
pub(super) struct Deploying {
    rules: Vec<RuleRow>,
    phased: Vec<PhasedRow>,
}

impl Deploying {
    /// Reads it.
    pub(super) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let rules = tx.rule_list()?.into_iter().filter(|row| row.rule.enabled).collect();
        let mut phased = Vec::new();
        for row in tx.phased_list()? {
            if tx.phased_state(row.id)?.is_some_and(|stored| !stored.state.is_over()) {
                phased.push(row);
            }
        }
        Ok(Self { rules, phased })
    }

    /// Whether something is deployed to a collection, or will be.
    pub(super) fn goes_to(&self, tx: &ReadTx<'_>, collection: CollectionId) -> Result<bool, StoreError> {
        let mut ruled = self.rules.iter().flat_map(|row| &row.rule.deployments);
        let mut phased = self.phased.iter().flat_map(|row| &row.plan.phases);
        if ruled.any(|target| target.collection == collection) || phased.any(|phase| phase.collection == collection) {
            return Ok(true);
        }
        let filter = DeploymentFilter { collection: Some(collection), ..DeploymentFilter::default() };
        let mut cursor = None;
        loop {
            let page = tx.deployment_list(&filter, cursor.as_deref(), list::LARGEST)?;
            if page.items.iter().any(|row| row.enabled) {
                return Ok(true);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(false);
            }
        }
    }

    /// Where the updates of a group go, or will go, with such an action.
    pub(super) fn of_group(
        &self,
        tx: &ReadTx<'_>,
        group: Uuid,
        such: fn(DeploymentAction) -> bool,
    ) -> Result<BTreeSet<CollectionId>, StoreError> {
        let mut found = BTreeSet::new();
        for id in tx.deployments_of_group(group)? {
            let row = tx.deployment_show(id)?.filter(|row| row.enabled && such(row.action));
            found.extend(row.map(|row| row.collection));
        }
        let phases = self.phased.iter().filter(|row| row.group == group).flat_map(|row| &row.plan.phases);
        found.extend(phases.filter(|phase| such(phase.action)).map(|phase| phase.collection));
        Ok(found)
    }
}

/// Those of some updates that are deployed with such an action, and where.
pub(super) fn of_updates(
    tx: &ReadTx<'_>,
    updates: &BTreeSet<UpdateId>,
    such: fn(DeploymentAction) -> bool,
) -> Result<BTreeMap<UpdateId, BTreeSet<CollectionId>>, StoreError> {
    let mut found: BTreeMap<UpdateId, BTreeSet<CollectionId>> = BTreeMap::new();
    if updates.is_empty() {
        return Ok(found);
    }
    // of those that are switched on, deployments of groups expanded
    for row in tx.catalogue_targeting()?.deployments {
        if updates.contains(&row.update_id) && such(row.action) {
            found.entry(row.update_id).or_default().insert(row.collection);
        }
    }
    Ok(found)
}
