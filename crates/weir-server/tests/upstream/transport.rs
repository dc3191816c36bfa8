//! Items 1, 2 and 7.

use std::sync::Arc;

use uuid::Uuid;
use weir_model::admission::{Class, Machine, Plan};
use weir_server::{state::Connection, upstream::UpstreamService};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{AnchorText, GetAuthConfig, GetConfigData, Operation, Service, client},
};

use crate::{
    common::Server,
    support::{self, Downstream},
};

const XML: (&str, &str) = ("Content-Type", "text/xml; charset=utf-8");

#[tokio::test]
async fn item_1_paths_answer_in_any_casing_and_with_doubled_slashes() {
    let server = support::start().await;
    let ask = client::write(&GetAuthConfig {}, SoapVersion::V11);
    for service in [Service::ServerSync, Service::DssAuth, Service::Reporting] {
        let path = service.path();
        for path in [path.to_owned(), path.to_lowercase(), path.to_uppercase(), path.replace('/', "//")] {
            let answer = server.send("POST", &path, &[XML], &ask).await;
            // the other services do not know the operation
            assert_eq!(answer.status, if service == Service::ServerSync { 200 } else { 500 }, "{path}");
        }
    }
    let absent = format!("//content/{}/{}.cab", "ab", "00112233445566778899AABBCCDDEEFF001122AB");
    assert_eq!(server.send("GET", &absent, &[], "").await.status, 404);
    for path in ["/ServerSyncWebService/ServerSyncProxy.asmx", "/ServerSyncWebService/WebService.asmx"] {
        assert_eq!(server.send("POST", path, &[XML], &ask).await.status, 404, "{path}");
    }
    assert_eq!(server.send("GET", Service::ServerSync.path(), &[], "").await.status, 405);
}

#[tokio::test]
async fn while_the_plane_is_off_its_paths_are_absent() {
    let server = Server::start().await;
    let ask = client::write(&GetAuthConfig {}, SoapVersion::V11);
    for service in [Service::ServerSync, Service::DssAuth] {
        assert_eq!(server.send("POST", service.path(), &[XML], &ask).await.status, 404);
    }
    let rollup = client::write(&weir_wire::wsss::GetRollupConfiguration { cookie: None }, SoapVersion::V11);
    let answer = server.send("POST", Service::Reporting.path(), &[XML], &rollup).await;
    assert!(answer.text().contains("InvalidParameters"), "as an operation that computers do not have");
    server.state.upstream.switch(true);
    assert_eq!(server.send("POST", Service::ServerSync.path(), &[XML], &ask).await.status, 200);
}

#[tokio::test]
async fn a_listener_of_its_own_serves_the_server_plane_and_content_alone() {
    let server = Server::start().await;
    let service = UpstreamService::new(Arc::clone(&server.state));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = tcp.local_addr().expect("address");
    let listener = tokio::spawn(async move {
        loop {
            let (stream, peer) = tcp.accept().await.expect("a connection");
            let service = service.on(Connection { peer, tls: false, certificate: None });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    let mut connection = weir_testkit::http::Connection::to(&format!("http://{address}")).expect("address");
    let ask = client::write(&GetAuthConfig {}, SoapVersion::V11);
    let mut status = async |method: &str, path: &str| {
        connection.send(method, path, &[XML], ask.as_bytes()).await.expect("an answer").status
    };
    assert_eq!(status("POST", Service::ServerSync.path()).await, 200);
    assert_eq!(status("POST", Service::Reporting.path()).await, 500);
    assert_eq!(status("POST", "/ClientWebService/client.asmx").await, 404);
    assert_eq!(status("POST", "/SimpleAuthWebService/SimpleAuth.asmx").await, 404);
    assert_eq!(status("GET", "/SelfUpdate/wuident.cab").await, 404);
    assert_eq!(status("POST", "/Content/AB/00112233445566778899AABBCCDDEEFF001122AB.cab").await, 405);
    listener.abort();
}

#[tokio::test]
async fn item_2_requests_are_answered_in_their_version() {
    let server = support::start().await;
    for version in [SoapVersion::V11, SoapVersion::V12] {
        let mut downstream = Downstream { version, ..Downstream::of(&server) };
        downstream.enter("1.20").await.expect("a cookie");
        let answer = downstream.last.as_ref().expect("an answer");
        assert_eq!(answer.header("content-type"), Some(version.content_type()));
        let own = match version {
            SoapVersion::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            SoapVersion::V12 => "http://www.w3.org/2003/05/soap-envelope",
        };
        assert!(answer.text().contains(own));
        let fault = downstream.refused(&GetConfigData { cookie: None, config_anchor: AnchorText::default() }).await;
        assert_eq!(fault, (ErrorCode::InvalidCookie, String::new()));
        assert!(downstream.last.expect("an answer").text().contains(own));
    }
}

#[tokio::test]
async fn item_7_faults_have_their_recorded_form() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let request = GetConfigData { cookie: None, config_anchor: AnchorText::default() };
    let fault = downstream.call(&request).await.expect_err("no cookie");
    assert_eq!(fault.code, Some(ErrorCode::InvalidCookie));
    assert_eq!(fault.method, Some(Operation::GetConfigData.quoted_action()));
    assert_ne!(fault.id.expect("an id"), Uuid::nil());
    assert_eq!((fault.class.as_str(), fault.text.as_str()), ("Client", "Fault occurred"));
    let answer = downstream.last.take().expect("an answer");
    assert_eq!(answer.header("cache-control"), Some("private"));
    let text = answer.text();
    let detail = text.split_once("<detail>").and_then(|(_, rest)| rest.split_once("</detail>")).expect("a detail").0;
    assert!(detail.starts_with("<ErrorCode>InvalidCookie</ErrorCode><Message></Message><ID>"), "{detail}");
    assert!(!detail.contains("xmlns"), "{detail}");
    let id = fault.id;
    let again = downstream.call(&request).await.expect_err("no cookie");
    assert_ne!(again.id, id, "a fresh id");
}

#[tokio::test]
async fn xpress_is_used_when_it_is_asked_for() {
    let server = support::start().await;
    server.import(&support::tree()).await;
    let mut downstream = Downstream::ready(&server).await;
    downstream.headers = vec![("Accept-Encoding", "xpress")];
    let (_, found) = downstream.list(support::config()).await;
    assert_eq!(found.len(), 6);
    assert_eq!(downstream.last.as_ref().expect("an answer").header("content-encoding"), Some("xpress"));
}

#[tokio::test]
async fn with_too_much_to_do_servers_are_told_to_come_again() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let plan = Plan { servers: 1, waiting: 0, ..Plan::of(Machine { processors: 1, memory: 1 << 30 }) };
    server.state.admission.set_plan(&plan);
    let held = server.state.admission.enter(Class::Servers, [192, 0, 2, 1].into()).await.expect("it is free");
    for version in [SoapVersion::V11, SoapVersion::V12] {
        downstream.version = version;
        let (code, _) = downstream.refused(&GetAuthConfig {}).await;
        assert_eq!(code, ErrorCode::ServerBusy);
        let last = downstream.last.as_ref().expect("an answer");
        assert!(last.header("retry-after").is_some(), "{:?}", last.headers);
        assert_eq!(last.header("content-type"), Some(version.content_type()));
    }
    drop(held);
    downstream.call(&GetAuthConfig {}).await.expect("answered");
}
