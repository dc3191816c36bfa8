//! Removing revisions, and what lists do with them afterwards.

use weir_model::{
    cleanup::{Plan, Rules, Why, plan},
    ids::RevisionId,
    update::Severity,
};

use super::{Scratch, actor, bundles, category, file, in_category, software, time, update};
use crate::{revision::FileSource, staging::ListKind, update_setting::UpdateSetting};

const DAY: i64 = 86_400;

fn planned(scratch: &Scratch, day: i64) -> Plan {
    let input = scratch.store.read(|tx| tx.cleanup_input(&[])).expect("reads");
    plan(&input, &Rules::default(), time(day * DAY))
}

fn purge(scratch: &Scratch, plan: &Plan) {
    scratch.write(|tx| {
        for it in &plan.purge {
            assert!(tx.revision_purge(it.id, it.why)?);
        }
        tx.change_next()
    });
}

#[test]
fn what_is_removed_leaves_its_flags_and_does_not_come_back() {
    let scratch = Scratch::new();
    let mut bundle = software(1, 3);
    bundle.relationships.bundled = bundles(&[(2, 1), (3, 1)]);
    bundle.relationships.prerequisites = vec![in_category(100)];
    bundle.files = vec![file(1), file(2)];
    let mut other = software(4, 1);
    other.relationships.bundled = bundles(&[(3, 1)]);
    other.files = vec![file(2)];
    let member = |number| crate::revision::NewRevision { explicitly_deployable: false, ..software(number, 1) };
    let product = category(100, weir_model::update::CategoryKind::Product, None);
    scratch.import(vec![bundle.clone(), member(2), member(3), other, product]);
    let sources = [1, 2].map(|seed| FileSource {
        digest: file(seed).digest,
        url: format!("http://example/{seed}"),
        origin: "upstream".to_owned(),
    });
    scratch.write(|tx| {
        tx.file_source_add(&sources)?;
        tx.update_decline(update(1))
    });
    assert!(planned(&scratch, 29).is_empty());
    let plan = planned(&scratch, 31);
    let gone: Vec<_> = plan.purge.iter().map(|it| (it.number.0, it.why)).collect();
    assert_eq!(gone, [(3, Why::Declined(time(0))), (1, Why::Orphan)], "{plan:?}");
    let bytes = scratch.store.read(|tx| tx.revision_bytes(plan.purge[0].id)).expect("reads");
    assert!(bytes > 50, "{bytes}");
    purge(&scratch, &plan);
    assert!(planned(&scratch, 31).is_empty());

    let scratch = scratch.reopen();
    scratch
        .store
        .read(|tx| {
            assert!(tx.update_show(update(1))?.is_none() && tx.update_show(update(2))?.is_none());
            assert!(tx.update_show(update(3))?.is_some(), "another bundle has it");
            assert!(tx.update_flags(update(1))?.declined.is_some());
            assert!(tx.file_sources(file(1).digest)?.is_empty());
            assert_eq!(tx.file_sources(file(2).digest)?.len(), 1);
            assert_eq!(tx.purged_of(update(1))?[0].identity, bundle.identity);
            let first = tx.purged_list(None, 1)?;
            let second = tx.purged_list(first.next.as_deref(), 1)?;
            assert_eq!((first.items.len(), second.items.len(), second.next), (1, 1, None));
            assert_ne!(first.items, second.items);
            assert!(tx.purged_list(Some("x"), 1).is_err());
            Ok(())
        })
        .expect("reads");
    // a list that names it again; a bundle that has it as a member; a newer revision
    let add = |kind, identity| scratch.write(|tx| tx.pending_add(kind, identity));
    assert!(!add(ListKind::Updates, bundle.identity));
    assert!(add(ListKind::Members, bundle.identity));
    assert!(add(ListKind::Updates, weir_model::ids::UpdateIdentity::new(update(1), 4)));
    scratch.write(|tx| tx.pending_remove(bundle.identity));
    // taking the decline back asks for it, and its arrival ends that
    scratch.write(|tx| tx.update_undecline(update(1)));
    let pending = scratch.store.read(|tx| tx.pending_list(ListKind::Updates, 0, false, 10)).expect("reads");
    assert!(pending.iter().any(|it| it.identity == bundle.identity), "{pending:?}");
    scratch.import(vec![bundle]);
    assert!(scratch.store.read(|tx| tx.purged_of(update(1))).expect("reads").is_empty());
    let protected = scratch.store.read(|tx| tx.cleanup_input(&[])).expect("reads").flags;
    assert!(protected.values().any(|flags| flags.protected), "an administrator took it back");
}

#[test]
fn a_decline_of_clean_up_names_its_reason_as_long_as_it_holds() {
    let scratch = Scratch::new();
    let mut new = software(2, 1);
    new.relationships.superseded = vec![update(1)];
    scratch.import(vec![software(1, 1), new]);
    let number = |id| scratch.store.read(|tx| tx.update_no(update(id))).expect("reads").expect("known");
    let (old, by) = (number(1), number(2));
    assert!(scratch.write(|tx| tx.cleanup_decline(old, by)));
    assert!(!scratch.write(|tx| tx.cleanup_decline(old, by)), "it is declined already");
    let reason = || scratch.store.read(|tx| tx.cleanup_input(&[])).expect("reads").flags[&old].declined_for;
    assert_eq!(reason(), Some(by));
    scratch.write(|tx| tx.update_undecline(update(1)));
    assert_eq!(reason(), None);
    scratch.write(|tx| tx.update_decline(update(1)));
    assert_eq!(reason(), None, "this one is an administrator's");
}

#[test]
fn revisions_that_leave_are_told_to_no_downstream_server() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1), software(2, 1)]);
    let filter = weir_model::listing::Filter {
        since: None,
        protocol: (1, 20),
        config: false,
        categories: Vec::new(),
        classifications: Vec::new(),
        languages: Vec::new(),
    };
    let listed = || scratch.store.read(|tx| tx.listing()).expect("reads").list(&filter).len();
    assert_eq!(listed(), 2);
    scratch.write(|tx| tx.leaving_add(RevisionId(1)));
    assert_eq!(listed(), 1);
    assert_eq!(scratch.store.read(|tx| tx.leaving_list()).expect("reads").len(), 1);
    scratch.write(|tx| tx.leaving_remove(RevisionId(1)));
    assert_eq!(listed(), 2);
}

#[test]
fn what_is_set_of_updates_is_kept_and_travels() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1), software(2, 1)]);
    let due = || scratch.store.read(|tx| tx.run_time_due(10)).expect("reads");
    assert_eq!(due().len(), 2);
    for (number, ..) in due() {
        scratch.write(|tx| tx.run_time_give(number, 90));
    }
    let set = |id| scratch.store.read(|tx| tx.update_setting(update(id))).expect("reads");
    assert_eq!((set(1).run_time_minutes, set(1).run_time_set, due().len()), (90, false, 0));
    let version = || scratch.store.read(|tx| tx.catalogue_version()).expect("reads");
    let before = version();
    let wanted = UpdateSetting { run_time_minutes: 30, run_time_set: true, custom_severity: Some(Severity::Low) };
    assert!(scratch.write(|tx| tx.update_setting_put(update(1), wanted)));
    assert!(!scratch.write(|tx| tx.update_setting_put(update(1), wanted)));
    assert_eq!(set(1), wanted);
    assert!(version() > before);
    let kind = crate::intent::IntentKind::UpdateSetting;
    let intents = || scratch.store.read(|tx| tx.intent_of_kind(kind)).expect("reads");
    assert_eq!((intents().len(), intents()[0].deleted), (1, false));
    // a new revision does not take it away
    scratch.import(vec![software(1, 2)]);
    assert_eq!((set(1), due().len()), (wanted, 0));
    let none = UpdateSetting { run_time_set: false, custom_severity: None, ..wanted };
    scratch.write(|tx| tx.update_setting_put(update(1), none));
    assert!(intents()[0].deleted);
    assert_eq!(due().len(), 1, "it gets its default again");
}

/// Pages are those of the file of the embedded database.
#[test]
fn unused_pages_are_given_back_in_steps() {
    let scratch = Scratch::sqlite();
    let revisions = (0..300).map(|number| {
        let mut revision = software(number, 1);
        revision.text = format!("{number}").repeat(1);
        // does not compress
        revision.core_blocks = vec![crate::revision::CoreBlocks { plain_len: 1, data: vec![number as u8; 20_000] }];
        revision
    });
    scratch.import(revisions.collect());
    let (_, possible) = scratch.store.free().expect("asks");
    assert!(possible, "new files can");
    scratch
        .store
        .write(&actor(1), |tx| (1..=300).try_for_each(|id| tx.revision_delete(RevisionId(id))))
        .expect("deletes");
    let (mut free, _) = scratch.store.free().expect("asks");
    assert!(free > 3_000_000, "{free}");
    let mut steps = 0;
    while free > 100_000 {
        let left = scratch.store.reclaim(100).expect("gives back");
        assert!(left < free, "{left} of {free}");
        (free, steps) = (left, steps + 1);
    }
    assert!(steps > 5, "{steps}");
    scratch.import(vec![software(1_000, 1)]);
}
