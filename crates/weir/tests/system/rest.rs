//! REST is what its description says, for calls that nobody wrote down.
//!
//! Left out, each for its reason:
//!
//! * `GET /events` has no end.
//! * `POST /exposure/fetches` fetches from an address of the caller's, and answers 502 where that cannot be reached.
//! * `POST /subscriptions/{name}/test` and `POST /report-schedules/{id}/run` reach out as well.

use reqwest::{Certificate, Client, Method};
use serde_json::{Value, json as value};
use weir_testkit::{
    Computer, Document,
    schemathesis::{Target, check},
};

use super::{agent, id, json, run, server, write_documents};

/// Routes that are not called.
const LEFT_OUT: [&str; 8] = [
    "--exclude-path",
    "/events",
    "--exclude-path",
    "/exposure/fetches",
    "--exclude-path",
    "/subscriptions/{name}/test",
    "--exclude-path",
    "/report-schedules/{id}/run",
];

/// One call that must succeed.
async fn made(http: &Client, admin: &str, token: &str, method: Method, path: &str, body: Value) -> Value {
    let request = http.request(method, format!("{admin}/api/v1/{path}")).bearer_auth(token).json(&body);
    let answer = request.send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert!(status.is_success(), "{path}: {status}: {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[test]
fn rest_is_what_its_description_says() {
    let server = server();
    let folder = server.data().join("documents");
    let documents = [
        Document::software(id(1), 1).localized("en", "November rollup", None),
        Document::software(id(2), 1).localized("en", "December rollup", None).supersedes(id(1)),
        Document::detectoid(id(3), 1).localized("en", "Fact", None),
    ];
    write_documents(&folder, &documents);
    json(&server, &["import", folder.to_str().expect("UTF-8")]);
    let mut scanning = agent(&server, Computer::numbered(1));
    run(async {
        scanning.scan().await.expect("scan");
        scanning.report_scan().await.expect("reported");
    });
    let (admin, token, ca) = (server.admin_url(), server.token().expect("a token"), server.data().join("tls/ca.pem"));
    let certificate = Certificate::from_pem(&std::fs::read(&ca).expect("ca.pem")).expect("a certificate");
    // another test of this process may have been first
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http = Client::builder().tls_certs_only([certificate]).no_proxy().build().expect("a client");
    // one of each kind of thing, all of one name, so that addresses that are made up find them
    let window = run(async {
        let post = |path: &'static str, body: Value| made(&http, &admin, &token, Method::POST, path, body);
        post("collections", value!({ "name": "Ring" })).await;
        post("collections/Ring/members", value!({ "computers": [scanning.computer.client_id] })).await;
        post("groups", value!({ "name": "November", "members": { "updates": [id(1)] } })).await;
        post("deployments", value!({ "update": id(2), "collection": "Ring", "action": "detect" })).await;
        post("searches", value!({ "name": "November", "filter": "needed > 0" })).await;
        let deployed = value!([{ "collection": "Ring", "action": "install", "available": "0", "deadline": "7d" }]);
        post("rules", value!({ "name": "November", "criteria": "title ~ rollup", "deployments": deployed })).await;
        made(&http, &admin, &token, Method::PUT, "deployment-templates/November", value!({ "action": "install" }))
            .await;
        post("windows", value!({ "name": "Nightly", "collection": "Ring" })).await
    });
    let config = server.data().join("schemathesis.toml");
    let of = |path: &str, id: &str| {
        format!("[[operations]]\ninclude-path-regex = \"{path}\"\nparameters = {{ \"path.id\" = {id} }}\n\n")
    };
    let text = [
        "[parameters]\n\"path.collection\" = \"Ring\"\n\"path.name\" = \"November\"\n\"path.key\" = \"events.days\"\n\n".to_owned(),
        of("^/updates/", &format!("\"{}\"", id(1))),
        of("^/computers/", &format!("\"{}\"", scanning.computer.client_id)),
        of("^/exposure/computers/", &format!("\"{}\"", scanning.computer.client_id)),
        of("^/deployments/", "1"),
        of("^/compliance/deployments/", "1"),
        of("^/imports/", "1"),
        of("^/windows/", &window["id"].to_string()),
    ];
    std::fs::write(&config, text.concat()).expect("written");
    let target = Target { admin: &admin, token: &token, ca: &ca, config: &config };
    // what is deleted is deleted last
    let with = |more: [&'static str; 2]| LEFT_OUT.into_iter().chain(more).collect::<Vec<_>>();
    check(target, 4, &with(["--exclude-method", "DELETE"]));
    check(target, 2, &with(["--include-method", "DELETE"]));
    // it serves on
    run(async {
        scanning.scan().await.expect("computers are served as before");
    });
}
