//! When a deployment goes out with its action (design, section 6). The decision is pure; reading what it needs and
//! storing what changed are beside it.

use jiff::Timestamp;
use weir_model::{ids::DeploymentId, targeting::DeploymentAction};
use weir_store::{ReadTx, StoreError, WriteTx, deployment::DeploymentFilter};

use crate::content;

/// Rows per page of deployments read.
const PAGE: u32 = 1_000;

/// What the decision depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Due {
    /// An administrator has not switched it off.
    pub enabled: bool,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available_at: Timestamp,
    /// Every file and licence file of the update that this site keeps, for a bundle of every member in the catalogue, is
    /// here and verified; with content left at Microsoft, its licence files, and computers have an address of the others.
    pub content_here: bool,
}

/// Whether a deployment is active: from its available time on, and once its content is here. Content matters to what
/// installs only: a removal, a detection or a block needs no file.
pub fn decide(due: &Due, now: Timestamp) -> bool {
    let needs_content = matches!(due.action, DeploymentAction::Install | DeploymentAction::Optional);
    due.enabled && due.available_at <= now && (due.content_here || !needs_content)
}

/// A deployment that is not as it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Activation {
    /// Which.
    pub deployment: DeploymentId,
    /// As it should be.
    pub active: bool,
}

/// What [`examine`] found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) activations: Vec<Activation>,
    /// The next available time that lies ahead.
    pub(super) next: Option<Timestamp>,
}

/// Compares every deployment with what it should be.
pub(super) fn examine(tx: &ReadTx<'_>, now: Timestamp) -> Result<Findings, StoreError> {
    let waiting = tx.deployments_waiting(&content::policy(tx)?)?;
    let mut findings = Findings::default();
    let mut cursor = None;
    loop {
        let page = tx.deployment_list(&DeploymentFilter::default(), cursor.as_deref(), PAGE)?;
        for row in &page.items {
            if row.enabled && row.available_at > now {
                findings.next = Some(findings.next.map_or(row.available_at, |next| next.min(row.available_at)));
            }
            let due = Due {
                enabled: row.enabled,
                action: row.action,
                available_at: row.available_at,
                content_here: !waiting.contains_key(&row.id),
            };
            let active = decide(&due, now);
            if active != row.active && row.enabled {
                findings.activations.push(Activation { deployment: row.id, active });
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(findings),
        }
    }
}

/// Stores what [`examine`] found; each change takes a change number of its own.
pub(super) fn store(tx: &WriteTx<'_>, activations: &[Activation]) -> Result<(), StoreError> {
    for activation in activations {
        tx.deployment_set_active(activation.deployment, activation.active)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_waits_for_its_time_and_for_what_it_installs() {
        let now = Timestamp::from_second(1_000).expect("time");
        let ready = Due { enabled: true, action: DeploymentAction::Install, available_at: now, content_here: true };
        assert!(decide(&ready, now));
        assert!(!decide(&Due { enabled: false, ..ready }, now));
        assert!(!decide(&ready, now - jiff::SignedDuration::from_millis(1)));
        for action in [DeploymentAction::Install, DeploymentAction::Optional] {
            assert!(!decide(&Due { action, content_here: false, ..ready }, now), "{action:?}");
        }
        for action in [DeploymentAction::Uninstall, DeploymentAction::Detect, DeploymentAction::Block] {
            assert!(decide(&Due { action, content_here: false, ..ready }, now), "{action:?}");
        }
    }
}
