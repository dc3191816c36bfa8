//! What administrators say of a deployment beyond what, to whom and when: its terms, which of them go together, and who
//! follows each.
//!
//! [`Terms::check`] holds the rules that relate them (features DEP-1 to DEP-22), [`SETTINGS`] says who honours each: an
//! unmodified Windows Update Agent is told what MS-WUSP carries, and what that does not carry is stored and said to be so.

mod honoured;
mod stage;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::targeting::DeploymentAction;

pub use honoured::{Honoured, SETTINGS, SettingFacts};
pub use stage::{Going, LAST_ZONE, Outgoing, Stage};
pub use template::{Template, TemplateNameError, template_name};

/// Updates that a deployed group may have (DEP-26).
pub const MOST_UPDATES: usize = 1_000;
/// Characters of a name or a description (DEP-1, DEP-2).
pub const LONGEST_TEXT: usize = 256;
/// The classification of feature updates, which cannot be members of an update group (SUG-1).
pub const UPGRADES: crate::ids::UpdateId =
    crate::ids::UpdateId(Uuid::from_u128(0x3689_bdc8_b205_4af4_8d4a_a639_24c5_e9d5));
/// The longest offset of an alert after the deadline: a year, in minutes.
pub const LONGEST_ALERT_OFFSET: u32 = 366 * 24 * 60;

/// What users see (DEP-13). No field of MS-WUSP carries it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notifications {
    /// Everything.
    #[default]
    All,
    /// That a restart is needed.
    Restarts,
    /// Nothing. Not for optional deployments: nobody could install them.
    None,
}

/// Which state messages computers send (DEP-8). Agents report as they do; it is kept for agents that read it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailLevel {
    /// All of them.
    All,
    /// Successes and errors.
    #[default]
    SuccessAndError,
    /// Errors: pending restarts are not told, so it is for definitions.
    ErrorOnly,
}

/// When to warn of low compliance (DEP-18).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub struct ComplianceAlert {
    /// Below so many percent of the computers that the deployment is for, 1 to 100.
    pub below_percent: u8,
    /// So many minutes after the deadline, at most [`LONGEST_ALERT_OFFSET`].
    pub minutes_after_deadline: u32,
}

/// What the column `settings` of a deployment holds, as JSON; what is absent is the default. The compliance alert is
/// evaluated by the server; the rest waits for an agent that is told of it ([`SETTINGS`]).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What users see.
    pub notifications: Notifications,
    /// Which state messages are wanted.
    pub detail: DetailLevel,
    /// Restart outside maintenance windows once the deadline has passed (the second switch of DEP-14).
    pub restart_outside_windows: bool,
    /// Servers are not restarted (DEP-15).
    pub suppress_restart_servers: bool,
    /// Workstations are not restarted (DEP-15).
    pub suppress_restart_workstations: bool,
    /// Enforcement waits for the grace period of the client settings (DEP-12).
    pub grace: bool,
    /// Files come over metered connections, too, once the deadline has passed (DEP-22).
    pub metered: bool,
    /// Files that cannot be had here come from Microsoft Update (DEP-21).
    pub fallback: bool,
    /// Files of an optional deployment come before somebody wants them (DEP-6).
    pub pre_download: bool,
    /// Sleeping computers are woken at the deadline (DEP-7).
    pub wake_on_lan: bool,
    /// Embedded devices write through their filter, which takes restarts (DEP-16).
    pub commit_write_filter: bool,
    /// Computers scan again right after the restart (DEP-17).
    pub evaluate_after_restart: bool,
    /// When to warn of low compliance.
    pub alert: Option<ComplianceAlert>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            notifications: Notifications::default(),
            detail: DetailLevel::default(),
            restart_outside_windows: false,
            suppress_restart_servers: false,
            suppress_restart_workstations: false,
            grace: false,
            metered: false,
            fallback: false,
            pre_download: false,
            wake_on_lan: false,
            commit_write_filter: true,
            evaluate_after_restart: false,
            alert: None,
        }
    }
}

/// What is said of a deployment beside what, to whom, what for and when.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Its name, unique without regard to case; none for one that an older version made.
    pub name: Option<String>,
    /// What people should know of it.
    pub description: String,
    /// The rule or phased deployment that made it.
    pub source_id: Option<Uuid>,
    /// Available time and deadline are wall-clock times, each computer's own (DEP-9).
    pub local_time: bool,
    /// The deadline counts outside maintenance windows, too (the first switch of DEP-14).
    pub outside_windows: bool,
    /// It is held back until shortly before a window, for agents that install on a schedule of their own.
    pub hold_until_window: bool,
    /// The rest.
    pub settings: Settings,
}

/// Terms that do not go together.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct TermsError {
    /// The field that is wrong: `name`, `deadline`, `notifications`, ...
    pub field: &'static str,
    /// What is wrong with it.
    pub detail: String,
    /// What to do.
    pub next_step: &'static str,
}

impl TermsError {
    fn new(field: &'static str, detail: impl Into<String>, next_step: &'static str) -> Self {
        Self { field, detail: detail.into(), next_step }
    }
}

/// Whether computers must do it: a required installation or removal.
pub fn is_required(action: DeploymentAction) -> bool {
    matches!(action, DeploymentAction::Install | DeploymentAction::Uninstall)
}

/// The times of a deployment. `available` none: it does not matter, since it is now or in the past.
pub fn check_times(
    action: DeploymentAction,
    available: Option<Timestamp>,
    deadline: Option<Timestamp>,
) -> Result<(), TermsError> {
    let Some(deadline) = deadline else { return Ok(()) };
    if !is_required(action) {
        return Err(TermsError::new(
            "deadline",
            "only install and uninstall can have a deadline",
            "leave the deadline out (in a change: --deadline none), or use --action install",
        ));
    }
    if available.is_some_and(|available| deadline < available) {
        return Err(TermsError::new(
            "deadline",
            "the deadline lies before the available time",
            "give a later deadline, or an earlier available time",
        ));
    }
    Ok(())
}

/// Whether a deployment may go on with another action (DEP-5). A removal stays one: what computers were told to remove
/// is not installed by a change of a word. To take back what was required or offered is always possible, and so is to
/// go from detection or blocking to an offer, as approvals of WSUS do.
pub fn check_change(from: DeploymentAction, to: DeploymentAction) -> Result<(), TermsError> {
    use DeploymentAction::{Block, Detect, Uninstall};
    let fits = from == to || matches!(to, Block | Detect) || (from != Uninstall && to != Uninstall);
    if fits {
        return Ok(());
    }
    Err(TermsError::new(
        "action",
        "a removal stays a removal, and nothing else becomes one",
        "delete the deployment and make another",
    ))
}

impl Terms {
    /// What of these terms, and of the deadline, goes on with an action (DEP-5); the rest is dropped, so that what was required
    /// can be softened at any time.
    pub fn fitting(&self, action: DeploymentAction, deadline: Option<Timestamp>) -> (Self, Option<Timestamp>) {
        let mut terms = self.clone();
        let it = &mut terms.settings;
        if action != DeploymentAction::Optional {
            it.pre_download = false;
        } else if it.notifications == Notifications::None {
            it.notifications = Notifications::default();
        }
        if is_required(action) {
            return (terms, deadline);
        }
        it.restart_outside_windows = false;
        it.suppress_restart_servers = false;
        it.suppress_restart_workstations = false;
        it.grace = false;
        it.metered = false;
        it.wake_on_lan = false;
        it.alert = None;
        terms.outside_windows = false;
        terms.hold_until_window = false;
        (terms, None)
    }

    /// Whether what is said of windows goes together: what need not wait for a window is not held back until one comes.
    /// Asked where people say it; what was kept before stays as it is.
    pub fn check_windows(&self) -> Result<(), TermsError> {
        if self.outside_windows && self.hold_until_window {
            return Err(TermsError::new(
                "hold_until_window",
                "hold_until_window waits for a window, and outside_windows waits for none",
                "give one of them",
            ));
        }
        Ok(())
    }

    /// Whether they go together, and with the action and the deadline.
    pub fn check(&self, action: DeploymentAction, deadline: Option<Timestamp>) -> Result<(), TermsError> {
        if let Some(name) = &self.name {
            text("name", name)?;
            if !crate::name::is_printable(name) {
                let detail = "the name is empty, or shows nothing";
                return Err(TermsError::new("name", detail, "leave it out: a name is made up then"));
            }
        }
        text("description", &self.description)?;
        let it = &self.settings;
        let required_only = [
            ("outside_windows", self.outside_windows),
            ("hold_until_window", self.hold_until_window),
            ("restart_outside_windows", it.restart_outside_windows),
            ("suppress_restart_servers", it.suppress_restart_servers),
            ("suppress_restart_workstations", it.suppress_restart_workstations),
            ("grace", it.grace),
            ("metered", it.metered),
            ("wake_on_lan", it.wake_on_lan),
            ("alert", it.alert.is_some()),
        ];
        let wrong = required_only.into_iter().find(|(_, set)| *set && !is_required(action));
        if let Some((field, _)) = wrong {
            return Err(TermsError::new(
                field,
                format!("{field} is for required deployments: install or uninstall"),
                "leave it out, or use --action install",
            ));
        }
        if it.pre_download && action != DeploymentAction::Optional {
            return Err(TermsError::new(
                "pre_download",
                "pre_download is for optional deployments: a required one is downloaded anyway",
                "leave it out, or use --action optional",
            ));
        }
        if it.notifications == Notifications::None && action == DeploymentAction::Optional {
            return Err(TermsError::new(
                "notifications",
                "an optional deployment cannot hide its notifications: nobody could install it",
                "use all or restarts",
            ));
        }
        let from_deadline = [("grace", it.grace), ("wake_on_lan", it.wake_on_lan), ("alert", it.alert.is_some())];
        if let Some((field, _)) = from_deadline.into_iter().find(|(_, set)| *set && deadline.is_none()) {
            return Err(TermsError::new(
                field,
                format!("{field} counts from the deadline, and there is none"),
                "give a deadline",
            ));
        }
        if let Some(alert) = it.alert {
            if !(1..=100).contains(&alert.below_percent) {
                let detail = format!("{} percent is not 1 to 100", alert.below_percent);
                return Err(TermsError::new("alert", detail, "give 1 to 100 percent"));
            }
            if alert.minutes_after_deadline > LONGEST_ALERT_OFFSET {
                return Err(TermsError::new(
                    "alert",
                    "the alert would come more than a year after the deadline",
                    "give a shorter time",
                ));
            }
        }
        Ok(())
    }
}

fn text(field: &'static str, text: &str) -> Result<(), TermsError> {
    if text.chars().count() > LONGEST_TEXT {
        let detail = format!("the {field} has more than {LONGEST_TEXT} characters");
        return Err(TermsError::new(field, detail, "shorten it"));
    }
    if text.chars().any(char::is_control) {
        let detail = format!("the {field} has characters that cannot be printed");
        return Err(TermsError::new(field, detail, "leave them out"));
    }
    Ok(())
}

/// The name of a deployment that was given none (DEP-1); `taken` says which names are somebody's, in lower case.
pub fn default_name(now: Timestamp, taken: &BTreeSet<String>) -> String {
    let name = format!("Microsoft Software Updates - {}", now.strftime("%Y-%m-%d %H:%M:%S"));
    let numbered = |number: usize| if number < 2 { name.clone() } else { format!("{name} ({number})") };
    // among one more name than there are taken, one is free
    (1..=taken.len() + 1).map(numbered).find(|name| !taken.contains(&name.to_lowercase())).unwrap_or(name.clone())
}
