//! Who is told of what, and in how many messages.
//!
//! Nothing is queued when an alert opens. Again and again what the rows say is compared with what a subscription was told;
//! the difference, once it has rested for the group time, becomes one message for each alert, or one digest when there are
//! many. So a storm of a thousand alerts is one message, an alert that closes at once is none, and a restart changes nothing.

use jiff::{SignedDuration, Timestamp};

use super::{AlertSeverity, KindPrefix};
use crate::skew::is_ahead;

/// So many alerts at once have a message each; more become one digest.
pub const MOST_SINGLE: usize = 5;
/// Messages of one subscription that may wait for their receiver. While so many do, what is new waits as alerts do, and
/// becomes a digest.
pub const MOST_WAITING: usize = 20;
/// Alerts that one digest stands for.
pub const MOST_IN_DIGEST: usize = 1_000;
/// Kind of the alert that a subscription's receiver cannot be reached; its subject is the subscription's name.
pub const FAILED: &str = "notification.failed";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a subscription asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name: it is not told of its own failures.
    pub name: String,
    /// Kinds; none is all.
    pub kinds: Vec<KindPrefix>,
    /// The mildest severity.
    pub least: AlertSeverity,
    /// Alerts that opened before are not told.
    pub since: Timestamp,
    /// How often an open alert that nobody acknowledged is told again; none is never.
    pub repeat: Option<SignedDuration>,
    /// Tell that an alert closed, too.
    pub on_close: bool,
    /// How long news rest, to be told together.
    pub group: SignedDuration,
    /// Messages within any hour.
    pub most_per_hour: u32,
}

/// An alert, and what the subscription was told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Its number.
    pub no: i64,
    /// Its kind.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// An administrator knows of it.
    pub acknowledged: bool,
    /// Nobody is told until then.
    pub muted_until: Option<Timestamp>,
    /// When the subscription was told last that it is open.
    pub told_at: Option<Timestamp>,
    /// It was told that the alert closed.
    pub told_closed: bool,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// It opened.
    Opened,
    /// It is still open.
    Repeated,
    /// It closed.
    Closed,
}

impl What {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Repeated => "repeated",
            Self::Closed => "closed",
        }
    }
}

/// One alert in a message.
pub type Item = (i64, What);

/// A message to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// About one alert.
    One(Item),
    /// About many.
    Digest(Vec<Item>),
}

/// What to do for a subscription now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Plan {
    /// There is no news.
    Nothing,
    /// There is, and it waits until then at least.
    Wait(Timestamp),
    /// These messages.
    Tell(Vec<Message>),
}

impl Rule {
    /// Whether the rule asks for alerts of this kind and severity, whatever their state.
    pub fn wants(&self, kind: &str, subject: &str, severity: AlertSeverity) -> bool {
        severity >= self.least
            && (self.kinds.is_empty() || self.kinds.iter().any(|prefix| prefix.holds(kind)))
            && !(kind == FAILED && subject == self.name)
    }

    /// Alerts that opened before are not told: none is left out for a clock that has been set back since.
    pub fn told_from(&self, now: Timestamp) -> Timestamp {
        if is_ahead(self.since, now) { Timestamp::MIN } else { self.since }
    }

    /// What there is to tell of an alert, and since when.
    fn news(&self, seen: &Seen, now: Timestamp) -> Option<(What, Timestamp)> {
        if !self.wants(&seen.kind, &seen.subject, seen.severity) || seen.muted_until.is_some_and(|until| until > now) {
            return None;
        }
        match (seen.closed_at, seen.told_at) {
            (Some(closed), Some(_)) => (self.on_close && !seen.told_closed).then_some((What::Closed, closed)),
            (Some(_), None) => None,
            (None, _) if seen.acknowledged => None,
            (None, None) => {
                let fresh = seen.opened_at >= self.told_from(now);
                // what was muted counts from the end of that
                fresh.then_some((What::Opened, seen.muted_until.unwrap_or(seen.opened_at).max(seen.opened_at)))
            }
            (None, Some(told)) => {
                let repeat = self.repeat?;
                let again = if is_ahead(told, now) { Timestamp::MIN } else { told.checked_add(repeat).ok()? };
                (again <= now).then_some((What::Repeated, again))
            }
        }
    }
}

/// What to do now. `alerts`: open ones, and closed ones that the subscription was told of; `recent`: when its messages of
/// the last hour were made; `waiting`: how many of its messages wait for the receiver.
pub fn plan(rule: &Rule, alerts: &[Seen], recent: &[Timestamp], waiting: usize, now: Timestamp) -> Plan {
    let mut news: Vec<(Timestamp, AlertSeverity, Item)> = alerts
        .iter()
        .filter_map(|seen| rule.news(seen, now).map(|(what, since)| (since, seen.severity, (seen.no, what))))
        .collect();
    let Some(oldest) = news.iter().map(|(since, ..)| *since).min() else { return Plan::Nothing };
    // what is dated ahead has rested long enough
    let rested = if is_ahead(oldest, now) { now } else { oldest.checked_add(rule.group).unwrap_or(now) };
    if rested > now {
        return Plan::Wait(rested);
    }
    let within: Vec<Timestamp> =
        recent.iter().copied().filter(|at| now.duration_since(*at) < HOUR && !is_ahead(*at, now)).collect();
    let most = rule.most_per_hour.max(1) as usize;
    let Some(budget) = most.checked_sub(within.len()).filter(|budget| *budget > 0) else {
        let free = within.iter().min().and_then(|first| first.checked_add(HOUR).ok());
        return Plan::Wait(free.unwrap_or(now));
    };
    let room = MOST_WAITING.saturating_sub(waiting);
    if room == 0 {
        return Plan::Wait(now.checked_add(SignedDuration::from_secs(10)).unwrap_or(now));
    }
    // the worst first, then in the order in which they opened
    news.sort_by_key(|(_, severity, (no, what))| (std::cmp::Reverse(*severity), *no, *what));
    let mut items: Vec<Item> = news.into_iter().map(|(_, _, item)| item).collect();
    if items.len() <= MOST_SINGLE.min(budget).min(room) {
        return Plan::Tell(items.into_iter().map(Message::One).collect());
    }
    items.truncate(MOST_IN_DIGEST);
    Plan::Tell(vec![match items.as_slice() {
        [one] => Message::One(*one),
        _ => Message::Digest(items),
    }])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("in range")
    }

    fn rule() -> Rule {
        Rule {
            name: "Admins".into(),
            kinds: Vec::new(),
            least: AlertSeverity::Warning,
            since: at(0),
            repeat: None,
            on_close: false,
            group: SignedDuration::from_secs(30),
            most_per_hour: 20,
        }
    }

    fn seen(no: i64) -> Seen {
        Seen {
            no,
            kind: "content.mismatch".into(),
            subject: format!("file {no}"),
            severity: AlertSeverity::Critical,
            opened_at: at(10),
            closed_at: None,
            acknowledged: false,
            muted_until: None,
            told_at: None,
            told_closed: false,
        }
    }

    fn tell(rule: &Rule, alerts: &[Seen], now: i64) -> Plan {
        plan(rule, alerts, &[], 0, at(now))
    }

    #[test]
    fn news_rests_and_is_told_once() {
        assert_eq!(tell(&rule(), &[seen(1)], 39), Plan::Wait(at(40)));
        assert_eq!(tell(&rule(), &[seen(1)], 40), Plan::Tell(vec![Message::One((1, What::Opened))]));
        assert_eq!(tell(&rule(), &[Seen { told_at: Some(at(40)), ..seen(1) }], 9_000), Plan::Nothing);
    }

    #[test]
    fn a_clock_that_was_ahead_silences_nobody() {
        let year = 365 * 24 * 3_600;
        let told = Plan::Tell(vec![Message::One((1, What::Opened))]);
        // the subscription was made then, or the alert opened then
        assert_eq!(tell(&Rule { since: at(year), ..rule() }, &[seen(1)], 40), told);
        assert_eq!(tell(&rule(), &[Seen { opened_at: at(year), ..seen(1) }], 40), told);
        // so many messages were made then as may be within an hour
        let recent = [at(year); 20];
        assert_eq!(plan(&rule(), &[seen(1)], &recent, 0, at(40)), told);
        // it was told then
        let repeats = Rule { repeat: Some(HOUR), ..rule() };
        let seen = Seen { told_at: Some(at(year)), ..seen(1) };
        assert_eq!(tell(&repeats, &[seen], 40), Plan::Tell(vec![Message::One((1, What::Repeated))]));
    }

    #[test]
    fn what_is_not_asked_for_is_not_told() {
        let kinds = Rule { kinds: vec!["sync".parse().expect("kind")], ..rule() };
        assert_eq!(tell(&kinds, &[seen(1)], 100), Plan::Nothing);
        let mild = Seen { severity: AlertSeverity::Information, ..seen(1) };
        assert_eq!(tell(&rule(), &[mild], 100), Plan::Nothing);
        assert_eq!(tell(&Rule { since: at(11), ..rule() }, &[seen(1)], 100), Plan::Nothing, "it opened before");
        assert_eq!(tell(&rule(), &[Seen { closed_at: Some(at(20)), ..seen(1) }], 100), Plan::Nothing, "gone at once");
        assert_eq!(tell(&rule(), &[Seen { acknowledged: true, ..seen(1) }], 100), Plan::Nothing);
        let own = Seen { kind: FAILED.into(), subject: "Admins".into(), ..seen(1) };
        assert_eq!(tell(&rule(), std::slice::from_ref(&own), 100), Plan::Nothing, "its own failure");
        assert_ne!(tell(&Rule { name: "Others".into(), ..rule() }, &[own], 100), Plan::Nothing);
    }

    #[test]
    fn a_muted_alert_is_told_when_that_ends() {
        let muted = Seen { muted_until: Some(at(500)), ..seen(1) };
        assert_eq!(tell(&rule(), std::slice::from_ref(&muted), 499), Plan::Nothing);
        assert_eq!(tell(&rule(), std::slice::from_ref(&muted), 500), Plan::Wait(at(530)));
        assert_eq!(tell(&rule(), &[muted], 530), Plan::Tell(vec![Message::One((1, What::Opened))]));
    }

    #[test]
    fn repeats_and_closings_are_told_if_asked_for() {
        let again = Rule { repeat: Some(SignedDuration::from_hours(1)), group: SignedDuration::ZERO, ..rule() };
        let told = Seen { told_at: Some(at(40)), ..seen(1) };
        assert_eq!(tell(&again, std::slice::from_ref(&told), 3_639), Plan::Nothing);
        assert_eq!(
            tell(&again, std::slice::from_ref(&told), 3_640),
            Plan::Tell(vec![Message::One((1, What::Repeated))])
        );
        assert_eq!(tell(&again, &[Seen { acknowledged: true, ..told.clone() }], 3_640), Plan::Nothing);
        let closed = Seen { closed_at: Some(at(60)), acknowledged: true, ..told };
        assert_eq!(tell(&rule(), std::slice::from_ref(&closed), 200), Plan::Nothing);
        let both = Rule { on_close: true, ..rule() };
        assert_eq!(tell(&both, std::slice::from_ref(&closed), 200), Plan::Tell(vec![Message::One((1, What::Closed))]));
        assert_eq!(tell(&both, &[Seen { told_closed: true, ..closed }], 200), Plan::Nothing);
    }

    #[test]
    fn a_storm_is_one_digest_with_the_worst_first() {
        let mut alerts: Vec<Seen> = (1..=1_000).map(seen).collect();
        alerts[0].severity = AlertSeverity::Warning;
        let Plan::Tell(messages) = tell(&rule(), &alerts, 100) else { panic!("told") };
        let [Message::Digest(items)] = messages.as_slice() else { panic!("one digest: {}", messages.len()) };
        assert_eq!((items.len(), items[0].0, items[999].0), (1_000, 2, 1));
        let Plan::Tell(five) = tell(&rule(), &alerts[..5], 100) else { panic!("told") };
        assert_eq!(five.len(), 5);
        let Plan::Tell(six) = tell(&rule(), &alerts[..6], 100) else { panic!("told") };
        assert_eq!(six.len(), 1);
    }

    #[test]
    fn an_hour_has_a_budget_and_the_queue_has_an_end() {
        let recent: Vec<Timestamp> = (0..20).map(at).collect();
        assert_eq!(plan(&rule(), &[seen(1)], &recent, 0, at(100)), Plan::Wait(at(3_600)));
        assert_ne!(plan(&rule(), &[seen(1)], &recent, 0, at(3_600)), Plan::Wait(at(3_600)));
        assert_eq!(plan(&rule(), &[seen(1)], &[], MOST_WAITING, at(100)), Plan::Wait(at(110)));
        let two = [seen(1), seen(2)];
        let Plan::Tell(last) = plan(&rule(), &two, &recent[..19], 0, at(100)) else { panic!("told") };
        assert!(matches!(last.as_slice(), [Message::Digest(items)] if items.len() == 2), "one message is left");
    }

    /// Lets time pass: alerts open as given, and the plan of each second is carried out.
    fn live(rule: &Rule, opens: &[i64], until: i64) -> (Vec<Timestamp>, Vec<Seen>) {
        let (mut made, mut alerts) = (Vec::<Timestamp>::new(), Vec::<Seen>::new());
        for second in 0..until {
            let now = at(second);
            for (no, _) in opens.iter().enumerate().filter(|(_, opens)| **opens == second) {
                alerts.push(Seen { opened_at: now, ..seen(no as i64) });
            }
            if let Plan::Tell(messages) = plan(rule, &alerts, &made, 0, now) {
                for message in messages {
                    made.push(now);
                    let items = match message {
                        Message::One(item) => vec![item],
                        Message::Digest(items) => items,
                    };
                    for (no, what) in items {
                        let alert = alerts.iter_mut().find(|alert| alert.no == no).expect("there");
                        assert!(what == What::Opened && alert.told_at.is_none(), "told twice");
                        alert.told_at = Some(now);
                    }
                }
            }
        }
        (made, alerts)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn everything_is_told_once_within_the_budget(
            opens in proptest::collection::vec(0_i64..2_000, 0..60), most in 1_u32..6, group in 0_i64..120
        ) {
            let rule = Rule { most_per_hour: most, group: SignedDuration::from_secs(group), ..rule() };
            let (made, alerts) = live(&rule, &opens, 2_000 + 3_600 + 121);
            prop_assert!(alerts.iter().all(|alert| alert.told_at.is_some()), "all are told within an hour");
            for start in &made {
                let hour = made.iter().filter(|at| **at >= *start && at.duration_since(*start) < HOUR).count();
                prop_assert!(hour <= most as usize, "{hour} messages within an hour");
            }
        }
    }
}
