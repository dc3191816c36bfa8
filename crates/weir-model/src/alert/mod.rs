//! Alerts: how bad one is, which may be closed by hand, and who is told of which (submodules).
//!
//! An alert is a row that opens and closes. What an administrator is told follows from the rows alone ([`notice`]), so that
//! a restart loses nothing and nothing is told twice without a reason.

pub mod address;
pub mod compliance;
pub mod notice;
pub mod retry;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{message::Component, nearest::nearest};

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertSeverity {
    /// Worth knowing.
    Information,
    /// Will become a problem.
    Warning,
    /// Is a problem.
    Critical,
}

impl AlertSeverity {
    /// Every one, the mildest first.
    pub const ALL: [Self; 3] = [Self::Information, Self::Warning, Self::Critical];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Every kind of alerts, by name. A new one is added here, to the table in `docs/administration.md`, and to `CONDITIONS` if
/// it closes by itself.
pub const KINDS: [&str; 31] = [
    "backup.failed",
    "backup.overdue",
    "cleanup.failed",
    "compliance.low",
    "computers.cloned",
    "computers.retirement",
    "computers.silent",
    "content.download_failed",
    "content.mismatch",
    "content.no_room",
    "content.unreachable",
    "disk.low",
    "downstream.claim",
    "downstream.identity",
    "downstream.waiting",
    "front_end.differs",
    "load.refused",
    "notification.failed",
    "phased.failed",
    "report.failed",
    "rollup.failed",
    "rule.failed",
    "site.refused",
    "site.same_identity",
    "site.silent",
    "sync.failed",
    "tls.expiring",
    "tls.key_exposed",
    "tls.plain_http",
    "tls.reload_failed",
    "window.never",
];

/// Alerts that state a condition which is looked at again and again: they close by themselves as soon as it is gone, and
/// would open again at once if somebody closed them.
const CONDITIONS: [&str; 19] = [
    "backup.overdue",
    "computers.cloned",
    "computers.retirement",
    "computers.silent",
    "compliance.low",
    "content.download_failed",
    "content.mismatch",
    "content.no_room",
    "content.unreachable",
    "disk.low",
    "front_end.differs",
    "load.refused",
    "rollup.failed",
    "site.silent",
    "tls.expiring",
    "tls.key_exposed",
    "tls.plain_http",
    "tls.reload_failed",
    "window.never",
];

/// Whether an administrator may close an alert of this kind. Others close by themselves; they can be muted.
pub fn closes_by_hand(kind: &str) -> bool {
    !CONDITIONS.contains(&kind)
}

/// The part of the server that alerts of a kind are about.
pub fn component(kind: &str) -> Component {
    match kind.split('.').next().unwrap_or_default() {
        "cleanup" => Component::CleanUp,
        "compliance" | "deployment" => Component::Deployments,
        "computers" => Component::Computers,
        "content" => Component::Content,
        "backup" | "disk" | "front_end" | "load" | "tls" => Component::System,
        "downstream" | "rollup" => Component::Downstream,
        "notification" => Component::Notifications,
        "phase" | "rule" => Component::Rules,
        "site" => Component::Sites,
        "sync" => Component::Synchronization,
        "window" => Component::Windows,
        _ => Component::Alerts,
    }
}

/// Which kinds of alerts are meant: all, or those below a prefix. `content` means `content` and `content.mismatch`, not
/// `contents`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct KindPrefix(String);

/// A text that is no kind of alerts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0:?} is no kind of alerts: kinds are lower case words with dots between, such as content or content.mismatch"
)]
pub struct KindError(String);

impl KindPrefix {
    /// Characters of a kind.
    pub const LONGEST: usize = 64;

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there are alerts of such a kind.
    pub fn is_known(&self) -> bool {
        KINDS.iter().any(|kind| self.holds(kind))
    }

    /// The kind, or the beginning of some, that looks most like it.
    pub fn nearest(&self) -> Option<String> {
        let families = KINDS.into_iter().filter_map(|kind| kind.split('.').next());
        // a part is compared with parts: in a whole kind it would be near to none
        if self.0.contains('.') { nearest(&self.0, KINDS) } else { nearest(&self.0, families) }
    }

    /// Whether alerts of a kind are meant.
    pub fn holds(&self, kind: &str) -> bool {
        kind.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl FromStr for KindPrefix {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let trimmed = text.trim().trim_end_matches(".*").to_ascii_lowercase();
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-')
        };
        if trimmed.len() <= Self::LONGEST && trimmed.split('.').all(word) {
            Ok(Self(trimmed))
        } else {
            Err(KindError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for KindPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AlertSeverity {
    type Err = crate::message::UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // the words of messages are the same but for the worst
        let known = Self::ALL.iter().find(|known| known.word().eq_ignore_ascii_case(text.trim()));
        match known {
            Some(known) => Ok(*known),
            None => text.parse::<crate::message::MessageSeverity>().map(|severity| match severity {
                crate::message::MessageSeverity::Information => Self::Information,
                crate::message::MessageSeverity::Warning => Self::Warning,
                crate::message::MessageSeverity::Error => Self::Critical,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_dot() {
        let prefix: KindPrefix = "Content.*".parse().expect("a kind");
        assert_eq!(prefix.as_str(), "content");
        assert!(prefix.holds("content") && prefix.holds("content.mismatch"));
        assert!(!prefix.holds("contents.x") && !prefix.holds("sync.failed"));
        for wrong in ["", ".", "a..b", "content mismatch", "content.\r\n", &"a".repeat(65)] {
            assert!(wrong.parse::<KindPrefix>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn kinds_that_there_are_not_are_told_from_those_that_there_are() {
        assert!(KINDS.is_sorted() && CONDITIONS.iter().all(|kind| KINDS.contains(kind)));
        assert!(KINDS.contains(&notice::FAILED));
        let prefix = |text: &str| text.parse::<KindPrefix>().expect(text);
        for known in ["sync", "sync.failed", "site", "content.*"] {
            assert!(prefix(known).is_known(), "{known}");
        }
        for (unknown, near) in
            [("sync.failled", Some("sync.failed")), ("contents", Some("content")), ("zzz", None), ("rul", Some("rule"))]
        {
            assert!(!prefix(unknown).is_known(), "{unknown}");
            assert_eq!(prefix(unknown).nearest().as_deref(), near, "{unknown}");
        }
    }

    #[test]
    fn conditions_close_by_themselves() {
        assert!(!closes_by_hand("compliance.low") && !closes_by_hand("content.mismatch"));
        assert!(closes_by_hand("sync.failed") && closes_by_hand("rule.failed") && closes_by_hand("site.same_identity"));
    }

    #[test]
    fn kinds_belong_to_components() {
        for (kind, word) in [
            ("sync.failed", "synchronization"),
            ("content.no_room", "content"),
            ("rule.failed", "rules"),
            ("site.refused", "sites"),
            ("compliance.low", "deployments"),
            ("cleanup.failed", "clean-up"),
            ("new.kind", "alerts"),
        ] {
            assert_eq!(component(kind).word(), word, "{kind}");
        }
    }

    #[test]
    fn severities_are_ordered_and_read() {
        assert!(
            AlertSeverity::Information < AlertSeverity::Warning && AlertSeverity::Warning < AlertSeverity::Critical
        );
        assert_eq!("Critical".parse(), Ok(AlertSeverity::Critical));
        assert_eq!("error".parse(), Ok(AlertSeverity::Critical));
        assert!("bad".parse::<AlertSeverity>().is_err());
    }
}
