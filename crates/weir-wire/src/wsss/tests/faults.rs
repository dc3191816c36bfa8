//! Faults, as many servers may write them.

use super::*;
use crate::{
    soap::{ErrorCode, Reason},
    wsss::{
        client::{CallError, ServerFault, answer_limits, read},
        *,
    },
};

fn fault_of(body: &str) -> ServerFault {
    match read::<GetConfigData>(body.as_bytes(), &answer_limits(1 << 20)) {
        Err(CallError::Fault { fault, operation: Operation::GetConfigData }) => *fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_code_is_read_back_in_both_versions() {
    let id = uuid::uuid!("247dfffd-a6b4-4a57-b9d4-2e464b668cd3");
    for &code in ErrorCode::ALL {
        for version in BOTH {
            let sent = fault(Operation::DownloadFiles, code, "a&b|<c>".to_owned(), id);
            let mut body = String::new();
            sent.write(&mut body, Service::ServerSync, version, "http://h/x");
            assert!(body.contains("<ErrorCode>"), "the detail has no namespace: {body}");
            let read = fault_of(&body);
            assert_eq!((read.code, read.id), (Some(code), Some(id)));
            assert_eq!(read.code_text.as_deref(), Some(code.name()));
            assert_eq!(read.message.as_deref(), Some("a&b|<c>"));
            assert_eq!(read.method.as_deref(), Some("\"http://www.microsoft.com/SoftwareDistribution/DownloadFiles\""));
            let own = matches!(code, ErrorCode::InternalServerError | ErrorCode::UssInternalError);
            let class = match (version, own) {
                (SoapVersion::V11, false) => "Client",
                (SoapVersion::V11, true) => "Server",
                (SoapVersion::V12, false) => "Sender",
                (SoapVersion::V12, true) => "Receiver",
            };
            assert_eq!((read.class.as_str(), read.text.as_str()), (class, "Fault occurred"));
        }
    }
}

#[test]
fn other_forms_are_read() {
    let soap = "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"";
    let of = |content: &str| {
        fault_of(&format!("<s:Envelope {soap}><s:Body><s:Fault>{content}</s:Fault></s:Body></s:Envelope>"))
    };
    // In a namespace, nested, in another order, with things nobody knows.
    let fault = of("<detail><x:More xmlns:x=\"urn:x\"><x:ID>no guid</x:ID><x:Message>a&#x41;<![CDATA[&]]></x:Message>\
                    <x:ErrorCode> ServerChanged\n</x:ErrorCode></x:More></detail><faultcode>s:Server</faultcode>");
    assert_eq!((fault.code, fault.id), (Some(ErrorCode::ServerChanged), None));
    assert_eq!(fault.message.as_deref(), Some("aA&"));
    assert_eq!(fault.class, "Server");
    // Unknown codes are kept as they are.
    let fault = of("<faultcode>s:Client</faultcode><detail><ErrorCode>invalidcookie</ErrorCode></detail>");
    assert_eq!((fault.code, fault.code_text.as_deref()), (None, Some("invalidcookie")), "codes are case-sensitive");
    // Only in the text.
    let fault = of("<faultcode>s:Client</faultcode><faultstring>Fault occurred: InvalidCookie.</faultstring><detail/>");
    assert_eq!((fault.code, fault.code_text), (Some(ErrorCode::InvalidCookie), None));
    // Nothing.
    for nothing in ["", "<detail/>", "text", "<detail>text</detail>", "<faultcode/>"] {
        assert_eq!(of(nothing).code, None, "{nothing}");
    }
    assert_eq!(of("<faultstring>Out of order</faultstring>").to_string(), "no ErrorCode: Out of order");
}

#[test]
fn what_is_no_answer_is_malformed() {
    let good = envelope(&format!("<GetCookieResponse xmlns=\"{NS}\"><GetCookieResult/></GetCookieResponse>"));
    let read = |body: &str| read::<GetCookie>(body.as_bytes(), &answer_limits(1 << 20));
    assert!(read(&good).is_ok());
    for wrong in [
        String::new(),
        "<html><body>Service Unavailable</body></html>".to_owned(),
        good.replace("GetCookieResponse", "GetCookieReply"),
        good.replace("GetCookieResponse", "GetConfigDataResponse"),
        good.replace(NS, "urn:other"),
        good[..good.len() - 20].to_owned(),
        format!("<!DOCTYPE x>{good}"),
        good.replace("<GetCookieResult/>", ""),
        good.replace("<GetCookieResult/>", "<GetCookieResult/><GetCookieResult/>"),
    ] {
        assert!(matches!(read(&wrong), Err(CallError::Malformed { operation: Operation::GetCookie, .. })), "{wrong}");
    }
    let nested = "<a>".repeat(100);
    let deep = good.replace("<GetCookieResult/>", &nested);
    let Err(CallError::Malformed { reason, .. }) = read(&deep) else { panic!("too deep") };
    assert!(matches!(reason, Reason::Limit { .. }), "{reason:?}");
}
