//! Xpress and the limits of lists (checklist 5, 6, 30). The codec itself is tested in `weir_wire::xpress`; here an
//! independent decoder, written from the text of MS-WUSP 2.1.1, reads what comes over the wire.

use std::collections::BTreeSet;

use weir_model::{ids::RevisionId, update::CategoryKind};
use weir_testkit::{Document, Payload, Random, ScriptedAgent};
use weir_wire::{
    soap::{ClientOnly, ErrorCode},
    wusp::{FragmentType, GetExtendedUpdateInfo, ReportEventBatch, SyncUpdateParameters, SyncUpdates},
};

use crate::{
    common::{Server, id},
    support::{AUTH, CLIENT, NS_A, NS_C, REPORTING, Raw, Wire, encoded, message, ready, refused, rid, sync},
};

/// What a body was made of.
#[derive(Debug, Default)]
struct Decoded {
    text: Vec<u8>,
    /// Original and compressed size of each block.
    blocks: Vec<(usize, usize)>,
    /// Lengths of matches.
    matches: BTreeSet<usize>,
}

/// Decodes a body as the pseudo-code of the protocol says.
fn decode(body: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut rest = body;
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("4 bytes")) as usize;
    while !rest.is_empty() {
        let (original, compressed) = (number(&rest[..4]), number(&rest[4..8]));
        decoded.blocks.push((original, compressed));
        let (payload, after) = rest[8..].split_at(compressed);
        if original == compressed {
            decoded.text.extend_from_slice(payload);
        } else {
            let text = block(payload, original, &mut decoded.matches);
            decoded.text.extend_from_slice(&text);
        }
        rest = after;
    }
    decoded
}

fn block(input: &[u8], size: usize, matches: &mut BTreeSet<usize>) -> Vec<u8> {
    let mut out = Vec::with_capacity(size);
    let (mut at, mut flags, mut left, mut half) = (0, 0_u32, 0, None);
    while out.len() < size {
        if left == 0 {
            flags = u32::from_le_bytes(input[at..at + 4].try_into().expect("flags"));
            (at, left) = (at + 4, 32);
        }
        left -= 1;
        if flags >> left & 1 == 0 {
            out.push(input[at]);
            at += 1;
            continue;
        }
        let value = usize::from(u16::from_le_bytes([input[at], input[at + 1]]));
        at += 2;
        let (offset, mut length) = ((value >> 3) + 1, value & 7);
        if length == 7 {
            let nibble = match half.take() {
                None => {
                    half = Some(at);
                    at += 1;
                    usize::from(input[at - 1] & 15)
                }
                Some(place) => usize::from(input[place] >> 4),
            };
            length = nibble;
            if length == 15 {
                length = usize::from(input[at]);
                at += 1;
                if length == 255 {
                    length = usize::from(u16::from_le_bytes([input[at], input[at + 1]])) - 22;
                    at += 2;
                }
                length += 15;
            }
            length += 7;
        }
        length += 3;
        matches.insert(length);
        for _ in 0..length {
            out.push(out[out.len() - offset]);
        }
    }
    assert_eq!(out.len(), size, "a match runs over the end of the block");
    out
}

/// Text that does not repeat itself within the window.
fn noise(characters: usize, seed: u64) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = Random::new(seed);
    (0..characters).map(|_| char::from(alphabet[(random.bits() >> 40) as usize % alphabet.len()])).collect()
}

/// Posts on a connection of its own and gives the bytes as they came.
async fn raw(server: &Server, path: &str, coding: Option<&str>, body: &str) -> Raw {
    let headers: Vec<_> = coding.iter().map(|coding| ("Accept-Encoding", *coding)).collect();
    Wire::to(&server.base).await.post(path, &headers, body.as_bytes()).await
}

/// Around `<NewCookie>`, which differs in every answer.
fn without_cookie(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).expect("text");
    match text.split_once("<NewCookie>") {
        Some((before, rest)) => format!("{before}{}", rest.split_once("</NewCookie>").expect("its end").1),
        None => text.to_owned(),
    }
}

/// Checklist 5: Xpress only when asked for, by every service; plain otherwise; both are the same text.
#[tokio::test]
async fn c05_xpress_only_when_asked() {
    let server = Server::start().await;
    let (_, cookie) = ready(&server).await;
    let authorization = message(NS_A, "GetAuthorizationCookie", "<clientId>a</clientId><dnsName>a.test</dnsName>");
    let report = ReportEventBatch { cookie: Some(cookie.clone()), client_time: None, event_batch: Vec::new() };
    let cases = [
        (CLIENT, message(NS_C, "GetConfig", "<protocolVersion>2.90</protocolVersion>")),
        (CLIENT, encoded(&sync(&cookie))),
        (AUTH, authorization),
        (REPORTING, encoded(&report)),
    ];
    for (path, body) in &cases {
        let plain = raw(&server, path, None, body).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        assert_eq!(plain.header("vary"), None);
        assert!(plain.body.starts_with(b"<"));
        for coding in ["xpress", "XPRESS", "gzip, xpress;q=0.5"] {
            let squeezed = raw(&server, path, Some(coding), body).await;
            assert_eq!(
                (squeezed.status, squeezed.header("content-encoding")),
                (200, Some("xpress")),
                "{path} {coding}"
            );
            assert_eq!(squeezed.header("vary"), Some("Accept-Encoding"));
            let text = decode(&squeezed.body).text;
            if *path != AUTH {
                assert_eq!(without_cookie(&text), without_cookie(&plain.body), "{path} {coding}");
            }
            assert_eq!(text.len(), plain.body.len(), "{path}");
            assert!(squeezed.body.len() < plain.body.len(), "{path}");
        }
        for coding in ["gzip", "*", "identity", "xpress;q=0", ""] {
            let answer = raw(&server, path, Some(coding), body).await;
            assert_eq!(answer.header("content-encoding"), None, "{path} {coding}");
            assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        }
    }
}

/// Checklist 5: blocks of at most 65,535 bytes, stored raw where compression gains nothing; in answers made of copied
/// text, of ready blocks from the cache and of blocks streamed from the store.
#[tokio::test]
async fn c05_blocks_are_bounded_and_stored_where_compression_gains_nothing() {
    let server = Server::start().await;
    let mut documents = vec![Document::category(id(1), 1, CategoryKind::Product).title("Product")];
    for (number, size) in [(2, 2_000), (3, 40_000), (4, 200_000), (5, 900_000)] {
        documents.push(Document::software(id(number), 1).title("Compressible").rules_of_size(size));
    }
    // rules that do not compress: kept, cached and giant
    for (number, size) in [(6, 2_000), (7, 100_000), (8, 500_000)] {
        let rule = format!(
            "<bar:RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"{}\" />",
            noise(size, u64::try_from(number).expect("small"))
        );
        documents.push(Document::software(id(number), 1).title("Incompressible").installed_if(&rule));
    }
    server.import(&documents).await;
    server.set(|settings| settings.page_bytes = 0);
    let mut agent = server.agent(1);
    agent.handshake().await.expect("handshake");
    let cookie = agent.state.cookie.clone().expect("cookie");
    let body = encoded(&sync(&cookie));
    for round in 0..2 {
        let plain = raw(&server, CLIENT, None, &body).await;
        let squeezed = raw(&server, CLIENT, Some("xpress"), &body).await;
        let decoded = decode(&squeezed.body);
        assert!(plain.body.len() > 1_700_000, "{}", plain.body.len());
        assert!(without_cookie(&decoded.text) == without_cookie(&plain.body), "round {round}");
        let (stored, packed): (Vec<_>, Vec<_>) =
            decoded.blocks.iter().partition(|(original, compressed)| original == compressed);
        assert!(stored.iter().map(|(original, _)| original).sum::<usize>() > 450_000, "{stored:?}");
        assert!(packed.iter().map(|(original, _)| original).sum::<usize>() > 900_000, "{packed:?}");
        for (original, compressed) in &decoded.blocks {
            assert!((1..=65_535).contains(original) && compressed <= original, "{original} {compressed}");
        }
        assert_eq!(squeezed.header("content-length"), Some(squeezed.body.len().to_string().as_str()));
    }
}

/// Checklist 6: every form of a match length is on the wire and read back by a decoder that shares no code with the
/// server.
#[tokio::test]
async fn c06_every_form_of_length_comes_over_the_wire() {
    let server = Server::start().await;
    // the shortest match that is worth writing is 4; that 3 is read is tested with the codec
    let lengths = [4, 9, 10, 24, 25, 279, 280, 60_000];
    let mut runs = String::new();
    for (c, length) in "~!#$%*+@".chars().zip(lengths) {
        runs.push_str(&noise(40, length as u64));
        runs.extend(std::iter::repeat_n(c, length + 1));
    }
    let title = format!("{runs}{}", noise(40, 99));
    server.import(&[Document::software(id(1), 1).localized("en", "Title", Some(&title))]).await;
    let (agent, cookie) = ready(&server).await;
    let request = GetExtendedUpdateInfo {
        cookie: Some(cookie),
        revision_ids: vec![rid(&agent, weir_model::ids::UpdateIdentity::new(id(1), 1))],
        info_types: vec![FragmentType::LocalizedProperties],
        locales: vec!["en".to_owned()],
        device_attributes: ClientOnly(None),
        geo_id: None,
        caller_attributes: ClientOnly(None),
    };
    let decoded = decode(&raw(&server, CLIENT, Some("xpress"), &encoded(&request)).await.body);
    assert!(String::from_utf8(decoded.text).expect("text").contains(&title));
    for length in lengths {
        assert!(decoded.matches.contains(&length), "{length}: {:?}", decoded.matches);
    }
}

async fn with(
    agent: &mut ScriptedAgent,
    change: impl FnOnce(&mut SyncUpdateParameters),
) -> Option<(ErrorCode, String)> {
    let mut parameters = SyncUpdateParameters::new();
    change(&mut parameters);
    let cookie = agent.state.cookie.clone();
    refused(agent, &SyncUpdates { cookie, parameters: Some(parameters) }).await
}

fn invalid(path: &str) -> (ErrorCode, String) {
    (ErrorCode::InvalidParameters, path.to_owned())
}

/// Checklist 30: as many raw entries as the limit pass, one more faults with the path; repeats and unknown ids count.
#[tokio::test]
async fn c30_as_many_installed_ids_as_the_limit() {
    let server = Server::start().await;
    server.import(&[Document::category(id(1), 1, CategoryKind::Product).title("Product")]).await;
    let (mut agent, _) = ready(&server).await;
    let path = "parameters.InstalledNonLeafUpdateIDs";
    let known = *agent.state.cache.keys().next().expect("cached");
    for limit in [4_000_usize, 400] {
        if limit != 4_000 {
            server.set(|settings| settings.installed_limit = limit);
        }
        let repeated = vec![RevisionId(known); limit];
        let different: Vec<_> = (0..limit as i32).map(RevisionId).collect();
        for mut ids in [repeated, different] {
            assert_eq!(with(&mut agent, |it| it.installed_non_leaf_update_ids = ids.clone()).await, None, "{limit}");
            ids.push(RevisionId(known));
            assert_eq!(
                with(&mut agent, |it| it.installed_non_leaf_update_ids = ids).await,
                Some(invalid(path)),
                "{limit} + 1"
            );
        }
    }
}

/// Checklist 30: 22,000 others and 22,000 drivers pass, one more of either faults.
#[tokio::test]
async fn c30_as_many_cached_ids_as_the_limit() {
    let server = Server::start().await;
    let (mut agent, _) = ready(&server).await;
    let ids = |count: i32| (0..count).map(|id| RevisionId(1_000_000 + id)).collect::<Vec<_>>();
    let (full, more) = (ids(22_000), ids(22_001));
    assert_eq!(with(&mut agent, |it| it.other_cached_update_ids = full.clone()).await, None);
    assert_eq!(
        with(&mut agent, |it| it.other_cached_update_ids = more.clone()).await,
        Some(invalid("parameters.OtherCachedUpdateIDs"))
    );
    let drivers = |ids: Vec<RevisionId>| {
        move |it: &mut SyncUpdateParameters| {
            it.skip_software_sync = true;
            it.cached_driver_ids = ids;
        }
    };
    assert_eq!(with(&mut agent, drivers(full)).await, None);
    assert_eq!(with(&mut agent, drivers(more)).await, Some(invalid("parameters.CachedDriverIDs")));
    // content is never compressed, whatever is accepted
    let payload = Payload::new("zeros.exe", vec![0; 100_000]);
    server.add_content(&payload).await;
    let answer =
        server.send("GET", &format!("/Content/{}", payload.content_path()), &[("Accept-Encoding", "xpress")], "").await;
    assert_eq!((answer.header("content-encoding"), answer.header("content-length")), (None, Some("100000")));
}
