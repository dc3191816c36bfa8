//! A notice in words, for e-mail.

use std::fmt::Write as _;

use jiff::Timestamp;
use maud::{DOCTYPE, html as markup};
use weir_api::notice::{Notice, NoticeAlert};
use weir_model::message::tidy;

/// Characters of a message that are shown.
const MESSAGE: usize = 1_000;

/// What the e-mail is about, in one line.
pub(super) fn subject(notice: &Notice) -> String {
    let site = &notice.site;
    match (notice.event.as_str(), notice.alerts.as_slice()) {
        ("test", _) => format!("[Weir {site}] Test of the subscription {}", notice.subscription),
        (_, [alert]) if notice.count == 1 => {
            let what = match alert.what.as_str() {
                "closed" => "Closed",
                "repeated" => "Still open",
                _ => "Open",
            };
            // the severity of what is over alarms nobody
            let severity = if alert.what == "closed" { String::new() } else { format!(", {}", alert.severity) };
            format!("[Weir {site}] {what}{severity}: {} {}", alert.kind, tidy(&alert.subject, 60))
        }
        _ => format!("[Weir {site}] {} alerts: {}", notice.count, counts(&notice.severities)),
    }
}

fn counts(counts: &std::collections::BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    parts.join(", ")
}

fn second(at: Timestamp) -> String {
    at.round(jiff::Unit::Second).unwrap_or(at).to_string()
}

fn left_out(notice: &Notice) -> u64 {
    notice.count.saturating_sub(notice.alerts.len() as u64)
}

fn state(alert: &NoticeAlert) -> String {
    match alert.closed_at {
        Some(at) => format!("closed {}", second(at)),
        None => format!("open since {}", second(alert.opened_at)),
    }
}

const TEST: &str = "This is a test. Alerts of this subscription arrive here.";

/// The body as text.
pub(super) fn plain(notice: &Notice) -> String {
    let mut text = String::new();
    if notice.event == "test" {
        let _ = writeln!(text, "{TEST}\n");
    }
    if notice.count > 1 {
        let _ = writeln!(text, "{} alerts: {}", notice.count, counts(&notice.severities));
        let _ = writeln!(text, "By kind: {}\n", counts(&notice.kinds));
    }
    for alert in &notice.alerts {
        let _ = writeln!(text, "{} {} ({})", alert.severity.to_uppercase(), alert.kind, state(alert));
        let _ = writeln!(text, "  About: {}", tidy(&alert.subject, 200));
        let _ = writeln!(text, "  {}", tidy(&alert.message, MESSAGE));
        let _ = writeln!(text, "  weir alerts show {}\n", alert.id);
    }
    if left_out(notice) > 0 {
        let _ = writeln!(text, "... and {} more: weir alerts list --state open --all\n", left_out(notice));
    }
    let _ = writeln!(text, "-- \nSite {}, subscription {}", notice.site, tidy(&notice.subscription, 100));
    text
}

/// The body as HTML; everything is escaped.
pub(super) fn html(notice: &Notice) -> String {
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (subject(notice)) } }
            body style="font-family: sans-serif" {
                @if notice.event == "test" { p { (TEST) } }
                @if notice.count > 1 {
                    p { b { (notice.count) " alerts: " (counts(&notice.severities)) } br; "By kind: " (counts(&notice.kinds)) }
                }
                @for alert in &notice.alerts {
                    p {
                        b { (alert.severity) " " (alert.kind) } " (" (state(alert)) ")" br;
                        "About: " (tidy(&alert.subject, 200)) br;
                        (tidy(&alert.message, MESSAGE)) br;
                        code { "weir alerts show " (alert.id) }
                    }
                }
                @if left_out(notice) > 0 {
                    p { "... and " (left_out(notice)) " more: " code { "weir alerts list --state open --all" } }
                }
                hr;
                p { small { "Site " (notice.site) ", subscription " (notice.subscription) } }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn notice(event: &str, alerts: usize, count: u64) -> Notice {
        let at: Timestamp = "2026-03-01T12:00:00.5Z".parse().expect("time");
        let one = NoticeAlert {
            id: 12,
            what: event.strip_prefix("alert.").unwrap_or("opened").to_owned(),
            kind: "content.mismatch".into(),
            subject: "<b>&\"x\"</b>".into(),
            severity: "critical".into(),
            message: "a file\r\nis <wrong>".into(),
            opened_at: at,
            closed_at: (event == "alert.closed").then_some(at),
            raised: 3,
        };
        Notice {
            version: 1,
            event: event.into(),
            delivery: Uuid::nil(),
            created_at: at,
            site: "PRI1".into(),
            server_id: Uuid::nil(),
            subscription: "Ops".into(),
            count,
            severities: [("critical".to_owned(), count)].into(),
            kinds: [("content.mismatch".to_owned(), count)].into(),
            alerts: vec![one; alerts],
        }
    }

    #[test]
    fn subjects_say_what_and_how_bad() {
        assert_eq!(
            subject(&notice("alert.opened", 1, 1)),
            "[Weir PRI1] Open, critical: content.mismatch <b>&\"x\"</b>"
        );
        assert_eq!(subject(&notice("alert.closed", 1, 1)), "[Weir PRI1] Closed: content.mismatch <b>&\"x\"</b>");
        assert_eq!(subject(&notice("alert.digest", 100, 1_000)), "[Weir PRI1] 1000 alerts: 1000 critical");
        assert_eq!(subject(&notice("test", 0, 0)), "[Weir PRI1] Test of the subscription Ops");
    }

    #[test]
    fn html_is_escaped_and_text_is_of_lines() {
        let html = html(&notice("alert.opened", 1, 1));
        assert!(!html.contains("<b>&") && !html.contains("<wrong>"), "{html}");
        assert!(html.contains("&lt;wrong&gt;"));
        let text = plain(&notice("alert.opened", 1, 1));
        assert!(text.contains("CRITICAL content.mismatch (open since 2026-03-01T12:00:0"), "{text}");
        assert!(text.contains("  a file  is <wrong>\n  weir alerts show 12\n"), "{text}");
        assert!(plain(&notice("alert.digest", 100, 1_000)).contains("... and 900 more"));
    }
}
