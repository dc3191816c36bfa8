use super::*;

fn row(no: u32, id: &str, groups: &[CollectionId]) -> DirectoryRow {
    DirectoryRow {
        no,
        id: id.parse().expect("id"),
        registered: no.is_multiple_of(2),
        site: 1,
        time_zone: no.is_multiple_of(2).then(|| "Asia/Kathmandu".to_owned()),
        groups: groups.to_vec(),
    }
}

#[test]
fn a_reload_follows_the_database_and_keeps_what_only_memory_knows() {
    let directory = Directory::default();
    let ring = CollectionId(uuid::Uuid::from_u128(9));
    directory.put(&"a".parse().expect("id"), 1, false, &[], 77, 100);
    directory.put(&"gone".parse().expect("id"), 2, true, &[], 1, 1);
    directory.reload(vec![row(1, "a", &[ring]), row(4, "b", &[])]);
    assert_eq!(directory.len(), 2);
    assert!(directory.find(&"gone".parse().expect("id")).is_none());
    let a = directory.find(&"A".parse().expect("id")).expect("known");
    assert_eq!((a.no, a.applied, a.groups.collections()), (1, 77, &[ring][..]));
    let b = directory.find(&"b".parse().expect("id")).expect("known");
    assert!(b.registered);
    assert_eq!((a.zone.is_none(), b.zone.as_ref().map(|zone| zone.name())), (true, Some("Asia/Kathmandu")));
    assert_eq!(b.groups.collections(), [CollectionId::UNASSIGNED_COMPUTERS]);
}

#[test]
fn a_computer_that_comes_back_has_its_own_zone_again() {
    let directory = Directory::default();
    let zone = |id: &str| {
        let computer = directory.find(&id.parse().expect("id")).expect("known");
        computer.zone.as_ref().map(|zone| zone.name().to_owned())
    };
    directory.put_row(&row(2, "b", &[]), 7, 8);
    assert_eq!(zone("b").as_deref(), Some("Asia/Kathmandu"));
    directory.put(&"b".parse().expect("id"), 2, true, &[], 7, 9);
    assert_eq!(zone("b").as_deref(), Some("Asia/Kathmandu"), "who does not know it leaves it");
    directory.put_row(&DirectoryRow { time_zone: None, ..row(2, "b", &[]) }, 7, 9);
    assert_eq!(zone("b"), None);
}

#[test]
fn members_of_held_collections_stay_until_they_are_let_go() {
    let directory = Directory::default();
    let [held, other] = [1, 2].map(|n| CollectionId(uuid::Uuid::from_u128(n)));
    let unassigned = CollectionId::UNASSIGNED_COMPUTERS;
    let groups = |id: &str| directory.find(&id.parse().expect("id")).expect("known").groups.collections().to_vec();
    let put = |id: &str, groups: &[CollectionId]| directory.put(&id.parse().expect("id"), 1, true, groups, 5, 6);
    put("a", &[held, unassigned]);
    put("b", &[]);
    directory.hold(BTreeSet::from([held]));
    put("a", &[other]);
    put("b", &[held, unassigned]);
    put("new", &[held, unassigned]);
    let sorted = |mut groups: Vec<CollectionId>| {
        groups.sort_unstable();
        groups
    };
    assert_eq!(groups("a"), sorted(vec![held, other]), "what is not held moves");
    assert_eq!(groups("b"), [unassigned]);
    assert_eq!(groups("new"), sorted(vec![held, unassigned]), "a computer that comes is where it is");
    directory.reload(vec![row(1, "a", &[other]), row(1, "b", &[held, unassigned]), row(1, "new", &[])]);
    assert_eq!((groups("a"), groups("b")), (sorted(vec![held, other]), vec![unassigned]), "a reload, too");
    put("b", &[held, other]);
    directory.release();
    assert_eq!((groups("a"), groups("b")), (vec![other], sorted(vec![held, other])));
    assert_eq!(groups("new"), [unassigned]);
    let a = directory.find(&"a".parse().expect("id")).expect("known");
    assert_eq!((a.no, a.applied, a.registered), (1, 5, false));
    assert!(directory.held.lock().actual.is_empty());
}

#[test]
fn the_version_moves_on_only_from_where_it_is() {
    let directory = Directory::default();
    directory.advance(1, 2);
    assert_eq!(directory.version(), None, "nothing was loaded");
    let version = |directory| Some(Version { directory, feed: 7 });
    directory.set_version(Version { directory: 2, feed: 7 });
    directory.advance(1, 5);
    assert_eq!(directory.version(), version(2), "something between was not put in");
    directory.advance(2, 5);
    assert_eq!(directory.version(), version(5));
}

#[test]
fn what_changed_is_put_in_and_everything_else_stays() {
    let directory = Directory::default();
    let ring = CollectionId(uuid::Uuid::from_u128(9));
    for (no, id) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        directory.put(&id.parse().expect("id"), no, true, &[], 77, 100);
    }
    let known = |id: &str| directory.find(&id.parse().expect("id"));
    let before = known("d").expect("known");
    let elsewhere = DirectoryRow { site: 5, ..row(2, "b", &[]) };
    let rows =
        vec![row(1, "a", &[ring]), elsewhere, DirectoryRow { time_zone: None, ..row(4, "d", &[]) }, row(6, "e", &[])];
    directory.follow(DirectoryChanges { rows, gone: vec![3, 99] }, 1);
    let a = known("a").expect("known");
    assert_eq!((a.registered, a.applied, a.groups.collections()), (false, 77, &[ring][..]));
    assert!(known("b").is_none(), "it scans elsewhere");
    assert!(known("c").is_none(), "it is gone");
    assert!(Arc::ptr_eq(&before, &known("d").expect("known")), "nothing of it is another");
    assert_eq!(known("e").expect("new").zone.as_ref().map(|zone| zone.name()), Some("Asia/Kathmandu"));
    assert_eq!(directory.len(), 3);
}

#[test]
fn equal_sets_are_one_set() {
    let directory = Directory::default();
    let [x, y] = [1, 2].map(|n| CollectionId(uuid::Uuid::from_u128(n)));
    assert!(Arc::ptr_eq(&directory.group_set(&[y, x, y]), &directory.group_set(&[x, y])));
}

#[test]
fn a_build_is_new_until_it_was_told() {
    let directory = Directory::default();
    let id = "a".parse().expect("id");
    directory.put(&id, 1, false, &[], 0, 0);
    let computer = directory.find(&id).expect("known");
    let new = |text: &str| computer.build_is_new(text.parse().expect("build"));
    assert_eq!(["10.0.1.1", "10.0.1.1", "10.0.1.2", "10.0.1.2"].map(new), [true, false, true, false]);
    computer.forget_build();
    assert!(new("10.0.1.2"));
}

#[test]
fn a_contact_is_due_once_per_interval() {
    let directory = Directory::default();
    let id = "a".parse().expect("id");
    directory.put(&id, 1, false, &[], 0, 0);
    let computer = directory.find(&id).expect("known");
    assert!(computer.contact_due(1_000, 600));
    assert!(!computer.contact_due(1_100, 600));
    assert!(computer.contact_due(1_600, 600));
    assert!(!computer.contact_due(1_500, 600), "a clock that is corrected by a moment");
    assert!(computer.contact_due(900, 600), "a clock that was set back");
}
