//! Generated texts: nothing panics, and what is derived says what the document says.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{ID, UPD, software};
use crate::document::{CoreFragment, Fragments, Limits, UpdateDocument, read};

/// Reads a text every way there is; all must agree whether it is accepted.
fn read_every_way(text: &str) {
    let limits = Limits { bytes: 100_000, depth: 20, elements: 500, attributes: 20, namespaces: 20 };
    let parsed = UpdateDocument::parse(text, &limits);
    let derived = Fragments::derive_within(text, &limits);
    if let Err(error) = CoreFragment::parse(text, &limits) {
        assert!(error.offset <= text.len());
    }
    match read(text, &limits) {
        Ok((document, fragments)) => {
            assert_eq!(Ok(document), parsed);
            assert_eq!(Ok(&fragments), derived.as_ref());
            // A fragment is a sequence of elements: put back into a document, it gives itself. Declarations move inwards,
            // so there may be more of them.
            let wide = Limits { bytes: 1 << 20, attributes: 1 << 10, namespaces: 1 << 10, ..limits };
            let wrapped = format!("<Update xmlns='{UPD}'>{}</Update>", fragments.core);
            let again = Fragments::derive_within(&wrapped, &wide).expect("a derived fragment is well-formed");
            assert_eq!(again.core, fragments.core);
            // It may be refused: elements that were not of the update namespace seem to be.
            let _ = CoreFragment::parse(&fragments.core, &wide);
        }
        Err(error) => {
            assert!(error.offset <= text.len());
            assert!(parsed.is_err(), "{error}");
        }
    }
}

/// Pieces of markup, legal and not.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<upd:Relationships>".to_owned()),
        Just("</upd:Relationships>".to_owned()),
        Just("<upd:ApplicabilityRules><upd:IsInstalled>".to_owned()),
        Just("</upd:IsInstalled></upd:ApplicabilityRules>".to_owned()),
        Just("<c xmlns='urn:a' d='&lt;&quot;&#10;'><lar:True/>text</c>".to_owned()),
        Just("<b:d xmlns:b='urn:b' b:e='' e=''><f xmlns=''/></b:d>".to_owned()),
        Just("<lar:And>".to_owned()),
        Just("</lar:And>".to_owned()),
        Just("<upd:Files><upd:File Digest='x'/></upd:Files>".to_owned()),
        Just("<a xmlns='urn:a' xmlns:b='urn:b' b:c='1'>".to_owned()),
        Just("</a>".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("]]>".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("&amp;".to_owned()),
        Just("&#x1F600;".to_owned()),
        Just("<!DOCTYPE a>".to_owned()),
        "[<>&;'\"/= a-z\u{e9}\u{ef00}\u{1f600}]{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        read_every_way(&text);
    }

    #[test]
    fn arbitrary_markup_never_panics(inside in markup()) {
        read_every_way(&inside);
        read_every_way(&software(&inside));
        let rules = format!("<upd:ApplicabilityRules><upd:IsInstalled>{inside}</upd:IsInstalled></upd:ApplicabilityRules>");
        read_every_way(&software(&rules));
    }

    #[test]
    fn mangled_documents_never_panic(at in 0usize..600, remove in 0usize..40, insert in "[<>&;'\"/=:! a\u{0}\u{fffe}]{0,3}") {
        let text = software("<upd:Relationships><upd:Prerequisites/></upd:Relationships><upd:Files/>");
        let characters: Vec<char> = text.chars().collect();
        let at = at.min(characters.len());
        let after = (at + remove).min(characters.len());
        let mangled: String = characters[..at].iter().copied().chain(insert.chars()).chain(characters[after..].iter().copied()).collect();
        read_every_way(&mangled);
    }

    /// Any text XML can hold comes back out of a derived fragment.
    #[test]
    fn values_round_trip(value in "[\t\r\n -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,40}") {
        let escaped: String = value.chars().fold(String::new(), |mut out, character| {
            let _ = write!(out, "&#x{:X};", u32::from(character));
            out
        });
        let attribute = format!(
            "<upd:ApplicabilityRules><upd:IsInstalled><x a=\"{escaped}\">z{escaped}</x></upd:IsInstalled></upd:ApplicabilityRules>"
        );
        let core = Fragments::derive(&software(&attribute)).expect("valid").core;
        let wrapped = format!(
            "<Update xmlns='{UPD}'><UpdateIdentity UpdateID='{ID}' RevisionNumber='7'/><Properties UpdateType='Software'/>{}</Update>",
            &core[core.find("<ApplicabilityRules>").expect("rules")..]
        );
        let again = Fragments::derive(&wrapped).expect("a fragment is well-formed").core;
        prop_assert_eq!(&again[again.find("<ApplicabilityRules>").expect("rules")..], &core[core.find("<ApplicabilityRules>").expect("rules")..]);
        let document = UpdateDocument::parse(&wrapped, &Limits::default()).expect("valid");
        let rule = document.rules.is_installed.expect("a rule");
        let Some(crate::document::rules::Expr::Unknown(unknown)) = rule.expr() else { panic!("unknown") };
        prop_assert_eq!(&unknown.attributes, &[("a".to_owned(), value)]);
    }
}
