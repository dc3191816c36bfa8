use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use proptest::prelude::{any, *};
use uuid::Uuid;

use super::*;
use crate::{
    criteria::architectures_in_title,
    expression::{Expression, Names as _, UpdateExpression, updates},
    ids::{RevisionId, UpdateId, UpdateIdentity},
    update::{CategoryKind, Severity, UpdateType},
};

const COMPANY: u128 = 1;
const WINDOWS: u128 = 2;
const WINDOWS_10: u128 = 3;
const SECURITY: u128 = 4;
const DRIVERS: u128 = 5;

fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(number))
}

fn now() -> Timestamp {
    "2026-03-31T12:00:00Z".parse().expect("time")
}

fn entry(update: u128, revision: u32, number: i32, title: &str) -> Entry {
    let day = Timestamp::from_second(1_700_000_000 + i64::from(number) * 86_400).expect("time");
    Entry {
        revision_id: RevisionId(number),
        identity: UpdateIdentity::new(id(update), revision),
        update_type: UpdateType::Software,
        category_kind: None,
        title: title.to_owned(),
        description: Some("Closes CVE-2021-34527 and cve-2020-1.".into()),
        categories: [id(WINDOWS_10), id(SECURITY)].into(),
        kb_articles: vec![format!("{}", 5_000_000 + update)],
        bulletins: vec![format!("MS17-{update:03}")],
        severity: [None, Some(Severity::Low), Some(Severity::Critical)][update as usize % 3],
        created_at: (!update.is_multiple_of(5)).then_some(day),
        arrived_at: day,
        expired: false,
        explicitly_deployable: true,
        is_bundle: false,
        has_eula: update.is_multiple_of(2),
        architectures: updates::architectures(&architectures_in_title(title)),
        languages: if update.is_multiple_of(2) { ["en".into(), "de".into()].into() } else { ["en".into()].into() },
        supersedes: [].into(),
        members: [].into(),
    }
}

fn added(entry: Entry) -> Addition {
    Addition {
        identity: entry.identity,
        revision_id: entry.revision_id,
        arrived_at: entry.arrived_at,
        files: Some(Files { bytes: u64::from(entry.identity.revision.0) * 1_000, uup: false }),
        newest: Some(entry),
    }
}

fn moving() -> Moving {
    let category = |number, kind, parent: Option<u128>, title: &str| Category {
        id: id(number),
        kind,
        parent: parent.map(id),
        title: title.to_owned(),
    };
    Moving {
        categories: vec![
            category(COMPANY, CategoryKind::Company, None, "Microsoft"),
            category(WINDOWS, CategoryKind::ProductFamily, Some(COMPANY), "Windows"),
            category(WINDOWS_10, CategoryKind::Product, Some(WINDOWS), "Windows 10"),
            category(SECURITY, CategoryKind::UpdateClassification, None, "Security Updates"),
            category(DRIVERS, CategoryKind::UpdateClassification, None, "Drivers"),
        ],
        groups: vec![Group { id: Uuid::from_u128(7), name: "March".to_owned() }],
        ..Moving::default()
    }
}

fn none(_: UpdateId) -> Counts {
    Counts::default()
}

fn titles(index: &Index, slots: &[u32]) -> Vec<String> {
    slots.iter().map(|slot| index.entry(*slot).expect("an entry").title.clone()).collect()
}

fn matching(index: &Index, text: &str) -> Vec<String> {
    let expression = UpdateExpression::parse(text).expect(text);
    let mut found = titles(index, &index.matching(&expression, now(), &none));
    found.sort();
    found
}

fn find(index: &Index, text: &str) -> Vec<String> {
    let query = Query { text: Some(text), limit: 100, ..Query::default() };
    titles(index, &index.search(&query, now(), &none).expect("finds").rows)
}

fn sample() -> Index {
    let mut old = entry(12, 1, 3, "Servicing Stack Update for Windows 10 (x64)");
    old.categories = [id(WINDOWS), id(DRIVERS)].into();
    old.kb_articles = vec!["4598480".to_owned()];
    let mut bundle = entry(13, 2, 4, "Kumulatives Update für Windows 10 Version 22H2 (KB5011487)");
    bundle.is_bundle = true;
    bundle.members = [UpdateIdentity::new(id(11), 1), UpdateIdentity::new(id(99), 5)].into();
    bundle.supersedes = [id(11), id(12)].into();
    bundle.kb_articles = vec!["5011487".to_owned()];
    let mut expired = entry(14, 1, 5, "Old");
    expired.expired = true;
    expired.supersedes = [id(13)].into();
    let base = Base::default().with(vec![
        added(entry(11, 1, 1, "Cumulative Update for Windows 10 ARM64")),
        Addition {
            identity: UpdateIdentity::new(id(99), 5),
            revision_id: RevisionId(2),
            arrived_at: now(),
            files: Some(Files { bytes: 500, uup: true }),
            newest: None,
        },
        added(old),
        added(bundle),
        added(expired),
    ]);
    let flags = |update, flags| (id(update), flags);
    Index::new(
        Arc::new(base),
        Moving {
            flags: vec![
                flags(
                    12,
                    Flags { custom_severity: Some(Severity::Important), run_time_minutes: 120, ..Flags::default() },
                ),
                flags(14, Flags { eula_accepted: true, ..Flags::default() }),
            ],
            deployments: vec![(id(12), 2)],
            deployed_groups: HashSet::from([Uuid::from_u128(7)]),
            members: vec![(Uuid::from_u128(7), id(11))],
            unresolved: HashSet::from([RevisionId(1)]),
            ..moving()
        },
    )
}

#[test]
fn every_field_is_answered() {
    let index = sample();
    let [arm, stack, bundle, old] = [
        "Cumulative Update for Windows 10 ARM64",
        "Servicing Stack Update for Windows 10 (x64)",
        "Kumulatives Update für Windows 10 Version 22H2 (KB5011487)",
        "Old",
    ];
    for (text, expected) in [
        ("product = \"windows 10\"", vec![arm, bundle, old]),
        ("product = Windows", vec![arm, bundle, old, stack]),
        ("product = 00000000-0000-0000-0000-000000000002", vec![arm, bundle, old, stack]),
        ("vendor = microsoft", vec![arm, bundle, old, stack]),
        ("classification = drivers", vec![stack]),
        ("classification != drivers", vec![arm, bundle, old]),
        ("superseded", vec![arm, stack]),
        ("supersedes = 00000000-0000-0000-0000-00000000000c", vec![bundle]),
        ("supersedes is empty", vec![arm, stack]),
        ("deployed", vec![arm, stack]),
        ("group = March", vec![arm]),
        ("group is empty and not expired", vec![bundle, stack]),
        ("unresolved", vec![arm]),
        ("custom_severity >= moderate", vec![stack]),
        ("run_time > 1 hour", vec![stack]),
        ("eula = required", vec![stack]),
        ("eula = accepted", vec![old]),
        ("architecture = arm64", vec![arm]),
        ("architecture is empty", vec![bundle, old]),
        ("size = 3500", vec![bundle]),
        ("tag = uup", vec![bundle]),
        ("cve = CVE-2021-34527 and cve != cve-2020-1", vec![arm, bundle, old, stack]),
        ("cve = cve-2020-1", vec![]),
        ("description ~ CLOSES", vec![arm, bundle, old, stack]),
        ("language = DE", vec![old, stack]),
        ("bulletin = ms17-011", vec![arm]),
        ("kb = KB4598480", vec![stack]),
        ("id = 00000000-0000-0000-0000-00000000000e", vec![old]),
        ("revision = 2 and is_bundle", vec![bundle]),
        ("needed = 0 and compliant is empty", vec![arm, bundle, old, stack]),
        ("detection_only", vec![]),
    ] {
        assert_eq!(matching(&index, text), expected, "{text}");
    }
}

#[test]
fn names_of_categories_and_groups_are_resolved() {
    let index = sample();
    assert_eq!(index.ids(updates::Field::Product, "windows 10"), [Uuid::from_u128(WINDOWS_10)]);
    assert!(index.ids(updates::Field::Product, "drivers").is_empty());
    assert!(index.ids(updates::Field::Vendor, "windows").is_empty());
    let expression = UpdateExpression::parse("group = march and vendor = Microsoft").expect("parses");
    let resolved = expression.resolve(&index).expect("known");
    assert_eq!(
        resolved.expression.to_string(),
        "group = 00000000-0000-0000-0000-000000000007 and vendor = 00000000-0000-0000-0000-000000000001"
    );
    assert_eq!(resolved.expression.with_names(&index).to_string(), "group = \"March\" and vendor = \"Microsoft\"");
}

#[test]
fn texts_are_found_by_words_in_any_order() {
    let index = sample();
    let bundle = "Kumulatives Update für Windows 10 Version 22H2 (KB5011487)";
    for text in ["KB5011487", "5011487", "kb50114", "fur", "FÜR version", "22h kumul", "10-windows 22H2 update"] {
        assert_eq!(find(&index, text), [bundle], "{text}");
    }
    assert_eq!(find(&index, "MS17-012"), ["Servicing Stack Update for Windows 10 (x64)"]);
    assert_eq!(find(&index, "00000000-0000-0000-0000-00000000000e"), ["Old"]);
    assert!(find(&index, "umulat").is_empty() && find(&index, "windows 11").is_empty());
    assert!(find(&index, " - ").is_empty() && find(&index, "!!!").is_empty(), "no update has a text without a word");
    assert_eq!(find(&index, " ").len(), 4, "nothing was asked");
    // whole words and the phrase first, then the newest
    let ranked = find(&index, "update for windows");
    assert_eq!(ranked.len(), 2);
    assert_eq!(ranked[0], "Servicing Stack Update for Windows 10 (x64)");
    assert_eq!(find(&index, "upd")[0], bundle);
}

#[test]
fn what_is_replaced_is_found_no_more() {
    let index = sample();
    let renamed = entry(12, 2, 9, "Renamed");
    let base = index.base().with(vec![added(renamed)]);
    assert_eq!((base.updates(), base.revisions(), base.last()), (4, 6, RevisionId(9)));
    let next = Index::new(Arc::new(base), moving());
    assert!(find(&next, "servicing").is_empty());
    assert_eq!(find(&next, "renamed"), ["Renamed"]);
    assert_eq!(next.revisions(next.slot(id(12)).expect("there")), 2);
    // the one before goes on as it was
    assert_eq!(find(&index, "servicing").len(), 1);
    // many small steps end as one large one
    let mut base = Base::default();
    for number in 1..60 {
        base = base.with(vec![added(entry(
            u128::from(number % 20_u8) + 100,
            u32::from(number),
            number.into(),
            &format!("Title {number}"),
        ))]);
    }
    let index = Index::new(Arc::new(base), moving());
    assert_eq!(find(&index, "title").len(), 20);
    assert_eq!(find(&index, "59"), ["Title 59"]);
}

#[test]
fn facets_count_what_was_found() {
    let index = sample();
    let expression = UpdateExpression::parse("not expired").expect("parses");
    let query = Query { expression: Some(&expression), facets: Some((&Facet::ALL, 1)), limit: 1, ..Query::default() };
    let results = index.search(&query, now(), &none).expect("finds");
    assert_eq!((results.updates, results.revisions, results.rows.len()), (3, 3, 1));
    let of = |facet| results.facets.iter().find(|counted| counted.facet == facet).expect("counted");
    let value =
        |value: &str, name: &str, updates| FacetValue { value: value.to_owned(), name: name.to_owned(), updates };
    assert_eq!(of(Facet::Type).values, [value("software", "software", 3)]);
    let product = of(Facet::Product);
    assert_eq!(product.values, [value(&id(WINDOWS_10).to_string(), "Windows 10", 2)]);
    assert_eq!(product.more, 1);
    assert_eq!(of(Facet::Superseded).values, [value("true", "true", 2)]);
    assert_eq!(of(Facet::Superseded).more, 1);
    assert_eq!(of(Facet::Language).values, [value("en", "en", 3)]);
    assert_eq!(of(Facet::Group).values[0].name, "March");
}

#[test]
fn cursors_are_read_as_they_are_written_and_belong_to_one_order() {
    let index = sample();
    for sort in Sort::ALL {
        assert_eq!(Sort::named(sort.name()), Some(sort));
        let query = Query { sort: Some(sort), limit: 1, ..Query::default() };
        let next = index.search(&query, now(), &none).expect("finds").next.expect("more");
        assert_eq!(next.to_string().parse(), Ok(next.clone()));
        let other =
            Query { sort: Some(sort), descending: Some(!sort.descends_for_tests()), after: Some(&next), ..query };
        assert_eq!(index.search(&other, now(), &none), Err(CursorError));
    }
    for wrong in
        ["", "x", "title.a.1", "title.x.1.n1", "title.a.x.n1", "title.a.1.q", "titles.a.1.n1", "title.a.1.\u{fc}"]
    {
        assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong}");
    }
}

proptest! {
    #[test]
    fn pages_of_any_order_give_every_row_once(
        updates in prop::collection::vec((0..12_u128, "[a-cä ]{0,6}"), 1..40),
        sort in prop::sample::select(Sort::ALL.to_vec()),
        descending in any::<bool>(),
        limit in 1..7_usize,
        cut in 0..40_usize,
    ) {
        let additions: Vec<Addition> = updates
            .iter()
            .enumerate()
            .map(|(at, (update, title))| added(entry(100 + update, at as u32, at as i32 + 1, title)))
            .collect();
        // in two steps, as a server does it
        let cut = cut.min(additions.len());
        let (first, second) = (additions[..cut].to_vec(), additions[cut..].to_vec());
        let index = Index::new(Arc::new(Base::default().with(first).with(second)), moving());
        let counts = |update: UpdateId| Counts { needed: u64::from(update.0.as_bytes()[15] % 3), ..Counts::default() };
        let mut after: Option<Cursor> = None;
        let mut seen = Vec::new();
        loop {
            let query = Query { sort: Some(sort), descending: Some(descending), after: after.as_ref(), limit, ..Query::default() };
            let results = index.search(&query, now(), &counts).expect("a page");
            prop_assert!(results.rows.len() <= limit);
            seen.extend(results.rows);
            match results.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let whole = Query { sort: Some(sort), descending: Some(descending), limit: 1_000, ..Query::default() };
        prop_assert_eq!(&seen, &index.search(&whole, now(), &counts).expect("all").rows);
        let distinct: HashSet<u128> = updates.iter().map(|(update, _)| *update).collect();
        prop_assert_eq!(seen.len(), distinct.len());
    }

    #[test]
    fn the_index_finds_what_a_scan_finds(
        updates in prop::collection::vec("([a-b]{1,3}[ -]){0,4}", 1..30),
        text in "[a-b]{1,2}( [a-b]{1,2})?",
        filter in prop::sample::select(vec!["revision < 9", "title ~ a", "severity > low or eula = none", "not kb ~ 1"]),
    ) {
        let additions = updates.iter().enumerate();
        let additions = additions.map(|(at, title)| added(entry(100 + at as u128, at as u32, at as i32 + 1, title)));
        let index = Index::new(Arc::new(Base::default().with(additions.collect())), moving());
        let expression: UpdateExpression = Expression::parse(filter).expect("parses");
        let query = Query { expression: Some(&expression), text: Some(&text), limit: 100, ..Query::default() };
        let mut found = index.search(&query, now(), &none).expect("finds").rows;
        found.sort_unstable();
        let scanned: Vec<u32> = index
            .slots()
            .filter(|slot| {
                let title = fold(&index.entry(*slot).expect("there").title);
                words(&fold(&text)).all(|wanted| words(&title).any(|word| word.starts_with(wanted)))
                    && expression.accepts(&index.facts(*slot, Some(Counts::default())).expect("there"), now())
            })
            .collect();
        prop_assert_eq!(found, scanned.into_iter().rev().collect::<Vec<_>>());
    }
}
