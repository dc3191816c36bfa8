//! Status messages: what happened at a site, for administrators to read. Each meaning has a number that never changes and
//! is never given to another; a part of the server has a block of a hundred.
//!
//! The texts are templates: `{name}` stands for the parameter of that name. A stored message keeps its parameters beside
//! its text, so that programs need not read sentences.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Characters of a parameter that are kept.
pub const LONGEST_PARAMETER: usize = 500;
/// Characters of a text that are kept.
pub const LONGEST_TEXT: usize = 2_000;

/// How bad what happened is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageSeverity {
    /// It went as it should.
    Information,
    /// It went, and somebody should look.
    Warning,
    /// It did not go.
    Error,
}

impl MessageSeverity {
    /// Every one, the mildest first.
    pub const ALL: [Self; 3] = [Self::Information, Self::Warning, Self::Error];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! components {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        /// The part of the server that a message is from.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Component {
            $($(#[$doc])* $variant,)+
        }

        impl Component {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As it is written.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

components! {
    /// Alerts that open and close.
    Alerts = "alerts",
    /// The clean-up job and supersedence rules.
    CleanUp = "clean-up",
    /// Computers and what they report.
    Computers = "computers",
    /// Files of updates.
    Content = "content",
    /// Deployments and what becomes of them.
    Deployments = "deployments",
    /// Servers that synchronize from here.
    Downstream = "downstream",
    /// Imports of packages, documents and bundles.
    Import = "import",
    /// E-mail and webhooks.
    Notifications = "notifications",
    /// Automatic deployment rules and phased deployments.
    Rules = "rules",
    /// Settings of the site.
    Settings = "settings",
    /// The tree of sites and the site link.
    Sites = "sites",
    /// Synchronization with the server above.
    Synchronization = "synchronization",
    /// The process, its disk and its database.
    System = "system",
    /// Maintenance windows.
    Windows = "windows",
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no component or severity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is none of them")]
pub struct UnknownWord(String);

impl FromStr for Component {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.iter().find(|known| known.word().eq_ignore_ascii_case(text.trim()));
        known.copied().ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl FromStr for MessageSeverity {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.iter().find(|known| known.word().eq_ignore_ascii_case(text.trim()));
        known.copied().ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// What a message means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Meaning {
    /// Its number, for ever.
    pub id: u32,
    /// Who says it.
    pub component: Component,
    /// How bad it is.
    pub severity: MessageSeverity,
    /// What is said, with `{parameter}`s.
    pub template: &'static str,
    /// The message of the replaced product that says about the same; 0 if there is none (features.md SYN-8).
    pub similar_to: u32,
}

macro_rules! meanings {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $component:ident, $severity:ident, $similar:literal, $template:literal;)+) => {
        $(
            $(#[$doc])*
            pub const $name: Meaning = Meaning {
                id: $id,
                component: Component::$component,
                severity: MessageSeverity::$severity,
                template: $template,
                similar_to: $similar,
            };
        )+

        /// Every meaning, by number.
        pub const MEANINGS: &[Meaning] = &[$($name),+];
    };
}

meanings! {
    /// A synchronization began.
    SYNC_STARTED = 1001, Synchronization, Information, 6701,
        "A synchronization with {source} began ({trigger}).";
    /// A synchronization ended well.
    SYNC_DONE = 1002, Synchronization, Information, 6702,
        "The synchronization with {source} ended well: {added} added, {revised} revised, {expired} expired.";
    /// A synchronization failed.
    SYNC_FAILED = 1003, Synchronization, Error, 6703,
        "The synchronization with {source} failed: {reason}. Next: {next_step}";
    /// A synchronization ended with warnings.
    SYNC_WARNINGS = 1004, Synchronization, Warning, 0,
        "The synchronization with {source} ended with {count} warnings: {added} added, {revised} revised, {expired} expired. The first: {first}";
    /// A synchronization was stopped by an administrator.
    SYNC_CANCELLED = 1005, Synchronization, Information, 0, "The synchronization with {source} was stopped.";
    /// A synchronization was under way when the server stopped.
    SYNC_INTERRUPTED = 1006, Synchronization, Warning, 0,
        "A synchronization was under way when the server stopped; what was fetched is kept.";

    /// An import is over.
    IMPORT_DONE = 1101, Import, Information, 0,
        "The import {import} is over: {added} revisions added, {unchanged} unchanged, {rejected} rejected, {skipped} skipped.";
    /// An import failed.
    IMPORT_FAILED = 1102, Import, Error, 0, "The import {import} failed: {reason}";
    /// An import took some and rejected some.
    IMPORT_PARTLY = 1103, Import, Warning, 0,
        "The import {import} is over: {added} revisions added, {unchanged} unchanged, {rejected} rejected. The first: {reason}";

    /// An automatic deployment rule ran.
    RULE_DONE = 1201, Rules, Information, 0,
        "The rule {rule} ran: {matched} updates matched, {deployments} deployments.";
    /// An automatic deployment rule failed.
    RULE_FAILED = 1202, Rules, Error, 0, "The rule {rule} failed: {reason}";
    /// A phased deployment went on to its next phase.
    PHASE_STARTED = 1203, Rules, Information, 0, "The phased deployment {name} began its phase {phase}.";
    /// A phased deployment does not go on.
    PHASE_HELD = 1204, Rules, Warning, 0, "The phased deployment {name} stays in its phase {phase}: {reason}";

    /// A deployment was made.
    DEPLOYMENT_CREATED = 1301, Deployments, Information, 0, "{what} was deployed to {collection} ({action}).";
    /// A deployment was deleted.
    DEPLOYMENT_DELETED = 1302, Deployments, Information, 0, "The deployment of {what} to {collection} was deleted.";
    /// An update can be installed in no maintenance window of a collection.
    WINDOW_NEVER = 1351, Windows, Warning, 0, "{what} fits no maintenance window of {collection}: {reason}";

    /// The clean-up ended.
    CLEANUP_DONE = 1401, CleanUp, Information, 0,
        "The clean-up ended: {declined} updates declined, {removed} removed, {bytes} bytes freed.";
    /// The clean-up failed.
    CLEANUP_FAILED = 1402, CleanUp, Error, 0, "The clean-up failed: {reason}";

    /// A stored file has not the digest of its name.
    CONTENT_MISMATCH = 1501, Content, Error, 0, "The file {file} has not the digest that it should have: {reason}";
    /// Files cannot be fetched.
    CONTENT_FAILED = 1502, Content, Warning, 0, "Content files cannot be fetched: {reason}";
    /// Verifying, repairing or collecting content ended well.
    CONTENT_WORK_DONE = 1503, Content, Information, 0, "The work on content ended well ({kind}): {result}";
    /// It ended, and found something that needs somebody.
    CONTENT_WORK_FAILED = 1504, Content, Warning, 0, "The work on content ended ({kind}), and needs somebody: {result}";

    /// A site below enrolled.
    SITE_ENROLLED = 1601, Sites, Information, 0, "A server at {peer} enrolled as the site {site}.";
    /// This server enrolled at a site above.
    SITE_JOINED = 1602, Sites, Information, 0, "This server enrolled at the site {site}.";
    /// This server left the tree.
    SITE_LEFT = 1603, Sites, Warning, 0, "This server left the tree below {site}.";
    /// A site was added to the tree.
    SITE_ADDED = 1604, Sites, Information, 0, "The site {site} was added ({kind}).";
    /// A site was removed from the tree.
    SITE_REMOVED = 1605, Sites, Information, 0, "The site {site} was removed.";
    /// The site above refuses this server.
    SITE_REFUSED = 1606, Sites, Error, 0, "The site above, {site}, refuses this server: {reason}";

    /// A setting was changed.
    SETTING_CHANGED = 1701, Settings, Information, 0, "{actor} set {key} to {value} (before: {before}).";

    /// A notification was given up.
    DELIVERY_GIVEN_UP = 1801, Notifications, Error, 0,
        "A notification of the subscription {subscription} was given up after {attempts} attempts: {reason}";
    /// A subscription switched itself off.
    SUBSCRIPTION_GONE = 1802, Notifications, Warning, 0,
        "The subscription {subscription} was switched off: its receiver answered that it is gone (410).";
    /// A notification failed and is tried again.
    DELIVERY_FAILED = 1803, Notifications, Warning, 0,
        "A notification of the subscription {subscription} failed and is tried again: {reason}";
    /// Notifications reach a receiver again.
    DELIVERY_RECOVERED = 1804, Notifications, Information, 0,
        "Notifications of the subscription {subscription} are delivered again.";
    /// A subscription was made or changed.
    SUBSCRIPTION_CHANGED = 1805, Notifications, Information, 0, "{actor} {did} the subscription {subscription}.";

    /// An alert opened, and is worth knowing.
    ALERT_OPENED_INFORMATION = 1901, Alerts, Information, 0, "Alert {kind} for {subject} opened: {message}";
    /// An alert opened, and will become a problem.
    ALERT_OPENED_WARNING = 1902, Alerts, Warning, 0, "Alert {kind} for {subject} opened: {message}";
    /// An alert opened, and is a problem.
    ALERT_OPENED_CRITICAL = 1903, Alerts, Error, 0, "Alert {kind} for {subject} opened: {message}";
    /// An alert closed.
    ALERT_CLOSED = 1904, Alerts, Information, 0, "Alert {kind} for {subject} closed.";

    /// The server started.
    SERVER_STARTED = 2001, System, Information, 0, "Weir {version} started.";
}

impl Meaning {
    /// The text with these parameters; one that is not given is left out with its braces. Bounded, in one line.
    pub fn text(&self, parameters: &[(&str, String)]) -> String {
        let mut text = String::new();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            if let Some((_, value)) = parameters.iter().find(|(known, _)| *known == name) {
                text.push_str(value);
            }
            rest = after;
        }
        text.push_str(rest);
        tidy(&text, LONGEST_TEXT)
    }
}

/// What a number means.
pub fn meaning(id: u32) -> Option<&'static Meaning> {
    MEANINGS.iter().find(|meaning| meaning.id == id)
}

/// A text in one line of at most so many characters: it may come from a computer, a publisher or another server.
pub fn tidy(text: &str, longest: usize) -> String {
    let mut tidied: String = text.chars().take(longest).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        tidied.pop();
        tidied.push('\u{2026}');
    }
    tidied.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_rise_and_belong_to_one_component_each_hundred() {
        let numbers: Vec<u32> = MEANINGS.iter().map(|meaning| meaning.id).collect();
        assert!(numbers.is_sorted() && numbers.windows(2).all(|pair| pair[0] != pair[1]), "{numbers:?}");
        for pair in MEANINGS.windows(2) {
            if pair[0].id / 50 == pair[1].id / 50 {
                assert_eq!(pair[0].component, pair[1].component, "{} and {}", pair[0].id, pair[1].id);
            }
        }
    }

    #[test]
    fn those_of_the_replaced_product_are_the_ones_it_documents() {
        // features.md, SYN-8
        let similar: Vec<(u32, u32)> =
            MEANINGS.iter().filter(|known| known.similar_to > 0).map(|known| (known.similar_to, known.id)).collect();
        assert_eq!(similar, [(6701, 1001), (6702, 1002), (6703, 1003)]);
    }

    #[test]
    fn parameters_go_in_and_absent_ones_leave_no_braces() {
        let text = SYNC_FAILED.text(&[("source", "http://up".into()), ("reason", "refused {x}\r\nBcc: y".into())]);
        assert_eq!(text, "The synchronization with http://up failed: refused {x}  Bcc: y. Next:");
    }

    #[test]
    fn words_are_read_back() {
        for component in Component::ALL {
            assert_eq!(component.word().to_uppercase().parse(), Ok(*component));
        }
        assert!("pager".parse::<Component>().is_err() && "fatal".parse::<MessageSeverity>().is_err());
        assert_eq!(meaning(1003), Some(&SYNC_FAILED));
        assert_eq!(meaning(1), None);
    }

    proptest! {
        #[test]
        fn texts_are_bounded_and_of_one_line(value in any::<String>(), at in 0..MEANINGS.len()) {
            let long = value.repeat(100);
            let text = MEANINGS[at].text(&[("reason", long.clone()), ("source", long.clone()), ("message", long)]);
            prop_assert!(text.chars().count() <= LONGEST_TEXT);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
