//! Faults and what is wrong with parameters (checklist 4, 16, 17, 31).

use uuid::Uuid;
use weir_model::update::CategoryKind;
use weir_testkit::Document;
use weir_wire::soap::ErrorCode;

use crate::{
    common::{Server, element, id},
    support::{
        AUTH, CLIENT, NS_A, NS_C, NS_R, REPORTING, SOAP11, SOAP12, cookie_xml, message, message_in, ready, stored,
    },
};

const CONFIG: &str = "<protocolVersion>2.90</protocolVersion>";

fn config(payload: &str) -> String {
    message(NS_C, "GetConfig", payload)
}

/// The answer without its cookie, which is sealed anew each time.
fn without_cookie(text: &str) -> String {
    let (before, rest) = text.split_once("<NewCookie>").expect("cookie");
    format!("{before}{}", rest.split_once("</NewCookie>").expect("cookie").1)
}

/// Checklist 4: what is not an operation of the service, or not XML, is a fault in the version that can be guessed.
#[tokio::test]
async fn c04_unknown_operations_and_malformed_xml_are_faults() {
    let server = Server::start().await;
    let valid = config(CONFIG);
    let cases = [
        ("nothing", String::new()),
        ("text", "nonsense".to_owned()),
        ("no envelope", "<a/>".to_owned()),
        ("an envelope of no namespace", "<Envelope><Body/></Envelope>".to_owned()),
        ("no body", format!("<s:Envelope xmlns:s=\"{SOAP11}\"/>")),
        ("an empty body", format!("<s:Envelope xmlns:s=\"{SOAP11}\"><s:Body/></s:Envelope>")),
        ("an unknown operation", message(NS_C, "Unheard", "")),
        ("an operation of the public service", message(NS_C, "GetConfig2", CONFIG)),
        ("another of them", message(NS_C, "GetTimestamps", "")),
        ("an operation of another namespace", message("urn:other", "GetConfig", CONFIG)),
        ("an operation in another case", message(NS_C, "getconfig", CONFIG)),
        ("an open element", valid.replace("</protocolVersion>", "")),
        ("crossed elements", valid.replace("</GetConfig></s:Body>", "</s:Body></GetConfig>")),
        ("two documents", valid.repeat(2)),
        ("an unbound prefix", valid.replace("<protocolVersion>", "<p:protocolVersion>")),
        ("an unknown entity", valid.replace("2.90", "&x;")),
        ("a control character", valid.replace("2.90", "2.9&#1;")),
        ("UTF-16", format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{valid}")),
    ];
    for (what, body) in cases {
        let answer = server.post(&body).await;
        let text = answer.text();
        assert_eq!((answer.status, element(&text, "ErrorCode")), (500, Some("InvalidParameters")), "{what}: {text}");
    }
    assert_eq!(server.post(&valid).await.status, 200, "the server still answers");
}

/// Checklist 4: depth, number of elements, length of a value and of the body have limits, and what is within them passes.
#[tokio::test]
async fn c04_sizes_and_depths_are_limited_exactly() {
    let server = Server::start().await;
    let nested = |levels: usize| format!("{}{}{CONFIG}", "<x>".repeat(levels), "</x>".repeat(levels));
    // envelope, body and operation are three of the 24 levels
    assert_eq!(server.post(&config(&nested(21))).await.status, 200);
    assert_eq!(server.post(&config(&nested(22))).await.status, 500);
    assert_eq!(server.post(&config(&nested(500_000))).await.status, 500);

    let long = |bytes: usize| config(&format!("<protocolVersion>2.{}</protocolVersion>", " ".repeat(bytes - 2)));
    assert_eq!(server.post(&long(256 << 10)).await.status, 500, "2. is no version");
    let text = server.post(&long((256 << 10) + 1)).await.text();
    assert_eq!(element(&text, "Message"), Some("protocolVersion"));

    let limit = 8 << 20;
    let mut body = config(CONFIG).into_bytes();
    body.resize(limit, b' ');
    let answer = server.connect().send("POST", CLIENT, &[], &body).await.expect("answered");
    assert_eq!(answer.status, 200, "a body of exactly the limit");
    body.push(b' ');
    // all of it is taken, so that the answer is read; and the connection goes on
    let mut connection = server.connect();
    let answer = connection.send("POST", CLIENT, &[], &body).await.expect("answered");
    let text = answer.text();
    assert_eq!((answer.status, element(&text, "ErrorCode")), (413, Some("InvalidParameters")), "{text}");
    assert_eq!(element(&text, "Message"), Some("the request has more than 8388608 bytes"));
    assert_eq!(connection.send("POST", CLIENT, &[], config(CONFIG).as_bytes()).await.expect("answered").status, 200);
    body.resize(4 * limit, b' ');
    let answer = server.connect().send("POST", CLIENT, &[], &body).await.expect("answered");
    assert_eq!(answer.status, 413, "also of four times as much");
    let answer = server.send("POST", CLIENT, &[("Content-Encoding", "xpress")], &config(CONFIG)).await;
    assert_eq!(answer.status, 415, "requests are never compressed");
    assert_eq!(server.send("GET", CLIENT, &[], "").await.status, 405);
}

/// Checklist 16: the recorded form of the client service's faults, byte for byte, with a fresh id in each.
#[tokio::test]
async fn c16_the_form_of_a_client_fault() {
    let server = Server::start().await;
    let (_, cookie) = ready(&server).await;
    let payload = format!(
        "{}<parameters><ExpressQuery>false</ExpressQuery><InstalledNonLeafUpdateIDs>{}</InstalledNonLeafUpdateIDs>\
         <SkipSoftwareSync>false</SkipSoftwareSync></parameters>",
        cookie_xml(&cookie),
        "<int>1</int>".repeat(4_001)
    );
    let mut ids = Vec::new();
    for _ in 0..3 {
        let body = message(NS_C, "SyncUpdates", &payload);
        let answer = server.send("POST", CLIENT, &[("Accept-Encoding", "xpress")], &body).await;
        let text = answer.text();
        let fault_id = element(&text, "ID").expect("ID").to_owned();
        assert_eq!(
            text,
            format!(
                "<s:Envelope xmlns:s=\"{SOAP11}\"><s:Body><s:Fault><faultcode>s:Client</faultcode>\
                 <faultstring>Fault occurred</faultstring><detail><ErrorCode>InvalidParameters</ErrorCode>\
                 <Message>parameters.InstalledNonLeafUpdateIDs</Message><ID>{fault_id}</ID>\
                 <Method>\"{NS_C}/SyncUpdates\"</Method></detail></s:Fault></s:Body></s:Envelope>"
            )
        );
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
        assert_eq!(answer.header("content-length"), Some(text.len().to_string().as_str()));
        assert_eq!(answer.header("content-encoding"), None, "faults are plain");
        assert_eq!(answer.header("cache-control"), Some("private"));
        let parsed: Uuid = fault_id.parse().expect("a GUID");
        assert!(!parsed.is_nil());
        ids.push(fault_id);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "fresh ids");
}

/// Checklist 16: the form of the other two services: declaration, prefix `soap`, faultactor, an empty Message that is
/// kept, `soap:Server` for an internal error.
#[tokio::test]
async fn c16_the_form_of_faults_of_the_other_services() {
    let server = Server::start().await;
    let authorization = "<clientId>a</clientId><dnsName>a.test</dnsName>";
    let open = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"{SOAP11}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\
         <soap:Body><soap:Fault>"
    );
    let shape = |text: &str, class: &str, path: &str, code: &str, message: &str, action: &str| {
        let fault_id = element(text, "ID").expect("ID");
        assert!(fault_id.parse::<Uuid>().is_ok_and(|id| !id.is_nil()), "{fault_id}");
        assert_eq!(
            text,
            format!(
                "{open}<faultcode>soap:{class}</faultcode><faultstring>Fault occurred</faultstring>\
                 <faultactor>http://weir.test:8530{path}</faultactor><detail><ErrorCode>{code}</ErrorCode>\
                 <Message>{message}</Message><ID>{fault_id}</ID><Method>\"{action}\"</Method></detail></soap:Fault>\
                 </soap:Body></soap:Envelope>"
            )
        );
    };
    let host = [("Host", "weir.test:8530")];
    let refused = message(NS_A, "GetAuthorizationCookie", "<clientId>a b</clientId><dnsName>a</dnsName>");
    let answer = server.send("POST", AUTH, &host, &refused).await;
    assert_eq!((answer.status, answer.header("cache-control")), (500, Some("private, max-age=0")));
    let action = format!("{NS_A}/GetAuthorizationCookie");
    shape(&answer.text(), "Client", AUTH, "InvalidParameters", "clientId", &action);

    let without = message(NS_R, "ReportEventBatch", "<cookie/>");
    let answer = server.send("POST", REPORTING, &host, &without).await;
    shape(&answer.text(), "Client", REPORTING, "InvalidCookie", "", &format!("{NS_R}/ReportEventBatch"));

    // without keys nothing can be sealed: an error of the server
    server.state.keys.replace([]).expect("no keys");
    let answer = server.send("POST", AUTH, &host, &message(NS_A, "GetAuthorizationCookie", authorization)).await;
    shape(&answer.text(), "Server", AUTH, "InternalServerError", "", &action);
}

/// Checklist 16: faults of SOAP 1.2, with the same unqualified children in an unqualified Detail.
#[tokio::test]
async fn c16_the_form_of_faults_in_soap_1_2() {
    let server = Server::start().await;
    let body = message_in(SOAP12, NS_C, "SyncUpdates", "<cookie/>");
    let text = server.send("POST", CLIENT, &[], &body).await.text();
    let fault_id = element(&text, "ID").expect("ID");
    assert_eq!(
        text,
        format!(
            "<s:Envelope xmlns:s=\"{SOAP12}\"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason>\
             <s:Text xml:lang=\"en\">Fault occurred</s:Text></s:Reason><Detail><ErrorCode>InvalidCookie</ErrorCode>\
             <Message/><ID>{fault_id}</ID><Method>\"{NS_C}/SyncUpdates\"</Method></Detail></s:Fault></s:Body>\
             </s:Envelope>"
        )
    );
    let body = message_in(SOAP12, NS_A, "GetAuthorizationCookie", "");
    let text = server.send("POST", AUTH, &[("Host", "weir.test")], &body).await.text();
    assert!(text.contains("<soap:Value>soap:Sender</soap:Value>"), "{text}");
    assert!(text.contains(&format!("<soap:Node>http://weir.test{AUTH}</soap:Node><Detail><ErrorCode>")), "{text}");
}

/// Checklist 17: absent, empty and nil lists mean the same in a scan.
#[tokio::test]
async fn c17_absent_empty_and_nil_lists_are_equal_in_a_scan() {
    let server = Server::start().await;
    server.import(&[Document::category(id(1), 1, CategoryKind::Product).title("Product")]).await;
    let (_, cookie) = ready(&server).await;
    let lists =
        ["InstalledNonLeafUpdateIDs", "OtherCachedUpdateIDs", "SystemSpec", "CachedDriverIDs", "FilterCategoryIds"];
    let nil = " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"";
    let forms: [&dyn Fn(&str) -> String; 5] = [
        &|_| String::new(),
        &|name| format!("<{name}/>"),
        &|name| format!("<{name}> </{name}>"),
        &|name| format!("<{name}{nil}/>"),
        &|name| format!("<{name}{nil}></{name}>"),
    ];
    let mut answers = Vec::new();
    for form in forms {
        let [installed, other, devices, drivers, filter] = lists.map(form);
        let payload = format!(
            "{}<parameters><ExpressQuery>false</ExpressQuery>{installed}{other}{devices}{drivers}\
             <SkipSoftwareSync>false</SkipSoftwareSync>{filter}</parameters>",
            cookie_xml(&cookie)
        );
        let answer = server.post(&message(NS_C, "SyncUpdates", &payload)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answers.push(without_cookie(&answer.text()));
    }
    assert!(answers[0].contains(&id(1).to_string()), "the category is delivered: {}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

/// Checklist 17: a list that must be there counts as missing when it is empty or nil, in every operation that has one;
/// an event batch may be empty.
#[tokio::test]
async fn c17_a_required_list_that_is_empty_is_missing() {
    let server = Server::start().await;
    let (_, cookie) = ready(&server).await;
    let cookie = cookie_xml(&cookie);
    let types = "<infoTypes><XmlUpdateFragmentType>Extended</XmlUpdateFragmentType></infoTypes>";
    let cases = [
        ("RefreshCache", "globalIDs", cookie.clone(), String::new(), "InvalidParameters"),
        ("GetExtendedUpdateInfo", "revisionIDs", cookie.clone(), types.to_owned(), "InvalidParameters"),
        ("GetExtendedUpdateInfo2", "updateIDs", cookie.clone(), types.to_owned(), "InvalidParameters"),
        ("GetFileLocations", "fileDigests", cookie.clone(), String::new(), "InvalidParameters"),
        ("StartCategoryScan", "requestedCategories", String::new(), String::new(), "InvalidParameters"),
        ("GetCookie", "authCookies", String::new(), CONFIG.to_owned(), "InvalidAuthorizationCookie"),
    ];
    let nil = " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"1\"";
    for (operation, list, before, after, code) in cases {
        for form in [String::new(), format!("<{list}/>"), format!("<{list}></{list}>"), format!("<{list}{nil}/>")] {
            let answer = server.post(&message(NS_C, operation, &format!("{before}{form}{after}"))).await;
            let text = answer.text();
            assert_eq!((answer.status, element(&text, "ErrorCode")), (500, Some(code)), "{operation} {form}: {text}");
            if code == "InvalidParameters" {
                assert_eq!(element(&text, "Message"), Some(list), "{operation} {form}");
            }
        }
    }
    for form in ["", "<eventBatch/>", "<eventBatch></eventBatch>", &format!("<eventBatch{nil}/>")] {
        let payload = format!("{cookie}<clientTime>2026-01-01T00:00:00Z</clientTime>{form}");
        let answer = server.send("POST", REPORTING, &[], &message(NS_R, "ReportEventBatch", &payload)).await;
        assert!(answer.text().contains("<ReportEventBatchResult>true<"), "{form}: {}", answer.text());
    }
}

/// Checklist 31: devices do not belong into a software pass, parameters must be there, ExpressQuery means nothing.
#[tokio::test]
async fn c31_parameters_of_a_scan() {
    let server = Server::start().await;
    server.import(&[Document::category(id(1), 1, CategoryKind::Product).title("Product")]).await;
    let (_, cookie) = ready(&server).await;
    let cookie = cookie_xml(&cookie);
    let ask = |parameters: String| {
        let body = message(NS_C, "SyncUpdates", &format!("{cookie}{parameters}"));
        let server = &server;
        async move { server.post(&body).await.text() }
    };
    let nil = " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"";
    let before = stored(&server);
    for missing in [String::new(), format!("<parameters{nil}/>")] {
        let text = ask(missing).await;
        assert_eq!(element(&text, "ErrorCode"), Some(ErrorCode::InvalidParameters.name()), "{text}");
        assert_eq!(element(&text, "Message"), Some("parameters"));
    }
    let device = "<Device><HardwareIDs><string>PCI\\VEN_8086</string></HardwareIDs></Device>";
    let spec = |skip: bool, devices: &str, express: bool| {
        format!(
            "<parameters><ExpressQuery>{express}</ExpressQuery><SystemSpec>{devices}</SystemSpec>\
             <SkipSoftwareSync>{skip}</SkipSoftwareSync></parameters>"
        )
    };
    let text = ask(spec(false, device, false)).await;
    assert_eq!(element(&text, "ErrorCode"), Some("InvalidParameters"), "{text}");
    assert_eq!(element(&text, "Message"), Some("parameters.SystemSpec"));
    assert_eq!(stored(&server), before);
    assert_eq!(element(&ask(spec(true, device, false)).await, "ErrorCode"), None);
    let plain = without_cookie(&ask(spec(false, "", false)).await);
    assert!(plain.contains(&id(1).to_string()), "{plain}");
    assert_eq!(without_cookie(&ask(spec(false, "", true)).await), plain, "ExpressQuery is ignored");
}
