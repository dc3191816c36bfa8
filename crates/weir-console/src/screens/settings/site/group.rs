//! What belongs together among the settings of a site, what their numbers count, and where one sees what they do.

/// The groups, in their order.
pub(super) const GROUPS: [&str; 10] =
    ["synchronization", "content", "computers", "scan", "deployments", "keeping", "tree", "alerts", "access", "other"];

/// The group of a setting. A setting of a later release that belongs nowhere here is among the others.
pub(super) fn group(key: &str) -> &'static str {
    match key.split('.').next().unwrap_or_default() {
        "source" | "sync" | "proxy" | "server" | "site" => "synchronization",
        "content" => "content",
        "computers" | "targeting" | "registration" | "clients" | "tls" => "computers",
        "scan" | "page" | "cookie" | "calls" | "package" => "scan",
        "updates" | "windows" => "deployments",
        "backup" | "cleanup" | "history" | "events" | "messages" => "keeping",
        "downstream" | "rollup" => "tree",
        "alerts" | "mail" => "alerts",
        "sessions" | "approval" => "access",
        _ => "other",
    }
}

/// What the number of a setting counts, as its name says.
pub(super) fn unit(key: &str) -> Option<&'static str> {
    let last = key.rsplit('.').next().unwrap_or_default();
    match key {
        "scan.interval" => return Some("hours"),
        "page.bytes" => return Some("bytes"),
        _ if last.starts_with("run_time_") => return Some("minutes"),
        _ => {}
    }
    let units = ["kib_per_second", "per_hour", "minutes", "days", "hours", "gib", "mib", "seconds", "percent"];
    units.into_iter().find(|unit| last == *unit || last.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')))
}

/// The page that shows what a setting does, with its name among the texts.
pub(super) fn place(key: &str) -> Option<(&'static str, &'static str)> {
    Some(match key.split('.').next().unwrap_or_default() {
        "source" | "sync" => ("/infrastructure/synchronization", "synchronization"),
        "content" => ("/infrastructure/content", "content"),
        "backup" => ("/infrastructure/backups", "backups"),
        "cleanup" => ("/updates/cleanup", "cleanup"),
        "clients" | "tls" => ("/settings/tls", "tls"),
        "mail" | "alerts" => ("/settings/notifications", "notifications"),
        "approval" => ("/settings/approvals", "approvals"),
        "sessions" => ("/settings/sessions", "sessions"),
        "windows" => ("/deployments/windows", "windows"),
        "downstream" => ("/infrastructure/downstream", "downstream"),
        "computers" => match key {
            "computers.duplicates" => ("/computers/duplicates", "duplicates"),
            "computers.new_per_hour" => return None,
            _ => ("/computers/stale", "stale"),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_in_what_their_names_say() {
        for (key, counts) in [
            ("alerts.site_silent_minutes", Some("minutes")),
            ("cookie.minutes", Some("minutes")),
            ("content.kib_per_second", Some("kib_per_second")),
            ("computers.new_per_hour", Some("per_hour")),
            ("alerts.disk_free_gib", Some("gib")),
            ("updates.run_time_feature", Some("minutes")),
            ("computers.retire_percent", Some("percent")),
            ("page.bytes", Some("bytes")),
            ("scan.interval", Some("hours")),
            ("sync.retries", None),
            ("page.entries", None),
        ] {
            assert_eq!(unit(key), counts, "{key}");
        }
    }

    #[test]
    fn no_setting_is_left_out() {
        for key in ["source", "targeting", "mail.tls", "clients.https", "a.setting.to.come"] {
            assert!(GROUPS.contains(&group(key)), "{key}");
        }
        assert_eq!(group("a.setting.to.come"), "other");
        assert_eq!(
            (group("backup.keep"), place("backup.keep")),
            ("keeping", Some(("/infrastructure/backups", "backups")))
        );
    }
}
