//! What is wrong with a request, and how that is said (checklist 1, 2, 4, 16).

use weir_server::state::ClientSettings;

use crate::common::{Server, element, envelope};

const CLIENT: &str = "/ClientWebService/client.asmx";

#[tokio::test]
async fn checklist_1_paths_in_any_case() {
    let server = Server::start().await;
    let body = envelope("GetConfig", "<protocolVersion>2.90</protocolVersion>");
    for path in [CLIENT, "/clientwebservice/CLIENT.ASMX", "/ClientWebService/Client.asmx"] {
        let answer = server.send("POST", path, &[("Content-Type", "text/xml")], &body).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains("<GetConfigResult>"));
    }
    for path in ["/ReportingWebService/ReportingWebService.asmx", "/reportingwebservice/webservice.asmx"] {
        let answer = server.send("POST", path, &[], "nonsense").await;
        assert_eq!(answer.status, 500, "{path}");
    }
    assert_eq!(server.send("POST", "/ServerSyncWebService/ServerSyncWebService.asmx", &[], &body).await.status, 404);
    assert_eq!(server.send("GET", "/api/v1/status", &[], "").await.status, 404);
    assert_eq!(server.send("GET", CLIENT, &[], "").await.status, 405);
}

#[tokio::test]
async fn checklist_2_both_versions_are_answered_in_kind() {
    let server = Server::start().await;
    let body = envelope("GetConfig", "<protocolVersion>2.90</protocolVersion>");
    let twelve = body.replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    let answer = server.send("POST", CLIENT, &[("Content-Type", "application/soap+xml")], &twelve).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/soap+xml; charset=utf-8"));
    assert!(answer.text().contains("http://www.w3.org/2003/05/soap-envelope"));
    let answer = server.post(&body).await;
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("private"));
    assert_eq!(answer.header("vary"), None);
}

#[tokio::test]
async fn checklist_4_bad_xml_is_a_fault() {
    let server = Server::start().await;
    let dtd = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", envelope("GetConfig", ""));
    let deep = envelope("GetConfig", &format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)));
    let bodies = [
        String::new(),
        "nonsense".to_owned(),
        "<a/>".to_owned(),
        envelope("GetConfig", "<protocolVersion>2.90").replace("</s:Envelope>", ""),
        envelope("Unheard", ""),
        envelope("GetConfig2", ""),
        dtd,
        deep,
    ];
    for body in bodies {
        let answer = server.post(&body).await;
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.status, 500, "{start}");
        assert_eq!(element(&answer.text(), "ErrorCode"), Some("InvalidParameters"), "{start}");
    }
    let body = envelope("GetConfig", "<protocolVersion>2.90</protocolVersion>");
    assert_eq!(server.post(&body).await.status, 200, "the server still answers");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    let server = Server::start().await;
    let answer = server.connect().send("POST", CLIENT, &[], &vec![b' '; (8 << 20) + 1]).await;
    // the connection may be cut while the rest is on its way
    if let Ok(answer) = answer {
        assert_eq!(answer.status, 413);
    }
    let answer = server.send("POST", CLIENT, &[("Content-Encoding", "gzip")], "x").await;
    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn checklist_16_the_form_of_a_fault() {
    let server = Server::start().await;
    let action = "\"http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/SyncUpdates\"";
    let body = envelope("SyncUpdates", "<cookie/><parameters/>");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = server.send("POST", CLIENT, &[("Accept-Encoding", "xpress"), ("SOAPAction", action)], &body).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (500, None));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        let text = answer.text();
        let id = element(&text, "ID").expect("ID").to_owned();
        assert_eq!(
            text,
            format!(
                "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
                 <faultcode>s:Client</faultcode><faultstring>Fault occurred</faultstring><detail>\
                 <ErrorCode>InvalidCookie</ErrorCode>{}<ID>{id}</ID><Method>{action}</Method></detail></s:Fault>\
                 </s:Body></s:Envelope>",
                text.split_once("</ErrorCode>").and_then(|(_, rest)| rest.split_once("<ID>")).expect("message").0,
            )
            .replace("<Method>\"", "<Method>\"")
        );
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn calls_without_a_cookie_are_limited_by_address() {
    let server = Server::start_with(ClientSettings { anonymous_burst: 3, ..ClientSettings::default() }).await;
    let body = envelope("GetConfig", "<protocolVersion>2.90</protocolVersion>");
    let mut codes = Vec::new();
    for _ in 0..8 {
        let answer = server.post(&body).await;
        codes.push(element(&answer.text(), "ErrorCode").map(str::to_owned));
    }
    assert_eq!(codes[..3], [None, None, None]);
    assert!(codes.contains(&Some("ServerBusy".to_owned())), "{codes:?}");
}

#[tokio::test]
async fn new_computers_are_limited_by_the_hour() {
    let server = Server::start_with(ClientSettings { new_computers_per_hour: 2, ..ClientSettings::default() }).await;
    for number in 0..2 {
        server.agent(number).scan().await.expect("scan");
    }
    let refused = server.agent(2).scan().await.expect_err("one too many");
    assert_eq!(weir_testkit::agent::fault_code(&refused), Some(weir_wire::soap::ErrorCode::ServerBusy));
    server.agent(0).scan().await.expect("a known computer goes on");
    assert!(server.computer(&server.agent(2)).is_none());
}
