//! Input that means harm, or is broken: refused with the right reason, in bounded time.

use std::time::{Duration, Instant};

use super::*;
use crate::soap::Reason;

fn reason(service: Service, body: &[u8]) -> Reason {
    let start = Instant::now();
    let reason = raw(service, body).expect_err("must be refused").reason;
    // Generous: this is a check against quadratic work, in a build without optimization on a busy machine.
    assert!(start.elapsed() < Duration::from_secs(5), "{} bytes took {:?}", body.len(), start.elapsed());
    reason
}

fn reason_of(parameters: &str) -> Reason {
    let body = envelope(&format!("<SyncUpdates xmlns=\"{NS_C}\">{parameters}</SyncUpdates>"));
    reason(Service::Client, body.as_bytes())
}

#[test]
fn document_type_declarations_are_refused_on_sight() {
    let valid = envelope(&format!("<GetConfig xmlns=\"{NS_C}\"/>"));
    for doctype in [
        "<!DOCTYPE x>",
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE",
        "<!DOCTYPE x [",
    ] {
        let body = format!("{doctype}{valid}");
        assert_eq!(reason(Service::Client, body.as_bytes()), Reason::DocumentType, "{doctype}");
        let body = format!("<?xml version=\"1.0\"?>{doctype}{valid}");
        assert_eq!(reason(Service::Client, body.as_bytes()), Reason::DocumentType, "{doctype}");
    }
    let inside = "<parameters><Unknown><!DOCTYPE x></Unknown></parameters>";
    assert_eq!(reason_of(inside), Reason::DocumentType);
    let inside = "<parameters><SystemSpec><!DOCTYPE x></SystemSpec></parameters>";
    assert_eq!(reason_of(inside), Reason::DocumentType);
}

#[test]
fn entities_and_instructions_are_refused() {
    for wrong in ["&a;", "&#0;", "&#xFFFFFFFF;", "&amp", "&;", "&#;"] {
        let body = format!("<parameters><FeatureScoreMatchingKey>{wrong}</FeatureScoreMatchingKey></parameters>");
        assert!(matches!(reason_of(&body), Reason::Xml { .. } | Reason::Parameter { .. }), "{wrong}");
    }
    assert!(matches!(reason_of("<parameters><?php x?></parameters>"), Reason::Xml { .. }));
    assert!(matches!(reason_of("<parameters><SystemSpec><?x y?></SystemSpec></parameters>"), Reason::Xml { .. }));
    let control = "<parameters><FeatureScoreMatchingKey>a&#1;b</FeatureScoreMatchingKey></parameters>";
    assert!(matches!(reason_of(control), Reason::Parameter { .. }));
}

#[test]
fn broken_documents_are_refused() {
    for body in [
        "",
        " ",
        "<",
        "x",
        "<a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a b></a>",
        "<a b=c></a>",
        "<a b=\"1\" b=\"2\"/>",
        "<p:a/>",
        "<a><!-- -- --></a>",
        "<a><![CDATA[</a>",
        "\0",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body></s:Body></s:Envelope>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"></s:Envelope>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body/></s:Envelope>",
        "<Envelope><Body/></Envelope>",
        "<s:Other xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
    ] {
        let reason = reason(Service::Client, body.as_bytes());
        assert!(matches!(reason, Reason::Xml { .. } | Reason::Envelope(_)), "{body}: {reason:?}");
    }
    let twice = envelope(&format!("<GetConfig xmlns=\"{NS_C}\"/>")).repeat(2);
    assert!(matches!(reason(Service::Client, twice.as_bytes()), Reason::Xml { .. }), "a second document");
}

#[test]
fn other_encodings_are_refused() {
    let valid = envelope(&format!("<GetConfig xmlns=\"{NS_C}\"/>"));
    let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(valid.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(reason(Service::Client, &utf16), Reason::Encoding);
    let declared = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{valid}");
    assert_eq!(reason(Service::Client, declared.as_bytes()), Reason::Encoding);
    let mut latin = valid.into_bytes();
    latin.insert(10, 0xE9);
    assert_eq!(reason(Service::Client, &latin), Reason::Encoding);
}

#[test]
fn every_truncation_of_the_recorded_requests_is_refused() {
    for name in ["000003-GetCookie", "000004-RegisterComputer", "000008-SyncUpdates", "000010-GetExtendedUpdateInfo"] {
        let body = recorded(&format!("native-scan/{name}.request.xml"));
        for length in 0..body.len() {
            assert!(raw(Service::Client, &body[..length]).is_err(), "{name} cut to {length}");
        }
    }
    let body = recorded("native-scan/000009-SyncUpdates.request.xml");
    for length in (0..body.len()).step_by(211) {
        assert!(raw(Service::Client, &body[..length]).is_err(), "cut to {length}");
    }
}

#[test]
fn sizes_depths_and_counts_are_bounded() {
    let limit = |reason: Reason| match reason {
        Reason::Limit { what, .. } => what,
        other => panic!("{other:?}"),
    };
    let big = vec![b' '; Limits::default().body + 1];
    assert_eq!(limit(reason(Service::Client, &big)), "bytes in the body");
    let deep = "<a>".repeat(200_000);
    assert_eq!(limit(reason_of(&format!("<parameters>{deep}"))), "nested elements");
    let header = envelope("").replace("<s:Body>", &format!("<s:Header>{deep}"));
    assert_eq!(limit(reason(Service::Client, header.as_bytes())), "nested elements");
    let attributes = (0..20_000).map(|n| format!(" a{n}=\"\"")).collect::<Vec<_>>().concat();
    assert_eq!(limit(reason_of(&format!("<parameters{attributes}/>"))), "attributes");
    let declarations = (0..30).map(|n| format!(" xmlns:a{n}=\"urn:{n}\"")).collect::<Vec<_>>().concat();
    let nested = format!("<parameters{declarations}><Unknown{declarations}><x/></Unknown></parameters>");
    assert!(
        raw(Service::Client, envelope(&format!("<SyncUpdates xmlns=\"{NS_C}\">{nested}</SyncUpdates>")).as_bytes())
            .is_ok()
    );
    let nested = format!(
        "<parameters{declarations}><SystemSpec{declarations}/><ComputerSpec{declarations}><HardwareIDs{declarations}/></ComputerSpec></parameters>"
    );
    assert_eq!(limit(reason_of(&nested)), "namespace declarations");
    let elements = "<a/>".repeat(500_001);
    assert_eq!(limit(reason_of(&format!("<parameters>{elements}</parameters>"))), "elements");
    let numbers = "<int>1</int>".repeat(100_001);
    let list =
        |content: &str| format!("<parameters><OtherCachedUpdateIDs>{content}</OtherCachedUpdateIDs></parameters>");
    let expected =
        Reason::Limit { path: "parameters.OtherCachedUpdateIDs".to_owned(), what: "entries", limit: 100_000 };
    assert_eq!(reason_of(&list(&numbers)), expected);
    assert_eq!(reason_of(&list(&numbers.replace("<int>", "<int >"))), expected, "with the general reader");
    let text = "x".repeat(Limits::default().text + 1);
    let key = format!("<parameters><FeatureScoreMatchingKey>{text}</FeatureScoreMatchingKey></parameters>");
    assert_eq!(limit(reason_of(&key)), "bytes of text");
    let pieces = "x&amp;".repeat(Limits::default().text / 2 + 1);
    let key = format!("<parameters><FeatureScoreMatchingKey>{pieces}</FeatureScoreMatchingKey></parameters>");
    assert_eq!(limit(reason_of(&key)), "bytes of text");
}

#[test]
fn device_lists_are_bounded_and_checked_when_they_are_read() {
    let spec = |content: &str| {
        let body = envelope(&format!(
            "<SyncUpdates xmlns=\"{NS_C}\"><parameters><SystemSpec>{content}</SystemSpec></parameters></SyncUpdates>"
        ));
        let request = raw(Service::Client, body.as_bytes()).map_err(|rejection| rejection.reason)?.request;
        let spec =
            only!(request, SyncUpdates).parameters.and_then(|parameters| parameters.system_spec).expect("devices");
        spec.devices(body.as_bytes(), &Limits::default())
    };
    assert!(matches!(spec(&"<Device/>".repeat(10_001)), Err(Reason::Limit { what: "entries", .. })));
    let ids = "<string>x</string>".repeat(10_001);
    assert!(matches!(spec(&format!("<Device><HardwareIDs>{ids}</HardwareIDs></Device>")), Err(Reason::Limit { .. })));
    for wrong in [
        "<Device>",
        "</Device>",
        "<Device></Device></Device><Device>",
        "<Device><HardwareIDs></Device></HardwareIDs>",
        "<SystemSpec></Device>",
        "<Device><installedDriver><DriverRank>x</DriverRank></installedDriver></Device>",
        "<Device><installedDriver><DriverVerDate>x</DriverVerDate></installedDriver></Device>",
        "<Device>text</Device>",
        "<Device/>&a;",
        "<Device/><",
        "<Device/><![CDATA[</SystemSpec>]]><Device>",
    ] {
        assert!(spec(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        spec("<Device/><Unknown><SystemSpec></SystemSpec></Unknown><Device/>").map(|devices| devices.len()),
        Ok(2)
    );
    assert_eq!(spec("<Device/><!-- </SystemSpec> --><Device/>").map(|devices| devices.len()), Ok(2));
    assert_eq!(
        spec("<Device><HardwareIDs><string>a/>b</string></HardwareIDs></Device>").map(|devices| devices.len()),
        Ok(1)
    );
}

#[test]
fn foreign_body_for_a_device_list_is_no_panic() {
    let body = recorded("native-scan/000009-SyncUpdates.request.xml");
    let request = only!(raw(Service::Client, &body).expect("valid").request, SyncUpdates);
    let spec = request.parameters.and_then(|parameters| parameters.system_spec).expect("devices");
    let limits = Limits::default();
    assert!(spec.devices(b"", &limits).is_err());
    assert!(spec.devices(&"é".repeat(40_000).into_bytes(), &limits).is_err());
    assert!(spec.devices(&body[1..], &limits).is_err());
    assert_eq!(spec.devices(&body, &limits).map(|devices| devices.len()), Ok(70));
}

#[test]
fn wrong_types_name_their_place() {
    for (operation, parameters, path) in [
        ("SyncUpdates", "<parameters><ExpressQuery>maybe</ExpressQuery></parameters>", "parameters.ExpressQuery"),
        ("SyncUpdates", "<parameters>text</parameters>", "parameters"),
        ("SyncUpdates", "<cookie>text</cookie>", "cookie"),
        ("SyncUpdates", "<cookie><Expiration>soon</Expiration></cookie>", "cookie.Expiration"),
        ("RegisterComputer", "<computerInfo><SuiteMask>32768</SuiteMask></computerInfo>", "computerInfo.SuiteMask"),
        (
            "RegisterComputer",
            "<computerInfo><OldProductType>256</OldProductType></computerInfo>",
            "computerInfo.OldProductType",
        ),
        (
            "RegisterComputer",
            "<computerInfo><OSMajorVersion><a/></OSMajorVersion></computerInfo>",
            "computerInfo.OSMajorVersion",
        ),
        (
            "RefreshCache",
            "<globalIDs><UpdateIdentity><RevisionNumber>1</RevisionNumber></UpdateIdentity></globalIDs>",
            "globalIDs.UpdateIdentity.UpdateID",
        ),
        ("GetCookie", "<lastChange>never</lastChange>", "lastChange"),
        ("GetFileLocations", "<fileDigests><base64Binary>***</base64Binary></fileDigests>", "fileDigests.base64Binary"),
    ] {
        assert_eq!(refused(client(operation, parameters)), path, "{operation} {parameters}");
    }
    let event =
        "<eventBatch><ReportingEvent><BasicData><EventID>70000</EventID></BasicData></ReportingEvent></eventBatch>";
    assert_eq!(refused(request(NS_R, "ReportEventBatch", event)), "eventBatch.ReportingEvent.BasicData.EventID");
}

#[test]
fn hostile_names_do_not_make_long_faults() {
    let name = "é".repeat(5_000);
    let body = envelope(&format!("<{name} xmlns=\"{NS_C}\"/>"));
    let fault = raw(Service::Client, body.as_bytes()).expect_err("unknown").into_fault(uuid::Uuid::nil());
    assert!(fault.message.len() < 400, "{}", fault.message.len());
    let message =
        refused(client("SyncUpdates", &format!("<parameters><ExpressQuery><{name}/></ExpressQuery></parameters>")));
    assert!(message.len() < 400, "{}", message.len());
}
