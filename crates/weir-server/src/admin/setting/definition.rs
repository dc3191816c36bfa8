//! Every setting there is.

use serde_json::{Value, json};
use weir_model::{
    cleanup::{MOST_DAYS, Rules},
    content::ContentMode,
    freshness,
    nearest::nearest,
    retirement, run_time,
    tls::ClientHttps,
};

use super::{
    ALERT_CA_FILE, ALERT_COMPLIANCE, ALERT_COMPUTERS, ALERT_DAYS, ALERT_DISK, ALERT_PLAIN, ALERT_PROXY, ALERT_RETRY,
    ALERT_SITES, CLEANUP_DECLINED_DAYS, CLEANUP_EXPIRED_DAYS, CLEANUP_FEATURES, CLEANUP_KEEP_NARROWER,
    CLEANUP_KEEP_UNTIL_DEPLOYED, CLEANUP_OBSOLETE_DAYS, CLEANUP_SUPERSEDED, CLIENTS_HTTPS, CONTENT_CONCURRENCY,
    CONTENT_DOWNLOAD, CONTENT_EXPRESS, CONTENT_MODE, CONTENT_QUOTA, CONTENT_RATE, CONTENT_RESERVE, DUPLICATES,
    EVENT_DAYS, HISTORY_DAYS, MAIL_CA_FILE, MAIL_FROM, MAIL_HOST, MAIL_PASSWORD, MAIL_PORT, MAIL_TLS, MAIL_USER,
    MESSAGE_COUNT, MESSAGE_DAYS, OFF, PROXY_CONTENT, PROXY_PASSWORD, PROXY_SYNC, PROXY_URL, PROXY_USER, RETIRE_DAYS,
    RETIRE_OLDER, RETIRE_PERCENT, ROLLUP_MINUTES, RUN_TIME_FEATURE, RUN_TIME_OTHER, RUN_TIME_WINDOWS, SCAN_INTERVAL,
    SERVER_NAME, SILENT_DAYS, SOURCE, SYNC_ANSWER, SYNC_CA_FILE, SYNC_CONNECTIONS, SYNC_MEMORY, SYNC_MICROSOFT_URL,
    SYNC_REPLICA, SYNC_RETRIES, SYNC_RETRY, SYNC_SCHEDULE, SYNC_TIMEOUT, TIME_ZONE, WINDOWS_BOTH, access, backup,
    kind::Kind,
};
use crate::{admin::AdminError, state::ClientSettings};

/// Entries of a list of ids that the client plane reads, whatever the settings say.
const MOST_IDS: u64 = weir_wire::soap::Limits::IDS as u64;

/// A setting.
pub(super) struct Definition {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Value,
    pub(super) description: &'static str,
}

/// Every setting, by key.
pub(super) fn definitions() -> Vec<Definition> {
    let client = ClientSettings::default();
    let cleanup = Rules::default();
    let minutes = || Kind::Number(u64::from(run_time::LEAST)..=u64::from(run_time::MOST));
    let define = |key, kind, default, description| Definition { key, kind, default, description };
    let mut all = vec![
        define(
            ALERT_CA_FILE,
            Kind::Text(4_096),
            json!(""),
            "A PEM file of roots (1 MiB at most) that are trusted when webhooks are called, beside the system's; empty is none.",
        ),
        define(
            ALERT_COMPLIANCE,
            Kind::Number(1..=1_440),
            json!(15),
            "How often compliance after deadlines is looked at for deployments that ask for an alert, in minutes.",
        ),
        define(
            ALERT_COMPUTERS,
            Kind::Number(0..=365),
            json!(0),
            "Raise an alert about computers that were not heard of for so many days; 0 is never.",
        ),
        define(
            ALERT_DAYS,
            Kind::Number(1..=3_650),
            json!(365),
            "How long closed alerts and ended deliveries are kept, in days.",
        ),
        define(
            ALERT_DISK,
            Kind::Number(0..=1 << 20),
            json!(1),
            "Raise an alert when the disk of the database or of content has less free than this, in GiB; 0 is never.",
        ),
        define(
            ALERT_PLAIN,
            Kind::Number(0..=99),
            json!(0),
            "Raise an alert when more than so many percent of the computers that scan here came without TLS last; 0 is never.",
        ),
        define(ALERT_PROXY, Kind::Flag, json!(false), "Call webhooks through the proxy, if proxy.url names one."),
        define(
            ALERT_RETRY,
            Kind::Number(1..=3_600),
            json!(30),
            "The first pause before a notification that failed is tried again, in seconds; each one is twice as long, an \
             hour at most, for 24 hours.",
        ),
        define(
            ALERT_SITES,
            Kind::Number(0..=10_080),
            json!(120),
            "Raise an alert about sites directly below that were not heard of for so many minutes; 0 is never.",
        ),
        define(
            "calls.anonymous_burst",
            Kind::Number(10..=1_000_000),
            json!(client.anonymous_burst),
            "Calls without a cookie that one address may make at once; a quarter of that comes back each second.",
        ),
        define(
            CLEANUP_DECLINED_DAYS,
            Kind::Number(0..=u64::from(MOST_DAYS)),
            json!(cleanup.declined_days),
            "Remove the texts of declined updates after so many days; 0 is never. They stay declined.",
        ),
        define(
            CLEANUP_EXPIRED_DAYS,
            Kind::Number(0..=u64::from(MOST_DAYS)),
            json!(cleanup.expired_days),
            "Remove updates that their publisher withdrew, and that are neither deployed nor in a group, after so many days; 0 \
             is never.",
        ),
        define(
            CLEANUP_KEEP_NARROWER,
            Kind::Flag,
            json!(cleanup.keep_narrower),
            "Do not decline a superseded update that is made for a product which what replaces it is not made for.",
        ),
        define(
            CLEANUP_KEEP_UNTIL_DEPLOYED,
            Kind::Flag,
            json!(cleanup.keep_until_deployed),
            "Do not decline a superseded update that is deployed to a collection which what replaces it is not deployed to.",
        ),
        define(
            CLEANUP_OBSOLETE_DAYS,
            Kind::Number(0..=u64::from(MOST_DAYS)),
            json!(cleanup.obsolete_days),
            "Remove revisions that nothing names so many days after a newer one came; 0 is never.",
        ),
        define(
            CLEANUP_SUPERSEDED,
            Kind::Wait,
            json!(cleanup.others.to_string()),
            "When superseded updates are declined, feature updates aside; months count from the creation of what supersedes. \
             See first: weir cleanup preview --superseded months:3",
        ),
        define(
            CLEANUP_FEATURES,
            Kind::Wait,
            json!(cleanup.features.to_string()),
            "When superseded feature updates (classification Upgrades) are declined.",
        ),
        define(
            CLIENTS_HTTPS,
            Kind::Choice(&ClientHttps::WORDS),
            json!(ClientHttps::default().word()),
            "Whether computers use TLS: off names the address without it in policy; on names the one with TLS, and answers both; \
             required answers computers without TLS files alone. Who would be left out: weir tls computers",
        ),
        define(
            DUPLICATES,
            Kind::Choice(&["flag", RETIRE_OLDER]),
            json!("flag"),
            "What becomes of the rows that machines left behind when they were installed anew and got another id: they are \
             listed (weir computers duplicates), or retired once they have been silent for a week.",
        ),
        define(
            "computers.new_per_hour",
            Kind::Number(1..=10_000_000),
            json!(client.new_computers_per_hour),
            "Computers never seen before that may appear within an hour.",
        ),
        define(
            RETIRE_DAYS,
            Kind::Number(0..=u64::from(*retirement::DAYS.end())),
            json!(0),
            "Retire computers that did not call for so many days, 14 at least; 0 is never, 90 is proposed. See first: weir \
             computers retire --silent-days 90 --dry-run",
        ),
        define(
            RETIRE_PERCENT,
            Kind::Number(0..=100),
            json!(retirement::MOST_PERCENT),
            "The share of this site's computers that is retired within a week without being confirmed, in percent; of more an \
             alert is raised, and none is retired.",
        ),
        define(
            SILENT_DAYS,
            Kind::Number(u64::from(*freshness::SILENT_RANGE.start())..=u64::from(*freshness::SILENT_RANGE.end())),
            json!(freshness::SILENT_DAYS),
            "Days without a call after which a computer is silent, and without a full report after which it does not report: \
             weir compliance freshness.",
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
            HISTORY_DAYS,
            Kind::Number(31..=1_830),
            json!(weir_model::history::KEPT_DAYS),
            "How long daily records of compliance are kept, in days.",
        ),
        define(
            MAIL_CA_FILE,
            Kind::Text(4_096),
            json!(""),
            "A PEM file of roots (1 MiB at most) that are trusted for the mail server beside the system's; empty is none.",
        ),
        define(
            MAIL_FROM,
            Kind::Mailbox,
            json!(""),
            "Who sends e-mail about alerts, such as weir@example.org; empty is nobody.",
        ),
        define(
            MAIL_HOST,
            Kind::Name,
            json!(""),
            "The mail server (SMTP) that takes e-mail about alerts; empty is none.",
        ),
        define(MAIL_PASSWORD, Kind::Secret, json!(""), "Password at the mail server. It is stored and never shown."),
        define(
            MAIL_PORT,
            Kind::Number(0..=65_535),
            json!(0),
            "Port of the mail server; 0 is 587 for starttls, 465 for implicit, 25 for none.",
        ),
        define(
            MAIL_TLS,
            Kind::Choice(&["implicit", "none", "starttls"]),
            json!("starttls"),
            "How the way to the mail server is encrypted. With none all passes in clear, and no password is sent.",
        ),
        define(MAIL_USER, Kind::Text(256), json!(""), "User name at the mail server; empty is none."),
        define(
            MESSAGE_COUNT,
            Kind::Number(1_000..=10_000_000),
            json!(100_000),
            "How many status messages are kept; the oldest go.",
        ),
        define(MESSAGE_DAYS, Kind::Number(1..=3_650), json!(90), "How long status messages are kept, in days."),
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
            ROLLUP_MINUTES,
            Kind::Number(0..=1_440),
            json!(15),
            "The server above is told of computers every so many minutes between synchronizations; 0 is only with them.",
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
            SCAN_INTERVAL,
            Kind::Number(1..=168),
            json!(22),
            "Hours between two scans of a computer: what is held for a maintenance window goes out so long before it. Where \
             client settings have scan.schedule, that counts.",
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
            "The largest answer of an upstream server that is taken, in MiB. Lists are bounded by sync.memory_mib, too.",
        ),
        define(
            SYNC_CA_FILE,
            Kind::Text(4_096),
            json!(""),
            "A PEM file of roots (1 MiB at most) that are trusted for calls to other servers beside the system's; empty is \
             none.",
        ),
        define(SYNC_CONNECTIONS, Kind::Number(1..=16), json!(4), "Calls to the upstream server at once."),
        define(
            SYNC_MEMORY,
            Kind::Number(16..=65_536),
            json!(64),
            "Memory for answers of the upstream server that are under way, in MiB, about, and the longest list that is taken; a \
             list of 100,000 revisions has 20.",
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
            "Mirror groups, deployments and declines of the upstream server whose address is the source; without effect while \
             the source is microsoft or none. An enrolled child always does.",
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
            "How long another server may send nothing before a call counts as failed, in seconds; a small call may take \
             little more as a whole.",
        ),
        define(
            "targeting",
            Kind::Choice(&["client", "server"]),
            json!("server"),
            "Who puts computers into collections: what they ask for themselves, or the administrator.",
        ),
        define(
            RUN_TIME_FEATURE,
            minutes(),
            json!(120),
            "Maximum run time, in minutes, of feature updates, update rollups and service packs that arrive from now on.",
        ),
        define(
            RUN_TIME_OTHER,
            minutes(),
            json!(60),
            "Maximum run time, in minutes, of all other updates that arrive from now on.",
        ),
        define(
            RUN_TIME_WINDOWS,
            minutes(),
            json!(60),
            "Maximum run time, in minutes, of updates for Windows 10 and later, Windows Server 2012 R2 and later, and Microsoft \
             365 Apps that arrive from now on.",
        ),
        define(
            WINDOWS_BOTH,
            Kind::Flag,
            json!(false),
            "Updates use maintenance windows for all deployments although the computer has some for software updates. Where \
             client settings have windows.all_deployments, that counts.",
        ),
    ];
    all.extend(access::definitions());
    all.extend(backup::definitions());
    all.sort_by_key(|definition| definition.key);
    all
}

/// The setting of that key.
pub(super) fn definition(key: &str) -> Result<Definition, AdminError> {
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
