//! What is refused, and that the refusal names the place.

use super::{file, parsed};
use crate::exposure::{DocumentError, Fault, Limits, read};

fn refused(text: &str) -> DocumentError {
    parsed(text.as_bytes()).expect_err(text)
}

const ROOT: &str = r#"<c:cvrfdoc xmlns:c="http://www.icasi.org/CVRF/schema/cvrf/1.1">"#;

#[test]
fn a_document_type_declaration_is_refused() {
    let entities = format!(r#"<!DOCTYPE c [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>{ROOT}&b;</c:cvrfdoc>"#);
    assert_eq!(refused(&entities).fault, Fault::Dtd);
    let inside = format!("{ROOT}<!DOCTYPE c SYSTEM \"file:///etc/passwd\"></c:cvrfdoc>");
    assert!(parsed(inside.as_bytes()).is_err());
    let unknown = refused(&format!("{ROOT}<DocumentTitle>&secret;</DocumentTitle></c:cvrfdoc>"));
    assert!(matches!(unknown.fault, Fault::Syntax(_)), "{unknown}");
}

#[test]
fn what_is_something_else_is_named() {
    for (text, part) in [
        ("", "it is empty"),
        ("PK\u{3}\u{4}", "begins with"),
        ("[]", "begins with"),
        ("{}", "without document"),
        ("<html></html>", "root element is html"),
        (r#"<cvrfdoc xmlns="urn:other"/>"#, "urn:other"),
        (r#"{"document": 1}"#, "document"),
        (r#"{"document": {"csaf_version": "2.0"}}"#, "document"),
    ] {
        let error = refused(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn errors_name_the_place() {
    let kev = String::from_utf8(file("kev.json")).expect("UTF-8");
    let csaf = String::from_utf8(file("csaf-advisory.json")).expect("UTF-8");
    let json = String::from_utf8(file("msrc-form.json")).expect("UTF-8");
    let xml = String::from_utf8(file("msrc-form.xml")).expect("UTF-8");
    for (text, place) in [
        (kev.replace("CVE-2030-31337", "CVE-2030"), "vulnerabilities[1].cveID"),
        (kev.replace("2021-01-16", "yesterday"), "vulnerabilities[0].dateAdded"),
        (kev.replace("\"2021-02-06\"", "7"), "vulnerabilities[0].dueDate"),
        (kev.replace("2021-01-22T15", "x"), "dateReleased"),
        (csaf.replace("\"2.0\"", "\"3.0\""), "document.csaf_version"),
        (csaf.replace("CVE-2031-10003", "CVE-x"), "vulnerabilities[0].cve"),
        (csaf.replace("EXW-2031-0100", " "), "document.tracking.id"),
        (
            csaf.replace("\"baseScore\": 5.5", "\"baseScore\": \"high\""),
            "vulnerabilities[0].scores[0].cvss_v3.baseScore",
        ),
        (csaf.replace("2021-01-28T08:00:00.000Z", "soon"), "document.tracking.current_release_date"),
        (
            json.replace("\"CurrentReleaseDate\": \"2021-01-20T08:00:00\"", "\"CurrentReleaseDate\": null"),
            "DocumentTracking/CurrentReleaseDate",
        ),
        (json.replace("\"FixedBuild\": \"16.93.1\"", "\"FixedBuild\": []"), "Vulnerability[1].Remediations[1]"),
        (xml.replace("2031-Jan", ""), "DocumentTracking/Identification/ID"),
        (xml.replace("</cvrf:Status>", "</cvrf:State>"), "line 12"),
        (xml.replace("DocumentTracking", "DocumentTracks"), "cvrfdoc"),
        (format!("{xml}<more/>"), "line"),
    ] {
        let error = parsed(text.as_bytes()).expect_err(place);
        assert!(error.place.contains(place), "{place}: {error}");
    }
}

#[test]
fn size_depth_and_counts_are_bounded() {
    let xml = String::from_utf8(file("msrc-form.xml")).expect("UTF-8");
    let json = String::from_utf8(file("msrc-form.json")).expect("UTF-8");
    let csaf = String::from_utf8(file("csaf-advisory.json")).expect("UTF-8");
    let kev = String::from_utf8(file("kev.json")).expect("UTF-8");
    let full = Limits::default;
    for (limits, what) in [
        (Limits { bytes: 500, ..full() }, "bytes"),
        (Limits { depth: 3, ..full() }, "inside each other"),
        (Limits { values: 20, ..full() }, "20 "),
        (Limits { vulnerabilities: 0, ..full() }, "vulnerabilities"),
    ] {
        for text in [&xml, &json, &csaf, &kev] {
            let depth = limits.depth == 3 && text == &kev;
            let error = read(text.as_bytes(), &limits).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(depth || error.contains(what), "{what}: {error}");
        }
    }
    for (limits, what) in [
        (Limits { products: 1, ..full() }, "products"),
        (Limits { fixes: 1, ..full() }, "remediations"),
        (Limits { references: 2, ..full() }, "references"),
    ] {
        for text in [&xml, &json, &csaf] {
            let error = read(text.as_bytes(), &limits).expect_err(what).to_string();
            assert!(error.contains(what), "{what}: {error}");
        }
    }
    let deep = format!("{{\"document\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    assert!(matches!(parsed(deep.as_bytes()).expect_err("deep").fault, Fault::Limit { .. }));
    let deep = format!("{ROOT}{}", "<a>".repeat(1_000));
    assert!(matches!(parsed(deep.as_bytes()).expect_err("deep").fault, Fault::Limit { .. }));
    let long = format!("{ROOT}<DocumentTitle>{}</DocumentTitle></c:cvrfdoc>", "x".repeat(70_000));
    assert!(matches!(parsed(long.as_bytes()).expect_err("long").fault, Fault::Limit { .. }));
}

#[test]
fn texts_are_cut_and_cleaned() {
    let kev = String::from_utf8(file("kev.json")).expect("UTF-8");
    let long = kev.replace("Ledger Path Traversal", &format!("a\\u0000b{}", "\u{fc}".repeat(900)));
    let document = parsed(long.as_bytes()).expect("read");
    let crate::exposure::Content::KnownExploited(entries) = &document.content else { panic!("a catalogue") };
    assert_eq!(entries[0].name.chars().count(), 500);
    assert!(entries[0].name.starts_with("a b\u{fc}"));
}

#[test]
fn unknown_fields_are_passed_over() {
    let kev = String::from_utf8(file("kev.json")).expect("UTF-8");
    let more = kev.replace("\"count\": 2", "\"count\": 2, \"x\": {\"y\": [1, null, {\"z\": \"\\\"]\"}]}");
    assert_eq!(parsed(more.as_bytes()), parsed(kev.as_bytes()));
    let xml = String::from_utf8(file("msrc-form.xml")).expect("UTF-8");
    let more =
        xml.replace("<vuln:CVE>CVE-2031-10001", "<vuln:New x='1'><a><b/>t</a></vuln:New><vuln:CVE>CVE-2031-10001");
    assert_eq!(parsed(more.as_bytes()), parsed(xml.as_bytes()));
}
