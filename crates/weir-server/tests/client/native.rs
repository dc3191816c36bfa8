//! The recorded scan of a native agent, sent again.

use std::collections::BTreeMap;

use weir_model::update::CategoryKind;
use weir_testkit::{
    Document,
    replay::{Recorded, Substitutions, native_scan},
};

use crate::common::{Server, element};

/// The three categories of the recorded scan: company, product family, product.
const COMPANY: &str = "56309036-4c77-4dd9-951a-99ee9c246a94";
const FAMILY: &str = "6964aab4-c5b5-43bd-a17d-ffb4346a8e1d";
const PRODUCT: &str = "dd78b8a1-0b20-45c1-add6-4da72e9364cf";

async fn send(server: &Server, exchange: &Recorded, values: &Substitutions) -> weir_testkit::http::Answer {
    let (headers, body) = exchange.request_with(values);
    let headers: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !["host", "content-length", "connection"].contains(&&*name.to_ascii_lowercase()))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    server.send("POST", &exchange.path, &headers, &body).await
}

#[tokio::test]
async fn foreign_cookies_are_faults_and_leave_nothing() {
    let server = Server::start().await;
    let scan = native_scan();
    assert_eq!(scan.len(), 10);
    for exchange in &scan {
        let answer = send(&server, exchange, &Substitutions::default()).await;
        let expected = match exchange.operation.as_str() {
            "GetConfig" | "GetAuthorizationCookie" | "StartCategoryScan" => None,
            "GetCookie" => Some("InvalidAuthorizationCookie"),
            _ => Some("InvalidCookie"),
        };
        let text = answer.text();
        assert_eq!(element(&text, "ErrorCode"), expected, "{}: {text}", exchange.operation);
        assert_eq!(answer.status, if expected.is_some() { 500 } else { 200 });
    }
    let computers = server.state.live.directory.len();
    assert_eq!(computers, 0);
}

#[tokio::test]
async fn with_cookies_of_this_server_each_call_is_answered_in_the_recorded_form() {
    let server = Server::start().await;
    let guid = |text: &str| text.parse().expect("guid");
    server
        .import(&[
            Document::category(guid(COMPANY), 100, CategoryKind::Company).title("Microsoft"),
            Document::category(guid(FAMILY), 100, CategoryKind::ProductFamily)
                .title("Windows")
                .in_category(guid(COMPANY)),
            Document::category(guid(PRODUCT), 202, CategoryKind::Product).title("OOBE ZDP").in_category(guid(FAMILY)),
        ])
        .await;
    let snapshot = server.state.live.current();
    let present = |id: &str| snapshot.snapshot.newest(guid(id)).expect("imported").0;
    let mut values = Substitutions {
        revisions: BTreeMap::from([
            (108_226, present(COMPANY)),
            (108_231, present(FAMILY)),
            (72_571, present(PRODUCT)),
        ]),
        ..Substitutions::default()
    };
    for exchange in native_scan() {
        let answer = send(&server, &exchange, &values).await;
        let text = answer.text();
        let name = format!("{} {}", exchange.number, exchange.operation);
        assert_eq!(answer.status, 200, "{name}: {text}");
        assert_eq!(names(&text), names(&exchange.response), "{name}: {text}");
        assert_eq!(answer.header("content-encoding"), Some("xpress"), "{name}");
        for header in ["cache-control", "content-type", "vary"] {
            let recorded = exchange.response_headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(header));
            assert_eq!(answer.header(header), recorded.map(|(_, value)| value.as_str()), "{name}");
        }
        let keep = |name: &str| element(&text, name).map(str::to_owned);
        values.last_change = keep("LastChange").or(values.last_change);
        values.authorization_cookie = keep("CookieData").or(values.authorization_cookie);
        if let (Some(expiration), Some(data)) = (keep("Expiration"), keep("EncryptedData")) {
            values.cookie = Some((expiration, data));
        }
    }
    let computers = server.state.live.directory.len();
    assert_eq!(computers, 1);
}

/// The element names of an answer in order, prefixes included: its form without its values.
fn names(text: &str) -> Vec<&str> {
    let starts = text.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '?', '!']));
    starts.map(|tag| tag.split([' ', '>', '/']).next().unwrap_or_default()).collect()
}
