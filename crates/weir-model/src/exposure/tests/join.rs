//! From documents to updates.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{advisory, file, parsed};
use crate::{
    exposure::{Advisory, Article, Build, Builder, Content, Cve, Fix, Join, Known, Platform, Update, Vulnerability},
    status::UpdateNumber,
    update::Severity,
};

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * 86_400).expect("a time")
}

fn update(number: u32, article: u32, supersedes: &[u32]) -> Update {
    Update {
        number: UpdateNumber(number),
        articles: (article > 0).then_some(Article(article)).into_iter().collect(),
        supersedes: supersedes.iter().copied().map(UpdateNumber).collect(),
        reported: true,
    }
}

fn known() -> Known {
    let mut builder = Builder::default();
    let document = parsed(&file("msrc-form.xml")).expect("read");
    builder.advisory(1, document.revision.at, advisory(&document));
    builder.finish()
}

fn numbers(updates: &[UpdateNumber]) -> Vec<u32> {
    updates.iter().map(|number| number.0).collect()
}

#[test]
fn updates_are_found_by_article_and_supersedence() {
    let catalogue = [
        update(1, 9_000_101, &[]),
        update(2, 9_000_101, &[]),
        update(3, 9_000_201, &[1]),
        update(4, 9_000_301, &[3]),
        // a circle, as a damaged catalogue may have
        update(5, 9_000_401, &[4, 6]),
        update(6, 9_000_402, &[5]),
        update(7, 0, &[]),
        Update { reported: false, ..update(8, 9_000_101, &[]) },
        update(9, 9_000_501, &[8]),
    ];
    let join = Join::new(&known(), &catalogue);
    let joined = join.of(Article(9_000_101)).expect("named");
    assert_eq!(numbers(&joined.direct), [1, 2], "a member of a bundle is not reported");
    assert_eq!(numbers(&joined.later), [3, 4, 5, 6, 9], "what replaces a member replaces the fix");
    assert_eq!(join.of(Article(9_000_102)).map(|it| it.direct.len()), Some(0));
    assert!(join.of(Article(9_000_201)).is_none(), "no document names it");
    assert_eq!(numbers(join.relevant()), [1, 2, 3, 4, 5, 6, 9]);
}

#[test]
fn what_vendors_say_of_replacement_counts_where_the_catalogue_lost_the_update() {
    // KB9000101 replaces KB9000001: a vulnerability that KB9000001 fixed is fixed by updates of KB9000101
    let mut builder = Builder::default();
    let old = Advisory {
        products: vec!["Windows 97".to_owned()],
        vulnerabilities: vec![vulnerability("CVE-2030-0001", vec![fix(9_000_001, None, &[0])])],
    };
    builder.advisory(2, at(1), &old);
    let document = parsed(&file("msrc-form.xml")).expect("read");
    builder.advisory(1, document.revision.at, advisory(&document));
    let join = Join::new(&builder.finish(), &[update(1, 9_000_101, &[]), update(2, 9_000_201, &[1])]);
    let joined = join.of(Article(9_000_001)).expect("named");
    assert_eq!((numbers(&joined.direct), numbers(&joined.later)), (vec![], vec![1, 2]));
}

pub(super) fn vulnerability(cve: &str, fixes: Vec<Fix>) -> Vulnerability {
    let affected: BTreeSet<u32> = fixes.iter().flat_map(|fix| fix.products.clone()).collect();
    Vulnerability {
        cve: cve.parse().expect("a CVE"),
        title: format!("Title of {cve}"),
        severity: Some(Severity::Important),
        score: None,
        exploited: false,
        published: None,
        revised: None,
        affected: affected.into_iter().collect(),
        fixes,
    }
}

pub(super) fn fix(article: u32, build: Option<[u32; 4]>, products: &[u32]) -> Fix {
    Fix {
        article: (article > 0).then_some(Article(article)),
        name: "Release Notes".to_owned(),
        build: build.map(Build),
        supersedes: Vec::new(),
        products: products.to_vec(),
    }
}

#[test]
fn documents_come_together_by_cve() {
    let (xml, csaf) =
        (parsed(&file("msrc-form.xml")).expect("xml"), parsed(&file("csaf-advisory.json")).expect("csaf"));
    let kev = parsed(&file("kev.json")).expect("kev");
    let mut builder = Builder::default();
    builder.advisory(7, csaf.revision.at, advisory(&csaf));
    builder.advisory(3, xml.revision.at, advisory(&xml));
    builder.advisory(9, xml.revision.at, advisory(&xml));
    let Content::KnownExploited(entries) = kev.content else { panic!("a catalogue") };
    builder.known_exploited(entries);
    let known = builder.finish();
    let of = |cve: &str| &known.vulnerabilities[&cve.parse::<Cve>().expect("a CVE")];
    let spooler = of("CVE-2031-10001");
    assert_eq!(spooler.documents, [3, 9]);
    assert!(spooler.is_exploited() && spooler.listed.is_some());
    let shape = &known.shapes[spooler.shape.expect("named") as usize];
    // the products of one remedy are one problem
    let problems: Vec<_> = known.problems_of(shape).collect();
    let products: Vec<usize> = problems.iter().map(|problem| problem.products.len()).collect();
    assert_eq!((problems[0].platform, products), (Platform::Windows, vec![1, 2]));
    assert_eq!(shape.assessed.iter().copied().collect::<Vec<_>>(), [[10, 0, 97_001], [10, 0, 98_001]]);
    // a CSAF document of its own with the same remedies has the same shape, but speaks for itself
    assert_eq!(known.shapes.len(), 3);
    let listed = of("CVE-2030-31337");
    assert_eq!((listed.shape, listed.title.as_str()), (None, "Ledger Path Traversal"));
    assert_eq!(of("CVE-2031-10002").rating(), Some(Severity::Moderate));
    assert_eq!(of("CVE-2031-10003").rating(), Some(Severity::Important));
}

#[test]
fn of_two_documents_the_later_one_says_what_fixes_a_product() {
    let products = || vec!["Windows 97".to_owned(), "Example Ledger".to_owned()];
    let document =
        |fixes| Advisory { products: products(), vulnerabilities: vec![vulnerability("CVE-2031-0001", fixes)] };
    let first = document(vec![fix(9_000_001, None, &[0]), fix(9_000_005, None, &[1])]);
    let second = document(vec![fix(9_000_002, None, &[0])]);
    for order in [[0, 1], [1, 0]] {
        let mut builder = Builder::default();
        for which in order {
            let (at, document) = [(at(1), &first), (at(2), &second)][which];
            builder.advisory(which as u32, at, document);
        }
        let known = builder.finish();
        let articles: Vec<Option<Article>> =
            known.problems.iter().flat_map(|it| &it.remedies).map(|it| it.article).collect();
        assert_eq!(articles, [Some(Article(9_000_002)), Some(Article(9_000_005))], "{order:?}");
    }
}

#[test]
fn scores_stand_in_for_a_rating_that_is_missing() {
    use crate::exposure::Score;
    for (tenths, rating) in [
        (100, Some(Severity::Critical)),
        (90, Some(Severity::Critical)),
        (89, Some(Severity::Important)),
        (70, Some(Severity::Important)),
        (69, Some(Severity::Moderate)),
        (40, Some(Severity::Moderate)),
        (39, Some(Severity::Low)),
        (1, Some(Severity::Low)),
        (0, None),
    ] {
        let mut one = vulnerability("CVE-2031-0001", Vec::new());
        (one.severity, one.score) = (None, Some(Score { tenths, vector: String::new() }));
        let mut builder = Builder::default();
        builder.advisory(1, at(1), &Advisory { products: Vec::new(), vulnerabilities: vec![one] });
        assert_eq!(builder.finish().vulnerabilities.values().next().expect("one").rating(), rating, "{tenths}");
    }
}
