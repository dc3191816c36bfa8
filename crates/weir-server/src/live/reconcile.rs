//! When a deployment goes out with its action (design, section 6). The decision is pure; reading what it needs and
//! storing what changed are beside it.

use jiff::{SignedDuration, Timestamp};
use weir_model::{ids::DeploymentId, targeting::DeploymentAction};
use weir_store::{ReadTx, StoreError, WriteTx};

use crate::content;

/// No zone is farther ahead of UTC (14 hours today, a little more in the past).
const EARLIEST: SignedDuration = SignedDuration::from_hours(16);

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
    /// The update is stopped: nothing deploys it until it is resumed.
    pub stopped: bool,
}

/// Whether a deployment is active: from its available time on, and once its content is here. Content matters to what
/// installs only: a removal, a detection or a block needs no file.
pub fn decide(due: &Due, now: Timestamp) -> bool {
    let needs_content = matches!(due.action, DeploymentAction::Install | DeploymentAction::Optional);
    due.enabled && !due.stopped && due.available_at <= now && (due.content_here || !needs_content)
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

/// Compares every deployment with what it should be. One that is active stays so if its time lies no further ahead than `skew`: it came
/// by the clock of another front end.
pub(super) fn examine(tx: &ReadTx<'_>, now: Timestamp, skew: SignedDuration) -> Result<Findings, StoreError> {
    let waiting = tx.deployments_waiting(&content::policy(tx)?)?;
    let local = tx.deployments_in_local_time()?;
    let mut findings = Findings::default();
    for row in tx.deployments_due()? {
        // wall-clock times: active where it is earliest, and resolved for each zone from then on
        let ahead = if local.contains(&row.id) { EARLIEST } else { SignedDuration::ZERO };
        let available_at = row.available_at.checked_sub(ahead).unwrap_or(row.available_at);
        if row.enabled && available_at > now {
            findings.next = Some(findings.next.map_or(available_at, |next| next.min(available_at)));
        }
        let due = Due {
            enabled: row.enabled,
            action: row.action,
            available_at: reached(available_at, row.active, skew),
            content_here: !waiting.contains_key(&row.id),
            stopped: row.stopped,
        };
        let active = decide(&due, now);
        if active != row.active && row.enabled {
            findings.activations.push(Activation { deployment: row.id, active });
        }
    }
    Ok(findings)
}

/// From when on a deployment is available by the clock of whoever asks.
fn reached(available_at: Timestamp, is_active: bool, skew: SignedDuration) -> Timestamp {
    if is_active { available_at.checked_sub(skew).unwrap_or(available_at) } else { available_at }
}

/// Stores what [`examine`] found; each change takes a change number of its own.
pub(super) fn store(tx: &WriteTx<'_>, activations: &[Activation]) -> Result<(), StoreError> {
    for activation in activations {
        match tx.deployment_set_active(activation.deployment, activation.active) {
            // deleted since it was examined, here or by another front end
            Ok(_) | Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_clock_began_is_not_taken_back_by_one_that_is_behind() {
        let (at, skew) = (Timestamp::from_second(1_000).expect("time"), SignedDuration::from_secs(60));
        assert_eq!(reached(at, false, skew), at);
        assert_eq!(reached(at, true, SignedDuration::ZERO), at, "a server alone");
        assert_eq!(reached(at, true, skew), at - skew);
    }

    #[test]
    fn a_deployment_waits_for_its_time_and_for_what_it_installs() {
        let now = Timestamp::from_second(1_000).expect("time");
        let ready = Due {
            enabled: true,
            action: DeploymentAction::Install,
            available_at: now,
            content_here: true,
            stopped: false,
        };
        assert!(decide(&ready, now));
        assert!(!decide(&Due { enabled: false, ..ready }, now));
        assert!(!decide(&ready, now - SignedDuration::from_millis(1)));
        for action in [DeploymentAction::Install, DeploymentAction::Optional] {
            assert!(!decide(&Due { action, content_here: false, ..ready }, now), "{action:?}");
        }
        for action in [DeploymentAction::Install, DeploymentAction::Optional, DeploymentAction::Uninstall] {
            assert!(!decide(&Due { action, stopped: true, ..ready }, now), "{action:?}");
        }
        for action in [DeploymentAction::Uninstall, DeploymentAction::Detect, DeploymentAction::Block] {
            assert!(decide(&Due { action, content_here: false, ..ready }, now), "{action:?}");
        }
    }
}
