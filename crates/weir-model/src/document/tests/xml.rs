use std::fmt::Write as _;

use super::{UPD, fault, parse, parsed, software};
use crate::document::{Fault, Fragments, Limits, UpdateDocument};

#[test]
fn texts_that_are_not_well_formed_are_refused() {
    let inside = |text: &str| software(&format!("<upd:Other>{text}</upd:Other>"));
    for text in [
        String::new(),
        "   ".to_owned(),
        "no markup".to_owned(),
        "<upd:Update".to_owned(),
        software("").replace("</upd:Update>", ""),
        software("").replace("</upd:Update>", "</upd:Updat>"),
        software("") + "<again/>",
        software("") + "text",
        software("") + "&amp;",
        software("") + "<![CDATA[]]>",
        format!("x{}", software("")),
        format!(" <?xml version=\"1.0\"?>{}", software("")),
        format!("<?xml version=\"2.0\"?>{}", software("")),
        format!("<?xml?>{}", software("")),
        inside("<a>"),
        inside("</a>"),
        inside("<a></b>"),
        inside("<a b/>"),
        inside("<a b=c/>"),
        inside("<a b=\"c/>"),
        inside("<a b=\"c\"d=\"e\"/>"),
        inside("<a b=\"<\"/>"),
        inside("<a b=\"&\"/>"),
        inside("<a b=\"&x;\"/>"),
        inside("<a =\"b\"/>"),
        inside("<a \"b\"/>"),
        inside("< a/>"),
        inside("<1/>"),
        inside("<-a/>"),
        inside("<a:b:c/>"),
        inside("<a:/>"),
        inside("<:a/>"),
        inside("<a$/>"),
        inside("<a 1=\"x\"/>"),
        inside("&"),
        inside("&;"),
        inside("& amp;"),
        inside("&amp"),
        inside("&nbsp;"),
        inside("&#;"),
        inside("&#x;"),
        inside("&#xg;"),
        inside("&#+5;"),
        inside("&#x110000;"),
        inside("&#99999999999;"),
        inside("]]>"),
        inside("<!-- -- -->"),
        inside("<!-- "),
        inside("<![CDATA[ "),
        inside("<! x>"),
        inside("<?xml version=\"1.0\"?>"),
        inside("<??>"),
        inside("<?"),
        inside("<x xmlns:p=\"\"/>"),
        inside("<x xmlns:xmlns=\"urn:a\"/>"),
        inside("<x xmlns:xml=\"urn:a\"/>"),
        inside("<x xmlns:p=\"http://www.w3.org/XML/1998/namespace\"/>"),
        inside("<x xmlns=\"http://www.w3.org/2000/xmlns/\"/>"),
    ] {
        let error = parse(&text).map(|document| document.identity).expect_err(&text);
        assert!(error.offset <= text.len(), "{error}");
        let derived = Fragments::derive(&text).expect_err(&text);
        assert_eq!(derived, error, "{text}");
    }
}

#[test]
fn faults_have_a_kind() {
    let inside = |text: &str| software(&format!("<upd:Other>{text}</upd:Other>"));
    for (text, expected) in [
        (inside("\u{1}"), Fault::Character(1)),
        (inside("<a b=\"\u{0}\"/>"), Fault::Character(0)),
        (inside("\u{ffff}"), Fault::Character(0xffff)),
        (inside("<!-- \u{fffe} -->"), Fault::Character(0xfffe)),
        (inside("&#0;"), Fault::Character(0)),
        (inside("<a b=\"&#x1F;\"/>"), Fault::Character(0x1f)),
        (inside("&#xD800;"), Fault::Character(0xd800)),
        (format!("<!DOCTYPE Update>{}", software("")), Fault::Dtd),
        (format!("<!DOCTYPE U [<!ENTITY a \"b\">]>{}", software("")), Fault::Dtd),
        (inside("<a b='1' b='2'/>"), Fault::AttributeTwice("b".to_owned())),
        (inside("<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='1' q:b='2'/>"), Fault::AttributeTwice("b".to_owned())),
        (inside("<a xmlns:p='urn:a' xmlns:p='urn:b'/>"), Fault::AttributeTwice("xmlns:p".to_owned())),
        (inside("<p:a/>"), Fault::UnboundPrefix("p".to_owned())),
        (inside("<a p:b=''/>"), Fault::UnboundPrefix("p".to_owned())),
        (inside("<xmlns:a/>"), Fault::UnboundPrefix("xmlns".to_owned())),
        ("<Update/>".to_owned(), Fault::Root { namespace: String::new(), name: "Update".to_owned() }),
        (
            format!("<u:Updates xmlns:u=\"{UPD}\"/>"),
            Fault::Root { namespace: UPD.to_owned(), name: "Updates".to_owned() },
        ),
    ] {
        assert_eq!(fault(&text), expected, "{text}");
    }
    // many attributes take another way
    let many = (0..40).fold(String::new(), |mut many, n| {
        let _ = write!(many, " a{n}='x'");
        many
    });
    parsed(&inside(&format!("<x{many}/>")));
    assert_eq!(fault(&inside(&format!("<x{many} a7='y'/>"))), Fault::AttributeTwice("a7".to_owned()));
}

#[test]
fn characters_are_allowed_at_the_edges() {
    let text =
        software("<upd:Other>\t\n\r \u{7f}\u{ef00}\u{efff}\u{fffd}\u{10000}\u{10ffff}&#x10FFFF;&#9;</upd:Other>");
    parsed(&text);
    for prefix in 0..70 {
        let padded = format!("<!--{}-->{}", "\u{fff0}".repeat(prefix), software("<upd:Other>\u{b}</upd:Other>"));
        assert_eq!(fault(&padded), Fault::Character(0xb));
    }
}

#[test]
fn errors_name_element_and_byte() {
    let text = software("<upd:Files><upd:File Digest=\"AAAA\" FileName=\"a\" Size=\"1\" /></upd:Files>");
    let error = parse(&text).expect_err("a short digest");
    assert_eq!(error.path, "/upd:Update/upd:Files/upd:File");
    assert_eq!(text[error.offset..].find("<upd:File "), Some(0));
    let message = error.to_string();
    assert!(message.contains("Digest \"AAAA\" is not the base64 text of a SHA-1 digest of 20 bytes"), "{message}");

    let text = software("<upd:Other><a></b></upd:Other>");
    let error = parse(&text).expect_err("crossed tags");
    assert_eq!(error.path, "/upd:Update/upd:Other/a");
    assert_eq!(&text[error.offset..error.offset + 4], "</b>");
    let with_mark = format!("\u{feff}{text}");
    assert_eq!(parse(&with_mark).expect_err("crossed tags").offset, error.offset + 3);
}

#[test]
fn limits_are_kept() {
    let depth = |depth: usize| software(&format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth)));
    parsed(&depth(255));
    assert_eq!(fault(&depth(256)), Fault::Limit { what: "elements inside each other", limit: 256 });

    let small = Limits { bytes: 2_000, depth: 9, elements: 9, attributes: 10, namespaces: 12 };
    let limited = |text: &str| UpdateDocument::parse(text, &small).map(|_| ()).map_err(|error| error.fault);
    assert_eq!(limited(&software("")), Ok(()));
    assert_eq!(limited(&software(&" ".repeat(2_000))), Err(Fault::Limit { what: "bytes", limit: 2_000 }));
    assert_eq!(limited(&software(&"<a/>".repeat(6))), Ok(()));
    assert_eq!(limited(&software(&"<a/>".repeat(7))), Err(Fault::Limit { what: "elements", limit: 9 }));
    let attributes = "<a a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k=''/>";
    assert_eq!(limited(&software(attributes)), Err(Fault::Limit { what: "attributes of one element", limit: 10 }));
    let names = (0..20).fold(String::new(), |mut names, n| {
        let _ = write!(names, "<a xmlns='urn:{n}'/>");
        names
    });
    let many = Limits { bytes: 9_999, elements: 99, ..small.clone() };
    let error = UpdateDocument::parse(&software(&names), &many).expect_err("too many namespaces");
    assert_eq!(error.fault, Fault::Limit { what: "namespaces", limit: 12 });
    let declared = "<a xmlns:a='urn:a' xmlns:b='urn:a' xmlns:c='urn:a' xmlns:d='urn:a' xmlns:e='urn:a'/>";
    let expected = Fault::Limit { what: "namespace declarations in force", limit: 12 };
    assert_eq!(limited(&software(declared)), Err(expected));
}

#[test]
fn scopes_of_namespaces_end_with_their_element() {
    let text = software("<a xmlns:p='urn:a'><p:b/></a><p:b/>");
    assert_eq!(fault(&text), Fault::UnboundPrefix("p".to_owned()));
    let text = format!(
        "<Update xmlns='{UPD}'><a xmlns=''><UpdateIdentity/></a><x:UpdateIdentity xmlns:x='{UPD}' \
         UpdateID='{}' RevisionNumber='1'/><Properties UpdateType='Driver'/></Update>",
        super::ID
    );
    parsed(&text);
}
