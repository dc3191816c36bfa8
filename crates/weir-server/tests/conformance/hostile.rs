//! Input that means harm, or is broken: the right fault or status, nothing stored, and the server still answers. What is
//! stored is compared to the last byte ([`stored`]).

use std::{collections::BTreeSet, time::Duration};

use tokio::{io::AsyncReadExt as _, time::timeout};
use uuid::Uuid;
use weir_model::ids::{RevisionId, UpdateIdentity};
use weir_server::state::ClientSettings;
use weir_testkit::{Document, Payload, agent::fault_code, http};
use weir_wire::{
    soap::{Binary, ClientOnly, ErrorCode},
    wusp::{
        AuthorizationCookie, CategoryRelationship, Cookie, FragmentType, GetAuthorizationCookie, GetConfig, GetCookie,
        GetExtendedUpdateInfo, GetFileLocations, RefreshCache, ReportEventBatch, StartCategoryScan,
    },
};

use crate::{
    common::{Server, element, id},
    support::{
        AUTH, CLIENT, NS_A, NS_C, NS_R, REPORTING, Wire, code, cookie_xml, encoded, message, ready, stored, stored_in,
        sync,
    },
    whole::Whole,
};

/// Everything here is answered at once; this only turns a hang into a failure.
const HANG: Duration = Duration::from_secs(120);

const CONFIG: &str = "<protocolVersion>2.90</protocolVersion>";

async fn alive(server: &Server) {
    assert_eq!(server.post(&message(NS_C, "GetConfig", CONFIG)).await.status, 200, "the server still answers");
    server.agent(1).scan().await.expect("a whole scan works");
}

/// A valid request of every operation that an agent sends, with a valid cookie.
fn requests(cookie: &Cookie) -> Vec<(&'static str, String)> {
    let cookie = Some(cookie.clone());
    let event = weir_testkit::agent::event(
        "sid",
        "2026-10-04T10:32:02Z".parse().expect("time"),
        183,
        Some(UpdateIdentity::new(id(1), 1)),
        0,
        vec!["a".to_owned()],
        vec!["U=".to_owned()],
    );
    vec![
        (CLIENT, encoded(&sync(cookie.as_ref().expect("cookie")))),
        (
            CLIENT,
            encoded(&RefreshCache { cookie: cookie.clone(), global_ids: vec![UpdateIdentity::new(id(1), 1).into()] }),
        ),
        (
            CLIENT,
            encoded(&GetExtendedUpdateInfo {
                cookie: cookie.clone(),
                revision_ids: vec![RevisionId(1)],
                info_types: vec![FragmentType::Extended],
                locales: vec!["en".to_owned()],
                device_attributes: ClientOnly(None),
                geo_id: None,
                caller_attributes: ClientOnly(None),
            }),
        ),
        (CLIENT, encoded(&GetFileLocations { cookie: cookie.clone(), file_digests: vec![Binary(vec![1; 20])] })),
        (CLIENT, encoded(&GetConfig { protocol_version: Some("2.90".to_owned()) })),
        (
            CLIENT,
            encoded(&StartCategoryScan {
                requested_categories: vec![CategoryRelationship { index_of_and_group: 0, category_id: id(1) }],
            }),
        ),
        (
            AUTH,
            encoded(&GetAuthorizationCookie {
                client_id: Some("a".to_owned()),
                target_group_name: None,
                dns_name: Some("a.test".to_owned()),
            }),
        ),
        (REPORTING, encoded(&ReportEventBatch { cookie, client_time: None, event_batch: vec![event] })),
    ]
}

/// A server with a computer that has scanned, and what it sends.
async fn target() -> (Server, Cookie) {
    let server = Server::start().await;
    server.import(&[Document::software(id(1), 1).title("Update")]).await;
    let (_, cookie) = ready(&server).await;
    (server, cookie)
}

/// Sends bodies that must be refused with InvalidParameters and leave nothing behind.
async fn refuse(server: &Server, path: &str, bodies: impl IntoIterator<Item = Vec<u8>>) {
    let mut connection = server.connect();
    for (index, body) in bodies.into_iter().enumerate() {
        let text = String::from_utf8_lossy(&body);
        let start = format!("{index}: {}", text.chars().take(100).collect::<String>());
        let answer = connection.send("POST", path, &[], &body);
        let answer = timeout(HANG, answer).await.expect("answered").expect("an answer");
        let text = answer.text();
        assert_eq!((answer.status, element(&text, "ErrorCode")), (500, Some("InvalidParameters")), "{start}: {text}");
        assert!(text.len() < 4_096, "a short answer: {} bytes to {start}", text.len());
    }
}

/// DTDs in every place, entities that grow, instructions, foreign encodings: of every operation.
#[tokio::test]
async fn dtds_entities_and_encodings_are_refused() {
    let (server, cookie) = target().await;
    let before = stored(&server);
    for (path, valid) in requests(&cookie) {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
                    <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]>";
        let inside = valid.find("<s:Body>").expect("a body") + "<s:Body>".len();
        let at = |text: &str| format!("{}{text}{}", &valid[..inside], &valid[inside..]);
        let utf16: Vec<u8> = std::iter::once(0xfeff).chain(valid.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let mut broken = valid.clone().into_bytes();
        broken.insert(inside, 0xe9);
        let texts = [
            format!("{bomb}{valid}"),
            format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{valid}"),
            format!("<?xml version=\"1.0\"?><!DOCTYPE x>{valid}"),
            at(bomb),
            at("<?php x?>"),
            at("&lol;"),
            at("&#0;"),
            format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{valid}"),
            format!("<?xml version=\"1.0\" encoding=\"utf-7\"?>{valid}"),
            format!("{valid}{valid}"),
            format!("{valid}x"),
        ];
        let bodies =
            texts.into_iter().map(String::into_bytes).chain([utf16, broken, vec![0; 1_000], vec![0xff; 1_000]]);
        refuse(&server, path, bodies).await;
    }
    assert_eq!(stored(&server), before);
    alive(&server).await;
}

/// Every truncation of every request, and nothing of a report that was cut.
#[tokio::test]
async fn every_truncation_is_refused() {
    let (server, cookie) = target().await;
    let before = stored(&server);
    for (path, valid) in requests(&cookie) {
        let bytes = valid.into_bytes();
        refuse(&server, path, (0..bytes.len()).map(|length| bytes[..length].to_vec())).await;
    }
    assert_eq!(stored(&server), before);
    alive(&server).await;
}

/// Deep, wide and long: more elements, attributes, declarations, levels, entries and text than anybody needs.
#[tokio::test]
async fn oversized_requests_are_refused() {
    let (server, cookie) = target().await;
    let before = stored(&server);
    let sync = |parameters: String| {
        message(NS_C, "SyncUpdates", &format!("{}<parameters>{parameters}</parameters>", cookie_xml(&cookie)))
            .into_bytes()
    };
    let list = |name: &str, entry: &str, count: usize| sync(format!("<{name}>{}</{name}>", entry.repeat(count)));
    let attributes: String = (0..20_000).map(|n| format!(" a{n}=\"\"")).collect::<Vec<_>>().concat();
    let declarations: String = (0..20_000).map(|n| format!(" xmlns:a{n}=\"urn:{n}\"")).collect::<Vec<_>>().concat();
    let nested: String = (0..20)
        .map(|level| {
            let many: Vec<_> = (0..30).map(|n| format!(" xmlns:a{level}x{n}=\"urn:{n}\"")).collect();
            format!("<x{}>", many.concat())
        })
        .collect::<Vec<_>>()
        .concat();
    let long = "x".repeat(1 << 20);
    let bodies = vec![
        sync("<x>".repeat(1_000_000)),
        sync(format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000))),
        sync(format!("<x{attributes}/>")),
        sync(format!("<x{declarations}/>")),
        sync(nested),
        sync("<x/>".repeat(600_000)),
        list("OtherCachedUpdateIDs", "<int>1</int>", 100_001),
        list("OtherCachedUpdateIDs", "<int > 1 </int>", 100_001),
        list("InstalledNonLeafUpdateIDs", "<int>1</int>", 4_001),
        list("CachedDriverIDs", "<int>1</int>", 22_001),
        list("FilterCategoryIds", &format!("<CategoryIdentifier><Id>{}</Id></CategoryIdentifier>", id(1)), 10_001),
        sync(format!("<FeatureScoreMatchingKey>{long}</FeatureScoreMatchingKey>")),
        sync(format!("<FeatureScoreMatchingKey>{}</FeatureScoreMatchingKey>", "&amp;".repeat(300_000))),
        sync(format!("<FeatureScoreMatchingKey><![CDATA[{long}]]></FeatureScoreMatchingKey>")),
        message(NS_C, &format!("Get{long}"), "").into_bytes(),
        message(NS_C, "GetConfig", &format!("<protocolVersion>{}.1</protocolVersion>", "9".repeat(200_000))).into_bytes(),
        message(NS_C, "StartCategoryScan", &format!(
            "<requestedCategories>{}</requestedCategories>",
            format!("<CategoryRelationship><IndexOfAndGroup>0</IndexOfAndGroup><CategoryId>{}</CategoryId></CategoryRelationship>", id(1)).repeat(200)
        )).into_bytes(),
    ];
    refuse(&server, CLIENT, bodies).await;
    assert_eq!(stored(&server), before);
    alive(&server).await;
}

/// Values of the wrong type, and elements given twice: the fault names the place.
#[tokio::test]
async fn wrong_types_and_duplicates_name_their_place() {
    let (server, cookie) = target().await;
    let before = stored(&server);
    let sealed = cookie_xml(&cookie);
    let cases = [
        (
            CLIENT,
            NS_C,
            "SyncUpdates",
            format!("{sealed}<parameters><ExpressQuery>maybe</ExpressQuery></parameters>"),
            "parameters.ExpressQuery",
        ),
        (CLIENT, NS_C, "SyncUpdates", format!("{sealed}<parameters>text</parameters>"), "parameters"),
        (CLIENT, NS_C, "SyncUpdates", format!("{sealed}{sealed}<parameters/>"), "cookie"),
        (CLIENT, NS_C, "SyncUpdates", format!("{sealed}<parameters/><parameters/>"), "parameters"),
        (
            CLIENT,
            NS_C,
            "SyncUpdates",
            format!(
                "{sealed}<parameters><SkipSoftwareSync>true</SkipSoftwareSync><SkipSoftwareSync>false</SkipSoftwareSync></parameters>"
            ),
            "parameters.SkipSoftwareSync",
        ),
        (
            CLIENT,
            NS_C,
            "SyncUpdates",
            format!(
                "{sealed}<parameters><OtherCachedUpdateIDs><int>2147483648</int></OtherCachedUpdateIDs></parameters>"
            ),
            "parameters.OtherCachedUpdateIDs.int",
        ),
        (
            CLIENT,
            NS_C,
            "SyncUpdates",
            format!(
                "{sealed}<parameters><OtherCachedUpdateIDs><int>1</int><int>one</int></OtherCachedUpdateIDs></parameters>"
            ),
            "parameters.OtherCachedUpdateIDs.int",
        ),
        (
            CLIENT,
            NS_C,
            "SyncUpdates",
            "<cookie><EncryptedData>***</EncryptedData></cookie>".to_owned(),
            "cookie.EncryptedData",
        ),
        (CLIENT, NS_C, "SyncUpdates", "<cookie><Expiration>soon</Expiration></cookie>".to_owned(), "cookie.Expiration"),
        (
            CLIENT,
            NS_C,
            "RegisterComputer",
            format!("{sealed}<computerInfo><DnsName>a</DnsName><OldProductType>256</OldProductType></computerInfo>"),
            "computerInfo.OldProductType",
        ),
        (
            CLIENT,
            NS_C,
            "RefreshCache",
            format!("{sealed}<globalIDs><UpdateIdentity><UpdateID>x</UpdateID></UpdateIdentity></globalIDs>"),
            "globalIDs.UpdateIdentity.UpdateID",
        ),
        (
            REPORTING,
            NS_R,
            "ReportEventBatch",
            format!(
                "{sealed}<eventBatch><ReportingEvent><BasicData><EventID>70000</EventID></BasicData></ReportingEvent></eventBatch>"
            ),
            "eventBatch.ReportingEvent.BasicData.EventID",
        ),
        (
            AUTH,
            NS_A,
            "GetAuthorizationCookie",
            "<clientId>a</clientId><clientId>b</clientId><dnsName>a</dnsName>".to_owned(),
            "clientId",
        ),
    ];
    for (path, namespace, operation, payload, place) in cases {
        let answer = server.send("POST", path, &[], &message(namespace, operation, &payload)).await;
        let text = answer.text();
        assert_eq!((answer.status, element(&text, "ErrorCode")), (500, Some("InvalidParameters")), "{payload}: {text}");
        assert_eq!(element(&text, "Message"), Some(place), "{payload}");
    }
    assert_eq!(stored(&server), before);
}

/// What a client says of itself comes back, if at all, escaped and short.
#[tokio::test]
async fn nothing_hostile_comes_back_unescaped() {
    let server = Server::start().await;
    let hostile = "\"<script>alert('&')</script>\"";
    let headers = [("SOAPAction", hostile), ("Host", "x\"><script>")];
    for path in [CLIENT, AUTH, REPORTING] {
        for body in ["nonsense".to_owned(), message("urn:<&", "x", ""), message(NS_C, "Unheard", "")] {
            let answer = server.send("POST", path, &headers, &body).await;
            assert_eq!(answer.status, 500);
            assert!(!answer.text().contains("<script"), "{}", answer.text());
        }
    }
    let long = format!("\"{}\"", "x".repeat(8_000));
    let answer = server.send("POST", CLIENT, &[("SOAPAction", &long)], "nonsense").await;
    assert!(answer.body.len() < 2_048, "{}", answer.body.len());
    assert_eq!(server.send("POST", &format!("/{}", "a".repeat(5_000)), &[], "").await.status, 404);
}

/// A report of which one event is bad, or with too much in it, is refused whole.
#[tokio::test]
async fn a_bad_event_refuses_its_batch() {
    let (server, cookie) = target().await;
    let before = stored(&server);
    let body = requests(&cookie).into_iter().find(|(path, _)| *path == REPORTING).expect("a report").1;
    let (head, rest) = body.split_once("<ReportingEvent>").expect("an event");
    let (event, tail) = rest.split_once("</ReportingEvent>").expect("its end");
    let batch = |events: &[String]| {
        let events: Vec<_> = events.iter().map(|event| format!("<ReportingEvent>{event}</ReportingEvent>")).collect();
        format!("{head}{}{tail}", events.concat()).into_bytes()
    };
    let fresh = || {
        let (before, rest) = event.split_once("<EventInstanceID>").expect("an id");
        let after = rest.split_once("</EventInstanceID>").expect("its end").1;
        format!("{before}<EventInstanceID>{}</EventInstanceID>{after}", Uuid::new_v4())
    };
    let bad = |from: &str, to: &str| {
        let changed = fresh().replace(from, to);
        assert!(event.contains(from), "{from}");
        batch(&[fresh(), changed, fresh()])
    };
    let long = format!("<string>{}</string>", "x".repeat((256 << 10) + 1));
    refuse(
        &server,
        REPORTING,
        [
            bad("<EventID>183</EventID>", "<EventID>one</EventID>"),
            bad("<TimeAtTarget>", "<TimeAtTarget>on "),
            bad("</UpdateID><RevisionNumber>", "0</UpdateID><RevisionNumber>"),
            bad("<string>a</string>", &long),
            bad("<string>a</string>", &"<string/>".repeat(10_001)),
            bad("<BasicData>", "<BasicData><!DOCTYPE x>"),
            batch(&vec!["<BasicData/>".to_owned(); 10_001]),
        ],
    )
    .await;
    assert_eq!(stored(&server), before);
    // the good ones alone are taken
    let answer = server.connect().send("POST", REPORTING, &[], &batch(&[fresh(), fresh()])).await.expect("answer");
    assert!(answer.text().contains(">true<"), "{}", answer.text());
    assert_ne!(stored(&server), before);
}

/// Every bit of both cookies flipped, every truncation, and bytes appended: none is taken for ours.
#[tokio::test]
async fn no_altered_cookie_passes() {
    let (server, cookie) = target().await;
    let mut agent = server.agent(1);
    agent.handshake().await.expect("handshake");
    let authorization = GetAuthorizationCookie {
        client_id: Some(agent.computer.client_id.clone()),
        target_group_name: Some("A".to_owned()),
        dns_name: Some("a.test".to_owned()),
    };
    let authorization = agent.call(&authorization).await.expect("answered").result.expect("result");
    let (last_change, _) = agent.state.config.expect("configuration");
    let with = |sealed: Vec<u8>, old: Option<Cookie>| GetCookie {
        auth_cookies: vec![AuthorizationCookie { plug_in_id: None, cookie_data: Some(Binary(sealed)) }],
        old_cookie: old,
        last_change: Some(last_change),
        current_time: None,
        protocol_version: Some("2.90".to_owned()),
    };
    let before = stored(&server);
    let sealed = cookie.sealed().expect("sealed").to_vec();
    let ticket = authorization.cookie_data.expect("data").0;
    for altered in alterations(&sealed) {
        let bent = Cookie { expiration: cookie.expiration, encrypted_data: Some(Binary(altered)) };
        assert_eq!(code(&mut agent, &sync(&bent)).await, Some(ErrorCode::InvalidCookie), "{bent:?}");
    }
    for altered in alterations(&ticket) {
        let expected = Some(ErrorCode::InvalidAuthorizationCookie);
        assert_eq!(code(&mut agent, &with(altered.clone(), None)).await, expected, "{altered:?}");
    }
    // as an old cookie too, of which the anchors would be believed
    for altered in alterations(&sealed).step_by(17) {
        let bent = Cookie { expiration: None, encrypted_data: Some(Binary(altered)) };
        assert_eq!(code(&mut agent, &with(ticket.clone(), Some(bent))).await, Some(ErrorCode::InvalidCookie));
    }
    assert_eq!(stored(&server), before);
    assert_eq!(code(&mut agent, &with(ticket, Some(cookie.clone()))).await, None, "unaltered both pass");
    assert_eq!(code(&mut agent, &sync(&cookie)).await, None);
}

fn alterations(sealed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..sealed.len() * 8).map(|bit| {
        let mut bytes = sealed.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let cut = (1..sealed.len()).map(|length| sealed[..length].to_vec());
    let longer = [vec![0], vec![0xff; 9_000]].map(|tail| [sealed, &tail].concat());
    flipped.chain(cut).chain(longer)
}

/// Cookies of other servers and cookies made up of parts of ours are InvalidCookie.
#[tokio::test]
async fn forged_cookies_are_invalid() {
    let (server, cookie) = target().await;
    let (mut agent, other) = {
        let mut agent = server.agent(2);
        agent.scan().await.expect("scan");
        let cookie = agent.state.cookie.clone().expect("cookie");
        (agent, cookie)
    };
    let strange = target().await;
    let before = stored(&server);
    let (ours, theirs) = (cookie.sealed().expect("sealed"), other.sealed().expect("sealed"));
    let foreign = strange.1.sealed().expect("sealed");
    let forged = [
        [&ours[..17], &theirs[17..]].concat(),
        [&ours[..5], &theirs[5..17], &ours[17..]].concat(),
        [&ours[..ours.len() - 16], &theirs[theirs.len() - 16..]].concat(),
        [&ours[..5], &foreign[5..]].concat(),
        foreign.to_vec(),
        [ours, theirs].concat(),
        vec![2; 5],
        vec![2, 1, 0, 0, 0],
        vec![0; 8_192],
        vec![0xff; 150_000],
    ];
    for forged in forged {
        let length = forged.len();
        let cookie = Cookie { expiration: None, encrypted_data: Some(Binary(forged)) };
        assert_eq!(code(&mut agent, &sync(&cookie)).await, Some(ErrorCode::InvalidCookie), "{length} bytes");
    }
    assert_eq!(stored(&server), before);
}

/// Ranges by the thousand, overlapping, reversed and huge: no answer is much longer than the file.
#[tokio::test]
async fn range_abuse_costs_nothing() {
    let server = Server::start().await;
    let payload = Payload::random("setup.exe", 100_000, 7);
    server.add_content(&payload).await;
    let path = format!("/Content/{}", payload.content_path());
    let before = stored(&server);
    let many = |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<Vec<_>>().join(",");
    let whole = |answer: &http::Answer| answer.status == 200 && answer.body == payload.bytes;
    let abuse = [
        many(10_000, &|_| "0-".to_owned()),
        many(10_000, &|n| format!("{n}-{n}")),
        many(64, &|_| "0-".to_owned()),
        many(64, &|n| format!("{n}-")),
        many(64, &|n| format!("-{}", n + 1)),
        many(64, &|n| format!("{}-{}", n * 2, n * 2)),
        many(65, &|n| format!("{}-{}", n * 2, n * 2)),
        "0-99999999999999999999999999999999999999".to_owned(),
        "99999999999999999999999999999999999999-".to_owned(),
        "-99999999999999999999999999999999999999".to_owned(),
        "18446744073709551615-18446744073709551615".to_owned(),
        "18446744073709551614-18446744073709551615,0-0".to_owned(),
        "0-18446744073709551615,-18446744073709551615".to_owned(),
        "9223372036854775807-9223372036854775808".to_owned(),
        "5-4,3-2,1-0".to_owned(),
        "-".to_owned(),
        "--1".to_owned(),
        ",".repeat(3_000),
        "0-0,".repeat(1_000),
        "1e3-2e3".to_owned(),
        "0x0-0xff".to_owned(),
        "\u{0660}-\u{0669}".to_owned(),
    ];
    let mut statuses = BTreeSet::new();
    for ranges in abuse {
        let value = format!("bytes={ranges}");
        let start: String = value.chars().take(60).collect();
        let answer = server.send("GET", &path, &[("Range", &value)], "").await;
        match answer.status {
            200 => assert!(whole(&answer), "{start}"),
            206 => assert!(answer.body.len() <= payload.bytes.len() + 64 * 200, "{start}: {}", answer.body.len()),
            416 => {
                assert_eq!((answer.body.len(), answer.header("content-range")), (0, Some("bytes */100000")), "{start}");
            }
            other => panic!("{start}: {other}"),
        }
        statuses.insert(answer.status);
    }
    assert_eq!(statuses, BTreeSet::from([200, 206, 416]));
    let answer = server.send("GET", &path, &[("Range", "bytes=0-9"), ("Range", "bytes=5-6")], "").await;
    assert!([200, 206, 400].contains(&answer.status) && answer.body.len() <= payload.bytes.len());
    assert_eq!(stored(&server), before);
}

/// Calls without a cookie write nothing, however many there are and whoever they say they come from.
#[tokio::test]
async fn calls_without_a_cookie_write_nothing() {
    let (server, _) = target().await;
    let before = stored(&server);
    let known = server.state.live.directory.len();
    for number in 100..150 {
        let mut agent = server.agent(number);
        agent.state.service_url = AUTH.to_owned();
        agent.call(&GetConfig { protocol_version: Some("2.90".to_owned()) }).await.expect("answered");
        let request = GetAuthorizationCookie {
            client_id: Some(agent.computer.client_id.clone()),
            target_group_name: Some("New group;Another".to_owned()),
            dns_name: Some(agent.computer.dns_name.clone()),
        };
        let cookie = agent.call(&request).await.expect("answered").result.expect("result");
        let last_change = server.state.configuration.load().last_change_ms;
        let request = GetCookie {
            auth_cookies: vec![cookie],
            old_cookie: None,
            last_change: jiff::Timestamp::from_millisecond(last_change).ok(),
            current_time: None,
            protocol_version: Some("2.90".to_owned()),
        };
        agent.call(&request).await.expect("answered");
        let categories = vec![CategoryRelationship { index_of_and_group: 0, category_id: id(number.into()) }];
        agent.call(&StartCategoryScan { requested_categories: categories }).await.expect("answered");
        for path in ["/SelfUpdate/wuident.cab", "/Content/00/0000000000000000000000000000000000000000.cab", "/"] {
            assert_eq!(server.send("GET", path, &[], "").await.status, 404);
        }
    }
    assert_eq!(stored(&server), before);
    assert_eq!(server.state.live.directory.len(), known);
}

/// Without a cookie an address has a burst of calls; computers with a cookie go on.
#[tokio::test]
async fn calls_without_a_cookie_are_limited_by_address() {
    let (server, cookie) = target().await;
    let mut agent = server.agent(1);
    server.set(|settings| settings.anonymous_burst = 3);
    let body = message(NS_C, "GetConfig", CONFIG);
    let mut connection = server.connect();
    let mut codes = Vec::new();
    for _ in 0..40 {
        let answer = connection.send("POST", CLIENT, &[], body.as_bytes()).await.expect("answer");
        codes.push(element(&answer.text(), "ErrorCode").map(str::to_owned));
    }
    assert_eq!(codes[..3], [None, None, None]);
    let busy = codes.iter().filter(|code| code.as_deref() == Some("ServerBusy")).count();
    assert_eq!(busy + codes.iter().filter(|code| code.is_none()).count(), 40, "{codes:?}");
    assert!(busy > 0, "{codes:?}");
    for _ in 0..10 {
        assert_eq!(code(&mut agent, &sync(&cookie)).await, None, "with a cookie");
    }
    // files have a burst of their own, eight times as large
    let mut statuses = Vec::new();
    for _ in 0..200 {
        statuses.push(connection.send("GET", "/SelfUpdate/wuident.cab", &[], b"").await.expect("answer").status);
    }
    assert!(statuses.starts_with(&[404; 24]), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(statuses.iter().all(|status| [404, 429].contains(status)), "{statuses:?}");
}

/// So many computers that were never seen before come in within an hour; known ones are not affected.
#[tokio::test]
async fn new_computers_are_limited_by_the_hour() {
    let server = Server::start_with(ClientSettings { new_computers_per_hour: 3, ..ClientSettings::default() }).await;
    for number in 0..3 {
        server.agent(number).scan().await.expect("scan");
    }
    let before = stored(&server);
    for number in 3..8 {
        let refused = server.agent(number).scan().await.expect_err("one too many");
        assert_eq!(fault_code(&refused), Some(ErrorCode::ServerBusy));
    }
    assert_eq!(stored(&server), before);
    server.agent(0).scan().await.expect("a known computer goes on");
}

/// What jobs write without being asked.
const UNASKED: [&str; 6] =
    ["job", "alert", "alert_event", "status_message", "compliance_subject", "compliance_history"];

/// Against the product's own listener: headers and bodies that trickle, stall or never end are cut off or refused, and
/// nobody else waits for them.
#[tokio::test]
async fn slow_and_endless_requests_are_cut_off() {
    let server = Whole::start(|settings| settings.limits.header_time = Duration::from_secs(2)).await;
    // jobs keep their own books
    let kept = |data: &std::path::Path| {
        let mut rows = stored_in(data);
        rows.retain(|table, _| !UNASKED.contains(&table.as_str()));
        rows
    };
    let before = kept(&server.data());
    let mut waiting = Vec::new();
    for start in [
        "POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<s:Envelope",
        "POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<s:En",
        "G",
    ] {
        let mut wire = Wire::to(&server.base).await;
        wire.send(start.as_bytes()).await;
        waiting.push((start, wire));
    }
    // meanwhile others are served
    let mut quick = Wire::to(&server.base).await;
    let config = message(NS_C, "GetConfig", CONFIG);
    assert_eq!(quick.post(CLIENT, &[], config.as_bytes()).await.status, 200);
    for (start, mut wire) in waiting {
        let mut rest = Vec::new();
        let read = timeout(HANG, wire.0.read_to_end(&mut rest)).await.expect("the connection is ended");
        let text = String::from_utf8_lossy(&rest);
        let status = text.split(' ').nth(1);
        assert!(read.is_err() || rest.is_empty() || matches!(status, Some("400" | "408")), "{start}: {text}");
    }

    // bodies without an end, announced and not, and one that is announced as larger than any machine
    for head in ["Transfer-Encoding: chunked", "Content-Length: 18446744073709551615", "Content-Length: 9000000"] {
        let mut wire = Wire::to(&server.base).await;
        wire.send(format!("POST {CLIENT} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n").as_bytes()).await;
        let (mut reader, mut writer) = wire.0.into_split();
        let endless = async {
            let piece = if head.starts_with('T') {
                [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat()
            } else {
                vec![b' '; 0x10000]
            };
            // ends when the other side closes
            while tokio::io::AsyncWriteExt::write_all(&mut writer, &piece).await.is_ok() {}
        };
        let answer = async {
            let mut rest = Vec::new();
            // a reset after the answer is as good as an end
            let _ = reader.read_to_end(&mut rest).await;
            rest
        };
        let ((), rest) = timeout(HANG, futures_util::future::join(endless, answer)).await.expect("cut off");
        let text = String::from_utf8_lossy(&rest).into_owned();
        let status = text.split(' ').nth(1);
        assert!(rest.is_empty() || matches!(status, Some("400" | "413" | "431")), "{head}: {text}");
    }
    for junk in [
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: y\r\n".repeat(20_000)),
        format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(200_000)),
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!(
            "POST {CLIENT} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!("POST {CLIENT} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx"),
        format!("POST {CLIENT} HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        format!("POST {CLIENT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
    ] {
        let mut wire = Wire::to(&server.base).await;
        let start: String = junk.chars().take(80).collect();
        // it may be refused before all of it was taken
        let _ = tokio::io::AsyncWriteExt::write_all(&mut wire.0, junk.as_bytes()).await;
        let mut rest = Vec::new();
        let _ = timeout(HANG, wire.0.read_to_end(&mut rest)).await.expect("the connection is ended");
        let text = String::from_utf8_lossy(&rest).into_owned();
        let status = text.split(' ').nth(1).unwrap_or("4");
        assert!(status.starts_with('4') || status.starts_with("500"), "{start}: {text}");
    }
    assert_eq!(kept(&server.data()), before);
    assert_eq!(quick.post(CLIENT, &[], config.as_bytes()).await.status, 200, "the server still answers");
    server.stop().await;
}
