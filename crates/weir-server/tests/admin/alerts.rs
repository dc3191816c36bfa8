//! Status messages and alerts, and that somebody is told.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use weir_testkit::{
    Computer, Document, MailFault, MailServer, MailTls, Payload, Receiver, Reply, ScriptedAgent, engine,
};

use crate::{
    harness::{Server, id},
    sync::{synchronize, until},
};

async fn set(server: &Server, key: &str, value: Value) {
    server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
}

/// Opens alerts as parts of the server do, all at once.
fn raise(server: &Server, kind: &str, subjects: impl IntoIterator<Item = String>, severity: i64) {
    let mut values: Vec<engine::Value> = vec![kind.into(), severity.into(), Timestamp::now().as_microsecond().into()];
    let mut rows = Vec::new();
    for subject in subjects {
        values.push(subject.into());
        rows.push(format!("(?1, ?{}, ?2, 'something is wrong', ?3, ?3, 1)", values.len()));
    }
    let insert = "INSERT INTO alert (kind, subject, severity, message, opened_at, raised_at, count) VALUES";
    server.execute(&format!("{insert} {}", rows.join(", ")), &values);
}

async fn wait<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "not {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn subscribe(server: &Server, body: Value) -> Value {
    let mut body = body;
    let fast = json!({ "group_seconds": 0, "name": "Ops" });
    for (key, value) in fast.as_object().expect("object") {
        if body.get(key).is_none() {
            body[key] = value.clone();
        }
    }
    server.post("subscriptions", body).await.ok()
}

async fn delivered(server: &Server, count: usize) -> Value {
    until(server, "deliveries?state=delivered", "delivered", |list| {
        list["items"].as_array().expect("items").len() >= count
    })
    .await
}

/// RFC 2104, from the hash alone.
fn mac(secret: &str, text: &str) -> String {
    let mut key = secret.as_bytes().to_vec();
    assert!(key.len() <= 64);
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), text.as_bytes().to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[tokio::test]
async fn a_failed_synchronization_is_told_in_messages_and_an_alert() {
    let server = Server::start().await;
    set(&server, "source", json!("http://127.0.0.1:1")).await;
    let run = synchronize(&server).await;
    let messages = server.get("messages?component=synchronization").await.ok();
    let codes: Vec<_> = messages["items"].as_array().expect("items").iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, [1902, 1003, 1001], "{messages}");
    let failed = &messages["items"][1];
    assert_eq!((&failed["severity"], &failed["about"]["id"]), (&json!("error"), &run["id"]));
    assert_eq!(failed["parameters"]["source"], "http://127.0.0.1:1");
    assert_eq!(server.get("messages?severity=error").await.ok()["items"].as_array().expect("items").len(), 1);
    assert_eq!(server.get("messages?code=1701&text=SOURCE&since=1h").await.ok()["items"][0]["component"], "settings");
    let page = server.get("messages?limit=2").await.ok();
    let rest = server.get(&format!("messages?cursor={}", page["next"].as_str().expect("more"))).await.ok();
    assert_eq!(rest["items"][0]["code"], 1001);
    for (query, code) in [
        ("component=plumbing", "component"),
        ("severity=awful", "severity"),
        ("since=tomorrow", "time"),
        ("limit=0", "limit"),
        ("colour=red", "query"),
        ("cursor=x", "cursor"),
    ] {
        assert_eq!(server.get(&format!("messages?{query}")).await.refused(400), code, "{query}");
    }
    let meanings = server.get("message-meanings").await.ok();
    let sync = meanings["items"].as_array().expect("items").iter().find(|row| row["code"] == 1003).expect("known");
    assert_eq!(sync["similar_to"], 6703);

    let alert = server.get("alerts?state=open&kind=sync&severity=warning").await.ok()["items"][0].clone();
    assert_eq!((&alert["key"], &alert["count"]), (&json!("sync.failed:synchronization"), &json!(1)));
    assert_eq!(server.get("status").await.ok()["counts"]["alerts"], 1);
    server.stop().await;
}

#[tokio::test]
async fn administrators_acknowledge_mute_and_close() {
    let server = Server::start().await;
    raise(&server, "rule.failed", ["Monthly".to_owned(), "Weekly".to_owned()], 1);
    raise(&server, "content.mismatch", ["file".to_owned()], 2);
    let list = server.get("alerts").await.ok();
    let subjects: Vec<_> = list["items"].as_array().expect("items").iter().map(|row| row["subject"].clone()).collect();
    assert_eq!(subjects, ["file", "Weekly", "Monthly"]);
    let counts = server.get("alert-counts").await.ok();
    assert_eq!((&counts["open"], &counts["critical"], &counts["warning"]), (&json!(3), &json!(1), &json!(2)));
    assert_eq!(counts["kinds"][1], json!({ "kind": "rule.failed", "open": 2 }));
    let (monthly, weekly) = (1, 2);

    let known = server.post(&format!("alerts/{monthly}/acknowledge"), json!({ "note": "mine" })).await.ok();
    assert_eq!((&known["acknowledged_by"], &known["note"]), (&json!("administrator"), &json!("mine")));
    let muted = server.post(&format!("alerts/{weekly}/mute"), json!({ "until": "+4h" })).await.ok();
    assert!(muted["muted_until"].is_string());
    assert_eq!(server.get("alert-counts").await.ok()["muted"], 1);
    for (path, body, status, code) in [
        ("alerts/2/mute", json!({ "until": "2001-01-01T00:00:00Z" }), 400, "until"),
        ("alerts/2/mute", json!({ "until": "+400d" }), 400, "until"),
        ("alerts/2/mute", json!({ "until": "soon" }), 400, "time"),
        ("alerts/2/mute", json!({}), 400, "body"),
        ("alerts/2/acknowledge", json!({ "note": "x".repeat(1_001) }), 400, "note"),
        ("alerts/2/acknowledge", json!({ "colour": "red" }), 400, "body"),
        ("alerts/3/close", json!({}), 409, "closes_by_itself"),
        ("alerts/99/close", json!({}), 404, "not_found"),
    ] {
        assert_eq!(server.post(path, body.clone()).await.refused(status), code, "{path} {body}");
    }
    assert_eq!(server.post("alerts/2/unmute", json!({})).await.ok()["muted_until"], Value::Null);
    let closed = server.post("alerts/1/close", json!({ "note": "done" })).await.ok();
    assert_eq!((&closed["closed_by"], closed["closed_at"].is_string()), (&json!("administrator"), true));
    assert_eq!(server.post("alerts/1/close", json!({})).await.refused(409), "closed");
    let shown = server.get("alerts/1").await.ok();
    let history: Vec<_> =
        shown["history"].as_array().expect("history").iter().map(|event| event["what"].clone()).collect();
    assert_eq!(history, ["acknowledged", "closed"]);
    assert_eq!(server.get("alerts?state=closed").await.ok()["items"][0]["id"], 1);
    assert_eq!(server.get("alerts?state=ajar").await.refused(400), "state");
    assert_eq!(server.get("alerts?kind=a%20b").await.refused(400), "kind");
    let unknown = server.get("alerts?kind=sync.failled").await;
    assert_eq!(unknown.refused(400), "kind");
    assert!(unknown.body["next_step"].as_str().is_some_and(|text| text.starts_with("did you mean sync.failed?")));
    let audit = server.get("audit").await.ok();
    let actions: Vec<_> =
        audit["items"].as_array().expect("items").iter().take(4).map(|row| row["action"].clone()).collect();
    assert_eq!(actions, ["alert.close", "alert.unmute", "alert.mute", "alert.acknowledge"]);
    let page = server.http.get(server.admin("/alerts")).bearer_auth(&server.token).send().await.expect("page");
    let page = page.text().await.expect("text");
    assert!(page.contains("content.mismatch"), "{page}");
    server.stop().await;
}

#[tokio::test]
async fn subscriptions_are_checked_before_anything_is_stored() {
    let server = Server::start().await;
    let hook = |change: Value| {
        let mut body = json!({ "name": "Hook", "url": "https://hooks.example/x" });
        body.as_object_mut().expect("object").extend(change.as_object().expect("object").clone());
        body
    };
    let many: Vec<String> = (0..51).map(|number| format!("a{number}@example.org")).collect();
    for (body, code) in [
        (json!({ "name": "None" }), "channel"),
        (hook(json!({ "addresses": ["a@example.org"] })), "channel"),
        (json!({ "name": "Mail", "addresses": ["a@example.org"], "secret": "x".repeat(20) }), "channel"),
        (hook(json!({ "name": "" })), "name"),
        (hook(json!({ "name": "a\r\nb" })), "name"),
        (hook(json!({ "name": "x".repeat(101) })), "name"),
        (hook(json!({ "url": "ftp://hooks.example/x" })), "url"),
        (hook(json!({ "url": "file:///etc/passwd" })), "url"),
        (hook(json!({ "url": "http://hooks.example/x" })), "url"),
        (hook(json!({ "url": "https://user:word@hooks.example/x" })), "url"),
        (hook(json!({ "url": "https://" })), "url"),
        (hook(json!({ "url": "https://hooks.example/a b" })), "url"),
        (hook(json!({ "secret": "short" })), "secret"),
        (hook(json!({ "kinds": ["no such\nkind"] })), "kind"),
        (hook(json!({ "kinds": ["content", "contents"] })), "kind"),
        (hook(json!({ "severity": "bad" })), "severity"),
        (hook(json!({ "repeat_minutes": 10_081 })), "repeat_minutes"),
        (hook(json!({ "group_seconds": 3_601 })), "group_seconds"),
        (hook(json!({ "most_per_hour": 0 })), "most_per_hour"),
        (hook(json!({ "colour": "red" })), "body"),
        (json!({ "name": "Mail", "addresses": ["a@example.org\r\nBcc: b@example.org"] }), "addresses"),
        (json!({ "name": "Mail", "addresses": ["a@example.org", "A@example.org"] }), "addresses"),
        (json!({ "name": "Mail", "addresses": many }), "addresses"),
    ] {
        assert_eq!(server.post("subscriptions", body.clone()).await.refused(400), code, "{body}");
    }
    assert_eq!(server.get("subscriptions").await.ok(), json!({ "items": [], "next": null }));
    let made = server.post("subscriptions", hook(json!({ "kinds": ["Content.*", "content"] }))).await.ok();
    let secret = made["secret"].as_str().expect("shown once").to_owned();
    assert_eq!((&made["kinds"], &made["severity"]), (&json!(["content"]), &json!("warning")));
    assert_eq!(server.post("subscriptions", hook(json!({ "name": "hOOk" }))).await.refused(409), "exists");
    let shown = server.get("subscriptions/HOOK").await.ok();
    assert!(!shown.to_string().contains(&secret) && shown.get("secret").is_none());
    assert_eq!(server.get(&format!("subscriptions/{}", made["id"].as_str().expect("id"))).await.ok(), shown);
    for (change, code) in [
        (json!({ "addresses": ["a@example.org"] }), "channel"),
        (json!({ "url": "http://hooks.example" }), "url"),
        (json!({ "new_secret": true, "secret": "x".repeat(20) }), "secret"),
        (json!({ "secret_overlap_hours": 721 }), "secret_overlap_hours"),
        (json!({ "name": "Other", "severity": "bad" }), "severity"),
    ] {
        assert_eq!(server.patch("subscriptions/Hook", change.clone()).await.refused(400), code, "{change}");
    }
    assert_eq!(server.get("subscriptions/Hook").await.ok(), shown, "nothing is half applied");
    let changed = server.patch("subscriptions/Hook", json!({ "new_secret": true, "name": "Other" })).await.ok();
    assert!(changed["secret"].is_string() && changed["secret_before_until"].is_string());
    assert_eq!(server.get("subscriptions/Hook").await.refused(404), "not_found");
    server.delete("subscriptions/Other").await;
    assert_eq!(server.get("subscriptions").await.ok()["items"], json!([]));
    let audit = server.get("audit").await.ok();
    assert_eq!(audit["items"][0]["action"], "subscription.delete");
    assert!(!audit.to_string().contains(&secret), "secrets are not audited");
    server.stop().await;
}

#[tokio::test]
async fn a_webhook_is_signed_and_tried_again_until_it_is_taken() {
    let server = Server::start().await;
    let receiver = Receiver::plain();
    set(&server, "alerts.retry_seconds", json!(1)).await;
    let secret = "a secret of the test";
    subscribe(&server, json!({ "url": receiver.url(), "allow_http": true, "secret": secret, "on_close": true })).await;
    receiver.reply(Reply::status(503));
    receiver.reply(Reply { body: "x".repeat(100_000), ..Reply::status(500) });
    receiver.reply(Reply { location: Some("http://127.0.0.1:1/".to_owned()), ..Reply::status(302) });
    raise(&server, "content.mismatch", ["file".to_owned()], 2);
    let list = delivered(&server, 1).await;
    let delivery = &list["items"][0];
    assert_eq!((&delivery["attempts"], &delivery["event"]), (&json!(4), &json!("alert.opened")));
    let calls = receiver.calls();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [503, 500, 302, 200]);
    for call in &calls {
        assert_eq!(call.header("weir-delivery"), delivery["id"].as_str());
        assert_eq!(call.header("weir-event"), Some("alert.opened"));
        assert_eq!(call.header("content-type"), Some("application/json"));
        assert_eq!(call.body, calls[0].body, "each attempt sends the same");
        let signature = call.header("weir-signature").expect("signed");
        let (time, mac_given) = signature.split_once(",v1=").expect("two parts");
        let time = time.strip_prefix("t=").expect("a time");
        let age = Timestamp::now().as_second() - time.parse::<i64>().expect("seconds");
        assert!((0..120).contains(&age));
        assert_eq!(mac_given, mac(secret, &format!("{time}.{}", call.body)));
    }
    let body: Value = serde_json::from_str(&calls[0].body).expect("JSON");
    assert_eq!((&body["version"], &body["count"], &body["event"]), (&json!(1), &json!(1), &json!("alert.opened")));
    assert_eq!(body["alerts"][0]["subject"], "file");
    assert_eq!(body["severities"], json!({ "critical": 1 }));
    let messages = server.get("messages?component=notifications").await.ok();
    let codes: Vec<_> = messages["items"].as_array().expect("items").iter().map(|row| row["code"].clone()).collect();
    // recovered, the alert about three failures closed and opened, failed, made
    assert_eq!(codes, [1904, 1804, 1902, 1803, 1805], "{messages}");
    assert!(server.get("alerts?kind=notification").await.ok()["items"][0]["closed_at"].is_string());

    // a second secret signs beside the first one
    server.patch("subscriptions/Ops", json!({ "secret": "another secret here" })).await.ok();
    server.post("alert-evaluation", json!({})).await.ok();
    server.execute("UPDATE alert SET closed_at = ?1", &[Timestamp::now().as_microsecond().into()]);
    delivered(&server, 2).await;
    let closed = receiver.calls().pop().expect("called");
    assert_eq!(closed.header("weir-event"), Some("alert.closed"));
    let signature = closed.header("weir-signature").expect("signed").to_owned();
    let parts: Vec<&str> = signature.split(",v1=").collect();
    let signed = format!("{}.{}", parts[0].strip_prefix("t=").expect("a time"), closed.body);
    assert_eq!(parts[1..], [mac("another secret here", &signed), mac(secret, &signed)]);
    server.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_switches_its_subscription_off() {
    let server = Server::start().await;
    let (gone, other) = (Receiver::plain(), Receiver::plain());
    subscribe(&server, json!({ "url": gone.url(), "allow_http": true })).await;
    subscribe(&server, json!({ "name": "Others", "url": other.url(), "allow_http": true })).await;
    gone.always(Some(Reply::status(410)));
    raise(&server, "content.mismatch", ["file".to_owned()], 2);
    let shown = until(&server, "subscriptions/Ops", "switched off", |shown| shown["enabled"] == false).await;
    assert!(shown["disabled_because"].as_str().expect("why").contains("410"), "{shown}");
    let list = server.get("deliveries?subscription=Ops").await.ok();
    assert_eq!((&list["items"][0]["state"], &list["items"][0]["attempts"]), (&json!("given_up"), &json!(1)));
    // the other one hears of that, too
    let calls = wait("told of both", || Some(other.calls()).filter(|calls| calls.len() == 2)).await;
    assert!(calls[1].body.contains("notification.failed"), "{}", calls[1].body);
    assert_eq!(gone.calls().len(), 1);
    server.patch("subscriptions/Ops", json!({ "enabled": true })).await.ok();
    assert_eq!(server.get("subscriptions/Ops").await.ok()["disabled_because"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn https_is_verified_with_an_authority_of_the_settings() {
    let server = Server::start().await;
    let receiver = Receiver::secure();
    subscribe(&server, json!({ "url": receiver.url() })).await;
    let tested = server.call(Method::POST, "subscriptions/Ops/test", None).await.ok();
    assert_eq!(tested["delivered"], false);
    assert!(tested["error"].as_str().expect("why").contains("cannot be reached"), "{tested}");
    assert!(receiver.calls().is_empty(), "nothing is sent to whom is not trusted");
    let file = server.data.path().join("roots.pem");
    std::fs::write(&file, receiver.authority()).expect("written");
    set(&server, "alerts.ca_file", json!(file.to_str().expect("UTF-8"))).await;
    let tested = server.call(Method::POST, "subscriptions/Ops/test", None).await.ok();
    assert_eq!((&tested["delivered"], &tested["error"]), (&json!(true), &Value::Null), "{tested}");
    assert_eq!(receiver.calls()[0].header("weir-event"), Some("test"));
    server.stop().await;
}

#[tokio::test]
async fn a_storm_is_one_message() {
    let server = Server::start().await;
    let receiver = Receiver::plain();
    subscribe(&server, json!({ "url": receiver.url(), "allow_http": true, "kinds": ["content"] })).await;
    raise(&server, "content.mismatch", (0..1_000).map(|number| format!("file {number}")), 2);
    raise(&server, "sync.failed", ["x".to_owned()], 2);
    let list = delivered(&server, 1).await;
    assert_eq!(list["items"].as_array().expect("items").len(), 1);
    let body: Value = serde_json::from_str(&receiver.calls()[0].body).expect("JSON");
    assert_eq!((&body["event"], &body["count"]), (&json!("alert.digest"), &json!(1_000)));
    assert_eq!(body["alerts"].as_array().expect("alerts").len(), 100);
    assert_eq!(body["kinds"], json!({ "content.mismatch": 1_000 }));
    // one that opens later comes by itself
    raise(&server, "content.mismatch", ["later".to_owned()], 2);
    delivered(&server, 2).await;
    let body: Value = serde_json::from_str(&receiver.calls()[1].body).expect("JSON");
    assert_eq!((&body["event"], &body["alerts"][0]["subject"]), (&json!("alert.opened"), &json!("later")));
    server.stop().await;
}

#[tokio::test]
async fn what_was_being_tried_is_sent_after_a_restart() {
    let server = Server::start().await;
    let receiver = Receiver::plain();
    set(&server, "alerts.retry_seconds", json!(1)).await;
    subscribe(&server, json!({ "url": receiver.url(), "allow_http": true })).await;
    receiver.always(Some(Reply { delay: Duration::from_secs(20), ..Reply::status(200) }));
    receiver.reply(Reply::status(503));
    raise(&server, "content.mismatch", ["file".to_owned()], 2);
    // one attempt failed, the next one is under way and has no answer yet
    wait("called twice", || (receiver.calls().len() >= 2).then_some(())).await;
    let before = server.get("deliveries").await.ok();
    assert_eq!((&before["items"][0]["state"], &before["items"][0]["attempts"]), (&json!("waiting"), &json!(2)));
    let data = server.stop().await;
    receiver.always(None);
    let server = Server::start_in(data).await;
    let after = delivered(&server, 1).await;
    assert_eq!(after["items"][0]["id"], before["items"][0]["id"]);
    assert_eq!(after["items"][0]["attempts"], 3);
    assert_eq!(server.get("deliveries").await.ok()["items"].as_array().expect("items").len(), 1);
    server.stop().await;
}

async fn mail(server: &Server, mail: &MailServer, tls: &str) {
    let file = server.data.path().join("mail.pem");
    std::fs::write(&file, mail.authority()).expect("written");
    set(server, "mail.host", json!("127.0.0.1")).await;
    set(server, "mail.port", json!(mail.port())).await;
    set(server, "mail.tls", json!(tls)).await;
    set(server, "mail.from", json!("weir@example.org")).await;
    set(server, "mail.ca_file", json!(file.to_str().expect("UTF-8"))).await;
    set(server, "alerts.retry_seconds", json!(1)).await;
}

async fn try_it(server: &Server) -> Value {
    server.call(Method::POST, "subscriptions/Ops/test", None).await.ok()
}

#[tokio::test]
async fn mail_goes_over_tls_to_whom_it_is_for() {
    let server = Server::start().await;
    let post = MailServer::start(MailTls::StartTls);
    post.account("weir", "sesame");
    subscribe(&server, json!({ "addresses": ["a@example.org", "b@example.org"], "on_close": true })).await;
    let unset = try_it(&server).await;
    assert!(unset["next_step"].as_str().expect("advice").contains("mail.host"), "{unset}");
    mail(&server, &post, "starttls").await;
    assert!(try_it(&server).await["error"].as_str().expect("why").contains("530"), "it wants a user");
    set(&server, "mail.user", json!("weir")).await;
    set(&server, "mail.password", json!("wrong")).await;
    assert!(try_it(&server).await["error"].as_str().expect("why").contains("535"));
    set(&server, "mail.password", json!("sesame")).await;
    assert_eq!(server.get("settings/mail.password").await.ok()["value"], "set");
    let tested = try_it(&server).await;
    assert_eq!(tested["delivered"], true, "{tested}");

    // a file's name, say, tries to be a header, and has letters of other scripts
    raise(&server, "content.mismatch", ["\u{fc}ber\r\nBcc: spy@example.org".to_owned()], 2);
    delivered(&server, 1).await;
    server.execute("UPDATE alert SET closed_at = ?1", &[Timestamp::now().as_microsecond().into()]);
    delivered(&server, 2).await;
    let received = post.received();
    assert_eq!(received.len(), 3);
    for message in &received {
        assert!(message.encrypted && message.user.as_deref() == Some("weir"));
        assert_eq!((message.from.as_str(), message.to.len()), ("weir@example.org", 2));
        assert_eq!(message.header("To").as_deref(), Some("a@example.org, b@example.org"));
        assert_eq!(message.header("Bcc"), None);
        assert!(message.text.is_ascii());
    }
    let [test, opened, closed] = received.as_slice() else { panic!("three") };
    assert!(test.header("Subject").expect("subject").contains("Test of the subscription Ops"));
    assert!(opened.header("Subject").expect("subject").starts_with("=?utf-8?B?"));
    assert!(opened.part("text/plain").expect("text").contains("\u{fc}ber  Bcc: spy@example.org"));
    assert!(opened.part("text/html").expect("html").contains("something is wrong"));
    let root = opened.header("Message-ID").expect("an id");
    assert_eq!(closed.header("References").as_deref(), Some(root.as_str()));
    assert_ne!(closed.header("Message-ID"), opened.header("Message-ID"));
    server.stop().await;
}

#[tokio::test]
async fn mail_servers_that_fail_are_tried_again_or_given_up() {
    let server = Server::start().await;
    let post = MailServer::start(MailTls::None);
    subscribe(&server, json!({ "addresses": ["a@example.org", "nobody@example.org"] })).await;
    mail(&server, &post, "starttls").await;
    let none = try_it(&server).await;
    assert!(none["error"].as_str().expect("why").contains("offers no STARTTLS"), "{none}");
    assert!(post.received().is_empty(), "nothing passes in clear unless it is chosen");
    set(&server, "mail.tls", json!("none")).await;
    set(&server, "mail.user", json!("weir")).await;
    assert!(try_it(&server).await["error"].as_str().expect("why").contains("without TLS"));
    set(&server, "mail.user", json!("")).await;

    // not now, not now, cut before the answer: at least once means twice here
    post.refuse("nobody@example.org", 550);
    post.fault(MailFault::Greeting(421));
    post.fault(MailFault::Message(451));
    post.fault(MailFault::Cut);
    raise(&server, "content.mismatch", ["file".to_owned()], 2);
    let list = delivered(&server, 1).await;
    assert_eq!(list["items"][0]["attempts"], 4);
    assert!(list["items"][0]["answer"].as_str().expect("answer").contains("not for nobody@example.org"), "{list}");
    let received = post.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("Message-ID"), received[1].header("Message-ID"), "receivers can tell");
    assert_eq!(received[1].to, ["a@example.org"]);

    // nobody is left who may get it
    post.refuse("a@example.org", 550);
    raise(&server, "content.mismatch", ["other".to_owned()], 2);
    let given_up = until(&server, "deliveries?state=given_up", "given up", |list| list["items"][0].is_object()).await;
    assert_eq!(given_up["items"][0]["attempts"], 1);
    assert_eq!(server.get("messages?code=1801").await.ok()["items"][0]["parameters"]["subscription"], "Ops");
    assert_eq!(server.get("alerts?kind=notification&state=open").await.ok()["items"][0]["subject"], "Ops");
    server.stop().await;
}

#[tokio::test]
async fn a_silent_mail_server_holds_nobody_else_up() {
    let server = Server::start().await;
    let (post, receiver) = (MailServer::start(MailTls::Implicit), Receiver::plain());
    mail(&server, &post, "implicit").await;
    subscribe(&server, json!({ "addresses": ["a@example.org"] })).await;
    let tested = try_it(&server).await;
    assert_eq!(tested["delivered"], true, "{tested}");
    assert!(post.received()[0].encrypted);
    subscribe(&server, json!({ "name": "Hook", "url": receiver.url(), "allow_http": true })).await;
    post.fault(MailFault::Silent);
    raise(&server, "content.mismatch", ["file".to_owned()], 2);
    wait("the silent one is called", || (post.connections() >= 2).then_some(())).await;
    raise(&server, "content.mismatch", ["another".to_owned()], 2);
    wait("the other one is told of both", || (receiver.calls().len() >= 2).then_some(())).await;
    let waiting = server.get("deliveries?subscription=Ops&state=waiting").await.ok();
    assert!(!waiting["items"].as_array().expect("items").is_empty(), "{waiting}");
    // and it ends with the server at once
    server.stop().await;
}

#[tokio::test]
async fn compliance_below_what_a_deployment_asks_for_is_an_alert() {
    let server = Server::start().await;
    let payload = Payload::random("fix.cab", 5_000, 3);
    server
        .import_documents(&[
            Document::detectoid(id(1), 1).title("Fact"),
            Document::software(id(2), 1).title("Fix").requires(id(1)).file(&payload),
        ])
        .await;
    server.upload("content", &[("x", &payload.bytes)]).await.ok();
    let mut agents = Vec::new();
    for number in 1..=2 {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        agents.push(agent);
    }
    let body = json!({ "update": id(2), "collection": "All Computers", "action": "install", "deadline": "+1h" });
    let deployment = server.post("deployments", body).await.ok()["id"].as_i64().expect("id");
    let ask = |settings: Value, deadline: Timestamp| {
        let change = "UPDATE deployment SET settings = ?1, deadline_at = ?2 WHERE deployment_id = ?3";
        let values = [settings.to_string().into(), deadline.as_microsecond().into(), deployment.into()];
        server.execute(change, &values);
    };
    let open = async || {
        server.post("alert-evaluation", json!({})).await.ok();
        server.get("alerts?kind=compliance&state=open").await.ok()["items"].as_array().expect("items").clone()
    };
    let hours = |hours: i64| jiff::SignedDuration::from_hours(hours);
    let now = Timestamp::now();
    ask(json!({ "alert": null }), now - hours(2));
    assert!(open().await.is_empty(), "nobody asked for it");
    ask(json!({ "alert": { "below_percent": 90, "minutes_after_deadline": 180 } }), now - hours(2));
    assert!(open().await.is_empty(), "it is not due");
    ask(json!({ "alert": { "below_percent": 90, "minutes_after_deadline": 60 }, "other": "x" }), now - hours(2));
    let low = open().await;
    assert!(low[0]["message"].as_str().expect("words").contains("0 of 2 computers"), "{low:?}");
    assert_eq!(low[0]["subject"], deployment.to_string());
    for agent in &mut agents[..1] {
        agent.scan().await.expect("scan");
        agent.install_offered().await.expect("installed");
        agent.scan().await.expect("scan");
        agent.report_scan().await.expect("reported");
    }
    let half = open().await;
    assert!(half[0]["message"].as_str().expect("words").contains("1 of 2 computers (50 %)"), "{half:?}");
    ask(json!({ "alert": { "below_percent": 50, "minutes_after_deadline": 0 }, "notify": "all" }), now - hours(2));
    assert!(open().await.is_empty(), "half is enough");
    let closed = server.get("alerts?kind=compliance").await.ok();
    assert_eq!(closed["items"][0]["closed_by"], Value::Null);
    ask(json!({ "alert": { "below_percent": 51, "minutes_after_deadline": 60 } }), now - hours(2));
    assert_eq!(open().await.len(), 1);
    server.delete(&format!("deployments/{deployment}")).await;
    assert!(open().await.is_empty(), "it is gone");
    server.stop().await;
}

#[tokio::test]
async fn silent_computers_and_full_disks_are_alerts_when_it_is_wanted() {
    let server = Server::start().await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let open = async |kind: &str| {
        server.post("alert-evaluation", json!({})).await.ok();
        let list = server.get(&format!("alerts?kind={kind}&state=open")).await.ok();
        list["items"].as_array().expect("items").clone()
    };
    assert!(open("computers").await.is_empty());
    let long_ago = (Timestamp::now() - jiff::SignedDuration::from_hours(24 * 31)).as_microsecond();
    server.execute("UPDATE computer SET last_contact_at = ?1, last_report_at = NULL", &[long_ago.into()]);
    assert!(open("computers").await.is_empty(), "off by default");
    set(&server, "alerts.computer_silent_days", json!(30)).await;
    let silent = open("computers").await;
    assert!(silent[0]["message"].as_str().expect("words").starts_with("1 computer was not heard of"), "{silent:?}");
    set(&server, "alerts.computer_silent_days", json!(60)).await;
    assert!(open("computers").await.is_empty(), "that long it was not silent");

    set(&server, "alerts.disk_free_gib", json!(1_000_000)).await;
    let full = open("disk").await;
    assert_eq!(full.iter().map(|row| row["severity"].clone()).collect::<Vec<_>>(), ["critical", "critical"]);
    set(&server, "alerts.disk_free_gib", json!(0)).await;
    assert!(open("disk").await.is_empty());
    server.stop().await;
}
