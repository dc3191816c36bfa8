//! Addresses, versions and the forms of XML (checklist 1 to 3).

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::SignedDuration;
use weir_model::{
    ids::{RevisionId, UpdateIdentity},
    update::CategoryKind,
};
use weir_testkit::{Computer, Document, Payload};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wusp::{RefreshCache, ReportEventBatch},
};

use crate::{
    common::{Server, element, id},
    support::{
        AUTH, CLIENT, NS_A, NS_C, NS_R, REPORTING, SOAP11, SOAP12, code, cookie_xml, encoded, fault_of, message,
        message_in, ready, sync,
    },
};

fn catalogue(payload: &Payload) -> Vec<Document> {
    vec![
        Document::category(id(1), 1, CategoryKind::Product).title("Product"),
        Document::software(id(2), 1).title("Update").in_category(id(1)).file(payload),
    ]
}

/// Checklist 1: paths in any case, both names of the reporting service, and nothing else.
#[tokio::test]
async fn c01_paths_in_any_case_and_both_reporting_names() {
    let server = Server::start().await;
    let (_, cookie) = ready(&server).await;
    let config = message(NS_C, "GetConfig", "<protocolVersion>2.90</protocolVersion>");
    let authorization = message(NS_A, "GetAuthorizationCookie", "<clientId>a</clientId><dnsName>a.test</dnsName>");
    let report = encoded(&ReportEventBatch { cookie: Some(cookie), client_time: None, event_batch: Vec::new() });
    for (path, body, expected) in [
        (CLIENT, &config, "<GetConfigResult>"),
        ("/ClientWebService/Client.asmx", &config, "<GetConfigResult>"),
        // real downstream servers write doubled slashes, and paths are read in one place
        ("//ClientWebService/Client.asmx", &config, "<GetConfigResult>"),
        (AUTH, &authorization, "<CookieData>"),
        (REPORTING, &report, "<ReportEventBatchResult>true"),
        ("/ReportingWebService/WebService.asmx", &report, "<ReportEventBatchResult>true"),
    ] {
        let swapped = path
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        for path in [path.to_owned(), path.to_lowercase(), path.to_uppercase(), swapped] {
            let answer = server.send("POST", &path, &[("Content-Type", "text/xml")], body).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert!(answer.text().contains(expected), "{path}: {}", answer.text());
        }
    }
    for path in [
        "/",
        "/ClientWebService/",
        "/ClientWebService/client.asmx/",
        "/ClientWebService/client.asmx/x",
        "/x/ClientWebService/client.asmx",
        "/ClientWebService/SimpleAuth.asmx",
        "/ServerSyncWebService/ServerSyncWebService.asmx",
        "/api/v1/status",
        "/healthz",
    ] {
        assert_eq!(server.send("POST", path, &[], &config).await.status, 404, "{path}");
    }
}

/// Checklist 1: a service answers only its own operations at its address.
#[tokio::test]
async fn c01_an_operation_at_another_services_address_is_a_fault() {
    let server = Server::start().await;
    let config = message(NS_C, "GetConfig", "<protocolVersion>2.90</protocolVersion>");
    for path in [AUTH, REPORTING] {
        let answer = server.send("POST", path, &[], &config).await;
        assert_eq!((answer.status, element(&answer.text(), "ErrorCode")), (500, Some("InvalidParameters")), "{path}");
    }
    let other = message(NS_R, "GetConfig", "<protocolVersion>2.90</protocolVersion>");
    assert_eq!(server.post(&other).await.status, 500, "the namespace is part of the name");
}

/// Checklist 2: a whole conversation in SOAP 1.2 is answered in SOAP 1.2; the agent refuses anything else.
#[tokio::test]
async fn c02_an_agent_of_soap_1_2_is_served_in_kind() {
    let server = Server::start().await;
    let payload = Payload::random("update.exe", 5_000, 2);
    server.import(&catalogue(&payload)).await;
    for (number, soap) in [(1, SoapVersion::V11), (2, SoapVersion::V12)] {
        let mut agent = server.agent_of(Computer { soap, ..Computer::numbered(number) });
        let outcome = agent.scan().await.expect("scan");
        assert_eq!(outcome.new_updates().count(), 2);
        let revisions: Vec<i32> = agent.state.cache.keys().copied().collect();
        let info = agent.extended_info(&revisions).await.expect("extended info");
        assert_eq!(info.files.len(), 1);
        agent.report_scan().await.expect("report");
        agent.refresh_cache().await.expect("refresh");
        // faults too: the strict reader refuses a fault of the other version
        let cookie = agent.state.cookie.clone().expect("cookie");
        let mut bent = cookie.clone();
        bent.encrypted_data.as_mut().expect("data").0[30] ^= 1;
        let fault = fault_of(&agent.call(&sync(&bent)).await.expect_err("bent"));
        assert_eq!(fault.code(), Some(ErrorCode::InvalidCookie));
        assert_eq!(fault.class, if soap == SoapVersion::V11 { "Client" } else { "Sender" });
    }
}

/// Checklist 2: the envelope decides, whatever the headers say; a body that cannot be read is answered as they say.
#[tokio::test]
async fn c02_the_envelope_decides_before_the_headers() {
    let server = Server::start().await;
    let payload = "<protocolVersion>2.90</protocolVersion>";
    let (eleven, twelve) = ("text/xml; charset=utf-8", "application/soap+xml; charset=utf-8");
    for (soap, kind) in [(SOAP11, eleven), (SOAP12, twelve)] {
        for header in [eleven, twelve, "application/soap+xml; charset=utf-8; action=\"x\"", "text/plain"] {
            for wrong in [false, true] {
                let payload = if wrong { "" } else { payload };
                let body = message_in(soap, NS_C, "GetConfig", payload);
                let answer = server.send("POST", CLIENT, &[("Content-Type", header)], &body).await;
                assert_eq!(answer.status, if wrong { 500 } else { 200 }, "{soap} {header}");
                assert_eq!(answer.header("content-type"), Some(kind), "{header}");
                assert!(answer.text().starts_with(&format!("<s:Envelope xmlns:s=\"{soap}\">")), "{}", answer.text());
            }
        }
        let answer = server.send("POST", CLIENT, &[("Content-Type", kind)], "no envelope").await;
        assert_eq!((answer.status, answer.header("content-type")), (500, Some(kind)));
        assert!(answer.text().contains(soap));
    }
    // without any header at all
    let answer = server.send("POST", CLIENT, &[], &message(NS_C, "GetConfig", payload)).await;
    assert_eq!(answer.status, 200);
}

/// Checklist 3: prefixes, nil, arrayType, unknown elements, blanks in base64 and in values.
#[tokio::test]
async fn c03_odd_but_valid_forms_are_read() {
    let server = Server::start().await;
    server.import(&catalogue(&Payload::random("update.exe", 50, 2))).await;
    let (agent, cookie) = ready(&server).await;
    let known = agent.state.cache.keys().copied().max().expect("cached");
    let sealed = BASE64.encode(cookie.sealed().expect("sealed"));
    let (first, rest) = sealed.split_at(60);
    let (a, b) = (known + 100, known + 101);
    let body = format!(
        "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<!-- before --><E:Envelope xmlns:E='{SOAP11}' \
         xmlns:q='{NS_C}' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
         xmlns:enc='http://schemas.xmlsoap.org/soap/encoding/'>\r\n<E:Header><h xmlns='urn:x'>1</h></E:Header>\
         <E:Body><q:SyncUpdates><w:cookie xmlns:w='{NS_C}'>\
         <q:Expiration> 2020-01-01T00:00:00 </q:Expiration>\
         <q:EncryptedData>\n   {first}\r\n\t{rest} </q:EncryptedData></w:cookie>\
         <q:parameters><q:ExpressQuery> 0 </q:ExpressQuery>\
         <q:InstalledNonLeafUpdateIDs xsi:nil='1'/>\
         <q:OtherCachedUpdateIDs enc:arrayType='q:int[2]'>\n<q:int> {a} </q:int><!-- x --><q:int>{b}</q:int>\
         </q:OtherCachedUpdateIDs><q:SystemSpec xsi:nil='true'></q:SystemSpec>\
         <q:CachedDriverIDs></q:CachedDriverIDs><q:SkipSoftwareSync>false</q:SkipSoftwareSync>\
         <q:FilterAppCategoryIds><q:x><q:x>&amp;<![CDATA[<]]></q:x></q:x></q:FilterAppCategoryIds>\
         <other xmlns='urn:other'>text</other></q:parameters></q:SyncUpdates></E:Body></E:Envelope>\n"
    );
    let answer = server.post(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    // the list was really read: both ids are unknown here, so both come back
    let outside = element(&text, "OutOfScopeRevisionIDs").expect("both");
    assert_eq!(outside, format!("<int>{a}</int><int>{b}</int>"));
}

/// Checklist 3: a date-time without a zone is UTC, with up to seven digits of a fraction; other zones are converted.
#[tokio::test]
async fn c03_times_without_a_zone_are_utc() {
    let server = Server::start().await;
    let (agent, _) = ready(&server).await;
    let (last_change, _) = agent.state.config.expect("configuration");
    let text = server
        .send("POST", AUTH, &[], &message(NS_A, "GetAuthorizationCookie", "<clientId>a</clientId><dnsName>a</dnsName>"))
        .await
        .text();
    let data = element(&text, "CookieData").expect("data");
    let ask = |last_change: String| {
        let payload = format!(
            "<authCookies><AuthorizationCookie><PlugInId>SimpleTargeting</PlugInId><CookieData>{data}</CookieData>\
             </AuthorizationCookie></authCookies><oldCookie/><lastChange>{last_change}</lastChange>\
             <currentTime>2026-01-01T00:00:00</currentTime><protocolVersion>2.90</protocolVersion>"
        );
        let (server, body) = (&server, message(NS_C, "GetCookie", &payload));
        async move { element(&server.post(&body).await.text(), "ErrorCode").map(str::to_owned) }
    };
    let at = |hours: i64, form: &str| {
        let moment = last_change + SignedDuration::from_hours(hours);
        moment.strftime(form).to_string()
    };
    for good in [
        at(0, "%Y-%m-%dT%H:%M:%S%.3fZ"),
        at(0, "%Y-%m-%dT%H:%M:%S%.3f"),
        at(0, "%Y-%m-%dT%H:%M:%S%.3f0000"),
        at(0, "%Y-%m-%dT%H:%M:%S%.3f9999"),
        at(2, "%Y-%m-%dT%H:%M:%S%.3f+02:00"),
        at(-5, "%Y-%m-%dT%H:%M:%S%.3f-05:00"),
    ] {
        assert_eq!(ask(good.clone()).await, None, "{good}");
    }
    for stale in [at(1, "%Y-%m-%dT%H:%M:%S%.3f"), at(0, "%Y-%m-%dT%H:%M:%S%.3f+02:00"), at(0, "%Y-%m-%d")] {
        assert_eq!(ask(stale.clone()).await.as_deref(), Some("ConfigChanged"), "{stale}");
    }
}

/// Checklist 3: GUIDs in any case.
#[tokio::test]
async fn c03_guids_in_any_case() {
    let server = Server::start().await;
    server.import(&catalogue(&Payload::random("update.exe", 50, 2))).await;
    let (mut agent, cookie) = ready(&server).await;
    let ids = vec![UpdateIdentity::new(id(1), 1).into()];
    let request = RefreshCache { cookie: Some(cookie.clone()), global_ids: ids };
    let lower = agent.call(&request).await.expect("answered").result;
    assert_eq!(lower.len(), 1);
    let upper = id(1).to_string().to_uppercase();
    for form in [upper.clone(), format!("{{{upper}}}"), format!(" {upper} ")] {
        let list = format!(
            "{}<globalIDs><UpdateIdentity><UpdateID>{form}</UpdateID><RevisionNumber>1</RevisionNumber>\
             </UpdateIdentity></globalIDs>",
            cookie_xml(&cookie)
        );
        let answer = server.post(&message(NS_C, "RefreshCache", &list)).await;
        let found = element(&answer.text(), "RevisionID").and_then(|text| text.parse().ok()).map(RevisionId);
        assert_eq!(found, Some(lower[0].revision_id), "{form}: {}", answer.text());
    }
    assert_eq!(code(&mut agent, &request).await, None);
}
