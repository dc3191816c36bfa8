use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{ids::UpdateId, update::CategoryKind};

fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(number))
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

#[expect(clippy::unnecessary_wraps, reason = "every use wants it so")]
fn days_ago(days: i64) -> Option<Timestamp> {
    Some(now() - jiff::SignedDuration::from_hours(24 * days))
}

fn update(number: u128, title: &str) -> Facts {
    Facts {
        update: id(number),
        judged: true,
        stored: false,
        title: title.to_owned(),
        kb_articles: vec![format!("500{number}")],
        categories: Vec::new(),
        architectures: architectures_in_title(title),
        languages: Vec::new(),
        created_at: days_ago(100),
        superseded_by: Vec::new(),
        members: Vec::new(),
        prerequisites: Vec::new(),
    }
}

fn member(number: u128) -> Facts {
    Facts { judged: false, ..update(number, "a member") }
}

fn rule(name: &str, action: Action, condition: Condition) -> Rule {
    Rule { name: name.to_owned(), action, condition, except: Vec::new(), enabled: true }
}

fn titled(pattern: &str) -> Condition {
    Condition { titles: vec![pattern.parse().expect("a pattern")], ..Condition::default() }
}

/// `skip`, `decline` or `keep` for each update.
fn verdicts(rules: &[Rule], facts: &[Facts]) -> Vec<&'static str> {
    let verdicts = judge(rules, facts, now());
    facts
        .iter()
        .map(|update| match verdicts.get(&update.update) {
            None | Some(Verdict::Keep) => "keep",
            Some(Verdict::Skip(_)) => "skip",
            Some(Verdict::Decline(_)) => "decline",
        })
        .collect()
}

fn is_matched(condition: Condition, facts: &Facts) -> bool {
    verdicts(&[rule("r", Action::Decline, condition)], std::slice::from_ref(facts)) == ["decline"]
}

#[test]
fn titles_name_architectures() {
    use Architecture::{Arm64, Ia64, X64, X86};
    for (title, expected) in [
        ("2026-11 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5068861)", vec![X64]),
        ("2026-11 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5068861)", vec![Arm64]),
        ("Security Update for Windows Server 2008 R2 for Itanium-based Systems (KB2922229)", vec![Ia64]),
        ("Security Update for Windows Server 2008 R2 for x64-based Systems (KB2922229)", vec![X64]),
        ("Security Update for Microsoft Office 2016 (KB5002143) 32-Bit Edition", vec![X86]),
        ("Update for Microsoft Office 2016 (KB4011621) 64-Bit Edition", vec![X64]),
        ("Cumulative Update for .NET Framework 3.5 and 4.8 for Windows 10 for x86 and x64", vec![X64, X86]),
        ("Security Update for Microsoft SQL Server (KB5021127)", vec![]),
        ("Alarm clock for charming swarms x640", vec![]),
    ] {
        assert_eq!(architectures_in_title(title), expected.into_iter().collect::<BTreeSet<_>>(), "{title}");
    }
}

#[test]
fn titles_name_editions_and_previews() {
    let has = |title: &str, edition: Edition| editions_in_title(title).contains(&edition);
    assert!(has("Feature update to Windows 10 (consumer editions), version 22H2, en-us", Edition::Consumer));
    assert!(has("Feature update to Windows 10 (business editions), version 22H2, en-us", Edition::Business));
    assert!(has("Cumulative Update for Windows Server 2022 Datacenter: Azure Edition", Edition::Azure));
    assert!(!has("Update for Azure File Sync agent", Edition::Azure));
    assert!(has("Upgrade to Windows 10 Enterprise LTSC 2021", Edition::Ltsc));
    assert!(is_preview("2026-11 Cumulative Update Preview for Windows 11"));
    assert!(is_preview("November, 2018 Preview of Monthly Quality Rollup for Windows 7"));
    assert!(!is_preview("Update for Previewer"));
}

#[test]
fn patterns_match_without_regard_to_case() {
    for (pattern, title, expected) in [
        ("itanium", "For ITANIUM-based systems", true),
        ("*itanium*", "For ITANIUM-based systems", true),
        ("itanium*", "For ITANIUM-based systems", false),
        ("for*systems", "For ITANIUM-based systems ", true),
        ("for*for*systems", "For ITANIUM-based systems", false),
        ("a*a", "a", false),
        ("*b*c", "abcbc", true),
        ("a.b", "axb", false),
    ] {
        let read: Pattern = pattern.parse().expect("a pattern");
        assert_eq!(read.matches(title), expected, "{pattern} {title}");
    }
    for wrong in ["", "  ", "***", "a\nb"] {
        assert!(wrong.parse::<Pattern>().is_err(), "{wrong:?}");
    }
}

#[test]
fn each_condition_asks_for_one_thing() {
    let x64 = update(1, "Update for x64-based Systems");
    let both = update(2, "Update for x64 and ARM64");
    let silent = update(3, "Update");
    let of = |architectures: &[Architecture]| Condition {
        architectures: architectures.iter().copied().collect(),
        ..Condition::default()
    };
    assert!(is_matched(of(&[Architecture::X64]), &x64));
    assert!(!is_matched(of(&[Architecture::Arm64]), &both), "it is made for x64, too");
    assert!(is_matched(of(&[Architecture::Arm64, Architecture::X64]), &both));
    assert!(!is_matched(of(&[Architecture::X64]), &silent), "what is not known does not match");

    let spoken = |languages: &[&str]| Facts {
        languages: languages.iter().map(|language| (*language).to_owned()).collect(),
        ..silent.clone()
    };
    let only = |languages: &[&str]| Condition {
        languages: languages.iter().map(|language| (*language).to_owned()).collect(),
        ..Condition::default()
    };
    let others = |languages: &[&str]| Condition {
        other_languages_than: languages.iter().map(|language| (*language).to_owned()).collect(),
        ..Condition::default()
    };
    assert!(is_matched(only(&["de", "fr"]), &spoken(&["de"])));
    assert!(is_matched(only(&["pt"]), &spoken(&["pt-br"])), "a language stands for its regions");
    assert!(!is_matched(only(&["pt-br"]), &spoken(&["pt"])));
    assert!(!is_matched(only(&["de"]), &spoken(&["de", "en"])));
    assert!(!is_matched(only(&["de"]), &spoken(&[])), "neutral");
    assert!(is_matched(others(&["en"]), &spoken(&["de", "fr"])));
    assert!(!is_matched(others(&["en"]), &spoken(&["de", "en"])));
    assert!(!is_matched(others(&["en"]), &spoken(&[])), "neutral");

    let older = |days| Condition { older_than_days: Some(days), ..Condition::default() };
    assert!(is_matched(older(100), &silent));
    assert!(!is_matched(older(101), &silent));
    assert!(!is_matched(older(1), &Facts { created_at: None, ..silent.clone() }));

    let belonging = Facts { categories: vec![id(70), id(71)], ..silent.clone() };
    let product = Condition { products: BTreeSet::from([id(70)]), ..Condition::default() };
    assert!(is_matched(product.clone(), &belonging));
    assert!(!is_matched(product.clone(), &silent));
    let both = Condition { classifications: BTreeSet::from([id(99)]), ..product };
    assert!(!is_matched(both, &belonging), "all that is given must hold");

    let preview = |wanted| Condition { preview: Some(wanted), ..Condition::default() };
    assert!(is_matched(preview(true), &update(4, "Cumulative Update Preview")));
    assert!(!is_matched(preview(true), &silent));
    assert!(is_matched(preview(false), &silent));
}

#[test]
fn exceptions_switches_and_unjudged_updates_are_left_alone() {
    let mut of_titles = rule("r", Action::Decline, titled("update"));
    let facts = [update(1, "Update one"), update(2, "Update two"), update(3, "Update three"), update(4, "Update four")];
    assert_eq!(verdicts(std::slice::from_ref(&of_titles), &facts), ["decline"; 4]);
    let except = [id(1).to_string(), "kb5002".to_owned(), "*three".to_owned()];
    of_titles.except = except.iter().map(|text| text.parse().expect("an exception")).collect();
    assert_eq!(verdicts(std::slice::from_ref(&of_titles), &facts), ["keep", "keep", "keep", "decline"]);
    of_titles.enabled = false;
    assert_eq!(verdicts(std::slice::from_ref(&of_titles), &facts), ["keep"; 4]);
    of_titles.enabled = true;
    let unjudged = [Facts { judged: false, ..update(9, "Update nine") }];
    assert_eq!(verdicts(std::slice::from_ref(&of_titles), &unjudged), ["keep"]);
    assert_eq!("KB5002".parse::<Exception>().expect("reads").to_string(), "KB5002");
    assert_eq!("kbx".parse::<Exception>().expect("reads"), Exception::Title("kbx".parse().expect("a pattern")));
}

#[test]
fn supersedence_counts_from_what_stays() {
    let at_once = Condition { superseded: Some(Superseded { days: 0 }), ..Condition::default() };
    let later = Condition { superseded: Some(Superseded { days: 30 }), ..Condition::default() };
    let by = |number, created_at, withdrawn| Superseder { update: id(number), created_at, withdrawn };
    let superseded = |by: Vec<Superseder>| Facts { superseded_by: by, ..update(1, "old") };
    assert!(is_matched(at_once.clone(), &superseded(vec![by(2, None, false)])));
    assert!(!is_matched(at_once.clone(), &superseded(vec![])));
    assert!(!is_matched(at_once.clone(), &superseded(vec![by(2, days_ago(40), true)])), "withdrawn");
    assert!(is_matched(later.clone(), &superseded(vec![by(2, days_ago(40), false), by(3, days_ago(1), false)])));
    assert!(!is_matched(later.clone(), &superseded(vec![by(2, days_ago(29), false)])));
    assert!(!is_matched(later, &superseded(vec![by(2, None, false)])), "its age is not known");

    // a preview that is declined itself supersedes nothing; what supersedes and is superseded in turn does
    let rules = [
        rule("previews", Action::Decline, Condition { preview: Some(true), ..Condition::default() }),
        rule("superseded", Action::Decline, at_once),
    ];
    let only_preview = [superseded(vec![by(2, days_ago(5), false)]), update(2, "Preview")];
    assert_eq!(verdicts(&rules, &only_preview), ["keep", "decline"]);
    let chain = [
        superseded(vec![by(2, days_ago(5), false)]),
        Facts { superseded_by: vec![by(3, days_ago(1), false)], ..update(2, "newer") },
        update(3, "newest"),
    ];
    assert_eq!(verdicts(&rules, &chain), ["decline", "decline", "keep"]);
}

#[test]
fn what_is_skipped_takes_its_members_along_and_nothing_that_is_needed() {
    let rules = [rule("ia64", Action::Skip, titled("itanium"))];
    let with = |facts: Facts, members: &[u128]| Facts { members: members.iter().copied().map(id).collect(), ..facts };
    // 1 has 10 of its own, 11 with 2, and 12, which is a bundle of 13
    let facts = [
        with(update(1, "For Itanium"), &[10, 11, 12]),
        with(update(2, "For x64"), &[11]),
        member(10),
        member(11),
        with(member(12), &[13]),
        member(13),
        member(14),
    ];
    assert_eq!(verdicts(&rules, &facts), ["skip", "keep", "skip", "keep", "skip", "skip", "keep"]);
    let reason = |verdict: &Verdict| match verdict {
        Verdict::Skip(matched) => matched.clone(),
        other => panic!("{other:?}"),
    };
    let told = judge(&rules, &facts, now());
    assert_eq!(reason(&told[&id(13)]), reason(&told[&id(1)]));
    assert_eq!(reason(&told[&id(1)]).reason, "its title matches \"itanium\"");

    let needed = [
        update(1, "For Itanium"),
        Facts { prerequisites: vec![id(1)], ..update(2, "needs it") },
        Facts { stored: true, ..update(3, "For Itanium, stored before") },
    ];
    assert_eq!(verdicts(&rules, &needed), ["keep", "keep", "keep"]);
}

#[test]
fn rules_that_skip_go_first() {
    let rules = [rule("a", Action::Decline, titled("x")), rule("b", Action::Skip, titled("x"))];
    assert_eq!(verdicts(&rules, &[update(1, "x")]), ["skip"]);
    assert_eq!(verdicts(&rules, &[Facts { stored: true, ..update(1, "x") }]), ["decline"]);
}

#[test]
fn a_rule_must_be_one() {
    let good = rule("r", Action::Skip, titled("x"));
    assert_eq!(good.check(), Ok(()));
    let named = |name: &str| Rule { name: name.to_owned(), ..good.clone() };
    for name in ["", " ", " r", "r\n", &"r".repeat(101)] {
        assert!(matches!(named(name).check(), Err(RuleError::Name(_))), "{name:?}");
    }
    assert_eq!(Rule { condition: Condition::default(), ..good.clone() }.check(), Err(RuleError::Empty));
    let late = Condition { older_than_days: Some(40_000), ..Condition::default() };
    assert_eq!(Rule { condition: late, ..good.clone() }.check(), Err(RuleError::Days(40_000)));
    let many = Condition { titles: vec!["x".parse().expect("a pattern"); 1_001], ..Condition::default() };
    assert!(matches!(Rule { condition: many, ..good }.check(), Err(RuleError::Entries { what: "titles" })));
}

#[test]
fn a_rule_is_said_in_words() {
    let condition = Condition {
        architectures: [Architecture::Ia64, Architecture::Arm64].into(),
        superseded: Some(Superseded { days: 30 }),
        classifications: [id(1)].into(),
        ..Condition::default()
    };
    let mut rule = rule("r", Action::Decline, condition);
    rule.except = vec![Exception::Article("5001".to_owned())];
    rule.enabled = false;
    assert_eq!(
        rule.describe(&|_| "Drivers".to_owned()),
        "Decline what is made for arm64 or ia64 only, and has been superseded for at least 30 days, and is classified as \
         Drivers, and is not KB5001 (switched off)"
    );
}

/// Microsoft (1) > Windows (2) > 10, 11; Office (3) > 12; a product (13) directly below the company; a classification 20.
fn tree() -> Vec<Branch> {
    let node = |number, kind, parent: Option<u128>| Branch { id: id(number), kind, parent: parent.map(id) };
    vec![
        node(1, CategoryKind::Company, None),
        node(2, CategoryKind::ProductFamily, Some(1)),
        node(3, CategoryKind::ProductFamily, Some(1)),
        node(10, CategoryKind::Product, Some(2)),
        node(11, CategoryKind::Product, Some(2)),
        node(12, CategoryKind::Product, Some(3)),
        node(13, CategoryKind::Product, Some(1)),
        node(20, CategoryKind::UpdateClassification, None),
    ]
}

fn ids(numbers: &[u128]) -> BTreeSet<UpdateId> {
    numbers.iter().copied().map(id).collect()
}

#[test]
fn a_family_covers_what_is_below_it() {
    assert_eq!(expand(&ids(&[2, 20]), &tree()), ids(&[10, 11, 20]));
    assert_eq!(expand(&ids(&[1]), &tree()), ids(&[10, 11, 12, 13]));
    assert_eq!(expand(&ids(&[10, 77]), &tree()), ids(&[10, 77]), "what is not known stands for itself");
    let mut later = tree();
    later.push(Branch { id: id(14), kind: CategoryKind::Product, parent: Some(id(2)) });
    assert_eq!(expand(&ids(&[2]), &later), ids(&[10, 11, 14]));
    assert_eq!(least(&ids(&[1, 2, 10, 20]), &tree()), ids(&[1, 20]));
    let cycle = [
        Branch { id: id(1), kind: CategoryKind::ProductFamily, parent: Some(id(2)) },
        Branch { id: id(2), kind: CategoryKind::Product, parent: Some(id(1)) },
    ];
    assert_eq!(expand(&ids(&[1]), &cycle), ids(&[2]));
}

#[test]
fn without_one_product_a_family_gives_way_to_the_others() {
    assert_eq!(exclude(&ids(&[2, 20]), &ids(&[10]), &tree()), (ids(&[11, 20]), ids(&[2])));
    assert_eq!(exclude(&ids(&[1]), &ids(&[2]), &tree()), (ids(&[12, 13]), ids(&[1])));
    assert_eq!(exclude(&ids(&[10, 11, 12]), &ids(&[2]), &tree()), (ids(&[12]), ids(&[])));
    assert_eq!(exclude(&ids(&[1, 2]), &ids(&[1]), &tree()), (ids(&[]), ids(&[])));
}

proptest! {
    #[test]
    fn excluding_covers_exactly_the_rest(chosen in 0_u8..=255, asked in 0_u8..=255) {
        let nodes = tree();
        let pick = |bits: u8| -> BTreeSet<UpdateId> {
            nodes.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, node)| node.id).collect()
        };
        let (chosen, asked) = (pick(chosen), pick(asked));
        let (left, _) = exclude(&chosen, &asked, &nodes);
        let expected: BTreeSet<UpdateId> =
            expand(&chosen, &nodes).difference(&expand(&asked, &nodes)).copied().collect();
        prop_assert_eq!(expand(&left, &nodes), expected.clone());
        prop_assert_eq!(expand(&least(&left, &nodes), &nodes), expected);
    }

    /// What is kept has all its members and prerequisites among those kept or declined.
    #[test]
    fn nothing_kept_lacks_what_it_needs(
        links in prop::collection::vec((0_u128..12, 0_u128..12, any::<bool>()), 0..30),
        skipped in 0_u16..4_096,
        judged in 0_u16..4_096,
    ) {
        let mut facts: Vec<Facts> = (0..12)
            .map(|number| {
                let title = if skipped & (1 << number) != 0 { "x" } else { "y" };
                Facts { judged: judged & (1 << number) != 0, ..update(number, title) }
            })
            .collect();
        for (from, to, is_member) in links {
            let from = &mut facts[from as usize];
            if is_member { from.members.push(id(to)) } else { from.prerequisites.push(id(to)) }
        }
        let told = judge(&[rule("r", Action::Skip, titled("x"))], &facts, now());
        let is_skipped = |update: &UpdateId| matches!(told.get(update), Some(Verdict::Skip(_)));
        for update in facts.iter().filter(|update| !is_skipped(&update.update)) {
            for needed in update.members.iter().chain(&update.prerequisites) {
                prop_assert!(!is_skipped(needed), "{} needs {needed}", update.update);
            }
        }
    }

    #[test]
    fn a_pattern_without_stars_is_a_search(text in "[a-zA-Z ]{1,8}", title in "[a-zA-Z ]{0,20}") {
        if let Ok(pattern) = text.parse::<Pattern>() {
            let expected = title.to_lowercase().trim().contains(&text.trim().to_lowercase());
            prop_assert_eq!(pattern.matches(&title), expected);
        }
    }

    /// Against matching by trying every split.
    #[test]
    fn stars_stand_for_any_text(pattern in "[ab*]{1,6}", title in "[ab]{0,8}") {
        fn naive(pattern: &[u8], title: &[u8]) -> bool {
            match pattern.split_first() {
                None => title.is_empty(),
                Some((b'*', rest)) => (0..=title.len()).any(|at| naive(rest, &title[at..])),
                Some((byte, rest)) => title.first() == Some(byte) && naive(rest, &title[1..]),
            }
        }
        prop_assume!(pattern.contains('*') && pattern.contains(['a', 'b']));
        let read: Pattern = pattern.parse().expect("a pattern");
        prop_assert_eq!(read.matches(&title), naive(pattern.as_bytes(), title.as_bytes()));
    }
}
