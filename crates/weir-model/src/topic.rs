//! What a console is told of while it is open: topics, and which of them moved between two looks at the server.
//!
//! Nothing is hooked into what writes. A [`Pulse`] is a handful of numbers that move when something changes, and the acts that
//! the audit log noted since; two of them make a set of [`Topics`]. An event may come without a visible change, none is left
//! out.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// Something that is shown, and that changes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Topic {
    /// Alerts, and who is told of them.
    Alerts,
    /// Collections, their members and their maintenance windows.
    Collections,
    /// What computers say of updates.
    Compliance,
    /// Which computers there are, and where they are.
    Computers,
    /// Content files and fetching them.
    Content,
    /// Deployments, their templates and their states.
    Deployments,
    /// Advisories, service levels and exceptions.
    Exposure,
    /// Update groups.
    Groups,
    /// Long work: how far it is, how it ended.
    Jobs,
    /// Schedules of reports.
    Reports,
    /// Automatic deployment rules and phased deployments.
    Rules,
    /// Site settings and client settings.
    Settings,
    /// The tree of sites and downstream servers.
    Sites,
    /// Synchronization, and what is chosen to be synchronized.
    Synchronization,
    /// The catalogue: updates, declines, licences, saved searches.
    Updates,
}

impl Topic {
    /// All of them, by name.
    pub const ALL: [Self; 15] = [
        Self::Alerts,
        Self::Collections,
        Self::Compliance,
        Self::Computers,
        Self::Content,
        Self::Deployments,
        Self::Exposure,
        Self::Groups,
        Self::Jobs,
        Self::Reports,
        Self::Rules,
        Self::Settings,
        Self::Sites,
        Self::Synchronization,
        Self::Updates,
    ];

    /// The name that subscribers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Collections => "collections",
            Self::Compliance => "compliance",
            Self::Computers => "computers",
            Self::Content => "content",
            Self::Deployments => "deployments",
            Self::Exposure => "exposure",
            Self::Groups => "groups",
            Self::Jobs => "jobs",
            Self::Reports => "reports",
            Self::Rules => "rules",
            Self::Settings => "settings",
            Self::Sites => "sites",
            Self::Synchronization => "synchronization",
            Self::Updates => "updates",
        }
    }

    /// What a change of it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Alerts => "An alert opened, closed or was acknowledged; a subscription changed.",
            Self::Collections => "A collection, its members, its client settings or its maintenance windows changed.",
            Self::Compliance => "Computers reported; counts may be others.",
            Self::Computers => "Computers came, left, moved or reported.",
            Self::Content => "Files came, went or are being fetched.",
            Self::Deployments => "A deployment or a template changed, or became active.",
            Self::Exposure => "Advisories, service levels or exceptions changed.",
            Self::Groups => "An update group or its members changed.",
            Self::Jobs => "Work began, went on or ended.",
            Self::Reports => "A schedule of a report changed or ran.",
            Self::Rules => "A rule or a phased deployment changed or ran.",
            Self::Settings => "A site setting or a set of client settings changed.",
            Self::Sites => "The tree of sites changed, or a site below reported.",
            Self::Synchronization => "A synchronization began, went on or ended; what is chosen changed.",
            Self::Updates => "The catalogue changed.",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a topic.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no topic {0:?}")]
pub struct TopicError(pub String);

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let named = Self::ALL.into_iter().find(|topic| topic.name() == text);
        named.ok_or_else(|| TopicError(text.chars().take(80).collect()))
    }
}

/// A set of topics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Topics(u16);

impl Topics {
    /// Every topic.
    pub const ALL: Self = Self((1 << Topic::ALL.len()) - 1);

    /// These.
    pub fn of(topics: &[Topic]) -> Self {
        topics.iter().fold(Self::default(), |set, topic| set.with(*topic))
    }

    /// Names separated by commas; all if the text is empty.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        if text.trim().is_empty() {
            return Ok(Self::ALL);
        }
        text.split(',').try_fold(Self::default(), |set, name| Ok(set.with(name.trim().parse()?)))
    }

    /// The same with one more.
    #[must_use]
    pub fn with(self, topic: Topic) -> Self {
        Self(self.0 | bit(topic))
    }

    /// What is in either.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one only.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it holds a topic.
    pub fn has(self, topic: Topic) -> bool {
        self.0 & bit(topic) != 0
    }

    /// Whether it holds none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What it holds, by name.
    pub fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.into_iter().filter(move |topic| self.has(*topic))
    }

    /// What an act of the audit log changes. An act that is not known changes everything.
    pub fn of_action(action: &str) -> Self {
        use Topic::{
            Alerts, Collections, Computers, Content, Deployments, Exposure, Groups, Jobs, Reports, Rules, Settings,
            Sites, Synchronization, Updates,
        };
        let subject = action.split('.').next().unwrap_or_default();
        let topics: &[Topic] = match subject {
            "alert" | "subscription" => &[Alerts],
            // who may do what is not shown live
            "approval" | "group_mapping" | "session" | "sign_in_link" | "token" | "user" => return Self::default(),
            "backup" => &[Jobs],
            "bundle" => &[Jobs, Updates],
            "classifications" | "file languages" | "languages" | "products" => &[Synchronization, Updates],
            "cleanup" => &[Jobs],
            "client_settings" => &[Collections, Settings],
            "collection" | "window" => &[Collections, Computers],
            "computer" => &[Collections, Computers],
            "content" => &[Content, Jobs],
            "criteria" | "sync" => &[Jobs, Synchronization, Updates],
            "deployment" | "template" => &[Deployments],
            "downstream" | "site" => &[Sites],
            "eula" => &[Deployments, Updates],
            "export" => &[Jobs],
            "exposure" => &[Exposure],
            "group" => &[Deployments, Groups],
            "import" => &[Jobs, Updates],
            "phased" | "rule" | "rule_template" => &[Deployments, Groups, Rules],
            "report_schedule" => &[Reports],
            "search" => &[Updates],
            "setting" => &[Settings, Synchronization],
            "update" => &[Deployments, Updates],
            _ => return Self::ALL,
        };
        Self::of(topics)
    }
}

fn bit(topic: Topic) -> u16 {
    1 << topic as u8
}

/// A job that waits or runs.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct OpenJob {
    /// Its place among all jobs.
    pub no: i64,
    /// What it does, for example `content.download`.
    pub kind: String,
    /// Anything that differs when it is further.
    pub progress: String,
}

impl OpenJob {
    fn topics(kind: &str) -> Topics {
        match kind.split('.').next().unwrap_or_default() {
            "content" => Topics::of(&[Topic::Content, Topic::Jobs]),
            "sync" => Topics::of(&[Topic::Jobs, Topic::Synchronization]),
            _ => Topics::of(&[Topic::Jobs]),
        }
    }
}

/// What is looked at to see whether something changed. Numbers are compared, not interpreted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pulse {
    /// The change of catalogue, targeting and settings.
    pub change: u64,
    /// The change that scans see.
    pub published: u64,
    /// The change of the directory of computers.
    pub directory: u64,
    /// The change of what computers reported.
    pub feed: u64,
    /// The change of the definitions of collections, and the one whose members are found.
    pub membership: (u64, u64),
    /// The change of exposure.
    pub exposure: u64,
    /// The last act of the audit log.
    pub audit: i64,
    /// The last event of an alert.
    pub alert: i64,
    /// The last event of a phased deployment.
    pub phased: i64,
    /// The last run of a rule.
    pub rule_run: i64,
    /// When sites below reported last.
    pub site: i64,
    /// The last job.
    pub job: i64,
    /// Jobs that wait or run.
    pub open: BTreeSet<OpenJob>,
    /// Imports and exports of this process.
    pub work: u64,
    /// How far the synchronization is.
    pub synchronization: u64,
    /// How far fetching content is.
    pub fetched: u64,
}

impl Pulse {
    /// What moved since `before`; `actions` are what the audit log noted in between.
    pub fn moved<'a>(&self, before: &Self, actions: impl IntoIterator<Item = &'a str>) -> Topics {
        use Topic::{
            Alerts, Collections, Compliance, Computers, Content, Deployments, Exposure, Jobs, Rules, Sites,
            Synchronization, Updates,
        };
        let signs: [(bool, &[Topic]); 12] = [
            // what becomes active by itself is in no audit log
            (self.change != before.change || self.published != before.published, &[Deployments, Updates]),
            (self.directory != before.directory, &[Collections, Computers]),
            (self.feed != before.feed, &[Compliance, Computers]),
            (self.membership != before.membership, &[Collections]),
            (self.exposure != before.exposure, &[Exposure]),
            (self.alert != before.alert, &[Alerts]),
            (self.phased != before.phased || self.rule_run != before.rule_run, &[Rules]),
            (self.site != before.site, &[Sites]),
            // it may have begun and ended in between
            (self.job != before.job, &[Content, Jobs, Synchronization]),
            (self.work != before.work, &[Jobs]),
            (self.synchronization != before.synchronization, &[Jobs, Synchronization]),
            (self.fetched != before.fetched, &[Content, Jobs]),
        ];
        let moved = signs.iter().filter(|(is, _)| *is);
        let moved = moved.fold(Topics::default(), |set, (_, topics)| set.and(Topics::of(topics)));
        let jobs = self.open.symmetric_difference(&before.open);
        let moved = jobs.fold(moved, |set, job| set.and(OpenJob::topics(&job.kind)));
        actions.into_iter().fold(moved, |set, action| set.and(Topics::of_action(action)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(topics: Topics) -> Vec<&'static str> {
        topics.iter().map(Topic::name).collect()
    }

    #[test]
    fn topics_are_named_and_parsed() {
        assert_eq!(names(Topics::parse("updates, alerts").expect("known")), ["alerts", "updates"]);
        assert_eq!(Topics::parse(" ").expect("all"), Topics::ALL);
        assert_eq!(names(Topics::ALL).len(), Topic::ALL.len());
        assert_eq!(Topics::parse("updates,colour").expect_err("unknown").to_string(), "there is no topic \"colour\"");
        assert!(Topics::parse("updates,").is_err());
        for topic in Topic::ALL {
            assert_eq!(topic.name().parse(), Ok(topic));
            assert!(topic.meaning().ends_with('.'));
        }
    }

    #[test]
    fn sets_are_sets() {
        let (a, b) = (Topics::of(&[Topic::Alerts, Topic::Jobs]), Topics::of(&[Topic::Jobs, Topic::Rules]));
        assert_eq!(names(a.and(b)), ["alerts", "jobs", "rules"]);
        assert_eq!(names(a.within(b)), ["jobs"]);
        assert_eq!(names(a.without(b)), ["alerts"]);
        assert!(a.without(a).is_empty() && !a.is_empty());
    }

    #[test]
    fn nothing_moves_while_nothing_changes() {
        let pulse = Pulse { change: 7, feed: 9, ..Pulse::default() };
        assert!(pulse.moved(&pulse, []).is_empty());
    }

    #[test]
    fn acts_say_what_they_change() {
        let pulse = Pulse::default();
        assert_eq!(names(pulse.moved(&pulse, ["group.members"])), ["deployments", "groups"]);
        assert_eq!(
            names(pulse.moved(&pulse, ["alert.mute", "setting.set"])),
            ["alerts", "settings", "synchronization"]
        );
        assert!(pulse.moved(&pulse, ["session.create"]).is_empty());
        assert_eq!(pulse.moved(&pulse, ["something.new"]), Topics::ALL, "what is not known is not left out");
    }

    #[test]
    fn numbers_and_jobs_say_what_nobody_did() {
        let before = Pulse::default();
        let job = |progress: &str| OpenJob { no: 4, kind: "sync.run".to_owned(), progress: progress.to_owned() };
        let active = Pulse { change: 1, ..Pulse::default() };
        assert_eq!(names(active.moved(&before, [])), ["deployments", "updates"]);
        let reported = Pulse { feed: 1, ..Pulse::default() };
        assert_eq!(names(reported.moved(&before, [])), ["compliance", "computers"]);
        let one = Pulse { job: 4, open: BTreeSet::from([job("1")]), ..Pulse::default() };
        let two = Pulse { job: 4, open: BTreeSet::from([job("2")]), ..Pulse::default() };
        assert_eq!(names(two.moved(&one, [])), ["jobs", "synchronization"]);
        let ended = Pulse { job: 4, ..Pulse::default() };
        assert_eq!(names(ended.moved(&two, [])), ["jobs", "synchronization"]);
        assert_eq!(names(ended.moved(&before, [])), ["content", "jobs", "synchronization"]);
    }
}
