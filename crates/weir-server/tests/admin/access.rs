//! Who gets in.

use reqwest::{Method, StatusCode};

use crate::harness::{self, Server, settings};

const CSP: &str = "content-security-policy";

#[tokio::test]
async fn every_documented_route_refuses_who_has_no_token_or_a_wrong_one() {
    let server = Server::start().await;
    let document = server.get("openapi.json").await.ok();
    let paths = document["paths"].as_object().expect("paths");
    let mut visited = 0;
    for (path, item) in paths {
        let url = server.admin(&format!("/api/v1{}", path.replace(['{', '}'], "")));
        for method in item.as_object().expect("methods").keys().filter(|key| key.as_str() != "parameters") {
            let method: Method = method.to_uppercase().parse().expect("method");
            if (&method, path.as_str()) == (&Method::POST, "/session") || path == "/sign-in-methods" {
                // this is how to get in
                continue;
            }
            let request = || server.http.request(method.clone(), &url);
            for request in
                [request(), request().bearer_auth("x".repeat(43)), request().header("authorization", "Basic YTpi")]
            {
                let answer = request.send().await.expect("answer");
                // the limit of failed attempts may come first
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
                assert!(refused.contains(&answer.status()), "{method} {path}: {}", answer.status());
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
            }
            visited += 1;
        }
    }
    assert!(visited >= 45, "{visited}");
    for path in ["/metrics", "/api/v1/openapi.json"] {
        let answer = server.http.get(server.admin(path)).send().await.expect("answer");
        assert!(answer.status() == 401 || answer.status() == 429, "{path}");
    }
    // pages lead to the form, and say nothing else
    for path in ["/", "/computers", "/settings/users"] {
        let answer = server.http.get(server.admin(path)).send().await.expect("answer");
        assert_eq!(answer.status(), 303, "{path}");
        let location = answer.headers()["location"].to_str().expect("text").to_owned();
        assert!(location.starts_with("/sign-in"), "{path}: {location}");
        assert_eq!(answer.text().await.expect("text"), "", "{path}");
    }
    let form = server.http.get(server.admin("/sign-in")).send().await.expect("answer").text().await.expect("text");
    assert!(form.contains("action=\"/sign-in\"") && form.contains("type=\"password\""), "{form}");
    // a valid token gets through while others are refused
    server.get("status").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn failed_attempts_are_limited_by_address() {
    let server = Server::start().await;
    let mut seen = Vec::new();
    for _ in 0..60 {
        let answer = server.http.get(server.admin("/api/v1/status")).bearer_auth("wrong").send().await.expect("answer");
        seen.push(answer.status().as_u16());
    }
    assert_eq!(seen[0], 401);
    assert!(seen.contains(&429), "{seen:?}");
    server.stop().await;
}

#[tokio::test]
async fn the_sign_in_link_works_once_and_its_session_is_safe_from_other_sites() {
    let server = Server::start().await;
    let link = server.post("sign-in-links", serde_json::json!({})).await;
    assert_eq!(link.status, StatusCode::CREATED);
    let url = link.body["url"].as_str().expect("url").to_owned();
    assert!(url.starts_with(&server.admin("/sign-in?code=")), "{url}");

    // a program that only looks at the link does not use it up
    let looked = server.http.head(&url).send().await.expect("answer");
    assert!(looked.headers().get("set-cookie").is_none(), "{looked:?}");

    let answer = server.http.get(&url).send().await.expect("answer");
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
    for part in ["__Host-weir=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().expect("pair").to_owned();
    let first = answer.text().await.expect("text");
    assert!(first.contains("content=\"0; url=/\""), "it leads to the console: {first}");
    let again = server.http.get(&url).send().await.expect("answer");
    assert_eq!(again.status(), 401);
    assert!(again.headers().get("set-cookie").is_none());

    let with = |method: Method, path: &str| server.http.request(method, server.admin(path)).header("cookie", &cookie);
    let page = with(Method::GET, "/").send().await.expect("answer");
    assert_eq!(page.status(), 200);
    let policy = page.headers()[CSP].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text().await.expect("text");
    assert!(!text.contains("http-equiv"), "{text}");
    assert!(text.contains("First day"), "{text}");
    assert!(!text.contains("<script>") && !text.contains("<style"), "scripts and styles are files: {text}");

    assert_eq!(with(Method::GET, "/api/v1/status").send().await.expect("answer").status(), 200);
    let foreign = with(Method::GET, "/api/v1/status").header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(foreign.expect("answer").status(), 401);
    // what changes something must say that it comes from a page of this server
    let body = serde_json::json!({ "name": "Ring" });
    let write = |name: &'static str, value: String| {
        with(Method::POST, "/api/v1/collections").header(name, value).json(&body).send()
    };
    let own = server.admin("");
    for (name, value) in [
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("accept", "*/*".to_owned()),
    ] {
        let answer = Server::answer(write(name, value.clone()).await.expect("answer")).await;
        assert_eq!(answer.refused(403), "cross_site", "{name}: {value}");
    }
    assert_eq!(server.get("collections/Ring").await.refused(404), "not_found");
    assert_eq!(write("origin", own).await.expect("answer").status(), 201);
    let again = write("sec-fetch-site", "same-origin".to_owned()).await.expect("answer");
    assert_eq!(again.status(), 409, "it went through, and there is one");
    server.stop().await;
}

#[tokio::test]
async fn a_code_that_expired_or_never_was_opens_nothing() {
    let server = Server::start().await;
    let link = server.post("sign-in-links", serde_json::json!({})).await.body["url"].as_str().expect("url").to_owned();
    let data = server.stop().await;
    // the store is the only one that knows when a code ends: store one that ended
    let store = opened(data.path()).await;
    let code = "expired-code";
    let now = jiff::Timestamp::now();
    let then = now - jiff::SignedDuration::from_secs(60);
    let hash = weir_model::ids::Sha256Digest(sha256(code));
    store
        .write(&weir_store::Actor::system("test", then), |tx| tx.sign_in_code_create(hash, "administrator", then, None))
        .expect("stored");
    drop(store);
    let settings = settings(data.path());
    let server = Server::start_with(data, settings).await;
    for code in ["expired-code", "never-was", ""] {
        let answer = server.http.get(server.admin(&format!("/sign-in?code={code}"))).send().await.expect("answer");
        assert_eq!(answer.status(), 401, "{code}");
        assert!(answer.headers().get("set-cookie").is_none());
    }
    // the link of the life before still works: it was not used
    let code = link.rsplit('=').next().expect("code");
    let answer = server.http.get(server.admin(&format!("/sign-in?code={code}"))).send().await.expect("answer");
    assert_eq!(answer.status(), 200);
    server.stop().await;
}

/// The store, once the last thread of the server has let go of it.
pub(crate) async fn opened(data: &std::path::Path) -> weir_store::Store {
    for _ in 0..200 {
        match weir_store::Store::open(data, &harness::store(data)) {
            Err(weir_store::StoreError::Locked(_)) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            opened => return opened.expect("store"),
        }
    }
    panic!("the server keeps its lock");
}

fn sha256(text: &str) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).into()
}

#[tokio::test]
async fn answers_carry_security_headers_even_when_nothing_is_there() {
    let server = Server::start().await;
    for path in ["/healthz", "/nothing", "/style.css", "/api/v1/status"] {
        let answer = server.http.get(server.admin(path)).send().await.expect("answer");
        for name in [CSP, "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control"] {
            assert!(answer.headers().contains_key(name), "{path}: {name}");
        }
    }
    server.stop().await;
}
