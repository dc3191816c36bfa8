//! What deployments are made of, on the command line.

use clap::{Args, ValueEnum};
use uuid::Uuid;
use weir_api::{
    deployment::{Action, DeploymentCreate, DeploymentQuery, DeploymentSettings, DeploymentStage},
    deployment_template::TemplateBody,
};
use weir_model::deployment::{DetailLevel, Notifications};

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ActionArgument {
    /// Required installation.
    Install,
    /// Offered, not installed by itself.
    Optional,
    /// Required removal.
    Uninstall,
    /// Report only.
    Detect,
    /// Not offered, whatever weaker deployments say.
    Block,
}

impl From<ActionArgument> for Action {
    fn from(action: ActionArgument) -> Self {
        match action {
            ActionArgument::Block => Self::Block,
            ActionArgument::Detect => Self::Detect,
            ActionArgument::Install => Self::Install,
            ActionArgument::Optional => Self::Optional,
            ActionArgument::Uninstall => Self::Uninstall,
        }
    }
}

/// What a deployment is doing.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StageArgument {
    /// It goes out, and its deadline lies ahead.
    Active,
    /// It waits for its available time, or for its files.
    Waiting,
    /// It goes out, and its deadline is over.
    Expired,
    /// It is switched off.
    Disabled,
    /// Its update is declined, expired, stopped or unresolved.
    NotSent,
}

/// Which deployments a list has, in which order.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Part of the name, of what is deployed, or of the name of the collection.
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Only those of this update, by itself or in a group.
    #[arg(long, value_name = "ID")]
    update: Option<Uuid>,
    /// Only those of this update group.
    #[arg(long, value_name = "NAME", conflicts_with = "update")]
    group: Option<String>,
    /// Only those to this collection.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// Only those with this action.
    #[arg(long, value_enum)]
    action: Option<ActionArgument>,
    /// Only those that are doing this.
    #[arg(long, value_enum)]
    stage: Option<StageArgument>,
    /// Only those that are switched on (true) or off (false).
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
    /// Only those of this origin: local, parent or rule.
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Only those with a deadline before this.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    deadline_before: Option<String>,
    /// Only those with a deadline at this time or later.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    deadline_after: Option<String>,
    /// Order: action, available, collection, created, deadline, id, name or stage, with :asc or :desc.
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
    /// Say of each how its computers stand.
    #[arg(long)]
    compliance: bool,
}

impl From<ListArguments> for DeploymentQuery {
    fn from(given: ListArguments) -> Self {
        let stage = given.stage.map(|stage| match stage {
            StageArgument::Active => DeploymentStage::Active,
            StageArgument::Waiting => DeploymentStage::Waiting,
            StageArgument::Expired => DeploymentStage::Expired,
            StageArgument::Disabled => DeploymentStage::Disabled,
            StageArgument::NotSent => DeploymentStage::NotSent,
        });
        Self {
            update: given.update,
            group: given.group,
            collection: given.collection,
            action: given.action.map(Into::into),
            enabled: given.enabled,
            stage,
            origin: given.origin,
            text: given.text,
            deadline_before: given.deadline_before,
            deadline_after: given.deadline_after,
            sort: given.sort,
            compliance: given.compliance,
            cursor: None,
            limit: None,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NotificationsArgument {
    /// Everything.
    All,
    /// That a restart is needed.
    Restarts,
    /// Nothing; not for optional deployments.
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DetailArgument {
    /// All state messages.
    All,
    /// Successes and errors.
    SuccessAndError,
    /// Errors only.
    ErrorOnly,
}

/// Settings of a deployment. Switches take `=false`, too.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings (weir deployments settings says who follows each)")]
pub(crate) struct SettingArguments {
    /// Read both times in each computer's zone.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    local_time: Option<bool>,
    /// Let the deadline count outside maintenance windows, too.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    outside_windows: Option<bool>,
    /// Hold it back until shortly before a maintenance window.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    hold_until_window: Option<bool>,
    /// Restart outside maintenance windows after the deadline.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    restart_outside_windows: Option<bool>,
    /// Do not restart servers.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    suppress_restart_servers: Option<bool>,
    /// Do not restart workstations.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    suppress_restart_workstations: Option<bool>,
    /// Wait with enforcement for the grace period.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    grace: Option<bool>,
    /// What users see.
    #[arg(long, value_enum)]
    notifications: Option<NotificationsArgument>,
    /// Which state messages are wanted.
    #[arg(long, value_enum)]
    detail: Option<DetailArgument>,
    /// Fetch over metered connections after the deadline.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    metered: Option<bool>,
    /// Fetch from Microsoft Update what is not here.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    fallback: Option<bool>,
    /// Fetch before somebody wants it; optional deployments only.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pre_download: Option<bool>,
    /// Wake sleeping computers at the deadline.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wake_on_lan: Option<bool>,
    /// Write through the filter of embedded devices (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    commit_write_filter: Option<bool>,
    /// Scan right after the restart.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    evaluate_after_restart: Option<bool>,
    /// Warn if so few percent of the computers comply after the deadline; 0 takes the warning away.
    #[arg(long, value_name = "PERCENT")]
    alert_below: Option<u8>,
    /// The warning comes so many minutes after the deadline.
    #[arg(long, value_name = "MINUTES")]
    alert_after: Option<u32>,
}

impl From<SettingArguments> for DeploymentSettings {
    fn from(given: SettingArguments) -> Self {
        Self {
            local_time: given.local_time,
            outside_windows: given.outside_windows,
            hold_until_window: given.hold_until_window,
            restart_outside_windows: given.restart_outside_windows,
            suppress_restart_servers: given.suppress_restart_servers,
            suppress_restart_workstations: given.suppress_restart_workstations,
            grace: given.grace,
            notifications: given.notifications.map(|it| match it {
                NotificationsArgument::All => Notifications::All,
                NotificationsArgument::Restarts => Notifications::Restarts,
                NotificationsArgument::None => Notifications::None,
            }),
            detail: given.detail.map(|it| match it {
                DetailArgument::All => DetailLevel::All,
                DetailArgument::SuccessAndError => DetailLevel::SuccessAndError,
                DetailArgument::ErrorOnly => DetailLevel::ErrorOnly,
            }),
            metered: given.metered,
            fallback: given.fallback,
            pre_download: given.pre_download,
            wake_on_lan: given.wake_on_lan,
            commit_write_filter: given.commit_write_filter,
            evaluate_after_restart: given.evaluate_after_restart,
            alert_below_percent: given.alert_below,
            alert_minutes_after_deadline: given.alert_after,
        }
    }
}

/// What a deployment is.
#[derive(Args, Clone, Debug)]
pub(crate) struct NewArguments {
    /// GUID of the update; with @REV only that revision, else the newest at any time.
    #[arg(long, value_name = "ID[@REV]", conflicts_with = "group", required_unless_present = "group")]
    update: Option<String>,
    /// Name of an update group: what is added to it later is deployed, too.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Name or id of the collection.
    #[arg(long, value_name = "NAME", required_unless_present = "template")]
    collection: Option<String>,
    /// What to do.
    #[arg(long, required_unless_present = "template")]
    action: Option<ActionArgument>,
    /// From when; now by default.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    available: Option<String>,
    /// Until when at the latest; none by default; asap is the available time.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    deadline: Option<String>,
    /// Its name; made up of date and time by default.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What people should know of it.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A template: what is not given here comes from there.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Make it switched off.
    #[arg(long)]
    disabled: bool,
    /// Accept the licence of the update for this site.
    #[arg(long)]
    accept_eula: bool,
    /// Deploy even if there is no room for its content; it then waits.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    settings: SettingArguments,
}

impl From<NewArguments> for DeploymentCreate {
    fn from(given: NewArguments) -> Self {
        Self {
            update: given.update,
            group: given.group,
            collection: given.collection,
            action: given.action.map(Into::into),
            name: given.name,
            description: given.description,
            template: given.template,
            settings: given.settings.into(),
            enabled: given.disabled.then_some(false),
            available: given.available,
            deadline: given.deadline,
            accept_eula: given.accept_eula,
            force: given.force,
        }
    }
}

/// What a template says.
#[derive(Args, Clone, Debug)]
pub(crate) struct TemplateArguments {
    /// Its name.
    pub(crate) name: String,
    /// What to do.
    #[arg(long)]
    action: Option<ActionArgument>,
    /// Name or id of the collection.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// From when, counted from the making of a deployment: +3d4h.
    #[arg(long, value_name = "+T", allow_hyphen_values = true)]
    available: Option<String>,
    /// Until when at the latest, in the same form.
    #[arg(long, value_name = "+T", allow_hyphen_values = true)]
    deadline: Option<String>,
    #[command(flatten)]
    settings: SettingArguments,
}

impl From<TemplateArguments> for TemplateBody {
    fn from(given: TemplateArguments) -> Self {
        Self {
            action: given.action.map(Into::into),
            collection: given.collection,
            available: given.available,
            deadline: given.deadline,
            settings: given.settings.into(),
        }
    }
}
