//! Storing and reading revisions.

use std::collections::HashMap;

use weir_model::{
    ids::{ChangeNumber, ContentDigest, RevisionId, UpdateIdentity},
    update::{DriverMetadata, PrerequisiteClause, Severity, UpdateType},
};

use super::{Scratch, actor, bundles, file, in_category, software, time, update};
use crate::{
    StoreError,
    fragment::PIECE,
    revision::{CoreBlocks, FileSource, ImportCounts, NewRevision, PackedRevision},
};

/// A revision that has everything.
fn whole() -> NewRevision {
    let mut revision = software(1, 7);
    revision.text = "é\r\n".repeat(400_000);
    revision.severity = Some(Severity::Important);
    revision.bulletins = vec!["MS20-001".to_owned(), "MS20-002".to_owned()];
    revision.eula_id = Some("eula".to_owned());
    revision.relationships.prerequisites = vec![
        in_category(100),
        PrerequisiteClause { alternatives: vec![update(3), update(2)], is_category: false, bare: false },
        PrerequisiteClause { alternatives: vec![], is_category: false, bare: false },
        PrerequisiteClause { alternatives: vec![update(4)], is_category: false, bare: true },
    ];
    revision.relationships.bundled = bundles(&[(10, 1), (11, 200)]);
    revision.relationships.superseded = vec![update(9), update(8)];
    revision.drivers = vec![DriverMetadata {
        hardware_id: "PCI\\VEN_8086".to_owned(),
        driver_version: u64::MAX,
        feature_scores: vec![("amd64.10.0".to_owned(), 255)],
        ..DriverMetadata::default()
    }];
    revision.files = vec![file(1), crate::revision::RevisionFile { eula_language: Some("en".to_owned()), ..file(2) }];
    revision.core_escaped = "&lt;x/&gt;".repeat(150_000);
    revision.core_plain_len = 4 * 150_000;
    revision.core_blocks = vec![
        CoreBlocks { plain_len: 65_535, data: vec![1, 2, 3] },
        CoreBlocks { plain_len: 10, data: vec![4; 100_000] },
    ];
    revision.eula_fragments = vec![
        ("en".to_owned(), None, "<EulaFile>en</EulaFile>".to_owned()),
        ("fr".to_owned(), Some("84".to_owned()), "<EulaFile>fr</EulaFile>".to_owned()),
    ];
    revision
}

pub(super) fn fill(scratch: &Scratch) {
    scratch.import(vec![
        whole(),
        software(2, 1),
        software(2, 200),
        super::category(100, weir_model::update::CategoryKind::Product, None),
    ]);
}

#[test]
fn a_revision_comes_back_as_it_was() {
    let scratch = Scratch::new();
    assert_eq!(scratch.import(vec![whole()]), ImportCounts { added: 1, unchanged: 0 });
    let scratch = scratch.reopen();
    let given = whole();
    scratch
        .store
        .read(|tx| {
            let row = tx.revision_find(given.identity)?.expect("stored");
            let id = row.id;
            assert_eq!(row.update_type, UpdateType::Software);
            assert_eq!(row.title, " Title 1 ");
            assert!(row.is_bundle && row.is_newest && row.explicitly_deployable && !row.expired);
            assert_eq!(row.kb_articles, given.kb_articles);
            assert_eq!(row.bulletins, given.bulletins);
            assert_eq!(row.severity, given.severity);
            assert_eq!(row.eula_id, given.eula_id);
            assert_eq!((row.created_at, row.arrived_at), (given.created_at, time(0)));
            assert_eq!(row.arrived_by, "administrator");
            assert_eq!(row.change, ChangeNumber(1));

            assert!(tx.document_text(id)?.expect("stored") == given.text);
            assert_eq!(tx.extended_fragment(id)?.as_deref(), Some(given.extended.as_str()));
            assert_eq!(tx.localized_fragments(id)?, given.localized_fragments);
            assert_eq!(tx.revision_localized(id)?, given.localized);
            let eulas: Vec<_> =
                tx.eula_fragments(id)?.into_iter().map(|eula| (eula.language, eula.region, eula.xml)).collect();
            assert_eq!(eulas, given.eula_fragments);
            let (ids, none) = ([id, RevisionId(id.0 + 1), id], HashMap::new());
            assert_eq!(tx.extended_fragments(&ids)?, HashMap::from([(id, given.extended.clone())]));
            assert_eq!(tx.localized_fragments_of(&ids)?, HashMap::from([(id, tx.localized_fragments(id)?)]));
            assert_eq!(tx.eula_fragments_of(&ids)?, HashMap::from([(id, tx.eula_fragments(id)?)]));
            assert_eq!(tx.eula_fragments_of(&[])?, none);
            assert_eq!(tx.core_infos(&ids)?, HashMap::from([(id, tx.core_info(id)?.expect("stored"))]));
            assert!(tx.core_escaped_many(&ids)? == [(id, given.core_escaped.clone().into_bytes())]);
            assert_eq!(tx.revision_files(id)?, given.files);
            assert_eq!(tx.revision_relationships(id)?, given.relationships);
            assert_eq!(tx.revision_categories(id)?, [update(100)]);
            assert_eq!(tx.revision_superseding(update(9))?, [id]);

            assert!(tx.core_escaped(id)?.expect("stored") == given.core_escaped.as_bytes());
            let info = tx.core_info(id)?.expect("stored");
            assert_eq!((info.plain_len, info.escaped_len), (600_000, 1_500_000));
            let pieces = u32::try_from(1_500_000_usize.div_ceil(PIECE)).expect("few");
            assert_eq!((info.pieces, info.block_rows, info.blocks_len), (pieces, 2, 100_003));
            let mut joined = Vec::new();
            for piece in 0..info.pieces {
                let piece = tx.core_piece(id, piece)?.expect("stored");
                assert!(piece.len() <= PIECE);
                joined.extend(piece);
            }
            assert!(joined == given.core_escaped.as_bytes());
            assert_eq!(tx.core_piece(id, info.pieces)?, None);
            assert_eq!(tx.core_blocks(id, 0)?, Some((65_535, vec![1, 2, 3])));
            assert_eq!(tx.core_blocks(id, 1)?, Some((10, vec![4; 100_000])));
            assert_eq!(tx.core_blocks(id, 2)?, None);

            let facts = tx.catalogue_revisions(RevisionId(0))?;
            assert_eq!(facts.len(), 1);
            assert_eq!(facts[0].identity, given.identity);
            assert_eq!(facts[0].relationships.prerequisites, given.relationships.prerequisites);
            assert_eq!(facts[0].relationships.bundled, given.relationships.bundled);
            assert_eq!(facts[0].drivers, given.drivers);
            assert_eq!(
                (facts[0].core_len, facts[0].changed, facts[0].changed_at),
                (1_500_000, ChangeNumber(1), time(0))
            );
            Ok(())
        })
        .expect("reads");
}

#[test]
fn importing_twice_changes_nothing() {
    let scratch = Scratch::new();
    let both = || vec![software(1, 1), software(2, 1)];
    assert_eq!(scratch.import(both()), ImportCounts { added: 2, unchanged: 0 });
    let version = scratch.store.read(|tx| tx.catalogue_version()).expect("reads");
    let mut lost_returns = software(1, 1);
    lost_returns.text = lost_returns.text.replace("\r\n", "\n");
    assert_eq!(scratch.import(both()), ImportCounts { added: 0, unchanged: 2 });
    assert_eq!(scratch.import(vec![lost_returns]), ImportCounts { added: 0, unchanged: 1 });
    assert_eq!(scratch.store.read(|tx| tx.catalogue_version()).expect("reads"), version);
}

#[test]
fn a_declaration_makes_no_difference() {
    let scratch = Scratch::new();
    let declared = |number, revision| {
        let mut one = software(number, revision);
        one.text.insert_str(0, "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n");
        one
    };
    scratch.import(vec![software(1, 1), declared(2, 1), declared(3, 1)]);
    assert_eq!(
        scratch.import(vec![declared(1, 1), software(2, 1), declared(3, 1)]),
        ImportCounts { added: 0, unchanged: 3 }
    );
    // as the first releases stored it: the digest is of the whole text
    scratch.execute("UPDATE revision SET text_hash = ?1", &[vec![0_u8; 32].into()]);
    assert_eq!(scratch.import(vec![declared(1, 1), software(2, 1)]), ImportCounts { added: 0, unchanged: 2 });
    let mut other = software(3, 1);
    other.text.push('x');
    let packed = [PackedRevision::pack(other).expect("packs")];
    let result = scratch.store.write(&actor(1), |tx| tx.revision_import(&packed));
    assert!(matches!(result, Err(StoreError::DifferentText(_))), "{result:?}");
}

#[test]
fn a_different_text_fails_the_whole_import() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1)]);
    let mut other = software(1, 1);
    other.text.push('x');
    let packed = [software(2, 1), other].map(|one| PackedRevision::pack(one).expect("packs"));
    let result = scratch.store.write(&actor(1), |tx| tx.revision_import(&packed));
    let identity = UpdateIdentity::new(update(1), 1);
    assert!(matches!(&result, Err(StoreError::DifferentText(found)) if *found == identity), "{result:?}");
    assert!(result.expect_err("failed").to_string().contains(&identity.to_string()));
    let rows = scratch.store.read(|tx| tx.catalogue_revisions(RevisionId(0))).expect("reads");
    assert_eq!(rows.len(), 1, "nothing of the failed import is there");
}

#[test]
fn numbers_are_never_given_again() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1), software(1, 2)]);
    let last =
        scratch.store.read(|tx| tx.revision_find(UpdateIdentity::new(update(1), 2))).expect("reads").expect("stored");
    scratch.write(|tx| tx.revision_delete(last.id));
    let left = scratch.store.read(|tx| tx.revision_list_of(update(1))).expect("reads");
    assert_eq!(left.iter().map(|row| (row.identity.revision.0, row.is_newest)).collect::<Vec<_>>(), [(1, true)]);
    let scratch = scratch.reopen();
    scratch.import(vec![software(1, 2)]);
    let again =
        scratch.store.read(|tx| tx.revision_find(UpdateIdentity::new(update(1), 2))).expect("reads").expect("stored");
    assert!(again.id > last.id && again.is_newest);
    let gone = scratch.store.read(|tx| tx.document_text(last.id)).expect("reads");
    assert_eq!(gone, None, "texts go with their revision");
}

#[test]
fn an_older_revision_does_not_become_the_newest() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 200)]);
    scratch.import(vec![software(1, 9)]);
    let rows = scratch.store.read(|tx| tx.revision_list_of(update(1))).expect("reads");
    assert_eq!(
        rows.iter().map(|row| (row.identity.revision.0, row.is_newest)).collect::<Vec<_>>(),
        [(9, false), (200, true)]
    );
}

#[test]
fn later_revisions_load_alone() {
    let scratch = Scratch::new();
    scratch.import((1..=600).map(|number| software(number, 1)).collect());
    let all = scratch.store.read(|tx| tx.catalogue_revisions(RevisionId(0))).expect("reads");
    assert_eq!(all.len(), 600);
    assert!(all.is_sorted_by_key(|row| row.id));
    assert_eq!(all[599].identity.update_id, update(600));
    let mut bundle = software(601, 1);
    bundle.relationships.bundled = bundles(&[(600, 1)]);
    scratch.import(vec![bundle.clone()]);
    let fresh = scratch.store.read(|tx| tx.catalogue_revisions(all[599].id)).expect("reads");
    assert_eq!(fresh.len(), 1);
    assert_eq!(fresh[0].relationships, bundle.relationships);
    assert_eq!(fresh[0].changed, ChangeNumber(2));
    let ids = scratch.store.read(|tx| tx.catalogue_revision_ids()).expect("reads");
    assert_eq!(ids.len(), 601);
    let numbers = scratch.store.read(|tx| tx.update_numbers(599)).expect("reads");
    assert_eq!(numbers, [(600, update(600)), (601, update(601))]);
}

#[test]
fn file_sources_are_kept_once() {
    let scratch = Scratch::new();
    let source = FileSource {
        digest: ContentDigest([1; 20]),
        url: "http://example.com/a".to_owned(),
        origin: "package".to_owned(),
    };
    scratch.write(|tx| tx.file_source_add(&[source.clone(), source.clone()]));
    let found = scratch.store.read(|tx| tx.file_sources(source.digest)).expect("reads");
    assert_eq!(found, [source]);
}

#[test]
fn texts_of_very_many_revisions_are_read_together() {
    let scratch = Scratch::new();
    scratch.import((0..100).map(|number| software(number, 1)).collect());
    let read = scratch.store.read(|tx| {
        let ids = tx.catalogue_revision_ids()?;
        let asked: Vec<RevisionId> = ids.iter().rev().copied().collect();
        let cores = tx.core_escaped_many(&asked)?;
        assert_eq!(cores.iter().map(|(id, _)| *id).collect::<Vec<_>>(), asked, "in the order asked");
        let (extended, localized) = (tx.extended_fragments(&asked)?, tx.localized_fragments_of(&asked)?);
        let infos = tx.core_infos(&asked)?;
        for (id, core) in cores {
            assert_eq!(tx.core_escaped(id)?, Some(core));
            assert_eq!(tx.extended_fragment(id)?.as_ref(), extended.get(&id));
            assert_eq!(Some(&tx.localized_fragments(id)?), localized.get(&id));
            assert_eq!(tx.core_info(id)?.as_ref(), infos.get(&id));
        }
        assert_eq!((ids.len(), extended.len(), localized.len(), infos.len()), (100, 100, 100, 100));
        Ok(())
    });
    read.expect("reads");
}

#[test]
fn files_and_names_are_found_by_revision_and_digest() {
    let scratch = Scratch::new();
    scratch.import(vec![
        NewRevision { files: vec![file(1), file(2)], ..software(1, 1) },
        NewRevision { files: vec![file(2)], ..software(2, 1) },
    ]);
    scratch
        .store
        .read(|tx| {
            let ids = tx.catalogue_revision_ids()?;
            let files = tx.files_of(&ids)?;
            assert_eq!(files.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["file1.cab", "file2.cab"]);
            assert_eq!(tx.file_name(ContentDigest([2; 20]))?.as_deref(), Some("file2.cab"));
            assert_eq!(tx.file_name(ContentDigest([3; 20]))?, None);
            assert_eq!(tx.file_expected(ContentDigest([1; 20]))?, Some((file(1).sha256, 1001)));
            Ok(())
        })
        .expect("reads");
}
