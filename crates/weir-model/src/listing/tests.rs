use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const FAMILY: u32 = 1;
const PRODUCT: u32 = 2;
const OTHER_PRODUCT: u32 = 3;
const SECURITY: u32 = 4;
const TOOLS: u32 = 5;

fn id(number: u32) -> UpdateId {
    UpdateId(Uuid::from_u128(u128::from(number)))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn row(update: u32, revision: u32, change: u64) -> ListedRevision {
    ListedRevision {
        update,
        identity: UpdateIdentity::new(id(update), revision),
        update_type: UpdateType::Software,
        change: ChangeNumber(change),
        arrived_at: at(change as i64),
        protocol: None,
        languages: 0,
        categories: vec![PRODUCT, SECURITY],
        classifications: Vec::new(),
        members: Vec::new(),
    }
}

fn category(update: u32, parents: &[u32]) -> ListedRevision {
    ListedRevision { update_type: UpdateType::Category, categories: parents.to_vec(), ..row(update, 1, 1) }
}

fn tree() -> Vec<ListedRevision> {
    vec![
        category(FAMILY, &[]),
        category(PRODUCT, &[FAMILY]),
        category(OTHER_PRODUCT, &[]),
        category(SECURITY, &[]),
        category(TOOLS, &[]),
    ]
}

fn listing(rows: Vec<ListedRevision>) -> Listing {
    let mut languages = Languages::default();
    assert_eq!((languages.intern("en"), languages.intern("de")), (1, 2));
    Listing::new(tree().into_iter().chain(rows).collect(), languages, vec![SECURITY, TOOLS])
}

fn wanted(ids: &[(u32, bool)]) -> Vec<Wanted<UpdateId>> {
    ids.iter().map(|(number, delta)| Wanted { id: id(*number), delta: *delta }).collect()
}

fn filter(categories: &[(u32, bool)], classifications: &[(u32, bool)]) -> Filter {
    Filter {
        since: None,
        protocol: (1, 20),
        config: false,
        categories: wanted(categories),
        classifications: wanted(classifications),
        languages: Vec::new(),
    }
}

fn since(change: u64) -> Since {
    Since { change: ChangeNumber(change), at: at(change as i64) }
}

fn listed(listing: &Listing, filter: &Filter) -> Vec<(u128, u32)> {
    listing.list(filter).iter().map(|found| (found.update_id.0.as_u128(), found.revision.0)).collect()
}

#[test]
fn an_update_needs_a_category_and_a_classification() {
    let tool = ListedRevision { categories: vec![PRODUCT, TOOLS], ..row(11, 1, 2) };
    let elsewhere = ListedRevision { categories: vec![OTHER_PRODUCT, SECURITY], ..row(12, 1, 2) };
    let listing = listing(vec![row(10, 1, 2), tool, elsewhere]);
    let of = |categories: &[(u32, bool)], classifications: &[(u32, bool)]| {
        listed(&listing, &filter(categories, classifications))
    };
    assert_eq!(of(&[(PRODUCT, false)], &[(SECURITY, false)]), [(10, 1)]);
    assert_eq!(of(&[(PRODUCT, false)], &[(SECURITY, false), (TOOLS, false)]), [(10, 1), (11, 1)]);
    assert_eq!(of(&[(PRODUCT, false), (OTHER_PRODUCT, false)], &[(SECURITY, false)]), [(10, 1), (12, 1)]);
    assert_eq!(of(&[(PRODUCT, false)], &[]), []);
    assert_eq!(of(&[], &[(SECURITY, false)]), []);
    assert_eq!(of(&[], &[]), [(10, 1), (11, 1), (12, 1)]);
    assert_eq!(of(&[(77, false)], &[(SECURITY, false)]), [], "an id that is no category");
    assert_eq!(of(&[(FAMILY, false)], &[(SECURITY, false)]), [(10, 1)], "a family is its products");
}

#[test]
fn a_classification_that_is_only_named_counts_where_none_is_said() {
    let named = ListedRevision { categories: vec![PRODUCT], classifications: vec![TOOLS], ..row(10, 1, 2) };
    let said = ListedRevision { classifications: vec![TOOLS], ..row(11, 1, 2) };
    let listing = listing(vec![named, said]);
    assert_eq!(listed(&listing, &filter(&[(PRODUCT, false)], &[(TOOLS, false)])), [(10, 1)]);
}

#[test]
fn full_entries_bring_everything_back_and_delta_entries_what_changed() {
    let listing = listing(vec![
        row(10, 1, 2),
        row(11, 1, 9),
        ListedRevision { categories: vec![OTHER_PRODUCT, SECURITY], ..row(12, 1, 2) },
    ]);
    let of = |categories: &[(u32, bool)], classifications: &[(u32, bool)]| {
        listed(&listing, &Filter { since: Some(since(5)), ..filter(categories, classifications) })
    };
    assert_eq!(of(&[(PRODUCT, true)], &[(SECURITY, true)]), [(11, 1)]);
    assert_eq!(of(&[(PRODUCT, true), (OTHER_PRODUCT, false)], &[(SECURITY, true)]), [(11, 1), (12, 1)]);
    assert_eq!(of(&[(PRODUCT, true)], &[(SECURITY, false)]), [(10, 1), (11, 1)]);
    assert_eq!(of(&[(FAMILY, false), (PRODUCT, true)], &[(SECURITY, true)]), [(10, 1), (11, 1)]);
    assert_eq!(of(&[], &[]), [(11, 1)]);
}

#[test]
fn an_anchor_of_another_server_falls_back_to_its_time() {
    let listing = listing(vec![row(10, 1, 20), ListedRevision { arrived_at: at(1_000), ..row(11, 1, 21) }]);
    let never_issued = Since { change: ChangeNumber(9_438), at: at(500) };
    assert_eq!(listed(&listing, &Filter { since: Some(never_issued), ..filter(&[], &[]) }), [(11, 1)]);
    let ahead = Since { at: at(2_000), ..never_issued };
    assert_eq!(listed(&listing, &Filter { since: Some(ahead), ..filter(&[], &[]) }), []);
}

#[test]
fn members_come_with_their_bundle_at_every_depth() {
    let bundle = ListedRevision { members: vec![(20, RevisionNumber(1)), (29, RevisionNumber(1))], ..row(10, 1, 9) };
    let inner = ListedRevision { categories: vec![], members: vec![(21, RevisionNumber(1))], ..row(20, 1, 2) };
    let leaf = |revision, change| ListedRevision { categories: vec![], ..row(21, revision, change) };
    let listing = listing(vec![bundle, inner, leaf(1, 2), leaf(2, 3)]);
    let all = filter(&[(PRODUCT, true)], &[(SECURITY, true)]);
    assert_eq!(listed(&listing, &all), [(10, 1), (20, 1), (21, 1)], "the exact revision, not the newest");
    assert_eq!(listed(&listing, &Filter { since: Some(since(5)), ..all.clone() }), [(10, 1), (20, 1), (21, 1)]);
    assert_eq!(listed(&listing, &Filter { since: Some(since(9)), ..all.clone() }), []);
    let old = Filter { protocol: (1, 8), ..all };
    let mut rows = listing.rows.clone();
    rows.iter_mut().filter(|row| row.update == 20).for_each(|row| row.protocol = Some((1, 20)));
    let listing = Listing::new(rows, Languages::default(), vec![SECURITY, TOOLS]);
    assert_eq!(listed(&listing, &old), [(10, 1)], "a member that is too new, and what only it bundles, is left out");
}

#[test]
fn a_member_that_arrived_after_its_bundle_is_listed() {
    let bundle = ListedRevision { members: vec![(20, RevisionNumber(1))], ..row(10, 1, 2) };
    let late = ListedRevision { categories: vec![], members: vec![(21, RevisionNumber(1))], ..row(20, 1, 9) };
    let old = ListedRevision { categories: vec![], ..row(21, 1, 2) };
    let listing = listing(vec![bundle, late, old]);
    let delta = Filter { since: Some(since(5)), ..filter(&[(PRODUCT, true)], &[(SECURITY, true)]) };
    assert_eq!(listed(&listing, &delta), [(20, 1), (21, 1)]);
}

#[test]
fn only_the_highest_revision_is_listed_and_never_one_that_is_too_new() {
    let too_new = ListedRevision { protocol: Some((1, 20)), ..row(11, 2, 3) };
    let listing = listing(vec![row(10, 2, 3), row(10, 1, 9), row(11, 1, 2), too_new]);
    assert_eq!(listed(&listing, &filter(&[], &[])), [(10, 2), (11, 2)]);
    assert_eq!(listed(&listing, &Filter { protocol: (1, 8), ..filter(&[], &[]) }), [(10, 2)]);
}

#[test]
fn categories_and_detectoids_are_listed_apart() {
    let detectoid = ListedRevision { update_type: UpdateType::Detectoid, categories: vec![], ..row(50, 3, 7) };
    let listing = listing(vec![row(10, 1, 2), detectoid]);
    let config = Filter { config: true, ..filter(&[(PRODUCT, false)], &[]) };
    assert_eq!(listed(&listing, &config), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (50, 3)], "the lists do not matter");
    assert_eq!(listed(&listing, &Filter { since: Some(since(5)), ..config }), [(50, 3)]);
}

#[test]
fn languages_are_those_of_the_files() {
    let speaks = |update, languages| ListedRevision { languages, ..row(update, 1, 2) };
    let listing = listing(vec![speaks(10, 0), speaks(11, 1), speaks(12, 2), speaks(13, 3)]);
    let of = |entries: &[(&str, bool)], anchor: Option<Since>| {
        let languages = entries.iter().map(|(name, delta)| Wanted { id: (*name).to_owned(), delta: *delta }).collect();
        let found = listed(&listing, &Filter { languages, since: anchor, ..filter(&[], &[]) });
        found.into_iter().map(|(update, _)| update).collect::<Vec<_>>()
    };
    assert_eq!(of(&[("en", false)], None), [10, 11, 13]);
    assert_eq!(of(&[("fr", false)], None), [10]);
    assert_eq!(of(&[("all", false)], None), [10, 11, 12, 13]);
    assert_eq!(of(&[("en", true), ("de", false)], Some(since(5))), [12, 13], "a language that is new to the server");
    assert_eq!(of(&[("all", true)], Some(since(5))), [] as [u128; 0]);
    assert_eq!(of(&[("all", false)], Some(since(5))), [11, 12, 13]);
}

#[test]
fn a_bundle_that_bundles_itself_ends() {
    let looped = ListedRevision { members: vec![(10, RevisionNumber(1))], ..row(10, 1, 2) };
    let mut around: Vec<_> = tree();
    around.push(ListedRevision { categories: vec![FAMILY, PRODUCT], ..category(FAMILY, &[]) });
    around.push(looped);
    let listing = Listing::new(around, Languages::default(), vec![SECURITY]);
    assert_eq!(listed(&listing, &filter(&[(FAMILY, false)], &[(SECURITY, false)])), [(10, 1)]);
}

#[test]
fn more_languages_than_bits_share_the_last() {
    let mut languages = Languages::default();
    let masks: Vec<u64> = (0..70).map(|number| languages.intern(&format!("l{number}"))).collect();
    assert_eq!(masks[62], 1 << 62);
    assert!(masks[63..].iter().all(|mask| *mask == 1 << 63));
    assert_eq!(languages.intern("all"), 0);
}

/// The rules once more, as plain loops over identities.
fn oracle(rows: &[ListedRevision], filter: &Filter) -> BTreeSet<UpdateIdentity> {
    let newest: BTreeMap<u32, RevisionNumber> = rows.iter().fold(BTreeMap::new(), |mut newest, row| {
        let known = newest.entry(row.update).or_insert(row.identity.revision);
        *known = (*known).max(row.identity.revision);
        newest
    });
    let usable = |row: &&ListedRevision| row.protocol.is_none_or(|needed| needed <= filter.protocol);
    let changed =
        |row: &ListedRevision| filter.since.is_none_or(|since| row.change > since.change || row.arrived_at > since.at);
    let below = |ancestor: u32, number: u32| {
        let mut at: BTreeSet<u32> = [number].into();
        for _ in 0..10 {
            let parents: Vec<u32> = rows
                .iter()
                .filter(|row| row.update_type == UpdateType::Category && at.contains(&row.update))
                .filter(|row| newest[&row.update] == row.identity.revision)
                .flat_map(|row| row.categories.clone())
                .collect();
            at.extend(parents);
        }
        at.contains(&ancestor)
    };
    let matched = |numbers: &[u32], entries: &[Wanted<UpdateId>]| -> Option<bool> {
        let hits: Vec<bool> = entries
            .iter()
            .filter(|entry| rows.iter().any(|row| row.identity.update_id == entry.id))
            .filter(|entry| numbers.iter().any(|number| below(entry.id.0.as_u128() as u32, *number)))
            .map(|entry| !entry.delta)
            .collect();
        (!hits.is_empty()).then(|| hits.contains(&true))
    };
    let mut known: BTreeSet<UpdateIdentity> = BTreeSet::new();
    let mut due: BTreeSet<UpdateIdentity> = BTreeSet::new();
    for row in rows.iter().filter(usable) {
        if row.update_type != UpdateType::Software || newest[&row.update] != row.identity.revision {
            continue;
        }
        let full = match (filter.categories.is_empty(), filter.classifications.is_empty()) {
            (true, true) => Some(false),
            (false, false) => {
                let category = matched(&row.categories, &filter.categories);
                let classification = matched(&row.categories, &filter.classifications);
                category.zip(classification).map(|(one, other)| one || other)
            }
            _ => None,
        };
        if let Some(full) = full {
            known.insert(row.identity);
            if full || changed(row) {
                due.insert(row.identity);
            }
        }
    }
    loop {
        let before = (known.len(), due.len());
        for row in rows {
            let of = |set: &BTreeSet<UpdateIdentity>| {
                let holds = |member: &&ListedRevision| row.members.contains(&(member.update, member.identity.revision));
                let found = set.contains(&row.identity).then(|| rows.iter().filter(holds).filter(usable));
                found.into_iter().flatten().collect::<Vec<_>>()
            };
            let (of_known, of_due) = (of(&known), of(&due));
            due.extend(of_known.iter().filter(|member| changed(member)).map(|member| member.identity));
            due.extend(of_due.iter().map(|member| member.identity));
            known.extend(of_known.iter().map(|member| member.identity));
        }
        if before == (known.len(), due.len()) {
            return due;
        }
    }
}

fn any_row(index: usize) -> impl Strategy<Value = ListedRevision> {
    let members = prop::collection::vec((10_u32..16, 1_u32..4), 0..3);
    let categories = prop::collection::vec(1_u32..6, 0..4);
    (members, categories, 1_u64..10, any::<bool>(), 0_i64..12).prop_map(
        move |(members, categories, change, too_new, arrived)| ListedRevision {
            members: members.into_iter().map(|(update, revision)| (update, RevisionNumber(revision))).collect(),
            categories,
            protocol: too_new.then_some((1, 20)),
            arrived_at: at(arrived),
            ..row(10 + (index as u32) / 3, 1 + (index as u32) % 3, change)
        },
    )
}

proptest! {
    #[test]
    fn the_listing_follows_the_rules(
        keep in prop::collection::vec(any::<bool>(), 18),
        rows in (0..18).map(any_row).collect::<Vec<_>>(),
        categories in prop::collection::vec((1_u32..7, any::<bool>()), 0..3),
        classifications in prop::collection::vec((4_u32..7, any::<bool>()), 0..3),
        anchor in prop::option::of((0_u64..10, 0_i64..12)),
        new in any::<bool>(),
    ) {
        let kept = rows.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(row, _)| row);
        let rows: Vec<ListedRevision> = tree().into_iter().chain(kept).collect();
        let filter = Filter {
            since: anchor.map(|(change, second)| Since { change: ChangeNumber(change), at: at(second) }),
            protocol: if new { (1, 20) } else { (1, 8) },
            ..filter(&categories, &classifications)
        };
        let listing = Listing::new(rows.clone(), Languages::default(), vec![SECURITY, TOOLS]);
        let found = listing.list(&filter);
        prop_assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), oracle(&rows, &filter));
        prop_assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "each once");
    }
}
