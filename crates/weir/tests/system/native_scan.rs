//! The recorded scan of a native agent, sent again: as recorded, and with this server's values in it.

use std::collections::BTreeMap;

use serde_json::Value;
use weir_model::ids::UpdateIdentity;
use weir_testkit::{
    WeirProcess,
    http::{Answer, Connection},
    replay::{Recorded, Substitutions, native_scan},
    shared::shared_text,
};

use super::{agent, computer, genuine_package, json, run, server, shelf};

/// Text between the first pair of these tags.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    Some(text.split_once(open)?.1.split_once(close)?.0)
}

pub(crate) async fn send(exchange: &Recorded, base: &str, values: &Substitutions) -> Answer {
    let mut connection = Connection::to(base).expect("an address");
    exchange.send(&mut connection, values).await.expect("an answer")
}

#[test]
fn foreign_cookies_are_refused_and_nothing_is_stored() {
    let mut server = server();
    json(&server, &["import", &genuine_package()]);
    let stored = |server: &WeirProcess| {
        [&["computers", "list"][..], &["updates", "list", "--facets", "--limit", "1"], &["compliance", "summary"]]
            .map(|arguments| without_times(json(server, arguments)))
    };
    let before = stored(&server);
    assert_eq!(before[0]["items"].as_array().map(Vec::len), Some(0));
    run(async {
        let exchanges = native_scan();
        assert_eq!(exchanges.len(), 10);
        for exchange in exchanges {
            let answer = send(&exchange, &server.client_url(), &Substitutions::default()).await;
            let code = between(&answer.text(), "<ErrorCode>", "</ErrorCode>").map(str::to_owned);
            let expected = match exchange.operation.as_str() {
                "GetConfig" | "GetAuthorizationCookie" | "StartCategoryScan" => None,
                "GetCookie" => Some("InvalidAuthorizationCookie".to_owned()),
                _ => Some("InvalidCookie".to_owned()),
            };
            assert_eq!(code, expected, "{}: {}", exchange.operation, answer.text());
            assert_eq!(answer.status, if expected.is_some() { 500 } else { 200 }, "{}", exchange.operation);
        }
    });
    assert_eq!(stored(&server), before);
    server.kill().expect("killed");
    server.restart().expect("it starts");
    assert_eq!(stored(&server), before, "after a restart");
}

/// An answer without the moment it was made at.
fn without_times(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("as_of");
    }
    answer
}

/// RevisionIDs of the recording and of this server, matched by update: Core fragments of the recorded answers name the
/// update of each recorded id.
fn recorded_ids() -> BTreeMap<i32, UpdateIdentity> {
    let mut ids = BTreeMap::new();
    for exchange in native_scan().iter().filter(|exchange| exchange.operation == "SyncUpdates") {
        for entry in exchange.response.split("<UpdateInfo>").skip(1) {
            let rid = between(entry, "<ID>", "</ID>").and_then(|text| text.parse().ok()).expect("an id");
            let Some(core) = between(entry, "UpdateID=\"", "/&gt;") else { continue };
            let update = core.split('"').next().and_then(|text| text.parse().ok()).expect("a GUID");
            let revision =
                between(core, "RevisionNumber=\"", "\"").and_then(|text| text.parse().ok()).expect("a number");
            ids.insert(rid, UpdateIdentity::new(update, revision));
        }
    }
    assert!(!ids.is_empty(), "no recorded entries were understood");
    ids
}

#[test]
fn with_this_servers_values_every_request_is_answered_in_the_recorded_form() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let folder = weir_testkit::shared("captures/updates");
    json(&server, &["import", folder.to_str().expect("UTF-8")]);
    let recorded_ids = recorded_ids();
    let shelf = shelf(&server);
    let mut differences = String::new();
    let mut answered = 0;
    run(async {
        // this server's RevisionIDs of the recorded updates
        let mut probe = agent(&server, computer(99, &shelf));
        probe.computer.everything_applies = true;
        probe.computer.installed_limit = 4_000;
        probe.scan().await.expect("a scan");
        let revisions: BTreeMap<i32, i32> = recorded_ids
            .iter()
            .filter_map(|(recorded, identity)| {
                let present =
                    probe.state.cache.iter().find(|(_, cached)| cached.identity.update_id == identity.update_id);
                Some((*recorded, *present?.0))
            })
            .collect();
        assert!(!revisions.is_empty(), "none of the recorded updates is in this catalogue");

        let base = server.client_url();
        let host = base.trim_start_matches("http://").to_owned();
        let mut values = Substitutions { host: Some(host), revisions, ..Substitutions::default() };
        for exchange in native_scan() {
            let answer = send(&exchange, &base, &values).await;
            let text = answer.text();
            assert_eq!(answer.status, 200, "{}: {text}", exchange.operation);
            // the recordings hold the decoded text, their README says that all came in this coding
            assert_eq!(answer.header("content-encoding"), Some("xpress"), "{}", exchange.operation);
            answered += 1;
            learn(&mut values, &exchange, &text);
            compare(&exchange, &answer, &mut differences);
        }
    });
    assert_eq!(answered, 10);
    insta::assert_snapshot!(differences);
}

/// Takes this server's values out of an answer, for the requests that follow.
pub(crate) fn learn(values: &mut Substitutions, exchange: &Recorded, answer: &str) {
    match exchange.operation.as_str() {
        "GetConfig" => values.last_change = between(answer, "<LastChange>", "</LastChange>").map(str::to_owned),
        "GetAuthorizationCookie" => {
            values.authorization_cookie = between(answer, "<CookieData>", "</CookieData>").map(str::to_owned);
        }
        _ => {}
    }
    if let Some(data) = between(answer, "<EncryptedData>", "</EncryptedData>") {
        let expiration = between(answer, "<Expiration>", "</Expiration>").expect("an Expiration");
        values.cookie = Some((expiration.to_owned(), data.to_owned()));
    }
}

/// Notes where an answer differs from the recorded one in headers, or in the order and form of elements.
fn compare(exchange: &Recorded, answer: &Answer, differences: &mut String) {
    let title = format!("{:06} {}", exchange.number, exchange.operation);
    let recorded: BTreeMap<String, &str> =
        exchange.response_headers.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
    // values that cannot be equal, and the decoded length
    let varying = ["date", "content-length"];
    for (name, value) in &recorded {
        if !varying.contains(&name.as_str()) && answer.header(name) != Some(value) {
            differences.extend([
                &title,
                ": header ",
                name,
                ": recorded ",
                value,
                ", here ",
                answer.header(name).unwrap_or("absent"),
                "\n",
            ]);
        }
    }
    for (name, value) in &answer.headers {
        if name != "content-encoding" && !recorded.contains_key(name) {
            differences.extend([&title, ": header ", name, ": recorded absent, here ", value, "\n"]);
        }
    }
    let (here, there) = (skeleton(&in_order(&answer.text())), skeleton(&in_order(&exchange.response)));
    // where one has more, only the first difference says something
    let most = if here.len() == there.len() { usize::MAX } else { 1 };
    let pairs = (0..here.len().max(there.len())).map(|index| (there.get(index), here.get(index)));
    for (recorded, present) in pairs.filter(|(recorded, present)| recorded != present).take(most) {
        let show = |line: Option<&String>| line.map_or("the end", String::as_str).to_owned();
        differences.extend([&title, ": body: recorded ", &show(recorded), ", here ", &show(present), "\n"]);
    }
}

/// The answer with the entries of GetExtendedUpdateInfo in the order of their texts: they come by RevisionID, and each server
/// numbers revisions on its own.
fn in_order(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<Updates>") else { return text.to_owned() };
    let (updates, after) = rest.split_once("</Updates>").expect("the end of Updates");
    let fragment = |update: &str| between(update, "<Xml>", "</Xml>").map(str::to_owned);
    let mut updates: Vec<&str> = updates.split_inclusive("</Update>").collect();
    let ids: Vec<Option<i32>> =
        updates.iter().map(|update| between(update, "<ID>", "</ID>").and_then(|id| id.parse().ok())).collect();
    let half = ids.len() / 2;
    assert!(ids[..half].is_sorted() && ids[half..].is_sorted(), "by kind of fragment, then by RevisionID: {ids:?}");
    updates.sort_by_key(|update| fragment(update));
    format!("{before}<Updates>{}</Updates>{after}", updates.concat())
}

/// Tags in order with what they hold: values that belong to one server are reduced to their form, all others (fragments
/// among them) are kept.
fn skeleton(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some((content, after)) = rest.split_once('<') {
        let (tag, tail) = after.split_once('>').unwrap_or((after, ""));
        if !content.is_empty() {
            let form = form(tags.last().map_or("", String::as_str), content);
            tags.push(form);
        }
        tags.push(format!("<{tag}>"));
        rest = tail;
    }
    tags
}

/// The form of a value that belongs to one server, and any other value as it is.
fn form(tag: &str, value: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match tag {
        "<ID>" | "<int>" if digits(value) => "number".to_owned(),
        "<LastChangeTime>" if value.len() == 10 && digits(&value[..4]) => "date".to_owned(),
        "<LastChange>" | "<Expiration>" if value.ends_with('Z') && value.as_bytes().get(10) == Some(&b'T') => {
            "time in UTC".to_owned()
        }
        "<EncryptedData>" | "<CookieData>" if !value.contains(char::is_whitespace) => "sealed".to_owned(),
        "<Url>" => {
            let path = value.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
            format!("http://server/{path}")
        }
        _ => value.to_owned(),
    }
}

#[test]
fn the_recorded_fragments_are_those_of_the_captured_updates() {
    // guards the reading of recorded ids above: the family of the recorded product is one of the captured documents
    let ids = recorded_ids();
    let core = shared_text("captures/updates/56309036-4c77-4dd9-951a-99ee9c246a94-r101.core.xml");
    let company = ids.values().find(|identity| identity.update_id.to_string().starts_with("56309036"));
    assert!(
        company.is_some_and(|identity| core.contains(&format!("RevisionNumber=\"{}\"", identity.revision))),
        "{ids:?}"
    );
}
