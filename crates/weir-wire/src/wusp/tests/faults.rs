//! Faults in every shape, against the recorded one and the text of the dossier, and read back.

use super::*;
use crate::{
    soap::{ErrorCode, Fault},
    wusp::{
        GetAuthorizationCookie, Operation, ReportEventBatch, SyncUpdates,
        client::{Call, CallError, ReceivedFault},
    },
};

const URL: &str = "http://127.0.0.1:8530/ServerSyncWebService/ServerSyncWebService.asmx";

fn written(fault: &Fault, service: Service, version: SoapVersion) -> String {
    let mut out = String::new();
    fault.write(&mut out, service, version, URL);
    out
}

fn received<C: Call>(text: &str, version: SoapVersion) -> ReceivedFault {
    match C::decode(text.as_bytes(), version, &Limits::default()).map(|_| ()).expect_err("a fault") {
        CallError::Fault { operation, fault } => {
            assert_eq!(operation, C::OPERATION);
            *fault
        }
        CallError::Malformed { reason, .. } => panic!("{reason:?}"),
    }
}

#[test]
fn asmx_fault_is_as_recorded() {
    // A sibling service of the same family, so the form of SimpleAuth and Reporting.
    let text = recorded_text("server-sync/000019-GetRevisionIdList.response.xml");
    let fault = Fault {
        code: ErrorCode::InvalidCookie,
        message: String::new(),
        method: "\"http://www.microsoft.com/SoftwareDistribution/GetRevisionIdList\"".to_owned(),
        id: "6ea693bc-a66e-4334-a797-043728561c7d".parse().expect("a GUID"),
    };
    assert_eq!(written(&fault, Service::Reporting, SoapVersion::V11), text);
    assert_eq!(written(&fault, Service::SimpleAuth, SoapVersion::V11), text);
    let read = received::<ReportEventBatch>(&text, SoapVersion::V11);
    assert_eq!(read.code(), Some(ErrorCode::InvalidCookie));
    assert_eq!((read.class.as_str(), read.actor.as_deref()), ("Client", Some(URL)));
    assert_eq!(read.id, Some(fault.id));
}

#[test]
fn client_fault_is_as_the_dossier_says() {
    let id = uuid::Uuid::from_u128(7);
    let fault = Fault {
        code: ErrorCode::InvalidParameters,
        message: "parameters.InstalledNonLeafUpdateIDs".to_owned(),
        method: Operation::SyncUpdates.quoted_action(),
        id,
    };
    let expected = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Client</faultcode>\
         <faultstring>Fault occurred</faultstring><detail><ErrorCode>InvalidParameters</ErrorCode>\
         <Message>parameters.InstalledNonLeafUpdateIDs</Message><ID>{id}</ID><Method>\"{NS_C}/SyncUpdates\"</Method></detail>\
         </s:Fault></s:Body></s:Envelope>"
    );
    assert_eq!(written(&fault, Service::Client, SoapVersion::V11), expected);
}

#[test]
fn soap_12_fault_has_an_unqualified_detail() {
    let id = uuid::Uuid::from_u128(7);
    let fault = Fault { code: ErrorCode::ServerBusy, message: "a<b".to_owned(), method: String::new(), id };
    let client = written(&fault, Service::Client, SoapVersion::V12);
    assert!(client.starts_with(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code><s:Value>s:Sender<"
    ));
    assert!(client.contains("<Detail><ErrorCode>ServerBusy</ErrorCode><Message>a&lt;b</Message>"), "{client}");
    let asmx = written(&fault, Service::SimpleAuth, SoapVersion::V12);
    assert!(asmx.contains(&format!("<soap:Node>{URL}</soap:Node><Detail>")), "{asmx}");
}

#[test]
fn internal_errors_are_the_servers_where_recorded() {
    let fault = Fault {
        code: ErrorCode::InternalServerError,
        message: String::new(),
        method: String::new(),
        id: uuid::Uuid::from_u128(7),
    };
    let class = |service, version| {
        let text = written(&fault, service, version);
        if service == Service::SimpleAuth {
            received::<GetAuthorizationCookie>(&text, version).class
        } else {
            received::<SyncUpdates>(&text, version).class
        }
    };
    assert_eq!(class(Service::Client, SoapVersion::V11), "Client");
    assert_eq!(class(Service::SimpleAuth, SoapVersion::V11), "Server");
    assert_eq!(class(Service::SimpleAuth, SoapVersion::V12), "Receiver");
}

#[test]
fn every_fault_is_read_back() {
    for &code in ErrorCode::ALL {
        for service in [Service::Client, Service::Reporting, Service::SimpleAuth] {
            for version in BOTH {
                let fault = Fault {
                    code,
                    message: "a & b".to_owned(),
                    method: Operation::SyncUpdates.quoted_action(),
                    id: uuid::Uuid::from_u128(code as u128),
                };
                let read = received::<SyncUpdates>(&written(&fault, service, version), version);
                assert_eq!(read.code(), Some(code));
                assert_eq!(read.message.as_deref(), Some("a & b"));
                assert_eq!(read.id, Some(fault.id));
                assert_eq!(read.method, Some(fault.method));
                assert_eq!(read.text, "Fault occurred");
            }
        }
    }
    assert_eq!("FileLocationsChanged".parse(), Ok(ErrorCode::FileLocationChanged));
    assert!("invalidcookie".parse::<ErrorCode>().is_err());
}

#[test]
fn refused_request_becomes_a_fault_with_what_is_known() {
    let id = uuid::Uuid::from_u128(9);
    let unknown = envelope(&format!("<Nothing xmlns=\"{NS_C}\"/>"));
    let hints = Hints { content_type: None, soap_action: Some("\"urn:x/Nothing\"") };
    let rejection = parse(Service::Client, hints, unknown.as_bytes(), &Limits::default()).expect_err("unknown");
    let fault = rejection.into_fault(id);
    assert_eq!(fault.code, ErrorCode::InvalidParameters);
    assert_eq!(fault.method, "\"urn:x/Nothing\"");
    assert!(fault.message.contains("Nothing"), "{}", fault.message);
    assert_eq!(fault.id, id);

    let hints = Hints { content_type: Some("Application/SOAP+xml; charset=utf-8"), soap_action: Some("bad\r\nheader") };
    let rejection = parse(Service::Client, hints, b"junk", &Limits::default()).expect_err("junk");
    assert_eq!(rejection.version, SoapVersion::V12, "the header is all there is");
    assert_eq!(rejection.into_fault(id).method, "");
}
