//! Staging: what waits, what is dropped, and what becomes known in one step.

use serde_json::json;
use weir_model::{
    ids::{ContentDigest, UpdateIdentity},
    update::{BundleClause, CategoryKind},
};

use super::{Scratch, category, software, update};
use crate::{
    revision::{CoreBlocks, Inserted, NewRevision, PackedRevision},
    staging::{ListKind, Skipped, SyncList},
};

fn identity(number: u128, revision: u32) -> UpdateIdentity {
    UpdateIdentity::new(update(number), revision)
}

fn packed(revision: NewRevision) -> PackedRevision {
    PackedRevision::pack(revision).expect("packs")
}

fn bundle(number: u128, members: &[UpdateIdentity]) -> NewRevision {
    let mut revision = software(number, 1);
    revision.relationships.bundled =
        members.iter().map(|member| BundleClause { alternatives: vec![*member] }).collect();
    revision
}

fn list(anchor: &str, filter: Option<serde_json::Value>) -> SyncList {
    SyncList { kind: ListKind::Updates, anchor: anchor.to_owned(), filter }
}

#[test]
fn a_staged_revision_comes_back_as_it_was_packed() {
    let mut large = software(1, 3);
    large.core_escaped = "&lt;a /&gt;".repeat(100_000);
    large.core_blocks = vec![
        CoreBlocks { plain_len: 524_288, data: vec![1; 70_000] },
        CoreBlocks { plain_len: 475_712, data: vec![2; 10] },
    ];
    large.eula_fragments = vec![("en".to_owned(), Some("us".to_owned()), "<Eula />".to_owned())];
    let before = packed(large);
    let scratch = Scratch::new();
    scratch.write(|tx| tx.staged_add(&before, true));
    let no = scratch.store.read(|tx| tx.staged_heads(0, 10)).expect("reads")[0].no;
    let after = scratch.store.read(|tx| tx.staged_show(no)).expect("reads");
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    let facts = scratch.store.read(|tx| tx.staged_facts(no)).expect("reads");
    assert_eq!((facts.identity(), facts.title()), (before.identity(), before.title()));
    assert_eq!(scratch.store.read(|tx| tx.staged_secured(0, 10)).expect("reads"), [(no, identity(1, 3))]);
    scratch.write(|tx| tx.staged_keys_known(no));
    assert_eq!(scratch.store.read(|tx| tx.staged_secured(0, 10)).expect("reads"), []);
}

#[test]
fn what_is_stored_staged_skipped_or_pending_is_not_asked_for() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1)]);
    let skipped = Skipped { identity: identity(3, 1), title: "T".to_owned(), reason: "a rule".to_owned() };
    let member = Skipped { identity: identity(4, 1), ..skipped.clone() };
    scratch.write(|tx| {
        tx.staged_add(&packed(software(2, 1)), false)?;
        tx.skipped_add(&skipped)?;
        tx.skipped_add(&member)
    });
    let added = scratch.write(|tx| {
        let wanted = [identity(1, 1), identity(1, 2), identity(2, 1), identity(3, 1), identity(4, 1), identity(1, 2)];
        wanted.into_iter().map(|identity| tx.pending_add(ListKind::Updates, identity)).collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(added, [false, true, false, false, false, false]);
    // what was left out is judged again with a bundle that holds it
    assert!(scratch.write(|tx| tx.pending_add(ListKind::Members, identity(4, 1))));
    assert_eq!(scratch.store.read(|tx| tx.skipped_list(None, 10)).expect("reads"), [skipped.clone(), member.clone()]);
    let after = scratch.store.read(|tx| tx.skipped_list(Some(skipped.identity), 10)).expect("reads");
    assert_eq!(after, [member]);
    assert_eq!(scratch.write(|tx| tx.skipped_restore()), 2);
    assert_eq!(scratch.store.read(|tx| tx.pending_count(ListKind::Updates)).expect("reads"), 2);
}

#[test]
fn staging_a_bundle_asks_for_its_members_and_ends_its_own_wait() {
    let scratch = Scratch::new();
    let members = [identity(2, 1), identity(3, 7), identity(1, 1)];
    scratch.write(|tx| {
        tx.pending_add(ListKind::Updates, identity(1, 1))?;
        tx.pending_add(ListKind::Updates, identity(2, 1))
    });
    // the bundle names itself: a cycle asks for nothing
    let noted = scratch.write(|tx| tx.staged_add(&packed(bundle(1, &members)), false));
    assert_eq!(noted, Some(1));
    assert_eq!(scratch.write(|tx| tx.staged_add(&packed(bundle(1, &members)), false)), None);
    let pending = |kind| {
        let rows = scratch.store.read(|tx| tx.pending_list(kind, 0, false, 10)).expect("reads");
        rows.into_iter().map(|row| row.identity).collect::<Vec<_>>()
    };
    assert_eq!(pending(ListKind::Updates), [identity(2, 1)]);
    assert_eq!(pending(ListKind::Members), [identity(3, 7)]);
    let heads = scratch.store.read(|tx| tx.staged_heads(0, 10)).expect("reads");
    assert_eq!(heads[0].bundled, members);
}

#[test]
fn what_cannot_be_fetched_is_given_up_after_some_runs() {
    let scratch = Scratch::new();
    scratch.write(|tx| tx.pending_add(ListKind::Updates, identity(1, 1)));
    assert!(!scratch.write(|tx| tx.pending_failed(identity(1, 1), "fault", 2)));
    assert!(scratch.write(|tx| tx.pending_failed(identity(1, 1), "fault", 2)));
    assert_eq!(scratch.store.read(|tx| tx.pending_count(ListKind::Updates)).expect("reads"), 0);
}

#[test]
fn anchors_move_with_the_promotion_and_go_with_their_source() {
    let scratch = Scratch::new();
    assert!(!scratch.write(|tx| tx.sync_source_begin("http://one")));
    assert!(!scratch.write(|tx| tx.sync_source_begin("http://one")));
    scratch.write(|tx| {
        tx.sync_configuration_set(Some("c"), &json!({"catalog_only": true}))?;
        tx.sync_list_put(&list("u", Some(json!({"products": []}))))?;
        tx.pending_add(ListKind::Updates, identity(9, 1))?;
        tx.staged_add(&packed(software(1, 1)), false)?;
        tx.staged_source_add(ContentDigest([7; 20]), "http://files.example/a.exe")
    });
    let source = || scratch.store.read(|tx| tx.sync_source()).expect("reads").expect("there");
    assert_eq!((source().config_anchor.as_deref(), source().update_anchor), (Some("c"), None));
    scratch.write(|tx| {
        let mut import = tx.import();
        for head in tx.staged_heads(0, 10)? {
            assert!(matches!(import.revision(&tx.staged_show(head.no)?)?, Inserted::Added(_)));
        }
        tx.staged_finish()?;
        tx.sync_lists_promote()
    });
    assert_eq!(source().update_anchor.as_deref(), Some("u"));
    assert_eq!(source().update_filter, Some(json!({"products": []})));
    assert_eq!(scratch.store.read(|tx| tx.staged_count()).expect("reads"), 0);
    assert_eq!(scratch.store.read(|tx| tx.sync_lists()).expect("reads"), []);
    assert_eq!(scratch.store.read(|tx| tx.file_sources(ContentDigest([7; 20]))).expect("reads")[0].origin, "upstream");
    assert_eq!(scratch.store.read(|tx| tx.update_newest_is_expired(update(1))).expect("reads"), Some(false));
    // what could not be fetched is still waited for
    assert_eq!(scratch.store.read(|tx| tx.pending_count(ListKind::Updates)).expect("reads"), 1);
    assert!(scratch.write(|tx| tx.sync_source_begin("http://two")));
    assert_eq!((source().config_anchor, source().update_anchor, source().update_filter), (None, None, None));
    assert_eq!(scratch.store.read(|tx| tx.pending_count(ListKind::Updates)).expect("reads"), 0);
}

#[test]
fn forgotten_anchors_leave_what_was_fetched() {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        tx.sync_source_begin("http://one")?;
        tx.sync_deployment_anchor_set(Some("d"))?;
        tx.sync_list_put(&list("u", None))?;
        tx.staged_add(&packed(category(1, CategoryKind::Company, None)), false)?;
        tx.pending_add(ListKind::Updates, identity(8, 1))?;
        tx.pending_add(ListKind::Members, identity(9, 1))?;
        tx.sync_anchors_forget()
    });
    // the server may have it no longer; nobody but the staged bundle names a member
    let pending = |kind| scratch.store.read(|tx| tx.pending_count(kind)).expect("reads");
    assert_eq!((pending(ListKind::Updates), pending(ListKind::Members)), (0, 1));
    let source = scratch.store.read(|tx| tx.sync_source()).expect("reads").expect("there");
    assert_eq!((source.identity.as_str(), source.deployment_anchor), ("http://one", None));
    assert_eq!(scratch.store.read(|tx| tx.staged_categories()).expect("reads").len(), 1);
    assert_eq!(scratch.store.read(|tx| tx.sync_lists()).expect("reads"), []);
}

#[test]
fn damaged_staged_rows_are_said_to_be_damaged() {
    let scratch = Scratch::new();
    scratch.write(|tx| tx.staged_add(&packed(software(1, 1)), false));
    let damages: [(&str, &[u8]); 4] =
        [("texts", &[5, 0, 0, 0]), ("texts", &[1, 0, 0, 0, 9]), ("facts", &[1]), ("needs", &[0xff])];
    for (column, bytes) in damages {
        scratch.execute(&format!("UPDATE staged_revision SET {column} = ?1"), &[bytes.into()]);
        let read = scratch.store.read(|tx| match tx.staged_heads(0, 1) {
            Ok(heads) => tx.staged_show(heads[0].no).map(drop),
            Err(error) => Err(error),
        });
        assert!(matches!(read, Err(crate::StoreError::Corrupt { .. })), "{column} {bytes:?}");
    }
}
