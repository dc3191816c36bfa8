//! The engine agrees with the naive reading of [`super::oracle`] on random catalogues and random clients.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::subsequence};
use uuid::Uuid;

use super::{
    build::{Build, Client, group, second, uid},
    oracle::{Ask, Oracle},
};
use crate::{
    catalogue::{
        CatalogueInput, PageLimits, Retired, RevisionFacts, Scratch, Snapshot, SoftwareQuery, Standing, Timed,
        WireAction,
    },
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    targeting::{Collection, CollectionKind, Deployment, DeploymentAction, Timing},
    update::{BundleClause, PrerequisiteClause, Relationships, UpdateType},
};

/// Updates that have revisions; a few more are named and unknown.
const UPDATES: u32 = 12;
const COLLECTIONS: u32 = 6;
const LAST_CHANGE: u64 = 40;

fn update_type() -> impl Strategy<Value = UpdateType> {
    prop_oneof![
        2 => Just(UpdateType::Category),
        2 => Just(UpdateType::Detectoid),
        1 => Just(UpdateType::Driver),
        5 => Just(UpdateType::Software),
    ]
}

/// References lean to lower numbers, so that most things resolve, but loops and unknown ones occur.
fn reference() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 0..UPDATES / 2, 4 => 0..UPDATES, 1 => UPDATES..UPDATES + 2]
}

fn relationships() -> impl Strategy<Value = Relationships> {
    let clause = (vec(reference(), 1..4), any::<bool>(), any::<bool>()).prop_map(|(updates, is_category, bare)| {
        let bare = bare && updates.len() == 1;
        PrerequisiteClause { alternatives: updates.into_iter().map(uid).collect(), is_category, bare }
    });
    let member = (reference(), 1..4u32).prop_map(|(update, number)| UpdateIdentity::new(uid(update), number));
    let bundle = vec(member, 0..4).prop_map(|alternatives| BundleClause { alternatives });
    (
        prop_oneof![2 => Just(Vec::new()), 3 => vec(clause, 0..4)],
        prop_oneof![4 => Just(Vec::new()), 1 => vec(bundle, 1..3)],
    )
        .prop_map(|(prerequisites, bundled)| Relationships { prerequisites, bundled, superseded: Vec::new() })
}

fn facts(update: u32) -> impl Strategy<Value = Vec<RevisionFacts>> {
    let one = (relationships(), prop::bool::weighted(0.15), prop::bool::weighted(0.1), 0..5_000u32, 1..LAST_CHANGE);
    (update_type(), vec(one, 1..4)).prop_map(move |(update_type, revisions)| {
        let numbered = revisions.into_iter().zip(1..);
        numbered
            .map(|((relationships, expired, declined, core_len, changed), number)| RevisionFacts {
                id: RevisionId(0),
                identity: UpdateIdentity::new(uid(update), number),
                update_type,
                category: None,
                explicitly_deployable: false,
                expired,
                declined,
                relationships,
                drivers: Vec::new(),
                core_len,
                changed: ChangeNumber(changed),
                changed_at: second(changed.cast_signed()),
            })
            .collect()
    })
}

fn place() -> impl Strategy<Value = CollectionId> {
    prop_oneof![1 => Just(CollectionId::ALL_COMPUTERS), 4 => (0..COLLECTIONS).prop_map(group)]
}

fn deployments() -> impl Strategy<Value = Vec<Deployment>> {
    let action = prop_oneof![
        Just(DeploymentAction::Block),
        Just(DeploymentAction::Install),
        Just(DeploymentAction::Optional),
        Just(DeploymentAction::Uninstall),
        Just(DeploymentAction::Detect),
    ];
    let pin = prop_oneof![3 => Just(None), 1 => (1..4u32).prop_map(|it| Some(RevisionNumber(it)))];
    let one = (0..UPDATES, pin, place(), action, any::<bool>(), prop::option::of(1..3i64), 1..LAST_CHANGE);
    vec(one, 0..14).prop_map(|all| {
        let numbered = all.into_iter().zip(1..);
        numbered
            .map(|((update, revision, collection, action, active, deadline, changed), id)| Deployment {
                id: DeploymentId(id),
                update_id: uid(update),
                revision,
                collection,
                action,
                active,
                available: second(0),
                deadline: deadline.map(second),
                timing: Timing::default(),
                run_minutes: 60,
                changed: ChangeNumber(changed),
                changed_at: second(changed.cast_signed()),
            })
            .collect()
    })
}

fn collections() -> impl Strategy<Value = Vec<Collection>> {
    let parent = |number: u32| prop_oneof![Just(CollectionId::ALL_COMPUTERS), (0..number.max(1)).prop_map(group)];
    let one = |number: u32| {
        (parent(number), any::<bool>(), prop::bool::weighted(0.5)).prop_map(move |(parent, rule, approved_only)| {
            let kind = if rule { CollectionKind::Rule } else { CollectionKind::TargetGroup };
            let parent = (parent != group(number)).then_some(parent);
            Collection { id: group(number), parent, kind, approved_only }
        })
    };
    let root = Collection {
        id: CollectionId::ALL_COMPUTERS,
        parent: None,
        kind: CollectionKind::TargetGroup,
        approved_only: false,
    };
    // the last one is missing, as a collection just deleted
    (0..COLLECTIONS - 1).map(one).collect::<Vec<_>>().prop_map(move |mut all| {
        all.push(root.clone());
        all
    })
}

fn input() -> impl Strategy<Value = CatalogueInput> {
    let revisions = (0..UPDATES).map(facts).collect::<Vec<_>>();
    let retired = vec((0..UPDATES, prop::option::of(place()), 1..LAST_CHANGE), 0..4);
    (revisions, deployments(), collections(), retired, any::<u64>()).prop_map(
        |(all, deployments, collections, out, mix)| {
            let mut revisions: Vec<_> = all.into_iter().flatten().collect();
            // ids in no relation to updates
            let key = |it: &RevisionFacts| {
                (it.identity.update_id.0.as_u128() ^ u128::from(mix)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7
            };
            revisions.sort_by_key(|it| (key(it), it.identity.revision));
            for (revision, id) in revisions.iter_mut().zip(3..) {
                revision.id = RevisionId(id);
            }
            let retired = out.into_iter().map(|(update, collection, changed)| Retired {
                update_id: uid(update),
                collection,
                changed: ChangeNumber(changed),
            });
            CatalogueInput {
                revisions,
                deployments,
                collections,
                retired: retired.collect(),
                change: ChangeNumber(LAST_CHANGE),
            }
        },
    )
}

fn groups() -> impl Strategy<Value = Vec<CollectionId>> {
    vec(place(), 0..4)
}

/// Ids 0 to 50 cover all revisions, and some that no one has.
fn ids(most: usize) -> impl Strategy<Value = Vec<RevisionId>> {
    vec(prop_oneof![30 => 0..50i32, 1 => Just(-1), 1 => Just(i32::MAX)].prop_map(RevisionId), 0..most)
}

fn ask() -> impl Strategy<Value = Ask> {
    let filter = prop_oneof![2 => Just(None), 1 => vec(reference().prop_map(uid), 0..3).prop_map(Some)];
    let anchor = prop::option::weighted(0.8, (0..LAST_CHANGE + 2).prop_map(ChangeNumber));
    (ids(30), ids(30), filter, any::<bool>(), anchor, prop::bool::weighted(0.1)).prop_map(
        |(installed, other, filter, two_groups, anchor, everything_changed)| Ask {
            installed,
            other,
            filter,
            two_groups,
            anchor,
            everything_changed,
        },
    )
}

fn limits() -> impl Strategy<Value = PageLimits> {
    (0..8usize, prop_oneof![Just(0), 1..15_000u64], any::<bool>()).prop_map(|(entries, bytes, fill)| PageLimits {
        entries,
        bytes,
        fill,
    })
}

/// Without loops of prerequisites: a computer that has both ends of a loop keeps them for ever.
fn without_loops(mut input: CatalogueInput) -> CatalogueInput {
    for facts in &mut input.revisions {
        let own = facts.identity.update_id;
        facts.relationships.prerequisites.retain(|clause| clause.alternatives.iter().all(|it| *it < own));
    }
    input
}

fn all_ids(input: &CatalogueInput) -> BTreeSet<RevisionId> {
    input.revisions.iter().map(|it| it.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scopes_agree_with_the_naive_reading(input in input(), groups in groups()) {
        let (snapshot, oracle) = (Snapshot::compile(&input), Oracle::new(&input));
        let scope = snapshot.scope(&groups);
        let wanted = oracle.scope(&groups);
        let found: BTreeSet<_> = all_ids(&input).into_iter().filter(|id| snapshot.in_scope(&scope, *id)).collect();
        prop_assert_eq!(&found, &wanted);
        prop_assert_eq!(scope.len(), wanted.len());
        let offers = snapshot.offers(&scope);
        prop_assert_eq!(offers.iter().map(|it| it.id).collect::<BTreeSet<_>>(), wanted);
        for offer in offers {
            prop_assert_eq!(offer.action, oracle.entry(&groups, offer.id).deployment.action);
            prop_assert_eq!(snapshot.entered(&scope, offer.identity.update_id), Some(offer.entered));
        }
        let lacking: BTreeSet<_> = snapshot.unresolved().into_iter().map(|(id, _)| id).collect();
        prop_assert_eq!(&lacking, oracle.unresolved());
    }

    #[test]
    fn software_passes_agree_with_the_naive_reading(
        input in input(),
        groups in groups(),
        asks in vec((ask(), limits()), 1..6),
    ) {
        let (snapshot, oracle) = (Snapshot::compile(&input), Oracle::new(&input));
        let scope = snapshot.scope(&groups);
        // one scratch memory for all requests: nothing of one may be seen in the next
        let mut scratch = Scratch::default();
        for (ask, limits) in &asks {
            let filter = ask.filter.as_ref().map(|filter| snapshot.related(filter));
            let query = SoftwareQuery {
                installed: &ask.installed,
                other: &ask.other,
                filter: filter.as_ref(),
                two_groups: ask.two_groups,
                anchor: ask.anchor,
                everything_changed: ask.everything_changed,
                timed: Timed::default(),
            };
            let plan = snapshot.software(&scope, &query, limits, &mut scratch);
            prop_assert_eq!(&plan, &oracle.software(&groups, ask, limits));
            // (25) the same request gets the same answer, whatever came between and from a snapshot compiled anew
            let mut again = input.clone();
            again.revisions.reverse();
            again.deployments.reverse();
            again.collections.reverse();
            let again = Snapshot::compile(&again);
            let filter = ask.filter.as_ref().map(|filter| again.related(filter));
            let query = SoftwareQuery { filter: filter.as_ref(), ..query };
            prop_assert_eq!(again.software(&again.scope(&groups), &query, limits, &mut Scratch::default()), plan);
        }
    }

    #[test]
    fn explanations_agree_with_what_is_sent(input in input(), groups in groups()) {
        let (snapshot, oracle) = (Snapshot::compile(&input), Oracle::new(&input));
        let scope = snapshot.scope(&groups);
        for update in oracle.updates() {
            let why = snapshot.effective(&groups, update);
            prop_assert_eq!(why.ruling.winner.map(|it| it.id), oracle.effective(&groups, update).map(|it| it.id));
            let sent = oracle.scope(&groups).into_iter().find(|id| {
                snapshot.identity(*id).is_some_and(|identity| identity.update_id == update)
            });
            if let Standing::Sent { revision, action, .. } = why.standing {
                let sent = sent.expect("the naive reading sends it, too");
                prop_assert_eq!(snapshot.identity(sent).map(|it| it.revision), Some(revision));
                prop_assert_eq!(action, oracle.entry(&groups, sent).deployment.action);
                prop_assert!(snapshot.entered(&scope, update).is_some());
            } else {
                prop_assert_eq!(sent, None);
                prop_assert_eq!(snapshot.entered(&scope, update), None);
            }
            prop_assert!(!why.describe(|id| id.to_string()).is_empty());
        }
    }

    /// Whole scans end, deliver exactly what the computer can have, and a further scan brings nothing.
    #[test]
    fn scans_converge(
        input in input(),
        groups in groups(),
        limits in limits(),
        everything in any::<bool>(),
        installed in subsequence((0..UPDATES).map(uid).collect::<Vec<UpdateId>>(), 0..=UPDATES as usize),
    ) {
        let (snapshot, oracle) = (Snapshot::compile(&input), Oracle::new(&input));
        let scope = snapshot.scope(&groups);
        let mut client = Client { installed: (!everything).then(|| installed.into_iter().collect()), ..Client::default() };
        client.scan(&snapshot, &scope, &limits);
        let (have, other) = client.lists();
        let ask = Ask { installed: have, other, anchor: client.anchor, ..Ask::default() };
        let rest = oracle.software(&groups, &ask, &PageLimits::default());
        prop_assert!(rest.new.is_empty() && rest.out_of_scope.is_empty() && rest.changed.is_empty());
        for held in client.cache.values() {
            prop_assert_eq!(&held.entry, &oracle.entry(&groups, held.entry.id));
        }
        let calls = client.calls;
        let quiet = client.scan(&snapshot, &scope, &limits);
        prop_assert_eq!(client.calls, calls + 1);
        prop_assert!(quiet[0].new.is_empty() && quiet[0].changed.is_empty() && quiet[0].out_of_scope.is_empty());
    }

    /// (28) A client that moves while deployments come and go, and is told everything only where something else is decided, holds
    /// what one holds that starts anew.
    #[test]
    fn clients_that_move_hear_of_all_that_is_another_one_now(
        before in input().prop_map(without_loops),
        after in input(),
        kept in vec(prop::bool::weighted(0.8), 14),
        (from, to) in (groups(), groups()),
        limits in limits(),
    ) {
        let mut later = before.clone();
        later.change = ChangeNumber(2 * LAST_CHANGE);
        let stays = |place: usize| kept.get(place).copied().unwrap_or(true);
        let gone = before.deployments.iter().enumerate().filter(|(place, _)| !stays(*place)).map(|(_, it)| Retired {
            update_id: it.update_id,
            collection: Some(it.collection),
            changed: later.change,
        });
        later.retired.extend(gone);
        let staying = before.deployments.iter().enumerate().filter(|(place, _)| stays(*place)).map(|(_, it)| it.clone());
        let coming = after.deployments.into_iter().enumerate().filter(|(place, _)| !stays(*place)).map(|(_, mut it)| {
            it.changed.0 += LAST_CHANGE;
            it.id.0 += 100;
            it
        });
        later.deployments = staying.chain(coming).collect();
        let (first, second) = (Snapshot::compile(&before), Snapshot::compile(&later));
        let (told, scope) = (first.scope(&from), second.scope(&to));
        let mut client = Client::default();
        client.scan(&first, &told, &limits);
        if !scope.decided().agrees(told.decided()) {
            client.anchor = None;
        }
        for _ in 0..=UPDATES {
            client.scan(&second, &scope, &limits);
        }
        let mut fresh = Client::default();
        fresh.scan(&second, &scope, &limits);
        prop_assert_eq!(&client.cache, &fresh.cache);

        // the same on every machine
        later.deployments.reverse();
        later.collections.reverse();
        prop_assert_eq!(Snapshot::compile(&later).scope(&to).decided(), scope.decided());
    }

    /// (28, 49, 56) A client that followed every change, one that starts anew, and one that refreshed its cache hold the same.
    #[test]
    fn clients_follow_a_changing_catalogue(
        before in input().prop_map(without_loops),
        after in input(),
        groups in groups(),
        limits in limits(),
    ) {
        // the same catalogue with other deployments, later
        let mut later = before.clone();
        later.change = ChangeNumber(2 * LAST_CHANGE);
        later.retired = before.deployments.iter().map(|it| Retired {
            update_id: it.update_id,
            collection: Some(it.collection),
            changed: later.change,
        }).collect();
        later.deployments = after.deployments.into_iter().map(|mut it| {
            it.changed.0 += LAST_CHANGE;
            it.id.0 += 100;
            it
        }).collect();
        let (first, second) = (Snapshot::compile(&before), Snapshot::compile(&later));
        let mut client = Client::default();
        client.scan(&first, &first.scope(&groups), &limits);
        let scope = second.scope(&groups);
        // what loses its last prerequisite leaves one layer per scan
        for _ in 0..=UPDATES {
            client.scan(&second, &scope, &limits);
        }
        let mut fresh = Client::default();
        fresh.scan(&second, &scope, &limits);
        prop_assert_eq!(&client.cache, &fresh.cache);

        let identities: Vec<_> = fresh.cache.keys().filter_map(|id| second.identity(*id)).collect();
        let refreshed = second.refresh(&scope, None, &identities);
        let want: Vec<_> = fresh.cache.values().filter(|it| it.entry.deployment.action != WireAction::Bundle).collect();
        prop_assert_eq!(refreshed.len(), want.len());
        for ((identity, entry), held) in refreshed.iter().zip(want) {
            prop_assert_eq!(second.revision(*identity), Some(entry.id));
            prop_assert_eq!(entry, &held.entry);
        }
    }
}

#[test]
fn a_catalogue_of_nothing_answers() {
    let snapshot = Build::default().snapshot();
    let scope = snapshot.scope(&[CollectionId(Uuid::nil())]);
    let installed = [RevisionId(5), RevisionId(i32::MIN), RevisionId(5)];
    let query = SoftwareQuery { installed: &installed, two_groups: true, ..SoftwareQuery::default() };
    let plan = snapshot.software(&scope, &query, &PageLimits::default(), &mut Scratch::default());
    assert_eq!(plan.out_of_scope, [RevisionId(5), RevisionId(i32::MIN)]);
    assert!(plan.new.is_empty() && plan.driver_sync_not_needed && snapshot.is_empty() && scope.is_empty());
}
