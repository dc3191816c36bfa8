//! Users, sessions, tokens and the audit log.

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use weir_store::Actor;

use crate::harness::{Answer, Server};

const FIRST: &str = "first of many words";
const SECOND: &str = "second of many words";

/// A browser: it has a cookie, and says where its requests are from.
struct Browser<'s> {
    server: &'s Server,
    cookie: String,
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("set-cookie")?.to_str().expect("text");
    Some(value.split(';').next().expect("pair").to_owned())
}

async fn sign_in<'s>(server: &'s Server, name: &str, password: &str) -> Result<(Browser<'s>, Value), Answer> {
    let request = server.http.post(server.admin("/api/v1/session")).header("sec-fetch-site", "same-origin");
    let answer = request.json(&json!({ "name": name, "password": password })).send().await.expect("answer");
    let cookie = cookie(answer.headers());
    let answer = Server::answer(answer).await;
    match cookie {
        Some(cookie) => Ok((Browser { server, cookie }, answer.ok())),
        None => Err(answer),
    }
}

impl Browser<'_> {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = self.server.admin(&format!("/api/v1/{path}"));
        let mut request = self.server.http.request(method, url).header("cookie", &self.cookie);
        request = request.header("sec-fetch-site", "same-origin");
        if let Some(body) = body {
            request = request.json(&body);
        }
        Server::answer(request.send().await.expect("answer")).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }
}

async fn user(server: &Server, name: &str, role: &str) {
    let body = json!({ "name": name, "role": role, "password": FIRST });
    let made = server.post("users", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["password"], Value::Null, "it was given");
    let text = made.body.to_string();
    assert!(!text.contains("argon2") && !text.contains(FIRST), "{text}");
}

/// Signs in for the first time.
async fn arrive<'s>(server: &'s Server, name: &str) -> Browser<'s> {
    let (browser, _) = sign_in(server, name, FIRST).await.expect("signed in");
    let change = json!({ "current": FIRST, "password": SECOND });
    let changed = browser.call(Method::PUT, "session/password", Some(change)).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.body);
    assert_eq!(browser.get("session").await.refused(401), "unauthorized", "its secret ended with the password");
    sign_in(server, name, SECOND).await.expect("signed in").0
}

#[tokio::test]
async fn a_user_chooses_a_password_before_anything_else() {
    let server = Server::start().await;
    user(&server, "Alice", "operator").await;
    let (browser, session) = sign_in(&server, "ALICE", FIRST).await.expect("case does not matter");
    assert_eq!(
        (&session["principal"], &session["role"], &session["proof"]),
        (&json!("Alice"), &json!("operator"), &json!("session"))
    );
    assert_eq!((&session["collections"], &session["last_visit"]), (&json!([]), &Value::Null));
    assert_eq!(browser.get("computers").await.refused(403), "password_change");
    assert_eq!(browser.get("session").await.ok()["principal"], "Alice");
    let change = |current: &str, password: &str| json!({ "current": current, "password": password });
    let put = |body: Value| browser.call(Method::PUT, "session/password", Some(body));
    assert_eq!(put(change("wrong", SECOND)).await.refused(403), "password");
    for weak in ["short", "aaaaaaaaaaaaaaaa", "alice alice alice", FIRST] {
        assert_eq!(put(change(FIRST, weak)).await.refused(400), "password", "{weak}");
    }
    let (other, _) = sign_in(&server, "alice", FIRST).await.expect("another session");
    assert_eq!(put(change(FIRST, SECOND)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(other.get("session").await.refused(401), "unauthorized", "other sessions ended");
    assert_eq!(browser.get("computers").await.refused(401), "unauthorized", "its secret ended with the password");
    assert_eq!(sign_in(&server, "Alice", FIRST).await.err().expect("refused").refused(401), "sign_in");
    let (_, session) = sign_in(&server, "Alice", SECOND).await.expect("signed in");
    assert!(session["last_visit"].is_string(), "{session}");
    server.stop().await;
}

#[tokio::test]
async fn wrong_names_and_passwords_are_told_alike_and_cost_time() {
    let server = Server::start().await;
    user(&server, "alice", "operator").await;
    let wrong = sign_in(&server, "alice", "not the password").await.err().expect("refused");
    let unknown = sign_in(&server, "nobody", "not the password").await.err().expect("refused");
    let built_in = sign_in(&server, "administrator", "not the password").await.err().expect("refused");
    assert_eq!(wrong.refused(401), "sign_in");
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.body, built_in.body, "it has no password");
    // an account waits, whoever asks; the right password does not help then
    let mut seen = Vec::new();
    for _ in 0..8 {
        let request = server.http.post(server.admin("/api/v1/session"));
        let answer = request.json(&json!({ "name": "Alice", "password": "guess" })).send().await.expect("answer");
        if answer.status() == 429 {
            let after: u64 = answer.headers()["retry-after"].to_str().expect("text").parse().expect("a number");
            assert!((1..=301).contains(&after), "{after}");
        }
        seen.push(answer.status().as_u16());
    }
    assert!(seen.contains(&429), "{seen:?}");
    assert_eq!(sign_in(&server, "alice", FIRST).await.err().expect("waits").refused(429), "too_many_attempts");
    server.stop().await;
}

#[tokio::test]
async fn a_token_lets_nobody_in() {
    let server = Server::start().await;
    user(&server, "alice", "operator").await;
    let new = json!({ "name": "all", "role": "full_administrator" });
    let made = server.post("tokens", new).await.ok();
    let secret = made["secret"].as_str().expect("secret").to_owned();
    let calls = [
        (Method::POST, "sign-in-links", json!({})),
        (Method::POST, "users", json!({ "name": "mallory", "role": "full_administrator" })),
        (Method::PUT, "users/alice/password", json!({})),
        (Method::PUT, "group-mappings/all", json!({ "role": "full_administrator" })),
        (Method::DELETE, "group-mappings/all", json!({})),
    ];
    for (method, path, body) in calls {
        let answer = server.call_as(&secret, method, path, Some(body)).await;
        assert_eq!(answer.refused(403), "forbidden", "{path}");
    }
    assert_eq!(server.get("users/mallory").await.refused(404), "not_found");
    sign_in(&server, "alice", FIRST).await.expect("the password is as it was");
    server.stop().await;
}

#[tokio::test]
async fn who_has_to_change_the_password_makes_no_tokens() {
    let server = Server::start().await;
    user(&server, "alice", "operator").await;
    let (browser, _) = sign_in(&server, "alice", FIRST).await.expect("signed in");
    let made = browser.call(Method::POST, "tokens", Some(json!({ "name": "t", "role": "operator" }))).await;
    assert_eq!(made.refused(403), "password_change");
    server.stop().await;
}

#[tokio::test]
async fn disabling_and_resetting_end_sessions() {
    let server = Server::start().await;
    user(&server, "alice", "software_update_manager").await;
    let browser = arrive(&server, "alice").await;
    browser.get("computers").await.ok();
    server.patch("users/alice", json!({ "enabled": false })).await.ok();
    assert_eq!(browser.get("session").await.refused(401), "unauthorized");
    assert_eq!(sign_in(&server, "alice", SECOND).await.err().expect("refused").refused(401), "sign_in");
    server.patch("users/alice", json!({ "enabled": true })).await.ok();
    assert_eq!(browser.get("session").await.refused(401), "unauthorized", "it ended, it did not rest");
    let (browser, _) = sign_in(&server, "alice", SECOND).await.expect("signed in");
    let reset = server.call(Method::PUT, "users/alice/password", Some(json!({}))).await.ok();
    let password = reset["password"].as_str().expect("one was made").to_owned();
    assert_eq!(browser.get("session").await.refused(401), "unauthorized");
    let (browser, _) = sign_in(&server, "alice", &password).await.expect("signed in");
    assert_eq!(browser.get("computers").await.refused(403), "password_change");
    server.stop().await;
}

#[tokio::test]
async fn a_session_gets_another_secret_and_ends_when_it_rests() {
    let server = Server::start().await;
    user(&server, "alice", "operator").await;
    let cookie = arrive(&server, "alice").await.cookie;
    let data = server.stop().await;
    let store = crate::access::opened(data.path()).await;
    let now = jiff::Timestamp::now();
    // the store is told the time: it is long since the secret changed
    let no = store.read(|tx| tx.user_find("alice")).expect("read").expect("there").no;
    store.write(&Actor::system("test", now), |tx| tx.session_outdate(no)).expect("written");
    drop(store);
    let server = Server::start_in(data).await;
    let ask = |cookie: &str| server.http.get(server.admin("/api/v1/session")).header("cookie", cookie).send();
    let answer = ask(&cookie).await.expect("answer");
    assert_eq!(answer.status(), 200);
    let renewed = self::cookie(answer.headers()).expect("another secret");
    assert_ne!(renewed, cookie);
    let again = ask(&cookie).await.expect("answer");
    assert_eq!(again.status(), 200, "requests were under way with the one before");
    assert!(again.headers().get("set-cookie").is_none(), "it changes once");
    assert_eq!(ask(&renewed).await.expect("answer").status(), 200);

    let data = server.stop().await;
    let store = crate::access::opened(data.path()).await;
    let rested = now - jiff::SignedDuration::from_mins(61);
    let ids: Vec<_> = store.read(|tx| tx.session_list(now)).expect("read").into_iter().map(|row| row.id).collect();
    for id in ids {
        store.write(&Actor::system("test", rested), |tx| tx.session_used(id)).expect("written");
    }
    drop(store);
    let server = Server::start_in(data).await;
    let answer = server.http.get(server.admin("/api/v1/session")).header("cookie", &renewed).send().await;
    assert_eq!(answer.expect("answer").status(), 401, "it rested for too long");
    server.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let server = Server::start().await;
    user(&server, "alice", "operator").await;
    user(&server, "bob", "full_administrator").await;
    let (alice, bob) = (arrive(&server, "alice").await, arrive(&server, "bob").await);
    let own = alice.get("sessions").await.ok();
    assert!(own["items"].as_array().expect("items").iter().all(|row| row["principal"] == "alice"), "{own}");
    let current = own["items"].as_array().expect("items").iter().filter(|row| row["current"] == true).count();
    assert_eq!(current, 1);
    assert_eq!(alice.get("sessions?all=true").await.refused(403), "forbidden");
    let all = bob.get("sessions?all=true").await.ok();
    let of = |name: &str| {
        let rows = all["items"].as_array().expect("items").iter().filter(|row| row["principal"] == name);
        rows.map(|row| row["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    let bobs = of("bob");
    assert_eq!(alice.call(Method::DELETE, &format!("sessions/{}", bobs[0]), None).await.refused(404), "not_found");
    for id in of("alice") {
        let ended = bob.call(Method::DELETE, &format!("sessions/{id}"), None).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(alice.get("session").await.refused(401), "unauthorized");
    assert_eq!(bob.call(Method::DELETE, "session", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bob.get("session").await.refused(401), "unauthorized");
    server.stop().await;
}

#[tokio::test]
async fn the_last_way_in_cannot_be_taken_away() {
    let server = Server::start().await;
    for change in
        [json!({ "enabled": false }), json!({ "role": "operator" }), json!({ "collections": ["All Computers"] })]
    {
        assert_eq!(server.patch("users/administrator", change).await.refused(409), "built_in");
    }
    assert_eq!(server.delete("users/administrator").await.refused(409), "built_in");
    user(&server, "bob", "full_administrator").await;
    let bob = arrive(&server, "bob").await;
    let own = |body: Value| bob.call(Method::PATCH, "users/bob", Some(body));
    assert_eq!(own(json!({ "role": "operator" })).await.refused(409), "own_account");
    assert_eq!(bob.call(Method::DELETE, "users/bob", None).await.refused(409), "own_account");
    own(json!({ "display_name": "Bob B." })).await.ok();
    for name in
        ["administrator", "Administrator", "system: start", " x", "a/b", "", "x\u{200b}\n", "bo\u{200b}b", "\u{202e}x"]
    {
        let made = server.post("users", json!({ "name": name, "role": "operator" })).await;
        assert_eq!(made.refused(400), "name", "{name:?}");
    }
    assert_eq!(server.post("users", json!({ "name": "BOB", "role": "operator" })).await.refused(409), "exists");
    server.stop().await;
}

#[tokio::test]
async fn a_token_may_no_more_than_its_owner() {
    let server = Server::start().await;
    user(&server, "alice", "software_update_manager").await;
    let alice = arrive(&server, "alice").await;
    let make = |body: Value| alice.call(Method::POST, "tokens", Some(body));
    let named = |role: &str| json!({ "name": role, "role": role });
    assert_eq!(make(named("full_administrator")).await.refused(403), "forbidden");
    let never = json!({ "name": "n", "role": "operator", "never_expires": true });
    assert_eq!(make(never).await.refused(403), "forbidden");
    assert_eq!(make(json!({ "name": "n", "role": "operator", "days": 731 })).await.refused(400), "days");
    let made = make(named("software_update_manager")).await.ok();
    let secret = made["secret"].as_str().expect("secret").to_owned();
    assert!(secret.len() >= 43);
    let listed = alice.get("tokens").await.ok();
    assert!(!listed.to_string().contains(&secret), "shown once");
    let by = |method: Method, path: &'static str, body: Option<Value>| server.call_as(&secret, method, path, body);
    let session = by(Method::GET, "session", None).await.ok();
    assert_eq!((&session["principal"], &session["proof"]), (&json!("alice"), &json!("token")));
    assert!(session["expires_at"].is_string());
    let again = by(Method::POST, "tokens", Some(named("operator"))).await;
    assert_eq!(again.refused(403), "forbidden", "a token makes no tokens");
    by(Method::POST, "collections", Some(json!({ "name": "Ring" }))).await.ok();
    // what its owner loses, it loses
    server.patch("users/alice", json!({ "role": "operator" })).await.ok();
    let other = by(Method::POST, "collections", Some(json!({ "name": "Ring 2" }))).await;
    assert_eq!(other.refused(403), "forbidden");
    by(Method::GET, "computers", None).await.ok();
    server.patch("users/alice", json!({ "enabled": false })).await.ok();
    assert_eq!(by(Method::GET, "computers", None).await.refused(401), "unauthorized");
    server.patch("users/alice", json!({ "enabled": true })).await.ok();
    by(Method::GET, "computers", None).await.ok();
    assert_eq!(server.delete("tokens/software_update_manager").await.status, StatusCode::NO_CONTENT);
    assert_eq!(by(Method::GET, "computers", None).await.refused(401), "unauthorized");
    // who did it, by what, is kept
    let audit = server.get("audit?actor=alice&action=collection.").await.ok();
    let row = &audit["items"][0];
    assert_eq!((&row["action"], &row["proof"]), (&json!("collection.create"), &json!("token software_update_manager")));
    assert_eq!(row["from"], "127.0.0.1");
    server.stop().await;
}

#[tokio::test]
async fn the_audit_log_is_searched_and_exported() {
    let server = Server::start().await;
    for name in ["=cmd", "Ring"] {
        server.post("collections", json!({ "name": name })).await.ok();
    }
    let all = server.get("audit?action=collection.&limit=1").await.ok();
    assert_eq!(all["items"].as_array().expect("items").len(), 1);
    let rest =
        server.get(&format!("audit?action=collection.&cursor={}", all["next"].as_str().expect("more"))).await.ok();
    assert_eq!(rest["items"].as_array().expect("items").len(), 1);
    assert_eq!(server.get("audit?actor=nobody").await.ok()["items"], json!([]));
    assert_eq!(server.get("audit?until=2020-01-01T00:00:00Z").await.ok()["items"], json!([]));
    assert_eq!(server.get("audit?colour=red").await.refused(400), "query");
    let text = server.get("audit.csv?action=collection.").await;
    assert!(text.media.starts_with("text/csv"), "{}", text.media);
    let text = text.body.as_str().expect("text").to_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("id,at,actor,action,subject,from,proof,approved_by,before,after"));
    assert!(lines[1].contains("administrator,collection.create,") && lines[1].contains("built-in"), "{text}");
    let dump = server.get("audit?limit=1000").await.ok().to_string();
    assert!(!dump.contains("argon2"), "no hash of a password is ever in it");
    server.stop().await;
}
