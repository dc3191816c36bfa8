//! Scans: the software loop, the driver pass, category scans.

use anyhow::{Context as _, Result, bail};
use weir_model::{
    ids::{RevisionId, UpdateId, UpdateIdentity},
    update::UpdateType,
};
use weir_wire::{
    soap::ClientOnly,
    wusp::{
        Action, CategoryIdentifier, CategoryRelationship, ComputerSpec, Cookie, Deployment, ProductsParameters,
        StartCategoryScan, SyncInfo, SyncUpdateParameters, SyncUpdates, SystemSpec, UpdateInfo,
    },
};

use super::{Cached, ScanOutcome, ScriptedAgent, core};

/// Calls after which an agent gives up a scan (0x80244010).
const TRIPS: usize = 200;

impl Cached {
    pub(super) fn deploy(&mut self, deployment: Deployment) {
        self.action = deployment.action;
        self.deadline = deployment.deadline;
        self.is_assigned = deployment.is_assigned;
        self.hardware_ids = deployment.hardware_ids;
    }
}

impl ScriptedAgent {
    /// A full scan: handshake where needed, the software loop, one driver pass.
    ///
    /// # Errors
    ///
    /// A call failed beyond recovery, an answer is impossible, or the loop did not end within 200 calls.
    pub async fn scan(&mut self) -> Result<ScanOutcome> {
        self.filtered_scan(&[]).await
    }

    /// Asks with StartCategoryScan which categories to filter by, then scans with that filter.
    ///
    /// # Errors
    ///
    /// As [`ScriptedAgent::scan`].
    pub async fn category_scan(&mut self, categories: &[UpdateId]) -> Result<ScanOutcome> {
        let requested = categories.iter().zip(0..);
        let request = StartCategoryScan {
            requested_categories: requested
                .map(|(id, index)| CategoryRelationship { index_of_and_group: index, category_id: *id })
                .collect(),
        };
        let answer = self.call(&request).await?;
        self.filtered_scan(&answer.preferred_category_ids).await
    }

    async fn filtered_scan(&mut self, filter: &[UpdateId]) -> Result<ScanOutcome> {
        let mut outcome = ScanOutcome::default();
        self.recovered.clear();
        self.sizes.clear();
        for cached in self.state.cache.values_mut() {
            cached.hidden = false;
        }
        loop {
            if outcome.calls == TRIPS {
                bail!("0x80244010: the scan did not end within {TRIPS} calls");
            }
            outcome.calls += 1;
            let answer = self.call_with_cookie(|agent, cookie| agent.software_request(cookie, filter)).await?;
            let info = answer.result.context("no SyncUpdatesResult")?;
            let again = info.truncated || info.new_updates.iter().any(|update| !update.is_leaf);
            outcome.driver_sync_not_needed = info.driver_sync_not_needed.as_deref() == Some("true");
            let page = self.apply(info, false, &mut outcome)?;
            outcome.pages.push(page);
            if !again {
                break;
            }
        }
        let answer = self.call_with_cookie(|agent, cookie| agent.driver_request(cookie, filter)).await?;
        let info = answer.result.context("no SyncUpdatesResult")?;
        outcome.driver_sync_not_needed = info.driver_sync_not_needed.as_deref() == Some("true");
        outcome.drivers = self.apply(info, true, &mut outcome)?;
        outcome.offered = self.offered();
        outcome.recovered = std::mem::take(&mut self.recovered);
        outcome.bytes = self.sizes.iter().sum();
        outcome.largest = self.sizes.iter().copied().max().unwrap_or(0);
        Ok(outcome)
    }

    /// What the computer would install, offer or remove now.
    pub fn offered(&self) -> Vec<UpdateIdentity> {
        let wanted = |cached: &&Cached| match cached.action {
            Action::Install | Action::OptionalInstall => {
                !self.is_installed(cached) && !self.computer.not_applicable.contains(&cached.identity.update_id)
            }
            Action::Uninstall => self.is_installed(cached),
            _ => false,
        };
        self.state.cache.values().filter(|cached| !cached.hidden).filter(wanted).map(|cached| cached.identity).collect()
    }

    fn parameters(&self, filter: &[UpdateId]) -> SyncUpdateParameters {
        let mut parameters = SyncUpdateParameters::new();
        parameters.filter_category_ids = filter.iter().map(|id| CategoryIdentifier { id: *id }).collect();
        if !self.speaks(1, 7) {
            parameters.need_two_group_out_of_scope_updates = None;
            parameters.filter_category_ids.clear();
        }
        if let Some(revision) = self.computer.os_revision {
            let build = self.computer.os_build;
            parameters.products_parameters = ClientOnly(Some(ProductsParameters {
                sync_current_version_only: false,
                device_attributes: format!(
                    "App=WU_OS;DL_OSVersion=10.0.1.1;OSVersion=10.0.{build}.{revision};OSSkuId=48"
                ),
                caller_attributes: "Interactive=0;".to_owned(),
                products: String::new(),
            }));
        }
        for (id, cached) in &self.state.cache {
            let list = if cached.update_type == UpdateType::Driver {
                &mut parameters.cached_driver_ids
            } else if self.is_installed(cached)
                && !cached.is_leaf
                && parameters.installed_non_leaf_update_ids.len() < self.computer.installed_limit
            {
                &mut parameters.installed_non_leaf_update_ids
            } else {
                &mut parameters.other_cached_update_ids
            };
            list.push(RevisionId(*id));
        }
        parameters
    }

    fn software_request(&self, cookie: Option<Cookie>, filter: &[UpdateId]) -> SyncUpdates {
        let mut parameters = self.parameters(filter);
        parameters.cached_driver_ids.clear();
        SyncUpdates { cookie, parameters: Some(parameters) }
    }

    fn driver_request(&self, cookie: Option<Cookie>, filter: &[UpdateId]) -> SyncUpdates {
        let mut parameters = self.parameters(filter);
        parameters.other_cached_update_ids.clear();
        parameters.skip_software_sync = true;
        parameters.system_spec = Some(SystemSpec::new(self.computer.devices.clone()));
        parameters.computer_spec = Some(ComputerSpec { hardware_ids: self.computer.hardware_ids.clone() });
        parameters.feature_score_matching_key.clone_from(&self.computer.feature_score_key);
        SyncUpdates { cookie, parameters: Some(parameters) }
    }

    fn speaks(&self, major: u32, minor: u32) -> bool {
        let version = self.computer.protocol_version.split_once('.');
        let number = |text: &str| text.parse::<u32>().unwrap_or(0);
        version.is_some_and(|(a, b)| (number(a), number(b)) >= (major, minor))
    }

    /// Applies an answer in the order of MS-WUSP 3.2.5.7; gives the new revisions.
    fn apply(&mut self, info: SyncInfo, drivers: bool, outcome: &mut ScanOutcome) -> Result<Vec<UpdateIdentity>> {
        for id in info.out_of_scope_revision_ids {
            outcome.out_of_scope.push(id.0);
            self.state.cache.remove(&id.0).with_context(|| format!("out of scope, but never sent here: {id}"))?;
        }
        for id in info.deployed_out_of_scope_revision_ids {
            outcome.deployed_out_of_scope.push(id.0);
            let cached = self.state.cache.get_mut(&id.0);
            cached.with_context(|| format!("outside the filter, but never sent here: {id}"))?.hidden = true;
        }
        for update in info.changed_updates {
            if update.xml.is_some() {
                bail!("ChangedUpdates carries Xml for {}", update.id);
            }
            outcome.changed.push(update.id.0);
            let deployment = deployment(&update)?;
            let cached = self.state.cache.get_mut(&update.id.0);
            let cached = cached.with_context(|| format!("changed, but never sent here: {}", update.id))?;
            cached.is_leaf = update.is_leaf;
            cached.deploy(deployment);
        }
        let mut page = Vec::new();
        for update in info.new_updates {
            let deployment = deployment(&update)?;
            let xml = update.xml.as_deref().with_context(|| format!("NewUpdates without Xml: {}", update.id))?;
            let core = core::core(xml)?;
            if (core.update_type == UpdateType::Driver) != drivers {
                bail!("{} came in the wrong pass", core.identity);
            }
            let mut cached = Cached {
                identity: core.identity,
                update_type: core.update_type,
                is_leaf: update.is_leaf,
                action: deployment.action,
                deadline: None,
                is_assigned: false,
                hardware_ids: Vec::new(),
                deployable: core.deployable,
                bundled: core.bundled,
                hidden: false,
            };
            cached.deploy(deployment);
            page.push(core.identity);
            if self.state.cache.insert(update.id.0, cached).is_some() {
                bail!("{} was sent although it is cached", update.id);
            }
        }
        if let Some(cookie) = info.new_cookie {
            self.state.cookie = Some(cookie);
        }
        Ok(page)
    }
}

/// A native agent refuses an entry without Deployment (0x80070057).
fn deployment(update: &UpdateInfo) -> Result<Deployment> {
    update.deployment.clone().with_context(|| format!("0x80070057: no Deployment for {}", update.id))
}
