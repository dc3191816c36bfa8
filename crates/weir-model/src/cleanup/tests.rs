use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400;

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + day * DAY).expect("a time")
}

fn collection(number: u128) -> CollectionId {
    CollectionId(uuid::Uuid::from_u128(number))
}

/// Revision `number` of an update that was made and came at `at`.
fn revision(update: u32, number: u32, at: i64) -> Revision {
    Revision {
        id: RevisionId((update * 100 + number) as i32),
        update,
        number: RevisionNumber(number),
        update_type: UpdateType::Software,
        expired: false,
        deployable: true,
        created_at: Some(day(at)),
        arrived_at: day(at),
        prerequisites: Vec::new(),
        members: Vec::new(),
        supersedes: Vec::new(),
        categories: Vec::new(),
    }
}

fn superseding(update: u32, at: i64, supersedes: &[u32]) -> Revision {
    Revision { supersedes: supersedes.to_vec(), ..revision(update, 1, at) }
}

fn input(revisions: Vec<Revision>) -> Input {
    Input { revisions, ..Input::default() }
}

fn declined(at: i64) -> Flags {
    Flags { declined_at: Some(day(at)), ..Flags::default() }
}

fn deployed(update: u32, to: u128) -> Deployed {
    Deployed { update, revision: None, collection: collection(to), installs: true }
}

/// Both sets at once, nothing kept for what is not deployed.
fn at_once() -> Rules {
    Rules { features: Wait::Immediately, others: Wait::Immediately, ..Rules::default() }
}

fn declines(plan: &Plan) -> Vec<(u32, u32)> {
    plan.decline.iter().map(|it| (it.update, it.by)).collect()
}

fn purged(plan: &Plan) -> Vec<(u32, u32)> {
    plan.purge.iter().map(|it| (it.update, it.number.0)).collect()
}

fn kept(plan: &Plan, update: u32) -> Vec<Kept> {
    plan.keep.iter().filter(|it| it.update == update).map(|it| it.why.clone()).collect()
}

#[test]
fn waits_are_written_as_they_are_read() {
    for wait in [Wait::Off, Wait::Immediately, Wait::Months(1), Wait::Months(3), Wait::Months(MOST_MONTHS)] {
        assert_eq!(wait.to_string().parse(), Ok(wait));
    }
    assert_eq!(" Months:3 ".parse(), Ok(Wait::Months(3)));
    for wrong in ["", "months", "months:", "months:0", "months:100", "months:-1", "months:+3", "months:3 4", "3", "now"]
    {
        let error = wrong.parse::<Wait>().expect_err(wrong);
        assert!(error.to_string().contains("months:N"), "{error}");
    }
}

#[test]
fn months_are_those_of_the_calendar() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    assert_eq!(Wait::Months(3).due(at("2024-11-30T10:00:00Z")), Some(at("2025-02-28T10:00:00Z")));
    assert_eq!(Wait::Months(1).due(at("2024-01-31T00:00:00Z")), Some(at("2024-02-29T00:00:00Z")));
    assert_eq!(Wait::Immediately.due(day(0)), Some(day(0)));
    assert_eq!(Wait::Off.due(day(0)), None);
    assert_eq!(Wait::Months(99).due(Timestamp::MAX), None);
}

/// SUPR-1: two sets, each at once or after months, counted from the creation of what supersedes.
#[test]
fn the_clock_is_that_of_the_superseding_update() {
    let feature = Revision { categories: vec![900], ..revision(1, 1, 0) };
    let other = revision(2, 1, 0);
    let mut input = input(vec![feature, other, superseding(3, 100, &[1]), superseding(4, 100, &[2])]);
    input.classifications = BTreeSet::from([900]);
    input.feature_classifications = BTreeSet::from([900]);
    let months = |features, others| Rules { features, others, ..Rules::default() };
    assert!(plan(&input, &Rules::default(), day(1_000)).is_empty(), "off until it is switched on");
    let rules = months(Wait::Months(3), Wait::Immediately);
    assert_eq!(declines(&plan(&input, &rules, day(101))), [(2, 4)]);
    assert_eq!(declines(&plan(&input, &rules, day(189))), [(2, 4)]);
    assert_eq!(declines(&plan(&input, &rules, day(190))), [(1, 3), (2, 4)]);
    let found = plan(&input, &months(Wait::Off, Wait::Months(12)), day(193));
    assert!(found.decline.is_empty());
    assert!(
        matches!(kept(&found, 2)[..], [Kept::Until(4, until)] if until > day(464) && until < day(468)),
        "{found:?}"
    );
    let dates: Vec<_> = plan(&input, &rules, day(193)).decline.iter().map(|it| (it.since, it.feature)).collect();
    assert_eq!(dates, [(day(100), true), (day(100), false)]);
}

#[test]
fn only_live_updates_replace_and_only_live_ones_are_declined() {
    let mut withdrawn = superseding(2, 1, &[1]);
    withdrawn.expired = true;
    assert!(declines(&plan(&input(vec![revision(1, 1, 0), withdrawn]), &at_once(), day(2))).is_empty());
    let mut other = input(vec![revision(1, 1, 0), superseding(2, 1, &[1])]);
    other.flags.insert(2, declined(1));
    assert!(declines(&plan(&other, &at_once(), day(2))).is_empty());
    other.flags = BTreeMap::from([(1, declined(1))]);
    assert!(declines(&plan(&other, &at_once(), day(2))).is_empty());
    other.flags = BTreeMap::from([(1, Flags { protected: true, ..Flags::default() })]);
    let found = plan(&other, &at_once(), day(2));
    assert!(found.decline.is_empty());
    assert_eq!(kept(&found, 1), [Kept::Protected]);
    // an older revision said so, the newest does not any more
    let other = input(vec![revision(1, 1, 0), superseding(2, 1, &[1]), revision(2, 2, 1)]);
    assert!(declines(&plan(&other, &at_once(), day(2))).is_empty());
    let mut member = input(vec![Revision { deployable: false, ..revision(1, 1, 0) }, superseding(2, 1, &[1])]);
    assert!(declines(&plan(&member, &at_once(), day(2))).is_empty());
    member.follows = true;
    member.revisions[0].deployable = true;
    assert!(declines(&plan(&member, &at_once(), day(2))).is_empty(), "a site above decides");
}

#[test]
fn chains_do_not_break_and_circles_decline_nobody() {
    let chain = || vec![revision(1, 1, 0), superseding(2, 10, &[1]), superseding(3, 20, &[2])];
    assert_eq!(declines(&plan(&input(chain()), &at_once(), day(30))), [(1, 2), (2, 3)]);
    let mut broken = input(chain());
    broken.flags.insert(2, declined(15));
    assert_eq!(declines(&plan(&broken, &at_once(), day(30))), [(1, 3)]);
    let rules = Rules { others: Wait::Months(3), declined_days: 1, ..at_once() };
    let found = plan(&broken, &rules, day(30));
    assert!(found.is_empty(), "what links it to its superseder stays: {found:?}");
    assert_eq!(kept(&found, 2), [Kept::Reason(1)]);
    assert_eq!(purged(&plan(&broken, &Rules { declined_days: 1, ..Rules::default() }, day(30))), [(2, 1)]);

    let circle = vec![superseding(1, 0, &[3]), superseding(2, 10, &[1]), superseding(3, 20, &[2])];
    let found = plan(&input(circle.clone()), &at_once(), day(30));
    assert!(found.decline.is_empty());
    assert_eq!(kept(&found, 1), [Kept::Circle(2)]);
    let left = input(circle.into_iter().chain([superseding(4, 25, &[3])]).collect());
    assert_eq!(declines(&plan(&left, &at_once(), day(30))), [(1, 4), (2, 4), (3, 4)]);
    let own = input(vec![superseding(1, 0, &[1])]);
    assert!(plan(&own, &at_once(), day(30)).is_empty());
}

/// SUPR-3: the newer one drops a product, or is not approved where the older one is.
#[test]
fn what_is_not_fully_replaced_stays() {
    let of = |update, at, supersedes: &[u32], categories: &[u32]| Revision {
        categories: categories.to_vec(),
        ..superseding(update, at, supersedes)
    };
    let mut narrower = input(vec![of(1, 0, &[], &[10, 11, 90]), of(2, 1, &[1], &[10, 91])]);
    narrower.classifications = BTreeSet::from([90, 91]);
    let found = plan(&narrower, &at_once(), day(2));
    assert_eq!(kept(&found, 1), [Kept::Narrower(1, 11)]);
    assert_eq!(declines(&plan(&narrower, &Rules { keep_narrower: false, ..at_once() }, day(2))), [(1, 2)]);
    narrower.revisions.push(of(3, 2, &[1], &[11]));
    assert_eq!(declines(&plan(&narrower, &at_once(), day(2))), [(1, 2)], "together they replace it");

    let mut other = input(vec![revision(1, 1, 0), superseding(2, 1, &[1])]);
    other.parents = BTreeMap::from([(collection(2), collection(1)), (collection(3), collection(1))]);
    other.deployments = vec![deployed(1, 2), deployed(1, 3), deployed(2, 3)];
    let found = plan(&other, &at_once(), day(2));
    assert_eq!(kept(&found, 1), [Kept::NotDeployed(1, collection(2))]);
    assert_eq!(declines(&plan(&other, &Rules { keep_until_deployed: false, ..at_once() }, day(2))), [(1, 2)]);
    for (to, installs, is_declined) in [(2, true, true), (1, true, true), (2, false, false), (4, true, false)] {
        let mut more = other.clone();
        more.deployments.push(Deployed { installs, ..deployed(2, to) });
        assert_eq!(!declines(&plan(&more, &at_once(), day(2))).is_empty(), is_declined, "{to} {installs}");
    }
    other.deployments = vec![Deployed { revision: Some(RevisionNumber(1)), ..deployed(1, 2) }, deployed(2, 2)];
    assert_eq!(kept(&plan(&other, &at_once(), day(2)), 1), [Kept::Pinned(RevisionNumber(1))]);
}

#[test]
fn what_others_need_is_not_declined() {
    let needs = |update, prerequisite| Revision { prerequisites: vec![prerequisite], ..revision(update, 1, 0) };
    let mut all = vec![revision(1, 1, 0), superseding(2, 1, &[1]), needs(3, 1)];
    let found = plan(&input(all.clone()), &at_once(), day(2));
    assert!(found.decline.is_empty());
    assert_eq!(kept(&found, 1), [Kept::NeededBy(3)]);
    // what needs it goes as well
    all.push(superseding(4, 1, &[3]));
    assert_eq!(declines(&plan(&input(all), &at_once(), day(2))), [(1, 2), (3, 4)]);
    let bundle = Revision { members: vec![(1, RevisionNumber(1))], ..revision(3, 1, 0) };
    let found = plan(&input(vec![revision(1, 1, 0), superseding(2, 1, &[1]), bundle]), &at_once(), day(2));
    assert_eq!(kept(&found, 1), [Kept::NeededBy(3)]);
}

/// SUPR-8: withdrawn updates go after seven days, deployed ones when they are no longer.
#[test]
fn withdrawn_updates_go_unless_they_are_used() {
    let withdrawn = |update| Revision { expired: true, ..revision(update, 2, 10) };
    let mut input = input((1..=3).flat_map(|update| [revision(update, 1, 0), withdrawn(update)]).collect());
    input.deployments = vec![Deployed { installs: false, ..deployed(2, 1) }];
    input.grouped = BTreeSet::from([3]);
    let rules = Rules::default();
    assert!(plan(&input, &rules, day(16)).is_empty());
    let found = plan(&input, &rules, day(17));
    // of the others the older revisions have time left
    assert_eq!(purged(&found), [(1, 1), (1, 2), (2, 1), (3, 1)]);
    assert_eq!((kept(&found, 2), kept(&found, 3)), (vec![Kept::Deployed], vec![Kept::Grouped]));
    assert!(found.purge.iter().all(|it| it.why == Why::Expired(day(10))));
    assert!(plan(&input, &Rules { expired_days: 0, obsolete_days: 0, ..rules }, day(1_000)).is_empty());
    let mut category = revision(9, 1, 0);
    (category.expired, category.update_type) = (true, UpdateType::Detectoid);
    assert!(plan(&self::input(vec![category]), &rules, day(1_000)).is_empty(), "others are judged by it");
}

#[test]
fn declined_updates_go_after_their_time() {
    let mut all = input(vec![revision(1, 1, 0), revision(2, 1, 0)]);
    all.flags = BTreeMap::from([(1, declined(10)), (2, declined(20))]);
    assert!(plan(&all, &Rules::default(), day(39)).is_empty());
    assert_eq!(purged(&plan(&all, &Rules::default(), day(40))), [(1, 1)]);
    assert!(plan(&all, &Rules { declined_days: 0, ..Rules::default() }, day(4_000)).is_empty());
    all.expected = vec![(1, RevisionNumber(1))];
    assert_eq!(kept(&plan(&all, &Rules::default(), day(40)), 1), [Kept::Expected]);
}

#[test]
fn old_revisions_go_unless_something_names_them() {
    let bundle = Revision { members: vec![(2, RevisionNumber(1))], ..revision(3, 1, 0) };
    let mut all = vec![bundle];
    for update in [1, 2, 4] {
        all.extend([revision(update, 1, 0), revision(update, 2, 10)]);
    }
    let mut all = input(all);
    all.deployments = vec![Deployed { revision: Some(RevisionNumber(1)), ..deployed(4, 1) }];
    assert!(plan(&all, &Rules::default(), day(39)).is_empty());
    let found = plan(&all, &Rules::default(), day(40));
    assert_eq!(purged(&found), [(1, 1)]);
    assert_eq!(found.purge[0].why, Why::Obsolete(day(10)));
    assert_eq!(kept(&found, 2), [Kept::NeededBy(3)]);
    assert_eq!(kept(&found, 4), [Kept::Pinned(RevisionNumber(1))]);
}

#[test]
fn members_go_with_the_last_of_their_bundles() {
    let member = |update| Revision { deployable: false, ..revision(update, 1, 0) };
    let bundle = |update, members: &[u32]| Revision {
        members: members.iter().map(|member| (*member, RevisionNumber(1))).collect(),
        ..revision(update, 1, 0)
    };
    let mut all = input(vec![bundle(1, &[3, 4]), bundle(2, &[4]), member(3), member(4), member(5)]);
    all.flags = BTreeMap::from([(1, declined(0))]);
    let found = plan(&all, &Rules::default(), day(40));
    assert_eq!(purged(&found), [(1, 1), (3, 1)], "5 never had a bundle");
    assert_eq!(found.purge[1].why, Why::Orphan);
    assert_eq!(kept(&found, 4), [Kept::NeededBy(2)]);
}

/// A withdrawn update of which an old revision stays keeps its newest too: else it would be live again.
#[test]
fn what_was_withdrawn_does_not_come_back() {
    let bundle = Revision { members: vec![(1, RevisionNumber(1))], ..revision(2, 1, 0) };
    let withdrawn = Revision { expired: true, ..revision(1, 2, 0) };
    let found = plan(&input(vec![bundle, revision(1, 1, 0), withdrawn]), &Rules::default(), day(100));
    assert!(found.purge.is_empty(), "{found:?}");
}

/// What a run does to what is stored.
fn carry_out(input: &mut Input, decline: &[Decline], purge: &[Purge], now: Timestamp) {
    for it in decline {
        let flags = input.flags.entry(it.update).or_default();
        (flags.declined_at, flags.declined_for) = (Some(now), Some(it.by));
    }
    for it in purge {
        let gone = input.revisions.iter().find(|revision| revision.id == it.id).expect("stored");
        for (member, _) in gone.members.clone() {
            input.flags.entry(member).or_default().former_member = true;
        }
    }
    input.revisions.retain(|revision| !purge.iter().any(|it| it.id == revision.id));
}

fn updates() -> impl Strategy<Value = Revision> {
    let names = || prop::collection::vec(0_u32..12, 0..3);
    let pairs = prop::collection::vec((0_u32..12, 1_u32..4), 0..3);
    let facts = (0_u32..12, 1_u32..4, 0_i64..120, any::<bool>(), prop::bool::weighted(0.2), 0_u8..8);
    (facts, names(), pairs, names(), prop::collection::vec(100_u32..103, 0..2)).prop_map(
        |((update, number, at, deployable, expired, kind), prerequisites, members, supersedes, categories)| Revision {
            expired,
            deployable,
            update_type: if kind == 0 { UpdateType::Detectoid } else { UpdateType::Software },
            prerequisites,
            members: members.into_iter().map(|(update, number)| (update, RevisionNumber(number))).collect(),
            supersedes,
            categories,
            ..revision(update, number, at)
        },
    )
}

prop_compose! {
    fn inputs()(
        revisions in prop::collection::vec(updates(), 0..24),
        flags in prop::collection::btree_map(
            0_u32..12,
            (prop::option::of(0_i64..120), any::<bool>(), prop::option::of(0_u32..12)),
            0..5,
        ),
        deployments in prop::collection::vec((0_u32..12, prop::option::of(1_u32..4), 1_u128..4, any::<bool>()), 0..4),
        grouped in prop::collection::btree_set(0_u32..12, 0..2),
        follows in prop::bool::weighted(0.2),
    ) -> Input {
        let mut seen = BTreeSet::new();
        Input {
            revisions: revisions.into_iter().filter(|it| seen.insert((it.update, it.number))).collect(),
            flags: flags.into_iter().map(|(update, (at, protected, declined_for))| {
                let declined_at = at.map(day);
                (update, Flags { declined_at, protected, declined_for, former_member: false })
            }).collect(),
            deployments: deployments.into_iter().map(|(update, pinned, to, installs)| Deployed {
                revision: pinned.map(RevisionNumber), installs, ..deployed(update, to)
            }).collect(),
            grouped,
            parents: BTreeMap::from([(collection(2), collection(1)), (collection(3), collection(2))]),
            classifications: BTreeSet::from([102]),
            feature_classifications: BTreeSet::from([102]),
            expected: Vec::new(),
            follows,
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let wait = || prop_oneof![Just(Wait::Off), Just(Wait::Immediately), (1_u8..4).prop_map(Wait::Months)];
    let days = || prop_oneof![Just(0_u32), 1_u32..60];
    (wait(), wait(), any::<bool>(), any::<bool>(), days(), days(), days()).prop_map(
        |(features, others, keep_until_deployed, keep_narrower, expired_days, declined_days, obsolete_days)| Rules {
            features,
            others,
            keep_until_deployed,
            keep_narrower,
            expired_days,
            declined_days,
            obsolete_days,
        },
    )
}

fn newest(input: &Input, update: u32) -> Option<&Revision> {
    input.revisions.iter().filter(|it| it.update == update).max_by_key(|it| it.number)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// What stays finds everything that it referred to and that was here.
    #[test]
    fn nothing_that_is_needed_is_removed(before in inputs(), rules in rules(), at in 60_i64..200) {
        let found = plan(&before, &rules, day(at));
        let mut after = before.clone();
        carry_out(&mut after, &found.decline, &found.purge, day(at));
        let has = |update, number| after.revisions.iter().any(|it| it.update == update && it.number == number);
        let had = |update, number| before.revisions.iter().any(|it| it.update == update && it.number == number);
        let same = |update| newest(&before, update).map(|it| it.id) == newest(&after, update).map(|it| it.id);
        for it in &after.revisions {
            prop_assert!(same(it.update), "the newest revision of {} is another", it.update);
            for update in &it.prerequisites {
                prop_assert!(same(*update), "{} needs {update}", it.update);
            }
            for (update, number) in &it.members {
                prop_assert!(!had(*update, *number) || has(*update, *number), "{} bundles {update}", it.update);
            }
            let flags = after.flags.get(&it.update).copied().unwrap_or_default();
            if let (Some(_), Some(by)) = (flags.declined_at, flags.declined_for) {
                prop_assert!(same(by), "{} is declined for {by}", it.update);
            }
        }
        for it in &before.deployments {
            prop_assert!(same(it.update));
            prop_assert!(it.revision.is_none_or(|number| !had(it.update, number) || has(it.update, number)));
        }
        for update in &before.grouped {
            prop_assert!(same(*update));
        }
        for update in 0..12 {
            let Some(last) = newest(&before, update) else { continue };
            let flags = before.flags.get(&update).copied().unwrap_or_default();
            let live = flags.declined_at.is_none() && !last.expired;
            if last.update_type == UpdateType::Detectoid || (live && last.deployable) {
                prop_assert!(same(update), "{update} is live, or others are judged by it");
            }
            // what is not removed may not have been removable, but a plan that removes nothing at all is wrong
            let alone = before.revisions.len() == before.revisions.iter().filter(|it| it.update == update).count()
                && before.deployments.is_empty() && before.grouped.is_empty();
            let old = flags.declined_at.is_some_and(|since| {
                rules.declined_days > 0 && day(at).duration_since(since).as_hours() >= 24 * i64::from(rules.declined_days)
            });
            if alone && old && last.update_type == UpdateType::Software && flags.declined_for.is_none_or(|by| by != update) {
                prop_assert!(after.revisions.is_empty());
            }
        }
        // at most one of those that replace each other is declined for another one of them
        for it in &found.decline {
            prop_assert!(!before.follows);
            prop_assert!(it.by != it.update);
            let by = newest(&before, it.by).expect("stored");
            prop_assert!(!by.expired && before.flags.get(&it.by).is_none_or(|flags| flags.declined_at.is_none()));
        }
    }

    /// Declining never leaves an update without a live one in its place.
    #[test]
    fn whatever_is_declined_has_a_live_replacement(before in inputs(), rules in rules(), at in 60_i64..200) {
        let found = plan(&before, &rules, day(at));
        let gone: BTreeSet<u32> = found.decline.iter().map(|it| it.update).collect();
        for it in &found.decline {
            let (mut by, mut steps) = (it.by, 0);
            while gone.contains(&by) && steps <= gone.len() {
                by = found.decline.iter().find(|other| other.update == by).expect("declined").by;
                steps += 1;
            }
            prop_assert!(!gone.contains(&by), "{} ends in a circle", it.update);
        }
    }

    /// In parts or at once: the same end, and then nothing is left.
    #[test]
    fn parts_end_where_the_whole_does(before in inputs(), rules in rules(), at in 60_i64..200, size in 1_usize..4) {
        let now = day(at);
        let whole = plan(&before, &rules, now);
        let mut once = before.clone();
        carry_out(&mut once, &whole.decline, &whole.purge, now);
        let again = plan(&once, &rules, now);
        prop_assert!(again.is_empty(), "left: {again:?}");
        let mut parts = before;
        for _ in 0..100 {
            let next = plan(&parts, &rules, now);
            if next.is_empty() {
                break;
            }
            let decline = &next.decline[..size.min(next.decline.len())];
            let purge = if decline.is_empty() { &next.purge[..size.min(next.purge.len())] } else { &[] };
            carry_out(&mut parts, decline, purge, now);
        }
        let names = |input: &Input| input.revisions.iter().map(|it| it.id).collect::<BTreeSet<_>>();
        let down = |input: &Input| {
            input.flags.iter().filter(|(_, it)| it.declined_at.is_some()).map(|(update, _)| *update).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(names(&once), names(&parts));
        prop_assert_eq!(down(&once), down(&parts));
    }
}
