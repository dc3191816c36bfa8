//! When what is deployed is installed, and when the computer restarts for it (features 18.1 to 18.3). Pure.

use jiff::{SignedDuration, Timestamp};
use weir_wire::wusp::Action;

use crate::state::Deployed;

/// How a computer treats deployments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// Whether what has no deadline is installed as soon as it is known, as Automatic Updates does at its next scheduled
    /// time. Else it waits for somebody.
    pub without_deadline: bool,
    /// Whether somebody installs before deadlines (features CLI-1). The restart then waits for the deadline.
    pub early: bool,
    /// Whether what is only offered (not assigned, optional) is installed too.
    pub offered: bool,
    /// From the deadline to the restart; 90 minutes by default (features 18.3).
    pub restart_after: SignedDuration,
    /// Whether the agent may restart the computer.
    pub may_restart: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            without_deadline: true,
            early: false,
            offered: false,
            restart_after: SignedDuration::from_mins(90),
            may_restart: true,
        }
    }
}

/// When a deployment is carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// At once.
    Now,
    /// Then.
    At(Timestamp),
    /// When somebody says so.
    Offered,
}

/// When a deployment is carried out. A deadline in the past means at once: a computer that was off at the deadline installs
/// when it is back (features CLI-4).
pub fn due(deployed: &Deployed, now: Timestamp, rules: &Rules) -> Due {
    let assigned = deployed.is_assigned && matches!(deployed.action, Action::Install | Action::Uninstall);
    match (assigned, deployed.deadline) {
        (true, Some(deadline)) if deadline > now && !rules.early => Due::At(deadline),
        (true, Some(_)) => Due::Now,
        (true, None) if rules.without_deadline => Due::Now,
        (false, _) if rules.offered => Due::Now,
        _ => Due::Offered,
    }
}

/// When the computer restarts for an update that was installed now: after the deadline, never before it, and some time later
/// in either case; none if the agent must not restart it, or the update has no deadline and nobody is forced.
pub fn restart_at(deployed: &Deployed, now: Timestamp, rules: &Rules) -> Option<Timestamp> {
    if !rules.may_restart {
        return None;
    }
    let from = deployed.deadline.map_or(now, |deadline| deadline.max(now));
    from.checked_add(rules.restart_after).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed(action: Action, is_assigned: bool, deadline: Option<&str>) -> Deployed {
        let deadline = deadline.map(|text| text.parse().expect("a time"));
        Deployed { id: 1, action, deadline, is_assigned, priority: 2, hardware_ids: Vec::new() }
    }

    #[test]
    fn deployments_are_carried_out_when_due() {
        let now = "2026-05-01T12:00:00Z".parse().expect("a time");
        let (past, future) = (Some("2026-05-01T11:00:00Z"), Some("2026-05-02T11:00:00Z"));
        let at = Due::At("2026-05-02T11:00:00Z".parse().expect("a time"));
        let plain = Rules::default();
        let waits = Rules { without_deadline: false, ..plain };
        let early = Rules { early: true, ..plain };
        let takes = Rules { offered: true, ..plain };
        for (action, assigned, deadline, rules, expected) in [
            (Action::Install, true, None, plain, Due::Now),
            (Action::Install, true, None, waits, Due::Offered),
            (Action::Install, true, past, plain, Due::Now),
            (Action::Install, true, past, waits, Due::Now),
            (Action::Install, true, future, plain, at),
            (Action::Install, true, future, waits, at),
            (Action::Install, true, future, early, Due::Now),
            (Action::Install, false, future, early, Due::Offered),
            (Action::Install, false, past, plain, Due::Offered),
            (Action::Install, false, None, takes, Due::Now),
            (Action::OptionalInstall, true, past, plain, Due::Offered),
            (Action::OptionalInstall, true, None, takes, Due::Now),
            (Action::Uninstall, true, future, plain, at),
            (Action::Uninstall, true, None, plain, Due::Now),
        ] {
            let found = due(&deployed(action, assigned, deadline), now, &rules);
            assert_eq!(found, expected, "{action:?} {assigned} {deadline:?} {rules:?}");
        }
    }

    #[test]
    fn restarts_wait_for_the_deadline() {
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().expect("a time");
        let at = |deadline, rules: Rules| {
            restart_at(&deployed(Action::Install, true, deadline), now, &rules).map(|at| at.to_string())
        };
        let plain = Rules::default();
        assert_eq!(at(None, plain).as_deref(), Some("2026-05-01T13:30:00Z"));
        assert_eq!(at(Some("2026-04-01T00:00:00Z"), plain).as_deref(), Some("2026-05-01T13:30:00Z"));
        assert_eq!(at(Some("2026-05-03T00:00:00Z"), plain).as_deref(), Some("2026-05-03T01:30:00Z"));
        assert_eq!(at(None, Rules { may_restart: false, ..plain }), None);
    }
}
