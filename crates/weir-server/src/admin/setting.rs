//! Site settings: which there are, what values they take, and what the client plane is told when one changes.

mod access;
mod backup;
mod definition;
mod kind;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use weir_api::{
    List,
    setting::{Setting, SettingChanged},
};
use weir_model::{
    content::ContentMode,
    message::SETTING_CHANGED,
    retirement,
    schedule::{Recurrence, Zone},
    tls::ClientHttps,
};
use weir_store::{ReadTx, StoreError, WriteTx, mirror::PARENT, setting::SettingRow};

pub(crate) use self::{
    access::{APPROVAL_COMPUTERS, APPROVAL_REQUIRED, SESSION_HOURS, SESSION_IDLE},
    backup::{BACKUP_ALERT, BACKUP_CONTENT, BACKUP_FOLDER, BACKUP_KEEP, BACKUP_SCHEDULE},
    kind::{SOURCE_VALUES, parse_source},
};
use self::{
    definition::{Definition, definition, definitions},
    kind::Kind,
};
use super::{AdminError, App, Caller, transport};
use crate::{
    intent::TOP_SETTINGS,
    sites,
    state::{ClientSettings, TargetingMode},
    sync::outbound,
};

/// The value of a schedule that is off.
pub(crate) const OFF: &str = "off";

/// Roots that are trusted beside the system's when webhooks are called.
pub(crate) const ALERT_CA_FILE: &str = "alerts.ca_file";
/// How often compliance after deadlines is looked at, in minutes.
pub(crate) const ALERT_COMPLIANCE: &str = "alerts.compliance_minutes";
/// Computers that were not heard of for so many days are told of; 0 is never.
pub(crate) const ALERT_COMPUTERS: &str = "alerts.computer_silent_days";
/// How long closed alerts and ended deliveries are kept, in days.
pub(crate) const ALERT_DAYS: &str = "alerts.days";
/// A disk with less free space than this is told of, in GiB; 0 is never.
pub(crate) const ALERT_DISK: &str = "alerts.disk_free_gib";
/// More percent of computers without TLS than this are told of; 0 is never.
pub(crate) const ALERT_PLAIN: &str = "alerts.plain_http_percent";
/// Whether webhooks are called through the proxy.
pub(crate) const ALERT_PROXY: &str = "alerts.proxy";
/// The first pause before a notification is tried again, in seconds.
pub(crate) const ALERT_RETRY: &str = "alerts.retry_seconds";
/// Sites below that were not heard of for so many minutes are told of; 0 is never.
pub(crate) const ALERT_SITES: &str = "alerts.site_silent_minutes";
/// Roots that are trusted beside the system's when mail is sent.
pub(crate) const MAIL_CA_FILE: &str = "mail.ca_file";
/// Who sends mail.
pub(crate) const MAIL_FROM: &str = "mail.from";
/// The mail server.
pub(crate) const MAIL_HOST: &str = "mail.host";
/// The password there.
pub(crate) const MAIL_PASSWORD: &str = "mail.password";
/// Its port; 0 is what the way of encryption has.
pub(crate) const MAIL_PORT: &str = "mail.port";
/// How the way there is encrypted.
pub(crate) const MAIL_TLS: &str = "mail.tls";
/// The user there.
pub(crate) const MAIL_USER: &str = "mail.user";
/// How many status messages are kept.
pub(crate) const MESSAGE_COUNT: &str = "messages.count";
/// How long status messages are kept, in days.
pub(crate) const MESSAGE_DAYS: &str = "messages.days";
/// Days until a declined update is removed.
pub(crate) const CLEANUP_DECLINED_DAYS: &str = "cleanup.declined_days";
/// Days until a withdrawn update is removed.
pub(crate) const CLEANUP_EXPIRED_DAYS: &str = "cleanup.expired_days";
/// Whether a superseded update stays while what replaces it is made for fewer products.
pub(crate) const CLEANUP_KEEP_NARROWER: &str = "cleanup.keep_narrower";
/// Whether a superseded update stays while what replaces it is not deployed where it is.
pub(crate) const CLEANUP_KEEP_UNTIL_DEPLOYED: &str = "cleanup.keep_until_deployed";
/// Days until a revision is removed that a newer one took the place of.
pub(crate) const CLEANUP_OBSOLETE_DAYS: &str = "cleanup.obsolete_days";
/// When superseded updates are declined.
pub(crate) const CLEANUP_SUPERSEDED: &str = "cleanup.superseded";
/// When superseded feature updates are declined.
pub(crate) const CLEANUP_FEATURES: &str = "cleanup.superseded_features";
/// Whether computers use TLS.
pub(crate) const CLIENTS_HTTPS: &str = "clients.https";
/// Maximum run time of feature updates, update rollups and service packs, in minutes.
pub(crate) const RUN_TIME_FEATURE: &str = "updates.run_time_feature";
/// Of all other updates but those for Windows.
pub(crate) const RUN_TIME_OTHER: &str = "updates.run_time_other";
/// Of updates for Windows and Microsoft 365 Apps.
pub(crate) const RUN_TIME_WINDOWS: &str = "updates.run_time_windows";
/// How often the server above is told of computers between synchronizations, in minutes.
pub(crate) const ROLLUP_MINUTES: &str = "rollup.minutes";
/// How long daily records of compliance are kept, in days.
pub(crate) const HISTORY_DAYS: &str = "history.days";
/// How long events with an update are kept, in days.
pub(crate) const EVENT_DAYS: &str = "events.days";
/// What becomes of rows that machines left behind when they were installed anew.
pub(crate) const DUPLICATES: &str = "computers.duplicates";
/// The value of [`DUPLICATES`] that retires them.
pub(crate) const RETIRE_OLDER: &str = "retire-older";
/// Days without a call after which computers are retired; 0 is never.
pub(crate) const RETIRE_DAYS: &str = "computers.retire_days";
/// The share of a site that is retired without being confirmed, in percent.
pub(crate) const RETIRE_PERCENT: &str = "computers.retire_percent";
/// Days without a call after which a computer is silent.
pub(crate) const SILENT_DAYS: &str = "computers.silent_days";
/// Files fetched at once.
pub(crate) const CONTENT_CONCURRENCY: &str = "content.concurrency";
/// Whether missing content is fetched from its sources.
pub(crate) const CONTENT_DOWNLOAD: &str = "content.download";
/// Whether express files are kept.
pub(crate) const CONTENT_EXPRESS: &str = "content.express";
/// What the content job takes from the line at most, in KiB a second.
pub(crate) const CONTENT_RATE: &str = "content.kib_per_second";
/// Which files are kept here.
pub(crate) const CONTENT_MODE: &str = "content.mode";
/// What content may take, in GiB.
pub(crate) const CONTENT_QUOTA: &str = "content.quota_gib";
/// What content leaves free on its disk, in GiB.
pub(crate) const CONTENT_RESERVE: &str = "content.reserve_gib";
/// Whether content is fetched through the proxy.
pub(crate) const PROXY_CONTENT: &str = "proxy.content";
/// Password of the proxy.
pub(crate) const PROXY_PASSWORD: &str = "proxy.password";
/// Whether other servers are called through the proxy.
pub(crate) const PROXY_SYNC: &str = "proxy.sync";
/// The proxy.
pub(crate) const PROXY_URL: &str = "proxy.url";
/// User of the proxy.
pub(crate) const PROXY_USER: &str = "proxy.user";
/// The name by which this server introduces itself to others.
pub(crate) const SERVER_NAME: &str = "server.name";
/// The largest answer of another server that is taken, in MiB.
pub(crate) const SYNC_ANSWER: &str = "sync.answer_mib";
/// Roots that are trusted beside the system's.
pub(crate) const SYNC_CA_FILE: &str = "sync.ca_file";
/// Calls to the upstream server at once.
pub(crate) const SYNC_CONNECTIONS: &str = "sync.connections";
/// Memory for answers under way, in MiB.
pub(crate) const SYNC_MEMORY: &str = "sync.memory_mib";
/// Where `microsoft` is.
pub(crate) const SYNC_MICROSOFT_URL: &str = "sync.microsoft_url";
/// Whether this server mirrors its upstream server.
pub(crate) const SYNC_REPLICA: &str = "sync.replica";
/// Minutes until a failed synchronization is tried again.
pub(crate) const SYNC_RETRY: &str = "sync.retry_minutes";
/// When synchronization runs by itself.
pub(crate) const SYNC_SCHEDULE: &str = "sync.schedule";
/// The zone of this site.
pub(crate) const TIME_ZONE: &str = "site.time_zone";
/// Who says which collections computers belong to.
pub(crate) const TARGETING: &str = "targeting";
/// How often a broken call is made again.
pub(crate) const SYNC_RETRIES: &str = "sync.retries";
/// How long an upstream server may send nothing, in seconds.
pub(crate) const SYNC_TIMEOUT: &str = "sync.timeout_seconds";
/// Where updates come from.
pub(crate) const SOURCE: &str = "source";
/// Hours between two scans of a computer.
pub(crate) const SCAN_INTERVAL: &str = "scan.interval";
/// Whether updates use windows for all deployments although there are some for software updates (CS-13).
pub(crate) const WINDOWS_BOTH: &str = "windows.both_kinds";

/// What holds, from the rows of the store.
pub(crate) struct Current(Vec<SettingRow>);

impl Current {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        Ok(Self(tx.setting_list()?))
    }

    /// The value of a setting: as stored, if that is still a valid value, else its default.
    fn value(&self, definition: &Definition) -> Value {
        self.0
            .iter()
            .find(|row| row.key == definition.key)
            .and_then(|row| definition.kind.read(&row.value))
            .unwrap_or_else(|| definition.default.clone())
    }

    fn find(&self, key: &str) -> Value {
        definitions().iter().find(|definition| definition.key == key).map_or(Value::Null, |found| self.value(found))
    }

    pub(crate) fn number(&self, key: &str) -> u64 {
        self.find(key).as_u64().unwrap_or_default()
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.find(key).as_bool().unwrap_or_default()
    }

    pub(crate) fn text(&self, key: &str) -> String {
        self.find(key).as_str().unwrap_or_default().to_owned()
    }

    /// When synchronization runs by itself, if it does.
    pub(crate) fn schedule(&self) -> Option<Recurrence> {
        self.text(SYNC_SCHEDULE).parse().ok()
    }

    /// When backups are made by themselves, if they are, and since when that is so.
    pub(crate) fn backups(&self) -> Option<(Recurrence, Timestamp)> {
        let row = self.0.iter().find(|row| row.key == BACKUP_SCHEDULE)?;
        Some((self.text(BACKUP_SCHEDULE).parse().ok()?, row.changed_at))
    }

    /// Days after which a computer is silent.
    pub(crate) fn silent_days(&self) -> u32 {
        u32::try_from(self.number(SILENT_DAYS)).unwrap_or(weir_model::freshness::SILENT_DAYS)
    }

    /// The zone of this site: as set, else the system's.
    pub(crate) fn zone(&self) -> TimeZone {
        let set = self.text(TIME_ZONE).parse::<Zone>().ok();
        set.map_or_else(TimeZone::system, |zone| zone.time_zone().clone())
    }

    /// Whether updates use windows of both kinds, and how long before a window what is held for it goes out.
    pub(crate) fn windows(&self) -> (bool, SignedDuration) {
        let hours = i64::try_from(self.number(SCAN_INTERVAL)).unwrap_or(22);
        (self.flag(WINDOWS_BOTH), SignedDuration::from_hours(hours))
    }

    /// What the client plane reads.
    pub(crate) fn client(&self, self_update: Option<std::path::PathBuf>) -> ClientSettings {
        let url = self.text("content.url");
        ClientSettings {
            targeting: if self.text("targeting") == "client" { TargetingMode::Client } else { TargetingMode::Server },
            page_entries: self.number("page.entries") as u32,
            page_bytes: self.number("page.bytes"),
            page_filling: self.flag("page.filling"),
            installed_limit: self.number("scan.installed_ids") as usize,
            cached_limit: self.number("scan.cached_ids") as usize,
            extended_limit: self.number("scan.extended_updates") as u32,
            registration_required: self.flag("registration.required"),
            package_share: self.text("package.share"),
            content_base: (!url.is_empty()).then_some(url),
            content_elsewhere: self.text(CONTENT_MODE) == ContentMode::Microsoft.word(),
            cookie_lifetime: Duration::from_secs(60 * self.number("cookie.minutes")),
            self_update,
            new_computers_per_hour: self.number("computers.new_per_hour") as u32,
            anonymous_burst: self.number("calls.anonymous_burst") as u32,
            https_required: self.clients_https() == ClientHttps::Required,
        }
    }

    /// Whether computers use TLS.
    pub(crate) fn clients_https(&self) -> ClientHttps {
        ClientHttps::read(&self.text(CLIENTS_HTTPS))
    }
}

fn described(definition: Definition, current: &Current) -> Setting {
    Setting {
        value: definition.kind.shown(current.value(&definition)),
        key: definition.key.to_owned(),
        default: definition.kind.shown(definition.default),
        values: definition.kind.describe(),
        description: definition.description.to_owned(),
    }
}

/// All settings with their values.
pub(crate) async fn list(app: &App) -> Result<List<Setting>, AdminError> {
    let current = app.read(Current::read).await?;
    Ok(List { items: definitions().into_iter().map(|known| described(known, &current)).collect(), next: None })
}

/// One setting.
pub(crate) async fn show(app: &App, key: &str) -> Result<Setting, AdminError> {
    let definition = definition(key)?;
    Ok(described(definition, &app.read(Current::read).await?))
}

/// Keys of all settings.
#[cfg(test)]
pub(crate) fn known() -> Vec<&'static str> {
    definitions().iter().map(|definition| definition.key).collect()
}

/// The stored form of a value, if the setting is known and takes it.
pub(crate) fn checked(key: &str, value: &Value) -> Option<Value> {
    definitions().iter().find(|definition| definition.key == key)?.kind.read(value)
}

/// Stores a value that was checked, none for the default, and returns the value before.
pub(crate) fn store(tx: &WriteTx<'_>, key: &str, value: Option<&Value>) -> Result<Option<Value>, StoreError> {
    let before = Current::read(tx)?.client(None);
    let old = match value {
        Some(value) => tx.setting_put(key, value)?,
        None => tx.setting_delete(key)?,
    };
    let after = Current::read(tx)?.client(None);
    // what GetConfig answers: cookies made before are told ConfigChanged
    let seen = |settings: &ClientSettings| {
        (settings.extended_limit, settings.registration_required, settings.package_share.clone())
    };
    if seen(&before) != seen(&after) {
        tx.site_config_changed()?;
    }
    Ok(old)
}

/// Sets a setting. Clients see it with their next call. What would give up decisions of administrators wants `force`.
pub(crate) async fn set(
    app: &App,
    caller: &Caller,
    key: &str,
    value: &Value,
    force: bool,
) -> Result<SettingChanged, AdminError> {
    let definition = definition(key)?;
    let mut value = definition.kind.read(value).ok_or_else(|| AdminError::Invalid {
        code: "setting_value",
        detail: match (&definition.kind, value.as_str().map(str::parse::<Recurrence>)) {
            (Kind::Schedule, Some(Err(error))) => error.to_string(),
            _ => format!("{value} is no value of {key}"),
        },
        next_step: Some(format!("{key} takes {}", definition.kind.describe())),
    })?;
    if matches!(key, ALERT_CA_FILE | MAIL_CA_FILE | SYNC_CA_FILE) {
        usable_roots(key, value.as_str().unwrap_or_default()).await?;
    }
    if key == RETIRE_DAYS && value.as_u64().is_some_and(|days| days > 0 && days < u64::from(*retirement::DAYS.start()))
    {
        return Err(AdminError::Invalid {
            code: "setting_value",
            detail: format!("{key} takes 0, or {} days at least: people are away", retirement::DAYS.start()),
            next_step: Some(format!("{} is proposed", retirement::PROPOSED_DAYS)),
        });
    }
    if matches!(definition.kind, Kind::Schedule) {
        value = anchored(app, value).await?;
    }
    if key == CLIENTS_HTTPS && value == ClientHttps::Required.word() {
        transport::may_require(app, force).await?;
    }
    let (key, kind, stored) = (definition.key, definition.kind.clone(), value.clone());
    app.write(caller, move |tx| {
        if matches!(key, SOURCE | SYNC_REPLICA | SYNC_SCHEDULE | CLEANUP_SUPERSEDED | CLEANUP_FEATURES)
            || TOP_SETTINGS.contains(&key)
        {
            refuse_below_parent(tx, key)?;
        }
        let was_replica = sites::is_replica(tx)?;
        let old = store(tx, key, Some(&stored))?;
        if !force && !was_replica && sites::is_replica(tx)? {
            refuse_loss(tx, key, &kind.shown(stored.clone()))?;
        }
        if old.as_ref() != Some(&stored) {
            let (before, after) = (old.map(|old| kind.shown(old)), kind.shown(stored));
            tx.audit("setting.set", key, before.as_ref(), Some(&after))?;
            let words =
                |value: Option<Value>| value.map_or_else(|| "the default".to_owned(), |value| value.to_string());
            let parameters = [
                ("actor", tx.actor().name.clone()),
                ("key", key.to_owned()),
                ("before", words(before)),
                ("value", words(Some(after))),
            ];
            tx.status_message(&SETTING_CHANGED, &parameters, Some(("setting", key)))?;
        }
        Ok(())
    })
    .await?;
    app.reload_settings().await?;
    if matches!(key, TIME_ZONE | SCAN_INTERVAL | WINDOWS_BOTH) {
        // local times and windows are others now
        app.publish().await?;
    }
    // another source, schedule or zone can make a synchronization due
    app.shared().runner.nudge();
    if matches!(key, DUPLICATES | RETIRE_DAYS | RETIRE_PERCENT) {
        app.shared().retirement.notify_one();
    }
    if key.starts_with("backup.") || key == TIME_ZONE {
        app.shared().backups.nudged.notify_one();
    }
    if key.starts_with("cleanup.") {
        app.shared().cleanup.notify_one();
    }
    if key == SOURCE || ["content.", "proxy.", "sync.ca_file"].iter().any(|part| key.starts_with(part)) {
        crate::content::settings_changed(app, caller).await?;
    }
    Ok(SettingChanged { key: key.to_owned(), value: definition.kind.shown(value) })
}

/// A file of roots is read now, so that a wrong one is not found by the next synchronization.
async fn usable_roots(key: &str, path: &str) -> Result<(), AdminError> {
    if path.is_empty() {
        return Ok(());
    }
    let file = std::path::PathBuf::from(path);
    let checked = tokio::task::spawn_blocking(move || outbound::check_roots(&file)).await;
    let checked = checked.map_err(|error| AdminError::Internal(format!("reading {path} ended: {error}")))?;
    checked.map_err(|why| AdminError::Invalid {
        code: "setting_value",
        detail: format!("{path} cannot be used as {key}: {why}"),
        next_step: Some("name a PEM file of certificates of at most 1 MiB, on the server's own disk".to_owned()),
    })
}

/// A schedule that counts from a start gets one, so that it stays the same tomorrow.
async fn anchored(app: &App, value: Value) -> Result<Value, AdminError> {
    let Some(schedule) = value.as_str().and_then(|text| text.parse::<Recurrence>().ok()) else { return Ok(value) };
    let zone = app.read(Current::read).await?.zone();
    Ok(json!(schedule.anchored(Timestamp::now(), &zone).to_string()))
}

/// Refuses to make a replica of a server with decisions that a replica cannot have.
fn refuse_loss(tx: &ReadTx<'_>, key: &str, value: &Value) -> Result<(), AdminError> {
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let deployments = tx.deployments_made_here()?.len();
    let declined = tx.declined_list()?.iter().filter(|(_, by)| by != PARENT).count();
    let lost =
        [counted(deployments, "deployment", "deployments"), counted(declined, "declined update", "declined updates")];
    let lost: Vec<String> = lost.into_iter().flatten().collect();
    if lost.is_empty() {
        return Ok(());
    }
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Err(AdminError::Conflict {
        code: "loses",
        detail: format!(
            "this server would be a replica, which has the deployments and declines of the server above and no others; the \
             next synchronization would take away what was decided here: {}",
            lost.join(", ")
        ),
        next_step: Some(format!("to lose that: weir settings set {key} {value} --force")),
    })
}

/// Only the top of a tree chooses where updates come from and when, and what holds for all its sites.
fn refuse_below_parent(tx: &ReadTx<'_>, key: &str) -> Result<(), AdminError> {
    if tx.sites_parent()?.is_none() {
        return Ok(());
    }
    match key {
        SOURCE => sites::refuse_below(tx, "Sources"),
        SYNC_SCHEDULE => sites::refuse_below(tx, "Schedules"),
        key => sites::refuse_below(tx, &format!("Settings such as {key}")),
    }
}
