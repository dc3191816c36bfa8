//! Membership against a naive evaluation, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// A rule over three facts and other collections.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Rule {
    Fact(usize),
    In(CollectionId),
    Not(Box<Rule>),
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Computer {
    assigned: Assigned,
    facts: [bool; 3],
}

type Definitions = Vec<Definition<Rule>>;

fn id(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(number))
}

/// Groups: 1 > 2 > 3 (nested downwards), 4 beside them.
fn groups() -> Vec<Group> {
    let group = |number, parent| Group { id: id(number), parent: Some(parent) };
    vec![
        Group { id: CollectionId::ALL_COMPUTERS, parent: None },
        group(1, CollectionId::ALL_COMPUTERS),
        group(2, id(1)),
        group(3, id(2)),
        group(4, CollectionId::ALL_COMPUTERS),
        Group { id: CollectionId::UNASSIGNED_COMPUTERS, parent: Some(CollectionId::ALL_COMPUTERS) },
    ]
}

fn holds(rule: &Rule, computer: &Computer, inside: &dyn Fn(CollectionId) -> bool) -> bool {
    match rule {
        Rule::Fact(fact) => computer.facts[*fact],
        Rule::In(id) => inside(*id),
        Rule::Not(rule) => !holds(rule, computer, inside),
    }
}

fn evaluate(plan: &Plan<Rule>, computer: &Computer) -> Vec<(CollectionId, Source)> {
    let judge = |rule: &Rule, inside: &dyn Fn(CollectionId) -> bool| holds(rule, computer, inside);
    plan.evaluate(&computer.assigned, &judge)
}

fn members(plan: &Plan<Rule>, computer: &Computer) -> BTreeSet<CollectionId> {
    evaluate(plan, computer).into_iter().map(|(id, _)| id).collect()
}

/// By the words of the module's documentation, for definitions without circles.
fn naive(definitions: &[Definition<Rule>], computer: &Computer, collection: CollectionId) -> bool {
    let own = &computer.assigned.groups;
    if collection == CollectionId::ALL_COMPUTERS {
        return true;
    }
    if collection == CollectionId::UNASSIGNED_COMPUTERS {
        return own.is_empty();
    }
    if groups().iter().any(|group| group.id == collection) {
        let child = groups().into_iter().find(|group| group.parent == Some(collection));
        return own.contains(&collection) || child.is_some_and(|child| naive(definitions, computer, child.id));
    }
    let Some(it) = definitions.iter().find(|it| it.id == collection) else { return false };
    let is_in = |other: &CollectionId| naive(definitions, computer, *other);
    let named = computer.assigned.direct.contains(&collection)
        || it.rule.as_ref().is_some_and(|rule| holds(rule, computer, &|other| is_in(&other)))
        || it.includes.iter().any(is_in);
    named && !it.excludes.iter().any(is_in) && it.limiting.as_ref().is_none_or(is_in)
}

fn defined(number: u128) -> Definition<Rule> {
    Definition { id: id(number), rule: None, named: vec![], includes: vec![], excludes: vec![], limiting: None }
}

fn computer(groups: &[u128], direct: &[u128], facts: [bool; 3]) -> Computer {
    let ids = |numbers: &[u128]| numbers.iter().map(|number| id(*number)).collect();
    Computer { assigned: Assigned { groups: ids(groups), direct: ids(direct) }, facts }
}

#[test]
fn a_table_of_memberships() {
    let rule = Some(Rule::Fact(0));
    let includes = |of: Vec<CollectionId>| Definition { includes: of, ..defined(10) };
    let one = |definition: Definition<Rule>| Plan::new(vec![definition], &groups());
    let yes = [true, false, false];
    let no = [false; 3];
    use Source::{Direct, Include, Rule as ByRule};
    let cases: Vec<(&str, Definition<Rule>, Computer, &[Source])> = vec![
        ("nothing puts it there", defined(10), computer(&[1], &[], yes), &[]),
        ("directly", defined(10), computer(&[], &[10], no), &[Direct]),
        ("by rule", Definition { rule: rule.clone(), ..defined(10) }, computer(&[], &[], yes), &[ByRule]),
        ("not by rule", Definition { rule: rule.clone(), ..defined(10) }, computer(&[], &[], no), &[]),
        (
            "by all of it",
            Definition { rule, ..includes(vec![id(4)]) },
            computer(&[4], &[10], yes),
            &[Direct, ByRule, Include],
        ),
        ("a group below an included one", includes(vec![id(1)]), computer(&[3], &[], no), &[Include]),
        ("not one above it", includes(vec![id(3)]), computer(&[1], &[], no), &[]),
        ("everyone", includes(vec![CollectionId::ALL_COMPUTERS]), computer(&[], &[], no), &[Include]),
        (
            "without a group",
            includes(vec![CollectionId::UNASSIGNED_COMPUTERS]),
            computer(&[], &[10], no),
            &[Direct, Include],
        ),
        ("with a group", includes(vec![CollectionId::UNASSIGNED_COMPUTERS]), computer(&[4], &[], no), &[]),
        (
            "an exclude wins",
            Definition { excludes: vec![id(2)], ..includes(vec![id(1)]) },
            computer(&[3], &[10], no),
            &[],
        ),
        ("the limit", Definition { limiting: Some(id(4)), ..defined(10) }, computer(&[1], &[10], no), &[]),
        (
            "within the limit",
            Definition { limiting: Some(id(4)), ..defined(10) },
            computer(&[1, 4], &[10], no),
            &[Direct],
        ),
        ("a limit that is gone", Definition { limiting: Some(id(99)), ..defined(10) }, computer(&[], &[10], no), &[]),
        ("an include that is gone", includes(vec![id(99)]), computer(&[1], &[], no), &[]),
    ];
    for (what, definition, computer, sources) in cases {
        let wanted: Vec<_> = sources.iter().map(|source| (id(10), *source)).collect();
        assert_eq!(evaluate(&one(definition), &computer), wanted, "{what}");
    }
}

#[test]
fn circles_are_named_and_have_no_members() {
    let a = Definition { includes: vec![id(1), id(11)], ..defined(10) };
    let b = Definition { excludes: vec![id(12)], ..defined(11) };
    let c = Definition { rule: Some(Rule::In(id(10))), named: vec![id(10)], ..defined(12) };
    let beside = Definition { limiting: Some(id(10)), ..defined(13) };
    let free = Definition { includes: vec![id(1)], ..defined(14) };
    let plan = Plan::new(vec![free, beside, c, b, a], &groups());
    let circle = plan.circle().expect("a circle");
    let name = |of: CollectionId| ["A", "B", "C"][usize::try_from(of.0.as_u128() - 10).expect("small")].to_owned();
    assert_eq!(circle.describe(name), r#""A" includes "B", which excludes "C", which has a rule that names "A""#);
    let everywhere = computer(&[1], &[10, 11, 12, 13], [true; 3]);
    assert_eq!(members(&plan, &everywhere), BTreeSet::from([id(14)]), "what does not depend on the circle goes on");
    let itself = Plan::new(vec![Definition { limiting: Some(id(10)), ..defined(10) }], &groups());
    assert_eq!(itself.circle().expect("a circle").describe(name), r#""A" is limited by "A""#);
    assert!(Plan::new(vec![Definition { includes: vec![id(1)], ..defined(10) }], &groups()).circle().is_none());
}

#[test]
fn what_depends_on_a_change_is_affected_and_nothing_else() {
    let all = |definitions: Definitions| -> BTreeMap<_, _> { definitions.into_iter().map(|it| (it.id, it)).collect() };
    let includes = |number, of: u128| Definition { includes: vec![id(of)], ..defined(number) };
    let before = all(vec![defined(10), includes(11, 10), includes(12, 11), includes(13, 1)]);
    assert_eq!(affected(&before, &before), BTreeSet::new());
    let mut after = before.clone();
    after.insert(id(10), includes(10, 1));
    assert_eq!(affected(&before, &after), BTreeSet::from([id(10), id(11), id(12)]));
    after = before.clone();
    after.remove(&id(11));
    assert_eq!(affected(&before, &after), BTreeSet::from([id(12)]));
    assert_eq!(affected(&after, &before), BTreeSet::from([id(11), id(12)]), "it is new");
}

#[test]
fn rules_name_single_collections_by_id() {
    let [a, b] = [1, 2].map(|number| id(number).to_string());
    let read = |text: &str| named_in(&crate::expression::ComputerExpression::parse(text).expect("a rule"));
    assert_eq!(
        read(&format!("server or collection in ({a}, {b}) and not collection = {b}")),
        Ok(BTreeSet::from([id(1), id(2)]))
    );
    assert_eq!(read(&format!("site = {a}")), Ok(BTreeSet::new()));
    for wrong in ["collection ~ pilot", "collection is empty", "site ~ ams", "build > 1 and not collection ~ x"] {
        assert!(matches!(read(wrong), Err(RuleError::NotSingle { .. })), "{wrong}");
    }
    assert!(matches!(read("server and collection = Pilot"), Err(RuleError::NotById { .. })));
}

#[test]
fn systems_are_named_by_their_versions() {
    let table = [
        ((10, 0, 17_763, 3), Some("windows server 2019")),
        ((10, 0, 17_763, 1), Some("windows 10 version 1809")),
        ((10, 0, 20_348, 2), Some("windows server 2022")),
        ((10, 0, 19_045, 1), Some("windows 10 version 22h2")),
        ((10, 0, 19_040, 1), Some("windows 10")),
        ((10, 0, 22_631, 1), Some("windows 11 version 23h2")),
        ((10, 0, 26_100, 1), Some("windows 11 version 24h2")),
        ((10, 0, 26_100, 3), Some("windows server 2025")),
        ((10, 0, 99_999, 1), Some("windows 11")),
        ((10, 0, 99_999, 3), Some("windows server")),
        ((6, 3, 9_600, 3), Some("windows server 2012 r2")),
        ((6, 1, 7_601, 1), Some("windows 7")),
        ((6, 4, 1, 1), None),
        ((10, 0, 19_045, 0), None),
    ];
    for ((major, minor, build, product), name) in table {
        assert_eq!(system_name(major, minor, build, product).as_deref(), name, "{major}.{minor}.{build} {product}");
    }
}

#[test]
fn what_decided_is_told() {
    let definition = Definition {
        rule: Some(Rule::Fact(0)),
        includes: vec![id(1), id(4)],
        excludes: vec![id(3)],
        limiting: Some(CollectionId::ALL_COMPUTERS),
        ..defined(10)
    };
    let plan = Plan::new(vec![definition.clone()], &groups());
    let explain = |computer: &Computer| {
        let judge = |rule: &Rule, inside: &dyn Fn(CollectionId) -> bool| holds(rule, computer, inside);
        plan.explain(&definition, &computer.assigned, &judge).expect("the plan decides about it")
    };
    let told = explain(&computer(&[3], &[10], [false; 3]));
    assert_eq!((told.verdict, told.direct, told.rule), (Verdict::Excluded, true, Some(false)));
    assert_eq!(told.includes, [(id(1), true), (id(4), false)]);
    assert_eq!(told.excludes, [(id(3), true)]);
    let name = |of: CollectionId| if of == id(10) { "It".to_owned() } else { of.0.as_u128().to_string() };
    let text = told.describe(name, "fact = 0");
    assert!(text.ends_with("So it is not in \"It\": an exclude wins over everything else."), "{text}");
    assert!(text.contains("The rule does not hold: fact = 0\nIt is in \"1\", which is included.\n"), "{text}");
    assert_eq!(explain(&computer(&[1], &[], [false; 3])).verdict, Verdict::Member);
    assert_eq!(explain(&computer(&[], &[], [false; 3])).verdict, Verdict::NotNamed);
    let limited = Definition { limiting: Some(id(4)), ..definition.clone() };
    let plan = Plan::new(vec![limited.clone()], &groups());
    let judge = |_: &Rule, _: &dyn Fn(CollectionId) -> bool| true;
    let told = plan.explain(&limited, &Assigned::default(), &judge).expect("decided");
    assert_eq!((told.verdict, told.limiting), (Verdict::OutsideLimit, Some((id(4), false))));
    assert!(plan.explain(&defined(77), &Assigned::default(), &judge).is_none());
}

/// Definitions 10 to 17; each refers to groups and to definitions of lower numbers only, so that there is no circle.
fn definitions() -> impl Strategy<Value = Definitions> {
    let one = |number: u128| {
        let other = prop_oneof![
            (1_u128..5).prop_map(id),
            Just(CollectionId::ALL_COMPUTERS),
            Just(CollectionId::UNASSIGNED_COMPUTERS),
            (10..number.max(11)).prop_map(move |below| if below < number { id(below) } else { id(99) }),
        ];
        let rule = prop_oneof![
            (0_usize..3).prop_map(Rule::Fact),
            (0_usize..3).prop_map(|fact| Rule::Not(Box::new(Rule::Fact(fact)))),
            other.clone().prop_map(Rule::In),
            other.clone().prop_map(|of| Rule::Not(Box::new(Rule::In(of)))),
        ];
        let several = || prop::collection::vec(other.clone(), 0..3);
        (prop::option::of(rule), several(), several(), prop::option::of(other.clone())).prop_map(
            move |(rule, includes, excludes, limiting)| {
                let named = rule.iter().filter_map(named).collect();
                Definition { id: id(number), rule, named, includes, excludes, limiting }
            },
        )
    };
    let all: Vec<_> = (10..18).map(|number| one(number).boxed()).collect();
    all
}

fn named(rule: &Rule) -> Option<CollectionId> {
    match rule {
        Rule::Fact(_) => None,
        Rule::In(id) => Some(*id),
        Rule::Not(rule) => named(rule),
    }
}

fn computers() -> impl Strategy<Value = Vec<Computer>> {
    let some = |from: u128, to: u128| prop::collection::btree_set((from..to).prop_map(id), 0..3);
    let one = (some(1, 5), some(10, 18), any::<[bool; 3]>()).prop_map(|(groups, direct, facts)| Computer {
        assigned: Assigned { groups: groups.into_iter().collect(), direct: direct.into_iter().collect() },
        facts,
    });
    prop::collection::vec(one, 1..6)
}

proptest! {
    #[test]
    fn it_equals_a_naive_evaluation(definitions in definitions(), computers in computers()) {
        let plan = Plan::new(definitions.clone(), &groups());
        prop_assert!(plan.circle().is_none());
        for computer in &computers {
            let wanted: BTreeSet<_> =
                definitions.iter().map(|it| it.id).filter(|of| naive(&definitions, computer, *of)).collect();
            prop_assert_eq!(members(&plan, computer), wanted);
        }
    }

    #[test]
    fn the_order_of_definitions_does_not_matter(
        definitions in definitions(),
        mixed in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        computers in computers(),
    ) {
        let other: Vec<_> = mixed.iter().map(|at| definitions[*at].clone()).collect();
        let (plan, other) = (Plan::new(definitions, &groups()), Plan::new(other, &groups()));
        prop_assert_eq!(plan.collections().collect::<Vec<_>>(), other.collections().collect::<Vec<_>>());
        for computer in &computers {
            prop_assert_eq!(evaluate(&plan, computer), evaluate(&other, computer));
        }
    }

    #[test]
    fn a_member_is_within_the_limit_and_never_excluded(definitions in definitions(), computers in computers()) {
        let plan = Plan::new(definitions.clone(), &groups());
        for computer in &computers {
            let members = members(&plan, computer);
            for it in definitions.iter().filter(|it| members.contains(&it.id)) {
                prop_assert!(it.limiting.is_none_or(|limit| naive(&definitions, computer, limit)));
                for other in &it.excludes {
                    prop_assert!(!naive(&definitions, computer, *other));
                }
                let sources: Vec<_> =
                    evaluate(&plan, computer).into_iter().filter(|(of, _)| *of == it.id).collect();
                prop_assert!(!sources.is_empty());
            }
        }
    }

    #[test]
    fn a_change_of_one_computer_needs_that_one_evaluated_and_no_other(
        definitions in definitions(),
        computers in computers(),
        changed in any::<[bool; 3]>(),
        regrouped in prop::collection::btree_set((1_u128..5).prop_map(id), 0..3),
    ) {
        let plan = Plan::new(definitions.clone(), &groups());
        let mut kept: Vec<_> = computers.iter().map(|computer| members(&plan, computer)).collect();
        let mut after = computers;
        after[0].facts = changed;
        after[0].assigned.groups = regrouped.into_iter().collect();
        kept[0] = members(&plan, &after[0]);
        for (computer, kept) in after.iter().zip(&kept) {
            let wanted: BTreeSet<_> =
                definitions.iter().map(|it| it.id).filter(|of| naive(&definitions, computer, *of)).collect();
            prop_assert_eq!(kept, &wanted);
        }
    }

    #[test]
    fn references_without_order_never_hang_and_circles_are_real(
        links in prop::collection::vec((10_u128..15, 10_u128..15, 0_u8..4), 0..12),
    ) {
        let mut all: BTreeMap<u128, Definition<Rule>> = (10..15).map(|number| (number, defined(number))).collect();
        for (from, to, how) in links {
            let it = all.get_mut(&from).expect("there");
            match how {
                0 => it.includes.push(id(to)),
                1 => it.excludes.push(id(to)),
                2 => it.limiting = Some(id(to)),
                _ => it.named.push(id(to)),
            }
        }
        let plan = Plan::new(all.values().cloned().collect(), &groups());
        if let Some(circle) = plan.circle() {
            let next = circle.path.iter().cycle().skip(1);
            for ((from, link), (to, _)) in circle.path.iter().zip(next) {
                let it = &all[&from.0.as_u128()];
                let linked = match link {
                    Link::Includes => it.includes.contains(to),
                    Link::Excludes => it.excludes.contains(to),
                    Link::LimitedBy => it.limiting == Some(*to),
                    Link::Names => it.named.contains(to),
                };
                prop_assert!(linked);
            }
        }
    }
}
