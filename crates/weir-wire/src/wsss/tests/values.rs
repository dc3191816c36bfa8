//! Anchors, versions, moments, digests.

use jiff::Timestamp;
use weir_model::ids::ContentDigest;

use crate::{soap::Binary, wsss::*};

#[test]
fn anchors_have_the_recorded_form() {
    for text in
        ["9438,2026-10-04 16:09:27.371", "1,2026-01-01 00:00:00.000", "9223372036854775807,9999-12-30 21:59:59.999"]
    {
        let anchor: Anchor = text.parse().expect(text);
        assert_eq!(anchor.to_string(), text);
    }
    let short: Anchor = "1,2026-10-04 16:09:27".parse().expect("no fraction");
    assert_eq!(short.to_string(), "1,2026-10-04 16:09:27.000");
    let long: Anchor = "1,2026-10-04 16:09:27.3719999".parse().expect("a long fraction");
    assert_eq!(long.to_string(), "1,2026-10-04 16:09:27.371");
    for wrong in [
        "",
        ",",
        "1",
        "1,",
        "garbage",
        "-1,2026-10-04 16:09:27.371",
        "+1,2026-10-04 16:09:27.371",
        "1,2026-10-04T16:09:27.371",
        "1,2026-10-04 16:09:27.371Z",
        "1,2026-10-04 16:09:27.371+01:00",
        "1,2026-13-04 16:09:27.371",
        "1,2026-10-04 25:09:27.371",
        "1,2026-10-04",
        " 1,2026-10-04 16:09:27.371",
        "1,2026-10-04 16:09:27.",
        "99999999999999999999,2026-10-04 16:09:27.371",
        "10/4/2026 4:09:27 PM",
    ] {
        assert_eq!(wrong.parse::<Anchor>(), Err(InvalidAnchor), "{wrong}");
    }
    assert_eq!(AnchorText::new(""), AnchorText::default());
    assert_eq!(AnchorText::new("").anchor(), Ok(None));
    assert_eq!(AnchorText::new("10/4/2026 4:09:27 PM").into_text().as_deref(), Some("10/4/2026 4:09:27 PM"));
}

#[test]
fn versions_are_ordered_by_number() {
    let parse = |text: &str| text.parse::<ProtocolVersion>().expect(text);
    assert!(parse("1.20") > parse("1.8") && parse("2.0") > parse("1.20") && parse("1.08") == parse("1.8"));
    assert_eq!(parse("1.20"), ProtocolVersion::V1_20);
    assert_eq!(ProtocolVersion::V1_20.to_string(), "1.20");
}

#[test]
fn moments_that_never_come_have_their_own_text() {
    let parse = |text: &str| Since::parse(text).map(|since| since.0.is_some());
    for never in ["1753-01-01T00:00:00", "0001-01-01T00:00:00", "1753-01-01T00:00:00Z"] {
        assert_eq!(parse(never), Ok(false), "{never}");
    }
    assert_eq!(parse("1754-01-01T00:00:00"), Ok(true));
    let mut out = String::new();
    Since(None).print(&mut out);
    assert_eq!(out, "1753-01-01T00:00:00");
    out.clear();
    crate::soap::write_date_time(&mut out, Timestamp::MAX);
    assert_eq!(out, "9999-12-31T23:59:59.9999999");
    assert_eq!(crate::soap::parse_date_time(&out), Ok(Timestamp::MAX));
}

#[test]
fn actions_are_four() {
    for action in [SyncAction::Install, SyncAction::Uninstall, SyncAction::Scan, SyncAction::Block] {
        assert_eq!(SyncAction::of(action.number()), Some(action));
    }
    assert_eq!((SyncAction::of(4), SyncAction::of(-1)), (None, None));
}

#[test]
fn missing_digests_are_joined() {
    let (one, two) = (ContentDigest([1; 20]), ContentDigest([2; 20]));
    let text = join_digests(&[one.into(), Binary(vec![1, 2]), two.into()]);
    assert_eq!(text, format!("{}|AQI=|{}", one.to_base64(), two.to_base64()));
    assert_eq!(split_digests(&text), [one, two]);
    assert_eq!(split_digests(&format!("{}|x|", one.to_hex())), [one]);
    assert_eq!(split_digests(""), []);
}
