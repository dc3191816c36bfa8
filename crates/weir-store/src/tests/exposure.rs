//! Documents about vulnerabilities, service levels, exceptions.

use jiff::civil::date;
use uuid::Uuid;
use weir_model::{
    exposure::{
        Advisory, Article, Build, Content, Cve, Document, DocumentKind, Exception, Fix, KnownExploited, Levels,
        OsBuild, Place, Revision, Subject, Vulnerability,
    },
    ids::{CollectionId, Sha256Digest},
    targeting::CollectionKind,
    update::Severity,
};

use super::{Scratch, time, update};
use crate::{
    collection::NewCollection,
    computer::{Contact, Registration},
};

fn cve(text: &str) -> Cve {
    text.parse().expect("a CVE")
}

fn document(version: &str, cves: &[&str]) -> Document {
    let vulnerability = |id: &&str| Vulnerability {
        cve: cve(id),
        title: format!("Title of {id}"),
        severity: Some(Severity::Critical),
        score: None,
        exploited: true,
        published: Some(time(1)),
        revised: None,
        affected: vec![0],
        fixes: vec![Fix {
            article: Some(Article(9_000_001)),
            name: "KB9000001".to_owned(),
            build: Some(Build([10, 0, 1, 2])),
            supersedes: vec![Article(9_000_000)],
            products: vec![0],
        }],
    };
    Document {
        kind: DocumentKind::Cvrf,
        issuer: String::new(),
        id: "2031-Jan".to_owned(),
        title: "January".to_owned(),
        released: Some(time(1)),
        revision: Revision { at: time(5), version: version.to_owned() },
        skipped: 3,
        content: Content::Advisory(Advisory {
            products: vec!["Windows 97".to_owned()],
            vulnerabilities: cves.iter().map(vulnerability).collect(),
        }),
    }
}

#[test]
fn a_document_comes_back_and_is_replaced_as_a_whole() {
    let scratch = Scratch::new();
    let version = || scratch.store.read(|tx| tx.exposure_version()).expect("reads");
    let empty = version();
    let first = document("1", &["CVE-2031-0001", "CVE-2031-0002"]);
    let no = scratch.write(|tx| tx.exposure_document_put(&first, Sha256Digest([1; 32]), "january.xml"));
    assert!(version() > empty);
    let known = scratch.store.read(|tx| tx.exposure_known()).expect("reads");
    assert_eq!(known.vulnerabilities.keys().map(Cve::as_str).collect::<Vec<_>>(), ["CVE-2031-0001", "CVE-2031-0002"]);
    let one = &known.vulnerabilities[&cve("CVE-2031-0001")];
    assert_eq!((one.severity, one.exploited, one.published), (Some(Severity::Critical), true, Some(time(1))));
    assert_eq!(known.shapes.len(), 1, "both have the same fix");
    assert_eq!(known.problems[0].remedies[0].build, Some(Build([10, 0, 1, 2])));
    assert_eq!(known.superseded_by[&Article(9_000_000)].len(), 1);

    let second = document("2", &["CVE-2031-0002", "CVE-2031-0003"]);
    let before = version();
    let again = scratch.write(|tx| tx.exposure_document_put(&second, Sha256Digest([2; 32]), "later.xml"));
    assert_eq!(again, no, "the number stays");
    assert!(version() > before);
    let rows = scratch.store.read(|tx| tx.exposure_documents()).expect("reads");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.entries, row.skipped, row.source.as_str()), (2, 3, "later.xml"));
    assert_eq!((row.stored.revision.version.as_str(), row.stored.digest), ("2", [2; 32]));
    let known = scratch.store.read(|tx| tx.exposure_known()).expect("reads");
    assert!(!known.vulnerabilities.contains_key(&cve("CVE-2031-0001")), "the new state does not name it any more");

    let entries = vec![KnownExploited {
        cve: cve("CVE-2031-0003"),
        name: "Name".to_owned(),
        product: "Product".to_owned(),
        added: date(2031, 1, 16),
        due: None,
        ransomware: true,
    }];
    let kev = Document {
        kind: DocumentKind::Kev,
        id: "KEV".to_owned(),
        content: Content::KnownExploited(entries.clone()),
        ..document("1", &[])
    };
    let kev_no =
        scratch.write(|tx| tx.exposure_document_put(&kev, Sha256Digest([3; 32]), "https://example.com/kev.json"));
    let known = scratch.store.read(|tx| tx.exposure_known()).expect("reads");
    assert_eq!(known.vulnerabilities[&cve("CVE-2031-0003")].listed.as_ref(), entries.first());
    let found = scratch.store.read(|tx| tx.exposure_document_find(DocumentKind::Kev, "", "KEV")).expect("reads");
    assert_eq!(found.map(|row| row.no), Some(kev_no));
    assert_eq!(scratch.store.read(|tx| tx.exposure_document_find(DocumentKind::Csaf, "", "KEV")).expect("reads"), None);

    assert!(scratch.write(|tx| tx.exposure_document_delete(no)));
    assert!(!scratch.write(|tx| tx.exposure_document_delete(no)));
    let known = scratch.store.read(|tx| tx.exposure_known()).expect("reads");
    assert_eq!(known.vulnerabilities.len(), 1, "the entry of the catalogue");
    assert!(known.shapes.is_empty());
}

#[test]
fn service_levels_are_the_proposed_ones_until_somebody_sets_them() {
    let scratch = Scratch::new();
    let levels = || scratch.store.read(|tx| tx.exposure_levels()).expect("reads");
    assert_eq!(levels(), None);
    let own = Levels { critical: Some(7), low: None, ..Levels::default() };
    scratch.write(|tx| tx.exposure_levels_put(Some(&own)));
    let row = levels().expect("there");
    assert_eq!((row.levels, row.changed_by.as_str()), (own, "administrator"));
    scratch.write(|tx| tx.exposure_levels_put(None));
    assert_eq!(levels(), None);
}

#[test]
fn exceptions_come_back_and_go_with_their_collection() {
    let scratch = Scratch::new();
    let ring = CollectionId(Uuid::from_u128(7));
    let kind = CollectionKind::TargetGroup;
    scratch.write(|tx| tx.collection_create(&NewCollection { id: ring, name: "Ring".to_owned(), parent: None, kind }));
    let exception = |subject, place| Exception {
        subject,
        place,
        owner: "A. Person".to_owned(),
        reason: "Because".to_owned(),
        expires: time(100),
    };
    let one = exception(Subject::Cve(cve("CVE-2031-0001")), Place::Collection(ring));
    let two = exception(Subject::Update(update(1)), Place::Computer("pc-1".parse().expect("an id")));
    scratch.write(|tx| {
        tx.exposure_exception_put(Uuid::from_u128(1), &one)?;
        tx.exposure_exception_put(Uuid::from_u128(2), &two)
    });
    let rows = scratch.store.read(|tx| tx.exposure_exceptions()).expect("reads");
    assert_eq!(rows.iter().map(|row| &row.exception).collect::<Vec<_>>(), [&one, &two]);
    let shown = scratch.store.read(|tx| tx.exposure_exception_show(Uuid::from_u128(2))).expect("reads");
    assert_eq!(shown.map(|row| row.exception), Some(two));
    scratch.write(|tx| tx.collection_delete(ring));
    let rows = scratch.store.read(|tx| tx.exposure_exceptions()).expect("reads");
    assert_eq!(rows.len(), 1, "nobody is in a collection that is gone");
    assert!(scratch.write(|tx| tx.exposure_exception_delete(Uuid::from_u128(2))));
    assert!(!scratch.write(|tx| tx.exposure_exception_delete(Uuid::from_u128(2))));
}

#[test]
fn builds_are_those_that_computers_registered() {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        let contact = |id: &str| Contact {
            id: id.parse().expect("an id"),
            dns_name: id.to_owned(),
            ip_address: None,
            plain_http: false,
            requested_groups: None,
        };
        let (one, _) = tx.computer_contact(&contact("pc-1"))?;
        let (two, _) = tx.computer_contact(&contact("pc-2"))?;
        tx.computer_contact(&contact("pc-3"))?;
        let registration =
            |build| Registration { os_major_version: 10, os_build_number: build, ..Registration::default() };
        tx.computer_register(one, &registration(19_045))?;
        tx.computer_register(two, &registration(-1))
    });
    let mut found = Vec::new();
    scratch.store.read(|tx| tx.computer_builds_each(&mut |no, build| found.push((no, build)))).expect("reads");
    let build = |number| OsBuild { release: [10, 0, number], revision: None };
    assert_eq!(found.iter().map(|(_, build)| *build).collect::<Vec<_>>(), [build(19_045), build(0)]);
}
