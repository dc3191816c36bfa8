//! The recorded exchanges of a Windows server and a probe: read in both roles, written again, compared.

use super::*;
use crate::wsss::{
    client::{Call, CallError, answer_limits, read, write},
    *,
};

fn response(name: &str) -> String {
    shared(&format!("captures/server-sync/{name}.response.xml"))
}

/// Reads a recorded answer and writes it again in both versions.
fn replay<C: Call>(name: &str) -> C::Answer {
    let text = response(name);
    let answer = read::<C>(text.as_bytes(), &answer_limits(64 << 20)).expect("the recorded answer");
    let mut written = String::new();
    answer.write(&mut written, SoapVersion::V11);
    assert_eq!(written, text, "{name}");
    let mut soap12 = String::new();
    answer.write(&mut soap12, SoapVersion::V12);
    let expected = text.replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    assert_eq!(soap12, expected, "{name} in SOAP 1.2");
    assert!(read::<C>(soap12.as_bytes(), &answer_limits(64 << 20)).is_ok());
    answer
}

/// Reads a recorded request; what is written of it reads the same.
fn parse_recorded(name: &str, service: Service) -> Request {
    let text = shared(&format!("captures/server-sync/{name}.request.xml"));
    let parsed = raw(service, text.as_bytes()).unwrap_or_else(|rejection| panic!("{name}: {:?}", rejection.reason));
    assert_eq!(parsed.version, SoapVersion::V11);
    parsed.request
}

fn again<C: Call + Into<Request>>(request: C) {
    let text = write(&request, SoapVersion::V12);
    let parsed = raw(C::OPERATION.service(), text.as_bytes()).expect("written here");
    assert_eq!(parsed.version, SoapVersion::V12);
    assert_eq!(parsed.request, request.into());
}

#[test]
fn authorization_is_as_recorded() {
    let config = replay::<GetAuthConfig>("000001-GetAuthConfig").result;
    assert_eq!(config, ServerAuthConfig::new(config.last_change), "the form of our own answer");
    again(only!(parse_recorded("000001-GetAuthConfig", Service::ServerSync), GetAuthConfig));

    let cookie = replay::<GetAuthorizationCookie>("000002-GetAuthorizationCookie").result;
    assert_eq!(cookie.sealed().map(<[u8]>::len), Some(432));
    let request = only!(parse_recorded("000002-GetAuthorizationCookie", Service::DssAuth), GetAuthorizationCookie);
    let id = uuid::uuid!("6f1c2f6e-3f0b-4d3a-9b1e-0d2f6a1c5e12");
    assert_eq!(request.validate(), Ok(("probe.lab.invalid", id)));
    again(request);

    let cookie = replay::<GetCookie>("000003-GetCookie").result;
    assert_eq!(cookie.sealed().map(<[u8]>::len), Some(208));
    assert_eq!(cookie.expiration.map(|moment| moment.to_string()).as_deref(), Some("2026-10-04T20:33:26.65455Z"));
    let request = only!(parse_recorded("000003-GetCookie", Service::ServerSync), GetCookie);
    assert_eq!(request.validate().map(|(sealed, version)| (sealed.len(), version)), Ok((432, ProtocolVersion::V1_20)));
    again(request);
}

#[test]
fn configuration_is_as_recorded() {
    let config = replay::<GetConfigData>("000004-GetConfigData").result;
    assert!(config.lazy_sync && !config.catalog_only_sync);
    assert_eq!(config.updates_per_request(), 100);
    assert_eq!(config.language_update_list.0, []);
    assert!(config.new_config_anchor.anchor().expect("an anchor").is_some());
    let request = only!(parse_recorded("000004-GetConfigData", Service::ServerSync), GetConfigData);
    assert_eq!(request.validate().expect("valid").map(|anchor| anchor.number), Some(9_438));
    again(request);
}

#[test]
fn lists_are_as_recorded() {
    let list = replay::<GetRevisionIdList>("000006-GetRevisionIdList").result;
    assert_eq!(list.new_revisions.0.len(), 30);
    let request = only!(parse_recorded("000006-GetRevisionIdList", Service::ServerSync), GetRevisionIdList);
    let (filter, anchor) = request.validate().expect("valid");
    assert!(filter.get_config && anchor.is_none() && filter.categories.is_none());
    again(request);

    assert_eq!(replay::<GetRevisionIdList>("000009-GetRevisionIdList").result.new_revisions.0.len(), 30);
    let request = only!(parse_recorded("000009-GetRevisionIdList", Service::ServerSync), GetRevisionIdList);
    let (filter, _) = request.validate().expect("valid");
    assert_eq!(filter.categories.as_deref().map(|list| (list.len(), list[0].delta)), Some((1, false)));
    assert!(filter.languages.is_none() && !filter.get_63_language_only);
    again(request);

    assert_eq!(replay::<GetRevisionIdList>("000011-GetRevisionIdList").result.new_revisions.0, []);
    let request = only!(parse_recorded("000011-GetRevisionIdList", Service::ServerSync), GetRevisionIdList);
    let (filter, anchor) = request.validate().expect("valid");
    assert_eq!(anchor.expect("an anchor").to_string(), "9438,2026-10-04 16:09:27.371");
    assert!(filter.classifications.as_ref().is_some_and(|list| list[0].delta));
    again(request);
}

#[test]
fn documents_are_as_recorded() {
    for (name, id) in [
        ("000014-GetUpdateData", "266f6222-c89d-43f2-9f8a-69340271e677"),
        ("000015-GetUpdateData", "ccb78947-6453-4ecc-9de8-bc0305c98f2d"),
    ] {
        let data = replay::<GetUpdateData>(name).result;
        let request = only!(parse_recorded(name, Service::ServerSync), GetUpdateData);
        let update = data.updates.0[0].clone();
        assert_eq!(request.validate(100), Ok(&[update.id][..]));
        again(request);
        let files: Vec<_> = update.file_digest_list.iter().map(|digest| digest.digest().expect("SHA-1")).collect();
        assert_eq!(data.file_urls.0.len(), files.len());

        // The writer gives the same, and the document is the published one.
        let writer = UpdateDataWriter::new(SoapVersion::V11);
        let mut pieces = String::new();
        writer.head(&mut pieces);
        match (&update.xml_update_blob, &update.xml_update_blob_compressed) {
            (Some(text), None) => writer.update(&mut pieces, update.id, text, &files),
            (None, Some(cabinet)) => writer.update_compressed(&mut pieces, update.id, &cabinet.0, &files),
            _ => panic!("one form"),
        }
        writer.urls_open(&mut pieces);
        for url in &data.file_urls.0 {
            let digest = url.file_digest.as_ref().and_then(crate::soap::Binary::digest).expect("SHA-1");
            writer.url(&mut pieces, digest, url.mu_url.as_deref());
        }
        writer.tail(&mut pieces);
        // An empty list that was begun before anyone knew that it would be.
        let expected = response(name).replace("<fileUrls />", "<fileUrls></fileUrls>");
        assert_eq!(pieces, expected, "{name}");
        let document = update.into_document(1 << 20).expect("a document");
        assert_eq!(document, shared(&format!("captures/updates/{id}-r200.xml")).trim_start_matches('\u{FEFF}'));
    }
}

#[test]
fn the_fault_is_as_recorded() {
    let name = "000019-GetRevisionIdList";
    let request = only!(parse_recorded(name, Service::ServerSync), GetRevisionIdList);
    assert_eq!(request.sealed(), None);
    let text = response(name);
    let Err(CallError::Fault { fault, .. }) = read::<GetRevisionIdList>(text.as_bytes(), &answer_limits(1 << 20))
    else {
        panic!("a fault was recorded");
    };
    assert_eq!(fault.code, Some(crate::soap::ErrorCode::InvalidCookie));
    assert_eq!((fault.class.as_str(), fault.message.as_deref()), ("Client", Some("")));
    let id = fault.id.expect("an id");
    let ours =
        super::super::fault(Operation::GetRevisionIdList, crate::soap::ErrorCode::InvalidCookie, String::new(), id);
    let mut written = String::new();
    let url = "http://127.0.0.1:8530/ServerSyncWebService/ServerSyncWebService.asmx";
    ours.write(&mut written, Service::ServerSync, SoapVersion::V11, url);
    assert_eq!(written, text);
}
