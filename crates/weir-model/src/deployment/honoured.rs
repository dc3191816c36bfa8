//! Who follows each setting of a deployment.

use serde::{Deserialize, Serialize};

/// Who follows a setting.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Honoured {
    /// The server: it resolves it into what computers are sent, or acts on it itself.
    Server,
    /// Every update agent: MS-WUSP carries it.
    Agent,
    /// Nobody yet: MS-WUSP has no field for it. It is kept, shown, and travels to the sites below.
    Stored,
}

impl Honoured {
    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Agent => "agent",
            Self::Stored => "stored only",
        }
    }
}

/// What is known of a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SettingFacts {
    /// Its name in requests and answers.
    pub name: &'static str,
    /// What it is by default.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Who follows it.
    pub honoured: Honoured,
    /// What that means in practice, or what to do instead.
    pub note: &'static str,
}

const fn row(
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
    honoured: Honoured,
    note: &'static str,
) -> SettingFacts {
    SettingFacts { name, default, meaning, honoured, note }
}

const RESTART: &str = "restarts are the agent's: set the policy with weir policy render";

/// Every setting of a deployment, in the order of the features DEP-1 to DEP-22.
pub const SETTINGS: &[SettingFacts] = &[
    row("name", "Microsoft Software Updates - DATE TIME", "its name", Honoured::Server, "unique"),
    row("description", "", "what people should know of it", Honoured::Server, ""),
    row(
        "action",
        "",
        "install, optional, uninstall, detect or block",
        Honoured::Agent,
        "Deployment/Action and IsAssigned; block goes out as detect",
    ),
    row("available", "as soon as possible", "offered from then on", Honoured::Server, "detect goes out until then"),
    row("deadline", "none", "installed or removed not later than this", Honoured::Agent, "Deployment/Deadline"),
    row("local_time", "false", "the times are each computer's own", Honoured::Server, "resolved with its zone"),
    row("outside_windows", "false", "the deadline counts outside windows, too", Honoured::Server, ""),
    row("hold_until_window", "false", "held back until shortly before a window", Honoured::Server, ""),
    row("restart_outside_windows", "false", "restart outside windows after the deadline", Honoured::Stored, RESTART),
    row("suppress_restart_servers", "false", "servers are not restarted", Honoured::Stored, RESTART),
    row("suppress_restart_workstations", "false", "workstations are not restarted", Honoured::Stored, RESTART),
    row(
        "grace",
        "false",
        "enforcement waits for the grace period",
        Honoured::Stored,
        "give a later deadline instead: agents enforce the deadline that they are sent",
    ),
    row("notifications", "all", "what users see", Honoured::Stored, "set the policy with weir policy render"),
    row("detail", "success_and_error", "which state messages are wanted", Honoured::Stored, "agents report all"),
    row("metered", "false", "metered connections after the deadline", Honoured::Stored, "a policy of Windows"),
    row(
        "fallback",
        "false",
        "files that are not here come from Microsoft Update",
        Honoured::Stored,
        "for a whole site: weir settings set content.mode microsoft",
    ),
    row("pre_download", "false", "optional files come before they are wanted", Honoured::Stored, ""),
    row("wake_on_lan", "false", "sleeping computers are woken at the deadline", Honoured::Stored, ""),
    row("commit_write_filter", "true", "embedded devices write through their filter", Honoured::Stored, ""),
    row("evaluate_after_restart", "false", "scan right after the restart", Honoured::Stored, ""),
    row("alert", "none", "warn of low compliance some time after the deadline", Honoured::Server, "weir alerts"),
];
