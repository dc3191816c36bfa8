//! StartCategoryScan and category filters.

use super::build::{Build, Client, category, detectoid, driver, rids, software, uid};
use crate::{
    catalogue::{CategoryRelationship, CategoryScanError, PageLimits, Scratch, Snapshot, SoftwareQuery, SyncPlan},
    ids::{ChangeNumber, UpdateId},
    update::{CategoryKind, DriverMetadata},
};

/// Company 1, family 2, products 3 (with updates), 4 (without) and 5 (drivers), classification 6, detectoids 7 and 8 of
/// product 3, 9 of none; bundle 10 with member 11, plain update 12; update 13 of no product; driver 14.
fn build() -> Build {
    let entry = DriverMetadata { hardware_id: "A".to_owned(), ..DriverMetadata::default() };
    Build::with([
        category(1, CategoryKind::Company),
        category(2, CategoryKind::ProductFamily).within(1),
        category(3, CategoryKind::Product).within(2),
        category(4, CategoryKind::Product).within(2),
        category(5, CategoryKind::Product).within(2),
        category(6, CategoryKind::UpdateClassification),
        detectoid(7).needs(3),
        detectoid(8).needs(7),
        detectoid(9),
        software(10).within(3).within(6).needs(8).bundles(&[(11, 1)]),
        software(11).needs_one_of(&[3]),
        software(12).within(3).needs(9),
        software(13).within(6),
        driver(14, vec![entry]).within(5),
    ])
}

fn scan(pairs: &[(i32, u32)]) -> (Vec<UpdateId>, Vec<UpdateId>) {
    let asked: Vec<_> =
        pairs.iter().map(|(group, id)| CategoryRelationship { group: *group, category: uid(*id) }).collect();
    let scan = build().snapshot().category_scan(&asked).expect("allowed");
    (scan.preferred, scan.in_error)
}

fn ids(numbers: &[u32]) -> Vec<UpdateId> {
    numbers.iter().copied().map(uid).collect()
}

/// (40)
#[test]
fn category_scans_prefer_products() {
    assert_eq!(scan(&[(0, 3)]), (ids(&[3]), vec![]));
    assert_eq!(scan(&[(0, 3), (0, 6), (1, 4)]), (ids(&[3, 4]), vec![]));
    // unknown ids, and ids of what is no category, take their whole group with them
    assert_eq!(scan(&[(0, 3), (0, 99), (1, 4)]), (ids(&[4]), ids(&[99])));
    assert_eq!(scan(&[(0, 99), (1, 12)]), (vec![], ids(&[99, 12])));
    // anything else asks for a full scan
    for pairs in [&[(0, 3), (1, 6)][..], &[(0, 3), (0, 4)], &[(0, 3), (0, 6), (0, 4)], &[(5, 6)]] {
        assert_eq!(scan(pairs), (vec![], vec![]), "{pairs:?}");
    }
    // families and companies count as products; repeats do not matter
    assert_eq!(scan(&[(0, 2), (0, 2), (7, 1), (-1, 2)]), (ids(&[2, 1]), vec![]));
    let snapshot = build().snapshot();
    assert_eq!(snapshot.category_scan(&[]), Err(CategoryScanError::Missing));
    let many = vec![CategoryRelationship { group: 0, category: uid(3) }; 200];
    assert_eq!(snapshot.category_scan(&many), Err(CategoryScanError::TooMany(200)));
    assert!(snapshot.category_scan(&many[1..]).is_ok());
}

fn ask(snapshot: &Snapshot, filter: &[u32], installed: &[i32], other: &[i32], two_groups: bool) -> SyncPlan {
    let related = snapshot.related(&ids(filter));
    let (installed, other) = (rids(installed), rids(other));
    let query = SoftwareQuery {
        installed: &installed,
        other: &other,
        filter: Some(&related),
        two_groups,
        anchor: Some(ChangeNumber(1)),
        ..SoftwareQuery::default()
    };
    snapshot.software(&snapshot.scope(&[]), &query, &PageLimits::default(), &mut Scratch::default())
}

fn new(plan: &SyncPlan) -> Vec<i32> {
    plan.new.iter().map(|it| it.id.0).collect()
}

/// (41) As recorded: company, family and product come, one per round, and no driver is needed.
#[test]
fn a_product_without_updates_is_its_chain_and_itself() {
    let snapshot = build().snapshot();
    let rounds = [ask(&snapshot, &[4], &[], &[], true), ask(&snapshot, &[4], &[1], &[], true)];
    assert_eq!(rounds.each_ref().map(new), [vec![1], vec![2]]);
    let last = ask(&snapshot, &[4], &[1, 2], &[], true);
    assert_eq!(new(&last), [4]);
    assert!(last.driver_sync_not_needed);
    assert_eq!(new(&ask(&snapshot, &[4], &[1, 2], &[4], true)), [0_i32; 0]);
}

/// (41)
#[test]
fn a_filter_takes_what_is_in_the_category_and_what_that_needs() {
    let snapshot = build().snapshot();
    let related = snapshot.related(&ids(&[3]));
    assert_eq!(related.len(), 10);
    let all = ask(&snapshot, &[3], &[1, 2, 3, 6, 7, 8, 9], &[], true);
    assert_eq!(new(&all), [10, 11, 12]);
    assert!(all.driver_sync_not_needed);
    assert!(!ask(&snapshot, &[5], &[], &[], true).driver_sync_not_needed);
    // a family stands for all its products
    assert!(!ask(&snapshot, &[2], &[], &[], true).driver_sync_not_needed);
    assert_eq!(new(&ask(&snapshot, &[6], &[1, 2, 3, 6, 7, 8], &[], true)), [10, 11, 13]);
    assert!(snapshot.related(&ids(&[99, 12])).is_empty());
}

/// (41) Two lists if asked for, else one.
#[test]
fn out_of_scope_ids_are_split_on_demand() {
    let mut build = build();
    build.decline(12, true);
    let snapshot = build.snapshot();
    // 13 is in scope but not in the filter, 10 is not gated in, 12 left the scope, 99 is unknown
    let split = ask(&snapshot, &[3], &[1, 2, 3], &[13, 10, 12, 99, 7], true);
    assert_eq!(split.deployed_out_of_scope, rids(&[13, 10]));
    assert_eq!(split.out_of_scope, rids(&[12, 99]));
    let one = ask(&snapshot, &[3], &[1, 2, 3], &[13, 10, 12, 99, 7], false);
    assert_eq!(one.deployed_out_of_scope, []);
    assert_eq!(one.out_of_scope, rids(&[13, 10, 12, 99]));
}

#[test]
fn a_full_scan_after_the_filtered_one_brings_the_rest() {
    let snapshot = build().snapshot();
    let mut client = Client::default();
    client.scan(&snapshot, &snapshot.scope(&[]), &PageLimits::default());
    assert_eq!(client.cache.len(), 13);
}
