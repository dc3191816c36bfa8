//! Authorization, cookies, the form of answers.

use std::time::{Duration, Instant};

use axum::{body::Bytes, extract::State, response::IntoResponse};
use http::HeaderMap;
use weir_testkit::upstream::{At, Trouble, Upstream};
use weir_wire::wsss::{GetConfigData, Operation, Request};

use super::support::*;

fn config() -> GetConfigData {
    GetConfigData { cookie: None, config_anchor: None.into() }
}

#[tokio::test]
async fn item_22_values_of_the_authorization_cookie_are_copied_across_namespaces() {
    let upstream = Upstream::start(served([]));
    let downstream = Downstream::new().await;
    downstream.connect(&upstream).await.expect("authorises");
    let log = upstream.log();
    assert_eq!(
        upstream.operations(),
        [Operation::GetAuthConfig, Operation::GetAuthorizationCookie, Operation::GetCookie]
    );
    let Some(Request::GetAuthorizationCookie(asked)) = &log[1].request else { panic!("{log:?}") };
    assert_eq!(asked.account_name.as_deref(), Some("child.example"));
    let own = downstream.app.state.server.0.as_hyphenated().to_string();
    assert_eq!(asked.account_guid.as_deref(), Some(own.as_str()));
    let body = &log[2].body;
    assert!(body.contains("<GetCookie xmlns=\"http://www.microsoft.com/SoftwareDistribution\">"), "{body}");
    assert!(body.contains("<AuthorizationCookie><PlugInId>DssTargeting</PlugInId><CookieData>"), "{body}");
    assert!(!body.contains("DssAuthWebService"), "{body}");
    assert!(body.contains("<protocolVersion>1.20</protocolVersion>"), "{body}");
}

#[tokio::test]
async fn item_22_the_cookie_is_renewed_before_it_expires() {
    let mut served = served([]);
    // the scripted server counts whole seconds, so a short life would be shorter than it says
    served.cookie_seconds = 8;
    let upstream = Upstream::start(served);
    let downstream = Downstream::new().await;
    let peer = downstream.connect(&upstream).await.expect("authorises");
    let begun = Instant::now();
    while count(&upstream, Operation::GetCookie) < 2 {
        peer.call(config()).await.expect("no call comes with an expired cookie");
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let faulted: Vec<_> = upstream.log().into_iter().filter(|received| received.status == Some(500)).collect();
    assert!(faulted.is_empty(), "no fault was needed to notice: {faulted:?}");
    let renewals = upstream.log().into_iter().filter(|received| received.operation() == Some(Operation::GetCookie));
    assert!(renewals.skip(1).all(|received| received.body.contains("<oldCookie>")));
}

#[tokio::test]
async fn item_23_configuration_is_read_in_either_order_and_with_numbers_missing() {
    let envelope = |fields: &str| {
        Trouble::Answer(format!(
            "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><GetConfigDataResponse \
             xmlns=\"http://www.microsoft.com/SoftwareDistribution\"><GetConfigDataResult>{fields}</GetConfigDataResult>\
             </GetConfigDataResponse></soap:Body></soap:Envelope>"
        ))
    };
    let flags = "<CatalogOnlySync>true</CatalogOnlySync><LazySync>false</LazySync>\
                 <ServerHostsPsfFiles>false</ServerHostsPsfFiles>";
    let driver = "<MaxNumberOfComputerIdsInRequest>0</MaxNumberOfComputerIdsInRequest>";
    let updates = "<MaxNumberOfUpdatesPerRequest>3</MaxNumberOfUpdatesPerRequest>";
    let rest = "<NewConfigAnchor>1,2026-01-01 00:00:00.000</NewConfigAnchor><LanguageUpdateList />";
    for (fields, most) in [
        (format!("{flags}{driver}{updates}{rest}"), 3),
        (format!("{flags}{updates}{driver}{rest}"), 3),
        (format!("{flags}{rest}"), 100),
    ] {
        let upstream = Upstream::start(served([software(10, 1), software(11, 1)]));
        upstream.trouble(At::Every(Operation::GetConfigData), envelope(&fields));
        let downstream = Downstream::new().await;
        downstream.sync(&upstream).await;
        let largest = batches(&upstream).iter().map(Vec::len).max();
        assert_eq!(largest, Some(most.min(6)), "{fields}");
        let source = downstream.read(|tx| tx.sync_source()).expect("a source");
        assert_eq!(source.configuration.expect("kept")["catalog_only"], true);
    }
}

#[tokio::test]
async fn item_30_an_invalid_cookie_starts_again_from_the_authorization_a_bounded_number_of_times() {
    let upstream = Upstream::start(served([]));
    let downstream = Downstream::new().await;
    let peer = downstream.connect(&upstream).await.expect("authorises");
    for code in ["InvalidCookie", "InvalidAuthorizationCookie"] {
        upstream.clear_log();
        upstream.trouble(At::Request(1), Trouble::Fault(code.to_owned()));
        peer.call(config()).await.expect("authorised anew");
        assert_eq!(
            upstream.operations(),
            [
                Operation::GetConfigData,
                Operation::GetAuthConfig,
                Operation::GetAuthorizationCookie,
                Operation::GetCookie,
                Operation::GetConfigData,
            ]
        );
    }
    upstream.clear_log();
    upstream.trouble(At::Every(Operation::GetConfigData), Trouble::Fault("InvalidCookie".to_owned()));
    let error = peer.call(config()).await.expect_err("fails");
    assert_eq!((error.code(), error.is_transient()), ("not_authorized", false));
    assert_eq!(count(&upstream, Operation::GetConfigData), 3);
}

#[tokio::test]
async fn item_30_a_busy_server_is_asked_again_and_other_faults_stop() {
    let upstream = Upstream::start(served([]));
    let downstream = Downstream::new().await;
    let peer = downstream.connect(&upstream).await.expect("authorises");
    upstream.clear_log();
    upstream.trouble(At::Request(1), Trouble::Fault("ServerBusy".to_owned()));
    peer.call(config()).await.expect("asked again");
    assert_eq!(count(&upstream, Operation::GetConfigData), 2);
    for (code, kind) in [
        ("InvalidParameters", "fault"),
        ("IncompatibleProtocolVersion", "protocol_version"),
        ("InternalServerError", "fault"),
        ("ServerChanged", "server_changed"),
        ("NeverHeardOf", "fault"),
    ] {
        upstream.clear_log();
        upstream.trouble(At::Operation(Operation::GetConfigData, 1), Trouble::Fault(code.to_owned()));
        let error = peer.call(config()).await.expect_err("stops");
        assert_eq!(error.code(), kind, "{code}");
        assert_eq!(count(&upstream, Operation::GetConfigData), 1, "{code}");
        assert!(!error.next_step().is_empty());
    }
}

#[tokio::test]
async fn item_30_a_changed_server_makes_all_anchors_forgotten() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    upstream.change(|served| served.add(&software(11, 1)));
    upstream.clear_log();
    upstream.trouble(At::Operation(Operation::GetRevisionIdList, 1), Trouble::Fault("ServerChanged".to_owned()));
    let outcome = downstream.sync(&upstream).await;
    assert_eq!(outcome.added, 1);
    assert_eq!(downstream.stored(), all_of(&upstream));
    let lists = filters(&upstream);
    assert!(lists[0].anchor.text().is_some(), "before the server said so");
    assert!(lists[1..].iter().all(|filter| filter.anchor.text().is_none()), "{lists:?}");
    let mut asked_twice =
        upstream.log().into_iter().filter(|received| received.operation() == Some(Operation::GetConfigData));
    assert!(!asked_twice.next_back().expect("asked").body.contains("configAnchor"));
}

/// Packs the answers of another server as Windows does.
async fn packing(State(target): State<String>, headers: HeaderMap, path: http::Uri, body: Bytes) -> impl IntoResponse {
    assert_eq!(headers["accept-encoding"], "xpress");
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let mut request = http.post(format!("{target}{path}")).body(body);
    for name in ["content-type", "soapaction"] {
        request = request.header(name, &headers[name]);
    }
    let answer = request.send().await.expect("answered");
    let (status, plain) = (answer.status().as_u16(), answer.bytes().await.expect("whole"));
    let status = http::StatusCode::from_u16(status).expect("status");
    (status, [("content-encoding", "xpress")], weir_wire::xpress::compress_greedy(&plain))
}

#[tokio::test]
async fn item_32_packed_answers_are_decoded() {
    let upstream = Upstream::start(served([software(10, 1).rules_of_size(300_000)]));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}", tcp.local_addr().expect("address"));
    let routes = axum::Router::new().fallback(packing).with_state(upstream.url());
    let server = tokio::spawn(async move { axum::serve(tcp, routes).await });
    let downstream = Downstream::new().await;
    let outcome = downstream.try_sync(&url).await.expect("synchronizes");
    assert_eq!(downstream.stored(), all_of(&upstream));
    assert!(outcome.bytes < 300_000, "{} bytes came over the wire", outcome.bytes);
    server.abort();
}
