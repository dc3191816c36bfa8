//! What is read from the documents in `tests/exposure`.

use jiff::{Timestamp, civil::date};

use super::{advisory, file, parsed, vulnerability};
use crate::{
    exposure::{
        Arrival, Article, Build, Content, DocumentKind, Fix, IdentifierError, Platform, Revision, Score, Stored,
        arrival, dated,
    },
    update::Severity,
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn the_form_of_msrc_says_all_that_is_asked_for() {
    let document = parsed(&file("msrc-form.xml")).expect("read");
    assert_eq!((document.kind, document.id.as_str(), document.issuer.as_str()), (DocumentKind::Cvrf, "2031-Jan", ""));
    assert_eq!(document.title, "January 2031 Example Updates");
    assert_eq!(document.released, Some(at("2021-01-14T08:00:00Z")), "no zone is UTC");
    let revision = Revision { at: at("2021-01-20T08:00:00Z"), version: "3".to_owned() };
    assert_eq!(document.revision, revision, "the number in the history, not the version, which never changes");
    assert_eq!(document.skipped, 1, "ADV310001 is no CVE");
    let names = &advisory(&document).products;
    assert_eq!(names.len(), 5, "a product that stands twice is one");

    let spooler = vulnerability(&document, "CVE-2031-10001");
    assert_eq!(spooler.title, "Windows 97 Spooler Elevation of Privilege");
    assert_eq!(spooler.severity, Some(Severity::Critical), "the highest of its products");
    let vector = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H".to_owned();
    assert_eq!(spooler.score, Some(Score { tenths: 88, vector }));
    assert!(spooler.exploited);
    assert_eq!(spooler.published, Some(at("2021-01-14T08:00:00Z")));
    assert_eq!(spooler.revised, Some(at("2021-01-18T08:00:00Z")));
    assert_eq!(spooler.affected.len(), 3);
    let named = |fix: &Fix| -> Vec<&str> { fix.products.iter().map(|at| names[*at as usize].as_str()).collect() };
    let [client, server] = spooler.fixes.as_slice() else { panic!("{:?}", spooler.fixes) };
    assert_eq!((client.article, client.name.as_str()), (Some(Article(9_000_101)), "KB9000101"));
    assert_eq!(client.build, Some(Build([10, 0, 97_001, 1_000])));
    assert_eq!(client.supersedes, [Article(9_000_001)]);
    assert_eq!(named(client), ["Windows 97 Version 31H1 for x64-based Systems"]);
    assert_eq!(server.supersedes, [Article(9_000_002), Article(9_000_003)], "a bulletin is no article");
    assert_eq!(named(server).len(), 2);

    let ledger = vulnerability(&document, "CVE-2031-10002");
    assert!(!ledger.exploited, "Exploitation Less Likely");
    let notes = ledger.fixes.iter().find(|fix| fix.article.is_none()).expect("one without an article");
    assert_eq!((notes.name.as_str(), notes.build), ("Release Notes", None), "16.93.1 is no build of four numbers");
}

#[test]
fn json_and_xml_of_one_month_are_the_same_document() {
    let (xml, json) = (parsed(&file("msrc-form.xml")).expect("xml"), parsed(&file("msrc-form.json")).expect("json"));
    assert_eq!(xml.revision, json.revision);
    assert_eq!((&xml.kind, &xml.id, xml.skipped), (&json.kind, &json.id, json.skipped));
    // products are numbered as they come
    let named = |document: &crate::exposure::Document| {
        let advisory = advisory(document);
        let names = |places: &[u32]| -> std::collections::BTreeSet<String> {
            places.iter().map(|at| advisory.products[*at as usize].clone()).collect()
        };
        let one = |it: &crate::exposure::Vulnerability| {
            let fixes: std::collections::BTreeSet<_> = it
                .fixes
                .iter()
                .map(|fix| (Fix { products: Vec::new(), ..fix.clone() }, names(&fix.products)))
                .collect();
            let affected = names(&it.affected);
            (crate::exposure::Vulnerability { affected: Vec::new(), fixes: Vec::new(), ..it.clone() }, affected, fixes)
        };
        advisory.vulnerabilities.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(named(&xml), named(&json));
}

#[test]
fn plain_cvrf_is_read_too() {
    let document = parsed(&file("cvrf-1.1.xml")).expect("read");
    assert_eq!((document.id.as_str(), document.revision.version.as_str()), ("EXW-2031-0007", "1.1"));
    let ledger = vulnerability(&document, "CVE-2031-20001");
    assert_eq!((ledger.severity, ledger.score.as_ref().map(|score| score.tenths)), (None, Some(50)));
    assert_eq!(ledger.fixes.len(), 1, "a workaround is no fix");
    assert_eq!(ledger.fixes[0].article, Some(Article(9_000_701)));
    assert_eq!((ledger.affected.len(), ledger.fixes[0].products.len()), (2, 1));
}

#[test]
fn csaf_names_articles_and_builds_as_msrc_writes_them() {
    let document = parsed(&file("csaf-advisory.json")).expect("read");
    assert_eq!((document.kind, document.id.as_str()), (DocumentKind::Csaf, "EXW-2031-0100"));
    assert_eq!(document.issuer, "https://example.com/security");
    let names = &advisory(&document).products;
    let queue = vulnerability(&document, "CVE-2031-10003");
    assert_eq!(queue.severity, Some(Severity::Important), "the document's, which has one vulnerability");
    assert_eq!(queue.score.as_ref().map(|score| score.tenths), Some(55));
    assert_eq!(queue.published, Some(at("2021-01-14T08:00:00Z")));
    assert_eq!(queue.revised, Some(at("2021-01-28T08:00:00Z")));
    let affected: Vec<&str> = queue.affected.iter().map(|at| names[*at as usize].as_str()).collect();
    assert_eq!(affected.len(), 2);
    assert!(affected.contains(&"Windows Server 2031"), "the product, not its range: {affected:?}");
    let fix = |article| queue.fixes.iter().find(|fix| fix.article == Some(Article(article))).expect("a fix");
    assert_eq!(fix(9_000_101).build, Some(Build([10, 0, 97_001, 1_000])), "from the details");
    assert_eq!(fix(9_000_102).build, Some(Build([10, 0, 98_001, 500])), "from the range; the article from the text");
    assert_eq!(queue.fixes.len(), 2);

    let vex = parsed(&file("csaf-vex.json")).expect("read");
    let library = vulnerability(&vex, "CVE-2031-10004");
    assert_eq!((library.fixes.len(), library.affected.len(), library.severity), (0, 1, None));
    assert_eq!(library.title, "Example Ledger and CVE-2031-10004", "it has none of its own");
    assert_eq!(vex.skipped, 1);
}

#[test]
fn the_catalogue_of_known_exploitation_is_read() {
    let document = parsed(&file("kev.json")).expect("read");
    assert_eq!((document.kind, document.id.as_str()), (DocumentKind::Kev, "KEV"));
    assert_eq!(document.revision.version, "2021.01.22");
    let Content::KnownExploited(entries) = &document.content else { panic!("a catalogue") };
    let [ledger, spooler] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((ledger.cve.as_str(), ledger.ransomware), ("CVE-2030-31337", false));
    assert_eq!((spooler.added, spooler.due), (date(2021, 1, 16), Some(date(2021, 2, 6))));
    assert!(spooler.ransomware);
    assert_eq!(spooler.product, "Microsoft Windows");
}

#[test]
fn files_of_other_encodings_and_with_marks_are_read() {
    let text = String::from_utf8(file("kev.json")).expect("UTF-8");
    let expected = parsed(text.as_bytes()).expect("plain");
    let marked = [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat();
    let little = [&b"\xff\xfe"[..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat();
    let big = [&b"\xfe\xff"[..], &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()].concat();
    for (name, bytes) in [("mark", marked), ("little", little), ("big", big)] {
        assert_eq!(parsed(&bytes).as_ref(), Ok(&expected), "{name}");
    }
    assert!(parsed(b"{\"catalogVersion\": \"\xff\"}").is_err());
    assert!(parsed(b"\xff\xfe{").is_err(), "half a character");
}

#[test]
fn an_older_state_never_replaces_a_newer_one() {
    let revision = |at_: &str, version: &str| Revision { at: at(at_), version: version.to_owned() };
    let stored = Stored { revision: revision("2021-01-20T00:00:00Z", "2.10"), digest: [1; 32] };
    for (revision, digest, expected) in [
        (revision("2021-01-20T00:00:00Z", "2.10"), 1, Arrival::Unchanged),
        (revision("2021-01-20T00:00:00Z", "2.10"), 2, Arrival::Replaced),
        (revision("2021-01-20T00:00:00Z", "2.9"), 2, Arrival::Older),
        (revision("2021-01-20T00:00:00Z", "2.11"), 2, Arrival::Replaced),
        (revision("2021-01-19T00:00:00Z", "3"), 2, Arrival::Older),
        (revision("2021-01-21T00:00:00Z", "1"), 2, Arrival::Replaced),
    ] {
        assert_eq!(arrival(Some(&stored), &revision, &[digest; 32]), expected, "{revision:?}");
    }
    assert_eq!(arrival(None, &stored.revision, &[1; 32]), Arrival::Added);
}

#[test]
fn a_release_is_not_of_another_age() {
    let received = at("2026-03-01T00:00:00Z");
    let mut document = parsed(&file("kev.json")).expect("a catalogue");
    for (current, first, good) in [
        ("2021-01-22T15:00:00Z", None, true),
        ("2026-03-02T23:59:59Z", None, true),
        ("2026-03-03T00:00:01Z", None, false),
        ("9999-01-01T00:00:00Z", None, false),
        ("0000-01-01T00:00:00Z", None, false),
        ("2026-02-01T00:00:00Z", Some("2025-02-01T00:00:00Z"), true),
        ("2026-02-01T00:00:00Z", Some("9999-01-01T00:00:00Z"), false),
    ] {
        (document.revision.at, document.released) = (at(current), first.map(at));
        let refused = dated(&document, received);
        assert_eq!(refused.is_ok(), good, "{current}, {first:?}: {refused:?}");
    }
}

#[test]
fn the_exact_build_is_found_among_device_attributes() {
    let of = |text: &str| Build::of_device(text).map(|build| build.to_string());
    assert_eq!(of("App=WU_OS;OSVersion=10.0.26200.8037;Foo=1").as_deref(), Some("10.0.26200.8037"));
    assert_eq!(of("OSVersion=10.0.17763.1").as_deref(), Some("10.0.17763.1"));
    assert_eq!(of("DL_OSVersion=10.0.1.1;OSVersion=10.0.2.2").as_deref(), Some("10.0.2.2"), "another name ends alike");
    for wrong in ["", "DL_OSVersion=10.0.1.1", "OSVersion=", "OSVersion=10.0.26200", "OSVersion=10.0.26200.99999999999"]
    {
        assert_eq!(of(wrong), None, "{wrong}");
    }
}

#[test]
fn identifiers_are_exact() {
    use crate::exposure::Cve;
    assert_eq!("cve-2031-0001".parse::<Cve>().map(|cve| cve.to_string()), Ok("CVE-2031-0001".to_owned()));
    for wrong in
        ["", "CVE-31-0001", "CVE-2031-001", "CVE-2031-", "CVE-2031-12345678901234567890", "CVE-2031-1x00", "ADV310001"]
    {
        assert!(matches!(wrong.parse::<Cve>(), Err(IdentifierError::Cve(_))), "{wrong}");
    }
    for (text, number) in [("KB5034123", 5_034_123), ("5034123", 5_034_123), (" kb890830 ", 890_830)] {
        assert_eq!(text.parse(), Ok(Article(number)), "{text}");
    }
    for wrong in ["", "KB", "KB12", "KB123456789", "Release Notes", "-5034123", "+5034123", "50341.23"] {
        assert!(wrong.parse::<Article>().is_err(), "{wrong}");
    }
    assert_eq!("10.0.19045.3930".parse(), Ok(Build([10, 0, 19_045, 3_930])));
    for wrong in [
        "",
        "10.0.19045",
        "10.0.19045.1.1",
        "10.0.x.1",
        "10..1.1",
        "10.0.19045.+1",
        "10.0.1.4294967296",
        "1.2.3.4; 1.2.3.5",
    ] {
        assert!(wrong.parse::<Build>().is_err(), "{wrong}");
    }
}

#[test]
fn products_tell_where_they_run() {
    for (name, platform) in [
        ("Windows 10 Version 1809 for x64-based Systems", Platform::Windows),
        ("Windows 11 version 21H2 for ARM64-based Systems", Platform::Windows),
        ("Windows Server 2012 R2 (Server Core installation)", Platform::Windows),
        ("Windows Server, version 1709  (Server Core Installation)", Platform::Windows),
        ("Windows RT 8.1", Platform::Windows),
        ("Microsoft Windows 10 Version 22H2", Platform::Windows),
        ("Windows Defender Antimalware Platform", Platform::OnWindows),
        ("Microsoft .NET Framework 4.8 on Windows 10 Version 1809", Platform::OnWindows),
        ("Internet Explorer 11 on Windows Server 2012 R2", Platform::OnWindows),
        ("Microsoft Office 2019 for Mac", Platform::Elsewhere),
        ("Microsoft Edge for iOS", Platform::Elsewhere),
        ("azl3 kernel 6.6.104.2-1 on Azure Linux 3.0", Platform::Elsewhere),
        ("cbl2 vim 9.1 on CBL Mariner 2.0", Platform::Elsewhere),
        ("", Platform::OnWindows),
    ] {
        assert_eq!(Platform::of(name), platform, "{name}");
    }
}
