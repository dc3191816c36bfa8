//! Site settings: which there are, what values they take, and what the client plane is told when one changes.

use std::{ops::RangeInclusive, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use weir_api::{
    List,
    setting::{Setting, SettingChanged},
};
use weir_model::{
    content::ContentMode,
    schedule::{Recurrence, Zone},
};
use weir_store::{ReadTx, StoreError, WriteTx, setting::SettingRow};

use super::{AdminError, App, Caller};
use crate::{
    config::nearest::nearest,
    intent::TOP_SETTINGS,
    sites,
    state::{ClientSettings, TargetingMode},
};

/// The value of a schedule that is off.
pub(crate) const OFF: &str = "off";
/// The values of `source`, in words.
pub(crate) const SOURCE_VALUES: &str = "microsoft, none, or the http(s) URL of an upstream server";

/// Which values a setting takes.
#[derive(Clone, Debug)]
enum Kind {
    Choice(&'static [&'static str]),
    Flag,
    Name,
    Number(RangeInclusive<u64>),
    Schedule,
    Secret,
    Source,
    Text(usize),
    Url,
    Zone,
}

/// What is shown of a secret that is set.
const SET: &str = "set";

struct Definition {
    key: &'static str,
    kind: Kind,
    default: Value,
    description: &'static str,
}

/// How long events with an update are kept, in days.
pub(crate) const EVENT_DAYS: &str = "events.days";
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
/// How often a broken call is made again.
pub(crate) const SYNC_RETRIES: &str = "sync.retries";
/// How long an upstream server may send nothing, in seconds.
pub(crate) const SYNC_TIMEOUT: &str = "sync.timeout_seconds";
/// Entries of a list of ids that the client plane reads, whatever the settings say.
const MOST_IDS: u64 = weir_wire::soap::Limits::IDS as u64;
/// Where updates come from.
pub(crate) const SOURCE: &str = "source";

/// Every setting, by key.
fn definitions() -> Vec<Definition> {
    let client = ClientSettings::default();
    let define = |key, kind, default, description| Definition { key, kind, default, description };
    vec![
        define(
            "calls.anonymous_burst",
            Kind::Number(10..=1_000_000),
            json!(client.anonymous_burst),
            "Calls without a cookie that one address may make at once; a quarter of that comes back each second.",
        ),
        define(
            "computers.new_per_hour",
            Kind::Number(1..=10_000_000),
            json!(client.new_computers_per_hour),
            "Computers never seen before that may appear within an hour.",
        ),
        define(CONTENT_CONCURRENCY, Kind::Number(1..=64), json!(4), "Content files fetched at once."),
        define(
            CONTENT_DOWNLOAD,
            Kind::Flag,
            json!(true),
            "Fetch content; false pauses, and what is under way goes on later where it was.",
        ),
        define(
            CONTENT_EXPRESS,
            Kind::Flag,
            json!(false),
            "Keep express files (differences between versions): less for computers to fetch, much more to store.",
        ),
        define(
            CONTENT_RATE,
            Kind::Number(0..=1 << 30),
            json!(0),
            "What fetching content takes from the line at most, in KiB a second; 0 is no limit.",
        ),
        define(
            CONTENT_MODE,
            Kind::Choice(&ContentMode::WORDS),
            json!(ContentMode::default().word()),
            "Which files are fetched: those of deployments that install, those of every live update, or none but licence \
             files (computers fetch from Microsoft).",
        ),
        define(
            CONTENT_QUOTA,
            Kind::Number(0..=1 << 20),
            json!(0),
            "What content may take on disk, in GiB; 0 is no limit.",
        ),
        define(
            CONTENT_RESERVE,
            Kind::Number(0..=1 << 20),
            json!(1),
            "What fetching content leaves free on its disk, in GiB.",
        ),
        define(
            "content.url",
            Kind::Url,
            json!(""),
            "Where computers fetch content, as http://host:port; empty is the host that each of them scans against.",
        ),
        define(
            "cookie.minutes",
            Kind::Number(5..=10_080),
            json!(client.cookie_lifetime.as_secs() / 60),
            "How long a computer's cookie lives.",
        ),
        define(
            crate::upstream::COMPRESSED_BLOBS,
            Kind::Flag,
            json!(false),
            "Send documents to downstream servers in MSZIP cabinets. Weir servers read them; that others do is not proven.",
        ),
        define(
            crate::upstream::POLICY,
            Kind::Choice(&["ask", "open", "list"]),
            json!("ask"),
            "What happens to a downstream server that is not known: listed and refused until allowed, served, or refused.",
        ),
        define(EVENT_DAYS, Kind::Number(1..=3_650), json!(90), "How long reported events are kept, in days."),
        define(
            "package.share",
            Kind::Text(1_024),
            json!(client.package_share),
            "PackageServerShare of the client configuration, a UNC path.",
        ),
        define(
            "page.bytes",
            Kind::Number(0..=1 << 30),
            json!(client.page_bytes),
            "Bytes of metadata per answer to a scan; 0 is no limit.",
        ),
        define(
            "page.entries",
            Kind::Number(1..=1_000),
            json!(client.page_entries),
            "New updates per answer to a scan (WSUS: 30).",
        ),
        define(
            "page.filling",
            Kind::Flag,
            json!(client.page_filling),
            "Skip an update that does not fit a page and go on with smaller ones.",
        ),
        define(PROXY_CONTENT, Kind::Flag, json!(true), "Fetch content through the proxy, if proxy.url names one."),
        define(PROXY_PASSWORD, Kind::Secret, json!(""), "Password at the proxy. It is stored and never shown."),
        define(
            PROXY_SYNC,
            Kind::Flag,
            json!(true),
            "Call other servers (upstream server, parent site) through the proxy, if proxy.url names one.",
        ),
        define(PROXY_URL, Kind::Url, json!(""), "The proxy, as http://host:port; empty is none."),
        define(PROXY_USER, Kind::Text(256), json!(""), "User name at the proxy; empty is none."),
        define(
            "registration.required",
            Kind::Flag,
            json!(client.registration_required),
            "Computers register what they are before they scan.",
        ),
        define(
            crate::rollup::DETAILED,
            Kind::Flag,
            json!(true),
            "Take computers and the status of their updates from downstream servers, not only the servers' figures.",
        ),
        define(
            "scan.cached_ids",
            Kind::Number(1_000..=MOST_IDS),
            json!(client.cached_limit),
            "Cached updates that a computer may name in a scan.",
        ),
        define(
            "scan.extended_updates",
            Kind::Number(1..=1_000),
            json!(client.extended_limit),
            "Updates that a computer may ask details of at once (MaxExtendedUpdatesPerRequest).",
        ),
        define(
            "scan.installed_ids",
            Kind::Number(400..=MOST_IDS),
            json!(client.installed_limit),
            "Installed prerequisites that a computer may name in a scan (WSUS: 400).",
        ),
        define(
            SERVER_NAME,
            Kind::Name,
            json!(""),
            "The fully qualified name by which this server introduces itself to others; empty is the system's.",
        ),
        define(
            TIME_ZONE,
            Kind::Zone,
            json!(""),
            "The time zone of this site, for schedules that name none; empty is the system's.",
        ),
        define(SOURCE, Kind::Source, json!("none"), "Where updates are synchronized from."),
        define(
            SYNC_ANSWER,
            Kind::Number(1..=2_047),
            json!(512),
            "The largest answer of an upstream server that is taken, in MiB; a list of 100,000 revisions has 20.",
        ),
        define(
            SYNC_CA_FILE,
            Kind::Text(4_096),
            json!(""),
            "A PEM file of roots that are trusted for calls to other servers beside the system's; empty is none.",
        ),
        define(SYNC_CONNECTIONS, Kind::Number(1..=16), json!(4), "Calls to the upstream server at once."),
        define(
            SYNC_MEMORY,
            Kind::Number(16..=65_536),
            json!(64),
            "Memory for answers of the upstream server that are under way, in MiB, about.",
        ),
        define(
            SYNC_MICROSOFT_URL,
            Kind::Url,
            json!("https://sws.update.microsoft.com"),
            "Where the source \"microsoft\" is.",
        ),
        define(
            SYNC_REPLICA,
            Kind::Flag,
            json!(false),
            "Mirror groups, deployments and declines of the upstream server. An enrolled child always does.",
        ),
        define(
            SYNC_RETRIES,
            Kind::Number(0..=10),
            json!(3),
            "How often a call to the upstream server is made again after the connection broke.",
        ),
        define(
            SYNC_RETRY,
            Kind::Number(0..=10_080),
            json!(60),
            "After a failed synchronization it is tried again after so many minutes; 0 is not by itself.",
        ),
        define(
            SYNC_SCHEDULE,
            Kind::Schedule,
            json!(OFF),
            "When synchronization runs by itself; weir schedule show tells the next times.",
        ),
        define(
            SYNC_TIMEOUT,
            Kind::Number(1..=3_600),
            json!(300),
            "How long another server may send nothing before a call counts as failed, in seconds.",
        ),
        define(
            "targeting",
            Kind::Choice(&["client", "server"]),
            json!("server"),
            "Who puts computers into collections: what they ask for themselves, or the administrator.",
        ),
    ]
}

impl Kind {
    fn describe(&self) -> String {
        match self {
            Self::Choice(values) => values.join(", "),
            Self::Flag => "true, false".to_owned(),
            Self::Name => "a DNS name, or empty".to_owned(),
            Self::Number(range) => format!("{} to {}", range.start(), range.end()),
            Self::Secret => "a secret of at most 1024 characters, or empty; shown as set or unset".to_owned(),
            Self::Schedule => "off, or a schedule such as every 7 days at 02:00".to_owned(),
            Self::Source => SOURCE_VALUES.to_owned(),
            Self::Text(longest) => format!("text of at most {longest} characters"),
            Self::Url => "an http(s) URL without path, or empty".to_owned(),
            Self::Zone => "an IANA time zone such as Europe/Amsterdam, or empty".to_owned(),
        }
    }

    /// The value as it may be shown and logged.
    fn shown(&self, value: Value) -> Value {
        match self {
            Self::Secret => json!(if value.as_str().is_none_or(str::is_empty) { "unset" } else { SET }),
            _ => value,
        }
    }

    /// The value in its own type; texts of numbers and flags are read.
    fn read(&self, value: &Value) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        match self {
            Self::Choice(values) => {
                let text = text?.to_ascii_lowercase();
                values.contains(&text.as_str()).then(|| json!(text))
            }
            Self::Flag => match (value.as_bool(), text.map(str::to_ascii_lowercase).as_deref()) {
                (Some(flag), _) => Some(json!(flag)),
                (_, Some("true" | "yes" | "on")) => Some(json!(true)),
                (_, Some("false" | "no" | "off")) => Some(json!(false)),
                _ => None,
            },
            Self::Number(range) => {
                let number = value.as_u64().or_else(|| text?.parse().ok())?;
                range.contains(&number).then(|| json!(number))
            }
            Self::Name => {
                let text = text?.trim_end_matches('.').to_ascii_lowercase();
                (text.is_empty() || dns_name(&text)).then(|| json!(text))
            }
            // a secret may begin or end with a blank
            Self::Secret => value.as_str().filter(|text| text.chars().count() <= 1_024).map(|text| json!(text)),
            Self::Schedule => {
                let text = text?;
                if text.eq_ignore_ascii_case(OFF) {
                    return Some(json!(OFF));
                }
                text.parse::<Recurrence>().ok().map(|schedule| json!(schedule.to_string()))
            }
            Self::Source => parse_source(text?).map(Value::String),
            Self::Text(longest) => {
                let text = text?;
                (text.chars().count() <= *longest && !text.chars().any(char::is_control)).then(|| json!(text))
            }
            Self::Url => {
                let text = text?.trim_end_matches('/');
                (text.is_empty() || origin(text)).then(|| json!(text))
            }
            Self::Zone => {
                let text = text?;
                if text.is_empty() {
                    return Some(json!(""));
                }
                text.parse::<Zone>().ok().map(|zone| json!(zone.name()))
            }
        }
    }
}

/// Labels of letters, digits and hyphens.
fn dns_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A `source` in its stored form.
pub(crate) fn parse_source(text: &str) -> Option<String> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "microsoft" => Some("microsoft".to_owned()),
        "none" => Some("none".to_owned()),
        _ => {
            let url: http::Uri = text.parse().ok()?;
            let scheme = url.scheme_str()?;
            let fits = matches!(scheme, "http" | "https") && url.host().is_some_and(|host| !host.is_empty());
            (fits && text.len() <= 2_048 && url.query().is_none()).then(|| text.trim_end_matches('/').to_owned())
        }
    }
}

fn origin(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|host| !host.is_empty())
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
    })
}

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

    /// The zone of this site: as set, else the system's.
    pub(crate) fn zone(&self) -> TimeZone {
        let set = self.text(TIME_ZONE).parse::<Zone>().ok();
        set.map_or_else(TimeZone::system, |zone| zone.time_zone().clone())
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
        }
    }
}

fn definition(key: &str) -> Result<Definition, AdminError> {
    definitions().into_iter().find(|definition| definition.key == key).ok_or_else(|| {
        let known = definitions();
        let near = nearest(key, known.iter().map(|definition| definition.key));
        AdminError::NotFound {
            kind: "setting",
            id: key.to_owned(),
            next_step: Some(match near {
                Some(near) => format!("did you mean {near}? `weir settings list` shows all"),
                None => "`weir settings list` shows all".to_owned(),
            }),
        }
    })
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

/// Sets a setting. Clients see it with their next call.
pub(crate) async fn set(app: &App, caller: &Caller, key: &str, value: &Value) -> Result<SettingChanged, AdminError> {
    let definition = definition(key)?;
    let mut value = definition.kind.read(value).ok_or_else(|| AdminError::Invalid {
        code: "setting_value",
        detail: match (&definition.kind, value.as_str().map(str::parse::<Recurrence>)) {
            (Kind::Schedule, Some(Err(error))) => error.to_string(),
            _ => format!("{value} is no value of {key}"),
        },
        next_step: Some(format!("{key} takes {}", definition.kind.describe())),
    })?;
    if matches!(definition.kind, Kind::Schedule) {
        value = anchored(app, value).await?;
    }
    let (key, kind, stored) = (definition.key, definition.kind.clone(), value.clone());
    app.write(caller, move |tx| {
        if matches!(key, SOURCE | SYNC_REPLICA | SYNC_SCHEDULE) || TOP_SETTINGS.contains(&key) {
            refuse_below_parent(tx, key)?;
        }
        let old = store(tx, key, Some(&stored))?;
        if old.as_ref() != Some(&stored) {
            tx.audit("setting.set", key, old.map(|old| kind.shown(old)).as_ref(), Some(&kind.shown(stored)))?;
        }
        Ok(())
    })
    .await?;
    app.reload_settings().await?;
    // another source, schedule or zone can make a synchronization due
    app.shared().runner.nudge();
    if key.starts_with("content.") {
        // what waits for content may not wait any more, and the run under way goes on as the settings now are
        app.publish().await?;
        app.shared().downloads.interrupt();
    }
    Ok(SettingChanged { key: key.to_owned(), value: definition.kind.shown(value) })
}

/// A schedule that counts from a start gets one, so that it stays the same tomorrow.
async fn anchored(app: &App, value: Value) -> Result<Value, AdminError> {
    let Some(schedule) = value.as_str().and_then(|text| text.parse::<Recurrence>().ok()) else { return Ok(value) };
    let zone = app.read(Current::read).await?.zone();
    Ok(json!(schedule.anchored(Timestamp::now(), &zone).to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, value: Value) -> SettingRow {
        SettingRow {
            key: key.to_owned(),
            value,
            change: weir_model::ids::ChangeNumber(1),
            changed_at: Timestamp::UNIX_EPOCH,
            changed_by: "test".to_owned(),
        }
    }

    #[test]
    fn without_any_row_the_client_plane_gets_its_defaults() {
        assert_eq!(Current(Vec::new()).client(None), ClientSettings::default());
    }

    #[test]
    fn every_default_is_a_value_of_its_setting() {
        for known in definitions() {
            assert_eq!(known.kind.read(&known.default), Some(known.default.clone()), "{}", known.key);
        }
        let keys: Vec<_> = definitions().iter().map(|known| known.key).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn stored_values_reach_the_client_plane_and_broken_ones_do_not() {
        let rows = vec![
            row("targeting", json!("client")),
            row("page.entries", json!(30)),
            row("page.filling", json!(false)),
            row("page.bytes", json!("much")),
        ];
        let client = Current(rows).client(None);
        assert_eq!(client.targeting, TargetingMode::Client);
        assert_eq!(client.page_entries, 30);
        assert!(!client.page_filling);
        assert_eq!(client.page_bytes, ClientSettings::default().page_bytes);
    }

    #[test]
    fn values_are_read_as_typed_and_bounded() {
        let read = |key: &str, value: Value| definition(key).expect("known").kind.read(&value);
        assert_eq!(read("page.entries", json!("30")), Some(json!(30)));
        assert_eq!(read("page.entries", json!(0)), None);
        assert_eq!(read("page.filling", json!("off")), Some(json!(false)));
        assert_eq!(read("targeting", json!("Client")), Some(json!("client")));
        assert_eq!(read("targeting", json!("both")), None);
        assert_eq!(read("source", json!("http://up.example:8530/")), Some(json!("http://up.example:8530")));
        assert_eq!(read("source", json!("ftp://up.example")), None);
        assert_eq!(read("content.url", json!("http://files.example:8530/")), Some(json!("http://files.example:8530")));
        assert_eq!(read("content.url", json!("http://files.example/sub")), None);
    }

    #[test]
    fn a_secret_is_never_shown() {
        let current = Current(vec![row("proxy.password", json!(" hush "))]);
        assert_eq!(current.text(PROXY_PASSWORD), " hush ");
        let shown = described(definition(PROXY_PASSWORD).expect("known"), &current);
        assert_eq!(shown.value, json!("set"));
        let unset = described(definition(PROXY_PASSWORD).expect("known"), &Current(Vec::new()));
        assert_eq!((unset.value, unset.default), (json!("unset"), json!("unset")));
    }

    #[test]
    fn a_server_name_is_a_dns_name() {
        let read = |value: &str| Kind::Name.read(&json!(value));
        assert_eq!(read("Wsus01.Example.com."), Some(json!("wsus01.example.com")));
        assert_eq!(read(""), Some(json!("")));
        for wrong in ["a b", "-a.example", "a..b", "_srv.example"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let problem = definition("page.entrys").err().expect("unknown").problem();
        assert_eq!(problem.status, 404);
        assert!(problem.next_step.expect("advice").contains("page.entries"));
    }
}
