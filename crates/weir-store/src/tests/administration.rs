//! Settings, selections, audit log, jobs, alerts, access, keys and content rows.

use serde_json::json;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, ContentDigest, Sha256Digest},
    rights::{Grant, Role, Scope},
};

use super::{Scratch, actor, file, software, time};
use crate::{
    Actor, Store, StoreError,
    alert::AlertSeverity,
    approval::{ApprovalState, Held, Shown},
    audit::AuditFilter,
    content_file::{ContentFileRow, ContentState, ContentTotals},
    job::JobState,
    revision::NewRevision,
    selection::SelectionKind,
    user::{BUILT_IN, User},
};

pub(super) fn fill(scratch: &Scratch) {
    scratch.write(|tx| {
        tx.site_create(Uuid::from_u128(1))?;
        tx.keys_insert([1; 32])?;
        tx.setting_put("source", &json!("none"))?;
        tx.selection_set(SelectionKind::Languages, &["en".to_owned()])?;
        tx.audit("setting.change", "source", None, Some(&json!("none")))?;
        tx.job_create(Uuid::from_u128(1), "content.download", &json!({}))?;
        tx.alert_open("content.mismatch", "x", AlertSeverity::Warning, "m")?;
        tx.token_put("t", Sha256Digest([1; 32]), "administrator", None, None)?;
        tx.session_create(Uuid::from_u128(2), Sha256Digest([2; 32]), BUILT_IN, time(10), None, None)?;
        tx.sign_in_code_create(Sha256Digest([3; 32]), "administrator", time(10), None)
    });
}

fn at<T>(store: &Store, second: i64, work: impl FnOnce(&crate::WriteTx<'_>) -> Result<T, StoreError>) -> T {
    store.write(&Actor::system("test", time(second)), work).expect("writes")
}

#[test]
fn a_site_has_one_identity() {
    let scratch = Scratch::new();
    assert_eq!(scratch.store.read(|tx| tx.site()).expect("reads"), None);
    scratch.write(|tx| tx.site_create(Uuid::from_u128(7)));
    let again = scratch.store.write(&actor(0), |tx| tx.site_create(Uuid::from_u128(8)));
    assert!(matches!(&again, Err(StoreError::Constraint { rule, .. }) if rule.contains("one identity")), "{again:?}");
    at(&scratch.store, 9, |tx| tx.site_config_changed());
    let site = scratch.store.read(|tx| tx.site()).expect("reads").expect("there");
    assert_eq!((site.server_id, site.config_changed_at), (Uuid::from_u128(7), time(9)));
}

#[test]
fn keys_retire_and_go() {
    let scratch = Scratch::new();
    let (one, two) = scratch.write(|tx| Ok((tx.keys_insert([1; 32])?, tx.keys_insert([2; 32])?)));
    at(&scratch.store, 5, |tx| tx.keys_retire(one));
    at(&scratch.store, 6, |tx| tx.keys_retire(one));
    let keys = scratch.store.read(|tx| tx.keys_list()).expect("reads");
    assert_eq!(
        keys.iter().map(|key| (key.id, key.retired_at)).collect::<Vec<_>>(),
        [(two, None), (one, Some(time(5)))]
    );
    assert_eq!(keys[0].secret, [2; 32]);
    scratch.write(|tx| tx.keys_delete(two));
    assert!(scratch.write(|tx| tx.keys_insert([3; 32])) > two, "ids are never given again");
}

#[test]
fn settings_keep_who_and_when() {
    let scratch = Scratch::new();
    assert_eq!(scratch.write(|tx| tx.setting_put("source", &json!({"url": "http://x"}))), None);
    assert_eq!(at(&scratch.store, 3, |tx| tx.setting_put("source", &json!("none"))), Some(json!({"url": "http://x"})));
    let row = scratch.store.read(|tx| tx.setting_show("source")).expect("reads").expect("set");
    assert_eq!((row.value.clone(), row.changed_at, row.changed_by.as_str()), (json!("none"), time(3), "system: test"));
    at(&scratch.store, 4, |tx| tx.setting_put("source", &json!("none")));
    assert_eq!(scratch.store.read(|tx| tx.setting_list()).expect("reads"), [row], "the same value changes nothing");
    assert_eq!(scratch.write(|tx| tx.setting_delete("source")), Some(json!("none")));
    assert_eq!(scratch.write(|tx| tx.setting_delete("source")), None);
}

#[test]
fn selections_are_replaced_added_and_removed() {
    let scratch = Scratch::new();
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    scratch.write(|tx| {
        tx.selection_set(SelectionKind::Languages, &texts(&["EN", "de"]))?;
        tx.selection_set(SelectionKind::Products, &texts(&["p"]))?;
        tx.selection_add(SelectionKind::Languages, &texts(&["nl", "en"]))?;
        tx.selection_remove(SelectionKind::Languages, &texts(&["DE", "fr"]))
    });
    let list = |kind| scratch.store.read(|tx| tx.selection_list(kind)).expect("reads");
    assert_eq!(list(SelectionKind::Languages), ["en", "nl"]);
    assert_eq!(list(SelectionKind::Products), ["p"]);
    scratch.write(|tx| tx.selection_set(SelectionKind::Products, &[]));
    assert!(list(SelectionKind::Products).is_empty());
}

#[test]
fn the_audit_log_is_append_only() {
    let scratch = Scratch::new();
    for number in 0..3 {
        scratch.write(|tx| tx.audit("deployment.create", &number.to_string(), None, Some(&json!({ "n": number }))));
    }
    let page = scratch.store.read(|tx| tx.audit_list(None, 2)).expect("reads");
    assert_eq!(page.items.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["2", "1"]);
    assert_eq!(page.items[0].from.as_deref(), Some("192.0.2.1"));
    assert_eq!((&page.items[0].before, &page.items[0].after), (&None, &Some(json!({"n": 2}))));
    let rest = scratch.store.read(|tx| tx.audit_list(page.next.as_deref(), 2)).expect("reads");
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let other = weir_testkit::engine::Direct::of(scratch.folder.path());
    for sql in ["DELETE FROM audit", "UPDATE audit SET actor = 'x'"] {
        let error = format!("{:#}", other.try_execute(sql, &[]).expect_err("refused"));
        assert!(error.contains("append only"), "{error}");
    }
}

#[test]
fn jobs_are_leased_to_one_worker() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let [one, two] = [1, 2].map(Uuid::from_u128);
    at(store, 0, |tx| tx.job_create(one, "sync", &json!({"full": true})));
    at(store, 0, |tx| tx.job_create(two, "sync", &json!({})));
    let take = |second, owner: &str| at(store, second, |tx| tx.job_take("sync", owner, time(second + 60)));
    let job = take(1, "a").expect("the oldest");
    assert_eq!(
        (job.id, job.state, job.started_at, job.input),
        (one, JobState::Running, Some(time(1)), json!({"full": true}))
    );
    assert_eq!(take(2, "b").expect("the next").id, two);
    assert_eq!(take(3, "c"), None);
    assert!(at(store, 30, |tx| tx.job_renew(one, "a", time(90), &json!(0.5))));
    assert_eq!(take(70, "c").expect("the lease of the second ran out").id, two);
    assert!(!at(store, 71, |tx| tx.job_renew(two, "b", time(200), &json!(1))), "lost");
    assert!(!at(store, 72, |tx| tx.job_end(two, "b", JobState::Done, &json!({}))), "lost");
    assert!(at(store, 73, |tx| tx.job_end(two, "c", JobState::Done, &json!({"added": 3}))));
    assert!(at(store, 74, |tx| tx.job_cancel(one)));
    assert!(!at(store, 75, |tx| tx.job_cancel(one)));
    assert!(!at(store, 76, |tx| tx.job_renew(one, "a", time(300), &json!(1))), "cancelled");
    let jobs = store.read(|tx| tx.job_list("sync", 10)).expect("reads");
    assert_eq!(
        jobs.iter().map(|job| (job.id, job.state)).collect::<Vec<_>>(),
        [(two, JobState::Done), (one, JobState::Cancelled)]
    );
    assert_eq!((jobs[0].result.clone(), jobs[0].ended_at), (Some(json!({"added": 3})), Some(time(73))));
}

#[test]
fn alerts_open_count_and_close() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let open = |second, message: &str| {
        at(store, second, |tx| tx.alert_open("content.mismatch", "x", AlertSeverity::Critical, message))
    };
    assert!(open(1, "first"));
    assert!(!open(2, "second"));
    let alerts = store.read(|tx| tx.alert_list(false, 10)).expect("reads");
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        (alerts[0].count, alerts[0].message.as_str(), alerts[0].opened_at, alerts[0].raised_at),
        (2, "second", time(1), time(2))
    );
    assert!(at(store, 3, |tx| tx.alert_close("content.mismatch", "x")));
    assert!(!at(store, 4, |tx| tx.alert_close("content.mismatch", "x")));
    assert!(store.read(|tx| tx.alert_list(false, 10)).expect("reads").is_empty());
    assert!(open(5, "again"), "a closed alert opens anew");
    assert_eq!(store.read(|tx| tx.alert_list(true, 10)).expect("reads").len(), 2);
}

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        display_name: name.to_owned(),
        grant: Grant { role: Role::Operator, scope: Scope::Everything },
        enabled: true,
        password: None,
        must_change: false,
        identity: None,
    }
}

#[test]
fn an_act_is_found_by_who_what_and_when() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    for (second, name, action) in
        [(1, "Alice", "deployment.create"), (2, "bob", "deployment.delete"), (3, "bob", "a.b")]
    {
        let proven = Actor { proof: Some("session".to_owned()), ..Actor::principal(name, None, time(second)) };
        store.write(&proven, |tx| tx.audit(action, "1", None, None)).expect("written");
    }
    let found = |filter: AuditFilter| -> Vec<i64> {
        let page = store.read(|tx| tx.audit_search(&filter, None, 10)).expect("reads");
        assert!(page.items.iter().all(|row| row.proof.as_deref() == Some("session")));
        page.items.iter().map(|row| row.at.as_second() - time(0).as_second()).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found(AuditFilter::default()), [3, 2, 1]);
    assert_eq!(found(AuditFilter { actor: text("alice"), ..AuditFilter::default() }), [1]);
    assert_eq!(found(AuditFilter { action: text("deployment."), ..AuditFilter::default() }), [2, 1]);
    assert_eq!(found(AuditFilter { action: text("%"), ..AuditFilter::default() }), [0_i64; 0]);
    assert_eq!(found(AuditFilter { subject: text("2"), ..AuditFilter::default() }), [0_i64; 0]);
    let between = AuditFilter { since: Some(time(2)), until: Some(time(3)), ..AuditFilter::default() };
    assert_eq!(found(between), [2]);
}

#[test]
fn secrets_expire_and_codes_work_once() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let hash = |seed| Sha256Digest([seed; 32]);
    let id = Uuid::from_u128(3);
    at(store, 0, |tx| {
        tx.token_put("CLI", hash(1), "administrator", None, None)?;
        tx.token_put("cli", hash(2), "administrator", None, Some(time(10)))?;
        tx.session_create(id, hash(3), BUILT_IN, time(10), None, None)?;
        tx.sign_in_code_create(hash(4), "administrator", time(10), Some(7))?;
        tx.sign_in_code_create(hash(5), "administrator", time(10), None)
    });
    let token = |seed, second| store.read(|tx| tx.token_find(hash(seed), time(second))).expect("reads");
    assert_eq!(token(1, 1), None, "replaced by the one of the same name");
    assert_eq!(token(2, 9).map(|row| row.principal).as_deref(), Some("administrator"));
    assert_eq!(token(2, 10), None, "expired");
    assert_eq!(store.read(|tx| tx.token_list()).expect("reads").len(), 1);
    assert!(store.read(|tx| tx.session_find(hash(3), time(9))).expect("reads").is_some());
    assert!(store.read(|tx| tx.session_find(hash(3), time(10))).expect("reads").is_none());
    assert_eq!(at(store, 9, |tx| tx.sign_in_code_take(hash(4))), Some(("administrator".to_owned(), Some(7))));
    assert_eq!(at(store, 9, |tx| tx.sign_in_code_take(hash(4))), None, "used up");
    assert_eq!(at(store, 10, |tx| tx.sign_in_code_take(hash(5))), None, "expired");
    assert_eq!(at(store, 10, |tx| tx.access_prune()), 1);
    assert!(at(store, 0, |tx| tx.token_delete("Cli")));
    assert!(!at(store, 0, |tx| tx.session_delete(id)));
}

#[test]
fn the_secret_of_a_session_changes_once_and_the_old_one_lingers() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let (id, hash) = (Uuid::from_u128(1), |seed| Sha256Digest([seed; 32]));
    at(store, 0, |tx| tx.session_create(id, hash(1), BUILT_IN, time(1_000), Some(time(-5)), Some(7)));
    assert!(at(store, 10, |tx| tx.session_rotate(id, hash(1), time(70), hash(2))));
    assert!(!at(store, 11, |tx| tx.session_rotate(id, hash(1), time(71), hash(3))), "another request was first");
    let found = |seed, second| store.read(|tx| tx.session_find(hash(seed), time(second))).expect("reads");
    assert_eq!(found(2, 20).map(|(row, current)| (row.id, row.rotated_at, current)), Some((id, time(10), true)));
    assert_eq!(found(1, 69).map(|(row, current)| (row.last_visit, current)), Some((Some(time(-5)), false)));
    assert_eq!(found(1, 70), None);
    assert_eq!(found(3, 20), None);
    assert_eq!(found(2, 20).and_then(|(row, _)| row.link_by), Some(7));
    assert!(at(store, 20, |tx| tx.session_renew(id, hash(5))));
    assert_eq!((found(1, 20), found(2, 20)), (None, None), "none before it is accepted");
    assert!(at(store, 20, |tx| tx.session_rotate(id, hash(5), time(20), hash(2))));
    at(store, 20, |tx| tx.session_create(Uuid::from_u128(2), hash(4), BUILT_IN, time(1_000), None, None));
    assert_eq!(at(store, 21, |tx| tx.session_end(BUILT_IN, Some(id))), 1);
    assert!(found(2, 22).is_some());
    assert_eq!(at(store, 23, |tx| tx.session_end(BUILT_IN, None)), 1);
    assert!(found(2, 24).is_none());
}

#[test]
fn a_user_goes_with_all_that_it_signs_in_by() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let hash = |seed| Sha256Digest([seed; 32]);
    let limited = Scope::Collections([CollectionId(Uuid::from_u128(9))].into());
    let mut alice = user("Alice");
    alice.grant.scope = limited.clone();
    alice.identity = Some(("https://id.example".to_owned(), "42".to_owned()));
    let no = at(store, 1, |tx| tx.user_create(&alice));
    let found = store.read(|tx| tx.user_find(" ALICE ")).expect("reads").expect("there");
    assert_eq!((found.no, &found.user, found.created_at), (no, &alice, time(1)));
    let same = store.read(|tx| tx.user_of_identity("https://id.example", "42")).expect("reads");
    assert_eq!(same.map(|row| row.no), Some(no));
    assert!(store.read(|tx| tx.user_of_identity("https://other.example", "42")).expect("reads").is_none());
    at(store, 2, |tx| {
        tx.session_create(Uuid::from_u128(1), hash(1), no, time(100), None, None)?;
        tx.token_put("ci", hash(2), "Alice", Some((no, &alice.grant)), None)?;
        tx.user_certificate_create(no, hash(3), "CN=Alice", time(100))?;
        tx.user_signed_in(no)
    });
    let token = store.read(|tx| tx.token_named("CI")).expect("reads").expect("there");
    assert_eq!(token.owner, Some((no, alice.grant.clone())));
    alice.grant.scope = Scope::Everything;
    assert!(at(store, 3, |tx| tx.user_change(no, &alice)));
    let row = store.read(|tx| tx.user_show(no)).expect("reads").expect("there");
    assert_eq!((row.user.grant.scope, row.signed_in_at), (Scope::Everything, Some(time(2))));
    assert!(!at(store, 4, |tx| tx.user_delete(BUILT_IN)), "the built-in administrator stays");
    assert!(at(store, 4, |tx| tx.user_delete(no)));
    assert!(store.read(|tx| tx.session_find(hash(1), time(5))).expect("reads").is_none());
    assert!(store.read(|tx| tx.token_find(hash(2), time(5))).expect("reads").is_none());
    assert!(store.read(|tx| tx.user_certificate_find(hash(3))).expect("reads").is_none());
    at(store, 5, |tx| tx.group_mapping_put("ops", &Grant { role: Role::ReadOnlyAnalyst, scope: limited.clone() }));
    let mapped = store.read(|tx| tx.group_mapping_list()).expect("reads");
    assert_eq!(
        mapped.iter().map(|row| (row.group.as_str(), &row.grant.scope)).collect::<Vec<_>>(),
        [("ops", &limited)]
    );
    assert!(at(store, 6, |tx| tx.group_mapping_delete("ops")));
}

#[test]
fn a_request_that_waits_is_decided_once_and_in_time() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let held = Held {
        kind: "site".to_owned(),
        subject: "remove the site North".to_owned(),
        method: "DELETE".to_owned(),
        target: "/sites/North".to_owned(),
        body: None,
        user: BUILT_IN,
        token: None,
        proof: "session".to_owned(),
        link_by: Some(7),
    };
    let shown = Shown { seen: "{}".to_owned(), reached: (1..=1000).chain([4_000_000_000]).collect() };
    let first = at(store, 1, |tx| tx.approval_create(&held, &shown, time(10)));
    let second = at(store, 2, |tx| tx.approval_create(&held, &Shown::default(), time(10)));
    let read = |no| store.read(|tx| tx.approval_shown(no)).expect("reads");
    assert_eq!((read(first), read(second), read(99)), (Some(shown.clone()), Some(Shown::default()), None));
    let waiting = |second| {
        let page = store.read(|tx| tx.approval_list(true, time(second), None, 10)).expect("reads");
        page.items.iter().map(|row| row.no).collect::<Vec<_>>()
    };
    assert_eq!(waiting(3), [second, first]);
    assert!(at(store, 4, |tx| tx.approval_decide(first, ApprovalState::Rejected, Some("not today"))));
    assert!(!at(store, 5, |tx| tx.approval_decide(first, ApprovalState::Done, None)), "decided");
    assert!(!at(store, 10, |tx| tx.approval_decide(second, ApprovalState::Done, None)), "too late");
    assert!(at(store, 9, |tx| tx.approval_decide(second, ApprovalState::Done, None)));
    at(store, 9, |tx| tx.approval_answer(second, ApprovalState::Failed, 404, "{}"));
    let row = store.read(|tx| tx.approval_show(second)).expect("reads").expect("there");
    assert_eq!((row.state, row.answer), (ApprovalState::Failed, Some((404, "{}".to_owned()))));
    assert!(waiting(9).is_empty());
}

#[test]
fn content_rows_are_counted_and_compared_with_documents() {
    let scratch = Scratch::new();
    scratch.import(vec![NewRevision { files: vec![file(1)], ..software(1, 1) }]);
    let row = |seed: u8, state| ContentFileRow {
        digest: ContentDigest([seed; 20]),
        sha256: Sha256Digest([seed; 32]),
        size: 10,
        extension: String::new(),
        state,
        verified_at: time(0),
    };
    scratch.write(|tx| {
        assert!(tx.content_file_put(&row(1, ContentState::Verified))?);
        assert!(!tx.content_file_put(&row(1, ContentState::Verified))?);
        assert!(tx.content_file_put(&row(2, ContentState::Verified))?);
        assert!(tx.content_file_put(&row(3, ContentState::Lost))?);
        Ok(())
    });
    let store = &scratch.store;
    let totals = store.read(|tx| tx.content_file_totals()).expect("reads");
    assert_eq!(totals, ContentTotals { files: 2, bytes: 20, quarantined: 0, lost: 1 });
    let named = |seed: u8| store.read(|tx| tx.content_use(ContentDigest([seed; 20]))).expect("reads").named;
    assert_eq!((named(1), named(2)), (true, false));
    let added = |seed: u8| store.read(|tx| tx.content_file_added(ContentDigest([seed; 20]))).expect("reads");
    assert_eq!((added(1), added(9)), (Some(time(0)), None));
    at(store, 4, |tx| tx.content_file_set_state(ContentDigest([1; 20]), ContentState::Quarantined));
    let page = store.read(|tx| tx.content_file_list(None, 2)).expect("reads");
    assert_eq!((page.items[0].state, page.items[0].verified_at), (ContentState::Quarantined, time(4)));
    let rest = store.read(|tx| tx.content_file_list(page.next.as_deref(), 2)).expect("reads");
    assert_eq!((rest.items, rest.next), (vec![row(3, ContentState::Lost)], None));
    assert!(scratch.write(|tx| tx.content_file_delete(ContentDigest([3; 20]))));
    assert_eq!(store.read(|tx| tx.content_file_show(ContentDigest([3; 20]))).expect("reads"), None);
}

#[test]
fn a_failed_unit_leaves_nothing() {
    let scratch = Scratch::new();
    let result = scratch.store.write(&actor(0), |tx| {
        tx.setting_put("a", &json!(1))?;
        Err::<(), _>(StoreError::Exhausted("test number"))
    });
    assert!(result.is_err());
    let store = scratch.store.clone();
    let panicked = std::thread::spawn(move || {
        store.write(&actor(0), |tx| {
            tx.setting_put("b", &json!(1))?;
            assert!(tx.setting_show("b")?.is_none(), "this panics on purpose");
            Ok(())
        })
    });
    assert!(panicked.join().is_err());
    assert!(scratch.store.read(|tx| tx.setting_list()).expect("reads").is_empty());
    assert_eq!(scratch.store.read(|tx| tx.catalogue_version()).expect("reads").0, 0);
    scratch.write(|tx| tx.setting_put("c", &json!(1)));
}

#[test]
fn readers_see_one_state_while_a_writer_works() {
    let scratch = Scratch::new();
    scratch.write(|tx| tx.setting_put("a", &json!(1)));
    scratch
        .store
        .read(|tx| {
            assert_eq!(tx.setting_list()?.len(), 1);
            let store = scratch.store.clone();
            std::thread::spawn(move || store.write(&actor(1), |tx| tx.setting_put("b", &json!(2))))
                .join()
                .expect("no panic")
                .expect("a reader does not block the writer");
            assert_eq!(tx.setting_list()?.len(), 1, "still the state of the beginning");
            Ok(())
        })
        .expect("reads");
    assert_eq!(scratch.store.read(|tx| tx.setting_list()).expect("reads").len(), 2);
}

#[test]
fn more_readers_than_connections_wait_their_turn() {
    let scratch = Scratch::new();
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let store = scratch.store.clone();
            std::thread::spawn(move || (0..20).all(|_| store.read(|tx| tx.site()).is_ok()))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("no panic")));
}
