//! Status messages, what is done about alerts, subscriptions and deliveries.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    alert::notice::{self, Message, Plan, Rule, What},
    message::{CONTENT_FAILED, Component, MessageSeverity, SYNC_DONE, SYNC_FAILED},
};

use super::{Scratch, time};
use crate::{
    Actor, Store, StoreError,
    alert::{AlertFilter, AlertMoment, AlertSeverity},
    delivery::{Attempt, DeliveryState, NewDelivery},
    status_message::StatusMessageFilter,
    subscription::{Channel, Subscription},
};

fn at<T>(store: &Store, second: i64, work: impl FnOnce(&crate::WriteTx<'_>) -> Result<T, StoreError>) -> T {
    store.write(&Actor::principal("anna", None, time(second)), work).expect("writes")
}

fn messages(store: &Store, filter: &StatusMessageFilter) -> Vec<(u32, String)> {
    let page = store.read(|tx| tx.status_message_page(filter, None, 100)).expect("reads");
    page.items.into_iter().map(|row| (row.code, row.text)).collect()
}

fn open(store: &Store, second: i64, kind: &str, subject: &str, severity: AlertSeverity) -> bool {
    at(store, second, |tx| tx.alert_open(kind, subject, severity, "words"))
}

pub(super) fn subscription(name: &str) -> Subscription {
    Subscription {
        name: name.into(),
        enabled: true,
        kinds: vec!["content".into()],
        least: AlertSeverity::Warning,
        channel: Channel::Webhook,
        addresses: Vec::new(),
        url: "https://hooks.example/x".into(),
        allow_http: false,
        secret: "hush".into(),
        secret_before: None,
        repeat_minutes: 0,
        on_close: true,
        group_seconds: 0,
        most_per_hour: 20,
    }
}

#[test]
fn messages_are_filtered_paged_and_bounded() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    for second in 0..10 {
        at(store, second, |tx| {
            let source = ("source", format!("http://up{second}"));
            if second % 2 == 0 {
                tx.status_message(&SYNC_DONE, &[source], None)
            } else {
                tx.status_message(&SYNC_FAILED, &[source, ("reason", "Refused\nthrice".into())], Some(("run", "7")))
            }
        });
    }
    at(store, 10, |tx| tx.status_message(&CONTENT_FAILED, &[("reason", "dry".into())], None));
    assert_eq!(messages(store, &StatusMessageFilter::default()).len(), 11);
    let of = |component| StatusMessageFilter { component: Some(component), ..StatusMessageFilter::default() };
    assert_eq!(messages(store, &of(Component::Content)), [(1502, "Content files cannot be fetched: dry".to_owned())]);
    let least = |least| StatusMessageFilter { least: Some(least), ..StatusMessageFilter::default() };
    assert_eq!(messages(store, &least(MessageSeverity::Error)).len(), 5);
    assert_eq!(messages(store, &least(MessageSeverity::Warning)).len(), 6);
    let since = StatusMessageFilter { since: Some(time(8)), ..StatusMessageFilter::default() };
    assert_eq!(messages(store, &since).len(), 3);
    let text = |text: &str| StatusMessageFilter { text: Some(text.into()), ..StatusMessageFilter::default() };
    assert_eq!(messages(store, &text("REFUSED thrice")).len(), 5, "in one line");
    assert_eq!(messages(store, &text("100%")).len(), 0);
    let code = StatusMessageFilter { code: Some(1002), ..StatusMessageFilter::default() };
    let first = store.read(|tx| tx.status_message_page(&code, None, 2)).expect("reads");
    let rest = store.read(|tx| tx.status_message_page(&code, first.next.as_deref(), 10)).expect("reads");
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 3, None));
    let failed = store.read(|tx| tx.status_message_page(&least(MessageSeverity::Error), None, 1)).expect("reads");
    assert_eq!(failed.items[0].about, Some(("run".to_owned(), "7".to_owned())));
    assert_eq!(failed.items[0].parameters["reason"], "Refused thrice");

    assert_eq!(at(store, 20, |tx| tx.status_message_prune(time(2), 100, 100)), 2, "by age");
    assert_eq!(at(store, 20, |tx| tx.status_message_prune(time(0), 4, 3)), 3, "by number, so many at once");
    assert_eq!(at(store, 20, |tx| tx.status_message_prune(time(0), 4, 100)), 2);
    assert_eq!(messages(store, &StatusMessageFilter::default()).len(), 4);
    let lost = store.write(&super::actor(1), |tx| {
        tx.status_message(&CONTENT_FAILED, &[], None)?;
        Err::<(), _>(StoreError::Busy { action: "testing" })
    });
    assert!(lost.is_err());
    assert_eq!(messages(store, &StatusMessageFilter::default()).len(), 4, "nothing is said of what did not happen");
}

#[test]
fn alerts_have_a_history_and_administrators() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    assert!(open(store, 1, "rule.failed", "Monthly", AlertSeverity::Warning));
    assert!(!open(store, 2, "rule.failed", "Monthly", AlertSeverity::Critical));
    let no = store.read(|tx| tx.alert_open_of("rule.failed", "Monthly")).expect("reads").expect("open").no;
    at(store, 3, |tx| tx.alert_acknowledge(no, Some("on it")));
    at(store, 4, |tx| tx.alert_mute(no, Some(time(100)), None));
    let row = store.read(|tx| tx.alert_show(no)).expect("reads").expect("there");
    assert_eq!(row.acknowledged, Some((time(3), "anna".to_owned())));
    assert_eq!(row.muted, Some((time(100), "anna".to_owned())));
    assert_eq!((row.note.as_deref(), row.count, row.severity), (Some("on it"), 2, AlertSeverity::Critical));
    assert!(at(store, 5, |tx| tx.alert_close_by_hand(no, Some("fixed"))));
    assert!(!at(store, 6, |tx| tx.alert_close_by_hand(no, None)), "it is closed");
    let events = store.read(|tx| tx.alert_events(no)).expect("reads");
    assert_eq!(
        events.iter().map(|event| (event.what, event.note.as_deref())).collect::<Vec<_>>(),
        [
            (AlertMoment::Opened, None),
            (AlertMoment::Changed, Some("warning to critical")),
            (AlertMoment::Acknowledged, Some("on it")),
            (AlertMoment::Muted, None),
            (AlertMoment::Closed, Some("fixed")),
        ]
    );
    assert!(open(store, 50, "rule.failed", "Monthly", AlertSeverity::Warning));
    let again = store.read(|tx| tx.alert_open_of("rule.failed", "Monthly")).expect("reads").expect("open");
    assert_eq!((again.muted, again.acknowledged), (Some((time(100), "anna".to_owned())), None), "it stays muted");
    assert!(at(store, 101, |tx| tx.alert_close("rule.failed", "Monthly")));
    assert!(open(store, 102, "rule.failed", "Monthly", AlertSeverity::Warning));
    let last = store.read(|tx| tx.alert_open_of("rule.failed", "Monthly")).expect("reads").expect("open");
    assert_eq!(last.muted, None);
    let said = messages(store, &StatusMessageFilter { component: Some(Component::Rules), ..Default::default() });
    assert_eq!(said.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [1902, 1904, 1902, 1904, 1902]);
    assert_eq!(at(store, 200, |tx| tx.alert_prune(time(50), 10)), 1, "the first one closed before");
    assert!(store.read(|tx| tx.alert_events(no)).expect("reads").is_empty());
    assert_eq!(at(store, 200, |tx| tx.alert_prune(time(199), 10)), 1, "an open one stays");
}

#[test]
fn alerts_are_listed_open_first_and_counted() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    for second in 0..6 {
        open(
            store,
            second,
            if second < 3 { "content.mismatch" } else { "sync.failed" },
            &second.to_string(),
            AlertSeverity::Warning,
        );
    }
    open(store, 6, "contents.other", "x", AlertSeverity::Critical);
    at(store, 7, |tx| tx.alert_close("sync.failed", "5"));
    at(store, 8, |tx| tx.alert_close("content.mismatch", "0"));
    let list = |filter: &AlertFilter| {
        let (mut cursor, mut found) = (None, Vec::new());
        loop {
            let page = store.read(|tx| tx.alert_page(filter, cursor.as_deref(), 2)).expect("reads");
            found.extend(page.items.into_iter().map(|row| row.subject));
            cursor = page.next;
            if cursor.is_none() {
                return found.join("");
            }
        }
    };
    assert_eq!(list(&AlertFilter::default()), "x432150");
    assert_eq!(list(&AlertFilter { open: Some(true), ..Default::default() }), "x4321");
    assert_eq!(list(&AlertFilter { open: Some(false), ..Default::default() }), "50");
    assert_eq!(list(&AlertFilter { kind: Some("content".into()), ..Default::default() }), "210");
    assert_eq!(list(&AlertFilter { least: Some(AlertSeverity::Critical), ..Default::default() }), "x");
    assert_eq!(list(&AlertFilter { since: Some(time(4)), ..Default::default() }), "x45");
    assert!(store.read(|tx| tx.alert_page(&AlertFilter::default(), Some("7"), 2)).is_err());
    assert_eq!(store.read(|tx| tx.alert_subjects("content.mismatch")).expect("reads"), ["1", "2"]);
    let no = store.read(|tx| tx.alert_open_of("sync.failed", "3")).expect("reads").expect("open").no;
    at(store, 9, |tx| tx.alert_mute(no, Some(time(20)), None));
    at(store, 9, |tx| tx.alert_acknowledge(no, None));
    let counts = |second| {
        let rows = store.read(|tx| tx.alert_counts(time(second))).expect("reads");
        rows.into_iter().map(|row| (row.kind, row.open, row.acknowledged, row.muted)).collect::<Vec<_>>()
    };
    let sync = |muted| ("sync.failed".to_owned(), 2, 1, muted);
    assert_eq!(counts(10), [("content.mismatch".into(), 2, 0, 0), ("contents.other".into(), 1, 0, 0), sync(1)]);
    assert_eq!(counts(20)[2], sync(0));
}

#[test]
fn subscriptions_are_kept_found_and_end_with_their_deliveries() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let wanted = Subscription {
        addresses: vec!["a@b".into(), "c@d".into()],
        secret_before: Some(("old".into(), time(50))),
        ..subscription("Ädmins")
    };
    at(store, 1, |tx| tx.subscription_put(id, &wanted, time(1)));
    let row = store.read(|tx| tx.subscription_find("äDMINS")).expect("reads").expect("found");
    assert_eq!((row.id, &row.wanted, row.since, row.created_by.as_str()), (id, &wanted, time(1), "anna"));
    let twice = store.write(&super::actor(2), |tx| tx.subscription_put(other, &wanted, time(1)));
    assert!(matches!(&twice, Err(StoreError::Constraint { rule, .. }) if rule.contains("unique")), "{twice:?}");
    assert_eq!(at(store, 3, |tx| tx.subscription_bad(id, "dead")), 1);
    assert_eq!(at(store, 4, |tx| tx.subscription_bad(id, "dead still")), 2);
    let state = store.read(|tx| tx.subscription_show(id)).expect("reads").expect("there").state;
    assert_eq!((state.failures, state.last_error.as_deref(), state.failed_at), (2, Some("dead still"), Some(time(4))));
    at(store, 5, |tx| tx.subscription_good(id));
    let state = store.read(|tx| tx.subscription_show(id)).expect("reads").expect("there").state;
    assert_eq!((state.failures, state.last_error, state.succeeded_at), (0, None, Some(time(5))));
    at(store, 6, |tx| tx.subscription_off(id, "gone"));
    let row = store.read(|tx| tx.subscription_show(id)).expect("reads").expect("there");
    assert_eq!((row.wanted.enabled, row.disabled_because.as_deref()), (false, Some("gone")));
    at(store, 7, |tx| tx.subscription_put(id, &Subscription { name: "Ops".into(), ..wanted.clone() }, time(7)));
    let row = store.read(|tx| tx.subscription_show(id)).expect("reads").expect("there");
    assert_eq!((row.wanted.enabled, row.disabled_because, row.created_at), (true, None, time(1)));
    at(store, 8, |tx| tx.delivery_create(&new(1, id)));
    at(store, 9, |tx| tx.subscription_delete(id));
    assert!(store.read(|tx| tx.delivery_page(None, None, None, 10)).expect("reads").items.is_empty());
    assert!(!format!("{wanted:?}").contains("hush"), "secrets are not logged");
}

fn new(number: u128, subscription: Uuid) -> NewDelivery {
    NewDelivery {
        id: Uuid::from_u128(number),
        subscription,
        event: "alert.opened".into(),
        alert: Some(1),
        payload: "{}".into(),
    }
}

#[test]
fn deliveries_wait_are_leased_put_off_and_end() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let id = Uuid::from_u128(1);
    at(store, 0, |tx| tx.subscription_put(id, &subscription("Ops"), time(0)));
    for number in 1..=3 {
        at(store, number, |tx| tx.delivery_create(&new(number as u128, id)));
    }
    let due = |second| {
        let rows = store.read(|tx| tx.delivery_due(time(second), 10)).expect("reads");
        let attempts = |no| store.read(|tx| tx.delivery_show(no)).expect("reads").expect("there").attempts;
        rows.into_iter().map(|(no, _)| (no, attempts(no))).collect::<Vec<_>>()
    };
    assert_eq!(due(2), [(1, 0), (2, 0)]);
    assert!(at(store, 4, |tx| tx.delivery_take(1, "me", time(60))));
    assert_eq!(due(5), [(2, 0), (3, 0)], "one is under way");
    assert_eq!(due(60), [(1, 1), (2, 0), (3, 0)], "its lease ended");
    let failed = Attempt { error: Some("dead".into()), answer: Some("503".into()) };
    at(store, 6, |tx| tx.delivery_again(1, time(36), &failed));
    assert_eq!(due(35), [(2, 0), (3, 0)]);
    assert_eq!(store.read(|tx| tx.delivery_next()).expect("reads"), Some(time(2)));
    assert!(at(store, 7, |tx| tx.delivery_take(2, "me", time(600))));
    assert_eq!(at(store, 8, |tx| tx.delivery_give_back()), 1);
    assert_eq!(due(36), [(2, 1), (3, 0), (1, 1)]);
    assert!(at(store, 40, |tx| tx.delivery_end(2, DeliveryState::Delivered, &Attempt::default())));
    assert!(!at(store, 41, |tx| tx.delivery_end(2, DeliveryState::GivenUp, &failed)), "it ended");
    assert_eq!(store.read(|tx| tx.delivery_waiting()).expect("reads"), [(id, 2)]);
    assert_eq!(store.read(|tx| tx.delivery_recent(id, time(1))).expect("reads"), [time(2), time(3)]);
    assert_eq!(at(store, 42, |tx| tx.delivery_drop(id)), 2);
    let page = |state| store.read(|tx| tx.delivery_page(Some(id), state, None, 10)).expect("reads").items;
    assert_eq!(page(None).iter().map(|row| row.no).collect::<Vec<_>>(), [3, 2, 1]);
    let dropped = page(Some(DeliveryState::Dropped));
    assert_eq!(
        (dropped.len(), dropped[1].last_error.as_deref(), dropped[1].answer.as_deref()),
        (2, Some("dead"), Some("503"))
    );
    assert_eq!(at(store, 50, |tx| tx.delivery_prune(time(42), 10)), 1);
    assert_eq!(page(None).len(), 2);
}

#[test]
fn what_was_put_off_by_a_clock_that_was_ahead_is_due() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let id = Uuid::from_u128(1);
    at(store, 0, |tx| tx.subscription_put(id, &subscription("Ops"), time(0)));
    at(store, 1, |tx| tx.delivery_create(&new(1, id)));
    let due = |second| store.read(|tx| tx.delivery_due(time(second), 10)).expect("reads").len();
    at(store, 2, |tx| tx.delivery_again(1, time(4_000), &Attempt::default()));
    assert_eq!(due(3), 0, "an hour is a pause");
    at(store, 4, |tx| tx.delivery_again(1, time(365 * 24 * 3_600), &Attempt::default()));
    assert_eq!(due(5), 1, "a year is none");
}

/// What the plan says of these rows, carried out.
fn tell(store: &Store, id: Uuid, rule: &Rule, second: i64) -> Vec<(i64, What)> {
    let now = time(second);
    let (seen, recent) =
        store.read(|tx| Ok((tx.alert_news(id, rule, now)?, tx.delivery_recent(id, Timestamp::MIN)?))).expect("reads");
    let Plan::Tell(messages) = notice::plan(rule, &seen, &recent, 0, now) else { return Vec::new() };
    let items: Vec<_> = messages
        .into_iter()
        .flat_map(|message| match message {
            Message::One(item) => vec![item],
            Message::Digest(items) => items,
        })
        .collect();
    at(store, second, |tx| items.iter().try_for_each(|(no, what)| tx.alert_told(id, *no, *what == What::Closed)));
    items
}

#[test]
fn what_was_told_is_kept() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let id = Uuid::from_u128(1);
    at(store, 0, |tx| tx.subscription_put(id, &subscription("Ops"), time(0)));
    let rule = Rule {
        name: "Ops".into(),
        kinds: vec!["content".parse().expect("kind")],
        least: AlertSeverity::Warning,
        since: time(5),
        repeat: Some(SignedDuration::from_secs(100)),
        on_close: true,
        group: SignedDuration::ZERO,
        most_per_hour: 100,
    };
    open(store, 1, "content.mismatch", "before", AlertSeverity::Critical);
    open(store, 6, "content.mismatch", "a", AlertSeverity::Critical);
    open(store, 7, "sync.failed", "b", AlertSeverity::Critical);
    open(store, 8, "content.mismatch", "c", AlertSeverity::Information);
    assert_eq!(tell(store, id, &rule, 10), [(2, What::Opened)]);
    assert_eq!(tell(store, id, &rule, 11), []);
    assert_eq!(tell(store, id, &rule, 110), [(2, What::Repeated)]);
    at(store, 111, |tx| tx.alert_acknowledge(2, None));
    assert_eq!(tell(store, id, &rule, 300), []);
    at(store, 301, |tx| tx.alert_close("content.mismatch", "a"));
    assert_eq!(tell(store, id, &Rule { on_close: false, ..rule.clone() }, 302), []);
    let scratch = scratch.reopen();
    let store = &scratch.store;
    assert_eq!(tell(store, id, &rule, 303), [(2, What::Closed)]);
    assert_eq!(tell(store, id, &rule, 304), []);
    open(store, 400, "content.mismatch", "a", AlertSeverity::Critical);
    assert_eq!(tell(store, id, &rule, 401), [(5, What::Opened)], "it is another one");
    at(store, 402, |tx| tx.alert_close("content.mismatch", "a"));
    at(store, 403, |tx| tx.alert_told_forget(id));
    assert_eq!(tell(store, id, &rule, 404), [], "left out");
}
